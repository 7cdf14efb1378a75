"""What a branch has already, as numbers that are quickly compared: names, positions, identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import catalogue, tables
from data.files import readers
from data.lists.cells import own_names
from data.lists.survey import LICENCE, Survey, hashes
from data.meaning import headers, values

Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]
NEAR_DEG = 0.01
POINT_SCALE = 1e6  # two positions are one when they agree to a millionth of a degree


EMPTY_NAME = int(pd.util.hash_array(np.array([""], dtype=object), categorize=False)[0])


def names_once(session: Session, branch_id: int) -> pd.DataFrame:
    """Return the names that the branch has once, as hashes, with their positions."""
    parts = [
        _keyed(chunk)[["key", "lon", "lat"]]
        for table in (tables.merchants, tables.outlets, tables.places)
        for chunk in _stored(session, table, branch_id, ("name", "lon", "lat"))
    ]
    frame = pd.concat(parts) if parts else pd.DataFrame({"key": np.empty(0, np.uint64), "lon": [], "lat": []})
    return frame.drop_duplicates("key", keep=False)


def _keyed(chunk: pd.DataFrame) -> pd.DataFrame:
    return chunk.assign(key=hashes(values.name_keys(chunk["name"].astype("str"))))


def _stored(
    session: Session, table: SqlTable, branch_id: int, names: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Yield what the branch has, some rows at a time."""
    query = select(*(table.c[name] for name in names)).where(table.c.branch_id == branch_id)
    for rows in session.execute(query.execution_options(yield_per=readers.CHUNK_ROWS)).partitions():
        yield pd.DataFrame(rows, columns=list(names))


def row_keys(names: Hashes, lon: Floats, lat: Floats, category: NDArray[Any]) -> Hashes:
    """Return a number for what makes a row: its name, position and category."""
    x = np.round(np.nan_to_num(lon) * POINT_SCALE).astype(np.int64).astype(np.uint64)
    y = np.round(np.nan_to_num(lat) * POINT_SCALE).astype(np.int64).astype(np.uint64)
    key = names
    for part in (x, y, category.astype(np.int64).astype(np.uint64)):
        key = mixed(key, part)
    return key


