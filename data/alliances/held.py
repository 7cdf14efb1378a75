"""
Alliances in the store: formed, made active, ended; their members stand in `data.alliances.members`.

The branch is the hub of each. An alliance is in force while it is active and the day lies within its dates,
as far as those are given: which merchants are allied follows the day (`data.working.allied`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from data import tables
from data.alliances.claiming import (
    ACTIVE,
    ALLIANCE,
    ENDED,
    FORMING,
    MOST_MEMBERS,
    STATUS_NAMES,
    changed_members,
    check_free,
    check_number,
    claimed,
    in_force,
    members_now,
    row_of,
    write,
)
from data.alliances.telling import check_days, check_open, checked, merchants_of, note, told
from data.branches import lock_version
from data.rights import Asker, Right
from data.trail import audit
from data.zones.intervals import today
from geo.errors import N_, DataError, Told

__all__ = [
    "ACTIVE",
    "ALLIANCE",
    "ENDED",
    "FORMING",
    "MOST_MEMBERS",
    "STATUS_NAMES",
    "Alliance",
    "alliance",
    "alliance_history",
    "alliances",
    "drop_alliance",
    "edit_alliance",
    "form_alliance",
    "set_status",
]
FEWEST_ACTIVE = 2
LONGEST_NAME = 120
EDITABLE = ("name", "stage", "owner_id", "starts", "ends", "notes")
COLUMNS = (
    *("id", "name", "status", "stage", "owner", "starts", "ends", "members", "revision", "by", "at"),
    *("owner_id", "notes", "in_force"),
)
MEMBER_COLUMNS = (
    *("merchant_id", "name", "category_id", "lon", "lat", "status", "offer", "saving_yuan"),
    *("sponsor_yuan", "joined", "left"),
)
REFERRAL_COLUMNS = (
    "id",
    "day",
    "from_id",
    "from_name",
    "to_id",
    "to_name",
    "count",
    "value_yuan",
    "by",
    "at",
)
_alliances, _members, _changes = tables.alliances, tables.alliance_members, tables.alliance_changes
_merchants, _people = tables.merchants, tables.people
_WRONG_ORDER = N_("This cannot be done with an alliance that is {status}.")


@dataclass(frozen=True)
class Alliance:
    """
    An alliance as the store holds it.

    Parameters
    ----------
    id, branch_id, name, stage, owner_id, owner, starts, ends, notes, by, at
        As they were entered.
    status
        `forming`, `active` or `ended`.
    in_force
        Whether it is active and the day lies within its dates.
    revision
        To be handed back with a change.
    members
        `MEMBER_COLUMNS`, once a merchant, those who left last; a shop that closed has the status `closed`.
    referrals
        `REFERRAL_COLUMNS`, the latest first; no merchant stands for the branch.
    """

    id: int
    branch_id: int
    name: str
    status: str
    stage: str
    owner_id: int | None
    owner: str | None
    starts: date | None
    ends: date | None
    notes: str | None
    in_force: bool
    revision: int
    by: str
    at: datetime
    members: pd.DataFrame = field(repr=False, compare=False)
    referrals: pd.DataFrame = field(repr=False, compare=False)


def alliances(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """
    Return a branch's alliances: the active, the forming, the ended, the latest of each first.

    Returns
    -------
    alliances
        `COLUMNS`; `members` is how many there are now.
    """
    asker.require(Right.READ_PLANS, branch_id)
    present = (
        select(_members.c.alliance_id, func.count().label("members"))
        .where(_members.c.left.is_(None))
        .group_by(_members.c.alliance_id)
        .subquery()
    )
    query = (
        select(
            _alliances, _people.c.name.label("owner"), func.coalesce(present.c.members, 0).label("members")
        )
        .select_from(
            _alliances.outerjoin(_people, _people.c.id == _alliances.c.owner_id).outerjoin(
                present, present.c.alliance_id == _alliances.c.id
            )
        )
        .where(_alliances.c.branch_id == branch_id)
        .order_by(_alliances.c.id.desc())
    )
    rows = sorted(session.execute(query), key=lambda row: (ACTIVE, FORMING, ENDED).index(row.status))
    found = [
        tuple(in_force(row) if name == "in_force" else row._mapping[name] for name in COLUMNS) for row in rows
    ]
    kinds = {**dict.fromkeys(("id", "members", "revision"), "int64"), "in_force": "bool"}
    return pd.DataFrame(found, columns=list(COLUMNS), dtype=object).astype(kinds)


def alliance(session: Session, asker: Asker, alliance_id: int) -> Alliance:
    """Return an alliance with its members and referrals."""
    row = row_of(session, alliance_id)
    asker.require(Right.READ_PLANS, row.branch_id)
    owner = session.scalar(select(_people.c.name).where(_people.c.id == row.owner_id))
    own = {name: row._mapping[name] for name in Alliance.__dataclass_fields__ if name in row._mapping}
    return Alliance(
        **own,
        owner=owner,
        in_force=in_force(row),
        members=_member_rows(session, alliance_id),
        referrals=_referral_rows(session, alliance_id),
    )


def alliance_history(session: Session, asker: Asker, alliance_id: int) -> pd.DataFrame:
    """Return what was done to an alliance, the newest first: what, fields (marked words), by, at."""
    asker.require(Right.READ_PLANS, row_of(session, alliance_id).branch_id)
    return told(session, _changes, "alliance_id", alliance_id)


def form_alliance(
    session: Session,
    asker: Asker,
    branch_id: int,
    name: str,
    merchant_ids: Iterable[int],
    *,
    stage: str = "relation",
    owner_id: int | None = None,
    starts: date | None = None,
    ends: date | None = None,
    notes: str = "",
    offers: Mapping[int, Mapping[str, Any]] | None = None,
) -> int:
    """
    Begin an alliance and return its id; it is forming until somebody makes it active.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    name
        Of the alliance.
    merchant_ids
        Its members: merchants that are open, and in no other alliance that has not ended; at most
        `MOST_MEMBERS`.
    stage, owner_id, starts, ends, notes
        Of the alliance; the dates are the campaign's.
    offers
        By merchant: `offer`, `saving_yuan`, `sponsor_yuan`.

    Raises
    ------
    Conflict
        When a merchant is in another alliance; it says which.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    check_days(starts, ends)
    given: dict[str, Any] = {"stage": stage, "owner_id": owner_id, "starts": starts, "ends": ends}
    values = checked(session, asker, branch_id, {**given, "notes": notes}) | {"name": _named(name)}
    members = merchants_of(session, branch_id, merchant_ids)
    check_number(len(members))
    check_open(members.values())
    check_free(session, branch_id, members)
    told_of = {row: checked(session, asker, branch_id, (offers or {}).get(row, {})) for row in members}
    row = {**values, "branch_id": branch_id, "by": asker.name}
    alliance_id = int(session.scalars(insert(_alliances).values(**row).returning(_alliances.c.id)).one())
    rows = [
        {"alliance_id": alliance_id, "merchant_id": row_id, "joined": today(), "by": asker.name}
        | {"offer": None, "saving_yuan": None, "sponsor_yuan": None}
        | told_of[row_id]
        for row_id in members
    ]
    if rows:
        session.execute(insert(_members), rows)
    note(session, asker, _changes, {"alliance_id": alliance_id}, "formed", None, values)
    audit(session, asker, "form alliance", branch_id, f"alliance {alliance_id}", members=len(members))
    changed_members(session, asker, branch_id, members)
    return alliance_id


