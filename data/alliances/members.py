"""Members of an alliance taken in, let go, their offers changed by hand; whom they sent to each other."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from data import tables
from data.alliances.claiming import (
    ENDED,
    FORMING,
    changed_members,
    check_free,
    check_number,
    claimed,
    members_now,
    row_of,
    write,
)
from data.alliances.telling import EARLIEST, check_open, checked, merchants_of
from data.branches import lock_version
from data.rights import Asker, Right
from data.trail import audit
from data.zones.intervals import today
from geo.errors import N_, DataError, NotFound

OFFER = ("offer", "saving_yuan", "sponsor_yuan")
MOST_REFERRED = 100_000
_members, _referrals = tables.alliance_members, tables.referrals


def add_member(
    session: Session,
    asker: Asker,
    alliance_id: int,
    revision: int,
    merchant_id: int,
    *,
    offer: str = "",
    saving_yuan: float | None = None,
    sponsor_yuan: float | None = None,
) -> int:
    """
    Take a merchant into an alliance, from today, and return the alliance's new revision.

    Parameters
    ----------
    session, asker
        Who may edit the branch's plans.
    alliance_id, revision
        As they were shown.
    merchant_id
        Open, of the branch, and in no other alliance that has not ended. One who left comes back.
    offer, saving_yuan, sponsor_yuan
        What it offers customers, what that saves each, and what the bank pays towards it.

    Raises
    ------
    LinkConflict
        When someone changed the alliance since.
    Conflict
        When the merchant is in an alliance already.
    """
    row = _standing(claimed(session, asker, alliance_id, revision))
    merchant = merchants_of(session, row.branch_id, [merchant_id])
    check_open(merchant.values())
    check_free(session, row.branch_id, [merchant_id])
    check_number(len(members_now(session, alliance_id)) + 1)
    given = {"offer": offer, "saving_yuan": saving_yuan, "sponsor_yuan": sponsor_yuan}
    values = {**checked(session, asker, row.branch_id, given), "joined": today(), "left": None}
    back = update(_members).where(
        _members.c.alliance_id == alliance_id, _members.c.merchant_id == merchant_id
    )
    returned = session.execute(back.values(**values, by=asker.name))
    if not returned.rowcount:  # type: ignore[attr-defined]  # an UPDATE counts its rows
        own = {"alliance_id": alliance_id, "merchant_id": merchant_id, "by": asker.name}
        session.execute(insert(_members).values(**values, **own))
    return _changed(session, asker, row, merchant_id, "joined", values)


def remove_member(session: Session, asker: Asker, alliance_id: int, revision: int, merchant_id: int) -> int:
    """Let a member go, today, and return the alliance's new revision; what it did is kept."""
    row = _standing(claimed(session, asker, alliance_id, revision))
    _member(session, alliance_id, merchant_id)
    values = {"left": today()}
    _update(session, alliance_id, merchant_id, values)
    return _changed(session, asker, row, merchant_id, "left", values, {"left": None})


def edit_member(
    session: Session, asker: Asker, alliance_id: int, revision: int, merchant_id: int, **fields: Any
) -> int:
    """
    Change what a member offers, and return the alliance's new revision.

    Parameters
    ----------
    session, asker, alliance_id, revision, merchant_id
        As `add_member`.
    fields
        Of `OFFER`: what is not named stays, None or "" empties it.
    """
    row = _standing(claimed(session, asker, alliance_id, revision))
    if wrong := sorted(fields.keys() - set(OFFER)):
        raise DataError(N_("This cannot be changed of it: {fields}."), fields=", ".join(wrong))
    was = _member(session, alliance_id, merchant_id)
    values = checked(session, asker, row.branch_id, fields)
    changed = {name: value for name, value in values.items() if value != getattr(was, name)}
    if not changed:
        return int(row.revision)
    _update(session, alliance_id, merchant_id, changed)
    before = {name: getattr(was, name) for name in changed}
    return _changed(session, asker, row, merchant_id, "offered", changed, before)


