"""How long ago somebody was there, beside how often somebody should be: never, on track, due, overdue."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

STATES: Final = ("never", "on_track", "due", "overdue")
NEVER, ON_TRACK, DUE, OVERDUE = range(len(STATES))
UNVISITED: Final = -1  # in place of the day of a visit
_DAY_ZERO = date(1970, 1, 1)
_FIFTHS_ON_TRACK = 4  # of five: in the last one a visit is due


def day_number(day: date) -> int:
    """Return a day as visits are kept: days since 1970-01-01."""
    return (day - _DAY_ZERO).days


def day_of(number: int) -> date:
    """Return the day of a number."""
    return date.fromordinal(_DAY_ZERO.toordinal() + int(number))


def states(visited: ArrayLike, interval_days: ArrayLike, today: int) -> NDArray[np.int8]:
    """
    Return how each one visited stands.

    Parameters
    ----------
    visited
        Day numbers of the latest visits, `UNVISITED` where there was none.
    interval_days
        How many days may pass between two visits: of each, or of all.
    today
        The day it is asked for.

    Returns
    -------
    states
        Indices into `STATES`. A visit is due in the last fifth of the interval, whose last day belongs to it;
        overdue is what comes after. A day still to come counts as today.
    """
    last = np.asarray(visited, dtype=np.int64)
    interval = np.broadcast_to(np.asarray(interval_days, dtype=np.int64), last.shape)
    passed = np.maximum(today - last, 0)
    state = np.full(last.shape, ON_TRACK, dtype=np.int8)
    state[5 * passed > _FIFTHS_ON_TRACK * interval] = DUE
    state[passed > interval] = OVERDUE
    state[last == UNVISITED] = NEVER
    return state


def visited_within(visited: ArrayLike, interval_days: ArrayLike, today: int) -> NDArray[np.bool_]:
    """Return which of them somebody visited within the interval: those on track, and those due."""
    found = states(visited, interval_days, today)
    within: NDArray[np.bool_] = (found == ON_TRACK) | (found == DUE)
    return within
