"""Taking an import back: at once where nothing has happened since, else after a look at what has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

from data import store
from data.history import WHAT
from data.rights import Asker, Right
from pages.parts import state
from pages.parts.frame import calm, reading, writing
from pages.parts.words import N_, NONE, _, moment, ngettext, spoken
from pages.parts.workshop import LISTED

KEEP = {
    "later": N_("Keep what was changed since: those rows stay as they are now"),
    "none": N_("Take everything back, the later changes too"),
}
TOUCHED_SHOWN = 200


def offer(batch_id: int, key: str, *, file_id: str | None = None) -> None:
    """Offer to take a batch back."""
    st.button(
        _("Undo this import"),
        icon=":material/undo:",
        key=state.of_file(state.UNDO, key),
        on_click=state.put,
        args=(state.UNDO, (batch_id, file_id)),
    )


def heed(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Take back what was asked for: at once, or after the user has chosen."""
    asked: tuple[int, str | None] | None = state.chosen(state.UNDO, None)
    if asked is None:
        return
    batch_id, file_id = asked
    with reading() as session:
        touched = store.touched_later(session, asker, batch_id)
    if touched.empty:
        state.put(state.UNDO, None)
        take_back(asker, batch_id, "later", file_id)
        st.rerun()
    choose(asker, branch, batch_id, file_id, touched)


def choose(
    asker: Asker, branch: Mapping[str, Any], batch_id: int, file_id: str | None, touched: DataFrame
) -> None:
    """Show what happened to the batch's rows since, and let the user choose what becomes of it."""

    @st.dialog(_("Undo this import?"), width="large", on_dismiss=lambda: state.put(state.UNDO, None))
    def dialog() -> None:
        with calm():
            st.markdown(
                ngettext(
                    "One row of it was changed since.", "{n} rows of it were changed since.", len(touched)
                )
            )
            st.dataframe(
                readable(touched.head(TOUCHED_SHOWN), asker, int(branch["id"])),
                hide_index=True,
                placeholder=NONE,
            )
            keep = st.radio(
                _("What shall become of them?"),
                list(KEEP),
                format_func=spoken(KEEP),
                key=state.UNDO_HOW,
            )
            with st.container(horizontal=True):
                if st.button(_("Undo the import"), type="primary", icon=":material/undo:"):
                    take_back(asker, batch_id, str(keep), file_id)
                    state.put(state.UNDO, None)
                    st.rerun()
                if st.button(_("Leave it as it is")):
                    state.put(state.UNDO, None)
                    st.rerun()

    dialog()


def readable(touched: DataFrame, asker: Asker, branch_id: int) -> DataFrame:
    """Return what happened to rows since; of customers no names to those who may not see them."""
    masked = not asker.may(Right.CUSTOMERS, branch_id)
    names = [
        NONE if masked and layer == "customers" else name
        for layer, name in zip(touched["layer"], touched["name"], strict=True)
    ]
    return DataFrame(
        {
            _("List"): [_(LISTED[layer]) if layer in LISTED else layer for layer in touched["layer"]],
            _("Name"): names,
            _("What"): [_(WHAT[what]) for what in touched["what"]],
            _("By"): touched["by"],
            _("When"): [moment(at) for at in touched["at"]],
        }
    )


def take_back(asker: Asker, batch_id: int, keep: str, file_id: str | None) -> None:
    """Roll a batch back, and say what came of it."""
    with writing() as session:
        report = store.rollback(session, asker, batch_id, keep=keep)
    if file_id is not None:
        state.forget_report(file_id)
    parts = [ngettext("one row removed", "{n} rows removed", report.removed)]
    if report.restored:
        parts.append(ngettext("one put back as it was", "{n} put back as they were", report.restored))
    if report.kept:
        parts.append(ngettext("one kept as it is now", "{n} kept as they are now", report.kept))
    state.leave_note(_("The import was undone: {what}.", what=_(", ").join(parts)))
