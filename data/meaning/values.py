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

# Bytes that UTF-8 begins a character with that may have to be changed: controls, and the first of wide ones.
_SUSPECT = np.zeros(256, dtype=bool)
_SUSPECT[[*range(32), 127, 0xC2, 0xE2, 0xE3, 0xEF]] = True
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
_NONES = pa.array(sorted(_NONE - {""}), pa.string())
_LONGEST_NONE = max(len(word.encode()) for word in _NONE)
_MULTIPLES = {
    "": 1.0,
    "亿": 1e8,
    "万亿": 1e12,
    "千万": 1e7,
    "百万": 1e6,
    "十万": 1e5,
    "万": 1e4,
    "千": 1e3,
    "百": 1e2,
    "k": 1e3,
    "m": 1e6,
    "%": 1e-2,
    "‰": 1e-3,
}
_NUMBER = (
    r"^(?P<open>\(?)\s*(?:人民币|约|rmb|cny|us\$|¥|￥|\$)?\s*"
    r"(?P<digits>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?)\s*"
    r"(?P<unit>万亿|亿|千万|百万|十万|万|千|百|k|m|%|‰)?\s*"
    r"(?:元|块|人|户|名|家|rmb|cny)?\s*(?:左右|以上|以下|\+)?\s*(?P<close>\)?)$"
)
_THOUSANDS = r"^\D*\d{1,3}([,\s'’_]\d{3})+(\D.*)?$"
_DEGREES = re.compile(
    r"^(?P<sign>[+-]?)(?P<d>\d{1,3})\s*[°度]\s*"
    r"(?:(?P<m>\d{1,2}(?:\.\d+)?)\s*['′’分]\s*)?"
    r"(?:(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒]|''))?$"
)

