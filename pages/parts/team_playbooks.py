"""Playbooks: what is said of each kind of zone, and the bank's own in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data import store
from data.catalogue import PRODUCTS
from data.rights import Asker, Right
from data.zones.playbooks import KIND_NAMES, LONGEST_LINE, MOST_LINES, PARTS, Playbook
from geo.errors import Conflict
from pages.parts import state
from pages.parts.frame import calm, reading, writing
from pages.parts.words import N_, _, complaint, language, moment, plain, spoken

PART_NAMES = {
    "targets": N_("Who is there"),
    "motives": N_("What moves them"),
    "selling_points": N_("How to speak to them"),
}
AREA_PX = 140


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the playbook of a kind of zone, and let a lead write the bank's own."""
    kinds = list(KIND_NAMES)
    kind = st.segmented_control(
        _("Kind of zone"),
        kinds,
        required=True,
        default=kinds[0],
        format_func=spoken(KIND_NAMES),
        label_visibility="collapsed",
        key=f"{state.PLAYBOOK}_kind",
    )
    with reading() as session:
        book = store.playbooks(session, asker, int(branch["id"]), language=language())[str(kind)]
    whose(book)
    opened = state.opened_playbook()
    if opened is not None and (opened["kind"], opened["language"]) == (book.kind, language()):
        edit(asker, book, opened)
        return
    read(book)
    if asker.may(Right.EDIT_PLANS):
        tools(asker, book)


def whose(book: Playbook) -> None:
    """Say whether this is the playbook shipped or the bank's own."""
    if not book.own:
        st.caption(_("As shipped. The bank may write its own; it then stands in place of this one."))
        return
    st.caption(_("The bank's own, changed by {who} on {when}.", who=book.by or "", when=moment(book.at)))


def products() -> dict[int, str]:
    """Return the products' names in the user's language, by id."""
    return {int(key): str(name) for key, name in zip(PRODUCTS["id"], PRODUCTS[language()], strict=True)}


def read(book: Playbook) -> None:
    """Show a playbook."""
    names = products()
    with st.container(border=True):
        for part in PARTS:
            st.markdown(f"**{_(PART_NAMES[part])}**")
            st.markdown("\n".join(f"- {plain(line)}" for line in getattr(book, part)) or "-")
        heading = _("Products to offer")
        st.markdown(f"**{heading}**")
        st.markdown(" ".join(f":blue-badge[{plain(names[product])}]" for product in book.products) or "-")


def tools(asker: Asker, book: Playbook) -> None:
    """Offer to change it, and to go back to the one shipped."""
    with st.container(horizontal=True):
        st.button(
            _("Edit"),
            icon=":material/edit:",
            key=f"{state.PLAYBOOK}_edit",
            on_click=state.open_playbook,
            args=({"kind": book.kind, "language": language(), "revision": book.revision},),
        )
        if not book.own:
            return
        with st.popover(_("Back to the one shipped"), icon=":material/undo:", key=f"{state.PLAYBOOK}_box"):
            st.markdown(_("What the bank wrote for this kind of zone is let go, in both languages."))
            back = st.button(_("Let go of it"), type="primary", key=f"{state.PLAYBOOK}_reset")
    if back:
        with calm(), writing() as session:
            store.reset_playbook(session, asker, book.kind, book.revision)
            state.leave_note(_("The playbook is the one shipped again."))
        st.rerun()


def edit(asker: Asker, book: Playbook, opened: Mapping[str, Any]) -> None:
    """Let a playbook be written, one line a point."""
    key = f"{state.PLAYBOOK}_{book.kind}_{opened['revision']}"
    st.caption(
        _(
            "One line a point, at most {lines} lines of {count} characters. Only this language is changed.",
            lines=MOST_LINES,
            count=LONGEST_LINE,
        )
    )
    told = {
        part: st.text_area(
            _(PART_NAMES[part]),
            height=AREA_PX,
            key=state.start_at(f"{key}_{part}", "\n".join(getattr(book, part))),
        )
        for part in PARTS
    }
    names = products()
    offered = st.multiselect(
        _("Products to offer"),
        list(names),
        format_func=names.__getitem__,
        placeholder=_("Choose"),
        key=state.start_at(f"{key}_products", list(book.products)),
    )
    lines = {part: text.split("\n") for part, text in told.items()}
    with st.container(horizontal=True):
        wanted = st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
        st.button(_("Cancel"), key=f"{key}_cancel", on_click=state.open_playbook, args=(None,))
        late = book.revision != opened["revision"]
        over = late and st.button(_("Save mine over it"), key=f"{key}_over")
    if wanted or over:
        revision = book.revision if over else int(opened["revision"])
        save(asker, book, revision, {**lines, "products": offered})


def save(asker: Asker, book: Playbook, revision: int, told: Mapping[str, Any]) -> None:
    """Keep the playbook; a save that comes too late loses nothing that was typed."""
    try:
        with writing() as session:
            store.save_playbook(session, asker, book.kind, revision, language=language(), **told)
    except Conflict as error:
        st.warning(complaint(error), icon=":material/group:")
        read(book)
        return
    state.open_playbook(None)
    state.leave_note(_("The playbook is saved."))
    st.rerun()
