"""
The map: a folium map that never carries rows.

The page gives it a `Scene`; the browser gets one small state (see map_assets/zhendi-map.js) with addresses of
vector tiles, the circle and its rings, and the words to show. Overlays are in the base map's datum before
they leave the server, and what comes back (the centre, a click) is brought to WGS 84 here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NamedTuple

import folium
import numpy as np
import shapely
import streamlit_folium
from branca.element import MacroElement
from folium.template import Template
from shapely.geometry.base import BaseGeometry

from data import basemaps
from data.basemaps import BaseMap
from data.config import Settings
from data.words import Language, say
from geo.catchment import circle
from geo.plans import Plan
from pages.parts import state, strokes
from pages.parts.map_assets import address
from pages.parts.outlines import (
    Dots,
    DrawnZone,
    Marked,
    Ring,
    dots_json,
    marked_json,
    ring_json,
    shifted,
    steps,
    unshifted,
)
from pages.parts.state import View
from pages.parts.strokes import Drawing, Tool
from pages.parts.ties import Arc, Hull, box_of, ties_json, with_ties
from pages.parts.words import N_, language

__all__ = [
    "Arc",
    "Dots",
    "DrawnZone",
    "Drawing",
    "Hull",
    "Legend",
    "Marked",
    "Ring",
    "Scene",
    "Tiles",
    "Told",
    "Tool",
    "draw",
    "picture",
    "pin_map",
    "preview_map",
    "ring_json",
    "shifted",
    "steps",
    "told",
    "unshifted",
    "zone_at",
]

HEIGHT_PX = 620
PIN_HEIGHT_PX = 360
FAR_SHARE = 0.25  # where most lie within so much of the circle, the first look is at them
PIN_ZOOM = 15.0
CHINA = View(104.5, 34.5, 4.0)

WORDS = {
    "map": N_("Map"),
    "legend": N_("Legend"),
    "zoom_in": N_("Zoom in"),
    "zoom_out": N_("Zoom out"),
    "expired": N_("The map's links have expired. Reload the page."),
    "unreachable": N_("The base map cannot be reached; everything else is shown."),
    "merchants": N_("Merchants"),
    "bubble": N_("Several, with the signed share"),
    "customers_count": N_("Customers a cell"),
    "customers_share": N_("Customer coverage a cell"),
    "outlets": N_("Outlets"),
    "rival": N_("Other banks"),
    "own": N_("Our bank"),
    "places": N_("Places"),
}


class Tiles(NamedTuple):
    """A layer of vector tiles: what it shows, and where to fetch it."""

    name: str
    url: str


class Legend(NamedTuple):
    """What colours and signs mean, in the user's language."""

    statuses: Sequence[str] = ()
    categories: Sequence[tuple[str, str]] = ()  # colour, name
    places: Sequence[tuple[int, str]] = ()  # kind, name
    shading: Sequence[tuple[str, str]] = ()  # what zones are filled with: colour, text
    shading_title: str = ""


@dataclass(frozen=True)
class Scene:
    """
    What the map is to show; every position is WGS 84.

    Parameters
    ----------
    base
        The base map; its datum is that of everything sent to the browser.
    centre
        The branch; None where there is none yet.
    tiles, rings, farthest, asides, selected
        The layers, the circles, and the points marked.
    candidates
        Points to choose among, each with its label.
    pin
        Where something is to be put by hand.
    dots
        Small points in colours, as a preview.
    zones
        Drawn in this order; see `outlines.DrawnZone`.
    barriers
        Lines and areas, WGS 84, that no zone crosses.
    hulls, arcs, near
        What joins merchants, under the points; see `ties`. Whether the first look is at that.
    tool
        What the mouse draws with; None: a click is a click.
    hint
        What a click means just now, where it does not choose what it falls on.
    outside
        Look at what lies outside the circle.
    metric
        What the customers' cells are coloured by: `count` or `coverage`.
    colours
        Of merchants, by category id.
    """

    base: BaseMap
    centre: Marked | None
    tiles: Sequence[Tiles] = ()
    rings: Sequence[Ring] = ()
    farthest: Marked | None = None
    asides: Sequence[Marked] = ()
    selected: Marked | None = None
    candidates: Sequence[Marked] = ()
    pin: Marked | None = None
    dots: Sequence[Dots] = ()
    zones: Sequence[DrawnZone] = ()
    barriers: Sequence[BaseGeometry] = ()
    hulls: Sequence[Hull] = ()
    arcs: Sequence[Arc] = ()
    near: bool = False
    tool: Tool | None = None
    hint: str = ""
    outside: bool = False
    metric: str = "count"
    colours: Mapping[int, str] = field(default_factory=dict)
    legend: Legend = Legend()


