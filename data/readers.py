"""
Files that people bring: what they are is found out from their bytes, and they come out as chunks of text columns.

A file is hostile until read. It is refused whole (`FileError`) when it is no list; whether a *row* is good
is for `data.ingest` to say. Nothing is held in memory but one chunk, except for XLSX and GeoJSON, whose
size is limited instead.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import math
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import shapely
from numpy.typing import NDArray
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from data import headers as header_words
from geo.errors import N_, FileError

MAX_BYTES = 2 * 2**30
MAX_TREE_BYTES = 300 * 2**20  # of GeoJSON: it is parsed as a whole
MAX_UNZIPPED = 2**30
MAX_ZIP_RATIO = 200  # a sheet of real rows shrinks to a tenth; a bomb to a thousandth
ZIP_RATIO_FROM = 20 * 2**20  # below this size no ratio is dangerous
MAX_ZIP_MEMBERS = 10_000
MAX_COLUMNS = 500
MAX_CELLS = 60_000_000  # of a sheet, empty ones between filled ones too
MAX_CELL_BYTES = 2**20
CHUNK_ROWS = 65_536
BLOCK_BYTES = 8 * 2**20
SAMPLE_BYTES = 256 * 1024
SPOOL_BYTES = 32 * 2**20
GB2312_SHARE = 0.8  # of the Chinese characters of a real text; other encodings read as GB18030 fall below
GARBLED_SHARE = 0.5
DELIMITERS = (",", "\t", ";", "|")
TEXT_ENCODINGS = ("utf-8", "gb18030")
FOREIGN_ENCODINGS = ("big5", "big5hkscs", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "johab")

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", N_("an old or password-protected Excel file: save it as .xlsx without one")),
    (b"\x1f\x8b", N_("a gzip archive: unpack it first")),
    (b"Rar!", N_("a RAR archive: unpack it first")),
    (b"7z\xbc\xaf\x27\x1c", N_("a 7z archive: unpack it first")),
    (b"%PDF", N_("a PDF document: export the list as .xlsx or .csv")),
    (b"\x89PNG", N_("a picture")),
    (b"\xff\xd8\xff", N_("a picture")),
    (b"GIF8", N_("a picture")),
    (b"SQLite format 3\x00", N_("a database (perhaps a GeoPackage): export the list as GeoJSON")),
    (b"PAR1", N_("a Parquet file: export the list as .csv")),
    (b"\x00\x00\x27\x0a", N_("a bare Shapefile: export the list as GeoJSON")),
)
_EPSG = re.compile(r"(?:EPSG|epsg)[:/]+(?:[\d.]*[:/]+)?(\d{4,6})")


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
    _chunks: Callable[[int], Iterator[Chunk]] = field(repr=False, default=lambda rows: iter(()))

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Read the rows again from the start, about so many at a time."""
        return self._chunks(rows)


def open_table(
    source: Path | str | bytes | IO[bytes], *, name: str = "", sheet: str | None = None, encoding: str | None = None
) -> Table:
    """
    Find out what a file is and read its header.

    Parameters
    ----------
    source
        A path, the bytes, or an open binary file, which must stay open while the table is read.
    name
        The file's own name, without its folder; a path's by default.
    sheet
        Of a workbook; by default the one that reads best as a list.
    encoding
        Of a text; by default found out.

    Raises
    ------
    FileError
        When this is no list, saying what is wrong and what to do.
    """
    stream, name = _opened(source, name)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(4096)
    stream.seek(0)
    if size > MAX_BYTES:
        raise FileError(N_("The file is larger than {limit} MB. Split it."), limit=MAX_BYTES >> 20)
    if not head.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        _refuse_blank(stream, size)
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise FileError(N_("This is not a list that can be read: it is {what}."), what=what)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _open_workbook(stream, name, digest, sheet)
    return _open_text(stream, name, digest, size, encoding)


