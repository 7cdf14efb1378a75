"""
Merchants that are in a list twice, or in a list and in the store: found by what tells them apart.

Pairs are looked for where they can be: rows that share a telephone number, an identifier, or a word or rare
character of their names within a few hundred metres. Each pair is then judged by its names
(`double_names`), the distance, telephone, address and category. Never are all pairs looked at, and a
crowded spot is cut up by words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from data.lists import double_names, reaching
from data.lists.double_names import (
    AGREED,
    CONFLICT,
    DIFFERENT,
    FAIR,
    GENERIC,
    OPEN,
    SAME,
    SLIP,
    STRONG,
    WEAK,
    Name,
)
from geo.errors import N_, Cancelled

POSSIBLE, PROBABLE, CERTAIN = 1, 2, 3
LEVELS = {POSSIBLE: "possible", PROBABLE: "probable", CERTAIN: "certain"}
FEW = 4  # pairs kept for a row
FAR_M = 1000.0  # beyond, only an identifier makes a pair
NEAR_M, WORD_M = 90.0, 330.0
CHUNK = 40_000
PILE = 150  # rows on one point beyond which it is a stand-in for places not known
CROWD = 40  # rows of one token and cell beyond which the token tells nothing
STRIP_M = 4000.0
METRES = 111_320.0  # a degree of latitude

Array = NDArray[Any]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Keys = NDArray[np.uint64]
Progress = Callable[[int, int], None]


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


@dataclass(frozen=True)
class Pairs:
    """
    Rows that may be one merchant.

    Parameters
    ----------
    a, b
        Of one list, `a` comes later than `b`; of two, `a` counts in the new and `b` in the stored.
    level
        POSSIBLE, PROBABLE or CERTAIN.
    score
        The higher, the surer.
    """

    a: Rows
    b: Rows
    level: NDArray[np.int8]
    score: Floats

    def __len__(self) -> int:
        return len(self.a)

    def at_least(self, level: int) -> Pairs:
        """Return the pairs of a level and above."""
        keep = self.level >= level
        return Pairs(self.a[keep], self.b[keep], self.level[keep], self.score[keep])


# --- signs ------------------------------------------------------------------------------------------------


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
    letters = _letters([each.core for each in names])[codes]
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


def _letters(texts: Sequence[str]) -> Keys:
    """Return which characters each text has, hashed onto 64 bits."""
    points = _points(texts, 12)
    bits = np.uint64(1) << ((points * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58))
    bits[points == 0] = 0
    return np.asarray(np.bitwise_or.reduce(bits, axis=1))


def _bags(texts: Sequence[str]) -> Keys:
    points = _hashed(_points(texts, 20))
    return np.asarray(points.sum(axis=1, dtype=np.uint64))


def _points(texts: Sequence[str], width: int) -> Keys:
    """Return the first characters of texts as numbers, a row a text, 0 past the end."""
    if not len(texts):
        return np.empty((0, width), np.uint64)
    return np.array(texts, dtype=f"U{width}").view(np.uint32).reshape(len(texts), width).astype(np.uint64)


def _packed(name: Name) -> str:
    return "\t".join(
        (name.core, name.stem, name.branch, name.marks, str(name.trade), "1" if name.cut else "")
    )


def _unpacked(text: str) -> Name:
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


# --- pairs ------------------------------------------------------------------------------------------------


def within(
    signs: Signs, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> Pairs:
    """
    Return which rows of a list may be one merchant.

    Parameters
    ----------
    signs
        Of the list.
    progress
        Called with the rows done and all.
    cancelled
        Asked now and then whether to stop.

    Raises
    ------
    Cancelled
        When told to stop.
    """
    return _found(signs, None, progress, cancelled)


def between(
    new: Signs,
    stored: Signs,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Pairs:
    """Return which rows of a list may be merchants of another; see `within`."""
    return _found(new, stored, progress, cancelled)


@dataclass(frozen=True)
class _Plane:
    """Positions in metres, and how common names and telephone numbers are round them."""

    x: Floats
    y: Floats
    namesakes: NDArray[np.int32]
    cousins: NDArray[np.int32]
    """How many rows round about have the word of the name."""
    hotline: NDArray[np.bool_]  # two columns
    piled: NDArray[np.bool_]
    """Whether so many rows have this very point that it is no place."""


def _found(
    new: Signs, stored: Signs | None, progress: Progress | None, cancelled: Callable[[], bool] | None
) -> Pairs:
    own = stored is None
    other = new if stored is None else stored
    if not len(new) or not len(other):
        return _no_pairs()
    plane, other_plane = _planes(new, stored)
    found, done = [], 0
    for rows, near in _chunks(plane, other_plane):
        if cancelled is not None and cancelled():
            raise Cancelled(N_("The import was stopped. Nothing of it was kept."))
        a, b = _candidates(new, other, plane, other_plane, rows, near, own)
        found.append(_judged(new, other, plane, other_plane, a, b))
        done += len(rows)
        if progress is not None:
            progress(done, len(new))
    a, b = _by_identifier(new, other, plane, other_plane, own)
    found.append(_judged(new, other, plane, other_plane, a, b))
    return _best(found, new, other)


def _no_pairs() -> Pairs:
    none = np.empty(0, np.int64)
    return Pairs(none, none, np.empty(0, np.int8), np.empty(0))


def _planes(new: Signs, stored: Signs | None) -> tuple[_Plane, _Plane]:
    both = new if stored is None else Signs.joined([new, stored])
    middle = float(np.radians(np.median(both.lat)))
    x, y = both.lon * METRES * np.cos(middle), both.lat * METRES
    tile = _mixed(np.floor(x / 3000).astype(np.int64), np.floor(y / 3000).astype(np.int64))
    namesakes, cousins = (_how_many(key, tile) for key in (both.full, both.stem))
    hotline = _hotlines(both, x, y)
    piled = _piled(both)
    sides = (slice(0, len(new)), slice(len(new), None))
    planes = [_Plane(x[own], y[own], namesakes[own], cousins[own], hotline[own], piled[own]) for own in sides]
    return planes[0], planes[0] if stored is None else planes[1]


def _how_many(keys: Keys, tile: Keys) -> NDArray[np.int32]:
    """Return how many rows of a row's tile have its key."""
    _, where, counts = np.unique(keys ^ tile, return_inverse=True, return_counts=True)
    return np.asarray(np.where(keys == 0, 1, counts[where]), dtype=np.int32)


