"""My zones: a person's zones with whom to visit first, what is still to be done, and who worked what when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from pandas import DataFrame

from data import store
from data.catalogue import STATUS_NAMES, STATUSES
from data.rights import Asker, Role
from data.snapshots import Snapshot
from data.zones.intervals import merchant_states, today
from data.zones.playbooks import KIND_NAMES
from geo.assign import zones_of
from geo.plans import Plan, Zone
from geo.visits import DUE, NEVER, OVERDUE, STATES, UNVISITED, day_of
from pages.parts import reads, state, team_pairs, zone_reads
from pages.parts.frame import reading
from pages.parts.state import Selected, View
from pages.parts.visit_card import STATE_COLOURS, STATE_NAMES
from pages.parts.ways import Way, go, link
from pages.parts.words import NONE, _, day, ngettext, number, plain, shorten

FIRST = (OVERDUE, DUE, NEVER)  # whom to visit, in this order
MOST = 200
CLOSE_ZOOM = 17.0
ROW_PX = 35
MOST_PX = 460


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show one person's zones."""
    branch_id = int(branch["id"])
    with reading() as session:
        people = store.staff(session, asker, branch_id)
    if people.empty:
        st.info(_("Nobody is known at this branch yet."), icon=":material/group_off:")
        return
    person_id = pick_person(asker, people)
    with reading() as session:
        zones = store.my_zones(session, asker, branch_id, person_id)
    held = reads.snapshot(asker, branch_id)
    say_unvisited(held)
    if zones:
        own_zones(asker, held, zones, people, person_id)
    else:
        st.info(_("No zone of the plan in force is theirs."), icon=":material/grid_view:")
        link(Way.ZONES, _("See the zones"), ":material/arrow_forward:")
    steps(asker, branch_id, person_id)
    team_pairs.history(asker, branch_id, person_id)


def pick_person(asker: Asker, people: DataFrame) -> int:
    """Ask whose zones are wanted: one's own come first."""
    names = {int(row["id"]): str(row["name"]) for row in people.to_dict("records")}
    working = [int(each) for each in people.loc[people["zones"] > 0, "id"]]
    own = asker.person_id if asker.person_id in names else None
    default = own if own is not None and (own in working or asker.role is Role.MEMBER) else None
    default = next(iter([*working, *names])) if default is None else default
    key = state.seed(state.TEAM_PERSON, int, default)
    state.within(key, names, default)
    picked: int = st.selectbox(
        _("Whose zones"), list(names), format_func=names.__getitem__, key=key, width=260
    )
    state.keep(state.TEAM_PERSON, None if picked == default else str(picked))
    return picked


def say_unvisited(held: Snapshot) -> None:
    """Say that every merchant is "never" because no visit was recorded, if that is so."""
    if (held.merchants.visited == UNVISITED).all():
        st.info(
            _(
                "No visit is recorded yet, so every merchant counts as never visited. Record visits on a "
                "merchant's card, or bring in a list of visits."
            ),
            icon=":material/directions_walk:",
        )


# The zones --------------------------------------------------------------------------------------------------


def own_zones(asker: Asker, held: Snapshot, zones: Sequence[Zone], people: DataFrame, person_id: int) -> None:
    """Show each zone with how its visits stand, and whom to visit first."""
    published = zone_reads.published(asker, held.branch_id)
    if published is None:
        return
    rows, zone_of = merchants_in(held, published.plan, zones)
    stands = merchant_states(held.merchants)[rows]
    names = {int(row["id"]): str(row["name"]) for row in people.to_dict("records")}
    with st.container(horizontal=True):
        for zone in zones:
            partners = [names.get(each, "?") for each in zone.pair if each != person_id]
            zone_box(zone, partners, stands[zone_of == zone.id])
    to_visit(asker, held, rows, zone_of, stands, {zone.id: zone.name for zone in zones})


