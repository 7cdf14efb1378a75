"""What is done with an alliance as a whole: named, dated, given an owner, made active, ended, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from data.alliances import held as store_held
from data.alliances.held import ACTIVE, ENDED, FORMING, LONGEST_NAME, Alliance
from data.alliances.telling import LONGEST_TEXT
from data.rights import Asker, Right
from geo.errors import Conflict
from pages.parts import alliance_reads, state
from pages.parts.frame import writing
from pages.parts.partner_form import HEIGHT_PX, deed, done, pick_days, pick_owner, pick_stage
from pages.parts.words import _, complaint, day, moment, plain


def may(asker: Asker, held: Alliance) -> bool:
    """Whether whoever asks may change the alliance: the store looks again."""
    return asker.may(Right.EDIT_PLANS, held.branch_id)


def changed_since(asker: Asker, held: Alliance) -> None:
    """Say that a colleague has changed the alliance since it was shown; what follows is how it stands now."""
    before = state.seen_alliance(held.id)
    state.see_alliance(held.id, held.revision)
    if before is None or before >= held.revision:
        return
    since = alliance_reads.since(asker, held.id, held.revision - before)
    lines = [f"{row.by} {deed(row.what, row.fields)} ({moment(row.at)})" for row in since.itertuples()]
    st.info(
        "  \n".join([_("Changed meanwhile; this is how it stands now:"), *map(plain, lines)]),
        icon=":material/group:",
    )


# Buttons ----------------------------------------------------------------------------------------------------


def actions(asker: Asker, held: Alliance) -> None:
    """
    Offer what can be done with the alliance.

    The revision is part of each button's key: a click on what a colleague has changed meanwhile does nothing
    but show how it stands now.
    """
    if not may(asker, held):
        return
    key = f"{state.ALLIANCE_FORM}_{held.id}_{held.revision}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        head = asker.may(Right.PUBLISH_PLANS, held.branch_id)
        if (
            held.status == FORMING
            and head
            and st.button(
                _("Make it active"), type="primary", icon=":material/campaign:", key=f"{key}_active"
            )
        ):
            change_status(asker, held, ACTIVE, _("The alliance is active; coverage counts it from now on."))
        st.button(
            _("Edit"),
            icon=":material/edit:",
            key=f"{key}_edit",
            on_click=state.open_change,
            args=({"kind": "alliance", "id": held.id, "revision": held.revision},),
        )
        if held.status == FORMING or (held.status == ACTIVE and head):
            end_box(asker, held, key)


def end_box(asker: Asker, held: Alliance, key: str) -> None:
    """Offer to end an alliance, or to remove one that never began."""
    title = _("End it") if held.status == ACTIVE else _("Give it up")
    with st.popover(title, icon=":material/link_off:", key=f"{key}_end_box"):
        if held.status == ACTIVE:
            st.markdown(_("It stays among the alliances as one that ended; its members are free again."))
            if st.button(_("End it today"), type="primary", key=f"{key}_end"):
                change_status(asker, held, ENDED, _("The alliance has ended."))
            return
        st.markdown(_("It was never active: it is removed with all that was agreed in it."))
        if st.button(_("Remove it"), type="primary", key=f"{key}_drop"):
            done(
                lambda session: store_held.drop_alliance(session, asker, held.id, held.revision),
                _("The alliance is removed."),
            )


def change_status(asker: Asker, held: Alliance, status: str, said: str) -> None:
    """Make the alliance active, or end it."""

    def write(session: Session) -> None:
        now = store_held.set_status(session, asker, held.id, held.revision, status)
        state.see_alliance(held.id, now)

    done(write, said)


# Changed ----------------------------------------------------------------------------------------------------


def change(asker: Asker, held: Alliance, opened: Mapping[str, Any]) -> None:
    """Let the alliance be changed; a save that comes too late loses nothing that was typed."""
    key = f"{state.ALLIANCE_FORM}_{held.id}_{opened['revision']}_form"
    told = fields(asker, held, key) if held.status != ENDED else notes(held, key)
    with st.container(horizontal=True):
        wanted = st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
        st.button(_("Cancel"), key=f"{key}_cancel", on_click=state.open_change, args=(None,))
        is_late = held.revision != int(opened["revision"])
        over = is_late and st.button(_("Save mine over it"), key=f"{key}_over")
    if wanted or over:
        save(asker, held, held.revision if over else int(opened["revision"]), told)


def fields(asker: Asker, held: Alliance, key: str) -> dict[str, Any]:
    """Ask for all that can be changed of an alliance."""
    people = alliance_reads.staff(asker, held.branch_id)
    told: dict[str, Any] = {
        "name": st.text_input(
            _("Name of the alliance"),
            max_chars=LONGEST_NAME,
            key=state.start_at(f"{key}_name", held.name),
        )
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        told["owner_id"] = pick_owner(people, f"{key}_owner", held.owner_id)
        told["stage"] = pick_stage(f"{key}_stage", held.stage)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        told |= pick_days(key, {"starts": held.starts, "ends": held.ends})
    return told | notes(held, key)


def notes(held: Alliance, key: str) -> dict[str, Any]:
    """Ask for the notes."""
    text = st.text_area(
        _("Remarks"),
        max_chars=LONGEST_TEXT,
        height=HEIGHT_PX,
        key=state.start_at(f"{key}_notes", held.notes or ""),
    )
    return {"notes": text}


def save(asker: Asker, held: Alliance, revision: int, told: Mapping[str, Any]) -> None:
    """Keep the changed alliance, or say what was changed by others meanwhile."""
    try:
        with writing() as session:
            now = store_held.edit_alliance(session, asker, held.id, revision, **told)
    except Conflict as error:
        st.warning(plain(complaint(error)), icon=":material/group:")
        owner = held.owner or _("nobody yet")
        theirs = f"{held.name} · {owner} · {day(held.starts)} – {day(held.ends)}"
        st.caption(plain(_("As it stands now: {what}", what=theirs)))
        st.caption(_("What you typed is still above: save it over theirs, or cancel."))
        return
    state.see_alliance(held.id, now)
    state.open_change(None)
    state.leave_note(_("Saved."))
    st.rerun()
