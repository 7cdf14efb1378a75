"""Coverage per zone: the toy town by hand, rows that add up, and changes that cost what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from sqlalchemy import URL

from data import snapshots, store
from data.rights import Role
from data.snapshots import Customers, Merchants, Outlets, Places, Snapshot
from data.zones import coverage
from data.zones.coverage import TOTAL, UNZONED, loads, report
from data.zones.placed import placed
from geo.catchment import destination
from geo.coverage import Figure
from geo.errors import DataError, RightsError
from geo.plans import Frame, Plan, Zone
from tests.test_data.conftest import CLI, LAT, LON, Town

UNKNOWN = Figure(None, None, None)


def strip(number: int, west_m: float, east_m: float, kind: str = "street", height: float = 0.001) -> Zone:
    """Return a zone between two distances east of the branch."""
    west, east = (destination(LON, LAT, 90, metres)[0] if metres else LON for metres in (west_m, east_m))
    return Zone(number, f"片区{number}", shapely.box(west, LAT - height, east, LAT + height), kind)


# Up to 350 m: M1 known, M2 signed, M3 contacted, C1, C2. Up to 1,200 m: M5 signed, the target C3, a rival and
# a community of 100 households. Beyond the circle: a rival. In no zone: C5, a school of 50 (C4), a village of
# 300 households.
PLAN = Plan(
    Frame(LON, LAT, 2000.5, 9),
    (strip(1, 0, 350), strip(2, 350, 1200, "community"), strip(3, 2900, 3100, "park")),
)
# By zone 1, 2, 3, unzoned and the whole: numerator / denominator.
BY_HAND = {
    "customers": ["2", "0", "0", "1", "3"],
    "customer_coverage": ["2/2", "0/1", "0/0", "1/51", "3/54"],
    "merchants": ["3", "1", "0", "0", "4"],
    "merchant_coverage": ["1/3", "1/1", "0/0", "0/0", "2/4"],
    "visit_coverage": ["0/3", "0/2", "0/0", "0/1", "0/6"],
    "visit_never": ["3/3", "2/2", "0/0", "1/1", "6/6"],
    "products_2": ["2/2", "0/0", "0/0", "0/1", "2/3"],
    "products_3": ["1/2", "0/0", "0/0", "0/1", "1/3"],
    "products_5": ["1/2", "0/0", "0/0", "0/1", "1/3"],
    "products_mean": ["7/2", "0/0", "0/0", "1/1", "8/3"],
    "product_match": ["1.5/2", "0/0", "0/0", "0.25/1", "1.75/3"],  # 2 and 4 of 4; 1 of 4
    "rivals": ["0", "1", "1", "0", "2"],
    "households": ["-", "100", "-", "300", "400"],
    "void_gap": ["-/-", "3/4", "-/-", "4/4", "-/-"],
    "pieces": ["1", "1", "1", "-", "-"],
}


def written(figure: Figure) -> str:
    def said(part: float | None) -> str:
        return "-" if part is None else f"{part:.9g}"

    plain = figure.denominator is None and figure.numerator == figure.value
    return said(figure.value) if plain else f"{said(figure.numerator)}/{said(figure.denominator)}"


def told(found: coverage.Report, name: str) -> list[str]:
    rows = [*(found.zone(zone) for zone in found.plan.ids), found.unzoned, found.total]
    return [written(row[name]).replace("-/-", "-") for row in rows]


@pytest.mark.parametrize("name", BY_HAND)
def test_figures_are_those_counted_by_hand(sqlite_town: Town, name: str) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    assert told(found, name) == [value.replace("-/-", "-") for value in BY_HAND[name]]


def test_both_databases_give_one_report(town: Town) -> None:
    found = report(town.snapshot(), CLI, PLAN)
    assert told(found, "customer_coverage") == BY_HAND["customer_coverage"]
    assert found.zone(1)["customer_coverage"].value == 1.0
    assert found.zone(3)["customer_coverage"] == Figure(None, 0.0, 0.0)
    assert found.zone(1)["alliance_reach"] == UNKNOWN


def test_money_density_and_shape_are_measured_in_metres(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    area = abs(Geod(ellps="WGS84").geometry_area_perimeter(PLAN.zone(1).shape)[0]) / 1e6
    zone = found.zone(1)
    assert zone["deposits"] == Figure(10_000.0, 10_000.0, 1.0)  # C2's are unknown
    assert found.total["deposits"] == Figure(60_000.0, 60_000.0, 2.0)
    assert found.zone(3)["deposits"] == Figure(None, None, 0.0)
    assert zone["area_km2"].value == pytest.approx(area, rel=1e-5)
    assert zone["customers_km2"].value == pytest.approx(2 / area, rel=1e-5)
    assert zone["merchants_km2"].value == pytest.approx(3 / area, rel=1e-5)
    assert zone["deposits_km2"].value == pytest.approx(10_000 / area, rel=1e-5)
    width, height = 350.0, area / 0.35 * 1000
    square = 4 * np.pi * width * height / (2 * (width + height)) ** 2
    assert zone["polsby_popper"].value == pytest.approx(square, rel=1e-4)


def test_the_scope_is_the_circle_and_the_zones_beyond_it(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    circle = np.pi * 2.0005**2
    zones = [found.zone(zone)["area_km2"].value for zone in PLAN.ids]
    assert found.ground["area_km2"].value == pytest.approx(circle + zones[2], rel=1e-3)
    assert found.unzoned["area_km2"].value == pytest.approx(circle - zones[0] - zones[1], rel=1e-3)
    assert found.ground["overlap_share"].value == 0.0


def test_hours_are_visits_due_and_the_walk_to_the_next(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    # Half a visit of half an hour: M1, M3, C3 (100 m to the next), C4 (1,000 m); one: M2 (100 m), M5 (600 m).
    hours = [1.0 + 200 / 4000, 0.75 + 650 / 4000, 0.0]
    mean = sum(hours) / 3
    assert [found.zone(zone)["workload_h"].value for zone in PLAN.ids] == pytest.approx(hours, rel=1e-6)
    assert (
        found.zone(1)["workload_h"].denominator == 30.0
    )  # two outings a month of ten visits, half an hour each
    assert found.unzoned["workload_h"].value == pytest.approx(0.25 + 500 / 4000, rel=1e-6)
    assert found.total["workload_h"].value == pytest.approx(sum(hours) + 0.375, rel=1e-6)
    off = [abs(each - mean) for each in hours]
    assert found.balance["balance"].value == pytest.approx(1 - sum(off) / 3 / mean, rel=1e-6)
    assert found.balance["largest_deviation"].value == pytest.approx(max(off) / mean, rel=1e-6)
    assert found.zone(2)["balance"].value == pytest.approx(hours[1] / mean, rel=1e-6)
    given = report(sqlite_town.snapshot(), CLI, PLAN, capacity_h={1: 12.0})
    assert [given.zone(zone)["workload_h"].denominator for zone in PLAN.ids] == [12.0, 30.0, 30.0]


def test_nearer_a_rival_counts_people_and_equally_near_is_not_nearer(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    assert written(found.zone(2)["rival_nearer"]) == "1/1"  # 400 m from the branch, 100 m from the rival
    assert written(found.unzoned["rival_nearer"]) == "51/51"


def test_a_zone_recommends_what_its_kind_offers_beside_the_group(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN, products={"street": (0, 5), "park": (3,)})
    # Shop owners are recommended 0, 1, 4, 10, and here 5 too: C1 holds 0 and 1, C2 all five.
    assert found.zone(1)["product_match"].value == pytest.approx((2 / 5 + 1) / 2)
    assert found.unzoned["product_match"].value == pytest.approx(1 / 4)
    assert found.total["product_match"].value == pytest.approx((2 / 5 + 1 + 1 / 4) / 3)


@pytest.mark.parametrize(("reachable", "said"), [("households", "2/-"), ("adults", "2/-")])
def test_customers_may_be_a_share_of_those_who_live_there(sqlite_town: Town, reachable, said) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN, reachable=reachable)
    assert written(found.zone(1)["customer_coverage"]) == said
    if reachable == "households":
        assert written(found.total["customer_coverage"]) == "3/400"
    assert found.reachable == reachable
    with pytest.raises(DataError, match="sunshine"):
        report(sqlite_town.snapshot(), CLI, PLAN, reachable="sunshine")


def test_preferences_are_the_commonest_by_zone(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    tags, channels = found.preferences(1)
    assert [(tag.name, tag.figure.value) for tag in tags] == [("跳舞", 1.0), ("年货", 0.5)]
    assert [channel.name for channel in channels] == ["微信"]
    assert [tag.name for tag in found.preferences(UNZONED)[0]] == ["年货"]
    assert [tag.figure.numerator for tag in found.preferences(TOTAL)[0]] == [2.0, 2.0]
    assert found.preferences(3) == ((), ())


def test_visits_stand_in_four_states(sqlite_town: Town) -> None:
    snapshot = sqlite_town.snapshot()
    day = (date(2026, 11, 22) - date(1970, 1, 1)).days
    ago = {"M1": 10, "M2": 73, "M3": 200, "M5": 90}  # every 180, 90, 180 and 90 days
    visited = snapshot.merchants.visited.copy()
    for number, days in ago.items():
        visited[snapshot.merchants.row_of(sqlite_town.ids[number])] = day - days
    seen = replace(snapshot, merchants=replace(snapshot.merchants, visited=visited))
    found = report(seen, CLI, PLAN, today=date(2026, 11, 22))
    assert [told(found, f"visit_{state}")[0] for state in ("never", "on_track", "due", "overdue")] == [
        "0/3",
        "1/3",
        "1/3",
        "1/3",
    ]
    assert told(found, "visit_coverage") == ["2/3", "1/2", "0/0", "0/1", "3/6"]


def test_what_is_set_aside_counts_nowhere(sqlite_town: Town) -> None:
    town = sqlite_town
    with store.transaction(town.engine) as session:
        store.set_aside(session, CLI, town.branch_id, "customers", town.ids["C4"], "x")
        store.set_aside(session, CLI, town.branch_id, "merchants", town.ids["M2"], "x")
    found = report(town.snapshot(), CLI, PLAN)
    assert told(found, "customer_coverage") == ["2/2", "0/1", "0/0", "1/1", "3/4"]
    assert told(found, "merchant_coverage") == ["0/2", "1/1", "0/0", "0/0", "1/3"]


# --- rights -------------------------------------------------------------------------------------------------


def test_only_who_reads_plans_reads_coverage(sqlite_town: Town) -> None:
    for asker in (sqlite_town.asker(Role.AUDITOR), sqlite_town.asker(Role.HEAD, sqlite_town.other_id)):
        with pytest.raises(RightsError):
            report(sqlite_town.snapshot(), asker, PLAN)
        with pytest.raises(RightsError):
            loads(sqlite_town.snapshot(), PLAN, asker=asker)


def test_few_customers_are_hidden_and_cannot_be_worked_out_from_the_total(sqlite_town: Town) -> None:
    asker = sqlite_town.asker(Role.ANALYST)
    found = report(sqlite_town.snapshot(), asker, PLAN)
    # 2 and 1 people are few, and 51 more are hidden, as 54 - 51 would give the 3 away; none is no secret.
    assert found.masked.tolist() == [True, True, False]
    assert np.isnan(found.zone(1)["customer_coverage"].value)
    assert found.zone(1)["customer_coverage"][1:] == (None, None)
    assert np.isnan(found.unzoned["customer_coverage"].value)
    assert written(found.total["customer_coverage"]) == "3/54"
    assert written(found.zone(3)["customer_coverage"]) == "0/0"
    hidden = set(found.hidden.columns[found.hidden.loc[1]])
    shown = {"merchants", "merchant_coverage", "rivals", "households", "merchants_km2", "void_gap"}
    shown |= {"polsby_popper", "pieces", "area_km2", "alliance_merchants", "alliance_reach"}
    assert set(found.hidden.columns) - hidden == shown
    assert found.preferences(1) == ((), ())
    assert np.isnan(found.balance["balance"].value)
    assert found.zones.loc[1, "customer_coverage"].isna().all()


def test_a_lead_sees_customers_and_no_money_of_few(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), sqlite_town.asker(Role.LEAD), PLAN)
    assert told(found, "customer_coverage") == BY_HAND["customer_coverage"]
    assert np.isnan(found.zone(1)["deposits"].value)
    assert np.isnan(found.total["deposits_km2"].value)


def test_loads_are_what_zones_are_held_to(sqlite_town: Town) -> None:
    snapshot = sqlite_town.snapshot()
    found = loads(snapshot, PLAN)
    assert found.index.tolist() == [1, 2, 3]
    assert found["merchants"].tolist() == [3, 1, 0]
    assert found["customers"].tolist() == [2, 1, 0]
    assert found["households"].tolist() == [0, 100, 0]
    assert found["deposits"].tolist() == [10_000, 0, 0]
    assert found["hours"].tolist() == pytest.approx([1.05, 0.9125, 0], rel=1e-6)
    masked = loads(snapshot, PLAN, asker=sqlite_town.asker(Role.MEMBER))
    assert masked["merchants"].tolist() == [3, 1, 0]
    assert masked["customers"].isna().tolist() == [True, True, False]
    assert loads(snapshot, PLAN, asker=CLI).equals(found)


# --- edges --------------------------------------------------------------------------------------------------


def test_a_plan_without_zones_is_all_unzoned(sqlite_town: Town) -> None:
    empty = Plan(PLAN.frame)
    found = report(sqlite_town.snapshot(), CLI, empty)
    assert len(found.zones) == 0
    assert written(found.unzoned["customer_coverage"]) == written(found.total["customer_coverage"]) == "3/54"
    assert found.balance["balance"] == UNKNOWN
    assert found.ground["unzoned_share"].value == 1.0
    assert loads(sqlite_town.snapshot(), empty).empty


def test_a_branch_without_anything_has_no_shares(sqlite_town: Town) -> None:
    nothing = snapshots.snapshot(sqlite_town.engine, sqlite_town.other_id)
    found = report(nothing, CLI, Plan(Frame(LON + 1, LAT, 0.0, 9), (strip(1, 0, 350),)))
    assert found.zone(1)["customer_coverage"] == Figure(None, 0.0, 0.0)
    assert found.total["void_gap"] == UNKNOWN
    assert found.zone(1)["balance"].value is None


def test_a_border_and_an_overlap_are_the_smaller_numbers(sqlite_town: Town) -> None:
    snapshot = sqlite_town.snapshot()
    lon, lat = (float(getattr(snapshot.merchants, name)[0]) for name in ("lon", "lat"))
    left = Zone(7, "左", shapely.box(lon - 0.01, lat - 0.01, lon, lat + 0.01))
    right = Zone(4, "右", shapely.box(lon, lat - 0.01, lon + 0.01, lat + 0.01))
    over = Zone(9, "上", shapely.box(lon - 0.001, lat - 0.001, lon + 0.02, lat + 0.001))
    found = placed(snapshot, Plan(PLAN.frame, (left, right, over)), today=0)
    assert found.plan.ids[found.codes["merchants"][0]] == 4
    told_ = report(snapshot, CLI, found.plan)
    assert told_.ground["overlap_share"].value > 0.0
    assert told_.total["merchants"].value == 4.0


# --- a town at random ---------------------------------------------------------------------------------------


def town_of(seed: int, customers: int = 300, merchants: int = 80) -> Snapshot:
    """Return a snapshot with rows scattered over 4 km."""
    random = np.random.default_rng(seed)

    def points(count: int) -> dict[str, np.ndarray]:
        lon, lat = random.normal(LON, 0.012, count), random.normal(LAT, 0.012, count)
        return {"id": np.arange(1, count + 1), "lon": lon, "lat": lat}

    def never(count: int) -> np.ndarray:
        return np.full(count, -1, dtype=np.int32)

    some, branch, nobody = customers, (LON, LAT), np.array([], dtype=np.int64)
    people = {
        **points(some),
        "group": random.choice([1, 3, 99], some).astype(np.int16),
        "existing": random.random(some) < 0.6,
        "size": random.integers(1, 9, some).astype(np.int32),
        "tier": random.integers(-1, 5, some).astype(np.int8),
        "holdings": random.integers(0, 1 << 18, some).astype(np.uint64),
        "deposits": np.where(random.random(some) < 0.5, random.random(some) * 1e6, np.nan),
        "assets": np.full(some, np.nan),
        "key": np.zeros(some, dtype=bool),
        "manager": never(some),
        "visited": random.integers(-1, 20_000, some).astype(np.int32),
        "tags": random.integers(0, 3, some).astype(np.int32),
        "channels": np.zeros(some, dtype=np.int32),
        "tag_sets": ((), ("年货",), ("年货", "跳舞")),
        "channel_sets": ((),),
    }
    shops = {
        **points(merchants),
        "category": random.choice([101, 201, 99], merchants).astype(np.int16),
        "status": random.integers(0, 4, merchants).astype(np.int8),
        "visited": never(merchants),
    }
    rivals = {**points(9), "kind": np.zeros(9, np.int8), "own": np.arange(9) < 2}
    homes = {**points(20), "kind": np.zeros(20, np.int8), "households": random.integers(1, 900, 20) * 1.0}
    homes |= {"adults": np.full(20, np.nan), "employees": np.full(20, np.nan)}
    return Snapshot(
        (URL.create("sqlite"), 1, 1),
        *branch,
        Merchants.of(shops, branch, nobody),
        Customers.of(people, branch, nobody),
        Outlets.of(rivals, branch, nobody),
        Places.of(homes, branch, nobody),
    )


TOWN = town_of(1)
STEPS, SIDE = 6, 0.006  # blocks a side, and degrees of a block
SUMMED = ("customers", "customer_coverage", "merchants", "merchant_coverage", "visit_coverage", "products_3")
SUMMED += ("products_mean", "product_match", "rivals", "rival_nearer", "deposits", "workload_h", "area_km2")


def of_blocks(owner: list[int], kinds: list[int]) -> Plan:
    """Return the plan in which block i belongs to zone `owner[i]`, 0 to none."""
    zones = []
    for number in sorted(set(owner) - {0}):
        blocks = [at for at, own in enumerate(owner) if own == number]
        shape = shapely.union_all(
            [
                shapely.box(west, south, west + SIDE, south + SIDE)
                for west, south in (
                    (LON + (at % STEPS - 3) * SIDE, LAT + (at // STEPS - 3) * SIDE) for at in blocks
                )
            ]
        )
        zones.append(Zone(number, str(number), shape, ("street", "park")[kinds[number]]))
    return Plan(Frame(LON, LAT, 1500.0, 9), tuple(zones))


owners = st.lists(st.integers(0, 5), min_size=STEPS**2, max_size=STEPS**2)
kinds_of = st.lists(st.integers(0, 1), min_size=6, max_size=6)


@settings(max_examples=25, deadline=None)
@given(owners, kinds_of)
def test_rows_add_up_to_the_total(owner: list[int], kinds: list[int]) -> None:
    found = report(TOWN, CLI, of_blocks(owner, kinds), products={"park": (2, 3)})
    for name in SUMMED:
        for part in ("numerator", "denominator") if name != "workload_h" else ("numerator",):
            rows = [*found.zones[name][part], getattr(found.unzoned[name], part)]
            total = getattr(found.total[name], part)
            added = np.nansum(np.array(rows, dtype=float))
            assert added == pytest.approx(total or 0.0, rel=1e-9, abs=1e-9), (name, part)
    counted = sum(int((found_ == code).sum()) for code in range(7) for found_ in [_codes(found.plan)])
    assert counted == len(TOWN.customers)  # each in one zone, in none, or outside


def _codes(plan: Plan) -> np.ndarray:
    return placed(TOWN, plan, today=0).codes["customers"]


@settings(max_examples=30, deadline=None)
@given(owners, kinds_of, st.lists(st.tuples(st.integers(0, 35), st.integers(0, 5)), max_size=3), kinds_of)
def test_a_changed_plan_is_what_it_would_be_placed_anew(owner, kinds, strokes, other_kinds) -> None:
    changed = list(owner)
    for block, zone in strokes:
        changed[block] = zone
    before, after = of_blocks(owner, kinds), of_blocks(changed, other_kinds)
    offered = {"park": (2, 3), "street": (7,)}
    kept, alone = replace(TOWN), replace(TOWN)
    report(kept, CLI, before, 1, products=offered)
    mended, anew = (report(town, CLI, after, 1, products=offered) for town in (kept, alone))
    pd.testing.assert_frame_equal(mended.zones, anew.zones, rtol=1e-9)
    assert [*mended.unzoned] == [*anew.unzoned]
    for one, other in ((mended.unzoned, anew.unzoned), (mended.total, anew.total)):
        left, right = (
            np.array([list(figure) for figure in each.values()], dtype=float) for each in (one, other)
        )
        assert np.allclose(left, right, rtol=1e-9, atol=1e-6, equal_nan=True)


def test_a_plan_that_did_not_change_is_not_placed_again() -> None:
    town = replace(TOWN)
    plan = of_blocks([1, 2, 3] * 12, [0] * 6)
    first = placed(town, plan, 5, today=0)
    named = replace(plan, zones=tuple(replace(zone, name="新") for zone in plan.zones))
    second = placed(town, named, 5, today=0)
    assert second.codes is first.codes and second.plan is named
    assert placed(town, plan, 5, today=1).codes is not first.codes  # another day: visits stand otherwise
