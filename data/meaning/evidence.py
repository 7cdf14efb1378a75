"""
What a column's values say it is: telephone numbers, coordinates, categories, names, addresses, codes.

It looks at a few hundred cells. What it says is a share between 0 and 1; the headers have the other say
(`data.meaning.headers.proposed`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.meaning import kinds, phones, values

SAMPLE = 200  # cells
FEWEST = 3  # cells that say anything at all
WEST, EAST, SOUTH, NORTH = 73.0, 136.0, 3.0, 54.0  # China in whole degrees: no longitude there is a latitude
_ADDRESS = (
    r"(路|街|巷|弄|大道|胡同|国道|公路|村|镇|乡|社区|小区|大厦|广场|区|县|市|省)"
    r".*(号|栋|幢|层|楼|室|单元|组|村|路|街|交叉|附近|\d)"
)
_SHOP = (
    r"(店|馆|厅|院|校|园|部|所|站|行|社|厂|城|场|吧|坊|屋|房|公司|超市|中心|集团|银行|酒楼|饭庄|市场|医院|学校|商行|"
    r"广场|大厦|支行|网点|工作室|便利|合作社|经营部|shop|store|cafe|hotel)([(（].*)?$"
)
_HOURS = r"\d{1,2}[:：]\d{2}\s*[-~–—至到]+\s*(次日|翌日)?\d{1,2}[:：]\d{2}|24\s*小时|全天|周[一二三四五六日]"
_DATE = r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}"
_WKT = r"(?i)^\s*(srid=\d+;)?\s*(multi)?(point|polygon|linestring)\s*z?\s*\("
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧"
)
# How surely the values alone name a field: anything may be a name, nothing but a phone looks like one.
_TRUST = {
    "phone": 0.9,
    "category": 0.85,
    "address": 0.85,
    "hours": 0.85,
    "status": 0.75,
    "group": 0.8,
    "tier": 0.7,
    "products": 0.8,
    "kind": 0.8,
    "brand": 0.6,
    "name": 0.75,
    "source_id": 0.6,
    "manager": 0.5,
    "existing": 0.5,
    "key": 0.3,
    "deposits": 0.45,
}


class Column:
    """
    A column's cells, and what they say.

    Parameters
    ----------
    cells
        Text; of a long column the first few hundred that say something count.
    """

    def __init__(self, cells: pd.Series) -> None:
        text = values.present(values.tidy(cells.astype("str").fillna("")))
        self.text = text[text != ""].iloc[:SAMPLE].reset_index(drop=True)
        self.count = len(self.text)

    def says_something(self) -> bool:
        """Whether there are cells enough to judge by."""
        return self.count >= FEWEST

    def matches(self, pattern: str) -> NDArray[np.bool_]:
        """Return which cells have a pattern in them."""
        found = pc.match_substring_regex(pa.array(self.text, pa.string()), pattern)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)

    def share(self, pattern: str) -> float:
        """Return the share of the cells with a pattern in them."""
        return _share(self.matches(pattern))

    @property
    def different(self) -> float:
        """The share of the cells that differ."""
        return self.text.nunique() / self.count if self.count else 0.0

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The cells as numbers, NaN where they are none."""
        return values.numbers(self.text)[0]

    @cached_property
    def phones(self) -> float:
        """The share of the cells that are telephone numbers and could be nothing else."""
        if self.share(r"(\d[^\d]{0,3}){7}") < 0.3:
            return 0.0
        found = phones.read(self.text).normalised
        surely = found.str.contains(r"(?:^|;)\+86(?:1[3-9]\d{9}|400\d{7})", regex=True).to_numpy(bool)
        number = found.str.startswith("+").to_numpy(bool)
        return _share(surely | (number & self.matches(r"^[(（+]|[-转)）]|^0\d|^(10|2\d)\d{8}$")))


def _share(where: NDArray[np.bool_] | pd.Series) -> float:
    return float(np.mean(where)) if len(where) else 0.0


def axis(column: Column) -> tuple[str, float]:
    """Return `lon`, `lat`, `lng,lat`, `lat,lng`, `wkt` or "", and the share of the cells that are so."""
    if not column.says_something():
        return "", 0.0
    if column.share(r"\d[.°度′]") < 0.5:
        return "", 0.0
    if (wkt := column.share(_WKT)) > 0.5:
        return "wkt", wkt
    first, second = values.split_pair(column.text)
    one, other = values.degrees(first)[0], values.degrees(second)[0]
    choices = {
        "lng,lat": _share(_is_lon(one) & _is_lat(other)),
        "lat,lng": _share(_is_lat(one) & _is_lon(other)),
    }
    if column.share(r"\.\d{3}|[°度]") > 0.5:  # whole numbers are counts, not places
        alone = np.where((second == "").to_numpy(bool), one, np.nan)
        choices |= {"lon": _share(_is_lon(alone)), "lat": _share(_is_lat(alone))}
    best = max(choices, key=lambda name: choices[name])
    return (best, choices[best]) if choices[best] > 0.5 else ("", 0.0)


