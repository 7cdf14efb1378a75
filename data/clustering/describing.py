"""What a cluster is made of, beside the whole catchment: groups, tiers, products, tags, trades, hours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data.catalogue import PRODUCTS, STATUSES, TIER_CODES, top_of
from data.clustering.finding import LAYERS, Found, Rows, looked_at, plane
from data.clustering.naming import addresses
from data.figures import FEWEST
from data.snapshots import Snapshot
from geo import crs
from geo.errors import N_

SIGNED = STATUSES.index("signed")
HOURS = {
    "early": N_("Opens before 8 am"),
    "late": N_("Open after 9 pm"),
    "always": N_("Open around the clock"),
    "usual": N_("Usual shop hours"),
}
KINDS = {
    "group": N_("Customer groups"),
    "tier": N_("Tiers"),
    "product": N_("Products held"),
    "tag": N_("Tags"),
    "channel": N_("Channels"),
    "category": N_("Categories"),
    "status": N_("Status"),
    "hours": N_("Opening hours"),
}
OF_CUSTOMERS = ("group", "tier", "product", "tag", "channel")
_SPAN = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–—~至到]+\s*(?:次日|翌日)?(\d{1,2})[:：](\d{2})")
_ALWAYS = re.compile(r"全天|24\s*小时|24/7|24h", re.IGNORECASE)
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Members:
    """Who lies in which cluster: by layer the rows that count, and beside each its cluster, -1 of none."""

    rows: dict[str, Rows]
    cluster: dict[str, NDArray[np.int32]]

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(each.nbytes for side in (self.rows, self.cluster) for each in side.values())

    def of(self, layer: str, at: int) -> Rows:
        """Return a layer's rows in one cluster."""
        own: Rows = self.rows[layer][self.cluster[layer] == at]
        return own


class Part(NamedTuple):
    """How many of how many have something: by code; `of` is 0 where nothing is known."""

    counts: dict[Any, float]
    of: float
    exclusive: bool = False  # each counts for one code only, so that all codes add up to `of`


def members(snapshot: Snapshot, found: Found) -> Members:
    """Return who lies in which cluster, customers and merchants, whichever of them it was found among."""
    key = ("in clusters", found.layer, found.scale)
    kept: Members = snapshot.worked.get(key, lambda: _members(snapshot, found))
    return kept


def _members(snapshot: Snapshot, found: Found) -> Members:
    rows = {layer: looked_at(snapshot, layer) for layer in LAYERS}
    cluster = {found.layer: found.clusters.label}
    for layer in LAYERS:
        if layer != found.layer:
            held: Any = getattr(snapshot, layer)
            x, y = crs.to_metric(held.lon[rows[layer]], held.lat[rows[layer]], plane(snapshot))
            cluster[layer] = found.clusters.at(x, y)
    return Members(rows, cluster)


def overview(snapshot: Snapshot, found: Found, *, mask: bool) -> pd.DataFrame:
    """
    Return the clusters' figures, a row each, as they are numbered in `found`.

    Returns
    -------
    clusters
        `size`; `existing`, `target` (people), `customer_coverage`; `merchants` (open), `signed`,
        `merchant_coverage`. NaN where unknown, or with `mask` where fewer than five customers stand behind.
    """
    who, n = members(snapshot, found), len(found)
    customers, merchants = snapshot.customers, snapshot.merchants
    rows, cluster = who.rows["customers"], who.cluster["customers"]
    there = customers.existing[rows]
    people = customers.people[rows].astype(np.float64)
    existing, target = (_sums(cluster, people * side, n) for side in (there, ~there))
    shops, around = who.rows["merchants"], who.cluster["merchants"]
    signed = _sums(around, (merchants.status[shops] == SIGNED).astype(np.float64), n)
    still = _sums(around, np.ones(len(shops)), n)
    few = np.zeros(n, dtype=bool)
    if mask:
        few = (_sums(cluster, np.ones(len(rows)), n) < FEWEST) | (existing < FEWEST) | (target < FEWEST)
    return pd.DataFrame(
        {
            "size": found.clusters.size,
            "existing": np.where(few, np.nan, existing),
            "target": np.where(few, np.nan, target),
            "customer_coverage": np.where(few, np.nan, _share(existing, existing + target)),
            "merchants": still,
            "signed": signed,
            "merchant_coverage": _share(signed, still),
        }
    )


def _sums(cluster: NDArray[np.int32], amount: Floats, n: int) -> Floats:
    own = cluster >= 0
    return np.bincount(cluster[own], weights=amount[own], minlength=n).astype(np.float64)


