"""How partners and alliances are spoken of: their states and stages, the parts of a score, a side's gain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from data import catalogue
from data.alliances.links import STATE_NAMES as LINK_NAMES
from data.alliances.telling import STAGE_NAMES
from geo.coverage import Figure
from pages.parts.words import N_, NONE, _, language, percent, plain

__all__ = [
    "LINK_COLOURS",
    "LINK_NAMES",
    "PARTS",
    "STAGE_MEANINGS",
    "STAGE_NAMES",
    "STATUS_COLOURS",
    "badge",
    "category_name",
    "gain",
    "gain_text",
]

# Of a link: what a person decided about two merchants.
LINK_COLOURS = {"accepted": "green", "refused": "red", "ended": "gray"}
# How closely merchants work together, the loosest first.
STAGE_MEANINGS = {
    "relation": N_("They know of each other and send customers over."),
    "platform": N_("They share an offer, a code or a counter."),
    "ecosystem": N_("Their customers move among all of them, with the branch at the centre."),
}
# Of an alliance.
STATUS_COLOURS = {"forming": "orange", "active": "green", "ended": "gray"}
PARTS = {
    "complement": N_("Trades that go together"),
    "distance": N_("Near each other"),
    "shared": N_("Customers in common"),
    "colocation": N_("Often found together"),
    "readiness": N_("How far we are with them"),
}


def badge(code: str, names: Mapping[str, str], colours: Mapping[str, str] | None = None) -> str:
    """Return a state or a stage as a badge."""
    colour = "blue" if colours is None else colours[code]
    return f":{colour}-badge[{_(names[code])}]"


def category_name(category_id: int) -> str:
    """Return a category's name; a dash for one that is not there."""
    names = catalogue.CATEGORIES.set_index("id")[language()]
    return str(names.get(int(category_id), NONE))


def gain(row: Mapping[str, Any], side: str) -> Figure:
    """Return what a side gains: customers won over out of those it serves; unknown where it is hidden."""
    value, top, whole = (row[name] for name in (f"gain_{side}", f"gain_{side}_n", f"served_{side}"))
    if value is None or math.isnan(value):
        return Figure(None, None, None)
    return Figure(float(value), float(top), float(whole))


def gain_text(row: Mapping[str, Any], side: str, mine: str, theirs: str) -> str:
    """Return a side's gain in a sentence, with numerator and denominator."""
    told = gain(row, side)
    if told.value is None:
        return _("{mine}: the gain is not shown, as it rests on too few customers.", mine=plain(mine))
    return _(
        "{mine} gains {gain}: customers of {theirs} whom it could serve and does not reach, "
        "out of those it serves.",
        mine=f"**{plain(mine)}**",
        gain=f"**{plain(percent(told))}**",
        theirs=plain(theirs),
    )
