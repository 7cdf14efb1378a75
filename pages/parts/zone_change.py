"""A change in a plan: made on the plan that is shown, kept at once, taken back with a click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session
from streamlit.errors import StreamlitAPIException

from data import store
from data.rights import Asker
from data.zones.held import CHANGED, DEEDS, Held, zone_names
from geo.errors import Conflict, PlanConflict
from geo.plans import Change, Plan
from pages.parts import state, zone_reads
from pages.parts.frame import calm, writing
from pages.parts.words import _, complaint, moment, plain, shorten

MOST_NAMED = 5


class Waiting(NamedTuple):
    """
    What waits for the user's word.

    A change that came too late for another lead's (`said` is the account of that; it may be `mergeable`), or
    a `shape` that covers the ground of other `zones`: of a new zone, or of the one named by `zone_id`.
    """

    plan_id: int
    change: Change | None = None
    said: str = ""
    mergeable: bool = False
    shape: BaseGeometry | None = None
    zones: tuple[int, ...] = ()
    zone_id: int | None = None


def again() -> None:
    """Show the work as it is now: alone where it runs alone, else with the page."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


# Made and taken back ----------------------------------------------------------------------------------------


def make(asker: Asker, held: Held, work: Callable[[Plan], Change], *notes: str) -> Held:
    """Make a change in the plan as it is shown; return the plan as it is then."""
    return keep(asker, held, work(held.plan), *notes)


def keep(
    asker: Asker,
    held: Held,
    change: Change,
    *notes: str,
    then: Callable[[Held], None] | None = None,
) -> Held:
    """
    Keep a change of the plan as it is shown, and say something of it.

    Where it comes too late, it waits (see `waits`) and the plan stays as it is shown. `then` is told of the
    plan right after it is kept, before anything can cut the run short.
    """
    if not change:
        state.keep_zone_notes([*notes, _("Nothing changed.")])
        return held
    return _kept(
        held,
        lambda session: store.change_plan(session, asker, held.id, held.revision, change),
        notes,
        change,
        then,
    )


def step(asker: Asker, held: Held, *, back: bool) -> Held:
    """Take the latest change back, or make again the one last taken back."""
    work = store.undo if back else store.redo
    return _kept(held, lambda session: work(session, asker, held.id, held.revision), ())


def _kept(
    held: Held,
    write: Callable[[Session], Held],
    notes: Sequence[str],
    change: Change | None = None,
    then: Callable[[Held], None] | None = None,
) -> Held:
    state.forget_pending()
    answered = state.answering(state.ZONE_MAP)
    try:
        with writing() as session:
            now = write(session)
        answered()  # before anything can cut the run short: what was drawn is done once
        if then is not None:
            then(now)
    except Conflict as error:
        fits = isinstance(error, PlanConflict) and error.mergeable
        state.keep_pending(Waiting(held.id, change, complaint(error), fits))
        return held
    return shown(now, notes)


def shown(now: Held, notes: Sequence[str]) -> Held:
    """Show a plan as it has become, and say something of it."""
    state.keep_zone_notes(notes)
    if state.zone_id() is not None and state.zone_id() not in now.plan:
        state.choose_zone(None)
    return zone_reads.see(now)


def steps(asker: Asker, held: Held) -> None:
    """Offer undo and redo."""
    if not zone_reads.may_change(asker, held):
        return
    for name, label, icon, can in (
        ("undo", _("Undo"), ":material/undo:", held.can_undo),
        ("redo", _("Redo"), ":material/redo:", held.can_redo),
    ):
        if st.button(label, icon=icon, disabled=not can, key=f"{state.ZONE_UNDO}_{name}"):
            with calm():
                step(asker, held, back=name == "undo")
                again()


# Two leads on one plan --------------------------------------------------------------------------------------


def waits(asker: Asker, held: Held) -> None:
    """Show the change that came too late, with what can be done about it."""
    waiting = state.pending()
    if not isinstance(waiting, Waiting) or waiting.plan_id != held.id or not waiting.said:
        return
    with st.container(border=True):
        st.warning(plain(waiting.said), icon=":material/group:")
        if waiting.change is not None:
            st.markdown(yours(waiting.change))
        with st.container(horizontal=True):
            if waiting.change is not None:
                _joined(asker, held, waiting, waiting.change)
            if st.button(_("Drop mine, show theirs"), key=f"{state.ZONE_WAITS}_theirs"):
                state.forget_pending()
                _see_newest(asker, held)


def _joined(asker: Asker, held: Held, waiting: Waiting, change: Change) -> None:
    """Offer to put the change on top of the others', or where it does not fit, to keep it as another plan."""
    if waiting.mergeable:
        if st.button(
            _("Put mine on top of theirs"),
            type="primary",
            icon=":material/merge:",
            key=f"{state.ZONE_WAITS}_mine",
        ):
            with calm():
                _kept(
                    held,
                    lambda session: store.change_plan(
                        session, asker, held.id, held.revision, change, onto_newer=True
                    ),
                    [_("Both changes are in the plan.")],
                    change,
                )
                again()
    elif st.button(
        _("Keep mine as a plan of its own"),
        type="primary",
        icon=":material/call_split:",
        help=_(
            "Both changed the same zones. Yours goes into a new draft, which you can compare with this one."
        ),
        key=f"{state.ZONE_WAITS}_apart",
    ):
        with calm():
            name = _("{name} (mine)", name=held.name)
            with writing() as session:
                plan_id = store.new_plan(
                    session, asker, held.branch_id, name=name, plan=held.plan.after(change)
                )
            state.choose_plan(plan_id)
            st.rerun()


def _see_newest(asker: Asker, held: Held) -> None:
    with calm():
        zone_reads.newest(asker, held.id)
        st.rerun()


def yours(change: Change) -> str:
    """Return what the user's own change is, in a line."""
    return _("Yours, not kept yet: {what}", what=plain(deed(change.what, zone_names(change))))


def deed(what: str, zones: Sequence[str]) -> str:
    """Return what was done to which zones: `painted 人民路, 站前`."""
    names = [shorten(name) for name in zones[:MOST_NAMED]] + ["…"] * (len(zones) > MOST_NAMED)
    return " ".join(filter(None, [_(DEEDS.get(what, CHANGED)), _(", ").join(names)]))


def changed_since(asker: Asker, held: Held, rows: DataFrame) -> None:
    """Say that somebody has changed the plan since it was shown, with the way to see it."""
    now = rows.loc[rows["id"] == held.id, "revision"]
    if now.empty or int(now.iloc[0]) == held.revision or state.pending() is not None:
        return
    if not zone_reads.may_change(asker, held):
        _see_newest(asker, held)
    last = zone_reads.history(asker, held.id).iloc[0]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            _(
                "Changed since you opened it, last by {by} at {at}: {what}",
                by=plain(str(last["by"])),
                at=moment(last["at"]),
                what=plain(deed(str(last["what"]), last["zones"])),
            ),
            width="stretch",
        )
        if st.button(_("Show it as it is now"), icon=":material/refresh:", key=f"{state.ZONE_WAITS}_refresh"):
            _see_newest(asker, held)


# What is said of it -----------------------------------------------------------------------------------------


def notes() -> None:
    """Say what is to be said of the last change."""
    said = state.zone_notes()
    if not said:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown("  \n".join(plain(note) for note in said), width="stretch")
        st.button(
            "",
            type="tertiary",
            icon=":material/close:",
            help=_("Hide"),
            key=f"{state.ZONE_WAITS}_notes",
            on_click=state.forget_zone_notes,
        )
