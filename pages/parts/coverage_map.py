"""The map of coverage: the published plan's zones, as dark as a figure of theirs is high."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from data.basemaps import BaseMap
from data.zones.coverage import Report
from data.zones.held import Held
from pages.parts import map as maps
from pages.parts import state
from pages.parts.coverage_words import brief, title
from pages.parts.frame import calm
from pages.parts.map import DrawnZone, Legend, Marked, Ring, Scene
from pages.parts.words import _, distance, ngettext, shorten

# From light to dark, so that it is read without telling colours apart, in grey and in print too.
SHADES = ("#fff3b0", "#a8d8a0", "#4fb0b5", "#2f72b5", "#26256f")
NO_FIGURE = "#d9d9d9"


class Class(NamedTuple):
    """Zones of one shade: from the lowest to the highest value among them."""

    lowest: float
    highest: float
    zones: int
    colour: str


class Look(NamedTuple):
    """What the map is drawn from."""

    branch: Mapping[str, Any]
    held: Held
    report: Report
    base: BaseMap
    figure: str


@st.fragment
@calm()
def show(look: Look) -> None:
    """Show the map; moving it reruns nothing else."""
    view = maps.told(look.base.datum, state.COVERAGE_MAP).view
    if view is not None:
        state.keep_view(view)
    maps.draw(scene(look), key=state.COVERAGE_MAP, part=state.COVERAGE_WORK)


def heed(held: Held, base: BaseMap) -> None:
    """Choose the zone that was clicked since the last run."""
    told = maps.told(base.datum, state.COVERAGE_MAP)
    if told.view is not None:
        state.keep_view(told.view)
    if told.click is not None:
        state.choose_zone(maps.zone_at(held.plan, *told.click))
        state.answer_click(state.COVERAGE_MAP)


def classes(values: Sequence[float]) -> list[Class]:
    """
    Return values in at most as many classes as there are shades, about equally many in each.

    Equal values are always in one class, and what is unknown (NaN) in none.
    """
    known = np.sort(np.array([value for value in values if not math.isnan(value)]))
    if not known.size:
        return []
    count = min(len(SHADES), np.unique(known).size)
    # Each value goes where the middle one of its equals goes.
    first, last = np.searchsorted(known, known, "left"), np.searchsorted(known, known, "right")
    _, at = np.unique((first + last - 1) * count // (2 * known.size), return_inverse=True)
    shades = np.linspace(0, len(SHADES) - 1, int(at.max()) + 1).round().astype(int)
    return [
        Class(float(own.min()), float(own.max()), own.size, SHADES[shades[each]])
        for each in range(int(at.max()) + 1)
        if (own := known[at == each]).size
    ]


def scene(look: Look) -> Scene:
    """Return what the map shows."""
    frame, chosen, name = look.held.plan.frame, state.zone_id(), look.figure
    values = look.report.zones[(name, "value")].astype(float)
    shaded = classes(list(values))
    return Scene(
        base=look.base,
        centre=Marked(frame.lon, frame.lat, look.branch["name"]),
        rings=[Ring(frame.radius_m, _("Radius {radius}", radius=distance(frame.radius_m)), main=True)],
        zones=[
            DrawnZone(
                id=zone.id,
                shape=zone.shape,
                label=f"{shorten(zone.name)} {brief(name, values[zone.id])}",
                fill=colour_of(values[zone.id], shaded),
                selected=zone.id == chosen,
                hatch=math.isnan(values[zone.id]),
                shaded=True,
            )
            for zone in look.held.plan.zones
        ],
        legend=Legend(shading=legend(name, shaded, int(values.isna().sum())), shading_title=title(name)),
    )


def colour_of(value: float, shaded: Sequence[Class]) -> str:
    """Return the shade of a value."""
    return next((each.colour for each in shaded if each.lowest <= value <= each.highest), NO_FIGURE)


def legend(name: str, shaded: Sequence[Class], unknown: int) -> list[tuple[str, str]]:
    """Return the shades with their values, the highest first."""
    rows = [(each.colour, f"{between(name, each)} · {zones(each.zones)}") for each in reversed(shaded)]
    if unknown:
        none = _("No figure")
        rows.append((NO_FIGURE, f"{none} · {zones(unknown)}"))
    return rows


def between(name: str, shade: Class) -> str:
    """Return a class's values: `12% - 25%`."""
    low, high = brief(name, shade.lowest), brief(name, shade.highest)
    return low if low == high else f"{low} – {high}"


def zones(count: int) -> str:
    """Return how many zones."""
    return ngettext("one zone", "{n} zones", count)
