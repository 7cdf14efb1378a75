"""Blocks to make zones of: polygons out of a file, or the branch's own places that have outlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.files.readers import Chunk, Table
from data.meaning import values
from data.rights import Asker, Right
from data.zones import listed
from data.zones.listed import LONGEST_NAME, Rows
from data.zones.outlines import begun, ground_of
from data.zones.reading_job import Job
from geo.errors import N_, DataError, FileError, NotFound
from geo.parcels import MOST_PARCELS, Parcels
from geo.planes import LEAST_M2, Plane, joined, without
from geo.plans import Frame

Floats = NDArray[np.float64]

LEAST_LEFT = 0.1  # of a block, once the smaller ones have theirs: with less it is one of them twice
_WHOLE = 5e-3  # so little of a polygon in no block is a border reckoned twice


@dataclass(frozen=True, eq=False)
class Polygons:
    """
    Polygons that are blocks; no two have ground in common.

    Parameters
    ----------
    shapes
        WGS 84.
    names
        Each one's own, told apart by a number where two have the same.
    columns
        What a file's columns of numbers say of each, by header: 0 where a cell says nothing.
    rows
        What became of the file's rows.
    datum
        Of the file.
    """

    shapes: tuple[BaseGeometry, ...]
    names: tuple[str, ...]
    columns: Mapping[str, Floats] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    datum: str | None = None

    def amounts(self, chosen: Mapping[str, str]) -> dict[str, Floats]:
        """
        Return what blocks weigh in the measures that a column is chosen for, by measure.

        Raises
        ------
        DataError
            When there is no such column of numbers, or one says something below 0.
        """
        for header in chosen.values():
            if header not in self.columns:
                raise DataError(
                    N_("There is no column of numbers {header}; there are: {headers}"),
                    header=header,
                    headers="、".join(self.columns) or "-",
                )
            if (self.columns[header] < 0.0).any():
                raise DataError(N_("Column {header} has numbers below 0."), header=header)
        return {measure: self.columns[header] for measure, header in chosen.items()}


# Out of a file ----------------------------------------------------------------------------------------------


def read_polygons(
    table: Table, frame: Frame, *, places: pd.DataFrame | None = None, datum: str = "auto"
) -> Polygons:
    """
    Return the blocks of a file.

    Outlines are mended as those of zones are. Ground of two blocks stays with the smaller one; a block of
    which that leaves less than a tenth is refused.

    Parameters
    ----------
    table, frame, places, datum
        As `data.zones.reading.read_zones` takes them.

    Raises
    ------
    FileError, DatumUnknown
        When the file is refused whole.
    """
    shapeless = N_("Blocks are read from areas; this list has none.")
    job, way, found = begun(table, frame, places, datum, shapeless=shapeless)
    assert found.datum is not None
    plane = Plane(*job.near)
    grounds: list[tuple[int, BaseGeometry, str]] = []
    cells: list[pd.DataFrame] = []
    for chunk in table.chunks():
        _check_count(job.rows, chunk)
        assert chunk.shapes is not None
        said = listed.said(chunk.frame, job.columns)
        kept = []
        for at, row in enumerate(chunk.rows.tolist()):
            ground = ground_of(job, row, chunk.shapes[at], way, found.datum, plane, pieces=True)
            if ground is not None:
                grounds.append((row, ground, said[at].name or said[at].zone or str(row)))
                kept.append(at)
        cells.append(chunk.frame.iloc[kept])
    return _apart(job, plane, grounds, _numbers(pd.concat(cells, ignore_index=True)), found.datum)


def _check_count(rows: Rows, chunk: Chunk) -> None:
    rows.ragged(chunk.ragged)
    rows.total += len(chunk.rows)
    if rows.total > MOST_PARCELS:
        raise FileError(N_("The list has more than {limit} rows. Split it."), limit=MOST_PARCELS)


def _numbers(cells: pd.DataFrame) -> dict[str, Floats]:
    """Return the columns that hold numbers and nothing else; a blank cell is 0."""
    found = {}
    for header in cells.columns:
        amounts, odd = values.numbers(cells[header])
        if not odd.any() and np.isfinite(amounts).any():
            found[str(header)] = np.nan_to_num(amounts)
    return found


def _apart(
    job: Job,
    plane: Plane,
    grounds: Sequence[tuple[int, BaseGeometry, str]],
    columns: Mapping[str, Floats],
    datum: str,
) -> Polygons:
    """Return the blocks with ground of two left with the smaller one."""
    shapes, cut, kept = apart([ground for _row, ground, _name in grounds])
    for at in np.flatnonzero(~kept).tolist():
        job.rows.refuse(grounds[at][0], "geometry", "covered")
    job.rows.warn("overlapping_block", int((cut & kept).sum()))
    stay = np.flatnonzero(kept).tolist()
    return Polygons(
        tuple(plane.degrees(shapes[at]) for at in stay),
        _told_apart([grounds[at][2] for at in stay]),
        {header: amounts[kept] for header, amounts in columns.items()},
        job.rows,
        datum,
    )


def apart(grounds: Sequence[BaseGeometry]) -> tuple[list[BaseGeometry], NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Return areas in metres without what smaller ones have of them; which lost some, and which are kept.

    Of two of one size the first has the ground.
    """
    listed_ = np.array(grounds, dtype=object)
    cut, kept = np.zeros(len(listed_), dtype=bool), np.ones(len(listed_), dtype=bool)
    if not len(listed_):
        return [], cut, kept
    area = shapely.area(listed_)
    rank = np.empty(len(listed_), dtype=np.int64)
    rank[np.lexsort((np.arange(len(listed_)), np.round(area, 1)))] = np.arange(len(listed_))
    at, other = shapely.STRtree(listed_).query(listed_, predicate="intersects")
    larger = rank[at] > rank[other]
    at, other = at[larger], other[larger]
    shared = shapely.area(shapely.intersection(listed_[at], listed_[other])) > LEAST_M2
    found = list(listed_)
    at, other = at[shared], other[shared]
    order = np.argsort(at, kind="stable")
    firsts = np.unique(at[order], return_index=True)[1]
    for own in np.split(order, firsts[1:]) if order.size else ():
        each = int(at[own[0]])
        left = without(listed_[each], joined(listed_[other[own]]))
        cut[each], kept[each] = True, left.area >= LEAST_LEFT * area[each]
        found[each] = left
    return found, cut, kept


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return names with a number after those that stood there before."""
    count: dict[str, int] = {}
    found = []
    for name in names:
        plain = " ".join("".join(each if each.isprintable() else " " for each in name).split())[:LONGEST_NAME]
        count[plain] = count.get(plain, 0) + 1
        found.append(plain if count[plain] == 1 else f"{plain} {count[plain]}")
    return tuple(found)


# The branch's own -------------------------------------------------------------------------------------------


def of_places(session: Session, asker: Asker, branch_id: int, frame: Frame) -> Polygons:
    """
    Return the places of a branch that have outlines, as blocks.

    Raises
    ------
    DataError
        When none has.
    """
    asker.require(Right.READ_PLANS, branch_id)
    places = tables.places.c
    query = (
        select(places.id, places.name, places.shape)
        .where(places.branch_id == branch_id, places.shape.is_not(None))
        .order_by(places.id)
    )
    plane = Plane(frame.lon, frame.lat)
    rows = [
        (row.name, ground)
        for row in session.execute(query)
        if (ground := plane.metres(shapely.from_wkb(row.shape))).area > LEAST_M2
    ]
    if not rows:
        raise DataError(
            N_("No community or other place of the branch has an outline. Import places with their areas.")
        )
    shapes, _cut, kept = apart([ground for _name, ground in rows])
    stay = np.flatnonzero(kept).tolist()
    return Polygons(
        tuple(plane.degrees(shapes[at]) for at in stay), _told_apart([str(rows[at][0]) for at in stay])
    )


def where_named(session: Session, asker: Asker, branch_id: int, name: str) -> tuple[float, float]:
    """
    Return where the branch's place of a name is, longitude first.

    Raises
    ------
    NotFound
        When no place or more than one has the name.
    """
    asker.require(Right.READ_PLANS, branch_id)
    places = tables.places.c
    query = select(places.lon, places.lat).where(places.branch_id == branch_id, places.name == name.strip())
    rows = session.execute(query.limit(2)).all()
    if len(rows) != 1:
        raise NotFound(N_("The branch has no one place called {name}."), name=name)
    return float(rows[0].lon), float(rows[0].lat)


# What they weigh --------------------------------------------------------------------------------------------


def shared_out(parcels: Parcels, frame: Frame, polygons: Polygons, amounts: Floats) -> Floats:
    """Return what each block has of amounts that polygons come with: as much as of their ground."""
    grounds = Plane(frame.lon, frame.lat).all_metres(polygons.shapes)
    source, at = shapely.STRtree(parcels.outlines).query(grounds, predicate="intersects")
    common = shapely.area(shapely.intersection(grounds[source], parcels.outlines[at]))
    own = shapely.area(grounds)
    held = np.bincount(source, weights=common, minlength=len(grounds))
    whole = np.where(np.abs(held - own) <= _WHOLE * own, held, own)
    part = common / np.where(whole > 0.0, whole, 1.0)[source]
    found = np.bincount(at, weights=part * amounts[source], minlength=len(parcels))
    return np.asarray(found, dtype=np.float64)
