"""Shapes written as text: a column of WKT or EWKT places the rows of a table without coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.files.formats import Chunk, Table, points_inside
from data.meaning import headers as header_words

MOST = 0.8  # of the cells of a column that holds shapes
_WKT = (
    r"^\s*(?:SRID\s*=\s*\d{1,6}\s*;)?\s*(?:MULTI)?(?:POINT|POLYGON|LINESTRING|GEOMETRYCOLLECTION)\s*"
    r"(?:ZM?|M)?\s*(?:\(|EMPTY)"
)
_SRID = re.compile(r"^\s*SRID\s*=\s*(\d{1,6})\s*;", re.IGNORECASE)
_POINT = r"^\s*(?:SRID\s*=\s*\d{1,6}\s*;)?\s*POINT"


def with_shapes(table: Table) -> Table:
    """Return the table with the shapes of its WKT column; as it is where there is none or none is needed."""
    if table.has_shapes or (head := table.head()) is None or not len(head.frame):
        return table
    found = [header for header in table.headers if _is_wkt(head.frame[header])]
    pairs = header_words.coordinate_pairs([header for header in table.headers if header not in found])
    if not found or pairs:
        return table
    # Beside an outline there may stand the point to show it at.
    header = next((each for each in found if _share(head.frame[each], _POINT) >= MOST), found[0])
    first = next((cell for cell in head.frame[header] if _SRID.match(cell)), "")
    srid = _SRID.match(first)

    def chunks(rows: int) -> Iterator[Chunk]:
        for chunk in table.chunks(rows):
            shapes = _shapes(chunk.frame[header], srid[1] if srid else None)
            lon, lat = points_inside(shapes)
            yield replace(chunk, frame=chunk.frame.drop(columns=header), lon=lon, lat=lat, shapes=shapes)

    return replace(
        table,
        headers=tuple(each for each in table.headers if each != header),
        has_shapes=True,
        shape_header=header,
        epsg=int(srid[1]) if srid else None,
        _chunks=chunks,
    )


def _is_wkt(cells: pd.Series) -> bool:
    return _share(cells, _WKT) >= MOST


def _share(cells: pd.Series, pattern: str) -> float:
    filled = cells[cells.str.strip() != ""]
    return float(filled.str.match(pattern, case=False).mean()) if len(filled) else 0.0


def _shapes(cells: pd.Series, srid: str | None) -> NDArray[np.object_]:
    """Return the shapes, None where a cell holds none, or one in another system than the first."""
    texts = cells.tolist()
    for at, text in enumerate(texts):
        if marked := _SRID.match(text):
            texts[at] = text[marked.end() :] if srid in (None, marked[1]) else ""
    known = np.array([text if text.strip() else None for text in texts], dtype=object)
    shapes = np.array(shapely.from_wkt(known, on_invalid="ignore"), dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    return shapes
