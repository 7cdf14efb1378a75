"""
The page of coverage, on a town of six merchants and seven customers in a row and two zones over it.

metres     100  200  300  400 | 500  600 | 700
merchants  sig  kno  kno  con | clo  kno |
customers   E    E    E    t  |  t    E  | tt      (E existing, t a target, tt a target group of two)
zone       ———— west ————————   — east —   none
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from data import snapshots, store, tables
from data.rights import Asker, Role
from data.zones import coach, coverage, standing
from data.zones.coach import Advice
from data.zones.held import Held
from geo.coverage import Figure
from geo.errors import StoreError
from geo.plans import Frame, Plan, Zone
from pages.parts import (
    coverage_coach,
    coverage_gaps,
    coverage_map,
    coverage_ranking,
    coverage_reads,
    coverage_table,
    coverage_trend,
    state,
)
from pages.parts.coverage_words import FIGURES, GROUPS, brief, written
from pages.parts.ways import Way
from tests.test_pages.conftest import ME, Visit, texts

WEST, EAST = 1, 2


def ground(first_m: int, last_m: int) -> shapely.Polygon:
    """Return a piece of the row, from one of its places to another."""
    return shapely.box(114.30 + first_m * 1e-5 - 5e-4, 30.59, 114.30 + last_m * 1e-5 + 5e-4, 30.61)


PLAN = Plan(
    Frame(114.30, 30.60, 2000.0, 9),
    (
        Zone(WEST, "西片区", ground(100, 400)),
        Zone(EAST, "东片区 *红*", ground(500, 600), kind="community"),
    ),
)


@pytest.fixture
def planned(sqlite_engine: Engine, seeded: int) -> Held:
    with store.transaction(sqlite_engine) as session:
        plan_id = store.new_plan(session, ME, seeded, name="首个方案", plan=PLAN)
        return store.publish(session, ME, plan_id, 0)


@pytest.fixture
def report(sqlite_engine: Engine, planned: Held) -> coverage.Report:
    held = snapshots.snapshot(sqlite_engine, planned.branch_id)
    return coverage.report(held, ME, planned.plan, planned.id)


def table(app: AppTest) -> pd.DataFrame:
    """Return the table of all zones, by zone."""
    found: pd.DataFrame = next(each.value for each in app.dataframe if "Kind" in each.value)
    return found.set_index("Zone")


# The page ---------------------------------------------------------------------------------------------------


def test_without_a_published_plan_the_page_leads_on_to_the_zones(
    visit: Visit, sqlite_engine: Engine, seeded: int
) -> None:
    with store.transaction(sqlite_engine) as session:
        store.new_plan(session, ME, seeded, name="草稿", plan=PLAN)
    app = visit("coverage")
    assert "No plan of zones is published yet." in texts(app)
    (link,) = app.get("page_link")
    assert link.proto.page == "zones"


@pytest.mark.usefixtures("planned")
def test_every_zone_has_its_figures_with_their_counts_and_they_add_up(visit: Visit) -> None:
    app = visit("coverage")
    assert not app.exception and not app.error
    rows = table(app)
    assert rows.index.tolist() == ["西片区", "东片区 *红*", "In no zone", "Total"]
    assert rows["Customer coverage"].tolist() == ["75% (3/4)", "50% (1/2)", "0% (0/2)", "50% (4/8)"]
    assert rows["Merchants signed"].tolist() == ["25% (1/4)", "0% (0/1)", "-", "20% (1/5)"]
    assert rows["Trades missing or few"].tolist() == ["-"] * 4, "no households are known"
    said = texts(app).replace("\\", "")
    assert "首个方案 · 2 zones · published" in said
    assert "Nobody is named for 西片区" in said and "Name an indoor and an outdoor colleague." in said
    assert [button.label for button in app.button].count("Name the pair") == 2


@pytest.mark.usefixtures("planned")
def test_where_nobody_was_visited_the_page_says_so_and_leads_on(visit: Visit) -> None:
    app = visit("coverage", lang="zh")
    assert not app.exception and not app.error
    assert "还没有走访记录，所有商户均按“从未走访”计。" in texts(app)
    assert "teams" in [link.proto.page for link in app.get("page_link")]


@pytest.mark.usefixtures("planned")
def test_alliances_are_dashes_before_there_are_any(visit: Visit) -> None:
    rows = table(visit("coverage", coverage_columns="alliances"))
    assert set(rows.drop(columns="Kind").to_numpy().ravel()) == {"-"}


def test_alliances_are_shares_with_both_counts_once_there_is_one(
    visit: Visit, planned: Held, sqlite_engine: Engine
) -> None:
    with store.transaction(sqlite_engine) as session:
        merchants = tables.merchants.c
        query = select(merchants.id).where(merchants.branch_id == planned.branch_id)
        shops = list(session.scalars(query.where(merchants.status != "closed").order_by(merchants.lon)))[:2]
        which = store.form_alliance(session, ME, planned.branch_id, "老街联盟", shops)
        store.set_status(session, ME, which, 0, "active")
    rows = table(visit("coverage", coverage_columns="alliances"))
    assert rows["Merchants in alliances"].tolist() == ["50% (2/4)", "0% (0/1)", "-", "40% (2/5)"]
    reached = rows["Customers in reach of an alliance"]
    assert reached.iloc[0].endswith("/4)") and reached["Total"].endswith("/8)")


@pytest.mark.usefixtures("planned")
def test_the_zone_of_the_url_has_its_card(visit: Visit) -> None:
    app = visit("coverage", zone=str(EAST))
    said = texts(app)
    assert r"#### 东片区 \*红\*" in said, "a name cannot act as markdown"
    assert r":gray[Customer coverage] **50% \(1/2\)**" in said
    assert "whole branch 50% · its kind alone" in said
    assert "Nobody is named for 东片区" in said and "Nobody is named for 西片区" not in said
    assert table(app).index[1] == "▸ 东片区 *红*"
    close = next(button for button in app.button if button.key == f"{state.COVERAGE_CARD}_close")
    close.click().run()
    assert "zone" not in app.query_params
    assert "Nobody is named for 西片区" in texts(app)


@pytest.mark.usefixtures("planned")
def test_what_makes_no_sense_in_the_url_is_passed_over(visit: Visit) -> None:
    app = visit("coverage", zone="99", shade="x", of="y", coverage_columns="z")
    assert not app.exception and not app.error
    assert "What to do next" in texts(app)
    assert [box.value for box in app.selectbox if box.key in (state.SHADE, state.REACHABLE)] == [
        "customer_coverage",
        "customers",
    ]


@pytest.mark.usefixtures("planned")
def test_choices_are_kept_in_the_url(visit: Visit) -> None:
    app = visit("coverage", shade="merchant_coverage")
    box = next(box for box in app.selectbox if box.key == state.REACHABLE)
    box.set_value("households").run()
    told = {name: app.query_params[name] for name in ("of", "shade")}
    assert told == {"of": "households", "shade": "merchant_coverage"}
    assert table(app)["Customer coverage"].tolist() == ["-"] * 4, "no households are known"


@pytest.mark.usefixtures("planned")
def test_whoever_may_not_see_customers_gets_no_figure_of_few(visit: Visit) -> None:
    app = visit("coverage", role=Role.ANALYST)
    rows = table(app)
    assert rows["Customer coverage"].tolist()[:3] == ["<5"] * 3
    assert rows["Merchants signed"].tolist()[0] == "25% (1/4)", "merchants are nobody's secret"
    assert "Groups of fewer than 5 customers are not shown as figures." in texts(app)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_whoever_does_not_work_at_the_branch_is_not_offered_the_page(
    visit: Visit, seeded: int, role: Role
) -> None:
    pages = [page.get("url_pathname") for page in visit(role=role)._registered_pages.values()]
    assert "coverage" not in pages


@pytest.mark.usefixtures("planned")
def test_a_store_that_fails_is_said_calmly(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise StoreError("The store cannot be reached.")

    monkeypatch.setattr(coverage_reads, "report", fails)
    app = visit("coverage")
    assert not app.exception and [error.value for error in app.error] == ["The store cannot be reached."]


# Shades -----------------------------------------------------------------------------------------------------

VALUES = st.lists(st.floats(0, 1) | st.just(math.nan) | st.sampled_from([0.0, 0.25]), max_size=40)


@settings(deadline=None)
@given(VALUES)
def test_every_known_value_has_one_shade_and_higher_ones_are_no_lighter(values: list[float]) -> None:
    classes = coverage_map.classes(values)
    known = sorted(value for value in values if not math.isnan(value))
    assert sum(each.zones for each in classes) == len(known)
    assert len(classes) <= len(coverage_map.SHADES)
    assert [each.lowest for each in classes] == sorted(each.lowest for each in classes)
    assert all(a.highest < b.lowest for a, b in zip(classes, classes[1:], strict=False))
    shades = [coverage_map.SHADES.index(coverage_map.colour_of(value, classes)) for value in known]
    assert shades == sorted(shades)
    assert coverage_map.colour_of(math.nan, classes) == coverage_map.NO_FIGURE


def test_ten_different_values_fill_all_shades_evenly() -> None:
    assert [each.zones for each in coverage_map.classes([at / 10 for at in range(10)])] == [2] * 5


def lightness(colour: str) -> float:
    """Return how light a colour is to the eye, whatever its hue."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16)


