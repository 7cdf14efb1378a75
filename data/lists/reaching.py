"""
Of rows that share something, those that are near each other: in machine code, for there are many to look at.

Row `row_a[i]` of one side shares a key with rows `row_b[low[i]:high[i]]` of the other. A pair counts where
they are within reach, and the other row has the smaller number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled, inner

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@inner
def _reaches(
    a: int, b: int, x: Floats, y: Floats, u: Floats, v: Floats, p: Rows, q: Rows, reach: float
) -> bool:
    dx, dy = x[a] - u[b], y[a] - v[b]
    return bool(p[a] > q[b] and dx * dx + dy * dy <= reach * reach)


@compiled
def count(
    row_a: Rows,
    row_b: Rows,
    low: Rows,
    high: Rows,
    x: Floats,
    y: Floats,
    u: Floats,
    v: Floats,
    number_a: Rows,
    number_b: Rows,
    reach: float,
) -> int:
    """Return how many pairs there are; positions in metres."""
    many = 0
    for at in range(row_a.size):
        for other in range(low[at], high[at]):
            if _reaches(row_a[at], row_b[other], x, y, u, v, number_a, number_b, reach):
                many += 1
    return many


@compiled
def fill(
    row_a: Rows,
    row_b: Rows,
    low: Rows,
    high: Rows,
    x: Floats,
    y: Floats,
    u: Floats,
    v: Floats,
    number_a: Rows,
    number_b: Rows,
    reach: float,
    a: Rows,
    b: Rows,
) -> None:
    """Write the pairs into arrays as long as `count` says."""
    many = 0
    for at in range(row_a.size):
        for other in range(low[at], high[at]):
            if _reaches(row_a[at], row_b[other], x, y, u, v, number_a, number_b, reach):
                a[many] = row_a[at]
                b[many] = row_b[other]
                many += 1
