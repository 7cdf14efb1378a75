"""
Text in whatever encoding it came: found by strict trial, or as told, and kept as UTF-8.

UTF-8 and GB18030 are tried first; what is neither is guessed, and the guess has to hold for every byte.
"""

from __future__ import annotations

import codecs
import re
import tempfile
from collections.abc import Iterable
from typing import IO

from charset_normalizer import from_bytes

from data.files.formats import SAMPLE_BYTES
from data.meaning.headers import HEADER_WITHIN, is_known
from geo.errors import N_, FileError

SPOOL_BYTES = 32 * 2**20  # a larger text waits on disk, in a file without a name
_PLAIN = re.compile(r"[\x00-\x7f]+")
COMMON_SHARE = 0.8  # of the Chinese characters of a real text; other encodings read as GB18030 fall below
GARBLED_SHARE = 0.5
TRADITIONAL_ENCODINGS = ("big5", "cp950", "big5hkscs")
FOREIGN_ENCODINGS = ("big5", "big5hkscs", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "johab")


def as_utf8(stream: IO[bytes], encoding: str | None) -> tuple[IO[bytes], str, bool]:
    """Return the file as UTF-8 without BOM, the encoding that it has, and whether that is sure."""
    named = encoding.strip().lower() if encoding else None
    if named and named != "auto":
        return *_decoded_as_told(stream, named), True
    bom = stream.read(4)
    stream.seek(0)
    if bom.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return *_decoded_as_told(stream, "utf-16"), True
    if (decoded := _recoded(stream, "utf-8")) is not None:
        return decoded, "utf-8-sig" if bom.startswith(codecs.BOM_UTF8) else "utf-8", True
    chinese = _recoded(stream, "gb18030")
    if chinese is not None and _share(chinese, "gb2312") >= COMMON_SHARE:
        return chinese, "gb18030", True
    if chosen := _likeliest(stream, chinese):
        return *chosen, False
    raise FileError(
        N_(
            "The text is in no encoding that can be told (tried UTF-8, GB18030 and others), or the file is "
            "cut short. Open it in Excel or WPS and save it as CSV UTF-8."
        )
    )


def _decoded_as_told(stream: IO[bytes], encoding: str) -> tuple[IO[bytes], str]:
    try:
        b"a".decode(encoding)
    except LookupError as error:  # unknown, or no encoding of text
        raise FileError(N_("There is no encoding named {encoding}."), encoding=encoding) from error
    except UnicodeError:
        pass  # one letter is not a text of every encoding
    decoded = _recoded(stream, encoding)
    if decoded is None:
        raise FileError(
            N_("The file is not {encoding}. Leave the encoding to be found, or save the list as UTF-8."),
            encoding=encoding,
        )
    return decoded, encoding


def _likeliest(stream: IO[bytes], chinese: IO[bytes] | None) -> tuple[IO[bytes], str] | None:
    """Return the reading, of those that all of the file follows, that shows most headers that lists have."""
    choices = [] if chinese is None else [(chinese, "gb18030")]
    # Traditional characters are in GB18030 and not in GB2312; letters of other scripts are in neither.
    if chinese is not None and _share(chinese, "gbk") < COMMON_SHARE:
        choices = []
        chinese.close()
    choices += _guesses(stream)
    best = max(choices, key=lambda choice: _known_headers(choice[0]), default=None)
    for choice in choices:
        if choice is not best:
            choice[0].close()
    return best


def _guesses(stream: IO[bytes]) -> list[tuple[IO[bytes], str]]:
    """Return what charset-normalizer proposes, and older encodings, where all of the file follows them."""
    sample = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    whole_lines = sample[: sample.rfind(b"\n") + 1] or sample
    best = from_bytes(whole_lines, cp_isolation=list(FOREIGN_ENCODINGS)).best()
    names = dict.fromkeys([*([] if best is None else [best.encoding]), *TRADITIONAL_ENCODINGS])
    return [(decoded, name) for name in names if (decoded := _recoded(stream, name)) is not None]


def _known_headers(spool: IO[bytes]) -> int:
    """Return how many words of the first lines are headers of lists: only the right encoding shows them."""
    lines = spool.read(SAMPLE_BYTES).decode("utf-8", errors="ignore").splitlines()[:HEADER_WITHIN]
    spool.seek(0)
    return sum(is_known(word) for line in lines for word in re.split(r"[,\t;|\"]", line))


def _recoded(stream: IO[bytes], encoding: str) -> IO[bytes] | None:
    """
    Return a spool of UTF-8, or None where the file is not in that encoding.

    Raises
    ------
    FileError
        For a zero byte, which no text has.
    """
    stream.seek(0)
    name = "utf-8-sig" if encoding in ("utf-8", "utf8") else encoding
    decoder = codecs.getincrementaldecoder(name)("strict")
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # it outlives this: the table reads it
    whole = False
    try:
        while block := stream.read(2**20):
            spool.write(_checked(decoder.decode(block)))
        spool.write(_checked(decoder.decode(b"", final=True)))
        whole = True
    except (UnicodeError, AssertionError):  # some codecs assert
        return None
    finally:
        stream.seek(0)
        if not whole:
            spool.close()
    spool.seek(0)
    return spool


def _checked(text: str) -> bytes:
    if "\x00" in text:
        raise FileError(
            N_("This is a binary file, not a table. Save the list as .xlsx or .csv and bring that.")
        )
    return text.encode("utf-8")


def _share(spool: IO[bytes], encoding: str) -> float:
    """
    Return the share of the letters beyond ASCII that an encoding of Chinese has.

    GB18030 decodes almost any bytes; but real text stays nearly always within the common characters of
    GB2312, while Big5, Shift-JIS or Latin-1 taken for it do not.
    """
    sample = spool.read(SAMPLE_BYTES).decode("utf-8", errors="ignore")
    spool.seek(0)
    beyond = _PLAIN.sub("", sample)
    return len(beyond.encode(encoding, errors="ignore")) / 2 / len(beyond) if beyond else 1.0


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
        meant = "".join(beyond).encode("gbk").decode("utf-8")
    except UnicodeError:
        return False
    # Two real characters may happen to be two Cyrillic letters; they are never Chinese again.
    return all(letter >= "\u2e80" for letter in meant)
