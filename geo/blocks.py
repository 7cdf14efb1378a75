"""
Blocks: the smallest pieces of ground that a zone is made of, and which of them touch.

Barriers (a river without its bridges, a railway) part blocks that would touch: a zone cannot reach across.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import h3
import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo import crs
from geo.catchment import circle
from geo.errors import N_, GeoError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CELLS = 5_000  # more only make zones ragged
_BEYOND_M = 1.0
COARSEST, FINEST = 5, 11  # hexagons of 10 km and of 30 m a side


@dataclass(frozen=True, eq=False)
class Blocks:
    """
    Blocks in metres, and their neighbours.

    Parameters
    ----------
    ids
        An H3 cell or the index of a given polygon.
    x, y
        A point of each, in a metric CRS.
    starts, neighbours
        The neighbours of block i are `neighbours[starts[i]:starts[i + 1]]`, each named by its position.
    border_m
        How long the border with each neighbour is, beside `neighbours`.
    """

    ids: NDArray[np.object_]
    x: Floats
    y: Floats
    starts: Ints
    neighbours: Ints
    border_m: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def owners(self) -> Ints:
        """The block in whose list each entry of `neighbours` stands."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def linked(ids: ArrayLike, x: ArrayLike, y: ArrayLike, pairs: ArrayLike, border_m: ArrayLike) -> Blocks:
    """
    Return blocks from the pairs that touch, each named once or twice, by position.

    Parameters
    ----------
    pairs
        Two columns; a block beside itself counts for nothing.
    border_m
        A length a pair, or one for all.
    """
    names = np.asarray(ids, dtype=object)
    links = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    lengths = np.broadcast_to(np.asarray(border_m, dtype=np.float64), len(links))
    if len(links) and (links.min() < 0 or links.max() >= len(names)):
        raise GeoError(N_("A pair names a block that is not there: there are {count}."), count=len(names))
    low, high = links.min(axis=1), links.max(axis=1)
    _, first = np.unique(low * max(1, len(names)) + high, return_index=True)
    first = first[low[first] != high[first]]
    low, high, lengths = low[first], high[first], lengths[first]
    owners, others = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((others, owners))
    return Blocks(
        ids=names,
        x=np.array(x, dtype=np.float64),
        y=np.array(y, dtype=np.float64),
        starts=np.searchsorted(owners[order], np.arange(len(names) + 1)).astype(np.int64),
        neighbours=others[order],
        border_m=np.concatenate([lengths, lengths])[order],
    )


def resolution_for(radius_m: float, most: int = MOST_CELLS) -> int:
    """Return the finest H3 resolution at which a circle is covered by no more cells than that."""
    area_m2 = np.pi * radius_m**2
    for resolution in range(FINEST, COARSEST, -1):
        if area_m2 / h3.average_hexagon_area(resolution, unit="m^2") <= most:
            return resolution
    return COARSEST


def cells_of_circle(lon: float, lat: float, radius_m: float, resolution: int | None = None) -> Blocks:
    """
    Return the H3 cells that cover a circle, rim included, in the local metric CRS round its middle.

    Parameters
    ----------
    lon, lat, radius_m
        WGS 84 degrees and metres.
    resolution
        Of H3; by default one that suits the size: see `resolution_for`.
    """
    if resolution is None:
        resolution = resolution_for(radius_m)
    shape = h3.geo_to_h3shape(circle(lon, lat, radius_m))
    cells = set(h3.h3shape_to_cells_experimental(shape, resolution, contain="overlap"))
    return cells_of(sorted(cells | {h3.latlng_to_cell(lat, lon, resolution)}), lon, lat)


def cells_of(cells: Sequence[str], lon: float, lat: float) -> Blocks:
    """Return H3 cells of one resolution as blocks, in the local metric CRS round a position."""
    place = {cell: at for at, cell in enumerate(cells)}
    middles = np.array([h3.cell_to_latlng(cell) for cell in cells]).reshape(-1, 2)
    x, y = crs.to_metric(middles[:, 1], middles[:, 0], crs.local_metric(lon, lat))
    pairs = [
        (at, place[other])
        for cell, at in place.items()
        for other in h3.grid_disk(cell, 1)
        if place.get(other, -1) > at
    ]
    borders = [h3.edge_length(h3.cells_to_directed_edge(cells[a], cells[b]), unit="m") for a, b in pairs]
    return linked(list(cells), x, y, np.array(pairs, dtype=np.int64), np.array(borders))


