"""
Figures of a branch: how far it reaches, and what lies inside a circle. See metrics in the README.

Everything follows a radius and the filters, and costs next to nothing per move of the radius, whatever the
number of rows (see `data.running`).

Masked figures. Whoever may not see customers gets no figure of fewer than `FEWEST` of them: a card is NaN,
a row of a table is NaN and `masked`. As the whole is on a card, one hidden row could be worked out from the
others; so rows are hidden until those hidden make up at least `FEWEST` as well. Two circles can still be
compared by hand; what guards against that is that positions leave the server as cells only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.catalogue import CATEGORIES, GROUPS, STATUSES, children, recommended_masks, top_of
from data.catalogue import OTHER_CATEGORY as OTHER
from data.catchments import Catchment, catchment
from data.filters import CLOSED, SIGNED, Filters, shown
from data.running import Part, Rows, Running
from data.snapshots import Customers, Merchants, Outlets, Snapshot
from geo import coverage
from geo.coverage import Figure, Preference

__all__ = [
    "FEWEST",
    "Catchment",
    "Filters",
    "Reach",
    "cards",
    "catchment",
    "category_table",
    "group_table",
    "kept",
    "members",
    "shown",
]

FEWEST = 5
TOP_TAGS = 3
TOP_CHANNELS = 2
MASKED = Figure(float("nan"), None, None)
_RIVALS, _OWN = 0, 1
_GROUP_IDS = GROUPS["id"].to_numpy()
_CATEGORY_IDS = CATEGORIES["id"].to_numpy()
_STATUS_COUNT = len(STATUSES)


@dataclass(frozen=True)
class Reach:
    """
    The part of the ground figures are of.

    Parameters
    ----------
    radius_m
        Of the circle, its rim included.
    outside
        What lies beyond it instead, and what was set aside.
    """

    radius_m: float
    outside: bool = False


def cards(
    snapshot: Snapshot, filters: Filters, reach: Reach, mask: bool, *, mask_deposits: bool = False
) -> dict[str, Figure]:
    """
    Return the figures beside the map.

    Parameters
    ----------
    snapshot, filters, reach
        Of what.
    mask
        Whether figures of few customers are hidden (see the module); a hidden one's value is NaN.
    mask_deposits
        Whether deposits of few are hidden all the same: from a lead, who sees customers but not their money.

    Returns
    -------
    cards
        `customers` (existing), `customer_coverage`, `merchants` (shown by the filters), `merchant_coverage`
        (signed of those not closed), `deposits` (its denominator: customers whose deposits are known) and
        `rivals`.
    """
    people = _customers(snapshot, filters)
    by_kind = people.sums("people", reach.radius_m, reach.outside).reshape(-1, 2).sum(axis=0)
    target, existing = by_kind
    deposits = people.sums("deposits", reach.radius_m, reach.outside).sum()
    known = people.sums("known", reach.radius_m, reach.outside).sum()
    few = mask and 0 < existing + target < FEWEST
    few_deposits = (mask or mask_deposits) and 0 < known < FEWEST
    statuses = _merchants(snapshot, filters).sums("merchants", reach.radius_m, reach.outside)
    by_status = statuses.reshape(-1, _STATUS_COUNT).sum(axis=0)
    outlets = _outlets(snapshot).sums("outlets", reach.radius_m, reach.outside)
    return {
        "customers": MASKED if few else Figure.plain(existing),
        "customer_coverage": MASKED if few else Figure.ratio(existing, existing + target),
        "merchants": Figure.plain(by_status.sum()),
        "merchant_coverage": Figure.ratio(by_status[SIGNED], by_status.sum() - by_status[CLOSED]),
        "deposits": MASKED if few or few_deposits else _sum(deposits, known),
        "rivals": Figure.plain(outlets[_RIVALS]),
    }


def group_table(
    snapshot: Snapshot, filters: Filters, reach: Reach, mask: bool, *, mask_deposits: bool = False
) -> pd.DataFrame:
    """
    Return coverage x product match x preferences per customer group.

    Parameters
    ----------
    snapshot, filters, reach
        Of what.
    mask
        Whether groups of few customers are hidden (see the module).
    mask_deposits
        Whether deposits of few are hidden all the same, as in `cards`.

    Returns
    -------
    groups
        A row per group that is there, in the catalogue's order: `group` (id); `existing`, `target` (people),
        `customer_coverage`; `product_match`, the mean over `match_customers`; `tags`, `channels` (tuples of
        `Preference`, of `customers` rows); `deposits` of `deposits_known` customers; `masked`.
        NaN where masked or unknown.
    """
    running = _customers(snapshot, filters)
    sums = {
        name: running.sums(name, reach.radius_m, reach.outside).reshape(len(_GROUP_IDS), -1)
        for name in ("people", "rows", "match", "deposits", "known", "tags", "channels")
    }
    existing, target = sums["people"][:, 1], sums["people"][:, 0]
    rows, known, deposits = sums["rows"][:, 0], sums["known"][:, 0], sums["deposits"][:, 0]
    matched = np.where(recommended_masks()[_GROUP_IDS] > 0, existing, 0)
    hidden = too_few(existing + target) if mask else np.zeros(len(rows), dtype=bool)
    no_deposits = too_few(known, hidden) if mask or mask_deposits else hidden
    no_match = hidden | (mask & (matched < FEWEST))
    fewest = FEWEST if mask else 1
    words = {
        name: [
            () if hide else _preferences(counts, number, vocabulary, top, fewest)
            for counts, number, hide in zip(sums[name], rows, hidden, strict=True)
        ]
        for name, vocabulary, top in (
            ("tags", _words(snapshot.customers.tag_sets), TOP_TAGS),
            ("channels", _words(snapshot.customers.channel_sets), TOP_CHANNELS),
        )
    }
    table = pd.DataFrame(
        {
            "group": _GROUP_IDS,
            "existing": _unless(hidden, existing),
            "target": _unless(hidden, target),
            "customer_coverage": _unless(hidden, _share(existing, existing + target)),
            "product_match": _unless(no_match, _share(sums["match"][:, 0], matched)),
            "match_customers": _unless(no_match, matched),
            **words,
            "customers": _unless(hidden, rows),
            "deposits": _unless(no_deposits | (known == 0), deposits),
            "deposits_known": _unless(no_deposits, known),
            "masked": hidden,
        }
    )
    return table[rows > 0].reset_index(drop=True)


def category_table(snapshot: Snapshot, filters: Filters, reach: Reach) -> pd.DataFrame:
    """
    Return merchants and signed share per category.

    Returns
    -------
    categories
        `category` (id), `merchants` (shown by the filters), `open` (of them, not closed), `signed`,
        `merchant_coverage` (signed of open; NaN where none is), the most merchants first. Upper categories;
        the ones below where categories are chosen.
    """
    running = _merchants(snapshot, filters)
    counts = running.sums("merchants", reach.radius_m, reach.outside).reshape(-1, _STATUS_COUNT)
    ids = _CATEGORY_IDS
    if not filters.categories:
        ids, place = np.unique(top_of()[_CATEGORY_IDS], return_inverse=True)
        upper = np.zeros((len(ids), _STATUS_COUNT))
        np.add.at(upper, place, counts)
        counts = upper
    merchants = counts.sum(axis=1)
    still_open = merchants - counts[:, CLOSED]
    table = pd.DataFrame(
        {
            "category": ids.astype(np.int64),
            "merchants": merchants.astype(np.int64),
            "open": still_open.astype(np.int64),
            "signed": counts[:, SIGNED].astype(np.int64),
            "merchant_coverage": _share(counts[:, SIGNED], still_open),
        }
    )
    found = table[table["merchants"] > 0]
    return found.sort_values(["merchants", "category"], ascending=[False, True]).reset_index(drop=True)


def members(
    snapshot: Snapshot, layer: str, filters: Filters, reach: Reach, **where: int | bool | str
) -> NDArray[np.int64]:
    """
    Return the ids of the rows behind a count, nearest first.

    Parameters
    ----------
    snapshot, filters, reach
        Of what.
    layer
        "merchants", "customers", "outlets" or "places".
    where
        Of what the rows of one cell of a table have: `category` (an upper one means all below it), `status`
        for merchants; `group`, `existing` for customers; `own`, `kind` for outlets; `aside`.
    """
    rows = getattr(snapshot, layer)
    running = _running(snapshot, layer, filters)
    count = running.count(reach.radius_m)
    chosen = running.rows[count:] if reach.outside else running.rows[:count]
    for name, value in where.items():
        column = getattr(rows, name)[chosen]
        if name == "category":
            chosen = chosen[np.isin(column, [value, *children(int(value))])]
        elif name == "status":
            chosen = chosen[column == STATUSES.index(str(value))]
        else:
            chosen = chosen[column == value]
    if reach.outside:  # what was set aside stands last there, wherever it lies
        chosen = chosen[np.argsort(rows.distance_m[chosen], kind="stable")]
    ids: NDArray[np.int64] = rows.id[chosen]
    return ids


def kept(snapshot: Snapshot) -> dict[str, Any]:
    """Return the figures of the 100 % circle as each data version keeps them: a trend needs a past."""
    ground = catchment(snapshot)
    of_circle = cards(snapshot, Filters(), Reach(ground.radius_m), mask=False)
    return {
        "radius_m": ground.radius_m,
        "rings": {str(share): None if np.isnan(radius) else radius for share, radius in ground.rings.items()},
        "figures": {name: figure._asdict() for name, figure in of_circle.items()},
    }


def _customers(snapshot: Snapshot, filters: Filters) -> Running:
    return _running(snapshot, "customers", filters)


def _merchants(snapshot: Snapshot, filters: Filters) -> Running:
    return _running(snapshot, "merchants", filters)


def _outlets(snapshot: Snapshot) -> Running:
    return _running(snapshot, "outlets", Filters())


def _running(snapshot: Snapshot, layer: str, filters: Filters) -> Running:
    """Return the layer's running sums, made once for a filter and kept with the snapshot."""
    own = filters.of(layer)

    def make() -> Running:
        rows = getattr(snapshot, layer)
        return Running(rows, shown(snapshot, layer, own), _tallies(rows))

    running: Running = snapshot.worked.get((layer, own), make)
    return running


