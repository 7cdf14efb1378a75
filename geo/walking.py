"""A way to walk: in which order to call on places, so that little of it is walked twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Order = NDArray[np.intp]
MOST_MENDED = 250  # places; beyond, the way is as the nearest neighbour leads
_ROUNDS = 20
_SHORTER_M = 1e-6


def walking_order(x: ArrayLike, y: ArrayLike, start: tuple[float, float]) -> Order:
    """
    Return an order in which to call on places, beginning near a start and ending anywhere.

    From each place the nearest one not yet seen is next; then stretches are turned round as long as that
    makes the way shorter. It is a good way, not the shortest there is.

    Parameters
    ----------
    x, y
        Of the places, in metres.
    start
        Where one comes from: the branch.

    Returns
    -------
    order
        Indices into the places, each once; of places equally near, the first by position is next.
    """
    points = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    if len(points) < 2:
        return np.arange(len(points))
    order = _nearest_next(points, np.asarray(start, dtype=np.float64))
    return _mended(points, order) if len(points) <= MOST_MENDED else order


def way_m(x: ArrayLike, y: ArrayLike, order: ArrayLike) -> float:
    """Return how long the way through places in an order is, as the crow flies; 0 for fewer than two."""
    points = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    steps = np.diff(points[np.asarray(order, dtype=np.intp)], axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _nearest_next(points: Floats, start: Floats) -> Order:
    order = np.empty(len(points), dtype=np.intp)
    waiting = np.ones(len(points), dtype=bool)
    here = start
    for at in range(len(points)):
        apart = np.where(waiting, np.hypot(*(points - here).T), np.inf)
        order[at] = np.argmin(apart)
        waiting[order[at]] = False
        here = points[order[at]]
    return order


def _mended(points: Floats, order: Order) -> Order:
    """Turn stretches of the way round, the most saving one first, until none is worth it."""
    apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    for _round in range(_ROUNDS * len(points)):
        saved, first, last = _best_turn(apart, order)
        if saved <= _SHORTER_M:
            break
        order[first : last + 1] = order[first : last + 1][::-1].copy()
    return order


def _best_turn(apart: Floats, order: Order) -> tuple[float, int, int]:
    """Return what turning a stretch round saves at most, and from where to where; the first stop stays."""
    along = apart[np.ix_(order, order)]
    count = len(order)
    steps = np.append(along[np.arange(count - 1), np.arange(1, count)], 0.0)  # from each to the next; end
    to_next = np.column_stack([along[:, 1:], np.zeros(count)])  # from each to what follows another
    # Turning i..j round puts (i-1, j) and (i, j+1) in place of (i-1, i) and (j, j+1).
    before, last = np.arange(count - 1), np.arange(1, count)
    saved = steps[before][:, None] + steps[last][None, :]
    saved = saved - along[np.ix_(before, last)] - to_next[np.ix_(before + 1, last)]
    saved[last[None, :] <= before[:, None] + 1] = 0.0
    best = int(np.argmax(saved))
    row, column = divmod(best, count - 1)
    return float(saved[row, column]), row + 1, column + 1
