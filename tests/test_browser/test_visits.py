"""What a person meets: the first visit, the other language, a branch of one's own, a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from data.words import Language, say, translations
from tests.test_browser.conftest import Server, Watch, settled

Browse = Callable[..., Page]
CHINESE = re.compile("[\u4e00-\u9fff]")

# Eight shops round the branch below, as a map's coordinate picker gives them, and one nowhere.
LIST = """商户编号,商户名称,类别,高德经度,高德纬度,状态,电话
S001,老王面馆,餐饮,114.30020,30.59020,已签约,027-00000001
S002,江城药房,药店,114.30120,30.59120,已联系,027-00000002
S003,知音书店,书店,114.30220,30.58920,,
S004,<b>快修</b>车行,汽车维修,114.30320,30.59220,,
S005,=cmd|' /C calc'!A0,超市,114.29920,30.59320,,
S006,晨光幼儿园,学校,114.30420,30.58820,,
S007,顺达物流,物流,114.29820,30.59420,,
S008,悦来旅馆,酒店,114.30520,30.59520,,
S009,查无此处,餐饮,,,,
"""


def zh(message: str) -> str:
    """Return a text as the page writes it in Chinese."""
    return say(message, "zh")


def zh_many(one: str, many: str, n: int) -> str:
    """Return a text about a number of things as the page writes it in Chinese."""
    return translations("zh").ngettext(one, many, n).format(n=n)


def heading(page: Page, message: str, language: Language = "zh") -> None:
    """See to it that the page has a title."""
    expect(page.get_by_role("heading", name=say(message, language), level=1)).to_be_visible()


def test_the_first_visit_shows_the_demo_towns_map_in_the_browsers_language(page: Page) -> None:
    expect(page.get_by_text(zh("Demo identity")).first).to_be_visible()
    expect(page.frame_locator("iframe").locator(".leaflet-container")).to_be_visible()
    assert page.locator("html").get_attribute("lang")
    metrics = page.get_by_test_id("stMetric")
    expect(metrics.nth(5)).to_be_visible()
    expect(page.get_by_text(zh("Existing customers"), exact=True).first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_an_english_browser_is_spoken_to_in_english(browse: Browse, live_server: Server) -> None:
    page = browse(live_server.url, locale="en-GB")
    expect(page.get_by_test_id("stMetric").nth(5)).to_be_visible()
    expect(page.get_by_text("Existing customers", exact=True).first).to_be_visible()
    titles = page.get_by_test_id("stMetricLabel").all_text_contents()
    assert len(titles) == 6 and not [title for title in titles if CHINESE.search(title)]


def test_the_language_can_be_switched_and_a_refresh_keeps_it(page: Page) -> None:
    page.get_by_role("radio", name="English").or_(page.get_by_role("button", name="English")).first.click()
    expect(page.get_by_text("Demo identity").first).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_text("Demo identity").first).to_be_visible()
    page.get_by_role("radio", name="中文").or_(page.get_by_role("button", name="中文")).first.click()
    expect(page.get_by_text(zh("Demo identity")).first).to_be_visible()


def test_an_empty_store_leads_to_a_branch_of_ones_own_and_on_to_its_first_list(
    browse: Browse, empty_server: Server, tmp_path: Path
) -> None:
    page = browse(empty_server.url)
    page.get_by_role("link", name=zh("Branches")).first.click()
    settled(page)
    heading(page, "Branches")
    for label, text in (
        ("Name of the branch", "江汉路支行"),
        ("Branch code", "0101"),
        ("Position: longitude, latitude", "114.3, 30.59"),
    ):
        box = page.get_by_role("textbox", name=zh(label))
        box.fill(text)
        box.press("Tab")
        settled(page)
    page.get_by_role("button", name=zh("Add this branch")).click()
    heading(page, "Import lists")

    shops = tmp_path / "商户.csv"
    shops.write_bytes(LIST.encode("gb18030"))
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(shops)
    page.get_by_role("button", name=zh_many("Import one row", "Import {n} rows", 8)).click()
    expect(page.get_by_text(zh_many("One row is in.", "{n} rows are in.", 8))).to_be_visible()
    page.get_by_role("link", name=zh("See it on the map")).click()
    expect(page.frame_locator("iframe").locator(".leaflet-container")).to_be_visible()
    expect(page.get_by_text("江汉路支行").first).to_be_visible()
    scale = page.frame_locator("iframe").locator(".leaflet-control-scale-line").first
    expect(scale, "the map shows the whole circle").to_have_text(re.compile(r"^(100|200|300|500) m$"))
    assert page.locator("b", has_text="快修").count() == 0, "a name is text, whatever it looks like"


def test_a_phone_scrolls_in_one_direction_only(browse: Browse, live_server: Server) -> None:
    page = browse(live_server.url, width=375, height=740, touch=True)
    expect(page.frame_locator("iframe").locator(".leaflet-container")).to_be_visible()
    page.wait_for_function("document.scrollingElement.scrollWidth <= innerWidth")
    page.wait_for_function(
        """() => [...document.querySelectorAll("iframe, [data-testid=stMetric]")].every((element) => {
            const box = element.getBoundingClientRect();
            return box.left >= 0 && box.right <= innerWidth;
        })"""
    )


def test_a_page_file_cannot_be_run_past_the_shell(browse: Browse, watch: Watch, own_server: Server) -> None:
    for name in ("customer_map", "imports", "shell"):
        page = browse(f"{own_server.url}/{name}")
        expect(page.get_by_text(zh("Demo identity")).first, name).to_be_visible()
    told = [text for text in watch.complaints if name_not_known(text)]
    watch.complaints = [text for text in watch.complaints if text not in told]  # Streamlit's word for it
    for path in ("pages/customer_map", "pages/customer_map.py", "pages/shell.py", "app.py"):
        answer = page.request.get(f"{own_server.url}/{path}")
        assert "import" not in answer.text().partition("<script")[0], path


def name_not_known(complaint: str) -> bool:
    """Whether the browser only says that there is no page of a name."""
    return "404" in complaint or "does not seem to exist" in complaint