def edit_alliance(session: Session, asker: Asker, alliance_id: int, revision: int, **fields: Any) -> int:
    """
    Change an alliance, and return its new revision.

    Parameters
    ----------
    session, asker
        Who may edit the branch's plans.
    alliance_id, revision
        As they were shown.
    fields
        Of `EDITABLE`: what is not named stays, None or "" empties it. Of an ended one only the notes.

    Raises
    ------
    LinkConflict
        When someone changed it since: it says what, who and when.
    """
    row = claimed(session, asker, alliance_id, revision)
    allowed = ("notes",) if row.status == ENDED else EDITABLE
    if wrong := sorted(fields.keys() - set(allowed)):
        raise DataError(N_("This cannot be changed of it: {fields}."), fields=", ".join(wrong))
    values = checked(session, asker, row.branch_id, fields)
    if "name" in values:
        values["name"] = _named(values["name"])
    check_days(values.get("starts", row.starts), values.get("ends", row.ends))
    changed = {name: value for name, value in values.items() if value != getattr(row, name)}
    if not changed:
        return int(row.revision)
    present = members_now(session, alliance_id)
    if "ends" in changed and row.status != ENDED:  # whoever had left for good is wanted again
        check_free(session, row.branch_id, present, but=alliance_id)
    write(session, asker, row, "edited", changed)
    names = ", ".join(sorted(changed))
    audit(session, asker, "edit alliance", row.branch_id, f"alliance {alliance_id}", fields=names)
    if row.status == ACTIVE and changed.keys() & {"starts", "ends"}:
        changed_members(session, asker, row.branch_id, present)
    return int(row.revision) + 1


