"""
Links a person has decided on: two merchants joined, or not to be joined, what each gains and who owns it.

What is only suggested is reckoned anew each time (`data.alliances.suggesting`) and never stored. A refusal is
remembered, with its reason, until somebody opens the pair again.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

import pandas as pd
from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from data import tables
from data.alliances.approaching import approaches, check_alone
from data.alliances.link_rows import COLUMNS, frame, selected
from data.alliances.telling import (
    check_days,
    check_open,
    checked,
    conflict,
    lines,
    merchants_of,
    note,
    told,
)
from data.branches import lock_version
from data.rights import Asker, Right
from data.trail import audit
from data.zones.intervals import today
from geo.errors import N_, DataError, NotFound

__all__ = [
    "ACCEPTED",
    "COLUMNS",
    "ENDED",
    "REASONS",
    "REFUSED",
    "accept_link",
    "approaches",
    "decided_pairs",
    "edit_link",
    "end_link",
    "link_history",
    "links",
    "refuse_link",
    "reopen_link",
]
ACCEPTED, REFUSED, ENDED = "accepted", "refused", "ended"
STATES = (ACCEPTED, REFUSED, ENDED)
STATE_NAMES: Final = {ACCEPTED: N_("Accepted"), REFUSED: N_("Refused"), ENDED: N_("Ended")}
# Offered to whoever refuses; any other words are as good.
REASONS: Final = (
    N_("They compete for the same customers"),
    N_("The merchant does not want to"),
    N_("The merchant has a partner already"),
    N_("The place does not fit our customers"),
    N_("Too little to gain"),
    N_("Not known well enough yet"),
)
EDITABLE = ("stage", "benefit_a", "benefit_b", "owner_id", "starts", "ends", "notes", "reason")
_links, _changes = tables.links, tables.link_changes


def links(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    merchant_id: int | None = None,
    state: str | None = None,
) -> pd.DataFrame:
    """
    Return the links decided on, the latest first.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans.
    merchant_id
        Only those of a merchant.
    state
        Only `accepted`, `refused` or `ended` ones.

    Returns
    -------
    links
        `COLUMNS`; `a` and `b` are the merchants, `a` the smaller number. One that closed for good has the
        status `closed`, and its links stand until somebody ends them.
    """
    asker.require(Right.READ_PLANS, branch_id)
    query = selected().where(_links.c.branch_id == branch_id).order_by(_links.c.at.desc(), _links.c.id.desc())
    if merchant_id is not None:
        query = query.where(or_(_links.c.a_id == merchant_id, _links.c.b_id == merchant_id))
    if state is not None:
        query = query.where(_links.c.state == state)
    return frame(session, query)


def decided_pairs(session: Session, asker: Asker, branch_id: int, *states: str) -> frozenset[tuple[int, int]]:
    """Return the pairs of merchants in some states, in any without: what need not be suggested again."""
    asker.require(Right.READ_PLANS, branch_id)
    query = select(_links.c.a_id, _links.c.b_id).where(_links.c.branch_id == branch_id)
    rows = session.execute(query.where(_links.c.state.in_(states or STATES)))
    return frozenset((row.a_id, row.b_id) for row in rows)


def accept_link(
    session: Session,
    asker: Asker,
    branch_id: int,
    a: int,
    b: int,
    *,
    owner_id: int | None = None,
    stage: str = "relation",
    benefit_a: str = "",
    benefit_b: str = "",
    starts: date | None = None,
    ends: date | None = None,
    notes: str = "",
    score: float | None = None,
    alone: bool = False,
) -> int:
    """
    Join two merchants and return the link's id.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    a, b
        Merchants of the branch that are not closed, in any order; `benefit_a` is that of `a`.
    owner_id
        Who of the branch's people looks after it.
    stage
        `relation`, `platform` or `ecosystem`.
    benefit_a, benefit_b, starts, ends, notes, score
        What each gains, from when to when, and how the pair scored when it was decided.
    alone
        Refuse where a colleague of the owner is at work with either; else `approaches` tells, and the person
        decides.

    Raises
    ------
    LinkConflict
        When somebody decided on this pair since: it says who, what and when.
    Approached
        See `alone`.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)  # of two who decide on a pair at once, one waits
    check_open(merchants_of(session, branch_id, _two(a, b)).values())
    check_days(starts, ends)
    if alone:
        check_alone(session, asker, branch_id, (a, b), person_id=owner_id)
    benefits = (benefit_a, benefit_b) if a < b else (benefit_b, benefit_a)
    given: dict[str, Any] = {"stage": stage, "owner_id": owner_id, "starts": starts, "ends": ends}
    given |= {"benefit_a": benefits[0], "benefit_b": benefits[1], "notes": notes, "reason": None}
    values = {**checked(session, asker, branch_id, given), "state": ACCEPTED, "score": score}
    found = _of_pair(session, branch_id, a, b)
    if found is not None and found.state != ENDED:
        raise _decided(session, found)
    link_id = _written(session, asker, branch_id, (a, b), found, values)
    audit(session, asker, "accept link", branch_id, f"link {link_id}", a=min(a, b), b=max(a, b), stage=stage)
    return link_id


