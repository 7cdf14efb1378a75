"""Outlines of clusters, from their cells: what people see of one on a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from geo.cluster_ground import Lattice

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_HALF = 1 << 24  # a cell's number: its row and column on the plane's lattice, in one
SPECK = 0.05  # of a cluster's cells: a piece apart that is smaller is not drawn
_ROUGH = 1.5  # cells: corners that make triangles smaller than the square of it go


def numbers(cells: Ints, lattice: Lattice) -> Ints:
    """Return the numbers of a window's cells on the plane's lattice."""
    return number(cells // lattice.columns + lattice.south, cells % lattice.columns + lattice.west)


def number(row: Ints, column: Ints) -> Ints:
    """Return the numbers of cells by row and column on the plane's lattice."""
    found: Ints = (row + _HALF) * (2 * _HALF) + (column + _HALF)
    return found


def places(cells: Ints) -> tuple[Ints, Ints]:
    """Return the rows and columns of numbered cells on the plane's lattice; undoes `number`."""
    return cells // (2 * _HALF) - _HALF, cells % (2 * _HALF) - _HALF


def holding(clusters: Sequence[Ints], x: ArrayLike, y: ArrayLike, cell_m: float) -> NDArray[np.int32]:
    """Return which cluster's cells hold each of some points of the plane; -1 of none."""
    row, column = (np.floor(np.asarray(each, dtype=np.float64) / cell_m).astype(np.int64) for each in (y, x))
    if not clusters:
        return np.full(row.size, -1, dtype=np.int32)
    cells, owner = np.concatenate(clusters), np.repeat(np.arange(len(clusters)), [len(c) for c in clusters])
    order = np.argsort(cells)
    own = number(row, column)
    at = order[np.minimum(np.searchsorted(cells[order], own), len(cells) - 1)]
    return np.where(cells[at] == own, owner[at], -1).astype(np.int32)


def hulls(clusters: Sequence[Ints], cell_m: float) -> list[BaseGeometry]:
    """
    Return an outline of each cluster's cells, in metres: simplified, without specks, none over another.

    Parameters
    ----------
    clusters
        Numbers of cells, see `number`; no cell in two.
    cell_m
        A cell's side.
    """
    if not clusters:
        return []
    taken = np.sort(np.concatenate(clusters))
    whole = np.array([_outline(cells, taken, cell_m) for cells in clusters], dtype=object)
    plain = shapely.coverage_simplify(whole, _ROUGH * cell_m)
    return _apart([_area(shapely.make_valid(each)) for each in plain])


def _outline(cells: Ints, taken: Ints, cell_m: float) -> BaseGeometry:
    """Return a cluster's cells but for specks as a shape; holes stay where other clusters lie in them."""
    row, column = places(cells)
    south, west = int(row.min()) - 1, int(column.min()) - 1
    there = np.zeros((int(row.max()) - south + 2, int(column.max()) - west + 2), dtype=bool)
    there[row - south, column - west] = True
    pieces, count = ndimage.label(there)
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        there = (sizes >= min(SPECK * len(cells), sizes.max()))[pieces]
    up, across = np.nonzero(ndimage.binary_fill_holes(there) & ~there)
    holes = number(up + south, across + west)
    free = taken[np.minimum(np.searchsorted(taken, holes), len(taken) - 1)] != holes
    there[up[free], across[free]] = True
    return shapely.build_area(shapely.multilinestrings(_edges(there, south, west) * cell_m))


def _edges(there: Bools, south: int, west: int) -> NDArray[np.float64]:
    """Return the sides between cells that are there and cells that are not: a line of two corners each."""
    up, across = np.nonzero(there[1:] != there[:-1])
    level = np.column_stack([across, up + 1, across + 1, up + 1])
    up, across = np.nonzero(there[:, 1:] != there[:, :-1])
    upright = np.column_stack([across + 1, up, across + 1, up + 1])
    corners = np.concatenate([level, upright]).reshape(-1, 2, 2) + np.array([west, south])
    found: NDArray[np.float64] = corners.astype(np.float64)
    return found


def _apart(shapes: list[BaseGeometry]) -> list[BaseGeometry]:
    """Return shapes without the slivers that simplifying laid over a neighbour: the heavier keeps them."""
    tree = shapely.STRtree(shapes)
    for at, shape in enumerate(shapes):
        before = [shapes[other] for other in sorted(tree.query(shape)) if other < at]
        if before:
            shapes[at] = _area(shapely.difference(shape, shapely.union_all(before)))
    return shapes


def _area(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a shape, without slivers."""
    areas = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == 2]
    least = SPECK * max((part.area for part in areas), default=0.0)
    kept = [part for part in areas if part.area >= least]
    return kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)
