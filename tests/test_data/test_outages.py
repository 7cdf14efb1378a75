"""No room, no rights, no database: a clear word, exit status 1, nothing half stored, no row told."""

from __future__ import annotations

import errno
import getpass
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from click.testing import Result
from sqlalchemy import event, func, select, text
from typer.testing import CliRunner

from data import bulk, database, outages, store, tables
from data.__main__ import app
from geo.errors import StoreError
from tests.clusters import free_port, text_of
from tests.conftest import ROOT, SECRET
from tests.test_data.conftest import CLI

NAME, PHONE = "欧阳测试面馆", "13912345678"
HEADER = "商户编号,商户名称,类别,电话,经度(WGS84),纬度(WGS84)\n"
LIST = HEADER + "".join(
    f"D{n},{NAME}{n}号,餐饮,{int(PHONE) + n},{114.30 + n % 40 * 0.0005:.4f},{30.60 + n // 40 * 0.0005:.4f}\n"
    for n in range(1500)
)
TABLES = ("merchants", "outlets", "batches", "changes", "unplaced", "data_versions", "audit")
FULL, GONE, CLOSED = "磁盘空间已满", "数据库没有响应", "无法写入"


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "清单.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


@pytest.fixture
def in_place(engine: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch) -> sqlalchemy.Engine:
    """The store the command line works on, with a branch."""
    monkeypatch.setenv("ZHENDI_DATABASE_URL", text_of(engine.url))
    monkeypatch.setenv("ZHENDI_LANG", "zh")
    with store.transaction(engine) as session:
        store.add_branch(session, CLI, code="D", name="测试支行", lon=114.3, lat=30.6)
    return engine


def bring(path: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["import", "merchants", str(path), "--branch", "D", *more])


def rows(engine: sqlalchemy.Engine) -> dict[str, int]:
    with store.reading(engine) as session:
        counted = {
            name: session.scalar(select(func.count()).select_from(tables.metadata.tables[name]))
            for name in TABLES
        }
    return {name: int(count or 0) for name, count in counted.items()}


def check_refused(done: Result, *words: str) -> None:
    """Check that it ended with 1 and a word of ours, that tells nothing of the rows."""
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert all(word in done.stderr for word in words), done.output
    assert "没有改动任何数据" in done.stderr
    check_silent(done.output)


def check_silent(said: str) -> None:
    assert NAME not in said and PHONE[:8] not in said, "rows are told"


