"""
Alliances proposed for a branch: candidates out of the links worth making, and those of them that reach most.

Left out are merchants that are closed or set aside, and those that are in an alliance that has not ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.alliances.claiming import stands
from data.alliances.links import decided_pairs
from data.alliances.matrix import Matrix
from data.alliances.suggesting import suggestions
from data.alliances.worth import Market, Scores, market_of, scores_at, scores_of
from data.figures import FEWEST
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.alliance_scores import in_reach
from geo.alliances import Ground, Rules, candidates, longest_m
from geo.choosing import chosen
from geo.errors import N_

__all__ = ["Proposal", "Proposed", "Scores", "proposed", "scores_of", "spoken_for"]

AT_MOST = 10
FEW_MERCHANTS = N_(
    "An alliance needs three merchants that are open and in no other alliance; there are {count}."
)
NO_LINKS = N_("No two merchants here complete each other so that both gain: there is nothing to form from.")
NO_GROUPS = N_(
    "The links here join no three merchants of three different needs within {metres} m, so there is no "
    "alliance to propose."
)
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Proposal:
    """
    An alliance that could be.

    Parameters
    ----------
    id
        Its place among those proposed, from 1: what it adds shrinks with it.
    members
        Merchants, the best linked first.
    scores
        What it is worth.
    adds
        People of the scope it reaches and those before it do not.
    score
        The mean of its links' scores.
    longest_m
        Between its two members farthest apart, in a straight line.
    lon, lat
        Its middle.
    category_id
        The category of its best linked member.
    """

    id: int
    members: tuple[int, ...]
    scores: Scores
    adds: float
    score: float
    longest_m: float
    lon: float
    lat: float
    category_id: int

    @property
    def lead(self) -> int:
        """The merchant whose name the alliance can take."""
        return self.members[0]


@dataclass(frozen=True)
class Proposed:
    """
    The alliances proposed for a branch.

    Parameters
    ----------
    alliances
        The chosen ones.
    covered, scope
        People within reach of one of their members, and all of the scope.
    covered_share
        The first as a share of the second; NaN where the scope holds nobody.
    bound
        No choice of as many candidates reaches a larger share.
    exact
        Whether this is the best choice there is.
    candidates
        How many sensible alliances were chosen from.
    why
        A marked text and what fills it, where there are none; else empty.
    """

    alliances: tuple[Proposal, ...]
    covered: float
    scope: float
    covered_share: float
    bound: float
    exact: bool
    candidates: int
    why: tuple[str, dict[str, int]] | None = None


def proposed(
    snapshot: Snapshot,
    asker: Asker,
    matrix: Matrix,
    *,
    at_most: int = AT_MOST,
    seed: int = 0,
    links: pd.DataFrame | None = None,
    taken: Collection[int] = (),
    refused: Collection[tuple[int, int]] = (),
    radius_m: float | None = None,
) -> Proposed:
    """
    Return the alliances that together reach most of the branch's people.

    Parameters
    ----------
    snapshot, asker, matrix
        Of the branch; who may read its plans; which trades go together.
    at_most
        How many alliances.
    seed
        The same gives the same alliances.
    links
        `a, b` (ids of merchants) and `score`; None: every link worth making.
    taken, refused
        Merchants that are in an alliance already, and pairs somebody refused: see `spoken_for`.
    radius_m
        Whose share is meant: all within it. None: the whole catchment.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    market = market_of(snapshot, matrix, radius_m)
    free = ~np.isin(market.ids, np.fromiter(taken, dtype=np.int64))
    if free.sum() < Rules().fewest:
        return _none(market, (FEW_MERCHANTS, {"count": int(free.sum())}))
    if links is None:
        links = _links(snapshot, asker, matrix, refused)
    ground = _ground(market, matrix, links, free)
    if not len(ground.a):
        return _none(market, (NO_LINKS, {}))
    found = candidates(ground, seed=seed)
    if not found:
        return _none(market, (NO_GROUPS, {"metres": round(Rules().walk_m)}))
    return _chosen(snapshot, asker, matrix, market, ground, found, at_most)


