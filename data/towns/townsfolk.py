"""
Who trades and lives in the invented town (`data.towns.town`): merchants on its streets, people in its homes.

All of it is invented: names of shops come from `data.towns.invented`, people are numbers (演示客户000001),
telephone numbers begin as none can. The same town, seed and chunk give the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data import catalogue
from data.towns import invented
from data.towns.town import COUNTRY_M, HALF_EXTENT_M, ROAD_WIDTHS_M, Area, Road, Town

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Array = NDArray[Any]

CHUNK = 100_000  # rows made at a time
FRONTAGE_STEP_M = 9.0
SETBACK_M = 7.0  # from the kerb to the middle of a shop
HOME_M2 = 620.0  # of ground for each house with its yard
CONTEXTS = ("street", "market", "park_industrial", "school", "office", "village", "country")
SITES = ("community", "village", "industrial", "school", "office", "market")
SITE_SHARES = (0.56, 0.15, 0.11, 0.03, 0.05, 0.10)
_CONTEXT_OF = {each: each for each in CONTEXTS} | {"hospital": "office", "": "country"}
_SITE_OF = {
    "residential": "community",
    "village": "village",
    "park_industrial": "industrial",
    "school": "school",
    "office": "office",
    "hospital": "office",
}
_BUSY = {"main": 1.0, "street": 1.25, "lane": 0.6}  # shops to a metre of frontage
_BUSIER = {"market": 5.0, "school": 1.4, "park_industrial": 2.2, "village": 0.22, "country": 0.012}
STATUSES = ("未接触", "已接触", "已签约", "已关闭")
CHANNELS = ("手机银行", "网点柜台", "微信", "电话", "上门", "短信")
OWN_BANK = "演示银行"
BRANCH_NAME = "演示银行演示支行"
EXISTING = 0.6  # of all customers
GROUPED = 0.22  # of the targets: many people at one point
_MERCHANTS, _CUSTOMERS, _FRONTAGE, _HOMES, _OUTLETS = range(10, 15)


@dataclass(frozen=True)
class Spots:
    """
    Where something can stand.

    Parameters
    ----------
    x, y
        Metres round the town's centre.
    kind
        Index in `CONTEXTS` or `SITES`.
    weight
        How likely it is taken, adding up to 1.
    where, number
        The address: an index in `names`, and the house number.
    names
        Of roads, communities or villages.
    """

    x: Floats
    y: Floats
    kind: NDArray[np.int8]
    weight: Floats
    where: Rows
    number: Rows
    names: Array

    def addresses(self, at: Rows, form: str) -> Array:
        """Return the addresses of spots, `form` having {name} and {number}."""
        name, rest = form.split("{name}")[1].split("{number}")
        numbers = np.char.add(self.number[at].astype(str), rest)
        return np.char.add(np.char.add(self.names[self.where[at]].astype(str), name), numbers)


@cache
def trades() -> pd.DataFrame:
    """Return what is traded, as lists call it, and how much of it there is in each kind of street."""
    return pd.read_csv(Path(__file__).with_name("trades.csv"), keep_default_na=False)


@cache
def clientele() -> pd.DataFrame:
    """Return the customer groups: how many people, median deposits, tags, and where they are found."""
    return pd.read_csv(Path(__file__).with_name("clientele.csv"), keep_default_na=False)


def frontage(town: Town, seed: int) -> Spots:
    """Return the spots along the streets where a shop can stand: off the road, on dry and built ground."""
    rng = np.random.default_rng([seed, _FRONTAGE])
    roads = [road for road in town.roads if road.kind != "bridge"]
    names, where = np.unique([road.name for road in roads], return_inverse=True)
    x, y, road, number = _beside(roads, rng)
    area = _areas_at(town.areas, x, y)
    free = _off_the_road(town, x, y)
    x, y = x[free], y[free]
    road, number, area = road[free], number[free], area[free]
    built = np.array([*(each.kind for each in town.areas), ""])[area]  # the last is for -1: no area
    road_kind = np.array([each.kind for each in roads])[road]
    context = np.array([_CONTEXT_OF.get(use, "street") for use in built])
    weight = np.vectorize(_BUSY.get, otypes=[float])(road_kind)
    weight *= np.array([_BUSIER.get(each, 1.0) for each in context])
    weight *= 0.12 + np.exp(-np.hypot(x - town.market[0], y - town.market[1]) / (900 * town.size))
    weight *= rng.gamma(1.3, 1 / 1.3, len(weight))  # busy corners, dead ends
    out = np.hypot(x, y) > COUNTRY_M + town.size * max(HALF_EXTENT_M)
    weight[(built == "green") | out] = 0.0
    kinds = np.array([CONTEXTS.index(each) for each in context], dtype=np.int8)
    return Spots(x, y, kinds, weight / weight.sum(), where[road], number, names)


def homes(town: Town, seed: int) -> Spots:
    """Return the buildings in which people live, work and learn."""
    rng = np.random.default_rng([seed, _HOMES])
    areas = [area for area in town.areas if area.kind in _SITE_OF]
    names = np.array([area.name or "城区" for area in areas], dtype=object)
    x, y, area = _inside(areas, rng)
    dry = ~shapely.contains_xy(town.river.buffer(25), x, y)
    x, y, area = x[dry], y[dry], area[dry]
    kinds = np.array([SITES.index(_SITE_OF[each.kind]) for each in areas], dtype=np.int8)[area]
    weight = rng.gamma(2.0, 0.5, len(x))
    weight *= np.where(kinds == 0, 0.5 + np.exp(-np.hypot(x, y) / (1800 * town.size)), 1.0)
    number = np.arange(len(x)) - np.searchsorted(area, area) + 1
    return Spots(x, y, kinds, weight / weight.sum(), area, number, names)


def _beside(roads: list[Road], rng: np.random.Generator) -> tuple[Floats, Floats, Rows, Rows]:
    """Return spots on both sides of each road, with the road and the house number."""
    lines = np.array([road.line for road in roads], dtype=object)
    counts = np.maximum((shapely.length(lines) / FRONTAGE_STEP_M).astype(int), 1)
    road = np.repeat(np.arange(len(roads)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    step = np.arange(len(road)) - first
    along = (step + rng.uniform(0.2, 0.8, len(road))) * FRONTAGE_STEP_M
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], along + 4.0))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], np.maximum(along - 4.0, 0)))
    way = ahead - behind
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    across = np.column_stack([-way[:, 1], way[:, 0]])
    width = np.array([ROAD_WIDTHS_M[each.kind] for each in roads])[road] / 2
    sides = [at + side * across * (width + SETBACK_M)[:, None] for side in (1, -1)]
    both = np.vstack(sides)
    number = np.concatenate([step * 2 + 1, step * 2 + 2])
    return both[:, 0], both[:, 1], np.tile(road, 2), number


def _off_the_road(town: Town, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Return which spots lie on no road and not in the river."""
    points = shapely.points(x, y)
    river = town.river.buffer(6)
    shapely.prepare(river)
    free = np.asarray(~shapely.contains_xy(river, x, y), dtype=bool)
    for kind, width in ROAD_WIDTHS_M.items():
        # Stretch by stretch: a whole road's box has half the town in it.
        roads = [_stretches(road) for road in town.roads if road.kind == kind]
        tree = shapely.STRtree(np.concatenate(roads))
        free[tree.query(points, predicate="dwithin", distance=width / 2 + 2)[0]] = False
    return free


