"""Lists that meet what is there already: what changes, what stays, what is put aside to be looked at."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from sqlalchemy import select, update

from data import ingest, store, tables
from data.ingest import ImportPlan, ImportReport
from data.lists import doubles
from data.lists.doubles import Pairs, Signs
from data.rights import command_line
from geo.errors import Cancelled, DataError

LON, LAT = 114.30, 30.50
CLI = command_line("tests")
HEADER = "商户编号,商户名称,类别,地址,电话,经度,纬度,备考"


@pytest.fixture
def branch(engine: sqlalchemy.Engine) -> int:
    return opened(engine)


@pytest.fixture
def sqlite_branch(sqlite_engine: sqlalchemy.Engine) -> int:
    return opened(sqlite_engine)


def opened(engine: sqlalchemy.Engine) -> int:
    with store.transaction(engine) as session:
        return store.add_branch(session, CLI, code="A", name="人民路支行", lon=LON, lat=LAT)


def listed(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def bring(engine: sqlalchemy.Engine, branch_id: int, content: bytes, **more: Any) -> ImportReport:
    given: dict[str, Any] = {"kind": "merchants", "datum": "wgs84", "name": "list.csv"} | more
    with store.transaction(engine) as session:
        done = ingest.run_import(session, CLI, content, branch_id=branch_id, **given)
    assert done.rows == done.accepted + done.updated + done.duplicates + done.rejected
    return done


def planned(engine: sqlalchemy.Engine, branch_id: int, content: bytes, **more: Any) -> ImportPlan:
    given: dict[str, Any] = {"kind": "merchants", "datum": "wgs84", "name": "list.csv"} | more
    with store.reading(engine) as session:
        return ingest.plan_import(session, CLI, content, branch_id=branch_id, **given)


def rows(engine: sqlalchemy.Engine, table: sqlalchemy.Table) -> list[dict[str, Any]]:
    with store.reading(engine) as session:
        found = session.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]


def lines(engine: sqlalchemy.Engine) -> list[tuple[str, int, Any, Any]]:
    """Return the journal without its lines about many rows."""
    return [
        (
            row["layer"],
            row["row_id"],
            row["before"] and json.loads(row["before"]),
            row["after"] and json.loads(row["after"]),
        )
        for row in rows(engine, tables.changes)
        if row["row_id"]
    ]


# What an update changes -------------------------------------------------------------------------------------


def test_an_update_is_journalled_and_counted_and_the_row_stays_its_makers(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    first = bring(engine, branch, listed("S1,甲饭店,餐饮,人民路1号,87654321,114.31,30.51,"))
    done = bring(engine, branch, listed("S1,甲酒楼,,,87654322,114.312,30.51,", "S2,乙,,,,114.3,30.5,"))
    assert (done.accepted, done.updated, done.duplicates) == (1, 1, 0)
    one, two = rows(engine, tables.merchants)
    assert (one["name"], one["address"], one["lon"]) == ("甲酒楼", "人民路1号", 114.312)
    assert (one["batch_id"], one["revision"]) == (first.batch, 1)
    assert (two["batch_id"], two["revision"]) == (done.batch, 0)
    ((layer, row_id, before, after),) = lines(engine)
    assert (layer, row_id) == ("merchants", one["id"])
    assert (before["name"], before["initials"], before["lon"]) == ("甲饭店", "jfd", 114.31)
    assert set(before) == set(after)
    assert set(after) == {"name", "initials", "phone", "lon"}
    assert (after["name"], after["lon"]) == ("甲酒楼", 114.312)


def test_what_a_list_says_again_changes_nothing(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed("S1,甲饭店,餐饮,人民路1号,87654321,114.31,30.51,好", "S2,乙,,,,114.3,30.5,")
    bring(engine, branch, content)
    done = bring(engine, branch, content)
    assert (done.accepted, done.updated, done.duplicates) == (0, 0, 2)
    assert lines(engine) == []
    assert [row["revision"] for row in rows(engine, tables.merchants)] == [0, 0]


def test_a_list_without_identifiers_updates_what_is_the_same_in_name_and_place(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    header = "商户名称,类别,电话,经度,纬度"
    bring(engine, branch, listed("甲饭店,餐饮,,114.31,30.51", header=header))
    done = bring(engine, branch, listed("甲饭店,餐饮,02787654321,114.31,30.51", header=header))
    assert (done.updated, done.accepted) == (1, 0)
    assert rows(engine, tables.merchants)[0]["phone"]


@pytest.mark.parametrize("kind", ["merchants", "outlets", "places"])
def test_rows_without_a_name_are_known_again_by_their_place(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, kind: str
) -> None:
    content = listed("114.301,30.501", "114.302,30.502", header="经度,纬度")
    assert bring(sqlite_engine, sqlite_branch, content, kind=kind).accepted == 2
    moved = listed("114.309,30.509", "114.301,30.501", "114.302,30.502", header="经度,纬度")
    done = bring(sqlite_engine, sqlite_branch, moved, kind=kind)
    assert (done.accepted, done.duplicates) == (1, 2)


@pytest.mark.parametrize(
    ("policy", "name", "phone", "counts"),
    [
        ("update", "甲酒楼", "87654322", (1, 0)),
        ("keep", "甲饭店", "87654322", (1, 0)),
        ("skip", "甲饭店", None, (0, 1)),
    ],
)
def test_the_policy_says_what_becomes_of_a_row_that_is_there(
    engine: sqlalchemy.Engine,
    branch: int,
    policy: str,
    name: str,
    phone: str | None,
    counts: tuple[int, int],
) -> None:
    bring(engine, branch, listed("S1,甲饭店,餐饮,,,114.31,30.51,"))
    done = bring(engine, branch, listed("S1,甲酒楼,,,87654322,114.31,30.51,"), policy=policy)
    assert (done.updated, done.duplicates) == counts
    (found,) = rows(engine, tables.merchants)
    assert (found["name"], found["phone"]) == (name, phone)
    assert rows(engine, tables.batches)[1]["policy"] == policy


def test_keeping_what_has_no_blanks_changes_nothing(engine: sqlalchemy.Engine, branch: int) -> None:
    bring(engine, branch, listed("S1,甲饭店,餐饮,路1号,87654321,114.31,30.51,好"))
    done = bring(engine, branch, listed("S1,乙,,路2号,87654322,114.32,30.52,坏"), policy="keep")
    assert (done.updated, done.duplicates) == (0, 1)
    assert lines(engine) == []


def test_products_held_are_journalled_as_well(engine: sqlalchemy.Engine, branch: int) -> None:
    header = "客户编号,姓名,持有产品,经度,纬度"
    bring(engine, branch, listed("C1,张三,手机银行,114.31,30.51", header=header), kind="customers")
    done = bring(engine, branch, listed("C1,张三,信用卡,114.31,30.51", header=header), kind="customers")
    assert done.updated == 1
    ((layer, _, before, after),) = lines(engine)
    assert (layer, before, after) == ("customers", {"holdings": [4]}, {"holdings": [5]})
    assert [row["product_id"] for row in rows(engine, tables.holdings)] == [5]
    same = bring(engine, branch, listed("C1,张三,,114.31,30.51", header=header), kind="customers")
    assert same.duplicates == 1


# What goes beside -------------------------------------------------------------------------------------------


def test_other_columns_are_kept_as_attributes_and_coordinates_are_not(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    header = '商户名称,lon,lat,gcj_lon,gcj_lat,"员工""数",备考,序号'
    bring(engine, branch, listed('甲,114.31,30.51,114.32,30.52,12,"他说""好\\",1', header=header))
    bring(engine, branch, listed("乙,114.32,30.51,114.33,30.52,,,2", header=header))
    first, second = rows(engine, tables.merchants)
    assert json.loads(first["attributes"]) == {'员工"数': "12", "备考": '他说"好\\'}
    assert second["attributes"] is None


def test_attributes_of_two_lists_are_joined(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int) -> None:
    first = listed("S1,甲,1,114.31,30.51", header="商户编号,商户名称,员工数,经度,纬度")
    second = listed("S1,甲,2,好,114.31,30.51", header="商户编号,商户名称,员工数,评价,经度,纬度")
    bring(sqlite_engine, sqlite_branch, first)
    assert bring(sqlite_engine, sqlite_branch, second).updated == 1
    (found,) = rows(sqlite_engine, tables.merchants)
    assert json.loads(found["attributes"]) == {"员工数": "2", "评价": "好"}


def test_a_customers_other_columns_are_sealed(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed("张三,某某,114.31,30.51", header="姓名,配偶,经度,纬度")
    bring(engine, branch, content, kind="customers")
    assert json.loads(rows(engine, tables.customers)[0]["attributes"]) == {"配偶": "某某"}
    with store.reading(engine) as session:
        raw = session.execute(sqlalchemy.text("SELECT attributes FROM customers")).scalar_one()
    assert "某某".encode() not in bytes(raw)


def test_rows_without_coordinates_wait_once_with_what_they_say(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    content = listed(
        "S1,甲,餐饮,,,114.31,30.51,",
        "S2,乙饭店,餐饮,人民路2号,,,,好",
        "S3,某某银行城东支行,银行,,,,,",
        "S4,丙,餐饮,,,114.32,30.51,",
    )
    done = bring(engine, branch, content)
    assert (done.accepted, done.rejected, done.unplaced, done.reasons) == (2, 2, 2, {"no_coordinates": 2})
    again = bring(engine, branch, content)
    assert (again.rejected, again.unplaced) == (2, 2)
    shop, bank = rows(engine, tables.unplaced)
    assert (shop["batch_id"], shop["kind"], shop["row"]) == (done.batch, "merchants", 3)
    told = json.loads(shop["record"])
    assert (told["source_id"], told["name"], told["category_id"]) == ("S2", "乙饭店", 1)
    assert json.loads(told["attributes"]) == {"备考": "好"}
    assert not {"lon", "lat", "kind"} & set(told)
    assert json.loads(bank["record"])["layer"] == "outlets"


def test_what_has_a_place_already_does_not_wait_for_one(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    bring(sqlite_engine, sqlite_branch, listed("S1,甲,餐饮,,,114.31,30.51,", "S2,乙,,,,114.3,30.5,"))
    done = bring(sqlite_engine, sqlite_branch, listed("S1,甲,餐饮,,,,,", "S2,乙,,,,114.3,30.5,"))
    assert (done.rejected, done.unplaced) == (1, 0)
    assert rows(sqlite_engine, tables.unplaced) == []


def test_words_nobody_knows_are_counted_and_mapped_once(engine: sqlalchemy.Engine, branch: int) -> None:
    header = "商户名称,类别,经度,纬度"
    content = listed("甲,嘎嘎,114.31,30.51", "乙,嘎嘎,114.32,30.51", "丙,超市,114.33,30.51", header=header)
    assert planned(engine, branch, content).unknown_words == {"嘎嘎": 2}
    done = bring(engine, branch, content, words={"嘎嘎": "food"}, remember=True, dry_run=True)
    assert done.unknown_words == {}
    done = bring(engine, branch, content, words={"嘎嘎": "food"}, remember=True)
    assert done.categories == {"food": 2, **{code: 1 for code in done.categories if code != "food"}}
    more = bring(engine, branch, listed("丁,嘎嘎,114.34,30.51", header=header))
    assert (more.unknown_words, more.categories) == ({}, {"food": 1})


def test_rows_beyond_the_present_catchment_are_counted(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    header = "商户名称,经度,纬度"
    first = bring(sqlite_engine, sqlite_branch, listed("甲,114.31,30.5", header=header))
    assert first.outside == 0
    done = bring(sqlite_engine, sqlite_branch, listed("乙,114.305,30.5", "丙,114.4,30.5", header=header))
    assert done.outside == 1


# Who changed sides ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", ["S1", ""])
def test_a_merchant_that_is_a_bank_now_does_not_stay_a_merchant(
    engine: sqlalchemy.Engine, branch: int, identifier: str
) -> None:
    bring(engine, branch, listed(f"{identifier},惠民服务点,餐饮,,,114.31,30.51,"))
    (was,) = rows(engine, tables.merchants)
    done = bring(engine, branch, listed(f"{identifier},惠民服务点,银行,,,114.31,30.51,"))
    assert (done.accepted, done.outlets, done.replaced) == (1, 1, 1)
    assert rows(engine, tables.merchants) == []
    assert [row["name"] for row in rows(engine, tables.outlets)] == ["惠民服务点"]
    ((layer, row_id, before, after),) = lines(engine)
    assert (layer, row_id, after) == ("merchants", was["id"], None)
    assert before["name"] == "惠民服务点"
    back = bring(engine, branch, listed(f"{identifier},惠民服务点,餐饮,,,114.31,30.51,"))
    assert (back.accepted, back.replaced) == (1, 1)
    assert rows(engine, tables.outlets) == []


# A list that stands for all there are -----------------------------------------------------------------------


def test_a_snapshot_proposes_what_is_gone_and_closes_it_when_told(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    bring(engine, branch, listed("S1,甲,,,,114.31,30.51,", "S2,乙,,,,114.32,30.51,"), source="月报")
    bring(engine, branch, listed("T1,丙,,,,114.33,30.51,"), source="别家")
    newer = listed("S1,甲,,,,114.31,30.51,", "S3,丁,,,,114.35,30.52,")
    plan = planned(engine, branch, newer, mode="snapshot", source="月报")
    assert (plan.gone, plan.gone_rows["name"].tolist()) == (1, ["乙"])
    assert sorted(plan.changes_preview["what"]) == ["gone", "new"]
    only = bring(engine, branch, newer, mode="snapshot", source="月报")
    assert (only.gone, only.closed) == (1, 0)
    done = bring(engine, branch, newer, mode="snapshot", source="月报", close_missing=True)
    assert (done.gone, done.closed) == (1, 1)
    found = {row["name"]: (row["status"], row["revision"]) for row in rows(engine, tables.merchants)}
    assert found == {"甲": ("known", 0), "乙": ("closed", 1), "丙": ("known", 0), "丁": ("known", 0)}
    assert lines(engine)[-1][2:] == ({"status": "known"}, {"status": "closed"})
    assert [row["mode"] for row in rows(engine, tables.batches)] == ["add", "add", "snapshot", "snapshot"]


def test_what_a_snapshot_cannot_place_is_not_gone(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    bring(
        sqlite_engine,
        sqlite_branch,
        listed("S1,甲,,,,114.31,30.51,", "S2,乙,,,,114.32,30.51,"),
        source="月报",
    )
    newer = listed("S1,甲,,,,114.31,30.51,", "S2,乙,,,,,,")
    assert bring(sqlite_engine, sqlite_branch, newer, mode="snapshot", source="月报").gone == 0


@pytest.mark.parametrize(
    "terms",
    [
        {"policy": "guess"},
        {"mode": "all"},
        {"mode": "snapshot"},
        {"mode": "snapshot", "source": "月报", "kind": "places"},
        {"close_missing": True},
        {"decisions": {2: "maybe"}},
        {"source": "长" * 200},
    ],
)
def test_terms_that_make_no_sense_are_refused(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, terms: dict[str, Any]
) -> None:
    with pytest.raises(DataError):
        bring(sqlite_engine, sqlite_branch, listed("S1,甲,,,,114.31,30.51,"), **terms)


# Doubles ----------------------------------------------------------------------------------------------------


@pytest.fixture
def told_pairs(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[int, int, int]]]:
    """Let a test say which rows are alike: `between` new and stored ones, `within` the list."""
    told: dict[str, list[tuple[int, int, int]]] = {"between": [], "within": []}

    def pairs(which: str) -> Pairs:
        a, b, level = (
            (np.array(values, dtype=np.int64) for values in zip(*told[which], strict=True))
            if (told[which])
            else (np.empty(0, np.int64),) * 3
        )
        return Pairs(a, b, level.astype(np.int8), level.astype(np.float64))

    def between(new: Signs, stored: Signs, **callbacks: Any) -> Pairs:
        return pairs("between")

    def within(signs: Signs, **callbacks: Any) -> Pairs:
        return pairs("within")

    monkeypatch.setattr(doubles, "between", between)
    monkeypatch.setattr(doubles, "within", within)
    return told


STORED = ("S1,甲饭店,餐饮,,,114.31,30.51,", "S2,乙超市,超市,,,114.32,30.51,")
TOLD = dict[str, list[tuple[int, int, int]]]


@pytest.mark.parametrize(
    ("policy", "counts", "name", "phone"),
    [
        ("update", (1, 1, 0), "甲家饭店", "87654321"),
        ("keep", (1, 1, 0), "甲饭店", "87654321"),
        ("skip", (1, 0, 1), "甲饭店", None),
    ],
)
def test_a_certain_double_of_a_stored_row_is_that_row(
    engine: sqlalchemy.Engine,
    branch: int,
    told_pairs: TOLD,
    policy: str,
    counts: tuple[int, int, int],
    name: str,
    phone: str | None,
) -> None:
    bring(engine, branch, listed(*STORED))
    with store.transaction(engine) as session:
        session.execute(update(tables.merchants).values(status="closed"))
    told_pairs["between"] = [(0, 0, doubles.CERTAIN)]
    content = listed("T9,甲家饭店,,,87654321,114.3101,30.51,", "T8,丙,,,,114.4,30.5,")
    done = bring(engine, branch, content, policy=policy)
    assert (done.accepted, done.updated, done.duplicates) == counts
    assert done.doubles == {"certain": 1, "probable": 0, "possible": 0}
    first = rows(engine, tables.merchants)[0]
    assert (first["source_id"], first["name"], first["phone"]) == ("S1", name, phone)
    assert first["status"] == "closed"


def test_one_licence_makes_one_merchant_of_two_lists(engine: sqlalchemy.Engine, branch: int) -> None:
    header = "商户名称,统一社会信用代码,经度,纬度"
    code = "92420102MA4KABCD1X"
    bring(engine, branch, listed(f"小满面馆,{code},{LON},{LAT}", f"青禾书店,无,{LON},{LAT}", header=header))
    again = listed(f"小满热干面馆,{code},{LON + 0.0005},{LAT}", f"云锦鞋店,无,{LON},{LAT}", header=header)
    done = bring(engine, branch, again, policy="skip")
    assert (done.accepted, done.duplicates, done.doubles["certain"]) == (1, 1, 1)


def test_probable_and_possible_doubles_are_stored_with_a_mark(
    engine: sqlalchemy.Engine, branch: int, told_pairs: TOLD
) -> None:
    bring(engine, branch, listed(*STORED))
    told_pairs["between"] = [(0, 0, doubles.PROBABLE), (0, 1, doubles.POSSIBLE), (1, 1, doubles.POSSIBLE)]
    told_pairs["within"] = [(2, 1, doubles.PROBABLE)]
    content = listed(*(f"T{at},店{at},,,,114.3{at},30.5," for at in range(3)))
    done = bring(engine, branch, content)
    assert (done.accepted, done.doubles) == (3, {"certain": 0, "probable": 2, "possible": 1})
    found = rows(engine, tables.merchants)
    ids = [row["id"] for row in found]
    marks = [(row["double_of"], row["double_level"]) for row in found]
    assert marks == [
        (None, None),
        (None, None),
        (ids[0], "probable"),
        (ids[1], "possible"),
        (ids[3], "probable"),
    ]


def test_decisions_settle_what_is_probable(engine: sqlalchemy.Engine, branch: int, told_pairs: TOLD) -> None:
    bring(engine, branch, listed(*STORED))
    told_pairs["between"] = [(0, 0, doubles.PROBABLE), (1, 1, doubles.PROBABLE)]
    content = listed("T1,甲家饭店,,,,114.31,30.51,", "T2,乙家超市,,,,114.32,30.51,")
    plan = planned(engine, branch, content)
    assert plan.pairs["row"].tolist() == [2, 3]
    assert plan.pairs["name"].tolist() == ["甲家饭店", "乙家超市"]
    assert plan.pairs["other_name"].tolist() == ["甲饭店", "乙超市"]
    assert plan.pairs["level"].tolist() == ["probable", "probable"]
    done = bring(engine, branch, content, decisions={2: "same", 3: "new"})
    assert (done.accepted, done.updated) == (1, 1)
    found = rows(engine, tables.merchants)
    assert [row["name"] for row in found] == ["甲家饭店", "乙超市", "乙家超市"]
    assert [row["double_of"] for row in found] == [None, None, None]


def test_of_doubles_in_one_list_the_first_stands(
    engine: sqlalchemy.Engine, branch: int, told_pairs: TOLD
) -> None:
    bring(engine, branch, listed(*STORED))
    told_pairs["between"] = [(0, 0, doubles.CERTAIN), (3, 0, doubles.CERTAIN)]
    told_pairs["within"] = [(2, 1, doubles.CERTAIN), (4, 2, doubles.PROBABLE)]
    content = listed(*(f"T{at},店{at},,,,114.3{at},30.5," for at in range(5)))
    done = bring(engine, branch, content)
    # 0 is S1, 3 as well but later; 2 is 1 again; 4 is perhaps what 2 is: 1.
    assert (done.accepted, done.updated, done.duplicates) == (2, 1, 2)
    found = {row["source_id"]: row for row in rows(engine, tables.merchants)}
    assert set(found) == {"S1", "S2", "T1", "T4"}
    assert found["T4"]["double_of"] == found["T1"]["id"]


def test_pairs_within_the_list_are_shown_with_the_earlier_row(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, told_pairs: TOLD
) -> None:
    told_pairs["within"] = [(1, 0, doubles.PROBABLE)]
    plan = planned(sqlite_engine, sqlite_branch, listed("T0,甲,,,,114.31,30.5,", "T1,甲店,,,,114.32,30.5,"))
    shown = plan.pairs.iloc[0]
    assert (shown["row"], shown["other_row"], shown["other_name"]) == (3, 2, "甲")
    assert pd.isna(shown["other_id"])


def test_doubles_can_be_left_out(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, told_pairs: TOLD
) -> None:
    told_pairs["within"] = [(1, 0, doubles.CERTAIN)]
    content = listed("T0,甲,,,,114.31,30.5,", "T1,甲店,,,,114.31,30.5,")
    done = bring(sqlite_engine, sqlite_branch, content, doubles=False)
    assert (done.accepted, done.doubles) == (2, {"certain": 0, "probable": 0, "possible": 0})


# Long work --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ingest.STAGES)
def test_every_stage_tells_how_far_it_is_and_can_be_stopped(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, stage: str
) -> None:
    seen: list[str] = []
    content = listed("T0,甲,,,,114.31,30.5,", "T1,乙,,,,114.32,30.5,")

    def told(name: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        seen.append(name)

    with pytest.raises(Cancelled):
        bring(
            sqlite_engine,
            sqlite_branch,
            content,
            progress=told,
            cancelled=lambda: bool(seen) and seen[-1] == stage,
        )
    assert rows(sqlite_engine, tables.batches) == []
    seen.clear()
    done = bring(sqlite_engine, sqlite_branch, content, progress=told)
    assert set(done.seconds) == set(ingest.STAGES)
    assert tuple(dict.fromkeys(seen)) == ingest.STAGES
