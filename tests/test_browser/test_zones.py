"""The page of zones in a real browser: designed, painted, undone, published; two leads on one plan."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.test_browser.conftest import Server, Watch, _environment, serving, settled
from tests.test_browser.test_drawing import Board
from tests.test_browser.test_imports import name_not_known

Browse = Callable[..., Page]
LON, LAT = 114.30, 30.60
SEED = f"""
import pandas as pd
import shapely
from data import bulk, store, tables
from data.config import Settings
from data.rights import command_line
from geo.plans import Frame, Measure, Plan, Zone
engine = store.engine(Settings.from_env())
store.migrate(engine)
me = command_line("tests")
rows, columns = range(-5, 6, 2), range(-9, 10, 2)
spots = [({LON} + east / 1000, {LAT} + north / 1000) for east in columns for north in rows]
west = shapely.box({LON} - 0.01, {LAT} - 0.006, {LON}, {LAT} + 0.006)
east = shapely.box({LON}, {LAT} - 0.006, {LON} + 0.01, {LAT} + 0.006)
with store.transaction(engine) as session:
    for code in ("HW", "XC"):
        branch = store.add_branch(session, me, code=code, name=f"测试支行{{code}}", lon={LON}, lat={LAT})
        frame = pd.DataFrame(spots, columns=["lon", "lat"])
        frame = frame.assign(name=[f"商户{{row}}" for row in frame.index], category_id=101, status="known")
        bulk.insert(session, tables.merchants, frame.assign(branch_id=branch, initials="sh"))
        store.new_version(session, me, branch, "test")
    frame = Frame({LON}, {LAT}, 2000.0, 9, (Measure("merchants", 0.1),))
    plan = Plan(frame, (Zone(1, "西片", west), Zone(2, "东片", east)))
    store.new_plan(session, me, branch, name="两人同改", plan=plan)
"""
CELLS = "[data-testid='stDataFrame'] canvas"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with sixty shops in rows: a branch without a plan, and one with a draft of two zones."""
    var = tmp_path_factory.mktemp("zones") / "var"
    var.mkdir()
    subprocess.run([sys.executable, "-c", SEED], cwd=ROOT, env=_environment(var), check=True)
    with serving(var) as served:
        yield served


@pytest.fixture
def open_page(browse: Browse, watch: Watch) -> Iterator[Browse]:
    """Open the page by its address; what Streamlit misses beside such an address is no complaint of ours."""
    yield browse
    watch.complaints = [text for text in watch.complaints if not name_not_known(text)]


def address(server: Server, **params: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"base": "none", **params}.items())
    return f"{server.url}/zones?{query}"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def figures(page: Page) -> str:
    """Return what the card of the zone chosen says the zone holds."""
    return page.get_by_text(re.compile("^商户 .*每季工时")).first.inner_text()


def test_zones_are_proposed_painted_undone_published_and_there_after_a_reload(
    open_page: Browse, server: Server
) -> None:
    page = open_page(address(server, branch="HW"), width=1366)
    press(page, "自动划分")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("片区数量").fill("4")
    dialog.get_by_label("片区数量").press("Enter")
    settled(page)
    dialog.get_by_role("button", name="开始划分").click()
    expect(page.get_by_text("已划分 4 个片区").first).to_be_visible()
    board = Board(page)
    board.click(-9, 5)
    heading = page.get_by_role("heading", name=re.compile(r"^片区\d$"))
    expect(heading).to_be_visible()
    name, before = heading.inner_text(), figures(page)
    board.take("画笔")
    board.drag((-9, 5), (9, 5))
    expect(page.get_by_text(before)).to_have_count(0)
    board.rest()
    press(page, "撤销")
    expect(page.get_by_text(before).first).to_be_visible()
    press(page, "发布")
    expect(dialog).to_contain_text("4 个片区还没有负责人")
    dialog.get_by_role("button", name="立即发布").click()
    expect(page.get_by_text("已发布，网点从现在起按此方案执行").first).to_be_visible()
    expect(page.get_by_role("button", name="撤销", exact=True)).to_have_count(0)
    page.reload()
    settled(page)
    expect(page.get_by_text("现行方案").first).to_be_visible()
    expect(heading).to_have_text(name)
    expect(page.get_by_text(before).first).to_be_visible()


def test_of_two_leads_on_one_plan_the_later_is_told_and_loses_nothing(
    open_page: Browse, server: Server
) -> None:
    pages = [open_page(address(server, branch="XC", plan="1"), width=1366) for _ in range(2)]
    first, second = (Board(page) for page in pages)
    first.take("矩形")
    first.drag((-9, 8), (-5, 10))
    expect(pages[0].get_by_role("heading", name="片区3", exact=True)).to_be_visible()
    second.take("矩形")
    second.drag((5, 8), (9, 10))
    expect(pages[1].get_by_text("您打开之后，方案已被修改").first).to_be_visible()
    expect(pages[1].get_by_text("您的修改（尚未保存）").first).to_be_visible()
    press(pages[1], "在对方修改的基础上保留我的")
    expect(pages[1].get_by_text("双方的修改都已保存").first).to_be_visible()
    second.has(3)
    second.has(4)
    first.rest()
    pages[0].get_by_role("heading", name="片区3", exact=True).wait_for()
    press(pages[0], "撤销")
    expect(pages[0].get_by_role("button", name="放弃我的修改，查看对方的")).to_be_visible()
    press(pages[0], "放弃我的修改，查看对方的")
    first.has(4)
