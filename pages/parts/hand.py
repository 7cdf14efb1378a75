"""Work by hand on the map: a merchant changed, moved, closed or added; a row without a place put on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from data import store
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.catchment import distances_m
from geo.errors import Conflict
from pages.parts import doubles, reads, state, undoing, unplaced
from pages.parts.frame import calm, reading
from pages.parts.hand_form import NAMES, Form, as_form, changed, fields, shown, typed
from pages.parts.state import ByHand, Selected, Spot
from pages.parts.words import N_, _, complaint, distance, ngettext, plain, shorten

HINTS = {
    "edit": N_("Save or cancel the change first"),
    "close": N_("Save or cancel the change first"),
    "move": N_("Click where the merchant is"),
    "add": N_("Click where the merchant is"),
    "place": N_("Click where it is"),
}
AIMED = N_("Confirm beside the map, or click again")
Button = Callable[..., bool]


def hint() -> str:
    """Return what a click on the map means just now; nothing where it chooses what it falls on."""
    work = state.by_hand()
    if work is None:
        return ""
    return _(HINTS[work.kind]) if state.spot() is None else _(AIMED)


def may(asker: Asker, branch_id: int) -> bool:
    """Whether the asker may change merchants; the store looks again."""
    return asker.may(Right.EDIT_MERCHANTS, branch_id)


# Where it begins --------------------------------------------------------------------------------------------


def tools(asker: Asker, branch_id: int) -> None:
    """Offer to add a merchant, and to place what has no place yet."""
    if not may(asker, branch_id):
        return
    st.button(
        _("Add merchant"),
        icon=":material/add_location_alt:",
        key=f"{state.HAND}_add",
        on_click=state.begin_by_hand,
        args=("add",),
    )
    unplaced.box(asker, branch_id)


def buttons(asker: Asker, branch_id: int, row: Form) -> None:
    """Offer on a merchant's card what can be done with it."""
    if not may(asker, branch_id):
        return
    offered = {
        "edit": (_("Edit"), ":material/edit:"),
        "move": (_("Move"), ":material/edit_location_alt:"),
        "close": (_("Mark closed"), ":material/storefront:"),
    }
    if row["status"] == "closed":
        del offered["close"]
    for kind, (label, icon) in offered.items():
        st.button(
            label,
            icon=icon,
            key=f"{state.HAND}_{kind}",
            on_click=state.begin_by_hand,
            args=(kind, int(row["id"]), as_form(row)),
        )


# What is being done -----------------------------------------------------------------------------------------


def panel(asker: Asker, held: Snapshot) -> bool:
    """Show what is being done by hand; return whether anything is."""
    work = state.by_hand()
    if work is None:
        return False
    if not may(asker, held.branch_id):
        state.end_by_hand()
        return False
    with st.container(border=True), calm():
        name = str(state.opened().get("name") or _("New merchant"))
        st.markdown(f"#### {plain(name)}")
        PANELS[work.kind](asker, held, work)
    return True


def edit_panel(asker: Asker, held: Snapshot, work: ByHand) -> None:
    """Change what is known of a merchant."""
    opened = state.opened()
    with st.form(f"{state.HAND}_form", border=False, enter_to_submit=False):
        fields(asker, held.branch_id, opened)
        theirs = account(asker, work)
        with st.container(horizontal=True):
            wanted = decision(st.form_submit_button, theirs)
            st.form_submit_button(_("Cancel"), on_click=state.end_by_hand)
    if wanted and mine(work):
        save(asker, held, work, theirs)
    elif wanted:
        leave()


def close_panel(asker: Asker, held: Snapshot, work: ByHand) -> None:
    """Mark a merchant closed: at once, unless someone else was at it."""
    if state.waiting() is None:
        save(asker, held, work, None)
    theirs = account(asker, work)
    with st.container(horizontal=True):
        wanted = decision(st.button, theirs)
        cancel()
    if wanted:
        save(asker, held, work, theirs)


def move_panel(asker: Asker, held: Snapshot, work: ByHand) -> None:
    """Move a merchant's pin to where the map was clicked."""
    opened, spot = state.opened(), state.spot()
    if spot is None:
        ask_for_spot()
        return
    theirs = account(asker, work)
    away = distances_m(*spot, np.array([opened["lon"]]), np.array([opened["lat"]]))
    st.markdown(_("The pin moves by {distance}.", distance=distance(float(away[0]))))
    with st.container(horizontal=True):
        wanted = decision(st.button, theirs, _("Move it here"))
        cancel()
    if wanted:
        save(asker, held, work, theirs)


