"""
The scripts and styles of the map: which files the browser may fetch, and under which addresses.

The server imports this and not `pages.parts.map`: streamlit-folium, imported before Streamlit's runtime
stands, registers its component where nobody finds it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_MODULES = _HERE.parents[2] / "node_modules"
FILES = {
    "leaflet.js": _MODULES / "leaflet" / "dist" / "leaflet.js",
    "leaflet.css": _MODULES / "leaflet" / "dist" / "leaflet.css",
    "leaflet.draw.js": _MODULES / "leaflet-draw" / "dist" / "leaflet.draw.js",
    "leaflet.draw.css": _MODULES / "leaflet-draw" / "dist" / "leaflet.draw.css",
    "protomaps-leaflet.js": _MODULES / "protomaps-leaflet" / "dist" / "protomaps-leaflet.js",
    "zhendi-map.js": _HERE / "zhendi-map.js",
    "zhendi-map.css": _HERE / "zhendi-map.css",
    "zhendi-zones.js": _HERE / "zhendi-zones.js",
    "zhendi-ties.js": _HERE / "zhendi-ties.js",
    "zhendi-draw.js": _HERE / "zhendi-draw.js",
}


def address(name: str) -> str:
    """Return a file's address, which changes with its content: browsers may keep it for ever."""
    path = FILES[name]
    return f"/assets/{name}?v={_fingerprint(path, path.stat().st_mtime_ns)}"


@cache
def _fingerprint(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
