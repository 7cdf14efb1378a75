"""What the benchmarks print: nothing here is timed."""

from __future__ import annotations

import pytest

from benchmarks.browser import TILE, Measured
from benchmarks.map import promises
from benchmarks.report import Target, kilobytes, least_and_median, median, ratio, table, targets_table


def measured(rows: int, first: float, move: float) -> Measured:
    return Measured(
        "page", rows, first_s=[first, first * 3, first], move_s=[move], move_bytes=[24_000, 38_000]
    )


def test_a_ratio_of_what_was_not_measured_is_unknown():
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert ratio(3.0, None) is None
    assert ratio(3.0, 0.0) is None


def test_an_outlier_does_not_move_the_median():
    assert median([1.0, 50.0, 1.2]) == 1.2
    assert median([]) is None
    assert least_and_median([2.0, 1.0, 4.0], 1) == "1.0 / 2.0"
    assert least_and_median([]) == "-"


def test_columns_line_up_under_chinese_names_too():
    lines = table(("page", "s"), [("地图", 1.25), ("map", "-")]).splitlines()
    assert lines == ["| page |    s |", "| ---- | ---: |", "| 地图 | 1.25 |", "| map  |    - |"]


@pytest.mark.parametrize(
    ("value", "at_least", "kept"),
    [(1.5, False, True), (1.6, False, False), (1.5, True, True), (1.4, True, False), (None, True, None)],
)
def test_a_promise_is_kept_up_to_its_bound(value: float | None, at_least: bool, kept: bool | None):
    assert Target("map", value, 1.5, at_least).kept is kept


def test_a_missed_promise_is_said_loudly():
    said = targets_table([Target("tile", 200.0, 150, unit="kB"), Target("move", None, 8, at_least=True)])
    assert "MISSED" in said
    assert "not measured" in said


def test_ours_is_held_against_a_peer_at_the_same_size():
    ours = [measured(1_000, 2.0, 0.2), measured(5_000, 2.0, 0.2), measured(1_000_000, 2.5, 0.3)]
    found = {
        target.name: target for target in promises(ours, {("circles", 5_000): measured(5_000, 9.0, 8.0)})
    }
    assert found["first map, smallest to largest"].value == pytest.approx(1.25)
    assert found["slider move, smallest to largest"].value == pytest.approx(1.5)
    assert found["slider move, slowest median"].value == pytest.approx(0.3)
    assert found["websocket a move, most"].value == pytest.approx(38)
    assert found["biggest tile"].kept is None
    assert found["first map faster than CircleMarker at 5,000"].value == pytest.approx(4.5)
    assert found["move faster than CircleMarker at 5,000"].value == pytest.approx(40)


def test_a_tiles_address_leads_to_its_neighbours():
    found = TILE.match("http://127.0.0.1:8501/tiles/ab.c-D/merchants/12/3332/1712.mvt")
    assert found is not None
    assert found["layer"] == "merchants"
    assert f"{found['head']}/13/0/0.mvt" == "http://127.0.0.1:8501/tiles/ab.c-D/merchants/13/0/0.mvt"


def test_bytes_are_read_in_thousands():
    assert kilobytes(38_373) == "38.4"
    assert kilobytes(None) == "-"
