"""
What mends a plan that breaks a rule: changes a user may take or leave.

Each returns the change, or an empty one where it finds nothing that helps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.blocks import Blocks
from geo.catchment import circle
from geo.drawing import filled, removed, with_pieces
from geo.fitting import near
from geo.lattice import cells_in, ground_of_cells, lattice
from geo.look import Look
from geo.painting import painted
from geo.planes import CLOSE_M, LEAST_M2, Plane, common, joined, parts, together, without
from geo.plans import Change, Measure, Move, Plan, Zone

Arguments = ParamSpec("Arguments")
SMALL = 0.25  # of a zone: what a barrier parts from it and is no more than that goes to a neighbour
MOST_SHIFTS = 500

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def later(
    mend: Callable[Concatenate[Look, Arguments], Change],
    look: Look,
    *args: Arguments.args,
    **options: Arguments.kwargs,
) -> Callable[[], Change]:
    """Return a mend to be reckoned when it is asked for."""
    return lambda: mend(look, *args, **options)


# --- ground -----------------------------------------------------------------------------------------------


def gaps_filled(look: Look) -> Change:
    """Return the change that gives gaps to the nearest zones."""
    return filled(look.plan)


def parted_from(look: Look, one_id: int, other_id: int) -> Change:
    """Return the change that leaves ground of two zones to the locked one, or to the smaller number."""
    keeper, loser = sorted(
        (look.plan.zone(one_id), look.plan.zone(other_id)), key=lambda zone: (not zone.locked, zone.id)
    )
    plane = _plane(look.plan)
    left = without(plane.metres(loser.shape), plane.metres(keeper.shape))
    return Change("overlaps", (_with_ground(look.plan, loser, left),))


def cut_to_reach(look: Look, zone_id: int) -> Change:
    """Return the change that cuts off a zone what is farther from the branch than a block may be."""
    frame, zone = look.plan.frame, look.plan.zone(zone_id)
    assert frame.farthest_m is not None
    plane = _plane(look.plan)
    inside = common(plane.metres(zone.shape), plane.metres(circle(frame.lon, frame.lat, frame.farthest_m)))
    return Change("mended", (_with_ground(look.plan, zone, inside),))


def absorbed(look: Look, zone_id: int) -> Change:
    """Return the change that gives a zone's ground to the neighbour with most border, or to nobody."""
    plan, zone = look.plan, look.plan.zone(zone_id)
    ground = _plane(plan).metres(zone.shape)
    neighbour = _neighbour(plan, ground, but=zone_id)
    if neighbour is None:
        return removed(plan, zone_id)
    return Change("merged", (Move(zone, None), _grown(plan, neighbour, [ground])))


def in_one_piece(look: Look, zone_id: int) -> Change:
    """Return the change that leaves a zone its heaviest piece and gives the others to neighbours."""
    plan, zone = look.plan, look.plan.zone(zone_id)
    listed = parts(_plane(plan).metres(zone.shape))
    order = sorted(listed, key=lambda part: (_weight(look, part), part.area), reverse=True)
    return _given_away(plan, zone, order[0], order[1:], "mended")


def cut_to_barriers(look: Look, zone_id: int) -> Change:
    """
    Return the change that splits a zone along the barriers in it.

    A small part goes to a neighbour on its own side of the barrier; any other is a zone of its own.
    """
    plan, zone = look.plan, look.plan.zone(zone_id)
    ids = lattice(plan.frame).blocks.ids
    own = look.held == plan.ids.index(zone_id)
    weights = look.weights_of()
    weights = np.ones(own.size) if weights is None or not weights[own].any() else weights
    numbers = np.unique(look.pieces[own])
    heavy = sorted(numbers, key=lambda piece: (-weights[look.pieces == piece].sum(), piece))
    ground = _plane(plan).metres(zone.shape)
    away: list[tuple[BaseGeometry, int | None]] = []
    apart: list[tuple[BaseGeometry, int | None]] = []
    for piece in heavy[1:]:
        inside = look.pieces == piece
        part = common(ground, ground_of_cells(plan.frame, ids[inside].tolist()))
        small = weights[inside].sum() <= SMALL * weights[own].sum()
        neighbour = _beside(look, inside, own) if small else None
        (apart if neighbour is None else away).append((part, neighbour))
    rest = without(ground, joined(part for part, _ in [*away, *apart]))
    change = with_pieces(plan, zone, [rest, *(part for part, _ in apart)], "barriers")
    for part, neighbour in away:
        after = plan.after(change)
        assert neighbour is not None
        change = plan.change_to(
            after.after(Change("", (_grown(after, after.zone(neighbour), [part]),))), "barriers"
        )
    return change