def _stretches(road: Road) -> Array:
    ends = shapely.get_coordinates(road.line)
    return np.asarray(shapely.linestrings(np.stack([ends[:-1], ends[1:]], axis=1)))


def _areas_at(areas: list[Area], x: Floats, y: Floats) -> Rows:
    """Return the area each spot is in or within a few steps of, -1 where there is none."""
    tree = shapely.STRtree([area.shape for area in areas])
    found = np.full(len(x), -1)
    spots, hits = tree.query_nearest(shapely.points(x, y), max_distance=6.0, all_matches=False)
    found[spots] = hits
    return found


def _inside(areas: list[Area], rng: np.random.Generator) -> tuple[Floats, Floats, Rows]:
    """Return houses spread over areas, the areas in order."""
    shapes = np.array([area.shape for area in areas], dtype=object)
    shapely.prepare(shapes)
    west, south, east, north = shapely.bounds(shapes).T
    wanted = np.maximum(((east - west) * (north - south) / HOME_M2).astype(int), 4)
    area = np.repeat(np.arange(len(areas)), wanted)
    x = rng.uniform(west[area], east[area])
    y = rng.uniform(south[area], north[area])
    keep = shapely.contains_xy(shapes[area], x, y)
    return x[keep], y[keep], area[keep]


def merchants(town: Town, spots: Spots, seed: int, chunk: int, count: int, first: int) -> pd.DataFrame:
    """Return so many merchants, numbered from `first`, in WGS 84, under the headers of a list."""
    rng = np.random.default_rng([seed, _MERCHANTS, chunk])
    at = rng.choice(len(spots.x), count, p=spots.weight)
    x, y = spots.x[at] + rng.normal(0, 1.2, count), spots.y[at] + rng.normal(0, 1.2, count)
    table = trades()
    trade = _picked(rng, table[list(CONTEXTS)].to_numpy(float).T, spots.kind[at])
    lon, lat = town.lonlat(x, y)
    far = np.hypot(x - town.branch[0], y - town.branch[1]) / (1500 * town.size)
    status = _status(rng, far)
    told = np.isin(status, [1, 2]) & (rng.random(count) < 0.85)
    hours = _hours(table)[trade]
    return pd.DataFrame(
        {
            "商户编号": _numbered("SH", first, count),
            "商户名称": _shop_names(rng, trade),
            "行业类别": _categories(table)[trade],
            "详细地址": spots.addresses(at, "{name}{number}号"),
            "联系电话": np.where(rng.random(count) < 0.8, _telephones(rng, count), ""),
            "营业时间": np.where(rng.random(count) < 0.7, hours, ""),
            "商户状态": np.array(STATUSES, dtype=object)[status],
            "客户经理": np.where(told, _manager(town, x, y), ""),
            "lon": lon,
            "lat": lat,
        }
    )


