"""Pinyin initials: 人民路 is found by rml."""

from __future__ import annotations

import unicodedata
from functools import cache

import pandas as pd
from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT

LONGEST = 300
# What names of shops and streets say, where the commonest reading is another: 银行, 长沙, 重庆, 大厦.
_IN_NAMES = {"行": "h", "长": "c", "重": "c", "厦": "s"}


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
    table = _table()
    short = [name.translate(table)[:LONGEST] if isinstance(name, str) else "" for name in names.tolist()]
    return pd.Series(short, index=names.index, dtype="str", name="initials")


class _Table(dict[int, str]):
    """The initial of every character; what is in no dictionary is worked out when it is met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code)).lower()
        self[code] = "".join(letter for letter in plain if letter.isascii() and letter.isalnum())
        return self[code]


@cache
def _table() -> _Table:
    characters = [chr(code) for code in PINYIN_DICT]
    first = pinyin(characters, style=Style.FIRST_LETTER, errors="ignore")
    table = _Table(zip(PINYIN_DICT, (letters[0] for letters in first), strict=True))
    table.update((ord(character), letter) for character, letter in _IN_NAMES.items())
    return table
