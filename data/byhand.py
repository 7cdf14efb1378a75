"""Merchants changed and added by hand: each change is a batch of one, journalled, audited, undone as such."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from data import catalogue, changes, tables
from data.branches import data_version, lock_version, new_version
from data.meaning.pinyin import initials
from data.people import managers
from data.rights import Asker, Right
from data.trail import audit
from geo.errors import N_, Conflict, DataError, NotFound, Told

FIELDS = {
    "name": N_("name"),
    "category_id": N_("category"),
    "status": N_("status"),
    "lon": N_("position"),
    "lat": N_("position"),
    "address": N_("address"),
    "phone": N_("phone"),
    "hours": N_("opening hours"),
    "manager_id": N_("manager"),
    "note": N_("note"),
    "attributes": N_("other columns"),
    "source_id": N_("identifier"),
    "double_of": N_("mark of a double"),
    "double_level": N_("mark of a double"),
}
TEXTS = {"name": 300, "address": 400, "phone": 80, "hours": 200, "note": 5000}
BY_HAND = "hand"
_BANK_TIME = ZoneInfo("Asia/Shanghai")
_merchants = tables.merchants


def edit_merchant(
    session: Session,
    asker: Asker,
    merchant_id: int,
    revision: int,
    *,
    status: str | None = None,
    category_id: int | None = None,
    manager: int | str | None = None,
    note: str | None = None,
    name: str | None = None,
    phone: str | None = None,
    address: str | None = None,
    hours: str | None = None,
    point: tuple[float, float] | None = None,
) -> int:
    """
    Change a merchant by hand and return the branch's data version, a new one if anything changed.

    Parameters
    ----------
    session, asker
        Who works at the branch may.
    merchant_id, revision
        As the card showed them.
    status, category_id, manager, note, name, phone, address, hours, point
        What is None stays, and "" empties a cell. The manager is the id or the name of one of the branch's
        people; the point is WGS 84 lon, lat. A shop that closed for good has the status "closed".

    Raises
    ------
    Conflict
        When someone changed the merchant since; it says what, who and when.
    """
    branch_id = branch_of(session, merchant_id)
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    lock_version(session, branch_id)
    given: dict[str, Any] = {
        "status": status,
        "category_id": category_id,
        "note": note,
        "name": name,
        "phone": phone,
    }
    given |= {"address": address, "hours": hours, "manager": manager, "point": point}
    values = _values(
        session, asker, branch_id, {key: told for key, told in given.items() if told is not None}
    )
    before = same_revision(session, merchant_id, revision)
    after = before.assign(**{column: [value] for column, value in values.items()})
    batch_id = open_hand(session, asker, branch_id, "edit")
    if not changes.record(session, batch_id, "merchants", before, after[list(values)]):
        return _nothing(session, branch_id, batch_id)
    write(session, merchant_id, values)
    fields = ", ".join(sorted(values))
    audit(
        session, asker, "edit merchant", branch_id, f"merchant {merchant_id}", batch=batch_id, fields=fields
    )
    return new_version(session, asker, branch_id, "edit", batch_id, touched={"merchants": [merchant_id]})


def add_merchant(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    name: str,
    category_id: int,
    lon: float,
    lat: float,
    status: str = "known",
    phone: str = "",
    address: str = "",
    hours: str = "",
    note: str = "",
    manager: int | str = "",
) -> int:
    """
    Add a merchant by hand and return its id.

    Parameters
    ----------
    session, asker, branch_id
        Who works at the branch may.
    name, category_id, lon, lat, status, phone, address, hours, note, manager
        As `edit_merchant` takes them; the point is WGS 84.
    """
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    lock_version(session, branch_id)
    given = {"name": name, "category_id": category_id, "point": (lon, lat), "status": status}
    given |= {"phone": phone, "address": address, "hours": hours, "note": note, "manager": manager}
    values = _values(session, asker, branch_id, given)
    batch_id = open_hand(session, asker, branch_id, "add")
    merchant_id = add_row(session, batch_id, "merchants", {**values, "branch_id": branch_id})
    audit(session, asker, "add merchant", branch_id, f"merchant {merchant_id}", batch=batch_id)
    new_version(session, asker, branch_id, "edit", batch_id, touched={"merchants": [merchant_id]})
    return merchant_id


def merchant_changes(session: Session, asker: Asker, merchant_id: int, limit: int = 20) -> pd.DataFrame:
    """
    Return what changed a merchant after it was made, the newest first.

    Parameters
    ----------
    session, asker
        Who reads the branch's figures may.
    merchant_id
        Of the merchant.
    limit
        The most changes returned.

    Returns
    -------
    changes
        batch_id, mode, by, at, fields (a tuple of marked words), undone (bool).
    """
    asker.require(Right.FIGURES, branch_of(session, merchant_id))
    rows = [
        (row.batch_id, row.mode, row.by, row.at, _fields(row.after), row.undone_by is not None)
        for row in _newest(session, merchant_id, limit)
    ]
    return pd.DataFrame(rows, columns=["batch_id", "mode", "by", "at", "fields", "undone"])


# What the other changes by hand use as well -----------------------------------------------------------------


def branch_of(session: Session, merchant_id: int) -> int:
    """Return the branch of a merchant."""
    branch_id = session.scalar(select(_merchants.c.branch_id).where(_merchants.c.id == merchant_id))
    if branch_id is None:
        raise NotFound(N_("This row is no longer there."))
    return int(branch_id)


def same_revision(session: Session, merchant_id: int, revision: int) -> pd.DataFrame:
    """
    Return a merchant as `changes.stored` gives it, if it is the one that was looked at.

    Raises
    ------
    Conflict
        When someone changed it since: the message says what, who and when.
    """
    rows = changes.stored(session, "merchants", [merchant_id])
    if rows.empty:
        raise NotFound(N_("This row is no longer there."))
    now = int(rows["revision"].iloc[0])
    if now == revision:
        return rows
    told = tuple(
        Told(
            N_("{fields} by {by} ({at})"),
            fields=tuple(Told(field) for field in _fields(row.after)),
            by=row.by,
            at=_clock(row.at),
        )
        for row in _newest(session, merchant_id, max(now - revision, 1))
    )
    if not told:
        raise Conflict(N_("Someone else has changed this merchant since you opened it. Open it again."))
    raise Conflict(
        N_("This merchant has changed since you opened it: {changes}. Open it again before you save."),
        changes=told,
    )


def open_hand(session: Session, asker: Asker, branch_id: int, did: str, **more: Any) -> int:
    """Open the batch of one change by hand; `did` says which, for whoever reads the list of batches."""
    kind = more.pop("kind", "merchants")
    mapping = {"did": did, **more}
    return changes.open_batch(session, asker, branch_id, kind=kind, mode=BY_HAND, mapping=mapping)


def add_row(session: Session, batch_id: int, layer: str, values: Mapping[str, Any]) -> int:
    """Insert one row and write into the journal that it was made."""
    table = changes.LAYERS[layer]
    statement = insert(table).values(**values, batch_id=batch_id).returning(table.c.id)
    row_id = int(session.scalars(statement).one())
    made = changes.stored(session, layer, [row_id])
    changes.record(session, batch_id, layer, made.iloc[:0], made)
    return row_id


def write(session: Session, merchant_id: int, values: Mapping[str, Any]) -> None:
    """Change a merchant's row, which counts as one more revision."""
    session.execute(
        update(_merchants)
        .where(_merchants.c.id == merchant_id)
        .values(**values, revision=_merchants.c.revision + 1)
    )


