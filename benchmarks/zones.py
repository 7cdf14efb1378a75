"""
Zones: how alike, how compact and how fast, on published instances and on invented towns.

    python benchmarks/zones.py [--seeds 20] [--json FILE]
    python benchmarks/zones.py --tdp DIR [--effort 1.0] [--limit N]

`--tdp` designs every instance of territory design under a folder, prints a CSV row each, and checks each plan
by itself here: a partition, every territory in one piece, every activity within the instance's tolerance, and
the plain sum of distances to each territory's centre. An instance `NAME.dat` has `n`; n lines
`id x y w1 w2 w3 0`; the number of edges and the edges; and `m m tau1 tau2 tau3 …`. The verified value comes
from a `reference_values.csv` in the folder or above it (columns `instance` and `ref_compactness`).

Without it: towns of cells with 10, 30 and 100 zones, METIS beside them on the same blocks; and 10,000 blocks
into 200 zones. The first design in a fresh folder compiles the moves; that is not counted.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pymetis

from benchmarks import report
from benchmarks.report import Target, median
from geo import blocks as blocks_of
from geo import measures
from geo.blocks import Blocks
from geo.design import Limits, design

BUDGET_S = 10.0
BORDER_SHARE = 0.5
TOWNS = (10, 30, 100)
TOWN_CELLS = 3_000
LARGE_CELLS, LARGE_ZONES = 10_000, 200
COLUMNS = ("instance", "ours", "reference", "feasible", "largest_deviation", "pieces", "seconds")


@dataclass(frozen=True, eq=False)
class Instance:
    """A territory-design instance."""

    name: str
    blocks: Blocks
    weights: np.ndarray
    zones: int
    tolerance: np.ndarray


@dataclass(frozen=True)
class Row:
    """What is said of a plan; `reference` is None where no verified value is known."""

    instance: str
    ours: float
    reference: float | None
    feasible: bool
    largest_deviation: float
    pieces: int
    seconds: float


@dataclass(frozen=True)
class Judged:
    """A plan of a town, ours or a peer's."""

    zones: int
    blocks: int
    by: str
    largest_deviation: float
    dispersion: float
    boundary_km: float
    pieces: int
    seconds: float


def main() -> None:
    """Measure, print, and tell by the exit status whether the promises were kept."""
    options = _options()
    _compile()
    if options.tdp:
        rows = published(Path(options.tdp), options.effort, options.limit, options.seed)
        targets = promises(rows)
        print(report.targets_table(targets), file=sys.stderr)
        kept: list[dict[str, object]] = [asdict(row) for row in rows]
    else:
        judged = [each for zones in TOWNS for each in town(zones, TOWN_CELLS, options.seeds)]
        judged += town(LARGE_ZONES, LARGE_CELLS, 1)
        print(
            report.table(
                ("zones", "blocks", "by", "deviation", "dispersion", "border km", "pieces", "s"),
                [_line(each) for each in judged],
            )
        )
        targets = town_promises(judged)
        print()
        print(report.targets_table(targets))
        kept = [asdict(each) for each in judged]
    if options.json:
        Path(options.json).write_text(json.dumps(kept, indent=1), encoding="utf-8")
    sys.exit(any(target.kept is False for target in targets))


# Published instances ----------------------------------------------------------------------------------------


def published(folder: Path, effort: float, limit: int | None, seed: int) -> list[Row]:
    """Design every instance under a folder; print a row as each is done."""
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    known = references(folder)
    rows = []
    for path in sorted(folder.rglob("*.dat"))[:limit]:
        row = tdp_row(read_instance(path), known.get(path.stem), effort, seed)
        rows.append(row)
        writer.writerow(_shown(row))
        sys.stdout.flush()
    return rows


def read_instance(path: Path) -> Instance:
    """Return the instance a file describes."""
    words = iter(path.read_text(encoding="utf-8").split())
    count = int(next(words))
    nodes = np.array([[float(next(words)) for _ in range(7)] for _ in range(count)])
    place = {int(number): at for at, number in enumerate(nodes[:, 0])}
    edges = [(place[int(next(words))], place[int(next(words))]) for _ in range(int(next(words)))]
    zones, _ = int(next(words)), next(words)
    tolerance = np.array([float(next(words)) for _ in range(3)])
    linked = blocks_of.linked(list(place), nodes[:, 1], nodes[:, 2], edges, 1.0)
    return Instance(path.stem, linked, nodes[:, 3:6], zones, tolerance)


