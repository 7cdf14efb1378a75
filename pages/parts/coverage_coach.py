"""The coach: what to look at first, each with one next step and a button that leads there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from data.rights import Asker
from data.words import say
from data.zones.coach import Advice
from data.zones.held import Held
from pages.parts import state, zone_plans
from pages.parts.state import View
from pages.parts.ways import Way, go
from pages.parts.words import N_, _, language, plain

PANEL_PX = 620
FAR_ZOOM, NEAR_ZOOM = 12.0, 17.0
ZOOM_OF_A_DEGREE = 9.5  # a zone a degree wide fills the map at about this zoom


class Kind(NamedTuple):
    """How a kind of advice looks, and where its next step is taken."""

    title: str
    icon: str
    button: str
    way: Way


KINDS = {
    "no_pair": Kind(N_("Nobody to work it"), ":material/person_off:", N_("Name the pair"), Way.TEAMS),
    "overloaded": Kind(N_("Too much work"), ":material/trending_up:", N_("See the zones"), Way.ZONES),
    "under_covered": Kind(
        N_("Under-covered"), ":material/trending_down:", N_("Look on the customer map"), Way.MAP
    ),
    "gap": Kind(N_("Missing trades"), ":material/storefront:", N_("Look on the customer map"), Way.MAP),
    "idle": Kind(N_("Hours to spare"), ":material/hourglass_empty:", N_("See the zones"), Way.ZONES),
}
OUTINGS = N_("Plan outings")


def show(asker: Asker, held: Held, advice: Sequence[Advice], chosen: int | None) -> None:
    """Show the advice for the zone chosen, or for all of the plan."""
    own = [each for each in advice if chosen is None or each.zone_id == chosen]
    title = _("What to do next")
    with st.container(border=True, height="content" if chosen is not None else PANEL_PX, gap="small"):
        st.markdown(f"#### {title}")
        if not own:
            st.success(
                _("Nothing stands out here: every zone has its pair, its hours and its share.")
                if chosen is None
                else _("Nothing stands out in this zone."),
                icon=":material/check:",
            )
        for at, each in enumerate(own):
            with st.container(gap="xxsmall"):
                one(asker, held, each, at)


def one(asker: Asker, held: Held, advice: Advice, at: int) -> None:
    """Show one piece of advice with its next step."""
    kind = KINDS[advice.kind]
    title = _(kind.title)
    st.markdown(f"{kind.icon} **{title}**")
    st.markdown(plain(say(advice.message, language(), **advice.values)))
    st.markdown(f":gray[{plain(say(advice.next_step, language(), **advice.values))}]")
    label = _(OUTINGS) if advice.zone_id is None else _(kind.button)
    if way_of(advice) is Way.ZONES:
        label = _("Change it in a draft") if zone_plans.may_go_on(asker, held) else _("See the zones")
    if st.button(label, icon=":material/arrow_forward:", type="tertiary", key=f"{state.ADVICE}_{at}"):
        lead(asker, held, advice)


def way_of(advice: Advice) -> Way:
    """Return the page on which the next step is taken."""
    return Way.TEAMS if advice.zone_id is None else KINDS[advice.kind].way


def lead(asker: Asker, held: Held, advice: Advice) -> None:
    """Go where the next step is taken, with the zone chosen; zones in force are changed in a draft."""
    way = way_of(advice)
    if way is Way.TEAMS:
        state.keep(state.TEAM_TAB, "people" if advice.zone_id is None else "pairs")
    if way is Way.ZONES and zone_plans.may_go_on(asker, held):
        zone_plans.go_on(asker, held, advice.zone_id)
        go(way)
        return
    if way is Way.ZONES:
        state.choose_plan(held.id)
    if advice.zone_id is not None:
        state.choose_zone(advice.zone_id)
        if way is Way.MAP:
            state.fly_to(view_of(held, advice.zone_id))
    go(way)


def view_of(held: Held, zone_id: int) -> View:
    """Return where the map looks to have a zone before it."""
    shape = held.plan.zone(zone_id).shape
    west, south, east, north = shape.bounds
    wide = max(east - west, north - south, 1e-6)
    zoom = round(ZOOM_OF_A_DEGREE - float(math.log2(wide)), 1)
    return View((west + east) / 2, (south + north) / 2, min(max(zoom, FAR_ZOOM), NEAR_ZOOM))
