"""Where there are no zones yet: three ways to begin, in words of the branch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import streamlit as st

from data import store
from data.rights import Asker, Right
from pages.parts import state
from pages.parts.frame import calm, writing
from pages.parts.words import N_, _, day

WAYS = {
    "design": (
        ":material/auto_awesome:",
        N_("Let zones be proposed"),
        N_("Zones alike in merchants, customers or hours of work, which you change as you like."),
    ),
    "draw": (
        ":material/draw:",
        N_("Draw them by hand"),
        N_("Draw streets, communities and parks on the map as you know them."),
    ),
    "read": (
        ":material/upload_file:",
        N_("Read them from a file"),
        N_("Boundaries you have as a map file, or a list of merchants with a zone column."),
    ),
}


def first_plan(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Begin the branch's first plan."""
    if not asker.may(Right.EDIT_PLANS, branch["id"]):
        st.info(
            _("There is no plan of zones yet. The branch head or the outreach lead draws one up."),
            icon=":material/info:",
        )
        return
    st.markdown(
        _(
            "There is no plan of zones yet. A plan cuts the ground round the branch into zones, each worked "
            "by a pair of colleagues. Begin with a draft: nobody is bound by it until it is published."
        )
    )
    chosen = offer()
    if chosen is None:
        return
    with calm():
        with writing() as session:
            name = _("Zones of {day}", day=day(datetime.now(UTC)))
            plan_id = store.new_plan(session, asker, branch["id"], name=name)
        state.choose_plan(plan_id)
        state.begin_with(chosen)
        st.rerun()


def offer() -> str | None:
    """Offer the three ways; return the one that was chosen just now."""
    chosen = None
    columns = st.columns(len(WAYS), gap="small")
    for (way, (icon, title, told)), column in zip(WAYS.items(), columns, strict=True):
        with column, st.container(border=True, height="stretch"):
            kind: Literal["primary", "secondary"] = "primary" if way == "design" else "secondary"
            if st.button(_(title), icon=icon, type=kind, key=f"{state.ZONE_BEGIN}_{way}"):
                chosen = way
            st.caption(_(told))
    return chosen
