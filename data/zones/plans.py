"""
Plans of zones in the store: drafts that are changed, the one published, and those that were.

Each revision of a draft is one line of its history, so that what happened since a revision can be told.
What was done can be undone and done again; a line says which, and what was undone and then overtaken by
another change is dropped, but stays on record. Published and past plans never change: go on from a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from data import tables
from data.branches import branch, lock_version, new_version
from data.rights import Asker, Right
from data.trail import audit
from data.zones import content
from geo import comparing_plans
from geo.blocks import resolution_for
from geo.errors import N_, Conflict, DataError, NotFound, PlanConflict, Told
from geo.plans import Change, Frame, Plan

DRAFT, PUBLISHED, PAST = "draft", "published", "past"
DONE, UNDONE, DROPPED, STEP = "done", "undone", "dropped", "step"  # a step: an undo or a redo itself
LONGEST_NAME = 120
SMALLEST_RADIUS_M = 500.0
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
_plans, _changes, _lines, _people = tables.plans, tables.plan_changes, tables.assignments, tables.people


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
    row = _row(session, plan_id)
    asker.require(Right.READ_PLANS, row.branch_id)
    return _held(session, row)


def published(session: Session, asker: Asker, branch_id: int) -> Held | None:
    """Return a branch's published plan; None before there is one."""
    asker.require(Right.READ_PLANS, branch_id)
    row = session.execute(
        select(_plans).where(_plans.c.branch_id == branch_id, _plans.c.status == PUBLISHED)
    ).one_or_none()
    return None if row is None else _held(session, row)


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
    row = _row(session, plan_id)
    asker.require(Right.EDIT_PLANS, row.branch_id)
    copy_id = _insert(session, asker, row.branch_id, name, content.plan_of(row.content), copy_of=plan_id)
    audit(session, asker, "copy plan", row.branch_id, f"plan {copy_id}", copy_of=plan_id)
    return copy_id


def rename_plan(session: Session, asker: Asker, plan_id: int, name: str) -> None:
    """Give a draft another name; that is no change of its zones."""
    row = _draft(session, asker, plan_id)
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
    row = _draft(session, asker, plan_id)
    now = row.revision if revision is None else revision
    statement = delete(_plans).where(
        _plans.c.id == plan_id, _plans.c.revision == now, _plans.c.status == DRAFT
    )
    if not session.execute(statement).rowcount:  # type: ignore[attr-defined]  # a DELETE counts its rows
        raise _conflict(session, plan_id, now)
    audit(session, asker, "drop plan", row.branch_id, f"plan {plan_id}")


def change_plan(
    session: Session,
    asker: Asker,
    plan_id: int,
    revision: int,
    change: Change,
    *,
    onto_newer: bool = False,
) -> Held:
    """
    Make a change in a draft and return the draft as it is then.

    Parameters
    ----------
    session, asker, plan_id, revision
        The revision is that of the plan the change was made for.
    change
        An empty one changes nothing.
    onto_newer
        Make it on the plan as it is now, if what was changed since is of other zones and other ground.

    Raises
    ------
    PlanConflict
        When someone changed the draft since: it says who changed which zones when.
    """
    row = _draft(session, asker, plan_id, lock=onto_newer)
    if row.revision != revision:
        if not onto_newer:
            raise _conflict(session, plan_id, revision, change)
        change = _onto(session, row, revision, change)
    if not change:
        return _held(session, row)
    _check_pairs(session, row.branch_id, change)
    after = content.plan_of(row.content).after(change)
    _write(session, asker, row, after, change, DONE)
    session.execute(
        update(_changes)
        .where(_changes.c.plan_id == plan_id, _changes.c.state == UNDONE)
        .values(state=DROPPED)
    )
    audit(
        session,
        asker,
        "change plan",
        row.branch_id,
        f"plan {plan_id}",
        what=change.what,
        zones=len(change.moves),
    )
    return _held(session, _row(session, plan_id), after)


def undo(session: Session, asker: Asker, plan_id: int, revision: int) -> Held:
    """Take back the latest change of a draft, whoever made it, and return the draft as it is then."""
    return _step(session, asker, plan_id, revision, "undo")


def redo(session: Session, asker: Asker, plan_id: int, revision: int) -> Held:
    """Make again the change last taken back, and return the draft as it is then."""
    return _step(session, asker, plan_id, revision, "redo")


