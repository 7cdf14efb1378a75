"""Reference systems: kept in WGS 84 degrees, measured in metres round the branch, never mixed."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.transformer import TransformerGroup

from geo.errors import N_, CrsError

Floats = NDArray[np.float64]

WGS84 = CRS.from_epsg(4326)
_SHIFTED = """GEOGCRS["{name}",DATUM["{name}",ELLIPSOID["WGS 84",6378137,298.257223563]],CS[ellipsoidal,2],
AXIS["latitude",north],AXIS["longitude",east],ANGLEUNIT["degree",0.0174532925199433]]"""
_SHIFTED_NAMES = {"gcj02": "GCJ-02", "bd09": "BD-09"}
_WEB_MERCATOR = CRS.from_epsg(3857)
_GEOD = Geod(ellps="WGS84")


@cache
def of_datum(datum: str) -> CRS:
    """Return the CRS a file names for a datum: of GCJ-02 and BD-09 a bare name, which nothing converts."""
    if datum == "wgs84":
        return WGS84
    return CRS.from_wkt(_SHIFTED.format(name=_SHIFTED_NAMES[datum]))


def local_metric(lon: float, lat: float) -> CRS:
    """
    Return the metric CRS round a branch: azimuthal equidistant, true in every direction from its centre.

    Twenty kilometres out, areas are wrong by less than a millionth; a continent away they are useless.
    """
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise CrsError(N_("No position on the earth: {lon}, {lat}."), lon=lon, lat=lat)
    return _local_metric(float(lon), float(lat))


def to_metric(lon: ArrayLike, lat: ArrayLike, crs: CRS) -> tuple[Floats, Floats]:
    """Return the x and y in metres of WGS 84 positions in a metric CRS."""
    x, y = _transformer(crs).transform(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def from_metric(x: ArrayLike, y: ArrayLike, crs: CRS) -> tuple[Floats, Floats]:
    """Return the WGS 84 longitudes and latitudes of positions in a metric CRS; undoes `to_metric`."""
    lon, lat = _transformer(crs).transform(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), direction="INVERSE"
    )
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def area_km2(shapes: GeoSeries, lon: float, lat: float) -> Floats:
    """Return the areas of shapes, in any CRS, measured in the local metric CRS round a position."""
    if shapes.crs is None:
        raise CrsError(N_("Shapes without a CRS cannot be measured."))
    areas_m2 = shapes.to_crs(local_metric(lon, lat)).area
    return np.asarray(areas_m2, dtype=np.float64) / 1e6


def check_same(first: GeoDataFrame | GeoSeries, second: GeoDataFrame | GeoSeries) -> None:
    """Raise `CrsError` unless both have one and the same CRS; geopandas would only warn, and join nothing."""
    if first.crs is None or second.crs is None or first.crs != second.crs:
        raise CrsError(
            N_("Both must be in one CRS, got {first} and {second}."),
            first=_name(first.crs),
            second=_name(second.crs),
        )


def check_metric(frame: GeoDataFrame | GeoSeries) -> None:
    """Raise `CrsError` unless lengths in the frame's CRS are metres on the ground; Web Mercator's are not."""
    crs = frame.crs
    if crs is None or not crs.is_projected or crs == _WEB_MERCATOR or crs.axis_info[0].unit_name != "metre":
        raise CrsError(N_("The CRS must be a metric one, got {crs}."), crs=_name(crs))


@lru_cache(maxsize=256)
def _local_metric(lon: float, lat: float) -> CRS:
    return CRS.from_dict({"proj": "aeqd", "lon_0": lon, "lat_0": lat, "datum": "WGS84", "units": "m"})


@lru_cache(maxsize=256)
def _transformer(crs: CRS) -> Transformer:
    return Transformer.from_crs(WGS84, crs, always_xy=True)


def _name(crs: CRS | None) -> str:
    return "—" if crs is None else str(crs.to_string())


class Projection(NamedTuple):
    """A projected system that metres may be in, in which order, and where their middle then lies."""

    epsg: int
    northing_first: bool
    lon: float
    lat: float


# CGCS2000 Gauss-Krüger: false easting 500 km, the zone's number before it in millions or not at all.
_GK3_PREFIXED = {zone: 4513 + zone - 25 for zone in range(25, 46)}
_GK3_PLAIN = {zone: 4534 + zone - 25 for zone in range(25, 46)}
_GK6_PREFIXED = {zone: 4491 + zone - 13 for zone in range(13, 24)}
_CGCS2000 = (4479, 4480, 4490)  # is WGS 84 to within a metre, for which nobody publishes numbers
_NORTHINGS_M = (1.9e6, 6.1e6)  # of China from Hainan to the Amur; Mercator's go further
_MERCATOR_NORTHINGS_M = (1.9e6, 7.2e6)
_MERCATOR_EASTINGS_M = (8.1e6, 15.1e6)
_GK3_EASTINGS_M = (250e3, 750e3)  # half a zone of three degrees and what is surveyed beyond its edge
_GK6_EASTINGS_M = (160e3, 840e3)
_HONG_KONG_M = (795e3, 875e3), (795e3, 855e3)
_MOST = 0.9  # of the rows
NEAR_M = 150e3  # half a zone: of zones side by side one lies nearer to a branch, and not farther than this


def projections(x: ArrayLike, y: ArrayLike, near: tuple[float, float] | None = None) -> list[Projection]:
    """
    Return the projected systems of China that metres may be in, the likeliest first.

    CGCS2000 in zones of three degrees with the zone's number before the easting (EPSG:4513 to 4533) or
    without (4534 to 4554), in zones of six degrees with it (4491 to 4501), the Hong Kong 1980 grid (2326),
    and Web Mercator (3857). Chinese surveyors call the northing X: the values tell the order.

    Parameters
    ----------
    x, y
        Of some rows, as they stand; NaN where a row has none.
    near
        Longitude and latitude of the branch: of several systems only those are returned that put the rows
        there, if any does. Without it each zone is as good as the next where none is written.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    good = np.isfinite(first) & np.isfinite(second)
    if not good.any():
        return []
    found = []
    for easting, northing, swapped in (
        (first[good], second[good], False),
        (second[good], first[good], True),
    ):
        for epsg in _systems(easting, northing, swapped):
            lon, lat = to_wgs84(np.median(easting), np.median(northing), CRS.from_epsg(epsg))
            found.append(Projection(epsg, swapped, float(lon), float(lat)))
    if near is None or len(found) < 2:
        return found
    apart = [_GEOD.inv(each.lon, each.lat, *near)[2] for each in found]
    return [found[int(np.argmin(apart))]] if min(apart) <= NEAR_M else found


