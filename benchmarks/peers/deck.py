"""st.pydeck_chart with a ScatterplotLayer: the graphics card's way to a million points."""

import pandas as pd
import pydeck
import streamlit as st

from benchmarks.peers import page
from benchmarks.stores import LAT, LON


def draw(merchants: pd.DataFrame, radius_m: float) -> None:
    """Draw every merchant, in one colour, and the circle."""
    points = pydeck.Layer(
        "ScatterplotLayer", merchants[["lon", "lat"]], get_position=["lon", "lat"], get_radius=8,
        get_fill_color=[11, 92, 171],
    )  # fmt: skip
    rim = pydeck.Layer(
        "ScatterplotLayer", [{"lon": LON, "lat": LAT}], get_position=["lon", "lat"], get_radius=radius_m,
        filled=False, stroked=True, line_width_min_pixels=2, get_line_color=[200, 0, 0],
    )  # fmt: skip
    view = pydeck.ViewState(longitude=LON, latitude=LAT, zoom=11)
    st.pydeck_chart(
        pydeck.Deck([points, rim], initial_view_state=view, map_provider=None, map_style=""),
        height=page.HEIGHT_PX,
    )


page.show(draw)
