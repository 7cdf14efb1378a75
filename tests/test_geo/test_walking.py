"""A way to walk: every place once, and little of it twice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.walking import MOST_MENDED, walking_order, way_m

METRES = st.floats(-5000, 5000, allow_nan=False)


def test_places_on_a_street_are_called_on_one_after_the_other() -> None:
    assert walking_order([300, 100, 400, 200], [0, 0, 0, 0], (0, 0)).tolist() == [1, 3, 0, 2]


def test_a_way_that_crosses_itself_is_turned_round() -> None:
    # The nearest next is 0, 1, 3, 2: over both diagonals of a square whose sides are 100 and 110 m.
    x, y = [0, 100, 0, 100], [0, 0, 110, 110]
    order = walking_order(x, y, (0, 0))
    assert way_m(x, y, order) == pytest.approx(100 + 110 + 100)


@pytest.mark.parametrize(("count", "order"), [(0, []), (1, [0])])
def test_none_and_one_are_no_way(count: int, order: list[int]) -> None:
    places = np.zeros(count)
    assert walking_order(places, places, (5, 5)).tolist() == order
    assert way_m(places, places, order) == 0


def test_namesakes_on_one_spot_are_all_called_on() -> None:
    assert walking_order([7, 7, 7], [1, 1, 1], (0, 0)).tolist() == [0, 1, 2]


def test_many_places_are_called_on_each_once() -> None:
    x, y = np.random.default_rng(3).random((2, 2 * MOST_MENDED)) * 1000
    assert sorted(walking_order(x, y, (0, 0)).tolist()) == list(range(2 * MOST_MENDED))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(METRES, METRES), min_size=2, max_size=7))
def test_a_way_is_at_most_a_quarter_longer_than_the_shortest_from_its_first_stop(
    places: list[tuple[float, float]],
) -> None:
    x, y = np.array(places).T
    order = walking_order(x, y, (0, 0))
    assert sorted(order.tolist()) == list(range(len(places)))
    others = [at for at in range(len(places)) if at != order[0]]
    shortest = min(way_m(x, y, [order[0], *rest]) for rest in itertools.permutations(others))
    assert way_m(x, y, order) <= 1.25 * shortest + 1e-6
