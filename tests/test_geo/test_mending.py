"""Outlines as people and files bring them: what is mended, what is said of it, what is refused."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import LineString, MultiPolygon, Point, Polygon, box

from geo.errors import GeoError
from geo.mending import MOST_CORNERS, mended
from geo.planes import Plane

LON, LAT = 114.3, 30.5
PLANE = Plane(LON, LAT)


def ground(*corners: tuple[float, float]) -> Polygon:
    """Return an outline in degrees from corners in metres round the branch."""
    return PLANE.degrees(Polygon(corners)) if Polygon(corners).is_valid else _degrees(Polygon(corners))


def _degrees(shape: Any) -> Any:
    """As the plane's own, of outlines that are not valid."""
    return shapely.transform(shape, PLANE._to_degrees)


def polygon(corners: Any) -> Polygon:
    """Return an outline whose corners may be no numbers."""
    with np.errstate(invalid="ignore"):
        return Polygon(corners)


def mend(shape: Any) -> tuple[Any, list[str]]:
    """Return the ground in metres and what was said."""
    found = mended(shape, lon=LON, lat=LAT)
    assert found.shape.is_valid
    return PLANE.metres(found.shape), [note.message for note in found.notes]


def test_a_good_outline_stays_as_it_is_and_nothing_is_said() -> None:
    found, notes = mend(ground((0, 0), (1000, 0), (1000, 500), (0, 500)))
    assert found.equals(box(0, 0, 1000, 500)) and notes == []


def test_an_outline_that_crosses_itself_keeps_both_loops() -> None:
    """A bow-tie of two triangles of 1 km by 500 m."""
    found, notes = mend(ground((0, 0), (1000, 1000), (1000, 0), (0, 1000)))
    assert found.area == pytest.approx(500_000.0, rel=1e-6)
    assert notes[0].startswith("The outline crossed itself") and "pieces" in notes[1]


def test_a_small_loop_where_the_hand_crossed_its_own_line_is_left_out() -> None:
    found, notes = mend(ground((0, 0), (1000, 0), (1000, 1000), (-5, 1000), (5, 1010), (0, 1010)))
    assert shapely.get_num_geometries(found) == 1 and len(notes) == 1
    assert found.area == pytest.approx(1_000_000.0, rel=0.01)


def test_doubled_corners_are_left_out_and_counted() -> None:
    corners = [(0, 0), (0, 0), (1000, 0), (1000, 0), (1000, 0), (1000, 500)]
    found = mended(_degrees(Polygon(corners)), lon=LON, lat=LAT)
    assert [str(note) for note in found.notes] == ["3 doubled corners were left out."]


def test_a_ring_left_open_is_closed_and_a_street_is_not() -> None:
    around = _degrees(LineString([(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 50)]))
    found, notes = mend(around)
    assert found.area == pytest.approx(1e6, rel=1e-6) and notes == [
        "The outline was open and has been closed."
    ]
    for line in ([(0, 0), (1000, 0), (2000, 100)], [(0, 0), (1000, 0), (1000, 1000), (900, 2000)]):
        with pytest.raises(GeoError, match="a line or a point"):
            mend(_degrees(LineString(line)))


def test_a_geojson_polygon_may_leave_its_rings_open() -> None:
    rings = [[list(corner) for corner in shapely.get_coordinates(ground((0, 0), (900, 0), (900, 900)))[:-1]]]
    found, _notes = mend({"type": "Polygon", "coordinates": rings})
    assert found.area == pytest.approx(405_000.0, rel=1e-6)
    both = {"type": "MultiPolygon", "coordinates": [rings]}
    assert mend(both)[0].equals(found)
    for broken in (
        {"type": "Polygon", "coordinates": [[["a", 1]]]},
        {"type": "Polygon"},
        {},
        {"type": "Point"},
    ):
        with pytest.raises(GeoError):
            mend(broken)


def test_several_pieces_and_holes_stay_and_are_said() -> None:
    one, two = box(0, 0, 1000, 1000), box(2000, 0, 2500, 500)
    with_hole = Polygon(one.exterior, [box(400, 400, 600, 600).exterior])
    found, notes = mend(_degrees(MultiPolygon([with_hole, two])))
    assert found.area == pytest.approx(1e6 - 4e4 + 25e4, rel=1e-6)
    assert "pieces" in notes[0] and "holes" in notes[1]


def test_lines_beside_areas_are_left_out_and_said() -> None:
    both = shapely.GeometryCollection([box(114.3, 30.5, 114.31, 30.51), LineString([(114, 30), (114.1, 30)])])
    assert mend(both)[1] == ["Lines and points beside the areas were left out."]


