"""
Zones: how alike, how compact and how fast, on invented towns, real lists and published instances.

    python benchmarks/zones.py [--grounds Wuhan …] [--zones 10 30 100] [--seeds 20] [--json FILE]
    python benchmarks/zones.py --tdp DIR [--effort 1.0] [--limit N]

`--tdp` designs every instance of territory design under a folder, prints a CSV row each, and checks each plan
by itself (`benchmarks/tdp.py`: a partition, every territory in one piece, every activity within the
instance's tolerance, and the plain sum of distances to each territory's centre).

Without it: the demo's towns and the real lists beside the project, each divided into 10, 30 and 100 zones, on
the blocks the product makes of them; METIS, ReCom (ten times our time, five minutes at most) and, up to 2,000
blocks, Skater on the same; 10,000 blocks into 200 zones; and the published instances. Of a peer's plans the
one counts that has the shortest border within the tolerance, or the most even where none is within. Run it on
a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import report, tdp, zone_peers
from benchmarks.report import Target
from benchmarks.zone_grounds import SHARED, grounds, invented
from data.zones.designing import BORDER_SHARE, GIVE
from geo import measures, ready
from geo.annealing import Pinned, settled
from geo.blocks import Blocks
from geo.design import Limits, design
from geo.starting import mended
from geo.task import Task

TOLERANCE = 0.05
BUDGET_S = 10.0
TIMES, MOST_S = 10.0, 300.0  # what ReCom and Skater get of our time
SKATER_BLOCKS = 2_000
LARGE_BLOCKS, LARGE_ZONES = 10_000, 200
OURS, METIS, MENDED = "ours", "METIS", "METIS, mended"
_SLACK = 1e-9


@dataclass(frozen=True)
class Judged:
    """A plan of some ground, ours or a peer's; without pieces where the peer made none."""

    ground: str
    zones: int
    blocks: int
    by: str
    largest_deviation: float
    bound: float
    heaviest: str
    dispersion: float
    boundary_km: float
    pieces: int
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether every zone is in one piece."""
        return self.pieces == self.zones

    @property
    def within(self) -> bool:
        """Whether it is a plan within the tolerance."""
        return self.whole and self.largest_deviation <= TOLERANCE + _SLACK


def main() -> None:
    """Measure, print, and tell by the exit status whether the promises were kept."""
    options = _options()
    ready.ready()
    if options.tdp:
        rows = tdp.published(Path(options.tdp), options.effort, options.limit, options.seed)
        targets = tdp.promises(rows)
        print(report.targets_table(targets), file=sys.stderr)
        kept = [asdict(row) for row in rows]
    else:
        judged = [*_grounds(options), large(options.seed)]
        print()
        print(report.table(COLUMNS, [_line(each) for each in judged]))
        targets = promises(judged)
        folder = SHARED / "bench_tdp"
        if folder.is_dir() and not options.grounds:
            print()
            targets += tdp.promises(tdp.published(folder, options.effort, None, options.seed))
        print()
        print(report.targets_table(targets))
        kept = [asdict(each) for each in judged]
    if options.json:
        Path(options.json).write_text(json.dumps(kept, indent=1), encoding="utf-8")
    sys.exit(any(target.kept is False for target in targets))


def _grounds(options: argparse.Namespace) -> list[Judged]:
    judged = []
    for ground in grounds():
        if options.grounds and not any(word in ground.name for word in options.grounds):
            continue
        for zones in options.zones:
            blocks, weights = ground.divided(zones)
            found = compared(ground.name, blocks, weights, zones, options.seeds, options.seed)
            judged += found
            for each in found:
                print("  ".join(_line(each)), flush=True)
    return judged


def compared(
    name: str, blocks: Blocks, weights: np.ndarray, zones: int, seeds: int, seed: int = 1
) -> list[Judged]:
    """Return our plan of some ground, and the peers'."""

    def told(by: str, zone: np.ndarray, seconds: float) -> Judged:
        return judge(name, by, blocks, weights, zones, zone, seconds)

    start = time.perf_counter()
    ours = _ours(blocks, weights, zones, seed)
    found = [told(OURS, ours, time.perf_counter() - start)]
    budget = min(MOST_S, TIMES * found[0].seconds)
    start = time.perf_counter()
    plans = [zone_peers.metis(blocks, weights, zones, number) for number in range(seeds)]
    took = time.perf_counter() - start
    metis = [told(METIS, plan, took) for plan in plans]
    found.append(best(metis))
    with ThreadPoolExecutor() as threads:  # each waits for a process
        recom = threads.submit(zone_peers.recom, blocks, weights, zones, budget)
        few = len(blocks) <= SKATER_BLOCKS
        skater = threads.submit(zone_peers.skater, blocks, weights, zones, budget) if few else None
        made = {"ReCom": recom.result(), "Skater": skater.result()[-1:] if skater is not None else None}
    for by, theirs in made.items():
        if theirs:
            found.append(best([told(by, plan, budget) for plan in theirs]))
        elif theirs is not None:
            print(f"{name}, {zones} zones: {by} made no plan in {budget:.0f} s", flush=True)
    if not any(each.within for each in found[1:]):
        plan = plans[metis.index(found[1])]
        found.append(told(MENDED, mend(blocks, weights, zones, plan), took))
    return found


