"""Zones of a plan designed anew: blocks weighed, divided among zones that weigh alike, and put on the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones.blocks import Polygons, shared_out
from data.zones.coverage import loads
from data.zones.replacing import replaced
from data.zones.weighing import check_measures, divided, weighed
from geo import crs
from geo import parcels as ground_of
from geo.blocks import MOST_CELLS, resolution_for
from geo.design import Design, Limits, Progress, design
from geo.errors import N_, DataError
from geo.parcels import Parcels
from geo.planes import Plane, joined
from geo.plans import Change, Frame, Measure, Plan
from geo.starting import parts_of

Floats = NDArray[np.float64]
Place = tuple[float, float]

BORDER_SHARE = 12.0
GIVE = 0.015
FEWEST_CELLS, CELLS_A_POINT = 300, 10  # many empty cells only blur what is balanced
_LEAST_PART = 0.25  # of a zone: ground cut off from the rest with less in it is left without one


@dataclass(frozen=True, eq=False)
class Designed:
    """
    A plan's zones designed anew.

    Parameters
    ----------
    change
        Of the plan: its unlocked zones are replaced, numbers kept where the ground mostly stays.
    plan
        After it.
    design
        With its measures; its zone k is the plan's zone `ids[k]`.
    parcels
        The blocks it is made of.
    ids
        The new zones' numbers.
    measures
        What was balanced.
    loads
        What each zone holds of each measure; NaN where few customers make it up that the asker may not see.
    left_out
        Blocks that lie in no zone: little is on them, and a barrier or a locked zone parts them off.
    """

    change: Change
    plan: Plan
    design: Design
    parcels: Parcels
    ids: tuple[int, ...]
    measures: tuple[Measure, ...]
    loads: pd.DataFrame
    left_out: int

    @property
    def bound_block(self) -> object:
        """The name of the block that sets the bound; None where none does."""
        block = self.design.bound.block
        return None if block is None else self.parcels.blocks.ids[block]

    @property
    def mean_polsby_popper(self) -> float:
        """Of the new zones: 4 pi area / perimeter^2, 1 for a circle."""
        plane = Plane(self.plan.frame.lon, self.plan.frame.lat)
        shapes = plane.all_metres([self.plan.zone(each).shape for each in self.ids])
        return float((4.0 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2).mean())

    def frame(self) -> GeoDataFrame:
        """Return the new zones: `zone_id`, `weight` (of the first measure), then the others by name."""
        held = self.loads.loc[list(self.ids)]
        first = {"zone_id": list(self.ids), "weight": held.iloc[:, 0].to_numpy()}
        others = {name: held[name].to_numpy() for name in held.columns[1:]}
        shapes = [self.plan.zone(each).shape for each in self.ids]
        return GeoDataFrame({**first, **others}, geometry=shapes, crs=crs.WGS84).sort_values(
            "zone_id", ignore_index=True
        )


def frame_of(snapshot: Snapshot, radius_m: float, measures: Sequence[Measure] = ()) -> Frame:
    """Return the frame of a plan yet to be made, with blocks as fine as what is there asks for."""
    points = len(snapshot.merchants) + len(snapshot.customers) + len(snapshot.places)
    most = int(np.clip(CELLS_A_POINT * points, FEWEST_CELLS, MOST_CELLS))
    return Frame(snapshot.lon, snapshot.lat, radius_m, resolution_for(radius_m, most), tuple(measures))


def designed(
    snapshot: Snapshot,
    asker: Asker,
    plan: Plan,
    *,
    zones: int | None = None,
    measures: Sequence[Measure] | None = None,
    capacities: Sequence[float] | None = None,
    pairs: Sequence[tuple[int, ...]] = (),
    polygons: Polygons | None = None,
    columns: Mapping[str, str] | None = None,
    seeds: Sequence[Place] = (),
    candidates: Sequence[Place] = (),
    name: Callable[[int], str] = str,
    seed: int = 0,
    effort: float = 1.0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Designed:
    """
    Return a plan's ground divided into zones that weigh alike, each in one piece and compact.

    Locked zones keep their ground; other zones do not reach across them, nor across the plan's barriers.

    Parameters
    ----------
    snapshot
        Of the branch.
    asker
        Who may edit its plans.
    plan
        Whose zones are replaced; one without zones will do.
    zones
        How many, beside locked ones. Without, as many as the measures' targets ask for, or the capacities.
    measures
        What each zone is to hold alike, how nearly, and at least and at most; those of the plan's frame
        without. They are the frame's from then on.
    capacities
        A zone each: the hours its pair has, say. Zones get parts of the whole in proportion.
    pairs
        Who works each zone, beside capacities.
    polygons
        Blocks to make zones of, in place of the frame's cells.
    columns
        Measures whose weights are taken from a column of numbers of the polygons, by its header; the other
        measures count what lies inside.
    seeds, candidates
        Longitude and latitude: each seed lies in a zone of its own, and each other zone holds one of the
        candidates, if there are any.
    name
        What a new zone is called, by its number.
    seed, effort, progress, cancelled
        As in `geo.design.design`.

    Raises
    ------
    DataError, GeoError
        When there is nothing to balance, or no such zones can be.
    """
    asker.require(Right.EDIT_PLANS, snapshot.branch_id)
    asked = tuple(plan.frame.measures if measures is None else measures)
    check_measures(asked)
    names = [measure.name for measure in asked]
    frame = replace(plan.frame, measures=asked)
    free = _free(plan, frame, polygons)
    weights = _weights(snapshot, free, frame, names, polygons, columns or {})
    check_weights(weights, names)
    count = _how_many(zones, capacities, asked, weights)
    if polygons is None:
        free, weights = divided(snapshot, free, frame, names, count)
    free, weights, left_out = _joined(frame, free, weights, count)
    found = design(
        free.blocks,
        weights,
        count,
        limits=limits_of(asked, capacities),
        seeds=_blocks_at(free, frame, seeds),
        candidates=sorted(set(_blocks_at(free, frame, candidates))),
        mass=mass_of(weights),
        border_share=BORDER_SHARE,
        give=GIVE,
        seed=seed,
        effort=effort,
        progress=progress,
        cancelled=cancelled,
    )
    after, ids = replaced(plan, frame, free, found, pairs, name)
    held = loads(snapshot, after, asker=asker)[names]
    for at, measure in enumerate(names):
        if measure in (columns or {}):
            held.loc[list(ids), measure] = np.bincount(found.zone, weights[:, at], found.zones)
    return Designed(
        plan.change_to(after, "designed"),
        after,
        found,
        free,
        ids,
        asked,
        held,
        left_out,
    )


def _free(plan: Plan, frame: Frame, polygons: Polygons | None) -> Parcels:
    """Return the blocks zones are made of: all ground but that of locked zones, and what is too far."""
    if polygons is None:
        found = ground_of.cells(frame)
    else:
        found = ground_of.polygons(frame, polygons.shapes, polygons.names)
    if frame.farthest_m is not None:
        found = ground_of.some(found, np.hypot(found.blocks.x, found.blocks.y) <= frame.farthest_m)
    locked = Plane(frame.lon, frame.lat).all_metres([zone.shape for zone in plan.zones if zone.locked])
    return ground_of.less(found, joined(locked)) if len(locked) else found


def _weights(
    snapshot: Snapshot,
    parcels: Parcels,
    frame: Frame,
    names: Sequence[str],
    polygons: Polygons | None,
    columns: Mapping[str, str],
) -> Floats:
    """Return what each block weighs, a column a measure: counted, or as the polygons' file has it."""
    if columns and polygons is None:
        raise DataError(N_("Only blocks of a file have columns to weigh by."))
    if wrong := sorted(set(columns) - set(names)):
        raise DataError(
            N_("A column is given for {weight}, which the zones do not balance."), weight=wrong[0]
        )
    weights = weighed(snapshot, parcels, frame, names)
    if polygons is not None:
        for measure, amounts in polygons.amounts(columns).items():
            weights[:, names.index(measure)] = shared_out(parcels, frame, polygons, amounts)
    return weights