def _piled(signs: Signs) -> NDArray[np.bool_]:
    point = _mixed(signs.lon.view(np.int64), signs.lat.view(np.int64))
    _, where, counts = np.unique(point, return_inverse=True, return_counts=True)
    return np.asarray(counts[where] > PILE)


def _hotlines(signs: Signs, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Return which telephone numbers are of many places, and tell nothing."""
    flat = signs.phones.T.ravel()
    frame = pd.DataFrame({"phone": flat, "x": np.tile(x, 2), "y": np.tile(y, 2)})
    frame = frame[frame["phone"] > 0]
    by = frame.groupby("phone")
    least, most, count = by.min(), by.max(), by.size()
    wide = np.maximum(most["x"] - least["x"], most["y"] - least["y"])
    many = count.index[((wide > 1500) & (count > 3)) | (count > 24)]
    return np.asarray(np.isin(signs.phones, many.to_numpy()))


def _mixed(x: NDArray[np.int64], y: NDArray[np.int64]) -> Keys:
    """Return one number for a cell."""
    with np.errstate(over="ignore"):
        h = x.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ y.astype(np.uint64) * np.uint64(
            0xC2B2AE3D27D4EB4F
        )
        return np.asarray((h ^ (h >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9))


def _chunks(plane: _Plane, other: _Plane) -> Iterator[tuple[Rows, Rows]]:
    """Return rows that lie together, some at a time, with the other side's rows round them."""
    strip = np.floor(plane.y / STRIP_M)
    order = np.lexsort((plane.x, strip))
    by_y = np.argsort(other.y, kind="stable")
    ys = other.y[by_y]
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        for one in _by_strip(rows, strip):
            x, y = plane.x[one], plane.y[one]
            low, high = np.searchsorted(ys, [y.min() - FAR_M, y.max() + FAR_M])
            near = by_y[low:high]
            near = near[(other.x[near] >= x.min() - FAR_M) & (other.x[near] <= x.max() + FAR_M)]
            yield one, np.sort(near)


def _by_strip(rows: Rows, strip: Floats) -> list[Rows]:
    """Cut a chunk where strips are so far apart that its box would hold everything."""
    if len(rows) < 2:
        return [rows]
    cuts = np.flatnonzero(np.diff(strip[rows])) + 1
    pieces = np.split(rows, cuts)
    return pieces if len(pieces) < 50 else [rows]


def _candidates(
    new: Signs, other: Signs, plane: _Plane, other_plane: _Plane, rows: Rows, near: Rows, own: bool
) -> tuple[Rows, Rows]:
    """Return pairs of a chunk that share a token within its reach."""
    mine, theirs = new.take(rows), other.take(near)
    x, y, u, v = plane.x[rows], plane.y[rows], other_plane.x[near], other_plane.y[near]
    found = []
    words, other_words = (_words(each.parts) for each in (mine, theirs))
    for keys_a, keys_b, reach, crowd in _tokens(mine, theirs, words, other_words):
        a, b = _sharing(keys_a, keys_b, (x, y), (u, v), reach, crowd, (rows, near) if own else None)
        found.append(_distinct(a * len(near) + b))
    pairs = _distinct(np.concatenate(found))
    a, b = np.divmod(pairs, len(near))
    keep = _worth_a_look(mine, theirs, words, other_words, a, b)
    return rows[a[keep]], near[b[keep]]


def _tokens(
    mine: Signs, theirs: Signs, words: Array, other_words: Array
) -> Iterator[tuple[Keys, Keys, float, int]]:
    """Return keys of both sides, 0 for none, with how far apart and how many may share one."""
    for column in ("full", "core", "stem", "sound", "bag"):
        yield (
            getattr(mine, column)[:, None], getattr(theirs, column)[:, None],
            FAR_M if column == "full" else WORD_M, CROWD,
        )  # fmt: skip
    yield mine.phones.astype(np.uint64), theirs.phones.astype(np.uint64), FAR_M, CROWD
    yield mine.ids[:, None], theirs.ids[:, None], FAR_M, CROWD
    points, other_points = (_points(each.tolist(), 8) for each in (words, other_words))
    yield _rare(points, other_points, NEAR_M)
    yield _bigrams(points), _bigrams(other_points), WORD_M, CROWD


def _words(parts: Array) -> Array:
    """Return the stem of each name, or what there is where it has none."""
    words = np.empty(len(parts), dtype=object)
    words[:] = [stem or core for core, stem, _ in (part.split("\t", 2) for part in parts)]
    return words


def _rare(words: Keys, others: Keys, reach: float) -> tuple[Keys, Keys, float, int]:
    """Return up to four characters a name, the rarest of it."""
    counts = np.bincount(others.ravel().astype(np.int64), minlength=0x110000)
    picked = []
    for points in (words, others):
        often = counts[points.astype(np.int64)].astype(np.float64)
        often[points == 0] = np.inf
        order = np.argsort(often, axis=1)[:, :4]
        picked.append(np.take_along_axis(points, order, axis=1))
    return picked[0], picked[1], reach, CROWD


def _bigrams(points: Keys) -> Keys:
    pairs = points[:, :-1] * np.uint64(0x110000) + points[:, 1:]
    pairs[points[:, 1:] == 0] = 0
    return np.asarray(pairs[:, :5])


def _sharing(
    keys_a: Keys,
    keys_b: Keys,
    at_a: tuple[Floats, Floats],
    at_b: tuple[Floats, Floats],
    reach: float,
    crowd: int,
    numbers: tuple[Rows, Rows] | None,
) -> tuple[Rows, Rows]:
    """
    Return rows that share a key within reach: in the same cell, or in those on the sides they are nearer to.

    With the numbers of rows of one list, only pairs of a row and an earlier one.
    """
    size = 2 * reach
    (x, y), (u, v) = at_a, at_b
    hashed_b = _hashed(keys_b) ^ _cell(u / size, v / size)[:, None]
    row_b = np.broadcast_to(np.arange(len(u))[:, None], keys_b.shape)[keys_b != 0]
    flat_b = hashed_b[keys_b != 0]
    order = np.argsort(flat_b, kind="stable")
    flat_b, row_b = flat_b[order], row_b[order]
    hashed_a = _hashed(keys_a)
    row_a = np.broadcast_to(np.arange(len(x))[:, None], keys_a.shape)[keys_a != 0]
    plain_a = hashed_a[keys_a != 0]
    cx, cy = x / size, y / size
    sx, sy = (np.where(np.mod(c, 1) < 0.5, -1, 1) for c in (cx, cy))
    number_a, number_b = numbers or (np.zeros(len(x), np.int64), np.full(len(u), -1))
    starts = np.flatnonzero(np.append(True, flat_b[1:] != flat_b[:-1])) if len(flat_b) else np.empty(0, int)
    once, ends = flat_b[starts], np.append(starts[1:], len(flat_b))
    found = []
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        wanted = plain_a ^ _cell(cx + dx * sx, cy + dy * sy)[row_a]
        at = np.minimum(np.searchsorted(once, wanted), max(len(once) - 1, 0))
        hit = np.flatnonzero(once[at] == wanted) if len(once) else np.empty(0, int)
        low, high = starts[at[hit]], ends[at[hit]]
        high = np.minimum(high, low + crowd)
        near = (row_a[hit], row_b, low, high, x, y, u, v, number_a, number_b, reach)
        a, b = np.empty((2, reaching.count(*near)), np.int64)
        reaching.fill(*near, a, b)
        found.append((a, b))
    a, b = (np.concatenate(each) for each in zip(*found, strict=True))
    return a, b


def _distinct(values: Rows) -> Rows:
    """Return each value once, in order: by sorting, which takes a fifth of what hashing millions does."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return np.asarray(ordered[first])


def _hashed(keys: Keys) -> Keys:
    with np.errstate(over="ignore"):
        h = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        return np.asarray(h ^ (h >> np.uint64(33)))


def _cell(x: Floats, y: Floats) -> Keys:
    return _mixed(np.floor(x).astype(np.int64), np.floor(y).astype(np.int64))


def _spread(row_a: Rows, row_b: Rows, low: Rows, high: Rows, crowd: int) -> tuple[Rows, Rows]:
    """Return every row with each of the other side's rows from `low` to `high`, of a crowd only some."""
    count = np.minimum(high - low, crowd)
    a = np.repeat(row_a, count)
    step = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count)
    return a, row_b[np.repeat(low, count) + step]