def _opened(source: Path | str | bytes | IO[bytes], name: str) -> tuple[IO[bytes], str]:
    if isinstance(source, bytes):
        return io.BytesIO(source), name
    if isinstance(source, (str, Path)):
        path = Path(source)
        try:
            return path.open("rb"), name or path.name
        except OSError as error:
            raise FileError(N_("The file {name} cannot be opened."), name=path.name) from error
    return source, name or Path(str(getattr(source, "name", ""))).name


def _refuse_blank(stream: IO[bytes], size: int) -> None:
    if size <= SAMPLE_BYTES:
        if not stream.read().strip(b"\x00\t\r\n \xef\xbb\xbf"):
            raise FileError(N_("The file is empty."))
        stream.seek(0)


# --- text ---------------------------------------------------------------------------------------------------------


def _open_text(stream: IO[bytes], name: str, digest: str, size: int, encoding: str | None) -> Table:
    text, encoding = _as_utf8(stream, encoding)
    sample = text.read(SAMPLE_BYTES).decode("utf-8", errors="ignore")
    text.seek(0)
    start = sample.lstrip()[:1]
    if start == "{" or (start == "[" and name.lower().endswith(("json",))):
        return _open_geojson(text, name, digest, encoding)
    if start == "<":
        raise FileError(
            N_("This is a web page or XML, not a table. Open it in Excel or WPS and save it as .xlsx or .csv.")
        )
    return _open_csv(text, sample, name, digest, encoding)


def _as_utf8(stream: IO[bytes], encoding: str | None) -> tuple[IO[bytes], str]:
    """Return the file as UTF-8 without BOM, and the name of the encoding that it has."""
    named = encoding.strip().lower() if encoding else None
    if named and named != "auto":
        return _decoded_as_told(stream, named)
    bom = stream.read(4)
    stream.seek(0)
    if bom.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded_as_told(stream, "utf-16")
    tried = TEXT_ENCODINGS
    for candidate in tried:
        decoded, trouble = _recoded(stream, candidate)
        if decoded is not None and (candidate == "utf-8" or _reads_as_chinese(decoded)):
            has_bom = candidate == "utf-8" and bom.startswith(codecs.BOM_UTF8)
            return decoded, "utf-8-sig" if has_bom else candidate
        if trouble == "binary":
            raise FileError(
                N_("This is a binary file, not a table. Save the list as .xlsx or .csv and bring that.")
            )
    return _decoded_by_guess(stream)


def _decoded_as_told(stream: IO[bytes], encoding: str) -> tuple[IO[bytes], str]:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise FileError(N_("There is no encoding named {encoding}."), encoding=encoding) from error
    try:
        decoded, _ = _recoded(stream, encoding)
    except LookupError as error:  # a codec that is no text encoding, such as "hex"
        raise FileError(N_("There is no encoding named {encoding}."), encoding=encoding) from error
    if decoded is None:
        raise FileError(
            N_("The file is not {encoding}. Leave the encoding to be found, or save the list as UTF-8."),
            encoding=encoding,
        )
    return decoded, encoding


def _decoded_by_guess(stream: IO[bytes]) -> tuple[IO[bytes], str]:
    """Take what charset-normalizer proposes, if all of the file follows it."""
    from charset_normalizer import from_bytes

    sample = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    best = from_bytes(sample[: sample.rfind(b"\n") + 1] or sample, cp_isolation=list(FOREIGN_ENCODINGS)).best()
    if best is not None:
        decoded, _ = _recoded(stream, best.encoding)
        if decoded is not None:
            return decoded, best.encoding
    raise FileError(
        N_(
            "The text is in no encoding that can be told (tried UTF-8, GB18030 and others), or the file is cut short. "
            "Open it in Excel or WPS and save it as CSV UTF-8."
        )
    )


