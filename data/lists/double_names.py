"""
What merchants' names say, taken apart for comparing: the word that tells a shop, its trade, its branch.

好邻居便利店（人民路店） is the word 好邻居, the trade 便利店 and the branch 人民路. Two names are compared
part by part (`relation`): a branch, a number or a gate that differs tells two merchants apart, however alike
the rest is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT
from rapidfuzz.distance import OSA, Indel, Levenshtein

# How two names stand to each other. The order is that of their worth.
CONFLICT, DIFFERENT, GENERIC, WEAK, FAIR, STRONG, SAME = range(-1, 6)
NOTHING_MORE, OPEN, AGREED, SLIP = range(4)
REGISTERED = "@"  # before a branch that is only the street a register put into the name
CUT_BYTES = 30  # a name this long in GBK may have lost its end


def _read(name: str) -> list[list[str]]:
    """Return the words of a file beside this one, line by line."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines()]


_SIMPLE = {ord(pair[0]): pair[1] for line in _read("traditional.txt") for pair in line}
_SIMPLE |= {ord(c): n for c, n in zip("〇零一二三四五六七八九两", "001234567892", strict=True)}
_SIMPLE |= {ord(c): "-" for c in "–—−－‐·•・.|/\\~_"} | {ord(c): "(" for c in "[{<【〔「『"}
_SIMPLE |= {ord(c): ")" for c in "]}>】〕」』"}
_ROMAN = {0x2160 + at: str(at + 1) for at in range(9)}
_ROMAN_AT = re.compile("[\u2160-\u2168]")
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
_MAYBE_ALIAS = re.compile("[a-z0-9行款柜助式]")
_IDLE = re.compile(
    r"24小时|24h|7x24|全天营业|营业中|暂停营业|停业|装修中|即将开业|已搬迁|新店|官方|个体工商户|普通合伙|有限合伙|特殊普通合伙|原名|连锁$|"
    r"总店$|旗舰店$|直营店$|加盟店$|专卖店$|专营店$|体验店$|形象店$|概念店$|本店|正宗"
)
_BRACKET = re.compile(r"\(([^()]*)(?:\)|$)")
_LEGAL = re.compile(
    r"(?:股份)?有限(?:责任)?(?:公司|公|$)|有限责$|股份公司|责任公司|集团公司|(?:个体)?工商户|个体户|股份$|集团$|总公司|公司$|"
    r"(?:有限公.|有限司公?|有公限司|限有公司|限公司|有公司)$"
)
_LEGAL_LATIN = re.compile(
    r"(?<=\w)[ ,-]*\b(?:co[. -]*,?[ -]*)?(?:ltd|limited|inc|llc|corp|gmbh)[. -]*$|(?<=\w) company$"
)
_OUTLET = re.compile(
    r"(商贸行|商贸|商行|经营部|经销部|营业部|门市部|服务部|销售部|工作室|门店|分店|支店|店铺|店|铺|商铺)$"
)
_PROVINCES = (
    "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 "
    "四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆"
).replace(" ", "|")
_REGION = re.compile(
    rf"^(?:(?:{_PROVINCES})(?:省|市|自治区)|"
    r"[\u4e00-\u9fff]{2,3}?(?:(?<![超菜集夜城门花早鲜])市(?!场)|自治县|县|(?<![小社园校景厂库新老东西南北])区))"
)
_ONLY_REGION = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,3}?(?:省|自治区|自治州|(?<![超菜集夜城门花早鲜])市|县|(?<![小社园校景厂库新老东西南北])区)){1,3}$"
)
_CITIES = frozenset(word for line in _read("cities.txt") for word in line)
_CITY_LENGTHS = sorted({len(word) for word in _CITIES})
_STREET_OF_IT = re.compile(r".?[路街道巷]|大道|大街|公园|广场|火?车站|银行|市")
# 武汉市江岸区马桥巷味道药房: a register puts the street between the district and the word.
_STREET_FIRST = re.compile(r"^([\u4e00-\u9fff]{2,3}(?:路|街|大道|巷))(.{3,})$")
_TAIL = re.compile(r"^[\u4e00-\u9fff]{2,4}店$")
_NO_PLACE = re.compile(
    r"用品|专[卖营业]|批发|零售|直[销营]|设备|旗舰|加盟|连锁|配套|体验|折扣|自助|概念|形象|食品|总店|分店|新店|老店|本店|特产"
)
_PLACE_END = re.compile(
    r"(?:路|街|大道|巷|胡同|广场|大厦|商场|商城|城|中心|小区|家园|花园|苑|村|镇|桥|站|店|支行|分行)$"
)
# 香必居工农路店: what is before the road's two characters is the name.
_ON_THE_STREET = re.compile(
    r"^(.{2,}?)-?([\u4e00-\u9fff]{2}(?:路|街|大道|巷|广场|小区|大厦|商场|家园|花园|城|中心)(?:分?店))$"
)
_BANK = re.compile(r"^(.{0,8}?银行|.{2,6}信用社|中国(?:移动|联通|电信)|中国邮政)(?:股份)?(?:有限公司)?(.+)$")
_ROLE = re.compile(
    r"atm|停车场|停车库|停车|车库|[东西南北正侧后前内]{1,2}\d?门(?!诊|面|窗|市|店|路|街|外|里|内)|出口|入口|厕所|卫生间|洗手间|充电站|充电桩|售楼|门诊|急诊|"
    r"住院部|食堂|宿舍|地铁站|公交站|服务台|仓库|家属院|分公司|[东西南北老新]区|[东西南北]院|[东西南北]苑|[东西南北]座|[东西南北]楼|"
    r"号楼|栋|[a-z][座区栋]|期|单元|分校|校区|[东西南北]校|幼儿园|附小|附中|居委会|派出所|物业|快递柜|丰巢|[男女]装|[男女]鞋|童装"
)
_BRANCH_END = re.compile(r"(?:支行|分行|分理处|储蓄所|营业部|营业厅|营业所|分店|支店|门店|餐厅|店)$")
_COUNTED = re.compile(
    r"(?:第?\d+(?:期|号楼|栋|分园|分店|分校|号|楼|店|座|区|院)?|[东西南北正侧后前]\d?[门院区座]|出入口|出口|入口|atm)$"
)
# Without one of these characters a name has none of those words: one look instead of many.
_MAYBE_ROLE = re.compile("[m停库门口厕卫洗电楼诊院食宿站台仓司区苑座栋期单校幼附委派物柜丰装鞋]")
_MAYBE_IDLE = re.compile("[247全营停装即已新官个普有特原连总旗直加专体形概本正]")
_MAYBE_LEGAL = re.compile("[司限公户份团责]")
_DIGITS = re.compile(r"\d+")
_LATIN = re.compile(r"[a-z]{2,}")
_JUNK = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")

