from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.catchment import (
    circle,
    destination,
    distances_between_m,
    distances_m,
    farthest,
    outliers,
    ring_radius_m,
    rings,
)
from geo.errors import GeoError

GEOD = Geod(ellps="WGS84")
metres = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40)
shares = st.floats(0.001, 1.0)
lons, lats = st.floats(-180.0, 180.0), st.floats(-90.0, 90.0)


def test_distances_along_the_street_are_whole_hundreds(toy_town) -> None:
    lon, lat = toy_town.at(toy_town.customers_m)
    assert np.allclose(distances_m(toy_town.lon, toy_town.lat, lon, lat), toy_town.customers_m, atol=1e-6)


def test_distances_round_a_branch_agree_with_pyproj() -> None:
    random = np.random.default_rng(5)
    for lon0, lat0 in ((114.3, 30.6), (87.6, 43.8), (109.5, 18.3), (116.4, 39.9)):
        lon, lat = lon0 + random.normal(0.0, 1.0, 2000), lat0 + random.normal(0.0, 1.0, 2000)
        expected = GEOD.inv(np.full(2000, lon0), np.full(2000, lat0), lon, lat)[2]
        assert np.abs(distances_m(lon0, lat0, lon, lat) - expected).max() < 1e-5


@given(lons, lats, lons, lats)
def test_distances_agree_with_pyproj_all_over_the_earth(
    lon0: float, lat0: float, lon: float, lat: float
) -> None:
    expected = GEOD.inv(lon0, lat0, lon, lat)[2]
    assert distances_m(lon0, lat0, [lon], [lat])[0] == pytest.approx(expected, abs=1e-4)


def test_the_other_side_of_the_earth_is_measured_too() -> None:
    expected = GEOD.inv(114.0, 30.0, -66.3, -29.9)[2]
    assert distances_m(114.0, 30.0, [-66.3], [-29.9])[0] == pytest.approx(expected, abs=1e-3)


def test_the_branch_itself_is_at_0_and_no_position_at_no_distance() -> None:
    found = distances_m(114.0, 30.0, [114.0, np.nan, 114.0], [30.0, 30.0, np.inf])
    assert found[0] == 0.0
    assert np.isnan(found[1:]).all()


def test_rings_hold_their_share_of_the_customers(toy_town) -> None:
    assert rings(toy_town.customers_m) == {0.8: 800.0, 0.95: 1000.0, 1.0: 1000.0}
    assert ring_radius_m(toy_town.customers_m, 0.1) == 100.0
    assert ring_radius_m(toy_town.customers_m, 0.11) == 200.0


def test_rings_by_weight_follow_the_people(toy_town) -> None:
    # 29 people, 20 of them at 1,000 m: 9 within 900 m are 31 %.
    assert rings(toy_town.customers_m, (0.3, 0.32, 1.0), toy_town.size) == {
        0.3: 900.0,
        0.32: 1000.0,
        1.0: 1000.0,
    }


def test_shares_are_not_lost_to_rounding() -> None:
    # 0.07 x 100 is 7.000000000000001 to a computer.
    hundred = np.arange(1.0, 101.0)
    assert ring_radius_m(hundred, 0.07) == 7.0
    assert ring_radius_m(hundred, 0.07, np.full(100, 0.1)) == 7.0


def test_nothing_weighs_nothing() -> None:
    assert math.isnan(ring_radius_m([], 0.8))
    assert math.isnan(ring_radius_m([np.nan], 0.8))
    assert math.isnan(ring_radius_m([5.0], 0.8, [0.0]))
    assert math.isnan(ring_radius_m([5.0], 0.8, [np.nan]))


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, math.nan])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(GeoError, match="share"):
        ring_radius_m([1.0], share)


@given(metres, shares)
def test_a_ring_is_the_smallest_that_holds_the_share(distances: list[float], share: float) -> None:
    radius = ring_radius_m(distances, share)
    count, needed = len(distances), share * len(distances) * (1 - 1e-8)
    assert radius in distances
    assert sum(d <= radius for d in distances) >= needed
    assert sum(d < radius for d in distances) < share * count


