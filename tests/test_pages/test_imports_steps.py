"""The steps of an import: each proposes, says how sure it is, lets itself be changed, and remembers."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from data import ingest, store, tables
from data.lists.watching import Watch
from data.rights import Role
from pages.parts import workshop
from tests.test_pages.conftest import ME, Visit, texts
from tests.test_pages.test_imports import GOOD, button, merchants, metrics, run_button, step, upload

HEAD = "商户编号,商户名称,类别,电话,经度(WGS84),纬度(WGS84),租金\n"
# Beside what `known` has stored: the same shop for certain, one that may be, and one nobody knows.
AGAIN = (
    HEAD
    + ",好邻居便利店,超市,13800000001,114.3101,30.6000,1\n"
    + ",川渝火锅（江汉路店）,餐饮,,114.3208,30.6000,2\n"
    + ",全新书店,书店,13800000003,114.3300,30.6000,3\n"
)
STRANGE = HEAD + "".join(f"S{row},小店{row},云上疗愈,,{114.3 + row / 1000:.4f},30.6,\n" for row in range(4))


@pytest.fixture
def known(branch: int, sqlite_engine: Engine) -> int:
    """A branch with two merchants, brought in under the name of a source."""
    listed = HEAD + "K1,好邻居便利店,超市,13800000001,114.3100,30.6,\n" + "K2,川渝火锅,餐饮,,114.3200,30.6,\n"
    with store.transaction(sqlite_engine) as session:
        report = ingest.run_import(
            session,
            ME,
            listed.encode(),
            kind="merchants",
            branch_id=branch,
            name="first.csv",
            source="街道名单",
        )
    assert report.accepted == 2
    return branch


def column(app: AppTest, header: str) -> object:
    return next(each for each in app.selectbox if each.label == header)


def badges(app: AppTest) -> str:
    return texts(step(app, "Columns"))


# The file -------------------------------------------------------------------------------------------------


def test_the_encoding_is_named_and_can_be_changed(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode("gb18030")))
    assert "GB18030" in step(app, "File").label
    column(app, "Encoding of the text").set_value("utf-8").run()
    assert "not utf-8" in app.error[0].value


def test_a_list_without_column_names_is_read_when_told(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode()))
    choice = next(each for each in app.radio if each.label == "Column names")
    choice.set_value(False).run()
    assert "no row of column names" in step(app, "File").label
    assert not app.exception


def test_the_same_file_again_is_noticed_before_anything_else(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode()))
    run_button(app).click().run()
    app = upload(visit("import"), ("again.csv", GOOD.encode()))
    assert "brought in already" in app.warning[0].value
    assert not app.metric
    button(app, "Bring it in all the same").click().run()
    assert metrics(app)["New"] == "0"


def test_a_large_file_is_read_when_asked_and_not_at_every_change(
    visit: Visit, branch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.workshop_work.LARGE_BYTES", 10)
    app = upload(visit("import"), ("list.csv", GOOD.encode()))
    assert not app.metric
    assert "large file" in app.info[0].value
    button(app, "Read the list through").click().run()
    assert metrics(app)["New"] == "10"


def test_a_reading_stopped_leaves_the_choices_and_can_be_begun_again(
    visit: Visit, branch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit("import")
    with monkeypatch.context() as patch:
        patch.setattr("pages.parts.state.stopped", lambda _file: Anything())
        app = upload(app, ("list.csv", GOOD.encode()))
    assert "stopped" in app.info[0].value
    button(app, "Read the list through").click().run()
    assert metrics(app)["New"] == "10"


class Anything:
    """Equal to whatever it is compared with."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


# Columns --------------------------------------------------------------------------------------------------


