"""Groups: threes in large groups of about ten, proposed and changed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame

from data import store
from data.rights import Asker, Right
from data.zones.teams import LONGEST_NAME, POST_NAMES, proposed_teams
from pages.parts import state
from pages.parts.frame import calm, reading, writing
from pages.parts.words import NONE, _, ngettext, plain

Names = Mapping[int, str]
BOX_PX = 250
POST_ICONS = {"indoor": ":material/desk:", "outdoor": ":material/directions_walk:"}


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the groups, and let a lead make and change them."""
    branch_id = int(branch["id"])
    with reading() as session:
        people = store.staff(session, asker, branch_id)
        teams = store.teams(session, asker, branch_id)
    names = {
        int(row["id"]): f"{POST_ICONS.get(row['post'] or '', ':material/person:')} {plain(row['name'])}"
        for row in people.to_dict("records")
    }
    may = asker.may(Right.EDIT_PLANS, branch_id)
    if teams.empty:
        st.info(
            _("There are no groups yet. Usually three people are a group, and about ten a large group."),
            icon=":material/groups:",
        )
    for large in teams[teams["parent_id"].isna()].to_dict("records"):
        large_group(asker, branch_id, large, teams, people, names, may=may)
    outside = people[people["team"].isna()]
    if len(outside) and len(teams):
        heading = _("In no group")
        st.markdown(f"**{heading}**  \n" + "　".join(names[int(each)] for each in outside["id"]))
    if may:
        with st.container(horizontal=True):
            propose(asker, branch_id, people, teams, names)
            new_large(asker, branch_id)
    st.caption(
        " · ".join(f"{icon} {_(POST_NAMES[post])}" for post, icon in POST_ICONS.items())
        + " · :material/person: "
        + _("no post")
    )


def large_group(
    asker: Asker,
    branch_id: int,
    large: Mapping[str, Any],
    teams: DataFrame,
    people: DataFrame,
    names: Names,
    *,
    may: bool,
) -> None:
    """Show a large group with its groups side by side."""
    own = teams[teams["parent_id"] == large["id"]].to_dict("records")
    count = sum(len(each["people"]) for each in own)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            many = ngettext("{n} person", "{n} people", count)
            st.markdown(f"#### {plain(large['name'])} :gray[{many}]", width="stretch")
            if may:
                change(asker, branch_id, large, people, parent_id=None)
                new_group(asker, branch_id, large, people)
        with st.container(horizontal=True):
            for each in own:
                with st.container(border=True, width=BOX_PX):
                    st.markdown(f"**{plain(each['name'])}**")
                    st.markdown("  \n".join(names[person] for person in each["people"]) or NONE)
                    if may:
                        change(asker, branch_id, each, people, parent_id=int(large["id"]))


def change(
    asker: Asker,
    branch_id: int,
    team: Mapping[str, Any],
    people: DataFrame,
    *,
    parent_id: int | None,
) -> None:
    """Offer to change a group or to remove it."""
    key = f"{state.TEAM_GROUP}_{team['id']}_{team['revision']}"
    with st.popover(_("Change"), icon=":material/edit:", key=f"{key}_box"), calm():
        name = st.text_input(_("Name"), value=team["name"], max_chars=LONGEST_NAME, key=f"{key}_name")
        who: Sequence[int] = ()
        if parent_id is not None:
            who = pick_people(people, team["people"], f"{key}_who")
        with st.container(horizontal=True):
            if st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save"):
                with writing() as session:
                    store.save_team(
                        session,
                        asker,
                        branch_id,
                        name=name,
                        team_id=int(team["id"]),
                        revision=int(team["revision"]),
                        parent_id=parent_id,
                        people=who,
                    )
                st.rerun()
            if st.button(_("Remove"), icon=":material/delete:", key=f"{key}_drop"):
                with writing() as session:
                    store.drop_team(session, asker, branch_id, int(team["id"]), int(team["revision"]))
                st.rerun()


def new_group(asker: Asker, branch_id: int, large: Mapping[str, Any], people: DataFrame) -> None:
    """Offer to make a group within a large one."""
    key = f"{state.TEAM_GROUP}_new_{large['id']}"
    with st.popover(_("New group"), icon=":material/group_add:", key=f"{key}_box"), calm():
        name = st.text_input(_("Name"), max_chars=LONGEST_NAME, key=f"{key}_name")
        who = pick_people(people, (), f"{key}_who")
        if st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save"):
            with writing() as session:
                store.save_team(session, asker, branch_id, name=name, parent_id=int(large["id"]), people=who)
            st.rerun()


def new_large(asker: Asker, branch_id: int) -> None:
    """Offer to make a large group."""
    key = f"{state.TEAM_GROUP}_new"
    with st.popover(_("New large group"), icon=":material/add:", key=f"{key}_box"), calm():
        name = st.text_input(_("Name"), max_chars=LONGEST_NAME, key=f"{key}_name")
        if st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save"):
            with writing() as session:
                store.save_team(session, asker, branch_id, name=name)
            st.rerun()


def pick_people(people: DataFrame, now: Sequence[int], key: str) -> list[int]:
    """Ask who is in a group; whoever is in another leaves that."""
    called = dict(zip(people["id"], people["name"], strict=True))
    picked: list[int] = st.multiselect(
        _("Who is in it"),
        [int(each) for each in people["id"]],
        default=[int(each) for each in now],
        format_func=called.__getitem__,
        help=_("Whoever is in another group leaves it."),
        placeholder=_("Choose"),
        key=key,
    )
    return picked


def propose(asker: Asker, branch_id: int, people: DataFrame, teams: DataFrame, names: Names) -> None:
    """Offer groups of three with posts mixed, to be looked at before they are taken."""
    proposal = proposed_teams(people)
    key = f"{state.TEAM_GROUP}_propose"
    with st.popover(_("Propose groups"), icon=":material/auto_awesome:", key=f"{key}_box"), calm():
        if not proposal:
            st.markdown(_("Say first who works indoors and who outdoors, under People and posts."))
            return
        for at, large in enumerate(proposal, start=1):
            heading = _("Large group {n}", n=at)
            st.markdown(f"**{heading}**")
            for group in large:
                st.markdown("- " + "　".join(names[person] for person in group))
        if len(teams):
            st.caption(_("They take the place of the groups there are."))
        if st.button(_("Take these groups"), type="primary", icon=":material/check:", key=key):
            seen = {int(row["id"]): int(row["revision"]) for row in teams.to_dict("records")}
            with writing() as session:
                store.take_teams(
                    session,
                    asker,
                    branch_id,
                    proposal,
                    seen,
                    large_name=_("Large group {n}", n="{n}"),
                    name=_("Group {n}", n="{n}"),
                )
            st.rerun()
