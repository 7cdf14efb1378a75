"""Rows of lists that came without coordinates: the list of them on the map, to be placed or let go."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from data import store
from data.rights import Asker, Right
from pages.parts import state
from pages.parts.filters import LAYER_NAMES
from pages.parts.frame import calm, reading, writing
from pages.parts.words import _, ngettext, number, plain, shorten

SHOWN = 100
HEIGHT_PX = 360


def count(asker: Asker, branch_id: int) -> int:
    """Return how many rows wait that the asker may place."""
    if not asker.may(Right.EDIT_MERCHANTS, branch_id):
        return 0
    with reading() as session:
        return store.unplaced_count(session, asker, branch_id)


def box(asker: Asker, branch_id: int) -> None:
    """Offer the rows that wait for a place, if there are any; they are read when they are asked for."""
    total = count(asker, branch_id)
    if not total:
        return
    label = ngettext("{n} without a place", "{n} without a place", total)
    listed = st.popover(label, icon=":material/wrong_location:", key=state.UNPLACED, on_change="rerun")
    if listed.open:
        with listed, calm():
            show(asker, branch_id, total)


def show(asker: Asker, branch_id: int, total: int) -> None:
    """List the rows that wait, each with what can be done with it."""
    st.caption(_("Their lists gave no coordinates. Choose one, then click on the map where it is."))
    rows = read(asker, branch_id)
    if len(rows) < total:
        st.caption(
            _("The first {shown} of {all}.", shown=len(rows), all=number(total, compact=False)),
        )
    with st.container(height=HEIGHT_PX if len(rows) > 5 else "content", gap="small", border=False):
        for row in rows.to_dict("records"):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                line(asker, row)


def read(asker: Asker, branch_id: int) -> pd.DataFrame:
    """Return the first rows that the asker may place; a look at customers is written into the trail."""
    with writing() as session:
        rows = store.unplaced(session, asker, branch_id, limit=SHOWN)
        if len(rows) < SHOWN and asker.may(Right.CUSTOMERS, branch_id):
            people = store.unplaced(session, asker, branch_id, "customers", limit=SHOWN - len(rows))
            rows = pd.concat([rows, people], ignore_index=True) if len(people) else rows
    return rows


def line(asker: Asker, row: dict[str, Any]) -> None:
    """Show a row, with the ways to place it and to let it go."""
    name = row["name"] or _("No name")
    about = " · ".join(text for text in (row["address"], row["phone"]) if isinstance(text, str) and text)
    layer = str(row["kind"])
    below = " · ".join(filter(None, [_(LAYER_NAMES[layer]), about]))
    st.markdown(f"**{plain(shorten(name))}**  \n:gray[{plain(below)}]", width="stretch")
    row_id = int(row["id"])
    st.button(
        _("Place"),
        icon=":material/add_location_alt:",
        key=f"{state.UNPLACED}_place_{row_id}",
        on_click=state.begin_by_hand,
        args=("place", row_id, {"name": name, "about": below, "kind": layer}),
    )
    if st.button(
        "",
        icon=":material/delete:",
        type="tertiary",
        help=_("Let it go: it is nowhere, or no longer there"),
        key=f"{state.UNPLACED}_drop_{row_id}",
    ):
        drop(asker, row_id, name)


def drop(asker: Asker, row_id: int, name: str) -> None:
    """Let a row go."""
    with writing() as session:
        batch_id = store.drop_unplaced(session, asker, row_id)
    state.keep_done(_("Let go: {name}", name=name), batch_id)
    st.rerun()
