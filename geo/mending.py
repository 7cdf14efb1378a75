"""
Outlines as people and files bring them: mended where that is safe and said so, refused where it is not.

Safe is what keeps the ground that was meant: doubled corners, a ring left open, a loop where the hand crossed
its own line, more corners than the eye sees, metres of a published system. What has no area, lies elsewhere,
or crosses itself all over is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from geo import crs
from geo.catchment import distances_m
from geo.errors import N_, GeoError, Told
from geo.planes import Plane, areas, parts, thin

MOST_CORNERS = 10_000  # of a zone: the map draws them, the store keeps them, every change goes through them
MOST_READ = 2_000_000
LEAST_WIDTH_M = 1.0  # a strip thinner than this is a line drawn there and back
MOST_CROSSINGS = 1_000
_FIRST_STEP_M = 0.5
_MOST_AWAY_M = 100.0
_SPECK = 0.01  # of the largest piece: what a crossing line leaves beside what was meant
_MOST_LOST = 0.1  # of the corners, that are no numbers
_OPEN = 0.1  # of a line's length: so near its ends are those of a ring left open

Floats = NDArray[np.float64]

IN_PIECES = N_("The outline is of {count} pieces; a zone should be one.")
_NO_GROUND = N_("The outline encloses no ground.")


@dataclass(frozen=True)
class Mended:
    """
    An outline that can be a zone.

    Parameters
    ----------
    shape
        Polygon or MultiPolygon, valid, WGS 84.
    notes
        What was done to it, and what is odd about it.
    """

    shape: BaseGeometry
    notes: tuple[Told, ...] = ()


@dataclass
class _Notes:
    told: list[Told] = field(default_factory=list)

    def add(self, message: str, **values: object) -> None:
        self.told.append(Told(message, **values))


def mended(
    shape: BaseGeometry | Mapping[str, Any], *, lon: float, lat: float, farthest_m: float = 50_000.0
) -> Mended:
    """
    Return an outline as a zone may have it.

    Parameters
    ----------
    shape
        WGS 84, as drawn or read: shapely's, or a geometry of GeoJSON, whose rings may be open.
    lon, lat
        The branch.
    farthest_m
        No corner may be farther from it.

    Raises
    ------
    GeoError
        With the reason, where the outline cannot be mended safely.
    """
    notes = _Notes()
    found = shape if isinstance(shape, BaseGeometry) else with_closed_rings(shape)
    if found is None or found.is_empty:
        raise GeoError(N_("The outline has no shape."))
    count = int(shapely.get_num_coordinates(found))
    if count > MOST_READ:
        raise GeoError(
            N_("The outline has {count} corners, more than {limit}."), count=count, limit=MOST_READ
        )
    found = _closed(shapely.force_2d(found), notes)
    found = _numbered(found, notes)
    found = _placed(found, lon, lat, farthest_m, notes)
    plane = Plane(lon, lat)
    found = _simpler(_once(found, notes), plane, notes)
    ground = _uncrossed(found, notes)
    if not parts(ground) or thin(ground, LEAST_WIDTH_M):
        raise GeoError(_NO_GROUND)
    _remark(ground, notes)
    return Mended(plane.degrees(ground), tuple(notes.told))


def with_closed_rings(geometry: Mapping[str, Any]) -> BaseGeometry | None:
    """Return the line or the areas of a GeoJSON geometry whose rings may be open; None of any other."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    try:
        with np.errstate(invalid="ignore"):  # corners that are no numbers are looked at later
            if kind == "Polygon":
                return _polygon(coordinates)
            if kind == "MultiPolygon":
                return shapely.MultiPolygon([_polygon(each) for each in coordinates or ()])
            if kind == "LineString":
                return shapely.LineString([corner[:2] for corner in coordinates or ()])
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError, shapely.errors.ShapelyError):
        return None
    return None


