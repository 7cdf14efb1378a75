"""What a plan is held to: each rule broken on purpose, and mended by what is suggested."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, MultiPolygon, box

from geo import drawing
from geo.errors import Told
from geo.lattice import cells_in, ground_of_cells, lattice
from geo.planes import Plane, tiled
from geo.plans import Barrier, Frame, Measure, Plan, Zone
from geo.rules import RULES, Breach, check

LON, LAT = 114.3, 30.5
PLANE = Plane(LON, LAT)
FRAME = Frame(LON, LAT, 1_500.0, 9)
CELLS = lattice(FRAME).blocks.ids.tolist()
PAIR = (1, 2)


def degrees(shape: Any) -> Any:
    return shapely.transform(shape, PLANE._to_degrees)


def halves(frame: Frame = FRAME) -> Plan:
    """Return the blocks of the circle in two zones, west and east."""
    known = lattice(frame)
    west = known.blocks.x < 0.0
    shapes = [PLANE.degrees(tiled(known.outlines[side])) for side in (west, ~west)]
    zones = (Zone(at, f"Z{at}", shape, pair=PAIR) for at, shape in enumerate(shapes, 1))
    return Plan(frame, tuple(zones))


def same(one: Zone, other: Zone) -> bool:
    return bool(PLANE.metres(one.shape).symmetric_difference(PLANE.metres(other.shape)).area < 0.1)


def said(breach: Breach) -> str:
    return str(Told(breach.message, **breach.values))


def loads(plan: Plan, **measures: list[float]) -> pd.DataFrame:
    return pd.DataFrame(measures, index=list(plan.ids), dtype=float)


def broken(plan: Plan, *more: Any) -> dict[str, list[tuple[int, ...]]]:
    """Return the zones of each breach, by rule."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for breach in check(plan, *more):
        found.setdefault(breach.rule, []).append(breach.zone_ids)
    return found


def only(plan: Plan, rule: str, *more: Any) -> Breach:
    found = [breach for breach in check(plan, *more) if breach.rule == rule]
    assert len(found) == 1
    return found[0]


def mended(plan: Plan, breach: Breach) -> Plan:
    assert breach.can_mend and breach.mend is not None
    return plan.after(breach.mend)


def test_a_good_plan_breaks_nothing_and_neither_does_an_empty_one() -> None:
    plan = halves(replace(FRAME, measures=(Measure("merchants"),), farthest_m=1_800.0))
    assert check(plan) == () and check(plan, loads(plan, merchants=[100, 105])) == ()
    assert check(Plan(FRAME)) == ()


# --- loads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "amounts", "expected"),
    [
        (Measure("merchants", 0.05), [90, 110], {"too_little": [(1,)], "too_much": [(2,)]}),
        (Measure("merchants", 0.10), [90, 110], {}),  # as far as may be, and no farther
        (Measure("merchants", 0.10, target=150), [140, 200], {"too_much": [(2,)]}),
        (Measure("merchants", 0.50, lowest=100), [90, 110], {"too_little": [(1,)]}),
        (Measure("merchants", 0.50, highest=105), [90, 110], {"too_much": [(2,)]}),
        (Measure("merchants", 0.05), [np.nan, 110], {}),  # what is not known is not said
        (Measure("hours", 0.05), [90, 110], {}),  # nor what is not there
    ],
)
def test_a_zone_holds_neither_too_little_nor_too_much(
    measure: Measure, amounts: list[float], expected: dict[str, Any]
) -> None:
    plan = halves(replace(FRAME, measures=(measure,)))
    assert broken(plan, loads(plan, merchants=amounts)) == expected


def test_the_message_names_zone_measure_and_amounts() -> None:
    plan = halves(replace(FRAME, measures=(Measure("deposits", 0.1), Measure("hours", 0.1, target=10))))
    amounts = loads(plan, deposits=[5_000_000, 3_000_000], hours=[10, 8.44])
    assert [said(breach) for breach in check(plan, amounts)] == [
        "Z2 has too little: 3,000,000 deposits; 3,600,000 is the least, 4,000,000 ideal.",
        "Z2 has too little: 8.4 hours of work; 9.0 is the least, 10.0 ideal.",
        "Z1 has too much: 5,000,000 deposits; 4,400,000 is the most, 4,000,000 ideal.",
    ]


