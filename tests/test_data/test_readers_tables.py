"""Tables with and without a header, with coordinates in one column or as shapes, and lists in JSON."""

from __future__ import annotations

import io
import json

import pytest
import xlwt

from data.files import readers
from data.files.readers import Table
from data.lists.survey import Survey, survey_of
from geo.errors import FileError


def cells(table: Table) -> list[list[str]]:
    return [row for chunk in table.chunks() for row in chunk.frame.to_numpy().tolist()]


def surveyed(
    content: bytes,
    name: str = "",
    near: tuple[float, float] | None = None,
    mapping: dict[str, str | None] | None = None,
) -> Survey:
    table = readers.open_table(content, name=name)
    return survey_of(table, "merchants", mapping, "auto", lambda _: None, near=near)


def positions(survey: Survey) -> list[tuple[float, float]]:
    return [(round(lon, 6), round(lat, 6)) for lon, lat in zip(survey.lon, survey.lat, strict=True)]


# The header -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "甲饭店,餐饮,114.1,30.5\n乙超市,超市,114.2,30.6\n",
        "甲饭店,银行,13800000000,114.1,30.5\n",
        "1;甲饭店;POINT(114.1 30.5)\n2;乙超市;POINT(114.2 30.6)\n",
        '甲饭店,"114.1,30.5"\n乙超市,"114.2,30.6"\n',
    ],
)
def test_a_table_without_a_header_is_noticed(text: str) -> None:
    table = readers.open_table(text.encode())
    assert not table.has_header
    assert table.header_row == 0
    assert table.headers[:2] == ("列1", "列2")
    chunk = table.head()
    assert chunk is not None and chunk.rows.tolist() == list(range(1, text.count("\n") + 1))


@pytest.mark.parametrize(
    "text",
    [
        "名称,经度,纬度\n甲,114.1,30.5\n",
        "店,2019,2020\n甲,114.1,30.5\n",
        "shop,a,b\n甲,114.1,30.5\n",
        "清单\n名称,经度,纬度\n甲,114.1,30.5\n",
    ],
)
def test_a_header_is_noticed_also_where_its_words_are_not_known(text: str) -> None:
    assert readers.open_table(text.encode()).has_header


def test_what_is_told_of_the_header_goes_before_what_is_found() -> None:
    content = "名称,经度,纬度\n甲,114.1,30.5\n".encode()
    told = readers.open_table(content, header=False)
    assert (told.headers, len(cells(told))) == (("列1", "列2", "列3"), 2)
    forced = readers.open_table("甲,114.1,30.5\n乙,114.2,30.6\n".encode(), header=True)
    assert (forced.headers, cells(forced)) == (("甲", "114.1", "30.5"), [["乙", "114.2", "30.6"]])


# Where rows are ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("坐标", ("114.1,30.5", "114.2,30.6")),
        ("坐标", ("30.5,114.1", "30.6,114.2")),
        ("location", ("30.5 114.1", "30.6 114.2")),
        ("经度,纬度", ("114.1,30.5", "114.2,30.6")),
        ("lat,lng", ("30.5,114.1", "30.6,114.2")),
        ("wkt", ("POINT(114.1 30.5)", "point (114.2 30.6)")),
        ("几何", ("SRID=4326;POINT(114.1 30.5)", "SRID=4326;POINT Z (114.2 30.6 5)")),
        ("坐标", ("POINT(114.1 30.5)", "POINT(114.2 30.6)")),
    ],
)
def test_coordinates_in_one_column_are_read_in_either_order_and_as_wkt(
    header: str, values: tuple[str, str]
) -> None:
    text = f'名称\t"{header}"\n甲\t"{values[0]}"\n乙\t"{values[1]}"\n'
    assert positions(surveyed(text.encode())) == [(114.1, 30.5), (114.2, 30.6)]


def test_a_header_that_says_the_order_is_believed_and_the_list_refused_when_it_is_wrong() -> None:
    text = '名称\t"经度,纬度"\n甲\t"30.5,114.1"\n乙\t"30.6,114.2"\n'
    with pytest.raises(FileError, match="exchanged"):
        surveyed(text.encode())


def test_an_outline_gives_a_point_on_it_and_bad_wkt_no_place() -> None:
    text = "名称\twkt\n甲\tPOLYGON((114 30,114.02 30,114.02 30.02,114 30))\n乙\tPOINT(114.2 30.6)\n"
    text += "丙\tPOINT(114.2 30.6)\n丁\tPOINT(114.2 30.6)\n戊\tPOINT(1\n"
    survey = surveyed(text.encode())
    assert 114 < survey.lon[0] < 114.02 and 30 < survey.lat[0] < 30.02
    assert survey.reasons() == {"no_coordinates": 1}


def test_columns_of_degrees_go_before_wkt_and_ewkt_names_its_system() -> None:
    both = "名称\t经度\t纬度\twkt\n甲\t114.1\t30.5\tPOINT(1 2)\n"
    assert positions(surveyed(both.encode())) == [(114.1, 30.5)]
    ewkt = "名称\tgeom\n甲\tSRID=4547;POINT(528799.7425 3375580.0002)\n"
    assert positions(surveyed(ewkt.encode())) == [(114.3, 30.5)]


