"""Long work shared out among processes: the machine's cores for what runs under Python's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from typing import TypeVar

from geo.threads import cores

Piece = TypeVar("Piece")
Done = TypeVar("Done")


def shared_out(work: Callable[[Piece], Done], pieces: Iterable[Piece], *, alone: bool) -> Iterator[Done]:
    """
    Yield what work makes of each piece, in the order of the pieces.

    Parameters
    ----------
    work
        A function of a module: each process finds it there. What it takes and returns is copied.
    pieces
        Asked for one by one, a few ahead of what is done.
    alone
        Whether to work here and not in other processes: for little, which is done before they would begin.
    """
    workers = cores()
    if alone or workers == 1:
        yield from map(work, pieces)
        return
    # New processes, not copies of this one, which may have threads that hold locks.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        rest = iter(pieces)
        waiting: deque[Future[Done]] = deque(pool.submit(work, each) for each in islice(rest, workers + 1))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(work, each) for each in islice(rest, 1))
            yield done
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one it works for is killed, which could not end it."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_wait_for, args=(parent.sentinel,), daemon=True).start()


def _wait_for(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
