"""
Which merchants could be partners: every pair near enough, what is known of it at once, the best of each.

Merchants stand in strips, each sorted from west to east: of a strip a pair can be in, only the stretch within
reach is looked at. Everything here costs by the number of near pairs and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.compiled import inner, released
from geo.errors import N_, GeoError
from geo.served import NO_OUTLOOK, Outlook, seem_to_gain
from geo.threads import in_parts

Floats = NDArray[np.float64]
Parts = NDArray[np.float32]
Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WITHIN_M = 500.0
KEEP = 50
MOST_PAIRS = 50_000_000
_STRIPS = 8  # to the distance asked for
_SLACK_M = 1e-5


@dataclass(frozen=True)
class Weights:
    """
    What each part of a link's score counts; together 1.

    Parameters
    ----------
    complement
        How much the two trades help each other, 0 to 1.
    distance
        exp(-metres / `fades_m`).
    shared
        Served by both, as a share of those served by either.
    colocation
        Whether such trades seek each other's company here; a half where that is not certain.
    readiness
        The mean of both, by status.
    fades_m
        At this distance the second part has fallen to 0.37.
    """

    complement: float = 0.40
    distance: float = 0.20
    shared: float = 0.10
    colocation: float = 0.10
    readiness: float = 0.20
    fades_m: float = 300.0

    def __post_init__(self) -> None:
        parts = [getattr(self, field.name) for field in fields(self) if field.name != "fades_m"]
        if min(parts) < 0.0 or abs(sum(parts) - 1.0) > 1e-9 or not self.fades_m > 0.0:
            raise GeoError(N_("Weights must not be below 0, and make 1 together."))


WEIGHTS = Weights()


class Pairs(NamedTuple):
    """
    Pairs of merchants, an entry a pair; the first has the smaller place.

    Parameters
    ----------
    a, b
        Places of the merchants.
    distance_m
        Between them.
    complement, near, readiness
        The parts of the score, 0 to 1: see `Weights`; `near` is that of the distance.
    competes
        Whether their trades do.
    """

    a: Ids
    b: Ids
    distance_m: Floats
    complement: Parts
    near: Parts
    readiness: Parts
    competes: Bools

    def take(self, at: NDArray[np.intp]) -> Pairs:
        """Return some of the pairs, in the order asked for."""
        return Pairs(
            self.a[at],
            self.b[at],
            self.distance_m[at],
            self.complement[at],
            self.near[at],
            self.readiness[at],
            self.competes[at],
        )


def near_pairs(x: ArrayLike, y: ArrayLike, within_m: float = WITHIN_M) -> tuple[Ids, Ids, Floats]:
    """
    Return every pair of points at most so far apart, once.

    Parameters
    ----------
    x, y
        Metres on the branch's plane.
    within_m
        A pair just so far apart is one.

    Returns
    -------
    a, b, distance_m
        Places of the points, the smaller first, and how far apart they are.

    Raises
    ------
    GeoError
        For a position that is no number, or more pairs than `MOST_PAIRS`.
    """
    east, north = (np.ascontiguousarray(each, dtype=np.float64) for each in (x, y))
    _check(east, north, within_m)
    order, strips = _in_strips(east, north, float(within_m))
    own_x, own_y = east[order], north[order]
    counts = np.zeros(len(order) + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32)
    found: tuple[Ids, Ids, Floats] = nothing, nothing, np.empty(0)
    in_parts(
        lambda start, end: _pairs(own_x, own_y, order, *strips, start, end, counts, False, *found), len(order)
    )
    np.cumsum(counts, out=counts)
    if counts[-1] > MOST_PAIRS:
        raise GeoError(
            N_("{count} pairs of merchants lie within {metres} m; at most {most} can be looked at."),
            count=int(counts[-1]),
            metres=round(within_m),
            most=MOST_PAIRS,
        )
    size = int(counts[-1])
    found = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32), np.empty(size)
    in_parts(
        lambda start, end: _pairs(own_x, own_y, order, *strips, start, end, counts, True, *found), len(order)
    )
    return found


def scored(
    x: ArrayLike,
    y: ArrayLike,
    trade: ArrayLike,
    readiness: ArrayLike,
    complement: ArrayLike,
    competes: ArrayLike,
    *,
    within_m: float = WITHIN_M,
    weights: Weights = WEIGHTS,
    keep: int | None = None,
    outlook: Outlook = NO_OUTLOOK,
) -> Pairs:
    """
    Return near pairs with the parts of their score that need no customers.

    Parameters
    ----------
    x, y
        Metres on the branch's plane.
    trade
        Each merchant's row and column in the two tables.
    readiness
        Each merchant's, 0 to 1.
    complement, competes
        By trade and trade; symmetric.
    within_m, weights
        How far a partner may be, and what the parts are.
    keep
        None for every pair. A number for those worth a closer look alone, however many there are in all: so
        many of each merchant that complete each other and do not compete, best first by these parts; a pair
        that is among the best of either is kept. Of partners as good as each other the smaller place counts.
    outlook
        With `keep`: partners both of whom seem to gain go before all others.
    """
    east, north = (np.ascontiguousarray(each, dtype=np.float64) for each in (x, y))
    own, ready = np.asarray(trade, dtype=np.int64), np.asarray(readiness, dtype=np.float32)
    tables = np.asarray(complement, dtype=np.float32), np.asarray(competes, dtype=np.bool_)
    if own.size and not (own.min() >= 0 and own.max() < min(map(len, tables))):
        raise GeoError(N_("A trade is not in the table of trades."))
    if keep is None:
        a, b, distance_m = near_pairs(east, north, within_m)
    else:
        a, b = _best_pairs(east, north, own, ready, *tables, within_m, weights, keep, outlook)
        distance_m = np.sqrt((east[b] - east[a]) ** 2 + (north[b] - north[a]) ** 2)
    parts = np.empty((3, len(a)), dtype=np.float32)
    against = np.empty(len(a), dtype=np.bool_)
    in_parts(
        lambda start, end: _parts(
            a, b, distance_m, own, ready, *tables, weights.fades_m, start, end, parts, against
        ),
        len(a),
    )
    return Pairs(a, b, distance_m, parts[0], parts[1], parts[2], against)


def _best_pairs(
    x: Floats,
    y: Floats,
    trade: Ints,
    readiness: Parts,
    complement: Parts,
    competes: Bools,
    within_m: float,
    weights: Weights,
    keep: int,
    outlook: Outlook,
) -> tuple[Ids, Ids]:
    """Return the pairs that are among the best of either, by the first and then the second."""
    _check(x, y, within_m)
    order, strips = _in_strips(x, y, float(within_m))
    table = np.where(competes, np.float32(0.0), complement)
    by_part = (weights.complement, weights.distance, weights.readiness, weights.fades_m)
    partner = np.full((len(order), max(int(keep), 1)), -1, dtype=np.int32)
    in_parts(
        lambda start, end: _best(
            x[order], y[order], order, *strips, trade, readiness, table, by_part, outlook, start, end, partner
        ),
        len(order),
        few=256,
    )
    merchant, place = np.nonzero(partner >= 0)
    other = partner[merchant, place].astype(np.int64)
    keys = np.unique(np.minimum(merchant, other) * len(order) + np.maximum(merchant, other))
    first, second = np.divmod(keys, max(len(order), 1))
    return first.astype(np.int32), second.astype(np.int32)


def _check(x: Floats, y: Floats, within_m: float) -> None:
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise GeoError(N_("Merchants must have positions in metres."))
    if not within_m >= 0.0:
        raise GeoError(N_("A distance must not be below 0, got {metres}."), metres=within_m)


def _in_strips(x: Floats, y: Floats, within_m: float) -> tuple[Ints, tuple[Ints, float, float, float]]:
    """Return points by strip and then by x; where strips begin, from where and how high, and the distance."""
    south = float(y.min()) if y.size else 0.0
    most = 4.0 * y.size + 1000.0  # strips of next to nobody would cost more than they save
    height = max(within_m / _STRIPS, float(np.ptp(y)) / most if y.size else 0.0, _SLACK_M)
    strip = np.floor((y - south) / height).astype(np.int64)
    order = np.lexsort((np.arange(len(x)), x, strip))
    last = int(strip[order[-1]]) if y.size else 0
    return order, (np.searchsorted(strip[order], np.arange(last + 2)), south, height, within_m)


@inner
def _from_x(x: Floats, first: int, end: int, least: float) -> int:
    while first < end:
        middle = (first + end) // 2
        if x[middle] < least:
            first = middle + 1
        else:
            end = middle
    return first


@released
def _pairs(
    x: Floats,
    y: Floats,
    order: Ints,
    starts: Ints,
    south: float,
    height: float,
    within: float,
    start: int,
    stop: int,
    counts: Ints,
    write: bool,
    a: Ids,
    b: Ids,
    distance_m: Floats,
) -> None:
    """Count each point's pairs with points after it, behind the point; or write them where those say."""
    for point in range(start, stop):
        own = int(np.floor((y[point] - south) / height))
        at = counts[point]
        count = 0
        for strip in range(own, starts.size - 1):
            away = max(south + strip * height - y[point], 0.0) - _SLACK_M
            if away > within:
                break
            wide = np.sqrt(within * within - max(away, 0.0) ** 2) + _SLACK_M
            first = point + 1
            if strip > own:
                first = _from_x(x, starts[strip], starts[strip + 1], x[point] - wide)
            for other in range(first, starts[strip + 1]):
                if x[other] - x[point] > wide:
                    break
                apart = (x[other] - x[point]) ** 2 + (y[other] - y[point]) ** 2
                if apart <= within * within:
                    if write:
                        a[at] = min(order[point], order[other])
                        b[at] = max(order[point], order[other])
                        distance_m[at] = np.sqrt(apart)
                        at += 1
                    count += 1
        if not write:
            counts[point + 1] = count