def check_weights(weights: Floats, names: Sequence[str]) -> None:
    """Refuse a measure that is nothing anywhere."""
    for name, whole in zip(names, weights.sum(axis=0), strict=True):
        if not whole > 0.0:
            raise DataError(
                N_("Nothing inside the catchment counts as {weight}: there is nothing to balance."),
                weight=name,
            )


def _how_many(
    zones: int | None, capacities: Sequence[float] | None, measures: Sequence[Measure], weights: Floats
) -> int:
    """Return how many zones are asked for: by number, by pair, or by what one should hold."""
    if capacities is not None:
        if zones not in (None, len(capacities)):
            raise DataError(
                N_("{zones} zones do not match {count} capacities."), zones=zones, count=len(capacities)
            )
        return len(capacities)
    if zones is not None:
        return zones
    wholes = zip(measures, weights.sum(axis=0), strict=True)
    parts_ = [whole / measure.target for measure, whole in wholes if measure.target]
    if not parts_:
        raise DataError(N_("Say how many zones there are to be, or how much one should hold."))
    return max(1, round(float(max(parts_))))


def limits_of(measures: Sequence[Measure], capacities: Sequence[float] | None = None) -> Limits:
    """Return measures as the designer takes them."""
    return Limits(
        tolerance=[measure.tolerance for measure in measures],
        lowest=[np.nan if each.lowest is None else each.lowest for each in measures],
        highest=[np.nan if each.highest is None else each.highest for each in measures],
        shares=capacities,
    )


def mass_of(weights: Floats) -> Floats:
    """Return one mass a block for several measures: the mean of its shares in each."""
    mass: Floats = (weights / weights.mean(axis=0)).mean(axis=1)
    return mass


def _joined(frame: Frame, parcels: Parcels, weights: Floats, zones: int) -> tuple[Parcels, Floats, int]:
    """Return the blocks zones are made of, without parts of the ground too light for a zone of their own."""
    if not len(parcels):
        raise DataError(N_("All ground is in locked zones: there is none to make zones of."))
    walled = ground_of.walled(parcels, frame)
    part = parts_of(walled.blocks)
    whole = weights.sum(axis=0)
    share = np.column_stack([np.bincount(part, weights=column) for column in weights.T]) / whole
    kept = share.max(axis=1) * zones >= _LEAST_PART
    inside = kept[part]
    return ground_of.some(walled, inside), weights[inside], int((~inside).sum())


def _blocks_at(parcels: Parcels, frame: Frame, places: Sequence[Place]) -> list[int]:
    if not len(places):
        return []
    found = ground_of.parcel_at(parcels, frame, [lon for lon, _ in places], [lat for _, lat in places])
    if (found < 0).any():
        raise DataError(
            N_("Place {which} to start from lies on no ground that is free."),
            which=int((found < 0).argmax()) + 1,
        )
    return [int(at) for at in found]
