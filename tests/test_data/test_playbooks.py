"""Playbooks: the ones shipped, the bank's own in their place, and back again."""

from __future__ import annotations

import pytest

from data import catalogue, store
from data.rights import Role
from data.zones.playbooks import (
    KIND_NAMES,
    LONGEST_LINE,
    MOST_LINES,
    PARTS,
    kind_products,
    playbooks,
    reset_playbook,
    save_playbook,
    shipped,
)
from geo.errors import Conflict, DataError, RightsError
from geo.plans import KINDS

OWN = {
    "targets": ["早餐店老板"],
    "motives": ["  出摊早，\t收摊也早 ", ""],
    "selling_points": ["早上六点上门"],
    "products": [4, 0, 4],
}


def codes(products):
    code_of = dict(zip(catalogue.PRODUCTS["id"], catalogue.PRODUCTS["code"], strict=True))
    return [code_of[product] for product in products]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_playbook_in_both_languages_with_as_many_lines(kind):
    zh, en = shipped(kind, "zh"), shipped(kind, "en")
    for part in PARTS:
        assert getattr(zh, part)
        assert len(getattr(zh, part)) == len(getattr(en, part))
        assert all(len(line) <= LONGEST_LINE for line in getattr(zh, part) + getattr(en, part))
    assert zh.products == en.products
    assert zh.products
    assert not zh.own
    assert set(KIND_NAMES) == set(KINDS)


def test_a_street_is_offered_what_the_practice_offers_it(sqlite_town):
    with store.reading(sqlite_town.engine) as session:
        found = kind_products(session)
    assert codes(found["street"]) == ["merchant_qr", "settlement", "e_banking", "working_capital_loan"]
    assert codes(found["park"]) == ["payroll", "revolving_loan", "bills", "supply_chain"]


def test_the_bank_writes_its_own_in_one_language_and_goes_back(town):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        assert save_playbook(session, lead, "street", 0, **OWN) == 1
    with store.reading(town.engine) as session:
        zh, en = (playbooks(session, lead, town.branch_id, language=each) for each in ("zh", "en"))
        assert kind_products(session)["street"] == (4, 0)
    assert zh["street"].targets == ("早餐店老板",)
    assert zh["street"].motives == ("出摊早， 收摊也早",)
    assert (zh["street"].own, zh["street"].revision, zh["street"].by) == (True, 1, "test:lead")
    assert en["street"].targets == shipped("street", "en").targets
    assert en["street"].products == (4, 0)
    assert zh["park"] == shipped("park", "zh")
    with store.transaction(town.engine) as session:
        assert reset_playbook(session, lead, "street", 1) == 2
    with store.reading(town.engine) as session:
        back = playbooks(session, lead)["street"]
    assert (back.own, back.revision) == (False, 2)
    assert back.targets == shipped("street").targets


def test_a_stale_playbook_is_refused_and_says_whose_came_first(town):
    lead, head = town.asker(Role.LEAD), town.asker(Role.HEAD)
    with store.transaction(town.engine) as session:
        save_playbook(session, lead, "park", 0, **OWN)
    for revision in (0, 2):
        with (
            pytest.raises(Conflict, match="test:lead has changed"),
            store.transaction(town.engine) as session,
        ):
            save_playbook(session, head, "park", revision, **{**OWN, "targets": ["别人"]})
    with store.reading(town.engine) as session:
        assert playbooks(session, head)["park"].targets == ("早餐店老板",)


def test_reading_takes_the_right_to_plans_and_writing_the_right_to_edit_them(sqlite_town):
    with store.transaction(sqlite_town.engine) as session:
        for role in (Role.HEAD, Role.LEAD, Role.MEMBER, Role.ANALYST):
            assert set(playbooks(session, sqlite_town.asker(role), sqlite_town.branch_id)) == set(KINDS)
        for role in (Role.AUDITOR, Role.ADMIN):
            with pytest.raises(RightsError):
                playbooks(session, sqlite_town.asker(role))
        for role in (Role.MEMBER, Role.ANALYST, Role.AUDITOR, Role.ADMIN):
            with pytest.raises(RightsError):
                save_playbook(session, sqlite_town.asker(role), "street", 0, **OWN)
            with pytest.raises(RightsError):
                reset_playbook(session, sqlite_town.asker(role), "street", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"products": [51]},
        {"targets": ["字" * (LONGEST_LINE + 1)]},
        {"motives": ["一行"] * (MOST_LINES + 1)},
    ],
)
def test_what_makes_no_playbook_is_refused(sqlite_town, wrong):
    with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError):
        save_playbook(session, sqlite_town.asker(Role.LEAD), "street", 0, **{**OWN, **wrong})
    with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError, match="kind among"):
        save_playbook(session, sqlite_town.asker(Role.LEAD), "lake", 0, **OWN)