def test_blocks_come_over_the_border_until_the_load_is_right() -> None:
    frame = replace(FRAME, measures=(Measure("merchants", 0.05),))
    plan = halves(frame)
    weights = pd.DataFrame({"merchants": 10.0}, index=CELLS)
    weights.loc[cells_in(frame, PLANE.metres(plan.zone(1).shape))] = 14.0

    def now(of: Plan) -> pd.DataFrame:
        held = [cells_in(frame, PLANE.metres(zone.shape)) for zone in of.zones]
        return loads(of, merchants=[weights.loc[cells, "merchants"].sum() for cells in held])

    def asked() -> pd.DataFrame:
        times.append(1)
        return weights

    times: list[int] = []
    assert set(broken(plan, now(plan), asked)) == {"too_little", "too_much"} and not times
    for rule in ("too_little", "too_much"):
        after = mended(plan, only(plan, rule, now(plan), asked))
        assert broken(after, now(after), weights) == {}
        assert now(after)["merchants"].sum() == now(plan)["merchants"].sum()
    assert len(times) == 2
    assert not only(plan, "too_little", now(plan)).can_mend  # nobody knows what a block weighs
    locked = plan.after(drawing.edited(plan, 1, locked=True))
    assert not only(locked, "too_much", now(plan), weights).can_mend
    assert only(locked, "too_little", now(plan), weights).mend is None


def test_an_empty_zone_goes_to_the_neighbour_with_most_border_or_away() -> None:
    plan = halves()
    breach = only(plan, "empty", loads(plan, merchants=[0, 5], customers=[0, 0], hours=[np.nan, 1]))
    after = mended(plan, breach)
    assert breach.zone_ids == (1,) and after.ids == (2,) and check(after) == ()
    alone = Plan(FRAME, plan.zones[:1])
    assert mended(alone, only(alone, "empty", loads(alone, merchants=[0]))).ids == ()


def test_a_zone_nobody_works_is_said_and_left_to_the_lead() -> None:
    plan = halves()
    plan = plan.after(drawing.edited(plan, 2, pair=()))
    breach = only(plan, "no_pair")
    assert breach.zone_ids == (2,) and breach.mend is None and not breach.can_mend
    assert said(breach) == "Nobody is named for Z2."


# --- ground -----------------------------------------------------------------------------------------------


def test_of_a_zone_in_pieces_the_heaviest_stays_and_the_rest_goes_to_neighbours() -> None:
    """Z1 has a block in the midst of Z2, which weighs more by itself than all Z1 has else."""
    plan = halves()
    inside = h3.latlng_to_cell(LAT, LON + 0.006, 9)
    plan = plan.after(drawing.painted(plan, [inside], 1))
    assert broken(plan) == {"pieces": [(1,)]}
    after = mended(plan, only(plan, "pieces"))
    assert check(after) == () and same(after.zone(2), halves().zone(2))
    heavy = pd.DataFrame({"merchants": [100.0]}, index=[inside])
    framed = replace(plan, frame=replace(FRAME, measures=(Measure("merchants"),)))
    kept = mended(framed, only(framed, "pieces", None, heavy))
    assert cells_in(FRAME, PLANE.metres(kept.zone(1).shape)).tolist() == [inside]


def test_a_zone_on_both_banks_is_split_at_the_river_and_a_bridge_joins_them() -> None:
    river = Barrier("River", degrees(LineString([(-3000, 60), (3000, 60)])))
    plan = halves(replace(FRAME, barriers=(river,)))
    found = [breach for breach in check(plan) if breach.rule == "barrier"]
    assert [breach.zone_ids for breach in found] == [(1,), (2,)]
    assert (
        found[0].message.format(**{**found[0].values, "barriers": "River"})
        == "Z1 lies on both sides of River."
    )
    once = mended(plan, found[0])
    assert once.ids == (1, 2, 3) and broken(once) == {"barrier": [(2,)]}
    both = mended(once, only(once, "barrier"))
    assert both.ids == (1, 2, 3, 4) and check(both) == ()
    bridged = Barrier(
        "River", degrees(shapely.MultiLineString([[(-3000, 60), (-600, 60)], [(600, 60), (3000, 60)]]))
    )
    assert check(halves(replace(FRAME, barriers=(bridged,)))) == ()


def test_a_small_part_behind_a_barrier_goes_to_the_neighbour_there() -> None:
    """The railway runs where the east zone begins, but for a corner of the west one."""
    plan = halves()
    over = [h3.latlng_to_cell(LAT, LON + east, 9) for east in (0.001, 0.004)]
    plan = plan.after(drawing.painted(plan, over, 1))
    x = PLANE.metres(plan.zone(2).shape).bounds[0]
    rail = Barrier("Railway", degrees(LineString([(200.0, -3000), (200.0, 3000)])))
    railed = replace(plan, frame=replace(FRAME, barriers=(rail,)))
    assert x < 200.0
    for breach in [each for each in check(railed) if each.rule == "barrier" and each.zone_ids == (1,)]:
        after = mended(railed, breach)
        assert after.ids == railed.ids
        assert (1,) not in broken(after).get("barrier", [])


