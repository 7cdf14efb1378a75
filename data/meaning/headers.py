"""
What lists call their columns: the words for each field, and the search for the header row and the coordinates.

A word matches whatever its case, width, spaces, underscores and the unit in brackets behind it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import pandas as pd

from data.meaning import evidence
from data.meaning.evidence import Column
from geo.datum import DATUMS

# Each field's words, the surest first. A field takes the header that matches its earliest word.
NAME = (
    "名称|名稱|商户名称|商户名|店名|店铺名称|店铺名|商铺名称|门店名称|门店|商家名称|商家|企业名称|公司名称|单位名称|机构名称|"
    "POI名称|网点名称|name|poi_name|name:zh|shop_name|merchant_name|merchant|"
    "title|shangjia|shanghumingcheng|mingcheng|label|名字|字号|简称"
)
ADDRESS = (
    "地址|詳細地址|详细地址|经营地址|注册地址|商户地址|通讯地址|联系地址|所在地址|位置|address|addr|addr:full|"
    "full_address|dizhi|street|location_address"
)
PHONE = (
    "电话|電話|联系电话|电话号码|手机|手机号|手机号码|联系方式|固定电话|座机|telephone|tel|phone|"
    "phone_number|mobile|contact:phone|dianhua|shouji"
)
SOURCE_ID = "商户编号|商户号|商户id|客户编号|客户号|客户id|网点编号|机构编号|小区编号|source_id|merchant_id|customer_id|outlet_id|place_id|poi_id|poiid|编号|编码|代码|uid|id|object_id|objectid|osm_id|@id|bianhao|fid"
MANAGER = (
    "客户经理|管户经理|管户人|经理|负责人|管户客户经理|责任人|外拓人员|manager|account_manager|owner|"
    "kehujingli"
)
STATUS = "状态|商户状态|拓展状态|营销状态|签约状态|合作状态|是否签约|status|state|zhuangtai"

FIELDS: dict[str, dict[str, str]] = {
    "merchants": {
        "source_id": SOURCE_ID,
        "name": NAME + "|医院名称|学校名称|酒店名称|餐厅名称|药店名称",
        "category": (
            "类别|類別|行业|分类|类型|商户类别|商户类型|所属行业|行业类别|行业分类|经营类别|经营范围|业态|poi类型|poi_type|"
            "poitype|category|type|types|typename|type_name|class|fclass|industry|"
            "ctype|amenity|shop|leibie|hangye|大类|kind|tag"
        ),
        "status": STATUS,
        "manager": MANAGER,
        "address": ADDRESS,
        "phone": PHONE,
        "hours": "营业时间|经营时间|开放时间|hours|opening_hours|business_hours|open_time|yingyeshijian",
    },
    "customers": {
        "source_id": SOURCE_ID,
        "name": (
            "姓名|客户姓名|客户名称|户名|名称|name|customer_name|full_name|xingming|kehuxingming|群体名称"
        ),
        "existing": (
            "客户性质|是否存量|存量客户|是否客户|客户状态|客户类型|存量目标|existing|is_existing|is_customer|"
            "kind|status"
        ),
        "group": (
            "客群|客户群|客户群体|所属客群|客群分类|客群名称|客户类别|职业|group|customer_group|segment|kequn"
        ),
        "size": "人数|规模|群体人数|户数|size|people|count|headcount|renshu",
        "tier": "等级|客户等级|客户层级|层级|级别|客户级别|星级|tier|level|grade|dengji",
        "deposits": "存款余额|存款|余额|日均存款|存款日均|储蓄余额|deposits|deposit|balance|cunkuan|yue",
        "assets": "家庭资产|资产|总资产|金融资产|管理资产|aum|assets|household_assets|zichan",
        "manager": MANAGER,
        "key": "重点客户|是否重点|重点|是否重点客户|key|is_key|key_customer|vip",
        "tags": "标签|客户标签|喜好|偏好|兴趣|爱好|喜好习惯|tags|tag|preferences|hobbies|biaoqian",
        "channels": "渠道|常用渠道|联系渠道|偏好渠道|办理渠道|channels|channel|qudao",
        "products": "产品|持有产品|已持有产品|已办产品|已开产品|products|product|holdings|chanpin",
        "address": "住址|家庭住址|家庭地址|" + ADDRESS,
        "phone": PHONE,
    },
    "outlets": {
        "source_id": SOURCE_ID,
        "name": NAME,
        "kind": "类型|类别|网点类型|机构类型|分类|kind|type|category|poi_type|leixing",
        "brand": "银行|所属银行|品牌|行名|总行|bank|brand|operator",
        "address": ADDRESS,
        "phone": PHONE,
    },
    "places": {
        "source_id": SOURCE_ID,
        "name": "小区名称|社区名称|村名|村庄名称|园区名称|社区|小区|" + NAME,
        "kind": "类型|类别|性质|分类|kind|type|category|place|leixing",
        "households": "户数|家庭户数|总户数|居民户数|households|hushu",
        "adults": "成年人数|成年人口|人口|总人口|常住人口|人口数|adults|population|renkou",
        "employees": "员工数|员工人数|职工人数|从业人数|从业人员|在职人数|employees|staff|yuangongshu",
        "address": ADDRESS,
    },
    "zones": {
        "zone": (
            "片区|片区名称|片区名|所属片区|片区编号|网格|网格名称|所属网格|网格编号|责任区|责任片区|责任网格|包片|外拓片区|营销片区|区域|区域名称|"
            "所属区域|zone|zone_name|territory|grid|district|area_name"
        ),
        "kind": "片区类型|片区类别|片区性质|网格类型|类型|类别|性质|zone_kind|zone_type|kind|type",
        "person": (
            "片区负责人|网格负责人|包片人|包片人员|包片责任人|网格员|走访人员|外拓人员|"
            + MANAGER
            + "|人员|姓名|person|people|staff|assignee|assigned_to"
        ),
        "cell": "单元|单元编号|h3|h3_index|h3_cell|cell|cell_id|block",
        "name": NAME
        + "|cname|name_zh|name_cn|name_chi|district_name|区名|街道|街道名称|社区|社区名称|小区|村名|ename",
    },
    "visits": {
        "person": (
            "走访人|走访人员|拜访人|拜访人员|外拓人员|访问人|走访客户经理|visitor|visited_by|who was there|"
            + MANAGER
            + "|员工|姓名|person"
        ),
        "merchant_id": "商户编号|商户号|商户id|merchant_id|merchant_no|number of the merchant|编号|编码|source_id|id",
        "merchant": "商户名称|商户名|商户|走访商户|拜访商户|店名|店铺名称|商家名称|商家|名称|merchant|merchant_name|name",
        "customer_id": "客户编号|客户号|客户id|customer_id|customer_no|number of the customer",
        "day": (
            "走访日期|拜访日期|外拓日期|走访时间|拜访时间|日期|时间|visit_date|visited_on|visited_at|"
            "day of the visit|day|date"
        ),
        "result": "走访结果|拜访结果|走访情况|走访记录|结果|情况|反馈|result|outcome|notes|note",
        "next_step": "下一步|下一步计划|下步计划|下步工作|后续|后续计划|跟进事项|next_step|next|follow_up|followup",
        "next_day": (
            "下次日期|下次走访日期|下次走访时间|下次时间|下次拜访日期|跟进日期|计划日期|next_day|next_date|"
            "next_visit|follow_up_date"
        ),
    },
}
LON = (
    "经度|經度|lon|lng|long|longitude|x|point_x|x坐标|坐标x|坐标经度|经度坐标|经度值|lon_x|"
    "jingdu|jd|centerx|x_coord|center_lon|东经|location_lng|location.lng|geo_lon|"
    "gps_lon"
)
LAT = (
    "纬度|緯度|lat|latitude|y|point_y|y坐标|坐标y|坐标纬度|纬度坐标|纬度值|lat_y|weidu|wd|"
    "centery|center_lat|y_coord|北纬|location_lat|location.lat|geo_lat|gps_lat"
)
# One column with both; "纬经度" and its like have the latitude first.
BOTH = (
    "坐标|经纬度|经纬度坐标|地理坐标|位置坐标|地图坐标|location|lnglat|lonlat|lng_lat|lon_lat|"
    "coordinate|coordinates|coord|coords|zuobiao|gps|gps坐标|坐标点|point|"
    "lng,lat|lon,lat|经度,纬度|经度纬度|纬度,经度|纬经度|latlng|latlon|lat_lng|lat,lng|"
    "lat,lon|纬度经度"
)

DATUM_COLUMNS = frozenset(
    {"datum", "坐标系", "坐标系统", "坐标类型", "crs", "coordsys", "coordtype", "coordinatesystem"}
)
LICENCE = re.compile(r"信用代码|营业执照|执照号|工商注册号|税号|licen[cs]e|credit_?code|uscc", re.I)
LONGEST_HEADER = 200
HEADER_WITHIN = 20  # rows: a title may stand above the header

SURE = 0.8  # nobody need look
_FIRST_WORD = 0.95
NAMED = 0.7  # a header says so in as many words
LEAST = 0.2  # of what values say; below it nothing is proposed
COORDINATES = ("lon", "lat", "coordinates")
_AXES = ("lon", "lat", "lng,lat", "lat,lng", "wkt")

IGNORED = re.compile(r"^(unnamed.*|index|序号|行号|no|num|row|rowid|row_number|xuhao|)$")
_NUMBERED = re.compile(r"^(列|column|col|field|字段|unnamed:?|)[\s_]*\d{0,4}$")
_SPACES = re.compile(r"[\s_\-.·:：*#\"'“”、]+")
_BRACKETS = re.compile(r"[(\[【{<《].*?[)\]】}>》]")
_DATUM_WORDS: dict[str, re.Pattern[str]] = {
    "wgs84": re.compile(
        r"wgs[\s_-]*(19)?84|(?<![a-z])wgs(?![a-z])|(?<![a-z])gps(?![a-z])|cgcs[\s_-]*2000|国家2000|2000国家|天地图|"
        r"openstreetmap|(?<![a-z])osm(?![a-z])|大地2000|地球坐标"
    ),
    "gcj02": re.compile(
        r"gcj[\s_-]*0?2?|高德|(?<![a-z])gaode(?![a-z])|(?<![a-z])amap(?![a-z])|火星|腾讯|tencent|国测局|(?<![a-z])mars(?![a-z])"
    ),
    "bd09": re.compile(r"bd[\s_-]*09(ll|mc)?|百度|(?<![a-z])baidu(?![a-z])"),
}
# Only before or behind a coordinate's own word: "bd_lng", "lat_84".
_DATUM_HINTS = {
    "wgs84": re.compile(r"(?<![a-z0-9])(84|wgs|gps)(?![a-z0-9])"),
    "gcj02": re.compile(r"(?<![a-z0-9])(gcj|gd|02)(?![a-z0-9])"),
    "bd09": re.compile(r"(?<![a-z0-9])(bd|09)(?![a-z0-9])"),
}


class Proposal(NamedTuple):
    """
    A column proposed for a field.

    Parameters
    ----------
    header
        The column.
    confidence
        0-1: above `SURE` nobody need look.
    why
        `header`, `header_part` (of a longer one), `values`, `values_differ` (from what the header says), and
        of coordinates `lon`, `lat`, `lng,lat`, `lat,lng` or `wkt`, as the values are.
    """

    header: str
    confidence: float
    why: str


class Pair(NamedTuple):
    """Where a row's coordinates stand: two columns, or one for both; and the datum that the header names."""

    lon: str
    lat: str
    datum: str | None = None
    latitude_first: bool = False


