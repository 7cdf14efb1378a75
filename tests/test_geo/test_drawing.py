"""
Zones changed by hand; metres round the branch, worked out by hand.

The plan most tests start from, a kilometre a zone, the branch at A's lower left corner:

    A B
"""

from __future__ import annotations

from typing import Any

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, affinity, box

from geo import drawing
from geo.catchment import GEOD
from geo.crs import local_metric, to_metric
from geo.errors import GeoError, Overlaps
from geo.planes import Plane
from geo.plans import Change, Frame, Plan, Zone

LON, LAT = 114.3, 30.5
PLANE = Plane(LON, LAT)
PAIR = (7, 8)
FRAME = Frame(LON, LAT, 3_000.0, 9)


def at(west: float, south: float, east: float, north: float) -> Any:
    """Return a rectangle in degrees from its sides in metres."""
    return PLANE.degrees(box(west, south, east, north))


def line(*corners: tuple[float, float]) -> Any:
    return shapely.transform(LineString(corners), PLANE._to_degrees)


def ground(plan: Plan, zone_id: int) -> Any:
    """Return a zone in metres, measured as the house measures and not by the plane under test."""

    def metres(corners: Any) -> Any:
        return np.column_stack(to_metric(corners[:, 0], corners[:, 1], local_metric(LON, LAT)))

    return shapely.transform(plan.zone(zone_id).shape, metres)


def area(plan: Plan, zone_id: int) -> float:
    return float(ground(plan, zone_id).area)


def check_sound(plan: Plan) -> None:
    """Every zone is a valid area, and no two share ground."""
    grounds = [ground(plan, each) for each in plan.ids]
    for shape in grounds:
        assert shape.is_valid and shape.area > 1.0 and shapely.get_type_id(shape) in (3, 6)
    for one in range(len(grounds)):
        for other in range(one):
            assert grounds[one].intersection(grounds[other]).area <= 1.0


@pytest.fixture
def two() -> Plan:
    return Plan(
        FRAME, (Zone(1, "A", at(0, 0, 1000, 1000)), Zone(2, "B", at(1000, 0, 2000, 1000), pair=(7, 8)))
    )


# --- drawn ------------------------------------------------------------------------------------------------


def test_a_zone_is_added_under_the_next_number_and_the_plan_is_left_alone(two: Plan) -> None:
    change = drawing.drawn(two, at(0, 1500, 500, 2000), name=" 人民路 ", kind="community")
    after = two.after(change)
    assert (change.what, two.ids, after.ids) == ("drawn", (1, 2), (1, 2, 3))
    assert (after.zone(3).name, after.zone(3).kind, after.zone(3).pair) == ("人民路", "community", ())
    assert area(after, 3) == pytest.approx(250_000.0, abs=1.0)
    assert after.after(change.inverse).zones == two.zones


def test_a_number_is_never_given_twice(two: Plan) -> None:
    without = two.after(drawing.removed(two, 2))
    assert without.after(drawing.drawn(without, at(0, 1500, 500, 2000), name="C")).ids == (1, 3)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "A"])
def test_a_zone_needs_a_name_of_its_own(two: Plan, name: str) -> None:
    with pytest.raises(GeoError, match="name"):
        drawing.drawn(two, at(0, 1500, 500, 2000), name=name)


@pytest.mark.parametrize("east", [1990.0, 2010.0])
def test_a_border_near_a_neighbours_becomes_the_neighbours(two: Plan, east: float) -> None:
    """Drawn ten metres into B, or ten metres beside it: nobody is asked, and both have one border."""
    after = two.after(drawing.drawn(two, at(east, 0, 3000, 1000), name="C"))
    assert area(after, 3) == pytest.approx(1e6, abs=1.0)
    assert area(after, 2) == pytest.approx(1e6, abs=1.0)
    shared = ground(after, 3).boundary.intersection(ground(after, 2).boundary.buffer(0.01))
    assert shared.length == pytest.approx(1000.0, abs=1.0)
    check_sound(after)


