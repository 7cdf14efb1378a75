"""streamlit-folium with FastMarkerCluster, for many rows."""

import pandas as pd
from folium.plugins import FastMarkerCluster

from benchmarks.peers import ground, page

# Cheaper than the icon it draws by default.
DOT = "function (row) { return L.circleMarker(new L.LatLng(row[0], row[1]), {radius: 4}); }"
SHEETS = ("MarkerCluster.css", "MarkerCluster.Default.css")


def draw(merchants: pd.DataFrame, radius_m: float) -> None:
    """Draw every merchant, in clusters."""
    drawn = ground.bare_map()
    cluster = FastMarkerCluster(merchants[["lat", "lon"]].to_numpy().tolist(), callback=DOT)
    dist = f"{page.ASSETS}/leaflet.markercluster/dist"
    cluster.default_js = [("markerclusterjs", f"{dist}/leaflet.markercluster.js")]
    cluster.default_css = [(sheet, f"{dist}/{sheet}") for sheet in SHEETS]
    cluster.add_to(drawn)
    ground.show(drawn, radius_m)


page.show(draw)
