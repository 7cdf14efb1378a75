"""Blocks and barriers out of files: mended, told apart, refused with the reason, weighed by a column."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import update

from data import store, tables
from data.files.readers import open_table
from data.rights import Role
from data.zones import plans, teams
from data.zones.barriers import ReadBarriers, read_barriers
from data.zones.blocks import Polygons, apart, of_places, read_polygons, where_named
from data.zones.cli import _columns
from data.zones.designing import designed, frame_of
from data.zones.pairs import Pair, pairs_of
from geo import crs
from geo.barriers import opening_m
from geo.errors import DataError, DatumUnknown, FileError, NotFound, RightsError
from geo.plans import Barrier, Frame, Measure, Plan, Zone
from tests.test_data.conftest import CLI, Town
from tests.test_data.test_cli import answered

LON, LAT = 114.3, 30.5
METRIC = crs.local_metric(LON, LAT)
FRAME = Frame(LON, LAT, 2000.0, 9, (Measure("merchants", 1.0),))
QUICK = 0.1


def degrees(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape given in metres round the branch in WGS 84."""
    moved: shapely.Geometry = shapely.transform(
        shape, lambda at: np.column_stack(crs.from_metric(at[:, 0], at[:, 1], METRIC))
    )
    return moved


def box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    return degrees(shapely.box(west, south, east, north))


def geojson(*rows: tuple[shapely.Geometry | None, dict[str, Any]]) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": told,
            "geometry": None if shape is None else json.loads(shapely.to_geojson(shape)),
        }
        for shape, told in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def blocks(*rows: tuple[shapely.Geometry | None, dict[str, Any]], datum: str = "wgs84") -> Polygons:
    return read_polygons(open_table(geojson(*rows), name="街区.geojson"), FRAME, datum=datum)


def barriers(*rows: tuple[shapely.Geometry | None, dict[str, Any]]) -> ReadBarriers:
    return read_barriers(open_table(geojson(*rows), name="河流.geojson"), FRAME, datum="wgs84")


SQUARES = [
    (box(-1200, -400, -400, 400), {"name": "西块", "户数": 100, "商户": "1.2万"}),
    (box(-400, -400, 400, 400), {"name": "中块", "户数": 300, "商户": "2"}),
    (box(400, -400, 1200, 400), {"name": "东块", "户数": 200, "商户": ""}),
]


# Blocks of a file -------------------------------------------------------------------------------------------


def test_blocks_keep_their_names_and_their_columns_of_numbers() -> None:
    found = blocks(*SQUARES)
    assert found.names == ("西块", "中块", "东块") and found.datum == "wgs84"
    assert {header: amounts.tolist() for header, amounts in found.columns.items()} == {
        "户数": [100.0, 300.0, 200.0],
        "商户": [12_000.0, 2.0, 0.0],
    }
    assert found.rows.total == 3 and not found.rows.refused and not found.rows.warnings


def test_ground_of_two_blocks_stays_with_the_smaller_one_and_is_said() -> None:
    # The second covers 100 m of the first, the third is the second again.
    small, again = box(-300, -200, 100, 200), box(-300, -200, 100, 200)
    found = blocks(
        (box(0, -400, 800, 400), {"name": "大"}), (small, {"name": "小"}), (again, {"name": "又一个小"})
    )
    assert found.names == ("大", "小")
    assert found.rows.warnings == {"overlapping_block": 1}
    assert [(row, reason) for row, _column, reason, _ in found.rows.refused] == [(3, "covered")]
    areas = [ground_m2(shape) for shape in found.shapes]
    assert areas == pytest.approx([800 * 800 - 100 * 400, 400 * 400], rel=1e-3)
    assert shapely.intersection(*found.shapes).area < 1e-10  # a square metre


def ground_m2(shape: shapely.Geometry) -> float:
    moved = shapely.transform(shape, lambda at: np.column_stack(crs.to_metric(at[:, 0], at[:, 1], METRIC)))
    return float(moved.area)


def test_a_block_inside_another_is_a_hole_in_it() -> None:
    grounds = [shapely.box(0, 0, 100, 100), shapely.box(40, 40, 60, 60)]
    shapes, cut, kept = apart(grounds)
    assert [shape.area for shape in shapes] == pytest.approx([9600.0, 400.0])
    assert cut.tolist() == [True, False] and kept.all()
    assert apart([])[0] == []


