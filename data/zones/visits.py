"""Visits, plain records: who was with whom, when, what came of it, and what is next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from data import byhand, tables
from data.branches import lock_version, new_version
from data.people import managers
from data.rights import Asker, Right
from data.trail import audit
from data.zones.intervals import today
from geo.errors import N_, DataError, NotFound, RightsError

LONGEST_TEXT = 2000
LATELY_DAYS = 7  # within so many days another visit to the same is likely one too many
EARLIEST = date(2000, 1, 1)
FARTHEST_NEXT_DAYS = 3 * 366
COLUMNS = (
    *("id", "day", "person_id", "person", "merchant_id", "merchant", "customer_id"),
    *("result", "next_step", "next_day", "by", "batch_id"),
)
_visits, _merchants, _customers = tables.visits, tables.merchants, tables.customers


def add_visit(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    merchant_id: int | None = None,
    customer_id: int | None = None,
    person_id: int | None = None,
    day: date | None = None,
    result: str = "",
    next_step: str = "",
    next_day: date | None = None,
) -> int:
    """
    Record a visit and return its id; it is a batch of its own, so it can be taken back.

    Parameters
    ----------
    session, asker, branch_id
        Who works at the branch may, for merchants; for customers who may see them, or the customer's manager.
    merchant_id, customer_id
        Whom the visit was made to: one of the two.
    person_id
        Who was there, of the branch's people; the asker, where that is one of them.
    day, result, next_step, next_day
        When (today), what came of it, what is next and when.
    """
    _check_may(session, asker, branch_id, merchant_id, customer_id)
    person_id = asker.person_id if person_id is None else person_id
    if person_id is not None and person_id not in set(managers(session, asker, branch_id)["id"]):
        raise NotFound(N_("There is no person {which}."), which=person_id)
    day = day or today()
    _check_days(day, next_day)
    values = {
        "branch_id": branch_id,
        "person_id": person_id,
        "merchant_id": merchant_id,
        "customer_id": customer_id,
        "day": day,
        "result": _text(result),
        "next_step": _text(next_step),
        "next_day": next_day,
        "by": asker.name,
    }
    lock_version(session, branch_id)
    batch_id = byhand.open_hand(session, asker, branch_id, "visit", kind="visits")
    visit_id = byhand.add_row(session, batch_id, "visits", values)
    whom = f"merchant {merchant_id}" if merchant_id is not None else f"customer {customer_id}"
    audit(session, asker, "record visit", branch_id, whom, batch=batch_id)
    layer, row_id = ("merchants", merchant_id) if merchant_id is not None else ("customers", customer_id)
    assert row_id is not None
    new_version(session, asker, branch_id, "visit", batch_id, touched={f"visits to {layer}": [row_id]})
    return visit_id


def visits(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    merchant_id: int | None = None,
    customer_id: int | None = None,
    person_id: int | None = None,
    limit: int = 200,
) -> pd.DataFrame:
    """
    Return visits, the latest first: of a merchant, a customer or a person, or of the branch.

    Parameters
    ----------
    session, asker, branch_id
        Who reads the branch's figures sees visits to merchants, and to the customers he or she may see. A
        look at a customer's is written into the trail.
    merchant_id, customer_id, person_id
        Whose, and whom to.
    limit
        The most lines.

    Returns
    -------
    visits
        `COLUMNS`; of a customer there is the number, and no name.
    """
    asker.require(Right.FIGURES, branch_id)
    query = _selected(asker, branch_id).order_by(_visits.c.day.desc(), _visits.c.id.desc()).limit(limit)
    if merchant_id is not None:
        query = query.where(_visits.c.merchant_id == merchant_id)
    if customer_id is not None:
        _check_may(session, asker, branch_id, None, customer_id)
        query = query.where(_visits.c.customer_id == customer_id)
        audit(session, asker, "look", branch_id, f"customer {customer_id}")
    if person_id is not None:
        query = query.where(_visits.c.person_id == person_id)
    return _frame(session, query)


def next_steps(
    session: Session, asker: Asker, branch_id: int, person_id: int | None = None, limit: int = 200
) -> pd.DataFrame:
    """Return visits with a next step and no later visit to the same, the soonest first: what is to do."""
    asker.require(Right.FIGURES, branch_id)
    later = tables.visits.alias("later")
    same = or_(
        later.c.merchant_id == _visits.c.merchant_id,
        later.c.customer_id == _visits.c.customer_id,
    )
    newer = or_(later.c.day > _visits.c.day, and_(later.c.day == _visits.c.day, later.c.id > _visits.c.id))
    query = (
        _selected(asker, branch_id)
        .where(or_(_visits.c.next_step.is_not(None), _visits.c.next_day.is_not(None)))
        .where(~select(later.c.id).where(same, newer).exists())
        .order_by(_visits.c.next_day.is_(None), _visits.c.next_day, _visits.c.day, _visits.c.id)
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(_visits.c.person_id == person_id)
    return _frame(session, query)


def visited_lately(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    merchant_id: int | None = None,
    customer_id: int | None = None,
    day: date | None = None,
) -> dict[str, Any] | None:
    """Return the latest visit of the last `LATELY_DAYS` days, so that nobody goes twice; None without one."""
    asker.require(Right.FIGURES, branch_id)
    day = day or today()
    query = _selected(asker, branch_id).where(
        _visits.c.day.between(day - timedelta(days=LATELY_DAYS), day + timedelta(days=LATELY_DAYS)),
        _visits.c.merchant_id == merchant_id
        if merchant_id is not None
        else _visits.c.customer_id == customer_id,
    )
    row = session.execute(query.order_by(_visits.c.day.desc(), _visits.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else dict(row._mapping)


def visit_counts(session: Session, asker: Asker, branch_id: int, since: date) -> pd.DataFrame:
    """Return how many visits each person made since a day: person_id, visits."""
    asker.require(Right.FIGURES, branch_id)
    count = func.count().label("visits")
    query = select(_visits.c.person_id, count).where(
        _visits.c.branch_id == branch_id, _visits.c.day >= since, _visits.c.person_id.is_not(None)
    )
    rows = session.execute(query.group_by(_visits.c.person_id).order_by(_visits.c.person_id)).all()
    return pd.DataFrame(rows, columns=["person_id", "visits"])


def touched_by(merchant_ids: Collection[int], customer_ids: Collection[int]) -> dict[str, Collection[int]]:
    """Return whom visits were made to, as `data.branches.new_version` is told."""
    return {"visits to merchants": merchant_ids, "visits to customers": customer_ids}


def _selected(asker: Asker, branch_id: int) -> Select[Any]:
    """Select `COLUMNS` of the branch's visits that the asker may see."""
    people = tables.people
    columns = {
        "person": people.c.name.label("person"),
        "merchant": _merchants.c.name.label("merchant"),
    }
    joined = (
        _visits.outerjoin(people, people.c.id == _visits.c.person_id)
        .outerjoin(_merchants, _merchants.c.id == _visits.c.merchant_id)
        .outerjoin(_customers, _customers.c.id == _visits.c.customer_id)
    )
    chosen = [columns[name] if name in columns else _visits.c[name] for name in COLUMNS]
    return (
        select(*chosen)
        .select_from(joined)
        .where(_visits.c.branch_id == branch_id, _allowed(asker, branch_id))
    )


