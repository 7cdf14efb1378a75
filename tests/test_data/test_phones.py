"""Phone numbers as lists write them: worked by hand."""

from __future__ import annotations

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given, settings

from data.meaning import phones


def text(*cells: str) -> pd.Series:
    return pd.Series(cells, dtype="str")


@pytest.mark.parametrize(
    ("written", "same", "shown"),
    [
        ("13912345678", "+8613912345678", "13912345678"),
        ("１３９１２３４５６７８", "+8613912345678", "13912345678"),
        ("139 1234 5678", "+8613912345678", "13912345678"),
        ("139-1234-5678", "+8613912345678", "13912345678"),
        ("+86 139 1234 5678", "+8613912345678", "13912345678"),
        ("0086-13912345678", "+8613912345678", "13912345678"),
        ("8613912345678", "+8613912345678", "13912345678"),
        ("013912345678", "+8613912345678", "13912345678"),
        ("13912345678.0", "+8613912345678", "13912345678"),
        ("手机：13912345678", "+8613912345678", "13912345678"),
        ("010-83211441", "+861083211441", "010-83211441"),
        ("(010)83211441", "+861083211441", "010-83211441"),
        ("010 8321 1441", "+861083211441", "010-83211441"),
        ("+86 10 8321 1441", "+861083211441", "010-83211441"),
        ("1083211441", "+861083211441", "010-83211441"),
        ("0731-8321144", "+867318321144", "0731-8321144"),
        ("0755-83211441", "+8675583211441", "0755-83211441"),
        ("75583211441", "+8675583211441", "0755-83211441"),
        ("tel: 027-87654321", "+862787654321", "027-87654321"),
        ("010-83211441转801", "+861083211441", "010-83211441转801"),
        ("010-83211441-801", "+861083211441", "010-83211441转801"),
        ("010-83211441 ext. 801", "+861083211441", "010-83211441转801"),
        ("010-83211441（分机801）", "+861083211441", "010-83211441转801"),
        ("400-810-1234", "+864008101234", "400-810-1234"),
        ("4008101234", "+864008101234", "400-810-1234"),
        ("800 8101234转5", "+868008101234", "800-810-1234转5"),
        ("95588", "95588", "95588"),
        ("83211441", "83211441", "83211441"),
        ("+852 2345 6789", "+85223456789", "+852 23456789"),
        ("00852-23456789", "+85223456789", "+852 23456789"),
        ("853-28881234", "+85328881234", "+853 28881234"),
        ("+886 (0)2 2345 6789", "+886223456789", "+886 223456789"),
        ("+886-912-345-678", "+886912345678", "+886 912345678"),
        ("0852-8321144", "+868528321144", "0852-8321144"),
        ("13912345678;010-83211441", "+8613912345678;+861083211441", "13912345678;010-83211441"),
        ("010-83211441/83211442", "+861083211441;+861083211442", "010-83211441;010-83211442"),
        ("13912345678、13912345678", "+8613912345678", "13912345678"),
        ("13912345678，027-87654321转2", "+8613912345678;+862787654321", "13912345678;027-87654321转2"),
        (
            "13912345678 13912345679 13912345680",
            "+8613912345678;+8613912345679;+8613912345680",
            "13912345678;13912345679;13912345680",
        ),
        ("010 83211441 83211442", "+861083211441;+861083211442", "010-83211441;010-83211442"),
        ("13912345678 张经理", "+8613912345678", "13912345678 张经理"),
        ("13912345678;张经理", "+8613912345678", "13912345678;张经理"),
        ("+1 650 253 0000", "+16502530000", "+1 650-253-0000"),
        ("000-74818783", "00074818783", "000-74818783"),
        ("139****5678", "", "139****5678"),
        ("请到店咨询", "", "请到店咨询"),
        ("1.39123E+10", "", "1.39123E+10"),
        ("12", "", "12"),
        ("无", "", ""),
        ("", "", ""),
    ],
)
def test_a_number_is_read_however_it_is_written(written: str, same: str, shown: str) -> None:
    found = phones.read(text(written))
    assert found.normalised.tolist() == [same]
    assert found.shown.tolist() == [shown]
    assert found.junk.tolist() == [same == "" and shown != ""]


def test_a_column_keeps_its_rows_and_its_index() -> None:
    column = pd.Series(["13912345678", None, "x", "010-83211441;95588"], index=[7, 3, 3, 1], dtype="str")
    found = phones.read(column)
    assert found.normalised.tolist() == ["+8613912345678", "", "", "+861083211441;95588"]
    assert found.shown.tolist() == ["13912345678", "", "x", "010-83211441;95588"]
    assert found.shown.index.tolist() == found.normalised.index.tolist() == [7, 3, 3, 1]
    assert found.junk.tolist() == [False, False, True, False]
    assert phones.normalised(column[:0]).tolist() == phones.shown(column[:0]).tolist() == []


def test_what_is_shown_is_read_again_as_the_same() -> None:
    written = text("139 1234 5678", "1083211441转8", "400 8101234;95588", "+852 23456789", "83211441")
    once = phones.read(written)
    again = phones.read(once.shown)
    assert again.shown.tolist() == once.shown.tolist()
    assert again.normalised.tolist() == once.normalised.tolist()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(alphabet="0123456789+-() ;/转x１ a张.", max_size=40), max_size=10))
def test_any_text_is_read_and_none_is_lost(cells: list[str]) -> None:
    found = phones.read(text(*cells))
    assert len(found.shown) == len(found.normalised) == len(cells)
    for cell, shown, junk in zip(cells, found.shown, found.junk, strict=True):
        assert shown or not any(letter.isdigit() for letter in cell)
        assert not junk or shown.split() == phones.values.tidy(text(cell)).iloc[0].split()


def test_the_phones_of_a_real_list_are_read(shared_data) -> None:
    table = pd.read_csv(
        shared_data / "oddities_import" / "hospitalsite.csv", encoding="gbk", dtype=str, keep_default_na=False
    )
    found = phones.read(table["电话"].astype("str"))
    assert found.shown.iloc[0] == "010-83211441"
    assert found.junk.sum() <= 2