def _recoded(stream: IO[bytes], encoding: str) -> tuple[IO[bytes] | None, str]:
    """Return a spool of UTF-8, or None and what the trouble was."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding in ("utf-8", "utf8") else encoding)("strict")
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)
    try:
        while block := stream.read(2**20):
            text = decoder.decode(block)
            if "\x00" in text:
                return None, "binary"
            spool.write(text.encode("utf-8"))
        spool.write(decoder.decode(b"", final=True).encode("utf-8"))
    except (UnicodeError, AssertionError):
        return None, "encoding"
    finally:
        stream.seek(0)
    spool.seek(0)
    return spool, ""


def _reads_as_chinese(spool: IO[bytes]) -> bool:
    """
    Whether a text decoded as GB18030 is one.

    GB18030 decodes almost any bytes; but real text stays nearly always within the common characters of GB2312,
    while Big5, Shift-JIS or Latin-1 taken for it do not.
    """
    sample = spool.read(SAMPLE_BYTES).decode("utf-8", errors="ignore")
    spool.seek(0)
    beyond = "".join(letter for letter in sample if ord(letter) > 127)
    if not beyond:
        return True
    return len(beyond.encode("gb2312", errors="ignore")) / 2 >= GB2312_SHARE * len(beyond)


def garbled(texts: Iterable[str]) -> bool:
    """
    Whether most texts that are not plain ASCII were decoded wrongly before they came here.

    Three kinds: GBK or UTF-8 read as Latin-1, UTF-8 read as GBK, and replacement characters.
    """
    texts = [text for text in texts if not text.isascii()]
    return bool(texts) and sum(map(_is_garbled, texts)) > GARBLED_SHARE * len(texts)


def _is_garbled(text: str) -> bool:
    if "\ufffd" in text or "锟斤拷" in text:
        return True
    beyond = [letter for letter in text if ord(letter) > 127]
    if sum(letter <= "\u024f" for letter in beyond) > GARBLED_SHARE * len(beyond) and len(beyond) >= 2:
        return True
    try:
        raw = text.encode("gbk")
        return len(raw.decode("utf-8")) < len(text) or "".join(beyond).encode("gbk").decode("utf-8") != ""
    except UnicodeError:
        return False


# --- CSV ----------------------------------------------------------------------------------------------------------


def _open_csv(text: IO[bytes], sample: str, name: str, digest: str, encoding: str) -> Table:
    delimiter = _delimiter(sample)
    records = list(_records(sample, delimiter))
    if not records:
        raise FileError(N_("The file is empty."))
    at = header_words.header_row([cells for cells, _ in records])
    head, end = records[at]
    headers = header_words.distinct(head)
    _check_headers(headers)
    offset = len(sample[:end].encode("utf-8"))

    def chunks(rows: int) -> Iterator[Chunk]:
        return _csv_chunks(text, offset, headers, delimiter, at + 2, rows)

    return Table(
        name=name,
        form="csv",
        headers=headers,
        sha256=digest,
        encoding=encoding,
        delimiter=delimiter,
        header_row=at + 1,
        _chunks=chunks,
    )


def _records(sample: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield the cells of the first records and where each ends in the sample."""
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        for line in sample.splitlines(keepends=True) if "\n" not in sample else io.StringIO(sample, newline=""):
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
            N_("A cell is longer than {limit} characters, or a quotation mark is never closed."), limit=previous
        ) from error


def _delimiter(sample: str) -> str:
    """Return the character that splits most of the first lines into the same number of cells."""

    def score(delimiter: str) -> tuple[float, int]:
        try:
            widths = [
                len(cells)
                for cells, _ in zip(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), range(200), strict=False)
                if cells
            ]
        except csv.Error:
            return 0.0, 0
        if not widths:
            return 0.0, 0
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        return (widths.count(common) / len(widths) * (common > 1), common)

    best = max(DELIMITERS, key=lambda delimiter: (round(score(delimiter)[0], 1), score(delimiter)[1]))
    return best if score(best)[0] else ","


