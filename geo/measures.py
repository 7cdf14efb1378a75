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


def deviations(zone: Ints, zones: int, weights: Floats) -> Floats:
    """
    Return how far each zone is from the ideal, an equal part of the whole, as a share of it.

    A measure that is nothing everywhere is balanced: 0.
    """
    ideal = weights.sum(axis=0) / zones
    held = loads(zone, zones, weights)
    return np.where(ideal > 0.0, held / np.where(ideal > 0.0, ideal, 1.0) - 1.0, 0.0)


def bound(weights: Floats, zones: int, part: Ints | None = None) -> Bound:
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
    """
    worst = Bound(0.0)
    for measure, column in enumerate(weights.T):
        ideal = column.sum() / zones
        if ideal <= 0.0:
            continue
        heaviest = int(column.argmax())
        found = [Bound(float(column[heaviest] / ideal - 1.0), measure, heaviest)]
        # Where one block fills more than a zone, the others share what it leaves.
        if zones > 1 and column[heaviest] > ideal:
            rest = (column.sum() - column[heaviest]) / (zones - 1)
            found.append(Bound(float(1.0 - rest / ideal), measure, heaviest))
        if (column == np.rint(column)).all():
            whole = np.gcd.reduce(column.astype(np.int64))
            steps = ideal / float(whole)
            found.append(
                Bound(
                    float(max(np.ceil(steps - 1e-9) - steps, steps - np.floor(steps + 1e-9)) / steps), measure
                )
            )
        if part is not None:
            found += [Bound(_of_part(held / ideal), measure) for held in np.bincount(part, weights=column)]
        worst = max([worst, *found], key=lambda each: each.deviation)
    return worst


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
