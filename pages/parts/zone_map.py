"""The map of zones: the plan over the merchants' tiles, the tool in hand, and what is drawn and clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from data.basemaps import BaseMap
from data.catalogue import LAYERS
from data.figures import Filters
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.held import Held
from geo import drawing
from geo.errors import ZhendiError
from geo.plans import Zone
from pages.parts import drawing as tools
from pages.parts import map as maps
from pages.parts import reads, state, zone_draw
from pages.parts.filters import LAYER_NAMES, codes_in
from pages.parts.frame import calm
from pages.parts.map import DrawnZone, Marked, Ring, Scene, Tool
from pages.parts.words import _, distance, shorten, spoken
from pages.parts.zone_change import Waiting, make
from pages.parts.zone_compare import moved_zones

COLOURS = ("#0f5c4a", "#e0a030", "#4a7fb5", "#b4610f", "#7a5ea8", "#5f9ea0", "#a23b50", "#6b7b75")


class Look(NamedTuple):
    """What the map is drawn from."""

    asker: Asker
    branch: Mapping[str, Any]
    snapshot: Snapshot
    held: Held
    base: BaseMap
    layers: Sequence[str]
    tool: Tool | None = None
    other: Held | None = None


def pick_layers() -> tuple[str, ...]:
    """Ask what is drawn under the zones: the merchants at first."""
    key = state.seed(state.ZONE_LAYERS, lambda text: codes_in(text, LAYERS), ["merchants"])
    picked = st.pills(
        _("Under the zones"),
        LAYERS,
        default=state.value(key),
        selection_mode="multi",
        format_func=spoken(LAYER_NAMES),
        key=key,
    )
    state.keep(state.ZONE_LAYERS, None if list(picked) == ["merchants"] else ".".join(picked))
    return tuple(picked)


@st.fragment
@calm()
def show(look: Look) -> None:
    """Show the map; moving it reruns nothing else."""
    view = maps.told(look.base.datum, state.ZONE_MAP).view
    if view is not None:
        state.keep_view(view)
    maps.draw(scene(look), key=state.ZONE_MAP, part=state.ZONE_WORK)


def heed(look: Look) -> Held:
    """Do what was drawn or clicked since the last run; return the plan as it is then."""
    told = maps.told(look.base.datum, state.ZONE_MAP)
    held = look.held
    if told.view is not None:
        state.keep_view(told.view)
    if told.drawing is not None:
        try:
            held = zone_draw.heed(look.asker, held, told.drawing)
        except ZhendiError:  # refused, which is an answer too; a run cut short is none
            state.answer_drawing(state.ZONE_MAP)
            raise
        state.answer_drawing(state.ZONE_MAP)
        tools.put_down(told.drawing.tool)
    if told.click is not None:
        state.answer_click(state.ZONE_MAP)
        held = clicked(look.asker, held, *told.click)
    return held


def clicked(asker: Asker, held: Held, lon: float, lat: float) -> Held:
    """Choose the zone that was clicked, or merge it with the one that waits for it."""
    zone_id = maps.zone_at(held.plan, lon, lat)
    first = state.merging()
    if first is None or first not in held.plan or zone_id in (None, first):
        state.choose_zone(zone_id)
        return held
    state.merge_from(None)
    second: int = zone_id or first
    return make(asker, held, lambda plan: drawing.merged(plan, first, second))


def scene(look: Look) -> Scene:
    """Return what the map shows."""
    frame, chosen = look.held.plan.frame, state.zone_id()
    masked = reads.is_masked(look.asker, look.snapshot.branch_id)
    return Scene(
        base=look.base,
        centre=Marked(frame.lon, frame.lat, look.branch["name"]),
        tiles=reads.layers(look.snapshot, look.layers, Filters(), look.base, masked),
        rings=[Ring(frame.radius_m, _("Radius {radius}", radius=distance(frame.radius_m)), main=True)],
        zones=[
            *(drawn(zone, zone.id == chosen) for zone in look.held.plan.zones),
            *(moved_zones(look.other, look.held) if look.other is not None else ()),
            *draft(look.held),
        ],
        barriers=[barrier.shape for barrier in frame.barriers],
        tool=look.tool,
        hint=hint(look.held),
        colours=reads.colours(),
        legend=reads.legend(),
    )


def draft(held: Held) -> list[DrawnZone]:
    """Return what was drawn and waits for a word about the ground of others."""
    waiting = state.pending()
    if not isinstance(waiting, Waiting) or waiting.plan_id != held.id or waiting.shape is None:
        return []
    return [DrawnZone(0, waiting.shape)]


def hint(held: Held) -> str:
    """Return what a click means just now, where it does not choose a zone."""
    if state.is_barrier():
        return _("Draw along the river or railway; leave bridges out")
    first = state.merging()
    if first is not None and first in held.plan:
        return _("Click the zone to merge with {name}", name=shorten(held.plan.zone(first).name))
    return ""


def drawn(zone: Zone, is_chosen: bool) -> DrawnZone:
    """Return a zone as the map shows it."""
    return DrawnZone(
        id=zone.id,
        shape=zone.shape,
        label=shorten(zone.name),
        fill=COLOURS[zone.id % len(COLOURS)],
        locked=zone.locked,
        selected=is_chosen,
    )