@pytest.mark.parametrize(
    ("header", "row", "epsg"),
    [
        ("x,y", "38528799.7425,3375580.0002", 4526),
        ("X坐标,Y坐标", "3375580.0002,38528799.7425", 4526),
        ("x,y", "528799.7425,3375580.0002", 4547),
        ("x,y", "3375580.0002,528799.7425", 4547),
        ("x,y", "12723817.7977,3567983.4559", 3857),
    ],
)
def test_metres_of_a_projection_are_recognised_in_either_order(header: str, row: str, epsg: int) -> None:
    survey = surveyed(f"名称,{header}\n甲,{row}\n乙,{row}\n".encode(), near=(114.3, 30.6))
    assert survey.transform is not None and survey.transform.epsg == epsg
    assert positions(survey) == [(114.3, 30.5)] * 2


def test_metres_that_fit_several_zones_are_refused_naming_them_unless_the_file_says_which() -> None:
    content = "名称,x,y\n甲,528799.7425,3375580.0002\n".encode()
    with pytest.raises(FileError, match=r"several fit.*EPSG:4547 \(114\.3000, 30\.5000\)"):
        surveyed(content)
    assert positions(surveyed(content, name="清单_EPSG4547.csv")) == [(114.3, 30.5)]


def test_metres_of_no_known_projection_are_refused() -> None:
    with pytest.raises(FileError, match="projected metres"):
        surveyed("名称,x,y\n甲,-1723110,5921270\n".encode(), near=(114.3, 30.6))
    with pytest.raises(FileError, match="Baidu"):
        surveyed("名称,百度x,百度y\n甲,12723817.8,3567983.4\n".encode(), near=(114.3, 30.6))


# What is cut or wrapped -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", ['"乙超', '"乙超市","114.2","30', '"乙超市","114.2","30.6","备注""', '"乙超市\n']
)
def test_a_text_cut_inside_its_last_quoted_cell_is_refused_as_cut_short(end: str) -> None:
    text = '"名称","经度","纬度","注"\n"甲饭店","114.1","30.5","5"" 管"\n' + end
    with pytest.raises(FileError, match="cut short"):
        readers.open_table(text.encode())


def test_a_stray_quotation_mark_within_a_cell_is_no_cut() -> None:
    table = readers.open_table('名称,经度,纬度\n5" 管店,114.1,30.5\n乙,114.2,30.6\n'.encode())
    assert cells(table)[0][0] == '5" 管店'


# JSON -------------------------------------------------------------------------------------------------------

GAODE = {
    "id": "B1",
    "name": "甲",
    "location": "114.1,30.5",
    "tel": [],
    "biz_ext": {"rating": "4.5", "cost": []},
}
BAIDU = {"uid": "u1", "name": "甲", "location": {"lat": 30.5, "lng": 114.1}, "detail_info": {"tag": "美食"}}


@pytest.mark.parametrize("record", [GAODE, BAIDU])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda record: {"status": "1", "pois": [record]},
        lambda record: {"status": 0, "results": [record]},
        lambda record: [record],
        lambda record: {"data": {"pois": [record]}},
        lambda record: [{"pois": [record]}, {"pois": []}],
    ],
)
def test_answers_of_map_services_are_lists(record: dict[str, object], wrap: object) -> None:
    assert callable(wrap)
    content = json.dumps(wrap(record), ensure_ascii=False).encode()
    assert readers.open_table(content, name="a.json").form == "apijson"
    assert positions(surveyed(content)) == [(114.1, 30.5)]


def test_what_is_nested_in_a_record_becomes_columns_with_dots() -> None:
    table = readers.open_table(json.dumps({"pois": [GAODE, {"name": "乙", "tags": ["a", "b"]}]}).encode())
    (first, second) = [dict(zip(table.headers, row, strict=True)) for row in cells(table)]
    assert (first["biz_ext.rating"], first["biz_ext.cost"], first["tel"]) == ("4.5", "", "")
    assert (second["tags"], second["location"]) == ("a;b", "")


def test_a_record_a_line_is_read_and_json_without_a_list_refused() -> None:
    lines = "\n".join(json.dumps(each) for each in (GAODE, GAODE))
    assert len(cells(readers.open_table(lines.encode(), name="a.jsonl"))) == 2
    for content in (b'{"status": "0"}', b'{"pois": []}', b'{"results": {"a": 1}}'):
        with pytest.raises(FileError):
            readers.open_table(content)


# Workbooks --------------------------------------------------------------------------------------------------


def test_an_old_workbook_gives_the_sheet_asked_for() -> None:
    book = xlwt.Workbook(encoding="utf-8")
    for name in ("甲表", "乙表"):
        sheet = book.add_sheet(name)
        for at, row in enumerate([["名称", "经度", "纬度"], [name, 114.25, 30.5]]):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    out = io.BytesIO()
    book.save(out)
    table = readers.open_table(out.getvalue(), name="a.xls", sheet="乙表")
    assert (table.form, table.sheets, cells(table)) == ("xls", ("甲表", "乙表"), [["乙表", "114.25", "30.5"]])
