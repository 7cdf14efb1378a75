"""Files as people bring them: what is read, in which encoding, with which row numbers; what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings

from data.files import readers
from data.files.formats import MAX_COLUMNS
from data.files.readers import Table
from data.words import say
from geo.errors import FileError, ZhendiError

HEADER = "商户名称,类别,经度,纬度"
ROWS = [["甲饭店", "餐饮", "116.1", "33.1"], ["乙超市", "超市", "116.2", "33.2"]]


def csv_text(delimiter: str = ",", end: str = "\n") -> str:
    lines = [HEADER.split(","), *ROWS]
    return end.join(delimiter.join(line) for line in lines) + end


def cells(table: Table) -> list[list[str]]:
    return [row for chunk in table.chunks() for row in chunk.frame.to_numpy().tolist()]


def numbers(table: Table) -> list[int]:
    return [int(row) for chunk in table.chunks() for row in chunk.rows]


def workbook(sheets: dict[str, list[list[object]]], first_row: int = 0) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows, start=first_row):
                sheet.write_row(at, 0, row)
    return out.getvalue()


def geojson(*features: tuple[dict[str, object] | None, dict[str, object]], **more: object) -> bytes:
    listed = [{"type": "Feature", "geometry": shape, "properties": given} for shape, given in features]
    return json.dumps({"type": "FeatureCollection", "features": listed, **more}, ensure_ascii=False).encode()


def point(lon: float, lat: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": [lon, lat]}


# What is read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_of_every_usual_encoding_and_delimiter_reads_alike(
    codec: str, found: str, delimiter: str, end: str
) -> None:
    table = readers.open_table(csv_text(delimiter, end).encode(codec), name="list.csv")
    assert (table.form, table.encoding, table.delimiter) == ("csv", found, delimiter)
    assert table.headers == tuple(HEADER.split(","))
    assert cells(table) == ROWS
    assert numbers(table) == [2, 3]


def test_rare_characters_of_gb18030_survive() -> None:
    table = readers.open_table("名称,经度,纬度\n𠮷野家,116,33\n㐂饭店,116,33\n".encode("gb18030"))
    assert [row[0] for row in cells(table)] == ["𠮷野家", "㐂饭店"]


def test_traditional_characters_are_told_from_big5_by_the_headers() -> None:
    text = "店名,經度,緯度,地址\n繁體書店,114.1,22.3,彌敦道\n"
    assert cells(readers.open_table(text.encode("big5")))[0][0] == "繁體書店"
    assert readers.open_table(text.encode("gb18030")).encoding == "gb18030"


def test_a_stated_encoding_is_taken_or_refused() -> None:
    gbk = csv_text().encode("gbk")
    assert cells(readers.open_table(gbk, encoding="gbk")) == ROWS
    for wrong in ("utf-8", "hex", "no-such", "undefined"):
        with pytest.raises(FileError):
            readers.open_table(gbk, encoding=wrong)


def test_quoted_cells_hold_delimiters_newlines_and_quotes_and_rows_keep_their_number() -> None:
    text = '名称,经度,纬度\n"甲,""大""\n店",116,33\n乙,116,33\n'
    table = readers.open_table(text.encode())
    assert cells(table)[0][0] == '甲,"大"\n店'
    assert numbers(table) == [2, 3]


def test_ragged_rows_are_reported_by_number_and_blank_ones_are_nothing() -> None:
    text = "名称,经度,纬度\n甲,116,33\n乙,116\n\n ,,\n丙,1,2,3\n丁,116,33\n"
    table = readers.open_table(text.encode())
    chunks = list(table.chunks())
    ragged = [row for chunk in chunks for row in chunk.ragged.to_numpy().tolist()]
    assert numbers(table) == [2, 7]
    assert ragged == [[3, 3, 2, "乙,116"], [6, 3, 4, "丙,1,2,3"]]


def test_chunks_of_any_size_number_rows_alike() -> None:
    lines = [f"店{at},116,33" if at % 7 else f"短{at},116" for at in range(1, 60)]
    table = readers.open_table(("名称,经度,纬度\n" + "\n".join(lines)).encode())
    whole = [
        (row, cell)
        for chunk in table.chunks()
        for row, cell in zip(chunk.rows, chunk.frame["名称"], strict=True)
    ]
    for size in (1, 5, 1000):
        parts = [
            (row, cell) for c in table.chunks(size) for row, cell in zip(c.rows, c.frame["名称"], strict=True)
        ]
        assert parts == whole
    assert all(cell == f"店{row - 1}" for row, cell in whole)


def test_a_title_above_the_header_and_a_delimiter_behind_every_row_do_no_harm() -> None:
    text = "某支行周边商户清单\n制表日期：2026年\n" + "名称,经度,纬度\n甲,116,33,\n乙,116,33,\n"
    table = readers.open_table(text.encode())
    assert (table.header_row, table.headers[:3]) == (3, ("名称", "经度", "纬度"))
    assert numbers(table) == [4, 5]


def test_lines_quoted_as_a_whole_are_unwrapped() -> None:
    table = readers.open_table(b'"Spot_id,Lng,Lat"\r\n"A,116.1,33.1"\r\n"B,116.2,33.2"\r\n')
    assert cells(table) == [["A", "116.1", "33.1"], ["B", "116.2", "33.2"]]


def test_repeated_and_empty_headers_are_told_apart() -> None:
    table = readers.open_table("名称,名称,,经度,纬度\n甲,乙,丙,116,33\n".encode())
    assert len(set(table.headers)) == 5
    assert cells(table) == [["甲", "乙", "丙", "116", "33"]]


def test_a_workbook_gives_its_best_sheet_and_names_all() -> None:
    content = workbook(
        {
            "说明": [["本表仅供内部使用"]],
            "乱码": [["名称", "经度", "纬度"], ["°Ù»¨Éî´¦", 116.1, 33.1], ["ÁãµãÊÐ", 116.1, 33.1]],
            "清单": [["名称", "经度", "纬度", "户数"], ["甲", 116.25, 33.5, 12.0]],
        }
    )
    table = readers.open_table(content, name="x.xlsx")
    assert (table.sheet, table.sheets) == ("清单", ("说明", "乱码", "清单"))
    assert cells(table) == [["甲", "116.25", "33.5", "12"]]
    assert readers.open_table(content, sheet="清单").sheet == "清单"
    with pytest.raises(FileError, match="garbled"):
        readers.open_table(content, sheet="乱码")
    with pytest.raises(FileError, match="no sheet"):
        readers.open_table(content, sheet="没有")


def test_workbook_rows_are_numbered_as_excel_does_even_below_empty_rows() -> None:
    rows: list[list[object]] = [["名称", "经度", "纬度"], ["甲", 116, 33], ["", "", ""], ["乙", 116, 33]]
    table = readers.open_table(workbook({"清单": rows}, first_row=3))
    assert table.header_row == 4
    assert numbers(table) == [5, 7]


def test_geojson_points_areas_and_missing_shapes() -> None:
    square = {
        "type": "Polygon",
        "coordinates": [[[116, 33], [116.01, 33], [116.01, 33.01], [116, 33.01], [116, 33]]],
    }
    table = readers.open_table(
        geojson((point(116.1, 33.1), {"name": "甲", "n": 3}), (square, {"name": "乙"}), (None, {}))
    )
    (chunk,) = table.chunks()
    assert (table.form, table.headers) == ("geojson", ("name", "n"))
    assert chunk.frame.to_numpy().tolist() == [["甲", "3"], ["乙", ""], ["", ""]]
    assert chunk.lon is not None and chunk.lat is not None
    assert chunk.lon[0] == 116.1
    assert 116 < chunk.lon[1] < 116.01 and 33 < chunk.lat[1] < 33.01
    assert chunk.lon[2] != chunk.lon[2]


SHEET = workbook({"a": [["名称", "经度", "纬度"], ["甲", 1, 2]]})
CONTENTS = {"csv": csv_text().encode(), "xlsx": SHEET, "geojson": geojson((point(1, 2), {"a": 1}))}


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("csv", "a.TXT"),
        ("csv", "a.tsv"),
        ("csv", "a"),
        ("csv", "a.dat"),
        ("xlsx", "a.xls"),
        ("xlsx", "清单"),
        ("geojson", "a.json"),
        ("geojson", "a.2026"),
    ],
)
def test_a_name_without_a_known_suffix_or_of_a_near_relation_does_not_matter(form: str, name: str) -> None:
    assert readers.open_table(CONTENTS[form], name=name).form == form


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        ("xlsx", "a.csv", "named .csv, but it holds a workbook. Rename it to .xlsx"),
        ("csv", "a.xlsx", "named .xlsx, but it holds a text table. Rename it to .csv"),
        ("csv", "a.xls", "a text table"),
        ("geojson", "a.txt", "named .txt, but it holds JSON"),
        ("csv", "a.geojson", "a text table"),
        ("csv", "a.zip", "a text table"),
        ("geojson", "a.kml", "JSON"),
        ("xlsx", "a.gpkg", "a workbook"),
    ],
)
def test_a_mislabelled_file_is_refused_naming_what_it_is(form: str, name: str, words: str) -> None:
    with pytest.raises(FileError, match=words) as refused:
        readers.open_table(CONTENTS[form], name=name)
    assert "{" not in say(refused.value, "zh")


def test_a_web_page_that_is_called_a_workbook_is_refused_as_a_web_page() -> None:
    with pytest.raises(FileError, match="web page"):
        readers.open_table(b"<html><table><tr><td>a</td></tr></table></html>", name="a.xls")


# What is refused --------------------------------------------------------------------------------------------


def bomb() -> bytes:
    """A workbook whose sheet unpacks to two hundred times its size and more."""
    out = io.BytesIO(workbook({"a": [["名称", "经度", "纬度"], ["甲", 1, 2]]}))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * (64 << 20))
    return out.getvalue()


def sparse() -> bytes:
    """A workbook with one cell far down and one far right: its rectangle would fill the memory."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["名称", "经度", "纬度"])
        sheet.write(1_048_575, 400, "x")
    return out.getvalue()


