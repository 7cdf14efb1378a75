"""
Zones out of a file: boundaries, or a list of merchants or blocks whose rows say whose zone each is in.

Boundaries are mended where that is safe (`geo.mending`), rows of one name are one zone, and slivers between
neighbours are closed. Of a list of points each block of the plan's circle goes to the zone most of its points
name, or the nearest one does; of a list of blocks each zone is the blocks listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.files.readers import Chunk, Table
from data.lists import placing
from data.lists.placing import ToDegrees
from data.lists.reasons import SWAPPED
from data.zones import listed
from data.zones.reading_job import Job, Read, proven
from data.zones.reading_points import read_blocks, read_points
from geo.datum import DATUMS, convert
from geo.drawing import SNAP_M
from geo.errors import N_, FileError, GeoError, Told
from geo.fitting import snapped
from geo.mending import mended
from geo.planes import Plane, joined
from geo.plans import Frame

MOST_OUTLINES = 20_000
MOSTLY = 0.9  # of the cells of a column that names the rows
OUTLINES = "outlines"

Floats = NDArray[np.float64]


def read_zones(
    table: Table,
    frame: Frame,
    *,
    people: Mapping[str, int] | None = None,
    places: pd.DataFrame | None = None,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
) -> Read:
    """
    Return the zones of a file.

    Parameters
    ----------
    table
        As `readers.open_table` returns it.
    frame
        Of the plan they are for.
    people
        Who may be named, to their ids; a name two people have is left out.
    places
        `key, lon, lat` of what the branch has once by its name: see `known.names_once`. They prove the datum
        of a list with coordinates, and place the rows of one without.
    datum
        One of `geo.datum.DATUMS`, or `auto`, which takes only proof.
    mapping
        Field (of `listed.FIELDS`) to header, None for a field not to be taken; the rest is proposed.

    Raises
    ------
    FileError, DatumUnknown
        When the file is refused whole.
    """
    if datum not in (*DATUMS, "auto"):
        raise FileError(
            N_("There is no datum {datum}; there are {datums}."), datum=datum, datums=", ".join(DATUMS)
        )
    first = table.head()
    if first is None:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    job = Job(table, first, frame, people or {}, places, datum, listed.columns_of(table, mapping))
    if table.has_shapes and _has_areas(first):
        if not job.columns.keys() & {"zone", "name"} and (header := _likely_names(first)) is not None:
            job.columns["name"] = header
        return _outlines(job)
    if "zone" not in job.columns:
        raise FileError(
            N_(
                "Zones are read from outlines, or from a list with a column that names the zone (片区). The "
                "columns are {headers}."
            ),
            headers="、".join(table.headers[:50]),
        )
    return read_blocks(job) if "cell" in job.columns else read_points(job)


def _likely_names(chunk: Chunk) -> str | None:
    """Return the column that tells outlines apart in words, a Chinese one before others; None for none."""
    best, found = 0.0, None
    for header in chunk.frame.columns:
        cells = [cell.strip() for cell in chunk.frame[header] if cell.strip()]
        if len(cells) < MOSTLY * len(chunk.frame) or len(set(cells)) < MOSTLY * len(cells):
            continue
        words = sum(len(cell) > 1 and any(map(str.isalpha, cell)) for cell in cells) / len(cells)
        chinese = sum(not cell.isascii() for cell in cells) / len(cells)
        if words >= MOSTLY and words + chinese > best:
            best, found = words + chinese, str(header)
    return found


def _has_areas(chunk: Chunk) -> bool:
    """Whether rows have areas, or lines that might be left open: anything but points alone."""
    assert chunk.shapes is not None
    kinds = shapely.get_type_id(chunk.shapes)
    return bool(np.isin(kinds, (1, 2, 3, 5, 6, 7)).any() or not (kinds >= 0).any())


def _outlines(job: Job) -> Read:
    """Return zones from the shapes of the rows; rows of one name are one zone."""
    way = placing.to_degrees(job.table, job.first, None, job.near)
    found = proven(job, way, None)
    grounds: dict[str, list[BaseGeometry]] = {}
    plane = Plane(*job.near)
    for chunk in job.table.chunks():
        job.rows.ragged(chunk.ragged)
        said = listed.said(chunk.frame, job.columns)
        assert chunk.shapes is not None and found.datum is not None
        for at, row in enumerate(chunk.rows.tolist()):
            job.rows.total += 1
            if job.rows.total > MOST_OUTLINES:
                raise FileError(N_("The list has more than {limit} rows. Split it."), limit=MOST_OUTLINES)
            ground = _ground(job, row, chunk.shapes[at], way, found.datum, plane)
            if ground is not None:
                name = job.name_of(said[at])
                grounds.setdefault(name, []).append(ground)
                job.say(name, said[at])
    whole = {name: joined(parts) for name, parts in grounds.items()}
    return job.done(_fitted(whole), OUTLINES, found)


def _ground(
    job: Job, row: int, shape: BaseGeometry | None, way: ToDegrees | None, datum: str, plane: Plane
) -> BaseGeometry | None:
    """Return a row's outline in metres round the branch; None where it is refused."""
    if shape is None:
        job.rows.refuse(row, "geometry", "no_outline")
        return None
    try:
        flat = shapely.transform(shapely.force_2d(shape), partial(_degrees, way=way, datum=datum))
        good = mended(flat, lon=job.frame.lon, lat=job.frame.lat)
    except GeoError as refusal:
        job.rows.refuse(row, "geometry", "bad_outline", why=Told(refusal.message, **refusal.values))
        return None
    job.rows.warn("mended_outline", int(bool(good.notes)))
    job.rows.notes += [(int(row), note) for note in good.notes]
    return plane.metres(good.shape)


def _degrees(corners: Floats, way: ToDegrees | None, datum: str) -> Floats:
    """Return corners as the file has them in WGS 84; longitude and latitude exchanged stay so."""
    if way is not None:
        lon, lat = way.transform(corners[:, 0], corners[:, 1])
        return np.column_stack([lon, lat])
    swapped = bool(len(corners)) and (placing.judged(corners[:, 0], corners[:, 1]) == SWAPPED).all()
    x, y = corners.T[::-1] if swapped else corners.T
    moved = np.column_stack(convert(x, y, datum, "wgs84"))
    return moved[:, ::-1] if swapped else moved


def _fitted(grounds: Mapping[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    """Return outlines with the slivers between neighbours closed; ground of two stays in both."""
    found: dict[int, BaseGeometry] = {}
    bounds = shapely.bounds(np.array(list(grounds.values()), dtype=object)).reshape(-1, 4)
    for at, ground in enumerate(grounds.values()):
        west, south, east, north = bounds[at] + np.array([-1.0, -1.0, 1.0, 1.0]) * SNAP_M
        beside = (bounds[:at, 0] <= east) & (bounds[:at, 2] >= west)
        beside &= (bounds[:at, 1] <= north) & (bounds[:at, 3] >= south)
        others = {int(each): found[int(each)] for each in np.flatnonzero(beside)}
        found[at] = snapped(ground, others, SNAP_M) if others else ground
    return dict(zip(grounds, found.values(), strict=True))