@released
def _parts(
    a: Ids,
    b: Ids,
    distance_m: Floats,
    trade: Ints,
    readiness: Parts,
    complement: Parts,
    competes: Bools,
    fades_m: float,
    start: int,
    stop: int,
    parts: Parts,
    against: Bools,
) -> None:
    for pair in range(start, stop):
        first, second = a[pair], b[pair]
        parts[0, pair] = complement[trade[first], trade[second]]
        parts[1, pair] = np.exp(-distance_m[pair] / fades_m)
        parts[2, pair] = 0.5 * (readiness[first] + readiness[second])
        against[pair] = competes[trade[first], trade[second]]


@released
def _best(
    x: Floats,
    y: Floats,
    order: Ints,
    starts: Ints,
    south: float,
    height: float,
    within: float,
    trade: Ints,
    readiness: Parts,
    complement: Parts,
    by_part: tuple[float, float, float, float],
    outlook: Outlook,
    start: int,
    stop: int,
    partner: Ids,
) -> None:
    """Write each merchant's best partners: its near ones are gone through once, and none is kept in store."""
    for_complement, for_distance, for_readiness, fades_m = by_part
    scores = np.empty(partner.shape[1])
    for point in range(start, stop):
        count, merchant = 0, order[point]
        helps = complement[trade[merchant]]
        low = max(int(np.floor((y[point] - within - _SLACK_M - south) / height)), 0)
        high = min(int(np.floor((y[point] + within + _SLACK_M - south) / height)), starts.size - 2)
        for strip in range(low, high + 1):
            bottom = south + strip * height
            away = max(max(bottom - y[point], y[point] - bottom - height), 0.0) - _SLACK_M
            if away > within:
                continue
            wide = np.sqrt(within * within - max(away, 0.0) ** 2) + _SLACK_M
            for near in range(
                _from_x(x, starts[strip], starts[strip + 1], x[point] - wide), starts[strip + 1]
            ):
                if x[near] - x[point] > wide:
                    break
                other = order[near]
                help_ = helps[trade[other]]
                apart = (x[near] - x[point]) ** 2 + (y[near] - y[point]) ** 2
                if help_ <= 0.0 or near == point or apart > within * within:
                    continue
                apart = np.sqrt(apart)
                score = for_complement * help_ + for_distance * np.exp(-apart / fades_m)
                score += for_readiness * 0.5 * (readiness[merchant] + readiness[other])
                if seem_to_gain(outlook, merchant, other, apart):
                    score += 1.0
                count = _kept(partner[merchant], scores, count, other, score)


@inner
def _kept(others: Ids, scores: Floats, count: int, other: int, score: float) -> int:
    """Put a partner among the best if it is one of them: a heap, the worst of them on top."""
    if count < others.size:
        at = count
        count += 1
        while at > 0 and _is_worse(score, other, scores[(at - 1) // 2], others[(at - 1) // 2]):
            scores[at], others[at] = scores[(at - 1) // 2], others[(at - 1) // 2]
            at = (at - 1) // 2
    elif _is_worse(scores[0], others[0], score, other):
        at = 0
        while 2 * at + 1 < count:
            below = 2 * at + 1
            if below + 1 < count and _is_worse(
                scores[below + 1], others[below + 1], scores[below], others[below]
            ):
                below += 1
            if not _is_worse(scores[below], others[below], score, other):
                break
            scores[at], others[at] = scores[below], others[below]
            at = below
    else:
        return count
    scores[at], others[at] = score, other
    return count


@inner
def _is_worse(score: float, place: int, than: float, other: int) -> bool:
    """Whether a partner goes after another: by its score, and then by its place."""
    return score < than or (score == than and place > other)
