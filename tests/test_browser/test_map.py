"""The map in a real browser: base maps in two datums, clicks, the slider, layers, the view in the URL."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Frame, Locator, Page, expect

from geo.datum import convert
from geo.tiles import world_xy
from tests.conftest import ROOT
from tests.test_browser.conftest import PATIENCE_MS, Server, Watch, _environment, serving, settled

Browse = Callable[..., Page]
LON, LAT, ZOOM = 114.3000, 30.6000, 16
MARK = (255, 0, 255)  # the landmark as the base maps paint it
MARK_PX = 24
SEED = """
import pandas as pd
from data import bulk, store, tables
from data.config import Settings
from data.rights import command_line
engine = store.engine(Settings.from_env())
store.migrate(engine)
me = command_line("tests")
with store.transaction(engine) as session:
    branch = store.add_branch(session, me, code="HW", name="河湾支行", lon={lon} - 0.004, lat={lat})
    rows = [("地标商户", 101, "signed", {lon}, {lat}), ("远处商户", 201, "known", {lon} + 0.02, {lat})]
    frame = pd.DataFrame(rows, columns=["name", "category_id", "status", "lon", "lat"])
    bulk.insert(session, tables.merchants, frame.assign(branch_id=branch, initials="dbsh"))
    store.new_version(session, me, branch, "test")
"""
BASEMAP = """
[[basemap]]
key = "{datum}"
zh = "测试 {datum}"
en = "Test {datum}"
kind = "xyz"
url = "http://127.0.0.1:{port}/{datum}/{{z}}/{{x}}/{{y}}.png"
datum = "{datum}"
attribution = "<b>tests</b>"
enabled = true
"""


class Painter(BaseHTTPRequestHandler):
    """A base map: white, but for a square round the landmark, where the map's datum puts it."""

    def do_GET(self) -> None:  # noqa: N802 - the name http.server asks for
        datum, z, x, y = re.fullmatch(r"/(\w+)/(\d+)/(\d+)/(\d+)\.png", self.path).groups()
        lon, lat = convert(np.array([LON]), np.array([LAT]), "wgs84", datum)
        across, down = (float(part[0]) * 2 ** int(z) * 256 for part in world_xy(lon, lat))
        picture = Image.new("RGB", (256, 256), "white")
        left, top = round(across - int(x) * 256 - MARK_PX / 2), round(down - int(y) * 256 - MARK_PX / 2)
        picture.paste(MARK, (left, top, left + MARK_PX, top + MARK_PX))
        body = io.BytesIO()
        picture.save(body, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(body.getvalue())

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@dataclass
class Ground:
    """A server of the app, and the base maps' server beside it."""

    server: Server
    painter: ThreadingHTTPServer

    def url(self, **more: str) -> str:
        where = {"branch": "HW", "layers": "merchants", "at": f"{LON},{LAT},{ZOOM}", **more}
        return self.server.url + "/?" + "&".join(f"{key}={value}" for key, value in where.items())


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    painter = ThreadingHTTPServer(("127.0.0.1", 0), Painter)
    threading.Thread(target=painter.serve_forever, daemon=True).start()
    folder = tmp_path_factory.mktemp("ground")
    table = folder / "basemaps.toml"
    datums = ("wgs84", "gcj02")
    table.write_text("".join(BASEMAP.format(datum=each, port=painter.server_port) for each in datums))
    var = folder / "var"
    var.mkdir()
    script = SEED.format(lon=LON, lat=LAT)
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=_environment(var), check=True)
    with serving(var, ZHENDI_BASEMAPS=str(table)) as server:
        yield Ground(server, painter)
    painter.shutdown()
    painter.server_close()


def map_frame(page: Page) -> Frame:
    """Return the map's frame."""
    page.frame_locator("iframe").locator(".leaflet-container").wait_for()
    return next(frame for frame in page.frames if "streamlit_folium" in frame.url)


def idle(page: Page, more_than: int = 0) -> int:
    """Wait until the map has drawn everything it was asked for, and return how often it has."""
    frame = map_frame(page)
    frame.wait_for_function("count => window.zhendi && window.zhendi.idle > count", arg=more_than)
    return int(frame.evaluate("window.zhendi.idle"))


def at_rest(page: Page) -> Frame:
    """Wait until the page and its map have nothing left to do."""
    settled(page)
    count = idle(page)
    page.wait_for_timeout(600)
    while (now := idle(page)) != count:
        count = now
        page.wait_for_timeout(600)
    return map_frame(page)


