"""The nearest other of many points, and which of two places is nearer: nothing far off is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.compiled import compiled

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
    east = np.radians(np.asarray(lon, dtype=np.float64))
    north = np.radians(np.asarray(lat, dtype=np.float64))
    if east.size < 2:
        return np.full(east.size, np.nan)
    # Metres per radian: the radii of curvature, along the parallel and along the meridian.
    squared = _FLATTENING * (2.0 - _FLATTENING)
    bent = 1.0 - squared * np.sin(north) ** 2
    across, up = _EARTH_M * np.cos(north) / np.sqrt(bent), _EARTH_M * (1.0 - squared) / bent**1.5
    # Strips of one height from south to north, each sorted by longitude: about as many points as strips.
    strips = max(1, int(np.sqrt(east.size)))
    height = float(np.ptp(north)) / strips or 1.0
    strip = np.minimum(((north - north.min()) / height).astype(np.int64), strips - 1)
    order = np.lexsort((east, strip))
    starts = np.searchsorted(strip[order], np.arange(strips + 1))
    apart = _nearest(
        east[order], north[order], across[order], up[order], strip[order], starts, height, float(north.min())
    )
    found = np.empty(east.size)
    found[order] = apart
    return found


@compiled
def _nearest(
    east: Floats,
    north: Floats,
    across: Floats,
    up: Floats,
    strip: Ints,
    starts: Ints,
    height: float,
    south: float,
) -> Floats:
    found = np.empty(east.size)
    least_across, least_up = across.min() / _FEW_MORE, up.min() / _FEW_MORE
    last = starts.size - 2
    for point in range(east.size):
        best = np.inf  # squared
        own = strip[point]
        away = 0
        while True:
            below = north[point] - (south + (own - away + 1) * height)
            above = south + (own + away) * height - north[point]
            # Both edges are out of reach, or no strip is left on either side.
            low = own - away >= 0 and (away == 0 or max(below, 0.0) ** 2 * least_up**2 <= best)
            high = away > 0 and own + away <= last and max(above, 0.0) ** 2 * least_up**2 <= best
            if not low and not high:
                break
            for side in range(2):
                if (side == 0 and not low) or (side == 1 and not high):
                    continue
                at = own - away if side == 0 else own + away
                first, end = starts[at], starts[at + 1]
                middle = first + np.searchsorted(east[first:end], east[point])
                for step in (1, -1):
                    other = middle if step == 1 else middle - 1
                    while first <= other < end:
                        run = east[other] - east[point]
                        if (run * least_across) ** 2 > best:
                            break
                        if other != point:
                            dx = run * 0.5 * (across[point] + across[other])
                            dy = (north[other] - north[point]) * 0.5 * (up[point] + up[other])
                            best = min(best, dx * dx + dy * dy)
                        other += step
            away += 1
        found[point] = np.sqrt(best)
    return found


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
