"""Streets, water and green under a map on paper, out of the bank's own base map file; none without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from data import basemaps
from data.basemaps import BaseMap
from data.config import Settings
from geo.crs import WGS84
from geo.datum import convert

ZOOMS = (10, 15)
MOST_TILES = 300
Bounds = tuple[float, float, float, float]
_WORLD_M = 40_075_016.7
_PIXELS_A_POINT = 2.0  # of a street map's tiles, 256 pixels wide, a point of paper
MAJOR = ("main", "bridge", "highway", "major_road", "motorway", "trunk", "primary")
_GREEN_LAYERS, _WATER_LAYER, _ROADS_LAYER = ("green", "landuse", "landcover"), "water", "roads"
_GREEN_KINDS = ("green", "park", "forest", "wood", "grass", "grassland", "garden", "nature_reserve")


@dataclass(frozen=True, eq=False)
class Streets:
    """What lies under a map, in WGS 84; `attribution` says whose it is."""

    major: Sequence[BaseGeometry]
    minor: Sequence[BaseGeometry]
    water: Sequence[BaseGeometry]
    green: Sequence[BaseGeometry]
    attribution: str = ""


def base_map(settings: Settings, *, is_demo: bool) -> BaseMap | None:
    """Return the first base map that has streets to draw; the demo's own town plan is for the demo alone."""
    offered = [each for each in basemaps.offered(settings) if each.kind == "pmtiles"]
    return next((each for each in offered if is_demo or each.key != basemaps.DEMO), None)


class Reader:
    """
    Streets for many maps of one piece of ground: read once a zoom, where that is not too much to hold.

    Parameters
    ----------
    base
        As in `of`.
    bounds
        West, south, east and north of all the ground, in WGS 84.
    """

    def __init__(self, base: BaseMap | None, bounds: Bounds) -> None:
        self.base, self.bounds = base, bounds
        self._read: dict[int, Streets | None] = {}

    def __call__(self, bounds: Bounds, points_wide: float) -> Streets | None:
        """Return `of` for a part of the ground."""
        zoom = _zoom(bounds, points_wide)
        west, south, east, north = self.bounds
        tiles = (east - west) * (north - south) / (360 / 2**zoom) ** 2 / np.cos(np.radians(south))
        if tiles > MOST_TILES:
            return of(self.base, bounds, points_wide)
        if zoom not in self._read:
            self._read[zoom] = _at(self.base, _joint(self.bounds, bounds), zoom)
        return _within(self._read[zoom], bounds)


def of(base: BaseMap | None, bounds: Bounds, points_wide: float) -> Streets | None:
    """
    Return what a base map knows of a piece of ground.

    Parameters
    ----------
    base
        A file of vector tiles; of any other base map, and of none, nothing is drawn.
    bounds
        West, south, east and north in WGS 84.
    points_wide
        How wide the map is on paper: it is read no finer than that shows.

    Returns
    -------
    streets
        None where there is no such file, or it cannot be read.
    """
    return _at(base, bounds, _zoom(bounds, points_wide))


def _at(base: BaseMap | None, bounds: Bounds, zoom: int) -> Streets | None:
    if base is None or base.kind != "pmtiles" or base.path is None or not base.path.is_file():
        return None
    west, south, east, north = bounds
    lon, lat = convert(np.array([west, east]), np.array([south, north]), "wgs84", base.datum)
    to_mercator = Transformer.from_crs(WGS84, 3857, always_xy=True)
    x, y = to_mercator.transform(lon, lat)
    box = (float(x[0]), float(y[0]), float(x[1]), float(y[1]))
    try:
        layers = _layers(base.path, base.path.stat().st_mtime_ns)
        roads = _read(base.path, _ROADS_LAYER, layers, zoom, box)
        water = _read(base.path, _WATER_LAYER, layers, zoom, box)
        greens = [_read(base.path, name, layers, zoom, box) for name in _GREEN_LAYERS]
    except (DataSourceError, DataLayerError):
        return None
    kinds = _kinds(roads)
    major = np.isin(kinds, MAJOR)
    green = [_areas(each, _GREEN_KINDS) for each in greens]
    found = {
        "major": _lines(roads[major]),
        "minor": _lines(roads[~major]),
        "water": _areas(water),
        "green": np.concatenate(green),
    }
    return Streets(
        **{name: _to_wgs84(shapes, base.datum) for name, shapes in found.items()},
        attribution=base.attribution,
    )


@lru_cache(maxsize=16)
def _layers(path: Path, _changed: int) -> tuple[str, ...]:
    return tuple(str(name) for name in pyogrio.list_layers(path)[:, 0])


def _zoom(bounds: Bounds, points_wide: float) -> int:
    """Return the zoom at which a tile's pixels are about as fine as paper shows them."""
    west, south, east, _north = bounds
    metres = (east - west) * 111_320.0 * np.cos(np.radians(south))
    wanted = np.log2(_WORLD_M / 256 * points_wide * _PIXELS_A_POINT / max(metres, 1.0))
    return int(np.clip(np.floor(wanted), *ZOOMS))


def _joint(one: Bounds, other: Bounds) -> Bounds:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _within(streets: Streets | None, bounds: Bounds) -> Streets | None:
    """Return what of streets is seen in a piece of ground."""
    if streets is None:
        return None
    seen = shapely.box(*bounds)

    def near(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
        every = np.asarray(shapes, dtype=object)
        found: list[BaseGeometry] = every[shapely.intersects(every, seen)].tolist()
        return found

    parts = {name: near(getattr(streets, name)) for name in ("major", "minor", "water", "green")}
    return Streets(**parts, attribution=streets.attribution)


def _read(
    path: Path, layer: str, layers: Sequence[str], zoom: int, box: tuple[float, float, float, float]
) -> gpd.GeoDataFrame:
    if layer not in layers:
        return gpd.GeoDataFrame({"kind": []}, geometry=[], crs=3857)
    return pyogrio.read_dataframe(path, layer=layer, bbox=box, ZOOM_LEVEL=zoom)


def _kinds(rows: gpd.GeoDataFrame) -> NDArray[np.object_]:
    return rows["kind"].to_numpy(object) if "kind" in rows else np.full(len(rows), "", dtype=object)


def _lines(rows: gpd.GeoDataFrame) -> NDArray[np.object_]:
    shapes = rows.geometry.to_numpy()
    return shapes[shapely.get_dimensions(shapes) == 1]  # type: ignore[no-any-return]  # shapely has no types


def _areas(rows: gpd.GeoDataFrame, kinds: Sequence[str] = ()) -> NDArray[np.object_]:
    shapes = rows.geometry.to_numpy()
    kept = shapely.get_dimensions(shapes) == 2
    if kinds:
        kept &= np.isin(_kinds(rows), kinds)
    return shapes[kept]  # type: ignore[no-any-return]  # shapely has no types


def _to_wgs84(shapes: NDArray[np.object_], datum: str) -> list[BaseGeometry]:
    to_degrees = Transformer.from_crs(3857, WGS84, always_xy=True)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = to_degrees.transform(points[:, 0], points[:, 1])
        return np.column_stack(convert(np.asarray(lon), np.asarray(lat), datum, "wgs84"))

    return [shapely.transform(shape, moved) for shape in shapes]
