"""A layer taken away from the map's page, as a person does it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from data.rights import Asker, Role
from pages.parts import takeout
from tests.test_browser.conftest import Server, settled

Browse = Callable[..., Page]


@pytest.mark.parametrize(
    ("role", "layers"),
    [
        (Role.HEAD, ["merchants", "customers", "outlets", "places"]),
        (Role.ANALYST, ["merchants", "outlets", "places"]),
        (Role.MEMBER, []),
    ],
)
def test_who_may_take_what(role: Role, layers: list[str]) -> None:
    assert takeout.offered(Asker("test", role, frozenset({1})), 1) == layers


def choose(page: Page, title: str, option: str) -> None:
    settled(page)
    box = page.get_by_test_id("stSelectbox").filter(has=page.get_by_text(title, exact=True))
    box.scroll_into_view_if_needed()
    page.mouse.wheel(0, 600)  # a list of choices closes when the page scrolls under it
    box.locator("input").click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def taken(server: Server) -> list[tuple[str, int]]:
    """Return what the audit trail says was taken out: which list, and how many rows."""
    with sqlite3.connect(server.var / "zhendi.db") as store:
        rows = store.execute(
            "SELECT subject, detail FROM audit WHERE action = 'export' ORDER BY id"
        ).fetchall()
    return [(subject, json.loads(detail)["rows"]) for subject, detail in rows]


def test_the_merchants_of_the_circle_go_out_as_a_map_layer_in_the_datum_asked_for(
    browse: Browse, live_server: Server, tmp_path: Path
) -> None:
    before = taken(live_server)
    page = browse(live_server.url + "/?r=500&lang=en")
    page.get_by_role("tab", name="Take out").click()
    choose(page, "As", "GeoJSON, for maps")
    choose(page, "Coordinates for", "Gaode, Tencent (GCJ-02)")
    expect(page.get_by_text("rows: what the circle and the filters leave")).to_be_visible()
    shown = int(page.locator("[data-testid=stMetric]", has_text="Merchants").first.inner_text().split()[-1])
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download", exact=True).click()
    path = tmp_path / "taken.geojson"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename.startswith("Merchants_gcj02_")
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert len(features) == shown > 0
    assert {feature["properties"]["datum"] for feature in features} == {"gcj02"}
    assert taken(live_server) == [*before, ("merchants", shown)]
