"""Columns of a branch's rows, read straight into arrays: what a snapshot is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Double, Select, Table, case, cast, func, literal_column, select
from sqlalchemy.orm import Session

from data import tables
from data.catalogue import OUTLET_KINDS, PLACE_KINDS, STATUSES, TIER_CODES
from geo.visits import UNVISITED, day_number

Columns = dict[str, Any]
Ids = Collection[int] | None
ROWS_AT_ONCE = 20_000
UNKNOWN = -1
UNALLIED = -1  # in place of the first day in an alliance
FOR_GOOD = 2**31 - 1  # a day that does not come
_BETWEEN = "\x1f"  # stands between tags and channels, and in neither
_COPY_HEADER, _COPY_TRAILER = 19, 2  # bytes round the rows of PostgreSQL's binary copy


def merchants(session: Session, branch_id: int, ids: Ids = None) -> Columns:
    """Return the columns of `data.snapshots.Merchants`; of some rows where `ids` says which."""
    table = tables.merchants
    status = _code(table.c.status, STATUSES)
    read = _read(session, table, branch_id, [*_place(table), table.c.category_id, status], ids)
    own = _point(read)
    return {
        **own,
        "category": read[3].astype(np.int16),
        "status": read[4].astype(np.int8),
        "visited": visited(session, branch_id, "merchants", own["id"], ids),
        **allied(session, branch_id, own["id"], ids),
    }


def customers(session: Session, branch_id: int) -> Columns:
    """Return the columns of `data.snapshots.Customers`."""
    table = tables.customers
    columns = [
        *_place(table),
        table.c.group_id,
        _flag(table.c.existing),
        table.c.size,
        _code(table.c.tier, TIER_CODES),
        _number(session, table.c.deposits),
        _number(session, table.c.assets),
        _flag(table.c.is_key),
        func.coalesce(table.c.manager_id, UNKNOWN),
    ]
    read = _read(session, table, branch_id, columns)
    own = _point(read)
    return {
        **own,
        "group": read[3].astype(np.int16),
        "existing": read[4].astype(bool),
        "size": read[5].astype(np.int32),
        "tier": read[6].astype(np.int8),
        "deposits": _known(read[7]),
        "assets": _known(read[8]),
        "key": read[9].astype(bool),
        "manager": read[10].astype(np.int32),
        "holdings": _holdings(session, own["id"]),
        "visited": visited(session, branch_id, "customers", own["id"]),
        **_tags(session, branch_id),
    }


def outlets(session: Session, branch_id: int, ids: Ids = None) -> Columns:
    """Return id, lon, lat, kind, own; of some rows where `ids` says which."""
    table = tables.outlets
    kind = _code(table.c.kind, OUTLET_KINDS)
    read = _read(session, table, branch_id, [*_place(table), kind, _flag(table.c.is_own)], ids)
    return {**_point(read), "kind": read[3].astype(np.int8), "own": read[4].astype(bool)}


def places(session: Session, branch_id: int, ids: Ids = None) -> Columns:
    """Return id, lon, lat, kind, households, adults, employees; of some rows where `ids` says which."""
    table = tables.places
    counts = ("households", "adults", "employees")
    numbers = [_number(session, table.c[name]) for name in counts]
    columns = [*_place(table), _code(table.c.kind, PLACE_KINDS), *numbers]
    read = _read(session, table, branch_id, columns, ids)
    known = {name: _known(read[4 + i]) for i, name in enumerate(counts)}
    return {**_point(read), "kind": read[3].astype(np.int8), **known}


def asides(session: Session, branch_id: int) -> dict[str, NDArray[np.int64]]:
    """Return the ids set aside, by layer."""
    table = tables.set_aside
    rows = session.execute(select(table.c.layer, table.c.row_id).where(table.c.branch_id == branch_id)).all()
    return {
        layer: np.array([row.row_id for row in rows if row.layer == layer], dtype=np.int64)
        for layer in ("merchants", "customers")
    }


def visited(
    session: Session, branch_id: int, layer: str, row_ids: NDArray[np.int64], ids: Ids = None
) -> NDArray[np.int32]:
    """
    Return the day of the latest visit to each row, in days since 1970; -1 where there was none.

    Parameters
    ----------
    session, branch_id
        Of the store and in it.
    layer
        "merchants" or "customers".
    row_ids
        Of the rows asked for, sorted.
    ids
        The same, where they are few: only their visits are looked at then.
    """
    days = np.full(len(row_ids), UNVISITED, dtype=np.int32)
    table = tables.visits
    whom = table.c.merchant_id if layer == "merchants" else table.c.customer_id
    query = select(whom, _days(session, func.max(table.c.day)).label("day"))
    query = query.where(table.c.branch_id == branch_id, whom.is_not(None)).group_by(whom).order_by(whom)
    if ids is not None:
        query = query.where(whom.in_(sorted(ids)))
    seen, latest = _numbers(session, query, 2)
    if len(seen):
        at = np.minimum(np.searchsorted(row_ids, seen), max(len(row_ids) - 1, 0))
        own = row_ids[at] == seen if len(row_ids) else np.zeros(len(seen), dtype=bool)
        days[at[own]] = latest[own].astype(np.int32)
    return days


def allied(session: Session, branch_id: int, row_ids: NDArray[np.int64], ids: Ids = None) -> Columns:
    """
    Return from which day to which each merchant is a member of an active alliance.

    Parameters
    ----------
    session, branch_id, row_ids, ids
        As `visited` takes them, of merchants.

    Returns
    -------
    columns
        `allied_from`, `allied_until`: days since 1970, both within the alliance; -1 from for one that never
        was in an alliance. One in an alliance that is not active, or who left, has days that never come.
    """
    members, held = tables.alliance_members.c, tables.alliances.c
    query = (
        select(members.merchant_id, members.joined, members.left, held.status, held.starts, held.ends)
        .join(tables.alliances, held.id == members.alliance_id)
        .where(held.branch_id == branch_id)
        .order_by(members.id)
    )
    if ids is not None:
        query = query.where(members.merchant_id.in_(sorted(ids)))
    since = np.full(len(row_ids), UNALLIED, dtype=np.int32)
    until = np.full(len(row_ids), UNALLIED, dtype=np.int32)
    for row in session.execute(query):
        at = int(np.searchsorted(row_ids, row.merchant_id))
        if at == len(row_ids) or row_ids[at] != row.merchant_id:
            continue
        first, last = _term(row)
        if since[at] == UNALLIED or (first <= last and last > until[at]):
            since[at], until[at] = first, last
    return {"allied_from": since, "allied_until": until}


def _term(row: Any) -> tuple[int, int]:
    """Return the first and the last day of a membership that counts; the last before the first: none."""
    if row.status != "active" or row.left is not None:
        return 0, UNALLIED
    first = row.joined if row.starts is None else max(row.joined, row.starts)
    return day_number(first), FOR_GOOD if row.ends is None else day_number(row.ends)


def _days(session: Session, day: ColumnElement[Any]) -> ColumnElement[Any]:
    """Let a date come as days since 1970."""
    if _is_postgresql(session):
        return day - literal_column("date '1970-01-01'")
    return func.julianday(day) - literal_column("2440587.5")


def _place(table: Table) -> list[ColumnElement[Any]]:
    return [table.c.id, table.c.lon, table.c.lat]


def _point(read: NDArray[np.float64]) -> Columns:
    return {"id": read[0].astype(np.int64), "lon": read[1].copy(), "lat": read[2].copy()}


def _flag(column: ColumnElement[bool]) -> ColumnElement[int]:
    return case((column, 1), else_=0)


def _code(column: ColumnElement[str], words: Sequence[str]) -> ColumnElement[int]:
    """Let the database answer with a word's place in a list: numbers come over much faster than texts."""
    whens: dict[Any, ColumnElement[int]] = {
        word: literal_column(str(code)) for code, word in enumerate(words)
    }
    return case(whens, value=column, else_=literal_column(str(UNKNOWN)))


