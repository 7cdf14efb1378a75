"""
Customers on a grid of square cells: whom a merchant serves, exactly, for the price of its circle's rim.

Cells stand row by row from south to north, each row from west to east, and only those that hold somebody.
What lies wholly inside a circle is counted by running sums along its row; what the rim crosses, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.compiled import inner, released
from geo.errors import N_, GeoError
from geo.threads import in_parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.int64]

MOST_GROUPS = 32  # bits of a mask
_MOST_CELLS, _CELLS_EACH = 4_000_000, 32
SLACK_M = 1e-5  # a cell counts as wholly inside only if it is by more than rounding


class Grid(NamedTuple):
    """
    Customers in order of their cells, as compiled functions take them.

    Parameters
    ----------
    x, y, bit, people
        Per customer, in metres; the bit of their group, and how many people they count as.
    west, south, cell_m
        Where the cells begin, and their side.
    bands
        The occupied cells of row j are `bands[j]` to `bands[j + 1]`.
    lows, offsets, cells
        Row j begins at column `lows[j]`; the occupied cells before its k-th column are
        `cells[offsets[j] + k]`, as far as `offsets[j + 1]`.
    starts
        The customers of cell i are `starts[i]` to `starts[i + 1]`.
    sums
        People before each cell, in this order, by bit; one row more than there are cells.
    """

    x: Floats
    y: Floats
    bit: NDArray[np.uint8]
    people: Floats
    west: float
    south: float
    cell_m: float
    bands: Ints
    lows: Ints
    offsets: Ints
    cells: NDArray[np.int32]
    starts: Ints
    sums: Floats


@dataclass(frozen=True, eq=False)
class Crowd:
    """Customers on a grid, and where each stood in the arrays it was built of."""

    grid: Grid
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(value.nbytes for value in (*self.grid, self.rows) if isinstance(value, np.ndarray))

    @property
    def total(self) -> float:
        """All people."""
        return float(self.grid.sums[-1].sum())

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
            The side of a cell; wider where customers lie so far apart that cells would fill the memory.

        Raises
        ------
        GeoError
            For a position that is no number, or a bit outside a mask.
        """
        east, north, weight = (np.asarray(each, dtype=np.float64) for each in (x, y, people))
        bits = np.asarray(group_bit)
        if not (np.isfinite(east).all() and np.isfinite(north).all()):
            raise GeoError(N_("Customers must have positions in metres."))
        if bits.size and not (bits.min() >= 0 and bits.max() < MOST_GROUPS):
            raise GeoError(N_("There can be at most {count} customer groups."), count=MOST_GROUPS)
        west, south = (float(each.min()) if each.size else 0.0 for each in (east, north))
        while True:
            column = np.floor((east - west) / cell_m).astype(np.int64)
            band = np.floor((north - south) / cell_m).astype(np.int64)
            order = np.argsort(band * (column.max(initial=0) + 1) + column, kind="stable")
            lows, offsets = _rows_of_cells(column[order], band[order])
            if offsets[-1] <= _MOST_CELLS + _CELLS_EACH * east.size:
                break
            cell_m *= 2.0
        column, band, bits, weight = column[order], band[order], bits[order].astype(np.uint8), weight[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(column) != 0) | (np.diff(band) != 0)
        first = np.flatnonzero(new)
        cell = np.cumsum(new) - 1
        groups = int(bits.max()) + 1 if bits.size else 1
        held = np.bincount(cell * groups + bits, weights=weight, minlength=len(first) * groups)
        sums = np.zeros((len(first) + 1, groups))
        np.cumsum(held.reshape(-1, groups), axis=0, out=sums[1:])
        holds = np.zeros(offsets[-1], dtype=np.int32)
        holds[offsets[band[first]] + column[first] - lows[band[first]]] = 1
        grid = Grid(
            x=np.ascontiguousarray(east[order]),
            y=np.ascontiguousarray(north[order]),
            bit=bits,
            people=weight,
            west=west,
            south=south,
            cell_m=float(cell_m),
            bands=np.searchsorted(band[first], np.arange(len(lows) + 1)).astype(np.int64),
            lows=lows,
            offsets=offsets,
            cells=np.cumsum(holds, dtype=np.int32) - holds,
            starts=np.append(first, len(order)).astype(np.int64),
            sums=sums,
        )
        return cls(grid, order.astype(np.int64))

    def served(self, x: float, y: float, reach_m: float, serves: int) -> Rows:
        """
        Return the customers one merchant serves: within reach, rim included, and of a group it serves.

        Returns
        -------
        rows
            Their places in the arrays the crowd was built of, in order.
        """
        return np.sort(self.rows[_members(self.grid, float(x), float(y), float(reach_m), int(serves))])