def _tallies(rows: object) -> dict[str, tuple[int, Callable[[Rows], Part]]]:
    if isinstance(rows, Merchants):
        return _merchant_tallies(rows)
    if isinstance(rows, Customers):
        return _customer_tallies(rows)
    if isinstance(rows, Outlets):
        own = rows.own
        return {"outlets": (2, lambda at: Part(own[at].astype(np.intp)))}
    return {}


def _merchant_tallies(rows: Merchants) -> dict[str, tuple[int, Callable[[Rows], Part]]]:
    place = _places(_CATEGORY_IDS)

    def merchants(at: Rows) -> Part:
        return Part(place[rows.category[at]] * _STATUS_COUNT + rows.status[at])

    return {"merchants": (len(_CATEGORY_IDS) * _STATUS_COUNT, merchants)}


def _customer_tallies(rows: Customers) -> dict[str, tuple[int, Callable[[Rows], Part]]]:
    place = _places(_GROUP_IDS)
    recommended = recommended_masks()
    groups = len(_GROUP_IDS)

    def people(at: Rows) -> Part:
        existing = rows.existing[at]
        return Part(place[rows.group[at]] * 2 + existing, np.where(existing, 1.0, rows.size[at]))

    def match(at: Rows) -> Part:
        share = coverage.product_match(rows.holdings[at], recommended[rows.group[at]])
        return Part(place[rows.group[at]], np.where(rows.existing[at], np.nan_to_num(share), 0.0))

    def deposits(at: Rows) -> Part:
        return Part(place[rows.group[at]], np.nan_to_num(rows.deposits[at]))

    def known(at: Rows) -> Part:
        return Part(place[rows.group[at]], (~np.isnan(rows.deposits[at])).astype(np.float64))

    return {
        "people": (groups * 2, people),
        "rows": (groups, lambda at: Part(place[rows.group[at]])),
        "match": (groups, match),
        "deposits": (groups, deposits),
        "known": (groups, known),
        "tags": _word_tally(rows, rows.tags, rows.tag_sets),
        "channels": _word_tally(rows, rows.channels, rows.channel_sets),
    }


