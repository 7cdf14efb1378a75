"""Stores to measure on: one branch in a town that is the same at every size, only fuller."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data import bulk, catalogue, store, tables
from data.config import ROOT, Settings
from data.rights import command_line

FOLDER = ROOT / "var" / "benchmarks"
SEED = 20_261
CODE = "BENCH"
ASKER = command_line("benchmark")
LON, LAT = 112.938, 28.228
REACH_M = 9_000  # one merchant stands here, so that the circle is the same at every size
STREETS, COMMUNITIES, OUTLETS = 420, 260, 180
LAYOUT = 4  # of a store; another number makes it anew
M_PER_DEGREE = 111_320.0
STATUS_SHARES = (0.60, 0.15, 0.20, 0.05)
TIER_SHARES = (0.60, 0.20, 0.14, 0.05, 0.01)
TAGS = ("", "定期", "定期;理财", "亲子", "广场舞", "健身;亲子", "收款码", "短视频")
CHANNELS = ("", "手机银行", "微信")
PEER_FIELDS = {
    "merchants": ["name", "lon", "lat", "category_id", "status"],
    "customers": ["existing", "group_id", "size", "deposits", "lon", "lat", "tags", "holdings"],
    "outlets": ["lon", "lat"],
}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Store:
    """
    A store on disk, and the same rows as files for those who read no store.

    Parameters
    ----------
    folder
        `ZHENDI_VAR` of a server that serves it; merchants.feather and customers.feather lie beside it.
    rows
        Merchants.
    """

    folder: Path
    rows: int

    @property
    def settings(self) -> Settings:
        """What an app on this store is set to."""
        return Settings.from_env({"ZHENDI_VAR": str(self.folder)})

    def frame(self, layer: str) -> pd.DataFrame:
        """Return a layer as the peers read it."""
        return pd.read_feather(self.folder / f"{layer}.feather")


def made(rows: int, customers: int | None = None) -> Store:
    """Return the store of so many merchants and customers (as many, when not said), made on first use."""
    customers = rows if customers is None else customers
    found = Store(FOLDER / (f"{rows}" if customers == rows else f"{rows}-{customers}"), rows)
    done = found.folder / f"layout-{LAYOUT}"
    if not done.exists():
        start = time.perf_counter()
        shutil.rmtree(found.folder, ignore_errors=True)
        found.folder.mkdir(parents=True)
        town = layers(rows, customers)
        _write_files(found.folder, town)
        _fill(found.settings, town)
        done.touch()
        print(f"made a store of {rows:,} merchants in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return found


def layers(rows: int, customers: int) -> dict[str, pd.DataFrame]:
    """Return the town's rows by layer, as the store would hold them."""
    town = _Town(np.random.default_rng(SEED))
    return {
        "merchants": town.merchants(rows),
        "customers": town.customers(customers),
        "outlets": town.outlets(),
        "places": town.places(),
    }


def _write_files(folder: Path, layers: dict[str, pd.DataFrame]) -> None:
    """Write what the peers need of each layer, and no more."""
    for layer, fields in PEER_FIELDS.items():
        layers[layer][fields].to_feather(folder / f"{layer}.feather")


def _fill(settings: Settings, layers: dict[str, pd.DataFrame]) -> None:
    engine = store.engine(settings)
    store.migrate(engine)
    with store.transaction(engine) as session:
        branch_id = store.add_branch(session, ASKER, code=CODE, name="演示支行", lon=LON, lat=LAT)
        owned = {layer: frame.assign(branch_id=branch_id) for layer, frame in layers.items()}
        _insert_customers(session, owned.pop("customers"))
        for layer, frame in owned.items():
            bulk.insert(session, tables.metadata.tables[layer], frame)
        store.new_version(session, ASKER, branch_id, "benchmark")
    store.dispose()


def _insert_customers(session: Session, customers: pd.DataFrame) -> None:
    ids = bulk.insert_numbered(session, tables.customers, customers.drop(columns="holdings"))
    masks = customers["holdings"].to_numpy()
    pairs = [
        pd.DataFrame({"customer_id": ids[(masks >> product) & 1 == 1], "product_id": product})
        for product in catalogue.PRODUCTS["id"].tolist()
    ]
    every = pd.concat(pairs, ignore_index=True).sort_values(["customer_id", "product_id"])
    bulk.insert(session, tables.holdings, every)


