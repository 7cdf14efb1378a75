"""How far each trade reaches and which customer groups it serves: a list, and a form for one trade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

from data.alliances import matrix_rows
from data.alliances.matrix import CODES, GROUP_CODES, PARENT
from data.alliances.matrix_rows import FARTHEST_M
from data.rights import Asker, Right
from geo.errors import Conflict
from pages.parts import matrix_reads, state
from pages.parts.frame import calm, writing
from pages.parts.words import _, complaint, distance, moment, plain

KIND = "terms"
LIST_PX = 460


def show(asker: Asker, branch: Mapping[str, Any]) -> None:  # noqa: ARG001 - it holds for the whole bank
    """Show the list, and beside it one trade."""
    rows, names = matrix_reads.terms(asker), matrix_reads.trade_names()
    left, right = st.columns([64, 36], gap="small")
    with left:
        listed(rows, names)
    with right, calm(), st.container(border=True):
        code = st.selectbox(
            _("Trade"),
            list(CODES),
            format_func=names.__getitem__,
            key=state.start_at(f"{state.MATRIX}_term", CODES[1]),
        )
        one(asker, rows.set_index("code").loc[code], str(code))


def listed(rows: DataFrame, names: dict[str, str]) -> None:
    """Show what holds of every trade."""
    groups = matrix_reads.group_names()
    st.dataframe(
        DataFrame(
            {
                _("Trade"): [names[code] if code in PARENT else f"▪ {names[code]}" for code in rows["code"]],
                _("Customers come from"): [distance(reach_m) for reach_m in rows["reach_m"]],
                _("Serves"): [
                    _("everybody but institutions")
                    if len(served) == len(GROUP_CODES) - 1 and "institutions" not in served
                    else _(", ").join(groups[group] for group in served) or _("nobody: no partner")
                    for served in rows["serves"]
                ],
                _("The bank's own"): ["✓" if own else "" for own in rows["own"]],
            }
        ),
        hide_index=True,
        width="stretch",
        height=LIST_PX,
        key=f"{state.MATRIX}_terms",
    )


def one(asker: Asker, row: Any, code: str) -> None:
    """Show one trade, and let it be changed by whoever may."""
    groups = matrix_reads.group_names()
    opened = state.being_changed(KIND, CODES.index(code))
    if opened is not None and asker.may(Right.EDIT_PLANS):
        edit(asker, row, code, int(opened["revision"]))
        return
    st.markdown(_("Customers come from up to {far} away.", far=distance(row["reach_m"])))
    badges = " ".join(f":blue-badge[{plain(groups[group])}]" for group in row["serves"])
    st.markdown(badges or _("It serves nobody, so it is nobody's partner."))
    if row["own"]:
        st.caption(
            _("The bank's own, changed by {who} on {when}.", who=row["by"] or "", when=moment(row["at"]))
        )
    else:
        st.caption(_("As shipped."))
    if not asker.may(Right.EDIT_PLANS):
        return
    with st.container(horizontal=True):
        st.button(
            _("Edit"),
            icon=":material/edit:",
            key=f"{state.MATRIX}_term_edit",
            on_click=state.open_change,
            args=({"kind": KIND, "id": CODES.index(code), "revision": int(row["revision"])},),
        )
        if row["own"] and st.button(
            _("Back to the one shipped"), icon=":material/undo:", key=f"{state.MATRIX}_term_reset"
        ):
            keep(asker, code, int(row["revision"]), None, None)


def edit(asker: Asker, row: Any, code: str, revision: int) -> None:
    """Let the reach and the groups of a trade be changed."""
    groups = matrix_reads.group_names()
    key = f"{state.MATRIX}_term_{code}_{revision}"
    reach_m = st.number_input(
        _("Customers come from, in metres"),
        min_value=50,
        max_value=int(FARTHEST_M),
        value=round(row["reach_m"]),
        step=50,
        key=f"{key}_reach",
    )
    serves = st.multiselect(
        _("Customer groups it serves"),
        list(GROUP_CODES),
        default=list(row["serves"]),
        format_func=groups.__getitem__,
        placeholder=_("Choose"),
        key=f"{key}_serves",
    )
    with st.container(horizontal=True):
        wanted = st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
        st.button(_("Cancel"), key=f"{key}_cancel", on_click=state.open_change, args=(None,))
        late = int(row["revision"]) != revision
        over = late and st.button(_("Save mine over it"), key=f"{key}_over")
    if wanted or over:
        keep(asker, code, int(row["revision"]) if over else revision, float(reach_m), serves)


def keep(asker: Asker, code: str, revision: int, reach_m: float | None, serves: list[str] | None) -> None:
    """Keep what holds of a trade; a save that comes too late loses nothing that was typed."""
    is_done = False
    with calm():
        try:
            with writing() as session:
                matrix_rows.save_terms(session, asker, code, revision, reach_m=reach_m, serves=serves)
            is_done = True
        except Conflict as error:
            st.warning(complaint(error), icon=":material/group:")
    if is_done:
        state.open_change(None)
        state.leave_note(_("Reach and customer groups are saved."))
        st.rerun()
