"""The map of alliances: the ground each takes up, and the links between the members of the one chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import shapely
import streamlit as st
from shapely.geometry.base import BaseGeometry

from data.basemaps import BaseMap
from data.figures import Filters
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import alliance_reads, reads, state
from pages.parts import map as maps
from pages.parts.alliance_reads import Pair
from pages.parts.frame import calm
from pages.parts.map import Arc, Hull, Marked, Scene
from pages.parts.partner_map import pixel_m, rings
from pages.parts.state import View
from pages.parts.ties import hull_at

ROUND_DEG = 3e-4  # a hull keeps so far from its outermost members
NEAR_PX = 10
CLOSE_ZOOM = 16.0
COLOURS = ("#0f5c4a", "#e0a030", "#4a7fb5", "#7a5ea8", "#a23b50", "#5f9ea0")


class Group(NamedTuple):
    """Merchants that are, or could be, an alliance."""

    id: int
    name: str
    members: tuple[int, ...]


class Look(NamedTuple):
    """
    What the part about alliances is drawn from.

    Parameters
    ----------
    links, fits
        Pairs of members of the one chosen: those agreed on, and those whose trades help each other.
    """

    asker: Asker
    branch: Mapping[str, Any]
    snapshot: Snapshot
    base: BaseMap
    groups: Sequence[Group]
    chosen: int | None
    links: Sequence[Pair] = ()
    fits: Sequence[Pair] = ()


@st.fragment
@calm()
def show(look: Look) -> None:
    """Show the map; moving it reruns nothing else."""
    view = maps.told(look.base.datum, state.ALLIANCE_MAP).view
    if view is not None:
        state.keep_view(view)
    maps.draw(scene(look), key=state.ALLIANCE_MAP, part=state.ALLIANCE_WORK)


def heed(look: Look, choose: Callable[[int | None], None]) -> None:
    """Choose the alliance that was clicked since the last run."""
    told = maps.told(look.base.datum, state.ALLIANCE_MAP)
    if told.view is not None:
        state.keep_view(told.view)
    if told.click is None:
        return
    hull = hull_at(hulls(look), *told.click, pixel_m(told.click[1], told.zoom) * NEAR_PX)
    state.answer_click(state.ALLIANCE_MAP)
    choose(None if hull is None else int(hull.id))


def scene(look: Look) -> Scene:
    """Return what the map shows."""
    snapshot = look.snapshot
    return Scene(
        base=look.base,
        centre=Marked(snapshot.lon, snapshot.lat, look.branch["name"]),
        tiles=reads.layers(snapshot, ["merchants"], Filters(), look.base, False),
        rings=rings(snapshot),
        hulls=hulls(look),
        arcs=arcs(look),
        near=True,
        colours=reads.colours(),
        legend=reads.legend(),
    )


def hulls(look: Look) -> list[Hull]:
    """Return the ground of each alliance; the one chosen stands out."""
    return [
        Hull(
            id=str(group.id),
            shape=ground(look.snapshot, group.members),
            label=group.name,
            fill=COLOURS[number % len(COLOURS)],
            strong=group.id == look.chosen,
        )
        for number, group in enumerate(look.groups)
        if any(snapshot_has(look.snapshot, group.members))
    ]


def snapshot_has(snapshot: Snapshot, ids: Sequence[int]) -> list[bool]:
    """Return which merchants are there."""
    return [snapshot.merchants.row_of(each) is not None for each in ids]


def ground(snapshot: Snapshot, ids: Sequence[int]) -> BaseGeometry:
    """Return the ground that some merchants take up, WGS 84, with a little room round them."""
    spots = list(alliance_reads.places(snapshot, ids).values())
    return shapely.MultiPoint(spots).convex_hull.buffer(ROUND_DEG)


def arcs(look: Look) -> list[Arc]:
    """Return the links between members of the alliance chosen."""
    members = next((group.members for group in look.groups if group.id == look.chosen), ())
    spots = alliance_reads.places(look.snapshot, members)
    agreed = set(look.links)
    return [
        Arc(f"{a}-{b}", spots[a], spots[b], strong=True, dashed=(a, b) not in agreed)
        for a, b in sorted(agreed | set(look.fits))
        if a in spots and b in spots
    ]


def middle(snapshot: Snapshot, ids: Sequence[int]) -> View | None:
    """Return where to look at an alliance from."""
    spots = list(alliance_reads.places(snapshot, ids).values())
    if not spots:
        return None
    centre = shapely.MultiPoint(spots).envelope.centroid
    return View(float(centre.x), float(centre.y), CLOSE_ZOOM)
