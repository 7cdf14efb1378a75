"""Pinyin initials: 人民路 is found by rml."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LONGEST = 300
# What names of shops and streets say, where the commonest reading is another: 银行, 长沙, 重庆, 大厦.
_IN_NAMES = {"行": "h", "长": "c", "重": "c", "厦": "s"}
_NEW, _SEVERAL = 255, 254  # a character not met yet, and one that stands for several letters
_BREAK = ord("\n")


def initials(names: pd.Series) -> pd.Series:
    """
    Return the initials of names' syllables, small; Latin letters and digits stay, all else falls out.

    Parameters
    ----------
    names
        Texts; a missing one has none. Of a character with several readings one counts.

    Returns
    -------
    initials
        On the index of the names.
    """
    texts: list[str] = names.fillna("").tolist()
    short = [text[:LONGEST] if len(text) > LONGEST else text for text in _letters(texts)]
    return pd.Series(short, index=names.index, dtype="str", name="initials")


def _letters(names: list[str]) -> list[str]:
    """Look all characters of all names up at once, a line a name."""
    text = "\n".join(names)
    if text.count("\n") > len(names) - 1:
        return _letters([name.replace("\n", " ") for name in names]) if names else []
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
    letters = _learnt(codes)[codes]
    lines: list[str] = (
        letters[letters != 0].tobytes().translate(None, bytes([_SEVERAL])).decode("ascii").split("\n")
    )
    if (letters == _SEVERAL).any():
        odd = np.unique(np.cumsum(codes == _BREAK)[letters == _SEVERAL])
        for at in odd.tolist():
            lines[at] = "".join(map(_plain, names[at]))
    return lines


def _learnt(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the table of letters with all of these characters in it."""
    table = _table()
    for code in np.unique(codes[table[codes] == _NEW]).tolist():
        plain = _plain(chr(code))
        table[code] = _SEVERAL if len(plain) > 1 else ord(plain) if plain else 0
    return table


def _plain(letter: str) -> str:
    if ord(letter) in _readings():
        return chr(_table()[ord(letter)])
    return "".join(each for each in unicodedata.normalize("NFKD", letter).lower() if _is_kept(each))


def _is_kept(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


@cache
def _readings() -> dict[int, str]:
    """Return the readings of every character, the commonest first."""
    from pypinyin.constants import PINYIN_DICT  # half a second to load, and most pages never need it

    return dict(PINYIN_DICT)


@cache
def _table() -> NDArray[np.uint8]:
    """Return the initial of every character, by its number: 0 for none."""
    table = np.full(sys.maxunicode + 1, _NEW, dtype=np.uint8)
    readings = _readings()
    table[np.fromiter(readings, np.int64)] = [ord(_first_letter(each)) for each in readings.values()]
    for character, letter in _IN_NAMES.items():
        table[ord(character)] = ord(letter)
    table[_BREAK] = _BREAK
    return table


def _first_letter(readings: str) -> str:
    """Return the letter that a character's commonest reading begins with, without its tone."""
    return unicodedata.normalize("NFKD", readings[0])[0]
