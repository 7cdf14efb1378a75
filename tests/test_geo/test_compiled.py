"""Machine code: kept where it may be, made all the same where it may not, and made ahead by set-up."""

from __future__ import annotations

from typing import Any

import numba
import pytest

from geo import compiled, ready


def test_code_that_cannot_be_kept_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def nowhere(**options: Any) -> Any:
        asked.append(options.pop("cache", False))
        if asked[-1]:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(**options)

    monkeypatch.setattr(compiled, "njit", nowhere)
    twice = compiled.compiled(lambda number: number * 2)
    assert (twice(21), asked) == (42, [True, False])


def test_what_set_up_makes_ahead_can_be_called() -> None:
    ready.ready()
