"""Zones painted block by block, and gaps filled: blocks are kept whole, ground is never in two zones."""

from __future__ import annotations

import time
from typing import Any

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from geo import drawing
from geo.catchment import circle
from geo.errors import GeoError
from geo.lattice import cells_in, ground_of_cells, lattice, zones_of_blocks
from geo.planes import Plane, tiled
from geo.plans import Barrier, Frame, Plan, Zone

LON, LAT = 114.3, 30.5
PLANE = Plane(LON, LAT)
FRAME = Frame(LON, LAT, 3_000.0, 9)
HOME = h3.latlng_to_cell(LAT, LON, 9)
RING = sorted(set(h3.grid_disk(HOME, 1)) - {HOME})
NORTH, SOUTH = RING[:3], RING[3:]


def degrees(shape: Any) -> Any:
    return shapely.transform(shape, PLANE._to_degrees)


def square(*sides: float) -> Any:
    return degrees(box(*sides))


WEST, EAST = Zone(1, "W", square(-1500, -500, -500, 500)), Zone(2, "E", square(500, -500, 1500, 500))


def zone(number: int, cells: list[str], **more: Any) -> Zone:
    return Zone(number, f"Z{number}", PLANE.degrees(ground_of_cells(FRAME, cells)), **more)


def cells_of(plan: Plan, zone_id: int) -> list[str]:
    """Return the blocks whose middle a zone holds."""
    return sorted(cells_in(plan.frame, PLANE.metres(plan.zone(zone_id).shape)))


def area(plan: Plan, zone_id: int) -> float:
    return float(PLANE.metres(plan.zone(zone_id).shape).area)


@pytest.fixture
def flower() -> Plan:
    """Return seven blocks: the one in the middle is zone 1, the six round it are zone 2."""
    return Plan(FRAME, (zone(1, [HOME]), zone(2, RING)))


def test_painted_blocks_change_hands_whole(flower: Plan) -> None:
    change = drawing.painted(flower, [RING[0]], 1)
    after = flower.after(change)
    assert (change.what, [move.zone_id for move in change.moves]) == ("painted", [1, 2])
    assert cells_of(after, 1) == sorted([HOME, RING[0]]) and cells_of(after, 2) == sorted(RING[1:])
    whole = PLANE.metres(zone(9, [HOME, RING[0]]).shape)
    assert PLANE.metres(after.zone(1).shape).symmetric_difference(whole).area < 0.01
    assert area(after, 1) + area(after, 2) == pytest.approx(area(flower, 1) + area(flower, 2), abs=0.1)


def test_what_a_zone_has_already_is_no_change(flower: Plan) -> None:
    assert not drawing.painted(flower, RING, 2)
    assert not drawing.painted(flower, [], 2) and not drawing.painted(flower, [], None)


def test_a_zone_painted_away_is_there_no_more(flower: Plan) -> None:
    after = flower.after(drawing.painted(flower, RING, 1))
    assert after.ids == (1,) and cells_of(after, 1) == sorted([HOME, *RING])


def test_painted_to_no_zone_the_ground_is_nobodys(flower: Plan) -> None:
    after = flower.after(drawing.painted(flower, [HOME, RING[0]], None))
    assert after.ids == (2,) and cells_of(after, 2) == sorted(RING[1:])
    assert flower.after(drawing.painted(flower, [HOME, *RING], None)).ids == ()


def test_a_locked_zone_keeps_its_blocks_and_gets_none(flower: Plan) -> None:
    plan = flower.after(drawing.edited(flower, 2, locked=True))
    assert not drawing.painted(plan, RING[:2], 1) and not drawing.painted(plan, RING[:2], None)
    with pytest.raises(GeoError, match="Z2 is locked"):
        drawing.painted(plan, [HOME], 2)


def test_beside_a_locked_zone_a_block_is_painted_but_for_its_ground() -> None:
    """The locked zone's edge runs through blocks whose middle it does not hold."""
    fence = box(40, -2000, 2000, 2000)
    plan = Plan(
        FRAME,
        (
            Zone(1, "fence", PLANE.degrees(fence), locked=True),
            Zone(2, "home", degrees(box(-900, 0, -800, 100))),
        ),
    )
    after = plan.after(drawing.painted(plan, lattice(FRAME).blocks.ids.tolist(), 2))
    assert after.zone(1) == plan.zone(1)
    assert PLANE.metres(after.zone(2).shape).intersection(fence).area <= 1.0
    assert not set(cells_of(after, 2)) & set(cells_of(plan, 1))


def test_crumbs_of_a_drawn_zone_go_with_the_stroke() -> None:
    """A square less than a block wide of ground beyond the painted blocks is no zone of its own."""
    plan = Plan(
        FRAME,
        (Zone(1, "drawn", degrees(box(-400, -400, 400, 400))), zone(2, [h3.latlng_to_cell(30.52, LON, 9)])),
    )
    own = cells_of(plan, 1)
    assert len(own) > 3
    after = plan.after(drawing.painted(plan, own, 2))
    assert after.ids == (2,)
    gone = plan.after(drawing.painted(plan, own, None))
    assert gone.ids == (2,)


@pytest.mark.parametrize(
    "cell", ["", "no cell", h3.latlng_to_cell(30.9, 114.9, 8), h3.latlng_to_cell(LAT, LON, 10)]
)
def test_what_is_no_block_of_the_plan_is_refused(flower: Plan, cell: str) -> None:
    with pytest.raises(GeoError, match="is no block of this plan"):
        drawing.painted(flower, [cell], 1)


