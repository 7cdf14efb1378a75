"""What two lists of a branch have, held against each other: new, gone, moved, changed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import changes, tables
from data.lists.known import row_keys
from data.lists.survey import hashes
from data.meaning.values import name_keys
from data.rights import Asker, Right
from data.sources import LISTS
from geo.errors import N_, Conflict, DataError, NotFound

NEW, GONE, MOVED, CHANGED = "new", "gone", "moved", "changed"
COLUMNS = ["what", "layer", "row_id", "source_id", "name", "fields"]
LAYERS_OF = {"merchants": ("merchants", "outlets")}
_NOT_COMPARED = ("id", "branch_id", "batch_id", "revision", "initials", "double_of", "double_level")
_batches, _lines = tables.batches, tables.changes


def diff(session: Session, asker: Asker, a: int, b: int) -> pd.DataFrame:
    """
    Compare two lists row by row, by identifier, else by name and place.

    Parameters
    ----------
    session, asker
        Who may bring lists in.
    a, b
        Their batches, of one branch and kind. The answer says what became of the first list in the second.

    Returns
    -------
    differences
        what (new, gone, moved, changed), layer, row_id, source_id, name (None of customers), fields (which
        columns differ, joined by ", "). What is moved may be changed as well. Rows a hand has removed since
        are in neither list.

    Raises
    ------
    Conflict
        When one of them was taken back: its rows are not there to be compared.
    """
    first, second = _found(session, asker, a), _found(session, asker, b)
    if (first.branch_id, first.kind) != (second.branch_id, second.kind):
        raise DataError(N_("Only two lists of one kind at one branch can be compared."))
    parts = [_layer(session, layer, first, second) for layer in LAYERS_OF.get(first.kind, (first.kind,))]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return found.sort_values(["layer", "row_id"], kind="stable", ignore_index=True)


def _found(session: Session, asker: Asker, batch_id: int) -> Any:
    row = session.execute(select(_batches).where(_batches.c.id == batch_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no batch {which}."), which=batch_id)
    asker.require(Right.IMPORT, row.branch_id)
    if row.mode not in LISTS:
        raise DataError(N_("Batch {which} is not a list that was brought in."), which=batch_id)
    if row.undone_by is not None:
        raise Conflict(N_("Batch {batch} was taken back; nothing of it is left to compare."), batch=batch_id)
    return row


def _layer(session: Session, layer: str, first: Any, second: Any) -> pd.DataFrame:
    in_first, in_second = (_rows_of(session, layer, batch.id) for batch in (first, second))
    both = np.intersect1d(in_first, in_second, assume_unique=True)
    columns = [name for name in changes.LAYERS[layer].c.keys() if name not in _NOT_COMPARED]  # noqa: SIM118
    gone = changes.stored(session, layer, np.setdiff1d(in_first, both), columns)
    new = changes.stored(session, layer, np.setdiff1d(in_second, both), columns)
    pairs = _pairs(layer, gone, new)
    differing = _differing(gone.loc[pairs["gone"]], new.loc[pairs["new"]])
    later, earlier = (second, first) if second.id > first.id else (first, second)
    differing |= _journalled(session, layer, both, earlier, later)
    parts = [
        _told(layer, _without(new, pairs["new"]), NEW),
        _told(layer, _without(gone, pairs["gone"]), GONE),
        _told(layer, changes.stored(session, layer, list(differing), columns), differing),
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _rows_of(session: Session, layer: str, batch_id: int) -> NDArray[np.int64]:
    """Return the rows that a list had: those it made, changed, or found as they are."""
    table = changes.LAYERS[layer]
    made = session.scalars(select(table.c.id).where(table.c.batch_id == batch_id))
    own = (_lines.c.batch_id == batch_id, _lines.c.layer == layer, _lines.c.row_id != changes.OF_MANY)
    changed = session.scalars(select(_lines.c.row_id).where(*own, _lines.c.after.is_not(None)))
    ids = [np.fromiter(some, dtype=np.int64) for some in (made, changed)]
    listed = np.concatenate([*ids, changes.seen(session, batch_id, layer)])
    there = session.scalars(select(table.c.id).where(table.c.branch_id == _branch(session, batch_id)))
    return np.intersect1d(listed, np.fromiter(there, dtype=np.int64))


def _branch(session: Session, batch_id: int) -> int:
    return int(session.scalars(select(_batches.c.branch_id).where(_batches.c.id == batch_id)).one())


def _pairs(layer: str, gone: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return which rows of two lists are one, though the store has both: `gone`, `new`."""
    found = pd.DataFrame({"gone": np.empty(0, np.int64), "new": np.empty(0, np.int64)})
    for keys in (_identifiers, _names_and_places):
        left = _keyed(_without(gone, found["gone"]), keys, "gone", layer)
        right = _keyed(_without(new, found["new"]), keys, "new", layer)
        found = pd.concat([found, left.merge(right, on="key")[["gone", "new"]]], ignore_index=True)
    return found


