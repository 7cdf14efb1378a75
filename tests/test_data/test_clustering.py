"""
Clusters of a branch: two crowds, 1.5 km east and west of the branch, and what is kept of them.

east   40 customers (30 existing employees, 10 target employees) and 10 merchants on 人民路, 4 of them signed
west   20 customers (students, all existing) beside the school, no merchant
far    a stray 6 km north
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from data import bulk, snapshots, store, tables
from data.__main__ import app
from data.clustering import describing, naming, runs
from data.clustering.finding import Found, found
from data.rights import Asker, Role, command_line
from data.snapshots import Snapshot
from geo.errors import DataError, RightsError

LON, LAT = 114.30, 30.60
EAST, WEST = LON + 0.0157, LON - 0.0157  # 1.5 km
ME = command_line("tests")
EMPLOYEES, STUDENTS = 7, 9


def spots(seed: int, count: int, lon: float, wide: float = 1.0) -> pd.DataFrame:
    """Points strewn over a square of 160 m, or so many times as wide."""
    away = np.random.default_rng(seed).uniform(-wide, wide, (count, 2))
    return pd.DataFrame({"lon": lon + away[:, 0] * 8.4e-4, "lat": LAT + away[:, 1] * 7.2e-4})


def people(branch_id: int, seed: int, count: int, lon: float, **columns: object) -> pd.DataFrame:
    return spots(seed, count, lon).assign(
        branch_id=branch_id, name="测试一号", **{"existing": True, "group_id": STUDENTS, **columns}
    )


@pytest.fixture
def branch_id(engine: Engine) -> int:
    with store.transaction(engine) as session:
        own = store.add_branch(session, ME, code="HW", name="河湾支行", lon=LON, lat=LAT)
        crowd = [
            people(own, 1, 30, EAST, group_id=EMPLOYEES, tier="gold", tags="茶"),
            people(own, 2, 10, EAST, group_id=EMPLOYEES, existing=False),
            people(own, 3, 20, WEST),
            pd.DataFrame(
                [{"lon": LON, "lat": LAT + 0.054, "branch_id": own, "existing": True, "group_id": 1}]
            ),
        ]
        for each in crowd:
            bulk.insert(session, tables.customers, each)
        shops = spots(4, 10, EAST, 0.5).assign(
            branch_id=own,
            name="测试商户",
            category_id=201,
            status=["signed"] * 4 + ["known"] * 6,
            address=[f"测试市人民路{at}号" for at in range(10)],
            hours=["07:00-22:00"] * 5 + [None] * 5,
        )
        bulk.insert(session, tables.merchants, shops)
        bulk.insert(
            session,
            tables.places,
            pd.DataFrame(
                [{"branch_id": own, "name": "测试小学", "kind": "institution", "lon": WEST, "lat": LAT}]
            ),
        )
        store.new_version(session, ME, own, "test")
    return own


@pytest.fixture
def snapshot(engine: Engine, branch_id: int) -> Snapshot:
    return snapshots.snapshot(engine, branch_id)


@pytest.fixture
def customers(snapshot: Snapshot) -> Found:
    return found(snapshot, "customers")


def kept(engine: Engine, snapshot: Snapshot, there: Found) -> runs.Growth:
    with store.transaction(engine) as session:
        runs.keep(session, ME, snapshot, there)
        growth = runs.growth(session, ME, snapshot, there)
    assert growth is not None
    return growth


def named(engine: Engine, snapshot: Snapshot, there: Found, language: str = "zh") -> list[str]:
    with store.reading(engine) as session:
        return naming.names(session, snapshot, there, language)


def test_two_crowds_and_a_stray(customers: Found) -> None:
    assert customers.clusters.size.tolist() == [40.0, 20.0]
    assert customers.clusters.noise_points == 1
    assert abs(customers.lon[0] - EAST) < 1e-3
    assert not customers.single_spot


def test_only_customers_and_merchants_have_clusters(snapshot: Snapshot) -> None:
    with pytest.raises(DataError):
        found(snapshot, "outlets")


def test_they_are_found_once(snapshot: Snapshot, customers: Found) -> None:
    assert found(snapshot, "customers") is customers


def test_a_cluster_is_named_after_its_place_or_street_and_who_leads(
    engine: Engine, snapshot: Snapshot, customers: Found
) -> None:
    assert named(engine, snapshot, customers) == ["人民路·企业员工", "测试小学·学生"]
    assert named(engine, snapshot, customers, "en") == ["人民路 · Employees", "测试小学 · Students"]


def test_a_place_nobody_named_is_where_it_lies_from_the_branch(
    engine: Engine, snapshot: Snapshot, customers: Found
) -> None:
    with store.transaction(engine) as session:
        session.execute(update(tables.merchants).values(address=None))
    names = named(engine, snapshot, customers, "en")
    assert names[0] == "1.5 km east of the branch · Employees"


def test_two_clusters_in_one_street_have_two_names(engine: Engine, branch_id: int) -> None:
    with store.transaction(engine) as session:
        more = spots(7, 10, EAST + 0.02).assign(
            branch_id=branch_id, name="测试商户", category_id=201, status="known", address="人民路9号"
        )
        bulk.insert(session, tables.merchants, more)
        store.new_version(session, ME, branch_id, "test")
    snapshot = snapshots.snapshot(engine, branch_id)
    names = named(engine, snapshot, found(snapshot, "merchants"))
    assert len(set(names)) == len(names) == 2
    assert names[0] == "人民路·购物"


def test_figures_of_each_cluster(snapshot: Snapshot, customers: Found) -> None:
    table = describing.overview(snapshot, customers, mask=False)
    assert table["existing"].tolist() == [30.0, 20.0]
    assert table["target"].tolist() == [10.0, 0.0]
    assert table["customer_coverage"].tolist() == [0.75, 1.0]
    assert table["merchants"].tolist() == [10.0, 0.0]
    assert table["merchant_coverage"].iloc[0] == 0.4
    assert np.isnan(table["merchant_coverage"].iloc[1])


def test_a_profile_stands_beside_the_whole_circle(
    engine: Engine, snapshot: Snapshot, customers: Found
) -> None:
    with store.reading(engine) as session:
        profile = describing.profile(session, snapshot, customers, 0, mask=False).set_index(["kind", "code"])
    group = profile.loc[("group", EMPLOYEES)]
    assert (group["n"], group["of"], group["share"]) == (40.0, 40.0, 1.0)
    assert (group["all_n"], group["all_of"]) == (40.0, 61.0)
    assert profile.loc[("tier", "gold"), "share"] == 1.0
    assert (profile.loc[("tag", "茶"), "n"], profile.loc[("tag", "茶"), "of"]) == (30.0, 40.0)
    assert profile.loc[("status", "signed"), "share"] == 0.4
    assert (profile.loc[("hours", "early"), "n"], profile.loc[("hours", "late"), "of"]) == (5.0, 5.0)


def test_few_customers_are_hidden_from_who_may_not_see_them(engine: Engine, branch_id: int) -> None:
    with store.transaction(engine) as session:
        bulk.insert(session, tables.customers, people(branch_id, 9, 3, EAST, group_id=1))
        store.new_version(session, ME, branch_id, "test")
    snapshot = snapshots.snapshot(engine, branch_id)
    there = found(snapshot, "customers")
    with store.reading(engine) as session:
        seen = describing.profile(session, snapshot, there, 0, mask=False)
        hidden = describing.profile(session, snapshot, there, 0, mask=True)
    assert 1 in seen.loc[seen["kind"] == "group", "code"].tolist()
    groups = hidden.loc[hidden["kind"] == "group", "code"].tolist()
    assert 1 not in groups
    assert groups == []  # with the other group shown, the three could be worked out
    table = describing.overview(snapshot, there, mask=True)
    assert np.isnan(table["target"].iloc[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("07:00-22:00", ("early", "late")),
        ("09:00-18:00", ("usual",)),
        ("9:30—次日2:00", ("late",)),
        ("全天", ("always",)),
        ("24小时营业", ("always",)),
        ("00:00-24:00", ("always",)),
        ("看心情", ()),
        ("", ()),
    ],
)
def test_opening_hours_are_understood(text: str, said: tuple[str, ...]) -> None:
    assert describing.hours_of(text) == said


def test_a_cluster_keeps_its_number_and_shows_its_growth(engine: Engine, branch_id: int) -> None:
    first = snapshots.snapshot(engine, branch_id)
    before = kept(engine, first, found(first, "customers"))
    assert before.ids == (1, 2)
    assert before.since is None
    with store.transaction(engine) as session:
        bulk.insert(session, tables.customers, people(branch_id, 11, 25, WEST))
        bulk.insert(session, tables.customers, people(branch_id, 12, 30, LON + 0.04))
        gone = session.scalars(select(tables.customers.c.id).where(tables.customers.c.existing.is_(False)))
        session.execute(tables.customers.delete().where(tables.customers.c.id.in_(list(gone))))
        store.new_version(session, ME, branch_id, "test")
    second = snapshots.snapshot(engine, branch_id)
    there = found(second, "customers")
    now = kept(engine, second, there)
    size = dict(zip(now.ids, there.clusters.size.tolist(), strict=True))
    then = dict(zip(now.ids, now.then, strict=True))
    assert (size[1], then[1]) == (30.0, 40.0)
    assert (size[2], then[2]) == (45.0, 20.0)
    assert size[3] == 30.0
    assert np.isnan(then[3])
    assert now.since is not None
    assert now.vanished.empty


def test_what_is_no_longer_there_is_told(engine: Engine, branch_id: int) -> None:
    first = snapshots.snapshot(engine, branch_id)
    kept(engine, first, found(first, "customers"))
    with store.transaction(engine) as session:
        session.execute(tables.customers.delete().where(tables.customers.c.group_id == STUDENTS))
        store.new_version(session, ME, branch_id, "test")
    second = snapshots.snapshot(engine, branch_id)
    now = kept(engine, second, found(second, "customers"))
    assert now.ids == (1,)
    assert now.vanished.to_dict("records") == [{"id": 2, "name": "测试小学·学生", "size": 20}]


def test_growth_is_told_from_a_run_a_month_old(engine: Engine, branch_id: int) -> None:
    for seed in (21, 22, 23):
        snapshot = snapshots.snapshot(engine, branch_id)
        kept(engine, snapshot, found(snapshot, "customers"))
        with store.transaction(engine) as session:
            bulk.insert(session, tables.customers, people(branch_id, seed, 5, WEST))
            store.new_version(session, ME, branch_id, "test")
    with store.transaction(engine) as session:
        numbers = session.scalars(select(tables.cluster_runs.c.id).order_by(tables.cluster_runs.c.id)).all()
        for number, days in zip(numbers, (90, 40, 2), strict=True):
            at = datetime.now(UTC) - timedelta(days=days)
            session.execute(
                update(tables.cluster_runs).where(tables.cluster_runs.c.id == number).values(at=at)
            )
    snapshot = snapshots.snapshot(engine, branch_id)
    now = kept(engine, snapshot, found(snapshot, "customers"))
    assert dict(zip(now.ids, now.then, strict=True))[2] == 25.0  # 20 at first, 5 more 40 days ago


def test_a_version_is_kept_once_and_what_no_longer_fits_is_kept_anew(
    engine: Engine, snapshot: Snapshot, customers: Found
) -> None:
    kept(engine, snapshot, customers)
    kept(engine, snapshot, customers)
    with store.transaction(engine) as session:
        assert len(session.execute(select(tables.cluster_runs.c.id)).all()) == 1
        session.execute(update(tables.clusters).where(tables.clusters.c.stable_id == 2).values(size=7))
        assert runs.growth(session, ME, snapshot, customers) is None
    assert kept(engine, snapshot, customers).ids == (1, 2)


def test_nothing_of_a_customer_is_kept(engine: Engine, snapshot: Snapshot, customers: Found) -> None:
    kept(engine, snapshot, customers)
    with store.reading(engine) as session:
        rows = session.execute(select(tables.clusters)).mappings().all()
    assert [set(row["profile"]) for row in rows] == [
        {"existing", "target", "merchants", "signed", "leading"}
    ] * 2
    assert set(json.loads(rows[0]["cells"])) == {"cell_m", "rows"}


def test_whoever_is_of_another_branch_sees_and_keeps_nothing(
    engine: Engine, snapshot: Snapshot, customers: Found
) -> None:
    other = Asker("乙", Role.HEAD, frozenset({snapshot.branch_id + 1}))
    with store.reading(engine) as session, pytest.raises(RightsError):
        runs.growth(session, other, snapshot, customers)
    with pytest.raises(RightsError), store.transaction(engine) as session:
        runs.keep(session, other, snapshot, customers)


def test_cells_come_back_from_their_text(customers: Found) -> None:
    own = customers.clusters.cells[0]
    text = runs.cells_text(own, 25.0)
    assert np.array_equal(np.sort(own), np.sort(runs.cells_of(text, 25.0)))
    assert not len(runs.cells_of(text, 50.0))


def test_the_command_line_lists_them(sqlite_engine: Engine) -> None:
    with store.transaction(sqlite_engine) as session:
        own = store.add_branch(session, ME, code="HW", name="河湾支行", lon=LON, lat=LAT)
        bulk.insert(session, tables.customers, people(own, 1, 40, EAST))
        store.new_version(session, ME, own, "test")
    told = CliRunner().invoke(app, ["cluster", "--branch", "HW", "--json"])
    answer = json.loads(told.stdout)
    assert told.exit_code == 0
    assert set(answer) == {"clusters", "noise"}
    (one,) = answer["clusters"]
    assert set(one) == {"id", "name", "size", "lon", "lat"}
    assert (one["id"], one["size"]) == (1, 40 - answer["noise"])
    plain = CliRunner().invoke(
        app, ["cluster", "--branch", "HW", "--layer", "merchants", "--scale", "corner"]
    )
    assert plain.exit_code == 0
    assert CliRunner().invoke(app, ["cluster", "--branch", "HW", "--scale", "village"]).exit_code == 2