# Words of one line name one trade; a stem such as 兰州 or 便民 tells no shop.
_TRADE_OF = {word: at for at, line in enumerate(_read("trade_words.txt"), 1) for word in line}


def _lengths_by(at: int) -> dict[str, list[int]]:
    """Return how long the trades are that have a character first (0) or last (-1), the longest first."""
    found: dict[str, set[int]] = {}
    for word in _TRADE_OF:
        if len(word) > 1:
            found.setdefault(word[at], set()).add(len(word))
    return {char: sorted(lengths, reverse=True) for char, lengths in found.items()}


_ENDING, _BEGINNING = _lengths_by(-1), _lengths_by(0)
_OUTLET_ENDS, _COUNTED_ENDS = frozenset("行部室店铺"), frozenset("期楼栋园店校号座区院门口m0123456789")
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
    "出入",
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
_KIND = frozenset("阁街轩楼园居坊斋堂庄馆店屋记家苑城廊院桥庙寺吧厅铺行府")
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
    text = _brands(plain(name))
    if not text:
        return NOTHING
    cut = len(name) >= 14 and len(name.encode("gb18030", "replace")) >= CUT_BYTES
    text, branch = _split(text)
    if text[-1:].isascii():
        text = _LEGAL_LATIN.sub("", text)
    core = _legal_off(text)
    core = _JUNK.sub("", core)
    bank = _BANK.match(core)
    if bank and bank[1] and bank[2] not in _TRADE_OF:
        core, branch = bank[1], bank[2] + branch
    bare = _region_off(core)
    street = _STREET_FIRST.match(bare) if bare != core else None
    if street and len(_stem(street[2])[0]) > 1:
        bare = street[2]
        branch = branch or REGISTERED + street[1]
    if not bank:
        bare = _city_off(bare)
    if _ONLY_REGION.match(core):
        return Name(core, core, "", 0, branch, "", "", False)
    marks = _marks(bare + "-" + branch)
    stem, trade = _stem(bare)
    branch = _branch(branch)
    full = whole(bare, branch)
    if not full:
        return NOTHING
    return Name(full, bare, stem, trade, branch, marks, sound(stem), cut)


