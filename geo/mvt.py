"""
Vector tiles as bytes: the Mapbox Vector Tile Specification, version 2.1.

Points, of which a tile has thousands, are encoded all at once with numpy; shapes one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
Array = NDArray[Any]

EXTENT: Final = 4096  # units across a tile


@dataclass(frozen=True)
class PointLayer:
    """
    A layer of points.

    Parameters
    ----------
    name
        Of the layer.
    x, y
        Tile units, whole numbers.
    columns
        What a point carries, by name; a missing string or number (None, NaN) is left out.
    ids
        Numbers from 0 that features carry as ids.
    """

    name: str
    x: Array
    y: Array
    columns: Mapping[str, Array] = field(default_factory=dict)
    ids: Array | None = None

    def encoded(self) -> bytes:
        """Return the layer's message."""
        count = len(self.x)
        keys, values = list(self.columns), _Values()
        tags: list[_Part] = []
        for i, column in enumerate(self.columns.values()):
            indices, known = values.add_column(np.asarray(column))
            tags += [_varints(np.full(count, i, dtype=np.uint64), known), _varints(indices, known)]
        body = [] if self.ids is None else [_constant(b"\x08", count), _varints(self.ids.astype(np.uint64))]
        if tags:
            body += _with_length(b"\x12", tags, count)
        moves = [_constant(b"\x09", count), _varints(_zigzag(self.x)), _varints(_zigzag(self.y))]
        body += [_constant(b"\x18\x01", count), *_with_length(b"\x22", moves, count)]
        matrix, keep = _joined(_with_length(b"\x12", body, count))
        return _layer(self.name, matrix[keep].tobytes(), keys, values)


@dataclass(frozen=True)
class Feature:
    """A point, line or polygon of one or more parts, in whole tile units, and what it carries."""

    parts: Sequence[shapely.Geometry]
    properties: Mapping[str, object] = field(default_factory=dict)
    id: int | None = None


@dataclass(frozen=True)
class ShapeLayer:
    """A layer of features, all parts of a feature being of one kind."""

    name: str
    features: Sequence[Feature]

    def encoded(self) -> bytes:
        """Return the layer's message."""
        keys: dict[str, int] = {}
        values = _Values()
        messages = []
        for feature in self.features:
            tags = bytearray()
            for key, value in feature.properties.items():
                coded = _value(value)
                if coded is not None:
                    tags += _varint(keys.setdefault(key, len(keys))) + _varint(values.add(coded))
            kind = int(shapely.get_dimensions(feature.parts[0])) + 1
            body = b"" if feature.id is None else b"\x08" + _varint(feature.id)
            body += _lengthy(b"\x12", bytes(tags)) + b"\x18" + _varint(kind)
            messages.append(_lengthy(b"\x12", body + _lengthy(b"\x22", _commands(feature.parts))))
        return _layer(self.name, b"".join(messages), list(keys), values)


def encode(layers: Iterable[PointLayer | ShapeLayer]) -> bytes:
    """Return layers as one vector tile (MVT 2.1), the same bytes for the same layers."""
    return b"".join(_lengthy(b"\x1a", layer.encoded()) for layer in layers)


@dataclass
class _Values:
    """The table of values of a layer, each value once."""

    places: dict[bytes, int] = field(default_factory=dict)

    def add(self, coded: bytes) -> int:
        return self.places.setdefault(coded, len(self.places))

    def add_column(self, column: Array) -> tuple[Words, Bools]:
        """Return the place of each entry's value, and which entries have one."""
        known: Bools = np.ones(column.shape, dtype=bool)
        if column.dtype.kind == "f":
            known = ~np.isnan(column)
        elif column.dtype == object:
            known = np.array([isinstance(v, str) for v in column], dtype=bool)
            column = np.where(known, column, "").astype(str)
        distinct, inverse = np.unique(column[known], return_inverse=True)
        places = [self.add(_value(v) or b"") for v in distinct.tolist()]
        indices = np.zeros(column.shape, dtype=np.uint64)
        indices[known] = np.array(places, dtype=np.uint64)[inverse]
        return indices, known


