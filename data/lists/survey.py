"""
The first reading of a list: which column is what, where every row is, and what tells rows apart.

It keeps a few numbers of each row, so that the whole list can be judged before any of it is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable

from data import catalogue, tables
from data.files import readers
from data.files.readers import Chunk, Table
from data.lists import placing
from data.lists.cells import Cells, own_names
from data.lists.columns import Columns, columns_of
from data.lists.reasons import CODES, LONG_ID, METRES, NO_COORDINATES, OK, RAGGED, SWAPPED
from data.meaning import headers, kinds, values
from data.meaning.headers import Pair
from geo.errors import N_, FileError

Floats = NDArray[np.float64]

KINDS = ("merchants", "customers", "outlets", "places")
MOST_REJECTED = 0.5  # of the rows; above it the user is asked first
PREVIEW_ROWS = 100
MOST_UNKNOWN = 1000  # different words
COMPARED = ("name", "phone", "address")
LICENCE = "licence"


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
    unknown: dict[str, int]
    """Category words that mean nothing to us, and how many rows say each."""
    texts: dict[str, pd.Series]
    """`COMPARED` of every row, and `LICENCE` if the list has it, where doubles are to be looked for."""
    transform: placing.ToDegrees | None = None
    """How the list's own coordinates became degrees, where they were none."""

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
    *,
    words: Mapping[str, str] | None = None,
    keep_texts: bool = False,
    near: placing.Near = None,
) -> Survey:
    """
    Read a list through.

    Parameters
    ----------
    table, kind, mapping, datum
        As `data.ingest.run_import` has them; a stated datum chooses among several coordinates.
    reading
        Told how much is read, 0-1.
    words
        What category words mean here, by `kinds.word_key`; they go before what everybody's words mean.
    keep_texts
        Whether `Survey.texts` are wanted.
    near
        Longitude and latitude of the branch, which tell zones of a projection apart.

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
    transform = None
    parts: list[Survey] = []
    start = 0
    for chunk in table.chunks():
        if not parts:
            transform = placing.to_degrees(table, chunk, columns.pair, near)
        parts.append(_survey_chunk(chunk, kind, columns, transform, start, words or {}, keep_texts))
        start += len(parts[-1].row)
        reading(chunk.done)
    if not start:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    survey = replace(_joined(parts), transform=transform)
    _check_places(survey)
    _check_text(table, survey)
    return _check_ids(survey)


def _survey_chunk(
    chunk: Chunk,
    kind: str,
    columns: Columns,
    transform: placing.ToDegrees | None,
    start: int,
    words: Mapping[str, str],
    keep_texts: bool,
) -> Survey:
    placed = placing.place(chunk, kind, columns.pair, transform)
    cells = Cells(chunk.frame, columns)
    count, odd = len(cells), len(chunk.ragged)
    category, outlet, warnings, unknown = _sorts(cells, kind, words)
    ids = cells.text("source_id")
    reason, where = placed.reason, placed.where
    if ids is not None:
        long = (ids.str.len() > length(tables.merchants, "source_id")).to_numpy(bool) & (reason == OK)
        reason[long] = LONG_ID
        where |= {int(at): (columns.fields["source_id"], "") for at in long.nonzero()[0]}
    return Survey(
        columns=columns,
        row=np.concatenate([chunk.rows, chunk.ragged["row"].to_numpy(np.int64)]),
        reason=np.concatenate([reason, np.full(odd, RAGGED, dtype=np.int8)]),
        lon=np.concatenate([placed.lon, np.full(odd, np.nan)]),
        lat=np.concatenate([placed.lat, np.full(odd, np.nan)]),
        name_hash=_padded(hashes(_told_apart(cells, kind)), odd),
        id_hash=_padded(_id_hashes(ids, count), odd),
        category=_padded(category, odd),
        outlet=_padded(outlet, odd),
        where={start + at: found for at, found in where.items()},
        ragged=_ragged(chunk, start + count),
        preview=_preview(chunk) if start < PREVIEW_ROWS else _preview(chunk).iloc[:0],
        parts=[count, odd],
        others=[tuple(_other(chunk.frame, pair)) for pair in columns.others] if start == 0 else [],  # type: ignore[misc]  # pairs
        said=_said(chunk.frame),
        warnings=warnings,
        unknown=unknown,
        texts=_compared(cells, odd) if keep_texts else {},
    )


def _ragged(chunk: Chunk, start: int) -> dict[int, tuple[int, int]]:
    pairs = zip(chunk.ragged["expected"], chunk.ragged["found"], strict=True)
    return {start + at: (int(expected), int(found)) for at, (expected, found) in enumerate(pairs)}


def _compared(cells: Cells, odd: int) -> dict[str, pd.Series]:
    """Return the texts that doubles are told by."""
    empty = pd.Series([""] * len(cells), dtype="str")
    found = {name: cells.names() if name == "name" else cells.text(name) for name in COMPARED}
    rest = pd.Series([""] * odd, dtype="str")
    texts = {name: empty if text is None else text for name, text in found.items()}
    licence = headers.licence_column(list(cells.frame.columns))
    if licence is not None:
        texts[LICENCE] = values.tidy(cells.frame[licence]).reset_index(drop=True)
    return {name: pd.concat([text, rest], ignore_index=True) if odd else text for name, text in texts.items()}


def _said(frame: pd.DataFrame) -> frozenset[str]:
    """Return the different words of a column that names the datum, a few of them."""
    found = [header for header in frame.columns if headers.plain(header) in headers.DATUM_COLUMNS]
    return frozenset(word for header in found for word in frame[header].unique()[:9] if word.strip())


def _told_apart(cells: Cells, kind: str) -> pd.Series:
    """Return what tells rows at one point apart: the name, and of people the phone as well."""
    keys = values.name_keys(own_names(cells.names()))
    if kind != "customers":
        return keys
    phone = cells.text("phone")
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
        transform=None,
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
        warnings=_added(part.warnings for part in parts),
        unknown=dict(Counter(_added(part.unknown for part in parts)).most_common(MOST_UNKNOWN)),
        texts={
            name: pd.concat([part.texts[name] for part in parts], ignore_index=True)
            for name in parts[0].texts
        },
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


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
    different = len(pd.unique(survey.id_hash[has]))
    if different < MOST_REJECTED * has.sum():
        survey.columns = survey.columns.without("source_id")
        survey.id_hash[:] = 0
        survey.warnings["ids_repeat"] = int(has.sum())
    return survey


Sorts = tuple[NDArray[np.int16], NDArray[np.int8], dict[str, int], dict[str, int]]


def _sorts(cells: Cells, kind: str, words: Mapping[str, str]) -> Sorts:
    """Return each row's category or customer group, 1 + the kind of outlet it is, and what was not known."""
    if kind == "merchants":
        return _merchant_sorts(cells, words)
    none = np.zeros(len(cells), np.int8)
    column = cells.column("group")
    if kind != "customers" or column is None:
        group = catalogue.OTHER_GROUP if kind == "customers" else 0
        return np.full(len(cells), group, np.int16), none, {}, {}
    codes, unknown = values.codes(column, "group")
    id_of = dict(zip(catalogue.GROUPS["code"], catalogue.GROUPS["id"], strict=True))
    groups = _numbers(codes, id_of, catalogue.OTHER_GROUP, np.int16)
    return groups, none, _counted("unknown_group", unknown), {}


