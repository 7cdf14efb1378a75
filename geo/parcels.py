"""
Blocks with their outlines: those of a plan, or polygons somebody has; cut where ground is taken, or finer.

Outlines are in metres on the branch's plane. Where a locked zone takes part of a block, the rest is a block,
or several; where too much weighs on one, the cells below it are blocks, within its outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import h3
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo.blocks import Blocks, cells_of, linked, parted
from geo.blocks import some as some_blocks
from geo.errors import N_, GeoError
from geo.lattice import cells_in, lattice, outlines_of
from geo.planes import CLOSE_M, LEAST_M2, Plane, Shapes, closed, common, joined, parts, tiled, without
from geo.plans import Frame

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STREET_M = 40.0  # polygons so near each other, with nothing between, touch: a street parts them
MOST_PARCELS = 20_000
_CRUMB = 0.05  # of a block's area: less is no block but goes to a neighbour
_LEAST_BORDER_M = 0.5
_FINEST = 13  # hexagons of four metres a side


@dataclass(frozen=True, eq=False)
class Parcels:
    """
    Blocks and their outlines.

    Parameters
    ----------
    blocks
        With their neighbours.
    outlines
        Beside them, in metres.
    cell
        The H3 cell each is, or is cut from; "" for given polygons.
    whole
        Whether it is all of that cell.
    apart_m
        How far apart neighbours may be.
    """

    blocks: Blocks
    outlines: Shapes
    cell: NDArray[np.object_]
    whole: NDArray[np.bool_]
    apart_m: float = CLOSE_M

    def __len__(self) -> int:
        return len(self.outlines)


def cells(frame: Frame, ground: BaseGeometry | None = None) -> Parcels:
    """Return the cells that cover a frame's circle, and those whose middle some ground (in metres) holds."""
    blocks, outlines = lattice(frame).blocks, lattice(frame).outlines
    beyond = [] if ground is None else np.setdiff1d(cells_in(frame, ground), blocks.ids).tolist()
    if beyond:
        blocks = cells_of(sorted([*blocks.ids, *beyond]), frame.lon, frame.lat)
        outlines = outlines_of(frame, blocks.ids.tolist())
    return Parcels(blocks, outlines, blocks.ids, np.ones(len(blocks), dtype=bool))


def polygons(frame: Frame, shapes: Sequence[BaseGeometry], ids: Sequence[object] | None = None) -> Parcels:
    """
    Return polygons as blocks: parts are blocks of their own, and ground counts in the first that has it.

    Parameters
    ----------
    shapes
        WGS 84.
    ids
        Their names; their positions without.
    """
    listed = Plane(frame.lon, frame.lat).all_metres(shapes)
    if not len(listed):
        raise GeoError(N_("There are no blocks to make zones of."))
    outlines, names = [], []
    before = _before(listed)
    for at, outline in enumerate(listed):
        left = without(outline, joined(listed[before[at]])) if at in before else outline
        for number, part in enumerate(sorted(parts(left), key=lambda each: -each.area)):
            outlines.append(part)
            names.append((at if ids is None else ids[at]) if not number else f"{at}.{number}")
    if not 0 < len(outlines) <= MOST_PARCELS:
        raise GeoError(
            N_("Zones are made of 1 to {limit} blocks, got {count}."), limit=MOST_PARCELS, count=len(outlines)
        )
    bare = linked([], [], [], [], 1.0)
    empty = Parcels(bare, np.empty(0, object), np.empty(0, object), np.empty(0, bool), STREET_M)
    return _with(empty, np.empty(0, np.int64), outlines, names, [""] * len(outlines))


def _before(listed: Shapes) -> dict[int, list[int]]:
    """Return the earlier shapes that each has ground in common with, where there are any."""
    at, other = shapely.STRtree(listed).query(listed, predicate="intersects")
    at, other = at[other < at], other[other < at]
    found: dict[int, list[int]] = {}
    shared = shapely.area(shapely.intersection(listed[at], listed[other])) > 0.0
    for each, earlier in zip(at[shared].tolist(), other[shared].tolist(), strict=True):
        found.setdefault(each, []).append(earlier)
    return found


