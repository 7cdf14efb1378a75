"""What a branch has already, as numbers that are quickly compared: names, positions, identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import catalogue, readers, tables, values
from data.survey import Survey, hashes

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
    source: Hashes
    """Hash of the identifier, sorted; only rows that have one."""
    source_row: NDArray[np.int64]
    """Position of that row in the other arrays."""
    name: Hashes
    lon: Floats
    lat: Floats

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
            source=joined["source"][order],
            source_row=order,
            name=joined["name"],
            lon=joined["lon"],
            lat=joined["lat"],
        )

    def by_id(self, hashes: Hashes, is_outlet: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the stored id of each identifier, 0 for one that is new."""
        row = self._row(hashes, is_outlet)
        return np.where(row >= 0, self.id[row], 0) if len(self.id) else np.zeros(len(hashes), np.int64)

    def _row(self, hashes: Hashes, is_outlet: NDArray[np.bool_]) -> NDArray[np.int64]:
        if not len(self.source):
            return np.full(len(hashes), -1, dtype=np.int64)
        wanted = np.where(hashes == 0, np.uint64(0), mixed(hashes, is_outlet))
        at = np.minimum(np.searchsorted(self.source, wanted), len(self.source) - 1)
        return np.where((self.source[at] == wanted) & (hashes != 0), self.source_row[at], -1)

    def agreement(self, survey: Survey, good: NDArray[np.bool_], lon: Floats, lat: Floats) -> tuple[int, int]:
        """Return how many identifiers mean the same thing in the store, and how many are there."""
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
    "customers": ("id", "source_id", "name", "phone", "lon", "lat", "group_id"),
}


def _told_apart(chunk: pd.DataFrame) -> pd.Series:
    """Return what tells rows at one point apart, as `data.survey` has it."""
    keys = values.name_keys(chunk["name"].fillna("").astype("str"))
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
        "source": source,
        "name": names,
        "lon": lon,
        "lat": lat,
    }
