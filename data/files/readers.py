"""
Files that people bring: found out from their bytes, and read as chunks of text columns.

A file is hostile until read. It is refused whole (`FileError`) when it is no list, or another thing than its
name says; whether a *row* is good is for the survey to say. Text, Parquet and GeoPackage are read chunk by
chunk; of the other formats the size is limited instead.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path, PurePath
from typing import IO, Any, NamedTuple

from data.files import archives, geopackage, shapefile, texts
from data.files.apijson import open_json
from data.files.csvfiles import open_csv
from data.files.formats import CHUNK_ROWS, SAMPLE_BYTES, Chunk, Table
from data.files.kml import open_kml
from data.files.parquet import open_parquet
from data.files.shapes import with_shapes
from data.files.texts import garbled
from data.files.workbooks import open_workbook
from geo.errors import N_, FileError, Told

__all__ = ["CHUNK_ROWS", "SUFFIXES", "Chunk", "Table", "garbled", "open_table"]

MAX_BYTES = 2 * 2**30
_PICTURE = N_("This is a picture, not a list.")
_ARCHIVE = N_("This is an archive. Unpack it, and bring the list that is in it.")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"%PDF", N_("This is a PDF document. Export the list as .xlsx or .csv.")),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BARE_SHAPES = b"\x00\x00\x27\x0a"
_WEB_PAGE = N_(
    "This is a web page or XML, not a table. Open it in Excel or WPS and save it as .xlsx or .csv."
)
_ONLY_SHAPES = N_(
    "This is one file of a Shapefile. Pack all of them (.shp, .dbf, .prj …) into one ZIP and bring that."
)
_NO_LIST_INSIDE = N_(
    "This is a ZIP archive or a document in which no list is found. Unpack it, or save the list as .xlsx."
)


class _Family(NamedTuple):
    """Contents that one may take for each other: their name, and the suffix that fits."""

    words: str
    suffix: str


_TEXT = _Family(N_("a text table"), ".csv")
_SHEETS = _Family(N_("a workbook"), ".xlsx")
_JSON = _Family(N_("JSON"), ".json")
_GPKG = _Family(N_("a GeoPackage"), ".gpkg")
_SHP = _Family(N_("a zipped Shapefile"), ".zip")
_KML = _Family(N_("KML"), ".kml")
_PARQUET = _Family(N_("a Parquet file"), ".parquet")
_FAMILIES = {
    **dict.fromkeys(("csv", "tsv", "txt"), _TEXT),
    **dict.fromkeys(("xlsx", "xls", "ods", "xlsm"), _SHEETS),
    **dict.fromkeys(("json", "geojson", "jsonl"), _JSON),
    **dict.fromkeys(("gpkg",), _GPKG),
    **dict.fromkeys(("zip", "shp"), _SHP),
    **dict.fromkeys(("kml", "kmz"), _KML),
    **dict.fromkeys(("parquet", "geoparquet"), _PARQUET),
}
SUFFIXES = tuple(_FAMILIES)


class _Job(NamedTuple):
    """What is to be read, and how."""

    stream: IO[bytes]
    name: str
    path: Path | None
    sheet: str | None
    encoding: str | None
    header: bool | None
    open_files: ExitStack


def open_table(
    source: Path | str | bytes | IO[bytes],
    *,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
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
        Of a workbook, or a layer; by default the one that reads best as a list.
    encoding
        Of a text or a Shapefile's table; by default found out.
    header
        Whether the first rows hold the columns' names; None to find out. Without, they are called 列1, 列2 …

    Raises
    ------
    FileError
        When this is no list, or not what its name says: what is wrong and what to do.
    """
    with ExitStack() as open_files:
        path = Path(source) if isinstance(source, (str, Path)) else None
        stream, name = _opened(source, name, open_files)
        job = _Job(stream, name, path, sheet, encoding, header, open_files)
        head = _check_head(stream, name)
        digest = _sha256(stream)
        stream.seek(0)
        table = with_shapes(_open(job, head, digest))
        # Its rows are read later, perhaps twice; what was opened for that is closed when the table is let go.
        weakref.finalize(table, open_files.pop_all().close)
        return table


def _check_head(stream: IO[bytes], name: str) -> bytes:
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
    if PurePath(name).suffix.lower() in (".dbf", ".shx", ".prj", ".cpg"):
        raise FileError(_ONLY_SHAPES)
    return head


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


