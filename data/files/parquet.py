"""Parquet and GeoParquet: columns as text, a geometry column as shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from data.files.crsnames import Named, named
from data.files.formats import (
    CHUNK_ROWS,
    NONE_RAGGED,
    Chunk,
    KeptOpen,
    Table,
    check_headers,
    check_rows,
    shape_chunk,
    storable,
    text_array,
    text_chunk,
)
from geo.errors import N_, FileError

MAX_GROUP_BYTES = 2**30  # of one row group, unpacked
MAX_CHUNK_BYTES = 512 * 2**20  # of text in one chunk: a dictionary may repeat one long text a million times
FOOTER_BYTES = 64 * 2**20


class _Shapes(NamedTuple):
    column: str
    encoding: str
    named: Named


def open_parquet(stream: IO[bytes], **known: Any) -> Table:
    """Return the table of a Parquet file; shapes come from the geometry column that its metadata name."""
    file = _opened(stream)
    schema = file.schema_arrow
    check_headers(schema.names)
    check_rows(file.metadata.num_rows)
    _check_groups(file.metadata)
    if not file.metadata.num_rows:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    if len(set(schema.names)) < len(schema.names):
        raise FileError(N_("Two columns of the Parquet file have one name. Rename one."))
    shapes = _shape_column(schema)
    names = [name for name in schema.names if shapes is None or name != shapes.column]
    covering = {name for name in names if pa.types.is_struct(schema.field(name).type) and name == "bbox"}
    names = [name for name in names if name not in covering]
    headers = tuple(storable(name) for name in names)

    def chunks(rows: int) -> Iterator[Chunk]:
        return _chunks(stream, names, headers, shapes, rows)

    return Table(
        form="parquet",
        headers=headers,
        header_row=0,
        has_shapes=shapes is not None,
        epsg=shapes.named.epsg if shapes else None,
        crs=shapes.named.crs if shapes else None,
        _chunks=chunks,
        **known,
    )


def _damaged(error: Exception) -> FileError:
    refusal = FileError(N_("The Parquet file is damaged or cut short. Export it again, or as .csv."))
    refusal.__cause__ = error
    return refusal


def _opened(stream: IO[bytes], packed: list[str] | None = None) -> pq.ParquetFile:
    """Return the file, some columns as dictionaries: so their texts are weighed before they are unpacked."""
    stream.seek(0)
    try:
        return pq.ParquetFile(
            pa.PythonFile(KeptOpen(stream, seekable=True), mode="r"),
            read_dictionary=packed,
            thrift_string_size_limit=FOOTER_BYTES,
            thrift_container_size_limit=1_000_000,
            arrow_extensions_enabled=False,
        )
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(error) from error


def _check_groups(metadata: pq.FileMetaData) -> None:
    largest = max(
        (metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)), default=0
    )
    if not 0 <= largest <= MAX_GROUP_BYTES:
        raise FileError(
            N_("Unpacked, a part of the Parquet file would be {size} MB. Write it in smaller row groups."),
            size=round(largest / 2**20),
        )


def _shape_column(schema: pa.Schema) -> _Shapes | None:
    try:
        about = json.loads((schema.metadata or {}).get(b"geo", b"null"))
        column = str(about["primary_column"])
        told = about["columns"][column]
        encoding = str(told.get("encoding", "WKB"))
        crs = told.get("crs", "OGC:CRS84")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if column not in schema.names:
        return None
    kind = schema.field(column).type
    wkb = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if (encoding.upper() == "WKB") != wkb or (not wkb and encoding != "point"):
        raise FileError(
            N_("The shapes in the Parquet file are packed in a way not known. Export it with WKB.")
        )
    return _Shapes(
        column, "WKB" if wkb else "point", named(json.dumps(crs) if isinstance(crs, dict) else crs)
    )


def _chunks(
    stream: IO[bytes], names: list[str], headers: tuple[str, ...], shapes: _Shapes | None, rows: int
) -> Iterator[Chunk]:
    file = _opened(stream)
    long = [field.name for field in file.schema_arrow if _is_long(field.type)]
    file = _opened(stream, long)
    total = max(file.metadata.num_rows, 1)
    wanted = [*names, *([shapes.column] if shapes else [])]
    start = 0
    try:
        for batch in file.iter_batches(batch_size=min(rows, CHUNK_ROWS), columns=wanted, use_threads=False):
            if (size := sum(map(_unpacked_bytes, batch.columns))) > MAX_CHUNK_BYTES:
                raise FileError(
                    N_("{rows} rows of the Parquet file would be {size} MB of text. This is no list."),
                    rows=len(batch),
                    size=round(size / 2**20),
                )
            yield _chunk(batch, names, headers, shapes, start, min((start + len(batch)) / total, 1.0))
            start += len(batch)
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise _damaged(error) from error


def _chunk(
    batch: pa.RecordBatch,
    names: list[str],
    headers: tuple[str, ...],
    shapes: _Shapes | None,
    start: int,
    done: float,
) -> Chunk:
    cells = [_texts(batch.column(batch.schema.get_field_index(name))) for name in names]
    if shapes is not None:
        column = batch.column(batch.schema.get_field_index(shapes.column))
        return shape_chunk(cells, headers, _geometry(column, shapes.encoding), start, done)
    table = pa.RecordBatch.from_arrays(cells, names=[str(at) for at in range(len(cells))])
    numbers = np.arange(start + 1, start + 1 + len(batch), dtype=np.int64)
    return text_chunk(table, headers, numbers, NONE_RAGGED, done)


def _is_long(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_binary))


def _unpacked_bytes(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type) or not _is_long(column.type.value_type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(pc.cast(lengths.take(column.indices), pa.int64())).as_py() or 0)


def _texts(column: pa.Array) -> pa.Array:
    """Return a column as text, as it would be typed; nothing where there is nothing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        text = pc.cast(column, pa.string())
        text.validate(full=True)
    elif pa.types.is_floating(kind):
        numbers = pc.cast(column, pa.float64())
        text = pc.if_else(pc.is_finite(numbers), pc.cast(numbers, pa.string()), "")
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        text = text_array([None if value is None else value.hex() for value in column.to_pylist()])
    else:
        text = text_array([_plain(value) for value in column.to_pylist()])
    return pc.fill_null(text, "")


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else value


def _geometry(column: pa.Array, encoding: str) -> NDArray[np.object_]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if encoding == "point":
        inner = column.flatten()
        x, y = (pc.cast(each, pa.float64()).to_numpy(zero_copy_only=False) for each in inner[:2])
        shapes = np.array(shapely.points(x, y), dtype=object)
    else:
        found = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
        shapes = np.array(found, dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    return shapes
