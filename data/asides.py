"""Points set aside: they no longer set the radius, and the map says who set them aside, when and why."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import ColumnElement, Table, delete, insert, select
from sqlalchemy.orm import Session

from data import tables
from data.branches import SET_ASIDE, TAKE_BACK, lock_version, new_version
from data.rights import Asker, Right
from data.tables import set_aside as aside_table
from data.trail import audit
from geo.errors import N_, Conflict, DataError, NotFound

LONGEST_REASON = 500
LAYERS: dict[str, Table] = {"merchants": tables.merchants, "customers": tables.customers}


def set_aside(session: Session, asker: Asker, branch_id: int, layer: str, row_id: int, reason: str) -> int:
    """Set a merchant or target customer aside and return the branch's new data version."""
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise DataError(
            N_("Setting a point aside needs a reason of at most {count} characters."), count=LONGEST_REASON
        )
    if layer not in LAYERS:
        raise DataError(N_("Only merchants and target customers can be set aside."))
    lock_version(session, branch_id)
    table = LAYERS[layer]
    here = select(table.c.id).where(table.c.id == row_id, table.c.branch_id == branch_id)
    if session.scalar(here) is None:
        raise NotFound(N_("This row is no longer there."))
    if session.scalar(select(aside_table.c.id).where(*_same(branch_id, layer, row_id))) is not None:
        raise Conflict(N_("This point has been set aside already."))
    values = {"branch_id": branch_id, "layer": layer, "row_id": row_id, "reason": reason, "by": asker.name}
    session.execute(insert(aside_table).values(values))
    audit(session, asker, SET_ASIDE, branch_id, f"{layer} {row_id}")
    return new_version(session, asker, branch_id, SET_ASIDE, touched={})


def take_back(session: Session, asker: Asker, branch_id: int, layer: str, row_id: int) -> int:
    """Let a point set aside count again and return the branch's new data version."""
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    lock_version(session, branch_id)
    gone = session.execute(delete(aside_table).where(*_same(branch_id, layer, row_id)))
    if not gone.rowcount:  # type: ignore[attr-defined]  # a DELETE counts its rows
        raise NotFound(N_("This point is not set aside."))
    audit(session, asker, TAKE_BACK, branch_id, f"{layer} {row_id}")
    return new_version(session, asker, branch_id, TAKE_BACK, touched={})


def asides(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """
    Return what is set aside, the newest first: layer, row_id, name, reason, by, at.

    A customer has no name here (see `data.rows.customer_card`, which is audited).
    """
    asker.require(Right.FIGURES, branch_id)
    fields = [aside_table.c[name] for name in ("layer", "row_id", "reason", "by", "at")]
    named = (aside_table.c.layer == "merchants") & (aside_table.c.row_id == tables.merchants.c.id)
    query = (
        select(*fields[:2], tables.merchants.c.name, *fields[2:])
        .select_from(aside_table.outerjoin(tables.merchants, named))
        .where(aside_table.c.branch_id == branch_id)
        .order_by(aside_table.c.id.desc())
    )
    return pd.DataFrame(
        session.execute(query).all(), columns=["layer", "row_id", "name", "reason", "by", "at"]
    )


def _same(branch_id: int, layer: str, row_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        aside_table.c.branch_id == branch_id,
        aside_table.c.layer == layer,
        aside_table.c.row_id == row_id,
    )
