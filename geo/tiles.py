"""
Map tiles: rows sorted once along a space-filling curve, so that a tile is a slice; encoded as vector tiles.

    curve = Curve.build(lon, lat)                       once per data version and datum
    shown = curve.show(mask, {"signed": signed})        once per filter
    tile(shown, z, x, y, columns)                       a millisecond or so, whatever the number of rows

A tile with few rows carries points, layer `POINTS`; one with many carries cells with counts, layer `CELLS`.
Every array handed in (masks, weights, columns) has one entry per row, in the order the curve was built from,
and rows are answered as indices in that order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.catchment import distances_m
from geo.errors import N_, TileError
from geo.mvt import EXTENT, Feature, PointLayer, ShapeLayer, encode

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]
Words = NDArray[np.uint64]
Array = NDArray[Any]

BUFFER: Final = 64  # units round a tile in which the neighbours' points are drawn too, lest circles be cut
MAX_ZOOM: Final = 24
MAX_POINTS: Final = 1500  # rows above which a tile carries cells
MAX_BYTES: Final = 150_000
CELL_STEPS: Final = 4  # a cell is a tile so many zooms deeper: 16 by 16 of them, 32 pixels wide of 512
CUSTOMER_CELL: Final = 18  # the zoom of the smallest cell customers are counted in, about 130 m in China
POINTS: Final = "points"
CELLS: Final = "cells"

_WORLD_BITS = 32  # a world coordinate is a whole number below 2^32, about a centimetre
_UNIT_BITS = 12  # of EXTENT
_MOST_BUFFERED = 1000
_MAX_LATITUDE = float(np.degrees(np.arctan(np.sinh(np.pi))))
_EQUATOR_M = 2.0 * np.pi * 6378137.0


@dataclass(frozen=True, eq=False)
class Curve:
    """
    Rows along the Z-order curve of the web map's square world.

    Attributes
    ----------
    order
        Row of each place along the curve: `column[order]` is sorted as the curve is.
    codes
        Places on the curve, ascending: the bits of y and x in turn.
    x, y
        World coordinates, 0 to 2^32 - 1 from the north-west corner, sorted as the codes are.
    """

    order: Rows
    codes: Words
    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    in_order: bool = False  # the rows came sorted: `order` leaves them as they are

    @classmethod
    def build(cls, lon: ArrayLike, lat: ArrayLike) -> Curve:
        """
        Sort positions along the curve; rows at one spot stay in their order.

        Parameters
        ----------
        lon, lat
            Degrees, in the datum the map is drawn in.
        """
        _check_numbers(lon, lat)
        world_x, world_y = world_xy(lon, lat)
        x, y = _whole(world_x), _whole(world_y)
        codes = _interleaved(x, y)
        if bool((codes[:-1] <= codes[1:]).all()):
            return cls(np.arange(codes.size), codes, x, y, in_order=True)
        order = np.argsort(codes, kind="stable")
        return cls(order, codes[order], x[order], y[order])

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.codes.size)

    @cached_property
    def everything(self) -> Shown:
        """All rows, shown."""
        return Shown(self.order, self.codes, self.x, self.y, {})

    def slice(self, z: int, x: int, y: int) -> slice:
        """Return the part of the curve that lies in a tile."""
        check_tile(z, x, y)
        return self.everything.slice(z, x, y)

    def neighbourhood(self, z: int, x: int, y: int, buffer: int = BUFFER) -> Rows:
        """Return the places along the curve inside a tile and up to `buffer` units outside of it."""
        check_tile(z, x, y)
        own = self.everything.slice(z, x, y)
        ring = _around(z, x, y, buffer)
        lows, highs = self.everything.ranges(*ring)
        at = _spread(lows, highs)
        px, py = _units(self.x[at], self.y[at], z, x, y)
        return np.concatenate([np.arange(own.start, own.stop), at[_within(px, py, buffer)]])

    def show(self, mask: ArrayLike | None = None, weights: Mapping[str, ArrayLike] | None = None) -> Shown:
        """
        Return the rows that pass a filter, ready for any number of tiles.

        Parameters
        ----------
        mask
            Bool per row; all rows without it.
        weights
            Amounts per row to add up in cells, by the name they get there; NaN counts nothing.
        """
        chosen: Rows | None = None
        if mask is not None:
            keep = np.asarray(mask, dtype=bool)
            if keep.shape != self.codes.shape:
                raise TileError(
                    N_("A mask of {got} rows does not fit {rows} rows."), got=keep.size, rows=len(self)
                )
            chosen = np.flatnonzero(keep if self.in_order else keep[self.order])
        every = chosen is None or chosen.size == len(self)
        rows = self.order if every else self.order[chosen]
        sums = {name: _running(np.asarray(amounts)[rows]) for name, amounts in (weights or {}).items()}
        if every:
            return Shown(rows, self.codes, self.x, self.y, sums)
        return Shown(rows, self.codes[chosen], self.x[chosen], self.y[chosen], sums)


@dataclass(frozen=True, eq=False)
class Shown:
    """The rows of a curve that pass a filter, sorted along it, with running sums of what cells add up."""

    rows: Rows
    codes: Words
    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    sums: Mapping[str, Array]

    def __len__(self) -> int:
        """Return the number of rows shown."""
        return int(self.codes.size)

    def slice(self, z: int, x: int, y: int) -> slice:
        """Return the part of the shown rows that lies in a tile."""
        lows, highs = self.ranges(z, np.array([x]), np.array([y]))
        return slice(int(lows[0]), int(highs[0]))

    def count(self, z: int, x: int, y: int) -> int:
        """Return how many rows a tile shows."""
        part = self.slice(z, x, y)
        return int(part.stop - part.start)

    def ranges(self, z: int, x: Array, y: Array) -> tuple[Rows, Rows]:
        """Return where each of several tiles of one zoom starts and ends."""
        bits = np.uint64(2 * (_WORLD_BITS - z))
        first = _interleaved(x.astype(np.uint32), y.astype(np.uint32))
        if z == 0:
            return np.zeros(len(first), dtype=np.intp), np.full(len(first), len(self), dtype=np.intp)
        first = first << bits
        last = first | np.uint64((1 << int(bits)) - 1)
        return np.searchsorted(self.codes, first), np.searchsorted(self.codes, last, side="right")

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Running sums of the world coordinates, for mean positions."""
        return _running(self.x), _running(self.y)


