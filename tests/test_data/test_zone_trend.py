"""What is kept of zones with each data version, and the trend told from it; void and gap; how zones stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from data import snapshots, store, tables
from data.rights import Role
from data.zones import gaps, plans, trend
from data.zones.coach import advice
from data.zones.coverage import report
from data.zones.gaps import FEWER, VOID
from data.zones.standing import compared, kind_size, ranked
from geo.errors import DataError, RightsError
from geo.plans import Plan
from tests.test_data.conftest import CLI, LON, Town
from tests.test_data.test_zone_coverage import PLAN, strip


def publish(town: Town, plan: Plan = PLAN, copy_of: int | None = None) -> int:
    with store.transaction(town.engine) as session:
        if copy_of is None:
            plan_id = plans.new_plan(session, CLI, town.branch_id, name="方案", plan=plan)
        else:
            plan_id = plans.copy_plan(session, CLI, copy_of, "另一方案")
        plans.publish(session, CLI, plan_id, 0)
    return plan_id


def sign(town: Town, number: str, status: str = "signed") -> None:
    with store.transaction(town.engine) as session:
        card = store.merchant_card(session, CLI, town.ids[number])
        store.edit_merchant(session, CLI, town.ids[number], revision=card["revision"], status=status)


def told(town: Town, zone_id: int | None, figure: str, asker=CLI) -> list[tuple]:
    with store.reading(town.engine) as session:
        found = trend.trend(session, asker, town.branch_id, zone_id, figure)
    return [tuple(row) for row in found[["cause", "numerator", "denominator"]].itertuples(index=False)]


def kept(town: Town) -> list[dict]:
    query = select(tables.data_versions.c.figures).order_by(tables.data_versions.c.number)
    with store.reading(town.engine) as session:
        return [figures.get("zones") for figures in session.scalars(query)]


# --- trend --------------------------------------------------------------------------------------------------


def test_a_trend_begins_when_a_plan_is_published(town: Town) -> None:
    assert kept(town) == [None]
    town.snapshot()
    publish(town)
    sign(town, "M1")
    sign(town, "M5", "contacted")
    assert told(town, 1, "merchant_coverage") == [("plan", 1, 3), ("edit", 2, 3), ("edit", 2, 3)]
    assert told(town, 2, "merchant_coverage") == [("plan", 1, 1), ("edit", 1, 1), ("edit", 0, 1)]
    assert told(town, None, "merchant_coverage") == [("plan", 2, 4), ("edit", 3, 4), ("edit", 2, 4)]
    assert told(town, trend.UNZONED, "customer_coverage") == [
        (cause, 1, 51) for cause in ("plan", "edit", "edit")
    ]
    assert told(town, 3, "products_mean")[0][1:] == (0, 0)
    assert told(town, 99, "products_mean") == []


def test_a_change_by_hand_keeps_the_zone_that_changed_and_a_new_start_all(sqlite_town: Town) -> None:
    sqlite_town.snapshot()
    publish(sqlite_town)
    sign(sqlite_town, "M1")
    snapshots.clear()  # as after a restart: what was before is no longer known
    sign(sqlite_town, "M5", "contacted")
    first, second, third = kept(sqlite_town)[1:]
    assert first["all"] and sorted(first["zones"]) == ["0", "1", "2", "3"]
    assert not second["all"] and sorted(second["zones"]) == ["1"]
    assert third["all"]
    assert told(sqlite_town, 1, "merchant_coverage") == [("plan", 1, 3), ("edit", 2, 3), ("edit", 2, 3)]


def test_what_was_set_aside_or_visited_changes_its_zone(sqlite_town: Town) -> None:
    sqlite_town.snapshot()
    publish(sqlite_town)
    with store.transaction(sqlite_town.engine) as session:
        store.set_aside(session, CLI, sqlite_town.branch_id, "customers", sqlite_town.ids["C3"], "x")
    assert sorted(kept(sqlite_town)[-1]["zones"]) == ["2"]
    assert [row[1:] for row in told(sqlite_town, 2, "customer_coverage")] == [(0, 1), (0, 0)]


def test_figures_kept_are_those_of_the_report(sqlite_town: Town) -> None:
    publish(sqlite_town)
    found = report(sqlite_town.snapshot(), CLI, PLAN)
    for figure in trend.FIGURES:
        (row,) = told(sqlite_town, 1, figure)
        now = found.zone(1)[figure]
        assert row[1] == now.numerator or np.isnan(row[1]) == (now.numerator is None), figure


def test_a_copy_goes_on_with_the_trend_and_another_plan_does_not(sqlite_town: Town) -> None:
    first = publish(sqlite_town)
    publish(sqlite_town, copy_of=first)
    assert len(told(sqlite_town, 1, "merchants")) == 2
    publish(sqlite_town, replace(PLAN, zones=PLAN.zones[:1]))
    assert told(sqlite_town, 1, "merchants")[0][1] == 3.0 and len(told(sqlite_town, 1, "merchants")) == 1


def test_a_trend_is_masked_and_asked_for_by_rights(sqlite_town: Town) -> None:
    publish(sqlite_town)
    analyst = sqlite_town.asker(Role.ANALYST)
    with store.reading(sqlite_town.engine) as session:
        hidden = trend.trend(session, analyst, sqlite_town.branch_id, 1, "customer_coverage")
        shown = trend.trend(session, analyst, sqlite_town.branch_id, 1, "merchant_coverage")
        whole = trend.trend(session, analyst, sqlite_town.branch_id, None, "customer_coverage")
        assert hidden["hidden"].tolist() == [True] and hidden["numerator"].isna().all()
        assert shown["numerator"].tolist() == [1.0] and whole["denominator"].tolist() == [54.0]
        with pytest.raises(RightsError):
            trend.trend(session, sqlite_town.asker(Role.AUDITOR), sqlite_town.branch_id, 1, "merchants")
        with pytest.raises(DataError, match="sunshine"):
            trend.trend(session, CLI, sqlite_town.branch_id, 1, "sunshine")
        versions = store.versions(session, analyst, sqlite_town.branch_id)
    assert all("zones" not in figures for figures in versions["figures"])


# --- void and gap -------------------------------------------------------------------------------------------


def test_void_and_gap_are_told_by_household_beside_the_circle(sqlite_town: Town) -> None:
    # The circle: one each of 101, 102, 103 and 201 for 400 households. Zone 2: one 103 for 100 households.
    found = gaps.void_and_gap(sqlite_town.snapshot(), CLI, PLAN, zone_id=2).set_index("category")
    assert found.index.tolist() == [101, 102, 201, 103]
    assert found["merchants"].tolist() == [0, 0, 0, 1]
    assert found["per_1000"].tolist() == [0, 0, 0, 10]
    assert found["reference_merchants"].tolist() == [1, 1, 1, 1]
    assert found["reference_per_1000"].tolist() == [2.5] * 4
    assert found["state"].tolist() == [VOID, VOID, VOID, "enough"]
    assert found["missing"].tolist() == [0.25, 0.25, 0.25, 0.0]
    assert gaps.void_and_gap(
        sqlite_town.snapshot(), CLI, PLAN, zone_id=1
    ).empty  # nobody is known to live there
    largest = gaps.largest(sqlite_town.snapshot(), CLI, PLAN)
    assert largest.index.tolist() == [2]
    assert largest.loc[2, ["category", "missing", "households"]].tolist() == [101, 0.25, 100]


def test_the_whole_is_held_against_what_other_branches_know_near_by(town: Town) -> None:
    with store.transaction(town.engine) as session:
        other = {"branch_id": town.other_id, "lat": 30.5}
        near, far = LON + 0.02, LON + 0.2  # 1.9 and 19 km; twice the radius is 4 km
        shop = {"name": "甲", "category_id": 104, "status": "known", **other}
        session.execute(
            tables.merchants.insert(), [{**shop, "lon": near}, {**shop, "lon": near}, {**shop, "lon": far}]
        )
        session.execute(tables.merchants.insert(), [{**shop, "lon": near, "status": "closed"}])
        session.execute(tables.merchants.insert(), [{**shop, "lon": near, "category_id": 101}])
        home = {"name": "乙", "kind": "village", "lon": near, **other}
        session.execute(tables.places.insert(), [{**home, "households": 100}])
    with store.reading(town.engine) as session:
        others = gaps.others_know(session, CLI, town.branch_id, PLAN.frame)
    assert others.households == 100 and others.categories.sum() == 3
    found = gaps.void_and_gap(town.snapshot(), CLI, PLAN, others=others)
    # Two breakfast shops for 100 households there, none for 400 here: eight are missing; of 101 one of four.
    assert found[["category", "state", "missing"]].to_numpy().tolist() == [
        [104, VOID, 8.0],
        [101, FEWER, 3.0],
    ]
    whole = report(town.snapshot(), CLI, PLAN, others=others).total["void_gap"]
    assert (whole.numerator, whole.denominator) == (2.0, 2.0)


def test_where_others_know_nothing_there_is_no_reference(sqlite_town: Town) -> None:
    with store.reading(sqlite_town.engine) as session:
        others = gaps.others_know(session, CLI, sqlite_town.branch_id, PLAN.frame)
        with pytest.raises(RightsError):
            gaps.others_know(session, sqlite_town.asker(Role.AUDITOR), sqlite_town.branch_id, PLAN.frame)
    assert np.isnan(others.households)
    assert gaps.void_and_gap(sqlite_town.snapshot(), CLI, PLAN, others=others).empty
    assert report(sqlite_town.snapshot(), CLI, PLAN, others=others).total["void_gap"].value is None


# --- standing and the coach ---------------------------------------------------------------------------------


def test_zones_are_ranked_by_what_it_takes_to_stand_as_the_branch_does(sqlite_town: Town) -> None:
    found = ranked(report(sqlite_town.snapshot(), CLI, PLAN), "merchant_coverage")
    # The branch has signed 2 of 4. Zone 1: 1 of 3, half a merchant short; zone 2: 1 of 1; zone 3 has none.
    assert found.index.tolist() == [1, 2, 3]
    assert found["gap"].tolist()[:2] == pytest.approx([1 / 6, -0.5])
    assert found["short"].tolist()[:2] == pytest.approx([0.5, 0.0])
    assert np.isnan(found["gap"].iloc[2])
    worse = ranked(report(sqlite_town.snapshot(), CLI, PLAN), "void_gap")
    assert np.isnan(worse["gap"]).all()  # the whole has no reference here


def test_a_zone_is_compared_with_the_branch_and_its_kind(sqlite_town: Town) -> None:
    plan = Plan(PLAN.frame, (strip(1, 0, 250.5), strip(2, 250.5, 350), strip(3, 350, 1200, "community")))
    found = compared(report(sqlite_town.snapshot(), CLI, plan), 1)
    assert found.loc["merchant_coverage"].tolist() == pytest.approx(
        [1 / 2, 2 / 4, 1 / 3]
    )  # M2; the branch; + M3
    assert found.loc["merchants"].tolist() == pytest.approx([2, 4 / 3, 1.5])
    assert np.isnan(found.loc["alliance_reach"]).all()
    assert kind_size(report(sqlite_town.snapshot(), CLI, plan), 1) == 2


def test_a_masked_figure_is_in_no_comparison(sqlite_town: Town) -> None:
    found = report(sqlite_town.snapshot(), sqlite_town.asker(Role.ANALYST), PLAN)
    assert np.isnan(compared(found, 1).loc["customer_coverage", ["zone", "kind"]]).all()
    assert np.isnan(ranked(found, "customer_coverage").loc[[1, 2], "gap"]).all()


def kinds(found) -> list[tuple[str, int | None]]:
    return [(each.kind, each.zone_id) for each in found]


def test_the_coach_names_zones_without_a_pair_first(sqlite_town: Town) -> None:
    zones = tuple(replace(zone, pair=pair) for zone, pair in zip(PLAN.zones, ((1, 2), (3,), ()), strict=True))
    found = advice(report(sqlite_town.snapshot(), CLI, replace(PLAN, zones=zones)))
    # 1.05, 0.91 and no hour of 30: the first two are no less than the mean zone has, as half of it is 0.33.
    assert kinds(found) == [("no_pair", 2), ("no_pair", 3), ("idle", 3)]
    assert found[1].message.format(**found[1].values) == "Nobody is named for 片区3."
    for each in found:
        assert each.next_step.format(**each.values)


def test_the_coach_tells_who_has_too_much_and_to_whom_it_can_go(sqlite_town: Town) -> None:
    plan = replace(PLAN, zones=tuple(replace(zone, pair=(1, 2)) for zone in PLAN.zones[:2]))
    found = advice(report(sqlite_town.snapshot(), CLI, plan, capacity_h={1: 0.5, 2: 2.0}))
    assert kinds(found) == []  # 1.05 hours are not a fifth more than the mean of 0.98
    plan = replace(
        plan, zones=(replace(strip(1, 0, 700), pair=(1, 2)), replace(strip(2, 700, 1200), pair=(1, 2)))
    )
    found = advice(report(sqlite_town.snapshot(), CLI, plan, capacity_h={1: 0.8, 2: 2.0}))
    assert kinds(found) == [("overloaded", 1)]
    assert found[0].values["other"] == "片区2"
    locked = replace(plan, zones=(plan.zones[0], replace(plan.zones[1], locked=True)))
    (alone,) = advice(report(sqlite_town.snapshot(), CLI, locked, capacity_h={1: 0.8, 2: 2.0}))
    assert "Divide" in alone.next_step
    short = advice(report(sqlite_town.snapshot(), CLI, plan, capacity_h=0.5))
    assert kinds(short)[0] == ("overloaded", None)


def test_the_coach_tells_of_gaps_of_whole_merchants_and_of_few_reached() -> None:
    from tests.test_data.test_zone_coverage import TOWN, of_blocks

    plan = of_blocks([1] * 18 + [2] * 18, [0] * 6)
    found = advice(report(TOWN, CLI, plan), gaps.largest(TOWN, CLI, plan), language="en")
    named = {each.kind for each in found}
    assert "no_pair" in named
    for each in found:
        assert each.message.format(**each.values) and each.next_step.format(**each.values)
    few = report(TOWN, CLI, plan)
    few.zones.loc[1, ("customer_coverage", "value")] = 0.1
    assert ("under_covered", 1) in kinds(advice(few))
    largest = gaps.largest(TOWN, CLI, plan)
    largest["missing"], largest["merchants"] = 3.4, 0
    of_gap = [each for each in advice(few, largest, language="en") if each.kind == "gap"]
    assert of_gap and of_gap[0].values["missing"] == 3


def test_the_coach_names_no_more_than_a_few_of_a_kind(sqlite_town: Town) -> None:
    zones = tuple(strip(number, 100 * number, 100 * number + 50) for number in range(1, 15))
    found = advice(report(sqlite_town.snapshot(), CLI, replace(PLAN, zones=zones)))
    assert [each.kind for each in found].count("no_pair") == 5
    assert advice(report(sqlite_town.snapshot(), CLI, Plan(PLAN.frame))) == []
