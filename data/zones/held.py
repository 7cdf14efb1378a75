"""
What the store holds of a plan of zones: its row as a value, and who changed it since one looked.

Each revision of a draft is one line of its history, so that what happened since a revision can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from data import tables
from data.rights import Asker, Right
from data.zones import content
from geo import comparing_plans
from geo.errors import N_, Conflict, NotFound, PlanConflict, Told
from geo.plans import Change, Plan

DRAFT, PUBLISHED, PAST = "draft", "published", "past"
DONE, UNDONE, DROPPED, STEP = "done", "undone", "dropped", "step"  # a step: an undo or a redo itself
DEEDS = {
    "drawn": N_("drew"),
    "reshaped": N_("redrew"),
    "split": N_("split"),
    "merged": N_("merged"),
    "painted": N_("painted"),
    "filled": N_("filled gaps with"),
    "overlaps": N_("cut overlaps out of"),
    "barriers": N_("cut to barriers"),
    "removed": N_("removed"),
    "edited": N_("edited"),
    "locked": N_("locked"),
    "unlocked": N_("unlocked"),
    "mended": N_("mended"),
    "read": N_("read in"),
    "designed": N_("designed"),
    "rebalanced": N_("rebalanced"),
    "paired": N_("gave people to"),
    "settings": N_("changed the settings"),
    "undo": N_("took back a change of"),
    "redo": N_("made again a change of"),
}
CHANGED = N_("changed")
_MOST_TOLD = 5
_BANK_TIME = ZoneInfo("Asia/Shanghai")
_plans, _changes = tables.plans, tables.plan_changes


@dataclass(frozen=True)
class Held:
    """
    A plan as the store holds it.

    Parameters
    ----------
    id, branch_id, name
        Of the plan.
    status
        `draft`, `published` or `past`.
    revision
        To be handed back with a change.
    plan
        The value.
    can_undo, can_redo
        Whether there is a change to take back, or to make again.
    published_at
        When, of one that is or was published.
    copy_of
        The plan it began as a copy of.
    """

    id: int
    branch_id: int
    name: str
    status: str
    revision: int
    plan: Plan
    can_undo: bool
    can_redo: bool
    published_at: datetime | None = None
    copy_of: int | None = None


def row_of(session: Session, plan_id: int, *, lock: bool = False) -> Row[Any]:
    """Return a plan's row, on request one that nobody else can change before this transaction ends."""
    query = select(_plans).where(_plans.c.id == plan_id)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(N_("This plan is no longer there."))
    return row


def draft(session: Session, asker: Asker, plan_id: int, *, lock: bool = False) -> Row[Any]:
    """Return the row of a plan that may be changed by whoever asks."""
    row = row_of(session, plan_id, lock=lock)
    asker.require(Right.EDIT_PLANS, row.branch_id)
    if row.status != DRAFT:
        raise Conflict(
            N_("Plan {name} is published or past and stays as it is. Change a copy."), name=row.name
        )
    return row


def held(session: Session, row: Row[Any], value: Plan | None = None) -> Held:
    """Return a row as a value; the plan need not be read from its text when it is known."""
    states: set[str] = set()
    if row.status == DRAFT:
        states.update(
            session.scalars(select(_changes.c.state).where(_changes.c.plan_id == row.id).distinct())
        )
    return Held(
        id=row.id,
        branch_id=row.branch_id,
        name=row.name,
        status=row.status,
        revision=row.revision,
        plan=content.plan_of(row.content) if value is None else value,
        can_undo=DONE in states,
        can_redo=UNDONE in states,
        published_at=row.published_at,
        copy_of=row.copy_of,
    )


def claim(
    session: Session, plan_id: int, revision: int, values: dict[str, Any], change: Change | None = None
) -> None:
    """Write a draft's row if its revision is the one known: of two at once, one does."""
    statement = (
        update(_plans)
        .where(_plans.c.id == plan_id, _plans.c.revision == revision, _plans.c.status == DRAFT)
        .values(**values, revision=revision + 1)
    )
    if not session.execute(statement).rowcount:  # type: ignore[attr-defined]  # an UPDATE counts its rows
        raise conflict(session, plan_id, revision, change)


def conflict(session: Session, plan_id: int, revision: int, change: Change | None = None) -> Conflict:
    """Return the account of what happened to a plan since a revision."""
    row = row_of(session, plan_id)
    if row.status != DRAFT:
        return Conflict(
            N_("Plan {name} was published by {by} since you opened it. Change a copy."),
            name=row.name,
            by=row.published_by,
        )
    lines = since(session, plan_id, row.revision - revision)
    done = [content.change_of(line.moves) for line in lines]
    changed = [
        (line.by, line.at, line.what, zone_names(made)) for line, made in zip(lines, done, strict=True)
    ]
    fits = False
    if change is not None:
        try:
            fits = bool(comparing_plans.onto(change, content.plan_of(row.content), done))
        except Conflict:
            fits = False
    told = tuple(_account(*each) for each in changed[-_MOST_TOLD:])
    message = N_("This plan has changed since you opened it: {changes}.")
    return PlanConflict(message, changed, fits, changes=told)


def since(session: Session, plan_id: int, revisions: int) -> list[Row[Any]]:
    """Return the lines of the latest revisions, the oldest first: each revision wrote one."""
    query = select(_changes).where(_changes.c.plan_id == plan_id).order_by(_changes.c.id.desc())
    return list(session.execute(query.limit(max(revisions, 0))))[::-1]


def zone_names(change: Change) -> tuple[str, ...]:
    """Return the names of the zones a change is of."""
    zones = [move.after or move.before for move in change.moves]
    return tuple(dict.fromkeys(zone.name for zone in zones if zone is not None))


def _account(by: str, at: datetime, what: str, zones: tuple[str, ...]) -> Told:
    """Return who changed which zones when, for people."""
    names = zones[:_MOST_TOLD] if len(zones) <= _MOST_TOLD else (*zones[:_MOST_TOLD], "…")
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Told(
        N_("{by} {what} {zones} ({at})"),
        by=by,
        what=Told(DEEDS.get(what, CHANGED)),
        zones=names,
        at=moment.astimezone(_BANK_TIME).strftime("%Y-%m-%d %H:%M"),
    )
