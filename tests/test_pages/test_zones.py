"""The page of zones without a browser: plans, drawings, undo, two leads, rules, rights; empty and failing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import pytest
import shapely
from pandas import DataFrame
from sqlalchemy import Engine
from streamlit.runtime.scriptrunner import RerunData, RerunException
from streamlit.testing.v1 import AppTest

from data import bulk, store, tables
from data.rights import Asker, Role
from data.zones import teams
from data.zones.held import Held
from geo import drawing
from geo.plans import Change, Frame, Measure, Plan, Zone
from pages import customer_map
from pages.parts import state, words, zone_change, zone_design, zone_list, zone_reading, zone_reads, zone_work
from tests.test_pages.conftest import ME, Visit
from tests.test_pages.conftest import texts as marked

LON, LAT = 114.30, 30.60
NAMES = ("人民路片区", "站前片区")
HEAD_ROLES = [Role.HEAD, Role.LEAD]
READERS = [Role.MEMBER, Role.ANALYST]
Make = Callable[..., int]


@pytest.fixture(autouse=True)
def no_other_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the page empty that AppTest runs before it can be sent to another."""
    monkeypatch.setattr(customer_map, "page", lambda _asker: None)


def box(west: float, east: float, south: float = -0.002, north: float = 0.002) -> shapely.Polygon:
    """Return a rectangle in thousandths of a degree east of the branch."""
    return shapely.box(LON + west / 1000, LAT + south, LON + east / 1000, LAT + north)


@pytest.fixture
def make(sqlite_engine: Engine, seeded: int) -> Make:
    """Store a draft of two zones: merchants 1 to 3 in the first, 4 to 6 in the second."""

    def plan(name: str = "春季方案", **more: object) -> int:
        zones = (Zone(1, NAMES[0], box(0.5, 3.5)), Zone(2, NAMES[1], box(3.5, 6.5), "community"))
        frame = Frame(LON, LAT, 1_000.0, 10, (Measure("merchants", 0.1),))
        value = Plan(frame, tuple(more.get("zones", zones)))  # type: ignore[arg-type]
        with store.transaction(sqlite_engine) as session:
            return store.new_plan(session, ME, seeded, name=name, plan=value)

    return plan


def held(engine: Engine, plan_id: int) -> Held:
    with store.reading(engine) as session:
        return store.plan(session, ME, plan_id)


def names(engine: Engine, plan_id: int) -> list[str]:
    return [zone.name for zone in held(engine, plan_id).plan.zones]


def listed(engine: Engine, branch: int) -> DataFrame:
    with store.reading(engine) as session:
        return store.plans(session, ME, branch)


