"""Zones designed in a browser: stopped, made of a file's blocks round a file's barriers; corners not lost."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser.conftest import Server, Watch, serving, settled
from tests.test_browser.test_drawing_plan import Draft
from tests.test_browser.test_visits import name_not_known

Browse = Callable[..., Page]
GRIP = """() => { const box = document.querySelector(".zhendi-handle:not(.between)").getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2]; }"""


@pytest.fixture(scope="module")
def town(demo_var: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a demo town whose plan these tests may change."""
    with serving(Path(shutil.copytree(demo_var, tmp_path_factory.mktemp("town") / "var"))) as server:
        yield server


@pytest.fixture
def page_of_zones(browse: Browse, town: Server, watch: Watch) -> Iterator[Page]:
    """Return the page at a fresh copy of the published plan."""
    page = browse(f"{town.url}/zones?branch=DEMO&base=none", width=1366)
    page.get_by_role("button", name="复制为草稿").click()
    box = page.get_by_role("dialog").get_by_role("textbox")
    box.fill(f"草稿 {page.evaluate('Date.now()')}")
    box.press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="保存").click()
    expect(page.get_by_text("草稿在发布前对任何人都不生效")).to_be_visible()
    settled(page)
    yield page
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]  # of a deep link


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_role("dialog").get_by_label(label)
    field.fill(value)
    field.press("Enter")
    settled(page)


def test_a_design_that_is_stopped_changes_nothing_and_says_so(page_of_zones: Page) -> None:
    draft = Draft(page_of_zones)
    zones, shape = draft.count(), draft.shape(1)
    undo = page_of_zones.get_by_role("button", name="撤销", exact=True)
    was = undo.is_enabled()
    press(page_of_zones, "开始划分")
    fill(page_of_zones, "片区数量", "120")
    page_of_zones.get_by_role("dialog").get_by_role("button", name="开始划分").click()
    page_of_zones.get_by_role("button", name="停止", exact=True).click()
    expect(page_of_zones.get_by_text("已停止，没有任何改动").first).to_be_visible()
    expect(page_of_zones.get_by_role("button", name="停止", exact=True)).to_have_count(0)
    page_of_zones.wait_for_timeout(2_500)  # some rounds of asking after work that goes on
    draft.rest()
    assert (draft.count(), draft.shape(1), undo.is_enabled()) == (zones, shape, was)
    expect(page_of_zones.get_by_role("button", name="开始划分", exact=True)).to_be_enabled()


def test_corners_moved_are_kept_when_another_tool_is_taken(page_of_zones: Page) -> None:
    draft = Draft(page_of_zones)
    draft.choose(3)
    before = draft.shape(3)
    draft.take("改边界")
    x, y = draft.frame.evaluate(GRIP)
    frame = page_of_zones.locator("iframe").first.bounding_box()
    assert frame
    draft.drag((frame["x"] + x, frame["y"] + y), (frame["x"] + x + 25, frame["y"] + y - 25))
    draft.take("画笔")
    kept = page_of_zones.get_by_text("您拖动过的顶点已保存")
    leave = page_of_zones.get_by_role("button", name="仍归原片区")
    expect(kept.or_(leave).first).to_be_visible()
    if leave.is_visible():
        leave.click()
    expect(page_of_zones.get_by_role("button", name="撤销", exact=True)).to_be_enabled()
    draft.rest()
    assert draft.shape(3) != before
    assert draft.frame.evaluate("zhendi.own.tool.kind") == "brush"


def test_zones_are_made_of_a_files_blocks_round_the_river(
    page_of_zones: Page, town: Server, tmp_path: Path
) -> None:
    page, draft = page_of_zones, Draft(page_of_zones)
    lon, lat = draft.frame.evaluate("(({lat, lng}) => [lng, lat])(zhendi.own.map.getCenter())")
    press(page, "设置")
    dialog = page.get_by_role("dialog")
    dialog.get_by_test_id("stCheckbox").filter(has_text="河").first.click()  # of the town's street plan
    settled(page)
    press(page, "保存")
    expect(dialog).to_have_count(0)
    draft.frame.wait_for_function("(zhendi.own.state.barriers || []).length > 0")
    side = 0.008
    corners = [(x * side, y * side) for x in range(-3, 3) for y in range(-3, 3)]
    features = [
        {
            "type": "Feature",
            "properties": {"名称": f"街区{at}", "户数": at},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [lon + x + dx * side, lat + y + dy * side]
                        for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
                    ]
                ],
            },
        }
        for at, (x, y) in enumerate(corners)
    ]
    blocks = tmp_path / "街区_GPS.geojson"
    blocks.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    press(page, "开始划分")
    dialog.get_by_test_id("stButtonGroup").get_by_text("文件中的面", exact=True).click()
    settled(page)
    dialog.locator("input[type=file]").set_input_files(blocks)
    expect(dialog.get_by_text("共 36 个单元")).to_be_visible()
    fill(page, "片区数量", "4")
    dialog.get_by_role("button", name="开始划分").click()
    expect(page.get_by_text(re.compile("已划分 4 个片区")).first).to_be_visible()
    draft.rest()
    assert draft.count() == 4


def test_the_row_of_the_zone_chosen_on_the_map_is_the_one_selected(page_of_zones: Page) -> None:
    draft = Draft(page_of_zones)
    for zone_id in (2, 3):
        draft.choose(zone_id)
        lists = page_of_zones.get_by_test_id("stDataFrame").first
        chosen = lists.locator("[role=row][aria-selected=true]")
        expect(chosen).to_have_count(1)
        name = draft.frame.evaluate("id => zhendi.own.zones.get(id).zone.label", zone_id)
        expect(chosen).to_contain_text(name)
