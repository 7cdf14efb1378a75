"""KML and KMZ: placemarks as rows, extended data as columns. Nothing that a file refers to is fetched."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import IO, Any
from xml.parsers import expat

import numpy as np
import shapely

from data.files.formats import (
    MAX_CELL_BYTES,
    Chunk,
    Table,
    check_headers,
    check_rows,
    shape_chunk,
    text_array,
)
from data.files.workbooks import check_choice
from geo.errors import N_, FileError

MAX_KML_BYTES = 300 * 2**20
MAX_DEPTH = 200
MAX_CORNERS = 5_000_000
_OWN = ("name", "description", "address", "phoneNumber")
_TAGS = re.compile(r"<[^>]*>")


@dataclass
class _Mark:
    cells: dict[str, str] = field(default_factory=dict)
    parts: list[shapely.Geometry] = field(default_factory=list)
    folder: str = ""


def open_kml(stream: IO[bytes], sheet: str | None, **known: Any) -> Table:
    """Return the table of all placemarks, or of those in the folder named."""
    marks = _Reader().read(stream)
    folders = tuple(dict.fromkeys(mark.folder for mark in marks if mark.folder))
    check_choice(sheet, folders)
    marks = [mark for mark in marks if sheet in (None, mark.folder)]
    if not marks:
        raise FileError(
            N_("The KML file has no placemarks. Export the places themselves, not links to them.")
        )
    check_rows(len(marks))
    headers = tuple(dict.fromkeys(name for mark in marks for name in mark.cells))
    check_headers(headers)

    def chunks(rows: int) -> Iterator[Chunk]:
        for start in range(0, len(marks), rows):
            part = marks[start : start + rows]
            columns = [text_array([mark.cells.get(header, "") for mark in part]) for header in headers]
            shapes = np.array([None] * len(part), dtype=object)
            shapes[:] = [_whole(mark.parts) for mark in part]
            yield shape_chunk(columns, headers, shapes, start, (start + len(part)) / len(marks))

    # KML is WGS 84 by its own law, which exports of shifted lists break: as with GeoJSON this proves nothing.
    return Table(
        form="kml",
        headers=headers,
        sheet=sheet,
        sheets=folders,
        header_row=0,
        has_shapes=True,
        epsg=4326,
        _chunks=chunks,
        **known,
    )


def _whole(parts: list[shapely.Geometry]) -> shapely.Geometry | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    kinds = {part.geom_type for part in parts}
    if kinds == {"Polygon"}:
        return shapely.MultiPolygon(parts)
    return shapely.MultiPoint(parts) if kinds == {"Point"} else shapely.GeometryCollection(parts)


class _Reader:
    """Follows the elements of a file; of what it does not know it keeps nothing."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.folders: list[str] = []
        self.text: list[str] = []
        self.length = 0
        self.corners = 0
        self.marks: list[_Mark] = []
        self.mark: _Mark | None = None
        self.field = ""
        self.rings: list[list[tuple[float, float]]] = []

    def read(self, stream: IO[bytes]) -> list[_Mark]:
        # The text is UTF-8 by now, whatever its first line says.
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._letters
        parser.StartDoctypeDeclHandler = _no_doctype
        stream.seek(0)
        size = 0
        try:
            while block := stream.read(2**20):
                size += len(block)
                if size > MAX_KML_BYTES:
                    raise FileError(
                        N_("The KML file is larger than {limit} MB. Split it."), limit=MAX_KML_BYTES >> 20
                    )
                parser.Parse(block, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise FileError(
                N_("The KML is damaged or cut short at line {line}. Export it again."), line=error.lineno
            ) from error
        return self.marks

    def _start(self, tag: str, about: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        self.path.append(name)
        if len(self.path) > MAX_DEPTH:
            raise FileError(N_("The KML is nested too deep. Export it again."))
        self.text, self.length = [], 0
        if name in ("Folder", "Document"):
            self.folders.append("")
        elif name == "Placemark":
            self.mark = _Mark(folder=next((each for each in reversed(self.folders) if each), ""))
        elif name in ("Data", "SimpleData"):
            self.field = about.get("name", "")
        elif name == "Polygon":
            self.rings = []

    def _letters(self, text: str) -> None:
        self.length += len(text)
        if self.length > 32 * MAX_CELL_BYTES:
            raise FileError(
                N_("A cell holds {size} MB of text; the limit is {limit} MB. This is no list."),
                size=round(self.length / 2**20, 1),
                limit=MAX_CELL_BYTES >> 20,
            )
        self.text.append(text)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(" ")[2]
        text = "".join(self.text).strip()
        self.text, self.length = [], 0
        self.path.pop()
        parent = self.path[-1] if self.path else ""
        if name in ("Folder", "Document"):
            self.folders.pop()
        elif name == "Placemark" and self.mark is not None:
            self.marks.append(self.mark)
            self.mark = None
        elif name == "name" and parent == "Folder":
            self.folders[-1] = text
        elif self.mark is not None:
            self._of_mark(self.mark, name, parent, text)

    def _of_mark(self, mark: _Mark, name: str, parent: str, text: str) -> None:
        if name in _OWN and parent == "Placemark":
            mark.cells[name] = _plain(text) if name == "description" else text
        elif (name == "value" and parent == "Data") or name == "SimpleData":
            mark.cells[self.field] = text
        elif name == "coordinates":
            self._corners(mark, parent, text)
        elif name == "Polygon" and self.rings:
            mark.parts.append(shapely.Polygon(self.rings[0], self.rings[1:]))
            self.rings = []

    def _corners(self, mark: _Mark, parent: str, text: str) -> None:
        corners = [corner for each in text.split() if (corner := _corner(each)) is not None]
        self.corners += len(corners)
        if self.corners > MAX_CORNERS:
            raise FileError(
                N_("The shapes have more than {limit} corners. Split the file."), limit=MAX_CORNERS
            )
        if parent == "Point" and corners:
            mark.parts.append(shapely.Point(corners[0]))
        elif parent == "LinearRing" and "Polygon" in self.path and len(corners) >= 3:
            self.rings.append(corners)
        elif parent in ("LineString", "LinearRing") and len(corners) >= 2:
            mark.parts.append(shapely.LineString(corners))


def _corner(text: str) -> tuple[float, float] | None:
    try:
        x, y = map(float, text.split(",")[:2])
    except ValueError:
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _plain(text: str) -> str:
    """Return a description without its markup."""
    return " ".join(unescape(_TAGS.sub(" ", text)).split()) if "<" in text else text


def _no_doctype(*_: object) -> None:
    raise FileError(N_("The KML declares entities of its own, which are not read. Export it again."))
