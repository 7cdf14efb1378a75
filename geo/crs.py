"""Reference systems: kept in WGS 84 degrees, measured in metres round the branch, never mixed."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer

from geo.errors import N_, CrsError

Floats = NDArray[np.float64]

WGS84 = CRS.from_epsg(4326)
_SHIFTED = """GEOGCRS["{name}",DATUM["{name}",ELLIPSOID["WGS 84",6378137,298.257223563]],CS[ellipsoidal,2],
AXIS["latitude",north],AXIS["longitude",east],ANGLEUNIT["degree",0.0174532925199433]]"""
_SHIFTED_NAMES = {"gcj02": "GCJ-02", "bd09": "BD-09"}
_WEB_MERCATOR = CRS.from_epsg(3857)


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
