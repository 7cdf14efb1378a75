"""Two plans beside each other: which blocks moved from which zone to which, and what changes for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h3
import streamlit as st
from pandas import DataFrame
from shapely.geometry import shape

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones import coverage
from data.zones.held import Held
from geo import comparing_plans
from geo.plans import Plan
from pages.parts import state, zone_reads
from pages.parts.map import DrawnZone
from pages.parts.words import N_, _, ngettext, number, plain, share

NO_PLAN = 0
LINES_SHOWN = 300
NOWHERE = N_("no zone")
MOVED_COLOUR = "#a23b50"


# For whom ---------------------------------------------------------------------------------------------------


def handover(asker: Asker, snapshot: Snapshot, before: Held | None, after: Held) -> None:
    """Say what changes when a plan takes another's place: for the ground, and for each of the people."""
    unnamed = [zone.name for zone in after.plan.zones if not zone.pair]
    st.markdown(
        ngettext(
            "**{name}** has one zone.", "**{name}** has {n} zones.", len(after.plan), name=plain(after.name)
        )
    )
    if before is None:
        st.markdown(_("It is the first plan of the branch: nothing is taken from anybody."))
    elif related(before, after):
        summed = comparing_plans.summary(before.plan, after.plan)
        st.markdown(
            _(
                "Against {name}, in force now: {kept} of the ground stays in its zone, {moved} of {blocks} "
                "blocks move.",
                name=f"**{plain(before.name)}**",
                kept=share(summed.kept_share),
                moved=number(summed.moved),
                blocks=number(summed.blocks),
            )
        )
    else:
        st.markdown(
            _("It takes the place of {name}, which becomes a past plan.", name=f"**{plain(before.name)}**")
        )
    if unnamed:
        st.warning(
            ngettext(
                "One zone has nobody to work it: {zones}",
                "{n} zones have nobody to work them: {zones}",
                len(unnamed),
                zones=plain(_(", ").join(unnamed[:8]) + (" …" if len(unnamed) > 8 else "")),
            ),
            icon=":material/person_off:",
        )
    rows = people_rows(snapshot, zone_reads.staff(asker, after.branch_id), before, after)
    if not rows.empty:
        st.dataframe(rows, hide_index=True, width="stretch")


def related(before: Held, after: Held) -> bool:
    """Whether zones of the two plans are the same where their numbers are: one is a copy of the other."""
    return (
        after.copy_of == before.id
        or before.copy_of == after.id
        or (after.copy_of is not None and after.copy_of == before.copy_of)
    )


def people_rows(snapshot: Snapshot, names: dict[int, str], before: Held | None, after: Held) -> DataFrame:
    """Return a line for each of the people: their zones and merchants in either plan."""
    was = {} if before is None else worked(snapshot, before.plan)
    will = worked(snapshot, after.plan)
    rows = []
    for person in sorted(was.keys() | will.keys(), key=lambda each: names.get(each, "")):
        (old_zones, old), (new_zones, new) = was.get(person, ([], 0)), will.get(person, ([], 0))
        if old_zones == new_zones and old == new:
            continue
        rows.append(
            {
                _("Who"): names.get(person, _("somebody who left")),
                _("Zones now"): _(", ").join(old_zones) or "-",
                _("Zones then"): _(", ").join(new_zones) or "-",
                _("Merchants now"): old,
                _("Merchants then"): new,
            }
        )
    return DataFrame(rows)


def worked(snapshot: Snapshot, plan: Plan) -> dict[int, tuple[list[str], int]]:
    """Return the zones and the number of merchants of each of the people."""
    merchants = coverage.loads(snapshot, plan)["merchants"] if len(plan) else {}
    found: dict[int, tuple[list[str], int]] = {}
    for zone in plan.zones:
        for person in zone.pair:
            zones, count = found.get(person, ([], 0))
            found[person] = [*zones, zone.name], count + int(merchants[zone.id])
    return found


# Two plans --------------------------------------------------------------------------------------------------


def other_plan(asker: Asker, held: Held) -> Held | None:
    """Return the plan that is compared with, where one was chosen."""
    chosen = state.chosen(state.ZONE_OTHER, NO_PLAN)
    if chosen in (NO_PLAN, held.id):
        return None
    rows = zone_reads.listed(asker, held.branch_id)
    return zone_reads.any_plan(asker, chosen) if chosen in set(rows["id"]) else None


def part(held: Held, other: Held | None, rows: DataFrame, labels: dict[int, str]) -> None:
    """Ask for a plan to compare with, and show what moved."""
    ids = [NO_PLAN, *(int(each) for each in rows["id"] if int(each) != held.id)]
    if len(ids) == 1:
        st.info(_("There is no other plan to compare with yet. Copy this one to try something."))
        return
    names = {NO_PLAN: _("Choose a plan"), **labels}
    st.selectbox(_("Compare with"), ids, format_func=names.__getitem__, key=state.ZONE_OTHER, width=340)
    if other is None:
        return
    moved, summed = (
        comparing_plans.moved_blocks(other.plan, held.plan),
        comparing_plans.summary(other.plan, held.plan),
    )
    st.markdown(
        _(
            "From {other} to {name}: {moved} of {blocks} blocks move, {kept} of the ground stays.",
            other=f"**{plain(other.name)}**",
            name=f"**{plain(held.name)}**",
            moved=number(summed.moved),
            blocks=number(summed.blocks),
            kept=share(summed.kept_share),
        )
    )
    if moved.empty:
        return
    if not related(other, held):
        st.caption(_("The two plans were made apart: zones are taken for the same where their numbers are."))
    st.caption(_("Blocks that move are hatched on the map."))
    st.dataframe(moves_table(moved), hide_index=True, width="stretch", height="auto")


def moves_table(moved: DataFrame) -> DataFrame:
    """Return how many blocks go from which zone to which, the most first."""
    counts = moved.groupby(["from_name", "to_name"]).size().sort_values(ascending=False).head(LINES_SHOWN)
    nowhere = _(NOWHERE)
    return DataFrame(
        {
            _("From zone"): [pair[0] or nowhere for pair in counts.index],
            _("To zone"): [pair[1] or nowhere for pair in counts.index],
            _("Blocks"): counts.to_numpy(),
        }
    )


def moved_zones(other: Held, held: Held) -> Sequence[DrawnZone]:
    """Return the ground that moves, as the map shows it."""
    moved = comparing_plans.moved_blocks(other.plan, held.plan)
    drawn: list[Any] = []
    for (_old, _new), rows in moved.groupby(["from", "to"]):
        ground = shape(h3.cells_to_h3shape(rows["cell"].tolist()).__geo_interface__)
        drawn.append(
            DrawnZone(
                id=-len(drawn) - 1,
                shape=ground,
                label="",
                fill=MOVED_COLOUR,
                locked=False,
                selected=False,
                hatch=True,
            )
        )
    return drawn
