"""Visits recorded by hand: who may, what is kept, and what becomes of them when something is taken back."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select, update

from data import changes, snapshots, store, tables
from data.lists import updating
from data.rights import Role
from data.zones import intervals
from data.zones.visits import LONGEST_TEXT, add_visit, next_steps, visit_counts, visited_lately, visits
from geo.errors import DataError, NotFound, RightsError
from geo.visits import STATES, day_number
from tests.test_data.conftest import CLI

TODAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def on_one_day(monkeypatch):
    """Let it be one day."""
    for module in ("data.zones.intervals", "data.zones.visits"):
        monkeypatch.setattr(f"{module}.today", lambda: TODAY)


def ago(days):
    return TODAY - timedelta(days=days)


def record(town, whom, *, asker=None, **more):
    """Record a visit to a merchant (M…) or a customer (C…) and return its id."""
    asker = asker or town.asker(Role.MEMBER)
    target = {"merchant_id" if whom.startswith("M") else "customer_id": town.ids[whom]}
    with store.transaction(town.engine) as session:
        return add_visit(session, asker, town.branch_id, **target, **more)


def read(town, asker=None, **more):
    with store.transaction(town.engine) as session:
        return visits(session, asker or town.asker(Role.MEMBER), town.branch_id, **more)


def visited(town, whom):
    """Return a row's day in the working set."""
    held = town.snapshot()
    layer = held.merchants if whom.startswith("M") else held.customers
    return int(layer.visited[layer.row_of(town.ids[whom])])


def same_when_loaded_anew(town):
    """Return whether the working set that was mended is the one that is read anew."""
    mended = town.snapshot()
    with store.reading(town.engine) as session:
        fresh = snapshots.load(session, town.branch_id)
    return all(
        np.array_equal(getattr(mended, layer).visited, getattr(fresh, layer).visited)
        and np.array_equal(getattr(mended, layer).id, getattr(fresh, layer).id)
        for layer in ("merchants", "customers")
    )


def test_without_any_visits_everyone_is_never(town):
    held = town.snapshot()
    assert (held.merchants.visited == -1).all() and (held.customers.visited == -1).all()
    assert {STATES[each] for each in intervals.merchant_states(held.merchants)} == {"never"}
    assert {STATES[each] for each in intervals.customer_states(held.customers)} == {"never"}
    assert read(town).empty


def test_a_visit_is_kept_with_all_that_was_said(town):
    told = {"result": "有意办收款码", "next_step": "带资料再去", "next_day": date(2026, 12, 1)}
    visit_id = record(town, "M2", day=ago(3), **told)
    (row,) = read(town, merchant_id=town.ids["M2"]).to_dict("records")
    assert row["id"] == visit_id
    assert (row["person"], row["merchant"], row["customer_id"]) == ("小陈", "Happy 100%_火锅", None)
    assert (row["day"], row["by"]) == (ago(3), "test:member")
    assert {name: row[name] for name in told} == told
    assert read(town, merchant_id=town.ids["M1"]).empty


