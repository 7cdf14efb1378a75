"""The page of clusters: two crowds, 1.5 km east and west of the branch, of 40 and 20 customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine

from data import bulk, snapshots, store, tables
from data.clustering.finding import found
from data.rights import Role
from geo.plans import Frame, Plan, Zone
from pages.parts import cluster_map, cluster_reads, cluster_words, cluster_zone
from pages.parts.ways import Way
from tests.test_pages.conftest import ME, Visit, texts

LON, LAT = 114.30, 30.60
EAST, WEST = LON + 0.0157, LON - 0.0157


def crowd(branch: int, seed: int, count: int, lon: float) -> pd.DataFrame:
    away = np.random.default_rng(seed).uniform(-1.0, 1.0, (count, 2))
    return pd.DataFrame(
        {
            "branch_id": branch,
            "name": "测试一号",
            "existing": np.arange(count) % 4 > 0,
            "group_id": 7 if lon > LON else 9,
            "lon": lon + away[:, 0] * 8.4e-4,
            "lat": LAT + away[:, 1] * 7.2e-4,
        }
    )


@pytest.fixture
def crowded(sqlite_engine: Engine, branch: int) -> int:
    with store.transaction(sqlite_engine) as session:
        for seed, count, lon in ((1, 40, EAST), (2, 20, WEST)):
            bulk.insert(session, tables.customers, crowd(branch, seed, count, lon))
        store.new_version(session, ME, branch, "test")
    return branch


def test_clusters_are_counted_and_listed(visit: Visit, crowded: int) -> None:
    app = visit(Way.CLUSTERS, branch="HW")
    assert not app.exception
    assert "2 clusters" in texts(app)
    (table,) = app.dataframe
    assert table.value["Customers, existing and target"].tolist() == ["40", "20"]
    assert table.value["Who leads"].tolist() == ["Employees 100%", "Students 100%"]
    assert table.value["Customer coverage"].tolist() == ["75% (30/40)", "75% (15/20)"]
    assert "first on record" in texts(app)


def test_the_cluster_in_the_url_has_its_card(visit: Visit, crowded: int) -> None:
    said = texts(visit(Way.CLUSTERS, branch="HW", cluster="2"))
    assert "Students" in said
    assert "100% (20/20)" in said.replace("\\", "")


@pytest.mark.parametrize("number", ["99", "x", "-1", "9" * 30])
def test_a_cluster_that_is_not_there_has_none(visit: Visit, crowded: int, number: str) -> None:
    app = visit(Way.CLUSTERS, branch="HW", cluster=number)
    assert not app.exception
    assert "2 clusters" in texts(app)


def test_a_branch_without_customers_says_so(visit: Visit, branch: int) -> None:
    assert "There are no customers yet" in texts(visit(Way.CLUSTERS, branch="HW"))
    assert "There are no merchants yet" in texts(visit(Way.CLUSTERS, branch="HW", crowd="merchants"))


def test_all_at_one_position_are_told_as_such(visit: Visit, sqlite_engine: Engine, branch: int) -> None:
    with store.transaction(sqlite_engine) as session:
        bulk.insert(session, tables.customers, crowd(branch, 1, 30, EAST).assign(lon=EAST, lat=LAT))
        store.new_version(session, ME, branch, "test")
    assert "All 30 rows lie at one and the same position" in texts(visit(Way.CLUSTERS, branch="HW"))


def test_a_single_customer_is_no_cluster(visit: Visit, sqlite_engine: Engine, branch: int) -> None:
    with store.transaction(sqlite_engine) as session:
        bulk.insert(session, tables.customers, crowd(branch, 1, 1, EAST))
        store.new_version(session, ME, branch, "test")
    assert "that is no cluster" in texts(visit(Way.CLUSTERS, branch="HW"))


def test_few_customers_strewn_are_no_cluster(visit: Visit, seeded: int) -> None:
    assert "Nothing lies closer together" in texts(visit(Way.CLUSTERS, branch="HW"))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_only_who_works_there_sees_them(visit: Visit, crowded: int, role: Role) -> None:
    app = visit(branch="HW", role=role)
    assert "clusters" not in {page.get("url_pathname") for page in app._registered_pages.values()}


def test_an_analyst_reads_and_makes_no_zone(visit: Visit, crowded: int) -> None:
    app = visit(Way.CLUSTERS, branch="HW", cluster="1", role=Role.ANALYST)
    assert not app.exception
    assert "Make it a zone" not in [button.label for button in app.button]


def test_growth_is_written_as_people_say_it() -> None:
    assert cluster_words.grown(54.0, 50.0, since=True) == "+4 (8%)"
    assert cluster_words.grown(40.0, 50.0, since=True) == "−10 (20%)"
    assert cluster_words.grown(50.0, 50.0, since=True) in ("unchanged", "不变")
    assert cluster_words.grown(50.0, float("nan"), since=True) in ("new", "新出现")
    assert cluster_words.grown(50.0, float("nan"), since=False) == "-"


def test_a_hull_carries_the_lasting_number(sqlite_engine: Engine, crowded: int) -> None:
    snapshot = snapshots.snapshot(sqlite_engine, crowded)
    standing = cluster_reads.standing(ME, snapshot, "customers", "area")
    hulls = cluster_map.hulls(standing)
    assert [hull.id for hull in hulls] == ["1", "2"]
    assert all(hull.shape.is_valid for hull in hulls)
    assert hulls[0].shape.contains(shapely.Point(EAST, LAT))
    assert standing.place_of(2) == 1
    assert standing.place_of(None) is None


def test_every_code_of_a_profile_has_a_word(sqlite_engine: Engine, crowded: int) -> None:
    snapshot = snapshots.snapshot(sqlite_engine, crowded)
    profile = cluster_reads.profile(ME, snapshot, found(snapshot, "customers"), 0)
    words = [cluster_words.word(row.kind, row.code) for row in profile.itertuples()]
    assert words
    assert all(words)
    assert cluster_words.word("tier", "gold") in ("Gold", "金")
    assert cluster_words.word("tag", "茶") == "茶"


# A cluster made a zone --------------------------------------------------------------------------------------


def test_a_cluster_becomes_a_zone_of_a_new_draft(visit: Visit, sqlite_engine: Engine, crowded: int) -> None:
    app = visit(Way.CLUSTERS, branch="HW", cluster="1")
    next(button for button in app.button if button.label == "Make it a zone").click().run()
    with store.reading(sqlite_engine) as session:
        (row,) = store.plans(session, ME, crowded).to_dict("records")
        plan = store.plan(session, ME, int(row["id"])).plan
    assert row["status"] == "draft"
    assert [zone.kind for zone in plan.zones] == ["community"]
    assert plan.zones[0].shape.contains(shapely.Point(EAST, LAT))


@pytest.mark.parametrize(
    ("answer", "left"), [("Give that ground to the new zone", 1), ("Leave it with them", 2)]
)
def test_ground_of_another_zone_is_asked_for(
    visit: Visit, sqlite_engine: Engine, crowded: int, answer: str, left: int
) -> None:
    half = shapely.box(EAST - 0.01, LAT - 0.01, EAST, LAT + 0.01)
    plan = Plan(Frame(LON, LAT, 3000.0, 9), (Zone(1, "老片区", half),))
    with store.transaction(sqlite_engine) as session:
        plan_id = store.new_plan(session, ME, crowded, name="草稿", plan=plan)
    app = visit(Way.CLUSTERS, branch="HW", cluster="1")
    next(button for button in app.button if button.label == "Make it a zone").click().run()
    assert "老片区" in texts(app)
    next(button for button in app.button if button.label == answer).click().run()
    with store.reading(sqlite_engine) as session:
        now = store.plan(session, ME, plan_id).plan
    assert len(now.zones) == 2
    old, new = now.zones
    assert old.shape.intersection(new.shape).area < 1e-12
    spot = shapely.Point(EAST - 2e-4, LAT)
    assert (new if left == 1 else old).shape.contains(spot)


def test_a_zones_name_is_nobody_elses() -> None:
    plan = Plan(Frame(LON, LAT, 3000.0, 9), (Zone(1, "人民路", shapely.box(0, 0, 1, 1)),))
    assert cluster_zone.free_name(plan, "人民路") == "人民路 2"
    assert cluster_zone.free_name(plan, "和平路") == "和平路"
    assert len(cluster_zone.free_name(plan, "路" * 300)) <= 100


def test_a_zone_is_the_largest_piece() -> None:
    small, large = shapely.box(0, 0, 1, 1), shapely.box(5, 5, 9, 9)
    assert cluster_zone.largest(shapely.MultiPolygon([small, large])).equals(large)