def less(parcels: Parcels, taken: BaseGeometry) -> Parcels:
    """Return blocks without ground that is taken: what is left of one is a block, or several."""
    shapely.prepare(taken)
    cut = np.flatnonzero(shapely.intersects(parcels.outlines, taken))
    rests = [without(parcels.outlines[at], taken) for at in cut]
    pieces: list[BaseGeometry] = []
    names: list[object] = []
    from_cell: list[object] = []
    kept = np.ones(len(parcels), dtype=bool)
    for at, rest in zip(cut, rests, strict=True):
        if parcels.outlines[at].area - rest.area <= LEAST_M2:
            continue
        kept[at] = False
        for number, part in enumerate(parts(rest)):
            pieces.append(part)
            names.append(f"{parcels.blocks.ids[at]}.{number}")
            from_cell.append(parcels.cell[at])
    return _without_crumbs(_with(parcels, np.flatnonzero(kept), pieces, names, from_cell))


def along(parcels: Parcels, grounds: Shapes) -> tuple[Parcels, Ints]:
    """
    Return blocks cut along the borders of zones, and the zone each lies in; -1 for none.

    Parameters
    ----------
    grounds
        Of the zones, in metres; ground of two is the first's.
    """
    zone = np.full(len(parcels), -1, dtype=np.int64)
    tree = shapely.STRtree(parcels.outlines)
    left = dict[int, BaseGeometry]()
    cut: list[tuple[BaseGeometry, int, int]] = []
    for each, own in enumerate(grounds):
        shapely.prepare(own)
        inside = tree.query(own, predicate="contains_properly")
        inside = np.setdiff1d(inside[zone[inside] < 0], list(left))
        zone[inside] = each
        for at in np.setdiff1d(tree.query(own, predicate="intersects"), inside).tolist():
            rest = left.get(at, parcels.outlines[at])
            if zone[at] >= 0 or rest.is_empty:
                continue
            part = common(rest, own)
            if part.area <= LEAST_M2:
                continue
            cut.append((part, at, each))
            left[at] = without(rest, own)
    return _cut_along(parcels, zone, left, cut)


def _cut_along(
    parcels: Parcels, zone: Ints, left: dict[int, BaseGeometry], cut: list[tuple[BaseGeometry, int, int]]
) -> tuple[Parcels, Ints]:
    """Return the blocks with what zones have of them apart; a block that one has whole stays as it is."""
    found = [(part, at, each) for shape, at, each in cut for part in parts(shape)]
    found += [(part, at, -1) for at, shape in left.items() for part in parts(shape)]
    count = np.bincount([at for _, at, _ in found], minlength=len(parcels))
    for _, at, each in found:
        if count[at] == 1:
            zone[at] = each
    pieces = [(part, at, each) for part, at, each in found if count[at] > 1]
    kept = np.flatnonzero(count < 2)
    names = [f"{parcels.blocks.ids[at]}.{number}" for number, (_, at, _) in enumerate(pieces)]
    from_cell = [parcels.cell[at] for _, at, _ in pieces]
    made = _with(parcels, kept, [part for part, _, _ in pieces], names, from_cell)
    return made, np.concatenate([zone[kept], np.array([each for _, _, each in pieces], dtype=np.int64)])


