"""
Sums over circles: rows sorted by distance once, so that what lies inside any radius costs next to nothing.

Inside a circle is a beginning of the rows sorted by distance. Sums are kept at the end of every block of
rows; a circle's are those of its last whole block and, added up on the spot, the few rows after it. Both
are sums of the very rows, so no figure is an estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.snapshots import Layer

Rows = NDArray[np.intp]
Sums = NDArray[np.float64]
BLOCK = 4096
_BLOCKS_AT_ONCE = 64  # bounds what is copied while sums are made


class Part(NamedTuple):
    """What some rows add: an amount to a code, each entry on behalf of one of the rows."""

    code: NDArray[np.integer]
    amount: NDArray[np.float64] | None = None  # 1 each
    row: Rows | None = None  # place among the rows asked for; None: entries are the rows


class Tally:
    """
    Sums per code inside any circle.

    Parameters
    ----------
    rows
        Of a layer, by distance.
    codes
        Number of codes.
    part
        What rows of the layer add.
    """

    def __init__(self, rows: Rows, codes: int, part: Callable[[Rows], Part]) -> None:
        self._rows, self._codes, self._part = rows, codes, part
        blocks = len(rows) // BLOCK
        ends = np.zeros((blocks + 1, codes))
        for first in range(0, blocks, _BLOCKS_AT_ONCE):
            last = min(first + _BLOCKS_AT_ONCE, blocks)
            ends[first + 1 : last + 1] = self._per_block(rows[first * BLOCK : last * BLOCK])
        self._ends = np.cumsum(ends, axis=0)
        self.total = self.first(len(rows))

    def first(self, count: int) -> Sums:
        """Return the sums of so many nearest rows."""
        block = count // BLOCK
        rest = self._rows[block * BLOCK : count]
        ends: Sums = self._ends[block]
        return ends + self._per_block(rest)[0] if len(rest) else ends.copy()

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return int(self._ends.nbytes)

    def _per_block(self, rows: Rows) -> Sums:
        code, amount, row = self._part(rows)
        blocks = -(-len(rows) // BLOCK)
        block = (np.arange(len(rows)) if row is None else row) // BLOCK
        sums = np.bincount(block * self._codes + code, amount, minlength=blocks * self._codes)
        return sums.reshape(blocks, self._codes).astype(np.float64)


class Running:
    """
    The rows of a layer that pass a filter, by distance, with the tallies made of them.

    Parameters
    ----------
    layer
        What is set aside in it lies outside every circle.
    shown
        Which of its rows pass.
    tallies
        By name: number of codes, and what rows add.
    """

    def __init__(
        self,
        layer: Layer,
        shown: NDArray[np.bool_],
        tallies: dict[str, tuple[int, Callable[[Rows], Part]]],
    ) -> None:
        nearest = layer.nearest_first
        self.rows: Rows = nearest if shown.all() else nearest[shown[nearest]]
        self._reach_m = layer.reach_m[self.rows]
        self._tallies = {name: Tally(self.rows, codes, part) for name, (codes, part) in tallies.items()}

    def count(self, radius_m: float) -> int:
        """Return how many rows lie inside a circle, its rim included."""
        return int(np.searchsorted(self._reach_m, radius_m, side="right"))

    def sums(self, name: str, radius_m: float, outside: bool) -> Sums:
        """Return a tally's sums inside a circle, or outside of it."""
        tally = self._tallies[name]
        inside = tally.first(self.count(radius_m))
        return tally.total - inside if outside else inside

    def total(self, name: str) -> Sums:
        """Return a tally's sums of all rows."""
        return self._tallies[name].total

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        tallies = sum(tally.nbytes for tally in self._tallies.values())
        return int(self.rows.nbytes + self._reach_m.nbytes) + tallies
