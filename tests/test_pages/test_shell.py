"""The frame: who may come in, in which language, as whom, and what is said when something fails."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data import store
from data.rights import Role
from pages import branches
from pages.parts import identity
from tests.test_pages.conftest import LOCAL, ME, SHELL, Visit, make_branch, texts


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "[::1]:8501", "127.0.0.2:80", "LOCALHOST:1"])
def test_a_request_to_a_loopback_host_is_answered(host: str) -> None:
    assert identity.loopback_only([("Host", host)], "127.0.0.1")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Host", "")],
        [("Host", "bank.example")],
        [("Host", "192.168.1.5:8501")],
        [("Host", "127.0.0.1.evil.example")],
        [("Host", "127.0.0.1"), ("host", "evil.example")],
        [("Host", "127.0.0.1"), ("X-Forwarded-For", "10.0.0.1")],
        [("Host", "127.0.0.1"), ("FORWARDED", "for=10.0.0.1")],
        [("Host", "127.0.0.1"), ("x-forwarded-host", "bank.example")],
    ],
)
def test_any_other_request_is_refused(headers: list[tuple[str, str]]) -> None:
    assert not identity.loopback_only(headers, "127.0.0.1")


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.5", "bank.example"])
def test_a_server_that_others_can_reach_refuses_everyone(address: str | None) -> None:
    assert not identity.loopback_only(LOCAL, address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_a_server_on_loopback_answers(address: str) -> None:
    assert identity.loopback_only(LOCAL, address)


def test_a_refused_visitor_sees_no_branch_and_no_page(
    sqlite_engine: Engine, from_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_branch(sqlite_engine)
    monkeypatch.setattr(identity, "request_headers", lambda: [("Host", "bank.example")])
    app = AppTest.from_file(str(SHELL), default_timeout=60).run()
    assert len(app.error) == 1
    assert "河湾支行" not in texts(app)
    assert not app.title
    assert not app.selectbox


def test_the_language_follows_the_browser_and_can_be_switched(visit: Visit, branch: int) -> None:
    app = visit("branches", lang="zh")
    assert app.title[0].value == "网点"
    app.segmented_control[0].set_value("en").run()
    assert app.title[0].value == "Branches"
    assert app.query_params["lang"] == "en"


def test_without_a_choice_a_chinese_browser_gets_chinese_and_another_english(
    from_here: None, sqlite_engine: Engine
) -> None:
    for locale, word in (("zh-TW", "演示身份"), ("fr-FR", "Demo identity"), (None, "演示身份")):
        app = AppTest.from_file(str(SHELL), default_timeout=60)
        app.context = {"locale": locale}
        assert word in texts(app.run())


def test_every_page_says_that_nobody_signed_in(visit: Visit, branch: int) -> None:
    for path in ("", "import", "branches"):
        said = texts(visit(path))
        assert "Demo identity" in said
        assert "Branch head" in said
        assert "河湾支行" in said


def test_the_demo_identity_changes_role_and_branch(visit: Visit, branch: int, sqlite_engine: Engine) -> None:
    make_branch(sqlite_engine, "DX", "东乡支行")
    app = visit("branches")
    chooser = {box.label: box for box in app.selectbox}
    chooser["Branch"].set_value("DX").run()
    assert "东乡支行" in app.caption[-1].value or "东乡支行" in texts(app)
    assert app.query_params["branch"] == "DX"
    {box.label: box for box in app.selectbox}["Role"].set_value(Role.AUDITOR).run()
    assert "Auditor" in texts(app)
    assert not app.exception


def test_a_link_to_a_branch_that_is_not_there_says_so_and_opens_another(visit: Visit, branch: int) -> None:
    app = visit(branch="NOWHERE")
    assert "NOWHERE" in app.warning[0].value
    assert app.query_params["branch"] == "HW"


def test_a_branch_of_ones_own_opens_before_the_demo(visit: Visit, sqlite_engine: Engine) -> None:
    make_branch(sqlite_engine, "DEMO", "演示支行", is_demo=True)
    make_branch(sqlite_engine)
    assert visit("branches").query_params["branch"] == "HW"


def test_a_member_is_one_who_manages_customers_at_the_branch(
    seeded: int, sqlite_engine: Engine, from_here: None
) -> None:
    who = identity.demo_identity(Role.MEMBER, "HW")
    with store.reading(sqlite_engine) as session:
        people = store.people(session, ME, seeded)
    assert who.person_id == int(people["id"].iloc[0])
    assert who.branch_ids == {seeded}


def test_what_fails_is_said_calmly_and_logged_without_its_values(
    visit: Visit, branch: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = "张三" + " 13800000000"  # a traceback shows lines of code, and no values

    def fail(*_: object) -> None:
        raise RuntimeError(person)

    monkeypatch.setattr(branches, "branch_list", fail)
    with caplog.at_level(logging.ERROR):
        app = visit("branches")
    assert not app.exception
    assert "nothing was changed" in app.error[0].value
    assert "RuntimeError" in caplog.text
    assert person not in caplog.text
    assert person not in app.error[0].value


@pytest.mark.parametrize("role", list(Role))
def test_no_role_breaks_a_page(visit: Visit, seeded: int, role: Role) -> None:
    for path in ("import", "branches"):
        app = visit("branches", role=role) if path == "branches" else visit(role=role)
        assert not app.exception