def cell_at(blocks: Blocks, lon: ArrayLike, lat: ArrayLike) -> Ints:
    """Return which block, made by `cells_of_circle` or `cells_of`, each point lies in; -1 for none."""
    lons, lats = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if not len(blocks):
        return np.full(lons.size, -1, dtype=np.int64)
    resolution = h3.get_resolution(blocks.ids[0])
    place = {cell: at for at, cell in enumerate(blocks.ids)}
    found = (place.get(h3.latlng_to_cell(b, a, resolution), -1) for a, b in zip(lons, lats, strict=True))
    return np.fromiter(found, dtype=np.int64, count=lons.size)


def polygon_blocks(shapes: GeoDataFrame | GeoSeries) -> Blocks:
    """
    Return polygons as blocks: those that share a stretch of border touch, those that share a corner do not.

    Parameters
    ----------
    shapes
        In a metric CRS; the index names the blocks.
    """
    crs.check_metric(shapes)
    outlines = np.asarray(shapes.geometry.array, dtype=object)
    if (shapely.is_missing(outlines) | shapely.is_empty(outlines)).any():
        raise GeoError(N_("A block has no shape."))
    points = shapely.point_on_surface(outlines)
    first, second = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    pairs = np.column_stack([first, second])[first < second]
    common = shapely.intersection(
        shapely.boundary(outlines[pairs[:, 0]]), shapely.boundary(outlines[pairs[:, 1]])
    )
    border_m = shapely.length(common)
    touching = border_m > 0.0
    return linked(
        np.asarray(shapes.index, dtype=object),
        shapely.get_x(points),
        shapely.get_y(points),
        pairs[touching],
        border_m[touching],
    )


def parted(blocks: Blocks, barriers: Sequence[BaseGeometry]) -> Blocks:
    """
    Return the blocks with neighbours parted where the straight line between them meets a barrier.

    Parameters
    ----------
    barriers
        Lines or areas in the blocks' CRS; a gap in a line is a bridge. A block whose middle lies in an area
        belongs to the bank that is nearest to it.
    """
    if not len(barriers):
        return blocks
    owners = blocks.owners
    at = _on_banks(np.column_stack([blocks.x, blocks.y]), barriers)
    ends = np.stack([at[owners], at[blocks.neighbours]], axis=1)
    crossing, _ = shapely.STRtree(np.asarray(barriers, dtype=object)).query(
        shapely.linestrings(ends), predicate="intersects"
    )
    open_ = np.ones(owners.size, dtype=bool)
    open_[crossing] = False
    starts = np.searchsorted(owners[open_], np.arange(len(blocks) + 1)).astype(np.int64)
    return replace(
        blocks, starts=starts, neighbours=blocks.neighbours[open_], border_m=blocks.border_m[open_]
    )


def _on_banks(middles: Floats, barriers: Sequence[BaseGeometry]) -> Floats:
    """Return points with those inside a barrier's area moved out, just beyond its nearest border."""
    areas = shapely.get_parts(shapely.get_parts(np.asarray(barriers, dtype=object)))
    areas = areas[shapely.get_type_id(areas) == 3]
    points = shapely.points(middles)
    point, area = shapely.STRtree(areas).query(points, predicate="within")
    if not point.size:
        return middles
    lines = shapely.shortest_line(points[point], shapely.boundary(areas[area]))
    first, last = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    away = np.column_stack(
        [shapely.get_x(last) - shapely.get_x(first), shapely.get_y(last) - shapely.get_y(first)]
    )
    moved = middles.copy()
    length = np.hypot(away[:, 0], away[:, 1])[:, None]
    moved[point] += away + away / np.where(length > 0.0, length, 1.0) * _BEYOND_M
    return moved


def some(blocks: Blocks, inside: NDArray[np.bool_]) -> Blocks:
    """Return some of the blocks, and how they touch each other."""
    place = np.cumsum(inside) - 1
    both = inside[blocks.owners] & inside[blocks.neighbours]
    owners = place[blocks.owners[both]]
    return Blocks(
        blocks.ids[inside],
        blocks.x[inside],
        blocks.y[inside],
        np.searchsorted(owners, np.arange(int(inside.sum()) + 1)).astype(np.int64),
        place[blocks.neighbours[both]],
        blocks.border_m[both],
    )


def weights_of(at: ArrayLike, blocks: int, amounts: ArrayLike | None = None) -> Floats:
    """
    Return what each block weighs: the sum over the points in it.

    Parameters
    ----------
    at
        The block of each point, -1 for none.
    blocks
        How many there are.
    amounts
        Of each point, NaN counting nothing; each point counts 1 without.
    """
    inside = np.asarray(at, dtype=np.int64)
    each = np.ones(inside.size) if amounts is None else np.nan_to_num(np.asarray(amounts, dtype=np.float64))
    counted = inside >= 0
    return np.bincount(inside[counted], weights=each[counted], minlength=blocks).astype(np.float64)
