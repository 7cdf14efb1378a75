"""
Points on fine square cells, and how densely they lie there, smoothed as far as their number calls for.

Cells lie on the plane's own lattice, so that a month's cells are those of the month before. Many points at
one and the same position are an address, not a crowd: `n` of them count for no more than `1 + log2(n)`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geo.compiled import compiled

Floats = NDArray[np.float64]
Smooth = NDArray[np.float32]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]

ENOUGH = 16.0  # points in the window a density is told from: it is then right to about a quarter
FEWEST = 8  # positions together: fewer are strays
CELLS_A_WIDTH = 3  # of the least smoothing
STEPS = 5  # smoothings tried, each wider than the last by the root of two
COARSE = 12  # least smoothings make the side of a square in which strays are looked for
MOST_CELLS = 6_000_000
SAME_M = 0.1


class Lattice(NamedTuple):
    """A window of square cells; the cell in row r and column c is `(south + r, west + c)` of the plane."""

    west: int
    south: int
    columns: int
    rows: int
    cell_m: float


class Ground(NamedTuple):
    """
    Cells with what lies in them.

    Parameters
    ----------
    lattice
        Where the cells are.
    cell
        Of each point, row by row from the south; -1 of a stray outside the window.
    mass
        Of each cell: its points, those at one position damped.
    spots
        Of each cell: how many positions its points are at.
    density
        Of each cell: points per cell, smoothed.
    told_from
        Of each cell: how many points its density was told from.
    town
        Of each cell: whether anything lies anywhere near.
    """

    lattice: Lattice
    cell: Ints
    mass: Floats
    spots: Floats
    density: Smooth
    told_from: Smooth
    town: Bools


def ground(x: Floats, y: Floats, weight: Floats, smoothing_m: float) -> Ground:
    """
    Lay points on cells and smooth them.

    Parameters
    ----------
    x, y
        Of each point, in metres on the branch's plane.
    weight
        People a point stands for.
    smoothing_m
        The least standard deviation of the window that a density is told from.
    """
    share, spot = _damped(x, y, weight)
    kept = ~_strays(x, y, COARSE * smoothing_m)
    lattice = _window(x[kept], y[kept], smoothing_m)
    cell = np.full(x.size, -1, dtype=np.int64)
    across = np.floor(x[kept] / lattice.cell_m).astype(np.int64) - lattice.west
    up = np.floor(y[kept] / lattice.cell_m).astype(np.int64) - lattice.south
    cell[kept] = up * lattice.columns + across
    cells = lattice.rows * lattice.columns
    mass = _sums(cell[kept], share[kept], cells)
    spots = _sums(cell[kept], spot[kept], cells)
    table = mass.reshape(lattice.rows, lattice.columns)
    density, told_from, town = _smoothed(table, smoothing_m / lattice.cell_m)
    return Ground(lattice, cell, mass, spots, density.ravel(), told_from.ravel(), town.ravel())


def _sums(cell: Ints, amount: Floats, cells: int) -> Floats:
    return np.bincount(cell, weights=amount, minlength=cells).astype(np.float64)


def _damped(x: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return each point's part of what its position counts for, `1 + log2` of all weight there, and of it."""
    spot = np.round(x / SAME_M).astype(np.int64) * (1 << 32) + np.round(y / SAME_M).astype(np.int64)
    _, where, rows = np.unique(spot, return_inverse=True, return_counts=True)
    there = np.maximum(np.bincount(where, weights=weight), 1e-9)
    counted = np.where(there > 1.0, 1.0 + np.log2(np.maximum(there, 1.0)), there)
    return weight * (counted / there)[where], (1.0 / rows)[where]


def _strays(x: Floats, y: Floats, side_m: float) -> Bools:
    """Return which points have next to none about them: fewer than a handful in nine great squares."""
    across, up = (np.floor(each / side_m).astype(np.int64) for each in (x, y))
    squares, where = np.unique(across * (1 << 32) + up, return_inverse=True)
    number = np.bincount(where)
    about = np.zeros(squares.size, dtype=np.int64)
    for step in (east * (1 << 32) + north for east in (-1, 0, 1) for north in (-1, 0, 1)):
        at = np.minimum(np.searchsorted(squares, squares + step), squares.size - 1)
        about += np.where(squares[at] == squares + step, number[at], 0)
    few: Bools = (about < FEWEST)[where]
    return few


def _window(x: Floats, y: Floats, smoothing_m: float) -> Lattice:
    """Return the window of cells that holds points, with room round them; coarser cells over a wide land."""
    cell_m = smoothing_m / CELLS_A_WIDTH
    if not x.size:
        return Lattice(0, 0, 1, 1, cell_m)
    while True:
        room = 3 * int(np.ceil(smoothing_m / cell_m))
        west, east = (int(np.floor(edge / cell_m)) for edge in (x.min(), x.max()))
        south, north = (int(np.floor(edge / cell_m)) for edge in (y.min(), y.max()))
        columns, rows = east - west + 1 + 2 * room, north - south + 1 + 2 * room
        if columns * rows <= MOST_CELLS:
            return Lattice(west - room, south - room, columns, rows, cell_m)
        cell_m *= 2.0


def _smoothed(mass: NDArray[np.float64], width: float) -> tuple[Smooth, Smooth, Bools]:
    """
    Return densities told from at least `ENOUGH` points each, where there are so many within four widths.

    A balloon estimate (Loftsgaarden & Quesenberry 1965) with a Gaussian window, whose effective area is
    4 pi s^2: between two windows it is read off a line, so that it has no steps.
    """
    layers = np.empty((STEPS, *mass.shape), dtype=np.float32)
    before = mass.astype(np.float32)
    spread = 0.0
    widths = width * np.sqrt(2.0) ** np.arange(STEPS)
    for step, wide in enumerate(widths):
        more = float(np.sqrt(wide * wide - spread * spread))
        before = ndimage.gaussian_filter(before, more, mode="constant", truncate=3.5)
        layers[step], spread = before, wide
    density, count = np.zeros_like(before), np.zeros_like(before)
    _balloon(
        layers.reshape(STEPS, -1),
        (4.0 * np.pi * widths**2).astype(np.float32),
        ENOUGH,
        density.ravel(),
        count.ravel(),
    )
    return density, count, layers[-1] * np.float32(4.0 * np.pi * widths[-1] ** 2) > 0.25


@compiled
def _balloon(layers: Smooth, areas: Smooth, enough: float, density: Smooth, count: Smooth) -> None:
    """Write for each cell the density of the narrowest window that holds enough."""
    steps, cells = layers.shape
    for cell in range(cells):
        if layers[steps - 1, cell] <= 1e-7:
            continue
        step = 0
        while step < steps and layers[step, cell] * areas[step] < enough:
            step += 1
        if step == 0:
            density[cell], count[cell] = layers[0, cell], layers[0, cell] * areas[0]
        elif step == steps:
            density[cell], count[cell] = layers[-1, cell], layers[-1, cell] * areas[-1]
        else:
            low = np.log(max(layers[step - 1, cell], 1e-9))
            high = np.log(max(layers[step, cell], 1e-9))
            first = low + np.log(areas[step - 1])
            last = high + np.log(areas[step])
            part = (np.log(enough) - first) / (last - first)
            density[cell], count[cell] = np.exp(low + part * (high - low)), enough
