"""Stored rows as a list changes them: what really differs is written and journalled, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from data import changes, tables
from data.changes import HOLDINGS

SAME_DEG = 1e-9  # a tenth of a millimetre: the same point, worked out again
_FIRST_STAYS = ("source_id",)  # an identifier is its list's, and no other list changes it
_NEVER_BLANK = ("lon", "lat")


def update_rows(
    session: Session,
    batch_id: int,
    layer: str,
    frame: pd.DataFrame,
    ids: NDArray[np.int64],
    *,
    only_blanks: bool,
) -> NDArray[np.bool_]:
    """
    Write what a list says over stored rows; a cell that says nothing leaves what is there.

    Parameters
    ----------
    session, batch_id, layer
        Which batch changes what.
    frame, ids
        What the list says, as `data.lists.building` has it, and of which rows.
    only_blanks
        Whether what is there stays, and only what is not is filled.

    Returns
    -------
    changed
        Whether anything of each row did change.
    """
    columns = [name for name in frame.columns if name not in ("branch_id", "batch_id")]
    before = changes.stored(session, layer, ids, columns)
    after = pd.DataFrame(
        {name: _said(frame[name], before[name], name, only_blanks) for name in columns},
        index=before.index,
        dtype=object,
    )
    differs = pd.DataFrame({name: after[name].notna() for name in columns}, index=before.index)
    if "initials" in differs:  # follow from the name
        differs["initials"] &= differs["name"]
        after.loc[~differs["initials"], "initials"] = None
    changed: NDArray[np.bool_] = np.any(differs.to_numpy(bool), axis=1)
    if changed.any():
        before, after = before.loc[changed], after.loc[changed]
        changes.record(session, batch_id, layer, before, after, blank_leaves=True)
        written = [name for name in columns if differs[name].any()]
        write(session, layer, _over(before[written], after[written]))
    return changed


def write(session: Session, layer: str, frame: pd.DataFrame) -> None:
    """Write columns of stored rows, indexed by id; of merchants each counts as one change more."""
    table = changes.LAYERS[layer]
    held = frame.get(HOLDINGS)
    names = [name for name in frame.columns if name != HOLDINGS]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    if "revision" in table.c:
        values["revision"] = table.c.revision + 1
    if values:
        marks = [f"new_{name}" for name in names]
        rows = zip(*(frame[name].tolist() for name in names), strict=True)
        given = [
            dict(zip(marks, row, strict=True)) | {"row_id": row_id}
            for row_id, row in zip(frame.index.tolist(), rows, strict=True)
        ]
        statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
        session.connection().execute(statement, given)
    if held is not None:
        _write_holdings(session, held)


def remove(session: Session, batch_id: int, layer: str, ids: NDArray[np.int64]) -> None:
    """Remove stored rows, with a line of the journal that holds each whole."""
    if not len(ids):
        return
    table: SqlTable = changes.LAYERS[layer]
    before = changes.stored(session, layer, ids)
    changes.record(session, batch_id, layer, before, before.iloc[:0])
    _note_visits(session, batch_id, layer, ids)
    for some in _parts(ids):
        session.execute(delete(table).where(table.c.id.in_(some)))


def _note_visits(session: Session, batch_id: int, layer: str, ids: NDArray[np.int64]) -> None:
    """Write into the journal the visits that go with removed merchants."""
    if layer != "merchants":
        return
    visits = tables.visits.c
    for some in _parts(ids):
        query = select(visits.id).where(visits.merchant_id.in_(some)).order_by(visits.id)
        before = changes.stored(session, "visits", list(session.scalars(query)))
        changes.record(session, batch_id, "visits", before, before.iloc[:0])


def close(session: Session, batch_id: int, ids: NDArray[np.int64]) -> None:
    """Set merchants closed."""
    if not len(ids):
        return
    before = changes.stored(session, "merchants", ids, ["status"])
    after = before.assign(status="closed")
    changes.record(session, batch_id, "merchants", before, after)
    merchants = tables.merchants
    for some in _parts(ids):
        statement = update(merchants).where(merchants.c.id.in_(some))
        session.execute(statement.values(status="closed", revision=merchants.c.revision + 1))


def _parts(ids: NDArray[np.int64]) -> list[list[int]]:
    return [
        ids[start : start + changes.IDS_AT_ONCE].tolist() for start in range(0, len(ids), changes.IDS_AT_ONCE)
    ]


def _said(given: pd.Series, before: pd.Series, name: str, only_blanks: bool) -> NDArray[np.object_]:
    """Return the new value where there is one that differs from the old, else None."""
    new = given.astype(object).to_numpy(copy=True)
    old = before.to_numpy(object)
    new[given.isna().to_numpy(bool)] = None
    if name == "attributes":
        new = _merged(old, new, only_blanks)
    said = np.array([value is not None for value in new], dtype=bool)
    if name in _NEVER_BLANK:
        gap = np.abs(given.to_numpy(np.float64) - before.to_numpy(np.float64))
        said &= (gap > SAME_DEG) & (not only_blanks)
    else:
        said &= np.array(new != old, dtype=bool)
    if (only_blanks and name != "attributes") or name in _FIRST_STAYS:
        said &= np.array([value is None or value in ("", []) for value in old], dtype=bool)
    new[~said] = None
    for at in said.nonzero()[0].tolist():
        new[at] = _plain(new[at])
    return new


def _merged(old: NDArray[np.object_], new: NDArray[np.object_], only_blanks: bool) -> NDArray[np.object_]:
    """Return attributes with those that another list told of before."""
    both = [at for at, (was, said) in enumerate(zip(old, new, strict=True)) if was and said and was != said]
    for at in both:
        was, said = json.loads(old[at]), json.loads(new[at])
        joined = {**said, **was} if only_blanks else {**was, **said}
        new[at] = old[at] if joined == was else json.dumps(joined, ensure_ascii=False)
    return new


def _over(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return whole columns: the new value, or the old one where there is none."""
    return pd.DataFrame(
        {
            name: np.where(after[name].notna(), after[name].to_numpy(object), before[name].to_numpy(object))
            for name in after.columns
        },
        index=after.index,
        dtype=object,
    )


def _write_holdings(session: Session, held: pd.Series) -> None:
    holdings = tables.holdings
    for some in _parts(held.index.to_numpy(np.int64)):
        session.execute(delete(holdings).where(holdings.c.customer_id.in_(some)))
    rows = [
        {"customer_id": customer_id, "product_id": product_id}
        for customer_id, products in zip(held.index.tolist(), held.tolist(), strict=True)
        for product_id in products or ()
    ]
    if rows:
        session.execute(insert(holdings), rows)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
