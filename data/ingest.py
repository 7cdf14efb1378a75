"""
Lists into the store: columns mapped, rows placed and judged, the datum proven, all of it in one transaction.

A list is read twice. The *survey* reads positions and what tells rows apart, judges every row and keeps a few
numbers of each; then the whole list is known (is more than half bad? which datum?) and the second reading
stores the good rows chunk by chunk. So memory does not grow with what the rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError
from sqlalchemy import Table as SqlTable
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from data import branches, bulk, catalogue, headers, kinds, proof, readers, tables, values
from data.headers import Pair
from data.people import person_named
from data.proof import Proof
from data.readers import Chunk, Table
from data.rights import Asker, Right
from data.trail import audit
from geo.datum import DATUMS, convert
from geo.errors import N_, Cancelled, DatumUnknown, FileError, ManyRejected

Floats = NDArray[np.float64]
Source = Path | str | bytes | IO[bytes]
Progress = Callable[[str, int, int], None]
"""Called with the stage (`reading`, `storing`), what is done and the whole, in rows or thousandths of the file."""

KINDS = ("merchants", "customers", "outlets", "places")
MOST_REJECTED = 0.5  # of the rows; above it the user is asked first
PREVIEW_ROWS = 100
LARGEST_SHOP_DEG = 0.1  # a shape wider than this is a district, not a merchant
LONGEST_VALUE = 40  # characters of a bad cell that a reason repeats
SAME_LIST_SHARE = 0.5  # of the identifiers two lists share, that many must mean the same thing
NEAR_DEG = 0.01
POINT_SCALE = 1e6  # two positions are one when they agree to a millionth of a degree

OK, RAGGED, NO_COORDINATES, NOT_A_NUMBER, IMPOSSIBLE, SWAPPED, METRES, FOREIGN, REPEATED_ID, LONG_ID, TOO_LARGE = range(11)
REASONS: dict[str, str] = {
    "ragged": N_("The row has {found} cells, the header {expected}."),
    "no_coordinates": N_("The row has no coordinates."),
    "not_a_number": N_("“{value}” is not a coordinate."),
    "impossible": N_("“{value}” is no longitude or latitude in degrees."),
    "swapped": N_("“{value}”: longitude and latitude look exchanged."),
    "metres": N_("“{value}” looks like projected metres, not degrees."),
    "foreign": N_("“{value}” lies outside China."),
    "repeated_id": N_("The identifier is used by an earlier row of the list."),
    "long_id": N_("The identifier is longer than {limit} characters."),
    "too_large": N_("The shape is a whole district, not one merchant."),
}
_CODES = ("", *REASONS)
WARNINGS: dict[str, str] = {
    "unknown_category": N_("category not known: taken as “other”"),
    "unknown_status": N_("status not known: left as it was, or “known”"),
    "unknown_group": N_("customer group not known: taken as “other”"),
    "unknown_kind": N_("kind not known: the most general one taken"),
    "unknown_tier": N_("tier not known: worked out from the amounts, or left empty"),
    "unknown_product": N_("product not known: left out"),
    "not_an_amount": N_("not a number or an amount: left empty"),
    "too_long": N_("text longer than can be kept: cut"),
    "ids_of_another_list": N_("identifiers already used by another list: not taken over"),
    "ids_repeat": N_("the column of identifiers repeats itself: not taken as identifiers"),
}
ACCEPTED, UPDATED, DUPLICATE, REJECTED = range(4)


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do, found out without storing anything."""

    kind: str
    file_name: str
    sha256: str
    headers: tuple[str, ...]
    mapping: dict[str, str | None]
    encoding: str | None
    sheet: str | None
    sheets: tuple[str, ...]
    datum: str | None
    """None when nothing proves it; then the user chooses among the candidates."""
    datum_how: str | None
    """A key of `data.proof.HOW`."""
    candidates: dict[str, tuple[float, float]]
    """WGS 84 position of the first good row under each datum."""
    rows: int
    rejected: int
    reasons: dict[str, int]
    rejects: pd.DataFrame
    preview: pd.DataFrame
    """The first rows as they stand in the file, with their number in `row`."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did; `rows = accepted + updated + duplicates + rejected`."""

    batch: int | None
    """None after a dry run."""
    rows: int
    accepted: int
    updated: int
    duplicates: int
    rejected: int
    reasons: dict[str, int]
    datum: str
    datum_how: str
    encoding: str | None
    sheet: str | None
    mapping: dict[str, str | None]
    outlets: int
    """Of a merchant list: how many accepted and updated rows are outlets of banks and insurers."""
    warnings: dict[str, int]
    version: int | None
    rejects: pd.DataFrame = field(repr=False)
    """`row, column, reason, params`: the reason is a key of `REASONS`."""