def _is_lon(degrees: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((degrees >= WEST) & (degrees <= EAST))


def _is_lat(degrees: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((degrees >= SOUTH) & (degrees <= NORTH))


def _category(column: Column) -> float:
    if column.different > 0.6 and column.count > 20 and column.share("[;；]") < 0.5:
        return 0.0
    shortish = (column.text.str.len() <= 12).to_numpy(bool) | column.matches("[;；=]")
    known = kinds.category_codes(column.text) != ""
    return _share(known & shortish & ~_numeric(column))


def _numeric(column: Column) -> NDArray[np.bool_]:
    return column.matches(r"^[-+]?[\d.,]+%?$")


def _address(column: Column) -> float:
    return column.share(_ADDRESS) * (column.different > 0.3)


def _name(column: Column) -> float:
    length = column.text.str.len().to_numpy(np.int64)
    words = column.matches(r"[\x{3400}-\x{9fff}A-Za-z]{2}") & (length >= 2) & (length <= 40)
    odd = column.matches(f"{_DATE}|{_HOURS}|[;；|=]") | column.matches(_WKT)
    if column.count > 5 and column.different < 0.6:
        return 0.0
    looks = 0.4 + 0.6 * column.share(_SHOP)
    return _share(words & ~odd) * looks * (1 - 0.7 * column.share(_ADDRESS))


def _person(column: Column) -> float:
    return column.share(f"^[{_SURNAMES}][\\x{{4e00}}-\\x{{9fff}}]{{1,3}}$") * (1 - column.share(_SHOP))


def _identifier(column: Column) -> float:
    if column.different < 1 or column.count < 5:
        return 0.0
    plain = column.share(r"^[A-Za-z0-9_\-]{3,64}$")
    numbers = column.numbers
    counted = bool(np.isfinite(numbers).all() and (np.diff(numbers) == 1).all())
    lettered = column.share(r"\d") > 0.9
    return plain if lettered and not counted and column.phones < 0.3 and column.share(_DATE) < 0.3 else 0.0


def _coded(kind: str) -> Callable[[Column], float]:
    def share(column: Column) -> float:
        if column.text.nunique() > 60 or _share(_numeric(column)) > 0.3:
            return 0.0
        found, _ = values.codes(column.text, kind)
        return _share(found != "")

    return share


def _products(column: Column) -> float:
    found, unknown = values.product_codes(column.text)
    return _share(np.fromiter((bool(codes) for codes in found), bool, len(found)) & ~unknown)


def _truth(column: Column) -> float:
    return 0.0 if column.text.nunique() > 4 else _share(~np.isnan(values.truths(column.text)[0]))


def _money(column: Column) -> float:
    numbers = column.numbers
    known = np.isfinite(numbers)
    if not known.any() or column.share(r"[%‰]") > 0.1 or np.nanmedian(np.abs(numbers)) < 100:
        return 0.0
    return _share(known) * (_identifier(column) == 0) * (column.phones < 0.3)


def _count(column: Column) -> float:
    numbers = column.numbers
    return _share(np.isfinite(numbers) & (numbers >= 0))


_SIGNS: dict[str, Callable[[Column], float]] = {
    "phone": lambda column: column.phones,
    "category": _category,
    "address": _address,
    "hours": lambda column: column.share(_HOURS),
    "name": _name,
    "source_id": _identifier,
    "status": lambda column: _coded("status")(column) * (_truth(column) < 0.5),
    "group": _coded("group"),
    "tier": _coded("tier"),
    "products": _products,
    "manager": lambda column: _person(column) * (column.different < 0.7),
    "existing": _truth,
    "key": _truth,
    "deposits": _money,
}
_NUMBERS = ("assets", "size", "households", "adults", "employees")
# What a column must have something of to be a field, whatever its header says.
_NEEDS = dict.fromkeys((*_NUMBERS, "deposits", "phone", "hours"), r"\d")


def says(column: Column, field: str, kind: str) -> float | None:
    """Return the share of a column's cells that look like a field's; None where nobody can tell."""
    if not column.says_something():
        return None
    if field == "kind":
        return _coded("outlet" if kind == "outlets" else "place")(column)
    if field == "name" and kind == "customers":
        return _person(column) * (column.different >= 0.7)
    if field in _NUMBERS:
        return _count(column)
    sign = _SIGNS.get(field)
    return None if sign is None else sign(column)


def denies(column: Column, field: str) -> bool:
    """Whether cells cannot be a field's: a column called 电话 without one digit holds no numbers."""
    return column.says_something() and field in _NEEDS and column.share(_NEEDS[field]) < 0.1


def trusted(field: str) -> float:
    """Return how surely values alone name a field, 0 for one that they cannot name."""
    return _TRUST.get(field, 0.0)
