"""Where a branch's data come from: the files brought in, and what changed the data since."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.rights import Asker, Right
from data.tables import batches as batch_table

_NAMES = (
    *("id", "kind", "mode", "source", "policy", "file_name", "file_hash", "mapping", "datum", "encoding"),
    *("counts", "undone_by", "by", "at"),
)

LISTS = ("add", "snapshot")  # modes of batches that are lists brought in


def batches(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """Return the branch's batches, the newest first: what came how, from whom, when, and what it did."""
    asker.require(Right.FIGURES, branch_id)
    return pd.DataFrame(session.execute(_batches(branch_id)).all(), columns=list(_NAMES))


def latest_source(session: Session, asker: Asker, branch_id: int) -> dict[str, Any] | None:
    """
    Return the newest list of the ground that still stands, for under the page's title.

    A list of visits puts nothing on the map. None before there is any.
    """
    asker.require(Right.FIGURES, branch_id)
    batch = batch_table.c
    lists = (batch.mode.in_(LISTS), batch.kind != "visits", batch.undone_by.is_(None))
    row = session.execute(_batches(branch_id).where(*lists).limit(1)).one_or_none()
    return None if row is None else dict(row._mapping)


def newest_by_hand(session: Session, asker: Asker, branch_id: int) -> int | None:
    """Return the batch of the asker's newest change by hand; None before there is any."""
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    own = (batch_table.c.branch_id == branch_id, batch_table.c.mode == "hand", batch_table.c.by == asker.name)
    newest: int | None = session.scalar(select(func.max(batch_table.c.id)).where(*own))
    return newest


def _batches(branch_id: int) -> Select[Any]:
    columns = [batch_table.c[name] for name in _NAMES]
    return select(*columns).where(batch_table.c.branch_id == branch_id).order_by(batch_table.c.id.desc())
