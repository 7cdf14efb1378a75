"""
Proof of a list's datum: numbers of one town look alike in all three, so nothing is guessed.

Four things prove it: the file's own words, two datums in one row, a declared CRS that only official
data have, and thirty rows that match what the branch has under exactly one conversion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.meaning import headers as header_words
from data.meaning.headers import Pair
from geo.catchment import GEOD
from geo.datum import DATUMS, convert
from geo.errors import N_

Floats = NDArray[np.float64]

MATCHES_NEEDED = 30
MATCHES_AGREE = 0.9  # of the rows that match under any one datum
NEAR_M = 100.0  # how far two lists may place one shop
CLEARLY_NEARER = 2.0
SAME_POINT_M = 5.0  # coordinates of one row in two datums, rounded as lists round them
PAIR_ROWS = 5  # and there must be so many of them
CGCS2000 = frozenset({4490, 4479, 4480, *range(4491, 4555)})  # official; WGS 84 here to within a metre

HOW = {
    "stated": N_("stated by the user"),
    "words": N_("the file's own words"),
    "crs": N_("the file's declared CRS"),
    "metres": N_("metres of a projection that only official data use"),
    "pair": N_("two datums in one row"),
    "matches": N_("rows that match what the branch has"),
}


class Proof(NamedTuple):
    """A datum and what proves it, a key of `HOW`; both None when nothing does."""

    datum: str | None = None
    how: str | None = None


def by_words(pair: Pair | None, headers: Sequence[str], *names: str | None) -> Proof:
    """
    Return what the file says of itself.

    Parameters
    ----------
    pair
        The coordinate columns: what they name goes before everything else.
    headers
        All headers.
    names
        The names of file and sheet.
    """
    if pair is not None and pair.datum:
        return Proof(pair.datum, "words")
    named: set[str] = set()
    for text in (*headers, *names):
        named |= header_words.named_datums(text or "")
    return Proof(named.pop(), "words") if len(named) == 1 else Proof()


def by_crs(epsg: int | None) -> Proof:
    """Return what a declared CRS proves: 4326 nothing, since shifted lists carry it too; others WGS 84."""
    if epsg is None or epsg in (4326, 3857, 900913):
        return Proof()
    return Proof("wgs84", "crs")


def by_pair(first: tuple[Floats, Floats], second: tuple[Floats, Floats], named: str | None) -> Proof:
    """
    Return the datum of the first coordinates of each row, told by the second ones.

    Parameters
    ----------
    first, second
        Longitudes and latitudes; NaN where a row has none.
    named
        The datum of the second, if its header says so.
    """
    good = np.isfinite(first[0]) & np.isfinite(first[1]) & np.isfinite(second[0]) & np.isfinite(second[1])
    if good.sum() < PAIR_ROWS:
        return Proof()
    a = first[0][good], first[1][good]
    b = second[0][good], second[1][good]
    fits = [
        one
        for one in DATUMS
        for other in DATUMS
        if (named in (None, other)) and (named is not None or one != other) and _same(a, one, b, other)
    ]
    return Proof(fits[0], "pair") if len(set(fits)) == 1 else Proof()


def _apart_m(lon: Floats, lat: Floats, other_lon: Floats, other_lat: Floats) -> Floats:
    return np.asarray(GEOD.inv(lon, lat, other_lon, other_lat)[2], dtype=np.float64)


def _same(a: tuple[Floats, Floats], one: str, b: tuple[Floats, Floats], other: str) -> bool:
    apart = _apart_m(*convert(*a, one, "wgs84"), *convert(*b, other, "wgs84"))
    return bool(np.nanquantile(apart, 0.9) < SAME_POINT_M)


def by_matches(lon: Floats, lat: Floats, known_lon: Floats, known_lat: Floats) -> Proof:
    """
    Return the datum under which rows lie where the branch has the same names.

    Parameters
    ----------
    lon, lat
        Of the list, rows whose name the branch knows once and the list has once.
    known_lon, known_lat
        Of the branch, WGS 84, row by row.
    """
    if len(lon) < MATCHES_NEEDED:
        return Proof()
    apart = np.array([_apart_m(*convert(lon, lat, datum, "wgs84"), known_lon, known_lat) for datum in DATUMS])
    order = np.sort(apart, axis=0)
    clear = (
        (order[0] <= NEAR_M) & (order[1] >= CLEARLY_NEARER * order[0]) & (order[1] > order[0] + SAME_POINT_M)
    )
    votes = np.bincount(np.argmin(apart, axis=0)[clear], minlength=len(DATUMS))
    winner = int(np.argmax(votes))
    if votes[winner] < MATCHES_NEEDED or votes[winner] < MATCHES_AGREE * votes.sum():
        return Proof()
    return Proof(DATUMS[winner], "matches")


def candidates(lon: float, lat: float) -> dict[str, tuple[float, float]]:
    """Return where a position lies in WGS 84 under each datum."""
    found = {}
    for datum in DATUMS:
        x, y = convert([lon], [lat], datum, "wgs84")
        found[datum] = (round(float(x[0]), 6), round(float(y[0]), 6))
    return found
