"""Merchants to visit, zone by zone: the most urgent first, in an order in which they can be walked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.filters import CLOSED
from data.snapshots import Snapshot
from data.zones.intervals import merchant_states
from geo.assign import zones_of
from geo.crs import local_metric, to_metric
from geo.plans import Plan
from geo.visits import DUE, NEVER, ON_TRACK, OVERDUE
from geo.walking import walking_order

Rows = NDArray[np.intp]
URGENCY = {OVERDUE: 0, DUE: 1, NEVER: 2}
"""What of visits comes first: who waits longest, then who is about to, then who was never called on."""


@dataclass(frozen=True, eq=False)
class ToVisit:
    """
    Merchants of a plan's zones that are open and not on track.

    Parameters
    ----------
    by_zone
        Rows of the snapshot's merchants, the most urgent first.
    inside
        Rows of all open merchants by zone.
    states
        How visits to each merchant of the snapshot stand: indices into `geo.visits.STATES`.
    """

    by_zone: Mapping[int, Rows]
    inside: Mapping[int, Rows]
    states: NDArray[np.int8]


def to_visit(snapshot: Snapshot, plan: Plan, today: date) -> ToVisit:
    """Return who is to be visited in each zone of a plan, as of a day."""
    merchants = snapshot.merchants
    states = merchant_states(merchants, today)
    zone = zones_of(merchants.lon, merchants.lat, [each.shape for each in plan.zones])
    zone[(merchants.status == CLOSED) | merchants.aside] = -1
    order = np.argsort(zone, kind="stable")
    edges = np.searchsorted(zone[order], np.arange(len(plan) + 1))
    inside = {zone_id: order[edges[at] : edges[at + 1]] for at, zone_id in enumerate(plan.ids)}
    rank = np.array([URGENCY.get(state, len(URGENCY)) for state in range(len(URGENCY) + 1)])[states]
    waiting = {}
    for zone_id, rows in inside.items():
        rows = rows[states[rows] != ON_TRACK]
        waiting[zone_id] = rows[np.lexsort((merchants.id[rows], rank[rows]))]
    return ToVisit(waiting, inside, states)


def walk(snapshot: Snapshot, found: ToVisit, rows: Rows, most: int | None = None) -> Rows:
    """
    Return merchants in the order of a walk from the branch.

    Parameters
    ----------
    snapshot, found
        Of whom.
    rows
        The most urgent first, as in `ToVisit`.
    most
        How many are called on. Of the last urgency there is time for, those stay that come first on the way.
    """
    crs = local_metric(snapshot.lon, snapshot.lat)
    x, y = to_metric(snapshot.merchants.lon, snapshot.merchants.lat, crs)

    def ordered(some: Rows) -> Rows:
        return some[walking_order(x[some], y[some], (0.0, 0.0))]

    if most is None or len(rows) <= most:
        return ordered(rows)
    rank = np.array([URGENCY.get(int(state), len(URGENCY)) for state in found.states[rows]])
    certain = rows[rank < rank[most]]
    rest = ordered(rows[rank == rank[most]])
    return ordered(np.concatenate([certain, rest[: most - len(certain)]]))
