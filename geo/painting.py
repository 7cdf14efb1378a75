"""
Zones painted block by block, and gaps given to the nearest zone.

A stroke moves whole blocks: the zone painted gains their outlines, the others lose them. Locked zones keep
their ground, and the blocks whose middle they hold.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.catchment import circle
from geo.errors import N_, GeoError
from geo.fitting import near
from geo.lattice import cells_in, ground_of_cells, holds_block, lattice, middles_of
from geo.planes import LEAST_M2, Plane, common, joined, parts, tiled, together, touching, without
from geo.plans import Change, Move, Plan

MOST_CELLS = 20_000  # of a stroke


def stroke_cells(plan: Plan, line: BaseGeometry, width_m: float) -> list[str]:
    """
    Return the blocks under a stroke: those it goes through, and those whose middle it covers.

    Parameters
    ----------
    line
        WGS 84; a point where the brush was not moved.
    width_m
        Of the brush.
    """
    corners = shapely.get_coordinates(line)
    if not len(corners) or not np.isfinite(corners).all() or not 0.0 <= width_m < np.inf:
        return []
    plane = Plane(plan.frame.lon, plan.frame.lat)
    flat = shapely.transform(shapely.force_2d(line), plane.corners)
    known = lattice(plan.frame)
    through = known.blocks.ids[known.tree.query(flat, predicate="intersects")]
    covered = cells_in(plan.frame, shapely.buffer(flat, width_m / 2.0)) if width_m > 0.0 else through[:0]
    return sorted({*through.tolist(), *covered.tolist()})


def painted(plan: Plan, cells: Sequence[str], zone_id: int | None) -> Change:
    """
    Return the change that gives blocks to a zone, or to none.

    A zone left without a block is there no more.

    Raises
    ------
    GeoError
        When the zone is locked, or a cell is no block of the plan.
    """
    frame, plane = plan.frame, Plane(plan.frame.lon, plan.frame.lat)
    target = None if zone_id is None else plan.zone(zone_id)
    if target is not None and target.locked:
        raise GeoError(N_("Zone {name} is locked. Unlock it first."), name=target.name)
    if len(cells) > MOST_CELLS:
        raise GeoError(N_("A stroke may cover {limit} blocks, not more."), limit=MOST_CELLS)
    ground = ground_of_cells(frame, cells)
    others = near(plan, ground, 1.0, but=[] if target is None else [target.id])
    fixed = [number for number in others if plan.zone(number).locked]
    if fixed:
        ground = _but_locked(plan, cells, joined(others.pop(number) for number in fixed))
    if ground.is_empty:
        return Change("painted")
    moves = []
    for number, before in others.items():
        if common(before, ground).area <= LEAST_M2:
            ground = without(ground, before)
            continue
        after, crumbs = _after_stroke(plan, before, ground)
        ground = joined([ground, *crumbs])
        zone = plan.zone(number)
        moves.append(Move(zone, None if after.is_empty else replace(zone, shape=plane.degrees(after))))
    if target is not None:
        own = plane.metres(target.shape)
        if without(ground, own).area > LEAST_M2:
            moves.append(Move(target, replace(target, shape=plane.degrees(together(own, ground)))))
    return Change("painted", tuple(sorted(moves, key=lambda move: move.zone_id)))


def _but_locked(plan: Plan, cells: Sequence[str], locked: BaseGeometry) -> BaseGeometry:
    """Return the ground of the blocks whose middle no locked zone holds, without its ground."""
    listed = sorted(set(cells))
    at = middles_of(plan.frame, listed)
    free = ~shapely.intersects_xy(locked, at[:, 0], at[:, 1])
    kept = [cell for cell, is_free in zip(listed, free, strict=True) if is_free]
    return without(ground_of_cells(plan.frame, kept), locked)


def _after_stroke(
    plan: Plan, before: BaseGeometry, ground: BaseGeometry
) -> tuple[BaseGeometry, list[BaseGeometry]]:
    """Return what is left of a zone, and the crumbs the stroke broke off it, which hold no block's middle."""
    rest = without(before, ground)
    left = parts(rest)
    if len(left) <= len(parts(before)) and holds_block(plan.frame, rest):
        return rest, []
    crumbs = [part for part in left if touching(part, ground) and not holds_block(plan.frame, part)]
    return (rest, []) if not crumbs else (joined(part for part in left if part not in crumbs), crumbs)


# --- gaps -------------------------------------------------------------------------------------------------


def gaps_of(plan: Plan) -> list[BaseGeometry]:
    """Return the ground of the plan's circle that no zone has, in metres, the largest first."""
    plane = Plane(plan.frame.lon, plan.frame.lat)
    scope = plane.metres(circle(plan.frame.lon, plan.frame.lat, plan.frame.radius_m))
    zones = joined(plane.metres(zone.shape) for zone in plan.zones)
    return sorted(parts(without(scope, zones)), key=lambda part: -part.area)


