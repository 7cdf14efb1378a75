"""Zones of a branch: what is weighed, who may design, what is kept, and what is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import Point

from data.rights import Role
from data.zones.asked import measures as asked_for
from data.zones.blocks import Polygons
from data.zones.designing import Designed, designed, frame_of
from data.zones.rebalancing import rebalanced
from geo import crs
from geo.errors import DataError, GeoError, RightsError
from geo.plans import Barrier, Frame, Measure, Plan, Zone
from tests.test_data.conftest import CLI, Town

LON, LAT = 114.3, 30.5
QUICK = 0.1


def empty(town: Town, *names: str, radius_m: float = 2000.0, tolerance: float = 0.05) -> Plan:
    """Return a plan of no zones, held to some measures."""
    held = [Measure(name, tolerance) for name in names or ("merchants",)]
    return Plan(frame_of(town.snapshot(), radius_m, held))


def found(town: Town, zones: int, *names: str, tolerance: float = 0.05, **options: object) -> Designed:
    """Design zones for the town of tests."""
    plan = empty(town, *names, tolerance=tolerance)
    return designed(town.snapshot(), CLI, plan, zones=zones, effort=QUICK, **options)  # type: ignore[arg-type]


def metres(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape in metres round the branch."""
    moved: shapely.Geometry = shapely.transform(
        shape,
        lambda at: np.column_stack(crs.to_metric(at[:, 0], at[:, 1], crs.local_metric(LON, LAT))),
    )
    return moved


# What is weighed --------------------------------------------------------------------------------------------


def test_every_merchant_that_is_open_lies_in_one_zone(town: Town) -> None:
    # M4 is closed; M1, M2, M3 lie within 200 m of each other and M5 apart.
    plan = found(town, 2)
    assert plan.loads["merchants"].tolist() == [2.0, 2.0]
    assert plan.frame()["zone_id"].tolist() == [1, 2] and plan.frame().crs == crs.WGS84
    assert plan.design.contiguous and plan.design.within and plan.left_out == 0
    assert 0.0 < plan.mean_polsby_popper <= 1.0


def test_zones_tile_the_catchment(sqlite_town: Town) -> None:
    plan = found(sqlite_town, 3, tolerance=1.0)
    shapes = plan.frame().to_crs(crs.local_metric(LON, LAT)).geometry
    assert shapes.geom_type.tolist() == ["Polygon"] * 3
    whole = shapes.union_all()
    assert whole.area == pytest.approx(shapes.area.sum(), rel=1e-6)
    assert whole.buffer(1.0).contains(Point(0, 0).buffer(2000.0))


@pytest.mark.parametrize(
    ("weight", "whole"),
    [
        ("merchants", 4.0),
        ("customers", 54.0),  # four people and a school of 50
        ("households", 400.0),
        ("deposits", 60_000.0),  # C2's are unknown
    ],
)
def test_weights_are_what_their_names_say(sqlite_town: Town, weight: str, whole: float) -> None:
    assert found(sqlite_town, 1, weight).loads[weight].sum() == whole


def test_hours_are_visits_due_and_the_walk_to_the_next(sqlite_town: Town) -> None:
    # Half a visit a quarter: known M1 (100 m from M2), contacted M3 (100 m from both), the targets C3 (100 m
    # from M3) and C4 (1,000 m from M5). One: signed M2 (100 m) and M5 (600 m from C3).
    walks = 0.5 * 100 + 0.5 * 100 + 0.5 * 100 + 0.5 * 1000 + 100 + 600
    hours = found(sqlite_town, 1, "hours").loads["hours"].sum()
    assert hours == pytest.approx(4 * 0.5 + walks / 4000, rel=1e-3)