def _worth_a_look(
    mine: Signs, theirs: Signs, words: Array, other_words: Array, a: Rows, b: Rows
) -> NDArray[np.bool_]:
    """Return which pairs have a number in common, or names half alike."""
    sure = (mine.full[a] == theirs.full[b]) | (mine.ids[a] == theirs.ids[b]) & (mine.ids[a] != 0)
    for column in ("core", "stem", "sound", "bag"):
        key = getattr(mine, column)[a]
        sure |= (key == getattr(theirs, column)[b]) & (key != 0)
    sure |= _same_phone(mine.phones[a], theirs.phones[b])
    p, q = mine.letters[a], theirs.letters[b]
    least = np.minimum(np.bitwise_count(p), np.bitwise_count(q))
    alike = ~sure & (np.bitwise_count(p & q) * 2 >= least)
    at = np.flatnonzero(alike)
    first, second = words[a[at]], other_words[b[at]]
    half = process.cpdist(first, second, scorer=fuzz.ratio, score_cutoff=50)
    # Names of two words that share one of them are half alike: that alone makes no pair.
    words_of_two = np.flatnonzero(half == 50)
    alike[at] = half >= 50
    two = at[words_of_two]
    alike[two] = (_lengths(words)[a[two]] < 4) | (_lengths(other_words)[b[two]] < 4)
    return np.asarray(sure | alike)


