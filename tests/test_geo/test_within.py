"""Who is in reach of any of some places: told quickly, and exactly as the plane has it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import crs
from geo.within import in_reach

CENTRE = (114.3, 30.6)


def on_the_plane(lon, lat, place_lon, place_lat, reach_m, centre=CENTRE) -> np.ndarray:
    plane = crs.local_metric(*centre)
    x, y = crs.to_metric(lon, lat, plane)
    own_x, own_y = crs.to_metric(place_lon, place_lat, plane)
    away = np.hypot(np.subtract.outer(x, own_x), np.subtract.outer(y, own_y))
    return (away <= np.asarray(reach_m)).any(axis=1) if len(own_x) else np.zeros(len(x), dtype=bool)


def at(metres_east: float, metres_north: float) -> tuple[np.ndarray, np.ndarray]:
    return crs.from_metric([metres_east], [metres_north], crs.local_metric(*CENTRE))


@pytest.mark.parametrize(
    ("east_m", "inside"), [(499.999, True), (500.001, False), (0.0, True), (-499.999, True)]
)
def test_the_rim_is_told_to_a_millimetre(east_m: float, inside: bool) -> None:
    assert in_reach(*at(east_m, 0.0), [CENTRE[0]], [CENTRE[1]], [500.0], CENTRE).tolist() == [inside]


def test_each_place_has_a_reach_of_its_own() -> None:
    lon, lat = np.concatenate([at(0, 200), at(0, 1200), at(3000, 0)], axis=1)
    places = np.concatenate([at(0, 0), at(0, 2000)], axis=1)
    assert in_reach(lon, lat, *places, [300.0, 1000.0], CENTRE).tolist() == [True, True, False]


def test_nobody_is_in_reach_of_nothing() -> None:
    assert in_reach([114.3], [30.6], [], [], [], CENTRE).tolist() == [False]
    assert in_reach([114.3], [30.6], [114.3], [30.6], [0.0], CENTRE).tolist() == [False]
    assert in_reach([], [], [114.3], [30.6], [500.0], CENTRE).tolist() == []


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.002, 0.02, 0.3, 3.0]),
    st.sampled_from([(114.3, 30.6), (0.0, 0.0), (25.0, 69.0), (-70.0, -50.0)]),
)
def test_points_are_told_as_the_plane_has_them(seed: int, spread: float, centre: tuple[float, float]) -> None:
    random = np.random.default_rng(seed)
    many, few = 400, int(random.integers(1, 30))
    lon, lat = random.normal(centre[0], spread, many), random.normal(centre[1], spread, many)
    lon[:20], lat[:20] = centre
    places = random.normal(centre[0], spread, few), random.normal(centre[1], spread, few)
    reach = random.choice([300.0, 500.0, 1500.0, 20_000.0], few)
    found = in_reach(lon, lat, *places, reach, centre)
    assert found.tolist() == on_the_plane(lon, lat, *places, reach, centre).tolist()
