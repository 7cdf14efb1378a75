"""
Pairs of merchants worth a look: rows near each other that share something.

A telephone number, an identifier, or a word or rare character of their names, within a few hundred metres.
Never are all pairs looked at: rows lie in pieces of ground, and a crowded spot is cut up by words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from data.lists import reaching
from data.lists.signs import Array, Floats, Keys, Rows, Signs, hashed, points_of

FAR_M = 1000.0  # beyond, only an identifier makes a pair
NEAR_M, WORD_M = 90.0, 330.0
CHUNK = 40_000
PILE = 150  # rows on one point beyond which it is a stand-in for places not known
CROWD = 40  # rows of one token and cell beyond which the token tells nothing
STRIP_M = 4000.0
METRES = 111_320.0  # a degree of latitude


@dataclass(frozen=True)
class Plane:
    """Positions in metres, and how common names and telephone numbers are round them."""

    x: Floats
    y: Floats
    namesakes: NDArray[np.int32]
    cousins: NDArray[np.int32]
    """How many rows round about have the word of the name."""
    hotline: NDArray[np.bool_]  # two columns
    piled: NDArray[np.bool_]
    """Whether so many rows have this very point that it is no place."""

    def take(self, rows: Rows) -> Plane:
        """Return what is known of some rows."""
        return Plane(*(getattr(self, each.name)[rows] for each in fields(self)))


class Piece(NamedTuple):
    """Rows that lie together, with the other side's rows round them, and all that is known of them."""

    rows: Rows
    near: Rows
    mine: Signs
    theirs: Signs
    plane: Plane
    other_plane: Plane
    own: bool
    """Whether both sides are of one list."""


def planes_of(new: Signs, stored: Signs | None) -> tuple[Plane, Plane]:
    """Return where the rows of both sides are, on one plane."""
    both = new if stored is None else Signs.joined([new, stored])
    middle = float(np.radians(np.median(both.lat)))
    x, y = both.lon * METRES * np.cos(middle), both.lat * METRES
    tile = _mixed(np.floor(x / 3000).astype(np.int64), np.floor(y / 3000).astype(np.int64))
    namesakes, cousins = (_how_many(key, tile) for key in (both.full, both.stem))
    hotline = _hotlines(both, x, y)
    piled = _piled(both)
    sides = (slice(0, len(new)), slice(len(new), None))
    planes = [Plane(x[own], y[own], namesakes[own], cousins[own], hotline[own], piled[own]) for own in sides]
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


def pieces_of(new: Signs, other: Signs, plane: Plane, other_plane: Plane, *, own: bool) -> Iterator[Piece]:
    """Yield rows that lie together, some at a time, with the other side's rows round them."""
    for rows, near in _chunks(plane, other_plane):
        mine, theirs = new.take(rows), other.take(near)
        yield Piece(rows, near, mine, theirs, plane.take(rows), other_plane.take(near), own)


def _chunks(plane: Plane, other: Plane) -> Iterator[tuple[Rows, Rows]]:
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


def candidates(piece: Piece) -> tuple[Rows, Rows]:
    """Return pairs of a piece that share a token within its reach, by where they stand in it."""
    mine, theirs, count = piece.mine, piece.theirs, len(piece.near)
    at, other_at = ((plane.x, plane.y) for plane in (piece.plane, piece.other_plane))
    numbers = (piece.rows, piece.near) if piece.own else None
    found = []
    words, other_words = (_words(each.parts) for each in (mine, theirs))
    for keys_a, keys_b, reach, crowd in _tokens(mine, theirs, words, other_words):
        a, b = _sharing(keys_a, keys_b, at, other_at, reach, crowd, numbers)
        found.append(_distinct(a * count + b))
    a, b = np.divmod(_distinct(np.concatenate(found)), count)
    keep = _worth_a_look(mine, theirs, words, other_words, a, b)
    return a[keep], b[keep]


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
    points, other_points = (points_of(each.tolist(), 8) for each in (words, other_words))
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
    hashed_b = hashed(keys_b) ^ _cell(u / size, v / size)[:, None]
    row_b = np.broadcast_to(np.arange(len(u))[:, None], keys_b.shape)[keys_b != 0]
    flat_b = hashed_b[keys_b != 0]
    order = np.argsort(flat_b, kind="stable")
    flat_b, row_b = flat_b[order], row_b[order]
    hashed_a = hashed(keys_a)
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
    sure |= same_phone(mine.phones[a], theirs.phones[b])
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


def same_phone(p: Rows, q: Rows) -> NDArray[np.bool_]:
    """Return which pairs have one of their numbers in common."""
    same = np.zeros(len(p), dtype=bool)
    for i in (0, 1):
        for j in (0, 1):
            same |= (p[:, i] == q[:, j]) & (p[:, i] != 0)
    return same


def by_identifier(
    new: Signs, other: Signs, plane: Plane, other_plane: Plane, *, own: bool
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
