"""
The designer: blocks into zones that weigh alike, each in one piece and as compact as can be.

Several starts (`geo.growing`) are each annealed (`geo.moves`): at a falling temperature blocks go over to the
zone beside them, alone or two at once, never leaving a zone in pieces; what breaks the limits costs, and the
more the longer they stay broken. How much is tried follows from the size alone, never from a clock: the same
blocks and the same seed give the same zones on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import growing, measures, moves
from geo.blocks import Blocks
from geo.errors import N_, Cancelled, GeoError
from geo.measures import Bound

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in thousandths."""

TOLERANCE = 0.05
_RUNS = 20
_MOST_TRIALS = 4_000_000  # of one run
_ALL_TRIALS = 4_000_000  # of all runs, where one takes less
_ATTEMPTS = 4  # at a plan that nearly keeps its limits
_ASTRAY = 0.6  # of its ideal: a start farther off is not worth the moves that would mend it
_CHUNKS = 20  # of a run, between which one may look and stop
_EVEN = 0.1  # of a mean block's mass, added to each so that empty blocks lie compactly too


@dataclass(frozen=True, eq=False)
class Limits:
    """
    What zones may weigh.

    Parameters
    ----------
    tolerance
        A measure, or one for all: how far from the ideal, as a share of it.
    lowest, highest
        A measure: hard limits in its own unit; NaN or None where there is none.
    """

    tolerance: float | Sequence[float] = TOLERANCE
    lowest: Sequence[float] | None = None
    highest: Sequence[float] | None = None


@dataclass(frozen=True, eq=False)
class Design:
    """
    A plan of zones.

    Parameters
    ----------
    zone
        Of each block, from 0.
    centres
        The centre block of each zone.
    deviations
        Zone by measure: from the ideal, as a share of it.
    bound
        The least that the largest deviation can be.
    within
        Whether every zone keeps its limits.
    dispersion
        The sum of distances of blocks to their zone's centre, each times its mass.
    boundary_m
        Length of the borders between zones.
    pieces
        As many as zones when each is in one piece.
    """

    zone: Ints
    centres: Ints
    deviations: Floats
    bound: Bound
    within: bool
    dispersion: float
    boundary_m: float
    pieces: int

    @property
    def zones(self) -> int:
        """How many there are."""
        return len(self.centres)

    @property
    def largest_deviation(self) -> float:
        """The largest deviation from the ideal, of any zone in any measure."""
        return float(np.abs(self.deviations).max(initial=0.0))

    @property
    def contiguous(self) -> bool:
        """Whether each zone is in one piece."""
        return self.pieces == self.zones


