"""The working set: it is what is stored, loaded once, let go of, and never half of a change."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert, select, text

from data import bulk, catalogue, snapshots, store, tables
from data.kept import Kept
from data.rights import command_line
from geo.catchment import GEOD
from geo.errors import NotFound

CLI = command_line("tests")


def by_number(town, layer, column):
    """Return a column of a layer by the row's number in the list, or its name."""
    rows = getattr(town.snapshot(), layer)
    values = getattr(rows, column)
    return {number: values[rows.row_of(town.ids[number])] for number in NUMBERS[layer]}


NUMBERS = {
    "merchants": ("M1", "M2", "M3", "M4", "M5"),
    "customers": ("C1", "C2", "C3", "C4", "C5"),
    "outlets": ("甲银行人民路支行", "我行人民路支行", "乙银行自助"),
    "places": ("幸福小区", "李家村"),
}


def test_merchants_are_those_stored(town):
    assert by_number(town, "merchants", "category") == {"M1": 101, "M2": 102, "M3": 201, "M4": 101, "M5": 103}
    status = {number: catalogue.STATUSES[at] for number, at in by_number(town, "merchants", "status").items()}
    assert status == {"M1": "known", "M2": "signed", "M3": "contacted", "M4": "closed", "M5": "signed"}


def test_customers_are_those_stored(town):
    assert by_number(town, "customers", "holdings") == {
        "C1": 0b11,
        "C2": 0b10000110011,
        "C3": 0,
        "C4": 0,
        "C5": 8,
    }
    assert by_number(town, "customers", "size")["C4"] == 50
    tiers = by_number(town, "customers", "tier")
    assert (tiers["C1"], tiers["C2"], tiers["C3"]) == (0, 2, -1)
    deposits = by_number(town, "customers", "deposits")
    assert (deposits["C1"], deposits["C5"]) == (10_000.0, 50_000.0)
    assert np.isnan(deposits["C2"])
    managers = by_number(town, "customers", "manager")
    assert (managers["C5"], managers["C1"]) == (town.member_id, -1)
    customers = town.snapshot().customers
    tags = {number: customers.tag_sets[code] for number, code in by_number(town, "customers", "tags").items()}
    assert tags == {"C1": ("跳舞",), "C2": ("年货", "跳舞"), "C3": (), "C4": (), "C5": ("年货",)}
    channels = by_number(town, "customers", "channels")
    assert customers.channel_sets[channels["C5"]] == ("电话", "微信")


def test_outlets_and_places_are_those_stored(town):
    assert list(by_number(town, "outlets", "own").values()) == [False, True, False]
    assert list(by_number(town, "outlets", "kind").values()) == [0, 0, 1]
    assert by_number(town, "places", "households") == {"幸福小区": 100.0, "李家村": 300.0}
    assert np.isnan(town.snapshot().places.adults).all()


def test_distances_are_geodesic_and_rows_lie_along_the_curve(town):
    merchants = town.snapshot().merchants
    _, _, metres = GEOD.inv(np.full(5, 114.30), np.full(5, 30.50), merchants.lon, merchants.lat)
    assert merchants.distance_m == pytest.approx(metres, abs=1e-3)
    assert (np.diff(merchants.curve.codes.astype(np.float64)) >= 0).all()
    assert merchants.curve.order.tolist() == [0, 1, 2, 3, 4]


def test_no_name_phone_or_address_is_in_memory():
    names = {item.name for kind in (snapshots.Merchants, snapshots.Customers) for item in fields(kind)}
    assert not names & {"name", "phone", "address", "source_id", "initials"}


def test_a_map_in_another_datum_has_its_own_curve(town):
    merchants = town.snapshot().merchants
    shifted = merchants.on("gcj02")
    assert shifted is merchants.on("gcj02")
    assert merchants.on("wgs84") is merchants.curve
    assert sorted(shifted.order.tolist()) == [0, 1, 2, 3, 4]
    assert (
        shifted.x[np.argsort(shifted.order)] > merchants.curve.x
    ).all()  # Gaode's are some 500 m east here


def test_an_empty_branch_has_an_empty_snapshot(town):
    empty = snapshots.snapshot(town.engine, town.other_id)
    assert [len(getattr(empty, layer)) for layer in catalogue.LAYERS] == [0, 0, 0, 0]
    assert empty.merchants.row_of(1) is None


