"""Merchants twice: names taken apart, pairs found and judged, and what must never be taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.lists import candidates, double_names, doubles, judging, processes
from data.lists.double_names import (
    CONFLICT,
    DIFFERENT,
    FAIR,
    GENERIC,
    SAME,
    STRONG,
    WEAK,
    relation,
    taken_apart,
)
from data.lists.doubles import CERTAIN, POSSIBLE, PROBABLE, Signs
from data.lists.signs import phone_numbers
from geo.errors import Cancelled

METRE = 1 / 111_320  # of latitude, in degrees


def signs(*rows: tuple[str, float, str, str]) -> Signs:
    """Return signs of rows (name, metres north, phone, address), all east of one another by nothing."""
    names, metres, phones, addresses = ([row[i] for row in rows] for i in range(4))
    lat = 33.0 + np.array(metres) * METRE
    return doubles.signs_of(names, phones, addresses, np.full(len(rows), 116.0), lat, [0] * len(rows))


def level(one: tuple[str, float, str, str], two: tuple[str, float, str, str]) -> int:
    """Return the level of the pair of two rows, 0 for none."""
    pairs = doubles.within(signs(one, two))
    return int(pairs.level[0]) if len(pairs) else 0


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stem", "branch"),
    [
        ("好邻居便利店（人民路店）", "好邻居", "人民路"),
        ("肯德基-万达店", "肯德基", "万达"),
        ("香必居工农路店", "香必居", "工农路"),
        ("演示县青禾商贸有限公司", "青禾", ""),
        ("中国工商银行(人民路支行)", "中国工商", "人民路"),
        ("好邻居便利店徐东店", "好邻居", "徐东"),
        ("青禾酒店用品店", "青禾酒店用品", ""),
        ("武汉宏达火锅店", "宏达", ""),
        ("青禾火锅店有限司公", "青禾", ""),
        ("Corner Lotus Hotel Co., Ltd.", "cornerlotus", ""),
        ("兰州拉面", "", ""),
        ("便利店", "", ""),
        ("", "", ""),
    ],
)
def test_a_name_comes_apart(name: str, stem: str, branch: str) -> None:
    found = taken_apart(name)
    assert (found.stem, found.branch) == (stem, branch)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("好邻居便利店", "好鄰居便利店", STRONG),  # 鄰 is in no table: it sounds alike
        ("龍鳳飯店", "龙凤饭店", SAME),
        ("７天酒店", "七天酒店", SAME),
        ("好邻居便利店", "好邻居", STRONG),
        ("好邻居便利店", "好邻居商贸有限公司", WEAK),
        ("青禾超市", "超市青禾", STRONG),
        ("KFC", "肯德基", SAME),
        ("haolinju", "好邻居", STRONG),
        ("好邻居便利店（人民路店）", "好邻居便利店（解放路店）", CONFLICT),
        ("好邻居便利店（人民路店）", "好邻居便利店", FAIR),
        ("好邻居（万达店）", "好邻居（万达广场店）", STRONG),
        ("第一小学", "第二小学", CONFLICT),
        ("望河家园一期", "望河家园二期", CONFLICT),
        ("青禾广场东门", "青禾广场西门", CONFLICT),
        ("青禾广场", "青禾广场停车场", CONFLICT),
        ("甲银行", "甲银行ATM", CONFLICT),
        ("青禾幼儿园", "青禾幼园", FAIR),
        ("好邻居（徐东店）", "好邻居（东徐店）", STRONG),
        ("万家小龙虾", "万家小龙虾武广店", FAIR),
        ("武汉市江岸区马桥巷味道药房", "味道药房（江岸店）", FAIR),
        ("武汉市江岸区马桥巷味道药房", "味道药房（解放路店）", CONFLICT),
        ("沙县小吃（江汉路店）", "沙县小吃(江汉路)店", SAME),
        ("小满面馆", "小满理发店", WEAK),
        ("便利店", "便利店", GENERIC),
        ("老王面馆", "小李面馆", DIFFERENT),
        ("交通银行二十四小时自助银行（雄楚大", "交通银行24小时自助银行（雄楚大道）", STRONG),
    ],
)
def test_how_two_names_stand_to_each_other(one: str, two: str, expected: int) -> None:
    assert relation(taken_apart(one), taken_apart(two))[0] == expected
    assert relation(taken_apart(two), taken_apart(one))[0] == expected


@given(st.text(max_size=40))
def test_any_text_is_a_name(text: str) -> None:
    found = taken_apart(text)
    assert relation(found, found)[0] in (SAME, GENERIC, DIFFERENT)
    assert double_names.sound(found.stem) == found.sound


# --- telephones ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("010-12345678", (12345678, 0)),
        ("+86 10 1234 5678", (12345678, 0)),
        ("12345678", (12345678, 0)),
        ("０７３１－８１２３４５６７", (81234567, 0)),
        ("0731-8123456转801", (8123456, 0)),
        ("138 1234 5678", (13812345678, 0)),
        ("+8613812345678;0731-8123456", (13812345678, 8123456)),
        ("400-123-4567", (0, 0)),
        ("00000000", (0, 0)),
        ("-", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_telephones_are_read_however_they_are_written(text: str, expected: tuple[int, int]) -> None:
    assert phone_numbers(text) == expected


# --- pairs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (("青禾源超市", 0, "", ""), ("青禾源超市", 5, "", ""), CERTAIN),
        (("青禾源超市", 0, "", ""), ("青禾源超市", 250, "", ""), PROBABLE),
        (("青禾源超市", 0, "", ""), ("青禾源超市", 5000, "", ""), 0),
        (("青禾源超市", 0, "81234567", ""), ("青禾园超市", 30, "0731-81234567", ""), CERTAIN),
        (("青禾源超市（人民路店）", 0, "", ""), ("青禾源超市（解放路店）", 300, "", ""), 0),
        (("便利店", 0, "", ""), ("便利店", 40, "", ""), POSSIBLE),
        (("便利店", 0, "", "人民路12号"), ("便利店", 5, "", "演示市人民路１２号"), PROBABLE),
        (("便利店", 0, "81234567", "人民路12号"), ("便利店", 5, "81234567", "人民路12号"), CERTAIN),
        (("甲银行", 0, "", ""), ("甲银行ATM", 3, "", ""), 0),
        (("青禾广场", 0, "", ""), ("云锦鞋店（青禾广场店）", 3, "", ""), 0),
        (("小满面馆", 0, "81234567", ""), ("云锦鞋店", 4, "81234567", ""), POSSIBLE),
        (("小满面馆", 0, "", ""), ("小满理发店", 10, "", ""), POSSIBLE),
    ],
)
def test_the_level_of_a_pair(
    one: tuple[str, float, str, str], two: tuple[str, float, str, str], expected: int
) -> None:
    assert level(one, two) == expected


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("湖北省武汉市武昌区中山大道12号", "中山大道12号"),
        ("武汉市江岸区二七街道建设二路12号3栋1层4室", "建设二路12号3栋"),
        ("建设二路12号3楼", "武昌区建设二路12号3层"),
    ],
)
def test_one_address_is_known_however_it_is_written(one: str, two: str) -> None:
    both = signs(("甲", 0, "", one), ("乙", 0, "", two))
    assert both.place[0] == both.place[1] != 0
    assert judging._places(both, both, np.array([0]), np.array([1]))[0] > 2


def test_rooms_of_one_house_are_told_apart() -> None:
    both = signs(("甲", 0, "", "建设路12号3楼"), ("乙", 0, "", "建设路12号2楼"))
    assert judging._places(both, both, np.array([0]), np.array([1]))[0] < 0


@pytest.mark.parametrize(
    ("phone", "other", "address", "expected"),
    [
        ("81234567", "81234567", "", PROBABLE),
        ("", "", "建设路12号3楼", PROBABLE),
        ("81234567", "87654321", "建设路12号3楼", POSSIBLE),
    ],
)
def test_a_character_off_is_a_slip_where_telephone_or_address_is_the_same(
    phone: str, other: str, address: str, expected: int
) -> None:
    assert level(("光源公寓", 0, phone, address), ("金源公寓", 37, other, address)) == expected


def test_another_address_speaks_for_another_branch() -> None:
    here, there = "友谊路99号", "珞喻路136号"
    assert level(("春天百货", 0, "", here), ("春天百货", 200, "", there)) == POSSIBLE
    assert level(("春天百货", 0, "", here), ("春天百货", 20, "", there)) >= PROBABLE


def test_a_heap_of_rows_on_one_point_says_nothing() -> None:
    names = ["沙县小吃", "沙县小吃", *(f"青禾{chr(0x4E00 + at)}坊" for at in range(candidates.PILE))]
    heap = signs(*((name, 0.0, "", "") for name in names))
    assert not ((heap_pairs := doubles.within(heap)).at_least(PROBABLE).a == 1).any(), heap_pairs


def test_of_one_list_the_later_row_comes_first() -> None:
    pairs = doubles.within(
        signs(("青禾源超市", 0, "", ""), ("云锦鞋店", 3, "", ""), ("青禾源超市", 4, "", ""))
    )
    assert (pairs.a.tolist(), pairs.b.tolist()) == ([2], [0])


def test_of_two_lists_each_row_counts_in_its_own() -> None:
    new = signs(("云锦鞋店", 0, "", ""), ("青禾源超市", 4, "", ""))
    stored = signs(("青禾源超市", 0, "", ""))
    pairs = doubles.between(new, stored)
    assert (pairs.a.tolist(), pairs.b.tolist(), pairs.level.tolist()) == ([1], [0], [CERTAIN])


def test_one_identifier_joins_what_is_far_apart() -> None:
    both = doubles.signs_of(
        ["青禾源超市", "青禾源超市"],
        ["", ""],
        ["", ""],
        [116.0, 116.02],
        [33.0, 33.0],
        [0, 0],
        ["91-A", "91a"],
    )
    assert doubles.within(both).level.tolist() == [CERTAIN]


def test_what_fits_two_branches_goes_to_the_one_it_fits_better() -> None:
    rows = signs(
        ("青禾源超市（人民路店）", 0, "", "人民路1号"),
        ("青禾源超市（解放路店）", 60, "", "解放路9号"),
        ("青禾源超市", 2, "", "人民路1号"),
    )
    assert doubles.within(rows).at_least(PROBABLE).b.tolist() == [0]


def test_signs_in_chunks_are_signs_of_the_whole() -> None:
    rows = [("青禾源超市", 0.0, "", ""), ("云锦鞋店", 3.0, "", ""), ("青禾源超市", 4.0, "", "")]
    whole, joined = signs(*rows), Signs.joined([signs(*rows[:1]), signs(*rows[1:])])
    assert np.array_equal(whole.full, joined.full)
    assert doubles.within(joined).a.tolist() == doubles.within(whole).a.tolist()


def test_no_rows_have_no_pairs() -> None:
    none = Signs.joined([])
    assert len(none) == 0
    assert len(doubles.within(none)) == 0
    assert len(doubles.between(none, signs(("青禾源超市", 0, "", "")))) == 0


def test_missing_texts_and_categories_are_nothing() -> None:
    rows = doubles.signs_of(
        [None, "青禾"], [None, np.nan], ["", None], [116.0, 116.0], [33.0, 33.0], [None, 101]
    )
    assert len(doubles.within(rows)) == 0
    assert rows.category.tolist() == [0, 101]


def test_a_crowd_on_one_point_stays_cheap() -> None:
    names = ["蔬菜店"] * 1500 + [f"{word}号摊" for word in range(1500)]
    at = np.zeros(len(names))
    crowd = doubles.signs_of(names, at, at, 116 + at, 33 + at, at.astype(int))
    looked_at = doubles.within(crowd)
    assert len(looked_at) <= doubles.FEW * len(names)


def test_progress_is_told_and_the_work_can_be_stopped() -> None:
    told: list[tuple[int, int]] = []
    rows = signs(("青禾源超市", 0, "", ""), ("青禾源超市", 4, "", ""))
    doubles.within(rows, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)
    with pytest.raises(Cancelled):
        doubles.within(rows, cancelled=lambda: True)


def test_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["青禾源超市", "云锦鞋店", "小满面馆", "安居五金", "丰泽药房"]
    rows = [(words[at % 5], 3.0 * at, "", f"人民路{at % 7}号") for at in range(60)]
    alone = doubles.within(signs(*rows))
    monkeypatch.setattr(doubles, "LONG", 1)
    monkeypatch.setattr(processes, "cores", lambda: 2)
    together = doubles.within(signs(*rows))
    assert len(alone) > 0
    for name in ("a", "b", "level", "score"):
        assert np.array_equal(getattr(alone, name), getattr(together, name))


def test_work_keeps_the_order_of_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 2)
    assert list(processes.shared_out(abs, range(-9, 0), alone=False)) == list(range(9, 0, -1))
    with pytest.raises(TypeError):
        list(processes.shared_out(abs, ["-1"], alone=False))


def test_branches_of_one_company_under_its_one_licence_are_for_a_person_to_look_at():
    def pair(metres: float, address: str) -> int:
        found = doubles.within(
            doubles.signs_of(
                ["青禾便利店", "青禾便利店"],
                ["", ""],
                ["人民路12号", address],
                [116.0, 116.0],
                [33.0, 33.0 + metres * METRE],
                [0, 0],
                ["91420000MA00000X1T", "91420000MA00000X1T"],
            )
        )
        return int(found.level[0])

    assert pair(20, "人民路12号") == CERTAIN
    assert pair(20, "") == CERTAIN
    assert pair(400, "解放路3号") == PROBABLE
    assert pair(5_000, "解放路3号") == PROBABLE
    assert pair(1_500, "") == CERTAIN  # it has moved, or lies wrong in one of the lists


def test_one_name_on_one_point_with_two_addresses_and_two_telephones_is_two_merchants():
    here = ("青禾便利店", 0.0, "0719-8881234", "人民路12号")
    assert level(here, ("青禾便利店", 0.0, "0719-8889876", "解放路3号")) == POSSIBLE
    assert level(here, ("青禾便利店", 0.0, "0719-8881234", "解放路3号")) >= PROBABLE
    assert level(here, ("青禾便利店", 0.0, "0719-8889876", "人民路12号")) >= PROBABLE