def test_only_the_strip_beside_the_neighbour_is_closed(two: Plan) -> None:
    """Along A's upper border with a gap of 10 m, from the middle of A to the middle of B."""
    after = two.after(drawing.drawn(two, at(500, 1010, 1500, 2000), name="C"))
    assert area(after, 3) == pytest.approx(1000 * 1000, abs=200.0)
    assert ground(after, 3).bounds == pytest.approx((500, 1000, 1500, 2000), abs=0.01)
    check_sound(after)


def test_a_gap_wider_than_the_snapping_distance_stays(two: Plan) -> None:
    after = two.after(drawing.drawn(two, at(2020, 0, 3000, 1000), name="C"))
    assert area(after, 3) == pytest.approx(980_000.0, abs=1.0)
    as_drawn = two.after(drawing.drawn(two, at(2010, 0, 3000, 1000), name="C", snap_m=0.0))
    assert area(as_drawn, 3) == pytest.approx(990_000.0, abs=1.0)


def test_snapping_takes_no_gap_between_two_others() -> None:
    """A and B lie 10 m apart; C is drawn along both, and gets no tongue between them."""
    plan = Plan(FRAME, (Zone(1, "A", at(0, 0, 1000, 1000)), Zone(2, "B", at(1010, 0, 2000, 1000))))
    after = plan.after(drawing.drawn(plan, at(0, 1000, 2000, 2000), name="C"))
    assert area(after, 3) == pytest.approx(2e6, abs=1.0)


def test_ground_of_others_is_asked_about_with_their_numbers(two: Plan) -> None:
    with pytest.raises(Overlaps, match="ground of A, B") as asked:
        drawing.drawn(two, at(500, 500, 1500, 1500), name="C")
    assert asked.value.zones == (1, 2)
    with pytest.raises(GeoError, match="one of ask, take, leave"):
        drawing.drawn(two, at(500, 500, 1500, 1500), name="C", overlap="grab")


def test_taken_the_others_lose_it(two: Plan) -> None:
    after = two.after(drawing.drawn(two, at(500, 500, 1500, 1500), name="C", overlap="take"))
    assert [area(after, each) for each in (1, 2, 3)] == pytest.approx([750_000, 750_000, 1_000_000], abs=1.0)
    check_sound(after)


def test_left_the_new_one_goes_round(two: Plan) -> None:
    after = two.after(drawing.drawn(two, at(500, 500, 1500, 1500), name="C", overlap="leave"))
    assert [area(after, each) for each in (1, 2, 3)] == pytest.approx(
        [1_000_000, 1_000_000, 500_000], abs=1.0
    )
    check_sound(after)


def test_a_zone_covered_wholly_is_gone_or_nothing_is_left_of_the_new_one(two: Plan) -> None:
    outline = at(-5, -5, 1005, 1005)
    after = two.after(drawing.drawn(two, outline, name="C", overlap="take"))
    assert after.ids == (2, 3) and area(after, 3) == pytest.approx(1010**2 - 5 * 1000, abs=1.0)
    with pytest.raises(GeoError, match="Nothing of the outline is left"):
        drawing.drawn(two, at(100, 100, 900, 900), name="C", overlap="leave")


def test_a_sliver_left_of_another_is_taken_too(two: Plan) -> None:
    """C covers A but for ten metres at its western edge."""
    after = two.after(drawing.drawn(two, at(10, 0, 1000, 1000), name="C", overlap="take"))
    assert after.ids == (2, 3) and area(after, 3) == pytest.approx(1e6, abs=1.0)