def _beside(look: Look, inside: NDArray[np.bool_], own: NDArray[np.bool_]) -> int | None:
    """Return the unlocked zone that most blocks beside some are in, no barrier between; None for none."""
    blocks = look.blocks
    others = look.held[blocks.neighbours[inside[blocks.owners] & ~own[blocks.neighbours]]]
    open_ = [at for at in others[others >= 0].tolist() if not look.plan.zones[at].locked]
    return None if not open_ else look.plan.ids[max(sorted(set(open_)), key=open_.count)]


def _given_away(plan: Plan, zone: Zone, kept: BaseGeometry, others: list[BaseGeometry], what: str) -> Change:
    """Return the change that leaves a zone one part and gives the others to neighbours, if they have any."""
    gained: dict[int, list[BaseGeometry]] = {}
    for part in others:
        neighbour = _neighbour(plan, part, but=zone.id)
        if neighbour is not None:
            gained.setdefault(neighbour.id, []).append(part)
    moves = [_grown(plan, plan.zone(number), grounds) for number, grounds in sorted(gained.items())]
    return Change(what, (_with_ground(plan, zone, kept), *moves))


def _neighbour(plan: Plan, ground: BaseGeometry, but: int) -> Zone | None:
    """Return the unlocked zone that has most border with some ground; None where none has any."""
    edge = shapely.buffer(ground, CLOSE_M)
    borders = {
        number: shapely.length(shapely.intersection(shapely.boundary(shape), edge))
        for number, shape in near(plan, ground, 1.0, but=[but]).items()
        if not plan.zone(number).locked
    }
    if not borders or max(borders.values()) < 1.0:
        return None
    return plan.zone(max(sorted(borders), key=lambda number: borders[number]))


def _grown(plan: Plan, zone: Zone, grounds: list[BaseGeometry]) -> Move:
    plane = _plane(plan)
    whole = together(plane.metres(zone.shape), joined(grounds))
    return Move(zone, replace(zone, shape=plane.degrees(whole)))


def _with_ground(plan: Plan, zone: Zone, ground: BaseGeometry) -> Move:
    """Return the move that gives a zone other ground, or takes it away where that is none."""
    if ground.is_empty or ground.area <= LEAST_M2:
        return Move(zone, None)
    return Move(zone, replace(zone, shape=_plane(plan).degrees(ground)))


def _weight(look: Look, ground: BaseGeometry) -> float:
    """Return what some ground weighs; how many blocks it has where that is not known."""
    place = lattice(look.plan.frame).place
    at = [place[cell] for cell in cells_in(look.plan.frame, ground) if cell in place]
    weights = look.weights_of()
    return float(len(at) if weights is None else weights[at].sum())


def _plane(plan: Plan) -> Plane:
    return Plane(plan.frame.lon, plan.frame.lat)


# --- loads ------------------------------------------------------------------------------------------------


