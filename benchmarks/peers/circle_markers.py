"""streamlit-folium with a CircleMarker a row, as its documents show it."""

import folium
import pandas as pd

from benchmarks.peers import ground, page


def draw(merchants: pd.DataFrame, radius_m: float) -> None:
    """Draw every merchant in its category's colour, with its name as a tooltip."""
    drawn = ground.bare_map()
    colour = page.colours()
    for row in merchants.itertuples():
        folium.CircleMarker(
            [row.lat, row.lon], radius=4, color=colour[row.category_id], fill=True, tooltip=row.name
        ).add_to(drawn)
    ground.show(drawn, radius_m)


page.show(draw)
