"""What joins merchants on the map: hulls round groups of them, arcs between two, as the browser gets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pages.parts.map_assets import address
from pages.parts.outlines import Marked, outline_json, shifted

BOW = 0.14  # of an arc's length, as in zhendi-ties.js: how far its middle stands out
STEPS = 20
MANY = 20  # ends: from so many on, a few far off do not shrink the rest on the first look
ROOM_DEG = 1e-3
EARTH_M = 6_371_009.0
CORNERS = 200  # of a hull at most
THIN_DEG = 2e-4  # a group of one or two has no area: it is drawn as a spot or a strip this wide


class Hull(NamedTuple):
    """
    The ground a group takes up, drawn under the points.

    Parameters
    ----------
    id
        Tells it from every other hull of the scene.
    shape
        WGS 84; a point or a line is drawn with some room round it.
    label
        Shown under the mouse, and on the ground where it is strong.
    fill
        A colour, `#rrggbb`; None for the outline alone.
    strong
        The one that is looked at.
    """

    id: str
    shape: BaseGeometry
    label: str = ""
    fill: str | None = None
    strong: bool = False


class Arc(NamedTuple):
    """
    A bow from one point to another, drawn under the points.

    Parameters
    ----------
    id
        Tells it from every other arc of the scene.
    a, b
        Lon and lat, WGS 84.
    label
        Shown under the mouse.
    strong
        One that is looked at.
    dashed, faint
        Proposed, not agreed; beside one that is looked at.
    """

    id: str
    a: tuple[float, float]
    b: tuple[float, float]
    label: str = ""
    strong: bool = False
    dashed: bool = False
    faint: bool = False


# What a click falls on -------------------------------------------------------------------------------------


def bow(arc: Arc) -> BaseGeometry:
    """Return an arc as the browser draws it: its middle stands out to the north, or else to the west."""
    (west, south), (lon, lat) = arc.a, arc.b
    wide = np.cos(np.radians(south))
    east, north = (lon - west) * wide, lat - south
    side = 1.0 if east > 0 or (east == 0 and north > 0) else -1.0
    middle = ((west + lon) / 2 - 2 * BOW * side * north / wide, (south + lat) / 2 + 2 * BOW * side * east)
    t = np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    line = (1 - t) ** 2 * np.array(arc.a) + 2 * t * (1 - t) * np.array(middle) + t**2 * np.array(arc.b)
    return shapely.LineString(line)


def arc_at(arcs: Sequence[Arc], lon: float, lat: float, within_m: float) -> Arc | None:
    """Return the arc a click falls on: the nearest, of several that meet there the first."""
    if not arcs:
        return None
    near = _metres([bow(arc) for arc in arcs], lon, lat)
    at = int(np.argmin(np.round(near, 1)))
    return arcs[at] if near[at] <= within_m else None


def hull_at(hulls: Sequence[Hull], lon: float, lat: float, within_m: float) -> Hull | None:
    """Return the hull a click falls in, the smallest of several; or else the nearest within some metres."""
    if not hulls:
        return None
    near = _metres([hull.shape for hull in hulls], lon, lat)
    areas = [hull.shape.area for hull in hulls]
    at = min(range(len(hulls)), key=lambda each: (near[each] > 0, near[each], areas[each]))
    return hulls[at] if near[at] <= within_m else None


def box_of(
    hulls: Sequence[Hull], arcs: Sequence[Arc]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return two corners of the box that most of some hulls and arcs lie in; None without any."""
    spots = [
        corner
        for hull in hulls
        if not hull.shape.is_empty
        for corner in np.split(np.array(hull.shape.bounds), 2)
    ]
    spots += [np.array(end) for arc in arcs for end in (arc.a, arc.b)]
    if not spots:
        return None
    cut = [0.1, 0.9] if len(spots) >= MANY else [0.0, 1.0]
    (west, east), (south, north) = np.quantile(np.array(spots), cut, axis=0).T.tolist()
    return (west - ROOM_DEG, south - ROOM_DEG), (east + ROOM_DEG, north + ROOM_DEG)


def _metres(shapes: Sequence[BaseGeometry], lon: float, lat: float) -> NDArray[np.float64]:
    """Return how far shapes are from a point, to the metre over a few kilometres."""
    scale = np.array([EARTH_M * np.cos(np.radians(lat)), EARTH_M]) * np.pi / 180.0
    flat = shapely.transform(np.array(shapes, dtype=object), lambda corners: (corners - [lon, lat]) * scale)
    return np.asarray(shapely.distance(flat, shapely.Point(0.0, 0.0)), dtype=np.float64)


# What the browser is told ----------------------------------------------------------------------------------


def ties_json(hulls: Sequence[Hull], arcs: Sequence[Arc], datum: str) -> dict[str, object]:
    """Return what the state of a map has of hulls and arcs; nothing where there is neither."""
    shown = [hull for hull in hulls if not hull.shape.is_empty]
    if not hulls and not arcs:
        return {}
    return {
        "hulls": [_hull_json(hull, datum) for hull in shown],
        "arcs": [_arc_json(arc, datum) for arc in arcs],
    }


def with_ties(scripts: Iterable[str]) -> list[str]:
    """Return the addresses of a map's scripts with those that draw hulls and arcs, each once."""
    return list(dict.fromkeys([*scripts, address("zhendi-zones.js"), address("zhendi-ties.js")]))


def _hull_json(hull: Hull, datum: str) -> dict[str, object]:
    """Return a hull; what it is not is not said."""
    thick = hull.shape if shapely.get_dimensions(hull.shape) == 2 else hull.shape.buffer(THIN_DEG)
    _, outline = outline_json(thick, datum, CORNERS)
    texts = {name: text for name, text in (("label", hull.label), ("fill", hull.fill)) if text}
    return {"id": hull.id, **outline, **texts, **({"strong": 1} if hull.strong else {})}


def _arc_json(arc: Arc, datum: str) -> dict[str, object]:
    """Return an arc; what it is not is not said."""
    marks = {name: 1 for name in ("strong", "dashed", "faint") if getattr(arc, name)}
    ends = {"a": shifted(Marked(*arc.a), datum), "b": shifted(Marked(*arc.b), datum)}
    return {"id": arc.id, **ends, **({"label": arc.label} if arc.label else {}), **marks}
