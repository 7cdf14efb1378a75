"""
What clusters are called: where they are, and what leads there.

The place is the street most of its merchants stand on, else the nearest community, village, park or
institution, else which way it lies from the branch. No two clusters of a run have one name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.catalogue import CATEGORIES, GROUPS, OTHER_CATEGORY, OTHER_GROUP, top_of
from data.clustering.finding import Found, looked_at, plane
from data.snapshots import Snapshot
from data.words import Language, say
from geo import crs
from geo.clusters import SCALES
from geo.errors import N_

LEADS = 0.2  # of the merchants with an address: so many stand on the street a place is named after
MOST_PLACES = 3
_STREET = re.compile(r"^(?:\D*?[省市区县镇乡])?(\D{1,12}?(?:大道|大街|[路街巷道线]))")
_WAYS = (
    N_("east"),
    N_("northeast"),
    N_("north"),
    N_("northwest"),
    N_("west"),
    N_("southwest"),
    N_("south"),
    N_("southeast"),
)


class Address(NamedTuple):
    """What the store knows of merchants' streets and opening hours, by their ids."""

    street: Mapping[int, str]
    hours: Mapping[int, str]

    @property
    def nbytes(self) -> int:
        """Bytes taken, about."""
        return 100 * (len(self.street) + len(self.hours))


class Lead(NamedTuple):
    """An upper category or a customer group, by id, and its share of a cluster."""

    kind: int
    share: float


def addresses(session: Session, snapshot: Snapshot) -> Address:
    """Return the merchants' streets and hours, read once a data version."""
    kept: Address = snapshot.worked.get("streets and hours", lambda: _addresses(session, snapshot.branch_id))
    return kept


def _addresses(session: Session, branch_id: int) -> Address:
    merchants = tables.merchants
    rows = session.execute(
        select(merchants.c.id, merchants.c.address, merchants.c.hours).where(
            merchants.c.branch_id == branch_id
        )
    )
    street, hours = dict[int, str](), dict[int, str]()
    for row_id, address, said in rows:
        if (match := _STREET.match(address or "")) is not None:
            street[row_id] = match.group(1)
        if said:
            hours[row_id] = said
    return Address(street, hours)


class Names(tuple[str, ...]):
    """Names, in the clusters' order."""

    @property
    def nbytes(self) -> int:
        """Bytes taken, about."""
        return 100 * len(self)


def names(session: Session, snapshot: Snapshot, found: Found, language: Language) -> list[str]:
    """Return the clusters' names, no two alike; made once a data version."""
    key = ("names of clusters", found.layer, found.scale, language)
    return list(snapshot.worked.get(key, lambda: Names(_names(session, snapshot, found, language))))


def _names(session: Session, snapshot: Snapshot, found: Found, language: Language) -> list[str]:
    if not len(found):
        return []
    leads = [_named(found.layer, each, language) for each in leading(snapshot, found)]
    candidates = [
        [f"{place}{'·' if language == 'zh' else ' · '}{lead}" if lead else place for place in each]
        for each, lead in zip(_places(session, snapshot, found, language), leads, strict=True)
    ]
    used: set[str] = set()
    given = []
    for each in candidates:
        name = next((name for name in each if name not in used), None) or _numbered(each[0], used)
        used.add(name)
        given.append(name)
    return given


def _numbered(name: str, used: set[str]) -> str:
    return next(each for number in range(2, 10_000) if (each := f"{name} {number}") not in used)


def leading(snapshot: Snapshot, found: Found) -> NDArray[np.int64]:
    """Return each cluster's commonest upper category or customer group, by id; "other" only if all are."""
    counts = _kinds(snapshot, found)
    known = np.where(np.isin(np.arange(counts.shape[1]), (OTHER_CATEGORY, OTHER_GROUP)), 1e-6, 1.0)
    best: NDArray[np.int64] = (counts * known).argmax(axis=1)
    return best


