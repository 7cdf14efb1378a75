"""
A list of a million merchants brought in, against pandas and the database's own quickest way.

    python benchmarks/ingest.py [--rows 1000000] [--database both] [--repeats 3] [--quick] [--json FILE]

The list is the invented town's (`townsfolk`), in GB18030. Ours reads it, finds its encoding, proves
its datum, checks and converts every row, stores all in one transaction and works out the branch's figures.
The peer is `pandas.read_csv` and `executemany` (SQLite) or `COPY` (PostgreSQL) into the same table with its
keys and indexes: it checks nothing. Each measurement is a process of its own over a store of its own. Doubles
are timed apart: a second list, a tenth of it doubles, against the first as it is stored.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
import sqlalchemy
from sqlalchemy import func, select

from benchmarks import report
from benchmarks.report import Target, ratio
from benchmarks.snapshot import peak_mb
from data import branches, catalogue, demo, ingest, store, tables
from data.config import ROOT, Settings
from data.rights import command_line
from data.towns import townsfolk
from data.towns.town import CENTRE, Town, plan_town
from tests import clusters

FOLDER = ROOT / "var" / "benchmarks" / "ingest"
SECRET = "a key for benchmarks, and for nothing else"
SEED = 20_262
SAME_SHARE = 0.1  # of the second list: rows of the first, under another number
SLOWEST, LARGEST_MB, DOUBLES_S, UNEVEN = 2.5, 1536, 180, 1.3
DATABASES = ("sqlite", "postgresql")
STAGES = (*ingest.STAGES[:2], "storing", "figures", "commit")
STATUS_OF = dict(zip(townsfolk.STATUSES, catalogue.STATUSES, strict=True))
FIELDS = {
    "商户编号": "source_id",
    "商户名称": "name",
    "行业类别": "category_id",
    "详细地址": "address",
    "联系电话": "phone",
    "营业时间": "hours",
    "商户状态": "status",
    "经度(WGS84)": "lon",
    "纬度(WGS84)": "lat",
}
BENCH = command_line("benchmark")
Measured = dict[str, Any]


def main() -> None:
    """Measure, print, and tell by the exit status whether the promises were kept."""
    options = _options()
    if options.once:
        print(json.dumps(ONCE[options.once](options.list)))
        return
    rows = min(options.rows, 50_000) if options.quick else options.rows
    names = DATABASES if options.database == "both" else (options.database,)
    measured: list[Measured] = []
    for name in names:
        measured += measure(name, rows, 1 if options.quick else options.repeats)
    print(report.table(("run", "rows", "s", "rows/s", "peak MB"), [_line(each) for each in measured]))
    print()
    whole = [each for each in measured if each["job"] == "ours" and each["rows"] == rows]
    print(report.table(("rows/s of a stage", *names), _stage_lines(whole)))
    print()
    promises = [promise for name in names for promise in _promises(measured, name, rows)]
    print(report.targets_table(promises))
    if options.json:
        Path(options.json).write_text(json.dumps(measured, indent=1), encoding="utf-8")
    sys.exit(any(promise.kept is False for promise in promises))


def measure(name: str, rows: int, repeats: int) -> list[Measured]:
    """Measure on one database: ours at three sizes, the peer at the largest, the doubles against that."""
    found: list[Measured] = []
    sizes = (rows // 100, rows // 10, rows)
    with stores(name) as fresh:
        for size in sizes:
            times = repeats if size < rows else 1
            found.append({**_best("ours", fresh, listed(size), times), "database": name})
        environment = fresh("ours")
        stored = _once("ours", environment, listed(rows))
        if stored["seconds"] < found[-1]["seconds"]:
            found[-1].update(stored)
        found.append({**_once("doubles", environment, listed(rows, second=True)), "database": name})
        found.append({**_best("peer", fresh, listed(rows), 2), "database": name})
    return found


def _best(job: str, fresh: Any, path: Path, times: int) -> Measured:
    """Return the quickest of several runs, each over a store of its own."""
    runs = [_once(job, fresh(job), path) for _ in range(times)]
    return min(runs, key=lambda run: float(run["seconds"]))


def _once(job: str, environment: dict[str, str], path: Path) -> Measured:
    command = [sys.executable, __file__, "--once", job, "--list", str(path)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE, text=True
    )
    return {"job": job, **json.loads(done.stdout)}


# Stores and lists -------------------------------------------------------------------------------------------


@contextmanager
def stores(name: str) -> Iterator[Any]:
    """Give what makes an empty store with a branch, in place of the last, and says how it is found."""
    with ExitStack() as stack:
        server = (
            ""
            if name == "sqlite"
            else stack.enter_context(clusters.server(os.environ.get("ZHENDI_TEST_DATABASE_URL")))
        )
        made: list[sqlalchemy.URL] = []

        def drop() -> None:
            while made:
                url = made.pop()
                clusters.administer(url, f'DROP DATABASE "{url.database}" WITH (FORCE)')

        def fresh(job: str) -> dict[str, str]:
            drop()
            folder = FOLDER / f"store-{name}"
            shutil.rmtree(folder, ignore_errors=True)
            environment = {"ZHENDI_VAR": str(folder), "ZHENDI_SECRET_KEY": SECRET}
            if server:
                url = sqlalchemy.make_url(server).set(database=f"zhendi_{job}_{time.time_ns()}")
                clusters.administer(url, f'CREATE DATABASE "{url.database}"')
                made.append(url)
                environment["ZHENDI_DATABASE_URL"] = clusters.text_of(url)
            subprocess.run(
                [sys.executable, __file__, "--once", "prepare"],
                env={**os.environ, **environment},
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return environment

        try:
            yield fresh
        finally:
            drop()


def listed(rows: int, second: bool = False) -> Path:
    """Return a list of so many merchants as a file, made on first use."""
    path = FOLDER / f"{'second' if second else 'first'}-{rows}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        town, spots = _town(rows)
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="gb18030", newline="") as target:
            for chunk, first in enumerate(range(0, rows, townsfolk.CHUNK)):
                count = min(townsfolk.CHUNK, rows - first)
                frame = townsfolk.merchants(town, spots, SEED, chunk, count, first + 1)
                if second:
                    frame = _another(
                        frame, townsfolk.merchants(town, spots, SEED + 1, chunk, count, first + 1)
                    )
                frame = frame.rename(columns={"lon": "经度(WGS84)", "lat": "纬度(WGS84)"})
                frame[list(FIELDS)].to_csv(target, index=False, header=first == 0, float_format="%.6f")
        draft.replace(path)
    return path


@cache
def _town(rows: int) -> tuple[Town, townsfolk.Spots]:
    """Return a town large enough for so many merchants, and where they can be."""
    town = plan_town(SEED, demo.size_for(rows, rows))
    return town, townsfolk.frontage(town, SEED)


def _another(frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return other merchants, some of them those of the first list, all under numbers of their own."""
    keep = np.random.default_rng(SEED).random(len(frame)) < SAME_SHARE
    mixed = other.mask(pd.Series(keep, index=other.index), frame)
    return mixed.assign(商户编号="XN" + mixed["商户编号"].str.slice(2) + np.where(keep, "X", ""))