def _rows_of_cells(column: Ints, band: Ints) -> tuple[Ints, Ints]:
    """Return the lowest column of each row of cells, and how many columns all rows before it span."""
    height = int(band[-1]) + 1 if band.size else 0
    edges = np.searchsorted(band, np.arange(height + 1))
    held = edges[:-1] < edges[1:]
    lows, widths = np.zeros(height, dtype=np.int64), np.zeros(height, dtype=np.int64)
    lows[held] = column[edges[:-1][held]]
    widths[held] = column[edges[1:][held] - 1] - lows[held] + 1
    return lows, np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)


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
    bits = np.arange(crowd.grid.sums.shape[1], dtype=np.uint32)
    chosen = (masks[:, None] >> bits) & np.uint32(1)
    return np.asarray((by_group(crowd, east, north, reach) * chosen).sum(axis=1))


def by_group(crowd: Crowd, x: ArrayLike, y: ArrayLike, reach_m: ArrayLike) -> Floats:
    """Return how many people of each group, by bit, are within reach of each place, a row each."""
    east, north = (np.ascontiguousarray(each, dtype=np.float64) for each in (x, y))
    reach = np.ascontiguousarray(np.broadcast_to(np.asarray(reach_m, dtype=np.float64), east.shape))
    found = np.zeros((len(east), crowd.grid.sums.shape[1]))
    in_parts(lambda start, end: _by_group(crowd.grid, east, north, reach, start, end, found), len(east))
    return found


@inner
def from_column(grid: Grid, band: int, least: float) -> int:
    """Return the first of a row's occupied cells whose column is at least that."""
    at = least - grid.lows[band]
    if at <= 0.0:
        return int(grid.bands[band])
    if at >= grid.offsets[band + 1] - grid.offsets[band]:
        return int(grid.bands[band + 1])
    return int(grid.cells[grid.offsets[band] + int(at)])


@inner
def bands_of(grid: Grid, y: float, reach: float) -> tuple[int, int]:
    """Return the rows of cells a circle touches: the first, and the one after the last."""
    low = np.floor((y - reach - SLACK_M - grid.south) / grid.cell_m)
    high = np.floor((y + reach + SLACK_M - grid.south) / grid.cell_m)
    return int(max(low, 0.0)), int(min(high, grid.bands.size - 2.0)) + 1


@inner
def span(grid: Grid, band: int, x: float, y: float, reach: float) -> tuple[int, int, int, int]:
    """
    Return what a circle touches of a row of cells: those from the first number to before the last.

    From the second to before the third they lie wholly inside; where none does, both are the last number.
    """
    low = grid.south + band * grid.cell_m
    high = low + grid.cell_m
    first, end = grid.bands[band], grid.bands[band + 1]
    near = max(max(low - y, y - high), 0.0) - SLACK_M
    if near > reach or first == end:
        return first, first, first, first
    wide = np.sqrt(reach * reach - max(near, 0.0) ** 2) + SLACK_M
    first = from_column(grid, band, np.floor((x - wide - grid.west) / grid.cell_m))
    end = from_column(grid, band, np.floor((x + wide - grid.west) / grid.cell_m) + 1.0)
    far = max(abs(low - y), abs(high - y)) + SLACK_M
    if far > reach:
        return first, end, end, end
    narrow = np.sqrt(reach * reach - far * far) - SLACK_M
    left = from_column(grid, band, np.ceil((x - narrow - grid.west) / grid.cell_m))
    right = from_column(grid, band, np.floor((x + narrow - grid.west) / grid.cell_m))
    return (first, left, right, end) if left < right else (first, end, end, end)


@inner
def is_near(grid: Grid, row: int, x: float, y: float, reach: float) -> bool:
    """Whether a customer is within reach of a place, the rim included."""
    return bool((grid.x[row] - x) ** 2 + (grid.y[row] - y) ** 2 <= reach * reach)


@released
def _by_group(
    grid: Grid, x: Floats, y: Floats, reach_m: Floats, start: int, stop: int, found: Floats
) -> None:
    for at in range(start, stop):
        if not reach_m[at] >= 0.0:
            continue
        low, high = bands_of(grid, y[at], reach_m[at])
        for band in range(low, high):
            first, left, right, end = span(grid, band, x[at], y[at], reach_m[at])
            for group in range(found.shape[1]):
                found[at, group] += grid.sums[right, group] - grid.sums[left, group]
            for rim in range(2):
                a, b = (first, left) if rim == 0 else (right, end)
                for row in range(grid.starts[a], grid.starts[b]):
                    if is_near(grid, row, x[at], y[at], reach_m[at]):
                        found[at, grid.bit[row]] += grid.people[row]


@released
def _members(grid: Grid, x: float, y: float, reach: float, serves: int) -> Ints:
    found, count = np.empty(64, dtype=np.int64), 0
    if not reach >= 0.0:
        return found[:0]
    low, high = bands_of(grid, y, reach)
    for band in range(low, high):
        first, _left, _right, end = span(grid, band, x, y, reach)
        for row in range(grid.starts[first], grid.starts[end]):
            if (serves >> grid.bit[row]) & 1 and is_near(grid, row, x, y, reach):
                if count == found.size:
                    wider = np.empty(2 * count, dtype=np.int64)
                    wider[:count] = found
                    found = wider
                found[count] = row
                count += 1
    return found[:count]
