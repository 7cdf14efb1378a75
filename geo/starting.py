"""Where a designer starts from: seeds, the parts of the ground, and a plan in whole pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymetis
from numpy.typing import NDArray

from geo import growing, measures
from geo.blocks import Blocks
from geo.errors import N_, GeoError
from geo.task import Task

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ASTRAY = 0.6  # of its ideal: a start farther off is not worth the moves that would mend it
_FINE = 10_000  # parts the heaviest block is counted in
_NEARLY = 0.05  # over the limits, of all zones together: mended for next to nothing
_EXCHANGES = 60  # of a candidate for another


def seeds_of(seeds: Sequence[int], zones: int, blocks: int) -> Ints:
    """Return the block each zone has to start from, -1 for any."""
    if len(seeds) > zones or len(set(seeds)) < len(seeds):
        raise GeoError(N_("Seeds must be different blocks, and no more than there are zones."))
    if any(not 0 <= block < blocks for block in seeds):
        raise GeoError(N_("A seed is no block: there are {count}."), count=blocks)
    return np.array([*seeds, *[-1] * (zones - len(seeds))], dtype=np.int64)


def parts_of(blocks: Blocks) -> Ints:
    """Return which connected part of the ground each block lies in."""
    return growing.pieces_of(np.zeros(len(blocks), np.int64), blocks.starts, blocks.neighbours)[1]


def check_parts(part: Ints, zones: int) -> None:
    """Refuse fewer zones than the ground has parts."""
    if (parts := int(part.max()) + 1) > zones:
        raise GeoError(
            N_("The ground is in {parts} parts that nothing joins; {zones} zones are too few."),
            parts=parts,
            zones=zones,
        )


def chosen_among(task: Task, candidates: Sequence[int], fixed: Ints, random: np.random.Generator) -> Ints:
    """
    Return a seed a zone, the best found among candidates: least distances while zones weigh alike.

    Parameters
    ----------
    candidates
        Blocks; no fewer than zones without a seed of their own.
    fixed
        The block a zone has to start from, -1 where it is to be chosen.
    """
    free, pool = np.flatnonzero(fixed < 0), np.setdiff1d(np.asarray(candidates, np.int64), fixed)
    if not free.size:
        return fixed
    if pool.size < free.size or pool[0] < 0 or pool[-1] >= len(task.blocks):
        raise GeoError(
            N_("{zones} zones need as many candidates to start from, got {count}."),
            zones=free.size,
            count=pool.size,
        )
    apart = np.setdiff1d(np.arange(len(task.blocks)), np.union1d(pool, fixed[fixed >= 0]))
    chosen = growing.spread(task.blocks.x, task.blocks.y, task.load, fixed, random, never=apart)
    cost = _cost(task, chosen)
    for _ in range(min(_EXCHANGES, 4 * pool.size)):
        left = np.setdiff1d(pool, chosen)
        if not left.size:
            break
        other = chosen.copy()
        # One beside it is the likeliest to serve better.
        zone, block = int(random.choice(free)), int(random.choice(left))
        if random.random() < 0.5:
            blocks = task.blocks
            near = np.hypot(blocks.x[left] - blocks.x[chosen[zone]], blocks.y[left] - blocks.y[chosen[zone]])
            block = int(left[near.argmin()])
        other[zone] = block
        if (worth := _cost(task, other)) < cost:
            chosen, cost = other, worth
    return chosen


def _cost(task: Task, seeds: Ints) -> float:
    """Return how far blocks are from the seeds they would go to, and the more the less alike zones weigh."""
    x, y, load = task.blocks.x, task.blocks.y, task.load
    ideal = task.shares * load.sum()
    zone = growing.shared_out(x, y, task.mass, load, seeds, ideal, seeds)
    distance = np.hypot(x - x[seeds[zone]], y - y[seeds[zone]]) * (load + load.mean() * 0.1)
    off = np.abs(np.bincount(zone, weights=load, minlength=seeds.size) - ideal).sum()
    return float(distance.sum() * (1.0 + off / load.sum()))


def started(task: Task, part: Ints, fixed: Ints, random: np.random.Generator) -> Ints:
    """Return a plan to start from: every part of the ground by itself, then each zone in one piece."""
    blocks, load, shares = task.blocks, task.load, task.shares
    zone, centres = np.full(len(blocks), -1, dtype=np.int64), fixed.copy()
    for each, own in enumerate(_zones_of_parts(part, load, fixed, shares)):
        inside = np.flatnonzero(part == each)
        place = np.full(len(blocks), -1)
        place[inside] = np.arange(inside.size)
        seeds = np.where(fixed[own] >= 0, place[fixed[own]], -1)
        x, y, here = blocks.x[inside], blocks.y[inside], load[inside]
        chosen = growing.spread(x, y, here, seeds, random)
        ideal = max(float(here.sum()), 1e-12) * shares[own] / shares[own].sum()
        nearest = growing.shared_out(x, y, task.mass[inside], here, chosen, ideal, seeds)
        held = np.bincount(nearest, weights=here, minlength=own.size)
        if (seeds < 0).all() and np.abs(held / ideal - 1.0).max() > _ASTRAY:
            nearest = growing.halved(x, y, here, shares[own])
        zone[inside] = own[nearest]
        centres[own] = inside[chosen]
    whole = mended(task, zone, fixed)
    filled = np.unique(whole[whole >= 0]).size == task.zones and (whole >= 0).all()
    return whole if filled else mended(task, zone, centres)


def parted(task: Task, seeds: int) -> Ints | None:
    """
    Return the plan to start from that has the shortest borders, of METIS's from several seeds.

    Its zones weigh alike as nearly as the tolerance asks where METIS finds such, by the mean of the measures.
    None where METIS leaves a zone without blocks.
    """
    blocks, load = task.blocks, task.load
    adjacency = pymetis.CSRAdjacency(blocks.starts.astype(np.int32), blocks.neighbours.astype(np.int32))
    weights = np.rint(load * (_FINE / max(float(load.max()), 1e-12))).astype(np.int64)
    factor = max(1, round(float(task.tolerance.min()) * 1000))
    best: tuple[float, float, Ints] | None = None
    for seed in range(seeds):
        _, found = pymetis.part_graph(
            task.zones,
            adjacency=adjacency,
            vweights=weights.tolist(),
            eweights=np.maximum(1, np.rint(blocks.border_m)).astype(np.int64).tolist(),
            tpwgts=task.shares.tolist(),
            options=pymetis.Options(seed=seed, ufactor=factor, contig=1),
            recursive=False,
        )
        zone = np.asarray(found, dtype=np.int64)
        worth = (task.excess(zone) > _NEARLY, measures.boundary_m(blocks, zone))
        if best is None or worth < best[:2]:
            best = (*worth, zone)
    assert best is not None
    whole = mended(task, best[2], np.full(task.zones, -1, dtype=np.int64))
    return whole if np.unique(whole).size == task.zones and (whole >= 0).all() else None


def mended(task: Task, zone: Ints, kept: Ints) -> Ints:
    """Return zones each in one piece: see `growing.mended`."""
    blocks = task.blocks
    return growing.mended(
        zone, task.zones, blocks.x, blocks.y, task.load, blocks.starts, blocks.neighbours, kept
    )


def _zones_of_parts(part: Ints, load: Floats, fixed: Ints, shares: Floats) -> list[Ints]:
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
    # The largest zones first, each to the part that has the most left to give.
    given = np.array([shares[own].sum() for own in owns])
    for zone in sorted(np.flatnonzero(fixed < 0), key=lambda each: (-shares[each], each)):
        short = [len(own) < many for own, many in zip(owns, number, strict=True)]
        to = int(np.where(short, weight / max(float(weight.sum()), 1e-12) - given, -np.inf).argmax())
        owns[to].append(int(zone))
        given[to] += shares[zone]
    return [np.array(sorted(own), dtype=np.int64) for own in owns]
