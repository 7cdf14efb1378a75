"""Whatever comes in, only our own errors come out of reading and mapping, soon and in little memory."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import hypothesis.strategies as st
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import xlwt
from hypothesis import HealthCheck, given, settings

from data.files import readers, template
from data.lists.survey import KINDS, survey_of
from data.meaning import headers
from geo.errors import ZhendiError

LONGEST_S = 20.0  # on a machine that does other things too; a hang is what this finds
HEADER = ["名称", "类别", "经度", "纬度", "电话"]
ROWS = [
    [f"{name}店", "餐饮", f"114.{at}1", f"30.{at}2", "027-85720000"] for at, name in enumerate("甲乙丙丁戊")
]
FUZZED = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def csv_file() -> bytes:
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in [HEADER, *ROWS]).encode("gb18030")


def xls_file() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("清单")
    for at, row in enumerate([HEADER, *ROWS]):
        for column, cell in enumerate(row):
            sheet.write(at, column, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods_file(rows: str = "", **files: str) -> bytes:
    """Return a workbook of the kind, by hand: one text a cell."""

    def cell(text: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    made = rows or "".join(
        "<table:table-row>" + "".join(map(cell, row)) + "</table:table-row>" for row in [HEADER, *ROWS]
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="清单">{made}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": (
                '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
            ),
            **files,
        }
    )


def packed(files: dict[str, str] | dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def kml_file() -> bytes:
    marks = "".join(
        f'<Placemark><name>{row[0]}</name><ExtendedData><Data name="类别"><value>{row[1]}</value></Data>'
        f"</ExtendedData><Point><coordinates>{row[2]},{row[3]}</coordinates></Point></Placemark>"
        for row in ROWS
    )
    return f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Folder>{marks}</Folder></kml>'.encode()


def made(folder: Path) -> dict[str, bytes]:
    """Return one small good list of each format; archives are only stored: changes reach what is in them."""
    frame = pd.DataFrame(ROWS, columns=HEADER)
    points = gpd.GeoDataFrame(
        frame, geometry=shapely.points(frame["经度"].astype(float), frame["纬度"].astype(float)), crs=4326
    )
    points.to_file(folder / "a.gpkg", engine="pyogrio")
    points.to_file(folder / "list.shp", engine="pyogrio", encoding="utf-8")
    points.to_parquet(folder / "a.parquet")
    plain = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame), plain)
    pois = [{"name": row[0], "location": f"{row[2]},{row[3]}", "biz_ext": {"rating": []}} for row in ROWS]
    with zipfile.ZipFile(io.BytesIO(template.workbook("merchants", "zh"))) as archive:
        sheets = {name: archive.read(name) for name in archive.namelist()}
    return {
        "csv": csv_file(),
        "xlsx": packed(sheets),
        "xls": xls_file(),
        "ods": ods_file(),
        "geojson": points.to_json().encode(),
        "apijson": json.dumps({"pois": pois}, ensure_ascii=False).encode(),
        "gpkg": (folder / "a.gpkg").read_bytes(),
        "shp": packed({part.name: part.read_bytes() for part in sorted(folder.glob("list.*"))}),
        "kml": kml_file(),
        "geoparquet": (folder / "a.parquet").read_bytes(),
        "parquet": plain.getvalue(),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(tmp_path_factory.mktemp("lists"))


FORMS = ["csv", "xlsx", "xls", "ods", "geojson", "apijson", "gpkg", "shp", "kml", "geoparquet", "parquet"]


def read_through(
    content: bytes, kind: str = "merchants", mapping: dict[str, str | None] | None = None, **how: object
) -> int:
    """Read and map a list, let only our own errors out, and return how many rows there were."""
    started = time.monotonic()
    try:
        table = readers.open_table(content, **how)  # type: ignore[arg-type]
        survey = survey_of(table, kind, mapping, "auto", lambda _: None, near=(114.3, 30.5))
    except ZhendiError as error:
        assert str(error)
        return 0
    finally:
        assert time.monotonic() - started < LONGEST_S
    assert len(survey.reason) == len(survey.row) == len(survey.lon)
    return len(survey.row)


@pytest.mark.parametrize("form", FORMS)
def test_the_good_lists_are_good(files: dict[str, bytes], form: str) -> None:
    assert read_through(files[form]) == (1 if form == "xlsx" else 5)


@FUZZED
@given(st.binary(max_size=400), st.sampled_from(KINDS))
def test_any_bytes_are_mapped_or_refused(content: bytes, kind: str) -> None:
    read_through(content, kind)


@FUZZED
@given(st.data(), st.sampled_from(sorted(b"P\xd0S{<[\x00")), st.binary(max_size=300))
def test_any_bytes_behind_a_known_beginning_are_refused(data: st.DataObject, first: int, rest: bytes) -> None:
    starts = [
        b"PK\x03\x04",
        b"PAR1",
        b"SQLite format 3\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"<kml>",
        b"{",
    ]
    read_through(data.draw(st.sampled_from(starts)) + bytes([first]) + rest)


@pytest.mark.parametrize("form", FORMS)
@FUZZED
@given(data=st.data())
def test_a_list_with_wrong_bytes_is_mapped_or_refused(
    files: dict[str, bytes], form: str, data: st.DataObject
) -> None:
    content = bytearray(files[form])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 1] = data.draw(st.binary(min_size=0, max_size=3))
    read_through(bytes(content), data.draw(st.sampled_from(KINDS)))


@pytest.mark.parametrize("form", FORMS)
@settings(FUZZED, max_examples=12)
@given(data=st.data())
def test_a_list_cut_short_is_mapped_or_refused(
    files: dict[str, bytes], form: str, data: st.DataObject
) -> None:
    content = files[form]
    start = data.draw(st.integers(0, len(content)))
    read_through(content[: data.draw(st.integers(0, len(content)))])
    read_through(content[:start] + content[data.draw(st.integers(start, len(content))) :])


@pytest.mark.parametrize("form", FORMS)
@settings(FUZZED, max_examples=12)
@given(data=st.data())
def test_any_mapping_and_any_choice_is_taken_or_refused(
    files: dict[str, bytes], form: str, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    names = [*headers.FIELDS[kind], "lon", "lat", "coordinates", "nothing"]
    columns = [*HEADER, "name", "location", "fid", "无", "列1", "列3"]
    mapping = data.draw(
        st.dictionaries(st.sampled_from(names), st.none() | st.sampled_from(columns), max_size=6)
    )
    read_through(
        files[form],
        kind,
        mapping,
        header=data.draw(st.sampled_from([None, True, False])),
        encoding=data.draw(st.sampled_from([None, "utf-8", "gb18030", "big5", "utf-16", "hex", "no-such"])),
        sheet=data.draw(st.sampled_from([None, "清单", "list", ""])),
        name=data.draw(st.sampled_from(["", "a.csv", "EPSG4547.txt", "高德.json", "x." + form])),
    )


CELLS = st.text(max_size=6) | st.sampled_from(
    [
        "114.3",
        "30.5",
        "114.3,30.5",
        "POINT(114.3 30.5)",
        "SRID=2326;POINT(836000 819000)",
        "38528799.7",
        "3375580",
    ]
    + [
        "POLYGON((0 0,1 1,1 0,0 0))",
        "POINT(nan nan)",
        "POINT EMPTY",
        "CURVEPOLYGON((0 0,1 1,1 0,0 0))",
        "",
        '"',
    ]
)


@FUZZED
@given(
    st.lists(
        st.lists(CELLS.map(lambda cell: cell.replace("\x00", "")), min_size=2, max_size=4),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([",", "\t"]),
    st.sampled_from([None, True, False]),
)
def test_any_table_of_text_is_mapped_or_refused(
    rows: list[list[str]], delimiter: str, header: bool | None
) -> None:
    text = "\n".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows
    )
    read_through(text.encode("utf-8", errors="replace"), header=header)


@pytest.mark.parametrize(
    "rows",
    [
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        'office:value-type="string" table:number-columns-repeated="400"><text:p>x</text:p></table:table-cell>'
        "</table:table-row>",
        '<table:table-row><table:table-cell office:value-type="string" table:number-columns-repeated="16000">'
        "<text:p>x</text:p></table:table-cell></table:table-row>",
    ],
)
def test_a_workbook_that_repeats_its_cells_a_million_times_is_refused(rows: str) -> None:
    with pytest.raises(ZhendiError, match="too large|columns"):
        readers.open_table(ods_file(rows))
