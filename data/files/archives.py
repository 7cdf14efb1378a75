"""ZIP: what is in it, and that it would not fill the memory. Nothing is unpacked to disk."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from typing import IO

from geo.errors import N_, FileError

MAX_UNZIPPED = 2**30
MAX_ZIP_RATIO = 200  # a sheet of real rows shrinks to a tenth; a bomb to a thousandth
ZIP_RATIO_FROM = 20 * 2**20  # below this size no ratio is dangerous
MAX_ZIP_MEMBERS = 10_000

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    OverflowError,
    MemoryError,
)


def members(stream: IO[bytes]) -> tuple[str, ...]:
    """Return the names of what is in an archive."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return tuple(archive.namelist())
    except _BROKEN as error:
        raise _damaged() from error
    finally:
        stream.seek(0)


def check(stream: IO[bytes], look: Callable[[str, bytes], None] | None = None) -> None:
    """
    Refuse what would fill the memory: each member is unpacked and counted, and forgotten.

    Parameters
    ----------
    stream
        An archive.
    look
        Told each member's name and its next block of bytes.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            listed = archive.infolist()
            if len(listed) > MAX_ZIP_MEMBERS:
                raise FileError(N_("The file holds too many parts. Save the list alone in a new one."))
            packed = max(sum(member.compress_size for member in listed), 1)
            _check_unpacked(sum(member.file_size for member in listed), packed)
            size = 0
            for member in listed:
                with archive.open(member) as part:
                    while block := part.read(2**20):
                        size += len(block)
                        _check_unpacked(size, packed)
                        if look is not None:
                            look(member.filename, block)
    except FileError:
        raise
    except _BROKEN as error:
        raise _damaged() from error
    finally:
        stream.seek(0)


def read(stream: IO[bytes], name: str) -> bytes:
    """Return a member of an archive that has been checked."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.read(name)
    except (*_BROKEN, KeyError) as error:
        raise _damaged() from error
    finally:
        stream.seek(0)


def read_head(stream: IO[bytes], name: str, size: int = 200) -> bytes:
    """Return the beginning of a member of an archive that need not be checked yet."""
    try:
        with zipfile.ZipFile(stream) as archive, archive.open(name) as part:
            return part.read(size)
    except (*_BROKEN, KeyError) as error:
        raise _damaged() from error
    finally:
        stream.seek(0)


def _damaged() -> FileError:
    return FileError(
        N_("The file is damaged or cut short. Copy it again, or open it where it was made and save it again.")
    )


def _check_unpacked(size: int, packed: int) -> None:
    if size > MAX_UNZIPPED or (size > ZIP_RATIO_FROM and size / packed > MAX_ZIP_RATIO):
        raise FileError(
            N_("Unpacked, the file would be {size} MB, {ratio} times its size. Save the list as .csv."),
            size=round(size / 2**20),
            ratio=round(size / packed),
        )
