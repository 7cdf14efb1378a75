"""Which cluster is which of a month before."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.cluster_matching import matched


def cells(first, last):
    return np.arange(first, last, dtype=np.int64)


def test_a_cluster_that_grew_is_the_same():
    assert matched([cells(0, 10), cells(50, 60)], [cells(48, 66), cells(0, 12)]).tolist() == [1, 0]


def test_a_new_one_is_nobodys_and_a_lost_one_is_left_out():
    assert matched([cells(0, 10), cells(20, 30)], [cells(0, 10), cells(90, 95)]).tolist() == [0, -1]


def test_of_two_halves_the_one_that_shares_more_goes_on():
    assert matched([cells(0, 100)], [cells(0, 35), cells(40, 100)]).tolist() == [-1, 0]


def test_a_few_shared_cells_are_not_enough():
    assert matched([cells(0, 100)], [cells(95, 195)]).tolist() == [-1]


def test_most_is_shared_in_all_not_by_the_first():
    # Of now's, the first shares 6 cells with the one before and 5 with the other; the second 4 with the one.
    before = [cells(0, 10), cells(10, 20)]
    now = [np.r_[cells(4, 10), cells(10, 15)], cells(0, 4)]
    assert matched(before, now).tolist() == [1, 0]


def test_nothing_matches_nothing():
    assert matched([], [cells(0, 3)]).tolist() == [-1]
    assert matched([cells(0, 3)], []).tolist() == []


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.randoms())
def test_the_same_clusters_in_another_order_are_found_again(sizes, random):
    edges = np.cumsum([0, *sizes])
    before = [cells(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    order = list(range(len(before)))
    random.shuffle(order)
    assert matched(before, [before[at] for at in order]).tolist() == order
