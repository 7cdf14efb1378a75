"""The nearest other of many points, and which of two places is nearer: nothing far off is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.compiled import compiled, released
from geo.threads import in_parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_EARTH_M, _FLATTENING = 6378137.0, 1 / 298.257223563
_FEW_MORE = 1.0 + 1e-6  # a strip is passed over only if it is out of reach by more than rounding


def nearest_m(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """
    Return the distance from each point to the nearest other one, in metres.

    Parameters
    ----------
    lon, lat
        Degrees, WGS 84; not across the date line.

    Returns
    -------
    nearest_m
        Within a hundred-thousandth of the geodesic up to ten kilometres; NaN for a point alone.
    """
    east, north = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if east.size < 2:
        return np.full(east.size, np.nan)
    # Strips of one height from south to north, each sorted by longitude: as many as there are points in one.
    strips = max(1, int(np.sqrt(east.size)))
    south, west = float(north.min()), float(east.min())
    height, width = (float(np.ptp(degrees)) or 1.0 for degrees in (north, east))
    strip = np.minimum(((north - south) * (strips / height)).astype(np.int64), strips - 1)
    order = np.argsort(strip + (east - west) / (width * _FEW_MORE))
    strip = strip[order]
    starts = np.searchsorted(strip, np.arange(strips + 1))
    # Metres a degree change little within a strip: at its edges they are exact, and a line between them.
    edges = _metres_a_degree(np.asarray(south + np.arange(strips + 1) * (height / strips), dtype=np.float64))
    across, up = (np.column_stack([each[:-1], np.diff(each) / (height / strips)]) for each in edges)
    found, in_order = np.empty(east.size), np.empty(east.size)
    east, north, step = east[order], north[order], height / strips

    def work(first: int, last: int) -> None:
        _nearest(east, north, strip, starts, across, up, south, step, first, last, in_order)

    in_parts(work, east.size)
    found[order] = in_order
    return found


def _metres_a_degree(lat: Floats) -> tuple[Floats, Floats]:
    """Return the metres of a degree along the parallel and along the meridian."""
    north = np.radians(lat)
    squared = _FLATTENING * (2.0 - _FLATTENING)
    bent = 1.0 - squared * np.sin(north) ** 2
    across, up = _EARTH_M * np.cos(north) / np.sqrt(bent), _EARTH_M * (1.0 - squared) / bent**1.5
    return np.radians(across), np.radians(up)


@released
def _nearest(
    east: Floats,
    north: Floats,
    strip: Ints,
    starts: Ints,
    across: Floats,
    up: Floats,
    south: float,
    height: float,
    begin: int,
    stop: int,
    found: Floats,
) -> None:
    """Write the distances of some of the points."""
    end_across, end_up = across[-1, 0] + height * across[-1, 1], up[-1, 0] + height * up[-1, 1]
    least_across = min(across[:, 0].min(), end_across) / _FEW_MORE
    least_up = min(up[:, 0].min(), end_up) / _FEW_MORE
    last = starts.size - 2
    for point in range(begin, stop):
        best = np.inf  # squared
        own = strip[point]
        rest = north[point] - (south + own * height)
        own_across, own_up = across[own, 0] + rest * across[own, 1], up[own, 0] + rest * up[own, 1]
        away = 0
        while True:
            below = max(north[point] - (south + (own - away + 1) * height), 0.0) * least_up
            above = max(south + (own + away) * height - north[point], 0.0) * least_up
            low = own - away >= 0 and (away == 0 or below * below <= best)
            high = away > 0 and own + away <= last and above * above <= best
            if not low and not high:  # both edges are out of reach, or no strip is left on either side
                break
            for side in range(2):
                if (side == 0 and not low) or (side == 1 and not high):
                    continue
                at = own - away if side == 0 else own + away
                first, end = starts[at], starts[at + 1]
                middle = point if away == 0 else first + np.searchsorted(east[first:end], east[point])
                for step in (1, -1):
                    other = middle if step == 1 else middle - 1
                    while first <= other < end:
                        run = east[other] - east[point]
                        if (run * least_across) ** 2 > best:
                            break
                        if other != point:
                            rest = north[other] - (south + at * height)
                            dx = 0.5 * run * (own_across + across[at, 0] + rest * across[at, 1])
                            dy = 0.5 * (north[other] - north[point])
                            dy *= own_up + up[at, 0] + rest * up[at, 1]
                            best = min(best, dx * dx + dy * dy)
                        other += step
            away += 1
        found[point] = np.sqrt(best)


def nearer_than(points: Floats, place: Floats, others: Floats) -> Bools:
    """
    Return which points are nearer to any of some others than to one place; equally near is not nearer.

    Parameters
    ----------
    points, others
        Three columns; quickest where points that follow each other lie together.
    place
        Three coordinates.
    """
    apart = np.linalg.norm(others - place, axis=1)
    order = np.argsort(apart, kind="stable")
    return _nearer_than(
        np.ascontiguousarray(points), place, np.ascontiguousarray(others[order]), apart[order]
    )


@compiled
def _nearer_than(points: Floats, place: Floats, others: Floats, apart: Floats) -> Bools:
    found = np.zeros(len(points), dtype=np.bool_)
    guess = 0
    for point in range(len(points)):
        x, y, z = points[point]
        own = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
        reach = 2.0 * np.sqrt(own) * _FEW_MORE  # what lies farther from the place is farther from the point
        for step in range(-1, len(others)):
            at = guess if step < 0 else step  # what was nearer to the last point, first
            if at >= len(others) or (step >= 0 and apart[at] > reach):
                break
            away = (x - others[at, 0]) ** 2 + (y - others[at, 1]) ** 2 + (z - others[at, 2]) ** 2
            if away < own:
                found[point] = True
                guess = at
                break
    return found
