"""Alliances: merchants that gain from each other, brought together with the branch as their hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from data.rights import Asker
from pages.parts import alliance_funnel, alliance_tab, matrix_tab, partner_tab, state
from pages.parts.frame import calm
from pages.parts.here import branch_of_plans, pick_part
from pages.parts.words import N_, _, in_one_language, plain

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
    branch = branch_of_plans(asker, _("Alliances"), _("Alliances are for those who work at the branch."))
    if branch is None:
        return
    state.settle_map(branch["id"])
    if note := state.take_note():
        st.success(plain(note), icon=":material/check:")
    titles = {part: title for part, (title, _show) in PARTS.items()}
    part = pick_part(state.ALLIANCE_PART, titles, USUAL)
    with calm():
        PARTS[part][1](asker, branch)
