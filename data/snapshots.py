"""
The working set: what figures and tiles read of a branch, immutable in memory, one a data version.

It holds where and what, never who: no name, phone, ID number or address. Rows of a layer are sorted along
the map's curve in WGS 84. Snapshots are shared by all threads, and let go when others need the room.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, event, select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from data import working
from data.catalogue import STATUSES
from data.database import reading
from data.kept import Kept
from data.rights import Asker, Right
from data.tables import branches
from geo import datum as datums
from geo.catchment import distances_m
from geo.errors import N_, NotFound
from geo.tiles import Curve
from geo.visits import day_number

MAX_BYTES = 3 << 29  # 1.5 GB
MAX_WORKED_BYTES = 1 << 28  # of that, a snapshot
MOST_PATCHED = 1000  # rows, in one change
PATCHED: Final = {"merchants": working.merchants, "outlets": working.outlets, "places": working.places}
VISITED: Final = {"visits to merchants": "merchants", "visits to customers": "customers"}
ALLIED: Final = "alliance members"
Key = tuple[URL, int, int]
_CLOSED = STATUSES.index("closed")
_BANK_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, eq=False)
class Layer:
    """Points of one kind, sorted along the WGS 84 curve; each array has one entry a point."""

    id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    distance_m: NDArray[np.float64]  # geodesic, from the branch
    aside: NDArray[np.bool_]
    curve: Curve = field(repr=False)
    _curves: dict[str, Curve] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.id)

    def on(self, datum: str) -> Curve:
        """Return the points' curve on a map in another datum; its `order` leads back to these rows."""
        if datum == "wgs84":
            return self.curve
        if datum not in self._curves:
            self._curves[datum] = Curve.build(*datums.convert(self.lon, self.lat, "wgs84", datum))
        return self._curves[datum]

    def row_of(self, row_id: int) -> int | None:
        """Return where a row with an id stands; None when it is not there."""
        at = int(np.searchsorted(self.id, row_id, sorter=self._by_id))
        if at == len(self) or self.id[self._by_id[at]] != row_id:
            return None
        return int(self._by_id[at])

    @cached_property
    def _by_id(self) -> NDArray[np.intp]:
        return np.argsort(self.id)

    @cached_property
    def nearest_first(self) -> NDArray[np.intp]:
        """Rows by distance, what is set aside last: what lies inside a circle is a beginning of it."""
        return np.argsort(self.reach_m, kind="stable")

    @cached_property
    def reach_m(self) -> NDArray[np.float64]:
        """Distance, infinite for what is set aside: it lies outside every circle."""
        return np.where(self.aside, np.inf, self.distance_m)

    @property
    def nbytes(self) -> int:
        """Bytes taken, by what was worked out lazily as well."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        curves = [self.curve, *self._curves.values()]
        return sum(array.nbytes for array in arrays) + sum(_curve_bytes(curve) for curve in curves)

    @classmethod
    def of(cls, columns: dict[str, Any], branch: tuple[float, float], aside_ids: NDArray[np.int64]) -> Self:
        """Sort columns along the curve and measure from the branch; what is no array is kept as it is."""
        curve = Curve.build(columns["lon"], columns["lat"])
        order = curve.order
        own: dict[str, Any] = {
            name: value[order] if isinstance(value, np.ndarray) else value for name, value in columns.items()
        }
        return cls(
            **own,
            distance_m=distances_m(*branch, own["lon"], own["lat"]),
            aside=np.isin(own["id"], aside_ids),
            curve=replace(curve, order=np.arange(len(order)), in_order=True),
        )

    def with_aside(self, aside_ids: NDArray[np.int64]) -> Self:
        """Return the layer with others set aside."""
        return replace(self, aside=np.isin(self.id, aside_ids))

    def patched(self, ids: Collection[int], columns: dict[str, Any], branch: tuple[float, float]) -> Self:
        """
        Return the layer with some rows as they are now: what `of` makes of all, without reading all.

        Parameters
        ----------
        ids
            Of the rows that were changed, added or removed.
        columns
            Of those of them that are there, sorted by id; no text.
        branch
            Where distances are measured from.
        """
        gone = np.flatnonzero(np.isin(self.id, np.fromiter(ids, dtype=np.int64)))
        own, curve = {**columns, "distance_m": self.distance_m[:0]}, Curve.build([], [])
        own["aside"] = np.zeros(len(own["id"]), dtype=np.bool_)
        if len(own["id"]):
            curve = Curve.build(columns["lon"], columns["lat"])
            own = {name: value[curve.order] for name, value in own.items() if name != "distance_m"}
            own["distance_m"] = distances_m(*branch, own["lon"], own["lat"])
        kept_ids, kept_codes = np.delete(self.id, gone), np.delete(self.curve.codes, gone)
        at = _places(kept_codes, kept_ids, curve.codes, own["id"])
        merged = {name: np.insert(np.delete(getattr(self, name), gone), at, own[name]) for name in own}
        line = {
            name: np.insert(np.delete(getattr(self.curve, name), gone), at, getattr(curve, name))
            for name in ("codes", "x", "y")
        }
        order = np.arange(len(merged["id"]))
        return replace(self, **merged, curve=Curve(order, **line, in_order=True), _curves={})


@dataclass(frozen=True, eq=False, kw_only=True)
class Merchants(Layer):
    """Merchants, closed ones as well."""

    category: NDArray[np.int16]  # id
    status: NDArray[np.int8]  # index into STATUSES
    visited: NDArray[np.int32]  # day of the latest visit, since 1970-01-01; -1 never
    allied_from: NDArray[np.int32]  # first day in an alliance that is active; -1 never in any
    allied_until: NDArray[np.int32]  # last such day

    @classmethod
    def of(cls, columns: dict[str, Any], branch: tuple[float, float], aside_ids: NDArray[np.int64]) -> Self:
        """Sort as layers are; where nothing is said of alliances nobody is in one."""
        nobody = np.full(len(columns["id"]), working.UNALLIED, dtype=np.int32)
        return super().of({"allied_from": nobody, "allied_until": nobody, **columns}, branch, aside_ids)

    @property
    def allied(self) -> NDArray[np.bool_]:
        """Which merchants are members of an active alliance today; see `allied_on`."""
        return self.allied_on(day_number(datetime.now(_BANK_TIME).date()))

    def allied_on(self, day: int) -> NDArray[np.bool_]:
        """
        Return which merchants are members of an active alliance on a day, those set aside or closed apart.

        Alliances begin and end with their dates, whether or not anything is stored on that day.
        """
        on = (self.allied_from <= day) & (day <= self.allied_until)
        found: NDArray[np.bool_] = on & (self.status != _CLOSED) & ~self.aside
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Customers(Layer):
    """Customers, existing and target."""

    group: NDArray[np.int16]  # id
    existing: NDArray[np.bool_]
    size: NDArray[np.int32]
    tier: NDArray[np.int8]  # index into TIERS, -1 unknown
    holdings: NDArray[np.uint64]  # a bit a product id
    deposits: NDArray[np.float64]  # NaN unknown
    assets: NDArray[np.float64]  # NaN unknown
    key: NDArray[np.bool_]
    manager: NDArray[np.int32]  # id, -1 nobody
    tags: NDArray[np.int32]  # index into tag_sets
    channels: NDArray[np.int32]  # index into channel_sets
    visited: NDArray[np.int32]  # as merchants'
    tag_sets: tuple[tuple[str, ...], ...]
    channel_sets: tuple[tuple[str, ...], ...]

    @property
    def people(self) -> NDArray[np.int32]:
        """How many people a row counts as: a target group its size, an existing customer one."""
        return np.where(self.existing, np.int32(1), self.size)


@dataclass(frozen=True, eq=False, kw_only=True)
class Outlets(Layer):
    """Outlets of banks and insurers, rivals and our own."""

    kind: NDArray[np.int8]  # index into OUTLET_KINDS
    own: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Places(Layer):
    """Communities, villages, parks and institutions; NaN where a number is unknown."""

    kind: NDArray[np.int8]  # index into PLACE_KINDS
    households: NDArray[np.float64]
    adults: NDArray[np.float64]
    employees: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One data version of a branch."""

    key: Key
    lon: float
    lat: float
    merchants: Merchants
    customers: Customers
    outlets: Outlets
    places: Places
    # What figures and tiles work out of it and would work out again: let go together with the snapshot.
    worked: Kept[Hashable, Any] = field(
        default_factory=lambda: Kept(MAX_WORKED_BYTES), init=False, repr=False
    )

    @property
    def branch_id(self) -> int:
        """The branch's id."""
        return self.key[1]

    @property
    def version(self) -> int:
        """The data version's number."""
        return self.key[2]

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        layers = (self.merchants, self.customers, self.outlets, self.places)
        return sum(layer.nbytes for layer in layers) + self.worked.nbytes


