"""
JSON: read once as a tree, and what the map services' interfaces answer taken as a list of records.

Gaode answers `{"pois": […]}`, Baidu `{"results": […]}`; crawlers keep bare lists, pages of answers, or
a record a line. What is nested is flattened with dots: `location.lng`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

import numpy as np
import pyarrow as pa

from data.files.formats import NONE_RAGGED, Chunk, Table, check_headers, storable, text_array, text_chunk
from data.files.geojson import is_geojson, open_geojson
from geo.errors import N_, FileError

MAX_TREE_BYTES = 300 * 2**20  # it is parsed as a whole
LISTS = (
    "pois",
    "results",
    "result",
    "data",
    "items",
    "records",
    "rows",
    "list",
    "tips",
    "contents",
    "detail",
)
LISTS_WITHIN = 3  # `{"data": {"result": {"pois": […]}}}`
FLAT_WITHIN = 5

Record = dict[str, Any]


def open_json(text: IO[bytes], **known: Any) -> Table:
    """Return the table in JSON of UTF-8: GeoJSON, or records; `known` goes into the `Table`."""
    tree = _parsed(text)
    if isinstance(tree, dict) and is_geojson(tree):
        return open_geojson(tree, **known)
    records = _records(tree)
    if records is None:
        raise FileError(
            N_(
                "This JSON holds no list that is known: GeoJSON, records under pois, results or data, or a "
                "bare list of records. Export the list as GeoJSON, .csv or .xlsx."
            )
        )
    if not records:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    if records[0].get("type") == "Feature" and "geometry" in records[0]:
        return open_geojson({"type": "FeatureCollection", "features": records}, **known)
    return _open_records(records, **known)


def _open_records(records: list[Record], **known: Any) -> Table:
    headers = tuple(dict.fromkeys(chain.from_iterable(_flat(record) for record in records)))
    check_headers(headers)
    if not headers:
        raise FileError(N_("The records of this JSON have no names for their values. Export it again."))

    def chunks(rows: int) -> Iterator[Chunk]:
        for start in range(0, len(records), rows):
            flat = [_flat(record) for record in records[start : start + rows]]
            columns = [text_array([each.get(header) for each in flat]) for header in headers]
            batch = pa.RecordBatch.from_arrays(columns, names=[str(at) for at in range(len(headers))])
            numbers = np.arange(start + 1, start + 1 + len(flat), dtype=np.int64)
            yield text_chunk(batch, headers, numbers, NONE_RAGGED, (start + len(flat)) / len(records))

    return Table(form="apijson", headers=headers, header_row=0, _chunks=chunks, **known)


def _parsed(text: IO[bytes]) -> Any:
    size = text.seek(0, io.SEEK_END)
    text.seek(0)
    if size > MAX_TREE_BYTES:
        raise FileError(
            N_("The JSON file is larger than {limit} MB. Split it, or save the list as .csv."),
            limit=MAX_TREE_BYTES >> 20,
        )
    content = text.read()
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        lines = _lines(content) if error.msg == "Extra data" or content.startswith(b"\x1e") else None
        if lines is not None:
            return lines
        raise FileError(
            N_("The JSON is damaged or cut short at line {line}. Export it again."), line=error.lineno
        ) from error
    except (RecursionError, ValueError) as error:
        raise _too_deep() from error


def _lines(content: bytes) -> list[Any] | None:
    """Return a record a line, None where one is no JSON."""
    try:
        return [json.loads(line) for each in content.split(b"\n") if (line := each.strip(b"\x1e\r\t "))]
    except json.JSONDecodeError:
        return None
    except (RecursionError, ValueError) as error:
        raise _too_deep() from error


def _too_deep() -> FileError:
    return FileError(N_("The JSON is no list: it is nested too deep or holds impossible numbers."))


def _records(tree: Any, within: int = LISTS_WITHIN) -> list[Record] | None:
    """Return the records somewhere in an answer, None where there is no list of them."""
    if isinstance(tree, list):
        records = [record for record in tree if isinstance(record, dict)]
        pages = [_records(record, within - 1) for record in records if _is_page(record)] if within else []
        if records and len(pages) == len(records):
            return [record for page in pages for record in page or ()]
        return records if records or not tree else None
    if not isinstance(tree, dict) or not within:
        return None
    found = [_records(tree[key], within - 1) for key in LISTS if isinstance(tree.get(key), (list, dict))]
    return max((each for each in found if each is not None), key=len, default=None)


def _is_page(record: Record) -> bool:
    """Whether a record is itself an answer with a list in it."""
    return any(isinstance(record.get(key), list) for key in ("pois", "results")) and "location" not in record


def _flat(record: Record) -> dict[str, Any]:
    """Return a record without inner records: `{"location": {"lng": 1}}` becomes `{"location.lng": 1}`."""
    flat: dict[str, Any] = {}
    waiting = [("", record, 0)]
    while waiting:
        before, inner, depth = waiting.pop()
        for key, value in inner.items():
            name = storable(before + key)
            if isinstance(value, dict) and depth < FLAT_WITHIN:
                waiting.append((name + ".", value, depth + 1))
            else:
                flat[name] = _cell(value)
    return flat


def _cell(value: Any) -> Any:
    """Return one value: of a list of plain ones these together, as "116.1,33.1" or "a;b"."""
    if isinstance(value, list):
        if any(isinstance(each, (dict, list)) for each in value):
            return json.dumps(value, ensure_ascii=False)
        numbers = len(value) == 2 and all(isinstance(each, (int, float)) for each in value)
        return ("," if numbers else ";").join(storable(each) for each in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value
