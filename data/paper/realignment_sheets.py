"""The realignment report on paper: what changes between two plans, for whom, and which blocks move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.paper import drawing, legend
from data.paper.drawing import Area, Ground, Ring
from data.paper.legend import Key
from data.paper.sheets import GREY, SMALL, Box, Column, Sheets, footer
from data.paper.streets import Streets
from data.paper.view import View
from data.words import Language, say
from geo.errors import N_
from geo.plans import Frame

StreetsOf = Callable[[tuple[float, float, float, float], float], Streets | None]
MOST_LISTED = 1000  # blocks; the workbook has them all
_MAP_HEIGHT, _GAP, _LEAST_HEIGHT = 360.0, 14.0, 60.0


@dataclass(frozen=True, eq=False)
class Report:
    """
    What stands in the report, in words.

    Parameters
    ----------
    branch, before, after, day
        Names of the branch and of both plans, and the day of printing.
    frame
        Of the later plan.
    areas
        Its zones, and the ground that moved.
    summary
        Titles and values.
    people, groups, blocks
        Titles of columns with their rows: what changes for whom, from which zone to which, block by block.
    streets
        What of the street map lies in a piece of ground.
    """

    branch: str
    before: str
    after: str
    day: str
    frame: Frame
    areas: Sequence[Area]
    summary: Sequence[tuple[str, str]]
    people: tuple[Sequence[Column], Sequence[Sequence[str]]]
    groups: tuple[Sequence[Column], Sequence[Sequence[str]]]
    blocks: tuple[Sequence[Column], Sequence[Sequence[str]]]
    streets: StreetsOf


def drawn(report: Report, language: Language) -> bytes:
    """Return the report as a PDF."""
    title = say(N_("Realignment of {branch}"), language, branch=report.branch)
    sheets = Sheets(title, footer(language, report.branch, report.day), language, upright=True)
    box = sheets.turn(title, f"{report.before} → {report.after}")
    upper, box = box.rows(_MAP_HEIGHT, 4)
    note = _map(sheets, upper, report)
    strip, box = box.rows(14)
    moved = Key("square", drawing.MOVED, sheets.say(N_("Ground that changes hands")))
    legend.draw(sheets, strip, [moved, *([Key("none", GREY, note)] if note else [])])
    box = sheets.heading(sheets.say(N_("Summary")), box)
    box = sheets.pairs(box, report.summary)
    for heading, none, (columns, rows) in (
        (N_("What changes for whom"), N_("Nobody gets or gives up a zone."), report.people),
        (N_("From which zone to which"), N_("No block changes hands."), report.groups),
    ):
        box = _listed(sheets, box, title, sheets.say(heading), sheets.say(none), columns, rows)
    if report.blocks[1]:
        _blocks(sheets, box, title, *report.blocks)
    return sheets.done()


def _map(sheets: Sheets, box: Box, report: Report) -> str:
    """Draw the later plan with the ground that moved; return what is to be said of the ground below it."""
    frame = report.frame
    ring = Ring(frame.radius_m, main=True)
    plain = Ground(frame.lon, frame.lat, [ring], report.areas)
    around = drawing.around(plain)
    seen = View.of(box, frame.lon, frame.lat, around).degrees()
    streets = report.streets(seen, box.width)
    ground = Ground(frame.lon, frame.lat, [ring], report.areas, around=around, streets=streets)
    drawing.draw(sheets, box, ground)
    return drawing.ground_note(sheets, streets)


def _listed(
    sheets: Sheets,
    box: Box,
    title: str,
    heading: str,
    none: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
) -> Box:
    """Write a table under its heading, on as many sheets as it takes; return what is left of the last."""
    if box.height < _LEAST_HEIGHT:
        box = sheets.turn(title)
    box = sheets.heading(heading, box)
    if not rows:
        return sheets.lines(none, box, colour=GREY).rows(8)[1]
    done, box = sheets.table(columns, rows, box, size=SMALL + 0.5)
    while done < len(rows):
        written, box = sheets.table(columns, rows[done:], sheets.turn(title, heading), size=SMALL + 0.5)
        done += max(1, written)
    return box.rows(8)[1]


def _blocks(
    sheets: Sheets, box: Box, title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """List the blocks that move, two columns a sheet, beginning where there is room left."""
    listed, done = rows[:MOST_LISTED], 0
    heading = sheets.say(N_("Blocks that change hands"))
    if len(rows) > len(listed):
        heading = sheets.say(
            N_("The first {listed} of {count} blocks that change hands; the workbook has all"),
            listed=len(listed),
            count=len(rows),
        )
    if box.height < _LEAST_HEIGHT:
        box = sheets.turn(title)
    box = sheets.heading(heading, box)
    while True:
        for half in box.columns((box.width - _GAP) / 2, _GAP):
            if done < len(listed):
                written, _rest = sheets.table(columns, listed[done:], half, size=SMALL - 0.5)
                done += max(1, written)
        if done >= len(listed):
            return
        box = sheets.turn(title, heading)
