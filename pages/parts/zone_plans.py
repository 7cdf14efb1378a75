"""The plans of a branch: which one is looked at, and what is done with one as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from pandas import DataFrame

from data import store
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones.held import DRAFT, PAST, PUBLISHED, Held
from data.zones.plans import LONGEST_NAME
from geo.errors import Conflict
from pages.parts import state, zone_reads
from pages.parts.frame import calm, writing
from pages.parts.words import N_, _, complaint, day, moment, ngettext, plain
from pages.parts.zone_change import Waiting
from pages.parts.zone_compare import handover

STATUS_NAMES = {DRAFT: N_("Draft"), PUBLISHED: N_("In force"), PAST: N_("Past plan")}
STATUS_COLOURS = {DRAFT: "orange", PUBLISHED: "green", PAST: "gray"}


# Which plan -------------------------------------------------------------------------------------------------


def pick(rows: DataFrame) -> int:
    """Ask which plan to look at; the one in force at first."""
    ids = [int(each) for each in rows["id"]]
    key = state.seed(state.ZONE_PLAN, lambda text: one_of_ids(text, ids), ids[0])
    state.within(key, ids, ids[0])
    names = {int(row["id"]): label(row) for row in rows.to_dict("records")}
    picked: int = st.selectbox(
        _("Plan"),
        ids,
        index=ids.index(state.value(key)),
        format_func=names.__getitem__,
        key=key,
        width=340,
        on_change=state.leave_plan,
    )
    state.keep(state.ZONE_PLAN, str(picked))
    return picked


def one_of_ids(text: str, ids: list[int]) -> int:
    """Return the plan a parameter names; a URL may say anything."""
    if not text.isdecimal() or int(text) not in ids:
        raise ValueError(text)
    return int(text)


def label(row: dict[str, Any]) -> str:
    """Return a plan's name with what it is: `Spring · draft of 3 Nov`."""
    if row["status"] == PUBLISHED:
        what = _("in force since {day}", day=day(row["published_at"]))
    elif row["status"] == PAST:
        what = _("in force {since} to {until}", since=day(row["published_at"]), until=day(row["retired_at"]))
    else:
        what = _("draft of {day}", day=day(row["at"]))
    return f"{row['name']} · {what}"


def about(row: dict[str, Any]) -> None:
    """Say what the plan is, and what that means."""
    status = str(row["status"])
    badge = f":{STATUS_COLOURS[status]}-badge[{_(STATUS_NAMES[status])}]"
    if status == DRAFT:
        told = _("A draft changes nothing for anybody until it is published.")
    elif status == PUBLISHED:
        told = _(
            "Published by {by} at {at}. To change it, copy it into a draft and publish that.",
            by=plain(str(row["published_by"])),
            at=moment(row["published_at"]),
        )
    else:
        told = _("In force until {day}; kept as it was.", day=day(row["retired_at"]))
    st.markdown(f"{badge} :gray[{told}]")


# What is done with it ---------------------------------------------------------------------------------------


