"""CSV: the delimiter found, the header row found, rows read in blocks by pyarrow with their numbers kept."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from data.files.formats import (
    MAX_CELL_BYTES,
    MAX_COLUMNS,
    SAMPLE_BYTES,
    Chunk,
    KeptOpen,
    Table,
    check_headers,
    check_rows,
    ragged_rows,
    text_chunk,
)
from data.files.heading import heading
from geo.errors import N_, FileError

BLOCK_BYTES = 8 * 2**20
MAX_WRAPPED_BYTES = 256 * 2**20
DELIMITERS = (",", "\t", ";", "|")
_LAST = "end"


def open_csv(text: IO[bytes], sample: str, header: bool | None, **known: Any) -> Table:
    """
    Return the table in a text of UTF-8.

    Parameters
    ----------
    text, sample
        The text, and the beginning of it.
    header
        Whether there is a header; None to find out.
    known
        What else the `Table` is told.
    """
    delimiter = _delimiter(sample)
    if _is_wrapped(sample, delimiter):
        text = _unwrapped(text)
        sample = text.read(SAMPLE_BYTES).decode("utf-8", errors="ignore")
        delimiter = _delimiter(sample)
    records = list(_records(sample, delimiter))
    if not records:
        raise FileError(N_("The file is empty."))
    _check_whole(text, delimiter)
    headers, at = heading([cells for cells, _ in records], header)
    check_headers(headers)
    first_row = 1 if at is None else at + 2
    offset = 0 if at is None else len(sample[: records[at][1]].encode("utf-8"))

    def chunks(rows: int) -> Iterator[Chunk]:
        return _csv_chunks(text, offset, headers, delimiter, first_row, rows)

    return Table(
        form="csv",
        headers=headers,
        delimiter=delimiter,
        header_row=first_row - 1,
        has_header=at is not None,
        _chunks=chunks,
        **known,
    )


def _check_whole(text: IO[bytes], delimiter: str) -> None:
    """Refuse a text that ends inside a quoted cell: it is the rest of a longer one."""
    text.seek(0)
    quotes = sum(block.count(b'"') for block in iter(partial(text.read, 2**20), b""))
    text.seek(0)
    if quotes % 2 == 0:
        return
    # Marks within unquoted cells are letters: whether one is open at the end shows what a last line becomes.
    lines = (line.decode("utf-8", errors="replace") for line in text)
    try:
        last = deque(csv.reader(chain(lines, ["\n", _LAST]), delimiter=delimiter), maxlen=1).pop()
    except csv.Error as error:
        # A cell as long as the rest of the file; or line ends of another kind, of which nothing can be told.
        last = [] if "field larger" in str(error) else [_LAST]
    finally:
        text.seek(0)
    if last != [_LAST]:
        raise FileError(
            N_("The file is cut short: it ends inside a quoted cell. Copy it again, or export it again.")
        )


def _is_wrapped(sample: str, delimiter: str) -> bool:
    """Whether each line as a whole stands in quotation marks, as some exports have it: "a,b,c"."""
    lines = [line for line in sample.splitlines()[:100] if line]
    whole = all(len(line) > 1 and line.startswith('"') and line.endswith('"') for line in lines[:-1] or lines)
    if not whole or not lines:
        return False
    cells = next(csv.reader(lines[:1], delimiter=delimiter), [])
    return len(cells) == 1 and any(mark in cells[0] for mark in DELIMITERS)


def _unwrapped(text: IO[bytes]) -> IO[bytes]:
    text.seek(0)
    if text.seek(0, io.SEEK_END) > MAX_WRAPPED_BYTES:
        raise FileError(N_("Every line of the file stands in quotation marks. Export the list without them."))
    text.seek(0)
    lines = re.sub(rb'(?m)^"(.*?)"\r?$', rb"\1", text.read())
    return io.BytesIO(lines.replace(b'""', b'"'))


def _records(sample: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield the cells of the first records and where each ends in the sample."""
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        for line in (
            sample.splitlines(keepends=True) if "\n" not in sample else io.StringIO(sample, newline="")
        ):
            end += len(line)
            yield line

    previous = csv.field_size_limit()
    try:
        for cells in csv.reader(lines(), delimiter=delimiter):
            yield cells, end
            if end > len(sample) // 2 and len(cells) > MAX_COLUMNS:
                return
    except csv.Error as error:
        raise FileError(
            N_("A cell is longer than {limit} characters, or a quotation mark is never closed."),
            limit=previous,
        ) from error


