"""States of visits, worked by hand on days counted from 1970."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.visits import STATES, UNVISITED, day_number, day_of, states, visited_within

TODAY = day_number(date(2026, 11, 22))


@pytest.mark.parametrize(
    ("interval", "ago", "state"),
    [
        # 90 days: the last fifth are the days 73 to 90.
        (90, 0, "on_track"),
        (90, 72, "on_track"),
        (90, 73, "due"),
        (90, 90, "due"),
        (90, 91, "overdue"),
        # 180 days: the last fifth are the days 145 to 180.
        (180, 91, "on_track"),
        (180, 144, "on_track"),
        (180, 145, "due"),
        (180, 180, "due"),
        (180, 181, "overdue"),
        (180, 20_000, "overdue"),
        # A day still to come counts as today; one day's interval has no last fifth but its end.
        (90, -3, "on_track"),
        (1, 0, "on_track"),
        (1, 1, "due"),
        (1, 2, "overdue"),
    ],
)
def test_a_visit_goes_from_on_track_to_due_to_overdue(interval, ago, state):
    found = states([TODAY - ago], interval, TODAY)
    assert STATES[found[0]] == state
    assert visited_within([TODAY - ago], interval, TODAY).tolist() == [state in ("on_track", "due")]


def test_what_was_never_visited_is_never_whatever_the_interval():
    found = states([UNVISITED, UNVISITED, TODAY], [90, 100_000, 90], TODAY)
    assert [STATES[each] for each in found] == ["never", "never", "on_track"]
    assert visited_within([UNVISITED], 90, TODAY).tolist() == [False]


def test_nobody_has_no_states():
    assert states([], 90, TODAY).tolist() == []


def test_days_are_counted_from_1970():
    assert (day_number(date(1970, 1, 1)), day_number(date(1970, 2, 1))) == (0, 31)
    assert day_of(TODAY) == date(2026, 11, 22)


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 400)), min_size=1, max_size=30),
    st.integers(0, 40_000),
)
def test_time_only_makes_it_worse_and_no_argument_is_touched(rows, today):
    visited, interval = (np.array(each) for each in zip(*rows, strict=True))
    before = visited.copy()
    now, later = states(visited, interval, today), states(visited, interval, today + 7)
    assert (later >= now).all()
    assert (visited == before).all()
