"""What an alliance is worth to a branch's customers and to its members: 便·利·惠, of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.alliances.matrix import Matrix
from data.catalogue import CATEGORIES
from data.catchments import catchment
from data.figures import FEWEST
from data.filters import CLOSED
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo import alliance_scores, crs
from geo.alliance_scores import Audience
from geo.served import Shops

_CATEGORY_IDS = CATEGORIES["id"].to_numpy(np.int64)
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Scores(alliance_scores.Scores):
    """
    What an alliance is worth, with what its offers save.

    Parameters
    ----------
    members
        The merchants counted, as `served`, `gained` and `gains` stand: whoever closed or is set aside is not.
    needs
        惠: the needs covered, as ids of top categories.
    saving_yuan
        The mean saving of the offers that name one; NaN before.
    """

    members: tuple[int, ...]
    needs: tuple[int, ...]
    saving_yuan: float

    @property
    def nobody_loses(self) -> bool | None:
        """Whether every member gains; None where that is not known or not shown."""
        return None if np.isnan(self.profit) else self.profit > 0


@dataclass(frozen=True, eq=False)
class Market:
    """Merchants that can join, and the customers: on the branch's plane, in the snapshot's order."""

    rows: Rows  # of the merchants in the snapshot
    ids: Rows
    trade: Rows  # ranks of their categories
    shops: Shops
    audience: Audience

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        own = (self.rows, self.ids, self.trade, *self.shops)
        return self.audience.nbytes + sum(each.nbytes for each in own)

    def some(self, places: Rows) -> Shops:
        """Return some of the merchants."""
        x, y, reach_m, serves = self.shops
        return Shops(x[places], y[places], reach_m[places], serves[places])

    def places(self, ids: ArrayLike) -> Rows:
        """Return where merchants stand, -1 for whoever cannot join."""
        wanted = np.asarray(ids, dtype=np.int64)
        if not len(self.ids):
            return np.full(len(wanted), -1)
        order = np.argsort(self.ids)
        at = order[np.minimum(np.searchsorted(self.ids, wanted, sorter=order), len(self.ids) - 1)]
        return np.where(self.ids[at] == wanted, at, -1)


def scores_of(
    snapshot: Snapshot,
    asker: Asker,
    matrix: Matrix,
    merchant_ids: Iterable[int],
    savings: Mapping[int, float | None] | None = None,
    *,
    radius_m: float | None = None,
) -> Scores:
    """
    Return what an alliance of some merchants is worth.

    Parameters
    ----------
    snapshot, asker, matrix
        Of the branch; who may read its plans; which trades go together.
    merchant_ids
        Members; whoever closed or is set aside is not counted.
    savings
        What each offer saves, by merchant: who is not named made no offer, None names no sum. Without, every
        member counts as making one.
    radius_m
        Whose share 便 is: of all within it. None: of the whole catchment.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    market = market_of(snapshot, matrix, radius_m)
    places = market.places(list(dict.fromkeys(merchant_ids)))
    return scores_at(asker.masked(snapshot.branch_id), matrix, market, places[places >= 0], savings)


def market_of(snapshot: Snapshot, matrix: Matrix, radius_m: float | None = None) -> Market:
    """Return the merchants that can join and the customers; kept with the snapshot."""
    reach = catchment(snapshot).radius_m if radius_m is None else radius_m
    key = ("market", matrix.key, reach)
    market: Market = snapshot.worked.get(key, lambda: _market(snapshot, matrix, reach))
    return market


def _market(snapshot: Snapshot, matrix: Matrix, radius_m: float) -> Market:
    merchants, customers = snapshot.merchants, snapshot.customers
    plane = crs.local_metric(snapshot.lon, snapshot.lat)
    rows = np.flatnonzero(~merchants.aside & (merchants.status != CLOSED))
    trade = matrix.rank[merchants.category[rows]].astype(np.int64)
    shops = Shops(
        *crs.to_metric(merchants.lon[rows], merchants.lat[rows], plane),
        matrix.reach_m[trade],
        matrix.serves[trade],
    )
    counted = np.flatnonzero(~customers.aside)
    audience = Audience.build(
        *crs.to_metric(customers.lon[counted], customers.lat[counted], plane),
        matrix.group_bit[customers.group[counted]],
        customers.people[counted],
        customers.distance_m[counted] <= radius_m,
    )
    return Market(rows, merchants.id[rows], trade, shops, audience)


def scores_at(
    masked: bool,
    matrix: Matrix,
    market: Market,
    places: Rows,
    savings: Mapping[int, float | None] | None = None,
) -> Scores:
    """Return what an alliance of the merchants at some places of the market is worth."""
    ids = tuple(market.ids[places].tolist())
    bare = alliance_scores.scores(market.audience, market.some(places))
    offering = [place for place, row in zip(places, ids, strict=True) if savings is None or row in savings]
    tops = sorted({int(_CATEGORY_IDS[matrix.needs[market.trade[place]]]) for place in offering})
    named = [saving for row in ids if savings and (saving := savings.get(row)) is not None]
    own = {field.name: getattr(bare, field.name) for field in fields(bare)}
    made = Scores(
        **own,
        members=ids,
        needs=tuple(tops),
        saving_yuan=float(np.mean(named)) if named else np.nan,
    )
    return _masked(made) if masked else made


def _masked(made: Scores) -> Scores:
    """Hide what rests on fewer than `FEWEST` people."""
    pairs = list(zip(made.served, made.gained, strict=True))
    hidden = [0 < served < FEWEST or 0 < gained < FEWEST for served, gained in pairs]
    few = 0 < made.covered < FEWEST
    return replace(
        made,
        covered=np.nan if few else made.covered,
        convenience=np.nan if few else made.convenience,
        median_m=np.nan if 0 < made.scope < FEWEST else made.median_m,
        scope=np.nan if 0 < made.scope < FEWEST else made.scope,
        served=_hidden(made.served, [0 < served < FEWEST for served in made.served]),
        gained=_hidden(made.gained, [0 < gained < FEWEST for gained in made.gained]),
        gains=_hidden(made.gains, hidden),
        profit=np.nan if any(hidden) else made.profit,
    )


def _hidden(values: tuple[float, ...], which: list[bool]) -> tuple[float, ...]:
    return tuple(np.nan if hide else value for value, hide in zip(values, which, strict=True))
