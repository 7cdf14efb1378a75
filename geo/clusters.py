"""
Where points lie close together: clusters at a scale of the ground, found on cells, with no number to guess.

Points are laid on fine cells and smoothed, the wider the fewer there are; the hills of that landscape are the
clusters (`geo.cluster_basins`), each as far out as its points are likelier its own than strays. How dense
strays lie is told from the points that belong to no hill, over and over until that no longer changes.
Everything is counted, nothing drawn by lot: the same points give the same clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from shapely.geometry.base import BaseGeometry

from geo import cluster_hulls
from geo.cluster_basins import LEAST_DIP, NONE, ROUNDS, SURE, cores, hills, kept, standing_out
from geo.cluster_ground import Bools, Codes, Floats, Ground, Ints, Lattice, ground
from geo.errors import N_, GeoError

SCALES: Final = {"corner": 100.0, "area": 300.0, "district": 1000.0}  # metres
USUAL: Final = "area"
WINDOWS = 4.0  # widths of the least smoothing to a scale
STRAYS = 3.5  # times as dense as strays a cluster is at its edge: fewer, and chance carries it outwards
THINNEST = 0.012  # of the density of the half that lies closest
FEWEST = 8.0  # a cluster's points, strays deducted and those at one position damped
SETTLED = 1e-3
LEAST_SPOTS = 5.0  # positions: a tower of one address is no crowd
CLEAR = 5.0  # standard deviations of strays' number that a cluster stands out by


@dataclass(frozen=True, eq=False)
class Clusters:
    """
    Clusters of points, the heaviest first.

    Parameters
    ----------
    label
        Of each point: its cluster, from 0; -1 of noise.
    size, points
        Of each cluster: the weight of its points, and how many they are.
    x, y
        Of each cluster: its densest cell's middle, metres on the plane.
    cells
        Of each cluster: numbers of its cells on the plane, which tell it again a month later.
    lattice
        Of the cells.
    noise, noise_points
        Weight and number of the points in no cluster.
    """

    label: Codes
    size: Floats
    points: Ints
    x: Floats
    y: Floats
    cells: tuple[Ints, ...]
    lattice: Lattice
    noise: float
    noise_points: int

    def __len__(self) -> int:
        return len(self.size)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return int(self.label.nbytes + sum(cells.nbytes for cells in self.cells))

    def at(self, x: ArrayLike, y: ArrayLike) -> Codes:
        """Return the cluster whose cells hold each of some other points; -1 of none."""
        return cluster_hulls.holding(self.cells, x, y, self.lattice.cell_m)

    def hulls(self) -> list[BaseGeometry]:
        """Return the clusters' outlines on the plane: valid, simplified, none over another."""
        return cluster_hulls.hulls(self.cells, self.lattice.cell_m)


def clusters(x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None, *, scale: str = USUAL) -> Clusters:
    """
    Find clusters.

    Parameters
    ----------
    x, y
        Of each point, metres on the branch's plane (`geo.crs`).
    weight
        People a point stands for; one each without.
    scale
        Of `SCALES`: what lies apart by less than about that is seen as one.

    Raises
    ------
    GeoError
        For a scale nobody knows, or positions that are none.
    """
    if scale not in SCALES:
        raise GeoError(N_("There is no scale named {scale}."), scale=scale)
    at_x, at_y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    people = np.ones(at_x.size) if weight is None else np.asarray(weight, dtype=np.float64)
    if not (np.isfinite(at_x).all() and np.isfinite(at_y).all()):
        raise GeoError(N_("Clusters are found among positions in metres; some are none."))
    land = ground(at_x, at_y, people, SCALES[scale] / WINDOWS)
    return _described(land, _cells_of(land), people)