def test_another_branch_adds_nothing_though_its_rows_lie_between(town):
    before = town.snapshot().customers
    with store.transaction(town.engine) as session:
        rows = pd.DataFrame({"existing": [True, True], "group_id": 1, "lon": 114.3, "lat": 30.5})
        own = bulk.insert_numbered(session, tables.customers, rows.head(1).assign(branch_id=town.other_id))
        last = bulk.insert_numbered(session, tables.customers, rows.head(1).assign(branch_id=town.branch_id))
        held = pd.DataFrame({"customer_id": [own[0], last[0]], "product_id": [7, 9]})
        bulk.insert(session, tables.holdings, held)
        store.new_version(session, CLI, town.branch_id, "import")
    after = town.snapshot().customers
    assert len(after) == len(before) + 1
    assert after.holdings[after.row_of(int(last[0]))] == 1 << 9


def test_a_version_that_is_no_more_is_refused_and_one_in_memory_is_kept(town):
    first = town.snapshot()
    with store.transaction(town.engine) as session:
        store.new_version(session, CLI, town.branch_id, "import")
    assert snapshots.snapshot(town.engine, town.branch_id, 1) is first
    snapshots.clear()
    with pytest.raises(NotFound, match="changed"):
        snapshots.snapshot(town.engine, town.branch_id, 1)
    with pytest.raises(NotFound):
        snapshots.snapshot(town.engine, 999)


def test_a_change_that_is_rolled_back_is_never_seen(town):
    with pytest.raises(ZeroDivisionError), store.transaction(town.engine) as session:
        store.set_aside(session, CLI, town.branch_id, "merchants", town.ids["M1"], "x")
        raise ZeroDivisionError
    with store.transaction(town.engine) as session:
        nested = session.begin_nested()
        store.set_aside(session, CLI, town.branch_id, "merchants", town.ids["M1"], "x")
        nested.rollback()
    assert not town.snapshot().merchants.aside.any()
    with store.transaction(town.engine) as session:
        store.new_version(session, CLI, town.branch_id, "import")
    assert not town.snapshot().merchants.aside.any()
    assert town.snapshot().version == 2


def test_setting_aside_reuses_what_is_in_memory_and_is_what_a_load_would_give(town, monkeypatch):
    town.snapshot()
    changes = [
        lambda session: store.set_aside(session, CLI, town.branch_id, "customers", town.ids["C4"], "x"),
        lambda session: store.set_aside(session, CLI, town.branch_id, "merchants", town.ids["M1"], "x"),
        lambda session: store.take_back(session, CLI, town.branch_id, "merchants", town.ids["M1"]),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "load", None)
        for change in changes:
            with store.transaction(town.engine) as session:
                change(session)
    reused = town.snapshot()
    snapshots.clear()
    loaded = town.snapshot()
    assert reused.version == loaded.version == 4
    for layer in ("merchants", "customers"):
        assert getattr(reused, layer).aside.tolist() == getattr(loaded, layer).aside.tolist()
    assert by_number(town, "customers", "aside") == {
        "C1": False,
        "C2": False,
        "C3": False,
        "C4": True,
        "C5": False,
    }


def same(mended, loaded):
    """Whether two snapshots hold the same, row by row."""
    assert (mended.version, mended.branch_id) == (loaded.version, loaded.branch_id)
    for layer in catalogue.LAYERS:
        one, other = getattr(mended, layer), getattr(loaded, layer)
        for field in fields(one):
            mine, theirs = getattr(one, field.name), getattr(other, field.name)
            if field.name == "distance_m":
                assert mine == pytest.approx(theirs, abs=1e-4)  # worked out by itself, it ends a step sooner
            elif isinstance(mine, np.ndarray):
                np.testing.assert_array_equal(mine, theirs)
                assert mine.dtype == theirs.dtype
        for name in ("order", "codes", "x", "y"):
            np.testing.assert_array_equal(getattr(one.curve, name), getattr(other.curve, name))
        gcj02 = [snapshot_layer.on("gcj02").codes for snapshot_layer in (one, other)]
        np.testing.assert_array_equal(*gcj02)


def waiting(session, town, record, kind="merchants"):
    """Store a row without a place and return its id."""
    batches, unplaced = tables.batches, tables.unplaced
    values = {"branch_id": town.branch_id, "kind": kind}
    batch = {**values, "file_name": "a.csv", "file_hash": "", "mapping": {}, "datum": "wgs84", "counts": {}}
    made = session.scalar(insert(batches).values(**batch, by="tests").returning(batches.c.id))
    values |= {"batch_id": made, "row": 2, "record": json.dumps(record)}
    return session.scalar(insert(unplaced).values(**values).returning(unplaced.c.id))


