"""
A cold snapshot of a million merchants from SQLite, against pandas reading the same columns.

    python benchmarks/snapshot.py [--rows 1000000] [--repeats 5] [--json FILE]

Each run is a process of its own that loads once: time without start-up and imports, peak memory with them.
Ours sorts the rows along the map's curve and measures every distance in that time; pandas hands over a plain
frame. The second pair adds as many customers, with their holdings and tags.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd
from sqlalchemy import Engine, select

from benchmarks import report, stores
from benchmarks.report import Target, median, ratio
from data import snapshots, store, tables

BOUND = 1.5
SCOPES = {"merchants": "merchants alone", "both": "merchants and customers"}
WAYS = ("ours", "pandas")
MERCHANT_COLUMNS = ("id", "lon", "lat", "category_id", "status")
CUSTOMER_COLUMNS = (
    "id", "lon", "lat", "group_id", "existing", "size", "tier", "deposits", "assets", "is_key", "manager_id",
    "tags", "channels",
)  # fmt: skip


def main() -> None:
    """Measure in processes of their own, print, and tell by the exit status whether the promise was kept."""
    options = _options()
    if options.once:
        print(json.dumps(once(options.once, options.scope, options.rows)))
        return
    measured = {
        (scope, way): runs(scope, way, options.rows, options.repeats) for scope in SCOPES for way in WAYS
    }
    print(report.table(("load", "rows", "s (min / median)", "peak MB"), _lines(measured, options.rows)))
    print()
    promises = [_promise(measured, scope) for scope in SCOPES]
    print(report.targets_table(promises))
    if options.json:
        kept = [{"scope": scope, "way": way, "runs": found} for (scope, way), found in measured.items()]
        Path(options.json).write_text(json.dumps(kept, indent=1), encoding="utf-8")
    sys.exit(promises[0].kept is False)


def runs(scope: str, way: str, rows: int, repeats: int) -> list[dict[str, float]]:
    """Load several times, each in a process of its own."""
    store_of(scope, rows)
    command = [sys.executable, __file__, "--once", way, "--scope", scope, "--rows", str(rows)]
    return [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeats)
    ]


def once(way: str, scope: str, rows: int) -> dict[str, float]:
    """Load once; return seconds and peak memory in megabytes."""
    engine = store.engine(store_of(scope, rows).settings)
    with store.reading(engine) as session:
        branch_id = int(store.branches(session, stores.ASKER)["id"].iloc[0])
    start = time.perf_counter()
    if way == "ours":
        loaded = len(snapshots.snapshot(engine, branch_id).merchants)
    else:
        loaded = len(by_pandas(engine, branch_id, scope)[0])
    seconds = time.perf_counter() - start
    if loaded != rows:
        raise RuntimeError(f"{loaded} merchants came, not {rows}")
    return {"seconds": seconds, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return the most memory this process had; on Linux not by getrusage, which counts its parent's too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def by_pandas(engine: Engine, branch_id: int, scope: str) -> list[pd.DataFrame]:
    """Return the same columns of the same rows, as pandas reads them."""
    merchants, customers, holdings = tables.merchants, tables.customers, tables.holdings
    queries = [_of_branch(merchants, MERCHANT_COLUMNS, branch_id)]
    if scope == "both":
        own = select(customers.c.id).where(customers.c.branch_id == branch_id)
        queries.append(_of_branch(customers, CUSTOMER_COLUMNS, branch_id))
        queries.append(select(holdings).where(holdings.c.customer_id.in_(own)))
    with engine.connect() as connection:
        return [pd.read_sql(query, connection) for query in queries]


def store_of(scope: str, rows: int) -> stores.Store:
    """Return the store a scope is measured on."""
    return stores.made(rows, customers=rows if scope == "both" else 0)


def _of_branch(table, columns, branch_id):  # type: ignore[no-untyped-def]  # a select, whatever its columns
    return select(*(table.c[name] for name in columns)).where(table.c.branch_id == branch_id)


def _lines(measured: dict[tuple[str, str], list[dict[str, float]]], rows: int) -> list[list[str]]:
    return [
        [
            f"{way}, {SCOPES[scope]}",
            f"{rows:,}",
            report.least_and_median([run["seconds"] for run in found]),
            f"{max(run['peak_mb'] for run in found):,.0f}",
        ]
        for (scope, way), found in measured.items()
    ]


def _promise(measured: dict[tuple[str, str], list[dict[str, float]]], scope: str) -> Target:
    ours, theirs = (median([run["seconds"] for run in measured[scope, way]]) for way in WAYS)
    return Target(f"snapshot to read_sql, {SCOPES[scope]}", ratio(ours, theirs), BOUND)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="merchants")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    parser.add_argument("--once", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--scope", choices=SCOPES, default="merchants", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
