"""Pairs for zones: who works which, their work beside their hours, and a proposal the lead confirms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from pandas import DataFrame, Series

from data import store
from data.rights import Asker, Right
from data.zones import coverage
from data.zones.held import DRAFT, Held
from data.zones.pairs import proposed_pairs, work_of_people, work_of_zones
from data.zones.playbooks import KIND_NAMES
from data.zones.teams import INDOOR, OUTDOOR, POST_NAMES
from geo.plans import Change, Move, Zone
from pages.parts import reads, state, zone_reads
from pages.parts.frame import calm, reading, writing
from pages.parts.ways import Way, link
from pages.parts.words import N_, NONE, _, day, ngettext, plain

STATUS_NAMES = {
    "draft": N_("draft"),
    "published": N_("in force"),
    "past": N_("past"),
}
FLAGS = {
    "no_pair": N_("no named pair"),
    "one_post": N_("not one indoor and one outdoor"),
    "too_much": N_("more work than hours"),
}
ROW_PX = 35
MOST_PX = 560


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show a plan's zones with their pairs, and let a lead give people to them."""
    branch_id = int(branch["id"])
    plans = zone_reads.listed(asker, branch_id)
    if plans.empty:
        st.info(_("There is no plan of zones yet."), icon=":material/grid_view:")
        link(Way.ZONES, _("Begin with zones"), ":material/arrow_forward:")
        return
    with reading() as session:
        people = store.staff(session, asker, branch_id)
        held = store.plan(session, asker, pick_plan(plans))
    hours = coverage.loads(reads.snapshot(asker, branch_id), held.plan, held.id, asker=asker)["hours"]
    zones_table(work_of_zones(held.plan, people, hours.fillna(0.0)), hours)
    if asker.may(Right.EDIT_PLANS, branch_id):
        tools(asker, held, people, hours.fillna(0.0))
    people_table(work_of_people(held.plan, people, hours.fillna(0.0)))
    history(asker, branch_id)


def pick_plan(plans: DataFrame) -> int:
    """Ask for the plan; the one in force comes first."""
    rows = plans.assign(first=plans["status"] != "published").sort_values("first", kind="stable")
    names = {
        int(row["id"]): f"{row['name']} · {_(STATUS_NAMES[str(row['status'])])}"
        for row in rows.to_dict("records")
    }
    state.settle_team_plan()
    picked: int = st.selectbox(
        _("Plan of zones"), list(names), format_func=names.__getitem__, key=state.TEAM_PLAN, width=320
    )
    return picked


# What there is ----------------------------------------------------------------------------------------------


def zones_table(work: DataFrame, hours: Series) -> None:
    """Show the zones: their pair, their work, and what is wrong."""
    flagged = int((work["flag"] != "").sum())
    missing = int((work["flag"] == "no_pair").sum())
    if missing:
        st.warning(
            ngettext("{n} zone has no named pair.", "{n} zones have no named pair.", missing),
            icon=":material/person_alert:",
        )
    elif not flagged:
        st.success(_("Every zone has a pair, and no pair has more work than hours."), icon=":material/check:")
    between = _(", ")
    shown = DataFrame(
        {
            _("Zone"): work["name"],
            _("Pair"): [between.join(names) or NONE for names in work["people"]],
            _("Load of the pair"): work["load_share"] * 100,
            _("To be settled"): [_(FLAGS[flag]) if flag else "" for flag in work["flag"]],
            _("Hours of work"): hours.reindex(work.index).round(1),
            _("Kind"): [_(KIND_NAMES[kind]) for kind in work["kind"]],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=NONE,
        height=min((len(shown) + 1) * ROW_PX + 3, MOST_PX),
        column_config={_("Load of the pair"): load_column()},
    )
    st.caption(
        _(
            "The load is that of the busier of the two over all their zones, beside their hours a quarter. "
            "Hours are an estimate: half an hour a visit, and the walk between neighbours."
        )
    )


def load_column() -> Any:
    """Return how a load is drawn: a bar that is full at all the hours there are."""
    return st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.0f %%")


def people_table(work: DataFrame) -> None:
    """Show who goes out with how much work."""
    going = work[work["post"].notna() | (work["zones"] > 0)]
    if going.empty:
        return
    posts = {post: _(name) for post, name in POST_NAMES.items()}
    shown = DataFrame(
        {
            _("Colleague"): going["name"].astype(str),
            _("Post"): [posts.get(post) for post in going["post"]],
            _("Zones"): going["zones"].astype(int),
            _("Hours of work"): going["hours"].astype(float).round(1),
            _("Hours a quarter"): going["capacity_h"].astype(float),
            _("Load"): going["load_share"].astype(float) * 100,
        }
    )
    heading = _("Work of each")
    st.markdown(f"##### {heading}")
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=NONE,
        height=min((len(shown) + 1) * ROW_PX + 3, MOST_PX),
        column_config={_("Load"): load_column()},
    )


