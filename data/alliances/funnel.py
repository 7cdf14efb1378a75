"""The funnel: how many links and alliances stand at each stage, and why others were refused."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.alliances.links import REASONS
from data.alliances.telling import STAGES
from data.rights import Asker, Right
from data.words import LANGUAGES, say
from geo.errors import N_

STEPS: Final = ("suggested", "accepted", "platform", "ecosystem", "ended", "refused")
STEP_NAMES: Final = {
    "suggested": N_("Suggested"),
    "accepted": N_("Accepted"),
    "platform": N_("Joint platform"),
    "ecosystem": N_("Ecosystem"),
    "ended": N_("Ended"),
    "refused": N_("Refused"),
}
_links, _alliances, _members = tables.links, tables.alliances, tables.alliance_members


def funnel(session: Session, asker: Asker, branch_id: int, suggested: int) -> pd.DataFrame:
    """
    Return how far links and alliances came.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans.
    suggested
        Pairs suggested and not decided on yet: `data.alliances.suggesting` reckons them.

    Returns
    -------
    funnel
        step, links, alliances, merchants (different ones in either). What stands counts at its stage and at
        each before it: of the accepted some share a platform, and of those some are an ecosystem. Forming
        alliances count as accepted.
    """
    asker.require(Right.READ_PLANS, branch_id)
    linked = session.execute(
        select(_links.c.state, _links.c.stage, _links.c.a_id, _links.c.b_id).where(
            _links.c.branch_id == branch_id
        )
    ).all()
    allied = session.execute(
        select(_alliances.c.id, _alliances.c.status, _alliances.c.stage).where(
            _alliances.c.branch_id == branch_id
        )
    ).all()
    members: dict[int, set[int]] = {row.id: set() for row in allied}
    for alliance_id, merchant_id in session.execute(
        select(_members.c.alliance_id, _members.c.merchant_id)
        .join(_alliances, _alliances.c.id == _members.c.alliance_id)
        .where(_alliances.c.branch_id == branch_id, _members.c.left.is_(None))
    ):
        members[alliance_id].add(merchant_id)
    rows: list[tuple[str, int, int, int]] = [("suggested", suggested, 0, 0)]
    for step in STEPS[1:]:
        of_links = [row for row in linked if step in _steps(row.state, row.stage)]
        of_alliances = [row for row in allied if step in _steps(row.status, row.stage)]
        shops = {shop for row in of_links for shop in (row.a_id, row.b_id)}
        shops = shops.union(*(members[row.id] for row in of_alliances))
        rows.append((step, len(of_links), len(of_alliances), len(shops)))
    return pd.DataFrame(rows, columns=["step", "links", "alliances", "merchants"])


def refusals(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """Return why links were refused, the commonest reason first: reason (as it was given), links."""
    asker.require(Right.READ_PLANS, branch_id)
    query = select(_links.c.reason).where(_links.c.branch_id == branch_id, _links.c.state == "refused")
    alike = {say(reason, language): reason for reason in REASONS for language in LANGUAGES}
    told: dict[str, Counter[str]] = {}  # one of the usual reasons is one, in whatever language it was given
    for reason in session.scalars(query):
        told.setdefault(alike.get(reason or "", reason or ""), Counter())[reason or ""] += 1
    rows = [(each.most_common(1)[0][0], each.total()) for each in told.values()]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return pd.DataFrame(rows, columns=["reason", "links"])


def _steps(state: str, stage: str) -> tuple[str, ...]:
    """Return the steps that a link or an alliance has come to."""
    if state in ("ended", "refused"):
        return (state,)
    return ("accepted", *STAGES[1 : STAGES.index(stage) + 1])