class _Town:
    """Where things stand: merchants along streets, customers in communities, thinner away from the branch."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        middle = rng.normal(0, 1900, (STREETS, 2))
        across = rng.random(STREETS) < 0.5
        half = rng.uniform(120, 700, STREETS)
        self.streets = middle, np.where(across, half, 0), np.where(across, 0, half)
        self.street_share = rng.pareto(1.6, STREETS) + 0.2
        self.communities = rng.normal(0, 2300, (COMMUNITIES, 2))
        self.community_share = rng.pareto(2.0, COMMUNITIES) + 0.3

    def merchants(self, rows: int) -> pd.DataFrame:
        middle, half_x, half_y = self.streets
        street = self.rng.choice(STREETS, rows, p=self.street_share / self.street_share.sum())
        along = self.rng.uniform(-1, 1, rows)
        side = self.rng.choice([-9.0, 9.0], rows) + self.rng.normal(0, 5, rows)
        east = middle[street, 0] + along * half_x[street] + np.where(half_x[street] > 0, 0, side)
        north = middle[street, 1] + along * half_y[street] + np.where(half_x[street] > 0, side, 0)
        kinds = catalogue.CATEGORIES.loc[catalogue.CATEGORIES["parent_id"].notna(), "id"].to_numpy()
        weight = 1 / np.arange(1, len(kinds) + 1) ** 0.7
        number = np.arange(rows).astype(str)
        lon, lat = _placed(east, north)
        lon[0], lat[0] = LON + REACH_M / (M_PER_DEGREE * np.cos(np.radians(LAT))), LAT
        return pd.DataFrame(
            {
                "source_id": np.char.add("M", number),
                "name": np.char.add("老街便民商店", number),
                "initials": np.char.add("ljbmsd", number),
                "category_id": self.rng.choice(kinds, rows, p=weight / weight.sum()),
                "status": self.rng.choice(catalogue.STATUSES, rows, p=STATUS_SHARES),
                "lon": lon,
                "lat": lat,
                "address": np.char.add("人民路", number),
                "phone": np.char.add("0731-8", number),
            }
        )

    def customers(self, rows: int) -> pd.DataFrame:
        rng = self.rng
        home = rng.choice(COMMUNITIES, rows, p=self.community_share / self.community_share.sum())
        lon, lat = _placed(*(self.communities[home] + rng.normal(0, 130, (rows, 2))).T)
        groups = catalogue.GROUPS["id"].to_numpy()
        existing = rng.random(rows) < 0.4
        masks = np.zeros(rows, dtype=np.int64)
        for product in catalogue.PRODUCTS["id"].tolist():
            masks |= (rng.random(rows) < 0.12).astype(np.int64) << product
        deposits = np.where(existing, np.round(rng.lognormal(9.5, 1.4, rows), 2), np.nan)
        tiers = rng.choice(catalogue.TIER_CODES, rows, p=TIER_SHARES)
        return pd.DataFrame(
            {
                "source_id": np.char.add("C", np.arange(rows).astype(str)),
                "existing": existing,
                "group_id": rng.choice(groups, rows),
                "size": np.where(existing, 1, rng.choice([1, 1, 1, 4, 30], rows)),
                "tier": np.where(existing, tiers, None),
                "deposits": deposits,
                "lon": lon,
                "lat": lat,
                "is_key": rng.random(rows) < 0.02,
                "tags": rng.choice(TAGS, rows),
                "channels": rng.choice(CHANNELS, rows),
                "holdings": np.where(existing, masks, 0),
            }
        )

    def outlets(self) -> pd.DataFrame:
        lon, lat = _placed(*self.rng.normal(0, 2000, (2, OUTLETS)))
        number = np.arange(OUTLETS).astype(str)
        kinds = self.rng.choice(catalogue.OUTLET_KINDS, OUTLETS)
        names = np.char.add("农商行", number)
        return pd.DataFrame({"source_id": number, "name": names, "kind": kinds, "lon": lon, "lat": lat})

    def places(self) -> pd.DataFrame:
        lon, lat = _placed(*self.communities.T)
        number = np.arange(COMMUNITIES).astype(str)
        homes = self.rng.integers(80, 2500, COMMUNITIES)
        return pd.DataFrame(
            {
                "source_id": number,
                "name": np.char.add("幸福社区", number),
                "kind": "community",
                "households": homes,
                "adults": homes * 2,
                "lon": lon,
                "lat": lat,
            }
        )


def _placed(east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
    """Return lon and lat of metres from the branch, those too far out pulled in to the edge of the town."""
    out = np.hypot(east_m, north_m) / (REACH_M * 0.97)
    shrink = np.where(out > 1, 1 / np.maximum(out, 1e-9), 1.0)
    lon = LON + east_m * shrink / (M_PER_DEGREE * np.cos(np.radians(LAT)))
    return np.round(lon, 6), np.round(LAT + north_m * shrink / M_PER_DEGREE, 6)
