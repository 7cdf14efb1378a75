"""
Plans of zones in the store: drafts, changes, undo, publishing, and two who change one plan.

Zones stand in a row, west to east, as in the tests of plans as values.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
import shapely
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import snapshots, store, tables
from data.rights import Asker, Role
from data.words import say
from data.zones import content, pairs
from geo.errors import Conflict, DataError, NotFound, PlanConflict, RightsError
from geo.plans import KINDS, Barrier, Change, Frame, Measure, Move, Plan, Zone
from tests.test_data.conftest import CLI, LAT, LON, Town
from tests.test_data.test_two_analysts import at_once

STEP = 0.01
FRAME = Frame(LON, LAT, 900.0, 9)


def zone(number: int, name: str = "", **more: Any) -> Zone:
    west = LON + number * STEP
    square = shapely.box(west, LAT, west + STEP, LAT + STEP)
    return Zone(number, name or f"片区{number}", **{"shape": square, **more})


ROW = Plan(FRAME, tuple(zone(number) for number in (1, 2, 3)))


def named(number: int, name: str, before: Zone | None = None) -> Change:
    """Return the change that gives a zone another name."""
    was = before or zone(number)
    return Change("edited", (Move(was, replace(was, name=name)),))


def drawn(number: int) -> Change:
    return Change("drawn", (Move(None, zone(number)),))


def lead(town: Town, name: str = "李四") -> Asker:
    return replace(town.asker(Role.LEAD), name=name)


def head(town: Town) -> Asker:
    return town.asker(Role.HEAD)


def do(town: Town, ask: Callable[..., Any], *arguments: Any, by: Asker | None = None, **more: Any) -> Any:
    """Ask the store in a transaction of its own, the lead unless another is named."""
    with store.transaction(town.engine) as session:
        return ask(session, by or lead(town), *arguments, **more)


@pytest.fixture
def draft(town: Town) -> int:
    return int(do(town, store.new_plan, town.branch_id, name="春季方案", plan=ROW))


@pytest.fixture
def sqlite_draft(sqlite_town: Town) -> int:
    return int(do(sqlite_town, store.new_plan, sqlite_town.branch_id, name="春季方案", plan=ROW))


# As text ----------------------------------------------------------------------------------------------------

SHAPES = st.sampled_from(
    [
        zone(1).shape,
        shapely.MultiPolygon([zone(1).shape, zone(5).shape]),
        shapely.Point(LON, LAT).buffer(STEP),
        zone(2).shape.difference(shapely.Point(LON + 2.5 * STEP, LAT + STEP / 2).buffer(STEP / 4)),
    ]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ZONES = st.builds(
    Zone,
    st.integers(1, 10**6),
    st.text(),
    SHAPES,
    kind=st.sampled_from(KINDS),
    pair=st.lists(st.integers(1, 9), max_size=2).map(tuple),
    locked=st.booleans(),
    note=st.text(),
)
MEASURES = st.builds(
    Measure, st.just("merchants"), NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS
)
BARRIERS = st.builds(
    Barrier, st.text(), SHAPES | st.just(shapely.LineString([(LON, LAT), (LON + 1 / 3, LAT)]))
)
FRAMES = st.builds(
    Frame,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.integers(0, 15),
    st.lists(MEASURES, max_size=2).map(tuple),
    st.lists(BARRIERS, max_size=2).map(tuple),
    st.none() | NUMBERS,
)
PLANS = st.builds(
    Plan,
    FRAMES,
    st.lists(ZONES, max_size=4, unique_by=lambda each: each.id).map(tuple),
    st.integers(0, 10**6),
)


@settings(deadline=None)
@given(PLANS)
def test_a_plan_comes_back_from_its_text_as_it_was(plan: Plan) -> None:
    text = content.plan_text(plan)
    assert content.plan_of(text) == plan
    assert content.zones_in(text[: content.HEAD_LENGTH]) == len(plan)


@settings(deadline=None)
@given(PLANS, PLANS, st.text(max_size=20))
def test_a_change_comes_back_from_its_text_as_it_was(before: Plan, after: Plan, what: str) -> None:
    change = before.change_to(after, what)
    assert content.change_of(content.change_text(change)) == change


@pytest.mark.parametrize("text", ['{"version": 2, "zones": []}', "{}", '{"version": 1}'])
def test_what_another_release_wrote_is_refused(text: str) -> None:
    for read in (content.plan_of, content.change_of):
        with pytest.raises(DataError, match="another release"):
            read(text)


# Drafts -----------------------------------------------------------------------------------------------------


def test_a_new_plan_stands_in_the_circle_of_the_branch(town: Town) -> None:
    plan_id = do(town, store.new_plan, town.branch_id, name=" 空方案 ")
    held = do(town, store.plan, plan_id)
    assert (held.name, held.status, held.revision, len(held.plan)) == ("空方案", "draft", 0, 0)
    # The farthest that counts is the target group at 2 km.
    assert (held.plan.frame.lon, held.plan.frame.lat) == (LON, LAT)
    assert held.plan.frame.radius_m == pytest.approx(2000.0, abs=0.01)
    do(town, store.set_radius, town.branch_id, 1234.0)
    assert do(town, store.default_frame, town.branch_id).radius_m == 1234.0


def test_a_branch_without_data_still_has_a_circle(sqlite_town: Town) -> None:
    assert do(sqlite_town, store.default_frame, sqlite_town.other_id, by=CLI).radius_m == 500.0


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\nb"])
def test_a_plan_needs_a_name(sqlite_town: Town, sqlite_draft: int, name: str) -> None:
    for ask, *rest in (
        (store.new_plan, sqlite_town.branch_id),
        (store.copy_plan, sqlite_draft),
        (store.rename_plan, sqlite_draft),
    ):
        with pytest.raises(DataError, match="120"):
            do(sqlite_town, ask, *rest, **{"name": name})


def test_plans_are_listed_the_published_first_then_drafts_then_past_ones(town: Town, draft: int) -> None:
    do(town, store.publish, draft, 0, by=head(town))
    second = do(town, store.copy_plan, draft, "夏季方案")
    do(town, store.publish, second, 0, by=head(town))
    third = do(town, store.new_plan, town.branch_id, name="草稿")
    listed = do(town, store.plans, town.branch_id)
    columns = ["id", "name", "status", "revision", "zones", "by", "published_by", "copy_of"]
    rows = listed[columns].astype(object).where(listed[columns].notna(), None).to_numpy().tolist()
    assert rows == [
        [second, "夏季方案", "published", 1, 3, "李四", "test:head", draft],
        [third, "草稿", "draft", 0, 0, "李四", None, None],
        [draft, "春季方案", "past", 1, 3, "李四", "test:head", None],
    ]
    assert listed["retired_at"].notna().tolist() == [False, False, True]
    assert do(town, store.plans, town.other_id, by=CLI).empty


def test_a_draft_is_renamed_and_dropped_and_what_is_gone_is_not_there(town: Town, draft: int) -> None:
    do(town, store.rename_plan, draft, "改名")
    assert do(town, store.plan, draft).name == "改名"
    do(town, store.change_plan, draft, 0, drawn(4))
    with pytest.raises(PlanConflict):
        do(town, store.drop_plan, draft, 0)
    do(town, store.drop_plan, draft, 1)
    for ask in (store.plan, store.history, store.drop_plan):
        with pytest.raises(NotFound):
            do(town, ask, draft)


def test_a_copy_goes_its_own_way(sqlite_town: Town, sqlite_draft: int) -> None:
    do(sqlite_town, store.change_plan, sqlite_draft, 0, drawn(4))
    copy = do(sqlite_town, store.copy_plan, sqlite_draft, "如果")
    held = do(sqlite_town, store.change_plan, copy, 0, named(1, "改过"))
    assert (held.revision, held.copy_of, held.can_undo) == (1, sqlite_draft, True)
    assert held.plan.ids == (1, 2, 3, 4)
    assert do(sqlite_town, store.plan, sqlite_draft).plan.zone(1).name == "片区1"
    assert do(sqlite_town, store.history, copy)["what"].tolist() == ["edited"]


# Changes, taken back and made again -------------------------------------------------------------------------


def test_changes_are_taken_back_one_by_one_and_made_again(town: Town, draft: int) -> None:
    do(town, store.change_plan, draft, 0, drawn(4))
    held = do(town, store.change_plan, draft, 1, named(1, "人民路"))
    assert (held.revision, held.can_undo, held.can_redo) == (2, True, False)
    both = held.plan
    held = do(town, store.undo, draft, 2)
    assert (held.plan.zone(1).name, held.plan.ids) == ("片区1", (1, 2, 3, 4))
    assert (held.can_undo, held.can_redo) == (True, True)
    held = do(town, store.undo, draft, 3)
    assert (held.plan.zones, held.can_undo, held.can_redo) == (ROW.zones, False, True)
    with pytest.raises(Conflict, match="nothing to take back"):
        do(town, store.undo, draft, 4)
    do(town, store.redo, draft, 4)
    held = do(town, store.redo, draft, 5)
    assert (held.plan, held.revision, held.can_redo) == (both, 6, False)
    assert do(town, store.plan, draft) == held
    with pytest.raises(Conflict, match="nothing to make again"):
        do(town, store.redo, draft, 6)


def test_what_was_taken_back_is_dropped_by_the_next_change_and_stays_on_record(
    town: Town, draft: int
) -> None:
    do(town, store.change_plan, draft, 0, drawn(4))
    do(town, store.undo, draft, 1, by=lead(town, "王五"))
    held = do(town, store.change_plan, draft, 2, named(2, "解放路"))
    assert not held.can_redo
    lines = do(town, store.history, draft)
    assert lines[["what", "zones", "by", "state"]].to_numpy().tolist() == [
        ["edited", ("解放路",), "李四", "done"],
        ["undo", ("片区4",), "王五", "step"],
        ["drawn", ("片区4",), "李四", "dropped"],
    ]
    assert lines["at"].notna().all()
    # A number that was given is not given again.
    assert (held.plan.ids, held.plan.last_id) == ((1, 2, 3), 4)


def test_a_change_that_changes_nothing_is_no_revision(sqlite_town: Town, sqlite_draft: int) -> None:
    held = do(sqlite_town, store.change_plan, sqlite_draft, 0, Change("edited"))
    assert (held.revision, do(sqlite_town, store.history, sqlite_draft).empty) == (0, True)


def test_a_change_of_another_plan_is_refused_whole(sqlite_town: Town, sqlite_draft: int) -> None:
    with pytest.raises(Conflict):
        do(sqlite_town, store.change_plan, sqlite_draft, 0, named(1, "x", before=zone(1, "不是它")))
    assert do(sqlite_town, store.plan, sqlite_draft).revision == 0


def test_zones_are_given_to_people_of_the_branch_only(sqlite_town: Town, sqlite_draft: int) -> None:
    given = Change("paired", (Move(zone(1), zone(1, pair=(sqlite_town.member_id,))),))
    assert do(sqlite_town, store.change_plan, sqlite_draft, 0, given).plan.zone(1).pair == (
        sqlite_town.member_id,
    )
    stranger = Change("paired", (Move(zone(2), zone(2, pair=(999,))),))
    with pytest.raises(DataError, match="people of this branch"):
        do(sqlite_town, store.change_plan, sqlite_draft, 1, stranger)


# Two at one plan --------------------------------------------------------------------------------------------


def test_a_stale_change_is_refused_with_who_changed_what_when(town: Town, draft: int) -> None:
    do(town, store.change_plan, draft, 0, named(1, "人民路"), by=lead(town, "张三甲"))
    do(town, store.change_plan, draft, 1, drawn(4), by=lead(town, "张三甲"))
    do(town, store.undo, draft, 2, by=lead(town, "李四乙"))
    with pytest.raises(PlanConflict) as refused:
        do(town, store.change_plan, draft, 0, named(2, "解放路"))
    assert [(by, what, zones) for by, _, what, zones in refused.value.changed] == [
        ("张三甲", "edited", ("人民路",)),
        ("张三甲", "drawn", ("片区4",)),
        ("李四乙", "undo", ("片区4",)),
    ]
    assert refused.value.mergeable
    told = say(refused.value, "zh")
    assert "张三甲 编辑了 人民路（20" in told and "李四乙 撤销了修改： 片区4" in told
    assert "张三甲 edited 人民路 (20" in str(refused.value)


def test_a_stale_change_of_other_zones_is_made_on_the_newer_plan_when_asked(town: Town, draft: int) -> None:
    do(town, store.change_plan, draft, 0, drawn(4), by=lead(town, "张三甲"))
    mine = Change("drawn", (Move(None, replace(zone(9), id=4, name="我的")),))
    with pytest.raises(PlanConflict):
        do(town, store.change_plan, draft, 0, mine)
    held = do(town, store.change_plan, draft, 0, mine, onto_newer=True)
    assert [(each.id, each.name) for each in held.plan.zones[-2:]] == [(4, "片区4"), (5, "我的")]
    assert do(town, store.undo, draft, 2).plan.ids == (1, 2, 3, 4)


def test_a_stale_change_of_the_same_zone_is_refused_even_when_asked(
    sqlite_town: Town, sqlite_draft: int
) -> None:
    do(sqlite_town, store.change_plan, sqlite_draft, 0, named(1, "人民路"))
    with pytest.raises(PlanConflict) as refused:
        do(sqlite_town, store.change_plan, sqlite_draft, 0, named(1, "解放路"), onto_newer=True)
    assert not refused.value.mergeable
    assert do(sqlite_town, store.plan, sqlite_draft).plan.zone(1).name == "人民路"


@pytest.mark.parametrize("step", [store.undo, store.redo])
def test_a_stale_undo_is_refused(sqlite_town: Town, sqlite_draft: int, step: Callable[..., Any]) -> None:
    do(sqlite_town, store.change_plan, sqlite_draft, 0, drawn(4))
    with pytest.raises(PlanConflict):
        do(sqlite_town, step, sqlite_draft, 0)


def tried(town: Town, name: str, ask: Callable[..., Any], *arguments: Any, **more: Any) -> Callable[..., Any]:
    """Return a job for `at_once`: what was answered, or why it was refused."""

    def job(own: sqlalchemy.Engine) -> Any:
        by = replace(town.asker(Role.HEAD), name=name)
        try:
            with store.transaction(own) as session:
                return ask(session, by, *arguments, **more)
        except Conflict as refused:
            return refused

    return job


def test_of_two_changes_at_once_one_wins_and_the_other_is_told(town: Town, draft: int) -> None:
    done = at_once(
        town.engine,
        tried(town, "甲", store.change_plan, draft, 0, named(1, "甲改")),
        tried(town, "乙", store.change_plan, draft, 0, named(1, "乙改")),
    )
    (won,) = [each for each in done if isinstance(each, store.Held)]
    (lost,) = [each for each in done if isinstance(each, PlanConflict)]
    winner = won.plan.zone(1).name
    assert [(by, zones) for by, _, _, zones in lost.changed] == [(winner[0], (winner,))]
    assert not lost.mergeable
    held = do(town, store.plan, draft)
    assert (held.revision, held.plan.zone(1).name) == (1, winner)
    assert len(do(town, store.history, draft)) == 1


def test_two_who_draw_other_zones_at_once_onto_the_newer_plan_lose_neither(town: Town, draft: int) -> None:
    mine = [Change("drawn", (Move(None, replace(zone(at), id=4)),)) for at in (7, 9)]
    at_once(
        town.engine,
        *(tried(town, "甲", store.change_plan, draft, 0, each, onto_newer=True) for each in mine),
    )
    held = do(town, store.plan, draft)
    assert (held.revision, held.plan.ids) == (2, (1, 2, 3, 4, 5))
    assert {each.name for each in held.plan.zones[-2:]} == {"片区7", "片区9"}


def test_a_change_and_publishing_at_once_leave_one_of_both(town: Town, draft: int) -> None:
    done = at_once(
        town.engine,
        tried(town, "甲", store.change_plan, draft, 0, drawn(4)),
        tried(town, "乙", store.publish, draft, 0),
    )
    (held,) = [each for each in done if isinstance(each, store.Held)]
    (refused,) = [each for each in done if isinstance(each, Conflict)]
    assert do(town, store.plan, draft).status == held.status
    assert ("已发布" in say(refused, "zh") or "已被修改" in say(refused, "zh")) and held.revision == 1


def test_of_two_plans_published_at_once_one_is_past_and_one_published(town: Town, draft: int) -> None:
    other = do(town, store.copy_plan, draft, "另一个")
    at_once(
        town.engine,
        tried(town, "甲", store.publish, draft, 0),
        tried(town, "乙", store.publish, other, 0),
    )
    assert sorted(do(town, store.plans, town.branch_id)["status"]) == ["past", "published"]


# Published --------------------------------------------------------------------------------------------------


def test_a_draft_changes_nothing_until_it_is_published(town: Town, draft: int) -> None:
    assert do(town, store.published, town.branch_id) is None
    do(town, store.change_plan, draft, 0, named(1, "人民路"))
    assert do(town, store.published, town.branch_id) is None
    published = do(town, store.publish, draft, 1, by=head(town))
    assert do(town, store.published, town.branch_id) == published
    assert (published.status, published.revision, published.can_undo) == ("published", 2, False)
    assert published.published_at is not None
    draft_of_it = do(town, store.copy_plan, draft, "下一版")
    do(town, store.change_plan, draft_of_it, 0, Change("removed", (Move(zone(2), None),)))
    assert do(town, store.published, town.branch_id).plan.ids == (1, 2, 3)


def test_a_published_or_past_plan_stays_as_it_is(sqlite_town: Town, sqlite_draft: int) -> None:
    do(sqlite_town, store.publish, sqlite_draft, 0, by=head(sqlite_town))
    for ask, *rest in (
        (store.change_plan, 1, drawn(4)),
        (store.undo, 1),
        (store.redo, 1),
        (store.publish, 1),
        (store.rename_plan, "x"),
        (store.drop_plan, 1),
    ):
        with pytest.raises(Conflict, match="stays as it is"):
            do(sqlite_town, ask, sqlite_draft, *rest, by=head(sqlite_town))


def test_a_stale_or_empty_plan_is_not_published_and_the_present_one_stays(
    sqlite_town: Town, sqlite_draft: int
) -> None:
    do(sqlite_town, store.publish, sqlite_draft, 0, by=head(sqlite_town))
    copy = do(sqlite_town, store.copy_plan, sqlite_draft, "下一版")
    do(sqlite_town, store.change_plan, copy, 0, drawn(4))
    with pytest.raises(PlanConflict):
        do(sqlite_town, store.publish, copy, 0, by=head(sqlite_town))
    empty = do(sqlite_town, store.new_plan, sqlite_town.branch_id, name="空")
    with pytest.raises(DataError, match="without zones"):
        do(sqlite_town, store.publish, empty, 0, by=head(sqlite_town))
    assert do(sqlite_town, store.published, sqlite_town.branch_id).id == sqlite_draft


def test_publishing_is_a_new_version_of_the_data_that_reads_nothing_anew(
    town: Town, draft: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = town.snapshot()  # of version 1, in memory
    monkeypatch.setattr(snapshots, "load", lambda *_: pytest.fail("the working set was read anew"))
    do(town, store.publish, draft, 0, by=head(town))
    after = town.snapshot()
    assert after.version == before.version + 1
    assert after.customers.deposits is before.customers.deposits
    newest = do(town, store.versions, town.branch_id).iloc[0]
    assert (newest["cause"], newest["by"]) == ("plan", "test:head")


def test_who_works_a_zone_goes_on_ends_and_begins_with_each_published_plan(town: Town) -> None:
    with store.transaction(town.engine) as session:
        a, b = (
            store.add_person(session, CLI, name=name, branch_ids=[town.branch_id])
            for name in ("测试一号", "测试二号")
        )
    first = Plan(FRAME, (zone(1, "人民路", pair=(a, b)), zone(2, "解放路", pair=(b,)), zone(3)))
    one = do(town, store.new_plan, town.branch_id, name="一", plan=first)
    do(town, store.publish, one, 0, by=head(town))
    # 人民路 keeps a under another number, b leaves it; 解放路 changes hands.
    second = Plan(FRAME, (zone(2, "解放路", pair=(a,)), zone(5, "人民路", pair=(a,))))
    two = do(town, store.new_plan, town.branch_id, name="二", plan=second)
    do(town, store.publish, two, 0, by=head(town))
    lines = do(town, store.assignments, town.branch_id)
    assert lines[["plan_id", "plan", "zone_id", "zone_name", "person"]].to_numpy().tolist() == [
        [two, "二", 2, "解放路", "测试一号"],
        [two, "二", 5, "人民路", "测试一号"],
        [one, "一", 1, "人民路", "测试二号"],
        [one, "一", 2, "解放路", "测试二号"],
    ]
    assert lines["until"].isna().tolist() == [True, True, False, False]
    since = pd.to_datetime(lines["since"], utc=True)
    assert since[1] == since[2] < since[0], "who stays has worked it since the first plan"
    assert pd.to_datetime(lines["until"], utc=True)[3] - since[0] == timedelta(0)
    assert do(town, store.assignments, town.branch_id, b)["zone_name"].tolist() == ["人民路", "解放路"]


def test_a_pair_has_the_hours_of_the_one_who_has_fewer_shared_by_the_zones_each_works() -> None:
    staff = pd.DataFrame({"id": [1, 2, 3], "capacity_h": [30.0, 90.0, 45.0]})
    plan = Plan(
        FRAME, (zone(1, pair=(1, 2)), zone(2, pair=(2, 3)), zone(3, pair=(2,)), zone(4), zone(5, pair=(9,)))
    )
    # The second works three zones, 30 hours each; the first and the third one each.
    assert pairs.hours_of_pairs(plan, staff) == {1: 30.0, 2: 30.0, 3: 30.0}
    assert pairs.hours_of_pairs(Plan(FRAME, (zone(1, pair=(2, 3)),)), staff) == {1: 45.0}


# Rights and the trail ---------------------------------------------------------------------------------------


def test_a_lead_edits_and_a_head_publishes_and_others_read(sqlite_town: Town, sqlite_draft: int) -> None:
    for role in (Role.MEMBER, Role.ANALYST):
        asker = sqlite_town.asker(role)
        assert do(sqlite_town, store.plan, sqlite_draft, by=asker).plan == ROW
        with pytest.raises(RightsError):
            do(sqlite_town, store.change_plan, sqlite_draft, 0, drawn(4), by=asker)
    with pytest.raises(RightsError):
        do(sqlite_town, store.publish, sqlite_draft, 0)
    with pytest.raises(RightsError):
        do(sqlite_town, store.plan, sqlite_draft, by=sqlite_town.asker(Role.HEAD, sqlite_town.other_id))


def test_each_deed_is_on_record_by_numbers_alone(town: Town, draft: int) -> None:
    do(town, store.change_plan, draft, 0, named(1, "王老板家"))
    do(town, store.undo, draft, 1)
    do(town, store.redo, draft, 2)
    copy = do(town, store.copy_plan, draft, "副本")
    do(town, store.rename_plan, copy, "别名")
    do(town, store.drop_plan, copy)
    do(town, store.publish, draft, 3, by=head(town))
    with store.reading(town.engine) as session:
        trail = store.audit_rows(session, town.asker(Role.AUDITOR), town.branch_id).head(8)
        written = json.dumps([list(map(str, row)) for row in session.execute(select(tables.audit))])
    assert trail[["action", "subject"]].to_numpy().tolist() == [
        [action, f"plan {which}"]
        for action, which in (
            ("publish plan", draft),
            ("drop plan", copy),
            ("rename plan", copy),
            ("copy plan", copy),
            ("redo plan", draft),
            ("undo plan", draft),
            ("change plan", draft),
            ("add plan", draft),
        )
    ]
    assert "王老板家" not in written


def test_nothing_is_kept_of_a_change_in_a_transaction_that_failed(
    sqlite_town: Town, sqlite_draft: int
) -> None:
    def fails(session: Session) -> None:
        store.change_plan(session, lead(sqlite_town), sqlite_draft, 0, drawn(4))
        raise DataError("stop")

    with pytest.raises(DataError, match="stop"), store.transaction(sqlite_town.engine) as session:
        fails(session)
    assert (
        do(sqlite_town, store.plan, sqlite_draft).revision,
        do(sqlite_town, store.history, sqlite_draft).empty,
    ) == (0, True)
