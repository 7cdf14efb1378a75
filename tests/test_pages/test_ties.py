"""Hulls and arcs as the browser gets them: where they lie, and that their labels are text."""

from __future__ import annotations

import json

import pytest
import shapely

from pages.parts import map as maps
from pages.parts.map import Arc, Hull, Marked, Scene
from pages.parts.ties import arc_at, bow, hull_at, ties_json
from tests.test_pages.test_map import LAT, LON, NASTY, PLAIN, SHIFTED

SQUARE = shapely.box(LON, LAT, LON + 0.004, LAT + 0.002)


def test_a_scene_without_hulls_or_arcs_says_nothing_of_them() -> None:
    picture = maps.picture(Scene(PLAIN, Marked(LON, LAT)))
    assert not {"hulls", "arcs", "scripts"} & set(picture)


def test_hulls_and_arcs_bring_their_script_after_the_one_it_builds_on() -> None:
    picture = maps.picture(Scene(PLAIN, Marked(LON, LAT), hulls=[Hull("h1", SQUARE)]))
    names = [address.split("?")[0] for address in picture["scripts"]]
    assert names == ["/assets/zhendi-zones.js", "/assets/zhendi-ties.js"]


def test_with_zones_beside_them_no_script_is_fetched_twice() -> None:
    zone = maps.DrawnZone(1, SQUARE, "一片")
    scene = Scene(PLAIN, Marked(LON, LAT), zones=[zone], arcs=[Arc("x", (LON, LAT), (LON, LAT + 0.01))])
    picture = maps.picture(scene)
    assert len(picture["scripts"]) == len(set(picture["scripts"])) == 2
    assert len(picture["zones"]) == len(picture["arcs"]) == 1


def test_an_arcs_ends_are_in_the_base_maps_datum() -> None:
    (arc,) = ties_json([], [Arc("x", (LON, LAT), (LON + 0.01, LAT), strong=True)], "gcj02")["arcs"]
    assert arc["a"] == maps.shifted(Marked(LON, LAT), "gcj02")
    assert arc["a"] != (LON, LAT)
    assert (arc["strong"], "dashed" in arc) == (1, False)


@pytest.mark.parametrize(
    "shape",
    [shapely.Point(LON, LAT), shapely.LineString([(LON, LAT), (LON + 0.003, LAT)])],
    ids=["one merchant", "two merchants"],
)
def test_a_group_without_any_area_is_drawn_with_room_round_it(shape: shapely.Geometry) -> None:
    (hull,) = ties_json([Hull("h", shape)], [], "wgs84")["hulls"]
    assert hull["shape"]
    assert hull["at"] == pytest.approx((shape.centroid.x, shape.centroid.y), abs=1e-4)


def test_an_empty_hull_is_left_out() -> None:
    assert ties_json([Hull("h", shapely.Polygon())], [], "wgs84") == {"hulls": [], "arcs": []}


@pytest.mark.parametrize("name", NASTY)
def test_a_label_comes_to_the_browser_as_it_is_and_never_as_html(name: str) -> None:
    scene = Scene(SHIFTED, Marked(LON, LAT), hulls=[Hull("h", SQUARE, name)])
    literal = maps.script_text(maps.picture(scene))
    assert "<" not in literal
    assert json.loads(json.loads(literal))["hulls"][0]["label"] == name


def test_the_base_map_moves_hulls_too() -> None:
    here, there = (maps.picture(Scene(base, None, hulls=[Hull("h", SQUARE)])) for base in (PLAIN, SHIFTED))
    assert here["hulls"][0]["at"] != there["hulls"][0]["at"]


# What a click falls on -------------------------------------------------------------------------------------

EAST, NORTH = 1 / 111_195 / 0.86074, 1 / 111_195  # degrees a metre at latitude 30.6
RIGHT = Arc("right", (LON, LAT), (LON + 1000 * EAST, LAT))


def test_a_click_on_the_middle_of_the_bow_chooses_the_arc_and_one_on_its_chord_does_not() -> None:
    middle = LON + 500 * EAST
    assert arc_at([RIGHT], middle, LAT + 140 * NORTH, 5.0) == RIGHT
    assert arc_at([RIGHT], middle, LAT, 100.0) is None
    assert arc_at([], middle, LAT, 1e9) is None


def test_the_bow_stands_out_to_the_same_side_whichever_end_comes_first() -> None:
    back = RIGHT._replace(a=RIGHT.b, b=RIGHT.a)
    assert bow(back).hausdorff_distance(bow(RIGHT)) < 1e-9


def test_where_several_arcs_meet_the_first_is_chosen() -> None:
    other = Arc("up", (LON, LAT), (LON, LAT + 500 * NORTH))
    assert arc_at([other, RIGHT], LON, LAT, 10.0) == other
    assert arc_at([RIGHT, other], LON, LAT, 10.0) == RIGHT


def test_a_click_in_two_hulls_chooses_the_smaller_and_beside_all_the_nearest() -> None:
    small = Hull("small", shapely.box(LON, LAT, LON + 50 * EAST, LAT + 50 * NORTH))
    large = Hull("large", shapely.box(LON, LAT, LON + 500 * EAST, LAT + 500 * NORTH))
    assert hull_at([large, small], LON + 20 * EAST, LAT + 20 * NORTH, 0.0) == small
    assert hull_at([large, small], LON + 300 * EAST, LAT + 300 * NORTH, 0.0) == large
    assert hull_at([small], LON - 30 * EAST, LAT, 40.0) == small
    assert hull_at([small], LON - 30 * EAST, LAT, 20.0) is None


# The first look --------------------------------------------------------------------------------------------


def test_the_first_look_is_at_what_joins_merchants_only_where_that_is_asked_for() -> None:
    ring = [maps.Ring(5000.0, "5 km", main=True)]
    wide = maps.first_view(Scene(PLAIN, Marked(LON, LAT), rings=ring, hulls=[Hull("h", SQUARE)]))
    near = maps.first_view(Scene(PLAIN, Marked(LON, LAT), rings=ring, hulls=[Hull("h", SQUARE)], near=True))
    (west, _south), (east, _north) = near["bounds"]
    assert (west, east) == pytest.approx((LON - 0.001, LON + 0.005))
    assert wide["bounds"][0][0] < west
