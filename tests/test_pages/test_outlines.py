"""Zones as the browser gets them, and drawings as they come back: nothing lost or moved, little sent."""

from __future__ import annotations

import json

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data.basemaps import BaseMap
from geo.blocks import cells_of_circle
from geo.plans import Frame, Plan, Zone
from pages.parts import map as maps
from pages.parts import outlines, state, strokes
from pages.parts.map import DrawnZone, Marked, Scene, Tool
from pages.parts.outlines import restored

LON, LAT = 114.30, 30.60
PLAIN = BaseMap(key="none", zh="无", en="None", kind="none", datum="wgs84", enabled=True)
SHIFTED = BaseMap(key="s", zh="偏", en="S", kind="xyz", url="/{z}/{x}/{y}", datum="gcj02", enabled=True)
WEST = shapely.box(LON - 0.01, LAT - 0.006, LON, LAT + 0.006)
EAST = shapely.box(LON, LAT - 0.006, LON + 0.01, LAT + 0.006)


def unpacked(text: str) -> np.ndarray:
    """Read a line as the browser does."""
    numbers, value, bits = [], 0, 0
    for letter in text:
        part = outlines._LETTERS.index(letter)
        value |= (part & 31) << bits
        bits += 5
        if part < 32:
            numbers.append(-(value + 1) // 2 if value % 2 else value // 2)
            value = bits = 0
    return np.array(numbers).reshape(-1, 2).cumsum(axis=0) / outlines.PACKED_STEPS


corners = st.tuples(st.floats(-180, 180), st.floats(-85, 85))


@given(st.lists(corners, min_size=1, max_size=30))
def test_a_line_in_letters_is_the_line_to_a_quarter_of_a_metre(line: list[tuple[float, float]]) -> None:
    text = outlines.packed(np.array(line))
    read = unpacked(text)
    assert np.abs(read[[0, -1]] - np.array(line)[[0, -1]]).max() <= 2.6e-6
    assert len(read) <= len(line)
    assert not set(text) & set("{}<>&'\"\\.!")


@pytest.mark.parametrize("base", [PLAIN, SHIFTED])
def test_a_zone_lies_on_the_map_where_it_lies_on_the_ground(base: BaseMap) -> None:
    (zone,) = outlines.zones_json([DrawnZone(3, WEST, "西片", "#0f5c4a", locked=True)], base.datum)
    ring = outlines.unshifted_line(unpacked(str(zone["shape"])).tolist(), base.datum)
    assert shapely.Polygon(ring).symmetric_difference(WEST).area < 1e-3 * WEST.area
    at = maps.unshifted(*zone["at"], base.datum)  # type: ignore[misc]
    assert at == pytest.approx((LON - 0.005, LAT), abs=1e-6)
    assert {name: zone[name] for name in zone.keys() - {"shape", "at"}} == {
        "id": 3,
        "label": "西片",
        "fill": "#0f5c4a",
        "locked": 1,
    }


def test_holes_and_parts_are_sent_and_a_zone_without_ground_is_not() -> None:
    ring = WEST.difference(shapely.box(LON - 0.006, LAT - 0.001, LON - 0.004, LAT + 0.001))
    both = shapely.MultiPolygon([ring, shapely.box(LON + 0.002, LAT, LON + 0.003, LAT + 0.001)])
    (zone,) = outlines.zones_json([DrawnZone(1, both), DrawnZone(2, shapely.Polygon())], "wgs84")
    assert [part.count(".") for part in str(zone["shape"]).split("!")] == [1, 0]
    assert not ring.contains(shapely.Point(LON - 0.005, LAT)) and ring.contains(shapely.Point(*zone["at"]))  # type: ignore[misc]


@pytest.fixture(scope="module")
def large() -> list[DrawnZone]:
    """Two hundred zones of ten thousand cells: each cell goes to the nearest of two hundred middles."""
    blocks = cells_of_circle(LON, LAT, 17_000, 9)
    spots = np.random.default_rng(0).permutation(len(blocks))[:200]
    apart = (blocks.x[:, None] - blocks.x[spots]) ** 2 + (blocks.y[:, None] - blocks.y[spots]) ** 2
    owner = apart.argmin(axis=1)
    cells = np.array([shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(each)]) for each in blocks.ids])
    shapes = [shapely.union_all(cells[owner == each], grid_size=1e-9) for each in range(200)]
    assert len(blocks) >= 10_000
    return [DrawnZone(i + 1, shape, f"人民路片区{i}", "#4a7fb5") for i, shape in enumerate(shapes)]