def _allowed(asker: Asker, branch_id: int) -> ColumnElement[bool]:
    """Return which visits the asker may see: to all merchants, and to the customers he or she may see."""
    to_merchants = _visits.c.customer_id.is_(None)
    if asker.may(Right.CUSTOMERS, branch_id):
        return _visits.c.branch_id == branch_id
    if not asker.may(Right.OWN_CUSTOMERS, branch_id) or asker.person_id is None:
        return to_merchants
    return or_(to_merchants, _customers.c.manager_id == asker.person_id)


def _frame(session: Session, query: Select[Any]) -> pd.DataFrame:
    return pd.DataFrame([tuple(row) for row in session.execute(query)], columns=list(COLUMNS), dtype=object)


def _check_may(
    session: Session, asker: Asker, branch_id: int, merchant_id: int | None, customer_id: int | None
) -> None:
    """Refuse who may not record visits there, and whom there is not."""
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    if (merchant_id is None) == (customer_id is None):
        raise DataError(N_("A visit is made to one merchant or to one customer."))
    if merchant_id is not None:
        where = _merchants.c.id == merchant_id
        if session.scalar(select(_merchants.c.id).where(where, _merchants.c.branch_id == branch_id)) is None:
            raise NotFound(N_("This row is no longer there."))
        return
    query = select(_customers.c.manager_id).where(
        _customers.c.id == customer_id, _customers.c.branch_id == branch_id
    )
    row = session.execute(query).one_or_none()
    if asker.may(Right.CUSTOMERS, branch_id):
        if row is None:
            raise NotFound(N_("This row is no longer there."))
        return
    own = asker.may(Right.OWN_CUSTOMERS, branch_id) and asker.person_id is not None
    if not own or row is None or row.manager_id != asker.person_id:
        raise RightsError(N_("You do not have the right to see or do this at this branch."))


def _check_days(day: date, next_day: date | None) -> None:
    if day > today():
        raise DataError(N_("A visit is recorded once it was made: the day lies in the future."))
    if day < EARLIEST:
        raise DataError(N_("The day of a visit lies too far back."))
    if next_day is not None and not day <= next_day <= day + timedelta(days=FARTHEST_NEXT_DAYS):
        raise DataError(N_("The next day lies before the visit, or too far ahead."))


def _text(told: str) -> str | None:
    """Return a text as it is stored, None for an empty one."""
    text = told.replace("\x00", "").strip()
    if len(text) > LONGEST_TEXT:
        raise DataError(N_("The text is longer than {count} characters."), count=LONGEST_TEXT)
    return text or None
