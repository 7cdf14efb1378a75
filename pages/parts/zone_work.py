"""
Long work beside the page: zones designed or rebalanced while the page can still be used.

The work computes and keeps nothing: what it found is kept by the page, on the plan it was begun for. It stops
when it is told to, and by itself when no page has asked after it for a while.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shapely.errors import ShapelyError

from data.zones.held import Held
from geo.errors import ZhendiError
from geo.plans import Change
from pages.parts import state

LOG = logging.getLogger("zhendi.pages")
KNOWN = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, MemoryError, ShapelyError)
LEFT_S = 120.0  # after which work that no page asks after stops
MOST_AT_ONCE = 4
Progress = Callable[[int, int], None]
Task = Callable[[Progress, Callable[[], bool]], Any]
Told = Callable[[Any], tuple[Change, list[str]]]


@dataclass
class Job:
    """Work that goes on, or is done: then there is an outcome, which `tell` explains, or what went wrong."""

    held: Held
    title: str
    tell: Told
    done: float = 0.0
    outcome: Any = None
    error: Exception | None = None
    stopped: bool = False
    asked_at: float = field(default_factory=time.monotonic)
    thread: threading.Thread | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is still at work."""
        return self.outcome is None and self.error is None

    def is_cancelled(self) -> bool:
        """Whether it should stop."""
        return self.stopped or time.monotonic() - self.asked_at > LEFT_S

    def progress(self, done: int, whole: int) -> None:
        """Note how far it is."""
        self.done = max(self.done, min(1.0, done / max(1, whole)))


_jobs: dict[str, Job] = {}
_lock = threading.Lock()


def begin(held: Held, title: str, task: Task, tell: Told) -> bool:
    """
    Begin work for a plan.

    Parameters
    ----------
    held
        The plan as it is shown: what comes of the work is a change of that.
    title
        What is being done, in the user's language.
    task
        Computes, beside the page: it must not ask Streamlit or the store for anything.
    tell
        Makes of the outcome the change and what is to be said of it, back in the page.

    Returns
    -------
    begun
        False where too much goes on already.
    """
    with _lock:
        for token in [token for token, job in _jobs.items() if job.is_cancelled() and not job.goes_on]:
            del _jobs[token]
        if sum(job.goes_on for job in _jobs.values()) >= MOST_AT_ONCE:
            return False
        token = secrets.token_hex(8)
        job = _jobs[token] = Job(held, title, tell)
    job.thread = threading.Thread(target=_run, args=(job, task), name=f"zones {token}", daemon=True)
    job.thread.start()
    state.keep_job(token)
    return True


def _run(job: Job, task: Task) -> None:
    try:
        job.outcome = task(job.progress, job.is_cancelled)
    except ZhendiError as error:
        job.error = error
    except KNOWN as error:
        LOG.error("work on zones: %s", type(error).__name__)  # never its values
        job.error = error
    finally:
        if job.goes_on:
            job.error = RuntimeError(job.title)


def current() -> Job | None:
    """Return the user's work, if any goes on or has just ended."""
    token = state.job()
    job = None if token is None else _jobs.get(token)
    if job is None:
        state.keep_job(None)
        return None
    job.asked_at = time.monotonic()
    return job


def forget() -> None:
    """Be done with the user's work: what still goes on stops."""
    token = state.job()
    if token is not None:
        with _lock:
            job = _jobs.pop(token, None)
        if job is not None:
            job.stopped = True
    state.keep_job(None)
