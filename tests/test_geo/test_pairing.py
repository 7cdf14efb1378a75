"""Who works which zone, on towns small enough to see the answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.pairing import Colleague, groups, pairs


def zones(*middles, hours=10.0):
    x, y = (np.array(each, dtype=float) for each in zip(*middles, strict=True))
    return np.broadcast_to(np.asarray(hours, dtype=float), x.shape).copy(), x, y


def test_everyone_works_where_he_is():
    """Zones A at 0 and B at 1000 m; of each post one at A and one at B."""
    hours, x, y = zones((0, 0), (1000, 0))
    indoor = [Colleague(1, 30, 1000, 0), Colleague(2, 30, 0, 0)]
    outdoor = [Colleague(3, 30, 0, 0), Colleague(4, 30, 1000, 0)]
    assert pairs(hours, x, y, indoor, outdoor) == [(2, 3), (1, 4)]


def test_hours_to_spare_go_before_nearness():
    """Both zones lie beside 3, but two of 20 hours are more than the 30 one has."""
    hours, x, y = zones((0, 0), (10, 0), hours=20)
    outdoor = [Colleague(3, 30, 0, 0), Colleague(4, 30, 2000, 0)]
    found = pairs(hours, x, y, [Colleague(1, 60), Colleague(2, 60)], outdoor)
    assert {each[1] for each in found} == {3, 4}


def test_the_heaviest_zone_is_one_ones_only():
    """20 hours to one, 10 + 10 to the other: nobody has more than 30."""
    hours, x, y = zones((0, 0), (500, 0), (1000, 0), hours=[10, 20, 10])
    people = [Colleague(3, 30), Colleague(4, 30)]
    found = [each[1] for each in pairs(hours, x, y, [Colleague(1, 30), Colleague(2, 30)], people)]
    assert found[0] == found[2] != found[1]


def test_hours_spent_elsewhere_count():
    """3 stands nearer to both, but a locked zone has taken 28 of the hours."""
    hours, x, y = zones((0, 0), (100, 0))
    outdoor = [Colleague(3, 30, 0, 0), Colleague(4, 60, 300, 0)]
    found = pairs(hours, x, y, [Colleague(1, 60)], outdoor, {3: 28.0})
    assert [each[1] for each in found] == [4, 4]


def test_the_two_of_a_pair_are_of_one_group_where_all_else_is_alike():
    hours, x, y = zones((0, 0), (1000, 0))
    indoor = [Colleague(1, 30, team=7), Colleague(2, 30, team=8)]
    outdoor = [Colleague(3, 30, 0, 0, team=8), Colleague(4, 30, 1000, 0, team=7)]
    assert pairs(hours, x, y, indoor, outdoor) == [(2, 3), (1, 4)]


def test_no_zones_need_nobody():
    none = np.array([])
    assert pairs(none, none, none, [], []) == []


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=25),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(0, 2**31),
)
def test_every_zone_has_one_of_each_and_the_same_input_the_same_pairs(hours, inside, outside, seed):
    random = np.random.default_rng(seed)
    count = len(hours)
    x, y = random.uniform(0, 5000, (2, count))
    indoor = [Colleague(at, 30, *random.uniform(0, 5000, 2)) for at in range(inside)]
    outdoor = [Colleague(100 + at, 30) for at in range(outside)]
    found = pairs(np.array(hours), x, y, indoor, outdoor)
    assert len(found) == count
    assert all(a < 100 <= b for a, b in found)
    assert found == pairs(np.array(hours), x, y, indoor, outdoor)
    most = np.bincount([b - 100 for _, b in found], minlength=outside).max()
    assert most <= 2 * -(-count // outside)


# Groups -----------------------------------------------------------------------------------------------------


def test_ten_people_are_one_large_group_of_three_groups():
    posts = ["outdoor"] * 4 + ["indoor"] * 6
    (large,) = groups(posts)
    assert sorted(map(len, large)) == [3, 3, 4]
    for group in large:
        assert {posts[at] for at in group} == {"indoor", "outdoor"}


def test_twenty_five_people_are_two_large_groups():
    found = groups(["indoor", "outdoor", None] * 8 + [None])
    assert [len(large) for large in found] == [4, 4]
    assert [sum(map(len, large)) for large in found] in ([13, 12], [12, 13])


@pytest.mark.parametrize("count", range(0, 40))
def test_everyone_is_in_one_group(count):
    found = groups([None] * count)
    assert sorted(at for large in found for group in large for at in group) == list(range(count))
    sizes = [len(group) for large in found for group in large]
    assert not sizes or max(sizes) - min(sizes) <= 1