def check_point(lon: float, lat: float) -> tuple[float, float]:
    """Return a point that can be one on the map."""
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) < 90):
        raise DataError(N_("A place on the map needs a longitude and a latitude in degrees."))
    return float(lon), float(lat)


def _nothing(session: Session, branch_id: int, batch_id: int) -> int:
    """Let go of a batch that changed nothing."""
    session.execute(tables.batches.delete().where(tables.batches.c.id == batch_id))
    return data_version(session, branch_id)


def _values(session: Session, asker: Asker, branch_id: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed as the table's columns, or say what is wrong with it."""
    values: dict[str, Any] = {field: _text(field, given[field]) for field in TEXTS if field in given}
    if "status" in given:
        if given["status"] not in catalogue.STATUSES:
            raise DataError(N_("{status} is no status of a merchant."), status=given["status"])
        values["status"] = given["status"]
    if "category_id" in given:
        if given["category_id"] not in set(catalogue.CATEGORIES["id"]):
            raise DataError(N_("There is no category {which}."), which=given["category_id"])
        values["category_id"] = int(given["category_id"])
    if "manager" in given:
        values["manager_id"] = _manager(session, asker, branch_id, given["manager"])
    if "point" in given:
        values["lon"], values["lat"] = check_point(*given["point"])
    if "name" in values:
        values["initials"] = str(initials(pd.Series([values["name"]], dtype="str")).iloc[0])
    return values


def _text(field: str, told: str) -> str | None:
    """Return a text as it is stored, None for an empty one."""
    text = told.replace("\x00", "").strip()
    if field == "name" and not text:
        raise DataError(N_("A merchant needs a name."))
    if len(text) > TEXTS[field]:
        raise DataError(
            N_("The text for {field} is longer than {count} characters."),
            field=Told(FIELDS[field]),
            count=TEXTS[field],
        )
    return text or None


def _manager(session: Session, asker: Asker, branch_id: int, told: int | str) -> int | None:
    if told == "":
        return None
    people = managers(session, asker, branch_id)
    found = people.loc[people["id" if isinstance(told, int) else "name"] == told, "id"]
    if found.empty:
        raise DataError(N_("Nobody at this branch is called {name}."), name=told)
    return int(found.iloc[0])


def _newest(session: Session, merchant_id: int, limit: int) -> list[Any]:
    lines, batches = tables.changes.c, tables.batches.c
    query = (
        select(lines.batch_id, lines.after, batches.mode, batches.by, batches.at, batches.undone_by)
        .join(tables.batches, lines.batch_id == batches.id)
        .where(lines.layer == "merchants", lines.row_id == merchant_id, lines.before.is_not(None))
        .order_by(lines.id.desc())
        .limit(limit)
    )
    return list(session.execute(query))


def _fields(told: str | None) -> tuple[str, ...]:
    """Return the words for the columns of a line, each once."""
    return tuple(
        dict.fromkeys(FIELDS[name] for name in changes.restored("merchants", told or "{}") if name in FIELDS)
    )


def _clock(moment: datetime) -> str:
    """Return a stored moment (UTC) as the bank's clocks show it."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(_BANK_TIME).strftime("%Y-%m-%d %H:%M")
