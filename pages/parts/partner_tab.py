"""Partners: the pairs worth linking on the ground asked about, those decided on, and the one looked at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st
from pandas import DataFrame

from data.alliances.links import ACCEPTED, ENDED, REFUSED
from data.basemaps import BaseMap
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import (
    alliance_reads,
    beside,
    partner_card,
    partner_list,
    partner_map,
    partner_none,
    reads,
    state,
)
from pages.parts import partner_scope as scope
from pages.parts.alliance_reads import Ground
from pages.parts.frame import calm
from pages.parts.here import one_of, pick_base
from pages.parts.partner_map import Look
from pages.parts.ways import Way, link
from pages.parts.words import N_, _, in_one_language, number

SUGGESTED = "suggested"
VIEWS = {
    SUGGESTED: N_("Suggested"),
    ACCEPTED: N_("Accepted"),
    REFUSED: N_("Refused"),
    ENDED: N_("Ended"),
}


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the partners."""
    snapshot = reads.snapshot(asker, branch["id"])
    if not len(snapshot.merchants):
        st.info(_("No merchants are known here yet, so there is nobody to link."), icon=":material/info:")
        link(Way.IMPORT, _("Bring in a first list"), ":material/arrow_forward:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        ground = scope.pick(asker, snapshot)
        base = pick_base(bool(branch["is_demo"]))
    work(asker, branch, ground, base)


@st.fragment(key=state.ALLIANCE_WORK)  # a click on the map reruns this, and no more
@calm()
@in_one_language
def work(asker: Asker, branch: Mapping[str, Any], ground: Ground | None, base: BaseMap) -> None:
    """Show the pairs on the map and in a list, and beside them the one chosen."""
    snapshot = reads.snapshot(asker, branch["id"])
    decided = alliance_reads.decisions(asker, snapshot.branch_id)
    view = pick_view(decided)
    rows = pairs(asker, snapshot, ground, decided, view)
    shown = DataFrame() if rows is None else rows
    names = alliance_reads.names(asker, snapshot, [] if shown.empty else [*shown["a"], *shown["b"]])
    look = Look(asker, branch, snapshot, base, ground, shown, names, is_open=view == SUGGESTED)
    partner_map.heed(look)
    left, right = st.columns([62, 38], gap="small")
    with left:
        partner_map.show(look)
        if rows is None and ground is not None:
            beside.wait()
        elif not shown.empty:
            partner_list.show(look)
    with right, calm():
        if not partner_card.show(look, decided):
            hint(look, view, ground is not None and rows is not None)


def pick_view(decided: DataFrame) -> str:
    """Ask which pairs to look at: those suggested, or those somebody decided on."""
    counts = decided["state"].value_counts()
    names = {
        view: _(title) if view == SUGGESTED else f"{_(title)} {number(int(counts.get(view, 0)))}"
        for view, title in VIEWS.items()
    }
    key = state.seed(state.PARTNER_VIEW, lambda text: one_of(text, VIEWS), SUGGESTED)
    picked: str = st.segmented_control(
        _("Pairs"),
        list(VIEWS),
        default=state.value(key),
        format_func=names.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=partial(state.choose_pair, None),
    )
    state.keep(state.PARTNER_VIEW, None if picked == SUGGESTED else picked)
    return picked


def pairs(
    asker: Asker, snapshot: Snapshot, ground: Ground | None, decided: DataFrame, view: str
) -> DataFrame | None:
    """Return the pairs to look at; None while they are being worked out, or nothing says for what."""
    if view != SUGGESTED:
        return on_ground(decided[decided["state"] == view], ground)
    if ground is None:
        return None
    known = alliance_reads.trades()
    apart = alliance_reads.pairs_of(decided)
    with st.spinner(_("Working out who fits whom …")):
        return alliance_reads.suggested(asker, snapshot, known, ground, apart)


def on_ground(rows: DataFrame, ground: Ground | None) -> DataFrame:
    """Return the links of the merchant asked about, or those that touch the zone; else all."""
    if ground is not None and ground.merchant_id is not None:
        return rows[(rows["a"] == ground.merchant_id) | (rows["b"] == ground.merchant_id)]
    if ground is not None and ground.zone is not None:
        return rows[partner_map.touching(rows, ground.zone)]
    return rows


def hint(look: Look, view: str, is_known: bool) -> None:
    """Say what to do where no pair is chosen, or why there is none."""
    if not look.rows.empty:
        st.info(_("Choose a pair in the list or on the map."), icon=":material/touch_app:")
    elif view == SUGGESTED and is_known and look.ground is not None:
        partner_none.show(look.asker, look.snapshot, look.ground)
    elif view != SUGGESTED:
        st.info(_("None here."), icon=":material/info:")
