"""
Zones out of a file: boundaries, or a list of merchants or blocks whose rows say whose zone each is in.

Boundaries are mended where that is safe (`geo.mending`), rows of one name are one zone, and slivers between
neighbours are closed. Of a list of points each block of the plan's circle goes to the zone most of its points
name, or the nearest one does; of a list of blocks each zone is the blocks listed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.files.readers import Chunk, Table
from data.lists import placing
from data.zones import listed
from data.zones.outlines import first_rows, ground_of, name_likely
from data.zones.reading_job import Job, Read, proven
from data.zones.reading_points import read_blocks, read_points
from geo.drawing import SNAP_M
from geo.errors import N_, FileError
from geo.fitting import snapped
from geo.planes import Plane, joined
from geo.plans import Frame

MOST_OUTLINES = 20_000
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
    first = first_rows(table, datum)
    job = Job(table, first, frame, people or {}, places, datum, listed.columns_of(table, mapping))
    if table.has_shapes and _has_areas(first):
        name_likely(job)
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
            ground = ground_of(job, row, chunk.shapes[at], way, found.datum, plane)
            if ground is not None:
                name = job.name_of(said[at])
                grounds.setdefault(name, []).append(ground)
                job.say(name, said[at])
    whole = {name: joined(parts) for name, parts in grounds.items()}
    return job.done(_fitted(whole), OUTLINES, found)


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
