"""
Customers on a grid of square cells: whom a merchant serves, exactly, for the price of its circle's rim.

Cells stand row by row from south to north, each row from west to east, and only those that hold somebody.
What lies wholly inside a circle is counted by running sums along its row; what the rim crosses, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.compiled import inner, released
from geo.errors import N_, GeoError
from geo.threads import in_parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.int64]

MOST_GROUPS = 32  # bits of a mask
SLACK_M = 1e-5  # a cell counts as wholly inside only if it is by more than rounding


@dataclass(frozen=True, eq=False)
class Crowd:
    """
    Customers in order of their cells; `build` makes one.

    Parameters
    ----------
    x, y, bit, people
        Per customer, in metres; the bit of their group, and how many people they count as.
    rows
        Where each stood in the arrays it was built of.
    west, south, cell_m
        Of the grid.
    bands
        The occupied cells of row j are `bands[j]` to `bands[j + 1]`.
    columns
        Per occupied cell.
    starts
        The customers of cell i are `starts[i]` to `starts[i + 1]`.
    sums
        People before each cell, in this order, by bit; one row more than there are cells.
    """

    x: Floats
    y: Floats
    bit: NDArray[np.uint8]
    people: Floats
    rows: Rows
    west: float
    south: float
    cell_m: float
    bands: Ints
    columns: Ints
    starts: Ints
    sums: Floats

    def __len__(self) -> int:
        return len(self.x)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        values = [getattr(self, item.name) for item in fields(self)]
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))

    @property
    def total(self) -> float:
        """All people."""
        return float(self.sums[-1].sum())

    @classmethod
    def build(
        cls, x: ArrayLike, y: ArrayLike, group_bit: ArrayLike, people: ArrayLike, *, cell_m: float = 50.0
    ) -> Crowd:
        """
        Put customers on a grid.

        Parameters
        ----------
        x, y
            Metres on the branch's plane. Only of those who count: what is set aside is left out.
        group_bit
            The number of the bit that stands for their group in a mask of groups, 0 to 31.
        people
            How many each counts as; whole numbers, so that sums are exact.
        cell_m
            The side of a cell.

        Raises
        ------
        GeoError
            For a position that is no number, or a bit outside a mask.
        """
        east, north, weight = (np.asarray(each, dtype=np.float64) for each in (x, y, people))
        bits = np.asarray(group_bit)
        if not (np.isfinite(east).all() and np.isfinite(north).all()):
            raise GeoError(N_("Customers must have positions in metres."))
        if bits.size and not (0 <= bits.min() and bits.max() < MOST_GROUPS):
            raise GeoError(N_("There can be at most {count} customer groups."), count=MOST_GROUPS)
        west, south = (float(each.min()) if each.size else 0.0 for each in (east, north))
        column = np.floor((east - west) / cell_m).astype(np.int64)
        band = np.floor((north - south) / cell_m).astype(np.int64)
        order = np.lexsort((column, band))
        column, band, bits, weight = column[order], band[order], bits[order].astype(np.uint8), weight[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(column) != 0) | (np.diff(band) != 0)
        first = np.flatnonzero(new)
        cell = np.cumsum(new) - 1
        groups = int(bits.max()) + 1 if bits.size else 1
        held = np.bincount(cell * groups + bits, weights=weight, minlength=len(first) * groups)
        sums = np.zeros((len(first) + 1, groups))
        np.cumsum(held.reshape(-1, groups), axis=0, out=sums[1:])
        height = int(band[-1]) + 1 if band.size else 0
        return cls(
            x=np.ascontiguousarray(east[order]),
            y=np.ascontiguousarray(north[order]),
            bit=bits,
            people=weight,
            rows=order.astype(np.int64),
            west=west,
            south=south,
            cell_m=float(cell_m),
            bands=np.searchsorted(band[first], np.arange(height + 1)).astype(np.int64),
            columns=column[first],
            starts=np.append(first, len(order)).astype(np.int64),
            sums=sums,
        )

    def served(self, x: float, y: float, reach_m: float, serves: int) -> Rows:
        """
        Return the customers one merchant serves: within reach, rim included, and of a group it serves.

        Returns
        -------
        rows
            Their places in the arrays the crowd was built of, in order.
        """
        return np.sort(self.rows[_members(*self.grid, x, y, float(reach_m), np.uint32(serves))])

    @property
    def grid(self) -> tuple[Any, ...]:
        """The fields as compiled functions take them."""
        return (
            self.x,
            self.y,
            self.bit,
            self.people,
            self.west,
            self.south,
            self.cell_m,
            self.bands,
            self.columns,
            self.starts,
            self.sums,
        )


def served_counts(crowd: Crowd, x: ArrayLike, y: ArrayLike, reach_m: ArrayLike, serves: ArrayLike) -> Floats:
    """
    Return how many people each merchant serves; exact, see `Crowd.served`.

    Parameters
    ----------
    crowd
        The customers.
    x, y, reach_m
        Of the merchants, in metres; a reach that is no number, or below zero, holds nobody.
    serves
        Masks of the groups each serves.
    """
    east, north, reach = (np.ascontiguousarray(each, dtype=np.float64) for each in (x, y, reach_m))
    masks = np.broadcast_to(np.asarray(serves, dtype=np.uint32), east.shape)
    bits = np.arange(crowd.sums.shape[1], dtype=np.uint32)
    chosen = (masks[:, None] >> bits) & np.uint32(1)
    return np.asarray((by_group(crowd, east, north, reach) * chosen).sum(axis=1))


def by_group(crowd: Crowd, x: ArrayLike, y: ArrayLike, reach_m: ArrayLike) -> Floats:
    """Return how many people of each group, by bit, are within reach of each place, a row each."""
    east, north = (np.ascontiguousarray(each, dtype=np.float64) for each in (x, y))
    reach = np.ascontiguousarray(np.broadcast_to(np.asarray(reach_m, dtype=np.float64), east.shape))
    found = np.zeros((len(east), crowd.sums.shape[1]))
    in_parts(lambda start, end: _by_group(*crowd.grid, east, north, reach, start, end, found), len(east))
    return found


@inner
def first_from(columns: Ints, first: int, end: int, least: int) -> int:
    """Return the first place in a row of cells whose column is at least that."""
    while first < end:
        middle = (first + end) // 2
        if columns[middle] < least:
            first = middle + 1
        else:
            end = middle
    return first


@inner
def across(low: float, high: float, at: float, reach: float) -> tuple[float, float]:
    """Return half the width of a circle where a row is widest, and where it is narrowest; -1 for none."""
    near = max(max(low - at, at - high), 0.0) - SLACK_M
    far = max(abs(low - at), abs(high - at)) + SLACK_M
    wide = -1.0 if near > reach else np.sqrt(reach * reach - max(near, 0.0) ** 2) + SLACK_M
    narrow = -1.0 if far > reach else np.sqrt(reach * reach - far * far) - SLACK_M
    return wide, narrow


@released
def _by_group(
    xs: Floats,
    ys: Floats,
    bit: NDArray[np.uint8],
    people: Floats,
    west: float,
    south: float,
    cell: float,
    bands: Ints,
    columns: Ints,
    starts: Ints,
    sums: Floats,
    x: Floats,
    y: Floats,
    reach_m: Floats,
    first: int,
    last: int,
    found: Floats,
) -> None:
    groups = sums.shape[1]
    for at in range(first, last):
        reach = reach_m[at]
        if not reach >= 0.0:
            continue
        low = max(int(np.floor((y[at] - reach - SLACK_M - south) / cell)), 0)
        high = min(int(np.floor((y[at] + reach + SLACK_M - south) / cell)), bands.size - 2)
        for band in range(low, high + 1):
            a, d = bands[band], bands[band + 1]
            if a == d:
                continue
            bottom = south + band * cell
            wide, narrow = across(bottom, bottom + cell, y[at], reach)
            if wide < 0.0:
                continue
            a = first_from(columns, a, d, int(np.floor((x[at] - wide - west) / cell)))
            d = first_from(columns, a, d, int(np.floor((x[at] + wide - west) / cell)) + 1)
            b, c = d, d
            if narrow >= 0.0:
                b = first_from(columns, a, d, int(np.ceil((x[at] - narrow - west) / cell)))
                c = first_from(columns, b, d, int(np.floor((x[at] + narrow - west) / cell)))
                if c > b:
                    for group in range(groups):
                        found[at, group] += sums[c, group] - sums[b, group]
            for one in range(starts[a], starts[b]):
                if (xs[one] - x[at]) ** 2 + (ys[one] - y[at]) ** 2 <= reach * reach:
                    found[at, bit[one]] += people[one]
            for one in range(starts[c], starts[d]):
                if (xs[one] - x[at]) ** 2 + (ys[one] - y[at]) ** 2 <= reach * reach:
                    found[at, bit[one]] += people[one]


@released
def _members(
    xs: Floats,
    ys: Floats,
    bit: NDArray[np.uint8],
    people: Floats,
    west: float,
    south: float,
    cell: float,
    bands: Ints,
    columns: Ints,
    starts: Ints,
    sums: Floats,
    x: float,
    y: float,
    reach: float,
    serves: int,
) -> Ints:
    found = np.empty(64, dtype=np.int64)
    count = 0
    if not reach >= 0.0:
        return found[:0]
    low = max(int(np.floor((y - reach - SLACK_M - south) / cell)), 0)
    high = min(int(np.floor((y + reach + SLACK_M - south) / cell)), bands.size - 2)
    for band in range(low, high + 1):
        a, d = bands[band], bands[band + 1]
        bottom = south + band * cell
        wide, _narrow = across(bottom, bottom + cell, y, reach)
        if a == d or wide < 0.0:
            continue
        a = first_from(columns, a, d, int(np.floor((x - wide - west) / cell)))
        d = first_from(columns, a, d, int(np.floor((x + wide - west) / cell)) + 1)
        for one in range(starts[a], starts[d]):
            if not (serves >> bit[one]) & 1:
                continue
            if (xs[one] - x) ** 2 + (ys[one] - y) ** 2 <= reach * reach:
                if count == found.size:
                    wider = np.empty(2 * count, dtype=np.int64)
                    wider[:count] = found
                    found = wider
                found[count] = one
                count += 1
    return found[:count]