def spoken_for(
    session: Session, asker: Asker, branch_id: int
) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """Return the merchants that are in an alliance that has not ended, and the pairs somebody refused."""
    asker.require(Right.READ_PLANS, branch_id)
    members, alliances = tables.alliance_members, tables.alliances
    own = select(members.c.merchant_id).join(alliances, alliances.c.id == members.c.alliance_id)
    taken = session.scalars(own.where(alliances.c.branch_id == branch_id, members.c.left.is_(None), stands()))
    return frozenset(taken), decided_pairs(session, asker, branch_id, "refused")


def _links(
    snapshot: Snapshot, asker: Asker, matrix: Matrix, refused: Collection[tuple[int, int]]
) -> pd.DataFrame:
    links: pd.DataFrame = suggestions(snapshot, asker, matrix, refused=refused)
    return links


def _ground(market: Market, matrix: Matrix, links: pd.DataFrame, free: NDArray[np.bool_]) -> Ground:
    a, b = market.places(links["a"]), market.places(links["b"])
    known = (a >= 0) & (b >= 0)
    known[known] &= free[a[known]] & free[b[known]]
    score = links["score"].to_numpy(np.float64)[known]
    return Ground.of(
        market.shops.x,
        market.shops.y,
        market.trade,
        (a[known], b[known], score),
        matrix.competes,
        matrix.needs,
    )


def _none(market: Market, why: tuple[str, dict[str, int]]) -> Proposed:
    scope = market.audience.in_scope
    share = 0.0 if scope else np.nan
    return Proposed((), 0.0, scope, share, share, exact=True, candidates=0, why=why)


def _chosen(
    snapshot: Snapshot,
    asker: Asker,
    matrix: Matrix,
    market: Market,
    ground: Ground,
    found: list[tuple[int, ...]],
    at_most: int,
) -> Proposed:
    audience, masked = market.audience, asker.masked(snapshot.branch_id)
    near = [in_reach(audience, market.some(np.array(members))) for members in found]
    choice = chosen(near, audience.people, at_most)
    seen = np.zeros(len(audience.people), dtype=np.bool_)
    made = []
    for number, which in enumerate(choice.picked, start=1):
        new = near[which][~seen[near[which]]]
        seen[new] = True
        members, score = _best_first(ground, found[which])
        rows = market.rows[members]
        adds = float(audience.people[new].sum())
        made.append(
            Proposal(
                id=number,
                members=tuple(market.ids[members].tolist()),
                scores=scores_at(masked, matrix, market, members),
                adds=np.nan if masked and 0 < adds < FEWEST else adds,
                score=score,
                longest_m=longest_m(ground.x[members], ground.y[members]),
                lon=float(snapshot.merchants.lon[rows].mean()),
                lat=float(snapshot.merchants.lat[rows].mean()),
                category_id=int(snapshot.merchants.category[rows[0]]),
            )
        )
    scope, hidden = audience.in_scope, masked and 0 < choice.covered < FEWEST
    covered = np.nan if hidden else choice.covered
    return Proposed(
        alliances=tuple(made),
        covered=covered,
        scope=scope,
        covered_share=covered / scope if scope else np.nan,
        bound=(np.nan if hidden else choice.bound) / scope if scope else np.nan,
        exact=choice.exact,
        candidates=len(found),
    )


def _best_first(ground: Ground, members: tuple[int, ...]) -> tuple[Rows, float]:
    """Return members by the sum of their links to each other, and the mean score of those."""
    own = np.array(members, dtype=np.int64)
    inside = np.isin(ground.a, own) & np.isin(ground.b, own)
    ends = np.concatenate([ground.a[inside], ground.b[inside]])
    ties = np.bincount(ends, weights=np.tile(ground.score[inside], 2), minlength=len(ground.x))
    return own[np.argsort(-ties[own], kind="stable")], float(ground.score[inside].mean())
