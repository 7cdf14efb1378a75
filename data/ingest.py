"""
Lists into the store: columns mapped, rows placed and judged, the datum proven, all of it in one transaction.

A list is read twice. The *survey* reads positions and what tells rows apart, judges every row and keeps a few
numbers of each; then the whole list is known (is more than half bad? which datum? what is there already?) and
the second reading stores the good rows chunk by chunk. So memory does not grow with what the rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from data import branches, changes, tables
from data.catalogue import CATEGORIES
from data.files import readers
from data.files.readers import Table
from data.lists import foreseen, proof, remembered, updating
from data.lists.deciding import ACCEPTED, DUPLICATE, REJECTED, UPDATED, Fates, decide
from data.lists.missing import missing
from data.lists.proof import Proof
from data.lists.proving import proven, refuse_all, settled
from data.lists.reasons import OK, REASONS, WARNINGS, rejects_table
from data.lists.storing import Storing
from data.lists.survey import KINDS, MOST_REJECTED, Survey, survey_of
from data.lists.terms import MODES, POLICIES, Terms
from data.lists.watching import CHECKING, READING, STAGES, STORING, Progress, Watch
from data.meaning import kinds
from data.rights import Asker, Right
from data.trail import audit
from geo.catchment import distances_m
from geo.datum import convert
from geo.errors import N_, ManyRejected

__all__ = [
    "KINDS",
    "MODES",
    "MOST_REJECTED",
    "POLICIES",
    "REASONS",
    "STAGES",
    "WARNINGS",
    "ImportPlan",
    "ImportReport",
    "plan_import",
    "rejects_table",
    "run_import",
]

Source = Path | str | bytes | IO[bytes]
GONE_SHOWN = 500
SAMPLE_POINTS = 500


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do, found out without storing anything; without a datum what the file says."""

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
    """A key of `data.lists.proof.HOW`."""
    candidates: dict[str, tuple[float, float]]
    """WGS 84 position of the first good row under each datum."""
    sample: tuple[tuple[float, float], ...]
    """Longitude and latitude of some good rows, spread over the list, in its own datum."""
    rows: int
    rejected: int
    reasons: dict[str, int]
    rejects: pd.DataFrame
    preview: pd.DataFrame
    """The first rows as they stand in the file, with their number in `row`."""
    projection: int | None = None
    """EPSG number of the system whose metres became degrees."""
    accepted: int = 0
    updated: int = 0
    """At most: an update that changes nothing counts as a duplicate when it is stored."""
    duplicates: int = 0
    outlets: int = 0
    unplaced: int = 0
    doubles: dict[str, int] = field(default_factory=dict)
    """`certain, probable, possible`: rows that have a twin of that level."""
    outside: int = 0
    """Accepted rows beyond the branch's present catchment."""
    categories: dict[str, int] = field(default_factory=dict)
    """Code to count, of accepted and updated merchants."""
    unknown_words: dict[str, int] = field(default_factory=dict)
    """Category words that mean nothing to us, the commonest first."""
    gone: int = 0
    """Of a snapshot: merchants of its source that it does not have."""
    warnings: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    pairs: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    """As `data.lists.foreseen.pairs` has them."""
    changes_preview: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    """As `data.lists.foreseen.points` has them."""
    gone_rows: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    """`id, name, address, lon, lat` of what is gone, the first of many."""


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
    unplaced: int = 0
    """Rows without coordinates, kept to be placed by hand; they count as rejected."""
    doubles: dict[str, int] = field(default_factory=dict)
    outside: int = 0
    categories: dict[str, int] = field(default_factory=dict)
    unknown_words: dict[str, int] = field(default_factory=dict)
    gone: int = 0
    closed: int = 0
    """How many of those that are gone were set closed."""
    replaced: int = 0
    """Merchants that are outlets now, or the reverse: the old row was removed."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Of each stage: reading, checking, doubles, storing."""
    pairs: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)


@dataclass(frozen=True)
class _Read:
    """A list after the first reading."""

    table: Table
    survey: Survey
    found: Proof
    warnings: dict[str, int]

    def warn(self, code: str, count: int) -> None:
        """Note that so many rows more are noticed for something."""
        if count:
            self.warnings[code] = self.warnings.get(code, 0) + count


