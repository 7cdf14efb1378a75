"""The card of a zone on the page of coverage: its figures beside the branch's, its people, what is there."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from pandas import DataFrame

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones import standing
from data.zones.coverage import Report
from data.zones.held import Held
from data.zones.playbooks import KIND_NAMES
from geo.plans import Zone
from pages.parts import state, zone_card, zone_reads, zone_there
from pages.parts.coverage_words import brief, title, written
from pages.parts.frame import calm
from pages.parts.words import NONE, _, ngettext, plain
from pages.parts.zone_list import people

SHOWN = (
    "customer_coverage",
    "merchant_coverage",
    "visit_coverage",
    "products_3",
    "product_match",
    "rival_nearer",
    "void_gap",
    "workload_h",
    "deposits",
)


class Card(NamedTuple):
    """What a card is made of."""

    asker: Asker
    snapshot: Snapshot
    held: Held
    report: Report
    zone: Zone


def show(card: Card) -> None:
    """Show the card."""
    zone = card.zone
    names = zone_reads.staff(card.asker, card.held.branch_id)
    workers = _("Worked by")
    with st.container(border=True):
        st.markdown(f"#### {plain(zone.name)}")
        st.markdown(f":blue-badge[{_(KIND_NAMES[zone.kind])}]")
        st.markdown(f":gray[{workers}] {plain(people(zone, names))}")
        figures, here, book = st.tabs(
            [_("Figures"), _("What is there"), _("Playbook")], key=f"{state.COVERAGE_CARD}_tabs"
        )
        with figures, calm():
            figure_table(card)
        with here, calm():
            zone_there.there(card.asker, card.snapshot, card.held, zone.id)
        with book, calm():
            playbook(card, names)
        st.button(
            _("Close"),
            type="tertiary",
            icon=":material/close:",
            on_click=state.choose_zone,
            args=(None,),
            key=f"{state.COVERAGE_CARD}_close",
        )


def figure_table(card: Card) -> None:
    """Show the zone's figures beside the whole's, and what its customers like."""
    own, beside = card.report.zone(card.zone.id), standing.compared(card.report, card.zone.id)
    branch, kind = (dict[str, float](beside[name]) for name in ("branch", "kind"))
    alike = standing.kind_size(card.report, card.zone.id)
    lines = [
        f":gray[{title(name)}] **{plain(written(name, own[name]))}**  \n"
        f":small[:gray[{plain(beside_text(brief(name, branch[name]), brief(name, kind[name]), alike))}]]"
        for name in SHOWN
    ]
    st.markdown("\n\n".join(lines))
    st.caption(_("Hours, deposits and other sizes are compared with the mean zone."))
    tags, channels = card.report.preferences(card.zone.id)
    for label, found in ((_("Preferences"), tags), (_("Channels"), channels)):
        liked = _(", ").join(each.name for each in found) or NONE
        st.markdown(f":gray[{label}] {plain(liked)}")


def beside_text(branch: str, kind: str, alike: int) -> str:
    """Return what a figure is compared with: `whole branch 5.1% · its kind (4 zones) 3.6%`."""
    kinds = ngettext("its kind alone", "the {n} of its kind {value}", alike, value=kind)
    whole = _("whole branch {value}", value=branch)
    return f"{whole} · {kinds}"


def playbook(card: Card, names: dict[int, str]) -> None:
    """Show what the bank says of this kind of ground."""
    zone_card.playbook(
        zone_card.Card(card.asker, card.snapshot, card.held, card.zone, DataFrame(), names, False)
    )
