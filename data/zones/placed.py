"""
A branch's rows placed in the zones of a plan, with what they add up to: kept, and mended when a plan changes.

Every row counts in one zone, or in none ("unzoned": inside the plan's circle), or lies outside the plan's
scope. What is set aside counts nowhere. A plan that differs from one placed before costs what differs: only
points in boxes round the borders that changed are looked at again.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data.alliances.matrix import Matrix, shipped
from data.filters import CLOSED
from data.snapshots import Layer, Snapshot
from data.zones import tallies
from data.zones.ground import NOWHERE, Ground, ground_after, ground_of, same_shape
from data.zones.tallies import LAYERS, Codes, Floats, Masks, Sums
from geo import assign, tiles
from geo.catchment import distances_m
from geo.plans import Plan, Zone

MOST_KEPT = 4  # plans placed, of one snapshot
_MOST_CHANGED = 0.5  # of the zones: beyond that a plan is placed anew
_PAD = 1e-9  # degrees: more than rounding
Products = Mapping[str, Sequence[int]]


@dataclass(frozen=True, eq=False)
class Reference:
    """
    Who trades among how many: what void and gap are told by.

    Parameters
    ----------
    categories
        Merchants not closed, by their category's id.
    households
        NaN where no place says how many.
    """

    categories: Floats
    households: float


@dataclass(frozen=True, eq=False)
class Placed:
    """
    A snapshot's rows in the zones of a plan.

    Parameters
    ----------
    plan
        Whose zones.
    products
        Per code, what is recommended to everybody there, as a bit mask.
    codes
        By layer, one a row: the zone's place in `plan.zones`; as many as zones for unzoned, one more for
        what lies outside the scope.
    sums
        What rows add up to per code: see `data.zones.tallies`.
    ground
        The plan's shapes in metres.
    circle
        What lies inside the plan's circle, in whatever zone.
    today
        The day visits and alliances are looked at, as a number.
    matrix
        How far each category reaches.
    """

    plan: Plan
    products: Masks
    codes: Mapping[str, Codes]
    sums: Sums = field(repr=False)
    ground: Ground = field(repr=False)
    circle: Reference = field(repr=False)
    today: int
    matrix: Matrix = field(repr=False)

    @property
    def unzoned(self) -> int:
        """The code of what lies in no zone, though inside the circle."""
        return len(self.plan)

    def rows_in(self, layer: str, zone_id: int | None) -> tallies.Rows:
        """Return the rows of a layer in a zone; for None in none of them, though inside the circle."""
        code = self.unzoned if zone_id is None else self.plan.ids.index(zone_id)
        return np.flatnonzero(self.codes[layer] == code)

    @property
    def nbytes(self) -> int:
        """Bytes taken; shapes are the plan's."""
        codes = sum(codes.nbytes for codes in self.codes.values())
        return codes + sum(amounts.nbytes for amounts in self.sums.values())


class _Recent:
    """The plans placed last, of one snapshot."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.placed: dict[Hashable, Placed] = {}
        self.products: Products = {}
        self.matrix: Matrix = shipped()

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in list(self.placed.values()))

    def keep(self, key: Hashable, placed: Placed) -> None:
        self.placed.pop(key, None)
        self.placed[key] = placed
        while len(self.placed) > MOST_KEPT:
            del self.placed[next(iter(self.placed))]


def placed(
    snapshot: Snapshot,
    plan: Plan,
    key: Hashable = None,
    *,
    today: int,
    products: Products | None = None,
    matrix: Matrix | None = None,
) -> Placed:
    """
    Return a snapshot's rows in a plan's zones.

    Parameters
    ----------
    snapshot, plan
        Of one branch.
    key
        Which plan this is a state of: its id. The last few are kept.
    today
        The day visits are looked at, as a number.
    products
        By kind of zone the ids of the products its playbook offers; None for whoever asks for nothing that
        depends on them: the last ones given then serve.
    matrix
        How far each category reaches; None as with products, at first as shipped.
    """
    recent: _Recent = snapshot.worked.get("placed", _Recent)
    with recent.lock:
        recent.products = recent.products if products is None else products
        recent.matrix = matrix or recent.matrix
        offered = masks(plan, recent.products)
        kept = [each for each in recent.placed.values() if _alike(each, today, recent.matrix)]
        found = _from_kept(snapshot, kept, plan, offered)
        if found is None:
            found = _anew(snapshot, plan, offered, today, recent.matrix)
        recent.keep(key, found)
    return found


def masks(plan: Plan, products: Products) -> Masks:
    """Return, per code, what the playbook of a zone's kind offers, nothing in unzoned and outside."""
    by_kind = {kind: np.uint64(sum(1 << product for product in set(ids))) for kind, ids in products.items()}
    nothing = np.uint64(0)
    return np.array([*(by_kind.get(zone.kind, nothing) for zone in plan.zones), nothing, nothing], np.uint64)


