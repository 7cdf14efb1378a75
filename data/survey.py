"""
The first reading of a list: which column is what, where every row is, and what tells rows apart.

It keeps a few numbers of each row, so that the whole list can be judged before any of it is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import Transformer
from sqlalchemy import Table as SqlTable

from data import catalogue, headers, kinds, placing, readers, tables, values
from data.headers import Pair
from data.readers import Chunk, Table
from data.reasons import CODES, LONG_ID, METRES, NO_COORDINATES, OK, RAGGED, SWAPPED
from geo.datum import DATUMS
from geo.errors import N_, FileError

Floats = NDArray[np.float64]

KINDS = ("merchants", "customers", "outlets", "places")
MOST_REJECTED = 0.5  # of the rows; above it the user is asked first
PREVIEW_ROWS = 100


@dataclass(frozen=True)
class Columns:
    """
    Which column is what.

    Parameters
    ----------
    fields
        The header of each field that the list has.
    pair
        Where the coordinates stand; None where GeoJSON's geometry has them.
    others
        Further coordinates of the same rows.
    hint
        The category that the file's name means, where no column says it.
    """

    fields: dict[str, str]
    pair: Pair | None
    others: tuple[Pair, ...]
    hint: str = ""

    def as_mapping(self) -> dict[str, str | None]:
        """Return field to header, coordinates with them."""
        if self.pair is None:
            return dict(self.fields)
        if self.pair.lon == self.pair.lat:
            return {**self.fields, "coordinates": self.pair.lon}
        return {**self.fields, "lon": self.pair.lon, "lat": self.pair.lat}

    def without(self, name: str) -> Columns:
        """Return the same without a field."""
        return replace(self, fields={key: header for key, header in self.fields.items() if key != name})


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
    places: dict[str, str] = {
        name: chosen.pop(name) for name in ("lon", "lat", "coordinates") if name in chosen
    }
    fields = headers.propose(table.headers, kind)
    fields = {name: header for name, header in fields.items() if name not in mapping}
    fields = {name: header for name, header in fields.items() if header not in chosen.values()} | chosen
    pairs = headers.coordinate_pairs(table.headers)
    pair = _chosen_pair(places, pairs, table, datum)
    if pair is None and table.form != "geojson":
        raise FileError(
            N_(
                "No column holds coordinates. Two are needed, such as 经度 and 纬度 (longitude, latitude), "
                "or one 坐标 with both. The columns are {headers}."
            ),
            headers="、".join(table.headers[:50]),
        )
    others = tuple(other for other in pairs if other != pair)
    hint = kinds.hinted(table.name) if kind == "merchants" and "category" not in fields else ""
    return Columns(fields, pair, others, hint)


def _chosen_pair(places: Mapping[str, str], pairs: Sequence[Pair], table: Table, datum: str) -> Pair | None:
    """Return the mapped pair, else geometry (None), else the pair of the stated datum, else the first."""
    if "coordinates" in places:
        named = headers.header_datum(places["coordinates"])
        first = headers.plain(places["coordinates"]).startswith(("lat", "纬"))
        return Pair(places["coordinates"], places["coordinates"], named, first)
    if "lon" in places and "lat" in places:
        found = headers.coordinate_of(places["lon"])
        return Pair(places["lon"], places["lat"], found[1] if found else None)
    if table.form == "geojson" or not pairs:
        return None
    rank = {name: at for at, name in enumerate((datum, *DATUMS, None))}
    return min(pairs, key=lambda pair: (rank[pair.datum], pair.lon == pair.lat))


@dataclass
class Survey:
    """What is known of every row after the first reading, in the file's order."""

    columns: Columns
    row: NDArray[np.int64]
    reason: NDArray[np.int8]
    lon: Floats
    lat: Floats
    name_hash: NDArray[np.uint64]
    id_hash: NDArray[np.uint64]
    """0 where a row has no identifier."""
    category: NDArray[np.int16]
    outlet: NDArray[np.int8]
    """1 + the index in `OUTLET_KINDS`, 0 for a merchant."""
    where: dict[int, tuple[str, str]]
    """Of rejected rows, by position: the column and the bad text."""
    ragged: dict[int, tuple[int, int]]
    preview: pd.DataFrame
    parts: list[int]
    """How many rows each chunk has, ragged ones apart."""
    others: list[tuple[Floats, Floats]]
    said: frozenset[str]
    """What a column that names the datum says."""
    warnings: dict[str, int]
    """Keys of `WARNINGS`, and how many rows each is about."""

    def reasons(self) -> dict[str, int]:
        """Return how many rows are rejected for each reason."""
        counts = np.bincount(self.reason, minlength=len(CODES))
        return {code: int(count) for code, count in zip(CODES, counts, strict=True) if code and count}

    def rejects(self) -> pd.DataFrame:
        """Return the rejected rows: row, column, reason, params."""
        at = (self.reason != OK).nonzero()[0]
        params: list[dict[str, Any]] = []
        columns: list[str] = []
        for position in at.tolist():
            column, value = self.where.get(position, ("", ""))
            expected, found = self.ragged.get(position, (0, 0))
            code = self.reason[position]
            columns.append(column)
            params.append(
                {"expected": expected, "found": found}
                if code == RAGGED
                else {"limit": length(tables.merchants, "source_id")}
                if code == LONG_ID
                else {"value": value}
                if value
                else {}
            )
        return pd.DataFrame(
            {
                "row": self.row[at],
                "column": pd.Series(columns, dtype="str"),
                "reason": pd.Series([CODES[code] for code in self.reason[at]], dtype="str"),
                "params": pd.Series(params, dtype=object),
            }
        )


