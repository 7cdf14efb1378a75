"""The customer map and its figures on one sheet: what is on screen, and nobody's name or point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from data import catalogue, figures, rows, sources
from data.basemaps import BaseMap
from data.catchments import Catchment
from data.figures import FEWEST, Filters, Reach
from data.filters import shown
from data.paper import drawing, fonts, legend, streets
from data.paper.drawing import Ground, Ring
from data.paper.legend import Key
from data.paper.marks import Dots, Shades
from data.paper.sheets import GREY, SMALL, Box, Column, Sheets, footer
from data.paper.view import View
from data.rights import Asker, Right
from data.snapshots import Layer, Snapshot
from data.trail import audit
from data.words import Language, say
from data.written import MASKED, NONE, day, distance, is_masked, money, number, percent, share
from geo.catchment import circle
from geo.coverage import Figure, Preference
from geo.errors import N_

_MAP_HEIGHT, _MAP_WIDTH, _GAP = 345.0, 345.0, 10.0
_MOST_CATEGORIES = 12
Writer = Callable[[float | None, Language], str]
CARDS: dict[str, tuple[str, Writer]] = {
    "customers": (N_("Existing customers"), number),
    "customer_coverage": (N_("Customer coverage"), share),
    "merchants": (N_("Merchants"), number),
    "merchant_coverage": (N_("Merchants signed"), share),
    "deposits": (N_("Deposits"), money),
    "rivals": (N_("Rival outlets"), number),
}


@dataclass(frozen=True, eq=False)
class Told:
    """
    What stands on the sheet, rights and masks already applied.

    Parameters
    ----------
    branch, day, source
        The branch's name, the day of printing, and which data these are.
    lines
        What is looked at: the circle, the filters; a line each.
    cards, groups, categories
        As `data.figures` has them.
    rings
        Their shares and radii.
    ground
        The map.
    """

    branch: str
    day: str
    source: str
    lines: Sequence[str]
    cards: Mapping[str, Figure]
    groups: pd.DataFrame
    categories: pd.DataFrame
    rings: Sequence[str]
    ground: Ground


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
        return drawn(told, language)


def drawn(told: Told, language: Language) -> bytes:
    """Return the sheet as a PDF."""
    title = say(N_("Customer map of {branch}"), language, branch=told.branch)
    sheets = Sheets(title, footer(language, told.branch, told.day), language, upright=True)
    box = sheets.turn(title, told.source)
    for line in told.lines:
        box = sheets.lines(line, box, size=SMALL + 0.5, colour=GREY, most=2)
    upper, box = box.rows(_MAP_HEIGHT + 4, 4)
    left, right = Box(upper.left, upper.bottom, upper.width, _MAP_HEIGHT).columns(_MAP_WIDTH, _GAP)
    keys = drawing.draw(sheets, left, told.ground)
    _beside(sheets, right, told)
    keys = [*_merchant_keys(sheets, told.ground, keys), *keys]
    strip, box = box.rows(36, 4)
    note = drawing.ground_note(sheets, told.ground.streets)
    legend.draw(sheets, strip, [*keys, *([Key("none", GREY, note)] if note else [])])
    _groups(sheets, box, told.groups)
    return sheets.done()


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
    box = Box(0, 0, _MAP_WIDTH, _MAP_HEIGHT)
    return Ground(
        lon=snapshot.lon,
        lat=snapshot.lat,
        rings=rings,
        dots=dots_of(snapshot, _looked_at(snapshot, "merchants", filters, reach)),
        shades=_shades(snapshot, filters, reach),
        around=around,
        streets=streets.of(base, View.of(box, snapshot.lon, snapshot.lat, around).degrees(), _MAP_WIDTH),
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


def _merchant_keys(sheets: Sheets, ground: Ground, keys: Sequence[Key]) -> list[Key]:
    """Return what dots mean, where dots are drawn: statuses, then the categories that are there."""
    if ground.dots is None or not len(ground.dots) or any(key.sign == "bubble" for key in keys):
        return []
    signs = {"signed": "dot", "contacted": "pale", "known": "ring", "closed": "faded"}
    there = {catalogue.STATUSES[int(code)] for code in set(ground.dots.status)}
    statuses = [
        Key(sign, GREY, sheets.say(catalogue.STATUS_NAMES[status]))
        for status, sign in signs.items()
        if status in there
    ]
    upper = catalogue.CATEGORIES[catalogue.CATEGORIES["parent_id"].isna()]
    used = set(ground.dots.colours)
    return statuses + [
        Key("dot", str(colour), str(name))
        for colour, name in zip(upper["colour"], upper[sheets.language], strict=True)
        if colour in used
    ]


# Figures ----------------------------------------------------------------------------------------------------


def _beside(sheets: Sheets, box: Box, told: Told) -> None:
    """Write the cards, the rings and the merchants by category beside the map."""
    for names in (
        ("customers", "customer_coverage"),
        ("merchants", "merchant_coverage"),
        ("deposits", "rivals"),
    ):
        strip, box = box.rows(44, 5)
        one, two = strip.columns((strip.width - 5) / 2, 5)
        for name, room in zip(names, (one, two), strict=True):
            _card(sheets, room, name, told.cards[name])
    if told.rings:
        box = sheets.heading(sheets.say(N_("Rings holding")), box)
        for ring in told.rings:
            box = sheets.lines(ring, box, size=SMALL + 0.5, most=1)
        _, box = box.rows(4)
    box = sheets.heading(sheets.say(N_("Merchants by category")), box)
    if told.categories.empty:
        sheets.lines(sheets.say(N_("No merchants match.")), box, size=SMALL, colour=GREY)
        return
    names_of = dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES[sheets.language], strict=True))
    top = told.categories.head(_MOST_CATEGORIES)
    cells = [_category_cells(row, names_of, sheets.language) for row in top.itertuples()]
    columns = [
        Column(sheets.say(N_("Category")), 7),
        Column(sheets.say(N_("Merchants")), 5, right=True),
        Column(sheets.say(N_("Merchants signed")), 8, right=True),
    ]
    sheets.table(columns, cells, box, size=6.5)


def _category_cells(row: Any, names: Mapping[int, str], language: Language) -> list[str]:
    signed = Figure(row.merchant_coverage, row.signed, row.open)
    return [str(names[row.category]), number(row.merchants, language), percent(signed, language)]


def _card(sheets: Sheets, box: Box, name: str, figure: Figure) -> None:
    title, written = CARDS[name]
    sheets.panel(box)
    inner = box.inset(5)
    sheets.line(sheets.say(title), inner.left, inner.top - 6, size=SMALL - 0.5, colour=GREY, room=inner.width)
    value = MASKED if is_masked(figure) else written(figure.value, sheets.language)
    sheets.line(value, inner.left, inner.top - 21, size=13, bold=True, room=inner.width)
    sheets.line(
        _counts(sheets, figure, written),
        inner.left,
        inner.bottom,
        size=SMALL - 0.5,
        colour=GREY,
        room=inner.width,
    )


def _counts(sheets: Sheets, figure: Figure, written: Writer) -> str:
    """Return what a share is made of, or of how many customers an amount is."""
    if is_masked(figure) or figure.denominator is None:
        return ""
    bottom = number(figure.denominator, sheets.language)
    if written is share:
        return f"{number(figure.numerator, sheets.language)} / {bottom}"
    return sheets.say(N_("of {count} customers"), count=bottom)


def _groups(sheets: Sheets, box: Box, table: pd.DataFrame) -> None:
    """Write coverage, product match and preferences per customer group."""
    box = sheets.heading(sheets.say(N_("Customer groups")), box)
    if table.empty:
        sheets.lines(sheets.say(N_("No customers match.")), box, colour=GREY)
        return
    titles = [
        (N_("Customer group"), 11, False),
        (N_("Existing customers"), 8, True),
        (N_("Target customers"), 8, True),
        (N_("Customer coverage"), 13, True),
        (N_("Product match"), 14, True),
        (N_("Preferences and habits"), 21, False),
        (N_("Channels"), 17, False),
        (N_("Deposits"), 8, True),
    ]
    columns = [Column(sheets.say(title), part, right, lines=2) for title, part, right in titles]
    cells = [_group_cells(row, sheets) for row in table.itertuples()]
    note, body = (None, box)
    if table["masked"].any():
        note = sheets.say(
            N_("Groups of fewer than {count} customers are not shown as figures."), count=FEWEST
        )
        body = Box(box.left, box.bottom + 11, box.width, box.height - 11)
    sheets.table(columns, cells, body, size=SMALL - 0.5)
    if note:
        sheets.line(note, box.left, box.bottom, size=SMALL, colour=GREY, room=box.width)


def _group_cells(row: Any, sheets: Sheets) -> list[str]:
    language = sheets.language
    names = dict(zip(catalogue.GROUPS["id"], catalogue.GROUPS[language], strict=True))
    reachable = row.existing + row.target
    match = NONE
    if not math.isnan(row.product_match):
        match = sheets.say(
            N_("{share} (mean of {count})"),
            share=share(row.product_match, language),
            count=number(row.match_customers, language),
        )
    return [
        str(names[row.group]),
        number(row.existing, language),
        number(row.target, language),
        percent(Figure(row.customer_coverage, row.existing, reachable), language),
        match,
        _preferences(row.tags, language),
        _preferences(row.channels, language),
        money(row.deposits, language),
    ]


def _preferences(found: Sequence[Preference], language: Language) -> str:
    return "  ".join(f"{each.name} {percent(each.figure, language)}" for each in found) or NONE