class Told(NamedTuple):
    """What the map tells: a move, once, and the click and the drawing nobody answered yet; WGS 84."""

    view: View | None
    click: tuple[float, float] | None
    zoom: float = PIN_ZOOM
    drawing: Drawing | None = None


# The elements folium draws -------------------------------------------------------------------------------


class Ground(folium.Map):  # type: ignore[misc]  # folium has no types
    """A bare map whose scripts and styles come from this server; it looks nowhere before its first state."""

    def __init__(self) -> None:
        # Leaflet's options are constants: streamlit-folium makes a new map when any of them changes.
        super().__init__(location=[0, 0], zoom_start=3, tiles=None, fade_animation=False)
        self.default_js = [
            (name, address(name)) for name in ("leaflet.js", "protomaps-leaflet.js", "zhendi-map.js")
        ]
        self.default_css = [(name, address(name)) for name in ("leaflet.css", "zhendi-map.css")]
        self.add_child(Start())


class Start(MacroElement):  # type: ignore[misc]  # branca has no types
    """The map's own preparations, made before streamlit-folium begins to listen to it."""

    _template = Template(
        "{% macro script(this, kwargs) %}zhendi.start({{ this._parent.get_name() }});{% endmacro %}"
    )

    def __init__(self) -> None:
        super().__init__()
        self._name = "Start"


class Sync(MacroElement):  # type: ignore[misc]  # branca has no types
    """One call that brings the map to a state, which is text throughout: see `script_text`."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "zhendi.sync({{ this._parent._parent.get_name() }}, JSON.parse({{ this.state }}));"
        "{% endmacro %}"
    )

    def __init__(self, picture: Mapping[str, object]) -> None:
        super().__init__()
        self._name = "Sync"
        self.state = script_text(picture)


def script_text(value: object) -> str:
    """
    Return JSON as a script's string literal that nothing on its way takes for anything else.

    folium renders what it is given as a template a second time, and streamlit-folium puts the outcome into a
    script: so no brace, quote mark or angle bracket of a name may come through as such.
    """
    text = json.dumps(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    for sign in "{}<>&'":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


_NO_STATE = script_text({})

# The state -----------------------------------------------------------------------------------------------


def picture(scene: Scene, key: str = state.MAP) -> dict[str, object]:
    """Return the state the browser is to reach, in the base map's datum; its `stamp` tells it from others."""
    datum = scene.base.datum
    content: dict[str, object] = {
        "language": language(),
        "words": words_in(language()),
        "view": state.drawn_view(key, flight(scene), lambda: first_view(scene)),
        "base": base_json(scene.base),
        "tiles": [tiles._asdict() for tiles in scene.tiles],
        "metric": scene.metric,
        "colours": dict(scene.colours),
        "rings": [ring_json(scene.centre, ring, number, datum) for number, ring in enumerate(scene.rings)]
        if scene.centre
        else [],
        "outside": scene.outside,
        "branch": marked_json(scene.centre, datum),
        "farthest": marked_json(scene.farthest, datum),
        "asides": [shifted(point, datum) for point in scene.asides],
        "selected": marked_json(scene.selected, datum),
        "candidates": [marked_json(point, datum) for point in scene.candidates],
        "legend": {name: told for name, told in scene.legend._asdict().items() if told},
    }
    if scene.dots:
        content |= {"dots": [dots_json(dots, datum) for dots in scene.dots]}
    if scene.hint:
        content |= {"hint": scene.hint, "pin": scene.pin and shifted(scene.pin, datum)}
    drawn = strokes.part_json(
        scene.zones, scene.barriers, scene.tool, datum, answered=state.answered_drawing(key)
    )
    content |= ties_json(scene.hulls, scene.arcs, datum) | drawn
    if scene.hulls or scene.arcs:
        content["scripts"] = with_ties(drawn.get("scripts", ()))
    stamp = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
    return {**content, "stamp": stamp}


