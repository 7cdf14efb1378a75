"""
Clusters, links and alliances: how well what was planted is found, and how fast.

    python benchmarks/alliances.py [--quick] [--only links clusters planted choice] [--towns 5] [--noise 0.1]
    python benchmarks/alliances.py --town DIR [--datum auto|wgs84|gcj02|bd09] [--alliances 10]

The parts: `links`, every near pair of 100,000 merchants beside geopandas, and the way from there to offered
links (`alliance_links`); `clusters`, planted ones and a million customers (`alliance_clusters`); `planted`,
towns with planted clusters and alliances and noise (`planted`), written as lists and brought in by our own
readers; `choice`, the greedy choice of alliances beside the exact one (`alliance_choice`). `--town` scores a
folder somebody else made (`alliance_town` says what it holds).

Exit status 0: all promises kept (not asked of `--quick`); 1: one was not, or a list was refused; 2: a file or
column is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from benchmarks import alliance_choice, alliance_clusters, alliance_links, planted, report, stores
from benchmarks.alliance_links import FOUND, LinkScore, score_links
from benchmarks.alliance_town import Town, TownError, read
from benchmarks.planted import Score, score_clusters
from benchmarks.report import Target
from data.alliances import forming
from data.alliances.matrix import shipped
from geo.clusters import SCALES, USUAL

PARTS = ("links", "clusters", "planted", "choice")
ARI = 0.9
MERCHANTS, QUICK_MERCHANTS = 100_000, 2_000
FIRST_SEED = 101


def main() -> None:
    """Measure what is asked for, print, and tell by the exit status whether every promise was kept."""
    options = _options()
    try:
        found, promises = _town(options) if options.town else _parts(options)
    except TownError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)
    print()
    print(report.targets_table(promises))
    if options.json:
        told = {**found, "promises": [promise._asdict() | {"kept": promise.kept} for promise in promises]}
        Path(options.json).write_text(json.dumps(told, indent=1, default=float), encoding="utf-8")
    sys.exit(any(promise.kept is False for promise in promises) and not options.quick)


def _parts(options: argparse.Namespace) -> tuple[dict[str, Any], list[Target]]:
    found: dict[str, Any] = {}
    promises: list[Target] = []
    if "links" in options.only:
        size, repeats = (QUICK_MERCHANTS, 1) if options.quick else (MERCHANTS, options.repeats)
        found["links"], kept = alliance_links.speed(size, repeats)
        # A small run says that both find the same; how much faster shows at size.
        promises += kept[1:2] if options.quick else kept
    if "clusters" in options.only:
        promises += _clusters(options)
    if "planted" in options.only:
        found["planted"], kept = planted_towns(1 if options.quick else options.towns, options.noise)
        promises += kept
    if "choice" in options.only:
        sizes = alliance_choice.QUICK if options.quick else alliance_choice.SIZES
        lines = alliance_choice.measured(sizes)
        print(alliance_choice.table(lines))
        promises += alliance_choice.targets(lines)
    return found, promises


def _clusters(options: argparse.Namespace) -> list[Target]:
    quality, promises = alliance_clusters.measured_quality(1 if options.quick else 4, options.quick)
    print(quality, end="\n\n")
    if options.quick:
        return promises
    speed, kept = alliance_clusters.measured_speed(alliance_clusters.SIZES, 1_000_000, options.repeats)
    print(speed, end="\n\n")
    return [*promises, *kept]


# Planted towns ----------------------------------------------------------------------------------------------


def planted_towns(towns: int, noise: float) -> tuple[dict[str, Any], list[Target]]:
    """Plant towns, bring each in as a folder of lists, print how well it is found, and what is promised."""
    scored = []
    for seed in range(FIRST_SEED, FIRST_SEED + towns):
        with tempfile.TemporaryDirectory() as place:
            planted.write(planted.town(seed, noise=planted.Noise.of(noise)), Path(place))
            scored.append(scores(read(Path(place))))
    names = [f"town {seed}" for seed in range(FIRST_SEED, FIRST_SEED + towns)]
    print(table(names, scored))
    return {"towns": [_plain(each) for each in scored]}, targets(scored)


def scores(town: Town, at_most: int = forming.AT_MOST) -> dict[str, Any]:
    """Return how well a town's clusters, partners and alliances are found."""
    proposed = forming.proposed(town.snapshot, stores.ASKER, shipped(), at_most=at_most)
    return {
        "clusters": {
            (layer, scale): score_clusters(points(town, layer), town.truth, scale=scale)
            for layer in town.ids
            for scale in SCALES
            if "cluster" in town.truth and any(town.planted("cluster", layer).values())
        },
        "links": score_links(town),
        "together": together(town, [each.members for each in proposed.alliances]),
        "alliances": len(proposed.alliances),
        "covered_share": proposed.covered_share,
        "bound": proposed.bound,
    }


