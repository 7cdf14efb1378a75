"""Teams: who goes out, in which groups and pairs; one's own zones; visits; and the playbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from data.rights import Asker, Right, Role
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
from pages.parts.here import branch_here, nothing_yet, one_of
from pages.parts.ways import Way
from pages.parts.words import N_, _, in_one_language, plain, spoken

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
    branch = branch_here()
    if branch is None:
        nothing_yet(_("There is no branch yet."), Way.BRANCHES, _("Add a branch, or make the demo town"))
        return
    if not asker.may(Right.READ_PLANS, branch["id"]):
        nothing_yet(_("Teams are for those who work at the branch."), Way.BRANCHES, _("See the branches"))
        return
    title = _("Teams")
    st.markdown(f"## {title} · {plain(branch['name'])}")
    if note := state.take_note():
        st.success(note, icon=":material/check:")
    tab = pick_tab(asker)
    with calm():
        TABS[tab][1](asker, branch)


def pick_tab(asker: Asker) -> str:
    """Ask which part of the page is wanted: a customer manager's own zones come first."""
    default = "mine" if asker.role is Role.MEMBER else "people"
    key = state.seed(state.TEAM_TAB, lambda text: one_of(text, TABS), default)
    names = {tab: title for tab, (title, _show) in TABS.items()}
    picked: str = st.segmented_control(
        _("Part of the page"),
        list(TABS),
        required=True,
        default=state.value(key),
        format_func=spoken(names),
        label_visibility="collapsed",
        key=key,
    )
    state.keep(state.TEAM_TAB, None if picked == default else picked)
    return picked
