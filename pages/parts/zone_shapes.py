"""Shapes taken from a file a user brings, blocks or barriers: read once, and what was done to them said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data.files import readers
from data.lists.known import names_once
from data.lists.reasons import WARNINGS, rejects_table
from data.words import say
from data.zones.held import Held
from data.zones.listed import Rows
from geo.datum import DATUMS
from pages.parts import state
from pages.parts.frame import reading
from pages.parts.words import DATUM_NAMES, N_, _, language, ngettext, number, plain, spoken
from pages.parts.workshop_files import in_own_words

AUTO = "auto"
REFUSED_SHOWN, NOTES_SHOWN = 20, 8
SUFFIXES = ("geojson", "json", "gpkg", "zip", "kml", "kmz")


class Read(Protocol):
    """What was read: of whatever kind, with what became of the rows."""

    @property
    def rows(self) -> Rows:
        """What became of the rows."""


Found = TypeVar("Found", bound=Read)


def taken(held: Held, key: str, label: str, read: Callable[..., Found]) -> Found | None:
    """
    Ask for a file of shapes; return what it holds, and None before there is one.

    Parameters
    ----------
    held
        The plan they are for.
    key
        Of the fields.
    label
        What is asked for.
    read
        Makes it of a table: `read_polygons` or `read_barriers`.
    """
    in_own_words()
    upload = st.file_uploader(label, type=SUFFIXES, key=f"{key}_upload")
    if upload is None:
        return None
    datum = st.selectbox(
        _("Where the coordinates come from"),
        [AUTO, *DATUMS],
        format_func=spoken({AUTO: N_("Found out from the file"), **DATUM_NAMES}),
        key=f"{key}_datum",
    )
    found = state.once(
        key, (upload.file_id, datum, held.plan.frame), lambda: _read(held, upload, datum, read)
    )
    told(found.rows)
    return found


def _read(held: Held, upload: UploadedFile, datum: str, read: Callable[..., Found]) -> Found:
    upload.seek(0)
    table = readers.open_table(upload, name=upload.name)
    with reading() as session:
        places = names_once(session, held.branch_id)
    return read(table, held.plan.frame, places=places, datum=datum)


def told(rows: Rows) -> None:
    """Say what was done to shapes, and what is refused."""
    notes = dict.fromkeys(say(note, language()) for _row, note in rows.notes)
    for note in list(notes)[:NOTES_SHOWN]:
        st.caption(plain(note))
    for code, count in rows.warnings.items():
        st.caption(f"{_(WARNINGS[code])}: {number(count, compact=False)}")
    if not rows.refused:
        return
    refused = ngettext("One row cannot be taken", "{n} rows cannot be taken", len(rows.refused))
    st.warning(refused, icon=":material/block:")
    titles = {"row": _("Row"), "column": _("Column"), "reason": _("Reason")}
    shown = rejects_table(rows.rejects().head(REFUSED_SHOWN), _)
    st.dataframe(shown.rename(columns=titles), hide_index=True, width="stretch")