_kept: Kept[Key, Snapshot] = Kept(MAX_BYTES)


def seen_by(engine: Engine, asker: Asker, branch_id: int, version: int | None = None) -> Snapshot:
    """Return `snapshot` for whoever may see the branch's figures."""
    asker.require(Right.FIGURES, branch_id)
    return snapshot(engine, branch_id, version)


def snapshot(engine: Engine, branch_id: int, version: int | None = None) -> Snapshot:
    """
    Return a branch's working set, loaded once for all threads.

    Whoever calls this answers for the right to it: see `seen_by`, or a tile link that was signed for someone.

    Parameters
    ----------
    engine, branch_id
        Of the store and in it.
    version
        None: the newest. An older one is returned as long as it is in memory.

    Raises
    ------
    NotFound
        When there is no such branch, or the version is no longer there.
    """
    if version is not None and (found := _kept.find((engine.url, branch_id, version))) is not None:
        return found
    with reading(engine) as session:
        now = _version(session, branch_id)
        if version not in (None, now):
            raise NotFound(N_("The data have changed since. Load the page again."))
        return _kept.get((engine.url, branch_id, now), lambda: load(session, branch_id))


def in_memory(session: Session, branch_id: int, version: int) -> Snapshot | None:
    """Return a version's working set if it is in memory."""
    return _kept.find((session.get_bind().engine.url, branch_id, version))


