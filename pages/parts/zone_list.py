"""The zones of a plan in a list: what each holds, against what it is held to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from pandas import DataFrame

from data.zones.held import Held
from data.zones.playbooks import KIND_NAMES
from geo.plans import MEASURES, Measure, Plan, Zone
from pages.parts import state
from pages.parts.words import NONE, _, ngettext, share
from pages.parts.zone_words import MEASURE_NAMES, limits

ROW_PX, HEAD_PX = 35, 38
MOST_PX, BESIDE_PX = 420, 250  # of the list alone; beside a card
LOCKED = "🔒 "


def show(held: Held, loads: DataFrame, names: Mapping[int, str], unzoned: int) -> None:
    """Show the list; a row that is clicked is the zone chosen."""
    plan = held.plan
    summed(plan, loads, unzoned)
    if not len(plan):
        st.info(_("No zones yet: draw one on the map, read a file, or let them be designed."))
        return
    table = rows(plan, loads, names)
    listing = state.listing(plan.ids, state.ZONE_LIST)
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=min(BESIDE_PX if (state.zone_id() or 0) in plan else MOST_PX, HEAD_PX + ROW_PX * len(table)),
        column_config=columns(),
        key=listing.key,
        on_select=partial(state.choose_row, plan.ids, state.ZONE_LIST, listing.key),
        selection_mode="single-row",
        selection_default=listing.begins_with,  # type: ignore[arg-type]  # a plain dict will do
    )


def summed(plan: Plan, loads: DataFrame, unzoned: int) -> None:
    """Say how many zones there are, what lies in none, and what they are held to."""
    zones = ngettext("**One zone**", "**{n} zones**", len(plan))
    left = ngettext("one merchant in no zone", "{n} merchants in no zone", unzoned)
    st.markdown(f"{zones} · {left}")
    for measure in plan.frame.measures:
        if len(plan):
            st.caption(f"{_(MEASURE_NAMES[measure.name])}: {limits(measure, ideal_of(measure, loads))}")


def rows(plan: Plan, loads: DataFrame, names: Mapping[int, str]) -> DataFrame:
    """Return a row a zone, in the order of their numbers."""
    found = loads.reindex(list(plan.ids))
    table = {
        _("Zone"): [f"{LOCKED if zone.locked else ''}{zone.name}" for zone in plan.zones],
        _("Against the limits"): [against(plan, zone, found) for zone in plan.zones],
        **{_(MEASURE_NAMES[name]): found[name].to_numpy() for name in MEASURES if name in found},
        _("Kind"): [_(KIND_NAMES[zone.kind]) for zone in plan.zones],
        _("Worked by"): [people(zone, names) for zone in plan.zones],
    }
    return pd.DataFrame(table)


def columns() -> dict[str, Any]:
    """Return how the columns are written."""
    pinned = {_("Zone"): st.column_config.TextColumn(width=108, pinned=True)}
    numbers = {
        _(MEASURE_NAMES[name]): st.column_config.NumberColumn(
            format="%.1f" if name == "hours" else "compact" if name == "deposits" else "%d", width="small"
        )
        for name in MEASURES
    }
    return {**pinned, **numbers, _("Against the limits"): st.column_config.TextColumn(width=124)}


def people(zone: Zone, names: Mapping[int, str]) -> str:
    """Return who works a zone."""
    return _(", ").join(names.get(person, _("somebody who left")) for person in zone.pair) or NONE


def ideal_of(measure: Measure, loads: DataFrame) -> float:
    """Return what a zone should hold: the target, or an equal part of the whole."""
    if measure.target is not None:
        return measure.target
    whole = float(np.nansum(loads[measure.name].to_numpy(dtype=np.float64)))
    return whole / max(1, len(loads))


def against(plan: Plan, zone: Zone, loads: DataFrame) -> str:
    """Return where a zone stands against what it is held to: `✓`, or the measure it is farthest off in."""
    worst, said = 0.0, "✓"
    for measure in plan.frame.measures:
        held, ideal = float(loads.at[zone.id, measure.name]), ideal_of(measure, loads)
        if np.isnan(held) or ideal <= 0:
            continue
        off = held / ideal - 1.0
        breaks = (
            abs(off) > measure.tolerance
            or (measure.lowest is not None and held < measure.lowest)
            or (measure.highest is not None and held > measure.highest)
        )
        if breaks and abs(off) >= worst:
            sign = "▲ +" if off > 0 else "▼ −"
            worst, said = abs(off), f"{sign}{share(abs(off))}"
            if len(plan.frame.measures) > 1:
                said = f"{said} {_(MEASURE_NAMES[measure.name])}"
    return said if plan.frame.measures else NONE
