"""Lists of visits into the store, in one transaction: what is new, what is there, and what is said more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from data import branches, bulk, changes, tables
from data.files import readers
from data.lists import updating
from data.lists.watching import CHECKING, READING, STORING, Progress, Watch
from data.people import person_named
from data.rights import Asker, Right
from data.trail import audit
from data.zones.visit_rows import KIND, Listed, columns_of
from data.zones.visits import touched_by

Source = Path | str | bytes | IO[bytes]
_KEY = ["merchant_id", "customer_id", "person_id", "day"]
_SAID = ["result", "next_step", "next_day"]


@dataclass(frozen=True)
class VisitReport:
    """What a list of visits did, or would do; `rows = accepted + updated + duplicates + rejected`."""

    batch: int | None
    """None after a dry run."""
    rows: int
    accepted: int
    updated: int
    """Visits there already of which the list says more."""
    duplicates: int
    rejected: int
    reasons: dict[str, int]
    encoding: str | None
    sheet: str | None
    mapping: dict[str, str | None]
    warnings: dict[str, int]
    sha256: str
    version: int | None = None
    new_people: int = 0
    datum: str | None = None
    """Visits have no coordinates."""
    rejects: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    """`row, column, reason, params`, as of other lists."""
    seconds: dict[str, float] = field(default_factory=dict)


def import_visits(
    session: Session,
    asker: Asker,
    file: Source,
    *,
    branch_id: int,
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    agreed: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> VisitReport:
    """
    Bring a list of visits in, in the session's transaction: it is kept or lost as a whole with that.

    Parameters
    ----------
    session, asker, branch_id
        In `store.transaction`; who may import lists.
    file, name, sheet, encoding, header
        As `readers.open_table` takes them.
    mapping
        Field (of `FIELDS`) to header, None for a field that is not to be taken; the rest is proposed.
    agreed
        Whether the user agrees to lose more than half of the rows.
    dry_run
        Do it all, and take it back.
    progress, cancelled
        Told of each stage, and asked whether to stop.

    Raises
    ------
    FileError, ManyRejected, Cancelled
        With nothing stored.
    """
    asker.require(Right.IMPORT, branch_id)
    watch = Watch(progress, cancelled)
    with watch.stage(READING):
        watch.reading(0)
        table = readers.open_table(file, name=name, sheet=sheet, encoding=encoding, header=header)
        listed = Listed(table, columns_of(table, mapping))
        listed.read(watch)
    with watch.stage(CHECKING):
        listed.judge(session, branch_id)
        listed.check_share(agreed)
    if not dry_run:
        return _stored(session, asker, branch_id, listed, watch)
    point = session.begin_nested()
    try:
        return replace(_stored(session, asker, branch_id, listed, watch, keep=False), batch=None)
    finally:
        point.rollback()


# Storing ----------------------------------------------------------------------------------------------------


def _stored(
    session: Session, asker: Asker, branch_id: int, listed: Listed, watch: Watch, *, keep: bool = True
) -> VisitReport:
    branches.lock_version(session, branch_id)
    batch = _open_batch(session, asker, branch_id, listed)
    rejected = int((listed.rows["reason"] != "").sum())
    with watch.stage(STORING):
        watch.at(STORING, 0, len(listed.rows))
        good, new_people = _good_rows(session, asker, branch_id, listed)
        accepted, updated, there = _written(session, asker, branch_id, batch, good)
        counts = {
            "rows": len(listed.rows),
            "accepted": accepted,
            "updated": updated,
            "duplicates": there,
            "rejected": rejected,
        }
        told = counts | {"reasons": listed.reasons()}
        session.execute(update(tables.batches).where(tables.batches.c.id == batch).values(counts=told))
        audit(session, asker, "import", branch_id, f"batch {batch}", kind=KIND, **counts)
        version = None
        if keep:
            whom = touched_by(*(good[name].dropna().astype(int).unique().tolist() for name in _KEY[:2]))
            version = branches.new_version(session, asker, branch_id, "import", batch, touched=whom)
    return VisitReport(
        batch=batch,
        rows=len(listed.rows),
        accepted=accepted,
        updated=updated,
        duplicates=there,
        rejected=rejected,
        reasons=listed.reasons(),
        encoding=listed.table.encoding,
        sheet=listed.table.sheet,
        mapping=dict(listed.columns),
        warnings=listed.warnings,
        sha256=listed.table.sha256,
        version=version,
        new_people=new_people,
        rejects=listed.rejects(),
        seconds=watch.took(),
    )


def _open_batch(session: Session, asker: Asker, branch_id: int, listed: Listed) -> int:
    return changes.open_batch(
        session,
        asker,
        branch_id,
        kind=KIND,
        mode="add",
        file_name=listed.table.name or "-",
        file_hash=listed.table.sha256,
        mapping=listed.columns,
        datum="",
        encoding=listed.table.encoding,
    )


def _good_rows(session: Session, asker: Asker, branch_id: int, listed: Listed) -> tuple[pd.DataFrame, int]:
    """Return the good rows as the table has them, and how many people were added whom they name."""
    good = listed.rows[listed.rows["reason"] == ""]
    known, added = _people(session, asker, branch_id, set(good["who"]) - {""})
    rows = pd.DataFrame(
        {
            "merchant_id": good["to_merchant"],
            "customer_id": good["to_customer"],
            "person_id": good["who"].map(known),
            "day": good["on"],
            "result": good["result"],
            "next_step": good["next_step"],
            "next_day": good["next_on"],
        },
        dtype=object,
    )
    return rows.where(rows.notna(), None).reset_index(drop=True), added


def _people(session: Session, asker: Asker, branch_id: int, names: set[str]) -> tuple[dict[str, int], int]:
    """Return the branch's people by name, with those added whom it has not, and how many these are."""
    at = tables.person_branches.c
    query = select(tables.people.c.name, tables.people.c.id).join(tables.person_branches)
    rows = session.execute(query.where(at.branch_id == branch_id).order_by(tables.people.c.id.desc()))
    known: dict[str, int] = {row.name: row.id for row in rows}
    new = sorted(names - set(known))
    for name in new:
        known[name] = person_named(session, name, role=None, branch_ids=[branch_id], asker=asker)
    return known, len(new)


