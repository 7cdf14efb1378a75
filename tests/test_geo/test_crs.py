from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from pyproj import CRS
from shapely import Point, box

from geo.catchment import circle, distances_m
from geo.crs import area_km2, check_metric, check_same, local_metric, to_metric
from geo.errors import CrsError


def test_distances_from_the_centre_are_geodesic() -> None:
    crs = local_metric(114.0, 30.0)
    lon, lat = np.array([114.1, 113.8, 114.0]), np.array([30.1, 29.9, 30.0])
    x, y = to_metric(lon, lat, crs)
    assert np.allclose(np.hypot(x, y), distances_m(114.0, 30.0, lon, lat), atol=1e-3)


def test_area_of_a_circle_is_pi_r_squared() -> None:
    shapes = gpd.GeoSeries([circle(114.0, 30.0, 5_000.0, vertices=3600)], crs="EPSG:4326")
    assert area_km2(shapes, 114.0, 30.0)[0] == pytest.approx(np.pi * 25.0, rel=1e-5)


def test_shapes_without_a_crs_have_no_area() -> None:
    with pytest.raises(CrsError):
        area_km2(gpd.GeoSeries([box(0, 0, 1, 1)]), 114.0, 30.0)


@pytest.mark.parametrize("place", [(181.0, 0.0), (0.0, 91.0), (float("nan"), 0.0)])
def test_no_place_on_earth_has_no_local_crs(place: tuple[float, float]) -> None:
    with pytest.raises(CrsError, match="No position"):
        local_metric(*place)


def test_two_crs_in_one_operation_are_refused_by_name() -> None:
    first = gpd.GeoSeries([Point(114, 30)], crs="EPSG:4326")
    second = first.to_crs("EPSG:3857")
    check_same(first, first.copy())
    with pytest.raises(CrsError, match="got EPSG:4326 and EPSG:3857"):
        check_same(first, second)
    with pytest.raises(CrsError, match="got — and —"):
        check_same(gpd.GeoSeries([Point(0, 0)]), gpd.GeoSeries([Point(0, 0)]))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", None])
def test_measuring_in_degrees_or_on_the_web_map_is_refused(crs: str | None) -> None:
    with pytest.raises(CrsError, match="metric"):
        check_metric(gpd.GeoSeries([Point(0, 0)], crs=crs))


def test_a_metric_crs_passes() -> None:
    check_metric(gpd.GeoSeries([Point(0, 0)], crs=local_metric(114.0, 30.0)))
    check_metric(gpd.GeoSeries([Point(0, 0)], crs=CRS.from_epsg(4547)))
