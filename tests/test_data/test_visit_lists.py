"""Lists of visits: headers in both languages, rows taken and refused with the reason, the same list again."""

from __future__ import annotations

import json
from datetime import date
from functools import partial

import pandas as pd
import pytest
from sqlalchemy import select, update

from data import ingest, snapshots, store, tables
from data.rights import Role
from data.words import LANGUAGES, say
from data.zones.visit_lists import import_visits
from data.zones.visit_rows import as_day
from data.zones.visits import visits
from geo.errors import FileError, ManyRejected, RightsError
from geo.visits import day_number
from tests.test_data.conftest import CLI
from tests.test_data.test_cli import answered, branch, run

__all__ = ["branch"]  # a fixture
TODAY = date(2026, 11, 22)
LIST = """走访人,商户编号,商户名称,客户编号,日期,结果,下一步,下次日期
小陈,M1,,,2026-11-02,有意,带资料,2026/12/1
小陈,,人民路超市,,2026年11月3日,不在,,
新同事,,,C5,20261104,已办卡,,
小陈、新同事,M2,,,2026-11-05 10:30,=1+1,,很快
"""


@pytest.fixture(autouse=True)
def on_one_day(monkeypatch):
    """Let it be one day."""
    for module in ("intervals", "visits", "visit_rows"):
        monkeypatch.setattr(f"data.zones.{module}.today", lambda: TODAY)


def bring(town, text, *, asker=CLI, **more):
    with store.transaction(town.engine) as session:
        content = text.encode() if isinstance(text, str) else text
        return import_visits(
            session, asker, content, branch_id=town.branch_id, **{"name": "走访.csv", **more}
        )


def read(town):
    with store.transaction(town.engine) as session:
        return visits(session, CLI, town.branch_id)


def adds_up(done):
    return done.rows == done.accepted + done.updated + done.duplicates + done.rejected


def test_a_list_is_taken_with_whom_who_and_when(town):
    done = bring(town, LIST)
    assert (done.rows, done.accepted, done.updated, done.duplicates, done.rejected) == (4, 4, 0, 0, 0)
    assert done.warnings == {"several_people": 1, "not_a_next_day": 1}
    assert (done.new_people, done.datum) == (1, None)
    rows = read(town).sort_values("day")
    assert rows["merchant_id"].tolist() == [town.ids["M1"], town.ids["M3"], None, town.ids["M2"]]
    assert rows["customer_id"].tolist() == [None, None, town.ids["C5"], None]
    assert rows["person"].tolist() == ["小陈", "小陈", "新同事", "小陈"]
    assert rows["day"].tolist() == [date(2026, 11, day) for day in (2, 3, 4, 5)]
    assert rows["result"].tolist() == ["有意", "不在", "已办卡", "=1+1"]
    assert rows["next_step"].tolist() == ["带资料", None, None, None]
    assert rows["next_day"].tolist() == [date(2026, 12, 1), None, None, None]
    held = town.snapshot()
    assert held.merchants.visited[held.merchants.row_of(town.ids["M1"])] == day_number(date(2026, 11, 2))
    assert held.customers.visited[held.customers.row_of(town.ids["C5"])] == day_number(date(2026, 11, 4))
    snapshots.clear()
    assert (town.snapshot().merchants.visited == held.merchants.visited).all()
    assert (town.snapshot().customers.visited == held.customers.visited).all()


def test_english_headers_and_a_workbook_are_read_as_well(sqlite_town, tmp_path):
    frame = pd.DataFrame(
        {
            "Visitor": ["小陈"],
            "Merchant name": ["老王酒楼"],
            "Visit date": [pd.Timestamp(2026, 11, 1)],
            "Outcome": ["ok"],
            "Next step": ["call"],
            "Next date": [pd.Timestamp(2026, 11, 30)],
        }
    )
    path = tmp_path / "visits.xlsx"
    frame.to_excel(path, index=False, engine="xlsxwriter")
    done = bring(sqlite_town, path.read_bytes(), name="visits.xlsx")
    assert done.mapping == {
        "person": "Visitor",
        "merchant": "Merchant name",
        "day": "Visit date",
        "result": "Outcome",
        "next_step": "Next step",
        "next_day": "Next date",
    }
    (row,) = read(sqlite_town).to_dict("records")
    assert (row["merchant_id"], row["day"], row["next_day"]) == (
        sqlite_town.ids["M1"],
        date(2026, 11, 1),
        date(2026, 11, 30),
    )