def test_what_was_said_is_sealed_in_the_store_and_absent_from_the_trail(town):
    record(town, "M2", result="王经理电话 13900000000")
    with town.engine.connect() as connection:
        raw = connection.exec_driver_sql("SELECT result FROM visits").scalar_one()
        trail = connection.execute(select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert b"13900000000" not in bytes(raw)
    assert (trail.action, trail.subject) == ("record visit", f"merchant {town.ids['M2']}")
    assert "1390" not in str(trail)


def test_the_working_set_is_mended_with_the_latest_visit_of_each(town):
    before = town.snapshot()
    record(town, "M2", day=ago(10))
    assert visited(town, "M2") == day_number(ago(10))
    record(town, "M2", day=ago(40))
    assert visited(town, "M2") == day_number(ago(10))
    record(town, "C5", day=ago(1))
    record(town, "M2", day=ago(2))
    assert (visited(town, "M2"), visited(town, "C5")) == (day_number(ago(2)), day_number(ago(1)))
    assert visited(town, "M1") == -1
    assert town.snapshot().version == before.version + 4
    assert (before.merchants.visited == -1).all()
    assert same_when_loaded_anew(town)


def test_states_follow_status_and_the_day(town):
    # M2 is signed: 90 days; M1 is known: 180.
    record(town, "M2", day=ago(80))
    record(town, "M1", day=ago(80))
    merchants = town.snapshot().merchants
    state = {name: merchants.row_of(town.ids[name]) for name in ("M1", "M2", "M3")}
    now = intervals.merchant_states(merchants)
    assert {name: STATES[now[at]] for name, at in state.items()} == {
        "M1": "on_track",
        "M2": "due",
        "M3": "never",
    }
    later = intervals.merchant_states(merchants, TODAY + timedelta(days=11))
    assert STATES[later[state["M2"]]] == "overdue"


def test_a_change_by_hand_keeps_the_day_of_the_visit(town):
    record(town, "M2", day=ago(5))
    with store.transaction(town.engine) as session:
        store.edit_merchant(session, CLI, town.ids["M2"], 0, status="contacted", point=(114.31, 30.51))
    assert visited(town, "M2") == day_number(ago(5))
    assert same_when_loaded_anew(town)


def test_other_branches_see_and_count_nothing_of_it(town):
    record(town, "M2")
    stranger = town.asker(Role.HEAD, town.other_id)
    with store.transaction(town.engine) as session:
        assert visits(session, stranger, town.other_id).empty
        with pytest.raises(RightsError):
            visits(session, stranger, town.branch_id)
        with pytest.raises(RightsError):
            add_visit(session, stranger, town.branch_id, merchant_id=town.ids["M2"])
        with pytest.raises(NotFound):
            add_visit(session, stranger, town.other_id, merchant_id=town.ids["M2"])
        with pytest.raises(NotFound):
            add_visit(session, stranger, town.other_id, customer_id=town.ids["C1"])


def test_who_may_record_visits_to_whom(town):
    for role in (Role.HEAD, Role.LEAD, Role.MEMBER, Role.ANALYST):
        record(town, "M1", asker=town.asker(role), day=ago(30))
    for role in (Role.AUDITOR, Role.ADMIN):
        with pytest.raises(RightsError):
            record(town, "M1", asker=town.asker(role))
    record(town, "C1", asker=town.asker(Role.HEAD))
    record(town, "C5", asker=town.asker(Role.MEMBER))  # his own
    for role, whom in ((Role.MEMBER, "C1"), (Role.ANALYST, "C1"), (Role.ANALYST, "C5")):
        with pytest.raises(RightsError):
            record(town, whom, asker=town.asker(role))
    # What each may see of them: the analyst no customer's, the member his own.
    seen = {
        role: sorted(read(town, town.asker(role))["customer_id"].dropna().tolist())
        for role in (Role.HEAD, Role.LEAD, Role.MEMBER, Role.ANALYST)
    }
    both = sorted([town.ids["C1"], town.ids["C5"]])
    assert seen == {Role.HEAD: both, Role.LEAD: both, Role.MEMBER: [town.ids["C5"]], Role.ANALYST: []}
    with pytest.raises(RightsError):
        read(town, town.asker(Role.ANALYST), customer_id=town.ids["C5"])


def test_a_look_at_a_customers_visits_is_written_into_the_trail(sqlite_town):
    record(sqlite_town, "C5")
    read(sqlite_town, customer_id=sqlite_town.ids["C5"])
    with store.reading(sqlite_town.engine) as session:
        last = session.execute(select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert (last.action, last.subject) == ("look", f"customer {sqlite_town.ids['C5']}")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"day": TODAY + timedelta(days=1)}, "future"),
        ({"day": date(1999, 12, 31)}, "too far back"),
        ({"day": ago(3), "next_day": ago(4)}, "next day"),
        ({"result": "字" * (LONGEST_TEXT + 1)}, "longer"),
        ({"person_id": 999_999}, "no person"),
    ],
)
def test_what_makes_no_visit_is_refused_and_leaves_nothing(sqlite_town, more, error):
    with pytest.raises(DataError, match=error):
        record(sqlite_town, "M1", **more)
    assert read(sqlite_town).empty
    with store.reading(sqlite_town.engine) as session:
        assert store.batches(session, CLI, sqlite_town.branch_id).empty


def test_a_visit_is_to_one_only(sqlite_town):
    both = {"merchant_id": sqlite_town.ids["M1"], "customer_id": sqlite_town.ids["C1"]}
    for target in ({}, both):
        with store.transaction(sqlite_town.engine) as session, pytest.raises(DataError, match="to one"):
            add_visit(session, CLI, sqlite_town.branch_id, **target)


def test_a_second_visit_within_days_is_told(town):
    record(town, "M2", day=ago(6))
    with store.reading(town.engine) as session:
        asker = town.asker(Role.LEAD)
        ask = {"asker": asker, "branch_id": town.branch_id, "merchant_id": town.ids["M2"]}
        found = visited_lately(session, **ask)
        assert (found["person"], found["day"]) == ("小陈", ago(6))
        assert visited_lately(session, **ask, day=TODAY + timedelta(days=2)) is None
        assert visited_lately(session, asker, town.branch_id, merchant_id=town.ids["M1"]) is None


def test_a_next_step_is_open_until_somebody_was_there_again(town):
    record(town, "M1", day=ago(20), next_step="送合同", next_day=ago(1))
    record(town, "M2", day=ago(9), next_step="再谈")
    record(town, "M3", day=ago(9), result="不在")
    record(town, "M5", day=ago(9), next_day=TODAY)
    with store.reading(town.engine) as session:
        member = town.asker(Role.MEMBER)
        found = next_steps(session, member, town.branch_id)
        assert found["merchant_id"].tolist() == [town.ids[each] for each in ("M1", "M5", "M2")]
        assert next_steps(session, member, town.branch_id, person_id=town.member_id + 1).empty
        assert visit_counts(session, member, town.branch_id, ago(10)).to_numpy().tolist() == [
            [town.member_id, 3]
        ]
    record(town, "M1", day=ago(0), result="已签")
    with store.reading(town.engine) as session:
        found = next_steps(session, member, town.branch_id, person_id=town.member_id)
        assert found["merchant_id"].tolist() == [town.ids["M5"], town.ids["M2"]]