def test_several_measures_are_held_to_their_own_tolerances(sqlite_town: Town) -> None:
    plan = designed(
        sqlite_town.snapshot(),
        CLI,
        empty(sqlite_town),
        zones=2,
        measures=[Measure("merchants", 0.05), Measure("customers", 1.0)],
        effort=QUICK,
    )
    assert plan.design.within and plan.loads["merchants"].tolist() == [2.0, 2.0]
    # A school of 50 beside four people: no plan has them even.
    assert plan.design.bound.measure == 1 and plan.design.largest_deviation > 0.8
    assert [each.name for each in plan.plan.frame.measures] == ["merchants", "customers"]
    assert plan.frame().columns.tolist() == ["zone_id", "weight", "customers", "geometry"]


# How many ---------------------------------------------------------------------------------------------------


def test_a_target_a_zone_says_how_many(sqlite_town: Town) -> None:
    held = [Measure("merchants", 1.0, target=2.0), Measure("households", 1.0, target=400.0)]
    plan = designed(sqlite_town.snapshot(), CLI, empty(sqlite_town), measures=held, effort=QUICK)
    assert plan.design.zones == 2  # 4 merchants by 2 ask for two, 400 households by 400 for one


def test_zones_weigh_as_their_pairs_have_hours(sqlite_town: Town) -> None:
    plan = designed(
        sqlite_town.snapshot(),
        CLI,
        empty(sqlite_town),
        capacities=[10.0, 30.0],
        pairs=[(7, 8), (9,)],
        effort=QUICK,
    )
    assert plan.loads.loc[list(plan.ids), "merchants"].tolist() == [1.0, 3.0]
    assert [plan.plan.zone(each).pair for each in plan.ids] == [(7, 8), (9,)]


def test_what_cannot_be_is_refused(sqlite_town: Town) -> None:
    held = sqlite_town.snapshot()
    for plan, options, said in (
        (empty(sqlite_town, radius_m=10.0), {"zones": 1}, "counts as merchants"),
        (empty(sqlite_town), {}, "how many zones"),
        (empty(sqlite_town), {"zones": 1, "measures": [Measure("visits")]}, "not visits"),
        (empty(sqlite_town), {"zones": 1, "measures": []}, "at least one thing"),
        (empty(sqlite_town, "merchants", "merchants"), {"zones": 1}, "named once"),
        (empty(sqlite_town), {"zones": 3, "capacities": [1.0, 2.0]}, "3 zones do not match 2"),
        (empty(sqlite_town), {"zones": 2, "seeds": [(0.0, 0.0)]}, "no ground that is free"),
        (empty(sqlite_town), {"zones": 2, "polygons": Polygons((), ())}, "no blocks"),
        (empty(sqlite_town), {"zones": 2, "measures": [Measure("merchants", lowest=3.0)]}, "breaks"),
    ):
        with pytest.raises((DataError, GeoError), match=said):
            designed(held, CLI, plan, **options)  # type: ignore[arg-type]


def test_numbers_on_the_command_line_are_one_a_weight() -> None:
    assert asked_for(["merchants", "hours"], [0.1], [150.0, 0.0]) == (
        Measure("merchants", 0.1, 150.0),
        Measure("hours", 0.1),
    )
    assert asked_for(["merchants"]) == (Measure("merchants", 0.05),)
    with pytest.raises(DataError, match="--highest is given 1 times for 2"):
        asked_for(["merchants", "hours"], highest=[9.0])


# Who --------------------------------------------------------------------------------------------------------


def test_only_who_edits_plans_designs(sqlite_town: Town) -> None:
    held, plan = sqlite_town.snapshot(), empty(sqlite_town)
    askers = [sqlite_town.asker(role) for role in (Role.MEMBER, Role.ANALYST, Role.AUDITOR, Role.ADMIN)]
    for asker in [*askers, sqlite_town.asker(Role.LEAD, sqlite_town.other_id)]:
        with pytest.raises(RightsError):
            designed(held, asker, plan, zones=1)
        with pytest.raises(RightsError):
            rebalanced(held, asker, plan)