def whole(core: str, branch: str) -> str:
    """Return all that a name says, for comparing."""
    return (core + branch).replace("店", "").replace(REGISTERED, "")


def plain(name: str) -> str:
    """Return a text in compatible forms, simplified characters and small letters, with Arabic digits."""
    if not name.isascii():
        if _ROMAN_AT.search(name):
            name = name.translate(_ROMAN)
        name = unicodedata.normalize("NFKC", name)
    text = name.lower().translate(_SIMPLE).strip(" -")
    if "十" in text:
        text = _TENS.sub(lambda found: f"{found[1] or 1}{found[2] or 0}", text)
    return text


def _brands(text: str) -> str:
    """Return a name with brands and trades as they are known here: KFC is 肯德基."""
    return _ALIAS.sub(_meant, text) if _MAYBE_ALIAS.search(text) else text


def _meant(found: re.Match[str]) -> str:
    return _ALIASES[found[0]]


def _split(text: str) -> tuple[str, str]:
    """Return a name without brackets and dashes, and what was in or behind them."""
    branch = ""
    if "(" in text:
        branch = "".join(_IDLE.sub("", inside) for inside in _BRACKET.findall(text))
        outside = _BRACKET.sub(" ", text).replace(")", "").strip()
        if len(outside) < 2:
            return _IDLE.sub("", outside + branch), ""
        text = outside
    text = (_IDLE.sub("", text) if _MAYBE_IDLE.search(text) else text).strip(" -")
    if not branch:
        text, branch = _tail_off(text)
        if branch:
            return text, branch
    street = _ON_THE_STREET.match(text)
    if street and street[1] not in _TRADE_OF:
        return street[1], street[2] + branch
    for mark in ("-", " "):
        head, found, tail = text.rpartition(mark)
        if found and len(head) > 1 and len(tail) > 1 and _HAN.search(tail):
            if _PLACE_END.search(tail) and not _stem(tail)[1]:
                text, branch = head, tail + branch
            break
    return text, branch


def _region_off(core: str) -> str:
    """Return a name without the province, city or county before it."""
    for _ in range(2):
        found = _REGION.match(core)
        if not found or len(core) - found.end() < 2:
            break
        core = core[found.end() :]
    return core


def _legal_off(text: str) -> str:
    return _LEGAL.sub("", text) if _MAYBE_LEGAL.search(text) else text


def _city_off(core: str) -> str:
    """Return a name without the city before it, where it is not the city that tells the shop: 兰州拉面."""
    for length in _CITY_LENGTHS:
        rest = core[length:]
        if len(rest) > 2 and core[:length] in _CITIES and not _STREET_OF_IT.match(rest):
            return rest if len(_stem(rest)[0]) > 1 else core
    return core


def _tail_off(text: str) -> tuple[str, str]:
    """Return a name without the branch behind its trade, and that: 好邻居便利店徐东店."""
    for length in (3, 4, 5) if text.endswith("店") else ():
        head, tail = text[:-length], text[-length:]
        if len(head) < 4 or not _TAIL.match(tail) or _NO_PLACE.search(tail) or _stem(tail)[1]:
            continue
        if any(head[-size:] in _TRADE_OF for size in _ENDING.get(head[-1], ()) if size < len(head)):
            return head, tail
    return text, ""


def _stem(core: str) -> tuple[str, int]:
    """Return the word that tells a shop, and its trade."""
    stem, trade = _count_off(core) or core, 0
    for _ in range(3):
        for length in _ENDING.get(stem[-1:], ()):
            number = _TRADE_OF.get(stem[-length:], 0)
            if number:
                trade = trade or number
                stem = stem[:-length]
                break
        else:
            shorter = _OUTLET.sub("", stem) if stem[-1:] in _OUTLET_ENDS else stem
            if shorter == stem:
                break
            stem = shorter
    stem = _count_off(stem)
    if not trade and len(stem) > 3:
        for length in _BEGINNING.get(stem[0], ()):  # 超市青禾
            number = _TRADE_OF.get(stem[:length], 0) if len(stem) > length + 1 else 0
            if number:
                stem, trade = stem[length:], number
                break
    return ("" if stem in _COMMON_STEMS else stem), trade


