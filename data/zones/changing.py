"""
Drafts changed: one change at a time, each of a known revision, taken back and made again.

A line of a draft's history says what was done; what was undone and then overtaken by another change is
dropped, but stays on record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from data import tables
from data.rights import Asker
from data.trail import audit
from data.zones import content
from data.zones.held import DONE, DROPPED, STEP, UNDONE, Held, claim, conflict, draft, held, row_of, since
from geo import comparing_plans
from geo.errors import N_, Conflict, DataError
from geo.plans import Change, Plan

_changes = tables.plan_changes


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
    row = draft(session, asker, plan_id, lock=onto_newer)
    if row.revision != revision:
        if not onto_newer:
            raise conflict(session, plan_id, revision, change)
        change = _onto(session, row, revision, change)
    if not change:
        return held(session, row)
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
    return held(session, row_of(session, plan_id), after)


def undo(session: Session, asker: Asker, plan_id: int, revision: int) -> Held:
    """Take back the latest change of a draft, whoever made it, and return the draft as it is then."""
    return _step(session, asker, plan_id, revision, "undo")


def redo(session: Session, asker: Asker, plan_id: int, revision: int) -> Held:
    """Make again the change last taken back, and return the draft as it is then."""
    return _step(session, asker, plan_id, revision, "redo")


def _write(session: Session, asker: Asker, row: Row[Any], after: Plan, change: Change, state: str) -> None:
    """Keep the plan as it is now, and the line that says what was done."""
    claim(session, row.id, row.revision, {"content": content.plan_text(after)}, change)
    line = {"plan_id": row.id, "what": change.what, "moves": content.change_text(change), "state": state}
    session.execute(insert(_changes).values(**line, by=asker.name))


def _step(session: Session, asker: Asker, plan_id: int, revision: int, what: str) -> Held:
    row = draft(session, asker, plan_id)
    if row.revision != revision:
        raise conflict(session, plan_id, revision)
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
    return held(session, row_of(session, plan_id), after)


def _onto(session: Session, row: Row[Any], revision: int, change: Change) -> Change:
    """Return a change made for an older revision so that it fits the newest, or say why not."""
    meanwhile = [content.change_of(line.moves) for line in since(session, row.id, row.revision - revision)]
    try:
        return comparing_plans.onto(change, content.plan_of(row.content), meanwhile)
    except Conflict as error:
        raise conflict(session, row.id, revision, change) from error


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
