"""What changes between two plans, as a report and as a workbook: for whom, and which blocks move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import NamedTuple

import h3
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from data import export
from data.basemaps import BaseMap
from data.paper import drawing, fonts, realignment_sheets, streets, values
from data.paper.atlas_sheets import titled
from data.paper.drawing import Area
from data.paper.layers import merchants_by_block
from data.paper.realignment_sheets import Report
from data.paper.sheets import GREY, Column
from data.rights import Asker
from data.snapshots import Snapshot
from data.words import Language, say
from data.written import NONE, day, number, share
from data.zones.held import Held
from geo import comparing_plans
from geo.comparing_plans import NOWHERE, Summary
from geo.datum import convert
from geo.errors import N_, Conflict
from geo.plans import Plan, Zone

Ids = NDArray[np.int64]


class Person(NamedTuple):
    """Somebody's zones in both plans, and how many open merchants lie in their blocks."""

    id: int
    before: tuple[Zone, ...]
    after: tuple[Zone, ...]
    merchants_before: int
    merchants_after: int


@dataclass(frozen=True, eq=False)
class Realigned:
    """
    Two plans side by side.

    Parameters
    ----------
    before, after
        The plans.
    summary
        Of the comparison, block by block.
    moved
        As `geo.comparing_plans.moved_blocks`, with `merchants`: the open ones in each.
    people
        Of the pairs of either plan, by id.
    merchants, merchants_moved
        Open ones in a zone of either plan, and those of them whose zone is another.
    """

    before: Plan
    after: Plan
    summary: Summary
    moved: pd.DataFrame
    people: tuple[Person, ...]
    merchants: int
    merchants_moved: int

    @property
    def changed(self) -> list[Person]:
        """The people for whom something changes: which zones are theirs, or the ground of these."""
        touched = {*self.moved["from"].tolist(), *self.moved["to"].tolist()}
        found = []
        for person in self.people:
            before, after = ({zone.id for zone in zones} for zones in (person.before, person.after))
            if before != after or (before | after) & touched:
                found.append(person)
        return found


def realigned(snapshot: Snapshot, before: Plan, after: Plan) -> Realigned:
    """Return what changes between two plans of a branch, blocks being those of the later one."""
    counts = merchants_by_block(snapshot, after.frame.resolution)
    middles = np.array([h3.cell_to_latlng(cell) for cell in counts.index], dtype=np.float64).reshape(-1, 2)
    old, new = (comparing_plans.blocks_zones(plan, middles[:, 1], middles[:, 0]) for plan in (before, after))
    moved = comparing_plans.moved_blocks(before, after)
    moved["merchants"] = moved["cell"].map(counts).fillna(0).astype(np.int64)
    held = counts.to_numpy(np.int64)
    return Realigned(
        before,
        after,
        comparing_plans.summary(before, after),
        moved,
        _people((before, after), (_by_zone(old, held), _by_zone(new, held))),
        int(held[(old != NOWHERE) | (new != NOWHERE)].sum()),
        int(held[old != new].sum()),
    )


def _by_zone(zones: Ids, merchants: Ids) -> dict[int, int]:
    ids, at = np.unique(zones, return_inverse=True)
    return dict(zip(ids.tolist(), np.bincount(at, weights=merchants).astype(int).tolist(), strict=True))


def _people(
    plans: tuple[Plan, Plan], merchants: tuple[Mapping[int, int], Mapping[int, int]]
) -> tuple[Person, ...]:
    found = []
    for person in sorted({person for plan in plans for zone in plan.zones for person in zone.pair}):
        before, after = (tuple(zone for zone in plan.zones if person in zone.pair) for plan in plans)
        held = (
            sum(by.get(zone.id, 0) for zone in zones)
            for by, zones in zip(merchants, (before, after), strict=True)
        )
        found.append(Person(person, before, after, *held))
    return tuple(found)


# The report -------------------------------------------------------------------------------------------------


