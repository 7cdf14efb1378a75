"""Work by hand on the map, without a browser: who may, what is saved and undone, two people at once."""

from __future__ import annotations

import json

import pytest
import streamlit as st
from sqlalchemy import Engine, insert, select
from streamlit.testing.v1 import AppTest

from data import changes, snapshots, store, tables
from data.rights import Asker, Role
from pages import customer_map
from pages.parts import hand_form
from tests.test_pages.conftest import ME, Visit
from tests.test_pages.conftest import texts as marked

LON, LAT = 114.30, 30.60
HEAD_ROLES = [Role.HEAD, Role.LEAD, Role.MEMBER, Role.ANALYST]


def merchant(engine: Engine, name: str) -> dict[str, object]:
    """Return a merchant as it is stored."""
    table = tables.merchants
    with store.reading(engine) as session:
        row = session.execute(select(table).where(table.c.name == name)).one_or_none()
    return {} if row is None else dict(row._mapping)


def count(engine: Engine) -> int:
    with store.reading(engine) as session:
        return len(session.execute(select(tables.merchants.c.id)).all())


def opened(visit: Visit, row: dict[str, object], **more: object) -> AppTest:
    """Open the map at a merchant's card."""
    app = visit(**more)
    app.session_state["map_selected"] = ("merchants", row["id"], row["lon"], row["lat"], 0)
    return app.run()


