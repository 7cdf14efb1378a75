"""The customer map and its figures on one sheet: what is on screen, and nobody's name or point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from data import catalogue, figures, rows, sources
from data.basemaps import BaseMap
from data.catchments import Catchment
from data.figures import Filters, Reach
from data.filters import shown
from data.paper import customer_map_sheet, fonts, streets
from data.paper.customer_map_sheet import MAP, Told
from data.paper.drawing import Ground, Ring
from data.paper.marks import Dots, Shades
from data.paper.view import View
from data.rights import Asker, Right
from data.snapshots import Layer, Snapshot
from data.trail import audit
from data.words import Language, say
from data.written import day, distance, share
from geo.catchment import circle
from geo.errors import N_


def customer_map(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    ground: Catchment,
    *,
    branch: str,
    filters: Filters,
    reach: Reach,
    shares: Sequence[float],
    base: BaseMap | None,
    language: Language,
    today: date,
) -> bytes:
    """
    Return the sheet as a PDF, and write into the audit trail that it was taken.

    Parameters
    ----------
    session, asker, snapshot
        Who takes it, of which data. Figures of few customers are masked as on screen.
    ground
        The circle and its rings.
    branch
        Its name.
    filters, reach, shares
        What is chosen on screen: which merchants and customers, which circle, which rings.
    base
        The base map on screen; its streets are drawn where it is a file of vector tiles.
    language, today
        Of the sheet.
    """
    branch_id = snapshot.branch_id
    asker.require(Right.FIGURES, branch_id)
    asker.require(Right.EXPORT, branch_id)
    mask = asker.masked(branch_id)
    no_money = not asker.may(Right.DEPOSITS, branch_id)
    told = Told(
        branch=branch,
        day=day(today, language),
        source=_source(session, asker, branch_id, language),
        lines=[_circle_line(session, asker, ground, reach, language), filter_line(filters, language)],
        cards=figures.cards(snapshot, filters, reach, mask, mask_deposits=no_money),
        groups=figures.group_table(snapshot, filters, reach, mask, mask_deposits=no_money),
        categories=figures.category_table(snapshot, filters, reach),
        rings=[
            f"{share(part, language)} · {distance(ground.rings[part], language)}"
            for part in sorted(shares)
            if not math.isnan(ground.rings[part])
        ],
        ground=_ground(snapshot, ground, filters, reach, shares, base, language),
    )
    audit(session, asker, "export", branch_id, "customer map", form="pdf")
    with fonts.ONE_AT_A_TIME:
        return customer_map_sheet.drawn(told, language)


# What is told -----------------------------------------------------------------------------------------------


def _source(session: Session, asker: Asker, branch_id: int, language: Language) -> str:
    newest = sources.latest_source(session, asker, branch_id)
    if newest is None:
        return say(N_("No list was brought in yet."), language)
    return say(
        N_("Data of {day}, from {file}"), language, day=day(newest["at"], language), file=newest["file_name"]
    )


def _circle_line(session: Session, asker: Asker, ground: Catchment, reach: Reach, language: Language) -> str:
    """Return which circle it is, and what sets it: a merchant by name, of a customer only the kind."""
    radius = distance(reach.radius_m, language)
    which = N_("Outside the circle of {radius}") if reach.outside else N_("Circle of {radius}")
    text = say(which, language, radius=radius)
    if ground.farthest is None or abs(reach.radius_m - ground.radius_m) > 1 or ground.by_hand:
        return text
    point = ground.farthest
    if point.layer == "merchants":
        name = str(rows.merchant_card(session, asker, point.id)["name"])
    else:
        names = catalogue.GROUPS.set_index("id")[language]
        kind = N_("a target group") if point.kind == "target group" else N_("a target customer")
        name = " · ".join([say(kind, language), *([] if point.group is None else [str(names[point.group])])])
    farthest = say(N_("Farthest: {point}"), language, point=name)
    return f"{text} · {farthest}"


def filter_line(filters: Filters, language: Language) -> str:
    """Return the filters in words; that there are none, where there are none."""
    names = {
        N_("Categories"): _named(catalogue.CATEGORIES, filters.categories, language),
        N_("Status"): [say(catalogue.STATUS_NAMES[status], language) for status in filters.statuses],
        N_("Customer groups"): _named(catalogue.GROUPS, filters.groups, language),
        N_("Tiers"): [
            tier.zh if language == "zh" else tier.en for tier in catalogue.TIERS if tier.code in filters.tiers
        ],
    }
    comma = say(N_(", "), language)
    said = [f"{say(title, language)}: {comma.join(chosen)}" for title, chosen in names.items() if chosen]
    if not said:
        return say(N_("No filter: all merchants that are not closed, all customers"), language)
    return say(N_("Filters: {filters}"), language, filters=" · ".join(said))


def _named(known: pd.DataFrame, ids: Sequence[int], language: Language) -> list[str]:
    names = dict(zip(known["id"], known[language], strict=True))
    return [str(names[each]) for each in ids]


# The map ----------------------------------------------------------------------------------------------------


def _ground(
    snapshot: Snapshot,
    ground: Catchment,
    filters: Filters,
    reach: Reach,
    shares: Sequence[float],
    base: BaseMap | None,
    language: Language,
) -> Ground:
    rings = [Ring(reach.radius_m, distance(reach.radius_m, language), main=True)]
    rings += [
        Ring(ground.rings[part], f"{share(part, language)} · {distance(ground.rings[part], language)}")
        for part in shares
        if ground.rings[part] > 0 and abs(ground.rings[part] - reach.radius_m) > 1
    ]
    around = circle(snapshot.lon, snapshot.lat, max(reach.radius_m, *_beyond(snapshot, reach), 1.0))
    return Ground(
        lon=snapshot.lon,
        lat=snapshot.lat,
        rings=rings,
        dots=dots_of(snapshot, _looked_at(snapshot, "merchants", filters, reach)),
        shades=_shades(snapshot, filters, reach),
        around=around,
        streets=streets.of(base, View.of(MAP, snapshot.lon, snapshot.lat, around).degrees(), MAP.width),
    )


def _beyond(snapshot: Snapshot, reach: Reach) -> list[float]:
    """Return how far what lies outside reaches, where that is looked at."""
    if not reach.outside:
        return [0.0]
    return [float(layer.distance_m.max(initial=0.0)) for layer in (snapshot.merchants, snapshot.customers)]


def _looked_at(snapshot: Snapshot, layer: str, filters: Filters, reach: Reach) -> np.ndarray[Any, Any]:
    """Return which rows of a layer the filters and the circle leave."""
    rows_of: Layer = getattr(snapshot, layer)
    inside = rows_of.reach_m <= reach.radius_m
    return shown(snapshot, layer, filters) & (~inside if reach.outside else inside)


def dots_of(snapshot: Snapshot, chosen: np.ndarray[Any, Any]) -> Dots:
    """Return merchants as dots in the colour of their upper category."""
    merchants = snapshot.merchants
    upper = catalogue.top_of()[merchants.category[chosen]]
    colours = dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES["colour"], strict=True))
    return Dots(
        lon=merchants.lon[chosen],
        lat=merchants.lat[chosen],
        colours=np.array([colours[int(each)] for each in upper], dtype=object),
        status=merchants.status[chosen],
    )


def _shades(snapshot: Snapshot, filters: Filters, reach: Reach) -> Shades:
    customers = snapshot.customers
    chosen = _looked_at(snapshot, "customers", filters, reach)
    return Shades(customers.lon[chosen], customers.lat[chosen], customers.people[chosen].astype(np.float64))
