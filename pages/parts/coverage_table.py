"""The table of coverage: a row a zone, one for what lies in none, one for the whole; figures with counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas import DataFrame

from data.figures import FEWEST
from data.rights import Asker, Right
from data.zones.coverage import Report
from data.zones.held import Held
from data.zones.playbooks import KIND_NAMES
from geo.coverage import Figure
from pages.parts import downloads, state
from pages.parts.coverage_words import FIGURES, GROUPS, title, written
from pages.parts.here import one_of
from pages.parts.words import NONE, _, spoken

ROW_PX, HEAD_PX, MOST_PX = 35, 38, 640


def show(asker: Asker, held: Held, report: Report) -> None:
    """Show the table; a row that is clicked is the zone chosen."""
    shown = rows(held, report, GROUPS[pick_group()][1], state.zone_id())
    listing = state.listing(held.plan.ids, state.COVERAGE_TABLE)
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(shown)),
        column_config=columns(shown),
        key=listing.key,
        on_select=partial(state.choose_row, held.plan.ids, state.COVERAGE_TABLE, listing.key),
        selection_mode="single-row",
        selection_default=listing.begins_with,  # type: ignore[arg-type]  # a plain dict will do
    )
    st.caption(
        _("Zones and what lies in none add up to the total, the plan's circle and its zones together.")
    )
    if report.hidden.any(axis=None):
        st.caption(_("Groups of fewer than {count} customers are not shown as figures.", count=FEWEST))
    if asker.may(Right.EXPORT, held.branch_id):
        name = _("Coverage per zone")
        whole = rows(held, report, list(FIGURES))
        downloads.offer(name, lambda: {name: whole}, key=state.COVERAGE_TABLE)


def pick_group() -> str:
    """Ask which figures stand side by side."""
    titles = {name: told for name, (told, _figures) in GROUPS.items()}
    key = state.seed(state.COVERAGE_COLUMNS, lambda text: one_of(text, GROUPS), "coverage")
    picked: str = st.segmented_control(
        _("Figures"),
        list(GROUPS),
        default=state.value(key),
        format_func=spoken(titles),
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    state.keep(state.COVERAGE_COLUMNS, None if picked == "coverage" else picked)
    return picked


def rows(held: Held, report: Report, figures: Sequence[str], chosen: int | None = None) -> DataFrame:
    """Return the table as it stands on screen."""
    lines: list[tuple[str, str, dict[str, Figure]]] = [
        (f"{'▸ ' if zone.id == chosen else ''}{zone.name}", _(KIND_NAMES[zone.kind]), report.zone(zone.id))
        for zone in held.plan.zones
    ]
    lines += [(_("In no zone"), NONE, report.unzoned), (_("Total"), NONE, report.total)]
    table = {
        _("Zone"): [name for name, _kind, _figures in lines],
        _("Kind"): [kind for _name, kind, _figures in lines],
        **{title(name): [written(name, line[name]) for _n, _k, line in lines] for name in figures},
    }
    return pd.DataFrame(table)


def columns(shown: DataFrame) -> dict[str, Any]:
    """Return how the columns look: the name stays in sight, and each title says what it means."""
    meanings = {_(told.title): _(told.meaning) for told in FIGURES.values()}
    found: dict[str, Any] = {
        name: st.column_config.TextColumn(help=meanings[name]) for name in shown.columns if name in meanings
    }
    return {shown.columns[0]: st.column_config.TextColumn(pinned=True), **found}
