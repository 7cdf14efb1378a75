"""
Planted alliances, each in a quarter of its own, and beside it what looks alike and is none.

Members lie on a ring, a few hundred metres apart, amid customers each of whom only some of them reach: every
two gain by the rule of links. Two trades that complete each other door to door gain nothing, and competitors
compete.
"""

from __future__ import annotations

import numpy as np

from benchmarks.planted_rows import Floats, Rows, groups_known, shaped, trades_known
from data.alliances.matrix import Matrix

MEMBERS = (3, 5)  # of an alliance
QUARTER_M, CROWD_M = 380.0, 850.0  # how far an alliance's merchants lie from its middle, and the customers
REACH_M, SPREAD_M = (400.0, 600.0), 100.0
HELPED, MOST_TRIES = 0.3, 200
GAIN, GAINED = 0.10, 20  # the least on each side, see the figures of alliances


def quarter(
    rng: np.random.Generator, matrix: Matrix, middle: Floats, number: int, shops: Rows, people: Rows
) -> None:
    """Plant an alliance, what only looks like one, and the customers round it."""
    crowd = middle + shaped(rng, "disc", int(rng.integers(420, 640)), CROWD_M / 2.0, 1.0, 0.0)
    for _ in range(MOST_TRIES):
        trades = _complete(rng, matrix, int(rng.integers(*MEMBERS, endpoint=True)))
        groups = _served(rng, matrix, trades, len(crowd))
        spots = middle + _apart(rng, len(trades))
        if _gains(matrix, spots, trades, crowd, groups):
            break
    else:
        raise RuntimeError("no alliance fits")
    people.add(crowd, number, groups)
    shops.add(spots, number, trades, np.full(len(trades), number))
    idle = _idle(matrix, trades)
    around = middle + shaped(rng, "disc", int(rng.integers(25, 45)), QUARTER_M / 2.0, 1.0, 0.0)
    shops.add(around, number, rng.choice(idle, len(around)))
    rivals = rng.choice(trades, 2)
    shops.add(middle + _ring(rng, 2, 0.9 * QUARTER_M), number, rivals)
    _door_to_door(rng, matrix, middle, number, trades, shops)


def _complete(rng: np.random.Generator, matrix: Matrix, count: int) -> Floats:
    """Return trades that all complete each other, each of which reaches a few streets."""
    reach_m = matrix.reach_m[matrix.rank[trades_known()]]
    for attempt in range(MOST_TRIES):
        about = float(rng.uniform(*REACH_M))  # were one much wider, it would gain nothing by the others
        chosen: list[int] = []
        for each in rng.permutation(trades_known()[np.abs(reach_m - about) <= SPREAD_M]):
            ranks = matrix.rank[np.array([*chosen, each])]
            helped = matrix.complement[ranks[:-1], ranks[-1]] >= HELPED
            if (helped & ~matrix.competes[ranks[:-1], ranks[-1]]).all():
                chosen.append(int(each))
        enough = count if attempt < MOST_TRIES // 2 else MEMBERS[0]
        if len(chosen) >= enough:
            return np.array(chosen[:count])
    raise RuntimeError("no trades complete each other")


def _served(rng: np.random.Generator, matrix: Matrix, trades: Floats, count: int) -> Floats:
    """Return groups of customers: nine in ten of those every one of the trades serves."""
    bits = np.bitwise_and.reduce(matrix.serves[matrix.rank[trades]])
    ids = groups_known()
    right = ids[(bits >> matrix.group_bit[ids].astype(np.uint32)) & 1 == 1]
    pool = right if len(right) else ids
    return np.where(rng.random(count) < 0.9, rng.choice(pool, count), rng.choice(ids, count))


def _apart(rng: np.random.Generator, count: int) -> Floats:
    """Return spots on a ring, so that every two lie a few hundred metres apart."""
    return _ring(rng, count, float(rng.uniform(150.0, 200.0)))


def _ring(rng: np.random.Generator, count: int, radius: float) -> Floats:
    way = rng.uniform(0, 2 * np.pi) + np.arange(count) * 2 * np.pi / count + rng.normal(0, 0.1, count)
    return radius * np.column_stack([np.cos(way), np.sin(way)])


def _gains(matrix: Matrix, spots: Floats, trades: Floats, crowd: Floats, groups: Floats) -> bool:
    """Whether every two of some merchants gain by each other, by the rule of links, with some room."""
    ranks = matrix.rank[trades]
    far = np.hypot(crowd[:, 0] - spots[:, :1], crowd[:, 1] - spots[:, 1:])
    near = far <= matrix.reach_m[ranks][:, None]
    bit = np.uint32(1) << matrix.group_bit[groups].astype(np.uint32)
    fits = (matrix.serves[ranks][:, None] & bit) > 0
    served = near & fits
    for a in range(len(trades)):
        for b in range(len(trades)):
            gained = int((served[b] & fits[a] & ~near[a]).sum())
            if a != b and (gained < 1.3 * GAINED or gained < 1.3 * GAIN * served[a].sum()):
                return False
    return True


def _idle(matrix: Matrix, trades: Floats) -> Floats:
    """Return trades that complete none of the others, nor one another much."""
    ids = trades_known()
    helped = matrix.complement[matrix.rank[ids]][:, matrix.rank[trades]].max(axis=1) > 0
    left = ids[~helped & ~np.isin(ids, trades)]
    alone = [each for each in left if not matrix.complement[matrix.rank[each], matrix.rank[left]].any()]
    return np.array(alone) if len(alone) else left[:3]


def _door_to_door(
    rng: np.random.Generator, matrix: Matrix, middle: Floats, number: int, trades: Floats, shops: Rows
) -> None:
    """Plant two trades that complete each other in one house, far from the alliance: neither gains."""
    ids = np.setdiff1d(trades_known(), trades)
    reach = matrix.reach_m[matrix.rank[ids]]
    ranks = matrix.rank[ids]
    good = np.argwhere((matrix.complement[np.ix_(ranks, ranks)] >= 0.5) & (reach[:, None] == reach[None, :]))
    if not len(good):
        return
    pair = ids[good[int(rng.integers(len(good)))]]
    house = middle + _ring(rng, 1, 0.95 * QUARTER_M)
    shops.add(house + rng.normal(0.0, 4.0, (2, 2)), number, pair)
