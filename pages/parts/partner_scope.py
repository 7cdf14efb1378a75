"""For what partners are looked for: the whole catchment, a zone of the plan in force, or one merchant."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from data import store
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import alliance_reads, state, zone_reads
from pages.parts.alliance_reads import Ground
from pages.parts.frame import reading
from pages.parts.here import one_of
from pages.parts.ways import Way, link
from pages.parts.words import N_, _, distance, ngettext, plain, shorten, spoken

GROUND_NAMES = {"catchment": N_("Catchment"), "zone": N_("A zone"), "merchant": N_("One merchant")}
WITHIN_M = (200, 300, 500, 800, 1000)
USUAL_M = 500
FOUND = 12


def pick(asker: Asker, snapshot: Snapshot) -> Ground | None:
    """Ask for what partners are looked for; None as long as that is not said."""
    key = state.seed(state.PARTNER_GROUND, lambda text: one_of(text, GROUND_NAMES), "catchment")
    kind: str = st.segmented_control(
        _("Partners in or of"),
        list(GROUND_NAMES),
        default=state.value(key),
        format_func=spoken(GROUND_NAMES),
        key=key,
        required=True,
    )
    state.keep(state.PARTNER_GROUND, None if kind == "catchment" else kind)
    within_m = pick_within()
    if kind == "zone":
        return zone_ground(asker, snapshot, within_m)
    if kind == "merchant":
        return merchant_ground(asker, snapshot, within_m)
    return Ground("catchment", within_m)


def pick_within() -> float:
    """Ask how far two partners are apart at most."""
    known = {str(metres): metres for metres in WITHIN_M}
    key = state.seed(state.PARTNER_WITHIN, lambda text: known[one_of(text, known)], USUAL_M)
    within_m: int = st.selectbox(
        _("At most apart"),
        WITHIN_M,
        index=WITHIN_M.index(state.value(key)),
        format_func={metres: distance(float(metres)) for metres in WITHIN_M}.__getitem__,
        key=key,
        width=130,
    )
    state.keep(state.PARTNER_WITHIN, None if within_m == USUAL_M else str(within_m))
    return float(within_m)


# A zone -----------------------------------------------------------------------------------------------------


def zone_ground(asker: Asker, snapshot: Snapshot, within_m: float) -> Ground | None:
    """Ask for a zone of the plan in force."""
    held = zone_reads.published(asker, snapshot.branch_id)
    if held is None or not len(held.plan):
        st.info(_("No plan of zones is published yet."), icon=":material/info:")
        link(Way.ZONES, _("Go to the zones"), ":material/arrow_forward:")
        return None
    names = {zone.id: zone.name for zone in held.plan.zones}
    known: Mapping[str, int] = {str(each): each for each in names}
    key = state.seed(state.ZONE, lambda text: known[one_of(text, known)], next(iter(names)))
    state.within(key, names, next(iter(names)))
    picked: int = st.selectbox(
        _("Zone"),
        list(names),
        index=list(names).index(state.value(key)),
        format_func=names.__getitem__,
        key=key,
        width=220,
    )
    state.keep(state.ZONE, str(picked))
    return Ground("zone", within_m, zone_id=picked, zone=held.plan.zone(picked).shape)


# A merchant -------------------------------------------------------------------------------------------------


def merchant_ground(asker: Asker, snapshot: Snapshot, within_m: float) -> Ground | None:
    """Ask for a merchant, by name or by a click on the map."""
    chosen = state.number_in(state.PARTNER_MERCHANT)
    search(asker, snapshot.branch_id)
    if chosen is None or snapshot.merchants.row_of(chosen) is None:
        st.caption(_("Find a merchant by its name, or click one on the map."))
        return None
    name = alliance_reads.names(asker, snapshot, [chosen]).get(chosen, "")
    st.markdown(_("Partners of {name}", name=f"**{plain(name)}**"))
    return Ground("merchant", within_m, merchant_id=chosen)


def search(asker: Asker, branch_id: int) -> None:
    """Find merchants by name; a hit is the one whose partners are looked for."""
    text = st.text_input(
        _("Search by name"),
        placeholder=_("Name or pinyin initials"),
        icon=":material/search:",
        key=state.PARTNER_SEARCH,
        width=220,
    )
    if not text.strip():
        return
    hits = found(asker, branch_id, text)
    label = ngettext("{n} hit", "{n} hits", len(hits))
    with st.popover(label, icon=":material/storefront:", key=f"{state.PARTNER_SEARCH}_hits"):
        if not hits:
            st.caption(_("Nothing here has a name like that."))
        for merchant_id, name in hits.items():
            st.button(
                plain(shorten(name)),
                key=f"{state.PARTNER_SEARCH}_{merchant_id}",
                type="tertiary",
                icon=":material/location_on:",
                on_click=state.look_for_partners_of,
                args=(merchant_id,),
            )


def found(asker: Asker, branch_id: int, text: str) -> dict[int, str]:
    """Return the merchants with a name like that, by id."""
    with reading() as session:
        rows = store.search(session, asker, branch_id, text, FOUND)
    shops = rows[rows["layer"] == "merchants"]
    return {int(row.id): str(row.name) for row in shops[["id", "name"]].itertuples(index=False)}
