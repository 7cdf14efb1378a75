"""
What merchants' names say, taken apart for comparing: the word that tells a shop, its trade, its branch.

好邻居便利店（人民路店） is the word 好邻居, the trade 便利店 and the branch 人民路. Two names are compared
part by part (`relation`): a branch, a number or a gate that differs tells two merchants apart however alike the
rest is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT
from rapidfuzz.distance import Indel, Levenshtein

# How two names stand to each other. The order is that of their worth.
CONFLICT, DIFFERENT, GENERIC, WEAK, FAIR, STRONG, SAME = range(-1, 6)
CUT_BYTES = 30  # a name this long in GBK may have lost its end


def _read(name: str) -> list[list[str]]:
    """Return the words of a file beside this one, line by line."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines()]


_SIMPLE = {ord(pair[0]): pair[1] for line in _read("traditional.txt") for pair in line}
_SIMPLE |= {ord(c): n for c, n in zip("〇零一二三四五六七八九两", "001234567892", strict=True)}
_SIMPLE |= {ord(c): "-" for c in "–—−－‐·•・.|/\\~_"} | {ord(c): "(" for c in "[{<【〔《「『〈"}
_SIMPLE |= {ord(c): ")" for c in "]}>】〕》」』〉"}
_TENS = re.compile(r"([1-9]?)十([1-9]?)")
_NO_NUMBER = {
    "5金": "五金",
    "4川": "四川",
    "1体": "一体",
    "1带": "一带",
    "9江": "九江",
    "3亚": "三亚",
    "6安": "六安",
}
_MEANT = dict(
    line.split(",")
    for line in Path(__file__).with_name("brand_words.csv").read_text("utf-8").split("\n")[1:-1]
)
_ALIASES = _MEANT | _NO_NUMBER
_ALIAS = re.compile("|".join(re.escape(word) for word in sorted(_ALIASES, key=len, reverse=True)))
_IDLE = re.compile(
    r"24小时|24h|7x24|全天营业|营业中|暂停营业|停业|装修中|即将开业|已搬迁|新店|官方|个体工商户|普通合伙|有限合伙|特殊普通合伙|原名|连锁$|"
    r"总店$|旗舰店$|直营店$|加盟店$|专卖店$|专营店$|体验店$|形象店$|概念店$|本店|正宗"
)
_BRACKET = re.compile(r"\(([^()]*)(?:\)|$)")
_LEGAL = re.compile(
    r"(?:股份)?有限(?:责任)?(?:公司|公|$)|有限责$|股份公司|责任公司|集团公司|(?:个体)?工商户|个体户|股份$|集团$|总公司|公司$"
)
_OUTLET = re.compile(
    r"(商贸行|商贸|商行|经营部|经销部|营业部|门市部|服务部|销售部|工作室|门店|分店|支店|店铺|店|铺|商铺)$"
)
_REGION = re.compile(
    r"^(?:(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|4川|四川|贵州|云南|陕西|甘肃|"
    r"青海|台湾|内蒙古|广西|西藏|宁夏|新疆)(?:省|市|自治区)|(?:[\u4e00-\u9fff]{2,3}?(?:市|县|区|自治县|镇|乡))(?!场|民|政|府|医|心|中))"
)
_PLACE_END = re.compile(
    r"(?:路|街|大道|巷|胡同|广场|大厦|商场|商城|城|中心|小区|家园|花园|苑|村|镇|桥|站|店|支行|分行)$"
)
_BANK = re.compile(r"^(.{0,8}?银行|.{2,6}信用社|中国(?:移动|联通|电信)|中国邮政)(?:股份)?(?:有限公司)?(.+)$")
_ROLE = re.compile(
    r"atm|停车场|停车库|停车|车库|[东西南北正侧后前]\d?门(?!诊|面|窗|市|店|路|街|外|里|内)|出口|入口|厕所|卫生间|洗手间|充电站|充电桩|售楼|门诊|急诊|"
    r"住院部|食堂|宿舍|地铁站|公交站|服务台|仓库|家属院|分公司|[东西南北老新]区|[东西南北]院|[东西南北]苑|[东西南北]座|[东西南北]楼|"
    r"号楼|栋|[a-z]座|期|单元|分校|校区|[东西南北]校|幼儿园|附小|附中|居委会|派出所|物业|快递柜|丰巢|[男女]装|[男女]鞋|童装"
)
_DIGITS = re.compile(r"\d+")
_LATIN = re.compile(r"[a-z]{2,}")
_JUNK = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")

