"""Zones from a file into the store: a new draft plan, in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.files import readers
from data.lists.known import names_once
from data.rights import Asker, Right
from data.trail import audit
from data.zones import plans
from data.zones.listed import KIND
from data.zones.reading import read_zones
from geo.errors import Told
from geo.plans import Plan

Source = Path | str | bytes | IO[bytes]
MOST_NOTES = 200


@dataclass(frozen=True)
class ZoneReport:
    """What a file of zones did, or would do; `rows = accepted + updated + duplicates + rejected`."""

    plan: int | None
    """The draft's id; None after a dry run."""
    plan_name: str
    zones: int
    people: int
    """How many zones have people of the branch."""
    rows: int
    accepted: int
    rejected: int
    reasons: dict[str, int]
    kind: str
    """`outlines`, `points` or `blocks`: what the rows were."""
    datum: str | None
    datum_how: str | None
    encoding: str | None
    sheet: str | None
    mapping: dict[str, str | None]
    warnings: dict[str, int]
    sha256: str
    updated: int = 0
    duplicates: int = 0
    batch: int | None = None
    """A plan is no batch: it is a draft, and dropped as one."""
    notes: tuple[tuple[int, Told], ...] = field(repr=False, default=())
    """Row and what was done to its outline, the first ones."""
    rejects: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    """`row, column, reason, params`, as of other lists."""


def import_zones(
    session: Session,
    asker: Asker,
    file: Source,
    *,
    branch_id: int,
    plan_name: str | None = None,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    agreed: bool = False,
    dry_run: bool = False,
) -> ZoneReport:
    """
    Make a draft plan of the zones in a file, in the session's transaction.

    Parameters
    ----------
    session, asker, branch_id
        In `store.transaction`; who may edit the branch's plans.
    file, name, sheet, encoding, header
        As `readers.open_table` takes them.
    plan_name
        Of the draft; the file's own by default.
    datum, mapping
        As `read_zones` takes them.
    agreed
        Whether the user agrees to lose more than half of the rows.
    dry_run
        Say what would be read, and keep nothing.

    Raises
    ------
    FileError, DatumUnknown, ManyRejected
        With nothing stored.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    table = readers.open_table(file, name=name, sheet=sheet, encoding=encoding, header=header)
    frame = plans.default_frame(session, asker, branch_id)
    found = read_zones(
        table,
        frame,
        people=_people(session, branch_id),
        places=names_once(session, branch_id),
        datum=datum,
        mapping=mapping,
    )
    found.rows.check_share(agreed)
    title = _title(plan_name or PurePath(table.name).stem)
    plan_id = None
    if not dry_run:
        plan_id = plans.new_plan(session, asker, branch_id, name=title, plan=Plan(frame, found.zones))
    rejected = len(found.rows.refused)
    counts = {"rows": found.rows.total, "rejected": rejected, "zones": len(found.zones)}
    if plan_id is not None:
        audit(session, asker, "import", branch_id, f"plan {plan_id}", kind=KIND, **counts)
    return ZoneReport(
        plan=plan_id,
        plan_name=title,
        zones=len(found.zones),
        people=sum(1 for zone in found.zones if zone.pair),
        rows=found.rows.total,
        accepted=found.rows.total - rejected,
        rejected=rejected,
        reasons=found.rows.reasons(),
        kind=found.kind,
        datum=found.proof.datum,
        datum_how=found.proof.how,
        encoding=table.encoding,
        sheet=table.sheet,
        mapping=dict(found.columns),
        warnings=found.rows.warnings,
        sha256=table.sha256,
        notes=tuple(found.rows.notes[:MOST_NOTES]),
        rejects=found.rows.rejects(),
    )


def _title(text: str) -> str:
    """Return a plan's name from a file's, which may hold anything."""
    plain = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return plain[: plans.LONGEST_NAME] or "片区"


def _people(session: Session, branch_id: int) -> dict[str, int]:
    """Return the branch's people by name; of two of one name neither can be meant."""
    joins = tables.person_branches.c
    query = (
        select(tables.people.c.name, tables.people.c.id)
        .join(tables.person_branches, joins.person_id == tables.people.c.id)
        .where(joins.branch_id == branch_id)
    )
    found = pd.DataFrame(session.execute(query).all(), columns=["name", "id"])
    once = found.drop_duplicates("name", keep=False)
    return dict(zip(once["name"], once["id"].astype(int), strict=True))