def _check_headers(headers: Sequence[str]) -> None:
    if len(headers) > MAX_COLUMNS:
        raise FileError(
            N_("The table has {count} columns, more than {limit}. Keep those that are needed."),
            count=len(headers),
            limit=MAX_COLUMNS,
        )


class _Ragged:
    """Gathers the rows that pyarrow leaves out because they have too many or too few cells."""

    def __init__(self, first_row: int) -> None:
        self.first_row = first_row
        self.rows: list[int] = []
        self.expected: list[int] = []
        self.found: list[int] = []
        self.handed = 0

    def __call__(self, row: arrow_csv.InvalidRow) -> str:
        if len(row.text) > MAX_CELL_BYTES:
            return "error"
        self.rows.append(row.number - 1 + self.first_row)
        self.expected.append(row.expected_columns)
        self.found.append(row.actual_columns)
        return "skip"

    def number(self, first: int, count: int) -> tuple[NDArray[np.int64], pd.DataFrame]:
        """Return the numbers of the next rows that were read, from `first` on, and the ragged rows before their end."""
        stop = self.handed
        last = first + count - 1
        while stop < len(self.rows) and self.rows[stop] <= last:
            last += 1
            stop += 1
        ragged = self._between(self.handed, stop)
        self.handed = stop
        numbers = np.arange(first, last + 1, dtype=np.int64)
        if len(ragged):
            numbers = np.setdiff1d(numbers, ragged["row"].to_numpy(), assume_unique=True)
        return numbers, ragged

    def rest(self) -> pd.DataFrame:
        """Return what comes after the last row that was read."""
        return self._between(self.handed, len(self.rows))

    def _between(self, start: int, stop: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "row": np.array(self.rows[start:stop], dtype=np.int64),
                "expected": np.array(self.expected[start:stop], dtype=np.int64),
                "found": np.array(self.found[start:stop], dtype=np.int64),
            }
        )


def _csv_chunks(
    text: IO[bytes], offset: int, headers: tuple[str, ...], delimiter: str, first_row: int, rows: int
) -> Iterator[Chunk]:
    size = max(text.seek(0, io.SEEK_END) - offset, 1)
    text.seek(offset)
    if size == 1 and not text.read(1):
        return
    text.seek(offset)
    ragged = _Ragged(first_row)
    read = 0
    number = first_row
    try:
        for batch in _batches(text, headers, delimiter, ragged):
            read += batch.nbytes
            for start in range(0, len(batch), rows):
                part = batch.slice(start, rows)
                numbers, odd = ragged.number(number, len(part))
                number = int(numbers[-1]) + 1 if len(numbers) else number
                yield _text_chunk(part, headers, numbers, odd, min(text.tell() - offset, size) / size)
    except pa.ArrowInvalid as error:
        raise FileError(
            N_(
                "The table cannot be read after row {row}: a cell is larger than {limit} MB, or a quotation mark "
                "is never closed."
            ),
            row=number - 1,
            limit=MAX_CELL_BYTES >> 20,
        ) from error
    odd = ragged.rest()
    if len(odd):
        yield _text_chunk(_no_rows(headers), headers, np.empty(0, np.int64), odd, 1.0)


def _no_rows(headers: tuple[str, ...]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([], pa.string())] * len(headers), names=[str(at) for at in range(len(headers))]
    )


def _batches(
    text: IO[bytes], headers: tuple[str, ...], delimiter: str, ragged: _Ragged
) -> Iterator[pa.RecordBatch]:
    names = [str(at) for at in range(len(headers))]
    reader = arrow_csv.open_csv(
        pa.PythonFile(_Open(text), mode="r"),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=ragged,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=False
        ),
    )
    yield from reader