def _alike(before: Placed, today: int, matrix: Matrix) -> bool:
    return before.today == today and before.matrix.key == matrix.key


def codes(snapshot: Snapshot, rows: Layer, plan: Plan, at: Any = slice(None)) -> Codes:
    """Return where each row of a layer counts, or each of some: see `Placed.codes`."""
    code = assign.zones_of(rows.lon[at], rows.lat[at], [zone.shape for zone in plan.zones])
    return _within_scope(snapshot, rows, code, plan, at)


def _anew(snapshot: Snapshot, plan: Plan, masks: Masks, today: int, matrix: Matrix) -> Placed:
    places = {layer: codes(snapshot, getattr(snapshot, layer), plan) for layer in LAYERS}
    sums = tallies.sums(snapshot, places, len(plan) + 2, masks, today, matrix)
    return Placed(plan, masks, places, sums, ground_of(plan), _circle(snapshot, plan), today, matrix)


def _within_scope(snapshot: Snapshot, rows: Layer, code: Codes, plan: Plan, at: Any) -> Codes:
    """Return codes with what is in no zone told apart by the circle, and what is set aside outside."""
    n, frame = len(plan), plan.frame
    if (frame.lon, frame.lat) == (snapshot.lon, snapshot.lat):
        inside = rows.distance_m[at] <= frame.radius_m
    else:
        inside = distances_m(frame.lon, frame.lat, rows.lon[at], rows.lat[at]) <= frame.radius_m
    code[code < 0] = np.where(inside, n, n + 1)[code < 0]
    code[rows.aside[at]] = n + 1
    return code


def _circle(snapshot: Snapshot, plan: Plan) -> Reference:
    """Return what lies inside the plan's circle: the plan without its zones."""
    bare = replace(plan, zones=())
    merchants, places = snapshot.merchants, snapshot.places
    shops, homes = (
        _within_scope(snapshot, rows, np.full(len(rows), -1, dtype=np.int32), bare, slice(None)) == 0
        for rows in (merchants, places)
    )
    open_ = merchants.category[shops & (merchants.status != CLOSED)]
    households = places.households[homes]
    known = not np.isnan(households).all()
    return Reference(
        np.bincount(open_, minlength=tallies.HIGHEST_CATEGORY + 1).astype(np.float64),
        float(np.nansum(households)) if known else float("nan"),
    )


# --- from a plan placed before ------------------------------------------------------------------------------


def _from_kept(snapshot: Snapshot, kept: Sequence[Placed], plan: Plan, masks: Masks) -> Placed | None:
    """Return what a plan placed before becomes, the one that differs least; None where all differ much."""
    least: tuple[int, Placed, list[tuple[Zone | None, Zone | None]]] | None = None
    for before in reversed(kept):
        if not _same_circle(before.plan, plan):
            continue
        pairs = _differing(before, plan, masks)
        if least is None or len(pairs) < least[0]:
            least = (len(pairs), before, pairs)
    if least is None or least[0] > max(2, _MOST_CHANGED * len(plan)):
        return None
    _, before, pairs = least
    if not pairs and before.plan.ids == plan.ids:
        return replace(before, plan=plan)
    return _changed(snapshot, before, plan, masks, pairs)


def _same_circle(one: Plan, other: Plan) -> bool:
    a, b = one.frame, other.frame
    return (a.lon, a.lat, a.radius_m) == (b.lon, b.lat, b.radius_m)