def texts(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    return marked(app).replace("\\", "")


def press(app: AppTest, key: str) -> AppTest:
    """Press a button by its key; a form's have theirs behind the form's name."""
    app = next(button for button in app.button if button.key and key in button.key).click().run()
    assert not app.exception
    return app


def aim(app: AppTest, lon: float, lat: float) -> AppTest:
    """Click on the map."""
    app.session_state["hand_spot"] = (lon, lat)
    return app.run()


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


# Who may --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", HEAD_ROLES)
def test_whoever_works_at_the_branch_may_change_and_add_merchants(
    visit: Visit, seeded: int, sqlite_engine: Engine, role: Role
) -> None:
    app = opened(visit, merchant(sqlite_engine, "川味火锅"), role=role)
    assert {"hand_add", "hand_edit", "hand_move", "hand_close"} <= keys(app)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_auditors_and_administrators_never_see_it(
    visit: Visit, seeded: int, sqlite_engine: Engine, role: Role
) -> None:
    app = opened(visit, merchant(sqlite_engine, "川味火锅"), role=role)
    app.session_state["by_hand"] = ("add", 0)
    app.run()
    assert not app.exception
    assert not [key for key in keys(app) if key.startswith("hand_")]


def test_nothing_is_added_to_the_page_while_nothing_is_done_by_hand(visit: Visit, seeded: int) -> None:
    app = visit()
    assert [key for key in keys(app) if key.startswith("hand_")] == ["hand_add"]
    assert not [field for field in app.text_input if str(field.key).startswith("hand_")]


# A merchant changed ---------------------------------------------------------------------------------------


def test_a_change_is_saved_said_and_undone(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    app = press(opened(visit, merchant(sqlite_engine, "川味火锅")), "hand_edit")
    app.text_input(key="hand_field_phone").set_value(" 027-8888 ")
    app.text_area(key="hand_field_note").set_value("老板姓李")
    app.selectbox(key="hand_field_status").set_value("contacted")
    app.selectbox(key="hand_field_manager").set_value("王小明")
    app = press(app, "hand_save")
    row = merchant(sqlite_engine, "川味火锅")
    assert (row["phone"], row["note"], row["status"], row["category_id"]) == (
        "027-8888",
        "老板姓李",
        "contacted",
        102,
    )
    assert row["manager_id"] is not None
    assert "Saved: 川味火锅" in texts(app)
    assert [toast.value.replace("\\", "") for toast in app.toast] == ["Saved: 川味火锅"]
    app = press(app, "hand_undo")
    row = merchant(sqlite_engine, "川味火锅")
    assert (row["phone"], row["note"], row["status"], row["manager_id"]) == (None, None, "known", None)
    assert "Undone." in texts(app)
    assert "hand_undo" not in keys(app)


def test_cancel_leaves_everything_as_it_was(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    before = merchant(sqlite_engine, "川味火锅")
    app = press(opened(visit, before), "hand_edit")
    app.text_input(key="hand_field_name").set_value("别的名字")
    app = next(button for button in app.button if button.label == "Cancel").click().run()
    assert merchant(sqlite_engine, "川味火锅") == before
    app = press(app, "hand_edit")
    assert app.text_input(key="hand_field_name").value == "川味火锅"


def test_a_save_that_changes_nothing_makes_no_batch(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    before = merchant(sqlite_engine, "川味火锅")
    app = press(press(opened(visit, before), "hand_edit"), "hand_save")
    assert merchant(sqlite_engine, "川味火锅") == before
    assert "hand_undo" not in keys(app)


def test_a_merchant_is_marked_closed_with_one_click(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    app = press(opened(visit, merchant(sqlite_engine, "川味火锅")), "hand_close")
    assert merchant(sqlite_engine, "川味火锅")["status"] == "closed"
    assert "hand_close" not in keys(app)
    press(app, "hand_undo")
    assert merchant(sqlite_engine, "川味火锅")["status"] == "known"


def test_a_pin_moves_to_where_the_map_was_clicked_and_back(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    before = merchant(sqlite_engine, "川味火锅")
    app = press(opened(visit, before), "hand_move")
    assert "Click on the map where it is." in texts(app)
    app = aim(app, before["lon"], LAT + 0.001)
    assert "The pin moves by 111 m." in texts(app)
    app = press(app, "hand_save")
    assert merchant(sqlite_engine, "川味火锅")["lat"] == pytest.approx(LAT + 0.001)
    press(app, "hand_undo")
    assert merchant(sqlite_engine, "川味火锅")["lat"] == LAT


# Two people on one merchant -------------------------------------------------------------------------------


def stale(visit: Visit, engine: Engine, branch: int) -> AppTest:
    """Save a phone and a note after somebody else changed phone and status."""
    row = merchant(engine, "川味火锅")
    app = press(opened(visit, row), "hand_edit")
    other = Asker("李雷", Role.LEAD, frozenset({branch}))
    with store.transaction(engine) as session:
        store.edit_merchant(session, other, row["id"], row["revision"], phone="111", status="signed")
    app.text_input(key="hand_field_phone").set_value("222")
    app.text_area(key="hand_field_note").set_value("mine")
    return press(app, "hand_save")


def test_a_stale_save_is_told_what_changed_by_whom_and_when_and_keeps_what_was_typed(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    app = stale(visit, sqlite_engine, seeded)
    assert merchant(sqlite_engine, "川味火锅")["phone"] == "111"
    said = texts(app)
    assert "李雷" in said
    assert "Known → **Signed**" in said
    assert "→ **111**" in said
    assert "yours: 222" in said
    assert app.text_input(key="hand_field_phone").value == "222"
    assert app.text_area(key="hand_field_note").value == "mine"


def test_mine_is_saved_over_it_and_what_only_they_touched_stays_theirs(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    press(stale(visit, sqlite_engine, seeded), "hand_mine")
    row = merchant(sqlite_engine, "川味火锅")
    assert (row["phone"], row["note"], row["status"]) == ("222", "mine", "signed")


def test_theirs_is_taken_and_what_only_i_touched_stays_typed(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    app = press(stale(visit, sqlite_engine, seeded), "hand_theirs")
    assert app.text_input(key="hand_field_phone").value == "111"
    assert app.text_area(key="hand_field_note").value == "mine"
    press(app, "hand_save")
    row = merchant(sqlite_engine, "川味火锅")
    assert (row["phone"], row["note"], row["status"]) == ("111", "mine", "signed")


def test_an_undo_leaves_what_somebody_changed_since(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    app = press(opened(visit, merchant(sqlite_engine, "川味火锅")), "hand_close")
    row = merchant(sqlite_engine, "川味火锅")
    with store.transaction(sqlite_engine) as session:
        store.edit_merchant(session, ME, row["id"], row["revision"], status="signed")
    app = press(app, "hand_undo")
    assert merchant(sqlite_engine, "川味火锅")["status"] == "signed"
    assert "It was changed since, and stays as it is." in texts(app)


# A merchant added -----------------------------------------------------------------------------------------


def add(visit: Visit, name: str, lon: float, lat: float, **more: str) -> AppTest:
    app = aim(press(visit(**more), "hand_add"), lon, lat)
    app.text_input(key="hand_field_name").set_value(name)
    app.selectbox(key="hand_field_category_id").set_value(102)
    return press(app, "hand_save")


def test_a_merchant_is_added_where_the_map_was_clicked_and_taken_back(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    app = add(visit, "全新裁缝铺", 114.31, 30.61)
    row = merchant(sqlite_engine, "全新裁缝铺")
    assert (row["lon"], row["lat"], row["category_id"], row["status"]) == (114.31, 30.61, 102, "known")
    assert "Added: 全新裁缝铺" in texts(app)
    assert "#### 全新裁缝铺" in texts(app)
    app = press(app, "hand_undo")
    assert merchant(sqlite_engine, "全新裁缝铺") == {}
    assert "#### 全新裁缝铺" not in texts(app)
    assert not app.error


def test_a_merchant_needs_a_name_and_a_category(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    before = count(sqlite_engine)
    app = press(aim(press(visit(), "hand_add"), LON, LAT), "hand_save")
    assert "A merchant needs a name and a category." in texts(app)
    assert count(sqlite_engine) == before


def test_what_may_be_the_same_is_shown_before_a_merchant_is_added(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    before = merchant(sqlite_engine, "好邻居超市")
    app = add(visit, "好邻居超市", before["lon"] + 0.0001, LAT)
    assert "This may be it already:" in texts(app)
    assert count(sqlite_engine) == 6
    app = press(app, "hand_save")  # now: add it all the same
    assert count(sqlite_engine) == 7
    app = add(visit, "好邻居超市", before["lon"] + 0.0001, LAT)
    app = press(app, f"hand_open_{before['id']}")
    assert count(sqlite_engine) == 7
    assert "#### 好邻居超市" in texts(app)


def test_the_first_merchant_of_a_branch_may_be_added_by_hand(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    add(visit, "第一家店", LON, LAT)
    assert merchant(sqlite_engine, "第一家店")["lon"] == LON


# Rows without a place -------------------------------------------------------------------------------------


@pytest.fixture
def waiting(sqlite_engine: Engine, seeded: int) -> list[int]:
    """A merchant, a bank in a list of merchants and a customer without coordinates; their ids."""
    records = [
        ("merchants", {"name": "老李修车", "category_id": 201, "status": "known", "address": "人民路12号"}),
        ("merchants", {"layer": "outlets", "name": "他行二", "kind": "bank", "is_own": False}),
        ("customers", {"name": "客户甲", "existing": True, "group_id": 1}),
    ]
    with store.transaction(sqlite_engine) as session:
        batch = changes.open_batch(session, ME, seeded, kind="merchants", mode="add", file_name="a.csv")
        ids = []
        for number, (kind, record) in enumerate(records):
            values = {"branch_id": seeded, "batch_id": batch, "kind": kind, "row": number + 2}
            statement = insert(tables.unplaced).values(**values, record=json.dumps(record))
            ids.append(int(session.scalars(statement.returning(tables.unplaced.c.id)).one()))
    return ids


def listed(visit: Visit, role: Role = Role.HEAD) -> AppTest:
    """Open the list of rows without a place."""
    app = visit(role=role)
    app.session_state["unplaced"] = True
    return app.run()


@pytest.mark.parametrize(("role", "seen"), [(Role.HEAD, True), (Role.ANALYST, False), (Role.MEMBER, False)])
def test_rows_without_a_place_are_listed_customers_to_those_who_see_them_all(
    visit: Visit, waiting: list[int], role: Role, seen: bool
) -> None:
    app = listed(visit, role)
    assert ("客户甲" in texts(app)) is seen
    assert "老李修车" in texts(app)
    assert f"unplaced_place_{waiting[0]}" in keys(app)


def test_a_row_is_placed_where_the_map_was_clicked_and_waits_again_when_undone(
    visit: Visit, waiting: list[int], sqlite_engine: Engine
) -> None:
    app = aim(press(listed(visit), f"unplaced_place_{waiting[0]}"), 114.305, 30.605)
    app = press(app, "hand_save")
    row = merchant(sqlite_engine, "老李修车")
    assert (row["lon"], row["lat"], row["address"]) == (114.305, 30.605, "人民路12号")
    assert "#### 老李修车" in texts(app)
    app = press(app, "hand_undo")
    assert merchant(sqlite_engine, "老李修车") == {}
    with store.reading(sqlite_engine) as session:
        assert store.unplaced_count(session, ME, 1) == 3


def test_a_bank_of_a_list_of_merchants_is_placed_as_an_outlet(visit: Visit, waiting: list[int]) -> None:
    app = aim(press(listed(visit), f"unplaced_place_{waiting[1]}"), 114.305, 30.605)
    app = press(app, "hand_save")
    assert "#### 他行二" in texts(app)
    assert "Other banks" in texts(app)


def test_a_row_is_let_go_and_comes_back_when_undone(
    visit: Visit, waiting: list[int], sqlite_engine: Engine, seeded: int
) -> None:
    app = press(listed(visit), f"unplaced_drop_{waiting[0]}")
    with store.reading(sqlite_engine) as session:
        assert store.unplaced_count(session, ME, seeded) == 2
    press(app, "hand_undo")
    with store.reading(sqlite_engine) as session:
        assert store.unplaced_count(session, ME, seeded) == 3


# Doubles and other columns on the card --------------------------------------------------------------------


@pytest.fixture
def doubled(sqlite_engine: Engine, seeded: int) -> dict[str, object]:
    """A merchant marked as a possible double of another."""
    table = tables.merchants
    with store.transaction(sqlite_engine) as session:
        ids = {row.name: row.id for row in session.execute(select(table.c.name, table.c.id))}
        session.execute(
            table.update()
            .where(table.c.id == ids["新茶馆"])
            .values(double_of=ids["老书店"], double_level="possible", attributes='{"人均": "*35*"}')
        )
    return merchant(sqlite_engine, "新茶馆")


def test_a_possible_double_is_said_on_the_card(visit: Visit, doubled: dict[str, object]) -> None:
    app = opened(visit, doubled)
    assert "May be the same as 老书店, 96 m away." in texts(app)
    app = press(app, f"double_{doubled['id']}")
    assert {"double_same", "double_apart"} <= keys(app)


def test_the_lists_other_columns_are_read_when_they_are_asked_for(
    visit: Visit, doubled: dict[str, object]
) -> None:
    app = opened(visit, doubled)
    assert "人均" not in texts(app)
    app.session_state[f"more_{doubled['id']}"] = True
    assert "人均" in texts(app.run())
    assert "\\*35\\*" in marked(app)


# The form -------------------------------------------------------------------------------------------------


def test_only_what_differs_counts_as_changed() -> None:
    row = {"name": "a", "category_id": 101, "status": "known", "lon": 1.0, "lat": 2.0, "revision": 3}
    before = hand_form.as_form(row)
    assert before["phone"] == ""
    assert hand_form.changed(before, before) == {}
    assert hand_form.changed(before, {"phone": "1", "name": "a"}) == {"phone": "1"}
    assert hand_form.changed(before, {**before, "lon": 1.5}) == {"point": (1.5, 2.0)}


# Clicks, and what was set aside ---------------------------------------------------------------------------


def test_a_click_whose_run_is_cut_short_before_it_was_acted_on_counts_in_the_next(
    visit: Visit, seeded: int, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = merchant(sqlite_engine, "川味火锅")
    app = visit()
    place = {"lat": row["lat"], "lng": row["lon"]}
    app.session_state["map"] = {"last_clicked": place, "center": place, "zoom": 18}
    with monkeypatch.context() as patch:
        patch.setattr(customer_map, "heed", lambda *_: st.stop())
        app.run()
    assert "#### 川味火锅" not in texts(app)
    assert "#### 川味火锅" in texts(app.run())
    press(app, "close_card")
    assert "#### 川味火锅" not in texts(app.run())  # and is answered once


@pytest.mark.parametrize(
    ("role", "named"), [(Role.HEAD, True), (Role.LEAD, True), (Role.MEMBER, False), (Role.ANALYST, False)]
)
def test_the_list_of_what_was_set_aside_names_people_to_those_who_may_see_them(
    seeded: int, sqlite_engine: Engine, role: Role, named: bool
) -> None:
    table = tables.customers
    with store.transaction(sqlite_engine) as session:
        person = session.scalar(select(table.c.id).where(table.c.existing.is_(False)).order_by(table.c.id))
        store.set_aside(session, ME, seeded, "customers", person, "已搬走")
        shop = merchant(sqlite_engine, "川味火锅")["id"]
        store.set_aside(session, ME, seeded, "merchants", shop, "在外地")
    asker = Asker(name="someone", role=role, branch_ids=frozenset({seeded}))
    held = snapshots.snapshot(sqlite_engine, seeded)
    with store.reading(sqlite_engine) as session:
        rows = store.asides(session, ME, seeded)
    assert rows["name"].dropna().tolist() == ["川味火锅"]
    assert customer_map.aside_people(asker, held, rows) == ({person: "客户3"} if named else {})
