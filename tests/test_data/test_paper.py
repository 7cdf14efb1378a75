"""What is taken away on paper and as files: figures by hand, nobody's name, masks, rights, and on record."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from shapely.geometry import box
from sqlalchemy import update
from typer.testing import CliRunner

from data import database, store, tables
from data.__main__ import app
from data.basemaps import BaseMap
from data.figures import Filters, Reach, catchment
from data.paper import layers
from data.paper.atlas import atlas
from data.paper.customer_map import customer_map
from data.paper.realignment import realigned, realignment, realignment_workbook
from data.rights import Asker, Role
from data.words import Language
from data.zones import plans
from data.zones.held import Held
from geo import comparing_plans
from geo.catchment import SHARES, destination
from geo.datum import convert
from geo.errors import Conflict, FileError, RightsError
from geo.plans import Frame, Plan, Zone
from tests.test_data.conftest import CLI, CUSTOMERS, LAT, LON, Town

TODAY = date(2026, 11, 22)
NAMES = [str(name) for name in CUSTOMERS["name"]]
HOSTILE = "=<script>alert(1)</script>"


def east(start_m: float, end_m: float) -> object:
    """Return the ground so far east of the branch, 500 m to either side: merchants lie on its middle line."""
    (west, _), (edge, _) = (destination(LON, LAT, 90, metres) for metres in (start_m, end_m))
    return box(west, LAT - 0.0045, edge, LAT + 0.0045)


def two_zones(town: Town) -> Plan:
    """Return M1, M2 and M3 in a zone of the member's, M5 in one of nobody's; M4, closed, in none."""
    near = Zone(1, "人民路片区", east(-50, 650), "street", (town.member_id,))
    far = Zone(2, HOSTILE, east(650, 2500), "community", note="周五走访")
    return Plan(Frame(LON, LAT, 3000, 9), (near, far))


@pytest.fixture
def held(town: Town) -> Held:
    return kept(town, two_zones(town))


@pytest.fixture
def sqlite_held(sqlite_town: Town) -> Held:
    return kept(sqlite_town, two_zones(sqlite_town))


def kept(town: Town, plan: Plan, name: str = "冬季方案") -> Held:
    with store.transaction(town.engine) as session:
        merchants = tables.merchants
        session.execute(
            update(merchants)
            .where(merchants.c.id == town.ids["M2"])
            .values(phone="027-88880002", address="人民路二号")
        )
        plan_id = plans.new_plan(session, CLI, town.branch_id, name=name, plan=plan)
        return plans.plan(session, CLI, plan_id)


def sheet(town: Town, asker: Asker = CLI, language: Language = "zh", **chosen: Any) -> bytes:
    snapshot = town.snapshot()
    ground = catchment(snapshot)
    given: dict[str, Any] = {
        "filters": Filters(),
        "reach": Reach(ground.radius_m),
        "shares": SHARES,
        "base": None,
    }
    with store.transaction(town.engine) as session:
        return customer_map(
            session,
            asker,
            snapshot,
            ground,
            branch="人民路支行",
            language=language,
            today=TODAY,
            **given | chosen,
        )


def atlas_of(
    town: Town, held: Held, asker: Asker = CLI, language: Language = "zh", base: BaseMap | None = None
) -> bytes:
    with store.transaction(town.engine) as session:
        return atlas(
            session,
            asker,
            town.snapshot(),
            held,
            branch="人民路支行",
            base=base,
            language=language,
            today=TODAY,
        )


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def records(engine: sqlalchemy.Engine) -> list[tuple[str, dict[str, Any]]]:
    with store.reading(engine) as session:
        rows = store.audit_rows(session, CLI)
    return [(row.subject, row.detail) for row in rows[rows["action"] == "export"].itertuples()]


# The customer map -------------------------------------------------------------------------------------------


def test_the_map_comes_with_its_figures_on_one_sheet(town: Town) -> None:
    found = pages(sheet(town))
    assert len(found) == 1
    text = found[0]
    assert "人民路支行客户地图" in text and "2026年11月22日" in text
    # C1, C2 and C5 of them and C3 and fifty pupils; M2 and M5 of the four that are not closed.
    assert "5.6%" in text and "3 / 54" in text
    assert "50%" in text and "2 / 4" in text
    assert "66.7% (2/3)" in text  # shop owners
    assert "目标客群 · 学生" in text  # sets the radius: the group, not its name
    assert ("customer map", {"form": "pdf"}) in records(town.engine)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_customer_is_on_paper_by_name_or_phone(sqlite_town: Town, language: Language) -> None:
    text = sheet(sqlite_town, language=language)
    for page in [*pages(text), *pages(atlas_of(sqlite_town, kept(sqlite_town, two_zones(sqlite_town))))]:
        assert not [name for name in NAMES if name in page]
        assert "1390000" not in page


def test_every_letter_is_of_a_font_that_is_in_the_file(sqlite_town: Town) -> None:
    used = {}
    for page in PdfReader(io.BytesIO(sheet(sqlite_town))).pages:
        for font in page["/Resources"]["/Font"].values():
            found = font.get_object()
            used[found["/BaseFont"]] = "/FontFile2" in found["/FontDescriptor"].get_object()
    assert len(used) >= 2 and all(used.values())
    assert all("+NotoSansSC" in name for name in used)  # a part of the font, not all of it


def test_figures_of_few_are_masked_from_who_may_not_see_customers(sqlite_town: Town) -> None:
    (seen,) = pages(sheet(sqlite_town, sqlite_town.asker(Role.ANALYST), language="en"))
    (all_seen,) = pages(sheet(sqlite_town, language="en"))
    assert "(mean of 2)" in all_seen and "(mean of 2)" not in seen  # two shop owners
    assert "¥60K" in all_seen and "¥60K" not in seen
    assert "<5" in seen and "<5" not in all_seen  # deposits of two
    assert "Groups of fewer than 5 customers are not shown as figures." in seen


def test_a_lead_sees_customers_and_not_the_money_of_few(sqlite_town: Town) -> None:
    (seen,) = pages(sheet(sqlite_town, sqlite_town.asker(Role.LEAD)))
    assert "2 人平均" in seen and "<5" in seen and "¥" not in seen


@pytest.mark.parametrize("role", [Role.MEMBER, Role.AUDITOR, Role.ADMIN])
def test_who_may_not_take_lists_out_gets_no_paper(sqlite_town: Town, sqlite_held: Held, role: Role) -> None:
    before = len(records(sqlite_town.engine))
    with pytest.raises(RightsError):
        sheet(sqlite_town, sqlite_town.asker(role))
    with pytest.raises(RightsError):
        atlas_of(sqlite_town, sqlite_held, sqlite_town.asker(role))
    with pytest.raises(RightsError):
        sheet(sqlite_town, sqlite_town.asker(Role.HEAD, sqlite_town.other_id))
    assert len(records(sqlite_town.engine)) == before


def test_the_filters_and_the_circle_on_screen_are_named(sqlite_town: Town) -> None:
    chosen = Filters(categories=(1,), statuses=("signed",), groups=(3,), tiers=("gold",))
    (text,) = pages(sheet(sqlite_town, filters=chosen, reach=Reach(1200.0), language="en"))
    assert "Circle of 1.2 km" in text
    assert "Categories: Food & drink · Status: Signed · Customer groups: Elderly savers · Tiers: Gold" in text
    (outside,) = pages(sheet(sqlite_town, reach=Reach(1200.0, outside=True)))
    assert "1.2 公里 圈外" in outside and "未筛选" in outside


def test_a_branch_without_anything_has_a_sheet_that_says_so(sqlite_town: Town) -> None:
    other = replace(sqlite_town, branch_id=sqlite_town.other_id)
    (text,) = pages(sheet(other, reach=Reach(0.0)))
    assert "没有符合条件的商户" in text and "没有符合条件的客户" in text and "还没有导入过名单" in text


# A plan -----------------------------------------------------------------------------------------------------


def test_an_atlas_has_an_overview_and_a_sheet_a_zone(town: Town, held: Held) -> None:
    overview, near, far = pages(atlas_of(town, held))
    assert "冬季方案" in overview and "人民路片区" in overview and HOSTILE in overview
    assert "33.3% (1/3)" in near and "66.7% (2/3)" in near  # merchants signed; customers
    assert "小陈" in near and "尚未配人" in far
    assert "人民路二号" in near and "027-88880002" in near
    assert near.index("老王酒楼") < near.index("火锅") < near.index("人民路超市")  # as one walks
    assert "沙县小吃" in far and "沙县小吃" not in near
    assert "人民饭店" not in near + far  # closed
    assert "周五走访" in far and HOSTILE in far
    assert "从未走访" in near
    subject, detail = records(town.engine)[0]
    assert subject == f"plan {held.id}"
    assert detail == {"what": "atlas", "form": "pdf", "zones": 2, "merchants": 4}


def test_an_atlas_masks_figures_of_few(sqlite_town: Town, sqlite_held: Held) -> None:
    _overview, near, _far = pages(atlas_of(sqlite_town, sqlite_held, sqlite_town.asker(Role.ANALYST)))
    assert "66.7% (2/3)" not in near and "<5" in near
    assert "33.3% (1/3)" in near  # merchants are no secret


def test_an_empty_plan_is_one_sheet(sqlite_town: Town) -> None:
    held = kept(sqlite_town, Plan(Frame(LON, LAT, 3000, 9)))
    (text,) = pages(atlas_of(sqlite_town, held))
    assert "本方案还没有片区" in text


def workbook_of(content: bytes) -> dict[str, pd.DataFrame]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return {name: pd.DataFrame(rows[1:], columns=rows[0]) for name, rows in sheets.items()}


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_a_workbook_has_zones_that_add_up_blocks_and_who_is_to_be_visited(
    sqlite_town: Town, sqlite_held: Held, datum: str
) -> None:
    with store.transaction(sqlite_town.engine) as session:
        given = (session, CLI, sqlite_town.snapshot(), sqlite_held)
        found = workbook_of(layers.workbook(*given, datum=datum, language="en", today=TODAY))
    zones, blocks, waiting = found.values()
    assert (
        zones["Zone name"].tolist() if "Zone name" in zones else zones["Zone"].tolist()[:1] == ["人民路片区"]
    )
    counts = zones["Merchants"].astype(int).tolist()
    assert counts == [3, 1, 0, 4]  # near, far, in no zone, the whole
    assert blocks["Merchants"].astype(int).sum() == 4 and set(blocks["Datum"]) == {datum}
    assert waiting["Name"].tolist() == ["老王酒楼", "Happy 100%_火锅", "人民路超市", "沙县小吃"]
    assert waiting["Stop"].astype(int).tolist() == [1, 2, 3, 1]
    lon, lat = convert(*destination(LON, LAT, 90, 100), "wgs84", datum)
    assert np.allclose(waiting[["Longitude", "Latitude"]].iloc[0].astype(float), [lon, lat], atol=1e-6)


@pytest.mark.parametrize("form", layers.FORMS)
def test_zones_go_out_as_shapes_in_the_datum_asked_for(
    sqlite_town: Town, sqlite_held: Held, form: str, tmp_path: Path
) -> None:
    def taken(datum: str) -> geopandas.GeoDataFrame:
        with store.transaction(sqlite_town.engine) as session:
            given = (session, CLI, sqlite_town.snapshot(), sqlite_held, form)
            content = layers.layer(*given, datum=datum, language="zh", today=TODAY)
        path = tmp_path / f"zones_{datum}.{form}"
        path.write_bytes(content)
        return geopandas.read_file(path)

    plain, shifted = taken("wgs84"), taken("gcj02")
    assert plain["zone_id"].tolist() == [1, 2] and plain["kind"].tolist() == ["street", "community"]
    assert plain["merchants"].tolist() == [3, 1] and plain["signed"].tolist() == [1, 1]
    for shape, zone in zip(plain.geometry, sqlite_held.plan.zones, strict=True):
        assert shape.symmetric_difference(zone.shape).area < 1e-9
    moved = shifted.geometry.iloc[0].centroid.distance(plain.geometry.iloc[0].centroid)
    assert 0.001 < moved < 0.01  # degrees: hundreds of metres
    with store.transaction(sqlite_town.engine) as session, pytest.raises(FileError):
        given = (session, CLI, sqlite_town.snapshot(), sqlite_held, "exe")
        layers.layer(*given, datum="wgs84", language="zh", today=TODAY)


# What changes -----------------------------------------------------------------------------------------------


def moved_by_two_blocks(town: Town) -> tuple[Held, Held, list[str]]:
    """Return a plan, and a copy in which the eastern blocks of one zone went to the other and its pair."""
    before = kept(town, two_zones(town))
    cells = comparing_plans.blocks(before.plan)
    near = cells[cells["zone_id"] == 1].sort_values("lon")
    moved = near.tail(2)
    edge = float(moved["lon"].min()) - 1e-6
    first, second = before.plan.zones
    west, south, east_, north = first.shape.bounds
    assert west < edge < east_
    cut = replace(first, shape=box(west, south, edge, north))
    won = replace(second, shape=second.shape.union(box(edge, south, east_, north)), pair=(town.member_id,))
    with store.transaction(town.engine) as session:
        copy_id = plans.copy_plan(session, CLI, before.id, "调整后")
        held = plans.plan(session, CLI, copy_id)
        change = held.plan.change_to(replace(held.plan, zones=(cut, won)), "reshaped")
        after = plans.change_plan(session, CLI, copy_id, held.revision, change)
    return before, after, sorted(cells[(cells["zone_id"] == 1) & (cells["lon"] >= edge)]["cell"])


def test_a_realignment_lists_the_blocks_that_move_and_for_whom(sqlite_town: Town) -> None:
    before, after, cells = moved_by_two_blocks(sqlite_town)
    found = realigned(sqlite_town.snapshot(), before.plan, after.plan)
    assert sorted(found.moved["cell"]) == cells
    assert found.summary.moved == len(cells) and found.summary.repaired == (2,)
    assert [person.id for person in found.changed] == [sqlite_town.member_id]
    (member,) = found.people
    assert member.merchants_before == 3 and member.merchants_after == 4  # all four, now that both are theirs
    with store.transaction(sqlite_town.engine) as session:
        given = (session, CLI, sqlite_town.snapshot(), before, after)
        report = realignment(*given, branch="人民路支行", base=None, language="zh", today=TODAY)
        book = workbook_of(realignment_workbook(*given, datum="gcj02", language="zh"))
    text = "\n".join(pages(report))
    assert all(cell in text for cell in cells)
    assert "小陈" in text and "3 → 4" in text and "冬季方案 → 调整后" in text
    assert not [name for name in NAMES if name in text]
    assert sorted(book["调整的单元"]["单元"]) == cells
    assert set(book["调整的单元"]["坐标系"]) == {"gcj02"}
    assert records(sqlite_town.engine)[0][1]["what"] == f"realignment from plan {before.id}"


def test_the_same_plan_drawn_anew_is_compared_by_the_names_of_its_zones(sqlite_town: Town) -> None:
    plan = two_zones(sqlite_town)
    other = Plan(plan.frame, tuple(replace(zone, id=9 - zone.id) for zone in plan.zones))
    before, after = kept(sqlite_town, plan), kept(sqlite_town, other, "重画")
    with store.transaction(sqlite_town.engine) as session:
        given = (session, CLI, sqlite_town.snapshot(), before, after)
        text = "\n".join(pages(realignment(*given, branch="支行", base=None, language="zh", today=TODAY)))
    assert "没有单元调整" in text and "没有人员变动" in text


def test_plans_of_two_branches_are_not_compared(sqlite_town: Town, sqlite_held: Held) -> None:
    with store.transaction(sqlite_town.engine) as session, pytest.raises(Conflict):
        foreign = replace(sqlite_held, branch_id=sqlite_town.other_id)
        given = (session, CLI, sqlite_town.snapshot(), foreign, sqlite_held)
        realignment(*given, branch="支行", base=None, language="zh", today=TODAY)


# The command line -------------------------------------------------------------------------------------------


@pytest.fixture
def line(sqlite_town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["paper", *words, "--branch", "A"])

    yield run
    database.dispose()


def test_the_command_line_writes_paper_and_refuses_what_it_cannot(
    line: Callable[..., Any], sqlite_held: Held, tmp_path: Path
) -> None:
    out, plan = tmp_path / "map.pdf", str(sqlite_held.id)
    assert line("map", "--out", str(out), "--json").exit_code == 0
    assert len(pages(out.read_bytes())) == 1
    for form in ("pdf", "xlsx", "geojson", "gpkg"):
        file = tmp_path / f"plan.{form}"
        assert line("atlas", "--plan", plan, "--out", str(file)).exit_code == 0
        assert file.stat().st_size > 500
    report = tmp_path / "report.pdf"
    assert line("realignment", "--before", plan, "--plan", plan, "--out", str(report)).exit_code == 0
    refused = line("atlas", "--out", str(tmp_path / "x.pdf"))
    assert refused.exit_code == 1 and "No plan is published" in refused.stderr
    refused = line("atlas", "--plan", plan, "--out", str(tmp_path / "x.doc"))
    assert refused.exit_code == 1 and ".doc" in refused.stderr
