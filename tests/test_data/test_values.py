"""Cells as values, headers as fields, words as categories: worked by hand."""

from __future__ import annotations

import math
import re
import unicodedata

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from data.meaning import headers, kinds, values
from data.meaning.headers import Pair


def text(*cells: str) -> pd.Series:
    return pd.Series(cells, dtype="str")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12),
        (" １２，３４５．５ ", 12345.5),
        ("14,651", 14651),
        ("$1,200.50", 1200.5),
        ("￥300元", 300),
        ("1.2万", 12_000),
        ("３亿", 3e8),
        ("50万元", 500_000),
        ("2千", 2000),
        ("-7", -7),
        ("1e5", 100_000),
        ("约30人", 30),
    ],
)
def test_numbers_are_read_as_chinese_lists_write_them(cell: str, number: float) -> None:
    found, bad = values.numbers(text(cell))
    assert found.tolist() == [number]
    assert not bad.any()


def test_what_is_no_number_is_told_from_nothing() -> None:
    found, bad = values.numbers(text("很多", "", "-", "无", "1,2,3", "12万3"))
    assert np.isnan(found).all()
    assert bad.tolist() == [True, False, False, False, True, True]


def test_the_unit_of_a_header_counts_once() -> None:
    assert headers.unit_factor("存款余额(万元)") == 1e4
    assert headers.unit_factor("存款余额（亿）") == 1e8
    assert headers.unit_factor("存款余额(元)") == 1
    assert values.numbers(text("5", "5万"), factor=1e4)[0].tolist() == [50_000, 50_000]


@pytest.mark.parametrize(
    ("cell", "degrees"),
    [
        ("116.397", 116.397),
        ("１１６．３９７", 116.397),
        ("116.397°E", 116.397),
        ("东经116.397度", 116.397),
        ("N30.5", 30.5),
        ("116°24'00\"", 116.4),
        ("116°30′", 116.5),
        ("116度30分0秒", 116.5),
    ],
)
def test_degrees_are_read_however_they_are_written(cell: str, degrees: float) -> None:
    found, missing, bad = values.degrees(text(cell))
    assert math.isclose(found[0], degrees, abs_tol=1e-9)
    assert not missing[0] and not bad[0]


def test_two_coordinates_in_one_cell_are_split() -> None:
    first, second = values.split_pair(
        text("114.3,30.5", "(114.3，30.5)", "114.3 30.5", "POINT(114.3 30.5)", "x")
    )
    assert first.tolist() == ["114.3"] * 4 + ["x"]
    assert second.tolist() == ["30.5"] * 4 + [""]


def test_truths_statuses_tiers_and_groups_have_codes() -> None:
    assert values.truths(text("是", "NO", "存量客户", "目标客户"))[0].tolist() == [1, 0, 1, 0]
    found, unknown = values.codes(
        text("已签约", "签约商户", "未签约", "Signed", "停业", "有意向", "天书", ""), "status"
    )
    assert found.tolist() == ["signed", "signed", "known", "signed", "closed", "contacted", "", ""]
    assert unknown.tolist() == [False] * 6 + [True, False]
    assert values.codes(text("白金客户", "金卡"), "tier")[0].tolist() == ["platinum", "gold"]
    assert values.codes(text("老年储户", "个体工商户", "农户"), "group")[0].tolist() == [
        "elderly",
        "shop_owners",
        "farmers",
    ]


def test_tags_are_split_sorted_and_kept_within_their_column() -> None:
    assert values.word_lists(text("钓鱼、广场舞;钓鱼", "a|b,c", ""), 400).tolist() == [
        "广场舞;钓鱼",
        "a;b;c",
        "",
    ]
    assert (
        values.word_lists(text("；".join(f"标签{at:03d}" for at in range(200))), 50).tolist()[0].count(";")
        == 7
    )


def test_products_have_codes() -> None:
    found, unknown = values.product_codes(text("手机银行、定期存款", "信用卡,月球票"))
    assert found.tolist() == [("e_banking", "time_deposit"), ("credit_card",)]
    assert unknown.tolist() == [False, True]


def test_tidy_text_has_half_width_letters_and_chinese_marks() -> None:
    assert values.tidy(text(" ７天　酒店（汉口店） ", "ＡＴＭ", "a\x00b", "x   y")).tolist() == [
        "7天 酒店（汉口店）",
        "ATM",
        "a b",
        "x y",
    ]


def test_names_are_compared_without_marks_and_width() -> None:
    assert len(set(values.name_keys(text("７天(汉口店)", "7天（汉口店）", "7天 汉口店")))) == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=20), max_size=20))
