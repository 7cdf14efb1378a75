"""The tools of a plan: which is in hand, how wide it is, whom it paints for, how edges are fitted."""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geo.drawing import SNAP_M
from geo.errors import GeoError
from geo.plans import Plan
from pages.parts import state
from pages.parts.map import Drawing, Tool, zone_at
from pages.parts.words import N_, _, shorten, spoken

KINDS = {
    "pick": N_("Select"),
    "polygon": N_("Outline"),
    "rectangle": N_("Rectangle"),
    "circle": N_("Circle"),
    "street": N_("Along a street"),
    "brush": N_("Brush"),
    "edit": N_("Corners"),
    "split": N_("Split"),
}
ICONS = {
    "pick": "arrow_selector_tool",
    "polygon": "polyline",
    "rectangle": "rectangle",
    "circle": "circle",
    "street": "road",
    "brush": "brush",
    "edit": "edit_location_alt",
    "split": "content_cut",
}
HELD = ("brush",)  # stays in hand after a drawing; any other is put down
WIDTHS_M = {"street": 100, "brush": 200}  # to begin with
NARROWEST_M, WIDEST_M, STEP_M = 10, 2_000, 10
NOBODY, WHERE_BEGUN = 0, -1  # instead of a zone that the brush paints for
FITS = {state.ZONE_SNAP: True, state.ZONE_TO_BLOCKS: False}  # to begin with


class Fit(NamedTuple):
    """How the edges of what was drawn are fitted: onto neighbours nearer than that, or to whole blocks."""

    snap_m: float = SNAP_M
    to_blocks: bool = False


def toolbar(plan: Plan, selected: int | None, beside: DeltaGenerator | None = None) -> Tool | None:
    """
    Show the tools of a plan that may be changed.

    Parameters
    ----------
    plan
        As it is shown.
    selected
        The zone that was chosen.
    beside
        Where what a tool asks for stands; after the tools without.

    Returns
    -------
    tool
        To be given to the map; None while clicks choose, also where a tool waits for a zone to be chosen.
    """
    names = spoken(KINDS)
    kind = st.segmented_control(
        _("Tool"),
        list(KINDS),
        default="pick",
        required=True,
        format_func=lambda each: f":material/{ICONS[each]}: {names(each)}",
        key=state.ZONE_TOOL,
    )
    with nullcontext() if beside is None else beside:
        return _in_hand(kind, plan, selected)


def _in_hand(kind: str | None, plan: Plan, selected: int | None) -> Tool | None:
    """Ask what a tool has to know, and return it."""
    if kind == "brush":
        return Tool("brush", _width(kind), _painted(plan, selected))
    if kind == "street":
        width_m = _width(kind)
        _fitting()
        return Tool("street", width_m)
    if kind == "edit" and (selected is None or selected not in plan):
        st.caption(_("Click the zone whose outline is to change."))
        return None
    if kind in ("polygon", "rectangle", "circle", "edit"):
        _fitting()
    return None if kind in (None, "pick") else Tool(kind, zone_id=selected)


def _width(kind: str) -> float:
    """Ask how wide a street's strip or the brush is."""
    label = _("Width in metres")
    st.markdown(f":gray[{label}]", width="content")
    width_m: int = st.number_input(
        label,
        NARROWEST_M,
        WIDEST_M,
        WIDTHS_M[kind],
        STEP_M,
        key=f"{state.ZONE_WIDTH}_{kind}",
        label_visibility="collapsed",  # it stands before the field: the row is as high for every tool
        width=130,
    )
    return float(width_m)


def _painted(plan: Plan, selected: int | None) -> int:
    """Ask whose the blocks under the brush are to be: see `painted_for`."""
    names = {zone.id: shorten(zone.name) for zone in plan.zones if not zone.locked}
    names |= {WHERE_BEGUN: _("The zone a stroke begins in"), NOBODY: _("No zone")}
    choices = sorted(names, key=lambda each: (each != WHERE_BEGUN, each == NOBODY, each))
    state.aim_brush(selected, choices)
    label = _("Blocks go to")
    st.markdown(f":gray[{label}]", width="content")
    picked: int = st.selectbox(
        label,
        choices,
        format_func=names.__getitem__,
        key=state.ZONE_PAINTED,
        label_visibility="collapsed",
        width=190,
    )
    return picked


def painted_for(plan: Plan, drawn: Drawing) -> int | None:
    """Return the zone whose the blocks under a stroke are to be; None: nobody's."""
    if drawn.zone_id in plan or drawn.zone_id == NOBODY:
        return drawn.zone_id or None
    zone_id = zone_at(plan, *drawn.shape.coords[0])
    if zone_id is None:
        raise GeoError(N_("Begin the stroke inside a zone, or choose first whose the blocks are to be."))
    return zone_id


def _fitting() -> None:
    """Offer to fit what is drawn to neighbours and to blocks."""
    with st.popover(_("Fit"), icon=":material/join_inner:"):
        for name, label in (
            (state.ZONE_SNAP, _("Snap to neighbours nearer than {metres} m", metres=f"{SNAP_M:.0f}")),
            (state.ZONE_TO_BLOCKS, _("Make it of whole blocks")),
        ):
            state.keep_choice(name, st.toggle(label, state.choice_of(name, FITS[name]), key=f"{name}_toggle"))


def fit() -> Fit:
    """Return how what was drawn is to be fitted."""
    is_snapped, to_blocks = (state.choice_of(name, at_first) for name, at_first in FITS.items())
    return Fit(SNAP_M if is_snapped else 0.0, to_blocks)


def in_hand(kind: str) -> bool:
    """Whether a tool is the one in hand: what was drawn with another was finished by taking this one."""
    return state.tool() in (kind, None)


def put_down(kind: str) -> None:
    """Let clicks choose again after a drawing, unless the tool stays in hand; before `toolbar`."""
    if kind not in HELD and in_hand(kind):
        state.put(state.ZONE_TOOL, "pick")