def _polygon(rings: Any) -> BaseGeometry:
    shell, *holes = [[(float(x), float(y)) for x, y, *_ in ring] for ring in rings]
    return shapely.Polygon(shell, [hole for hole in holes if len(hole) >= 3])


def _closed(shape: BaseGeometry, notes: _Notes) -> BaseGeometry:
    """Return the areas of a shape; a line that nearly comes back to its start is one."""
    listed = shapely.get_parts(shapely.get_parts(shape))
    polygons = [part for part in listed if shapely.get_type_id(part) == 3]
    if polygons:
        if len(polygons) < len(listed):
            notes.add(N_("Lines and points beside the areas were left out."))
        return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    lines = [part for part in listed if shapely.get_type_id(part) in (1, 2)]
    if len(lines) == len(listed) == 1:
        corners = shapely.get_coordinates(lines[0])
        open_ = float(np.hypot(*(corners[-1] - corners[0])))
        if len(corners) >= 4 and open_ <= _OPEN * lines[0].length:
            if open_ > 0.0:
                notes.add(N_("The outline was open and has been closed."))
            return shapely.Polygon(corners)
    raise GeoError(N_("This is a line or a point, not an area."))


def _numbered(shape: BaseGeometry, notes: _Notes) -> BaseGeometry:
    """Return the areas without corners that are no numbers."""
    corners = shapely.get_coordinates(shape)
    good = np.isfinite(corners).all(axis=1)
    lost = int((~good).sum())
    if not lost:
        return shape
    if lost > _MOST_LOST * len(corners):
        raise GeoError(N_("{count} corners of the outline are no numbers."), count=lost)
    notes.add(N_("{count} corners that are no numbers were left out."), count=lost)
    return _rings_changed(shape, lambda ring: ring[np.isfinite(ring).all(axis=1)])


def _rings_changed(shape: BaseGeometry, change: Callable[[Floats], Floats]) -> BaseGeometry:
    """Return the areas with each ring's corners changed; rings of fewer than three corners are left out."""
    polygons = []
    for part in shapely.get_parts(shape):
        rings = [change(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors)]
        if _is_ring(rings[0]):
            polygons.append(shapely.Polygon(rings[0], [ring for ring in rings[1:] if _is_ring(ring)]))
    if not polygons:
        raise GeoError(_NO_GROUND)
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _is_ring(corners: Floats) -> bool:
    return len(corners) >= 3 + int((corners[0] == corners[-1]).all())


def _placed(shape: BaseGeometry, lon: float, lat: float, farthest_m: float, notes: _Notes) -> BaseGeometry:
    """Return the areas where they lie round the branch, or refuse what lies elsewhere."""
    corners = shapely.get_coordinates(shape)
    if (away := _away_m(corners, lon, lat)) <= farthest_m:
        return shape
    if _away_m(corners[:, ::-1], lon, lat) <= farthest_m:
        notes.add(N_("Latitude stood before longitude; they were exchanged."))
        return shapely.transform(shape, lambda xy: xy[:, ::-1])
    if np.isfinite(away):
        raise GeoError(
            N_("The outline reaches {away} km from the branch, farther than {limit} km."),
            away=round(away / 1000.0, 1),
            limit=round(farthest_m / 1000.0, 1),
        )
    systems = crs.projections(corners[:, 0], corners[:, 1], near=(lon, lat))
    if len(systems) == 1:
        system = systems[0]
        moved = shapely.transform(shape, lambda xy: _degrees(xy, system))
        if _away_m(shapely.get_coordinates(moved), lon, lat) <= farthest_m:
            notes.add(N_("Metres of EPSG:{epsg} were converted to WGS 84."), epsg=system.epsg)
            return moved
    raise GeoError(
        N_("The coordinates are no degrees of longitude and latitude. Export the outline in WGS 84.")
    )


def _degrees(metres: Floats, system: crs.Projection) -> Floats:
    easting, northing = metres.T[::-1] if system.northing_first else metres.T
    return np.column_stack(crs.to_wgs84(easting, northing, CRS.from_epsg(system.epsg)))


