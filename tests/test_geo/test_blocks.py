"""Blocks: which touch, which do not, and what they weigh; worked out by hand."""

from __future__ import annotations

import h3
import numpy as np
import pytest
from geopandas import GeoSeries
from shapely import LineString, MultiPolygon, Polygon, box

from geo import blocks
from geo.crs import local_metric
from geo.errors import CrsError, GeoError

METRIC = local_metric(114.3, 30.5)


def beside(found: blocks.Blocks, block: int) -> list[int]:
    return found.neighbours[found.starts[block] : found.starts[block + 1]].tolist()


@pytest.fixture
def squares() -> GeoSeries:
    """
    Return four squares of 1 km and one far away.

    C D
    A B      E
    """
    corners = [(0, 0), (1, 0), (0, 1), (1, 1), (9, 0)]
    shapes = [box(x * 1000, y * 1000, x * 1000 + 1000, y * 1000 + 1000) for x, y in corners]
    return GeoSeries(shapes, index=list("ABCDE"), crs=METRIC)


def test_squares_touch_along_sides_and_not_at_corners(squares: GeoSeries) -> None:
    found = blocks.polygon_blocks(squares)
    assert [beside(found, block) for block in range(5)] == [[1, 2], [0, 3], [0, 3], [1, 2], []]
    assert found.border_m == pytest.approx(np.full(8, 1000.0))
    assert found.ids.tolist() == list("ABCDE")


def test_a_block_in_two_pieces_touches_what_either_touches(squares: GeoSeries) -> None:
    squares["A"] = MultiPolygon([squares["A"], box(8000, 0, 9000, 1000)])
    found = blocks.polygon_blocks(squares)
    assert beside(found, 0) == [1, 2, 4]


def test_a_barrier_parts_blocks_and_a_bridge_joins_them(squares: GeoSeries) -> None:
    found = blocks.polygon_blocks(squares)
    river = LineString([(-10, 1000), (1200, 1000)])  # ends before B and D's middles
    assert [beside(blocks.parted(found, [river]), block) for block in range(4)] == [[1], [0, 3], [3], [1, 2]]
    assert blocks.parted(found, []) is found
    assert len(blocks.parted(found, [box(-10, 900, 3000, 1100)]).neighbours) == 4


def test_a_block_in_a_river_belongs_to_the_bank_that_is_nearest(squares: GeoSeries) -> None:
    # 300 m of water from south to north; the middles of B and D lie in it, 100 m from its eastern bank.
    found = blocks.parted(blocks.polygon_blocks(squares), [box(1300, -10, 1600, 2010)])
    assert [beside(found, block) for block in range(4)] == [[2], [3], [0], [1]]


def test_polygons_without_metres_or_without_shape_are_refused(squares: GeoSeries) -> None:
    with pytest.raises(CrsError):
        blocks.polygon_blocks(squares.to_crs(4326))
    squares["B"] = Polygon()
    with pytest.raises(GeoError, match="no shape"):
        blocks.polygon_blocks(squares)


def test_a_hexagon_inside_has_six_neighbours_and_borders_of_its_side() -> None:
    cells = sorted(h3.grid_disk(h3.latlng_to_cell(30.5, 114.3, 9), 1))
    found = blocks.cells_of(cells, 114.3, 30.5)
    counts = sorted(np.diff(found.starts).tolist())
    assert counts == [3, 3, 3, 3, 3, 3, 6]
    assert found.border_m == pytest.approx(np.full(24, h3.average_hexagon_edge_length(9, "m")), rel=0.15)


def test_cells_cover_the_circle_to_its_rim() -> None:
    found = blocks.cells_of_circle(114.3, 30.5, 1500.0, 9)
    rim = blocks.circle(114.3, 30.5, 1500.0).exterior.coords
    lon, lat = np.array(rim).T
    assert (blocks.cell_at(found, lon, lat) >= 0).all()
    assert blocks.cell_at(found, [115.0], [30.5]).tolist() == [-1]


def test_the_resolution_suits_the_size() -> None:
    # A cell of resolution 9 has 0.105 km2 in the mean: 10 km round there are 2,983, of resolution 10 20,880.
    assert blocks.resolution_for(10_000, most=10_000) == 9
    assert blocks.resolution_for(10_000, most=25_000) == 10
    assert blocks.resolution_for(1, most=10) == blocks.FINEST
    assert blocks.resolution_for(5e6, most=10) == blocks.COARSEST


def test_weights_are_sums_over_points_and_nan_counts_nothing() -> None:
    at = [0, 2, 2, -1]
    assert blocks.weights_of(at, 3).tolist() == [1.0, 0.0, 2.0]
    assert blocks.weights_of(at, 3, [5.0, np.nan, 2.0, 9.0]).tolist() == [5.0, 0.0, 2.0]
    assert blocks.weights_of([], 2).tolist() == [0.0, 0.0]


def test_a_pair_counts_once_and_a_block_does_not_touch_itself() -> None:
    found = blocks.linked(list("ab"), [0, 1], [0, 0], [(0, 1), (1, 0), (1, 1)], 7.0)
    assert (found.neighbours.tolist(), found.border_m.tolist()) == ([1, 0], [7.0, 7.0])
    with pytest.raises(GeoError, match="not there"):
        blocks.linked(list("ab"), [0, 1], [0, 0], [(0, 2)], 7.0)