def record_referral(
    session: Session,
    asker: Asker,
    alliance_id: int,
    *,
    from_id: int | None = None,
    to_id: int | None = None,
    count: int = 1,
    value_yuan: float | None = None,
    day: date | None = None,
) -> int:
    """
    Record that one member sent customers to another, and return the record's id.

    Parameters
    ----------
    session, asker
        Who may edit the branch's plans.
    alliance_id
        Of an alliance that is or was active.
    from_id, to_id
        Members, past ones too; None is the branch, the hub.
    count, value_yuan
        How many customers, and what they bought for, where known. Never who they were.
    day
        Today, or a day before.
    """
    branch_id = row_of(session, alliance_id).branch_id
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    row = row_of(session, alliance_id)
    if row.status == FORMING:
        raise DataError(N_("Referrals are recorded once the alliance is active."))
    ends = {each for each in (from_id, to_id) if each is not None}
    own = set(session.scalars(select(_members.c.merchant_id).where(_members.c.alliance_id == alliance_id)))
    if from_id == to_id or not ends <= own:
        raise DataError(N_("A referral goes from one member to another, or from or to the branch."))
    if not 1 <= count <= MOST_REFERRED:
        raise DataError(N_("A referral is of 1 to {count} customers."), count=MOST_REFERRED)
    day = day or today()
    if not EARLIEST <= day <= today():
        raise DataError(N_("A referral is recorded once it was made: the day lies ahead, or too far back."))
    value = checked(session, asker, branch_id, {"value_yuan": value_yuan})
    values = {"alliance_id": alliance_id, "from_id": from_id, "to_id": to_id, "day": day, "count": count}
    statement = insert(_referrals).values(**values, **value, by=asker.name).returning(_referrals.c.id)
    referral_id = int(session.scalars(statement).one())
    audit(session, asker, "record referral", branch_id, f"alliance {alliance_id}", referral=referral_id)
    return referral_id


def drop_referral(session: Session, asker: Asker, referral_id: int) -> None:
    """Take a record back that was a mistake."""
    query = select(_referrals.c.alliance_id).where(_referrals.c.id == referral_id)
    alliance_id = session.scalar(query)
    if alliance_id is None:
        raise NotFound(N_("This row is no longer there."))
    branch_id = row_of(session, alliance_id).branch_id
    asker.require(Right.EDIT_PLANS, branch_id)
    session.execute(delete(_referrals).where(_referrals.c.id == referral_id))
    audit(session, asker, "drop referral", branch_id, f"alliance {alliance_id}", referral=referral_id)


def _standing(row: Row[Any]) -> Row[Any]:
    if row.status == ENDED:
        raise DataError(N_("This alliance has ended and stays as it is. Form a new one."))
    return row


def _member(session: Session, alliance_id: int, merchant_id: int) -> Row[Any]:
    query = select(_members).where(
        _members.c.alliance_id == alliance_id,
        _members.c.merchant_id == merchant_id,
        _members.c.left.is_(None),
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(N_("This merchant is no member of the alliance."))
    return row


def _update(session: Session, alliance_id: int, merchant_id: int, values: dict[str, Any]) -> None:
    which = (_members.c.alliance_id == alliance_id, _members.c.merchant_id == merchant_id)
    session.execute(update(_members).where(*which).values(**values))


def _changed(
    session: Session,
    asker: Asker,
    row: Row[Any],
    merchant_id: int,
    what: str,
    values: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> int:
    """Count and tell a change of a member; who is one changes which merchants are allied."""
    write(session, asker, row, what, values, merchant_id=merchant_id, before=before)
    action = {"joined": "add member", "left": "remove member"}.get(what, "edit member")
    audit(session, asker, action, row.branch_id, f"alliance {row.id}", merchant=merchant_id)
    if what != "offered":
        changed_members(session, asker, row.branch_id, [merchant_id])
    return int(row.revision) + 1
