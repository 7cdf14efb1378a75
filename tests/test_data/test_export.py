"""Lists on their way out: what a spreadsheet would run is text, positions are in the datum asked for."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from data import export, ingest, store, tables
from data.rights import Role
from geo.datum import convert
from geo.errors import RightsError
from tests.test_data.conftest import CLI, Town

RISKY = ["=1+1", "+86 139", "-5", "@SUM(A1)", "\t=1", "\r=1", "＝好", "'=1", "普通", "", None]


def test_csv_has_the_mark_excel_needs_and_no_formula() -> None:
    content = export.to_csv(pd.DataFrame({"名称": RISKY, "n": range(len(RISKY))}))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["名称", "n"]
    assert not [row for row in rows if row[0].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows[1] == ["'=1+1", "0"]
    assert rows[9] == ["普通", "8"]


def test_a_workbook_has_text_where_a_formula_was_and_numbers_where_numbers_were() -> None:
    frame = pd.DataFrame({"=名称": RISKY, "数": [1.5, np.nan, *range(9)]})
    content = export.to_xlsx({"清单": frame, "清单/二": frame, "清单:二": frame.head(0)})
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["清单", "清单 二", "清单 二 2"]
    rows = book.get_sheet_by_name("清单").to_python()
    assert rows[0] == ["'=名称", "数"]
    assert rows[1] == ["'=1+1", 1.5]
    assert rows[2] == ["'+86 139", ""]
    assert b"<f>" not in content


def test_control_characters_and_long_cells_do_not_spoil_a_workbook() -> None:
    content = export.to_xlsx({"a": pd.DataFrame({"x": ["a\x00\x0bb", "长" * 40_000]})})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1] == ["ab"]
    assert len(rows[2][0]) == export.MAX_SHEET_CELL


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_a_layer_goes_out_in_the_datum_asked_for(sqlite_town: Town, datum: str) -> None:
    with store.transaction(sqlite_town.engine) as session:
        plain = export.layer(session, CLI, sqlite_town.branch_id, "merchants")
        found = export.layer(session, CLI, sqlite_town.branch_id, "merchants", datum=datum)
    lon, lat = convert(plain["lon"], plain["lat"], "wgs84", datum)
    assert np.allclose(found["lon"], lon, atol=1e-7) and np.allclose(found["lat"], lat, atol=1e-7)
    assert set(found["datum"]) == {datum}
    assert found["source_id"].tolist() == ["M1", "M2", "M3", "M4", "M5"]
    assert found["category"].tolist()[:2] == ["restaurant", "hotpot"]


@pytest.mark.parametrize("layer", ["merchants", "customers", "outlets", "places"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_went_out_comes_back_in_as_it_was(town: Town, layer: str, form: str) -> None:
    def taken() -> pd.DataFrame:
        with store.transaction(town.engine) as session:
            found = export.layer(session, CLI, town.branch_id, layer, datum="gcj02")
        # Lists of words are sorted when they come in.
        words = {
            name: found[name].map(lambda text: ";".join(sorted(text.split(";"))))
            for name in ("tags", "channels")
            if name in found
        }
        return found.assign(**words)

    before = taken()
    content = export.to_csv(before) if form == "csv" else export.to_xlsx({layer: before})
    with store.transaction(town.engine) as session:
        report = ingest.run_import(
            session, CLI, content, kind=layer, branch_id=town.branch_id, name=f"{layer}.{form}"
        )
    assert (report.datum, report.datum_how) == ("gcj02", "words")
    assert report.updated + report.duplicates == len(before) == report.rows
    pd.testing.assert_frame_equal(taken(), before, atol=2e-7)


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_takes_customers_out(sqlite_town: Town, role: Role) -> None:
    asker = sqlite_town.asker(role)
    with store.transaction(sqlite_town.engine) as session:
        if role not in (Role.HEAD, Role.LEAD):
            with pytest.raises(RightsError):
                export.layer(session, asker, sqlite_town.branch_id, "customers")
            return
        found = export.layer(session, asker, sqlite_town.branch_id, "customers")
    assert ("deposits" in found) == (role is Role.HEAD)
    assert found["products"].tolist()[0] == "merchant_qr;settlement"


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("form", ["geojson", "gpkg", "parquet"])
def test_a_map_layer_has_each_row_at_its_place_and_says_its_datum(
    sqlite_town: Town, tmp_path: Path, form: str, datum: str
) -> None:
    with store.transaction(sqlite_town.engine) as session:
        rows = export.layer(session, CLI, sqlite_town.branch_id, "merchants", datum=datum)
    path = tmp_path / f"merchants.{form}"
    path.write_bytes(export.to_bytes(rows, form, "商户"))
    found = geopandas.read_parquet(path) if form == "parquet" else geopandas.read_file(path)
    assert found["source_id"].tolist() == rows["source_id"].tolist()
    assert np.allclose(found.geometry.x, rows["lon"], atol=1e-7)
    assert np.allclose(found.geometry.y, rows["lat"], atol=1e-7)
    assert set(found["datum"]) == {datum}
    names = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}
    if form != "geojson":  # which knows WGS 84 alone: there the column says it
        assert found.crs.name == names[datum]


@pytest.mark.parametrize("form", list(export.WRITERS))
def test_no_form_carries_a_formula(tmp_path: Path, form: str) -> None:
    rows = geopandas.GeoDataFrame(
        {"name": ["=1+1", "+86", "@x", "-1", "\tx", "\rx"], "lon": 114.0, "lat": 30.0},
        geometry=shapely.points(np.full(6, 114.0), np.full(6, 30.0)),
        crs=4326,
    )
    path = tmp_path / f"list.{form}"
    path.write_bytes(export.to_bytes(rows, form, "a"))
    if form == "parquet":
        names = geopandas.read_parquet(path)["name"]
    elif form == "csv":
        names = pd.read_csv(path, dtype=str)["name"]
    elif form == "xlsx":
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes())).get_sheet_by_index(0)
        names = pd.Series([row[0] for row in sheet.to_python()[1:]])
    else:
        names = geopandas.read_file(path)["name"]
    assert len(names) == 6 and names.str.startswith("'").all()


def test_only_the_rows_asked_for_go_out_in_their_order(sqlite_town: Town) -> None:
    ids = [sqlite_town.ids["M3"], sqlite_town.ids["M1"]]
    with store.transaction(sqlite_town.engine) as session:
        found = export.layer(session, CLI, sqlite_town.branch_id, "merchants", ids=ids)
    assert found["source_id"].tolist() == ["M3", "M1"]


def test_a_lists_own_columns_go_out_again(sqlite_town: Town) -> None:
    with store.transaction(sqlite_town.engine) as session:
        said = update(tables.merchants).where(tables.merchants.c.id == sqlite_town.ids["M2"])
        session.execute(said.values(attributes='{"楼层": "3F", "name": "taken already"}'))
        found = export.layer(session, CLI, sqlite_town.branch_id, "merchants")
    assert found["楼层"].tolist() == ["", "3F", "", "", ""]
    assert "taken already" not in set(found["name"])


def test_places_go_out_with_their_shapes_shifted(sqlite_town: Town) -> None:
    square = shapely.box(114.0, 30.0, 114.01, 30.01)
    with store.transaction(sqlite_town.engine) as session:
        place = session.scalars(select(tables.places.c.id).order_by(tables.places.c.id)).first()
        session.execute(update(tables.places).where(tables.places.c.id == place).values(shape=square.wkb))
        found = export.layer(session, CLI, sqlite_town.branch_id, "places", datum="gcj02")
    shape = found.geometry.iloc[0]
    x, y = convert([114.0], [30.0], "wgs84", "gcj02")
    assert shape.geom_type == "Polygon"
    assert shape.bounds[0] == pytest.approx(x[0], abs=1e-5) and shape.bounds[1] == pytest.approx(
        y[0], abs=1e-5
    )