def test_what_is_wrong_with_a_row_is_said_with_row_and_column(town):
    with store.transaction(town.engine) as session:
        same = update(tables.merchants).where(tables.merchants.c.id == town.ids["M5"])
        session.execute(same.values(name="人民路超市"))
    text = (
        "走访人,商户编号,商户名称,客户编号,日期\n"
        "小陈,M1,,,\n"
        "小陈,M1,,,去年\n"
        "小陈,M1,,,2026-02-30\n"
        "小陈,M1,,,2026-11-23\n"
        "小陈,,,,2026-11-01\n"
        "小陈,M1,,C5,2026-11-01\n"
        "小陈,M9,,,2026-11-01\n"
        "小陈,,没有这家,,2026-11-01\n"
        "小陈,,人民路超市,,2026-11-01\n"
        "小陈,,,C9,2026-11-01\n"
        "小陈,M1,,2026-11-01\n"
        "小陈,M1,,,2026-11-01\n"
    )
    done = bring(town, text, agreed=True)
    assert (done.accepted, done.rejected) == (1, 11)
    assert adds_up(done)
    found = done.rejects.set_index("row")
    assert found["reason"].tolist() == [
        *("no_day", "not_a_day", "not_a_day", "day_to_come", "nobody", "two", "unknown_merchant"),
        *("unknown_merchant", "several_merchants", "unknown_customer", "ragged"),
    ]
    assert found.loc[[3, 8, 9], "column"].tolist() == ["日期", "商户编号", "商户名称"]
    assert found.loc[3, "params"] == {"value": "去年"}
    assert found.loc[11, "params"] == {}  # a customer's number is not told on
    assert done.reasons["unknown_merchant"] == 2
    for language in LANGUAGES:
        words = ingest.rejects_table(done.rejects, partial(say, language=language))
        assert words["reason"].str.len().gt(5).all()


def test_the_same_list_again_is_all_duplicates_and_noticed(town):
    first = bring(town, LIST)
    again = bring(town, LIST)
    assert (again.accepted, again.updated, again.duplicates) == (0, 0, 4)
    assert len(read(town)) == 4
    with store.reading(town.engine) as session:
        found = store.same_file(session, town.branch_id, first.sha256)
    assert (found["id"], found["kind"]) == (again.batch, "visits")


def test_a_row_twice_in_one_list_is_a_duplicate(sqlite_town):
    line = "小陈,M1,,,2026-11-02,再来一次,,\n"
    done = bring(sqlite_town, LIST + line)
    assert (done.accepted, done.duplicates) == (4, 1)
    assert adds_up(done)


def test_a_later_list_that_says_more_updates_and_can_be_taken_back(town):
    bring(town, "走访人,商户编号,日期,结果\n小陈,M1,2026-11-02,\n小陈,M2,2026-11-02,谈过\n")
    more = bring(town, "走访人,商户编号,日期,结果\n小陈,M1,2026-11-02,已签\n小陈,M2,2026-11-02,\n")
    assert (more.accepted, more.updated, more.duplicates) == (0, 1, 1)
    assert sorted(read(town)["result"]) == ["已签", "谈过"]
    with store.transaction(town.engine) as session:
        store.rollback(session, CLI, more.batch, keep="later")
    assert set(read(town)["result"]) == {None, "谈过"}


def test_a_list_is_taken_back_whole(town):
    done = bring(town, LIST)
    with store.transaction(town.engine) as session:
        undone = store.rollback(session, CLI, done.batch, keep="later")
    assert (undone.removed, undone.kept) == (4, 0)
    assert read(town).empty
    held = town.snapshot()
    assert (held.merchants.visited == -1).all() and (held.customers.visited == -1).all()


def test_an_older_list_taken_back_leaves_what_a_later_one_has_too(town):
    first = bring(town, LIST)
    bring(town, LIST)
    with store.transaction(town.engine) as session:
        assert store.touched_later(session, CLI, first.batch)["what"].tolist() == ["listed"] * 4
        assert store.rollback(session, CLI, first.batch, keep="later").kept == 4
    assert len(read(town)) == 4


