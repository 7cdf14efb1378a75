"""Two people change one branch's data at once: both come to an end, and every row is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import func, select

from data import database, ingest, store, tables
from data.ingest import ImportReport
from data.rights import Asker, Role
from geo.errors import Conflict
from tests.test_data.conftest import CLI

HEADER = "商户编号,商户名称,类别,电话,经度(WGS84),纬度(WGS84)\n"
PATIENCE_S = 120


def listed(first: int, last: int, *, phone: int = 13900000000) -> bytes:
    """Return a list of shops by number; the same number is the same shop."""
    rows = (
        f"T{n},面馆{n}号,餐饮,{phone + n},{114.30 + n % 40 * 0.0005:.4f},{30.60 + n // 40 * 0.0005:.4f}\n"
        for n in range(first, last)
    )
    return (HEADER + "".join(rows)).encode()


@pytest.fixture
def branch_id(engine: sqlalchemy.Engine) -> int:
    with store.transaction(engine) as session:
        return store.add_branch(session, CLI, code="T", name="测试支行", lon=114.3, lat=30.6)


def analyst(name: str, branch_id: int) -> Asker:
    return Asker(name=f"test:{name}", role=Role.HEAD, branch_ids=frozenset({branch_id}))


def bring(engine: sqlalchemy.Engine, branch_id: int, name: str, content: bytes) -> ImportReport:
    with store.transaction(engine) as session:
        return ingest.run_import(
            session,
            analyst(name, branch_id),
            content,
            kind="merchants",
            branch_id=branch_id,
            name=f"{name}.csv",
        )


def at_once(engine: sqlalchemy.Engine, *jobs: Callable[[sqlalchemy.Engine], Any]) -> list[Any]:
    """Do jobs at the same moment, each over an engine of its own, as two servers would."""
    start = Barrier(len(jobs))

    def do(job: Callable[[sqlalchemy.Engine], Any]) -> Any:
        own = database._make_engine(engine.url.render_as_string(hide_password=False))
        try:
            start.wait(PATIENCE_S)
            return job(own)
        finally:
            own.dispose()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [done.result(PATIENCE_S) for done in [pool.submit(do, job) for job in jobs]]


def count(engine: sqlalchemy.Engine, table: sqlalchemy.Table) -> int:
    with store.reading(engine) as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def check_sound(engine: sqlalchemy.Engine, branch_id: int, *, versions: int) -> None:
    """Check that no merchant is there twice, and that versions and what they tell of add up."""
    merchants, kept = tables.merchants.c, tables.data_versions.c
    with store.reading(engine) as session:
        twice = select(merchants.source_id).group_by(merchants.source_id).having(func.count() > 1)
        assert not session.execute(twice).all()
        numbers = session.scalars(select(kept.number).order_by(kept.number)).all()
        assert list(numbers) == list(range(1, versions + 1))
        assert store.data_version(session, branch_id) == versions


def test_overlapping_lists_brought_in_at_once_are_both_stored_whole(
    engine: sqlalchemy.Engine, branch_id: int
) -> None:
    lists = {"anna": listed(0, 600), "ben": listed(300, 900)}
    done = at_once(
        engine, *(lambda own, name=name: bring(own, branch_id, name, lists[name]) for name in lists)
    )
    for report in done:
        assert report.rows == 600
        assert report.rows == report.accepted + report.updated + report.duplicates + report.rejected
        assert report.rejected == 0
    assert sorted(report.accepted for report in done) == [300, 600], "the later one found the earlier's rows"
    assert sum(report.duplicates + report.updated for report in done) == 300
    assert count(engine, tables.merchants) == 900
    check_sound(engine, branch_id, versions=2)


def test_the_same_list_brought_in_twice_at_once_is_there_once(
    engine: sqlalchemy.Engine, branch_id: int
) -> None:
    done = at_once(
        engine,
        *(lambda own, name=name: bring(own, branch_id, name, listed(0, 400)) for name in ("anna", "ben")),
    )
    assert sorted((report.accepted, report.duplicates) for report in done) == [(0, 400), (400, 0)]
    assert count(engine, tables.merchants) == 400
    check_sound(engine, branch_id, versions=2)


def test_lists_without_identifiers_brought_in_at_once_are_told_apart_by_name_and_place(
    engine: sqlalchemy.Engine, branch_id: int
) -> None:
    def nameless(first: int, last: int) -> bytes:
        lines = listed(first, last).decode().splitlines(keepends=True)
        return "".join(line.split(",", 1)[1] for line in lines).encode()

    done = at_once(
        engine,
        lambda own: bring(own, branch_id, "anna", nameless(0, 300)),
        lambda own: bring(own, branch_id, "ben", nameless(200, 500)),
    )
    assert sorted(report.accepted for report in done) == [200, 300]
    assert count(engine, tables.merchants) == 500


def test_an_import_and_a_rollback_at_once_leave_what_one_after_the_other_would(
    engine: sqlalchemy.Engine, branch_id: int
) -> None:
    first = bring(engine, branch_id, "anna", listed(0, 400))
    assert first.batch is not None
    batch = first.batch

    def undo(own: sqlalchemy.Engine) -> Any:
        with store.transaction(own) as session:
            return store.rollback(session, analyst("anna", branch_id), batch, keep="later")

    report, undone = at_once(
        engine, lambda own: bring(own, branch_id, "ben", listed(200, 600, phone=13700000000)), undo
    )
    assert report.rows == report.accepted + report.updated + report.duplicates == 400
    if report.accepted == 400:  # the rollback went first: the list found nothing
        assert (undone.removed, count(engine, tables.merchants)) == (400, 400)
    else:  # the list went first: what it updated stays, for it was touched later
        assert (report.accepted, report.updated) == (200, 200)
        assert (undone.removed, undone.kept, count(engine, tables.merchants)) == (200, 200, 400)
    check_sound(engine, branch_id, versions=3)


def test_an_import_and_an_edit_by_hand_at_once_lose_neither(
    engine: sqlalchemy.Engine, branch_id: int
) -> None:
    bring(engine, branch_id, "anna", listed(0, 300))
    merchants = tables.merchants.c
    with store.reading(engine) as session:
        row = session.execute(
            select(merchants.id, merchants.revision).where(merchants.source_id == "T250")
        ).one()

    def edit(own: sqlalchemy.Engine) -> str:
        try:
            with store.transaction(own) as session:
                store.edit_merchant(
                    session,
                    analyst("anna", branch_id),
                    row.id,
                    row.revision,
                    note="已电话确认",
                    status="signed",
                )
        except Conflict:
            return "refused"
        return "kept"

    report, said = at_once(
        engine, lambda own: bring(own, branch_id, "ben", listed(200, 500, phone=13700000000)), edit
    )
    assert (report.accepted, report.updated) == (200, 100)
    with store.reading(engine) as session:
        after = session.execute(select(tables.merchants).where(merchants.id == row.id)).one()
    assert after.phone is not None and after.phone.replace(" ", "").endswith("13700000250")
    if said == "kept":  # the edit came first, and the list says nothing of notes
        assert (after.note, after.status, after.revision) == ("已电话确认", "signed", row.revision + 2)
    else:  # the list came first: the edit was of a row that has changed since
        assert (after.note or "", after.revision) == ("", row.revision + 1)
    check_sound(engine, branch_id, versions=3 if said == "kept" else 2)