@pytest.mark.parametrize("tool", [None, Tool("brush", 200.0, 3)])
def test_two_hundred_zones_of_ten_thousand_cells_are_sent_in_under_a_hundred_kilobytes(
    large: list[DrawnZone], tool: Tool | None
) -> None:
    scene = Scene(SHIFTED, Marked(LON, LAT, "江汉路支行"), zones=large, tool=tool)
    sent = maps.script_text(maps.picture(scene, "large"))
    assert len(sent) < 90_000
    assert sent == maps.script_text(maps.picture(scene, "large")), "what is the same is the same text"


def test_a_boundary_of_a_hundred_thousand_corners_is_drawn_with_hundreds() -> None:
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    wobbly = 0.02 + 0.0002 * np.sin(turn * 5000)
    shape = shapely.Polygon(np.column_stack([LON + wobbly * np.cos(turn), LAT + wobbly * np.sin(turn)]))
    count, _ = outlines.outline_json(shape, "wgs84", 400)
    assert count <= 400
    assert outlines.simplified(shape, 400).symmetric_difference(shape).area < 0.03 * shape.area


# What comes back -------------------------------------------------------------------------------------------


def told(shape: shapely.Polygon, datum: str, *, tool: str = "edit", **more: object) -> dict[str, object]:
    """Return what a browser tells of handles nobody touched."""
    return {"tool": tool, "number": "a-1", "zone": 3, "parts": outlines.handles_json(shape, datum), **more}


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_an_outline_nobody_touched_comes_back_corner_by_corner(datum: str) -> None:
    turn = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    shape = shapely.Polygon(np.column_stack([LON + 0.01 * np.cos(turn), LAT + 0.012 * np.sin(turn)]))
    shape = shape.difference(shapely.box(LON - 0.002, LAT - 0.002, LON + 0.002, LAT + 0.002))
    drawing = strokes.heard(told(shape, datum), datum)
    assert drawing is not None
    assert shapely.get_num_coordinates(drawing.shape) <= outlines.MOST_HANDLES
    assert restored(drawing.shape, shape).normalize().equals_exact(shape.normalize(), 0.0)


def test_a_dragged_corner_changes_its_two_sides_and_no_other_corner() -> None:
    turn = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    shape = shapely.Polygon(np.column_stack([LON + 0.01 * np.cos(turn), LAT + 0.012 * np.sin(turn)]))
    handles = shapely.get_coordinates(outlines.handles(shape))[:-1]
    at = len(handles) // 2
    moved = handles.copy()
    moved[at] += 0.003
    whole = restored(shapely.Polygon(moved), shape)
    before = {tuple(each) for each in shapely.get_coordinates(shape)}
    after = {tuple(each) for each in shapely.get_coordinates(whole)}
    assert after - before == {tuple(moved[at])}
    lost = np.array(sorted(before - after))
    assert np.abs(lost - handles[at]).max() <= np.abs(handles[[at - 1, at + 1]] - handles[at]).max()


def test_a_handle_taken_away_takes_what_lay_beside_it_along() -> None:
    shape = shapely.segmentize(WEST, 1e-4)
    handles = shapely.get_coordinates(outlines.handles(shape))[:-1]
    assert len(handles) == 4 and shapely.get_num_coordinates(shape) > outlines.MOST_HANDLES
    whole = restored(shapely.Polygon(handles[1:]), shape)
    assert whole.area == pytest.approx(WEST.area / 2)
    assert shapely.get_num_coordinates(whole) > 200


