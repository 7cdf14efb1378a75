"""Alliances: those there are and those proposed, on the map and in a list; the one chosen as a story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st
from pandas import DataFrame

from data.alliances.held import ENDED, STATUS_NAMES
from data.alliances.links import ACCEPTED
from data.alliances.telling import STAGE_NAMES
from data.basemaps import BaseMap
from data.rights import Asker
from pages.parts import (
    alliance_map,
    alliance_page,
    alliance_paper,
    alliance_proposed,
    alliance_reads,
    alliance_story,
    reads,
    state,
)
from pages.parts.alliance_map import Group, Look
from pages.parts.frame import calm
from pages.parts.here import one_of, pick_base
from pages.parts.ways import Way, link
from pages.parts.words import N_, NONE, _, day, in_one_language, number

THERE, PROPOSED = "there", "proposed"
VIEWS = {THERE: N_("Existing alliances"), PROPOSED: N_("Proposed alliances")}
ROW_PX, HEAD_PX, MOST_PX = 35, 38, 300


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the alliances."""
    snapshot = reads.snapshot(asker, branch["id"])
    if not len(snapshot.merchants):
        st.info(_("No merchants are known here yet, so there is nobody to link."), icon=":material/info:")
        link(Way.IMPORT, _("Bring in a first list"), ":material/arrow_forward:")
        return
    listed = alliance_reads.listed(asker, branch["id"])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        view = pick_view(listed)
        base = pick_base(bool(branch["is_demo"]))
        most = alliance_proposed.pick_most() if view == PROPOSED else 0
    work(asker, branch, view, base, most)


def pick_view(listed: DataFrame) -> str:
    """Ask for those there are, or those proposed."""
    names = {THERE: f"{_(VIEWS[THERE])} {number(len(listed))}", PROPOSED: _(VIEWS[PROPOSED])}
    usual = PROPOSED if listed.empty else THERE
    key = state.seed(state.ALLIANCE_VIEW, lambda text: one_of(text, VIEWS), usual)
    picked: str = st.segmented_control(
        _("Which alliances"),
        list(VIEWS),
        default=state.value(key),
        format_func=names.__getitem__,
        key=key,
        required=True,
    )
    state.keep(state.ALLIANCE_VIEW, picked)
    return picked


@st.fragment(key=state.ALLIANCE_WORK)  # a click on the map reruns this, and no more
@calm()
@in_one_language
def work(asker: Asker, branch: Mapping[str, Any], view: str, base: BaseMap, most: int) -> None:
    """Show the alliances of a kind."""
    if view == PROPOSED:
        alliance_proposed.show(asker, branch, base, most)
    else:
        there(asker, branch, base)


# Those there are --------------------------------------------------------------------------------------------


def there(asker: Asker, branch: Mapping[str, Any], base: BaseMap) -> None:
    """Show the alliances there are, and the one chosen."""
    snapshot = reads.snapshot(asker, branch["id"])
    listed = alliance_reads.listed(asker, branch["id"])
    if listed.empty:
        st.info(_("There is no alliance yet: look at those proposed."), icon=":material/hub:")
        return
    chosen = state.number_in(state.ALLIANCE)
    if chosen not in set(listed["id"]):
        chosen = int(listed["id"].iloc[0])
    links = alliance_reads.decisions(asker, snapshot.branch_id)
    look = Look(asker, branch, snapshot, base, groups(asker, listed), chosen)
    alliance_map.heed(look, lambda clicked: clicked and state.choose_alliance(clicked))
    now = state.number_in(state.ALLIANCE)
    look = look._replace(chosen=now if now in set(listed["id"]) else chosen)
    agreed = alliance_reads.pairs_of(links, [ACCEPTED])
    members = next((group.members for group in look.groups if group.id == look.chosen), ())
    fits = alliance_story.fitting_of(snapshot, members)
    look = look._replace(links=within(look, agreed), fits=fits)
    left, right = st.columns([56, 44], gap="small")
    with left:
        alliance_map.show(look)
        table(look, listed)
        alliance_paper.take_all(asker, snapshot.branch_id)
    with right, calm():
        alliance_page.story(look)
    with calm():
        alliance_page.below(look)


def groups(asker: Asker, listed: DataFrame) -> list[Group]:
    """Return the alliances that have not ended, and the one chosen, with their members."""
    chosen = state.number_in(state.ALLIANCE)
    shown = listed[(listed["status"] != ENDED) | (listed["id"] == (chosen or -1))]
    found = []
    for row in (shown if len(shown) else listed.head(1)).itertuples():
        members = alliance_reads.alliance(asker, int(row.id)).members
        ids = members.loc[members["left"].isna(), "merchant_id"].astype(int).tolist()
        found.append(Group(int(row.id), str(row.name), tuple(ids)))
    return found


def within(look: Look, pairs: frozenset[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pairs of which both belong to the alliance chosen."""
    members = {each for group in look.groups if group.id == look.chosen for each in group.members}
    return sorted(pair for pair in pairs if members.issuperset(pair))


def table(look: Look, listed: DataFrame) -> None:
    """Show the alliances in a list; a row that is clicked is the one chosen."""
    ids = [int(each) for each in listed["id"]]
    shown = DataFrame(
        {
            _("Alliance"): [
                f"{'▸ ' if row.id == look.chosen else ''}{row.name}" for row in listed.itertuples()
            ],
            _("Status"): [_(STATUS_NAMES[each]) for each in listed["status"]],
            _("Stage"): [_(STAGE_NAMES[each]) for each in listed["stage"]],
            _("Members"): listed["members"].to_numpy(),
            _("Owner"): listed["owner"].to_numpy(),
            _("Campaign"): [dates(row.starts, row.ends) for row in listed.itertuples()],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(shown)),
        placeholder=NONE,
        key=state.ALLIANCE_LIST,
        on_select=partial(choose, look, ids),
        selection_mode="single-row",
    )


def choose(look: Look, ids: Sequence[int]) -> None:
    """Choose the alliance whose row was clicked, and send the map there; a callback."""
    state.choose_listed(state.ALLIANCE_LIST, ids, state.choose_alliance)
    chosen = state.number_in(state.ALLIANCE)
    members = next((group.members for group in look.groups if group.id == chosen), ())
    view = alliance_map.middle(look.snapshot, members)
    if view is not None:
        state.fly_to(view)


def dates(starts: Any, ends: Any) -> str:
    """Return from when to when; a dash where neither is known."""
    if starts is None and ends is None:
        return NONE
    return f"{day(starts)} – {day(ends)}"
