"""
Candidates for alliances: communities of the links between merchants, kept sensible.

Leiden (Traag, Waltman & van Eck 2019) with the constant Potts model (Traag, Van Dooren & Nesterov 2011): its
resolution is the least density of links inside a community, wherever it lies, so that what happens at one end
of a town does not change an alliance at the other. A community that is too large is split again at a higher
resolution. Of what is small enough an alliance grows from the best linked merchant, by whoever has the best
links to those already in it, and only as far as the rules allow; of two competitors the better linked one
thereby stays. What is left over is tried again together, and dropped in the end.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import hypot

import graspologic_native
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array

from geo.errors import N_, GeoError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Members = tuple[int, ...]

LOOSEST = 0.005  # the density of links Leiden begins with …
TIGHTER = 1.6  # … and by how much it grows for what is split again
TIGHTEST = 0.9
ROUNDS = 3  # how often what is left over is tried again


@dataclass(frozen=True)
class Rules:
    """What an alliance has to be: so many members, no two farther apart in a straight line, so many needs."""

    fewest: int = 3
    most: int = 12
    walk_m: float = 1000.0
    needs: int = 3


@dataclass(frozen=True, eq=False)
class Ground:
    """
    Merchants and the links between them.

    Parameters
    ----------
    x, y
        Of the merchants, in metres.
    trade
        Of the merchants: the rank of the category.
    a, b, score
        The links: numbers of merchants, and how good each link is, above 0.
    competes, needs
        By rank of category: who competes with whom, and which need one covers.
    """

    x: Floats
    y: Floats
    trade: Ints
    a: Ints
    b: Ints
    score: Floats
    competes: NDArray[np.bool_]
    needs: Ints

    @classmethod
    def of(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        trade: ArrayLike,
        links: tuple[ArrayLike, ArrayLike, ArrayLike],
        competes: ArrayLike,
        needs: ArrayLike,
    ) -> Ground:
        """
        Return the ground with links that can be used: of two merchants that do not compete, once each.

        Raises
        ------
        GeoError
            For a position or a score that is no number, or a link to a merchant that is not there.
        """
        east, north = (np.asarray(each, dtype=np.float64) for each in (x, y))
        kinds, rivals = np.asarray(trade, dtype=np.int64), np.asarray(competes, dtype=np.bool_)
        first, second = (np.asarray(each, dtype=np.int64) for each in links[:2])
        score = np.asarray(links[2], dtype=np.float64)
        if not (np.isfinite(east).all() and np.isfinite(north).all() and np.isfinite(score).all()):
            raise GeoError(N_("Merchants must have positions in metres, and links a score."))
        ends = np.concatenate([first, second])
        if ends.size and not (ends.min() >= 0 and ends.max() < len(east)):
            raise GeoError(N_("A link is between two merchants that are there."))
        low, high = np.minimum(first, second), np.maximum(first, second)
        order = np.lexsort((-score, high, low))
        low, high, score = low[order], high[order], score[order]
        new = np.ones(len(low), dtype=np.bool_)
        new[1:] = (np.diff(low) != 0) | (np.diff(high) != 0)
        new &= (low != high) & (score > 0) & ~rivals[kinds[low], kinds[high]]
        return cls(
            east, north, kinds, low[new], high[new], score[new], rivals, np.asarray(needs, dtype=np.int64)
        )


def candidates(ground: Ground, rules: Rules = Rules(), *, seed: int = 0) -> list[Members]:  # noqa: B008
    """
    Return alliances that keep the rules, each merchant in one at most, members in order of their numbers.

    Parameters
    ----------
    ground
        Merchants and links.
    rules
        What an alliance has to be.
    seed
        Of Leiden; the same gives the same alliances.

    Returns
    -------
    candidates
        In order of their first members. Every one is connected by links, holds no two that compete, and keeps
        the rules.
    """
    weights = _weights(ground)
    free = np.diff(weights.indptr) > 0
    found: list[Members] = []
    for _round in range(ROUNDS):
        made = [
            members
            for community in _communities(ground, weights, free, rules, seed)
            for members in _grown(ground, weights, community, rules)
        ]
        if not made:
            break
        found += made
        free[np.concatenate([np.array(members) for members in made])] = False
    return sorted(found)


def longest_m(x: Floats, y: Floats) -> float:
    """Return the longest straight way between two of some places, in metres; 0 where there is one."""
    return float(np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :]).max()) if len(x) else 0.0


def _weights(ground: Ground) -> csr_array:
    """Return the links as a symmetric matrix."""
    ends = (np.concatenate([ground.a, ground.b]), np.concatenate([ground.b, ground.a]))
    made = coo_array((np.tile(ground.score, 2), ends), shape=(len(ground.x), len(ground.x))).tocsr()
    made.sort_indices()
    return made


def _communities(
    ground: Ground, weights: csr_array, free: NDArray[np.bool_], rules: Rules, seed: int
) -> Iterator[Ints]:
    """Return communities of free merchants, none too large unless it falls into crumbs when it is split."""
    density = LOOSEST
    larger = [np.flatnonzero(free)]
    while larger:
        rows, label = (
            np.concatenate(larger),
            np.repeat(np.arange(len(larger)), [len(each) for each in larger]),
        )
        parts = _leiden(weights, rows, label, density, seed)
        density *= TIGHTER
        split, larger = larger, []
        for whole, own in zip(split, _lots(label), strict=True):
            pieces = [rows[own[lot]] for lot in _lots(parts[own])]
            if max(map(len, pieces), default=0) < rules.fewest or density > TIGHTEST:
                yield whole
                continue
            for piece in pieces:
                if not _is_large(ground, piece, rules):
                    yield piece
                else:
                    larger.append(piece)


def _lots(label: Ints) -> list[Ints]:
    """Return the places of each label, in order of the labels."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def _leiden(weights: csr_array, rows: Ints, label: Ints, density: float, seed: int) -> Ints:
    """Return the communities of some merchants: no two that had different labels are in one."""
    inner = weights[rows][:, rows].tocoo()
    same = label[inner.row] == label[inner.col]
    graph = coo_array((inner.data[same], (inner.row[same], inner.col[same])), shape=inner.shape).tocsr()
    graph.sort_indices()
    if not graph.nnz:
        return np.arange(len(rows))
    _quality, found = graspologic_native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        len(rows),
        resolution=density,
        use_modularity=False,
        seed=seed,
    )
    named = np.fromiter((found[row] for row in range(len(rows))), dtype=np.int64, count=len(rows))
    return np.unique(np.stack([label, named]), axis=1, return_inverse=True)[1].ravel()


