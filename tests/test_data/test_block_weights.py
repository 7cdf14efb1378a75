"""What blocks weigh adds up to what the zones made of them hold."""

from __future__ import annotations

import pytest

from data.zones.coverage import loads
from data.zones.weighing import block_weights
from geo.lattice import lattice
from geo.planes import Plane, tiled
from geo.plans import MEASURES, Frame, Plan, Zone
from tests.test_data.conftest import LAT, LON, Town


def test_a_zones_blocks_weigh_together_what_it_holds(sqlite_town: Town) -> None:
    snapshot = sqlite_town.snapshot()
    frame = Frame(LON, LAT, 2_500.0, 8)
    known = lattice(frame)
    west = known.blocks.x < 600.0
    shapes = [Plane(LON, LAT).degrees(tiled(known.outlines[side])) for side in (west, ~west)]
    plan = Plan(frame, tuple(Zone(at, f"Z{at}", shape) for at, shape in enumerate(shapes, 1)))
    weights, held = block_weights(snapshot, frame), loads(snapshot, plan)
    assert list(weights.columns) == list(MEASURES) and weights["merchants"].sum() > 0
    for number, side in ((1, west), (2, ~west)):
        for measure in MEASURES:
            assert weights.loc[known.blocks.ids[side], measure].sum() == pytest.approx(
                held.loc[number, measure]
            )
