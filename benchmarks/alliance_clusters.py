"""
Clusters: how well planted ones are found, and how fast, beside scikit-learn's HDBSCAN on the points.

    python benchmarks/alliance_clusters.py [--quick] [--seeds 4] [--repeats 3] [--json FILE]

Quality is the adjusted Rand index, noise a label of its own, at the scale the product begins with: towns of
several seeds, from 3 clusters to 40, 40 to 400 m wide, Gaussian, discs and street strips, with no noise and
2, 5 and 10 % of it (`planted`). The promise is the mean of each kind of town; the least of its seeds is
printed beside it. `over members` leaves out what was planted as noise.

Speed is a million customers, whole: cells, clusters and hulls; and 10, 20 and 40 thousand points of one town
against HDBSCAN, one thread each (`OMP_NUM_THREADS=1`). From 20 to 40 thousand its time tells what a million
would take. The first run compiles; that is not counted.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from sklearn.cluster import HDBSCAN

from benchmarks import planted, report
from benchmarks.planted import Noise, score_clusters
from benchmarks.report import Target, least_and_median, median, ratio
from geo.clusters import clusters

LEAST_ARI, FASTER, MILLION_S = 0.9, 20.0, 5.0
NOISE = (0.0, 0.02, 0.05, 0.1)
SIZES = (10_000, 20_000, 40_000)
LEAST_MEMBERS = 25  # told to HDBSCAN, which has to be told something
Points = tuple[np.ndarray, np.ndarray]


class Kind(NamedTuple):
    """A kind of town: how many clusters and customers, how wide, which shapes."""

    clusters: int
    customers: int
    widths_m: tuple[float, float]
    kinds: tuple[str, ...] = planted.KINDS


KINDS = {
    "few": Kind(3, 600, (100.0, 300.0)),
    "usual": Kind(12, 6_000, (50.0, 350.0)),
    "many": Kind(40, 8_000, (40.0, 200.0)),
    "narrow": Kind(15, 3_000, (40.0, 60.0)),
    "wide": Kind(10, 4_000, (250.0, 400.0)),
    "Gaussian": Kind(15, 5_000, (40.0, 400.0), ("gauss",)),
    "discs": Kind(15, 5_000, (40.0, 400.0), ("disc",)),
    "streets": Kind(15, 5_000, (80.0, 400.0), ("strip",)),
}


def main() -> None:
    """Measure, print, and tell by the exit status whether every promise was kept."""
    options = _options()
    quality, kept = measured_quality(1 if options.quick else options.seeds, options.quick)
    print(quality, end="\n\n")
    sizes, whole = ((500, 1_000), 5_000) if options.quick else (SIZES, 1_000_000)
    speed, more = measured_speed(sizes, whole, 1 if options.quick else options.repeats)
    print(speed, end="\n\n")
    promises = [*kept, *more]
    print(report.targets_table(promises))
    if options.json:
        told = [promise._asdict() for promise in promises]
        Path(options.json).write_text(json.dumps(told, indent=1), encoding="utf-8")
    sys.exit(any(promise.kept is False for promise in promises) and not options.quick)


def measured_quality(seeds: int, quick: bool = False) -> tuple[str, list[Target]]:
    """Return a table of agreement by kind of town and noise, and what is promised of it."""
    rows, promises = [], []
    for name, kind in list(KINDS.items())[: 1 if quick else None]:
        for noise in NOISE[-1:] if quick else NOISE:
            scores = [scored(kind, noise, seed) for seed in range(1, seeds + 1)]
            every = [score.ari for score in scores]
            mean = float(np.mean(every))
            members = float(np.mean([score.ari_members for score in scores]))
            counts = f"{sum(s.planted for s in scores)} / {sum(s.found for s in scores)}"
            rows.append((name, f"{noise:.0%}", f"{mean:.3f}", f"{min(every):.3f}", f"{members:.3f}", counts))
            promises.append(Target(f"ARI, {name}, {noise:.0%} noise", mean, LEAST_ARI, True, ""))
    head = ("town", "noise", "ARI, mean", "least", "over members", "planted / found")
    worst = min(promises, key=lambda promise: promise.value or 0.0)
    return report.table(head, rows), [worst._replace(name=f"least of these means ({worst.name})")]


def scored(kind: Kind, noise: float, seed: int) -> planted.Score:
    """Return how well the customers' clusters of a town are found."""
    town = planted.town(
        seed,
        clusters=kind.clusters,
        alliances=0,
        merchants=25,
        customers=kind.customers,
        noise=Noise.of(noise),
        widths_m=kind.widths_m,
        kinds=kind.kinds,
    )
    return score_clusters(town.customers, town.truth)


def measured_speed(sizes: tuple[int, ...], whole: int, repeats: int) -> tuple[str, list[Target]]:
    """Return a table of seconds, ours and HDBSCAN's, and what is promised of them."""
    clusters(*points(500)).hulls()  # compiles
    ours, theirs = dict[int, list[float]](), dict[int, list[float]]()
    for size in sizes:
        spots = points(size)
        ours[size] = [timed(lambda spots=spots: clusters(*spots).hulls()) for _ in range(max(3, repeats))]
        theirs[size] = [timed(lambda spots=spots: peer(spots))]
    many = points(whole)
    ours[whole] = [timed(lambda: clusters(*many).hulls()) for _ in range(repeats)]
    growth = math.log(theirs[sizes[-1]][0] / theirs[sizes[-2]][0]) / math.log(sizes[-1] / sizes[-2])
    implied_h = theirs[sizes[-1]][0] * (whole / sizes[-1]) ** growth / 3600.0
    rows: list[tuple[Any, ...]] = [
        (f"{size:,}", least_and_median(ours[size]), f"{theirs[size][0]:.2f}", _times(theirs, ours, size))
        for size in sizes
    ]
    rows.append((f"{whole:,}", least_and_median(ours[whole]), f"about {implied_h:.1f} h, implied", "-"))
    text = report.table(("points", "ours, s (min / median)", "HDBSCAN, s", "times faster"), rows)
    times = ratio(theirs[sizes[-1]][0], median(ours[sizes[-1]]))
    return f"{text}\n\nHDBSCAN grows with the number to the power of {growth:.2f}.", [
        Target(f"times as fast as HDBSCAN, {sizes[-1]:,} points", times, FASTER, True),
        Target(f"clusters of {whole:,} customers", median(ours[whole]), MILLION_S, unit="s"),
    ]


def _times(theirs: dict[int, list[float]], ours: dict[int, list[float]], size: int) -> str:
    return f"{ratio(theirs[size][0], median(ours[size])) or 0.0:.0f}"


def points(count: int) -> Points:
    """Return about so many customers of a town, in metres."""
    found = planted.town(
        7, clusters=40, alliances=0, merchants=40, customers=count, noise=Noise.of(0.05)
    ).customers
    return found["x"].to_numpy(), found["y"].to_numpy()


def peer(spots: Points) -> np.ndarray:
    """Find clusters as scikit-learn does."""
    return HDBSCAN(min_cluster_size=LEAST_MEMBERS, copy=True).fit_predict(np.column_stack(spots))


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n", 1)[0])
    options.add_argument("--quick", action="store_true", help="next to nothing, to see that it runs")
    options.add_argument("--seeds", type=int, default=4)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--json")
    return options.parse_args()


if __name__ == "__main__":
    main()
