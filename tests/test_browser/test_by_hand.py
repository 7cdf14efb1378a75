"""Work by hand on the map in a real browser; and clicks and labels that must not get lost."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.test_browser.conftest import Server, _environment, serving, settled
from tests.test_browser.test_map import (
    BASEMAP,
    LAT,
    LON,
    MARK,
    SEED,
    Painter,
    at_rest,
    centre_of,
    click,
    map_frame,
    picture,
)

Browse = Callable[..., Page]
MORE = """
from sqlalchemy import insert, select
with store.transaction(engine) as session:
    m = tables.merchants
    near, far = session.scalars(select(m.c.id).order_by(m.c.id)).all()
    session.execute(m.update().where(m.c.id == far).values(double_of=near, double_level="possible"))
    values = {"branch_id": branch, "kind": "merchants", "row": 2}
    b = tables.batches
    batch = {"branch_id": branch, "kind": "merchants", "file_name": "a.csv", "file_hash": "", "mapping": {}}
    made = session.scalars(insert(b).values(**batch, datum="wgs84", counts={}, by="tests").returning(b.c.id))
    record = '{"name": "老李修车", "category_id": 201, "status": "known"}'
    session.execute(insert(tables.unplaced).values(**values, batch_id=made.one(), record=record))
    store.new_version(session, me, branch, "test")
"""
ROWS = {"zh-CN": ("图层", "客户网格", "底图"), "en-US": ("Layers", "Cells show", "Base map")}
READ = """
from sqlalchemy import select
from data import store, tables
from data.config import Settings
m = tables.merchants
with store.reading(store.engine(Settings.from_env())) as session:
    row = session.execute(select(m.c.lon, m.c.lat).where(m.c.name == "{name}")).one_or_none()
print("" if row is None else f"{{row.lon}} {{row.lat}}")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with a landmark shop and base maps in two datums."""
    painter = ThreadingHTTPServer(("127.0.0.1", 0), Painter)
    threading.Thread(target=painter.serve_forever, daemon=True).start()
    folder = tmp_path_factory.mktemp("hand")
    maps = [BASEMAP.format(datum=each, port=painter.server_port) for each in ("wgs84", "gcj02")]
    (folder / "basemaps.toml").write_text("".join(maps))
    var = folder / "var"
    var.mkdir()
    seed = SEED.format(lon=LON, lat=LAT) + MORE
    subprocess.run([sys.executable, "-c", seed], cwd=ROOT, env=_environment(var), check=True)
    with serving(var, ZHENDI_BASEMAPS=str(folder / "basemaps.toml")) as served:
        yield served
    painter.shutdown()
    painter.server_close()


def address(server: Server, **more: str) -> str:
    where = {"branch": "HW", "layers": "merchants", "at": f"{LON},{LAT},16", "base": "wgs84", **more}
    return server.url + "/?" + "&".join(f"{key}={value}" for key, value in where.items())


def place_of(server: Server, name: str) -> list[float]:
    """Return where a merchant is stored; nothing when there is none."""
    told = subprocess.run(
        [sys.executable, "-c", READ.format(name=name)],
        cwd=ROOT,
        env=_environment(server.var),
        check=True,
        capture_output=True,
        text=True,
    )
    return [float(part) for part in told.stdout.split()]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def spot_of(page: Page, lon: float) -> tuple[float, float]:
    """Return where on the map a point on the landmark's latitude is drawn, in WGS 84."""
    point = map_frame(page).evaluate(
        "([lon, lat]) => { const p = window.zhendi.own.map.latLngToContainerPoint([lat, lon]);"
        " return [p.x, p.y]; }",
        [lon, LAT],
    )
    return point[0], point[1]


