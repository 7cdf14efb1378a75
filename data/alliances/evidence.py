"""What a branch's own data say of which trades go together: who stands beside whom, who shares customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.alliances.matrix import CODES, PARENT, Matrix
from data.alliances.offering import company
from data.alliances.worth import Market, market_of
from data.snapshots import Snapshot
from geo import colocation, served
from geo.partners import WITHIN_M, near_pairs

NEAREST = 40  # pairs of merchants, the nearest, that speak for two trades
COLUMNS = ("a", "b", "quotient", "p", "shared", "both", "says")
Ranks = NDArray[np.intp]


def evidence(snapshot: Snapshot, matrix: Matrix, *, seed: int = 0) -> pd.DataFrame:
    """
    Return what the branch's own data say of the pairs of trades that the matrix says something of.

    Parameters
    ----------
    snapshot, matrix
        Of the branch; which trades go together.
    seed
        Of the trials of co-location.

    Returns
    -------
    evidence
        `a`, `b` (codes), the first before the second in the catalogue; `quotient` and `p` (Leslie &
        Kronenfeld 2011) of the direction that is more certain; `shared`, the customers both serve as a share
        of those either serves, over their nearest `NEAREST` pairs within 500 m, and `both`, how many people
        that are; `says`: `raise` where two that complete each other stand together more surely than the
        matrix has it, `lower` where they keep apart, else `agree`. Only pairs both of whose trades are here.
    """
    market = market_of(snapshot, matrix)
    quotient, p = company(snapshot, matrix, seed)
    together = colocation.company(quotient, p)
    first, second = _pairs_said(market, matrix)
    turned = _is_surer(quotient, p, second, first)
    a, b = np.where(turned, second, first), np.where(turned, first, second)
    share, both = _shared(market, first, second)
    strength, found = matrix.complement[first, second], together[first, second]
    completes = ~matrix.competes[first, second]
    return pd.DataFrame(
        {
            "a": [CODES[rank] for rank in first],
            "b": [CODES[rank] for rank in second],
            "quotient": quotient[a, b],
            "p": p[a, b],
            "shared": share,
            "both": both,
            "says": np.select(
                [
                    completes & (found > 0.5) & (found > strength),
                    completes & (found < 0.5) & (found < strength),
                ],
                ["raise", "lower"],
                "agree",
            ),
        },
        columns=list(COLUMNS),
    )


def _pairs_said(market: Market, matrix: Matrix) -> tuple[Ranks, Ranks]:
    """Return the ranks of two trades, neither of them a top category, that are here and spoken of."""
    here = np.isin(np.arange(len(CODES)), market.trade) & np.array([code in PARENT for code in CODES])
    said = (matrix.which >= 0) & here[:, None] & here[None, :]
    first, second = np.nonzero(np.triu(said, 1))
    return first, second


def _is_surer(quotient: NDArray[np.float64], p: NDArray[np.float64], a: Ranks, b: Ranks) -> NDArray[np.bool_]:
    """Whether one direction is surer than the other: likelier no chance, or as likely and farther from it."""
    own, other = np.nan_to_num(p[a, b], nan=2.0), np.nan_to_num(p[b, a], nan=2.0)
    far, near = (np.abs(np.nan_to_num(quotient[each], nan=1.0) - 1.0) for each in ((a, b), (b, a)))
    surer: NDArray[np.bool_] = (own < other) | ((own == other) & (far > near))
    return surer


def _shared(market: Market, first: Ranks, second: Ranks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the customers shared by pairs of trades, as a share and as people; NaN where none are near."""
    n = len(CODES)
    share, people = np.full(len(first), np.nan), np.zeros(len(first))
    a, b, distance_m = near_pairs(market.shops.x, market.shops.y, WITHIN_M)
    if not len(a) or not len(first):
        return share, people
    low, high = np.minimum(market.trade[a], market.trade[b]), np.maximum(market.trade[a], market.trade[b])
    key = low * n + high
    wanted = np.flatnonzero(np.isin(key, first * n + second))
    order = wanted[np.lexsort((distance_m[wanted], key[wanted]))]
    begins = np.flatnonzero(np.diff(key[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    order = order[place < NEAREST]
    found = served.shared(market.audience.crowd, market.shops, a[order], b[order])
    either = found.served[a[order]] + found.served[b[order]] - found.both
    both, all_of = (np.bincount(key[order], weights=each, minlength=n * n) for each in (found.both, either))
    keys = first * n + second
    people = both[keys]
    share = np.divide(people, all_of[keys], out=share, where=all_of[keys] > 0)
    return share, people