def test_shades_are_told_apart_by_their_lightness_alone() -> None:
    steps = -np.diff([lightness(colour) for colour in coverage_map.SHADES])
    assert steps.min() > 10


def test_the_legend_names_values_and_how_many_zones(from_here: None) -> None:
    shaded = coverage_map.classes([0.1, 0.1, 0.5, math.nan])
    assert [text for _, text in coverage_map.legend("customer_coverage", shaded, 1)] == [
        "50% · 1 个片区",
        "10% · 2 个片区",
        "无数据 · 1 个片区",
    ]


# Tables and charts ------------------------------------------------------------------------------------------


def test_zones_are_ranked_by_what_they_lack_beside_the_branch(
    planned: Held, report: coverage.Report, from_here: None
) -> None:
    # The branch covers 4 of 8. West has 3 of 4, two more than alike; east has 1 of 2.
    shown = coverage_ranking.ranked(planned, report, "customer_coverage")
    assert shown.iloc[:, 0].tolist() == ["东片区 *红*", "西片区"]
    assert shown.iloc[:, 2].tolist() == ["持平", "好 25 个百分点"]
    # One of 5 merchants is signed: east, with none of one, lacks a fifth of one.
    shown = coverage_ranking.ranked(planned, report, "merchant_coverage")
    assert shown.iloc[0].tolist() == ["东片区 *红*", "0% (0/1)", "差 20 个百分点", "1"]