def set_status(session: Session, asker: Asker, alliance_id: int, revision: int, status: str) -> int:
    """
    Make a forming alliance active, or end one; return its new revision.

    Parameters
    ----------
    session, asker
        Making it active, and ending an active one, is for whoever may publish plans; a forming one may be
        ended by who may edit them.
    alliance_id, revision
        As they were shown.
    status
        `active` or `ended`. An ended alliance stays as it is.
    """
    row = claimed(session, asker, alliance_id, revision)
    if (row.status, status) not in {(FORMING, ACTIVE), (FORMING, ENDED), (ACTIVE, ENDED)}:
        raise DataError(_WRONG_ORDER, status=Told(STATUS_NAMES[row.status]))
    if ACTIVE in (row.status, status):
        asker.require(Right.PUBLISH_PLANS, row.branch_id)
    present = members_now(session, alliance_id)
    values: dict[str, Any] = {"status": status}
    if status == ACTIVE:
        found = merchants_of(session, row.branch_id, present).values()
        if sum(each.status != "closed" for each in found) < FEWEST_ACTIVE:
            raise DataError(N_("An alliance needs at least {count} open members."), count=FEWEST_ACTIVE)
        check_free(session, row.branch_id, present, but=alliance_id)
    elif (row.ends is None or row.ends > today()) and (row.starts is None or row.starts <= today()):
        values["ends"] = today()
    write(session, asker, row, "activated" if status == ACTIVE else "ended", values)
    audit(session, asker, "set alliance", row.branch_id, f"alliance {alliance_id}", status=status)
    changed_members(session, asker, row.branch_id, present)
    return int(row.revision) + 1


def drop_alliance(session: Session, asker: Asker, alliance_id: int, revision: int) -> None:
    """Remove an alliance that is forming, with its history; any other is ended instead."""
    row = claimed(session, asker, alliance_id, revision)
    if row.status != FORMING:
        raise DataError(_WRONG_ORDER, status=Told(STATUS_NAMES[row.status]))
    present = members_now(session, alliance_id)
    session.execute(delete(_alliances).where(_alliances.c.id == alliance_id))
    audit(session, asker, "drop alliance", row.branch_id, f"alliance {alliance_id}")
    changed_members(session, asker, row.branch_id, present)


# --- the rows behind ----------------------------------------------------------------------------------------


def _named(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(N_("An alliance needs a name of at most {count} characters."), count=LONGEST_NAME)
    return name


def _member_rows(session: Session, alliance_id: int) -> pd.DataFrame:
    columns = [
        (_merchants if name in ("name", "category_id", "lon", "lat", "status") else _members).c[name]
        for name in MEMBER_COLUMNS
    ]
    query = (
        select(*columns)
        .select_from(_members.join(_merchants, _merchants.c.id == _members.c.merchant_id))
        .where(_members.c.alliance_id == alliance_id)
        .order_by(_members.c.left.is_not(None), _members.c.id)
    )
    rows = [tuple(row) for row in session.execute(query)]
    kinds = {"merchant_id": "int64", "category_id": "int64", "lon": "float64", "lat": "float64"}
    kinds |= {"saving_yuan": "float64", "sponsor_yuan": "float64"}
    return pd.DataFrame(rows, columns=list(MEMBER_COLUMNS), dtype=object).astype(kinds)


def _referral_rows(session: Session, alliance_id: int) -> pd.DataFrame:
    table, sender, receiver = tables.referrals, _merchants.alias("sender"), _merchants.alias("receiver")
    named = {"from_name": sender.c.name.label("from_name"), "to_name": receiver.c.name.label("to_name")}
    query = (
        select(*(named[name] if name in named else table.c[name] for name in REFERRAL_COLUMNS))
        .select_from(
            table.outerjoin(sender, sender.c.id == table.c.from_id).outerjoin(
                receiver, receiver.c.id == table.c.to_id
            )
        )
        .where(table.c.alliance_id == alliance_id)
        .order_by(table.c.day.desc(), table.c.id.desc())
    )
    rows = [tuple(row) for row in session.execute(query)]
    kinds = {"id": "int64", "count": "int64", "value_yuan": "float64"}
    return pd.DataFrame(rows, columns=list(REFERRAL_COLUMNS), dtype=object).astype(kinds)
