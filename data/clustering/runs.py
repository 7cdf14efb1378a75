"""
Clusters kept: a run a data version, whose clusters carry on the numbers of the run before.

So a cluster that grows is one cluster that grows. What is kept of it is its name, its size, its cells and a
few sums: nothing of any one customer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.orm import Session

from data import tables
from data.clustering import describing, naming
from data.clustering.finding import Found
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.cluster_hulls import number, places
from geo.cluster_matching import matched

Ints = NDArray[np.int64]

MONTH = timedelta(days=25)  # so long ago at least a run lies that growth is told from, if any does
LONGEST_NAME = 200
_runs, _clusters = tables.cluster_runs, tables.clusters


@dataclass(frozen=True)
class Growth:
    """
    How clusters stand beside those of an earlier run.

    Parameters
    ----------
    ids
        The clusters' lasting numbers, in their order.
    then
        Of each cluster its size in the earlier run; NaN of a new one, and of all without an earlier run.
    since
        When the earlier run was; None without one.
    vanished
        Of the earlier run what is no longer there: `id`, `name`, `size`.
    """

    ids: tuple[int, ...]
    then: tuple[float, ...]
    since: datetime | None
    vanished: pd.DataFrame


def growth(session: Session, asker: Asker, snapshot: Snapshot, found: Found) -> Growth | None:
    """Return how a kept run stands beside the one about a month before; None where none is kept that fits."""
    asker.require(Right.FIGURES, snapshot.branch_id)
    run = _run(session, snapshot, found)
    if run is None or (kept := _kept(session, run, found)) is None:
        return None
    numbers = tuple(kept)
    earlier = _beside(session, run)
    if earlier is None:
        nothing = pd.DataFrame(columns=["id", "name", "size"])
        return Growth(numbers, (float("nan"),) * len(numbers), None, nothing)
    rows = session.execute(
        select(_clusters.c.stable_id, _clusters.c.name, _clusters.c.size)
        .where(_clusters.c.run_id == earlier.id)
        .order_by(_clusters.c.id)
    ).all()
    before = {row.stable_id: float(row.size) for row in rows}
    gone = [tuple(row) for row in rows if row.stable_id not in numbers]
    since = earlier.at if earlier.at.tzinfo else earlier.at.replace(tzinfo=UTC)
    then = tuple(before.get(each, float("nan")) for each in numbers)
    return Growth(numbers, then, since, pd.DataFrame(gone, columns=["id", "name", "size"]))


def keep(session: Session, asker: Asker, snapshot: Snapshot, found: Found) -> None:
    """
    Keep the clusters of a data version, numbered after the run before, unless they are kept already.

    What an earlier release of this program found in the same data gives way to what this one finds.
    """
    asker.require(Right.FIGURES, snapshot.branch_id)
    run = _run(session, snapshot, found)
    if run is not None and _kept(session, run, found) is not None:
        return
    ids = _numbered(session, snapshot, found)
    if run is not None:
        session.execute(delete(_runs).where(_runs.c.id == run.id))
    run_id = session.scalars(
        insert(_runs)
        .values(
            branch_id=snapshot.branch_id,
            layer=found.layer,
            scale=found.scale,
            version=snapshot.version,
            points=len(found.rows),
            noise=found.clusters.noise_points,
        )
        .returning(_runs.c.id)
    ).one()
    names = naming.names(session, snapshot, found, "zh")
    figures = describing.overview(snapshot, found, mask=False).to_dict("records")
    leading = naming.leading(snapshot, found)
    rows = [
        {
            "run_id": run_id,
            "stable_id": int(ids[at]),
            "name": names[at][:LONGEST_NAME],
            "size": int(found.clusters.size[at]),
            "lon": float(found.lon[at]),
            "lat": float(found.lat[at]),
            "cells": cells_text(found.clusters.cells[at], found.clusters.lattice.cell_m),
            "profile": _told(figures[at], int(leading[at])),
        }
        for at in range(len(found))
    ]
    if rows:
        session.execute(insert(_clusters), rows)


def _told(figures: dict[Any, Any], leading: int) -> dict[str, Any]:
    """Return a cluster's sums as JSON takes them."""
    names = ("existing", "target", "merchants", "signed")
    return {**{name: int(figures[name]) for name in names}, "leading": leading}


