"""The map of clusters: their outlines, over the merchants where it was those that were looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from data.basemaps import BaseMap
from data.figures import Filters
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import map as maps
from pages.parts import reads, state
from pages.parts.cluster_reads import Standing
from pages.parts.frame import calm
from pages.parts.map import Hull, Marked, Scene
from pages.parts.partner_map import pixel_m, rings
from pages.parts.ties import hull_at
from pages.parts.words import number

COLOURS = ("#0f5c4a", "#e0a030", "#4a7fb5", "#7a5ea8", "#a23b50", "#5f9ea0")
NEAR_PX = 4


class Look(NamedTuple):
    """What the page is drawn from."""

    asker: Asker
    branch: Mapping[str, Any]
    snapshot: Snapshot
    standing: Standing
    base: BaseMap


@st.fragment
@calm()
def show(look: Look) -> None:
    """Show the map; moving it reruns nothing else."""
    view = maps.told(look.base.datum, state.CLUSTER_MAP).view
    if view is not None:
        state.keep_view(view)
    maps.draw(scene(look), key=state.CLUSTER_MAP, part=state.CLUSTER_WORK)


def heed(look: Look) -> None:
    """Choose the cluster that was clicked since the last run."""
    told = maps.told(look.base.datum, state.CLUSTER_MAP)
    if told.view is not None:
        state.keep_view(told.view)
    if told.click is None:
        return
    hull = hull_at(hulls(look.standing), *told.click, pixel_m(told.click[1], told.zoom) * NEAR_PX)
    state.answer_click(state.CLUSTER_MAP)
    state.choose_cluster(None if hull is None else int(hull.id))


def scene(look: Look) -> Scene:
    """Return what the map shows."""
    snapshot = look.snapshot
    shown = ["merchants"] if look.standing.found.layer == "merchants" else []  # cells would hide outlines
    return Scene(
        base=look.base,
        centre=Marked(snapshot.lon, snapshot.lat, look.branch["name"]),
        tiles=reads.layers(snapshot, shown, Filters(), look.base, False),
        rings=rings(snapshot),
        hulls=hulls(look.standing),
        colours=reads.colours(),
        legend=reads.legend(),
    )


def hulls(standing: Standing) -> list[Hull]:
    """Return the clusters' outlines; the one chosen stands out."""
    found, chosen = standing.found, state.cluster_chosen()
    return [
        Hull(
            id=str(own),
            shape=found.shapes[at],
            label=f"{standing.names[at]} · {number(found.clusters.size[at])}",
            fill=COLOURS[own % len(COLOURS)],
            strong=own == chosen,
        )
        for at, own in enumerate(standing.growth.ids)
    ]
