"""What was brought in before: listed, reported, compared and taken back, after a look at what came later."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from data import ingest, store, tables
from data.lists.reasons import REASONS, VISIT_REASONS
from data.rights import Role
from pages.parts import workshop_history
from pages.parts.workshop_review import REASON_NAMES
from tests.test_pages.conftest import ME, Visit, texts
from tests.test_pages.test_imports import GOOD, button, merchants, run_button, step, upload


def bring(engine: Engine, branch: int, listed: str, name: str, source: str | None = None) -> int:
    with store.transaction(engine) as session:
        report = ingest.run_import(
            session, ME, listed.encode(), kind="merchants", branch_id=branch, name=name, source=source
        )
    assert report.batch is not None
    return report.batch


def edit_first(engine: Engine) -> None:
    with store.transaction(engine) as session:
        row = session.execute(select(tables.merchants).order_by(tables.merchants.c.id)).first()
        assert row is not None
        store.edit_merchant(session, ME, row.id, row.revision, status="signed")


def box(app: AppTest, text: str) -> object:
    return next(each for each in app.expander if text in each.label)


def test_a_mistake_is_undone_with_one_click_and_the_file_can_be_brought_in_anew(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode()))
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 10
    button(app, "Undo this import").click().run()
    assert not app.exception
    assert merchants(sqlite_engine) == 0
    assert "10 rows removed" in app.success[0].value
    assert "undone" in box(app, "Merchants").label
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 10


@pytest.mark.parametrize(("keep", "left"), [("later", 1), ("none", 0)])
def test_what_was_changed_since_is_shown_and_the_user_chooses(
    visit: Visit, branch: int, sqlite_engine: Engine, keep: str, left: int
) -> None:
    bring(sqlite_engine, branch, GOOD, "list.csv")
    edit_first(sqlite_engine)
    app = visit("import")
    button(app, "Undo this import").click().run()
    assert merchants(sqlite_engine) == 10, "nothing happens before the choice"
    assert "changed since" in texts(app)
    touched = next(each.value for each in app.dataframe if "What" in each.value)
    assert touched["What"].tolist() == ["changed by hand"]
    app.radio(key="import_undo_how").set_value(keep).run()
    button(app, "Undo the import").click().run()
    assert merchants(sqlite_engine) == left


def test_an_import_tells_how_it_was_read_and_what_it_did(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    bring(sqlite_engine, branch, GOOD + "B1,坏,超市,,\n", "list.csv", source="街道名单")
    app = visit("import")
    said = texts(box(app, "街道名单")).replace("\\", "")
    for part in ("list.csv", "街道名单", "WGS 84", "商户名称", "New 10", "Rejected 1", "No coordinates 1"):
        assert part in said, part


def test_two_imports_are_compared(visit: Visit, branch: int, sqlite_engine: Engine) -> None:
    first = bring(sqlite_engine, branch, GOOD, "first.csv")
    changed = GOOD.replace("M2,店2", "M2,新店2").replace("M10,", "M11,")
    second = bring(sqlite_engine, branch, changed, "second.csv")
    assert first < second
    app = visit("import")
    button(app, "Compare with another").click().run()
    assert not app.exception
    assert {each.label for each in app.metric} >= {"New", "Missing", "Moved", "Changed"}


def test_the_report_of_an_import_can_be_taken_along(branch: int, sqlite_engine: Engine) -> None:
    bring(sqlite_engine, branch, GOOD, "list.csv")
    with store.reading(sqlite_engine) as session:
        batch = store.batches(session, ME, branch).iloc[0]
    told = workshop_history.told(batch)
    assert "list.csv" in told.values()


def test_rejected_rows_come_as_a_file_to_mend_with_their_own_columns() -> None:
    from data.lists.rejected import rejected_rows
    from data.words import say

    listed = GOOD + "B1,坏一,超市,,\nB2,坏二,超市,abc,30.6\n"
    rejects = pd.DataFrame(
        {
            "row": [12, 13],
            "column": ["经度(WGS84)", "经度(WGS84)"],
            "reason": ["no_coordinates", "not_a_number"],
            "params": [{}, {"value": "abc"}],
        }
    )
    found = rejected_rows(
        io.BytesIO(listed.encode()), rejects, lambda text, **given: say(text, "en", **given), name="x.csv"
    )
    assert found["商户名称"].tolist() == ["坏一", "坏二"]
    assert found["Row"].tolist() == [12, 13]
    assert "“abc” is not a coordinate" in found["Why it was rejected"][1]


def test_of_a_row_with_too_few_or_too_many_cells_nothing_is_left_out_of_the_file_to_mend() -> None:
    from data.lists.rejected import rejected_rows

    listed = '名称,地址,备注\n甲,"东街,3号",好\n乙\n丙,西街,一,"二,三"\n'
    rejects = pd.DataFrame({"row": [3, 4], "column": ["", ""], "reason": ["ragged", "ragged"]})
    rejects["params"] = [{"expected": 3, "found": 1}, {"expected": 3, "found": 4}]
    found = rejected_rows(listed.encode(), rejects, str.format, name="x.csv")
    assert found[["名称", "地址", "备注"]].to_numpy().tolist() == [["乙", "", ""], ["丙", "西街", "一,二,三"]]
    assert found.iloc[1, -1] == "The row has 4 cells, the header 3."


def test_older_imports_are_shown_on_demand(visit: Visit, branch: int, sqlite_engine: Engine) -> None:
    for number in range(workshop_history.FIRST + 1):
        bring(sqlite_engine, branch, GOOD.replace("店", f"铺{number}"), f"{number}.csv")
    app = visit("import")
    shown = [each for each in app.expander if "new" in each.label]
    assert len(shown) == workshop_history.FIRST
    app.toggle(key="import_history").set_value(True).run()
    assert len([each for each in app.expander if "new" in each.label]) == workshop_history.FIRST + 1


def test_a_lead_may_undo_and_a_member_sees_no_history(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    bring(sqlite_engine, branch, GOOD, "list.csv")
    app = visit("import", role=Role.LEAD)
    assert step(app, "Merchants")
    with pytest.raises(StopIteration):
        visit("import", role=Role.MEMBER)


def test_every_reason_a_row_is_rejected_for_has_a_name() -> None:
    assert {*REASONS, *VISIT_REASONS} == REASON_NAMES.keys()
