"""Words of lists as our categories: Gaode's, Baidu's, Dianping's, OpenStreetMap's, and a branch's own."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import catalogue
from data.meaning import kinds

# Gaode's large classes and their middle ones, as its classification names them.
GAODE = """
汽车服务:汽车服务相关 加油站 其它能源站 加气站 汽车养护/装饰 洗车场 汽车俱乐部 汽车救援 汽车配件销售
汽车服务:汽车租赁 二手车交易 充电站
汽车销售:汽车销售 大众特约销售 本田特约销售 奥迪特约销售 通用特约销售 宝马特约销售 日产特约销售
汽车销售:丰田特约销售 货车销售
汽车维修:汽车维修 汽车综合维修 大众特约维修 本田特约维修 货车维修
摩托车服务:摩托车服务相关 摩托车销售 摩托车维修
餐饮服务:餐饮相关场所 中餐厅 外国餐厅 快餐厅 休闲餐饮场所 咖啡厅 茶艺馆 冷饮店 糕饼店 甜品店
购物服务:购物相关场所 商场 便民商店/便利店 家电电子卖场 超级市场 花鸟鱼虫市场 家居建材市场 综合市场
购物服务:文化用品店 体育用品店 特色商业街 服装鞋帽皮具店 专卖店 特殊买卖场所 个人用品/化妆品店
生活服务:生活服务场所 旅行社 信息咨询中心 售票处 邮局 物流速递 电讯营业厅 事务所 人才市场
生活服务:自来水营业厅 电力营业厅 美容美发店 维修站点 摄影冲印店 洗浴推拿场所 洗衣店 中介机构
生活服务:搬家公司 彩票彩券销售点 丧葬设施 婴儿服务场所 共享设备
体育休闲服务:体育休闲服务场所 运动场馆 高尔夫相关 娱乐场所 度假疗养场所 休闲场所 影剧院
医疗保健服务:医疗保健服务场所 综合医院 专科医院 诊所 急救中心 疾病预防机构 医药保健销售店 动物医疗场所
住宿服务:住宿服务相关 宾馆酒店 旅馆招待所
风景名胜:风景名胜相关 公园广场 风景名胜
商务住宅:商务住宅相关 产业园区 楼宇 住宅区
政府机构及社会团体:政府及社会团体相关 政府机关 外国机构 民主党派 社会团体 公检法机构 交通车辆管理
政府机构及社会团体:工商税务机构
科教文化服务:科教文化场所 博物馆 展览馆 会展中心 美术馆 图书馆 科技馆 天文馆 文化宫 档案馆 文艺团体
科教文化服务:传媒机构 学校 科研机构 培训机构 驾校
交通设施服务:交通服务相关 机场相关 火车站 港口码头 长途汽车站 地铁站 轻轨站 公交车站 班车站 停车场
交通设施服务:过境口岸 出租车 轮渡站 索道站 上下客区
金融保险服务:金融保险服务机构 银行 银行相关 自动提款机 保险公司 证券公司 财务公司
公司企业:公司企业 知名企业 公司 工厂 农林牧渔基地
道路附属设施:道路附属设施 警示信息 收费站 服务区 红绿灯 路牌信息
地名地址信息:地名地址信息 普通地名 自然地名 交通地名 门牌信息 市中心 标志性建筑物 热点地名
公共设施:公共设施 报刊亭 公用电话 公共厕所 紧急避难场所
事件活动:公众活动 突发事件
室内设施:室内设施
通行设施:建筑物门 临街院门 虚拟门
"""
BAIDU = """
美食:中餐厅 外国餐厅 小吃快餐店 蛋糕甜品店 咖啡厅 茶座 酒吧 其他
酒店:星级酒店 快捷酒店 公寓式酒店 民宿 其他
购物:购物中心 百货商场 超市 便利店 家居建材 家电数码 商铺 市场 其他
生活服务:通讯营业厅 邮局 物流公司 售票处 洗衣店 图文快印店 照相馆 房产中介机构 公用事业 维修点
生活服务:家政服务 殡葬服务 彩票销售点 宠物服务 报刊亭 公共厕所 其他
丽人:美容 美发 美甲 美体 其他
旅游景点:公园 动物园 植物园 游乐园 博物馆 水族馆 海滨浴场 文物古迹 教堂 风景区 景点 寺庙 其他
休闲娱乐:度假村 农家院 电影院 ktv 剧院 歌舞厅 网吧 游戏场所 洗浴按摩 休闲广场 其他
运动健身:体育场馆 极限运动场所 健身中心 其他
教育培训:高等院校 中学 小学 幼儿园 成人教育 亲子教育 特殊教育学校 留学中介机构 科研机构 培训机构
教育培训:图书馆 科技馆 其他
文化传媒:新闻出版 广播电视 艺术团体 美术馆 展览馆 文化宫 其他
医疗:综合医院 专科医院 诊所 药店 体检机构 疗养院 急救中心 疾控中心 医疗器械 医疗保健 其他
汽车服务:汽车销售 汽车维修 汽车美容 汽车配件 汽车租赁 汽车检测场 其他
交通设施:飞机场 火车站 地铁站 地铁线路 长途汽车站 公交车站 公交线路 港口 停车场 加油加气站 服务区
交通设施:收费站 桥 充电站 路侧停车位 其他
金融:银行 ATM 信用社 投资理财 典当行 其他
房地产:写字楼 住宅区 宿舍 内部楼栋 其他
公司企业:公司 园区 农林园艺 厂矿 其他
政府机构:中央机构 各级政府 行政单位 公检法机构 涉外机构 党派团体 福利机构 政治教育机构 社会团体
政府机构:民主党派 居民委员会 其他
出入口:高速公路出口 高速公路入口 机场出口 车站出口 门 停车场出入口
自然地物:岛屿 山峰 水系 其他
门址:门址点 其他
"""


def pairs(table: str) -> list[tuple[str, str]]:
    lines = [line.split(":") for line in table.strip().splitlines()]
    return [(large, small) for large, joined in lines for small in joined.split()]


@pytest.mark.parametrize(("large", "middle"), pairs(GAODE) + pairs(BAIDU))
def test_every_class_of_gaode_and_baidu_has_a_category(large: str, middle: str) -> None:
    both = kinds.category_code(f"{large};{middle}")
    assert kinds.is_code(both)
    assert kinds.is_code(kinds.category_code(large))
    if large != "事件活动":
        assert both != "other"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("餐饮服务;中餐厅;火锅店", "hotpot"),
        ("餐饮服务;中餐厅;湖北菜(鄂菜)", "restaurant"),
        ("购物服务;专卖店;珠宝首饰工艺品", "jewellery"),
        ("医疗保健服务;医药保健销售店;药房", "pharmacy"),
        ("科教文化服务;学校;职业技术学校", "vocational"),
        ("生活服务;搬家公司;搬家公司", "housekeeping"),
        ("金融保险服务;银行;农村商业银行", "outlet:bank"),
        ("美食;其他", "food"),
        ("酒店;其他", "hotel"),
        ("金融;ATM", "outlet:atm"),
        ("运动健身-健身中心", "gym"),
        ("丽人 > 美甲美睫", "beauty"),
        ("休闲娱乐;密室逃脱", "games"),
        ("小吃快餐", "snack"),
        ("面包甜点", "bakery"),
        ("零售业", "shopping"),
        ("居民服务、修理和其他服务业", "living"),
        ("shop=supermarket", "supermarket"),
        ("shop=yes", "shopping"),
        ("office=government", "government"),
        ("office=newfangled", "company"),
        ("craft=plumber", "housekeeping"),
        ("healthcare=newfangled", "medical"),
        ("tourism=guest_house", "guest_house"),
        ("amenity=restaurant", "restaurant"),
        ("leisure=fitness_centre", "gym"),
        ("050117", "hotpot"),
        ("50117", "hotpot"),
        ("050301|060400", "snack"),
        ("050199", "restaurant"),
        ("059999", "food"),
        ("160302", "outlet:atm"),
        ("1", ""),
        ("其他", "other"),
        ("社会保险", "welfare"),
        ("天书阁下", ""),
    ],
)
def test_words_are_read_from_the_finest_that_says_something(said: str, code: str) -> None:
    assert kinds.category_code(said) == code


def test_what_the_branch_said_goes_before_what_we_know() -> None:
    words = {"猫咖": "pet", "b类;网点": "outlet:bank", "中餐厅": "hotpot"}
    said = pd.Series(["餐饮;猫咖", "Ｂ类;网点", "餐饮服务;中餐厅|购物", "小学"], dtype="str")
    assert kinds.category_codes(said, words).tolist() == ["pet", "outlet:bank", "hotpot", "primary_school"]
    assert kinds.category_codes(said).tolist() == ["food", "", "restaurant", "primary_school"]


def test_what_is_not_known_is_counted_the_commonest_first() -> None:
    said = pd.Series(["天书", "鬼画符|超市", " 天书 ", "超市", "", "无"], dtype="str")
    codes = kinds.category_codes(said)
    assert codes.tolist() == ["", "", "", "supermarket", "", ""]
    assert kinds.unknown_words(said, codes) == {"天书": 2, "鬼画符": 1}
    assert kinds.unknown_words(said.iloc[:0], codes[:0]) == {}
    known = dict.fromkeys(map(kinds.word_key, kinds.unknown_words(said, codes)), "cafe")
    assert kinds.unknown_words(said, kinds.category_codes(said, known)) == {}


def test_at_most_two_hundred_unknown_words_are_named() -> None:
    said = pd.Series([f"鬼画符{at}号" for at in range(500)], dtype="str")
    assert len(kinds.unknown_words(said, np.full(500, "", dtype=object))) == 200


def test_no_word_of_the_lists_means_two_things() -> None:
    said = pd.read_csv(Path(kinds.__file__).with_name("category_words.csv"), dtype=str, keep_default_na=False)
    words = [kinds.word_key(word) for joined in said["words"] for word in joined.split("|")]
    assert "" not in words
    assert sorted({word for word in words if words.count(word) > 1}) == []
    assert all(kinds.is_code(code) for code in said["code"])
    assert set(catalogue.CATEGORIES["code"]) <= set(kinds._words().values())


def test_a_column_of_fifty_thousand_words_takes_seconds_not_minutes() -> None:
    said = pd.Series([f"第{at}大道旁的旧式理发与烫染{at % 977}" for at in range(50_000)], dtype="str")
    start = time.perf_counter()
    codes = kinds.category_codes(said)
    assert time.perf_counter() - start < 20
    assert set(codes.tolist()) == {"beauty"}