def test_columns_are_proposed_and_what_is_no_field_is_kept(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", AGAIN.encode()))
    assert "kept as it is" in step(app, "Columns").label
    assert column(app, "商户名称").value == "name"
    assert "sure" in badges(app)


def test_a_column_takes_a_field_from_the_column_that_had_it(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", AGAIN.encode()))
    button_of = next(each for each in app.toggle if each.label.startswith("Show the other"))
    button_of.set_value(True).run()
    column(app, "租金").set_value("phone").run()
    assert column(app, "电话").value == ""
    assert column(app, "租金").value == "phone"


def test_a_fields_own_column_that_is_to_be_none_is_said_to_be_left_out(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", AGAIN.encode()))
    column(app, "电话").set_value("").run()
    assert "one left out" in step(app, "Columns").label
    run_button(app).click().run()
    with store.reading(sqlite_engine) as session:
        stored = session.execute(select(tables.merchants.c.phone, tables.merchants.c.attributes)).all()
    assert {row.phone for row in stored} == {None}
    assert not any("13800000001" in (row.attributes or "") for row in stored)
    assert any("租金" in row.attributes for row in stored)


def test_columns_without_coordinates_are_asked_for(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", "名称,甲,乙\n店,书,画\n".encode()))
    assert any("longitude and latitude" in each.value for each in app.warning)
    assert not any(each.label.startswith("Import ") for each in app.button)


def test_a_source_is_remembered_reused_and_forgotten(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode()))
    name = next(each for each in app.text_input if "source" in each.label)
    name.set_value("街道办名单").run()
    run_button(app).click().run()
    app = upload(visit("import"), ("next.csv", GOOD.replace("店1,", "新店,").encode()))
    assert "read as last time: 街道办名单" in step(app, "Columns").label
    button(app, "Forget how it is read").click().run()
    assert "as last time" not in step(app, "Columns").label
    with store.reading(sqlite_engine) as session:
        assert store.profiles(session, ME, branch) == []


def test_what_a_source_was_in_last_time_is_said_and_not_taken_for_proof(visit: Visit, branch: int) -> None:
    silent = GOOD.replace("(WGS84)", "")
    app = upload(visit("import"), ("list.csv", silent.encode()))
    step(app, "Position").radio[0].set_value("gcj02").run()
    run_button(app).click().run()
    app = upload(visit("import"), ("next.csv", silent.replace("店1,", "新店,").encode()))
    assert "Last time" in texts(step(app, "Position"))
    assert run_button(app).disabled


# Categories -----------------------------------------------------------------------------------------------


def test_an_unknown_word_is_mapped_once_and_remembered(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", STRANGE.encode()))
    assert "one word not known (4 rows)" in step(app, "Categories").label
    column(app, "云上疗愈").set_value("beauty")
    button(app, "Apply").click().run()
    assert "one word explained" in step(app, "Categories").label
    run_button(app).click().run()
    with store.reading(sqlite_engine) as session:
        assert set(store.category_words(session, branch).values()) == {"beauty"}
        stored = session.scalars(select(tables.merchants.c.category_id).distinct()).all()
    assert len(stored) == 1


def test_unknown_words_can_be_left_as_other(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", STRANGE.encode()))
    button(app, "Leave the rest").click().run()
    assert "change" in step(app, "Categories").label


# Doubles --------------------------------------------------------------------------------------------------


def test_rows_known_already_are_updated_kept_or_left_out_as_chosen(visit: Visit, known: int) -> None:
    app = upload(visit("import"), ("again.csv", AGAIN.encode()))
    assert "updated" in step(app, "Doubles").label
    before = metrics(app)
    policy = next(each for each in app.radio if "known already" in each.label)
    policy.set_value("skip").run()
    assert "left out" in step(app, "Doubles").label
    assert int(metrics(app)["Known already"]) == int(before["Known already"]) + int(before["Updated"])


def test_probable_doubles_are_shown_side_by_side_and_decided_together(
    visit: Visit, known: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("again.csv", AGAIN.encode()))
    said = texts(step(app, "Doubles"))
    assert "川渝火锅（江汉路店）" in said.replace("\\", "")
    button(app, "All 1 open ones: The same shop").click().run()
    assert "change" in step(app, "Doubles").label, "what is decided is closed"
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 3


def test_a_probable_double_left_open_is_taken_with_a_mark_and_settled_later(
    visit: Visit, known: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("again.csv", AGAIN.encode()))
    button(app, "Decide later").click().run()
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 4
    assert "One double to review" in [each.label for each in app.expander]
    button(app, "Join them").click().run()
    assert merchants(sqlite_engine) == 3


# Review ---------------------------------------------------------------------------------------------------


def test_a_complete_list_proposes_what_it_lacks_as_closed(
    visit: Visit, known: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("again.csv", AGAIN.replace(",川渝火锅（江汉路店）", ",别家面馆").encode()))
    next(each for each in app.text_input if "source" in each.label).set_value("街道名单").run()
    next(each for each in app.toggle if "complete" in each.label).set_value(True).run()
    assert any("is not in this list" in each.value for each in app.warning)
    next(each for each in app.checkbox if "closed" in each.label).check().run()
    run_button(app).click().run()
    with store.reading(sqlite_engine) as session:
        closed = session.scalars(
            select(tables.merchants.c.name).where(tables.merchants.c.status == "closed")
        ).all()
    assert closed == ["川渝火锅"]


def test_a_list_of_another_town_is_noticed(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.replace(",114.", ",116.").encode()))
    assert any("far off" in each.value for each in app.warning)


def test_an_import_cut_short_between_rows_keeps_nothing_and_can_be_begun_again(
    visit: Visit, branch: int, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode()))
    at = Watch.at

    def cut(self: Watch, stage: str, done: int, total: int) -> None:
        at(self, stage, done, total)
        if stage == "storing":
            raise OSError("cut short")

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "at", cut)
        run_button(app).click().run()
    assert merchants(sqlite_engine) == 0
    assert len(app.error) == 1
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 10


def test_an_analyst_brings_customers_in_without_seeing_those_stored(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    listed = "姓名,客群,经度(WGS84),纬度(WGS84)\n客户0,学生,114.301,30.601\n新人,学生,114.3,30.6\n"
    app = visit("import", role=Role.ANALYST)
    app.segmented_control(key="import_kind").set_value("customers").run()
    app = upload(app, ("people.csv", listed.encode()))
    assert not app.exception
    assert "客户1" not in texts(app)
    assert workshop.KINDS["customers"]
