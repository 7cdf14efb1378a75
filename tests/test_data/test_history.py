"""Batches taken back, with and without what came after them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from data import bulk, changes, history, ingest, store, tables
from data.rights import Role
from data.words import say
from geo.errors import Conflict, DataError, NotFound, RightsError
from tests.test_data.conftest import CLI, LAT, LON, Town


def rows_of(session: Any, town: Town, layer: str = "merchants") -> pd.DataFrame:
    """Return a layer as it stands, what counts changes apart."""
    table = changes.LAYERS[layer]
    ids = session.scalars(select(table.c.id).where(table.c.branch_id == town.branch_id)).all()
    return changes.stored(session, layer, sorted(ids)).drop(columns="revision", errors="ignore")


def same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    return left.to_dict("index") == right.to_dict("index")


def add_list(session: Any, town: Town, names: list[str], *, file_hash: str = "h", **columns: Any) -> int:
    """Store a list of merchants as an import does, every row a new one; return its batch."""
    batch = changes.open_batch(
        session, CLI, town.branch_id, kind="merchants", mode="add", file_name="清单.csv", file_hash=file_hash
    )
    frame = pd.DataFrame({"name": names, "category_id": 101, "lon": LON, "lat": LAT, "initials": ""})
    bulk.insert(session, tables.merchants, frame.assign(branch_id=town.branch_id, batch_id=batch, **columns))
    store.new_version(session, CLI, town.branch_id, "import", batch)
    return batch


def change_list(session: Any, town: Town, layer: str, told: dict[int, dict[str, Any]]) -> int:
    """Change stored rows as an import does; return its batch."""
    batch = changes.open_batch(session, CLI, town.branch_id, kind=layer, mode="add", file_name="清单二.csv")
    names = sorted({name for cells in told.values() for name in cells})
    before = changes.stored(session, layer, list(told), names)
    after = before.copy()
    for row_id, cells in told.items():
        for name, value in cells.items():
            after.at[row_id, name] = value
    changes.record(session, batch, layer, before, after)
    history._write(session, layer, told)
    changes.saw(session, batch, layer, list(told))
    store.new_version(session, CLI, town.branch_id, "import", batch)
    return batch


def made_by(session: Any, batch: int) -> list[int]:
    query = select(tables.merchants.c.id).where(tables.merchants.c.batch_id == batch)
    return list(session.scalars(query.order_by(tables.merchants.c.id)))


def card(session: Any, merchant: int) -> dict[str, Any]:
    return store.merchant_card(session, CLI, merchant)


def test_a_list_taken_back_leaves_the_store_as_it_was(town):
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batch = add_list(session, town, ["甲", "乙", "丙"])
        found = store.rollback(session, town.asker(Role.ANALYST), batch, keep="later")
        assert same(rows_of(session, town), was)
        assert (found.removed, found.restored, found.kept, found.version) == (3, 0, 0, 3)
        batches = store.batches(session, CLI, town.branch_id).set_index("id")
        version = store.versions(session, CLI, town.branch_id).iloc[0]
        line = store.audit_rows(session, CLI, town.branch_id).iloc[0]
    assert batches.loc[batch, "undone_by"] == found.batch
    assert batches.loc[found.batch, "mode"] == "rollback"
    assert batches.loc[found.batch, "counts"] == {"removed": 3, "restored": 0, "kept": 0}
    assert (version["number"], version["cause"], version["batch_id"]) == (3, "rollback", found.batch)
    assert (line["action"], line["subject"]) == ("rollback", f"batch {batch}")
    assert line["detail"] == {"removed": 3, "restored": 0, "kept": 0}
    assert len(town.snapshot().merchants) == 5


def test_changed_cells_go_back(town):
    one, two = town.ids["M1"], town.ids["M2"]
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batch = change_list(
            session,
            town,
            "merchants",
            {one: {"name": "新名", "lon": 114.0}, two: {"phone": "1", "note": "n"}},
        )
        found = store.rollback(session, CLI, batch, keep="later")
        assert same(rows_of(session, town), was)
        assert (found.removed, found.restored, found.kept) == (0, 2, 0)
        assert card(session, one)["revision"] == 2


def test_customers_products_and_sealed_columns_go_back(town):
    one, two = town.ids["C1"], town.ids["C2"]
    with store.transaction(town.engine) as session:
        was = rows_of(session, town, "customers")
        told = {
            one: {"name": "张三丰", "deposits": None, "holdings": [7]},
            two: {"holdings": [], "is_key": True},
        }
        batch = change_list(session, town, "customers", told)
        assert store.customer_card(session, CLI, one)["products"] == [7]
        store.rollback(session, CLI, batch, keep="later")
        assert same(rows_of(session, town, "customers"), was)


def test_places_get_their_shapes_back(town):
    place = town.ids["李家村"]
    with store.transaction(town.engine) as session:
        session.execute(update(tables.places).where(tables.places.c.id == place).values(shape=b"\x01"))
        batch = change_list(session, town, "places", {place: {"shape": b"\x02", "households": None}})
        store.rollback(session, CLI, batch, keep="none")
        row = changes.stored(session, "places", [place]).iloc[0]
        assert (row["shape"], row["households"]) == (b"\x01", 300)


def test_rows_of_a_list_touched_later_are_told_and_stay(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲", "乙", "丙", "丁", "戊"])
        ids = made_by(session, batch)
        store.edit_merchant(session, town.asker(Role.MEMBER), ids[0], 0, note="熟客")
        change_list(session, town, "merchants", {ids[1]: {"phone": "1"}})
        change_list(session, town, "merchants", {ids[2]: {"name": "丙"}})  # says nothing new
        store.set_aside(session, town.asker(Role.LEAD), town.branch_id, "merchants", ids[3], "远")
        touched = store.touched_later(session, CLI, batch)
        assert touched[["row_id", "name", "what"]].sort_values("row_id").to_numpy().tolist() == [
            [ids[0], "甲", "edited"],
            [ids[1], "乙", "updated"],
            [ids[2], "丙", "listed"],
            [ids[3], "丁", "set aside"],
        ]
        assert touched.set_index("row_id")["by"].to_dict()[ids[3]] == "test:lead"
        found = store.rollback(session, CLI, batch, keep="later")
        assert made_by(session, batch) == ids[:4]
        assert (found.removed, found.kept) == (1, 4)
        assert len(store.asides(session, CLI, town.branch_id)) == 1


def test_rows_of_a_list_touched_later_go_as_well_when_asked(town):
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batch = add_list(session, town, ["甲", "乙"])
        ids = made_by(session, batch)
        store.edit_merchant(session, CLI, ids[0], 0, note="熟客")
        store.set_aside(session, CLI, town.branch_id, "merchants", ids[1], "远")
        found = store.rollback(session, CLI, batch, keep="none")
        assert same(rows_of(session, town), was)
        assert (found.removed, found.restored, found.kept) == (2, 0, 0)
        assert store.asides(session, CLI, town.branch_id).empty


@pytest.mark.parametrize(("keep", "status"), [("later", "closed"), ("none", "known")])
def test_a_cell_changed_again_later_stays_or_goes(town, keep, status):
    one = town.ids["M1"]
    with store.transaction(town.engine) as session:
        batch = change_list(session, town, "merchants", {one: {"status": "signed", "phone": "1"}})
        store.edit_merchant(session, CLI, one, 1, status="closed", note="x")
        assert store.touched_later(session, CLI, batch)["row_id"].tolist() == [one]
        found = store.rollback(session, CLI, batch, keep=keep)
        now = card(session, one)
    assert (now["status"], now["phone"], now["note"]) == (status, None, "x")
    assert (found.restored, found.kept) == (1, int(keep == "later"))


def test_another_cell_of_the_row_is_no_touch(town):
    one = town.ids["M1"]
    with store.transaction(town.engine) as session:
        batch = change_list(session, town, "merchants", {one: {"phone": "1"}})
        store.edit_merchant(session, CLI, one, 1, note="x")
        assert store.touched_later(session, CLI, batch).empty
        store.rollback(session, CLI, batch, keep="later")
        assert (card(session, one)["phone"], card(session, one)["note"]) == (None, "x")


@pytest.mark.parametrize("keep", ["later", "none"])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_batches_are_taken_back_in_any_order(sqlite_town, order, keep):
    town, one = sqlite_town, sqlite_town.ids["M1"]
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batches = [
            change_list(session, town, "merchants", {one: {"phone": phone}}) for phone in ("1", "2", "3")
        ]
        for at in order:
            store.rollback(session, CLI, batches[at], keep=keep)
        assert same(rows_of(session, town), was)


def test_an_undone_batch_is_no_later_work(town):
    one = town.ids["M1"]
    with store.transaction(town.engine) as session:
        first = change_list(session, town, "merchants", {one: {"phone": "1"}})
        second = change_list(session, town, "merchants", {one: {"phone": "2"}})
        store.rollback(session, CLI, second, keep="later")
        assert store.touched_later(session, CLI, first).empty


def test_what_went_back_with_an_older_batch_is_no_longer_a_later_ones(town):
    one = town.ids["M1"]
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        first = change_list(session, town, "merchants", {one: {"phone": "1"}})
        second = change_list(session, town, "merchants", {one: {"phone": "2"}})
        store.rollback(session, CLI, first, keep="none")
        assert same(rows_of(session, town), was)
        assert store.touched_later(session, CLI, second).empty
        store.rollback(session, CLI, second, keep="none")
        assert same(rows_of(session, town), was)


def test_a_batch_is_taken_back_once_and_a_rollback_never(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
        own = store.rollback(session, CLI, batch, keep="later").batch
        with pytest.raises(Conflict) as twice:
            store.rollback(session, CLI, batch, keep="later")
        with pytest.raises(Conflict) as never:
            store.rollback(session, CLI, own, keep="later")
        with pytest.raises(NotFound):
            store.rollback(session, CLI, 10**6, keep="later")
    assert say(twice.value, "zh") != str(twice.value) != str(never.value) != say(never.value, "zh")


def test_lists_are_taken_back_by_those_who_bring_them_in_and_edits_by_those_who_edit(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
        store.edit_merchant(session, CLI, town.ids["M1"], 0, note="x")
        edit = int(store.merchant_changes(session, CLI, town.ids["M1"])["batch_id"].iloc[0])
        for role in (Role.MEMBER, Role.AUDITOR, Role.ADMIN):
            with pytest.raises(RightsError):
                store.rollback(session, town.asker(role), batch, keep="later")
            with pytest.raises(RightsError):
                store.touched_later(session, town.asker(role), batch)
        with pytest.raises(RightsError):
            store.rollback(session, town.asker(Role.MEMBER, town.other_id), edit, keep="later")
        store.rollback(session, town.asker(Role.MEMBER), edit, keep="later")
        assert store.merchant_changes(session, CLI, town.ids["M1"])["undone"].tolist() == [False, True]
        assert card(session, town.ids["M1"])["note"] is None


def test_an_added_merchant_goes_again(town):
    with store.transaction(town.engine) as session:
        made = store.add_merchant(session, CLI, town.branch_id, name="新", category_id=101, lon=LON, lat=LAT)
        batch = card(session, made)["batch_id"]
        assert store.rollback(session, CLI, batch, keep="later").removed == 1
        with pytest.raises(NotFound):
            card(session, made)


# Doubles and rows without a place ---------------------------------------------------------------------------


def merged(session: Any, later: int, earlier: int) -> int:
    """Merge two merchants and return the batch."""
    marked = update(tables.merchants).where(tables.merchants.c.id == later)
    session.execute(marked.values(double_of=earlier, double_level="probable", phone="7"))
    store.settle_double(session, CLI, later, True, 0)
    return int(session.scalar(select(tables.batches.c.id).order_by(tables.batches.c.id.desc()).limit(1)))


def test_a_merge_is_taken_apart_again(town):
    with store.transaction(town.engine) as session:
        session.execute(
            update(tables.merchants).values(source_id=None).where(tables.merchants.c.id == town.ids["M1"])
        )
        was = rows_of(session, town)
        batch = merged(session, town.ids["M2"], town.ids["M1"])
        assert card(session, town.ids["M1"])["source_id"] == "M2"
        found = store.rollback(session, CLI, batch, keep="later")
        now = rows_of(session, town)
    assert (found.removed, found.restored) == (0, 2)
    assert now.loc[town.ids["M2"], "double_of"] == town.ids["M1"]
    cells = ["double_of", "double_level", "phone"]
    assert same(now.drop(columns=cells), was.drop(columns=cells)) and len(now) == 5


def test_a_row_merged_away_is_told_of_its_list(town):
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batch = add_list(session, town, ["甲", "乙"])
        gone, stays = made_by(session, batch)
        merge = merged(session, gone, town.ids["M1"])
        touched = store.touched_later(session, CLI, batch)
        assert touched[["row_id", "what"]].to_numpy().tolist() == [[gone, "merged"]]
        found = store.rollback(session, CLI, batch, keep="none")
        assert (found.removed, found.restored) == (1, 1)
        assert same(rows_of(session, town), was)
        with pytest.raises(Conflict):
            store.rollback(session, CLI, merge, keep="later")


def test_a_merge_taken_apart_brings_no_row_of_an_undone_list_back(town):
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batch = add_list(session, town, ["甲", "乙"])
        merge = merged(session, made_by(session, batch)[0], town.ids["M1"])
        store.rollback(session, CLI, batch, keep="later")
        assert card(session, town.ids["M1"])["phone"] == "7"
        store.rollback(session, CLI, merge, keep="later")
        assert same(rows_of(session, town), was)


def test_marks_of_doubles_of_rows_that_go_are_cleared(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
        marked = update(tables.merchants).where(tables.merchants.c.id == town.ids["M1"])
        session.execute(marked.values(double_of=made_by(session, batch)[0], double_level="possible"))
        store.rollback(session, CLI, batch, keep="later")
        assert card(session, town.ids["M1"])["double_level"] is None


def test_a_removed_row_whose_identifier_is_taken_stays_away(town):
    with store.transaction(town.engine) as session:
        merge = merged(session, town.ids["M2"], town.ids["M1"])
        add_list(session, town, ["新"], source_id="M2")
        found = store.rollback(session, CLI, merge, keep="later")
        assert found.restored == 1
        with pytest.raises(NotFound):
            card(session, town.ids["M2"])


def test_an_identifier_that_is_taken_does_not_go_back(town):
    with store.transaction(town.engine) as session:
        batch = change_list(session, town, "merchants", {town.ids["M1"]: {"source_id": "N1", "phone": "1"}})
        add_list(session, town, ["新"], source_id="M1")
        store.rollback(session, CLI, batch, keep="later")
        assert (card(session, town.ids["M1"])["source_id"], card(session, town.ids["M1"])["phone"]) == (
            "N1",
            None,
        )


def test_identifiers_that_were_exchanged_are_exchanged_back(town):
    one, two = town.ids["M1"], town.ids["M2"]
    with store.transaction(town.engine) as session:
        batch = change_list(session, town, "merchants", {one: {"source_id": "X"}})
        lines = tables.changes
        values = {"batch_id": batch, "layer": "merchants", "row_id": two, "before": '{"source_id": "M2"}'}
        session.execute(insert(lines).values(values | {"after": '{"source_id": "M1"}'}))
        session.execute(update(tables.merchants).where(tables.merchants.c.id == two).values(source_id="M1"))
        store.rollback(session, CLI, batch, keep="later")
        assert [card(session, each)["source_id"] for each in (one, two)] == ["M1", "M2"]


def waiting(session: Any, town: Town, batch: int) -> int:
    row = {"branch_id": town.branch_id, "batch_id": batch, "kind": "merchants", "row": 3}
    row["record"] = json.dumps({"name": "无址店", "category_id": 101})
    return int(session.scalars(insert(tables.unplaced).values(row).returning(tables.unplaced.c.id)).one())


def test_rows_without_a_place_go_with_their_list(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
        waiting(session, town, batch)
        assert store.rollback(session, CLI, batch, keep="later").removed == 1
        assert store.unplaced(session, CLI, town.branch_id).empty


@pytest.mark.parametrize(("keep", "stays"), [("later", True), ("none", False)])
def test_a_row_placed_by_hand_is_told_of_its_list(town, keep, stays):
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batch = add_list(session, town, ["甲"])
        placed = store.place_unplaced(session, CLI, waiting(session, town, batch), LON, LAT)
        touched = store.touched_later(session, CLI, batch)
        assert touched[["row_id", "name", "what"]].to_numpy().tolist() == [[placed, "无址店", "placed"]]
        store.rollback(session, CLI, batch, keep=keep)
        assert same(rows_of(session, town).drop(index=placed, errors="ignore"), was)
        assert (placed in rows_of(session, town).index) == stays
        assert store.unplaced(session, CLI, town.branch_id).empty


def test_a_placed_or_dropped_row_waits_again_when_that_is_undone(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
        first, second = waiting(session, town, batch), waiting(session, town, batch)
        placed = store.place_unplaced(session, CLI, first, LON, LAT)
        store.rollback(session, CLI, card(session, placed)["batch_id"], keep="later")
        store.rollback(session, CLI, store.drop_unplaced(session, CLI, second), keep="later")
        found = store.unplaced(session, CLI, town.branch_id)
        assert found[["id", "name"]].to_numpy().tolist() == [[first, "无址店"], [second, "无址店"]]
        with pytest.raises(NotFound):
            card(session, placed)


# All of it or nothing, and one at a time --------------------------------------------------------------------


def test_what_fails_midway_leaves_everything_as_it_was(town, monkeypatch):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
        was = rows_of(session, town)

    def fail(*_: object, **_more: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(history, "new_version", fail)
    with pytest.raises(RuntimeError), store.transaction(town.engine) as session:
        store.rollback(session, CLI, batch, keep="later")
    with store.reading(town.engine) as session:
        assert same(rows_of(session, town), was)
        assert store.batches(session, CLI, town.branch_id)["undone_by"].isna().all()


def test_of_two_who_take_the_same_batch_back_one_is_told(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
    outcomes: list[str] = []

    def take_back() -> None:
        try:
            with store.transaction(town.engine) as session:
                store.rollback(session, CLI, batch, keep="later")
            outcomes.append("done")
        except Conflict:
            outcomes.append("told")

    threads = [threading.Thread(target=take_back) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "told"]


def test_many_rows_go_but_those_touched(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, [f"店{number}" for number in range(30_000)])
        ids = made_by(session, batch)
        touched = ids[::3]
        change_list(session, town, "merchants", {row_id: {"phone": "1"} for row_id in touched})
        found = store.rollback(session, CLI, batch, keep="later")
        assert (found.removed, found.kept) == (20_000, 10_000)
        assert made_by(session, batch) == touched


CELLS = st.dictionaries(
    st.sampled_from(["phone", "note", "address"]), st.sampled_from(["a", "b", None]), min_size=1
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(CELLS, min_size=1, max_size=5), data=st.data())
def test_without_all_batches_the_store_is_what_it_was(sqlite_town, edits, data):
    town, one = sqlite_town, sqlite_town.ids["M1"]
    order = data.draw(st.permutations(range(len(edits))))
    keeps = data.draw(st.lists(st.sampled_from(["later", "none"]), min_size=len(edits), max_size=len(edits)))
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        batches = [change_list(session, town, "merchants", {one: cells}) for cells in edits]
        for at, keep in zip(order, keeps, strict=True):
            store.rollback(session, CLI, batches[at], keep=keep)
        assert same(rows_of(session, town), was)


def test_a_cell_that_was_put_back_with_all_that_came_after_stays_so(sqlite_town):
    town, one = sqlite_town, sqlite_town.ids["M1"]
    with store.transaction(town.engine) as session:
        was = rows_of(session, town)
        first, second, third = (
            change_list(session, town, "merchants", {one: {"note": note}}) for note in ("b", "a", "b")
        )
        store.rollback(session, CLI, first, keep="none")
        store.rollback(session, CLI, third, keep="none")
        assert same(rows_of(session, town), was)  # not "a", which went with the first
        store.rollback(session, CLI, second, keep="later")
        assert same(rows_of(session, town), was)


# Which file, which source -----------------------------------------------------------------------------------


def test_the_same_file_is_known_until_it_is_taken_back(town):
    with store.transaction(town.engine) as session:
        assert store.same_file(session, town.branch_id, "abc") is None
        batch = add_list(session, town, ["甲"], file_hash="abc")
        found = store.same_file(session, town.branch_id, "abc")
        assert found is not None and (found["id"], found["by"]) == (batch, CLI.name)
        assert store.same_file(session, town.other_id, "abc") is None
        store.rollback(session, CLI, batch, keep="later")
        assert store.same_file(session, town.branch_id, "abc") is None


def test_the_source_named_is_the_newest_list_that_stands(town):
    with store.transaction(town.engine) as session:
        first = add_list(session, town, ["甲"])
        second = add_list(session, town, ["乙"])
        store.edit_merchant(session, CLI, town.ids["M1"], 0, note="x")
        assert store.latest_source(session, CLI, town.branch_id)["id"] == second
        store.rollback(session, CLI, second, keep="later")
        assert store.latest_source(session, CLI, town.branch_id)["id"] == first
        store.rollback(session, CLI, first, keep="later")
        assert store.latest_source(session, CLI, town.branch_id) is None


# Two lists held against each other --------------------------------------------------------------------------


def told(found: pd.DataFrame) -> list[list[Any]]:
    return found[["what", "source_id", "name", "fields"]].to_numpy().tolist()


def test_two_lists_are_compared_by_the_rows_they_share(town):
    with store.transaction(town.engine) as session:
        first = add_list(session, town, ["甲", "乙", "丙", "丁"], source_id=["a", "b", "c", "d"])
        ids = made_by(session, first)
        second = change_list(
            session,
            town,
            "merchants",
            {ids[0]: {"name": "甲"}, ids[1]: {"phone": "1"}, ids[2]: {"lon": 114.0}},
        )
        values = {"name": "戊", "category_id": 101, "lon": LON, "lat": LAT, "branch_id": town.branch_id}
        session.execute(insert(tables.merchants).values(values | {"batch_id": second, "source_id": "e"}))
        forth, back = (store.diff(session, CLI, *pair) for pair in ((first, second), (second, first)))
        assert store.diff(session, CLI, first, first).empty
    assert told(forth) == [
        ["changed", "b", "乙", "phone"],
        ["moved", "c", "丙", "lon"],
        ["gone", "d", "丁", ""],
        ["new", "e", "戊", ""],
    ]
    assert [row[0] for row in told(back)] == ["changed", "moved", "new", "gone"]


def test_a_change_there_and_back_between_two_lists_is_none(town):
    with store.transaction(town.engine) as session:
        first = add_list(session, town, ["甲"])
        (row_id,) = made_by(session, first)
        for phone in ("1", None):
            last = change_list(session, town, "merchants", {row_id: {"phone": phone}})
        assert store.diff(session, CLI, first, last).empty


def test_rows_stored_twice_are_one_by_name_and_place(town):
    with store.transaction(town.engine) as session:
        first = add_list(session, town, ["甲", "乙"])
        second = add_list(session, town, ["甲", "丙"], phone=["7", None])
        found = store.diff(session, CLI, first, second)
    assert told(found) == [
        ["gone", None, "乙", ""],
        ["changed", None, "甲", "phone"],
        ["new", None, "丙", ""],
    ]


def test_customers_are_compared_without_their_names(town):
    with store.transaction(town.engine) as session:
        first = change_list(session, town, "customers", {town.ids["C1"]: {"name": "张三"}})
        second = change_list(session, town, "customers", {town.ids["C1"]: {"name": "张三丰"}})
        assert told(store.diff(session, CLI, first, second)) == [["changed", "C1", None, "name"]]


def test_what_cannot_be_compared_is_refused(town):
    with store.transaction(town.engine) as session:
        first, second = add_list(session, town, ["甲"]), add_list(session, town, ["乙"])
        other = change_list(session, town, "customers", {town.ids["C1"]: {"tier": "gold"}})
        with pytest.raises(DataError):
            store.diff(session, CLI, first, other)
        undo = store.rollback(session, CLI, second, keep="later").batch
        with pytest.raises(Conflict):
            store.diff(session, CLI, first, second)
        with pytest.raises(DataError):
            store.diff(session, CLI, first, undo)
        with pytest.raises(RightsError):
            store.diff(session, town.asker(Role.MEMBER), first, first)


# With lists as they are brought in --------------------------------------------------------------------------


def bring_in(session: Any, town: Town, lines: list[str], **how: Any) -> ingest.ImportReport:
    text = "\n".join(["商户编号,商户名称,类别,电话,经度,纬度", *lines])
    return ingest.run_import(
        session,
        CLI,
        text.encode(),
        kind="merchants",
        branch_id=town.branch_id,
        datum="wgs84",
        name="清单.csv",
        **how,
    )


FIRST = ["S1,甲饭店,餐饮,87650001,114.31,30.51", "S2,丙超市,超市,87650002,114.32,30.51", "S3,丁,超市,,,"]
SECOND = ["S1,甲饭店,餐饮,87659999,114.31,30.51", "S4,乙银行支行,银行,,114.33,30.51"]


def test_lists_that_were_brought_in_are_taken_back_one_after_the_other(town):
    with store.transaction(town.engine) as session:
        layers = ("merchants", "outlets")
        was = [rows_of(session, town, layer) for layer in layers]
        first = bring_in(session, town, FIRST)
        then = [rows_of(session, town, layer) for layer in layers]
        second = bring_in(session, town, SECOND)
        assert (second.accepted, second.updated) == (1, 1)
        assert store.touched_later(session, CLI, first.batch)["what"].tolist() == ["updated"]
        assert len(store.unplaced(session, CLI, town.branch_id)) == 1
        store.rollback(session, CLI, second.batch, keep="later")
        assert all(map(same, (rows_of(session, town, layer) for layer in layers), then))
        store.rollback(session, CLI, first.batch, keep="later")
        assert all(map(same, (rows_of(session, town, layer) for layer in layers), was))
        assert store.unplaced(session, CLI, town.branch_id).empty


def test_a_row_without_a_place_of_a_list_is_placed(town):
    with store.transaction(town.engine) as session:
        bring_in(session, town, FIRST)
        (row,) = store.unplaced(session, CLI, town.branch_id)["id"]
        placed = card(session, store.place_unplaced(session, CLI, row, LON, LAT))
    assert (placed["source_id"], placed["name"], placed["lon"]) == ("S3", "丁", LON)


def test_two_lists_that_were_brought_in_are_compared(town):
    with store.transaction(town.engine) as session:
        first, second = bring_in(session, town, FIRST), bring_in(session, town, SECOND)
        found = store.diff(session, CLI, first.batch, second.batch)
    assert told(found) == [
        ["changed", "S1", "甲饭店", "phone"],
        ["gone", "S2", "丙超市", ""],
        ["new", "S4", "乙银行支行", ""],
    ]
