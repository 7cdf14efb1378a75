"""Rows, read one or a few at a time and confined by rights: cards, lists, search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Select, Table, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import Label

from data import tables
from data.rights import Asker, Right
from data.trail import audit
from geo.errors import N_, NotFound, RightsError

Purpose = Literal["look", "export"]
MONEY = ("deposits", "assets")
IDS_AT_ONCE = 20_000  # a statement takes 32,766 values
LONGEST_SEARCH = 60
_ESCAPE = "\\"
_manager = tables.people.c.name.label("manager")


def merchant_card(session: Session, asker: Asker, merchant_id: int) -> dict[str, Any]:
    """Return all of one merchant, with its manager's name."""
    return _card(session, asker, tables.merchants, merchant_id, _manager)


def outlet_card(session: Session, asker: Asker, outlet_id: int) -> dict[str, Any]:
    """Return all of one outlet."""
    return _card(session, asker, tables.outlets, outlet_id)


def place_card(session: Session, asker: Asker, place_id: int) -> dict[str, Any]:
    """Return all of one place."""
    return _card(session, asker, tables.places, place_id)


def customer_card(session: Session, asker: Asker, customer_id: int) -> dict[str, Any]:
    """
    Return all of one customer that the asker may see, and write the look into the trail.

    Without the right to deposits, deposits and assets are None. `products` lists the products held.
    """
    branch_id = _branch_of(session, tables.customers, customer_id)
    allowed = _customers_allowed(asker, branch_id)
    query = _customers(asker, branch_id).where(tables.customers.c.id == customer_id, *allowed)
    row = session.execute(query).one_or_none()
    if row is None:
        raise RightsError(N_("You do not have the right to see or do this at this branch."))
    held = select(tables.holdings.c.product_id).where(tables.holdings.c.customer_id == customer_id)
    products = sorted(session.execute(held).scalars())
    audit(session, asker, "look", branch_id, f"customer {customer_id}")
    return {**dict.fromkeys(MONEY), **row._mapping, "products": products}


def customers_near(
    session: Session, asker: Asker, branch_id: int, ids: Sequence[int], *, purpose: Purpose = "look"
) -> pd.DataFrame:
    """
    Return those of the customers the asker may see, in the order of the ids, and write it into the trail.

    Parameters
    ----------
    session, asker, branch_id
        A member sees the customers he or she manages; without the right to deposits the columns `deposits`
        and `assets` are not there.
    ids
        Nearest first, as `data.figures.members` gives them.
    purpose
        "export" needs the right to take customers out.

    Raises
    ------
    RightsError
        When the asker may see no customer of the branch at all.
    """
    if purpose == "export":
        asker.require(Right.EXPORT_CUSTOMERS, branch_id)
    query = _customers(asker, branch_id).where(*_customers_allowed(asker, branch_id))
    rows = _by_ids(session, query, tables.customers, ids)
    audit(session, asker, purpose, branch_id, "customers", rows=len(rows))
    return rows


def merchant_rows(
    session: Session, asker: Asker, branch_id: int, ids: Sequence[int], *, purpose: Purpose = "look"
) -> pd.DataFrame:
    """Return merchants in the order of the ids; an export needs its right, and is audited."""
    return _rows(session, asker, branch_id, tables.merchants, ids, purpose, _manager)


def outlet_rows(
    session: Session, asker: Asker, branch_id: int, ids: Sequence[int], *, purpose: Purpose = "look"
) -> pd.DataFrame:
    """Return outlets in the order of the ids; an export needs its right, and is audited."""
    return _rows(session, asker, branch_id, tables.outlets, ids, purpose)


def place_rows(
    session: Session, asker: Asker, branch_id: int, ids: Sequence[int], *, purpose: Purpose = "look"
) -> pd.DataFrame:
    """Return places in the order of the ids; an export needs its right, and is audited."""
    return _rows(session, asker, branch_id, tables.places, ids, purpose)


def search(session: Session, asker: Asker, branch_id: int, text: str, limit: int = 20) -> pd.DataFrame:
    """
    Find merchants, outlets and places by a part of the name or of its pinyin initials; never customers.

    Parameters
    ----------
    session, asker, branch_id
        Who reads figures may search.
    text
        Taken literally: no character in it is a wildcard. Case does not matter.
    limit
        The most rows found.

    Returns
    -------
    found
        Columns layer, id, name, lon, lat; names that begin with the text first, then the shorter ones.
    """
    asker.require(Right.FIGURES, branch_id)
    wanted = text.strip()[:LONGEST_SEARCH].lower()
    compare = "like" if session.get_bind().dialect.name == "sqlite" else "ilike"  # SQLite's ignores case
    columns = ["layer", "id", "name", "lon", "lat"]
    if not wanted:
        return pd.DataFrame(columns=columns)
    found = union_all(
        *(
            _search(table, layer, branch_id, wanted, compare, limit)
            for layer, table in (
                ("merchants", tables.merchants),
                ("outlets", tables.outlets),
                ("places", tables.places),
            )
        )
    ).subquery()
    order = (found.c.rank, func.length(found.c.name), found.c.layer, found.c.id)
    query = select(*(found.c[name] for name in columns)).order_by(*order).limit(limit)
    return pd.DataFrame(session.execute(query).all(), columns=columns)


