"""The card of a zone: what it is and holds, who is there, its playbook, and what can be done with it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame

from data import catalogue
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.held import Held
from data.zones.playbooks import KIND_NAMES
from geo import drawing
from geo.plans import KINDS, MEASURES, Zone
from pages.parts import state, zone_plans, zone_reads
from pages.parts.frame import calm
from pages.parts.words import N_, _, language, plain, spoken
from pages.parts.zone_change import again, make
from pages.parts.zone_list import people
from pages.parts.zone_there import there
from pages.parts.zone_words import MEASURE_NAMES, amount

LONGEST_NAME, LONGEST_NOTE = 100, 2_000
NOBODY = 0
PART_NAMES = {
    "targets": N_("Who is there"),
    "motives": N_("What moves them"),
    "selling_points": N_("What to say"),
}


class Card(NamedTuple):
    """What a card is made of."""

    asker: Asker
    snapshot: Snapshot
    held: Held
    zone: Zone
    loads: DataFrame
    names: Mapping[int, str]
    may: bool


def show(card: Card) -> None:
    """Show the card."""
    zone = card.zone
    with st.container(border=True):
        st.markdown(f"#### {plain(zone.name)}")
        locked, worked, note = _("Locked"), _("Worked by"), _("Note")
        lock = f" :orange-badge[:material/lock: {locked}]" if zone.locked else ""
        st.markdown(f":blue-badge[{_(KIND_NAMES[zone.kind])}]{lock}")
        st.markdown(
            f":gray[{worked}] {plain(people(zone, card.names))}"
            + (f"  \n:gray[{note}] {plain(zone.note)}" if zone.note else "")
        )
        figures(card)
        if card.may:
            with calm():
                deeds(card)
        elif zone_plans.may_go_on(card.asker, card.held):
            with calm():
                in_a_draft(card)
        here, book = st.tabs([_("What is there"), _("Playbook")], key=f"{state.ZONE_CARD}_tabs")
        with here, calm():
            there(card.asker, card.snapshot, card.held, zone.id)
        with book, calm():
            playbook(card)
        st.button(
            _("Close"),
            type="tertiary",
            icon=":material/close:",
            on_click=state.choose_zone,
            args=(None,),
            key=f"{state.ZONE_CARD}_close",
        )


def figures(card: Card) -> None:
    """Show what the zone holds of every measure."""
    row = card.loads.loc[card.zone.id]
    parts = [
        f":gray[{_(MEASURE_NAMES[name])}] **{plain(amount(name, float(row[name])))}**"
        for name in MEASURES
        if name in card.loads
    ]
    st.markdown(" · ".join(parts))


# What can be done with it -----------------------------------------------------------------------------------


def deeds(card: Card) -> None:
    """Offer what can be done with the zone."""
    zone = card.zone
    with st.container(horizontal=True, gap="xsmall"):
        fields_box(card)
        if deed(_("Unlock") if zone.locked else _("Lock"), "lock_open" if zone.locked else "lock", "lock"):
            change(card, lambda plan: drawing.edited(plan, zone.id, locked=not zone.locked))
        if zone.locked:
            return
        for tool, label, icon in (
            ("edit", _("Edit outline"), "polyline"),
            ("brush", _("Paint"), "brush"),
            ("split", _("Split"), "content_cut"),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                key=f"{state.ZONE_CARD}_{tool}",
                on_click=state.take_tool,
                args=(tool,),
            )
        if len(card.held.plan) > 1:
            st.button(
                _("Merge"),
                icon=":material/merge:",
                key=f"{state.ZONE_CARD}_merge",
                on_click=state.merge_from,
                args=(zone.id,),
            )
        if deed(_("Remove"), "delete", "remove"):
            change(card, lambda plan: drawing.removed(plan, zone.id))
    if state.merging() == zone.id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_("Click the neighbour to merge with on the map."))
            st.button(_("Cancel"), key=f"{state.ZONE_CARD}_unmerge", on_click=state.merge_from, args=(None,))


def in_a_draft(card: Card) -> None:
    """Offer to change the zone of a published plan, in a draft."""
    label = _("Change it in a draft")
    if st.button(label, icon=":material/edit_document:", key=f"{state.ZONE_CARD}_draft"):
        zone_plans.go_on(card.asker, card.held, card.zone.id)
        st.rerun()


def deed(label: str, icon: str, name: str) -> bool:
    """Offer one thing that is done at once."""
    return st.button(label, icon=f":material/{icon}:", key=f"{state.ZONE_CARD}_{name}")


def change(card: Card, work: object) -> None:
    """Do it, and show the plan as it is then."""
    with calm():
        make(card.asker, card.held, work)  # type: ignore[arg-type]
        again()


def fields_box(card: Card) -> None:
    """Let the zone be named, described and given to people."""
    with st.popover(_("Name, kind, people"), icon=":material/edit:", key=f"{state.ZONE_CARD}_fields"):
        zone = card.zone
        told = repr((zone.name, zone.kind, zone.note, zone.pair)).encode()
        stamp = (
            f"{zone.id}_{zlib.crc32(told)}"  # what others changed is shown; what is typed stays until then
        )
        with st.form(f"{state.ZONE_CARD}_form_{stamp}", border=False):
            name = st.text_input(
                _("Name"), zone.name, max_chars=LONGEST_NAME, key=f"{state.ZONE_CARD}_name_{stamp}"
            )
            kind = st.selectbox(
                _("Kind"),
                KINDS,
                index=KINDS.index(zone.kind),
                format_func=spoken(KIND_NAMES),
                key=f"{state.ZONE_CARD}_kind_{stamp}",
            )
            pair = pair_field(card, stamp)
            note = st.text_area(
                _("Note"), zone.note, max_chars=LONGEST_NOTE, key=f"{state.ZONE_CARD}_note_{stamp}"
            )
            if st.form_submit_button(_("Save"), type="primary", icon=":material/check:"):
                change(
                    card,
                    lambda plan: drawing.edited(plan, zone.id, name=name, kind=kind, note=note, pair=pair),
                )


def pair_field(card: Card, stamp: str) -> list[int]:
    """Ask who works the zone: an indoor and an outdoor colleague, as a rule."""
    names = {**{person: _("somebody who left") for person in card.zone.pair}, **card.names}
    pair: list[int] = st.multiselect(
        _("People, two as a rule"),
        list(names),
        default=[person for person in card.zone.pair if person in names],
        format_func=names.__getitem__,
        max_selections=2,
        placeholder=_("Nobody yet"),
        key=f"{state.ZONE_CARD}_pair_{stamp}",
        disabled=card.zone.locked,
    )
    return pair


# Its playbook -----------------------------------------------------------------------------------------------


def playbook(card: Card) -> None:
    """Show what the bank says of this kind of ground."""
    book = zone_reads.books(card.asker, card.held.branch_id)[card.zone.kind]
    for part, title in PART_NAMES.items():
        lines = getattr(book, part)
        if lines:
            st.markdown(f"**{_(title)}**")
            st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    products = dict(zip(catalogue.PRODUCTS["id"], catalogue.PRODUCTS[language()], strict=True))
    offered = [str(products[each]) for each in book.products if each in products]
    if offered:
        title = _("What to offer")
        st.markdown(f"**{title}**")
        st.markdown(plain(_(", ").join(offered)))
