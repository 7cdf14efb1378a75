"""
Coverage: how many of those who could be reached are reached, and what they hold and like.

Counting functions take one array per property of the rows that count (inside a circle or zone: the caller
picks them) and a code per row, from 0 to `n` - 1, of the group, category or zone to count it in; a negative
code is in none. They answer with arrays of length `n`, so that a row of a table is one index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]

CROSS_HOLDING = (2, 3, 5)

_EARTH_M, _FLATTENING = 6378137.0, 1 / 298.257223563


class Figure(NamedTuple):
    """A figure with what it is made of; `value` is None where that is unknown."""

    value: float | None
    numerator: float | None
    denominator: float | None

    @classmethod
    def ratio(cls, numerator: float | None, denominator: float | None) -> Figure:
        """Return numerator / denominator; None where either is unknown or the denominator is 0."""
        top, bottom = _known(numerator), _known(denominator)
        if top is None or not bottom:
            return cls(None, top, bottom)
        return cls(top / bottom, top, bottom)

    @classmethod
    def plain(cls, value: float | None) -> Figure:
        """Return a plain count or sum as a figure."""
        return cls(_known(value), _known(value), None)


class Preference(NamedTuple):
    """A tag or channel, with the share of the customers who have it."""

    name: str
    figure: Figure


def totals(by: ArrayLike, n: int, amounts: ArrayLike | None = None) -> Floats:
    """
    Return the sum of amounts per code, NaN counting nothing; the number of rows without amounts.

    Amounts that are bool count the rows where they hold.
    """
    codes = np.asarray(by)
    weights = None if amounts is None else np.asarray(amounts)
    if weights is not None and weights.dtype == bool:
        codes, weights = codes[weights], None
    if not codes.size:
        return np.zeros(n)
    if weights is not None and weights.dtype.kind == "f":
        weights = np.nan_to_num(weights)
    if codes.min() < 0:
        inside = codes >= 0
        codes = codes[inside]
        weights = None if weights is None else weights[inside]
    return np.bincount(codes, weights=weights, minlength=n)[:n].astype(np.float64)


def customer_coverage(existing: ArrayLike, size: ArrayLike, by: ArrayLike, n: int) -> tuple[Counts, Counts]:
    """
    Return customers reached and reachable per code.

    Parameters
    ----------
    existing
        True for a customer of ours, who counts 1; False for a target.
    size
        People at the point: a target group counts as many.
    by, n
        Codes and their number.

    Returns
    -------
    reached, reachable
        Existing customers; existing customers and targets.
    """
    ours = np.asarray(existing, dtype=bool)
    reached = totals(by, n, ours)
    targets = totals(by, n, np.where(ours, 0, np.asarray(size)))
    return _whole(reached), _whole(reached + targets)


def merchant_coverage(signed: ArrayLike, closed: ArrayLike, by: ArrayLike, n: int) -> tuple[Counts, Counts]:
    """
    Return merchants signed and merchants known and not closed, per code.

    Parameters
    ----------
    signed, closed
        Bool per merchant; a closed one counts on neither side.
    by, n
        Codes and their number.
    """
    open_ = ~np.asarray(closed, dtype=bool)
    return _whole(totals(by, n, open_ & np.asarray(signed, dtype=bool))), _whole(totals(by, n, open_))


def product_match(holdings: ArrayLike, recommended: ArrayLike) -> Floats:
    """
    Return the share of the products recommended to a customer that the customer holds.

    Parameters
    ----------
    holdings, recommended
        Bit masks by product id, uint64.

    Returns
    -------
    product_match
        NaN where nothing is recommended.
    """
    held, wanted = np.asarray(holdings, dtype=np.uint64), np.asarray(recommended, dtype=np.uint64)
    asked = np.bitwise_count(wanted).astype(np.float64)
    return np.where(asked > 0.0, np.bitwise_count(held & wanted) / np.maximum(asked, 1.0), np.nan)


def mean_of(values: ArrayLike, by: ArrayLike, n: int) -> tuple[Floats, Counts]:
    """Return the sum of known values and their number per code: numerator and denominator of a mean."""
    numbers = np.asarray(values, dtype=np.float64)
    return totals(by, n, numbers), _whole(totals(by, n, ~np.isnan(numbers)))


def cross_holding(
    holdings: ArrayLike, at_least: int, by: ArrayLike | None = None, n: int = 1
) -> tuple[Counts, Counts]:
    """
    Return customers holding at least so many products, and all of them, per code (one code without `by`).

    Parameters
    ----------
    holdings
        Bit masks by product id, uint64, of existing customers.
    at_least
        Number of products.
    """
    held = np.bitwise_count(np.asarray(holdings, dtype=np.uint64))
    codes = np.zeros(held.shape, dtype=np.intp) if by is None else np.asarray(by)
    return _whole(totals(codes, n, held >= at_least)), _whole(totals(codes, n))


def products_mean(holdings: ArrayLike, by: ArrayLike | None = None, n: int = 1) -> tuple[Counts, Counts]:
    """Return products held and customers per code (one code without `by`): the mean's two sides."""
    held = np.bitwise_count(np.asarray(holdings, dtype=np.uint64))
    codes = np.zeros(held.shape, dtype=np.intp) if by is None else np.asarray(by)
    return _whole(totals(codes, n, held)), _whole(totals(codes, n))


