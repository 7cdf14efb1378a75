"""The catchment of a branch: which point sets its radius, and the rings that hold a share of its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from data.filters import CLOSED
from data.snapshots import Layer, Snapshot
from geo.catchment import SHARES, farthest, outliers, rings
from geo.errors import N_, DataError

Basis = Literal["points", "customers", "deposits", "households"]
BASES: tuple[Basis, ...] = get_args(Basis)


@dataclass(frozen=True)
class Point:
    """
    A merchant or target that sets the radius, or may be an outlier.

    Whether its name may be shown is for `data.rows` to say: of a person only to those who see customers.
    """

    kind: Literal["merchant", "target", "target group"]
    layer: Literal["merchants", "customers"]
    id: int
    lon: float
    lat: float
    distance_m: float
    group: int | None  # of a customer


@dataclass(frozen=True, eq=False)
class Catchment:
    """
    How far a branch reaches.

    Parameters
    ----------
    radius_m
        Set by hand, or the farthest point's distance. Without such a point the farthest existing customer's,
        so that the circle is not empty; 0 where there is nothing at all.
    farthest
        The farthest merchant not closed, target customer or target group, not set aside; None without any. It
        is named also where the radius is set by hand.
    rings
        Radius by share, NaN where nothing has the weight chosen.
    basis
        What the rings hold a share of.
    outliers
        Suggested only, the farthest first.
    counts
        Inside the radius: `merchants` (not closed), `existing`, `targets` (points), `outlets`, `places`; and
        `aside`, `outside` (points beyond the radius, not set aside).
    """

    radius_m: float
    by_hand: bool
    farthest: Point | None
    rings: dict[float, float]
    basis: Basis
    outliers: tuple[Point, ...]
    counts: dict[str, int]


@dataclass(frozen=True, eq=False)
class _Ground:
    """What of a snapshot every catchment of it needs."""

    farthest: Point | None
    outliers: tuple[Point, ...]
    fallback_m: float
    nbytes: int = 0


@dataclass(frozen=True, eq=False)
class _Rings:
    radii: dict[float, float]
    nbytes: int = 0


def catchment(snapshot: Snapshot, *, basis: Basis = "points", by_hand_m: float | None = None) -> Catchment:
    """
    Return how far the branch reaches.

    Parameters
    ----------
    snapshot
        Of the branch.
    basis
        Rings hold a share of the points that set the radius, of existing customers, of deposits, or of the
        households of places.
    by_hand_m
        A radius set by hand instead of the farthest point's distance.
    """
    if basis not in BASES:
        raise DataError(
            N_("Rings can hold a share of {known}, not of {basis}."), known=", ".join(BASES), basis=basis
        )
    ground = snapshot.worked.get("ground", lambda: _ground(snapshot))
    held = snapshot.worked.get(("rings", basis), lambda: _Rings(_rings(snapshot, basis)))
    if by_hand_m is not None:
        radius_m = by_hand_m
    else:
        radius_m = ground.farthest.distance_m if ground.farthest else ground.fallback_m
    return Catchment(
        radius_m=radius_m,
        by_hand=by_hand_m is not None,
        farthest=ground.farthest,
        rings=dict(held.radii),
        basis=basis,
        outliers=ground.outliers,
        counts=_counts(snapshot, radius_m),
    )


def _eligible(snapshot: Snapshot) -> list[tuple[Layer, NDArray[np.bool_]]]:
    """Return what may set the radius, layer by layer."""
    merchants, customers = snapshot.merchants, snapshot.customers
    return [
        (merchants, ~merchants.aside & (merchants.status != CLOSED)),
        (customers, ~customers.aside & ~customers.existing),
    ]


def _ground(snapshot: Snapshot) -> _Ground:
    best: list[Point] = []
    candidates: list[tuple[Layer, NDArray[np.intp]]] = []
    for layer, eligible in _eligible(snapshot):
        row = farthest(layer.distance_m, eligible, layer.id)
        if row is not None:
            best.append(_point(snapshot, layer, row))
        candidates.append((layer, np.flatnonzero(eligible)))
    # Merchants come first, and stay first where a target is exactly as far.
    first = max(best, key=lambda point: point.distance_m) if best else None
    existing = snapshot.customers.reach_m[snapshot.customers.existing & ~snapshot.customers.aside]
    return _Ground(first, _outliers(snapshot, candidates), float(existing.max()) if len(existing) else 0.0)


def _outliers(snapshot: Snapshot, candidates: list[tuple[Layer, NDArray[np.intp]]]) -> tuple[Point, ...]:
    distance_m = np.concatenate([layer.distance_m[rows] for layer, rows in candidates])
    outlying = outliers(distance_m)
    split = len(candidates[0][1])
    points = [
        _point(snapshot, layer, int(rows[at]))
        for (layer, rows), part in zip(candidates, (outlying[:split], outlying[split:]), strict=True)
        for at in np.flatnonzero(part)
    ]
    return tuple(sorted(points, key=lambda point: -point.distance_m))


def _point(snapshot: Snapshot, layer: Layer, row: int) -> Point:
    place = (int(layer.id[row]), float(layer.lon[row]), float(layer.lat[row]), float(layer.distance_m[row]))
    if layer is snapshot.merchants:
        return Point("merchant", "merchants", *place, group=None)
    customers = snapshot.customers
    kind: Literal["target", "target group"] = "target group" if customers.size[row] > 1 else "target"
    return Point(kind, "customers", *place, group=int(customers.group[row]))


def _rings(snapshot: Snapshot, basis: Basis) -> dict[float, float]:
    customers, places = snapshot.customers, snapshot.places
    if basis == "households":
        return rings(places.distance_m, SHARES, places.households)
    if basis == "points":
        return rings(np.concatenate([layer.distance_m[rows] for layer, rows in _eligible(snapshot)]))
    ours = customers.existing & ~customers.aside
    weights = customers.deposits[ours] if basis == "deposits" else None
    return rings(customers.distance_m[ours], SHARES, weights)


def _counts(snapshot: Snapshot, radius_m: float) -> dict[str, int]:
    sorted_by = snapshot.worked.get("distances", lambda: _Distances.of(snapshot))
    inside = {
        name: int(np.searchsorted(distances, radius_m, side="right"))
        for name, distances in sorted_by.by_name.items()
    }
    setting = ("merchants", "existing", "targets")
    beyond = sum(len(sorted_by.by_name[name]) - inside[name] for name in setting)
    return {**inside, "aside": sorted_by.aside, "outside": beyond}


@dataclass(frozen=True, eq=False)
class _Distances:
    """Distances of what counts, sorted, by the name of the count."""

    by_name: dict[str, NDArray[np.float64]]
    aside: int

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Distances:
        customers = snapshot.customers
        (merchants, open_ones), (_, targets) = _eligible(snapshot)
        return cls(
            {
                "merchants": np.sort(merchants.distance_m[open_ones]),
                "existing": np.sort(customers.distance_m[customers.existing & ~customers.aside]),
                "targets": np.sort(customers.distance_m[targets]),
                "outlets": np.sort(snapshot.outlets.distance_m),
                "places": np.sort(snapshot.places.distance_m),
            },
            int(snapshot.merchants.aside.sum() + customers.aside.sum()),
        )

    @property
    def nbytes(self) -> int:
        return sum(distances.nbytes for distances in self.by_name.values())
