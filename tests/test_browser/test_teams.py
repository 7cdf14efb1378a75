"""Outreach in a browser: a list of visits goes in and comes out, a visit is recorded on a card."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser.conftest import Server, Watch, settled
from tests.test_browser.test_visits import name_not_known, zh, zh_many

Browse = Callable[..., Page]


@pytest.fixture
def teams(browse: Browse, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open the page by its address; what Streamlit misses beside such an address is no complaint of ours."""
    yield lambda server, tab, **window: browse(f"{server.url}/teams?tab={tab}", **window)
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]


def rows(server: Server, query: str) -> list[Any]:
    with closing(sqlite3.connect(server.var / "zhendi.db")) as store:
        return store.execute(query).fetchall()


def visits(server: Server) -> int:
    return int(rows(server, "select count(*) from visits")[0][0])


def test_visits_are_brought_in_taken_back_and_recorded_on_a_card(
    teams: Callable[..., Page], own_server: Server, tmp_path: Path
) -> None:
    before = visits(own_server)
    (one, _name), (two, name) = rows(
        own_server,
        "select source_id, max(name) from merchants where source_id is not null and status <> 'closed' "
        "and id not in (select merchant_id from visits where merchant_id is not null) "
        "group by name having count(*) = 1 order by source_id limit 2",
    )
    listed = tmp_path / "走访.csv"
    listed.write_text(
        f"走访人,商户编号,日期,结果\n演示经理丙,{one},2026-01-05,有意\n演示经理丙,{two},2026-01-06,不在\n"
        "演示经理丙,没有这家,2026-01-06,不在\n",
        encoding="utf-8",
    )
    page = teams(own_server, "visits")
    page.get_by_text(zh("Bring in a list of visits")).click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(listed)
    page.get_by_role("button", name=zh_many("Bring in {n} visit", "Bring in {n} visits", 2)).click()
    expect(page.get_by_text(zh_many("One row is in.", "{n} rows are in.", 2))).to_be_visible()
    assert visits(own_server) == before + 2

    page.get_by_role("link", name=zh("Undo it under Import lists")).click()
    expect(page.get_by_role("heading", name=zh("Import lists"))).to_be_visible()
    settled(page)
    page.locator("summary", has_text="走访.csv").click()
    page.get_by_role("button", name=zh("Undo this import")).locator("visible=true").first.click()
    expect(page.get_by_text(zh("undone")).first).to_be_visible()
    assert visits(own_server) == before

    page.get_by_role("link", name=zh("Customer map")).click()
    settled(page)
    page.get_by_label(zh("Search by name")).fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=name).first.click()
    expect(page.get_by_text(zh("Never visited"))).to_be_visible()
    page.get_by_role("button", name=zh("Record a visit")).click()
    page.get_by_label(zh("Result"), exact=True).fill("谈了收款码")
    page.get_by_role("button", name=zh("Save"), exact=True).click()
    expect(page.get_by_text("谈了收款码")).to_be_visible()
    expect(page.get_by_text(zh("On track")).first).to_be_visible()
    assert visits(own_server) == before + 1