def preferences(
    sets: ArrayLike, vocabulary: Sequence[Sequence[str]], by: ArrayLike, n: int, top: int = 3
) -> list[list[Preference]]:
    """
    Return the commonest tags (or channels) per code, with the share of its customers who have them.

    Parameters
    ----------
    sets
        Per customer, which set of tags: an index into `vocabulary`; negative where none is known.
    vocabulary
        The sets of tags there are.
    by, n
        Codes and their number.
    top
        How many tags at most.

    Returns
    -------
    preferences
        Per code, commonest first, by name where two are equally common. Customers without tags count in
        the denominator.
    """
    codes, which = np.asarray(by), np.asarray(sets)
    customers = totals(codes, n)
    names = sorted({name for tags in vocabulary for name in tags})
    if not names or not codes.size:
        return [[] for _ in range(n)]
    column = {name: i for i, name in enumerate(names)}
    tagged = (codes >= 0) & (which >= 0)
    width = len(vocabulary)
    pairs = np.bincount(codes[tagged].astype(np.intp) * width + which[tagged], minlength=n * width)
    having = np.zeros((n, len(names)))
    for i, tags in enumerate(vocabulary):
        for name in set(tags):
            having[:, column[name]] += pairs[i : n * width : width]
    return [_commonest(having[code], names, float(customers[code]), top) for code in range(n)]


def nearer_rival(
    lon: ArrayLike,
    lat: ArrayLike,
    branch_lon: float,
    branch_lat: float,
    rival_lon: ArrayLike,
    rival_lat: ArrayLike,
) -> Bools:
    """
    Return where a customer is nearer to some rival outlet than to the branch.

    Compared are straight lines between points of the ellipsoid, which order as geodesics do at any distance
    one would walk or drive. Equally near is not nearer.
    """
    from geo.nearest import nearer_than  # with Numba, which whoever asks for no rivals need not wait for

    customers = _earth_centred_m(lon, lat)
    rivals = _earth_centred_m(rival_lon, rival_lat)
    if not len(rivals) or not len(customers):
        return np.zeros(len(customers), dtype=bool)
    return nearer_than(customers, _earth_centred_m([branch_lon], [branch_lat])[0], rivals)


def _earth_centred_m(lon: ArrayLike, lat: ArrayLike) -> Floats:
    east, north = np.radians(np.asarray(lon, dtype=np.float64)), np.radians(np.asarray(lat, dtype=np.float64))
    squared = _FLATTENING * (2.0 - _FLATTENING)
    normal = _EARTH_M / np.sqrt(1.0 - squared * np.sin(north) ** 2)
    across = normal * np.cos(north)
    return np.column_stack(
        [across * np.cos(east), across * np.sin(east), normal * (1.0 - squared) * np.sin(north)]
    )


def _commonest(having: Floats, names: list[str], customers: float, top: int) -> list[Preference]:
    # The names are in order already: a stable sort leaves equally common ones so.
    order = np.argsort(-having, kind="stable")[:top]
    return [Preference(names[i], Figure.ratio(having[i], customers)) for i in order if having[i] > 0.0]


def _whole(sums: Floats) -> Counts:
    return np.rint(sums).astype(np.int64)


def _known(number: float | None) -> float | None:
    return None if number is None or np.isnan(number) else float(number)
