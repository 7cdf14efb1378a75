"""A piece of ground laid on a box of paper: to scale, north up, in the branch's own metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from data.paper.sheets import Box
from geo.crs import local_metric, to_metric, to_wgs84

Floats = NDArray[np.float64]
RIM = 0.06  # of the ground beyond what has to be seen
LEAST_M = 300.0  # of ground across the box's shorter side


@dataclass(frozen=True)
class View:
    """
    Where positions lie on paper.

    Parameters
    ----------
    box
        On paper, in points.
    crs
        The metric CRS round the branch, which lies at its origin.
    x, y
        The middle of the box, in metres.
    scale
        Points a metre.
    """

    box: Box
    crs: CRS
    x: float
    y: float
    scale: float

    @classmethod
    def of(cls, box: Box, lon: float, lat: float, around: BaseGeometry) -> View:
        """Return the view in which all of a shape in WGS 84 is seen, as large as may be."""
        crs = local_metric(lon, lat)
        points = shapely.get_coordinates(around)
        x, y = to_metric(points[:, 0], points[:, 1], crs)
        wide, high = (max(float(np.ptp(values)), LEAST_M) * (1 + 2 * RIM) for values in (x, y))
        scale = min(box.width / wide, box.height / high)
        return cls(box, crs, float(x.min() + x.max()) / 2, float(y.min() + y.max()) / 2, scale)

    @property
    def branch(self) -> tuple[float, float]:
        """Where the branch lies on paper, which may be beyond the box."""
        across, up = self._on_paper(np.zeros(1), np.zeros(1))
        return float(across[0]), float(up[0])

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """The box as left, bottom, right, top."""
        return self.box.left, self.box.bottom, self.box.right, self.box.top

    def degrees(self) -> tuple[float, float, float, float]:
        """Return the ground the box shows as west, south, east, north in WGS 84."""
        half, tall = self.box.width / self.scale / 2, self.box.height / self.scale / 2
        x = self.x + half * np.array([-1.0, -1.0, 1.0, 1.0])
        y = self.y + tall * np.array([-1.0, 1.0, -1.0, 1.0])
        lon, lat = to_wgs84(x, y, self.crs)
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    def points(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Return where positions in WGS 84 lie on paper."""
        return self._on_paper(*to_metric(lon, lat, self.crs))

    def shapes(self, shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
        """Return shapes in WGS 84 as they lie on paper."""

        def moved(points: Floats) -> Floats:
            return np.column_stack(self.points(points[:, 0], points[:, 1]))

        return [shapely.transform(shape, moved) for shape in shapes]

    def holds(self, across: Floats, up: Floats) -> NDArray[np.bool_]:
        """Return which spots on paper lie in the box."""
        left, bottom, right, top = self.corners
        held: NDArray[np.bool_] = (across >= left) & (across <= right) & (up >= bottom) & (up <= top)
        return held

    def _on_paper(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        across = self.box.left + self.box.width / 2 + (x - self.x) * self.scale
        return across, self.box.bottom + self.box.height / 2 + (y - self.y) * self.scale