def history(asker: Asker, branch_id: int, person_id: int | None = None) -> None:
    """Show who worked which zone from when to when."""
    with reading() as session:
        lines = store.assignments(session, asker, branch_id, person_id)
    if lines.empty:
        return
    with st.expander(_("Who worked which zone"), icon=":material/history:"):
        shown = DataFrame(
            {
                _("Zone"): lines["zone_name"],
                _("Colleague"): lines["person"],
                _("Plan"): lines["plan"],
                _("Since"): [day(each) for each in lines["since"]],
                _("Until"): [_("still") if each is None else day(each) for each in ended(lines)],
            }
        )
        st.dataframe(shown, hide_index=True, placeholder=NONE)


def ended(lines: DataFrame) -> list[Any]:
    """Return when lines ended, None of those that go on."""
    until = lines["until"].astype(object)
    return until.where(until.notna(), None).tolist()


# What a lead does -------------------------------------------------------------------------------------------


def tools(asker: Asker, held: Held, people: DataFrame, hours: Series) -> None:
    """Let pairs be proposed and given in a draft; a plan in force is copied first."""
    if held.status != DRAFT:
        st.caption(_("A published plan stays as it is: people are given to zones in a draft."))
        label = _("Copy into a draft")
        if st.button(label, icon=":material/content_copy:", key=f"{state.TEAM_PAIRS}_copy"):
            with writing() as session:
                name = _("{name}, copy", name=held.name)
                made = store.copy_plan(session, asker, held.id, name)
            state.go_on_with(made)
            st.rerun()
        return
    with st.container(horizontal=True):
        propose(asker, held, people, hours)
        by_hand(asker, held, people)


def propose(asker: Asker, held: Held, people: DataFrame, hours: Series) -> None:
    """Offer pairs by capacity and nearness, to be looked at before they are taken."""
    key = f"{state.TEAM_PAIRS}_{held.id}_{held.revision}"
    box = st.popover(_("Propose pairs"), icon=":material/auto_awesome:", key=f"{key}_box", on_change="rerun")
    if not box.open:
        return
    with box, calm():
        only = st.toggle(_("Only for zones without a pair"), value=True, key=f"{key}_only")
        with reading() as session:
            homes = store.homes(session, asker, held.branch_id, held.plan)
        change = proposed_pairs(held.plan, people, hours, homes, only_missing=only)
        if not change:
            st.markdown(_("Nothing better was found: the pairs stay as they are."))
            return
        names = {int(row["id"]): str(row["name"]) for row in people.to_dict("records")}
        for move in change.moves:
            heading = plain(move.after.name if move.after else "")
            st.markdown(f"**{heading}**  \n:gray[{called(move.before, names)}] → {called(move.after, names)}")
        st.caption(
            ngettext("{n} zone would change.", "{n} zones would change.", len(change.moves))
            + " "
            + _("By hours to spare, and by nearness to where each works now.")
        )
        if st.button(_("Confirm these pairs"), type="primary", icon=":material/check:", key=f"{key}_take"):
            take(asker, held, change)


def called(zone: Zone | None, names: Mapping[int, str]) -> str:
    """Return the names of a zone's pair."""
    people = () if zone is None else zone.pair
    return plain(_(", ").join(names.get(person, "?") for person in people)) or NONE


def by_hand(asker: Asker, held: Held, people: DataFrame) -> None:
    """Offer to give two people to a zone."""
    key = f"{state.TEAM_PAIRS}_{held.id}_{held.revision}_hand"
    box = st.popover(
        _("Give a zone a pair"), icon=":material/person_add:", key=f"{key}_box", on_change="rerun"
    )
    if not box.open:
        return
    with box, calm():
        free = {zone.id: zone for zone in held.plan.zones if not zone.locked}
        if not free:
            st.markdown(_("Every zone is locked."))
            return
        zone_id = st.selectbox(
            _("Zone"), list(free), format_func=lambda each: free[each].name, key=f"{key}_zone"
        )
        pair = [
            one
            for post in (INDOOR, OUTDOOR)
            if (one := pick_one(people, post, free[zone_id], f"{key}_{zone_id}_{post}")) is not None
        ]
        if st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save"):
            take(asker, held, paired(free[zone_id], tuple(pair)))


def pick_one(people: DataFrame, post: str, zone: Zone, key: str) -> int | None:
    """Ask for one colleague of a post."""
    own = people[people["post"] == post]
    names = {int(row["id"]): str(row["name"]) for row in own.to_dict("records")}
    now = next((at for at, person in enumerate(names) if person in zone.pair), None)
    picked: int | None = st.selectbox(
        _(POST_NAMES[post]),
        list(names),
        index=now,
        format_func=names.__getitem__,
        placeholder=_("Choose"),
        key=key,
    )
    return picked


def paired(zone: Zone, pair: tuple[int, ...]) -> Change:
    """Return the change that gives a zone a pair."""
    return Change("paired", (Move(zone, replace(zone, pair=pair)),) if set(pair) != set(zone.pair) else ())


def take(asker: Asker, held: Held, change: Change) -> None:
    """Make the change in the draft, onto a newer one where that fits."""
    with writing() as session:
        store.change_plan(session, asker, held.id, held.revision, change, onto_newer=True)
    state.leave_note(
        ngettext("{n} zone has another pair now.", "{n} zones have other pairs now.", len(change.moves))
    )
    st.rerun()