def points(town: Town, layer: str) -> pd.DataFrame:
    """Return a layer's rows as clusters take them, with the lists' own identifiers."""
    rows = getattr(town.snapshot, layer)
    name_of = {row: name for name, row in town.ids[layer].items()}
    frame = pd.DataFrame({"id": [name_of.get(row, "") for row in rows.id], "lon": rows.lon, "lat": rows.lat})
    return frame.assign(people=rows.people) if layer == "customers" else frame


def together(town: Town, alliances: Sequence[tuple[int, ...]]) -> float:
    """Return the share of pairs of planted partners that one chosen alliance holds."""
    name = {row: each for row, each in town.planted("alliance").items() if each}
    chosen = {row: number for number, members in enumerate(alliances) for row in members}
    mates = pd.Series(name).groupby(pd.Series(name)) if name else []
    pairs = held = 0
    for _, members in mates:
        of = [chosen.get(row, -1) for row in members.index]
        pairs += len(of) * (len(of) - 1) // 2
        counts = np.unique([each for each in of if each >= 0], return_counts=True)[1]
        held += int((counts * (counts - 1) // 2).sum())
    return held / pairs if pairs else float("nan")


def table(names: Sequence[str], scored: Sequence[dict[str, Any]]) -> str:
    """Return what was found in each town."""
    lines = [[name, *_cells(each)] for name, each in zip(names, scored, strict=True)]
    head = (
        "adjusted Rand of customers, merchants",
        "planted partner in first five",
        "planted of first five",
        "partners in one chosen alliance",
        "alliances",
        "customers covered (at most)",
    )
    return report.table(("planted", *head), lines)


def _cells(each: dict[str, Any]) -> list[str]:
    links: LinkScore = each["links"]
    rand = [each["clusters"].get((layer, USUAL)) for layer in ("customers", "merchants")]
    return [
        " ".join(report.NONE if found is None else f"{found.ari:.3f}" for found in rand),
        f"{links.found:.1%} of {links.merchants}",
        f"{links.share:.1%}",
        f"{each['together']:.1%}",
        str(each["alliances"]),
        f"{each['covered_share']:.1%} ({each['bound']:.1%})",
    ]


def targets(scored: Sequence[dict[str, Any]]) -> list[Target]:
    """Return what is promised of planted towns: of clusters and of partners."""
    rand = [found.ari for each in scored if (found := each["clusters"].get(("customers", USUAL)))]
    if not rand:
        rand = [found.ari for each in scored if (found := each["clusters"].get(("merchants", USUAL)))]
    asked = sum(each["links"].merchants for each in scored)
    hits = sum(each["links"].found * each["links"].merchants for each in scored if each["links"].merchants)
    first = hits / asked if asked else None
    mean = float(np.mean(rand)) if rand else None
    return [
        Target("adjusted Rand index of clusters, the mean", mean, ARI, True, ""),
        Target("merchants with a planted partner in the first five", first, FOUND, True, ""),
    ]


def _plain(each: dict[str, Any]) -> dict[str, Any]:
    clusters = {" ".join(key): found._asdict() for key, found in each["clusters"].items()}
    return {**each, "clusters": clusters, "links": each["links"]._asdict()}


# A folder ---------------------------------------------------------------------------------------------------


def _town(options: argparse.Namespace) -> tuple[dict[str, Any], list[Target]]:
    """Score a folder somebody else made."""
    town = read(options.town, options.datum)
    print("\n".join(town.notes))
    print()
    found = scores(town, options.alliances)
    rows = [[f"{layer}, {scale}", *_of_clusters(each)] for (layer, scale), each in found["clusters"].items()]
    if rows:
        head = (
            "clusters",
            "adjusted Rand",
            "of clustered",
            "planted",
            "found",
            "noise planted",
            "noise found",
        )
        print(report.table(head, rows))
        print()
    print(table([options.town.name], [found]))
    return {"town": _plain(found), "notes": town.notes}, targets([found])


def _of_clusters(each: Score) -> list[str]:
    shares = (each.noise_planted, each.noise_found)
    return [
        f"{each.ari:.3f}",
        f"{each.ari_members:.3f}",
        str(each.planted),
        str(each.found),
        *(f"{share:.1%}" for share in shares),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: that it runs, not how fast")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--towns", type=int, default=5, help="how many planted towns")
    parser.add_argument("--noise", type=float, default=0.1, help="share of planted rows that are noise")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--town", type=Path, metavar="DIR", help="a folder of merchants, customers and truth.csv"
    )
    parser.add_argument("--datum", default="auto", choices=["auto", "wgs84", "gcj02", "bd09"])
    parser.add_argument("--alliances", type=int, default=forming.AT_MOST, help="at most so many are chosen")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
