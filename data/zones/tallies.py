"""
What the rows of a branch add up to in each zone: the sums every figure of a zone is made of.

Sums are whole numbers (money in cents, shares and hours in tiny parts), so that they can be added and taken
away in any order and the zones' add up to the total exactly: moving a block costs what the block holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.alliances.matrix import Matrix, shipped
from data.catalogue import CATEGORIES, STATUSES, TIER_CODES, recommended_masks
from data.filters import CLOSED
from data.snapshots import Customers, Merchants, Snapshot
from data.working import UNALLIED
from data.zones.intervals import CUSTOMER_DAYS, MERCHANT_DAYS, NO_TIER_DAYS
from data.zones.work import hours
from geo import adding, coverage, within
from geo.visits import STATES, states

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Rows = NDArray[np.intp]
Masks = NDArray[np.uint64]
Sums = dict[str, Floats]  # by name: one entry a code, or a row of entries

CENTS = 100.0
PARTS = float(1 << 30)  # of a share, and of an hour
LAYERS = ("merchants", "customers", "outlets", "places")
PLACE_COUNTS = ("households", "adults", "employees")
HIGHEST_CATEGORY = int(CATEGORIES["id"].max())
_MERCHANT_DAYS = np.array([MERCHANT_DAYS[status] for status in STATUSES], dtype=np.int32)
_CUSTOMER_DAYS = np.array([*(CUSTOMER_DAYS[tier] for tier in TIER_CODES), NO_TIER_DAYS], dtype=np.int32)
_CHUNK = 1 << 16  # rows whose temporaries stay in the processor's cache


def sums(
    snapshot: Snapshot,
    codes: Mapping[str, Codes],
    n: int,
    products: Masks,
    today: int,
    matrix: Matrix | None = None,
) -> Sums:
    """
    Return the sums of all rows, per code.

    Parameters
    ----------
    snapshot
        Of the branch.
    codes
        By layer: where each row counts, 0 to `n` - 1.
    n
        How many there are.
    products
        Per code, what is recommended to everybody there, as a bit mask.
    today
        The day visits and alliances are looked at, as a number.
    matrix
        How far each category reaches; as shipped without.
    """
    found: Sums = {}
    for layer in LAYERS:
        found |= layer_sums(snapshot, layer, codes[layer], n, products, today, matrix=matrix)
    return found


def layer_sums(
    snapshot: Snapshot,
    layer: str,
    code: Codes,
    n: int,
    products: Masks,
    today: int,
    *,
    own: bool = False,
    matrix: Matrix | None = None,
) -> Sums:
    """Return the sums of a layer's rows; with `own` only of what a row tells by itself, whatever is near."""
    found: Sums = {}
    for start in range(0, max(1, len(code)), _CHUNK):
        part = slice(start, start + _CHUNK)
        _add(found, _of_rows(_Some(snapshot, part, code[part], n, products, today, own, matrix), layer))
    return found


def sums_of(
    snapshot: Snapshot,
    chosen: Mapping[str, tuple[Rows, Codes]],
    n: int,
    products: Masks,
    today: int,
    matrix: Matrix | None = None,
) -> Sums:
    """Return the sums of some rows of each layer, whose codes are given beside them."""
    found: Sums = {}
    for layer in LAYERS:
        rows, code = chosen[layer]
        _add(found, _of_rows(_Some(snapshot, rows, code, n, products, today, matrix=matrix), layer))
    return found


@dataclass(frozen=True, eq=False)
class _Some:
    """Some rows of a layer, and where they count."""

    snapshot: Snapshot
    at: Any  # a slice, or places of rows
    code: Codes
    n: int
    products: Masks
    today: int
    own: bool = False
    matrix: Matrix | None = None


def _add(total: Sums, more: Sums) -> None:
    for name, amounts in more.items():
        if name in total:
            total[name] += amounts
        else:
            total[name] = amounts


