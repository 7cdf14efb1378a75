"""A cluster made a zone: put into a draft of the branch's plans, where the zones page goes on with it."""

from __future__ import annotations

from datetime import UTC, datetime

import shapely
import streamlit as st
from shapely.geometry.base import BaseGeometry

from data import store
from data.rights import Asker, Right
from data.zones.held import DRAFT, PUBLISHED, Held
from geo import drawing
from geo.errors import Overlaps
from geo.plans import Plan
from pages.parts import state, zone_reads
from pages.parts.cluster_map import Look
from pages.parts.frame import calm, writing
from pages.parts.ways import Way, go
from pages.parts.words import _, day, plain
from pages.parts.zone_draw import named

NEW = 0
KINDS = {"customers": "community", "merchants": "street"}


def offer(look: Look, at: int) -> None:
    """Offer to make the cluster a zone of a draft."""
    branch_id, own = look.snapshot.branch_id, look.standing.growth.ids[at]
    if not look.asker.may(Right.EDIT_PLANS, branch_id):
        return
    asked = state.whose_ground(own)
    if asked is not None:
        ask(look, at, *asked)
        return
    rows = zone_reads.listed(look.asker, branch_id)
    drafts = rows[rows["status"] == DRAFT]
    names = {int(row.id): str(row.name) for row in drafts.itertuples(index=False)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        plan_id = st.selectbox(
            _("Draft it goes into"),
            [*names, NEW],
            format_func={**names, NEW: _("A new draft")}.__getitem__,
            key=f"{state.CLUSTER_ZONE}_plan",
            width=220,
        )
        if st.button(
            _("Make it a zone"), type="primary", icon=":material/add_location_alt:", key=state.CLUSTER_ZONE
        ):
            with calm():
                put(look, at, plan_id or begun(look.asker, branch_id), "ask")


def ask(look: Look, at: int, plan_id: int, zones: tuple[int, ...]) -> None:
    """Ask what becomes of ground that the cluster and other zones both cover."""
    plan = zone_reads.newest(look.asker, plan_id).plan
    there = [plan.zone(each) for each in zones if each in plan]
    st.warning(_("Other zones have some of this ground: {zones}", zones=plain(named(there))))
    with st.container(horizontal=True):
        for overlap, label in (
            ("take", _("Give that ground to the new zone")),
            ("leave", _("Leave it with them")),
        ):
            if st.button(label, type="primary", key=f"{state.CLUSTER_ZONE}_{overlap}"):
                with calm():
                    put(look, at, plan_id, overlap)
        st.button(
            _("Cancel"),
            key=f"{state.CLUSTER_ZONE}_cancel",
            on_click=state.ask_whose_ground,
            args=(None,),
        )


def begun(asker: Asker, branch_id: int) -> int:
    """Begin a draft, as a copy of the plan in force where there is one; return its id."""
    name = _("Clusters as zones, {day}", day=day(datetime.now(UTC)))
    rows = zone_reads.listed(asker, branch_id)
    in_force = rows.loc[rows["status"] == PUBLISHED, "id"]
    with writing() as session:
        if len(in_force):
            return store.copy_plan(session, asker, int(in_force.iloc[0]), name)
        return store.new_plan(session, asker, branch_id, name=name)


def put(look: Look, at: int, plan_id: int, overlap: str) -> None:
    """Put the cluster into a draft and go there; where it covers others' ground, ask first."""
    held = zone_reads.newest(look.asker, plan_id)
    standing = look.standing
    try:
        change = drawing.drawn(
            held.plan,
            largest(standing.found.shapes[at]),
            name=free_name(held.plan, standing.names[at]),
            kind=KINDS[standing.found.layer],
            overlap=overlap,
        )
    except Overlaps as error:
        state.ask_whose_ground((standing.growth.ids[at], plan_id, tuple(error.zones)))
        st.rerun()
    with writing() as session:
        now: Held = store.change_plan(session, look.asker, held.id, held.revision, change)
    zone_reads.see(now)
    state.ask_whose_ground(None)
    state.choose_plan(plan_id)
    fresh = [move.zone_id for move in change.moves if move.before is None]
    state.choose_zone(fresh[0] if fresh else None)
    go(Way.ZONES)


def largest(shape: BaseGeometry) -> BaseGeometry:
    """Return the largest piece of a shape: a zone is one piece."""
    return max(shapely.get_parts(shape), key=shapely.area)


def free_name(plan: Plan, name: str) -> str:
    """Return a name as no zone of the plan has it."""
    used = {zone.name for zone in plan.zones}
    short = name[: drawing.LONGEST_NAME - 4]
    numbered = (f"{short} {number}" for number in range(2, 2 + len(used)))
    return next(each for each in (short, *numbered) if each not in used)
