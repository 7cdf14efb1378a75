"""Which points lie in reach of any of a few places, each with a reach of its own: exact, and cheap."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import crs
from geo.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_EARTH_M, _FLATTENING = 6378137.0, 1 / 298.257223563
_CLOSE = 1e-4  # of a reach: so near to its end a point is measured on the plane
_STEP = 0.5  # degrees
_MOST_CELLS = 1000  # along a side
_AT_ONCE = 1024
_OUT, _IN, _RIM = range(3)


def in_reach(
    lon: ArrayLike,
    lat: ArrayLike,
    place_lon: ArrayLike,
    place_lat: ArrayLike,
    reach_m: ArrayLike,
    centre: tuple[float, float],
) -> Bools:
    """
    Return which points are within the reach of a place, its rim included.

    Distances are those of the metric plane round the centre (`geo.crs.local_metric`). Nearly all points are
    told by metres a degree alone; those close to a rim are measured on the plane.

    Parameters
    ----------
    lon, lat
        Points, degrees.
    place_lon, place_lat, reach_m
        Places, and how far each reaches.
    centre
        Longitude and latitude of the branch.
    """
    east, north = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    places = [np.asarray(each, dtype=np.float64) for each in (place_lon, place_lat, reach_m)]
    far = np.asarray(places[2], dtype=np.float64)
    if not east.size or not far.size or not far.max() > 0.0:
        return np.zeros(east.size, dtype=np.bool_)
    grid = _Grid.of(*places)
    rim = _CLOSE + (float(far.max()) / _EARTH_M) ** 2 + _stretched(east, north, centre)
    state = _told(east, north, grid.places, grid.starts, grid.shape, grid.corner, grid.cell, rim)
    found: Bools = state == _IN
    doubtful = np.flatnonzero(state == _RIM)
    found[doubtful] = _measured(east[doubtful], north[doubtful], places, centre)
    return found


class _Grid(NamedTuple):
    """Places in cells as wide as the farthest reach, row by row."""

    places: Floats  # lon, lat, reach, metres a degree across and up, and how these change a degree north
    starts: Ints
    shape: tuple[int, int]
    corner: tuple[float, float]
    cell: tuple[float, float]

    @classmethod
    def of(cls, east: Floats, north: Floats, reach_m: Floats) -> Self:
        across, up = _metres_a_degree(north)
        far = float(reach_m.max()) * 1.01
        least = _metres_a_degree(np.array([min(np.abs(north).max() + _STEP, 89.0)]))[0][0]
        wide = max(far / least, float(np.ptp(east)) / _MOST_CELLS)
        high = max(far / float(up.min()), float(np.ptp(north)) / _MOST_CELLS)
        corner = (float(east.min()) - wide, float(north.min()) - high)
        column = ((east - corner[0]) / wide).astype(np.int64)
        row = ((north - corner[1]) / high).astype(np.int64)
        shape = (int(column.max()) + 2, int(row.max()) + 2)
        number = row * shape[0] + column
        order = np.argsort(number, kind="stable")
        starts = np.searchsorted(number[order], np.arange(shape[0] * shape[1] + 1)).astype(np.int64)
        steeper = [
            (b - a) / _STEP for a, b in zip((across, up), _metres_a_degree(north + _STEP), strict=True)
        ]
        columns = np.column_stack([east, north, reach_m, across, up, *steeper])[order]
        return cls(np.ascontiguousarray(columns), starts, shape, corner, (wide, high))


def _metres_a_degree(lat: Floats) -> tuple[Floats, Floats]:
    """Return the metres of a degree along the parallel and along the meridian."""
    north = np.radians(lat)
    squared = _FLATTENING * (2.0 - _FLATTENING)
    bent = 1.0 - squared * np.sin(north) ** 2
    across, up = _EARTH_M * np.cos(north) / np.sqrt(bent), _EARTH_M * (1.0 - squared) / bent**1.5
    return np.radians(across), np.radians(up)


def _stretched(east: Floats, north: Floats, centre: tuple[float, float]) -> float:
    """Return a bound of how much the plane stretches what lies so far from its centre: (d / R)^2 / 6."""
    apart = max(float(np.abs(east - centre[0]).max()), float(np.abs(north - centre[1]).max()))
    return float(np.radians(2.0 * apart) ** 2 / 3.0)


@compiled
def _told(
    east: Floats,
    north: Floats,
    places: Floats,
    starts: Ints,
    shape: tuple[int, int],
    corner: tuple[float, float],
    cell: tuple[float, float],
    rim: float,
) -> NDArray[np.int8]:
    """Return which points are in reach, out of it, or too close to a rim to be told."""
    found = np.zeros(east.size, dtype=np.int8)
    wide, high = shape
    for point in range(east.size):
        column = int(np.floor((east[point] - corner[0]) / cell[0]))
        row = int(np.floor((north[point] - corner[1]) / cell[1]))
        if column < 0 or row < 0 or column > wide or row > high:
            continue
        state = 0
        for beside in range(max(row - 1, 0), min(row + 2, high)):
            first = beside * wide + max(column - 1, 0)
            last = beside * wide + min(column + 2, wide)
            for at in range(starts[first], starts[last]):
                rise = north[point] - places[at, 1]
                dx = (east[point] - places[at, 0]) * (places[at, 3] + 0.5 * rise * places[at, 5])
                dy = rise * (places[at, 4] + 0.5 * rise * places[at, 6])
                away, reach = np.sqrt(dx * dx + dy * dy), places[at, 2]
                if away <= reach * (1.0 - rim):
                    state = 1
                    break
                if away <= reach * (1.0 + rim):
                    state = 2
            if state == 1:
                break
        found[point] = state
    return found


def _measured(east: Floats, north: Floats, places: list[Floats], centre: tuple[float, float]) -> Bools:
    """Return which points are in reach, measured on the plane."""
    plane = crs.local_metric(*centre)
    x, y = crs.to_metric(places[0], places[1], plane)
    own_x, own_y = crs.to_metric(east, north, plane)
    found = np.zeros(east.size, dtype=np.bool_)
    for start in range(0, east.size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        away = np.hypot(own_x[part, None] - x, own_y[part, None] - y)
        found[part] = (away <= places[2]).any(axis=1)
    return found
