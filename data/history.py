"""
Batches taken back: what later work did to their rows, and how the store was without them.

The rows a batch made go, the rows it changed get back what the journal says they had, and the rows it removed
return. What a later batch changed in one of these rows stays or goes as the user says. A journal line of a
later batch on the same cell then tells what the cell held without the batch that is undone, so batches can be
taken back in any order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from data import bulk, changes, tables
from data.alliances.passing import PASSED, hand_back
from data.branches import lock_version, new_version
from data.rights import Asker, Right
from data.snapshots import ALLIED
from data.sources import LISTS
from data.trail import audit
from geo.errors import N_, Conflict, NotFound

Keep = Literal["later", "none"]
Ids = NDArray[np.int64]
ROLLBACK = "rollback"
VISITS = "visits"  # a layer of the journal, and a kind of batch
WHAT = {
    "edited": N_("changed by hand"),
    "updated": N_("changed by a later list"),
    "listed": N_("in a later list too"),
    "merged": N_("merged with a double"),
    "placed": N_("put on the map by hand"),
    "rolled back": N_("changed by taking another batch back"),
    "set aside": N_("set aside"),
    "visited": N_("visited since"),
    "linked": N_("in a link or an alliance since"),
}
_DID = {"merge": "merged", "place": "placed"}
_TOUCHES = ["layer", "row_id", "batch_id", "what", "by", "at"]
_batches, _lines = tables.batches, tables.changes


@dataclass(frozen=True)
class RollbackReport:
    """What taking a batch back did."""

    batch: int
    """The batch that the rollback is itself."""
    removed: int
    """Rows the batch had made, gone."""
    restored: int
    """Rows the batch had changed or removed, as they were."""
    kept: int
    """Rows left as later work made them, in part or whole."""
    version: int


def touched_later(session: Session, asker: Asker, batch_id: int) -> pd.DataFrame:
    """
    Return rows of a batch that something later changed, each once, with the newest change.

    Parameters
    ----------
    session, asker
        Who may take the batch back: a list with the right to import, a change by hand with the right to edit.
    batch_id
        Of the batch.

    Returns
    -------
    touched
        layer, row_id, name (None of customers), by, at, what (a key of `WHAT`).
    """
    batch = _found(session, asker, batch_id)
    touches = _touches(session, batch)
    newest = touches.drop_duplicates(["layer", "row_id"], keep="last")
    names = _names(session, newest)
    return pd.DataFrame(
        {
            "layer": newest["layer"],
            "row_id": newest["row_id"].astype("int64"),
            "name": [names.get(key) for key in zip(newest["layer"], newest["row_id"], strict=True)],
            "by": newest["by"],
            "at": newest["at"],
            "what": newest["what"],
        }
    ).reset_index(drop=True)


def rollback(session: Session, asker: Asker, batch_id: int, *, keep: Keep) -> RollbackReport:
    """
    Take a batch back, in the session's transaction: all of it or nothing.

    Parameters
    ----------
    session, asker
        In `store.transaction`; the rights are those of `touched_later`.
    batch_id
        Of a list or of a change by hand.
    keep
        "later": what `touched_later` lists stays as it is; "none": it goes back as well.

    Raises
    ------
    Conflict
        When the batch is undone already, or is a rollback itself.
    """
    branch_id = int(_found(session, asker, batch_id).branch_id)
    lock_version(session, branch_id)
    batch = _found(session, asker, batch_id)
    if batch.undone_by is not None:
        raise Conflict(N_("Batch {batch} has been taken back already."), batch=batch_id)
    if batch.mode == ROLLBACK:
        raise Conflict(
            N_("A rollback cannot be taken back. Bring the list in again, or make the change again.")
        )
    visited = _visited_by(session, batch)
    own = changes.open_batch(
        session, asker, branch_id, kind=batch.kind, mode=ROLLBACK, mapping={"undid": batch_id, "keep": keep}
    )
    undo = _Undo(session, batch, own, keep, asker)
    undo.run()
    counts = {"removed": undo.removed, "restored": undo.restored, "kept": undo.kept}
    session.execute(update(_batches).where(_batches.c.id == own).values(counts=counts))
    audit(session, asker, ROLLBACK, branch_id, f"batch {batch_id}", **counts)
    touched = None
    if batch.kind == VISITS:
        touched = visited
    elif keep == "later" and (rows := _touched(session, batch)) is not None:
        touched = rows | visited
    version = new_version(session, asker, branch_id, ROLLBACK, own, touched=touched)
    return RollbackReport(batch=own, **counts, version=version)


def _touched(session: Session, batch: Any) -> dict[str, list[int]] | None:
    """Return which rows on the map a change by hand was about, by layer; None of a list."""
    if batch.mode != "hand":
        return None
    query = select(_lines.c.layer, _lines.c.row_id).where(_lines.c.batch_id == batch.id)
    rows = [
        (layer, row_id)
        for layer, row_id in session.execute(query.distinct())
        if layer not in ("unplaced", VISITS)
    ]
    found = {layer: [row_id for of, row_id in rows if of == layer] for layer, _ in rows}
    if PASSED in batch.mapping:
        found[ALLIED] = [batch.mapping["merged"], batch.mapping["into"]]
    return found


def _visited_by(session: Session, batch: Any) -> dict[str, list[int]]:
    """Return to whom the visits were made that a batch brought or moved, by layer as a snapshot is told."""
    visits = tables.visits.c
    whom = {"visits to merchants": "merchant_id", "visits to customers": "customer_id"}
    found: dict[str, set[int]] = {name: set() for name in whom}
    for name, column in whom.items():
        query = select(visits[column]).where(visits.batch_id == batch.id, visits[column].is_not(None))
        found[name].update(session.scalars(query.distinct()))
    lines = select(_lines.c.before, _lines.c.after).where(
        _lines.c.batch_id == batch.id, _lines.c.layer == VISITS, _lines.c.row_id != changes.OF_MANY
    )
    for row in session.execute(lines):
        for told in filter(None, row):
            values = changes.restored(VISITS, told)
            for name, column in whom.items():
                found[name].update(filter(None, [values.get(column)]))
    return {name: sorted(ids) for name, ids in found.items() if ids}


def same_file(session: Session, branch_id: int, sha256: str) -> dict[str, Any] | None:
    """Return the newest batch that brought this very file in and still stands; None when there is none."""
    b = _batches.c
    fields = [b[name] for name in ("id", "kind", "file_name", "source", "counts", "by", "at")]
    query = select(*fields).where(b.branch_id == branch_id, b.file_hash == sha256, b.mode.in_(LISTS))
    row = session.execute(query.where(b.undone_by.is_(None)).order_by(b.id.desc()).limit(1)).one_or_none()
    return None if row is None else dict(row._mapping)


def _found(session: Session, asker: Asker, batch_id: int) -> Any:
    """Return a batch that the asker may take back."""
    row = session.execute(select(_batches).where(_batches.c.id == batch_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no batch {which}."), which=batch_id)
    asker.require(Right.EDIT_MERCHANTS if row.mode == "hand" else Right.IMPORT, row.branch_id)
    if row.mode == "hand" and row.kind == "customers":
        asker.require(Right.CUSTOMERS, row.branch_id)
    if row.mode == "hand" and row.kind == VISITS and row.by != asker.name:
        asker.require(Right.CUSTOMERS, row.branch_id)  # a visit may have been to one
    return row


# What later work did ----------------------------------------------------------------------------------------


def _touches(session: Session, batch: Any) -> pd.DataFrame:
    """Return every later change of the batch's rows, oldest first: `_TOUCHES`."""
    parts: list[pd.DataFrame] = []
    for layer in changes.LAYERS:
        made = _made(session, layer, batch.id)
        if len(made):
            parts += [_listed(session, batch, layer, made), _aside(session, batch, layer, made)]
            parts.append(_visited(session, batch, layer))
            if layer == "merchants":
                parts.append(_linked(session, batch))
    parts += [_changed(session, batch), _gone_or_placed(session, batch)]  # say more than "listed"
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=_TOUCHES)
    return pd.concat(parts, ignore_index=True).sort_values("at", kind="stable", ignore_index=True)


