"""XLSX, XLS and ODS: checked for bombs before they are read, sheets weighed, cells as they would be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from data.files import archives, texts
from data.files.formats import MAX_COLUMNS, NONE_RAGGED, Chunk, Table, cell_text, check_headers, text_chunk
from data.files.heading import heading
from data.meaning import headers as header_words
from geo.errors import N_, FileError

MAX_CELLS = 60_000_000  # of a sheet, empty ones between filled ones too
MAX_REPEATED = 20_000_000  # of an ODS, of which calamine keeps two copies
MAX_OLD_BYTES = 200 * 2**20  # of an XLS, which is not packed; 65,536 rows need no more
HEAD_ROWS = 200


def open_workbook(
    stream: IO[bytes], form: str, sheet: str | None, header: bool | None, **known: Any
) -> Table:
    """
    Return the table of a sheet: the one named, else the one that reads best as a list.

    Parameters
    ----------
    stream, form
        An `xlsx`, `xls` or `ods`.
    sheet
        Of those in it.
    header
        Whether there is a header; None to find out.
    known
        What else the `Table` is told.
    """
    _check(stream, form)
    try:
        book = CalamineWorkbook.from_filelike(stream)
        names = tuple(book.sheet_names)
        check_choice(sheet, names)
        chosen = [sheet] if sheet is not None else list(names)
        sheets = [_Sheet.read(book, each, header) for each in chosen]
    except FileError:
        raise
    except PasswordError as error:
        raise FileError(N_("The workbook has a password. Save it without one.")) from error
    except (CalamineError, OSError, ValueError) as error:
        raise _damaged() from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # calamine's own way to give up, which no name can catch
            raise
        raise _damaged() from error
    best = max(sheets, key=lambda each: each.score, default=None)
    if best is None or not best.rows:
        raise FileError(N_("The workbook has no sheet with a table."))
    check_headers(best.headers)
    _check_garbled_sheet(best)
    return Table(
        form=form,
        headers=best.headers,
        sheet=best.name,
        sheets=names,
        header_row=best.header_row,
        has_header=best.has_header,
        _chunks=best.chunks,
        **known,
    )


def check_choice(sheet: str | None, names: tuple[str, ...]) -> None:
    """Refuse a sheet or layer that is not there."""
    if sheet is not None and sheet not in names:
        raise FileError(
            N_("The file has no sheet or layer {sheet}; it has {sheets}."),
            sheet=sheet,
            sheets="、".join(names),
        )


def _damaged() -> FileError:
    return FileError(N_("The workbook is damaged. Open it in Excel or WPS and save it again."))


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
    headers: tuple[str, ...] = ()
    header_row: int = 0
    """0 where the sheet has no header."""
    rows: CalamineSheet | None = None
    garbled: bool = False
    score: tuple[bool, bool, int] = (False, False, 0)

    @property
    def has_header(self) -> bool:
        return self.header_row > 0

    @classmethod
    def read(cls, book: CalamineWorkbook, name: str, header: bool | None) -> _Sheet:
        """Look at a sheet's first rows."""
        sheet = book.get_sheet_by_name(name)
        if sheet.end is None or sheet.start is None:
            return cls(name)
        head: list[list[str]] = []
        for cells in sheet.iter_rows():
            head.append([cell_text(cell) for cell in cells])
            if len(head) >= HEAD_ROWS:
                break
        headers, at = heading(head, header)
        below = head if at is None else head[at + 1 :]
        is_garbled = any(texts.garbled(column) for column in zip(*below, strict=True))
        has_place = header_words.has_coordinates(headers)
        score = (has_place, not is_garbled, sheet.height)
        return cls(name, headers, 0 if at is None else at + 1, sheet, is_garbled, score)

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


def _check(stream: IO[bytes], form: str) -> None:
    """Refuse what would fill the memory, having looked at how far the sheets reach."""
    if form == "xls":
        size = stream.seek(0, 2)
        stream.seek(0)
        if size > MAX_OLD_BYTES:
            raise FileError(N_("The file is larger than {limit} MB. Split it."), limit=MAX_OLD_BYTES >> 20)
        return
    look = _Reach() if form == "xlsx" else _Repeats()
    try:
        archives.check(stream, look)
    except expat.ExpatError as error:
        raise _damaged() from error


_COLUMN = re.compile(rb'<c[^>]{0,40}? r="([A-Z]{1,4})\d')
_ROW = re.compile(rb'<row[^>]{0,80}? r="(\d{1,9})"')


@dataclass
class _Reach:
    """How far the cells of an XLSX reach: calamine keeps the whole rectangle of each sheet."""

    part: str = ""
    tail: bytes = b""
    widest: bytes = b""
    lowest: int = 0

    def __call__(self, name: str, block: bytes) -> None:
        if not name.startswith("xl/worksheets/"):
            return
        if name != self.part:
            self.part, self.tail, self.widest, self.lowest = name, b"", b"", 0
        block = self.tail + block
        self.widest = max({self.widest, *_COLUMN.findall(block)}, key=lambda letters: (len(letters), letters))
        self.lowest = max([self.lowest, *map(int, _ROW.findall(block))])
        self.tail = block[-200:]
        _check_reach(self.lowest, _column_number(self.widest))


@dataclass
class _Repeats:
    """How far the cells of an ODS reach: one may say that it is repeated a million times."""

    columns: int = 0
    rows: int = 0
    gap: int = 0
    """Cells without content since the last one with some."""
    width: int = 0
    repeat: int = 1
    _parser: Any = field(default=None, repr=False)

    def __call__(self, name: str, block: bytes) -> None:
        if name != "content.xml":
            return
        if self._parser is None:
            self._parser = expat.ParserCreate()
            self._parser.StartElementHandler = self._start
            self._parser.EndElementHandler = self._end
            self._parser.StartDoctypeDeclHandler = _no_doctype
        self._parser.Parse(block, False)

    def _start(self, tag: str, about: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "table":
            self.rows = self.width = 0
        elif kind == "table-row":
            self.repeat = _times(about, "number-rows-repeated")
            self.columns = self.gap = 0
        elif kind in ("table-cell", "covered-table-cell"):
            self.gap += _times(about, "number-columns-repeated")
            if any(name.endswith((":value-type", ":formula")) for name in about):
                self._filled()
        elif kind == "p":
            self._filled()

    def _filled(self) -> None:
        self.columns += self.gap
        self.gap = 0

    def _end(self, tag: str) -> None:
        if tag.rpartition(":")[2] != "table-row":
            return
        self.rows += self.repeat
        self.width = max(self.width, self.columns)
        if self.columns:  # empty rows behind the last one are no rows
            _check_reach(self.rows, self.width, MAX_REPEATED)


def _times(about: dict[str, str], what: str) -> int:
    for name, value in about.items():
        if name.endswith(":" + what):
            return min(int(value), 2**31) if value.isdecimal() else 1
    return 1


def _no_doctype(*_: object) -> None:
    raise _damaged()


def _check_reach(rows: int, columns: int, most: int = MAX_CELLS) -> None:
    if columns > MAX_COLUMNS:
        raise FileError(
            N_("The table has {count} columns, more than {limit}. Keep those that are needed."),
            count=columns,
            limit=MAX_COLUMNS,
        )
    if columns * rows > most:
        raise FileError(
            N_("A sheet reaches to row {row} and column {column}; that is too large. Save the list as .csv."),
            row=rows,
            column=columns,
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