def _lengths(texts: Array) -> NDArray[np.int64]:
    return np.fromiter(map(len, texts), np.int64, count=len(texts))


def _same_phone(p: Rows, q: Rows) -> NDArray[np.bool_]:
    same = np.zeros(len(p), dtype=bool)
    for i in (0, 1):
        for j in (0, 1):
            same |= (p[:, i] == q[:, j]) & (p[:, i] != 0)
    return same


def _by_identifier(
    new: Signs, other: Signs, plane: _Plane, other_plane: _Plane, own: bool
) -> tuple[Rows, Rows]:
    """Return pairs with one identifier, farther apart than anything else makes a pair."""
    has, their = np.flatnonzero(new.ids), np.flatnonzero(other.ids)
    order = their[np.argsort(other.ids[their], kind="stable")]
    low, high = (np.searchsorted(other.ids[order], new.ids[has], side=side) for side in ("left", "right"))
    a, b = _spread(has, order, low, high, 6)
    far = np.hypot(plane.x[a] - other_plane.x[b], plane.y[a] - other_plane.y[b])
    keep = far > FAR_M
    if own:
        keep &= a > b
    return a[keep], b[keep]


# --- judging ----------------------------------------------------------------------------------------------

_NAME_WORTH = {CONFLICT: -6.0, DIFFERENT: -4.0, GENERIC: 0.8, WEAK: 0.5, FAIR: 3.0, STRONG: 5.0, SAME: 6.0}
_TRADE_WORTH = 0.6  # of one category
_DISTANCE_M = (0.0, 15.0, 40.0, 80.0, 150.0, 300.0, 600.0, 1000.0, 3000.0)
_DISTANCE_WORTH = (2.6, 2.4, 1.8, 1.0, 0.0, -1.2, -3.0, -4.0, -7.0)
CERTAIN_FROM, PROBABLE_FROM, POSSIBLE_FROM = 7.4, 3.75, 2.0


