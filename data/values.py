"""
Text cells as values: numbers as Chinese lists write them, coordinates, yes and no, words for codes.

All of it works on whole columns; what has few different values is worked out once a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data import catalogue

MANY_DIFFERENT = 50_000  # values; a column with more holds no category, and is only looked up word for word

_WIDE = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_CONTROL = dict.fromkeys(
    (*range(32), 127, *range(0x80, 0xA0), 0x200B, 0x200C, 0x200D, 0xFEFF, 0xFFFE, 0xFFFF), " "
)
_TIDY = {**_CONTROL, **_WIDE, 0x3000: " ", 0xA0: " "}
_UNTIDY = (
    "[\\x00-\\x1f\\x7f-\\x{a0}\\x{200b}-\\x{200d}\\x{feff}\\x{fffe}\\x{ffff}\\x{3000}０-９Ａ-Ｚａ-ｚ]| {2}"
)
_NONE = frozenset(
    {
        "",
        "-",
        "--",
        "—",
        "/",
        "\\",
        "无",
        "暂无",
        "null",
        "none",
        "nan",
        "n/a",
        "na",
        "#n/a",
        "\\n",
        "[]",
        "{}",
    }
)
_MULTIPLES = {"亿": 1e8, "万": 1e4, "千": 1e3, "k": 1e3, "m": 1e6}
_NUMBER = re.compile(
    r"^(?:人民币|约|rmb|cny|¥|￥|\$)?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?)\s*(亿|千万|百万|万|千|k|m)?"
    r"\s*(?:元|人|户|名|家|rmb|cny)?\s*(?:左右|以上|\+)?$"
)
_DEGREES = re.compile(
    r"^(?P<sign>[+-]?)(?P<d>\d{1,3})\s*[°度]\s*"
    r"(?:(?P<m>\d{1,2}(?:\.\d+)?)\s*['′’分]\s*)?"
    r"(?:(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒]|''))?$"
)

YES = "是|有|y|yes|true|t|1|1.0|√|✓|对|重点|vip|存量|现有|已开户|老客户|existing"
NO = "否|无|没有|n|no|false|f|0|0.0|×|x|非|普通|目标|潜在|新客户|未开户|target|prospect"
STATUS_WORDS: dict[str, str] = {
    "known": (
        "known|已知|知晓|未联系|未签约|未拓|未拓展|待拓展|待营销|潜在|目标|新增|登记|new|prospect|"
        "lead|否|0|no|false|target"
    ),
    "contacted": (
        "contacted|已联系|已接触|接触中|洽谈|洽谈中|跟进|跟进中|营销中|拓展中|意向|有意向|已走访|"
        "已拜访|不合作|暂不合作|拒绝|无意向|in progress|visited"
    ),
    "signed": (
        "signed|已签约|签约|已拓|已拓展|已合作|合作|合作中|已开通|已进件|存量|成交|active|是|1|yes|"
        "true|customer|won"
    ),
    "closed": "closed|已关闭|关闭|停业|歇业|已停业|注销|吊销|搬迁|已搬迁|撤店|倒闭|永久关闭|终止|解约|lost",
}
TIER_WORDS: dict[str, str] = {
    "ordinary": "ordinary|普通|普通客户|大众|大众客户|基础|一般|normal|basic|mass|1",
    "threshold": "threshold|临界|临界客户|潜力|准金卡|银|银卡|silver|2",
    "gold": "gold|金|金卡|黄金|黄金客户|金卡客户|vip|贵宾|贵宾客户|3",
    "platinum": "platinum|白金|白金卡|白金客户|钻石|钻石客户|财富|财富客户|diamond|4",
    "private": "private|私行|私人银行|私人银行客户|private banking|高净值|5",
}
PLACE_WORDS: dict[str, str] = {
    "community": (
        "community|社区|小区|居民小区|住宅小区|住宅|楼盘|居委会|residential|neighbourhood|"
        "neighborhood|estate|suburb"
    ),
    "village": "village|村|村庄|自然村|行政村|农区|村委会|乡村|hamlet",
    "park": (
        "park|园区|产业园|产业园区|工业园|工业园区|科技园|开发区|写字楼|市场|商圈|industrial|business park"
    ),
    "institution": (
        "institution|机构|单位|企事业单位|机关|学校|医院|政府|企业|事业单位|school|hospital|office|company"
    ),
}
OUTLET_WORDS: dict[str, str] = {
    "atm": "atm|自动取款机|自动柜员机|自动提款机|自助银行|离行自助|自助设备|自助网点",
    "insurer": "insurer|insurance|保险|保险公司|人寿|财险",
    "bank": "bank|银行|网点|支行|分行|营业部|营业所|储蓄所|分理处|信用社|农商行|bank branch",
}


def tidy(text: pd.Series) -> pd.Series:
    """Return texts trimmed, with half-width letters and digits, single spaces and no control characters."""
    plain = pa.array(text, pa.string())
    odd = pc.match_substring_regex(plain, _UNTIDY).to_numpy(zero_copy_only=False).nonzero()[0]
    if len(odd):
        # Only where there is something to do: a call for each row would be most of an import's time.
        done = [value.translate(_TIDY) for value in plain.take(pa.array(odd)).to_pylist()]
        mask = np.zeros(len(plain), dtype=bool)
        mask[odd] = True
        plain = pc.replace_with_mask(plain, mask, pa.array(done, pa.string()))
        plain = pc.replace_substring_regex(plain, pattern=" {2,}", replacement=" ")
    return _series(pc.utf8_trim_whitespace(plain), text)


def _series(values: pa.Array, like: pd.Series) -> pd.Series:
    """Return an arrow array as a series of the same kind and index as another, without copying its text."""
    made = pd.Series(pd.array(values, dtype=like.dtype), index=like.index, name=like.name)
    return made


def undefused(text: pd.Series) -> pd.Series:
    """Return texts without the apostrophe that an export put before what looks like a formula."""
    if not text.str.startswith("'").any():
        return text
    return text.str.replace(r"^'([=+\-@])", r"\1", regex=True)


def present(text: pd.Series) -> pd.Series:
    """Return texts with what lists write for "nothing" (-, 无, NULL …) as empty text."""
    return text.mask(text.str.lower().isin(_NONE), "")


def per_value(text: pd.Series, translate: Callable[[str], Any], dtype: type) -> NDArray[Any]:
    """Return a translation of each value, worked out once for each that is different."""
    codes, values = pd.factorize(text.to_numpy(dtype=object), use_na_sentinel=False)
    table: NDArray[Any] = np.empty(len(values), dtype=dtype)
    table[:] = [translate(value) for value in values]
    return table[codes]


def numbers(text: pd.Series, factor: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """
    Return numbers, NaN where there is none, and where a text is there that is no number.

    Understands full-width digits, thousands marks, currency signs, 万 and 亿. `factor` is the unit of the
    column's header; a cell that names its own is not multiplied twice.
    """
    plain = present(tidy(text))
    values = _floats(plain) * factor
    left = (np.isnan(values) & (plain != "").to_numpy(bool)).nonzero()[0]
    if len(left):
        odd = plain.iloc[left]
        values[left] = per_value(odd, lambda value: _number(value, factor), float)
    return values, np.isnan(values) & (plain != "").to_numpy(bool)


def _floats(plain: pd.Series) -> NDArray[np.float64]:
    """Parse what is already a plain number; the rest, and infinities, are NaN."""
    arrow = pa.array(plain, pa.string())
    good = pc.match_substring_regex(arrow, r"^[+-]?(\d{1,18}\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$")
    values = pc.cast(pc.if_else(good, arrow, pa.scalar(None, pa.string())), pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64).copy()


def _number(value: str, factor: float) -> float:
    text = unicodedata.normalize("NFKC", value).strip().lower()
    text = re.sub(r"(?<=\d)[,\s'’_](?=\d{3}(?:\D|$))", "", text).replace("﹣", "-").replace("−", "-")
    found = _NUMBER.match(text)
    if not found:
        return float("nan")
    unit = found[2]
    if not unit:
        return float(found[1]) * factor
    multiple = {"千万": 1e7, "百万": 1e6}.get(unit) or _MULTIPLES[unit]
    return float(found[1]) * multiple


def degrees(text: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return coordinates in degrees, where there is none, and where a text is there that is no coordinate."""
    plain = present(tidy(text))
    values = _floats(plain)
    missing = (plain == "").to_numpy(bool)
    left = (np.isnan(values) & ~missing).nonzero()[0]
    if len(left):
        values[left] = per_value(plain.iloc[left], _degrees, float)
    return values, missing, np.isnan(values) & ~missing


