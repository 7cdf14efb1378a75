"""The working set: it is what is stored, loaded once, let go of, and never half of a change."""

from __future__ import annotations

import threading
import time
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

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
