"""Clusters: where customers or merchants lie close together, what they are, and how they grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data.basemaps import BaseMap
from data.clustering.finding import LAYER_NAMES, SCALE_NAMES
from data.rights import Asker
from geo.clusters import SCALES, USUAL
from pages.parts import cluster_card, cluster_map, cluster_reads, cluster_table, reads, state
from pages.parts.cluster_map import Look
from pages.parts.cluster_reads import Standing
from pages.parts.frame import calm
from pages.parts.here import branch_of_plans, one_of, pick_base
from pages.parts.ways import Way, link
from pages.parts.words import _, day, in_one_language, ngettext, number, plain, share, spoken

FIRST_LAYER = "customers"


def page(asker: Asker) -> None:
    """Show the page."""
    branch = branch_of_plans(asker, _("Clusters"), _("Clusters are for those who work at the branch."))
    if branch is None:
        return
    state.settle_map(branch["id"])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        layer = pick_layer()
        scale = pick_scale()
        base = pick_base(bool(branch["is_demo"]))
    work(asker, branch, layer, scale, base)


def pick_layer() -> str:
    """Ask what is looked at."""
    key = state.seed(state.CLUSTER_LAYER, lambda text: one_of(text, LAYER_NAMES), FIRST_LAYER)
    picked: str = st.segmented_control(
        _("Clusters of"),
        list(LAYER_NAMES),
        default=state.value(key),
        format_func=spoken(LAYER_NAMES),
        key=key,
        required=True,
        on_change=state.choose_cluster,
        args=(None,),
    )
    state.keep(state.CLUSTER_LAYER, None if picked == FIRST_LAYER else picked)
    return picked


def pick_scale() -> str:
    """Ask how finely."""
    key = state.seed(state.CLUSTER_SCALE, lambda text: one_of(text, SCALES), USUAL)
    picked: str = st.segmented_control(
        _("Scale"),
        list(SCALES),
        default=state.value(key),
        format_func=spoken(SCALE_NAMES),
        key=key,
        required=True,
        on_change=state.choose_cluster,
        args=(None,),
        help=_(
            "What lies apart by less than this is seen as one: a street corner about 100 m, a trade area "
            "about 300 m, a district about 1 km."
        ),
    )
    state.keep(state.CLUSTER_SCALE, None if picked == USUAL else picked)
    return picked


@st.fragment(key=state.CLUSTER_WORK)  # a click on the map reruns this, and no more
@calm()
@in_one_language
def work(asker: Asker, branch: Mapping[str, Any], layer: str, scale: str, base: BaseMap) -> None:
    """Show the map, the table under it, and the cluster chosen beside them."""
    snapshot = reads.snapshot(asker, branch["id"])
    standing = cluster_reads.standing(asker, snapshot, layer, scale)
    if not len(standing.found):
        nothing_found(standing)
    look = Look(asker, branch, snapshot, standing, base)
    cluster_map.heed(look)
    left, right = st.columns([62, 38], gap="small")
    with left:
        cluster_map.show(look)
    with right:
        told(standing)
        if (at := standing.place_of(state.cluster_chosen())) is not None:
            with calm():
                cluster_card.show(look, at)
        elif len(standing.found):
            st.caption(_("Click a cluster on the map, or its row in the table, to see what it is made of."))
    if len(standing.found):
        with calm():
            cluster_table.show(look)


def told(standing: Standing) -> None:
    """Say how many clusters there are, how much lies in none, and what has gone."""
    found = standing.found.clusters
    whole = float(found.size.sum()) + found.noise
    if not whole:
        return
    if standing.found.layer == "customers":
        inside = _(
            "{count} customers in none ({share})", count=number(found.noise), share=share(found.noise / whole)
        )
    else:
        inside = _(
            "{count} merchants in none ({share})", count=number(found.noise), share=share(found.noise / whole)
        )
    count = ngettext("one cluster", "{n} clusters", len(found))
    st.markdown(f"**{count}** · {inside}")
    growth = standing.growth
    if growth.since is None:
        st.caption(_("Growth shows once the data have changed: these clusters are the first on record."))
        return
    st.caption(_("Growth is told from {day}.", day=day(growth.since)))
    if len(growth.vanished):
        gone = [
            f"{row['name']} ({number(row['size'])})" for row in growth.vanished.head(3).to_dict("records")
        ]
        more = ["…"] * (len(growth.vanished) > len(gone))
        st.caption(_("No longer there: {names}", names=plain(_(", ").join([*gone, *more]))))


def nothing_found(standing: Standing) -> None:
    """Say why there is no cluster, and what to do."""
    rows = len(standing.found.rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not rows:
            text = {
                "customers": _("There are no customers yet, so nothing lies close together."),
                "merchants": _("There are no merchants yet, so nothing lies close together."),
            }[standing.found.layer]
            st.info(text, icon=":material/info:")
            link(Way.IMPORT, _("Import a list"), ":material/arrow_forward:")
        elif standing.found.single_spot:
            st.info(
                ngettext(
                    "There is one row, at one position: that is no cluster.",
                    "All {n} rows lie at one and the same position, which says nothing of where they are. "
                    "Look whether the list gives every address the same coordinates.",
                    rows,
                ),
                icon=":material/info:",
            )
        else:
            st.info(
                _("Nothing lies closer together than chance has it. Try another scale."),
                icon=":material/info:",
            )