@given(metres, shares)
def test_equal_weights_weigh_as_none(distances: list[float], share: float) -> None:
    weights = np.full(len(distances), 4.0)
    assert ring_radius_m(distances, share, weights) == ring_radius_m(distances, share)


def test_the_farthest_merchant_sets_the_radius_until_it_is_set_aside(toy_town) -> None:
    distance = np.array(toy_town.merchants_m)
    assert farthest(distance, np.ones(4, dtype=bool)) == 3
    assert farthest(distance, np.array([True, True, True, False])) == 2
    assert farthest(distance, np.zeros(4, dtype=bool)) is None
    assert farthest([], []) is None
    assert farthest([np.nan], [True]) is None


def test_of_two_equally_far_the_smaller_id_is_taken() -> None:
    assert farthest([7.0, 9.0, 9.0], [True, True, True]) == 1
    assert farthest([7.0, 9.0, 9.0], [True, True, True], ids=[1, 30, 20]) == 2
    assert farthest([0.0], [True]) == 0


def test_outliers_lie_beyond_three_times_the_spread(toy_town) -> None:
    # Quartiles of 100 … 1000 and 5000: 350 and 850; the line is 850 + 3 x 500 = 2350.
    distance = np.array([*toy_town.customers_m, 2350.0 - 1350.0, 5000.0])[[*range(10), 11]]
    assert outliers(distance).tolist() == [False] * 10 + [True]
    assert not outliers(distance, distance < 5000.0).any()
    assert not outliers([]).any()
    assert outliers([np.nan, 1.0]).tolist() == [False, False]


def test_exactly_on_the_line_is_no_outlier() -> None:
    # Quartiles of 0, 0, 0, 4, 4, 4, 16: 0 and 4; the line is 4 + 3 x 4 = 16.
    assert not outliers([0, 0, 0, 4, 4, 4, 16.0]).any()
    assert outliers([0, 0, 0, 4, 4, 4, 16.001])[-1]


@given(st.floats(73.0, 135.0), st.floats(4.0, 53.0), st.floats(1.0, 100_000.0))
def test_every_vertex_of_a_circle_is_at_its_radius(lon: float, lat: float, radius_m: float) -> None:
    shape = circle(lon, lat, radius_m)
    ring = np.array(shape.exterior.coords)
    assert shape.is_valid
    assert shape.exterior.is_ccw
    assert len(ring) == 181
    assert np.allclose(distances_m(lon, lat, ring[:, 0], ring[:, 1]), radius_m, atol=1e-4)


@pytest.mark.parametrize("radius_m", [0.0, -1.0, math.nan, math.inf])
def test_a_circle_without_a_radius_is_refused(radius_m: float) -> None:
    with pytest.raises(GeoError, match="radius"):
        circle(114.0, 30.0, radius_m)


def test_a_circle_needs_three_vertices() -> None:
    with pytest.raises(GeoError, match="vertices"):
        circle(114.0, 30.0, 100.0, vertices=2)


def test_a_destination_lies_where_it_should() -> None:
    lon, lat = destination(114.0, 30.0, 0.0, 1000.0)
    assert lon == pytest.approx(114.0)
    assert distances_m(114.0, 30.0, [lon], [lat])[0] == pytest.approx(1000.0, abs=1e-6)
    assert lat > 30.0


def test_distances_pair_by_pair() -> None:
    lon, lat = np.array([[114.0, 87.6], [109.5, 116.4]]), np.array([[30.0, 43.8], [18.3, 39.9]])
    found = distances_between_m(lon, lat, lon[::-1], lat[::-1])
    expected = GEOD.inv(lon, lat, lon[::-1], lat[::-1])[2]
    assert found.shape == (2, 2)
    assert np.abs(found - expected).max() < 1e-4