def realignment(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    before: Held,
    after: Held,
    *,
    branch: str,
    base: BaseMap | None,
    language: Language,
    today: date,
) -> bytes:
    """
    Return what changes between two plans as a PDF.

    Parameters
    ----------
    session, asker, snapshot, before, after
        Who takes it; both plans are of one branch. There are no customers in it.
    branch
        Its name.
    base
        A base map whose streets are drawn where it is a file of vector tiles.
    language, today
        Of the report.
    """
    found = _asked_for(asker, snapshot, before, after)
    names = values.staff(session, asker, after.branch_id)
    columns, cells = _cells(found, names, language)
    told = Report(
        branch=branch,
        before=before.name,
        after=after.name,
        day=day(today, language),
        frame=after.plan.frame,
        areas=[*_moved_areas(found), *(_outline(zone) for zone in after.plan.zones)],
        summary=_summary(found, language),
        people=(columns["people"], cells["people"]),
        groups=(columns["groups"], cells["groups"]),
        blocks=(columns["blocks"], cells["blocks"]),
        streets=partial(streets.of, base),
    )
    values.on_record(session, asker, after, f"realignment from plan {before.id}", "pdf")
    with fonts.ONE_AT_A_TIME:
        return realignment_sheets.drawn(told, language)


def realignment_workbook(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    before: Held,
    after: Held,
    *,
    datum: str,
    language: Language,
) -> bytes:
    """
    Return what changes between two plans as a workbook, every moved block in it.

    Parameters
    ----------
    session, asker, snapshot, before, after
        Who takes it; both plans are of one branch.
    datum
        Of the blocks' coordinates, which a last column names.
    language
        Of the headings.
    """
    found = _asked_for(asker, snapshot, before, after)
    names = values.staff(session, asker, after.branch_id)
    columns, cells = _cells(found, names, language)
    titles = {
        "people": N_("What changes for whom"),
        "groups": N_("From which zone to which"),
        "blocks": N_("Blocks that change hands"),
    }
    frames = {say(N_("Summary"), language): pd.DataFrame(_summary(found, language), columns=["", " "])}
    for part, title in titles.items():
        heads = [column.title for column in columns[part]]
        frames[say(title, language)] = pd.DataFrame(cells[part], columns=heads)
    lon, lat = convert(found.moved["lon"].to_numpy(), found.moved["lat"].to_numpy(), "wgs84", datum)
    blocks = frames[say(titles["blocks"], language)]
    blocks[say(N_("Longitude"), language)] = np.round(lon, 7)
    blocks[say(N_("Latitude"), language)] = np.round(lat, 7)
    blocks[say(N_("Datum"), language)] = datum
    values.on_record(session, asker, after, f"realignment from plan {before.id}", "xlsx")
    return export.to_xlsx(frames)


def _asked_for(asker: Asker, snapshot: Snapshot, before: Held, after: Held) -> Realigned:
    for held in (before, after):
        values.require_paper(asker, held.branch_id)
    if before.branch_id != after.branch_id or before.branch_id != snapshot.branch_id:
        raise Conflict(N_("Only plans of one branch can be compared."))
    plan = before.plan if _related(before, after) else _numbered_by_name(before.plan, after.plan)
    return realigned(snapshot, plan, after.plan)


def _related(before: Held, after: Held) -> bool:
    """Whether one plan is a copy of the other, or both are of a third: numbers then mean the same zones."""
    origins = {before.id, before.copy_of} & {after.id, after.copy_of}
    return bool(origins - {None})


def _numbered_by_name(before: Plan, after: Plan) -> Plan:
    """Return a plan with the numbers that its zones' names have in another, and new ones for the others."""
    numbers = {zone.name: zone.id for zone in reversed(after.zones)}
    taken, free, zones = set(), max(before.last_id, after.last_id), []
    for zone in before.zones:
        number = numbers.get(zone.name)
        if number is None or number in taken:
            free += 1
            number = free
        taken.add(number)
        zones.append(replace(zone, id=number))
    return replace(before, zones=tuple(zones), last_id=free)