def _number(session: Session, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Let an unknown number come as one that is not finite: SQLite has infinity, but no NaN."""
    unknown = "'NaN'::float8" if _is_postgresql(session) else "9e999"
    return func.coalesce(column, literal_column(unknown, Double))


def _known(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _read(
    session: Session, table: Table, branch_id: int, columns: list[ColumnElement[Any]], ids: Ids = None
) -> NDArray[np.float64]:
    """Return numbers, one row of the array a column, in the order of the ids."""
    query = select(*columns).where(table.c.branch_id == branch_id).order_by(table.c.id)
    if ids is not None:
        query = query.where(table.c.id.in_(sorted(ids)))
    return _numbers(session, query, len(columns))


def _numbers(session: Session, query: Select[Any], width: int) -> NDArray[np.float64]:
    """Return a query's numbers; a float holds every id and mask exactly, as they stay below 2^53."""
    if _is_postgresql(session):
        return _copied(session, query, width)
    cursor = _cursor(session)
    cursor.execute(_sql(session, query))
    flat = np.fromiter(chain.from_iterable(_rows(cursor)), dtype=np.float64)
    cursor.close()
    return np.ascontiguousarray(flat.reshape(-1, width).T)


def _copied(session: Session, query: Select[Any], width: int) -> NDArray[np.float64]:
    """Read PostgreSQL's binary copy: every row has the same length, so the whole is one array."""
    inner = query.order_by(None).subquery()
    floats = select(*(cast(column, Double) for column in inner.c)).order_by(inner.c[0])
    cursor = _cursor(session)
    with cursor.copy(f"COPY ({_sql(session, floats)}) TO STDOUT (FORMAT binary)") as copy:
        raw = b"".join(bytes(part) for part in copy)
    cursor.close()
    value = np.dtype([("length", ">i4"), ("value", ">f8")])
    row = np.dtype([("width", ">i2"), ("values", value, (width,))])
    rows = np.frombuffer(
        raw, dtype=row, offset=_COPY_HEADER, count=(len(raw) - _COPY_HEADER - _COPY_TRAILER) // row.itemsize
    )
    return np.ascontiguousarray(rows["values"]["value"].T, dtype=np.float64)


def _holdings(session: Session, ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a bit mask of products per customer; ids come sorted."""
    masks = np.zeros(len(ids), dtype=np.uint64)
    if not len(ids):
        return masks
    held = tables.holdings
    one: ColumnElement[int] = literal_column("1::bigint" if _is_postgresql(session) else "1")
    bits = func.sum(one.op("<<")(held.c.product_id))  # each product once: a sum of bits is their union
    # The ids' span is read in the table's own order; other branches' customers in it are passed over below.
    query = (
        select(held.c.customer_id, bits.label("held"))
        .where(held.c.customer_id.between(int(ids[0]), int(ids[-1])))
        .group_by(held.c.customer_id)
        .order_by(held.c.customer_id)
    )
    holders, held_masks = _numbers(session, query, 2)
    at = np.searchsorted(ids, holders)
    own = ids[at] == holders
    masks[at[own]] = held_masks[own].astype(np.uint64)
    return masks


def _tags(session: Session, branch_id: int) -> Columns:
    """Return each customer's set of tags and of channels as a number, and the sets."""
    table = tables.customers
    both = table.c.tags.concat(literal_column(f"'{_BETWEEN}'")).concat(table.c.channels)
    query = select(both).where(table.c.branch_id == branch_id).order_by(table.c.id)
    cursor = _cursor(session)
    cursor.execute(_sql(session, query))
    seen: dict[str, int] = {}
    codes = np.fromiter((seen.setdefault(text, len(seen)) for (text,) in _rows(cursor)), dtype=np.int32)
    cursor.close()
    tags, channels = zip(*(text.split(_BETWEEN) for text in seen), strict=True) if seen else ((), ())
    tag_of, tag_sets = _sets(tags)
    channel_of, channel_sets = _sets(channels)
    return {
        "tags": tag_of[codes],
        "channels": channel_of[codes],
        "tag_sets": tag_sets,
        "channel_sets": channel_sets,
    }


def _sets(texts: Sequence[str]) -> tuple[NDArray[np.int32], tuple[tuple[str, ...], ...]]:
    """Return the code of each text's set, and the sets."""
    code_of: dict[str, int] = {}
    codes = np.array([code_of.setdefault(text, len(code_of)) for text in texts], dtype=np.int32)
    return codes, tuple(tuple(filter(None, text.split(";"))) for text in code_of)


def _sql(session: Session, query: Select[Any]) -> str:
    """Return a query with its values in it, which are numbers of ours and never a user's words."""
    dialect = session.get_bind().dialect
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})).replace("%%", "%")


def _cursor(session: Session) -> Any:
    return session.connection().connection.cursor()


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield from rows