def publish(session: Session, asker: Asker, plan_id: int, revision: int) -> Held:
    """
    Make a draft the plan the branch works by, and return it.

    The plan published before becomes past; who works which zone begins and ends; the branch's data get a new
    version, with which the figures of the zones are kept.

    Raises
    ------
    PlanConflict
        When someone changed the draft since.
    """
    row = _row(session, plan_id)
    asker.require(Right.PUBLISH_PLANS, row.branch_id)
    row = _draft(session, asker, plan_id)
    lock_version(session, row.branch_id)  # of two who publish at once, one waits
    value = content.plan_of(row.content)
    if not len(value):
        raise DataError(N_("A plan without zones cannot be published. Draw or design zones first."))
    now = datetime.now(UTC)
    told = {"status": PUBLISHED, "published_at": now, "published_by": asker.name}
    _claim(session, plan_id, revision, told)
    session.execute(
        update(_plans)
        .where(_plans.c.branch_id == row.branch_id, _plans.c.status == PUBLISHED, _plans.c.id != plan_id)
        .values(status=PAST, retired_at=now)
    )
    _assign(session, row.branch_id, plan_id, value, now)
    audit(session, asker, "publish plan", row.branch_id, f"plan {plan_id}", zones=len(value))
    new_version(session, asker, row.branch_id, "plan", touched={})
    return _held(session, _row(session, plan_id), value)


def history(session: Session, asker: Asker, plan_id: int) -> pd.DataFrame:
    """
    Return what was done to a plan, the newest first.

    Returns
    -------
    history
        what (a code of `DEEDS`), zones (a tuple of names), by, at, state: `done`, `undone`, `dropped` (undone
        for good) or `step` (an undo or a redo itself).
    """
    asker.require(Right.READ_PLANS, _row(session, plan_id).branch_id)
    query = select(_changes).where(_changes.c.plan_id == plan_id).order_by(_changes.c.id.desc())
    rows = [
        (row.what, zone_names(content.change_of(row.moves)), row.by, row.at, row.state)
        for row in session.execute(query)
    ]
    return pd.DataFrame(rows, columns=["what", "zones", "by", "at", "state"])


def assignments(session: Session, asker: Asker, branch_id: int, person_id: int | None = None) -> pd.DataFrame:
    """
    Return who works which zone and who did, the present first, then the latest ended.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans.
    person_id
        One person's lines alone.

    Returns
    -------
    assignments
        plan_id, plan (its name), zone_id, zone_name, person_id, person, since, until (None: still).
    """
    asker.require(Right.READ_PLANS, branch_id)
    query = (
        select(
            _lines.c.plan_id,
            _plans.c.name.label("plan"),
            _lines.c.zone_id,
            _lines.c.zone_name,
            _lines.c.person_id,
            _people.c.name.label("person"),
            _lines.c.since,
            _lines.c.until,
        )
        .join(_plans, _plans.c.id == _lines.c.plan_id)
        .join(_people, _people.c.id == _lines.c.person_id)
        .where(_lines.c.branch_id == branch_id)
        .order_by(_lines.c.until.is_not(None), _lines.c.until.desc(), _lines.c.zone_id, _lines.c.id)
    )
    if person_id is not None:
        query = query.where(_lines.c.person_id == person_id)
    result = session.execute(query)
    return pd.DataFrame(result.all(), columns=list(result.keys()))


def default_frame(session: Session, asker: Asker, branch_id: int) -> Frame:
    """Return the frame a new plan begins with: the branch's circle, as its newest data version has it."""
    asker.require(Right.READ_PLANS, branch_id)
    found = branch(session, asker, branch_id)
    kept = tables.data_versions
    newest = select(kept.c.figures).where(kept.c.branch_id == branch_id).order_by(kept.c.number.desc())
    figures: dict[str, Any] = session.scalars(newest.limit(1)).first() or {}
    radius_m = max(float(found["radius_m"] or figures.get("radius_m") or 0.0), SMALLEST_RADIUS_M)
    return Frame(found["lon"], found["lat"], radius_m, resolution_for(radius_m))


def zone_names(change: Change) -> tuple[str, ...]:
    """Return the names of the zones a change is of."""
    zones = [move.after or move.before for move in change.moves]
    return tuple(dict.fromkeys(zone.name for zone in zones if zone is not None))


# How they are kept ------------------------------------------------------------------------------------------


def _row(session: Session, plan_id: int, *, lock: bool = False) -> Row[Any]:
    query = select(_plans).where(_plans.c.id == plan_id)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(N_("This plan is no longer there."))
    return row


def _draft(session: Session, asker: Asker, plan_id: int, *, lock: bool = False) -> Row[Any]:
    """Return the row of a plan that may be changed by whoever asks."""
    row = _row(session, plan_id, lock=lock)
    asker.require(Right.EDIT_PLANS, row.branch_id)
    if row.status != DRAFT:
        raise Conflict(
            N_("Plan {name} is published or past and stays as it is. Change a copy."), name=row.name
        )
    return row


def _held(session: Session, row: Row[Any], value: Plan | None = None) -> Held:
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


