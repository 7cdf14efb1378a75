"""Branches, people, points set aside, edits, search: what they do; who may is in test_rights."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import func, select

from data import store, tables
from data.rights import Asker, Role, command_line
from geo.errors import Conflict, DataError, NotFound

CLI = command_line("tests")


def found(town, text, **options):
    with store.reading(town.engine) as session:
        return store.search(session, CLI, town.branch_id, text, **options)["name"].tolist()


def test_who_opens_a_branch_belongs_to_it(town):
    with store.transaction(town.engine) as session:
        person_id = store.add_person(session, CLI, name="支行长", role=Role.HEAD)
        head = Asker("h", Role.HEAD, person_id=person_id)
        branch_id = store.add_branch(session, head, code=" C ", name=" 新支行 ", lon=114.0, lat=30.0)
        people = store.people(session, CLI, branch_id)
        opened = store.branch(session, CLI, "C")
    assert people["name"].tolist() == ["支行长"]
    assert people["branch_ids"].tolist() == [(branch_id,)]
    assert (opened["id"], opened["name"], opened["version"]) == (branch_id, "新支行", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": ""},
        {"code": "x" * 41},
        {"code": "a\nb"},
        {"name": " "},
        {"name": "x" * 201},
        {"lon": math.nan},
        {"lon": 181.0},
        {"lat": 90.0},
    ],
)
def test_a_branch_needs_a_code_a_name_and_a_point(sqlite_engine, wrong):
    right = {"code": "C", "name": "新支行", "lon": 114.0, "lat": 30.0}
    with pytest.raises(DataError), store.transaction(sqlite_engine) as session:
        store.add_branch(session, CLI, **(right | wrong))


def test_a_code_is_given_once(town):
    with store.transaction(town.engine) as session, pytest.raises(Conflict, match="A"):
        store.add_branch(session, CLI, code="A", name="x", lon=1, lat=1)


def test_an_unknown_branch_is_not_found(town):
    with store.reading(town.engine) as session:
        for which in ("nobody", 999):
            with pytest.raises(NotFound):
                store.branch(session, CLI, which)


def test_the_demo_goes_with_all_it_has_and_stays_on_record(town):
    with store.transaction(town.engine) as session:
        store.remove_branch(session, CLI, town.branch_id)
        left = [
            session.scalar(select(func.count()).select_from(table))
            for table in (tables.merchants, tables.customers, tables.holdings, tables.data_versions)
        ]
        trail = store.audit_rows(session, CLI, town.branch_id)
    assert left == [0, 0, 0, 0]
    assert trail["action"].tolist()[0] == "remove branch"


def test_a_real_branch_is_never_removed(town):
    with store.transaction(town.engine) as session, pytest.raises(Conflict):
        store.remove_branch(session, CLI, town.other_id)


@pytest.mark.parametrize("radius_m", [0.0, -1.0, 1e9, math.nan])
def test_a_radius_by_hand_is_a_distance(town, radius_m):
    with store.transaction(town.engine) as session:
        with pytest.raises(DataError):
            store.set_radius(session, CLI, town.branch_id, radius_m)
        store.set_radius(session, CLI, town.branch_id, 800.0)
        assert store.branch(session, CLI, town.branch_id)["radius_m"] == 800.0


def test_search_finds_a_part_of_a_name(town):
    assert found(town, "人民") == ["人民饭店", "人民路超市", "我行人民路支行", "甲银行人民路支行"]
    assert found(town, "小区") == ["幸福小区"]


def test_search_finds_initials_in_any_case(town):
    assert found(town, "LWJL") == ["老王酒楼"]
    assert found(town, "rml") == ["人民路超市", "我行人民路支行", "甲银行人民路支行"]
    assert found(town, "happy") == ["Happy 100%_火锅"]


@pytest.mark.parametrize(
    ("text", "names"), [("%", 1), ("_", 1), ("100%_", 1), ("a%y", 0), ("\\", 0), ("'", 0)]
)
def test_search_takes_every_character_as_itself(town, text, names):
    assert len(found(town, text)) == names


def test_search_never_finds_customers_or_another_branch(town):
    assert found(town, "张三") == []
    with store.reading(town.engine) as session:
        assert store.search(session, CLI, town.other_id, "人民").empty


def test_search_for_nothing_finds_nothing_and_keeps_to_its_limit(town):
    assert found(town, "  ") == []
    assert len(found(town, "人", limit=2)) == 2


def test_rows_come_in_the_order_asked_for(town):
    wanted = [town.ids[number] for number in ("M3", "M1", "M5")]
    with store.reading(town.engine) as session:
        rows = store.merchant_rows(session, CLI, town.branch_id, [*wanted, 999_999])
        others = store.merchant_rows(session, CLI, town.other_id, wanted)
    assert rows["source_id"].tolist() == ["M3", "M1", "M5"]
    assert others.empty
    assert "manager" in others


def test_an_edit_makes_a_version_and_a_stale_one_is_refused(town):
    with store.transaction(town.engine) as session:
        version = store.edit_merchant(session, CLI, town.ids["M1"], 0, status="signed", note="上门")
        card = store.merchant_card(session, CLI, town.ids["M1"])
        assert (version, card["status"], card["note"], card["revision"]) == (2, "signed", "上门", 1)
        with pytest.raises(Conflict):
            store.edit_merchant(session, CLI, town.ids["M1"], 0, status="closed")
        with pytest.raises(DataError):
            store.edit_merchant(session, CLI, town.ids["M1"], 1, status="nonsense")


def test_what_is_gone_is_not_found(town):
    with store.transaction(town.engine) as session:
        for ask in (store.merchant_card, store.outlet_card, store.place_card, store.customer_card):
            with pytest.raises(NotFound):
                ask(session, CLI, 999_999)


def test_setting_aside_says_who_what_and_why_and_makes_a_version(town):
    with store.transaction(town.engine) as session:
        version = store.set_aside(session, CLI, town.branch_id, "customers", town.ids["C4"], " 太远 ")
        store.set_aside(session, CLI, town.branch_id, "merchants", town.ids["M1"], "已迁走")
        rows = store.asides(session, CLI, town.branch_id)
    assert version == 2
    assert rows[["layer", "row_id", "reason", "by"]].to_numpy().tolist() == [
        ["merchants", town.ids["M1"], "已迁走", "cli:tests"],
        ["customers", town.ids["C4"], "太远", "cli:tests"],
    ]
    assert rows["name"].tolist()[0] == "老王酒楼"
    assert rows["name"].isna().tolist() == [False, True]  # a customer's name is not told here


def test_setting_aside_needs_a_reason_a_layer_and_a_point_of_the_branch(town):
    with store.transaction(town.engine) as session:
        aside = ("merchants", town.ids["M1"], "x")
        store.set_aside(session, CLI, town.branch_id, *aside)
        with pytest.raises(Conflict):
            store.set_aside(session, CLI, town.branch_id, *aside)
        with pytest.raises(NotFound):
            store.set_aside(session, CLI, town.other_id, *aside)
        for wrong in (("merchants", 1, " "), ("outlets", 1, "x"), ("merchants", 1, "x" * 501)):
            with pytest.raises(DataError):
                store.set_aside(session, CLI, town.branch_id, *wrong)
        store.take_back(session, CLI, town.branch_id, "merchants", town.ids["M1"])
        with pytest.raises(NotFound):
            store.take_back(session, CLI, town.branch_id, "merchants", town.ids["M1"])


def test_each_version_keeps_its_figures(town):
    with store.transaction(town.engine) as session:
        store.set_aside(session, CLI, town.branch_id, "customers", town.ids["C4"], "太远")
        rows = store.versions(session, CLI, town.branch_id)
    assert rows["number"].tolist() == [2, 1]
    assert rows["cause"].tolist() == ["set aside", "import"]
    radii = [kept["radius_m"] for kept in rows["figures"]]
    assert radii == pytest.approx([1000.0, 2000.0], abs=1e-3)
    before = rows["figures"].tolist()[1]["figures"]
    assert before["customers"]["value"] == 3
    assert before["customer_coverage"]["denominator"] == 54
    assert before["deposits"] == {"value": 60_000.0, "numerator": 60_000.0, "denominator": 2.0}


def test_a_person_can_be_given_another_role(town):
    with store.transaction(town.engine) as session:
        store.set_role(session, CLI, town.member_id, Role.LEAD, [town.other_id])
        people = store.people(session, CLI)
        with pytest.raises(NotFound):
            store.set_role(session, CLI, 999, Role.LEAD, [])
        with pytest.raises(DataError):
            store.add_person(session, CLI, name=" ")
    assert people[["role", "branch_ids"]].to_numpy().tolist() == [["lead", (town.other_id,)]]


def test_before_any_list_there_is_no_source(town):
    with store.reading(town.engine) as session:
        assert store.latest_source(session, CLI, town.other_id) is None
        assert store.batches(session, CLI, town.other_id).empty