def test_every_figure_is_ranked_shaded_and_written(
    planned: Held, report: coverage.Report, from_here: None
) -> None:
    for figure, told in FIGURES.items():
        assert all(written(figure, report.zone(zone.id)[figure]) for zone in planned.plan.zones)
        if report.zones[(figure, "value")].notna().any():
            assert coverage_map.classes(list(report.zones[(figure, "value")]))
        if told.good < 0:
            assert figure in standing.LESS_IS_BETTER
    for figure in ("customer_coverage", "workload_h"):
        assert coverage_ranking.bars(planned, report, figure).to_dict()


def test_every_figure_of_the_report_has_words(report: coverage.Report) -> None:
    assert set(report.total) == set(FIGURES)
    assert {name for _, names in GROUPS.values() for name in names} == set(FIGURES)


@pytest.mark.parametrize(
    ("figure", "value", "expected"),
    [
        ("customer_coverage", Figure(0.25, 1, 4), "25% (1/4)"),
        ("customer_coverage", Figure(math.nan, None, None), "<5"),
        ("customer_coverage", Figure(None, 0, 0), "-"),
        ("workload_h", Figure(12.34, 12.34, 30), "12.3 / 30"),
        ("products_mean", Figure(2.5, 10, 4), "2.50 (10/4)"),
        ("deposits", Figure(20_000.0, 20_000.0, 3), "¥2万"),
        ("polsby_popper", Figure(0.7071, 0.7071, None), "0.71"),
        ("pieces", Figure(None, None, None), "-"),
    ],
)
def test_figures_are_written_as_what_they_are(
    from_here: None, figure: str, value: Figure, expected: str
) -> None:
    assert written(figure, value) == expected


def test_a_value_alone_is_brief(from_here: None) -> None:
    assert [brief("customer_coverage", value) for value in (0.123, None, math.nan)] == ["12.3%", "-", "-"]


def test_the_table_taken_away_has_every_figure(
    planned: Held, report: coverage.Report, from_here: None
) -> None:
    shown = coverage_table.rows(planned, report, list(FIGURES))
    assert shown.shape == (4, 2 + len(FIGURES))
    assert not shown.columns.duplicated().any()