def _differing(before: Placed, plan: Plan, masks: Masks) -> list[tuple[Zone | None, Zone | None]]:
    """Return the zones whose shape or recommended products are not what they were."""
    was = {zone.id: (zone, mask) for zone, mask in zip(before.plan.zones, before.products, strict=False)}
    pairs: list[tuple[Zone | None, Zone | None]] = []
    for zone, mask in zip(plan.zones, masks, strict=False):
        old, old_mask = was.pop(zone.id, (None, None))
        if old is None or old_mask != mask or not same_shape(old.shape, zone.shape):
            pairs.append((old, zone))
    return pairs + [(old, None) for old, _ in was.values()]


def _changed(
    snapshot: Snapshot,
    before: Placed,
    plan: Plan,
    masks: Masks,
    pairs: Sequence[tuple[Zone | None, Zone | None]],
) -> Placed:
    shapes = [zone.shape for zone in plan.zones]
    boxes = assign.boxes_of_change(
        [old.shape if old else NOWHERE for old, _ in pairs],
        [new.shape if new else NOWHERE for _, new in pairs],
    )
    was_offered = dict(zip(before.plan.ids, before.products.tolist(), strict=False))
    otherwise = [
        at
        for at, (zone_id, products) in enumerate(zip(plan.ids, masks.tolist(), strict=False))
        if was_offered.get(zone_id, products) != products
    ]
    to_new = _new_codes(before.plan, plan)
    places, left, joined = {}, {}, {}
    for layer in LAYERS:
        rows: Layer = getattr(snapshot, layer)
        at = _in_boxes(rows, boxes)
        again = _within_scope(snapshot, rows, assign.zones_again(rows.lon, rows.lat, shapes, at), plan, at)
        old = before.codes[layer]
        moved = to_new[old[at]] != again
        at, again = at[moved], again[moved]
        code = old.copy() if before.plan.ids == plan.ids else to_new[old]
        code[at] = again
        if otherwise and layer == "customers":  # rows that stay, but are recommended other products
            at = np.union1d(at, np.flatnonzero(np.isin(code, otherwise)))
        places[layer], left[layer], joined[layer] = code, (at, old[at]), (at, code[at])
    sums = {name: amounts.copy() for name, amounts in before.sums.items()}
    for name, amounts in tallies.sums_of(
        snapshot, left, len(before.plan) + 2, before.products, before.today, before.matrix
    ).items():
        sums[name] -= amounts
    there = to_new >= 0
    for name, amounts in tallies.sums_of(
        snapshot, joined, len(plan) + 2, masks, before.today, before.matrix
    ).items():
        if before.plan.ids != plan.ids:
            own = np.zeros_like(amounts)
            own[to_new[there]] = sums[name][there]
            sums[name] = own
        sums[name] += amounts
    ground = ground_after(before.ground, before.plan, plan, boxes)
    return Placed(plan, masks, places, sums, ground, before.circle, before.today, before.matrix)


def _in_boxes(rows: Layer, boxes: Floats) -> tallies.Rows:
    """Return the rows in some boxes: they stand along a curve, so that few others are looked at."""
    found = [np.empty(0, dtype=np.intp)]
    for west, south, east, north in boxes + _PAD * np.array([-1.0, -1.0, 1.0, 1.0]):
        (left, right), (bottom, top) = tiles.world_xy([west, east], [south, north])
        z = int(np.clip(-np.log2(max(right - left, bottom - top, 2.0**-20)), 0, 20))
        across = np.arange(int(left * 2**z), int(right * 2**z) + 1)
        down = np.arange(int(top * 2**z), int(bottom * 2**z) + 1)
        x, y = (each.ravel() for each in np.meshgrid(across, down))
        for start, stop in zip(*rows.curve.everything.ranges(z, x, y), strict=True):
            near = assign.inside_boxes(rows.lon[start:stop], rows.lat[start:stop], boxes)
            found.append(near + start)
    return np.unique(np.concatenate(found))


def _new_codes(before: Plan, plan: Plan) -> Codes:
    """Return what each code of a plan is in another; -1 for a zone that is gone."""
    place = {zone_id: at for at, zone_id in enumerate(plan.ids)}
    n = len(plan)
    return np.array([*(place.get(zone_id, -1) for zone_id in before.ids), n, n + 1], dtype=np.int32)
