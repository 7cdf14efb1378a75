"""Teams: who goes out, in which groups and pairs; one's own zones; visits; and the playbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from data.rights import Asker, Role
from pages.parts import (
    state,
    team_groups,
    team_mine,
    team_pairs,
    team_people,
    team_playbooks,
    team_visits,
)
from pages.parts.frame import calm
from pages.parts.here import branch_of_plans, pick_part
from pages.parts.words import N_, _, in_one_language

Tab = Callable[[Asker, Mapping[str, Any]], None]
TABS: dict[str, tuple[str, Tab]] = {
    "mine": (N_("My zones"), team_mine.show),
    "people": (N_("People and posts"), team_people.show),
    "groups": (N_("Groups"), team_groups.show),
    "pairs": (N_("Pairs for zones"), team_pairs.show),
    "visits": (N_("Visits"), team_visits.show),
    "playbooks": (N_("Playbooks"), team_playbooks.show),
}


@in_one_language
def page(asker: Asker) -> None:
    """Show the page."""
    branch = branch_of_plans(asker, _("Teams"), _("Teams are for those who work at the branch."))
    if branch is None:
        return
    if note := state.take_note():
        st.success(note, icon=":material/check:")
    titles = {tab: title for tab, (title, _show) in TABS.items()}
    first = "mine" if asker.role is Role.MEMBER else "people"  # a customer manager's own zones come first
    tab = pick_part(state.TEAM_TAB, titles, first)
    with calm():
        TABS[tab][1](asker, branch)
