"""The journal of batches: what differs is written, sealed, and read back as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from data import changes, store, tables
from tests.test_data.conftest import CLI, Town


def _batch(session, town: Town) -> int:
    return changes.open_batch(session, CLI, town.branch_id, kind="merchants", mode="hand")


def _told(session, batch: int) -> list[tuple]:
    lines = tables.changes.c
    query = select(lines.layer, lines.row_id, lines.before, lines.after).where(lines.batch_id == batch)
    return [tuple(row) for row in session.execute(query.order_by(lines.id))]


def test_only_columns_that_differ_are_written(town):
    ids = [town.ids[number] for number in ("M1", "M2", "M3")]
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        before = changes.stored(session, "merchants", ids, ("status", "note", "lon", "category_id"))
        after = before.assign(status=["signed", "signed", "contacted"], note=[None, "熟客", None])
        assert changes.record(session, batch, "merchants", before, after) == 2
        assert _told(session, batch) == [
            ("merchants", ids[0], '{"status": "known"}', '{"status": "signed"}'),
            ("merchants", ids[1], '{"note": null}', '{"note": "熟客"}'),
        ]


def test_a_blank_may_stand_for_as_it_was(town):
    ids = [town.ids["M1"]]
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        before = changes.stored(session, "merchants", ids, ("name", "status"))
        after = pd.DataFrame({"name": ["新王酒楼"], "status": [np.nan]}, index=ids)
        changes.record(session, batch, "merchants", before, after, blank_leaves=True)
        assert _told(session, batch) == [
            ("merchants", ids[0], '{"name": "老王酒楼"}', '{"name": "新王酒楼"}')
        ]


def test_numbers_of_another_kind_are_no_change(town):
    ids = [town.ids["M1"]]
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        before = changes.stored(session, "merchants", ids, ("category_id", "lon"))
        after = pd.DataFrame({"category_id": [101.0], "lon": [np.float64(before["lon"].iloc[0])]}, index=ids)
        assert changes.record(session, batch, "merchants", before, after) == 0
        assert _told(session, batch) == []


def test_a_removed_row_is_kept_whole_and_a_made_one_has_no_before(town):
    ids = [town.ids["M2"]]
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        whole = changes.stored(session, "merchants", ids)
        changes.record(session, batch, "merchants", whole, whole.iloc[:0])
        changes.record(session, batch, "merchants", whole.iloc[:0], whole[["name"]])
        gone, made = _told(session, batch)
    assert gone[3] is None and made[2:] == (None, '{"name": "Happy 100%_火锅"}')
    assert changes.restored("merchants", gone[2]) == whole.iloc[0].to_dict()


def test_products_held_and_shapes_come_back_as_they_were(town):
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        customers = changes.stored(session, "customers", [town.ids["C2"]], ("deposits", "name", "holdings"))
        after = customers.assign(holdings=pd.Series([[5]], customers.index), name=["李四四"])
        changes.record(session, batch, "customers", customers, after)
        places = changes.stored(session, "places", [town.ids["李家村"]], ("shape",))
        changes.record(session, batch, "places", places, places.assign(shape=[b"\x00\xff"]))
        first, second = _told(session, batch)
    assert changes.restored("customers", first[2]) == {"name": "李四", "holdings": [0, 1, 4, 5, 10]}
    assert changes.restored("customers", first[3]) == {"name": "李四四", "holdings": [5]}
    assert changes.restored("places", second[2]) == {"shape": None}
    assert changes.restored("places", second[3]) == {"shape": b"\x00\xff"}


def test_lines_are_sealed(town):
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        before = changes.stored(session, "customers", [town.ids["C1"]], ("name",))
        changes.record(session, batch, "customers", before, before.assign(name=["张三丰"]))
        raw = session.execute(text("SELECT before, after FROM changes")).one()
    assert all("张三".encode() not in bytes(side) for side in raw)


def test_rows_that_are_not_there_are_passed_over(town):
    ids = [town.ids["M3"], 10**9, town.ids["M1"]]
    with store.reading(town.engine) as session:
        assert changes.stored(session, "merchants", ids, ("name",)).index.tolist() == [ids[0], ids[2]]
        assert changes.stored(session, "customers", [], ("name", "holdings")).empty


def test_what_a_list_found_as_it_is_stands_in_one_line(town):
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        changes.saw(session, batch, "merchants", [7, 3, 4, 5, 5, 9])
        changes.saw(session, batch, "merchants", [])
        changes.saw(session, batch, "merchants", [10])
        changes.saw(session, batch, "outlets", [1])
        assert [told[3] for told in _told(session, batch)][:2] == ["[[3, 5], [7, 7], [9, 9]]", "[[10, 10]]"]
        assert changes.seen(session, batch, "merchants").tolist() == [3, 4, 5, 7, 9, 10]
        assert changes.seen(session, batch, "places").tolist() == []


def test_nothing_to_write_writes_nothing(town):
    empty = pd.DataFrame({"name": []})
    with store.transaction(town.engine) as session:
        batch = _batch(session, town)
        assert changes.record(session, batch, "merchants", empty, empty) == 0


@pytest.mark.filterwarnings("error")
@given(st.text(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_words_and_numbers_survive(name, other, lon):
    before = pd.DataFrame({"name": [name], "lon": [1.0], "note": [None]}, index=[1], dtype=object)
    after = pd.DataFrame({"name": [other], "lon": [lon], "note": [other]}, index=[1], dtype=object)
    lines = changes._changed("merchants", before, after, blank_leaves=False)
    told = changes.restored("merchants", lines["after"].iloc[0])
    assert (told.get("name", name), told.get("lon", 1.0), told["note"]) == (other, lon, other)