def refuse_link(
    session: Session,
    asker: Asker,
    branch_id: int,
    a: int,
    b: int,
    *,
    reason: str,
    score: float | None = None,
) -> int:
    """
    Remember that two merchants are not to be joined, and why; return the link's id.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    a, b
        Merchants of the branch.
    reason
        One of `REASONS`, or other words.
    score
        Of the suggestion refused.

    Raises
    ------
    LinkConflict
        When somebody decided on this pair since; a link that stands is ended instead.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    merchants_of(session, branch_id, _two(a, b))
    values = {**checked(session, asker, branch_id, {"reason": reason}), "state": REFUSED, "score": score}
    if values["reason"] is None:
        raise DataError(N_("A refusal needs a reason: it is shown to whoever has the same idea."))
    found = _of_pair(session, branch_id, a, b)
    if found is not None and found.state != ENDED:
        raise _decided(session, found)
    link_id = _written(session, asker, branch_id, (a, b), found, values)
    audit(session, asker, "refuse link", branch_id, f"link {link_id}", a=min(a, b), b=max(a, b))
    return link_id


def reopen_link(session: Session, asker: Asker, link_id: int, revision: int | None = None) -> None:
    """Forget a refusal: the pair may be suggested again; without a revision whatever it is now."""
    row = _claimed(session, asker, link_id, revision)
    if row.state != REFUSED:
        raise _decided(session, row)
    session.execute(delete(_links).where(_links.c.id == link_id))
    audit(session, asker, "reopen link", row.branch_id, f"link {link_id}", a=row.a_id, b=row.b_id)


def edit_link(session: Session, asker: Asker, link_id: int, revision: int, **fields: Any) -> int:
    """
    Change a link, and return its new revision.

    Parameters
    ----------
    session, asker
        Who may edit the branch's plans.
    link_id, revision
        As they were shown.
    fields
        Of `EDITABLE`: what is not named stays, None or "" empties it. Of a refusal only its reason and notes.

    Raises
    ------
    LinkConflict
        When someone changed it since: it says what, who and when.
    """
    row = _claimed(session, asker, link_id, revision)
    allowed = ("reason", "notes") if row.state == REFUSED else EDITABLE
    if wrong := sorted(fields.keys() - set(allowed)):
        raise DataError(N_("This cannot be changed of it: {fields}."), fields=", ".join(wrong))
    values = checked(session, asker, row.branch_id, fields)
    if row.state == REFUSED and values.get("reason", row.reason) is None:
        raise DataError(N_("A refusal needs a reason: it is shown to whoever has the same idea."))
    check_days(values.get("starts", row.starts), values.get("ends", row.ends))
    changed = {name: value for name, value in values.items() if value != getattr(row, name)}
    if not changed:
        return int(row.revision)
    _write(session, asker, row, "edited", changed)
    names = ", ".join(sorted(changed))
    audit(session, asker, "edit link", row.branch_id, f"link {link_id}", fields=names)
    return int(row.revision) + 1


def end_link(session: Session, asker: Asker, link_id: int, revision: int, *, reason: str = "") -> int:
    """End a link that stands, today, and return its new revision; it may be accepted anew."""
    row = _claimed(session, asker, link_id, revision)
    if row.state != ACCEPTED:
        raise _decided(session, row)
    values: dict[str, Any] = {"state": ENDED, **checked(session, asker, row.branch_id, {"reason": reason})}
    if (row.ends is None or row.ends > today()) and (row.starts is None or row.starts <= today()):
        values["ends"] = today()
    _write(session, asker, row, "ended", values)
    audit(session, asker, "end link", row.branch_id, f"link {link_id}")
    return int(row.revision) + 1


def link_history(session: Session, asker: Asker, link_id: int) -> pd.DataFrame:
    """Return what was done to a link, the newest first: what, fields (marked words), by, at."""
    asker.require(Right.READ_PLANS, _row(session, link_id).branch_id)
    return told(session, _changes, "link_id", link_id)


# --- the row behind -----------------------------------------------------------------------------------------


def _two(a: int, b: int) -> tuple[int, int]:
    if a == b:
        raise DataError(N_("A link joins two different merchants."))
    return a, b


def _row(session: Session, link_id: int) -> Row[Any]:
    row = session.execute(select(_links).where(_links.c.id == link_id)).one_or_none()
    if row is None:
        raise NotFound(N_("This link is no longer there."))
    return row


def _claimed(session: Session, asker: Asker, link_id: int, revision: int | None) -> Row[Any]:
    """Return a link's row for whoever changes it, if its revision is the one that was looked at."""
    branch_id = _row(session, link_id).branch_id
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    row = _row(session, link_id)  # as it is now that nobody else can change it
    if revision is not None and row.revision != revision:
        since = lines(session, _changes, "link_id", link_id, row.revision - revision)
        raise conflict(
            N_("This link has changed since you opened it: {changes}. Open it again before you save."), since
        )
    return row


