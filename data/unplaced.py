"""Rows of lists that came without coordinates: seen, placed on the map by hand, or let go."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from data import bulk, catalogue, changes, tables
from data.branches import lock_version, new_version
from data.byhand import add_row, check_point, open_hand
from data.meaning.pinyin import initials
from data.rights import Asker, Right
from data.trail import audit
from geo.errors import N_, Conflict, NotFound

SHOWN = ("source_id", "name", "address", "phone")
_unplaced = tables.unplaced


def unplaced(
    session: Session, asker: Asker, branch_id: int, kind: str | None = None, limit: int = 500
) -> pd.DataFrame:
    """
    Return rows that wait for a place on the map, in the order they came.

    Parameters
    ----------
    session, asker, branch_id
        Who reads the branch's figures may; customers are for those who may see all of them, and the look is
        written into the trail (in a transaction, then).
    kind
        "merchants", "customers", "outlets" or "places"; None: all but customers.
    limit
        The most rows returned.

    Returns
    -------
    rows
        id, kind, batch_id, row (of the file), file_name, at, source_id, name, address, phone;
        `attrs["total"]` says how many there are.
    """
    asker.require(Right.FIGURES, branch_id)
    wanted = (_unplaced.c.kind != "customers") if kind is None else (_unplaced.c.kind == kind)
    if kind == "customers":
        asker.require(Right.CUSTOMERS, branch_id)
    here = (_unplaced.c.branch_id == branch_id, wanted)
    batches = tables.batches.c
    fields = [_unplaced.c[name] for name in ("id", "kind", "batch_id", "row", "record")]
    query = select(*fields, batches.file_name, batches.at).join(
        tables.batches, _unplaced.c.batch_id == batches.id
    )
    rows = session.execute(query.where(*here).order_by(_unplaced.c.id).limit(limit)).all()
    records = [json.loads(row.record) for row in rows]
    frame = pd.DataFrame(
        [
            (row.id, row.kind, row.batch_id, row.row, row.file_name, row.at, *map(record.get, SHOWN))
            for row, record in zip(rows, records, strict=True)
        ],
        columns=["id", "kind", "batch_id", "row", "file_name", "at", *SHOWN],
    )
    frame.attrs["total"] = session.scalar(select(func.count()).select_from(_unplaced).where(*here))
    if kind == "customers":
        audit(session, asker, "look", branch_id, "unplaced customers", rows=len(frame))
    return frame


def unplaced_count(session: Session, asker: Asker, branch_id: int) -> int:
    """Return how many rows wait for a place, customers among them for whoever may see all of them."""
    asker.require(Right.FIGURES, branch_id)
    here = [_unplaced.c.branch_id == branch_id]
    if not asker.may(Right.CUSTOMERS, branch_id):
        here.append(_unplaced.c.kind != "customers")
    return int(session.scalar(select(func.count()).select_from(_unplaced).where(*here)) or 0)


def place_unplaced(session: Session, asker: Asker, unplaced_id: int, lon: float, lat: float) -> int:
    """
    Put a row that had no coordinates on the map, at a WGS 84 point, and return the new row's id.

    Raises
    ------
    Conflict
        When a row with the same identifier has come since.
    """
    row = _waiting(session, asker, unplaced_id)
    lon, lat = check_point(lon, lat)
    told: dict[str, Any] = json.loads(row.record)
    layer = told.pop("layer", row.kind)
    held = told.pop(changes.HOLDINGS, None) or []
    table = changes.LAYERS[layer]
    values = {name: value for name, value in told.items() if name in table.c and value is not None}
    values |= {"branch_id": row.branch_id, "lon": lon, "lat": lat}
    if "initials" in table.c and not values.get("initials"):
        values["initials"] = str(initials(pd.Series([values["name"]], dtype="str")).iloc[0])
    same = select(table.c.id).where(
        table.c.branch_id == row.branch_id, table.c.source_id == values.get("source_id")
    )
    if values.get("source_id") and session.scalar(same) is not None:
        raise Conflict(N_("A row with the identifier of this one is on the map already."))
    batch_id = open_hand(session, asker, row.branch_id, "place", kind=row.kind, of=row.batch_id)
    row_id = add_row(session, batch_id, layer, values)
    if layer == "customers" and held:
        _hold(session, row_id, held)
    _take_away(session, batch_id, unplaced_id)
    audit(session, asker, "place row", row.branch_id, f"{layer} {row_id}", batch=batch_id)
    new_version(session, asker, row.branch_id, "edit", batch_id, touched={layer: [row_id]})
    return row_id


def drop_unplaced(session: Session, asker: Asker, unplaced_id: int) -> int:
    """Let go of a row that cannot be placed, and return the batch that did it, to be undone."""
    row = _waiting(session, asker, unplaced_id)
    batch_id = open_hand(session, asker, row.branch_id, "drop", kind=row.kind, of=row.batch_id)
    _take_away(session, batch_id, unplaced_id)
    audit(session, asker, "drop row", row.branch_id, f"unplaced {unplaced_id}", batch=batch_id)
    return batch_id


def _waiting(session: Session, asker: Asker, unplaced_id: int) -> Any:
    """Return the row, held until the transaction ends."""
    branch_id = session.scalar(select(_unplaced.c.branch_id).where(_unplaced.c.id == unplaced_id))
    if branch_id is None:
        raise NotFound(N_("This row is no longer there."))
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    lock_version(session, branch_id)
    row = session.execute(select(_unplaced).where(_unplaced.c.id == unplaced_id)).one_or_none()
    if row is None:
        raise NotFound(N_("This row is no longer there."))
    if row.kind == "customers":
        asker.require(Right.CUSTOMERS, branch_id)
    return row


def _take_away(session: Session, batch_id: int, unplaced_id: int) -> None:
    row = changes.stored(session, "unplaced", [unplaced_id])
    changes.record(session, batch_id, "unplaced", row, row.iloc[:0])
    session.execute(delete(_unplaced).where(_unplaced.c.id == unplaced_id))


def _hold(session: Session, customer_id: int, held: list[Any]) -> None:
    """Give a customer the products of the record, named by code or id."""
    id_of = dict(zip(catalogue.PRODUCTS["code"], catalogue.PRODUCTS["id"], strict=True))
    ids = sorted({int(id_of.get(product, product)) for product in held})
    bulk.insert(session, tables.holdings, pd.DataFrame({"customer_id": customer_id, "product_id": ids}))