def _written(
    session: Session, asker: Asker, branch_id: int, batch: int, good: pd.DataFrame
) -> tuple[int, int, int]:
    """Store good rows; return how many are new, say more than what is there, and are there already."""
    keys = list(good[_KEY].itertuples(index=False, name=None))
    again = good.duplicated(_KEY).to_numpy(bool)
    there = _there(session, branch_id, good)
    ids = np.array([there.get(key, 0) for key in keys], dtype=np.int64)
    fresh, old = (ids == 0) & ~again, (ids != 0) & ~again
    if fresh.any():
        rows = good[fresh].assign(branch_id=branch_id, batch_id=batch, by=asker.name)
        bulk.insert(session, tables.visits, rows)
    updated: NDArray[np.bool_] = np.zeros(0, dtype=bool)
    if old.any():
        updated = updating.update_rows(
            session, batch, KIND, good.loc[old, _SAID], ids[old], only_blanks=False
        )
        changes.saw(session, batch, KIND, ids[old])
    accepted, more = int(fresh.sum()), int(updated.sum())
    return accepted, more, len(good) - accepted - more


def _there(session: Session, branch_id: int, good: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """Return the branch's visits of the list's days by whom, who and when."""
    visits = tables.visits.c
    query = select(visits.id, *(visits[name] for name in _KEY)).where(
        visits.branch_id == branch_id, visits.day.between(good["day"].min(), good["day"].max())
    )
    return {tuple(row[1:]): int(row[0]) for row in session.execute(query.order_by(visits.id.desc()))}