def lying_bomb() -> bytes:
    """A bomb whose directory says that it is small."""
    content = bytearray(bomb())
    size = (64 << 20).to_bytes(4, "little")
    return bytes(content).replace(size, (1000).to_bytes(4, "little"))


BAD = {
    "empty": b"",
    "blank": b"\xef\xbb\xbf \r\n\r\n",
    "header only, in zeros": b"\x00" * 5000,
    "truncated workbook": workbook({"a": [["名称", "经度", "纬度"], ["甲", 1, 2]]})[:-300],
    "truncated geojson": geojson((point(1, 2), {"a": "b"}))[:-20],
    "truncated gb18030": csv_text().encode("gb18030")[:-2] + "店".encode("gb18030")[:1],
    "gzip": b"\x1f\x8b\x08\x00" + bytes(50),
    "zip, no workbook": (lambda out: (zipfile.ZipFile(out, "w").writestr("a.txt", "x"), out.getvalue())[1])(
        io.BytesIO()
    ),
    "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "pdf": b"%PDF-1.7\n" + bytes(100),
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "binary": bytes(range(256)) * 20,
    "latin-1": "name,lng,lat\ncaf\xe9 du monde,1,2\nr\xe9sum\xe9,1,2\n".encode("latin-1"),
    "web page": b"<html><table><tr><td>a</td></tr></table></html>",
    "1,000 columns": (",".join(f"c{at}" for at in range(1000)) + "\n").encode(),
    "1,000 columns in a workbook": workbook({"a": [[f"c{at}" for at in range(1000)]]}),
    "10 MB in the first cell": b"a,lng,lat\n" + b"x" * 10_000_000 + b",1,2\n",
    "10 MB in a late cell": b"a,lng,lat\n" + b"x,1,2\n" * 100_000 + b"x" * 10_000_000 + b",1,2\n",
    "2 MB in a late cell": b"a,lng,lat\n" + b"x,1,2\n" * 100_000 + b"x" * 2_000_000 + b",1,2\n",
    "10 MB in a property": geojson((point(1, 2), {"a": "x" * 10_000_000})),
    "a quotation mark never closed": b"a,lng,lat\n"
    + b"x,1,2\n" * 100_000
    + b'"x,1,2\n'
    + b"x,1,2\n" * 2_000_000,
    "zip bomb": bomb(),
    "zip bomb that lies": lying_bomb(),
    "sparse workbook": sparse(),
    "json, no geojson": b'{"pois": []}',
    "nested too deep": b'{"type":"FeatureCollection","features":' + b"[" * 100_000,
    "no features": geojson(),
    "topojson": b'{"type":"Topology","objects":{}}',
    "packed shapes": b'{"type":"FeatureCollection","UTF8Encoding":true,"features":[{}]}',
    "bare shapes": b'{"type":"GeometryCollection","geometries":[]}',
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_is_no_list_is_refused_with_advice(content: bytes) -> None:
    with pytest.raises(FileError) as refused:
        table = readers.open_table(content)
        for _ in table.chunks():
            pass
    assert len(str(refused.value)) > 15


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="none.csv"):
        readers.open_table(tmp_path / "none.csv")