def plain(text: str) -> str:
    """Return a header as it is compared: half-width, lower case, without spaces or anything in brackets."""
    text = unicodedata.normalize("NFKC", text).strip().lower()
    return _SPACES.sub("", _BRACKETS.sub("", text) or text)


def distinct(cells: Sequence[str]) -> tuple[str, ...]:
    """Return headers that differ: a repeated or empty one gets its column's number."""
    seen: set[str] = set()
    headers = []
    for at, cell in enumerate(cells, start=1):
        header = _clean(cell) or f"unnamed {at}"
        while header in seen:
            header = f"{header} ({at})"
        seen.add(header)
        headers.append(header)
    return tuple(headers)


def _clean(cell: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in cell).split())[
        :LONGEST_HEADER
    ]


@cache
def _words(joined: str) -> dict[str, int]:
    """Return the plain form of each word with its rank."""
    ranks: dict[str, int] = {}
    for rank, word in enumerate(joined.split("|")):
        ranks.setdefault(plain(word), rank)
    return ranks


@cache
def _all_words() -> frozenset[str]:
    fields = [words for kind in FIELDS.values() for words in kind.values()]
    return frozenset(word for joined in (*fields, LON, LAT, BOTH) for word in _words(joined))


def header_row(rows: Sequence[Sequence[str]]) -> int:
    """
    Return the position of the header among the first rows.

    It is the row with most cells that are known words or, where none is known, the first with as many
    texts as the table is wide.
    """
    first = rows[:HEADER_WITHIN]
    known = [_known(row) for row in first]
    if known and max(known) > 0:
        return known.index(max(known))
    widest = max((sum(bool(cell.strip()) for cell in row) for row in first), default=0)
    for at, row in enumerate(first):
        if sum(bool(cell.strip()) for cell in row) == widest:
            return at
    return 0


