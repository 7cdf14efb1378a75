"""Filters: which merchants and customers the map and the figures are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from data.catalogue import CATEGORIES, GROUPS, STATUSES, TIER_CODES, children
from data.snapshots import Customers, Layer, Merchants, Snapshot

Bools = NDArray[np.bool_]
CLOSED = STATUSES.index("closed")
SIGNED = STATUSES.index("signed")
_HIGHEST_CATEGORY = int(CATEGORIES["id"].max())
_HIGHEST_GROUP = int(GROUPS["id"].max())


@dataclass(frozen=True)
class Filters:
    """
    What is chosen; an empty choice is all.

    Parameters
    ----------
    categories
        Ids; an upper category means all below it as well. Acts on merchants.
    statuses
        Of merchants; closed ones are shown only when they are chosen.
    groups
        Ids. Acts on customers.
    tiers
        Codes. Acts on customers.
    """

    categories: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    tiers: tuple[str, ...] = ()

    def to_params(self) -> dict[str, str]:
        """Return the choices as short texts, empty ones left out."""
        params = {
            "c": ".".join(map(str, self.categories)),
            "s": ".".join(self.statuses),
            "g": ".".join(map(str, self.groups)),
            "t": ".".join(self.tiers),
        }
        return {name: text for name, text in params.items() if text}

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Self:
        """Return the filters of `to_params`; what nobody knows is passed over, as a URL may say anything."""
        return cls(
            categories=tuple(map(int, _known(params.get("c", ""), map(str, CATEGORIES["id"])))),
            statuses=_known(params.get("s", ""), STATUSES),
            groups=tuple(map(int, _known(params.get("g", ""), map(str, GROUPS["id"])))),
            tiers=_known(params.get("t", ""), TIER_CODES),
        )

    def of(self, layer: str) -> Filters:
        """Return what of the filters acts on a layer, in one order: equal choices make equal filters."""
        if layer == "merchants":
            return Filters(tuple(sorted(set(self.categories))), tuple(sorted(set(self.statuses))))
        if layer == "customers":
            return Filters(groups=tuple(sorted(set(self.groups))), tiers=tuple(sorted(set(self.tiers))))
        return Filters()


def shown(snapshot: Snapshot, layer: str, filters: Filters) -> Bools:
    """Return which rows of a layer pass the filters."""
    rows: Layer = getattr(snapshot, layer)
    if isinstance(rows, Merchants):
        return _merchants(rows, filters)
    if isinstance(rows, Customers):
        return _customers(rows, filters)
    return np.ones(len(rows), dtype=bool)


def _merchants(rows: Merchants, filters: Filters) -> Bools:
    chosen = [STATUSES.index(status) for status in filters.statuses] or [
        code for code in range(len(STATUSES)) if code != CLOSED
    ]
    kept = np.isin(np.arange(len(STATUSES)), chosen)[rows.status]
    if filters.categories:
        wanted = np.zeros(_HIGHEST_CATEGORY + 1, dtype=bool)
        for category in filters.categories:
            wanted[[category, *children(category)]] = True
        kept &= wanted[rows.category]
    return kept


def _customers(rows: Customers, filters: Filters) -> Bools:
    kept = np.ones(len(rows), dtype=bool)
    if filters.groups:
        kept &= np.isin(np.arange(_HIGHEST_GROUP + 1), filters.groups)[rows.group]
    if filters.tiers:
        # One place more than there are tiers: an unknown tier, -1, is the last and never chosen.
        chosen = np.isin([*TIER_CODES, ""], filters.tiers)
        kept &= chosen[rows.tier]
    return kept


def _known(text: str, words: Iterable[str]) -> tuple[str, ...]:
    known = set(words)
    return tuple(word for word in dict.fromkeys(text.split(".")) if word in known)