def test_bad_outlines_are_mended_where_safe_and_refused_with_the_reason_where_not() -> None:
    bow = shapely.Polygon([(0, 0), (600, 600), (600, 0), (0, 600)])
    swapped = shapely.transform(box(900, 900, 1100, 1100), lambda at: at[:, ::-1])
    found = blocks(
        (degrees(bow), {"name": "交叉"}),
        (swapped, {"name": "反了"}),
        (shapely.box(116.0, 39.0, 116.1, 39.1), {"name": "北京"}),
        (shapely.LineString([(LON, LAT), (LON + 0.01, LAT)]), {"name": "线"}),
        (None, {"name": "空"}),
    )
    assert found.names == ("交叉", "反了") and found.rows.warnings == {"mended_outline": 2}
    why = {row: reason for row, _column, reason, _ in found.rows.refused}
    assert why == {3: "bad_outline", 4: "bad_outline", 5: "no_outline"}
    assert ground_m2(found.shapes[1]) == pytest.approx(40_000.0, rel=1e-3)


def test_a_file_of_blocks_is_refused_whole_where_it_says_nothing() -> None:
    with pytest.raises(DatumUnknown):
        blocks(*SQUARES, datum="auto")
    with pytest.raises(FileError, match="areas"):
        read_polygons(open_table("名称\n甲\n".encode(), name="a.csv"), FRAME, datum="wgs84")
    with pytest.raises(FileError, match="no datum"):
        blocks(*SQUARES, datum="mars")


def test_names_that_repeat_are_told_apart() -> None:
    found = blocks(*((shape, {"name": "同名", "x": at}) for at, (shape, _) in enumerate(SQUARES)))
    assert found.names == ("同名", "同名 2", "同名 3")


# What they weigh --------------------------------------------------------------------------------------------


def test_a_block_weighs_what_lies_inside_or_what_its_column_says(sqlite_town: Town) -> None:
    held, polygons = sqlite_town.snapshot(), blocks(*SQUARES)
    plan = Plan(frame_of(held, 2000.0, [Measure("merchants", 1.0)]))
    made = designed(held, CLI, plan, zones=3, polygons=polygons, effort=QUICK)
    # M1 to M3 lie in the middle block, M5 in the eastern one, M4 is closed.
    assert sorted(made.loads["merchants"]) == [0.0, 1.0, 3.0]
    by_column = designed(
        held,
        CLI,
        plan,
        zones=3,
        measures=[Measure("households", 1.0)],
        polygons=polygons,
        columns={"households": "户数"},
        effort=QUICK,
    )
    assert sorted(by_column.loads["households"]) == [100.0, 200.0, 300.0]
    assert sorted(by_column.frame()["weight"]) == [100.0, 200.0, 300.0]
    east = designed(
        held,
        CLI,
        plan,
        zones=1,
        measures=[Measure("households", 1.0)],
        polygons=blocks(*SQUARES[:2]),
        columns={"households": "户数"},
        effort=QUICK,
    )
    assert east.loads["households"].tolist() == [400.0]


def test_a_locked_zone_takes_its_share_of_a_column(sqlite_town: Town) -> None:
    held, polygons = sqlite_town.snapshot(), blocks(*SQUARES)
    half = Zone(9, "锁定", box(-1200, -400, -800, 400), locked=True)  # half of the western block
    plan = Plan(frame_of(held, 2000.0), (half,))
    made = designed(
        held,
        CLI,
        plan,
        zones=2,
        measures=[Measure("households", 1.0)],
        polygons=polygons,
        columns={"households": "户数"},
        effort=QUICK,
    )
    assert made.loads.loc[list(made.ids), "households"].sum() == pytest.approx(550.0, abs=0.5)


def test_a_column_that_cannot_weigh_is_refused(sqlite_town: Town) -> None:
    held, polygons = sqlite_town.snapshot(), blocks(*SQUARES)
    plan = Plan(frame_of(held, 2000.0, [Measure("merchants", 1.0)]))
    for columns, blocks_, said in (
        ({"merchants": "没有"}, polygons, "no column of numbers 没有"),
        ({"households": "户数"}, polygons, "do not balance"),
        ({"merchants": "户数"}, None, "Only blocks of a file"),
    ):
        with pytest.raises(DataError, match=said):
            designed(held, CLI, plan, zones=2, polygons=blocks_, columns=columns, effort=QUICK)
    below = blocks((SQUARES[0][0], {"name": "甲", "户数": -5}))
    with pytest.raises(DataError, match="below 0"):
        below.amounts({"merchants": "户数"})
    assert _columns(["merchants=户数"]) == {"merchants": "户数"}
    for text in ("merchants", "luck=户数", "merchants="):
        with pytest.raises(DataError, match="WEIGHT=HEADER"):
            _columns([text])


