"""Which column of a list is what: fields, coordinates, and the others, which are kept as attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from data.files.readers import Table
from data.meaning import evidence, headers, kinds
from data.meaning.headers import Pair
from geo.datum import DATUMS
from geo.errors import N_, FileError

COORDINATES = ("lon", "lat", "coordinates")
SAMPLE_ROWS = 500


@dataclass(frozen=True)
class Columns:
    """
    Which column is what.

    Parameters
    ----------
    fields
        The header of each field that the list has.
    pair
        Where the coordinates stand; None where the file's geometry has them.
    others
        Further coordinates of the same rows.
    hint
        The category that the file's name means, where no column says it.
    extras
        Headers of what is no field: kept as attributes.
    """

    fields: dict[str, str]
    pair: Pair | None
    others: tuple[Pair, ...]
    hint: str = ""
    extras: tuple[str, ...] = ()

    def as_mapping(self) -> dict[str, str | None]:
        """Return field to header, coordinates with them."""
        if self.pair is None:
            return dict(self.fields)
        if self.pair.lon == self.pair.lat:
            return {**self.fields, "coordinates": self.pair.lon}
        return {**self.fields, "lon": self.pair.lon, "lat": self.pair.lat}

    def without(self, name: str) -> Columns:
        """Return the same without a field; its column is kept as an attribute instead."""
        fields = {key: header for key, header in self.fields.items() if key != name}
        freed = () if name not in self.fields else (self.fields[name],)
        return replace(self, fields=fields, extras=(*self.extras, *freed))


def columns_of(table: Table, kind: str, mapping: Mapping[str, str | None] | None, datum: str) -> Columns:
    """
    Return which column is what: as mapped, and the rest as proposed by the headers.

    Raises
    ------
    FileError
        When the mapping names what is not there, or no column holds coordinates.
    """
    mapping = mapping or {}
    if wrong := headers.check_mapping(mapping, table.headers, kind):
        raise FileError(
            N_("The mapping names what is not there: {wrong}. The columns are {headers}."),
            wrong="、".join(wrong),
            headers="、".join(table.headers[:50]),
        )
    chosen = {name: header for name, header in mapping.items() if header is not None}
    places = {name: chosen.pop(name) for name in COORDINATES if name in chosen}
    proposed, by_values = _proposed(table, kind)
    fields = {name: header for name, header in proposed.items() if name not in mapping}
    fields = {name: header for name, header in fields.items() if header not in chosen.values()} | chosen
    pairs = headers.coordinate_pairs(table.headers)
    pair = _chosen_pair(places, pairs, table, datum) or (None if _has_geometry(table) else by_values)
    pair = _in_order(pair, table)
    if pair is None and not _has_geometry(table):
        raise FileError(
            N_(
                "No column holds coordinates. Two are needed, such as 经度 and 纬度 (longitude, latitude), "
                "or one 坐标 with both. The columns are {headers}."
            ),
            headers="、".join(table.headers[:50]),
        )
    others = tuple(other for other in pairs if other != pair)
    hint = kinds.hinted(table.name) if kind == "merchants" and "category" not in fields else ""
    left_out = {header for name, header in proposed.items() if name in mapping and mapping[name] is None}
    return Columns(fields, pair, others, hint, _extras(table.headers, fields, pair, left_out))


def _proposed(table: Table, kind: str) -> tuple[dict[str, str], Pair | None]:
    """Return fields and coordinates by the headers, of a list without them or their words by the values."""
    numbered = headers.are_numbers(table.headers)
    if not numbered and (_has_geometry(table) or headers.has_coordinates(table.headers)):
        return headers.propose(table.headers, kind), None
    found = headers.proposed(table.headers, kind, _sample(table))
    lon, lat, both = (found.pop(name, None) for name in COORDINATES)
    named = {name: one.header for name, one in found.items()}
    if not numbered:
        named = headers.propose(table.headers, kind)
    if lon is not None and lat is not None:
        return named, Pair(lon.header, lat.header)
    return named, None if both is None else Pair(both.header, both.header, None, both.why == "lat,lng")


def _sample(table: Table) -> pd.DataFrame | None:
    return next((chunk.frame.head(SAMPLE_ROWS) for chunk in table.chunks() if len(chunk.frame)), None)


def _in_order(pair: Pair | None, table: Table) -> Pair | None:
    """Return a column of both coordinates with the latitude first where its values have it so."""
    if pair is None or pair.lon != pair.lat or pair.latitude_first:
        return pair
    sample = _sample(table)
    if sample is None or evidence.axis(evidence.Column(sample[pair.lon]))[0] != "lat,lng":
        return pair
    return pair._replace(latitude_first=True)


def _has_geometry(table: Table) -> bool:
    return table.has_shapes


def _extras(
    names: Sequence[str], fields: Mapping[str, str], pair: Pair | None, left_out: set[str]
) -> tuple[str, ...]:
    """Return the headers whose cells say something that no field holds, and that is no coordinate."""
    taken = {*fields.values(), *left_out, *(() if pair is None else (pair.lon, pair.lat))}
    return tuple(
        name
        for name in names
        if name not in taken
        and headers.coordinate_of(name) is None
        and not headers.IGNORED.match(headers.plain(name))
    )


def _chosen_pair(places: Mapping[str, str], pairs: Sequence[Pair], table: Table, datum: str) -> Pair | None:
    """Return the mapped pair, else geometry (None), else the pair of the stated datum, else the first."""
    if "coordinates" in places:
        named = headers.header_datum(places["coordinates"])
        first = headers.plain(places["coordinates"]).startswith(("lat", "纬"))
        return Pair(places["coordinates"], places["coordinates"], named, first)
    if "lon" in places and "lat" in places:
        found = headers.coordinate_of(places["lon"])
        return Pair(places["lon"], places["lat"], found[1] if found else None)
    if _has_geometry(table) or not pairs:
        return None
    rank = {name: at for at, name in enumerate((datum, *DATUMS, None))}
    return min(pairs, key=lambda pair: (rank[pair.datum], pair.lon == pair.lat))
