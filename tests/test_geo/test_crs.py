from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from pyproj import CRS, Transformer
from shapely import Point, box

from geo import crs
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


# Expected metres come from pyproj's forward way; what is tested is the way back, and which system is found.
WUHAN, KOWLOON = (114.30, 30.50), (114.17, 22.30)


def metres(epsg: int, place: tuple[float, float]) -> tuple[list[float], list[float]]:
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(*place)
    return [x], [y]


@pytest.mark.parametrize(
    ("epsg", "place"), [(4526, WUHAN), (4498, WUHAN), (3857, WUHAN), (2326, KOWLOON), (4513, (75.5, 39.5))]
)
def test_metres_that_fit_one_system_name_it_and_lead_back(epsg: int, place: tuple[float, float]) -> None:
    x, y = metres(epsg, place)
    (found,) = crs.projections(x, y)
    assert (found.epsg, found.northing_first) == (epsg, False)
    assert (found.lon, found.lat) == pytest.approx(place, abs=1e-7)


@pytest.mark.parametrize("epsg", [4526, 4547, 3857])
def test_the_northing_may_stand_first_as_chinese_surveyors_have_it(epsg: int) -> None:
    x, y = metres(epsg, WUHAN)
    (found,) = crs.projections(y, x, near=WUHAN)
    assert (found.epsg, found.northing_first) == (epsg, True)
    assert (found.lon, found.lat) == pytest.approx(WUHAN, abs=1e-7)


def test_a_zone_that_is_not_written_is_any_of_them_until_the_branch_tells() -> None:
    x, y = metres(4547, WUHAN)
    assert [each.epsg for each in crs.projections(x, y)] == list(range(4534, 4555))
    assert [each.epsg for each in crs.projections(x, y, near=(114.0, 30.0))] == [4547]
    assert len(crs.projections(x, y, near=(114.0, 45.0))) == 21  # the branch is elsewhere: nothing is guessed


def test_metres_round_another_origin_and_no_metres_fit_nothing() -> None:
    assert crs.projections([-1.7e6, 2.0e6], [5.9e6, 1.0e6]) == []
    assert crs.projections([np.nan], [np.nan]) == []
    assert crs.projections([114.3], [30.5]) == []


def test_a_town_in_two_zones_is_taken_zone_by_zone() -> None:
    west, east = metres(4526, (115.4, 30.0)), metres(4527, (115.6, 30.0))
    lon, lat = crs.to_wgs84(west[0] + east[0], west[1] + east[1], CRS.from_epsg(4526))
    assert lon == pytest.approx([115.4, 115.6], abs=1e-7)
    assert lat == pytest.approx([30.0, 30.0], abs=1e-7)


def test_a_datum_whose_shift_is_not_published_is_refused() -> None:
    with pytest.raises(CrsError, match="Xian 1980"):
        crs.to_wgs84([500_000.0], [3_400_000.0], CRS.from_epsg(2349))
