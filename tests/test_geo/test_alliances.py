"""Alliances out of links: by hand, and always within the rules."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.alliances import Ground, Rules, candidates, longest_m
from geo.errors import GeoError

# Five trades: 0 and 1 compete, 3 and 4 cover the same need.
COMPETES = np.eye(5, dtype=bool)
COMPETES[0, 1] = COMPETES[1, 0] = True
NEEDS = [0, 0, 1, 2, 2]


def ground(places, trades, links):
    a, b, score = zip(*links, strict=True) if links else ((), (), ())
    x, y = zip(*places, strict=True) if places else ((), ())
    return Ground.of(x, y, trades, (a, b, score), COMPETES, NEEDS)


def all_linked(count, score=0.6):
    return [(a, b, score) for a, b in combinations(range(count), 2)]


def is_sensible(town, members, rules=Rules()):  # noqa: B008
    """Whether merchants keep the rules, do not compete and are connected by links: by looking at each."""
    trades = [town.trade[each] for each in members]
    if not rules.fewest <= len(set(members)) == len(members) <= rules.most:
        return False
    if len({NEEDS[trade] for trade in trades}) < rules.needs:
        return False
    for (one, a), (other, b) in combinations(zip(members, trades, strict=True), 2):
        if (
            COMPETES[a, b]
            or np.hypot(town.x[one] - town.x[other], town.y[one] - town.y[other]) > rules.walk_m
        ):
            return False
    linked = {frozenset(pair) for pair in zip(town.a.tolist(), town.b.tolist(), strict=True)}
    reached = {members[0]}
    while new := {each for each in members if any({each, other} in linked for other in reached)} - reached:
        reached |= new
    return len(reached) == len(members)


def test_three_linked_trades_of_three_needs_are_an_alliance():
    town = ground([(0, 0), (100, 0), (0, 100)], [0, 2, 3], all_linked(3))
    assert candidates(town) == [(0, 1, 2)]
    assert is_sensible(town, (0, 1, 2))


def test_two_needs_are_too_few():
    assert candidates(ground([(0, 0)] * 3, [2, 3, 4], all_linked(3))) == []
    assert candidates(ground([(0, 0)] * 3, [2, 3, 4], all_linked(3)), Rules(needs=2)) == [(0, 1, 2)]


def test_of_two_competitors_the_better_linked_one_stays():
    """Merchants 0 and 1 compete; 1 has the better links to 2 and 3."""
    links = [(0, 2, 0.5), (0, 3, 0.5), (1, 2, 0.6), (1, 3, 0.6), (2, 3, 0.9)]
    town = ground([(0, 0)] * 4, [0, 1, 2, 3], links)
    assert candidates(town) == [(1, 2, 3)]
    assert not is_sensible(town, (0, 1, 2, 3))


def test_links_between_competitors_and_doubled_ones_count_for_nothing():
    links = [(0, 1, 0.9), (2, 0, 0.5), (0, 2, 0.7), (3, 3, 0.9), (2, 3, 0.0)]
    town = ground([(0, 0)] * 4, [0, 1, 2, 3], links)
    assert (town.a.tolist(), town.b.tolist(), town.score.tolist()) == ([0], [2], [0.7])


def test_who_is_too_far_from_one_member_stays_out():
    """A row 600 m apart each: the ends are 1,200 m from one another."""
    town = ground([(0, 0), (600, 0), (1200, 0)], [0, 2, 3], all_linked(3))
    assert candidates(town) == []
    near = ground([(0, 0), (500, 0), (1000, 0)], [0, 2, 3], all_linked(3))
    assert candidates(near) == [(0, 1, 2)]  # 1,000 m exactly is within
    assert longest_m(near.x, near.y) == 1000.0


def test_two_groups_with_one_link_between_are_two_alliances():
    inside = [(a, b, 0.6) for a, b in combinations(range(3), 2)]
    links = [*inside, *((a + 3, b + 3, s) for a, b, s in inside), (2, 3, 0.6)]
    town = ground([(0, 0), (50, 0), (0, 50), (300, 0), (350, 0), (300, 50)], [0, 2, 3, 0, 2, 3], links)
    assert candidates(town) == [(0, 1, 2), (3, 4, 5)]


def test_one_that_is_too_large_becomes_several():
    """Eighteen trades that all go together, at one point: twelve, and the six that are left."""
    competes, needs = np.eye(18, dtype=bool), np.arange(18)
    a, b = zip(*combinations(range(18), 2), strict=True)
    town = Ground.of([0.0] * 18, [0.0] * 18, np.arange(18), (a, b, [0.5] * len(a)), competes, needs)
    found = candidates(town)
    assert sorted(map(len, found)) == [6, 12]
    assert len(set().union(*found)) == 18


def test_a_member_that_hangs_on_nobody_is_no_member():
    links = [(0, 1, 0.6), (1, 2, 0.6), (0, 2, 0.6)]
    town = ground([(0, 0)] * 4, [0, 2, 3, 2], links)
    assert candidates(town) == [(0, 1, 2)]
    assert not is_sensible(ground([(0, 0)] * 3, [0, 2, 3], links[:1]), (0, 1, 2))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_merchants_are_no_alliance(count):
    town = ground([(0, 0)] * count, [0, 2][:count], all_linked(count))
    assert candidates(town) == []
    assert longest_m(town.x, town.y) == 0.0


def test_without_links_there_are_no_alliances():
    assert candidates(ground([(0, 0)] * 4, [0, 2, 3, 4], [])) == []


def test_a_link_to_nowhere_and_a_place_that_is_none_are_refused():
    with pytest.raises(GeoError, match="two merchants that are there"):
        ground([(0, 0)] * 2, [0, 2], [(0, 2, 0.5)])
    with pytest.raises(GeoError, match="positions in metres"):
        ground([(0, 0), (np.nan, 0)], [0, 2], [(0, 1, 0.5)])


def test_who_competes_with_a_member_stays_out_though_linked_with_another():
    """Merchants 0 and 3 are of one trade; 3 is linked with 1 and 2 only."""
    links = [(0, 1, 0.9), (0, 2, 0.9), (1, 2, 0.9), (1, 3, 0.8), (2, 3, 0.8)]
    assert candidates(ground([(0, 0)] * 4, [0, 2, 3, 0], links)) == [(0, 1, 2)]


@settings(max_examples=100)
@given(
    count=st.integers(0, 60),
    trades=st.integers(1, 5),
    spread_m=st.sampled_from([0, 300, 900, 3000]),
    density=st.sampled_from([0.02, 0.1, 0.5, 1.0]),
    most=st.integers(3, 12),
    seed=st.integers(0, 99),
)
def test_every_alliance_keeps_the_rules_and_no_merchant_is_in_two(
    count, trades, spread_m, density, most, seed
):
    draw = np.random.default_rng(seed)
    pairs = np.array(list(combinations(range(count), 2)), dtype=int).reshape(-1, 2)
    pairs = pairs[draw.random(len(pairs)) < density]
    places = draw.integers(-spread_m, spread_m + 1, (count, 2)).astype(float)
    town = ground(
        places.tolist(),
        draw.integers(0, trades, count),
        [(a, b, score) for (a, b), score in zip(pairs, draw.random(len(pairs)), strict=True)],
    )
    rules = Rules(most=most, needs=min(3, trades))
    found = candidates(town, rules, seed=seed)
    assert all(is_sensible(town, members, rules) for members in found)
    assert all(longest_m(town.x[list(each)], town.y[list(each)]) <= rules.walk_m for each in found)
    together = [each for members in found for each in members]
    assert len(together) == len(set(together))
    assert found == sorted(found) == candidates(town, rules, seed=seed)