def survey_of(
    table: Table,
    kind: str,
    mapping: Mapping[str, str | None] | None,
    datum: str,
    reading: Callable[[float], None],
) -> Survey:
    """
    Read a list through.

    Parameters
    ----------
    table, kind, mapping, datum
        As `data.ingest.run_import` has them; a stated datum chooses among several coordinates.
    reading
        Told how much is read, 0-1.

    Raises
    ------
    FileError
        When the list as a whole cannot be what it says.
    """
    if kind not in KINDS:
        raise FileError(
            N_("There are no lists of {kind}; there are {kinds}."), kind=kind, kinds=", ".join(KINDS)
        )
    columns = columns_of(table, kind, mapping, datum)
    transform = placing.transformer(table.epsg)
    parts = []
    start = 0
    for chunk in table.chunks():
        parts.append(_survey_chunk(chunk, kind, columns, transform, start))
        start += len(parts[-1].row)
        reading(chunk.done)
    if not start:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    survey = _joined(parts)
    _check_places(survey)
    _check_text(table, survey)
    return _check_ids(survey)


def _survey_chunk(
    chunk: Chunk, kind: str, columns: Columns, transform: Transformer | None, start: int
) -> Survey:
    placed = placing.place(chunk, kind, columns.pair, transform)
    names = names_of(chunk.frame, columns)
    category, outlet, warnings = _sorts(chunk.frame, columns, kind, names)
    ids = text_of(chunk.frame, columns, "source_id")
    reason, where = placed.reason, placed.where
    if ids is not None:
        long = (ids.str.len() > length(tables.merchants, "source_id")).to_numpy(bool) & (reason == OK)
        reason[long] = LONG_ID
        where |= {int(at): (columns.fields["source_id"], "") for at in long.nonzero()[0]}
    odd = len(chunk.ragged)
    ragged = {
        start + len(names) + at: (int(expected), int(found))
        for at, (expected, found) in enumerate(
            zip(chunk.ragged["expected"], chunk.ragged["found"], strict=True)
        )
    }
    return Survey(
        columns=columns,
        row=np.concatenate([chunk.rows, chunk.ragged["row"].to_numpy(np.int64)]),
        reason=np.concatenate([reason, np.full(odd, RAGGED, dtype=np.int8)]),
        lon=np.concatenate([placed.lon, np.full(odd, np.nan)]),
        lat=np.concatenate([placed.lat, np.full(odd, np.nan)]),
        name_hash=_padded(hashes(_told_apart(chunk.frame, columns, kind, names)), odd),
        id_hash=_padded(_id_hashes(ids, len(names)), odd),
        category=_padded(category, odd),
        outlet=_padded(outlet, odd),
        where={start + at: found for at, found in where.items()},
        ragged=ragged,
        preview=_preview(chunk) if start < PREVIEW_ROWS else _preview(chunk).iloc[:0],
        parts=[len(names), odd],
        others=[tuple(_other(chunk.frame, pair)) for pair in columns.others] if start == 0 else [],  # type: ignore[misc]  # pairs
        said=_said(chunk.frame),
        warnings=warnings,
    )