def _cells_of(land: Ground) -> Codes:
    """Return each cell's cluster, -1 of those in none."""
    columns = land.lattice.columns
    order = _downhill(land)
    if not order.size:
        return np.full(land.mass.size, NONE, dtype=np.int32)
    root = hills(order, land.density, land.told_from, columns, LEAST_DIP, SURE)
    summits, which = np.unique(root[order], return_inverse=True)
    hill = np.full(root.size, NONE, dtype=np.int32)
    hill[order] = which
    core = THINNEST * cores(order, hill, land.mass, len(summits))
    strays, before = float(land.mass.sum()) / max(float(land.town.sum()), 1.0), -1.0
    cells, real = np.zeros(len(summits), dtype=np.int64), np.ones(len(summits), dtype=bool)
    for _ in range(ROUNDS):
        if abs(strays - before) <= SETTLED * before:
            break
        before = strays
        cells, mass = standing_out(order, hill, land.mass, np.maximum(STRAYS * strays, core), len(summits))
        real = _real(cells, mass, strays)
        strays = _strays(land, cells[real], mass[real])
    own = kept(order, hill, np.where(real, cells, 0))
    there = own >= 0
    spots = np.bincount(own[there], weights=land.spots[there], minlength=len(summits))
    own[there & (spots < LEAST_SPOTS)[own]] = NONE
    return own


def _downhill(land: Ground) -> Ints:
    """Return the cells anything lies near, the densest first; none at the window's edge."""
    lattice = land.lattice
    inside = land.density.reshape(lattice.rows, lattice.columns).copy()
    inside[[0, -1], :], inside[:, [0, -1]] = 0.0, 0.0
    there = np.flatnonzero(inside.ravel() > 0.0)
    order: Ints = there[np.argsort(-land.density[there], kind="stable")]
    return order


def _real(cells: Ints, mass: Floats, strays: float) -> Bools:
    """Return which hills are more than strays that happen to lie together."""
    chance = strays * cells
    over = mass - chance
    found: Bools = (over >= FEWEST) & (over >= CLEAR * np.sqrt(np.maximum(chance, 1.0)))
    return found


def _strays(land: Ground, cells: Ints, mass: Floats) -> float:
    """Return how dense strays lie, by those outside all clusters: mass a cell."""
    outside = max(float(land.mass.sum() - mass.sum()), 0.0)
    return outside / max(float(land.town.sum() - cells.sum()), 1.0)


def _described(land: Ground, cluster: Codes, people: Floats) -> Clusters:
    """Return clusters by their cells, the heaviest first."""
    label = np.where(land.cell >= 0, cluster[land.cell], NONE)
    found = np.unique(label[label >= 0])
    size = np.bincount(np.searchsorted(found, label[label >= 0]), weights=people[label >= 0])
    summit = _summits(land, cluster, found)
    order = np.lexsort((summit, -size))
    rank = np.full(int(found.max(initial=0)) + 2, NONE, dtype=np.int32)
    rank[found[order]] = np.arange(len(found))
    label = rank[label]
    at = np.flatnonzero(cluster >= 0)
    at = at[rank[cluster[at]] >= 0]
    of = rank[cluster[at]]
    by = np.argsort(of, kind="stable")
    cells = np.split(at[by], np.cumsum(np.bincount(of, minlength=len(found)))[:-1]) if len(found) else []
    lattice = land.lattice
    top = summit[order]
    noise = label < 0
    return Clusters(
        label=label,
        size=size[order].astype(np.float64),
        points=np.bincount(label[~noise], minlength=len(found)).astype(np.int64),
        x=np.asarray((top % lattice.columns + lattice.west + 0.5) * lattice.cell_m, dtype=np.float64),
        y=np.asarray((top // lattice.columns + lattice.south + 0.5) * lattice.cell_m, dtype=np.float64),
        cells=tuple(cluster_hulls.numbers(each, lattice) for each in cells),
        lattice=lattice,
        noise=float(people[noise].sum()),
        noise_points=int(noise.sum()),
    )


def _summits(land: Ground, cluster: Codes, found: Codes) -> Ints:
    """Return each cluster's densest cell, the first of several."""
    at = np.flatnonzero(cluster >= 0)
    order = at[np.lexsort((at, -land.density[at], cluster[at]))]
    firsts = np.searchsorted(cluster[order], found)
    summits: Ints = order[firsts] if len(found) else np.empty(0, dtype=np.int64)
    return summits
