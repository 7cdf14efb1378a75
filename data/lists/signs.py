"""What tells merchants apart: names taken apart, telephone numbers, addresses, identifiers, as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from data.lists import double_names
from data.lists.double_names import Name

Array = NDArray[Any]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Signs:
    """What tells merchants apart, one entry a merchant."""

    lon: Floats
    lat: Floats
    category: Array
    """Identifiers of the taxonomy; 0 where unknown."""
    parts: Array
    """Names taken apart, packed."""
    letters: Keys
    """Which characters the name has, as bits."""
    stem_letters: Keys
    stem_length: NDArray[np.int16]
    trade: NDArray[np.int16]
    plain: NDArray[np.bool_]
    """Whether the name has no branch and no Latin letter, and its end."""
    full: Keys
    core: Keys
    stem: Keys
    sound: Keys
    bag: Keys
    """Of the characters of the name in whatever order."""
    phones: Rows
    """Two columns; 0 for none."""
    place: Keys
    """The road and the number in it; 0 for none."""
    road: Keys
    unit: Keys
    """Building, floor, room and what else is within the address, 16 bits each; 0 for none."""
    ids: Keys
    """Of identifiers such as a licence number; 0 for none."""

    def __len__(self) -> int:
        return len(self.lon)

    def take(self, rows: Array) -> Signs:
        """Return the signs of some rows."""
        return Signs(*(getattr(self, each.name)[rows] for each in fields(self)))

    @staticmethod
    def joined(parts: Sequence[Signs]) -> Signs:
        """Return the signs of several chunks, one behind the other."""
        if not parts:
            return signs_of([], [], [], [], [], [])
        return Signs(
            *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Signs))
        )


def signs_of(
    name: ArrayLike,
    phone: ArrayLike,
    address: ArrayLike,
    lon: ArrayLike,
    lat: ArrayLike,
    category: ArrayLike,
    ids: ArrayLike | None = None,
) -> Signs:
    """
    Return what tells merchants apart.

    Parameters
    ----------
    name, phone, address
        Texts, missing ones too.
    lon, lat
        WGS 84.
    category
        Identifiers of the taxonomy, 0 or missing where unknown.
    ids
        Identifiers that a merchant has in every list, such as a licence number.

    Returns
    -------
    signs
        One entry a row.
    """
    codes, values = pd.factorize(_texts(name), use_na_sentinel=False)
    names = [double_names.taken_apart(value) for value in values]
    hashes = {
        part: _hashes([getattr(each, part) for each in names])[codes]
        for part in ("full", "core", "stem", "sound")
    }
    letters = letters_of([each.core for each in names])[codes]
    parts = np.empty(len(names), dtype=object)
    parts[:] = [_packed(each) for each in names]
    places = _addresses(_texts(address))
    kind = pd.to_numeric(pd.Series(np.asarray(category, dtype=object)), errors="coerce").fillna(0)
    return Signs(
        lon=np.asarray(lon, dtype=np.float64),
        lat=np.asarray(lat, dtype=np.float64),
        category=kind.to_numpy(np.int32),
        parts=parts[codes],
        letters=letters,
        stem_letters=letters_of([each.stem for each in names])[codes],
        stem_length=np.array([len(each.stem) for each in names], dtype=np.int16)[codes],
        trade=np.array([each.trade for each in names], dtype=np.int16)[codes],
        plain=np.array([_is_plain(each) for each in names], dtype=bool)[codes],
        **hashes,
        bag=_bags([each.full for each in names])[codes],
        phones=_per_value(_texts(phone), phone_numbers, np.int64, 2),
        place=places[:, 0],
        road=places[:, 1],
        unit=places[:, 2],
        ids=np.zeros(len(codes), np.uint64) if ids is None else _identifiers(_texts(ids)),
    )


def _texts(values: ArrayLike) -> Array:
    series = pd.Series(values, dtype=object) if isinstance(values, list) else pd.Series(values)
    return np.asarray(series.astype(object).where(series.notna(), "").to_numpy(object))


def _hashes(texts: Sequence[str]) -> Keys:
    """Return a number for each text, 0 for the empty."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    made = pd.util.hash_array(array, categorize=False) if len(array) else np.empty(0, np.uint64)
    made[array == ""] = 0
    return made


def letters_of(texts: Sequence[str]) -> Keys:
    """Return which characters each text has, hashed onto 64 bits."""
    points = points_of(texts, 12)
    bits = np.uint64(1) << ((points * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58))
    bits[points == 0] = 0
    return np.asarray(np.bitwise_or.reduce(bits, axis=1))


def _bags(texts: Sequence[str]) -> Keys:
    points = hashed(points_of(texts, 20))
    return np.asarray(points.sum(axis=1, dtype=np.uint64))


def points_of(texts: Sequence[str], width: int) -> Keys:
    """Return the first characters of texts as numbers, a row a text, 0 past the end."""
    if not len(texts):
        return np.empty((0, width), np.uint64)
    return np.array(texts, dtype=f"U{width}").view(np.uint32).reshape(len(texts), width).astype(np.uint64)


_LATIN = re.compile("[a-z]")


def _is_plain(name: Name) -> bool:
    return not name.branch and not name.cut and not _LATIN.search(name.core)


def _packed(name: Name) -> str:
    return "\t".join(
        (name.core, name.stem, name.branch, name.marks, str(name.trade), "1" if name.cut else "")
    )


def unpacked(text: str) -> Name:
    """Return a name out of `Signs.parts`."""
    core, stem, branch, marks, trade, cut = text.split("\t")
    return Name(
        double_names.whole(core, branch),
        core,
        stem,
        int(trade),
        branch,
        marks,
        double_names.sound(stem),
        bool(cut),
    )


