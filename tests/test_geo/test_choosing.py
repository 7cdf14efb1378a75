"""Which few sets cover the most: by hand, against every choice there is, and how far greedy can be off."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.choosing import chosen

some_sets = st.lists(st.lists(st.integers(0, 11), max_size=6), max_size=7)
some_weights = st.lists(st.integers(0, 9), min_size=12, max_size=12)


def covered_by(sets, weights, which):
    return sum(weights[row] for row in set().union(*(sets[number] for number in which), set()))


def best_of(sets, weights, at_most):
    return max(
        covered_by(sets, weights, which)
        for count in range(at_most + 1)
        for which in combinations(range(len(sets)), min(count, len(sets)))
    )


@settings(max_examples=150)
@given(sets=some_sets, weights=some_weights, at_most=st.integers(0, 4))
def test_the_exact_choice_is_the_best_of_all(sets, weights, at_most):
    found = chosen(sets, weights, at_most)
    best = best_of(sets, weights, at_most)
    assert found.exact and found.covered == best and found.bound == best
    assert len(found.picked) <= at_most and len(set(found.picked)) == len(found.picked)
    assert covered_by(sets, weights, found.picked) == found.covered


@settings(max_examples=150)
@given(sets=some_sets, weights=some_weights, at_most=st.integers(0, 4))
def test_greedy_stays_within_its_bound_and_within_what_theory_promises(sets, weights, at_most):
    found = chosen(sets, weights, at_most, most_exact=0)
    best = best_of(sets, weights, at_most)
    assert covered_by(sets, weights, found.picked) == found.covered
    assert (1 - 1 / np.e) * best <= found.covered <= best <= found.bound * (1 + 1e-12)
    assert not found.exact or found.covered == best


def test_greedy_is_led_astray_and_the_exact_choice_is_not():
    """The first set holds most, but the two others together hold everything."""
    sets = [[0, 1, 2, 3], [0, 1, 4], [2, 3, 5]]
    weights = [2, 2, 2, 2, 3, 3]
    greedy = chosen(sets, weights, 2, most_exact=0)
    # 8 first, then one of the others adds 3; those two alone make 7 + 7.
    assert (greedy.picked, greedy.covered, greedy.exact) == ((0, 1), 11.0, False)
    assert greedy.bound == 14.0
    best = chosen(sets, weights, 2)
    assert (sorted(best.picked), best.covered, best.bound, best.exact) == ([1, 2], 14.0, 14.0, True)


def test_greedy_says_so_where_nothing_can_be_better():
    found = chosen([[0, 1], [2], [3]], [5, 5, 4, 1], 2, most_exact=0)
    assert found.picked == (0, 1)
    assert found.covered == found.bound == 14.0
    assert found.exact


def test_what_adds_nothing_is_not_picked_and_ties_go_to_the_first():
    found = chosen([[0], [0], [1], []], [1, 1], 4)
    assert found.picked == (0, 2)
    assert (found.covered, found.exact) == (2.0, True)


def test_nothing_to_choose_from_and_nothing_to_choose():
    for sets, at_most in (([], 3), ([[0]], 0), ([[], []], 2), ([[0]], 2)):
        found = chosen(sets, [0], at_most)
        assert (found.picked, found.covered, found.bound, found.exact) == ((), 0.0, 0.0, True)


def test_a_choice_too_large_to_be_proven_keeps_greedys():
    sets = [[0, 1, 2, 3], [0, 1, 4], [2, 3, 5]]
    found = chosen(sets, [2, 2, 2, 2, 3, 3], 2, most_exact=3)
    assert (found.picked, found.exact) == ((0, 1), False)