# The branch's own places ------------------------------------------------------------------------------------


def test_places_with_outlines_are_blocks_and_places_have_names(town: Town) -> None:
    with store.reading(town.engine) as session, pytest.raises(DataError, match="outline"):
        of_places(session, CLI, town.branch_id, FRAME)
    shape = shapely.to_wkb(box(500, -200, 900, 200))
    with store.transaction(town.engine) as session:
        chosen = tables.places.c.id == town.ids["幸福小区"]
        session.execute(update(tables.places).where(chosen).values(shape=shape))
    with store.reading(town.engine) as session:
        found = of_places(session, CLI, town.branch_id, FRAME)
        assert found.names == ("幸福小区",) and ground_m2(found.shapes[0]) == pytest.approx(160_000, rel=1e-3)
        assert where_named(session, CLI, town.branch_id, "李家村")[1] == pytest.approx(LAT, abs=1e-5)
        with pytest.raises(NotFound, match="新村"):
            where_named(session, CLI, town.branch_id, "新村")
        with pytest.raises(RightsError):
            of_places(session, town.asker(Role.AUDITOR), town.branch_id, FRAME)


# Barriers ---------------------------------------------------------------------------------------------------


def test_rows_of_one_name_are_one_barrier_open_at_its_bridges() -> None:
    north, south = shapely.LineString([(0, 0), (0, 1500)]), shapely.LineString([(0, 0), (0, -1500)])
    bridge = shapely.LineString([(-200, 700), (200, 700)])
    found = barriers(
        (degrees(north), {"name": "清水河"}),
        (degrees(south), {"name": "清水河"}),
        (degrees(bridge), {"name": "清水桥"}),
        (shapely.Point(LON, LAT), {"name": "点"}),
    )
    assert [barrier.name for barrier in found.barriers] == ["清水河"] and found.bridges == 1
    assert [(row, reason) for row, _c, reason, _ in found.rows.refused] == [(4, "bad_barrier")]
    left = shapely.transform(
        found.barriers[0].shape, lambda at: np.column_stack(crs.to_metric(at[:, 0], at[:, 1], METRIC))
    )
    assert left.length == pytest.approx(3000.0 - opening_m(FRAME), rel=0.01)


def test_what_runs_on_is_cut_off_and_what_lies_elsewhere_is_refused() -> None:
    railway = degrees(shapely.LineString([(-90_000, 500), (90_000, 500)]))
    far = degrees(shapely.LineString([(-90_000, 50_000), (90_000, 50_000)]))
    swapped = shapely.transform(degrees(shapely.LineString([(0, 0), (900, 0)])), lambda at: at[:, ::-1])
    found = barriers((railway, {"name": "铁路"}), (far, {"name": "远"}), (swapped, {"name": "反"}))
    assert [barrier.name for barrier in found.barriers] == ["铁路", "反"]
    assert [note.message for _row, note in found.rows.notes] == [
        "What runs on beyond {limit} km from the branch was cut off.",
        "Latitude stood before longitude; they were exchanged.",
    ]
    assert "farther than" in found.rows.refused[0][3]["why"].message
    west, _south, east, _north = found.barriers[0].shape.bounds
    assert east - west < 0.13  # twelve kilometres


def test_a_river_as_an_area_parts_its_banks_and_loses_nobody(sqlite_town: Town) -> None:
    # 90 m of water between the merchants at 300 m and at 1,000 m: cells' middles lie in it.
    held = sqlite_town.snapshot()
    river = Barrier("河", box(600, -9000, 690, 9000))
    frame = replace(frame_of(held, 2000.0, [Measure("merchants", 1.0)]), barriers=(river,))
    made = designed(held, CLI, Plan(frame), zones=2, effort=QUICK)
    assert made.left_out == 0 and made.design.contiguous
    assert sorted(made.loads["merchants"]) == [1.0, 3.0]
    for zone in made.plan.zones:
        x = shapely.get_coordinates(
            shapely.transform(zone.shape, lambda at: np.column_stack(crs.to_metric(*at.T, METRIC)))
        )[:, 0]
        assert x.max() < 900.0 or x.min() > 400.0