def merchants_in(
    held: Snapshot, plan: Plan, zones: Sequence[Zone]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the open merchants that lie in some zones of a plan, and the zone of each."""
    shops = held.merchants
    at = zones_of(shops.lon, shops.lat, [zone.shape for zone in plan.zones])
    zone_of = np.append(np.array(plan.ids, dtype=np.int64), 0)[at]
    own = np.isin(zone_of, [zone.id for zone in zones])
    rows = np.flatnonzero(own & (shops.status != STATUSES.index("closed")) & ~shops.aside)
    return rows, zone_of[rows]


def zone_box(zone: Zone, partners: Sequence[str], stands: NDArray[np.int8]) -> None:
    """Show one zone: its kind, who else works it, and how visits stand."""
    with st.container(border=True, width=300):
        st.markdown(f"**{plain(zone.name)}**  \n:gray[{_(KIND_NAMES[zone.kind])}]")
        with_whom = _(", ").join(partners) or _("alone")
        st.markdown(f":material/group: {plain(with_whom)}" if partners else f":orange[{with_whom}]")
        counts = np.bincount(stands, minlength=len(STATES))
        st.markdown(
            ngettext("{n} merchant", "{n} merchants", len(stands))
            + "  \n"
            + " ".join(
                f":{STATE_COLOURS[name]}-badge[{_(STATE_NAMES[name])} {number(float(count))}]"
                for name, count in zip(STATES, counts, strict=True)
                if count
            )
        )


def to_visit(
    asker: Asker,
    held: Snapshot,
    rows: NDArray[np.intp],
    zone_of: NDArray[np.int64],
    stands: NDArray[np.int8],
    called: Mapping[int, str],
) -> None:
    """List whom to visit first; a click on a line opens the merchant on the map."""
    shops = held.merchants
    rank = np.full(len(STATES), len(FIRST))
    rank[list(FIRST)] = np.arange(len(FIRST))
    order = np.lexsort((shops.distance_m[rows], shops.visited[rows], rank[stands]))
    order = order[rank[stands[order]] < len(FIRST)]
    heading = _("Merchants to visit")
    st.markdown(f"##### {heading}")
    if not len(order):
        st.success(_("Nobody waits for a visit."), icon=":material/check:")
        return
    first = order[:MOST]
    with reading() as session:
        found = store.merchant_rows(session, asker, held.branch_id, shops.id[rows[first]].tolist())
    shown = DataFrame(
        {
            _("Merchant"): found["name"],
            _("Visits"): [_(STATE_NAMES[STATES[each]]) for each in stands[first]],
            _("Last visit"): [
                NONE if each == UNVISITED else day(day_of(each)) for each in shops.visited[rows[first]]
            ],
            _("Status"): [_(STATUS_NAMES[status]) for status in found["status"]],
            _("Zone"): [called[each] for each in zone_of[first]],
            _("Address"): found["address"],
        }
    )
    picked = st.dataframe(
        shown,
        hide_index=True,
        placeholder=NONE,
        height=table_height(len(shown)),
        on_select="rerun",
        selection_mode="single-row",
        key=f"{state.TEAM_VISITS}_first_{held.version}",
    )
    if len(order) > MOST:
        st.caption(_("The first {shown} of {all}.", shown=number(float(MOST)), all=number(float(len(order)))))
    if lines := picked.selection.rows:
        open_button(found.iloc[lines[0]].to_dict())


def open_button(row: Mapping[str, Any]) -> None:
    """Offer to open a merchant's card on the map, where a visit is recorded."""
    label = _("Open {name} on the map", name=shorten(str(row["name"])))
    if st.button(plain(label), icon=":material/map:", type="primary", key=f"{state.TEAM_VISITS}_open"):
        lon, lat = float(row["lon"]), float(row["lat"])
        state.select(Selected("merchants", int(row["id"]), lon, lat))
        state.keep_view(View(lon, lat, CLOSE_ZOOM))
        go(Way.MAP)


def table_height(rows: int) -> int:
    """Return how high a table of so many rows is."""
    return min((rows + 1) * ROW_PX + 3, MOST_PX)


# What is next -----------------------------------------------------------------------------------------------


def steps(asker: Asker, branch_id: int, person_id: int) -> None:
    """List next steps nobody has taken yet, the soonest first."""
    with reading() as session:
        found = store.next_steps(session, asker, branch_id, person_id)
    heading = _("Next steps")
    st.markdown(f"##### {heading}")
    if found.empty:
        st.caption(_("No next step is open."))
        return
    now = today()
    late = sum(each is not None and each < now for each in found["next_day"])
    if late:
        st.warning(
            ngettext("{n} next step is late.", "{n} next steps are late.", late), icon=":material/alarm:"
        )
    shown = DataFrame(
        {
            _("Next day"): [day(each) for each in found["next_day"]],
            _("Whom"): [whom(row) for row in found.to_dict("records")],
            _("Next step"): found["next_step"],
            _("Last visit"): [day(each) for each in found["day"]],
            _("Result"): found["result"],
        }
    )
    st.dataframe(shown, hide_index=True, placeholder=NONE)


def whom(row: Mapping[str, Any]) -> str:
    """Return whom a visit was made to: a merchant's name, a customer's number."""
    if row["merchant_id"] is not None:
        return str(row["merchant"])
    return _("Customer {number}", number=row["customer_id"])
