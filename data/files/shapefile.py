"""
Shapefile, in a ZIP: its table read here, since that alone tells the encoding, and its shapes by GDAL.

Nothing is unpacked under a name of the archive's: what GDAL is to read goes into a private folder.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from data.files import archives
from data.files.crsnames import Named, named
from data.files.formats import Chunk, Table, check_headers, check_rows, shape_chunk, text_array
from data.files.workbooks import check_choice
from data.meaning.headers import distinct
from geo.errors import N_, FileError

PARTS = ("shp", "shx", "dbf", "prj", "cpg")
SAMPLE_CELLS = 20_000
ODD_SHARE = 0.02  # of the cells, which may not follow the encoding of the others
COMMON_SHARE = 0.8  # of the letters: simplified Chinese keeps within GB2312, Big5 read as GB18030 does not
LONGEST_LETTER = 4  # bytes, of which a field's width may cut some off
_CPG = {
    "65001": "utf-8",
    "936": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "950": "big5",
    "cp950": "big5",
}

pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"})


class _Field(NamedTuple):
    name: bytes
    kind: str
    start: int
    stop: int


def layer_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the Shapefiles among the names of an archive."""
    return tuple(
        dict.fromkeys(name[:-4] for name in names if name.lower().endswith(".shp") and not _hidden(name))
    )


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)


def from_archive(stream: IO[bytes], names: Sequence[str], sheet: str | None) -> tuple[dict[str, bytes], str]:
    """Return the parts of one Shapefile of an archive, and its name."""
    if any(name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts for name in names):
        raise FileError(N_("The archive holds paths that lead out of it. Pack the files again."))
    archives.check(stream)
    layers = layer_names(names)
    check_choice(sheet, layers)
    layer = sheet or layers[0]
    of = {name.lower(): name for name in names}
    found = {part: of.get(f"{layer}.{part}".lower()) for part in PARTS}
    return {part: archives.read(stream, name) for part, name in found.items() if name}, layer


def beside(path: Path) -> dict[str, bytes]:
    """Return the parts of a Shapefile that lies in a folder."""
    parts = {}
    for part in PARTS:
        for suffix in (part, part.upper()):
            other = path.with_suffix("." + suffix)
            if part not in parts and other.is_file() and not other.is_symlink():
                parts[part] = other.read_bytes()
    return parts


def open_shapefile(parts: Mapping[str, bytes], folder: Path, encoding: str | None, **known: Any) -> Table:
    """
    Return the table of a Shapefile.

    Parameters
    ----------
    parts
        Its files by suffix; only `shp` must be there.
    folder
        A private one, for GDAL, as long as the table is read.
    encoding
        Of the table of attributes; by default found out.
    known
        What else the `Table` is told.
    """
    path = folder / "list.shp"
    path.write_bytes(parts["shp"])
    if "shx" in parts:
        path.with_suffix(".shx").write_bytes(parts["shx"])
    count = _count(path)
    table = _Attributes(parts["dbf"]) if "dbf" in parts else None
    codec, sure = (None, True) if table is None else table.encoding(encoding, parts.get("cpg", b""))
    headers = () if table is None or codec is None else table.headers(codec)
    check_headers(headers)
    total = count if table is None else table.count
    check_rows(total)
    if not total:
        raise FileError(N_("The file is empty: it has a header and no rows."))

    def chunks(rows: int) -> Iterator[Chunk]:
        for start in range(0, total, rows):
            stop = min(start + rows, total)
            shapes = _shapes(path, start, stop, count)
            keep = np.ones(stop - start, dtype=bool)
            cells = []
            if table is not None and codec is not None:
                keep = table.kept(start, stop)
                cells = [text_array(column) for column in table.columns(start, stop, keep, codec)]
            chunk = shape_chunk(cells, headers, shapes[keep], start, stop / total)
            yield chunk if keep.all() else _numbered(chunk, keep.nonzero()[0] + start + 1)

    claimed = _claimed(parts.get("prj", b""))
    return Table(
        form="shp",
        headers=headers,
        header_row=0,
        encoding=codec,
        encoding_sure=sure,
        has_shapes=True,
        epsg=claimed.epsg,
        crs=claimed.crs,
        _chunks=chunks,
        **known,
    )


def _numbered(chunk: Chunk, rows: NDArray[np.int64]) -> Chunk:
    return Chunk(rows, chunk.frame, chunk.ragged, chunk.done, chunk.lon, chunk.lat, chunk.shapes)


def _claimed(prj: bytes) -> Named:
    return named(prj.decode("utf-8", errors="replace").strip().lstrip("\ufeff"))


def _damaged() -> FileError:
    return FileError(
        N_("The Shapefile is damaged or cut short. Pack all of its files again, or export GeoJSON.")
    )


def _count(path: Path) -> int:
    try:
        return int(pyogrio.read_info(path, force_feature_count=True)["features"])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise _damaged() from error


def _shapes(path: Path, start: int, stop: int, count: int) -> NDArray[np.object_]:
    """Return the shapes of some records, None where there is none."""
    shapes = np.full(stop - start, None, dtype=object)
    there = min(stop, count) - start
    if there <= 0:
        return shapes
    try:
        wkb = pyogrio.raw.read(path, columns=[], skip_features=start, max_features=there)[2]
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.GeometryError,
        ValueError,
    ) as error:
        raise _damaged() from error
    found = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    found[shapely.is_empty(found)] = None
    shapes[: len(found)] = found
    return shapes


