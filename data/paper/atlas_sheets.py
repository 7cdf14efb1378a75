"""The atlas of a plan: an overview, then a sheet a zone for the pair who work it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from data import catalogue
from data.paper import drawing, legend
from data.paper.drawing import ZONE_COLOURS, Area, Ground, Ring
from data.paper.legend import Key
from data.paper.marks import Dots
from data.paper.sheets import ACCENT, GREY, SMALL, Box, Column, Sheets, footer
from data.paper.streets import Streets
from data.paper.view import View
from data.words import Language, say
from data.written import NONE, distance
from data.zones.playbooks import KIND_NAMES, Playbook
from geo.errors import N_
from geo.plans import Plan, Zone

StreetsOf = Callable[[tuple[float, float, float, float], float], Streets | None]
MOST_STOPS = 20  # of a pair: two outings of ten visits, a month's work
_MIDDLE = (0.02, 0.98)  # of a zone's merchants: a few far out do not make the map small
_MOSTLY_EMPTY = 0.7  # of its width and height
_MAP, _GAP = Box(0, 0, 400, 262), 12.0
_OVERVIEW = Box(0, 0, 400, 430)


@dataclass(frozen=True)
class Stop:
    """A merchant to visit: nothing of a customer."""

    name: str
    category: str
    address: str
    phone: str
    state: str
    lon: float
    lat: float


@dataclass(frozen=True, eq=False)
class ZoneSheet:
    """
    What stands on the sheet of a zone.

    Parameters
    ----------
    zone
        Itself.
    people
        The names of the pair.
    figures
        Titles and values, in words.
    playbook
        Of the zone's kind.
    stops
        In walking order.
    more
        How many merchants wait beside them.
    way_m
        From the first stop to the last, as the crow flies.
    dots
        All its open merchants.
    """

    zone: Zone
    people: Sequence[str]
    figures: Sequence[tuple[str, str]]
    playbook: Playbook
    stops: Sequence[Stop]
    more: int
    way_m: float
    dots: Dots


@dataclass(frozen=True, eq=False)
class Atlas:
    """
    What stands in an atlas, rights and masks already applied.

    Parameters
    ----------
    branch, plan_name, status, day
        In words.
    plan
        The zones.
    summary
        Titles and values of the whole plan.
    columns, rows, total
        The table of zones, and the rows below it: what is in none, and the whole.
    sheets
        One a zone, in the plan's order.
    streets
        What of the street map lies in a piece of ground.
    """

    branch: str
    plan_name: str
    status: str
    day: str
    plan: Plan
    summary: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    total: Sequence[Sequence[str]]
    sheets: Sequence[ZoneSheet]
    streets: StreetsOf


def drawn(atlas: Atlas, language: Language) -> bytes:
    """Return the atlas as a PDF."""
    title = say(N_("Zones of {branch}: {plan}"), language, branch=atlas.branch, plan=atlas.plan_name)
    sheets = Sheets(title, footer(language, atlas.branch, atlas.day), language, upright=False)
    _overview(sheets, atlas, title)
    for sheet in atlas.sheets:
        _zone(sheets, atlas, sheet)
    return sheets.done()


# Overview ---------------------------------------------------------------------------------------------------


def _overview(sheets: Sheets, atlas: Atlas, title: str) -> None:
    """Show all zones on a map, and as many of their rows as there is room for beside it; the rest follow."""
    box = sheets.turn(title, atlas.status)
    left, right = box.columns(_OVERVIEW.width, _GAP)
    upper, strip = left.rows(_OVERVIEW.height)
    frame = atlas.plan.frame
    areas = [_area(zone) for zone in atlas.plan.zones]
    ring = Ring(frame.radius_m, distance(frame.radius_m, sheets.language), main=True)
    ground = Ground(frame.lon, frame.lat, [ring], areas)
    around = drawing.around(ground)
    streets = atlas.streets(View.of(upper, frame.lon, frame.lat, around).degrees(), upper.width)
    keys = drawing.draw(
        sheets, upper, Ground(frame.lon, frame.lat, [ring], areas, around=around, streets=streets)
    )
    note = drawing.ground_note(sheets, streets)
    legend.draw(sheets, Box(strip.left, strip.bottom, strip.width, strip.height - 4), [*keys, *_noted(note)])
    right = sheets.pairs(right, atlas.summary)
    if not atlas.rows:
        sheets.lines(sheets.say(N_("This plan has no zones yet.")), right, colour=GREY)
        return
    rows = [*atlas.rows, *atlas.total]
    strong = range(len(atlas.rows), len(rows))
    done, _rest = sheets.table(atlas.columns, rows, right, size=SMALL - 0.5, strong=list(strong))
    while done < len(rows):
        body = sheets.turn(title, sheets.say(N_("Zones, continued")))
        bold = [each - done for each in strong]
        written, _rest = sheets.table(atlas.columns, rows[done:], body, size=SMALL + 0.5, strong=bold)
        done += max(1, written)


def _area(zone: Zone, *, strong: bool = True) -> Area:
    colour = ZONE_COLOURS[zone.id % len(ZONE_COLOURS)]
    return Area(zone.shape, titled(zone), str(zone.id), colour, strong)


def titled(zone: Zone, between: str = " ") -> str:
    """Return a zone's number and name; once, where they are the same."""
    return zone.name if zone.name == str(zone.id) else f"{zone.id}{between}{zone.name}"


