"""Clusters of points: found where crowds are, at the scale asked for, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cluster_hulls
from geo.cluster_ground import Lattice
from geo.clusters import SCALES, clusters
from geo.errors import GeoError


def crowd(seed, count, width, x=0.0, y=0.0):
    spots = np.random.default_rng(seed).normal(0.0, width, (count, 2))
    return spots + [x, y]


@pytest.fixture
def three():
    """Three crowds two kilometres apart, of 200, 100 and 50, and a stray far from each."""
    spots = [crowd(1, 200, 80.0), crowd(2, 100, 80.0, 2_000.0), crowd(3, 50, 80.0, 0.0, 2_000.0)]
    return np.concatenate([*spots, [[900.0, 900.0]]])


def test_crowds_are_found_the_largest_first(three):
    found = clusters(*three.T)
    assert len(found) == 3
    assert found.size.tolist() == sorted(found.size.tolist(), reverse=True)
    assert (found.label[:200] == 0).mean() > 0.97
    assert (found.label[200:300] == 1).mean() > 0.97
    assert (found.label[300:350] == 2).mean() > 0.95


def test_a_stray_is_noise_and_all_points_are_counted(three):
    found = clusters(*three.T)
    assert found.label[-1] == -1
    assert found.points.sum() + found.noise_points == len(three)
    assert found.size.sum() + found.noise == len(three)


def test_a_cluster_says_where_it_is_densest(three):
    found = clusters(*three.T)
    assert np.hypot(found.x[0], found.y[0]) < 80.0
    assert np.hypot(found.x[1] - 2_000.0, found.y[1]) < 80.0


def test_the_same_points_in_any_order_give_the_same_clusters(three):
    order = np.random.default_rng(4).permutation(len(three))
    one, other = clusters(*three.T), clusters(*three[order].T)
    assert (one.label[order] == other.label).all()


def test_crowds_at_a_crossing_are_one_in_the_district_and_two_at_the_corner():
    spots = np.concatenate([crowd(5, 300, 35.0), crowd(6, 300, 35.0, 260.0)])
    assert len(clusters(*spots.T, scale="corner")) == 2
    assert len(clusters(*spots.T, scale="district")) == 1


def test_a_thin_wide_crowd_is_one_cluster_and_not_many():
    spots = crowd(7, 150, 400.0)
    found = clusters(*spots.T)
    assert len(found) == 1
    assert found.points[0] >= 0.8 * len(spots)


def test_points_strewn_evenly_are_no_clusters():
    spots = np.random.default_rng(8).uniform(0.0, 6_000.0, (600, 2))
    found = clusters(*spots.T)
    assert found.noise_points > 0.8 * len(spots)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_few_points_are_no_cluster(scale, count):
    found = clusters(np.zeros(count), np.zeros(count), scale=scale)
    assert len(found) == 0
    assert found.noise_points == count
    assert found.hulls() == []


def test_many_at_one_position_are_an_address_and_no_cluster():
    found = clusters(np.full(500, 3.0), np.full(500, 4.0))
    assert len(found) == 0
    assert found.noise == 500.0


def test_one_target_group_of_many_people_is_no_cluster():
    assert len(clusters([0.0], [0.0], [5_000.0])) == 0


def test_people_weigh(three):
    weight = np.ones(len(three))
    weight[200:300] = 4.0
    found = clusters(*three.T, weight)
    assert found.size[0] == 4.0 * found.points[0]
    assert np.bincount(found.label[200:300] + 1).argmax() - 1 == 0


def test_a_position_at_the_end_of_the_world_spoils_nothing(three):
    far = np.concatenate([three, [[9e6, -9e6]]])
    assert (clusters(*far.T).label[:-1] == clusters(*three.T).label).all()


def test_what_is_no_position_or_scale_is_refused():
    with pytest.raises(GeoError, match="positions"):
        clusters([np.nan], [0.0])
    with pytest.raises(GeoError, match="village"):
        clusters([0.0], [0.0], scale="village")


def test_other_points_lie_in_the_cluster_whose_cells_hold_them(three):
    found = clusters(*three.T)
    assert found.at([0.0, 2_000.0, 900.0], [0.0, 0.0, 900.0]).tolist() == [0, 1, -1]
    assert (found.at(*three.T) == found.label).all()


def test_numbers_of_cells_lead_back_to_rows_and_columns():
    window = Lattice(west=-3, south=-2, columns=4, rows=3, cell_m=10.0)
    row, column = cluster_hulls.places(cluster_hulls.numbers(np.arange(12), window))
    assert row.tolist() == [-2] * 4 + [-1] * 4 + [0] * 4
    assert column.tolist() == [-3, -2, -1, 0] * 3


def test_a_hull_is_the_ground_of_the_cells():
    square = np.array([cluster_hulls.number(row, column) for row in range(4) for column in range(4)])
    (hull,) = cluster_hulls.hulls([square], 10.0)
    assert hull.equals(shapely.box(0.0, 0.0, 40.0, 40.0))


def test_a_hole_is_closed_unless_another_cluster_lies_in_it():
    block = [
        (row, column) for row in range(9) for column in range(9) if not (3 <= row < 6 and 3 <= column < 6)
    ]
    ring = np.array([cluster_hulls.number(*each) for each in block])
    inside = np.array([cluster_hulls.number(row, column) for row in range(3, 6) for column in range(3, 6)])
    assert cluster_hulls.hulls([ring], 10.0)[0].area == 8_100.0
    both = cluster_hulls.hulls([ring, inside], 10.0)
    assert both[0].intersection(both[1]).area == 0.0
    assert not both[1].is_empty


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(SCALES)))
def test_hulls_are_valid_and_none_lies_over_another(seed, scale):
    random = np.random.default_rng(seed)
    middles = random.uniform(0.0, 2_500.0, (8, 2))
    spots = np.concatenate([crowd(seed + at, 80, 90.0, *middle) for at, middle in enumerate(middles)])
    found = clusters(*spots.T, scale=scale)
    hulls = found.hulls()
    assert len(hulls) == len(found)
    assert all(hull.is_valid and hull.area > 0.0 for hull in hulls)
    for at, hull in enumerate(hulls):
        assert all(hull.intersection(other).area < 1e-6 for other in hulls[at + 1 :])
