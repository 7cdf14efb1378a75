"""The map on paper: circle, zones, merchants, streets, drawn to scale in the branch's own metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from reportlab.pdfgen.pathobject import PDFPathObject
from shapely.geometry.base import BaseGeometry

from data.paper import fonts, marks
from data.paper.legend import Key
from data.paper.marks import Dots, Shades
from data.paper.sheets import ACCENT, GREY, INK, LINE, SMALL, Box, Sheets
from data.paper.streets import Streets
from data.paper.view import View
from data.written import distance
from geo.catchment import circle
from geo.errors import N_

Floats = NDArray[np.float64]
ZONE_COLOURS = ("#0f5c4a", "#e0a030", "#4a7fb5", "#b4610f", "#7a5ea8", "#5f9ea0", "#a23b50", "#6b7b75")
MOVED = "#d1495b"
GROUND, WATER, GREEN, ROAD = "#fbfcfb", "#dbe8f2", "#e3efdf", "#d5dad7"
_SIMPLER, _BEYOND = 0.3, 10.0  # points


@dataclass(frozen=True)
class Ring:
    """A circle round the branch, in metres; the main one is drawn bold."""

    radius_m: float
    label: str = ""
    main: bool = False


@dataclass(frozen=True)
class Area:
    """
    A zone.

    Parameters
    ----------
    shape
        WGS 84.
    label, short
        Its name, and what stands in its place where there is no room for it.
    colour
        Of its ground and border.
    strong
        Whether it stands out from the others; they then fade.
    cover
        How much of the ground it hides, 0 to 1.
    """

    shape: BaseGeometry
    label: str = ""
    short: str = ""
    colour: str = ACCENT
    strong: bool = True
    cover: float = 0.16


@dataclass(frozen=True, eq=False)
class Ground:
    """
    What a map shows, all in WGS 84.

    Parameters
    ----------
    lon, lat
        Of the branch.
    rings, areas, dots, shades
        Each may be missing.
    stops
        Longitude and latitude of what is numbered from 1 and joined by a line in that order.
    around
        What the map is of; the rings and areas without it.
    streets
        None: nothing but the plain ground.
    inset
        What a corner shows whole, with a frame round what the map is of; None for no such corner.
    """

    lon: float
    lat: float
    rings: Sequence[Ring] = ()
    areas: Sequence[Area] = ()
    dots: Dots | None = None
    shades: Shades | None = None
    stops: Floats = field(default_factory=lambda: np.empty((0, 2)))
    around: BaseGeometry | None = None
    streets: Streets | None = None
    inset: BaseGeometry | None = None


INSET = (104.0, 84.0)


def draw(sheets: Sheets, box: Box, ground: Ground) -> list[Key]:
    """Draw a map that fills a box, and return what its signs mean."""
    view = View.of(box, ground.lon, ground.lat, around(ground))
    canvas = sheets.canvas
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(box.left, box.bottom, box.width, box.height)
    canvas.clipPath(clip, stroke=0, fill=0)
    _fill(sheets, box, GROUND)
    _streets(sheets, view, ground.streets)
    keys = [Key("square", ACCENT, sheets.say(N_("Branch")))]
    keys += marks.shades(sheets, view, ground.shades)
    taken = _branch_room(view)
    _areas(sheets, view, ground.areas)
    _rings(sheets, view, ground)
    keys += marks.dots(sheets, view, ground.dots, taken, quiet=len(ground.stops) > 0)
    marks.stops(sheets, view, ground.stops, taken)
    _branch(sheets, view)
    _labels(sheets, view, ground, taken)
    _scale(sheets, view)
    _north(sheets, view)
    if ground.inset is not None:
        _inset(sheets, view, ground)
    canvas.restoreState()
    sheets.colour(stroke=LINE)
    canvas.setLineWidth(0.7)
    canvas.rect(box.left, box.bottom, box.width, box.height, stroke=1, fill=0)
    return keys


def around(ground: Ground) -> BaseGeometry:
    """Return what has to be seen whole."""
    if ground.around is not None:
        return ground.around
    shapes = [area.shape for area in ground.areas]
    shapes += [circle(ground.lon, ground.lat, ring.radius_m) for ring in ground.rings if ring.radius_m > 0]
    return shapely.union_all([*shapes, shapely.Point(ground.lon, ground.lat)])


def _fill(sheets: Sheets, box: Box, colour: str) -> None:
    sheets.colour(fill=colour)
    sheets.canvas.rect(box.left, box.bottom, box.width, box.height, stroke=0, fill=1)


# Ground -----------------------------------------------------------------------------------------------------


def _streets(sheets: Sheets, view: View, streets: Streets | None) -> None:
    if streets is None:
        return
    canvas = sheets.canvas
    for shapes, colour in ((streets.green, GREEN), (streets.water, WATER)):
        path = canvas.beginPath()
        for shape in view.shapes(shapes):
            _trace(path, view, shape)
        sheets.colour(fill=colour)
        canvas.drawPath(path, stroke=0, fill=1)
    sheets.colour(stroke=ROAD)
    for lines, thick in ((streets.minor, 0.5), (streets.major, 1.6)):
        path = canvas.beginPath()
        for shape in view.shapes(lines):
            _trace(path, view, shape)
        canvas.setLineWidth(thick)
        canvas.drawPath(path, stroke=1, fill=0)


def _areas(sheets: Sheets, view: View, areas: Sequence[Area]) -> None:
    canvas = sheets.canvas
    for area, shape in zip(areas, view.shapes([area.shape for area in areas]), strict=True):
        path = canvas.beginPath()
        _trace(path, view, shape)
        sheets.colour(fill=area.colour, stroke=area.colour, opacity=area.cover if area.strong else 0.05)
        canvas.setStrokeAlpha(1 if area.strong else 0.4)
        canvas.setLineWidth(1.2 if area.strong else 0.6)
        canvas.drawPath(path, stroke=1, fill=1, fillMode=0)
    canvas.setStrokeAlpha(1)
    canvas.setFillAlpha(1)


def _rings(sheets: Sheets, view: View, ground: Ground) -> None:
    canvas = sheets.canvas
    for ring in ground.rings:
        if ring.radius_m <= 0:
            continue
        path = canvas.beginPath()
        for shape in view.shapes([circle(ground.lon, ground.lat, ring.radius_m)]):
            _trace(path, view, shape)
        sheets.colour(stroke=ACCENT if ring.main else GREY)
        canvas.setLineWidth(1.4 if ring.main else 0.7)
        canvas.setDash(*(() if ring.main else (3, 2)))
        canvas.drawPath(path, stroke=1, fill=0)
        canvas.setDash()


def _trace(path: PDFPathObject, view: View, shape: BaseGeometry) -> None:
    """Put what is seen of a shape into a path, areas closed; what lies beyond the box is cut off there."""
    left, bottom, right, top = view.corners
    seen = shapely.clip_by_rect(shape, left - _BEYOND, bottom - _BEYOND, right + _BEYOND, top + _BEYOND)
    for part in shapely.get_parts(seen):
        is_area = shapely.get_type_id(part) == shapely.GeometryType.POLYGON
        if not is_area and shapely.get_dimensions(part) != 1:
            continue
        for line in shapely.get_rings(part) if is_area else [part]:
            points = shapely.get_coordinates(shapely.simplify(line, _SIMPLER)).round(2).tolist()
            if len(points) < 2:
                continue
            path.moveTo(*points[0])
            for point in points[1:]:
                path.lineTo(*point)
            if is_area:
                path.close()


# Words and signs --------------------------------------------------------------------------------------------


def _branch_room(view: View) -> list[Box]:
    x, y = view.branch
    return [Box(x - 7, y - 7, 14, 14)]


def _branch(sheets: Sheets, view: View) -> None:
    x, y = view.branch
    sheets.colour(fill=ACCENT, stroke="#ffffff")
    sheets.canvas.setLineWidth(1.2)
    sheets.canvas.rect(x - 4, y - 4, 8, 8, stroke=1, fill=1)


def _labels(sheets: Sheets, view: View, ground: Ground, taken: list[Box]) -> None:
    """Name zones and rings where there is room, none over another."""
    x, y = view.branch
    taken += _furniture(view, ground)
    shapes = view.shapes([area.shape for area in ground.areas])
    for area, shape in zip(ground.areas, shapes, strict=True):
        inside = shapely.intersection(shape, shapely.box(*view.corners))
        if inside.is_empty or not area.strong and not area.short:
            continue
        spot = shapely.point_on_surface(max(shapely.get_parts(inside), key=shapely.area))
        for text in (area.label, area.short):
            if text and _place(sheets, view.box, text, spot.x, spot.y, taken, area.strong):
                break
    for ring in ground.rings:
        if ring.label and ring.radius_m > 0:
            for degrees in (90, 270, 0, 180, 45, 135, 225, 315):
                turn, reach = math.radians(degrees), ring.radius_m * view.scale
                spot = x + reach * math.cos(turn), y + reach * math.sin(turn)
                if _place(sheets, view.box, ring.label, *spot, taken, False):
                    break


def _place(
    sheets: Sheets, box: Box, text: str, x: float, y: float, taken: list[Box], is_strong: bool
) -> bool:
    """Write a label round a spot unless it would cover another; say whether there was room."""
    text = fonts.fitted(text, 120, SMALL, bold=is_strong)
    half = fonts.width(text, SMALL, bold=is_strong) / 2 + 2
    left = min(max(x - half, box.left + 2), box.right - 2 * half - 2)
    bottom = min(max(y - 5, box.bottom + 2), box.top - 12)
    room = Box(left, bottom, 2 * half, 10)
    if any(_overlap(room, other) for other in taken):
        return False
    taken.append(room)
    _tag(sheets, text, left + 2, bottom + 2.5, bold=is_strong)
    return True


def _tag(sheets: Sheets, text: str, x: float, y: float, *, bold: bool, room: float = 120) -> None:
    """Write a label on a pale ground, so that it is read over whatever lies below."""
    shown = fonts.fitted(text, room, SMALL, bold=bold)
    sheets.colour(fill="#ffffff", opacity=0.8)
    sheets.canvas.roundRect(x - 2, y - 2.5, fonts.width(shown, SMALL, bold=bold) + 4, 10, 2, stroke=0, fill=1)
    sheets.line(shown, x, y, size=SMALL, bold=bold)


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.right
        and other.left < one.right
        and one.bottom < other.top
        and other.bottom < one.top
    )


def _furniture(view: View, ground: Ground) -> list[Box]:
    """Return where the scale, the arrow and the corner stand."""
    box = view.box
    corner = None if ground.inset is None else _inset_box(view, ground)
    return [
        Box(box.left, box.bottom, box.width * 0.3 + 20, 22),
        Box(box.right - 26, box.top - 36, 26, 36),
        *([] if corner is None else [corner]),
    ]


def _inset(sheets: Sheets, view: View, ground: Ground) -> None:
    """Show the whole in a corner, and where in it the map lies."""
    assert ground.inset is not None
    canvas, box = sheets.canvas, _inset_box(view, ground)
    if box is None:
        return
    _fill(sheets, box, "#ffffff")
    whole = View.of(box, ground.lon, ground.lat, ground.inset)
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(box.left, box.bottom, box.width, box.height)
    canvas.clipPath(clip, stroke=0, fill=0)
    _areas(sheets, whole, ground.areas)
    (x0, x1), (y0, y1) = whole.points(*np.array(view.degrees()).reshape(2, 2).T)
    sheets.colour(stroke=INK)
    canvas.setLineWidth(0.8)
    canvas.rect(x0, y0, x1 - x0, y1 - y0, stroke=1, fill=0)
    canvas.restoreState()
    sheets.colour(stroke=GREY)
    canvas.rect(box.left, box.bottom, box.width, box.height, stroke=1, fill=0)


def _inset_box(view: View, ground: Ground) -> Box | None:
    """Return a corner in which no stop lies; None where both have one."""
    box = view.box
    x, y = view.points(ground.stops[:, 0], ground.stops[:, 1])
    for corner in (
        Box(box.right - INSET[0], box.bottom, *INSET),
        Box(box.left, box.top - INSET[1], *INSET),
    ):
        wide = corner.inset(-_BEYOND)
        inside = (x > wide.left) & (x < wide.right) & (y > wide.bottom) & (y < wide.top)
        if not inside.any():
            return corner
    return None


def _scale(sheets: Sheets, view: View) -> None:
    """Draw a bar of a round length."""
    metres = _round_length(view.box.width * 0.25 / view.scale)
    long = metres * view.scale
    x, y = view.box.left + 8, view.box.bottom + 8
    canvas = sheets.canvas
    label = distance(metres, sheets.language)
    sheets.colour(fill="#ffffff", opacity=0.8)
    canvas.rect(x - 4, y - 4, long + 12 + fonts.width(label, SMALL), 13, stroke=0, fill=1)
    sheets.colour(stroke=INK, fill=INK)
    canvas.setLineWidth(1)
    canvas.line(x, y, x + long, y)
    for end in (x, x + long):
        canvas.line(end, y - 2, end, y + 3)
    sheets.line(label, x + long + 4, y - 1, size=SMALL)


def _round_length(most: float) -> float:
    """Return the longest of 1, 2, 5 times a power of ten that is no longer than that."""
    power = 10.0 ** math.floor(math.log10(max(most, 1.0)))
    return max(step * power for step in (1, 2, 5) if step * power <= max(most, 1.0))


def _north(sheets: Sheets, view: View) -> None:
    x, top = view.box.right - 14, view.box.top - 6
    canvas, path = sheets.canvas, sheets.canvas.beginPath()
    path.moveTo(x, top)
    path.lineTo(x + 5, top - 15)
    path.lineTo(x, top - 11)
    path.lineTo(x - 5, top - 15)
    path.close()
    sheets.colour(fill=INK)
    canvas.drawPath(path, stroke=0, fill=1)
    sheets.line(
        sheets.say(N_("N")),
        x - fonts.width(sheets.say(N_("N")), SMALL, bold=True) / 2,
        top - 24,
        size=SMALL,
        bold=True,
    )


def ground_note(sheets: Sheets, streets: Streets | None) -> str:
    """Return what is to be said of the ground."""
    if streets is None:
        return sheets.say(N_("Plain ground: no street map is installed here."))
    return streets.attribution and sheets.say(N_("Streets: {source}"), source=streets.attribution)
