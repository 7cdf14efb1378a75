"""GeoPackage, Shapefile, KML and GeoParquet: what is read from them, and what is refused."""

from __future__ import annotations

import io
import sqlite3
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from data.files import readers
from data.files.readers import Table
from data.lists.survey import Survey, survey_of
from geo.errors import FileError

NAMES = ["甲饭店", "乙超市", "丙书店"]
POINTS = [shapely.Point(114.1, 30.5), shapely.Point(114.2, 30.6), None]


def shops(crs: int | None = 4326) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame({"名称": NAMES, "户数": [1, 2, 3]}, geometry=POINTS, crs=4326)
    return frame.to_crs(crs) if crs else frame.set_crs(None, allow_override=True)


def cells(table: Table) -> list[list[str]]:
    return [row for chunk in table.chunks() for row in chunk.frame.to_numpy().tolist()]


def places(table: Table) -> list[tuple[float, float] | None]:
    found: list[tuple[float, float] | None] = []
    for chunk in table.chunks():
        assert chunk.lon is not None and chunk.lat is not None and chunk.shapes is not None
        for shape, lon, lat in zip(chunk.shapes, chunk.lon, chunk.lat, strict=True):
            found.append(None if shape is None else (round(float(lon), 6), round(float(lat), 6)))
    return found


def surveyed(table: Table, near: tuple[float, float] | None = None) -> Survey:
    return survey_of(table, "merchants", None, "auto", lambda _: None, near=near)


# GeoPackage -------------------------------------------------------------------------------------------------


def geopackage(path: Path, layers: dict[str, gpd.GeoDataFrame | pd.DataFrame]) -> Path:
    for name, frame in layers.items():
        gpd.GeoDataFrame(frame).to_file(path, layer=name, driver="GPKG", engine="pyogrio")
    return path


