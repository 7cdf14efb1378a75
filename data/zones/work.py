"""Work: which visits come due in a quarter, and the hours they take with the walk between neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.filters import CLOSED
from data.snapshots import Snapshot
from data.zones.intervals import customer_days, merchant_days
from geo.nearest import nearest_m

Floats = NDArray[np.float64]

VISIT_H = 0.5
WALK_M_H = 4_000.0
QUARTER_DAYS = 90
OUTINGS, VISITS_AN_OUTING = 2, 10  # of a pair, a month; and on one
CAPACITY_H = OUTINGS * 3 * VISITS_AN_OUTING * VISIT_H  # of a pair, a quarter


@dataclass(frozen=True, eq=False)
class Hours:
    """
    Hours of work a quarter that a row makes.

    Parameters
    ----------
    merchants, customers
        One a row of the layer; 0 for what is not visited: closed merchants, existing customers, what is set
        aside.
    """

    merchants: Floats
    customers: Floats

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self.merchants.nbytes + self.customers.nbytes


def hours(snapshot: Snapshot) -> Hours:
    """
    Return the hours a quarter that each merchant and target customer makes.

    A visit takes half an hour and the walk, at 4 km/h in a straight line, to the nearest neighbour that is
    visited too: an estimate, as nobody knows the way that will be taken.
    """
    found: Hours = snapshot.worked.get("hours", lambda: _hours(snapshot))
    return found


def _hours(snapshot: Snapshot) -> Hours:
    merchants, customers = snapshot.merchants, snapshot.customers
    shops = np.flatnonzero((merchants.status != CLOSED) & ~merchants.aside)
    targets = np.flatnonzero(~customers.existing & ~customers.aside)
    days = [merchant_days(merchants)[shops], customer_days(customers)[targets]]
    due = QUARTER_DAYS / np.concatenate(days)
    lon = np.concatenate([merchants.lon[shops], customers.lon[targets]])
    lat = np.concatenate([merchants.lat[shops], customers.lat[targets]])
    taken = due * (VISIT_H + np.nan_to_num(nearest_m(lon, lat)) / WALK_M_H)
    found = Hours(np.zeros(len(merchants)), np.zeros(len(customers)))
    found.merchants[shops], found.customers[targets] = taken[: len(shops)], taken[len(shops) :]
    return found
