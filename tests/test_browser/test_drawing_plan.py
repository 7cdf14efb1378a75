"""The page of zones with a mouse: painted, merged, edited after a reload, drawn over others; all kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.test_browser.conftest import Server, Watch, serving, settled
from tests.test_browser.test_visits import name_not_known

# The first zone that has more than three corners in common with zone 1.
TOUCHING = """() => {
    const corners = (id) => zhendi.own.zones.get(id).layers.at(-1).getLatLngs().flat(3).map(String);
    const ours = new Set(corners(1));
    const many = (id) => corners(id).filter((each) => ours.has(each)).length > 3;
    return [...zhendi.own.zones.keys()].find((id) => id > 1 && many(id));
}"""
Browse = Callable[..., Page]


@pytest.fixture(scope="module")
def town(demo_var: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a demo town whose plan these tests may change."""
    with serving(Path(shutil.copytree(demo_var, tmp_path_factory.mktemp("town") / "var"))) as server:
        yield server


@pytest.fixture
def draft(browse: Browse, town: Server, watch: Watch) -> Iterator[Draft]:
    """Return the page at a fresh copy of the published plan."""
    page = browse(f"{town.url}/zones?branch=DEMO")
    page.get_by_role("button", name="复制为草稿").click()
    dialog = page.get_by_role("dialog")
    box = dialog.get_by_role("textbox")
    box.fill(f"草稿 {page.evaluate('Date.now()')}")
    box.press("Tab")
    dialog.get_by_role("button", name="保存").click()
    expect(page.get_by_text("草稿在发布前对任何人都不生效")).to_be_visible()
    yield Draft(page)
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]  # of a deep link


class Draft:
    """A draft on the page, by what a test does to it and reads from it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.find_map()

    def find_map(self) -> None:
        """Take hold of the map, which a reload makes anew."""
        self.page.frame_locator("iframe").locator(".zhendi-zone-1").wait_for(state="attached")
        self.frame: Frame = next(frame for frame in self.page.frames if "streamlit_folium" in frame.url)
        self.rest()

    def rest(self) -> None:
        settled(self.page)
        self.frame.wait_for_function("zhendi.idle > 0 && !zhendi.own.fetching && !zhendi.own.waiting")

    def count(self) -> int:
        """Return how many zones the page counts."""
        text = self.page.get_by_text(re.compile(r"^\s*\d+ 个片区")).first.inner_text()
        return int(re.search(r"\d+", text)[0])

    def shape(self, zone_id: int) -> str:
        """Return a zone's outline as the map has it; nothing where it is not there."""
        shape = "id => zhendi.own.zones.has(id) ? zhendi.own.zones.get(id).zone.shape : ''"
        return str(self.frame.evaluate(shape, zone_id))

    def at(self, lat_lng: list[float]) -> tuple[float, float]:
        """Return where on the page a place of the map lies."""
        self.page.locator("iframe").first.scroll_into_view_if_needed()
        box = self.page.locator("iframe").first.bounding_box()
        assert box
        point = "place => (({x, y}) => [x, y])(zhendi.own.map.latLngToContainerPoint(place))"
        x, y = self.frame.evaluate(point, lat_lng)
        return box["x"] + x, box["y"] + y

    def middle(self, zone_id: int) -> list[float]:
        """Return where a zone's label stands."""
        lon, lat = self.frame.evaluate("id => zhendi.own.zones.get(id).zone.at", zone_id)
        return [lat, lon]

    def choose(self, zone_id: int) -> None:
        """Click into a zone."""
        self.page.mouse.click(*self.at(self.middle(zone_id)))
        self.page.wait_for_url(re.compile(rf"[?&]zone={zone_id}\b"))
        self.rest()

    def take(self, tool: str) -> None:
        """Take a tool up, and wait until the map has it in hand."""
        self.page.get_by_test_id("stButtonGroup").get_by_text(tool, exact=True).click()
        settled(self.page)
        self.frame.wait_for_function("zhendi.own.hand")

    def drag(self, *stops: tuple[float, float]) -> None:
        """Press at the first stop, move over the others, and let go at the last."""
        self.page.mouse.move(*stops[0])
        self.page.mouse.down()
        for stop in stops[1:]:
            self.page.mouse.move(*stop, steps=6)
        self.page.mouse.up()


def test_a_stroke_is_kept_and_the_zones_figures_follow(draft: Draft) -> None:
    draft.choose(1)
    before, neighbour = draft.shape(1), draft.at(draft.middle(2))
    card = draft.page.get_by_text(re.compile(r"^商户 [\d,]+")).first
    merchants = card.inner_text()
    draft.take("画笔")
    draft.drag(draft.at(draft.middle(1)), neighbour)
    expect(card).not_to_have_text(merchants)
    draft.rest()
    assert draft.shape(1) != before
    undo = draft.page.get_by_role("button", name="撤销")
    undo.click()
    expect(card).to_have_text(merchants)
    draft.rest()
    assert draft.shape(1) == before


def test_two_zones_are_merged_with_two_clicks(draft: Draft) -> None:
    zones = draft.count()
    draft.choose(1)
    draft.page.get_by_role("button", name="合并").click()
    hint = draft.frame.locator(".zhendi-hint")
    expect(hint).to_be_visible()
    touching = draft.frame.evaluate(TOUCHING)
    draft.page.mouse.click(*draft.at(draft.middle(touching)))
    expect(draft.page.get_by_text(re.compile(rf"^\s*{zones - 1} 个片区"))).to_be_visible()
    draft.rest()
    assert draft.shape(touching) == ""


def test_a_saved_zones_corner_is_moved_after_a_reload_and_stays_moved(draft: Draft) -> None:
    draft.page.reload()
    draft.find_map()
    draft.choose(1)
    before = draft.shape(1)
    draft.take("改边界")
    x, y = draft.frame.evaluate(
        """() => { const box = document.querySelector(".zhendi-handle:not(.between)").getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; }"""
    )
    frame = draft.page.locator("iframe").first.bounding_box()
    assert frame
    draft.drag((frame["x"] + x, frame["y"] + y), (frame["x"] + x + 25, frame["y"] + y - 25))
    draft.page.frame_locator("iframe").get_by_role("button", name="完成").click()
    leave = draft.page.get_by_role("button", name="仍归原片区")
    undo = draft.page.get_by_role("button", name="撤销")
    expect(leave.or_(undo.and_(draft.page.locator(":enabled"))).first).to_be_visible()
    if leave.is_visible():
        leave.click()
    expect(undo).to_be_enabled()
    draft.rest()
    moved = draft.shape(1)
    assert moved != before
    draft.page.reload()
    draft.find_map()
    assert draft.shape(1) == moved


def test_what_is_drawn_over_others_waits_for_a_word_and_stays_in_sight(draft: Draft) -> None:
    zones, before = draft.count(), draft.shape(1)
    draft.take("矩形")
    x, y = draft.at(draft.middle(1))
    draft.drag((x - 12, y - 12), (x + 12, y + 12))
    take = draft.page.get_by_role("button", name="重叠部分归新画的")
    expect(take).to_be_visible()
    draft.frame.locator(".zhendi-zone-0").wait_for(state="attached")
    assert draft.shape(1) == before
    take.click()
    expect(draft.page.get_by_text(re.compile(rf"^\s*{zones + 1} 个片区"))).to_be_visible()
    draft.frame.locator(".zhendi-zone-0").wait_for(state="detached")
    draft.rest()
    assert draft.shape(1) != before
