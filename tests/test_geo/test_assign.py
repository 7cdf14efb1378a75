"""Points in zones: every answer by hand or by GEOS, and what is looked at again after a change."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.assign import boxes_of_change, inside_boxes, zones_again, zones_of

SQUARES = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(0, 1, 2, 2)]


def by_geos(x, y, shapes):
    """Return the first shape that holds each point, by plain asking."""
    held = np.array([shapely.intersects_xy(shape, x, y) for shape in shapes]).reshape(len(shapes), len(x))
    return np.where(held.any(axis=0), held.argmax(axis=0), -1)


@pytest.mark.parametrize(
    ("point", "zone"),
    [
        ((0.5, 0.5), 0),
        ((1.5, 0.5), 1),
        ((1.5, 1.5), 2),
        ((1.0, 0.5), 0),  # shared by 0 and 1
        ((1.5, 1.0), 1),  # shared by 1 and 2
        ((1.0, 1.0), 0),  # a corner of all three
        ((0.0, 0.0), 0),  # the outermost corner
        ((2.0, 2.0), 2),
        ((2.0, 1.3), 2),
        ((0.3, 2.0), 2),
        ((2.0000001, 1.3), -1),
        ((-0.1, 0.5), -1),
        ((float("nan"), 0.5), -1),
    ],
)
def test_a_point_on_a_shared_border_belongs_to_the_first(point, zone):
    assert zones_of([point[0]], [point[1]], SQUARES).tolist() == [zone]


def test_in_an_overlap_the_first_wins_wherever_it_lies():
    large, small = shapely.box(0, 0, 10, 10), shapely.box(4, 4, 6, 6)
    assert zones_of([5.0, 1.0], [5.0, 1.0], [large, small]).tolist() == [0, 0]
    assert zones_of([5.0, 1.0, 4.0], [5.0, 1.0, 5.0], [small, large]).tolist() == [0, 1, 0]


def test_holes_are_not_inside_and_their_rims_are():
    ring = shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2)
    both = shapely.MultiPolygon([*ring.geoms] if hasattr(ring, "geoms") else [ring, shapely.box(5, 0, 6, 1)])
    assert zones_of([0.5, 1.5, 1.0, 5.5, 4.0], [0.5, 1.5, 1.5, 0.5, 0.5], [both]).tolist() == [
        0,
        -1,
        0,
        0,
        -1,
    ]


def test_no_points_and_no_shapes_are_no_trouble():
    assert zones_of([], [], SQUARES).tolist() == []
    assert zones_of([0.5], [0.5], []).tolist() == [-1]
    assert zones_of([0.5], [0.5], [shapely.Polygon()]).tolist() == [-1]
    assert zones_of([0.5, 0.5], [0.5, 3.0], [shapely.Polygon(), SQUARES[0]]).tolist() == [1, -1]


def test_a_slanting_border_is_decided_as_geos_does_to_the_last_digit():
    # Points on a line through odd numbers: rounding puts some on it, some on either side.
    slant = shapely.Polygon([(0.1, 0.3), (7.7, 3.1), (0.1, 9.9)])
    share = np.linspace(0.0, 1.0, 2001)
    x, y = 0.1 + share * 7.6, 0.3 + share * 2.8
    for step in (0, 1, -1):
        moved = y if step == 0 else np.nextafter(y, step * np.inf)
        found = zones_of(x, moved, [slant])
        assert found.tolist() == by_geos(x, moved, [slant]).tolist()
    assert len(set(zones_of(x, y, [slant]).tolist())) == 2


coordinates = st.integers(0, 12).map(float)
points = st.lists(st.tuples(st.integers(-2, 26), st.integers(-2, 26)), min_size=1, max_size=60)


@st.composite
def shapes(draw):
    """Return polygons with corners on whole numbers: points fall on corners and borders often."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        corners = draw(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=7, unique=True))
        shape = shapely.make_valid(shapely.Polygon(corners))
        parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0]
        found.append(shapely.union_all(parts) if parts else shapely.Polygon())
    return found


@settings(max_examples=150, deadline=None)
@given(shapes(), points)
def test_every_point_is_where_geos_finds_it(drawn, halves):
    x, y = (np.array(halves, dtype=float) / 2.0).T
    assert zones_of(x, y, drawn).tolist() == by_geos(x, y, drawn).tolist()


def test_thousands_of_points_are_where_geos_finds_them():
    random = np.random.default_rng(5)
    x, y = random.normal(114.3, 0.02, 20_000), random.normal(30.5, 0.02, 20_000)
    middles = random.normal([114.3, 30.5], 0.02, (30, 2))
    drawn = [shapely.Point(middle).buffer(0.006, quad_segs=20) for middle in middles]
    assert (zones_of(x, y, drawn) == by_geos(x, y, drawn)).all()


def test_only_the_changed_border_is_looked_at_again():
    left, right = shapely.box(0, 0, 1, 4), shapely.box(1, 0, 2, 4)
    block = shapely.box(1, 1, 1.5, 2)
    taken = [left | block, right - block]
    boxes = boxes_of_change([left, right], taken)
    assert boxes.tolist() == [[1, 0, 1.5, 4], [1, 0, 1.5, 4]]  # the border of the left one is cut in three
    random = np.random.default_rng(1)
    x, y = random.uniform(-1, 3, 5000), random.uniform(-1, 5, 5000)
    codes = zones_of(x, y, [left, right])
    at = inside_boxes(x, y, boxes)
    assert 0 < len(at) < len(x) / 4
    codes[at] = zones_again(x, y, taken, at)
    assert (codes == zones_of(x, y, taken)).all()


def test_a_border_drawn_the_other_way_round_is_no_change():
    square = SQUARES[0]
    assert not len(boxes_of_change([square], [shapely.reverse(square)]))
    assert not len(boxes_of_change([square], [shapely.box(0, 0, 1, 1, ccw=False)]))
    assert boxes_of_change([square], [shapely.Polygon()]).tolist() == [[0, 0, 1, 1]]
    assert not len(boxes_of_change([], []))


@settings(max_examples=60, deadline=None)
@given(shapes(), shapes(), points)
def test_a_change_looked_at_in_its_boxes_is_the_whole_change(before, after, halves):
    number = min(len(before), len(after))
    before, after = before[:number], after[:number]
    x, y = (np.array(halves, dtype=float) / 2.0).T
    codes = zones_of(x, y, before)
    at = inside_boxes(x, y, boxes_of_change(before, after))
    codes[at] = zones_again(x, y, after, at)
    assert codes.tolist() == zones_of(x, y, after).tolist()
