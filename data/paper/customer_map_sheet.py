"""The sheet of the customer map: the map, its figures beside it, the customer groups below."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data import catalogue
from data.figures import FEWEST
from data.paper import drawing, legend
from data.paper.drawing import Ground
from data.paper.legend import Key
from data.paper.sheets import GREY, SMALL, Box, Column, Sheets, footer
from data.words import Language, say
from data.written import MASKED, NONE, is_masked, money, number, percent, share
from geo.coverage import Figure, Preference
from geo.errors import N_

MAP = Box(0, 0, 345, 345)
_GAP = 10.0
_MOST_CATEGORIES = 12
Writer = Callable[[float | None, Language], str]
CARDS: dict[str, tuple[str, Writer]] = {
    "customers": (N_("Existing customers"), number),
    "customer_coverage": (N_("Customer coverage"), share),
    "merchants": (N_("Merchants"), number),
    "merchant_coverage": (N_("Merchants signed"), share),
    "deposits": (N_("Deposits"), money),
    "rivals": (N_("Rival outlets"), number),
}


@dataclass(frozen=True, eq=False)
class Told:
    """
    What stands on the sheet, rights and masks already applied.

    Parameters
    ----------
    branch, day, source
        The branch's name, the day of printing, and which data these are.
    lines
        What is looked at: the circle, the filters; a line each.
    cards, groups, categories
        As `data.figures` has them.
    rings
        Their shares and radii.
    ground
        The map.
    """

    branch: str
    day: str
    source: str
    lines: Sequence[str]
    cards: Mapping[str, Figure]
    groups: pd.DataFrame
    categories: pd.DataFrame
    rings: Sequence[str]
    ground: Ground


def drawn(told: Told, language: Language) -> bytes:
    """Return the sheet as a PDF."""
    title = say(N_("Customer map of {branch}"), language, branch=told.branch)
    sheets = Sheets(title, footer(language, told.branch, told.day), language, upright=True)
    box = sheets.turn(title, told.source)
    for line in told.lines:
        box = sheets.lines(line, box, size=SMALL + 0.5, colour=GREY, most=2)
    upper, box = box.rows(MAP.height + 4, 4)
    left, right = Box(upper.left, upper.bottom, upper.width, MAP.height).columns(MAP.width, _GAP)
    keys = drawing.draw(sheets, left, told.ground)
    _beside(sheets, right, told)
    strip, box = box.rows(36, 4)
    note = drawing.ground_note(sheets, told.ground.streets)
    legend.draw(sheets, strip, [*keys, *([Key("none", GREY, note)] if note else [])])
    _groups(sheets, box, told.groups)
    return sheets.done()


# Figures ----------------------------------------------------------------------------------------------------


def _beside(sheets: Sheets, box: Box, told: Told) -> None:
    """Write the cards, the rings and the merchants by category beside the map."""
    for names in (
        ("customers", "customer_coverage"),
        ("merchants", "merchant_coverage"),
        ("deposits", "rivals"),
    ):
        strip, box = box.rows(44, 5)
        one, two = strip.columns((strip.width - 5) / 2, 5)
        for name, room in zip(names, (one, two), strict=True):
            _card(sheets, room, name, told.cards[name])
    if told.rings:
        box = sheets.heading(sheets.say(N_("Rings holding")), box)
        for ring in told.rings:
            box = sheets.lines(ring, box, size=SMALL + 0.5, most=1)
        _, box = box.rows(4)
    box = sheets.heading(sheets.say(N_("Merchants by category")), box)
    if told.categories.empty:
        sheets.lines(sheets.say(N_("No merchants match.")), box, size=SMALL, colour=GREY)
        return
    names_of = dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES[sheets.language], strict=True))
    top = told.categories.head(_MOST_CATEGORIES)
    cells = [_category_cells(row, names_of, sheets.language) for row in top.itertuples()]
    columns = [
        Column(sheets.say(N_("Category")), 7),
        Column(sheets.say(N_("Merchants")), 5, right=True),
        Column(sheets.say(N_("Merchants signed")), 8, right=True),
    ]
    sheets.table(columns, cells, box, size=6.5)


def _category_cells(row: Any, names: Mapping[int, str], language: Language) -> list[str]:
    signed = Figure(row.merchant_coverage, row.signed, row.open)
    return [str(names[row.category]), number(row.merchants, language), percent(signed, language)]


def _card(sheets: Sheets, box: Box, name: str, figure: Figure) -> None:
    title, written = CARDS[name]
    sheets.panel(box)
    inner = box.inset(5)
    sheets.line(sheets.say(title), inner.left, inner.top - 6, size=SMALL - 0.5, colour=GREY, room=inner.width)
    value = MASKED if is_masked(figure) else written(figure.value, sheets.language)
    sheets.line(value, inner.left, inner.top - 21, size=13, bold=True, room=inner.width)
    sheets.line(
        _counts(sheets, figure, written),
        inner.left,
        inner.bottom,
        size=SMALL - 0.5,
        colour=GREY,
        room=inner.width,
    )


def _counts(sheets: Sheets, figure: Figure, written: Writer) -> str:
    """Return what a share is made of, or of how many customers an amount is."""
    if is_masked(figure) or figure.denominator is None:
        return ""
    bottom = number(figure.denominator, sheets.language)
    if written is share:
        return f"{number(figure.numerator, sheets.language)} / {bottom}"
    return sheets.say(N_("of {count} customers"), count=bottom)


def _groups(sheets: Sheets, box: Box, table: pd.DataFrame) -> None:
    """Write coverage, product match and preferences per customer group."""
    box = sheets.heading(sheets.say(N_("Customer groups")), box)
    if table.empty:
        sheets.lines(sheets.say(N_("No customers match.")), box, colour=GREY)
        return
    titles = [
        (N_("Customer group"), 11, False),
        (N_("Existing customers"), 8, True),
        (N_("Target customers"), 8, True),
        (N_("Customer coverage"), 13, True),
        (N_("Product match"), 14, True),
        (N_("Preferences and habits"), 21, False),
        (N_("Channels"), 17, False),
        (N_("Deposits"), 8, True),
    ]
    columns = [Column(sheets.say(title), part, right, lines=2) for title, part, right in titles]
    cells = [_group_cells(row, sheets) for row in table.itertuples()]
    note, body = (None, box)
    if table["masked"].any():
        note = sheets.say(
            N_("Groups of fewer than {count} customers are not shown as figures."), count=FEWEST
        )
        body = Box(box.left, box.bottom + 11, box.width, box.height - 11)
    sheets.table(columns, cells, body, size=SMALL - 0.5)
    if note:
        sheets.line(note, box.left, box.bottom, size=SMALL, colour=GREY, room=box.width)


def _group_cells(row: Any, sheets: Sheets) -> list[str]:
    language = sheets.language
    names = dict(zip(catalogue.GROUPS["id"], catalogue.GROUPS[language], strict=True))
    reachable = row.existing + row.target
    match = NONE
    if not math.isnan(row.product_match):
        match = sheets.say(
            N_("{share} (mean of {count})"),
            share=share(row.product_match, language),
            count=number(row.match_customers, language),
        )
    return [
        str(names[row.group]),
        number(row.existing, language),
        number(row.target, language),
        percent(Figure(row.customer_coverage, row.existing, reachable), language),
        match,
        _preferences(row.tags, language),
        _preferences(row.channels, language),
        money(row.deposits, language),
    ]


def _preferences(found: Sequence[Preference], language: Language) -> str:
    return "  ".join(f"{each.name} {percent(each.figure, language)}" for each in found) or NONE
