"""
Which few of many sets cover the most: a greedy choice with a bound it proves, and the best one when small.

Maximum coverage is submodular: greedy reaches at least 1 - 1/e of the best (Nemhauser, Wolsey & Fisher 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, vstack

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

MOST_EXACT = 150_000  # memberships of alike elements, up to which the best choice is looked for
MOST_NODES = (
    2_000  # branches of the search for it: a number of steps, not of seconds, gives one answer everywhere
)
SLACK = 1e-6  # of what is covered, below which HiGHS' answer is rounding


@dataclass(frozen=True)
class Choice:
    """
    Sets chosen to cover most.

    Parameters
    ----------
    picked
        Numbers of the sets, the one that adds most first.
    covered
        The weight of all that is in one of them.
    bound
        No choice of as many covers more than this.
    exact
        Whether `covered` is the most there is: the bound is met.
    """

    picked: tuple[int, ...]
    covered: float
    bound: float
    exact: bool


def chosen(
    sets: Sequence[ArrayLike], weights: ArrayLike, at_most: int, *, most_exact: int = MOST_EXACT
) -> Choice:
    """
    Choose at most so many sets that together cover most.

    Parameters
    ----------
    sets
        Each the numbers of its elements.
    weights
        Of the elements, none below zero; whole numbers, so that sums are exact.
    at_most
        How many sets; none that adds nothing is picked.
    most_exact
        Up to so many memberships of alike elements the best choice is looked for with HiGHS; 0 for never.
    """
    weight = np.asarray(weights, dtype=np.float64)
    rows = [np.unique(np.asarray(each, dtype=np.int64)) for each in sets]
    found = greedy(rows, weight, at_most)
    if found.exact or not most_exact:
        return found
    alike, total = _alike(rows, weight)
    if sum(map(len, alike)) > most_exact:
        return found
    return _exact(alike, total, at_most, found)


def greedy(sets: Sequence[Rows], weight: Floats, at_most: int) -> Choice:
    """
    Choose by what adds most, again and again, and say how far from the best that can be.

    What a set adds only shrinks, so a set is weighed anew only when it stands first (Minoux 1978). The bound
    is the least of: all there is; what is covered over 1 - (1 - 1/B)^B; and after each step what is covered
    plus the B largest that could still be added (Leskovec et al. 2007).
    """
    covered = np.zeros(len(weight), dtype=np.bool_)
    adds = np.array([weight[rows].sum() for rows in sets])
    queue = [(-gain, number) for number, gain in enumerate(adds.tolist())]
    heapq.heapify(queue)
    total, picked, fresh = 0.0, list[int](), np.zeros(len(sets), dtype=np.int64)
    bound = float(weight[np.unique(np.concatenate(sets))].sum()) if len(sets) else 0.0
    bound = min(bound, _largest(adds, at_most))
    while queue and len(picked) < at_most:
        gain, number = heapq.heappop(queue)
        if fresh[number] < len(picked):
            adds[number] = weight[sets[number][~covered[sets[number]]]].sum()
            fresh[number] = len(picked)
            heapq.heappush(queue, (-adds[number], number))
            continue
        if gain == 0:
            break
        picked.append(number)
        total -= gain
        covered[sets[number]] = True
        adds[number] = 0
        bound = min(bound, total + _largest(_still(sets, weight, covered, adds), at_most))
    if at_most > 0:
        bound = min(bound, total / (1 - (1 - 1 / at_most) ** at_most))
    bound = max(bound, total)
    return Choice(tuple(picked), total, bound, exact=bound <= total * (1 + 1e-12))


def _largest(adds: Floats, at_most: int) -> float:
    return float(np.sort(adds)[max(len(adds) - at_most, 0) :].sum()) if at_most > 0 else 0.0


def _still(sets: Sequence[Rows], weight: Floats, covered: NDArray[np.bool_], adds: Floats) -> Floats:
    """Return what each set could still add; one already known to add nothing is not asked again."""
    return np.array(
        [
            weight[rows[~covered[rows]]].sum() if add else 0.0
            for rows, add in zip(sets, adds.tolist(), strict=True)
        ]
    )


def _alike(sets: Sequence[Rows], weight: Floats) -> tuple[list[Rows], Floats]:
    """Put elements that are in the same sets together: the sets anew, and what each such lot weighs."""
    held = csr_array(
        (
            np.ones(sum(map(len, sets)), dtype=np.int8),
            (np.concatenate(sets), np.repeat(np.arange(len(sets)), [len(rows) for rows in sets])),
        ),
        shape=(len(weight), len(sets)),
    )
    lots: dict[tuple[int, ...], float] = {}
    for row in np.flatnonzero(weight > 0):
        which = tuple(held.indices[held.indptr[row] : held.indptr[row + 1]].tolist())
        lots[which] = lots.get(which, 0.0) + weight[row]
    lots.pop((), None)
    members: list[list[int]] = [[] for _ in sets]
    for lot, which in enumerate(lots):
        for number in which:
            members[number].append(lot)
    return [np.array(each, dtype=np.int64) for each in members], np.array(list(lots.values()))


def _exact(sets: Sequence[Rows], weight: Floats, at_most: int, least: Choice) -> Choice:
    """
    Return the best choice: a set is in or out, an element is covered at most as far as its sets are in.

    Where the search ends before it is proven, the better of both choices with the better bound.
    """
    lots = len(weight)
    elements = np.concatenate(sets)
    numbers = np.repeat(np.arange(len(sets)), [len(rows) for rows in sets])
    held = csr_array((np.ones(len(elements)), (elements, numbers)), shape=(lots, len(sets)))
    ones = csr_array((np.ones(lots), (np.arange(lots), np.arange(lots))), shape=(lots, lots))
    count = csr_array(np.concatenate([np.ones(len(sets)), np.zeros(lots)])[None, :])
    found = milp(
        np.concatenate([np.zeros(len(sets)), -weight]),
        integrality=np.concatenate([np.ones(len(sets)), np.zeros(lots)]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            vstack([hstack([-held, ones]), count]),
            -np.inf,
            np.concatenate([np.zeros(lots), [float(at_most)]]),
        ),
        options={"node_limit": MOST_NODES, "mip_rel_gap": 0.0},
    )
    best = least
    if found.x is not None:
        picked = np.flatnonzero(found.x[: len(sets)] > 0.5).tolist()
        # Told again by the greedy choice among them: by what they add, without what adds nothing.
        again = greedy([sets[number] for number in picked], weight, at_most)
        if again.covered > least.covered:
            best = Choice(tuple(picked[place] for place in again.picked), again.covered, 0.0, exact=False)
    bound = (
        min(least.bound, -float(found.mip_dual_bound)) if found.mip_dual_bound is not None else least.bound
    )
    exact = bound <= best.covered + SLACK * max(1.0, best.covered)
    return Choice(best.picked, best.covered, best.covered if exact else max(bound, best.covered), exact)