def _degrees(value: str) -> float:
    text = unicodedata.normalize("NFKC", value).strip()
    text = re.sub(r"^(东经|北纬|经度|纬度|[EN])\s*[::]?\s*|\s*[EN]$", "", text, flags=re.IGNORECASE)
    text = text.strip("'\"` ").rstrip("°度").strip()
    if re.fullmatch(r"[+-]?\d{1,10}(\.\d{0,30})?", text):
        return float(text)
    found = (
        _DEGREES.match(unicodedata.normalize("NFKC", value).strip("EN东经北纬 "))
        if "°" in value or "度" in value
        else None
    )
    if not found:
        return float("nan")
    size = float(found["d"]) + float(found["m"] or 0) / 60 + float(found["s"] or 0) / 3600
    return -size if found["sign"] == "-" else size


def split_pair(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the two halves of "114.3, 30.5", also in brackets, with any of the usual marks between."""
    plain = (
        tidy(text)
        .str.replace("，", ",", regex=False)
        .str.replace("[()（）\\[\\]]|POINT", "", regex=True)
        .str.strip()
    )
    halves = plain.str.extract(r"^([^,;；|\s]+)\s*[,;；|\s]\s*([^,;；|\s]+)$").fillna("")
    whole = (halves[0] == "").to_numpy(bool)
    return halves[0].mask(whole, plain).astype(text.dtype), halves[1].astype(text.dtype)


def truths(text: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return 1 for yes, 0 for no, NaN for nothing, and where a word is neither."""
    plain = present(tidy(text))

    known = dict.fromkeys(YES.split("|"), 1.0) | dict.fromkeys(NO.split("|"), 0.0)

    def truth(value: str) -> float:
        word = value.lower()
        return known.get(word, known.get(word.removesuffix("客户"), float("nan")))

    values = per_value(plain, truth, float)
    return values, np.isnan(values) & (plain != "").to_numpy(bool)


@cache
def _codes(kind: str) -> dict[str, str]:
    if kind == "group":
        frame = catalogue.GROUPS
        return {
            word.lower(): code
            for code, zh, en, words in zip(
                frame["code"], frame["zh"], frame["en"], frame["words"], strict=True
            )
            for word in (code, zh, en, *words.split("|"))
        }
    if kind == "product":
        frame = catalogue.PRODUCTS
        extra = PRODUCT_WORDS
        return {
            word.lower(): code
            for code, zh, en in zip(frame["code"], frame["zh"], frame["en"], strict=True)
            for word in (code, zh, en, *extra.get(code, "").split("|"))
            if word
        }
    words: Mapping[str, str] = {
        "status": STATUS_WORDS,
        "tier": TIER_WORDS,
        "place": PLACE_WORDS,
        "outlet": OUTLET_WORDS,
    }[kind]
    return {word: code for code, joined in words.items() for word in joined.split("|")}


PRODUCT_WORDS = {
    "merchant_qr": "收款码|pos|pos机|商户码|聚合码|qr",
    "settlement": "结算|对公结算",
    "payroll": "代发|代发薪",
    "time_deposit": "定期|定期存单|存单|大额存单",
    "e_banking": "手机银行|网上银行|网银|电子银行|掌银",
    "credit_card": "贷记卡",
    "consumer_loan": "消费贷|消费贷款",
    "wealth": "理财",
    "fund_plan": "基金|定投",
    "farmer_loan": "农户贷|惠农贷",
    "working_capital_loan": "流贷|流动资金贷|经营贷",
    "revolving_loan": "抵押贷|循环贷",
    "bills": "承兑|贴现",
    "supply_chain": "供应链",
    "insurance": "保单|代理保险",
    "social_security_card": "社保卡|社会保障卡",
    "mortgage": "房贷|按揭",
    "precious_metal": "黄金|贵金属",
}


def codes(text: pd.Series, kind: str) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """
    Return the code each word stands for, "" for none, and where a word is unknown.

    Parameters
    ----------
    text
        Words, or longer texts with a word in them.
    kind
        `status`, `tier`, `group`, `place` or `outlet`.
    """
    plain = present(tidy(text))
    known = _codes(kind)
    by_length = sorted(
        (word for word in known if len(word) > 1 and not word.isascii()), key=len, reverse=True
    )
    look_inside = plain.nunique() <= MANY_DIFFERENT

    def code(value: str) -> str:
        word = value.lower()
        if word in known or not word:
            return known.get(word, "")
        return next((known[part] for part in by_length if look_inside and part in word), "")

    found = per_value(plain, code, object)
    return found, (found == "") & (plain != "").to_numpy(bool)


_LIST_MARKS = re.compile(r"[;；、,，|/+\n]+")


def word_lists(text: pd.Series, limit: int) -> NDArray[np.object_]:
    """Return tags split at ; 、 , or | and joined by ";": sorted, each once, within `limit` characters."""

    def joined(value: str) -> str:
        words = sorted({word.strip() for word in _LIST_MARKS.split(value)} - _NONE)
        while len(";".join(words)) > limit:
            words.pop()
        return ";".join(words)

    return per_value(tidy(text), joined, object)


def product_codes(text: pd.Series) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return the codes of the products named in each cell as tuples, and where one is unknown."""
    plain = present(tidy(text))
    known = _codes("product")

    def found(value: str) -> tuple[tuple[str, ...], bool]:
        words = [word.strip().lower() for word in _LIST_MARKS.split(value) if word.strip()]
        return tuple(sorted({known[word] for word in words if word in known})), any(
            w not in known for w in words
        )

    pairs = per_value(plain, found, object)
    unknown = np.fromiter((pair[1] for pair in pairs), dtype=bool, count=len(pairs))
    holdings = np.empty(len(pairs), dtype=object)
    holdings[:] = [pair[0] for pair in pairs]
    return holdings, unknown


# --- names --------------------------------------------------------------------------------------------------


def name_keys(names: pd.Series) -> pd.Series:
    """Return names as they are compared: compatible forms, lower case, letters and digits alone."""
    arrow = pc.utf8_lower(pc.utf8_normalize(pa.array(names, pa.string()), form="NFKC"))
    arrow = pc.replace_substring_regex(arrow, pattern=r"[\s\p{P}\p{S}]+", replacement="")
    return pd.Series(arrow.to_pandas(), index=names.index, dtype=names.dtype)