def add_panel(asker: Asker, held: Snapshot, _work: ByHand) -> None:
    """Add a merchant where the map was clicked."""
    spot = state.spot()
    if spot is None:
        ask_for_spot()
        return
    st.caption(_("Another click on the map moves the pin."))
    with st.form(f"{state.HAND}_form", border=False, enter_to_submit=False):
        fields(asker, held.branch_id, {})
        warned = state.waiting() is not None and show_doubles(doubles.near(asker, held, typed(), spot))
        with st.container(horizontal=True):
            label = _("Add it all the same") if warned else _("Save")
            wanted = decision(st.form_submit_button, None, label)
            st.form_submit_button(_("Cancel"), on_click=state.end_by_hand)
    draft = typed()
    if not wanted:
        return
    if not draft.get("name") or draft.get("category_id") is None:
        st.warning(_("A merchant needs a name and a category."), icon=":material/edit_note:")
        return
    if not warned and doubles.near(asker, held, draft, spot):
        state.wait("")
        st.rerun()
    add(asker, held, draft, spot)


def place_panel(asker: Asker, held: Snapshot, work: ByHand) -> None:
    """Put a row without a place where the map was clicked."""
    opened, spot = state.opened(), state.spot()
    if opened.get("about"):
        st.caption(plain(str(opened["about"])))
    if spot is None:
        ask_for_spot()
        return
    with st.container(horizontal=True):
        wanted = decision(st.button, None, _("Place it here"))
        cancel()
    if wanted:
        place(asker, held, work, spot)


PANELS: dict[str, Callable[[Asker, Snapshot, ByHand], None]] = {
    "edit": edit_panel,
    "close": close_panel,
    "move": move_panel,
    "add": add_panel,
    "place": place_panel,
}


def ask_for_spot() -> None:
    """Say that the map waits for a click."""
    st.markdown(_("Click on the map where it is."))
    cancel()


def cancel() -> None:
    """Offer to leave everything as it was."""
    st.button(_("Cancel"), key=f"{state.HAND}_cancel", on_click=state.end_by_hand)


def leave() -> None:
    """Leave everything as it was."""
    state.end_by_hand()
    st.rerun()


def show_doubles(found: Sequence[Form]) -> bool:
    """Show in the form what may be the same as a new merchant; return whether there is anything."""
    if not found:
        return False
    st.warning(
        ngettext("This may be it already:", "{n} may be it already:", len(found)),
        icon=":material/join_inner:",
    )
    for row in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            about = " · ".join(filter(None, [row["address"], distance(row["distance_m"])]))
            st.markdown(f"**{plain(shorten(row['name']))}**  \n:gray[{plain(about)}]", width="stretch")
            st.form_submit_button(
                _("Open"),
                key=f"{state.HAND}_open_{row['id']}",
                on_click=leave_for,
                args=(Selected("merchants", int(row["id"]), float(row["lon"]), float(row["lat"])),),
            )
    return True


def leave_for(selected: Selected) -> None:
    """Open a merchant that is there, in place of adding it anew; a callback."""
    state.end_by_hand()
    state.select(selected)


# Two people on one merchant -------------------------------------------------------------------------------


def mine(work: ByHand) -> dict[str, Any]:
    """Return what the user makes of the merchant."""
    if work.kind == "edit":
        return changed(state.opened(), typed())
    return {"status": "closed"} if work.kind == "close" else {"point": state.spot()}


def account(asker: Asker, work: ByHand) -> dict[str, Any] | None:
    """Say what became of the merchant since it was opened; return it as it is now, None without conflict."""
    said = state.waiting()
    if said is None:
        return None
    opened, theirs = state.opened(), as_form(reads.card(asker, "merchants", work.row_id))
    wanted = mine(work)
    st.warning(plain(said), icon=":material/group:")
    for name, value in changed(opened, theirs).items():
        line = (
            f":gray[{_(NAMES[name])}] {plain(shown(name, opened))} → **{plain(shown(name, {name: value}))}**"
        )
        yours = _("yours: {value}", value=shown(name, {name: wanted[name]})) if name in wanted else ""
        st.markdown(f"{line}  \n:orange[{plain(yours)}]" if yours else line)
    return theirs