# What a process of its own does -----------------------------------------------------------------------------


def prepare(_path: Path) -> Measured:
    """Make an empty store with a branch."""
    engine = store.engine(Settings.from_env())
    store.migrate(engine)
    with store.transaction(engine) as session:
        store.add_branch(session, BENCH, code="B", name="演示支行", lon=CENTRE[0], lat=CENTRE[1])
    store.dispose()
    return {}


def ours(path: Path) -> Measured:
    """Bring the list in as everybody does, without looking for doubles."""
    engine, branch_id = _branch()
    new_version, took = branches.new_version, [0.0]

    def timed(*given: Any, **more: Any) -> int:
        begin = time.perf_counter()
        try:
            return new_version(*given, **more)
        finally:
            took[0] += time.perf_counter() - begin

    branches.new_version = timed
    start = time.perf_counter()
    with store.transaction(engine) as session:
        done = ingest.run_import(session, BENCH, path, kind="merchants", branch_id=branch_id, doubles=False)
        inside = time.perf_counter() - start
    seconds = time.perf_counter() - start
    stages = {**done.seconds, "storing": done.seconds["storing"] - took[0], "figures": took[0]}
    stages["commit"] = seconds - inside
    return {"rows": done.rows, "seconds": seconds, "stages": stages, "peak_mb": peak_mb()}


def doubles(path: Path) -> Measured:
    """Look for the list's doubles in itself and among those stored; store nothing."""
    engine, branch_id = _branch()
    with store.transaction(engine) as session:
        done = ingest.run_import(
            session, BENCH, path, kind="merchants", branch_id=branch_id, dry_run=True, policy="skip"
        )
    seconds = done.seconds["doubles"]
    return {"rows": done.rows, "seconds": seconds, "doubles": done.doubles, "peak_mb": peak_mb()}


