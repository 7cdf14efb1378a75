"""People with posts, groups, pairs for zones, and each one's own zones, on the toy town."""

from __future__ import annotations

import pandas as pd
import pytest
from shapely.geometry import box
from sqlalchemy import insert, select, update

from data import store, tables
from data.rights import Role
from data.zones import plans
from data.zones.pairs import homes, is_pair, proposed_pairs, work_of_people, work_of_zones
from data.zones.teams import (
    capacity_h,
    drop_team,
    my_zones,
    proposed_teams,
    save_team,
    set_post,
    set_posts,
    staff,
    take_teams,
    teams,
)
from geo.errors import Conflict, DataError, NotFound, RightsError
from geo.plans import Frame, Plan, Zone
from tests.test_data.conftest import CLI, LAT, LON

FRAME = Frame(LON, LAT, 5000.0, 9)


def zone(number, east, **more):
    """Return a zone some 1 km square, so many thousandths of a degree east of the branch."""
    west = LON + east / 1000
    return Zone(number, f"片区{number}", box(west, LAT - 0.005, west + 0.01, LAT + 0.005), **more)


@pytest.fixture
def crew(town):
    """Return the ids of two indoor and two outdoor colleagues."""
    with store.transaction(town.engine) as session:
        ids = {
            name: store.add_person(session, CLI, name=name, branch_ids=[town.branch_id])
            for name in ("张三甲", "李四乙", "王五丙", "赵六丁")
        }
        posts = {
            ids["张三甲"]: ("indoor", None),
            ids["李四乙"]: ("indoor", 4),
            ids["王五丙"]: ("outdoor", None),
            ids["赵六丁"]: ("outdoor", 1),
        }
        assert set_posts(session, town.asker(Role.LEAD), town.branch_id, posts) == 4
    return ids


def people(town):
    with store.reading(town.engine) as session:
        return staff(session, town.asker(Role.MEMBER), town.branch_id)


# People -----------------------------------------------------------------------------------------------------


def test_capacity_is_outings_by_three_months_by_ten_visits_by_half_an_hour():
    assert capacity_h() == 2 * 3 * 10 * 0.5 == 30
    assert capacity_h(0) == 0


def test_the_staff_are_listed_with_post_and_hours(town, crew):
    found = people(town).set_index("name")
    assert found["post"].to_dict() == {
        "小陈": None,
        "张三甲": "indoor",
        "李四乙": "indoor",
        "王五丙": "outdoor",
        "赵六丁": "outdoor",
    }
    assert found["capacity_h"].tolist() == [30, 30, 60, 30, 15]
    assert found["team"].isna().all() and (found["zones"] == 0).all()


def test_auditors_and_administrators_go_nowhere_and_other_branches_people_are_not_ours(sqlite_town):
    with store.transaction(sqlite_town.engine) as session:
        for role in (Role.AUDITOR, Role.ADMIN):
            store.add_person(session, CLI, name=role.value, role=role, branch_ids=[sqlite_town.branch_id])
        store.add_person(session, CLI, name="别处的人", branch_ids=[sqlite_town.other_id])
    assert people(sqlite_town)["name"].tolist() == ["小陈"]


def test_a_lead_gives_posts_and_what_is_the_same_is_no_change(town, crew):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        assert set_posts(session, lead, town.branch_id, {crew["张三甲"]: ("indoor", None)}) == 0
        set_post(session, lead, town.branch_id, crew["张三甲"], None)
        last = session.execute(select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert (last.action, last.subject) == ("set post", f"person {crew['张三甲']}")
    assert people(town).set_index("id").loc[crew["张三甲"], "post"] is None


def test_who_may_not_edit_plans_gives_no_posts_and_makes_no_groups(sqlite_town):
    for role in (Role.MEMBER, Role.ANALYST, Role.AUDITOR, Role.ADMIN):
        asker = sqlite_town.asker(role)
        with store.transaction(sqlite_town.engine) as session:
            with pytest.raises(RightsError):
                set_post(session, asker, sqlite_town.branch_id, sqlite_town.member_id, "indoor")
            with pytest.raises(RightsError):
                save_team(session, asker, sqlite_town.branch_id, name="一组")
            with pytest.raises(RightsError):
                take_teams(session, asker, sqlite_town.branch_id, [], {})
    for role in (Role.AUDITOR, Role.ADMIN):
        with store.reading(sqlite_town.engine) as session, pytest.raises(RightsError):
            staff(session, sqlite_town.asker(role), sqlite_town.branch_id)


@pytest.mark.parametrize(("post", "outings"), [("garden", None), ("indoor", -1), ("indoor", 61)])
def test_what_is_no_post_is_refused(sqlite_town, post, outings):
    with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError):
        set_post(session, CLI, sqlite_town.branch_id, sqlite_town.member_id, post, outings)