def _count_off(text: str) -> str:
    return _COUNTED.sub("", text) if text[-1:] in _COUNTED_ENDS else text


def _branch(text: str) -> str:
    if not text:
        return ""
    head = text[:1] if text[0] == REGISTERED else ""
    text = _JUNK.sub("", _legal_off(text))
    return head + _region_off(_BRANCH_END.sub("", text))


def _marks(text: str) -> str:
    roles = _ROLE.findall(text) if _MAYBE_ROLE.search(text) else []
    digits = _DIGITS.findall(text)
    if not roles and not digits:
        return ""
    return " ".join([*sorted({"车" if "车" in role else role for role in roles}), *sorted(digits)])


def sound(text: str) -> str:
    """Return the syllables of a text in pinyin without tones; Latin letters and digits stay."""
    return text.translate(_sounds())


@cache
def _sounds() -> dict[int, str]:
    characters = [chr(code) for code in PINYIN_DICT]
    first = pinyin(characters, style=Style.NORMAL, errors="ignore")
    table = {ord(char): each[0].replace("ü", "v") for char, each in zip(characters, first, strict=True)}
    return table | {ord("行"): "hang", ord("长"): "chang", ord("重"): "chong"}


# --- two names --------------------------------------------------------------------------------------------


def relation(a: Name, b: Name) -> tuple[int, int]:
    """
    Return how two names stand to each other, and what their branches add to it.

    Parameters
    ----------
    a, b
        The names, taken apart.

    Returns
    -------
    relation, remark
        One of the numbers from CONFLICT to SAME; and OPEN where one name leaves open what the other says
        (好邻居 beside 好邻居（人民路店）: as well one branch as another), AGREED where both name one branch.
    """
    if not a.full or not b.full:
        return DIFFERENT, NOTHING_MORE
    if a.full == b.full:
        return alone(a), AGREED if a.branch else NOTHING_MORE
    if _cut(a, b):
        return STRONG, NOTHING_MORE
    slip = _slip(a, b)
    if a.marks != b.marks and not (slip and _mark_lost(a.marks, b.marks)):
        return CONFLICT, NOTHING_MORE
    found, remark = _parts(a, b)
    if slip and CONFLICT < found < FAIR:
        return max(found, WEAK), SLIP
    return found, remark


def _slip(a: Name, b: Name) -> bool:
    """Whether the whole names are one character apart, or two that changed places."""
    p, q = (a.core, b.core) if a.branch and b.branch and a.branch == b.branch else (a.full, b.full)
    return min(len(p), len(q)) > 3 and OSA.distance(p, q, score_cutoff=1) <= 1 and not _opposed(p, q)


def _mark_lost(p: str, q: str) -> bool:
    """Whether a slip broke a word that would be a mark, and no number: 幼儿园 and 幼园."""
    one, two = set(p.split()), set(q.split())
    return (one <= two or two <= one) and not any(each[0].isdigit() for each in one ^ two)


def _parts(a: Name, b: Name) -> tuple[int, int]:
    """Compare names part by part."""
    branches = _branches(a, b)
    if branches in (CONFLICT, SAME):
        return min(branches, STRONG), AGREED
    found = _cores(a, b)
    if branches == FAIR and _with_tail(a.core, b.core):
        return FAIR, OPEN
    if branches == DIFFERENT:  # one slip apart, or two roads
        return min(found, WEAK), NOTHING_MORE
    if branches == STRONG:
        if found == GENERIC:
            found = STRONG
        elif found < FAIR and _one_slip(a, b):
            found = FAIR
        elif found == FAIR:
            found = STRONG
        return found, AGREED if found >= FAIR else NOTHING_MORE
    if branches == WEAK and found >= FAIR:
        return (FAIR, OPEN) if found == STRONG else (WEAK, OPEN)
    if found == STRONG and (a.trade == 0) != (b.trade == 0):
        return FAIR if min(len(a.stem), len(b.stem)) < 3 else STRONG, OPEN
    return found, NOTHING_MORE