def test_a_merchant_is_added_where_it_was_clicked_whatever_the_maps_datum(
    browse: Browse, server: Server
) -> None:
    page = browse(address(server, base="gcj02"))
    at_rest(page)
    landmark = centre_of(picture(page), MARK)
    press(page, "新增商户")
    frame = map_frame(page)
    expect(frame.locator(".zhendi-hint")).to_have_text("请点击商户所在位置")
    click(page, landmark)
    expect(frame.locator(".zhendi-pin")).to_be_visible()
    page.get_by_label("名称", exact=True).fill("全新裁缝铺")
    page.get_by_role("combobox", name="行业类别").click()
    page.keyboard.type("超市")
    page.keyboard.press("Enter")
    press(page, "保存")
    expect(page.get_by_role("heading", name="全新裁缝铺")).to_be_visible()
    expect(page.get_by_test_id("stToast")).to_contain_text("已新增：全新裁缝铺")
    expect(frame.locator(".zhendi-hint")).to_be_hidden()
    assert place_of(server, "全新裁缝铺") == pytest.approx([LON, LAT], abs=3e-5)
    press(page, "撤销")
    expect(page.get_by_text("已撤销").first).to_be_visible()
    assert place_of(server, "全新裁缝铺") == []


def test_a_pin_is_moved_with_a_click_and_cancel_leaves_it_at_phone_width(
    browse: Browse, server: Server
) -> None:
    page = browse(address(server), width=390, height=844)
    at_rest(page)
    page.locator("iframe").first.scroll_into_view_if_needed()
    middle = spot_of(page, LON)
    click(page, middle)
    expect(page.get_by_role("heading", name="地标商户")).to_be_visible()
    settled(page)
    for last in ("取消", "移到这里"):
        press(page, "移动")
        page.locator("iframe").first.scroll_into_view_if_needed()
        click(page, (middle[0] + 60, middle[1]))
        expect(page.get_by_role("button", name="移到这里")).to_be_visible()
        settled(page)
        before = place_of(server, "地标商户")
        assert before == [LON, LAT]
        press(page, last)
    expect(page.get_by_role("button", name="撤销")).to_be_visible()
    lon, lat = place_of(server, "地标商户")
    assert lat == pytest.approx(LAT, abs=3e-5)
    assert lon == pytest.approx(LON + 60 * 360 / (256 * 2**16), abs=3e-5)
    press(page, "撤销")
    expect(page.get_by_text("已撤销").first).to_be_visible()
    assert place_of(server, "地标商户") == [LON, LAT]


@pytest.mark.parametrize("width", [1366, 390])
def test_a_row_without_a_place_is_put_where_the_click_fell(
    browse: Browse, server: Server, width: int
) -> None:
    page = browse(address(server), width=width)
    at_rest(page)
    press(page, "未定位 1 户")
    press(page, "定位")
    frame = map_frame(page)
    expect(frame.locator(".zhendi-hint")).to_have_text("请点击所在位置")
    page.locator("iframe").first.scroll_into_view_if_needed()
    at_rest(page)
    middle = spot_of(page, LON)
    click(page, (middle[0] + 60, middle[1] - 90))
    expect(page.get_by_role("button", name="放在这里")).to_be_visible()
    at_rest(page)
    pin = frame.locator(".zhendi-pin").bounding_box()
    box = page.locator("iframe").first.bounding_box()
    assert pin
    assert box
    tip = pin["x"] + pin["width"] / 2 - box["x"], pin["y"] + pin["height"] - box["y"]
    press(page, "放在这里")
    expect(page.get_by_text("已定位：老李修车").first).to_be_visible()
    lon, lat = place_of(server, "老李修车")
    degree_px = 256 * 2**16 / 360
    assert lon == pytest.approx(LON + 60 / degree_px, abs=3e-5)
    assert lat == pytest.approx(LAT + 90 / degree_px * np.cos(np.radians(LAT)), abs=3e-5)
    assert tip == pytest.approx((middle[0] + 60, middle[1] - 90), abs=3)
    press(page, "撤销")
    expect(page.get_by_role("button", name="未定位 1 户")).to_be_visible()
    assert place_of(server, "老李修车") == []


