"""
What coverage is made of: the figures of all rows of a table from their sums, and which are hidden from whom.

A row is a zone, "unzoned", or the total, in that order. See metrics in the README for what each figure means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from data.figures import FEWEST, too_few
from data.rights import Asker, Right
from data.zones import gaps, tallies
from data.zones.placed import Placed, Reference
from data.zones.work import CAPACITY_H
from geo.coverage import CROSS_HOLDING, Figure
from geo.visits import STATES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Capacity = float | Mapping[int, float]
Reachable = Literal["customers", "adults", "households", "employees"]
REACHABLES: tuple[Reachable, ...] = get_args(Reachable)

# What a figure rests on, where few of these hide it; else it tells nothing of customers.
PEOPLE, EXISTING, MATCHED, TARGETS, DEPOSITS = "people", "existing", "matched", "targets", "deposits"
_BASES = {
    PEOPLE: ("existing", "targets"),
    EXISTING: ("existing",),
    MATCHED: ("matched",),
    TARGETS: ("target_rows",),
    DEPOSITS: ("deposits_known",),
}


@dataclass(frozen=True, eq=False)
class Row:
    """
    A figure of all rows.

    Parameters
    ----------
    value, numerator, denominator
        NaN where unknown.
    rests_on
        What it is hidden by where there are few; None: by nothing.
    """

    value: Floats
    numerator: Floats
    denominator: Floats
    rests_on: str | None = None

    @classmethod
    def ratio(cls, numerator: Floats, denominator: Floats, rests_on: str | None = None) -> Row:
        """Return a share with both its counts."""
        return cls(_share(numerator, denominator), numerator, denominator, rests_on)

    @classmethod
    def plain(cls, value: Floats, rests_on: str | None = None) -> Row:
        """Return a count or a sum."""
        return cls(value, value, np.full(len(value), np.nan), rests_on)


def with_total(amounts: Floats) -> Floats:
    """Return amounts of the zones and of what is in none, with their sum in place of what lies outside."""
    inside = amounts[:-1]
    return np.concatenate([inside, inside.sum(axis=0, keepdims=True)])


def open_merchants(sums: tallies.Sums) -> Floats:
    """Return how many merchants are not closed, per row."""
    merchants: Floats = sums["merchants.known"] + sums["merchants.contacted"] + sums["merchants.signed"]
    return merchants


def figures(
    found: Placed,
    sums: tallies.Sums,
    reachable: Reachable,
    capacity_h: Capacity,
    others: Reference | None,
) -> dict[str, Row]:
    """Return the figures of all rows, by the names in metrics."""
    area_km2 = _areas_km2(found)
    people = sums["customers.existing"] + sums["customers.targets"]
    own = own_figures(sums, reachable)
    nearer = np.where(sums["outlets.rivals"][-1] > 0, sums["customers.nearer"], 0.0)
    return {
        **own,
        **alliance_figures(sums),
        "rivals": Row.plain(sums["outlets.rivals"]),
        "rival_nearer": Row.ratio(nearer, people, PEOPLE),
        "households": Row.plain(_known(sums["places.households"], sums["places.households_known"])),
        "customers_km2": Row.ratio(people, area_km2, PEOPLE),
        "merchants_km2": Row.ratio(own["merchants"].value, area_km2),
        "deposits_km2": Row.ratio(own["deposits"].value, area_km2, DEPOSITS),
        "void_gap": _void_gap(found, sums, others),
        "workload_h": _workload(found, sums, capacity_h),
        "balance": _balance_of(found, sums),
        "polsby_popper": _polsby_popper(found),
        "pieces": Row.plain(np.array([*found.ground.pieces, np.nan, np.nan], dtype=np.float64)),
        "area_km2": Row.plain(area_km2),
    }


def own_figures(sums: tallies.Sums, reachable: Reachable = "customers") -> dict[str, Row]:
    """Return the figures of all rows that merchants and customers make up by themselves, whatever is near."""
    existing, merchants = sums["customers.existing"], open_merchants(sums)
    known, matched = sums["customers.deposits_known"], sums["customers.matched"]
    deposits = _known(sums["customers.deposits"] / tallies.CENTS, known)
    return {
        "customers": Row.plain(existing, PEOPLE),
        "customer_coverage": Row.ratio(existing, _reachable(sums, reachable), PEOPLE),
        "merchants": Row.plain(merchants),
        "merchant_coverage": Row.ratio(sums["merchants.signed"], merchants),
        **_visits(sums),
        **{
            f"products_{least}": Row.ratio(sums[f"customers.holding_{least}"], existing, EXISTING)
            for least in CROSS_HOLDING
        },
        "products_mean": Row.ratio(sums["customers.products"], existing, EXISTING),
        "product_match": Row.ratio(sums["customers.match"] / tallies.PARTS, matched, MATCHED),
        "deposits": Row(deposits, deposits, known, DEPOSITS),
    }


def alliance_figures(sums: tallies.Sums) -> dict[str, Row]:
    """Return what alliances cover in all rows: nothing can be said before the branch has one."""
    any_ = bool(sums["merchants.ever_allied"][-1] > 0)
    there = np.full(len(sums["merchants.ever_allied"]), any_)
    people = sums["customers.existing"] + sums["customers.targets"]
    members, reached = sums["merchants.allied"], sums["customers.in_reach"]
    return {
        "alliance_merchants": Row.ratio(_known(members, there), _known(open_merchants(sums), there)),
        "alliance_reach": Row.ratio(_known(reached, there), _known(people, there), PEOPLE if any_ else None),
    }


def _reachable(sums: tallies.Sums, reachable: Reachable) -> Floats:
    if reachable == "customers":
        return sums["customers.existing"] + sums["customers.targets"]
    return _known(sums[f"places.{reachable}"], sums[f"places.{reachable}_known"])


def _known(amounts: Floats, known: Floats) -> Floats:
    return np.where(known > 0, amounts, np.nan)


def _visits(sums: tallies.Sums) -> dict[str, Row]:
    states = {name: sums[f"merchants.visits_{name}"] + sums[f"customers.visits_{name}"] for name in STATES}
    every = sum(states.values(), np.zeros(1))
    return {
        "visit_coverage": Row.ratio(states["on_track"] + states["due"], every, TARGETS),
        **{f"visit_{name}": Row.ratio(count, every, TARGETS) for name, count in states.items()},
    }


def _workload(found: Placed, sums: tallies.Sums, capacity_h: Capacity) -> Row:
    """Return the hours beside what each zone's pair can work; nobody works what is unzoned."""
    hours, ids = hours_of(sums), found.plan.ids
    if isinstance(capacity_h, Mapping):
        own = [capacity_h.get(zone_id, CAPACITY_H) for zone_id in ids]
    else:
        own = [capacity_h] * len(ids)
    return Row(hours, hours, np.array([*own, np.nan, sum(own)]), TARGETS)


