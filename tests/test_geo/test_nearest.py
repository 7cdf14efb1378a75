"""The nearest other of many points, and which of two places is nearer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.catchment import distances_between_m
from geo.nearest import nearer_than, nearest_m

degrees = st.integers(0, 40).map(lambda step: step / 1000)


def test_the_nearest_of_a_row_of_shops():
    # 100 m, 200 m and 700 m east of a branch: 100 and 200 are each other's nearest.
    east, north, _ = Geod(ellps="WGS84").fwd([114.3] * 3, [30.5] * 3, [90] * 3, [100, 200, 700])
    assert nearest_m(east, north).tolist() == pytest.approx([100, 100, 500], rel=1e-6)


def test_one_alone_has_no_nearest_and_none_is_no_trouble():
    assert np.isnan(nearest_m([114.3], [30.5])).all()
    assert nearest_m([], []).tolist() == []


def test_two_at_one_spot_are_at_no_distance():
    assert nearest_m([1.0, 1.0, 2.0], [1.0, 1.0, 1.0])[:2].tolist() == [0.0, 0.0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(degrees, degrees), min_size=2, max_size=40))
def test_the_nearest_is_the_least_of_all_distances(steps):
    lon, lat = (np.array(steps) + [114.3, 30.5]).T
    apart = distances_between_m(
        *(np.repeat(each, len(lon)) for each in (lon, lat)), *(np.tile(each, len(lon)) for each in (lon, lat))
    )
    apart = apart.reshape(len(lon), len(lon)) + np.diag(np.full(len(lon), np.inf))
    assert nearest_m(lon, lat) == pytest.approx(apart.min(axis=1), rel=1e-5, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(degrees, degrees, degrees), max_size=30),
    st.lists(st.tuples(degrees, degrees, degrees), max_size=8),
)
def test_nearer_is_nearer_than_the_place_and_equally_near_is_not(points, others):
    points, others = np.array(points).reshape(-1, 3), np.array(others).reshape(-1, 3)
    place = np.array([0.02, 0.02, 0.0])
    own = ((points - place) ** 2).sum(axis=1)
    theirs = ((points[:, None] - others[None]) ** 2).sum(axis=2).min(axis=1, initial=np.inf)
    assert nearer_than(points, place, others).tolist() == (theirs < own).tolist()