class _Attributes:
    """A .dbf: records of fixed width behind a header that says how wide each field is."""

    def __init__(self, content: bytes) -> None:
        try:
            count, start, width = struct.unpack_from("<IHH", content, 4)
        except struct.error as error:
            raise _damaged() from error
        self.fields = _fields(content[32:start], width)
        there = max(len(content) - start, 0) // max(width, 1)
        if not self.fields or count > there:
            raise _damaged()
        self.count = count
        self.records = np.frombuffer(content, np.uint8, count * width, start).reshape(count, width)

    def headers(self, codec: str) -> tuple[str, ...]:
        """Return the fields' names, of which ten bytes were kept."""
        return distinct([field.name.decode(codec, errors="ignore") for field in self.fields])

    def kept(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Return which records are not marked as deleted."""
        return np.asarray(self.records[start:stop, 0] != ord("*"), dtype=bool)

    def columns(self, start: int, stop: int, keep: NDArray[np.bool_], codec: str) -> Iterator[list[str]]:
        """Yield the fields' texts."""
        for field in self.fields:
            cells = self._cells(field, start, stop)[keep]
            yield [_text(cell, field.kind, codec) for cell in cells.tolist()]

    def _cells(self, field: _Field, start: int, stop: int) -> NDArray[np.bytes_]:
        part = np.ascontiguousarray(self.records[start:stop, field.start : field.stop])
        return part.view(f"S{field.stop - field.start}").ravel()

    def encoding(self, told: str | None, cpg: bytes) -> tuple[str, bool]:
        """Return the encoding of the texts, and whether it is sure."""
        sample = [field.name for field in self.fields]
        for field in self.fields:
            if field.kind == "C":
                sample += self._cells(field, 0, SAMPLE_CELLS // len(self.fields) + 1).tolist()
        sample = [cell for cell in (each.rstrip(b" \x00") for each in sample) if not cell.isascii()]
        if told and told.strip().lower() != "auto":
            return _told(told.strip().lower(), sample), True
        claimed = (
            cpg.decode("ascii", errors="ignore").strip().lower().removeprefix("ansi ").removeprefix("cp")
        )
        claimed = _CPG.get(claimed, claimed)
        if claimed and _is_codec(claimed) and _odd_share(sample, claimed) <= ODD_SHARE:
            return claimed, True
        return _found(sample)


def _fields(described: bytes, width: int) -> list[_Field]:
    fields = []
    at = 1
    for start in range(0, len(described) - 31, 32):
        about = described[start : start + 32]
        if about[0] == 0x0D:
            break
        size = about[16] + (about[17] << 8 if about[11:12] == b"C" else 0)
        fields.append(_Field(about[:11].split(b"\x00")[0], chr(about[11]), at, at + size))
        at += size
    if at != width or any(field.start == field.stop for field in fields):
        raise _damaged()
    return fields


def _told(codec: str, sample: list[bytes]) -> str:
    if not _is_codec(codec):
        raise FileError(N_("There is no encoding named {encoding}."), encoding=codec)
    if _odd_share(sample, codec) > ODD_SHARE:
        raise FileError(
            N_("The file is not {encoding}. Leave the encoding to be found, or save the list as UTF-8."),
            encoding=codec,
        )
    return codec


def _is_codec(name: str) -> bool:
    try:
        codecs.lookup(name)
        b"a".decode(name)
    except (LookupError, UnicodeError, ValueError):
        return False
    return True


def _found(sample: list[bytes]) -> tuple[str, bool]:
    """Return the encoding that the texts follow."""
    if _odd_share(sample, "utf-8") <= ODD_SHARE:
        return "utf-8", True
    chinese = _odd_share(sample, "gb18030") <= ODD_SHARE
    if chinese and _common_share(sample, "gb18030", "gb2312") >= COMMON_SHARE:
        return "gb18030", True
    for codec in ("big5", "big5hkscs"):
        if _odd_share(sample, codec) <= ODD_SHARE:
            return codec, False
    # What is left is damaged: the likelier of the two.
    return min(("gb18030", "big5"), key=lambda codec: (_odd_share(sample, codec), codec != "gb18030")), False


def _odd_share(sample: list[bytes], codec: str) -> float:
    return sum(not _follows(cell, codec) for cell in sample) / len(sample) if sample else 0.0


def _follows(cell: bytes, codec: str) -> bool:
    """Whether a cell, but for a letter cut off at its end, is in an encoding."""
    for cut in range(min(LONGEST_LETTER, len(cell))):
        try:
            cell[: len(cell) - cut].decode(codec)
        except UnicodeError:
            continue
        return True
    return False


def _common_share(sample: list[bytes], codec: str, within: str) -> float:
    text = "".join(
        letter for cell in sample for letter in cell.decode(codec, errors="ignore") if ord(letter) > 127
    )
    return len(text.encode(within, errors="ignore")) / 2 / len(text) if text else 1.0


def _text(cell: bytes, kind: str, codec: str) -> str:
    if kind == "C":
        try:
            return cell.decode(codec).rstrip(" \x00")
        except UnicodeError:
            return cell.decode(codec, errors="ignore" if _follows(cell, codec) else "replace").rstrip(" \x00")
    text = cell.decode("ascii", errors="ignore").strip(" \x00")
    if kind == "D" and len(text) == 8 and text.isdecimal():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if kind in "NF":
        return "" if text.startswith("*") else text
    return text if kind in "DL" and text != "?" else ""