def test_a_locked_zone_keeps_its_ground_whatever_is_said(two: Plan) -> None:
    plan = two.after(drawing.edited(two, 1, locked=True))
    for overlap, left in (("take", 500_000 + 250_000), ("leave", 500_000)):
        after = plan.after(drawing.drawn(plan, at(500, 500, 1500, 1500), name="C", overlap=overlap))
        assert area(after, 1) == pytest.approx(1e6, abs=1.0)
        assert area(after, 3) == pytest.approx(left, abs=1.0)
        check_sound(after)
    alone = two.after(drawing.edited(two, 1, locked=True))
    cut = alone.after(drawing.drawn(alone, at(-500, 0, 500, 1000), name="C"))  # nobody to ask
    assert area(cut, 3) == pytest.approx(500_000, abs=1.0)


def test_by_blocks_a_zone_is_whole_blocks_whose_middle_the_outline_holds() -> None:
    plan = Plan(FRAME)
    after = plan.after(drawing.drawn(plan, at(-900, -900, 900, 900), name="C", to_blocks=True))
    cells = drawing.stroke_cells(after, after.zone(1).shape, 0.0)
    inside = [
        cell
        for cell in cells
        if ground(after, 1).contains(PLANE.metres(Point(h3.cell_to_latlng(cell)[::-1])))
    ]
    own = [Point(*PLANE.corners(np.array([h3.cell_to_latlng(cell)[::-1]]))[0]) for cell in inside]
    assert all(box(-900, -900, 900, 900).contains(point) for point in own)
    cell_m2 = np.mean([h3.cell_area(cell, unit="m^2") for cell in inside])
    assert area(after, 1) == pytest.approx(len(inside) * cell_m2, rel=0.005)
    with pytest.raises(GeoError, match="the middle of no block"):
        drawing.drawn(plan, at(0, 0, 20, 20), name="C", to_blocks=True)


def test_by_blocks_half_a_block_of_a_neighbour_is_no_overlap() -> None:
    plan = Plan(FRAME, (Zone(1, "A", at(-900, -900, 0, 900)),))
    after = plan.after(drawing.drawn(plan, at(0, -900, 900, 900), name="C", to_blocks=True))
    assert area(after, 1) == pytest.approx(area(plan, 1), abs=1.0)
    check_sound(after)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(-1500, 1500),
            st.floats(-1500, 1500),
            st.floats(60, 1500),
            st.floats(60, 1500),
            st.floats(0, 90),
            st.sampled_from(["take", "leave"]),
            st.booleans(),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_however_zones_are_drawn_none_share_ground_and_locked_ones_stay(boxes: list[Any]) -> None:
    plan = Plan(FRAME)
    for number, (x, y, width, height, angle, overlap, lock) in enumerate(boxes):
        outline = affinity.rotate(box(x, y, x + width, y + height), angle)
        locked = {zone.id: zone for zone in plan.zones if zone.locked}
        before = shapely.union_all([ground(plan, each) for each in plan.ids])
        try:
            after = plan.after(
                drawing.drawn(plan, PLANE.degrees(outline), name=f"Z{number}", overlap=overlap)
            )
        except GeoError as refusal:
            assert "Nothing of the outline is left" in str(refusal)
            continue
        check_sound(after)
        assert {each: after.zone(each) for each in locked} == locked
        now = shapely.union_all([ground(after, each) for each in after.ids])
        assert before.difference(now).area <= 1.0 + 15.0 * outline.length  # but slivers of its own zones
        plan = after
        if lock:
            plan = plan.after(drawing.edited(plan, plan.last_id, locked=True))


# --- reshaped ---------------------------------------------------------------------------------------------


def test_a_zone_is_given_another_outline_and_keeps_the_rest(two: Plan) -> None:
    after = two.after(drawing.reshaped(two, 2, at(1000, 0, 1500, 2000)))
    assert area(after, 2) == pytest.approx(1e6, abs=1.0)
    assert (after.zone(2).pair, after.zone(1)) == (PAIR, two.zone(1))
    moved = two.after(drawing.reshaped(two, 2, at(800, 0, 2000, 1000), overlap="take"))
    assert [area(moved, each) for each in (1, 2)] == pytest.approx([800_000, 1_200_000], abs=1.0)