def references(folder: Path) -> dict[str, float]:
    """Return the verified value of each instance that has one."""
    for place in (folder, *folder.resolve().parents[:2]):
        if (table := place / "reference_values.csv").is_file():
            with table.open(encoding="utf-8", newline="") as file:
                return {row["instance"]: float(row["ref_compactness"]) for row in csv.DictReader(file)}
    return {}


def tdp_row(instance: Instance, reference: float | None, effort: float, seed: int) -> Row:
    """Design an instance and judge the plan."""
    start = time.perf_counter()
    limits = Limits(tolerance=tuple(instance.tolerance))
    found = design(instance.blocks, instance.weights, instance.zones, limits=limits, seed=seed, effort=effort)
    seconds = time.perf_counter() - start
    compactness, largest, feasible, pieces = judge(instance, found.zone)
    return Row(instance.name, compactness, reference, feasible, largest, pieces, seconds)


def judge(instance: Instance, zone: np.ndarray) -> tuple[float, float, bool, int]:
    """Return compactness, largest deviation, whether all is as asked, and pieces, worked out anew."""
    x, y = instance.blocks.x, instance.blocks.y
    ideal = instance.weights.sum(axis=0) / instance.zones
    compactness, largest, balanced, pieces = 0.0, 0.0, True, 0
    for each in range(instance.zones):
        inside = np.flatnonzero(zone == each)
        if not inside.size:
            return np.inf, np.inf, False, pieces
        apart = np.hypot(x[inside, None] - x[inside], y[inside, None] - y[inside])
        compactness += float(apart.sum(axis=1).min())
        off = np.abs(instance.weights[inside].sum(axis=0) / ideal - 1.0)
        largest = max(largest, float(off.max()))
        balanced &= bool((off <= instance.tolerance + 1e-9).all())
        pieces += _pieces(instance.blocks, set(inside.tolist()))
    whole = bool(((zone >= 0) & (zone < instance.zones)).all())
    return compactness, largest, balanced and whole and pieces == instance.zones, pieces


def _pieces(blocks: Blocks, left: set[int]) -> int:
    count = 0
    while left:
        count += 1
        waiting = [left.pop()]
        while waiting:
            at = waiting.pop()
            beside = left.intersection(blocks.neighbours[blocks.starts[at] : blocks.starts[at + 1]].tolist())
            left -= beside
            waiting += beside
    return count


def promises(rows: list[Row]) -> list[Target]:
    """Return the promises on published instances."""
    ratios = [row.ours / row.reference for row in rows if row.reference]
    feasible = float(np.mean([row.feasible for row in rows])) if rows else None
    slowest = max((row.seconds for row in rows), default=None)
    return [
        Target("share of instances feasible", feasible, 1.0, at_least=True, unit=""),
        Target("median of ours / verified plan", median(ratios), 1.0 + 1e-6),
        Target("slowest instance", slowest, BUDGET_S, unit="s"),
    ]


def _shown(row: Row) -> list[object]:
    reference = "" if row.reference is None else f"{row.reference:.3f}"
    return [
        row.instance,
        f"{row.ours:.3f}",
        reference,
        row.feasible,
        f"{row.largest_deviation:.4f}",
        row.pieces,
        f"{row.seconds:.1f}",
    ]


# Invented towns ---------------------------------------------------------------------------------------------


def invented(cells: int, seed: int = 5) -> tuple[Blocks, np.ndarray]:
    """Return about so many cells with merchants in quarters of uneven density, six a cell in the mean."""
    area_m2 = cells * 93_000.0  # of cells of resolution 9 there
    radius_m = float(np.sqrt(area_m2 / np.pi)) * 0.98
    blocks = blocks_of.cells_of_circle(114.3, 30.5, radius_m, 9)
    random = np.random.default_rng(seed)
    density = np.full(len(blocks), 0.02)
    for _ in range(25):
        x, y = random.normal(0.0, radius_m / 2.5, 2)
        wide = random.uniform(0.05, 0.25) * radius_m
        density += random.uniform(1, 5) * np.exp(-((blocks.x - x) ** 2 + (blocks.y - y) ** 2) / 2 / wide**2)
    return blocks, random.poisson(density / density.mean() * 6.0).astype(np.float64)