def _moved_areas(found: Realigned) -> list[Area]:
    """Return the ground that moved, joined to pieces."""
    if found.moved.empty:
        return []
    shape: BaseGeometry = shapely.geometry.shape(h3.cells_to_geo(found.moved["cell"].tolist()))
    return [Area(shape, colour=drawing.MOVED, cover=0.45)]


def _outline(zone: Zone) -> Area:
    return Area(zone.shape, titled(zone), str(zone.id), GREY, cover=0.03)


# In words ---------------------------------------------------------------------------------------------------


def _summary(found: Realigned, language: Language) -> list[tuple[str, str]]:
    summary, comma = found.summary, say(N_(", "), language)

    def named(plan: Plan, ids: Sequence[int]) -> str:
        return comma.join(plan.zone(each).name for each in ids) or NONE

    def count(part: int, whole: int) -> str:
        return f"{number(part, language)} / {number(whole, language)}"

    return [
        (say(N_("Zones before and after"), language), f"{len(found.before)} → {len(found.after)}"),
        (say(N_("Blocks that change hands"), language), count(summary.moved, summary.blocks)),
        (say(N_("Blocks that stay in their zone"), language), share(summary.kept_share, language)),
        (say(N_("Merchants that change hands"), language), count(found.merchants_moved, found.merchants)),
        (say(N_("New zones"), language), named(found.after, summary.added)),
        (say(N_("Zones that go"), language), named(found.before, summary.removed)),
        (say(N_("Zones with another name"), language), named(found.after, summary.renamed)),
        (say(N_("Zones with other people"), language), named(found.after, summary.repaired)),
    ]


def _cells(
    found: Realigned, names: Mapping[int, str], language: Language
) -> tuple[dict[str, list[Column]], dict[str, list[list[str]]]]:
    """Return the columns and cells of the three tables."""
    comma, none = say(N_(", "), language), say(N_("In no zone"), language)
    moved = found.moved
    ways = [
        (before or none, after or none)
        for before, after in zip(moved["from_name"], moved["to_name"], strict=True)
    ]
    people = [
        [
            names.get(each.id, NONE),
            comma.join(zone.name for zone in each.before) or NONE,
            comma.join(zone.name for zone in each.after) or NONE,
            f"{each.merchants_before} → {each.merchants_after}",
        ]
        for each in found.changed
    ]
    groups = moved.groupby([moved["from"], moved["to"]], sort=False).agg(
        first=("cell", lambda cells: cells.index[0]), blocks=("cell", "size"), merchants=("merchants", "sum")
    )
    by_size = groups.sort_values("blocks", ascending=False, kind="stable")
    return _columns(language), {
        "people": people,
        "groups": [
            [*ways[int(at)], str(blocks), str(count)] for at, blocks, count in by_size.to_numpy().tolist()
        ],
        "blocks": [
            [str(cell), *way, str(count)]
            for cell, way, count in zip(moved["cell"], ways, moved["merchants"], strict=True)
        ],
    }


def _columns(language: Language) -> dict[str, list[Column]]:
    def column(title: str, part: float, *, right: bool = False, lines: int = 1) -> Column:
        return Column(say(title, language), part, right=right, lines=lines)

    ways = [column(N_("From zone"), 12, lines=2), column(N_("To zone"), 12, lines=2)]
    merchants = column(N_("Merchants"), 6, right=True)
    return {
        "people": [
            column(N_("Person"), 8),
            column(N_("Zones before"), 14, lines=3),
            column(N_("Zones after"), 14, lines=3),
            column(N_("Merchants before and after"), 9, right=True),
        ],
        "groups": [*ways, column(N_("Blocks"), 6, right=True), merchants],
        "blocks": [column(N_("Block"), 12), *ways, merchants],
    }
