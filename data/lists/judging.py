"""How surely two rows are one merchant: by names, the distance, telephone, address and category."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from data.lists import double_names
from data.lists.candidates import Plane, same_phone
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
from data.lists.signs import Array, Floats, Keys, Rows, Signs, unpacked

POSSIBLE, PROBABLE, CERTAIN = 1, 2, 3
LEVELS = {POSSIBLE: "possible", PROBABLE: "probable", CERTAIN: "certain"}
_NAME_WORTH = {CONFLICT: -6.0, DIFFERENT: -4.0, GENERIC: 0.8, WEAK: 0.5, FAIR: 3.0, STRONG: 5.0, SAME: 6.0}
_TRADE_WORTH = 0.6  # of one category
_DISTANCE_M = (0.0, 15.0, 40.0, 80.0, 150.0, 300.0, 600.0, 1000.0, 3000.0)
_DISTANCE_WORTH = (2.6, 2.4, 1.8, 1.0, 0.0, -1.2, -3.0, -4.0, -7.0)
CERTAIN_FROM, PROBABLE_FROM, POSSIBLE_FROM = 7.4, 3.75, 2.0


def judged(new: Signs, other: Signs, plane: Plane, other_plane: Plane, a: Rows, b: Rows) -> pd.DataFrame:
    """Return pairs with their score and level, without those that are none."""
    far = np.hypot(plane.x[a] - other_plane.x[b], plane.y[a] - other_plane.y[b])
    phone = _phones(new, other, plane, other_plane, a, b)
    licence = (new.ids[a] == other.ids[b]) & (new.ids[a] != 0)
    place = _places(new, other, a, b)
    rest = _nearness(plane, other_plane, a, b, far, place) + phone + place + 7.0 * licence
    keep = _worth_naming(new, other, a, b, rest, (phone > 1) | licence)
    a, b, licence = a[keep], b[keep], licence[keep]
    far, phone, place, rest = far[keep], phone[keep], place[keep], rest[keep]
    names, remark = relations(new, other, a, b)
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
    p, q, m, n = new.letters[a], other.letters[b], new.stem_length[a], other.stem_length[b]
    shared = np.bitwise_count(p & q)
    nested = (shared == np.bitwise_count(p)) | (shared == np.bitwise_count(q))
    core = np.flatnonzero(_within(p, q, 1) | nested)
    like = (p == q) | ~new.plain[a] | ~other.plain[b]
    like[core] |= _cores_alike(_texts(new, a[core], 0), _texts(other, b[core], 0), nested[core])
    p, q = new.stem_letters[a], other.stem_letters[b]
    stem = ((p == q) & (m == n)) | ((new.sound[a] == other.sound[b]) & (new.sound[a] != 0))
    near = np.flatnonzero(_within(p, q, 2))
    short, long = np.minimum(m, n)[near], np.maximum(m, n)[near]
    stem[near] |= _stems_alike(_texts(new, a[near], 1), _texts(other, b[near], 1), short, long)
    trades = (new.trade[a] == other.trade[b]) | (new.trade[a] == 0) | (other.trade[b] == 0)
    return np.asarray(like | (stem & trades))


def _within(p: Keys, q: Keys, edits: int) -> NDArray[np.bool_]:
    """Return which texts can be so many edits apart, by their letters: an edit changes two bits at most."""
    return np.asarray(np.bitwise_count(p ^ q) <= 2 * edits)


def _cores_alike(one: Array, two: Array, nested: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which names are an edit apart, or one the beginning of the other."""
    alike = process.cpdist(one, two, scorer=Levenshtein.distance, score_cutoff=1) < 2
    at = np.flatnonzero(nested)
    starts = (x.startswith(y) or y.startswith(x) for x, y in zip(one[at], two[at], strict=True))
    alike[at] |= np.fromiter(starts, dtype=bool, count=len(at))
    return np.asarray(alike)


def _stems_alike(one: Array, two: Array, short: Array, long: Array) -> NDArray[np.bool_]:
    """Return which words are one, or a slip or two apart."""
    apart = process.cpdist(one, two, scorer=Levenshtein.distance, score_cutoff=2)
    typo = (apart == 1) & (short > 2)
    of_two = np.flatnonzero((apart == 1) & (long == 2))
    typo[of_two] = double_names.look_alike(one[of_two], two[of_two])
    return np.asarray((apart == 0) | typo | ((apart == 2) & (long > 4)))


def _texts(signs: Signs, rows: Rows, part: int) -> Array:
    """Return the core (0) or the stem (1) of some rows' names, each name taken apart once."""
    known, where = np.unique(rows, return_inverse=True)
    texts = np.empty(len(known), dtype=object)
    texts[:] = [name.split("\t", part + 1)[part] for name in signs.parts[known]]
    return np.asarray(texts[where])


def _nearness(plane: Plane, other: Plane, a: Rows, b: Rows, far: Floats, place: Floats) -> Floats:
    """Return what the distance says: nothing against one address, nothing for a point of a hundred rows."""
    worth = np.interp(far, _DISTANCE_M, _DISTANCE_WORTH)
    worth = np.where((place > 1) & (far < 600), np.maximum(worth, 0.0), worth)
    return np.asarray(np.where(plane.piled[a] & other.piled[b], np.minimum(worth, 0.0), worth))


def relations(new: Signs, other: Signs, a: Rows, b: Rows) -> tuple[Array, Array]:
    """Return how the names of pairs stand to each other, and what their branches add."""
    found = np.empty((len(a), 2), dtype=np.int8)
    known: dict[tuple[str, str], tuple[int, int]] = {}
    names_of: dict[str, Name] = {}
    for at, key in enumerate(zip(new.parts[a], other.parts[b], strict=True)):
        one = known.get(key)
        if one is None:
            names = [names_of.get(part) or names_of.setdefault(part, unpacked(part)) for part in key]
            one = known[key] = double_names.relation(*names)
        found[at] = one
    return found[:, 0], found[:, 1]


def _phones(new: Signs, other: Signs, plane: Plane, other_plane: Plane, a: Rows, b: Rows) -> Floats:
    p, q = new.phones[a], other.phones[b]
    same = same_phone(p, q)
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
