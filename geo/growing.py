"""A plan to start from: centres spread out, blocks to the nearest with room left, each zone one piece."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 30
_MOST_PAIRS = 5_000_000  # distances held at once


def spread(
    x: Floats,
    y: Floats,
    load: Floats,
    fixed: Ints,
    random: np.random.Generator,
    *,
    never: Ints | tuple[()] = (),
) -> Ints:
    """
    Return a centre block per zone, far from one another, likelier where much weighs.

    Parameters
    ----------
    x, y, load
        Of the blocks; metres, and what they weigh.
    fixed
        Per zone the block that it has to start from, -1 where any will do.
    never
        Blocks that are no centre.
    """
    chosen, out = fixed.copy(), np.asarray(never, dtype=np.int64)
    away = np.full(x.size, np.inf)
    for block in chosen[chosen >= 0]:
        away = np.minimum(away, np.hypot(x - x[block], y - y[block]))
    for zone in np.flatnonzero(chosen < 0):
        chance = np.where(np.isinf(away), 1.0, away**2) * (load + load.mean() * 0.05 + 1e-12)
        chance[chosen[chosen >= 0]], chance[out] = 0.0, 0.0
        if chance.sum() <= 0.0:  # all that is left lies on a centre
            chance = np.ones(x.size)
            chance[chosen[chosen >= 0]], chance[out] = 0.0, 0.0
        block = int(random.choice(x.size, p=chance / chance.sum()))
        chosen[zone] = block
        away = np.minimum(away, np.hypot(x - x[block], y - y[block]))
    return chosen


def shared_out(
    x: Floats, y: Floats, mass: Floats, load: Floats, centres: Ints, ideal: Floats, fixed: Ints
) -> Ints:
    """
    Return a zone per block: the nearest centre, nearness discounted until each zone has about its ideal.

    Centres follow their blocks. Zones may be in pieces: see `mended`.
    """
    at_x, at_y = x[centres].copy(), y[centres].copy()
    discount = np.zeros(centres.size)
    spacing = float(np.sqrt(np.ptp(x) * np.ptp(y) / centres.size)) or 1.0
    zone = np.zeros(x.size, dtype=np.int64)
    for turn in range(_ROUNDS):
        zone = _nearest(x, y, at_x, at_y, discount)
        held = np.bincount(zone, weights=load, minlength=centres.size)
        gain = 0.35 if turn < _ROUNDS * 2 // 3 else 0.15
        discount += gain * spacing * np.clip((held - ideal) / ideal, -1.0, 1.0)
        discount -= discount.mean()
        if turn < _ROUNDS * 2 // 3:
            pull = mass + mass.mean() * 1e-3 + 1e-12
            total = np.bincount(zone, weights=pull, minlength=centres.size)
            free = (total > 0.0) & (fixed < 0)
            for at, coordinate in ((at_x, x), (at_y, y)):
                middle = np.bincount(zone, weights=pull * coordinate, minlength=centres.size)
                at[free] = middle[free] / total[free]
    return zone


def halved(x: Floats, y: Floats, load: Floats, shares: Floats) -> Ints:
    """
    Return a zone per block by straight cuts, each across the longer side, that part what blocks weigh.

    Balanced however unevenly that lies, and less compact than `shared_out`. `shares` are the zones' parts in
    the whole.
    """
    zone = np.zeros(x.size, dtype=np.int64)
    waiting = [(np.arange(x.size), 0, shares.size)]
    weight = load + max(float(load.sum()), 1.0) * 1e-9
    while waiting:
        inside, first, count = waiting.pop()
        if count == 1:
            zone[inside] = first
            continue
        across = [
            np.average(
                (at[inside] - np.average(at[inside], weights=weight[inside])) ** 2, weights=weight[inside]
            )
            for at in (x, y)
        ]
        along = (x, y)[int(np.argmax(across))][inside]
        order = inside[np.argsort(along, kind="stable")]
        low = count // 2
        part = shares[first : first + low].sum() / shares[first : first + count].sum()
        held = np.cumsum(weight[order])
        cut = int(np.searchsorted(held - weight[order] / 2.0, held[-1] * part))
        cut = min(max(cut, low), order.size - (count - low))
        waiting += [(order[:cut], first, low), (order[cut:], first + low, count - low)]
    return zone


def _nearest(x: Floats, y: Floats, at_x: Floats, at_y: Floats, discount: Floats) -> Ints:
    here, there = np.column_stack([x, y]), np.column_stack([at_x, at_y])
    step = max(1, _MOST_PAIRS // at_x.size)
    parts = [
        (cdist(here[start : start + step], there) + discount).argmin(axis=1)
        for start in range(0, x.size, step)
    ]
    return np.concatenate(parts).astype(np.int64)


def pieces_of(zone: Ints, starts: Ints, neighbours: Ints) -> tuple[int, Ints]:
    """Return the number of pieces that zones are in, and which piece each block belongs to; -1 is no zone."""
    n = zone.size
    owners = np.repeat(np.arange(n), np.diff(starts))
    same = (zone[owners] == zone[neighbours]) & (zone[owners] >= 0)
    graph = csr_array((np.ones(same.sum(), np.int8), (owners[same], neighbours[same])), shape=(n, n))
    number, label = connected_components(graph, directed=False)
    return int(number), label.astype(np.int64)


def mended(
    zone: Ints, zones: int, x: Floats, y: Floats, load: Floats, starts: Ints, neighbours: Ints, kept: Ints
) -> Ints:
    """
    Return zones each in one piece: of a zone in pieces the heaviest stays, the others go to their neighbours.

    Parameters
    ----------
    zone
        A zone per block, -1 for none yet.
    kept
        A block per zone that has to stay in it, -1 where any piece may; a zone without blocks starts there.
        Every connected part of the ground needs a zone with a block in it.
    """
    zone = zone.copy()
    for each in np.flatnonzero(kept >= 0):
        zone[kept[each]] = each
    number, label = pieces_of(zone, starts, neighbours)
    weight = np.bincount(label, weights=load + load.sum() * 1e-9 + 1e-12, minlength=number)
    weight[label[kept[kept >= 0]]] = np.inf
    order = np.lexsort((np.arange(zone.size), -weight[label]))
    stays = np.zeros(number, dtype=bool)
    taken = np.zeros(zones, dtype=bool)
    for block in order:
        if zone[block] >= 0 and not taken[zone[block]]:
            taken[zone[block]] = True
            stays[label[block]] = True
    zone[~stays[label]] = -1
    return _grown(zone, zones, x, y, starts, neighbours)


def _grown(zone: Ints, zones: int, x: Floats, y: Floats, starts: Ints, neighbours: Ints) -> Ints:
    """Give blocks without a zone to one beside them, the nearest to that zone's middle first."""
    held = np.bincount(zone[zone >= 0], minlength=zones).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        at_x = np.bincount(zone[zone >= 0], weights=x[zone >= 0], minlength=zones) / held
        at_y = np.bincount(zone[zone >= 0], weights=y[zone >= 0], minlength=zones) / held
    waiting: list[tuple[float, int, int]] = []

    def offer(block: int) -> None:
        for other in neighbours[starts[block] : starts[block + 1]]:
            if zone[other] < 0:
                to = int(zone[block])
                apart = float(np.hypot(x[other] - at_x[to], y[other] - at_y[to]))
                heapq.heappush(waiting, (apart, int(other), to))

    owners = np.repeat(np.arange(zone.size), np.diff(starts))
    for block in np.unique(owners[(zone[owners] >= 0) & (zone[neighbours] < 0)]):
        offer(int(block))
    while waiting:
        _, block, to = heapq.heappop(waiting)
        if zone[block] < 0:
            zone[block] = to
            offer(block)
    return zone
