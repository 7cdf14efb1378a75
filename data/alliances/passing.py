"""Links and places in alliances handed on, when two merchants turn out to be one, and handed back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.orm import Session

from data import tables
from data.alliances.telling import note
from data.rights import Asker
from data.zones.intervals import today

_links, _members, _alliances = tables.links, tables.alliance_members, tables.alliances
PASSED = "passed"  # where the batch of a merge remembers what was handed on
_BETTER = ("accepted", "ended", "refused")  # which of two decisions on one pair is kept


def pass_on(session: Session, asker: Asker, gone_id: int, kept_id: int) -> dict[str, list[int]]:
    """
    Let the links, memberships and referrals of a merchant that goes be those of the one that stays.

    Where both have a link with the same third, the one that stands is kept, else the older; a link between
    the two goes, and a referral. Of two memberships in standing alliances the kept merchant's own stays, as
    nobody is in two.

    Returns
    -------
    passed
        Ids by kind, for `hand_back`.
    """
    return {
        "links": _pass_links(session, asker, gone_id, kept_id),
        "members": _pass_members(session, asker, gone_id, kept_id),
        **_pass_referrals(session, gone_id, kept_id),
    }


def hand_back(
    session: Session, asker: Asker, passed: Mapping[str, list[int]], gone_id: int, kept_id: int
) -> None:
    """Undo `pass_on` once the merchant that went is there again, as far as nobody changed it since."""
    for row in _rows(session, passed.get("links", [])):
        if kept_id in (row.a_id, row.b_id) and gone_id not in (row.a_id, row.b_id):
            _relink(session, asker, row, kept_id, gone_id)
    own = _members.c.id.in_(passed.get("members", []))
    back = update(_members).where(own, _members.c.merchant_id == kept_id)
    session.execute(back.values(merchant_id=gone_id))
    referrals = tables.referrals
    for name in ("from_id", "to_id"):
        which = referrals.c.id.in_(passed.get(name, [])) & (referrals.c[name] == kept_id)
        session.execute(update(referrals).where(which).values({name: gone_id}))


def _rows(session: Session, ids: list[int]) -> list[Row[Any]]:
    return list(session.execute(select(_links).where(_links.c.id.in_(ids)).order_by(_links.c.id)))


def _pass_links(session: Session, asker: Asker, gone_id: int, kept_id: int) -> list[int]:
    mine = or_(_links.c.a_id == gone_id, _links.c.b_id == gone_id)
    passed = []
    for row in session.execute(select(_links).where(mine).order_by(_links.c.id)).all():
        third = row.b_id if row.a_id == gone_id else row.a_id
        there = _between(session, row.branch_id, kept_id, third)
        if third == kept_id or (there is not None and _rank(there) <= _rank(row)):
            session.execute(delete(_links).where(_links.c.id == row.id))
            continue
        if there is not None:
            session.execute(delete(_links).where(_links.c.id == there.id))
        _relink(session, asker, row, gone_id, kept_id)
        passed.append(int(row.id))
    return passed


def _rank(row: Row[Any]) -> tuple[int, int]:
    return _BETTER.index(row.state), row.id


def _between(session: Session, branch_id: int, one: int, other: int) -> Row[Any] | None:
    which = (_links.c.a_id == min(one, other), _links.c.b_id == max(one, other))
    return session.execute(select(_links).where(_links.c.branch_id == branch_id, *which)).one_or_none()


def _relink(session: Session, asker: Asker, row: Row[Any], before_id: int, now_id: int) -> None:
    """Let a link be another merchant's; each side keeps its benefit, though their order may change."""
    side = "a" if row.a_id == before_id else "b"
    other_id = row.b_id if side == "a" else row.a_id
    own, other = (row.benefit_a, row.benefit_b) if side == "a" else (row.benefit_b, row.benefit_a)
    first = now_id < other_id
    values = {
        "a_id": min(now_id, other_id),
        "b_id": max(now_id, other_id),
        "benefit_a": own if first else other,
        "benefit_b": other if first else own,
    }
    statement = update(_links).where(_links.c.id == row.id).values(**values, revision=row.revision + 1)
    session.execute(statement)
    was = {name: getattr(row, name) for name in values}
    note(session, asker, tables.link_changes, {"link_id": row.id}, "merged", was, values)


def _pass_members(session: Session, asker: Asker, gone_id: int, kept_id: int) -> list[int]:
    own = select(_members.c.alliance_id).where(_members.c.merchant_id == kept_id)
    taken = set(session.scalars(own))
    stands = _members.c.left.is_(None) & (_alliances.c.status != "ended")
    standing = _members.join(_alliances, _alliances.c.id == _members.c.alliance_id)
    busy = session.scalars(
        select(_members.c.id).select_from(standing).where(_members.c.merchant_id == kept_id, stands)
    ).first()
    passed = []
    for row in session.execute(select(_members).where(_members.c.merchant_id == gone_id)).all():
        if row.alliance_id in taken:
            session.execute(delete(_members).where(_members.c.id == row.id))
        else:
            leaves = {"left": today()} if busy is not None and row.left is None else {}
            statement = update(_members).where(_members.c.id == row.id)
            session.execute(statement.values(merchant_id=kept_id, **leaves))
            passed.append(int(row.id))
        _count(session, asker, row.alliance_id, kept_id)
    return passed


def _count(session: Session, asker: Asker, alliance_id: int, kept_id: int) -> None:
    statement = update(_alliances).where(_alliances.c.id == alliance_id)
    session.execute(statement.values(revision=_alliances.c.revision + 1))
    whose = {"alliance_id": alliance_id, "merchant_id": kept_id}
    note(session, asker, tables.alliance_changes, whose, "merged", None, {"merchant_id": kept_id})


def _pass_referrals(session: Session, gone_id: int, kept_id: int) -> dict[str, list[int]]:
    referrals, passed = tables.referrals, {}
    for name in ("from_id", "to_id"):
        which = referrals.c[name] == gone_id
        passed[name] = list(session.scalars(select(referrals.c.id).where(which)))
        session.execute(update(referrals).where(which).values({name: kept_id}))
    session.execute(delete(referrals).where(referrals.c.from_id == referrals.c.to_id))
    return passed
