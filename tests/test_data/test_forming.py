"""Alliances proposed for a branch: one street worked out by hand, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import update

from data import bulk, snapshots, store, tables
from data.alliances import forming
from data.alliances.forming import FEW_MERCHANTS, NO_GROUPS, NO_LINKS, proposed, scores_of, spoken_for
from data.alliances.held import form_alliance
from data.alliances.links import refuse_link
from data.alliances.matrix import shipped
from data.catalogue import CATEGORIES, GROUPS
from data.rights import Asker, Role, command_line
from geo.catchment import destination
from geo.errors import RightsError

ME = command_line("tests")
LON, LAT = 114.3, 30.5
ID = dict(zip(CATEGORIES["code"], CATEGORIES["id"].tolist(), strict=True))
FAMILIES = int(GROUPS.set_index("code").loc["families", "id"])
# 500 m is the reach of each; the kindergarten goes with both others, which know nothing of each other.
SHOPS = [("photo", 100.0), ("kindergarten", 500.0), ("books", 900.0)]
PEOPLE = [(-200.0, 40), (300.0, 50), (700.0, 60), (1200.0, 70)]


def place(metres):
    return destination(LON, LAT, 90 if metres >= 0 else 270, abs(metres))


def street(engine, shops=SHOPS, people=PEOPLE, code="S"):
    """
    Store a branch on a street from west to east, and return its id and the merchants' ids.

    metres   -200  100  300  500  700  900  1200
    families   40        50        60          70
    merchants     photo    kinder.    books
    """
    with store.transaction(engine) as session:
        branch_id = store.add_branch(session, ME, code=code, name="街口支行", lon=LON, lat=LAT, is_demo=True)
        where = [place(metres) for _code, metres in shops]
        rows = pd.DataFrame(
            {
                "branch_id": branch_id,
                "source_id": [f"M{number}" for number in range(len(shops))],
                "name": [f"测试{number}号店" for number in range(len(shops))],
                "initials": "cs",
                "category_id": [ID[code] for code, _metres in shops],
                "status": "known",
                "lon": [lon for lon, _lat in where],
                "lat": [lat for _lon, lat in where],
            }
        )
        ids = bulk.insert_numbered(session, tables.merchants, rows).tolist() if shops else []
        homes = [place(metres) for metres, _size in people]
        groups = pd.DataFrame(
            {
                "branch_id": branch_id,
                "source_id": [f"C{number}" for number in range(len(people))],
                "existing": False,
                "group_id": FAMILIES,
                "size": [size for _metres, size in people],
                "tags": "",
                "channels": "",
                "lon": [lon for lon, _lat in homes],
                "lat": [lat for _lon, lat in homes],
            }
        )
        if people:
            bulk.insert_numbered(session, tables.customers, groups)
        store.new_version(session, ME, branch_id, "import")
    return branch_id, ids


def test_an_alliance_worked_out_by_hand(engine):
    branch_id, (photo, kindergarten, books) = street(engine)
    found = proposed(snapshots.snapshot(engine, branch_id), ME, shipped(), at_most=3)
    (one,) = found.alliances
    assert one.members[0] == one.lead == kindergarten and set(one.members) == {photo, kindergarten, books}
    assert one.longest_m == pytest.approx(800, abs=0.5)
    worth = one.scores
    by_member = dict(zip(worth.members, zip(worth.served, worth.gained, strict=True), strict=True))
    # The kindergarten serves those at 300 and 700 m; the others bring it those at both ends.
    assert by_member[kindergarten] == (110, 110)
    assert by_member[photo] == (90, 130)  # serves 40 + 50; the others serve 60 + 70 besides
    assert by_member[books] == (130, 90)
    assert worth.profit == pytest.approx(90 / 130) and worth.nobody_loses
    assert (worth.covered, worth.scope, worth.convenience) == (220, 220, 1.0)
    assert worth.median_m == pytest.approx(200, abs=0.5)
    assert {CATEGORIES.set_index("id").loc[need, "code"] for need in worth.needs} == {
        "living",
        "education",
        "shopping",
    }
    assert np.isnan(worth.saving_yuan)
    assert (one.adds, found.covered, found.covered_share, found.bound, found.exact) == (
        220,
        220,
        1.0,
        1.0,
        True,
    )
    assert (found.candidates, found.why) == (1, None)


def test_the_scope_is_the_circle_asked_for(sqlite_engine):
    branch_id, _ids = street(sqlite_engine)
    found = proposed(snapshots.snapshot(sqlite_engine, branch_id), ME, shipped(), radius_m=250.0)
    assert (found.scope, found.covered) == (40, 40)
    assert found.alliances[0].scores.served  # gains are of all customers


def test_offers_tell_which_needs_are_covered_and_what_they_save(sqlite_engine):
    branch_id, (photo, kindergarten, books) = street(sqlite_engine)
    snapshot = snapshots.snapshot(sqlite_engine, branch_id)
    told = scores_of(snapshot, ME, shipped(), [photo, kindergarten, books], {photo: 30.0, books: None})
    assert {CATEGORIES.set_index("id").loc[need, "code"] for need in told.needs} == {"living", "shopping"}
    assert told.saving_yuan == 30.0
    assert len(scores_of(snapshot, ME, shipped(), [photo, kindergarten]).needs) == 2


def test_members_that_are_gone_or_closed_count_for_nothing(sqlite_engine):
    branch_id, (photo, kindergarten, books) = street(sqlite_engine)
    with store.transaction(sqlite_engine) as session:
        closing = update(tables.merchants).where(tables.merchants.c.id == books)
        session.execute(closing.values(status="closed"))
        store.new_version(session, ME, branch_id, "edit")
    snapshot = snapshots.snapshot(sqlite_engine, branch_id)
    told = scores_of(snapshot, ME, shipped(), [photo, kindergarten, books, 10_000])
    assert told.members == (photo, kindergarten)
    nobody = scores_of(snapshot, ME, shipped(), [])
    assert (nobody.members, nobody.covered, nobody.nobody_loses) == ((), 0, None)


def test_who_is_in_an_alliance_and_what_was_refused_is_left_out(engine):
    branch_id, (photo, kindergarten, books) = street(engine)
    snapshot = snapshots.snapshot(engine, branch_id)
    with store.transaction(engine) as session:
        refuse_link(session, ME, branch_id, photo, kindergarten, reason="已有合作")
        taken, refused = spoken_for(session, ME, branch_id)
        assert (taken, refused) == (frozenset(), {(min(photo, kindergarten), max(photo, kindergarten))})
        found = proposed(snapshot, ME, shipped(), taken=taken, refused=refused)
        assert found.alliances == () and found.why == (NO_GROUPS, {"metres": 1000})
        form_alliance(session, ME, branch_id, "街口联盟", [photo, books])
        taken, _refused = spoken_for(session, ME, branch_id)
        assert taken == {photo, books}
        assert proposed(snapshot, ME, shipped(), taken=taken).why == (FEW_MERCHANTS, {"count": 1})


@pytest.mark.parametrize(
    ("shops", "people", "why"),
    [
        ([], [], (FEW_MERCHANTS, {"count": 0})),
        (SHOPS[:1], PEOPLE, (FEW_MERCHANTS, {"count": 1})),
        ([(code, 0.0) for code, _metres in SHOPS], PEOPLE, (NO_LINKS, {})),  # nobody brings anybody
        (SHOPS, [], (NO_LINKS, {})),
        ([("other", 100.0 * place) for place in range(5)], PEOPLE, (NO_LINKS, {})),
    ],
    ids=["none", "one", "one point", "no customers", "without category"],
)
def test_where_there_is_nothing_to_propose_it_says_why(sqlite_engine, shops, people, why):
    branch_id, _ids = street(sqlite_engine, shops, people)
    found = proposed(snapshots.snapshot(sqlite_engine, branch_id), ME, shipped())
    assert (found.alliances, found.why, found.covered) == ((), why, 0)
    assert found.exact and found.bound in (0.0, pytest.approx(np.nan, nan_ok=True))


def test_figures_of_fewer_than_five_are_hidden_from_who_may_not_see_customers(sqlite_engine):
    branch_id, (photo, kindergarten, books) = street(
        sqlite_engine, people=[(-200.0, 4), (300.0, 50), (700.0, 60)]
    )
    snapshot = snapshots.snapshot(sqlite_engine, branch_id)
    analyst = Asker("test:analyst", Role.ANALYST, frozenset({branch_id}))
    ids = [photo, kindergarten, books]
    seen, hidden = (scores_of(snapshot, who, shipped(), ids) for who in (ME, analyst))
    assert seen.gained == (60, 4, 54) and seen.profit == pytest.approx(4 / 110)
    assert hidden.gained[0] == 60 and np.isnan(hidden.gained[1]) and np.isnan(hidden.gains[1])
    assert np.isnan(hidden.profit) and hidden.nobody_loses is None
    assert hidden.convenience == seen.convenience


def test_alliances_are_for_whoever_reads_plans(sqlite_engine):
    branch_id, ids = street(sqlite_engine)
    snapshot = snapshots.snapshot(sqlite_engine, branch_id)
    auditor = Asker("test:auditor", Role.AUDITOR)
    elsewhere = Asker("test:lead", Role.LEAD, frozenset({branch_id + 1}))
    for who in (auditor, elsewhere):
        with pytest.raises(RightsError):
            proposed(snapshot, who, shipped())
        with pytest.raises(RightsError):
            scores_of(snapshot, who, shipped(), ids)


def test_links_that_are_given_are_taken_as_they_are(sqlite_engine):
    branch_id, (photo, kindergarten, books) = street(sqlite_engine)
    snapshot = snapshots.snapshot(sqlite_engine, branch_id)
    links = pd.DataFrame(
        {"a": [photo, photo, 9999], "b": [kindergarten, books, photo], "score": [0.5, 0.9, 0.9]}
    )
    (one,) = proposed(snapshot, ME, shipped(), links=links).alliances
    assert one.members == (photo, books, kindergarten)
    assert one.score == pytest.approx(0.7)
    assert proposed(snapshot, ME, shipped(), links=links[:0]).why == (forming.NO_LINKS, {})


def test_in_whatever_is_proposed_each_member_gains_by_the_rule(sqlite_engine):
    """Every member is linked with another inside, and a link alone brings it a tenth."""
    draw = np.random.default_rng(4)
    codes = draw.choice(["photo", "kindergarten", "books", "restaurant", "hotel", "beauty", "gym"], 40)
    shops = list(zip(codes.tolist(), draw.uniform(0, 3000, 40).tolist(), strict=True))
    people = list(zip(draw.uniform(-500, 3500, 80).tolist(), draw.integers(20, 60, 80).tolist(), strict=True))
    branch_id, _ids = street(sqlite_engine, shops, people)
    found = proposed(snapshots.snapshot(sqlite_engine, branch_id), ME, shipped(), at_most=5)
    assert len(found.alliances) >= 2
    assert all(one.scores.profit >= 0.1 and one.scores.nobody_loses for one in found.alliances)
    assert all(one.longest_m <= 1000.5 and 3 <= len(one.members) <= 12 for one in found.alliances)
    assert sum(one.adds for one in found.alliances) == found.covered
    assert found.covered_share <= found.bound <= 1