def _word_tally(
    rows: Customers, sets: NDArray[np.int32], vocabulary: tuple[tuple[str, ...], ...]
) -> tuple[int, Callable[[Rows], Part]]:
    """Count each word of each customer's set once, per group."""
    words = _words(vocabulary)
    column = {word: at for at, word in enumerate(words)}
    members = [sorted({column[word] for word in chosen}) for chosen in vocabulary]
    sizes = np.array([len(chosen) for chosen in members], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else sizes
    flat = np.array([word for chosen in members for word in chosen], dtype=np.intp)
    place = _places(_GROUP_IDS)

    def part(at: Rows) -> Part:
        code = sets[at]
        size = sizes[code] if len(sizes) else np.zeros(len(at), dtype=np.intp)
        owner = np.repeat(np.arange(len(at)), size)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
        word = flat[starts[code[owner]] + within] if len(owner) else owner
        return Part(place[rows.group[at[owner]]] * len(words) + word, None, owner)

    return len(_GROUP_IDS) * len(words), part


def _words(sets: tuple[tuple[str, ...], ...]) -> list[str]:
    return sorted({word for chosen in sets for word in chosen})


def _places(ids: NDArray[Any]) -> NDArray[np.intp]:
    """Return, indexed by id, where the id stands in the catalogue."""
    places = np.full(int(ids.max()) + 1, int(np.flatnonzero(ids == OTHER)[0]), dtype=np.intp)
    places[ids] = np.arange(len(ids))
    return places


def _preferences(
    counts: NDArray[np.float64], customers: float, words: list[str], top: int, fewest: int
) -> tuple[Preference, ...]:
    """Return the commonest words; words are in order, so a stable sort leaves equally common ones so."""
    best = [at for at in np.argsort(-counts, kind="stable")[:top] if counts[at] >= fewest]
    return tuple(Preference(words[at], Figure.ratio(counts[at], customers)) for at in best)


def too_few(base: NDArray[np.float64], already: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Return which groups to hide: the small, and others till what is hidden could not be worked out."""
    hidden = (base > 0) & (base < FEWEST)
    if already is not None:
        hidden |= already
    by_size = [at for at in np.argsort(base, kind="stable") if base[at] > 0]
    for at in by_size:
        if 0 < base[hidden].sum() < FEWEST and not hidden[at]:
            hidden[at] = True
    return hidden


def _sum(amount: float, known: float) -> Figure:
    return Figure(float(amount), float(amount), float(known)) if known else Figure(None, None, None)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def _unless(hidden: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(hidden, np.nan, values)
