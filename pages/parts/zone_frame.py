"""What a plan's zones stand in: its circle, what zones are held to, and what they do not cross."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from data.rights import Asker
from data.zones.held import Held
from geo.blocks import resolution_for
from geo.plans import MEASURES, Change, Frame, Measure, Plan
from pages.parts import state, zone_barriers
from pages.parts.frame import calm
from pages.parts.words import N_, _, spoken
from pages.parts.zone_change import make
from pages.parts.zone_words import MEASURE_NAMES

LEAST_M, MOST_M = 100, 100_000
PER_CENT = 100.0
FIELDS = {
    "target": N_("Ideal a zone"),
    "lowest": N_("At least"),
    "highest": N_("At most"),
}


def open_dialog(asker: Asker, held: Held, *, is_demo: bool) -> None:
    """Open the settings."""

    @st.dialog(_("Settings of the plan"), width="large")
    def dialog() -> None:
        with calm():
            frame = fields(held.plan.frame)
            frame = replace(frame, barriers=zone_barriers.fields(held, is_demo=is_demo))
            with st.container(horizontal=True):
                if st.button(
                    _("Save"), type="primary", icon=":material/check:", key=f"{state.ZONE_FRAME}_save"
                ):
                    save(asker, held, frame)
                    st.rerun()
                if st.button(_("Cancel"), key=f"{state.ZONE_FRAME}_cancel"):
                    st.rerun()

    dialog()


def save(asker: Asker, held: Held, frame: Frame) -> None:
    """Keep other settings: a change like any other, which can be undone."""
    make(asker, held, lambda plan: with_frame(plan, frame))


def with_frame(plan: Plan, frame: Frame) -> Change:
    """Return the change of a plan's frame."""
    return plan.change_to(replace(plan, frame=frame), "settings")


def fields(frame: Frame) -> Frame:
    """Ask for all of a frame but its barriers."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        radius = st.number_input(
            _("Radius of the plan, metres"),
            LEAST_M,
            MOST_M,
            int(round(frame.radius_m)),
            step=100,
            key=f"{state.ZONE_FRAME}_radius",
            help=_("Ground inside this circle that lies in no zone is counted as unzoned."),
            width=220,
        )
        farthest = st.number_input(
            _("Farthest from the branch, metres"),
            0,
            MOST_M,
            int(frame.farthest_m or 0),
            step=100,
            key=f"{state.ZONE_FRAME}_farthest",
            help=_("A zone that reaches farther is pointed out; 0 for no limit."),
            width=220,
        )
    measures = pick_measures(frame.measures, state.ZONE_FRAME)
    radius_m = frame.radius_m if radius == int(round(frame.radius_m)) else float(radius)
    resolution = frame.resolution if radius_m == frame.radius_m else resolution_for(radius_m)
    return replace(
        frame,
        radius_m=radius_m,
        resolution=resolution,
        measures=measures,
        farthest_m=float(farthest) or None,
    )


def pick_measures(measures: tuple[Measure, ...], key: str) -> tuple[Measure, ...]:
    """Ask what zones are held to: which measures, and of each how far off the ideal, at least and at most."""
    known = {measure.name: measure for measure in measures}
    picked = st.multiselect(
        _("Zones are to be alike in"),
        MEASURES,
        default=[name for name in MEASURES if name in known],
        format_func=spoken(MEASURE_NAMES),
        placeholder=_("Nothing yet"),
        key=f"{key}_measures",
    )
    return tuple(limits(known.get(name, Measure(name)), key) for name in picked)


def limits(measure: Measure, key: str) -> Measure:
    """Ask what zones are held to in one measure."""
    title = _(MEASURE_NAMES[measure.name])
    st.markdown(f"**{title}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tolerance = st.number_input(
            _("More or less, %"),
            0.0,
            PER_CENT,
            round(measure.tolerance * PER_CENT, 1),
            step=1.0,
            key=f"{key}_{measure.name}_tolerance",
            width=130,
        )
        given = {
            name: st.number_input(
                _(label),
                0.0,
                value=None if getattr(measure, name) is None else float(getattr(measure, name)),
                step=10.0,
                placeholder=_("equal") if name == "target" else _("none"),
                key=f"{key}_{measure.name}_{name}",
                width=130,
            )
            for name, label in FIELDS.items()
        }
    if given["lowest"] is not None and given["highest"] is not None and given["lowest"] > given["highest"]:
        st.warning(_("The least is more than the most."), icon=":material/edit_note:")
    return replace(measure, tolerance=tolerance / PER_CENT, **given)
