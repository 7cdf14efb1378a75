"""Planted towns: what is true of them is written beside them, and what looks alike is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import alliance_clusters, planted
from benchmarks.planted import Noise, adjusted_rand, score_clusters
from data.alliances.matrix import shipped


@pytest.fixture(scope="module")
def town() -> planted.Town:
    return planted.town(3, clusters=4, alliances=2, merchants=160, customers=900)


def test_a_seed_gives_one_town(town: planted.Town) -> None:
    again = planted.town(3, clusters=4, alliances=2, merchants=160, customers=900)
    pd.testing.assert_frame_equal(again.truth, town.truth)
    pd.testing.assert_frame_equal(again.customers, town.customers)


def test_a_tenth_of_all_rows_is_noise(town: planted.Town) -> None:
    for rows in (town.merchants, town.customers):
        assert abs((rows["cluster"] < 0).mean() - 0.1) < 0.005
    still = planted.town(3, clusters=4, alliances=0, merchants=160, customers=900, noise=Noise.of(0.0))
    assert (still.truth["cluster"] >= 0).all()


def test_a_tenth_of_trades_is_wrong_or_missing_but_no_members(town: planted.Town) -> None:
    assert 0.0 < (town.merchants["kind"] < 0).mean() < 0.1
    assert (town.merchants.loc[town.merchants["alliance"] >= 0, "kind"] > 0).all()


def test_every_two_members_gain_and_complete_each_other(town: planted.Town) -> None:
    matrix, people = shipped(), town.customers[town.customers["cluster"] >= 0]
    bit = np.uint32(1) << matrix.group_bit[people["kind"].to_numpy()].astype(np.uint32)
    members = town.merchants[town.merchants["alliance"] >= 0]
    assert members.groupby("alliance").size().between(3, 5).all()
    for _, group in members.groupby("alliance"):
        rank = matrix.rank[group["kind"].to_numpy()]
        x, y = (group[name].to_numpy()[:, None] - people[name].to_numpy() for name in ("x", "y"))
        near = np.hypot(x, y) <= matrix.reach_m[rank][:, None]
        fits = (matrix.serves[rank][:, None] & bit) > 0
        for a, b in ((a, b) for a in range(len(rank)) for b in range(len(rank)) if a != b):
            gained = (near[b] & fits[b] & fits[a] & ~near[a]).sum()
            assert gained >= max(20.0, 0.1 * (near[a] & fits[a]).sum())
            assert matrix.complement[rank[a], rank[b]] > 0.0


def test_files_are_lists_of_a_bank(town: planted.Town, tmp_path: Path) -> None:
    planted.write(town, tmp_path)
    merchants = pd.read_csv(tmp_path / "merchants.csv", dtype=str, keep_default_na=False)
    assert list(merchants)[:3] == ["商户编号", "商户名称", "行业类别"]
    assert {"GPS经度", "GPS纬度"} <= set(pd.read_csv(tmp_path / "customers.csv"))
    truth = pd.read_csv(tmp_path / "truth.csv", dtype=str, keep_default_na=False)
    assert list(truth) == ["id", "cluster", "alliance"]
    assert (truth["cluster"] == "").sum() == (town.truth["cluster"] < 0).sum()


def test_clusters_are_scored_alike_from_memory_and_from_files(town: planted.Town, tmp_path: Path) -> None:
    planted.write(town, tmp_path)
    truth = pd.read_csv(tmp_path / "truth.csv", dtype=str, keep_default_na=False)
    score = score_clusters(town.customers, town.truth)
    assert score == score_clusters(town.customers, truth)
    assert score.planted == 6
    assert score.ari > 0.85
    assert score.ari_members > 0.9


def test_the_adjusted_rand_index() -> None:
    # Hubert & Arabie: of 6 points, 15 pairs; 2 pairs together in both, 6 and 3 in each, 1.2 by chance.
    assert adjusted_rand(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(
        (2 - 1.2) / (4.5 - 1.2)
    )
    assert adjusted_rand(np.array([1, 1, 2]), np.array([5, 5, 0])) == 1.0
    assert adjusted_rand(np.array([]), np.array([])) == 1.0
    assert adjusted_rand(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) < 0.0


def test_the_benchmark_of_clusters_runs() -> None:
    text, kept = alliance_clusters.measured_quality(1, quick=True)
    assert "few" in text
    assert kept[0].value is not None and kept[0].value > 0.5
    text, promises = alliance_clusters.measured_speed((300, 600), 1_000, 1)
    assert "HDBSCAN" in text
    assert [promise.bound for promise in promises] == [20.0, 5.0]