def customers(
    town: Town, spots: Spots, shops: Spots, seed: int, chunk: int, count: int, first: int
) -> pd.DataFrame:
    """Return so many customers, numbered from `first`, in WGS 84, under the headers of a list."""
    rng = np.random.default_rng([seed, _CUSTOMERS, chunk])
    site = rng.choice(len(SITES), count, p=SITE_SHARES)
    x, y, address = _dwell(rng, spots, shops, site)
    table = clientele()
    group = _picked(rng, table[list(SITES)].to_numpy(float).T, site)
    existing = rng.random(count) < EXISTING
    size = _sizes(rng, table, group, existing)
    existing &= size == 1
    _send_far(town, x, y, address, existing, size)
    deposits, assets = _money(rng, table["median"].to_numpy(float)[group], existing)
    lon, lat = town.lonlat(x, y)
    wealth = np.where(np.isnan(assets), deposits, assets)
    managed = rng.random(count) < np.where(existing, 0.94, 0.3)
    return pd.DataFrame(
        {
            "客户编号": _numbered("KH", first, count),
            "客户姓名": _customer_names(existing, size, first),
            "客户性质": np.where(existing, "存量客户", "目标客户"),
            "客群": table["group"].to_numpy(object)[group],
            "人数": size,
            "等级": np.where(existing, _tier_names(wealth), ""),
            "存款余额(元)": deposits,
            "家庭资产(元)": assets,
            "客户经理": np.where(managed, _manager(town, x, y), ""),
            "重点客户": np.where(rng.random(count) < np.where(wealth > 3e5, 0.5, 0.012), "是", "否"),
            "标签": _joined(rng, [tags.split("|") for tags in table["tags"]], group, 3, 0.45),
            "常用渠道": _joined(rng, [list(CHANNELS)] * len(table), group, 3, 0.4),
            "持有产品": np.where(existing, _joined(rng, _products(), group, 5, 0.5), ""),
            "住址": address,
            "手机号": np.where(existing, _telephones(rng, count), ""),
            "lon": lon,
            "lat": lat,
        }
    )


