"""Which cluster is which of a month before: matched by the cells they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Ints = NDArray[np.int64]

LEAST_SHARED = 0.2  # of the smaller one's cells: with fewer in common, two are not the same


def matched(before: Sequence[Ints], now: Sequence[Ints]) -> Ints:
    """
    Return which of the clusters before each of now's is.

    Of all ways to match them, one to one, the one in which most is shared: cells in both as a part of the
    cells in either, added up (an assignment problem, Kuhn 1955). Where one falls apart, the part that
    shares most goes on.

    Parameters
    ----------
    before, now
        Cells of each cluster, by number; no cell in two of one side.

    Returns
    -------
    matched
        Index into `before`; -1 of a new one.
    """
    found = np.full(len(now), -1, dtype=np.int64)
    if not before or not now:
        return found
    sizes = [np.array([len(cells) for cells in side], dtype=np.float64) for side in (before, now)]
    shared = _shared(before, now)
    alike = shared / (sizes[0][:, None] + sizes[1][None, :] - shared)
    alike[shared < LEAST_SHARED * np.minimum(sizes[0][:, None], sizes[1][None, :])] = 0.0
    for one, other in zip(*linear_sum_assignment(alike, maximize=True), strict=True):
        if alike[one, other] > 0.0:
            found[other] = one
    return found


def _shared(before: Sequence[Ints], now: Sequence[Ints]) -> NDArray[np.float64]:
    """Return how many cells each pair shares."""
    shared = np.zeros((len(before), len(now)))
    owner = np.repeat(np.arange(len(before)), [len(cells) for cells in before])
    cells = np.concatenate(before)
    order = np.argsort(cells, kind="stable")
    for at, own in enumerate(now):
        place = np.minimum(np.searchsorted(cells[order], own), len(cells) - 1)
        same = cells[order][place] == own
        shared[:, at] = np.bincount(owner[order][place[same]], minlength=len(before))
    return shared