# Words of one line name one trade; a stem such as 兰州 or 便民 tells no shop.
_TRADE_OF = {word: at for at, line in enumerate(_read("trade_words.txt"), 1) for word in line}
_LONGEST_TRADE = max(map(len, _TRADE_OF))
_COMMON_STEMS = frozenset(word for line in _read("common_stems.txt") for word in line)
_OPPOSED = (
    "东西南北中",
    "上下",
    "前后",
    "左右",
    "内外",
    "大小",
    "男女",
    "新老旧",
    "甲乙丙丁戊己庚辛",
    "0123456789",
    "abcdefgh",
    "父母",
    "早晚",
    "春夏秋冬",
)
_SIDE = {char: str(at) for at, chars in enumerate(_OPPOSED) for char in chars}
_ALIKE = (
    "己已巳",
    "未末",
    "土士",
    "日曰",
    "人入八",
    "大太犬",
    "干千于",
    "天夫",
    "王玉主",
    "木本术",
    "刀力",
    "候侯",
    "戊戌戍",
    "渔鱼",
    "晴睛",
    "拔拨",
    "微徽",
    "折拆",
)
_LOOK = {char: chars for chars in _ALIKE for char in chars}


class Name(NamedTuple):
    """A name taken apart."""

    full: str
    """Letters and digits of all of it, branch and trade too, without what tells nothing."""
    core: str
    """Without the branch and the legal form."""
    stem: str
    """The word that tells the shop; empty of a name that only says what is sold."""
    trade: int
    """The line of the table of trades, 0 for none."""
    branch: str
    marks: str
    """Numbers, gates, roles: what must not differ."""
    sound: str
    """The stem in pinyin without tones."""
    cut: bool
    """Whether the end may be missing."""


NOTHING = Name("", "", "", 0, "", "", "", False)


def taken_apart(name: str) -> Name:
    """Return the parts of a name."""
    text = plain(name)
    if not text:
        return NOTHING
    cut = len(name) >= 14 and len(name.encode("gb18030", "replace")) >= CUT_BYTES
    text, branch = _split(text)
    core = _LEGAL.sub("", text)
    core = _JUNK.sub("", core)
    bank = _BANK.match(core)
    if bank and bank[1] and bank[2] not in _TRADE_OF:
        core, branch = bank[1], bank[2] + branch
    bare = _region_off(core)
    marks = _marks(bare + "-" + branch)
    stem, trade = _stem(bare)
    branch = _branch(branch)
    full = bare + branch
    if not full:
        return NOTHING
    return Name(full, bare, stem, trade, branch, marks, sound(stem), cut)


def plain(name: str) -> str:
    """Return a text in simplified characters and small letters, with Arabic digits."""
    text = name if name.isascii() else unicodedata.normalize("NFKC", name)
    text = text.lower().translate(_SIMPLE).strip(" -")
    if "十" in text:
        text = _TENS.sub(lambda found: f"{found[1] or 1}{found[2] or 0}", text)
    return _ALIAS.sub(lambda found: _ALIASES[found[0]], text)


def _split(text: str) -> tuple[str, str]:
    """Return a name without brackets and dashes, and what was in or behind them."""
    branch = ""
    if "(" in text:
        branch = "".join(_IDLE.sub("", inside) for inside in _BRACKET.findall(text))
        outside = _BRACKET.sub(" ", text).replace(")", "").strip()
        if len(outside) < 2:
            return _IDLE.sub("", outside + branch), ""
        text = outside
    text = _IDLE.sub("", text).strip(" -")
    for mark in ("-", " "):
        head, found, tail = text.rpartition(mark)
        if found and len(head) > 1 and len(tail) > 1 and _HAN.search(tail):
            if _PLACE_END.search(tail) and tail not in _TRADE_OF:
                text, branch = head, tail + branch
            break
    return text, branch


def _region_off(core: str) -> str:
    """Return a name without the province, city or county before it."""
    for _ in range(2):
        found = _REGION.match(core)
        if not found or len(core) - found.end() < 3:
            break
        core = core[found.end() :]
    return core


def _stem(core: str) -> tuple[str, int]:
    """Return the word that tells a shop, and its trade."""
    stem, trade = core, 0
    for _ in range(3):
        for length in range(min(_LONGEST_TRADE, len(stem)), 1, -1):
            number = _TRADE_OF.get(stem[-length:], 0)
            if number:
                trade = trade or number
                stem = stem[:-length]
                break
        else:
            shorter = _OUTLET.sub("", stem)
            if shorter == stem:
                break
            stem = shorter
    if stem in _COMMON_STEMS:
        stem = ""
    return stem, trade


