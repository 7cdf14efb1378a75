"""
Datums: WGS 84 (GPS, OpenStreetMap), GCJ-02 (Gaode, Tencent) and BD-09 (Baidu), converted either way.

GCJ-02 shifts WGS 84 by some hundred metres inside a box around China and leaves the rest alone; BD-09 turns
and stretches GCJ-02 a little more, everywhere. Neither inverse has a formula: both are iterated, bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import N_, DatumError

Floats = NDArray[np.float64]
Step = Callable[[Floats, Floats], tuple[Floats, Floats]]

DATUMS: Final = ("wgs84", "gcj02", "bd09")

_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
# Krasovsky 1940, as every published form of the shift has it.
_AXIS_M = 6378245.0
_ECCENTRICITY2 = 0.00669342162296594323
_BAIDU_TURN = np.pi * 3000.0 / 180.0

# A step shrinks the error about 200 times, so that five or six reach the last digit of a float. The cap holds
# where the error cannot shrink: at the kink of sqrt(|lon - 105|), for one.
_MOST_STEPS = 16
_CLOSE_DEG = 1e-12
_CHUNK = 1 << 15  # rows whose temporaries stay in the processor's cache


def convert(lon: ArrayLike, lat: ArrayLike, source: str, target: str) -> tuple[Floats, Floats]:
    """
    Return positions of one datum in another.

    Parameters
    ----------
    lon, lat
        Degrees, of one shape.
    source, target
        Two of `DATUMS`.

    Returns
    -------
    lon, lat
        Float arrays of the same shape; both NaN where either was not a finite number. Outside the box of
        `in_shift_box` GCJ-02 equals WGS 84. The inverse is exact wherever there is one. In two narrow strips
        along the box there are none or two: a GCJ-02 point that nothing shifts onto is moved as those beside
        it are, and one that both itself and a point of the box lead to goes back into the box.

    Raises
    ------
    DatumError
        For a datum nobody knows, or arrays of different shapes.
    """
    for datum in (source, target):
        if datum not in DATUMS:
            raise DatumError(N_("No datum is named “{datum}”; there are wgs84, gcj02 and bd09."), datum=datum)
    lons, lats = np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)
    if lons.shape != lats.shape:
        raise DatumError(
            N_("Longitudes and latitudes must come in pairs, got {lons} and {lats}."),
            lons=lons.size,
            lats=lats.size,
        )
    unknown = ~(np.isfinite(lons) & np.isfinite(lats))
    lons[unknown] = lats[unknown] = np.nan
    flat_lons, flat_lats = lons.reshape(-1), lats.reshape(-1)
    for step in _steps(source, target):
        for start in range(0, lons.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            flat_lons[part], flat_lats[part] = step(flat_lons[part], flat_lats[part])
    return lons, lats


def in_shift_box(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return where positions lie inside the box around China in which GCJ-02 differs from WGS 84."""
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    inside: NDArray[np.bool_] = (x >= _WEST) & (x <= _EAST) & (y >= _SOUTH) & (y <= _NORTH)
    return inside


def _steps(source: str, target: str) -> Sequence[Step]:
    """Return the conversions that lead from one datum to another, in order; GCJ-02 lies in the middle."""
    start, end = DATUMS.index(source), DATUMS.index(target)
    if start <= end:
        return [_to_gcj02, _to_bd09][start:end]
    return [_from_bd09, _from_gcj02][2 - start : 2 - end]


def _shifted(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return positions under GCJ-02's shift, as if it were everywhere."""
    x, y = lon - 105.0, lat - 35.0
    wave = np.sin(2.0 * np.pi * x)
    # 20 sin(6 pi x) + 20 sin(2 pi x), by the sine of three times an angle.
    common = 0.1 * x * y + 80.0 * wave * (1.0 - wave * wave) * 2.0 / 3.0
    root = np.sqrt(np.abs(x))
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * root + common
    east_m += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi / 3.0 * x)) * 2.0 / 3.0
    east_m += (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.2 * root + common
    north_m += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi / 3.0 * y)) * 2.0 / 3.0
    north_m += (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) * 2.0 / 3.0
    latitude = np.radians(lat)
    bend = 1.0 - _ECCENTRICITY2 * np.sin(latitude) ** 2
    root_bend = np.sqrt(bend)
    east_deg = np.degrees(east_m * root_bend / (_AXIS_M * np.cos(latitude)))
    north_deg = np.degrees(north_m * bend * root_bend / (_AXIS_M * (1.0 - _ECCENTRICITY2)))
    return lon + east_deg, lat + north_deg


def _to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    inside = in_shift_box(lon, lat)
    if not inside.any():
        return lon, lat
    east, north = _shifted(lon, lat)
    return np.where(inside, east, lon), np.where(inside, north, lat)


def _from_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    # Only points in or near the box can come from inside it; the shift never reaches a tenth of a degree.
    near = (lon > _WEST - 0.1) & (lon < _EAST + 0.1) & (lat > _SOUTH - 0.1) & (lat < _NORTH + 0.1)
    if not near.any():
        return lon, lat
    out_lon, out_lat = lon.copy(), lat.copy()
    back_lon, back_lat = _undone(_shifted, lon[near], lat[near])
    # A point on the very edge comes back a rounding error beside it.
    back_lon = _onto_edge(_onto_edge(back_lon, _WEST), _EAST)
    back_lat = _onto_edge(_onto_edge(back_lat, _SOUTH), _NORTH)
    keep = in_shift_box(back_lon, back_lat) | in_shift_box(lon[near], lat[near])
    out_lon[near] = np.where(keep, back_lon, lon[near])
    out_lat[near] = np.where(keep, back_lat, lat[near])
    return out_lon, out_lat


def _onto_edge(degrees: Floats, edge: float) -> Floats:
    return np.where(np.abs(degrees - edge) < 1e-10, edge, degrees)


def _to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    reach = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_TURN)
    return reach * np.cos(angle) + 0.0065, reach * np.sin(angle) + 0.006


def _from_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _undone(_to_bd09, lon, lat)


def _undone(step: Step, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return the positions that a step brings to these, by fixed-point iteration; NaN stays NaN."""
    at_lon, at_lat = lon, lat
    for _ in range(_MOST_STEPS):
        to_lon, to_lat = step(at_lon, at_lat)
        east, north = lon - to_lon, lat - to_lat
        at_lon, at_lat = at_lon + east, at_lat + north
        # A comparison with NaN is false: what is no number does not hold the others up.
        if not ((np.abs(east) > _CLOSE_DEG) | (np.abs(north) > _CLOSE_DEG)).any():
            break
    return at_lon, at_lat
