"""Near pairs of merchants, their parts, and the best of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import partners
from geo.errors import GeoError
from geo.partners import Pairs, Weights, best, near_pairs, scored

metres = st.one_of(st.integers(-20, 20).map(lambda step: 100.0 * step), st.floats(-3000, 3000, width=32))


def as_set(found):
    a, b, _ = found
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


@settings(max_examples=150)
@given(
    points=st.lists(st.tuples(metres, metres), max_size=50), within=st.sampled_from([0.0, 100.0, 500.0, 1e5])
)
def test_near_pairs_are_those_looking_at_all_finds(points, within):
    x, y = np.array(points, dtype=float).reshape(-1, 2).T
    found = near_pairs(x, y, within)
    expected = {
        (i, j)
        for i in range(len(x))
        for j in range(i + 1, len(x))
        if (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 <= within * within
    }
    assert as_set(found) == expected
    a, b, distance_m = found
    assert np.allclose(distance_m, np.hypot(x[a] - x[b], y[a] - y[b]))


def test_just_so_far_is_near_and_a_spot_shared_is_too():
    x, y = [0.0, 300.0, 300.0, 300.0], [0.0, 400.0, 400.0, 400.001]
    assert as_set(near_pairs(x, y, 500.0)) == {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)}
    assert as_set(near_pairs(x, y, 0.0)) == {(1, 2)}


def test_points_across_the_earth_cost_no_room():
    assert as_set(near_pairs([0.0, 2e7, 2e7], [0.0, 2e7, 2e7 + 1], 500.0)) == {(1, 2)}


def test_what_cannot_be_paired_is_refused(monkeypatch):
    with pytest.raises(GeoError, match="positions in metres"):
        near_pairs([0.0, np.nan], [0.0, 0.0])
    with pytest.raises(GeoError, match="must not be below 0"):
        near_pairs([0.0], [0.0], -1.0)
    monkeypatch.setattr(partners, "MOST_PAIRS", 9)
    with pytest.raises(GeoError, match="10 pairs of merchants lie within 500 m"):
        near_pairs(np.zeros(5), np.zeros(5))
    assert len(near_pairs(np.zeros(4), np.zeros(4))[0]) == 6


def test_the_same_pairs_come_whatever_the_number_of_cores(monkeypatch):
    x, y = np.random.default_rng(3).normal(0, 800, (2, 6000))
    several = near_pairs(x, y, 100.0)
    monkeypatch.setattr("geo.threads.cores", lambda: 1)
    for one, other in zip(near_pairs(x, y, 100.0), several, strict=True):
        assert (one == other).all()


def test_parts_of_a_pair():
    helps = [[0.0, 0.8, 0.0], [0.8, 0.0, 0.0], [0.0, 0.0, 0.5]]
    fights = np.eye(3, dtype=bool)
    found = scored([0, 300, 600], [0, 0, 0], [0, 1, 1], [0.33, 1.0, 0.67], helps, fights, within_m=300.0)
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(0, 1), (1, 2)]
    assert found.distance_m.tolist() == [300, 300]
    assert found.complement.tolist() == pytest.approx([0.8, 0.0])
    assert found.near.tolist() == pytest.approx([np.exp(-1), np.exp(-1)])
    assert found.readiness.tolist() == pytest.approx([(0.33 + 1.0) / 2, (1.0 + 0.67) / 2])
    assert found.competes.tolist() == [False, True]
    with pytest.raises(GeoError, match="not in the table"):
        scored([0], [0], [3], [1], helps, fights)


def test_weights_make_one():
    assert Weights(1.0, 0.0, 0.0, 0.0, 0.0).complement == 1.0
    for wrong in ((0.5, 0.2, 0.1, 0.1, 0.2), (1.2, -0.2, 0.0, 0.0, 0.0)):
        with pytest.raises(GeoError, match="make 1 together"):
            Weights(*wrong)


def pairs(a, b, complement, competes=None):
    n = len(a)
    flat = np.full(n, 0.5, dtype=np.float32)
    return Pairs(
        np.array(a, dtype=np.int32),
        np.array(b, dtype=np.int32),
        np.full(n, 100.0),
        np.array(complement, dtype=np.float32),
        flat,
        flat,
        np.zeros(n, dtype=bool) if competes is None else np.array(competes),
    )


def test_a_pair_is_kept_if_it_is_among_the_best_of_either():
    # Merchant 0 has four partners; 4's only pair is 0's worst, and stays for 4's sake.
    star = pairs([0, 0, 0, 0, 1], [1, 2, 3, 4, 2], [0.9, 0.8, 0.7, 0.1, 0.95])
    assert best(star, 1).tolist() == [0, 2, 3, 4]
    assert best(star, 2).tolist() == [0, 1, 2, 3, 4]
    likely = [False, False, False, True, False]
    assert best(star, 1, likely=likely).tolist() == [2, 3, 4]


def test_of_pairs_as_good_as_each_other_the_smaller_partner_counts():
    # 2, 3 and 4 have better partners elsewhere, so that only 0's own choice among them decides.
    found = pairs([0, 0, 0, 4, 3, 2], [4, 3, 2, 5, 6, 7], [0.5, 0.5, 0.5, 0.9, 0.9, 0.9])
    assert best(found, 1).tolist() == [2, 3, 4, 5]
    assert best(found, 2).tolist() == [0, 1, 2, 3, 4, 5]


def test_what_competes_or_does_not_complete_is_never_chosen():
    found = pairs([0, 0, 1], [1, 2, 2], [0.9, 0.0, 0.9], [True, False, False])
    assert best(found).tolist() == [2]
    assert best(pairs([], [], [])).tolist() == []
    assert best(pairs([0], [1], [0.0])).tolist() == []


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), keep=st.integers(1, 6))
def test_the_best_are_those_sorting_all_finds(seed, keep):
    lot = np.random.default_rng(seed)
    a, b = np.triu_indices(12, 1)
    chosen = lot.random(len(a)) < 0.6
    found = pairs(a[chosen], b[chosen], lot.integers(0, 4, chosen.sum()) / 4)
    expected = set()
    for merchant in range(12):
        own = [
            (-float(found.complement[at]), int(found.a[at] + found.b[at]) - merchant, at)
            for at in range(len(found.a))
            if merchant in (found.a[at], found.b[at]) and found.complement[at] > 0
        ]
        expected |= {at for *_, at in sorted(own)[:keep]}
    assert set(best(found, keep).tolist()) == expected