def test_as_many_columns_as_allowed_are_read() -> None:
    header = ",".join(["lng", "lat", *(f"c{at}" for at in range(MAX_COLUMNS - 2))])
    table = readers.open_table((header + "\n" + ",".join(["1"] * MAX_COLUMNS)).encode())
    assert len(table.headers) == MAX_COLUMNS


# Nothing else comes out -------------------------------------------------------------------------------------

DEFLATED = workbook({"a": [["名称", "经度", "纬度"], ["甲", 1, 2]]})


def read_through(content: bytes) -> None:
    """Read, and let only our own errors out to be caught."""
    try:
        table = readers.open_table(content)
        rows = [chunk for chunk in table.chunks(3)]
    except ZhendiError as error:
        assert str(error)
        return
    for chunk in rows:
        assert len(chunk.rows) == len(chunk.frame)
        assert chunk.frame.shape[1] == len(table.headers)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=600))
@example(b"PK\x03\x04")
@example(b'{"type":"FeatureCollection","features":[{"geometry":{"type":"Point","coordinates":["a",{}]}}]}')
@example(b'{"type":"FeatureCollection","features":[{"properties":{"a":"\\ud800"}}]}')
@example(b'{"type":"FeatureCollection","features":[{"geometry":{"type":"Polygon","coordinates":[[[1,2]]]}}]}')
@example(
    b'{"type":"FeatureCollection","features":[{"geometry":{"type":"GeometryCollection","geometries":[7]}}]}'
)
@example(b'a,"b\n"c,d')
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_through(content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=200),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
)
def test_any_text_is_read_or_refused(text: str, codec: str) -> None:
    read_through(text.encode(codec))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(DEFLATED) - 1), st.integers(0, 255))
def test_a_workbook_with_one_wrong_byte_is_read_or_refused(at: int, byte: int) -> None:
    read_through(DEFLATED[:at] + bytes([byte]) + DEFLATED[at + 1 :])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "geometry": JSON
                | st.fixed_dictionaries(
                    {
                        "type": st.sampled_from(
                            ["Point", "Polygon", "MultiPolygon", "LineString", "Nothing"]
                        ),
                        "coordinates": JSON
                        | st.lists(st.lists(st.lists(st.floats(), max_size=3), max_size=5), max_size=2),
                    }
                ),
                "properties": JSON,
            }
        ),
        max_size=4,
    ),
    JSON,
)
def test_any_geojson_is_read_or_refused(features: list[object], crs: object) -> None:
    read_through(json.dumps({"type": "FeatureCollection", "features": features, "crs": crs}).encode())
