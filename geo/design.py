"""
The designer: blocks into zones that weigh alike, each in one piece and as compact as can be.

Several starts (`geo.starting`; where borders count, METIS's shortest among them) are each annealed
(`geo.annealing`): at a falling temperature blocks go over to the zone beside them, alone or two at once,
never leaving a zone in pieces; what breaks the limits costs, and the more the longer they stay broken. How
much is tried follows from the size alone, never from a clock: the same blocks and the same seed give the
same zones on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.annealing import CHUNKS, EVENINGS, Pinned, annealed, evened, settled
from geo.blocks import Blocks
from geo.errors import N_, GeoError
from geo.starting import check_parts, chosen_among, mended, parted, parts_of, seeds_of, started
from geo.task import TOLERANCE, Design, Limits, Progress, Task, Watch

__all__ = ["TOLERANCE", "Design", "Limits", "Progress", "Rebalanced", "design", "rebalance"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_RUNS = 20
_MOST_TRIALS = 4_000_000  # of one run
_SLOW_TRIALS, _SLOW_BLOCKS, _TWICE = 12_000_000, 5_000, 1_500
_AIM = 0.8  # of the tolerance, where zones are to be more even than it asks
_REBALANCINGS = 3
_PARTINGS = 12  # starts with short borders, of which the best is refined
# Shares of a run's moves, and how warm it begins: what is to be refined only, the runs beside it, any other.
_REFINED, _BESIDE, _ALONE = (0.5, 0.2), (0.67, 1.0), (1.0, 1.0)


def design(
    blocks: Blocks,
    weights: ArrayLike,
    zones: int,
    *,
    limits: Limits | None = None,
    seeds: Sequence[int] = (),
    candidates: Sequence[int] = (),
    mass: ArrayLike | None = None,
    border_share: float = 0.0,
    give: float = 0.0,
    seed: int = 0,
    effort: float = 1.0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    enough: Callable[[], bool] | None = None,
) -> Design:
    """
    Return blocks divided into zones, each in one piece, alike in weight and compact.

    Parameters
    ----------
    blocks
        With their neighbours.
    weights
        A column a measure (or one measure's values), at least 0; every measure is balanced.
    zones
        How many.
    limits
        What zones may weigh: within 5 % of the ideal by default. What cannot be kept is kept as nearly as
        can be.
    seeds
        Blocks that each lie in a zone of their own: the first in zone 0, and so on.
    candidates
        Blocks of which each other zone holds one of its own: the best of them are found.
    mass
        Of blocks in the dispersion; each 1 without it, which is the plain sum of distances.
    border_share
        What borders between zones cost beside dispersion: one block's border as much as so many blocks'
        distances.
    give
        By what share dispersion and borders may grow to have zones more even than the limits ask.
    seed
        Another seed tries other starts.
    effort
        Times as many moves are tried.
    progress, cancelled
        Told how far the work is; asked whether to stop.
    enough
        Asked whether to try no more starts, once a plan keeps its limits.

    Raises
    ------
    GeoError
        When no such plan can be: more zones than blocks, fewer than the ground has parts, limits that the
        whole breaks, weights that are no numbers.
    Cancelled
        When the user has stopped it.
    """
    task = Task.of(blocks, weights, zones, limits or Limits(), mass, border_share)
    fixed, part = seeds_of(seeds, zones, len(blocks)), parts_of(blocks)
    check_parts(part, zones)
    aim = task.narrowed(_AIM) if give > 0.0 else task
    runs, trials = _runs(task)
    borders = not task.plain and zones > 1 and not part.max() and not len(seeds) + len(candidates)
    runs += borders
    watch = Watch(progress, cancelled, runs * CHUNKS + EVENINGS + 1)
    best: tuple[float, float, Ints, Pinned] | None = None
    for run in range(runs):
        random = np.random.default_rng([abs(seed), run])
        own = chosen_among(task, candidates, fixed, random) if len(candidates) else fixed
        pinned = Pinned(len(blocks), own)
        short = borders and run == 0
        start = parted(task, _PARTINGS) if short else None
        start = started(task, part, own, random) if start is None else start
        share, warmth = _REFINED if short else _BESIDE if borders else _ALONE
        tries, number = int(trials * effort * share), seed * 1_000 + run + 1
        found = annealed(aim, start, pinned, tries, number, watch, warmth=warmth)
        if best is None or found[:2] < best[:2]:
            best = (*found, pinned)
        if enough is not None and best[0] == 0.0 and enough():
            break
    assert best is not None
    few, pinned = int(_trials(len(blocks)) * effort), best[3]
    zone = settled(task, best[2], pinned, few, seed)
    if give > 0.0:
        zone = evened(task, zone, pinned, give, few // 8, seed, watch)
    watch.end()
    return task.judged(zone, part)


def _trials(blocks: int) -> int:
    return int(min(max(2_000 * blocks, 20_000), _MOST_TRIALS))


def _runs(task: Task) -> tuple[int, int]:
    """Return how many starts are annealed, and how many moves are tried from each."""
    blocks = len(task.blocks)
    if task.plain:
        trials = _trials(blocks)
        return (int(np.clip(_MOST_TRIALS // trials, 1, _RUNS)) if task.zones > 1 else 1), trials
    # Where much lies close together borders through empty ground come out short only if cooled slowly.
    whole = int(_SLOW_TRIALS * min(1.0, _SLOW_BLOCKS / blocks) ** 1.5)
    runs = 2 if blocks <= _TWICE and task.zones > 1 else 1
    return runs, min(6 * _trials(blocks), whole // runs)


@dataclass(frozen=True, eq=False)
class Rebalanced:
    """
    A plan brought back within its limits.

    Parameters
    ----------
    design
        The plan; the one given where nothing better was found.
    changed
        Whether anything moved.
    moved
        Bool a block.
    kept_share
        What stays in its zone, as a share of the whole of the first measure (of the blocks where that is 0).
    """

    design: Design
    changed: bool
    moved: Bools
    kept_share: float


def rebalance(
    blocks: Blocks,
    weights: ArrayLike,
    zone: ArrayLike,
    *,
    zones: int | None = None,
    limits: Limits | None = None,
    locked: ArrayLike | None = None,
    mass: ArrayLike | None = None,
    seed: int = 0,
    effort: float = 1.0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rebalanced:
    """
    Return a plan brought within its limits, with as little moved as can be.

    Parameters
    ----------
    blocks, weights, limits, mass, seed, effort, progress, cancelled
        As in `design`.
    zone
        Of each block at present, -1 for none; a zone in pieces keeps its heaviest one.
    zones
        How many there are: as many as `zone` names, without it.
    locked
        Bool a block: it stays where it is.

    Returns
    -------
    rebalanced
        With the plan given, unchanged, where it keeps its limits already or nothing better is found.
    """
    present = np.array(zone, dtype=np.int64)
    count = int(present.max(initial=-1)) + 1 if zones is None else zones
    task = Task.of(blocks, weights, count, limits or Limits(), mass)
    if np.unique(present[present >= 0]).size < count:
        raise GeoError(N_("Every zone needs a block to start from."))
    part, unmoved = parts_of(blocks), np.zeros(len(blocks), dtype=bool)
    whole = mended(task, present, np.full(count, -1))
    if (whole < 0).any():
        raise GeoError(N_("A part of the ground has no zone that could take it."))
    before = task.judged(whole, part)
    if before.within and (whole == present).all():
        return Rebalanced(before, False, unmoved, 1.0)
    pinned = Pinned(len(blocks), None, present, None if locked is None else np.asarray(locked, dtype=bool))
    found = _least_moved(task, whole, pinned, seed, effort, progress, cancelled)
    better = task.excess(found) < task.excess(whole) - 1e-9 or (whole != present).any()
    chosen = task.judged(found if better else whole, part)
    moved: Bools = (chosen.zone != present) & (present >= 0)
    return Rebalanced(chosen, bool((chosen.zone != present).any()), moved, 1.0 - _share(task, moved))


def _least_moved(
    task: Task,
    whole: Ints,
    pinned: Pinned,
    seed: int,
    effort: float,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> Ints:
    """Return the plan with the least excess, and of those the one with the least moved, of several tries."""
    trials = _trials(len(task.blocks))
    watch = Watch(progress, cancelled, _REBALANCINGS * CHUNKS + 1)
    best: tuple[float, float, float, Ints] | None = None
    for run in range(_REBALANCINGS):
        number = seed * 1_000 + run + 1
        _, worth, zone = annealed(task, whole, pinned, int(trials * effort) // _REBALANCINGS, number, watch)
        zone = settled(task, zone, pinned, int(trials * effort), number)
        away = _share(task, (zone != pinned.home) & (pinned.home >= 0))
        if best is None or (task.excess(zone), away, worth) < best[:3]:
            best = (task.excess(zone), away, worth, zone)
    watch.end()
    assert best is not None
    return best[3]


def _share(task: Task, moved: Bools) -> float:
    """Return what some blocks are of the whole of the first measure, or of all blocks where that is 0."""
    amounts = task.weights[:, 0] if task.weights[:, 0].sum() > 0.0 else np.ones(moved.size)
    return float(amounts[moved].sum() / amounts.sum())
