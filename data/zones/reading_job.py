"""A list of zones on its way in: what is read, for which plan, by whose words, and in which datum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from data.files.readers import Chunk, Table
from data.lists import placing, proof
from data.lists.placing import ToDegrees
from data.lists.proof import Proof
from data.lists.reasons import OK
from data.lists.survey import hashes
from data.meaning import values
from data.meaning.headers import Pair
from data.zones import listed
from data.zones.listed import LONGEST_NAME, PAIR, Rows, Said
from geo.errors import N_, DatumUnknown, FileError
from geo.planes import Plane
from geo.plans import Frame, Zone

MOST_ZONES = 2_000
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Read:
    """
    Zones read, and what became of the rows.

    Parameters
    ----------
    zones
        Numbered in the order of the file, named by it.
    rows
        How many there were, which were rejected and why, and what was noticed.
    kind
        `outlines`, `points` or `blocks`: what the rows were.
    proof
        The datum, and what proves it.
    columns
        The header of each field.
    """

    zones: tuple[Zone, ...]
    rows: Rows
    kind: str
    proof: Proof
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """What is to be read, and how."""

    table: Table
    first: Chunk
    frame: Frame
    people: Mapping[str, int]
    places: pd.DataFrame | None
    datum: str
    columns: dict[str, str]
    rows: Rows = field(default_factory=Rows)
    said: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Of each zone the kinds and people its rows name."""

    def name_of(self, said: Said) -> str:
        """Return the name of a row's zone, numbered where it has none."""
        for cell in (said.zone, said.name):
            if name := " ".join("".join(each if each.isprintable() else " " for each in cell).split()):
                return name[:LONGEST_NAME]
        self.rows.warn("unnamed_zone")
        return f"片区{self.rows.total}"

    def say(self, zone: str, said: Said) -> None:
        """Note what a row says of a zone."""
        self.said.setdefault(zone, []).append((said.kind, said.person))

    @property
    def near(self) -> tuple[float, float]:
        """Where the branch is."""
        return self.frame.lon, self.frame.lat

    def zone(self, number: int, name: str, ground: BaseGeometry) -> Zone:
        """Return a zone of some ground, with what its rows say."""
        said = self.said.get(name, [])
        words = Counter(kind for word, _ in said if word and (kind := listed.kind_of(word)) is not None)
        self.rows.warn("unknown_kind", sum(1 for word, _ in said if word and listed.kind_of(word) is None))
        named = listed.people_in(person for _, person in said)
        known = [self.people[name] for name in named if name in self.people]
        self.rows.warn("unknown_person", len(named) - len(known))
        self.rows.warn("many_people", int(len(known) > PAIR))
        shape = Plane(*self.near).degrees(ground)
        kind = words.most_common(1)[0][0] if words else "street"
        return Zone(number, name, shape, kind=kind, pair=tuple(dict.fromkeys(known))[:PAIR])

    def done(self, grounds: Mapping[str, BaseGeometry], kind: str, found: Proof) -> Read:
        """Return what was read."""
        if len(grounds) > MOST_ZONES:
            raise FileError(
                N_("The file holds {count} zones, more than {limit}."), count=len(grounds), limit=MOST_ZONES
            )
        zones = [self.zone(number, *each) for number, each in enumerate(grounds.items(), 1)]
        return Read(tuple(zones), self.rows, kind, found, self.columns)


def proven(job: Job, way: ToDegrees | None, pair: Pair | None) -> Proof:
    """Return the datum and what proves it, or ask."""
    table = job.table
    if way is not None:
        return Proof("wgs84", "metres" if way.found else "crs")
    if job.datum != "auto":
        return Proof(job.datum, "stated")
    found = proof.by_crs(table.epsg if table.has_shapes else None)
    if not found.datum:
        found = proof.by_words(pair, table.headers, table.name, table.sheet, table.shape_header)
    if not found.datum and job.places is not None and "name" in job.columns:
        found = _matched(job, pair)
    if found.datum:
        return found
    where = placing.place(job.first, "places", pair, None)
    good = np.flatnonzero(where.reason == OK)
    if not good.size:
        raise FileError(N_("None of the rows can be placed on the map."))
    raise DatumUnknown(
        N_(
            "Nothing proves which datum the coordinates of row {row} and the others are in. Name it: GPS and "
            "OpenStreetMap give wgs84, Gaode and Tencent gcj02, Baidu bd09."
        ),
        proof.candidates(where.lon[good[0]], where.lat[good[0]]),
        row=int(job.first.rows[good[0]]),
    )


def _matched(job: Job, pair: Pair | None) -> Proof:
    """Return what rows prove that the branch has by the same names."""
    assert job.places is not None
    if not job.table.has_shapes and pair is None:
        return Proof()
    where = placing.place(job.first, "places", pair, None)
    own = pd.DataFrame({"key": keys_of(job.first, job.columns), "lon": where.lon, "lat": where.lat})
    own = own[where.reason == OK].drop_duplicates("key", keep=False)
    both = own.merge(job.places, on="key", suffixes=("", "_known"))
    return proof.by_matches(*(both[name].to_numpy() for name in ("lon", "lat", "lon_known", "lat_known")))


def keys_of(chunk: Chunk, columns: Mapping[str, str]) -> Hashes:
    """Return a number for each row's own name, as `known.names_once` has it."""
    names = [row.name for row in listed.said(chunk.frame, columns)]
    return hashes(values.name_keys(pd.Series(names, dtype="str")))