def test_an_outline_put_back_as_it_was_is_no_change(two: Plan) -> None:
    assert not drawing.reshaped(two, 2, two.zone(2).shape)
    assert drawing.reshaped(two, 2, two.zone(2).shape) == Change("reshaped")


def test_a_locked_zone_is_not_altered_until_it_is_unlocked(two: Plan) -> None:
    plan = two.after(drawing.edited(two, 1, locked=True))
    for work in (
        lambda: drawing.reshaped(plan, 1, at(0, 0, 500, 500)),
        lambda: drawing.split(plan, 1, line((500, -10), (500, 1010))),
        lambda: drawing.merged(plan, 1, 2),
        lambda: drawing.merged(plan, 2, 1),
        lambda: drawing.removed(plan, 1),
        lambda: drawing.edited(plan, 1, pair=(5,)),
        lambda: drawing.painted(plan, [], 1),
    ):
        with pytest.raises(GeoError, match="A is locked"):
            work()
    assert plan.after(drawing.edited(plan, 1, locked=False)).zones == two.zones
    assert plan.after(drawing.edited(plan, 1, note="ok", name="A1")).zone(1).locked


# --- split ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "corners", [[(300, -50), (300, 1050)], [(300, 400), (300, 600)], [(300, -10), (300, 500)]], ids=str
)
def test_a_line_cuts_a_zone_though_it_is_shorter(two: Plan, corners: list[tuple[float, float]]) -> None:
    change = drawing.split(two, 1, line(*corners))
    after = two.after(change)
    assert (change.what, after.ids) == ("split", (1, 2, 3))
    assert [area(after, each) for each in (1, 3)] == pytest.approx([700_000, 300_000], abs=1.0)
    assert (after.zone(1).name, after.zone(3).name) == ("A", "A 2")
    check_sound(after)


def test_a_line_there_and_back_cuts_three(two: Plan) -> None:
    cut = line((-10, 200), (1010, 200), (1010, 700), (-10, 700))
    after = two.after(drawing.split(two, 1, cut, names=["中", "北", "南"]))
    found = {after.zone(each).name: area(after, each) for each in (1, 3, 4)}
    assert found == pytest.approx({"中": 500_000, "北": 300_000, "南": 200_000}, abs=1.0)


def test_pieces_have_the_kind_and_the_people_of_their_zone(two: Plan) -> None:
    after = two.after(drawing.split(two, 2, line((1300, 500), (1300, 501))))
    assert after.zone(3).pair == PAIR and after.zone(3).kind == after.zone(2).kind


@pytest.mark.parametrize(
    "corners",
    [
        [(300, -500), (300, -50)],  # beside it
        [(-500, 0), (1500, 0)],  # along its border
        [(2500, 0), (2500, 1000)],
        [(-500, 500), (0, 500)],  # up to its border
    ],
)
def test_a_line_that_does_not_divide_is_said(two: Plan, corners: list[tuple[float, float]]) -> None:
    with pytest.raises(GeoError, match="does not divide zone A"):
        drawing.split(two, 1, line(*corners))


def test_a_split_needs_a_line_and_names_that_are_free(two: Plan) -> None:
    with pytest.raises(GeoError, match="at least two corners"):
        drawing.split(two, 1, Point(LON, LAT))
    for names in (["A", "B"], ["X", "X"], ["", "Y"]):
        with pytest.raises(GeoError, match="name"):
            drawing.split(two, 1, line((300, 0), (300, 1)), names=names)


def test_the_other_arm_of_a_zone_is_not_cut_with_the_first() -> None:
    """A U of two arms 200 m wide; a short line in the left arm is drawn out to that arm's borders alone."""
    arms = Polygon(
        [(0, 0), (1000, 0), (1000, 1000), (800, 1000), (800, 200), (200, 200), (200, 1000), (0, 1000)]
    )
    plan = Plan(FRAME, (Zone(1, "U", PLANE.degrees(arms)),))
    after = plan.after(drawing.split(plan, 1, line((90, 600), (110, 600))))
    assert [area(after, each) for each in (1, 2)] == pytest.approx([440_000, 80_000], abs=1.0)