def picture(page: Page) -> np.ndarray:
    """Return the map's pixels."""
    shot = page.locator("iframe").first.screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def centre_of(pixels: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """Return the mean place of the pixels of a colour."""
    down, across = np.nonzero((np.abs(pixels - colour) < 40).all(axis=2))
    assert len(down), f"nothing is {colour}"
    return float(across.mean()), float(down.mean())


def click(page: Page, at: tuple[float, float]) -> None:
    box = page.locator("iframe").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])


# Base maps in two datums -----------------------------------------------------------------------------------


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_a_merchant_stands_on_its_landmark_and_a_click_there_finds_it(
    browse: Browse, ground: Ground, datum: str
) -> None:
    page = browse(ground.url(base=datum))
    at_rest(page)
    pixels = picture(page)
    landmark = centre_of(pixels, MARK)
    merchant = centre_of(pixels, (0xD1, 0x49, 0x5B))  # food's colour
    assert merchant == pytest.approx(landmark, abs=1.5)
    assert landmark == pytest.approx((pixels.shape[1] / 2, pixels.shape[0] / 2), abs=3)
    click(page, landmark)
    expect(page.get_by_role("heading", name="地标商户")).to_be_visible(timeout=PATIENCE_MS)


def test_changing_the_base_map_keeps_the_ground_in_view(browse: Browse, ground: Ground) -> None:
    page = browse(ground.url(base="wgs84"))
    at_rest(page)
    count = idle(page)
    page.get_by_role("combobox", name=re.compile("底图")).click()
    page.get_by_role("option", name="测试 gcj02").click()
    idle(page, count)
    at_rest(page)
    pixels = picture(page)
    landmark, merchant = centre_of(pixels, MARK), centre_of(pixels, (0xD1, 0x49, 0x5B))
    assert merchant == pytest.approx(landmark, abs=1.5)
    assert landmark == pytest.approx((pixels.shape[1] / 2, pixels.shape[0] / 2), abs=4)
    assert "base=gcj02" in page.url


def test_a_base_map_out_of_reach_is_said_quietly_and_the_overlays_stay(
    browse: Browse, ground: Ground, watch: Watch
) -> None:
    page = browse(ground.url(base="wgs84", at="0,0,3"))
    at_rest(page)
    page.context.route("**/wgs84/**", lambda route: route.abort())
    page.goto(ground.url(base="wgs84"))
    frame = at_rest(page)
    expect(frame.locator(".zhendi-note")).to_be_visible(timeout=PATIENCE_MS)
    assert "底图" in frame.locator(".zhendi-note").inner_text()
    centre_of(picture(page), (0xD1, 0x49, 0x5B))
    assert all("net::ERR_FAILED" in complaint for complaint in watch.complaints)
    watch.complaints.clear()


def test_over_a_base_map_that_never_answers_every_click_opens_its_card(
    browse: Browse, ground: Ground
) -> None:
    page = browse(ground.url(base="wgs84"))
    at_rest(page)
    page.context.route("**/wgs84/**", lambda _route: None)  # taken, and left waiting
    page.goto(ground.url(base="wgs84"))
    settled(page)
    note = map_frame(page).locator(".zhendi-note")
    expect(note).to_be_visible(timeout=PATIENCE_MS)
    assert "底图" in note.inner_text()
    heading = page.get_by_role("heading", name="地标商户")
    for _ in range(3):
        click(page, centre_of(picture(page), (0xD1, 0x49, 0x5B)))
        expect(heading).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("button", name="关闭").click()
        expect(heading).to_have_count(0, timeout=PATIENCE_MS)
        settled(page)


def test_what_a_base_maps_maker_asks_to_be_shown_is_text(browse: Browse, ground: Ground) -> None:
    page = browse(ground.url(base="wgs84"))
    frame = at_rest(page)
    assert "<b>tests</b>" in frame.locator(".leaflet-control-attribution").inner_text()


# Clicks, the view, the circle ------------------------------------------------------------------------------


def test_a_second_click_on_the_same_place_counts(browse: Browse, ground: Ground) -> None:
    page = browse(ground.url(base="wgs84"))
    at_rest(page)
    landmark = centre_of(picture(page), MARK)
    heading = page.get_by_role("heading", name="地标商户")
    click(page, landmark)
    expect(heading).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="关闭").click()
    expect(heading).to_have_count(0, timeout=PATIENCE_MS)
    at_rest(page)
    click(page, landmark)
    expect(heading).to_be_visible(timeout=PATIENCE_MS)


