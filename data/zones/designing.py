"""Zones for a branch, designed from what its working set holds: the cells of its catchment, weighed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import h3
import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely.geometry import shape

from data.figures import FEWEST
from data.filters import CLOSED, SIGNED
from data.rights import Asker, Right
from data.snapshots import Layer, Snapshot
from geo import blocks as blocks_of
from geo import crs
from geo.blocks import Blocks
from geo.design import TOLERANCE, Design, Limits, Progress, design
from geo.errors import N_, DataError

Floats = NDArray[np.float64]
WEIGHTS = ("merchants", "customers", "households", "deposits", "hours")

# A visit takes half an hour and the walk from the next one to be visited; so many come due in a quarter.
_VISIT_H, _WALK_M_H = 0.5, 4_000.0
_VISITS_SIGNED, _VISITS_OTHER = 90 / 90, 90 / 180
_BORDER_SHARE = 0.5
FEWEST_CELLS, MOST_CELLS, CELLS_A_POINT = 300, 20_000, 10  # many empty cells only blur what is to be balanced


@dataclass(frozen=True, eq=False)
class Points:
    """What is weighed: where and how much."""

    lon: Floats
    lat: Floats
    amount: Floats


@dataclass(frozen=True, eq=False)
class Designed:
    """
    A plan of a branch's ground.

    Parameters
    ----------
    zones
        `zone_id` from 1, `weight` (NaN where few customers make it up and the asker may not see them) and the
        shape, in WGS 84.
    design
        With its measures.
    blocks
        The cells it is made of.
    mean_polsby_popper
        Of the zones.
    """

    zones: GeoDataFrame
    design: Design
    blocks: Blocks
    mean_polsby_popper: float


def designed(
    snapshot: Snapshot,
    asker: Asker,
    zones: int,
    *,
    weight: str = "merchants",
    radius_m: float,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Designed:
    """
    Return the ground round a branch divided into zones that weigh alike.

    Parameters
    ----------
    snapshot
        Of the branch.
    asker
        Who may edit its plans.
    zones
        How many.
    weight
        What is balanced: merchants not closed, customers (a target group counts its size), households of
        places, deposits of existing customers, or hours of work a quarter (visits due, and the walk between
        neighbours).
    radius_m
        Of the catchment. What is set aside, or lies beyond, weighs nothing.
    tolerance, seed, progress, cancelled
        As in `geo.design.design`.

    Raises
    ------
    DataError
        When there is nothing to balance.
    """
    asker.require(Right.EDIT_PLANS, snapshot.branch_id)
    if weight not in WEIGHTS:
        raise DataError(
            N_("Zones can balance {known}, not {weight}."), known=", ".join(WEIGHTS), weight=weight
        )
    points = _points(snapshot, weight, radius_m)
    if not points.amount.sum() > 0.0:
        raise DataError(
            N_("Nothing inside the catchment counts as {weight}: there is nothing to balance."), weight=weight
        )
    most = int(np.clip(CELLS_A_POINT * len(points.lon), FEWEST_CELLS, MOST_CELLS))
    resolution = blocks_of.resolution_for(radius_m, most)
    blocks = blocks_of.cells_of_circle(snapshot.lon, snapshot.lat, radius_m, resolution)
    at = blocks_of.cell_at(blocks, points.lon, points.lat)
    weights = blocks_of.weights_of(at, len(blocks), points.amount)
    found = design(
        blocks,
        weights,
        zones,
        limits=Limits(tolerance=tolerance),
        mass=weights,
        border_share=_BORDER_SHARE,
        seed=seed,
        progress=progress,
        cancelled=cancelled,
    )
    held = np.bincount(found.zone, weights=weights, minlength=zones)
    if _hides(asker, snapshot.branch_id, weight):
        points_of = np.bincount(found.zone[at[at >= 0]], minlength=zones)
        held = np.where((points_of > 0) & (points_of < FEWEST), np.nan, held)
    shapes = _shapes(blocks, found)
    return Designed(
        GeoDataFrame({"zone_id": np.arange(1, zones + 1), "weight": held}, geometry=shapes, crs=crs.WGS84),
        found,
        blocks,
        _mean_polsby_popper(shapes, snapshot.lon, snapshot.lat),
    )


def _hides(asker: Asker, branch_id: int, weight: str) -> bool:
    """Whether what few customers add up to is hidden from the asker."""
    if weight == "deposits":
        return not asker.may(Right.DEPOSITS, branch_id)
    return weight in ("customers", "hours") and asker.masked(branch_id)


def _points(snapshot: Snapshot, weight: str, radius_m: float) -> Points:
    """Return the points inside the catchment with what each weighs."""
    merchants, customers, places = snapshot.merchants, snapshot.customers, snapshot.places
    open_ = merchants.status != CLOSED
    if weight == "merchants":
        return _inside([(merchants, open_, np.ones(len(merchants)))], radius_m)
    if weight == "customers":
        everybody = np.ones(len(customers), dtype=bool)
        return _inside([(customers, everybody, customers.people.astype(np.float64))], radius_m)
    if weight == "households":
        return _inside([(places, ~np.isnan(places.households), places.households)], radius_m)
    if weight == "deposits":
        known = customers.existing & (customers.deposits > 0.0)
        return _inside([(customers, known, customers.deposits)], radius_m)
    visits = np.where(merchants.status == SIGNED, _VISITS_SIGNED, _VISITS_OTHER)
    targets = np.full(len(customers), _VISITS_OTHER)
    due = _inside([(merchants, open_, visits), (customers, ~customers.existing, targets)], radius_m)
    return Points(due.lon, due.lat, due.amount * _hours_a_visit(snapshot, due))


def _inside(layers: list[tuple[Layer, NDArray[np.bool_], Floats]], radius_m: float) -> Points:
    taken = [(layer, counts & (layer.reach_m <= radius_m), amounts) for layer, counts, amounts in layers]
    return Points(
        np.concatenate([layer.lon[rows] for layer, rows, _ in taken]),
        np.concatenate([layer.lat[rows] for layer, rows, _ in taken]),
        np.concatenate([amounts[rows] for _, rows, amounts in taken]),
    )


def _hours_a_visit(snapshot: Snapshot, due: Points) -> Floats:
    """Return how long a visit takes with the walk to the nearest neighbour that is visited too."""
    if len(due.lon) < 2:
        return np.full(len(due.lon), _VISIT_H)
    x, y = crs.to_metric(due.lon, due.lat, crs.local_metric(snapshot.lon, snapshot.lat))
    walk_m, _ = KDTree(np.column_stack([x, y])).query(np.column_stack([x, y]), k=2)
    hours: Floats = _VISIT_H + walk_m[:, 1] / _WALK_M_H
    return hours


def _shapes(blocks: Blocks, found: Design) -> list[object]:
    """Return each zone's outline, in WGS 84."""
    cells = [blocks.ids[found.zone == zone].tolist() for zone in range(found.zones)]
    return [shape(h3.cells_to_h3shape(each).__geo_interface__) for each in cells]


def _mean_polsby_popper(shapes: list[object], lon: float, lat: float) -> float:
    metric = GeoDataFrame(geometry=shapes, crs=crs.WGS84).to_crs(crs.local_metric(lon, lat)).geometry
    return float((4.0 * np.pi * metric.area / metric.length**2).mean())