def hours_of(sums: tallies.Sums) -> Floats:
    """Return the hours of work a quarter, per row."""
    hours: Floats = (sums["merchants.hours"] + sums["customers.hours"]) / tallies.PARTS
    return hours


def _balance_of(found: Placed, sums: tallies.Sums) -> Row:
    """Return each zone's workload beside the mean zone's; of the total how even they are."""
    n = len(found.plan)
    hours, mean = hours_of(sums), np.full(n + 2, np.nan)
    if n:
        mean[:n] = hours[:n].mean()
    row = Row.ratio(hours, mean, TARGETS)
    balance = balance_of(hours[:n])["balance"].value
    value = np.array([*row.value[: n + 1], np.nan if balance is None else balance])
    numerator = np.array([*hours[:n], np.nan, np.nan])
    return Row(value, numerator, mean, TARGETS)


def balance_of(workload_h: Floats) -> dict[str, Figure]:
    """Return how even the workload of zones is: `balance`, and the `largest_deviation` from the mean."""
    mean = float(workload_h.mean()) if len(workload_h) else 0.0
    if mean <= 0.0:
        return {"balance": Figure(None, None, None), "largest_deviation": Figure(None, None, None)}
    off = np.abs(workload_h - mean)
    return {
        "balance": Figure(1.0 - float(off.mean()) / mean, float(off.mean()), mean),
        "largest_deviation": Figure.ratio(float(off.max()), mean),
    }


def _polsby_popper(found: Placed) -> Row:
    area, perimeter = found.ground.area_m2, found.ground.perimeter_m
    share = np.divide(4.0 * np.pi * area, perimeter**2, out=np.full(len(area), np.nan), where=perimeter > 0)
    return Row.plain(np.array([*share, np.nan, np.nan]))


def _areas_km2(found: Placed) -> Floats:
    ground = found.ground
    unzoned = max(0.0, ground.scope_m2 - ground.zoned_m2)
    return np.array([*ground.area_m2, unzoned, ground.scope_m2]) / 1e6


def _void_gap(found: Placed, sums: tallies.Sums, others: Reference | None) -> Row:
    """Return of how many categories of its reference each row has none, or fewer per household."""
    households = _known(sums["places.households"], sums["places.households_known"])
    here = sums["merchants.categories"]
    inner = gaps.lacking(here[:-1], households[:-1], found.circle)
    whole = gaps.lacking(here[-1:], households[-1:], others or gaps.NOTHING)
    lacking, there = (np.concatenate(pair) for pair in zip(inner, whole, strict=True))
    return Row.ratio(lacking, there)


def hidden_rows(asker: Asker, branch_id: int, sums: tallies.Sums) -> dict[str, Bools]:
    """Return, by what figures rest on, which rows are hidden from the asker."""
    mask, no_money = asker.masked(branch_id), not asker.may(Right.DEPOSITS, branch_id)
    hidden: dict[str, Bools] = {}
    for name, bases in _BASES.items():
        base = np.sum([sums[f"customers.{each}"] for each in bases], axis=0)
        people = hidden.get(PEOPLE, np.zeros(len(base), dtype=np.bool_))
        hidden[name] = _few(base, people) if mask or (name == DEPOSITS and no_money) else people
    return hidden


def _few(base: Floats, already: Bools) -> Bools:
    """Return which rows to hide: of those that make the total up, and the total if it is few itself."""
    rows = too_few(base[:-1], already[:-1])
    return np.append(rows, 0 < base[-1] < FEWEST)


def _share(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share
