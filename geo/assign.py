"""
Which zone each point lies in: exact, and quick for a million points in hundreds of zones.

A point belongs to the first shape that holds it, its border included: on a shared border, or where shapes
overlap, the smaller number wins. A grid is laid over the shapes; all points of a cell that no border crosses
have one answer, and only those in the other cells are held against the edges beside them. Where rounding
could decide, GEOS does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo.compiled import compiled, inner

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NOWHERE = -1
_UNSURE, _BORDER = -2, -3
_FEWEST_ROWS, _MOST_ROWS = 8, 1024
_CELLS_A_POINT = 1.0
_MARGIN = 1e-6  # of a grid cell: an edge so near to it counts as crossing it
_ROUNDING = 3.4e-16  # of the two products an orientation is the difference of (Shewchuk's bound)


class Edges(NamedTuple):
    """The borders of all shapes, ring by ring, those of one shape together."""

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    shape: Ints


class Grid(NamedTuple):
    """Where the cells are."""

    west: float
    south: float
    across: float
    up: float
    columns: int
    rows: int
    east: float
    north: float


def zones_of(lon: ArrayLike, lat: ArrayLike, shapes: Sequence[BaseGeometry]) -> Codes:
    """
    Return which shape each point lies in.

    Parameters
    ----------
    lon, lat
        Of the points, in the shapes' reference system.
    shapes
        Valid polygons and multipolygons, the one that wins a shared border or an overlap first.

    Returns
    -------
    codes
        Index into `shapes`; -1 in none.
    """
    x, y = np.ascontiguousarray(lon, dtype=np.float64), np.ascontiguousarray(lat, dtype=np.float64)
    codes = np.full(x.size, NOWHERE, dtype=np.int32)
    edges = _edges(shapes)
    if not x.size or not edges.ax.size:
        return codes
    grid = _grid(edges, x.size)
    starts, listed = _by_row(edges, grid)
    cells = _answers(edges, starts, listed, grid)
    _look_up(x, y, cells, edges, starts, listed, grid, codes)
    unsure = np.flatnonzero(codes == _UNSURE)
    if unsure.size:
        codes[unsure] = _by_geos(x[unsure], y[unsure], shapes)
    return codes


def boxes_of_change(before: Sequence[BaseGeometry], after: Sequence[BaseGeometry]) -> Floats:
    """
    Return boxes that hold every point whose place in a shape may differ: west, south, east, north a row.

    Parameters
    ----------
    before, after
        The same shapes, pair by pair, as they were and as they are; an empty polygon where there was, or is,
        none. A pair gives a box round the edges that only one of the two has, or no box where both run alike.
    """
    boxes = [
        found
        for old, new in zip(before, after, strict=True)
        if old is not new and (found := _box(old, new)) is not None
    ]
    return np.array(boxes).reshape(-1, 4)


def inside_boxes(lon: ArrayLike, lat: ArrayLike, boxes: ArrayLike) -> NDArray[np.intp]:
    """Return which points lie in any of some boxes, edges included, in their order."""
    x, y = np.ascontiguousarray(lon, dtype=np.float64), np.ascontiguousarray(lat, dtype=np.float64)
    limits = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.flatnonzero(_in_any(x, y, np.ascontiguousarray(limits)))


def zones_again(
    lon: ArrayLike, lat: ArrayLike, shapes: Sequence[BaseGeometry], rows: NDArray[np.intp]
) -> Codes:
    """Return `zones_of` for some of the points, against the shapes near them alone."""
    x, y = np.asarray(lon, dtype=np.float64)[rows], np.asarray(lat, dtype=np.float64)[rows]
    codes = np.full(rows.size, NOWHERE, dtype=np.int32)
    if not rows.size or not len(shapes):
        return codes
    west, south, east, north = shapely.bounds(np.asarray(shapes, dtype=object)).T
    near = np.flatnonzero((west <= x.max()) & (east >= x.min()) & (south <= y.max()) & (north >= y.min()))
    found = zones_of(x, y, [shapes[at] for at in near.tolist()])
    inside = found >= 0
    codes[inside] = near[found[inside]]
    return codes


def _edges(shapes: Sequence[BaseGeometry]) -> Edges:
    parts, shape_of = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    same = np.flatnonzero(ring_of[:-1] == ring_of[1:])
    (ax, ay), (bx, by) = points[same].T, points[same + 1].T
    shape = shape_of[part_of[ring_of[same]]].astype(np.int64)
    return Edges(*(np.ascontiguousarray(values) for values in (ax, ay, bx, by, shape)))


def _grid(edges: Edges, points: int) -> Grid:
    """Return a grid over the shapes: many cells where there are many points to answer for."""
    rows = int(np.clip(np.sqrt(points * _CELLS_A_POINT), _FEWEST_ROWS, _MOST_ROWS))
    west, south, east, north = (
        float(limit) for limit in (edges.ax.min(), edges.ay.min(), edges.ax.max(), edges.ay.max())
    )
    return Grid(
        west, south, (east - west) / rows or 1.0, (north - south) / rows or 1.0, rows, rows, east, north
    )


def _box(old: BaseGeometry, new: BaseGeometry) -> Floats | None:
    """Return a box round the edges that are not in both: what they enclose is all that changed."""
    ends = [np.column_stack(_edges([shape])[:4]) for shape in (old, new)]
    for edges in ends:  # an edge is the same in either direction
        turned = (edges[:, 0] > edges[:, 2]) | ((edges[:, 0] == edges[:, 2]) & (edges[:, 1] > edges[:, 3]))
        edges[turned] = edges[turned][:, [2, 3, 0, 1]]
    every, times = np.unique(np.concatenate(ends), axis=0, return_counts=True)
    changed = every[times % 2 == 1].reshape(-1, 2)
    return np.concatenate([changed.min(axis=0), changed.max(axis=0)]) if changed.size else None


def _by_geos(x: Floats, y: Floats, shapes: Sequence[BaseGeometry]) -> Codes:
    codes = np.full(x.size, NOWHERE, dtype=np.int32)
    west, south, east, north = shapely.bounds(np.asarray(shapes, dtype=object)).T
    for at in reversed(range(len(shapes))):
        near = np.flatnonzero((x >= west[at]) & (x <= east[at]) & (y >= south[at]) & (y <= north[at]))
        if near.size:
            shapely.prepare(shapes[at])
            codes[near[shapely.intersects_xy(shapes[at], x[near], y[near])]] = at
    return codes


@inner
def _place(value: float, start: float, step: float, count: int) -> int:
    """Return the row or column a coordinate lies in; it never falls as the coordinate rises."""
    return min(max(int((value - start) // step), 0), count - 1)


@compiled
def _by_row(edges: Edges, grid: Grid) -> tuple[Ints, Ints]:
    """Return the edges that reach into each row of the grid, in their order, as starts and a list."""
    starts = np.zeros(grid.rows + 1, dtype=np.int64)
    for edge in range(edges.ay.size):
        first = _place(min(edges.ay[edge], edges.by[edge]), grid.south, grid.up, grid.rows)
        last = _place(max(edges.ay[edge], edges.by[edge]), grid.south, grid.up, grid.rows)
        for row in range(first, last + 1):
            starts[row + 1] += 1
    for row in range(grid.rows):
        starts[row + 1] += starts[row]
    listed = np.empty(starts[grid.rows], dtype=np.int64)
    free = starts[:-1].copy()
    for edge in range(edges.ay.size):
        first = _place(min(edges.ay[edge], edges.by[edge]), grid.south, grid.up, grid.rows)
        last = _place(max(edges.ay[edge], edges.by[edge]), grid.south, grid.up, grid.rows)
        for row in range(first, last + 1):
            listed[free[row]] = edge
            free[row] += 1
    return starts, listed


@inner
def _tested(x: float, y: float, edges: Edges, listed: Ints, first: int, last: int) -> int:
    """Return the first shape that holds a point, of those whose edges reach into its row of the grid."""
    at = first
    while at < last:
        own = int(edges.shape[listed[at]])
        odd = False
        while at < last and edges.shape[listed[at]] == own:
            edge = listed[at]
            at += 1
            ax, ay, bx, by = edges.ax[edge], edges.ay[edge], edges.bx[edge], edges.by[edge]
            if ay == y and (ax == x or (by == y and min(ax, bx) <= x and x <= max(ax, bx))):
                return own
            if (ay > y) == (by > y) or (ax < x and bx < x):
                continue
            if ax > x and bx > x:
                odd = not odd
                continue
            left, right = (ax - x) * (by - y), (ay - y) * (bx - x)
            if abs(left - right) <= _ROUNDING * (abs(left) + abs(right)):
                return _UNSURE
            if (left > right) == (by > ay):  # the edge passes east of the point
                odd = not odd
        if odd:
            return own
    return NOWHERE


@compiled
def _answers(edges: Edges, starts: Ints, listed: Ints, grid: Grid) -> Codes:
    """Return, for each cell of the grid, the answer of all its points, or that a border crosses it."""
    cells = np.full((grid.rows, grid.columns), NOWHERE, dtype=np.int32)
    for row in range(grid.rows):
        low = grid.south + (row - _MARGIN) * grid.up
        high = grid.south + (row + 1 + _MARGIN) * grid.up
        for at in range(starts[row], starts[row + 1]):
            first, last = _columns(edges, listed[at], low, high, grid)
            cells[row, first : last + 1] = _BORDER
        known, answer = False, NOWHERE
        for column in range(grid.columns):
            if cells[row, column] == _BORDER:
                known = False
                continue
            if not known:  # up to the next border all cells have the answer of this one
                x = grid.west + (column + 0.5) * grid.across
                y = grid.south + (row + 0.5) * grid.up
                answer = _tested(x, y, edges, listed, starts[row], starts[row + 1])
                known = answer != _UNSURE
            cells[row, column] = answer if known else _BORDER
    return cells


@inner
def _columns(edges: Edges, edge: int, low: float, high: float, grid: Grid) -> tuple[int, int]:
    """Return the first and last column an edge crosses between two heights."""
    ax, bx = edges.ax[edge], edges.bx[edge]
    rise, run = edges.by[edge] - edges.ay[edge], bx - ax
    if rise != 0.0:
        one, two = (low - edges.ay[edge]) / rise, (high - edges.ay[edge]) / rise
        ax, bx = ax + min(max(one, 0.0), 1.0) * run, ax + min(max(two, 0.0), 1.0) * run
    margin = _MARGIN * grid.across
    first = _place(min(ax, bx) - margin, grid.west, grid.across, grid.columns)
    return first, _place(max(ax, bx) + margin, grid.west, grid.across, grid.columns)


@compiled
def _look_up(
    x: Floats, y: Floats, cells: Codes, edges: Edges, starts: Ints, listed: Ints, grid: Grid, codes: Codes
) -> None:
    """Write each point's answer, -2 where rounding could decide."""
    for point in range(x.size):
        if not (grid.west <= x[point] <= grid.east and grid.south <= y[point] <= grid.north):
            continue
        row = _place(y[point], grid.south, grid.up, grid.rows)
        answer = cells[row, _place(x[point], grid.west, grid.across, grid.columns)]
        if answer == _BORDER:
            answer = _tested(x[point], y[point], edges, listed, starts[row], starts[row + 1])
        codes[point] = answer


@compiled
def _in_any(x: Floats, y: Floats, boxes: Floats) -> Bools:
    found = np.zeros(x.size, dtype=np.bool_)
    for point in range(x.size):
        for at in range(boxes.shape[0]):
            west, south, east, north = boxes[at]
            if west <= x[point] <= east and south <= y[point] <= north:
                found[point] = True
                break
    return found