class _Open:
    """A file that pyarrow may close without closing ours, since it is read more than once."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self.read = stream.read
        self.seek = stream.seek
        self.tell = stream.tell

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _text_chunk(
    batch: pa.RecordBatch, headers: tuple[str, ...], numbers: NDArray[np.int64], ragged: pd.DataFrame, done: float
) -> Chunk:
    _check_cells(batch)
    frame = batch.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    frame.columns = pd.Index(headers)
    blank = np.ones(len(frame), dtype=bool)
    for header in headers:
        blank &= (frame[header].str.strip() == "").to_numpy(bool)
    if blank.any():
        frame, numbers = frame[~blank], numbers[~blank]
    return Chunk(numbers, frame.reset_index(drop=True), ragged, done)


def _check_cells(batch: pa.RecordBatch) -> None:
    for column in batch.columns:
        longest = pa.compute.max(pa.compute.binary_length(column)).as_py() or 0
        if longest > MAX_CELL_BYTES:
            raise FileError(
                N_("A cell holds {size} MB of text; the limit is {limit} MB. This is no list."),
                size=round(longest / 2**20, 1),
                limit=MAX_CELL_BYTES >> 20,
            )


# --- XLSX ---------------------------------------------------------------------------------------------------------


def _open_workbook(stream: IO[bytes], name: str, digest: str, sheet: str | None) -> Table:
    _check_zip(stream)
    try:
        book = CalamineWorkbook.from_filelike(stream)
        names = tuple(book.sheet_names)
        if sheet is not None and sheet not in names:
            raise FileError(
                N_("The workbook has no sheet {sheet}; it has {sheets}."), sheet=sheet, sheets="、".join(names)
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
    _check_headers(best.headers)
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
            N_("The text of sheet {sheet} is garbled: it was decoded wrongly when the file was made. Take another."),
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
            head.append([_cell(cell) for cell in cells])
            if len(head) >= 200:
                break
        at = header_words.header_row(head)
        headers = header_words.distinct(head[at])
        is_garbled = garbled(text for row in head for text in row)
        has_place = header_words.has_coordinates(headers)
        score = (has_place, not is_garbled, sheet.height)
        return cls(name, headers, at + 1 , sheet, at, is_garbled, score)

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
            pa.array([_cell(cell) for cell in column], pa.string()) for column in zip(*batch, strict=True)
        ]
        names = [str(at) for at in range(len(self.headers))]
        numbers = np.arange(last - len(batch) + 1, last + 1, dtype=np.int64)
        table = pa.RecordBatch.from_arrays(columns[: len(names)], names=names)
        return _text_chunk(table, self.headers, numbers, _Ragged(0).rest(), done)


def _cell(value: Any) -> str:
    """Return a cell as it would be typed: whole numbers without a point."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else str(value)