def _said(frame: pd.DataFrame) -> frozenset[str]:
    """Return the different words of a column that names the datum, a few of them."""
    found = [header for header in frame.columns if headers.plain(header) in headers.DATUM_COLUMNS]
    return frozenset(word for header in found for word in frame[header].unique()[:9] if word.strip())


def _told_apart(frame: pd.DataFrame, columns: Columns, kind: str, names: pd.Series) -> pd.Series:
    """Return what tells rows at one point apart: the name, and of people the phone as well."""
    keys = values.name_keys(names)
    if kind != "customers":
        return keys
    phone = text_of(frame, columns, "phone")
    return keys + "/" + ("" if phone is None else values.name_keys(phone))


def _preview(chunk: Chunk) -> pd.DataFrame:
    frame = chunk.frame.iloc[:PREVIEW_ROWS].copy()
    frame.insert(0, "row", chunk.rows[:PREVIEW_ROWS], allow_duplicates=True)
    return frame


def _other(frame: pd.DataFrame, pair: Pair) -> list[Floats]:
    lon, lat = placing.pair_text(frame, pair)
    return [values.degrees(lon)[0], values.degrees(lat)[0]]


def _padded(array: NDArray[Any], count: int) -> NDArray[Any]:
    return np.concatenate([array, np.zeros(count, dtype=array.dtype)])


def _joined(parts: list[Survey]) -> Survey:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Survey(
        columns=parts[0].columns,
        **{
            name: joined(name)
            for name in ("row", "reason", "lon", "lat", "name_hash", "id_hash", "category", "outlet")
        },
        where={at: found for part in parts for at, found in part.where.items()},
        ragged={at: found for part in parts for at, found in part.ragged.items()},
        preview=pd.concat([part.preview for part in parts if len(part.preview)] or [parts[0].preview]).head(
            PREVIEW_ROWS
        ),
        parts=[count for part in parts for count in part.parts],
        others=parts[0].others,
        said=frozenset().union(*(part.said for part in parts)),
        warnings=dict(sum((Counter(part.warnings) for part in parts), Counter())),
    )


def hashes(text: pd.Series) -> NDArray[np.uint64]:
    """Return a number for each text, the same for the same text."""
    found: NDArray[np.uint64] = pd.util.hash_array(text.to_numpy(dtype=object), categorize=False)
    return found


def _id_hashes(ids: pd.Series | None, count: int) -> NDArray[np.uint64]:
    if ids is None:
        return np.zeros(count, dtype=np.uint64)
    found = hashes(ids)
    found[(ids == "").to_numpy(bool)] = 0
    return found


def _check_places(survey: Survey) -> None:
    """Refuse the whole list when what is wrong with its coordinates is wrong with all of them."""
    counts = np.bincount(survey.reason, minlength=len(CODES))
    tried = counts.sum() - counts[NO_COORDINATES] - counts[RAGGED]
    if tried and counts[METRES] > MOST_REJECTED * tried:
        raise FileError(
            N_(
                "The coordinates look like projected metres, not degrees (row {row}: {value}). Export "
                "the list with longitude and latitude."
            ),
            **_example(survey, METRES),
        )
    if tried and counts[SWAPPED] > MOST_REJECTED * tried:
        raise FileError(
            N_(
                "Longitude and latitude are exchanged (row {row}: {value}). Exchange them in the file, or "
                "map the two columns the other way round."
            ),
            **_example(survey, SWAPPED),
        )


def _example(survey: Survey, code: int) -> dict[str, Any]:
    at = int(np.argmax(survey.reason == code))
    return {"row": int(survey.row[at]), "value": survey.where.get(at, ("", ""))[1]}