def _value(value: object) -> bytes | None:
    """Return a value's message; None for one that is missing."""
    if isinstance(value, bool | np.bool_):
        return b"\x38\x01" if value else b"\x38\x00"
    if isinstance(value, int | np.integer):
        number = int(value)
        return b"\x28" + _varint(number) if number >= 0 else b"\x30" + _varint(-2 * number - 1)
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else b"\x19" + np.array(value, dtype="<f8").tobytes()
    return _lengthy(b"\x0a", value.encode(errors="replace")) if isinstance(value, str) else None


def _layer(name: str, features: bytes, keys: Sequence[str], values: _Values) -> bytes:
    head = b"\x78\x02" + _lengthy(b"\x0a", name.encode())
    named = b"".join(_lengthy(b"\x1a", key.encode()) for key in keys)
    valued = b"".join(_lengthy(b"\x22", coded) for coded in values.places)
    return head + features + named + valued + b"\x28" + _varint(EXTENT)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _lengthy(tag: bytes, message: bytes) -> bytes:
    return tag + _varint(len(message)) + message


def _commands(parts: Sequence[shapely.Geometry]) -> bytes:
    """Return the drawing commands of points, lines or polygons, exteriors clockwise on the screen."""
    cursor = np.zeros((1, 2), dtype=np.int64)
    numbers: list[Array] = []
    if shapely.get_dimensions(parts[0]) == 0:
        dots = np.rint(shapely.get_coordinates(parts)).astype(np.int64)
        moves = _zigzag(np.diff(dots, axis=0, prepend=cursor)).ravel()
        return _varint_bytes(np.concatenate([[len(dots) << 3 | 1], moves]))
    for line, closed in _lines(parts):
        dots = np.rint(shapely.get_coordinates(line)).astype(np.int64)
        dots = dots[:-1] if closed else dots
        moves = _zigzag(np.diff(dots, axis=0, prepend=cursor)).ravel()
        numbers += [np.array([9]), moves[:2], np.array([(len(dots) - 1) << 3 | 2]), moves[2:]]
        if closed:
            numbers.append(np.array([15]))
        cursor = dots[-1:]
    return _varint_bytes(np.concatenate(numbers))


def _lines(parts: Sequence[shapely.Geometry]) -> list[tuple[shapely.Geometry, bool]]:
    """Return lines as they are and polygons as closed rings, each exterior before its holes."""
    if shapely.get_dimensions(parts[0]) == 1:
        return [(part, False) for part in parts]
    # With y downwards, counter-clockwise on paper is clockwise on the screen.
    turned = shapely.orient_polygons(np.asarray(parts, dtype=object), exterior_cw=False)
    return [(ring, True) for ring in shapely.get_rings(turned)]


# Many short messages at once: a matrix with a message a row, of which only the bytes marked are kept.
_Part = tuple[Bytes, Bools]


def _constant(text: bytes, count: int) -> _Part:
    row = np.frombuffer(text, dtype=np.uint8)
    return np.broadcast_to(row, (count, len(row))), np.ones((count, len(row)), dtype=bool)


def _varints(numbers: Array, known: Bools | None = None) -> _Part:
    words = numbers.astype(np.uint64)
    most = int(words.max()) if words.size else 0
    width = max(1, -(-most.bit_length() // 7))
    shifts = np.arange(width, dtype=np.uint64) * np.uint64(7)
    shifted = words[:, None] >> shifts
    keep = shifted > 0
    keep[:, 0] = True
    more = np.zeros_like(keep)
    more[:, :-1] = keep[:, 1:]
    low = (shifted & np.uint64(0x7F)).astype(np.uint8)
    matrix: Bytes = low | np.where(more, np.uint8(0x80), np.uint8(0))
    return matrix, keep if known is None else keep & known[:, None]


def _joined(parts: Sequence[_Part]) -> _Part:
    return np.hstack([matrix for matrix, _ in parts]), np.hstack([keep for _, keep in parts])


def _with_length(tag: bytes, parts: Sequence[_Part], count: int) -> list[_Part]:
    matrix, keep = _joined(parts)
    return [_constant(tag, count), _varints(keep.sum(axis=1)), (matrix, keep)]


def _varint_bytes(numbers: Array) -> bytes:
    matrix, keep = _varints(numbers)
    return matrix[keep].tobytes()


def _zigzag(numbers: Array) -> Words:
    signed = numbers.astype(np.int64)
    return ((signed << 1) ^ (signed >> 63)).astype(np.uint64)
