"""Coverage in a browser: a zone chosen on the map has its card, shades have a legend, advice leads on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from pages.parts.coverage_map import SHADES
from tests.test_browser.conftest import Server, Watch, settled
from tests.test_browser.test_takeout import choose
from tests.test_browser.test_visits import name_not_known, zh

Browse = Callable[..., Page]


@pytest.fixture
def coverage(browse: Browse, watch: Watch, live_server: Server) -> Iterator[Callable[..., Page]]:
    """Open the page by its address; what Streamlit misses beside such an address is no complaint of ours."""
    yield lambda **window: browse(f"{live_server.url}/coverage", **window)
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]


def fills(page: Page) -> set[str]:
    """Return the colours of the zones on the map."""
    zones = page.frame_locator("iframe").locator("path.zhendi-zone")
    zones.first.wait_for(state="attached")
    return {zone.get_attribute("fill") or "" for zone in zones.all()}


def test_a_zone_chosen_on_the_map_has_its_card_and_another_figure_other_shades(
    coverage: Callable[..., Page],
) -> None:
    page = coverage()
    frame = page.frame_locator("iframe")
    assert fills(page) <= set(SHADES) and len(fills(page)) > 2
    legend = frame.locator(".zhendi-legend")
    expect(legend).to_contain_text(zh("Customer coverage"))
    label = frame.locator(".zhendi-pill.zone span").first
    name = label.inner_text().split()[0]
    box = label.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert re.search(r"[?&]zone=\d+", page.url)
    expect(frame.locator("path.zhendi-zone[stroke-width='3.5']")).to_have_count(1)
    choose(page, zh("Shade the map by"), zh("Merchants signed"))
    expect(legend).to_contain_text(zh("Merchants signed"))
    assert "shade=merchant_coverage" in page.url
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(frame.locator(".zhendi-legend")).to_contain_text(zh("Merchants signed"))


def test_advice_leads_to_a_draft_with_the_zone_chosen_and_to_the_pairs(
    browse: Browse, watch: Watch, own_server: Server
) -> None:
    page = browse(f"{own_server.url}/coverage", width=390, height=844)
    page.get_by_role("button", name=zh("Change it in a draft")).first.click()
    page.wait_for_url(re.compile(r"/zones\?.*zone=\d+"))
    expect(page.get_by_role("button", name=zh("Publish"), exact=True)).to_be_visible()
    page = browse(f"{own_server.url}/coverage")
    page.get_by_role("button", name=zh("Name the pair")).first.click()
    page.wait_for_url(re.compile(r"/teams\?.*tab=pairs"))
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]
