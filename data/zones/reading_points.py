"""Zones from a list of points or blocks, each with the name of its zone."""

from __future__ import annotations

from collections.abc import Sequence

import h3
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely.geometry.base import BaseGeometry

from data.files.readers import Chunk
from data.lists import placing
from data.lists.placing import ToDegrees
from data.lists.proof import Proof
from data.lists.reasons import CODES, NO_COORDINATES, OK
from data.meaning import headers
from data.meaning.headers import Pair
from data.zones import listed
from data.zones.listed import Said
from data.zones.reading_job import Job, Read, keys_of, proven
from geo import crs
from geo.datum import convert
from geo.errors import N_, FileError
from geo.lattice import ground_of_cells, lattice

MOST_POINTS = 1_000_000
BLOCKS, POINTS = "blocks", "points"

Floats = NDArray[np.float64]


def read_points(job: Job) -> Read:
    """Return zones from a list of points with the zone of each: blocks go where most of their points do."""
    pair = next(iter(headers.coordinate_pairs(job.table.headers)), None)
    placed = job.table.has_shapes or pair is not None
    way = placing.to_degrees(job.table, job.first, pair, job.near) if placed else None
    found = proven(job, way, pair) if placed else Proof("wgs84", "matches")
    names: dict[str, int] = {}
    zone: list[int] = []
    x: list[Floats] = []
    for chunk in job.table.chunks():
        job.rows.ragged(chunk.ragged)
        job.rows.total += len(chunk.rows)
        if job.rows.total > MOST_POINTS:
            raise FileError(N_("The list has more than {limit} rows. Split it."), limit=MOST_POINTS)
        said = listed.said(chunk.frame, job.columns)
        lon, lat = _positions(job, chunk, said, pair, way, found, placed)
        at = np.column_stack(crs.to_metric(lon, lat, crs.local_metric(*job.near)))
        outside = np.hypot(at[:, 0], at[:, 1]) > job.frame.radius_m
        for row in np.flatnonzero(outside & np.isfinite(lon)):
            job.rows.refuse(chunk.rows[row], job.columns["zone"], "out_of_circle")
        good = np.isfinite(lon) & ~outside
        x.append(at[good])
        for row in np.flatnonzero(good):
            name = job.name_of(said[row])
            zone.append(names.setdefault(name, len(names)))
            job.say(name, said[row])
    return job.done(_of_blocks(job, list(names), np.array(zone), np.concatenate(x)), POINTS, found)


def _positions(
    job: Job,
    chunk: Chunk,
    said: Sequence[Said],
    pair: Pair | None,
    way: ToDegrees | None,
    found: Proof,
    placed: bool,
) -> tuple[Floats, Floats]:
    """Return where the rows of a chunk are, NaN for those that are rejected, as they are here."""
    unnamed = np.array([not row.zone for row in said], dtype=bool)
    if placed:
        assert found.datum is not None
        where = placing.place(chunk, "places", pair, way)
        lon, lat = (where.lon, where.lat) if way else convert(where.lon, where.lat, found.datum, "wgs84")
        for at in np.flatnonzero((where.reason != OK) & ~unnamed):
            column, value = where.where.get(int(at), ("", ""))
            params = {} if where.reason[at] == NO_COORDINATES else {"value": value}
            job.rows.refuse(chunk.rows[at], column, CODES[where.reason[at]], **params)
        lost = where.reason != OK
    else:
        lon, lat = _known_places(job, chunk)
        lost = np.isnan(lon)
        for at in np.flatnonzero(lost & ~unnamed):
            job.rows.refuse(chunk.rows[at], job.columns.get("name", ""), "unknown_place")
    for at in np.flatnonzero(unnamed):
        job.rows.refuse(chunk.rows[at], job.columns["zone"], "no_zone")
    lon, lat = lon.copy(), lat.copy()
    lon[lost | unnamed] = lat[lost | unnamed] = np.nan
    return lon, lat


def _known_places(job: Job, chunk: Chunk) -> tuple[Floats, Floats]:
    """Return where the branch has a row's name, NaN where it has it not or twice."""
    if job.places is None or "name" not in job.columns:
        raise FileError(N_("The list has neither coordinates nor names that the branch knows."))
    known = job.places.drop_duplicates("key", keep=False).set_index("key")
    known = known.reindex(keys_of(chunk, job.columns))
    return known["lon"].to_numpy(np.float64, copy=True), known["lat"].to_numpy(np.float64, copy=True)


def _of_blocks(
    job: Job, names: Sequence[str], zone: NDArray[np.int64], at: Floats
) -> dict[str, BaseGeometry]:
    """Return the ground of each zone: the blocks most of whose points are its, or the nearest point is."""
    if not names:
        return {}
    known = lattice(job.frame)
    blocks = np.column_stack([known.blocks.x, known.blocks.y])
    block = KDTree(blocks).query(at)[1]
    owner = zone[KDTree(at).query(blocks)[1]]
    counts = np.bincount(block * len(names) + zone, minlength=len(blocks) * len(names))
    counts = counts.reshape(len(blocks), len(names))
    held = counts.any(axis=1)
    owner[held] = counts[held].argmax(axis=1)
    cells = known.blocks.ids
    found = {name: cells[owner == number].tolist() for number, name in enumerate(names)}
    return {name: ground_of_cells(job.frame, own) for name, own in found.items() if own}


def read_blocks(job: Job) -> Read:
    """Return zones from a list of H3 cells with the zone of each; a cell named twice is in the first."""
    cells: dict[str, dict[str, None]] = {}
    taken: set[str] = set()
    for chunk in job.table.chunks():
        job.rows.ragged(chunk.ragged)
        job.rows.total += len(chunk.rows)
        said = listed.said(chunk.frame, job.columns)
        for at, row in enumerate(chunk.rows.tolist()):
            cell = said[at].cell.lower()
            if not said[at].zone:
                job.rows.refuse(row, job.columns["zone"], "no_zone")
            elif not h3.is_valid_cell(cell) or h3.get_resolution(cell) != job.frame.resolution:
                job.rows.refuse(row, job.columns["cell"], "no_block", value=cell[:40])
            elif cell not in taken:
                taken.add(cell)
                name = job.name_of(said[at])
                cells.setdefault(name, {})[cell] = None
                job.say(name, said[at])
    grounds = {name: ground_of_cells(job.frame, list(own)) for name, own in cells.items()}
    return job.done(grounds, BLOCKS, Proof("wgs84", "stated"))