def _systems(easting: Floats, northing: Floats, swapped: bool) -> list[int]:
    """Return the EPSG numbers that the metres of most rows fit."""

    def most(values: Floats, limits: tuple[float, float]) -> NDArray[np.bool_]:
        return np.asarray((values >= limits[0]) & (values <= limits[1]), dtype=bool)

    found = []
    north = most(northing, _NORTHINGS_M)
    zone = int(np.median(easting) // 1e6)
    within = easting % 1e6
    if zone in _GK3_PREFIXED and np.mean(north & most(within, _GK3_EASTINGS_M)) >= _MOST:
        found.append(_GK3_PREFIXED[zone])
    if zone in _GK6_PREFIXED and np.mean(north & most(within, _GK6_EASTINGS_M)) >= _MOST:
        found.append(_GK6_PREFIXED[zone])
    if np.mean(most(easting, _MERCATOR_EASTINGS_M) & most(northing, _MERCATOR_NORTHINGS_M)) >= _MOST:
        found.append(3857)
    if np.mean(north & most(easting, _GK3_EASTINGS_M)) >= _MOST:
        found += _GK3_PLAIN.values()
    hong_kong = most(easting, _HONG_KONG_M[0]) & most(northing, _HONG_KONG_M[1])
    if not swapped and np.mean(hong_kong) >= _MOST:
        found.append(2326)
    return found


def to_wgs84(x: ArrayLike, y: ArrayLike, crs: CRS) -> tuple[Floats, Floats]:
    """
    Return the WGS 84 longitudes and latitudes of eastings and northings; infinite where there are none.

    Eastings with a zone's number before them are each taken in their own zone: a town may lie in two.

    Raises
    ------
    CrsError
        When nobody has published how the system lies to WGS 84, as with Xian 1980.
    """
    easting, northing = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    zones = next((each for each in (_GK3_PREFIXED, _GK6_PREFIXED) if crs.to_epsg() in each.values()), None)
    if zones is None:
        return _inverse(crs, easting, northing)
    lon, lat = np.full(easting.shape, np.inf), np.full(easting.shape, np.inf)
    with np.errstate(invalid="ignore"):
        zone = easting // 1e6
    for number, epsg in zones.items():
        if (at := zone == number).any():
            lon[at], lat[at] = _inverse(CRS.from_epsg(epsg), easting[at], northing[at])
    return lon, lat


def _inverse(crs: CRS, easting: Floats, northing: Floats) -> tuple[Floats, Floats]:
    lon, lat = _to_wgs84(crs).transform(easting, northing)
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


@lru_cache(maxsize=64)
def _to_wgs84(crs: CRS) -> Transformer:
    if crs.geodetic_crs is not None and crs.geodetic_crs.to_epsg() in _CGCS2000:
        return Transformer.from_crs(crs, WGS84, always_xy=True)
    transformers = TransformerGroup(crs, WGS84, always_xy=True, allow_ballpark=False).transformers
    if not transformers:
        raise CrsError(
            N_("How {crs} lies to WGS 84 is not published. Convert the list to CGCS2000 or WGS 84."),
            crs=crs.name,
        )
    return transformers[0]