def test_a_stranger_is_given_no_post(sqlite_town):
    with store.transaction(sqlite_town.engine) as session:
        stranger = store.add_person(session, CLI, name="别处的人", branch_ids=[sqlite_town.other_id])
        with pytest.raises(NotFound):
            set_post(session, sqlite_town.asker(Role.LEAD), sqlite_town.branch_id, stranger, "indoor")


# Groups -----------------------------------------------------------------------------------------------------


def test_groups_stand_in_large_groups_and_a_person_in_one(town, crew):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        large = save_team(session, lead, town.branch_id, name="第一大组")
        one = save_team(
            session, lead, town.branch_id, name="一组", parent_id=large, people=list(crew.values())[:3]
        )
        two = save_team(
            session, lead, town.branch_id, name="二组", parent_id=large, people=list(crew.values())[2:]
        )
    with store.reading(town.engine) as session:
        found = teams(session, town.asker(Role.MEMBER), town.branch_id).set_index("id")
    assert found.loc[one, "people"] == (crew["张三甲"], crew["李四乙"])
    assert found.loc[two, "people"] == (crew["王五丙"], crew["赵六丁"])
    assert (found.loc[large, "parent_id"], found.loc[one, "parent_id"]) == (None, large)
    own = people(town).set_index("id")
    assert own.loc[crew["赵六丁"], ["team", "large"]].tolist() == [two, large]
    with store.transaction(town.engine) as session:
        drop_team(session, lead, town.branch_id, large, 0)
        assert teams(session, lead, town.branch_id).empty
    assert len(people(town)) == 5


def test_a_stale_group_is_refused(town):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        team = save_team(session, lead, town.branch_id, name="一组")
        save_team(session, lead, town.branch_id, name="甲组", team_id=team)
        for stale in (
            lambda: save_team(session, lead, town.branch_id, name="乙组", team_id=team),
            lambda: drop_team(session, lead, town.branch_id, team, 0),
            lambda: take_teams(session, lead, town.branch_id, [], {team: 0}),
        ):
            with pytest.raises(Conflict):
                stale()
        with pytest.raises(NotFound):
            save_team(session, CLI, town.other_id, name="乙组", team_id=team)
        with pytest.raises(DataError):
            save_team(session, lead, town.branch_id, name="  ")


def test_groups_are_proposed_of_those_with_a_post_and_taken_whole(town, crew):
    lead = town.asker(Role.LEAD)
    proposal = proposed_teams(people(town))
    assert sorted(each for large in proposal for group in large for each in group) == sorted(crew.values())
    with store.transaction(town.engine) as session:
        old = save_team(session, lead, town.branch_id, name="旧组")
        names = {"large_name": "第{n}大组", "name": "第{n}组"}
        take_teams(session, lead, town.branch_id, proposal, {old: 0}, **names)
        found = teams(session, lead, town.branch_id)
    assert found["name"].tolist() == ["第1大组", "第1组"]
    assert set(found["people"].iloc[1]) == set(crew.values())


# Pairs ------------------------------------------------------------------------------------------------------


def test_a_pair_is_proposed_for_each_zone_and_taken_in_the_draft(town, crew):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        plan = Plan(FRAME, (zone(1, 0), zone(2, 10), zone(3, 20)))
        plan_id = plans.new_plan(session, lead, town.branch_id, name="方案", plan=plan)
        held = plans.plan(session, lead, plan_id)
        change = proposed_pairs(held.plan, staff(session, lead, town.branch_id), {1: 10, 2: 10, 3: 8})
        after = plans.change_plan(session, lead, plan_id, held.revision, change).plan
    own = people(town)
    post_of = dict(zip(own["id"], own["post"], strict=True))
    assert all(is_pair(each, post_of) for each in after.zones)
    assert [post_of[each.pair[0]] for each in after.zones] == ["indoor"] * 3
    # 赵六丁 goes out once a month, 15 hours: one zone of 10, not two.
    assert sum(crew["赵六丁"] in each.pair for each in after.zones) == 1
    work = work_of_people(after, own, {1: 10, 2: 10, 3: 8})
    assert work.loc[crew["赵六丁"], "hours"] in (8, 10)
    assert (work["load_share"].dropna() <= 1).all()