def finer(parcels: Parcels, heavy: ArrayLike, frame: Frame) -> Parcels:
    """Return blocks with some parted into the cells below them."""
    plane = Plane(frame.lon, frame.lat)
    pieces: list[BaseGeometry] = []
    names: list[object] = []
    kept = np.ones(len(parcels), dtype=bool)
    for at in np.asarray(heavy, dtype=np.int64):
        cell = str(parcels.cell[at])
        if not cell or h3.get_resolution(cell) >= _FINEST:
            continue
        below = sorted(h3.cell_to_children(cell))
        middles = plane.corners(np.array([h3.cell_to_latlng(each)[::-1] for each in below]))
        found = _nearest_to(middles, parcels.outlines[at])
        if len(found) < 2:
            continue
        kept[at] = False
        pieces += [part for _, part in found]
        names += [below[child] for child, _ in found]
    return _with(parcels, np.flatnonzero(kept), pieces, names, names)


def _nearest_to(middles: Floats, outline: BaseGeometry) -> list[tuple[int, BaseGeometry]]:
    """Return the ground of an outline that is nearest to each point, where there is any."""
    tiles = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(middles), extend_to=outline))
    order = shapely.STRtree(tiles).query(shapely.points(middles), predicate="intersects")
    found = []
    for point, tile in order.T:
        found += [(int(point), part) for part in parts(common(tiles[tile], outline))]
    names = [point for point, _ in found]
    return found if len(set(names)) == len(names) else []


def _with(
    parcels: Parcels,
    kept: Ints,
    pieces: Sequence[BaseGeometry],
    names: Sequence[object],
    from_cell: Sequence[object],
) -> Parcels:
    """Return some of the blocks as they are, and others beside them."""
    if not len(pieces) and len(kept) == len(parcels):
        return parcels
    old = parcels.blocks
    place = np.full(len(parcels), -1)
    place[kept] = np.arange(len(kept))
    owners, others = place[old.owners], place[old.neighbours]
    stay = (owners >= 0) & (others > owners)
    new = np.empty(len(pieces), dtype=object)
    new[:] = list(pieces)
    outlines = np.concatenate([parcels.outlines[kept], new])
    pairs, border_m = _beside(outlines, np.arange(len(kept), len(outlines)), parcels.apart_m)
    middles = shapely.centroid(new)
    outside = ~shapely.intersects(new, middles)
    middles[outside] = shapely.point_on_surface(new[outside])
    blocks = linked(
        _objects([*old.ids[kept], *names]),
        np.concatenate([old.x[kept], shapely.get_x(middles)]),
        np.concatenate([old.y[kept], shapely.get_y(middles)]),
        np.concatenate([np.column_stack([owners[stay], others[stay]]), pairs]),
        np.concatenate([old.border_m[stay], border_m]),
    )
    whole = np.concatenate([parcels.whole[kept], np.zeros(len(pieces), dtype=bool)])
    return Parcels(
        blocks, outlines, np.concatenate([parcels.cell[kept], _objects(from_cell)]), whole, parcels.apart_m
    )