def test_what_is_done_by_hand_mends_what_is_in_memory_and_is_what_a_load_would_give(town, monkeypatch):
    mine, one, other = town.ids["M2"], town.ids["M1"], town.ids["M3"]
    table = tables.merchants
    with store.transaction(town.engine) as session:
        rows = session.execute(select(table.c.lon, table.c.lat).where(table.c.id == one)).one()
        marks = {"double_of": one, "double_level": "probable"}
        session.execute(table.update().where(table.c.id == other).values(**marks))
        shop = waiting(session, town, {"name": "老李修车", "category_id": 201, "status": "known"})
        bank = waiting(session, town, {"name": "乙银行", "kind": "bank", "is_own": False, "layer": "outlets"})
    town.snapshot()
    spot = (rows.lon, rows.lat)  # where another stands already

    def edit(**told):
        def change(session):
            revision = session.scalar(select(table.c.revision).where(table.c.id == mine))
            store.edit_merchant(session, CLI, mine, revision, **told)

        return change

    def undo(session):
        last = select(tables.batches.c.id).where(tables.batches.c.mode == "hand").order_by(text("id DESC"))
        store.rollback(session, CLI, session.scalar(last.limit(1)), keep="later")

    def settle(session):
        revision = session.scalar(select(table.c.revision).where(table.c.id == other))
        store.settle_double(session, CLI, other, True, revision)

    values = {"name": "新店", "category_id": 102, "lon": spot[0], "lat": spot[1]}
    changes = [
        edit(status="contacted", category_id=103),
        edit(point=spot),
        undo,
        edit(point=(spot[0] + 0.3, spot[1])),
        lambda session: store.set_aside(session, CLI, town.branch_id, "merchants", mine, "x"),
        edit(status="signed"),
        lambda session: store.add_merchant(session, CLI, town.branch_id, **values),
        undo,
        settle,
        undo,
        lambda session: store.place_unplaced(session, CLI, shop, *spot),
        lambda session: store.place_unplaced(session, CLI, bank, *spot),
        undo,
    ]
    for change in changes:
        with monkeypatch.context() as patch:
            patch.setattr(snapshots, "load", None)
            with store.transaction(town.engine) as session:
                change(session)
        with store.reading(town.engine) as session:
            same(town.snapshot(), snapshots.load(session, town.branch_id))
    assert town.snapshot().version == 1 + len(changes)


def test_the_last_row_of_a_layer_goes_and_a_first_comes(town):
    with store.transaction(town.engine) as session:
        branch = store.add_branch(session, CLI, code="NEW", name="新支行", lon=114.3, lat=30.6)
        store.new_version(session, CLI, branch, "test")
    for step in ("comes", "goes"):
        with store.transaction(town.engine) as session:
            if step == "comes":
                where = {"lon": 114.31, "lat": 30.6}
                store.add_merchant(session, CLI, branch, name="头一家", category_id=101, **where)
            else:
                last = select(tables.batches.c.id).where(tables.batches.c.branch_id == branch)
                store.rollback(session, CLI, session.scalar(last), keep="later")
        held = snapshots.snapshot(town.engine, branch)
        assert len(held.merchants) == (1 if step == "comes" else 0)
        with store.reading(town.engine) as session:
            same(held, snapshots.load(session, branch))


def test_threads_that_ask_at_once_load_once(sqlite_town, monkeypatch):
    snapshots.clear()
    loads = []
    load = snapshots.load

    def slow(session, branch_id):
        loads.append(branch_id)
        time.sleep(0.2)
        return load(session, branch_id)

    monkeypatch.setattr(snapshots, "load", slow)
    got = []
    threads = [threading.Thread(target=lambda: got.append(sqlite_town.snapshot())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len(set(map(id, got))) == 1


class Block:
    """Something of a size."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes


def test_what_was_used_longest_ago_makes_room():
    kept: Kept[str, Block] = Kept(100)
    kept.put("a", Block(40))
    kept.put("b", Block(40))
    kept.find("a")
    kept.put("c", Block(40))
    assert (kept.find("a") is None, kept.find("b") is None, kept.find("c") is None) == (False, True, False)
    kept.put("d", Block(1000))
    assert kept.find("d") is not None
    assert len(kept) == 1


def test_a_failed_making_is_tried_again():
    kept: Kept[str, Block] = Kept(100)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0)
    assert kept.get("a", lambda: Block(1)).nbytes == 1
