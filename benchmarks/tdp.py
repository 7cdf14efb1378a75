"""
Published instances of territory design: read, designed, and judged by itself.

An instance `NAME.dat` has `n`; n lines `id x y w1 w2 w3 0`; the number of edges and the edges; and
`m m tau1 tau2 tau3 …`. The verified value comes from a `reference_values.csv` in the folder or above it
(columns `instance` and `ref_compactness`).
"""

from __future__ import annotations

import csv
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import Target, median
from geo import blocks as blocks_of
from geo.blocks import Blocks
from geo.design import Limits, design
from geo.errors import GeoError

BUDGET_S = 10.0
ENOUGH_S = 6.0  # after which no further start is tried, where a plan is held that keeps its limits
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


def published(folder: Path, effort: float, limit: int | None, seed: int) -> list[Row]:
    """Design every instance under a folder; print a row as each is done, and say which could not be read."""
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    known = references(folder)
    rows = []
    for path in sorted(folder.rglob("*.dat"))[:limit]:
        start = time.perf_counter()
        try:
            row = tdp_row(read_instance(path), known.get(path.stem), effort, seed)
        except (GeoError, InstanceError) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            took = time.perf_counter() - start
            row = Row(path.stem, np.inf, known.get(path.stem), False, np.inf, 0, took)
        rows.append(row)
        writer.writerow(_shown(row))
        sys.stdout.flush()
    if not rows:
        print(f"{folder}: no instance (NAME.dat) in it", file=sys.stderr)
    return rows


class InstanceError(ValueError):
    """A file that describes no instance."""


def read_instance(path: Path) -> Instance:
    """
    Return the instance a file describes.

    Raises
    ------
    InstanceError
        When it is cut short, or a word in it is none of what is expected there.
    """
    words = iter(path.read_text(encoding="utf-8", errors="replace").split())
    try:
        count = int(next(words))
        nodes = np.array([[float(next(words)) for _ in range(7)] for _ in range(count)]).reshape(-1, 7)
        place = {int(number): at for at, number in enumerate(nodes[:, 0])}
        edges = [(place[int(next(words))], place[int(next(words))]) for _ in range(int(next(words)))]
        zones, _ = int(next(words)), next(words)
        tolerance = np.array([float(next(words)) for _ in range(3)])
    except StopIteration:
        raise InstanceError("the file ends too soon") from None
    except KeyError as unknown:
        raise InstanceError(f"an edge names node {unknown}, which is not there") from None
    except ValueError as error:
        raise InstanceError(f"a number was expected: {error}") from None
    if len(place) < count:
        raise InstanceError("two nodes have the same number")
    if not np.isfinite(nodes).all() or not np.isfinite(tolerance).all():
        raise InstanceError("a number is not finite")
    linked = blocks_of.linked(list(place), nodes[:, 1], nodes[:, 2], np.array(edges).reshape(-1, 2), 1.0)
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
    found = design(
        instance.blocks,
        instance.weights,
        instance.zones,
        limits=Limits(tolerance=tuple(instance.tolerance)),
        seed=seed,
        effort=effort,
        enough=lambda: time.perf_counter() - start > ENOUGH_S,
    )
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
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.nan_to_num(np.abs(instance.weights[inside].sum(axis=0) / ideal - 1.0))
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
        Target("published: share of instances feasible", feasible, 1.0, at_least=True, unit=""),
        Target("published: median of ours / verified plan", median(ratios), 1.0 + 1e-6),
        Target("published: slowest instance", slowest, BUDGET_S, unit="s"),
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
