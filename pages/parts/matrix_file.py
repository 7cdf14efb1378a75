"""The matrix as a file: taken out as it is, mended elsewhere, and brought in with every fault named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from data import export
from data.alliances import matrix_files
from data.alliances.matrix_files import Read
from data.rights import Asker, Right
from pages.parts import state
from pages.parts.downloads import XLSX
from pages.parts.frame import calm, writing
from pages.parts.words import _, language, ngettext, number
from pages.parts.workshop_files import in_own_words

TYPES = ["csv", "xlsx", "xls", "ods"]
MOST_FAULTS_PX = 320


def show(asker: Asker, branch: Mapping[str, Any]) -> None:  # noqa: ARG001 - it holds for the whole bank
    """Show both ways."""
    out, into = _("Take it out"), _("Bring one in")
    st.markdown(f"**{out}**")
    st.markdown(_("All pairs as the bank works with them, one row a pair, with why in both languages."))
    with st.container(horizontal=True):
        take_out(asker, "xlsx", _("Download Excel"))
        take_out(asker, "csv", _("Download CSV"))
    if not asker.may(Right.EDIT_PLANS):
        return
    st.markdown(f"**{into}**")
    st.markdown(
        _(
            "The same columns. Rows become the bank's own where they say something else; pairs that are not "
            "in the file stay as they are."
        )
    )
    uploader(asker)


def take_out(asker: Asker, form: str, label: str) -> None:
    """Show a button that makes the file when it is pressed."""
    name, opened, said = (
        _("Which trades go together"),
        writing,
        language(),
    )  # looked up here: the file is made beside the page

    def made() -> bytes:
        with opened() as session:
            return matrix_files.taken_out(session, asker, form, said)

    st.download_button(
        label,
        data=made,
        file_name=f"{name}_{datetime.now():%Y%m%d}.{form}",
        mime=XLSX if form == "xlsx" else "text/csv",
        icon=":material/download:",
        key=f"{state.MATRIX}_take_{form}",
        on_click="ignore",
    )


def uploader(asker: Asker) -> None:
    """Ask for a file, name its faults, and bring it in."""
    in_own_words()
    turn = state.chosen(f"{state.MATRIX}_turn", 0)
    upload = st.file_uploader(
        _("A file of pairs: CSV or Excel"), type=TYPES, key=f"{state.MATRIX}_file_{turn}"
    )
    if upload is None:
        return
    upload.seek(0)
    read = matrix_files.read_matrix(upload, name=upload.name)
    st.markdown(
        " · ".join(
            [
                ngettext("One row", "{n} rows", read.total),
                ngettext("one is right", "{n} are right", len(read.rows) + read.doubled),
                ngettext("one is not", "{n} are not", read.refused),
            ]
        )
    )
    if read.faults:
        faults(read)
    if not read.rows:
        return
    label = (
        _("Bring in the {count} good rows", count=number(len(read.rows))) if read.faults else _("Bring it in")
    )
    if st.button(label, type="primary", icon=":material/upload:", key=f"{state.MATRIX}_bring"):
        bring(asker, read, turn)


def faults(read: Read) -> None:
    """Show what is wrong, by row and column, to be taken away as well."""
    table, name = read.table(language()), _("What is wrong")
    st.dataframe(table, hide_index=True, width="stretch", height=min(MOST_FAULTS_PX, 38 + 35 * len(table)))
    st.download_button(
        _("Download what is wrong"),
        data=lambda: export.to_csv(table),
        file_name=f"{name}_{datetime.now():%Y%m%d}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"{state.MATRIX}_faults",
        on_click="ignore",
    )


def bring(asker: Asker, read: Read, turn: int) -> None:
    """Take the good rows over, and empty the uploader."""
    counts: dict[str, int] = {}
    with calm(), writing() as session:
        counts = matrix_files.bring_in(session, asker, read, agreed=True)
    if counts:
        state.leave_note(
            _(
                "{saved} pairs are the bank's own now, {reset} are as shipped again, {same} were so already; "
                "{refused} rows were left out.",
                **{name: number(count) for name, count in counts.items()},
            )
        )
        state.put(f"{state.MATRIX}_turn", turn + 1)
        st.rerun()
