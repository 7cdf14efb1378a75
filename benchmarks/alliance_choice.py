"""
Choosing the alliances that reach most: greedy with its bound beside the exact choice, over several sizes.

    python benchmarks/alliance_choice.py [--quick]

Customers live in estates of a square town; an alliance reaches who lives within 500 m of one of its three to
eight members, who stand within 400 m of its middle. The exact choice is HiGHS', of the same sets; where its
search ends before it is proven, the table says so and the bound is what HiGHS proved.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import report
from benchmarks.report import Target
from geo.choosing import Choice, chosen
from geo.crowd import MOST_GROUPS, Crowd

SIZES = (
    (15, 2_000, 5),
    (40, 5_000, 5),
    (40, 5_000, 10),
    (100, 10_000, 10),
    (200, 20_000, 10),
    (400, 50_000, 10),
)
QUICK = SIZES[:2]
REACH_M, ROUND_M, ESTATE_M = 500.0, 400.0, 150.0
SIDE_M = 6_000.0
MEMBERS = (3, 8)
LEAST = 1 - 1 / np.e
ANYTHING = 10**9
SEED = 5
Floats = np.ndarray


class Line(NamedTuple):
    """One size: what both found, and the seconds each took."""

    sets: int
    customers: int
    at_most: int
    people: float
    greedy: Choice
    greedy_s: float
    exact: Choice
    exact_s: float


def candidates(sets: int, customers: int, *, seed: int = SEED) -> tuple[list[Floats], Floats]:
    """Return whom each invented alliance reaches, and how many people each customer stands for."""
    rng = np.random.default_rng(seed)
    estates = rng.uniform(0, SIDE_M, (max(customers // 100, 1), 2))
    homes = estates[rng.integers(0, len(estates), customers)] + rng.normal(0, ESTATE_M, (customers, 2))
    people = np.where(rng.random(customers) < 0.2, rng.integers(2, 60, customers), 1)
    crowd = Crowd.build(homes[:, 0], homes[:, 1], np.zeros(customers, dtype=np.uint8), people)
    everybody = (1 << MOST_GROUPS) - 1
    found = []
    for middle in rng.uniform(0, SIDE_M, (sets, 2)):
        members = middle + rng.uniform(-ROUND_M, ROUND_M, (rng.integers(MEMBERS[0], MEMBERS[1] + 1), 2))
        found.append(np.unique(np.concatenate([crowd.served(x, y, REACH_M, everybody) for x, y in members])))
    return found, people.astype(np.float64)


def measured(sizes: Sequence[tuple[int, int, int]]) -> list[Line]:
    """Return what both choices are, size by size."""
    lines = []
    for sets, customers, at_most in sizes:
        reached, people = candidates(sets, customers)
        start = time.perf_counter()
        greedy = chosen(reached, people, at_most, most_exact=0)
        middle = time.perf_counter()
        exact = chosen(reached, people, at_most, most_exact=ANYTHING)
        end = time.perf_counter()
        lines.append(
            Line(sets, customers, at_most, people.sum(), greedy, middle - start, exact, end - middle)
        )
    return lines


def table(lines: Sequence[Line]) -> str:
    """Return the sizes as a table; shares are of all people."""
    head = (
        "alliances",
        "customers",
        "chosen",
        "greedy",
        "its bound",
        "s",
        "exact",
        "proven",
        "s",
        "greedy / exact",
    )
    rows = [
        (
            line.sets,
            f"{line.customers:,}",
            line.at_most,
            f"{line.greedy.covered / line.people:.2%}",
            f"{line.greedy.bound / line.people:.2%}",
            f"{line.greedy_s:.3f}",
            f"{line.exact.covered / line.people:.2%}",
            "yes" if line.exact.exact else f"<= {line.exact.bound / line.people:.2%}",
            f"{line.exact_s:.2f}",
            f"{line.greedy.covered / line.exact.covered:.4f}",
        )
        for line in lines
    ]
    return report.table(head, rows)


def targets(lines: Sequence[Line]) -> list[Target]:
    """Return what is promised, with what was measured."""
    worst = min(line.greedy.covered / line.exact.covered for line in lines)
    over = max(line.exact.covered / line.greedy.bound for line in lines)
    return [
        Target("greedy beside the exact choice, at worst", worst, float(LEAST), at_least=True),
        Target("the exact choice beside greedy's bound, at most", over, 1.0),
    ]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="Only the smallest sizes.")
    given = parser.parse_args()
    lines = measured(QUICK if given.quick else SIZES)
    print(table(lines))
    print()
    kept = targets(lines)
    print(report.targets_table(kept))
    sys.exit(any(target.kept is False for target in kept))


if __name__ == "__main__":
    main()