def test_a_lead_does_not_learn_the_deposits_of_few(sqlite_town: Town) -> None:
    held, plan = sqlite_town.snapshot(), empty(sqlite_town, "deposits")
    lead = designed(held, sqlite_town.asker(Role.LEAD), plan, zones=1, effort=QUICK)
    assert np.isnan(lead.loads["deposits"]).all()
    head = designed(held, sqlite_town.asker(Role.HEAD), plan, zones=1, effort=QUICK)
    assert head.loads["deposits"].tolist() == [60_000.0]


# The plan it becomes ----------------------------------------------------------------------------------------


def test_zones_keep_their_numbers_where_the_ground_stays(sqlite_town: Town) -> None:
    first = found(sqlite_town, 2).plan
    named = replace(first, zones=tuple(replace(zone, name=f"旧{zone.id}", pair=(1,)) for zone in first.zones))
    again = designed(sqlite_town.snapshot(), CLI, named, zones=2, effort=QUICK)
    assert not again.change and again.plan == named  # the same once more changes nothing
    more = designed(sqlite_town.snapshot(), CLI, named, zones=4, effort=QUICK, name=lambda at: f"新{at}")
    assert set(more.plan.ids) & {1, 2} and len(more.plan) == 4 and max(more.plan.ids) > 2
    assert all(zone.name == f"{'旧' if zone.id <= 2 else '新'}{zone.id}" for zone in more.plan.zones)
    assert named.after(more.change) == more.plan and more.plan.after(more.change.inverse).zones == named.zones


def test_locked_zones_keep_their_ground(sqlite_town: Town) -> None:
    own = Zone(5, "锁定", shapely.box(LON - 0.004, LAT - 0.0031, LON + 0.0022, LAT + 0.0017), locked=True)
    plan = replace(empty(sqlite_town, "merchants", tolerance=1.0), zones=(own,))
    made = designed(sqlite_town.snapshot(), CLI, plan, zones=2, measures=[Measure("customers", 1.0)]).plan
    assert made.zone(5) == own and made.ids == (5, 6, 7)
    shapes = [metres(zone.shape) for zone in made.zones]
    for at, shape in enumerate(shapes):
        assert shape.geom_type == "Polygon"
        assert all(shape.intersection(other).area < 1.0 for other in shapes[at + 1 :])
    # Nothing between the locked zone and its neighbours is left over.
    assert shapely.union_all(shapes).buffer(0.01).contains(Point(0, 0).buffer(2000.0))


def test_zones_do_not_cross_a_barrier(sqlite_town: Town) -> None:
    river = Barrier("河", shapely.LineString([(LON + 0.0047, LAT - 1.0), (LON + 0.0047, LAT + 1.0)]))
    frame = replace(empty(sqlite_town, tolerance=1.0).frame, barriers=(river,))
    made = designed(sqlite_town.snapshot(), CLI, Plan(frame), zones=2, effort=QUICK)
    sides = [np.sign(shapely.centroid(zone.shape).x - LON - 0.0047) for zone in made.plan.zones]
    assert sorted(sides) == [-1.0, 1.0]
    # A block wide at most lies beyond, as the river runs through blocks.
    for zone, side in zip(made.plan.zones, sides, strict=True):
        beyond = (shapely.get_coordinates(metres(zone.shape))[:, 0] - 451.0) * side
        assert beyond.min() > -400.0


def test_what_little_lies_across_a_river_is_left_out_and_said(sqlite_town: Town) -> None:
    river = Barrier("河", shapely.LineString([(LON + 0.018, LAT - 1.0), (LON + 0.018, LAT + 1.0)]))
    frame = replace(empty(sqlite_town).frame, barriers=(river,))
    made = designed(sqlite_town.snapshot(), CLI, Plan(frame), zones=2, effort=QUICK)
    assert made.left_out > 0 and made.design.contiguous and made.design.within


