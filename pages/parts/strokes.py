"""The tools of the map, and what was drawn with them: heard from the browser, in WGS 84."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pages.parts.outlines import unshifted_line

LINES = ("street", "split", "brush")
AREAS = ("polygon", "rectangle", "edit")
MOST_CORNERS = 200_000


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