def design(
    blocks: Blocks,
    weights: ArrayLike,
    zones: int,
    *,
    limits: Limits | None = None,
    seeds: Sequence[int] = (),
    mass: ArrayLike | None = None,
    border_share: float = 0.0,
    seed: int = 0,
    effort: float = 1.0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
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
    mass
        Of blocks in the dispersion; each 1 without it, which is the plain sum of distances.
    border_share
        What borders between zones cost beside dispersion: one block's border as much as so many blocks'
        distances.
    seed
        Another seed tries other starts.
    effort
        Times as many moves are tried.
    progress, cancelled
        Told how far the work is; asked whether to stop.

    Raises
    ------
    GeoError
        When no such plan can be: more zones than blocks, fewer than the ground has parts, limits that the
        whole breaks, weights that are no numbers.
    Cancelled
        When the user has stopped it.
    """
    task = _Task.of(blocks, weights, zones, limits or Limits(), mass, border_share)
    fixed = _fixed(seeds, zones, len(blocks))
    part = growing.pieces_of(np.zeros(len(blocks), np.int64), blocks.starts, blocks.neighbours)[1]
    _check_parts(part, zones)
    trials = int(min(max(2_000 * len(blocks), 20_000), _MOST_TRIALS))
    runs = int(np.clip(_ALL_TRIALS // trials, 1, _RUNS)) if zones > 1 else 1
    watch = _Watch(progress, cancelled, runs)
    best: tuple[float, float, Ints] | None = None
    for run in range(runs):
        start = _started(task, part, fixed, np.random.default_rng([abs(seed), run]))
        found = _annealed(task, start, fixed, int(trials * effort), seed * 1_000 + run + 1, watch)
        if best is None or found[:2] < best[:2]:
            best = found
    assert best is not None
    return task.judged(_settled(task, best[2], fixed, trials, seed), part)


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
    task = _Task.of(blocks, weights, count, limits or Limits(), mass, 0.0)
    held = np.zeros(len(blocks), dtype=bool) if locked is None else np.asarray(locked, dtype=bool)
    if np.unique(present[present >= 0]).size < count:
        raise GeoError(N_("Every zone needs a block to start from."))
    part = growing.pieces_of(np.zeros(len(blocks), np.int64), blocks.starts, blocks.neighbours)[1]
    whole = _mended(task, present, np.full(count, -1))
    if (whole < 0).any():
        raise GeoError(N_("A part of the ground has no zone that could take it."))
    before = task.judged(whole, part)
    if before.within and (whole == present).all():
        return Rebalanced(before, False, np.zeros(len(blocks), dtype=bool), 1.0)
    trials = int(min(max(2_000 * len(blocks), 20_000), _MOST_TRIALS) * effort)
    watch = _Watch(progress, cancelled, 1)
    _, _, found = _annealed(task, whole, None, trials, seed + 1, watch, home=present, locked=held)
    found = _settled(task, found, None, trials, seed, home=present, locked=held)
    excess = task.excess(found)
    better = excess < task.excess(whole) - 1e-9 or (whole != present).any()
    chosen = task.judged(found if better else whole, part)
    moved: Bools = (chosen.zone != present) & (present >= 0)
    amounts = task.weights[:, 0] if task.weights[:, 0].sum() > 0.0 else np.ones(len(blocks))
    kept = float(amounts[~moved].sum() / amounts.sum())
    return Rebalanced(chosen, bool((chosen.zone != present).any()), moved, kept)


class _Watch:
    """Tells how far the work is, and stops it when the user says so."""

    def __init__(self, progress: Progress | None, cancelled: Callable[[], bool] | None, runs: int) -> None:
        self.progress, self.cancelled = progress, cancelled
        self.done, self.whole = 0, runs * _CHUNKS

    def step(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(N_("The design was stopped. Nothing of it was kept."))
        self.done += 1
        if self.progress is not None:
            self.progress(min(1000, self.done * 1000 // self.whole), 1000)


@dataclass(frozen=True, eq=False)
class _Task:
    """What is asked, checked and as arrays."""

    blocks: Blocks
    weights: Floats
    zones: int
    mass: Floats
    border_share: float
    lower: Floats
    upper: Floats
    ideal: Floats

    @classmethod
    def of(
        cls,
        blocks: Blocks,
        weights: ArrayLike,
        zones: int,
        limits: Limits,
        mass: ArrayLike | None,
        border_share: float,
    ) -> _Task:
        n = len(blocks)
        masses = np.ones(n) if mass is None else np.array(mass, dtype=np.float64)
        if not 1 <= zones <= n:
            raise GeoError(
                N_("{blocks} blocks can make 1 to {blocks} zones, not {zones}."), blocks=n, zones=zones
            )
        amounts = np.ascontiguousarray(np.asarray(weights, dtype=np.float64).reshape(n, -1))
        for values in (amounts, masses):
            if not np.isfinite(values).all() or (values < 0.0).any():
                raise GeoError(N_("Weights of blocks must be numbers of at least 0."))
        ideal = amounts.sum(axis=0) / zones
        tolerance = np.broadcast_to(np.asarray(limits.tolerance, dtype=np.float64), ideal.shape)
        if not (tolerance >= 0.0).all():
            raise GeoError(N_("A tolerance must be at least 0, got {tolerance}."), tolerance=limits.tolerance)
        lower, upper = ideal * (1.0 - tolerance), ideal * (1.0 + tolerance)
        if limits.lowest is not None:
            lower = np.fmax(lower, np.asarray(limits.lowest, dtype=np.float64))
        if limits.highest is not None:
            upper = np.fmin(upper, np.asarray(limits.highest, dtype=np.float64))
        if (lower > ideal * (1.0 + 1e-12)).any() or (upper < ideal * (1.0 - 1e-12)).any():
            raise GeoError(N_("The whole divided by {zones} zones breaks the limits of a zone."), zones=zones)
        return cls(blocks, amounts, zones, masses, border_share, lower, upper, ideal)

    @property
    def load(self) -> Floats:
        """One weight a block, for starts: the mean over measures, each as a share of its own mean."""
        means = self.weights.mean(axis=0)
        if not (means > 0.0).any():
            return np.ones(len(self.blocks))
        load: Floats = (self.weights[:, means > 0.0] / means[means > 0.0]).mean(axis=1)
        return load

    def ground(self, movable: Bools, home: Ints, unit: float) -> moves.Ground:
        blocks, rows = self.blocks, (self.zones, 1)
        border = blocks.border_m / blocks.border_m.mean() if blocks.border_m.sum() > 0.0 else blocks.border_m
        # Where zones are rebalanced a block away from home costs more than any distance it could save.
        away = self.load * 20.0 * unit + unit if (home >= 0).any() else np.zeros(len(blocks))
        return moves.Ground(
            blocks.x,
            blocks.y,
            self.mass + (self.mass.mean() * _EVEN if self.mass.any() else 1.0),
            self.weights,
            blocks.starts,
            blocks.neighbours,
            blocks.owners,
            border * self.border_share * unit,
            movable,
            home,
            away,
            np.tile(self.lower, rows),
            np.tile(self.upper, rows),
            np.tile(self.ideal, rows),
        )

    def excess(self, zone: Ints) -> float:
        """Return by how much limits are broken, over all zones and measures, as shares of the ideal."""
        held = measures.loads(zone, self.zones, self.weights)
        over = np.maximum(held - self.upper, self.lower - held)
        ideal = np.where(self.ideal > 0.0, self.ideal, np.inf)
        shares = over / ideal
        return float(shares[shares > 1e-9].sum())

    def judged(self, zone: Ints, part: Ints) -> Design:
        blocks = self.blocks
        dispersion, centres = measures.dispersion(blocks.x, blocks.y, self.mass, zone, self.zones)
        return Design(
            zone=zone,
            centres=centres,
            deviations=measures.deviations(zone, self.zones, self.weights),
            bound=measures.bound(self.weights, self.zones, part),
            within=self.excess(zone) == 0.0,
            dispersion=dispersion,
            boundary_m=measures.boundary_m(blocks, zone),
            pieces=measures.pieces(blocks, zone),
        )


def _fixed(seeds: Sequence[int], zones: int, blocks: int) -> Ints:
    """Return the block each zone has to start from, -1 for any."""
    if len(seeds) > zones or len(set(seeds)) < len(seeds):
        raise GeoError(N_("Seeds must be different blocks, and no more than there are zones."))
    if any(not 0 <= block < blocks for block in seeds):
        raise GeoError(N_("A seed is no block: there are {count}."), count=blocks)
    return np.array([*seeds, *[-1] * (zones - len(seeds))], dtype=np.int64)


def _check_parts(part: Ints, zones: int) -> None:
    if (parts := int(part.max()) + 1) > zones:
        raise GeoError(
            N_("The ground is in {parts} parts that nothing joins; {zones} zones are too few."),
            parts=parts,
            zones=zones,
        )


def _started(task: _Task, part: Ints, fixed: Ints, random: np.random.Generator) -> Ints:
    """Return a plan to start from: every part of the ground by itself, then each zone in one piece."""
    blocks, load = task.blocks, task.load
    zone, centres = np.full(len(blocks), -1, dtype=np.int64), fixed.copy()
    for each, own in enumerate(_zones_of_parts(part, load, fixed)):
        inside = np.flatnonzero(part == each)
        place = np.full(len(blocks), -1)
        place[inside] = np.arange(inside.size)
        seeds = np.where(fixed[own] >= 0, place[fixed[own]], -1)
        x, y, here = blocks.x[inside], blocks.y[inside], load[inside]
        chosen = growing.spread(x, y, here, seeds, random)
        ideal = np.full(own.size, max(float(here.sum()), 1e-12) / own.size)
        nearest = growing.shared_out(x, y, task.mass[inside], here, chosen, ideal, seeds)
        held = np.bincount(nearest, weights=here, minlength=own.size)
        if (seeds < 0).all() and np.abs(held / ideal - 1.0).max() > _ASTRAY:
            nearest = growing.halved(x, y, here, own.size)
        zone[inside] = own[nearest]
        centres[own] = inside[chosen]
    whole = _mended(task, zone, fixed)
    filled = np.unique(whole[whole >= 0]).size == task.zones and (whole >= 0).all()
    return whole if filled else _mended(task, zone, centres)


def _mended(task: _Task, zone: Ints, kept: Ints) -> Ints:
    blocks = task.blocks
    return growing.mended(
        zone, task.zones, blocks.x, blocks.y, task.load, blocks.starts, blocks.neighbours, kept
    )


def _zones_of_parts(part: Ints, load: Floats, fixed: Ints) -> list[Ints]:
    """Return which zones each part of the ground gets: by what it weighs, at least one, its seeds' own."""
    parts, zones = int(part.max()) + 1, fixed.size
    room = np.bincount(part, minlength=parts)
    weight = np.bincount(part, weights=load, minlength=parts)
    number = np.maximum(1, np.bincount(part[fixed[fixed >= 0]], minlength=parts))
    if number.sum() > zones:
        raise GeoError(N_("A part of the ground without a seed is left without a zone."))
    while number.sum() < zones:  # the next to the part whose zones would weigh most
        number[np.where(number < room, weight / number, -1.0).argmax()] += 1
    owns: list[list[int]] = [[] for _ in range(parts)]
    for zone in np.flatnonzero(fixed >= 0):
        owns[part[fixed[zone]]].append(int(zone))
    for zone in np.flatnonzero(fixed < 0):
        next(own for own, many in zip(owns, number, strict=True) if len(own) < many).append(int(zone))
    return [np.array(own, dtype=np.int64) for own in owns]


def _annealed(
    task: _Task,
    start: Ints,
    fixed: Ints | None,
    trials: int,
    seed: int,
    watch: _Watch,
    *,
    home: Ints | None = None,
    locked: Bools | None = None,
) -> tuple[float, float, Ints]:
    """Return the excess, the worth and the zones of the best plan met from a start."""
    ground, unit = _prepared(task, start, fixed, home, locked)
    state = moves.new_state(ground, start, task.zones, seed)
    best, record = start.copy(), np.array([np.inf, np.inf])
    moves.remember(state, best, record)
    each = len(task.blocks) / task.zones * unit  # a zone's dispersion
    prices = each * (np.array([1.0, 0.05, 2.0]) if home is None else np.array([20.0, 20.0, 200.0]))
    hot, cold = (0.5, 0.05) if home is None else (0.2, 0.02)
    heats = unit * hot * (cold / hot) ** (np.arange(_CHUNKS + 1) / _CHUNKS)
    for chunk in range(_CHUNKS):
        watch.step()
        if task.zones > 1 and ground.neighbours.size:
            moves.anneal(
                ground, state, best, record, prices, trials // _CHUNKS, heats[chunk], heats[chunk + 1], 0.5
            )
    return float(record[0]), float(record[1]), best


def _settled(
    task: _Task,
    zone: Ints,
    fixed: Ints | None,
    trials: int,
    seed: int,
    *,
    home: Ints | None = None,
    locked: Bools | None = None,
) -> Ints:
    """Return a plan that keeps its limits, from one that nearly does: balance comes before all else."""
    for attempt in range(_ATTEMPTS):
        if task.excess(zone) == 0.0:
            break
        ground, unit = _prepared(task, zone, fixed, home, locked)
        state = moves.new_state(ground, zone, task.zones, seed + attempt + 1)
        best, record = zone.copy(), np.array([np.inf, np.inf])
        moves.remember(state, best, record)
        each = len(task.blocks) / task.zones * unit
        prices = each * np.array([5.0, 5.0, 200.0])
        if task.zones > 1 and ground.neighbours.size:
            moves.anneal(ground, state, best, record, prices, trials // 10, 0.1 * unit, 0.02 * unit, 0.5)
        zone = best
    return zone


def _prepared(
    task: _Task, zone: Ints, fixed: Ints | None, home: Ints | None, locked: Bools | None
) -> tuple[moves.Ground, float]:
    """Return the ground to move on, and the mean of a block's share of the dispersion."""
    movable = np.ones(zone.size, dtype=bool) if locked is None else ~locked
    if fixed is not None:
        movable[fixed[fixed >= 0]] = False
    away_from = np.full(zone.size, -1, dtype=np.int64) if home is None else home
    bare = task.ground(movable, away_from, 0.0)
    unit = float(moves.new_state(bare, zone, task.zones, 0).dispersion.sum()) / zone.size or 1.0
    return task.ground(movable, away_from, unit), unit