def _known(cells: Sequence[str]) -> int:
    return sum(2 if coordinate_of(cell) else 1 for cell in cells[:1000] if is_known(cell))


def is_known(header: str) -> bool:
    """Whether a text is a header that lists have."""
    return len(header) <= LONGEST_HEADER and (
        plain(header) in _all_words() or coordinate_of(header) is not None
    )


def are_numbers(headers: Sequence[str]) -> bool:
    """Whether a list has no headers of its own: its columns are called 列1, 列2 … or are numbered."""
    return all(_NUMBERED.match(header.strip().lower()) for header in headers)


def coordinate_of(header: str) -> tuple[str, str | None] | None:
    """Return `lon`, `lat` or `both` and the datum named with it, if a header is that of a coordinate."""
    if len(header) > LONGEST_HEADER:
        return None
    datum = header_datum(header)
    text = unicodedata.normalize("NFKC", header).strip().lower()
    bare = text
    for pattern in _DATUM_WORDS.values():
        bare = pattern.sub(" ", bare)
    stripped = bare
    hinted = None
    for name, pattern in _DATUM_HINTS.items():
        without = pattern.sub(" ", re.sub(r"[_\-.]", " ", stripped))
        if without != re.sub(r"[_\-.]", " ", stripped):
            hinted, stripped = name, without
    for form, named in ((text, datum), (bare, datum), (stripped, datum or hinted)):
        for axis, words in (("lon", LON), ("lat", LAT), ("both", BOTH)):
            if plain(form) in _words(words):
                return axis, named
    return _run_together(plain(text), datum)