@settings(max_examples=60)
@given(
    st.tuples(st.floats(50, 950), st.floats(50, 950)),
    st.tuples(st.floats(50, 950), st.floats(50, 950)),
)
def test_a_line_inside_always_cuts_in_two_and_loses_nothing(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    plan = Plan(FRAME, (Zone(1, "A", at(0, 0, 1000, 1000)),))
    if np.hypot(one[0] - other[0], one[1] - other[1]) < 1.0:
        return
    after = plan.after(drawing.split(plan, 1, line(one, other)))
    assert len(after) == 2
    assert area(after, 1) + area(after, 2) == pytest.approx(1e6, abs=2.0)
    assert area(after, 1) >= area(after, 2)
    check_sound(after)


# --- merged, cut, removed, edited -------------------------------------------------------------------------


def test_two_that_touch_become_the_first(two: Plan) -> None:
    change = drawing.merged(two, 1, 2)
    after = two.after(change)
    assert (change.what, after.ids, after.zone(1).name, after.zone(1).pair) == ("merged", (1,), "A", PAIR)
    assert area(after, 1) == pytest.approx(2e6, abs=1.0)
    assert shapely.get_num_geometries(after.zone(1).shape) == 1


def test_a_strip_between_two_is_closed_unless_it_is_anothers() -> None:
    plan = Plan(FRAME, (Zone(1, "A", at(0, 0, 1000, 1000)), Zone(2, "B", at(1010, 0, 2000, 1000))))
    assert area(plan.after(drawing.merged(plan, 1, 2)), 1) == pytest.approx(2e6, abs=1.0)
    lane = Plan(FRAME, (*plan.zones, Zone(3, "C", at(1000, -100, 1010, 1000))))
    with pytest.raises(GeoError, match="A and B have no border in common"):
        drawing.merged(lane, 1, 2)


def test_a_common_corner_is_no_border(two: Plan) -> None:
    plan = two.after(drawing.drawn(two, at(2000, 1000, 3000, 2000), name="C"))
    with pytest.raises(GeoError, match="B and C have no border in common"):
        drawing.merged(plan, 2, 3)
    with pytest.raises(GeoError, match="with itself"):
        drawing.merged(plan, 2, 2)


def test_of_an_overlap_the_smaller_number_keeps_the_ground_unless_the_other_is_locked() -> None:
    zones = (
        Zone(1, "A", at(0, 0, 1000, 1000)),
        Zone(2, "B", at(500, 0, 1500, 1000)),
        Zone(3, "C", at(600, 100, 900, 900)),
    )
    plan = Plan(FRAME, zones)
    after = plan.after(drawing.without_overlaps(plan))
    assert after.ids == (1, 2) and area(after, 2) == pytest.approx(500_000, abs=1.0)
    check_sound(after)
    locked = plan.after(drawing.edited(plan, 2, locked=True))
    after = locked.after(drawing.without_overlaps(locked))
    assert [area(after, each) for each in after.ids] == pytest.approx([500_000, 1_000_000], abs=1.0)
    assert not drawing.without_overlaps(after)


def test_what_a_zone_is_called_is_and_says(two: Plan) -> None:
    change = drawing.edited(two, 1, name="甲", kind="park", note="东门进", pair=[5, 6, 5])
    zone = two.after(change).zone(1)
    assert (zone.name, zone.kind, zone.note, zone.pair) == ("甲", "park", "东门进", (5, 6))
    assert zone.shape == two.zone(1).shape and not drawing.edited(two, 1, name="A")
    assert two.after(drawing.edited(two, 2, pair=())).zone(2).pair == ()
    for wrong in ({"kind": "swamp"}, {"name": "B"}, {"note": "x" * 2001}):
        with pytest.raises(GeoError):
            drawing.edited(two, 1, **wrong)


# --- strips and circles -----------------------------------------------------------------------------------


def test_a_strip_along_a_street_is_as_wide_as_said() -> None:
    strip = PLANE.metres(drawing.along(line((0, 0), (1000, 0)), 60.0, LON, LAT))
    assert strip.bounds == pytest.approx((0, -30, 1000, 30), abs=0.01)
    bent = PLANE.metres(drawing.along(line((0, 0), (1000, 0), (1000, 1000)), 60.0, LON, LAT))
    assert bent.area == pytest.approx(2000 * 60, rel=0.01)
    for wrong in (0.0, -5.0, float("nan"), float("inf")):
        with pytest.raises(GeoError, match="width above 0"):
            drawing.along(line((0, 0), (1, 0)), wrong, LON, LAT)
    for nothing in (line((0, 0), (0, 0)), Point(LON, LAT), at(0, 0, 1, 1)):
        with pytest.raises(GeoError, match="at least two corners"):
            drawing.along(nothing, 10.0, LON, LAT)


def test_a_circle_has_its_radius_and_few_corners() -> None:
    corners = shapely.get_coordinates(drawing.disc(LON, LAT, 500.0))
    away = GEOD.inv(np.full(len(corners), LON), np.full(len(corners), LAT), corners[:, 0], corners[:, 1])[2]
    assert away == pytest.approx(np.full(len(corners), 500.0), abs=0.001)
    assert len(corners) < 60


# --- all together -----------------------------------------------------------------------------------------


def test_a_crack_of_millimetres_that_degrees_would_close_leaves_a_zone_valid() -> None:
    crack = [(0, 0), (2000, 1300), (1900, 1300), (1000, 650.004), (1, 800)]
    shape = PLANE.degrees(Polygon(crack))
    assert shape.is_valid
    assert PLANE.metres(shape).area == pytest.approx(Polygon(crack).area, abs=1.0)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_in_a_row_the_plan_stays_sound_and_every_step_can_be_undone(seed: int) -> None:
    random = np.random.default_rng(seed)
    plan = Plan(FRAME)
    for number in range(10):
        locked = {zone.id: zone for zone in plan.zones if zone.locked}
        try:
            change = _anything(plan, random, f"Z{number}")
        except GeoError:
            continue
        after = plan.after(change)
        check_sound(after)
        assert {each: after.zone(each) for each in locked} == locked
        assert after.after(change.inverse).zones == plan.zones
        plan = after


def _anything(plan: Plan, random: np.random.Generator, name: str) -> Change:
    """Return any change of a plan."""
    x, y, width, height = *random.uniform(-1500, 1500, 2), *random.uniform(60, 1500, 2)
    outline = PLANE.degrees(affinity.rotate(box(x, y, x + width, y + height), random.uniform(0, 90)))
    stroke = line(*random.uniform(-1800, 1800, (2, 2)))
    how: dict[str, Any] = {"overlap": random.choice(["take", "leave"]), "to_blocks": random.random() < 0.3}
    if len(plan) < 2:
        return drawing.drawn(plan, outline, name=name, **how)
    one, other = (int(each) for each in random.choice(plan.ids, 2, replace=False))
    cells = drawing.stroke_cells(plan, stroke, random.uniform(0, 500))
    return [
        lambda: drawing.drawn(plan, outline, name=name, **how),
        lambda: drawing.reshaped(plan, one, outline, **how),
        lambda: drawing.painted(plan, cells, one),
        lambda: drawing.painted(plan, cells, None),
        lambda: drawing.split(plan, one, stroke),
        lambda: drawing.merged(plan, one, other),
        lambda: drawing.edited(plan, one, locked=True),
        lambda: drawing.filled(plan),
    ][int(random.choice(8, p=[0.3, 0.2, 0.15, 0.05, 0.1, 0.1, 0.05, 0.05]))]()
