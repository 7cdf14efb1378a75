"""A plan as a workbook or a map layer: zones with their totals, blocks, merchants to visit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from data import export
from data.filters import CLOSED
from data.paper import values
from data.paper.to_visit import ToVisit, to_visit, walk
from data.rights import Asker
from data.snapshots import Snapshot
from data.words import Language, say
from data.written import MASKED, is_masked
from data.zones.coverage import Report
from data.zones.held import Held
from data.zones.playbooks import KIND_NAMES
from geo import comparing_plans
from geo.coverage import Figure
from geo.crs import of_datum
from geo.datum import convert
from geo.errors import N_, FileError
from geo.plans import Zone
from geo.visits import UNVISITED, day_of

FORMS = ("geojson", "gpkg")
_TOTALS = {
    "merchants": "merchants",
    "signed": "merchant_coverage",
    "customers": "customers",
    "households": "households",
    "deposits": "deposits",
    "hours": "workload_h",
}
"""Columns of a layer, and the figures whose numerators they are."""


def workbook(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    held: Held,
    *,
    datum: str,
    language: Language,
    today: date,
) -> bytes:
    """
    Return a plan as a workbook: zones, blocks, and every merchant to visit in walking order.

    Parameters
    ----------
    session, asker, snapshot, held
        Who takes which plan; customers are totals only, masked as on screen.
    datum
        Of the coordinates, which a last column names.
    language, today
        Of the headings; visits are due as of that day.
    """
    values.require_paper(asker, held.branch_id)
    names = values.staff(session, asker, held.branch_id)
    report = values.report(snapshot, asker, held, today)
    found = to_visit(snapshot, held.plan, today)
    waiting = _waiting(session, asker, snapshot, held, found, names, datum, language)
    frames = {
        say(N_("Zones"), language): _zones(held, report, names, language),
        say(N_("Blocks of the plan"), language): _blocks(snapshot, held, names, datum, language),
        say(N_("Merchants to visit"), language): waiting,
    }
    values.on_record(session, asker, held, "workbook", "xlsx", len(waiting))
    return export.to_xlsx(frames)


def layer(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    held: Held,
    form: str,
    *,
    datum: str,
    language: Language,
    today: date,
) -> bytes:
    """
    Return a plan's zones as a file for maps, which `import zones` reads again.

    Parameters
    ----------
    session, asker, snapshot, held
        Who takes which plan.
    form
        One of `FORMS`.
    datum
        Of the coordinates.
    language, today
        Of the kind's name and the layer's; figures are as of that day.

    Raises
    ------
    FileError
        For a form nobody writes.
    """
    if form not in FORMS:
        raise FileError(
            N_("Lists are written as {forms}, not as {suffix}."),
            forms=", ".join(f".{each}" for each in FORMS),
            suffix=form or "-",
        )
    values.require_paper(asker, held.branch_id)
    names = values.staff(session, asker, held.branch_id)
    rows = _mapped(held, values.report(snapshot, asker, held, today), names, datum, language)
    values.on_record(session, asker, held, "zones", form)
    return export.to_bytes(rows, form, say(N_("Zones"), language))


def _mapped(
    held: Held, report: Report, names: Mapping[int, str], datum: str, language: Language
) -> gpd.GeoDataFrame:
    zones = held.plan.zones
    spots = shapely.point_on_surface(np.array([zone.shape for zone in zones], dtype=object))
    lon, lat = convert(shapely.get_x(spots), shapely.get_y(spots), "wgs84", datum)
    table = pd.DataFrame(
        {
            "zone_id": np.array([zone.id for zone in zones], dtype=np.int64),
            "name": [zone.name for zone in zones],
            "kind": [zone.kind for zone in zones],
            "kind_name": [say(KIND_NAMES[zone.kind], language) for zone in zones],
            "people": [_people(zone, names) for zone in zones],
            "locked": [zone.locked for zone in zones],
            "note": [zone.note for zone in zones],
            **{column: _amounts(report, figure) for column, figure in _TOTALS.items()},
            "datum": datum,
            "lon": lon,
            "lat": lat,
        }
    )
    shapes = [_shifted(zone.shape, datum) for zone in zones]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=of_datum(datum))


def _people(zone: Zone, names: Mapping[int, str]) -> str:
    return "、".join(values.people_of(zone, dict(names)))


def _amounts(report: Report, figure: str) -> NDArray[np.float64]:
    """Return a figure's numerators by zone; NaN where unknown or hidden."""
    amounts: NDArray[np.float64] = report.zones[figure]["numerator"].to_numpy(np.float64)
    return amounts


def _shifted(shape: BaseGeometry, datum: str) -> BaseGeometry:
    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(convert(points[:, 0], points[:, 1], "wgs84", datum)).round(7)

    return shapely.transform(shape, moved)


