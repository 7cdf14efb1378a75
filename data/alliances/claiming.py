"""An alliance's row under a change: claimed by its revision, written with the line that tells it, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, or_, select, update
from sqlalchemy.orm import Session

from data import tables
from data.alliances.telling import conflict, lines, note
from data.branches import lock_version, new_version
from data.rights import Asker, Right
from data.snapshots import ALLIED
from data.zones.intervals import today
from geo.errors import N_, Conflict, DataError, NotFound

FORMING, ACTIVE, ENDED = "forming", "active", "ended"
STATUS_NAMES: Final = {FORMING: N_("Forming"), ACTIVE: N_("Active"), ENDED: N_("Ended")}
ALLIANCE = "alliance"  # cause of a version in which other merchants are allied
MOST_MEMBERS = 12
_alliances, _members, _changes = tables.alliances, tables.alliance_members, tables.alliance_changes
_merchants = tables.merchants


def row_of(session: Session, alliance_id: int) -> Row[Any]:
    """Return an alliance's row."""
    row = session.execute(select(_alliances).where(_alliances.c.id == alliance_id)).one_or_none()
    if row is None:
        raise NotFound(N_("This alliance is no longer there."))
    return row


def claimed(session: Session, asker: Asker, alliance_id: int, revision: int) -> Row[Any]:
    """Return the row for whoever may edit it, if its revision is the one that was looked at."""
    branch_id = row_of(session, alliance_id).branch_id
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)  # of two at once, one waits
    row = row_of(session, alliance_id)
    if row.revision != revision:
        since = lines(session, _changes, "alliance_id", alliance_id, row.revision - revision)
        message = N_(
            "This alliance has changed since you opened it: {changes}. Open it again before you save."
        )
        raise conflict(message, since)
    return row


def write(
    session: Session,
    asker: Asker,
    row: Row[Any],
    what: str,
    values: Mapping[str, Any],
    *,
    merchant_id: int | None = None,
    before: Mapping[str, Any] | None = None,
) -> None:
    """Change an alliance's row, or only count a change of a member, and write the line that tells it."""
    own = values if merchant_id is None else {}
    statement = update(_alliances).where(_alliances.c.id == row.id)
    session.execute(statement.values(**own, revision=row.revision + 1))
    was = {name: getattr(row, name) for name in values} if merchant_id is None else before
    whose = {"alliance_id": row.id, "merchant_id": merchant_id}
    note(session, asker, _changes, whose, what, was, values)


def members_now(session: Session, alliance_id: int) -> list[int]:
    """Return the merchants that are members now."""
    query = select(_members.c.merchant_id).where(
        _members.c.alliance_id == alliance_id, _members.c.left.is_(None)
    )
    return list(session.scalars(query.order_by(_members.c.id)))


def check_free(
    session: Session, branch_id: int, merchant_ids: Iterable[int], *, but: int | None = None
) -> None:
    """Refuse merchants that are in another alliance that has not ended."""
    joined = _members.join(_alliances, _alliances.c.id == _members.c.alliance_id)
    joined = joined.join(_merchants, _merchants.c.id == _members.c.merchant_id)
    query = (
        select(_merchants.c.name, _alliances.c.name.label("alliance"))
        .select_from(joined)
        .where(_alliances.c.branch_id == branch_id, stands(), _members.c.left.is_(None))
        .where(_members.c.merchant_id.in_(list(merchant_ids)), _alliances.c.id != (but or 0))
        .order_by(_members.c.id)
    )
    row = session.execute(query).first()
    if row is not None:
        message = N_("{name} is in the alliance {alliance} already. A merchant is in one at a time.")
        raise Conflict(message, name=row.name, alliance=row.alliance)


def check_number(members: int) -> None:
    """Refuse more members than an alliance holds together."""
    if members > MOST_MEMBERS:
        raise DataError(N_("An alliance has at most {count} members."), count=MOST_MEMBERS)


def changed_members(session: Session, asker: Asker, branch_id: int, merchant_ids: Iterable[int]) -> None:
    """Give the branch's data a new version, in which these merchants are allied or not as stored now."""
    if ids := sorted(set(merchant_ids)):
        new_version(session, asker, branch_id, ALLIANCE, touched={ALLIED: ids})


def stands() -> ColumnElement[bool]:
    """Return which alliances have not ended, by hand or by their date."""
    return and_(_alliances.c.status != ENDED, or_(_alliances.c.ends.is_(None), _alliances.c.ends >= today()))


def in_force(row: Any, day: date | None = None) -> bool:
    """Whether an alliance is active on a day, the present one without."""
    day = day or today()
    begun, over = row.starts is None or row.starts <= day, row.ends is not None and row.ends < day
    return bool(row.status == ACTIVE and begun and not over)
