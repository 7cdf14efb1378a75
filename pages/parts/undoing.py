"""What was saved by hand last: kept as a batch of one, said, and taken back with a click."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from sqlalchemy.orm import Session

from data import store
from data.rights import Asker
from geo.errors import NotFound
from pages.parts import reads, state
from pages.parts.frame import calm, writing
from pages.parts.state import Selected
from pages.parts.words import _, plain

T = TypeVar("T")


def kept(asker: Asker, branch_id: int, write: Callable[[Session], T]) -> tuple[T, int | None]:
    """Write in a transaction; return what came of it and the batch it made, None where nothing changed."""
    with writing() as session:
        before = store.newest_by_hand(session, asker, branch_id)
        value = write(session)
        batch_id = store.newest_by_hand(session, asker, branch_id)
    return value, None if batch_id == before else batch_id


def finish(text: str, batch_id: int | None, selected: Selected | None) -> None:
    """Be done: say so, offer the way back, and show the map as it is now."""
    state.end_by_hand()
    state.select(selected)
    state.keep_done(text, batch_id)
    st.rerun()


def bar(asker: Asker) -> None:
    """Say what was saved last, with the way back."""
    done = state.done()
    if done is None:
        return
    if not done.told:
        st.toast(plain(done.text), icon=":material/check:", duration="long")
        state.tell_done()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":green[:material/check: {plain(done.text)}]", width="stretch")
        back = done.batch_id is not None and st.button(
            _("Undo"), icon=":material/undo:", key=f"{state.HAND}_undo"
        )
        st.button(
            "",
            type="tertiary",
            icon=":material/close:",
            help=_("Hide"),
            key=f"{state.HAND}_hide",
            on_click=state.forget_done,
        )
    if back and done.batch_id is not None:
        with calm():
            undo(asker, done.batch_id)


def undo(asker: Asker, batch_id: int) -> None:
    """Take a save back; what others changed since stays as it is."""
    with writing() as session:
        report = store.rollback(session, asker, batch_id, keep="later")
    picked = state.selected()
    if picked is not None and picked.row_id is not None:
        picked = as_it_is(asker, picked, picked.row_id)
    finish(_("It was changed since, and stays as it is.") if report.kept else _("Undone."), None, picked)


def as_it_is(asker: Asker, picked: Selected, row_id: int) -> Selected | None:
    """Return what is chosen where it stands now; None where it is gone."""
    try:
        row = reads.card(asker, picked.layer, row_id)
    except NotFound:
        return None
    return picked._replace(lon=float(row["lon"]), lat=float(row["lat"]))
