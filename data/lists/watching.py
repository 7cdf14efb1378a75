"""Long work watched: how far it is, how long each stage takes, and whether the user has stopped it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from geo.errors import N_, Cancelled

READING, CHECKING, DOUBLES, STORING = STAGES = ("reading", "checking", "doubles", "storing")
Progress = Callable[[str, int, int], None]
"""Called with the stage, what is done and the whole: thousandths, or rows."""


class Watch:
    """
    Tells how far the work is, and stops it when the user says so.

    Parameters
    ----------
    progress
        Told stage, done and total.
    cancelled
        Asked each time whether to stop.
    """

    def __init__(self, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None) -> None:
        self.progress = progress
        self.cancelled = cancelled
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def at(self, stage: str, done: int, total: int) -> None:
        """
        Say how far a stage is.

        Raises
        ------
        Cancelled
            When the user has stopped it.
        """
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(N_("The import was stopped. Nothing of it was kept."))
        if self.progress is not None:
            self.progress(stage, done, total)

    def reading(self, share: float) -> None:
        """Say how much of the file is read."""
        self.at(READING, round(share * 1000), 1000)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def took(self) -> dict[str, float]:
        """Return the seconds of each stage so far."""
        return {name: round(seconds, 3) for name, seconds in self.seconds.items()}
