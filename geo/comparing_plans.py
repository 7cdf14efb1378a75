"""Two plans side by side: which blocks moved from which zone to which; and a change made on a newer plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import h3
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.blocks import cells_of_circle
from geo.errors import N_, Conflict
from geo.plans import Change, Frame, Move, Plan, Zone

NOWHERE = 0  # the zone of a block that lies in none
_SQUARE_METRE = 1e-10  # in square degrees, near enough: what is smaller is a seam between two shapes


@dataclass(frozen=True)
class Summary:
    """
    What a comparison comes to.

    Parameters
    ----------
    blocks, moved
        Blocks that lie in a zone of either plan, and those of them whose zone is another.
    kept_share
        Of the blocks that lay in a zone, those still in it; NaN when none did.
    added, removed
        Numbers of zones only the later, only the earlier plan has.
    renamed, repaired
        Numbers of zones with another name; with another pair.
    """

    blocks: int
    moved: int
    kept_share: float
    added: tuple[int, ...]
    removed: tuple[int, ...]
    renamed: tuple[int, ...]
    repaired: tuple[int, ...]


def moved_blocks(before: Plan, after: Plan) -> pd.DataFrame:
    """
    Return the blocks that lie in another zone than before, sorted by zone and cell.

    Parameters
    ----------
    before, after
        The blocks are the H3 cells of the later plan's frame, in both circles and all zones. Zones are the
        same where their numbers are: plans are compared that were copied from one another.

    Returns
    -------
    moved
        `cell`, `lon`, `lat` (of its middle), `from` and `to` (the zones' numbers, 0 for none), `from_name`
        and `to_name` ("" for none).
    """
    cells, lon, lat = _cells(before, after)
    old, new = blocks_zones(before, lon, lat), blocks_zones(after, lon, lat)
    every = pd.DataFrame({"cell": cells, "lon": lon, "lat": lat, "from": old, "to": new})
    moved: pd.DataFrame = every[old != new].copy()
    moved["from_name"] = _names(before, moved["from"])
    moved["to_name"] = _names(after, moved["to"])
    return moved.sort_values(["from", "to", "cell"], ignore_index=True)


def summary(before: Plan, after: Plan) -> Summary:
    """Return what the comparison of two plans comes to, over the blocks of `moved_blocks`."""
    _cells_, lon, lat = _cells(before, after)
    old, new = blocks_zones(before, lon, lat), blocks_zones(after, lon, lat)
    held = int((old != NOWHERE).sum())
    both = [(before.zone(each), after.zone(each)) for each in before.ids if each in after]
    return Summary(
        blocks=int(((old != NOWHERE) | (new != NOWHERE)).sum()),
        moved=int((old != new).sum()),
        kept_share=float(((old == new) & (old != NOWHERE)).sum() / held) if held else float("nan"),
        added=tuple(each for each in after.ids if each not in before),
        removed=tuple(each for each in before.ids if each not in after),
        renamed=tuple(a.id for a, b in both if a.name != b.name),
        repaired=tuple(a.id for a, b in both if sorted(a.pair) != sorted(b.pair)),
    )


def blocks(plan: Plan) -> pd.DataFrame:
    """Return the blocks of a plan's circle and zones: `cell`, `lon`, `lat` (its middle), `zone_id` or 0."""
    cells, lon, lat = _cells(plan, plan)
    return pd.DataFrame({"cell": cells, "lon": lon, "lat": lat, "zone_id": blocks_zones(plan, lon, lat)})


def blocks_zones(plan: Plan, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the zone each point lies in, 0 for none; on a shared border the smaller number."""
    if not len(plan):
        return np.full(len(lon), NOWHERE, dtype=np.int64)
    tree = shapely.STRtree([each.shape for each in plan.zones])
    points, found = tree.query(shapely.points(lon, lat), predicate="intersects")
    none = np.iinfo(np.int64).max
    smallest = np.full(len(lon), none)
    np.minimum.at(smallest, points, np.array(plan.ids, dtype=np.int64)[found])
    return np.where(smallest == none, NOWHERE, smallest)


def onto(change: Change, now: Plan, meanwhile: Sequence[Change]) -> Change:
    """
    Return a change so that it can be made on a plan that others have changed since.

    Zones that it makes get numbers that are free now.

    Parameters
    ----------
    change
        Made for the plan as it was.
    now
        The plan as it is.
    meanwhile
        What was changed in between.

    Raises
    ------
    Conflict
        When both change the same zone, the same settings, or win the same ground for different zones.
    """
    mine = {move.zone_id for move in change.moves if move.before is not None}
    theirs = {move.zone_id for other in meanwhile for move in other.moves}
    made = [move.zone_id for move in change.moves if move.before is None]
    fresh = {old: now.last_id + 1 + at for at, old in enumerate(made)}
    settings = change.frames is not None and any(other.frames is not None for other in meanwhile)
    if mine & theirs or settings or _meet(_won([change]), _won(meanwhile)):
        raise Conflict(N_("Both changes are of the same zones or the same ground."))
    moves = tuple(
        Move(move.before, _numbered(move.after, fresh.get(move.zone_id, move.zone_id)))
        for move in change.moves
    )
    moved = replace(change, moves=moves)
    now.after(moved)
    return moved


def _numbered(zone: Zone | None, number: int) -> Zone | None:
    return None if zone is None else replace(zone, id=number)


def _won(changes: Sequence[Change]) -> list[BaseGeometry]:
    """Return the ground each zone won."""
    moves = [move for change in changes for move in change.moves]
    return [
        move.after.shape if move.before is None else move.after.shape.difference(move.before.shape)
        for move in moves
        if move.after is not None and (move.before is None or move.after.shape != move.before.shape)
    ]


def _meet(some: Sequence[BaseGeometry], others: Sequence[BaseGeometry]) -> bool:
    if not some or not others:
        return False
    a, b = shapely.STRtree(others).query(np.array(some, dtype=object), predicate="intersects")
    common = shapely.intersection(np.array(some, dtype=object)[a], np.array(others, dtype=object)[b])
    return bool((shapely.area(common) > _SQUARE_METRE).any())


def _cells(before: Plan, after: Plan) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return the cells of both circles and all zones, with their middles."""
    resolution = after.frame.resolution
    cells = {
        cell for frame in {_circle(before.frame), _circle(after.frame)} for cell in _of(*frame, resolution)
    }
    for shape in {zone.shape.wkb: zone.shape for plan in (before, after) for zone in plan.zones}.values():
        cells.update(h3.geo_to_cells(shape, resolution))
    ordered = sorted(cells)
    middles = np.array([h3.cell_to_latlng(cell) for cell in ordered], dtype=np.float64).reshape(-1, 2)
    return ordered, middles[:, 1], middles[:, 0]


def _circle(frame: Frame) -> tuple[float, float, float]:
    return frame.lon, frame.lat, frame.radius_m


def _of(lon: float, lat: float, radius_m: float, resolution: int) -> list[str]:
    return [str(cell) for cell in cells_of_circle(lon, lat, radius_m, resolution).ids]


def _names(plan: Plan, ids: pd.Series) -> list[str]:
    return ["" if each == NOWHERE else plan.zone(each).name for each in ids]
