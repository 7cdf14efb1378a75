"""
Invented towns in which it is known who belongs together: planted clusters and alliances, and noise.

    python benchmarks/planted.py --out DIR [--seed 1] [--noise 0.1] [--clusters 12] [--customers 6000]

writes `merchants.csv`, `customers.csv` (as our importer reads them, WGS 84) and `truth.csv` (id, cluster,
alliance; empty: none). Clusters are Gaussian crowds of very different width and number, evenly filled discs,
and strips along a street. Alliances stand in quarters of their own: a few merchants of trades that complete
each other, 150 to 350 m apart, amid customers each of whom only some of them reach, so that every two gain.
Beside them stand what looks alike and is none: trades that complete each other door to door, where neither
gains a customer, and competitors.

Noise, by name: `strays` anywhere, `street` strays along a few streets, `pile` rows at one default position,
`jitter` of every position, `wrong` trades, `missing` trades.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from benchmarks.planted_alliances import CROWD_M, quarter
from benchmarks.planted_rows import EMPTY, Floats, Rows, groups_known, shaped, trades_known
from data.alliances.matrix import shipped
from data.catalogue import CATEGORIES, GROUPS
from geo import clusters as finding
from geo import crs

LON, LAT = 114.3, 30.6
KINDS = ("gauss", "disc", "strip")
JITTER_M = 12.0
STREETS = 10


@dataclass(frozen=True)
class Noise:
    """Shares of all rows: strays anywhere, on streets, at one position; and of trades wrong and missing."""

    strays: float = 0.05
    street: float = 0.03
    pile: float = 0.02
    jitter_m: float = JITTER_M
    wrong: float = 0.05
    missing: float = 0.05

    @classmethod
    def of(cls, share: float) -> Noise:
        """Return noise that is so much of all rows."""
        return cls(0.5 * share, 0.3 * share, 0.2 * share, JITTER_M if share else 0.0, share / 2, share / 2)


class Town(NamedTuple):
    """A planted town: merchants and customers by id with x, y, lon, lat, cluster, alliance, kind."""

    merchants: pd.DataFrame
    customers: pd.DataFrame

    @property
    def truth(self) -> pd.DataFrame:
        """What was planted: id, cluster, alliance; -1 none."""
        both = pd.concat([self.merchants, self.customers])
        return both[["id", "cluster", "alliance"]].reset_index(drop=True)


def town(
    seed: int,
    *,
    clusters: int = 12,
    alliances: int = 6,
    merchants: int = 900,
    customers: int = 6_000,
    noise: Noise | None = None,
    widths_m: tuple[float, float] = (50.0, 350.0),
    kinds: Sequence[str] = KINDS,
) -> Town:
    """
    Plant a town.

    Parameters
    ----------
    seed
        The same gives the same town.
    clusters, alliances
        How many of each; an alliance's quarter is a cluster more.
    merchants, customers
        About how many lie in the clusters, quarters not counted.
    noise
        Ten per cent of all rows without.
    widths_m
        Between which standard deviations crowds lie.
    kinds
        Of the clusters' shapes.
    """
    rng = np.random.default_rng(seed)
    said = Noise.of(0.1) if noise is None else noise
    widths = np.exp(rng.uniform(*np.log(widths_m), clusters))
    radii = np.concatenate([np.full(alliances, 1.1 * CROWD_M), 3.0 * widths])
    middles, side = _middles(rng, radii)
    shops, people = Rows(), Rows()
    matrix = shipped()
    for number in range(alliances):
        quarter(rng, matrix, middles[number], number, shops, people)
    shares = rng.dirichlet(np.full(clusters, 2.0), 2) if clusters else np.empty((2, 0))
    for at, width in enumerate(widths):
        number, kind, form = alliances + at, str(rng.choice(kinds)), rng.uniform(1.0, 1.6, 2)
        turn = rng.uniform(0.0, np.pi)
        for rows, total, least, ids in (
            (shops, merchants, 25, trades_known()),
            (people, customers, 40, groups_known()),
        ):
            count = max(least, round(total * shares[int(rows is people), at]))
            points = middles[number] + shaped(rng, kind, count, float(width), float(form[0]), turn)
            rows.add(points, number, rng.choice(ids, count))
    return Town(
        _finished(rng, shops.frame(), side, said, "SH", trades_known()),
        _finished(rng, people.frame(), side, said, "KH", groups_known()),
    )


def _middles(rng: np.random.Generator, radii: Floats) -> tuple[Floats, float]:
    """Return places for discs that do not meet, in a square that grows until they fit; and its side."""
    side = max(4_000.0, 2.2 * float(np.sqrt(np.pi * np.sum(radii**2))))
    while True:
        found: list[Floats] = []
        for radius in radii:
            for _ in range(200):
                spot = rng.uniform(-side / 2, side / 2, 2)
                clear = [np.hypot(*(spot - other)) >= radius + radii[at] for at, other in enumerate(found)]
                if all(clear):
                    found.append(spot)
                    break
            else:
                break
        if len(found) == len(radii):
            return np.array(found).reshape(-1, 2), side
        side *= 1.2


# Noise and files --------------------------------------------------------------------------------------------


def _finished(
    rng: np.random.Generator, rows: pd.DataFrame, side: float, noise: Noise, letters: str, kinds: Floats
) -> pd.DataFrame:
    """Return planted rows with noise, ids and coordinates, in no order."""
    share = noise.strays + noise.street + noise.pile
    total = len(rows) / (1.0 - share)
    counts = [round(total * each) for each in (noise.strays, noise.street, noise.pile)]
    strays = _strays(rng, side, *counts)
    extra = pd.DataFrame(strays, columns=["x", "y"]).assign(
        cluster=EMPTY, alliance=EMPTY, kind=rng.choice(kinds, len(strays))
    )
    moved = np.ones(len(rows) + len(extra))
    moved[len(moved) - counts[2] :] = 0.0  # a default position is one position
    found = pd.concat([rows, extra], ignore_index=True).assign(moved=moved)
    found = found.sample(frac=1.0, random_state=rng)
    still = (found["alliance"].to_numpy() != EMPTY) | (found.pop("moved").to_numpy() == 0.0)
    jitter = rng.normal(0.0, noise.jitter_m, (len(found), 2)) * ~still[:, None]
    x, y = found["x"].to_numpy() + jitter[:, 0], found["y"].to_numpy() + jitter[:, 1]
    lon, lat = crs.from_metric(x, y, crs.local_metric(LON, LAT))
    ids = [f"{letters}{at:07d}" for at in range(1, len(found) + 1)]
    luck = rng.random(len(found)) + (found["alliance"].to_numpy() != EMPTY)  # members' trades are known
    kind = np.where(luck < noise.wrong, rng.choice(kinds, len(found)), found["kind"])
    kind = np.where((luck >= noise.wrong) & (luck < noise.wrong + noise.missing), EMPTY, kind)
    return found.assign(id=ids, x=x, y=y, lon=lon, lat=lat, kind=kind).reset_index(drop=True)


def _strays(rng: np.random.Generator, side: float, anywhere: int, on_streets: int, piled: int) -> Floats:
    """Return points of no cluster."""
    free = rng.uniform(-side / 2, side / 2, (anywhere, 2))
    line = rng.uniform(-side / 2, side / 2, STREETS)[rng.integers(STREETS, size=on_streets)]
    along = np.column_stack(
        [rng.uniform(-side / 2, side / 2, on_streets), line + rng.normal(0, 8.0, on_streets)]
    )
    turned = rng.random(on_streets) < 0.5
    along[turned] = along[turned][:, ::-1]
    pile = np.repeat(rng.uniform(-side / 3, side / 3, (1, 2)), piled, axis=0)
    return np.concatenate([free, along, pile])


def write(town: Town, folder: Path) -> None:
    """Write a town as lists of a bank, and what is true of it."""
    folder.mkdir(parents=True, exist_ok=True)
    shops, people, rng = town.merchants, town.customers, np.random.default_rng(len(town.customers))
    trade = dict(zip(CATEGORIES["id"], CATEGORIES["zh"], strict=True))
    group = dict(zip(GROUPS["id"], GROUPS["zh"], strict=True))
    where = {"GPS经度": "lon", "GPS纬度": "lat"}
    merchants = pd.DataFrame(
        {
            "商户编号": shops["id"],
            "商户名称": [f"测试商户{at}" for at in range(1, len(shops) + 1)],
            "行业类别": [trade.get(each, "") for each in shops["kind"]],
            "商户状态": rng.choice(["未接触", "已接触", "已签约"], len(shops)),
            **{name: shops[column].round(6) for name, column in where.items()},
        }
    )
    customers = pd.DataFrame(
        {
            "客户编号": people["id"],
            "客户姓名": [f"测试客户{at}" for at in range(1, len(people) + 1)],
            "客户性质": rng.choice(["存量客户", "目标客户"], len(people), p=[0.7, 0.3]),
            "客群": [group.get(each, "") for each in people["kind"]],
            **{name: people[column].round(6) for name, column in where.items()},
        }
    )
    truth = town.truth.replace({"cluster": {EMPTY: pd.NA}, "alliance": {EMPTY: pd.NA}}).astype(
        {"cluster": "Int64", "alliance": "Int64"}
    )
    for name, table in (("merchants", merchants), ("customers", customers), ("truth", truth)):
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig")


# Score ------------------------------------------------------------------------------------------------------


class Score(NamedTuple):
    """How well clusters were found: of how many points, planted and found, and their agreement."""

    points: int
    planted: int
    found: int
    ari: float  # noise as a label of its own
    ari_members: float  # over the points that were planted in a cluster
    noise_planted: float
    noise_found: float


def score_clusters(points: pd.DataFrame, truth: pd.DataFrame, *, scale: str = finding.USUAL) -> Score:
    """
    Find clusters among points and hold them against what is true.

    Parameters
    ----------
    points
        `id`, `lon`, `lat` (WGS 84), and `people` where a row is more than one.
    truth
        `id` and `cluster`; empty or below 0: noise. Points it does not name are not scored.
    scale
        Of `geo.clusters.SCALES`.
    """
    known = truth.drop_duplicates("id").assign(id=lambda rows: rows["id"].astype(str))
    lon, lat = points["lon"].to_numpy(float), points["lat"].to_numpy(float)
    plane = crs.local_metric(float(np.median(lon)), float(np.median(lat)))
    people = points["people"].to_numpy(float) if "people" in points else None
    found = finding.clusters(*crs.to_metric(lon, lat, plane), people, scale=scale)
    told = points["id"].astype(str).map(known.set_index("id")["cluster"])
    named = points["id"].astype(str).isin(known["id"]).to_numpy()
    codes, _ = pd.factorize(
        told[named].where(told[named].astype(str).str.strip() != ""), use_na_sentinel=True
    )
    codes = np.where(
        pd.to_numeric(told[named], errors="coerce").to_numpy(float, na_value=0.0) < 0, EMPTY, codes
    )
    label = found.label[named]
    own = codes >= 0
    return Score(
        points=len(codes),
        planted=len(np.unique(codes[own])),
        found=len(found),
        ari=adjusted_rand(codes, label),
        ari_members=adjusted_rand(codes[own], label[own]),
        noise_planted=float(np.mean(~own)) if len(own) else 0.0,
        noise_found=float(np.mean(label < 0)) if len(own) else 0.0,
    )


def adjusted_rand(one: Floats, other: Floats) -> float:
    """Return the adjusted Rand index of two labellings (Hubert & Arabie 1985); 1 where they are alike."""
    if not len(one):
        return 1.0
    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    both = np.unique(a * (int(b.max()) + 1) + b, return_counts=True)[1]
    pairs, rows, columns, every = (
        float(np.sum(n * (n - 1.0) / 2.0)) for n in (both, np.bincount(a), np.bincount(b), np.array([len(a)]))
    )
    chance = rows * columns / every if every else 0.0
    most = (rows + columns) / 2.0
    return 1.0 if most == chance else (pairs - chance) / (most - chance)


def main() -> None:
    """Write a town."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 2)[1])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--noise", type=float, default=0.1)
    options.add_argument("--clusters", type=int, default=12)
    options.add_argument("--alliances", type=int, default=6)
    options.add_argument("--merchants", type=int, default=900)
    options.add_argument("--customers", type=int, default=6_000)
    said = options.parse_args()
    planted = town(
        said.seed,
        clusters=said.clusters,
        alliances=said.alliances,
        merchants=said.merchants,
        customers=said.customers,
        noise=Noise.of(said.noise),
    )
    write(planted, said.out)
    print(f"{len(planted.merchants)} merchants, {len(planted.customers)} customers in {said.out}")


if __name__ == "__main__":
    main()
