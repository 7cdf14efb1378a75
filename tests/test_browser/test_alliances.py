"""Alliances in a browser: a partner accepted, an alliance formed, changed, made active, covered, printed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.test_browser.conftest import Server, Watch, settled
from tests.test_browser.test_teams import rows
from tests.test_browser.test_visits import name_not_known, zh

Browse = Callable[..., Page]


@pytest.fixture
def open_page(browse: Browse, watch: Watch) -> Iterator[Browse]:
    """Open the page by its address; what Streamlit misses beside such an address is no complaint of ours."""
    yield browse
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]


def map_of(page: Page) -> Frame:
    page.frame_locator("iframe").locator(".zhendi-branch").first.wait_for()
    return next(frame for frame in page.frames if "streamlit_folium" in frame.url)


def button(page: Page, text: str) -> None:
    """Press the button of a name, and wait for what follows."""
    page.get_by_role("button", name=zh(text), exact=True).last.click()
    settled(page)


def undecided(server: Server) -> str:
    """Return the best pair that nobody has decided on."""
    answer = json.loads(server.run("link", "--branch", "DEMO", "--limit", "50", "--json"))
    decided = {(a, b) for a, b in rows(server, "select a_id, b_id from links")}
    pairs = ((int(link["a"]), int(link["b"])) for link in answer["links"])
    return "{}-{}".format(*next(pair for pair in pairs if pair not in decided))


def legend(page: Page, server: Server) -> str:
    """Return the legend of the coverage map, shaded by the merchants in alliances."""
    page.goto(f"{server.url}/coverage?branch=DEMO&shade=alliance_merchants")
    settled(page)
    map_of(page)
    box = page.frame_locator("iframe").locator(".zhendi-legend")
    expect(box).to_contain_text(zh("Merchants in alliances"))
    return box.inner_text()


def test_from_a_suggestion_to_an_alliance_that_is_covered_and_printed(
    open_page: Browse, own_server: Server
) -> None:
    pair = undecided(own_server)
    page = open_page(f"{own_server.url}/coverage?branch=DEMO")
    covered = legend(page, own_server)

    page.goto(f"{own_server.url}/alliances?branch=DEMO&pair={pair}")
    settled(page)
    expect(page.get_by_text(re.compile(f"^{zh('Score')} 0"))).to_be_visible()
    map_of(page).wait_for_function("zhendi.own.arcs && zhendi.own.arcs.size > 1")
    strong = "[...zhendi.own.arcs.values()].filter(({each}) => each.strong).map(({each}) => each.id)"
    assert map_of(page).evaluate(strong) == [pair]
    button(page, "Accept")
    page.get_by_role("dialog").get_by_role("textbox").first.fill("宴席用酒优惠")
    page.get_by_role("dialog").get_by_role("button", name=zh("Accept"), exact=True).click()
    expect(page.get_by_text(zh("Accepted. It is among the accepted pairs now."))).to_be_visible()
    expect(page.get_by_text("宴席用酒优惠")).to_be_visible()

    page.get_by_role("radio", name=zh("Alliances"), exact=True).click()
    page.get_by_role("radio", name=zh("Proposed alliances")).click()
    button(page, "Take it over")
    expect(
        page.get_by_text(zh("The alliance is forming: agree on offers, then make it active."))
    ).to_be_visible()
    one = "[...zhendi.own.hulls.values()].filter(({each}) => each.strong).length === 1"
    map_of(page).wait_for_function(f"zhendi.own.hulls && {one}")
    gains = page.get_by_test_id("stMarkdownContainer").filter(has_text=zh("What each gains")).last
    before = gains.inner_text()

    page.get_by_role("button", name=zh("Let it go")).first.click()
    expect(page.get_by_text(re.compile(zh("{name} is no longer a member.").split("}")[1]))).to_be_visible()
    expect(gains).not_to_have_text(before, use_inner_text=True)
    fewer = gains.inner_text()
    assert fewer.count("%") == before.count("%") - 1
    page.get_by_role("button", name=zh("Take it in")).first.click()
    expect(page.get_by_text(re.compile(zh("{name} is a member now.").split("}")[1]))).to_be_visible()
    expect(gains).not_to_have_text(fewer, use_inner_text=True)
    assert gains.inner_text().count("%") == before.count("%")

    button(page, "Make it active")
    expect(page.get_by_text(zh("The alliance is active; coverage counts it from now on."))).to_be_visible()
    page.get_by_role("tab", name=zh("Proposals to print")).click()
    sheet = page.get_by_role("tabpanel").get_by_test_id("stDownloadButton").get_by_role("button").first
    with page.expect_download() as download:
        sheet.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    assert download.value.suggested_filename.startswith(zh("Proposal"))

    assert legend(page, own_server) != covered


def test_a_phone_shows_every_part_without_cutting_it(open_page: Browse, live_server: Server) -> None:
    page = open_page(f"{live_server.url}/alliances?branch=DEMO", width=390, height=844)
    for part in ("Partners", "Alliances", "Which trades go together", "Funnel"):
        page.get_by_role("radio", name=zh(part), exact=True).click()
        settled(page)
        wide = page.get_by_test_id("stMain").evaluate("each => each.scrollWidth - each.clientWidth")
        assert wide <= 0