@pytest.fixture
def middle(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let something happen in the middle of storing: when the merchants go in."""

    def put_in(what: Any) -> None:
        stored = bulk.insert

        def met(session: Any, table: Any, frame: Any) -> None:
            if table is tables.merchants:
                what(session)
            stored(session, table, frame)

        monkeypatch.setattr(bulk, "insert", met)

    return put_in


# A full disk ------------------------------------------------------------------------------------------------


def test_a_store_that_may_not_grow_refuses_and_keeps_nothing(
    sqlite_engine: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch, listed: Path
) -> None:
    monkeypatch.setenv("ZHENDI_LANG", "zh")
    with store.transaction(sqlite_engine) as session:
        store.add_branch(session, CLI, code="D", name="测试支行", lon=114.3, lat=30.6)
        pages = int(session.scalar(text("PRAGMA page_count")) or 0)
    before = rows(sqlite_engine)

    def bounded(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 20}").fetchall()

    event.listen(sqlite_engine, "connect", bounded)
    sqlite_engine.dispose()
    check_refused(bring(listed), FULL)
    assert rows(sqlite_engine) == before
    event.remove(sqlite_engine, "connect", bounded)
    sqlite_engine.dispose()
    assert bring(listed).exit_code == 0, "with room it goes in"
    assert rows(sqlite_engine)["merchants"] == 1500


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("no disk can be made here")
    yield folder
    database.dispose()
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_is_really_full_refuses_and_keeps_nothing(
    small_disk: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, listed: Path
) -> None:
    path = small_disk / "zhendi.db"
    path.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("ZHENDI_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("ZHENDI_LANG", "zh")
    made = CliRunner().invoke(
        app, ["branch", "add", "--code", "D", "--name", "测试支行", "--lon", "114.3", "--lat", "30.6"]
    )
    assert made.exit_code == 0, made.output
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - 200_000))
    engine = database.engine(database.Settings.from_env())
    before = rows(engine)
    long = listed.with_name("long.csv")
    long.write_text(
        HEADER + "".join(LIST[len(HEADER) :].replace("D", f"{again}-") for again in range(4)), "utf-8"
    )
    check_refused(bring(long, "--no-doubles"), FULL)
    assert rows(engine) == before
    (small_disk / "ballast").unlink()
    first = listed.with_name("first.csv")
    first.write_text("".join(LIST.splitlines(keepends=True)[:200]), "utf-8")
    assert bring(first).exit_code == 0
    assert rows(engine)["merchants"] == 199


def test_no_room_for_what_is_put_down_on_the_way_is_said(
    in_place: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch, listed: Path
) -> None:
    class Full(tempfile.SpooledTemporaryFile):  # type: ignore[type-arg]
        def write(self, *_given: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    before = rows(in_place)
    monkeypatch.setattr("data.files.texts.tempfile.SpooledTemporaryFile", Full)
    check_refused(bring(listed), FULL)
    assert rows(in_place) == before


# No rights --------------------------------------------------------------------------------------------------


def test_a_store_that_may_only_be_read_says_so(
    sqlite_engine: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch, listed: Path
) -> None:
    monkeypatch.setenv("ZHENDI_LANG", "zh")

    def only_read(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with store.transaction(sqlite_engine) as session:
        store.add_branch(session, CLI, code="D", name="测试支行", lon=114.3, lat=30.6)
    event.listen(sqlite_engine, "begin", only_read)  # after ours: what a disk mounted to be read answers
    check_refused(bring(listed), CLOSED)
    event.remove(sqlite_engine, "begin", only_read)
    assert rows(sqlite_engine)["merchants"] == 0


def test_a_folder_that_cannot_be_made_says_so(monkeypatch: pytest.MonkeyPatch, listed: Path) -> None:
    monkeypatch.setenv("ZHENDI_LANG", "zh")
    monkeypatch.setenv("ZHENDI_DATABASE_URL", "sqlite:////proc/zhendi/zhendi.db")
    check_refused(bring(listed), CLOSED)


# No database ------------------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, listed: Path) -> None:
    monkeypatch.setenv("ZHENDI_LANG", "zh")
    monkeypatch.setenv("ZHENDI_DATABASE_URL", f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none")
    done = bring(listed)
    check_refused(done, GONE)
    assert "secret" not in done.output
    database.dispose()


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_in_the_middle_leaves_nothing(
    in_place: sqlalchemy.Engine, listed: Path, middle: Any
) -> None:
    before = rows(in_place)

    def cut(session: Any) -> None:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        with psycopg.connect(text_of(in_place.url.set(drivername="postgresql")), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))

    middle(cut)
    check_refused(bring(listed), GONE)
    assert rows(in_place) == before


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_after_a_connection_was_cut_the_next_import_goes_in(
    in_place: sqlalchemy.Engine, listed: Path
) -> None:
    with in_place.connect() as connection:  # now in the pool, and about to die there
        connection.execute(text("SELECT 1"))
    with psycopg.connect(text_of(in_place.url.set(drivername="postgresql")), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert bring(listed).exit_code == 0
    assert rows(in_place)["merchants"] == 1500


# Whose data it is -------------------------------------------------------------------------------------------


def test_whatever_breaks_in_the_database_tells_nothing_of_the_rows(
    in_place: sqlalchemy.Engine, listed: Path, middle: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that is there twice is refused by the database, whose own words hold the row."""

    def again(session: Any) -> None:
        batch = session.scalar(select(func.max(tables.batches.c.id)))
        branch = session.scalar(select(tables.branches.c.id))
        values = {
            "id": 1,
            "branch_id": branch,
            "batch_id": batch,
            "name": NAME,
            "initials": "",
            "lon": 1,
            "lat": 1,
        }
        values |= {"phone": PHONE, "category_id": 101, "status": "known"}
        for _ in range(2):
            session.execute(tables.merchants.insert().values(values))

    before = rows(in_place)
    middle(again)
    with caplog.at_level(logging.DEBUG):
        done = bring(listed)
    assert done.exit_code == 1
    assert "数据库没有响应或拒绝了请求（IntegrityError）" in done.stderr
    check_silent(done.output + caplog.text)
    assert rows(in_place) == before


def test_what_nobody_foresaw_is_told_by_its_place_alone(tmp_path: Path, listed: Path) -> None:
    broken = f"raise RuntimeError({NAME + PHONE!r})"
    program = (
        "import sys; from data import __main__ as line, ingest\n"
        f"def broken(*_, **__):\n    {broken}\n"
        "line.ingest.run_import = broken\n"
        f"sys.argv = ['data', 'import', 'merchants', {str(listed)!r}, '--branch', 'D']\n"
        "line.main()\n"
    )
    env = {
        **os.environ,
        "ZHENDI_VAR": str(tmp_path / "own"),
        "ZHENDI_SECRET_KEY": SECRET,
        "PYTHONPATH": str(ROOT),
    }
    add = ["-m", "data", "branch", "add", "--code", "D", "--name", "x", "--lon", "114.3", "--lat", "30.6"]
    subprocess.run([sys.executable, *add], check=True, cwd=ROOT, env=env, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr and "_bring_in" in done.stderr
    check_silent(done.stdout + done.stderr)


def test_a_rejected_list_and_its_history_are_told_without_rows_in_the_trail(
    in_place: sqlalchemy.Engine, listed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = tmp_path / "lost.csv"
    lost.write_text(HEADER + f"L1,{NAME},餐饮,{PHONE},,\nL2,{NAME}2号,餐饮,{PHONE},114.3,30.6\n", "utf-8")
    report = tmp_path / "report.csv"
    with caplog.at_level(logging.DEBUG):
        assert bring(lost, "--report", str(report), "--yes").exit_code == 0
    assert NAME in report.read_text("utf-8-sig"), "who brought the list mends it there"
    check_silent(caplog.text)
    with store.reading(in_place) as session:
        trail = session.execute(select(tables.audit)).all()
        kept = session.execute(select(tables.batches)).all()
    check_silent(repr(trail) + repr(kept))
    assert getpass.getuser() in repr(trail)


# What is told as what ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "x"), outages.FULL),
        (OSError(errno.EROFS, "x"), outages.CLOSED),
        (OSError(errno.ENOENT, "x"), None),
        (psycopg.errors.DiskFull("x"), outages.FULL),
        (psycopg.errors.AdminShutdown("x"), outages.GONE),
        (psycopg.errors.ConnectionFailure("x"), outages.GONE),
        (psycopg.errors.DeadlockDetected("x"), outages.BUSY),
        (psycopg.OperationalError("the connection is lost"), outages.GONE),
        (psycopg.errors.UniqueViolation("x"), None),
        (psycopg.ProgrammingError("x"), None),
        (sqlalchemy.exc.TimeoutError("x"), outages.BUSY),
        (sqlite3.OperationalError("no code"), None),
        (ValueError("x"), None),
    ],
)
def test_only_what_the_machine_refuses_has_words(error: Exception, message: str | None) -> None:
    found = outages.told(error)
    assert (None if found is None else found.message) == message


def test_a_writer_that_waits_too_long_is_told_that_somebody_writes(sqlite_engine: sqlalchemy.Engine) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction(sqlite_engine) as session:
            session.execute(select(1))
            held.set()
            done.wait(30)

    def impatient(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 20")

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    event.listen(sqlite_engine, "connect", impatient)
    try:
        with pytest.raises(StoreError, match="Somebody else"), store.transaction(sqlite_engine) as session:
            session.execute(select(1))
    finally:
        done.set()
        holder.join()
        event.remove(sqlite_engine, "connect", impatient)