def outlets(town: Town, shops: Spots, seed: int) -> pd.DataFrame:
    """Return the outlets of invented banks and insurers, and our own, in WGS 84."""
    rng = np.random.default_rng([seed, _OUTLETS])
    scale = town.size**1.4
    each = [(OWN_BANK, "ATM", "自助银行")] * round(2 * scale)
    each += [(bank, "银行网点", "支行") for bank in invented.BANKS for _ in range(round(2 * scale))]
    each += [(str(rng.choice(invented.BANKS)), "ATM", "ATM") for _ in range(round(7 * scale))]
    each += [(name, "保险公司", "营销服务部") for name in invented.INSURERS]
    chance = shops.weight * np.isin(shops.kind, [CONTEXTS.index(c) for c in ("street", "market")])
    for narrow in ("巷", "胡同"):
        chance[np.char.endswith(shops.names[shops.where].astype(str), narrow)] = 0.0
    at = rng.choice(len(shops.x), len(each), p=chance / chance.sum(), replace=False)
    x, y = np.append(town.branch[0], shops.x[at]), np.append(town.branch[1], shops.y[at])
    lon, lat = town.lonlat(x, y)
    roads = shops.names[shops.where[at]]
    nearest = np.array([np.argmin(np.hypot(shops.x - x[0], shops.y - y[0]))])
    return pd.DataFrame(
        {
            "网点编号": _numbered("WD", 1, len(x)),
            "网点名称": [
                BRANCH_NAME,
                *(f"{bank}{road}{end}" for (bank, _, end), road in zip(each, roads, strict=True)),
            ],
            "网点类型": ["银行网点", *(kind for _, kind, _ in each)],
            "所属银行": [OWN_BANK, *(bank for bank, _, _ in each)],
            "地址": shops.addresses(np.append(nearest, at), "{name}{number}号"),
            "lon": lon,
            "lat": lat,
        }
    )


def _picked(rng: np.random.Generator, weights: Floats, kind: Array) -> Rows:
    """Return for each row a column of `weights`, by the row of its kind."""
    cumulated = np.cumsum(weights, axis=1)
    draws = rng.random(len(kind)) * cumulated[kind, -1]
    return np.asarray((cumulated[kind] <= draws[:, None]).sum(axis=1), dtype=np.intp)


def _numbered(prefix: str, first: int, count: int) -> Array:
    digits = np.char.zfill(np.arange(first, first + count).astype(str), 7)
    return np.char.add(prefix, digits).astype(object)


def _telephones(rng: np.random.Generator, count: int) -> Array:
    return invented.phones(rng.integers(0, 10**8, count)).to_numpy(object)


def _hours(table: pd.DataFrame) -> Array:
    until = np.where(table["closes"] == "", "", "-" + table["closes"])
    return (table["opens"] + until).to_numpy(object)


def _categories(table: pd.DataFrame) -> Array:
    """Return the categories as lists write them: the larger, then the finer."""
    known = catalogue.CATEGORIES
    zh = known.set_index("id")["zh"]
    named = known.set_index("code").loc[table["category"]]
    return np.array(
        [f"{zh[parent]};{own}" for parent, own in zip(named["parent_id"], named["zh"], strict=True)]
    )


def _shop_names(rng: np.random.Generator, trade: Rows) -> Array:
    ends = [each.split("|") for each in trades()["endings"]]
    width = max(len(each) for each in ends)
    table = np.array([[each[i % len(each)] for i in range(width)] for each in ends])
    kind = rng.integers(0, np.array([len(each) for each in ends])[trade])
    words = np.array(
        [*invented.SHOP_WORDS, *(a + b for a in invented.SHOP_WORDS[:20] for b in invented.SHOP_WORDS[20:])]
    )
    word = np.minimum(rng.geometric(0.012, len(trade)), len(words)) - 1
    return np.char.add(words[word], table[trade, kind]).astype(object)


def _status(rng: np.random.Generator, far: Floats) -> Rows:
    """Return the status: the nearer, the more are signed and spoken to."""
    signed = 0.04 + 0.34 * np.exp(-far)
    contacted = 0.08 + 0.26 * np.exp(-far / 1.6)
    draw = rng.random(len(far))
    edges = np.array([signed, signed + contacted, signed + contacted + 0.035])
    return np.asarray(np.array([2, 1, 3, 0])[(draw >= edges).sum(axis=0)], dtype=np.intp)


def _manager(town: Town, x: Floats, y: Floats) -> Array:
    """Return who looks after a spot: each has a quarter round the branch."""
    quarter = np.floor_divide(np.arctan2(y - town.branch[1], x - town.branch[0]), np.pi / 2).astype(int) % 4
    return np.asarray(np.array(invented.MANAGERS, dtype=object)[quarter])