def _check_zip(stream: IO[bytes]) -> None:
    """Refuse what is no workbook, and what would fill the memory: each member is unpacked once, counted and dropped."""
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "xl/workbook.xml" not in names:
                raise FileError(
                    N_("This is a ZIP archive or a document, not an Excel workbook. Unpack it, or save it as .xlsx.")
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


# --- GeoJSON ------------------------------------------------------------------------------------------------------


def _open_geojson(text: IO[bytes], name: str, digest: str, encoding: str) -> Table:
    tree = _parsed(text)
    features = _features(tree)
    properties = [_properties(feature) for feature in features]
    headers = tuple(dict.fromkeys(key for each in properties for key in each))
    _check_headers(headers)
    epsg = _claimed_epsg(tree)

    def chunks(rows: int) -> Iterator[Chunk]:
        for start in range(0, len(features), rows):
            part = slice(start, start + rows)
            yield _feature_chunk(features[part], properties[part], headers, start, len(features))

    return Table(
        name=name,
        form="geojson",
        headers=headers,
        sha256=digest,
        encoding=encoding,
        header_row=0,
        epsg=epsg,
        _chunks=chunks,
    )


def _parsed(text: IO[bytes]) -> dict[str, Any]:
    size = text.seek(0, io.SEEK_END)
    text.seek(0)
    if size > MAX_TREE_BYTES:
        raise FileError(
            N_("The GeoJSON file is larger than {limit} MB. Split it, or save the list as .csv."),
            limit=MAX_TREE_BYTES >> 20,
        )
    try:
        tree = json.loads(text.read())
    except json.JSONDecodeError as error:
        raise FileError(
            N_("The JSON is damaged or cut short at line {line}. Export it again."), line=error.lineno
        ) from error
    except (RecursionError, ValueError) as error:
        raise FileError(N_("The JSON is no list: it is nested too deep or holds impossible numbers.")) from error
    if not isinstance(tree, dict):
        raise FileError(N_("This JSON is not GeoJSON. Export the list as GeoJSON, .csv or .xlsx."))
    return tree


def _features(tree: dict[str, Any]) -> list[dict[str, Any]]:
    kind = tree.get("type")
    if kind == "Feature":
        return [tree]
    features = tree.get("features")
    if kind == "Topology" or tree.get("UTF8Encoding"):
        raise FileError(N_("The coordinates are packed (TopoJSON or ECharts). Export the list as plain GeoJSON."))
    if kind in ("GeometryCollection", "Point", "MultiPoint", "LineString", "Polygon", "MultiPolygon"):
        raise FileError(
            N_("The file holds bare shapes without names or any other column. Export it as a FeatureCollection.")
        )
    if kind != "FeatureCollection" or not isinstance(features, list):
        raise FileError(N_("This JSON is not GeoJSON. Export the list as GeoJSON, .csv or .xlsx."))
    features = [feature for feature in features if isinstance(feature, dict)]
    if not features:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    return features


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    if "id" in feature and "id" not in properties:
        return {"id": feature["id"], **properties}
    return properties


def _claimed_epsg(tree: dict[str, Any]) -> int | None:
    claim = json.dumps(tree.get("crs"), default=str)
    if found := _EPSG.search(claim):
        return int(found[1])
    return 4326 if "CRS84" in claim else None


def _feature_chunk(
    features: list[dict[str, Any]],
    properties: list[dict[str, Any]],
    headers: tuple[str, ...],
    start: int,
    total: int,
) -> Chunk:
    columns = [
        pa.array([_property(each.get(header)) for each in properties], pa.string()) for header in headers
    ]
    names = [str(at) for at in range(len(headers))]
    batch = pa.RecordBatch.from_arrays(columns, names=names)
    _check_cells(batch)
    frame = batch.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    frame.columns = pd.Index(headers)
    frame.index = pd.RangeIndex(len(features))
    shapes = np.array([_shape(feature.get("geometry")) for feature in features], dtype=object)
    lon, lat = _points(shapes)
    numbers = np.arange(start + 1, start + 1 + len(features), dtype=np.int64)
    return Chunk(numbers, frame, _Ragged(0).rest(), (start + len(features)) / total, lon, lat, shapes)


def _property(value: Any) -> str:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    # A lone surrogate is legal in JSON and cannot be stored.
    return _cell(value).encode("utf-8", errors="replace").decode("utf-8")


def _shape(geometry: Any) -> shapely.Geometry | None:
    """Return a geometry, or None where it is missing or cannot be one."""
    if not isinstance(geometry, dict):
        return None
    coordinates = geometry.get("coordinates")
    if geometry.get("type") == "Point":
        return _point(coordinates)
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except (shapely.errors.ShapelyError, ValueError, TypeError, RecursionError):
        return None
    return None if shape.is_empty else shape


def _point(coordinates: Any) -> shapely.Geometry | None:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    try:
        x, y = float(coordinates[0]), float(coordinates[1])
    except (TypeError, ValueError, OverflowError):
        return None
    return shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None


def _points(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one point a shape: its own, or one surely inside it."""
    inside = np.array(shapes, dtype=object)
    areas = ~np.isin(shapely.get_type_id(shapes), (-1, 0))
    if areas.any():
        inside[areas] = shapely.point_on_surface(shapely.make_valid(shapes[areas]))
    return shapely.get_x(inside), shapely.get_y(inside)