def _run_together(text: str, datum: str | None) -> tuple[str, str | None] | None:
    """Recognise `bdlng`, `lat84`, `gcjlon` and `经度坐标系…`."""
    found = re.fullmatch(
        r"(wgs84|wgs|gps|gcj02|gcj|gd|bd09|bd|)(lng|lon|longitude|lat|latitude|x|y)(84|02|09|)", text
    )
    if not found or not (found[1] or found[3]):
        return None
    sign = found[1] or found[3]
    named = {"w": "wgs84", "8": "wgs84", "b": "bd09"}.get(sign[0])
    if named is None:
        named = "bd09" if sign == "09" else "wgs84" if sign == "gps" else "gcj02"
    return ("lon" if found[2][:2] in ("ln", "lo", "x") else "lat"), datum or named


def header_datum(text: str) -> str | None:
    """Return the one datum that a text names, None where it names none or several."""
    text = unicodedata.normalize("NFKC", text).lower()
    named = [datum for datum, pattern in _DATUM_WORDS.items() if pattern.search(text)]
    return named[0] if len(named) == 1 else None


def named_datums(text: str) -> set[str]:
    """Return every datum that a text names."""
    text = unicodedata.normalize("NFKC", text).lower()
    return {datum for datum, pattern in _DATUM_WORDS.items() if pattern.search(text)}