def actions(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Offer what can be done with the plan as a whole."""
    if not asker.may(Right.EDIT_PLANS, held.branch_id):
        return
    if held.status == DRAFT and asker.may(Right.PUBLISH_PLANS, held.branch_id):
        if st.button(
            _("Publish"),
            type="primary",
            icon=":material/campaign:",
            key=f"{state.ZONE_PLANS}_publish",
        ):
            confirm_publishing(asker, snapshot, held)
    elif held.status != DRAFT and st.button(
        _("Copy into a draft"),
        type="primary",
        icon=":material/content_copy:",
        key=f"{state.ZONE_PLANS}_go_on",
    ):
        ask_name(_("Copy into a draft"), copy_name(held), lambda name: copy(asker, held, name))
    with st.popover(_("More"), icon=":material/more_horiz:", key=f"{state.ZONE_PLANS}_more"):
        more(asker, held)


def more(asker: Asker, held: Held) -> None:
    """Offer what is done more rarely."""
    if st.button(_("New plan"), icon=":material/add:", key=f"{state.ZONE_PLANS}_new"):
        ask_name(_("New plan"), new_name(), lambda name: begin(asker, held.branch_id, name))
    if held.status == DRAFT and st.button(
        _("Copy, to try something"), icon=":material/content_copy:", key=f"{state.ZONE_PLANS}_copy"
    ):
        ask_name(_("Copy, to try something"), copy_name(held), lambda name: copy(asker, held, name))
    if held.status != DRAFT:
        return
    if st.button(_("Rename"), icon=":material/edit:", key=f"{state.ZONE_PLANS}_rename"):
        ask_name(_("Rename"), held.name, lambda name: rename(asker, held, name))
    if st.button(_("Delete this draft"), icon=":material/delete:", key=f"{state.ZONE_PLANS}_drop"):
        confirm_dropping(asker, held)


def new_name() -> str:
    """Return what a new plan is called until somebody names it."""
    return _("Zones of {day}", day=day(datetime.now(UTC)))


def copy_name(held: Held) -> str:
    """Return what a copy is called until somebody names it."""
    return _("{name} (copy)", name=held.name)[:LONGEST_NAME]


def ask_name(title: str, name: str, save: Callable[[str], None]) -> None:
    """Ask for a name, then do what it is for."""

    @st.dialog(title)
    def dialog() -> None:
        typed = st.text_input(
            _("Name of the plan"), name, max_chars=LONGEST_NAME, key=f"{state.ZONE_PLANS}_name"
        )
        if st.button(_("Save"), type="primary", icon=":material/check:", key=f"{state.ZONE_PLANS}_save"):
            with calm():
                save(typed)
                st.rerun()

    dialog()


def begin(asker: Asker, branch_id: int, name: str) -> None:
    """Begin a draft without zones, and look at it."""
    with writing() as session:
        plan_id = store.new_plan(session, asker, branch_id, name=name)
    state.choose_plan(plan_id)


def copy(asker: Asker, held: Held, name: str) -> None:
    """Copy the plan into a draft, and look at that."""
    with writing() as session:
        plan_id = store.copy_plan(session, asker, held.id, name)
    state.choose_plan(plan_id)


def may_go_on(asker: Asker, held: Held) -> bool:
    """Whether whoever asks may change the plan, though not as it is: in a draft of it."""
    return held.status != DRAFT and asker.may(Right.EDIT_PLANS, held.branch_id)


def go_on(asker: Asker, held: Held, zone_id: int | None = None) -> None:
    """Look at a draft of a published plan, the newest of one's own or a new one, with a zone chosen."""
    rows = zone_reads.listed(asker, held.branch_id)
    drafts = rows[(rows["status"] == DRAFT) & (rows["copy_of"] == held.id) & (rows["by"] == asker.name)]
    if drafts.empty:
        copy(asker, held, copy_name(held))
    else:
        state.choose_plan(int(drafts["id"].max()))
    state.choose_zone(zone_id)
    plan_id = state.plan_id()
    name = zone_reads.any_plan(asker, plan_id).name if plan_id is not None else held.name
    state.keep_zone_notes([_("This is the draft {name}; the plan in force stays as it is.", name=name)])


def rename(asker: Asker, held: Held, name: str) -> None:
    """Give the draft another name."""
    with writing() as session:
        store.rename_plan(session, asker, held.id, name)
    state.see_revision(held.id, None)  # the name is read anew with all else


def confirm_dropping(asker: Asker, held: Held) -> None:
    """Ask once more, then remove the draft."""

    @st.dialog(_("Delete this draft?"))
    def dialog() -> None:
        st.markdown(
            ngettext(
                "{name} with its zone will be gone for good.",
                "{name} with its {n} zones will be gone for good.",
                len(held.plan),
                name=f"**{plain(held.name)}**",
            )
        )
        with st.container(horizontal=True):
            if st.button(_("Delete"), type="primary", key=f"{state.ZONE_PLANS}_dropped"):
                with calm():
                    with writing() as session:
                        store.drop_plan(session, asker, held.id, held.revision)
                    state.choose_plan(None)
                    st.rerun()
            if st.button(_("Keep it"), key=f"{state.ZONE_PLANS}_kept"):
                st.rerun()

    dialog()


def confirm_publishing(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Say what changes for whom, ask once more, then publish."""

    @st.dialog(_("Publish this plan?"), width="large")
    def dialog() -> None:
        with calm():
            before = zone_reads.published(asker, held.branch_id)
            handover(asker, snapshot, before, held)
            st.markdown(
                _("From then on the branch works by it. It stays as it is; later changes go into a copy.")
            )
        with st.container(horizontal=True):
            if st.button(_("Publish now"), type="primary", key=f"{state.ZONE_PLANS}_published"):
                with calm():
                    publish(asker, held)
                    st.rerun()
            if st.button(_("Not yet"), key=f"{state.ZONE_PLANS}_not_yet"):
                st.rerun()

    dialog()


def publish(asker: Asker, held: Held) -> None:
    """Make the draft the plan the branch works by, unless someone changed it meanwhile."""
    try:
        with writing() as session:
            now = store.publish(session, asker, held.id, held.revision)
    except Conflict as error:
        state.keep_pending(Waiting(held.id, said=complaint(error)))
        return
    zone_reads.see(now)
    state.keep_zone_notes([_("Published. The branch works by this plan from now on.")])
