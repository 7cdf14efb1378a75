"""Links decided on by people: accepted, refused, edited, ended; and two colleagues at the same merchant."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from data import store, tables
from data.alliances import approaching, funnel, links
from data.alliances.links import ACCEPTED, ENDED, REFUSED
from data.rights import Asker, Role
from data.words import say
from data.zones.intervals import today
from geo.errors import Approached, Conflict, DataError, LinkConflict, NotFound, RightsError
from tests.test_data.conftest import CLI, Town
from tests.test_data.test_two_analysts import at_once


def lead(town: Town) -> Asker:
    return town.asker(Role.LEAD)


def do(town: Town, what: Any, *told: Any, by: Asker | None = None, **more: Any) -> Any:
    """Call a function of the store in a transaction of its own."""
    with store.transaction(town.engine) as session:
        return what(session, by or lead(town), *told, **more)


def pair(town: Town, a: str = "M1", b: str = "M2") -> tuple[int, int, int]:
    return town.branch_id, town.ids[a], town.ids[b]


def all_links(town: Town, **which: Any) -> Any:
    with store.reading(town.engine) as session:
        return links.links(session, lead(town), town.branch_id, **which)


def person(town: Town, name: str = "测试一号", branch_id: int | None = None) -> int:
    branches = [town.branch_id if branch_id is None else branch_id]
    return do(town, store.add_person, by=CLI, name=name, role=Role.MEMBER, branch_ids=branches)


def test_a_link_accepted_says_who_gains_what_whichever_way_round_it_is_told(town: Town) -> None:
    owner, day = person(town), date(2026, 12, 1)
    link = do(
        town,
        links.accept_link,
        *pair(town, "M2", "M1"),
        owner_id=owner,
        stage="platform",
        benefit_a=" 火锅店多些客人 ",
        benefit_b="酒楼得优惠券",
        starts=day,
        notes="先谈一次",
        score=0.75,
    )
    (row,) = all_links(town).itertuples()
    assert (row.id, row.a, row.b) == (link, town.ids["M1"], town.ids["M2"])
    assert (row.a_name, row.b_name, row.a_category, row.b_status) == (
        "老王酒楼",
        "Happy 100%_火锅",
        101,
        "signed",
    )
    assert (row.benefit_a, row.benefit_b) == ("酒楼得优惠券", "火锅店多些客人")
    assert (row.state, row.stage, row.owner, row.starts, row.ends) == (
        ACCEPTED,
        "platform",
        "测试一号",
        day,
        None,
    )
    assert (row.notes, row.score, row.revision, row.by, row.reason) == (
        "先谈一次",
        0.75,
        0,
        "test:lead",
        None,
    )
    assert all_links(town, merchant_id=town.ids["M2"])["id"].tolist() == [link]
    assert all_links(town, merchant_id=town.ids["M3"]).empty and all_links(town, state=REFUSED).empty


def test_a_refusal_is_remembered_with_its_reason_until_the_pair_is_opened_again(town: Town) -> None:
    link = do(town, links.refuse_link, *pair(town), reason="争夺同一批客人")
    assert all_links(town)[["state", "reason"]].values.tolist() == [[REFUSED, "争夺同一批客人"]]
    with pytest.raises(LinkConflict, match="争夺同一批客人") as refused:
        do(town, links.accept_link, *pair(town))
    assert [line[0] for line in refused.value.changed] == ["test:lead"]
    assert "test:lead 拒绝" in say(refused.value, "zh")
    with store.reading(town.engine) as session:
        pairs = links.decided_pairs(session, lead(town), town.branch_id, REFUSED)
        assert pairs == {(town.ids["M1"], town.ids["M2"])}
        assert not links.decided_pairs(session, lead(town), town.branch_id, ACCEPTED)
    do(town, links.reopen_link, link, 0)
    assert all_links(town).empty
    do(town, links.accept_link, *pair(town))


@pytest.mark.parametrize("reason", ["", "  ", "\x00"])
def test_a_refusal_needs_a_reason(sqlite_town: Town, reason: str) -> None:
    with pytest.raises(DataError, match="needs a reason"):
        do(sqlite_town, links.refuse_link, *pair(sqlite_town), reason=reason)
    link = do(sqlite_town, links.refuse_link, *pair(sqlite_town), reason="暂不了解")
    with pytest.raises(DataError, match="needs a reason"):
        do(sqlite_town, links.edit_link, link, 0, reason=reason)
    with pytest.raises(DataError, match="cannot be changed"):
        do(sqlite_town, links.edit_link, link, 0, stage="platform")
    assert do(sqlite_town, links.edit_link, link, 0, reason="已有伙伴") == 1


def test_a_stale_edit_is_refused_with_an_account_of_what_changed(town: Town) -> None:
    link = do(town, links.accept_link, *pair(town))
    assert do(town, links.edit_link, link, 0, stage="ecosystem", notes="看过了") == 1
    assert do(town, links.edit_link, link, 1, notes="看过了") == 1  # nothing new
    with pytest.raises(LinkConflict, match="changed stage, notes") as stale:
        do(town, links.edit_link, link, 0, notes="另一种看法", by=town.asker(Role.HEAD))
    ((who, _when, what, fields),) = stale.value.changed
    assert (who, what, fields) == ("test:lead", "edited", ("stage", "notes"))
    assert "修改了阶段、备注" in say(stale.value, "zh")
    assert all_links(town)["notes"].tolist() == ["看过了"]
    with store.reading(town.engine) as session:
        history = links.link_history(session, lead(town), link)
    assert history["what"].tolist() == ["edited", "accepted"]


def test_a_link_ends_today_and_may_be_accepted_anew(town: Town) -> None:
    link = do(town, links.accept_link, *pair(town), starts=today() - timedelta(9), notes="旧")
    assert do(town, links.end_link, link, 0, reason="对方搬走") == 1
    (row,) = all_links(town).itertuples()
    assert (row.state, row.ends, row.reason) == (ENDED, today(), "对方搬走")
    with pytest.raises(LinkConflict):
        do(town, links.end_link, link, 1)
    assert do(town, links.accept_link, *pair(town), by=town.asker(Role.HEAD)) == link
    (row,) = all_links(town).itertuples()
    assert (row.state, row.ends, row.reason, row.notes, row.revision) == (ACCEPTED, None, None, None, 2)
    assert row.by == "test:head"


def test_what_cannot_be_a_link_is_said(sqlite_town: Town) -> None:
    town = sqlite_town
    elsewhere = person(town, "测试二号", town.other_id)
    for told, more in (
        (pair(town, "M1", "M1"), {}),
        (pair(town, "M1", "M4"), {}),  # has closed
        (pair(town), {"stage": "friends"}),
        (pair(town), {"starts": date(2027, 1, 2), "ends": date(2027, 1, 1)}),
        (pair(town), {"starts": date(1026, 1, 2)}),
        (pair(town), {"notes": "字" * 2001}),
    ):
        with pytest.raises(DataError):
            do(town, links.accept_link, *told, **more)
    for branch_id, a, b, owner in (
        (town.branch_id, town.ids["M1"], 999, None),
        (town.other_id, town.ids["M1"], town.ids["M2"], None),
        (*pair(town), elsewhere),
    ):
        with pytest.raises(NotFound):
            do(town, links.accept_link, branch_id, a, b, owner_id=owner, by=CLI)
    with pytest.raises(NotFound):
        do(town, links.edit_link, 5, 0)
    assert all_links(town).empty


def test_of_two_who_decide_on_a_pair_at_once_one_wins_and_the_other_is_told(town: Town) -> None:
    def tried(what: Any, **more: Any) -> Any:
        def job(engine: Any) -> Any:
            try:
                with store.transaction(engine) as session:
                    return what(session, lead(town), *pair(town), **more)
            except LinkConflict as conflict:
                return conflict

        return job

    done = at_once(town.engine, tried(links.accept_link), tried(links.refuse_link, reason="已有伙伴"))
    wrong = [each for each in done if isinstance(each, Exception)]
    assert len(wrong) == 1
    assert len(all_links(town)) == 1
    assert wrong[0].changed[0][2] in (ACCEPTED, REFUSED)


def test_members_and_analysts_read_and_leads_decide(sqlite_town: Town) -> None:
    town = sqlite_town
    link = do(town, links.accept_link, *pair(town))
    for role in (Role.MEMBER, Role.ANALYST):
        asker = town.asker(role)
        with store.reading(town.engine) as session:
            assert len(links.links(session, asker, town.branch_id)) == 1
        for what, told in (
            (links.accept_link, pair(town, "M1", "M3")),
            (links.edit_link, (link, 0)),
            (links.end_link, (link, 0)),
            (links.reopen_link, (link,)),
        ):
            with pytest.raises(RightsError):
                do(town, what, *told, by=asker)
        with pytest.raises(RightsError):
            do(town, links.refuse_link, *pair(town, "M1", "M3"), reason="x", by=asker)
    for asker in (town.asker(Role.AUDITOR), town.asker(Role.LEAD, town.other_id)):
        with store.reading(town.engine) as session, pytest.raises(RightsError):
            links.links(session, asker, town.branch_id)


def test_the_trail_has_ids_and_no_words(town: Town) -> None:
    link = do(town, links.accept_link, *pair(town), notes="张三甲说好", benefit_a="多客人")
    do(town, links.edit_link, link, 0, notes="张三甲改口")
    do(town, links.end_link, link, 1, reason="张三甲不做了")
    do(town, links.refuse_link, *pair(town), reason="张三甲不做了")
    with store.reading(town.engine) as session:
        lines = store.audit_rows(session, CLI, town.branch_id)
        stored = session.connection().exec_driver_sql("SELECT notes, reason FROM links").all()
    own = lines[lines["action"].str.endswith("link")]
    assert sorted(own["action"]) == ["accept link", "edit link", "end link", "refuse link"]
    assert "张三甲" not in own["detail"].astype(str).str.cat() + own["subject"].str.cat()
    assert "张三甲".encode() not in bytes(stored[0][1])


# --- approaches ---------------------------------------------------------------------------------------------


def told(town: Town, *merchants: str, **more: Any) -> list[list[Any]]:
    with store.reading(town.engine) as session:
        found = approaching.approaches(
            session, lead(town), town.branch_id, [town.ids[each] for each in merchants], **more
        )
    return found[["name", "person", "what"]].values.tolist()


def test_what_colleagues_do_with_a_merchant_is_noticed(town: Town) -> None:
    one, two = person(town), person(town, "测试二号")
    visit = {"merchant_id": town.ids["M1"]}
    do(town, store.add_visit, town.branch_id, **visit, person_id=one, day=today() - timedelta(30))
    do(town, store.add_visit, town.branch_id, **visit, person_id=one, day=today() - timedelta(3))
    do(town, store.add_visit, town.branch_id, **visit, person_id=two, day=today() - timedelta(31))
    do(town, links.accept_link, *pair(town, "M1", "M3"), owner_id=two)
    do(town, links.accept_link, *pair(town, "M3", "M5"), by=town.asker(Role.HEAD))
    assert told(town, "M1", person_id=one) == [["老王酒楼", "测试二号", "link"]]
    assert told(town, "M1", person_id=two) == [["老王酒楼", "测试一号", "visit"]]
    assert told(town, "M1", person_id=two, days=2) == []
    assert told(town, "M3", "M1") == [
        ["人民路超市", "test:head", "link"],
        ["人民路超市", "测试二号", "link"],
        ["老王酒楼", "测试二号", "link"],
        ["老王酒楼", "测试一号", "visit"],
    ]
    with pytest.raises(Approached, match="测试一号 visited 老王酒楼") as twice:
        do(town, links.accept_link, *pair(town), owner_id=two, alone=True)
    assert [line[2] for line in twice.value.approaches] == ["测试一号"]
    assert "测试一号" in say(twice.value, "zh")
    do(town, links.accept_link, *pair(town), owner_id=two)


def test_what_has_ended_or_was_refused_is_no_approach(sqlite_town: Town) -> None:
    town, one = sqlite_town, person(sqlite_town)
    link = do(town, links.accept_link, *pair(town), owner_id=one)
    assert len(told(town, "M1")) == 1
    do(town, links.end_link, link, 0)
    do(town, links.refuse_link, *pair(town, "M1", "M3"), reason="x", by=town.asker(Role.HEAD))
    do(town, links.accept_link, *pair(town, "M1", "M5"), owner_id=one, ends=today() - timedelta(1))
    assert told(town, "M1") == []


# --- merchants that go, close, or are one -------------------------------------------------------------------


def test_a_closed_merchant_is_shown_as_such_and_one_removed_takes_its_links_along(town: Town) -> None:
    do(town, links.accept_link, *pair(town))
    card = do(town, store.merchant_card, town.ids["M2"])
    do(town, store.edit_merchant, town.ids["M2"], card["revision"], status="closed")
    assert all_links(town)[["a_status", "b_status"]].values.tolist() == [["known", "closed"]]
    with store.transaction(town.engine) as session:
        session.execute(tables.merchants.delete().where(tables.merchants.c.id == town.ids["M2"]))
    assert all_links(town).empty


def mark_double(town: Town, later: str, earlier: str) -> None:
    with store.transaction(town.engine) as session:
        session.execute(
            update(tables.merchants)
            .where(tables.merchants.c.id == town.ids[later])
            .values(double_of=town.ids[earlier], double_level="probable")
        )


def merge(town: Town, later: str) -> int:
    card = do(town, store.merchant_card, town.ids[later])
    do(town, store.settle_double, town.ids[later], True, card["revision"])
    with store.reading(town.engine) as session:
        return int(session.scalar(select(tables.batches.c.id).order_by(tables.batches.c.id.desc()).limit(1)))


def test_a_double_settled_hands_its_links_on_and_taking_that_back_returns_them(town: Town) -> None:
    do(town, links.accept_link, *pair(town, "M3", "M5"), benefit_a="超市", benefit_b="小吃")
    mark_double(town, "M5", "M1")
    batch = merge(town, "M5")
    (row,) = all_links(town).itertuples()
    assert (row.a, row.b) == (town.ids["M1"], town.ids["M3"])
    assert (row.benefit_a, row.benefit_b, row.revision) == ("小吃", "超市", 1)
    do(town, store.rollback, batch, keep="later", by=CLI)
    (row,) = all_links(town).itertuples()
    assert (row.a, row.b, row.benefit_a) == (town.ids["M3"], town.ids["M5"], "超市")


def test_of_two_links_a_double_makes_alike_the_one_that_stands_is_kept(town: Town) -> None:
    do(town, links.refuse_link, *pair(town, "M1", "M3"), reason="x")
    stands = do(town, links.accept_link, *pair(town, "M3", "M5"))
    do(town, links.accept_link, *pair(town, "M1", "M5"))
    mark_double(town, "M5", "M1")
    merge(town, "M5")
    assert all_links(town)[["id", "a", "b", "state"]].values.tolist() == [
        [stands, town.ids["M1"], town.ids["M3"], ACCEPTED]
    ]


# --- funnel -------------------------------------------------------------------------------------------------


def test_the_funnel_counts_what_came_so_far_and_why_others_did_not(town: Town) -> None:
    do(town, links.accept_link, *pair(town, "M1", "M2"))
    do(town, links.accept_link, *pair(town, "M1", "M3"), stage="ecosystem")
    done = do(town, links.accept_link, *pair(town, "M2", "M3"), stage="platform")
    do(town, links.end_link, done, 0)
    for other in ("M2", "M3"):
        do(town, links.refuse_link, *pair(town, "M5", other), reason="已有伙伴")
    do(town, links.refuse_link, *pair(town, "M5", "M1"), reason="不合适")
    with store.reading(town.engine) as session:
        found = funnel.funnel(session, lead(town), town.branch_id, 7)
        why = funnel.refusals(session, lead(town), town.branch_id)
    assert found[["step", "links", "merchants"]].values.tolist() == [
        ["suggested", 7, 0],
        ["accepted", 2, 3],
        ["platform", 1, 2],
        ["ecosystem", 1, 2],
        ["ended", 1, 2],
        ["refused", 3, 4],
    ]
    assert why.values.tolist() == [["已有伙伴", 2], ["不合适", 1]]


def test_one_reason_in_two_languages_is_counted_once(sqlite_town: Town) -> None:
    town = sqlite_town
    for other, language in (("M1", "zh"), ("M2", "en"), ("M3", "zh")):
        reason = say(links.REASONS[0], language)  # type: ignore[arg-type]
        do(town, links.refuse_link, *pair(town, "M5", other), reason=reason)
    with store.reading(town.engine) as session:
        why = funnel.refusals(session, lead(town), town.branch_id)
    assert why.values.tolist() == [["双方争夺同一批客户", 3]]


def test_an_ended_link_may_be_refused(sqlite_town: Town) -> None:
    link = do(sqlite_town, links.accept_link, *pair(sqlite_town))
    with pytest.raises(Conflict):
        do(sqlite_town, links.refuse_link, *pair(sqlite_town), reason="x")
    do(sqlite_town, links.end_link, link, 0)
    do(sqlite_town, links.refuse_link, *pair(sqlite_town), reason="x")
    assert all_links(sqlite_town)["state"].tolist() == [REFUSED]
