"""What an alliance is worth: by hand on one street, and against looking at each customer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.alliance_scores import Audience, in_reach, scores
from geo.served import Shops


def shops(*rows):
    x, reach_m, serves = zip(*rows, strict=True) if rows else ((), (), ())
    return Shops(
        np.array(x, dtype=float),
        np.zeros(len(rows)),
        np.array(reach_m, dtype=float),
        np.array(serves, dtype=np.uint32),
    )


@pytest.fixture
def street():
    """
    Customers every 100 m, of groups 0 and 1; the last is a target group of 20, and one is out of the scope.

    metres  100 200 300 400 500 600 700 800 900 1000
    group     0   0   0   0   0   1   1   1   1    1
    people    1   1   1   1   1   1   1   1   1   20
    scope     x   x   x   x   x   x   x   x   -    x
    """
    return Audience.build(
        np.arange(1, 11) * 100.0,
        np.zeros(10),
        [0] * 5 + [1] * 5,
        [1] * 9 + [20],
        [True] * 8 + [False, True],
    )


def test_scores_of_two_members_by_hand(street):
    """One at 200 m reaching 200 m for group 0; one at 700 m reaching 300 m for both groups."""
    found = scores(street, shops((200, 200, 0b01), (700, 300, 0b11)))
    # In reach of the first 100 to 400, of the second 400 to 1,000; 900 m is out of the scope.
    assert (found.covered, found.scope, found.convenience) == (28.0, 28.0, 1.0)
    # Served by the first: 100-400. By the second: 400, 500 and 600-900 and the 20: 26.
    assert found.served == (4.0, 26.0)
    # The second brings the first the customer at 500 (400 is its own); the first brings it those at 100-300.
    assert found.gained == (1.0, 3.0)
    assert found.gains == pytest.approx((1 / 4, 3 / 26))
    assert found.profit == pytest.approx(3 / 26)
    # Ways to the nearest, ascending, of 28 people: 0 (200), 0 (700), six of 100, two of 200 …
    # and the 20 at 1,000 m have 300: half of all is among them.
    assert found.median_m == 300.0


def test_the_gain_is_against_all_others_together(street):
    """Two partners that bring the same customers bring them once."""
    one = shops((200, 100, 0b01), (400, 100, 0b01))
    two = shops((200, 100, 0b01), (400, 100, 0b01), (400, 100, 0b01))
    assert scores(street, one).gained[0] == scores(street, two).gained[0] == 2.0


def test_a_member_others_bring_nobody_is_seen_to_lose(street):
    found = scores(street, shops((500, 1000, 0b11), (500, 100, 0b11)))
    assert found.gains[0] == 0.0
    assert found.profit == 0.0


def test_a_member_that_serves_nobody_has_no_gain_to_speak_of(street):
    found = scores(street, shops((200, 200, 0b01), (5000, 100, 0b11)))
    assert np.isnan(found.gains[1])
    assert found.profit == 0.0
    assert np.isnan(scores(street, shops((5000, 100, 0b11))).profit)


def test_without_members_and_without_customers(street):
    nobody = scores(street, shops())
    assert (nobody.covered, nobody.convenience, nobody.served) == (0.0, 0.0, ())
    assert np.isnan(nobody.median_m) and np.isnan(nobody.profit)
    empty = Audience.build([], [], np.array([], dtype=int), [], [])
    found = scores(empty, shops((0, 100, 1)))
    assert np.isnan(found.convenience) and np.isnan(found.median_m) and np.isnan(found.gains[0])


def test_in_reach_asks_for_no_group(street):
    assert in_reach(street, shops((1000, 100, 0b01))).tolist() == [9]


people = st.lists(
    st.tuples(st.integers(-20, 20), st.integers(0, 2), st.integers(0, 5), st.booleans()),
    min_size=1,
    max_size=30,
)
members = st.lists(
    st.tuples(st.integers(-20, 20), st.sampled_from([0, 100, 300, 500]), st.integers(0, 7)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=100)
@given(people=people, members=members)
def test_scores_are_those_of_looking_at_each(people, members):
    x, bit, weight, scope = zip(*people, strict=True)
    found = scores(
        Audience.build(np.array(x) * 50.0, np.zeros(len(x)), bit, weight, scope),
        shops(*((50.0 * at, reach, serves) for at, reach, serves in members)),
    )
    near = [[abs(50 * at - 50 * each) <= reach for each in x] for at, reach, _serves in members]
    wants = [[serves >> each & 1 == 1 for each in bit] for _at, _reach, serves in members]
    served = [[n and w for n, w in zip(*rows, strict=True)] for rows in zip(near, wants, strict=True)]
    for place in range(len(members)):
        assert found.served[place] == sum(
            w for w, is_mine in zip(weight, served[place], strict=True) if is_mine
        )
        others = [
            any(served[other][row] for other in range(len(members)) if other != place)
            for row in range(len(x))
        ]
        assert found.gained[place] == sum(
            weight[row] for row in range(len(x)) if others[row] and wants[place][row] and not near[place][row]
        )
    assert found.covered == sum(
        weight[row] for row in range(len(x)) if scope[row] and any(each[row] for each in near)
    )
