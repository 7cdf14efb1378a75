"""Blocks with outlines: cut where ground is taken, finer where much lies, and put together again."""

from __future__ import annotations

import h3
import numpy as np
import pytest
import shapely

from geo import parcels
from geo.errors import GeoError
from geo.planes import Plane
from geo.plans import Frame

FRAME = Frame(114.3, 30.5, 600.0, 9)
PLANE = Plane(114.3, 30.5)


def area(made: parcels.Parcels) -> float:
    """Return the area of all blocks."""
    return float(shapely.area(made.outlines).sum())


def whole(made: parcels.Parcels) -> None:
    """Check that blocks share no ground, and touch as the list of neighbours says."""
    assert shapely.area(shapely.union_all(made.outlines, grid_size=1e-4)) == pytest.approx(
        area(made), rel=1e-7
    )
    owners = made.blocks.owners
    apart = shapely.distance(made.outlines[owners], made.outlines[made.blocks.neighbours])
    assert apart.max() < 0.01
    pairs = set(zip(owners.tolist(), made.blocks.neighbours.tolist(), strict=True))
    assert pairs == {(b, a) for a, b in pairs}


def test_a_heavy_cell_is_parted_into_the_cells_below_it() -> None:
    cells = parcels.cells(FRAME)
    made = parcels.finer(cells, [3], FRAME)
    whole(made)
    assert len(made) == len(cells) + 6 and area(made) == pytest.approx(area(cells), rel=1e-7)
    below = [name for name in made.blocks.ids if h3.get_resolution(name) == 10]
    assert {h3.cell_to_parent(name, 9) for name in below} == {cells.blocks.ids[3]}
    assert parcels.finer(made, [], FRAME) is made


def test_points_lie_in_the_block_that_holds_them() -> None:
    made = parcels.finer(parcels.cells(FRAME), [0, 5], FRAME)
    middles = shapely.point_on_surface(made.outlines)
    at = shapely.get_coordinates([PLANE.degrees(point) for point in middles])
    assert parcels.parcel_at(made, FRAME, at[:, 0], at[:, 1]).tolist() == list(range(len(made)))
    assert parcels.parcel_at(made, FRAME, [0.0], [0.0]).tolist() == [-1]


def test_ground_that_is_taken_is_left_and_its_rim_is_blocks() -> None:
    cells = parcels.cells(FRAME)
    taken = shapely.box(-250.0, -60.0, 2000.0, 60.0)  # a street through the middle, to the rim and beyond
    made = parcels.less(cells, taken)
    whole(made)
    lost = shapely.area(shapely.intersection(shapely.union_all(cells.outlines), taken))
    assert area(made) == pytest.approx(area(cells) - lost, abs=len(cells))
    north = made.blocks.y > 60.0
    crossing = north[made.blocks.owners] != north[made.blocks.neighbours]
    x = made.blocks.x[made.blocks.owners[crossing]]
    assert crossing.any() and x.max() < 0.0  # round the street's western end alone


def test_blocks_are_cut_along_zones_drawn_by_hand() -> None:
    cells = parcels.cells(FRAME)
    west, east = shapely.box(-400.0, -300.0, 37.0, 300.0), shapely.box(37.0, -300.0, 400.0, 300.0)
    made, zone = parcels.along(cells, np.array([west, east]))
    whole(made)
    for at, shape in enumerate((west, east)):
        own = shapely.union_all(made.outlines[zone == at], grid_size=1e-4)
        assert own.symmetric_difference(shape).area < 2.0 * len(cells)
    assert area(made) == pytest.approx(area(cells), abs=len(cells))


def test_polygons_are_blocks_and_ground_counts_once() -> None:
    squares = [shapely.box(x, 0.0, x + 210.0, 200.0) for x in (0.0, 200.0)]
    apart = shapely.MultiPolygon(
        [shapely.box(0.0, 230.0, 200.0, 400.0), shapely.box(0.0, 900.0, 50.0, 950.0)]
    )
    made = parcels.polygons(FRAME, [PLANE.degrees(each) for each in (*squares, apart)], ["A", "B", "C"])
    assert made.blocks.ids.tolist() == ["A", "B", "C", "2.1"]
    assert shapely.area(made.outlines) == pytest.approx([42_000, 40_000, 34_000, 2_500], rel=1e-4)
    beside = {
        (made.blocks.ids[a], made.blocks.ids[b])
        for a, b in zip(made.blocks.owners, made.blocks.neighbours, strict=True)
    }
    assert ("A", "B") in beside and ("A", "C") in beside and not any("2.1" in pair for pair in beside)
    with pytest.raises(GeoError, match="no blocks"):
        parcels.polygons(FRAME, [])
