"""Zones designed anew put into the plan: those that stay mostly where they were keep number and name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment

from geo import parcels as ground_of
from geo.design import Design
from geo.parcels import Parcels
from geo.planes import Plane
from geo.plans import Frame, Plan, Zone

_STAYS = 0.5  # of its ground, or of the other's: as much in common makes two zones the same


def replaced(
    plan: Plan,
    frame: Frame,
    parcels: Parcels,
    found: Design,
    pairs: Sequence[tuple[int, ...]],
    name: Callable[[int], str],
) -> tuple[Plan, tuple[int, ...]]:
    """Return the plan with its unlocked zones replaced, and the new zones' numbers."""
    plane = Plane(frame.lon, frame.lat)
    shapes = [plane.degrees(each) for each in ground_of.ground(parcels, found.zone, found.zones)]
    same = _same_zones(plan, parcels, found)
    used = {zone.name for zone in plan.zones if zone.locked} | {
        plan.zone(each).name for each in same.values()
    }
    middles = shapely.centroid(np.array(shapes, dtype=object))
    ids, zones, number = dict[int, int](), [zone for zone in plan.zones if zone.locked], plan.last_id
    for each in np.lexsort((shapely.get_x(middles), -shapely.get_y(middles))).tolist():
        if each in same:
            zone = replace(plan.zone(same[each]), shape=shapes[each])
        else:
            number += 1
            while name(number) in used:
                number += 1
            zone = Zone(number, name(number), shapes[each])
        zones.append(replace(zone, pair=tuple(pairs[each])) if each < len(pairs) else zone)
        ids[each] = zone.id
    after = replace(plan, frame=frame, zones=tuple(zones))
    return after, tuple(ids[each] for each in range(found.zones))


def _same_zones(plan: Plan, parcels: Parcels, found: Design) -> dict[int, int]:
    """Return the old zone's number of each new zone that is mostly it."""
    old = [zone for zone in plan.zones if not zone.locked]
    if not old:
        return {}
    shapes = Plane(plan.frame.lon, plan.frame.lat).all_metres([zone.shape for zone in old])
    middles = shapely.points(parcels.blocks.x, parcels.blocks.y)
    at, block = shapely.STRtree(middles).query(shapes, predicate="intersects")
    area = shapely.area(parcels.outlines)
    shared = np.zeros((found.zones, len(old)))
    np.add.at(shared, (found.zone[block], at), area[block])
    new_area = np.bincount(found.zone, weights=area, minlength=found.zones)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return {
        int(row): old[column].id
        for row, column in zip(rows, columns, strict=True)
        if shared[row, column] >= _STAYS * min(new_area[row], shapes[column].area)
    }