def _judged(new: Signs, other: Signs, plane: _Plane, other_plane: _Plane, a: Rows, b: Rows) -> pd.DataFrame:
    """Return pairs with their score and level, without those that are none."""
    far = np.hypot(plane.x[a] - other_plane.x[b], plane.y[a] - other_plane.y[b])
    phone = _phones(new, other, plane, other_plane, a, b)
    licence = (new.ids[a] == other.ids[b]) & (new.ids[a] != 0)
    place = _places(new, other, a, b)
    rest = _nearness(plane, other_plane, a, b, far, place) + phone + place + 7.0 * licence
    keep = _worth_naming(new, other, a, b, rest, (phone > 1) | licence)
    a, b, licence = a[keep], b[keep], licence[keep]
    far, phone, place, rest = far[keep], phone[keep], place[keep], rest[keep]
    names, remark = _relations(new, other, a, b)
    # A character off is a slip where the telephone or the address is the same, else another name.
    slip = (remark == SLIP) & (((phone > 1) & (place >= 0)) | ((place > 1) & (phone >= 0) & (far < 150)))
    names = np.where(slip, FAIR, names)
    score = np.array([_NAME_WORTH[each] for each in range(CONFLICT, SAME + 1)])[names - CONFLICT]
    score = score + rest + _trades(new, other, a, b, names)
    called = np.where(names == SAME, plane.namesakes[a], plane.cousins[a])
    other_called = np.where(names == SAME, other_plane.namesakes[b], other_plane.cousins[b])
    often = np.maximum(np.maximum(called, other_called), 4) / 4.0
    score -= np.minimum(np.log2(often), 3.0) * (names >= FAIR) * (phone <= 1) * (remark != AGREED)
    level = np.searchsorted([POSSIBLE_FROM, PROBABLE_FROM, CERTAIN_FROM], score, side="right")
    level = np.minimum(level, _most(names, phone, place, licence, remark == OPEN, far))
    sure = (phone > 1) & (place > 1)
    level = np.where(slip & ~sure, np.minimum(level, PROBABLE), level)
    keep = level > 0
    made: dict[str, Array] = {
        "a": a,
        "b": b,
        "level": level.astype(np.int8),
        "score": score,
        "open": remark == OPEN,
    }
    return pd.DataFrame({column: values[keep] for column, values in made.items()})


def _worth_naming(
    new: Signs, other: Signs, a: Rows, b: Rows, rest: Floats, called: Array
) -> NDArray[np.bool_]:
    """
    Return the pairs whose names can make a difference: to compare them is what takes longest.

    None where the rest speaks against them more than the likest names for them; and where names half alike
    would be too little, none whose names are plainly no more than that.
    """
    likest = np.where(new.full[a] == other.full[b], _NAME_WORTH[SAME], _NAME_WORTH[STRONG])
    keep = called | (rest + likest + _TRADE_WORTH >= POSSIBLE_FROM)
    half = max(_NAME_WORTH[WEAK], _NAME_WORTH[GENERIC])
    asked = np.flatnonzero(keep & ~called & (rest + half + _TRADE_WORTH < POSSIBLE_FROM))
    keep[asked] = _may_be_like(new, other, a[asked], b[asked])
    return keep


