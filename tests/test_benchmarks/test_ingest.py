"""The measurement of the import: what its promises are held against, and its lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks import ingest


def run(job: str, rows: int, seconds: float, peak_mb: float = 100.0) -> dict[str, Any]:
    return {"job": job, "database": "sqlite", "rows": rows, "seconds": seconds, "peak_mb": peak_mb}


def test_promises_are_held_against_the_longest_list_and_the_worst_growth() -> None:
    measured = [
        run("ours", 10_000, 1.0),
        run("ours", 100_000, 8.0),  # 80 µs a row, and 120 µs in the longest list: 1.5 times
        run("ours", 1_000_000, 120.0, 1600.0),
        run("doubles", 1_000_000, 170.0),
        run("peer", 1_000_000, 50.0),
    ]
    ratio, memory, doubles, growth = ingest._promises(measured, "sqlite", 1_000_000)
    assert (ratio.value, ratio.kept) == (2.4, True)
    assert (memory.value, memory.kept) == (1600.0, False)
    assert (doubles.value, doubles.kept) == (170.0, True)
    assert growth.value == pytest.approx(1.5)
    assert growth.kept is False


def test_doubles_of_a_shorter_list_keep_no_promise_about_a_million() -> None:
    measured = [
        run("ours", 500, 1.0),
        run("ours", 50_000, 2.0),
        run("doubles", 50_000, 1.0),
        run("peer", 50_000, 1.0),
    ]
    assert ingest._promises(measured, "sqlite", 50_000)[2].kept is None


def test_the_second_list_has_a_tenth_of_the_first_under_other_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "FOLDER", tmp_path)
    first, second = (
        pd.read_csv(ingest.listed(2000, second=again), encoding="gb18030", dtype=str)
        for again in (False, True)
    )
    assert list(first.columns) == list(second.columns) == list(ingest.FIELDS)
    assert len(first) == len(second) == 2000
    assert not set(first["商户编号"]) & set(second["商户编号"])
    assert second["商户编号"].is_unique
    same = ["商户名称", "经度(WGS84)", "纬度(WGS84)"]
    both = second[same].merge(first[same].drop_duplicates(), on=same)
    assert 0.07 * 2000 < len(both) < 0.13 * 2000