def _dwell(rng: np.random.Generator, spots: Spots, shops: Spots, site: Rows) -> tuple[Floats, Floats, Array]:
    """Return position and address of each customer at the kind of site they belong to."""
    x, y = np.empty(len(site)), np.empty(len(site))
    address = np.empty(len(site), dtype=object)
    trading = SITES.index("market")
    for kind in range(len(SITES)):
        rows = np.flatnonzero(site == kind)
        own = shops if kind == trading else spots
        chance = own.weight if kind == trading else own.weight * (own.kind == kind)
        at = rng.choice(len(own.x), len(rows), p=chance / chance.sum())
        x[rows], y[rows] = own.x[at], own.y[at]
        address[rows] = own.addresses(at, "{name}{number}号" if kind in (1, trading) else "{name}{number}栋")
    spread = rng.normal(0, 2.0, (2, len(site)))
    return x + spread[0], y + spread[1], address


def _sizes(rng: np.random.Generator, table: pd.DataFrame, group: Rows, existing: NDArray[np.bool_]) -> Rows:
    """Return how many people each row is: some targets are a whole group."""
    ends = [tuple(int(n) for n in (each or "1-1").split("-")) for each in table["people"]]
    low, high = np.array(ends).T
    passers_by = (table["median"].to_numpy(float) == 0)[group]
    many = (~existing & (rng.random(len(group)) < GROUPED) & (high > 1)[group]) | passers_by
    drawn = np.exp(rng.uniform(np.log(low[group]), np.log(high[group] + 1))).astype(int)
    return np.where(many, np.maximum(drawn, 2), 1)


def _send_far(
    town: Town, x: Floats, y: Floats, address: Array, existing: NDArray[np.bool_], size: Rows
) -> None:
    """Put the last few rows on the long country road: customers who moved away, whom nobody can visit."""
    for back, (far_x, far_y) in enumerate(town.far[: len(x) // 20], start=1):
        x[-back], y[-back], address[-back] = far_x + 40, far_y + 40, "外乡散户"
        existing[-back], size[-back] = True, 1


def _money(rng: np.random.Generator, median: Floats, existing: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return deposits here and, of some, the household's assets; NaN where unknown."""
    deposits = np.round(median * np.exp(rng.normal(0, 1.15, len(median))), 2)
    assets = np.round(deposits * rng.uniform(1.1, 4.5, len(median)), -2)
    known = rng.random(len(median)) < 0.35
    return np.where(existing, deposits, np.nan), np.where(existing & known, assets, np.nan)


def _tier_names(yuan: Floats) -> Array:
    floors = [tier.from_yuan for tier in catalogue.TIERS]
    names = np.array([tier.zh for tier in catalogue.TIERS], dtype=object)
    return names[np.searchsorted(floors, np.maximum(np.nan_to_num(yuan), 0), side="right") - 1]


def _customer_names(existing: NDArray[np.bool_], size: Rows, first: int) -> Array:
    word = np.where(size > 1, "演示群体", np.where(existing, "演示客户", "演示目标"))
    return np.char.add(word, np.char.zfill(np.arange(first, first + len(size)).astype(str), 6)).astype(object)


def _products() -> list[list[str]]:
    """Return what each group of the clientele may hold: what is recommended to it, and what everybody has."""
    zh = catalogue.PRODUCTS.set_index("id")["zh"]
    group_id = catalogue.GROUPS.set_index("zh")["id"]
    return [
        [*zh.loc[list(catalogue.RECOMMENDED[int(group_id[name])])], "定期存款", "手机与网上银行", "社保卡"]
        for name in clientele()["group"]
    ]


def _joined(rng: np.random.Generator, words: list[list[str]], kind: Rows, most: int, share: float) -> Array:
    """Return for each row a few of the words of its kind, joined; out of sixty mixtures a kind."""
    mixtures = np.empty((len(words), 60), dtype=object)
    for i, own in enumerate(words):
        for j in range(60):
            drawn = [word for word in rng.permutation(sorted(set(own))) if rng.random() < share]
            mixtures[i, j] = "、".join(sorted(drawn[:most]))
    return np.asarray(mixtures[kind, rng.integers(0, 60, len(kind))])
