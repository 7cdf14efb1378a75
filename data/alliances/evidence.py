"""What the bank's own data say of the matrix: which categories stand together, and share customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.alliances.matrix import CODES, PARENT, RANK, Matrix
from data.alliances.offering import company
from data.alliances.worth import market_of
from data.snapshots import Snapshot
from geo import served
from geo.colocation import CERTAIN, NEIGHBOURS, nearest

COLUMNS = ("a", "b", "quotient", "p", "shared", "both", "says")
RAISE, LOWER, AGREE = "raise", "lower", "agree"
TOGETHER, APART = 1.5, 0.67  # times what chance brings; between them the data say nothing much
FEW_SHARED, WEAK = 0.2, 0.3

Floats = NDArray[np.float64]


def evidence(snapshot: Snapshot, matrix: Matrix, *, seed: int = 0) -> pd.DataFrame:
    """
    Return what co-location and shared customers say of pairs of categories, the plainest first.

    Parameters
    ----------
    snapshot, matrix
        Of the branch.
    seed
        Of the trials of co-location.

    Returns
    -------
    evidence
        `a`, `b` (codes): whether b stands among the nearest of a more often than by chance, `quotient` (1: as
        chance has it), with `p` below 0.05; `shared`, the mean share of the customers either serves that both
        do, over neighbours of these categories (NaN where there are none), and `both`, how many people those
        are; `says`: "raise" where they stand
        together and share customers but the matrix has little or nothing for them, "lower" where it says they
        complete each other and they keep apart, "agree" otherwise.
    """
    quotient, p = company(snapshot, matrix, seed)
    shared, both = _shared(snapshot, matrix)
    a, b = np.nonzero((p < CERTAIN) & np.isfinite(quotient) & ~_one_kind())
    ratio, common = quotient[a, b], shared[a, b]
    helps = np.where(matrix.competes[a, b], 0.0, matrix.complement[a, b])
    up = (ratio >= TOGETHER) & (common >= FEW_SHARED) & (helps <= WEAK) & ~matrix.competes[a, b]
    down = (ratio <= APART) & (helps > WEAK)
    codes = np.array(CODES, dtype=object)
    found = pd.DataFrame(
        {
            "a": codes[a],
            "b": codes[b],
            "quotient": ratio,
            "p": p[a, b],
            "shared": common,
            "both": both[a, b],
            "says": np.where(up, RAISE, np.where(down, LOWER, AGREE)),
        }
    )
    plain = np.abs(np.log(np.maximum(ratio, 1e-3)))
    order = np.lexsort((b, a, -plain, found["says"] == AGREE))
    return found.iloc[order].reset_index(drop=True)


def _one_kind() -> NDArray[np.bool_]:
    """Return which ranks are one category, or one and the category over it."""
    same = np.eye(len(CODES), dtype=np.bool_)
    for child, parent in PARENT.items():
        same[RANK[child], RANK[parent]] = same[RANK[parent], RANK[child]] = True
    return same


def _shared(snapshot: Snapshot, matrix: Matrix) -> tuple[Floats, Floats]:
    """Return the mean share of customers common to neighbours of two categories, and how many, by ranks."""
    market = market_of(snapshot, matrix)
    shops, trade, n = market.shops, market.trade, len(CODES)
    near = min(NEIGHBOURS, len(trade) - 1)
    if near < 1:
        return np.full((n, n), np.nan), np.zeros((n, n))
    others = nearest(np.column_stack([shops.x, shops.y]), near)
    a, b = np.repeat(np.arange(len(trade), dtype=np.int32), near), others.ravel()
    found = served.shared(market.audience.crowd, shops, a, b)
    share, of = found.jaccard(a, b), trade[a] * n + trade[b]
    total, count = np.bincount(of, share, n * n), np.bincount(of, minlength=n * n)
    mean = np.divide(total, count, out=np.full(n * n, np.nan), where=count > 0)
    people = np.bincount(of, found.both, n * n)
    return np.asarray(mean.reshape(n, n)), np.asarray(people.reshape(n, n))
