"""Alliances: merchants that gain from each other, brought together with the branch as their hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from data.rights import Asker, Right
from pages.parts import alliance_funnel, alliance_tab, matrix_tab, partner_tab, state
from pages.parts.frame import calm
from pages.parts.here import branch_here, nothing_yet, one_of
from pages.parts.ways import Way
from pages.parts.words import N_, _, in_one_language, plain, spoken

Part = Callable[[Asker, Mapping[str, Any]], None]
PARTS: dict[str, tuple[str, Part]] = {
    "partners": (N_("Partners"), partner_tab.show),
    "alliances": (N_("Alliances"), alliance_tab.show),
    "trades": (N_("Which trades go together"), matrix_tab.show),
    "funnel": (N_("Funnel"), alliance_funnel.show),
}
USUAL = "partners"


@in_one_language
def page(asker: Asker) -> None:
    """Show the page."""
    branch = branch_here()
    if branch is None:
        nothing_yet(_("There is no branch yet."), Way.BRANCHES, _("Add a branch, or make the demo town"))
        return
    if not asker.may(Right.READ_PLANS, branch["id"]):
        text = _("Alliances are for those who work at the branch.")
        nothing_yet(text, Way.BRANCHES, _("See the branches"))
        return
    state.settle_map(branch["id"])
    title = _("Alliances")
    st.markdown(f"## {title} · {plain(branch['name'])}")
    if note := state.take_note():
        st.success(plain(note), icon=":material/check:")
    part = pick_part()
    with calm():
        PARTS[part][1](asker, branch)


def pick_part() -> str:
    """Ask which part of the page is wanted; only that one is worked out."""
    key = state.seed(state.ALLIANCE_PART, lambda text: one_of(text, PARTS), USUAL)
    names = {part: title for part, (title, _show) in PARTS.items()}
    picked: str = st.segmented_control(
        _("Part of the page"),
        list(PARTS),
        required=True,
        default=state.value(key),
        format_func=spoken(names),
        label_visibility="collapsed",
        key=key,
    )
    state.keep(state.ALLIANCE_PART, None if picked == USUAL else picked)
    return picked
