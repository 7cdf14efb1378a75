"""
Coverage of zones: a plan of 200 zones over a million customers and 100,000 merchants, against geopandas.

    python benchmarks/coverage.py [--customers N] [--merchants N] [--zones N] [--repeats 3] [--json FILE]

Ours is the whole report, cold: rows placed, every figure of every zone, hours of work and rivals with them.
geopandas joins the same points to the same zones (`sjoin`) and groups them for the counts of customers,
people and merchants by status, and their deposits; its points are made beforehand, which favours it. Both
must put every row in the same zone, and count alike; a point on a shared border matches two zones there, of
which the smaller number is kept. Then blocks change zones, one at a time, and the report is made anew.

The first report in a fresh folder compiles; that is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree
from sqlalchemy.engine import URL

from benchmarks import report, stores
from benchmarks.report import Target, median, ratio
from data import catalogue
from data.snapshots import Customers, Merchants, Outlets, Places, Snapshot
from data.zones import coverage
from data.zones.placed import placed
from geo import blocks as blocks_of
from geo.blocks import Blocks
from geo.plans import Frame, Plan, Zone

COLD_SHARE, AFTER_MOVE_MS = 0.5, 50.0
RESOLUTION = 9
MOVES = 20
SEED = 4
STATUSES = ("known", "contacted", "signed")


def main() -> None:
    """Measure, print, and tell by the exit status whether both promises were kept and all rows agree."""
    options = _options()
    town = snapshot_of(stores.layers(options.merchants, options.customers))
    ground = Ground.made(options.zones)
    small = snapshot_of(stores.layers(500, 500))
    coverage.report(small, stores.ASKER, ground.plan)  # compiles
    ours, theirs = [], []
    peer = Peer(town)
    for _ in range(options.repeats):  # in turn, so that a busy machine is busy for both
        ours.append(timed(lambda: coverage.report(replace(town), stores.ASKER, ground.plan)))
        theirs.append(timed(lambda: peer.counts(ground.plan)))
    moves = after_moves(town, ground)
    apart = differences(town, ground.plan, ours[-1][1], theirs[-1][1])
    for what, count in apart.items():
        print(f"{what}: {count} apart")
    seconds = {"ours": [s for s, _ in ours], "geopandas": [s for s, _ in theirs], "moved": moves}
    print(report.table(("coverage of a plan", "s (min / median)"), _lines(seconds)))
    print()
    promises = [
        Target("whole report, cold, to sjoin and groupby", ratio(*_medians(seconds)), COLD_SHARE),
        Target("report after one block moved", 1e3 * (median(moves) or 0.0), AFTER_MOVE_MS, unit="ms"),
        Target("rows and counts that differ", float(sum(apart.values())), 0.0, unit=""),
    ]
    print(report.targets_table(promises))
    if options.json:
        told = {"seconds": seconds, "apart": apart, "rows": [options.customers, options.merchants]}
        Path(options.json).write_text(json.dumps(told, indent=1), encoding="utf-8")
    sys.exit(any(promise.kept is False for promise in promises))


@dataclass(frozen=True, eq=False)
class Ground:
    """Cells shared out among zones by the nearest of some random cells."""

    blocks: Blocks
    zone: np.ndarray
    plan: Plan

    @classmethod
    def made(cls, zones: int) -> Ground:
        """Return so many zones over the town."""
        blocks = blocks_of.cells_of_circle(stores.LON, stores.LAT, stores.REACH_M, RESOLUTION)
        points = np.column_stack([blocks.x, blocks.y])
        seeds = np.random.default_rng(SEED).choice(len(blocks), zones, replace=False)
        _, zone = KDTree(points[seeds]).query(points)
        frame = Frame(stores.LON, stores.LAT, float(stores.REACH_M), RESOLUTION)
        found = cls(blocks, zone, Plan(frame))
        return replace(found, plan=Plan(frame, tuple(found.zone_of(number) for number in range(zones))))

    def zone_of(self, number: int, zone: np.ndarray | None = None) -> Zone:
        """Return a zone as it is, or as it would be where blocks belong to others."""
        cells = self.blocks.ids[(self.zone if zone is None else zone) == number].tolist()
        shape = shapely.geometry.shape(h3.cells_to_h3shape(cells).__geo_interface__)
        return Zone(number + 1, f"片区{number + 1}", shape)

    def borders(self) -> list[tuple[int, int]]:
        """Return blocks beside another zone, with that zone; the middle of the town first."""
        owners, others = self.blocks.owners, self.blocks.neighbours
        apart = np.flatnonzero(self.zone[owners] != self.zone[others])
        sizes = np.bincount(self.zone)
        apart = apart[sizes[self.zone[owners[apart]]] > 1]
        far = np.hypot(self.blocks.x[owners[apart]], self.blocks.y[owners[apart]])
        order = apart[np.argsort(far, kind="stable")]
        pairs = {int(owners[at]): int(self.zone[others[at]]) for at in order}
        return list(pairs.items())


def after_moves(town: Snapshot, ground: Ground) -> list[float]:
    """Move blocks from zone to zone, one at a time, and return how long each report took."""
    coverage.report(town, stores.ASKER, ground.plan, 1)
    zone, plan, seconds = ground.zone.copy(), ground.plan, []
    for block, to in ground.borders()[:MOVES]:
        before = zone[block]
        if (zone == before).sum() == 1:
            continue
        zone[block] = to
        changed = {number + 1: ground.zone_of(number, zone) for number in (before, to)}
        plan = replace(plan, zones=tuple(changed.get(each.id, each) for each in plan.zones))
        took, found = timed(lambda: coverage.report(town, stores.ASKER, plan, 1))  # noqa: B023  # at once
        seconds.append(took)
    anew = coverage.report(replace(town), stores.ASKER, plan)
    pd.testing.assert_frame_equal(found.zones, anew.zones, rtol=1e-9)
    return seconds


class Peer:
    """The same points as geopandas has them."""

    def __init__(self, town: Snapshot) -> None:
        customers, merchants = town.customers, town.merchants
        self.customers = _points(
            customers,
            existing=customers.existing,
            people=customers.people,
            deposits=np.nan_to_num(customers.deposits),
        )
        self.merchants = _points(merchants, status=np.array(catalogue.STATUSES)[merchants.status])

    def counts(self, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return customers and merchants by zone, as one would write it."""
        zones = _zones(plan)
        people = gpd.sjoin(self.customers, zones, predicate="intersects")
        shops = gpd.sjoin(self.merchants, zones, predicate="intersects")
        sums = people.groupby("zone_id").agg(
            existing=("existing", "sum"), people=("people", "sum"), deposits=("deposits", "sum")
        )
        return sums, shops.groupby(["zone_id", "status"]).size().unstack(fill_value=0)


