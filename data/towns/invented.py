"""Invented names for the demo town. None is meant to be a real place, shop, bank or person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ROADS = _words(
    "人民路 建设街 解放路 育才路 团结街 振兴路 朝阳街 文化路 富民路 迎宾街 工农路 "
    "光明街 和平路 幸福街 胜利路 青年街 友谊路 东风街 永安路 长兴街 福康路 丰收街 "
    "学府路 锦绣街 泰和路 祥云街 银杏路 桂花街 翠柳路 梧桐街 清泉路 石榴街 金穗路 "
    "麦香街 望河路 柳堤街 瑞丰路 德善街 仁和路 明礼街 崇文路 尚武街 安居路 乐业街 "
    "百合路 海棠街"
)
COUNTRY_ROADS = _words("丰禾线 石桥线 柳埠线 麦岭线 东篱线 望泉线 桑园线 苇荡线")
LANE_WORDS = _words("豆腐 灯笼 井台 染坊 枣树 竹竿 磨盘 油坊 铁匠 花鼓 书院 南瓜 槐荫 月牙 篾匠 茶亭")
ESTATES = _words(
    "锦绣 翠湖 金桂 盛景 和顺 安泰 丰泽 望河 东篱 悦府 春晓 明珠 紫荆 碧水 阳光 "
    "书香 幸福 康宁 御景 佳和 银杏 凤栖 云锦 水岸 青禾 福临"
)
ESTATE_ENDS = _words("家园 花园 小区 苑 新村 华庭 雅居 里")
VILLAGES = _words(
    "东篱村 石磨村 柳埠村 苇荡村 桑园村 麦岭村 望泉村 枣林村 南塘村 双井村 槐荫村 "
    "青禾村 土桥村 荷塘村 竹坞村 牛栏村 北坡村 瓦窑村 油坊村 茶亭村 高粱村 木瓜村 "
    "长垄村 白杨村 大仓村 小渠村 雁落村 九亩村"
)
PARKS = ("青禾产业园", "麦岭工业园", "云锦创业园", "东篱物流园")
SCHOOLS = _words("演示县第一中学 演示县实验小学 演示县职业学校 演示县第二小学 演示县第二中学 演示县第三小学")
GREENS = ("望河公园", "青年公园", "荷塘公园", "银杏公园")
RIVER = "禾河"
BANKS = ("甲银行", "乙银行", "丙农商银行", "丁银行", "戊村镇银行", "己储蓄银行")
INSURERS = ("庚人寿保险", "辛财产保险")
SHOP_WORDS = _words(
    "小满 福满 兴旺 麦香 柳岸 青禾 和顺 聚福 老街 春风 禾河 同乐 桂香 安心 喜来 顺达 金穗 百合 云上 巷口 "
    "梧桐 望河 丰泽 佳美 红石 蓝莓 大树 一品 双喜 三禾 四季 五谷 六合 七巧 八方 九月 十里 阿禾 阿麦 小渠"
)
STAFF = {
    "head": _words("演示行长甲"),
    "lead": _words("演示主管乙"),
    "member": _words("演示经理丙 演示经理丁 演示经理戊 演示经理己"),
    "analyst": _words("演示分析员庚"),
    "auditor": _words("演示审计员辛"),
    "admin": _words("演示管理员壬"),
}
MANAGERS = STAFF["member"]
POSTS = {  # who goes out, and who comes along from the counters
    "outdoor": _words("演示经理丙 演示经理丁 演示经理戊 演示经理己 演示经理子 演示经理丑"),
    "indoor": _words("演示柜员寅 演示柜员卯 演示柜员辰 演示柜员巳 演示柜员午 演示柜员未"),
}
GROUPS = ("外拓大组{n}", "外拓{n}组")
VISITS = "走访记录.csv"
RESULTS = (  # what came of a visit; what is next, and in how many days
    ("老板在店，已介绍聚合收单", "带终端上门安装", 7),
    ("已有他行收款码，愿意比较费率", "送费率对比表", 14),
    ("店员接待，留了名片", "改日再访老板", 10),
    ("经营正常，流水稳定", "", 0),
    ("有进货资金需求", "请信贷同事一起来", 5),
    ("暂无需求，下季度再访", "", 0),
)
BENEFITS = (  # what a partner brings
    "对方的客人凭小票来店有优惠",
    "对方在柜台摆放本店优惠卡",
    "对方的会员可用本店收款码立减",
    "两家互相推荐，新客人记在账上",
)
OFFERS = (
    ("凭演示支行收款码消费九折", 8.0),
    ("满 100 元减 15 元", 15.0),
    ("首次体验免费", 30.0),
    ("会员价", 5.0),
)
LINK_NOTES = "两家老板都见过面，先互放优惠卡一个月。"
REFUSALS = ("商户已有合作伙伴", "商户不愿合作")
ALLIANCE_NOTES = "每月末在网点碰一次头，核对转介客人数。"
ALLIANCE_NAME, OTHER_NAME = "{street}异业联盟", "{shop}等商户联盟"
PLANS = ("今年片区方案", "明年片区设想")
NOTE = "商户太多，拆成两片，另一片的人员待定。"


def phones(numbers: NDArray[np.int64]) -> pd.Series:
    """
    Return telephone numbers nobody has.

    After 00, the way out of the country, no country's code begins with 0.
    """
    return "000-" + pd.Series(numbers % 100_000_000).astype("str").str.zfill(8)


def shuffled(names: Sequence[str], rng: np.random.Generator, count: int) -> list[str]:
    """Return so many of the names in random order; past the last one they come again, numbered."""
    order = [names[i] for i in rng.permutation(len(names))]
    rounds = [i // len(order) for i in range(count)]
    return [order[i % len(order)] + (f"{turn + 1}" if turn else "") for i, turn in enumerate(rounds)]


def estates(rng: np.random.Generator, count: int) -> list[str]:
    """Return so many names of residential communities."""
    return shuffled([a + b for a in ESTATES for b in ESTATE_ENDS], rng, count)