def _merchant_sorts(cells: Cells, words: Mapping[str, str]) -> Sorts:
    """Work out what each different word means, and look at names only where words leave it to them."""
    said = cells.text("category")
    if said is None:
        said = pd.Series([""] * len(cells), dtype="str")
        different, codes = said.iloc[:1], np.array([cells.columns.hint], dtype=object)
        place = np.zeros(len(cells), dtype=np.intp)
    else:
        place, texts = pd.factorize(said)
        different = pd.Series(texts)
        codes = kinds.category_codes(different, words)
    id_of = dict(zip(catalogue.CATEGORIES["code"], catalogue.CATEGORIES["id"], strict=True))
    outlet = _outlet_numbers(cells.names(), codes, place)
    unknown = ((codes == "") & (different != "").to_numpy(bool))[place] & (outlet == 0)
    counted = np.bincount(place[unknown], minlength=len(different))
    words_unknown = {different.iloc[at]: int(counted[at]) for at in counted.nonzero()[0].tolist()}
    category = _numbers(codes, id_of, catalogue.OTHER_CATEGORY, np.int16)[place]
    return category, outlet, _counted("unknown_category", unknown), words_unknown


def _outlet_numbers(
    names: pd.Series, codes: NDArray[np.object_], place: NDArray[np.intp]
) -> NDArray[np.int8]:
    """Return 1 + each row's kind of outlet, 0 for a merchant; names decide what categories leave open."""
    number_of = {kind: at for at, kind in enumerate(catalogue.OUTLET_KINDS, start=1)}
    by_name = np.array([code in kinds.VAGUE or code == f"{kinds.OUTLET}bank" for code in codes], dtype=bool)
    plain = kinds.outlet_kinds(pd.Series([""] * len(codes), dtype="str"), codes)
    outlet = _numbers(plain, number_of, 0, np.int8)[place]
    at = by_name[place].nonzero()[0]
    if len(at):
        outlet[at] = _numbers(
            kinds.outlet_kinds(names.iloc[at].reset_index(drop=True), codes[place[at]]), number_of, 0, np.int8
        )
    return outlet


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
