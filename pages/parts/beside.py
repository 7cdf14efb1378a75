"""
What takes long to work out, worked out beside the page: the page asks for it, and shows it when it is there.

The work is done once for all who ask for the same, and reads no session of a user: it is begun with values.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import wait as done_of
from typing import Any, TypeVar

import streamlit as st

from geo.errors import ZhendiError
from pages.parts.frame import calm
from pages.parts.words import _
from pages.parts.zone_work import KNOWN

LOG = logging.getLogger("zhendi.pages")
T = TypeVar("T")
AT_ONCE = 2
KEPT = 12  # outcomes; the oldest are let go
PATIENCE_S = 3.0  # what is done by then needs no second run of the page
POLL_S = 1.0

_asked: OrderedDict[Hashable, Future[Any]] = OrderedDict()
_lock = threading.Lock()
_room = threading.Semaphore(AT_ONCE)


def found(key: Hashable, task: Callable[[], T], *, patience_s: float = PATIENCE_S) -> T | None:
    """
    Return what some work found, or None as long as it goes on: ask again then.

    Parameters
    ----------
    key
        Small facts that tell this work from all other: the store, the data version, the parameters, the scope
        of rights.
    task
        Does it, and never finds None. What it raises is raised here, once.
    patience_s
        How long to wait for it.
    """
    future = _begun(key, task)
    if not done_of([future], timeout=patience_s).done:
        return None
    if future.exception() is not None:
        forget(key)
    return future.result()


def forget(key: Hashable) -> None:
    """Let go of an outcome: it is worked out anew when it is asked for."""
    with _lock:
        _asked.pop(key, None)


def _begun(key: Hashable, task: Callable[[], Any]) -> Future[Any]:
    """Return the work of a key, begun now if nobody asked for it yet."""
    with _lock:
        future = _asked.get(key)
        if future is None:
            future = _asked[key] = Future()
            threading.Thread(target=_run, args=(future, task), name="beside", daemon=True).start()
        _asked.move_to_end(key)
        done = [each for each, other in _asked.items() if other.done() and each != key]
        for old in done[: max(0, len(_asked) - KEPT)]:
            del _asked[old]
    return future


def _run(future: Future[Any], task: Callable[[], Any]) -> None:
    with _room:
        try:
            future.set_result(task())
        except ZhendiError as error:
            future.set_exception(error)
        except KNOWN as error:
            LOG.error("work beside a page: %s", type(error).__name__)  # never its values
            future.set_exception(error)
        finally:
            if not future.done():
                future.set_exception(RuntimeError("work beside a page"))


def wait() -> None:
    """Say that the work goes on, and show the page anew when it may be done."""
    _waiting(time.monotonic())


@st.fragment(run_every=POLL_S)
@calm()
def _waiting(since: float) -> None:
    st.info(
        _("This takes a moment the first time; the page can be used meanwhile."),
        icon=":material/hourglass_top:",
    )
    if time.monotonic() - since > POLL_S / 2:
        st.rerun()