def test_a_zone_starts_from_its_seed(sqlite_town: Town) -> None:
    held, plan = sqlite_town.snapshot(), empty(sqlite_town, tolerance=1.0)
    seeds = [(LON - 0.01, LAT), (LON - 0.015, LAT)]
    made = designed(held, CLI, plan, zones=2, seeds=seeds, effort=QUICK)
    own = [made.plan.zone(each).shape for each in made.ids]
    assert [shape.contains(Point(seed)) for shape, seed in zip(own, seeds, strict=True)] == [True, True]
    places = [(LON - 0.01, LAT), (LON + 0.01, LAT), (LON, LAT + 0.01)]
    made = designed(held, CLI, plan, zones=2, candidates=places, effort=QUICK)
    held_by = [sum(zone.shape.contains(Point(place)) for place in places) for zone in made.plan.zones]
    assert min(held_by) >= 1


def test_blocks_may_be_polygons_with_streets_between(sqlite_town: Town) -> None:
    # Four blocks of 800 m and 20 m of street between; the merchants lie in the south-eastern one.
    corners = [(-810, -700), (10, -700), (-810, 120), (10, 120)]
    x, y = np.array(corners).T
    lon, lat = crs.from_metric(x.astype(float), y.astype(float), crs.local_metric(LON, LAT))
    east, north = crs.from_metric(x + 800.0, y + 800.0, crs.local_metric(LON, LAT))
    squares = list(shapely.box(lon, lat, east, north))
    made = designed(
        sqlite_town.snapshot(),
        CLI,
        empty(sqlite_town, tolerance=1.0),
        zones=2,
        polygons=Polygons(tuple(squares), tuple("东西南北")),
        effort=QUICK,
    )
    areas = [metres(zone.shape).area for zone in made.plan.zones]
    assert made.design.contiguous and len(made.parcels) == 4
    # One zone has the merchants' block, the other three blocks with the streets and the crossing between.
    assert sorted(areas) == pytest.approx([800 * 800, 3 * 800 * 800 + 2 * 20 * 800], rel=0.01)


# Evened -----------------------------------------------------------------------------------------------------


def test_what_is_even_stays_as_it_is(sqlite_town: Town) -> None:
    plan = found(sqlite_town, 2).plan
    kept = rebalanced(sqlite_town.snapshot(), CLI, plan, effort=QUICK)
    assert not kept.change and kept.was_even and kept.kept_share == 1.0


def test_little_moves_between_zones_drawn_by_hand(sqlite_town: Town) -> None:
    west = Zone(1, "西", shapely.box(LON - 0.02, LAT - 0.015, LON + 0.002, LAT + 0.015))
    east = Zone(2, "东", shapely.box(LON + 0.002, LAT - 0.015, LON + 0.02, LAT + 0.015))
    plan = replace(empty(sqlite_town), zones=(west, east))
    held = sqlite_town.snapshot()
    found_ = rebalanced(held, CLI, plan, effort=QUICK)
    assert found_.design.within and found_.change and not found_.was_even
    after = plan.after(found_.change)
    assert 0.5 <= found_.kept_share < 1.0
    shapes = [metres(zone.shape) for zone in after.zones]
    whole = metres(shapely.union_all([west.shape, east.shape]))
    assert shapely.union_all(shapes).symmetric_difference(whole).area < 10.0
    assert shapes[0].intersection(shapes[1]).area < 1.0
    locked = replace(plan, zones=(west, replace(east, locked=True)))
    with pytest.raises(DataError, match="unlock"):
        rebalanced(held, CLI, locked)


def test_a_frame_with_a_limit_of_reach_has_no_blocks_beyond(sqlite_town: Town) -> None:
    frame: Frame = replace(empty(sqlite_town).frame, farthest_m=900.0)
    made = designed(sqlite_town.snapshot(), CLI, Plan(frame), zones=2, measures=[Measure("merchants", 1.0)])
    middles = np.hypot(made.parcels.blocks.x, made.parcels.blocks.y)
    assert middles.max() <= 900.0