def _objects(values: Sequence[object]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def _beside(outlines: Shapes, new: Ints, apart_m: float) -> tuple[Ints, Floats]:
    """Return which outlines some of them touch, as pairs, and the length of each border."""
    if not new.size:
        return np.empty((0, 2), dtype=np.int64), np.empty(0)
    at, other = shapely.STRtree(outlines).query(outlines[new], predicate="dwithin", distance=apart_m)
    first = new[at]
    counted = (first < other) | ~np.isin(other, new)
    first, other = first[counted], other[counted]
    edges = shapely.boundary(outlines[first])
    border_m = shapely.length(shapely.intersection(edges, shapely.buffer(outlines[other], apart_m * 1.5)))
    if apart_m > CLOSE_M:  # along a border that runs away from the other both its sides are near
        border_m = np.maximum(border_m - 2.0 * apart_m, border_m * 0.25)
    long = (border_m > _LEAST_BORDER_M) & (first != other)
    return np.column_stack([first, other])[long].astype(np.int64), border_m[long]


def _without_crumbs(parcels: Parcels) -> Parcels:
    """Return blocks with those that are crumbs given to the neighbour along the longest border."""
    area = shapely.area(parcels.outlines)
    crumbs = np.flatnonzero(~parcels.whole & (area < _CRUMB * np.median(area)))
    if not crumbs.size:
        return parcels
    blocks, taken = parcels.blocks, dict[int, list[int]]()
    for crumb in crumbs:
        beside = slice(blocks.starts[crumb], blocks.starts[crumb + 1])
        fit = ~np.isin(blocks.neighbours[beside], crumbs)
        if fit.any():
            longest = np.where(fit, blocks.border_m[beside], -1.0).argmax()
            taken.setdefault(int(blocks.neighbours[beside][longest]), []).append(int(crumb))
    changed = np.array(sorted(taken), dtype=np.int64)
    pieces = [joined([parcels.outlines[at], *parcels.outlines[taken[int(at)]]]) for at in changed]
    kept = np.setdiff1d(np.arange(len(parcels)), np.concatenate([crumbs, changed]))
    return _with(parcels, kept, pieces, blocks.ids[changed].tolist(), parcels.cell[changed].tolist())


def some(parcels: Parcels, inside: NDArray[np.bool_]) -> Parcels:
    """Return some of the blocks."""
    if inside.all():
        return parcels
    return replace(
        parcels,
        blocks=some_blocks(parcels.blocks, inside),
        outlines=parcels.outlines[inside],
        cell=parcels.cell[inside],
        whole=parcels.whole[inside],
    )


def walled(parcels: Parcels, frame: Frame) -> Parcels:
    """Return blocks with neighbours parted by a frame's barriers."""
    plane = Plane(frame.lon, frame.lat)
    walls = [shapely.transform(shapely.force_2d(each.shape), plane.corners) for each in frame.barriers]
    return replace(parcels, blocks=parted(parcels.blocks, walls)) if walls else parcels


def ground(parcels: Parcels, zone: Ints, zones: int) -> list[BaseGeometry]:
    """Return the ground of each zone as one shape, in metres; an empty one for a zone without blocks."""
    inside = [np.flatnonzero(zone == each) for each in range(zones)]
    if parcels.apart_m <= CLOSE_M:
        return [(tiled if parcels.whole[own].all() else joined)(parcels.outlines[own]) for own in inside]
    found: list[BaseGeometry] = []
    tree = shapely.STRtree(parcels.outlines)
    for each, own in enumerate(inside):
        # Streets between two blocks of a zone are the zone's, those between two zones nobody's.
        shape = closed(joined(parcels.outlines[own]), parcels.apart_m * 1.05)
        near = tree.query(shape, predicate="intersects")
        others = [
            *parcels.outlines[near[zone[near] != each]],
            *[one for one in found if one.intersects(shape)],
        ]
        found.append(without(shape, joined(others)) if others else shape)
    return found


def parcel_at(parcels: Parcels, frame: Frame, lon: ArrayLike, lat: ArrayLike) -> Ints:
    """Return the block each point lies in, the first of several; -1 for none."""
    lons, lats = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    found = np.full(lons.size, -1, dtype=np.int64)
    left = np.arange(lons.size)
    if parcels.whole.any():
        place = {cell: at for at, cell in enumerate(parcels.cell) if parcels.whole[at]}
        own = (
            place.get(h3.latlng_to_cell(y, x, frame.resolution), -1)
            for x, y in zip(lons.tolist(), lats.tolist(), strict=True)
        )
        found = np.fromiter(own, dtype=np.int64, count=lons.size)
        left = np.flatnonzero(found < 0)
    cut = np.flatnonzero(~parcels.whole)
    if cut.size and left.size:
        flat = Plane(frame.lon, frame.lat).corners(np.column_stack([lons[left], lats[left]]))
        point, at = shapely.STRtree(parcels.outlines[cut]).query(shapely.points(flat), predicate="intersects")
        first = np.full(left.size, len(cut))
        np.minimum.at(first, point, at)
        hit = first < len(cut)
        found[left[hit]] = cut[first[hit]]
    return found