def _delimiter(sample: str) -> str:
    """Return the character that splits most of the first lines into the same number of cells."""

    def score(delimiter: str) -> tuple[float, bool, int]:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            rows = [cells for cells in islice(reader, 200) if cells]
        except csv.Error:
            return 0.0, False, 0
        widths = [len(cells) for cells in rows]
        if not widths:
            return 0.0, False, 0
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        # A quoted cell cut in two leaves half of its marks in each.
        whole = not any(cell.count('"') % 2 for cells in rows for cell in cells)
        return round(widths.count(common) / len(widths) * (common > 1), 1), whole, common

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else ","


class _Skipped:
    """Gathers the rows that pyarrow leaves out: blank ones, and those with too many or too few cells."""

    def __init__(self, first_row: int) -> None:
        self.first_row = first_row
        self.rows: list[tuple[int, int, int, str]] = []
        """Number, cells expected, cells found (none in a blank one), and the row as it stands."""
        self.handed = 0

    def __call__(self, row: arrow_csv.InvalidRow) -> str:
        if len(row.text) > MAX_CELL_BYTES:
            return "error"
        found = row.actual_columns if row.text.strip() else 0
        self.rows.append((row.number - 1 + self.first_row, row.expected_columns, found, row.text))
        return "skip"

    def number(self, first: int, count: int) -> tuple[NDArray[np.int64], pd.DataFrame]:
        """Return the numbers of the next rows that were read, and the ragged rows among them."""
        stop = self.handed
        last = first + count - 1
        while stop < len(self.rows) and self.rows[stop][0] <= last:
            last += 1
            stop += 1
        skipped = np.array([row[0] for row in self.rows[self.handed : stop]], dtype=np.int64)
        numbers = np.setdiff1d(np.arange(first, last + 1, dtype=np.int64), skipped, assume_unique=True)
        return numbers, self._ragged(stop)

    def rest(self) -> pd.DataFrame:
        """Return the ragged rows after the last row that was read."""
        return self._ragged(len(self.rows))

    def _ragged(self, stop: int) -> pd.DataFrame:
        rows = [row for row in self.rows[self.handed : stop] if row[2]]
        self.handed = stop
        return ragged_rows(rows)


def _csv_chunks(
    text: IO[bytes], offset: int, headers: tuple[str, ...], delimiter: str, first_row: int, rows: int
) -> Iterator[Chunk]:
    size = text.seek(0, io.SEEK_END) - offset
    text.seek(offset)
    if not text.read(SAMPLE_BYTES).strip() and size <= SAMPLE_BYTES:
        return
    text.seek(offset)
    skipped = _Skipped(first_row)
    number = first_row
    try:
        for batch in _batches(text, headers, delimiter, skipped):
            for start in range(0, len(batch), rows):
                part = batch.slice(start, rows)
                numbers, odd = skipped.number(number, len(part))
                number = int(numbers[-1]) + 1 if len(numbers) else number
                check_rows(number)
                yield text_chunk(part, headers, numbers, odd, min(text.tell() - offset, size) / size)
    except pa.ArrowInvalid as error:
        raise FileError(
            N_(
                "The table cannot be read after row {row}: a cell is larger than {limit} MB, or a quotation "
                "mark is never closed."
            ),
            row=number - 1,
            limit=MAX_CELL_BYTES >> 20,
        ) from error
    odd = skipped.rest()
    if len(odd):
        yield text_chunk(_no_rows(headers), headers, np.empty(0, np.int64), odd, 1.0)


def _no_rows(headers: tuple[str, ...]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([], pa.string())] * len(headers), names=[str(at) for at in range(len(headers))]
    )


def _batches(
    text: IO[bytes], headers: tuple[str, ...], delimiter: str, skipped: _Skipped
) -> Iterator[pa.RecordBatch]:
    names = [str(at) for at in range(len(headers))]
    reader = arrow_csv.open_csv(
        pa.PythonFile(KeptOpen(text), mode="r"),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=skipped,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=False
        ),
    )
    yield from reader
