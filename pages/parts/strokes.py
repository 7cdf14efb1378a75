"""The tools of the map: what the browser is told of them, and what was drawn with them, in WGS 84."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.words import Language, say
from pages.parts.map_assets import address
from pages.parts.outlines import DrawnZone, handles_json, line_json, unshifted_line, zones_json
from pages.parts.words import N_, language

LINES = ("street", "split", "brush")
AREAS = ("polygon", "rectangle", "edit")
MOST_CORNERS = 200_000

TOOL_WORDS = {
    "barrier": N_("Barrier no zone crosses"),
    "finish": N_("Finish"),
    "cancel": N_("Cancel"),
    "last_point": N_("Take back the last point"),
    "start_outline": N_("Click where the outline begins"),
    "next_point": N_("Click for the next point"),
    "close_outline": N_("Click the first point to close the outline"),
    "drag_rectangle": N_("Press, and drag across the ground"),
    "drag_circle": N_("Press at the middle, and drag outwards"),
    "let_go": N_("Let go to finish"),
    "radius": N_("Radius"),
    "start_line": N_("Click where the line begins"),
    "end_line": N_("Click the last point again to finish the line"),
    "brush": N_("Press and drag over the blocks to paint"),
    "edit": N_("Drag a corner, or a pale dot for a new one; click one to take it away; zoom in for more"),
    "edit_nothing": N_("Choose a zone first"),
}
DRAWING_FILES = ("leaflet.draw.css", "leaflet.draw.js", "zhendi-draw.js")


class Tool(NamedTuple):
    """
    What the mouse does on the map.

    Parameters
    ----------
    kind
        `polygon`, `rectangle`, `circle`, `street` (a line with a width), `split` (a line), `brush` (strokes
        with a width), `edit` (the corners of a zone), or `pick` (a click chooses).
    width_m
        Of a street's strip or of the brush.
    zone_id
        The zone that is edited, split or painted; None for none.
    """

    kind: str
    width_m: float = 0.0
    zone_id: int | None = None


class Drawing(NamedTuple):
    """
    What was drawn.

    Parameters
    ----------
    tool
        The kind of the tool.
    shape
        WGS 84: a polygon, or a line of `street`, `split` and `brush`, or a circle's middle. An outline may
        cross itself, and of an edited zone it has the handles for corners: see `outlines.restored`.
    width_m, radius_m
        Of a line, of a circle.
    zone_id
        The tool's.
    number
        Tells it from every other drawing.
    """

    tool: str
    shape: BaseGeometry
    width_m: float
    radius_m: float
    zone_id: int | None
    number: str


def heard(told: Mapping[str, object], datum: str) -> Drawing | None:
    """Return what a browser says was drawn, in a base map's datum; None where it makes no sense."""
    try:
        tool, number, zone_id = str(told["tool"]), str(told["number"]), told.get("zone")
        width_m, radius_m = float(told.get("width") or 0.0), float(told.get("radius") or 0.0)  # type: ignore[arg-type]
        shape = _shape(tool, told["parts"], datum)
        zone = None if zone_id is None else int(zone_id)  # type: ignore[call-overload]
    except (KeyError, TypeError, ValueError, shapely.GEOSException):
        return None
    if shape is None or not (0.0 <= width_m < 1e6 and 0.0 <= radius_m < 1e7):
        return None
    return Drawing(tool, shape, width_m, radius_m, zone, number)


def _shape(tool: str, parts: object, datum: str) -> BaseGeometry | None:
    """Return polygons of rings, a line, or a point."""
    if not isinstance(parts, list) or not all(isinstance(part, list) and part for part in parts) or not parts:
        return None
    if sum(len(ring) for part in parts for ring in part) > MOST_CORNERS:
        return None
    lines = [[unshifted_line(ring, datum) for ring in part] for part in parts]
    first = lines[0][0]
    if not all(_on_earth(line) for part in lines for line in part):
        return None
    if tool == "circle":
        return shapely.Point(first[0])
    if tool in LINES:
        return shapely.LineString(first if len(first) > 1 else np.repeat(first, 2, axis=0))
    if tool not in AREAS:
        return None
    polygons = [shapely.Polygon(part[0], part[1:]) for part in lines]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _on_earth(line: NDArray[np.float64]) -> bool:
    return bool(len(line) and np.isfinite(line).all() and (np.abs(line[:, 1]) <= 90.0).all())


# What the browser is told ----------------------------------------------------------------------------------


def part_json(
    zones: Sequence[DrawnZone],
    barriers: Sequence[BaseGeometry],
    tool: Tool | None,
    datum: str,
    *,
    answered: str | None,
) -> dict[str, object]:
    """
    Return what the state of a map has of zones and drawing; nothing where there is neither.

    Parameters
    ----------
    answered
        The number of the drawing that was answered last: the map sends the next.
    """
    part: dict[str, object] = {}
    if zones or barriers:
        part |= {"zones": zones_json(zones, datum), "scripts": [address("zhendi-zones.js")]}
    if barriers:
        part["barriers"] = [line for shape in barriers for line in line_json(shape, datum)]
    if tool is not None and tool.kind != "pick":
        part["tool"] = tool_json(tool, zones, datum)
        part["scripts"] = [address("zhendi-zones.js"), *map(address, DRAWING_FILES)]
    if "scripts" in part:
        part["tool_words"] = tool_words_in(language())
    if answered:
        part["answered"] = answered
    return part


def tool_json(tool: Tool, zones: Sequence[DrawnZone], datum: str) -> dict[str, object]:
    """Return a tool, with the corners to take hold of where a zone is edited."""
    made: dict[str, object] = {"kind": tool.kind, "width": tool.width_m, "zone": tool.zone_id}
    shape = next((zone.shape for zone in zones if zone.id == tool.zone_id), None)
    if tool.kind == "edit" and shape is not None:
        made["parts"] = handles_json(shape, datum)
    return made


@cache
def tool_words_in(spoken: Language) -> dict[str, str]:
    """Return the tools' words in a language."""
    return {name: say(text, spoken) for name, text in TOOL_WORDS.items()}