def peer(path: Path) -> Measured:
    """Bring the list in with pandas and the database's quickest way; nothing is checked."""
    engine, branch_id = _branch()
    codes = dict(zip(catalogue.CATEGORIES["zh"], catalogue.CATEGORIES["id"], strict=True))
    start = time.perf_counter()
    frame = pd.read_csv(path, encoding="gb18030").rename(columns=FIELDS)
    frame["category_id"] = frame["category_id"].map(codes).fillna(catalogue.OTHER_CATEGORY).astype(int)
    frame["status"] = frame["status"].map(STATUS_OF)
    frame = frame.assign(branch_id=branch_id, initials="-", revision=0)
    names = ", ".join(frame.columns)
    connection = engine.raw_connection()
    cursor = connection.cursor()
    if engine.dialect.name == "sqlite":
        marks = ", ".join("?" * len(frame.columns))
        plain = frame.astype(object).where(frame.notna(), None)
        cursor.execute("PRAGMA query_only = OFF")
        cursor.execute("BEGIN IMMEDIATE")
        rows = plain.itertuples(index=False, name=None)
        cursor.executemany(f"INSERT INTO merchants ({names}) VALUES ({marks})", rows)
    else:
        text = io.StringIO()
        frame.to_csv(text, index=False, header=False)
        with cursor.copy(f"COPY merchants ({names}) FROM STDIN (FORMAT csv)") as copy:
            copy.write(text.getvalue())
    connection.commit()
    seconds = time.perf_counter() - start
    connection.close()
    with store.reading(engine) as session:
        stored = session.scalar(select(func.count()).select_from(tables.merchants))
    if stored != len(frame):
        raise RuntimeError(f"{stored} rows are stored, not {len(frame)}")
    return {"rows": len(frame), "seconds": seconds, "peak_mb": peak_mb()}


def _branch() -> tuple[sqlalchemy.Engine, int]:
    engine = store.engine(Settings.from_env())
    with store.reading(engine) as session:
        return engine, int(store.branch(session, BENCH, "B")["id"])


ONCE = {"prepare": prepare, "ours": ours, "doubles": doubles, "peer": peer}


# What is said -----------------------------------------------------------------------------------------------


def _line(each: Measured) -> list[str]:
    rate = each["rows"] / each["seconds"]
    return [
        f"{each['job']}, {each['database']}",
        f"{each['rows']:,}",
        f"{each['seconds']:.1f}",
        f"{rate:,.0f}",
        f"{each['peak_mb']:,.0f}",
    ]


def _stage_lines(whole: list[Measured]) -> list[list[str]]:
    return [
        [stage, *(f"{each['rows'] / max(each['stages'][stage], 1e-9):,.0f}" for each in whole)]
        for stage in STAGES
    ]


def _promises(measured: list[Measured], name: str, rows: int) -> list[Target]:
    own = [each for each in measured if each["database"] == name]
    sizes = {each["rows"]: each["seconds"] / each["rows"] for each in own if each["job"] == "ours"}
    whole = next(each for each in own if each["job"] == "ours" and each["rows"] == rows)
    other = next(each for each in own if each["job"] == "peer")
    twins = next(each for each in own if each["job"] == "doubles")
    growth = [sizes[b] / sizes[a] for a in sizes for b in sizes if a < b]
    full = rows >= 1_000_000
    return [
        Target(f"ours to {PEERS[name]}", ratio(whole["seconds"], other["seconds"]), SLOWEST),
        Target(f"peak memory, {name}", whole["peak_mb"], LARGEST_MB, unit="MB"),
        Target(f"doubles of a million, {name}", twins["seconds"] if full else None, DOUBLES_S, unit="s"),
        Target(f"time a row, largest to smaller, {name}", max(growth), UNEVEN),
    ]


PEERS = {"sqlite": "read_csv + executemany", "postgresql": "read_csv + COPY"}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the longest list")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--repeats", type=int, default=3, help="of the shorter lists")
    parser.add_argument("--quick", action="store_true", help="50,000 rows at most, each run once")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    parser.add_argument("--once", choices=ONCE, help=argparse.SUPPRESS)
    parser.add_argument("--list", type=Path, default=Path(), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