# Sheets -----------------------------------------------------------------------------------------------------


def _zones(held: Held, report: Report, names: Mapping[int, str], language: Language) -> pd.DataFrame:
    """Return a row a zone, then what lies in none and the whole: counts add up to it."""
    zones = held.plan.zones
    table = pd.DataFrame(
        {
            say(N_("Number"), language): pd.array([zone.id for zone in zones], dtype="Int64"),
            say(N_("Zone"), language): [zone.name for zone in zones],
            say(N_("Kind"), language): [say(KIND_NAMES[zone.kind], language) for zone in zones],
            say(N_("Worked by"), language): [_people(zone, names) for zone in zones],
            say(N_("Locked"), language): [say(N_("Yes"), language) if zone.locked else "" for zone in zones],
            say(N_("Note"), language): [zone.note for zone in zones],
        }
    )
    below = pd.DataFrame(
        {say(N_("Zone"), language): [say(N_("In no zone"), language), say(N_("Total"), language)]}
    )
    whole = pd.concat([table, below], ignore_index=True).astype(object)
    figures = [*(report.zone(zone.id) for zone in zones), report.unzoned, report.total]
    for name, title in values.FIGURE_NAMES.items():
        cells = [_plain(name, each[name], language) for each in figures]
        whole[say(title, language)] = pd.Series(cells, dtype=object)
    return whole


def _plain(name: str, figure: Figure, language: Language) -> object:
    """Return a figure as a cell: a count as a number, a share in words with both its counts."""
    if is_masked(figure):
        return MASKED
    if name in values.COUNTS or name in values.MONEY:
        return figure.value
    return values.written(name, figure, language)


def _blocks(
    snapshot: Snapshot, held: Held, names: Mapping[int, str], datum: str, language: Language
) -> pd.DataFrame:
    """Return a row a block: where its middle lies, whose it is, and how many open merchants it has."""
    found = comparing_plans.blocks(held.plan)
    zones = {zone.id: zone for zone in held.plan.zones}
    lon, lat = convert(found["lon"].to_numpy(), found["lat"].to_numpy(), "wgs84", datum)
    counts = merchants_by_block(snapshot, held.plan.frame.resolution)
    return pd.DataFrame(
        {
            say(N_("Block"), language): found["cell"],
            say(N_("Longitude"), language): np.round(lon, 7),
            say(N_("Latitude"), language): np.round(lat, 7),
            say(N_("Zone"), language): [zones[each].name if each else "" for each in found["zone_id"]],
            say(N_("Worked by"), language): [
                _people(zones[each], names) if each else "" for each in found["zone_id"]
            ],
            say(N_("Merchants"), language): found["cell"].map(counts).fillna(0).astype(np.int64),
            say(N_("Datum"), language): datum,
        }
    )


def merchants_by_block(snapshot: Snapshot, resolution: int) -> pd.Series:
    """Return how many open merchants each block has, by its cell; those that have none are not there."""
    merchants = snapshot.merchants
    there = (merchants.status != CLOSED) & ~merchants.aside
    spots = zip(merchants.lat[there], merchants.lon[there], strict=True)
    return pd.Series(
        [h3.latlng_to_cell(lat, lon, resolution) for lat, lon in spots], dtype=object
    ).value_counts()


def _waiting(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    held: Held,
    found: ToVisit,
    names: Mapping[int, str],
    datum: str,
    language: Language,
) -> pd.DataFrame:
    """Return every merchant to visit, zone by zone, in walking order."""
    tables = []
    for zone in held.plan.zones:
        walked = walk(snapshot, found, found.by_zone[zone.id])
        rows = values.merchants(session, asker, snapshot, found, walked, language)
        tables.append(rows.assign(zone=zone.name, people=_people(zone, names), stop=range(1, len(rows) + 1)))
    columns = {
        "zone": N_("Zone"),
        "people": N_("Worked by"),
        "stop": N_("Stop"),
        "source_id": N_("Merchant number"),
        "name": N_("Name"),
        "category": N_("Category"),
        "status": N_("Status"),
        "address": N_("Address"),
        "phone": N_("Phone"),
        "state": N_("Visits"),
        "visited": N_("Last visit"),
        "lon": N_("Longitude"),
        "lat": N_("Latitude"),
        "datum": N_("Datum"),
    }
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(columns))
    lon, lat = convert(whole["lon"].to_numpy(float), whole["lat"].to_numpy(float), "wgs84", datum)
    last = [day_of(each).isoformat() if each != UNVISITED else "" for each in whole["visited"]]
    told = whole.assign(lon=np.round(lon, 7), lat=np.round(lat, 7), datum=datum, visited=last)
    return told[list(columns)].set_axis([say(title, language) for title in columns.values()], axis=1)
