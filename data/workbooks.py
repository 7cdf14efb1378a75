"""XLSX: checked for bombs before it is unpacked, its sheets weighed, cells as they would be typed."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from data import headers as header_words
from data import texts
from data.formats import MAX_COLUMNS, NONE_RAGGED, Chunk, Table, cell_text, check_headers, text_chunk
from geo.errors import N_, FileError

MAX_UNZIPPED = 2**30
MAX_ZIP_RATIO = 200  # a sheet of real rows shrinks to a tenth; a bomb to a thousandth
ZIP_RATIO_FROM = 20 * 2**20  # below this size no ratio is dangerous
MAX_ZIP_MEMBERS = 10_000
MAX_CELLS = 60_000_000  # of a sheet, empty ones between filled ones too
HEAD_ROWS = 200


def open_workbook(stream: IO[bytes], name: str, digest: str, sheet: str | None) -> Table:
    """Return the table of a sheet: the one named, else the one that reads best as a list."""
    _check_zip(stream)
    try:
        book = CalamineWorkbook.from_filelike(stream)
        names = tuple(book.sheet_names)
        if sheet is not None and sheet not in names:
            raise FileError(
                N_("The workbook has no sheet {sheet}; it has {sheets}."),
                sheet=sheet,
                sheets="、".join(names),
            )
        chosen = [sheet] if sheet is not None else list(names)
        sheets = [_Sheet.read(book, each) for each in chosen]
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(N_("The workbook is damaged. Open it in Excel or WPS and save it again.")) from error
    best = max(sheets, key=lambda each: each.score, default=None)
    if best is None or not best.rows:
        raise FileError(N_("The workbook has no sheet with a table."))
    check_headers(best.headers)
    _check_garbled_sheet(best)
    return Table(
        name=name,
        form="xlsx",
        headers=best.headers,
        sha256=digest,
        sheet=best.name,
        sheets=names,
        header_row=best.header_row,
        _chunks=best.chunks,
    )


def _check_garbled_sheet(sheet: _Sheet) -> None:
    if sheet.garbled:
        raise FileError(
            N_(
                "The text of sheet {sheet} is garbled: it was decoded wrongly when the file was made. Take "
                "another."
            ),
            sheet=sheet.name,
        )


@dataclass
class _Sheet:
    """A sheet, held as rows of cells."""

    name: str
    headers: tuple[str, ...]
    header_row: int
    rows: CalamineSheet | None
    first_row: int
    garbled: bool
    score: tuple[bool, bool, int]

    @classmethod
    def read(cls, book: CalamineWorkbook, name: str) -> _Sheet:
        sheet = book.get_sheet_by_name(name)
        if sheet.end is None or sheet.start is None:
            return cls(name, (), 1, None, 1, False, (False, False, 0))
        head: list[list[str]] = []
        for cells in sheet.iter_rows():
            head.append([cell_text(cell) for cell in cells])
            if len(head) >= HEAD_ROWS:
                break
        at = header_words.header_row(head)
        headers = header_words.distinct(head[at])
        is_garbled = any(texts.garbled(column) for column in zip(*head[at + 1 :], strict=True))
        has_place = header_words.has_coordinates(headers)
        score = (has_place, not is_garbled, sheet.height)
        return cls(name, headers, at + 1, sheet, at, is_garbled, score)

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield the rows under the header."""
        assert self.rows is not None
        height = max(self.rows.height, 1)
        batch: list[list[Any]] = []
        number = 0
        for number, cells in enumerate(self.rows.iter_rows(), start=1):
            if number <= self.header_row:
                continue
            batch.append(cells)
            if len(batch) == rows:
                yield self._chunk(batch, number, number / height)
                batch = []
        if batch:
            yield self._chunk(batch, number, 1.0)

    def _chunk(self, batch: list[list[Any]], last: int, done: float) -> Chunk:
        columns = [
            pa.array([cell_text(cell) for cell in column], pa.string()) for column in zip(*batch, strict=True)
        ]
        names = [str(at) for at in range(len(self.headers))]
        numbers = np.arange(last - len(batch) + 1, last + 1, dtype=np.int64)
        table = pa.RecordBatch.from_arrays(columns[: len(names)], names=names)
        return text_chunk(table, self.headers, numbers, NONE_RAGGED, done)


def _check_zip(stream: IO[bytes]) -> None:
    """Refuse what is no workbook, and what would fill the memory: each member is unpacked and counted."""
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "xl/workbook.xml" not in names:
                raise FileError(
                    N_(
                        "This is a ZIP archive or a document, not an Excel workbook. Unpack it, or save it "
                        "as .xlsx."
                    )
                )
            if len(members) > MAX_ZIP_MEMBERS:
                raise FileError(N_("The workbook holds too many parts. Save the list alone in a new one."))
            declared = sum(member.file_size for member in members)
            packed = max(sum(member.compress_size for member in members), 1)
            _check_unpacked(declared, packed)
            total = 0
            for member in members:
                total += _count_member(archive, member, packed, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise FileError(
            N_("The workbook is damaged or cut short. Copy it again, or open it in Excel or WPS and save it.")
        ) from error
    finally:
        stream.seek(0)


def _check_unpacked(size: int, packed: int) -> None:
    if size > MAX_UNZIPPED or (size > ZIP_RATIO_FROM and size / packed > MAX_ZIP_RATIO):
        raise FileError(
            N_("Unpacked, the workbook would be {size} MB, {ratio} times its size. Save the list as .csv."),
            size=round(size / 2**20),
            ratio=round(size / packed),
        )


_COLUMN = re.compile(rb'<c[^>]{0,40}? r="([A-Z]{1,4})\d')
_ROW = re.compile(rb'<row[^>]{0,80}? r="(\d{1,9})"')


def _count_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, packed: int, before: int) -> int:
    """Return the size of a member, having looked at how far its cells reach if it is a sheet."""
    size = 0
    tail = b""
    widest: bytes = b""
    lowest = 0
    is_sheet = member.filename.startswith("xl/worksheets/")
    with archive.open(member) as part:
        while block := part.read(2**20):
            size += len(block)
            _check_unpacked(before + size, packed)
            if is_sheet:
                block = tail + block
                widest = max({widest, *_COLUMN.findall(block)}, key=lambda letters: (len(letters), letters))
                lowest = max([lowest, *map(int, _ROW.findall(block)[-1:])])
                tail = block[-100:]
    columns = _column_number(widest)
    if columns > MAX_COLUMNS:
        raise FileError(
            N_("The table has {count} columns, more than {limit}. Keep those that are needed."),
            count=columns,
            limit=MAX_COLUMNS,
        )
    if columns * lowest > MAX_CELLS:
        raise FileError(
            N_("A sheet reaches to row {row} and column {column}; that is too large. Save the list as .csv."),
            row=lowest,
            column=columns,
        )
    return size


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
