"""The tools of the map in a real browser, with a mouse that is pressed, moved and let go."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.conftest import ROOT
from tests.test_browser.conftest import PATIENCE_MS, Watch, serving, settled
from tests.test_browser.drawing_page import LAT, LON

Browse = Callable[..., Page]
HALF = 120.0  # either zone's area in millionths of a square degree


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the page with two zones, and return its address."""
    folder = tmp_path_factory.mktemp("drawing")
    with serving(folder, app="tests/test_browser/drawing_app.py", PYTHONPATH=str(ROOT)) as server:
        yield f"{server.url}/?lang=zh"


@pytest.fixture(scope="module")
def one_page(chromium: Browser, url: str) -> Iterator[Page]:
    """Return a browser at the page that the tests share, as it takes longer to open than to use."""
    context, watch = chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900}), Watch()
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", watch.request)
    context.on("console", watch.console)
    page = context.new_page()
    page.on("pageerror", lambda error: watch.complaints.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert not watch.outside and not watch.complaints


@pytest.fixture
def board(one_page: Page) -> Board:
    """Return the page as it is at first."""
    board = Board(one_page)
    one_page.get_by_role("button", name="anew").click()
    assert board.told(0) == {1: HALF, 2: HALF}
    board.frame.wait_for_function("!zhendi.own.tool && zhendi.own.zones.size === 2")
    return board


class Board:
    """The page, by what a test does to it and reads from it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.frame_locator("iframe").locator(".zhendi-zone-2").wait_for()
        self.frame: Frame = next(frame for frame in page.frames if "streamlit_folium" in frame.url)
        self.rest()

    def rest(self) -> None:
        """Wait until the map stands still."""
        settled(self.page)
        self.frame.wait_for_function("zhendi.idle > 0 && !zhendi.own.fetching && !zhendi.own.waiting")

    def take(self, tool: str) -> None:
        """Take a tool up, and wait until the map has it in hand."""
        self.page.get_by_role("radio", name=tool).or_(
            self.page.get_by_role("button", name=tool)
        ).first.click()
        settled(self.page)
        if tool != "选择":
            self.frame.wait_for_function("zhendi.own.hand")

    def at(self, east: float, north: float) -> tuple[float, float]:
        """Return where on the page a place lies, in thousandths of a degree from the branch."""
        box = self.page.locator("iframe").first.bounding_box()
        assert box
        lon, lat = LON + east / 1000, LAT + north / 1000
        point = "place => (({x, y}) => [x, y])(zhendi.own.map.latLngToContainerPoint(place))"
        x, y = self.frame.evaluate(point, [lat, lon])
        return box["x"] + x, box["y"] + y

    def click(self, east: float, north: float) -> None:
        x, y = self.at(east, north)
        self.page.mouse.move(x, y, steps=3)
        self.page.mouse.click(x, y, delay=20)

    def points(self, *corners: tuple[float, float]) -> None:
        """Set one corner after another; leaflet-draw takes none for 50 ms after the last."""
        for number, corner in enumerate(corners, 1):
            self.click(*corner)
            self.frame.wait_for_function("count => zhendi.own.hand.corners() === count", arg=number)
            self.frame.evaluate("new Promise(done => setTimeout(done, 60))")

    def drag(self, *stops: tuple[float, float]) -> None:
        """Press at the first stop, move over the others, and let go at the last."""
        self.page.mouse.move(*self.at(*stops[0]))
        self.page.mouse.down()
        for stop in stops[1:]:
            self.page.mouse.move(*self.at(*stop), steps=8)
        self.page.mouse.up()

    def told(self, drawings: int) -> dict[int, float]:
        """Wait until so many drawings were heard, and return the zones' areas."""
        line = self.page.get_by_test_id("stText").filter(has_text=f"drawings={drawings} ")
        expect(line).to_be_visible(timeout=PATIENCE_MS)
        settled(self.page)
        self.frame.wait_for_function("!zhendi.own.waiting")
        return dict(ast.literal_eval(re.search(r"zones=(\{.*\})", line.inner_text())[1]))

    def has(self, zone_id: int) -> None:
        """Wait until a zone is drawn."""
        self.frame.locator(f".zhendi-zone-{zone_id}").wait_for(state="attached")


def test_an_outline_drawn_point_by_point_becomes_a_zone(board: Board) -> None:
    board.take("多边形")
    board.points((-8, 7), (-4, 7), (-4, 9), (-8, 9))
    board.click(-8, 7)
    zones = board.told(1)
    assert zones == {1: HALF, 2: HALF, 3: pytest.approx(8.0, rel=0.03)}
    board.has(3)


def test_a_rectangle_is_dragged_over_ground_that_others_give_up(board: Board) -> None:
    board.take("矩形")
    board.drag((-2, -2), (2, 2))
    zones = board.told(1)
    assert zones[3] == pytest.approx(16.0, rel=0.05)
    assert (zones[1], zones[2]) == pytest.approx((HALF - 8.0, HALF - 8.0), rel=0.01)


def test_a_circle_shows_its_radius_while_it_is_dragged(board: Board) -> None:
    board.take("圆形")
    board.page.mouse.move(*board.at(0, 10))
    board.page.mouse.down()
    board.page.mouse.move(*board.at(2, 10), steps=6)
    shown = board.frame.locator(".leaflet-draw-tooltip-subtext").inner_text()
    board.page.mouse.up()
    radius_m = float(re.search(r"半径.*?([\d.]+) ?m", shown)[1])
    assert radius_m == pytest.approx(191.6, rel=0.02)  # two thousandths of a degree of longitude at 30.6 N
    assert board.told(1)[3] == pytest.approx(3.14159 * 2 * 2 * 0.861, rel=0.03)


def test_a_line_along_a_street_becomes_a_strip_of_its_width(board: Board) -> None:
    board.take("沿街")
    board.points((-5, 9), (5, 9))
    board.page.frame_locator("iframe").get_by_role("button", name="完成").click()
    metres = board.told(1)[3] / 1e6 * 111_000 * 111_000 * 0.861
    assert metres == pytest.approx(100 * 958, rel=0.05)  # ten thousandths of a degree, a hundred metres wide


def test_a_zone_is_split_by_a_line_and_two_are_told_apart(board: Board) -> None:
    board.click(-5, 0)
    board.page.get_by_text("chosen=1").wait_for()
    board.take("拆分")
    board.points((-12, 0), (2, 0))
    board.click(2, 0)
    zones = board.told(1)
    assert (zones[1], zones[3]) == pytest.approx((HALF / 2, HALF / 2), rel=0.02)
    assert zones[2] == HALF


def test_a_corner_of_a_saved_zone_is_dragged_and_the_rest_stays(board: Board) -> None:
    board.click(5, 0)
    board.page.get_by_text("chosen=2").wait_for()
    board.take("改边界")
    board.drag((10, 6), (12, 6))
    board.page.frame_locator("iframe").get_by_role("button", name="完成").click()
    zones = board.told(1)
    assert zones[2] == pytest.approx(HALF + 12.0, rel=0.01)
    assert zones[1] == HALF


def test_a_corner_is_added_between_two_and_another_taken_away(board: Board) -> None:
    board.click(5, 0)
    board.page.get_by_text("chosen=2").wait_for()
    board.take("改边界")
    board.drag((10, 0), (12, 0))  # the pale one in the middle of the side
    board.click(10, 6)  # taken away
    x, y = board.at(5, 0)
    board.page.mouse.dblclick(x, y)
    # (0,-6) (10,-6) (12,0) (0,6): by the shoelace formula
    assert board.told(1)[2] == pytest.approx(102.0, rel=0.01)


def test_every_stroke_of_the_brush_arrives_and_none_twice(board: Board) -> None:
    board.click(5, 0)
    board.page.get_by_text("chosen=2").wait_for()
    board.take("画笔")
    board.drag((-1, 0), (-3, 1), (-3, 3))
    before = board.frame.evaluate("zhendi.own.map.getCenter().toString()")
    first = board.told(1)
    assert first[1] < HALF < first[2]
    assert first[1] + first[2] == pytest.approx(2 * HALF, rel=0.02)
    for _ in range(2):  # again the same, the one right after the other
        board.drag((-1, 0), (-3, 1), (-3, 3))
    assert board.told(3) == first
    assert board.frame.evaluate("zhendi.own.map.getCenter().toString()") == before, "painting pans nothing"
    board.page.wait_for_timeout(400)
    assert board.told(3) == first


def test_escape_gives_up_what_was_begun_and_clicks_that_draw_choose_nothing(board: Board) -> None:
    board.take("多边形")
    board.points((-5, 0), (-6, 2))
    board.page.keyboard.press("Escape")
    board.frame.wait_for_function("zhendi.own.hand && zhendi.own.hand.corners() === 0")
    board.take("选择")
    assert "drawings=0 chosen=None" in board.page.get_by_test_id("stText").first.inner_text()
    board.click(5, 0)
    board.page.get_by_text("chosen=2").wait_for()


def test_a_drawing_lies_where_it_was_drawn_on_a_shifted_base_map(browse: Browse, url: str) -> None:
    board = Board(browse(f"{url}&datum=gcj02"))
    board.take("矩形")
    shown = board.frame.evaluate("zhendi.own.zones.get(2).layers[0].getBounds().toBBoxString()")
    west, south, east, north = map(float, shown.split(","))
    board.drag(*(((lon - LON) * 1000, (lat - LAT) * 1000) for lon, lat in ((west, south), (east, north))))
    zones = board.told(1)
    assert zones[3] == pytest.approx(HALF, rel=0.02)
    assert 2 not in zones or zones[2] < 2.0
    assert zones[1] == pytest.approx(HALF, rel=0.02)


def test_choosing_a_tool_leaves_the_focus_where_it_was(board: Board) -> None:
    board.take("多边形")
    assert board.page.evaluate("document.activeElement.tagName") != "IFRAME"