def _away_m(corners: Floats, lon: float, lat: float) -> float:
    """Return how far the farthest corner is from the branch, infinite where one is not on the earth."""
    x, y = corners[:, 0], corners[:, 1]
    if not ((np.abs(x) <= 180.0).all() and (np.abs(y) <= 90.0).all()):
        return np.inf
    return float(distances_m(lon, lat, x, y).max())


def _once(shape: BaseGeometry, notes: _Notes) -> BaseGeometry:
    """Return the areas with no corner twice in a row."""
    once = _rings_changed(shape, _without_repeats)
    if doubled := int(shapely.get_num_coordinates(shape) - shapely.get_num_coordinates(once)):
        notes.add(N_("{count} doubled corners were left out."), count=doubled)
    return once


def _without_repeats(corners: Floats) -> Floats:
    once: Floats = corners[np.append(True, (np.diff(corners, axis=0) != 0.0).any(axis=1))]
    return once


def _simpler(shape: BaseGeometry, plane: Plane, notes: _Notes) -> BaseGeometry:
    """Return the areas in metres with no more corners than a zone may have."""
    ground = shapely.transform(shape, plane.corners)
    before = int(shapely.get_num_coordinates(ground))
    if before <= MOST_CORNERS:
        return ground
    away_m = _FIRST_STEP_M
    while away_m <= _MOST_AWAY_M:
        simpler = _rings_changed(ground, partial(_ring_simpler, away_m))
        after = int(shapely.get_num_coordinates(simpler))
        if 0 < after <= MOST_CORNERS:
            notes.add(
                N_("{before} corners became {after}; the border moved by no more than {away} m."),
                before=before,
                after=after,
                away=away_m,
            )
            return simpler
        away_m *= 2.0
    raise GeoError(
        N_("The outline has {count} corners, and is too ragged to be drawn with {limit}."),
        count=before,
        limit=MOST_CORNERS,
    )


def _ring_simpler(away_m: float, corners: Floats) -> Floats:
    """Return a ring with fewer corners: as a line, since an area that crosses itself is mended first."""
    line = shapely.simplify(shapely.LineString(corners), away_m, preserve_topology=False)
    return np.asarray(shapely.get_coordinates(line), dtype=np.float64)


def _uncrossed(shape: BaseGeometry, notes: _Notes) -> BaseGeometry:
    """Return the areas with their border crossing itself nowhere."""
    if shape.is_valid:
        return areas(shape)
    if _crossings(shape) > MOST_CROSSINGS:
        raise GeoError(N_("The outline crosses itself in too many places to tell what is inside."))
    pieces = parts(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    if not pieces:
        raise GeoError(_NO_GROUND)
    largest = max(piece.area for piece in pieces)
    notes.add(N_("The outline crossed itself; the ground it encloses was kept."))
    return areas(shapely.union_all([piece for piece in pieces if piece.area >= _SPECK * largest]))


def _crossings(shape: BaseGeometry, sample: int = 100) -> float:
    """Return about how often the border crosses itself, from every so many of its sides."""
    sides: list[Any] = []
    for ring in _rings(shape):
        corners = shapely.get_coordinates(ring)
        sides.extend(shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1)))
    some = sides[:: max(1, len(sides) // sample)]
    met = shapely.STRtree(sides).query(some, predicate="crosses")[0].size
    return float(met * len(sides) / (2 * max(1, len(some))))


def _rings(shape: BaseGeometry) -> Sequence[Any]:
    return [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]


def _remark(ground: BaseGeometry, notes: _Notes) -> None:
    """Say what is odd about a good outline."""
    pieces = parts(ground)
    if len(pieces) > 1:
        notes.add(IN_PIECES, count=len(pieces))
    if holes := sum(len(piece.interiors) for piece in pieces if hasattr(piece, "interiors")):
        notes.add(N_("The outline has {count} holes, which stay open."), count=holes)
