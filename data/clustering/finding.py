"""Clusters of a branch's customers or merchants as the newest data have them, unnamed yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from data.filters import CLOSED
from data.snapshots import Snapshot
from geo import clusters as finding
from geo import crs
from geo.clusters import Clusters
from geo.errors import N_, DataError
from geo.planes import Plane

Rows = NDArray[np.intp]

LAYERS: Final = ("customers", "merchants")
LAYER_NAMES = {"customers": N_("Customers"), "merchants": N_("Merchants")}
SCALE_NAMES = {"corner": N_("Street corner"), "area": N_("Trade area"), "district": N_("District")}
SPOT_DEG = 1e-6
HULL_BYTES = 4_000  # about, of an outline


@dataclass(frozen=True, eq=False)
class Found:
    """
    Clusters of a layer at a scale.

    Parameters
    ----------
    layer, scale
        What was looked at.
    rows
        Of the layer: those that were looked at, not set aside, of merchants not closed.
    clusters
        On the branch's plane; `clusters.label` has an entry a row of `rows`.
    lon, lat
        Of each cluster's densest spot, WGS 84.
    shapes
        Of each cluster, WGS 84.
    single_spot
        Whether all rows lie at one position.
    """

    layer: str
    scale: str
    rows: Rows
    clusters: Clusters
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    shapes: tuple[BaseGeometry, ...]
    single_spot: bool

    def __len__(self) -> int:
        return len(self.clusters)

    @property
    def nbytes(self) -> int:
        """Bytes taken, about."""
        return int(self.rows.nbytes + self.clusters.nbytes + HULL_BYTES * len(self.shapes))


def found(snapshot: Snapshot, layer: str, scale: str = finding.USUAL) -> Found:
    """
    Return the clusters of a layer, found once for all who ask.

    Whoever calls this answers for the right to the snapshot's figures.
    """
    if layer not in LAYERS:
        raise DataError(N_("Clusters are found among customers or merchants."))
    kept: Found = snapshot.worked.get(("clusters", layer, scale), lambda: _find(snapshot, layer, scale))
    return kept


def plane(snapshot: Snapshot) -> CRS:
    """Return the plane cells lie on: the branch's."""
    return crs.local_metric(snapshot.lon, snapshot.lat)


def looked_at(snapshot: Snapshot, layer: str) -> Rows:
    """Return the rows of a layer that count: not set aside, of merchants not closed."""
    rows: Any = getattr(snapshot, layer)
    counts = ~rows.aside
    if layer == "merchants":
        counts &= rows.status != CLOSED
    return np.flatnonzero(counts)


def _find(snapshot: Snapshot, layer: str, scale: str) -> Found:
    rows: Any = getattr(snapshot, layer)
    at = looked_at(snapshot, layer)
    lon, lat = rows.lon[at], rows.lat[at]
    people = rows.people[at].astype(np.float64) if layer == "customers" else None
    made = finding.clusters(*crs.to_metric(lon, lat, plane(snapshot)), people, scale=scale)
    ground = Plane(snapshot.lon, snapshot.lat)
    top_lon, top_lat = crs.from_metric(made.x, made.y, plane(snapshot))
    return Found(
        layer=layer,
        scale=scale,
        rows=at,
        clusters=made,
        lon=top_lon,
        lat=top_lat,
        shapes=tuple(ground.degrees(hull) for hull in made.hulls()),
        single_spot=bool(len(at)) and bool(np.ptp(lon) < SPOT_DEG and np.ptp(lat) < SPOT_DEG),
    )
