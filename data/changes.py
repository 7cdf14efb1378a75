"""
The journal: what a batch did to rows that were there before it, and what it removed.

A row that a list made carries the list's batch and needs no line here; every other change has one, with the
columns that differ, before and after. Lines are sealed, for they may hold customers. What a list found as it
is already stands in one line a layer (see `saw`): a list taken back must not take what a later one relies on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, LargeBinary, Table, insert, select
from sqlalchemy.orm import Session

from data import bulk, tables
from data.rights import Asker

LAYERS: dict[str, Table] = {
    "merchants": tables.merchants,
    "customers": tables.customers,
    "outlets": tables.outlets,
    "places": tables.places,
    "unplaced": tables.unplaced,
    "visits": tables.visits,  # after whom they were made to
}
HOLDINGS = "holdings"
"""Stands for a customer's rows in the table of that name: the ids of the products held."""
OF_MANY = 0
"""Stands for the id in a line that is about many rows (see `saw`); no row has it."""
IDS_AT_ONCE = 20_000  # a statement takes 32,766 values
_COUNTERS = ("id", "batch_id", "revision")  # follow from changes, and are none themselves
_TO_PLAIN: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = (
    (Boolean, bool),
    (Integer, int),
    (Float, float),
    (LargeBinary, bytes.hex),
    (Date, date.isoformat),
    (DateTime, datetime.isoformat),
)
_FROM_PLAIN: dict[Any, Callable[[Any], Any]] = {
    bytes.hex: bytes.fromhex,
    date.isoformat: date.fromisoformat,
    datetime.isoformat: datetime.fromisoformat,
}


def open_batch(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    kind: str,
    mode: str,
    source: str | None = None,
    policy: str | None = None,
    file_name: str = "",
    file_hash: str = "",
    mapping: Mapping[str, Any] | None = None,
    datum: str = "wgs84",
    encoding: str | None = None,
    counts: Mapping[str, Any] | None = None,
) -> int:
    """
    Write a batch and return its id; whoever calls has looked at the asker's rights.

    Parameters
    ----------
    session, asker, branch_id
        The batch is the asker's, at the branch.
    kind
        What the batch is of, as lists are: "merchants" for outlets found in a merchant list too.
    mode
        "add", "snapshot", "hand" or "rollback".
    source, policy, file_name, file_hash, mapping, datum, encoding, counts
        As the table's columns; of a change by hand there is no file.
    """
    batches = tables.batches
    row = {
        "branch_id": branch_id,
        "kind": kind,
        "mode": mode,
        "source": source,
        "policy": policy,
        "file_name": file_name[-300:],
        "file_hash": file_hash,
        "mapping": dict(mapping or {}),
        "datum": datum,
        "encoding": encoding,
        "counts": dict(counts or {}),
        "by": asker.name,
    }
    return int(session.scalars(insert(batches).values(row).returning(batches.c.id)).one())


def stored(
    session: Session,
    layer: str,
    ids: Sequence[int] | NDArray[np.int64],
    columns: Collection[str] | None = None,
) -> pd.DataFrame:
    """
    Return stored rows as `record` takes them.

    Parameters
    ----------
    session
        Whose transaction sees the rows.
    layer
        One of `LAYERS`.
    ids
        Of the rows; one that is not there is passed over.
    columns
        Which are read, `HOLDINGS` among customers' too; None: all.

    Returns
    -------
    rows
        Indexed by id, in the ids' order; every column of plain objects, None where a cell is empty.
    """
    table = LAYERS[layer]
    names = [column.name for column in table.c if columns is None or column.name in columns]
    names = [name for name in names if name != "id"]
    wanted = np.asarray(ids, dtype=np.int64).tolist()
    query = select(table.c.id, *(table.c[name] for name in names))
    found: dict[int, tuple[Any, ...]] = {}
    for some in _parts(wanted):
        found.update((row[0], tuple(row[1:])) for row in session.execute(query.where(table.c.id.in_(some))))
    there = [row_id for row_id in wanted if row_id in found]
    rows = pd.DataFrame(
        [found[row_id] for row_id in there],
        columns=names,
        index=pd.Index(there, dtype=np.int64),
        dtype=object,
    )
    if layer == "customers" and (columns is None or HOLDINGS in columns):
        held = _held(session, there)
        rows[HOLDINGS] = pd.Series([held.get(row_id, []) for row_id in there], rows.index, dtype=object)
    return rows


def record(
    session: Session,
    batch_id: int,
    layer: str,
    frame_before: pd.DataFrame,
    frame_after: pd.DataFrame,
    *,
    blank_leaves: bool = False,
) -> int:
    """
    Write one line a row that differs and return how many there are.

    Parameters
    ----------
    session, batch_id, layer
        The change is the batch's, of rows of the layer.
    frame_before, frame_after
        Indexed by row id. A row only before is one removed, and `frame_before` has all its columns (see
        `stored`); a row only after is one made. Of the rest the columns in both are compared.
    blank_leaves
        Whether a missing value in `frame_after` stands for "as it was" instead of an empty cell.
    """
    both = frame_before.index.intersection(frame_after.index, sort=False)
    gone = frame_before.index.difference(frame_after.index, sort=False)
    made = frame_after.index.difference(frame_before.index, sort=False)
    lines = [
        _changed(layer, frame_before.loc[both], frame_after.loc[both], blank_leaves),
        _lines(gone, before=_whole(layer, frame_before.loc[gone])),
        _lines(made, after=_whole(layer, frame_after.loc[made])),
    ]
    frame = pd.concat([part for part in lines if len(part)] or lines[:1], ignore_index=True)
    if len(frame):
        bulk.insert(session, tables.changes, frame.assign(batch_id=batch_id, layer=layer))
    return len(frame)


