"""An uneven plan evened with least disturbance: as few blocks change their zone as will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones.designing import check_weights, limits_of, mass_of
from data.zones.weighing import check_measures, weighed
from geo import parcels as ground_of
from geo.design import Design, Progress, rebalance
from geo.errors import N_, DataError
from geo.growing import pieces_of
from geo.parcels import Parcels
from geo.planes import Plane, joined, together, without
from geo.plans import Change, Frame, Measure, Move, Plan, Zone

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rebalanced:
    """
    A plan evened, or the reason why not.

    Parameters
    ----------
    change
        Of the plan; an empty one where it keeps its limits already, or nothing better was found.
    design
        With its measures; its zone k is the plan's zone `ids[k]`.
    ids
        The zones that may change: not locked.
    kept_share
        What stays in its zone, as a share of the whole of the first measure.
    moved
        How many blocks change their zone.
    was_even
        Whether the plan kept its limits before.
    """

    change: Change
    design: Design
    ids: tuple[int, ...]
    kept_share: float
    moved: int
    was_even: bool


def rebalanced(
    snapshot: Snapshot,
    asker: Asker,
    plan: Plan,
    *,
    measures: Sequence[Measure] | None = None,
    seed: int = 0,
    effort: float = 1.0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rebalanced:
    """
    Return a plan's zones brought within their limits, with as little moved as can be.

    Ground in no zone stays in none; locked zones stay as they are. What was drawn by hand stays so, but for
    the blocks that move.

    Parameters
    ----------
    snapshot, asker, seed, effort, progress, cancelled
        As in `data.zones.designing.designed`.
    plan
        With two zones that are not locked, at least.
    measures
        What zones are held to; those of the plan's frame without.
    """
    asker.require(Right.EDIT_PLANS, snapshot.branch_id)
    asked = tuple(plan.frame.measures if measures is None else measures)
    check_measures(asked)
    names = [measure.name for measure in asked]
    frame = replace(plan.frame, measures=asked)
    own = [zone for zone in plan.zones if not zone.locked]
    if len(own) < 2:
        raise DataError(N_("There are not two zones that could give and take: unlock some."))
    parcels, zone, own = _held(plan, frame, own)
    weights = weighed(snapshot, parcels, frame, names)
    check_weights(weights, names)
    found = rebalance(
        parcels.blocks,
        weights,
        zone,
        zones=len(own),
        limits=limits_of(asked),
        mass=mass_of(weights),
        seed=seed,
        effort=effort,
        progress=progress,
        cancelled=cancelled,
    )
    moves = _moves(frame, parcels, own, zone, found.design.zone) if found.changed else ()
    frames = (plan.frame, frame) if moves and frame != plan.frame else None
    return Rebalanced(
        Change("rebalanced", moves, frames),
        found.design,
        tuple(each.id for each in own),
        found.kept_share,
        int(found.moved.sum()),
        found.design.within and not found.changed,
    )


def _held(plan: Plan, frame: Frame, own: list[Zone]) -> tuple[Parcels, Ints, list[Zone]]:
    """Return the blocks that zones hold, cut along their borders; the zone of each; zones that have any."""
    plane = Plane(frame.lon, frame.lat)
    grounds = plane.all_metres([zone.shape for zone in own])
    locked = plane.all_metres([zone.shape for zone in plan.zones if zone.locked])
    parcels = ground_of.cells(frame, joined(grounds))
    if len(locked):
        parcels = ground_of.less(parcels, joined(locked))
    parcels, zone = ground_of.along(ground_of.walled(parcels, frame), grounds)
    parcels = ground_of.walled(parcels, frame)
    inside = (zone >= 0) & _joined(parcels, zone, len(own))
    there = np.unique(zone[inside])
    if there.size < 2:
        raise DataError(N_("There are not two zones that could give and take: unlock some."))
    return (
        ground_of.some(parcels, inside),
        np.searchsorted(there, zone[inside]).astype(np.int64),
        [own[at] for at in there],
    )


def _joined(parcels: Parcels, zone: Ints, zones: int) -> Bools:
    """Whether each block hangs together with the main piece of some zone: what does not stays as it is."""
    blocks = parcels.blocks
    ground = np.where(zone >= 0, 0, -1).astype(np.int64)
    _, part = pieces_of(ground, blocks.starts, blocks.neighbours)
    _, piece = pieces_of(zone, blocks.starts, blocks.neighbours)
    area = np.bincount(piece, weights=shapely.area(parcels.outlines))
    main = np.zeros(len(parcels), dtype=bool)
    for each in range(zones):
        inside = np.flatnonzero(zone == each)
        if inside.size:
            main[inside[piece[inside] == piece[inside[area[piece[inside]].argmax()]]]] = True
    joined_parts: Bools = np.isin(part, part[main])
    return joined_parts


def _moves(frame: Frame, parcels: Parcels, own: list[Zone], before: Ints, after: Ints) -> tuple[Move, ...]:
    """Return the zones that give or take blocks, with those blocks added and taken."""
    plane, moves = Plane(frame.lon, frame.lat), []
    for at, zone in enumerate(own):
        gone = parcels.outlines[(before == at) & (after != at)]
        come = parcels.outlines[(before != at) & (after == at)]
        if not len(gone) and not len(come):
            continue
        ground = plane.metres(zone.shape)
        if len(gone):
            ground = without(ground, joined(gone))
        if len(come):
            ground = together(ground, joined(come))
        moves.append(Move(zone, replace(zone, shape=plane.degrees(ground))))
    return tuple(moves)
