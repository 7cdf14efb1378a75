"""The map of partners: an arc a pair, over the merchants; the pair chosen stands out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
import streamlit as st
from numpy.typing import NDArray
from pandas import DataFrame
from shapely.geometry.base import BaseGeometry

from data.basemaps import BaseMap
from data.catchments import catchment
from data.figures import Filters
from data.rights import Asker
from data.snapshots import Snapshot
from geo.tiles import nearest
from pages.parts import alliance_reads, reads, state, zone_reads
from pages.parts import map as maps
from pages.parts.alliance_reads import Ground, Pair
from pages.parts.chosen import EQUATOR_M, NEAR_PX, TILE_PX
from pages.parts.frame import calm
from pages.parts.map import Arc, DrawnZone, Marked, Ring, Scene
from pages.parts.state import View
from pages.parts.ties import arc_at
from pages.parts.words import _, distance, share

MOST = 0.8  # of merchants and target customers
MOST_ARCS = 120  # the best ones; the list has them all
NEAR_ZOOM = 17.0


class Look(NamedTuple):
    """
    What the part about partners is drawn from.

    Parameters
    ----------
    rows
        The pairs, best first: suggestions, or links somebody decided on.
    names
        Of merchants, by id.
    is_open
        Whether the pairs are suggestions, on which nobody decided yet.
    """

    asker: Asker
    branch: Mapping[str, Any]
    snapshot: Snapshot
    base: BaseMap
    ground: Ground | None
    rows: DataFrame
    names: Mapping[int, str]
    is_open: bool


@st.fragment
@calm()
def show(look: Look) -> None:
    """Show the map; moving it reruns nothing else."""
    view = maps.told(look.base.datum, state.ALLIANCE_MAP).view
    if view is not None:
        state.keep_view(view)
    maps.draw(scene(look), key=state.ALLIANCE_MAP, part=state.ALLIANCE_WORK)


def heed(look: Look) -> None:
    """Choose the pair that was clicked since the last run, or the merchant whose partners are looked for."""
    told = maps.told(look.base.datum, state.ALLIANCE_MAP)
    if told.view is not None:
        state.keep_view(told.view)
    if told.click is None:
        return
    near_m = pixel_m(told.click[1], told.zoom) * NEAR_PX
    arc = arc_at(arcs(look, state.pair()), *told.click, near_m)
    merchant = None if arc is not None else merchant_at(look, told.click, near_m)
    state.answer_click(state.ALLIANCE_MAP)
    if merchant is not None:
        state.look_for_partners_of(merchant)
        st.rerun()
    state.choose_pair(None if arc is None else pair_of(arc.id))


def merchant_at(look: Look, click: tuple[float, float], near_m: float) -> int | None:
    """Return the merchant a click falls on, where one merchant's partners are looked for."""
    asked = state.choice(state.PARTNER_GROUND) == "merchant"
    row = nearest(look.snapshot.merchants.curve, *click, max_m=near_m) if asked else None
    return None if row is None else int(look.snapshot.merchants.id[row])


def pixel_m(lat: float, zoom: float) -> float:
    """Return how many metres a pixel of the map is."""
    return float(EQUATOR_M * math.cos(math.radians(lat)) / (TILE_PX * 2**zoom))


# What it shows ----------------------------------------------------------------------------------------------


def scene(look: Look) -> Scene:
    """Return what the map shows."""
    snapshot = look.snapshot
    return Scene(
        base=look.base,
        centre=Marked(snapshot.lon, snapshot.lat, look.branch["name"]),
        tiles=reads.layers(snapshot, ["merchants"], Filters(), look.base, False),
        rings=rings(snapshot),
        zones=zone_of(look),
        arcs=arcs(look, state.pair()),
        near=True,
        selected=mark_of(look),
        colours=reads.colours(),
        legend=reads.legend(),
    )


def rings(snapshot: Snapshot) -> list[Ring]:
    """Return the circle, and the ring in which most lie: where the map looks first."""
    ground = catchment(snapshot)
    if not ground.radius_m > 0:
        return []
    found = [Ring(ground.radius_m, _("Radius {radius}", radius=distance(ground.radius_m)), main=True)]
    near_m = ground.rings[MOST]
    if 0 < near_m < ground.radius_m:
        found.append(Ring(near_m, f"{share(MOST)} · {distance(near_m)}"))
    return found


def zone_of(look: Look) -> list[DrawnZone]:
    """Return the zone looked at."""
    ground = look.ground
    if ground is None or ground.zone is None or ground.zone_id is None:
        return []
    held = zone_reads.published(look.asker, look.snapshot.branch_id)
    name = held.plan.zone(ground.zone_id).name if held is not None and ground.zone_id in held.plan else ""
    return [DrawnZone(ground.zone_id, ground.zone, name)]


def mark_of(look: Look) -> Marked | None:
    """Return the merchant whose partners are looked for."""
    if look.ground is None or look.ground.merchant_id is None:
        return None
    spot = alliance_reads.places(look.snapshot, [look.ground.merchant_id]).get(look.ground.merchant_id)
    return None if spot is None else Marked(*spot)


def arcs(look: Look, chosen: Pair | None) -> list[Arc]:
    """Return an arc a pair, the best ones and the one chosen."""
    rows = look.rows.head(MOST_ARCS)
    pairs = [(int(a), int(b)) for a, b in zip(rows["a"], rows["b"], strict=True)] if len(rows) else []
    if chosen is not None and chosen not in pairs and not look.rows.empty:
        own = (look.rows["a"] == chosen[0]) & (look.rows["b"] == chosen[1])
        pairs += [chosen] if own.any() else []
    spots = alliance_reads.places(look.snapshot, {each for pair in pairs for each in pair})
    is_one_chosen = chosen in pairs
    return [
        Arc(
            id=f"{a}-{b}",
            a=spots[a],
            b=spots[b],
            label=f"{look.names.get(a, '')} — {look.names.get(b, '')}",
            strong=(a, b) == chosen,
            dashed=look.is_open,
            faint=is_one_chosen and (a, b) != chosen,
        )
        for a, b in pairs
        if a in spots and b in spots
    ]


def pair_of(arc_id: str) -> Pair:
    """Return the two merchants of an arc."""
    first, second = arc_id.split("-")
    return int(first), int(second)


def middle(look: Look, pair: Pair) -> View | None:
    """Return where to look at a pair from."""
    spots = list(alliance_reads.places(look.snapshot, pair).values())
    if len(spots) < 2:
        return None
    (lon, lat), (east, north) = spots
    return View((lon + east) / 2, (lat + north) / 2, NEAR_ZOOM)


def touching(rows: DataFrame, zone: BaseGeometry) -> NDArray[np.bool_]:
    """Return which links have a merchant in a zone."""
    ends: Sequence[str] = ("a", "b")
    inside = [
        shapely.intersects_xy(zone, rows[f"{end}_lon"].to_numpy(float), rows[f"{end}_lat"].to_numpy(float))
        for end in ends
    ]
    return np.logical_or(*inside)