def test_any_text_has_values(cells: list[str]) -> None:
    series = text(*cells)
    for found in (values.numbers(series)[0], values.degrees(series)[0], kinds.category_codes(series)):
        assert len(found) == len(cells)
    assert values.tidy(series).str.contains("[\x00-\x1f]").sum() == 0


# Headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lon_lat",
    [
        ("经度", "纬度"),
        ("lng", "lat"),
        ("Longitude", "LATITUDE"),
        ("X", "y"),
        ("POINT_X", "POINT_Y"),
        ("X坐标", "Y坐标"),
        ("经 度", "纬 度"),
        ("经度（度）", "纬度（度）"),
        ("ＬＮＧ", "ＬＡＴ"),
        ("jingdu", "weidu"),
    ],
)
def test_coordinates_are_found_by_their_headers_in_either_order(lon_lat: tuple[str, str]) -> None:
    for order in (("a", *lon_lat), ("a", *reversed(lon_lat))):
        assert headers.coordinate_pairs(order) == [Pair(*lon_lat)]


@pytest.mark.parametrize(
    ("lon", "lat", "datum"),
    [
        ("经度(GCJ02)", "纬度(GCJ02)", "gcj02"),
        ("高德经度", "高德纬度", "gcj02"),
        ("lng_bd09", "lat_bd09", "bd09"),
        ("bd_lng", "bd_lat", "bd09"),
        ("百度坐标X", "百度坐标Y", "bd09"),
        ("WGS84_lon", "WGS84_lat", "wgs84"),
        ("GPS经度", "GPS纬度", "wgs84"),
        ("gcjlng", "gcjlat", "gcj02"),
    ],
)
def test_headers_name_their_datum(lon: str, lat: str, datum: str) -> None:
    assert headers.coordinate_pairs((lon, lat)) == [Pair(lon, lat, datum)]


def test_two_pairs_keep_their_datums_apart() -> None:
    found = headers.coordinate_pairs(("lng", "lat", "gcj_lng", "gcj_lat"))
    assert set(found) == {Pair("lng", "lat"), Pair("gcj_lng", "gcj_lat", "gcj02")}


def test_one_column_with_both_is_found_and_its_order_kept() -> None:
    assert headers.coordinate_pairs(("坐标",)) == [Pair("坐标", "坐标")]
    assert headers.coordinate_pairs(("lat,lng",)) == [Pair("lat,lng", "lat,lng", None, True)]


def test_fields_are_proposed_and_row_numbers_are_none() -> None:
    head = (
        "序号",
        "unnamed 2",
        "商户名称",
        "行业",
        "联系电话",
        "详细地址",
        "客户经理",
        "商户编号",
        "经度",
        "纬度",
    )
    assert headers.propose(head, "merchants") == {
        "name": "商户名称",
        "category": "行业",
        "phone": "联系电话",
        "address": "详细地址",
        "manager": "客户经理",
        "source_id": "商户编号",
    }


def test_words_of_a_file_name_datums_only_as_whole_words() -> None:
    assert headers.named_datums("长沙百度POI.csv") == {"bd09"}
    assert headers.named_datums("amap_poi_wgs84") == {"gcj02", "wgs84"}
    assert headers.named_datums("cosmology mapsgps2 wigs") == set()


# Categories and outlets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("餐饮服务;中餐厅;四川菜(川菜)", "restaurant"),
        ("购物服务;便民商店/便利店;7-ELEVEn便利店", "convenience"),
        ("科教文化服务;学校;小学", "primary_school"),
        ("餐饮服务;咖啡厅;咖啡厅|购物服务;书店;书店", "cafe"),
        ("金融保险服务;银行;中国工商银行", "outlet:bank"),
        ("金融保险服务;自动提款机;中国银行ATM", "outlet:atm"),
        ("金融保险服务;保险公司;中国人寿", "outlet:insurer"),
        ("生活服务;电讯营业厅;中国移动营业厅", "telecom"),
        ("amenity=bank", "outlet:bank"),
        ("Restaurant", "restaurant"),
        ("fast food", "snack"),
        ("理发店", "beauty"),
        ("restaurant", "restaurant"),
        ("天书", ""),
        ("", ""),
    ],
)
def test_words_of_lists_are_our_categories(said: str, code: str) -> None:
    assert kinds.category_code(said) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("长沙市-医院.csv", "hospital"),
        ("rice.json", "restaurant"),
        ("长沙市-银行.csv", "outlet:bank"),
        ("POI.xlsx", ""),
    ],
)
def test_a_file_name_hints_at_its_category(name: str, code: str) -> None:
    assert kinds.hinted(name) == code


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("中国银行(王府井支行)", "", "bank"),
        ("农村信用社", "company", "bank"),
        ("工商银行ATM", "outlet:bank", "atm"),
        ("建设银行24小时自助银行", "", "atm"),
        ("中国平安人寿保险股份有限公司", "company", "insurer"),
        ("银行家酒店", "", ""),
        ("银行家酒店", "hotel", ""),
        ("中心血库", "", ""),
        ("农业银行家属院", "", ""),
        ("平安保险箱专卖店", "", ""),
        ("招商银行", "restaurant", ""),
        ("无名", "outlet:insurer", "insurer"),
    ],
)
def test_outlets_are_told_by_category_and_else_by_name(name: str, code: str, kind: str) -> None:
    assert kinds.outlet_kinds(text(name), np.array([code], dtype=object)).tolist() == [kind]


