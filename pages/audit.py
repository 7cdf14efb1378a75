"""The audit trail: who looked at what, and who changed what; for those whose work it is to read it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from pandas import DataFrame

from data import store
from data.byhand import FIELDS
from data.rights import Asker
from data.zones.playbooks import KIND_NAMES
from data.zones.teams import POST_NAMES
from pages.parts import downloads, state
from pages.parts.frame import reading
from pages.parts.identity import demo_branches
from pages.parts.words import N_, NONE, ROLE_NAMES, _, moment, number

SHOWN = 500  # newest lines
ACTIONS = {
    "look": N_("Looked at customers"),
    "export": N_("Took a list out"),
    "import": N_("Brought a list in"),
    "set aside": N_("Set aside"),
    "take back": N_("Counted again"),
    "edit merchant": N_("Changed a merchant"),
    "add merchant": N_("Added a merchant"),
    "settle double": N_("Settled a double"),
    "place row": N_("Put a row on the map"),
    "drop row": N_("Let go of a row without a place"),
    "rollback": N_("Took a batch back"),
    "keep profile": N_("Kept a way of reading lists"),
    "forget profile": N_("Forgot a way of reading lists"),
    "keep category words": N_("Kept category words"),
    "forget category words": N_("Forgot category words"),
    "add branch": N_("Added a branch"),
    "remove branch": N_("Removed a branch"),
    "set radius": N_("Set the radius"),
    "add person": N_("Added a person"),
    "set role": N_("Gave a role"),
    "set post": N_("Gave somebody a post"),
    "save group": N_("Changed a group"),
    "drop group": N_("Removed a group"),
    "record visit": N_("Recorded a visit"),
    "accept link": N_("Accepted a link"),
    "refuse link": N_("Refused a link"),
    "reopen link": N_("Forgot a refusal"),
    "edit link": N_("Changed a link"),
    "end link": N_("Ended a link"),
    "form alliance": N_("Formed an alliance"),
    "edit alliance": N_("Changed an alliance"),
    "set alliance": N_("Made an alliance active, or ended it"),
    "drop alliance": N_("Removed an alliance"),
    "add member": N_("Took a member into an alliance"),
    "remove member": N_("Let a member of an alliance go"),
    "edit member": N_("Changed what a member offers"),
    "record referral": N_("Recorded a referral"),
    "drop referral": N_("Took a referral back"),
    "proposal": N_("Took a proposal out"),
    "save playbook": N_("Changed a playbook"),
    "reset playbook": N_("Went back to the shipped playbook"),
}
# What a line's subject, and the names and values in its details, are called; what is not here stays as it is.
NOUNS = {
    "merchant": N_("merchant"),
    "merchants": N_("merchant"),
    "customer": N_("customer"),
    "customers": N_("customer"),
    "outlet": N_("outlet of a bank"),
    "outlets": N_("outlet of a bank"),
    "place": N_("place"),
    "places": N_("place"),
    "person": N_("person"),
    "batch": N_("batch"),
    "playbook": N_("playbook"),
    "link": N_("link"),
    "alliance": N_("alliance"),
    "group": N_("group"),
    "unplaced": N_("row without a place"),
    "unplaced customers": N_("customers without a place"),
}
MANY = {
    "merchants": N_("merchants"),
    "customers": N_("customers"),
    "outlets": N_("outlets of banks"),
    "places": N_("places"),
}
DETAILS = {
    "rows": N_("rows"),
    "accepted": N_("accepted"),
    "updated": N_("updated"),
    "duplicates": N_("duplicates"),
    "rejected": N_("rejected"),
    "outside": N_("outside the circle"),
    "gone": N_("no longer in the list"),
    "removed": N_("removed"),
    "restored": N_("restored"),
    "kept": N_("left as they are"),
    "outlets": N_("outlets of banks"),
    "unplaced": N_("without a place"),
    "kind": N_("list of"),
    "batch": N_("batch"),
    "fields": N_("columns"),
    "words": N_("words"),
    "given": N_("role"),
    "same": N_("one and the same"),
    "radius_m": N_("radius in metres"),
    "zone_kind": N_("kind of zone"),
    "post": N_("indoor or outdoor"),
    "outings": N_("outings a month"),
    "people": N_("people"),
    "stage": N_("stage"),
    "status": N_("status"),
    "members": N_("members"),
    "merchant": N_("merchant"),
    "partners": N_("partners"),
    "referral": N_("referral"),
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
            _("To what"): lines["subject"].map(subject),
            _("Details"): lines["detail"].map(details),
        }
    )


def subject(told: str) -> str:
    """Return what a line is about: `商户 12` for `merchant 12`; a branch's code stays."""
    if told in MANY:
        return _(MANY[told])
    noun, _space, number_of_it = told.rpartition(" ")
    if noun in NOUNS and number_of_it.isdecimal():
        return f"{_(NOUNS[noun])} {number_of_it}"
    return _(NOUNS[told]) if told in NOUNS else told


def details(detail: Mapping[str, object]) -> str:
    """Return what a line says beyond its subject: `rows 12`."""
    between = _(", ")
    return between.join(
        f"{_(DETAILS.get(name, name))} {value(name, told)}" for name, told in (detail or {}).items()
    )


def value(name: str, told: object) -> str:
    """Return one value of the details: columns, kinds and roles by their names, counts in full."""
    if isinstance(told, bool):
        return _("yes") if told else _("no")
    if told is None:
        return NONE
    if isinstance(told, int | float):
        return str(told) if name == "batch" else number(told, compact=False)
    if name == "fields":
        fields = [_(FIELDS[field]) for field in str(told).split(", ") if field in FIELDS]
        return _(", ").join(dict.fromkeys(fields))
    if name == "zone_kind":
        return _(KIND_NAMES[str(told)])
    if name == "post":
        return _(POST_NAMES[str(told)])
    roles = {role.value: _(spelled) for role, spelled in ROLE_NAMES.items()}
    return _(MANY[str(told)]) if str(told) in MANY else roles.get(str(told), str(told))