def _noted(note: str) -> list[Key]:
    return [Key("none", GREY, note)] if note else []


# A zone -----------------------------------------------------------------------------------------------------


def _zone(sheets: Sheets, atlas: Atlas, sheet: ZoneSheet) -> None:
    zone = sheet.zone
    kind = sheets.say(KIND_NAMES[zone.kind])
    box = sheets.turn(titled(zone, " · "), f"{atlas.plan_name} · {kind} · {atlas.status}")
    left, right = box.columns(_MAP.width, _GAP)
    shown = _stops(sheets, right, sheet)
    upper, lower = left.rows(_MAP.height, 3)
    keys, note = _zone_map(sheets, atlas, sheet, upper, shown)
    strip, lower = lower.rows(24)
    legend.draw(sheets, strip, [*keys, *_noted(note)])
    figures, book = lower.columns(190, _GAP)
    figures = sheets.heading(sheets.say(N_("Figures")), figures)
    sheets.pairs(figures, sheet.figures)
    _playbook(sheets, book, sheet.playbook, zone.note)


def _zone_map(sheets: Sheets, atlas: Atlas, sheet: ZoneSheet, box: Box, shown: int) -> tuple[list[Key], str]:
    """Draw the zone among its neighbours, its merchants and the walk."""
    zone, frame = sheet.zone, atlas.plan.frame
    around = _busy(sheet)
    view = View.of(box, frame.lon, frame.lat, around)
    seen = view.degrees()
    near = shapely.box(*seen)
    others = [_faded(each) for each in atlas.plan.zones if each.id != zone.id and each.shape.intersects(near)]
    streets = atlas.streets(seen, box.width)
    ground = Ground(
        frame.lon,
        frame.lat,
        [Ring(frame.radius_m, main=True)],
        [*others, Area(zone.shape, "", "", ZONE_COLOURS[zone.id % len(ZONE_COLOURS)])],
        dots=sheet.dots,
        stops=np.array([(stop.lon, stop.lat) for stop in sheet.stops[:shown]]).reshape(-1, 2),
        around=around,
        streets=streets,
        inset=None if around is zone.shape else zone.shape,
    )
    return drawing.draw(sheets, box, ground), drawing.ground_note(sheets, streets)


