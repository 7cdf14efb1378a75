"""
Zones changed by hand: drawn, reshaped, split, merged, cut, removed, renamed.

Each function takes a plan and returns the change, and alters nothing: `plan.after(change)` is the new plan.
Locked zones resist: nothing here takes of their ground or alters them, until they are unlocked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.catchment import circle
from geo.errors import N_, GeoError
from geo.fitting import fitted, near, strips
from geo.lattice import cells_in, ground_of_cells
from geo.mending import Mended, mended
from geo.painting import filled, painted, stroke_cells
from geo.planes import LEAST_M2, Plane, common, joined, parts, together, without
from geo.plans import Change, Move, Plan, Zone

__all__ = [
    "Mended",
    "along",
    "disc",
    "drawn",
    "edited",
    "filled",
    "mended",
    "merged",
    "painted",
    "removed",
    "reshaped",
    "split",
    "stroke_cells",
    "without_overlaps",
]

SNAP_M = 15.0
LONGEST_NAME = 100
LONGEST_NOTE = 2_000


# --- outlines from simpler things -------------------------------------------------------------------------


def along(line: BaseGeometry, width_m: float, lon: float, lat: float) -> BaseGeometry:
    """
    Return the strip along a street: all that lies within half a width of a line.

    Parameters
    ----------
    line
        WGS 84, with at least two different corners.
    width_m
        Of the strip, from side to side.
    lon, lat
        The branch, round which is measured.
    """
    if not (np.isfinite(width_m) and width_m > 0.0):
        raise GeoError(N_("A strip needs a width above 0, got {width}."), width=width_m)
    if shapely.get_dimensions(line) != 1 or not np.isfinite(shapely.get_coordinates(line)).all():
        raise GeoError(N_("A strip needs a line of at least two corners."))
    plane = Plane(lon, lat)
    flat = shapely.transform(shapely.force_2d(line), plane.corners)
    if flat.length <= 0.0:
        raise GeoError(N_("A strip needs a line of at least two corners."))
    return plane.degrees(shapely.buffer(flat, width_m / 2.0, cap_style="flat", quad_segs=4))


def disc(lon: float, lat: float, radius_m: float) -> BaseGeometry:
    """Return the circle round a position, as an outline with few enough corners to be edited."""
    return circle(lon, lat, radius_m, vertices=48)


# --- outlines as zones ------------------------------------------------------------------------------------


def drawn(
    plan: Plan,
    shape: BaseGeometry | Mapping[str, Any],
    *,
    name: str,
    kind: str = "street",
    overlap: str = "ask",
    snap_m: float = SNAP_M,
    to_blocks: bool = False,
) -> Change:
    """
    Return the change that adds a zone.

    Parameters
    ----------
    shape
        WGS 84; mended first, see `mended`.
    overlap
        Of ground that other zones have: `take` it from them, `leave` it to them, or `ask`.
    snap_m
        The border becomes a neighbour's where it runs nearer to it than that; 0: as drawn.
    to_blocks
        Whether the zone is to be made of the blocks whose middle the outline holds.

    Raises
    ------
    Overlaps
        When it has to be asked, with the zones whose ground it is.
    """
    zone = Zone(plan.last_id + 1, checked_name(plan, name), shapely.Polygon(), kind)
    ground = mended(shape, lon=plan.frame.lon, lat=plan.frame.lat).shape
    return _placed(plan, None, zone, ground, "drawn", overlap, snap_m, to_blocks)


def reshaped(
    plan: Plan,
    zone_id: int,
    shape: BaseGeometry | Mapping[str, Any],
    *,
    overlap: str = "ask",
    snap_m: float = SNAP_M,
    to_blocks: bool = False,
) -> Change:
    """Return the change that gives a zone another outline; see `drawn`."""
    zone = _unlocked(plan, zone_id)
    ground = mended(shape, lon=plan.frame.lon, lat=plan.frame.lat).shape
    return _placed(plan, zone, zone, ground, "reshaped", overlap, snap_m, to_blocks)


def _placed(
    plan: Plan,
    before: Zone | None,
    zone: Zone,
    shape: BaseGeometry,
    what: str,
    overlap: str,
    snap_m: float,
    to_blocks: bool,
) -> Change:
    plane = _plane(plan)
    ground, whole = plane.metres(shape), None
    if to_blocks:
        cells = cells_in(plan.frame, ground)
        if not cells.size:
            raise GeoError(N_("The outline holds the middle of no block. Draw it larger, or not by blocks."))
        ground = ground_of_cells(plan.frame, cells)
    others = near(plan, ground, 3.0 * snap_m + 1.0, but=[zone.id])
    if to_blocks:
        whole = {
            number for number, other in others.items() if np.isin(cells, cells_in(plan.frame, other)).any()
        }
    found = fitted(ground, others, {each: plan.zone(each) for each in others}, overlap, snap_m, whole)
    if before is not None and same_ground(plane.metres(before.shape), found.ground) and not found.others:
        return Change(what)
    moves = [Move(before, replace(zone, shape=plane.degrees(found.ground)))]
    return Change(what, (*moves, *_cut(plan, found.others)))


def _cut(plan: Plan, grounds: Mapping[int, BaseGeometry]) -> list[Move]:
    """Return the moves that give zones other ground; one with none is there no more."""
    plane, moves = _plane(plan), []
    for number, ground in sorted(grounds.items()):
        zone = plan.zone(number)
        left = not ground.is_empty and ground.area > LEAST_M2
        moves.append(Move(zone, replace(zone, shape=plane.degrees(ground)) if left else None))
    return moves


def same_ground(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two shapes of the plane are one but for specks."""
    return bool(shapely.symmetric_difference(one, other, grid_size=1e-3).area < LEAST_M2 / 100.0)