def saw(session: Session, batch_id: int, layer: str, ids: Sequence[int] | NDArray[np.int64]) -> None:
    """Write which stored rows a list had too, changed by it or not; rows it made need not be among them."""
    numbers = np.unique(np.asarray(ids, dtype=np.int64))
    if not len(numbers):
        return
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    runs = np.column_stack(
        [numbers[np.concatenate([[0], breaks + 1])], numbers[np.append(breaks, len(numbers) - 1)]]
    )
    line = {"batch_id": batch_id, "layer": layer, "row_id": OF_MANY, "after": json.dumps(runs.tolist())}
    session.execute(insert(tables.changes).values(line))


def seen(session: Session, batch_id: int, layer: str) -> NDArray[np.int64]:
    """Return the ids that `saw` was told, sorted."""
    lines = tables.changes.c
    query = select(lines.after).where(
        lines.batch_id == batch_id, lines.layer == layer, lines.row_id == OF_MANY
    )
    runs = [run for told in session.scalars(query) for run in json.loads(told)]
    parts = [np.arange(first, last + 1, dtype=np.int64) for first, last in runs]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)


def restored(layer: str, told: str) -> dict[str, Any]:
    """Return the values of one side of a line as the table takes them."""
    values: dict[str, Any] = json.loads(told)
    return {
        name: value if value is None else _FROM_PLAIN.get(_plainer(layer, name), _same)(value)
        for name, value in values.items()
    }


def told(layer: str, values: Mapping[str, Any]) -> str:
    """Return values of the table as one side of a line, which `restored` reads."""
    cells = []
    for name, value in values.items():
        to_plain = _plainer(layer, name)
        cells.append(_cell(name, value if value is None or to_plain is None else to_plain(value)))
    return _object(cells)


def _same(value: Any) -> Any:
    return value


def _held(session: Session, ids: list[int]) -> dict[int, list[int]]:
    """Return the products of customers by id."""
    holdings = tables.holdings.c
    held: dict[int, list[int]] = {}
    for some in _parts(ids):
        query = select(holdings.customer_id, holdings.product_id).where(holdings.customer_id.in_(some))
        for customer_id, product_id in session.execute(query.order_by(*holdings)):
            held.setdefault(customer_id, []).append(product_id)
    return held


def _parts(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]


def _lines(index: pd.Index, **sides: list[str]) -> pd.DataFrame:
    texts = {
        side: np.array(sides.get(side, [None] * len(index)), dtype=object) for side in ("before", "after")
    }
    return pd.DataFrame({"row_id": index.to_numpy(np.int64), **texts})


def _changed(layer: str, before: pd.DataFrame, after: pd.DataFrame, blank_leaves: bool) -> pd.DataFrame:
    """Return the lines of rows that were there and stay: only cells that differ are put into words."""
    befores: list[list[str]] = [[] for _ in range(len(before))]
    afters: list[list[str]] = [[] for _ in range(len(before))]
    for name in after.columns:
        if name not in before.columns or name in _COUNTERS:
            continue
        old, new = _plain(layer, name, before[name]), _plain(layer, name, after[name])
        differ = np.array(old != new, dtype=bool)
        if blank_leaves:
            differ &= np.array([value is not None for value in new], dtype=bool)
        for at in differ.nonzero()[0].tolist():
            befores[at].append(_cell(name, old[at]))
            afters[at].append(_cell(name, new[at]))
    some = [at for at, cells in enumerate(befores) if cells]
    return _lines(
        before.index[some],
        before=[_object(befores[at]) for at in some],
        after=[_object(afters[at]) for at in some],
    )


def _whole(layer: str, frame: pd.DataFrame) -> list[str]:
    names = [name for name in frame.columns if name != "id"]
    columns = [_plain(layer, name, frame[name]) for name in names]
    rows: list[list[str]] = [[] for _ in range(len(frame))]
    for name, values in zip(names, columns, strict=True):
        for row, value in zip(rows, values, strict=True):
            row.append(_cell(name, value))
    return [_object(row) for row in rows]


def _cell(name: str, value: Any) -> str:
    return f'"{name}": {json.dumps(value, ensure_ascii=False)}'


def _object(cells: list[str]) -> str:
    return "{" + ", ".join(cells) + "}"


def _plain(layer: str, name: str, series: pd.Series) -> NDArray[np.object_]:
    """Return a column as what JSON knows, so that what is the same compares as the same; None: empty."""
    plain = np.full(len(series), None, dtype=object)
    there = series.notna().to_numpy(bool)
    to_plain = _plainer(layer, name)
    told = series[there].tolist()
    for at, value in zip(there.nonzero()[0].tolist(), told, strict=True):
        plain[at] = value if to_plain is None else to_plain(value)
    return plain


def _plainer(layer: str, name: str) -> Callable[[Any], Any] | None:
    if name == HOLDINGS:
        return lambda products: sorted(int(product) for product in products)
    kind = _column(layer, name).type
    return next((to_plain for python, to_plain in _TO_PLAIN if isinstance(kind, python)), None)


def _column(layer: str, name: str) -> Column[Any]:
    return LAYERS[layer].c[name]
