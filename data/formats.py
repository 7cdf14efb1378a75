"""What a list in a file comes out as, whatever its format: a header, and rows in chunks of text columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.errors import N_, FileError

MAX_COLUMNS = 500
MAX_CELL_BYTES = 2**20
CHUNK_ROWS = 65_536
SAMPLE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table, as text."""

    rows: NDArray[np.int64]
    """The file's own row numbers, as a spreadsheet shows them; of GeoJSON the feature's number, from 1."""
    frame: pd.DataFrame
    """One text column a header; empty cells are empty text."""
    ragged: pd.DataFrame
    """`row, expected, found` of the rows with more or fewer cells than the header."""
    done: float
    """How much of the file is read, 0-1."""
    lon: NDArray[np.float64] | None = None
    lat: NDArray[np.float64] | None = None
    shapes: NDArray[np.object_] | None = None
    """shapely geometries of GeoJSON, None where a row has none."""


@dataclass(frozen=True)
class Table:
    """A list in a file: its header, what was found out about the file, and its rows in chunks."""

    name: str
    form: str
    """`csv`, `xlsx` or `geojson`."""
    headers: tuple[str, ...]
    sha256: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    header_row: int = 1
    epsg: int | None = None
    """As a GeoJSON file claims it."""
    _chunks: Callable[[int], Iterator[Chunk]] = field(repr=False, default=lambda _: iter(()))

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Read the rows again from the start, about so many at a time."""
        return self._chunks(rows)


NONE_RAGGED = pd.DataFrame({name: np.empty(0, np.int64) for name in ("row", "expected", "found")})


def check_headers(headers: Sequence[str]) -> None:
    """Refuse a table that is too wide."""
    if len(headers) > MAX_COLUMNS:
        raise FileError(
            N_("The table has {count} columns, more than {limit}. Keep those that are needed."),
            count=len(headers),
            limit=MAX_COLUMNS,
        )


def text_chunk(
    batch: pa.RecordBatch,
    headers: tuple[str, ...],
    numbers: NDArray[np.int64],
    ragged: pd.DataFrame,
    done: float,
) -> Chunk:
    """Return a chunk of text cells, without its blank rows."""
    check_cells(batch)
    frame = batch.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    frame.columns = pd.Index(headers)
    blank = np.ones(len(frame), dtype=bool)
    for header in headers:
        blank &= (frame[header].str.strip() == "").to_numpy(bool)
    if blank.any():
        frame, numbers = frame[~blank], numbers[~blank]
    return Chunk(numbers, frame.reset_index(drop=True), ragged, done)


def check_cells(batch: pa.RecordBatch) -> None:
    """Refuse a table with a cell that is no cell."""
    for column in batch.columns:
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        if longest > MAX_CELL_BYTES:
            raise FileError(
                N_("A cell holds {size} MB of text; the limit is {limit} MB. This is no list."),
                size=round(longest / 2**20, 1),
                limit=MAX_CELL_BYTES >> 20,
            )


def cell_text(value: Any) -> str:
    """Return a cell as it would be typed: whole numbers without a point."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else str(value)
