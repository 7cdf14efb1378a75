"""
Lists into the store: columns mapped, rows placed and judged, the datum proven, all of it in one transaction.

A list is read twice. The *survey* reads positions and what tells rows apart, judges every row and keeps a few
numbers of each; then the whole list is known (is more than half bad? which datum?) and the second reading
stores the good rows chunk by chunk. So memory does not grow with what the rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from sqlalchemy import Table as SqlTable
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from data import branches, bulk, catalogue, placing, proof, readers, tables
from data.building import BUILDERS, Fields, filled
from data.known import EMPTY_NAME, StoredRows, mixed, names_once, row_keys
from data.people import person_named
from data.proof import Proof
from data.readers import Chunk, Table
from data.reasons import OK, REASONS, REPEATED_ID, WARNINGS, rejects_table
from data.rights import Asker, Right
from data.survey import KINDS, MOST_REJECTED, Survey, length, survey_of
from data.trail import audit
from geo.datum import DATUMS, convert
from geo.errors import N_, Cancelled, DatumUnknown, FileError, ManyRejected

__all__ = [
    "KINDS",
    "MOST_REJECTED",
    "REASONS",
    "WARNINGS",
    "ImportPlan",
    "ImportReport",
    "plan_import",
    "rejects_table",
    "run_import",
]

Floats = NDArray[np.float64]
Source = Path | str | bytes | IO[bytes]
Progress = Callable[[str, int, int], None]
"""Called with the stage (`reading`, `storing`), what is done and the whole: thousandths, or rows."""

SAME_LIST_SHARE = 0.5  # of the identifiers two lists share, that many must mean the same thing

ACCEPTED, UPDATED, DUPLICATE, REJECTED = range(4)


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do, found out without storing anything."""

    kind: str
    file_name: str
    sha256: str
    headers: tuple[str, ...]
    mapping: dict[str, str | None]
    encoding: str | None
    sheet: str | None
    sheets: tuple[str, ...]
    datum: str | None
    """None when nothing proves it; then the user chooses among the candidates."""
    datum_how: str | None
    """A key of `data.proof.HOW`."""
    candidates: dict[str, tuple[float, float]]
    """WGS 84 position of the first good row under each datum."""
    rows: int
    rejected: int
    reasons: dict[str, int]
    rejects: pd.DataFrame
    preview: pd.DataFrame
    """The first rows as they stand in the file, with their number in `row`."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did; `rows = accepted + updated + duplicates + rejected`."""

    batch: int | None
    """None after a dry run."""
    rows: int
    accepted: int
    updated: int
    duplicates: int
    rejected: int
    reasons: dict[str, int]
    datum: str
    datum_how: str
    encoding: str | None
    sheet: str | None
    mapping: dict[str, str | None]
    outlets: int
    """Of a merchant list: how many accepted and updated rows are outlets of banks and insurers."""
    warnings: dict[str, int]
    version: int | None
    rejects: pd.DataFrame = field(repr=False)
    """`row, column, reason, params`: the reason is a key of `REASONS`."""


