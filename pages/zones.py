"""Zones: the branch's ground cut into pieces a pair can work; drawn, balanced, published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data.basemaps import BaseMap
from data.rights import Asker
from pages.parts import (
    drawing,
    reads,
    state,
    zone_begin,
    zone_card,
    zone_change,
    zone_compare,
    zone_design,
    zone_draw,
    zone_list,
    zone_map,
    zone_plans,
    zone_reads,
    zone_tabs,
    zone_whole,
)
from pages.parts.frame import calm
from pages.parts.here import branch_of_plans, pick_base
from pages.parts.map import Tool
from pages.parts.words import _, in_one_language


def page(asker: Asker) -> None:
    """Show the page."""
    branch = branch_of_plans(asker, _("Zones"), _("Zones are for those who work at the branch."))
    if branch is None:
        return
    state.settle_map(branch["id"])
    rows = zone_reads.listed(asker, branch["id"])
    if rows.empty:
        zone_begin.first_plan(asker, branch)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        plan_id = zone_plans.pick(rows)
        with calm():
            held = zone_reads.shown(asker, branch["id"], plan_id)
            zone_plans.actions(asker, reads.snapshot(asker, branch["id"]), held)
        with st.popover(_("Map"), icon=":material/layers:", key=state.ZONE_GROUND):
            base = pick_base(bool(branch["is_demo"]))
            layers = zone_map.pick_layers()
    zone_plans.about(zone_reads.row_of(rows, plan_id))
    work(asker, branch, plan_id, base, layers)


@st.fragment(key=state.ZONE_WORK)  # a stroke and a click on the map rerun this, and no more
@calm()
@in_one_language
def work(asker: Asker, branch: Mapping[str, Any], plan_id: int, base: BaseMap, layers: Sequence[str]) -> None:
    """Show the plan: the tools, the map, the zones in a list, the one that was chosen, and the rules."""
    snapshot = reads.snapshot(asker, branch["id"])
    look = zone_map.Look(
        asker, branch, snapshot, zone_reads.shown(asker, branch["id"], plan_id), base, layers
    )
    above = st.container()  # there whether anything stands in it or not: a map that moves is loaded anew
    with above, calm():
        look = look._replace(held=zone_map.heed(look))
    held = look.held
    may = zone_reads.may_change(asker, held)
    with above:
        zone_change.changed_since(asker, held, zone_reads.listed(asker, branch["id"]))
        zone_design.watch(asker)
    if may:
        look = look._replace(tool=tools(look, above))
    look = look._replace(other=zone_compare.other_plan(asker, held))
    left, right = st.columns([62, 38], gap="small")
    with left:
        zone_map.show(look)
    with right:
        side(asker, look, may=may)
    zone_tabs.after_the_list()
    with left, calm():
        zone_tabs.show(asker, snapshot, held, look.other, may=may)


def tools(look: zone_map.Look, above: DeltaGenerator) -> Tool | None:
    """Show what a draft is changed with; return the tool in hand."""
    asker, snapshot, held = look.asker, look.snapshot, look.held
    if not len(held.plan):
        with above:
            way = zone_begin.offer()
        if way is not None:
            state.begin_with(way)
    zone_whole.begin(asker, snapshot, held)
    kinds = st.container()
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    with row:
        zone_change.steps(asker, held)
        with calm():
            zone_whole.buttons(asker, snapshot, held, is_demo=bool(look.branch["is_demo"]))
    with kinds:
        tool = drawing.toolbar(held.plan, state.zone_id(), row)
    return tool


def side(asker: Asker, look: zone_map.Look, *, may: bool) -> None:
    """Show beside the map what waits for a word, the zone that was chosen, and the list of all."""
    held = look.held
    zone_change.waits(asker, held)
    zone_draw.asks(asker, held)
    zone_change.notes()
    names = zone_reads.staff(asker, held.branch_id)
    loads = zone_reads.loads(asker, look.snapshot, held)
    with calm():
        zone_list.show(held, loads, names, zone_reads.unzoned(look.snapshot, held))
    chosen = state.zone_id()
    if chosen is not None and chosen in held.plan:
        zone = held.plan.zone(chosen)
        with calm():
            zone_card.show(zone_card.Card(asker, look.snapshot, held, zone, loads, names, may))
