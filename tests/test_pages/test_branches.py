"""The page of branches: empty, adding one's own, mistakes, the demo."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data import demo, store
from data.rights import Role
from geo.datum import convert
from geo.errors import DatumError
from pages import branches
from tests.test_pages.conftest import ME, Visit, make_branch, texts

ADD = "Add this branch"


def button(app: AppTest, label: str) -> object:
    return next(each for each in app.button if each.label == label)


def fill(app: AppTest, **given: str) -> AppTest:
    fields = {
        "name": "Name of the branch",
        "code": "Branch code",
        "position": "Position: longitude, latitude",
    }
    for field, text in given.items():
        box = next(each for each in app.text_input if each.label == fields[field])
        box.set_value(text)
    return app.run()


def stored(engine: Engine) -> list[tuple[str, str]]:
    with store.reading(engine) as session:
        known = store.branches(session, ME)
    return list(zip(known["code"], known["name"], strict=True))


def test_an_empty_store_leads_to_a_branch_of_ones_own_and_to_the_demo(
    visit: Visit, sqlite_engine: Engine
) -> None:
    app = visit("branches")
    assert "no branch yet" in app.info[0].value
    assert {ADD, "Make the demo town"} <= {each.label for each in app.button}


def test_a_branch_is_added_where_its_coordinates_say_and_the_page_goes_on_to_its_first_list(
    visit: Visit, sqlite_engine: Engine
) -> None:
    app = fill(visit("branches"), name="河湾支行", code="HW-01", position="114.3052，30.5928")
    button(app, ADD).click().run()
    assert not app.exception
    assert not app.error
    assert stored(sqlite_engine) == [("HW-01", "河湾支行")]
    assert app.query_params["branch"] == "HW-01"
    assert app.title[0].value == "Import lists"


def test_coordinates_of_gaode_are_stored_as_wgs84(visit: Visit, sqlite_engine: Engine) -> None:
    app = fill(visit("branches"), name="河湾支行", code="HW", position="114.3052, 30.5928")
    next(each for each in app.selectbox if each.label == "Where the coordinates come from").set_value(
        "gcj02"
    ).run()
    button(app, ADD).click().run()
    with store.reading(sqlite_engine) as session:
        branch = store.branch(session, ME, "HW")
    lon, lat = convert(114.3052, 30.5928, "gcj02", "wgs84")
    assert branch["lon"] == pytest.approx(float(lon), abs=1e-6)
    assert branch["lat"] == pytest.approx(float(lat), abs=1e-6)


def test_what_is_missing_is_named_and_nothing_is_stored(visit: Visit, sqlite_engine: Engine) -> None:
    app = fill(visit("branches"), name="河湾支行")
    button(app, ADD).click().run()
    assert "Branch code" in app.warning[0].value
    assert "Position" in app.warning[0].value
    assert stored(sqlite_engine) == []


def test_a_code_that_is_taken_is_said_and_what_was_typed_stays(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = fill(visit("branches"), name="东乡支行", code="HW", position="114.3, 30.6")
    button(app, ADD).click().run()
    assert "HW" in app.error[0].value
    assert stored(sqlite_engine) == [("HW", "河湾支行")]
    assert "东乡支行" in [each.value for each in app.text_input]


@pytest.mark.parametrize("text", ["", "114.3", "河湾路", "114.3, 30.5, 2", "300, 30", "500, 95"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(DatumError):
        branches.read_point(text, "wgs84")


def test_latitude_before_longitude_is_told_the_other_way_round() -> None:
    with pytest.raises(DatumError, match=r"write 114\.3, 30\.5"):
        branches.read_point("30.5, 114.3", "wgs84")


@pytest.mark.parametrize(
    "text", ["114.3,30.5", " 114.3 30.5 ", "１１４．３，３０．５", "(114.3; 30.5)", "114.3，30.5"]
)
def test_a_position_is_read_however_it_was_copied(text: str) -> None:
    assert branches.read_point(text, "wgs84") == (114.3, 30.5)


def test_the_demo_is_marked_and_ones_own_branch_is_not(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = visit("branches")
    assert "Demo" not in [str(each.value) for each in app.markdown]
    make_branch(sqlite_engine, "DEMO", "清河支行", is_demo=True)
    assert any("Demo" in str(each.value) and "identity" not in str(each.value) for each in app.run().markdown)


def test_before_the_demo_is_removed_the_page_asks_once_more(
    visit: Visit, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_branch(sqlite_engine, "DEMO", "清河支行", is_demo=True)
    removed: list[object] = []
    monkeypatch.setattr(demo, "remove_demo", lambda *given: removed.append(given))
    app = visit("branches")
    button(app, "Remove the demo town").click().run()
    assert not removed
    assert {"Remove", "Keep it"} <= {each.label for each in app.button}


@pytest.mark.parametrize("role", [Role.LEAD, Role.MEMBER, Role.ANALYST, Role.AUDITOR])
def test_who_may_not_open_branches_is_told_so(visit: Visit, branch: int, role: Role) -> None:
    app = visit("branches", role=role)
    assert ADD not in [each.label for each in app.button]
    assert "for branch heads and administrators" in texts(app)


def test_a_name_is_shown_as_it_is_written(visit: Visit, sqlite_engine: Engine) -> None:
    make_branch(sqlite_engine, "X", "**粗** [链接](http://x) <b>b</b>")
    app = visit("branches")
    assert any(r"\*\*粗\*\*" in str(each.value) for each in app.markdown)
