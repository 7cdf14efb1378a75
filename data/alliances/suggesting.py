"""The partners worth linking, of a catchment, a zone or one merchant: scored, and only where both gain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.alliances.matrix import Matrix
from data.alliances.offering import FEWEST_GAINED, LEAST_GAIN, Offers, offers, score
from data.alliances.why import why
from data.alliances.worth import Market, market_of
from data.figures import FEWEST
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.errors import N_, NotFound, Told
from geo.partners import WEIGHTS, WITHIN_M
from geo.planes import Plane

__all__ = ["COLUMNS", "FEWEST_GAINED", "LEAST_GAIN", "PARTS", "nothing_because", "suggestions", "why"]

SAME_TRADES, SAME_MERCHANT = 0.9, 0.8  # what a score counts for after one such link before it
PARTS = ("complement", "distance", "shared", "colocation", "readiness")
COLUMNS = (
    *("a", "b", "score", *PARTS, "distance_m", "gain_a", "gain_b", "gain_a_n", "gain_b_n"),
    *("served_a", "served_b", "category_a", "category_b", "group_a", "group_b"),
)


def suggestions(
    snapshot: Snapshot,
    asker: Asker,
    matrix: Matrix,
    *,
    merchant_id: int | None = None,
    zone: BaseGeometry | None = None,
    within_m: float = WITHIN_M,
    limit: int | None = None,
    refused: Collection[tuple[int, int]] = (),
    seed: int = 0,
) -> pd.DataFrame:
    """
    Return the partners worth linking, best first; of links as good as each other the smaller ids first.

    Parameters
    ----------
    snapshot, asker, matrix
        Of the branch; who may read its plans; which trades go together.
    merchant_id
        Whose partners; those of all without.
    zone
        A shape in WGS 84 that at least one of the two lies in.
    within_m
        How far a partner may be.
    limit
        At most so many; of more than one merchant's with trades and merchants in turn, as `mixed` has them.
    refused
        Pairs to leave out, the smaller id first: what somebody refused, or decided on already.
    seed
        Of the trials of co-location.

    Returns
    -------
    links
        `a`, `b` (ids, the smaller first); `score` and its `PARTS`, 0 to 1; `distance_m`; `gain_a`, `gain_b`,
        the share, and `gain_a_n`, `gain_b_n`, the number of customers each would gain, of `served_a` and
        `served_b`; `category_a`, `category_b` (ids); `group_a`, `group_b`, the bit of the group most of those
        gained are of. NaN where it rests on fewer than `FEWEST` customers and the asker may not see them.

    Raises
    ------
    NotFound
        When there is no such merchant.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    if merchant_id is not None and snapshot.merchants.row_of(merchant_id) is None:
        raise NotFound(N_("There is no merchant {which} at this branch."), which=merchant_id)
    found = offers(snapshot, matrix, within_m=within_m, seed=seed, merchant_id=merchant_id)
    if zone is not None:
        inside = _ids_in(snapshot, market_of(snapshot, matrix), zone)
        found = found.some(np.isin(found.a, inside) | np.isin(found.b, inside))
    if refused:
        found = found.some(~_among(found, refused))
    links = _frame(found)
    if asker.masked(snapshot.branch_id):
        links = _masked(links, found.both)
    links = links.sort_values(["score", "a", "b"], ascending=[False, True, True], kind="stable")
    first = slice(limit) if limit is None or merchant_id is not None else mixed(links, limit)
    return links.iloc[first].reset_index(drop=True)


def mixed(links: pd.DataFrame, limit: int) -> list[int]:
    """
    Return the places of the first links worth a look: the best, but not ten of one kind in a row.

    Each is the one whose score counts most, where a score counts less with every link before it of the same
    two trades (`SAME_TRADES`) and of the same merchant (`SAME_MERCHANT`): greedy maximal marginal relevance
    (Carbonell & Goldstein 1998).

    Parameters
    ----------
    links
        `score`, `a`, `b`, `category_a`, `category_b`, best first.
    limit
        At most so many.
    """
    a, b = links["a"].to_numpy(), links["b"].to_numpy()
    trades = np.sort(links[["category_a", "category_b"]].to_numpy(), axis=1)
    counts = links["score"].to_numpy(dtype=np.float64, copy=True)
    first: list[int] = []
    for _ in range(min(limit, len(links))):
        best = int(counts.argmax())
        first.append(best)
        counts[(trades == trades[best]).all(axis=1)] *= SAME_TRADES
        for merchant in (a[best], b[best]):
            counts[(a == merchant) | (b == merchant)] *= SAME_MERCHANT
        counts[best] = -np.inf
    return first


