"""Ground to make zones of: invented towns, and the real lists beside the project, as blocks with weights."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import python_calamine

from data.demo import size_for
from data.towns import townsfolk
from data.towns.town import plan_town
from data.zones.weighing import SPLIT
from geo import blocks as blocks_of
from geo import crs, datum, parcels
from geo.blocks import Blocks
from geo.plans import Frame

SHARED = Path(os.environ.get("ZHENDI_SHARED") or Path(__file__).resolve().parents[2] / "shared" / "data")
MOST_CELLS = 5_000
INSIDE = 99  # per cent of the points lie in the circle
LEVELS = 3  # below the circle's cells, where much weighs on one
Points = tuple[np.ndarray, np.ndarray, np.ndarray]  # longitude, latitude, amount


@dataclass(frozen=True, eq=False)
class Ground:
    """
    Points in a circle that holds nearly all of them.

    Parameters
    ----------
    name, what
        What it is called, and what is counted.
    lon, lat, amount
        Of the points, in WGS 84.
    """

    name: str
    what: str
    lon: np.ndarray
    lat: np.ndarray
    amount: np.ndarray

    def divided(self, zones: int) -> tuple[Blocks, np.ndarray]:
        """Return blocks as the product makes them for so many zones, and what they weigh."""
        lon, lat = float(np.median(self.lon)), float(np.median(self.lat))
        x, y = crs.to_metric(self.lon, self.lat, crs.local_metric(lon, lat))
        radius_m = float(np.percentile(np.hypot(x, y), INSIDE))
        frame = Frame(lon, lat, radius_m, blocks_of.resolution_for(radius_m, MOST_CELLS))
        made = parcels.cells(frame)
        for level in range(LEVELS + 1):
            at = parcels.parcel_at(made, frame, self.lon, self.lat)
            weights = blocks_of.weights_of(at, len(made), self.amount)
            heavy = (weights > SPLIT * weights.sum() / zones) & (blocks_of.weights_of(at, len(made)) > 1)
            finer = parcels.finer(made, np.flatnonzero(heavy), frame) if level < LEVELS else made
            if finer is made:
                break
            made = finer
        return made.blocks, weights


def grounds() -> Iterator[Ground]:
    """Yield the grounds, the real ones where their lists are."""
    yield _demo(1_500)
    yield _demo(20_000)
    for name, what, read in REAL:
        try:
            yield Ground(name, what, *read())
        except FileNotFoundError:
            print(f"{name}: its list is not in {SHARED}: left out", flush=True)


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


def _demo(merchants: int) -> Ground:
    town = plan_town(1, size_for(merchants, 0))
    found = townsfolk.merchants(town, townsfolk.frontage(town, 1), 1, 0, merchants, 1)
    lon, lat = found["lon"].to_numpy(float), found["lat"].to_numpy(float)
    return Ground(f"demo, {merchants:,}", "merchants", lon, lat, np.ones(merchants))


def _wuhan() -> Points:
    folder, seen = SHARED / "wuhan_poi_geojson", set[tuple[str, float, float]]()
    for name in ("rice", "poi", "hotel", "fun", "sport", "police", "musemu"):
        for each in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["features"]:
            seen.add((each["properties"]["name"], *each["geometry"]["coordinates"][:2]))
    at = np.array(sorted(seen), dtype=object)[:, 1:].astype(float)
    return at[:, 0], at[:, 1], np.ones(len(at))


def _changsha() -> Points:
    files = sorted((SHARED / "changsha_baidu_poi_gbk").glob("*.csv"))
    if not files:
        raise FileNotFoundError(SHARED)
    rows = pd.concat(pd.read_csv(file, encoding="gbk") for file in files)
    lon, lat = datum.convert(rows["lng"].to_numpy(float), rows["lat"].to_numpy(float), "bd09", "wgs84")
    return lon, lat, np.ones(len(rows))


def _shichahai() -> Points:
    book = python_calamine.CalamineWorkbook.from_path(SHARED / "beijing_shichahai_poi_xlsx" / "POI.xlsx")
    head, *rows = book.get_sheet_by_name("Sheet1").to_python()
    at = np.array(rows, dtype=object)[:, [head.index("longitude"), head.index("latitude")]].astype(float)
    return at[:, 0], at[:, 1], np.ones(len(at))


def _shanghai() -> Points:
    folder = SHARED / "shanghai_lastmile_tianchi" / "clean_s1"
    spots, orders = pd.read_csv(folder / "spotData.csv"), pd.read_csv(folder / "ecOrderData.csv")
    parcels_of = orders.groupby("Spot_id")["Num"].sum().reindex(spots["Spot_id"]).fillna(0)
    return spots["Lng"].to_numpy(float), spots["Lat"].to_numpy(float), parcels_of.to_numpy(float)


REAL: tuple[tuple[str, str, Callable[[], Points]], ...] = (
    ("Wuhan", "places", _wuhan),
    ("Changsha", "places", _changsha),
    ("Shichahai", "places", _shichahai),
    ("Shanghai", "parcels", _shanghai),
)
