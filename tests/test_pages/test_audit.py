"""The audit trail, and what whoever reads it or keeps the people finds elsewhere."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from data import store
from data.rights import Role
from pages import audit
from pages.parts import words
from pages.parts.ways import Way
from tests.test_pages.conftest import ME, Visit, texts


def test_an_auditor_reads_in_words_what_was_done(visit: Visit, seeded: int) -> None:
    app = visit("audit", role=Role.AUDITOR)
    assert not app.error
    shown = app.dataframe[0].value
    assert "Added a branch" in set(shown["What was done"])
    assert "河湾支行" in set(shown["Branch"])
    assert ME.name in set(shown["Who"])


SAID = [
    ("merchant 12", "商户 12", "merchant 12"),
    ("merchants 12", "商户 12", "merchant 12"),
    ("customers", "客户", "customers"),
    ("unplaced customers", "无坐标的客户", "customers without a place"),
    ("unplaced 4", "无坐标的行 4", "row without a place 4"),
    ("batch 7", "批次 7", "batch 7"),
    ("HW", "HW", "HW"),
    ("HW 2", "HW 2", "HW 2"),
]
DETAILED = [
    ({"removed": 1234, "kept": 0}, "删除 1,234、保留原样 0", "removed 1,234, left as they are 0"),
    (
        {"batch": 1234, "fields": "lat, lon, note"},
        "批次 1234、列 位置、备注",
        "batch 1234, columns position, note",
    ),
    ({"kind": "merchants", "rows": 2}, "名单类型 商户、行数 2", "list of merchants, rows 2"),
    (
        {"given": "lead", "same": True},
        "角色 外拓负责人、是同一家 是",
        "role Outreach lead, one and the same yes",
    ),
    ({"given": None, "unheard": "x"}, "角色 -、unheard x", "role -, unheard x"),
    ({}, "", ""),
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_reads_the_trail_in_the_own_language(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "language", lambda: language)
    at = 1 if language == "zh" else 2
    assert [audit.subject(row[0]) for row in SAID] == [row[at] for row in SAID]
    assert [audit.details(row[0]) for row in DETAILED] == [row[at] for row in DETAILED]


def test_an_empty_trail_says_so(visit: Visit, sqlite_engine: Engine) -> None:
    assert "Nothing has been looked at or changed yet." in texts(visit("audit", role=Role.AUDITOR))


def test_a_trail_that_cannot_be_read_is_said_calmly(
    visit: Visit, branch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(audit.store, "audit_rows", fail)
    app = visit("audit")
    assert not app.exception
    assert len(app.error) == 1


@pytest.mark.parametrize("role", [Role.LEAD, Role.MEMBER, Role.ANALYST, Role.ADMIN])
def test_the_trail_is_not_offered_to_others(visit: Visit, branch: int, role: Role) -> None:
    addresses = {page.get("url_pathname") for page in visit(role=role)._registered_pages.values()}
    assert Way.BRANCHES in addresses
    assert Way.AUDIT not in addresses


@pytest.mark.parametrize(
    ("role", "way"), [(Role.AUDITOR, "Read the audit trail"), (Role.ADMIN, "See the branches")]
)
def test_whoever_may_not_see_the_map_is_led_on(visit: Visit, seeded: int, role: Role, way: str) -> None:
    app = visit(role=role)
    assert not app.error
    assert way in [link.proto.label for link in app.get("page_link")]


def test_an_administrator_opens_a_branch_and_stays_where_branches_are(
    visit: Visit, branch: int, sqlite_engine: Engine
) -> None:
    app = visit("branches", role=Role.ADMIN)
    assert "Open the map" not in [button.label for button in app.button]
    fields = {field.label: field for field in app.text_input}
    fields["Name of the branch"].set_value("东乡支行")
    fields["Branch code"].set_value("DX")
    fields["Position: longitude, latitude"].set_value("114.4, 30.5")
    next(button for button in app.button if button.label == "Add this branch").click().run()
    assert not app.error and not app.exception
    with store.reading(sqlite_engine) as session:
        assert "DX" in set(store.branches(session, ME)["code"])
