"""The catchment: how far a branch reaches, what sets its radius, and the rings that hold a share of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from shapely import Polygon

from geo.errors import N_, GeoError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GEOD = Geod(ellps="WGS84")
SHARES = (0.8, 0.95, 1.0)

_CHUNK = 1 << 15  # rows whose temporaries stay in the processor's cache
_MOST_STEPS = 12
_ROUNDING = 1e-9  # of a share: 0.07 x 100 rows is 7 rows, though the float is a little more


def distances_m(lon0: float, lat0: float, lon: ArrayLike, lat: ArrayLike) -> Floats:
    """
    Return geodesic distances on WGS 84 from one position to many, in metres.

    Parameters
    ----------
    lon0, lat0
        The branch.
    lon, lat
        Positions, in degrees.

    Returns
    -------
    distance_m
        Within a tenth of a millimetre of `pyproj.Geod`; NaN where a position is not a number.
    """
    lons, lats = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    return distances_between_m(np.full(lons.shape, lon0), np.full(lats.shape, lat0), lons, lats)


def distances_between_m(
    from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike
) -> Floats:
    """Return geodesic distances on WGS 84 pair by pair, in metres, as exact as `distances_m`."""
    ends = [np.asarray(degrees, dtype=np.float64) for degrees in (from_lon, from_lat, to_lon, to_lat)]
    flat = [degrees.reshape(-1) for degrees in ends]
    distance = np.empty(flat[0].size)
    for start in range(0, distance.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        distance[part] = _vincenty_m(*(degrees[part] for degrees in flat))
    return distance.reshape(ends[0].shape)


def ring_radius_m(distance_m: ArrayLike, share: float, weights: ArrayLike | None = None) -> float:
    """
    Return the smallest radius that holds a share of the points, or of their weight.

    Parameters
    ----------
    distance_m
        From the branch. NaN is left out.
    share
        Above 0, at most 1.
    weights
        Customers, deposits or households a point; each point weighs the same without. What is not above 0
        is left out.

    Returns
    -------
    radius_m
        A distance of one of the points; NaN where nothing weighs anything.
    """
    return rings(distance_m, (share,), weights)[share]


def rings(
    distance_m: ArrayLike, shares: Iterable[float] = SHARES, weights: ArrayLike | None = None
) -> dict[float, float]:
    """Return `ring_radius_m` for several shares, for the price of one sort."""
    wanted = tuple(shares)
    for share in wanted:
        if not 0.0 < share <= 1.0:
            raise GeoError(N_("A share must lie above 0 and at most at 1, got {share}."), share=share)
    distances = np.asarray(distance_m, dtype=np.float64)
    kept = ~np.isnan(distances)
    if weights is None:
        distances = distances[kept]
        # The k-th smallest distance holds k points; a few k-ths cost less than a sort.
        ranks = [int(np.ceil(share * distances.size * (1.0 - _ROUNDING))) - 1 for share in wanted]
        if distances.size == 0:
            return dict.fromkeys(wanted, np.nan)
        parted = np.partition(distances, sorted(set(ranks)))
        return {share: float(parted[rank]) for share, rank in zip(wanted, ranks, strict=True)}
    weighing = np.asarray(weights, dtype=np.float64)
    kept &= weighing > 0.0
    distances, weighing = distances[kept], weighing[kept]
    if distances.size == 0:
        return dict.fromkeys(wanted, np.nan)
    order = np.argsort(distances, kind="stable")
    held = np.cumsum(weighing[order])
    needed = np.asarray(wanted) * held[-1] * (1.0 - _ROUNDING)
    at = np.searchsorted(held, needed)
    return {share: float(distances[order[i]]) for share, i in zip(wanted, at, strict=True)}


def farthest(distance_m: ArrayLike, eligible: ArrayLike, ids: ArrayLike | None = None) -> int | None:
    """
    Return the index of the point that sets the radius: the farthest one that may.

    Parameters
    ----------
    distance_m
        From the branch. NaN is left out.
    eligible
        True where a point counts: a merchant, target customer or target group not set aside.
    ids
        Of points equally far the one with the smallest id is taken; the first, without ids.

    Returns
    -------
    index
        Into `distance_m`; None where no point may set the radius.
    """
    distances = np.asarray(distance_m, dtype=np.float64)
    counted = np.where(np.asarray(eligible, dtype=bool) & ~np.isnan(distances), distances, -np.inf)
    if counted.size == 0:
        return None
    first = int(np.argmax(counted))
    if counted[first] == -np.inf:
        return None
    if ids is None:
        return first
    ties = np.flatnonzero(counted == counted[first])
    return int(ties[np.argmin(np.asarray(ids)[ties])])


def outliers(distance_m: ArrayLike, eligible: ArrayLike | None = None) -> Bools:
    """
    Return the points that lie so far out that a person should look at them: beyond Q3 + 3 x IQR.

    Parameters
    ----------
    distance_m
        From the branch. NaN is left out.
    eligible
        The points to judge, and to judge by; all without it.

    Returns
    -------
    outlying
        Bool per point; a suggestion, nothing is dropped.
    """
    distances = np.asarray(distance_m, dtype=np.float64)
    judged = ~np.isnan(distances)
    if eligible is not None:
        judged &= np.asarray(eligible, dtype=bool)
    if not judged.any():
        return np.zeros(distances.shape, dtype=bool)
    lower, upper = np.quantile(distances[judged], (0.25, 0.75))
    beyond: Bools = judged & (distances > upper + 3.0 * (upper - lower))
    return beyond


def destination(lon: float, lat: float, azimuth_deg: float, distance_m: float) -> tuple[float, float]:
    """Return the position a distance away in a direction, clockwise from north."""
    to_lon, to_lat, _ = GEOD.fwd(lon, lat, azimuth_deg, distance_m)
    return float(to_lon), float(to_lat)


def circle(lon: float, lat: float, radius_m: float, vertices: int = 180) -> Polygon:
    """
    Return the geodesic circle round a position, in WGS 84, counter-clockwise from the north.

    Every vertex lies at the radius exactly; between vertices the edge is inside by at most
    `radius_m * (1 - cos(pi / vertices))`, 0.15 m a kilometre.
    """
    if not (np.isfinite(radius_m) and radius_m > 0.0):
        raise GeoError(N_("A circle needs a radius above 0, got {radius_m}."), radius_m=radius_m)
    if vertices < 3:
        raise GeoError(N_("A circle needs at least 3 vertices, got {vertices}."), vertices=vertices)
    azimuths = -np.arange(vertices) * (360.0 / vertices)
    lons, lats, _ = GEOD.fwd(
        np.full(vertices, lon), np.full(vertices, lat), azimuths, np.full(vertices, radius_m)
    )
    return Polygon(np.column_stack([lons, lats]))


def _vincenty_m(lon0: Floats, lat0: Floats, lon: Floats, lat: Floats) -> Floats:
    """
    Return distances by Vincenty's inverse formula, and by `Geod` where that does not converge.

    Near a branch two or three steps suffice, and the whole takes less than half of `Geod`'s time.
    """
    major, flat = GEOD.a, GEOD.f
    minor = major * (1.0 - flat)
    # Divides 0 by 0 at the branch itself; infinity has no sine.
    with np.errstate(divide="ignore", invalid="ignore"):
        sin0, cos0 = _reduced(np.radians(lat0), flat)
        sin1, cos1 = _reduced(np.radians(lat), flat)
        apart = np.radians(lon - lon0)
        turn = apart
        for _ in range(_MOST_STEPS):
            sin_turn, cos_turn = np.sin(turn), np.cos(turn)
            sin_arc = np.sqrt((cos1 * sin_turn) ** 2 + (cos0 * sin1 - sin0 * cos1 * cos_turn) ** 2)
            cos_arc = sin0 * sin1 + cos0 * cos1 * cos_turn
            arc = np.arctan2(sin_arc, cos_arc)
            sin_azimuth = np.where(sin_arc > 0.0, cos0 * cos1 * sin_turn / sin_arc, 0.0)
            cos2_azimuth = 1.0 - sin_azimuth**2
            cos_middle = np.where(cos2_azimuth > 0.0, cos_arc - 2.0 * sin0 * sin1 / cos2_azimuth, 0.0)
            c = flat / 16.0 * cos2_azimuth * (4.0 + flat * (4.0 - 3.0 * cos2_azimuth))
            bow = cos_middle + c * cos_arc * (2.0 * cos_middle**2 - 1.0)
            last, turn = turn, apart + (1.0 - c) * flat * sin_azimuth * (arc + c * sin_arc * bow)
            open_rows = np.abs(turn - last) > 1e-12
            if not open_rows.any():
                break
    u2 = cos2_azimuth * (major**2 - minor**2) / minor**2
    a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)))
    b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)))
    square = 2.0 * cos_middle**2 - 1.0
    cubic = b / 6.0 * cos_middle * (4.0 * sin_arc**2 - 3.0) * (4.0 * cos_middle**2 - 3.0)
    distance: Floats = minor * a * (arc - b * sin_arc * (cos_middle + b / 4.0 * (cos_arc * square - cubic)))
    # Nearly opposite ends of the earth, where the formula may settle on the wrong side.
    doubtful = open_rows | (cos_arc < -0.99)
    if doubtful.any():
        ends = (degrees[doubtful] for degrees in (lon0, lat0, lon, lat))
        distance[doubtful] = GEOD.inv(*ends)[2]
    return distance


def _reduced(latitude: Floats, flat: float) -> tuple[Floats, Floats]:
    """Return the sine and cosine of the reduced latitude."""
    slope = (1.0 - flat) * np.tan(latitude)
    cosine = 1.0 / np.sqrt(1.0 + slope * slope)
    return slope * cosine, cosine