@pytest.mark.parametrize(
    "shape",
    [
        Polygon([(114.3, 30.5), (114.31, 30.5), (114.32, 30.5)]),
        Polygon([(114.3, 30.5)] * 4),
        Polygon([(114.3, 30.5), (114.31, 30.51), (114.3, 30.5), (114.31, 30.51)]),
        box(114.3, 30.5, 114.3 + 1e-9, 30.5 + 1e-9),
        Polygon(),
        Point(114.3, 30.5),
    ],
)
def test_what_has_no_area_is_refused(shape: Any) -> None:
    with pytest.raises(GeoError):
        mend(shape)


def test_what_lies_elsewhere_is_refused_with_how_far() -> None:
    with pytest.raises(GeoError, match=r"reaches 96\d.\d km from the branch, farther than 50.0 km"):
        mend(box(114.3, 39.0, 114.4, 39.2))
    with pytest.raises(GeoError, match="farther than 50.0 km"):
        mend(box(100.0, 20.0, 120.0, 40.0))


def test_latitude_before_longitude_is_put_right() -> None:
    found, notes = mend(shapely.transform(ground((0, 0), (1000, 0), (1000, 500)), lambda xy: xy[:, ::-1]))
    assert found.area == pytest.approx(250_000.0, rel=1e-6) and "exchanged" in notes[0]


@pytest.mark.parametrize(
    ("epsg", "northing_first"), [(4526, False), (4547, False), (4547, True), (3857, False)]
)
def test_metres_of_a_published_system_are_converted_and_named(epsg: int, northing_first: bool) -> None:
    """Zone 38 with its number before the easting, 114° E without, surveyors' order, and web maps' metres."""
    to = Transformer.from_crs(4326, epsg, always_xy=True)
    outline = ground((0, 0), (1000, 0), (1000, 500), (0, 500))
    metres = shapely.transform(outline, lambda xy: np.column_stack(to.transform(xy[:, 0], xy[:, 1])))
    if northing_first:
        metres = shapely.transform(metres, lambda xy: xy[:, ::-1])
    found, notes = mend(metres)
    assert found.area == pytest.approx(500_000.0, rel=1e-5)
    assert notes == ["Metres of EPSG:{epsg} were converted to WGS 84."]


def test_metres_of_nothing_known_are_refused() -> None:
    with pytest.raises(GeoError, match="no degrees"):
        mend(box(1234, 5678, 2234, 6678))


def test_a_corner_that_is_no_number_is_left_out_and_many_are_refused() -> None:
    corners = shapely.get_coordinates(
        ground(*[(np.cos(a) * 500, np.sin(a) * 500) for a in np.arange(0, 6.2, 0.1)])
    )
    corners[7] = np.nan
    found, notes = mend(polygon(corners))
    assert "no numbers" in notes[0] and found.area == pytest.approx(np.pi * 500**2, rel=0.02)
    corners[10:20, 0] = np.inf
    with pytest.raises(GeoError, match="11 corners of the outline are no numbers"):
        mend(polygon(corners))


def test_a_hundred_thousand_corners_become_few_without_moving_the_border() -> None:
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    reach = 2000 + 0.3 * np.sin(angle * 20_000)
    started = time.process_time()
    found, notes = mend(_degrees(Polygon(np.column_stack([reach * np.cos(angle), reach * np.sin(angle)]))))
    assert time.process_time() - started < 5.0
    assert shapely.get_num_coordinates(found) <= MOST_CORNERS and "became" in notes[0]
    assert found.area == pytest.approx(np.pi * 2000**2, rel=1e-3)


def test_a_scribble_is_refused_in_no_time() -> None:
    scribble = _degrees(Polygon(np.random.default_rng(1).uniform(-2000, 2000, (100_000, 2))))
    started = time.process_time()
    with pytest.raises(GeoError):
        mend(scribble)
    with pytest.raises(GeoError, match="too many places"):
        mend(_degrees(Polygon(np.random.default_rng(1).uniform(-2000, 2000, (5_000, 2)))))
    assert time.process_time() - started < 10.0


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(114.2, 114.4), st.floats(), st.sampled_from([114.3, 114.31, 0.0])),
            st.one_of(st.floats(30.4, 30.6), st.floats(), st.sampled_from([30.5, 30.51, 0.0])),
        ),
        min_size=3,
        max_size=20,
    )
)
def test_whatever_comes_is_a_good_outline_or_refused_with_a_reason(
    corners: list[tuple[float, float]],
) -> None:
    try:
        found = mended(polygon(corners), lon=LON, lat=LAT)
    except GeoError as refusal:
        assert str(refusal)
        return
    again = mended(found.shape, lon=LON, lat=LAT)
    metres = PLANE.metres(found.shape)
    assert found.shape.is_valid and metres.area > 1.0
    assert shapely.get_type_id(found.shape) in (3, 6)
    assert metres.symmetric_difference(PLANE.metres(again.shape)).area < 0.01
    assert np.hypot(*shapely.get_coordinates(metres).T).max() < 50_100.0
