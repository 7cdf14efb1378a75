"""What was clicked on the map or found by name: which feature it is, and its card beside the map."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from data import catalogue, store, tiles
from data.catalogue import OUTLET_NAMES, PLACE_NAMES, STATUS_NAMES
from data.figures import FEWEST, Filters
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.catchment import distances_m
from geo.tiles import CELL_STEPS, CUSTOMER_CELL, nearest, tile_at
from pages.parts import doubles, hand, partner_line, reads, state, visit_card
from pages.parts.frame import calm, writing
from pages.parts.lists import may_list
from pages.parts.state import Selected, View
from pages.parts.words import N_, _, distance, language, money, ngettext, number, plain

NEAR_PX = 12
BUBBLE_PX = 16
DEEPER = 2.0  # zooms that a click on a bubble goes in
POINT_LAYERS = ("outlets", "places", "merchants")
EQUATOR_M = 2 * math.pi * 6378137.0
TILE_PX = 256
DEEPEST = 20.0
DEEPEST_DATA = 18  # as in zhendi-map.js
MOST_CUSTOMERS = 20
STATUS_COLOURS = {"known": "gray", "contacted": "orange", "signed": "green", "closed": "red"}


class Sight(NamedTuple):
    """What the map shows: a click can only mean something of it."""

    held: Snapshot
    layers: Sequence[str]
    filters: Filters
    masked: bool


# Which feature ----------------------------------------------------------------------------------------------


def at_click(sight: Sight, lon: float, lat: float, zoom: float) -> Selected | View | None:
    """
    Return what a click means: a feature, a customers' cell, or a bubble to look into.

    Parameters
    ----------
    sight
        What is shown.
    lon, lat
        Of the click, WGS 84.
    zoom
        The map's.

    Returns
    -------
    meant
        A view, when the click fell on a bubble: the map goes there. None when it fell on nothing.
    """
    pixel_m = EQUATOR_M * math.cos(math.radians(lat)) / (TILE_PX * 2**zoom)
    bubbles = "merchants" in sight.layers and _in_bubble(sight, lon, lat, zoom, BUBBLE_PX * pixel_m)
    near = [
        layer for layer in POINT_LAYERS if layer in sight.layers and not (bubbles and layer == "merchants")
    ]
    hits = [hit for layer in near if (hit := _near(sight, layer, lon, lat, pixel_m)) is not None]
    if hits:
        layer, row = min(hits, key=lambda hit: _away(sight, hit, lon, lat))
        rows = getattr(sight.held, layer)
        return Selected(layer, int(rows.id[row]), float(rows.lon[row]), float(rows.lat[row]))
    if bubbles:
        return View(lon, lat, min(zoom + DEEPER, DEEPEST))
    if "customers" in sight.layers and len(in_cell(sight, lon, lat, zoom)):
        return Selected("customers", None, lon, lat, zoom)
    return None


def _near(sight: Sight, layer: str, lon: float, lat: float, pixel_m: float) -> tuple[str, int] | None:
    shown = tiles.drawn(sight.held, layer, sight.filters).shown
    row = nearest(shown, lon, lat, max_m=NEAR_PX * pixel_m)
    return None if row is None else (layer, row)


def _away(sight: Sight, hit: tuple[str, int], lon: float, lat: float) -> float:
    rows, row = getattr(sight.held, hit[0]), hit[1]
    return float(distances_m(lon, lat, rows.lon[row : row + 1], rows.lat[row : row + 1])[0])


def _in_bubble(sight: Sight, lon: float, lat: float, zoom: float, reach_m: float) -> bool:
    """Whether merchants are bubbles at this zoom, and a bubble of several is near."""
    drawn = tiles.drawn(sight.held, "merchants", sight.filters)
    if not drawn.is_crowded(data_zoom(zoom)):
        return False
    row = nearest(drawn.shown, lon, lat, max_m=reach_m)
    if row is None:
        return False
    level = data_zoom(zoom) + CELL_STEPS
    here = tile_at(float(sight.held.merchants.lon[row]), float(sight.held.merchants.lat[row]), level)
    return drawn.shown.count(level, *here) > 1


def in_cell(sight: Sight, lon: float, lat: float, zoom: float) -> NDArray[np.intp]:
    """Return the rows of customers in the cell drawn at a spot."""
    shown = tiles.drawn(sight.held, "customers", sight.filters).shown
    level = min(data_zoom(zoom) + CELL_STEPS, CUSTOMER_CELL)
    return shown.rows[shown.slice(level, *tile_at(lon, lat, level))]


def data_zoom(zoom: float) -> int:
    """Return the zoom of the tiles that are drawn at a zoom of the map."""
    return int(max(0, min(round(zoom) - 1, DEEPEST_DATA)))


# Its card ---------------------------------------------------------------------------------------------------


def show(selected: Selected | None, sight: Sight, asker: Asker) -> None:
    """Show the card of what was chosen, if anything was."""
    if selected is None:
        return
    with st.container(border=True):
        row = None
        if selected.row_id is None:
            customers_card(selected, sight, asker)
        else:
            row = feature_card(selected, sight, asker)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if row is not None and selected.layer == "merchants":
                visit_card.button(asker, sight.held, row)
                partner_line.buttons(asker, sight.held, int(row["id"]))
                hand.buttons(asker, sight.held.branch_id, row)
                aside_button(asker, sight.held, selected.layer, int(row["id"]), key=state.CARD)
            if row is not None:
                more(row)
            st.button(
                _("Close"),
                type="tertiary",
                icon=":material/close:",
                on_click=state.select,
                args=(None,),
                key=state.CLOSE,
            )


def feature_card(selected: Selected, sight: Sight, asker: Asker) -> Mapping[str, Any]:
    """Show all of a merchant, an outlet or a place, and return it."""
    row = reads.card(asker, selected.layer, int(selected.row_id or 0))
    st.markdown(f"#### {plain(row['name'])}")
    st.markdown(" ".join(badges(selected.layer, row)))
    away = float(
        distances_m(sight.held.lon, sight.held.lat, np.array([row["lon"]]), np.array([row["lat"]]))[0]
    )
    fields = {N_("Distance"): distance(away), **details(selected.layer, row)}
    lines = [f":gray[{_(title)}] {plain(str(text))}" for title, text in fields.items() if text]
    st.markdown("  \n".join(lines))
    if selected.layer == "merchants":
        visit_card.show(asker, sight.held, row)
        partner_line.show(asker, sight.held, int(row["id"]))
        doubles.note(asker, sight.held, row)
    return row


def more(row: Mapping[str, Any]) -> None:
    """Offer what else the list had, as its own columns; it is read when it is asked for."""
    if not row.get("attributes"):
        return
    key = f"{state.MORE}_{row['id']}"
    box = st.popover(_("More"), icon=":material/more_horiz:", key=key, on_change="rerun")
    if box.open:
        others = json.loads(row["attributes"])
        lines = [f":gray[{plain(title)}] {plain(str(text))}" for title, text in others.items()]
        box.markdown("  \n".join(lines))


def badges(layer: str, row: Mapping[str, Any]) -> list[str]:
    """Return what kind of thing it is, as badges."""
    if layer == "merchants":
        category = catalogue.CATEGORIES.set_index("id")[language()].get(row["category_id"], "")
        status = str(row["status"])
        return [
            f":blue-badge[{plain(category)}]",
            f":{STATUS_COLOURS[status]}-badge[{_(STATUS_NAMES[status])}]",
        ]
    if layer == "outlets":
        colour, whose = ("green", _("Our bank")) if row["is_own"] else ("red", _("Other banks"))
        own = f":{colour}-badge[{whose}]"
        return [f":gray-badge[{_(OUTLET_NAMES[row['kind']])}]", own]
    return [f":violet-badge[{_(PLACE_NAMES[row['kind']])}]"]


def details(layer: str, row: Mapping[str, Any]) -> dict[str, str]:
    """Return what else is known, by its title."""
    text = {title: row.get(column) or "" for column, title in TEXTS.items()}
    if layer == "places":
        counts = {title: number(row.get(column)) for column, title in PEOPLE.items() if row.get(column)}
        return {**counts, **text}
    return text


TEXTS = {
    "address": N_("Address"),
    "phone": N_("Phone"),
    "hours": N_("Opening hours"),
    "manager": N_("Customer manager"),
    "note": N_("Note"),
    "source_id": N_("Number in the list"),
}
PEOPLE = {"households": N_("Households"), "adults": N_("Adults"), "employees": N_("Employees")}


def customers_card(selected: Selected, sight: Sight, asker: Asker) -> None:
    """Show the customers of a cell: their counts to all, the nearest by name to those who may see them."""
    rows = in_cell(sight, selected.lon, selected.lat, selected.zoom)
    people = sight.held.customers
    size = int(people.people[rows].sum())
    heading = _("Customers here")
    st.markdown(f"#### {heading}")
    if sight.masked and len(rows) < FEWEST:
        st.caption(_("Fewer than {count} customers: not shown.", count=FEWEST))
        return
    ours = int(people.existing[rows].sum())
    st.markdown(ngettext("{n} person, {ours} of ours", "{n} people, {ours} of ours", size, ours=number(ours)))
    if not may_list(asker, "customers", sight.held.branch_id):
        st.caption(_("You may see how many there are, not who."))
        return
    away = distances_m(selected.lon, selected.lat, people.lon[rows], people.lat[rows])
    nearest_rows = rows[np.argsort(away, kind="stable")[:MOST_CUSTOMERS]]
    found = reads.customers(asker, sight.held, people.id[nearest_rows].tolist())
    if found.empty:
        st.caption(_("None of them is managed by you."))
    for row in found.to_dict("records"):
        st.markdown(customer_line(row))  # one by one: a name is no part of another's Markdown


def customer_line(row: Mapping[str, Any]) -> str:
    """Return a customer in a line."""
    groups = catalogue.GROUPS.set_index("id")[language()]
    kind = _("Existing customer") if row["existing"] else _("Target customer")
    parts = [groups.get(row["group_id"], ""), kind]
    if row.get("deposits") is not None and not math.isnan(row["deposits"]):
        parts.append(money(row["deposits"]))
    key = " :material/star:" if row["is_key"] else ""
    name = row["name"] or _("No name")
    return f"**{plain(name)}**{key}  \n:gray[{plain(' · '.join(filter(None, parts)))}]"


# Setting aside ----------------------------------------------------------------------------------------------


def aside_button(asker: Asker, held: Snapshot, layer: str, row_id: int, *, key: str) -> None:
    """Offer to set a point aside, with a reason: it no longer sets the radius."""
    if not asker.may(Right.EDIT_MERCHANTS, held.branch_id):
        return
    if is_aside(held, layer, row_id):
        back_button(asker, held, layer, row_id, key=key)
        return
    with st.popover(_("Set aside"), icon=":material/block:", key=f"{state.ASIDE}_{key}_box"):
        reason = reason_field(f"{key}_{layer}_{row_id}")
        aside_now(asker, held, layer, row_id, reason, key=key)


def is_aside(held: Snapshot, layer: str, row_id: int) -> bool:
    """Whether a point is set aside."""
    rows = getattr(held, layer)
    row = rows.row_of(row_id)
    return row is not None and bool(rows.aside[row])


def reason_field(key: str) -> str:
    """Ask why a point should not count."""
    reason: str = st.text_input(
        _("Why should it not count?"), max_chars=200, key=f"{state.ASIDE}_{key}_reason"
    )
    return reason


def aside_now(asker: Asker, held: Snapshot, layer: str, row_id: int, reason: str, *, key: str) -> None:
    """Set a point aside for a reason given."""
    name = f"{state.ASIDE}_{key}_{layer}_{row_id}"
    done = False
    if st.button(_("Set aside"), type="primary", key=name):
        with calm(), writing() as session:
            store.set_aside(session, asker, held.branch_id, layer, row_id, reason)
            done = True
        if done:
            st.rerun()


def back_button(asker: Asker, held: Snapshot, layer: str, row_id: int, *, key: str) -> None:
    """Offer to let a point set aside count again."""
    if st.button(
        _("Count it again"), icon=":material/undo:", key=f"{state.ASIDE}_{key}_{layer}_{row_id}_back"
    ):
        with writing() as session:
            store.take_back(session, asker, held.branch_id, layer, row_id)
        st.rerun()