@cache
def words_in(spoken: Language) -> dict[str, str]:
    """Return the map's own words in a language."""
    return {name: say(text, spoken) for name, text in WORDS.items()}


def flight(scene: Scene) -> str:
    """Return what, when it changes, sends the map somewhere: another branch, another datum, a flight."""
    where = scene.centre and f"{scene.centre.lon:.6f},{scene.centre.lat:.6f}"
    count = "".join(f"/{len(dots.lon)}" for dots in scene.dots)
    ties = "/ties" if scene.near and (scene.hulls or scene.arcs) else ""
    return f"{where}/{scene.base.datum}/{state.flights()}{count}{ties}"


def first_view(scene: Scene) -> dict[str, object]:
    """Return where to look: the view that was kept, or else zones, what joins merchants, or the circle."""
    datum = scene.base.datum
    kept = state.view() if scene.tiles else None
    if kept is None and (shapes := [zone.shape for zone in scene.zones if not zone.shape.is_empty]):
        west, south, east, north = shapely.total_bounds(shapes)
        corners = [shifted(Marked(west, south), datum), shifted(Marked(east, north), datum)]
        return {"key": flight(scene), "bounds": corners}
    if kept is None and scene.near and (box := box_of(scene.hulls, scene.arcs)) is not None:
        return {"key": flight(scene), "bounds": [shifted(Marked(*corner), datum) for corner in box]}
    wide = first_radius_m(scene.rings)
    if kept is None and scene.centre is not None and wide is not None:
        west, south, east, north = circle(scene.centre.lon, scene.centre.lat, wide, 8).bounds
        corners = [shifted(Marked(west, south), datum), shifted(Marked(east, north), datum)]
        return {"key": flight(scene), "bounds": corners}
    if spots := [*scene.candidates, *(Marked(*spot) for dots in scene.dots for spot in ends(dots))]:
        seen = np.array([shifted(point, datum) for point in spots])
        return {"key": flight(scene), "bounds": spread(seen)}
    view = kept or (CHINA if scene.centre is None else View(scene.centre.lon, scene.centre.lat, PIN_ZOOM))
    lon, lat = shifted(view, datum)
    return {"key": flight(scene), "lon": lon, "lat": lat, "zoom": view.zoom, "fly": state.flights() > 0}


def ends(dots: Dots) -> list[tuple[float, float]]:
    """Return two corners of the box that most of some points lie in: one far off does not shrink the rest."""
    if not len(dots.lon):
        return []
    cut = [0.02, 0.98] if len(dots.lon) >= 50 else [0.0, 1.0]
    corners = np.quantile(dots.lon, cut), np.quantile(dots.lat, cut)
    return [(float(x), float(y)) for x, y in zip(*corners, strict=True)]


def spread(spots: np.ndarray) -> list[list[float]]:
    """Return the corners of a box round some spots, with room for their labels."""
    low, high = spots.min(axis=0), spots.max(axis=0)
    room = 0.4 * (high - low).max()
    return [(low - room).tolist(), (high + room).tolist()]


def first_radius_m(rings: Sequence[Ring]) -> float | None:
    """Return how far the first look reaches: the circle, or the ring of most where a few lie far off."""
    main = next((ring.radius_m for ring in rings if ring.main), None)
    others = [ring.radius_m for ring in rings if not ring.main and main is not None and ring.radius_m < main]
    if main is None or not others:
        return main
    return main if max(others) > FAR_SHARE * main else 1.1 * max(others)


def base_json(base: BaseMap) -> dict[str, object]:
    """Return what the browser must know of a base map."""
    url = f"/basemaps/{base.key}.pmtiles" if base.kind == "pmtiles" else base.url
    return {
        "key": base.key,
        "kind": base.kind,
        "url": url,
        "style": base.style,
        "attribution": base.attribution,
        "min_zoom": base.min_zoom,
        "max_zoom": base.max_zoom,
    }


# What comes back -----------------------------------------------------------------------------------------


