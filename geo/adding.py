"""Sums of rows per code in one pass, without turning what is added into other kinds of numbers first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]


@compiled
def sums(code: Codes, amounts: NDArray[Any], n: int) -> Floats:
    """Return the sum of amounts (numbers or flags) per code, 0 to `n` - 1."""
    found = np.zeros(n)
    for row in range(code.size):
        found[code[row]] += amounts[row]
    return found


@compiled
def counts(code: Codes, kind: NDArray[Any], n: int, kinds: int) -> Floats:
    """Return how many rows of each kind there are per code; a negative kind is none."""
    found = np.zeros((n, kinds))
    for row in range(code.size):
        if kind[row] >= 0:
            found[code[row], kind[row]] += 1.0
    return found


@compiled
def members(code: Codes, chosen: NDArray[np.int32], starts: Ints, flat: Ints, n: int, kinds: int) -> Floats:
    """
    Return how many rows have each member of their set, per code.

    Parameters
    ----------
    code
        Per row.
    chosen
        The row's set; negative where there is none.
    starts, flat
        The members of set i are `flat[starts[i]:starts[i + 1]]`.
    n, kinds
        How many codes there are, and how many members.
    """
    found = np.zeros((n, kinds))
    for row in range(code.size):
        if chosen[row] >= 0:
            for at in range(starts[chosen[row]], starts[chosen[row] + 1]):
                found[code[row], flat[at]] += 1.0
    return found