def _counts_after(batch: Any) -> ColumnElement[bool]:
    """
    Return which batches of the branch count as later work.

    A batch that was undone does not, nor what undid it; but what undid a batch older than ours does.
    """
    b = _batches.c
    undone = _batches.alias("undone")
    of_older = select(undone.c.undone_by).where(
        undone.c.branch_id == batch.branch_id, undone.c.id < batch.id, undone.c.undone_by.is_not(None)
    )
    return and_(
        b.branch_id == batch.branch_id,
        b.id > batch.id,
        b.undone_by.is_(None),
        or_(b.mode != ROLLBACK, b.id.in_(of_older)),
    )


def _made(session: Session, layer: str, batch_id: int) -> Ids:
    """Return the ids of the rows of a layer that a batch made, sorted."""
    table = changes.LAYERS[layer]
    query = select(table.c.id).where(table.c.batch_id == batch_id).order_by(table.c.id)
    return np.fromiter(session.scalars(query), dtype=np.int64)


def _lines_after(batch: Any, layer: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """Select lines of later work on a layer's rows."""
    return (
        select(*columns)
        .join(_batches, _lines.c.batch_id == _batches.c.id)
        .where(_lines.c.layer == layer, _lines.c.row_id != changes.OF_MANY, _counts_after(batch))
        .order_by(_lines.c.id)
    )


def _changed(session: Session, batch: Any) -> pd.DataFrame:
    """Return what the journal has about rows the batch made, and about cells it changed."""
    b = _batches.c
    query = select(b.id, b.mode, b.mapping, b.by, b.at).where(_counts_after(batch))
    later = {row.id: (row.id, _what(row), row.by, row.at) for row in session.execute(query)}
    if not later:
        return pd.DataFrame(columns=_TOUCHES)
    rows: list[tuple[Any, ...]] = []
    for layer, table in changes.LAYERS.items():
        fields = (_lines.c.row_id, _lines.c.batch_id)
        of_made = _lines_after(batch, layer, *fields).join(table, table.c.id == _lines.c.row_id)
        found = [tuple(row) for row in session.execute(of_made.where(table.c.batch_id == batch.id))]
        found += _cells_changed(session, batch, layer, fields)
        rows += [(layer, row_id, *later[by_batch]) for row_id, by_batch in found]
    return pd.DataFrame(rows, columns=_TOUCHES)


def _cells_changed(
    session: Session, batch: Any, layer: str, fields: tuple[Column[Any], ...]
) -> Iterator[tuple[int, int]]:
    own = _lines.alias("own")
    mine = (own.c.batch_id == batch.id, own.c.layer == layer, own.c.row_id == _lines.c.row_id)
    query = (
        _lines_after(batch, layer, *fields, _lines.c.after, own.c.after.label("own"))
        .join(own, and_(*mine))
        .where(own.c.before.is_not(None))
    )
    for row in session.execute(query):
        if row.after is None or row.own is None or json.loads(row.own).keys() & json.loads(row.after).keys():
            yield row.row_id, row.batch_id


def _what(row: Any) -> str:
    if row.mode == "hand":
        return _DID.get(row.mapping.get("did"), "edited")
    return "rolled back" if row.mode == ROLLBACK else "updated"


def _dependent(session: Session, batch: Any) -> list[Any]:
    """Return later changes by hand that used rows of a list up, by placing or merging them; newest first."""
    b = _batches.c
    query = select(_batches).where(_counts_after(batch), b.mode == "hand").order_by(b.id.desc())
    return [row for row in session.execute(query) if row.mapping.get("of") == batch.id]


def _gone_or_placed(session: Session, batch: Any) -> pd.DataFrame:
    rows = []
    for later in _dependent(session, batch):
        query = select(_lines.c.layer, _lines.c.row_id).where(_lines.c.batch_id == later.id)
        which = _lines.c.before.is_(None) if later.mapping["did"] == "place" else _lines.c.after.is_(None)
        for layer, row_id in session.execute(query.where(which)):
            what = _DID.get(later.mapping["did"], "edited")
            rows.append((layer, row_id, later.id, what, later.by, later.at))
    return pd.DataFrame(rows, columns=_TOUCHES)


def _listed(session: Session, batch: Any, layer: str, made: Ids) -> pd.DataFrame:
    """Return which of the rows made later lists have as well."""
    b = _batches.c
    later = select(b.id, b.by, b.at).where(_counts_after(batch), b.mode.in_(LISTS)).order_by(b.id)
    parts = [pd.DataFrame(columns=_TOUCHES)]
    for row in session.execute(later).all():
        both = np.intersect1d(changes.seen(session, row.id, layer), made, assume_unique=True)
        told = {
            "layer": layer,
            "row_id": both,
            "batch_id": row.id,
            "what": "listed",
            "by": row.by,
            "at": row.at,
        }
        if len(both):
            parts.append(pd.DataFrame(told, columns=_TOUCHES))
    return pd.concat(parts[1:], ignore_index=True) if len(parts) > 1 else parts[0]


def _aside(session: Session, batch: Any, layer: str, made: Ids) -> pd.DataFrame:
    asides = tables.set_aside.c
    query = select(asides.row_id, asides.by, asides.at).where(
        asides.branch_id == batch.branch_id, asides.layer == layer
    )
    found = pd.DataFrame(session.execute(query).all(), columns=["row_id", "by", "at"])
    found = found[np.isin(found["row_id"].to_numpy(dtype=np.int64), made)]
    return found.assign(layer=layer, batch_id=0, what="set aside")[_TOUCHES]


def _visited(session: Session, batch: Any, layer: str) -> pd.DataFrame:
    """Return which of the rows made somebody has visited: a list taken back takes no visit along unseen."""
    whom = {"merchants": tables.visits.c.merchant_id, "customers": tables.visits.c.customer_id}.get(layer)
    if whom is None:
        return pd.DataFrame(columns=_TOUCHES)
    table, visits = changes.LAYERS[layer], tables.visits.c
    query = select(whom, visits.batch_id, visits.by, visits.at).join(table, table.c.id == whom)
    rows = session.execute(query.where(table.c.batch_id == batch.id)).all()
    found = pd.DataFrame(rows, columns=["row_id", "batch_id", "by", "at"])
    return found.assign(layer=layer, what="visited", batch_id=found["batch_id"].fillna(0))[_TOUCHES]


def _linked(session: Session, batch: Any) -> pd.DataFrame:
    """Return which of the merchants made are in a link or an alliance, which would go with them."""
    links, members, merchants = tables.links, tables.alliance_members, tables.merchants
    rows: list[Any] = []
    for table, column in ((links, links.c.a_id), (links, links.c.b_id), (members, members.c.merchant_id)):
        query = select(column, table.c.by, table.c.at).join(merchants, merchants.c.id == column)
        rows += session.execute(query.where(merchants.c.batch_id == batch.id))
    found = pd.DataFrame([tuple(row) for row in rows], columns=["row_id", "by", "at"])
    return found.assign(layer="merchants", what="linked", batch_id=0)[_TOUCHES]


def _names(session: Session, touches: pd.DataFrame) -> dict[tuple[str, int], str]:
    """Return the names of rows that are there, customers' apart."""
    names: dict[tuple[str, int], str] = {}
    for layer, rows in touches.groupby("layer"):
        if layer in ("merchants", "outlets", "places"):
            found = changes.stored(session, str(layer), rows["row_id"].to_numpy(dtype=np.int64), ("name",))
            ids = found.index.to_numpy(dtype=np.int64).tolist()
            names |= {(str(layer), row_id): name for row_id, name in zip(ids, found["name"], strict=True)}
    return names


# Taking back ------------------------------------------------------------------------------------------------


@dataclass
class _Undo:
    """One batch on its way out of the store."""

    session: Session
    batch: Any
    own: int
    """The rollback's batch."""
    keep: Keep
    asker: Asker
    removed: int = field(default=0, init=False)
    restored: int = field(default=0, init=False)
    kept: int = field(default=0, init=False)

    def run(self) -> None:
        """Take it back, and with `keep="none"` what depends on it."""
        touched = _touches(self.session, self.batch).drop_duplicates(["layer", "row_id"])
        self._mark()
        if self.keep == "none":
            for later in _dependent(self.session, self.batch):
                part = _Undo(self.session, later, self.own, self.keep, self.asker)
                part.run()
                self.removed += part.removed
                self.restored += part.restored
        for layer in changes.LAYERS:
            ids = touched.loc[touched["layer"] == layer, "row_id"].to_numpy(dtype=np.int64)
            made = _made(self.session, layer, self.batch.id)
            stays = np.intersect1d(ids, made) if self.keep == "later" else made[:0]
            self._remove(layer, made, stays)
        if self.keep == "later":
            self.kept = len(touched)
        for layer in changes.LAYERS:
            self._restore(layer)
        told = self.batch.mapping or {}
        if PASSED in told:
            hand_back(self.session, self.asker, told[PASSED], told["merged"], told["into"])
        self._clear_marks()

    def _mark(self) -> None:
        which = _batches.c.id == self.batch.id
        self.session.execute(update(_batches).where(which).values(undone_by=self.own))

    def _remove(self, layer: str, made: Ids, stays: Ids) -> None:
        """Remove the rows made, and what others say about them."""
        if len(made) == len(stays):
            return
        table, session = changes.LAYERS[layer], self.session
        goes = table.c.batch_id == self.batch.id
        some = _some(session, stays) if len(stays) else None
        if some is not None:
            goes &= ~select(some.c.row_id).where(some.c.row_id == table.c.id).exists()
        asides = tables.set_aside.c
        own_asides = (asides.branch_id == self.batch.branch_id) & (asides.layer == layer)
        session.execute(
            delete(tables.set_aside).where(own_asides, asides.row_id.in_(select(table.c.id).where(goes)))
        )
        session.execute(delete(table).where(goes))  # a customer's holdings go with it
        if some is not None:
            some.drop(session.connection())
        self.removed += len(made) - len(stays) if layer != "unplaced" else 0

    def _restore(self, layer: str) -> None:
        """Give rows back what the batch took, some at a time."""
        own = (_lines.c.batch_id == self.batch.id, _lines.c.layer == layer, _lines.c.before.is_not(None))
        query = select(_lines.c.row_id).where(*own).distinct().order_by(_lines.c.row_id)
        ids = np.fromiter(self.session.scalars(query), dtype=np.int64)
        for start in range(0, len(ids), changes.IDS_AT_ONCE):
            some = ids[start : start + changes.IDS_AT_ONCE].tolist()
            had, gone = self._before(layer, own, some)
            self._give_back(layer, self._settle_with_later(layer, had))
            self._bring_back(layer, gone)

    def _before(
        self, layer: str, own: Iterable[ColumnElement[bool]], ids: list[int]
    ) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
        """Return what rows had before the batch, those that stayed and those it removed."""
        had: dict[int, dict[str, Any]] = {}
        gone: dict[int, dict[str, Any]] = {}
        query = select(_lines.c.row_id, _lines.c.before, _lines.c.after).where(*own, _lines.c.row_id.in_(ids))
        for row_id, before, after in self.session.execute(query.order_by(_lines.c.id.desc())):
            told = changes.restored(layer, before)  # of several lines the oldest has the last word
            if after is None:
                gone[row_id] = told
            else:
                (gone if row_id in gone else had).setdefault(row_id, {}).update(told)
        return had, gone

    def _settle_with_later(self, layer: str, had: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """
        Return what goes back now.

        Of later work that stays, the next line on a cell is told what it held without the batch; of later
        work that goes back as well, the lines lose the cell. What undid an older batch stands in any case.
        """
        back = {row_id: dict(told) for row_id, told in had.items()}
        if not had:
            return back
        owed = {row_id: dict(told) for row_id, told in had.items()}
        fields = (_lines.c.id, _lines.c.row_id, _lines.c.before, _lines.c.after, _batches.c.mode)
        query = _lines_after(self.batch, layer, *fields).where(_lines.c.row_id.in_(list(had)))
        mended = []
        for line in self.session.execute(query):
            if line.before is None:
                continue
            before = changes.restored(layer, line.before)
            stands = line.mode == ROLLBACK
            if self.keep == "later" or stands:
                for name in before:
                    back[line.row_id].pop(name, None)
            if stands:
                continue
            after = None if line.after is None else changes.restored(layer, line.after)
            if self.keep == "none" and after is not None:
                shared = had[line.row_id].keys() & before.keys()
                before = {name: value for name, value in before.items() if name not in shared}
                after = {name: value for name, value in after.items() if name not in shared}
            elif shared := owed[line.row_id].keys() & before.keys():
                before |= {name: owed[line.row_id].pop(name) for name in shared}
            if shared:
                said = None if after is None else changes.told(layer, after)
                mended.append({"line": line.id, "told": changes.told(layer, before), "said": said})
        if mended:
            which = update(_lines).where(_lines.c.id == bindparam("line"))
            statement = which.values(before=bindparam("told"), after=bindparam("said"))
            self.session.connection().execute(statement, mended)
        return {row_id: told for row_id, told in back.items() if told}

    def _give_back(self, layer: str, back: dict[int, dict[str, Any]]) -> None:
        names = sorted({name for told in back.values() for name in told})
        if not names:
            return
        now = changes.stored(self.session, layer, sorted(back), names)
        back = {row_id: back[row_id] for row_id in now.index.tolist()}
        if layer == VISITS and not (back := _with_target(self.session, back)):
            return
        now = now.loc[list(back)]
        self._spare_identifiers(layer, back)
        after = now.copy()
        for name in names:
            told = [row.get(name, was) for row, was in zip(back.values(), now[name], strict=True)]
            after[name] = pd.Series(told, now.index, dtype=object)
        changes.record(self.session, self.own, layer, now, after)
        _write(self.session, layer, back)
        self.restored += len(back)

    def _bring_back(self, layer: str, gone: dict[int, dict[str, Any]]) -> None:
        """Return removed rows, with the ids they had, unless the list that made them is undone."""
        if not gone:
            return
        query = select(_batches.c.id).where(
            _batches.c.branch_id == self.batch.branch_id, _batches.c.undone_by.is_not(None)
        )
        undone = set(self.session.scalars(query))
        there = set(changes.stored(self.session, layer, list(gone), ("id",)).index)
        gone = {
            row_id: told
            for row_id, told in gone.items()
            if told.get("batch_id") not in undone and row_id not in there
        }
        if layer == VISITS:
            gone = _with_target(self.session, gone)
        taken = _taken(self.session, layer, self.batch.branch_id, gone)
        rows = [{**told, "id": row_id} for row_id, told in gone.items() if row_id not in taken]
        if rows:
            frame = pd.DataFrame(rows, dtype=object)
            held = frame.pop(changes.HOLDINGS) if changes.HOLDINGS in frame else None
            bulk.insert(self.session, changes.LAYERS[layer], frame)
            if held is not None:
                _hold(self.session, dict(zip(frame["id"], held, strict=True)))
        self.restored += len(rows)

    def _spare_identifiers(self, layer: str, back: dict[int, dict[str, Any]]) -> None:
        """Let go of identifiers that are another row's by now, and free those that rows exchange."""
        given = {row_id: told for row_id, told in back.items() if told.get("source_id")}
        if not given:
            return
        for row_id in _taken(self.session, layer, self.batch.branch_id, given):
            del back[row_id]["source_id"], given[row_id]
        if not given:
            return
        table = changes.LAYERS[layer]
        free = update(table).where(table.c.id == bindparam("row")).values(source_id=None)
        self.session.connection().execute(free, [{"row": row_id} for row_id in given])

    def _clear_marks(self) -> None:
        """Clear the marks of doubles of merchants that are gone."""
        marked, first = tables.merchants, tables.merchants.alias("first")
        there = select(first.c.id).where(first.c.id == marked.c.double_of).exists()
        which = (marked.c.branch_id == self.batch.branch_id) & marked.c.double_of.is_not(None) & ~there
        self.session.execute(update(marked).where(which).values(double_of=None, double_level=None))


def _some(session: Session, ids: Ids) -> Table:
    """Return a table of this transaction alone, with some ids: too many for a statement."""
    some = Table(
        "some_rows",
        MetaData(),
        Column("row_id", tables.Id, primary_key=True, autoincrement=False),
        prefixes=["TEMPORARY"],
    )
    some.create(session.connection())
    bulk.insert(session, some, pd.DataFrame({"row_id": ids}))
    return some


def _with_target(session: Session, rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return visits but those to whoever is not there any more."""
    for column, layer in (("merchant_id", "merchants"), ("customer_id", "customers")):
        named = [told[column] for told in rows.values() if told.get(column) is not None]
        there = set(changes.stored(session, layer, named, ("branch_id",)).index)
        rows = {at: told for at, told in rows.items() if told.get(column) is None or told[column] in there}
    return rows


def _taken(session: Session, layer: str, branch_id: int, rows: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Return which rows have an identifier that another row has by now."""
    table = changes.LAYERS[layer]
    wanted = {told["source_id"]: row_id for row_id, told in rows.items() if told.get("source_id")}
    if not wanted:
        return set()
    query = select(table.c.id, table.c.source_id).where(
        table.c.branch_id == branch_id, table.c.source_id.in_(list(wanted))
    )
    return {wanted[row.source_id] for row in session.execute(query) if row.id not in rows}


def _write(session: Session, layer: str, back: Mapping[int, Mapping[str, Any]]) -> None:
    """Write cells over stored rows, rows that get the same columns together."""
    table = changes.LAYERS[layer]
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row_id, told in back.items():
        cells = {name: value for name, value in told.items() if name != changes.HOLDINGS}
        row = {f"new_{name}": value for name, value in cells.items()} | {"row": row_id}
        alike.setdefault(tuple(sorted(cells)), []).append(row)
    for names, rows in alike.items():
        if names:
            values: dict[str, Any] = {
                name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names
            }
            if "revision" in table.c:
                values["revision"] = table.c.revision + 1
            statement = update(table).where(table.c.id == bindparam("row")).values(values)
            session.connection().execute(statement, rows)
    held = {row_id: told[changes.HOLDINGS] for row_id, told in back.items() if changes.HOLDINGS in told}
    if held:
        customers = tables.holdings.c.customer_id
        session.execute(delete(tables.holdings).where(customers.in_(list(held))))
        _hold(session, held)


def _hold(session: Session, held: Mapping[int, list[int]]) -> None:
    pairs = [(row_id, product) for row_id, products in held.items() for product in products or ()]
    bulk.insert(
        session,
        tables.holdings,
        pd.DataFrame(pairs, columns=["customer_id", "product_id"]).astype(np.int64),
    )
