"""The commands of alliances and of the matrix: what scripts rely on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data import database
from data.alliances.matrix import shipped_rows
from data.config import Settings
from tests.test_data.test_cli import answered, run
from tests.test_data.test_forming import SHOPS, street


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The street of three shops that are an alliance, as branch S; return the shops' ids."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    assert run("init").exit_code == 0
    _branch_id, ids = street(database.engine(Settings.from_env()))
    yield ids
    database.dispose()


def test_the_alliances_proposed_are_told_with_their_figures(place: list[int]) -> None:
    told = answered("ally", "--branch", "S", "--alliances", "2")
    (one,) = told["alliances"]
    assert (one["id"], sorted(one["members"]), one["members"][0]) == (1, place, place[1])
    assert (one["convenience"], one["savings"], one["mean_saving_yuan"]) == (1.0, 3, None)
    assert one["profit"] == pytest.approx(90 / 130, abs=1e-6)
    assert one["gains"][str(place[0])] == {
        "gain": pytest.approx(130 / 90, abs=1e-6),
        "gained": 130,
        "served": 90,
    }
    assert (told["covered_share"], told["bound"], told["exact"]) == (1.0, 1.0, True)
    words = run("ally", "--branch", "S").stdout
    assert "1 alliances reach 100.0 % of the people" in words and "测试1号店" in words


def test_the_same_town_gives_the_same_alliances(place: list[int]) -> None:
    assert answered("ally", "--branch", "S") == answered("ally", "--branch", "S")


def test_where_there_is_none_it_says_why_and_is_done(place: list[int]) -> None:
    street(database.engine(Settings.from_env()), SHOPS[:1], [], code="T")
    told = answered("ally", "--branch", "T")
    assert (told["alliances"], told["covered_share"], told["bound"]) == ([], None, None)
    assert told["why"].startswith("An alliance needs three merchants")
    assert run("ally", "--branch", "T").stdout.startswith("An alliance needs three merchants")


def test_what_cannot_be_asked_is_refused(place: list[int]) -> None:
    assert "NOPE" in answered("ally", "--branch", "NOPE", status=1)["error"]
    assert run("ally", "--branch", "S", "--alliances", "0").exit_code == 2


def test_the_matrix_goes_out_and_comes_in(place: list[int], tmp_path: Path) -> None:
    out = tmp_path / "matrix.csv"
    assert answered("matrix", "export", "--out", str(out)) == {"out": str(out)}
    assert answered("matrix", "import", str(out))["same"] == len(shipped_rows())
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "a,b,relation,strength,zh,en\nbar,nix,compete,1,好,good\nbar,gym,complement,1,好,good\n", "utf-8"
    )
    refused = run("matrix", "import", str(bad))
    assert refused.exit_code == 1
    assert "2  b  There is no category “nix”." in refused.stderr
    told = answered("matrix", "import", str(bad), "--yes")
    assert (told["rows"], told["saved"], told["refused"]) == (2, 1, 1)
    assert told["faults"][0] == {
        "row": 2,
        "column": "b",
        "value": "nix",
        "reason": "There is no category “nix”.",
    }
    assert (
        answered("matrix", "export", "--out", str(tmp_path / "matrix.pdf"), status=1)["kind"] == "FileError"
    )
