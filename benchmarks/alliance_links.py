"""
Links between merchants: every near pair scored, beside geopandas, and whether planted partners are found.

The speed is of towns of one density: quarters of a thousand merchants along streets, and ten thousand
customers in housing estates, laid side by side. geopandas joins the merchants to themselves (`sjoin`,
`dwithin`), its points made beforehand; pandas and numpy add the same three parts. Both must find the same
pairs with the same parts.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks import report, stores
from benchmarks.alliance_town import Town
from benchmarks.coverage import snapshot_of, timed
from benchmarks.report import Target, median, ratio
from benchmarks.snapshot import peak_mb
from data.alliances import suggesting
from data.alliances.matrix import shipped
from data.alliances.offering import READINESS
from data.snapshots import Snapshot
from geo import crs
from geo.partners import WEIGHTS, WITHIN_M, Pairs, scored

QUICKER, WHOLE_S, WHOLE_MB, GROWTH, FOUND = 4.0, 60.0, 3072.0, 1.2, 0.9
QUARTER, QUARTER_M, STREETS, ESTATES = 1000, 2150.0, 24, 30
CUSTOMERS_EACH = 10
TOP = 5
PARTS = ("complement", "near", "readiness")
SEED = 11


def town(merchants: int, customers: int | None = None) -> Snapshot:
    """Return a town of as many quarters as it takes, side by side in a square."""
    layers = stores.layers(merchants, merchants * CUSTOMERS_EACH if customers is None else customers)
    rng = np.random.default_rng(SEED)
    quarters = max(1, round(merchants / QUARTER))
    side = int(np.ceil(np.sqrt(quarters)))
    corners = QUARTER_M * (np.stack(np.divmod(np.arange(quarters), side), axis=1) - side / 2.0)
    plane = crs.local_metric(stores.LON, stores.LAT)
    for name, form in (("merchants", _streets), ("customers", _estates)):
        rows = len(layers[name])
        which = np.arange(rows) * quarters // rows
        x, y = (corners[which] + form(rng, quarters, which)).T
        layers[name]["lon"], layers[name]["lat"] = crs.from_metric(x, y, plane)
    return snapshot_of(layers)


def _streets(rng: np.random.Generator, quarters: int, which: np.ndarray) -> np.ndarray:
    """Return places along the streets of each quarter, some streets busier than others."""
    middle = rng.uniform(0.0, QUARTER_M, (quarters, STREETS, 2))
    half, across = rng.uniform(100.0, 500.0, (quarters, STREETS)), rng.random((quarters, STREETS)) < 0.5
    street = (STREETS * rng.random(len(which)) ** 1.5).astype(int)
    along = half[which, street] * rng.uniform(-1.0, 1.0, len(which))
    beside = rng.choice([-9.0, 9.0], len(which)) + rng.normal(0.0, 4.0, len(which))
    turned = across[which, street]
    step = np.column_stack([np.where(turned, along, beside), np.where(turned, beside, along)])
    return (middle[which, street] + step) % QUARTER_M


def _estates(rng: np.random.Generator, quarters: int, which: np.ndarray) -> np.ndarray:
    """Return homes in the estates of each quarter."""
    middle = rng.uniform(0.0, QUARTER_M, (quarters, ESTATES, 2))
    estate = rng.integers(ESTATES, size=len(which))
    return (middle[which, estate] + rng.normal(0.0, 90.0, (len(which), 2))) % QUARTER_M


# Speed ------------------------------------------------------------------------------------------------------


class Given(NamedTuple):
    """Merchants as both sides take them."""

    x: np.ndarray
    y: np.ndarray
    trade: np.ndarray
    readiness: np.ndarray


def given(snapshot: Snapshot) -> Given:
    """Return open merchants in metres."""
    merchants, matrix = snapshot.merchants, shipped()
    rows = np.flatnonzero(READINESS[merchants.status] > 0)
    plane = crs.local_metric(snapshot.lon, snapshot.lat)
    x, y = crs.to_metric(merchants.lon[rows], merchants.lat[rows], plane)
    return Given(x, y, matrix.rank[merchants.category[rows]], READINESS[merchants.status[rows]])


def ours(rows: Given) -> Pairs:
    """Return every near pair with its three parts."""
    matrix = shipped()
    return scored(*rows, matrix.complement, matrix.competes)


class Peer:
    """The same merchants as geopandas has them."""

    def __init__(self, rows: Given) -> None:
        self.rows = rows
        points = gpd.points_from_xy(rows.x, rows.y)
        self.points = gpd.GeoDataFrame(geometry=points, crs=crs.local_metric(stores.LON, stores.LAT))

    def pairs(self) -> pd.DataFrame:
        """Return every near pair with its three parts, as one would write it."""
        joined = gpd.sjoin(self.points, self.points, predicate="dwithin", distance=WITHIN_M)
        joined = joined[joined.index < joined["index_right"]]
        a, b = joined.index.to_numpy(), joined["index_right"].to_numpy()
        distance_m = joined.geometry.distance(self.points.geometry.iloc[b], align=False).to_numpy()
        rows, matrix = self.rows, shipped()
        return pd.DataFrame(
            {
                "a": a,
                "b": b,
                "complement": matrix.complement[rows.trade[a], rows.trade[b]],
                "near": np.exp(-distance_m / WEIGHTS.fades_m),
                "readiness": (rows.readiness[a] + rows.readiness[b]) / 2.0,
            }
        )


def differences(mine: Pairs, theirs: pd.DataFrame) -> int:
    """Return how many pairs only one side has, and how many have another part."""
    base = int(max(mine.b.max(initial=0), theirs["b"].max() if len(theirs) else 0)) + 1
    own = mine.a.astype(np.int64) * base + mine.b
    other = theirs["a"].to_numpy() * base + theirs["b"].to_numpy()
    order, turn = np.argsort(own), np.argsort(other)
    if len(own) != len(other) or not (own[order] == other[turn]).all():
        return len(np.setxor1d(own, other))
    return sum(
        int((~np.isclose(part[order], theirs[name].to_numpy()[turn], rtol=1e-5, atol=1e-7)).sum())
        for name, part in zip(PARTS, (mine.complement, mine.near, mine.readiness), strict=True)
    )


def speed(merchants: int, repeats: int) -> tuple[dict[str, Any], list[Target]]:
    """Measure pairs and the whole run, print, and return what was measured and the promises."""
    suggesting.suggestions(town(200), stores.ASKER, shipped())  # compiles
    sizes = (merchants // 10, merchants)
    told = [_measured(town(size), repeats) for size in sizes]
    memory_mb = peak_mb()  # before geopandas needs more
    rows = given(town(merchants))
    peer = Peer(rows)
    turns = [timed(peer.pairs) for _ in range(min(repeats, 2))]
    theirs = [seconds for seconds, _ in turns]
    apart = differences(ours(rows), turns[-1][1])
    lines = []
    for size, each in zip(sizes, told, strict=True):
        of = f"{size:,} merchants"
        lines += [
            [f"three parts of {each['pairs']:,} pairs, {of}", report.least_and_median(each["parts_s"])],
            [f"near pairs to {each['offered']:,} links, {of}", report.least_and_median(each["links_s"])],
            ["  the same, seconds of both cores", report.least_and_median(each["links_cpu_s"])],
        ]
    lines.append([f"sjoin dwithin and pandas, {sizes[-1]:,} merchants", report.least_and_median(theirs)])
    print(report.table(("links", "s (min / median)"), lines))
    small, large = told
    whole = (median(large["parts_s"]) or 0.0) + (median(large["links_s"]) or 0.0)
    growth = ratio(min(large["links_cpu_s"]) * sizes[0] / sizes[1], min(small["links_cpu_s"]))
    found = dict(zip(map(str, sizes), told, strict=True))
    return {**found, "geopandas_s": theirs, "apart": apart, "peak_mb": memory_mb}, [
        Target(
            "sjoin and pandas to every near pair with three parts",
            ratio(median(theirs), median(large["parts_s"])),
            QUICKER,
            at_least=True,
        ),
        Target("pairs and parts that differ", float(apart), 0.0, unit=""),
        Target("every near pair, and from near pairs to links", whole, WHOLE_S, unit="s"),
        Target("memory of that", memory_mb, WHOLE_MB, unit="MB"),
        Target("work a merchant of many, to one of a tenth", growth, GROWTH),
    ]


def _measured(made: Snapshot, repeats: int) -> dict[str, Any]:
    """Return how long every near pair takes, and a whole run that starts with nothing kept."""
    rows, matrix = given(made), shipped()
    parts, walls, works = [], [], []
    for _ in range(repeats):
        parts.append(timed(lambda: ours(rows))[0])
        fresh, work = replace(made), time.process_time()
        seconds, links = timed(lambda: suggesting.suggestions(fresh, stores.ASKER, matrix))  # noqa: B023  # at once
        walls.append(seconds)
        works.append(time.process_time() - work)
    counts = {"pairs": len(ours(rows).a), "offered": len(links)}
    return {**counts, "parts_s": parts, "links_s": walls, "links_cpu_s": works}


# Planted partners -------------------------------------------------------------------------------------------


class LinkScore(NamedTuple):
    """How well planted partners are found among the first suggestions of a merchant."""

    merchants: int
    found: float  # share of merchants with a planted partner among the first five
    share: float  # of the first five (or as many partners as were planted) that are planted
    suggested: float  # share of merchants to whom anything is suggested


def score_links(town: Town, *, top: int = TOP) -> LinkScore:
    """Return how often a planted partner is among the first suggestions, over all planted merchants."""
    alliance = {row: name for row, name in town.planted("alliance").items() if name}
    mates: dict[str, set[int]] = {}
    for row, name in alliance.items():
        mates.setdefault(name, set()).add(row)
    asked = sorted(row for row, name in alliance.items() if len(mates[name]) > 1)
    if not asked:
        return LinkScore(0, float("nan"), float("nan"), float("nan"))
    links = suggesting.suggestions(town.snapshot, stores.ASKER, shipped())
    first = first_partners(links, top)
    hits = [len(mates[alliance[row]] & set(first.get(row, []))) for row in asked]
    most = [min(top, len(mates[alliance[row]]) - 1) for row in asked]
    return LinkScore(
        len(asked),
        float(np.mean([hit > 0 for hit in hits])),
        float(sum(hits) / sum(most)),
        float(np.mean([row in first for row in asked])),
    )


def first_partners(links: pd.DataFrame, top: int) -> dict[int, list[int]]:
    """Return the first partners of each merchant; links come best first."""
    ends = [links[["a", "b", "score"]].set_axis(names, axis=1) for names in (_OWN, _OTHER)]
    both = pd.concat(ends).sort_values(["score", "partner"], ascending=[False, True], kind="stable")
    best = both.groupby("own", sort=False).head(top)
    return {int(str(own)): rows.tolist() for own, rows in best.groupby("own")["partner"]}


_OWN, _OTHER = ["own", "partner", "score"], ["partner", "own", "score"]
