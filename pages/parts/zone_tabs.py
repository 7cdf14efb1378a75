"""What stands below the map of zones: the rules, plans compared, files to take away, what was done."""

from __future__ import annotations

import streamlit as st
from pandas import DataFrame

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.held import Held
from pages.parts import state, zone_compare, zone_files, zone_plans, zone_reads, zone_rules
from pages.parts.frame import calm
from pages.parts.words import N_, _, moment
from pages.parts.zone_change import deed

STATES = {
    "done": "",
    "undone": N_("taken back"),
    "dropped": N_("taken back"),
    "step": "",
}
LINES_SHOWN = 200


# On a phone the columns stand one below the other: what is below the map comes after the list and the card.
_COLUMN = "[data-testid='stColumn']:has(> [data-testid='stVerticalBlock'] > .st-key-{tabs})"
_STYLE = """<style>@media (max-width: 640px) {{
{column}, {column} > [data-testid='stVerticalBlock'] {{display: contents}}
{column} > [data-testid='stVerticalBlock'] > * {{flex: 1 1 100%}}
{column} + [data-testid='stColumn'] {{order: 1}}
.st-key-{tabs} {{order: 2}}
}}</style>"""


def after_the_list() -> None:
    """Let the tabs come after the list of zones where the page is narrow."""
    st.html(_STYLE.format(column=_COLUMN.format(tabs=state.ZONE_TABS), tabs=state.ZONE_TABS))


def show(asker: Asker, snapshot: Snapshot, held: Held, other: Held | None, *, may: bool) -> None:
    """Show the tabs; what is not looked at is not worked out."""
    names = [_("Rules"), _("Compare plans"), _("Take out"), _("What was done")]
    rules, compared, files, done = st.tabs(names, on_change="rerun", key=state.ZONE_TABS)
    if rules.open:
        with rules, calm():
            zone_rules.show(asker, held, zone_reads.breaches(asker, snapshot, held), may=may)
    if compared.open:
        with compared, calm():
            rows = zone_reads.listed(asker, held.branch_id)
            labels = {int(row["id"]): zone_plans.label(row) for row in rows.to_dict("records")}
            zone_compare.part(held, other, rows, labels)
    if files.open:
        with files, calm():
            zone_files.downloads(asker, snapshot, held)
    if done.open:
        with done, calm():
            history(zone_reads.history(asker, held.id))


def history(rows: DataFrame) -> None:
    """Show what was done to the plan, the newest first."""
    if rows.empty:
        st.caption(_("Nothing was changed yet."))
        return
    shown = rows.head(LINES_SHOWN)
    st.dataframe(
        DataFrame(
            {
                _("When"): [moment(at) for at in shown["at"]],
                _("Who"): shown["by"].to_numpy(),
                _("What"): [
                    deed(what, zones) for what, zones in zip(shown["what"], shown["zones"], strict=True)
                ],
                _("State"): [_(STATES[each]) if STATES[each] else "" for each in shown["state"]],
            }
        ),
        hide_index=True,
        width="stretch",
    )
