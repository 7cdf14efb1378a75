"""The limit: the same page with an empty folium map."""

import pandas as pd

from benchmarks.peers import ground, page


def draw(_merchants: pd.DataFrame, radius_m: float) -> None:
    """Draw the circle alone."""
    ground.show(ground.bare_map(), radius_m)


page.show(draw)
