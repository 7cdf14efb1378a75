"""
Barriers as people and files bring them: lines and areas that zones do not cross, and bridges over them.

What is safe is mended: corners that are no numbers, latitude before longitude, an area that crosses itself,
what runs on far beyond the branch. A bridge opens a barrier as wide as a block, since blocks are joined or
parted as wholes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.catchment import distances_m
from geo.errors import N_, GeoError, Told
from geo.lattice import lattice
from geo.mending import MOST_READ, Mended
from geo.planes import GRID_M, Plane
from geo.plans import Frame

MOST_CORNERS = 5_000  # of one barrier
NARROWEST_BRIDGE_M = 30.0
BLOCKS_WIDE = 1.5  # an opening: two neighbours' middles face each other through it
REACH = 3.0  # radii of the plan: what is farther parts no zone
_FIRST_STEP_M = 0.5
_LEAST_M = 1.0

Floats = NDArray[np.float64]


def mended_barrier(shape: BaseGeometry, frame: Frame) -> Mended:
    """
    Return a line or an area (WGS 84) as a plan may have it for a barrier, with what was done to it.

    Raises
    ------
    GeoError
        With the reason, where it is neither or lies elsewhere.
    """
    notes: list[Told] = []
    found = _lines_and_areas(shapely.force_2d(shape))
    found = _placed(found, frame, notes)
    plane = Plane(frame.lon, frame.lat)
    flat = shapely.transform(found, plane.corners)
    if not flat.is_valid:
        flat = _lines_and_areas(shapely.make_valid(flat))
        notes.append(Told(N_("The outline crossed itself; the ground it encloses was kept.")))
    flat = _near(flat, frame, notes)
    return Mended(plane.degrees(_simpler(flat)), tuple(notes))


def bridged(shape: BaseGeometry, bridges: Sequence[BaseGeometry], frame: Frame) -> BaseGeometry:
    """Return a barrier open where bridges lead across it, all WGS 84: empty, if all of it is."""
    if not len(bridges):
        return shape
    plane = Plane(frame.lon, frame.lat)
    half_m = opening_m(frame) / 2.0
    open_ = [
        shapely.buffer(shapely.transform(shapely.force_2d(each), plane.corners), half_m) for each in bridges
    ]
    flat = shapely.transform(shape, plane.corners)
    left = shapely.difference(flat, shapely.union_all(open_), grid_size=GRID_M)
    return plane.degrees(left) if not left.is_empty else left


def opening_m(frame: Frame) -> float:
    """Return how wide a bridge opens a barrier: wide enough for two blocks to face each other."""
    blocks = lattice(frame).blocks
    at, other = blocks.owners, blocks.neighbours
    if not at.size:
        return NARROWEST_BRIDGE_M
    apart = np.hypot(blocks.x[at] - blocks.x[other], blocks.y[at] - blocks.y[other])
    return max(NARROWEST_BRIDGE_M, BLOCKS_WIDE * float(np.median(apart)))


def _lines_and_areas(shape: BaseGeometry) -> BaseGeometry:
    """Return the lines and areas of a shape as one."""
    listed = shapely.get_parts(shapely.get_parts(shape))
    kinds = shapely.get_type_id(listed)
    areas, lines = listed[kinds == 3], listed[np.isin(kinds, (1, 2))]
    if not len(areas) and not len(lines):
        raise GeoError(N_("A barrier is a line or an area; this is neither."))
    if len(lines) and len(areas):
        return shapely.GeometryCollection([*areas, *lines])
    if len(areas):
        return areas[0] if len(areas) == 1 else shapely.MultiPolygon(list(areas))
    plain = [shapely.LineString(shapely.get_coordinates(line)) for line in lines]
    return plain[0] if len(plain) == 1 else shapely.MultiLineString(plain)


def _placed(shape: BaseGeometry, frame: Frame, notes: list[Told]) -> BaseGeometry:
    """Return a shape round the branch, its latitude and longitude exchanged where they stand so."""
    corners = shapely.get_coordinates(shape)
    if len(corners) > MOST_READ:
        raise GeoError(
            N_("The outline has {count} corners, more than {limit}."), count=len(corners), limit=MOST_READ
        )
    if not np.isfinite(corners).all():
        raise GeoError(
            N_("{count} corners of the outline are no numbers."),
            count=int((~np.isfinite(corners).all(axis=1)).sum()),
        )
    swapped, reach_m = corners[:, ::-1], REACH * frame.radius_m
    here = _on_earth(corners) and _nearest_m(corners, frame) <= reach_m
    if not here and _on_earth(swapped) and _nearest_m(swapped, frame) <= reach_m:
        notes.append(Told(N_("Latitude stood before longitude; they were exchanged.")))
        return shapely.transform(shape, lambda xy: xy[:, ::-1])
    if not _on_earth(corners):
        raise GeoError(
            N_("The coordinates are no degrees of longitude and latitude. Export the outline in WGS 84.")
        )
    return shape


def _on_earth(corners: Floats) -> bool:
    return bool((np.abs(corners[:, 0]) <= 180.0).all() and (np.abs(corners[:, 1]) <= 90.0).all())


def _nearest_m(corners: Floats, frame: Frame) -> float:
    return float(distances_m(frame.lon, frame.lat, corners[:, 0], corners[:, 1]).min())


def _near(flat: BaseGeometry, frame: Frame, notes: list[Told]) -> BaseGeometry:
    """Return what of a shape in metres lies round the plan."""
    reach_m = REACH * frame.radius_m
    around = shapely.buffer(shapely.Point(0.0, 0.0), reach_m)
    if shapely.covered_by(flat, around):
        return flat
    left = shapely.intersection(flat, around, grid_size=GRID_M)
    if left.is_empty or left.length < _LEAST_M:
        raise GeoError(
            N_("The barrier lies farther than {limit} km from the branch."), limit=round(reach_m / 1000.0, 1)
        )
    limit = round(reach_m / 1000.0, 1)
    notes.append(Told(N_("What runs on beyond {limit} km from the branch was cut off."), limit=limit))
    return _lines_and_areas(left)


def _simpler(flat: BaseGeometry) -> BaseGeometry:
    """Return a shape with no more corners than a barrier may have."""
    step_m = _FIRST_STEP_M
    found = flat
    while shapely.get_num_coordinates(found) > MOST_CORNERS:
        found = shapely.simplify(flat, step_m)
        step_m *= 2.0
    return found
