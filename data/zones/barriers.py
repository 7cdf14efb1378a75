"""Barriers out of a file: lines and areas that zones do not cross, open where the file has bridges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.files.readers import Table
from data.zones import listed
from data.zones.listed import LONGEST_NAME, Rows, Said
from data.zones.outlines import begun, degrees_of
from data.zones.reading_job import Job
from geo.barriers import MOST_CORNERS, bridged, mended_barrier
from geo.errors import N_, FileError, GeoError, Told
from geo.plans import Barrier, Frame

MOST_ROWS = 20_000
MOST_BARRIERS = 200
_BRIDGE = re.compile(r"桥$|桥梁|^bridge|bridge$", re.IGNORECASE)


@dataclass(frozen=True)
class ReadBarriers:
    """
    Barriers of a file.

    Parameters
    ----------
    barriers
        Rows of one name are one.
    bridges
        How many rows were bridges, at which barriers are open.
    rows
        How many there were, which were rejected and why, and what was noticed.
    datum
        Of the file.
    """

    barriers: tuple[Barrier, ...]
    bridges: int
    rows: Rows
    datum: str | None


def read_barriers(
    table: Table, frame: Frame, *, places: pd.DataFrame | None = None, datum: str = "auto"
) -> ReadBarriers:
    """
    Return the barriers of a file.

    Parameters
    ----------
    table, places, datum
        As `data.zones.reading.read_zones` takes them.
    frame
        Of the plan they are for: what lies far from it is cut off or refused.

    Raises
    ------
    FileError, DatumUnknown
        When the file is refused whole.
    """
    shapeless = N_("Barriers are read from lines and areas; this list has none.")
    job, way, found = begun(table, frame, places, datum, shapeless=shapeless)
    assert found.datum is not None
    shapes: dict[str, list[BaseGeometry]] = {}
    bridges: list[BaseGeometry] = []
    moved = partial(degrees_of, way=way, datum=found.datum)
    for chunk in table.chunks():
        job.rows.ragged(chunk.ragged)
        assert chunk.shapes is not None
        for row, shape, said in zip(
            chunk.rows.tolist(), chunk.shapes, listed.said(chunk.frame, job.columns), strict=True
        ):
            job.rows.total += 1
            if job.rows.total > MOST_ROWS:
                raise FileError(N_("The list has more than {limit} rows. Split it."), limit=MOST_ROWS)
            if shape is None:
                job.rows.refuse(row, "geometry", "no_outline")
            elif _is_bridge(said):
                bridges.append(shapely.transform(shapely.force_2d(shape), moved))
            else:
                _take(job, row, shapely.transform(shapely.force_2d(shape), moved), said, shapes)
    return _done(job, frame, shapes, bridges, found.datum)


def _is_bridge(said: Said) -> bool:
    return any(_BRIDGE.search(cell) for cell in (said.kind, said.name or said.zone))


def _take(job: Job, row: int, shape: BaseGeometry, said: Said, shapes: dict[str, list[BaseGeometry]]) -> None:
    """Keep a row's shape under its name, or refuse it with the reason."""
    try:
        good = mended_barrier(shape, job.frame)
    except GeoError as refusal:
        job.rows.refuse(row, "geometry", "bad_barrier", why=Told(refusal.message, **refusal.values))
        return
    job.rows.notes += [(row, note) for note in good.notes]
    name = " ".join((said.name or said.zone).split()) or PurePath(job.table.name).stem
    plain = "".join(each if each.isprintable() else " " for each in name).strip()[:LONGEST_NAME]
    shapes.setdefault(plain or "-", []).append(good.shape)


def _done(
    job: Job,
    frame: Frame,
    shapes: Mapping[str, list[BaseGeometry]],
    bridges: list[BaseGeometry],
    datum: str,
) -> ReadBarriers:
    """Return what was read: a barrier a name, open at the bridges."""
    if len(shapes) > MOST_BARRIERS:
        raise FileError(
            N_("The file holds {count} barriers, more than {limit}. Keep those that matter."),
            count=len(shapes),
            limit=MOST_BARRIERS,
        )
    corners = sum(int(shapely.get_num_coordinates(each)) for parts in shapes.values() for each in parts)
    if corners > MOST_BARRIERS * MOST_CORNERS // 10:
        raise FileError(
            N_("The barriers have {count} corners, more than {limit}. Keep those near the branch."),
            count=corners,
            limit=MOST_BARRIERS * MOST_CORNERS // 10,
        )
    found = []
    for name, parts in shapes.items():
        whole = bridged(shapely.union_all(parts) if len(parts) > 1 else parts[0], bridges, frame)
        if not whole.is_empty:
            found.append(Barrier(name, whole))
    return ReadBarriers(tuple(found), len(bridges), job.rows, datum)