def town(zones: int, cells: int, seeds: int) -> list[Judged]:
    """Return our plan of a town and the best of METIS's, by borders among those in one piece and balanced."""
    blocks, weights = invented(cells)
    start = time.perf_counter()
    ours = design(blocks, weights, zones, mass=weights, border_share=BORDER_SHARE, seed=1).zone
    judged = [_judged("ours", blocks, weights, zones, ours, time.perf_counter() - start)]
    start = time.perf_counter()
    plans = [metis(blocks, weights, zones, seed) for seed in range(seeds)]
    took = time.perf_counter() - start
    peers = [_judged(f"METIS, best of {seeds}", blocks, weights, zones, plan, took) for plan in plans]
    return [*judged, min(peers, key=_rank)]


def _rank(each: Judged) -> tuple[bool, float]:
    return each.pieces > each.zones or each.largest_deviation > 0.05, each.boundary_km


def metis(blocks: Blocks, weights: np.ndarray, zones: int, seed: int) -> np.ndarray:
    """Return METIS's plan: fewest metres of border, each zone in one piece, 5 % apart at most."""
    adjacency = pymetis.CSRAdjacency(blocks.starts.astype(np.int32), blocks.neighbours.astype(np.int32))
    _, found = pymetis.part_graph(
        zones,
        adjacency=adjacency,
        vweights=weights.astype(int).tolist(),
        eweights=np.rint(blocks.border_m).astype(int).tolist(),
        options=pymetis.Options(seed=seed, ufactor=50, contig=1),
        recursive=False,
    )
    return np.asarray(found, dtype=np.int64)


def _judged(
    by: str, blocks: Blocks, weights: np.ndarray, zones: int, zone: np.ndarray, seconds: float
) -> Judged:
    off = measures.deviations(zone, np.full((zones, 1), weights.sum() / zones), weights[:, None])
    return Judged(
        zones=zones,
        blocks=len(blocks),
        by=by,
        largest_deviation=float(np.abs(off).max()),
        dispersion=measures.dispersion(blocks.x, blocks.y, weights, zone, zones)[0],
        boundary_km=measures.boundary_m(blocks, zone) / 1000.0,
        pieces=measures.pieces(blocks, zone),
        seconds=seconds,
    )


def town_promises(judged: list[Judged]) -> list[Target]:
    """Return the promises on towns."""
    ours = [each for each in judged if each.by == "ours"]
    peers = {each.zones: each for each in judged if each.by != "ours"}
    good = [each for each in ours if (peer := peers[each.zones]) and not _rank(peer)[0]]
    borders = [each.boundary_km / peers[each.zones].boundary_km for each in good]
    large = [each.seconds for each in ours if each.zones == LARGE_ZONES]
    return [
        Target("largest deviation", max(each.largest_deviation for each in ours), 0.05 + 1e-9, unit=""),
        Target("pieces to zones", max(each.pieces / each.zones for each in ours), 1.0),
        Target("borders to METIS's, at most", max(borders, default=None), 1.05),
        Target("10,000 blocks into 200 zones", max(large, default=None), BUDGET_S, unit="s"),
    ]


def _line(each: Judged) -> list[str]:
    return [
        str(each.zones),
        f"{each.blocks:,}",
        each.by,
        f"{each.largest_deviation:.2%}",
        f"{each.dispersion:,.0f}",
        f"{each.boundary_km:,.1f}",
        str(each.pieces),
        f"{each.seconds:.1f}",
    ]


def _compile() -> None:
    design(blocks_of.linked(range(4), range(4), [0] * 4, [(0, 1), (1, 2), (2, 3)], 1.0), np.ones(4), 2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--tdp", metavar="DIR", help="a folder of territory-design instances")
    parser.add_argument("--effort", type=float, default=1.0, help="times as many moves an instance")
    parser.add_argument("--limit", type=int, help="the first N instances alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20, help="of METIS")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
