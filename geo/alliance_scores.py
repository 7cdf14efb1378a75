"""
What an alliance is worth: 便 convenience, 利 profit, 惠 savings.

A customer is *in reach* of a merchant within its category's reach, the rim included, and *served* by it when
the category serves the customer's group as well. All counts are of people: a target group counts as its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.crowd import MOST_GROUPS, Crowd, Rows
from geo.served import Shops

Floats = NDArray[np.float64]

EVERYBODY = (1 << MOST_GROUPS) - 1  # a mask of all groups


@dataclass(frozen=True, eq=False)
class Audience:
    """
    Customers an alliance can be for.

    Parameters
    ----------
    crowd
        All of them, on cells.
    x, y, bit, people
        As the crowd was built of.
    scope
        Whose share 便 is of.
    """

    crowd: Crowd
    x: Floats
    y: Floats
    bit: NDArray[np.uint8]
    people: Floats
    scope: NDArray[np.bool_]

    @classmethod
    def build(
        cls, x: ArrayLike, y: ArrayLike, group_bit: ArrayLike, people: ArrayLike, scope: ArrayLike
    ) -> Audience:
        """Put customers on cells; see `Crowd.build`."""
        east, north, weight = (np.asarray(each, dtype=np.float64) for each in (x, y, people))
        bits = np.asarray(group_bit).astype(np.uint8)
        crowd = Crowd.build(east, north, bits, weight)
        return cls(crowd, east, north, bits, weight, np.asarray(scope, dtype=np.bool_))

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        own = (self.x, self.y, self.bit, self.people, self.scope)
        return self.crowd.nbytes + sum(each.nbytes for each in own)

    @property
    def in_scope(self) -> float:
        """People of the scope."""
        return float(self.people[self.scope].sum())


@dataclass(frozen=True)
class Scores:
    """
    What an alliance is worth.

    Parameters
    ----------
    covered, scope
        People of the scope within reach of a member, and all of the scope.
    convenience
        便: the first as a share of the second; NaN where the scope holds nobody.
    median_m
        Half of the scope's people have a member at most so far away, in a straight line.
    served
        People each member serves.
    gained
        What the others bring each member: people one of them serves, of a group the member serves too, out of
        the member's reach.
    gains
        The second as a share of the first; NaN for a member that serves nobody.
    profit
        利: the smallest of them; above 0 no member loses.
    """

    covered: float
    scope: float
    convenience: float
    median_m: float
    served: tuple[float, ...]
    gained: tuple[float, ...]
    gains: tuple[float, ...]
    profit: float


def scores(audience: Audience, members: Shops) -> Scores:
    """Return what an alliance of some members is worth to an audience."""
    covered, scope = float(audience.people[in_reach(audience, members)].sum()), audience.in_scope
    served, gained = _gained(audience, members)
    gains = np.divide(gained, served, out=np.full(len(served), np.nan), where=served > 0)
    known = gains[~np.isnan(gains)]
    return Scores(
        covered=covered,
        scope=scope,
        convenience=covered / scope if scope else np.nan,
        median_m=_median_m(audience, members),
        served=tuple(served.tolist()),
        gained=tuple(gained.tolist()),
        gains=tuple(gains.tolist()),
        profit=float(known.min()) if len(known) else np.nan,
    )


def in_reach(audience: Audience, members: Shops) -> Rows:
    """Return the customers of the scope within reach of one of some merchants, in order."""
    near = [_reached(audience, members, place, EVERYBODY) for place in range(len(members.x))]
    rows = np.unique(np.concatenate(near)) if near else np.array([], dtype=np.int64)
    return rows[audience.scope[rows]]


def _reached(audience: Audience, members: Shops, place: int, serves: int) -> Rows:
    x, y, reach_m = members.x[place], members.y[place], members.reach_m[place]
    return audience.crowd.served(float(x), float(y), float(reach_m), serves)


def _gained(audience: Audience, members: Shops) -> tuple[Floats, Floats]:
    """Return the people each member serves, and those the others bring it."""
    own = [_reached(audience, members, place, mask) for place, mask in enumerate(members.serves.tolist())]
    if not own:
        return np.array([]), np.array([])
    rows = np.unique(np.concatenate(own))
    people, bits = audience.people[rows], audience.bit[rows].astype(np.uint32)
    served, gained = np.zeros(len(own)), np.zeros(len(own))
    for place, mine in enumerate(own):
        is_mine = np.zeros(len(rows), dtype=np.bool_)
        is_mine[np.searchsorted(rows, mine)] = True
        wanted = (members.serves[place] >> bits) & np.uint32(1) == 1
        # Who is of a group the member serves and not served by it is out of its reach.
        served[place] = people[is_mine].sum()
        gained[place] = people[wanted & ~is_mine].sum()
    return served, gained


def _median_m(audience: Audience, members: Shops) -> float:
    """Return the median way to the nearest member, each customer counted as its people; NaN for nobody."""
    x, y, people = (each[audience.scope] for each in (audience.x, audience.y, audience.people))
    if not len(members.x) or not people.sum() > 0:
        return float("nan")
    nearest = np.full(len(x), np.inf)
    for place in range(len(members.x)):
        np.minimum(nearest, np.hypot(x - members.x[place], y - members.y[place]), out=nearest)
    order = np.argsort(nearest, kind="stable")
    half = np.searchsorted(np.cumsum(people[order]), people.sum() / 2)
    return float(nearest[order][half])
