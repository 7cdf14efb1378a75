"""Compiled work shared out among the machine's cores, in threads of this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

FEW = 4096  # pieces that are done before threads would have begun
PARTS_A_CORE = 8  # pieces are not alike: whoever is done sooner takes another part


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parts(work: Callable[[int, int], object], pieces: int, *, few: int = FEW) -> None:
    """
    Call work for ranges that make up all pieces, on all cores.

    Parameters
    ----------
    work
        Takes a start and an end; compiled without Python's lock (`geo.compiled.released`), and writing only
        what belongs to its own range. So the answer does not depend on how many cores there are.
    pieces
        How many.
    few
        Up to so many are done at once, here.
    """
    workers = cores()
    if pieces <= few or workers == 1:
        work(0, pieces)
        return
    parts = min(workers * PARTS_A_CORE, pieces)
    edges = [pieces * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, *edges[part : part + 2]) for part in range(parts)]:
            done.result()
