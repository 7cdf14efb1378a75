"""What two merchants would gain by sending each other customers: counted exactly, pair by pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import inner, released
from geo.crowd import Crowd, Floats, Grid, bands_of, by_group, is_near, span
from geo.threads import in_parts

Ids = NDArray[np.int32]
Masks = NDArray[np.uint32]
Groups = NDArray[np.int8]

NO_GROUP = -1


class Shops(NamedTuple):
    """Merchants: where, how far customers come from in metres, and a mask of the groups each serves."""

    x: Floats
    y: Floats
    reach_m: Floats
    serves: Masks


class Outlook(NamedTuple):
    """
    What is known of merchants before pairs are looked at; see `outlook`.

    Parameters
    ----------
    reach_m, serves
        As the merchants have them.
    near
        People within reach, by bit of their group, a row a merchant.
    served
        Those of them each serves.
    least, fewest
        Half of what both must gain: a share of those it serves, and people.
    """

    reach_m: Floats
    serves: Masks
    near: Floats
    served: Floats
    least: float
    fewest: float


class Shared(NamedTuple):
    """
    What pairs of merchants share and gain, an entry a pair; people, by their weight.

    Parameters
    ----------
    both
        Served by both.
    gain_a
        Served by the second, of a group the first serves too, outside the first's reach.
    gain_b
        The other way round.
    group_a, group_b
        The bit of the group most of those gained are of; `NO_GROUP` where nobody is gained.
    served
        People each merchant serves, an entry a merchant.
    """

    both: Floats
    gain_a: Floats
    gain_b: Floats
    group_a: Groups
    group_b: Groups
    served: Floats

    def jaccard(self, a: Ids, b: Ids) -> Floats:
        """Return those served by both as a share of those served by either; 0 where nobody is served."""
        either = self.served[a] + self.served[b] - self.both
        return np.divide(self.both, either, out=np.zeros(len(self.both)), where=either > 0)


NO_OUTLOOK = Outlook(np.empty(0), np.empty(0, dtype=np.uint32), np.empty((0, 1)), np.empty(0), 0.0, 0.0)


def outlook(crowd: Crowd, shops: Shops, *, least: float, fewest: float) -> Outlook:
    """
    Return what tells at a glance which pairs may gain enough, so that the others are looked at last.

    Parameters
    ----------
    crowd, shops
        Customers and merchants.
    least, fewest
        What both sides must gain: a share of those they serve, and people.
    """
    near, served = _near_and_served(crowd, shops)
    return Outlook(shops.reach_m, shops.serves, near, served, least / 2.0, fewest / 2.0)


@inner
def seem_to_gain(known: Outlook, a: int, b: int, distance_m: float) -> bool:
    """Whether both would gain half of what is asked if people lived evenly; yes where nothing is known."""
    if known.served.size == 0:
        return True
    mask = known.serves[a] & known.serves[b]
    near_a, near_b = 0.0, 0.0
    for group in range(known.near.shape[1]):
        if (mask >> group) & 1:
            near_a += known.near[a, group]
            near_b += known.near[b, group]
    common = _lens(known.reach_m[a], known.reach_m[b], distance_m)
    gain_a = near_b * (1.0 - common / max(np.pi * known.reach_m[b] ** 2, 1e-9))
    gain_b = near_a * (1.0 - common / max(np.pi * known.reach_m[a] ** 2, 1e-9))
    enough = min(gain_a, gain_b) >= known.fewest
    return bool(
        enough and gain_a >= known.least * known.served[a] and gain_b >= known.least * known.served[b]
    )


@inner
def _lens(a: float, b: float, apart: float) -> float:
    """Return the area two circles have in common."""
    if apart >= a + b:
        return 0.0
    if apart <= abs(a - b):
        return float(np.pi * min(a, b) ** 2)
    to_a = (apart * apart + a * a - b * b) / (2.0 * apart)
    to_b = apart - to_a
    half = np.sqrt(max(a * a - to_a * to_a, 0.0))
    return float(a * a * np.arctan2(half, to_a) + b * b * np.arctan2(half, to_b) - apart * half)


def shared(crowd: Crowd, shops: Shops, a: Ids, b: Ids, *, known: Outlook | None = None) -> Shared:
    """
    Return what pairs of merchants share and gain.

    Parameters
    ----------
    crowd
        The customers.
    shops
        The merchants.
    a, b
        Places among them; quickest where pairs of one `a` follow each other.
    known
        The merchants' outlook, where it was worked out before.

    Notes
    -----
    Of the groups both serve, let A and B be the people within reach of each and C those within reach of both:
    then C is shared, B - C the first's gain and A - C the second's. A and B are sums of what `by_group`
    counted once per merchant; only C is counted per pair.
    """
    near, served = _near_and_served(crowd, shops) if known is None else (known.near, known.served)
    first, second = np.ascontiguousarray(a, dtype=np.int32), np.ascontiguousarray(b, dtype=np.int32)
    counts = np.zeros((3, len(first)))
    groups = np.full((2, len(first)), NO_GROUP, dtype=np.int8)
    in_parts(
        lambda start, end: _shared(crowd.grid, shops, near, first, second, start, end, counts, groups),
        len(first),
    )
    return Shared(counts[0], counts[1], counts[2], groups[0], groups[1], served)


def _near_and_served(crowd: Crowd, shops: Shops) -> tuple[Floats, Floats]:
    """Return the people within each merchant's reach, by bit of their group, and how many it serves."""
    near = by_group(crowd, shops.x, shops.y, shops.reach_m)
    bits = np.arange(near.shape[1], dtype=np.uint32)
    return near, (near * ((shops.serves[:, None] >> bits) & np.uint32(1))).sum(axis=1)


