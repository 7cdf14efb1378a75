"""The judge of published instances: what it reads, and that it is not taken in by a bad plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.tdp import (
    COLUMNS,
    InstanceError,
    Row,
    judge,
    promises,
    published,
    read_instance,
    references,
)

# A street of four, 10 m apart; the second measure is heavier at one end.
STREET = """4
7 0 0 1 2 1 0
8 10 0 1 2 1 0
9 20 0 1 2 1 0
5 30 0 1 2.1 1 0
3
7 8
8 9
9 5
2 2 0.05 0.05 0.05 0.05
1 1 1 1
1 1 1 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "input"
    inside.mkdir()
    (inside / "street.dat").write_text(STREET, encoding="utf-8")
    (tmp_path / "reference_values.csv").write_text(
        "instance,ref_compactness\nstreet,25.0\n", encoding="utf-8"
    )
    return inside


def test_a_good_plan_is_judged_by_its_figures(folder: Path) -> None:
    instance = read_instance(folder / "street.dat")
    compactness, largest, feasible, pieces = judge(instance, np.array([0, 0, 1, 1]))
    assert (compactness, feasible, pieces) == (20.0, True, 2)
    assert largest == pytest.approx(4.1 / 4.05 - 1.0)


@pytest.mark.parametrize(
    ("zone", "pieces"), [([0, 1, 0, 1], 4), ([0, 0, 0, 1], 2), ([0, 0, 0, 0], 1), ([0, 0, 1, -1], 2)]
)
def test_a_plan_in_pieces_uneven_or_not_whole_is_not_feasible(
    folder: Path, zone: list[int], pieces: int
) -> None:
    _, _, feasible, found = judge(read_instance(folder / "street.dat"), np.array(zone))
    assert not feasible and found == pieces


def test_a_folder_gives_a_row_an_instance(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert references(folder) == {"street": 25.0}
    (row,) = published(folder, 1.0, None, 1)
    assert (row.instance, row.ours, row.reference, row.feasible, row.pieces) == (
        "street",
        20.0,
        25.0,
        True,
        2,
    )
    head, line = capsys.readouterr().out.splitlines()
    assert head == ",".join(COLUMNS)
    assert line.startswith("street,20.000,25.000,True,0.0123,2,")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STREET[:60], "too soon"),
        (STREET.replace("9 5\n2 2", "9 6\n2 2"), "node 6"),
        (STREET.replace("8 10", "8 ten"), "number was expected"),
        (STREET.replace("8 10", "7 10").replace("7 8\n8 9", "7 9\n7 9"), "same number"),
        (STREET.replace("8 10", "8 nan"), "not finite"),
    ],
)
def test_a_file_that_is_no_instance_is_named_and_the_others_done(
    folder: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = folder / "bad.dat"
    bad.write_text(text, encoding="utf-8")
    with pytest.raises(InstanceError, match=said):
        read_instance(bad)
    rows = published(folder, 0.05, None, 1)
    assert [(row.instance, row.feasible) for row in rows] == [("bad", False), ("street", True)]
    assert "bad.dat" in capsys.readouterr().err


def test_an_instance_that_cannot_be_divided_is_said_not_to_be_feasible(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parted = STREET.replace("3\n7 8\n8 9\n9 5\n", "1\n7 8\n")
    (folder / "street.dat").write_text(parted, encoding="utf-8")
    (row,) = published(folder, 0.05, None, 1)
    assert not row.feasible and "3 parts" in capsys.readouterr().err


def test_the_promises_are_all_feasible_and_a_median_no_worse() -> None:
    rows = [Row("a", 9.0, 10.0, True, 0.04, 4, 1.0), Row("b", 10.0, 10.0, True, 0.04, 4, 2.0)]
    assert [each.kept for each in promises(rows)] == [True, True, True]
    worse = [Row("a", 11.0, 10.0, False, 0.06, 4, 11.0)]
    assert [each.kept for each in promises(worse)] == [False, False, False]


def test_published_instances_are_feasible_and_no_worse(shared_data: Path) -> None:
    rows = published(shared_data / "bench_tdp" / "input_edited", 0.25, 2, 1)
    assert all(row.feasible for row in rows)
    assert promises(rows)[1].kept
