"""
What a row is: which of our categories a list's words mean, and which rows are outlets of banks and insurers.

The words stand in `category_words.csv` (what lists and OpenStreetMap say) and in `categories.csv` (our names
and their synonyms). Words are matched once for each different value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data import catalogue
from data.meaning import values

OUTLET = "outlet:"
# Categories that say too little to overrule a name which is plainly a bank's or an insurer's.
VAGUE = frozenset(
    {"", "other", "business", "company", "finance", "other_finance", "wealth_firm", "living", "place_name"}
)
LONGEST_WORD = 200
LONGEST_KEY = 120  # of a remembered word
MOST_UNKNOWN = 200
OTHER = "other"

_BANK = (
    r"(银行|农商行|信用社|信用联社|农信社|储蓄所|储蓄银行)(股份)?(有限)?(责任)?(公司)?([(（\[].*)?$"
    r"|(银行|农商行|信用社|信用联社).*(支行|分行|营业部|营业厅|营业室|营业所|分理处|储蓄所|总行|私人银行|财富中心|信用卡中心|自助)"
    r"|银行股份|村镇银行"
)
_ATM = (
    r"(?i)(^|[^a-z])atm($|[^a-z])|自助银|24小时自助|自助(服务|设备|网点)"
    r"|自动(取款|提款|柜员|存取款)机|离行式"
)
_INSURER = (
    r"保险(股份|有限|责任|控股|集团|公司|经纪|代理|公估|支公司|分公司|营业部|营销|服务部)"
    r"|(中国人寿|平安人寿|泰康人寿|新华人寿|太平人寿|人保财险|平安财险|平安产险|太保产险|太平洋产险|太平洋寿险|大地财险)"
    r"|(人寿|财险|产险).*(支公司|分公司|营业部|营销服务部|服务部)"
)
# A name with these is a house, a shop or an office that a bank gave its name to.
_NO_BANK = (
    r"银行家|银行卡|血|时间银行|基因|种子|牙齿|银行学校|宿舍|家属|小区|公寓|花园|停车|学院|培训|酒店|宾馆|餐|饭|食堂"
    r"|大厦|广场|博物馆|旧址|幼儿园|医院|公交|家园|茶|超市|便利店|印刷|工会|保安|押运|装修"
)
# What file names put behind the word for what is in them.
_BEHIND = r"s?(sites?|lists?|data|info|pois?|points?|all|new)?"
_NO_INSURER = r"保险柜|保险箱|保险丝|保险杠|社会保险|医疗保险|养老保险|劳动保险|失业保险|工伤保险|保险学院"


@cache
def _words() -> dict[str, str]:
    """Return the code of each word: ours first, then what lists say."""
    words: dict[str, str] = {}
    frame = catalogue.CATEGORIES
    for code, zh, en, more in zip(frame["code"], frame["zh"], frame["en"], frame["words"], strict=True):
        for word in (code, zh, en, *more.split("|")):
            if word:
                words.setdefault(_plain(word), code)
    said = pd.read_csv(Path(__file__).with_name("category_words.csv"), dtype=str, keep_default_na=False)
    for code, joined in zip(said["code"], said["words"], strict=True):
        words.update((_plain(word), code) for word in joined.split("|"))
    return words


@cache
def _parents() -> dict[str, str]:
    frame = catalogue.CATEGORIES
    code_of = dict(zip(frame["id"], frame["code"], strict=True))
    return {
        code: code_of[parent] if pd.notna(parent) else code
        for code, parent in zip(frame["code"], frame["parent_id"], strict=True)
    }


@cache
def _lengths() -> dict[str, tuple[int, ...]]:
    """Return how long the words are that begin with a letter, the longest first."""
    lengths: dict[str, set[int]] = {}
    for word in _words():
        if len(word) > 1 and not word.isdigit():
            lengths.setdefault(word[0], set()).add(len(word))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", unicodedata.normalize("NFKC", text).strip().lower())


def is_code(code: str) -> bool:
    """Whether a code is one of our categories', or says what kind of outlet."""
    if code.startswith(OUTLET):
        return code.removeprefix(OUTLET) in catalogue.OUTLET_KINDS
    return code in _parents()


def word_key(text: str) -> str:
    """Return a list's category as it is compared and kept: the first of several, in its plain form."""
    return _plain(re.split(r"[|｜]", text[:LONGEST_WORD])[0])[:LONGEST_KEY].strip("_")


def category_codes(text: pd.Series, words: Mapping[str, str] | None = None) -> NDArray[np.object_]:
    """
    Return the code each text means: one of our categories, `outlet:bank|atm|insurer`, or "" when unknown.

    Understands Gaode's `大类;中类;小类` (of several joined by | the first) and its numbers, Baidu's and
    Dianping's words, OpenStreetMap's `amenity=bank`, our own codes and names, and free words.

    Parameters
    ----------
    text
        What a list has in its column of categories.
    words
        What words mean at this branch (`data.lists.remembered.category_words`); it goes before what we know.
    """
    plain = values.present(values.tidy(text))
    if plain.nunique() > values.MANY_DIFFERENT:
        known = {**_words(), **(words or {})}
        return values.per_value(plain, lambda value: known.get(word_key(value), ""), object)
    return values.per_value(plain, lambda value: category_code(value, words), object)


