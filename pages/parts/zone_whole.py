"""What is done with all zones of a draft at once: proposed, evened out, gaps filled, read from a file."""

from __future__ import annotations

import streamlit as st

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.held import Held
from geo import drawing
from pages.parts import state, zone_design, zone_frame, zone_reading, zone_work
from pages.parts.frame import calm
from pages.parts.words import _
from pages.parts.zone_change import again, make


def buttons(asker: Asker, snapshot: Snapshot, held: Held, *, is_demo: bool) -> None:
    """Offer what is done with all zones at once."""
    has_zones, at_work = bool(len(held.plan)), zone_work.current() is not None
    told = _("Zones alike in merchants, customers or work")
    if button(_("Propose zones"), "auto_awesome", "design", told, disabled=at_work):
        zone_design.open_dialog(asker, snapshot, held)
    told = _("Within the limits, with as few changes as can be")
    if has_zones and button(_("Even out"), "balance", "rebalance", told, disabled=at_work):
        zone_design.even_out(asker, snapshot, held)
        st.rerun()
    if has_zones and button(
        _("Fill gaps"), "texture", "fill", _("Ground in no zone goes to the nearest one that is not locked")
    ):
        with calm():
            make(asker, held, drawing.filled)
            again()
    if has_zones and button(
        _("Cut overlaps"), "layers_clear", "overlaps", _("Ground in two zones stays with the one made first")
    ):
        with calm():
            make(asker, held, drawing.without_overlaps)
            again()
    if button(_("Read a file"), "upload_file", "read", _("Boundaries, or a list with a zone column")):
        zone_reading.open_dialog(asker, held)
    if button(_("Settings"), "tune", "frame", _("Radius, limits, barriers")):
        zone_frame.open_dialog(asker, held, is_demo=is_demo)


def button(label: str, icon: str, name: str, told: str, *, disabled: bool = False) -> bool:
    """Show a button with a word of what it does."""
    return st.button(
        label, icon=f":material/{icon}:", help=told, key=f"{state.ZONE_DESIGN}_{name}", disabled=disabled
    )


def begin(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Begin a new plan the way that was chosen."""
    way = state.take_beginning()
    if way == "design":
        zone_design.open_dialog(asker, snapshot, held)
    elif way == "read":
        zone_reading.open_dialog(asker, held)