YES = "是|有|y|yes|true|t|1|1.0|√|✓|对|重点|vip|存量|现有|已开户|老客户|existing"
NO = "否|无|没有|n|no|false|f|0|0.0|×|x|非|普通|目标|潜在|新客户|未开户|target|prospect"
STATUS_WORDS: dict[str, str] = {
    "known": (
        "known|已知|知晓|未接触|未走访|未拜访|未联系|未签约|未拓|未拓展|待拓展|待营销|潜在|目标|新增|登记|new|prospect|"
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
    "atm": "atm|自助机具|自动取款机|自动柜员机|自动提款机|自助银行|离行自助|自助设备|自助网点",
    "insurer": "insurer|insurance|保险|保险公司|人寿|财险",
    "bank": "bank|银行|网点|支行|分行|营业部|营业所|储蓄所|分理处|信用社|农商行|bank branch",
}


def tidy(text: pd.Series) -> pd.Series:
    """Return texts trimmed, with half-width letters and digits, single spaces and no control characters."""
    cells = pa.array(text, pa.string())
    plain = _half_width(cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells)
    if b"  " in memoryview(plain.buffers()[2] or b"").tobytes():
        plain = pc.replace_substring_regex(plain, pattern=" {2,}", replacement=" ")
    return like(pc.utf8_trim_whitespace(plain), text)


def _half_width(text: pa.Array) -> pa.Array:
    """Return texts with ASCII for full-width letters and digits, and a space for odd spaces and controls."""
    data, offsets = _bytes_of(text)
    at = _SUSPECT[data].nonzero()[0]
    becomes, width = _ascii_of(data, at)
    return _rewritten(text, data, offsets, at, becomes, width)


def _bytes_of(text: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the bytes of all texts, one behind the other, and where each begins and the last ends."""
    if not len(text):
        return np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int32)
    buffers = text.buffers()
    offsets = np.frombuffer(buffers[1], dtype=np.int32)[text.offset :][: len(text) + 1]
    data = np.frombuffer(buffers[2] or b"", dtype=np.uint8)[offsets[0] : offsets[-1]]
    return data, offsets - offsets[0]


def _rewritten(
    text: pa.Array,
    data: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    at: NDArray[np.intp],
    becomes: NDArray[np.uint8],
    width: NDArray[np.int8],
) -> pa.Array:
    """
    Return texts with the characters at some positions replaced by one byte, or by none where that is 0.

    It works on the bytes of all texts at once: a call for each would be most of an import's time.
    """
    some = width > 0
    if not some.any():
        return text
    at, becomes, width = at[some], becomes[some], width[some]
    changed = data.copy()
    changed[at] = becomes
    gone = np.sort(np.concatenate([at[becomes == 0], at[width > 1] + 1, at[width > 2] + 2]))
    keep = np.ones(len(data), dtype=bool)
    keep[gone] = False
    ends = (offsets - np.searchsorted(gone, offsets)).astype(np.int32)
    made = pa.StringArray.from_buffers(len(text), pa.py_buffer(ends), pa.py_buffer(changed[keep]))
    return pc.if_else(text.is_valid(), made, None) if text.null_count else made


def _ascii_of(data: NDArray[np.uint8], at: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Return the byte that stands for the character at each position, and its width; 0 where it stays."""
    padded = np.concatenate([data, np.zeros(2, dtype=np.uint8)])
    one, two, three = padded[at], padded[at + 1], padded[at + 2]
    after_bc, after_bd = (one == 0xEF) & (two == 0xBC), (one == 0xEF) & (two == 0xBD)
    upper = after_bc & (
        ((three >= 0x90) & (three <= 0x99)) | ((three >= 0xA1) & (three <= 0xBA))
    )  # ０-９Ａ-Ｚ
    lower = after_bd & (three >= 0x81) & (three <= 0x9A)  # ａ-ｚ
    three_wide = (
        ((one == 0xE3) & (two == 0x80) & (three == 0x80))  # U+3000
        | ((one == 0xE2) & (two == 0x80) & (three >= 0x8B) & (three <= 0x8D))  # of no width
        | ((one == 0xEF) & (two == 0xBB) & (three == 0xBF))  # byte order mark
        | ((one == 0xEF) & (two == 0xBF) & (three >= 0xBE))  # no characters
    )
    two_wide = (one == 0xC2) & (two >= 0x80) & (two <= 0xA0)  # controls, and a space that breaks no line
    becomes = np.full(len(at), 32, dtype=np.uint8)
    becomes[upper] = three[upper] - 0x60
    becomes[lower] = three[lower] - 0x20
    width = np.where(upper | lower | three_wide, 3, np.where(two_wide, 2, (one < 0x80).astype(np.int8)))
    return becomes, width.astype(np.int8)


def like(made: pa.Array, other: pd.Series) -> pd.Series:
    """Return an arrow array as a series of the same kind and index as another, without copying its text."""
    return pd.Series(pd.array(made, dtype=other.dtype), index=other.index, name=other.name)


def undefused(text: pd.Series) -> pd.Series:
    """Return texts without the apostrophe that an export put before what looks like a formula."""
    plain = pa.array(text, pa.string())
    if not pc.any(pc.starts_with(plain, "'")).as_py():
        return text
    return like(pc.replace_substring_regex(plain, r"^'([=+\-@])", r"\1"), text)


def present(text: pd.Series) -> pd.Series:
    """Return texts with what lists write for "nothing" (-, 无, NULL …) as empty text."""
    plain = pa.array(text, pa.string())
    short = pc.less_equal(pc.binary_length(plain), _LONGEST_NONE)
    if not pc.any(short).as_py():
        return text
    nothing = pc.and_(short, pc.is_in(pc.utf8_lower(pc.if_else(short, plain, "x")), _NONES))
    return like(pc.if_else(nothing, "", plain), text) if pc.any(nothing).as_py() else text


def per_value(text: pd.Series, translate: Callable[[str], Any], dtype: type) -> NDArray[Any]:
    """Return a translation of each value, worked out once for each that is different."""
    codes, values = pd.factorize(text.to_numpy(dtype=object), use_na_sentinel=False)
    table: NDArray[Any] = np.empty(len(values), dtype=dtype)
    table[:] = [translate(value) for value in values]
    return table[codes]


def numbers(text: pd.Series, factor: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """
    Return numbers, NaN where there is none, and where a text is there that is no number.

    Understands full-width digits, thousands marks, currency signs, 万 and 亿, percent (12% is 0.12) and a
    negative in brackets; a date is none. `factor` is the unit of the column's header; a cell that names its
    own is not multiplied twice.
    """
    plain = present(tidy(text))
    said = (plain != "").to_numpy(bool)
    values = _floats(plain) * factor
    left = (np.isnan(values) & said).nonzero()[0]
    if len(left):
        values[left] = _written_numbers(pa.array(plain.iloc[left], pa.string()), factor)
    return values, np.isnan(values) & said


def _written_numbers(text: pa.Array, factor: float) -> NDArray[np.float64]:
    """Read what is a number with marks, signs or a unit."""
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(text, form="NFKC")))
    text = pc.replace_substring_regex(text, "[﹣−–]", "-")
    grouped = pc.match_substring_regex(text, _THOUSANDS)
    text = pc.if_else(grouped, pc.replace_substring_regex(text, r"(\d)[,\s'’_]", r"\1"), text)
    found = pc.extract_regex(text, _NUMBER)
    digits, unit = pc.struct_field(found, "digits"), pc.struct_field(found, "unit")
    opened, closed = pc.struct_field(found, "open"), pc.struct_field(found, "close")
    size = np.asarray(pc.cast(digits, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    units = pa.array(list(_MULTIPLES), pa.string())
    times = np.array([*_MULTIPLES.values(), np.nan])
    times[0] = factor
    at = pc.fill_null(pc.index_in(unit, units), len(units)).to_numpy(zero_copy_only=False)
    brackets = np.asarray(
        pc.fill_null(pc.equal(opened, "("), False).to_numpy(zero_copy_only=False), dtype=bool
    )
    even = np.asarray(
        pc.fill_null(pc.equal(pc.equal(opened, "("), pc.equal(closed, ")")), False).to_numpy(
            zero_copy_only=False
        ),
        dtype=bool,
    )
    with np.errstate(over="ignore"):
        values: NDArray[np.float64] = np.where(brackets, -np.abs(size), size) * times[at]
    values[~even | ~np.isfinite(values)] = np.nan
    return values


def _floats(plain: pd.Series) -> NDArray[np.float64]:
    """Parse what is already a plain number; the rest, and infinities, are NaN."""
    arrow = pa.array(plain, pa.string())
    good = pc.match_substring_regex(arrow, r"^[+-]?(\d{1,18}\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$")
    values = pc.cast(pc.if_else(good, arrow, pa.scalar(None, pa.string())), pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64).copy()


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
    text = pa.array(names, pa.string())
    data, offsets = _bytes_of(text)
    at = _NO_KEY[data].nonzero()[0]
    becomes, width = _key_bytes(data, at)
    made = _rewritten(text, data, offsets, at, becomes, width)
    rare = np.zeros(len(text), dtype=bool)
    rare[np.searchsorted(offsets, at[width == 0], side="right") - 1] = True
    if rare.any():
        odd = pa.array(rare)
        some = pc.utf8_lower(pc.utf8_normalize(text.filter(odd), form="NFKC"))
        some = pc.replace_substring_regex(some, pattern=r"[\s\p{P}\p{S}]+", replacement="")
        made = pc.replace_with_mask(made, odd, some)
    return like(made, names)


def _key_bytes(data: NDArray[np.uint8], at: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Return what stands for each character in a key, 0 for nothing, and its width; width 0: look closer."""
    padded = np.concatenate([data, np.zeros(2, dtype=np.uint8)])
    one, two, three = padded[at], padded[at + 1], padded[at + 2]
    becomes, width = _ascii_of(data, at)
    full_width = (one == 0xEF) & ((two == 0xBC) | ((two == 0xBD) & (three <= 0x9E)))
    marks = (
        (
            (one == 0xE3) & (two == 0x80) & ((three <= 0x84) | ((three >= 0x88) & (three <= 0x9F)))
        )  # 、。《》【】
        | ((one == 0xE2) & (two == 0x80) & (three >= 0x90) & (three <= 0xA7))  # dashes, quotes, …
    )
    width[full_width | marks] = 3
    width[(one == 0xC2) & (two == 0xB7)] = 2  # ·
    width[one < 0x80] = 1
    letter = np.where(one < 0x80, one, np.where(width == 3, becomes, 0))
    small = np.where((letter >= 65) & (letter <= 90), letter + 32, letter)
    plain = ((small >= 48) & (small <= 57)) | ((small >= 97) & (small <= 122))
    return np.where(plain, small, 0).astype(np.uint8), width


_NO_KEY = np.ones(256, dtype=bool)  # bytes that a key may not begin a character with, or that need a look
_NO_KEY[[*range(48, 58), *range(97, 123), *range(0x80, 0xC0), *range(0xE4, 0xEA)]] = False