def test_nearness_is_where_one_works_now_or_manages(town, crew):
    """Zone 1 holds M1; 王五丙 manages it. Zone 2 is 赵六丁's already."""
    with store.transaction(town.engine) as session:
        table = tables.merchants
        own = update(table).where(table.c.id == town.ids["M1"])
        session.execute(own.values(manager_id=crew["王五丙"]))
        plan = Plan(FRAME, (zone(1, -2), zone(2, 30, pair=(crew["张三甲"], crew["赵六丁"]))))
        at = homes(session, CLI, town.branch_id, plan)
    assert at.loc[crew["赵六丁"], "lon"] == pytest.approx(LON + 0.035)
    assert at.loc[crew["王五丙"], "lon"] == pytest.approx(LON + 0.001, abs=1e-4)
    assert at.loc[town.member_id, "lon"] > LON  # of the customer C5
    change = proposed_pairs(plan, people(town), {1: 5, 2: 5}, at)
    after = plan.after(change)
    assert after.zones[1] == plan.zones[1]
    assert after.zones[0].pair == (crew["李四乙"], crew["王五丙"])


def test_locked_zones_keep_whom_they_have_and_their_hours_count(sqlite_town):
    own = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "name": ["甲", "乙", "丙"],
            "post": ["indoor", "outdoor", "outdoor"],
            "team": [None] * 3,
            "capacity_h": [90.0, 30.0, 30.0],
        }
    )
    plan = Plan(FRAME, (zone(1, 0, pair=(1, 2), locked=True), zone(2, 10), zone(3, 20, pair=(1, 3))))
    change = proposed_pairs(plan, own, {1: 30, 2: 10, 3: 10}, only_missing=True)
    assert [(move.zone_id, move.after.pair) for move in change.moves] == [(2, (1, 3))]
    assert change.what == "paired"
    again = proposed_pairs(plan.after(change), own, {1: 30, 2: 10, 3: 10})
    assert not again.moves


def test_without_a_colleague_of_each_post_nothing_is_proposed(sqlite_town):
    plan = Plan(FRAME, (zone(1, 0),))
    with pytest.raises(DataError, match="one indoor and one outdoor"):
        proposed_pairs(plan, people(sqlite_town), {})
    assert not proposed_pairs(Plan(FRAME), people(sqlite_town), {}).moves


def test_a_zone_without_a_named_pair_is_flagged(sqlite_town):
    own = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "name": ["甲", "乙", "丙"],
            "post": ["indoor", "outdoor", "outdoor"],
            "capacity_h": [30.0, 30.0, 0.0],
        }
    )
    plan = Plan(
        FRAME,
        (
            zone(1, 0, pair=(1, 2)),
            zone(2, 10),
            zone(3, 20, pair=(1,)),
            zone(4, 30, pair=(2, 3)),
            zone(5, 40, pair=(1, 99)),
        ),
    )
    found = work_of_zones(plan, own, {1: 12, 3: 12, 4: 3, 5: 1})
    assert found["flag"].tolist() == ["", "no_pair", "no_pair", "one_post", "no_pair"]
    assert found["people"].tolist() == [("甲", "乙"), (), ("甲",), ("乙", "丙"), ("甲",)]
    # 甲 works zones 1, 3 and 5: 25 of 30 hours.
    assert found.loc[1, "load_share"] == pytest.approx(25 / 30)
    too_much = work_of_zones(plan, own, {1: 40})
    assert too_much.loc[1, "flag"] == "too_much"


def test_my_zones_are_those_of_the_published_plan(town, crew):
    head = town.asker(Role.HEAD)
    pair = (crew["张三甲"], crew["王五丙"])
    with store.transaction(town.engine) as session:
        plan = Plan(FRAME, (zone(1, 0, pair=pair), zone(2, 10)))
        plan_id = plans.new_plan(session, head, town.branch_id, name="方案", plan=plan)
        assert my_zones(session, head, town.branch_id, crew["张三甲"]) == ()
        plans.publish(session, head, plan_id, 0)
    with store.reading(town.engine) as session:
        member = town.asker(Role.MEMBER)
        assert [each.id for each in my_zones(session, member, town.branch_id, crew["张三甲"])] == [1]
        assert my_zones(session, member, town.branch_id, crew["李四乙"]) == ()
        history = plans.assignments(session, member, town.branch_id, crew["张三甲"])
    assert history["zone_name"].tolist() == ["片区1"]
    assert people(town).set_index("id").loc[crew["王五丙"], "zones"] == 1


def test_who_left_the_branch_is_in_no_group(town, crew):
    with store.transaction(town.engine) as session:
        save_team(session, CLI, town.branch_id, name="一组", people=crew.values())
        session.execute(
            tables.person_branches.delete().where(tables.person_branches.c.person_id == crew["李四乙"])
        )
        session.execute(
            insert(tables.person_branches).values(person_id=crew["李四乙"], branch_id=town.other_id)
        )
        (members,) = teams(session, CLI, town.branch_id)["people"]
    assert crew["李四乙"] not in members and len(members) == 3