def evened(look: Look, zone_id: int, measure: Measure) -> Change:
    """
    Return the change that moves blocks over a zone's border until it holds what it should of a measure.

    Blocks come from the neighbour that holds most, or go to the one that holds least, nearest first; every
    zone stays in the pieces it is in, and none is pushed out of its own limits.
    """
    weights = look.weights_of(measure.name)
    if weights is None or not np.isfinite(look.load_of(measure.name)).any():
        return Change("mended")
    low, high, _ideal = look.limits(measure)
    shift = _Shift(look, weights, (low, high), measure.name)
    moved = shift.run(look.plan.ids.index(zone_id))
    after, ids = look.plan, lattice(look.plan.frame).blocks.ids
    for target in sorted(set(moved.values())):
        cells = [str(ids[block]) for block, to in sorted(moved.items()) if to == target]
        after = after.after(painted(after, cells, look.plan.ids[target]))
    return look.plan.change_to(after, "mended")


class _Shift:
    """Blocks on their way from zone to zone."""

    def __init__(self, look: Look, weights: Floats, limits: tuple[float, float], measure: str) -> None:
        self.blocks: Blocks = look.blocks
        self.zone = look.held.copy()
        self.weights = weights
        self.low, self.high = limits
        self.load = np.nan_to_num(look.load_of(measure))
        self.locked = np.array([zone.locked for zone in look.plan.zones])

    def run(self, zone: int) -> dict[int, int]:
        """Move blocks until a zone is within the limits, or none can be; return where each went."""
        moved: dict[int, int] = {}
        gains = self.load[zone] < self.low
        for _ in range(MOST_SHIFTS):
            if self.low <= self.load[zone] <= self.high:
                break
            step = self._best(zone, gains)
            if step is None:
                break
            block, source, target = step
            self.load[source] -= self.weights[block]
            self.load[target] += self.weights[block]
            self.zone[block] = moved[block] = target
        return moved

    def _best(self, zone: int, gains: bool) -> tuple[int, int, int] | None:
        """Return the best block to move, whence and whither."""
        at = self.blocks.owners, self.blocks.neighbours
        mine = self.zone[at[0]] == zone
        other = self.zone[at[1]]
        border = mine & (other >= 0) & (other != zone) & ~self.locked[other]
        pairs = np.column_stack([at[1][border], other[border]] if gains else [at[0][border], other[border]])
        if not len(pairs):
            return None
        own = self.zone == zone
        x, y = self.blocks.x[own].mean(), self.blocks.y[own].mean()
        away = np.hypot(self.blocks.x[pairs[:, 0]] - x, self.blocks.y[pairs[:, 0]] - y)
        load = self.load[pairs[:, 1]]
        order = np.lexsort((away, -load)) if gains else np.lexsort((-away, load))
        for block, neighbour in pairs[order].tolist():
            source, target = (neighbour, zone) if gains else (zone, neighbour)
            if self._may(block, source, target, zone):
                return block, source, target
        return None

    def _may(self, block: int, source: int, target: int, zone: int) -> bool:
        weight = self.weights[block]
        giver = self.load[source] - weight
        taker = self.load[target] + weight
        if source != zone and giver < max(self.low, min(taker, self.load[zone])):
            return False
        if target != zone and taker > min(self.high, max(giver, self.load[zone])):
            return False
        if (source == zone and giver < self.low) or (target == zone and taker > self.high):
            return False
        return self._hangs_together(block, source)

    def _hangs_together(self, block: int, source: int) -> bool:
        """Whether a zone is of no more pieces without a block."""
        beside = [other for other in self._beside(block) if self.zone[other] == source]
        if len(beside) <= 1:
            return bool(beside)
        seen, queue = {beside[0]}, deque([beside[0]])
        wanted = set(beside[1:])
        while queue and wanted:
            for other in self._beside(queue.popleft()):
                if other != block and other not in seen and self.zone[other] == source:
                    seen.add(other)
                    wanted.discard(other)
                    queue.append(other)
        return not wanted

    def _beside(self, block: int) -> list[int]:
        found: list[int] = self.blocks.neighbours[
            self.blocks.starts[block] : self.blocks.starts[block + 1]
        ].tolist()
        return found
