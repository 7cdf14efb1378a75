"""The proposal for a merchant on paper: one upright sheet, whatever stands in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.paper import drawing, fonts, legend
from data.paper.drawing import Ground
from data.paper.legend import Key
from data.paper.sheets import ACCENT, BODY, GREY, INK, SMALL, Box, Column, Sheets
from data.paper.streets import Streets
from data.paper.view import View
from data.words import Language, say
from geo.errors import N_

StreetsOf = Callable[[tuple[float, float, float, float], float], Streets | None]
Floats = NDArray[np.float64]
PARTNER = "#e0a030"
_MAP = (285.0, 196.0)
_SIGN = 6.5
_RIM, _ROUNDS = 0.1, 50
_FEET = 168.0  # of the sheet: offer, next step, signatures
_LARGE = 9.5
_NAME = 110.0


@dataclass(frozen=True)
class Partner:
    """A partner in words, and where it is."""

    name: str
    trade: str
    away: str
    why: str
    you: str
    they: str
    lon: float
    lat: float


@dataclass(frozen=True, eq=False)
class Told:
    """
    What stands on the sheet, in words.

    Parameters
    ----------
    merchant, branch, day
        For whom, from whom, when.
    partners, more
        Those told of, and how many there are beside them.
    together
        What all of them bring; may be empty.
    offers, next_step
        What is offered, a line each, and what comes next.
    lon, lat, hub
        Where the merchant is, and the branch.
    streets
        What of the street map lies in a piece of ground.
    """

    merchant: str
    branch: str
    day: str
    partners: Sequence[Partner]
    more: int
    together: str
    offers: Sequence[str]
    next_step: str
    lon: float
    lat: float
    hub: tuple[float, float]
    streets: StreetsOf


def drawn(told: Told, language: Language) -> bytes:
    """Return the sheet as a PDF."""
    title = say(N_("A proposal for {name}"), language, name=told.merchant)
    footer = say(N_("{branch} · printed {day}"), language, branch=told.branch, day=told.day)
    sheets = Sheets(title, footer, language, upright=True)
    box = sheets.turn(title, f"{told.branch} · {told.day}")
    upper, box = box.rows(_MAP[1] + 18, 8)
    left, right = upper.columns(_MAP[0], 14)
    _map(sheets, left, told)
    _words(sheets, right, told)
    feet = Box(box.left, box.bottom, box.width, _FEET)
    _partners(sheets, Box(box.left, feet.top + 8, box.width, box.top - feet.top - 8), told)
    _close(sheets, feet, told)
    return sheets.done()


def _words(sheets: Sheets, box: Box, told: Told) -> None:
    box = sheets.heading(sheets.say(N_("Why together")), box)
    box = sheets.lines(
        sheets.say(
            N_(
                "Neighbours of different trades send customers to each other, and share one offer. "
                "{branch} is the hub: we bring you together, make the offer known to our customers, and keep "
                "count of who came from whom. No customer's data changes hands."
            ),
            branch=told.branch,
        ),
        box,
        size=_LARGE,
        most=9,
    )
    if told.together:
        box = box.rows(8)[1]
        sheets.lines(told.together, box, size=_LARGE + 1, bold=True, colour=ACCENT, most=5)


def _partners(sheets: Sheets, box: Box, told: Told) -> None:
    """List the partners, as many as there is room for, and say how many more there are."""
    box = sheets.heading(sheets.say(N_("Your partners")), box)
    columns = [
        Column("", 0.35, right=True),
        Column(sheets.say(N_("Partner")), 2.2, lines=3),
        Column(sheets.say(N_("Distance")), 0.8, right=True),
        Column(sheets.say(N_("Why it fits")), 2.6, lines=3),
        Column(sheets.say(N_("What you gain")), 2.2, lines=3),
        Column(sheets.say(N_("What they gain")), 2.2, lines=3),
    ]
    cells = [
        [str(number), f"{each.name}\n{each.trade}", each.away, each.why, each.you, each.they]
        for number, each in enumerate(told.partners, start=1)
    ]
    room = Box(box.left, box.bottom + 14, box.width, max(0.0, box.height - 14))
    written, rest = sheets.table(columns, cells, room, size=SMALL + 0.8)
    more = told.more + len(cells) - written
    if more:
        text = sheets.say(N_("And {count} more."), count=more)
        sheets.line(text, rest.left, rest.top - SMALL - 4, size=SMALL + 0.8, colour=GREY)


def _close(sheets: Sheets, box: Box, told: Told) -> None:
    """Write the offer, the next step, and room for two signatures."""
    upper, box = box.rows(66, 4)
    upper = sheets.heading(sheets.say(N_("The offer")), upper)
    if told.offers:
        for offer in told.offers[:4]:
            upper = sheets.lines(offer, upper, size=BODY, most=max(1, 4 // len(told.offers[:4])))
    else:
        for y in (upper.top - 18, upper.top - 38):
            sheets.rule(upper.left, upper.right, y)
    step, box = box.rows(46, 4)
    step = sheets.heading(sheets.say(N_("Next step")), step)
    sheets.lines(told.next_step, step, size=BODY, most=2)
    half = (box.width - 20) / 2
    for left, who in (
        (box.left, sheets.say(N_("For {name}"), name=told.merchant)),
        (box.left + half + 20, sheets.say(N_("For {name}"), name=told.branch)),
    ):
        y = box.bottom + 15
        sheets.rule(left, left + half, y, colour=GREY)
        sheets.line(who, left, y - 10, size=SMALL, colour=GREY, room=half - 70)
        sheets.line(
            sheets.say(N_("Signature, date")), left + half, y - 10, size=SMALL, colour=GREY, right=True
        )


# The sketch -------------------------------------------------------------------------------------------------


def _map(sheets: Sheets, box: Box, told: Told) -> None:
    """Draw the merchant, the branch and the partners by number, and a line from each to the merchant."""
    upper, strip = box.rows(_MAP[1], 2)
    lon = np.array([told.lon, *(each.lon for each in told.partners)])
    lat = np.array([told.lat, *(each.lat for each in told.partners)])
    around = _with_rim(lon, lat)
    seen = View.of(upper, *told.hub, around)
    streets = told.streets(seen.degrees(), upper.width)
    drawing.draw(sheets, upper, Ground(*told.hub, around=around, streets=streets))
    _arms(sheets, seen, lon, lat)
    keys = [
        Key("dot", ACCENT, fonts.fitted(told.merchant, _NAME, SMALL)),
        Key("dot", PARTNER, sheets.say(N_("Partners"))),
        Key("square", ACCENT, sheets.say(N_("Branch"))),
    ]
    note = drawing.ground_note(sheets, streets) if streets is not None else ""
    legend.draw(sheets, strip, [*keys, *([Key("none", GREY, note)] if note else [])])


def _with_rim(lon: Floats, lat: Floats) -> BaseGeometry:
    """Return the ground of some positions with room round it, for the signs and the scale."""
    wide, high = (_RIM * max(float(np.ptp(each)), 1e-4) for each in (lon, lat))
    return shapely.box(lon.min() - wide, lat.min() - 2 * high, lon.max() + wide, lat.max() + high)


def _apart(x: Floats, y: Floats) -> tuple[list[float], list[float]]:
    """Return signs moved until none hides another, the merchant's own where it is."""
    x, y = x.copy(), y.copy()
    for _round in range(_ROUNDS):
        moved = False
        for one in range(len(x)):
            for other in range(max(one, 0) + 1, len(x)):
                dx, dy = x[other] - x[one], y[other] - y[one]
                away = float(np.hypot(dx, dy))
                if away >= 2 * _SIGN:
                    continue
                if away < 1e-6:
                    dx, dy, away = float(np.cos(other)), float(np.sin(other)), 1.0
                step = (2.1 * _SIGN - min(away, 2 * _SIGN)) / away
                x[other], y[other], moved = x[other] + step * dx, y[other] + step * dy, True
        if not moved:
            break
    return x.tolist(), y.tolist()


def _arms(sheets: Sheets, view: View, lon: Floats, lat: Floats) -> None:
    canvas = sheets.canvas
    x, y = _apart(*view.points(lon, lat))
    sheets.colour(stroke=PARTNER)
    canvas.setLineWidth(1.2)
    for across, up in zip(x[1:], y[1:], strict=True):
        canvas.line(x[0], y[0], across, up)
    canvas.setLineWidth(0.8)
    for number, (across, up) in reversed(list(enumerate(zip(x, y, strict=True)))):
        sheets.colour(fill=PARTNER if number else ACCENT, stroke="#ffffff")
        canvas.circle(across, up, _SIGN, stroke=1, fill=1)
        if number:
            wide = fonts.width(str(number), SMALL, bold=True)
            sheets.line(str(number), across - wide / 2, up - 2.5, size=SMALL, bold=True, colour=INK)