def _busy(sheet: ZoneSheet) -> BaseGeometry:
    """Return what the map is of: the zone, or where its merchants are if most of it is empty."""
    shape = sheet.zone.shape
    if len(sheet.dots) < 2:
        return shape
    west, east = np.quantile(sheet.dots.lon, _MIDDLE)
    south, north = np.quantile(sheet.dots.lat, _MIDDLE)
    spots = [(stop.lon, stop.lat) for stop in sheet.stops]
    busy = shapely.union_all([shapely.box(west, south, east, north), shapely.MultiPoint(spots)]).envelope
    wide, high = (np.ptp(axis) for axis in shapely.get_coordinates(shape).T)
    across, up = (np.ptp(axis) for axis in shapely.get_coordinates(busy).T)
    return busy if max(across / wide, up / high) < _MOSTLY_EMPTY else shape


def _faded(zone: Zone) -> Area:
    return Area(zone.shape, zone.name, str(zone.id), GREY, strong=False)


def _stops(sheets: Sheets, box: Box, sheet: ZoneSheet) -> int:
    """Write who works the zone and whom they call on; return how many stops there was room for."""
    people = sheets.say(N_(", ")).join(sheet.people) or sheets.say(N_("Nobody is named yet"))
    colour = ACCENT if sheet.people else "#a23b50"
    strip, box = box.rows(17)
    sheets.line(
        sheets.say(N_("Worked by: {people}"), people=people),
        strip.left,
        strip.bottom + 5,
        size=10,
        bold=True,
        colour=colour,
        room=strip.width,
    )
    box = sheets.heading(sheets.say(N_("Merchants to visit, in walking order")), box)
    if not sheet.stops:
        sheets.lines(sheets.say(N_("Nobody waits for a visit here.")), box, colour=GREY)
        return 0
    titles = (N_("Merchant"), N_("Address"), N_("Phone"), N_("Visits"), N_("Result, next step"))
    parts = (15, 12, 9.5, 6.5, 10)
    columns = [Column("", 2.5, right=True)] + [
        Column(sheets.say(title), part, lines=2) for title, part in zip(titles, parts, strict=True)
    ]
    rows = [_stop_cells(number, stop) for number, stop in enumerate(sheet.stops, start=1)]
    body = Box(box.left, box.bottom + 14, box.width, box.height - 14)
    shown, _rest = sheets.table(columns, rows, body, size=SMALL)
    left = sheet.more + len(rows) - shown
    note = sheets.say(
        N_("About {way} from the first to the last"), way=distance(sheet.way_m, sheets.language)
    )
    if left:
        more = sheets.say(N_("{count} more wait: they are in the plan's workbook"), count=left)
        note = f"{note} · {more}"
    sheets.line(note, box.left, box.bottom + 2, size=SMALL, colour=GREY, room=box.width)
    return shown


def _stop_cells(number: int, stop: Stop) -> list[str]:
    """Return a stop's cells; what comes of the visit is written by hand."""
    named = " · ".join(filter(None, [stop.name, stop.category]))
    return [str(number), named, stop.address or NONE, stop.phone or NONE, stop.state, ""]


def _playbook(sheets: Sheets, box: Box, book: Playbook, note: str) -> None:
    """Write what the kind's playbook says, and the zone's own note."""
    box = sheets.heading(sheets.say(N_("Playbook")), box)
    names = dict(zip(catalogue.PRODUCTS["id"], catalogue.PRODUCTS[sheets.language], strict=True))
    comma, pause = sheets.say(N_(", ")), sheets.say(N_("; "))
    parts = [
        (N_("Who is there"), pause.join(book.targets)),
        (N_("What moves them"), pause.join(book.motives)),
        (N_("What to say"), pause.join(book.selling_points)),
        (N_("What to offer"), comma.join(str(names[each]) for each in book.products if each in names)),
        (N_("Note"), note),
    ]
    for title, text in parts:
        if text and box.height > 2 * SMALL:
            box = sheets.lines(sheets.say(title), box, size=SMALL, bold=True, most=1)
            box = sheets.lines(text, box, size=SMALL, most=4)