def _with_tail(p: str, q: str) -> bool:
    """Whether one name is the other with a branch behind it: 万家小龙虾, 万家小龙虾徐东店."""
    short, long = (p, q) if len(p) <= len(q) else (q, p)
    tail = long[len(short) :]
    return (
        len(short) > 3
        and long.startswith(short)
        and bool(_TAIL.match(tail))
        and not (_NO_PLACE.search(tail) or _stem(tail)[1])
    )


def alone(name: Name) -> int:
    """Return how much it says that two names are this one: of a bank's machines there are several."""
    machine = "atm" in name.marks and (name.cut or not name.branch.removeprefix("atm"))
    return SAME if (name.stem or name.branch) and not machine else GENERIC


def _one_slip(a: Name, b: Name) -> bool:
    """Whether two names of one branch are a character apart."""
    if not (a.trade == b.trade or not a.trade or not b.trade) or _opposed(a.stem, b.stem):
        return False
    p, q = a.stem, b.stem
    if Levenshtein.distance(p, q, score_cutoff=1) != 1 or max(len(p), len(q)) < 2:
        return False
    return len(p) != len(q) or len(p) > 2 or a.sound == b.sound


def _cut(a: Name, b: Name) -> bool:
    """Whether one name is the other's beginning, cut off where lists cut."""
    short, long = (a, b) if len(a.full) <= len(b.full) else (b, a)
    return short.cut and len(short.full) >= 6 and long.full.startswith(short.full)


def _branches(a: Name, b: Name) -> int:
    """Return STRONG of equal branches, FAIR of none, WEAK of one alone, DIFFERENT or CONFLICT of two."""
    p, q = a.branch.lstrip(REGISTERED), b.branch.lstrip(REGISTERED)
    if p == q:
        return STRONG if p else FAIR
    if not p or not q:
        return _hidden(a, b)
    if _same_place(p, q):
        return STRONG
    if any(
        one[0] == REGISTERED != two[0] and not _ROAD_END.search(two)
        for one, two in _both_ways(a.branch, b.branch)
    ):
        return WEAK
    return CONFLICT if _opposed(p, q) or Levenshtein.distance(p, q, score_cutoff=1) > 1 else DIFFERENT


