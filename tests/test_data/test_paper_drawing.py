"""What is drawn on paper fits: text in its room, signs where they belong, nothing cut off or twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from shapely.geometry import Point, box

from data.basemaps import BaseMap
from data.paper import drawing, fonts, legend, streets
from data.paper.atlas_sheets import Atlas, ZoneSheet, drawn
from data.paper.drawing import Area, Ground, Ring
from data.paper.marks import Dots, Shades
from data.paper.sheets import Box, Column, Sheets
from data.paper.view import View
from data.zones.playbooks import shipped
from geo.catchment import circle, destination
from geo.errors import FileError
from geo.plans import KINDS, Frame, Plan, Zone
from tests.test_data.conftest import LAT, LON

HOSTILE = "<script>alert(1)</script>"
LONG = "老城区步行街及周边批发市场（含地下商业街、停车场和东侧农贸市场）"
COLUMNS = [Column("", 2, right=True), Column("片区", 8, lines=2)]


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    fonts.load()


# Text -------------------------------------------------------------------------------------------------------


def test_chinese_breaks_anywhere_but_not_before_a_closing_mark() -> None:
    room = fonts.width("人民路东", 10)
    assert fonts.broken("人民路东，河湾路。", room, 10) == ["人民路", "东，河湾", "路。"]


def test_english_breaks_between_words_and_a_word_too_long_is_broken_itself() -> None:
    room = fonts.width("merchants to", 10)
    assert fonts.broken("merchants to visit", room, 10) == ["merchants to", "visit"]
    lines = fonts.broken("unbreakable" * 4, room, 10)
    assert "".join(lines) == "unbreakable" * 4
    assert all(fonts.width(line, 10) <= room for line in lines)


def test_what_does_not_fit_shows_that_something_is_missing() -> None:
    assert fonts.fitted("人民路商圈", fonts.width("人民路…", 10), 10) == "人民路…"
    assert fonts.broken("人民路商圈河湾路东口", fonts.width("人民路…", 10), 10, most=2)[-1].endswith("…")


def test_marks_that_turn_or_hide_text_are_taken_out() -> None:
    assert fonts.clean("人民\u202e路\x00\n 商\u200b圈\t") == "人民路 商圈"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.floats(40, 200), st.integers(1, 3))
def test_lines_never_stick_out_and_nothing_is_lost_where_all_lines_may_be_written(
    text: str, room: float, most: int
) -> None:
    lines = fonts.broken(text, room, 9)
    assert all(fonts.width(line, 9) <= room + 1e-6 for line in lines)
    assert "".join("".join(lines).split()) == "".join(
        "".join(fonts.clean(paragraph) for paragraph in text.splitlines()).split()
    )
    assert len(fonts.broken(text, room, 9, most=most)) <= most


def test_without_its_font_nothing_is_drawn_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FILES", {"Gone": Path("/nowhere/gone.ttf")})
    with pytest.raises(FileError, match="make setup"):
        fonts.load.__wrapped__()


# Sheets -----------------------------------------------------------------------------------------------------


def sheets() -> Sheets:
    return Sheets("试印", "页脚", "zh", upright=True)


def text_of(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_sheets_are_numbered_and_the_same_content_makes_the_same_bytes() -> None:
    def made() -> bytes:
        found = sheets()
        for title in ("第一页", "第二页"):
            found.turn(title)
        return found.done()

    assert made() == made()
    first, second = text_of(made())
    assert "第一页" in first and "1 / 2" in first and "页脚" in first
    assert "第二页" in second and "2 / 2" in second


def test_a_table_writes_what_fits_and_says_how_much_that_was() -> None:
    found = sheets()
    body = found.turn("表")
    rows = [[str(number), LONG] for number in range(100)]
    written, rest = found.table(COLUMNS, rows, Box(body.left, body.bottom, 300, 200))
    assert 5 < written < 100
    assert rest.bottom == body.bottom and rest.height < 40
    text = text_of(found.done())[0]
    assert f"\n{written - 1}\n" in text and f"\n{written}\n" not in text


# The map ----------------------------------------------------------------------------------------------------


def test_the_map_is_to_scale_with_north_up_and_shows_all_of_what_it_is_of() -> None:
    room = Box(50, 60, 400, 300)
    view = View.of(room, LON, LAT, circle(LON, LAT, 1000))
    ends = [destination(LON, LAT, azimuth, 1000) for azimuth in (0, 90, 180, 270)]
    x, y = view.points(*(np.array(axis) for axis in zip(*ends, strict=True)))
    assert view.branch == pytest.approx((250, 210))
    assert (x[1] - x[3]) == pytest.approx(2000 * view.scale, rel=1e-6)
    assert y[0] - 210 == pytest.approx(1000 * view.scale, rel=1e-6)
    assert view.holds(x, y).all()
    west, south, east, north = view.degrees()
    assert west < LON < east and south < LAT < north


def merchants(count: int, spread_m: float) -> Dots:
    spots = np.random.default_rng(1).normal(size=(count, 2)) * spread_m / 111_000
    return Dots(
        LON + spots[:, 0],
        LAT + spots[:, 1],
        np.full(count, "#d1495b", dtype=object),
        np.arange(count).astype(np.int8) % 3,
    )


def drawn_map(ground: Ground) -> tuple[list[legend.Key], bytes]:
    found = sheets()
    keys = drawing.draw(found, found.turn("图"), ground)
    return keys, found.done()


def test_a_few_merchants_are_dots_and_thousands_are_bubbles_with_their_number() -> None:
    few, _content = drawn_map(Ground(LON, LAT, [Ring(1000)], dots=merchants(30, 300)))
    assert {key.text for key in few} >= {"已签约", "已接触", "餐饮"}
    many, content = drawn_map(Ground(LON, LAT, [Ring(1000)], dots=merchants(5000, 300)))
    assert [key.sign for key in many] == ["square", "bubble"]
    counts = [int(line) for line in text_of(content)[0].splitlines() if line.isdecimal()]
    assert 4900 < sum(counts) <= 5000  # all but those beyond the map


def test_under_a_walk_crowded_merchants_are_a_shade_and_stops_have_their_numbers() -> None:
    walk = np.array([destination(LON, LAT, 90, metres) for metres in (100, 300, 500)])
    keys, content = drawn_map(Ground(LON, LAT, [Ring(1000)], dots=merchants(5000, 300), stops=walk))
    assert "bubble" not in {key.sign for key in keys}
    assert {"1", "2", "3"} <= set(text_of(content)[0].splitlines())


def test_customers_are_drawn_only_where_five_or_more_are_together() -> None:
    def shown(people: float) -> list[str]:
        one = np.array([LON]), np.array([LAT]), np.array([people])
        keys, _content = drawn_map(Ground(LON, LAT, [Ring(1000)], shades=Shades(*one)))
        return [key.text for key in keys[1:]]

    assert shown(4) == []
    assert shown(5) == ["存量及目标客户：5 人及以上"]


def test_names_of_zones_never_stand_over_one_another() -> None:
    step = 0.0006
    areas = [
        Area(
            box(LON + a * step, LAT + b * step, LON + (a + 1) * step, LAT + (b + 1) * step),
            LONG,
            str(10 * a + b),
        )
        for a in range(10)
        for b in range(10)
    ]
    placed: list[Box] = []
    found = sheets()
    ground = Ground(LON, LAT, [], areas)
    body = found.turn("图")
    view = View.of(body, LON, LAT, drawing.around(ground))
    drawing._labels(found, view, ground, placed)
    assert len(placed) > 50
    for at, one in enumerate(placed):
        assert not [other for other in placed[:at] if drawing._overlap(one, other)]


def test_streets_come_out_of_a_file_of_tiles_and_a_broken_file_is_no_street(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pmtiles"
    broken.write_bytes(b"PMTiles" + bytes(200))
    base = BaseMap("own", "自有", "Own", "pmtiles", "wgs84", True, path=broken)
    assert streets.of(base, (LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01), 300) is None
    assert streets.of(None, (0, 0, 1, 1), 300) is None


# An atlas of many zones -------------------------------------------------------------------------------------


def many_zones(count: int) -> Iterator[Zone]:
    step = 0.001
    for at in range(count):
        west, south = LON + (at % 20 - 10) * step, LAT + (at // 20 - 5) * step
        name = (HOSTILE, LONG, f"第{at + 1}片区")[at % 3]
        yield Zone(at + 1, name, box(west, south, west + step, south + step), KINDS[at % 4])


def atlas(zones: tuple[Zone, ...], *, with_sheets: bool) -> Atlas:
    plan = Plan(Frame(LON, LAT, 1500, 9), zones)
    none = Dots(np.empty(0), np.empty(0), np.empty(0, dtype=object), np.empty(0, dtype=np.int8))
    return Atlas(
        branch="人民路支行",
        plan_name=LONG * 2,
        status="草稿",
        day="2026年11月22日",
        plan=plan,
        summary=[("片区", str(len(plan)))],
        columns=COLUMNS,
        rows=[[str(zone.id), zone.name] for zone in plan.zones],
        total=[["", "合计"]],
        sheets=[
            ZoneSheet(zone, (), [("商户", "0")], shipped(zone.kind), (), 0, 0.0, none)
            for zone in plan.zones
            if with_sheets
        ],
        streets=lambda _bounds, _wide: None,
    )


def test_two_hundred_zones_are_all_in_the_overview() -> None:
    pages = text_of(drawn(atlas(tuple(many_zones(200)), with_sheets=False), "zh"))
    assert len(pages) > 1
    lines = [line for page in pages for line in page.splitlines()]
    assert {str(number) for number in range(1, 201)} <= set(lines)
    assert "合计" in lines
    assert all(f"{number} / {len(pages)}" in page for number, page in enumerate(pages, start=1))


def test_a_sheet_with_hostile_and_long_names_shows_them_as_text() -> None:
    overview, first, second, _third = text_of(drawn(atlas(tuple(many_zones(3)), with_sheets=True), "zh"))
    assert HOSTILE in first and LONG in second.replace("\n", "")
    assert "尚未配人" in first and "没有待走访的商户" in first
    assert "无街道底图" in overview


def test_a_plan_without_zones_says_so() -> None:
    pages = text_of(drawn(atlas((), with_sheets=True), "en"))
    assert len(pages) == 1 and "This plan has no zones yet." in pages[0]


def test_a_sheet_is_drawn_within_its_margins_and_not_blank() -> None:
    content = drawn(atlas(tuple(many_zones(40)), with_sheets=False), "zh")
    document = pypdfium2.PdfDocument(content)
    try:
        picture = np.asarray(document[0].render(scale=1).to_pil().convert("L"))
    finally:
        document.close()
    dark = picture < 200
    assert dark.mean() > 0.01
    assert not dark[:20].any() and not dark[-15:].any() and not dark[:, :20].any() and not dark[:, -20:].any()


def test_shapes_far_larger_than_the_sheet_cost_no_more_than_what_is_seen_of_them() -> None:
    edge = shapely.segmentize(Point(LON, LAT).buffer(3.0), 0.0001)
    _keys, content = drawn_map(
        Ground(LON, LAT, [Ring(500)], [Area(edge, "大")], around=circle(LON, LAT, 500))
    )
    assert len(content) < 100_000
