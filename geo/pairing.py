"""Who works which zone: one colleague from indoors and one from outdoors, by hours to spare and nearness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
# What counts how much, beside a distance as far as the usual one, which counts 1.
OVERLOAD = 6.0  # a whole capacity too many
LOAD = 1.0  # a capacity filled
TOGETHER = 0.5  # the two are of one group, or work another zone together already
_TURNS = 2  # zones that one may be given in a round: a free one before another who is full


@dataclass(frozen=True)
class Colleague:
    """
    Somebody who goes out.

    Parameters
    ----------
    id
        The person's.
    capacity_h
        Hours to spend a quarter.
    x, y
        Metres: where he or she works mostly; NaN unknown, which is as near to one zone as to another.
    team
        Of what group; None of none.
    """

    id: int
    capacity_h: float
    x: float = np.nan
    y: float = np.nan
    team: int | None = None


def pairs(
    hours: Floats,
    x: Floats,
    y: Floats,
    indoor: Sequence[Colleague],
    outdoor: Sequence[Colleague],
    spent_h: Mapping[int, float] | None = None,
) -> list[tuple[int, int]]:
    """
    Return an indoor and an outdoor colleague for each zone.

    The outdoor ones are given out first, then the indoor ones to go with them. Zones are given out heaviest
    first, in rounds in which everyone gets about one, each round as cheap as it can be: near, with hours to
    spare, and of one group. The same input gives the same pairs.

    Parameters
    ----------
    hours, x, y
        Of each zone: hours of work a quarter, and where its middle is, in metres.
    indoor, outdoor
        Who there is; neither may be empty where there are zones.
    spent_h
        Hours spent on zones that are not given out, by person.

    Returns
    -------
    pairs
        Ids (indoor, outdoor), one a zone.
    """
    spent = spent_h or {}
    out = _given(hours, _apart(x, y, outdoor), outdoor, spent, np.zeros((len(hours), len(outdoor))))
    together = np.array(
        [[_alike(outdoor[at], each) for each in indoor] for at in out], dtype=np.float64
    ).reshape(len(hours), len(indoor))
    inside = _given(hours, _apart(x, y, indoor), indoor, spent, together, out)
    return [(indoor[a].id, outdoor[b].id) for a, b in zip(inside, out, strict=True)]


def _alike(one: Colleague, other: Colleague) -> float:
    return TOGETHER if one.team is not None and one.team == other.team else 0.0


def _apart(x: Floats, y: Floats, people: Sequence[Colleague]) -> Floats:
    """Return distances of zones (rows) to people, in usual ones; 1 where it is not known."""
    apart = np.hypot(
        x[:, None] - np.array([each.x for each in people]), y[:, None] - np.array([each.y for each in people])
    )
    known = apart[np.isfinite(apart)]
    usual = float(np.median(known)) if len(known) else 0.0
    scaled: Floats = np.where(np.isfinite(apart), apart / usual if usual > 0 else 0.0, 1.0)
    return scaled


def _given(
    hours: Floats,
    apart: Floats,
    people: Sequence[Colleague],
    spent: Mapping[int, float],
    together: Floats,
    partners: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Return who of the people is given each zone; with partners known, the same two stay together."""
    capacity = np.array([max(each.capacity_h, 1e-9) for each in people])
    load = np.array([spent.get(each.id, 0.0) for each in people])
    given = np.full(len(hours), -1, dtype=np.intp)
    order = np.argsort(-hours, kind="stable")
    for start in range(0, len(order), max(len(people), 1)):
        some = order[start : start + len(people)]
        cost = np.hstack(
            [_cost(hours[some], apart[some], load + turn * hours.mean(), capacity) for turn in range(_TURNS)]
        )
        liked = together[some] + _worked_before(some, given, partners, len(people))
        rows, columns = linear_sum_assignment(cost - np.tile(np.minimum(liked, TOGETHER), _TURNS))
        given[some[rows]] = columns % len(people)
        np.add.at(load, given[some[rows]], hours[some[rows]])
    return given


def _cost(hours: Floats, apart: Floats, load: Floats, capacity: Floats) -> Floats:
    """Return what it costs to give each zone to each person, as they are loaded now."""
    after = (load[None, :] + hours[:, None]) / capacity[None, :]
    cost: Floats = apart + LOAD * after + OVERLOAD * np.maximum(after - 1, 0)
    return cost


def _worked_before(
    some: NDArray[np.intp], given: NDArray[np.intp], partners: NDArray[np.intp] | None, people: int
) -> Floats:
    """Return a bonus for who works another zone with the zone's partner already."""
    liked = np.zeros((len(some), people))
    if partners is None:
        return liked
    done = np.flatnonzero(given >= 0)
    for row, zone in enumerate(some):
        liked[row, given[done[partners[done] == partners[zone]]]] = TOGETHER
    return liked


def groups(posts: Sequence[str | None], *, size: int = 3, large: int = 10) -> list[list[list[int]]]:
    """
    Return people in groups of about three within large groups of about ten, posts mixed.

    Parameters
    ----------
    posts
        Of each person: "indoor", "outdoor", or None.
    size, large
        How many people a group and a large group are to have; they differ by one at most.

    Returns
    -------
    groups
        Large groups of groups of positions in `posts`.
    """
    if not posts:
        return []
    count = max(1, round(len(posts) / size))
    rank = {"outdoor": 0, "indoor": 1}
    order = sorted(range(len(posts)), key=lambda at: (rank.get(posts[at] or "", 2), at))
    dealt = [order[at::count] for at in range(count)]
    parts = np.array_split(np.arange(count), max(1, round(len(posts) / large)))
    return [[sorted(dealt[at]) for at in part] for part in parts if len(part)]
