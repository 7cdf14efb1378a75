"""
Plans as values: a change makes another plan, its inverse the first again, and two plans can be compared.

The ground is a row of square zones a kilometre or so wide, west to east, the branch in the first:

    1 2 3 4
"""

from __future__ import annotations

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geo.comparing_plans import blocks_zones, moved_blocks, onto, summary
from geo.errors import Conflict, GeoError
from geo.plans import KINDS, Barrier, Change, Frame, Measure, Move, Plan, Zone

LON, LAT, STEP = 114.3, 30.5, 0.01
FRAME = Frame(LON, LAT, 900.0, 9)


def square(at: int, wide: int = 1) -> Polygon:
    """Return the square at a place in the row, or so many side by side."""
    west = LON - STEP / 2 + at * STEP
    return box(west, LAT - STEP / 2, west + wide * STEP, LAT + STEP / 2)


def zone(number: int, **more: object) -> Zone:
    """Return the zone of the row with that number."""
    own: dict[str, object] = {"name": f"片区{number}", "shape": square(number - 1), **more}
    return Zone(number, **own)  # type: ignore[arg-type]


@pytest.fixture
def row() -> Plan:
    return Plan(FRAME, tuple(zone(number) for number in (1, 2, 3, 4)))


# Values -----------------------------------------------------------------------------------------------------


def test_zones_stand_in_the_order_of_their_numbers_and_are_found_by_them() -> None:
    plan = Plan(FRAME, (zone(3), zone(1)))
    assert plan.ids == (1, 3)
    assert (plan.zone(3).name, len(plan), 1 in plan, 2 in plan) == ("片区3", 2, True, False)
    with pytest.raises(GeoError, match="no zone 2"):
        plan.zone(2)


@pytest.mark.parametrize("wrong", [{"number": 0}, {"number": 1, "kind": "swamp"}])
def test_a_zone_that_can_be_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(GeoError):
        zone(**wrong)  # type: ignore[arg-type]


def test_two_zones_of_one_number_are_refused() -> None:
    with pytest.raises(GeoError, match="same number"):
        Plan(FRAME, (zone(1), zone(1)))


def test_a_change_leaves_the_plan_it_is_made_on_alone(row: Plan) -> None:
    renamed = zone(2, name="人民路")
    after = row.after(Change("edited", (Move(zone(2), renamed),)))
    assert (row.zone(2).name, after.zone(2).name) == ("片区2", "人民路")
    assert [after.zone(each) is row.zone(each) for each in (1, 3, 4)] == [True, True, True]


def test_a_number_once_given_is_not_given_again(row: Plan) -> None:
    after = row.after(Change("removed", (Move(zone(4), None),)))
    assert (after.ids, after.last_id) == ((1, 2, 3), 4)
    assert after.after(Change("drawn", (Move(None, zone(9)),))).last_id == 9


@pytest.mark.parametrize(
    "move",
    [
        Move(zone(2, name="别名"), zone(2)),  # not as the change takes it to be
        Move(zone(7), zone(7, name="新")),  # not there
        Move(None, zone(1)),  # there already
    ],
)
def test_a_change_of_what_is_no_longer_so_is_refused(row: Plan, move: Move) -> None:
    with pytest.raises(Conflict):
        row.after(Change("edited", (move,)))


def test_a_change_of_settings_that_are_no_longer_so_is_refused(row: Plan) -> None:
    wider = Frame(LON, LAT, 1200.0, 9, (Measure("merchants"),), (Barrier("江", square(2)),))
    change = Change("settings", frames=(FRAME, wider))
    assert row.after(change).frame == wider
    with pytest.raises(Conflict, match="settings"):
        row.after(change).after(change)


def test_an_empty_change_is_false_and_changes_nothing(row: Plan) -> None:
    assert not Change("edited")
    assert not row.change_to(row, "edited")
    assert row.after(Change("edited")) == row


# Any plans, any changes -------------------------------------------------------------------------------------

