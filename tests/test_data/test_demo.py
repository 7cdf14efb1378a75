"""The demo town: the same each time, believable on the map, invented throughout, and gone when removed."""

from __future__ import annotations

import filecmp
import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy
from mapbox_vector_tile import decode
from pmtiles.reader import MmapSource, Reader
from pyproj import Transformer
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from data import catalogue, demo, snapshots, store, tables
from data.basemaps import BaseMap
from data.config import Settings
from data.files.readers import open_table
from data.meaning import kinds
from data.paper import streets
from data.rights import Asker, Role, command_line
from data.towns import invented, townsfolk
from data.towns.streetplan import barriers_file
from data.towns.town import CENTRE, Town, plan_town
from data.zones.barriers import read_barriers
from geo.crs import local_metric
from geo.errors import Conflict, NotFound, RightsError
from geo.plans import Frame
from geo.tiles import tile_at

CLI = command_line("tests")
LAYERS = (tables.merchants, tables.customers, tables.outlets, tables.places)


@pytest.fixture(scope="module")
def town() -> Town:
    return plan_town(demo.SEED)


@pytest.fixture(scope="module")
def shops(town: Town) -> townsfolk.Spots:
    return townsfolk.frontage(town, demo.SEED)


@pytest.fixture(scope="module")
def homes(town: Town) -> townsfolk.Spots:
    return townsfolk.homes(town, demo.SEED)


@pytest.fixture(scope="module")
def merchants(town: Town, shops: townsfolk.Spots) -> pd.DataFrame:
    return townsfolk.merchants(town, shops, demo.SEED, 0, 4000, 1)


@pytest.fixture(scope="module")
def customers(town: Town, shops: townsfolk.Spots, homes: townsfolk.Spots) -> pd.DataFrame:
    return townsfolk.customers(town, homes, shops, demo.SEED, 0, 4000, 1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    var = tmp_path_factory.mktemp("demo")
    return Settings.from_env({"ZHENDI_VAR": str(var), "ZHENDI_SECRET_KEY": "0123456789abcdef"})


@pytest.fixture(scope="module")
def branch_id(settings: Settings) -> int:
    """The demo, made once."""
    return demo.build_demo(settings, CLI)


@pytest.fixture
def planned(
    town: Town, shops: townsfolk.Spots, homes: townsfolk.Spots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spare a test the planning of one more town."""
    monkeypatch.setattr(demo, "plan_town", lambda *_given: town)
    monkeypatch.setattr(townsfolk, "frontage", lambda *_given: shops)
    monkeypatch.setattr(townsfolk, "homes", lambda *_given: homes)


def metres(frame: pd.DataFrame) -> np.ndarray:
    """Return where rows are, as points in metres round the town's centre."""
    there = Transformer.from_crs("EPSG:4326", local_metric(*CENTRE), always_xy=True)
    return shapely.points(*there.transform(frame["lon"].to_numpy(), frame["lat"].to_numpy()))


def counted(settings: Settings, table: sqlalchemy.Table) -> int:
    with store.reading(store.engine(settings)) as session:
        return int(session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)) or 0)


def test_the_samples_are_what_the_town_gives(town: Town, tmp_path: Path) -> None:
    made = demo.write_lists(town, demo.SEED, demo.MERCHANTS, demo.CUSTOMERS, tmp_path)
    kept = demo.samples()
    assert {kind: path.name for kind, path in kept.items()} == {
        kind: path.name for kind, path in made.items()
    }
    for kind in ("merchants", "outlets", "places"):
        assert filecmp.cmp(made[kind], kept[kind], shallow=False), f"write the samples anew: {kind} differ"
    cells = [
        CalamineWorkbook.from_path(p["customers"]).get_sheet_by_index(0).to_python() for p in (made, kept)
    ]
    assert cells[0] == cells[1]
    assert len(cells[0]) == demo.CUSTOMERS + 1


def test_a_seed_gives_one_town_and_another_seed_another(town: Town) -> None:
    again, other = plan_town(demo.SEED), plan_town(demo.SEED + 1)
    assert again == town
    assert [road.line for road in other.roads] != [road.line for road in town.roads]