def test_a_stroke_covers_the_blocks_it_goes_through_and_those_whose_middle_it_is_over(flower: Plan) -> None:
    start, end = (PLANE.corners(np.array([h3.cell_to_latlng(cell)[::-1]]))[0] for cell in (HOME, RING[0]))
    stroke = degrees(LineString([start, end]))
    assert drawing.stroke_cells(flower, stroke, 0.0) == sorted([HOME, RING[0]])
    dab = degrees(Point(start))
    assert drawing.stroke_cells(flower, dab, 0.0) == [HOME]
    assert drawing.stroke_cells(flower, dab, 800.0) == sorted([HOME, *RING])
    assert drawing.stroke_cells(flower, degrees(LineString([(9e4, 9e4), (9.1e4, 9e4)])), 10.0) == []
    with np.errstate(invalid="ignore"):
        assert drawing.stroke_cells(flower, LineString([(np.nan, 1), (2, 2)]), 10.0) == []


def test_a_stroke_may_leave_the_circle(flower: Plan) -> None:
    cells = drawing.stroke_cells(flower, degrees(Point(3600, 0)), 900.0)
    beyond = [cell for cell in cells if cell not in lattice(FRAME).place]
    assert beyond and set(cells_of(flower.after(drawing.painted(flower, cells, 1)), 1)) >= set(cells)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 36), st.sampled_from([1, 2, 3, None])), min_size=1, max_size=25))
def test_however_it_is_painted_each_block_is_where_the_last_stroke_put_it(strokes: list[Any]) -> None:
    disk = sorted(h3.grid_disk(HOME, 3))
    plan = Plan(FRAME, (zone(1, disk[:12]), zone(2, disk[12:24]), zone(3, disk[24:])))
    owner = {cell: 1 + min(at // 12, 2) for at, cell in enumerate(disk)}
    for at, target in strokes:
        if target is not None and target not in plan:
            continue
        plan = plan.after(drawing.painted(plan, [disk[at]], target))
        owner[disk[at]] = target  # type: ignore[assignment]
    for number in (1, 2, 3):
        expected = sorted(cell for cell, its in owner.items() if its == number)
        assert (cells_of(plan, number) if number in plan else []) == expected
        assert number not in plan or plan.zone(number).shape.is_valid


def test_a_stroke_in_a_plan_of_fifty_zones_takes_a_moment() -> None:
    frame = Frame(LON, LAT, 6_500.0, 10)
    known = lattice(frame)
    seeds = np.random.default_rng(0).uniform(-5000, 5000, (50, 2))
    at = np.argmin(
        (known.blocks.x[:, None] - seeds[:, 0]) ** 2 + (known.blocks.y[:, None] - seeds[:, 1]) ** 2, 1
    )
    shapes = [PLANE.degrees(tiled(known.outlines[at == each])) for each in range(50)]
    plan = Plan(frame, tuple(Zone(each + 1, f"Z{each}", shape) for each, shape in enumerate(shapes)))
    assert len(known.blocks) > 10_000
    assert (zones_of_blocks(plan) == at).all()
    stroke = degrees(LineString([(-600, -500), (0, 100), (500, 600)]))
    took = []
    for _ in range(3):
        started = time.perf_counter()
        change = drawing.painted(plan, drawing.stroke_cells(plan, stroke, 200.0), 7)
        took.append(time.perf_counter() - started)
    assert change and min(took) < 0.2  # 0.01 s where nothing else runs


# --- gaps -------------------------------------------------------------------------------------------------


def gap_m2(plan: Plan) -> float:
    scope = PLANE.metres(circle(LON, LAT, FRAME.radius_m))
    return float(scope.difference(shapely.union_all([PLANE.metres(each.shape) for each in plan.zones])).area)


def test_gaps_go_to_the_nearest_zone_in_one_piece() -> None:
    plan = Plan(
        FRAME,
        (
            Zone(1, "W", degrees(box(-1500, -500, -500, 500))),
            Zone(2, "E", degrees(box(500, -500, 1500, 500))),
        ),
    )
    after = plan.after(drawing.filled(plan))
    assert gap_m2(after) <= 1.0
    for number, side in ((1, -1), (2, 1)):
        ground = PLANE.metres(after.zone(number).shape)
        assert ground.geom_type == "Polygon" and ground.is_valid
        assert ground.contains(Point(side * 2_500, 0)) and ground.contains(Point(side * 400, 1_500))
    assert PLANE.metres(after.zone(1).shape).intersection(PLANE.metres(after.zone(2).shape)).area <= 1.0
    assert not drawing.filled(after)


def test_a_gap_behind_a_barrier_goes_to_a_zone_on_its_own_side() -> None:
    """W is nearer to the north bank's west, and has no bridge."""
    river = Barrier("River", degrees(LineString([(-4000, 600), (4000, 600)])))
    frame = Frame(LON, LAT, 3_000.0, 9, barriers=(river,))
    zones = (
        Zone(1, "W", degrees(box(-2500, -500, -500, 500))),
        Zone(2, "N", degrees(box(1200, 900, 1800, 1500))),
    )
    after = Plan(frame, zones).after(drawing.filled(Plan(frame, zones)))
    assert gap_m2(after) <= 1.0
    assert PLANE.metres(after.zone(2).shape).contains(Point(-1500, 1500))


def test_a_locked_zone_gets_nothing_and_alone_there_is_nobody_to_fill() -> None:
    zones = (
        Zone(1, "W", degrees(box(-1500, -500, -500, 500)), locked=True),
        Zone(2, "E", degrees(box(500, -500, 1500, 500))),
    )
    plan = Plan(FRAME, zones)
    after = plan.after(drawing.filled(plan))
    assert after.zone(1) == plan.zone(1) and gap_m2(after) <= 1.0
    with pytest.raises(GeoError, match="no unlocked zone"):
        drawing.filled(Plan(FRAME, plan.zones[:1]))
