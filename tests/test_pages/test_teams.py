"""The page of teams: people and posts, groups, pairs, one's own zones, visits and playbooks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from shapely.geometry import box
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data import store
from data.meaning import headers
from data.rights import Asker, Role
from data.words import LANGUAGES, Language, say
from data.zones.intervals import today
from geo.plans import Frame, Plan, Zone
from pages.parts import state, team_people
from pages.parts.workshop import VISIT_FIELDS
from tests.test_pages.conftest import ME, Visit
from tests.test_pages.conftest import texts as marked
from tests.test_pages.test_hand import keys, merchant, opened, press

ABROAD = box(114.2995, 30.595, 114.3045, 30.605)  # the first four merchants
REST = box(114.3045, 30.595, 114.31, 30.605)


def texts(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    assert not app.exception
    return marked(app).replace("\\", "")


@pytest.fixture
def crew(sqlite_engine: Engine, seeded: int) -> dict[str, int]:
    """Two indoor and two outdoor colleagues, and 王小明, who has no post."""
    with store.transaction(sqlite_engine) as session:
        ids = {
            name: store.add_person(session, ME, name=name, branch_ids=[seeded])
            for name in ("张三甲", "李四乙", "赵五丙", "钱六丁")
        }
        posts = dict(zip(ids.values(), ("indoor", "indoor", "outdoor", "outdoor"), strict=True))
        store.set_posts(session, ME, seeded, {who: (post, None) for who, post in posts.items()})
    return ids


@pytest.fixture
def planned(sqlite_engine: Engine, seeded: int, crew: dict[str, int]) -> int:
    """A plan in force: 东街 with a pair, 西街 without; and return the id of a draft copied from it."""
    pair = (crew["张三甲"], crew["赵五丙"])
    zones = (Zone(1, "东街", ABROAD, pair=pair), Zone(2, "西街", REST, kind="community"))
    with store.transaction(sqlite_engine) as session:
        plan_id = store.new_plan(
            session, ME, seeded, name="方案", plan=Plan(Frame(114.3, 30.6, 2000.0, 9), zones)
        )
        draft = store.copy_plan(session, ME, plan_id, "草案")
        store.publish(session, ME, plan_id, 0)
    return draft


# Who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.LEAD, Role.ANALYST])
@pytest.mark.parametrize("tab", ["mine", "people", "groups", "pairs", "visits", "playbooks"])
def test_whoever_works_at_the_branch_reads_every_part(
    visit: Visit, planned: int, role: Role, tab: str
) -> None:
    app = visit("teams", role=role, tab=tab)
    assert "## Teams · 河湾支行" in texts(app)
    assert not app.error
    assert bool([key for key in keys(app) if key.endswith(("_save", "_copy", "_edit"))]) == (
        role is Role.LEAD and tab in ("people", "groups", "pairs", "playbooks")
    )


def test_auditors_are_not_offered_the_page(visit: Visit, seeded: int) -> None:
    app = visit(role=Role.AUDITOR)
    assert "teams" not in {page.get("url_pathname") for page in app._registered_pages.values()}


@pytest.mark.parametrize("tab", ["mine", "people", "groups", "pairs", "visits", "playbooks"])
def test_a_branch_nothing_is_known_about_says_what_is_missing(visit: Visit, branch: int, tab: str) -> None:
    app = visit("teams", lang="zh", tab=tab)
    assert texts(app)
    assert not app.error


# People, groups ---------------------------------------------------------------------------------------------


def test_people_are_counted_by_post(visit: Visit, crew: dict[str, int]) -> None:
    said = texts(visit("teams"))
    assert "Indoor 2 · Outdoor 2 · 1 person without a post" in said


def test_only_what_was_changed_in_the_table_is_kept(visit: Visit, sqlite_engine: Engine, seeded: int) -> None:
    with store.reading(sqlite_engine) as session:
        people = store.staff(session, ME, seeded)
    assert team_people.changed(people, [None], [None]) == {}
    word = team_people._(team_people.POST_NAMES["outdoor"])
    who = int(people["id"].iloc[0])
    assert set(team_people.changed(people, [word], [3])) == {who}


def test_groups_are_proposed_taken_changed_and_removed(
    visit: Visit, sqlite_engine: Engine, seeded: int, crew: dict[str, int]
) -> None:
    app = visit("teams", tab="groups")
    assert "There are no groups yet." in texts(app)
    app = press(app, f"{state.TEAM_GROUP}_propose")
    with store.reading(sqlite_engine) as session:
        teams = store.teams(session, ME, seeded)
    assert teams["name"].tolist() == ["Large group 1", "Group 1"]
    assert set(teams["people"].iloc[1]) == set(crew.values())
    assert "王小明" in texts(app).split("In no group")[1]
    group = f"{state.TEAM_GROUP}_{teams['id'].iloc[1]}_0"
    app.text_input(key=f"{group}_name").input("甲组")
    app = press(app, f"{group}_save")
    assert "**甲组**" in texts(app)
    app = press(app, f"{state.TEAM_GROUP}_{teams['id'].iloc[0]}_0_drop")
    assert "There are no groups yet." in texts(app)


# Pairs ------------------------------------------------------------------------------------------------------


def test_a_zone_without_a_named_pair_is_flagged(visit: Visit, planned: int) -> None:
    app = visit("teams", tab="pairs")
    assert "1 zone has no named pair." in texts(app)
    table = app.dataframe[0].value
    assert table["Pair"].tolist() == ["张三甲, 赵五丙", "-"]
    assert table["To be settled"].tolist() == ["", "no named pair"]
    assert "A published plan stays as it is" in texts(app)


def test_a_proposal_is_looked_at_and_confirmed_in_the_draft(
    visit: Visit, sqlite_engine: Engine, crew: dict[str, int], planned: int
) -> None:
    app = visit("teams", tab="pairs")
    app.session_state[state.TEAM_PLAN] = planned
    app.session_state[f"{state.TEAM_PAIRS}_{planned}_0_box"] = True
    app.run()
    assert "1 zone would change." in texts(app)
    app = press(app, f"{state.TEAM_PAIRS}_{planned}_0_take")
    with store.reading(sqlite_engine) as session:
        held = store.plan(session, ME, planned)
    assert held.plan.zones[0].pair == (crew["张三甲"], crew["赵五丙"])
    assert held.plan.zones[1].pair == (crew["李四乙"], crew["钱六丁"])
    assert "Every zone has a pair" in texts(app)


def test_a_plan_in_force_is_copied_and_the_copy_is_shown(
    visit: Visit, sqlite_engine: Engine, seeded: int, planned: int
) -> None:
    app = press(visit("teams", tab="pairs"), f"{state.TEAM_PAIRS}_copy")
    with store.reading(sqlite_engine) as session:
        plans = store.plans(session, ME, seeded)
    assert len(plans) == 3
    assert app.selectbox(key=state.TEAM_PLAN).value == max(plans["id"])


# My zones, visits -------------------------------------------------------------------------------------------


def as_person(monkeypatch: pytest.MonkeyPatch, branch_id: int, person_id: int) -> None:
    """Let the demo identity be one of the crew."""
    asker = Asker("demo:member", Role.MEMBER, frozenset({branch_id}), person_id)
    monkeypatch.setattr("pages.shell.who_asks", lambda: asker, raising=False)
    monkeypatch.setattr("pages.parts.identity.demo_identity", lambda _role, _code: asker)


def test_a_member_opens_the_page_at_the_own_zones(
    visit: Visit,
    sqlite_engine: Engine,
    seeded: int,
    crew: dict[str, int],
    planned: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_person(monkeypatch, seeded, crew["赵五丙"])
    app = visit("teams", role=Role.MEMBER)
    said = texts(app)
    assert "every merchant counts as never visited" in said
    assert "**东街**" in said and "西街" not in said
    assert "张三甲" in said  # the partner
    # Four merchants of the street are open, none was visited.
    assert "4 merchants" in said
    assert app.dataframe[0].value["Visits"].tolist() == ["Never visited"] * 4
    with store.transaction(sqlite_engine) as session:
        row = merchant(sqlite_engine, "川味火锅")
        store.add_visit(
            session,
            ME,
            seeded,
            merchant_id=row["id"],
            person_id=crew["赵五丙"],
            day=today() - timedelta(days=200),
            next_step="送资料",
            next_day=today() - timedelta(days=100),
        )
    app.run()
    said = texts(app)
    assert "every merchant counts" not in said
    first = app.dataframe[0].value.iloc[0]
    assert (first["Merchant"], first["Visits"]) == ("川味火锅", "Overdue")
    assert "1 next step is late." in said
    assert app.dataframe[1].value["Next step"].tolist() == ["送资料"]


def test_nobody_in_particular_is_told_that_no_zone_is_theirs(visit: Visit, crew: dict[str, int]) -> None:
    assert "No zone of the plan in force is theirs." in texts(visit("teams", tab="mine"))


def test_the_latest_visits_are_listed_and_a_customer_by_number(
    visit: Visit, sqlite_engine: Engine, seeded: int
) -> None:
    with store.transaction(sqlite_engine) as session:
        store.add_visit(session, ME, seeded, customer_id=1, result="已办卡")
    shown = visit("teams", tab="visits").dataframe[0].value
    assert (shown["Whom"].iloc[0], shown["Result"].iloc[0]) == ("Customer 1", "已办卡")
    assert not visit("teams", tab="visits", role=Role.ANALYST).dataframe


# Playbooks --------------------------------------------------------------------------------------------------


def edited(app: AppTest, revision: int, text: str) -> AppTest:
    """Write another first part of the playbook of streets, and save it."""
    app.text_area(key=f"{state.PLAYBOOK}_street_{revision}_targets").input(text)
    return press(app, f"{state.PLAYBOOK}_street_{revision}_save")


def test_a_playbook_is_written_and_the_shipped_one_comes_back(visit: Visit, seeded: int) -> None:
    app = press(visit("teams", lang="zh", tab="playbooks"), f"{state.PLAYBOOK}_edit")
    app = edited(app, 0, "早餐店老板\n\n修车铺老板")
    said = texts(app)
    assert "- 早餐店老板\n- 修车铺老板" in said
    assert "打法手册已保存。" in said
    app = press(app, f"{state.PLAYBOOK}_reset")
    assert "早餐店老板" not in texts(app)


def test_a_playbook_saved_too_late_loses_nothing_that_was_typed(
    visit: Visit, sqlite_engine: Engine, seeded: int
) -> None:
    app = press(visit("teams", lang="zh", tab="playbooks"), f"{state.PLAYBOOK}_edit")
    with store.transaction(sqlite_engine) as session:
        store.save_playbook(
            session, ME, "street", 0, targets=["别人写的"], motives=[], selling_points=[], products=[0]
        )
    app = edited(app, 0, "我写的")
    said = texts(app)
    assert "已修改了这份打法手册" in said and "别人写的" in said
    assert app.text_area(key=f"{state.PLAYBOOK}_street_0_targets").value == "我写的"
    app = press(app, f"{state.PLAYBOOK}_street_0_over")
    assert "- 我写的" in texts(app)


# The merchant's card ----------------------------------------------------------------------------------------


def recording(visit: Visit, engine: Engine, name: str, **more: object) -> tuple[AppTest, str]:
    """Open a merchant's card with the form for a visit; return it and the form's key."""
    row = merchant(engine, name)
    app = opened(visit, row, **more)
    with store.reading(engine) as session:
        version = store.data_version(session, row["branch_id"])
    key = f"{state.VISIT}_{row['id']}_{version}"
    return press(app, f"{state.VISIT}_{row['id']}"), key


def test_a_visit_is_recorded_on_the_card_and_taken_back(
    visit: Visit, sqlite_engine: Engine, seeded: int, crew: dict[str, int]
) -> None:
    app, key = recording(visit, sqlite_engine, "好邻居超市")
    said = texts(app)
    assert "Never visited" in said and "to be visited every 90 days" in said
    app.selectbox(key=f"{key}_who").select(crew["张三甲"])
    app.text_area(key=f"{key}_result").input("有意办 *POS*")
    app = press(app, f"{key}_save")
    said = texts(app)
    assert "On track" in said and "张三甲" in said and "有意办 *POS*" in said
    app = press(app, "hand_undo")
    assert "Never visited" in texts(app)


def test_who_was_there_has_to_be_said(visit: Visit, sqlite_engine: Engine, seeded: int) -> None:
    app, key = recording(visit, sqlite_engine, "好邻居超市", role=Role.ANALYST)
    assert "Say who was there." in texts(press(app, f"{key}_save"))
    with store.reading(sqlite_engine) as session:
        assert store.visits(session, ME, seeded).empty


def test_a_second_visit_within_days_is_warned_of(
    visit: Visit, sqlite_engine: Engine, seeded: int, crew: dict[str, int]
) -> None:
    row = merchant(sqlite_engine, "川味火锅")
    for days, result in ((3, "谈过"), (30, "不在")):
        with store.transaction(sqlite_engine) as session:
            store.add_visit(
                session,
                ME,
                seeded,
                merchant_id=row["id"],
                person_id=crew["李四乙"],
                day=today() - timedelta(days=days),
                result=result,
            )
    app, _key = recording(visit, sqlite_engine, "川味火锅")
    said = texts(app)
    assert "李四乙 was here 3 days ago. Is this another visit?" in said
    assert "谈过" in said and "不在" in said
    assert any("1 visit before" in box.label for box in app.expander)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_template_is_read_as_it_is_written(spoken: Language) -> None:
    titles = {name: say(title, spoken) for name, title in VISIT_FIELDS.items()}
    assert headers.propose(list(titles.values()), "visits") == titles