def test_a_file_without_lines_or_areas_is_no_barrier() -> None:
    with pytest.raises(FileError, match="lines and areas"):
        read_barriers(open_table("名称\n甲\n".encode(), name="a.csv"), FRAME, datum="wgs84")


# Pairs ------------------------------------------------------------------------------------------------------


def staff(*rows: tuple[int, str | None, float, int | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "post", "capacity_h", "team"], dtype=object)


def test_pairs_are_those_the_plan_names_or_colleagues_of_one_group() -> None:
    people = staff(
        (1, "indoor", 30, 5), (2, "outdoor", 60, 6), (3, "outdoor", 20, 5), (4, "indoor", 40, None)
    )
    empty = Plan(FRAME)
    assert pairs_of(empty, people) == [Pair((1, 3), 20.0), Pair((4, 2), 40.0)]
    named = Plan(
        FRAME,
        (
            Zone(1, "a", box(0, 0, 9, 9), pair=(2, 1)),
            Zone(2, "b", box(9, 0, 18, 9), pair=(2, 4)),
            Zone(3, "c", box(18, 0, 27, 9), pair=(3, 99)),
        ),
    )
    # 2 shares 60 hours between two pairs; 3 has nobody beside who is known.
    assert pairs_of(named, people) == [Pair((1, 2), 30.0), Pair((2, 4), 30.0)]
    with pytest.raises(DataError, match="People"):
        pairs_of(empty, staff((1, "indoor", 30, None), (2, None, 30, None)))


def test_the_command_line_reads_blocks_barriers_and_pairs(
    sqlite_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("ZHENDI_DATABASE_URL", str(sqlite_town.engine.url))
    (tmp_path / "b.geojson").write_bytes(geojson(*SQUARES))
    river = shapely.LineString([(400, -3000), (400, 3000)])
    (tmp_path / "r.geojson").write_bytes(geojson((degrees(river), {"name": "河"})))
    given = ("design", "--branch", "A", "--blocks", str(tmp_path / "b.geojson"))
    assert "candidates" in answered(*given, "--zones", "2", status=1)
    found = answered(
        *(*given, "--zones", "2", "--datum", "wgs84", "--barriers", str(tmp_path / "r.geojson")),
        *("--weight", "households", "--column", "households=户数", "--save", "街区方案"),
        *("--required", f"{LON - 0.008},{LAT}", "--out", str(tmp_path / "z.geojson")),
    )
    assert (found["blocks"], found["zones"], found["contiguous"]) == (3, 2, True)
    assert found["blocks_read"]["rows"] == 3 and found["barriers"]["count"] == 1
    features = json.loads((tmp_path / "z.geojson").read_text(encoding="utf-8"))["features"]
    # The river parts the eastern block, of 200 households, from the other two.
    assert sorted(each["properties"]["weight"] for each in features) == [200.0, 400.0]
    with store.reading(sqlite_town.engine) as session:
        saved = plans.plan(session, CLI, int(plans.plans(session, CLI, sqlite_town.branch_id)["id"].iloc[0]))
    assert [barrier.name for barrier in saved.plan.frame.barriers] == ["河"]
    cells = ("design", "--branch", "A", "--tolerance", "1")
    assert answered(*cells, "--capacity", "10", "--capacity", "30")["zones"] == 2
    assert "outdoor" in answered(*cells, "--pairs", status=1)["error"]
    assert "not both" in answered(*cells, "--pairs", "--capacity", "3", status=1)["error"]
    with store.transaction(sqlite_town.engine) as session:
        other = store.add_person(
            session, CLI, name="小周", role=Role.MEMBER, branch_ids=[sqlite_town.branch_id]
        )
        posts = {sqlite_town.member_id: ("indoor", None), other: ("outdoor", 1)}
        teams.set_posts(session, CLI, sqlite_town.branch_id, posts)  # type: ignore[arg-type]
    assert answered(*cells, "--pairs", "--candidate", "李家村")["zones"] == 1
    assert "新村" in answered(*cells, "--zones", "2", "--required", "新村", status=1)["error"]
