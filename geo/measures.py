"""What a plan of zones is worth: balance and its bound, dispersion, pieces, borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from geo.blocks import Blocks
from geo.growing import pieces_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = 2_000  # of a zone's distances held at once


@dataclass(frozen=True)
class Bound:
    """
    The least that the largest deviation can be, whatever the plan.

    Parameters
    ----------
    deviation
        From the ideal, as a share of it.
    measure
        The number of the measure that sets it.
    block
        The block that sets it: it alone weighs more than a zone should. None where nothing sets it, or where
        what sets it is that weights are whole numbers, or that the ground is in parts.
    """

    deviation: float
    measure: int | None = None
    block: int | None = None


def loads(zone: Ints, zones: int, weights: Floats) -> Floats:
    """Return what each zone weighs, one column a measure."""
    columns = [np.bincount(zone, weights=column, minlength=zones) for column in weights.T]
    return np.column_stack(columns)


def deviations(zone: Ints, ideal: Floats, weights: Floats) -> Floats:
    """
    Return how far each zone is from its ideal, as a share of it: zone by measure, as `ideal` is.

    A measure that is nothing everywhere is balanced: 0.
    """
    held = loads(zone, len(ideal), weights)
    return np.where(ideal > 0.0, held / np.where(ideal > 0.0, ideal, 1.0) - 1.0, 0.0)


def bound(weights: Floats, zones: int, part: Ints | None = None, shares: Floats | None = None) -> Bound:
    """
    Return the least largest deviation that block weights allow.

    A block heavier than the ideal cannot be parted; whole numbers do not divide evenly; a part of the ground
    that nothing joins to the rest is divided among a whole number of zones.

    Parameters
    ----------
    weights
        One column a measure.
    zones
        How many.
    part
        The connected part of the ground each block lies in; one part without it.
    shares
        The ideal part of each zone in the whole; equal without it.
    """
    equal = shares is None or bool(np.ptp(shares) < 1e-12)
    own = np.full(zones, 1.0 / zones) if shares is None else shares
    worst = Bound(0.0)
    for measure, column in enumerate(weights.T):
        ideals = column.sum() * own
        if not (ideals > 0.0).all():
            continue
        found = [*_of_heaviest(column, ideals, measure), _of_whole_numbers(column, ideals, measure, equal)]
        if part is not None and equal:
            held = np.bincount(part, weights=column)
            found += [Bound(_of_part(each / ideals[0]), measure) for each in held]
        worst = max([worst, *found], key=lambda each: each.deviation)
    return worst


def _of_heaviest(column: Floats, ideals: Floats, measure: int) -> list[Bound]:
    """Return what the heaviest block makes of the largest zone, and what it leaves the others."""
    heaviest, largest = int(column.argmax()), float(ideals.max())
    weight = float(column[heaviest])
    if weight <= largest:
        return []
    found = [Bound(weight / largest - 1.0, measure, heaviest)]
    if ideals.size > 1:
        rest = float(column.sum()) - weight
        found.append(Bound(1.0 - rest / (float(column.sum()) - largest), measure, heaviest))
    return found


def _of_whole_numbers(column: Floats, ideals: Floats, measure: int, equal: bool) -> Bound:
    """Return how far weights that are whole numbers must be from ideals that are none."""
    if not (column == np.rint(column)).all():
        return Bound(0.0)
    steps = ideals / float(np.gcd.reduce(column.astype(np.int64)))
    over, under = np.ceil(steps - 1e-9) - steps, steps - np.floor(steps + 1e-9)
    # Alike zones cannot all be rounded one way.
    nearest = np.maximum(over, under) if equal else np.minimum(over, under)
    return Bound(float((nearest / steps).max()), measure)


def _of_part(ideals: float) -> float:
    """Return the least deviation of a part that weighs so many ideals, in a whole number of zones."""
    counts = {max(1.0, np.floor(ideals)), max(1.0, np.ceil(ideals))}
    return float(min(abs(ideals / count - 1.0) for count in counts))


def dispersion(x: Floats, y: Floats, mass: Floats, zone: Ints, zones: int) -> tuple[float, Ints]:
    """
    Return the sum of distances of blocks to their zone's centre, each times its mass, and the centres.

    The centre is the block of the zone from which that sum is least; a plain sum is that of equal masses 1.
    """
    total, centres = 0.0, np.full(zones, -1, dtype=np.int64)
    for each in range(zones):
        inside = np.flatnonzero(zone == each)
        if not inside.size:
            continue
        here = np.column_stack([x[inside], y[inside]])
        sums = np.concatenate(
            [
                cdist(here[start : start + _ROWS], here) @ mass[inside]
                for start in range(0, inside.size, _ROWS)
            ]
        )
        centres[each] = inside[int(sums.argmin())]
        total += float(sums.min())
    return total, centres


def pieces(blocks: Blocks, zone: Ints) -> int:
    """Return how many connected pieces the zones are in; as many as zones when each is in one."""
    return pieces_of(zone, blocks.starts, blocks.neighbours)[0]


def boundary_m(blocks: Blocks, zone: Ints) -> float:
    """Return the length of the borders between zones, each counted once."""
    apart = zone[blocks.owners] != zone[blocks.neighbours]
    return float(blocks.border_m[apart].sum() / 2.0)
