"""A plan as an atlas to take away: an overview, then a sheet a zone for the pair who work it."""

from __future__ import annotations

from datetime import date

import numpy as np
import shapely
from sqlalchemy.orm import Session

from data.basemaps import BaseMap
from data.paper import atlas_sheets, fonts, values
from data.paper.atlas_sheets import MOST_STOPS, Atlas, Stop, ZoneSheet
from data.paper.customer_map import dots_of
from data.paper.sheets import Column
from data.paper.streets import Bounds, Reader
from data.paper.to_visit import ToVisit, to_visit, walk
from data.paper.values import FIGURE_NAMES, Rows, people_of, written
from data.rights import Asker
from data.snapshots import Snapshot
from data.words import Language, say
from data.written import MASKED, NONE, day, is_masked, number, share
from data.zones.coverage import Report
from data.zones.held import Held
from data.zones.playbooks import playbooks
from geo.catchment import circle
from geo.crs import local_metric, to_metric
from geo.errors import N_
from geo.plans import Plan, Zone
from geo.walking import way_m


def atlas(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    held: Held,
    *,
    branch: str,
    base: BaseMap | None,
    language: Language,
    today: date,
) -> bytes:
    """
    Return a plan as a PDF: an overview and a sheet a zone.

    Parameters
    ----------
    session, asker, snapshot, held
        Who takes which plan. Customers are figures only, masked as on screen; merchants come with address and
        phone, which is why the right to take lists out is asked for.
    branch
        Its name.
    base
        A base map whose streets are drawn where it is a file of vector tiles.
    language, today
        Of the sheets; visits are due as of that day.
    """
    values.require_paper(asker, held.branch_id)
    report = values.report(snapshot, asker, held, today)
    names = values.staff(session, asker, held.branch_id)
    found = to_visit(snapshot, held.plan, today)
    walks = {zone_id: walk(snapshot, found, some, MOST_STOPS) for zone_id, some in found.by_zone.items()}
    books = playbooks(session, asker, held.branch_id, language=language)

    def sheet(zone: Zone) -> ZoneSheet:
        walked = walks[zone.id]
        return ZoneSheet(
            zone=zone,
            people=people_of(zone, names),
            figures=_figures(report, zone, language),
            playbook=books[zone.kind],
            stops=_stops(session, asker, snapshot, found, walked, language),
            more=len(found.by_zone[zone.id]) - len(walked),
            way_m=_way_m(snapshot, walked),
            dots=dots_of(snapshot, found.inside[zone.id]),
        )

    told = Atlas(
        branch=branch,
        plan_name=held.name,
        status=values.status_line(held, language),
        day=day(today, language),
        plan=held.plan,
        summary=_summary(report, language),
        columns=_columns(language),
        rows=[_zone_row(zone, report, names, language) for zone in held.plan.zones],
        total=_total_rows(report, language),
        sheets=[sheet(zone) for zone in held.plan.zones],
        streets=Reader(base, _bounds(held.plan)),
    )
    values.on_record(session, asker, held, "atlas", "pdf", sum(map(len, walks.values())))
    with fonts.ONE_AT_A_TIME:
        return atlas_sheets.drawn(told, language)


def _bounds(plan: Plan) -> Bounds:
    """Return the box round a plan's circle and zones."""
    frame = plan.frame
    shapes = [circle(frame.lon, frame.lat, frame.radius_m), *(zone.shape for zone in plan.zones)]
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object)).tolist()
    return west, south, east, north


def _figures(report: Report, zone: Zone, language: Language) -> list[tuple[str, str]]:
    figures = report.zone(zone.id)
    return [
        (say(title, language), written(name, figures[name], language)) for name, title in FIGURE_NAMES.items()
    ]


def _summary(report: Report, language: Language) -> list[tuple[str, str]]:
    ground, balance = report.ground, report.balance
    deviation = balance["largest_deviation"]
    return [
        (say(N_("Zones"), language), number(len(report.plan), language)),
        (say(N_("Scope"), language), say(N_("{area} km²"), language, area=_short(ground["area_km2"].value))),
        (say(N_("In no zone"), language), share(ground["unzoned_share"].value, language)),
        (say(N_("In two zones or more"), language), share(ground["overlap_share"].value, language)),
        (
            say(N_("Farthest from the mean workload"), language),
            MASKED if is_masked(deviation) else share(deviation.value, language),
        ),
        (
            say(N_("Zones without a named pair"), language),
            number(sum(not zone.pair for zone in report.plan.zones), language),
        ),
    ]


def _short(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _columns(language: Language) -> list[Column]:
    return [
        Column("", 4, right=True),
        Column(say(N_("Zone"), language), 15, lines=2),
        Column(say(N_("Worked by"), language), 14, lines=2),
        Column(say(N_("Merchants"), language), 8, right=True),
        Column(say(N_("Merchants signed"), language), 13, right=True, lines=2),
        Column(say(N_("Customer coverage"), language), 14, right=True, lines=2),
        Column(say(N_("Hours a quarter"), language), 11, right=True),
    ]


_IN_ROW = ("merchants", "merchant_coverage", "customer_coverage", "workload_h")


def _zone_row(zone: Zone, report: Report, names: dict[int, str], language: Language) -> list[str]:
    figures = report.zone(zone.id)
    worked_by = say(N_(", "), language).join(people_of(zone, names)) or NONE
    return [
        str(zone.id),
        zone.name,
        worked_by,
        *(written(name, figures[name], language) for name in _IN_ROW),
    ]


def _total_rows(report: Report, language: Language) -> list[list[str]]:
    return [
        ["", say(title, language), "", *(written(name, figures[name], language) for name in _IN_ROW)]
        for title, figures in ((N_("In no zone"), report.unzoned), (N_("Total"), report.total))
    ]


def _stops(
    session: Session, asker: Asker, snapshot: Snapshot, found: ToVisit, walked: Rows, language: Language
) -> list[Stop]:
    table = values.merchants(session, asker, snapshot, found, walked, language)
    columns = ("name", "category", "address", "phone", "state", "lon", "lat")
    return [Stop(*cells) for cells in zip(*(table[name].tolist() for name in columns), strict=True)]


def _way_m(snapshot: Snapshot, walked: Rows) -> float:
    crs = local_metric(snapshot.lon, snapshot.lat)
    x, y = to_metric(snapshot.merchants.lon[walked], snapshot.merchants.lat[walked], crs)
    return way_m(x, y, np.arange(len(walked)))
