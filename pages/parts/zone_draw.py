"""What is drawn on the map of zones means: a new zone, a zone's new outline, a cut, a stroke of the brush."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import streamlit as st
from shapely.geometry.base import BaseGeometry

from data.rights import Asker
from data.words import say
from data.zones.held import Held
from geo import drawing
from geo.errors import N_, GeoError, Overlaps
from geo.plans import Barrier, Plan, Zone
from pages.parts import state, zone_reads
from pages.parts.drawing import fit, in_hand, painted_for
from pages.parts.frame import calm
from pages.parts.map import Drawing
from pages.parts.outlines import restored
from pages.parts.words import _, language, ngettext, plain, shorten
from pages.parts.zone_change import Waiting, again, keep, make

MOST_NAMED = 5
NEW_NAME = N_("Zone {number}")


def next_name(plan: Plan) -> str:
    """Return what the next zone is called until somebody names it."""
    taken = {zone.name for zone in plan.zones}
    numbers = count(plan.last_id + 1)
    return next(name for number in numbers if (name := _(NEW_NAME, number=number)) not in taken)


def heed(asker: Asker, held: Held, drawn: Drawing) -> Held:
    """Do what was drawn; return the plan as it is then."""
    if not zone_reads.may_change(asker, held):
        return held
    zone_id = drawn.zone_id if drawn.zone_id in held.plan else None
    if drawn.tool == "brush":
        return paint(asker, held, drawn)
    if drawn.tool == "split" and state.is_barrier():
        return bar(asker, held, drawn)
    if drawn.tool == "split":
        return cut(asker, held, drawn, zone_id)
    if drawn.tool == "edit":
        return redraw(asker, held, drawn, zone_id)
    return put(asker, held, outline(held, drawn), None)


def bar(asker: Asker, held: Held, drawn: Drawing) -> Held:
    """Make a line a barrier, which zones are not to cross."""
    state.end_barrier()
    frame = held.plan.frame
    name = _("Barrier {number}", number=len(frame.barriers) + 1)
    barriers = (*frame.barriers, Barrier(name, drawn.shape))
    return make(
        asker,
        held,
        lambda plan: plan.change_to(replace(plan, frame=replace(frame, barriers=barriers)), "settings"),
    )


def redraw(asker: Asker, held: Held, drawn: Drawing, zone_id: int | None) -> Held:
    """Give a zone its new outline, with all the corners it had where nobody touched it."""
    if zone_id is None:
        return held
    shape = restored(drawn.shape, held.plan.zone(zone_id).shape)
    kept = () if in_hand(drawn.tool) else (_("The corners you had moved were kept; Undo takes them back."),)
    return put(asker, held, shape, zone_id, notes=kept)


def outline(held: Held, drawn: Drawing) -> BaseGeometry:
    """Return the ground that was drawn: a line along a street, and a circle's middle, have a width."""
    if drawn.tool == "circle":
        return drawing.disc(drawn.shape.x, drawn.shape.y, drawn.radius_m)
    if drawn.tool == "street":
        return drawing.along(drawn.shape, drawn.width_m, held.plan.frame.lon, held.plan.frame.lat)
    return drawn.shape


def paint(asker: Asker, held: Held, drawn: Drawing) -> Held:
    """Give the blocks under the brush to the zone it paints, or to none."""
    zone_id = painted_for(held.plan, drawn)
    cells = drawing.stroke_cells(held.plan, drawn.shape, drawn.width_m)
    return make(asker, held, lambda plan: drawing.painted(plan, cells, zone_id))


def cut(asker: Asker, held: Held, drawn: Drawing, zone_id: int | None) -> Held:
    """Split the zone chosen, else the one the line begins to cross."""
    if zone_id is None:
        crossed = [zone for zone in held.plan.zones if zone.shape.crosses(drawn.shape)]
        if not crossed:
            raise GeoError(N_("The line crosses no zone: draw it right across the zone to be split."))
        zone_id = max(crossed, key=lambda zone: zone.shape.intersection(drawn.shape).length).id
    which: int = zone_id
    return make(asker, held, lambda plan: drawing.split(plan, which, drawn.shape))


def put(
    asker: Asker,
    held: Held,
    shape: BaseGeometry,
    zone_id: int | None,
    overlap: str = "ask",
    notes: Sequence[str] = (),
) -> Held:
    """Make a zone of a shape, or give it to a zone; where it covers others' ground, ask first."""
    frame, (snap_m, to_blocks) = held.plan.frame, fit()
    mended = drawing.mended(shape, lon=frame.lon, lat=frame.lat)
    try:
        if zone_id is None:
            change = drawing.drawn(
                held.plan,
                mended.shape,
                name=next_name(held.plan),
                overlap=overlap,
                snap_m=snap_m,
                to_blocks=to_blocks,
            )
        else:
            change = drawing.reshaped(
                held.plan, zone_id, mended.shape, overlap=overlap, snap_m=snap_m, to_blocks=to_blocks
            )
    except Overlaps as error:
        state.keep_pending(Waiting(held.id, shape=mended.shape, zones=tuple(error.zones), zone_id=zone_id))
        return held
    now = keep(asker, held, change, *notes, *(say(note, language()) for note in mended.notes))
    fresh = [move.zone_id for move in change.moves if move.before is None]
    if now is not held and fresh:
        state.choose_zone(fresh[0])
    return now


# Whose ground it is -----------------------------------------------------------------------------------------


def asks(asker: Asker, held: Held) -> None:
    """Ask what becomes of ground that what was drawn and other zones both cover."""
    waiting = state.pending()
    if not isinstance(waiting, Waiting) or waiting.plan_id != held.id or waiting.shape is None:
        return
    there = [held.plan.zone(each) for each in waiting.zones if each in held.plan]
    with st.container(border=True):
        st.markdown(
            ngettext(
                "What you drew covers ground of another zone: {zones}",
                "What you drew covers ground of {n} other zones: {zones}",
                len(there),
                zones=plain(named(there)),
            )
        )
        with st.container(horizontal=True):
            for overlap, label in (
                ("take", _("Give that ground to what I drew")),
                ("leave", _("Leave it with them")),
            ):
                if st.button(label, type="primary", key=f"{state.ZONE_WAITS}_{overlap}"):
                    with calm():
                        put(asker, held, waiting.shape, waiting.zone_id, overlap)
                        again()
            st.button(_("Cancel"), key=f"{state.ZONE_WAITS}_cancel", on_click=state.forget_pending)
        if any(zone.locked for zone in there):
            st.caption(_("Locked zones keep their ground in any case."))


def named(zones: list[Zone]) -> str:
    """Return some zones' names."""
    names = [shorten(zone.name) for zone in zones[:MOST_NAMED]] + ["…"] * (len(zones) > MOST_NAMED)
    return _(", ").join(names)
