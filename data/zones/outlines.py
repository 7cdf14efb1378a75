"""Rows' outlines on their way in: their names, brought to WGS 84, mended, and in metres round the branch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.files.readers import Chunk, Table
from data.lists import placing
from data.lists.placing import ToDegrees
from data.lists.proof import Proof
from data.lists.reasons import SWAPPED
from data.zones import listed
from data.zones.reading_job import Job, proven
from geo.datum import DATUMS, convert
from geo.errors import N_, FileError, GeoError, Told
from geo.mending import IN_PIECES, mended
from geo.planes import Plane
from geo.plans import Frame

Floats = NDArray[np.float64]

MOSTLY = 0.9  # of the cells of a column that names the rows


def check_datum(datum: str) -> None:
    """Refuse a datum nobody knows."""
    if datum not in (*DATUMS, "auto"):
        raise FileError(
            N_("There is no datum {datum}; there are {datums}."), datum=datum, datums=", ".join(DATUMS)
        )


def begun(
    table: Table, frame: Frame, places: pd.DataFrame | None, datum: str, *, shapeless: str
) -> tuple[Job, ToDegrees | None, Proof]:
    """
    Begin to read a file of shapes: the job, how metres become degrees if it is in metres, and its datum.

    Parameters
    ----------
    table, frame, places, datum
        As `data.zones.reading.read_zones` takes them.
    shapeless
        What is said of a file without shapes.

    Raises
    ------
    FileError, DatumUnknown
        When the file is refused whole.
    """
    first = first_rows(table, datum)
    if not table.has_shapes:
        raise FileError(shapeless)
    job = Job(table, first, frame, {}, places, datum, listed.columns_of(table, None))
    name_likely(job)
    way = placing.to_degrees(table, first, None, job.near)
    return job, way, proven(job, way, None)


def first_rows(table: Table, datum: str) -> Chunk:
    """
    Return a file's first rows.

    Raises
    ------
    FileError
        When it has none, or there is no such datum.
    """
    check_datum(datum)
    first = table.head()
    if first is None:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    return first


def name_likely(job: Job) -> None:
    """Take the likeliest column for the names where no header says which one has them."""
    if not job.columns.keys() & {"zone", "name"} and (header := likely_names(job.first)) is not None:
        job.columns["name"] = header


def likely_names(chunk: Chunk) -> str | None:
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


def ground_of(
    job: Job,
    row: int,
    shape: BaseGeometry | None,
    way: ToDegrees | None,
    datum: str,
    plane: Plane,
    *,
    pieces: bool = False,
) -> BaseGeometry | None:
    """
    Return a row's outline in metres round the branch; None where it is refused.

    With `pieces` nothing is said of an outline of several, which may be so.
    """
    if shape is None:
        job.rows.refuse(row, "geometry", "no_outline")
        return None
    try:
        flat = shapely.transform(shapely.force_2d(shape), partial(degrees_of, way=way, datum=datum))
        good = mended(flat, lon=job.frame.lon, lat=job.frame.lat)
    except GeoError as refusal:
        job.rows.refuse(row, "geometry", "bad_outline", why=Told(refusal.message, **refusal.values))
        return None
    notes = [note for note in good.notes if not (pieces and note.message == IN_PIECES)]
    job.rows.warn("mended_outline", int(bool(notes)))
    job.rows.notes += [(int(row), note) for note in notes]
    return plane.metres(good.shape)


def degrees_of(corners: Floats, way: ToDegrees | None, datum: str) -> Floats:
    """Return corners as the file has them in WGS 84; longitude and latitude exchanged stay so."""
    if way is not None:
        lon, lat = way.transform(corners[:, 0], corners[:, 1])
        return np.column_stack([lon, lat])
    swapped = bool(len(corners)) and (placing.judged(corners[:, 0], corners[:, 1]) == SWAPPED).all()
    x, y = corners.T[::-1] if swapped else corners.T
    moved = np.column_stack(convert(x, y, datum, "wgs84"))
    return moved[:, ::-1] if swapped else moved
