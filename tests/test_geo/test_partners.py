"""Near pairs of merchants, their parts, and the best of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import partners
from geo.crowd import Crowd
from geo.errors import GeoError
from geo.partners import Weights, near_pairs, scored
from geo.served import Shops, outlook

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


def star(complement, *, keep):
    """Return the pairs kept of merchants on one spot, each of a trade of its own."""
    table = np.triu(complement) + np.triu(complement).T
    n = len(table)
    found = scored(
        np.zeros(n), np.zeros(n), np.arange(n), np.ones(n), table, np.eye(n, dtype=bool), keep=keep
    )
    return list(zip(found.a.tolist(), found.b.tolist(), strict=True))


def test_a_pair_is_kept_if_it_is_among_the_best_of_either():
    # Merchant 0 has four partners; 4's only pair is 0's worst, and stays for 4's sake.
    helps = np.zeros((5, 5))
    helps[0, 1:], helps[1, 2] = [0.9, 0.8, 0.7, 0.1], 0.95
    assert star(helps, keep=1) == [(0, 1), (0, 3), (0, 4), (1, 2)]
    assert star(helps, keep=2) == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2)]


def test_of_partners_as_good_as_each_other_the_smaller_place_counts():
    # 2, 3 and 4 have better partners elsewhere, so that only 0's own choice among them decides.
    helps = np.zeros((8, 8))
    helps[0, 2:5] = 0.5
    helps[4, 5] = helps[3, 6] = helps[2, 7] = 0.9
    assert star(helps, keep=1) == [(0, 2), (2, 7), (3, 6), (4, 5)]
    assert len(star(helps, keep=3)) == 6


def test_what_competes_or_does_not_complete_is_never_kept():
    helps, fights = np.ones((3, 3)), np.eye(3, dtype=bool)
    helps[0, 2] = helps[2, 0] = 0.0
    fights[0, 1] = fights[1, 0] = True
    where, ready = np.zeros(4), np.ones(4)
    found = scored(where, where, [0, 1, 2, 2], ready, helps, fights, keep=50)
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(1, 2), (1, 3)]
    assert len(scored([], [], [], [], helps, fights, keep=50).a) == 0
    assert len(scored([0], [0], [0], [1], helps, fights, keep=50).a) == 0


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), keep=st.integers(1, 6), within=st.sampled_from([0.0, 200.0, 450.0]))
def test_the_best_are_those_sorting_all_finds(seed, keep, within):
    lot = np.random.default_rng(seed)
    x, y = 50.0 * lot.integers(0, 12, (2, 40))
    trade, ready = lot.integers(0, 5, 40), lot.choice([0.33, 1.0], 40)
    helps = lot.choice([0.0, 0.5, 1.0], (5, 5))
    helps, fights = np.maximum(helps, helps.T), np.eye(5, dtype=bool)
    every = scored(x, y, trade, ready, helps, fights, within_m=within)
    able = np.flatnonzero((every.complement > 0) & ~every.competes)
    weights = partners.WEIGHTS
    score = weights.complement * every.complement + weights.distance * every.near
    score = np.round(score + weights.readiness * every.readiness, 5)
    expected = set()
    for merchant in range(40):
        own = [at for at in able if merchant in (every.a[at], every.b[at])]
        own.sort(key=lambda at: (-score[at], every.a[at] + every.b[at] - merchant))  # noqa: B023  # at once
        expected |= {(int(every.a[at]), int(every.b[at])) for at in own[:keep]}
    found = scored(x, y, trade, ready, helps, fights, within_m=within, keep=keep)
    assert as_set(found[:3]) == expected
    whole = dict(zip(zip(every.a.tolist(), every.b.tolist(), strict=True), every.distance_m, strict=True))
    assert found.distance_m.tolist() == [whole[pair] for pair in zip(found.a, found.b, strict=True)]


def test_partners_who_seem_to_gain_go_first():
    """
    A at 0, B beside it, C at 400; they reach 300 m. All customers are spread evenly along the street.

    Next door there is nothing to gain, though B is nearer: what B serves, A serves already.
    """
    street = np.arange(-1000.0, 1000.0, 2.0)
    crowd = Crowd.build(street, np.zeros(1000), np.zeros(1000, dtype=int), np.ones(1000))
    x, y, reach = np.array([0.0, 5.0, 400.0]), np.zeros(3), np.full(3, 300.0)
    known = outlook(crowd, Shops(x, y, reach, np.ones(3, dtype=np.uint32)), least=0.1, fewest=20)
    given_ = (x, y, [0, 1, 1], np.ones(3), [[0, 1], [1, 0]], np.eye(2, dtype=bool))
    assert as_set(scored(*given_, keep=1)[:3]) == {(0, 1), (0, 2)}  # C has no other
    alone = [each[:2] for each in given_[:4]]
    assert as_set(scored(*alone, *given_[4:], keep=1, outlook=known)[:3]) == {(0, 1)}
    more = (np.append(x, 410.0), np.zeros(4), [0, 1, 1, 0], np.ones(4))
    reach, masks = np.full(4, 300.0), np.ones(4, dtype=np.uint32)
    known = outlook(crowd, Shops(more[0], more[1], reach, masks), least=0.1, fewest=20)
    assert as_set(scored(*more, *given_[4:], keep=1)[:3]) == {(0, 1), (2, 3)}
    assert as_set(scored(*more, *given_[4:], keep=1, outlook=known)[:3]) == {(0, 2), (1, 3)}