def _without(rows: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    return rows[~rows.index.isin(ids)]


def _keyed(rows: pd.DataFrame, keys: Any, name: str, layer: str) -> pd.DataFrame:
    keyed = pd.DataFrame({"key": keys(rows, layer), name: rows.index.to_numpy(np.int64)})
    return keyed[keyed["key"].notna()].drop_duplicates("key", keep=False)


def _identifiers(rows: pd.DataFrame, _layer: str) -> NDArray[Any]:
    found: NDArray[Any] = rows["source_id"].to_numpy(dtype=object)
    return found


def _names_and_places(rows: pd.DataFrame, layer: str) -> NDArray[Any]:
    names = rows["name"].fillna("").astype("str")
    if layer == "customers":
        names = names + "/" + rows["phone"].fillna("").astype("str")
    lon, lat = (rows[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    return row_keys(hashes(name_keys(names)), lon, lat, np.zeros(len(rows), dtype=np.int64))


def _differing(before: pd.DataFrame, after: pd.DataFrame) -> dict[int, list[str]]:
    """Return the columns in which paired rows differ, by the id of the later."""
    found: dict[int, list[str]] = {}
    for name in before.columns:
        old, new = (frame[name].to_numpy(dtype=object) for frame in (before, after))
        for row_id in after.index[np.array(old != new, dtype=bool)].tolist():
            found.setdefault(row_id, []).append(name)
    return found


def _journalled(
    session: Session, layer: str, both: NDArray[np.int64], earlier: Any, later: Any
) -> dict[int, list[str]]:
    """Return what lists after the one, as far as the other, changed in the rows of both."""
    query = (
        select(_lines.c.row_id, _lines.c.before, _lines.c.after)
        .join(_batches, _lines.c.batch_id == _batches.c.id)
        .where(_batches.c.branch_id == later.branch_id, _batches.c.id > earlier.id, _batches.c.id <= later.id)
        .where(_batches.c.mode.in_(LISTS), _batches.c.undone_by.is_(None), _lines.c.layer == layer)
        .where(_lines.c.before.is_not(None), _lines.c.after.is_not(None))
        .order_by(_lines.c.id)
    )
    wanted = set(both.tolist())
    cells: dict[tuple[int, str], tuple[Any, Any]] = {}
    for row_id, before, after in session.execute(query):
        if row_id in wanted:
            was = json.loads(before)
            for name, value in json.loads(after).items():
                cells[row_id, name] = (cells.get((row_id, name), (was[name], None))[0], value)
    found: dict[int, list[str]] = {}
    for (row_id, name), (was, now) in cells.items():
        if was != now and name not in _NOT_COMPARED:
            found.setdefault(row_id, []).append(name)
    return found


def _told(layer: str, rows: pd.DataFrame, what: str | dict[int, list[str]]) -> pd.DataFrame:
    """Return rows as the answer has them; a customer's name is left out."""
    fields = [sorted(what[row_id]) if isinstance(what, dict) else [] for row_id in rows.index.tolist()]
    told = pd.DataFrame(
        {
            "what": [
                (MOVED if {"lon", "lat"} & set(names) else CHANGED) if isinstance(what, dict) else what
                for names in fields
            ],
            "layer": layer,
            "row_id": rows.index.to_numpy(np.int64),
            "source_id": rows["source_id"].to_numpy(dtype=object),
            "name": None if layer == "customers" else rows["name"].to_numpy(dtype=object),
            "fields": [", ".join(names) for names in fields],
        }
    )
    return told[COLUMNS]