# --- splitting and merging --------------------------------------------------------------------------------


def split(plan: Plan, zone_id: int, line: BaseGeometry, *, names: Sequence[str] | None = None) -> Change:
    """
    Return the change that cuts a zone along a line.

    The largest piece stays the zone; the others are new, of its kind and with its people.

    Parameters
    ----------
    line
        WGS 84. An end inside the zone is drawn out to the border.
    names
        Of the pieces, the largest first; found where there are fewer.
    """
    zone = _unlocked(plan, zone_id)
    plane = _plane(plan)
    if shapely.get_dimensions(line) != 1 or not np.isfinite(shapely.get_coordinates(line)).all():
        raise GeoError(N_("A zone is split by a line of at least two corners."))
    ground = plane.metres(zone.shape)
    cut = shapely.transform(shapely.force_2d(shapely.line_merge(line)), plane.corners)
    pieces = _pieces(ground, _drawn_out(cut, ground))
    if len(pieces) < 2:
        raise GeoError(N_("The line does not divide zone {name}. Draw it across the zone."), name=zone.name)
    return with_pieces(plan, zone, pieces, "split", names)


def _drawn_out(line: BaseGeometry, ground: BaseGeometry) -> BaseGeometry:
    """Return a line with ends that lie inside a shape drawn out to its border, straight on."""
    lines = [line]
    for one in shapely.get_parts(line):
        corners = shapely.get_coordinates(shapely.remove_repeated_points(one))
        if len(corners) < 2:
            continue
        for end, before in ((corners[-1], corners[-2]), (corners[0], corners[1])):
            if not ground.intersects(shapely.Point(end)):
                continue
            step = (end - before) / np.hypot(*(end - before))
            west, south, east, north = ground.bounds
            ray = shapely.LineString([end, end + step * (np.hypot(east - west, north - south) + 1.0)])
            hits = shapely.get_coordinates(shapely.intersection(ray, ground.boundary))
            if len(hits):
                first = float(np.hypot(*(hits - end).T).min())
                lines.append(shapely.LineString([end, end + step * (first + 1.0)]))
    return shapely.union_all(lines)


def _pieces(ground: BaseGeometry, line: BaseGeometry) -> list[BaseGeometry]:
    """Return the pieces of a shape along a line, the largest first; parts it does not cut stay with that."""
    cut: list[BaseGeometry] = []
    whole: list[BaseGeometry] = []
    for part in parts(ground):
        edges = shapely.union_all([part.boundary, shapely.intersection(line, part)], grid_size=1e-4)
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
        inside = [face for face in faces if part.contains(face.representative_point())]
        grown = sorted((face for face in inside if face.area > LEAST_M2), key=lambda face: -face.area)
        (cut if len(grown) > 1 else whole).extend(grown if len(grown) > 1 else [part])
    cut.sort(key=lambda piece: -piece.area)
    if not cut:
        return [ground]
    return [joined([cut[0], *whole]), *cut[1:]]


def with_pieces(
    plan: Plan, zone: Zone, pieces: Sequence[BaseGeometry], what: str, names: Sequence[str] | None = None
) -> Change:
    """Return the change that leaves a zone the first of its pieces and makes zones of the others."""
    plane, given = _plane(plan), list(names or ())
    own = checked_name(plan, given[0], but=zone.id) if given else zone.name
    moves = [Move(zone, replace(zone, name=own, shape=plane.degrees(pieces[0])))]
    used = {own, *(each.name for each in plan.zones)}
    for at, piece in enumerate(pieces[1:], start=1):
        name = checked_name(plan, given[at]) if at < len(given) else _free_name(zone.name, used)
        if at < len(given) and name in used:
            raise GeoError(N_("There is a zone named {name} already."), name=name)
        used.add(name)
        new = replace(zone, id=plan.last_id + at, name=name, shape=plane.degrees(piece))
        moves.append(Move(None, new))
    return Change(what, tuple(moves))