def test_what_was_drawn_is_heard_in_wgs84() -> None:
    parts = [[[list(maps.shifted(Marked(LON, LAT), "gcj02"))]]]
    drawing = strokes.heard({"tool": "circle", "number": "a-1", "parts": parts, "radius": 250.5}, "gcj02")
    assert drawing is not None
    assert (drawing.shape.x, drawing.shape.y) == pytest.approx((LON, LAT), abs=1e-6)
    assert (drawing.radius_m, drawing.zone_id, drawing.number) == (250.5, None, "a-1")
    line = strokes.heard(
        {"tool": "brush", "number": "a-2", "parts": [[[[LON, LAT]]]], "width": 50, "zone": 7}, "wgs84"
    )
    assert line is not None and line.shape.geom_type == "LineString" and line.shape.length == 0
    assert (line.width_m, line.zone_id) == (50.0, 7)


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"tool": "polygon", "number": "1", "parts": []},
        {"tool": "polygon", "number": "1", "parts": [[[[0, 0], [1, 1]]]]},
        {"tool": "polygon", "number": "1", "parts": "abc"},
        {"tool": "polygon", "number": "1", "parts": [[[["a", "b"]]]]},
        {"tool": "polygon", "number": "1", "parts": [[[[0, 91], [1, 91], [1, 92]]]]},
        {"tool": "polygon", "number": "1", "parts": [[[[0, 0], [None, 1], [1, 0]]]]},
        {"tool": "rm -rf", "number": "1", "parts": [[[[0, 0], [1, 1], [1, 0]]]]},
        {"tool": "brush", "number": "1", "parts": [[[[0, 0]]]], "width": float("nan")},
        {"tool": "brush", "number": "1", "parts": [[[[0, 0]]]], "zone": "x"},
        {"tool": "split", "number": "1", "parts": [[[[0, 0]] * 300_000]]},
    ],
)
def test_nonsense_from_a_browser_is_no_drawing(nonsense: dict[str, object]) -> None:
    assert strokes.heard(nonsense, "wgs84") is None


# What the page hears ---------------------------------------------------------------------------------------


def test_a_drawing_comes_until_it_is_answered_and_never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session: dict[str, object] = {}
    monkeypatch.setattr(state.st, "session_state", session)
    session["component"] = {"drawing": told(WEST, "wgs84")}
    state.hear("m", "component")
    assert [maps.told("wgs84", "m").drawing.number for _ in range(3)] == ["a-1"] * 3  # type: ignore[union-attr]
    answer = state.answering("m")
    assert maps.told("wgs84", "m").drawing is not None
    answer()
    assert maps.told("wgs84", "m").drawing is None
    assert state.answered_drawing("m") == "a-1"
    session["component"] = {"drawing": told(WEST, "wgs84") | {"number": "a-2"}}
    state.hear("m", "component")
    assert maps.told("wgs84", "m").drawing is not None, "the same once more is another drawing"
    state.answer_drawing("m")
    assert maps.told("wgs84", "m").drawing is None


def test_the_map_learns_which_drawing_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    session: dict[str, object] = {"m": {"drawing": told(WEST, "wgs84")}}
    monkeypatch.setattr(state.st, "session_state", session)
    scene = Scene(PLAIN, Marked(LON, LAT), zones=[DrawnZone(3, WEST)], tool=Tool("edit", zone_id=3))
    before = maps.picture(scene, "m")
    assert "answered" not in before
    assert before["tool"]["parts"] == outlines.handles_json(WEST, "wgs84")  # type: ignore[index]
    state.answer_drawing("m")
    after = maps.picture(scene, "m")
    assert after["answered"] == "a-1"
    assert after["stamp"] != before["stamp"]


def test_a_map_without_zones_and_tools_fetches_nothing_more() -> None:
    plain = maps.picture(Scene(PLAIN, Marked(LON, LAT)), "plain")
    assert not {"zones", "scripts", "tool", "tool_words", "answered", "barriers"} & plain.keys()


def test_a_point_belongs_to_the_zone_it_lies_in_and_on_a_border_to_the_first() -> None:
    plan = Plan(Frame(LON, LAT, 2000.0, 9), (Zone(2, "西片", WEST), Zone(5, "东片", EAST)))
    assert maps.zone_at(plan, LON - 0.005, LAT) == 2
    assert maps.zone_at(plan, LON + 0.005, LAT) == 5
    assert maps.zone_at(plan, LON, LAT) == 2
    assert maps.zone_at(plan, LON + 0.5, LAT) is None
    assert maps.zone_at(Plan(plan.frame), LON, LAT) is None
    assert json.dumps(maps.picture(Scene(PLAIN, None, zones=[DrawnZone(2, WEST)]), "z"))