def after_change(
    session: Session, branch_id: int, version: int, touched: Mapping[str, Collection[int]] | None = None
) -> Snapshot:
    """
    Return the working set as the open transaction has it, and keep it for all if that is committed.

    Parameters
    ----------
    session, branch_id, version
        The transaction that has just given the branch this version.
    touched
        The ids of the rows that were changed, added or removed, by layer, under `VISITED` of those that
        others or fewer visits were made to, and under `ALLIED` of merchants whose alliance changed: with what
        is set aside, nothing else changed, and the version before serves if it is in memory. None: anything
        may have changed.
    """
    key = (session.get_bind().engine.url, branch_id, version)
    few = touched is not None and _is_patchable(touched)
    before = _kept.find((*key[:2], version - 1)) if few else None
    if before is None or touched is None:
        changed = replace(load(session, branch_id), key=key)
    else:
        changed = replace(_patched(session, before, touched), key=key)
    _publish(session, changed)
    return changed


def _is_patchable(touched: Mapping[str, Collection[int]]) -> bool:
    """Whether rows are few, and of layers whose rows stand for themselves: a customer's sets do not."""
    ids = {layer: rows for layer, rows in touched.items() if rows}
    rows = sum(len(rows) for layer, rows in ids.items() if layer in PATCHED)
    return ids.keys() <= PATCHED.keys() | VISITED.keys() | {ALLIED} and rows <= MOST_PATCHED


def _patched(session: Session, before: Snapshot, touched: Mapping[str, Collection[int]]) -> Snapshot:
    """Return a snapshot with some rows, and all that is set aside, as they are now."""
    point = (before.lon, before.lat)
    layers: dict[str, Any] = {
        layer: getattr(before, layer).patched(ids, PATCHED[layer](session, before.branch_id, ids), point)
        for layer, ids in touched.items()
        if ids and layer in PATCHED
    }
    for name, layer in VISITED.items():
        if ids := touched.get(name):
            layers[layer] = _visited(
                session, before.branch_id, layer, layers.get(layer, getattr(before, layer)), ids
            )
    if ids := touched.get(ALLIED):
        merchants = layers.get("merchants", before.merchants)
        layers["merchants"] = _allied(session, before.branch_id, merchants, ids)
    aside = working.asides(session, before.branch_id)
    for layer, ids in aside.items():
        layers[layer] = layers.get(layer, getattr(before, layer)).with_aside(ids)
    return replace(before, **layers)


