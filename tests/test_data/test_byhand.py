"""Changes by hand: edits, new merchants, rows put on the map, doubles settled."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select, update

from data import changes, store, tables
from data.rights import Role
from data.words import say
from geo.errors import Conflict, DataError, NotFound, RightsError
from tests.test_data.conftest import CLI, LAT, LON, Town


def _lines(session, batch: int) -> list[tuple]:
    lines = tables.changes.c
    query = select(lines.layer, lines.row_id, lines.before, lines.after).where(lines.batch_id == batch)
    return [tuple(row) for row in session.execute(query.order_by(lines.id))]


def _newest_batch(session):
    return session.execute(select(tables.batches).order_by(tables.batches.c.id.desc()).limit(1)).one()


def _wait(session, town: Town, record: dict, kind: str = "merchants") -> tuple[int, int]:
    """Store a list of which one row has no place; return the batch and the row."""
    batch = changes.open_batch(session, CLI, town.branch_id, kind=kind, mode="add", file_name="清单.csv")
    row = {"branch_id": town.branch_id, "batch_id": batch, "kind": kind, "row": 7}
    row["record"] = json.dumps(record, ensure_ascii=False)
    made = insert(tables.unplaced).values(row).returning(tables.unplaced.c.id)
    return batch, int(session.scalars(made).one())


def test_an_edit_is_a_batch_of_one(town):
    member = town.asker(Role.MEMBER)
    with store.transaction(town.engine) as session:
        store.edit_merchant(
            session, member, town.ids["M1"], 0, status="signed", manager="小陈", name="老王大酒楼", phone=""
        )
        card = store.merchant_card(session, CLI, town.ids["M1"])
        batch = _newest_batch(session)
        lines = _lines(session, batch.id)
        versions = store.versions(session, CLI, town.branch_id)
    assert (card["status"], card["manager"], card["name"], card["initials"], card["phone"]) == (
        "signed",
        "小陈",
        "老王大酒楼",
        "lwdjl",
        None,
    )
    assert (batch.mode, batch.kind, batch.by, batch.file_name) == ("hand", "merchants", "test:member", "")
    assert len(lines) == 1 and json.loads(lines[0][2]) == {
        "name": "老王酒楼",
        "status": "known",
        "manager_id": None,
        "initials": "lwjl",
    }
    assert versions[["number", "cause", "batch_id"]].iloc[0].tolist() == [2, "edit", batch.id]


def test_an_edit_that_changes_nothing_leaves_nothing_behind(town):
    with store.transaction(town.engine) as session:
        assert store.edit_merchant(session, CLI, town.ids["M1"], 0, status="known", note="") == 1
        assert store.batches(session, CLI, town.branch_id).empty
        assert store.merchant_card(session, CLI, town.ids["M1"])["revision"] == 0


def test_a_pin_is_moved_and_text_is_emptied(town):
    with store.transaction(town.engine) as session:
        store.edit_merchant(session, CLI, town.ids["M1"], 0, point=(LON, LAT), note="x")
        store.edit_merchant(session, CLI, town.ids["M1"], 1, note="")
        card = store.merchant_card(session, CLI, town.ids["M1"])
    assert (card["lon"], card["lat"], card["note"], card["revision"]) == (LON, LAT, None, 2)


@pytest.mark.parametrize(
    "typed",
    [
        {"category_id": 9999},
        {"name": "  "},
        {"name": "长" * 301},
        {"manager": "没有这个人"},
        {"manager": 10**6},
        {"point": (float("nan"), 30.0)},
        {"point": (181.0, 30.0)},
        {"status": "nonsense"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_words_in_both_languages(sqlite_town, typed):
    with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError) as refused:
        store.edit_merchant(session, CLI, sqlite_town.ids["M1"], 0, **typed)
    assert say(refused.value, "zh") != say(refused.value, "en") == str(refused.value)


def test_the_second_of_two_people_is_told_what_the_first_changed(town):
    merchant = town.ids["M2"]
    with store.transaction(town.engine) as session:
        store.edit_merchant(session, town.asker(Role.LEAD), merchant, 0, note="熟客", point=(LON, LAT))
        store.edit_merchant(session, town.asker(Role.MEMBER), merchant, 1, status="closed")
        with pytest.raises(Conflict) as refused:
            store.edit_merchant(session, town.asker(Role.HEAD), merchant, 0, phone="87654321")
        assert store.merchant_card(session, CLI, merchant)["phone"] is None
    english, chinese = str(refused.value), say(refused.value, "zh")
    assert english.startswith("This merchant has changed since you opened it: status by test:member (20")
    assert "; note, position by test:lead (20" in english
    assert (
        "test:member 于 20" in chinese
        and "修改了状态；test:lead 于 20" in chinese
        and "修改了备注、位置。" in chinese
    )
    assert "熟客" not in english + chinese


def test_the_changes_since_the_card_are_told_and_no_older_ones(town):
    merchant = town.ids["M2"]
    with store.transaction(town.engine) as session:
        store.edit_merchant(session, CLI, merchant, 0, note="a")
        store.edit_merchant(session, CLI, merchant, 1, status="closed")
        with pytest.raises(Conflict) as refused:
            store.edit_merchant(session, CLI, merchant, 1, phone="1")
    assert "status" in str(refused.value) and "note" not in str(refused.value)


def test_a_change_without_a_line_is_still_refused(town):
    with store.transaction(town.engine) as session:
        session.execute(update(tables.merchants).values(revision=3))
        with pytest.raises(Conflict, match="Someone else"):
            store.edit_merchant(session, CLI, town.ids["M1"], 0, phone="1")


def test_the_changes_of_a_merchant_are_listed_newest_first(town):
    merchant = town.ids["M2"]
    with store.transaction(town.engine) as session:
        store.edit_merchant(session, CLI, merchant, 0, note="a")
        store.edit_merchant(session, CLI, merchant, 1, status="closed", point=(LON, LAT))
        found = store.merchant_changes(session, CLI, merchant)
    assert found["fields"].tolist() == [("status", "position"), ("note",)]
    assert found["undone"].tolist() == [False, False]


def test_a_merchant_is_added_by_hand(town):
    with store.transaction(town.engine) as session:
        made = store.add_merchant(
            session, town.asker(Role.MEMBER), town.branch_id, name=" 新店 ", category_id=101, lon=LON, lat=LAT
        )
        card = store.merchant_card(session, CLI, made)
        batch = _newest_batch(session)
        lines = _lines(session, batch.id)
    assert (card["name"], card["initials"], card["status"], card["batch_id"]) == (
        "新店",
        "xd",
        "known",
        batch.id,
    )
    assert (card["address"], card["note"], card["revision"]) == (None, None, 0)
    assert [line[:3] for line in lines] == [("merchants", made, None)]
    assert made in town.snapshot().merchants.id


def test_rows_without_a_place_wait_and_are_placed(town):
    with store.transaction(town.engine) as session:
        batch, row = _wait(session, town, {"source_id": "Z1", "name": "无址店", "category_id": 101})
        waiting = store.unplaced(session, CLI, town.branch_id)
        assert waiting[["id", "kind", "batch_id", "row", "file_name", "name"]].to_numpy().tolist() == [
            [row, "merchants", batch, 7, "清单.csv", "无址店"]
        ]
        assert waiting.attrs["total"] == 1
        made = store.place_unplaced(session, town.asker(Role.MEMBER), row, LON, LAT)
        card = store.merchant_card(session, CLI, made)
        assert (card["source_id"], card["lon"], card["initials"], card["status"]) == (
            "Z1",
            LON,
            "wzd",
            "known",
        )
        assert store.unplaced(session, CLI, town.branch_id).empty
        with pytest.raises(NotFound):
            store.place_unplaced(session, CLI, row, LON, LAT)


def test_a_row_whose_identifier_came_since_is_not_placed_twice(town):
    with store.transaction(town.engine) as session:
        _, row = _wait(session, town, {"source_id": "M1", "name": "老王酒楼", "category_id": 101})
        with pytest.raises(Conflict):
            store.place_unplaced(session, CLI, row, LON, LAT)
        assert len(store.unplaced(session, CLI, town.branch_id)) == 1


def test_a_bank_of_a_merchant_list_becomes_an_outlet(town):
    record = {"layer": "outlets", "name": "丙银行", "kind": "bank", "is_own": False}
    with store.transaction(town.engine) as session:
        _, row = _wait(session, town, record)
        made = store.place_unplaced(session, CLI, row, LON, LAT)
        assert store.outlet_card(session, CLI, made)["name"] == "丙银行"


def test_customers_without_a_place_are_for_those_who_see_customers(town):
    record = {"existing": True, "group_id": 1, "name": "钱七", "phone": "1", "holdings": [0, 3]}
    with store.transaction(town.engine) as session:
        _, row = _wait(session, town, record, "customers")
        for role in (Role.MEMBER, Role.ANALYST):
            assert store.unplaced(session, town.asker(role), town.branch_id).empty
            with pytest.raises(RightsError):
                store.unplaced(session, town.asker(role), town.branch_id, "customers")
            with pytest.raises(RightsError):
                store.place_unplaced(session, town.asker(role), row, LON, LAT)
        lead = town.asker(Role.LEAD)
        assert store.unplaced(session, lead, town.branch_id, "customers")["name"].tolist() == ["钱七"]
        made = store.place_unplaced(session, lead, row, LON, LAT)
        assert store.customer_card(session, lead, made)["products"] == [0, 3]
        trail = store.audit_rows(session, CLI, town.branch_id)
    assert trail["subject"].tolist()[:3] == [f"customer {made}", f"customers {made}", "unplaced customers"]
    assert "钱七" not in trail.to_csv()


def test_a_row_that_cannot_be_placed_is_let_go(town):
    with store.transaction(town.engine) as session:
        _, row = _wait(session, town, {"name": "无址店", "category_id": 101})
        store.drop_unplaced(session, CLI, row)
        assert store.unplaced(session, CLI, town.branch_id).empty


# Doubles ----------------------------------------------------------------------------------------------------


def _mark(session, later: int, earlier: int, **values: object) -> None:
    marked = {"double_of": earlier, "double_level": "probable", **values}
    session.execute(update(tables.merchants).where(tables.merchants.c.id == later).values(marked))


def test_pairs_are_shown_side_by_side(town):
    with store.transaction(town.engine) as session:
        _mark(session, town.ids["M2"], town.ids["M1"])
        pairs = store.doubles_to_review(session, CLI, town.branch_id)
        assert store.doubles_to_review(session, CLI, town.branch_id, "possible").empty
        assert len(store.doubles_to_review(session, CLI, town.branch_id, None)) == 1
    pair = pairs.iloc[0]
    assert (pair["id"], pair["of_id"], pair["of_name"]) == (town.ids["M2"], town.ids["M1"], "老王酒楼")
    assert pair["distance_m"] == pytest.approx(100, abs=0.1)


def test_the_same_fills_blanks_of_the_earlier_and_removes_the_later(town):
    later, earlier, third = (town.ids[number] for number in ("M2", "M1", "M3"))
    with store.transaction(town.engine) as session:
        _mark(session, later, earlier, phone="87654321", note="晚", attributes='{"a": "2", "b": "3"}')
        _mark(session, third, later)
        values = {"note": "早", "attributes": '{"a": "1"}', "source_id": None}
        session.execute(update(tables.merchants).where(tables.merchants.c.id == earlier).values(values))
        store.set_aside(session, CLI, town.branch_id, "merchants", later, "远")
        store.settle_double(session, CLI, later, True, 0)
        card = store.merchant_card(session, CLI, earlier)
        assert store.merchant_card(session, CLI, third)["double_of"] == earlier
        assert store.asides(session, CLI, town.branch_id).empty
        with pytest.raises(NotFound):
            store.merchant_card(session, CLI, later)
    assert (card["phone"], card["note"], card["source_id"]) == ("87654321", "早", "M2")
    assert json.loads(card["attributes"]) == {"a": "1", "b": "3"}
    assert card["revision"] == 1
    assert later not in town.snapshot().merchants.id


def test_two_different_ones_lose_the_mark(town):
    later, earlier = town.ids["M2"], town.ids["M1"]
    with store.transaction(town.engine) as session:
        _mark(session, later, earlier)
        store.settle_double(session, CLI, later, False, 0)
        card = store.merchant_card(session, CLI, later)
        assert (card["double_of"], card["double_level"], card["revision"]) == (None, None, 1)
        assert store.doubles_to_review(session, CLI, town.branch_id, None).empty
        with pytest.raises(Conflict):
            store.settle_double(session, CLI, later, True, 0)
        with pytest.raises(DataError):
            store.settle_double(session, CLI, later, True, 1)


def test_a_double_of_what_is_gone_is_not_merged(town):
    with store.transaction(town.engine) as session:
        _mark(session, town.ids["M2"], 10**6)
        with pytest.raises(NotFound):
            store.settle_double(session, CLI, town.ids["M2"], True, 0)
        assert store.doubles_to_review(session, CLI, town.branch_id).empty