def unknown_words(text: pd.Series, codes: NDArray[np.object_]) -> dict[str, int]:
    """
    Return the words that mean nothing to us with how many rows say each, the commonest first.

    Parameters
    ----------
    text, codes
        What a list says, and what `category_codes` made of it.
    """
    plain = values.present(values.tidy(text[codes == ""]))
    firsts = plain[plain != ""].str.slice(0, LONGEST_WORD).str.split(r"[|｜]", regex=True).str[0].str.strip()
    counts = firsts[firsts != ""].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {str(word): int(count) for word, count in counts.head(MOST_UNKNOWN).items()}


def category_code(text: str, words: Mapping[str, str] | None = None) -> str:
    """Return the code of one text; see `category_codes`."""
    whole = word_key(text)
    first = re.split(r"[|｜]", text[:LONGEST_WORD])[0]
    levels = [_plain(level) for level in re.split(r"[;；>=:：→]|--", first) if level.strip()]
    told = words or {}
    if (own := next((word for word in (whole, *reversed(levels)) if word in told), None)) is not None:
        return told[own]
    known = _words()
    if whole in known:
        return known[whole]
    if whole.isdigit():
        return _numbered(whole)
    found = _of_levels(levels[1:] or levels)
    if found in ("", OTHER) and levels:  # "美食;其他" is a kind of 美食
        found = known.get(levels[0]) or _contained(levels[0]) or found
    return found


def _of_levels(levels: list[str]) -> str:
    """Return the code of the finest level that says something; a bank's beats what stands inside a word."""
    known = _words()
    exact = next((known[level] for level in reversed(levels) if known.get(level, OTHER) != OTHER), "")
    if exact.startswith(OUTLET):
        return exact
    within = next((found for level in reversed(levels) if (found := _contained(level))), "")
    if exact and not _refines(within, exact):
        return exact
    return within or (OTHER if any(known.get(level) == OTHER for level in levels) else "")


def _numbered(text: str) -> str:
    """Return the code of one of Gaode's numbers, 050117: of its small class, else the middle, else large."""
    if not 5 <= len(text) <= 6:
        return ""
    number = text.zfill(6)  # a spreadsheet takes the leading zero off
    return next((_words()[part] for part in (number, number[:4], number[:2]) if part in _words()), "")


def _refines(within: str, exact: str) -> bool:
    """Whether a word found in the finest level only says more than the one that matched whole."""
    return within in _parents() and within != _parents()[within] and _parents()[within] == exact


def _contained(text: str) -> str:
    """Return the code of the longest word in a text, of equals the last: names end in what they are."""
    best = ""
    for start, letter in enumerate(text):
        for length in _lengths().get(letter, ()):
            if length < len(best):
                break
            word = text[start : start + length]
            if word in _words() and _stands_alone(text, start, word) and _words()[word] != OTHER:
                best = word
                break
    return _words().get(best, "")


def _stands_alone(text: str, start: int, word: str) -> bool:
    """Whether a word is not the middle of another; Chinese ones need no space round them."""
    if not word.isascii():
        return True
    around = text[start - 1 : start] + text[start + len(word) : start + len(word) + 1]
    return not any(letter.isascii() and letter.isalpha() for letter in around)


def hinted(file_name: str) -> str:
    """Return the code that a file's name means (`长沙市-医院.csv`, `hotel.json`), "" when it means none."""
    stem = Path(file_name).stem
    parts = [part for part in re.split(r"[\s\-_.,，、()（）\[\]【】0-9]+", stem) if part]
    known = _words()
    for part in reversed(parts):
        if _plain(part) in known:
            return known[_plain(part)]
    for part in reversed(parts):
        if code := _contained(_plain(part)) or _spelt_in(_plain(part)):
            return code
    return ""


def _spelt_in(text: str) -> str:
    """Return the code of a Latin word that begins a longer one: `hospitalsite`."""
    words = [word for word in _words() if word.isascii() and len(word) >= 4 and text.startswith(word)]
    best = max(words, key=len, default="")
    return _words()[best] if best and re.fullmatch(_BEHIND, text[len(best) :]) else ""


def outlet_kinds(names: pd.Series, codes: NDArray[np.object_]) -> NDArray[np.object_]:
    """
    Return `bank`, `atm` or `insurer` for the rows that are outlets, "" for the others.

    The category decides where it says anything; a vague or missing one leaves it to the name. Among a
    category's banks those named as machines are ATMs.
    """
    from_category = pd.Series(codes, dtype=object)
    kinds = (
        from_category.where(from_category.str.startswith(OUTLET), "")
        .str.removeprefix(OUTLET)
        .to_numpy(object, copy=True)
    )
    text = pc.utf8_normalize(pa.array(names, pa.string()), form="NFKC")
    is_atm = _matches(text, _ATM)
    kinds[(kinds == "bank") & is_atm] = "atm"
    vague = from_category.isin(VAGUE).to_numpy(bool)
    if vague.any():
        is_bank = _matches(text, _BANK)
        kinds[vague & is_bank & ~_matches(text, _NO_BANK)] = "bank"
        kinds[vague & is_atm & (is_bank | _matches(text, "银行|农商|信用社|储蓄|(?i)atm$"))] = "atm"
        kinds[vague & _matches(text, _INSURER) & ~_matches(text, _NO_INSURER)] = "insurer"
    return kinds


def _matches(text: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(text, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def own(names: pd.Series, bank: str) -> NDArray[np.bool_]:
    """Whether each outlet is of our own brand, by the bank's name in the settings."""
    key = values.name_keys(pd.Series([bank], dtype="str")).iloc[0]
    if not key:
        return np.zeros(len(names), dtype=bool)
    return values.name_keys(names).str.contains(key, regex=False).to_numpy(bool)
