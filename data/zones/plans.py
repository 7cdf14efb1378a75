"""
Plans of zones in the store: drafts begun, copied and dropped, the one published, and those that were.

Published and past plans never change: go on from a copy. How drafts change stands in `data.zones.changing`,
what publishing does in `data.zones.publishing`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from data import tables
from data.branches import branch
from data.rights import Asker, Right
from data.trail import audit
from data.zones import content
from data.zones.changing import change_plan, redo, undo
from data.zones.held import (
    CHANGED,
    DEEDS,
    DRAFT,
    PAST,
    PUBLISHED,
    Held,
    conflict,
    draft,
    held,
    row_of,
    zone_names,
)
from data.zones.publishing import assignments, publish
from geo.blocks import resolution_for
from geo.errors import N_, DataError
from geo.plans import Frame, Plan

__all__ = [
    "CHANGED",
    "DEEDS",
    "DRAFT",
    "PAST",
    "PUBLISHED",
    "Held",
    "assignments",
    "change_plan",
    "copy_plan",
    "default_frame",
    "drop_plan",
    "history",
    "new_plan",
    "plan",
    "plans",
    "publish",
    "published",
    "redo",
    "rename_plan",
    "undo",
    "zone_names",
]
LONGEST_NAME = 120
SMALLEST_RADIUS_M = 500.0
_plans, _changes = tables.plans, tables.plan_changes


def plans(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """
    Return a branch's plans: the published one, then drafts, then past ones, the newest of each first.

    Returns
    -------
    plans
        id, name, status, revision, zones (how many), by, at, published_at, published_by, retired_at, copy_of.
    """
    asker.require(Right.READ_PLANS, branch_id)
    names = ("id", "name", "status", "revision")
    more = ("by", "at", "published_at", "published_by", "retired_at", "copy_of")
    head = func.substr(_plans.c.content, 1, content.HEAD_LENGTH).label("zones")
    fields = [*(_plans.c[name] for name in names), head, *(_plans.c[name] for name in more)]
    rows = session.execute(select(*fields).where(_plans.c.branch_id == branch_id)).all()
    found = pd.DataFrame(rows, columns=[*names, "zones", *more])
    found["zones"] = [content.zones_in(text) for text in found["zones"]]
    order = found["status"].map({PUBLISHED: 0, DRAFT: 1, PAST: 2})
    return (
        found.assign(order=order)
        .sort_values(["order", "id"], ascending=[True, False], ignore_index=True)
        .drop(columns="order")
    )


def plan(session: Session, asker: Asker, plan_id: int) -> Held:
    """Return a plan."""
    row = row_of(session, plan_id)
    asker.require(Right.READ_PLANS, row.branch_id)
    return held(session, row)


def published(session: Session, asker: Asker, branch_id: int) -> Held | None:
    """Return a branch's published plan; None before there is one."""
    asker.require(Right.READ_PLANS, branch_id)
    row = session.execute(
        select(_plans).where(_plans.c.branch_id == branch_id, _plans.c.status == PUBLISHED)
    ).one_or_none()
    return None if row is None else held(session, row)


def new_plan(session: Session, asker: Asker, branch_id: int, *, name: str, plan: Plan | None = None) -> int:
    """
    Begin a draft and return its id.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    name
        Of the plan.
    plan
        What it begins with; nothing but the branch's circle without.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    start = plan or Plan(default_frame(session, asker, branch_id))
    plan_id = _insert(session, asker, branch_id, name, start)
    audit(session, asker, "add plan", branch_id, f"plan {plan_id}", zones=len(start))
    return plan_id


def copy_plan(session: Session, asker: Asker, plan_id: int, name: str) -> int:
    """Begin a draft as a copy of any plan and return its id; numbers of zones stay, history begins anew."""
    row = row_of(session, plan_id)
    asker.require(Right.EDIT_PLANS, row.branch_id)
    copy_id = _insert(session, asker, row.branch_id, name, content.plan_of(row.content), copy_of=plan_id)
    audit(session, asker, "copy plan", row.branch_id, f"plan {copy_id}", copy_of=plan_id)
    return copy_id


def rename_plan(session: Session, asker: Asker, plan_id: int, name: str) -> None:
    """Give a draft another name; that is no change of its zones."""
    row = draft(session, asker, plan_id)
    session.execute(update(_plans).where(_plans.c.id == plan_id).values(name=_named(name)))
    audit(session, asker, "rename plan", row.branch_id, f"plan {plan_id}")


def drop_plan(session: Session, asker: Asker, plan_id: int, revision: int | None = None) -> None:
    """
    Remove a draft with its history.

    Parameters
    ----------
    session, asker, plan_id
        Who may edit the branch's plans.
    revision
        The one that was looked at; None: whatever it is now.

    Raises
    ------
    PlanConflict
        When someone changed it since.
    """
    row = draft(session, asker, plan_id)
    now = row.revision if revision is None else revision
    statement = delete(_plans).where(
        _plans.c.id == plan_id, _plans.c.revision == now, _plans.c.status == DRAFT
    )
    if not session.execute(statement).rowcount:  # type: ignore[attr-defined]  # a DELETE counts its rows
        raise conflict(session, plan_id, now)
    audit(session, asker, "drop plan", row.branch_id, f"plan {plan_id}")


def history(session: Session, asker: Asker, plan_id: int) -> pd.DataFrame:
    """
    Return what was done to a plan, the newest first.

    Returns
    -------
    history
        what (a code of `DEEDS`), zones (a tuple of names), by, at, state: `done`, `undone`, `dropped` (undone
        for good) or `step` (an undo or a redo itself).
    """
    asker.require(Right.READ_PLANS, row_of(session, plan_id).branch_id)
    query = select(_changes).where(_changes.c.plan_id == plan_id).order_by(_changes.c.id.desc())
    rows = [
        (row.what, zone_names(content.change_of(row.moves)), row.by, row.at, row.state)
        for row in session.execute(query)
    ]
    return pd.DataFrame(rows, columns=["what", "zones", "by", "at", "state"])


def default_frame(session: Session, asker: Asker, branch_id: int) -> Frame:
    """Return the frame a new plan begins with: the branch's circle, as its newest data version has it."""
    asker.require(Right.READ_PLANS, branch_id)
    found = branch(session, asker, branch_id)
    kept = tables.data_versions
    newest = select(kept.c.figures).where(kept.c.branch_id == branch_id).order_by(kept.c.number.desc())
    figures: dict[str, Any] = session.scalars(newest.limit(1)).first() or {}
    radius_m = max(float(found["radius_m"] or figures.get("radius_m") or 0.0), SMALLEST_RADIUS_M)
    return Frame(found["lon"], found["lat"], radius_m, resolution_for(radius_m))


def _insert(
    session: Session, asker: Asker, branch_id: int, name: str, value: Plan, copy_of: int | None = None
) -> int:
    row = {"branch_id": branch_id, "name": _named(name), "content": content.plan_text(value)}
    statement = insert(_plans).values(**row, copy_of=copy_of, by=asker.name).returning(_plans.c.id)
    return int(session.scalars(statement).one())


def _named(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(N_("A plan needs a name of at most {count} characters."), count=LONGEST_NAME)
    return name
