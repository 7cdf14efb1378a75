"""
Files that people bring: found out from their bytes, and read as chunks of text columns.

A file is hostile until read. It is refused whole (`FileError`) when it is no list; whether a *row* is good
is for `data.survey` to say. Nothing is held in memory but one chunk, except for XLSX and GeoJSON, whose size
is limited instead.
"""

from __future__ import annotations

import hashlib
import io
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from data import texts
from data.csvfiles import open_csv
from data.formats import CHUNK_ROWS, SAMPLE_BYTES, Chunk, Table
from data.geojson import open_geojson
from data.texts import garbled
from data.workbooks import open_workbook
from geo.errors import N_, FileError

__all__ = ["CHUNK_ROWS", "Chunk", "Table", "garbled", "open_table"]

MAX_BYTES = 2 * 2**30
_PICTURE = N_("This is a picture, not a list.")
_ARCHIVE = N_("This is an archive. Unpack it, and bring the list that is in it.")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        N_("This is an old or password-protected Excel file. Save it as .xlsx without a password."),
    ),
    (b"\x1f\x8b", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"%PDF", N_("This is a PDF document. Export the list as .xlsx or .csv.")),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"SQLite format 3\x00", N_("This is a database (perhaps a GeoPackage). Export the list as GeoJSON.")),
    (b"PAR1", N_("This is a Parquet file. Export the list as .csv.")),
    (b"\x00\x00\x27\x0a", N_("This is a bare Shapefile. Export the list as GeoJSON.")),
)


def open_table(
    source: Path | str | bytes | IO[bytes],
    *,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
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
    with ExitStack() as open_files:
        stream, name = _opened(source, name, open_files)
        _check_head(stream)
        digest = _sha256(stream)
        stream.seek(0)
        if stream.read(4).startswith((b"PK\x03\x04", b"PK\x05\x06")):
            stream.seek(0)
            table = open_workbook(stream, name, digest, sheet)
        else:
            stream.seek(0)
            table = _open_text(stream, name, digest, encoding, open_files)
        # Its rows are read later, perhaps twice; what was opened for that is closed when the table is let go.
        weakref.finalize(table, open_files.pop_all().close)
        return table


def _check_head(stream: IO[bytes]) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    if size > MAX_BYTES:
        raise FileError(N_("The file is larger than {limit} MB. Split it."), limit=MAX_BYTES >> 20)
    if not head.strip(b"\x00\t\r\n \xef\xbb\xbf") and size <= SAMPLE_BYTES:
        raise FileError(N_("The file is empty."))
    for magic, message in _MAGIC:
        if head.startswith(magic):
            raise FileError(message)


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := stream.read(2**20):
        digest.update(block)
    return digest.hexdigest()


def _opened(
    source: Path | str | bytes | IO[bytes], name: str, open_files: ExitStack
) -> tuple[IO[bytes], str]:
    if isinstance(source, bytes):
        return io.BytesIO(source), name
    if isinstance(source, (str, Path)):
        path = Path(source)
        try:
            return open_files.enter_context(path.open("rb")), name or path.name
        except OSError as error:
            raise FileError(N_("The file {name} cannot be opened."), name=path.name) from error
    return source, name or Path(str(getattr(source, "name", ""))).name


def _open_text(
    stream: IO[bytes], name: str, digest: str, encoding: str | None, open_files: ExitStack
) -> Table:
    text, encoding = texts.as_utf8(stream, encoding)
    open_files.callback(text.close)
    sample = text.read(SAMPLE_BYTES).decode("utf-8", errors="ignore")
    text.seek(0)
    start = sample.lstrip()[:1]
    if start == "{" or (start == "[" and name.lower().endswith(("json",))):
        return open_geojson(text, name, digest, encoding)
    if start == "<":
        raise FileError(
            N_(
                "This is a web page or XML, not a table. Open it in Excel or WPS and save it as .xlsx "
                "or .csv."
            )
        )
    return open_csv(text, sample, name, digest, encoding)