SHAPES = st.one_of(
    st.builds(square, st.integers(0, 6), st.integers(1, 3)),
    st.just(MultiPolygon([square(0), square(3)])),
)
FRAMES = st.builds(Frame, st.just(LON), st.just(LAT), st.sampled_from([900.0, 1200.0]), st.just(9))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of up to five zones."""
    numbers = draw(st.sets(st.integers(1, 8), max_size=5))
    zones = [
        Zone(
            number,
            draw(st.sampled_from(["人民路", "解放路", "x"])),
            draw(SHAPES),
            kind=draw(st.sampled_from(KINDS)),
            pair=draw(st.sampled_from([(), (1,), (2, 1)])),
            locked=draw(st.booleans()),
        )
        for number in numbers
    ]
    return Plan(draw(FRAMES), tuple(zones), draw(st.integers(0, 9)))


@given(st.lists(plans(), min_size=1, max_size=5))
def test_any_sequence_of_changes_undone_gives_the_start_and_done_again_the_end(stages: list[Plan]) -> None:
    changes = [a.change_to(b, "edited") for a, b in zip(stages, stages[1:], strict=False)]
    now = stages[0]
    for change in changes:
        now = now.after(change)
    end = now
    assert (now.zones, now.frame) == (stages[-1].zones, stages[-1].frame)
    for change in reversed(changes):
        now = now.after(change.inverse)
    assert (now.zones, now.frame) == (stages[0].zones, stages[0].frame)
    for change in changes:
        now = now.after(change)
    assert now == end


@given(plans(), plans())
def test_a_change_taken_back_twice_is_the_change(a: Plan, b: Plan) -> None:
    change = a.change_to(b, "edited")
    assert change.inverse.inverse == change
    assert bool(change) == ((a.zones, a.frame) != (b.zones, b.frame))


# Compared ---------------------------------------------------------------------------------------------------


def test_a_point_on_a_shared_border_belongs_to_the_smaller_number(row: Plan) -> None:
    border = square(0).bounds[2]
    zones = blocks_zones(row, np.array([LON, border, LON + STEP, 0.0]), np.array([LAT, LAT, LAT, 0.0]))
    assert zones.tolist() == [1, 1, 2, 0]
    assert blocks_zones(Plan(FRAME), np.array([LON]), np.array([LAT])).tolist() == [0]


def test_blocks_that_moved_are_those_of_the_ground_that_changed_hands(row: Plan) -> None:
    # Zone 1 takes the western half of zone 2; zone 4 is given up.
    west, south, east, north = square(1).bounds
    half = box(west, south, (west + east) / 2, north)
    after = Plan(
        FRAME,
        (
            zone(1, shape=square(0).union(half)),
            zone(2, shape=square(1).difference(half), pair=(7,)),
            zone(3, name="新名"),
        ),
    )
    moved = moved_blocks(row, after)
    expected = {
        **dict.fromkeys(h3.geo_to_cells(half, 9), (1, 2)[::-1]),
        **dict.fromkeys(h3.geo_to_cells(square(3), 9), (4, 0)),
    }
    found = dict(zip(moved["cell"], zip(moved["from"], moved["to"], strict=True), strict=True))
    assert found == expected
    assert moved[["from_name", "to_name"]].drop_duplicates().to_numpy().tolist() == [
        ["片区2", "片区1"],
        ["片区4", ""],
    ]
    whole = [len(h3.geo_to_cells(square(at), 9)) for at in range(4)]
    told = summary(row, after)
    assert (told.blocks, told.moved) == (sum(whole), len(expected))
    assert told.kept_share == pytest.approx(1 - len(expected) / sum(whole))
    assert (told.added, told.removed, told.renamed, told.repaired) == ((), (4,), (3,), (2,))


def test_a_plan_compared_with_itself_moved_nothing_and_one_of_nothing_kept_nothing(row: Plan) -> None:
    assert moved_blocks(row, row).empty
    assert summary(row, row).kept_share == 1.0
    assert np.isnan(summary(Plan(FRAME), row).kept_share)


@settings(max_examples=25)
@given(plans(), plans())
def test_moved_back_and_forth_is_the_same_blocks(a: Plan, b: Plan) -> None:
    there, back = moved_blocks(a, b), moved_blocks(b, a)
    assert set(there["cell"]) == set(back["cell"])
    assert len(there) == summary(a, b).moved == summary(b, a).moved


# On a newer plan --------------------------------------------------------------------------------------------


def test_a_change_of_other_zones_fits_on_a_newer_plan(row: Plan) -> None:
    theirs = Change("edited", (Move(zone(1), zone(1, name="先改")),))
    mine = Change("edited", (Move(zone(3), zone(3, name="后改")),))
    now = row.after(theirs)
    assert [each.name for each in now.after(onto(mine, now, [theirs])).zones] == [
        "先改",
        "片区2",
        "后改",
        "片区4",
    ]


def test_of_two_zones_drawn_at_once_the_later_gets_the_next_number(row: Plan) -> None:
    theirs = Change("drawn", (Move(None, zone(5)),))
    mine = Change("drawn", (Move(None, zone(5, name="另画", shape=square(6))),))
    now = row.after(theirs)
    assert onto(mine, now, [theirs]).moves == (Move(None, zone(6, name="另画", shape=square(6))),)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        # The same zone.
        (Change("edited", (Move(zone(1), zone(1, name="甲")),)), Change("removed", (Move(zone(1), None),))),
        # The same ground, for new zones of their own.
        (
            Change("drawn", (Move(None, zone(5, shape=square(5, 2))),)),
            Change("drawn", (Move(None, zone(5, shape=square(6))),)),
        ),
        # The same ground, by zones that grow towards each other.
        (
            Change("reshaped", (Move(zone(4), zone(4, shape=square(3, 3))),)),
            Change("drawn", (Move(None, zone(5, shape=square(4, 2))),)),
        ),
        # The settings.
        (
            Change("settings", frames=(FRAME, Frame(LON, LAT, 1.0, 9))),
            Change("settings", frames=(FRAME, Frame(LON, LAT, 2.0, 9))),
        ),
    ],
)
def test_a_change_of_the_same_zone_ground_or_settings_does_not_fit(
    row: Plan, mine: Change, theirs: Change
) -> None:
    with pytest.raises(Conflict):
        onto(mine, row.after(theirs), [theirs])


def test_zones_that_share_a_border_alone_do_not_meet(row: Plan) -> None:
    theirs = Change("drawn", (Move(None, zone(5)),))
    mine = Change("drawn", (Move(None, zone(5, shape=square(5))),))
    assert shapely.intersects(square(4), square(5))
    assert onto(mine, row.after(theirs), [theirs]).moves[0].zone_id == 6
