"""The benchmark of links: the same pairs on both sides, planted partners count, folders read or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import alliance_links, alliances, planted
from benchmarks.alliance_town import TownError, read, read_truth
from benchmarks.planted import Noise


def test_both_find_the_same_pairs_with_the_same_parts() -> None:
    rows = alliance_links.given(alliance_links.town(400, 400))
    mine, theirs = alliance_links.ours(rows), alliance_links.Peer(rows).pairs()
    assert len(theirs) > 1000
    assert alliance_links.differences(mine, theirs) == 0
    assert alliance_links.differences(mine, theirs.assign(near=0.0)) == len(theirs)
    assert alliance_links.differences(mine, theirs.iloc[1:]) == 1


def test_a_quick_run_measures_both_and_keeps_what_it_promises(capsys: pytest.CaptureFixture[str]) -> None:
    found, promises = alliance_links.speed(600, 1)
    assert found["apart"] == 0 and found["600"]["offered"] > 0 and len(promises) == 5
    assert "near pairs to" in capsys.readouterr().out


def test_a_planted_town_is_read_back_and_its_partners_are_found(tmp_path: Path) -> None:
    small = planted.town(7, clusters=3, alliances=3, merchants=120, customers=900, noise=Noise.of(0.05))
    planted.write(small, tmp_path)
    town = read(tmp_path)
    assert len(town.snapshot.merchants) == len(small.merchants)
    members = small.merchants["alliance"] >= 0
    assert sum(1 for name in town.planted("alliance").values() if name) == members.sum()
    found = alliances.scores(town)
    assert found["links"].merchants == members.sum() and found["links"].found >= 0.8
    assert ("customers", "area") in found["clusters"]
    assert all(np.isfinite(promise.value) for promise in alliances.targets([found]))
    assert "town" in alliances.table(["town"], [found])


def test_partners_in_one_chosen_alliance_are_counted_by_pairs(tmp_path: Path) -> None:
    class Fixed:
        @staticmethod
        def planted(_column: str) -> dict[int, str]:
            return {1: "x", 2: "x", 3: "x", 4: "y", 5: "y", 6: ""}

    town: alliances.Town = Fixed()  # type: ignore[assignment]  # only what is asked of it
    assert alliances.together(town, [(1, 2, 4), (5, 6)]) == 1 / 4
    assert alliances.together(town, []) == 0.0


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (None, 2, "truth.csv is missing"),
        ("cluster,alliance\n1,2\n", 2, "no column id"),
        ("id,colour\n1,2\n", 2, "neither a column cluster nor alliance"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused(text, status, says, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "truth.csv").write_text(text, encoding="utf-8")
    with pytest.raises(TownError, match=says) as refused:
        read_truth(tmp_path / "truth.csv")
    assert refused.value.status == status


def test_truth_is_read_in_any_case_and_encoding(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_bytes("ID;Cluster;Alliance\n甲1;3.0;-1\n乙2;noise;东\n".encode("gb18030"))
    found = read_truth(tmp_path / "truth.csv")
    assert found.to_dict("list") == {"id": ["甲1", "乙2"], "cluster": ["3", ""], "alliance": ["", "东"]}


def test_a_folder_without_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TownError, match="There is no folder"):
        read(tmp_path / "none")
    with pytest.raises(TownError, match="has no merchants"):
        read(tmp_path)
