"""Which column is what: by its header, by its values, by both."""

from __future__ import annotations

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given, settings

from data.files import readers
from data.lists.columns import columns_of
from data.meaning import headers

COUNT = 40
COLUMNS = {
    "phone": [f"139{at:08d}" for at in range(COUNT)],
    "landline": [f"027-8765{at:04d}" for at in range(COUNT)],
    "lon": [f"114.3{at:04d}" for at in range(COUNT)],
    "lat": [f"30.5{at:04d}" for at in range(COUNT)],
    "lng,lat": [f"114.3{at:04d},30.5{at:04d}" for at in range(COUNT)],
    "lat,lng": [f"30.5{at:04d}, 114.3{at:04d}" for at in range(COUNT)],
    "wkt": [f"POINT (114.3{at:04d} 30.5{at:04d})" for at in range(COUNT)],
    "category": ["餐饮服务;中餐厅;火锅店", "购物服务;超级市场;超市", "药店", "理发店"] * 10,
    "name": [
        f"{'老赵钱孙李'[at % 5]}记{at}号{['面馆', '超市', '药店', '理发店'][at % 4]}" for at in range(COUNT)
    ],
    "address": [f"武汉市江汉区人民路{at}号" for at in range(COUNT)],
    "id": [f"B0FF{at * 7919:06d}" for at in range(COUNT)],
    "count": [str(at) for at in range(1, COUNT + 1)],
    "hours": ["09:00-21:30", "8:00-22:00"] * 20,
    "status": ["已签约", "洽谈中", "未联系", "停业"] * 10,
    "percent": [f"{at}%" for at in range(COUNT)],
    "date": [f"2026-05-{at % 28 + 1:02d}" for at in range(COUNT)],
    "money": [f"{at * 1234 + 500}.00" for at in range(COUNT)],
    "yes": ["是", "否"] * 20,
    "manager": ["张伟", "王芳", "李小龙", "陈静"] * 10,
}


def sample(**named: str) -> pd.DataFrame:
    """Return a sample: header to the name of one of the columns above."""
    return pd.DataFrame({header: COLUMNS[name] for header, name in named.items()}, dtype="str")


def proposed(kind: str = "merchants", **named: str) -> dict[str, str]:
    frame = sample(**named)
    return {field: one.header for field, one in headers.proposed(list(frame), kind, frame).items()}


def test_a_list_without_headers_is_known_by_its_values() -> None:
    found = proposed(
        列1="count", 列2="name", 列3="category", 列4="address", 列5="phone", 列6="lon", 列7="lat"
    )
    assert found == {
        "lon": "列6",
        "lat": "列7",
        "name": "列2",
        "category": "列3",
        "address": "列4",
        "phone": "列5",
    }
    assert proposed(列1="id", 列2="landline", 列3="lng,lat", 列4="name", 列5="status", 列6="hours") == {
        "coordinates": "列3",
        "source_id": "列1",
        "phone": "列2",
        "name": "列4",
        "status": "列5",
        "hours": "列6",
    }


@pytest.mark.parametrize("written", ["lng,lat", "lat,lng", "wkt"])
def test_coordinates_in_one_column_say_how_they_are_written(written: str) -> None:
    for header in ("列1", "坐标", "什么"):
        frame = sample(**{header: written, "列2": "name"})
        found = headers.proposed(list(frame), "merchants", frame)
        assert found["coordinates"].header == header
        assert found["coordinates"].why == written
        assert found["coordinates"].confidence > headers.SURE


def test_dates_percents_and_row_numbers_are_no_field() -> None:
    assert proposed(列1="date", 列2="percent", 列3="count") == {}


def test_a_header_and_its_values_agree_or_are_doubted() -> None:
    frame = sample(商户名称="name", 电话="category", 类别="phone", 经度="lat", 纬度="lon")
    found = headers.proposed(list(frame), "merchants", frame)
    assert found["name"].header == "商户名称" and found["name"].confidence > headers.SURE
    assert found["phone"].why == "values_differ" and found["phone"].confidence < headers.SURE
    assert found["lon"].why == found["lat"].why == "values_differ"
    assert max(found["lon"].confidence, found["lat"].confidence) < headers.SURE