@released
def _shared(
    grid: Grid,
    shops: Shops,
    near: Floats,
    first: Ids,
    second: Ids,
    start: int,
    stop: int,
    counts: Floats,
    groups: NDArray[np.int8],
) -> None:
    both = np.zeros(near.shape[1])
    for pair in range(start, stop):
        a, b = first[pair], second[pair]
        mask = shops.serves[a] & shops.serves[b]
        if mask == 0:
            continue
        both[:] = 0.0
        _in_both(grid, shops, a, b, both)
        most_a, most_b = 0.0, 0.0
        for group in range(both.size):
            if not (mask >> group) & 1:
                continue
            gain_a, gain_b = near[b, group] - both[group], near[a, group] - both[group]
            counts[0, pair] += both[group]
            counts[1, pair] += gain_a
            counts[2, pair] += gain_b
            if gain_a > most_a:
                most_a, groups[0, pair] = gain_a, group
            if gain_b > most_b:
                most_b, groups[1, pair] = gain_b, group


@inner
def _in_both(grid: Grid, shops: Shops, a: int, b: int, found: Floats) -> None:
    """Add the people within reach of both, by group: of cells inside both their sums, of others each."""
    ax, ay, a_reach = shops.x[a], shops.y[a], shops.reach_m[a]
    bx, by, b_reach = shops.x[b], shops.y[b], shops.reach_m[b]
    if not (a_reach >= 0.0 and b_reach >= 0.0):
        return
    a_low, a_high = bands_of(grid, ay, a_reach)
    b_low, b_high = bands_of(grid, by, b_reach)
    for band in range(max(a_low, b_low), min(a_high, b_high)):
        first, left, right, end = span(grid, band, ax, ay, a_reach)
        other, other_left, other_right, other_end = span(grid, band, bx, by, b_reach)
        first, end = max(first, other), min(end, other_end)
        if first >= end:
            continue
        left, right = max(left, other_left), min(right, other_right)
        if left < right:
            for group in range(found.size):
                found[group] += grid.sums[right, group] - grid.sums[left, group]
        else:
            left = right = end
        for rim in range(2):
            low, high = (first, left) if rim == 0 else (right, end)
            for row in range(grid.starts[low], grid.starts[high]):
                if is_near(grid, row, ax, ay, a_reach) and is_near(grid, row, bx, by, b_reach):
                    found[grid.bit[row]] += grid.people[row]