def _visited(session: Session, branch_id: int, layer: str, rows: Any, ids: Collection[int]) -> Any:
    """Return a layer with the latest visits to some of its rows as they are now."""
    own = np.flatnonzero(np.isin(rows.id, np.fromiter(ids, dtype=np.int64)))
    own = own[np.argsort(rows.id[own])]
    few = rows.id[own].tolist() if len(own) <= MOST_PATCHED else None
    days = rows.visited.copy()
    days[own] = working.visited(session, branch_id, layer, rows.id[own], few)
    return replace(rows, visited=days)


def _allied(session: Session, branch_id: int, rows: Merchants, ids: Collection[int]) -> Merchants:
    """Return merchants with the alliances of some of them as they are now."""
    own = np.flatnonzero(np.isin(rows.id, np.fromiter(ids, dtype=np.int64)))
    own = own[np.argsort(rows.id[own])]
    days: dict[str, Any] = {"allied_from": rows.allied_from.copy(), "allied_until": rows.allied_until.copy()}
    for name, now in working.allied(session, branch_id, rows.id[own], rows.id[own].tolist()).items():
        days[name][own] = now
    return replace(rows, **days)


def _publish(session: Session, changed: Snapshot) -> None:
    """Keep a snapshot for all once its transaction is committed, unless a part of that was rolled back."""
    undone: list[bool] = []

    def publish(_session: Session) -> None:
        if not undone:
            _kept.put(changed.key, changed)

    event.listen(session, "after_soft_rollback", lambda *_: undone.append(True), once=True)
    event.listen(session, "after_commit", publish, once=True)


def load(session: Session, branch_id: int) -> Snapshot:
    """Read a branch's working set, past the ones in memory."""
    branch = session.execute(
        select(branches.c.lon, branches.c.lat, branches.c.version).where(branches.c.id == branch_id)
    ).one()
    point = (branch.lon, branch.lat)
    aside = working.asides(session, branch_id)
    nothing = np.array([], dtype=np.int64)
    return Snapshot(
        key=(session.get_bind().engine.url, branch_id, branch.version),
        lon=branch.lon,
        lat=branch.lat,
        merchants=Merchants.of(working.merchants(session, branch_id), point, aside["merchants"]),
        customers=Customers.of(working.customers(session, branch_id), point, aside["customers"]),
        outlets=Outlets.of(working.outlets(session, branch_id), point, nothing),
        places=Places.of(working.places(session, branch_id), point, nothing),
    )


def _places(
    codes: NDArray[np.uint64],
    ids: NDArray[np.int64],
    new_codes: NDArray[np.uint64],
    new_ids: NDArray[np.int64],
) -> NDArray[np.intp]:
    """Return where new rows go among rows along a curve: at one spot they stand by id."""
    first, last = (np.searchsorted(codes, new_codes, side) for side in ("left", "right"))
    spots = zip(new_ids, first, last, strict=True)
    return np.array([a + np.searchsorted(ids[a:b], row_id) for row_id, a, b in spots], dtype=np.intp)


def is_full() -> bool:
    """Whether another snapshot may push out one in memory: half of the room is taken."""
    return 2 * _kept.nbytes >= MAX_BYTES


def clear() -> None:
    """Let go of every snapshot in memory."""
    _kept.clear()


def _version(session: Session, branch_id: int) -> int:
    version = session.scalar(select(branches.c.version).where(branches.c.id == branch_id))
    if version is None:
        raise NotFound(N_("There is no branch {which}."), which=branch_id)
    return int(version)


def _curve_bytes(curve: Curve) -> int:
    return sum(
        value.nbytes for item in fields(curve) if isinstance(value := getattr(curve, item.name), np.ndarray)
    )
