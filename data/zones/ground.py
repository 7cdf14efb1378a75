"""The ground of a plan in metres: how large, how round, in how many pieces, and how much of it is covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo import crs
from geo.catchment import circle
from geo.plans import Plan

Floats = NDArray[np.float64]
NOWHERE = shapely.Polygon()


@dataclass(frozen=True, eq=False)
class Ground:
    """
    The shapes of a plan in metres.

    Parameters
    ----------
    shapes
        Of the zones, in the local metric CRS.
    circle
        Of the plan.
    zoned_m2, scope_m2
        What all zones cover together, and what they and the circle do.
    """

    shapes: tuple[BaseGeometry, ...]
    circle: BaseGeometry
    zoned_m2: float
    scope_m2: float

    @cached_property
    def area_m2(self) -> Floats:
        """Of each zone."""
        return np.asarray(shapely.area(np.asarray(self.shapes, dtype=object)), dtype=np.float64)

    @cached_property
    def perimeter_m(self) -> Floats:
        """Of each zone."""
        return np.asarray(shapely.length(np.asarray(self.shapes, dtype=object)), dtype=np.float64)

    @cached_property
    def pieces(self) -> NDArray[np.int64]:
        """Of each zone."""
        return np.asarray(shapely.get_num_geometries(np.asarray(self.shapes, dtype=object)), dtype=np.int64)


def same_shape(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two shapes have the same corners in the same order."""
    return one is other or bool(shapely.equals_identical(one, other))


def ground_of(plan: Plan) -> Ground:
    """Return a plan's shapes in metres."""
    frame = plan.frame
    around = circle(frame.lon, frame.lat, frame.radius_m) if frame.radius_m > 0.0 else NOWHERE
    *shapes, round_ = _metric([*(zone.shape for zone in plan.zones), around], plan)
    shapely.prepare(round_)
    return Ground(tuple(shapes), round_, *_covered_m2(shapes, round_))


def ground_after(ground: Ground, before: Plan, plan: Plan, boxes: Floats) -> Ground:
    """Return the ground of a plan that differs from the one before only in some boxes."""
    was = {zone.id: (zone.shape, at) for at, zone in enumerate(before.zones)}
    shapes = []
    for zone in plan.zones:
        old, at = was.get(zone.id, (NOWHERE, 0))
        own = ground.shapes[at] if same_shape(old, zone.shape) else _metric([zone.shape], plan)[0]
        shapes.append(own)
    if not len(boxes):
        return Ground(tuple(shapes), ground.circle, ground.zoned_m2, ground.scope_m2)
    changed = shapely.box(*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))
    window = _metric([changed], plan)[0].buffer(1.0)
    now = _covered_m2(shapes, ground.circle, window)
    then = _covered_m2(ground.shapes, ground.circle, window)
    zoned, scope = ground.zoned_m2 + now[0] - then[0], ground.scope_m2 + now[1] - then[1]
    return Ground(tuple(shapes), ground.circle, zoned, scope)


def _metric(shapes: Sequence[BaseGeometry], plan: Plan) -> list[BaseGeometry]:
    metric = crs.local_metric(plan.frame.lon, plan.frame.lat)
    return list(
        shapely.transform(
            np.asarray(shapes, dtype=object), lambda x, y: crs.to_metric(x, y, metric), interleaved=False
        )
    )


def _covered_m2(
    shapes: Sequence[BaseGeometry], around: BaseGeometry, window: BaseGeometry | None = None
) -> tuple[float, float]:
    """Return the area that zones cover together, and that they and the circle do, inside a window."""
    parts = np.asarray(shapes, dtype=object)
    disc = float(shapely.area(around))
    if window is not None:
        parts = shapely.intersection(parts[shapely.intersects(parts, window)], window)
        disc = float(shapely.area(shapely.intersection(around, window)))
    if not len(parts):
        return 0.0, disc
    apart = window is None and bool(shapely.coverage_is_valid(parts))  # no two overlap: areas add up
    together = parts if apart else np.array([shapely.union_all(parts)])
    beyond = together[~shapely.covers(around, together)]
    outside = float(shapely.area(shapely.difference(beyond, around)).sum())
    return float(shapely.area(together).sum()), disc + outside
