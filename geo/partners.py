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
    if not (np.isfinite(east).all() and np.isfinite(north).all()):
        raise GeoError(N_("Merchants must have positions in metres."))
    if not within_m >= 0.0:
        raise GeoError(N_("A distance must not be below 0, got {metres}."), metres=within_m)
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
) -> Pairs:
    """
    Return every near pair with the parts of its score that need no customers.

    Parameters
    ----------
    x, y
        Metres on the branch's plane.
    trade
        Each merchant's row and column in the two tables.
    readiness
        Each merchant's, 0 to 1.
    complement, competes
        By trade and trade.
    within_m, weights
        How far a partner may be, and what the parts are.
    """
    a, b, distance_m = near_pairs(x, y, within_m)
    own, ready = np.asarray(trade, dtype=np.int64), np.asarray(readiness, dtype=np.float32)
    helps, fights = np.asarray(complement, dtype=np.float32), np.asarray(competes, dtype=np.bool_)
    if own.size and not (own.min() >= 0 and own.max() < min(len(helps), len(fights))):
        raise GeoError(N_("A trade is not in the table of trades."))
    parts = np.empty((3, len(a)), dtype=np.float32)
    against = np.empty(len(a), dtype=np.bool_)
    in_parts(
        lambda start, end: _parts(
            a, b, distance_m, own, ready, helps, fights, weights.fades_m, start, end, parts, against
        ),
        len(a),
    )
    return Pairs(a, b, distance_m, parts[0], parts[1], parts[2], against)


def best(
    pairs: Pairs,
    keep: int = KEEP,
    *,
    weights: Weights = WEIGHTS,
    likely: ArrayLike | None = None,
) -> Ints:
    """
    Return the pairs worth a closer look: the best of each merchant, by what is known of them so far.

    Parameters
    ----------
    pairs
        Of which those that complete each other and do not compete can be chosen.
    keep
        How many of each merchant; a pair counts for both, and is kept for either.
    weights
        Of the parts.
    likely
        Per pair, whether both sides seem to gain: those that do come first.

    Returns
    -------
    at
        Places of the pairs, in order. Of pairs as good as each other the one with the smaller partner counts.
    """
    able = np.flatnonzero((pairs.complement > 0.0) & ~pairs.competes)
    if not len(able):
        return able
    score = np.zeros(len(able))
    for weight, part in (
        (weights.complement, pairs.complement),
        (weights.distance, pairs.near),
        (weights.readiness, pairs.readiness),
    ):
        score += weight * part[able]
    if likely is not None:
        score += np.asarray(likely, dtype=bool)[able]
    a, b = pairs.a[able], pairs.b[able]
    merchants = int(max(a.max(), b.max())) + 1
    starts = np.zeros(merchants + 1, dtype=np.int64)
    np.cumsum(np.bincount(a, minlength=merchants) + np.bincount(b, minlength=merchants), out=starts[1:])
    of = _by_merchant(a, b, starts)
    chosen = np.zeros(len(able), dtype=np.bool_)
    in_parts(
        lambda start, end: _best(of, starts, a, b, score, int(keep), start, end, chosen), merchants, few=256
    )
    return able[chosen]


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
def _by_merchant(a: Ids, b: Ids, starts: Ints) -> Ids:
    """Return the pairs of each merchant, one after the other."""
    free = starts.copy()
    of = np.empty(2 * a.size, dtype=np.int32)
    for pair in range(a.size):
        for side in range(2):
            merchant = a[pair] if side == 0 else b[pair]
            of[free[merchant]] = pair
            free[merchant] += 1
    return of


@released
def _best(
    of: Ids,
    starts: Ints,
    a: Ids,
    b: Ids,
    score: Floats,
    keep: int,
    start: int,
    stop: int,
    chosen: Bools,
) -> None:
    for merchant in range(start, stop):
        own = of[starts[merchant] : starts[merchant + 1]]
        if own.size <= keep:
            for pair in own:
                chosen[pair] = True
            continue
        scores = np.empty(own.size)
        for at in range(own.size):
            scores[at] = -score[own[at]]
        bar = -np.partition(scores, keep - 1)[keep - 1]
        left = keep
        tied = np.empty(own.size, dtype=np.int64)
        ties = 0
        for pair in own:
            if score[pair] > bar:
                chosen[pair] = True
                left -= 1
            elif score[pair] == bar:
                tied[ties] = np.int64(a[pair] + b[pair] - merchant) * of.size + pair
                ties += 1
        for key in np.sort(tied[:ties])[:left]:
            chosen[key % of.size] = True