def plan_import(
    session: Session,
    asker: Asker,
    source: Source,
    *,
    kind: str,
    branch_id: int,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportPlan:
    """
    Read a list through and say what importing it would do.

    Raises
    ------
    FileError
        When the file is refused whole.
    """
    asker.require(Right.IMPORT, branch_id)
    table = readers.open_table(source, name=name, sheet=sheet, encoding=encoding)
    watch = _Watch(progress, cancelled)
    survey = survey_of(table, kind, mapping, datum, watch.reading)
    found = _proof(session, branch_id, table, survey, datum)
    first = int(np.argmax(survey.reason == OK)) if (survey.reason == OK).any() else None
    return ImportPlan(
        kind=kind,
        file_name=table.name,
        sha256=table.sha256,
        headers=table.headers,
        mapping=survey.columns.as_mapping(),
        encoding=table.encoding,
        sheet=table.sheet,
        sheets=table.sheets,
        datum=found.datum,
        datum_how=found.how,
        candidates={} if first is None else proof.candidates(survey.lon[first], survey.lat[first]),
        rows=len(survey.row),
        rejected=int((survey.reason != OK).sum()),
        reasons=survey.reasons(),
        rejects=survey.rejects(),
        preview=survey.preview,
    )


def run_import(
    session: Session,
    asker: Asker,
    source: Source,
    *,
    kind: str,
    branch_id: int,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    bank: str = "",
    agreed: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """
    Bring a list in, in the session's transaction: it is kept or lost as a whole with that.

    Parameters
    ----------
    session, asker
        In `store.transaction`.
    source, name, sheet, encoding
        As `readers.open_table` takes them.
    kind
        One of `KINDS`.
    datum
        One of `geo.datum.DATUMS`, or `auto`, which takes only proof.
    mapping
        Field to header, None for a field that is not to be taken; the rest is proposed.
    bank
        Our own brand: its outlets are ours.
    agreed
        Whether the user agrees to lose more than half of the rows.
    dry_run
        Do it all, and take it back.

    Raises
    ------
    FileError, DatumUnknown, ManyRejected, Cancelled
        With nothing stored.
    """
    asker.require(Right.IMPORT, branch_id)
    table = readers.open_table(source, name=name, sheet=sheet, encoding=encoding)
    watch = _Watch(progress, cancelled)
    survey = survey_of(table, kind, mapping, datum, watch.reading)
    found = _settled(_proof(session, branch_id, table, survey, datum), survey)
    _check_share(survey, agreed)
    job = _Import(session, asker, table, survey, found, kind, branch_id, bank, watch)
    if not dry_run:
        return job.run()
    point = session.begin_nested()
    try:
        return replace(job.run(keep=False), batch=None)
    finally:
        point.rollback()


def _settled(found: Proof, survey: Survey) -> Proof:
    """Return the proof, or ask."""
    if found.datum is not None:
        return found
    good = survey.reason == OK
    if not good.any():
        _refuse_all(survey)
    first = int(np.argmax(good))
    raise DatumUnknown(
        N_(
            "Nothing proves which datum the coordinates of row {row} and the others are in. Name it: GPS and "
            "OpenStreetMap give wgs84, Gaode and Tencent gcj02, Baidu bd09."
        ),
        proof.candidates(survey.lon[first], survey.lat[first]),
        row=int(survey.row[first]),
    )


def _check_share(survey: Survey, agreed: bool) -> None:
    rejected = int((survey.reason != OK).sum())
    if rejected == len(survey.row):
        _refuse_all(survey)
    if rejected > MOST_REJECTED * len(survey.row) and not agreed:
        raise ManyRejected(
            N_(
                "{rejected} of {rows} rows would be rejected. Look at the reasons, and confirm to go on "
                "without them."
            ),
            rejected=rejected,
            rows=len(survey.row),
            reasons=survey.reasons(),
        )


def _refuse_all(survey: Survey) -> None:
    raise FileError(
        N_("None of the {rows} rows can be placed on the map. In row {row} the coordinates are “{value}”."),
        rows=len(survey.row),
        row=int(survey.row[0]),
        value=survey.where.get(0, ("", ""))[1],
    )


class _Watch:
    """Tells how far the work is, and stops it when the user says so."""

    def __init__(self, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self.progress = progress
        self.cancelled = cancelled

    def at(self, stage: str, done: int, total: int) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(N_("The import was stopped. Nothing of it was kept."))
        if self.progress is not None:
            self.progress(stage, done, total)

    def reading(self, share: float) -> None:
        """Say how much of the file is read."""
        self.at("reading", round(share * 1000), 1000)


# --- the datum --------------------------------------------------------------------------------------------


def _proof(session: Session, branch_id: int, table: Table, survey: Survey, datum: str) -> Proof:
    if datum != "auto":
        if datum not in DATUMS:
            raise FileError(
                N_("There is no datum {datum}; there are {datums}."), datum=datum, datums=", ".join(DATUMS)
            )
        return Proof(datum, "stated")
    # A projection became WGS 84 on the way in; what the words say was about something else.
    found = proof.by_crs(table.epsg)
    if found.datum:
        return found
    found = proof.by_words(survey.columns.pair, table.headers, table.name, table.sheet, *survey.said)
    paired = _paired(survey)
    if found.datum and paired is not None and paired.datum not in (None, found.datum):
        return Proof()
    if found.datum:
        return found
    if paired is not None and paired.datum:
        return paired
    return _matched(session, branch_id, survey)


def _paired(survey: Survey) -> Proof | None:
    """Return what the other coordinates of the same rows prove; None where there are none."""
    proofs = []
    for pair, other in zip(survey.columns.others, survey.others, strict=True):
        count = len(other[0])
        own = survey.lon[:count], survey.lat[:count]
        proofs.append(proof.by_pair(own, other, pair.datum))
    found = {each.datum for each in proofs if each.datum}
    if len(found) == 1:
        return Proof(found.pop(), "pair")
    return Proof() if proofs else None


def _matched(session: Session, branch_id: int, survey: Survey) -> Proof:
    known = names_once(session, branch_id)
    if len(known) < proof.MATCHES_NEEDED:
        return Proof()
    at = (survey.reason == OK).nonzero()[0]
    own = pd.DataFrame({"key": survey.name_hash[at], "lon": survey.lon[at], "lat": survey.lat[at]})
    own = own[own["key"] != EMPTY_NAME].drop_duplicates("key", keep=False)
    both = own.merge(known, on="key", suffixes=("", "_known"))
    return proof.by_matches(*(both[name].to_numpy() for name in ("lon", "lat", "lon_known", "lat_known")))


# --- storing ----------------------------------------------------------------------------------------------


class _Import:
    """One list on its way into the store."""

    def __init__(
        self,
        session: Session,
        asker: Asker,
        table: Table,
        survey: Survey,
        found: Proof,
        kind: str,
        branch_id: int,
        bank: str,
        watch: _Watch,
    ) -> None:
        assert found.datum is not None and found.how is not None
        self.session = session
        self.asker = asker
        self.table = table
        self.survey = survey
        self.datum = found.datum
        self.how = found.how
        self.kind = kind
        self.branch_id = branch_id
        self.bank = bank
        self.watch = watch
        self.warnings = dict(survey.warnings)
        self.people: dict[str, int] = {}
        self.transform: Transformer | None = placing.transformer(table.epsg)
        self.outcome = np.full(len(survey.row), REJECTED, dtype=np.int8)
        self.target = np.zeros(len(survey.row), dtype=np.int64)  # the stored row's id, of updated rows

    def run(self, keep: bool = True) -> ImportReport:
        """Store it; what is not to be kept makes no version of the data."""
        branches.lock_version(self.session, self.branch_id)
        batch = self._open_batch()
        lon, lat = convert(self.survey.lon, self.survey.lat, self.datum, "wgs84")
        self._decide(lon, lat)
        self._store(batch, lon, lat)
        counts = self._counts()
        self.session.execute(update(tables.batches).where(tables.batches.c.id == batch).values(counts=counts))
        audit(
            self.session,
            self.asker,
            "import",
            self.branch_id,
            f"batch {batch}",
            kind=self.kind,
            **_flat(counts),
        )
        version = None
        if keep:
            version = branches.new_version(self.session, self.asker, self.branch_id, "import", batch)
        return self._report(batch, version, counts)

    def _open_batch(self) -> int:
        row = {
            "branch_id": self.branch_id,
            "kind": self.kind,
            "file_name": (self.table.name or "-")[-length(tables.batches, "file_name") :],
            "file_hash": self.table.sha256,
            "mapping": self.survey.columns.as_mapping(),
            "datum": self.datum,
            "encoding": self.table.encoding,
            "counts": {},
            "by": self.asker.name,
        }
        made = self.session.execute(insert(tables.batches).values(row).returning(tables.batches.c.id))
        return int(made.scalar_one())

    def _counts(self) -> dict[str, Any]:
        counts = np.bincount(self.outcome, minlength=4)
        kept = (self.outcome == ACCEPTED) | (self.outcome == UPDATED)
        return {
            "rows": len(self.outcome),
            "accepted": int(counts[ACCEPTED]),
            "updated": int(counts[UPDATED]),
            "duplicates": int(counts[DUPLICATE]),
            "rejected": int(counts[REJECTED]),
            "outlets": int((kept & (self.survey.outlet > 0)).sum()),
            "reasons": self.survey.reasons(),
        }

    def _report(self, batch: int, version: int | None, counts: dict[str, Any]) -> ImportReport:
        return ImportReport(
            batch=batch,
            **counts,
            datum=self.datum,
            datum_how=self.how,
            encoding=self.table.encoding,
            sheet=self.table.sheet,
            mapping=self.survey.columns.as_mapping(),
            warnings=self.warnings,
            version=version,
            rejects=self.survey.rejects(),
        )

    def _warn(self, code: str, count: int) -> None:
        if count:
            self.warnings[code] = self.warnings.get(code, 0) + count

    # which rows are new

    def _decide(self, lon: Floats, lat: Floats) -> None:
        """Say of every good row whether it is new, an update or a duplicate."""
        survey = self.survey
        what = np.where(survey.outlet > 0, 1000 * survey.outlet.astype(np.int64), survey.category)
        keys = row_keys(survey.name_hash, lon, lat, what)
        good = survey.reason == OK
        has_id = survey.id_hash != 0
        stored = self._stored_rows()
        if has_id.any():
            self._drop_foreign_ids(stored, good, lon, lat)
            has_id = survey.id_hash != 0
        again = np.zeros(len(good), dtype=bool)
        again[good] = pd.Series(keys[good]).duplicated().to_numpy(bool)
        repeated = np.zeros(len(good), dtype=bool)
        at = (good & has_id).nonzero()[0]
        repeated[at] = pd.Series(mixed(survey.id_hash[at], survey.outlet[at] > 0)).duplicated().to_numpy(bool)
        survey.reason[repeated & ~again] = REPEATED_ID
        self._blame_ids(repeated & ~again)
        good = survey.reason == OK
        self._settle(stored, keys, good, has_id, again, repeated)

    def _settle(
        self,
        stored: StoredRows,
        keys: NDArray[np.uint64],
        good: NDArray[np.bool_],
        has_id: NDArray[np.bool_],
        again: NDArray[np.bool_],
        repeated: NDArray[np.bool_],
    ) -> None:
        self.outcome[good] = ACCEPTED
        known = stored.by_id(self.survey.id_hash, self.survey.outlet > 0)
        updates = good & has_id & (known > 0)
        self.target[updates] = known[updates]
        self.outcome[updates] = UPDATED
        self.outcome[good & repeated] = DUPLICATE
        nameless = good & ~has_id
        self.outcome[nameless & (again | np.isin(keys, stored.key))] = DUPLICATE

    def _blame_ids(self, at: NDArray[np.bool_]) -> None:
        header = self.survey.columns.fields.get("source_id", "")
        self.survey.where.update({int(position): (header, "") for position in at.nonzero()[0]})

    def _drop_foreign_ids(
        self, stored: StoredRows, good: NDArray[np.bool_], lon: Floats, lat: Floats
    ) -> None:
        """
        Let go of identifiers that another list has used for other things.

        Many lists just count their rows: the 17th shop of one list is not the 17th of the next, and must not
        overwrite it.
        """
        survey = self.survey
        same, shared = stored.agreement(survey, good, lon, lat)
        if shared and same < SAME_LIST_SHARE * shared:
            self._warn("ids_of_another_list", shared)
            survey.columns = survey.columns.without("source_id")
            survey.id_hash[:] = 0

    def _stored_rows(self) -> StoredRows:
        layers = ["merchants", "outlets"] if self.kind == "merchants" else [self.kind]
        return StoredRows.read(self.session, self.branch_id, layers, self.kind)

    # row by row into tables

    def _store(self, batch: int, lon: Floats, lat: Floats) -> None:
        start = 0
        total = len(self.outcome)
        counts = iter(self.survey.parts)
        for chunk in self.table.chunks():
            own, odd = next(counts), next(counts)
            part = slice(start, start + own)
            start += own + odd
            self._store_chunk(batch, chunk, part, lon[part], lat[part])
            self.watch.at("storing", start, total)

    def _store_chunk(self, batch: int, chunk: Chunk, part: slice, lon: Floats, lat: Floats) -> None:
        outcome = self.outcome[part]
        keep = (outcome == ACCEPTED) | (outcome == UPDATED)
        if not keep.any():
            return
        fields = self._fields(chunk, keep, part, lon, lat)
        built = BUILDERS[self.kind](fields)
        built["branch_id"] = self.branch_id
        built["batch_id"] = batch
        if self.kind != "merchants":
            self._write(getattr(tables, self.kind), built, fields.target)
            return
        is_outlet = fields.outlet > 0
        self._write(
            tables.merchants, built[~is_outlet].drop(columns=["kind", "is_own"]), fields.target[~is_outlet]
        )
        outlets = built[is_outlet].drop(
            columns=["category_id", "status", "hours", "manager_id"], errors="ignore"
        )
        self._write(tables.outlets, outlets, fields.target[is_outlet])

    def _fields(self, chunk: Chunk, keep: NDArray[np.bool_], part: slice, lon: Floats, lat: Floats) -> Fields:
        target = np.where(self.outcome[part] == UPDATED, self.target[part], 0)
        return Fields(
            frame=chunk.frame[keep].reset_index(drop=True),
            rows=chunk.rows[keep],
            columns=self.survey.columns,
            lon=lon[keep],
            lat=lat[keep],
            category=self.survey.category[part][keep],
            outlet=self.survey.outlet[part][keep],
            target=target[keep],
            shapes=None if chunk.shapes is None else self._areas(chunk.shapes[keep]),
            bank=self.bank,
            warn=self._warn,
            managers=self._managers,
        )

    def _areas(self, shapes: NDArray[np.object_]) -> NDArray[np.object_] | None:
        """Return the WKB of polygons in WGS 84, None for points; None alone where there is no polygon."""
        areas = np.isin(shapely.get_type_id(shapes), (3, 6))
        if not areas.any():
            return None

        def to_wgs84(points: Floats) -> Floats:
            x, y = points[:, 0], points[:, 1]
            if self.transform is not None:
                x, y = self.transform.transform(x, y)
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
            rows = self.session.execute(query.where(at.branch_id == self.branch_id))
            self.people = {row.name: row.id for row in rows}
        for name in sorted(names - set(self.people)):
            self.people[name] = person_named(
                self.session, name, role=None, branch_ids=[self.branch_id], asker=self.asker
            )
        return self.people

    def _write(self, table: SqlTable, frame: pd.DataFrame, target: NDArray[np.int64]) -> None:
        holdings = frame.pop("holdings") if "holdings" in frame else None
        new, old = target == 0, target != 0
        ids = target.copy()
        if new.any():
            fresh = filled(frame[new], table)
            if holdings is None:
                bulk.insert(self.session, table, fresh)
            else:
                ids[new] = bulk.insert_numbered(self.session, table, fresh)
        if old.any():
            _update(self.session, table, frame[old], target[old])
        if holdings is not None:
            self._write_holdings(ids, holdings, old)

    def _write_holdings(self, ids: NDArray[np.int64], holdings: pd.Series, old: NDArray[np.bool_]) -> None:
        if old.any():
            for some in np.array_split(ids[old], 1 + old.sum() // 500):
                self.session.execute(
                    delete(tables.holdings).where(tables.holdings.c.customer_id.in_(some.tolist()))
                )
        id_of = dict(zip(catalogue.PRODUCTS["code"], catalogue.PRODUCTS["id"], strict=True))
        pairs = pd.DataFrame({"customer_id": ids, "product": holdings.to_numpy()}).explode("product").dropna()
        pairs["product_id"] = pairs.pop("product").map(id_of)
        bulk.insert(self.session, tables.holdings, pairs.astype(np.int64))


def _flat(counts: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if isinstance(count, int)}


def _update(session: Session, table: SqlTable, frame: pd.DataFrame, ids: NDArray[np.int64]) -> None:
    """Write what the list says over stored rows; a cell that says nothing leaves what is there."""
    frame = frame.drop(columns=["branch_id"])
    names = list(frame.columns)
    said = frame.notna()
    for pattern, rows in said.groupby(names, sort=False).groups.items():
        given = [
            name
            for name, has in zip(names, pattern if isinstance(pattern, tuple) else (pattern,), strict=True)
            if has
        ]
        at = frame.index.get_indexer(rows)
        records = frame.iloc[at][given].astype(object).to_dict("records")
        params = [
            {f"new_{name}": _plain(value) for name, value in record.items()} | {"row_id": int(row_id)}
            for record, row_id in zip(records, ids[at], strict=True)
        ]
        statement = (
            update(table)
            .where(table.c.id == bindparam("row_id"))
            .values({name: bindparam(f"new_{name}") for name in given})
        )
        session.connection().execute(statement, params)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
