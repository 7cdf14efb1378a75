"""
Whether trades seek each other's company: the co-location quotient, and whether it could be chance.

Leslie and Kronenfeld, "The Colocation Quotient: A New Measure of Spatial Association Between Categorical
Subsets of Points", Geographical Analysis 43 (2011) 306-326; neighbours and trials as Esri's tool has them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from geo.compiled import released
from geo.threads import in_parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEIGHBOURS = 8
PERMUTATIONS = 99
FEWEST = 5  # of fewer of a trade nothing is said
CERTAIN = 0.05
_SPREAD_M = 1e-3


def quotients(
    x: ArrayLike,
    y: ArrayLike,
    trade: ArrayLike,
    n_trades: int,
    *,
    neighbours: int = NEIGHBOURS,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """
    Return how much likelier than chance one trade is among the nearest neighbours of another.

    Parameters
    ----------
    x, y
        Metres on the branch's plane.
    trade
        Of each point, 0 to `n_trades` - 1.
    neighbours
        How many nearest ones count; of those at one spot, the lot decides.
    permutations
        How often trades are dealt out anew to the same points.
    seed
        Of the lot and the dealing.

    Returns
    -------
    quotient
        Row A, column B: the share of B among the neighbours of A, by the share it would have by chance,
        N_B / (N - 1), or (N_A - 1) / (N - 1) of A itself. Above 1, A seeks B's company; B may not seek A's.
        NaN where there are fewer than `FEWEST` of either.
    p
        How often chance alone gives as much or as little, both ends counted; 1 where the quotient is NaN.
    """
    own = np.asarray(trade, dtype=np.int64)
    positions = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    lot = np.random.default_rng(seed)
    held = np.bincount(own, minlength=n_trades).astype(np.float64)
    near = min(neighbours, len(own) - 1)
    if near < 1:
        return np.full((n_trades, n_trades), np.nan), np.ones((n_trades, n_trades))
    spread = positions + lot.uniform(-_SPREAD_M, _SPREAD_M, positions.shape)
    beside = nearest(spread, near)
    seen = _counted(beside, own.astype(np.int16), n_trades)
    # Dealt out beforehand, in one thread: the lot must not depend on which thread draws first.
    dealt = np.empty((permutations, len(own)), dtype=np.int16)
    for row in dealt:
        row[:] = lot.permutation(own)
    above, below = np.zeros((2, permutations, n_trades, n_trades), dtype=np.bool_)
    in_parts(lambda start, end: _compared(beside, dealt, seen, start, end, above, below), permutations, few=8)
    often = np.minimum(above.sum(axis=0), below.sum(axis=0))
    p = np.minimum(2.0 * (often + 1.0) / (permutations + 1.0), 1.0)
    chance = (held[None, :] - np.eye(n_trades)) / max(len(own) - 1.0, 1.0)
    expected = held[:, None] * near * chance
    known = (held[:, None] >= FEWEST) & (held[None, :] >= FEWEST) & (expected > 0.0)
    quotient = np.divide(seen, expected, out=np.full(seen.shape, np.nan), where=known)
    return quotient, np.where(known, p, 1.0)


def company(quotient: ArrayLike, p: ArrayLike, *, certain: float = CERTAIN) -> Floats:
    """
    Return quotients as parts of a score, the mean of both directions: Q / (1 + Q), so that 1 is a half.

    What chance may have brought about, or nothing is known of, is a half too.
    """
    found, chance = np.asarray(quotient, dtype=np.float64), np.asarray(p, dtype=np.float64)
    sure = (chance < certain) & np.isfinite(found)
    part = np.divide(found, 1.0 + found, out=np.full(found.shape, 0.5), where=sure)
    return np.asarray((part + part.T) / 2.0)


def nearest(positions: Floats, near: int) -> NDArray[np.int32]:
    """Return the nearest others of each point, a row each."""
    found = KDTree(positions).query(positions, k=near + 1)[1]
    itself = found == np.arange(len(positions))[:, None]
    itself[~itself.any(axis=1), -1] = True
    return np.ascontiguousarray(found[~itself].reshape(len(positions), near), dtype=np.int32)


@released
def _counted(nearest: NDArray[np.int32], trade: NDArray[np.int16], n_trades: int) -> Floats:
    """Return how many neighbours of each trade the points of each have."""
    counts = np.zeros((n_trades, n_trades))
    for point in range(len(nearest)):
        for other in nearest[point]:
            counts[trade[point], trade[other]] += 1.0
    return counts


@released
def _compared(
    nearest: NDArray[np.int32],
    dealt: NDArray[np.int16],
    seen: Floats,
    start: int,
    stop: int,
    above: NDArray[np.bool_],
    below: NDArray[np.bool_],
) -> None:
    """Say of each dealing where it gives as many neighbours as were seen, or as few."""
    for one in range(start, stop):
        counts = _counted(nearest, dealt[one], len(seen))
        above[one] = counts >= seen
        below[one] = counts <= seen