def _claim(
    session: Session, plan_id: int, revision: int, values: dict[str, Any], change: Change | None = None
) -> None:
    """Write a draft's row if its revision is the one known: of two at once, one does."""
    statement = (
        update(_plans)
        .where(_plans.c.id == plan_id, _plans.c.revision == revision, _plans.c.status == DRAFT)
        .values(**values, revision=revision + 1)
    )
    if not session.execute(statement).rowcount:  # type: ignore[attr-defined]  # an UPDATE counts its rows
        raise _conflict(session, plan_id, revision, change)


def _write(session: Session, asker: Asker, row: Row[Any], after: Plan, change: Change, state: str) -> None:
    """Keep the plan as it is now, and the line that says what was done."""
    _claim(session, row.id, row.revision, {"content": content.plan_text(after)}, change)
    line = {"plan_id": row.id, "what": change.what, "moves": content.change_text(change), "state": state}
    session.execute(insert(_changes).values(**line, by=asker.name))


def _step(session: Session, asker: Asker, plan_id: int, revision: int, what: str) -> Held:
    row = _draft(session, asker, plan_id)
    if row.revision != revision:
        raise _conflict(session, plan_id, revision)
    back = what == "undo"
    at = _changes.c.id.desc() if back else _changes.c.id
    query = select(_changes).where(
        _changes.c.plan_id == plan_id, _changes.c.state == (DONE if back else UNDONE)
    )
    line = session.execute(query.order_by(at).limit(1)).one_or_none()
    if line is None:
        raise Conflict(
            N_("There is nothing to take back.") if back else N_("There is nothing to make again.")
        )
    change = content.change_of(line.moves)
    step = replace(change.inverse if back else change, what=what)
    after = content.plan_of(row.content).after(step)
    _write(session, asker, row, after, step, STEP)
    session.execute(update(_changes).where(_changes.c.id == line.id).values(state=UNDONE if back else DONE))
    audit(session, asker, f"{what} plan", row.branch_id, f"plan {plan_id}", what=change.what)
    return _held(session, _row(session, plan_id), after)


def _since(session: Session, plan_id: int, revisions: int) -> list[Row[Any]]:
    """Return the lines of the latest revisions, the oldest first: each revision wrote one."""
    query = select(_changes).where(_changes.c.plan_id == plan_id).order_by(_changes.c.id.desc())
    return list(session.execute(query.limit(max(revisions, 0))))[::-1]


def _onto(session: Session, row: Row[Any], revision: int, change: Change) -> Change:
    """Return a change made for an older revision so that it fits the newest, or say why not."""
    meanwhile = [content.change_of(line.moves) for line in _since(session, row.id, row.revision - revision)]
    try:
        return comparing_plans.onto(change, content.plan_of(row.content), meanwhile)
    except PlanConflict:
        raise
    except Conflict as error:
        raise _conflict(session, row.id, revision, change) from error


def _conflict(session: Session, plan_id: int, revision: int, change: Change | None = None) -> Conflict:
    """Return the account of what happened to a plan since a revision."""
    row = _row(session, plan_id)
    if row.status != DRAFT:
        return Conflict(
            N_("Plan {name} was published by {by} since you opened it. Change a copy."),
            name=row.name,
            by=row.published_by,
        )
    lines = _since(session, plan_id, row.revision - revision)
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


def _check_pairs(session: Session, branch_id: int, change: Change) -> None:
    """Let only the branch's own people be given zones."""
    given = {
        person
        for move in change.moves
        if move.after is not None
        for person in set(move.after.pair) - set(move.before.pair if move.before else ())
    }
    if not given:
        return
    at_branch = tables.person_branches.c
    known = set(session.scalars(select(at_branch.person_id).where(at_branch.branch_id == branch_id)))
    if given - known:
        raise DataError(N_("A zone can be given to people of this branch only."))


def _assign(session: Session, branch_id: int, plan_id: int, value: Plan, now: datetime) -> None:
    """Let who works a zone of this name already go on, end the others' lines, and begin the new ones."""
    still = session.scalars(select(_people.c.id)).all()
    wanted = {
        (zone.name, person): zone.id for zone in value.zones for person in zone.pair if person in set(still)
    }
    current = session.execute(
        select(_lines.c.id, _lines.c.zone_name, _lines.c.person_id).where(
            _lines.c.branch_id == branch_id, _lines.c.until.is_(None)
        )
    ).all()
    for line in current:
        zone_id = wanted.pop((line.zone_name, line.person_id), None)
        values = {"until": now} if zone_id is None else {"plan_id": plan_id, "zone_id": zone_id}
        session.execute(update(_lines).where(_lines.c.id == line.id).values(**values))
    begun = [
        {
            "branch_id": branch_id,
            "plan_id": plan_id,
            "zone_id": zone_id,
            "zone_name": name,
            "person_id": person,
            "since": now,
        }
        for (name, person), zone_id in wanted.items()
    ]
    if begun:
        session.execute(insert(_lines), begun)
