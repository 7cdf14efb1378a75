"""Alliances proposed: those that together reach most customers, each taken over with one click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st
from pandas import DataFrame

from data.alliances import held as store_held
from data.alliances.forming import AT_MOST, Proposal, Proposed
from data.alliances.held import LONGEST_NAME
from data.basemaps import BaseMap
from data.rights import Asker, Right
from pages.parts import alliance_map, alliance_reads, alliance_story, beside, reads, state
from pages.parts.alliance_map import Group, Look
from pages.parts.alliance_scores import figure, metrics, sides
from pages.parts.alliance_words import category_name
from pages.parts.frame import calm, writing
from pages.parts.ways import Way, link
from pages.parts.words import NONE, _, distance, ngettext, number, percent, plain, share, shorten

MOST = 30
ROW_PX, HEAD_PX, MOST_PX = 35, 38, 340


def pick_most() -> int:
    """Ask how many alliances at most."""
    key = state.seed(state.ALLIANCE_MOST, lambda text: min(max(int(text), 1), MOST), AT_MOST)
    most: int = st.number_input(
        _("At most so many alliances"),
        1,
        MOST,
        state.value(key),
        step=1,
        key=key,
        width=190,
        help=_("Those that together reach most customers are chosen among all that are sensible."),
    )
    state.keep(state.ALLIANCE_MOST, None if most == AT_MOST else str(most))
    return int(most)


def show(asker: Asker, branch: Mapping[str, Any], base: BaseMap, most: int) -> None:
    """Show the alliances proposed, and the one chosen."""
    snapshot = reads.snapshot(asker, branch["id"])
    with st.spinner(_("Working out which alliances reach most …")):
        found = alliance_reads.proposed(asker, snapshot, alliance_reads.trades(), most)
    if found is None:
        beside.wait()
        return
    if not found.alliances:
        nothing(found)
        if not len(snapshot.customers) and asker.may(Right.IMPORT, snapshot.branch_id):
            link(Way.IMPORT, _("Bring in a list of customers"), ":material/arrow_forward:")
        return
    summed(found)
    names = alliance_reads.names(asker, snapshot, [each for one in found.alliances for each in one.members])
    groups = [Group(one.id, title(one, names), one.members) for one in found.alliances]
    look = Look(asker, branch, snapshot, base, groups, chosen(found))
    alliance_map.heed(look, lambda clicked: clicked and state.choose_proposal(clicked))
    look = look._replace(chosen=chosen(found))
    one = next(each for each in found.alliances if each.id == look.chosen)
    look = look._replace(fits=alliance_story.fitting_of(snapshot, one.members))
    left, right = st.columns([56, 44], gap="small")
    with left:
        alliance_map.show(look)
        table(look, found.alliances)
    with right, calm(), st.container(border=True):
        story(look, one, names)


def chosen(found: Proposed) -> int:
    """Return the proposal looked at; the first at first."""
    asked = state.number_in(state.PROPOSAL)
    known = [one.id for one in found.alliances]
    return asked if asked in known else known[0]


def nothing(found: Proposed) -> None:
    """Say why none is proposed, and what to do."""
    text, values = found.why or ("", {})
    if text:
        st.info(_(text, **values), icon=":material/hub:")
    st.markdown(
        _(
            "An alliance is proposed where at least three merchants of different needs lie within a walk of "
            "each other and each gains from the others. Customers on the map and categories of merchants "
            "are what that is worked out from."
        )
    )


def summed(found: Proposed) -> None:
    """Say how many customers the alliances reach together, and how near that is to the best."""
    told = figure(found.covered_share, found.covered, found.scope)
    count = ngettext("One alliance", "{n} alliances", len(found.alliances))
    lines = [_("{count} of {n} sensible ones", count=count, n=number(found.candidates))]
    if told.value is not None:
        lines.append(_("together they reach {share} of the circle's customers", share=percent(told)))
        lines.append(
            _("no other choice reaches more")
            if found.exact
            else _("no choice of as many reaches more than {share}", share=share(found.bound))
        )
    st.markdown(plain(" · ".join(lines)))


def title(one: Proposal, names: Mapping[int, str]) -> str:
    """Return what a proposal is called: its first merchant and the trade it stands for."""
    lead = shorten(names.get(one.lead, NONE))
    name = _("{name} and neighbours ({trade})", name=lead, trade=category_name(one.category_id))
    return name[:LONGEST_NAME]


# The list and the one chosen --------------------------------------------------------------------------------


def table(look: Look, alliances: Sequence[Proposal]) -> None:
    """Show the proposals in a list; a row that is clicked is the one chosen."""
    marks = ["▸ " if group.id == look.chosen else "" for group in look.groups]
    shown = DataFrame(
        {
            _("Alliance"): [f"{mark}{group.name}" for mark, group in zip(marks, look.groups, strict=True)],
            _("Members"): [len(one.members) for one in alliances],
            _("Reached anew"): [number(one.adds) for one in alliances],
            _("Convenience"): [share(one.scores.convenience) for one in alliances],
            _("Least gain"): [share(one.scores.profit) for one in alliances],
            _("Needs"): [len(one.scores.needs) for one in alliances],
            _("Longest walk"): [distance(one.longest_m) for one in alliances],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(shown)),
        placeholder=NONE,
        key=state.PROPOSAL_LIST,
        on_select=partial(choose, look),
        selection_mode="single-row",
    )


def choose(look: Look) -> None:
    """Choose the proposal whose row was clicked, and send the map there; a callback."""
    state.choose_listed(state.PROPOSAL_LIST, [group.id for group in look.groups], state.choose_proposal)
    asked = state.number_in(state.PROPOSAL)
    members = next((group.members for group in look.groups if group.id == asked), ())
    view = alliance_map.middle(look.snapshot, members)
    if view is not None:
        state.fly_to(view)


def story(look: Look, one: Proposal, names: Mapping[int, str]) -> None:
    """Tell what a proposal would be, and offer to take it over."""
    name = next(group.name for group in look.groups if group.id == one.id)
    st.markdown(f"#### {plain(name)}")
    metrics(one.scores)
    kinds = alliance_reads.categories(look.snapshot, one.members)
    present = DataFrame(
        {
            "merchant_id": list(kinds),
            "name": [names.get(each, NONE) for each in kinds],
            "category_id": list(kinds.values()),
        }
    )
    listed = [f"{row.name} ({category_name(row.category_id)})" for row in present.itertuples()]
    alliance_story.tell(_("Who they are"), [plain(_(", ").join(listed))])
    alliance_story.tell(_("Why"), alliance_story.why(alliance_reads.trades(), present))
    alliance_story.tell(_("What each gains"), alliance_story.gains(sides(one.scores, names)))
    alliance_story.tell(_("Whom it reaches"), alliance_story.reaches(look, one.scores))
    if look.asker.may(Right.EDIT_PLANS, look.snapshot.branch_id) and st.button(
        _("Take it over"),
        type="primary",
        icon=":material/hub:",
        key=f"{state.PROPOSAL}_take_{one.id}",
        help=_("It becomes an alliance that is forming; members can still come and go."),
    ):
        take_over(look, one, name)


def take_over(look: Look, one: Proposal, name: str) -> None:
    """Form the alliance, and look at it."""
    asker, is_done = look.asker, False
    with calm():
        with writing() as session:
            alliance_id = store_held.form_alliance(
                session, asker, look.snapshot.branch_id, name, one.members, owner_id=asker.person_id
            )
        is_done = True
    if is_done:
        state.choose_proposal(None)
        state.choose_alliance(alliance_id)
        state.turn_to(state.ALLIANCE_VIEW, "there")
        state.leave_note(_("The alliance is forming: agree on offers, then make it active."))
        st.rerun()