def decision(button: Button, theirs: Form | None, label: str | None = None) -> bool:
    """Offer to save, or after a conflict the choice between the two; return whether mine is to be saved."""
    if theirs is None:
        return button(label or _("Save"), type="primary", icon=":material/check:", key=f"{state.HAND}_save")
    button(_("Take theirs"), key=f"{state.HAND}_theirs", on_click=take_theirs, args=(theirs,))
    return button(_("Save mine over it"), type="primary", key=f"{state.HAND}_mine")


def take_theirs(theirs: Form) -> None:
    """Go on from what others made of the merchant; what only the user touched stays; a callback."""
    work = state.by_hand()
    since = changed(state.opened(), theirs)
    left = set() if work is None else set(mine(work)) - set(since)
    for name in since:
        state.type_in(name, theirs.get(name))
    state.keep_opened(theirs)
    state.wait(None)
    if not left:
        state.end_by_hand()


# Saving ---------------------------------------------------------------------------------------------------


def save(asker: Asker, held: Snapshot, work: ByHand, theirs: Form | None) -> None:
    """Save what the user makes of a merchant; a save that comes too late loses nothing of it."""
    opened, wanted = state.opened(), mine(work)
    revision = int((theirs or opened)["revision"])
    batch_id, late = None, ""
    try:
        _version, batch_id = undoing.kept(
            asker,
            held.branch_id,
            lambda session: store.edit_merchant(session, asker, work.row_id, revision, **wanted),
        )
    except Conflict as error:
        late = too_late(error)
    now = as_form(reads.card(asker, "merchants", work.row_id))
    if late and changed(now, {**now, **spread(wanted)}):
        state.wait(late)
        st.rerun()
    # Else it is as wanted: one's own save, cut short after it was kept, says that it comes too late.
    picked = Selected("merchants", work.row_id, now["lon"], now["lat"])
    undoing.finish(_("Saved: {name}", name=now["name"]), batch_id, picked)


def too_late(error: Conflict) -> str:
    """Return what a stale save is told: what was changed, by whom and when."""
    if "changes" not in error.values:
        return complaint(error)
    return _("Changed since you opened it: {changes}.", changes=error.values["changes"])


def spread(values: Form) -> dict[str, Any]:
    """Return changed fields with the point as a row has it."""
    rest = {name: value for name, value in values.items() if name != "point"}
    return rest if "point" not in values else {**rest, "lon": values["point"][0], "lat": values["point"][1]}


def add(asker: Asker, held: Snapshot, draft: Form, spot: Spot) -> None:
    """Add a merchant."""
    lon, lat = spot
    row_id, batch_id = undoing.kept(
        asker,
        held.branch_id,
        lambda session: store.add_merchant(session, asker, held.branch_id, lon=lon, lat=lat, **draft),
    )
    undoing.finish(_("Added: {name}", name=draft["name"]), batch_id, Selected("merchants", row_id, lon, lat))


def place(asker: Asker, held: Snapshot, work: ByHand, spot: Spot) -> None:
    """Place a row that had no place."""
    opened = state.opened()
    row_id, batch_id = undoing.kept(
        asker, held.branch_id, lambda session: store.place_unplaced(session, asker, work.row_id, *spot)
    )
    layer = placed_in(asker, held.branch_id, str(opened["kind"]), row_id, spot)
    picked = None if layer is None else Selected(layer, row_id, *spot)
    undoing.finish(_("Placed: {name}", name=opened["name"]), batch_id, picked)


def placed_in(asker: Asker, branch_id: int, kind: str, row_id: int, spot: Spot) -> str | None:
    """Return the layer a row has come to, if it has cards: banks in a list of merchants are outlets."""
    readers = {"merchants": store.merchant_rows, "outlets": store.outlet_rows, "places": store.place_rows}
    with reading() as session:
        for layer in ["merchants", "outlets"] if kind == "merchants" else [kind]:
            rows = readers[layer](session, asker, branch_id, [row_id]) if layer in readers else []
            if len(rows) and (rows["lon"].iloc[0], rows["lat"].iloc[0]) == spot:
                return layer
    return None
