"""What a list in a file comes out as, whatever its format: a header, and rows in chunks of text columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geo.errors import N_, FileError

MAX_COLUMNS = 500
MAX_ROWS = 20_000_000
MAX_CELL_BYTES = 2**20
CHUNK_ROWS = 65_536
SAMPLE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table, as text."""

    rows: NDArray[np.int64]
    """The file's own row numbers, as a spreadsheet shows them; of features and records they count from 1."""
    frame: pd.DataFrame
    """One text column a header; empty cells are empty text."""
    ragged: pd.DataFrame
    """`row, expected, found, text` of the rows with more or fewer cells than the header (`ragged_rows`)."""
    done: float
    """How much of the file is read, 0-1."""
    lon: NDArray[np.float64] | None = None
    lat: NDArray[np.float64] | None = None
    shapes: NDArray[np.object_] | None = None
    """shapely geometries of a list that has shapes, None where a row has none; `lon` and `lat` are inside."""


@dataclass(frozen=True)
class Table:
    """A list in a file: its header, what was found out about the file, and its rows in chunks."""

    name: str
    form: str
    """`csv`, `xlsx`, `xls`, `ods`, `geojson`, `apijson`, `gpkg`, `shp`, `kml` or `parquet`."""
    headers: tuple[str, ...]
    sha256: str
    encoding: str | None = None
    encoding_sure: bool = True
    """Whether the encoding was told, is marked in the file, or fits nothing else; else a look at it helps."""
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    """Of a workbook its sheets; of a GeoPackage, a Shapefile archive or a KML file its layers."""
    header_row: int = 1
    """The row that the header stands in; 0 where there is none, as in a format that names its columns."""
    has_header: bool = True
    """Whether the file names its columns itself; else they are called 列1, 列2 …"""
    has_shapes: bool = False
    """Whether rows are placed by shapes rather than by columns of numbers."""
    shape_header: str | None = None
    """The column of WKT that the shapes were read from; it is not among the headers any more."""
    epsg: int | None = None
    """As the file claims it."""
    crs: str | None = None
    """The WKT of what the file claims, where that has no EPSG number."""
    _chunks: Callable[[int], Iterator[Chunk]] = field(repr=False, default=lambda _: iter(()))

    @property
    def layers(self) -> tuple[str, ...]:
        """What can be chosen from in the file: its sheets, or its layers."""
        return self.sheets

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Read the rows again from the start, about so many at a time."""
        return self._chunks(rows)

    def head(self, rows: int = 200) -> Chunk | None:
        """Return the first rows, None where there is no row at all."""
        return next(self.chunks(rows), None)


def ragged_rows(rows: Sequence[tuple[int, int, int, str]]) -> pd.DataFrame:
    """Return rows by number, with the cells the header has, those they have, and the row as it stands."""
    frame = pd.DataFrame(list(rows), columns=["row", "expected", "found", "text"])
    return frame.astype({"row": np.int64, "expected": np.int64, "found": np.int64, "text": "str"})


NONE_RAGGED = ragged_rows([])


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
    if headers and (filled := ~_blank(batch)).sum() < len(batch):
        batch, numbers = batch.filter(pa.array(filled)), numbers[filled]
    frame = batch.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    frame.columns = pd.Index(headers)
    return Chunk(numbers, frame, ragged, done)


def _blank(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Return which rows have no letter in any cell; columns are looked at where those before were blank."""
    left = np.arange(len(batch))
    for column in batch.columns:
        cells = column if len(left) == len(batch) else column.take(pa.array(left))
        empty = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(cells)), 0)
        left = left[empty.fill_null(True).to_numpy(zero_copy_only=False)]
        if not len(left):
            break
    blank = np.zeros(len(batch), dtype=bool)
    blank[left] = True
    return blank


def shape_chunk(
    cells: Sequence[pa.Array],
    headers: tuple[str, ...],
    shapes: NDArray[np.object_],
    start: int,
    done: float,
) -> Chunk:
    """
    Return a chunk of features.

    Parameters
    ----------
    cells, headers
        Text columns.
    shapes
        One a row, None where it has none.
    start
        How many features there were before.
    done
        How much is read, 0-1.
    """
    batch = pa.RecordBatch.from_arrays(list(cells), names=[str(at) for at in range(len(headers))])
    check_cells(batch)
    frame = batch.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    frame = frame.set_axis(pd.Index(headers), axis=1).set_axis(pd.RangeIndex(len(shapes)), axis=0)
    rows = np.arange(start + 1, start + 1 + len(shapes), dtype=np.int64)
    return Chunk(rows, frame, NONE_RAGGED, done, *points_inside(shapes), shapes)


def points_inside(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one point a shape: its own, or one surely inside it; NaN where there is none."""
    inside = np.array(shapes, dtype=object)
    areas = ~np.isin(shapely.get_type_id(shapes), (-1, 0))
    if areas.any():
        try:
            inside[areas] = shapely.point_on_surface(shapely.make_valid(shapes[areas]))
        except shapely.errors.GEOSException:  # for one of them: find out which
            inside[areas] = [_inside(shape) for shape in shapes[areas]]
    return shapely.get_x(inside), shapely.get_y(inside)


def _inside(shape: shapely.Geometry) -> shapely.Geometry | None:
    """Return a point on one shape, None where it has corners that are nowhere."""
    try:
        return shapely.point_on_surface(shapely.make_valid(shape))
    except shapely.errors.GEOSException:
        return None


def text_array(values: Sequence[Any]) -> pa.Array:
    """Return a column of whatever values as text that can be stored."""
    return pa.array([storable(value) for value in values], pa.string())


def storable(value: Any) -> str:
    """Return a cell's text without half characters, which JSON can hold and no database keeps."""
    text = cell_text(value)
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")


def check_rows(count: int) -> None:
    """Refuse a table that is too long."""
    if count > MAX_ROWS:
        raise FileError(N_("The list has more than {limit} rows. Split it."), limit=MAX_ROWS)


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


class KeptOpen:
    """A file that pyarrow may close without closing ours, since it is read more than once."""

    closed = False

    def __init__(self, stream: IO[bytes], *, seekable: bool = False) -> None:
        self.read = stream.read
        self.seek = stream.seek
        self.tell = stream.tell
        self._seekable = seekable

    def close(self) -> None:
        """Say so, and stay open."""
        self.closed = True

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return whether pyarrow may jump about in it."""
        return self._seekable