def plan_import(
    session: Session,
    asker: Asker,
    file: Source,
    *,
    kind: str,
    branch_id: int,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    bank: str = "",
    policy: str = "update",
    mode: str = "add",
    source: str | None = None,
    decisions: Mapping[int, str] | None = None,
    words: Mapping[str, str] | None = None,
    doubles: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportPlan:
    """
    Read a list through and say what importing it would do; arguments are those of `run_import`.

    Raises
    ------
    FileError
        When the file is refused whole.
    """
    asker.require(Right.IMPORT, branch_id)
    terms = Terms(
        kind,
        branch_id,
        bank,
        policy=policy,
        mode=mode,
        source=source,
        decisions=decisions or {},
        doubles=doubles,
        words=words or {},
    )
    watch = Watch(progress, cancelled)
    read = _read(session, file, terms, watch, datum, mapping, name, sheet, encoding, header)
    plan = _plan_of_file(read, terms)
    if read.found.datum is not None:
        plan = _plan_of_rows(session, plan, read, terms, watch)
    return replace(plan, warnings=read.warnings, seconds=watch.took())


def run_import(
    session: Session,
    asker: Asker,
    file: Source,
    *,
    kind: str,
    branch_id: int,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    bank: str = "",
    agreed: bool = False,
    dry_run: bool = False,
    policy: str = "update",
    mode: str = "add",
    source: str | None = None,
    close_missing: bool = False,
    decisions: Mapping[int, str] | None = None,
    words: Mapping[str, str] | None = None,
    remember: bool = False,
    doubles: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """
    Bring a list in, in the session's transaction: it is kept or lost as a whole with that.

    Parameters
    ----------
    session, asker
        In `store.transaction`.
    file, name, sheet, encoding, header
        As `readers.open_table` takes them.
    kind
        One of `KINDS`.
    datum
        One of `geo.datum.DATUMS`, or `auto`, which takes only proof.
    mapping
        Field to header, None for a field that is not to be taken; the rest is proposed.
    bank, policy, mode, source, close_missing, decisions, words, remember, doubles
        As `data.lists.terms.Terms` has them.
    agreed
        Whether the user agrees to lose more than half of the rows.
    dry_run
        Do it all, and take it back.
    progress, cancelled
        Told of each of `STAGES`, and asked whether to stop.

    Raises
    ------
    FileError, DatumUnknown, ManyRejected, Cancelled
        With nothing stored.
    """
    asker.require(Right.IMPORT, branch_id)
    terms = Terms(
        kind,
        branch_id,
        bank,
        policy=policy,
        mode=mode,
        source=source,
        close_missing=close_missing,
        decisions=decisions or {},
        doubles=doubles,
        words=words or {},
        remember=remember,
    )
    watch = Watch(progress, cancelled)
    read = _read(session, file, terms, watch, datum, mapping, name, sheet, encoding, header)
    read = replace(read, found=settled(read.found, read.survey))
    _check_share(read.survey, agreed)
    if not dry_run:
        return _run(session, asker, read, terms, watch)
    point = session.begin_nested()
    try:
        return replace(_run(session, asker, read, terms, watch, keep=False), batch=None)
    finally:
        point.rollback()


def _read(
    session: Session,
    file: Source,
    terms: Terms,
    watch: Watch,
    datum: str,
    mapping: Mapping[str, str | None] | None,
    name: str,
    sheet: str | None,
    encoding: str | None,
    header: bool | None,
) -> _Read:
    """Read a list for the first time."""
    terms.check()
    with watch.stage(READING):
        watch.reading(0)
        table = readers.open_table(file, name=name, sheet=sheet, encoding=encoding, header=header)
        words = remembered.category_words(session, terms.branch_id) if terms.kind == "merchants" else {}
        words |= {kinds.word_key(word): code for word, code in terms.words.items()}
        survey = survey_of(
            table,
            terms.kind,
            mapping,
            datum,
            watch.reading,
            words=words,
            keep_texts=terms.compared,
            near=_position(session, terms.branch_id),
        )
    with watch.stage(CHECKING):
        found = proven(session, terms.branch_id, table, survey, datum)
    return _Read(table, survey, found, dict(survey.warnings))


def _position(session: Session, branch_id: int) -> tuple[float, float] | None:
    """Return where the branch is."""
    at = tables.branches.c
    row = session.execute(select(at.lon, at.lat).where(at.id == branch_id)).one_or_none()
    return None if row is None else (float(row.lon), float(row.lat))


def _check_share(survey: Survey, agreed: bool) -> None:
    rejected = int((survey.reason != OK).sum())
    if rejected == len(survey.row):
        refuse_all(survey)
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


# --- before -----------------------------------------------------------------------------------------------


def _plan_of_file(read: _Read, terms: Terms) -> ImportPlan:
    """Return what the file alone says."""
    table, survey = read.table, read.survey
    first = int(np.argmax(survey.reason == OK)) if (survey.reason == OK).any() else None
    return ImportPlan(
        kind=terms.kind,
        file_name=table.name,
        sha256=table.sha256,
        headers=table.headers,
        mapping=survey.columns.as_mapping(),
        encoding=table.encoding,
        sheet=table.sheet,
        sheets=table.sheets,
        datum=read.found.datum,
        datum_how=read.found.how,
        candidates={} if first is None else proof.candidates(survey.lon[first], survey.lat[first]),
        sample=_sample(survey),
        rows=len(survey.row),
        rejected=int((survey.reason != OK).sum()),
        reasons=survey.reasons(),
        rejects=survey.rejects(),
        preview=survey.preview,
        projection=None if survey.transform is None else survey.transform.epsg,
        unplaced=survey.reasons().get("no_coordinates", 0),
        unknown_words=survey.unknown,
    )


def _sample(survey: Survey) -> tuple[tuple[float, float], ...]:
    """Return where some good rows are, spread over the list."""
    good = (survey.reason == OK).nonzero()[0]
    some = good[:: -(-len(good) // SAMPLE_POINTS) or 1]
    return tuple(zip(survey.lon[some].tolist(), survey.lat[some].tolist(), strict=True))


def _plan_of_rows(session: Session, plan: ImportPlan, read: _Read, terms: Terms, watch: Watch) -> ImportPlan:
    """Add what will become of the rows, beside what the branch has."""
    survey = read.survey
    fates = _decided(session, read, terms, watch)
    gone = missing(session, survey, fates, terms)
    counts = _counts(survey, fates)
    return replace(
        plan,
        mapping=survey.columns.as_mapping(),
        **{name: counts[name] for name in ("accepted", "updated", "duplicates", "rejected", "outlets")},
        reasons=survey.reasons(),
        rejects=survey.rejects(),
        doubles=fates.twins.counts(),
        outside=_outside(session, fates, terms),
        categories=_categories(survey, fates, terms),
        gone=len(gone),
        gone_rows=gone.head(GONE_SHOWN),
        pairs=foreseen.pairs(session, survey, fates),
        changes_preview=foreseen.points(fates, gone),
    )


# --- doing it ---------------------------------------------------------------------------------------------


def _run(
    session: Session, asker: Asker, read: _Read, terms: Terms, watch: Watch, keep: bool = True
) -> ImportReport:
    """Store a list; what is not to be kept makes no version of the data."""
    branches.lock_version(session, terms.branch_id)
    if terms.words and terms.remember:
        remembered.keep_words(session, asker, terms.branch_id, terms.words)
    batch = _open_batch(session, asker, read, terms)
    fates = _decided(session, read, terms, watch)
    outside = _outside(session, fates, terms)
    gone = missing(session, read.survey, fates, terms)
    with watch.stage(STORING):
        storing = _stored(session, asker, read, fates, terms, batch, watch)
        if terms.close_missing:
            updating.close(session, batch, gone["id"].to_numpy(np.int64))
        counts = {
            **_counts(read.survey, fates),
            "unplaced": storing.unplaced,
            "doubles": fates.twins.counts(),
            "gone": len(gone),
            "closed": len(gone) if terms.close_missing else 0,
            "replaced": len(fates.replaced),
        }
        session.execute(update(tables.batches).where(tables.batches.c.id == batch).values(counts=counts))
        audit(session, asker, "import", terms.branch_id, f"batch {batch}", kind=terms.kind, **_flat(counts))
        version = None
        if keep:
            version = branches.new_version(session, asker, terms.branch_id, "import", batch)
    return _report(session, read, fates, terms, watch, batch, version, counts, outside)


def _decided(session: Session, read: _Read, terms: Terms, watch: Watch) -> Fates:
    assert read.found.datum is not None
    with watch.stage(CHECKING):
        lon, lat = convert(read.survey.lon, read.survey.lat, read.found.datum, "wgs84")
    return decide(session, read.survey, lon, lat, terms, watch, read.warn)


def _stored(
    session: Session, asker: Asker, read: _Read, fates: Fates, terms: Terms, batch: int, watch: Watch
) -> Storing:
    assert read.found.datum is not None
    storing = Storing(
        session, asker, read.table, read.survey, read.found.datum, fates, terms, batch, watch, read.warn
    )
    storing.run()
    return storing


def _open_batch(session: Session, asker: Asker, read: _Read, terms: Terms) -> int:
    return changes.open_batch(
        session,
        asker,
        terms.branch_id,
        kind=terms.kind,
        mode=terms.mode,
        source=terms.source,
        policy=terms.policy,
        file_name=read.table.name or "-",
        file_hash=read.table.sha256,
        mapping=read.survey.columns.as_mapping(),
        datum=read.found.datum or "",
        encoding=read.table.encoding,
    )


def _report(
    session: Session,
    read: _Read,
    fates: Fates,
    terms: Terms,
    watch: Watch,
    batch: int,
    version: int | None,
    counts: dict[str, Any],
    outside: int,
) -> ImportReport:
    assert read.found.datum is not None and read.found.how is not None
    return ImportReport(
        batch=batch,
        **counts,
        datum=read.found.datum,
        datum_how=read.found.how,
        encoding=read.table.encoding,
        sheet=read.table.sheet,
        mapping=read.survey.columns.as_mapping(),
        warnings=read.warnings,
        version=version,
        rejects=read.survey.rejects(),
        outside=outside,
        categories=_categories(read.survey, fates, terms),
        unknown_words=read.survey.unknown,
        seconds=watch.took(),
        pairs=foreseen.pairs(session, read.survey, fates),
    )


# --- figures of an import ---------------------------------------------------------------------------------


def _counts(survey: Survey, fates: Fates) -> dict[str, Any]:
    counts = np.bincount(fates.outcome, minlength=4)
    return {
        "rows": len(fates.outcome),
        "accepted": int(counts[ACCEPTED]),
        "updated": int(counts[UPDATED]),
        "duplicates": int(counts[DUPLICATE]),
        "rejected": int(counts[REJECTED]),
        "outlets": int((_taken(fates) & (survey.outlet > 0)).sum()),
        "reasons": survey.reasons(),
    }


def _taken(fates: Fates) -> Any:
    return (fates.outcome == ACCEPTED) | (fates.outcome == UPDATED)


def _categories(survey: Survey, fates: Fates, terms: Terms) -> dict[str, int]:
    """Return how many accepted and updated merchants each category has, the most first."""
    if terms.kind != "merchants":
        return {}
    counted = np.bincount(survey.category[_taken(fates) & (survey.outlet == 0)], minlength=1)
    code_of = dict(zip(CATEGORIES["id"].tolist(), CATEGORIES["code"], strict=True))
    at = counted.nonzero()[0]
    return {
        code_of[each]: int(counted[each]) for each in at[np.argsort(-counted[at], kind="stable")].tolist()
    }


def _outside(session: Session, fates: Fates, terms: Terms) -> int:
    """Return how many accepted rows lie beyond the branch's catchment as it was before."""
    branch, versions = tables.branches.c, tables.data_versions.c
    place = session.execute(
        select(branch.lon, branch.lat, branch.radius_m).where(branch.id == terms.branch_id)
    ).one()
    newest = select(versions.figures).where(versions.branch_id == terms.branch_id)
    figures = session.scalar(newest.order_by(versions.number.desc()).limit(1)) or {}
    radius_m = place.radius_m if place.radius_m is not None else figures.get("radius_m")
    if not radius_m:
        return 0
    new = fates.outcome == ACCEPTED
    return int((distances_m(place.lon, place.lat, fates.lon[new], fates.lat[new]) > radius_m).sum())


def _flat(counts: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if isinstance(count, int)}