def _of_pair(session: Session, branch_id: int, a: int, b: int) -> Row[Any] | None:
    query = select(_links).where(
        _links.c.branch_id == branch_id, _links.c.a_id == min(a, b), _links.c.b_id == max(a, b)
    )
    return session.execute(query).one_or_none()


def _decided(session: Session, row: Row[Any]) -> Exception:
    """Return the account of who decided on a pair, and how."""
    last = lines(session, _changes, "link_id", row.id, 1)
    if row.state == REFUSED:
        message = N_("This pair was refused: {changes}. The reason: {reason}. Open it again first.")
        return conflict(message, last, reason=row.reason)
    return conflict(N_("Somebody has decided on this pair already: {changes}."), last)


def _written(
    session: Session,
    asker: Asker,
    branch_id: int,
    pair: tuple[int, int],
    found: Row[Any] | None,
    values: dict[str, Any],
) -> int:
    """Write a decision on a pair, over one that ended."""
    if found is not None:
        _write(session, asker, found, values["state"], values)
        return int(found.id)
    whole = {**values, "branch_id": branch_id, "a_id": min(pair), "b_id": max(pair), "by": asker.name}
    link_id = int(session.scalars(insert(_links).values(**whole).returning(_links.c.id)).one())
    note(session, asker, _changes, {"link_id": link_id}, values["state"], None, values)
    return link_id


def _write(session: Session, asker: Asker, row: Row[Any], what: str, values: dict[str, Any]) -> None:
    before = {name: getattr(row, name) for name in values}
    statement = update(_links).where(_links.c.id == row.id).values(**values, revision=row.revision + 1)
    decided = {"by": asker.name, "at": datetime.now(UTC)} if what != "edited" else {}
    session.execute(statement.values(**decided))
    note(session, asker, _changes, {"link_id": row.id}, what, before, values)