def _free_name(name: str, used: set[str]) -> str:
    """Return a name with the first number behind it that nobody has."""
    numbers = (f"{name[: LONGEST_NAME - 5]} {number}" for number in range(2, 10_000))
    return next(each for each in numbers if each not in used)


def merged(plan: Plan, a: int, b: int, *, snap_m: float = SNAP_M) -> Change:
    """
    Return the change that makes one zone of two that touch; a strip between them thinner than that is closed.

    It is the first zone, with the second's people where the first has none.
    """
    if a == b:
        raise GeoError(N_("A zone cannot be merged with itself."))
    one, other = _unlocked(plan, a), _unlocked(plan, b)
    plane = _plane(plan)
    first, second = plane.metres(one.shape), plane.metres(other.shape)
    whole = together(first, second)
    if len(parts(whole)) >= len(parts(first)) + len(parts(second)) and snap_m > 0.0:
        between = strips(first, [second], snap_m)
        others = near(plan, between, 1.0, but=[a, b])
        whole = together(whole, without(between, joined(others.values())))
    if len(parts(whole)) >= len(parts(first)) + len(parts(second)):
        raise GeoError(
            N_("{one} and {other} have no border in common; a zone is one piece."),
            one=one.name,
            other=other.name,
        )
    both = replace(one, shape=plane.degrees(whole), pair=one.pair or other.pair, note=one.note or other.note)
    return Change("merged", (Move(one, both), Move(other, None)))


# --- cutting, removing, renaming --------------------------------------------------------------------------


def without_overlaps(plan: Plan) -> Change:
    """
    Return the change after which no ground is in two zones: the one with the smaller number keeps it.

    A locked zone keeps its ground whatever its number; two locked ones keep their overlap.
    """
    plane = _plane(plan)
    order = sorted(plan.zones, key=lambda zone: (not zone.locked, zone.id))
    shapes = np.array([plane.metres(zone.shape) for zone in order], dtype=object)
    later, earlier = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    grounds: dict[int, BaseGeometry] = {}
    for at in range(len(order)):
        if order[at].locked:
            continue
        before = [shapes[other] for other in np.sort(earlier[later == at]) if other < at]
        taken = common(shapes[at], joined(before)) if before else shapely.Polygon()
        if taken.area > LEAST_M2:
            shapes[at] = grounds[order[at].id] = without(shapes[at], taken)
    return Change("overlaps", tuple(_cut(plan, grounds)))


def removed(plan: Plan, zone_id: int) -> Change:
    """Return the change that takes a zone away; its ground is nobody's then."""
    return Change("removed", (Move(_unlocked(plan, zone_id), None),))


def edited(
    plan: Plan,
    zone_id: int,
    *,
    name: str | None = None,
    kind: str | None = None,
    note: str | None = None,
    pair: Iterable[int] | None = None,
    locked: bool | None = None,
) -> Change:
    """Return the change of what a zone is called, is, or says, and of who works it; None leaves as it is."""
    zone = plan.zone(zone_id)
    given: dict[str, Any] = {"kind": kind, "note": note, "locked": locked}
    given["name"] = None if name is None else checked_name(plan, name, but=zone_id)
    given["pair"] = None if pair is None else tuple(dict.fromkeys(pair))
    after = replace(zone, **{key: value for key, value in given.items() if value is not None})
    if len(after.note) > LONGEST_NOTE:
        raise GeoError(N_("A note may have {limit} letters, not more."), limit=LONGEST_NOTE)
    if after.pair != zone.pair and zone.locked and locked is not False:
        raise _locked(zone)
    if after == zone:
        return Change("edited")
    turned = "locked" if after.locked else "unlocked"
    return Change(turned if after.locked != zone.locked else "edited", (Move(zone, after),))


def checked_name(plan: Plan, name: str, but: int | None = None) -> str:
    """Return a name as a zone of a plan can have it: not empty, not long, no other zone's."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise GeoError(N_("A zone needs a name of 1 to {limit} letters."), limit=LONGEST_NAME)
    if any(zone.name == plain and zone.id != but for zone in plan.zones):
        raise GeoError(N_("There is a zone named {name} already."), name=plain)
    return plain


def _unlocked(plan: Plan, zone_id: int) -> Zone:
    zone = plan.zone(zone_id)
    if zone.locked:
        raise _locked(zone)
    return zone


def _locked(zone: Zone) -> GeoError:
    return GeoError(N_("Zone {name} is locked. Unlock it first."), name=zone.name)


def _plane(plan: Plan) -> Plane:
    return Plane(plan.frame.lon, plan.frame.lat)