def leaders(snapshot: Snapshot, found: Found, *, most: int = 3, fewest: int = 1) -> list[list[Lead]]:
    """Return each cluster's commonest upper categories or groups with their shares, `fewest` at least."""
    counts = _kinds(snapshot, found)
    whole = counts.sum(axis=1)
    order = np.argsort(-counts, axis=1, kind="stable")[:, :most]
    return [
        [
            Lead(int(kind), float(counts[at, kind] / whole[at]))
            for kind in order[at]
            if counts[at, kind] >= max(fewest, 1)
        ]
        for at in range(len(found))
    ]


def _kinds(snapshot: Snapshot, found: Found) -> NDArray[np.float64]:
    """Return how much of each upper category or group each cluster has, by id."""
    rows: Any = getattr(snapshot, found.layer)
    if found.layer == "merchants":
        kind = top_of()[rows.category[found.rows]].astype(np.int64)
        weight = np.ones(len(kind))
    else:
        kind = rows.group[found.rows].astype(np.int64)
        weight = rows.people[found.rows].astype(np.float64)
    label, kinds = found.clusters.label, int(kind.max(initial=0)) + 1
    own = label >= 0
    cell = label[own].astype(np.int64) * kinds + kind[own]
    counts = np.bincount(cell, weights=weight[own], minlength=len(found) * kinds)
    return counts.reshape(len(found), kinds).astype(np.float64)


def _named(layer: str, kind: int, language: Language) -> str:
    table = CATEGORIES if layer == "merchants" else GROUPS
    if kind in (OTHER_CATEGORY, OTHER_GROUP):
        return ""
    return str(table.loc[table["id"] == kind, language].iloc[0])


def _places(session: Session, snapshot: Snapshot, found: Found, language: Language) -> Iterator[list[str]]:
    """Yield for each cluster what its place may be called, the best first."""
    streets = _streets(session, snapshot, found)
    near = _nearest_places(session, snapshot, found)
    for at in range(len(found)):
        way = _way(found, at, language)
        first = streets[at] + near[at] if found.layer == "merchants" else near[at] + streets[at]
        yield [*first, *(f"{name} {way}" for name in first[:1]), way]


def _streets(session: Session, snapshot: Snapshot, found: Found) -> list[list[str]]:
    """Return the streets that merchants in each cluster stand on, the commonest first."""
    street = addresses(session, snapshot).street
    shops = looked_at(snapshot, "merchants")
    merchants = snapshot.merchants
    x, y = crs.to_metric(merchants.lon[shops], merchants.lat[shops], plane(snapshot))
    inside = found.clusters.at(x, y)
    counts = [Counter[str]() for _ in range(len(found))]
    for row, cluster in zip(shops[inside >= 0], inside[inside >= 0], strict=True):
        if (name := street.get(int(merchants.id[row]))) is not None:
            counts[cluster][name] += 1
    return [
        [
            name
            for name, count in sorted(each.items(), key=lambda item: (-item[1], item[0]))
            if count >= LEADS * each.total()
        ][:MOST_PLACES]
        for each in counts
    ]


def _nearest_places(session: Session, snapshot: Snapshot, found: Found) -> list[list[str]]:
    """Return the names of the places nearest each cluster's densest spot, within a scale of it."""
    table, places = tables.places, snapshot.places
    if not len(places):
        return [[] for _ in range(len(found))]
    named = {
        row.id: row.name
        for row in session.execute(
            select(table.c.id, table.c.name).where(table.c.branch_id == snapshot.branch_id)
        )
    }
    x, y = crs.to_metric(places.lon, places.lat, plane(snapshot))
    within_m = max(SCALES[found.scale], SCALES["area"])
    near = []
    for at in range(len(found)):
        far = np.hypot(x - found.clusters.x[at], y - found.clusters.y[at])
        order = np.lexsort((places.id, far))[:MOST_PLACES]
        near.append([named[int(places.id[row])] for row in order if far[row] <= within_m])
    return near


def _way(found: Found, at: int, language: Language) -> str:
    """Return where a cluster lies, seen from the branch."""
    x, y = float(found.clusters.x[at]), float(found.clusters.y[at])
    way = _WAYS[round(np.degrees(np.arctan2(y, x)) / 45.0) % 8]
    return say(
        N_("{km} km {way} of the branch"),
        language,
        km=f"{np.hypot(x, y) / 1000.0:.1f}",
        way=say(way, language),
    )