def differences(
    town: Snapshot, plan: Plan, ours: coverage.Report, theirs: tuple[pd.DataFrame, pd.DataFrame]
) -> dict[str, int]:
    """Return how many rows lie in another zone for geopandas, and how many counts are others."""
    apart = {}
    found = placed(town, plan, today=0)
    zones, ids = _zones(plan), np.array([*plan.ids, 0, 0])
    for layer in ("customers", "merchants"):
        rows = _points(getattr(town, layer))
        joined = gpd.sjoin(rows, zones, predicate="intersects")
        first = joined.groupby(joined.index)["zone_id"].min().reindex(rows.index, fill_value=0)
        apart[f"{layer} in another zone"] = int((ids[found.codes[layer]] != first.to_numpy()).sum())
    customers, merchants = (frame.reindex(list(plan.ids), fill_value=0) for frame in theirs)
    counts = {
        "existing": (ours.of("customers")["value"], customers["existing"]),
        "people": (ours.of("customer_coverage")["denominator"], customers["people"]),
        "deposits": (ours.of("deposits")["value"].fillna(0.0).round(2), customers["deposits"].round(2)),
        "merchants": (ours.of("merchants")["value"], merchants[list(STATUSES)].sum(axis=1)),
        "signed": (ours.of("merchant_coverage")["numerator"], merchants["signed"]),
    }
    return apart | {
        f"counts of {what}": int((~np.isclose(one, other, rtol=1e-12)).sum())
        for what, (one, other) in counts.items()
    }