def _ours(blocks: Blocks, weights: np.ndarray, zones: int, seed: int) -> np.ndarray:
    found = design(blocks, weights, zones, mass=weights, border_share=BORDER_SHARE, give=GIVE, seed=seed)
    return found.zone


def mend(blocks: Blocks, weights: np.ndarray, zones: int, zone: np.ndarray) -> np.ndarray:
    """Return a peer's plan brought within the tolerance by our own mover."""
    task = Task.of(blocks, weights, zones, Limits(TOLERANCE), weights, BORDER_SHARE)
    whole = mended(task, zone, np.full(zones, -1))
    return settled(task, whole, Pinned(len(blocks)), 2_000 * len(blocks), 1)


def best(plans: Sequence[Judged]) -> Judged:
    """Return the plan with the shortest border within the tolerance; the most even one where none is."""
    return min(
        plans,
        key=lambda each: (
            (0, each.boundary_km) if each.within else (1 + (not each.whole), each.largest_deviation)
        ),
    )


def judge(
    name: str, by: str, blocks: Blocks, weights: np.ndarray, zones: int, zone: np.ndarray, seconds: float
) -> Judged:
    """Return what a plan is worth."""
    off = measures.deviations(zone, np.full((zones, 1), weights.sum() / zones), weights[:, None])
    bound = measures.bound(weights[:, None], zones)
    heaviest = int(weights.argmax())
    return Judged(
        ground=name,
        zones=zones,
        blocks=len(blocks),
        by=by,
        largest_deviation=float(np.abs(off).max()),
        bound=bound.deviation,
        heaviest=f"{blocks.ids[heaviest] if bound.block is None else blocks.ids[bound.block]}",
        dispersion=measures.dispersion(blocks.x, blocks.y, weights, zone, zones)[0],
        boundary_km=measures.boundary_m(blocks, zone) / 1000.0,
        pieces=measures.pieces(blocks, zone),
        seconds=seconds,
    )


def large(seed: int) -> Judged:
    """Return our plan of 10,000 blocks in 200 zones."""
    blocks, weights = invented(LARGE_BLOCKS)
    start = time.perf_counter()
    zone = _ours(blocks, weights, LARGE_ZONES, seed)
    seconds = time.perf_counter() - start
    return judge("invented", OURS, blocks, weights, LARGE_ZONES, zone, seconds)


def promises(judged: Sequence[Judged]) -> list[Target]:
    """Return the promises on grounds."""
    ours = {(each.ground, each.zones): each for each in judged if each.by == OURS}
    peers: dict[tuple[str, int], list[Judged]] = {key: [] for key in ours}
    for each in judged:
        if each.by != OURS:
            peers[each.ground, each.zones].append(each)
    over = [each.largest_deviation - max(TOLERANCE, each.bound) for each in ours.values()]
    lead = [
        each.largest_deviation - max(each.bound, min(other.largest_deviation for other in others))
        for key, each in ours.items()
        if (others := [other for other in peers[key] if other.by != MENDED])
    ]
    borders = [
        each.boundary_km / min(lengths)
        for key, each in ours.items()
        if (lengths := [other.boundary_km for other in peers[key] if other.within])
    ]
    slow = [each.seconds for each in ours.values() if each.zones == LARGE_ZONES]
    return [
        Target("deviation over 5 %, or over the bound", max(over, default=None), _SLACK, unit=""),
        Target(
            "pieces to zones", max((each.pieces / each.zones for each in ours.values()), default=None), 1.0
        ),
        Target("deviation over the most even peer's", max(lead, default=None), _SLACK, unit=""),
        Target("borders to the shortest within", max(borders, default=None), 1.05),
        Target("10,000 blocks into 200 zones", max(slow, default=None), BUDGET_S, unit="s"),
    ]


COLUMNS = (
    "ground",
    "zones",
    "blocks",
    "by",
    "deviation",
    "bound",
    "heaviest block",
    "dispersion",
    "border km",
    "pieces",
    "s",
)


def _line(each: Judged) -> list[str]:
    return [
        each.ground,
        str(each.zones),
        f"{each.blocks:,}",
        each.by,
        f"{each.largest_deviation:.2%}",
        f"{each.bound:.2%}",
        each.heaviest,
        f"{each.dispersion:,.0f}",
        f"{each.boundary_km:,.1f}",
        str(each.pieces),
        f"{each.seconds:.1f}",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--tdp", metavar="DIR", help="a folder of territory-design instances")
    parser.add_argument("--effort", type=float, default=1.0, help="times as many moves an instance")
    parser.add_argument("--limit", type=int, help="the first N instances alone")
    parser.add_argument("--grounds", nargs="+", metavar="NAME", help="those alone whose name holds the word")
    parser.add_argument("--zones", nargs="+", type=int, default=[10, 30, 100], metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20, help="of METIS")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
