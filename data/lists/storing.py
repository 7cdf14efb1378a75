"""The second reading of a list: its good rows go into their tables, chunk by chunk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import bulk, changes, tables
from data.changes import HOLDINGS
from data.files.readers import Chunk, Table
from data.lists import doubles, updating
from data.lists.building import BUILDERS, Fields, filled
from data.lists.cells import Cells
from data.lists.deciding import ACCEPTED, DUPLICATE, UPDATED, Fates
from data.lists.reasons import NO_COORDINATES
from data.lists.survey import Survey
from data.lists.terms import Terms
from data.lists.watching import STORING, Watch
from data.people import person_named
from data.rights import Asker
from geo.datum import convert

Floats = NDArray[np.float64]
_OF_MERCHANTS = ("category_id", "status", "hours", "manager_id", "double_of", "double_level")
_OF_OUTLETS = ("kind", "is_own")
_POINT = ("lon", "lat")


class Storing:
    """
    One list on its way into the tables.

    Parameters
    ----------
    session, asker
        Whose transaction holds it, and who brings it.
    table, survey, datum
        The list, read once.
    fates
        What becomes of each row; rows whose update changes nothing become duplicates.
    terms, batch
        How it comes in, and as which batch.
    watch, warn
        Told how far it is, and what is noticed.
    """

    def __init__(
        self,
        session: Session,
        asker: Asker,
        table: Table,
        survey: Survey,
        datum: str,
        fates: Fates,
        terms: Terms,
        batch: int,
        watch: Watch,
        warn: Callable[[str, int], None],
    ) -> None:
        self.session = session
        self.asker = asker
        self.table = table
        self.survey = survey
        self.datum = datum
        self.fates = fates
        self.terms = terms
        self.batch = batch
        self.watch = watch
        self.warn = warn
        self.unplaced = 0
        self.people: dict[str, int] = {}
        self.transform = survey.transform
        self.ids = fates.ids()
        self.new_ids = self._reserved()
        self.waiting: set[str] | None = None

    def run(self) -> None:
        """Read the list again and store it."""
        for layer, ids in self._replaced():
            updating.remove(self.session, self.batch, layer, ids)
        start = 0
        total = len(self.fates.outcome)
        counts = iter(self.survey.parts)
        self.watch.at(STORING, 0, total)
        for chunk in self.table.chunks():
            own, odd = next(counts), next(counts)
            self._store_chunk(chunk, slice(start, start + own))
            start += own + odd
            self.watch.at(STORING, start, total)
        self._note_seen()

    def _layer(self, is_outlet: bool) -> str:
        return "outlets" if is_outlet else self.terms.kind

    def _replaced(self) -> list[tuple[str, NDArray[np.int64]]]:
        known, rows = self.fates.known, self.fates.replaced
        return [
            (layer, known.id[rows[known.is_outlet[rows] == is_outlet]])
            for layer, is_outlet in (("merchants", False), ("outlets", True))
            if len(rows)
        ]

    def _note_seen(self) -> None:
        """Write into the journal which stored rows the list had, also where it changed nothing."""
        for is_outlet in (False, True):
            own = (self.survey.outlet > 0) == is_outlet
            ids = self.ids[own & (self.ids > 0)]
            if len(ids):
                changes.saw(self.session, self.batch, self._layer(is_outlet), ids)

    def _reserved(self) -> NDArray[np.int64] | None:
        """Return the ids that new merchants will have, where a mark has to name one; else None."""
        twins = self.fates.twins
        if not (self.fates.marked & (twins.earlier >= 0)).any():
            return None
        ids = np.zeros(len(self.fates.outcome), dtype=np.int64)
        new = (self.fates.outcome == ACCEPTED) & (self.survey.outlet == 0)
        ids[new] = bulk.reserve(self.session, tables.merchants, int(new.sum()))
        return ids

    # a chunk

    def _store_chunk(self, chunk: Chunk, part: slice) -> None:
        outcome = self.fates.outcome[part]
        keep = (outcome == ACCEPTED) | (outcome == UPDATED)
        if keep.any():
            self._store_rows(self._fields(chunk, keep, part), part.start + keep.nonzero()[0])
        lost = self.survey.reason[part] == NO_COORDINATES
        lost &= self._named(part) == 0
        if lost.any():
            self._keep_unplaced(self._fields(chunk, lost, part))

    def _named(self, part: slice) -> NDArray[np.int64]:
        """Return the ids of stored rows by identifier: what has a place already need not be placed."""
        ids: NDArray[np.int64] = np.where(self.survey.id_hash[part] != 0, self.ids[part], 0)
        return ids

    def _store_rows(self, fields: Fields, rows: NDArray[np.intp]) -> None:
        built = BUILDERS[self.terms.kind](fields)
        built["branch_id"] = self.terms.branch_id
        if self.terms.kind != "merchants":
            self._write(self.terms.kind, built, fields.target, rows)
            return
        is_outlet = fields.outlet > 0
        own = built if not is_outlet.any() else built[~is_outlet]
        marked = self._with_marks(own.drop(columns=list(_OF_OUTLETS)), rows[~is_outlet])
        self._write("merchants", marked, fields.target[~is_outlet], rows[~is_outlet])
        if is_outlet.any():
            outlets = built[is_outlet].drop(columns=list(_OF_MERCHANTS), errors="ignore")
            self._write("outlets", outlets, fields.target[is_outlet], rows[is_outlet])

    def _with_marks(self, frame: pd.DataFrame, rows: NDArray[np.intp]) -> pd.DataFrame:
        """Say of new merchants which other they may be."""
        if not self.fates.marked[rows].any():
            return frame
        twins, known = self.fates.twins, self.fates.known
        marked = self.fates.marked[rows]
        stored, earlier = twins.stored[rows], twins.earlier[rows]
        of = np.zeros(len(rows), dtype=np.int64)
        of[stored >= 0] = known.id[stored[stored >= 0]]
        if self.new_ids is not None:
            of = np.where(earlier >= 0, self.new_ids[earlier], of)
        level = pd.Series(twins.level[rows], index=frame.index).map(doubles.LEVELS)
        return frame.assign(
            double_of=pd.Series(of, index=frame.index, dtype="Int64").where(marked & (of > 0)),
            double_level=level.where(marked & (of > 0)),
        )

    def _write(
        self, layer: str, frame: pd.DataFrame, target: NDArray[np.int64], rows: NDArray[np.intp]
    ) -> None:
        old = target != 0
        if not old.all():
            self._insert(changes.LAYERS[layer], frame if not old.any() else frame[~old], rows[~old])
        if old.any():
            changed = updating.update_rows(
                self.session,
                self.batch,
                layer,
                frame[old],
                target[old],
                only_blanks=self.terms.policy == "keep",
            )
            self.fates.outcome[rows[old][~changed]] = DUPLICATE

    def _insert(self, table: SqlTable, frame: pd.DataFrame, rows: NDArray[np.intp]) -> None:
        held = frame.pop(HOLDINGS) if HOLDINGS in frame else None
        fresh = filled(frame, table).assign(batch_id=self.batch)
        if table is tables.merchants and self.new_ids is not None:
            bulk.insert(self.session, table, fresh.assign(id=self.new_ids[rows]))
        elif held is None:
            bulk.insert(self.session, table, fresh)
        else:
            ids = bulk.insert_numbered(self.session, table, fresh)
            pairs = pd.DataFrame({"customer_id": ids, "product_id": held.to_numpy()}).explode("product_id")
            bulk.insert(self.session, tables.holdings, pairs.dropna().astype(np.int64))

    # what a row is made from

    def _fields(self, chunk: Chunk, keep: NDArray[np.bool_], part: slice) -> Fields:
        def some(values: NDArray[Any]) -> NDArray[Any]:
            return values if keep.all() else values[keep]

        target = np.where(self.fates.outcome[part] == UPDATED, self.ids[part], 0)
        frame = chunk.frame if keep.all() else chunk.frame[keep].reset_index(drop=True)
        return Fields(
            cells=Cells(frame, self.survey.columns),
            rows=some(chunk.rows),
            lon=some(self.fates.lon[part]),
            lat=some(self.fates.lat[part]),
            category=some(self.survey.category[part]),
            outlet=some(self.survey.outlet[part]),
            target=some(target),
            shapes=None if chunk.shapes is None else self._areas(some(chunk.shapes)),
            bank=self.terms.bank,
            warn=self.warn,
            managers=self._managers,
        )

    def _areas(self, shapes: NDArray[np.object_]) -> NDArray[np.object_] | None:
        """Return the WKB of polygons in WGS 84, None for points; None alone where there is no polygon."""
        areas = np.isin(shapely.get_type_id(shapes), (3, 6))
        if not areas.any():
            return None

        def to_wgs84(points: Floats) -> Floats:
            x, y = points[:, 0], points[:, 1]
            if self.survey.transform is not None:
                x, y = self.survey.transform.transform(x, y)
            return np.column_stack(convert(x, y, self.datum, "wgs84"))

        wkb = np.full(len(shapes), None, dtype=object)
        valid = shapely.make_valid(shapely.force_2d(shapes[areas]), method="structure", keep_collapsed=False)
        wkb[areas] = shapely.to_wkb(shapely.transform(valid, to_wgs84))
        return wkb

    def _managers(self, names: set[str]) -> dict[str, int]:
        """Return the ids of the branch's people by name, with those added whom it has not."""
        if not self.people:
            at = tables.person_branches.c
            query = select(tables.people.c.name, tables.people.c.id).join(tables.person_branches)
            rows = self.session.execute(query.where(at.branch_id == self.terms.branch_id))
            self.people = {row.name: row.id for row in rows}
        for name in sorted(names - set(self.people)):
            self.people[name] = person_named(
                self.session, name, role=None, branch_ids=[self.terms.branch_id], asker=self.asker
            )
        return self.people

    # rows without a place

    def _keep_unplaced(self, fields: Fields) -> None:
        """Keep rows without coordinates, to be placed by hand; one that waits already is not kept twice."""
        built = BUILDERS[self.terms.kind](fields).drop(columns=list(_POINT))
        records = self._records(built, fields.outlet > 0)
        if self.waiting is None:
            self.waiting = self._waiting()
        new = [at for at, record in enumerate(records) if not _in(self.waiting, record)]
        self.unplaced += len(records)
        if not new:
            return
        kept = pd.DataFrame(
            {
                "branch_id": self.terms.branch_id,
                "batch_id": self.batch,
                "kind": self.terms.kind,
                "row": fields.rows[new],
                "record": [records[at] for at in new],
            }
        )
        bulk.insert(self.session, tables.unplaced, kept)

    def _records(self, built: pd.DataFrame, is_outlet: NDArray[np.bool_]) -> Sequence[str]:
        """Return rows as JSON of what the store would hold; of an outlet in a merchant list its layer too."""
        plain = built.astype(object).where(built.notna(), None)
        records = []
        for row, outlet in zip(plain.to_dict("records"), is_outlet.tolist(), strict=True):
            dropped = _OF_MERCHANTS if outlet else _OF_OUTLETS if self.terms.kind == "merchants" else ()
            told = {name: _json(value) for name, value in row.items() if name not in dropped}
            told = {name: value for name, value in told.items() if value is not None}
            records.append(json.dumps({**told, "layer": "outlets"} if outlet else told, ensure_ascii=False))
        return records

    def _waiting(self) -> set[str]:
        waiting = tables.unplaced.c
        query = select(waiting.record).where(
            waiting.branch_id == self.terms.branch_id, waiting.kind == self.terms.kind
        )
        return set(self.session.scalars(query))


def _in(seen: set[str], record: str) -> bool:
    """Whether a record is among those seen; it is from now on."""
    there = record in seen
    seen.add(record)
    return there


def _json(value: Any) -> Any:
    return (
        value.hex() if isinstance(value, bytes) else value.item() if isinstance(value, np.generic) else value
    )
