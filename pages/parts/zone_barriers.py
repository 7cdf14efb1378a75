"""What a plan's zones do not cross: drawn, read from a file, or taken from the demo town's street plan."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from data.config import Settings
from data.files import readers
from data.towns.streetplan import barriers_file
from data.zones.barriers import read_barriers
from data.zones.held import Held
from geo.plans import Barrier, Frame
from pages.parts import state, zone_shapes
from pages.parts.frame import calm
from pages.parts.words import _, ngettext, plain


def fields(held: Held, *, is_demo: bool) -> tuple[Barrier, ...]:
    """List what zones do not cross, with the ways to more of it; return what is chosen."""
    frame = held.plan.frame
    title = _("Barriers")
    st.markdown(f"**{title}**")
    st.caption(_("A river without its bridges, a railway: zones do not cross it."))
    kept = list(_ticked(frame.barriers, "barrier", at_first=True))
    if is_demo:
        with calm():
            kept += _ticked(_offered(frame), "offered", at_first=False)
    if st.button(
        _("Draw a barrier"),
        icon=":material/add_road:",
        key=f"{state.ZONE_FRAME}_bar",
        on_click=state.begin_barrier,
    ):
        st.rerun()
    with calm():
        kept += _from_file(held)
    return tuple(kept)


def _ticked(barriers: Sequence[Barrier], name: str, *, at_first: bool) -> list[Barrier]:
    """Return the barriers whose box is ticked."""
    return [
        barrier
        for at, barrier in enumerate(barriers)
        if st.checkbox(plain(barrier.name), at_first, key=f"{state.ZONE_FRAME}_{name}_{at}")
    ]


def _from_file(held: Held) -> list[Barrier]:
    """Ask for a file of barriers; return those of it that are ticked."""
    found = zone_shapes.taken(
        held,
        f"{state.ZONE_FRAME}_lines",
        _("From a file: lines or areas; rows named as a bridge leave an opening"),
        read_barriers,
    )
    if found is None:
        return []
    if found.bridges:
        st.caption(ngettext("Open at one bridge.", "Open at {n} bridges.", found.bridges))
    fresh = [barrier for barrier in found.barriers if barrier not in held.plan.frame.barriers]
    return _ticked(fresh, "read", at_first=True)


def _offered(frame: Frame) -> list[Barrier]:
    """Return the barriers of the demo town's own street plan that the plan does not have yet."""
    path = barriers_file(Settings.from_env())
    if not path.is_file():
        return []
    found = state.once(
        f"{state.ZONE_FRAME}_town",
        (path.stat().st_mtime_ns, frame.lon, frame.lat, frame.radius_m, frame.resolution),
        lambda: read_barriers(readers.open_table(path), frame, datum="wgs84"),
    )
    known = {barrier.name for barrier in frame.barriers}
    return [barrier for barrier in found.barriers if barrier.name not in known]
