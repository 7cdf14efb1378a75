"""
A plan's blocks on the ground: which cells cover its circle, what each looks like, and which a shape holds.

A block belongs to the zone that holds its middle. Shapes here are in metres on the branch's plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.blocks import Blocks, cells_of_circle
from geo.errors import N_, GeoError
from geo.planes import LEAST_M2, Plane, tiled
from geo.plans import Frame, Plan

MOST_BEYOND = 50_000  # blocks of one shape outside the circle

Cells = NDArray[np.object_]


class Lattice(NamedTuple):
    """The blocks that cover a frame's circle, and their outlines beside them."""

    blocks: Blocks
    outlines: NDArray[np.object_]
    tree: shapely.STRtree
    middles: shapely.STRtree
    place: dict[str, int]


def lattice(frame: Frame) -> Lattice:
    """Return the blocks of a frame; kept, as every stroke of the brush asks for them."""
    return _lattice(frame.lon, frame.lat, frame.radius_m, frame.resolution)


@lru_cache(maxsize=8)
def _lattice(lon: float, lat: float, radius_m: float, resolution: int) -> Lattice:
    blocks = cells_of_circle(lon, lat, radius_m, resolution)
    outlines = _outlines(blocks.ids.tolist(), Plane(lon, lat))
    place = {cell: at for at, cell in enumerate(blocks.ids)}
    middles = shapely.STRtree(shapely.points(blocks.x, blocks.y))
    return Lattice(blocks, outlines, shapely.STRtree(outlines), middles, place)


def _outlines(cells: Sequence[str], plane: Plane) -> NDArray[np.object_]:
    if not len(cells):
        return np.empty(0, dtype=object)
    rings = [h3.cell_to_boundary(cell) for cell in cells]
    flat = plane.corners(np.array([(lon, lat) for ring in rings for lat, lon in ring]))
    at = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    return np.asarray(shapely.polygons(shapely.linearrings(flat, indices=at)), dtype=object)


def outlines_of(frame: Frame, cells: Sequence[str]) -> NDArray[np.object_]:
    """
    Return the outlines of blocks, beside them; those outside the circle too.

    Raises
    ------
    GeoError
        For what is no block of the frame's resolution.
    """
    known = lattice(frame)
    at = np.array([known.place.get(cell, -1) for cell in cells], dtype=np.int64)
    found = known.outlines[at]
    beyond = [cell for cell, place in zip(cells, at, strict=True) if place < 0]
    for cell in beyond:
        if not h3.is_valid_cell(cell) or h3.get_resolution(cell) != frame.resolution:
            raise GeoError(N_("{cell} is no block of this plan."), cell=str(cell)[:20])
    if beyond:
        found[at < 0] = _outlines(beyond, Plane(frame.lon, frame.lat))
    return found


def ground_of_cells(frame: Frame, cells: Sequence[str] | Cells) -> BaseGeometry:
    """Return the ground of blocks as one shape."""
    return tiled(outlines_of(frame, sorted(set(cells))))


def middles_of(frame: Frame, cells: Sequence[str]) -> NDArray[np.float64]:
    """Return the middles of blocks in metres, a row each."""
    if not len(cells):
        return np.empty((0, 2))
    degrees = np.array([h3.cell_to_latlng(cell)[::-1] for cell in cells])
    return Plane(frame.lon, frame.lat).corners(degrees)


def cells_in(frame: Frame, ground: BaseGeometry) -> Cells:
    """Return the blocks whose middle a shape holds, in order."""
    known = lattice(frame).blocks
    if ground.is_empty:
        return known.ids[:0]
    inside: Cells = known.ids[np.sort(lattice(frame).middles.query(ground, predicate="intersects"))]
    corners = shapely.get_coordinates(ground)
    if np.hypot(corners[:, 0], corners[:, 1]).max() <= frame.radius_m:
        return inside
    return np.unique(np.concatenate([inside, _cells_beyond(frame, ground)]))


def holds_block(frame: Frame, ground: BaseGeometry) -> bool:
    """Whether a shape holds the middle of any block."""
    return bool(
        lattice(frame).middles.query(ground, predicate="intersects").size or cells_in(frame, ground).size
    )


def zones_of_blocks(plan: Plan) -> NDArray[np.int64]:
    """Return the zone that holds the middle of each block of the circle, by its place in the plan, or -1."""
    known = lattice(plan.frame)
    held = np.full(len(known.blocks), len(plan), dtype=np.int64)
    if len(plan):
        shapes = metres_of(plan)
        at, block = known.middles.query(shapes, predicate="intersects")
        np.minimum.at(held, block, at)
    held[held == len(plan)] = -1
    return held


def metres_of(plan: Plan) -> NDArray[np.object_]:
    """Return the ground of a plan's zones, in their order."""
    return Plane(plan.frame.lon, plan.frame.lat).all_metres([zone.shape for zone in plan.zones])


def _cells_beyond(frame: Frame, ground: BaseGeometry) -> Cells:
    """Return the blocks outside the circle whose middle a shape holds."""
    outside = shapely.difference(ground, shapely.Point(0.0, 0.0).buffer(0.99 * frame.radius_m, quad_segs=45))
    if outside.area / h3.average_hexagon_area(frame.resolution, unit="m^2") > MOST_BEYOND:
        raise GeoError(N_("The shape reaches too far out of the plan's circle."))
    plane, place = Plane(frame.lon, frame.lat), lattice(frame).place
    found: set[str] = set()
    for part in shapely.get_parts(outside):
        if shapely.get_type_id(part) == 3 and part.area > LEAST_M2:
            shape = h3.geo_to_h3shape(plane.degrees(part))
            found.update(h3.h3shape_to_cells_experimental(shape, frame.resolution, contain="overlap"))
    cells = sorted(cell for cell in found if cell not in place)
    at = middles_of(frame, cells)
    held: Cells = np.array(cells, dtype=object)[shapely.intersects_xy(ground, at[:, 0], at[:, 1])]
    return held