def test_our_own_brand_is_found_in_its_outlets_names() -> None:
    names = text("中国工商银行（人民路支行）", "工商银行ATM", "招商银行")
    assert kinds.own(names, "工商银行").tolist() == [True, True, False]
    assert kinds.own(names, "").tolist() == [False] * 3


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234,567", 1_234_567),
        ("1 234 567", 1_234_567),
        ("1,234,567.89元", 1_234_567.89),
        ("12%", 0.12),
        ("１２．５％", 0.125),
        ("(1,234.50)", -1234.5),
        ("（500）", -500),
        ("−3", -3),
        ("2千万", 2e7),
        ("1.5万亿", 1.5e12),
        ("3百", 300),
        ("￥ 1.2 万 元", 12_000),
        ("10万以上", 100_000),
    ],
)
def test_marks_units_percents_and_brackets_are_read(cell: str, number: float) -> None:
    found, bad = values.numbers(text(cell))
    assert found.tolist() == pytest.approx([number])
    assert not bad.any()


def test_dates_times_and_halves_of_brackets_are_no_numbers() -> None:
    found, bad = values.numbers(
        text("2026-05-01", "2026/5/1", "2026.5.1", "2026年5月", "12:30", "(5", "5)", "1,2345", "1e999")
    )
    assert np.isnan(found).all() and bad.all()


def test_a_percent_is_not_multiplied_with_the_headers_unit() -> None:
    assert values.numbers(text("5%", "(2)", "3千"), factor=1e4)[0].tolist() == [0.05, -20_000, 3000]


def _slow_key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).lower()
    return "".join(
        letter for letter in folded if not letter.isspace() and unicodedata.category(letter)[0] not in "PS"
    )


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(alphabet="aZ9 ７Ａｚ（）、。々·—…“”汉㐀éŁ①Ⅷﾊㄅ①é~!_", max_size=12), max_size=8))
def test_keys_by_the_byte_are_keys_by_the_letter(names: list[str]) -> None:
    assert values.name_keys(text(*names)).tolist() == [_slow_key(name) for name in names]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.text(max_size=12) | st.text(alphabet="aＡ１　\u200b\ufeff\xa0\x00 汉", max_size=12), max_size=8
    )
)
def test_tidied_by_the_byte_is_tidied_by_the_letter(cells: list[str]) -> None:
    wide = {
        code: code - 0xFEE0
        for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
    }
    odd = (*range(32), *range(127, 0xA1), 0x200B, 0x200C, 0x200D, 0xFEFF, 0xFFFE, 0xFFFF, 0x3000)
    slow = [re.sub(" +", " ", cell.translate({**wide, **dict.fromkeys(odd, " ")})).strip() for cell in cells]
    assert values.tidy(text(*cells)).tolist() == slow


def test_missing_texts_stay_missing_and_slices_keep_their_place() -> None:
    column = pd.Series(["x", "Ａ１", None, "无", "７天（店）"], dtype="str")[1:]
    assert values.tidy(column).isna().tolist() == [False, True, False, False]
    assert values.tidy(column).dropna().tolist() == ["A1", "无", "7天（店）"]
    assert values.present(values.tidy(column)).dropna().tolist() == ["A1", "", "7天（店）"]
    assert values.name_keys(column).dropna().tolist() == ["a1", "无", "7天店"]
    assert values.name_keys(column).index.tolist() == [1, 2, 3, 4]
    assert values.undefused(text("'=1", "'x", "=2")).tolist() == ["=1", "'x", "=2"]