def test_a_dry_run_counts_and_stores_nothing(town):
    before = town.snapshot().version
    done = bring(town, LIST, dry_run=True)
    assert (done.batch, done.version, done.accepted) == (None, None, 4)
    assert read(town).empty
    assert town.snapshot().version == before
    with store.reading(town.engine) as session:
        assert session.scalars(select(tables.people.c.name)).all() == ["小陈"]


def test_a_list_that_is_none_is_refused_whole(sqlite_town):
    for text, why in (
        ("走访人,日期\n小陈,2026-11-01\n", "needs a column"),
        ("走访人,商户编号\n小陈,M1\n", "needs a column"),
        ("商户编号,日期\n", "no rows"),
        ("商户编号,日期\nM9,2026-11-01\n", "None of the 1 rows"),
    ):
        with pytest.raises(FileError, match=why):
            bring(sqlite_town, text)
    with pytest.raises(ManyRejected):
        bring(sqlite_town, "商户编号,日期\nM1,2026-11-01\nM8,2026-11-01\nM9,2026-11-01\n")
    with pytest.raises(FileError, match="not there"):
        bring(sqlite_town, LIST, mapping={"day": "哪天"})
    assert read(sqlite_town).empty


def test_a_mapping_by_hand_goes_before_the_headers(sqlite_town):
    text = "甲,乙,丙\nM1,2026-11-01,有意\n"
    done = bring(sqlite_town, text, mapping={"merchant_id": "甲", "day": "乙", "result": "丙"})
    assert done.accepted == 1
    assert read(sqlite_town)["result"].tolist() == ["有意"]


def test_who_imports_lists_imports_visits(sqlite_town):
    for role in (Role.MEMBER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(RightsError):
            bring(sqlite_town, LIST, asker=sqlite_town.asker(role))
    assert bring(sqlite_town, LIST, asker=sqlite_town.asker(Role.LEAD)).accepted == 4


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-1-9", date(2026, 1, 9)),
        ("2026.01.09", date(2026, 1, 9)),
        ("2026 年 1 月 9 日", date(2026, 1, 9)),
        ("2026-01-09T08:00:00", date(2026, 1, 9)),
        ("46348", date(2026, 11, 22)),
        ("46348.5", date(2026, 11, 22)),
        ("2026-13-01", None),
        ("20260230", None),
        ("昨天", None),
        ("1", None),
        ("", None),
    ],
)
def test_days_are_read_as_lists_write_them(text, day):
    assert as_day(text) == day


def test_the_command_line_brings_visits_in(branch, tmp_path, monkeypatch):
    merchants, listed = tmp_path / "商户.csv", tmp_path / "走访.csv"
    merchants.write_text("商户编号,商户名称,类别,经度,纬度\nS1,甲饭店,餐饮,114.31,30.51\n", encoding="utf-8")
    answered("import", "merchants", str(merchants), "--branch", branch, "--datum", "wgs84")
    listed.write_text("走访人,商户编号,日期\n张三甲,S1,2026-11-01\n张三甲,S9,2026-11-01\n", encoding="utf-8")
    report = tmp_path / "退回.csv"
    found = answered("import", "visits", str(listed), "--branch", branch, "--report", str(report))
    assert (found["rows"], found["accepted"], found["rejected"]) == (2, 1, 1)
    assert {"batch", "updated", "duplicates", "reasons", "datum", "encoding"} <= set(found)
    assert "S9" in report.read_text(encoding="utf-8-sig")
    assert [row["kind"] for row in answered("batches", "--branch", branch)["batches"]] == [
        "visits",
        "merchants",
    ]
    answered("rollback", str(found["batch"]), "--branch", branch, "--keep", "later")
    said = run("import", "visits", str(listed), "--branch", branch)
    assert "2 rows: 1 accepted, 0 updated, 0 duplicates, 1 rejected." in said.stdout
    refused = answered("import", "visits", str(listed), "--branch", branch, "--snapshot", status=1)
    assert json.dumps(refused)
