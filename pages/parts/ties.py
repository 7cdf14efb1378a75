"""What joins merchants on the map: hulls round groups of them, arcs between two, as the browser gets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from pages.parts.map_assets import address
from pages.parts.outlines import Marked, outline_json, shifted

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
    dashed
        Proposed, not agreed.
    """

    id: str
    a: tuple[float, float]
    b: tuple[float, float]
    label: str = ""
    strong: bool = False
    dashed: bool = False


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
    marks = {name: 1 for name in ("strong", "dashed") if getattr(arc, name)}
    ends = {"a": shifted(Marked(*arc.a), datum), "b": shifted(Marked(*arc.b), datum)}
    return {"id": arc.id, **ends, **({"label": arc.label} if arc.label else {}), **marks}
