"""The page that brings lists in: empty, a good list, bad rows, an unknown datum, files that are no lists."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select
from streamlit.testing.v1 import AppTest

from data import ingest, store, tables
from data.rights import Role
from tests.test_pages.conftest import Visit, texts

GOOD = "商户编号,商户名称,类别,经度(WGS84),纬度(WGS84)\n" + "".join(
    f"M{row},店{row},超市,{114.30 + row / 1000:.4f},30.6\n" for row in range(1, 11)
)
SILENT = GOOD.replace("(WGS84)", "")
HALF_BAD = GOOD + "".join(f"B{row},坏{row},超市,,\n" for row in range(12))


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, content, "") for name, content in files])
    return app.run()


def run_button(app: AppTest) -> object:
    return next(each for each in app.button if each.label.startswith("Import "))


def merchants(engine: Engine) -> int:
    with store.reading(engine) as session:
        return int(session.scalar(select(func.count()).select_from(tables.merchants)) or 0)


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}


def step(app: AppTest, title: str) -> object:
    """Return the box of a step, or of an import in the history: its label says how it stands."""
    return next(each for each in app.expander if each.label.startswith(f"**{title}**") or title in each.label)


def button(app: AppTest, label: str) -> object:
    return next(each for each in app.button if each.label.startswith(label))


def test_without_a_branch_the_page_leads_to_one(visit: Visit, sqlite_engine: Engine) -> None:
    app = visit("import")
    assert "there is none yet" in app.info[0].value
    assert not app.exception


def test_before_the_first_list_the_page_says_what_a_list_needs(visit: Visit, branch: int) -> None:
    said = texts(visit("import"))
    assert "One row a shop" in said
    assert "Nothing yet" in said


def test_a_list_that_proves_its_datum_comes_in_and_stands_in_the_history(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode("gb18030")))
    assert metrics(app) == {"New": "10", "Updated": "0", "Known already": "0", "Rejected": "0"}
    assert "WGS 84" in step(app, "Position").label
    assert "change" in step(app, "Position").label, "what is certain is one line"
    run_button(app).click().run()
    assert not app.exception
    assert merchants(sqlite_engine) == 10
    assert metrics(app)["New"] == "10"
    assert "10 new, 0 updated" in step(app, "Merchants").label
    assert "list\\.csv" in texts(app)


def test_a_list_that_proves_nothing_asks_with_three_candidates(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", SILENT.encode()))
    ask = step(app, "Position").radio[0]
    assert len(ask.options) == 3
    assert "from the branch" in ask.proto.captions[0]
    assert run_button(app).disabled
    assert not app.metric, "what becomes of the rows is not known yet"
    ask.set_value("gcj02").run()
    assert "as you chose" in step(app, "Position").label
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 10


def test_above_one_half_rejected_the_user_is_asked_first(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = upload(visit("import"), ("list.csv", HALF_BAD.encode()))
    assert metrics(app)["Rejected"] == "12"
    assert run_button(app).disabled
    app.checkbox[0].check().run()
    run_button(app).click().run()
    assert merchants(sqlite_engine) == 10


@pytest.mark.parametrize(("lang", "reason"), [("en", "The row has no coordinates."), ("zh", "坐标")])
def test_rejected_rows_are_listed_with_row_and_reason_in_the_users_language(
    visit: Visit, branch: int, lang: str, reason: str
) -> None:
    app = upload(visit("import", lang=lang), ("list.csv", HALF_BAD.encode()))
    listed = next(each.value for each in app.dataframe if len(each.value) == 12)
    assert listed.iloc[0, 0] == 12
    assert reason in listed.iloc[0, 2]
    counted = next(each.value for each in app.dataframe if len(each.value) == 1)
    assert counted.iloc[0, 1] == 12


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("binary.csv", bytes(range(256)) * 20),
        ("page.csv", b"<html><body>no list</body></html>"),
        ("cut.xlsx", b"PK\x03\x04 cut"),
        ("nowhere.csv", "名称,类别\n店,超市\n".encode()),
        ("header.csv", "名称,经度,纬度\n".encode()),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole_and_the_page_goes_on(
    visit: Visit, branch: int, sqlite_engine: Engine, name: str, content: bytes
) -> None:
    app = upload(visit("import"), (name, content))
    assert not app.exception
    assert len(app.error) == 1
    assert "our side" not in app.error[0].value
    assert merchants(sqlite_engine) == 0
    assert metrics(upload(app, ("list.csv", GOOD.encode())))["New"] == "10"


def test_of_two_files_a_bad_one_does_not_keep_the_good_one_out(visit: Visit, branch: int) -> None:
    app = upload(visit("import"), ("empty.csv", b""), ("list.csv", GOOD.encode()))
    assert len(app.error) == 1
    assert not run_button(app).disabled


def test_an_import_that_fails_keeps_nothing_and_says_so(
    visit: Visit, branch: int, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = upload(visit("import"), ("list.csv", GOOD.encode()))

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(ingest, "run_import", fail)
    run_button(app).click().run()
    assert "our side" in app.error[0].value
    assert merchants(sqlite_engine) == 0


@pytest.mark.parametrize("role", [Role.MEMBER, Role.AUDITOR, Role.ADMIN])
def test_who_may_not_import_is_not_offered_the_page(visit: Visit, branch: int, role: Role) -> None:
    with pytest.raises(StopIteration):
        visit("import", role=role)
