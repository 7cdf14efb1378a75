"""The audit trail: who looked at what, and who changed what; for those whose work it is to read it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from pandas import DataFrame

from data import store
from data.rights import Asker
from pages.parts import downloads, state
from pages.parts.frame import reading
from pages.parts.identity import demo_branches
from pages.parts.words import N_, ROLE_NAMES, _, moment, number

SHOWN = 500  # newest lines
ACTIONS = {
    "look": N_("Looked at customers"),
    "export": N_("Took a list out"),
    "import": N_("Brought a list in"),
    "set aside": N_("Set aside"),
    "take back": N_("Counted again"),
    "edit merchant": N_("Changed a merchant"),
    "add branch": N_("Added a branch"),
    "remove branch": N_("Removed a branch"),
    "set radius": N_("Set the radius"),
    "add person": N_("Added a person"),
    "set role": N_("Gave a role"),
}


def page(asker: Asker) -> None:
    """Show the page."""
    st.title(_("Audit trail"), anchor=False)
    known = demo_branches()
    with reading() as session:
        lines = store.audit_rows(session, asker, limit=SHOWN)
    if lines.empty:
        st.info(_("Nothing has been looked at or changed yet."), icon=":material/info:")
        return
    st.caption(_("The newest {count} lines. They name rows by number, never a customer.", count=len(lines)))
    readable = in_words(lines, dict(zip(known["id"], known["name"], strict=True)))
    st.dataframe(readable, hide_index=True, placeholder="", key=state.AUDIT_TABLE)
    downloads.offer(_("Audit trail"), lambda: {"audit": readable}, key=state.AUDIT_TABLE + "_file")


def in_words(lines: DataFrame, branches: Mapping[int, str]) -> DataFrame:
    """Return the trail as a person reads it."""
    return DataFrame(
        {
            _("When"): lines["at"].map(moment),
            _("Who"): lines["by"],
            _("Role"): lines["role"].map({role.value: _(name) for role, name in ROLE_NAMES.items()}),
            _("What was done"): lines["action"].map(lambda action: _(ACTIONS.get(action, action))),
            _("Branch"): lines["branch_id"].map(branches),
            _("To what"): lines["subject"],
            _("Details"): lines["detail"].map(details),
        }
    )


def details(detail: Mapping[str, object]) -> str:
    """Return what a line says beyond its subject: `rows 12`."""
    return ", ".join(
        f"{name} {number(value, compact=False) if isinstance(value, int | float) else value}"
        for name, value in (detail or {}).items()
    )
