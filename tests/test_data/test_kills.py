"""
An import that is killed leaves all of the list or nothing of it.

`ZHENDI_TEST_KILLS=300` says how often it is killed on each database; by default at each stage once.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import NamedTuple

import pytest
import sqlalchemy
from sqlalchemy import select, text

from data import database, ingest, store, tables
from data.rights import command_line
from tests.clusters import administer, text_of
from tests.conftest import SECRET, settings_in

KILLS = int(os.environ.get("ZHENDI_TEST_KILLS") or 0)  # read before the environment is cleared for tests
STAGES = ("reading", "checking", "doubles", "storing", "figures", "commit")
AGAIN_EVERY = 10 if KILLS else 3  # after so many the same import is run to its end
PATIENCE_S = 60
CLI = command_line("tests")
SERVER = Path(__file__).with_name("killable.py")
NEVER_THE_SAME = {"id", "at", "batch_id", "row_id", "double_of", "target", "subject"}
HEADER = "商户编号,商户名称,类别,状态,电话,地址,经度(WGS84),纬度(WGS84)\n"


# What is brought in ----------------------------------------------------------------------------------------


def row(number: int, *, name: str = "", phone: str = "", place: bool = True) -> str:
    east, north = 114.30 + number % 60 * 0.0004, 30.60 + number // 60 * 0.0004
    where = f"{east:.4f},{north:.4f}" if place else ","
    kind, shop = ("银行", "测试银行") if number % 50 == 7 else ("餐饮", "面馆")
    told = f"{name or f'{shop}{number}号'},{kind},已接触,{phone or 13900000000 + number},甲路{number}号"
    return f"K{number},{told},{where}\n"


PART = 100
FIRST = HEADER + "".join(row(number) for number in range(3 * PART))
# A third is known and says something new, a third is known as it is, the rest is new; some have no place.
SECOND = HEADER + "".join(
    [row(number, phone=f"0999-{8000000 + number}") for number in range(PART, 2 * PART)]
    + [row(number) for number in range(2 * PART, 3 * PART)]
    + [row(number, place=number % 20 > 0) for number in range(3 * PART, 5 * PART)]
)


# Runs that can be killed -----------------------------------------------------------------------------------


class Ended(NamedTuple):
    """How a run ended: its status, and when it passed which mark."""

    status: int
    marks: list[tuple[str, float]]


class Runs:
    """Runs of the command line, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: Queue[tuple[str, float]] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.next()[0] == "ready"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put((line.strip(), time.perf_counter()))

    def next(self, until: float | None = None) -> tuple[str, float]:
        return self.said.get(timeout=PATIENCE_S if until is None else max(until - time.perf_counter(), 0))

    def run(self, argv: list[str], environment: dict[str, str], kill: tuple[str, float] | None) -> Ended:
        """Run to the end, or kill it so many seconds after a mark; `start` is the first."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"argv": argv, "environment": environment}) + "\n")
        self.process.stdin.flush()
        word, start = self.next()
        pid = int(word.removeprefix("pid "))
        marks = [("start", start)]
        due = start + kill[1] if kill and kill[0] == "start" else None
        while True:
            try:
                word, at = self.next(due)
            except Empty:
                assert due is not None, "the run hangs"
                os.kill(pid, signal.SIGKILL)  # it is there, or a zombie: its end has not been told yet
                due = None
                continue
            if word.startswith("done "):
                marks.append(("done", at))
                return Ended(int(word.removeprefix("done ")), marks)
            marks.append((word, at))
            stored = any(mark == "storing" for mark, _ in marks)
            if kill and kill[0] == word and due is None and (word != "commit" or stored):
                due, kill = at + kill[1], None


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    process = subprocess.Popen(
        [sys.executable, SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield Runs(process)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.wait(PATIENCE_S)
    process.stdout.close()


# Stores that can be made anew ------------------------------------------------------------------------------


class Stage:
    """A store that holds the first list, and can be put back to that."""

    def __init__(self, engine: sqlalchemy.Engine, folder: Path) -> None:
        self.url, self.folder = engine.url, folder
        self.is_file = engine.dialect.name == "sqlite"
        self.kept = folder / "kept.db" if self.is_file else self.url.set(database=f"{self.url.database}_kept")
        with store.transaction(engine) as session:
            self.branch_id = store.add_branch(session, CLI, code="K", name="测试支行", lon=114.3, lat=30.6)
        with store.transaction(engine) as session:
            ingest.run_import(
                session, CLI, FIRST.encode(), kind="merchants", branch_id=self.branch_id, name="first.csv"
            )
        database.dispose()
        self.list = folder / "second.csv"
        self.list.write_text(SECOND, encoding="utf-8")
        self._copy(self.url, self.kept)

    def _copy(self, source: object, target: object) -> None:
        if isinstance(source, sqlalchemy.URL) and isinstance(target, sqlalchemy.URL):
            administer(source, f'CREATE DATABASE "{target.database}" TEMPLATE "{source.database}"')
            return
        paths = [
            Path(str(each.database if isinstance(each, sqlalchemy.URL) else each))
            for each in (source, target)
        ]
        shutil.copyfile(*paths)

    def anew(self) -> None:
        """Put the store back to the first list."""
        if self.is_file:
            for path in self.folder.rglob(f"{Path(str(self.url.database)).name}*"):
                path.unlink()
        else:
            administer(self.url, f'DROP DATABASE "{self.url.database}" WITH (FORCE)')
        self._copy(self.kept, self.url)

    def close(self) -> None:
        if not self.is_file:
            assert isinstance(self.kept, sqlalchemy.URL)
            administer(self.url, f'DROP DATABASE "{self.kept.database}" WITH (FORCE)')

    @property
    def environment(self) -> dict[str, str]:
        url = text_of(self.url)
        return {
            "ZHENDI_VAR": str(self.folder / "var"),
            "ZHENDI_SECRET_KEY": SECRET,
            "ZHENDI_DATABASE_URL": url,
        }

    @contextmanager
    def opened(self) -> Iterator[sqlalchemy.Engine]:
        engine = database.engine(settings_in(self.folder / "var", text_of(self.url)))
        try:
            if not self.is_file:
                _wait_for_others(engine)
            yield engine
        finally:
            database.dispose()

    def facts(self) -> dict[str, tuple[int, str]]:
        """Return what every table holds, but for numbers and times that no two imports share."""
        with self.opened() as engine, store.reading(engine) as session:
            session.execute(select(1))
            if self.is_file:
                assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
                assert not session.execute(text("PRAGMA foreign_key_check")).all()
            found = {}
            for table in tables.metadata.sorted_tables:
                columns = [column for column in table.columns if column.name not in NEVER_THE_SAME]
                rows = sorted(map(repr, session.execute(select(*columns)))) if columns else []
                found[table.name] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
            self._check(session)
        return found

    def _check(self, session: sqlalchemy.orm.Session) -> None:
        """Check that what the tables say of each other is so."""
        for batch in session.execute(select(tables.batches)).all():
            counts = batch.counts
            assert counts["rows"] == sum(
                counts[name] for name in ("accepted", "updated", "duplicates", "rejected")
            )
            made = sum(
                len(session.execute(select(table.c.id).where(table.c.batch_id == batch.id)).all())
                for table in (tables.merchants, tables.outlets)
            )
            assert made == counts["accepted"]
        numbers = session.scalars(select(tables.data_versions.c.number)).all()
        assert sorted(numbers) == list(range(1, store.data_version(session, self.branch_id) + 1))


def _wait_for_others(engine: sqlalchemy.Engine) -> None:
    """Wait until the server has noticed that the killed one is gone: till then it holds its locks."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    end = time.monotonic() + PATIENCE_S
    # Within one transaction the server goes on saying what it said first.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(others).scalar():
            assert time.monotonic() < end, "the killed import still holds the database"
            time.sleep(0.01)


