"""Alliances: formed, made active, ended; members by hand; and what of it coverage and the trend say."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select, update

from data import snapshots, store, tables
from data.alliances import claiming, funnel, held, links, members
from data.alliances.matrix import shipped
from data.alliances.workbook import workbook
from data.rights import Asker, Role
from data.words import say
from data.zones import intervals, trend
from data.zones.coverage import report
from data.zones.intervals import today
from geo.coverage import Figure
from geo.errors import Conflict, DataError, LinkConflict, NotFound, RightsError
from geo.visits import day_number
from tests.test_data.conftest import CLI, Town
from tests.test_data.test_links import do, lead, mark_double, merge, pair, person, told
from tests.test_data.test_two_analysts import at_once
from tests.test_data.test_zone_coverage import PLAN, UNKNOWN
from tests.test_data.test_zone_trend import publish
from tests.test_data.test_zone_trend import told as trend_of


def head(town: Town) -> Asker:
    return town.asker(Role.HEAD)


def form(town: Town, *shops: str, name: str = "老街联盟", **more: Any) -> int:
    return do(town, held.form_alliance, town.branch_id, name, [town.ids[shop] for shop in shops], **more)


def activate(town: Town, alliance_id: int, revision: int = 0, status: str = held.ACTIVE) -> int:
    return do(town, held.set_status, alliance_id, revision, status, by=head(town))


def look(town: Town, alliance_id: int) -> held.Alliance:
    with store.reading(town.engine) as session:
        return held.alliance(session, lead(town), alliance_id)


def every(town: Town) -> Any:
    with store.reading(town.engine) as session:
        return held.alliances(session, lead(town), town.branch_id)


def allied(town: Town) -> set[str]:
    merchants = town.snapshot().merchants
    found = set(merchants.id[merchants.allied].tolist())
    return {name for name, row_id in town.ids.items() if name.startswith("M") and row_id in found}


def test_an_alliance_is_formed_made_active_and_ended(town: Town) -> None:
    offers = {town.ids["M2"]: {"offer": "凭我行卡八八折", "saving_yuan": 12.345, "sponsor_yuan": 500}}
    owner = person(town)
    which = form(town, "M2", "M1", owner_id=owner, stage="platform", notes="先试一季", offers=offers)
    assert allied(town) == set()
    assert activate(town, which) == 1
    assert allied(town) == {"M1", "M2"}
    found = look(town, which)
    assert (found.name, found.status, found.stage, found.owner) == (
        "老街联盟",
        "active",
        "platform",
        "测试一号",
    )
    assert (found.in_force, found.revision, found.by, found.notes) == (True, 1, "test:lead", "先试一季")
    assert found.members["name"].tolist() == ["Happy 100%_火锅", "老王酒楼"]
    assert found.members["saving_yuan"].iloc[0] == 12.35 and np.isnan(found.members["saving_yuan"].iloc[1])
    assert found.members["joined"].tolist() == [today()] * 2 and found.members["left"].isna().all()
    assert activate(town, which, 1, held.ENDED) == 2
    assert allied(town) == set() and look(town, which).ends == today()
    form(town, "M1", "M3", name="新联盟")
    listed = every(town)
    assert listed[["name", "status", "members", "in_force"]].values.tolist() == [
        ["新联盟", "forming", 2, False],
        ["老街联盟", "ended", 2, False],
    ]
    with store.reading(town.engine) as session:
        causes = store.versions(session, CLI, town.branch_id)["cause"].tolist()
    assert causes[:4] == ["alliance"] * 4


def test_members_come_and_go_by_hand(town: Town) -> None:
    which = form(town, "M1", "M2")
    activate(town, which)
    assert do(town, members.add_member, which, 1, town.ids["M3"], offer="满百减十", saving_yuan=10) == 2
    assert allied(town) == {"M1", "M2", "M3"}
    assert do(town, members.remove_member, which, 2, town.ids["M1"]) == 3
    assert allied(town) == {"M2", "M3"}
    found = look(town, which).members
    assert found["name"].tolist() == ["Happy 100%_火锅", "人民路超市", "老王酒楼"]
    assert found["left"].tolist() == [None, None, today()]
    assert do(town, members.edit_member, which, 3, town.ids["M3"], offer="", sponsor_yuan=80.0) == 4
    assert do(town, members.edit_member, which, 4, town.ids["M3"], sponsor_yuan=80.0) == 4
    assert do(town, members.add_member, which, 4, town.ids["M1"]) == 5
    found = look(town, which).members.set_index("name")
    assert found.loc["人民路超市", ["offer", "saving_yuan", "sponsor_yuan"]].tolist() == [None, 10.0, 80.0]
    assert found.loc["老王酒楼", "left"] is None and len(found) == 3
    with store.reading(town.engine) as session:
        history = held.alliance_history(session, lead(town), which)
    assert history["what"].tolist() == ["joined", "offered", "left", "joined", "activated", "formed"]
    with pytest.raises(NotFound):
        do(town, members.remove_member, which, 5, town.ids["M5"])


def test_a_merchant_is_in_one_alliance_at_a_time(town: Town) -> None:
    first = form(town, "M1", "M2", ends=today() + timedelta(9))
    with pytest.raises(Conflict, match="老王酒楼 is in the alliance 老街联盟"):
        form(town, "M3", "M1")
    second = form(town, "M3", "M5", name="另一联盟")
    with pytest.raises(Conflict):
        do(town, members.add_member, second, 0, town.ids["M1"])
    do(town, held.edit_alliance, first, 0, starts=date(2026, 1, 1), ends=today() - timedelta(1))
    do(town, members.add_member, second, 0, town.ids["M1"])  # the first is over, though nobody ended it
    with pytest.raises(Conflict):
        do(town, held.edit_alliance, first, 1, ends=None)
    with pytest.raises(Conflict):
        activate(town, first, 1)


def test_a_stale_change_is_refused_with_an_account(town: Town) -> None:
    which = form(town, "M1", "M2")
    do(town, members.add_member, which, 0, town.ids["M3"])
    do(town, held.edit_alliance, which, 1, name="新名", stage="ecosystem", by=head(town))
    for call, told_ in (
        (held.edit_alliance, (which, 0)),
        (members.remove_member, (which, 0, town.ids["M1"])),
        (held.drop_alliance, (which, 0)),
    ):
        with pytest.raises(
            LinkConflict, match="test:lead took a member in .*; test:head changed name, stage"
        ):
            do(town, call, *told_)
    with pytest.raises(LinkConflict) as stale:
        activate(town, which, 1)
    assert "test:head 修改了名称、阶段" in say(stale.value, "zh")
    assert look(town, which).status == "forming"


def test_of_two_alliances_that_want_a_merchant_at_once_one_has_it(town: Town) -> None:
    def wants(name: str) -> Any:
        def job(engine: Any) -> Any:
            try:
                with store.transaction(engine) as session:
                    shops = [town.ids["M1"], town.ids["M2"]]
                    return held.form_alliance(session, lead(town), town.branch_id, name, shops)
            except Conflict as conflict:
                return conflict

        return job

    done = at_once(town.engine, wants("甲联盟"), wants("乙联盟"))
    assert sum(isinstance(each, Conflict) for each in done) == 1 and len(every(town)) == 1


def test_who_may_do_what(sqlite_town: Town) -> None:
    town = sqlite_town
    which = form(town, "M1", "M2")
    with pytest.raises(RightsError):
        do(town, held.set_status, which, 0, held.ACTIVE)  # a lead edits, a head makes it active
    activate(town, which)
    with pytest.raises(RightsError):
        do(town, held.set_status, which, 1, held.ENDED)
    shop = town.ids["M3"]
    for role in (Role.MEMBER, Role.ANALYST):
        asker = town.asker(role)
        with store.reading(town.engine) as session:
            assert len(held.alliances(session, asker, town.branch_id)) == 1
            assert held.alliance(session, asker, which).members["name"].tolist()[0] == "老王酒楼"
            assert len(funnel.funnel(session, asker, town.branch_id, 0)) == 6
        for call, told_ in (
            (held.form_alliance, (town.branch_id, "x", [shop])),
            (held.edit_alliance, (which, 1)),
            (held.drop_alliance, (which, 1)),
            (members.add_member, (which, 1, shop)),
            (members.remove_member, (which, 1, town.ids["M1"])),
            (members.edit_member, (which, 1, town.ids["M1"])),
            (members.record_referral, (which,)),
        ):
            with pytest.raises(RightsError):
                do(town, call, *told_, by=asker)
    with store.reading(town.engine) as session, pytest.raises(RightsError):
        held.alliance(session, town.asker(Role.LEAD, town.other_id), which)


def test_what_cannot_be_done_is_said(sqlite_town: Town) -> None:
    town = sqlite_town
    for name, shops in (("", ["M1"]), ("字" * 121, ["M1"]), ("x", ["M4"])):
        with pytest.raises(DataError):
            form(town, *shops, name=name)
    with pytest.raises(DataError):
        form(town, "M1", offers={town.ids["M1"]: {"saving_yuan": -1.0}})
    alone = form(town, "M1")
    with pytest.raises(DataError, match="at least 2 open members"):
        activate(town, alone)
    with pytest.raises(DataError, match="cannot be changed"):
        do(town, held.edit_alliance, alone, 0, status="active")
    with pytest.raises(DataError):
        do(town, members.record_referral, alone, to_id=town.ids["M1"])  # not active yet
    do(town, held.drop_alliance, alone, 0)
    assert every(town).empty
    which = form(town, "M1", "M2")
    activate(town, which)
    with pytest.raises(DataError, match="Active"):
        do(town, held.drop_alliance, which, 1)
    activate(town, which, 1, held.ENDED)
    with pytest.raises(DataError, match="has ended"):
        do(town, members.add_member, which, 2, town.ids["M3"])
    with pytest.raises(DataError):
        activate(town, which, 2)
    assert do(town, held.edit_alliance, which, 2, notes="做得不错") == 3


def test_no_alliance_is_larger_than_people_can_look_after(sqlite_town: Town) -> None:
    town = sqlite_town
    rows = [
        {"branch_id": town.branch_id, "name": f"店{n}", "category_id": 101, "lon": 114.3, "lat": 30.5}
        for n in range(claiming.MOST_MEMBERS + 1)
    ]
    with store.transaction(town.engine) as session:
        session.execute(insert(tables.merchants), rows)
        named = select(tables.merchants.c.id).where(tables.merchants.c.name.like("店%"))
        ids = list(session.scalars(named))
    with pytest.raises(DataError, match="at most 12"):
        do(town, held.form_alliance, town.branch_id, "大", ids)
    which = do(town, held.form_alliance, town.branch_id, "大", ids[1:])
    with pytest.raises(DataError, match="at most 12"):
        do(town, members.add_member, which, 0, ids[0])


def test_referrals_go_between_members_and_the_branch(town: Town) -> None:
    which = form(town, "M1", "M2")
    activate(town, which)
    one, two = town.ids["M1"], town.ids["M2"]
    first = do(town, members.record_referral, which, from_id=one, to_id=two, count=3, value_yuan=260.0)
    do(town, members.record_referral, which, to_id=one, day=today() - timedelta(2))
    found = look(town, which).referrals
    assert found[["from_name", "to_name", "count"]].values.tolist() == [
        ["老王酒楼", "Happy 100%_火锅", 3],
        [None, "老王酒楼", 1],
    ]
    assert found["value_yuan"].iloc[0] == 260.0 and look(town, which).revision == 1
    for wrong in (
        {},
        {"from_id": one, "to_id": one},
        {"from_id": one, "to_id": town.ids["M3"]},
        {"from_id": one, "count": 0},
        {"from_id": one, "day": today() + timedelta(1)},
        {"from_id": one, "value_yuan": float("nan")},
    ):
        with pytest.raises(DataError):
            do(town, members.record_referral, which, **wrong)
    do(town, members.drop_referral, first)
    assert len(look(town, which).referrals) == 1


def test_the_funnel_and_the_colleagues_know_of_alliances(town: Town) -> None:
    owner = person(town)
    which = form(town, "M1", "M2", "M3", stage="platform", owner_id=owner)
    form(town, "M5", name="小吃联盟")
    assert told(town, "M2") == [["Happy 100%_火锅", "测试一号", "alliance"]]
    assert told(town, "M2", person_id=owner) == [] == told(town, "M5")
    with store.reading(town.engine) as session:
        found = funnel.funnel(session, lead(town), town.branch_id, 0).set_index("step")
    assert found["alliances"].tolist() == [0, 2, 1, 0, 0, 0]
    assert found.loc["accepted", "merchants"] == 4
    do(town, members.remove_member, which, 0, town.ids["M2"])
    assert told(town, "M2") == []


# --- what else happens to merchants -------------------------------------------------------------------------


def test_a_member_that_closes_is_shown_as_such_and_counts_no_more(town: Town) -> None:
    which = form(town, "M1", "M2")
    activate(town, which)
    card = do(town, store.merchant_card, town.ids["M2"])
    do(town, store.edit_merchant, town.ids["M2"], card["revision"], status="closed")
    assert allied(town) == {"M1"}
    assert look(town, which).members["status"].tolist() == ["known", "closed"]
    with store.transaction(town.engine) as session:
        store.set_aside(session, CLI, town.branch_id, "merchants", town.ids["M1"], "x")
    assert allied(town) == set()


def test_a_double_settled_is_a_member_in_its_place_and_back_again(town: Town) -> None:
    which = form(town, "M5", "M2")
    activate(town, which)
    do(town, members.record_referral, which, from_id=town.ids["M5"], to_id=town.ids["M2"])
    mark_double(town, "M5", "M1")
    batch = merge(town, "M5")
    assert allied(town) == {"M1", "M2"}
    assert look(town, which).members["name"].tolist() == ["老王酒楼", "Happy 100%_火锅"]
    assert look(town, which).referrals["from_name"].tolist() == ["老王酒楼"]
    assert look(town, which).revision == 2
    snapshots.clear()
    assert allied(town) == {"M1", "M2"}
    do(town, store.rollback, batch, keep="later", by=CLI)
    assert allied(town) == {"M5", "M2"}
    assert look(town, which).referrals["from_name"].tolist() == ["沙县小吃"]


def test_a_double_within_one_alliance_is_one_member(sqlite_town: Town) -> None:
    which = form(sqlite_town, "M5", "M1", "M2")
    mark_double(sqlite_town, "M5", "M1")
    merge(sqlite_town, "M5")
    assert look(sqlite_town, which).members["name"].tolist() == ["老王酒楼", "Happy 100%_火锅"]


def test_of_two_alliances_a_double_leaves_the_one_of_the_merchant_that_goes(sqlite_town: Town) -> None:
    own, other = form(sqlite_town, "M1", "M2"), form(sqlite_town, "M5", "M3", name="另一联盟")
    mark_double(sqlite_town, "M5", "M1")
    merge(sqlite_town, "M5")
    assert look(sqlite_town, own).members["left"].isna().all()
    assert look(sqlite_town, other).members.set_index("name")["left"].to_dict() == {
        "人民路超市": None,
        "老王酒楼": today(),
    }


def test_a_list_taken_back_tells_of_the_alliances_of_its_merchants(sqlite_town: Town) -> None:
    town = sqlite_town
    shop = do(
        town, store.add_merchant, town.branch_id, name="新店", category_id=101, lon=114.3, lat=30.5, by=CLI
    )
    which = do(town, held.form_alliance, town.branch_id, "x", [shop, town.ids["M1"]])
    with store.reading(town.engine) as session:
        batch = session.scalar(select(tables.merchants.c.batch_id).where(tables.merchants.c.id == shop))
        touched = store.touched_later(session, CLI, batch)
    assert touched[["name", "what"]].values.tolist() == [["新店", "linked"]]
    do(town, store.rollback, batch, keep="later", by=CLI)
    assert len(look(town, which).members) == 2
    assert len(town.snapshot().merchants) == 6


# --- figures ------------------------------------------------------------------------------------------------


def reach_of(category_id: int) -> float:
    matrix = shipped()
    return float(matrix.reach_m[matrix.rank[category_id]])


def figures(town: Town, asker: Asker = CLI, **more: Any) -> tuple[Any, Any]:
    found = report(town.snapshot(), asker, PLAN, **more)
    names = ("alliance_merchants", "alliance_reach")
    return tuple([found.zone(1)[name], found.zone(2)[name], found.total[name]] for name in names)  # type: ignore[return-value]


def test_coverage_is_a_dash_before_there_are_alliances_and_exact_then(town: Town) -> None:
    assert figures(town) == ([UNKNOWN] * 3, [UNKNOWN] * 3)
    which = form(town, "M1", "M2")
    assert figures(town)[0] == [Figure(0.0, 0, 3), Figure(0.0, 0, 1), Figure(0.0, 0, 4)]
    activate(town, which)
    found = report(town.snapshot(), CLI, PLAN)
    assert found.zone(1)["alliance_merchants"] == Figure.ratio(2, 3)
    assert found.total["alliance_merchants"] == Figure.ratio(2, 4)
    # Customers at 150, 250, 400, 1500 and, 50 of them, 2000 m; members at 100 and 200 m.
    metres = np.array([150.0, 250.0, 400.0, 1500.0, *[2000.0] * 50])
    near = (metres <= 100 + reach_of(101)) | (metres <= 200 + reach_of(102))
    assert found.total["alliance_reach"] == Figure.ratio(float(near.sum()), 54.0)
    zones = [found.zone(zone_id)["alliance_reach"].numerator for zone_id in PLAN.ids]
    assert sum(zones) + found.unzoned["alliance_reach"].numerator == near.sum()


def test_another_reach_reaches_others(sqlite_town: Town) -> None:
    town = sqlite_town
    activate(town, form(town, "M1", "M2"))
    for reach_m, reached in ((49.9, 0), (50.1, 2), (200.1, 3), (1800.1, 54)):
        matrix = shipped()
        wider = replace(matrix, reach_m=np.full(len(matrix.reach_m), reach_m), key=str(reach_m))
        assert figures(town, matrix=wider)[1][2].numerator == reached


def test_few_customers_in_reach_are_hidden_like_others(sqlite_town: Town) -> None:
    activate(sqlite_town, form(sqlite_town, "M1", "M2"))
    merchants, reach = figures(sqlite_town, sqlite_town.asker(Role.ANALYST))
    assert merchants[0] == Figure.ratio(2, 3)
    assert np.isnan(reach[0].value) and reach[0].numerator is None


def test_dates_take_effect_with_the_day(sqlite_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town, now = sqlite_town, today()
    which = form(town, "M1", "M2", starts=now + timedelta(2), ends=now + timedelta(5))
    activate(town, which)
    merchants = town.snapshot().merchants
    on = [day for day in range(8) if merchants.allied_on(day_number(now + timedelta(day))).any()]
    assert on == [2, 3, 4, 5] and not look(town, which).in_force
    assert figures(town)[0][2] == Figure(0.0, 0, 4)
    assert figures(town, today=now + timedelta(3))[0][2] == Figure.ratio(2, 4)
    monkeypatch.setattr(intervals, "today", lambda: now + timedelta(5))
    assert figures(town)[0][2] == Figure.ratio(2, 4)


def test_a_change_of_members_mends_the_snapshot_as_a_new_one_would_be(town: Town) -> None:
    town.snapshot()
    which = form(town, "M1", "M2", "M5")
    activate(town, which)
    do(town, members.remove_member, which, 1, town.ids["M5"])
    mended = town.snapshot()
    with store.reading(town.engine) as session:
        anew = snapshots.load(session, town.branch_id)
    for name in ("id", "allied_from", "allied_until"):
        assert np.array_equal(getattr(mended.merchants, name), getattr(anew.merchants, name)), name
    assert mended.customers.lon is not anew.customers.lon


def test_the_trend_keeps_both_figures_and_knows_nothing_of_them_before(town: Town) -> None:
    publish(town)
    which = form(town, "M1", "M2")
    activate(town, which)
    do(town, members.remove_member, which, 1, town.ids["M2"])
    rows = trend_of(town, 1, "alliance_merchants")
    assert [row[0] for row in rows] == ["plan", "alliance", "alliance", "alliance"]
    assert np.isnan(rows[0][1]) and rows[1:] == [("alliance", count, 3) for count in (0, 2, 1)]
    reach = trend_of(town, None, "alliance_reach")
    now = report(town.snapshot(), CLI, PLAN).total["alliance_reach"]
    assert reach[-1][1:] == (now.numerator, now.denominator)
    snapshots.clear()
    card = do(town, store.merchant_card, town.ids["M3"])
    do(town, store.edit_merchant, town.ids["M3"], card["revision"], note="x")
    assert trend_of(town, None, "alliance_reach")[-1][1:] == reach[-1][1:]


def test_versions_kept_before_there_were_alliances_are_still_told(sqlite_town: Town) -> None:
    town = sqlite_town
    publish(town)
    kept = tables.data_versions
    with store.transaction(town.engine) as session:
        row = session.execute(select(kept).order_by(kept.c.number.desc()).limit(1)).one()
        zones = row.figures["zones"]
        once = {"names": zones["names"][:-3], "zones": {z: s[:-3] for z, s in zones["zones"].items()}}
        figures_ = {**row.figures, "zones": {**zones, **once}}
        session.execute(update(kept).where(kept.c.id == row.id).values(figures=figures_))
    snapshots.clear()
    activate(town, form(town, "M1", "M2"))
    assert [row[1:] for row in trend_of(town, 1, "merchants")] == [
        (3, pytest.approx(np.nan, nan_ok=True))
    ] * 3
    counts = [row[1] for row in trend_of(town, 1, "alliance_merchants")]
    assert np.isnan(counts[0]) and counts[1:] == [0, 2]
    assert "alliance_reach" in trend.FIGURES


# --- taken out ----------------------------------------------------------------------------------------------


def test_links_and_alliances_go_out_as_a_workbook_within_rights(town: Town) -> None:
    do(town, links.accept_link, *pair(town, "M1", "M3"), stage="platform", notes="=1+1")
    which = form(town, "M1", "M2", offers={town.ids["M2"]: {"offer": "九折", "saving_yuan": 3}})
    activate(town, which)
    do(town, members.record_referral, which, to_id=town.ids["M1"], count=4)
    with pytest.raises(RightsError):
        do(town, workbook, town.branch_id, "zh", by=town.asker(Role.MEMBER))
    made = CalamineWorkbook.from_filelike(io.BytesIO(do(town, workbook, town.branch_id, "zh")))
    assert made.sheet_names == ["合作", "联盟", "成员", "互相转介"]
    titles, row = made.get_sheet_by_name("合作").to_python()
    assert dict(zip(titles, row, strict=True))["备注"] == "'=1+1"
    assert {"M1", "M3", "老王酒楼", "已采纳", "联合推广平台"} <= set(row)
    assert made.get_sheet_by_name("联盟").to_python()[1][:2] == ["老街联盟", "进行中"]
    assert [row[:3] for row in made.get_sheet_by_name("成员").to_python()[1:]] == [
        ["老街联盟", "M1", "老王酒楼"],
        ["老街联盟", "M2", "Happy 100%_火锅"],
    ]
    assert made.get_sheet_by_name("互相转介").to_python()[1][2:5] == ["", "老王酒楼", 4]
    with store.reading(town.engine) as session:
        lines = store.audit_rows(session, CLI, town.branch_id)
    assert lines.loc[lines["action"] == "export", "subject"].tolist() == ["alliances"]


def test_nothing_to_take_out_is_a_workbook_of_headings(sqlite_town: Town) -> None:
    made = CalamineWorkbook.from_filelike(io.BytesIO(do(sqlite_town, workbook, sqlite_town.branch_id, "en")))
    assert made.sheet_names == ["Links", "Alliances", "Members", "Referrals"]
    assert len(made.get_sheet_by_name("Members").to_python()) == 1
