"""What a designer is asked: blocks, weights and limits, checked and as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import measures, moves
from geo.blocks import Blocks
from geo.errors import N_, Cancelled, GeoError
from geo.measures import Bound

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in thousandths."""

TOLERANCE = 0.05
_EVEN = 0.1  # of a mean block's mass, added to each so that empty blocks lie compactly too
_HOME = 20.0  # blocks' distances: what a mean block costs away from the zone it came from


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
    shares
        A zone: its ideal part of the whole (the hours its pair has, say), in any unit; equal parts without.
    """

    tolerance: float | Sequence[float] = TOLERANCE
    lowest: Sequence[float] | None = None
    highest: Sequence[float] | None = None
    shares: Sequence[float] | None = None


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


class Watch:
    """Tells how far the work is, and stops it when the user says so."""

    def __init__(self, progress: Progress | None, cancelled: Callable[[], bool] | None, steps: int) -> None:
        self.progress, self.cancelled = progress, cancelled
        self.done, self.whole = 0, steps

    def step(self) -> None:
        """Count a step of the work."""
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(N_("The design was stopped. Nothing of it was kept."))
        self.tell(min(self.done + 1, self.whole - 1))

    def end(self) -> None:
        """Say that all is done."""
        self.tell(self.whole)

    def tell(self, done: int) -> None:
        """Say that so many steps are done."""
        self.done = done
        if self.progress is not None:
            self.progress(done * 1000 // self.whole, 1000)


@dataclass(frozen=True, eq=False)
class Task:
    """
    What is asked, checked and as arrays.

    Parameters
    ----------
    blocks, weights, zones, mass, border_share
        As in `geo.design.design`; a column of weights a measure.
    ideal, lower, upper
        Zone by measure: what each should weigh, and may.
    tolerance
        A measure.
    lowest, highest
        Hard limits, a measure.
    """

    blocks: Blocks
    weights: Floats
    zones: int
    mass: Floats
    border_share: float
    ideal: Floats
    lower: Floats
    upper: Floats
    tolerance: Floats
    lowest: Floats
    highest: Floats

    @classmethod
    def of(
        cls,
        blocks: Blocks,
        weights: ArrayLike,
        zones: int,
        limits: Limits,
        mass: ArrayLike | None = None,
        border_share: float = 0.0,
    ) -> Task:
        """Check what is asked; a GeoError says what is wrong with it."""
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
        ideal = _shares(limits, zones)[:, None] * amounts.sum(axis=0)
        count = amounts.shape[1]
        tolerance = np.broadcast_to(np.asarray(limits.tolerance, dtype=np.float64), count)
        if not (tolerance >= 0.0).all():
            raise GeoError(N_("A tolerance must be at least 0, got {tolerance}."), tolerance=limits.tolerance)
        lowest = np.full(count, np.nan) if limits.lowest is None else np.asarray(limits.lowest, np.float64)
        highest = np.full(count, np.nan) if limits.highest is None else np.asarray(limits.highest, np.float64)
        if (lowest > ideal * (1.0 + 1e-12)).any() or (highest < ideal * (1.0 - 1e-12)).any():
            raise GeoError(N_("The whole divided by {zones} zones breaks the limits of a zone."), zones=zones)
        bare = cls(
            blocks, amounts, zones, masses, border_share, ideal, ideal, ideal, tolerance, lowest, highest
        )
        return bare.narrowed(1.0)

    def narrowed(self, share: float) -> Task:
        """Return the task with so much of the tolerance."""
        room = self.tolerance * share
        return replace(
            self,
            lower=np.fmax(self.ideal * (1.0 - room), self.lowest),
            upper=np.fmin(self.ideal * (1.0 + room), self.highest),
        )

    @property
    def plain(self) -> bool:
        """Whether all blocks count alike in the dispersion and borders cost nothing."""
        return self.border_share == 0.0 and bool(np.ptp(self.mass) == 0.0)

    @property
    def load(self) -> Floats:
        """One weight a block, for starts: the mean over measures, each as a share of its own mean."""
        means = self.weights.mean(axis=0)
        if not (means > 0.0).any():
            return np.ones(len(self.blocks))
        load: Floats = (self.weights[:, means > 0.0] / means[means > 0.0]).mean(axis=1)
        return load

    @property
    def shares(self) -> Floats:
        """The ideal part of each zone in the whole."""
        whole = self.ideal.sum(axis=0)
        if not (whole > 0.0).any():
            return np.full(self.zones, 1.0 / self.zones)
        shares: Floats = self.ideal[:, int(whole.argmax())] / whole.max()
        return shares

    def ground(self, movable: Bools, home: Ints, unit: float) -> moves.Ground:
        """Return the ground blocks move on; `unit` is a block's share of the dispersion."""
        blocks = self.blocks
        border = blocks.border_m / blocks.border_m.mean() if blocks.border_m.sum() > 0.0 else blocks.border_m
        # Where zones are rebalanced a block away from home costs more than any distance it could save.
        away = (self.load * _HOME + 1.0) * unit if (home >= 0).any() else np.zeros(len(blocks))
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
            self.lower,
            self.upper,
            self.ideal,
        )

    def excess(self, zone: Ints) -> float:
        """Return by how much limits are broken, over all zones and measures, as shares of the ideal."""
        held = measures.loads(zone, self.zones, self.weights)
        over = np.maximum(held - self.upper, self.lower - held)
        ideal = np.where(self.ideal > 0.0, self.ideal, np.inf)
        shares = over / ideal
        return float(shares[shares > 1e-9].sum())

    def unevenness(self, zone: Ints) -> float:
        """Return the largest deviation, as a share of what its measure tolerates (of 1 where that is 0)."""
        room = np.where(self.tolerance > 0.0, self.tolerance, 1.0)
        return float(np.abs(measures.deviations(zone, self.ideal, self.weights) / room).max(initial=0.0))

    def judged(self, zone: Ints, part: Ints) -> Design:
        """Return a plan with what it is worth."""
        blocks = self.blocks
        dispersion, centres = measures.dispersion(blocks.x, blocks.y, self.mass, zone, self.zones)
        return Design(
            zone=zone,
            centres=centres,
            deviations=measures.deviations(zone, self.ideal, self.weights),
            bound=measures.bound(self.weights, self.zones, part, self.shares),
            within=self.excess(zone) == 0.0,
            dispersion=dispersion,
            boundary_m=measures.boundary_m(blocks, zone),
            pieces=measures.pieces(blocks, zone),
        )


def _shares(limits: Limits, zones: int) -> Floats:
    if limits.shares is None:
        return np.full(zones, 1.0 / zones)
    shares = np.asarray(limits.shares, dtype=np.float64)
    if shares.shape != (zones,) or not np.isfinite(shares).all() or not (shares > 0.0).all():
        raise GeoError(N_("Each of {zones} zones needs a share of the whole above 0."), zones=zones)
    normal: Floats = shares / shares.sum()
    return normal