def _share(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def profile(session: Session, snapshot: Snapshot, found: Found, at: int, *, mask: bool) -> pd.DataFrame:
    """
    Return what a cluster is made of beside the catchment.

    Parameters
    ----------
    session, snapshot, found, at
        Of which cluster.
    mask
        Whether figures of fewer than five customers are left out.

    Returns
    -------
    profile
        `kind` (of `KINDS`), `code`, `n`, `of`, `share`, and beside them the catchment's `all_n`, `all_of`,
        `all_share`; within a kind the largest share first. NaN of a share that is unknown.
    """
    who = members(snapshot, found)
    own = dict(_parts(session, snapshot, {layer: who.of(layer, at) for layer in LAYERS}))
    whole = _whole(session, snapshot)
    rows = []
    for kind in KINDS:
        part, beside = own[kind], whole.parts[kind]
        hidden = _hidden(part) if mask and kind in OF_CUSTOMERS else set()
        for code, n in sorted(part.counts.items(), key=lambda item: (-item[1], str(item[0]))):
            if n > 0 and code not in hidden:
                every = beside.counts.get(code, 0.0)
                rows.append((kind, code, n, part.of, n / part.of, every, beside.of, every / beside.of))
    return pd.DataFrame(rows, columns=["kind", "code", "n", "of", "share", "all_n", "all_of", "all_share"])


def _hidden(part: Part) -> set[Any]:
    """Return the codes that too few customers stand behind, and more till those cannot be worked out."""
    if part.of < FEWEST:
        return set(part.counts)
    small = {code for code, n in part.counts.items() if 0 < n < FEWEST}
    for code, n in sorted(part.counts.items(), key=lambda item: (item[1], str(item[0]))):
        if part.exclusive and 0 < sum(part.counts[each] for each in small) < FEWEST and n > 0:
            small.add(code)
    return small


@dataclass(frozen=True)
class _Whole:
    """The catchment's parts, kept with the snapshot."""

    parts: dict[str, Part]

    @property
    def nbytes(self) -> int:
        return 100 * sum(len(part.counts) for part in self.parts.values())


def _whole(session: Session, snapshot: Snapshot) -> _Whole:
    every = {layer: looked_at(snapshot, layer) for layer in LAYERS}
    kept: _Whole = snapshot.worked.get(
        "catchment beside clusters", lambda: _Whole(dict(_parts(session, snapshot, every)))
    )
    return kept


def _parts(session: Session, snapshot: Snapshot, rows: dict[str, Rows]) -> Iterator[tuple[str, Part]]:
    """Yield of some rows how many have what."""
    customers, merchants = snapshot.customers, snapshot.merchants
    people, shops = rows["customers"], rows["merchants"]
    held = people[customers.existing[people]]
    weight = customers.people[people].astype(np.float64)
    yield "group", Part(_counted(customers.group[people], weight), float(weight.sum()), True)
    tier = customers.tier[held]
    yield "tier", Part(_counted(tier[tier >= 0], None, TIER_CODES), float((tier >= 0).sum()), True)
    ids, masks = PRODUCTS["id"].to_numpy(np.uint64), customers.holdings[held]
    products = {int(each): float(((masks >> each) & np.uint64(1)).sum()) for each in ids}
    yield "product", Part(products, float(len(held)))
    yield "tag", Part(_words(customers.tags[people], customers.tag_sets), float(len(people)))
    yield "channel", Part(_words(customers.channels[people], customers.channel_sets), float(len(people)))
    yield "category", Part(_counted(top_of()[merchants.category[shops]]), float(len(shops)), True)
    yield "status", Part(_counted(merchants.status[shops], None, STATUSES), float(len(shops)), True)
    said = addresses(session, snapshot).hours
    known = [kept for row in merchants.id[shops] if (kept := hours_of(said.get(int(row), "")))]
    counts = {name: float(sum(name in each for each in known)) for name in HOURS}
    yield "hours", Part(counts, float(len(known)))


def _counted(
    codes: NDArray[Any], weight: Floats | None = None, names: tuple[str, ...] | None = None
) -> dict[Any, float]:
    """Return how much each code has, under its name where it has one."""
    sums = np.bincount(codes, weights=weight)
    return {names[at] if names else int(at): float(sums[at]) for at in np.flatnonzero(sums)}


def _words(sets: NDArray[np.int32], vocabulary: tuple[tuple[str, ...], ...]) -> dict[Any, float]:
    """Return how many rows have each word in their set."""
    found: dict[Any, float] = {}
    for at, count in enumerate(np.bincount(sets, minlength=len(vocabulary))):
        for word in set(vocabulary[at]) if count else ():
            found[word] = found.get(word, 0.0) + float(count)
    return found


def hours_of(text: str) -> tuple[str, ...]:
    """Return what opening hours say of a merchant, by the names of `HOURS`; nothing where that is unclear."""
    if _ALWAYS.search(text):
        return ("always",)
    if (span := _SPAN.search(text)) is None:
        return ()
    opens, closes = (int(span[at]) + int(span[at + 1]) / 60.0 for at in (1, 3))
    if closes <= opens:
        closes += 24.0
    if closes - opens >= 23.5:
        return ("always",)
    said = ("early",) * (opens < 8.0) + ("late",) * (closes > 21.0)
    return said or ("usual",)