def _check_family(name: str, found: _Family) -> None:
    """Refuse a file that is another thing than its name says: somebody mixed something up."""
    suffix = PurePath(name).suffix.lower()
    expected = _FAMILIES.get(suffix.removeprefix("."))
    if expected is not None and expected != found:
        raise FileError(
            N_(
                "The file is named {suffix}, but it holds {found}. Rename it to {right}, or bring the file "
                "that was meant."
            ),
            suffix=suffix,
            found=Told(found.words),
            right=found.suffix,
        )


def _open(job: _Job, head: bytes, digest: str) -> Table:
    known = {"name": job.name, "sha256": digest}
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _open_archive(job, known)
    if head.startswith(_OLD_OFFICE):
        return _open_old_workbook(job, head, known)
    if head.startswith(b"SQLite format 3\x00"):
        _check_family(job.name, _GPKG)
        copy = job.open_files.enter_context(geopackage.kept_on_disk(job.stream))
        return geopackage.open_geopackage(Path(copy.name), job.sheet, **known)
    if head.startswith(b"PAR1"):
        _check_family(job.name, _PARQUET)
        return open_parquet(job.stream, **known)
    if head.startswith(_BARE_SHAPES):
        _check_family(job.name, _SHP)
        if job.path is None:
            raise FileError(_ONLY_SHAPES)
        return _open_shapefile(job, shapefile.beside(job.path), known)
    return _open_text(job, known)


def _open_archive(job: _Job, known: dict[str, str]) -> Table:
    names = archives.members(job.stream)
    if "xl/workbook.xml" in names:
        _check_family(job.name, _SHEETS)
        return open_workbook(job.stream, "xlsx", job.sheet, job.header, **known)
    if "content.xml" in names and "mimetype" in names:
        _check_family(job.name, _SHEETS)
        if b"spreadsheet" not in archives.read_head(job.stream, "mimetype"):
            raise FileError(_NO_LIST_INSIDE)
        return open_workbook(job.stream, "ods", job.sheet, job.header, **known)
    if layers := shapefile.layer_names(names):
        _check_family(job.name, _SHP)
        parts, layer = shapefile.from_archive(job.stream, names, job.sheet)
        return _open_shapefile(job, parts, {**known, "sheet": layer, "sheets": layers})
    if inner := [name for name in names if name.lower().endswith(".kml")]:
        _check_family(job.name, _KML)
        archives.check(job.stream)
        first = "doc.kml" if "doc.kml" in inner else inner[0]
        text, encoding, _ = texts.as_utf8(io.BytesIO(archives.read(job.stream, first)), job.encoding)
        job.open_files.callback(text.close)
        return open_kml(text, job.sheet, encoding=encoding, **known)
    archives.check(job.stream)
    raise FileError(_NO_LIST_INSIDE)


def _open_shapefile(job: _Job, parts: dict[str, bytes], known: dict[str, Any]) -> Table:
    folder = Path(job.open_files.enter_context(tempfile.TemporaryDirectory(prefix="zhendi-")))
    return shapefile.open_shapefile(parts, folder, job.encoding, **known)


def _open_old_workbook(job: _Job, head: bytes, known: dict[str, str]) -> Table:
    _check_family(job.name, _SHEETS)
    if _ENCRYPTED in head:
        raise FileError(N_("The workbook has a password. Save it without one."))
    return open_workbook(job.stream, "xls", job.sheet, job.header, **known)


def _open_text(job: _Job, known: dict[str, str]) -> Table:
    text, encoding, sure = texts.as_utf8(job.stream, job.encoding)
    job.open_files.callback(text.close)
    sample = text.read(SAMPLE_BYTES).decode("utf-8", errors="ignore")
    text.seek(0)
    start = sample.lstrip("\x1e \t\r\n")[:200]
    if start.startswith("{") or (start.startswith("[") and start[1:].lstrip()[:1] in ("{", "[", "]", "")):
        _check_family(job.name, _JSON)
        return open_json(text, encoding=encoding, encoding_sure=sure, **known)
    if start.startswith("<"):
        if "<kml" in sample[:5000] or ":kml" in sample[:5000]:
            _check_family(job.name, _KML)
            return open_kml(text, job.sheet, encoding=encoding, **known)
        raise FileError(_WEB_PAGE)
    _check_family(job.name, _TEXT)
    return open_csv(text, sample, job.header, encoding=encoding, encoding_sure=sure, **known)
