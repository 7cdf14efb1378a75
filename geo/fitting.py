"""
How an outline is fitted among the zones that are there: borders shared, no slivers, overlaps settled.

All shapes here are in metres on the branch's plane (`geo.planes`). A strip thinner than the snapping distance
is no overlap and no gap: the new border becomes the neighbour's. What is wider is ground, and somebody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import N_, GeoError, Overlaps
from geo.planes import (
    CLOSE_M,
    LEAST_M2,
    Plane,
    closed,
    common,
    joined,
    parts,
    polygons,
    thin,
    together,
    touching,
    without,
)
from geo.plans import Plan, Zone

OVERLAPS = ("ask", "take", "leave")


@dataclass(frozen=True)
class Fitted:
    """An outline among others: its ground, and what is left of the zones it took from."""

    ground: BaseGeometry
    others: Mapping[int, BaseGeometry]


def near(
    plan: Plan, ground: BaseGeometry, margin_m: float, but: Iterable[int] = ()
) -> dict[int, BaseGeometry]:
    """Return the ground of the zones that may come so near to a shape of the plane, by number."""
    plane = Plane(plan.frame.lon, plan.frame.lat)
    left_out = frozenset(but)
    zones = [zone for zone in plan.zones if zone.id not in left_out]
    if not zones or ground.is_empty:
        return {}
    west, south, east, north = plane.box(ground, margin_m)
    bounds = shapely.bounds(np.array([zone.shape for zone in zones], dtype=object))
    close = (
        (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    )
    found = {zones[at].id: plane.metres(zones[at].shape) for at in np.flatnonzero(close)}
    shapely.prepare(ground)
    return {each: shape for each, shape in found.items() if shapely.dwithin(ground, shape, margin_m)}


def fitted(
    ground: BaseGeometry,
    others: Mapping[int, BaseGeometry],
    zones: Mapping[int, Zone],
    overlap: str,
    snap_m: float,
    whole: Iterable[int] | None = None,
) -> Fitted:
    """
    Return an outline fitted among the zones near it.

    Parameters
    ----------
    ground
        The outline.
    others, zones
        The ground of the zones near it, and the zones, by number.
    overlap
        Of ground that others have: `take` it, `leave` it, or `ask`.
    snap_m
        Strips thinner than this are closed; 0 for none.
    whole
        The zones that an overlap with counts, where that is known otherwise than by area.

    Raises
    ------
    Overlaps
        When it has to be asked, with the zones that have ground of the outline.
    GeoError
        When nothing is left of the outline.
    """
    if overlap not in OVERLAPS:
        raise GeoError(
            N_("Overlaps are to be one of {known}, not {overlap}."), known=OVERLAPS, overlap=overlap
        )
    if snap_m > 0.0:
        ground = snapped(ground, others, snap_m)
    locked = joined(shape for number, shape in others.items() if zones[number].locked)
    ground = _left(without(ground, locked), ground, snap_m)
    free = {number: shape for number, shape in others.items() if not zones[number].locked}
    shared = [
        number
        for number, shape in free.items()
        if (whole is None or number in whole) and common(ground, shape).area > LEAST_M2
    ]
    if shared and overlap == "ask":
        names = tuple(zones[number].name for number in shared)
        raise Overlaps(
            N_("The outline covers ground of {names}. Take it from them, or leave it out?"),
            tuple(shared),
            names=names,
        )
    if overlap == "take":
        return _taking(ground, free, shared, snap_m)
    ground = _left(without(ground, joined(free.values())), ground, snap_m)
    return Fitted(ground, {})


def _taking(
    ground: BaseGeometry, free: Mapping[int, BaseGeometry], shared: list[int], snap_m: float
) -> Fitted:
    """Return the outline with the ground it shares; slivers that it leaves of others are its own too."""
    ground = without(ground, joined(shape for number, shape in free.items() if number not in shared))
    rest: dict[int, BaseGeometry] = {}
    for number in shared:
        left = parts(without(free[number], ground))
        slivers = [part for part in left if snap_m > 0.0 and thin(part, snap_m) and touching(part, ground)]
        rest[number] = joined(part for part in left if part not in slivers)
        ground = together(ground, joined(slivers))
    return Fitted(ground, rest)


def _left(rest: BaseGeometry, before: BaseGeometry, snap_m: float) -> BaseGeometry:
    """Return what is left of an outline, without slivers that were cut off it."""
    if rest.is_empty:
        raise GeoError(N_("Nothing of the outline is left: other zones have its ground."))
    pieces = parts(rest)
    if len(pieces) <= len(parts(before)) or snap_m <= 0.0:
        return rest
    return joined([piece for piece in pieces if not thin(piece, snap_m)] or pieces)


def snapped(ground: BaseGeometry, others: Mapping[int, BaseGeometry], snap_m: float) -> BaseGeometry:
    """Return an outline whose border is its neighbours' wherever it ran nearer to theirs than that."""
    slivers = [
        part for shape in others.values() for part in parts(common(ground, shape)) if thin(part, snap_m)
    ]
    kept = without(ground, joined(slivers)) if slivers else ground
    if kept.is_empty:
        return ground
    return together(kept, strips(kept, others.values(), snap_m))


def strips(ground: BaseGeometry, others: Iterable[BaseGeometry], snap_m: float) -> BaseGeometry:
    """Return the gaps thinner than that between a shape and others: what neither has an inlet of alone."""
    window = shapely.box(*shapely.bounds(shapely.buffer(ground, 3.0 * snap_m)))
    shapely.prepare(ground)
    close = [common(other, window) for other in others if shapely.dwithin(ground, other, snap_m)]
    beside = joined(close)
    if beside.is_empty:
        return beside
    both = joined([ground, beside])
    gaps = joined(polygons(shapely.difference(closed(both, snap_m), both, grid_size=CLOSE_M / 2.0)))
    alone = joined([closed(ground, snap_m), closed(beside, snap_m)])
    return joined(
        part
        for part in polygons(shapely.difference(gaps, alone, grid_size=CLOSE_M / 2.0))
        if touching(part, ground) and touching(part, beside)
    )
