"""Long work shared out among processes: the machine's cores for what runs under Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from loky import get_reusable_executor

from geo.threads import cores

IDLE_S = 60  # after which a process ends that has nothing to do, or nobody to do it for

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
    pool, rest = get_reusable_executor(max_workers=workers, timeout=IDLE_S), iter(pieces)
    waiting: deque[Future[Done]] = deque(pool.submit(work, each) for each in islice(rest, workers + 1))
    try:
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(work, each) for each in islice(rest, 1))
            yield done
    finally:
        for each in waiting:
            each.cancel()