def test_a_geopackage_gives_a_layer_and_names_all(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg", {"银行": shops().iloc[:1], "商户": shops()})
    table = readers.open_table(path)
    assert (table.form, table.sheet, table.layers) == ("gpkg", "商户", ("银行", "商户"))
    assert table.headers == ("fid", "名称", "户数")
    assert [row[1:] for row in cells(table)] == [["甲饭店", "1"], ["乙超市", "2"], ["丙书店", "3"]]
    assert places(table) == [(114.1, 30.5), (114.2, 30.6), None]
    assert [int(row) for chunk in table.chunks(2) for row in chunk.rows] == [1, 2, 3]
    assert len(cells(readers.open_table(path.read_bytes(), name="a.gpkg", sheet="银行"))) == 1
    with pytest.raises(FileError, match="no sheet or layer"):
        readers.open_table(path, sheet="没有")


def test_a_geopackage_in_a_projection_is_brought_to_degrees(tmp_path: Path) -> None:
    table = readers.open_table(geopackage(tmp_path / "a.gpkg", {"商户": shops(4547)}))
    assert table.epsg == 4547
    survey = surveyed(table)
    assert survey.lon[:2].round(6).tolist() == [114.1, 114.2]
    assert survey.lat[:2].round(6).tolist() == [30.5, 30.6]


def test_a_view_in_a_geopackage_is_never_run(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg", {"商户": shops()})
    with sqlite3.connect(path) as base:
        base.execute(
            "CREATE VIEW 无尽 AS WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        )
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
            "VALUES ('无尽', 'attributes', '无尽', 0)"
        )
    base.close()
    assert readers.open_table(path).layers == ("商户",)


def test_a_database_that_is_no_geopackage_and_a_cut_one_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "b.db") as base:
        base.execute("CREATE TABLE a (b)")
    base.close()
    with pytest.raises(FileError, match="a database"):
        readers.open_table(tmp_path / "b.db")
    whole = geopackage(tmp_path / "a.gpkg", {"商户": shops()}).read_bytes()
    with pytest.raises(FileError, match="damaged"):
        cells(readers.open_table(whole[:5000]))


# Shapefile --------------------------------------------------------------------------------------------------


def shapefile(
    folder: Path, frame: gpd.GeoDataFrame, encoding: str = "utf-8", leave_out: Sequence[str] = ()
) -> bytes:
    frame.to_file(folder / "list.shp", driver="ESRI Shapefile", engine="pyogrio", encoding=encoding)
    return packed(
        {
            part.name: part.read_bytes()
            for part in sorted(folder.glob("list.*"))
            if part.suffix not in leave_out
        }
    )


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
@pytest.mark.parametrize("leave_out", [(), (".cpg",), (".cpg", ".shx"), (".cpg", ".shx", ".prj")])
def test_a_zipped_shapefile_reads_alike_in_every_encoding_and_without_its_lesser_files(
    tmp_path: Path, encoding: str, leave_out: tuple[str, ...]
) -> None:
    names = ["彌敦道書店", "銅鑼灣百貨", "灣仔茶樓"] if encoding == "big5" else NAMES
    content = shapefile(
        tmp_path,
        shops().assign(名称=names).rename(columns={"名称": "店名", "户数": "n"}),
        encoding,
        leave_out,
    )
    table = readers.open_table(content, name="list.zip")
    assert (table.form, table.encoding, table.sheet) == ("shp", encoding, "list")
    assert table.headers == ("店名", "n")
    assert [row[0] for row in cells(table)] == names
    assert places(table) == [(114.1, 30.5), (114.2, 30.6), None]


def test_the_encoding_of_a_shapefile_can_be_changed_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    content = shapefile(tmp_path, shops(), "gb18030", (".cpg",))
    assert readers.open_table(content, encoding="gbk").encoding == "gbk"
    for wrong in ("utf-8", "no-such", "hex"):
        with pytest.raises(FileError):
            readers.open_table(content, encoding=wrong)


def test_names_cut_within_a_letter_do_not_hide_the_encoding(tmp_path: Path) -> None:
    long = ["百" * 30, "千" * 30, "万" * 30]
    folder = tmp_path / "a"
    folder.mkdir()
    content = bytearray(shapefile(folder, shops().assign(名称=long), "utf-8", (".cpg",)))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["list.dbf"] = files["list.dbf"].replace("百".encode() * 30, "百".encode() * 29 + b"\xe7\x99 ")
    table = readers.open_table(packed(files))
    assert table.encoding == "utf-8"
    assert cells(table)[0][0].startswith("百" * 29)


def test_a_shapefile_without_prj_in_hong_kong_metres_is_recognised_and_not_shifted(tmp_path: Path) -> None:
    town = gpd.GeoDataFrame(
        {"name": ["a", "b"]}, geometry=[shapely.Point(114.17, 22.3), shapely.Point(114.2, 22.4)], crs=4326
    ).to_crs(2326)
    survey = surveyed(readers.open_table(shapefile(tmp_path, town, leave_out=(".prj",))))
    assert survey.transform is not None and survey.transform.epsg == 2326
    assert survey.lon.round(6).tolist() == [114.17, 114.2]
    assert survey.lat.round(6).tolist() == [22.3, 22.4]


def test_several_shapefiles_in_one_archive_are_layers(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(shapefile(tmp_path, shops()))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    both = {f"甲/{name}": part for name, part in files.items()} | {
        f"乙/{name}": part for name, part in files.items()
    }
    table = readers.open_table(packed({**both, "__MACOSX/甲/list.shp": b""}))
    assert table.layers == ("甲/list", "乙/list")
    assert readers.open_table(packed(both), sheet="乙/list").sheet == "乙/list"


def test_a_bare_shapefile_is_read_from_its_folder_and_refused_from_an_upload(tmp_path: Path) -> None:
    shapefile(tmp_path, shops())
    assert [row[0] for row in cells(readers.open_table(tmp_path / "list.shp"))] == NAMES
    with pytest.raises(FileError, match="one ZIP"):
        readers.open_table((tmp_path / "list.shp").read_bytes(), name="list.shp")
    with pytest.raises(FileError, match="one ZIP"):
        readers.open_table((tmp_path / "list.dbf").read_bytes(), name="list.dbf")


def test_records_marked_as_deleted_are_no_rows_and_the_others_keep_their_number(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(shapefile(tmp_path, shops()))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    table = bytearray(files["list.dbf"])
    start = struct.unpack_from("<H", table, 8)[0]
    table[start] = ord("*")
    opened = readers.open_table(packed({**files, "list.dbf": bytes(table)}))
    assert [row[0] for row in cells(opened)] == NAMES[1:]
    assert [int(row) for chunk in opened.chunks() for row in chunk.rows] == [2, 3]
    assert places(opened) == [(114.2, 30.6), None]


@pytest.mark.parametrize("name", ["../list.shp", "/etc/list.shp", "a\\..\\list.shp"])
def test_an_archive_with_paths_that_lead_out_is_refused(tmp_path: Path, name: str) -> None:
    shapefile(tmp_path, shops())
    with pytest.raises(FileError, match="lead out"):
        readers.open_table(packed({name: (tmp_path / "list.shp").read_bytes()}), name="a.zip")


def test_a_bomb_and_a_damaged_archive_of_shapes_are_refused(tmp_path: Path) -> None:
    whole = shapefile(tmp_path, shops())
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with pytest.raises(FileError, match="Unpacked"):
        readers.open_table(packed({**files, "list.dbf": bytes(64 << 20)}))
    with pytest.raises(FileError, match="damaged"):
        readers.open_table(whole[:-40])
    for part in ("list.shp", "list.dbf"):
        with pytest.raises(FileError, match="damaged"):
            cells(readers.open_table(packed({**files, part: files[part][:70]})))


# KML --------------------------------------------------------------------------------------------------------

KML = """<?xml version="1.0" encoding="{encoding}"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>清单</name>
<Folder><name>商户</name>
<Placemark><name>甲饭店</name><description><![CDATA[<b>好</b> 吃&amp;喝]]></description>
<ExtendedData><Data name="类别"><displayName>x</displayName><value>餐饮</value></Data></ExtendedData>
<Point><coordinates>114.1,30.5,0</coordinates></Point></Placemark>
<Placemark><name>乙超市</name>
<ExtendedData><SchemaData><SimpleData name="类别">超市</SimpleData></SchemaData></ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>
114.2,30.6 114.21,30.6 114.21,30.61 114.2,30.6</coordinates></LinearRing>
</outerBoundaryIs></Polygon></Placemark></Folder>
<Folder><name>别的</name><Placemark><name>丙书店</name></Placemark></Folder>
<NetworkLink><Link><href>http://192.0.2.1/more.kml</href></Link></NetworkLink>
</Document></kml>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030"])
def test_kml_gives_placemarks_with_their_extended_data(encoding: str) -> None:
    table = readers.open_table(KML.format(encoding=encoding).encode(encoding), name="a.kml")
    assert (table.form, table.headers, table.layers) == (
        "kml",
        ("name", "description", "类别"),
        ("商户", "别的"),
    )
    assert cells(table) == [["甲饭店", "好 吃&喝", "餐饮"], ["乙超市", "", "超市"], ["丙书店", "", ""]]
    found = places(table)
    assert found[0] == (114.1, 30.5) and found[2] is None
    assert found[1] is not None and 114.2 < found[1][0] < 114.21 and 30.6 < found[1][1] < 30.61


def test_a_folder_of_kml_is_chosen_like_a_sheet_and_kmz_is_unpacked() -> None:
    content = KML.format(encoding="UTF-8").encode()
    assert len(cells(readers.open_table(content, sheet="别的"))) == 1
    assert len(cells(readers.open_table(packed({"doc.kml": content}), name="a.kmz"))) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('<!DOCTYPE kml [<!ENTITY a "aaaa">]><kml><Placemark><name>&a;</name></Placemark></kml>', "entities"),
        (
            '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml><name>&a;</name></kml>',
            "entities",
        ),
        ("<kml><Placemark><name>甲</name>", "cut short"),
        ("<kml></kml>", "no placemarks"),
        ("<kml>" + "<Folder>" * 300 + "</Folder>" * 300 + "</kml>", "too deep"),
    ],
)
def test_kml_with_entities_cut_empty_or_deep_is_refused(content: str, words: str) -> None:
    with pytest.raises(FileError, match=words):
        readers.open_table(content.encode())


# Parquet ----------------------------------------------------------------------------------------------------


def parquet(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_geoparquet_gives_shapes_and_the_system_it_names(tmp_path: Path, encoding: str) -> None:
    frame = shops(4547) if encoding == "WKB" else shops(4547).iloc[:2]
    frame.to_parquet(
        tmp_path / "a.parquet", geometry_encoding=encoding, write_covering_bbox=encoding == "WKB"
    )
    table = readers.open_table(tmp_path / "a.parquet")
    assert (table.form, table.epsg, table.headers) == ("parquet", 4547, ("名称", "户数"))
    assert surveyed(table).lon[:2].round(6).tolist() == [114.1, 114.2]
    assert cells(table)[0] == ["甲饭店", "1"]


def test_plain_parquet_gives_its_columns_as_they_would_be_typed() -> None:
    made = pa.table(
        {
            "名称": pa.array(["甲", None]).dictionary_encode(),
            "lon": [114.25, 114.0],
            "lat": [30.5, float("nan")],
            "开业": pa.array([0, None], pa.date32()),
            "标签": [["a", "b"], []],
            "n": pa.array([True, False]),
        }
    )
    table = readers.open_table(parquet(made), name="a.parquet")
    assert not table.has_shapes
    assert cells(table) == [
        ["甲", "114.25", "30.5", "1970-01-01", '["a", "b"]', "TRUE"],
        ["", "114", "", "", "[]", "FALSE"],
    ]
    assert survey_of(table, "merchants", None, "auto", lambda _: None).reason.tolist() == [0, 2]


def test_parquet_that_is_cut_short_or_would_fill_the_memory_is_refused() -> None:
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 60_000, pa.int32()), pa.array(["x" * 900_000]))
    made = pa.table({"a": one, "lon": [114.0] * 60_000, "lat": [30.0] * 60_000})
    bomb = parquet(made, compression="zstd")
    assert len(bomb) < 2**21
    with pytest.raises(FileError, match="no list|row groups"):
        cells(readers.open_table(bomb))
    with pytest.raises(FileError, match="damaged"):
        readers.open_table(parquet(pa.table({"a": [1]}))[:-30])
    with pytest.raises(FileError, match="empty"):
        readers.open_table(parquet(pa.table({"a": pa.array([], pa.int64())})))