def _may_be_like(new: Signs, other: Signs, a: Rows, b: Rows) -> NDArray[np.bool_]:
    """
    Return which names may be FAIR or better, by what `double_names.relation` asks of names without branches.

    Of names with branches, cut ones and those with Latin letters all may.
    """
    one, two = (_Bare.of(signs, rows) for signs, rows in ((new, a), (other, b)))
    apart = process.cpdist(one.stem, two.stem, scorer=Levenshtein.distance, score_cutoff=2)
    short, long = np.minimum(one.length, two.length), np.maximum(one.length, two.length)
    typo = (apart == 1) & (short > 2)
    two_long = np.flatnonzero((apart == 1) & (long == 2))
    typo[two_long] = double_names.look_alike(one.stem[two_long], two.stem[two_long])
    stem = (apart == 0) | typo | ((apart == 2) & (long > 4))
    stem |= (one.letters == two.letters) & (one.length == two.length)
    stem |= (new.sound[a] == other.sound[b]) & (new.sound[a] != 0)
    stem &= (one.trade == two.trade) | (one.trade == 0) | (two.trade == 0)
    p, q = new.letters[a], other.letters[b]
    core = process.cpdist(one.core, two.core, scorer=Levenshtein.distance, score_cutoff=1) < 2
    nested = np.flatnonzero((p & q == p) | (p & q == q))
    pairs = zip(one.core[nested], two.core[nested], strict=True)
    starts = (x.startswith(y) or y.startswith(x) for x, y in pairs)
    core[nested] |= np.fromiter(starts, dtype=bool, count=len(nested))
    return np.asarray(stem | core | (p == q) | ~one.plain | ~two.plain)


class _Bare(NamedTuple):
    """Names without what is said beside them, one entry a pair."""

    core: Array
    stem: Array
    length: NDArray[np.int64]
    """Of the stem."""
    letters: Keys
    """Of the stem."""
    trade: NDArray[np.int64]
    plain: NDArray[np.bool_]

    @classmethod
    def of(cls, signs: Signs, rows: Rows) -> _Bare:
        """Take the names of some rows apart, each once."""
        known, where = np.unique(rows, return_inverse=True)
        parts = [part.split("\t") for part in signs.parts[known]]
        text = np.array([(core, stem) for core, stem, *_ in parts], dtype=object).reshape(-1, 2)
        plain = [not branch and not cut and not _LATIN.search(core) for core, _, branch, _, _, cut in parts]
        stems = text[:, 1].tolist()
        return cls(
            text[where, 0],
            text[where, 1],
            np.array([len(stem) for stem in stems], dtype=np.int64)[where],
            _letters(stems)[where],
            np.array([int(each[4]) for each in parts], dtype=np.int64)[where],
            np.array(plain, dtype=bool)[where],
        )


_LATIN = re.compile("[a-z]")


def _nearness(plane: _Plane, other: _Plane, a: Rows, b: Rows, far: Floats, place: Floats) -> Floats:
    """Return what the distance says: nothing against one address, nothing for a point of a hundred rows."""
    worth = np.interp(far, _DISTANCE_M, _DISTANCE_WORTH)
    worth = np.where((place > 1) & (far < 600), np.maximum(worth, 0.0), worth)
    return np.asarray(np.where(plane.piled[a] & other.piled[b], np.minimum(worth, 0.0), worth))


def _relations(new: Signs, other: Signs, a: Rows, b: Rows) -> tuple[Array, Array]:
    """Return how the names of pairs stand to each other, and what their branches add."""
    found = np.empty((len(a), 2), dtype=np.int8)
    known: dict[tuple[str, str], tuple[int, int]] = {}
    unpacked: dict[str, Name] = {}
    for at, key in enumerate(zip(new.parts[a], other.parts[b], strict=True)):
        one = known.get(key)
        if one is None:
            names = [unpacked.get(part) or unpacked.setdefault(part, _unpacked(part)) for part in key]
            one = known[key] = double_names.relation(*names)
        found[at] = one
    return found[:, 0], found[:, 1]


def _phones(new: Signs, other: Signs, plane: _Plane, other_plane: _Plane, a: Rows, b: Rows) -> Floats:
    p, q = new.phones[a], other.phones[b]
    same = _same_phone(p, q)
    hot = same & plane.hotline[a].any(axis=1) & other_plane.hotline[b].any(axis=1)
    both = (p[:, 0] != 0) & (q[:, 0] != 0)
    return np.asarray(np.where(same, np.where(hot, 0.5, 5.0), np.where(both, -1.2, 0.0)))


def _places(new: Signs, other: Signs, a: Rows, b: Rows) -> Floats:
    """Return what the addresses say."""
    p, q = new.place[a], other.place[b]
    r, s = new.road[a], other.road[b]
    both = (p != 0) & (q != 0)
    same = both & (p == q)
    apart, agreed = _within_the_house(new.unit[a], other.unit[b])
    here = np.where(apart, -1.5, np.where(agreed, 3.0, 2.2))
    return np.asarray(np.where(same, here, np.where(both & (r == s), -2.2, np.where(both, -0.8, 0.0))))