def filled(plan: Plan) -> Change:
    """
    Return the change that gives each gap of the circle to the nearest zone, block by block.

    Locked zones gain nothing. What lies behind a barrier goes to a zone on its own side where there is one.
    """
    plane = Plane(plan.frame.lon, plan.frame.lat)
    free = [zone for zone in plan.zones if not zone.locked]
    if not free:
        raise GeoError(N_("There is no unlocked zone that the gaps could go to."))
    gaps = gaps_of(plan)
    if not gaps:
        return Change("filled")
    grounds = np.array([plane.metres(zone.shape) for zone in free], dtype=object)
    taken = joined(plane.metres(zone.shape) for zone in plan.zones)
    pieces, whole_cells = _pieces(plan, gaps, taken)
    owner = _grown(plan, pieces, grounds)
    moves = []
    for at, zone in enumerate(free):
        if (own := np.flatnonzero(owner == at)).size:
            cells = tiled(pieces[own[own < whole_cells]])
            whole = together(grounds[at], joined([cells, *pieces[own[own >= whole_cells]]]))
            moves.append(Move(zone, replace(zone, shape=plane.degrees(whole))))
    return Change("filled", tuple(moves))


def _pieces(plan: Plan, gaps: list[BaseGeometry], taken: BaseGeometry) -> tuple[NDArray[np.object_], int]:
    """Return what of each block in the gaps no zone has, and how many, the first, are whole blocks."""
    known = lattice(plan.frame)
    wanted = joined(gaps)
    shapely.prepare(wanted)
    cells = known.outlines[np.sort(known.tree.query(wanted, predicate="intersects"))]
    shapely.prepare(taken)
    met = shapely.intersects(taken, cells)
    cut = [part for cell in cells[met] for part in parts(without(cell, taken)) if touching(part, wanted)]
    return np.array([*cells[~met], *cut], dtype=object), int((~met).sum())


def _grown(plan: Plan, pieces: NDArray[np.object_], grounds: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the zone each piece goes to: the nearest of those that reach it over pieces, -1 for none."""
    plane = Plane(plan.frame.lon, plan.frame.lat)
    owner = np.full(pieces.size, -1, dtype=np.int64)
    middles = shapely.point_on_surface(pieces)
    shapely.prepare(grounds)
    links = shapely.STRtree(pieces).query(pieces, predicate="dwithin", distance=1e-3)
    links = links[:, links[0] != links[1]]
    first, zone = shapely.STRtree(grounds).query(pieces, predicate="dwithin", distance=1e-3)
    border = shapely.length(shapely.intersection(pieces[first], shapely.buffer(grounds[zone], 1e-3))) > 0.1
    seeds = np.stack([first[border], zone[border]])
    barriers = [plane_shape(plane, barrier.shape) for barrier in plan.frame.barriers]
    for walls in (barriers, []) if barriers else ([],):
        between = shapely.linestrings(shapely.get_coordinates(middles)[links.T])
        onto = shapely.shortest_line(middles[seeds[0]], grounds[seeds[1]])
        _grow(middles, grounds, links[:, _open(between, walls)], seeds[:, _open(onto, walls)], owner)
    return owner


def plane_shape(plane: Plane, shape: BaseGeometry) -> BaseGeometry:
    """Return a line or an area of WGS 84 in metres."""
    return shapely.transform(shapely.force_2d(shape), plane.corners)


def _open(ways: NDArray[np.object_], walls: Sequence[BaseGeometry]) -> NDArray[np.bool_]:
    """Return which ways no barrier crosses."""
    open_ = np.ones(len(ways), dtype=bool)
    if len(walls):
        open_[shapely.STRtree(list(walls)).query(ways, predicate="intersects")[0]] = False
    return open_


def _grow(
    middles: NDArray[np.object_],
    grounds: NDArray[np.object_],
    links: NDArray[np.int64],
    seeds: NDArray[np.int64],
    owner: NDArray[np.int64],
) -> None:
    """Give pieces without an owner one, the nearest pairs first, from the seeds and over the links."""
    order = np.argsort(links[0], kind="stable")
    others = links[1][order]
    starts = np.searchsorted(links[0][order], np.arange(owner.size + 1))
    begin = [(piece, at) for piece, at in seeds.T.tolist() if owner[piece] < 0]
    begin += [(int(piece), int(owner[piece])) for piece in np.flatnonzero(owner >= 0)]
    heap = [(float(grounds[at].distance(middles[piece])), piece, at) for piece, at in begin]
    heapq.heapify(heap)
    done = np.zeros(owner.size, dtype=bool)
    while heap:
        _, piece, at = heapq.heappop(heap)
        if done[piece] or owner[piece] not in (-1, at):
            continue
        done[piece], owner[piece] = True, at
        for other in others[starts[piece] : starts[piece + 1]].tolist():
            if owner[other] < 0:
                heapq.heappush(heap, (float(grounds[at].distance(middles[other])), other, at))