def nothing_because(
    snapshot: Snapshot, matrix: Matrix, *, merchant_id: int | None = None, within_m: float = WITHIN_M
) -> Told:
    """Return why no partner is suggested: what the data lack, or that no pair passes the rule."""
    market = market_of(snapshot, matrix)
    trade = market.trade
    if merchant_id is not None and merchant_id not in market.ids:
        return Told(N_("This merchant is closed or set aside."))
    if len(market.ids) < 2:
        return Told(
            N_("Partners need two open merchants at least; here there are {count}."), count=len(trade)
        )
    able = (matrix.complement > 0) & ~matrix.competes
    if not able[np.ix_(np.unique(trade), np.unique(trade))].any():
        if (matrix.serves[trade] == 0).all():
            return Told(N_("No merchant has a category that serves customers. Set categories first."))
        return Told(N_("No two categories here help each other."))
    if not len(market.audience.people):
        return Told(N_("No customer is known here yet: what merchants would gain cannot be counted."))
    if np.ptp(market.shops.x) < 1.0 and np.ptp(market.shops.y) < 1.0:
        return Told(N_("All merchants stand on one spot: none could reach customers the others do not."))
    return Told(
        N_("Of pairs at most {metres} m apart, none lets both sides gain {percent} % and {count} customers."),
        metres=round(within_m),
        percent=round(100 * LEAST_GAIN),
        count=FEWEST_GAINED,
    )


def _ids_in(snapshot: Snapshot, market: Market, zone: BaseGeometry) -> NDArray[np.int64]:
    """Return the ids of the merchants in a zone, its border included."""
    shape = Plane(snapshot.lon, snapshot.lat).metres(zone)
    shapely.prepare(shape)
    inside: NDArray[np.bool_] = shapely.intersects_xy(shape, market.shops.x, market.shops.y)
    return np.asarray(market.ids[inside])


def _among(found: Offers, pairs: Collection[tuple[int, int]]) -> NDArray[np.bool_]:
    """Return which offers are among some pairs, whichever of the two stands first."""
    listed = np.sort(np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2), axis=1)
    base = max(int(found.b.max(initial=0)), int(listed.max(initial=0))) + 1
    mask: NDArray[np.bool_] = np.isin(found.a * base + found.b, listed[:, 0] * base + listed[:, 1])
    return mask


def _frame(found: Offers) -> pd.DataFrame:
    frame = pd.DataFrame({field.name: getattr(found, field.name) for field in fields(found)})
    for side in ("a", "b"):
        frame[f"gain_{side}"] = frame[f"gain_{side}_n"] / frame[f"served_{side}"]
    return frame[list(COLUMNS)]


def _masked(links: pd.DataFrame, both: NDArray[np.float64]) -> pd.DataFrame:
    """
    Hide what rests on few customers, and what they could be worked out from.

    Who knows how many each serves and what each gains knows how many both serve; so where those are few, all
    shares and the numbers served are hidden, and the score does without them.
    """
    masked = links.copy()
    few = (both > 0) & (both < FEWEST)
    masked.loc[few, "shared"] = 0.0
    masked["score"] = score(WEIGHTS, {name: masked[name].to_numpy() for name in PARTS})
    masked.loc[few, "shared"] = np.nan
    for side in ("a", "b"):
        served = links[f"served_{side}"].to_numpy()
        hidden = few | (served < FEWEST)
        masked.loc[hidden, [f"served_{side}", f"gain_{side}"]] = np.nan
        gained = links[f"gain_{side}_n"].to_numpy() < FEWEST
        masked.loc[gained, [f"gain_{side}_n", f"gain_{side}"]] = np.nan
    return masked