def test_what_is_too_far_is_cut_off_and_what_is_wholly_there_goes() -> None:
    far = Zone(3, "far", degrees(box(4_000, -200, 5_000, 200)), pair=PAIR)
    gone = Zone(4, "gone", degrees(box(4_000, 400, 4_500, 600)), pair=PAIR)
    plan = Plan(replace(FRAME, farthest_m=4_500.0), (*halves().zones, far, gone))
    breach = only(plan, "too_far")
    assert said(breach) == "far reaches 5.0 km from the branch; 4.5 km is the limit."
    after = mended(plan, breach)
    assert check(after) == ()
    assert PLANE.metres(after.zone(3).shape).area == pytest.approx(500 * 400, rel=0.02)
    near = Plan(replace(FRAME, farthest_m=2_000.0), plan.zones)
    for breach in [each for each in check(near) if each.rule == "too_far"]:
        assert mended(near, breach).ids == tuple(each for each in near.ids if each != breach.zone_ids[0])


def test_ground_in_two_zones_stays_with_the_smaller_number_or_the_locked_one() -> None:
    plan = Plan(FRAME, (*halves().zones, Zone(3, "new", degrees(box(-200, -200, 300, 200)), pair=PAIR)))
    found = [breach for breach in check(plan) if breach.rule == "overlap"]
    assert [breach.zone_ids for breach in found] == [(1, 3), (2, 3)]
    hectares = [float(breach.values["hectares"]) for breach in found]  # type: ignore[arg-type]
    assert sum(hectares) == pytest.approx(20.0, abs=0.02)
    assert broken(mended(plan, found[0])) == {"overlap": [(2, 3)]}
    locked = plan.after(drawing.edited(plan, 3, locked=True))
    after = mended(locked, next(each for each in check(locked) if each.rule == "overlap"))
    assert after.zone(3).shape == plan.zone(3).shape
    one = plan.after(drawing.edited(plan, 1, locked=True))
    both = one.after(drawing.edited(one, 3, locked=True))
    assert not next(each for each in check(both) if each.zone_ids == (1, 3)).can_mend


def test_ground_in_no_zone_is_one_breach_and_goes_to_the_nearest() -> None:
    plan = halves()
    plan = plan.after(drawing.painted(plan, [h3.latlng_to_cell(LAT, LON, 9)], None))
    plan = plan.after(drawing.painted(plan, [h3.latlng_to_cell(LAT + 0.008, LON, 9)], None))
    breach = only(plan, "gap")
    cell_km2 = h3.cell_area(h3.latlng_to_cell(LAT, LON, 9), unit="km^2")
    assert breach.values["count"] == 2
    assert float(str(breach.values["km2"])) == pytest.approx(2 * cell_km2, abs=0.011)
    assert check(mended(plan, breach)) == ()
    for each in (1, 2):
        plan = plan.after(drawing.edited(plan, each, locked=True))
    assert not only(plan, "gap").can_mend


def test_a_trace_between_two_borders_is_no_gap_and_no_overlap() -> None:
    west, east = (PLANE.metres(zone.shape) for zone in halves().zones)
    moved = shapely.transform(east, lambda xy: xy + [0.0005, 0.0])
    zones = (Zone(1, "Z1", PLANE.degrees(west), pair=PAIR), Zone(2, "Z2", degrees(moved), pair=PAIR))
    assert check(Plan(FRAME, zones)) == ()


def test_locked_zones_are_told_of_and_not_mended() -> None:
    far = MultiPolygon([box(4_000, -200, 5_000, 200), box(5_200, -200, 5_500, 200)])
    plan = Plan(replace(FRAME, farthest_m=4_500.0), (Zone(1, "far", degrees(far), locked=True),))
    found = {breach.rule: breach for breach in check(plan, loads(plan, merchants=[0]))}
    assert set(found) == {"pieces", "too_far", "empty", "gap", "no_pair"}
    assert not any(breach.can_mend for breach in found.values())


def test_every_rule_has_a_function_of_its_name() -> None:
    assert {name: rule.__name__ for name, rule in RULES.items()} == {name: name for name in RULES}


def test_two_hundred_zones_are_checked_while_one_waits() -> None:
    river = Barrier("River", degrees(LineString([(-9000, 100), (9000, 100)])))
    frame = Frame(LON, LAT, 6_500.0, 10, (Measure("merchants"),), (river,), 6_000.0)
    known = lattice(frame)
    middles = np.column_stack([known.blocks.x, known.blocks.y])
    seeds = np.random.default_rng(0).uniform(-6000, 6000, (200, 2))
    at = np.argmin(((middles[:, None] - seeds) ** 2).sum(axis=2), axis=1)
    held = [each for each in range(200) if (at == each).any()]
    shapes = {each: PLANE.degrees(tiled(known.outlines[at == each])) for each in held}
    plan = Plan(frame, tuple(Zone(each + 1, f"Z{each}", shapes[each]) for each in held))
    amounts = loads(plan, merchants=[float((at == each).sum()) for each in held])
    took = []
    for _ in range(3):
        started = time.perf_counter()
        found = check(plan, amounts)
        took.append(time.perf_counter() - started)
    assert found and min(took) < 1.0  # 0.1 s where nothing else runs
    assert ground_of_cells(frame, []).is_empty