def coordinate_pairs(headers: Sequence[str]) -> list[Pair]:
    """Return every pair of coordinate columns: longitude and latitude by the datum they name, in order."""
    axes: dict[str, list[tuple[str, str | None]]] = {"lon": [], "lat": [], "both": []}
    for header in headers:
        if found := coordinate_of(header):
            axes[found[0]].append((header, found[1]))
    pairs = []
    free = list(axes["lat"])
    for lon, datum in axes["lon"]:
        same = [item for item in free if item[1] == datum] or [
            item for item in free if not (item[1] and datum)
        ]
        if same:
            best = min(same, key=lambda item: abs(headers.index(item[0]) - headers.index(lon)))
            free.remove(best)
            pairs.append(Pair(lon, best[0], datum or best[1]))
    for both, datum in axes["both"]:
        pairs.append(Pair(both, both, datum, plain(both).startswith(("lat", "纬"))))
    return pairs


def has_coordinates(headers: Sequence[str]) -> bool:
    """Whether there is a place to find a row's coordinates."""
    return bool(coordinate_pairs(headers))


def licence_column(headers: Sequence[str]) -> str | None:
    """Return the header of a column of registered numbers, such as 统一社会信用代码; None where there is none."""
    return next((header for header in headers if LICENCE.search(header)), None)


def propose(headers: Sequence[str], kind: str) -> dict[str, str]:
    """
    Return the header proposed for each field by the headers' words alone; fields nobody names are absent.

    Coordinates are proposed by `coordinate_pairs`, not here.
    """
    found = proposed(headers, kind, None)
    return {
        field: one.header
        for field, one in found.items()
        if field not in COORDINATES and one.confidence >= NAMED
    }


def proposed(headers: Sequence[str], kind: str, sample: pd.DataFrame | None) -> dict[str, Proposal]:
    """
    Return the column proposed for each field, coordinates with them; fields nobody names are absent.

    Parameters
    ----------
    headers
        Of a list without any, what its columns are numbered with: the values alone speak then.
    kind
        Of a list of what.
    sample
        The first rows as text, by header; None when there are none to look at.

    Returns
    -------
    proposed
        Field (`lon` and `lat`, or `coordinates`, among them) to column. No column is taken twice.
    """
    columns = {
        header: Column(sample[header])
        for header in headers
        if sample is not None and header in sample.columns
    }
    found = _proposed_places(headers, columns)
    taken = {header for pair in coordinate_pairs(headers) for header in (pair.lon, pair.lat)}
    taken |= {one.header for one in found.values()}
    free = [header for header in headers if header not in taken]
    numbered = are_numbers(headers)
    choices = [
        (-one.confidence, order, field, one)
        for order, (field, joined) in enumerate(FIELDS[kind].items())
        for header in free
        if (one := _judged(header, field, kind, joined, columns.get(header), numbered)) is not None
    ]
    used: set[str] = set()
    for _, _, field, one in sorted(choices, key=lambda choice: choice[:2]):
        if field not in found and one.header not in used:
            found[field] = one
            used.add(one.header)
    return found


def _judged(
    header: str, field: str, kind: str, joined: str, column: Column | None, numbered: bool
) -> Proposal | None:
    """Return how surely a column is a field: by its header, its values, or both; None where it is not."""
    text = plain(header)
    ignored = IGNORED.match(text) is not None
    rank = None if ignored else _words(joined).get(text)
    if rank is not None:
        return _named(header, field, kind, _FIRST_WORD - 0.002 * rank, column)
    if not numbered and (is_known(header) or (ignored and not text.startswith("unnamed"))):
        return None
    part = 0.0 if numbered else _part_of(text, joined)
    trust = 0.0 if column is None else evidence.trusted(field) * (evidence.says(column, field, kind) or 0.0)
    if part and not (column is not None and evidence.denies(column, field)):
        return Proposal(header, min(0.9, part + 0.3 * trust), "header_part")
    return Proposal(header, trust, "values") if trust >= LEAST else None