def _is_large(ground: Ground, community: Ints, rules: Rules) -> bool:
    """Whether a community is to be split: it holds twice as many trades as an alliance, or is as wide."""
    wide = max(np.ptp(ground.x[community]), np.ptp(ground.y[community]))
    return bool(wide > 2 * rules.walk_m or len(np.unique(ground.trade[community])) > 2 * rules.most)


def _grown(ground: Ground, weights: csr_array, community: Ints, rules: Rules) -> Iterator[Members]:
    """Return alliances within a community, that of its best linked merchant first."""
    pool = set(community.tolist())
    ties = {each: sum(score for _other, score in _links(weights, each, pool)) for each in sorted(pool)}
    queue = [(-tie, each) for each, tie in ties.items()]
    heapify(queue)
    while len(pool) >= rules.fewest:
        tie, first = heappop(queue)
        if first not in pool:
            continue
        if -tie != ties[first]:  # others left since: links only become fewer
            heappush(queue, (-ties[first], first))
            continue
        members = _around(ground, weights, first, pool, rules)
        kept = len(members) >= rules.fewest and len(set(_needs(ground, members))) >= rules.needs
        leaving = members if kept else [first]
        pool -= set(leaving)
        for each in leaving:
            for other, score in _links(weights, each, pool):
                ties[other] -= score
        if kept:
            yield tuple(sorted(members))


def _around(ground: Ground, weights: csr_array, first: int, pool: set[int], rules: Rules) -> list[int]:
    """Return an alliance grown from one merchant: of those who fit, whoever has the best links to it."""
    members, ties = [first], dict[int, float]()
    while len(members) < rules.most:
        for each, score in _links(weights, members[-1], pool):
            ties[each] = ties.get(each, 0.0) + score
        fitting = [each for each in ties if each not in members and _fits(ground, each, members, rules)]
        if not fitting:
            break
        members.append(min(fitting, key=lambda each: (-ties[each], each)))
    return members


def _fits(ground: Ground, merchant: int, members: list[int], rules: Rules) -> bool:
    """Whether a merchant is near enough to some others and competes with none of them."""
    x, y, trade = ground.x, ground.y, ground.trade
    return all(
        hypot(x[merchant] - x[each], y[merchant] - y[each]) <= rules.walk_m
        and not ground.competes[trade[merchant], trade[each]]
        for each in members
    )


def _links(weights: csr_array, merchant: int, pool: Container[int]) -> Iterator[tuple[int, float]]:
    """Return whom of a pool a merchant is linked with, and the scores."""
    part = slice(weights.indptr[merchant], weights.indptr[merchant + 1])
    for each, score in zip(weights.indices[part].tolist(), weights.data[part].tolist(), strict=True):
        if each in pool:
            yield each, score


def _needs(ground: Ground, members: Iterable[int]) -> list[int]:
    return [int(ground.needs[ground.trade[each]]) for each in members]
