"""
Hills in a landscape of densities, and how much of each stands out of the plain.

Cells are taken from the densest down; each joins the hill of its densest neighbour. Where two hills meet, the
lower one is given up unless the dip between them is real: deeper than a share of its summit, and deeper than
chance makes dips among as many points (ToMATo, Chazal, Guibas, Oudot & Skraba 2013, with a test in place of
its threshold). Of each hill so much is kept as has the greatest excess of mass over a level (Müller &
Sawitzki 1991): cells whose points are likelier its own than strays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled, inner

Floats = NDArray[np.float64]
Smooth = NDArray[np.float32]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]

NONE = -1
LEAST_DIP = 0.75  # of the lower summit: a saddle above makes two hills one
SURE = 3.0  # standard deviations of the difference between two counts
ROUNDS = 12


@compiled
def hills(order: Ints, density: Smooth, count: Smooth, columns: int, least_dip: float, sure: float) -> Codes:
    """
    Return the hill of each cell: the number of its summit's cell; -1 of empty cells.

    Parameters
    ----------
    order
        Cells with a density, the densest first; none at the window's edge.
    density, count
        Of each cell, and how many points the density was told from.
    columns
        Of the window.
    least_dip, sure
        How deep a dip between two hills has to be.
    """
    root = np.full(density.size, -1, dtype=np.int32)
    steps = np.array([-1, 1, -columns, columns, -columns - 1, -columns + 1, columns - 1, columns + 1])
    for cell in order:
        best = -1
        for step in steps:
            near = cell + step
            if root[near] >= 0 and (best < 0 or density[near] > density[best]):
                best = near
        if best < 0:
            root[cell] = cell
            continue
        own = _top(root, best)
        root[cell] = own
        for step in steps:
            if root[cell + step] < 0:
                continue
            other = _top(root, cell + step)
            if other == own:
                continue
            high, low = (own, other) if density[own] >= density[other] else (other, own)
            share = density[cell] / density[low]
            if share > least_dip or 2.0 * np.sqrt(count[low]) * (1.0 - np.sqrt(share)) < sure:
                root[low] = high
                own = high
    for cell in order:
        root[cell] = _top(root, cell)
    return root


@inner
def _top(root: Codes, cell: int) -> int:
    while root[cell] != cell:
        root[cell] = root[root[cell]]
        cell = root[cell]
    return cell


@compiled
def standing_out(order: Ints, hill: Codes, mass: Floats, level: Floats, hills: int) -> tuple[Ints, Floats]:
    """
    Return how many of each hill's cells, from its summit down, hold the most mass over a level.

    Parameters
    ----------
    order
        Cells, the densest first.
    hill
        Of each cell, from 0; -1 none.
    mass
        Of each cell.
    level
        Of each hill: mass a cell that does not count.
    hills
        How many there are.

    Returns
    -------
    cells, mass
        Of each hill.
    """
    seen, upto = np.zeros(hills, dtype=np.int64), np.zeros(hills, dtype=np.int64)
    total, excess, best = np.zeros(hills), np.zeros(hills), np.zeros(hills)
    held = np.zeros(hills)
    for cell in order:
        own = hill[cell]
        if own < 0:
            continue
        seen[own] += 1
        total[own] += mass[cell]
        excess[own] += mass[cell] - level[own]
        if excess[own] > best[own]:
            best[own], upto[own], held[own] = excess[own], seen[own], total[own]
    return upto, held


@compiled
def cores(order: Ints, hill: Codes, mass: Floats, hills: int) -> Floats:
    """Return how dense the half of each hill's mass lies that is nearest to its summit: mass a cell."""
    total, held, cells = np.zeros(hills), np.zeros(hills), np.zeros(hills)
    for cell in order:
        total[hill[cell]] += mass[cell]
    for cell in order:
        own = hill[cell]
        if 2.0 * held[own] < total[own]:
            held[own] += mass[cell]
            cells[own] += 1.0
    return held / np.maximum(cells, 1.0)


@compiled
def kept(order: Ints, hill: Codes, cells: Ints) -> Codes:
    """Return each cell's hill, -1 of those beyond the first so many of their hill."""
    own = np.full(hill.size, -1, dtype=np.int32)
    seen = np.zeros(cells.size, dtype=np.int64)
    for cell in order:
        at = hill[cell]
        if at >= 0:
            if seen[at] < cells[at]:
                own[cell] = at
            seen[at] += 1
    return own