def _numbered(session: Session, snapshot: Snapshot, found: Found) -> Ints:
    """Return the clusters' lasting numbers: those of the run before, and new ones for new clusters."""
    mine = _of(snapshot.branch_id, found.layer, found.scale)
    highest = session.scalar(
        select(func.max(_clusters.c.stable_id)).join(_runs, _runs.c.id == _clusters.c.run_id).where(*mine)
    )
    latest = session.execute(
        select(_runs.c.id).where(*mine).order_by(_runs.c.version.desc(), _runs.c.id.desc()).limit(1)
    ).scalar()
    before = session.execute(
        select(_clusters.c.stable_id, _clusters.c.cells)
        .where(_clusters.c.run_id == latest)
        .order_by(_clusters.c.id)
    ).all()
    cell_m = found.clusters.lattice.cell_m
    same = matched([cells_of(row.cells, cell_m) for row in before], found.clusters.cells)
    fresh = iter(range((highest or 0) + 1, (highest or 0) + 1 + len(found)))
    return np.array([before[at].stable_id if at >= 0 else next(fresh) for at in same], dtype=np.int64)


def _of(branch_id: int, layer: str, scale: str) -> tuple[Any, ...]:
    return _runs.c.branch_id == branch_id, _runs.c.layer == layer, _runs.c.scale == scale


def _run(session: Session, snapshot: Snapshot, found: Found) -> Row[Any] | None:
    """Return the run of a data version."""
    mine = _of(snapshot.branch_id, found.layer, found.scale)
    query = select(_runs).where(*mine, _runs.c.version == snapshot.version).order_by(_runs.c.id)
    return session.execute(query.limit(1)).one_or_none()


def _kept(session: Session, run: Row[Any], found: Found) -> list[int] | None:
    """Return the lasting numbers of a run's clusters; None where those are not the ones that were found."""
    rows = session.execute(
        select(_clusters.c.stable_id, _clusters.c.size)
        .where(_clusters.c.run_id == run.id)
        .order_by(_clusters.c.id)
    ).all()
    same = [int(row.size) for row in rows] == found.clusters.size.astype(np.int64).tolist()
    return [int(row.stable_id) for row in rows] if same else None


def _beside(session: Session, run: Row[Any]) -> Row[Any] | None:
    """Return the newest run at least a month older, else the oldest there is before this one."""
    query = (
        select(_runs)
        .where(*_of(run.branch_id, run.layer, run.scale), _runs.c.version < run.version)
        .order_by(_runs.c.version)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    old = [row for row in rows if _utc(row.at) <= _utc(run.at) - MONTH]
    return old[-1] if old else rows[0]


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def cells_text(cells: Ints, cell_m: float) -> str:
    """Return cells as text, in stretches: row, first column, how many."""
    row, column = places(np.sort(cells))
    first = np.flatnonzero(np.diff(row, prepend=row[0] - 1).astype(bool) | (np.diff(column, prepend=0) != 1))
    length = np.diff(np.append(first, len(row)))
    stretches = np.column_stack([row[first], column[first], length]).tolist()
    return json.dumps({"cell_m": round(cell_m, 6), "rows": stretches}, separators=(",", ":"))


def cells_of(text: str, cell_m: float) -> Ints:
    """Return cells from their text; none where they are of another size."""
    told = json.loads(text)
    if told["cell_m"] != round(cell_m, 6) or not told["rows"]:
        return np.empty(0, dtype=np.int64)
    row, column, length = np.array(told["rows"], dtype=np.int64).T
    along = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    return number(np.repeat(row, length), np.repeat(column, length) + along)
