"""
Shapes on the branch's own plane: metres and a grid of a tenth of a millimetre.

Zones are kept in degrees and measured in metres. On the way each corner goes onto the grid, so that a border
two zones share is one line in both, though it was reckoned twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo import crs

GRID_M = 1e-4
LEAST_M2 = 1.0  # an area below is a speck: the trace of a border reckoned twice
CLOSE_M = 2e-3  # so near two shapes touch
_SHARPEST = 5.0  # a corner is kept when borders are moved, up to so many times the move
_METRES_A_DEGREE = 111_000.0
_SHORT_M = 25.0

Shapes = NDArray[np.object_]


class Plane(NamedTuple):
    """The plane round a branch."""

    lon: float
    lat: float

    def metres(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a WGS 84 shape in metres, on the grid; an area stays a valid area."""
        moved = shapely.transform(shapely.force_2d(shape), self.corners)
        return moved if moved.is_valid else areas(shapely.make_valid(moved))

    def all_metres(self, shapes: Sequence[BaseGeometry]) -> Shapes:
        """Return many WGS 84 shapes in metres at once; see `metres`."""
        moved = shapely.transform(shapely.force_2d(np.array(shapes, dtype=object)), self.corners)
        for at in np.flatnonzero(~shapely.is_valid(moved)):
            moved[at] = areas(shapely.make_valid(moved[at]))
        return np.asarray(moved, dtype=object)

    def degrees(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a shape of the plane in WGS 84."""
        moved = shapely.transform(shapely.normalize(shape), self._to_degrees)
        return moved if moved.is_valid else self._mended(shape)

    def _mended(self, shape: BaseGeometry) -> BaseGeometry:
        """
        Return an area in WGS 84 that would cross itself there, with more corners.

        Straight in metres is not quite straight in degrees: over a kilometre it is out by a centimetre, and a
        crack as thin closes. Over short sides it stays open.
        """
        moved = shapely.transform(shapely.segmentize(shape, _SHORT_M), self._to_degrees)
        if moved.is_valid:
            return moved
        found = polygons(shapely.make_valid(moved))
        return shapely.union_all(
            [part for part in found if shapely.transform(part, self.corners).area > LEAST_M2]
        )

    def box(self, shape: BaseGeometry, margin_m: float) -> tuple[float, float, float, float]:
        """Return a WGS 84 box round a shape of the plane, with at least so wide a margin."""
        margin = 1.1 * margin_m / _METRES_A_DEGREE
        west, south, east, north = shapely.bounds(
            self.degrees(shapely.segmentize(shapely.envelope(shape), 5_000.0))
        )
        sides = margin / max(np.cos(np.radians(max(abs(south), abs(north)))), 0.01)
        return west - sides, south - margin, east + sides, north + margin

    def corners(self, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return corners in degrees, longitude first, on the grid in metres."""
        x, y = crs.to_metric(degrees[:, 0], degrees[:, 1], crs.local_metric(self.lon, self.lat))
        return np.round(np.column_stack([x, y]) / GRID_M) * GRID_M

    def _to_degrees(self, corners: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = crs.from_metric(corners[:, 0], corners[:, 1], crs.local_metric(self.lon, self.lat))
        return np.column_stack([lon, lat])


def parts(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the polygons of a shape that are more than specks."""
    return [part for part in polygons(shape) if part.area > LEAST_M2]


def polygons(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the polygons of a shape, down to the smallest."""
    return [part for part in shapely.get_parts(shapely.get_parts(shape)) if shapely.get_type_id(part) == 3]


def areas(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygons among what an operation left, as one shape without specks and pinholes."""
    return joined(_without_pinholes(part) for part in parts(shape))


def _without_pinholes(part: Any) -> BaseGeometry:
    holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > LEAST_M2]
    return part if len(holes) == len(part.interiors) else shapely.Polygon(part.exterior, holes)


def joined(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return shapes of the plane as one; an empty polygon for none."""
    listed = list(shapes)
    if len(listed) <= 1:
        return listed[0] if listed else shapely.Polygon()
    return shapely.union_all(listed, grid_size=GRID_M)


def tiled(shapes: NDArray[np.object_]) -> BaseGeometry:
    """Return tiles of the plane, which share corners and no ground, as one; quicker than `joined`."""
    whole = shapely.coverage_union_all(shapes) if len(shapes) else shapely.Polygon()
    return whole if whole.is_valid else joined(shapes)


def together(first: BaseGeometry, second: BaseGeometry) -> BaseGeometry:
    """Return the area of either."""
    return areas(shapely.union(first, second, grid_size=GRID_M))


def without(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """Return the area of one that is not of the other."""
    return areas(shapely.difference(shape, other, grid_size=GRID_M))


def common(first: BaseGeometry, second: BaseGeometry) -> BaseGeometry:
    """Return the area of both."""
    return areas(shapely.intersection(first, second, grid_size=GRID_M))


def touching(first: BaseGeometry, second: BaseGeometry) -> bool:
    """Whether two shapes of the plane meet, in a point at least."""
    return bool(shapely.dwithin(first, second, CLOSE_M))


def wider(shape: BaseGeometry, metres: float) -> BaseGeometry:
    """Return a shape with its border moved outwards, or inwards below 0; corners stay corners."""
    return shapely.buffer(shape, metres, join_style="mitre", mitre_limit=_SHARPEST)


def thin(shape: BaseGeometry, width_m: float) -> bool:
    """Whether a shape is nowhere as wide as that."""
    return bool(shapely.is_empty(wider(shape, -width_m / 2.0)))


def closed(shape: BaseGeometry, width_m: float) -> BaseGeometry:
    """Return a shape with every gap narrower than that closed."""
    return wider(wider(shape, width_m / 2.0), -width_m / 2.0)
