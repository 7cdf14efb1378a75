"""Lists on their way into the store: which rows go in, what becomes of the others, nothing half done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from sqlalchemy import select

from data import ingest, store, tables
from data.ingest import ImportReport
from data.rights import Asker, Right, Role, command_line
from geo.datum import convert
from geo.errors import Cancelled, DatumUnknown, FileError, ManyRejected, RightsError

LON, LAT = 114.30, 30.50
CLI = command_line("tests")
HEADER = "商户编号,商户名称,类别,地址,电话,经度,纬度,状态,客户经理"


@pytest.fixture
def branch(engine: sqlalchemy.Engine) -> int:
    return opened(engine)


@pytest.fixture
def sqlite_branch(sqlite_engine: sqlalchemy.Engine) -> int:
    return opened(sqlite_engine)


def opened(engine: sqlalchemy.Engine) -> int:
    with store.transaction(engine) as session:
        return store.add_branch(session, CLI, code="A", name="人民路支行", lon=LON, lat=LAT)


def listed(rows: Sequence[str], header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def bring(engine: sqlalchemy.Engine, branch_id: int, content: bytes | Path, **more: Any) -> ImportReport:
    given: dict[str, Any] = {"kind": "merchants", "datum": "wgs84", "name": "list.csv", "asker": CLI} | more
    asker = given.pop("asker")
    with store.transaction(engine) as session:
        return ingest.run_import(session, asker, content, branch_id=branch_id, **given)


def rows(engine: sqlalchemy.Engine, table: sqlalchemy.Table) -> list[dict[str, Any]]:
    with store.reading(engine) as session:
        found = session.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]


def checked(report: ImportReport) -> ImportReport:
    """Every row is counted once."""
    assert report.rows == report.accepted + report.updated + report.duplicates + report.rejected
    assert report.rejected == sum(report.reasons.values()) == len(report.rejects)
    return report


def random_rows(count: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "name": [f"第{at}号商店" for at in range(count)],
            "lon": LON + rng.normal(0, 0.02, count),
            "lat": LAT + rng.normal(0, 0.02, count),
        }
    )


def in_datum(frame: pd.DataFrame, datum: str) -> bytes:
    lon, lat = convert(frame["lon"], frame["lat"], "wgs84", datum)
    return frame.assign(lon=lon, lat=lat).to_csv(index=False).encode()


# What goes in -----------------------------------------------------------------------------------------------


def test_a_merchant_list_is_stored_with_all_it_says(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed(
        ["S1,７天酒店,住宿服务;宾馆酒店;经济型连锁酒店,人民路1号,02787654321,114.31,30.51,已签约,张三"]
    )
    report = checked(bring(engine, branch, content, name="商户.csv"))
    assert (report.rows, report.accepted, report.version) == (1, 1, 1)
    (merchant,) = rows(engine, tables.merchants)
    (manager,) = rows(engine, tables.people)
    assert merchant["source_id"] == "S1"
    assert merchant["name"] == "7天酒店"
    assert merchant["initials"] == "7tjd"
    assert (merchant["status"], merchant["phone"], merchant["address"]) == (
        "signed",
        "027-87654321",
        "人民路1号",
    )
    assert (merchant["lon"], merchant["lat"]) == (114.31, 30.51)
    assert merchant["manager_id"] == manager["id"]
    assert (manager["name"], manager["role"]) == ("张三", None)
    (batch,) = rows(engine, tables.batches)
    assert (batch["id"], batch["file_name"], batch["datum"], batch["by"]) == (
        report.batch,
        "商户.csv",
        "wgs84",
        "cli:tests",
    )
    assert len(batch["file_hash"]) == 64
    assert batch["counts"]["accepted"] == 1
    assert merchant["batch_id"] == batch["id"]
    (version,) = rows(engine, tables.data_versions)
    assert (version["number"], version["cause"], version["batch_id"]) == (1, "import", batch["id"])
    assert [row["action"] for row in rows(engine, tables.audit)] == ["add branch", "add person", "import"]


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_points_are_stored_in_wgs84(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, datum: str) -> None:
    content = in_datum(random_rows(3), datum)
    bring(sqlite_engine, sqlite_branch, content, datum=datum)
    stored = rows(sqlite_engine, tables.merchants)
    assert np.allclose([row["lon"] for row in stored], random_rows(3)["lon"], atol=1e-8)
    assert np.allclose([row["lat"] for row in stored], random_rows(3)["lat"], atol=1e-8)


def test_banks_and_insurers_become_outlets_and_ours_is_known(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed(
        [
            "S1,中国工商银行人民路支行,金融保险服务;银行;中国工商银行,,,114.31,30.51,,",
            "S2,招商银行ATM,金融保险服务;自动提款机;招商银行ATM,,,114.32,30.51,,",
            "S3,平安人寿,金融保险服务;保险公司;中国平安,,,114.33,30.51,,",
            "S4,甲饭店,餐饮,,,114.34,30.51,,",
        ]
    )
    report = checked(bring(engine, branch, content, bank="工商银行"))
    assert (report.accepted, report.outlets) == (4, 3)
    assert [row["name"] for row in rows(engine, tables.merchants)] == ["甲饭店"]
    outlets = {row["source_id"]: (row["kind"], row["is_own"]) for row in rows(engine, tables.outlets)}
    assert outlets == {"S1": ("bank", True), "S2": ("atm", False), "S3": ("insurer", False)}
    again = checked(bring(engine, branch, content, bank="工商银行"))
    assert (again.duplicates, again.updated, again.accepted) == (4, 0, 0)


def test_customers_come_with_group_tier_tags_and_products(engine: sqlalchemy.Engine, branch: int) -> None:
    header = (
        "客户编号,姓名,客户性质,客群,人数,存款余额(万元),家庭资产,重点客户,标签,渠道,持有产品,"
        "经度,纬度,手机,客户经理"
    )
    content = listed(
        [
            "C1,张三,存量,老年储户,,6,120万,是,跳舞、年货,微信,手机银行、定期存款,114.31,30.51,13900000001,李四",
            "C2,三中学生,目标,学生,500,,,,,,,114.32,30.51,,",
        ],
        header,
    )
    report = checked(bring(engine, branch, content, kind="customers"))
    assert report.accepted == 2
    person, group = rows(engine, tables.customers)
    assert (person["name"], person["phone"], person["existing"], person["is_key"]) == (
        "张三",
        "13900000001",
        True,
        True,
    )
    assert (person["group_id"], person["deposits"], person["assets"]) == (3, 60_000, 1_200_000)
    assert (person["tier"], person["tags"], person["channels"]) == ("platinum", "年货;跳舞", "微信")
    assert (group["existing"], group["group_id"], group["size"], group["deposits"]) == (False, 9, 500, None)
    held = rows(engine, tables.holdings)
    assert {(row["customer_id"], row["product_id"]) for row in held} == {(person["id"], 3), (person["id"], 4)}
    update = listed(["C1,信用卡,114.31,30.51"], "客户编号,持有产品,经度,纬度")
    assert checked(bring(engine, branch, update, kind="customers")).updated == 1
    after = rows(engine, tables.customers)[0]
    assert {name: after[name] for name in ("name", "existing", "group_id", "tier", "deposits", "is_key")} == {
        name: person[name] for name in ("name", "existing", "group_id", "tier", "deposits", "is_key")
    }
    assert [row["product_id"] for row in rows(engine, tables.holdings)] == [5]


def test_target_groups_at_one_point_are_told_apart(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    content = listed(
        ["老年储户,200,114.31,30.51", "学生,100,114.31,30.51", "学生,100,114.31,30.51"], "客群,人数,经度,纬度"
    )
    report = checked(bring(sqlite_engine, sqlite_branch, content, kind="customers"))
    assert (report.accepted, report.duplicates) == (2, 1)
    assert checked(bring(sqlite_engine, sqlite_branch, content, kind="customers")).duplicates == 3


def test_places_come_with_their_shapes_and_outlets_with_their_brand(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    square = [[[114.3, 30.5], [114.31, 30.5], [114.31, 30.51], [114.3, 30.51], [114.3, 30.5]]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": square},
        "properties": {"名称": "幸福小区", "户数": "1,200"},
    }
    content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    checked(bring(engine, branch, content, kind="places", name="a.geojson"))
    (place,) = rows(engine, tables.places)
    assert (place["name"], place["kind"], place["households"]) == ("幸福小区", "community", 1200)
    assert place["shape"] is not None and 114.3 < place["lon"] < 114.31
    outlets = listed(
        ["城东支行,网点,农商银行,114.31,30.51", "ATM,,工商银行,114.32,30.51"], "名称,类型,银行,经度,纬度"
    )
    checked(bring(engine, branch, outlets, kind="outlets", bank="农商银行"))
    found = [(row["name"], row["kind"], row["is_own"]) for row in rows(engine, tables.outlets)]
    assert found == [("城东支行", "bank", True), ("ATM", "atm", False)]


def test_a_projected_geojson_is_brought_to_degrees(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [528_800.0, 3_375_500.0]},
        "properties": {"name": "甲"},
    }
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}
    content = json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}).encode()
    report = checked(bring(sqlite_engine, sqlite_branch, content, datum="auto", name="a.geojson"))
    assert (report.datum, report.datum_how) == ("wgs84", "crs")
    (merchant,) = rows(sqlite_engine, tables.merchants)
    assert (round(merchant["lon"], 2), round(merchant["lat"], 2)) == (114.3, 30.5)


def test_a_mapping_by_hand_goes_before_the_proposal(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    content = listed(["甲,乙,114.31,30.51"], "商户名称,招牌,列一,列二")
    with pytest.raises(FileError, match="coordinates"):
        bring(sqlite_engine, sqlite_branch, content)
    given = {"name": "招牌", "lon": "列一", "lat": "列二"}
    report = bring(sqlite_engine, sqlite_branch, content, mapping=given)
    assert report.mapping == given
    assert rows(sqlite_engine, tables.merchants)[0]["name"] == "乙"
    with pytest.raises(FileError, match="没有"):
        bring(sqlite_engine, sqlite_branch, content, mapping={"name": "没有"})


# What does not ----------------------------------------------------------------------------------------------


def test_rows_that_cannot_be_placed_are_rejected_with_row_column_and_reason(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    good = [f"G{at},店{at},餐饮,,,114.31,30.5{at},," for at in range(9)]
    bad = [
        "B1,无坐标,,,,,,,",
        "B2,不是数,,,,一百,30.5,,",
        "B3,不可能,,,,214.3,30.5,,",
        "B4,在东京,,,,139.7,35.7,,",
        "B5,颠倒,,,,30.5,114.3,,",
        "B6,米,,,,528800,3375500,,",
        "B7,零,,,,0,0,,",
        "B8,少列,,114.3",
    ]
    report = checked(bring(engine, branch, listed([*good, *bad])))
    assert (report.accepted, report.rejected) == (9, 8)
    found = list(report.rejects[["row", "column", "reason"]].itertuples(index=False, name=None))
    assert sorted(found) == [
        (11, "经度", "no_coordinates"),
        (12, "经度", "not_a_number"),
        (13, "经度", "impossible"),
        (14, "经度", "foreign"),
        (15, "经度", "swapped"),
        (16, "经度", "metres"),
        (17, "经度", "no_coordinates"),
        (18, "", "ragged"),
    ]
    words = ingest.rejects_table(report.rejects, lambda text, **given: text.format(**given))
    assert words.loc[words["row"] == 12, "reason"].item() == "“一百” is not a coordinate."
    assert len(rows(engine, tables.merchants)) == 9


@pytest.mark.parametrize(
    ("place", "lon", "lat", "here"),
    [
        ("香港", 114.17, 22.3, True),
        ("澳门", 113.54, 22.19, True),
        ("台北", 121.56, 25.04, True),
        ("漠河", 122.5, 53.4, True),
        ("三沙永兴岛", 112.33, 16.83, True),
        ("喀什", 75.99, 39.47, True),
        ("嵊泗", 122.45, 30.73, True),
        ("东兴", 107.97, 21.54, True),
        ("首尔", 126.97, 37.56, False),
        ("河内", 105.85, 21.03, False),
        ("曼谷", 100.5, 13.75, False),
        ("符拉迪沃斯托克", 131.9, 43.1, False),
        ("乌兰巴托", 106.9, 47.9, False),
        ("新德里", 77.2, 28.6, False),
    ],
)
def test_abroad_is_told_from_here(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, place: str, lon: float, lat: float, here: bool
) -> None:
    report = bring(
        sqlite_engine, sqlite_branch, listed([f"甲,{LON},{LAT}", f"{place},{lon},{lat}"], "名称,经度,纬度")
    )
    assert report.reasons == ({} if here else {"foreign": 1})


def test_lists_wrong_in_all_their_coordinates_are_refused_whole(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    header = "名称,经度,纬度"
    bad = {
        "exchanged": [f"店{at},30.5,114.3{at}" for at in range(9)],
        "None of the": [f"店{at},139.7,35.{at}" for at in range(9)],
        "garbled": ["°Ù»¨Éî´¦,114.3,30.5", "ÁãµãÊÐ³¡,114.3,30.5"],
    }
    for words, lines in bad.items():
        with pytest.raises(FileError, match=words):
            bring(engine, branch, listed(lines, header))
    with pytest.raises(FileError, match="empty"):
        bring(engine, branch, listed([], header))
    assert rows(engine, tables.batches) == []
    assert rows(engine, tables.merchants) == []


def test_more_than_half_rejected_is_asked_first(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed(["甲,114.31,30.51", "乙,,", "丙,,"], "名称,经度,纬度")
    with pytest.raises(ManyRejected):
        bring(engine, branch, content)
    assert rows(engine, tables.batches) == []
    assert checked(bring(engine, branch, content, agreed=True)).accepted == 1
    half = listed(["甲,114.31,30.52", "乙,,"], "名称,经度,纬度")
    assert checked(bring(engine, branch, half)).rejected == 1


def test_nothing_of_a_stopped_or_broken_import_is_kept(engine: sqlalchemy.Engine, branch: int) -> None:
    content = in_datum(random_rows(200), "wgs84")
    seen: list[tuple[str, int, int]] = []

    def stop() -> bool:
        return any(stage == "storing" for stage, _, _ in seen)

    with pytest.raises(Cancelled):
        bring(
            engine,
            branch,
            content + b"x,114.3,30.5\n" * 70_000,
            progress=lambda *at: seen.append(at),
            cancelled=stop,
        )

    def fail(stage: str, done: int, total: int) -> None:
        if stage == "storing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(engine, branch, content, progress=fail)
    for table in (tables.batches, tables.merchants, tables.data_versions):
        assert rows(engine, table) == []


def test_a_dry_run_counts_and_keeps_nothing(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed(["S1,甲,餐饮,,,114.31,30.51,,新经理", "S1,乙,餐饮,,,114.32,30.51,,"])
    report = checked(bring(engine, branch, content, dry_run=True))
    assert (report.batch, report.version, report.accepted) == (None, None, 1)
    assert report.reasons == {"repeated_id": 1}
    for table in (tables.batches, tables.merchants, tables.people, tables.data_versions):
        assert rows(engine, table) == []


def test_texts_longer_than_the_store_keeps_are_cut_and_said(engine: sqlalchemy.Engine, branch: int) -> None:
    content = listed(
        [f"S1,{'长' * 500},餐饮,{'路' * 500},{'1' * 200},114.31,30.51,,", f"{'9' * 200},乙,,,,114.3,30.5,,"]
    )
    report = checked(bring(engine, branch, content))
    (merchant,) = rows(engine, tables.merchants)
    assert [len(merchant[name]) for name in ("name", "address", "phone")] == [300, 400, 80]
    assert report.reasons == {"long_id": 1}
    assert report.warnings["too_long"] == 2


# Doubles ----------------------------------------------------------------------------------------------------


def test_an_identifier_known_is_an_update_that_leaves_what_the_list_does_not_say(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    made = bring(engine, branch, listed(["S1,甲饭店,餐饮,人民路1号,123,114.31,30.51,已签约,张三"]))
    report = checked(bring(engine, branch, listed(["S1,甲酒楼,,,,114.312,30.51,,", "S2,乙,,,,114.3,30.5,,"])))
    assert (report.updated, report.accepted) == (1, 1)
    first = rows(engine, tables.merchants)[0]
    assert (first["name"], first["initials"], first["lon"]) == ("甲酒楼", "jjl", 114.312)
    assert (first["status"], first["address"], first["phone"], first["category_id"]) == (
        "signed",
        "人民路1号",
        "123",
        1,
    )
    assert first["manager_id"] is not None
    assert (first["batch_id"], first["revision"]) == (made.batch, 1)


def test_exact_repeats_without_identifier_are_duplicates_in_the_file_and_in_the_store(
    engine: sqlalchemy.Engine, branch: int
) -> None:
    lines = ["甲,餐饮,114.31,30.51", "甲,餐饮,114.31,30.51", "甲,超市,114.31,30.51", "甲,餐饮,114.32,30.51"]
    content = listed(lines, "名称,类别,经度,纬度")
    report = checked(bring(engine, branch, content, datum="gcj02", doubles=False))
    assert (report.accepted, report.duplicates) == (3, 1)
    again = checked(bring(engine, branch, content, datum="gcj02", doubles=False))
    assert (again.accepted, again.duplicates) == (0, 4)


def test_an_identifier_used_twice_is_a_repeat_or_rejected(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    lines = [
        "S1,甲,,,,114.31,30.51,,",
        "S1,甲,,,,114.31,30.51,,",
        "S1,乙,,,,114.32,30.51,,",
        "S2,丙,,,,114.3,30.5,,",
    ]
    report = checked(bring(sqlite_engine, sqlite_branch, listed(lines)))
    assert (report.accepted, report.duplicates, report.reasons) == (2, 1, {"repeated_id": 1})


def test_a_column_of_equal_numbers_is_no_identifier(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    content = listed([f"0,古迹{at},114.3,30.5{at}" for at in range(5)], "Id,name,X,y")
    report = checked(bring(sqlite_engine, sqlite_branch, content))
    assert report.accepted == 5
    assert "source_id" not in report.mapping


def test_row_numbers_of_another_list_overwrite_nothing(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    first = listed([f"{at},饭店{at},114.3{at},30.5" for at in range(1, 9)], "编号,名称,经度,纬度")
    second = listed([f"{at},学校{at},114.1{at},30.7" for at in range(1, 9)], "编号,名称,经度,纬度")
    bring(sqlite_engine, sqlite_branch, first)
    report = checked(bring(sqlite_engine, sqlite_branch, second))
    assert (report.accepted, report.updated) == (8, 0)
    assert report.warnings == {"ids_of_another_list": 8}
    assert checked(bring(sqlite_engine, sqlite_branch, first)).duplicates == 8


# The datum --------------------------------------------------------------------------------------------------


def test_nothing_proven_is_asked_with_three_candidates(engine: sqlalchemy.Engine, branch: int) -> None:
    with pytest.raises(DatumUnknown) as asked:
        bring(engine, branch, in_datum(random_rows(3), "gcj02"), datum="auto")
    assert set(asked.value.candidates) == {"wgs84", "gcj02", "bd09"}
    assert rows(engine, tables.batches) == []


def test_a_geojson_that_only_says_4326_proves_nothing(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [114.3, 30.5]},
        "properties": {"name": "甲"},
    }
    content = json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}).encode()
    with pytest.raises(DatumUnknown):
        bring(sqlite_engine, sqlite_branch, content, datum="auto", name="a.geojson")


@pytest.mark.parametrize(
    ("name", "header", "datum"),
    [
        ("高德导出.csv", "name,lon,lat", "gcj02"),
        ("list.csv", "name,百度经度,百度纬度", "bd09"),
        ("list.csv", "name,lon_wgs84,lat_wgs84", "wgs84"),
        ("list.csv", "name,GPS经度,GPS纬度", "wgs84"),
    ],
)
def test_the_files_own_words_prove(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, name: str, header: str, datum: str
) -> None:
    content = listed(["甲,114.31,30.51"], header)
    report = bring(sqlite_engine, sqlite_branch, content, datum="auto", name=name)
    assert (report.datum, report.datum_how) == (datum, "words")


def test_a_column_that_names_the_datum_proves_it(
    sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    content = listed(["甲,114.31,30.51,GCJ-02"], "名称,经度,纬度,坐标系")
    assert bring(sqlite_engine, sqlite_branch, content, datum="auto").datum == "gcj02"
    mixed = listed(["甲,114.31,30.52,GCJ-02", "乙,114.31,30.51,BD-09"], "名称,经度,纬度,坐标系")
    with pytest.raises(DatumUnknown):
        bring(sqlite_engine, sqlite_branch, mixed, datum="auto")


def test_two_datums_in_one_row_prove(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int) -> None:
    frame = random_rows(8)
    x, y = convert(frame["lon"], frame["lat"], "wgs84", "bd09")
    both = frame.assign(X=x, Y=y)
    report = bring(sqlite_engine, sqlite_branch, both.to_csv(index=False).encode(), datum="auto")
    assert report.datum_how == "pair"
    stored = rows(sqlite_engine, tables.merchants)
    assert np.allclose([row["lon"] for row in stored], frame["lon"], atol=1e-6)
    named = frame.assign(gcj_lng=x, gcj_lat=y)  # the label contradicts the numbers
    with pytest.raises(DatumUnknown):
        bring(sqlite_engine, sqlite_branch, named.to_csv(index=False).encode(), datum="auto")


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_rows_the_branch_has_prove(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, datum: str) -> None:
    frame = random_rows(60)
    bring(sqlite_engine, sqlite_branch, in_datum(frame, "wgs84"))
    fresh = pd.concat([frame.head(40), random_rows(20, seed=9).assign(name=lambda f: "新" + f["name"])])
    report = checked(bring(sqlite_engine, sqlite_branch, in_datum(fresh, datum), datum="auto"))
    assert (report.datum, report.datum_how, report.accepted) == (datum, "matches", 20)
    with pytest.raises(DatumUnknown):
        bring(sqlite_engine, sqlite_branch, in_datum(frame.head(29), datum), datum="auto")


def test_a_plan_says_what_would_be_done(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int) -> None:
    content = listed(["S1,甲,餐饮,,,114.31,30.51,,", "S2,乙,,,,,,,"])
    with store.transaction(sqlite_engine) as session:
        plan = ingest.plan_import(
            session, CLI, content, kind="merchants", branch_id=sqlite_branch, name="a.csv"
        )
    assert (plan.rows, plan.rejected, plan.reasons) == (2, 1, {"no_coordinates": 1})
    assert (plan.datum, set(plan.candidates)) == (None, {"wgs84", "gcj02", "bd09"})
    assert plan.mapping["name"] == "商户名称"
    assert plan.preview["row"].tolist() == [2, 3]
    assert plan.preview["商户名称"].tolist() == ["甲", "乙"]
    assert rows(sqlite_engine, tables.batches) == []


# Rights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_import_does(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int, role: Role) -> None:
    asker = Asker(name="t", role=role, branch_ids=frozenset({sqlite_branch}))
    content = listed(["S1,甲,餐饮,,,114.31,30.51,,"])
    if asker.may(Right.IMPORT, sqlite_branch):
        assert bring(sqlite_engine, sqlite_branch, content, asker=asker).accepted == 1
        return
    with pytest.raises(RightsError):
        bring(sqlite_engine, sqlite_branch, content, asker=asker)


def test_nobody_imports_into_a_branch_of_others(sqlite_engine: sqlalchemy.Engine, sqlite_branch: int) -> None:
    stranger = Asker(name="t", role=Role.HEAD, branch_ids=frozenset({sqlite_branch + 1}))
    with pytest.raises(RightsError):
        bring(sqlite_engine, sqlite_branch, listed(["S1,甲,餐饮,,,114.31,30.51,,"]), asker=stranger)


# Real lists -------------------------------------------------------------------------------------------------


def test_the_inner_city_of_wuhan_comes_in(
    shared_data: Path, sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    folder = shared_data / "wuhan_poi_geojson"
    reports = {
        name: checked(
            bring(sqlite_engine, sqlite_branch, folder / f"{name}.json", name=f"{name}.json", doubles=False)
        )
        for name in ("rice", "hotel", "fun", "sport", "police", "musemu", "poi")
    }
    assert sum(report.rows for report in reports.values()) == 24_815
    assert sum(report.rejected for report in reports.values()) == 0
    assert sum(report.duplicates for report in reports.values()) == 9
    assert reports["poi"].outlets == 1926
    kinds = pd.Series([row["kind"] for row in rows(sqlite_engine, tables.outlets)]).value_counts()
    assert set(kinds.index) == {"bank", "atm"}
    again = checked(bring(sqlite_engine, sqlite_branch, folder / "bank.json", datum="auto", name="bank.json"))
    assert (again.datum, again.datum_how, again.duplicates) == ("wgs84", "matches", 1926)
    assert all(row["category_id"] != 99 for row in rows(sqlite_engine, tables.merchants))


def test_the_xlsx_of_shichahai_comes_in_from_its_readable_sheet(
    shared_data: Path, sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    path = shared_data / "beijing_shichahai_poi_xlsx" / "POI.xlsx"
    report = checked(bring(sqlite_engine, sqlite_branch, path, name=path.name, doubles=False))
    assert (report.sheet, report.rows, report.accepted) == ("Sheet1", 2406, 2406)
    with pytest.raises(FileError, match="garbled"):
        bring(sqlite_engine, sqlite_branch, path, name=path.name, sheet="POI")


def test_the_gbk_lists_of_changsha_come_in(
    shared_data: Path, sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    accepted = {}
    for path in sorted((shared_data / "changsha_baidu_poi_gbk").glob("*.csv")):
        report = checked(
            bring(sqlite_engine, sqlite_branch, path, name=path.name, datum="bd09", doubles=False)
        )
        assert report.encoding == "gb18030"
        accepted[path.stem[-2:]] = (report.accepted, report.duplicates, report.outlets)
    assert accepted == {
        "住宅": (1080, 0, 0),
        "医院": (882, 11, 0),
        "商场": (559, 3, 0),
        "学校": (1080, 0, 0),
        "银行": (1080, 0, 1080),
    }


def test_the_oddities_come_in_or_are_refused_for_what_is_wrong(
    shared_data: Path, sqlite_engine: sqlalchemy.Engine, sqlite_branch: int
) -> None:
    folder = shared_data / "oddities_import"
    hospitals = checked(
        bring(sqlite_engine, sqlite_branch, folder / "hospitalsite.csv", name="hospitalsite.csv")
    )
    assert (hospitals.accepted, hospitals.encoding) == (126, "gb18030")
    stored = rows(sqlite_engine, tables.merchants)
    assert {row["category_id"] for row in stored} == {401}
    assert stored[0]["phone"] == "010-83211441"
    for name, count in (("xiaoxue.json", 1492), ("zhongxue.json", 982)):
        assert (
            checked(bring(sqlite_engine, sqlite_branch, folder / name, name=name, doubles=False)).accepted
            == count
        )
    for name, wrong in (
        ("a.json", "metres"),
        ("chinawgs.json", "bare shapes"),
        ("chinawgs84.json", "garbled"),
    ):
        with pytest.raises(FileError, match=wrong):
            bring(sqlite_engine, sqlite_branch, folder / name, name=name)
