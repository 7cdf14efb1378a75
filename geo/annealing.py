"""Annealing a plan (`geo.moves`): first within its limits, then compact, then as even as that allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo import measures, moves
from geo.task import Task, Watch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CHUNKS = 20  # of a run, between which one may look and stop
EVENINGS = 10  # attempts at a more even plan

# Prices of excess (first, least, most) in a zone's dispersion; the first and last heat in a block's share.
_PLAIN = np.array([1.0, 0.05, 2.0]), 0.5, 0.05
_UNEVEN = np.array([1.0, 0.05, 6.0]), 4.0, 0.15
_AT_HOME = np.array([20.0, 20.0, 200.0]), 0.2, 0.02
_COLD, _WARM, _COLDEST = 0.1, 2.0, 0.02
_DEAR = np.array([5.0, 5.0, 200.0])

_ATTEMPTS = 24
_FEW, _FAR = 2, 0.3  # attempts at one that is so far out that nothing may help
_HALF = 0.5  # of what a plan is off, aimed at first
_EVEN = 0.15  # of the tolerance: as even as anybody asks
_CLOSE = 0.93  # an aim nearer to what there is already is not worth the time


class Pinned:
    """
    What does not move freely.

    Parameters
    ----------
    fixed
        The block a zone has to keep, -1 for any.
    home, locked
        Where zones are rebalanced: the zone each block came from (-1 for none), and whether it has to stay.
    """

    def __init__(
        self, blocks: int, fixed: Ints | None = None, home: Ints | None = None, locked: Bools | None = None
    ) -> None:
        self.movable: Bools = np.ones(blocks, dtype=bool) if locked is None else ~locked
        if fixed is not None:
            self.movable[fixed[fixed >= 0]] = False
        self.home: Ints = np.full(blocks, -1, dtype=np.int64) if home is None else home
        self.at_home = home is not None


def annealed(
    task: Task, start: Ints, pinned: Pinned, trials: int, seed: int, watch: Watch, warmth: float = 1.0
) -> tuple[float, float, Ints]:
    """
    Return the excess, the worth and the zones of the best plan met from a start.

    The less `warmth` it begins with, the more of the start stays.
    """
    work = _Work(task, start, pinned, seed)
    prices, hot, cold = _AT_HOME if pinned.at_home else _PLAIN if task.plain else _UNEVEN
    prices = prices.copy()
    if not pinned.at_home and task.border_share:  # what a border costs is moved about at the same heat
        hot, cold = 5.0 * warmth * task.border_share, 0.125 * task.border_share
    heats = hot * (cold / hot) ** (np.arange(CHUNKS + 1) / CHUNKS)
    for chunk in range(CHUNKS):
        watch.step()
        work.anneal(prices, trials // CHUNKS, heats[chunk], heats[chunk + 1])
    return float(work.record[0]), float(work.record[1]), work.best


def settled(task: Task, zone: Ints, pinned: Pinned, trials: int, seed: int) -> Ints:
    """Return a plan that keeps its limits, from one that nearly does: balance comes before all else."""
    for attempt in range(_ATTEMPTS):
        if (excess := task.excess(zone)) == 0.0 or attempt >= _FEW and excess > _FAR:
            break
        shy = attempt < _ATTEMPTS // 2 or pinned.at_home
        share, hot = (10, _COLD) if shy else (4, _WARM)
        zone = _again(task, zone, pinned, trials // share, hot, seed + attempt + 1)
    return zone


def evened(task: Task, zone: Ints, pinned: Pinned, give: float, trials: int, seed: int, watch: Watch) -> Ints:
    """
    Return a plan more even than its limits ask, from one that keeps them.

    Parameters
    ----------
    give
        By what share dispersion and borders may grow for it.
    """
    off, most = task.unevenness(zone), np.array(_costs(task, zone)) * (1.0 + give)
    bound = measures.bound(task.weights, task.zones, shares=task.shares).deviation
    least = max(_EVEN, bound / max(float(task.tolerance.max(initial=0.0)), 1e-12))
    step = _HALF
    for attempt in range(EVENINGS):
        watch.step()
        aim = max(off * step, least)
        if off > 1.0 or aim > off * _CLOSE:
            break
        found = _again(task.narrowed(aim), zone, pinned, trials, _COLD, seed + attempt + 1)
        better = task.unevenness(found)
        if better < off * _CLOSE and (np.array(_costs(task, found)) <= most).all():
            zone, off = found, better
        else:
            step = step**0.5
    return zone


def _again(task: Task, zone: Ints, pinned: Pinned, trials: int, hot: float, seed: int) -> Ints:
    """Return the best plan met from one by moves that are dear where they break limits."""
    work = _Work(task, zone, pinned, seed)
    warmth = max(1.0, task.border_share / 2.0)
    work.anneal(_DEAR.copy(), trials, hot * warmth, _COLDEST * warmth)
    return work.best


def _costs(task: Task, zone: Ints) -> tuple[float, float]:
    """Return the dispersion and the length of borders that a more even plan is held to."""
    blocks = task.blocks
    dispersion, _ = measures.dispersion(blocks.x, blocks.y, task.mass, zone, task.zones)
    return dispersion, measures.boundary_m(blocks, zone) if task.border_share else np.inf


class _Work:
    """A plan while it is annealed, and the best met."""

    def __init__(self, task: Task, zone: Ints, pinned: Pinned, seed: int) -> None:
        bare = task.ground(pinned.movable, pinned.home, 0.0)
        spread = moves.new_state(bare, zone, task.zones, 0).dispersion.sum()
        self.unit = float(spread) / zone.size or 1.0  # a block's share of the dispersion
        self.zones = task.zones
        self.ground = task.ground(pinned.movable, pinned.home, self.unit)
        self.state = moves.new_state(self.ground, zone, task.zones, seed)
        self.best, self.record = zone.copy(), np.array([np.inf, np.inf])
        moves.remember(self.state, self.best, self.record)

    def anneal(self, prices: Floats, trials: int, hot: float, cold: float) -> None:
        """Try moves; prices are in a zone's dispersion, temperatures in a block's share of it."""
        if self.zones < 2 or not self.ground.neighbours.size:
            return
        scale = self.best.size / self.zones * self.unit
        scaled = prices * scale
        moves.anneal(
            self.ground,
            self.state,
            self.best,
            self.record,
            scaled,
            trials,
            hot * self.unit,
            cold * self.unit,
            moves.CHAINS,
        )
        prices[:] = scaled / scale
