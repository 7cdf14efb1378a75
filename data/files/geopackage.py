"""
GeoPackage: a layer's table, read with the standard library's SQLite.

The file is opened read-only and unchanging, and asked for nothing but tables: a stranger's view is a program,
which may never end.
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from data.files.crsnames import Named, named
from data.files.formats import (
    MAX_CELL_BYTES,
    NONE_RAGGED,
    Chunk,
    Table,
    check_headers,
    check_rows,
    shape_chunk,
    text_array,
    text_chunk,
)
from data.files.workbooks import check_choice
from geo.errors import N_, FileError

MAX_SHAPE_BYTES = 32 * 2**20
STEPS_BETWEEN = 100_000  # of SQLite's machine, between two looks at the clock
MAX_WAIT_S = 60.0  # for the next rows
_ENVELOPES = (0, 32, 48, 48, 64)
_ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_FUNCTION}
)


class _Layer(NamedTuple):
    name: str
    columns: tuple[str, ...]
    shape: str | None
    named: Named
    rows: int


def open_geopackage(path: Path, sheet: str | None, **known: Any) -> Table:
    """Return the table of a layer: the one named, else that with most rows."""
    with _refused(), closing(_connected(path)) as base:
        names = _layer_names(base)
        check_choice(sheet, names)
        layers = [_layer(base, name) for name in names if sheet in (None, name)]
    if not layers:
        raise FileError(N_("The GeoPackage has no layer with a table."))
    layer = max(layers, key=lambda each: (each.shape is not None, each.rows))
    check_headers(layer.columns)
    check_rows(layer.rows)
    if not layer.rows:
        raise FileError(N_("The file is empty: it has a header and no rows."))

    def chunks(rows: int) -> Iterator[Chunk]:
        return _chunks(path, layer, rows)

    return Table(
        form="gpkg",
        headers=layer.columns,
        sheet=layer.name,
        sheets=names,
        header_row=0,
        has_shapes=layer.shape is not None,
        epsg=layer.named.epsg,
        crs=layer.named.crs,
        _chunks=chunks,
        **known,
    )


def kept_on_disk(stream: IO[bytes]) -> IO[bytes]:
    """Return a private copy of the file, which is gone when it is closed: SQLite reads files only."""
    copy = tempfile.NamedTemporaryFile(prefix="zhendi-", suffix=".gpkg")  # noqa: SIM115  # it outlives this
    stream.seek(0)
    while block := stream.read(2**20):
        copy.write(block)
    copy.flush()
    return copy


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeError, OverflowError) as error:
        raise FileError(
            N_("The GeoPackage is damaged, or no GeoPackage. Export the layer again, or as GeoJSON.")
        ) from error


def _connected(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro&immutable=1",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
    )
    base.text_factory = lambda text: text.decode("utf-8", errors="replace")
    base.execute("PRAGMA trusted_schema = OFF")
    base.execute("PRAGMA cell_size_check = ON")
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_SHAPE_BYTES)
    base.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
    return base


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _layer_names(base: sqlite3.Connection) -> tuple[str, ...]:
    tables = {
        name.lower(): name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    if "gpkg_contents" not in tables:
        raise FileError(
            N_("This is a database, not a GeoPackage. Export the list as .xlsx, .csv or GeoJSON.")
        )
    listed = base.execute(
        "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes')"
    )
    return tuple(
        dict.fromkeys(tables[str(name).lower()] for (name,) in listed if str(name).lower() in tables)
    )


def _layer(base: sqlite3.Connection, name: str) -> _Layer:
    _give_up_after(base, MAX_WAIT_S)
    columns = [str(row[1]) for row in base.execute(f"PRAGMA table_xinfo({_quoted(name)})")]
    found = None
    if base.execute(
        "SELECT 1 FROM sqlite_master WHERE name = 'gpkg_geometry_columns' AND type = 'table'"
    ).fetchone():
        asked = "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)"
        found = base.execute(asked, (name,)).fetchone()
    shape = next((column for column in columns if found and column.lower() == str(found[0]).lower()), None)
    claimed = _claimed(base, found[1]) if found and shape is not None else Named()
    (count,) = base.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()  # noqa: S608  # quoted
    return _Layer(name, tuple(column for column in columns if column != shape), shape, claimed, int(count))


def _claimed(base: sqlite3.Connection, srs: object) -> Named:
    asked = (
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?"
    )
    row = base.execute(asked, (srs,)).fetchone()
    if row is None:
        return Named()
    if str(row[0]).lower() == "epsg" and isinstance(row[1], int) and row[1] > 0:
        return Named(row[1])
    return named(row[2])


def _give_up_after(base: sqlite3.Connection, seconds: float) -> None:
    until = time.monotonic() + seconds
    base.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN)


def _chunks(path: Path, layer: _Layer, rows: int) -> Iterator[Chunk]:
    wanted = ", ".join(_quoted(name) for name in (*([layer.shape] if layer.shape else []), *layer.columns))
    start = 0
    with _refused(), closing(_connected(path)) as base:
        _give_up_after(base, MAX_WAIT_S)
        cursor = base.execute(f"SELECT {wanted} FROM {_quoted(layer.name)}")  # noqa: S608  # quoted
        while part := cursor.fetchmany(rows):
            _give_up_after(base, MAX_WAIT_S)
            columns = list(zip(*part, strict=True))
            done = min((start + len(part)) / max(layer.rows, 1), 1.0)
            yield _chunk(columns, layer, start, len(part), done)
            start += len(part)
            check_rows(start)


def _chunk(columns: list[tuple[Any, ...]], layer: _Layer, start: int, count: int, done: float) -> Chunk:
    cells = [text_array([_cell(value) for value in column]) for column in columns[layer.shape is not None :]]
    if layer.shape is not None:
        return shape_chunk(cells, layer.columns, _shapes(columns[0]), start, done)
    batch = pa.RecordBatch.from_arrays(cells, names=[str(at) for at in range(len(cells))])
    numbers = np.arange(start + 1, start + 1 + count, dtype=np.int64)
    return text_chunk(batch, layer.columns, numbers, NONE_RAGGED, done)


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return "" if len(value) > MAX_CELL_BYTES else value.hex()
    return value


def _shapes(blobs: tuple[Any, ...]) -> NDArray[np.object_]:
    shapes: NDArray[np.object_] = shapely.from_wkb([_wkb(blob) for blob in blobs], on_invalid="ignore")
    shapes = np.asarray(shapes, dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _wkb(blob: Any) -> bytes | None:
    """Return the WKB behind a GeoPackage's own header, None where there is none."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    envelope = blob[3] >> 1 & 7
    if envelope >= len(_ENVELOPES) or blob[3] & 0x20:  # an extended kind that is no WKB
        return None
    start = 8 + _ENVELOPES[envelope]
    return blob[start:] if len(blob) >= start + struct.calcsize("<bI") else None