def test_chunks_do_not_change_who_is_in_the_first(
    town: Town, shops: townsfolk.Spots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(townsfolk, "CHUNK", 300)
    chunks = list(demo._in_chunks(700, lambda *at: townsfolk.merchants(town, shops, demo.SEED, *at)))
    assert [len(chunk) for chunk in chunks] == [300, 300, 100]
    numbers = pd.concat(chunks)["商户编号"]
    assert numbers.is_unique
    assert numbers.iloc[[0, -1]].tolist() == ["SH0000001", "SH0000700"]


def test_merchants_stand_at_the_roadside_and_never_in_the_river_or_on_a_road(
    town: Town, merchants: pd.DataFrame
) -> None:
    at = metres(merchants)
    lines = shapely.STRtree([road.line for road in town.roads])
    _, away = lines.query_nearest(at, return_distance=True, all_matches=False)
    assert away.max() < 30
    assert not shapely.intersects(town.river, at).any()
    widths = {"main": 26.0, "street": 14.0, "lane": 7.0, "bridge": 26.0}
    paved = shapely.union_all([road.line.buffer(widths[road.kind] / 2 - 3) for road in town.roads])
    shapely.prepare(paved)
    assert not shapely.intersects(paved, at).any()


def test_the_market_is_where_the_shops_are(town: Town, merchants: pd.DataFrame) -> None:
    away = shapely.distance(metres(merchants), shapely.Point(town.market))
    inner, outer = (away < 400).sum() / 400**2, ((away > 1500) & (away < 1900)).sum() / (1900**2 - 1500**2)
    assert inner > 4 * outer


def test_customers_are_at_home_on_dry_ground_and_a_few_far_away(town: Town, customers: pd.DataFrame) -> None:
    at = metres(customers)
    assert not shapely.intersects(town.river, at).any()
    away = shapely.distance(at, shapely.Point(town.branch))
    assert (away > 10_000).sum() == 3
    assert np.sort(away)[-4] < 10_000
    homes = shapely.union_all([area.shape.buffer(30) for area in town.areas])
    shapely.prepare(homes)
    assert shapely.intersects(homes, at)[:-3].mean() > 0.97


def test_every_category_word_of_the_list_is_one_of_ours() -> None:
    trades = townsfolk.trades()
    assert set(trades["category"]) <= set(catalogue.CATEGORIES["code"])
    assert [kinds.category_code(word) for word in townsfolk._categories(trades)] == trades[
        "category"
    ].tolist()
    assert set(townsfolk.clientele()["group"]) == set(catalogue.GROUPS["zh"])


def test_nobody_in_it_is_real(merchants: pd.DataFrame, customers: pd.DataFrame) -> None:
    assert customers["客户姓名"].str.fullmatch(r"演示(客户|目标|群体)\d{6}").all()
    phones = pd.concat([merchants["联系电话"], customers["手机号"]])
    assert phones[phones != ""].str.fullmatch(r"000-\d{8}").all()
    staff = pd.concat([merchants["客户经理"], customers["客户经理"]])
    assert staff[staff != ""].str.startswith("演示").all()


def test_only_customers_have_accounts_and_only_targets_are_groups(customers: pd.DataFrame) -> None:
    existing = customers["客户性质"] == "存量客户"
    assert 0.5 < existing.mean() < 0.65
    assert customers.loc[existing, "存款余额(元)"].notna().all()
    assert customers.loc[~existing, "存款余额(元)"].isna().all()
    assert (customers.loc[existing, "人数"] == 1).all()
    assert (customers["人数"] > 1).sum() > 100
    assert customers.groupby("客群").size().min() > 10


def test_everything_is_accepted(settings: Settings, branch_id: int) -> None:
    places = len(json.loads(demo.samples()["places"].read_text(encoding="utf-8"))["features"])
    outlets = len(demo.samples()["outlets"].read_text(encoding="utf-8").splitlines()) - 1
    assert [counted(settings, table) for table in LAYERS] == [demo.MERCHANTS, demo.CUSTOMERS, outlets, places]
    with store.reading(store.engine(settings)) as session:
        batches = store.batches(session, CLI, branch_id)
        latest = store.latest_source(session, CLI, branch_id)
    assert latest is not None and latest["kind"] == "customers", "visits are no data of the ground"
    assert dict(zip(batches["kind"], batches["datum"], strict=True)) == {
        "merchants": "gcj02",
        "customers": "wgs84",
        "outlets": "bd09",
        "places": "wgs84",
        "visits": "",
    }
    merchants = batches.set_index("kind").loc["merchants"]
    assert merchants["encoding"].lower() == "gb18030"
    assert all(counts["rejected"] == counts["duplicates"] == 0 for counts in batches["counts"])


def test_merchants_come_back_to_where_they_were_made(
    settings: Settings, branch_id: int, town: Town, shops: townsfolk.Spots
) -> None:
    made = townsfolk.merchants(town, shops, demo.SEED, 0, demo.MERCHANTS, 1).set_index("商户编号")
    columns = [tables.merchants.c[name] for name in ("source_id", "lon", "lat")]
    with store.reading(store.engine(settings)) as session:
        stored = pd.DataFrame(
            session.execute(sqlalchemy.select(*columns)).all(), columns=["id", "lon", "lat"]
        )
    stored = stored.set_index("id").loc[made.index]
    assert np.abs(stored[["lon", "lat"]] - made[["lon", "lat"]]).to_numpy().max() < 2e-6


def test_the_branch_has_people_of_every_role_and_one_outlet_of_ours(
    settings: Settings, branch_id: int
) -> None:
    with store.reading(store.engine(settings)) as session:
        people = store.people(session, CLI, branch_id)
        branch = store.branch(session, CLI, demo.CODE)
        own = session.scalar(
            sqlalchemy.select(sqlalchemy.func.count())
            .select_from(tables.outlets)
            .where(tables.outlets.c.is_own)
        )
        managed = session.scalar(
            sqlalchemy.select(sqlalchemy.func.count(tables.customers.c.manager_id.distinct()))
        )
    assert branch["is_demo"]
    assert set(people["role"]) == {role.value for role in Role}
    assert (people["role"] == "member").sum() == 12
    assert (managed, own >= 1) == (4, True)


def test_the_branch_works_by_a_plan_of_zones_with_pairs_and_has_a_draft(
    settings: Settings, branch_id: int
) -> None:
    with store.reading(store.engine(settings)) as session:
        listed = store.plans(session, CLI, branch_id)
        held = store.published(session, CLI, branch_id)
        history = store.history(session, CLI, int(listed.loc[listed["status"] == "draft", "id"].iloc[0]))
        posts = dict(session.execute(sqlalchemy.select(tables.people.c.id, tables.people.c.post)).all())
        lines = store.assignments(session, CLI, branch_id)
        visits = session.execute(sqlalchemy.select(tables.visits.c.day, tables.visits.c.next_day)).all()
        groups = session.execute(sqlalchemy.select(tables.teams.c.parent_id)).scalars().all()
    assert held is not None
    assert listed["status"].tolist() == ["published", "draft"]
    zones = held.plan.zones
    assert 8 <= len(zones) <= 12
    assert {zone.kind for zone in zones} == {"street", "community", "park", "institution"}
    assert len({zone.name for zone in zones}) == len(zones)
    pairs = [[posts[person] for person in zone.pair] for zone in zones]
    assert pairs == [["indoor", "outdoor"]] * (len(zones) - 1) + [[]]
    assert len(lines) == 2 * (len(zones) - 1)
    shapes = [zone.shape for zone in zones]
    assert all(shape.geom_type == "Polygon" and shape.is_valid for shape in shapes)
    together = shapely.area(shapely.union_all(shapes))
    assert together == pytest.approx(sum(shape.area for shape in shapes), rel=1e-9), "no two overlap"
    assert history["what"].tolist() == ["edited", "split"]
    assert len(visits) > 300 and all(day < (later or date.max) for day, later in visits)
    assert groups.count(None) == 1 and len(groups) == 5, "four groups of three in a large one"


def test_the_branch_has_links_and_alliances_at_different_stages(settings: Settings, branch_id: int) -> None:
    linked, allied, members = tables.links.c, tables.alliances.c, tables.alliance_members.c
    with store.reading(store.engine(settings)) as session:
        states = list(session.scalars(select(linked.state).where(linked.branch_id == branch_id)))
        rows = session.execute(select(allied.id, allied.name, allied.status, allied.stage)).all()
        sizes = Counter(session.scalars(select(members.alliance_id).where(members.left.is_(None))))
        people = select(tables.people.c.name).join(tables.links, linked.owner_id == tables.people.c.id)
        owners = set(session.scalars(people))
        merchants = snapshots.load(session, branch_id).merchants
    assert Counter(states) == {"accepted": 7, "refused": 2, "ended": 1}
    assert owners and owners <= set(invented.POSTS["outdoor"])
    assert [(row.status, row.stage) for row in sorted(rows, key=lambda row: row.id)] == [
        ("active", "ecosystem"),
        ("active", "platform"),
        ("forming", "relation"),
    ]
    assert len({row.name for row in rows}) == 3 and all(3 <= size <= 12 for size in sizes.values())
    assert merchants.allied.sum() == sizes[rows[0].id] + sizes[rows[1].id]
    assert counted(settings, tables.referrals) == 4


def test_the_river_is_a_barrier_open_at_its_bridges(settings: Settings, branch_id: int, town: Town) -> None:
    with store.reading(store.engine(settings)) as session:
        branch = store.branch(session, CLI, branch_id)
    frame = Frame(branch["lon"], branch["lat"], 3000.0, 9)
    found = read_barriers(open_table(barriers_file(settings)), frame, datum="wgs84")
    (river,) = found.barriers
    bridges = [road.line for road in town.roads if road.kind == "bridge"]
    assert river.name == invented.RIVER and found.bridges == len(bridges) > 0
    assert not any(town.geographic(line).intersects(river.shape) for line in bridges)
    assert river.shape.intersects(town.geographic(town.river))


def test_the_street_plan_is_a_small_archive_that_lies_over_the_town(
    settings: Settings, branch_id: int
) -> None:
    path = settings.var / "basemaps" / "demo.pmtiles"
    assert path.stat().st_size < 2_000_000
    with store.reading(store.engine(settings)) as session:
        branch = store.branch(session, CLI, branch_id)
    with path.open("rb") as source:
        reader = Reader(MmapSource(source))
        header = reader.header()
        assert (header["min_zoom"], header["max_zoom"]) == (10, 16)
        tile = decode(gzip.decompress(reader.get(14, *tile_at(branch["lon"], branch["lat"], 14))))
    assert {"blocks", "roads", "labels"} <= set(tile)
    near = (branch["lon"] - 0.01, branch["lat"] - 0.01, branch["lon"] + 0.01, branch["lat"] + 0.01)
    on_paper = streets.of(BaseMap("demo", "", "", "pmtiles", "wgs84", True, path=path), near, 400)
    assert on_paper is not None and len(on_paper.major) and len(on_paper.minor)
    assert streets.Reader(None, near)(near, 400) is None
    assert {feature["properties"]["kind"] for feature in tile["roads"]["features"]} >= {
        "main",
        "street",
        "lane",
    }


def test_a_second_demo_is_refused(settings: Settings, branch_id: int) -> None:
    with pytest.raises(Conflict):
        demo.build_demo(settings, CLI)


def test_only_who_may_open_branches_makes_or_removes_one(settings: Settings, branch_id: int) -> None:
    member = Asker(name="m", role=Role.MEMBER, branch_ids=frozenset({branch_id}))
    with pytest.raises(RightsError):
        demo.build_demo(settings, member)
    with pytest.raises(RightsError):
        demo.remove_demo(settings, member)
    assert counted(settings, tables.branches) == 1


@pytest.mark.usefixtures("planned")
def test_progress_goes_one_way_and_removal_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(_town: Town, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"a plan")

    monkeypatch.setattr(demo, "write_street_plan", drawn)
    settings = Settings.from_env({"ZHENDI_VAR": str(tmp_path), "ZHENDI_SECRET_KEY": "0123456789abcdef"})
    with pytest.raises(NotFound):
        store.migrate(store.engine(settings))
        demo.remove_demo(settings, CLI)
    shares: list[float] = []
    demo.build_demo(
        settings, merchants=40, customers=60, seed=5, progress=lambda share, _what: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert counted(settings, tables.people) == 17
    assert counted(settings, tables.plans) == 2
    demo.remove_demo(settings, CLI)
    left = (
        *LAYERS,
        tables.branches,
        tables.people,
        tables.person_branches,
        tables.batches,
        tables.data_versions,
        tables.plans,
        tables.assignments,
        tables.visits,
        tables.teams,
        tables.links,
        tables.alliances,
        tables.alliance_members,
        tables.referrals,
    )
    assert [counted(settings, table) for table in left] == [0] * len(left)
    assert not (tmp_path / "basemaps" / "demo.pmtiles").exists()


@pytest.mark.usefixtures("planned")
def test_a_demo_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_env({"ZHENDI_VAR": str(tmp_path), "ZHENDI_SECRET_KEY": "0123456789abcdef"})

    def broken(*_given: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(demo, "write_street_plan", broken)
    with pytest.raises(OSError, match="disk full"):
        demo.build_demo(settings, merchants=40, customers=60, seed=5)
    assert counted(settings, tables.branches) == counted(settings, tables.people) == 0