def _of_rows(some: _Some, layer: str) -> Sums:
    found = {name: adding.sums(some.code, amounts, some.n) for name, amounts in _AMOUNTS[layer](some).items()}
    if layer == "merchants":  # an alliance out of scope is one of the branch's too: counted as if in no zone
        ever = some.snapshot.merchants.allied_from[some.at] != UNALLIED
        found["ever_allied"] = adding.sums(np.minimum(some.code, np.int32(some.n - 2)), ever, some.n)
    if not some.own:
        found |= _MORE[layer](some) if layer in _MORE else {}
    return {f"{layer}.{name}": amounts for name, amounts in found.items()}


def _merchants(some: _Some) -> dict[str, Any]:
    rows, at = some.snapshot.merchants, some.at
    status = rows.status[at]
    return {
        **{name: status == number for number, name in enumerate(STATUSES)},
        "allied": _allied(some),
        **_visits(some, rows, status != CLOSED, _MERCHANT_DAYS[status]),
    }


def _allied(some: _Some) -> NDArray[np.bool_]:
    """Return which merchants are members of an active alliance: `Merchants.allied_on` of some of them."""
    rows, at = some.snapshot.merchants, some.at
    on = (rows.allied_from[at] <= some.today) & (some.today <= rows.allied_until[at])
    found: NDArray[np.bool_] = on & (rows.status[at] != CLOSED)
    return found


def _customers(some: _Some) -> dict[str, Any]:
    rows, at = some.snapshot.customers, some.at
    existing, size = rows.existing[at], rows.size[at]
    held = np.bitwise_count(rows.holdings[at])
    wanted = recommended_masks()[rows.group[at]] | some.products[some.code]
    match = coverage.product_match(rows.holdings[at], wanted)
    deposits = rows.deposits[at]
    known = ~np.isnan(deposits)
    return {
        "rows": np.ones(len(existing), dtype=np.bool_),
        "existing": existing,
        "targets": np.where(existing, 0, size),
        "target_rows": ~existing,
        **{f"holding_{least}": existing & (held >= least) for least in coverage.CROSS_HOLDING},
        "products": np.where(existing, held, 0),
        "match": np.where(existing & (wanted > 0), np.rint(match * PARTS), 0.0),
        "matched": existing & (wanted > 0),
        "deposits": np.where(known, np.rint(deposits * CENTS), 0.0),
        "deposits_known": known,
        **_visits(some, rows, ~existing, _CUSTOMER_DAYS[rows.tier[at]]),
    }


def _outlets(some: _Some) -> dict[str, Any]:
    return {"rivals": ~some.snapshot.outlets.own[some.at]}


def _places(some: _Some) -> dict[str, Any]:
    found = {}
    for name in PLACE_COUNTS:
        number = getattr(some.snapshot.places, name)[some.at]
        found[name] = np.rint(np.nan_to_num(number))
        found[f"{name}_known"] = ~np.isnan(number)
    return found


_AMOUNTS: dict[str, Callable[[_Some], dict[str, Any]]] = {
    "merchants": _merchants,
    "customers": _customers,
    "outlets": _outlets,
    "places": _places,
}


def _visits(
    some: _Some, rows: Merchants | Customers, visited: NDArray[np.bool_], interval_days: ArrayLike
) -> dict[str, Any]:
    """Count what is to be visited by how its visits stand."""
    state = states(rows.visited[some.at], interval_days, some.today)
    return {f"visits_{name}": visited & (state == number) for number, name in enumerate(STATES)}


# --- words, and who is near ---------------------------------------------------------------------------------


def _more_of_merchants(some: _Some) -> Sums:
    """Count merchants not closed by their category's id, and their hours of work."""
    rows = some.snapshot.merchants
    open_ = np.where(rows.status[some.at] == CLOSED, np.int16(-1), rows.category[some.at])
    work = np.rint(hours(some.snapshot).merchants[some.at] * PARTS)
    return {
        "categories": adding.counts(some.code, open_, some.n, HIGHEST_CATEGORY + 1),
        "hours": adding.sums(some.code, work, some.n),
    }


