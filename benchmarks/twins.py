"""
Lists of an invented town's merchants in which some rows are doubles, and it is known of which.

The town is the demo's; names are of four sorts (chains with branches, shops' own names, companies, and
names that say only what is sold). Hard neighbours stand in between that are no doubles: branches of one chain
down the street, shops of one owner with one telephone, a bank and its ATM, gates, buildings, stages and
numbered schools.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from data.towns import invented, townsfolk
from data.towns.town import plan_town

DOUBLED = 0.22  # of all rows
LABEL = "same_as"
NAME_NOISE = (
    "none", "brackets", "legal", "region", "outlet", "traditional", "typo", "swap", "short", "latin", "cut",
    "wide", "numbers", "marks",
)  # fmt: skip
WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
CHAINS: dict[str, str] = WORDS["chains"]
ENDS: dict[str, str] = WORDS["ends"]
GENERIC: dict[str, str] = WORDS["generic"]
MEANT: dict[str, str] = WORDS["meant"]
OWN_CHARS = "".join(WORDS["own"])
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
PINYIN = {
    "便利店": "BIANLIDIAN",
    "超市": "SUPERMARKET",
    "咖啡": "COFFEE",
    "酒店": "HOTEL",
    "餐厅": "RESTAURANT",
    "大药房": "PHARMACY",
}


def made(rows: int, seed: int) -> pd.DataFrame:
    """
    Return a labelled list.

    Parameters
    ----------
    rows
        About so many, doubles included.
    seed
        The same gives the same list.

    Returns
    -------
    merchants
        Under the headers of a Chinese list; `same_as` names the identifier of the row each doubles. The
        column `noise` says what was done to it; it is left out of what `--make` writes.
    """
    rng = np.random.default_rng([seed, 77])
    base = _town(rows, seed, rng)
    base = _with_neighbours(base, rng)
    count = int(DOUBLED * len(base))
    picked = rng.choice(len(base), count, replace=False)
    extra = rng.geometric(0.75, count)
    again = np.repeat(picked, np.minimum(extra, 4))
    doubles = [_double(base.iloc[at], rng) for at in again.tolist()]
    whole = pd.concat([base, pd.DataFrame(doubles)], ignore_index=True)
    whole["商户编号"] = [f"D{at:07d}" for at in rng.permutation(len(whole))]
    ids = whole["商户编号"].to_numpy(object)
    whole[LABEL] = [""] * len(base) + ids[again].tolist()
    order = rng.permutation(len(whole))
    columns = ["商户编号", "商户名称", "行业类别", "详细地址", "联系电话", "lon", "lat", LABEL, "noise"]
    return whole.iloc[order][columns].fillna("").reset_index(drop=True)


def _town(rows: int, seed: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return merchants at their places, each once."""
    count = int(rows / (1 + DOUBLED * 1.33) * 0.88)
    size = max(0.4, (count / 12_000) ** 0.5)
    town = plan_town(seed, size)
    spots = townsfolk.frontage(town, seed)
    at = rng.choice(len(spots.x), count, p=spots.weight)
    x, y = spots.x[at] + rng.normal(0, 1.5, count), spots.y[at] + rng.normal(0, 1.5, count)
    address = spots.addresses(at, "{name}{number}号").astype(object)
    roads = spots.names[spots.where[at]]
    in_mall = _malls(rng, x, y, address, roads)
    kinds = list(CHAINS)
    kind = np.array(kinds, dtype=object)[rng.integers(0, len(kinds), count)]
    names: list[str] = []
    taken: dict[str, list[int]] = {}
    generic = {name for text in GENERIC.values() for name in text.split()}
    for i in range(count):
        while True:
            name = _name(rng, kind[i], str(roads[i]), in_mall[i])
            near = taken.setdefault(_key(name, ENDS[kind[i]].split()), [])
            # A chain has one shop of a branch's name, and nobody takes the name of a shop in sight.
            if name in generic or not any(np.hypot(x[i] - x[j], y[i] - y[j]) < 350 for j in near):
                break
        near.append(i)
        names.append(name)
    lon, lat = town.lonlat(x, y)
    return pd.DataFrame(
        {
            "商户名称": names,
            "行业类别": [MEANT[each] for each in kind],
            "详细地址": "演示市演示县" + pd.Series(address, dtype="str"),
            "联系电话": _phones(rng, count),
            "lon": lon,
            "lat": lat,
            "kind": kind,
            "noise": "",
        }
    )