def check_tile(z: int, x: int, y: int) -> None:
    """Raise `TileError` unless there is such a tile."""
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise TileError(N_("There is no tile {z}/{x}/{y}."), z=z, x=x, y=y)


def world_xy(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """
    Return positions on the web map's square world, 0 to 1 from its north-west corner.

    Longitudes are taken round the earth into -180 to 180, latitudes cut at the square's edge (85.05).
    """
    lons, lats = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    x = lons / 360.0 + 0.5
    outside = (x < 0.0) | (x > 1.0)
    if outside.any():
        x = np.where(outside, x % 1.0, x)
    sine = np.sin(np.radians(np.clip(lats, -_MAX_LATITUDE, _MAX_LATITUDE)))
    return x, np.clip(0.5 - np.arctanh(sine) / (2.0 * np.pi), 0.0, 1.0)


def lon_lat(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return the longitudes and latitudes of positions on the square world: `world_xy` undone."""
    across, down = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return (across - 0.5) * 360.0, np.degrees(np.arctan(np.sinh((0.5 - down) * 2.0 * np.pi)))


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Return a tile's west, south, east and north edge in degrees."""
    check_tile(z, x, y)
    lons, lats = lon_lat(np.array([x, x + 1]) / (1 << z), np.array([y, y + 1]) / (1 << z))
    return float(lons[0]), float(lats[1]), float(lons[1]), float(lats[0])


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Return the x and y of the tile of a zoom that a position lies in."""
    check_tile(z, 0, 0)
    _check_numbers(lon, lat)
    x, y = world_xy(lon, lat)
    return int(_whole(x)) >> (_WORLD_BITS - z), int(_whole(y)) >> (_WORLD_BITS - z)


def tile(
    shown: Shown,
    z: int,
    x: int,
    y: int,
    columns: Mapping[str, ArrayLike] | None = None,
    *,
    ids: ArrayLike | None = None,
    centred: bool = False,
) -> bytes:
    """
    Return a tile of points, or of cells where there are more than `MAX_POINTS`; empty where nothing lies.

    Parameters
    ----------
    shown
        The rows to draw.
    z, x, y
        The tile.
    columns
        What a point carries, by name; cells carry `n` and the sums `shown` was made with.
    ids
        Numbers the points carry as their ids.
    centred
        Draw a cell at its centre, not at the mean of its rows.
    """
    check_tile(z, x, y)
    if shown.count(z, x, y) <= MAX_POINTS:
        points = tile_points(shown, z, x, y, columns, ids=ids)
        if len(points) <= MAX_BYTES:
            return points
    return tile_cells(shown, z, x, y, centred=centred, mixed=True)


def tile_points(
    shown: Shown,
    z: int,
    x: int,
    y: int,
    columns: Mapping[str, ArrayLike] | None = None,
    *,
    ids: ArrayLike | None = None,
) -> bytes:
    """
    Return a tile with a feature per row, and those of the neighbours that lie within `BUFFER` of its edge.

    A neighbour that is itself drawn as cells lends no points. Parameters as for `tile`.
    """
    check_tile(z, x, y)
    own = shown.slice(z, x, y)
    at = np.concatenate([np.arange(own.start, own.stop), _lent_points(shown, z, x, y)])
    if not at.size:
        return b""
    rows = shown.rows[at]
    px, py = _units(shown.x[at], shown.y[at], z, x, y)
    carried = {name: np.asarray(column)[rows] for name, column in (columns or {}).items()}
    numbers = None if ids is None else np.asarray(ids)[rows]
    return encode([PointLayer(POINTS, px, py, carried, numbers)])


def tile_cells(
    shown: Shown,
    z: int,
    x: int,
    y: int,
    *,
    finest: int = MAX_ZOOM + CELL_STEPS,
    steps: int = CELL_STEPS,
    centred: bool = False,
    at_least: int = 1,
    mixed: bool = False,
) -> bytes:
    """
    Return a tile of cells, each a point with the count `n` of its rows and the sums of `shown`.

    Parameters
    ----------
    shown
        The rows to count.
    z, x, y
        The tile.
    finest
        The zoom of the smallest cells there are, however deep the tile (`CUSTOMER_CELL` for customers). A
        cell larger than a tile is in the tile its centre lies in.
    steps
        A cell is a tile so many zooms deeper, as far as `finest` allows; at most 5.
    centred
        Draw at the cell's centre, which tells nothing of where its rows lie; else at their mean, and with it
        cells of the neighbours that lie within half a cell of the edge.
    at_least
        Leave out cells with fewer rows.
    mixed
        Neighbours with few rows are drawn as points, and lend no cells.
    """
    check_tile(z, x, y)
    level = min(z + min(steps, 5), finest)
    cell_x, cell_y = _cells_near(z, x, y, level)
    lows, highs = shown.ranges(level, cell_x, cell_y)
    full = np.flatnonzero(highs - lows >= max(at_least, 1))
    lows, highs, cell_x, cell_y = lows[full], highs[full], cell_x[full], cell_y[full]
    px, py = _units(*_cell_places(shown, level, lows, highs, cell_x, cell_y, centred), z, x, y)
    if level < z:
        near = _within(px, py, EXTENT // 16)
    elif centred:
        near = _within(px, py, 0)  # half a cell from any edge
    else:
        near = _within(px, py, EXTENT >> (level - z + 1))
        if mixed:
            steps_down = level - z
            near &= _within(px, py, 0) | ~_shows_points(shown, z, cell_x >> steps_down, cell_y >> steps_down)
    if not near.any():
        return b""
    sums = {name: (run[highs] - run[lows])[near] for name, run in shown.sums.items()}
    return encode([PointLayer(CELLS, px[near], py[near], {"n": (highs - lows)[near], **sums})])


def tile_shapes(
    name: str,
    shapes: Sequence[shapely.Geometry] | Array,
    z: int,
    x: int,
    y: int,
    columns: Mapping[str, ArrayLike] | None = None,
) -> bytes:
    """
    Return a tile of lines or polygons (a street plan, zones), clipped `BUFFER` outside its edge.

    Parameters
    ----------
    name
        Of the layer.
    shapes
        Valid shapes on the square world, made by `world_shapes`.
    z, x, y
        The tile.
    columns
        What a shape carries, by name, one entry a shape.
    """
    check_tile(z, x, y)
    every = np.asarray(shapes, dtype=object)
    size = 1 << z
    margin = BUFFER / EXTENT
    west, south, east, north = shapely.bounds(every).T
    hit = (west * size < x + 1 + margin) & (east * size > x - margin)
    hit &= (south * size < y + 1 + margin) & (north * size > y - margin)
    at = np.flatnonzero(hit)
    if not at.size:
        return b""
    corner = np.array([x, y])
    local = shapely.transform(every[at], lambda xy: (xy * size - corner) * EXTENT)
    clipped = shapely.intersection(local, shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER))
    snapped = shapely.set_precision(clipped, 1.0)
    table = {key: np.asarray(column) for key, column in (columns or {}).items()}
    features = []
    for row, before, shape in zip(at, local, snapped, strict=True):
        parts = _parts(shape, int(shapely.get_dimensions(before)))
        if parts:
            features.append(Feature(parts, {key: column[row] for key, column in table.items()}))
    return encode([ShapeLayer(name, features)]) if features else b""


def world_shapes(shapes: Sequence[shapely.Geometry] | Array) -> Array:
    """Return shapes in degrees as valid shapes on the square world, for `tile_shapes`."""
    moved = shapely.transform(
        np.asarray(shapes, dtype=object), lambda xy: np.column_stack(world_xy(xy[:, 0], xy[:, 1]))
    )
    return np.asarray(shapely.make_valid(moved), dtype=object)


def nearest(
    curve: Curve | Shown, lon: float, lat: float, mask: ArrayLike | None = None, max_m: float = 50.0
) -> int | None:
    """Return the row nearest to a position, at most `max_m` away and passing the mask; None without one."""
    rows = nearby(curve, lon, lat, mask, max_m, limit=1)
    return int(rows[0]) if rows.size else None


def nearby(
    curve: Curve | Shown,
    lon: float,
    lat: float,
    mask: ArrayLike | None = None,
    max_m: float = 50.0,
    limit: int = 20,
) -> Rows:
    """
    Return the rows nearest to a position, nearest first.

    Parameters
    ----------
    curve
        A curve, or what is shown of one.
    lon, lat
        Degrees, in the curve's datum: a click on the map.
    mask
        Bool per row: which may be found.
    max_m
        How far to look, as the geodesic goes.
    limit
        How many rows at most; of rows equally far those that come first.
    """
    shown = curve.everything if isinstance(curve, Curve) else curve
    at_x, at_y = (float(c) for c in world_xy(lon, lat))
    metres = _EQUATOR_M * max(float(np.cos(np.radians(lat))), 1e-9)  # across the world, at this latitude
    # The web map's sphere is up to 0.7 % off the ellipsoid: look a little farther, then measure.
    reach = 1.01 * max_m / metres
    at = _places_near(shown, at_x, at_y, reach)
    if mask is not None:
        at = at[np.asarray(mask, dtype=bool)[shown.rows[at]]]
    world = float(1 << _WORLD_BITS)
    apart = np.hypot((shown.x[at] + 0.5) / world - at_x, (shown.y[at] + 0.5) / world - at_y)
    if at.size > limit:
        reach = min(reach, 1.02 * float(np.partition(apart, limit - 1)[limit - 1]) + 2.0 / world)
    at = at[apart <= reach]
    lons, lats = lon_lat((shown.x[at] + 0.5) / world, (shown.y[at] + 0.5) / world)
    distance = distances_m(lon, lat, lons, lats)
    rows = shown.rows[at]
    order = np.lexsort((rows, distance))
    found: Rows = rows[order][distance[order] <= max_m][:limit]
    return found


def _places_near(shown: Shown, x: float, y: float, reach: float) -> Rows:
    """Return the places along the curve in the few tiles that cover a square round a world position."""
    z = int(np.clip(np.floor(-np.log2(max(reach, 1e-12))), 0, MAX_ZOOM))
    last = (1 << z) - 1
    left, top = (int(np.clip(np.floor((c - reach) * (1 << z)), 0, last)) for c in (x, y))
    right, bottom = (int(np.clip(np.floor((c + reach) * (1 << z)), 0, last)) for c in (x, y))
    across, down = np.meshgrid(np.arange(left, right + 1), np.arange(top, bottom + 1))
    return _spread(*shown.ranges(z, across.ravel(), down.ravel()))


def _parts(shape: shapely.Geometry, dimension: int) -> list[shapely.Geometry]:
    """Return the simple parts of a shape of a dimension: clipping can leave crumbs of a lower one."""
    if shapely.is_empty(shape):
        return []
    flat = shapely.get_parts(shapely.get_parts(shape))
    return [part for part in flat if shapely.get_dimensions(part) == dimension and not shapely.is_empty(part)]


def _check_numbers(lon: ArrayLike, lat: ArrayLike) -> None:
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise TileError(N_("Positions on the map must be numbers."))


def _whole(world: Floats) -> NDArray[np.uint32]:
    scaled = np.asarray(world) * float(1 << _WORLD_BITS)
    return np.clip(scaled, 0.0, float((1 << _WORLD_BITS) - 1)).astype(np.uint32)


def _interleaved(x: Array, y: Array) -> Words:
    return _stretched(x) | (_stretched(y) << np.uint64(1))


def _stretched(numbers: Array) -> Words:
    """Return numbers of 32 bits with a 0 before each bit."""
    words: Words = numbers.astype(np.uint64)
    for shift, kept in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        words = (words | (words << np.uint64(shift))) & np.uint64(kept)
    return words


def _running(amounts: Array) -> Array:
    """Return sums of the first 0, 1, 2 … amounts."""
    whole = amounts.dtype.kind in "biu"
    sums = np.zeros(amounts.size + 1, dtype=np.int64 if whole else np.float64)
    np.cumsum(amounts if whole else np.nan_to_num(amounts), out=sums[1:])
    return sums


def _spread(lows: Rows, highs: Rows) -> Rows:
    """Return all places in several ranges, one range after the other."""
    sizes = highs - lows
    starts = np.cumsum(sizes) - sizes
    return np.repeat(lows - starts, sizes) + np.arange(int(sizes.sum()))


def _units(world_x: Array, world_y: Array, z: int, x: int, y: int) -> tuple[Array, Array]:
    """Return whole world coordinates in the units of a tile; outside of it below 0 or from EXTENT on."""
    east = world_x.astype(np.int64) - (x << (_WORLD_BITS - z))
    south = world_y.astype(np.int64) - (y << (_WORLD_BITS - z))
    shift = _WORLD_BITS - z - _UNIT_BITS
    return (east >> shift, south >> shift) if shift >= 0 else (east << -shift, south << -shift)


def _within(px: Array, py: Array, buffer: int) -> Bools:
    inside: Bools = (px >= -buffer) & (px < EXTENT + buffer) & (py >= -buffer) & (py < EXTENT + buffer)
    return inside


def _around(z: int, x: int, y: int, buffer: int) -> tuple[int, Array, Array]:
    """Return zoom, x and y of the small tiles that ring a tile, at least `buffer` units wide."""
    steps = min(6, max(0, _UNIT_BITS - max(buffer - 1, 0).bit_length()))
    cell_x, cell_y = _block(z, x, y, steps)
    outside = (cell_x >> steps != x) | (cell_y >> steps != y)
    return z + steps, cell_x[outside], cell_y[outside]


def _block(z: int, x: int, y: int, steps: int) -> tuple[Array, Array]:
    """Return x and y of the tiles so many zooms deeper that fill a tile and ring it, within the world."""
    last = (1 << (z + steps)) - 1
    across = np.arange(max((x << steps) - 1, 0), min((x + 1) << steps, last) + 1)
    down = np.arange(max((y << steps) - 1, 0), min((y + 1) << steps, last) + 1)
    cell_x, cell_y = np.meshgrid(across, down)
    return cell_x.ravel(), cell_y.ravel()


def _cells_near(z: int, x: int, y: int, level: int) -> tuple[Array, Array]:
    """Return x and y of the cells in a tile and those next to it; where cells are larger, those round it."""
    if level >= z:
        return _block(z, x, y, level - z)
    return _block(level, x >> (z - level), y >> (z - level), 0)


def _cell_places(
    shown: Shown, level: int, lows: Rows, highs: Rows, cell_x: Array, cell_y: Array, centred: bool
) -> tuple[Array, Array]:
    """Return the world coordinates at which cells are drawn."""
    if centred:
        size = 1 << (_WORLD_BITS - level)
        return cell_x.astype(np.int64) * size + size // 2, cell_y.astype(np.int64) * size + size // 2
    east, south = ((run[highs] - run[lows]) // (highs - lows) for run in shown.places)
    return east, south


def _shows_points(shown: Shown, z: int, x: Array, y: Array) -> Bools:
    """Return which tiles of a zoom have few enough rows to be drawn as points."""
    lows, highs = shown.ranges(z, x, y)
    few: Bools = highs - lows <= MAX_POINTS
    return few


def _lent_points(shown: Shown, z: int, x: int, y: int) -> Rows:
    """Return places of the neighbours' points near a tile's edge, at most `_MOST_BUFFERED`, nearest kept."""
    level, cell_x, cell_y = _around(z, x, y, BUFFER)
    lending = _shows_points(shown, z, cell_x >> (level - z), cell_y >> (level - z))
    at = _spread(*shown.ranges(level, cell_x[lending], cell_y[lending]))
    if at.size <= _MOST_BUFFERED:
        return at
    px, py = _units(shown.x[at], shown.y[at], z, x, y)
    off = np.maximum(np.maximum(-px, px - EXTENT), np.maximum(-py, py - EXTENT))
    return np.sort(at[np.argsort(off, kind="stable")[:_MOST_BUFFERED]])
