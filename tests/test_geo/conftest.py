"""The toy town, small enough to work every figure out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from pyproj import Geod

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

Array = NDArray[Any]
SAVINGS, QR_CODE, LOAN, CARD, PAYROLL = (1 << bit for bit in range(5))


def east_of(lon: float, lat: float, metres: list[float]) -> tuple[Array, Array]:
    """Return positions due east of one, by pyproj's own geodesics."""
    count = len(metres)
    lons, lats, _ = Geod(ellps="WGS84").fwd(
        np.full(count, lon), np.full(count, lat), np.full(count, 90.0), np.array(metres, dtype=float)
    )
    return lons, lats


@dataclass(frozen=True)
class ToyTown:
    """
    One street, running east from the branch; E is an existing customer, t a target, G a target group of 20.

    metres     100 200 300 400 500 600 700 800 900 1000        5000
    customers   E   E   E   E   t   t   E   t   t    G
    group       0   0   0   0   0   1   1   1   1    1
    merchants       known   signed  closed                   signed
    category          0        0       0                        1
    rival                                 at 650

    Group 2 and category 2 are nobody's.
    """

    lon: float = 114.0
    lat: float = 30.0
    customers_m: list[float] = field(default_factory=lambda: [100.0 * step for step in range(1, 11)])
    existing: Array = field(default_factory=lambda: np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0], dtype=bool))
    size: Array = field(default_factory=lambda: np.array([1, 1, 1, 1, 1, 1, 1, 1, 1, 20]))
    group: Array = field(default_factory=lambda: np.array([0] * 5 + [1] * 5, dtype=np.int16))
    holdings: Array = field(
        default_factory=lambda: np.array(
            [SAVINGS | QR_CODE | LOAN, SAVINGS | QR_CODE, SAVINGS, 0, 0, 0]
            + [SAVINGS | QR_CODE | LOAN | CARD | PAYROLL, 0, 0, 0],
            dtype=np.uint64,
        )
    )
    merchants_m: list[float] = field(default_factory=lambda: [200.0, 400.0, 600.0, 5000.0])
    signed: Array = field(default_factory=lambda: np.array([False, True, False, True]))
    closed: Array = field(default_factory=lambda: np.array([False, False, True, False]))
    category: Array = field(default_factory=lambda: np.array([0, 0, 0, 1], dtype=np.int16))
    rivals_m: list[float] = field(default_factory=lambda: [650.0])

    def at(self, metres: list[float]) -> tuple[Array, Array]:
        """Return the positions along the street."""
        return east_of(self.lon, self.lat, metres)


@pytest.fixture
def toy_town() -> ToyTown:
    return ToyTown()