@pytest.mark.parametrize("width", [1366, 390])
def test_two_that_may_be_one_are_compared_kept_apart_and_made_one(
    browse: Browse, server: Server, width: int
) -> None:
    page = browse(address(server, at=f"{LON + 0.02},{LAT},16"), width=width)
    at_rest(page)
    page.locator("iframe").first.scroll_into_view_if_needed()
    click(page, spot_of(page, LON + 0.02))
    card = page.get_by_role("heading", name="远处商户")
    expect(card).to_be_visible()
    settled(page)
    dialog = page.get_by_role("dialog")
    for answer, said in (("不是同一家", "已确认不是重复：远处商户"), ("是同一家，合并", "已合并：地标商户")):
        press(page, "对比")
        expect(dialog).to_contain_text("先录入的")
        expect(dialog).to_contain_text("相距 1.9 公里")
        dialog.get_by_role("button", name=answer, exact=True).click()
        expect(page.get_by_text(said).first).to_be_visible()
        expect(dialog).to_have_count(0)
        settled(page)
        merged = answer.startswith("是")
        assert bool(place_of(server, "远处商户")) != merged
        expect(page.get_by_role("button", name="对比")).to_have_count(0)
        press(page, "撤销")
        expect(page.get_by_text("已撤销").first).to_be_visible()
        settled(page)
    assert place_of(server, "远处商户") == pytest.approx([LON + 0.02, LAT])
    assert place_of(server, "地标商户") == [LON, LAT]


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
@pytest.mark.parametrize("width", [1366, 1280, 390])
def test_no_cards_title_is_cut_and_tools_stand_in_straight_rows(
    browse: Browse, server: Server, locale: str, width: int
) -> None:
    page = browse(address(server, layers="merchants.customers"), width=width, locale=locale)
    titles = page.locator("[data-testid='stCaptionContainer']")
    cut = """all => all.flatMap(one => [...one.querySelectorAll("*")])
        .filter(one => getComputedStyle(one).textOverflow === "ellipsis" && one.scrollWidth > one.clientWidth)
        .map(one => one.textContent)"""
    assert titles.count() >= 6
    assert titles.evaluate_all(cut) == []
    labels = [page.get_by_text(text, exact=True) for text in ROWS[locale]]
    tops = [box["y"] for label in labels if (box := label.bounding_box())]
    assert len(tops) == 3
    assert len({round(top) for top in (tops if width > 390 else tops[1:])}) == 1
    add = page.get_by_role("button", name=re.compile("新增商户|Add merchant")).bounding_box()
    search = page.get_by_placeholder(re.compile("名称|Name")).bounding_box()
    assert add
    assert search
    if width > 390:
        middles = [box["y"] + box["height"] / 2 for box in (add, search)]
        assert middles[0] == pytest.approx(middles[1], abs=2)


def test_what_a_search_finds_moves_neither_the_box_nor_the_map(browse: Browse, server: Server) -> None:
    page = browse(address(server))
    at_rest(page)
    search = page.get_by_placeholder("名称或拼音首字母")
    before = search.bounding_box(), page.locator("iframe").first.bounding_box()
    search.fill("商户")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="地标商户")).to_be_visible()
    settled(page)
    assert (search.bounding_box(), page.locator("iframe").first.bounding_box()) == before


@pytest.mark.parametrize("width", [390, 1366])
def test_the_radius_and_the_farthest_are_whole_on_the_first_look(
    browse: Browse, server: Server, width: int
) -> None:
    page = browse(address(server, at=""), width=width)
    frame = at_rest(page)
    within = """selector => {
        const label = document.querySelector(selector).getBoundingClientRect();
        const map = document.querySelector(".leaflet-container").getBoundingClientRect();
        return label.left >= map.left && label.right <= map.right
            && label.top >= map.top && label.bottom <= map.bottom;
    }"""
    assert frame.evaluate(within, ".zhendi-pill.main span")
    assert frame.evaluate(within, ".zhendi-pill.farthest span")
    assert frame.evaluate(within, ".zhendi-circle")
    for _ in range(2):  # nearer, the rim is out of sight, and its label is not
        frame.locator(".leaflet-control-zoom-in").click()
        page.wait_for_timeout(600)
    assert frame.evaluate(within, ".zhendi-pill.main span")