def told(datum: str, key: str = state.MAP) -> Told:
    """
    Return what the map told and nobody heeded yet, in WGS 84.

    A click comes again until `state.answer_click`, a drawing until `state.answer_drawing`.
    """
    clicked, moved, drawn = state.new_click(key), state.new_view(key), state.new_drawing(key)
    return Told(
        None if moved is None else View(*unshifted(moved.lon, moved.lat, datum), moved.zoom),
        None if clicked is None else unshifted(*clicked, datum),
        state.told_zoom(key, PIN_ZOOM),
        None if drawn is None else strokes.heard(drawn, datum),
    )


def zone_at(plan: Plan, lon: float, lat: float) -> int | None:
    """Return the zone a point lies in, the first by number where it lies in two; None outside all."""
    hits = shapely.intersects_xy(np.array([zone.shape for zone in plan.zones], dtype=object), lon, lat)
    return next((zone.id for zone, hit in zip(plan.zones, hits, strict=True) if hit), None)


def draw(scene: Scene, *, height: int = HEIGHT_PX, key: str = state.MAP, part: str | None = None) -> None:
    """
    Draw the map; what it tells lies in the session before the next run (see `told`).

    A click or a drawing runs anew the fragment that `part` is the key of; without, the one the map is in.

    The browser is sent what `st_folium` would send it, with less work: that makes the map's templates anew at
    every call, though nothing but the state ever differs (a test compares the two).
    """
    bare = bare_map(key)
    streamlit_folium._component_func(
        **bare.arguments,
        key=bare.hashed,
        height=height,
        feature_group=bare.script.replace(_NO_STATE, script_text(picture(scene, key))),
        on_change=partial(state.hear, key, bare.hashed, part),
    )


class Bare(NamedTuple):
    """What of a map is the same at every call."""

    arguments: Mapping[str, Any]
    hashed: str
    script: str  # brings the map to a state, with `_NO_STATE` where the state stands


@cache
def bare_map(key: str) -> Bare:
    """Return what `st_folium` makes of a map without a state."""
    ground = Ground()
    ground.get_root().render()
    html, header = streamlit_folium._get_html(ground), streamlit_folium._get_header(ground)
    leaflet = streamlit_folium._get_map_string(ground)
    group = folium.FeatureGroup(name="zhendi")
    group.add_child(Sync({}))
    script = streamlit_folium._get_feature_group_string(group, map=ground)
    asked = ["last_clicked", "center", "zoom"]
    arguments = {
        "script": leaflet,
        "header": header,
        "html": html,
        "id": streamlit_folium.get_full_id(ground),
        "width": None,
        "returned_objects": asked,
        "default": {"last_clicked": None, "zoom": ground.options.get("zoom")},
        "zoom": None,
        "center": None,
        "return_on_hover": False,
        "layer_control": None,
        "pixelated": False,
        "css_links": [link for _name, link in ground.default_css],
        "js_links": [link for _name, link in ground.default_js],
        "wrap_longitude": False,
    }
    return Bare(arguments, streamlit_folium.generate_js_hash(leaflet, key), script)


def pin_map(point: tuple[float, float] | None) -> tuple[float, float] | None:
    """
    Let a place be set by a click, on the first base map that shows the country.

    Parameters
    ----------
    point
        Where the pin stands, WGS 84; None for no pin yet.

    Returns
    -------
    point
        Where it stands now.
    """
    offered = basemaps.offered(Settings.from_env())
    base = next((base for base in offered if base.kind == "xyz"), offered[0])
    clicked = told(base.datum, state.PIN_MAP).click
    state.answer_click(state.PIN_MAP)
    point = clicked or point
    draw(Scene(base, None if point is None else Marked(*point)), height=PIN_HEIGHT_PX, key=state.PIN_MAP)
    return point


def preview_map(
    dots: Sequence[Dots], branch: Marked, *, is_demo: bool, key: str, marks: Sequence[Marked] = ()
) -> None:
    """Show many points in colours round a branch, on the base map that the customer map has."""
    usable = [base for base in basemaps.offered(Settings.from_env()) if is_demo or base.key != "demo"]
    usual = next((base for base in usable if base.kind != "none"), usable[0])
    base = next((base for base in usable if base.key == state.choice(state.BASEMAP)), usual)
    draw(Scene(base, branch, dots=dots, candidates=marks), height=PIN_HEIGHT_PX, key=key)
