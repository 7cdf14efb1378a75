"""
Which pairs of merchants a link is offered for: both gain by the rule, and each part of the score.

The rule: the two categories complete each other and do not compete, and each side gains at least a tenth of
the customers it serves, and twenty. Customers are counted for the best fifty partners of each merchant alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.alliances.matrix import Matrix
from data.alliances.worth import Market, market_of
from data.snapshots import Snapshot
from geo import colocation, partners, served
from geo.partners import KEEP, WEIGHTS, Weights

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

LEAST_GAIN = 0.10  # of the customers served
FEWEST_GAINED = 20
# How ready each status is for a link: known, contacted, signed; closed merchants are no partners.
READINESS = np.array([0.33, 0.67, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Offers:
    """
    Pairs offered, an entry a pair, in no order.

    Parameters
    ----------
    a, b
        Ids of the merchants, the smaller first.
    category_a, category_b
        Ids of their categories.
    complement, distance, shared, colocation, readiness, score
        The parts and their weighted sum, 0 to 1.
    distance_m
        Between them.
    both
        People both serve.
    gain_a_n, gain_b_n
        People the other serves, of a group one serves too, out of one's own reach.
    served_a, served_b
        People each serves.
    group_a, group_b
        The bit of the group most of those gained are of.
    """

    a: Rows
    b: Rows
    category_a: Rows
    category_b: Rows
    complement: Floats
    distance: Floats
    shared: Floats
    colocation: Floats
    readiness: Floats
    score: Floats
    distance_m: Floats
    both: Floats
    gain_a_n: Floats
    gain_b_n: Floats
    served_a: Floats
    served_b: Floats
    group_a: NDArray[np.int8]
    group_b: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.a)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(value.nbytes for value in vars(self).values())

    def some(self, chosen: NDArray[Any]) -> Offers:
        """Return the pairs at some places, or where a mask says so."""
        return Offers(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


class Company(NamedTuple):
    """Quotients of co-location by rank and rank, and how likely they are by chance."""

    quotient: Floats
    p: Floats

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self.quotient.nbytes + self.p.nbytes


def offers(
    snapshot: Snapshot,
    matrix: Matrix,
    *,
    within_m: float,
    seed: int = 0,
    merchant_id: int | None = None,
    weights: Weights = WEIGHTS,
) -> Offers:
    """
    Return the pairs a link is offered for, kept with the snapshot.

    Parameters
    ----------
    snapshot, matrix
        Of the branch.
    within_m
        How far a partner may be.
    seed
        Of the trials of co-location.
    merchant_id
        Whose pairs alone; only what is near is looked at then, with the same answer.
    weights
        Of the parts of the score.
    """
    key = ("offers", matrix.key, float(within_m), seed, weights)
    whole: Offers | None = snapshot.worked.find(key)
    if merchant_id is not None:
        if whole is None:
            return _of_one(snapshot, matrix, within_m, seed, merchant_id, weights)
        return _with(whole, merchant_id)

    def make() -> Offers:
        return _made(snapshot, matrix, _by_id(market_of(snapshot, matrix)), within_m, seed, weights)

    made: Offers = snapshot.worked.get(key, make)
    return made


def company(snapshot: Snapshot, matrix: Matrix, seed: int = 0) -> Company:
    """Return which categories seek each other's company here; kept with the snapshot."""

    def make() -> Company:
        market = market_of(snapshot, matrix)
        places = _by_id(market)
        x, y = market.shops.x[places], market.shops.y[places]
        return Company(*colocation.quotients(x, y, market.trade[places], len(matrix.reach_m), seed=seed))

    found: Company = snapshot.worked.get(("company", seed), make)
    return found


def _by_id(market: Market) -> Rows:
    """Return places of the market by id: of partners as good as each other the smaller id counts."""
    return np.argsort(market.ids, kind="stable")


def _with(whole: Offers, merchant_id: int) -> Offers:
    return whole.some((whole.a == merchant_id) | (whole.b == merchant_id))


def _of_one(
    snapshot: Snapshot, matrix: Matrix, within_m: float, seed: int, merchant_id: int, weights: Weights
) -> Offers:
    """Return one merchant's pairs: those of whom is near enough to be a partner, or a partner's partner."""
    market = market_of(snapshot, matrix)
    places = _by_id(market)
    own = places[market.ids[places] == merchant_id]
    if len(own):
        x, y = market.shops.x[places], market.shops.y[places]
        apart = np.hypot(x - market.shops.x[own], y - market.shops.y[own])
        own = places[apart <= 2.0 * within_m + 1.0]
    return _with(_made(snapshot, matrix, own, within_m, seed, weights), merchant_id)


def _made(
    snapshot: Snapshot, matrix: Matrix, places: Rows, within_m: float, seed: int, weights: Weights
) -> Offers:
    """Return the pairs offered among the merchants at some places of the market."""
    market = market_of(snapshot, matrix)
    shops, crowd = market.some(places), market.audience.crowd
    merchants, rows, trade = snapshot.merchants, market.rows[places], market.trade[places]
    outlook = served.outlook(crowd, shops, least=LEAST_GAIN, fewest=FEWEST_GAINED)
    pairs = partners.scored(
        shops.x,
        shops.y,
        trade,
        READINESS[merchants.status[rows]],
        matrix.complement,
        matrix.competes,
        within_m=within_m,
        weights=weights,
        keep=KEEP,
        outlook=outlook,
    )
    # Along the curve: what is counted for one pair is still at hand for the next.
    pairs = pairs.take(np.argsort(places[pairs.a], kind="stable"))
    found = served.shared(crowd, shops, pairs.a, pairs.b, known=outlook)
    at = np.flatnonzero(_gain_enough(found.gain_a, found.served[pairs.a]))
    at = at[_gain_enough(found.gain_b[at], found.served[pairs.b[at]])]
    a, b = pairs.a[at], pairs.b[at]
    both = colocation.company(*company(snapshot, matrix, seed))
    parts: dict[str, Floats] = {
        "complement": pairs.complement[at].astype(np.float64),
        "distance": pairs.near[at].astype(np.float64),
        "shared": found.jaccard(pairs.a, pairs.b)[at],
        "colocation": both[trade[a], trade[b]],
        "readiness": pairs.readiness[at].astype(np.float64),
    }
    return Offers(
        a=market.ids[places][a],
        b=market.ids[places][b],
        category_a=merchants.category[rows[a]].astype(np.int64),
        category_b=merchants.category[rows[b]].astype(np.int64),
        **parts,
        score=score(weights, parts),
        distance_m=pairs.distance_m[at],
        both=found.both[at],
        gain_a_n=found.gain_a[at],
        gain_b_n=found.gain_b[at],
        served_a=found.served[a],
        served_b=found.served[b],
        group_a=found.group_a[at],
        group_b=found.group_b[at],
    )


def score(weights: Weights, parts: dict[str, Floats]) -> Floats:
    """Return the weighted sum of the parts."""
    return np.asarray(sum(getattr(weights, name) * part for name, part in parts.items()))


def _gain_enough(gained: Floats, of: Floats) -> NDArray[np.bool_]:
    """Return where a gain is enough; whoever serves nobody has nothing to measure it by."""
    enough: NDArray[np.bool_] = (gained >= FEWEST_GAINED) & (gained >= LEAST_GAIN * of) & (of > 0)
    return enough