def _check_text(table: Table, survey: Survey) -> None:
    """Refuse a list whose names were decoded wrongly before they came here."""
    names = survey.columns.fields.get("name")
    if readers.garbled(table.headers if names is None else survey.preview[names].tolist()):
        raise FileError(
            N_(
                "The text is garbled: it was decoded wrongly when the file was made. Export the list again "
                "as UTF-8."
            )
        )


def _check_ids(survey: Survey) -> Survey:
    """Take a column that repeats itself for no identifier; of a few repeated ones reject the later rows."""
    has = (survey.id_hash != 0) & (survey.reason == OK)
    if not has.any():
        return survey
    different = len(np.unique(survey.id_hash[has]))
    if different < MOST_REJECTED * has.sum():
        survey.columns = survey.columns.without("source_id")
        survey.id_hash[:] = 0
        survey.warnings["ids_repeat"] = int(has.sum())
    return survey


def text_of(frame: pd.DataFrame, columns: Columns, name: str) -> pd.Series | None:
    """Return a field's tidied texts, empty where there is none; None where the list has no such column."""
    header = columns.fields.get(name)
    return None if header is None else values.present(values.undefused(values.tidy(frame[header])))


def names_of(frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Return names; of a nameless row its address."""
    names = text_of(frame, columns, "name")
    address = text_of(frame, columns, "address")
    if names is None:
        names = pd.Series([""] * len(frame), dtype="str") if address is None else address
    elif address is not None:
        names = names.mask(names == "", address)
    return names


def _sorts(
    frame: pd.DataFrame, columns: Columns, kind: str, names: pd.Series
) -> tuple[NDArray[np.int16], NDArray[np.int8], dict[str, int]]:
    """Return each row's category or customer group, 1 + the kind of outlet it is, and what was not known."""
    if kind == "merchants":
        return _merchant_sorts(frame, columns, names)
    none = np.zeros(len(frame), np.int8)
    header = columns.fields.get("group")
    if kind != "customers" or header is None:
        group = catalogue.OTHER_GROUP if kind == "customers" else 0
        return np.full(len(frame), group, np.int16), none, {}
    codes, unknown = values.codes(frame[header], "group")
    id_of = dict(zip(catalogue.GROUPS["code"], catalogue.GROUPS["id"], strict=True))
    return _numbers(codes, id_of, catalogue.OTHER_GROUP, np.int16), none, _counted("unknown_group", unknown)


def _merchant_sorts(
    frame: pd.DataFrame, columns: Columns, names: pd.Series
) -> tuple[NDArray[np.int16], NDArray[np.int8], dict[str, int]]:
    header = columns.fields.get("category")
    if header is None:
        codes: NDArray[np.object_] = np.full(len(frame), columns.hint, dtype=object)
        unknown = np.zeros(len(frame), dtype=bool)
    else:
        codes = kinds.category_codes(frame[header])
        unknown = (codes == "") & (frame[header].str.strip() != "").to_numpy(bool)
    id_of = dict(zip(catalogue.CATEGORIES["code"], catalogue.CATEGORIES["id"], strict=True))
    number_of = {kind: at for at, kind in enumerate(catalogue.OUTLET_KINDS, start=1)}
    outlet = _numbers(kinds.outlet_kinds(names, codes), number_of, 0, np.int8)
    warnings = _counted("unknown_category", unknown & (outlet == 0))
    return _numbers(codes, id_of, catalogue.OTHER_CATEGORY, np.int16), outlet, warnings


def _numbers(
    codes: NDArray[np.object_], number_of: Mapping[str, int], other: int, dtype: type
) -> NDArray[Any]:
    numbers: NDArray[Any] = pd.Series(codes, dtype=object).map(number_of).fillna(other).to_numpy(dtype)
    return numbers


def _counted(warning: str, where: NDArray[np.bool_]) -> dict[str, int]:
    return {warning: int(where.sum())} if where.any() else {}


def length(table: SqlTable, name: str) -> int:
    """Return how many characters a column keeps, 0 for no limit."""
    return int(getattr(table.c[name].type, "length", 0) or 0)