def plan_import(
    session: Session,
    asker: Asker,
    source: Source,
    *,
    kind: str,
    branch_id: int,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportPlan:
    """
    Read a list through and say what importing it would do.

    Raises
    ------
    FileError
        When the file is refused whole.
    """
    asker.require(Right.IMPORT, branch_id)
    table = readers.open_table(source, name=name, sheet=sheet, encoding=encoding)
    watch = _Watch(progress, cancelled)
    survey = _survey(table, kind, mapping, datum, watch)
    found = _proof(session, branch_id, table, survey, datum)
    first = int(np.argmax(survey.reason == OK)) if (survey.reason == OK).any() else None
    return ImportPlan(
        kind=kind,
        file_name=table.name,
        sha256=table.sha256,
        headers=table.headers,
        mapping=survey.columns.as_mapping(),
        encoding=table.encoding,
        sheet=table.sheet,
        sheets=table.sheets,
        datum=found.datum,
        datum_how=found.how,
        candidates={} if first is None else proof.candidates(survey.lon[first], survey.lat[first]),
        rows=len(survey.row),
        rejected=int((survey.reason != OK).sum()),
        reasons=survey.reasons(),
        rejects=survey.rejects(),
        preview=survey.preview,
    )


def run_import(
    session: Session,
    asker: Asker,
    source: Source,
    *,
    kind: str,
    branch_id: int,
    datum: str = "auto",
    mapping: Mapping[str, str | None] | None = None,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    bank: str = "",
    agreed: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """
    Bring a list in, in the session's transaction: it is kept or lost as a whole with that.

    Parameters
    ----------
    session, asker
        In `store.transaction`.
    source, name, sheet, encoding
        As `readers.open_table` takes them.
    kind
        One of `KINDS`.
    datum
        One of `geo.datum.DATUMS`, or `auto`, which takes only proof.
    mapping
        Field to header, None for a field that is not to be taken; the rest is proposed.
    bank
        Our own brand: its outlets are ours.
    agreed
        Whether the user agrees to lose more than half of the rows.
    dry_run
        Do it all, and take it back.

    Raises
    ------
    FileError, DatumUnknown, ManyRejected, Cancelled
        With nothing stored.
    """
    asker.require(Right.IMPORT, branch_id)
    table = readers.open_table(source, name=name, sheet=sheet, encoding=encoding)
    watch = _Watch(progress, cancelled)
    survey = _survey(table, kind, mapping, datum, watch)
    found = _settled(_proof(session, branch_id, table, survey, datum), survey)
    _check_share(survey, agreed)
    job = _Import(session, asker, table, survey, found, kind, branch_id, bank, watch)
    if not dry_run:
        return job.run()
    point = session.begin_nested()
    try:
        return replace(job.run(keep=False), batch=None)
    finally:
        point.rollback()


def _settled(found: Proof, survey: _Survey) -> Proof:
    """Return the proof, or ask."""
    if found.datum is not None:
        return found
    good = survey.reason == OK
    if not good.any():
        _refuse_all(survey)
    first = int(np.argmax(good))
    raise DatumUnknown(
        N_(
            "Nothing proves which datum the coordinates of row {row} and the others are in. Name it: GPS and "
            "OpenStreetMap give wgs84, Gaode and Tencent gcj02, Baidu bd09."
        ),
        proof.candidates(survey.lon[first], survey.lat[first]),
        row=int(survey.row[first]),
    )


def _check_share(survey: _Survey, agreed: bool) -> None:
    rejected = int((survey.reason != OK).sum())
    if rejected == len(survey.row):
        _refuse_all(survey)
    if rejected > MOST_REJECTED * len(survey.row) and not agreed:
        raise ManyRejected(
            N_("{rejected} of {rows} rows would be rejected. Look at the reasons, and confirm to go on without them."),
            rejected=rejected,
            rows=len(survey.row),
            reasons=survey.reasons(),
        )


def _refuse_all(survey: _Survey) -> None:
    raise FileError(
        N_("None of the {rows} rows can be placed on the map. The first, row {row}: {reason}"),
        rows=len(survey.row),
        row=int(survey.row[0]),
        reason=_CODES[survey.reason[0]],
    )


class _Watch:
    """Tells how far the work is, and stops it when the user says so."""

    def __init__(self, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self.progress = progress
        self.cancelled = cancelled

    def at(self, stage: str, done: int, total: int) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(N_("The import was stopped. Nothing of it was kept."))
        if self.progress is not None:
            self.progress(stage, done, total)


# --- which column is what -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Columns:
    """The header of each field, and where the coordinates stand: `pair` is None where GeoJSON's geometry has them."""

    fields: dict[str, str]
    pair: Pair | None
    others: tuple[Pair, ...]
    hint: str = ""

    def as_mapping(self) -> dict[str, str | None]:
        if self.pair is None:
            return dict(self.fields)
        if self.pair.lon == self.pair.lat:
            return {**self.fields, "coordinates": self.pair.lon}
        return {**self.fields, "lon": self.pair.lon, "lat": self.pair.lat}

    def without(self, name: str) -> _Columns:
        return replace(self, fields={key: header for key, header in self.fields.items() if key != name})


def _columns(table: Table, kind: str, mapping: Mapping[str, str | None] | None, datum: str) -> _Columns:
    mapping = mapping or {}
    if wrong := headers.check_mapping(mapping, table.headers, kind):
        raise FileError(
            N_("The mapping names what is not there: {wrong}. The columns are {headers}."),
            wrong="、".join(wrong),
            headers="、".join(table.headers[:50]),
        )
    chosen = {name: header for name, header in mapping.items() if header is not None}
    places = {name: chosen.pop(name) for name in ("lon", "lat", "coordinates") if name in chosen}
    fields = headers.propose(table.headers, kind)
    fields = {name: header for name, header in fields.items() if name not in mapping}
    fields = {name: header for name, header in fields.items() if header not in chosen.values()} | chosen
    pairs = headers.coordinate_pairs(table.headers)
    pair = _chosen_pair(places, pairs, table, datum)
    if pair is None and table.form != "geojson":
        raise FileError(
            N_(
                "No column holds coordinates. Two are needed, such as 经度 and 纬度 (longitude, latitude), or one 坐标 "
                "with both. The columns are {headers}."
            ),
            headers="、".join(table.headers[:50]),
        )
    others = tuple(other for other in pairs if other != pair)
    hint = kinds.hinted(table.name) if kind == "merchants" and "category" not in fields else ""
    return _Columns(fields, pair, others, hint)


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


# --- the survey ---------------------------------------------------------------------------------------------------


@dataclass
class _Survey:
    """What is known of every row after the first reading, in the file's order."""

    columns: _Columns
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
    unknown_categories: int = 0

    def reasons(self) -> dict[str, int]:
        counts = np.bincount(self.reason, minlength=len(_CODES))
        return {code: int(count) for code, count in zip(_CODES, counts, strict=True) if code and count}

    def rejects(self) -> pd.DataFrame:
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
                else {"limit": _length(tables.merchants, "source_id")}
                if code == LONG_ID
                else {"value": value}
                if value
                else {}
            )
        return pd.DataFrame(
            {
                "row": self.row[at],
                "column": pd.Series(columns, dtype="str"),
                "reason": pd.Series([_CODES[code] for code in self.reason[at]], dtype="str"),
                "params": pd.Series(params, dtype=object),
            }
        )


def _survey(
    table: Table, kind: str, mapping: Mapping[str, str | None] | None, datum: str, watch: _Watch
) -> _Survey:
    if kind not in KINDS:
        raise FileError(N_("There are no lists of {kind}; there are {kinds}."), kind=kind, kinds=", ".join(KINDS))
    columns = _columns(table, kind, mapping, datum)
    transform = _transformer(table.epsg)
    parts = []
    start = 0
    for chunk in table.chunks():
        parts.append(_survey_chunk(chunk, kind, columns, transform, start))
        start += len(parts[-1].row)
        watch.at("reading", round(chunk.done * 1000), 1000)
    if not start:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    survey = _joined(parts)
    _check_places(survey)
    _check_text(table, survey)
    return _check_ids(survey)


def _transformer(epsg: int | None) -> Transformer | None:
    """Return how a declared projection becomes degrees; None where it is degrees already."""
    if epsg is None:
        return None
    try:
        crs = CRS.from_epsg(epsg)
    except ProjError as error:
        raise FileError(N_("The file declares EPSG:{epsg}, which does not exist."), epsg=epsg) from error
    if crs.is_geographic or not crs.is_projected:
        return None
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _survey_chunk(
    chunk: Chunk, kind: str, columns: _Columns, transform: Transformer | None, start: int
) -> _Survey:
    placed = _place(chunk, kind, columns, transform)
    names = _names(chunk.frame, columns)
    codes, unknown = _categories(chunk.frame, columns) if kind == "merchants" else (None, 0)
    category, outlet = _category_numbers(codes, names)
    ids = _text(chunk.frame, columns, "source_id")
    reason, where = placed.reason, placed.where
    if ids is not None:
        long = (ids.str.len() > _length(tables.merchants, "source_id")).to_numpy(bool) & (reason == OK)
        reason[long] = LONG_ID
        where |= {int(at): (columns.fields["source_id"], "") for at in long.nonzero()[0]}
    odd = len(chunk.ragged)
    ragged = {
        start + len(names) + at: (int(expected), int(found))
        for at, (expected, found) in enumerate(zip(chunk.ragged["expected"], chunk.ragged["found"], strict=True))
    }
    return _Survey(
        columns=columns,
        row=np.concatenate([chunk.rows, chunk.ragged["row"].to_numpy(np.int64)]),
        reason=np.concatenate([reason, np.full(odd, RAGGED, dtype=np.int8)]),
        lon=np.concatenate([placed.lon, np.full(odd, np.nan)]),
        lat=np.concatenate([placed.lat, np.full(odd, np.nan)]),
        name_hash=_padded(_hashes(values.name_keys(names)), odd),
        id_hash=_padded(_id_hashes(ids, len(names)), odd),
        category=_padded(category, odd),
        outlet=_padded(outlet, odd),
        where={start + at: found for at, found in where.items()},
        ragged=ragged,
        preview=_preview(chunk) if start < PREVIEW_ROWS else _preview(chunk).iloc[:0],
        parts=[len(names), odd],
        others=[tuple(_other(chunk.frame, pair)) for pair in columns.others] if start == 0 else [],  # type: ignore[misc]  # pairs
        unknown_categories=unknown,
    )


def _preview(chunk: Chunk) -> pd.DataFrame:
    frame = chunk.frame.iloc[:PREVIEW_ROWS].copy()
    frame.insert(0, "row", chunk.rows[:PREVIEW_ROWS], allow_duplicates=True)
    return frame


def _other(frame: pd.DataFrame, pair: Pair) -> list[Floats]:
    lon, lat = _pair_text(frame, pair)
    return [values.degrees(lon)[0], values.degrees(lat)[0]]


def _padded(array: NDArray[Any], count: int) -> NDArray[Any]:
    return np.concatenate([array, np.zeros(count, dtype=array.dtype)])


def _joined(parts: list[_Survey]) -> _Survey:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return _Survey(
        columns=parts[0].columns,
        **{name: joined(name) for name in ("row", "reason", "lon", "lat", "name_hash", "id_hash", "category", "outlet")},
        where={at: found for part in parts for at, found in part.where.items()},
        ragged={at: found for part in parts for at, found in part.ragged.items()},
        preview=pd.concat([part.preview for part in parts if len(part.preview)] or [parts[0].preview]).head(PREVIEW_ROWS),
        parts=[count for part in parts for count in part.parts],
        others=parts[0].others,
        unknown_categories=sum(part.unknown_categories for part in parts),
    )


def _hashes(text: pd.Series) -> NDArray[np.uint64]:
    hashes: NDArray[np.uint64] = pd.util.hash_array(text.to_numpy(dtype=object), categorize=False)
    return hashes


def _id_hashes(ids: pd.Series | None, count: int) -> NDArray[np.uint64]:
    if ids is None:
        return np.zeros(count, dtype=np.uint64)
    hashes = _hashes(ids)
    hashes[(ids == "").to_numpy(bool)] = 0
    return hashes


def _check_places(survey: _Survey) -> None:
    """Refuse the whole list when what is wrong with its coordinates is wrong with all of them."""
    counts = np.bincount(survey.reason, minlength=len(_CODES))
    tried = counts.sum() - counts[NO_COORDINATES] - counts[RAGGED]
    if tried and counts[METRES] > MOST_REJECTED * tried:
        raise FileError(
            N_(
                "The coordinates look like projected metres, not degrees (row {row}: {value}). Export the list with "
                "longitude and latitude, or name its CRS."
            ),
            **_example(survey, METRES),
        )
    if tried and counts[SWAPPED] > MOST_REJECTED * tried:
        raise FileError(
            N_(
                "Longitude and latitude are exchanged (row {row}: {value}). Exchange the headers of the two columns, or "
                "map them the other way round."
            ),
            **_example(survey, SWAPPED),
        )


def _example(survey: _Survey, code: int) -> dict[str, Any]:
    at = int(np.argmax(survey.reason == code))
    return {"row": int(survey.row[at]), "value": survey.where.get(at, ("", ""))[1]}


def _check_text(table: Table, survey: _Survey) -> None:
    """Refuse a list whose names were decoded wrongly before they came here."""
    names = survey.columns.fields.get("name")
    texts = [*table.headers, *(survey.preview[names].tolist() if names in survey.preview else [])]
    if readers.garbled(texts):
        raise FileError(
            N_("The text is garbled: it was decoded wrongly when the file was made. Export the list again as UTF-8.")
        )


def _check_ids(survey: _Survey) -> _Survey:
    """Take a column that repeats itself for no identifier; of a few repeated ones reject the later rows."""
    has = (survey.id_hash != 0) & (survey.reason == OK)
    if not has.any():
        return survey
    different = len(np.unique(survey.id_hash[has]))
    if different <= MOST_REJECTED * has.sum() and has.sum() > 1:
        survey.columns = survey.columns.without("source_id")
        survey.id_hash[:] = 0
    return survey


# --- where a row is -----------------------------------------------------------------------------------------------


@dataclass
class _Placed:
    lon: Floats
    lat: Floats
    reason: NDArray[np.int8]
    where: dict[int, tuple[str, str]]


def _pair_text(frame: pd.DataFrame, pair: Pair) -> tuple[pd.Series, pd.Series]:
    if pair.lon != pair.lat:
        return frame[pair.lon], frame[pair.lat]
    first, second = values.split_pair(frame[pair.lon])
    return (second, first) if pair.latitude_first else (first, second)


def _place(chunk: Chunk, kind: str, columns: _Columns, transform: Transformer | None) -> _Placed:
    if columns.pair is None:
        return _placed_shapes(chunk, kind, transform)
    texts = _pair_text(chunk.frame, columns.pair)
    lon, no_lon, bad_lon = values.degrees(texts[0])
    lat, no_lat, bad_lat = values.degrees(texts[1])
    reason = _judged(lon, lat)
    reason[bad_lon | bad_lat] = NOT_A_NUMBER
    reason[no_lon | no_lat] = NO_COORDINATES
    where: dict[int, tuple[str, str]] = {}
    for at in (reason != OK).nonzero()[0].tolist():
        where[at] = _blamed(at, int(reason[at]), columns.pair, texts, (no_lon, no_lat), (bad_lon, bad_lat), (lon, lat))
    return _Placed(lon, lat, reason, where)


def _blamed(
    at: int,
    code: int,
    pair: Pair,
    texts: tuple[pd.Series, pd.Series],
    missing: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    bad: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    degrees: tuple[Floats, Floats],
) -> tuple[str, str]:
    """Return the column to blame for a row that cannot be placed, and what stands there."""
    both = ", ".join(texts[axis].iloc[at].strip() for axis in (0, 1))[:LONGEST_VALUE]
    if code == NO_COORDINATES:
        return pair[0 if missing[0][at] else 1], ""
    if code == NOT_A_NUMBER:
        axis = 0 if bad[0][at] else 1
        return pair[axis], texts[axis].iloc[at].strip()[:LONGEST_VALUE]
    if code == IMPOSSIBLE:
        axis = 0 if abs(degrees[0][at]) > 180 else 1
        return pair[axis], texts[axis].iloc[at].strip()[:LONGEST_VALUE]
    return pair.lon, both


def _placed_shapes(chunk: Chunk, kind: str, transform: Transformer | None) -> _Placed:
    assert chunk.lon is not None and chunk.lat is not None and chunk.shapes is not None
    lon, lat = chunk.lon.copy(), chunk.lat.copy()
    missing = np.isnan(lon) | np.isnan(lat)
    if transform is not None:
        lon, lat = transform.transform(lon, lat)
        lost = ~(np.isfinite(lon) & np.isfinite(lat))
        lon[lost] = lat[lost] = np.nan
    reason = _judged(lon, lat)
    reason[np.isnan(lon)] = IMPOSSIBLE
    reason[missing] = NO_COORDINATES
    if kind in ("merchants", "outlets", "customers") and transform is None:
        west, south, east, north = shapely.bounds(chunk.shapes).T
        with np.errstate(invalid="ignore"):
            wide = np.maximum(east - west, north - south) > LARGEST_SHOP_DEG
        reason[wide & (reason == OK)] = TOO_LARGE
    where = {at: ("geometry", f"{lon[at]:.6g}, {lat[at]:.6g}") for at in (reason > NO_COORDINATES).nonzero()[0].tolist()}
    where |= {at: ("geometry", "") for at in (reason == NO_COORDINATES).nonzero()[0].tolist()}
    return _Placed(lon, lat, reason, where)


def _judged(lon: Floats, lat: Floats) -> NDArray[np.int8]:
    """Return the reason why each position cannot be one in China; OK where it can, also where it is missing."""
    reason = np.full(len(lon), FOREIGN, dtype=np.int8)
    with np.errstate(invalid="ignore"):
        inside = _in_china(lon, lat)
        swapped = ~inside & _in_china(lat, lon)
        impossible = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        metres = ((np.abs(lon) > 1000) & (np.abs(lat) > 1000)) | (np.abs(lat) > 100_000) | (np.abs(lon) > 100_000)
        nowhere = (lon == 0) & (lat == 0)
    reason[impossible] = IMPOSSIBLE
    reason[metres] = METRES
    reason[swapped] = SWAPPED
    reason[nowhere] = NO_COORDINATES
    reason[inside] = OK
    return reason


def _in_china(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    outline = _outline()
    west, south, east, north = outline.bounds
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    inside[inside] = shapely.contains_xy(outline, lon[inside], lat[inside])
    return inside


def _outline() -> shapely.Geometry:
    """Return a generous outline of China with its seas (from Natural Earth, public domain): it only tells here from abroad."""
    if not _OUTLINE:
        outline = shapely.from_wkt(Path(__file__).with_name("china_outline.wkt").read_text())
        shapely.prepare(outline)
        _OUTLINE.append(outline)
    return _OUTLINE[0]


_OUTLINE: list[shapely.Geometry] = []


# --- what a row is ------------------------------------------------------------------------------------------------


def _text(frame: pd.DataFrame, columns: _Columns, name: str) -> pd.Series | None:
    header = columns.fields.get(name)
    return None if header is None else values.present(values.tidy(frame[header]))


def _names(frame: pd.DataFrame, columns: _Columns) -> pd.Series:
    """Return names; of a nameless row its address."""
    names = _text(frame, columns, "name")
    address = _text(frame, columns, "address")
    if names is None:
        names = pd.Series([""] * len(frame), dtype="str") if address is None else address
    elif address is not None:
        names = names.mask(names == "", address)
    return names


def _categories(frame: pd.DataFrame, columns: _Columns) -> tuple[NDArray[np.object_], int]:
    header = columns.fields.get("category")
    if header is None:
        return np.full(len(frame), columns.hint, dtype=object), 0
    codes = kinds.category_codes(frame[header])
    return codes, int(((codes == "") & (frame[header].str.strip() != "").to_numpy(bool)).sum())


def _category_numbers(
    codes: NDArray[np.object_] | None, names: pd.Series
) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    """Return the category id of each row, and 1 + the outlet kind of those that are outlets."""
    if codes is None:
        return np.zeros(len(names), np.int16), np.zeros(len(names), np.int8)
    id_of = dict(zip(catalogue.CATEGORIES["code"], catalogue.CATEGORIES["id"], strict=True))
    category = pd.Series(codes, dtype=object).map(id_of).fillna(catalogue.OTHER_CATEGORY).to_numpy(np.int16)
    number_of = {"": 0, **{kind: at for at, kind in enumerate(catalogue.OUTLET_KINDS, start=1)}}
    outlet = pd.Series(kinds.outlet_kinds(names, codes), dtype=object).map(number_of).to_numpy(np.int8)
    return category, outlet


def _length(table: SqlTable, name: str) -> int:
    return int(getattr(table.c[name].type, "length", 0) or 0)


# --- the datum ----------------------------------------------------------------------------------------------------


def _proof(session: Session, branch_id: int, table: Table, survey: _Survey, datum: str) -> Proof:
    if datum != "auto":
        if datum not in DATUMS:
            raise FileError(N_("There is no datum {datum}; there are {datums}."), datum=datum, datums=", ".join(DATUMS))
        return Proof(datum, "stated")
    # A projection became WGS 84 on the way in; what the words say was about something else.
    found = proof.by_crs(table.epsg)
    if found.datum:
        return found
    found = proof.by_words(survey.columns.pair, table.headers, table.name, table.sheet)
    paired = _paired(survey)
    if found.datum and paired is not None and paired.datum not in (None, found.datum):
        return Proof()
    if found.datum:
        return found
    if paired is not None and paired.datum:
        return paired
    return _matched(session, branch_id, survey)


def _paired(survey: _Survey) -> Proof | None:
    """Return what the other coordinates of the same rows prove; None where there are none."""
    proofs = []
    for pair, other in zip(survey.columns.others, survey.others, strict=True):
        count = len(other[0])
        own = survey.lon[:count], survey.lat[:count]
        proofs.append(proof.by_pair(own, other, pair.datum))
    found = {each.datum for each in proofs if each.datum}
    if len(found) == 1:
        return Proof(found.pop(), "pair")
    return Proof() if proofs else None


def _matched(session: Session, branch_id: int, survey: _Survey) -> Proof:
    known = _known_names(session, branch_id)
    if len(known) < proof.MATCHES_NEEDED:
        return Proof()
    at = (survey.reason == OK).nonzero()[0]
    own = pd.DataFrame({"key": survey.name_hash[at], "lon": survey.lon[at], "lat": survey.lat[at]})
    own = own[own["key"] != _EMPTY_NAME].drop_duplicates("key", keep=False)
    both = own.merge(known, on="key", suffixes=("", "_known"))
    return proof.by_matches(*(both[name].to_numpy() for name in ("lon", "lat", "lon_known", "lat_known")))


_EMPTY_NAME = int(pd.util.hash_array(np.array([""], dtype=object), categorize=False)[0])


def _known_names(session: Session, branch_id: int) -> pd.DataFrame:
    """Return the names that the branch has once, as hashes, with their positions."""
    parts = [
        _keyed(chunk)[["key", "lon", "lat"]]
        for table in (tables.merchants, tables.outlets, tables.places)
        for chunk in _stored(session, table, branch_id, ("name", "lon", "lat"))
    ]
    frame = pd.concat(parts) if parts else pd.DataFrame({"key": np.empty(0, np.uint64), "lon": [], "lat": []})
    return frame.drop_duplicates("key", keep=False)


def _keyed(chunk: pd.DataFrame) -> pd.DataFrame:
    return chunk.assign(key=_hashes(values.name_keys(chunk["name"].astype("str"))))


def _stored(session: Session, table: SqlTable, branch_id: int, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield what the branch has, some rows at a time."""
    query = select(*(table.c[name] for name in names)).where(table.c.branch_id == branch_id)
    for rows in session.execute(query.execution_options(yield_per=readers.CHUNK_ROWS)).partitions():
        yield pd.DataFrame(rows, columns=list(names))


# --- storing ------------------------------------------------------------------------------------------------------


class _Import:
    """One list on its way into the store."""

    def __init__(
        self,
        session: Session,
        asker: Asker,
        table: Table,
        survey: _Survey,
        found: Proof,
        kind: str,
        branch_id: int,
        bank: str,
        watch: _Watch,
    ) -> None:
        assert found.datum is not None and found.how is not None
        self.session = session
        self.asker = asker
        self.table = table
        self.survey = survey
        self.datum = found.datum
        self.how = found.how
        self.kind = kind
        self.branch_id = branch_id
        self.bank = bank
        self.watch = watch
        self.warnings: dict[str, int] = {}
        self.managers: dict[str, int] = {}
        self.outcome = np.full(len(survey.row), REJECTED, dtype=np.int8)
        self.target = np.zeros(len(survey.row), dtype=np.int64)
        """The stored row's id, of rows that are updated."""

    def run(self, keep: bool = True) -> ImportReport:
        branches.lock_version(self.session, self.branch_id)
        batch = self._open_batch()
        lon, lat = convert(self.survey.lon, self.survey.lat, self.datum, "wgs84")
        self._decide(lon, lat)
        self._store(batch, lon, lat)
        counts = self._counts()
        self.session.execute(update(tables.batches).where(tables.batches.c.id == batch).values(counts=counts))
        audit(self.session, self.asker, "import", self.branch_id, f"batch {batch}", kind=self.kind, **_flat(counts))
        version = None
        if keep:
            version = branches.new_version(self.session, self.asker, self.branch_id, "import", batch)
        return self._report(batch, version, counts)

    def _open_batch(self) -> int:
        row = {
            "branch_id": self.branch_id,
            "kind": self.kind,
            "file_name": (self.table.name or "-")[-_length(tables.batches, "file_name") :],
            "file_hash": self.table.sha256,
            "mapping": self.survey.columns.as_mapping(),
            "datum": self.datum,
            "encoding": self.table.encoding,
            "counts": {},
            "by": self.asker.name,
        }
        batch: int = self.session.execute(insert(tables.batches).values(row)).inserted_primary_key[0]  # type: ignore[index]  # one row, always there
        return batch

    def _counts(self) -> dict[str, Any]:
        counts = np.bincount(self.outcome, minlength=4)
        kept = (self.outcome == ACCEPTED) | (self.outcome == UPDATED)
        return {
            "rows": len(self.outcome),
            "accepted": int(counts[ACCEPTED]),
            "updated": int(counts[UPDATED]),
            "duplicates": int(counts[DUPLICATE]),
            "rejected": int(counts[REJECTED]),
            "outlets": int((kept & (self.survey.outlet > 0)).sum()),
            "reasons": self.survey.reasons(),
        }

    def _report(self, batch: int, version: int | None, counts: dict[str, Any]) -> ImportReport:
        return ImportReport(
            batch=batch,
            **counts,
            datum=self.datum,
            datum_how=self.how,
            encoding=self.table.encoding,
            sheet=self.table.sheet,
            mapping=self.survey.columns.as_mapping(),
            warnings=self.warnings,
            version=version,
            rejects=self.survey.rejects(),
        )

    def _warn(self, code: str, count: int) -> None:
        if count:
            self.warnings[code] = self.warnings.get(code, 0) + count

    # which rows are new

    def _decide(self, lon: Floats, lat: Floats) -> None:
        """Say of every good row whether it is new, an update or a duplicate."""
        survey = self.survey
        if self.survey.unknown_categories:
            self._warn("unknown_category", survey.unknown_categories)
        what = np.where(survey.outlet > 0, 1000 * survey.outlet.astype(np.int64), survey.category)
        keys = _row_keys(survey.name_hash, lon, lat, what)
        good = survey.reason == OK
        has_id = survey.id_hash != 0
        stored = self._stored_rows()
        if has_id.any():
            self._drop_foreign_ids(stored, good, lon, lat)
            has_id = survey.id_hash != 0
        again = np.zeros(len(good), dtype=bool)
        again[good] = pd.Series(keys[good]).duplicated().to_numpy(bool)
        repeated = np.zeros(len(good), dtype=bool)
        at = (good & has_id).nonzero()[0]
        repeated[at] = pd.Series(_mixed(survey.id_hash[at], survey.outlet[at] > 0)).duplicated().to_numpy(bool)
        survey.reason[repeated & ~again] = REPEATED_ID
        self._blame_ids(repeated & ~again)
        good = survey.reason == OK
        self._settle(stored, keys, good, has_id, again, repeated)

    def _settle(
        self,
        stored: _StoredRows,
        keys: NDArray[np.uint64],
        good: NDArray[np.bool_],
        has_id: NDArray[np.bool_],
        again: NDArray[np.bool_],
        repeated: NDArray[np.bool_],
    ) -> None:
        self.outcome[good] = ACCEPTED
        known = stored.by_id(self.survey.id_hash, self.survey.outlet > 0)
        updates = good & has_id & (known > 0)
        self.target[updates] = known[updates]
        self.outcome[updates] = UPDATED
        self.outcome[good & repeated] = DUPLICATE
        nameless = good & ~has_id
        self.outcome[nameless & (again | np.isin(keys, stored.key))] = DUPLICATE

    def _blame_ids(self, at: NDArray[np.bool_]) -> None:
        header = self.survey.columns.fields.get("source_id", "")
        self.survey.where.update({int(position): (header, "") for position in at.nonzero()[0]})

    def _drop_foreign_ids(self, stored: _StoredRows, good: NDArray[np.bool_], lon: Floats, lat: Floats) -> None:
        """
        Let go of identifiers that another list has used for other things.

        Many lists just count their rows: the 17th shop of one list is not the 17th of the next, and must not
        overwrite it.
        """
        survey = self.survey
        same, shared = stored.agreement(survey, good, lon, lat)
        if shared and same < SAME_LIST_SHARE * shared:
            self._warn("ids_of_another_list", shared)
            survey.columns = survey.columns.without("source_id")
            survey.id_hash[:] = 0

    def _stored_rows(self) -> _StoredRows:
        layers = ["merchants", "outlets"] if self.kind == "merchants" else [self.kind]
        return _StoredRows.read(self.session, self.branch_id, layers, self.kind)

    # row by row into tables

    def _store(self, batch: int, lon: Floats, lat: Floats) -> None:
        start = 0
        total = len(self.outcome)
        counts = iter(self.survey.parts)
        for chunk in self.table.chunks():
            own, odd = next(counts), next(counts)
            part = slice(start, start + own)
            start += own + odd
            self._store_chunk(batch, chunk, part, lon[part], lat[part])
            self.watch.at("storing", start, total)

    def _store_chunk(self, batch: int, chunk: Chunk, part: slice, lon: Floats, lat: Floats) -> None:
        outcome = self.outcome[part]
        keep = (outcome == ACCEPTED) | (outcome == UPDATED)
        if not keep.any():
            return
        frame = chunk.frame[keep].reset_index(drop=True)
        self._chunk = _Kept(
            frame=frame,
            rows=chunk.rows[keep],
            lon=lon[keep],
            lat=lat[keep],
            category=self.survey.category[part][keep],
            outlet=self.survey.outlet[part][keep],
            target=np.where(outcome == UPDATED, self.target[part], 0)[keep],
            shapes=None if chunk.shapes is None else chunk.shapes[keep],
        )
        built = _BUILDERS[self.kind](self)
        built["branch_id"] = self.branch_id
        built["batch_id"] = batch
        if self.kind != "merchants":
            self._write(getattr(tables, self.kind), built, self._chunk.target)
            return
        is_outlet = self._chunk.outlet > 0
        self._write(tables.merchants, built[~is_outlet].drop(columns=["kind", "is_own"]), self._chunk.target[~is_outlet])
        outlets = built[is_outlet].drop(columns=["category_id", "status", "hours", "manager_id"], errors="ignore")
        self._write(tables.outlets, outlets, self._chunk.target[is_outlet])

    def _write(self, table: SqlTable, frame: pd.DataFrame, target: NDArray[np.int64]) -> None:
        holdings = frame.pop("holdings") if "holdings" in frame else None
        new, old = target == 0, target != 0
        ids = target.copy()
        if new.any():
            fresh = _filled(frame[new], table)
            if holdings is None:
                bulk.insert(self.session, table, fresh)
            else:
                ids[new] = bulk.insert_numbered(self.session, table, fresh)
        if old.any():
            _update(self.session, table, frame[old], target[old])
        if holdings is not None:
            self._write_holdings(ids, holdings, old)

    def _write_holdings(self, ids: NDArray[np.int64], holdings: pd.Series, old: NDArray[np.bool_]) -> None:
        if old.any():
            for some in np.array_split(ids[old], 1 + old.sum() // 500):
                self.session.execute(delete(tables.holdings).where(tables.holdings.c.customer_id.in_(some.tolist())))
        id_of = dict(zip(catalogue.PRODUCTS["code"], catalogue.PRODUCTS["id"], strict=True))
        pairs = pd.DataFrame({"customer_id": ids, "product": holdings.to_numpy()}).explode("product").dropna()
        pairs["product_id"] = pairs.pop("product").map(id_of)
        bulk.insert(self.session, tables.holdings, pairs.astype(np.int64))

    # what columns say

    def text(self, name: str, column: SqlTable) -> pd.Series | None:
        """Return a field's texts, no longer than the store keeps."""
        found = _text(self._chunk.frame, self.survey.columns, name)
        if found is None:
            return None
        limit = _length(column, name)
        if limit and (long := found.str.len() > limit).any():
            self._warn("too_long", int(long.sum()))
            found = found.str.slice(0, limit)
        return found.mask(found == "", None)

    def named(self, table: SqlTable, fallback: str) -> pd.Series:
        """Return names; a row with neither name nor address is called by what it is and its row."""
        chunk = self._chunk
        names = _names(chunk.frame, self.survey.columns).str.slice(0, _length(table, "name"))
        numbered = pd.Series([f"{fallback} {row}" for row in chunk.rows], dtype="str") if (names == "").any() else names
        return names.mask(names == "", numbered)

    def amount(self, name: str) -> Floats | None:
        """Return a field's numbers, NaN where there is none."""
        header = self.survey.columns.fields.get(name)
        if header is None:
            return None
        found, bad = values.numbers(self._chunk.frame[header], headers.unit_factor(header))
        self._warn("not_an_amount", int(bad.sum()))
        found[np.abs(found) > 1e15] = np.nan
        return found

    def whole(self, name: str) -> pd.Series | None:
        """Return a field's counts as whole numbers."""
        found = self.amount(name)
        if found is None:
            return None
        found[(found < 0) | (found > 2**31 - 1)] = np.nan
        return pd.Series(np.round(found)).astype("Int64")

    def coded(self, name: str, kind: str, warning: str) -> pd.Series | None:
        """Return a field's codes, None where it says nothing known."""
        header = self.survey.columns.fields.get(name)
        if header is None:
            return None
        found, unknown = values.codes(self._chunk.frame[header], kind)
        self._warn(warning, int(unknown.sum()))
        series = pd.Series(found, dtype=object)
        return series.mask(series == "", None)

    def manager_ids(self) -> pd.Series | None:
        """Return the person of each manager named, added where the branch has none of that name."""
        names = _text(self._chunk.frame, self.survey.columns, "manager")
        if names is None:
            return None
        names = names.str.slice(0, _length(tables.people, "name"))
        if not self.managers:
            at = tables.person_branches.c
            query = select(tables.people.c.name, tables.people.c.id).join(tables.person_branches)
            rows = self.session.execute(query.where(at.branch_id == self.branch_id))
            self.managers = {row.name: row.id for row in rows}
        for name in sorted(set(names.unique()) - set(self.managers) - {""}):
            self.managers[name] = person_named(
                self.session, name, role=None, branch_ids=[self.branch_id], asker=self.asker
            )
        return names.map(self.managers).astype("Int64")


@dataclass
class _Kept:
    """The rows of a chunk that go into the store."""

    frame: pd.DataFrame
    rows: NDArray[np.int64]
    lon: Floats
    lat: Floats
    category: NDArray[np.int16]
    outlet: NDArray[np.int8]
    target: NDArray[np.int64]
    shapes: NDArray[np.object_] | None


def _flat(counts: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if isinstance(count, int)}


def _columns_of(job: _Import, table: SqlTable, **given: Any) -> pd.DataFrame:
    """Return a frame of the columns that the list has; those it has not are absent, so that an update leaves them."""
    return pd.DataFrame({name: column for name, column in given.items() if column is not None}).assign(
        lon=job._chunk.lon, lat=job._chunk.lat
    )


def _merchants(job: _Import) -> pd.DataFrame:
    chunk = job._chunk
    names = job.named(tables.merchants, _word_of(job))
    given = job.survey.columns.fields
    built = _columns_of(
        job,
        tables.merchants,
        source_id=job.text("source_id", tables.merchants),
        name=names,
        initials=values.initials(names),
        category_id=pd.Series(chunk.category) if "category" in given or job.survey.columns.hint or (chunk.target == 0).any() else None,
        status=job.coded("status", "status", "unknown_status"),
        address=job.text("address", tables.merchants),
        phone=job.text("phone", tables.merchants),
        hours=job.text("hours", tables.merchants),
        manager_id=job.manager_ids(),
    )
    kinds_of = np.array(["", *catalogue.OUTLET_KINDS], dtype=object)
    return built.assign(kind=kinds_of[chunk.outlet], is_own=kinds.own(names, job.bank))


def _word_of(job: _Import) -> str:
    return {"merchants": "商户", "outlets": "网点", "places": "场所"}.get(job.kind, "")


def _outlets(job: _Import) -> pd.DataFrame:
    names = job.named(tables.outlets, _word_of(job))
    brand = _text(job._chunk.frame, job.survey.columns, "brand")
    kind = job.coded("kind", "outlet", "unknown_kind")
    from_name = pd.Series(kinds.outlet_kinds(names, np.full(len(names), "", dtype=object)), dtype=object)
    from_name = from_name.mask(from_name == "", "bank")
    kind = from_name if kind is None else kind.fillna(from_name)
    is_own = kinds.own(names, job.bank)
    if brand is not None:
        is_own |= kinds.own(brand, job.bank)
    return _columns_of(
        job,
        tables.outlets,
        source_id=job.text("source_id", tables.outlets),
        name=names,
        initials=values.initials(names),
        kind=kind.mask((kind == "bank") & (from_name == "atm"), "atm"),
        is_own=is_own,
        address=job.text("address", tables.outlets),
        phone=job.text("phone", tables.outlets),
    )


def _places(job: _Import) -> pd.DataFrame:
    names = job.named(tables.places, _word_of(job))
    kind = job.coded("kind", "place", "unknown_kind")
    if kind is None or kind.isna().any():
        guessed = pd.Series(values.codes(names, "place")[0], dtype=object)
        guessed = guessed.mask(guessed == "", "community")
        kind = guessed if kind is None else kind.fillna(guessed)
    return _columns_of(
        job,
        tables.places,
        source_id=job.text("source_id", tables.places),
        name=names,
        initials=values.initials(names),
        kind=kind,
        households=job.whole("households"),
        adults=job.whole("adults"),
        employees=job.whole("employees"),
        shape=_shapes(job),
        address=job.text("address", tables.places),
    )


def _shapes(job: _Import) -> pd.Series | None:
    """Return the WKB of polygons in WGS 84, None where a place is a point."""
    shapes = job._chunk.shapes
    if shapes is None:
        return None
    areas = np.isin(shapely.get_type_id(shapes), (3, 6))
    if not areas.any():
        return None
    transform = _transformer(job.table.epsg)

    def to_wgs84(points: Floats) -> Floats:
        x, y = (points[:, 0], points[:, 1]) if transform is None else transform.transform(points[:, 0], points[:, 1])
        return np.column_stack(convert(x, y, job.datum, "wgs84"))

    wkb = np.full(len(shapes), None, dtype=object)
    valid = shapely.make_valid(shapely.force_2d(shapes[areas]), method="structure", keep_collapsed=False)
    wkb[areas] = shapely.to_wkb(shapely.transform(valid, to_wgs84))
    return pd.Series(wkb, dtype=object)


def _customers(job: _Import) -> pd.DataFrame:
    columns, frame = job.survey.columns, job._chunk.frame
    deposits, assets, size = job.amount("deposits"), job.amount("assets"), job.whole("size")
    return _columns_of(
        job,
        tables.customers,
        source_id=job.text("source_id", tables.customers),
        existing=_existing(job, deposits, size),
        group_id=_group_ids(job),
        size=None if size is None else size.fillna(1).clip(lower=1),
        name=job.text("name", tables.customers),
        phone=job.text("phone", tables.customers),
        address=job.text("address", tables.customers),
        tier=_tiers(job, deposits, assets),
        deposits=deposits,
        assets=assets,
        manager_id=job.manager_ids(),
        is_key=None if "key" not in columns.fields else values.truths(frame[columns.fields["key"]])[0] == 1,
        tags=_lists(job, "tags"),
        channels=_lists(job, "channels"),
        holdings=_holdings(job),
    )


def _existing(job: _Import, deposits: Floats | None, size: pd.Series | None) -> NDArray[np.bool_]:
    """Return who is a customer already: as the list says, else whoever has deposits, and nobody in a group of many."""
    count = len(job._chunk.frame)
    has_money = np.zeros(count, dtype=bool) if deposits is None else deposits > 0
    told = job.survey.columns.fields.get("existing")
    if told is None:
        many = np.zeros(count, dtype=bool) if size is None else (size > 1).fillna(False).to_numpy(bool)
        return (has_money | (deposits is None)) & ~many
    found, _ = values.truths(job._chunk.frame[told])
    return np.where(np.isnan(found), has_money, found == 1)


def _group_ids(job: _Import) -> pd.Series | None:
    found = job.coded("group", "group", "unknown_group")
    if found is None:
        return pd.Series(np.full(len(job._chunk.frame), catalogue.OTHER_GROUP)) if (job._chunk.target == 0).any() else None
    id_of = dict(zip(catalogue.GROUPS["code"], catalogue.GROUPS["id"], strict=True))
    return found.map(id_of).fillna(catalogue.OTHER_GROUP).astype(np.int64)


def _tiers(job: _Import, deposits: Floats | None, assets: Floats | None) -> pd.Series | None:
    """Return the tier as the list says, else by the household's assets, else by the deposits here."""
    told = job.coded("tier", "tier", "unknown_tier")
    amount = deposits if assets is None else assets if deposits is None else np.where(np.isnan(assets), deposits, assets)
    if amount is None:
        return told
    floors = np.array([tier.from_yuan for tier in catalogue.TIERS])
    codes = np.array(catalogue.TIER_CODES, dtype=object)
    worked_out = pd.Series(codes[np.searchsorted(floors, np.maximum(np.nan_to_num(amount), 0), side="right") - 1], dtype=object)
    worked_out = worked_out.mask(np.isnan(amount), None)
    return worked_out if told is None else told.fillna(worked_out)


def _lists(job: _Import, name: str) -> pd.Series | None:
    header = job.survey.columns.fields.get(name)
    if header is None:
        return None
    return pd.Series(values.word_lists(job._chunk.frame[header], _length(tables.customers, name)), dtype=object)


def _holdings(job: _Import) -> pd.Series | None:
    header = job.survey.columns.fields.get("products")
    if header is None:
        return None
    found, unknown = values.product_codes(job._chunk.frame[header])
    job._warn("unknown_product", int(unknown.sum()))
    return pd.Series(found, dtype=object)


_BUILDERS: dict[str, Callable[[_Import], pd.DataFrame]] = {
    "merchants": _merchants,
    "customers": _customers,
    "outlets": _outlets,
    "places": _places,
}
_REQUIRED: dict[str, dict[str, Any]] = {
    "merchants": {"status": "known"},
    "customers": {"tags": "", "channels": "", "is_key": False, "size": 1},
}


def _filled(frame: pd.DataFrame, table: SqlTable) -> pd.DataFrame:
    """Return new rows with what a row must have."""
    given = _REQUIRED.get(table.name, {})
    return frame.assign(**{name: frame[name].fillna(value) for name, value in given.items() if name in frame})


def _update(session: Session, table: SqlTable, frame: pd.DataFrame, ids: NDArray[np.int64]) -> None:
    """Write what the list says over stored rows; a cell that says nothing leaves what is there."""
    frame = frame.drop(columns=["branch_id"])
    names = list(frame.columns)
    said = frame.notna()
    for pattern, rows in said.groupby(names, sort=False).groups.items():
        given = [name for name, has in zip(names, pattern if isinstance(pattern, tuple) else (pattern,), strict=True) if has]
        at = frame.index.get_indexer(rows)
        records = frame.iloc[at][given].astype(object).to_dict("records")
        params = [
            {f"new_{name}": _plain(value) for name, value in record.items()} | {"row_id": int(row_id)}
            for record, row_id in zip(records, ids[at], strict=True)
        ]
        statement = (
            update(table)
            .where(table.c.id == bindparam("row_id"))
            .values({name: bindparam(f"new_{name}") for name in given})
        )
        session.connection().execute(statement, params)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


# --- what the store has already -----------------------------------------------------------------------------------


def _row_keys(
    names: NDArray[np.uint64], lon: Floats, lat: Floats, category: NDArray[Any]
) -> NDArray[np.uint64]:
    """Return a number for what makes a row: its name, position and category."""
    x = np.round(np.nan_to_num(lon) * POINT_SCALE).astype(np.int64).astype(np.uint64)
    y = np.round(np.nan_to_num(lat) * POINT_SCALE).astype(np.int64).astype(np.uint64)
    key = names
    for part in (x, y, category.astype(np.int64).astype(np.uint64)):
        key = _mixed(key, part)
    return key


def _mixed(key: NDArray[np.uint64], part: NDArray[Any]) -> NDArray[np.uint64]:
    """Mix a number into hashes (splitmix64's finisher)."""
    with np.errstate(over="ignore"):
        mixed = (key ^ part.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


@dataclass
class _StoredRows:
    """The branch's rows as numbers: what makes each, its identifier and its id."""

    key: NDArray[np.uint64]
    id: NDArray[np.int64]
    source: NDArray[np.uint64]
    """Hash of the identifier, sorted; only rows that have one."""
    source_row: NDArray[np.int64]
    """Position of that row in the other arrays."""
    name: NDArray[np.uint64]
    lon: Floats
    lat: Floats

    @classmethod
    def read(cls, session: Session, branch_id: int, layers: Sequence[str], kind: str) -> _StoredRows:
        parts = [
            _stored_part(chunk, layer, kind)
            for layer in layers
            for chunk in _stored(session, getattr(tables, layer), branch_id, _KEYED[layer])
        ]
        if not parts:
            parts = [_stored_part(pd.DataFrame(columns=list(_KEYED[layers[0]])), layers[0], kind)]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        has = (joined["source"] != 0).nonzero()[0]
        order = has[np.argsort(joined["source"][has], kind="stable")]
        return cls(
            key=joined["key"],
            id=joined["id"],
            source=joined["source"][order],
            source_row=order,
            name=joined["name"],
            lon=joined["lon"],
            lat=joined["lat"],
        )

    def by_id(self, hashes: NDArray[np.uint64], is_outlet: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the stored id of each identifier, 0 for one that is new."""
        row = self._row(hashes, is_outlet)
        return np.where(row >= 0, self.id[row], 0) if len(self.id) else np.zeros(len(hashes), np.int64)

    def _row(self, hashes: NDArray[np.uint64], is_outlet: NDArray[np.bool_]) -> NDArray[np.int64]:
        if not len(self.source):
            return np.full(len(hashes), -1, dtype=np.int64)
        wanted = np.where(hashes == 0, np.uint64(0), _mixed(hashes, is_outlet))
        at = np.minimum(np.searchsorted(self.source, wanted), len(self.source) - 1)
        return np.where((self.source[at] == wanted) & (hashes != 0), self.source_row[at], -1)

    def agreement(
        self, survey: _Survey, good: NDArray[np.bool_], lon: Floats, lat: Floats
    ) -> tuple[int, int]:
        """Return how many identifiers of the list the store has for the same thing, and how many it has at all."""
        row = self._row(survey.id_hash, survey.outlet > 0)
        at = (good & (row >= 0)).nonzero()[0]
        there = row[at]
        near = (np.abs(self.lon[there] - lon[at]) < NEAR_DEG) & (np.abs(self.lat[there] - lat[at]) < NEAR_DEG)
        same_name = self.name[there] == survey.name_hash[at]
        return int((same_name | near).sum()), len(at)


_KEYED = {
    "merchants": ("id", "source_id", "name", "lon", "lat", "category_id"),
    "outlets": ("id", "source_id", "name", "lon", "lat", "kind"),
    "places": ("id", "source_id", "name", "lon", "lat"),
    "customers": ("id", "source_id", "name", "lon", "lat"),
}


def _stored_part(chunk: pd.DataFrame, layer: str, kind: str) -> dict[str, NDArray[Any]]:
    names = _hashes(values.name_keys(chunk["name"].fillna("").astype("str")))
    lon, lat = chunk["lon"].to_numpy(np.float64), chunk["lat"].to_numpy(np.float64)
    category = np.zeros(len(chunk), dtype=np.int64)
    is_outlet = kind == "merchants" and layer == "outlets"
    if layer == "merchants":
        category = chunk["category_id"].to_numpy(np.int64)
    ids = chunk["source_id"].fillna("").astype("str")
    source = _hashes(ids)
    source = np.where((ids == "").to_numpy(bool), np.uint64(0), _mixed(source, np.full(len(chunk), is_outlet)))
    if is_outlet:
        number_of = {each: at for at, each in enumerate(catalogue.OUTLET_KINDS, start=1)}
        category = 1000 * chunk["kind"].map(number_of).fillna(0).to_numpy(np.int64)
    return {
        "key": _row_keys(names, lon, lat, category),
        "id": chunk["id"].to_numpy(np.int64),
        "source": source,
        "name": names,
        "lon": lon,
        "lat": lat,
    }


def rejects_table(rejects: pd.DataFrame, say: Callable[..., str]) -> pd.DataFrame:
    """Return rejected rows with the reason in words, for the screen or a file."""
    reasons = [say(REASONS[code], **params) for code, params in zip(rejects["reason"], rejects["params"], strict=True)]
    return pd.DataFrame({"row": rejects["row"], "column": rejects["column"], "reason": pd.Series(reasons, dtype="str")})

