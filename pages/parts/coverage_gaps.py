"""Void and gap: the trades that are absent or too few, in the zone chosen or over all zones."""

from __future__ import annotations

import streamlit as st
from pandas import DataFrame, concat

from data import catalogue
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones import gaps
from data.zones.gaps import FEWER, VOID
from data.zones.held import Held
from pages.parts import coverage_reads
from pages.parts.tables import names_of
from pages.parts.words import N_, _, language, number, plain

STATE_NAMES = {VOID: N_("None here"), FEWER: N_("Fewer"), gaps.ENOUGH: N_("Enough")}
HEIGHT_PX = 480


def show(asker: Asker, snapshot: Snapshot, held: Held, chosen: int | None) -> None:
    """Show the gaps of the zone chosen; of all zones together where none is."""
    if chosen is not None and chosen in held.plan:
        name = held.plan.zone(chosen).name
        st.markdown(f"**{plain(name)}**")
        st.caption(
            _("Merchants for each 1,000 households, beside those of the whole circle; most is missing first.")
        )
        table(coverage_reads.gaps_of(asker, snapshot, held, chosen))
        return
    st.caption(
        _("In how many zones a trade is absent, or rarer than in the circle. Choose a zone for its own list.")
    )
    over_zones(asker, snapshot, held)
    title = _("The branch beside others")
    st.markdown(f"**{title}**")
    st.caption(_("Beside what the bank's other branches know within twice the radius."))
    found = coverage_reads.gaps_of(asker, snapshot, held, None)
    if found.empty:
        st.info(_("No other branch knows what lies around here: nothing to compare with."))
    else:
        table(found)


def table(found: DataFrame) -> None:
    """Show the trades of a place beside its reference."""
    if found.empty:
        st.info(
            _("No households are known here, so nothing can be said of trades for each 1,000 of them."),
            icon=":material/info:",
        )
        return
    names = names_of(catalogue.CATEGORIES, language())
    shown = DataFrame(
        {
            _("Category"): [names[int(each)] for each in found["category"]],
            _("State"): [_(STATE_NAMES[each]) for each in found["state"]],
            _("Lacking"): [number(round(each, 1)) for each in found["missing"]],
            _("Merchants here"): found["merchants"],
            _("Per 1,000 households"): found["per_1000"].round(2),
            _("Reference per 1,000"): found["reference_per_1000"].round(2),
        }
    )
    draw(shown)


def over_zones(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Show in how many zones each trade is absent or rare, and how many merchants that is."""
    parts = [coverage_reads.gaps_of(asker, snapshot, held, zone_id) for zone_id in held.plan.ids]
    found = concat([part for part in parts if not part.empty] or parts[:1])
    if found.empty:
        table(found)
        return
    found = found.assign(void=found["state"] == VOID, fewer=found["state"] == FEWER)
    by_trade = found.groupby("category")[["void", "fewer", "missing"]].sum()
    by_trade = by_trade.sort_values(["void", "missing"], ascending=False, kind="stable")
    names = names_of(catalogue.CATEGORIES, language())
    draw(
        DataFrame(
            {
                _("Category"): [names[int(each)] for each in by_trade.index],
                _("Zones without"): by_trade["void"].to_numpy(),
                _("Zones with fewer"): by_trade["fewer"].to_numpy(),
                _("Lacking in all"): by_trade["missing"].round(1).to_numpy(),
            }
        )
    )


def draw(shown: DataFrame) -> None:
    """Draw a table of trades."""
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=HEIGHT_PX if len(shown) > 12 else "content",
        column_config={shown.columns[0]: st.column_config.TextColumn(pinned=True)},
    )