def mixed(key: Hashes, part: NDArray[Any]) -> Hashes:
    """Mix a number into hashes (splitmix64's finisher)."""
    with np.errstate(over="ignore"):
        new: Hashes = (key ^ part.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        new = (new ^ (new >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        new = (new ^ (new >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return new ^ (new >> np.uint64(31))


@dataclass
class StoredRows:
    """The branch's rows as numbers: what makes each, its identifier and its id."""

    key: Hashes
    id: NDArray[np.int64]
    is_outlet: NDArray[np.bool_]
    """Of what a list of merchants may meet; else false."""
    source: Hashes
    """Hash of the identifier, sorted; only rows that have one."""
    source_row: NDArray[np.int64]
    """Position of that row in the other arrays."""
    name: Hashes
    lon: Floats
    lat: Floats

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def read(cls, session: Session, branch_id: int, layers: Sequence[str], kind: str) -> StoredRows:
        """Read what a list of a kind may meet: rows of some layers."""
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
            is_outlet=joined["is_outlet"],
            source=joined["source"][order],
            source_row=order,
            name=joined["name"],
            lon=joined["lon"],
            lat=joined["lat"],
        )

    def by_source(self, hashes: Hashes, is_outlet: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return where the row with each identifier stands, -1 for one that is new."""
        if not len(self.source):
            return np.full(len(hashes), -1, dtype=np.int64)
        wanted = np.where(hashes == 0, np.uint64(0), mixed(hashes, is_outlet))
        found = self.source_row[_place(self.source, wanted)]
        return np.where(found_in(self.source, wanted) & (hashes != 0), found, -1)

    def by_key(self, keys: Hashes) -> NDArray[np.int64]:
        """Return where the row that is the same in name, position and category stands, -1 for a new one."""
        return _looked_up(self.key, keys)

    def by_spot(self, names: Hashes, lon: Floats, lat: Floats) -> NDArray[np.int64]:
        """Return where the row of the same name and position stands, whatever its category; -1 for none."""
        own = row_keys(self.name, self.lon, self.lat, np.zeros(len(self), np.int64))
        return _looked_up(own, row_keys(names, lon, lat, np.zeros(len(names), np.int64)))

    def by_id(self, ids: NDArray[np.int64], is_outlet: bool = False) -> NDArray[np.int64]:
        """Return where the row of a layer with each id stands, -1 for one that is not there."""
        of_layer = (self.is_outlet == is_outlet).nonzero()[0]
        found = _looked_up(self.id[of_layer], ids)
        return np.where(found >= 0, of_layer[found], -1) if len(of_layer) else found

    def agreement(self, survey: Survey, good: NDArray[np.bool_], lon: Floats, lat: Floats) -> tuple[int, int]:
        """Return how many identifiers mean the same thing in the store, and how many are there."""
        row = self.by_source(survey.id_hash, survey.outlet > 0)
        at = (good & (row >= 0)).nonzero()[0]
        return int(self.same(row[at], survey.name_hash[at], lon[at], lat[at]).sum()), len(at)

    def same(self, rows: NDArray[np.int64], names: Hashes, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Whether rows of ours, by where they stand, go by the same name as others, or are near them."""
        near = (np.abs(self.lon[rows] - lon) < NEAR_DEG) & (np.abs(self.lat[rows] - lat) < NEAR_DEG)
        same: NDArray[np.bool_] = near | (self.name[rows] == names)
        return same


def _place(ordered: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.intp]:
    return np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)


def found_in(ordered: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value is among ordered ones."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=bool)
    found: NDArray[np.bool_] = np.equal(ordered[_place(ordered, wanted)], wanted)
    return found


def _looked_up(values: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each wanted value stands among others, -1 for one that does not."""
    if not len(values):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return np.where(found_in(ordered, wanted), order[_place(ordered, wanted)], -1)


_LICENCE_KEPT = re.compile(rf'"[^"]*(?:{headers.LICENCE.pattern})[^"]*": "([^"]*)"', re.I)


def stored_texts(session: Session, branch_id: int, *, licences: bool = False) -> Iterator[pd.DataFrame]:
    """Yield what tells a branch's merchants apart, some at a time; missing texts are empty."""
    names = ["id", "name", "phone", "address", "lon", "lat", "category_id"]
    for chunk in _stored(session, tables.merchants, branch_id, names + ["attributes"] * licences):
        if licences:
            kept = [
                _LICENCE_KEPT.search(each) if isinstance(each, str) else None
                for each in chunk.pop("attributes").tolist()
            ]
            chunk[LICENCE] = pd.Series([found[1] if found else "" for found in kept], dtype="str")
        texts = {name: chunk[name].fillna("").astype("str") for name in ("name", "phone", "address")}
        yield chunk.assign(**texts)


_KEYED = {
    "merchants": ("id", "source_id", "name", "lon", "lat", "category_id"),
    "outlets": ("id", "source_id", "name", "lon", "lat", "kind"),
    "places": ("id", "source_id", "name", "lon", "lat"),
    "customers": ("id", "source_id", "name", "phone", "lon", "lat", "group_id"),
}


def _told_apart(chunk: pd.DataFrame) -> pd.Series:
    """Return what tells rows at one point apart, as `data.lists.survey` has it."""
    keys = values.name_keys(own_names(chunk["name"].fillna("").astype("str")))
    if "phone" not in chunk:
        return keys
    return keys + "/" + values.name_keys(chunk["phone"].fillna("").astype("str"))


def _stored_part(chunk: pd.DataFrame, layer: str, kind: str) -> dict[str, NDArray[Any]]:
    names = hashes(_told_apart(chunk))
    lon, lat = chunk["lon"].to_numpy(np.float64), chunk["lat"].to_numpy(np.float64)
    category: NDArray[Any] = np.zeros(len(chunk), dtype=np.int64)
    is_outlet = kind == "merchants" and layer == "outlets"
    if layer == "merchants":
        category = chunk["category_id"].to_numpy(np.int64)
    if layer == "customers":
        category = chunk["group_id"].to_numpy(np.int64)
    ids = chunk["source_id"].fillna("").astype("str")
    source = hashes(ids)
    source = np.where((ids == "").to_numpy(bool), np.uint64(0), mixed(source, np.full(len(chunk), is_outlet)))
    if is_outlet:
        number_of = {each: at for at, each in enumerate(catalogue.OUTLET_KINDS, start=1)}
        category = 1000 * chunk["kind"].map(number_of).fillna(0).to_numpy(np.int64)
    return {
        "key": row_keys(names, lon, lat, category),
        "id": chunk["id"].to_numpy(np.int64),
        "is_outlet": np.full(len(chunk), is_outlet),
        "source": source,
        "name": names,
        "lon": lon,
        "lat": lat,
    }
