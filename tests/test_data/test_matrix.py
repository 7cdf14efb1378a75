"""Which trades go together: the file shipped, the bank's own rows over it, and back again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import store
from data.alliances import matrix_rows
from data.alliances.matrix import (
    CODES,
    GROUP_CODES,
    PARENT,
    RANK,
    RELATIONS,
    Row,
    Terms,
    assembled,
    matrix,
    ordered_pair,
    resolved_terms,
    shipped,
    shipped_rows,
)
from data.catalogue import CATEGORIES, GROUPS
from data.rights import Role, command_line
from geo.errors import Conflict, DataError, RightsError

ID = dict(zip(CATEGORIES["code"], CATEGORIES["id"].tolist(), strict=True))
GROUP = dict(zip(GROUPS["code"], GROUPS["id"].tolist(), strict=True))


def strength(found, a, b):
    return float(found.complement[RANK[a], RANK[b]])


def competing(found, a, b):
    return bool(found.competes[RANK[a], RANK[b]])


def served(found, code):
    return {group for bit, group in enumerate(GROUP_CODES) if int(found.serves[RANK[code]]) >> bit & 1}


# --- the files ----------------------------------------------------------------------------------------------


def test_the_shipped_file_holds_each_pair_once_with_a_reason_in_both_languages():
    rows = shipped_rows()
    assert sum(row.relation == "complement" for row in rows) >= 120
    assert sum(row.relation == "compete" for row in rows) >= 20
    assert len({(row.a, row.b) for row in rows}) == len(rows)
    for row in rows:
        assert {row.a, row.b} <= set(CODES) and row.a != row.b
        assert row.relation in RELATIONS and 0 < row.strength <= 1
        assert 0 < len(row.zh) <= matrix_rows.LONGEST_REASON and not row.zh.isascii()
        assert 0 < len(row.en) <= matrix_rows.LONGEST_REASON
        assert row.en[-1] != "." and row.zh[-1] != "。"


@pytest.mark.parametrize(
    "pair",
    [
        ("tutoring", "hotel"),
        ("kindergarten", "books"),
        ("gym", "fresh_food"),
        ("photo", "restaurant"),
        ("car_sale", "car_wash"),
        ("hospital", "pharmacy"),
        ("estate", "housekeeping"),
        ("mother_baby", "kindergarten"),
        ("driving_school", "car_sale"),
        ("furniture", "construction"),
        ("hotel", "travel_agency"),
        ("factory", "snack"),
        ("office_building", "cafe"),
        ("agriculture", "fresh_food"),
    ],
)
def test_what_a_branch_head_would_expect_goes_together(pair):
    found = shipped()
    assert strength(found, *pair) >= 0.5
    assert not competing(found, *pair)
    assert all(found.reason(ID[pair[0]], ID[pair[1]], language) for language in ("zh", "en"))


def test_every_category_has_a_reach_and_whoever_sells_serves_somebody():
    found = shipped()
    assert (found.reach_m >= 200).all() and (found.reach_m <= 5000).all()
    assert (found.reach_m[RANK["breakfast"]], found.reach_m[RANK["primary_school"]]) == (300, 1500)
    nobody = {code for code in CODES if not found.serves[RANK[code]]}
    assert {PARENT[code] for code in nobody & PARENT.keys()} == {"transport", "facilities", "government"}
    assert served(found, "kindergarten") == {"families", "new_citizens", "other"}


def test_the_matrix_is_symmetric_and_nobody_completes_a_competitor():
    found = shipped()
    assert (found.complement == found.complement.T).all() and (found.competes == found.competes.T).all()
    assert not ((found.complement > 0) & found.competes).any()
    assert found.competes.diagonal().all()
    assert found.complement.dtype == np.float32 and found.rank.dtype == np.int16


def test_needs_are_top_categories_and_unknown_ids_count_as_other():
    found = shipped()
    assert found.needs[RANK["hotpot"]] == found.needs[RANK["food"]] == RANK["food"]
    assert found.rank[ID["hotpot"]] == RANK["hotpot"]
    assert found.rank[50] == RANK["other"]
    assert found.group_bit[GROUP["families"]] == GROUP_CODES.index("families")
    assert found.group_bit[50] == GROUP_CODES.index("other")


def test_of_two_that_nothing_is_said_of_there_is_no_reason():
    assert shipped().reason(ID["funeral"], ID["cinema"], "en") == ""
    assert shipped() is shipped()


# --- rows over rows -----------------------------------------------------------------------------------------


def row(a, b, relation="complement", how=0.5, why="why"):
    return Row(*ordered_pair(a, b), relation, how, why, why)


def test_a_parents_row_stands_for_its_children_and_the_more_specific_one_wins():
    found = assembled(
        [row("food", "sport", how=0.9), row("snack", "sport", "compete"), row("snack", "stadium", how=0.1)],
        {},
        "test",
    )
    assert strength(found, "bar", "swimming") == pytest.approx(0.9)
    assert strength(found, "food", "sport") == pytest.approx(0.9)
    assert competing(found, "snack", "swimming") and strength(found, "snack", "swimming") == 0
    assert strength(found, "snack", "stadium") == pytest.approx(0.1) and not competing(
        found, "snack", "stadium"
    )
    # Shipped for this very pair, and more specific than the bank's rows of the parents.
    assert strength(found, "snack", "gym") == pytest.approx(0.3)


def test_of_two_rows_alike_specific_the_one_that_competes_wins_then_the_stronger():
    found = assembled(
        [
            row("food", "gallery", how=0.9),
            row("bar", "culture", "compete", 0.1),
            row("bakery", "culture", how=0.4),
        ],
        {},
        "test",
    )
    assert competing(found, "bar", "gallery")
    assert strength(found, "bakery", "gallery") == pytest.approx(0.9)


def test_a_category_competes_with_itself_unless_a_row_of_just_that_says_otherwise():
    found = assembled([row("food", "food"), row("market", "market", how=0.3)], {}, "test")
    assert competing(found, "bar", "bar") and not competing(found, "bar", "cafe")
    assert not competing(found, "food", "food")
    assert strength(found, "market", "market") == pytest.approx(0.3)


def test_a_complement_of_strength_nothing_takes_a_pair_out():
    found = assembled([row("pharmacy", "hospital", how=0)], {}, "test")
    assert strength(found, "hospital", "pharmacy") == 0 and not competing(found, "hospital", "pharmacy")


def test_terms_of_a_parent_reach_children_that_have_none_of_their_own():
    told = resolved_terms({"education": Terms(900, ("farmers",)), "sport": Terms(None, ())})
    assert told["education"] == (900, ("farmers",))
    assert told["tutoring"] == (900, ("farmers",))
    assert told["middle_school"] == (1500, ("farmers",))  # its own reach is in the file, its groups are not
    assert told["kindergarten"].serves == ("families", "new_citizens", "other")
    assert told["sports_shop"].serves == ()
    assert told["other"] == (500, ())


pairs = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES))


@settings(max_examples=25)
@given(st.lists(st.tuples(pairs, st.sampled_from(RELATIONS), st.floats(0, 1)), max_size=12))
def test_whatever_the_bank_says_the_matrix_stays_sound(said):
    found = assembled([row(a, b, relation, how) for (a, b), relation, how in said], {}, "test")
    assert (found.complement == found.complement.T).all() and (found.competes == found.competes.T).all()
    assert not ((found.complement > 0) & found.competes).any()
    assert found.complement.min() >= 0 and found.complement.max() <= 1
    for (a, b), relation, how in {ordered_pair(*pair): (pair, *rest) for pair, *rest in said}.values():
        if a in PARENT and b in PARENT:
            assert competing(found, a, b) == (relation == "compete")
            assert strength(found, a, b) == pytest.approx(how if relation == "complement" else 0, abs=1e-6)


# --- in the store -------------------------------------------------------------------------------------------


def test_a_banks_row_lies_over_the_shipped_one_and_goes_again(town):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        assert matrix(session) is shipped()
        own = Row("pharmacy", "hospital", "compete", 0.6, " 门口两家\t抢处方 ", "")
        assert matrix_rows.save_row(session, lead, own, 0) == 1
    with store.transaction(town.engine) as session:
        found = matrix(session)
        assert found is matrix(session)
        assert competing(found, "hospital", "pharmacy")
        assert found.reason(ID["pharmacy"], ID["hospital"], "en") == "门口两家 抢处方"
        told = matrix_rows.rows(session, lead).set_index(["a", "b"]).loc["hospital", "pharmacy"]
        assert (told.own, told.shipped, told.revision, told.by) == (True, True, 1, "test:lead")
        assert matrix_rows.reset_row(session, lead, "hospital", "pharmacy", 1) == 2
    with store.reading(town.engine) as session:
        again = matrix(session)
        told = matrix_rows.rows(session, lead).set_index(["a", "b"]).loc["hospital", "pharmacy"]
    assert (again.complement == shipped().complement).all() and again.key != found.key
    assert (told.own, told.relation, told.strength, told.revision) == (False, "complement", 0.8, 2)


def test_a_pair_of_the_banks_own_is_there_and_goes_for_good(town):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        matrix_rows.save_row(session, lead, row("funeral", "cinema", how=0.2), 0)
        assert len(matrix_rows.rows(session, lead)) == len(shipped_rows()) + 1
        matrix_rows.reset_row(session, lead, "cinema", "funeral", 1)
        assert len(matrix_rows.rows(session, lead)) == len(shipped_rows())
        # Whoever adds it again goes on from where it stopped.
        assert matrix_rows.save_row(session, lead, row("funeral", "cinema"), 2) == 3


@pytest.mark.parametrize("stale", [0, 1, 7])
def test_a_stale_row_is_refused_and_says_by_whom(town, stale):
    head, lead = town.asker(Role.HEAD), town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        matrix_rows.save_row(session, head, row("cinema", "funeral"), 0)
        matrix_rows.save_row(session, head, row("cinema", "funeral", how=0.7), 1)
    with store.transaction(town.engine) as session:
        with pytest.raises(Conflict, match="test:head has changed"):
            matrix_rows.save_row(session, lead, row("cinema", "funeral", how=0.1), stale)
        assert strength(matrix(session), "cinema", "funeral") == pytest.approx(0.7)


def test_terms_are_the_banks_own_until_they_are_set_back(town):
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        made = matrix_rows.save_terms(
            session, lead, "breakfast", 0, reach_m=450, serves=["students", "students"]
        )
        assert made == 1
        found = matrix(session)
        assert found.reach_m[RANK["breakfast"]] == 450 and served(found, "breakfast") == {"students"}
        told = matrix_rows.terms(session, lead).set_index("code").loc["breakfast"]
        assert (told.reach_m, told.serves, told.own, told.revision) == (450, ("students",), True, 1)
        with pytest.raises(Conflict, match="test:lead"):
            matrix_rows.save_terms(session, lead, "breakfast", 0, reach_m=200, serves=None)
        matrix_rows.save_terms(session, lead, "breakfast", 1, reach_m=None, serves=[])
        assert served(matrix(session), "breakfast") == set()
        assert matrix_rows.reset_terms(session, lead, "breakfast", 2) == 3
        told = matrix_rows.terms(session, lead).set_index("code").loc["breakfast"]
        assert (told.reach_m, told.own) == (300, False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (row("cinema", "cinema")._replace(a="nowhere"), "no category nowhere"),
        (row("cinema", "funeral", "friends"), "no friends"),
        (row("cinema", "funeral", how=1.01), "from 0 to 1"),
        (row("cinema", "funeral", how=float("nan")), "from 0 to 1"),
        (row("cinema", "funeral", why=" "), "Say why"),
        (row("cinema", "funeral", why="x" * 201), "at most 200"),
    ],
)
def test_a_row_that_is_none_is_refused(sqlite_town, wrong, message):
    with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError, match=message):
        matrix_rows.save_row(session, sqlite_town.asker(Role.LEAD), wrong, 0)


@pytest.mark.parametrize(
    ("code", "terms", "message"),
    [
        ("nowhere", {"reach_m": 1, "serves": None}, "no category nowhere"),
        ("bar", {"reach_m": 0, "serves": None}, "A reach is more than 0"),
        ("bar", {"reach_m": float("nan"), "serves": None}, "A reach is more than 0"),
        ("bar", {"reach_m": None, "serves": ["dogs"]}, "no customer group dogs"),
    ],
)
def test_terms_that_are_none_are_refused(sqlite_town, code, terms, message):
    with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError, match=message):
        matrix_rows.save_terms(session, sqlite_town.asker(Role.LEAD), code, 0, **terms)


def test_who_may_read_reads_and_who_may_edit_edits(sqlite_town):
    with store.transaction(sqlite_town.engine) as session:
        for role in (Role.MEMBER, Role.ANALYST):
            someone = sqlite_town.asker(role)
            assert len(matrix_rows.rows(session, someone)) and len(matrix_rows.terms(session, someone))
            with pytest.raises(RightsError):
                matrix_rows.save_row(session, someone, row("cinema", "funeral"), 0)
            with pytest.raises(RightsError):
                matrix_rows.reset_row(session, someone, "cinema", "funeral", 0)
            with pytest.raises(RightsError):
                matrix_rows.save_terms(session, someone, "bar", 0, reach_m=1, serves=None)
        with pytest.raises(RightsError):
            matrix_rows.rows(session, sqlite_town.asker(Role.AUDITOR))


def test_changes_are_in_the_trail(sqlite_town):
    lead = sqlite_town.asker(Role.LEAD)
    with store.transaction(sqlite_town.engine) as session:
        matrix_rows.save_row(session, lead, row("cinema", "funeral"), 0)
        matrix_rows.reset_row(session, lead, "cinema", "funeral", 1)
        matrix_rows.save_terms(session, lead, "bar", 0, reach_m=700, serves=None)
        trail = store.audit_rows(session, command_line("tests"))
    told = trail.head(3)[["action", "subject"]].values.tolist()
    assert told == [
        ["save category terms", "bar"],
        ["reset matrix row", "funeral+cinema"],
        ["save matrix row", "funeral+cinema"],
    ]