def texts(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    return marked(app).replace("\\", "")


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def press(app: AppTest, key: str) -> AppTest:
    app = next(button for button in app.button if button.key == key).click().run()
    assert not app.exception
    return app


def confirm(app: AppTest, opener: str, key: str) -> AppTest:
    """Press a button of a dialog, and what opened it: AppTest always runs the whole page."""
    next(button for button in app.button if button.key == opener).click()
    return press(app, key)


def drawn(app: AppTest, tool: str, parts: list[object], **more: object) -> AppTest:
    """Draw on the map: what the browser tells, in the map's datum, which is WGS 84 here."""
    number = f"{tool}{time.monotonic_ns()}"
    app.session_state[state.ZONE_MAP] = {"drawing": {"tool": tool, "number": number, "parts": parts, **more}}
    app = app.run()
    assert not app.exception
    return app


def corners(shape: shapely.Polygon) -> list[object]:
    return [[[list(corner) for corner in shape.exterior.coords[:-1]]]]


def click(app: AppTest, east: float, north: float = 0.0) -> AppTest:
    """Click on the map."""
    spot = {"lng": LON + east / 1000, "lat": LAT + north + 1e-9 * (time.monotonic_ns() % 1000)}
    app.session_state[state.ZONE_MAP] = {"last_clicked": spot, "zoom": 16}
    return app.run()


def table(app: AppTest) -> DataFrame:
    """Return the list of zones."""
    return next(frame.value for frame in app.dataframe if "Against the limits" in frame.value)


def other_lead(engine: Engine, branch: int, plan_id: int, change: Callable[[Plan], Change]) -> None:
    """Change a plan as another lead does."""
    asker = Asker("李雷", Role.LEAD, frozenset({branch}))
    now = held(engine, plan_id)
    with store.transaction(engine) as session:
        store.change_plan(session, asker, plan_id, now.revision, change(now.plan))


# Where there is nothing yet -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", HEAD_ROLES)
def test_the_first_plan_is_begun_in_one_of_three_ways(
    visit: Visit, seeded: int, sqlite_engine: Engine, role: Role
) -> None:
    app = visit("zones", role=role)
    assert {f"{state.ZONE_BEGIN}_{way}" for way in ("design", "draw", "read")} <= keys(app)
    app = press(app, f"{state.ZONE_BEGIN}_design")
    rows = listed(sqlite_engine, seeded)
    assert rows["status"].tolist() == ["draft"]
    assert f"{state.ZONE_DESIGN}_go" in keys(app)
    assert app.query_params["plan"] == str(rows["id"][0])


@pytest.mark.parametrize("role", READERS)
def test_those_who_read_plans_are_told_who_draws_the_first_one_up(
    visit: Visit, seeded: int, role: Role
) -> None:
    app = visit("zones", role=role)
    assert "There is no plan of zones yet" in texts(app)
    assert not [key for key in keys(app) if key.startswith("zone_")]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_auditors_and_administrators_have_no_page_of_zones(visit: Visit, make: Make, role: Role) -> None:
    make()
    app = visit(role=role)
    assert "zones" not in {page.get("url_pathname") for page in app._registered_pages.values()}


def test_a_branch_nothing_is_known_about_can_have_zones_drawn(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = press(visit("zones"), f"{state.ZONE_BEGIN}_draw")
    app = drawn(app, "polygon", corners(box(0.5, 3.5)))
    plan_id = int(listed(sqlite_engine, branch)["id"][0])
    assert names(sqlite_engine, plan_id) == ["Zone 1"]
    assert table(app)["Merchants"].tolist() == [0]


def test_without_a_branch_there_is_a_way_to_one(visit: Visit) -> None:
    assert "There is no branch yet." in texts(visit("zones"))


# What is shown ----------------------------------------------------------------------------------------------


def test_zones_are_listed_with_what_they_hold_against_their_limits(visit: Visit, make: Make) -> None:
    make()
    app = visit("zones")
    rows = table(app)
    assert rows["Zone"].tolist() == list(NAMES)
    assert rows["Merchants"].tolist() == [3, 2]  # one of the second is closed
    assert rows["Against the limits"].tolist() == ["▲ +20%", "▼ −20%"]
    assert "**2 zones** · 0 merchants in no zone" in texts(app)
    assert "2.5, 10% more or less" in texts(app)


def test_a_click_on_the_map_chooses_a_zone_and_the_url_keeps_it(visit: Visit, make: Make) -> None:
    make()
    app = click(visit("zones"), 5.0)
    assert app.query_params["zone"] == "2"
    said = texts(app)
    assert f"#### {NAMES[1]}" in said
    assert "Community or village" in said
    assert "**2 merchants**, 0 signed" in said
    assert "never visited 2" in said
    app = click(app, 50.0)
    assert "zone" not in app.query_params


def test_the_playbook_of_the_zones_kind_stands_on_its_card(visit: Visit, make: Make) -> None:
    make()
    said = texts(visit("zones", zone="1"))
    for title in ("Who is there", "What moves them", "What to say", "What to offer"):
        assert f"**{title}**" in said


def test_customers_too_few_to_be_shown_are_hidden_from_whoever_may_not_see_them(
    visit: Visit, make: Make
) -> None:
    make()
    assert table(visit("zones"))["Customers"].tolist() == [3, 3]
    assert table(visit("zones", role=Role.ANALYST))["Customers"].isna().all()


@pytest.mark.parametrize("role", READERS)
def test_readers_see_a_plan_and_change_nothing(
    visit: Visit, make: Make, sqlite_engine: Engine, role: Role
) -> None:
    plan_id = make()
    app = visit("zones", role=role, zone="1")
    assert f"#### {NAMES[0]}" in texts(app)
    offered = {key for key in keys(app) if key.startswith("zone_")}
    assert all(key.startswith((f"{state.ZONE_RULES}_show", f"{state.ZONE_CARD}_close")) for key in offered)
    drawn(app, "polygon", corners(box(-3.0, -1.0)))
    assert names(sqlite_engine, plan_id) == list(NAMES)


def test_a_name_is_text_and_nothing_else(visit: Visit, make: Make) -> None:
    name = "<script>alert(1)</script> *a* [b](http://c)"
    make(name, zones=(Zone(1, name, box(0.5, 6.5), note="<b>n</b>"),))
    app = visit("zones", zone="1")
    assert not app.exception
    assert "\\<script\\>alert\\(1\\)\\<" in marked(app)
    assert "<script>" not in marked(app).replace("\\<script", "")


@pytest.mark.parametrize(
    "params", [{"plan": "x"}, {"plan": "999"}, {"zone": "77"}, {"zone": "-1"}, {"with": "x"}]
)
def test_whatever_stands_in_the_url_a_plan_is_shown(visit: Visit, make: Make, params: dict[str, str]) -> None:
    make()
    app = visit("zones", **params)
    assert not app.exception
    assert not app.error
    assert len(table(app)) == 2


def test_figures_that_fail_leave_the_rest_of_the_page(
    visit: Visit, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()

    def fails(*_args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(zone_reads, "breaches", fails)
    app = visit("zones")
    assert len(table(app)) == 2
    assert len(app.error) == 1
    assert "secret" not in app.error[0].value


# Drawing ----------------------------------------------------------------------------------------------------


def test_an_outline_is_a_new_zone_which_is_chosen_undone_and_made_again(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = drawn(visit("zones"), "rectangle", corners(box(-3.0, -1.0)))
    assert names(sqlite_engine, plan_id) == [*NAMES, "Zone 3"]
    assert app.query_params["zone"] == "3"
    app = press(app, f"{state.ZONE_UNDO}_undo")
    assert names(sqlite_engine, plan_id) == list(NAMES)
    assert "zone" not in app.query_params
    app = press(app, f"{state.ZONE_UNDO}_redo")
    assert names(sqlite_engine, plan_id) == [*NAMES, "Zone 3"]
    assert len(table(app)) == 3


def test_a_drawing_is_done_once_however_often_the_page_runs(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    drawn(visit("zones"), "polygon", corners(box(-3.0, -1.0))).run().run()
    assert len(names(sqlite_engine, plan_id)) == 3


@pytest.mark.parametrize(("tool", "more"), [("circle", {"radius": 100.0}), ("street", {"width": 60.0})])
def test_a_circle_and_a_strip_along_a_street_are_zones(
    visit: Visit, make: Make, sqlite_engine: Engine, tool: str, more: dict[str, float]
) -> None:
    plan_id = make()
    line = [[LON - 0.004, LAT], [LON - 0.002, LAT]]
    drawn(visit("zones"), tool, [[line if tool == "street" else line[:1]]], **more)
    added = held(sqlite_engine, plan_id).plan.zones[-1]
    assert added.name == "Zone 3"
    assert added.shape.contains(shapely.Point(LON - (0.003 if tool == "street" else 0.004), LAT))


@pytest.mark.parametrize(("answer", "merchants"), [("take", [2, 2, 1]), ("leave", [3, 2, 0])])
def test_ground_of_others_is_asked_about(visit: Visit, make: Make, answer: str, merchants: list[int]) -> None:
    make()
    app = drawn(visit("zones"), "polygon", corners(box(-1.0, 1.5)))
    assert "covers ground of another zone: " + NAMES[0] in texts(app)
    assert len(table(app)) == 2
    app = press(app, f"{state.ZONE_WAITS}_{answer}")
    assert table(app)["Merchants"].tolist() == merchants
    assert "covers ground" not in texts(app)


def test_a_drawing_can_be_let_go(visit: Visit, make: Make) -> None:
    make()
    app = drawn(visit("zones"), "polygon", corners(box(-1.0, 1.5)))
    app = press(app, f"{state.ZONE_WAITS}_cancel")
    assert len(table(app)) == 2
    assert "covers ground" not in texts(app)


def test_a_stroke_of_the_brush_moves_blocks_and_the_totals_follow(visit: Visit, make: Make) -> None:
    make()
    line = [[LON + 0.001, LAT], [LON + 0.0031, LAT]]
    app = drawn(visit("zones", zone="2"), "brush", [[line]], width=150.0, zone=2)
    assert table(app)["Merchants"].tolist() == [0, 5]
    app = press(app, f"{state.ZONE_UNDO}_undo")
    assert table(app)["Merchants"].tolist() == [3, 2]


def test_a_zones_corners_are_moved(visit: Visit, make: Make, sqlite_engine: Engine) -> None:
    plan_id = make()
    drawn(visit("zones", zone="1"), "edit", corners(box(-2.0, 3.5)), zone=1)
    assert held(sqlite_engine, plan_id).plan.zone(1).shape.bounds[0] == pytest.approx(LON - 0.002, abs=1e-6)


def test_a_zone_is_split_by_a_line_and_two_are_merged_by_clicks(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    line = [[LON + 0.0025, LAT - 0.003], [LON + 0.0025, LAT + 0.003]]
    app = drawn(visit("zones", zone="1"), "split", [[line]], zone=1)
    assert len(names(sqlite_engine, plan_id)) == 3
    app = press(app, f"{state.ZONE_CARD}_merge")
    assert "Click the neighbour" in texts(app)
    click(app, 3.0)
    assert names(sqlite_engine, plan_id) == list(NAMES)


def test_a_line_that_crosses_nothing_is_refused_with_the_reason(visit: Visit, make: Make) -> None:
    make()
    line = [[LON - 0.01, LAT], [LON - 0.009, LAT]]
    app = drawn(visit("zones"), "split", [[line]])
    assert "The line crosses no zone" in app.error[0].value
    assert not app.run().error


def test_a_locked_zone_resists(visit: Visit, make: Make) -> None:
    make()
    app = press(visit("zones", zone="1"), f"{state.ZONE_CARD}_lock")
    assert "Locked" in texts(app)
    assert f"{state.ZONE_CARD}_remove" not in keys(app)
    line = [[LON + 0.001, LAT], [LON + 0.0031, LAT]]
    app = drawn(app, "brush", [[line]], width=150.0, zone=2)
    assert table(app)["Merchants"].tolist() == [3, 2]
    app = press(app, f"{state.ZONE_CARD}_lock")
    assert f"{state.ZONE_CARD}_remove" in keys(app)


def test_a_zone_is_named_described_and_given_to_people(
    visit: Visit, make: Make, sqlite_engine: Engine, seeded: int
) -> None:
    plan_id = make()
    with store.transaction(sqlite_engine) as session:
        person = store.add_person(session, ME, name="张三甲", role=Role.MEMBER, branch_ids=[seeded])
    app = visit("zones", zone="1")
    next(field for field in app.text_input if str(field.key).startswith("zone_card_name")).set_value("新名")
    next(field for field in app.multiselect if str(field.key).startswith("zone_card_pair")).set_value(
        [person]
    )
    app = next(one for one in app.button if one.key and "zone_card_form" in one.key).click().run()
    zone = held(sqlite_engine, plan_id).plan.zone(1)
    assert (zone.name, zone.pair) == ("新名", (person,))
    assert "张三甲" in texts(app)


def test_gaps_are_filled_and_overlaps_cut(visit: Visit, make: Make, sqlite_engine: Engine) -> None:
    plan_id = make(zones=(Zone(1, NAMES[0], box(0.5, 4.0)), Zone(2, NAMES[1], box(3.0, 6.5))))
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_overlaps")
    first, second = (zone.shape for zone in held(sqlite_engine, plan_id).plan.zones)
    assert first.intersection(second).area == pytest.approx(0.0, abs=1e-12)
    press(app, f"{state.ZONE_DESIGN}_fill")
    after = held(sqlite_engine, plan_id).plan
    assert sum(zone.shape.area for zone in after.zones) > 2.0 * (first.area + second.area)


def test_a_breach_is_told_with_a_mend_that_can_be_applied(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = visit("zones")
    said = texts(app)
    assert f"Nobody is named for {NAMES[0]}." in said
    assert "of the circle are in no zone" in said
    app = press(app, f"{state.ZONE_RULES}_mend_gap_0")
    assert "Mended:" in texts(app)
    assert held(sqlite_engine, plan_id).can_undo


def test_other_settings_are_a_change_that_can_be_undone(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_frame")
    app.number_input(key=f"{state.ZONE_FRAME}_radius").set_value(1500)
    app.number_input(key=f"{state.ZONE_FRAME}_merchants_tolerance").set_value(30.0)
    app = confirm(app, f"{state.ZONE_DESIGN}_frame", f"{state.ZONE_FRAME}_save")
    frame = held(sqlite_engine, plan_id).plan.frame
    assert (frame.radius_m, frame.measures[0].tolerance) == (1500.0, 0.3)
    press(app, f"{state.ZONE_UNDO}_undo")
    assert held(sqlite_engine, plan_id).plan.frame.radius_m == 1000.0


def test_a_barrier_is_drawn_and_taken_away(visit: Visit, make: Make, sqlite_engine: Engine) -> None:
    plan_id = make()
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_frame")
    app = confirm(app, f"{state.ZONE_DESIGN}_frame", f"{state.ZONE_FRAME}_bar")
    line = [[LON + 0.002, LAT - 0.003], [LON + 0.002, LAT + 0.003]]
    app = drawn(app, "split", [[line]])
    after = held(sqlite_engine, plan_id).plan
    assert [barrier.name for barrier in after.frame.barriers] == ["Barrier 1"]
    assert after.ids == (1, 2)
    assert f"{NAMES[0]} lies on both sides of Barrier 1." in texts(app)
    app = press(app, f"{state.ZONE_DESIGN}_frame")
    app.checkbox(key=f"{state.ZONE_FRAME}_barrier_0").set_value(False)
    app = confirm(app, f"{state.ZONE_DESIGN}_frame", f"{state.ZONE_FRAME}_save")
    assert not held(sqlite_engine, plan_id).plan.frame.barriers


# Two leads --------------------------------------------------------------------------------------------------


def test_a_stale_change_of_another_zone_is_told_and_put_on_top(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = visit("zones")
    other_lead(sqlite_engine, seeded, plan_id, lambda plan: drawing.edited(plan, 2, name="改过的"))
    app = drawn(app, "polygon", corners(box(-3.0, -1.0)))
    said = texts(app)
    assert "李雷" in said
    assert "Yours, not kept yet: drew Zone 3" in said
    assert names(sqlite_engine, plan_id) == [NAMES[0], "改过的"]
    app = press(app, f"{state.ZONE_WAITS}_mine")
    assert names(sqlite_engine, plan_id) == [NAMES[0], "改过的", "Zone 3"]
    assert table(app)["Zone"].tolist() == [NAMES[0], "改过的", "Zone 3"]
    assert "Yours, not kept yet" not in texts(app)


def test_a_stale_change_of_the_same_zone_is_kept_as_a_plan_of_its_own(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = visit("zones", zone="1")
    other_lead(sqlite_engine, seeded, plan_id, lambda plan: drawing.edited(plan, 1, name="他们的"))
    next(field for field in app.text_input if str(field.key).startswith("zone_card_name")).set_value("我的")
    app = next(one for one in app.button if one.key and "zone_card_form" in one.key).click().run()
    assert "李雷" in texts(app)
    assert f"{state.ZONE_WAITS}_mine" not in keys(app)
    app = press(app, f"{state.ZONE_WAITS}_apart")
    rows = listed(sqlite_engine, seeded)
    assert len(rows) == 2
    assert names(sqlite_engine, plan_id)[0] == "他们的"
    assert names(sqlite_engine, int(rows["id"].max()))[0] == "我的"
    assert app.query_params["plan"] == str(rows["id"].max())


def test_what_others_changed_is_told_and_shown_when_asked(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = visit("zones")
    other_lead(sqlite_engine, seeded, plan_id, lambda plan: drawing.edited(plan, 2, name="改过的"))
    app = app.run()
    assert "last by 李雷" in texts(app)
    assert table(app)["Zone"].tolist() == list(NAMES)
    app = press(app, f"{state.ZONE_WAITS}_refresh")
    assert table(app)["Zone"].tolist() == [NAMES[0], "改过的"]


def test_a_stale_undo_is_refused_and_theirs_is_shown(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = drawn(visit("zones"), "polygon", corners(box(-3.0, -1.0)))
    other_lead(sqlite_engine, seeded, plan_id, lambda plan: drawing.edited(plan, 2, name="改过的"))
    app = press(app, f"{state.ZONE_UNDO}_undo")
    assert len(names(sqlite_engine, plan_id)) == 3
    app = press(app, f"{state.ZONE_WAITS}_theirs")
    assert table(app)["Zone"].tolist() == [NAMES[0], "改过的", "Zone 3"]


def test_whoever_only_reads_follows_what_others_change(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = visit("zones", role=Role.MEMBER)
    other_lead(sqlite_engine, seeded, plan_id, lambda plan: drawing.edited(plan, 2, name="改过的"))
    assert table(app.run())["Zone"].tolist() == [NAMES[0], "改过的"]


# Plans as a whole -------------------------------------------------------------------------------------------


def test_a_head_publishes_after_being_told_what_changes_for_whom(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    with store.transaction(sqlite_engine) as session:
        person = store.add_person(session, ME, name="张三甲", role=Role.MEMBER, branch_ids=[seeded])
    zones = (Zone(1, NAMES[0], box(0.5, 3.5), pair=(person,)), Zone(2, NAMES[1], box(3.5, 6.5)))
    plan_id = make(zones=zones)
    app = press(visit("zones"), f"{state.ZONE_PLANS}_publish")
    assert "first plan of the branch" in texts(app)
    assert f"One zone has nobody to work it: {NAMES[1]}" in texts(app)
    people = next(
        frame.value for frame in app.dataframe if "Who" in frame.value and "Zones then" in frame.value
    )
    assert people[["Who", "Zones then", "Merchants then"]].values.tolist() == [["张三甲", NAMES[0], 3]]
    app = confirm(app, f"{state.ZONE_PLANS}_publish", f"{state.ZONE_PLANS}_published")
    assert held(sqlite_engine, plan_id).status == "published"
    assert "In force" in texts(app)
    assert f"{state.ZONE_UNDO}_undo" not in keys(app)


def test_a_lead_edits_and_does_not_publish(visit: Visit, make: Make) -> None:
    make()
    app = visit("zones", role=Role.LEAD)
    assert f"{state.ZONE_UNDO}_undo" in keys(app)
    assert f"{state.ZONE_PLANS}_publish" not in keys(app)


def test_a_published_plan_is_copied_into_a_draft_and_the_two_are_compared(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    with store.transaction(sqlite_engine) as session:
        store.publish(session, ME, plan_id, 0)
    app = press(visit("zones"), f"{state.ZONE_PLANS}_go_on")
    app = confirm(app, f"{state.ZONE_PLANS}_go_on", f"{state.ZONE_PLANS}_save")
    rows = listed(sqlite_engine, seeded)
    assert rows["status"].tolist() == ["published", "draft"]
    line = [[LON + 0.003, LAT], [LON + 0.0031, LAT]]
    app = drawn(app, "brush", [[line]], width=100.0, zone=2)
    app.session_state[state.ZONE_OTHER] = plan_id
    app.session_state[state.ZONE_TABS] = "Compare plans"
    app = app.run()
    assert not app.exception
    moved = next(frame.value for frame in app.dataframe if "From zone" in frame.value)
    assert moved[["From zone", "To zone"]].values.tolist() == [list(NAMES)]
    assert moved["Blocks"][0] >= 1


def test_a_draft_is_renamed_copied_and_deleted(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = press(visit("zones"), f"{state.ZONE_PLANS}_rename")
    app.text_input(key=f"{state.ZONE_PLANS}_name").set_value("秋季方案")
    app = confirm(app, f"{state.ZONE_PLANS}_rename", f"{state.ZONE_PLANS}_save")
    assert held(sqlite_engine, plan_id).name == "秋季方案"
    app = press(app, f"{state.ZONE_PLANS}_drop")
    assert "gone for good" in texts(app)
    app = confirm(app, f"{state.ZONE_PLANS}_drop", f"{state.ZONE_PLANS}_dropped")
    assert listed(sqlite_engine, seeded).empty
    assert "There is no plan of zones yet" in texts(app)


def test_what_was_done_is_listed(visit: Visit, make: Make) -> None:
    make()
    app = drawn(visit("zones"), "polygon", corners(box(-3.0, -1.0)))
    app.session_state[state.ZONE_TABS] = "What was done"
    rows = next(frame.value for frame in app.run().dataframe if "When" in frame.value)
    assert rows[["Who", "What"]].values.tolist() == [["demo:head", "drew Zone 3"]]


# Long work --------------------------------------------------------------------------------------------------


def until_done(app: AppTest) -> AppTest:
    """Run the page until the work beside it has ended and is kept."""
    for _ in range(600):
        if "zone_job" not in app.session_state or app.session_state["zone_job"] is None:
            return app
        time.sleep(0.05)
        app = app.run()
    raise AssertionError("the work never ends")


def test_zones_are_proposed_beside_the_page_and_undone(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_design")
    app.number_input(key=f"{state.ZONE_DESIGN}_zones").set_value(3)
    app = until_done(confirm(app, f"{state.ZONE_DESIGN}_design", f"{state.ZONE_DESIGN}_go"))
    assert not app.exception
    assert len(held(sqlite_engine, plan_id).plan) == 3
    assert "3 zones, at most" in texts(app)
    app = press(app, f"{state.ZONE_UNDO}_undo")
    assert names(sqlite_engine, plan_id) == list(NAMES)


def test_zones_are_evened_out_and_what_stays_is_said(visit: Visit, make: Make, sqlite_engine: Engine) -> None:
    plan_id = make(zones=(Zone(1, NAMES[0], box(0.5, 5.5)), Zone(2, NAMES[1], box(5.5, 6.5))))
    app = until_done(press(visit("zones"), f"{state.ZONE_DESIGN}_rebalance"))
    assert "stays in its zone" in texts(app)
    assert sorted(table(app)["Merchants"].tolist()) == [2, 3]
    before = held(sqlite_engine, plan_id)
    app = until_done(press(app, f"{state.ZONE_DESIGN}_rebalance"))
    assert "nothing was changed" in texts(app) or "stays as it is" in texts(app)
    assert held(sqlite_engine, plan_id).plan == before.plan


def test_work_that_fails_or_is_refused_says_so_and_changes_nothing(
    visit: Visit, make: Make, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = make()

    def fails(*_args: object, **_named: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(zone_design.designing, "designed", fails)
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_design")
    app = until_done(confirm(app, f"{state.ZONE_DESIGN}_design", f"{state.ZONE_DESIGN}_go"))
    assert "Something went wrong on our side; nothing was changed." in texts(app)
    assert "secret" not in texts(app)
    assert held(sqlite_engine, plan_id).revision == 0


def test_work_goes_on_while_its_user_is_there_however_late_the_page_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = zone_work.Job(None, "", lambda _found: (Change(""), []))  # type: ignore[arg-type]  # no plan is needed
    assert not job.is_cancelled()
    monkeypatch.setattr(zone_work, "LEFT_S", -1.0)  # no page has asked for too long
    assert job.is_cancelled()  # and whoever began it is gone
    job.is_wanted = lambda: True
    assert not job.is_cancelled()
    job.stopped = True
    assert job.is_cancelled()


def test_a_run_cut_short_after_work_was_kept_is_made_up_for_and_keeps_it_once(
    visit: Visit, make: Make, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = make(zones=(Zone(1, NAMES[0], box(0.5, 5.5)), Zone(2, NAMES[1], box(5.5, 6.5))))
    cut: list[int] = []
    shown = zone_change.shown

    def cut_short(now: Held, notes: Sequence[str]) -> Held:
        if not cut:  # as a click on the map does, at the first look into the session
            cut.append(now.revision)
            raise RerunException(RerunData())
        return shown(now, notes)

    app = press(visit("zones"), f"{state.ZONE_DESIGN}_rebalance")
    job = zone_work._jobs[app.session_state[state._ZONE_JOB]]
    assert job.thread is not None
    job.thread.join(timeout=60)
    monkeypatch.setattr(zone_change, "shown", cut_short)
    monkeypatch.setattr(zone_design, "shown", cut_short)
    app = until_done(app)
    assert cut == [1] and held(sqlite_engine, plan_id).revision == 1
    assert "stays in its zone" in texts(app)


def test_a_plan_in_force_is_changed_in_a_draft_with_one_click(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    with store.transaction(sqlite_engine) as session:
        store.publish(session, ME, plan_id, 0)
    app = press(visit("zones", zone="2"), f"{state.ZONE_CARD}_draft")
    assert "This is the draft 春季方案 (copy); the plan in force stays as it is." in texts(app)
    assert "2" in app.query_params["zone"]
    rows = listed(sqlite_engine, seeded)
    assert rows["status"].tolist() == ["published", "draft"]
    assert f"{state.ZONE_CARD}_draft" not in keys(app)
    app.query_params["plan"], app.query_params["zone"] = str(plan_id), "1"
    press(app.run(), f"{state.ZONE_CARD}_draft")  # the draft there is, not another
    assert len(listed(sqlite_engine, seeded)) == 2
    assert f"{state.ZONE_CARD}_draft" not in keys(visit("zones", role=Role.MEMBER, zone="1"))


def test_zones_are_made_for_the_hours_pairs_have(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    people = []
    with store.transaction(sqlite_engine) as session:
        for name in ("测试一号", "测试二号", "测试三号", "测试四号"):
            people.append(store.add_person(session, ME, name=name, role=Role.MEMBER, branch_ids=[seeded]))
        posts = {one: ("outdoor" if at % 2 else "indoor", 1 + at // 2) for at, one in enumerate(people)}
        teams.set_posts(session, ME, seeded, posts)  # type: ignore[arg-type]
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_design")
    app.segmented_control(key=f"{state.ZONE_DESIGN}_how").set_value("pairs")
    app = press(app, f"{state.ZONE_DESIGN}_design")
    pairs = app.multiselect(key=f"{state.ZONE_DESIGN}_pairs")
    assert pairs.options == ["测试一号, 测试二号 · 15 hours", "测试三号, 测试四号 · 30 hours"]
    app = until_done(confirm(app, f"{state.ZONE_DESIGN}_design", f"{state.ZONE_DESIGN}_go"))
    zones = held(sqlite_engine, plan_id).plan.zones
    assert sorted(zone.pair for zone in zones) == [tuple(people[:2]), tuple(people[2:])]
    loads = dict(zip(table(app)["Worked by"], table(app)["Merchants"], strict=True))
    assert loads == {"测试一号, 测试二号": 2, "测试三号, 测试四号": 3}


def test_zones_are_made_of_the_branchs_own_places(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    shapes = [box(0.5, 2.5), box(2.5, 4.5), box(4.5, 8.5)]
    with store.transaction(sqlite_engine) as session:
        rows = DataFrame(
            {
                "name": ["甲社区", "乙社区", "丙社区"],
                "lon": [shape.centroid.x for shape in shapes],
                "lat": LAT,
                "shape": [shapely.to_wkb(shape) for shape in shapes],
            }
        )
        bulk.insert(session, tables.places, rows.assign(branch_id=seeded, kind="community", initials="x"))
        store.new_version(session, ME, seeded, "test")
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_design")
    app.segmented_control(key=f"{state.ZONE_DESIGN}_blocks").set_value("places")
    app.number_input(key=f"{state.ZONE_DESIGN}_zones").set_value(3)
    app = press(app, f"{state.ZONE_DESIGN}_design")
    assert "3 blocks." in texts(app)
    until_done(confirm(app, f"{state.ZONE_DESIGN}_design", f"{state.ZONE_DESIGN}_go"))
    made = [zone.shape for zone in held(sqlite_engine, plan_id).plan.zones]
    assert len(made) == 3
    for shape in shapes:
        assert max(shape.intersection(other).area for other in made) > 0.99 * shape.area


def test_corners_moved_are_kept_when_another_tool_is_taken_and_that_stays_in_hand(
    visit: Visit, make: Make, sqlite_engine: Engine
) -> None:
    plan_id = make()
    app = click(visit("zones"), 1.0)
    app.session_state[state.ZONE_TOOL] = "brush"  # taken while corners were being moved
    app = drawn(app, "edit", corners(box(0.2, 3.5)), zone=1)
    assert "The corners you had moved were kept" in texts(app)
    assert app.session_state[state.ZONE_TOOL] == "brush"
    assert held(sqlite_engine, plan_id).plan.zone(1).shape.bounds[0] == pytest.approx(LON + 0.0002, abs=1e-6)


def test_the_list_shows_the_zone_that_was_chosen_on_the_map(visit: Visit, make: Make) -> None:
    make()

    def selected(app: AppTest) -> list[int]:
        lists = [each for each in app.dataframe if "Against the limits" in each.value]
        told = json.loads(lists[0].proto.selection_default or '{"selection": {"rows": []}}')
        rows: list[int] = told["selection"]["rows"]
        return rows

    app = visit("zones")
    assert selected(app) == []
    app = click(app, 5.0)
    assert selected(app) == [1]
    app = click(app, 1.0)
    assert selected(app) == [0]


def test_a_place_that_zones_begin_from_is_offered_by_name(
    visit: Visit, make: Make, seeded: int, sqlite_engine: Engine
) -> None:
    plan_id = make()
    spots = DataFrame({"name": ["幸福里", "政务中心"], "lon": [LON + 0.001, LON + 0.006], "lat": LAT})
    with store.transaction(sqlite_engine) as session:
        rows = spots.assign(branch_id=seeded, kind="community", initials="x")
        bulk.insert(session, tables.places, rows)
        store.new_version(session, ME, seeded, "test")
    app = press(visit("zones"), f"{state.ZONE_DESIGN}_design")
    places = app.multiselect(key=f"{state.ZONE_DESIGN}_seeds")
    assert places.options == ["幸福里", "政务中心"]
    places.set_value([1, 2])
    until_done(confirm(app, f"{state.ZONE_DESIGN}_design", f"{state.ZONE_DESIGN}_go"))
    shapes = [zone.shape for zone in held(sqlite_engine, plan_id).plan.zones]
    assert len(shapes) == 2
    for shape in shapes:
        assert sum(shape.covers(shapely.Point(lon, LAT)) for lon in spots["lon"]) == 1


# In small ---------------------------------------------------------------------------------------------------


def test_a_zone_that_breaks_several_limits_is_told_where_it_is_farthest_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zones = (Zone(1, "a", box(0, 1)), Zone(2, "b", box(1, 2)))
    measures = (Measure("merchants", 0.1), Measure("hours", 0.1, target=100.0, highest=110.0))
    plan = Plan(Frame(LON, LAT, 1000.0, 10, measures), zones)
    loads = DataFrame({"merchants": [12.0, 8.0], "hours": [150.0, float("nan")]}, index=[1, 2])
    monkeypatch.setattr(words, "language", lambda: "en")
    said = [zone_list.against(plan, zone, loads) for zone in zones]
    assert said == ["▲ +50% Hours a quarter", "▼ −20% Merchants"]


def test_zones_read_in_stand_beside_those_there_or_in_their_place() -> None:
    there = (Zone(1, "a", box(0, 4), locked=True), Zone(2, "b", box(4, 8)))
    plan = Plan(Frame(LON, LAT, 1000.0, 10), there)
    read = [Zone(1, "b", box(2, 6), "park", pair=(7,)), Zone(2, "c", box(1, 3))]
    left_out: list[str] = []
    beside = plan.after(zone_reading.with_zones(plan, read, left_out, beside=True))
    assert [zone.name for zone in beside.zones] == ["a", "b"]
    assert left_out == ["b", "c"], "all of their ground is in zones that stay"
    left_out.clear()
    instead = plan.after(zone_reading.with_zones(plan, read, left_out, beside=False))
    assert [(zone.name, zone.kind, zone.pair) for zone in instead.zones] == [
        ("a", "street", ()),
        ("b", "park", (7,)),
    ]
    assert (
        instead.zones[1].shape.equals_exact(box(4, 6), 1e-6)
        or instead.zones[1].shape.symmetric_difference(box(4, 6)).area < 1e-10
    )
    assert left_out == ["c"]
    assert instead.zones[1].id == 3, "no number is given twice"


def test_a_zone_read_in_gets_a_name_that_is_free() -> None:
    assert zone_reading.free_name("a", {"a", "a 2"}) == "a 3"
    assert zone_reading.free_name("b", {"a"}) == "b"