def _named(header: str, field: str, kind: str, confidence: float, column: Column | None) -> Proposal:
    if column is None:
        return Proposal(header, confidence, "header")
    if evidence.denies(column, field):
        return Proposal(header, confidence / 2, "values_differ")
    agrees = (evidence.says(column, field, kind) or 0.0) > 0.5
    return Proposal(header, min(1.0, confidence + 0.05 * agrees), "header")


def _part_of(text: str, joined: str) -> float:
    """Return how much of a header a field's longest word is, where the header ends or begins in it."""
    words = (word for word in _words(joined) if len(word) > 1 and not word.isascii() and word in text)
    best = max(words, key=len, default="")
    return 0.4 + 0.25 * len(best) / len(text) if best and text.startswith(best) | text.endswith(best) else 0.0


def _proposed_places(headers: Sequence[str], columns: Mapping[str, Column]) -> dict[str, Proposal]:
    """Return the coordinates: by their headers, else by values that can be nothing else."""
    axes = {header: evidence.axis(column) for header, column in columns.items()}
    if pairs := coordinate_pairs(headers):
        rank = {name: at for at, name in enumerate((*DATUMS, None))}
        pair = min(pairs, key=lambda one: (rank[one.datum], one.lon == one.lat))
        if pair.lon == pair.lat:
            return {"coordinates": _place_named(pair.lon, ("lng,lat", "lat,lng", "wkt"), columns, axes)}
        return {
            "lon": _place_named(pair.lon, ("lon",), columns, axes),
            "lat": _place_named(pair.lat, ("lat",), columns, axes),
        }
    said = {name: [header for header in axes if axes[header][0] == name] for name in _AXES}
    for name in ("lng,lat", "lat,lng", "wkt"):
        if said[name]:
            best = max(said[name], key=lambda header: axes[header][1])
            return {"coordinates": Proposal(best, 0.9 * axes[best][1], name)}
    order = list(headers)
    near = [
        (abs(order.index(lon) - order.index(lat)), -axes[lon][1] - axes[lat][1], lon, lat)
        for lon in said["lon"]
        for lat in said["lat"]
    ]
    if not near:
        return {}
    _, _, lon, lat = min(near)
    return {name: Proposal(one, 0.9 * axes[one][1], name) for name, one in (("lon", lon), ("lat", lat))}


def _place_named(
    header: str,
    right: tuple[str, ...],
    columns: Mapping[str, Column],
    axes: Mapping[str, tuple[str, float]],
) -> Proposal:
    if header not in columns or not columns[header].says_something():
        return Proposal(header, _FIRST_WORD, "header")
    found, _ = axes[header]
    if found in right:
        return Proposal(header, 1.0, found)
    return Proposal(header, 0.45 if found else 0.6, "values_differ")


def unit_factor(header: str) -> float:
    """Return what a header's numbers are to be multiplied with: "存款(万元)" holds ten thousands."""
    text = unicodedata.normalize("NFKC", header)
    for unit, factor in (("亿", 1e8), ("百万", 1e6), ("万", 1e4), ("千元", 1e3)):
        if re.search(rf"[(\[【/_ ]{unit}", text) or text.endswith((unit, unit + "元")):
            return factor
    return 1.0


def check_mapping(mapping: Mapping[str, str | None], headers: Sequence[str], kind: str) -> list[str]:
    """Return what is wrong with a mapping made by hand, as words: fields or headers that do not exist."""
    fields = {*FIELDS[kind], "lon", "lat", "coordinates"}
    wrong = [field for field in mapping if field not in fields]
    return wrong + [header for header in mapping.values() if header is not None and header not in headers]