def test_longer_headers_are_read_in_part_and_unknown_ones_by_their_values() -> None:
    found = proposed(老板的联系电话="phone", 店家的门店名称="name", 怎么走="address", x1="lon", y1="lat")
    assert found == {
        "phone": "老板的联系电话",
        "name": "店家的门店名称",
        "address": "怎么走",
        "lon": "x1",
        "lat": "y1",
    }


def test_headers_alone_are_enough_and_no_column_is_taken_twice() -> None:
    found = headers.proposed(["名称", "name", "电话", "手机", "lng", "lat"], "merchants", None)
    assert {field: one.header for field, one in found.items()} == {
        "lon": "lng",
        "lat": "lat",
        "name": "名称",
        "phone": "电话",
    }
    assert all(one.confidence > headers.SURE and one.why == "header" for one in found.values())


def test_customers_are_known_by_their_values_too() -> None:
    frame = sample(列1="lon", 列2="lat", 列3="phone", 列4="money", 列5="manager", 列6="yes")
    found = headers.proposed(list(frame), "customers", frame)
    assert {field: one.header for field, one in found.items()} == {
        "lon": "列1",
        "lat": "列2",
        "phone": "列3",
        "deposits": "列4",
        "manager": "列5",
        "existing": "列6",
    }
    assert found["deposits"].confidence < headers.SURE < found["phone"].confidence


@pytest.mark.parametrize("kind", list(headers.FIELDS))
def test_nothing_is_proposed_of_nothing(kind: str) -> None:
    assert headers.proposed([], kind, None) == {}
    assert headers.proposed(["列1", "列2"], kind, pd.DataFrame({"列1": [], "列2": []}, dtype="str")) == {}
    empty = pd.DataFrame({"列1": ["", " "], "列2": ["", "无"]}, dtype="str")
    assert headers.proposed(["列1", "列2"], kind, empty) == {}


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12),
        st.lists(st.text(max_size=20), min_size=4, max_size=4),
        max_size=6,
    ),
    st.sampled_from(list(headers.FIELDS)),
)
def test_any_table_has_proposals_that_fit_it(table: dict[str, list[str]], kind: str) -> None:
    frame = pd.DataFrame(table, dtype="str")
    found = headers.proposed(list(table), kind, frame)
    places = [one.header for field, one in found.items()]
    assert len(places) == len(set(places))
    assert set(places) <= set(table)
    assert all(0 <= one.confidence <= 1 for one in found.values())
    assert set(found) <= {*headers.FIELDS[kind], "lon", "lat", "coordinates"}


def test_a_file_without_headers_is_read_by_its_values() -> None:
    frame = sample(a="count", b="name", c="category", d="phone", e="lat,lng")
    content = frame.to_csv(index=False, header=False).encode()
    columns = columns_of(readers.open_table(content, name="x.csv"), "merchants", None, "auto")
    assert columns.fields == {"name": "列2", "category": "列3", "phone": "列4"}
    assert columns.pair == headers.Pair("列5", "列5", None, True)


def test_the_columns_of_real_lists_are_found(shared_data) -> None:
    table = pd.read_csv(
        shared_data / "oddities_import" / "hospitalsite.csv", encoding="gbk", dtype=str, keep_default_na=False
    )
    known = {"name": "医院名称", "address": "地址", "phone": "电话", "lon": "X", "lat": "Y"}
    found = headers.proposed(list(table), "merchants", table)
    assert {field: found[field].header for field in known} == known
    bare = table.set_axis([f"列{at}" for at in range(1, table.shape[1] + 1)], axis=1)
    unnamed = headers.proposed(list(bare), "merchants", bare)
    assert {field: unnamed[field].header for field in ("address", "phone", "lon", "lat")} == {
        "address": "列10",
        "phone": "列11",
        "lon": "列12",
        "lat": "列13",
    }
    assert unnamed["name"].header == "列3"