def _within_the_house(p: Keys, q: Keys) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where building, floor or room differ, and where one is the same and none differs."""
    apart, agreed = np.zeros((2, len(p)), dtype=bool)
    for at in range(4):
        x, y = ((each >> np.uint64(16 * at)) & np.uint64(0xFFFF) for each in (p, q))
        known = (x != 0) & (y != 0)
        apart |= known & (x != y)
        agreed |= known & (x == y)
    return apart, agreed & ~apart


def _trades(new: Signs, other: Signs, a: Rows, b: Rows, names: Array) -> Floats:
    """Return what the categories say; little where the names already say one trade."""
    p, q = new.category[a], other.category[b]
    known = (p > 0) & (q > 0)
    group_p, group_q = (np.where(each >= 100, each // 100, each) for each in (p, q))
    against = np.where(names >= FAIR, -0.6, -1.2)
    return np.asarray(
        np.where(known, np.where(p == q, _TRADE_WORTH, np.where(group_p == group_q, 0.0, against)), 0.0)
    )


def _most(
    names: Array, phone: Floats, place: Floats, licence: Array, open_ended: Array, far: Floats
) -> NDArray[np.int64]:
    """Return the highest level a pair can have, whatever its score."""
    most = np.full(len(names), CERTAIN)
    called = (phone > 1) | licence
    most[(names <= FAIR) & ~called] = PROBABLE
    most[open_ended & ~called] = PROBABLE
    most[(names == WEAK) & ~licence] = PROBABLE
    most[(names == WEAK) & ~called] = POSSIBLE
    # Two of the same general word on one spot are one, where nothing speaks against it.
    on_one_spot = (far < 6) & (phone >= 0) & (place >= 0)
    most[(names == GENERIC) & ~called & (place < 1) & ~on_one_spot] = POSSIBLE
    most[(names == DIFFERENT) & ~licence] = POSSIBLE
    most[names == CONFLICT] = POSSIBLE
    # Another address speaks for another branch, unless it is round the corner or the telephone is one.
    elsewhere = (place < 0) & ~licence
    most[elsewhere & ~called & (far > 150)] = POSSIBLE
    most[elsewhere & (names <= WEAK) & (far > 60)] = POSSIBLE
    # One point for two addresses is a stand-in for both: with two telephones as well they are two.
    most[elsewhere & (phone < 0) & (far < 6)] = POSSIBLE
    # Branches of one company may stand in a list under its one licence.
    most[licence & (phone <= 1) & (place < 0) & (most == CERTAIN)] = PROBABLE
    most[(names == CONFLICT) & ~called] = 0
    most[(names == DIFFERENT) & ~called] = 0
    most[(far > 200) & ~called & (most == CERTAIN)] = PROBABLE
    return most


def _best(found: list[pd.DataFrame], new: Signs, other: Signs) -> Pairs:
    """Return the best few pairs of each row."""
    pairs = _unopened(pd.concat(found, ignore_index=True), new, other)
    pairs = pairs.sort_values(["a", "score", "b"], ascending=[True, False, True], kind="stable")
    pairs = pairs[pairs.groupby("a").cumcount() < FEW]
    return Pairs(
        pairs["a"].to_numpy(np.int64),
        pairs["b"].to_numpy(np.int64),
        pairs["level"].to_numpy(np.int8),
        pairs["score"].to_numpy(np.float64),
    )


def _unopened(pairs: pd.DataFrame, new: Signs, other: Signs) -> pd.DataFrame:
    """Mark down what leaves a name open where the row goes better with one that this one is not."""
    probable = pairs[pairs["level"] >= PROBABLE]
    for side, partner, signs in (("a", "b", other), ("b", "a", new)):
        left = probable[probable["open"] & (probable["level"] == PROBABLE)]
        rival = left.reset_index().merge(probable, on=side, suffixes=("", "_rival"))
        rival = rival[(rival["score_rival"] > rival["score"]) & (rival[partner] != rival[f"{partner}_rival"])]
        names, _ = _relations(
            signs, signs, rival[partner].to_numpy(np.int64), rival[f"{partner}_rival"].to_numpy(np.int64)
        )
        pairs.loc[rival["index"][names == CONFLICT].unique(), "level"] = POSSIBLE
    return pairs
