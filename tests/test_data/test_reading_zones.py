"""
Zones out of files: boundaries in every format and datum, lists of merchants and of blocks, what is refused.

The ground: two squares a kilometre wide side by side, west and east of the branch's own meridian.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, Point, Polygon, box
from typer.testing import CliRunner

from data import people, store
from data.__main__ import app
from data.files.readers import open_table
from data.lists.known import names_once
from data.rights import Role
from data.words import say
from data.zones.listed import kind_of
from data.zones.reading import Read, read_zones
from data.zones.zone_lists import ZoneReport, import_zones
from geo.datum import convert
from geo.errors import DatumUnknown, FileError, ManyRejected, RightsError
from geo.lattice import cells_in, lattice
from geo.planes import Plane
from geo.plans import Frame
from tests.test_data.conftest import CLI, LAT, LON, Town

PLANE = Plane(LON, LAT)
FRAME = Frame(LON, LAT, 3_000.0, 9)
WEST, EAST = (PLANE.degrees(box(x, 0, x + 1000, 1000)) for x in (-1000, 0))
PEOPLE = {"张三甲": 7, "李四乙": 8, "王五丙": 9}


def squares(**columns: Any) -> geopandas.GeoDataFrame:
    told = columns or {
        "片区": ["西片", "东片"],
        "类型": ["社区", "商圈"],
        "负责人": ["张三甲、李四乙", "王五丙"],
    }
    return geopandas.GeoDataFrame(told, geometry=[WEST, EAST], crs=4326)


def geojson(features: list[tuple[dict[str, Any], Any]]) -> bytes:
    """Return a file of properties and geometries, whatever these are."""
    told = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": shape
            if isinstance(shape, dict) or shape is None
            else json.loads(shapely.to_geojson(shape)),
        }
        for properties, shape in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": told}).encode()


def read(source: Any, name: str = "zones.geojson", **given: Any) -> Read:
    given = {"datum": "wgs84", "people": PEOPLE} | given
    return read_zones(open_table(source, name=name), FRAME, **given)


def metres(read_: Read) -> list[Any]:
    return [PLANE.metres(zone.shape) for zone in read_.zones]


def check_two(found: Read, *, rel: float = 1e-5) -> None:
    """Both squares are there, with their kinds and people."""
    assert [(zone.id, zone.name) for zone in found.zones] == [(1, "西片"), (2, "东片")]
    assert [zone.kind for zone in found.zones] == ["community", "street"]
    assert [zone.pair for zone in found.zones] == [(7, 8), (9,)]
    assert [ground.area for ground in metres(found)] == pytest.approx([1e6, 1e6], rel=rel)
    assert metres(found)[0].intersection(metres(found)[1]).area <= 1.0
    assert (found.rows.total, found.rows.refused) == (2, [])


# --- boundaries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["geojson", "gpkg", "shp", "kml"])
def test_boundaries_come_in_from_every_format(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"zones.{form}"
    frame = squares()
    if form == "shp":
        frame.to_file(path, encoding="utf-8")
        with zipfile.ZipFile(tmp_path / "zones.zip", "w") as archive:
            for part in tmp_path.glob("zones.*"):
                if part.suffix != ".zip":
                    archive.write(part, part.name)
        path = tmp_path / "zones.zip"
    elif form == "kml":
        path.write_text(kml(frame), encoding="utf-8")
    else:
        frame.to_file(path)
    check_two(read(path, path.name))


def kml(frame: geopandas.GeoDataFrame) -> str:
    marks = ""
    for row in frame.itertuples():
        corners = " ".join(f"{x!r},{y!r},0" for x, y in shapely.get_coordinates(row.geometry).tolist())
        data = "".join(
            f'<Data name="{name}"><value>{getattr(row, name)}</value></Data>'
            for name in ("片区", "类型", "负责人")
        )
        marks += (
            f"<Placemark><ExtendedData>{data}</ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>"
            f"{corners}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_boundaries_of_a_shifted_datum_are_brought_home(datum: str) -> None:
    frame = squares()
    frame.geometry = shapely.transform(
        frame.geometry.to_numpy(), lambda xy: np.column_stack(convert(xy[:, 0], xy[:, 1], "wgs84", datum))
    )
    source = frame.to_json(drop_id=True).encode()
    check_two(read(source, datum=datum))
    assert [ground.bounds for ground in metres(read(source, datum=datum))] == [
        pytest.approx((west, 0, west + 1000, 1000), abs=0.01) for west in (-1000, 0)
    ]
    with pytest.raises(DatumUnknown) as asked:
        read(source, datum="auto")
    assert set(asked.value.candidates) == {"wgs84", "gcj02", "bd09"}
    check_two(read(source, "高德片区.geojson" if datum == "gcj02" else "百度片区.geojson", datum="auto"))


def test_a_system_in_metres_is_proof_of_its_own(tmp_path: Path) -> None:
    squares().to_crs(4547).to_file(tmp_path / "zones.gpkg")
    found = read(tmp_path / "zones.gpkg", "zones.gpkg", datum="auto")
    check_two(found)
    assert found.proof == ("wgs84", "crs")


def test_english_headers_and_words_do_as_well() -> None:
    frame = squares(
        zone=["W", "E"], kind=["park", "Company"], manager=["nobody here", "王五丙 / 张三甲 / 李四乙"]
    )
    found = read(frame.to_json(drop_id=True).encode())
    assert [(zone.name, zone.kind, zone.pair) for zone in found.zones] == [
        ("W", "park", ()),
        ("E", "institution", (9, 7)),
    ]
    assert found.rows.warnings == {"unknown_person": 1, "many_people": 1}


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("street", "street"),
        ("商圈", "street"),
        ("李家村", "community"),
        ("产业园区", "park"),
        ("机关单位", "institution"),
        ("?", None),
    ],
)
def test_words_of_a_kind_are_understood(word: str, kind: str | None) -> None:
    assert kind_of(word) == kind


def test_rows_of_one_name_are_one_zone_and_without_any_name_they_are_numbered() -> None:
    both = read(squares(片区=["城区", "城区"]).to_json(drop_id=True).encode())
    assert [zone.name for zone in both.zones] == ["城区"] and metres(both)[0].area == pytest.approx(
        2e6, rel=1e-5
    )
    bare = read(squares(面积=[1, 1]).to_json(drop_id=True).encode())
    assert [zone.name for zone in bare.zones] == ["片区1", "片区2"] and bare.rows.warnings == {
        "unnamed_zone": 2
    }


def test_a_column_that_tells_them_apart_in_words_names_them() -> None:
    frame = squares(
        code=["A1", "A2"], DC_ENG=["Western", "Eastern"], DC_CHIN=["中西區", "東區"], same=["甲乙"] * 2
    )
    assert [zone.name for zone in read(frame.to_json(drop_id=True).encode()).zones] == ["中西區", "東區"]


def test_slivers_between_neighbours_are_closed_and_real_overlaps_left_to_the_rules() -> None:
    frame = squares()
    frame.geometry = [PLANE.degrees(box(-1000, 0, 4, 1000)), PLANE.degrees(box(0, 0, 1000, 1000))]
    check_two(read(frame.to_json(drop_id=True).encode()), rel=0.005)
    frame.geometry = [PLANE.degrees(box(-1000, 0, 300, 1000)), PLANE.degrees(box(0, 0, 1000, 1000))]
    found = metres(read(frame.to_json(drop_id=True).encode()))
    assert found[0].intersection(found[1]).area == pytest.approx(300_000, rel=1e-4)


def test_bad_outlines_are_mended_or_refused_with_row_and_reason() -> None:
    bow = shapely.transform(
        Polygon([(0, 0), (900, 900), (900, 0), (0, 900)]), lambda xy: PLANE._to_degrees(xy)
    )
    corners = shapely.get_coordinates(EAST).tolist()
    unclosed = {"type": "Polygon", "coordinates": [corners[:-1]]}
    source = geojson(
        [
            ({"片区": "西片"}, WEST),
            ({"片区": "蝴蝶"}, bow),
            ({"片区": "没画完"}, unclosed),
            ({"片区": "一条街"}, LineString([(LON, LAT), (LON + 0.01, LAT)])),
            ({"片区": "一点"}, Point(LON, LAT)),
            ({"片区": "远处"}, box(116.3, 39.9, 116.4, 40.0)),
            ({"片区": "没有"}, None),
        ]
    )
    found = read(source)
    assert [zone.name for zone in found.zones] == ["西片", "蝴蝶", "没画完"]
    assert [(row, reason) for row, _, reason, _ in found.rows.refused] == [
        (4, "bad_outline"),
        (5, "bad_outline"),
        (6, "bad_outline"),
        (7, "no_outline"),
    ]
    assert found.rows.warnings == {"mended_outline": 1}
    assert (
        str(found.rows.notes[0][1]).startswith("The outline crossed itself") and found.rows.notes[0][0] == 2
    )
    whys = [say(params["why"], "zh") for _, _, _, params in found.rows.refused[:3]]
    assert whys[0] == "这是一条线或一个点，不是一块区域。" and "公里" in whys[2]
    assert found.rows.reasons() == {"bad_outline": 3, "no_outline": 1}


def test_latitude_before_longitude_is_seen_before_the_datum_is_undone() -> None:
    def swapped(xy: Any) -> Any:
        return np.column_stack(convert(xy[:, 0], xy[:, 1], "wgs84", "gcj02"))[:, ::-1]

    found = read(geojson([({"片区": "西片"}, shapely.transform(WEST, swapped))]), datum="gcj02")
    assert metres(found)[0].bounds == pytest.approx((-1000, 0, 0, 1000), abs=0.01)


def test_files_that_hold_no_zones_are_refused() -> None:
    with pytest.raises(FileError, match="column that names the zone"):
        read("商户,经度,纬度\n甲,114.3,30.5\n".encode(), "list.csv")
    with pytest.raises(FileError, match="no datum nad27"):
        read(geojson([({}, WEST)]), datum="nad27")
    with pytest.raises(FileError, match="mapping names what is not there"):
        read(geojson([({"a": 1}, WEST)]), mapping={"zone": "b"})


# --- lists ------------------------------------------------------------------------------------------------


def csv(rows: list[tuple[Any, ...]], header: str) -> bytes:
    return (header + "\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n").encode()


def degrees(x: float, y: float) -> tuple[float, float]:
    lon, lat = PLANE._to_degrees(np.array([[x, y]]))[0]
    return float(lon), float(lat)


def test_of_a_merchant_list_each_block_goes_to_the_zone_its_merchants_are_in() -> None:
    """Shops of two zones west and east; every block of the circle is in the zone of the nearest shop."""
    rows = [
        (f"店{x}", "西片" if x < 0 else "东片", "张三甲" if x < 0 else "", *degrees(x, 100))
        for x in range(-2500, 2501, 500)
        if x
    ]
    found = read(csv(rows, "商户名称,所属片区,客户经理,经度,纬度"), "list.csv")
    assert found.kind == "points" and [(zone.name, zone.pair) for zone in found.zones] == [
        ("西片", (7,)),
        ("东片", ()),
    ]
    west, east = (cells_in(FRAME, ground) for ground in metres(found))
    assert len(west) + len(east) == len(lattice(FRAME).blocks) and not set(west) & set(east)
    assert metres(found)[0].contains(shapely.Point(-1500, -1500)) and metres(found)[1].contains(
        shapely.Point(1500, 1500)
    )


def test_in_a_block_most_merchants_decide() -> None:
    rows = [
        ("A", "多", *degrees(0, 0)),
        ("B", "多", *degrees(1, 1)),
        ("C", "少", *degrees(0, 1)),
        ("D", "少", *degrees(2000, 0)),
    ]
    found = {
        zone.name: PLANE.metres(zone.shape) for zone in read(csv(rows, "名称,片区,经度,纬度"), "l.csv").zones
    }
    assert found["多"].contains(shapely.Point(0, 1)) and found["少"].contains(shapely.Point(2000, 0))


def test_rows_that_say_nothing_useful_are_rejected_with_the_reason() -> None:
    rows = [
        ("A", "西片", *degrees(0, 0)),
        ("B", "", *degrees(0, 0)),
        ("C", "西片", "", ""),
        ("D", "西片", "abc", 30.5),
        ("E", "西片", *degrees(5000, 0)),
    ]
    found = read(csv(rows, "名称,片区,经度,纬度"), "list.csv")
    assert [(row, reason) for row, _, reason, _ in sorted(found.rows.refused, key=lambda each: each[0])] == [
        (3, "no_zone"),
        (4, "no_coordinates"),
        (5, "not_a_number"),
        (6, "out_of_circle"),
    ]
    assert found.rows.total == 5


def test_a_list_without_coordinates_is_placed_by_the_names_the_branch_knows(town: Town) -> None:
    rows = [("老王酒楼", "西片"), ("人民路超市", "西片"), ("沙县小吃", "东片"), ("没有的店", "东片")]
    with store.reading(town.engine) as session:
        places = names_once(session, town.branch_id)
    found = read(csv(rows, "商户名称,片区"), "list.csv", places=places)
    assert [zone.name for zone in found.zones] == ["西片", "东片"]
    assert found.rows.reasons() == {"unknown_place": 1}
    with pytest.raises(FileError, match="neither coordinates nor names"):
        read(csv(rows, "商户名称,片区"), "list.csv")


def test_a_list_of_blocks_is_taken_as_it_stands() -> None:
    disk = sorted(h3.grid_disk(h3.latlng_to_cell(LAT, LON, 9), 1))
    rows = [(cell, "甲" if at < 4 else "乙", "王五丙") for at, cell in enumerate(disk)]
    rows += [
        (disk[0], "乙", ""),
        ("8928308280fffff0", "乙", ""),
        (h3.cell_to_parent(disk[0]), "乙", ""),
        (disk[1], "", ""),
    ]
    found = read(csv(rows, "单元,片区,负责人"), "list.csv")
    assert found.kind == "blocks"
    assert [sorted(cells_in(FRAME, ground)) for ground in metres(found)] == [disk[:4], disk[4:]]
    assert found.rows.reasons() == {"no_block": 2, "no_zone": 1}


# --- into the store ---------------------------------------------------------------------------------------


def brought(town: Town, source: Any, asker: Any = None, **given: Any) -> ZoneReport:
    with store.transaction(town.engine) as session:
        given = {"branch_id": town.branch_id, "datum": "wgs84", "name": "第一版.geojson"} | given
        return import_zones(session, asker or town.asker(Role.LEAD), source, **given)


def plans_of(town: Town) -> list[str]:
    with store.reading(town.engine) as session:
        return store.plans(session, CLI, town.branch_id)["name"].tolist()


def test_zones_come_into_a_new_draft_with_people_of_the_branch(town: Town) -> None:
    with store.transaction(town.engine) as session:
        for name in ("张三甲", "李四乙", "李四乙"):
            people.add_person(session, CLI, name=name, branch_ids=[town.branch_id])
        people.add_person(session, CLI, name="王五丙", branch_ids=[town.other_id])
    done = brought(town, squares().to_json(drop_id=True).encode())
    with store.reading(town.engine) as session:
        known = store.managers(session, CLI, town.branch_id).set_index("name")["id"]
        assert done.plan is not None
        held = store.plan(session, CLI, done.plan)
    assert (held.name, held.status, held.plan.ids) == ("第一版", "draft", (1, 2))
    assert [zone.pair for zone in held.plan.zones] == [(int(known["张三甲"]),), ()]  # two 李四乙, no 王五丙
    assert (done.zones, done.people, done.rows, done.accepted, done.rejected) == (2, 1, 2, 2, 0)
    assert done.warnings == {"unknown_person": 2}


def test_a_dry_run_and_a_refused_file_leave_nothing(town: Town) -> None:
    assert brought(town, squares().to_json(drop_id=True).encode(), dry_run=True).plan is None
    far = geojson([({"片区": "远"}, box(116.3, 39.9, 116.4, 40.0))])
    with pytest.raises(FileError, match="None of the 1 rows can be taken. Row 1: The outline"):
        brought(town, far)
    most = geojson([({"片区": "远"}, box(116.3, 39.9, 116.4, 40.0))] * 2 + [({"片区": "近"}, WEST)])
    with pytest.raises(ManyRejected, match="2 of 3 rows"):
        brought(town, most)
    assert plans_of(town) == []
    assert brought(town, most, agreed=True, name="a\x00../../<b>.geojson").zones == 1
    assert plans_of(town) == ["<b>"]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ANALYST, Role.AUDITOR])
def test_only_who_may_edit_plans_may_bring_zones_in(town: Town, role: Role) -> None:
    with pytest.raises(RightsError):
        brought(town, squares().to_json(drop_id=True).encode(), town.asker(role))
    with pytest.raises(RightsError):
        brought(town, squares().to_json(drop_id=True).encode(), branch_id=town.other_id)


# --- the command line -------------------------------------------------------------------------------------


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_line_answers_like_other_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    run("init")
    run("branch", "add", "--code", "A", "--name", "人民路支行", "--lon", LON, "--lat", LAT)
    path = tmp_path / "zones.geojson"
    path.write_bytes(geojson([({"片区": "西片"}, WEST), ({"片区": "东片"}, EAST), ({"片区": "无"}, None)]))
    asked = run("import", "zones", path, "--branch", "A", "--json")
    assert asked.exit_code == 1 and set(json.loads(asked.stdout)["candidates"]) == {"wgs84", "gcj02", "bd09"}
    words = ["import", "zones", path, "--branch", "A", "--datum", "wgs84"]
    done = run(*words, "--json", "--report", tmp_path / "r.csv")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {
        name: told[name] for name in ("rows", "accepted", "updated", "duplicates", "rejected", "zones")
    } == {
        "rows": 3,
        "accepted": 2,
        "updated": 0,
        "duplicates": 0,
        "rejected": 1,
        "zones": 2,
    }
    assert told["reasons"] == {"no_outline": 1} and told["plan"] and told["batch"] is None
    assert "no outline" in pd.read_csv(io.BytesIO((tmp_path / "r.csv").read_bytes())).to_string()
    said = run(*words).stdout
    assert "3 rows: 2 accepted" in said and "Draft “zones” with 2 zones" in said


# --- real boundaries --------------------------------------------------------------------------------------


def test_real_districts_come_in_whole(shared_data: Path, tmp_path: Path) -> None:
    """Seven districts of Wuhan as GeoJSON; 390 of Hong Kong as a Shapefile in metres without a .prj."""
    frame = Frame(114.30, 30.55, 5_000.0, 9)
    path = shared_data / "wuhan_poi_geojson" / "Whan7scoreproject.json"
    wuhan = read_zones(open_table(path), frame, datum="wgs84")
    assert len(wuhan.zones) == 7 and not wuhan.rows.refused
    grounds = [Plane(114.30, 30.55).metres(zone.shape) for zone in wuhan.zones]
    assert all(ground.is_valid for ground in grounds)
    shared = sum(one.intersection(other).area for at, one in enumerate(grounds) for other in grounds[:at])
    assert shared < 0.001 * sum(ground.area for ground in grounds)
    archive = tmp_path / "dcca.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for part in ("dcca.shp", "dcca.dbf"):
            packed.write(shared_data / "hk_districts" / part, part)
    hong_kong = read_zones(open_table(archive), Frame(114.17, 22.32, 5_000.0, 9))
    assert (len(hong_kong.zones), hong_kong.proof.datum, hong_kong.rows.refused) == (390, "wgs84", [])
    assert hong_kong.zones[0].name == "沙打"


def test_real_districts_of_an_undeclared_datum_are_asked_about(shared_data: Path) -> None:
    path = shared_data / "admin_county_geojson" / "hu2_bei3_wu3_han4.geojson"
    frame = Frame(114.30, 30.55, 5_000.0, 9)
    with pytest.raises(DatumUnknown):
        read_zones(open_table(path), frame)
    found = read_zones(open_table(path), frame, datum="gcj02")
    assert len(found.zones) == 8 and found.rows.reasons() == {"bad_outline": 5}  # counties beyond 50 km
