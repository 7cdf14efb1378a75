"""Lists on their way out: what a spreadsheet would run is text, positions are in the datum asked for."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from data import export, ingest, store
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