def _branch(text: str) -> str:
    text = _JUNK.sub("", _LEGAL.sub("", text))
    text = re.sub(r"(?:支行|分行|分理处|储蓄所|营业部|营业厅|营业所|分店|支店|门店|餐厅|店)$", "", text)
    return _region_off(text)


def _marks(text: str) -> str:
    roles = {"车" if "车" in role else role for role in _ROLE.findall(text)}
    return " ".join([*sorted(roles), *sorted(_DIGITS.findall(text))])


def sound(text: str) -> str:
    """Return the syllables of a text in pinyin without tones; Latin letters and digits stay."""
    table = _sounds()
    return "".join([table.get(char, char) for char in text])


@cache
def _sounds() -> dict[str, str]:
    characters = [chr(code) for code in PINYIN_DICT]
    first = pinyin(characters, style=Style.NORMAL, errors="ignore")
    table = {char: each[0].replace("ü", "v") for char, each in zip(characters, first, strict=True)}
    return (
        table
        | {"行": "hang", "长": "chang", "重": "chong"}
        | dict(zip("0123456789", "0123456789", strict=True))
    )


# --- two names --------------------------------------------------------------------------------------------


def relation(a: Name, b: Name) -> tuple[int, bool]:
    """
    Return how two names stand to each other, and whether one of them leaves open what the other says.

    Parameters
    ----------
    a, b
        The names, taken apart.

    Returns
    -------
    relation, open
        One of the numbers from CONFLICT to SAME. Open is, say, 好邻居 beside 好邻居（人民路店）: as well one
        branch as another.
    """
    if not a.full or not b.full:
        return DIFFERENT, False
    if a.full == b.full:
        return (SAME if a.stem else GENERIC), False
    if _marks_differ(a, b):
        return CONFLICT, False
    if a.cut or b.cut:
        cut = _cut(a, b)
        if cut:
            return cut, False
    branches = _branches(a, b)
    if branches == CONFLICT:
        return CONFLICT, False
    found = _cores(a, b)
    one_sided = branches == WEAK
    if one_sided and found >= STRONG:
        return FAIR, True
    if one_sided and found == FAIR:
        return WEAK, True
    if found == STRONG and _open_trade(a, b):
        return FAIR if min(len(a.stem), len(b.stem)) < 3 else STRONG, True
    return found, False


def _open_trade(a: Name, b: Name) -> bool:
    return (a.trade == 0) != (b.trade == 0)


def _marks_differ(a: Name, b: Name) -> bool:
    return a.marks != b.marks and not (a.cut or b.cut)


def _cut(a: Name, b: Name) -> int:
    """Return STRONG where one name is the other's beginning, cut off where lists cut."""
    short, long = (a, b) if len(a.full) <= len(b.full) else (b, a)
    if short.cut and len(short.full) >= 6 and long.full.startswith(short.full):
        return STRONG
    if short.cut and long.core == short.core and long.branch.startswith(short.branch) and short.branch:
        return STRONG
    return 0


def _branches(a: Name, b: Name) -> int:
    """Return STRONG of equal branches, FAIR of none, WEAK of one alone, CONFLICT of two that differ."""
    p, q = a.branch, b.branch
    if p == q:
        return STRONG if p else FAIR
    if not p or not q:
        return _hidden(a, b)
    return STRONG if _same_place(p, q) else CONFLICT


def _hidden(a: Name, b: Name) -> int:
    """Compare one branch with what may be the same, written without brackets in the other name."""
    with_branch, without = (a, b) if a.branch else (b, a)
    if without.full == with_branch.full or without.full == with_branch.branch + with_branch.core:
        return STRONG
    if without.core.startswith(with_branch.core) and len(without.core) > len(with_branch.core) + 1:
        rest = without.core[len(with_branch.core) :]
        rest = re.sub(r"(?:分店|店)$", "", rest)
        if rest and rest not in _TRADE_OF:
            return STRONG if _same_place(rest, with_branch.branch) else CONFLICT
    if with_branch.branch in without.core:
        return STRONG
    return WEAK


