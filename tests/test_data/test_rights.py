"""The table of rights, cell by cell: the table itself, then every question that can be asked of the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import shapely
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from data import changes, snapshots, store, tables
from data.rights import Asker, Right, Role, command_line
from geo.errors import Conflict, RightsError
from geo.plans import Change, Frame, Plan, Zone

HEAD, LEAD, MEMBER, ANALYST, AUDITOR, ADMIN = Role
WORKERS = {HEAD, LEAD, MEMBER, ANALYST}
PLANNERS = {HEAD, LEAD}

GRANTED = {
    Right.FIGURES: WORKERS,
    Right.CUSTOMERS: {HEAD, LEAD},
    Right.OWN_CUSTOMERS: {MEMBER},
    Right.DEPOSITS: {HEAD, MEMBER},
    Right.IMPORT: {HEAD, LEAD, ANALYST},
    Right.EXPORT: {HEAD, LEAD, ANALYST},
    Right.EXPORT_CUSTOMERS: {HEAD, LEAD},
    Right.EDIT_MERCHANTS: WORKERS,
    Right.READ_PLANS: WORKERS,
    Right.EDIT_PLANS: {HEAD, LEAD},
    Right.PUBLISH_PLANS: {HEAD},
    Right.AUDIT: {HEAD, AUDITOR},
    Right.PEOPLE: {ADMIN},
    Right.BRANCHES: {HEAD, ADMIN},
}

Question = Callable[[Session, Asker, Any], object]


def _batch(session: Session, town: Any, kind: str = "merchants", mode: str = "add") -> int:
    return changes.open_batch(session, command_line("x"), town.branch_id, kind=kind, mode=mode)


def _waiting(session: Session, town: Any, kind: str = "merchants") -> int:
    """Store a row without a place."""
    own = {"category_id": 101} if kind == "merchants" else {"group_id": 1, "existing": True}
    row = {"branch_id": town.branch_id, "batch_id": _batch(session, town, kind), "kind": kind, "row": 1}
    row["record"] = json.dumps({"name": "x", **own})
    return int(session.scalars(insert(tables.unplaced).values(row).returning(tables.unplaced.c.id)).one())


def _double(session: Session, town: Any) -> int:
    """Mark a merchant as a double."""
    merchants = tables.merchants
    marked = update(merchants).where(merchants.c.id == town.ids["M2"])
    session.execute(marked.values(double_of=town.ids["M1"], double_level="probable"))
    return int(town.ids["M2"])


def kept_profile(session: Session, asker: Asker, town: Any) -> int:
    """Keep a way of reading."""
    return store.keep_profile(session, asker, town.branch_id, "merchants", "x", headers=["a"], mapping={})


def _plan(session: Session, town: Any) -> int:
    """Begin a plan of one zone."""
    square = shapely.box(114, 30, 114.1, 30.1)
    start = Plan(Frame(114, 30, 900.0, 9), (Zone(1, "x", square),))
    return int(store.new_plan(session, command_line("x"), town.branch_id, name="x", plan=start))


def _link(session: Session, town: Any, *, refused: bool = False) -> int:
    """Decide on a pair."""
    pair = (town.branch_id, town.ids["M1"], town.ids["M2"])
    if refused:
        return int(store.refuse_link(session, command_line("x"), *pair, reason="x"))
    return int(store.accept_link(session, command_line("x"), *pair))


def _alliance(session: Session, town: Any, *, active: bool = False) -> int:
    """Form an alliance of two."""
    maker, shops = command_line("x"), [town.ids["M1"], town.ids["M2"]]
    alliance_id = int(store.form_alliance(session, maker, town.branch_id, "x", shops))
    if active:
        store.set_status(session, maker, alliance_id, 0, "active")
    return alliance_id


def _referral(session: Session, town: Any) -> int:
    """Record a referral."""
    which = _alliance(session, town, active=True)
    return int(store.record_referral(session, command_line("x"), which, to_id=town.ids["M1"]))


def _passed(ask: Callable[[], object]) -> None:
    """Ask for what the right is there for, though there is nothing to do."""
    with pytest.raises(Conflict, match="nothing"):
        ask()


# Every function of the store that names who asks, and who gets an answer.
QUESTIONS: dict[str, tuple[Question, set[Role]]] = {
    "branch": (lambda s, a, t: store.branch(s, a, t.branch_id), set(Role)),
    "merchant_card": (lambda s, a, t: store.merchant_card(s, a, t.ids["M1"]), WORKERS),
    "outlet_card": (lambda s, a, t: store.outlet_card(s, a, t.ids["乙银行自助"]), WORKERS),
    "place_card": (lambda s, a, t: store.place_card(s, a, t.ids["李家村"]), WORKERS),
    "merchant_rows": (lambda s, a, t: store.merchant_rows(s, a, t.branch_id, [t.ids["M1"]]), WORKERS),
    "outlet_rows": (lambda s, a, t: store.outlet_rows(s, a, t.branch_id, [t.ids["乙银行自助"]]), WORKERS),
    "place_rows": (lambda s, a, t: store.place_rows(s, a, t.branch_id, [t.ids["李家村"]]), WORKERS),
    "search": (lambda s, a, t: store.search(s, a, t.branch_id, "人民"), WORKERS),
    "asides": (lambda s, a, t: store.asides(s, a, t.branch_id), WORKERS),
    "batches": (lambda s, a, t: store.batches(s, a, t.branch_id), WORKERS),
    "latest_source": (lambda s, a, t: store.latest_source(s, a, t.branch_id), WORKERS),
    "versions": (lambda s, a, t: store.versions(s, a, t.branch_id), WORKERS),
    "managers": (lambda s, a, t: store.managers(s, a, t.branch_id), WORKERS),
    "customer_card": (lambda s, a, t: store.customer_card(s, a, t.ids["C5"]), {HEAD, LEAD, MEMBER}),
    "customers_near": (
        lambda s, a, t: store.customers_near(s, a, t.branch_id, [t.ids["C5"]]),
        {HEAD, LEAD, MEMBER},
    ),
    "export customers": (
        lambda s, a, t: store.customers_near(s, a, t.branch_id, [t.ids["C5"]], purpose="export"),
        {HEAD, LEAD},
    ),
    "export merchants": (
        lambda s, a, t: store.merchant_rows(s, a, t.branch_id, [t.ids["M1"]], purpose="export"),
        {HEAD, LEAD, ANALYST},
    ),
    "export outlets": (
        lambda s, a, t: store.outlet_rows(s, a, t.branch_id, [], purpose="export"),
        {HEAD, LEAD, ANALYST},
    ),
    "export places": (
        lambda s, a, t: store.place_rows(s, a, t.branch_id, [], purpose="export"),
        {HEAD, LEAD, ANALYST},
    ),
    "edit_merchant": (lambda s, a, t: store.edit_merchant(s, a, t.ids["M1"], 0, note="x"), WORKERS),
    "add_merchant": (
        lambda s, a, t: store.add_merchant(s, a, t.branch_id, name="x", category_id=101, lon=1, lat=1),
        WORKERS,
    ),
    "merchant_changes": (lambda s, a, t: store.merchant_changes(s, a, t.ids["M1"]), WORKERS),
    "unplaced": (lambda s, a, t: store.unplaced(s, a, t.branch_id), WORKERS),
    "unplaced customers": (lambda s, a, t: store.unplaced(s, a, t.branch_id, "customers"), {HEAD, LEAD}),
    "unplaced_count": (lambda s, a, t: store.unplaced_count(s, a, t.branch_id), WORKERS),
    "newest_by_hand": (lambda s, a, t: store.newest_by_hand(s, a, t.branch_id), WORKERS),
    "place_unplaced": (lambda s, a, t: store.place_unplaced(s, a, _waiting(s, t), 1, 1), WORKERS),
    "place_unplaced customer": (
        lambda s, a, t: store.place_unplaced(s, a, _waiting(s, t, "customers"), 1, 1),
        {HEAD, LEAD},
    ),
    "drop_unplaced": (lambda s, a, t: store.drop_unplaced(s, a, _waiting(s, t)), WORKERS),
    "doubles_to_review": (lambda s, a, t: store.doubles_to_review(s, a, t.branch_id), WORKERS),
    "settle_double": (lambda s, a, t: store.settle_double(s, a, _double(s, t), False, 0), WORKERS),
    "rollback": (lambda s, a, t: store.rollback(s, a, _batch(s, t), keep="later"), {HEAD, LEAD, ANALYST}),
    "rollback of an edit": (
        lambda s, a, t: store.rollback(s, a, _batch(s, t, mode="hand"), keep="later"),
        WORKERS,
    ),
    "touched_later": (lambda s, a, t: store.touched_later(s, a, _batch(s, t)), {HEAD, LEAD, ANALYST}),
    "diff": (lambda s, a, t: store.diff(s, a, *[_batch(s, t)] * 2), {HEAD, LEAD, ANALYST}),
    "set_aside": (lambda s, a, t: store.set_aside(s, a, t.branch_id, "merchants", t.ids["M1"], "x"), WORKERS),
    "take_back": (lambda s, a, t: store.take_back(s, a, t.branch_id, "merchants", t.ids["M5"]), WORKERS),
    "set_radius": (lambda s, a, t: store.set_radius(s, a, t.branch_id, 900.0), WORKERS),
    "new_version": (lambda s, a, t: store.new_version(s, a, t.branch_id, "import"), WORKERS | {ADMIN}),
    "remove_branch": (lambda s, a, t: store.remove_branch(s, a, t.branch_id), {HEAD, ADMIN}),
    "profiles": (lambda s, a, t: store.profiles(s, a, t.branch_id), {HEAD, LEAD, ANALYST}),
    "profile_for": (
        lambda s, a, t: store.profile_for(s, a, t.branch_id, "merchants", ["名称"]),
        {HEAD, LEAD, ANALYST},
    ),
    "keep_profile": (lambda s, a, t: kept_profile(s, a, t), {HEAD, LEAD, ANALYST}),
    "forget_profile": (
        lambda s, a, t: store.forget_profile(s, a, t.branch_id, kept_profile(s, command_line("x"), t)),
        {HEAD, LEAD, ANALYST},
    ),
    "keep_words": (
        lambda s, a, t: store.keep_words(s, a, t.branch_id, {"猫咖": "cafe"}),
        {HEAD, LEAD, ANALYST},
    ),
    "forget_words": (lambda s, a, t: store.forget_words(s, a, t.branch_id, ["猫咖"]), {HEAD, LEAD, ANALYST}),
    "plans": (lambda s, a, t: store.plans(s, a, t.branch_id), WORKERS),
    "plan": (lambda s, a, t: store.plan(s, a, _plan(s, t)), WORKERS),
    "published": (lambda s, a, t: store.published(s, a, t.branch_id), WORKERS),
    "default_frame": (lambda s, a, t: store.default_frame(s, a, t.branch_id), WORKERS),
    "history": (lambda s, a, t: store.history(s, a, _plan(s, t)), WORKERS),
    "assignments": (lambda s, a, t: store.assignments(s, a, t.branch_id), WORKERS),
    "new_plan": (lambda s, a, t: store.new_plan(s, a, t.branch_id, name="x"), PLANNERS),
    "copy_plan": (lambda s, a, t: store.copy_plan(s, a, _plan(s, t), "x"), PLANNERS),
    "rename_plan": (lambda s, a, t: store.rename_plan(s, a, _plan(s, t), "x"), PLANNERS),
    "drop_plan": (lambda s, a, t: store.drop_plan(s, a, _plan(s, t)), PLANNERS),
    "change_plan": (lambda s, a, t: store.change_plan(s, a, _plan(s, t), 0, Change("edited")), PLANNERS),
    "undo": (lambda s, a, t: _passed(lambda: store.undo(s, a, _plan(s, t), 0)), PLANNERS),
    "redo": (lambda s, a, t: _passed(lambda: store.redo(s, a, _plan(s, t), 0)), PLANNERS),
    "publish": (lambda s, a, t: store.publish(s, a, _plan(s, t), 0), {HEAD}),
    "playbooks": (lambda s, a, t: store.playbooks(s, a, t.branch_id), WORKERS),
    "staff": (lambda s, a, t: store.staff(s, a, t.branch_id), WORKERS),
    "set_posts": (lambda s, a, t: store.set_posts(s, a, t.branch_id, {}), PLANNERS),
    "set_post": (lambda s, a, t: store.set_post(s, a, t.branch_id, t.member_id, "indoor"), PLANNERS),
    "teams": (lambda s, a, t: store.teams(s, a, t.branch_id), WORKERS),
    "save_team": (lambda s, a, t: store.save_team(s, a, t.branch_id, name="x"), PLANNERS),
    "drop_team": (
        lambda s, a, t: store.drop_team(
            s, a, t.branch_id, store.save_team(s, command_line("x"), t.branch_id, name="x"), 0
        ),
        PLANNERS,
    ),
    "take_teams": (lambda s, a, t: store.take_teams(s, a, t.branch_id, [], {}), PLANNERS),
    "my_zones": (lambda s, a, t: store.my_zones(s, a, t.branch_id, t.member_id), WORKERS),
    "homes": (lambda s, a, t: store.homes(s, a, t.branch_id, Plan(Frame(114, 30, 900.0, 9))), WORKERS),
    "visits": (lambda s, a, t: store.visits(s, a, t.branch_id), WORKERS),
    "visits customer": (
        lambda s, a, t: store.visits(s, a, t.branch_id, customer_id=t.ids["C5"]),
        {HEAD, LEAD, MEMBER},
    ),
    "next_steps": (lambda s, a, t: store.next_steps(s, a, t.branch_id), WORKERS),
    "visited_lately": (
        lambda s, a, t: store.visited_lately(s, a, t.branch_id, merchant_id=t.ids["M1"]),
        WORKERS,
    ),
    "visit_counts": (lambda s, a, t: store.visit_counts(s, a, t.branch_id, date(2026, 1, 1)), WORKERS),
    "add_visit": (lambda s, a, t: store.add_visit(s, a, t.branch_id, merchant_id=t.ids["M1"]), WORKERS),
    "add_visit customer": (
        lambda s, a, t: store.add_visit(s, a, t.branch_id, customer_id=t.ids["C5"]),
        {HEAD, LEAD, MEMBER},
    ),
    "import_visits": (
        lambda s, a, t: store.import_visits(
            s, a, "商户编号,日期\nM1,2026-01-01\n".encode(), branch_id=t.branch_id, name="x.csv"
        ),
        {HEAD, LEAD, ANALYST},
    ),
    "approaches": (lambda s, a, t: store.approaches(s, a, t.branch_id, [t.ids["M1"]]), WORKERS),
    "links": (lambda s, a, t: store.links(s, a, t.branch_id), WORKERS),
    "decided_pairs": (lambda s, a, t: store.decided_pairs(s, a, t.branch_id), WORKERS),
    "link_history": (lambda s, a, t: store.link_history(s, a, _link(s, t)), WORKERS),
    "accept_link": (
        lambda s, a, t: store.accept_link(s, a, t.branch_id, t.ids["M1"], t.ids["M3"]),
        PLANNERS,
    ),
    "refuse_link": (
        lambda s, a, t: store.refuse_link(s, a, t.branch_id, t.ids["M1"], t.ids["M3"], reason="x"),
        PLANNERS,
    ),
    "reopen_link": (lambda s, a, t: store.reopen_link(s, a, _link(s, t, refused=True)), PLANNERS),
    "edit_link": (lambda s, a, t: store.edit_link(s, a, _link(s, t), 0, notes="x"), PLANNERS),
    "end_link": (lambda s, a, t: store.end_link(s, a, _link(s, t), 0), PLANNERS),
    "alliances": (lambda s, a, t: store.alliances(s, a, t.branch_id), WORKERS),
    "alliance": (lambda s, a, t: store.alliance(s, a, _alliance(s, t)), WORKERS),
    "alliance_history": (lambda s, a, t: store.alliance_history(s, a, _alliance(s, t)), WORKERS),
    "funnel": (lambda s, a, t: store.funnel(s, a, t.branch_id, 0), WORKERS),
    "refusals": (lambda s, a, t: store.refusals(s, a, t.branch_id), WORKERS),
    "form_alliance": (
        lambda s, a, t: store.form_alliance(s, a, t.branch_id, "x", [t.ids["M1"]]),
        PLANNERS,
    ),
    "edit_alliance": (lambda s, a, t: store.edit_alliance(s, a, _alliance(s, t), 0, notes="x"), PLANNERS),
    "drop_alliance": (lambda s, a, t: store.drop_alliance(s, a, _alliance(s, t), 0), PLANNERS),
    "set_status": (lambda s, a, t: store.set_status(s, a, _alliance(s, t), 0, "active"), {HEAD}),
    "end an alliance that forms": (
        lambda s, a, t: store.set_status(s, a, _alliance(s, t), 0, "ended"),
        PLANNERS,
    ),
    "add_member": (lambda s, a, t: store.add_member(s, a, _alliance(s, t), 0, t.ids["M3"]), PLANNERS),
    "remove_member": (lambda s, a, t: store.remove_member(s, a, _alliance(s, t), 0, t.ids["M1"]), PLANNERS),
    "edit_member": (
        lambda s, a, t: store.edit_member(s, a, _alliance(s, t), 0, t.ids["M1"], offer="x"),
        PLANNERS,
    ),
    "record_referral": (
        lambda s, a, t: store.record_referral(s, a, _alliance(s, t, active=True), to_id=t.ids["M1"]),
        PLANNERS,
    ),
    "drop_referral": (lambda s, a, t: store.drop_referral(s, a, _referral(s, t)), PLANNERS),
    "audit_rows": (lambda s, a, t: store.audit_rows(s, a, t.branch_id), {HEAD, AUDITOR}),
    "people": (lambda s, a, t: store.people(s, a, t.branch_id), {ADMIN}),
}
# Of no branch: adding one, and staff.
NOWHERE: dict[str, tuple[Question, set[Role]]] = {
    "add_branch": (lambda s, a, _: store.add_branch(s, a, code="N", name="N", lon=1, lat=1), {HEAD, ADMIN}),
    "add_person": (lambda s, a, _: store.add_person(s, a, name="新人", role=LEAD), {ADMIN}),
    "set_role": (lambda s, a, t: store.set_role(s, a, t.member_id, LEAD, [t.branch_id]), {ADMIN}),
    "save_playbook": (
        lambda s, a, _: store.save_playbook(
            s, a, "street", 0, targets=[], motives=[], selling_points=[], products=[]
        ),
        PLANNERS,
    ),
    "reset_playbook": (lambda s, a, _: store.reset_playbook(s, a, "street", 0), PLANNERS),
    "all people": (lambda s, a, _: store.people(s, a), {ADMIN}),
    "all audit": (lambda s, a, _: store.audit_rows(s, a), {HEAD, AUDITOR}),
}
EVERYWHERE = {AUDITOR, ADMIN}


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("role", Role)
def test_the_table_grants_what_the_design_says(role, right):
    asker = Asker(name="x", role=role, branch_ids=frozenset({1}))
    assert asker.may(right, 1) == (role in GRANTED[right])
    assert asker.may(right, 2) == (role in GRANTED[right] and role in EVERYWHERE)


@pytest.mark.parametrize("right", Right)
def test_the_command_line_may_do_everything_everywhere(right):
    command_line("root").require(right, 7)


@pytest.mark.parametrize("role", Role)
def test_each_question_is_answered_to_the_roles_of_the_table_alone(town, role):
    questions = QUESTIONS | NOWHERE
    answered = _answered(town, town.asker(role), questions)
    assert answered == {name for name, (_, roles) in questions.items() if role in roles}


@pytest.mark.parametrize("role", Role)
def test_each_question_about_another_branch_is_refused(town, role):
    answered = _answered(town, town.asker(role, town.other_id), QUESTIONS)
    assert answered == {name for name, (_, roles) in QUESTIONS.items() if role in roles & EVERYWHERE}


def _answered(town: Any, asker: Asker, questions: dict[str, tuple[Question, set[Role]]]) -> set[str]:
    """Ask everything, taking each change back, and return what was answered."""
    answered = set()
    with Session(town.engine) as session:
        store.set_aside(session, command_line("x"), town.branch_id, "merchants", town.ids["M5"], "x")
        for name, (ask, _) in questions.items():
            savepoint = session.begin_nested()
            try:
                ask(session, asker, town)
                answered.add(name)
            except RightsError:
                pass
            finally:
                savepoint.rollback()
    return answered


def test_every_question_of_the_store_is_in_this_walk():
    no_asker = {"dispose", "engine", "is_empty", "is_migrated", "migrate", "reading", "transaction"}
    no_asker |= {"data_version", "category_words", "same_file", "Profile", "RollbackReport", "Held"}
    no_asker |= {"Alliance", "Playbook", "kind_products"}
    elsewhere = {"audit", "branches"}  # writes what was done; lists the asker's own (both below)
    walked = {name.split(" ")[0] for name in QUESTIONS | NOWHERE}
    assert set(store.__all__) - no_asker - elsewhere <= walked


@pytest.mark.parametrize("role", Role)
def test_the_working_set_is_for_whoever_reads_figures(town, role):
    assert _sees(town, town.asker(role)) == (role in WORKERS)
    assert not _sees(town, town.asker(role, town.other_id))


def _sees(town: Any, asker: Asker) -> bool:
    try:
        return snapshots.seen_by(town.engine, asker, town.branch_id).branch_id == town.branch_id
    except RightsError:
        return False


def test_each_asker_lists_their_own_branches_alone(town):
    with store.transaction(town.engine) as session:
        assert store.branches(session, town.asker(LEAD))["code"].tolist() == ["A"]
        assert store.branches(session, town.asker(ADMIN))["code"].tolist() == ["A", "B"]
        assert store.branches(session, Asker("x", LEAD)).empty


def test_a_member_sees_the_customers_he_manages_and_no_other(town):
    with store.transaction(town.engine) as session:
        member = town.asker(MEMBER)
        rows = store.customers_near(
            session, member, town.branch_id, [town.ids[n] for n in ("C1", "C5", "C2")]
        )
        assert rows["name"].tolist() == ["赵六"]
        assert rows["deposits"].tolist() == [50_000.0]
        with pytest.raises(RightsError):
            store.customer_card(session, member, town.ids["C1"])


def test_a_member_in_no_list_of_people_sees_no_customer(town):
    nobody = Asker("x", MEMBER, frozenset({town.branch_id}), person_id=None)
    with store.transaction(town.engine) as session:
        assert store.customers_near(session, nobody, town.branch_id, list(town.ids.values())).empty


def test_a_lead_receives_no_deposits(town):
    with store.transaction(town.engine) as session:
        rows = store.customers_near(session, town.asker(LEAD), town.branch_id, [town.ids["C1"]])
        card = store.customer_card(session, town.asker(LEAD), town.ids["C1"])
    assert not {"deposits", "assets"} & set(rows.columns)
    assert (card["name"], card["deposits"], card["assets"]) == ("张三", None, None)


def test_a_head_receives_all_of_a_customer(town):
    with store.transaction(town.engine) as session:
        card = store.customer_card(session, town.asker(HEAD), town.ids["C5"])
    assert (card["name"], card["phone"], card["deposits"]) == ("赵六", "13900000005", 50_000.0)
    assert (card["manager"], card["products"]) == ("小陈", [3])


def test_the_auditor_reads_all_branches_and_a_head_the_own(town):
    with store.transaction(town.engine) as session:
        assert set(store.audit_rows(session, town.asker(AUDITOR))["subject"]) >= {"A", "B"}
        assert "B" not in set(store.audit_rows(session, town.asker(HEAD))["subject"])


def test_each_look_and_export_is_on_record_without_a_word_about_the_customer(town):
    ids = [town.ids[number] for number in ("C1", "C2")]
    with store.transaction(town.engine) as session:
        head = town.asker(HEAD)
        store.customer_card(session, head, ids[0])
        store.customers_near(session, head, town.branch_id, ids)
        store.customers_near(session, head, town.branch_id, ids, purpose="export")
        store.merchant_rows(session, head, town.branch_id, [town.ids["M1"]], purpose="export")
    with store.reading(town.engine) as session:
        rows = store.audit_rows(session, town.asker(AUDITOR), town.branch_id).head(4)
        written = json.dumps([list(map(str, row)) for row in session.execute(select(tables.audit))])
    assert rows[["action", "subject"]].to_numpy().tolist() == [
        ["export", "merchants"],
        ["export", "customers"],
        ["look", "customers"],
        ["look", f"customer {ids[0]}"],
    ]
    assert rows["by"].eq("test:head").all()
    assert rows["detail"].tolist()[1] == {"rows": 2}
    assert not [word for word in ("张三", "139000", "10000", str(LON_OF_C1)) if word in written]


LON_OF_C1 = 114.3015


def test_figures_are_masked_for_all_who_may_not_see_customers(town):
    assert [role for role in Role if not town.asker(role).masked(town.branch_id)] == [HEAD, LEAD]