# Taken back -------------------------------------------------------------------------------------------------


def newest_batch(town):
    with store.reading(town.engine) as session:
        return int(session.scalar(select(func.max(tables.batches.c.id))))


def take_back(town, batch, *, asker=CLI, keep="later"):
    with store.transaction(town.engine) as session:
        return store.rollback(session, asker, batch, keep=keep)


def test_a_visit_is_taken_back(town):
    record(town, "M2", day=ago(30))
    record(town, "M2", day=ago(2))
    done = take_back(town, newest_batch(town), asker=town.asker(Role.MEMBER))
    assert (done.removed, done.restored, done.kept) == (1, 0, 0)
    assert visited(town, "M2") == day_number(ago(30))
    assert same_when_loaded_anew(town)
    assert read(town)["day"].tolist() == [ago(30)]


def test_another_ones_visit_is_taken_back_by_whoever_may_see_customers(town):
    record(town, "C1", asker=town.asker(Role.HEAD))
    batch = newest_batch(town)
    with pytest.raises(RightsError):
        take_back(town, batch, asker=town.asker(Role.MEMBER))
    assert take_back(town, batch, asker=town.asker(Role.LEAD)).removed == 1
    assert visited(town, "C1") == -1


@pytest.fixture
def listed(town):
    """Return the batch that M2 and C1 came in."""
    with store.transaction(town.engine) as session:
        values = {
            "branch_id": town.branch_id,
            "kind": "merchants",
            "mode": "add",
            "file_name": "一.csv",
            "file_hash": "0" * 64,
            "mapping": {},
            "datum": "wgs84",
            "counts": {},
            "by": "tests",
        }
        batch = int(
            session.scalars(tables.batches.insert().values(values).returning(tables.batches.c.id)).one()
        )
        for table, whom in ((tables.merchants, "M2"), (tables.merchants, "M1"), (tables.customers, "C1")):
            session.execute(update(table).where(table.c.id == town.ids[whom]).values(batch_id=batch))
    return batch


def test_a_list_taken_back_says_whom_somebody_visited_and_leaves_them(town, listed):
    record(town, "M2")
    record(town, "C1", asker=town.asker(Role.HEAD))
    with store.reading(town.engine) as session:
        touched = store.touched_later(session, CLI, listed)
    assert sorted(touched[["layer", "what"]].itertuples(index=False, name=None)) == [
        ("customers", "visited"),
        ("merchants", "visited"),
    ]
    done = take_back(town, listed)
    assert (done.removed, done.kept) == (1, 2)
    assert len(read(town, town.asker(Role.HEAD))) == 2
    assert visited(town, "M2") == day_number(TODAY)


def test_a_list_taken_back_with_all_takes_the_visits_along(town, listed):
    record(town, "M2")
    done = take_back(town, listed, keep="none")
    assert done.removed == 3
    assert read(town).empty
    assert same_when_loaded_anew(town)


def test_a_double_merged_leaves_its_visits_to_the_one_that_stays_and_gets_them_back(town):
    with store.transaction(town.engine) as session:
        marked = {"double_of": town.ids["M1"], "double_level": "probable"}
        session.execute(
            update(tables.merchants).where(tables.merchants.c.id == town.ids["M5"]).values(marked)
        )
    record(town, "M5", day=ago(4), result="谈过")
    with store.transaction(town.engine) as session:
        store.settle_double(session, CLI, town.ids["M5"], True, 0)
    assert visited(town, "M1") == day_number(ago(4))
    assert read(town)["merchant_id"].tolist() == [town.ids["M1"]]
    assert same_when_loaded_anew(town)
    take_back(town, newest_batch(town))
    assert read(town)[["merchant_id", "result"]].to_numpy().tolist() == [[town.ids["M5"], "谈过"]]
    assert (visited(town, "M1"), visited(town, "M5")) == (-1, day_number(ago(4)))
    assert same_when_loaded_anew(town)


def test_a_merchant_removed_by_a_list_comes_back_with_its_visits(town):
    record(town, "M2", day=ago(4), result="谈过", next_day=TODAY)
    with store.transaction(town.engine) as session:
        batch = changes.open_batch(session, CLI, town.branch_id, kind="merchants", mode="add")
        updating.remove(session, batch, "merchants", np.array([town.ids["M2"]]))
        store.new_version(session, CLI, town.branch_id, "import", batch)
    assert read(town).empty
    take_back(town, batch)
    (row,) = read(town).to_dict("records")
    assert (row["merchant_id"], row["result"], row["next_day"]) == (town.ids["M2"], "谈过", TODAY)
    assert visited(town, "M2") == day_number(ago(4))
