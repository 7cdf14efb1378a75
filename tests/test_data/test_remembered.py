"""What a branch remembers of its lists: ways of reading, and what category words mean."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from data import store, tables
from data.lists import remembered
from data.meaning import kinds
from data.rights import Role, command_line
from geo.errors import DataError, NotFound, RightsError

CLI = command_line("tests")
HEADERS = ("商户名称", "类别", "经度", "纬度")
MAPPING = {"name": "商户名称", "category": "类别", "phone": None, "lon": "经度", "lat": "纬度"}


def kept(town, name="高德导出", headers=HEADERS, mapping=MAPPING, **options):
    with store.transaction(town.engine) as session:
        return store.keep_profile(
            session, CLI, town.branch_id, "merchants", name, headers=headers, mapping=mapping, **options
        )


def found(town, headers=HEADERS, kind="merchants", branch_id=None):
    with store.reading(town.engine) as session:
        return store.profile_for(session, CLI, branch_id or town.branch_id, kind, headers)


def trail(town):
    with store.reading(town.engine) as session:
        return [(row.action, row.subject, row.detail) for row in session.execute(select(tables.audit))]


def test_a_list_is_read_as_the_last_one_with_its_headers(town):
    profile_id = kept(town, datum="gcj02", encoding="gb18030")
    profile = found(town, tuple(reversed(HEADERS)))
    assert profile is not None
    assert (profile.id, profile.name, profile.kind) == (profile_id, "高德导出", "merchants")
    assert (profile.mapping, profile.datum, profile.encoding) == (MAPPING, "gcj02", "gb18030")
    assert profile.by == "cli:tests"
    assert found(town, (*HEADERS, "电话")) is None
    assert found(town, kind="outlets") is None
    assert found(town, branch_id=town.other_id) is None


def test_the_same_name_again_is_the_newer_way_of_reading(town):
    first = kept(town)
    second = kept(town, " 高德  导出 ", datum="bd09")
    third = kept(town, "高德导出", headers=(*HEADERS, "电话"), mapping=MAPPING | {"phone": "电话"})
    assert first == third != second
    assert found(town).id == second
    assert found(town, (*HEADERS, "电话")).id == first
    with store.reading(town.engine) as session:
        named = [one.name for one in store.profiles(session, CLI, town.branch_id)]
        assert store.profiles(session, CLI, town.branch_id, "places") == []
    assert named == ["高德导出", "高德 导出"]


def test_lists_without_headers_are_not_taken_for_each_other(town):
    kept(town, headers=("列1", "列2"), mapping={"name": "列1", "coordinates": "列2"})
    assert found(town, ("列1", "列2")) is None
    with store.reading(town.engine) as session:
        assert len(store.profiles(session, CLI, town.branch_id, "merchants")) == 1


def test_a_way_of_reading_is_forgotten_once(town):
    profile_id = kept(town)
    with pytest.raises(NotFound), store.transaction(town.engine) as session:
        store.forget_profile(session, CLI, town.other_id, profile_id)
    with store.transaction(town.engine) as session:
        store.forget_profile(session, CLI, town.branch_id, profile_id)
    assert found(town) is None
    with pytest.raises(NotFound), store.transaction(town.engine) as session:
        store.forget_profile(session, CLI, town.branch_id, profile_id)
    assert [line[:2] for line in trail(town)[-2:]] == [
        ("keep profile", f"merchants {profile_id}"),
        ("forget profile", f"merchants {profile_id}"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 121},
        {"mapping": {"name": "不在"}},
        {"mapping": {"nonsense": "类别"}},
        {"datum": "mars"},
    ],
)
def test_what_cannot_be_read_is_not_kept(sqlite_town, wrong):
    with pytest.raises(DataError):
        kept(sqlite_town, **wrong)
    assert found(sqlite_town) is None


@pytest.mark.parametrize(
    ("headers", "file_name", "name"),
    [
        (("名称", "高德经度"), "a.csv", "Gaode export"),
        (("name", "lng_bd09"), "a.csv", "Baidu export"),
        (("name", "@id"), "export.geojson", "OpenStreetMap extract"),
        (("企业名称", "统一社会信用代码"), "企业.xlsx", "Company register"),
        (("名称",), "商户清单_20261122(1).xlsx", "商户清单"),
        (("名称",), "2026年11月.csv", "List without a name"),
    ],
)
def test_a_source_is_called_after_whose_list_it_is(headers, file_name, name):
    assert remembered.proposed_name(headers, file_name) == name


def test_words_mean_what_the_branch_said_last(town):
    with store.transaction(town.engine) as session:
        count = store.keep_words(
            session, CLI, town.branch_id, {"猫 咖": "cafe", "Ｂ类；网点": "outlet:bank", " ": "cafe"}
        )
        assert count == 2
    with store.transaction(town.engine) as session:
        store.keep_words(session, CLI, town.branch_id, {"猫_咖": "pet"})
        assert store.category_words(session, town.branch_id) == {"猫_咖": "pet", "b类;网点": "outlet:bank"}
        assert store.category_words(session, town.other_id) == {}
    with store.transaction(town.engine) as session:
        assert store.forget_words(session, CLI, town.branch_id, ["猫 咖", "不知"]) == 1
        assert store.category_words(session, town.branch_id) == {"b类;网点": "outlet:bank"}
    lines = [line for line in trail(town) if "category words" in line[0]]
    assert [(action, detail) for action, _, detail in lines] == [
        ("keep category words", {"words": 2}),
        ("keep category words", {"words": 1}),
        ("forget category words", {"words": 1}),
    ]
    assert all("猫" not in str(line) for line in lines)


def test_a_word_means_a_category_that_exists(sqlite_town):
    for code in ("nonsense", "outlet:church", ""):
        with pytest.raises(DataError), store.transaction(sqlite_town.engine) as session:
            store.keep_words(session, CLI, sqlite_town.branch_id, {"猫咖": code})
    with store.transaction(sqlite_town.engine) as session:
        assert store.keep_words(session, CLI, sqlite_town.branch_id, {}) == 0
        assert kinds.is_code("outlet:atm") and kinds.is_code("food") and not kinds.is_code("outlet:")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.AUDITOR, Role.ADMIN])
def test_who_may_not_import_reads_and_keeps_nothing(sqlite_town, role):
    asker, branch_id = sqlite_town.asker(role), sqlite_town.branch_id
    asked = [
        lambda session: store.keep_words(session, asker, branch_id, {"猫咖": "cafe"}),
        lambda session: store.forget_words(session, asker, branch_id, ["猫咖"]),
        lambda session: store.profiles(session, asker, branch_id),
        lambda session: store.profile_for(session, asker, branch_id, "merchants", HEADERS),
        lambda session: store.profile_for(session, asker, branch_id, "merchants", ("列1",)),
        lambda session: store.forget_profile(session, asker, branch_id, 1),
        lambda session: store.keep_profile(
            session, asker, branch_id, "merchants", "x", headers=HEADERS, mapping=MAPPING
        ),
    ]
    for question in asked:
        with pytest.raises(RightsError), store.transaction(sqlite_town.engine) as session:
            question(session)
