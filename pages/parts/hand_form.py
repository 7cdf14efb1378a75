"""The fields of a merchant as they are typed: what the form shows, and what was changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import isna

from data import catalogue, store
from data.rights import Asker
from pages.parts import filters, state
from pages.parts.frame import reading
from pages.parts.words import N_, NONE, _, language, spoken

Form = Mapping[str, Any]
FIELDS = {
    "name": N_("Name"),
    "category_id": N_("Category"),
    "status": N_("Status"),
    "manager": N_("Customer manager"),
    "phone": N_("Phone"),
    "address": N_("Address"),
    "hours": N_("Opening hours"),
    "note": N_("Note"),
}
NAMES = FIELDS | {"point": N_("Place on the map")}
# What the store has room for.
LONGEST = {"name": 300, "phone": 80, "address": 400, "hours": 200, "note": 2000}
NOTE_HEIGHT_PX = 68


def as_form(row: Form) -> dict[str, Any]:
    """Return a stored merchant as the form has it: texts are never missing."""
    texts = {name: _text(row.get(name)) for name in FIELDS if name != "category_id"}
    place = {"lon": float(row["lon"]), "lat": float(row["lat"])}
    codes = {"category_id": int(row["category_id"]), "revision": int(row["revision"])}
    return texts | codes | place


def _text(value: object) -> str:
    return "" if value is None or isna(value) else str(value)


def typed() -> dict[str, Any]:
    """Return what stands in the form's fields, stripped; nothing of a field that was not drawn yet."""
    values = {name: state.typed(name) for name in FIELDS}
    return {
        name: value.strip() if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }


def changed(before: Form, after: Form) -> dict[str, Any]:
    """Return the fields that differ, as they are afterwards; `point` where the place does."""
    fields = {name: after[name] for name in FIELDS if name in after and after[name] != before.get(name)}
    if "lon" in after and (after["lon"], after["lat"]) != (before.get("lon"), before.get("lat")):
        fields["point"] = (after["lon"], after["lat"])
    return fields


def shown(name: str, form: Form) -> str:
    """Return a field as a person reads it."""
    if name == "point":
        lon, lat = form["point"] if "point" in form else (form["lon"], form["lat"])
        return f"{lat:.5f}, {lon:.5f}"
    value = form.get(name)
    if name == "status":
        return _(catalogue.STATUS_NAMES[str(value)])
    if name == "category_id":
        return filters.category_names(language()).get(str(value), NONE)
    return str(value or NONE)


def fields(asker: Asker, branch_id: int, row: Form) -> None:
    """Show the fields; they start with a row's values."""
    line("name", row)
    pick_category(row.get("category_id"))
    left, right = st.columns(2, gap="small")
    with left:
        st.selectbox(
            _("Status"),
            catalogue.STATUSES,
            format_func=spoken(catalogue.STATUS_NAMES),
            key=state.hand_field("status", row.get("status") or catalogue.STATUSES[0]),
        )
        line("phone", row)
    with right:
        pick_manager(asker, branch_id, str(row.get("manager") or ""))
        line("hours", row)
    line("address", row)
    st.text_area(
        _("Note"),
        height=NOTE_HEIGHT_PX,
        max_chars=LONGEST["note"],
        key=state.hand_field("note", row.get("note") or ""),
    )


def pick_category(now: int | None) -> None:
    """Ask for the category."""
    kinds = filters.category_names(language())
    st.selectbox(
        _("Category"),
        [int(code) for code in kinds],
        index=None,
        format_func=lambda code: kinds[str(code)],
        placeholder=_("Choose"),
        key=state.hand_field("category_id", now),
    )


def line(name: str, row: Form) -> None:
    """Ask for a line of text."""
    st.text_input(_(FIELDS[name]), max_chars=LONGEST[name], key=state.hand_field(name, row.get(name) or ""))


def pick_manager(asker: Asker, branch_id: int, now: str) -> None:
    """Ask who looks after the merchant, among the branch's people."""
    with reading() as session:
        people = store.managers(session, asker, branch_id)["name"]
    names = dict.fromkeys(["", now, *people])
    st.selectbox(
        _("Customer manager"),
        list(names),
        format_func=lambda name: name or NONE,
        key=state.hand_field("manager", now),
    )
