"""A peer's folium map, its scripts served from this machine: no network's time is counted against it."""

from __future__ import annotations

import folium
from streamlit_folium import st_folium

from benchmarks.peers.page import ASSETS, HEIGHT_PX
from benchmarks.stores import LAT, LON

ZOOM = 12


def bare_map() -> folium.Map:
    """Return a map without a base map, as ours is measured; with the scripts it needs alone."""
    ground = folium.Map([LAT, LON], zoom_start=ZOOM, tiles=None, maxZoom=18)
    ground.default_js = [("leaflet", f"{ASSETS}/leaflet/dist/leaflet.js")]
    ground.default_css = [("leaflet_css", f"{ASSETS}/leaflet/dist/leaflet.css")]
    return ground


def show(ground: folium.Map, radius_m: float) -> None:
    """Add the circle and draw the map; nothing is asked back, so that pan and zoom do not rerun the page."""
    folium.Circle([LAT, LON], radius=radius_m, fill=False, interactive=False).add_to(ground)
    st_folium(ground, key="map", height=HEIGHT_PX, use_container_width=True, returned_objects=[])
