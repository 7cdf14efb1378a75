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
from typing import NamedTuple

import folium
import numpy as np
from branca.element import MacroElement
from folium.template import Template
from streamlit_folium import st_folium

from data.basemaps import BaseMap
from geo.catchment import circle, destination
from geo.datum import convert
from pages.parts import state
from pages.parts.map_assets import address
from pages.parts.state import View
from pages.parts.words import N_, _, language

HEIGHT_PX = 620
PIN_HEIGHT_PX = 360
VERTICES = 96
RIM_DEG = 35.0  # where on the rim the radius is written: rings' labels stand apart
RIM_STEP_DEG = 24.0
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


class Ring(NamedTuple):
    """A circle round the branch with its label; `main` is the one that is looked at."""

    radius_m: float
    label: str
    main: bool = False


class Marked(NamedTuple):
    """A point with a name, WGS 84."""

    lon: float
    lat: float
    label: str = ""


class Legend(NamedTuple):
    """What colours and signs mean, in the user's language."""

    statuses: Sequence[str] = ()
    categories: Sequence[tuple[str, str]] = ()  # colour, name
    places: Sequence[tuple[int, str]] = ()  # kind, name


@dataclass(frozen=True)
class Scene:
    """
    What the map is to show; every position is WGS 84.

    Parameters
    ----------
    base
        The base map; its datum is that of everything sent to the browser.
    centre
        The branch.
    tiles, rings, farthest, asides, selected
        The layers, the circles, and the points marked.
    outside
        Look at what lies outside the circle.
    metric
        What the customers' cells are coloured by: `count` or `coverage`.
    colours
        Of merchants, by category id.
    """

    base: BaseMap
    centre: Marked
    tiles: Sequence[Tiles] = ()
    rings: Sequence[Ring] = ()
    farthest: Marked | None = None
    asides: Sequence[Marked] = ()
    selected: Marked | None = None
    outside: bool = False
    metric: str = "count"
    colours: Mapping[int, str] = field(default_factory=dict)
    legend: Legend = Legend()


class Told(NamedTuple):
    """What the map tells: where it looks and, once each, a click; WGS 84."""

    view: View | None
    click: tuple[float, float] | None


# The elements folium draws -------------------------------------------------------------------------------


class Ground(folium.Map):  # type: ignore[misc]  # folium has no types
    """A bare map whose scripts and styles come from this server; it looks nowhere before its first state."""

    def __init__(self) -> None:
        # Leaflet's options are constants: streamlit-folium makes a new map when any of them changes.
        super().__init__(location=[0, 0], zoom_start=2, tiles=None, max_zoom=20, fade_animation=False)
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


# The state -----------------------------------------------------------------------------------------------


def picture(scene: Scene) -> dict[str, object]:
    """Return the state the browser is to reach, in the base map's datum; its `stamp` tells it from others."""
    datum = scene.base.datum
    flight = f"{scene.centre.lon:.5f},{scene.centre.lat:.5f}/{datum}/{state.flights()}"
    content: dict[str, object] = {
        "language": language(),
        "words": {key: _(text) for key, text in WORDS.items()},
        "view": state.drawn_view(flight, lambda: first_view(scene, flight)),
        "base": base_json(scene.base),
        "tiles": [{"name": tiles.name, "url": tiles.url} for tiles in scene.tiles],
        "metric": scene.metric,
        "colours": dict(scene.colours),
        "rings": [ring_json(scene, ring, number) for number, ring in enumerate(scene.rings)],
        "outside": scene.outside,
        "branch": {"at": shifted(scene.centre, datum), "name": scene.centre.label},
        "farthest": None
        if scene.farthest is None
        else {"at": shifted(scene.farthest, datum), "label": scene.farthest.label},
        "asides": [shifted(point, datum) for point in scene.asides],
        "selected": None if scene.selected is None else shifted(scene.selected, datum),
        "legend": scene.legend._asdict(),
    }
    stamp = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
    return {**content, "stamp": stamp}


def shifted(point: Marked | View, datum: str) -> tuple[float, float]:
    """Return a point's lon and lat in a datum, to a centimetre."""
    lon, lat = convert(np.array([point.lon]), np.array([point.lat]), "wgs84", datum)
    return round(float(lon[0]), 7), round(float(lat[0]), 7)


def first_view(scene: Scene, key: str) -> dict[str, object]:
    """Return where to look: the view that was kept, or else the whole circle."""
    datum = scene.base.datum
    kept = state.view()
    if kept is not None:
        lon, lat = shifted(kept, datum)
        return {"key": key, "lon": lon, "lat": lat, "zoom": kept.zoom, "fly": state.flights() > 0}
    main = next((ring for ring in scene.rings if ring.main), None)
    if main is None or main.radius_m <= 0:
        lon, lat = shifted(scene.centre, datum)
        return {"key": key, "lon": lon, "lat": lat, "zoom": PIN_ZOOM, "fly": False}
    west, south, east, north = circle(scene.centre.lon, scene.centre.lat, main.radius_m, 8).bounds
    corners = [shifted(Marked(west, south), datum), shifted(Marked(east, north), datum)]
    return {"key": key, "bounds": corners}


def ring_json(scene: Scene, ring: Ring, number: int) -> dict[str, object]:
    """Return a ring's outline, and the spot on its rim where its label stands."""
    lon0, lat0 = scene.centre.lon, scene.centre.lat
    datum = scene.base.datum
    outline = np.asarray(circle(lon0, lat0, ring.radius_m, VERTICES).exterior.coords)[:-1]
    lons, lats = convert(outline[:, 0], outline[:, 1], "wgs84", datum)
    rim = destination(lon0, lat0, RIM_DEG + RIM_STEP_DEG * number, ring.radius_m)
    return {
        "outline": np.column_stack([lons, lats]).round(6).tolist(),
        "rim": shifted(Marked(*rim), datum),
        "label": ring.label,
        "main": ring.main,
    }


def base_json(base: BaseMap) -> dict[str, object]:
    """Return what the browser must know of a base map."""
    url = f"/basemaps/{base.key}.pmtiles" if base.kind == "pmtiles" else base.url
    return {
        "key": base.key,
        "kind": base.kind,
        "url": url,
        "style": base.style,
        "attribution": base.attribution,
        "max_zoom": 15 if base.kind == "pmtiles" else 18,
    }


# What comes back -----------------------------------------------------------------------------------------


def told(datum: str) -> Told:
    """Return what the map last told, in WGS 84; a click comes once."""
    centre, zoom = state.map_told().get("center"), state.map_told().get("zoom")
    view = None
    if isinstance(centre, Mapping) and isinstance(zoom, (int, float)):
        lon, lat = unshifted(float(centre["lng"]), float(centre["lat"]), datum)
        view = View(lon, lat, float(zoom))
    clicked = state.new_click()
    return Told(view, None if clicked is None else unshifted(*clicked, datum))


def unshifted(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Return the WGS 84 lon and lat of a point in a base map's datum, as Leaflet may tell it: round the world too."""
    lons, lats = convert(np.array([(lon + 180) % 360 - 180]), np.array([lat]), datum, "wgs84")
    return float(lons[0]), float(lats[0])


def draw(scene: Scene, *, height: int = HEIGHT_PX, key: str = state.MAP) -> None:
    """Draw the map; what it tells lies in the session before the next run (see `told`)."""
    group = folium.FeatureGroup(name="zhendi")
    group.add_child(Sync(picture(scene)))
    st_folium(
        Ground(),
        key=key,
        height=height,
        use_container_width=True,
        returned_objects=["last_clicked", "center", "zoom"],
        feature_group_to_add=group,
    )
