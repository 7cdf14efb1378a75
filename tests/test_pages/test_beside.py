"""Work beside the page: done once for all who ask, waited for a moment, and its errors raised once."""

from __future__ import annotations

import threading

import pytest

from geo.errors import GeoError
from pages.parts import beside


def test_what_is_done_in_time_is_returned_and_done_once() -> None:
    made = []
    key = ("once", object())
    assert beside.found(key, lambda: made.append(1) or "ready") == "ready"
    assert beside.found(key, lambda: made.append(2) or "again") == "ready"
    assert made == [1]
    beside.forget(key)
    assert beside.found(key, lambda: "again") == "again"


def test_what_goes_on_is_asked_for_again() -> None:
    gate, key = threading.Event(), ("slow", object())

    def work() -> str:
        gate.wait(10)
        return "ready"

    assert beside.found(key, work, patience_s=0.01) is None
    gate.set()
    assert beside.found(key, work) == "ready"


@pytest.mark.parametrize("error", [GeoError("no"), ValueError("no"), KeyError("no")])
def test_what_goes_wrong_is_raised_and_tried_again_the_next_time(error: Exception) -> None:
    key = ("wrong", object())

    def work() -> str:
        raise error

    with pytest.raises(type(error)):
        beside.found(key, work)
    assert beside.found(key, lambda: "ready") == "ready"


def test_few_outcomes_are_kept() -> None:
    made = []
    keys = [("many", number) for number in range(beside.KEPT + 3)]
    for key in keys:
        beside.found(key, lambda: made.append(1) or "ready")
    beside.found(keys[0], lambda: made.append(1) or "ready")
    beside.found(keys[-2], lambda: made.append(1) or "ready")
    assert len(made) == len(keys) + 1