def _per_value(texts: Array, translate: Callable[[str], tuple[int, ...]], dtype: type, width: int) -> Array:
    """Return the numbers each text stands for, worked out once for each that is different."""
    codes, values = pd.factorize(texts, use_na_sentinel=False)
    table: Array = np.array([translate(value) for value in values], dtype=dtype).reshape(len(values), width)
    return np.asarray(table[codes])


_PHONE_BREAK = re.compile(r"[;,/、|，；\n]|\s{2,}|或")
_COUNTRY = re.compile(r"^(?:0086|086|86)")
_EXTENSION = re.compile(r"(?:转|ext\.?|分机|#|x).*$", re.I)


def phone_numbers(text: str) -> tuple[int, int]:
    """Return up to two telephone numbers without country and area codes; 0 for none."""
    if not text:
        return 0, 0
    bare = text.replace("-", "").replace(" ", "")
    if bare.isascii() and bare.isdigit() and len(bare) <= 13:
        return _subscriber(bare), 0
    found: list[int] = []
    for piece in _PHONE_BREAK.split(text):
        digits = _digits(_EXTENSION.sub("", piece))
        # Of two numbers with but a space between them neither can be longer than one with its country.
        for each in [digits] if len(digits) <= 15 else map(_digits, piece.split()):
            number = _subscriber(each)
            if number and number not in found:
                found.append(number)
    first, second, *_ = *found, 0, 0
    return first, second


def _digits(text: str) -> str:
    return "".join([str(int(char)) for char in text if char.isdecimal()])


def _subscriber(digits: str) -> int:
    """Return the number without what not every list writes; 0 of hotlines and of fillers such as 00000000."""
    if len(digits) > 11:
        digits = _COUNTRY.sub("", digits)
    if len(digits) == 12 and digits.startswith("01") and digits[2] != "0":
        digits = digits[1:]
    if digits.startswith("0") and len(digits) >= 10:
        area = 3 if digits[1] in "12" else 4
        digits = digits[area:] if len(digits) - area in (7, 8) else digits[-8:]
    elif len(digits) == 10 and digits.startswith(("10", "2")):
        digits = digits[-8:]
    elif len(digits) in (10, 11) and not digits.startswith(("1", "400", "800")):
        digits = digits[3:]
    if len(digits) < 7 or len(set(digits)) < 2 or digits.startswith(("400", "800")):
        return 0
    return int(digits[-11:])


_ROAD = re.compile(
    r"([\u4e00-\u9fff][\u4e00-\u9fff\d]{1,3}?(?:大道|大街|路|街|巷|胡同|里|道|弄|村))([东西南北中]?(?:段|路|街)?)"
)
_NUMBER = re.compile(r"^\D{0,6}?(\d+)(?:-(\d+))?")
_AREA = re.compile(
    r"^[^\d路街巷]{1,8}?(?:省|自治区|自治州|市)(?=.{3})|^[^\d路街巷]{1,4}?[区县镇乡](?=.{3})|^[^路]{1,5}?街道(?:办事处)?(?=.{4})"
)
_WITHIN = (
    re.compile(r"(\d+|[a-z])(?:号楼|栋|幢|座|单元)"),
    re.compile(r"(b?\d+)(?:层|楼|f)"),
    re.compile(r"(\d+)(?:室|房|铺|号铺|档)"),
)


def _addresses(texts: Array) -> Keys:
    """Return hashes of road with number and of road, and what is behind the number."""
    codes, values = pd.factorize(texts, use_na_sentinel=False)
    split = [_address(value) for value in values]
    table: Array = (
        np.column_stack(
            [*(_hashes([each[at] for each in split]) for at in range(2)), _units([each[2] for each in split])]
        )
        if split
        else np.empty((0, 3))
    )
    return np.asarray(table.astype(np.uint64)[codes])


def _units(texts: Sequence[str]) -> Keys:
    """Return the parts of what is behind house numbers, 16 bits each."""
    parts = [text.split("\t") if text else [""] * 4 for text in texts]
    made = np.zeros(len(texts), np.uint64)
    for at in range(4):
        made |= (_hashes([each[at] for each in parts]) & np.uint64(0xFFFF)) << np.uint64(16 * at)
    return made


def _unit(text: str) -> str:
    """Return building, floor, room and the rest of what stands behind a house number."""
    found = []
    for pattern in _WITHIN:
        part = pattern.search(text)
        found.append(part[1] if part else "")
        text = text[: part.start()] + text[part.end() :] if part else text
    return "\t".join([*found, "-".join(re.findall(r"\d+|(?<![a-z])[a-z](?![a-z])", text))])


def _address(text: str) -> tuple[str, str, str]:
    if not text:
        return "", "", ""
    plain = double_names.plain(text)
    for _ in range(4):
        shorter = _AREA.sub("", plain)
        if shorter == plain:
            break
        plain = shorter
    road = _ROAD.search(plain)
    if road is None:
        return "", "", ""
    name = road[1] + road[2]
    number = _NUMBER.match(plain[road.end() :])
    if number is None:
        return "", name, ""
    rest = _unit(plain[road.end() + number.end() :])
    return f"{name}{number[1]}", name, rest if not number[2] else f"{rest}-{number[2]}"


def _identifiers(texts: Array) -> Keys:
    bare = [re.sub(r"[\W_]+", "", text).upper() if text else "" for text in texts]
    return _hashes([text if len(set(text)) > 2 and re.search(r"\d", text) else "" for text in bare])


def hashed(keys: Keys) -> Keys:
    """Return numbers with their bits mixed."""
    with np.errstate(over="ignore"):
        h = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        return np.asarray(h ^ (h >> np.uint64(33)))
