"""A plan as its rules look at it: zones in metres, blocks and their weights; reckoned once, if at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from geo.blocks import Blocks, parted
from geo.catchment import circle
from geo.lattice import lattice, metres_of, zones_of_blocks
from geo.planes import LEAST_M2, Plane, Shapes, joined, parts, tiled, without
from geo.plans import Frame, Measure, Plan, Zone

Ints = NDArray[np.int64]

LEAST_GAP = 0.1  # of a block's area: ground in no zone that is worth a word


Weights = pd.DataFrame | Callable[[], pd.DataFrame]


class Limits(NamedTuple):
    """The least and the most a zone may hold of a measure, and the ideal."""

    low: float
    high: float
    ideal: float


class Look:
    """
    A plan, what its zones hold, and what its blocks weigh.

    Parameters
    ----------
    plan
        With at least one zone.
    loads, weights
        As `geo.rules.check` takes them.
    """

    def __init__(self, plan: Plan, loads: pd.DataFrame | None, weights: Weights | None) -> None:
        self.plan = plan
        self.loads = loads
        self.weights = weights

    # --- loads ---

    def measured(self) -> Iterator[tuple[Measure, Zone, float, Limits]]:
        """Yield what each zone holds of each measure the plan is held to, where that is known."""
        for measure in self.plan.frame.measures:
            loads = self.load_of(measure.name)
            if np.isfinite(loads).any():
                limits = self.limits(measure)
                for zone, load in zip(self.plan.zones, loads.tolist(), strict=True):
                    if np.isfinite(load):
                        yield measure, zone, load, limits

    def load_of(self, measure: str) -> NDArray[np.float64]:
        """Return what each zone holds of a measure, NaN where that is not known."""
        if self.loads is None or measure not in self.loads:
            return np.full(len(self.plan), np.nan)
        return self.loads[measure].reindex(list(self.plan.ids)).to_numpy(np.float64, na_value=np.nan)

    def limits(self, measure: Measure) -> Limits:
        """Return what a zone should hold of a measure, of which something is known."""
        ideal = measure.target
        if ideal is None:
            ideal = float(np.nanmean(self.load_of(measure.name)))
        low = max(ideal * (1.0 - measure.tolerance), measure.lowest or 0.0)
        high = min(ideal * (1.0 + measure.tolerance), np.inf if measure.highest is None else measure.highest)
        return Limits(low, high, ideal)

    # --- ground ---

    @cached_property
    def grounds(self) -> Shapes:
        """The zones' ground in metres, in their order."""
        return metres_of(self.plan)

    @cached_property
    def odd(self) -> NDArray[np.bool_]:
        """The zones whose border is not their neighbours' down to the last corner: no other can overlap."""
        if shapely.coverage_is_valid(self.grounds):
            return np.zeros(len(self.plan), dtype=bool)
        return np.asarray(~shapely.is_empty(shapely.coverage_invalid_edges(self.grounds)), dtype=bool)

    @cached_property
    def overlaps(self) -> list[tuple[int, int, float]]:
        """The pairs of zones with ground in common, by place, and how much it is."""
        odd = np.flatnonzero(self.odd)
        if not odd.size:
            return []
        at, other = shapely.STRtree(self.grounds).query(self.grounds[odd], predicate="intersects")
        pairs = np.sort(np.column_stack([odd[at], other]), axis=1)
        pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
        shared = shapely.area(shapely.intersection(self.grounds[pairs[:, 0]], self.grounds[pairs[:, 1]]))
        return [
            (first, second, area)
            for (first, second), area in zip(pairs.tolist(), shared.tolist(), strict=True)
            if area > LEAST_M2
        ]

    @cached_property
    def zoned(self) -> BaseGeometry:
        """All ground in zones."""
        even = tiled(self.grounds[~self.odd])
        return joined([even, *self.grounds[self.odd]]) if self.odd.any() else even

    @cached_property
    def gaps(self) -> list[BaseGeometry]:
        """The ground of the circle that no zone has, where it is more than a trace."""
        frame = self.plan.frame
        least = LEAST_GAP * float(np.median(shapely.area(lattice(frame).outlines)))
        open_ground = without(_scope(frame.lon, frame.lat, frame.radius_m), self.zoned)
        return [part for part in parts(open_ground) if part.area > least]

    @cached_property
    def reach_m(self) -> NDArray[np.float64]:
        """How far the farthest corner of each zone is from the branch."""
        corners, zone = shapely.get_coordinates(self.grounds, return_index=True)
        reach = np.zeros(len(self.plan))
        np.maximum.at(reach, zone, np.hypot(corners[:, 0], corners[:, 1]))
        return reach

    @cached_property
    def rim_m(self) -> float:
        """How far a block may reach beyond its middle."""
        first = lattice(self.plan.frame).outlines[0]
        return float(shapely.minimum_bounding_radius(first)) * 1.05

    # --- blocks ---

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks of the circle, parted by the plan's barriers."""
        return parted_blocks(self.plan.frame)

    @cached_property
    def held(self) -> Ints:
        """The zone that holds each block, by place; -1 for none."""
        return zones_of_blocks(self.plan)

    @cached_property
    def pieces(self) -> Ints:
        """The piece of its zone that each block is in, pieces of one zone being apart at barriers."""
        return _pieces(self.blocks, self.held)

    @cached_property
    def parted_zones(self) -> list[int]:
        """The zones, by place, that barriers part into more pieces than they are of without."""
        if not self.plan.frame.barriers:
            return []
        whole = _pieces(lattice(self.plan.frame).blocks, self.held)
        counts = [self._counted(piece) for piece in (self.pieces, whole)]
        return [int(at) for at in np.flatnonzero(counts[0] > counts[1])]

    def _counted(self, piece: Ints) -> Ints:
        inside = self.held >= 0
        zone = self.held[inside][np.unique(piece[inside], return_index=True)[1]]
        return np.bincount(zone, minlength=len(self.plan))

    def barriers_in(self, at: int) -> tuple[str, ...]:
        """Return the names of the barriers that part a zone's blocks."""
        plane = Plane(self.plan.frame.lon, self.plan.frame.lat)
        own = self.grounds[at]
        found = [
            barrier.name
            for barrier in self.plan.frame.barriers
            if own.intersects(shapely.transform(shapely.force_2d(barrier.shape), plane.corners))
        ]
        return tuple(dict.fromkeys(found))

    def weights_of(self, measure: str | None = None) -> NDArray[np.float64] | None:
        """Return what each block of the circle weighs in a measure, by default the first; None: not known."""
        if self.weights is None:
            return None
        if callable(self.weights):
            self.weights = self.weights()
        names = [each.name for each in self.plan.frame.measures] if measure is None else [measure]
        name = next((each for each in names if each in self.weights), None)
        if name is None:
            return None
        known = self.weights[name].reindex(lattice(self.plan.frame).blocks.ids)
        return np.asarray(known.fillna(0.0), dtype=np.float64)


@lru_cache(maxsize=8)
def parted_blocks(frame: Frame) -> Blocks:
    """Return the blocks of a frame, parted by its barriers."""
    plane = Plane(frame.lon, frame.lat)
    walls = [shapely.transform(shapely.force_2d(each.shape), plane.corners) for each in frame.barriers]
    return parted(lattice(frame).blocks, walls)


@lru_cache(maxsize=8)
def _scope(lon: float, lat: float, radius_m: float) -> BaseGeometry:
    return Plane(lon, lat).metres(circle(lon, lat, radius_m))


def _pieces(blocks: Blocks, held: Ints) -> Ints:
    """Return a number of the piece each block is in: blocks of one zone that hang together."""
    owners, others = blocks.owners, blocks.neighbours
    same = held[owners] == held[others]
    ones = np.ones(int(same.sum()), dtype=np.int8)
    graph = coo_array((ones, (owners[same], others[same])), shape=(len(blocks), len(blocks)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
