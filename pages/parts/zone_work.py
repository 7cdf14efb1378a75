"""
Long work beside the page: zones designed or rebalanced while the page can still be used.

The work computes and keeps nothing: what it found is kept by the page, on the plan it was begun for. It stops
when it is told to, and by itself once whoever began it is gone and no page has asked after it for a while. A
page that is slow to ask, or another page that is looked at meanwhile, stops nothing.
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
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from data.zones.held import Held
from geo.errors import ZhendiError
from geo.plans import Change
from pages.parts import state

LOG = logging.getLogger("zhendi.pages")
KNOWN = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, MemoryError, ShapelyError)
LEFT_S = 120.0  # after which work stops that no page asks after and whose user is gone
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
    is_wanted: Callable[[], bool] = lambda: False
    kept: Held | None = None
    """The plan with what came of it; None before that is kept."""
    thread: threading.Thread | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is still at work."""
        return self.outcome is None and self.error is None

    def is_cancelled(self) -> bool:
        """Whether it should stop."""
        if self.stopped:
            return True
        return time.monotonic() - self.asked_at > LEFT_S and not self.is_wanted()

    def keep(self, held: Held) -> None:
        """Note the plan with what came of the work: it is kept once."""
        self.kept = held

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
    token, job = secrets.token_hex(8), Job(held, title, tell, is_wanted=_session())
    state.keep_job(token)  # may cut the run short: nothing is begun then that nobody knows of
    job.thread = threading.Thread(target=_run, args=(job, task), name=f"zones {token}", daemon=True)
    with _lock:
        _jobs[token] = job
    job.thread.start()
    return True


def _session() -> Callable[[], bool]:
    """Return what says whether the user who begins work is there still, on whatever page."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():
        return lambda: False
    running, session_id = runtime.get_instance(), context.session_id
    return lambda: bool(running.is_active_session(session_id))


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