def _people(some: _Some) -> NDArray[np.int32]:
    rows = some.snapshot.customers
    people: NDArray[np.int32] = np.where(rows.existing[some.at], np.int32(1), rows.size[some.at])
    return people


def _more_of_customers(some: _Some) -> Sums:
    """Count customers by tag and channel, those nearer a rival or reached by an alliance, and their hours."""
    rows = some.snapshot.customers
    people = _people(some)
    amounts = {
        "nearer": np.where(nearer_rival(some.snapshot)[some.at], people, 0),
        "in_reach": np.where(in_reach(some.snapshot, some.today, some.matrix)[some.at], people, 0),
        "hours": np.rint(hours(some.snapshot).customers[some.at] * PARTS),
    }
    found = {name: adding.sums(some.code, each, some.n) for name, each in amounts.items()}
    for name, sets in (("tags", rows.tags), ("channels", rows.channels)):
        known = words(some.snapshot, name)
        found[name] = adding.members(
            some.code, sets[some.at], known.starts, known.flat, some.n, len(known.words)
        )
    return found


_MORE: dict[str, Callable[[_Some], Sums]] = {
    "merchants": _more_of_merchants,
    "customers": _more_of_customers,
}


class Words:
    """The words that sets are made of, in order; set i has the words `flat[starts[i]:starts[i + 1]]`."""

    def __init__(self, sets: Sequence[Sequence[str]]) -> None:
        self.words = sorted({word for chosen in sets for word in chosen})
        place = {word: at for at, word in enumerate(self.words)}
        members = [sorted({place[word] for word in chosen}) for chosen in sets]
        sizes = [len(chosen) for chosen in members]
        self.starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        self.flat = np.array([word for chosen in members for word in chosen], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self.starts.nbytes + self.flat.nbytes


def words(snapshot: Snapshot, name: str) -> Words:
    """Return the words of the customers' `tags` or `channels`."""
    customers = snapshot.customers
    sets = customers.tag_sets if name == "tags" else customers.channel_sets
    found: Words = snapshot.worked.get(("words", name), lambda: Words(sets))
    return found


class _Flags:
    """A flag a row, kept with the snapshot."""

    def __init__(self, values: NDArray[np.bool_]) -> None:
        self.values = values
        self.nbytes = values.nbytes


def nearer_rival(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Return which customers are nearer to some rival outlet than to the branch."""

    def make() -> _Flags:
        customers, outlets = snapshot.customers, snapshot.outlets
        rivals = ~outlets.own
        return _Flags(
            coverage.nearer_rival(
                customers.lon,
                customers.lat,
                snapshot.lon,
                snapshot.lat,
                outlets.lon[rivals],
                outlets.lat[rivals],
            )
        )

    found: _Flags = snapshot.worked.get("nearer rival", make)
    return found.values


def in_reach(
    snapshot: Snapshot, today: int, matrix: Matrix | None = None, before: Snapshot | None = None
) -> NDArray[np.bool_]:
    """
    Return which customers are in reach of a member of an active alliance.

    Parameters
    ----------
    snapshot, today
        Of the branch, on that day.
    matrix
        How far each category reaches; as shipped without.
    before
        A snapshot that may have known it already: of the same customers, near the same members.
    """
    matrix = matrix or shipped()
    merchants, customers = snapshot.merchants, snapshot.customers
    members = np.flatnonzero(merchants.allied_on(today))
    members = members[np.argsort(merchants.id[members])]
    reach_m = matrix.reach_m[matrix.rank[merchants.category[members]]]
    places = (merchants.lon[members], merchants.lat[members], reach_m)
    key = ("in reach", *(each.tobytes() for each in places))

    def make() -> _Flags:
        if before is not None and before.customers.lon is customers.lon:
            known: _Flags | None = before.worked.find(key)
            if known is not None:
                return known
        centre = (snapshot.lon, snapshot.lat)
        return _Flags(within.in_reach(customers.lon, customers.lat, *places, centre))

    found: _Flags = snapshot.worked.get(key, make)
    return found.values