def test_moving_the_map_goes_into_the_url_and_a_refresh_keeps_it(browse: Browse, ground: Ground) -> None:
    page = browse(ground.url(base="wgs84"))
    frame = at_rest(page)
    before = page.url
    box = page.locator("iframe").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 240, steps=6)
    page.mouse.up()
    page.wait_for_url(lambda url: url != before)
    centre = frame.evaluate("(({lat, lng}) => [lng, lat])(window.zhendi.own.map.getCenter())")
    page.reload()
    frame = at_rest(page)
    again = frame.evaluate("(({lat, lng}) => [lng, lat])(window.zhendi.own.map.getCenter())")
    assert again == pytest.approx(centre, abs=2e-5)
    assert frame.evaluate("window.zhendi.own.map.getZoom()") == ZOOM


def test_the_slider_moves_the_circle_and_fetches_no_tile(browse: Browse, ground: Ground) -> None:
    page = browse(ground.url(base="wgs84", at=""))
    asked: list[str] = []
    received: list[int] = []
    page.on("request", lambda request: asked.append(request.url) if "/tiles/" in request.url else None)
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    page.reload()
    frame = at_rest(page)
    radius = "document.querySelector('.zhendi-circle').getBBox().width"
    before = frame.evaluate(radius)
    assert asked
    asked.clear()
    received.clear()
    count = idle(page)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("PageDown")
    idle(page, count)
    settled(page)
    assert frame.evaluate(radius) < before
    assert asked == []
    assert 0 < sum(received) < 50_000
    assert re.search(r"[?&]r=\d+", page.url)


def test_a_layer_switched_off_leaves_the_map_without_touching_the_others(
    browse: Browse, ground: Ground
) -> None:
    page = browse(ground.url(base="wgs84", layers="merchants.outlets"))
    frame = at_rest(page)
    assert frame.evaluate("Object.keys(window.zhendi.own.layers).sort()") == ["merchants", "outlets"]
    page.get_by_role("button", name="银行网点").click()
    frame.wait_for_function("Object.keys(window.zhendi.own.layers).length === 1")
    settled(page)
    assert "layers=merchants" in page.url
    centre_of(picture(page), (0xD1, 0x49, 0x5B))


# Work -----------------------------------------------------------------------------------------------------


def merchants_card(page: Page) -> Locator:
    """Return the figure of the card that counts merchants."""
    return page.get_by_test_id("stMetric").filter(has_text="商户").first.get_by_test_id("stMetricValue")


def test_a_filter_changes_the_figures_the_tiles_and_the_url_at_once(browse: Browse, ground: Ground) -> None:
    page = browse(ground.url(base="wgs84"))
    frame = at_rest(page)
    tiles = "window.zhendi.own.state.tiles[0].url"
    before = frame.evaluate(tiles)
    expect(merchants_card(page)).to_have_text("2")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("combobox", name="商户状态").click()
    page.get_by_role("option", name="已签约").click()
    expect(merchants_card(page)).to_have_text("1")
    frame.wait_for_function(f"before => {tiles} !== before", arg=before)
    assert "status=signed" in page.url


@pytest.mark.parametrize("text", ["地标", "dbsh"])
def test_a_name_or_its_initials_are_found_and_the_map_flies_there(
    browse: Browse, ground: Ground, text: str
) -> None:
    page = browse(ground.url(base="wgs84", at=f"{LON + 0.02},{LAT},14"))
    frame = at_rest(page)
    page.get_by_placeholder("名称或拼音首字母").fill(text)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="地标商户").click()
    expect(page.get_by_role("heading", name="地标商户")).to_be_visible()
    frame.wait_for_function(
        "([lon, lat]) => { const c = window.zhendi.own.map.getCenter();"
        " return Math.abs(c.lng - lon) < 1e-4 && Math.abs(c.lat - lat) < 1e-4; }",
        arg=[LON, LAT],
    )


def test_the_farthest_is_set_aside_with_a_reason_and_counts_again_when_taken_back(
    browse: Browse, ground: Ground
) -> None:
    page = browse(ground.url(base="wgs84"))
    at_rest(page)
    expect(page.get_by_text("最远：商户 远处商户")).to_be_visible()
    page.get_by_role("button", name="搁置").click()
    page.get_by_label("为什么不计入？").fill("已搬走")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="搁置").last.click()
    expect(page.get_by_text("最远：商户 地标商户")).to_be_visible()
    page.get_by_role("button", name="已搁置").click()
    expect(page.get_by_text("已搬走")).to_be_visible()
    page.get_by_role("button", name="恢复").click()
    expect(page.get_by_text("最远：商户 远处商户")).to_be_visible()