def _malls(rng: np.random.Generator, x, y, address, roads) -> list[str]:
    """Gather some of the merchants in malls, sixty at a point, and say which mall each is in."""
    mall = [""] * len(x)
    for number in range(max(1, len(x) // 2000)):
        centre = int(rng.integers(len(x)))
        name = invented.ESTATES[number % len(invented.ESTATES)] + "广场"
        for i in rng.choice(len(x), min(60, len(x) // 8), replace=False).tolist():
            spread = rng.normal(0, 12, 2) if number % 2 else (0.0, 0.0)
            x[i], y[i] = x[centre] + spread[0], y[centre] + spread[1]
            address[i] = f"{roads[centre]}{88 + number}号{name}{rng.integers(1, 6)}层{rng.integers(101, 160)}"
            mall[i] = name
    return mall


def _name(rng: np.random.Generator, kind: str, road: str, mall: str) -> str:
    draw = rng.random()
    ends = ENDS[kind].split()
    end = ends[int(rng.integers(len(ends)))]
    if draw < 0.30:
        chain = _one(rng, CHAINS[kind].split())
        if rng.random() < 0.6:
            chain += ends[0]
        branch = mall or (
            road if rng.random() < 0.7 else _one(rng, invented.ESTATES) + _one(rng, ("家园", "广场", "小区"))
        )
        branch = branch.removesuffix("店") + "店"
        return (
            chain + _one(rng, ("（{}）", "({})", "-{}", "{}", "·{}", "（{}）")).format(branch)
            if rng.random() < 0.9
            else chain
        )
    if draw < 0.36 and kind in GENERIC:
        return _one(rng, GENERIC[kind].split())
    if draw < 0.44:
        return (
            "演示县" * bool(rng.random() < 0.6)
            + _own(rng, 2, 3)
            + _one(rng, ("商贸", "贸易", "实业", "科技", "装饰"))
            + "有限公司"
        )
    if draw < 0.58:
        return _one(rng, ("老{}", "{}记", "{}家", "小{}", "{}氏")).format(_one(rng, SURNAMES)) + end
    if draw < 0.70:
        return _one(rng, invented.SHOP_WORDS) + end
    return _own(rng, 2, 4) + end


def _key(name: str, ends: list[str]) -> str:
    """Return a name without what lists write in one way or another."""
    plain = re.sub(r"\W|店", "", name)
    for end in ends:
        plain = plain.replace(end.removesuffix("店"), "")
    return plain


def _own(rng: np.random.Generator, least: int, most: int) -> str:
    length = int(rng.integers(least, most + 1))
    return "".join(OWN_CHARS[i] for i in rng.choice(len(OWN_CHARS), length, replace=False))


def _one(rng: np.random.Generator, choices) -> str:
    return str(choices[int(rng.integers(len(choices)))])


def _phones(rng: np.random.Generator, count: int) -> list[str]:
    """Return telephone numbers nobody has, some of them like mobiles; a few are the hotline of a chain."""
    mobile = rng.random(count) < 0.6
    numbers = rng.integers(10_000_000, 99_999_999, count)
    made = [
        f"199{n:08d}" if m else f"0999-{n % 9_000_000 + 1_000_000}"
        for n, m in zip(numbers, mobile, strict=True)
    ]
    gone = rng.random(count)
    return ["" if g < 0.25 else "4000009999" if g < 0.27 else one for g, one in zip(gone, made, strict=True)]


# --- what is near and alike, and no double ----------------------------------------------------------------


def _with_neighbours(base: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the list with hard neighbours."""
    rows: list[dict] = []
    for at in rng.choice(len(base), int(0.13 * len(base)), replace=False).tolist():
        rows += _neighbours(base.iloc[at].to_dict(), rng)
    return _believable(pd.concat([base, pd.DataFrame(rows)], ignore_index=True))


def _believable(base: pd.DataFrame) -> pd.DataFrame:
    """Return the list without shops that took the name of another in sight, or of the same branch."""
    generic = {name for text in GENERIC.values() for name in text.split()} | {"五金店", "打印店"}
    seen: dict[str, list[tuple[float, float]]] = {}
    keep = []
    for name, kind, lon, lat in zip(base["商户名称"], base["kind"], base["lon"], base["lat"], strict=True):
        there = seen.setdefault(_key(name, ENDS[kind].split()), [])
        alone = all(np.hypot((lon - x) * 93_400, (lat - y) * 111_000) > 800 for x, y in there)
        keep.append(name in generic or alone)
        if alone:
            there.append((lon, lat))
    return base[keep].reset_index(drop=True)


def _neighbours(row: dict, rng: np.random.Generator) -> list[dict]:
    draw = int(rng.integers(9))
    kind = row["kind"]
    if draw == 0:  # branches of one chain down the street
        chain = _one(rng, CHAINS[kind].split()) + ENDS[kind].split()[0]
        roads = rng.permutation(invented.ROADS)[:3]
        return [
            _moved(row, rng, far, 商户名称=f"{chain}（{road}店）")
            for far, road in zip((20, 150, 320), roads, strict=True)
        ]
    if draw == 1:  # the same thing sold next door
        name = _one(rng, GENERIC.get(kind, "五金店 打印店").split())
        return [_moved(row, rng, far, 商户名称=name) for far in (12, 45)]
    if draw == 2:  # a bank, its ATM, and the next bank
        bank = _one(rng, invented.BANKS)
        road, other = rng.permutation(invented.ROADS)[:2]
        kinds = {"行业类别": MEANT["bank"]}
        return [
            _moved(row, rng, far, 商户名称=name, **kinds)
            for far, name in ((3, f"{bank}({road}支行)"), (6, f"{bank}ATM"), (60, f"{bank}({other}支行)"))
        ]
    if draw == 3:  # a mall, its car park and its gates
        mall = _own(rng, 2, 3) + "广场"
        kinds = {"行业类别": MEANT["mall"]}
        return [
            _moved(row, rng, far, 商户名称=mall + what, **kinds)
            for far, what in ((0, ""), (40, "停车场"), (70, "东门"), (75, "西门"))
        ]
    if draw == 4:  # numbered schools, stages and buildings
        what = _own(rng, 2, 2) + _one(rng, ("第{}小学", "小区{}期", "家园{}号楼", "幼儿园{}分园"))
        kinds = {"行业类别": MEANT["school"]}
        return [
            _moved(row, rng, far, 商户名称=what.format(number), **kinds)
            for far, number in ((10, "一"), (80, "二"), (130, "三"))
        ]
    if draw == 5:  # one owner, one telephone, two shops
        phone = f"199{rng.integers(10_000_000, 99_999_999)}"
        other = _one(rng, list(CHAINS))
        return [
            _moved(row, rng, 2, 商户名称=_own(rng, 2, 2) + _one(rng, ENDS[kind].split()), 联系电话=phone),
            _moved(
                row,
                rng,
                8,
                商户名称=_own(rng, 2, 2) + _one(rng, ENDS[other].split()),
                联系电话=phone,
                行业类别=MEANT[other],
            ),
        ]
    if draw == 6:  # one word, two trades
        word, other = _own(rng, 2, 2), _one(rng, [each for each in CHAINS if each != kind])
        return [
            _moved(row, rng, 5, 商户名称=word + _one(rng, ENDS[kind].split())),
            _moved(row, rng, 25, 商户名称=word + _one(rng, ENDS[other].split()), 行业类别=MEANT[other]),
        ]
    if draw == 7:  # own words one character apart
        word, end = _own(rng, 2, 2), _one(rng, ENDS[kind].split())
        return [
            _moved(row, rng, far, 商户名称=word[0] + each + end)
            for far, each in ((5, word[1]), (30, _own(rng, 2, 2)[0]))
        ]
    surname, end = _one(rng, SURNAMES), _one(rng, ENDS[kind].split())
    return [_moved(row, rng, far, 商户名称=each + surname + end) for far, each in ((5, "老"), (60, "小"))]


def _moved(row: dict, rng: np.random.Generator, far: float, **other: object) -> dict:
    """Return a row so many metres off, at the next house, with a telephone of its own."""
    angle = rng.uniform(0, 2 * np.pi)
    number = int(rng.integers(1, 300))
    road = str(row["详细地址"]).rstrip("0123456789号层").split("号")[0].rstrip("0123456789")
    there = {
        "lon": row["lon"] + far * np.cos(angle) / 93_400,
        "lat": row["lat"] + far * np.sin(angle) / 111_000,
        "详细地址": f"{road}{number}号" if rng.random() < 0.7 else road,
        "联系电话": _phones(rng, 1)[0],
    }
    return row | there | other


# --- what happens to a row on its way into another list ----------------------------------------------------


def _double(row: pd.Series, rng: np.random.Generator) -> dict:
    """Return a row as another list has it."""
    kinds = rng.choice(NAME_NOISE, int(rng.choice([1, 1, 2, 2, 3])), replace=False)
    name, done = str(row["商户名称"]), []
    for kind in kinds:
        changed = _NOISES[kind](name, row, rng)
        if changed != name:
            name = changed
            done.append(str(kind))
    reach = rng.choice([6.0, 15.0, 40.0, 100.0], p=[0.45, 0.3, 0.15, 0.10])
    far = min(abs(rng.normal(0, reach)), 280)
    angle = rng.uniform(0, 2 * np.pi)
    phone, how = _phone_noise(str(row["联系电话"]), rng)
    return {
        "商户名称": name,
        "行业类别": row["行业类别"]
        if rng.random() < 0.75
        else str(row["行业类别"]).split(";")[-1]
        if rng.random() < 0.6
        else "",
        "详细地址": _address_noise(str(row["详细地址"]), rng),
        "联系电话": phone,
        "lon": row["lon"] + far * np.cos(angle) / 93_400,
        "lat": row["lat"] + far * np.sin(angle) / 111_000,
        "noise": " ".join([*sorted(done), how, "far" if far > 100 else ""]).strip() or "none",
    }


def _phone_noise(phone: str, rng: np.random.Generator) -> tuple[str, str]:
    draw = rng.random()
    if not phone or draw < 0.2:
        return "", "no-phone"
    if draw < 0.30:
        return f"199{rng.integers(10_000_000, 99_999_999)}", "other-phone"
    if draw < 0.45:
        return f"+86 {phone.lstrip('0').replace('-', ' ')}", ""
    if draw < 0.55:
        return f"{phone};199{rng.integers(10_000_000, 99_999_999)}", ""
    if draw < 0.65:
        return phone.translate(WIDE), ""
    if draw < 0.75 and len(phone) == 11:
        return f"{phone[:3]} {phone[3:7]} {phone[7:]}", ""
    return phone, ""


def _address_noise(address: str, rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.2:
        return ""
    if draw < 0.45:
        return address.removeprefix("演示市演示县")
    if draw < 0.6:
        return "演示省" + address.replace("号", "号附近")
    if draw < 0.7:
        return address.translate(WIDE)
    return address.split("号")[0] if draw < 0.8 else address


def _brackets(name: str, row: pd.Series, rng: np.random.Generator) -> str:
    if "（" in name or "(" in name:
        return _one(rng, ("{} {}", "{}-{}", "{}[{}]", "{}{}")).format(
            *name.rstrip("）)").replace("(", "（").split("（", 1)
        )
    road = str(row["详细地址"]).removeprefix("演示市演示县")
    road = road.split("号")[0].rstrip("0123456789")
    return (
        name
        if "店" in name[-3:-1] or "-" in name or "·" in name or name.endswith("店") and len(name) > 7
        else f"{name}（{road}店）"
    )


def _legal(name: str, _row: pd.Series, rng: np.random.Generator) -> str:
    if name.endswith("有限公司"):
        return name.removesuffix("有限公司") + _one(rng, ("", "有限责任公司", "公司", "（有限公司）"))
    return (
        name + _one(rng, ("有限公司", "（个体工商户）", "有限责任公司"))
        if "（" not in name and "(" not in name
        else name
    )


def _region(name: str, _row: pd.Series, rng: np.random.Generator) -> str:
    return (
        name.removeprefix("演示县") if name.startswith("演示县") else _one(rng, ("演示县", "演示市")) + name
    )


def _outlet(name: str, _row: pd.Series, rng: np.random.Generator) -> str:
    if name.endswith("店") or "（" in name or "(" in name or name.endswith("公司"):
        return name
    return name + _one(rng, ("店", "经营部", "商行", "（总店）", "（旗舰店）", "门市部"))


_SLIPS = {a: b for pair in WORDS["slips"].split() for a, b in (pair, pair[::-1])}
_TRADITIONAL = {ord(pair[1]): pair[0] for pair in WORDS["two_ways"].split()}


def _typo(name: str, _row: pd.Series, rng: np.random.Generator) -> str:
    first = [i for i, char in enumerate(name[:5]) if char in _SLIPS]
    if first and rng.random() < 0.7:
        at = first[int(rng.integers(len(first)))]
        return name[:at] + _SLIPS[name[at]] + name[at + 1 :]
    if len(name) < 6:
        return name
    at = int(rng.integers(1, min(len(name), 6)))
    draw = rng.random()
    if draw < 0.4:
        return name[:at] + name[at + 1 :]
    return name[:at] + _one(rng, OWN_CHARS) + name[at + (draw < 0.75) :]


def _swap(name: str, row: pd.Series, rng: np.random.Generator) -> str:
    for end in ENDS[row["kind"]].split():
        if name.endswith(end) and len(name) > len(end) + 2 and rng.random() < 0.5:
            return end + name.removesuffix(end)
    at = int(rng.integers(0, min(3, len(name) - 1)))
    if len(name) < 5 or rng.random() < 0.5:
        return name
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def _short(name: str, row: pd.Series, _rng: np.random.Generator) -> str:
    for end in ENDS[row["kind"]].split():
        if name.endswith(end) and len(name) >= len(end) + 2:
            return name.removesuffix(end)
    return name


def _latin(name: str, _row: pd.Series, rng: np.random.Generator) -> str:
    for word, letters in PINYIN.items():
        if word in name:
            return name.replace(word, letters) if rng.random() < 0.5 else f"{name} {letters}"
    return name


def _cut(name: str, _row: pd.Series, _rng: np.random.Generator) -> str:
    return name.encode("gb18030")[:32].decode("gb18030", "ignore")


_NUMBERS = str.maketrans("0123456789", "〇一二三四五六七八九")
_NOISES = {
    "none": lambda name, _row, _rng: name,
    "brackets": _brackets,
    "legal": _legal,
    "region": _region,
    "outlet": _outlet,
    "traditional": lambda name, _row, _rng: name.translate(_TRADITIONAL),
    "typo": _typo,
    "swap": _swap,
    "short": _short,
    "latin": _latin,
    "cut": _cut,
    "wide": lambda name, _row, _rng: name.translate(WIDE),
    "numbers": lambda name, _row, _rng: name.translate(_NUMBERS),
    "marks": lambda name, _row, _rng: (
        name.replace("（", "【").replace("）", "】") if "（" in name else f" {name[:2]} {name[2:]}"
    ),
}