def _branch_of(session: Session, table: Table, row_id: int) -> int:
    branch_id = session.scalar(select(table.c.branch_id).where(table.c.id == row_id))
    if branch_id is None:
        raise NotFound(N_("This row is no longer there."))
    return int(branch_id)


def _card(session: Session, asker: Asker, table: Table, row_id: int, *more: Label[Any]) -> dict[str, Any]:
    asker.require(Right.FIGURES, _branch_of(session, table, row_id))
    return dict(session.execute(_with_more(table, more).where(table.c.id == row_id)).one()._mapping)


def _rows(
    session: Session,
    asker: Asker,
    branch_id: int,
    table: Table,
    ids: Sequence[int],
    purpose: Purpose,
    *more: Label[Any],
) -> pd.DataFrame:
    asker.require(Right.EXPORT if purpose == "export" else Right.FIGURES, branch_id)
    rows = _by_ids(session, _with_more(table, more).where(table.c.branch_id == branch_id), table, ids)
    if purpose == "export":
        audit(session, asker, purpose, branch_id, table.name, rows=len(rows))
    return rows


def _with_more(table: Table, more: Iterable[Label[Any]]) -> Select[Any]:
    """Select a table's columns, shapes apart, and the manager's name where it is asked for."""
    more = list(more)
    query = select(*(column for column in table.c if column.name != "shape"), *more)
    if not more:
        return query
    return query.select_from(table.outerjoin(tables.people, table.c.manager_id == tables.people.c.id))


def _customers_allowed(asker: Asker, branch_id: int) -> list[ColumnElement[bool]]:
    """Return what confines the asker to the customers he or she may see."""
    if asker.may(Right.CUSTOMERS, branch_id):
        return []
    asker.require(Right.OWN_CUSTOMERS, branch_id)
    own = -1 if asker.person_id is None else asker.person_id
    return [tables.customers.c.manager_id == own]


def _customers(asker: Asker, branch_id: int) -> Select[Any]:
    hidden = () if asker.may(Right.DEPOSITS, branch_id) else MONEY
    columns = [column for column in tables.customers.c if column.name not in hidden]
    join = tables.customers.outerjoin(tables.people, tables.customers.c.manager_id == tables.people.c.id)
    return select(*columns, _manager).select_from(join).where(tables.customers.c.branch_id == branch_id)


def _by_ids(session: Session, query: Select[Any], table: Table, ids: Sequence[int]) -> pd.DataFrame:
    """Return the query's rows of some ids, in their order; ids that are not there are passed over."""
    wanted = np.asarray(ids, dtype=np.int64).tolist()
    rows: dict[int, Any] = {}
    for start in range(0, len(wanted), IDS_AT_ONCE):
        part = query.where(table.c.id.in_(wanted[start : start + IDS_AT_ONCE]))
        rows.update((row.id, row) for row in session.execute(part))
    columns = [column.name for column in query.selected_columns]
    return pd.DataFrame([rows[row_id] for row_id in wanted if row_id in rows], columns=columns)


def _search(table: Table, layer: str, branch_id: int, wanted: str, compare: str, limit: int) -> Select[Any]:
    escaped = "".join(_ESCAPE + letter if letter in ("%", "_", _ESCAPE) else letter for letter in wanted)
    texts = (table.c.name, table.c.initials) if wanted.isascii() else (table.c.name,)
    found = or_(*(getattr(text, compare)(f"%{escaped}%", escape=_ESCAPE) for text in texts))
    begins = or_(*(getattr(text, compare)(f"{escaped}%", escape=_ESCAPE) for text in texts))
    rank = case((begins, 0), else_=1).label("rank")
    fields = (table.c.id, table.c.name, table.c.lon, table.c.lat)
    query = select(literal(layer).label("layer"), *fields, rank).where(table.c.branch_id == branch_id, found)
    best = query.order_by(rank, func.length(table.c.name), table.c.id).limit(limit).subquery()
    return select(best)
