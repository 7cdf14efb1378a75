"""Clusters in a browser: one chosen on the map has its card, keeps it after a reload, and becomes a zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser.conftest import Server, Watch, settled
from tests.test_browser.test_visits import name_not_known, zh

Browse = Callable[..., Page]


@pytest.fixture
def clusters(browse: Browse, watch: Watch, own_server: Server) -> Iterator[Callable[..., Page]]:
    """Open the page by its address; what Streamlit misses beside such an address is no complaint of ours."""
    yield lambda **window: browse(f"{own_server.url}/clusters", **window)
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]


def test_a_cluster_chosen_on_the_map_has_its_card_and_becomes_a_zone(clusters: Callable[..., Page]) -> None:
    page = clusters()
    frame = page.frame_locator("iframe")
    hull = frame.locator("path.zhendi-hull").first
    hull.wait_for(state="attached")
    assert frame.locator("path.zhendi-hull").count() > 5
    box = page.locator("iframe").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.45 * box["height"])
    button = page.get_by_role("button", name=zh("Make it a zone"))
    expect(button).to_be_visible()
    number = re.search(r"[?&]cluster=(\d+)", page.url)
    assert number is not None
    page.reload()
    settled(page)
    expect(button).to_be_visible()
    assert f"cluster={number[1]}" in page.url
    button.click()
    give = page.get_by_role("button", name=zh("Give that ground to the new zone"))
    expect(give).to_be_visible()  # the demo's draft covers the town
    give.click()
    page.wait_for_url(re.compile(r"/zones\?.*zone=\d+"))
    expect(page.get_by_role("button", name=zh("Publish"), exact=True)).to_be_visible()