class Said:
    """What a part of a page showed, in place of Streamlit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self.frames: list[pd.DataFrame] = []
        self.texts: list[str] = []
        self.charts: list[Any] = []
        for name in ("caption", "info", "markdown"):
            monkeypatch.setattr(module.st, name, lambda text, **_: self.texts.append(text))
        monkeypatch.setattr(module.st, "dataframe", lambda frame, **_: self.frames.append(frame))
        monkeypatch.setattr(module.st, "altair_chart", self.charts.append)


GAPS = pd.DataFrame(
    {
        "category": [101, 102],
        "merchants": [0, 3],
        "per_1000": [0.0, 1.5],
        "reference_merchants": [4, 6],
        "reference_per_1000": [1.0, 1.5],
        "state": ["void", "enough"],
        "missing": [2.0, 0.0],
    }
)


def test_missing_trades_are_counted_over_zones_and_listed_for_one(
    planned: Held, sqlite_engine: Engine, from_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = snapshots.snapshot(sqlite_engine, planned.branch_id)
    said = Said(monkeypatch, coverage_gaps)
    monkeypatch.setattr(
        coverage_reads, "gaps_of", lambda _a, _s, _h, zone: GAPS if zone == WEST else GAPS.iloc[:0]
    )
    coverage_gaps.show(ME, snapshot, planned, None)
    assert said.frames[0].iloc[:, 1:].to_numpy().tolist() == [[1, 0, 2.0], [0, 0, 0.0]]
    assert any("没有其他支行" in text for text in said.texts)
    coverage_gaps.show(ME, snapshot, planned, WEST)
    assert said.frames[1].iloc[0, 1:4].tolist() == ["此处没有", "2", 0]
    coverage_gaps.show(ME, snapshot, planned, EAST)
    assert len(said.frames) == 2 and "户数未知" in said.texts[-1]


def test_the_trend_is_of_the_zone_beside_the_branch_and_needs_a_past(
    planned: Held, sqlite_engine: Engine, from_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        coverage_reads,
        "reading",
        lambda: store.reading(sqlite_engine),
    )
    said = Said(monkeypatch, coverage_trend)
    coverage_trend.show(ME, planned, "area_km2", None)
    assert "没有留存历史数据" in said.texts[0] and "趋势需要历史" in said.texts[1]
    with store.transaction(sqlite_engine) as session:
        store.edit_merchant(session, ME, 2, 0, status="signed")
    coverage_trend.show(ME, planned, "merchant_coverage", WEST)
    values = said.charts[-1].data.groupby("line")["counts"].agg(list).to_dict()
    assert values == {"西片区": ["1 / 4", "2 / 4"], "全支行": ["1 / 5", "2 / 5"]}


# The coach --------------------------------------------------------------------------------------------------


def test_each_kind_of_advice_has_a_place_where_its_next_step_is_taken() -> None:
    assert set(coverage_coach.KINDS) == set(coach.KINDS)


@pytest.mark.parametrize(
    ("advice", "way", "kept"),
    [
        (Advice("no_pair", EAST, "", ""), Way.TEAMS, {state.TEAM_TAB: "pairs", "zone": "2"}),
        (Advice("overloaded", None, "", ""), Way.TEAMS, {state.TEAM_TAB: "people"}),
        (Advice("overloaded", WEST, "", ""), Way.ZONES, {"plan": "2", "zone": "1"}),  # a draft of plan 1
        (Advice("idle", WEST, "", ""), Way.ZONES, {"plan": "2", "zone": "1"}),
        (Advice("under_covered", WEST, "", ""), Way.MAP, {"zone": "1", "at": "114.30250,30.60000,15.1"}),
        (Advice("gap", EAST, "", ""), Way.MAP, {"zone": "2", "at": "114.30550,30.60000,15.1"}),
    ],
)
def test_advice_leads_where_its_next_step_is_taken(
    planned: Held, monkeypatch: pytest.MonkeyPatch, advice: Advice, way: Way, kept: dict[str, str]
) -> None:
    gone: list[Way] = []
    session: dict[str, Any] = {}
    params: dict[str, str] = {}
    monkeypatch.setattr(coverage_coach, "go", gone.append)
    monkeypatch.setattr(state.st, "session_state", session)
    monkeypatch.setattr(state.st, "query_params", params)
    coverage_coach.lead(ME, planned, advice)
    coverage_coach.lead(ME, planned, advice)  # the second time the draft there is
    assert gone == [way, way]
    assert {name: params.get(name) for name in kept} == kept


def test_whoever_only_reads_is_led_to_the_plan_in_force(
    planned: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    params: dict[str, str] = {}
    monkeypatch.setattr(coverage_coach, "go", lambda _way: None)
    monkeypatch.setattr(state.st, "session_state", {})
    monkeypatch.setattr(state.st, "query_params", params)
    member = Asker("测试一号", Role.MEMBER, frozenset({planned.branch_id}))
    coverage_coach.lead(member, planned, Advice("idle", WEST, "", ""))
    assert params == {"plan": str(planned.id), "zone": "1"}