def _same_place(p: str, q: str) -> bool:
    if p.startswith(q) or q.startswith(p) or p.endswith(q) or q.endswith(p):
        return True
    if p in q or q in p or sound(p) == sound(q):
        return True
    p, q = (re.sub(r"(?:路|街|大道|广场|大厦|商场)$", "", each) or each for each in (p, q))
    if p in q or q in p:
        return min(len(p), len(q)) > 1
    if len(p) == len(q) and len(p) > 3:
        return Levenshtein.distance(p, q) == 1 and not _opposed(p, q)
    shared = set(zip(p, p[1:], strict=False)) & set(zip(q, q[1:], strict=False))
    return len(shared) >= 2


def _cores(a: Name, b: Name) -> int:
    """Compare the names without their branches."""
    if a.core == b.core:
        return STRONG if a.stem else GENERIC
    p, q = a.stem, b.stem
    if not p or not q:
        return GENERIC if a.trade == b.trade and p == q else _swapped(a, b)
    trades = a.trade == b.trade or not a.trade or not b.trade
    if p == q:
        if len(p) < 2:
            return WEAK
        return STRONG if trades else WEAK
    found = _stems(p, q, a, b)
    if found < FAIR:
        found = max(found, _swapped(a, b))
    return found if trades else min(found, WEAK)


def _swapped(a: Name, b: Name) -> int:
    """Return STRONG where the same words stand in another order."""
    if len(a.full) == len(b.full) and len(a.full) > 3 and sorted(a.full) == sorted(b.full):
        return STRONG
    if len(a.core) == len(b.core) and len(a.core) > 3 and sorted(a.core) == sorted(b.core):
        return STRONG
    return DIFFERENT


def _stems(p: str, q: str, a: Name, b: Name) -> int:
    if a.sound == b.sound:
        if len(p) == len(q):
            return STRONG if len(p) > 2 else FAIR
        return STRONG if len(a.sound) > 5 else FAIR
    found = _latin(p, q)
    if found:
        return found
    short, long = (p, q) if len(p) <= len(q) else (q, p)
    if len(short) >= 2 and long.startswith(short):
        return _rest(long[len(short) :], short)
    if len(short) >= 2 and long.endswith(short):
        return FAIR if len(long) - len(short) == 2 and len(short) > 2 else WEAK
    if Levenshtein.distance(p, q, score_cutoff=1) == 1:
        return _typo(p, q)
    if len(p) == len(q) and len(p) > 2 and sorted(p) == sorted(q):
        return STRONG
    if len(short) > 5 and Levenshtein.distance(p, q, score_cutoff=2) == 2 and not _opposed(p, q):
        return FAIR
    return WEAK if Indel.normalized_similarity(p, q) >= 0.6 else DIFFERENT


def _latin(p: str, q: str) -> int:
    """Compare what is written in Chinese, in Latin letters, or in both at once."""
    han_p, han_q = ("".join(_HAN.findall(each)) for each in (p, q))
    latin_p, latin_q = ("".join(_LATIN.findall(each)) for each in (p, q))
    if not latin_p and not latin_q:
        return 0
    if bool(latin_p) != bool(latin_q) and len(han_p) >= 2 and han_p == han_q:
        return STRONG
    if latin_p and latin_p == latin_q and len(latin_p) > 3 and (not han_p or not han_q):
        return FAIR
    spelt, letters = (sound(han_p), latin_q) if not han_q else (sound(han_q), latin_p)
    if len(letters) > 4 and len(spelt) > 4 and (letters.startswith(spelt) or spelt.startswith(letters)):
        return STRONG
    return 0


def _rest(rest: str, short: str) -> int:
    """Judge what one stem has behind the other: a trade in other words is little, a shop is much."""
    return FAIR if len(rest) == 1 and len(short) > 1 and rest not in _SIDE else WEAK


def _typo(p: str, q: str) -> int:
    """Judge names one character apart."""
    if _opposed(p, q):
        return CONFLICT
    if len(p) != len(q):
        return FAIR if min(len(p), len(q)) > 2 else WEAK
    x, y = next((x, y) for x, y in zip(p, q, strict=True) if x != y)
    slip = sound(x) == sound(y) or y in _LOOK.get(x, "")
    if len(p) < 3:
        return FAIR if slip else DIFFERENT
    if slip or len(p) > 3:
        return STRONG if slip or len(p) > 4 else FAIR
    return FAIR


def _opposed(p: str, q: str) -> bool:
    """Whether two texts of one length differ in characters that tell things apart: 东 and 西, 1 and 2."""
    if len(p) != len(q):
        return False
    return any(
        x != y and _SIDE.get(x) is not None and _SIDE.get(x) == _SIDE.get(y)
        for x, y in zip(p, q, strict=True)
    )