@pytest.fixture
def stage(engine: sqlalchemy.Engine, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(engine, tmp_path)
    yield made
    made.close()


# The test --------------------------------------------------------------------------------------------------


def lengths(marks: list[tuple[str, float]]) -> dict[str, float]:
    """Return how long the run stayed at each mark, all its returns to one added up."""
    took: Counter[str] = Counter()
    for (mark, at), (_, then) in zip(marks, marks[1:], strict=False):
        took[mark] += then - at
    return dict(took)


def moments(ended: Ended, kills: int) -> list[tuple[str, float]]:
    """Draw when to kill: half over the whole run, half within each stage in turn."""
    draw = random.Random(20_261)
    took = lengths(ended.marks)
    whole = ended.marks[-1][1] - ended.marks[0][1]
    if not kills:
        return [(mark, draw.uniform(0, took[mark])) for mark in STAGES]
    return [
        ("start", draw.uniform(0, whole))
        if number % 2
        else (mark := STAGES[number // 2 % len(STAGES)], draw.uniform(0, took[mark]))
        for number in range(kills)
    ]


def test_a_killed_import_leaves_all_or_nothing_and_goes_in_afterwards(stage: Stage, runs: Runs) -> None:
    argv = ["import", "merchants", str(stage.list), "--branch", "K"]
    nothing = stage.facts()
    entire = runs.run(argv, stage.environment, None)
    assert entire.status == 0
    assert set(STAGES) <= {mark for mark, _ in entire.marks}
    whole = stage.facts()
    assert whole["merchants"][0] > nothing["merchants"][0] and whole["unplaced"][0] == PART // 10
    assert all(whole[name] != nothing[name] for name in ("merchants", "outlets", "batches", "data_versions"))
    ended: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    stage.anew()
    for number, moment in enumerate(moments(entire, KILLS)):
        killed = runs.run(argv, stage.environment, moment)
        found = stage.facts()
        outcome = "whole" if found == whole else "nothing"
        assert found in (whole, nothing), f"{moment}: half of it is there"
        assert killed.status == 0 or killed.status == -signal.SIGKILL
        ended[f"{outcome} killed" if killed.status else "not killed in time"] += 1
        hit[killed.marks[-2][0]] += bool(killed.status)
        if KILLS and number % 20 == 19 or number == KILLS - 1:
            print(f"\n{stage.url.get_backend_name()}: {dict(ended)}, killed at {dict(hit)}", flush=True)
        if outcome == "nothing" and number % AGAIN_EVERY == 0:
            assert runs.run(argv, stage.environment, None).status == 0
            assert stage.facts() == whole
            outcome = "whole"
        if outcome == "whole":
            stage.anew()
    assert ended["nothing killed"] + ended["whole killed"]
    if KILLS >= 100:
        assert all(hit[mark] for mark in STAGES), hit
