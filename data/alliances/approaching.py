"""Duplicate approaches noticed: which colleagues are at work with a merchant already, and at what."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Column, Table, and_, or_, select
from sqlalchemy.orm import Session

from data import tables
from data.alliances.telling import bank_day
from data.rights import Asker, Right
from data.zones.intervals import today
from geo.errors import N_, Approached, Told

COLUMNS = ("merchant_id", "name", "person", "day", "what")
LATELY_DAYS = 30
VISIT, LINK, ALLIANCE = "visit", "link", "alliance"
WHAT = {
    VISIT: N_("visited {name} on {day}"),
    LINK: N_("has a link with {name} since {day}"),
    ALLIANCE: N_("has an alliance with {name} since {day}"),
}
_MOST_TOLD = 5
Line = tuple[int, str, str, date, str]
_links, _alliances, _members = tables.links, tables.alliances, tables.alliance_members
_visits, _people, _merchants = tables.visits, tables.people, tables.merchants


def approaches(
    session: Session,
    asker: Asker,
    branch_id: int,
    merchant_ids: Collection[int],
    *,
    person_id: int | None = None,
    days: int = LATELY_DAYS,
) -> pd.DataFrame:
    """
    Return what colleagues are doing with some merchants, so that nobody asks twice.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans.
    merchant_ids
        Of the merchants.
    person_id
        Whose own doings are passed over; the asker without.
    days
        How far back visits count. Links and alliances count as long as they stand.

    Returns
    -------
    approaches
        `COLUMNS`, by merchant in the order given and the latest first; `what` is visit, link or alliance. Of
        a link or an alliance without an owner the person is who made it.
    """
    asker.require(Right.READ_PLANS, branch_id)
    wanted = list(dict.fromkeys(int(row_id) for row_id in merchant_ids))
    own = asker.person_id if person_id is None else person_id
    rows = [
        *_visited(session, branch_id, wanted, own, today() - timedelta(days=days)),
        *_linked(session, asker, branch_id, wanted, own),
        *_allied(session, asker, branch_id, wanted, own),
    ]
    place = {row_id: at for at, row_id in enumerate(wanted)}
    rows = sorted(dict.fromkeys(rows), key=lambda row: (place[row[0]], -row[3].toordinal(), row[2], row[4]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def check_alone(
    session: Session,
    asker: Asker,
    branch_id: int,
    merchant_ids: Collection[int],
    *,
    person_id: int | None = None,
) -> None:
    """
    Let pass whoever approaches merchants nobody else is at work with.

    Raises
    ------
    Approached
        Otherwise; it says who is, and at what.
    """
    found = approaches(session, asker, branch_id, merchant_ids, person_id=person_id)
    if found.empty:
        return
    lines: list[Line] = list(found.itertuples(index=False, name=None))
    told = tuple(
        Told(N_("{person} {did}"), person=person, did=Told(WHAT[what], name=name, day=day.isoformat()))
        for _, name, person, day, what in lines[:_MOST_TOLD]
    )
    message = N_("Colleagues are at work with these merchants: {who}.")
    raise Approached(message, lines, who=told)


def _visited(session: Session, branch_id: int, wanted: list[int], own: int | None, since: date) -> list[Line]:
    """Return each colleague's latest visit to each merchant."""
    query = (
        select(_visits.c.merchant_id, _merchants.c.name, _people.c.name.label("person"), _visits.c.day)
        .join(_merchants, _merchants.c.id == _visits.c.merchant_id)
        .join(_people, _people.c.id == _visits.c.person_id)
        .where(
            _visits.c.branch_id == branch_id,
            _visits.c.merchant_id.in_(wanted),
            _visits.c.day >= since,
            _visits.c.person_id != (-1 if own is None else own),
        )
        .order_by(_visits.c.day, _visits.c.id)
    )
    latest = {(row.merchant_id, row.person): row for row in session.execute(query)}
    return [(row.merchant_id, row.name, row.person, row.day, VISIT) for row in latest.values()]


def _linked(session: Session, asker: Asker, branch_id: int, wanted: list[int], own: int | None) -> list[Line]:
    """Return the links that stand and are a colleague's."""
    query = (
        select(_merchants.c.id, _merchants.c.name, _people.c.name.label("person"), *_whose(_links))
        .join(_links, or_(_links.c.a_id == _merchants.c.id, _links.c.b_id == _merchants.c.id))
        .outerjoin(_people, _people.c.id == _links.c.owner_id)
        .where(_links.c.branch_id == branch_id, _links.c.state == "accepted", _merchants.c.id.in_(wanted))
        .where(or_(_links.c.ends.is_(None), _links.c.ends >= today()))
    )
    return [line for row in session.execute(query) if (line := _line(row, asker, own, LINK)) is not None]


def _allied(session: Session, asker: Asker, branch_id: int, wanted: list[int], own: int | None) -> list[Line]:
    """Return the alliances, forming or active, that are a colleague's."""
    query = (
        select(_merchants.c.id, _merchants.c.name, _people.c.name.label("person"), *_whose(_alliances))
        .join(_members, and_(_members.c.merchant_id == _merchants.c.id, _members.c.left.is_(None)))
        .join(_alliances, _alliances.c.id == _members.c.alliance_id)
        .outerjoin(_people, _people.c.id == _alliances.c.owner_id)
        .where(_alliances.c.branch_id == branch_id, _alliances.c.status != "ended")
        .where(or_(_alliances.c.ends.is_(None), _alliances.c.ends >= today()), _merchants.c.id.in_(wanted))
    )
    return [line for row in session.execute(query) if (line := _line(row, asker, own, ALLIANCE)) is not None]


def _whose(table: Table) -> list[Column[Any]]:
    return [table.c.owner_id, table.c.by, table.c.at]


def _line(row: Any, asker: Asker, own: int | None, what: str) -> Line | None:
    """Return the line of a link or an alliance; None of one's own."""
    mine = row.owner_id == own if row.owner_id is not None else row.by == asker.name
    return None if mine else (row.id, row.name, row.person or row.by, bank_day(row.at), what)
