"""Visits on a merchant's card: when somebody was there last, how that stands, and one more recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

from data import store
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones.intervals import MERCHANT_DAYS, today
from data.zones.visits import LONGEST_TEXT
from geo.visits import STATES, day_number, states
from pages.parts import state, undoing
from pages.parts.frame import calm, reading
from pages.parts.state import Selected
from pages.parts.words import N_, NONE, _, day, ngettext, plain

STATE_NAMES = {
    "never": N_("Never visited"),
    "on_track": N_("On track"),
    "due": N_("Due"),
    "overdue": N_("Overdue"),
}
STATE_COLOURS = {"never": "gray", "on_track": "green", "due": "orange", "overdue": "red"}
SHOWN = 8
TEXT_HEIGHT_PX = 68


def state_of(held: Snapshot, row: Mapping[str, Any]) -> str:
    """Return how visits to a merchant stand."""
    at = held.merchants.row_of(int(row["id"]))
    if at is None:
        return STATES[0]
    days = MERCHANT_DAYS[str(row["status"])]
    return STATES[int(states([held.merchants.visited[at]], days, day_number(today()))[0])]


def badge(stands: str) -> str:
    """Return how visits stand, as a badge."""
    return f":{STATE_COLOURS[stands]}-badge[:material/directions_walk: {_(STATE_NAMES[stands])}]"


def show(asker: Asker, held: Snapshot, row: Mapping[str, Any]) -> None:
    """Say how visits to a merchant stand, and what came of the last one."""
    with reading() as session:
        made = store.visits(session, asker, held.branch_id, merchant_id=int(row["id"]), limit=SHOWN)
    stands = state_of(held, row)
    interval = MERCHANT_DAYS[str(row["status"])]
    said = ngettext("to be visited every {n} day", "to be visited every {n} days", interval)
    st.markdown(f"{badge(stands)} :gray[{plain(said)}]")
    if made.empty:
        return
    st.markdown(line(made.iloc[0]))
    if len(made) > 1:
        label = ngettext("{n} visit before", "{n} visits before", len(made) - 1)
        with st.expander(label, icon=":material/history:", key=f"{state.VISIT}_list_{row['id']}"):
            for at in range(1, len(made)):
                st.markdown(line(made.iloc[at]))  # one by one: what was said is no part of another's Markdown


def line(visit: Mapping[str, Any]) -> str:
    """Return a visit in a few lines: when, who, what came of it, what is next."""
    who = visit["person"] or NONE
    parts = [f"**{day(visit['day'])}** · {plain(str(who))}"]
    if visit["result"]:
        parts.append(plain(str(visit["result"])))
    if visit["next_step"] or visit["next_day"]:
        when = f" ({day(visit['next_day'])})" if visit["next_day"] else ""
        heading = _("Next step")
        parts.append(f":gray[{heading}] {plain(str(visit['next_step'] or ''))}{plain(when)}")
    return "  \n".join(parts)


def button(asker: Asker, held: Snapshot, row: Mapping[str, Any]) -> None:
    """Offer to record a visit."""
    if not asker.may(Right.EDIT_MERCHANTS, held.branch_id):
        return
    merchant = int(row["id"])
    st.button(
        _("Record a visit"),
        icon=":material/edit_note:",
        key=f"{state.VISIT}_{merchant}",
        on_click=state.put,
        args=(state.VISIT, merchant),
    )
    if state.chosen(state.VISIT, None) == merchant:
        ask(asker, held, row)


def ask(asker: Asker, held: Snapshot, row: Mapping[str, Any]) -> None:
    """Ask about the visit, over the page."""

    @st.dialog(plain(str(row["name"])), on_dismiss=lambda: state.put(state.VISIT, None))
    def dialog() -> None:
        with calm():
            form(asker, held, row, f"{state.VISIT}_{row['id']}_{held.version}")

    dialog()


def form(asker: Asker, held: Snapshot, row: Mapping[str, Any], key: str) -> None:
    """Ask who was there, when, what came of it, and what is next."""
    with reading() as session:
        people = store.managers(session, asker, held.branch_id)
        lately = store.visited_lately(session, asker, held.branch_id, merchant_id=int(row["id"]))
    warn(lately)
    with st.form(f"{key}_form", border=False, enter_to_submit=False):
        person = pick_person(asker, people, key)
        on = st.date_input(_("Day of the visit"), value=today(), max_value=today(), key=f"{key}_day")
        result = text(_("Result"), f"{key}_result")
        step = text(_("Next step"), f"{key}_step")
        next_day = st.date_input(_("Next day"), value=None, min_value=today(), key=f"{key}_next")
        wanted = st.form_submit_button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
    if wanted:
        save(
            asker,
            held,
            row,
            {"person_id": person, "day": on, "result": result, "next_step": step, "next_day": next_day},
        )


def warn(lately: Mapping[str, Any] | None) -> None:
    """Say that somebody was there a few days ago: nobody should go twice."""
    if lately is None:
        return
    ago = (today() - lately["day"]).days
    somebody = _("Somebody")
    who = plain(str(lately["person"] or somebody))
    st.warning(
        ngettext(
            "{who} was here {n} day ago. Is this another visit?",
            "{who} was here {n} days ago. Is this another visit?",
            ago,
            who=who,
        )
        if ago
        else _("{who} was here today. Is this another visit?", who=who),
        icon=":material/group:",
    )


def pick_person(asker: Asker, people: DataFrame, key: str) -> int | None:
    """Ask who was there: oneself, at first."""
    names = {int(row.id): str(row.name) for row in people.itertuples()}
    own = list(names).index(asker.person_id) if asker.person_id in names else None
    picked: int | None = st.selectbox(
        _("Who was there"),
        list(names),
        index=own,
        format_func=names.__getitem__,
        placeholder=_("Choose"),
        key=f"{key}_who",
    )
    return picked


def text(label: str, key: str) -> str:
    """Ask for a few lines."""
    said: str = st.text_area(label, height=TEXT_HEIGHT_PX, max_chars=LONGEST_TEXT, key=key)
    return said


def save(asker: Asker, held: Snapshot, row: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Record the visit, with the way back."""
    if told["person_id"] is None:
        st.warning(_("Say who was there."), icon=":material/edit_note:")
        return
    merchant = int(row["id"])
    _visit, batch_id = undoing.kept(
        asker,
        held.branch_id,
        lambda session: store.add_visit(session, asker, held.branch_id, merchant_id=merchant, **told),
    )
    state.put(state.VISIT, None)
    picked = Selected("merchants", merchant, float(row["lon"]), float(row["lat"]))
    undoing.finish(_("Visit recorded: {name}", name=row["name"]), batch_id, picked)