def snapshot_of(layers: dict[str, pd.DataFrame]) -> Snapshot:
    """Return a town as the working set of a branch."""
    branch, nobody = (stores.LON, stores.LAT), np.array([], dtype=np.int64)
    merchants, customers, outlets, places = (_columns(layers[name]) for name in catalogue.LAYERS)
    tags, tag_sets = pd.factorize(layers["customers"]["tags"])
    channels, channel_sets = pd.factorize(layers["customers"]["channels"])
    rows = len(layers["customers"])
    people = {
        **customers,
        "group": layers["customers"]["group_id"].to_numpy(np.int16),
        "existing": layers["customers"]["existing"].to_numpy(bool),
        "size": layers["customers"]["size"].to_numpy(np.int32),
        "tier": pd.Categorical(layers["customers"]["tier"], catalogue.TIER_CODES).codes.astype(np.int8),
        "holdings": layers["customers"]["holdings"].to_numpy(np.uint64),
        "deposits": layers["customers"]["deposits"].to_numpy(float),
        "assets": np.full(rows, np.nan),
        "key": layers["customers"]["is_key"].to_numpy(bool),
        "manager": np.full(rows, -1, dtype=np.int32),
        "visited": np.full(rows, -1, dtype=np.int32),
        "tags": tags.astype(np.int32),
        "channels": channels.astype(np.int32),
        "tag_sets": tuple(tuple(filter(None, text.split(";"))) for text in tag_sets),
        "channel_sets": tuple(tuple(filter(None, text.split(";"))) for text in channel_sets),
    }
    shops = {
        **merchants,
        "category": layers["merchants"]["category_id"].to_numpy(np.int16),
        "status": pd.Categorical(layers["merchants"]["status"], catalogue.STATUSES).codes.astype(np.int8),
        "visited": np.full(len(layers["merchants"]), -1, dtype=np.int32),
    }
    kind = np.zeros(len(layers["outlets"]), dtype=np.int8)
    homes = layers["places"]
    known = {name: homes[name].to_numpy(float) for name in ("households", "adults")}
    known |= {"employees": np.full(len(homes), np.nan), "kind": np.zeros(len(homes), dtype=np.int8)}
    return Snapshot(
        (URL.create("sqlite"), 1, 1),
        *branch,
        Merchants.of(shops, branch, nobody),
        Customers.of(people, branch, nobody),
        Outlets.of({**outlets, "kind": kind, "own": kind > 0}, branch, nobody),
        Places.of({**places, **known}, branch, nobody),
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long something took, in seconds, and its answer."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def _columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    place = {name: frame[name].to_numpy(float) for name in ("lon", "lat")}
    return {"id": np.arange(1, len(frame) + 1), **place}


def _points(layer: Any, **columns: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(layer.lon, layer.lat), crs=4326)


def _zones(plan: Plan) -> gpd.GeoDataFrame:
    shapes = [zone.shape for zone in plan.zones]
    return gpd.GeoDataFrame({"zone_id": plan.ids}, geometry=shapes, crs=4326)


def _medians(seconds: dict[str, list[float]]) -> tuple[float | None, float | None]:
    return median(seconds["ours"]), median(seconds["geopandas"])


def _lines(seconds: dict[str, list[float]]) -> list[list[str]]:
    names = {
        "ours": "ours, the whole report, cold",
        "geopandas": "geopandas, sjoin and groupby",
        "moved": "ours, after one block moved",
    }
    return [[names[key], report.least_and_median(found, 3)] for key, found in seconds.items()]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--merchants", type=int, default=100_000)
    parser.add_argument("--zones", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