def _both_ways(p: str, q: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (p, q), (q, p)


def _hidden(a: Name, b: Name) -> int:
    """Compare one branch with what may be the same, written without brackets in the other name."""
    with_branch, without = (a, b) if a.branch else (b, a)
    branch, core = with_branch.branch.lstrip(REGISTERED), without.core
    for head in (with_branch.core, with_branch.stem):
        if head and core != with_branch.core and core.startswith(head) and len(core) > len(head) + 1:
            rest = re.sub(r"(?:分店|店)$", "", core[len(head) :])
            if rest and rest not in _TRADE_OF and core[len(head) :] not in _TRADE_OF:
                return SAME if _same_place(rest, branch) else CONFLICT
    if branch in core:
        rest = core.replace(branch, "").replace("店", "")
        if rest in (with_branch.core.replace("店", ""), with_branch.stem):
            return SAME
    return WEAK


_ROAD_END = re.compile(r"(?:路|街|大道|巷)$")
_PLACE_WORD = re.compile(
    r"(?:路|街|大道|巷|胡同|里|弄|广场|大厦|商场|小区|家园|花园|城|中心|村|镇|苑|站|桥)$"
)


def _same_place(p: str, q: str) -> bool:
    """Whether two branches are one place, one of them perhaps said in short."""
    p, q = p.removeprefix("atm"), q.removeprefix("atm")
    if not p or not q:
        return True
    if sound(p) == sound(q) or len(p) == len(q) and sorted(p) == sorted(q):
        return True
    short, long = (p, q) if len(p) <= len(q) else (q, p)
    if short in long and len(short) > 1:
        return not _PLACE_WORD.sub("", short).isdigit()
    end_p, end_q = _PLACE_WORD.search(p), _PLACE_WORD.search(q)
    if end_p and end_q and end_p[0] != end_q[0]:
        return False
    p, q = (_PLACE_WORD.sub("", each) or each for each in (p, q))
    short, long = (p, q) if len(p) <= len(q) else (q, p)
    if len(short) > 1 and (short in long or sound(p) == sound(q)):
        return True
    if len(p) == len(q) and len(p) > 2:
        return Levenshtein.distance(p, q) == 1 and not _opposed(p, q)
    return len(set(zip(p, p[1:], strict=False)) & set(zip(q, q[1:], strict=False))) >= 2


def _cores(a: Name, b: Name) -> int:
    """Compare the names without their branches."""
    if a.core == b.core:
        return STRONG if a.stem else GENERIC
    short, long = (a.core, b.core) if len(a.core) <= len(b.core) else (b.core, a.core)
    if len(short) > 2 and a.stem and b.stem and long.startswith(short) and long[len(short) :] in _TRADE_OF:
        return STRONG
    p, q = a.stem, b.stem
    if not p or not q:
        return GENERIC if a.trade == b.trade and p == q else _swapped(a, b)
    trades = a.trade == b.trade or not a.trade or not b.trade
    if p == q:
        if len(p) < 2 or not trades:
            return WEAK
        return STRONG if len(p) > 2 or _same_words(a.core, b.core) else FAIR
    if len(a.core) == len(b.core) > 3 and sound(a.core) == sound(b.core):
        return STRONG
    if (a.trade == b.trade or not a.trade or not b.trade) and _broken_trade(a.core, b.core):
        return FAIR
    found = _stems(p, q, a, b)
    if CONFLICT < found < FAIR:
        found = max(found, _swapped(a, b))
        if found == DIFFERENT and a.trade == b.trade and set(p) & set(q) and len(p) == len(q) == 2:
            found = WEAK
    return found if trades else min(found, WEAK)


def _broken_trade(p: str, q: str) -> bool:
    """Whether two names are a character apart behind the first two: 老萧生活超市, 老萧生活祥市."""
    if min(len(p), len(q)) < 4 or max(len(p), len(q)) < 5 or p[:2] != q[:2] or _opposed(p, q):
        return False
    return Levenshtein.distance(p, q, score_cutoff=1) == 1


def _same_words(p: str, q: str) -> bool:
    """Whether one name says no other trade than the other: 超市 and 生活超市 do not, 快餐 and 家常菜 do."""
    letters = set(p) - {"店"}, set(q) - {"店"}
    return letters[0] <= letters[1] or letters[1] <= letters[0]


def _swapped(a: Name, b: Name) -> int:
    """Return STRONG where the same words stand in another order."""
    if len(a.stem) == len(b.stem) == 2 and sorted(a.stem) == sorted(b.stem):
        return FAIR
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
    if len(short) > 5 and _two_slips(p, q):
        return FAIR
    if max(len(p), len(q)) < 3:
        return DIFFERENT
    return WEAK if Indel.normalized_similarity(a.sound, b.sound) >= 0.6 else DIFFERENT


def _two_slips(p: str, q: str) -> bool:
    """Whether two long texts differ in two single characters, not in a word."""
    if len(p) != len(q) or _opposed(p, q):
        return False
    at = [i for i, (x, y) in enumerate(zip(p, q, strict=True)) if x != y]
    return len(at) == 2 and at[1] - at[0] > 1


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
    return FAIR if len(rest) == 1 and len(short) > 2 and rest not in _SIDE else WEAK


def _typo(p: str, q: str) -> int:
    """Judge names one character apart."""
    if _opposed(p, q):
        return CONFLICT
    if len(p) != len(q):
        return FAIR if min(len(p), len(q)) > 2 else WEAK
    x, y = next((x, y) for x, y in zip(p, q, strict=True) if x != y)
    slip = sound(x) == sound(y) or y in _LOOK.get(x, "")
    length = len(p) - (p[-1] in _KIND or q[-1] in _KIND)  # 乐古斋 and 乐善斋 are two words of two characters
    if length < 3:
        return FAIR if slip else DIFFERENT
    return STRONG if slip or length > 4 else FAIR


def look_alike(p: Iterable[str], q: Iterable[str]) -> list[bool]:
    """Return which pairs of two characters differ in one that is easily taken for the other."""
    return [
        any(y in _LOOK.get(x, "") or x in _LOOK.get(y, "") for x, y in zip(one, two, strict=False) if x != y)
        for one, two in zip(p, q, strict=True)
    ]


def _opposed(p: str, q: str) -> bool:
    """Whether two texts of one length differ in characters that tell things apart: 东 and 西, 1 and 2."""
    if len(p) != len(q):
        return False
    return any(
        x != y and _SIDE.get(x) is not None and _SIDE.get(x) == _SIDE.get(y)
        for x, y in zip(p, q, strict=True)
    )
