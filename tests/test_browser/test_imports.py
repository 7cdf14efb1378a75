"""An analyst brings a list in without help, undoes it, stops it half way; on a laptop and on a phone."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.test_browser.conftest import Server, Watch, settled
from tests.test_browser.test_visits import name_not_known, zh, zh_many

Browse = Callable[..., Page]
HEAD = "商户编号,商户名称,行业分类,电话,经度,纬度,租金\n"
STAGE_MS = 120_000


@pytest.fixture
def workshop(browse: Browse, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open the page by its address; what Streamlit misses beside such an address is no complaint of ours."""
    yield lambda server, **window: browse(f"{server.url}/import", **window)
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]


def rows(branch: tuple[float, float], count: int, category: str = "超市") -> str:
    """Return rows of shops round a branch, each far enough from the next to be one of its own."""
    chance = random.Random(7)
    names = ["福满", "和顺", "金鼎", "祥瑞", "丰泽", "星宏", "春秋", "兴旺"]
    return "".join(
        f"T{row:05d},{chance.choice(names)}{row}号{chance.choice(['商行', '小馆', '车行'])},{category},"
        f"139{row:08d},{branch[0] + chance.uniform(-0.02, 0.02):.6f},"
        f"{branch[1] + chance.uniform(-0.02, 0.02):.6f},{row}\n"
        for row in range(count)
    )


def stored(server: Server) -> tuple[int, int]:
    """Return how many merchants and batches the store has."""
    with closing(sqlite3.connect(server.var / "zhendi.db")) as store:
        counts = [
            store.execute(f"select count(*) from {table}").fetchone()[0] for table in ("merchants", "batches")
        ]
    return counts[0], counts[1]


def branch_of(server: Server) -> tuple[float, float]:
    """Return where the demo's branch is."""
    with closing(sqlite3.connect(server.var / "zhendi.db")) as store:
        lon, lat = store.execute("select lon, lat from branches").fetchone()
    return lon, lat


def bring(page: Page, folder: Path, name: str, text: str) -> None:
    """Hand a file to the page."""
    file = folder / name
    file.write_bytes(text.encode("gb18030"))
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)


def import_button(page: Page, count: int) -> Locator:
    """Return the one button."""
    return page.get_by_role("button", name=zh_many("Import one row", "Import {n} rows", count))


def test_a_list_goes_in_with_two_answers_and_comes_out_with_one_click(
    workshop: Callable[..., Page], own_server: Server, tmp_path: Path
) -> None:
    before = stored(own_server)
    listed = HEAD + rows(branch_of(own_server), 30, "云上疗愈") + "T90000,没有坐标,超市,,,,\n"
    page = workshop(own_server, width=1366)
    bring(page, tmp_path, "名单.csv", listed)
    expect(page.get_by_text(zh("not proven: please choose"))).to_be_visible()
    expect(page.frame_locator("iframe").locator(".leaflet-container")).to_be_visible()
    expect(import_button(page, 30)).to_be_disabled()
    page.get_by_text(zh("Gaode, Tencent (GCJ-02)")).first.click()
    page.get_by_role("button", name=zh("Leave the rest as “other”")).click()
    import_button(page, 30).click()
    expect(page.get_by_text(zh_many("One row is in.", "{n} rows are in.", 30))).to_be_visible()
    assert stored(own_server) == (before[0] + 30, before[1] + 1)
    page.get_by_role("button", name=zh("Undo this import")).first.click()
    expect(page.get_by_text(re.compile(zh("The import was undone: {what}.").split("{")[0]))).to_be_visible()
    assert stored(own_server)[0] == before[0]


def test_an_import_stopped_while_it_stores_leaves_nothing(
    workshop: Callable[..., Page], own_server: Server, tmp_path: Path
) -> None:
    before = stored(own_server)
    listed = HEAD.replace("经度,纬度", "高德经度,高德纬度") + rows(branch_of(own_server), 20_000)
    page = workshop(own_server, width=1366)
    bring(page, tmp_path, "大名单.csv", listed)
    button = page.get_by_role(
        "button", name=zh_many("Import one row", "Import {n} rows", 2).replace("2", "2万")
    )
    expect(button).to_be_enabled(timeout=STAGE_MS)
    settled(page)
    button.click()
    stop = page.get_by_role("button", name=zh("Stop, and keep nothing"))
    expect(page.get_by_test_id("stProgress")).to_contain_text("4", timeout=STAGE_MS)
    stop.click()
    expect(page.get_by_text(zh("The import was stopped. Nothing of it was kept."))).to_be_visible()
    settled(page)
    assert stored(own_server) == before


def test_a_phone_shows_the_steps_without_scrolling_sideways(
    workshop: Callable[..., Page], own_server: Server, tmp_path: Path
) -> None:
    page = workshop(own_server, width=390, height=844, touch=True)
    bring(page, tmp_path, "名单.csv", HEAD + rows(branch_of(own_server), 12, "云上疗愈"))
    expect(page.get_by_text(zh("not proven: please choose"))).to_be_visible()
    settled(page)
    page.wait_for_function("document.scrollingElement.scrollWidth <= innerWidth")
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-testid=stMain] button, [data-testid=stMain] iframe")]
            .every((element) => element.getBoundingClientRect().right <= innerWidth + 1)"""
    )


def test_the_uploader_speaks_chinese(workshop: Callable[..., Page], live_server: Server) -> None:
    page = workshop(live_server)
    words = page.get_by_test_id("stFileUploaderDropzone").locator("button p")
    said = words.evaluate("(element) => getComputedStyle(element, '::after').content")
    assert zh("Choose files") in said
