"""
Coverage per zone: every figure of the zones of a plan, of what lies in none of them, and of the whole.

The rows are the zones and "unzoned", what lies inside the plan's circle and in no zone; the total is the
circle united with the zones, and counts of rows add up to it. What is set aside counts nowhere. See metrics
in the README for what each figure means. In figures of density and of rivals "customers" are existing and
target ones, a target group counting its size.

Masked figures. Whoever may not see customers gets no figure that rests on fewer than `FEWEST` of them; as the
total is shown, further rows are hidden until what is hidden could not be worked out from the others.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.figures import FEWEST, MASKED, TOP_CHANNELS, TOP_TAGS, too_few
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones import intervals, tallies
from data.zones.placed import Placed, Products, placed
from data.zones.work import CAPACITY_H
from geo.coverage import CROSS_HOLDING, Figure, Preference
from geo.errors import N_, DataError
from geo.plans import MEASURES, Plan
from geo.visits import STATES, day_number

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Capacity = float | Mapping[int, float]
Reachable = Literal["customers", "adults", "households", "employees"]
REACHABLES: tuple[Reachable, ...] = get_args(Reachable)

# What a figure rests on: nothing that is hidden, or so many of these.
_PEOPLE, _EXISTING, _MATCHED, _TARGETS, _DEPOSITS = "people", "existing", "matched", "targets", "deposits"
_PARTS = ("value", "numerator", "denominator")
UNZONED, TOTAL = "unzoned", "total"


@dataclass(frozen=True, eq=False)
class _Likes:
    """What customers like, by row."""

    words: list[str]
    counts: Floats  # row, word
    customers: Floats
    hidden: Bools
    fewest: int

    def commonest(self, at: int, top: int) -> tuple[Preference, ...]:
        """Return a row's commonest words, by name where two are equally common: the words are in order."""
        counts = self.counts[at]
        best = [] if self.hidden[at] else np.argsort(-counts, kind="stable")[:top].tolist()
        return tuple(
            Preference(self.words[word], Figure.ratio(counts[word], self.customers[at]))
            for word in best
            if counts[word] >= self.fewest
        )


@dataclass(frozen=True, eq=False)
class Report:
    """
    The coverage of a plan.

    Parameters
    ----------
    plan
        Whose zones.
    zones
        Indexed by `zone_id`, a column per figure and part: `zones["customer_coverage"]` has `value`,
        `numerator`, `denominator`. NaN where unknown, or hidden.
    unzoned, total
        Figures by name.
    hidden
        Indexed by zone, a column a figure: whether it is hidden from who asked.
    masked
        By zone: whether it has too few customers to be shown.
    balance
        Of the plan: `balance`, 1 - mean absolute deviation of workload / mean; `largest_deviation` of it.
    ground
        Of the plan: `area_km2`, `unzoned_share`, `overlap_share` of the scope.
    reachable
        What customers covered are a share of.
    """

    plan: Plan
    zones: pd.DataFrame
    unzoned: dict[str, Figure]
    total: dict[str, Figure]
    hidden: pd.DataFrame = field(repr=False)
    masked: pd.Series
    balance: dict[str, Figure]
    ground: dict[str, Figure]
    reachable: Reachable
    _likes: dict[str, _Likes] = field(repr=False)

    def preferences(self, row: int | str) -> tuple[tuple[Preference, ...], tuple[Preference, ...]]:
        """Return the commonest tags and channels of a zone, of `UNZONED` or of the `TOTAL`."""
        at = {UNZONED: len(self.plan), TOTAL: len(self.plan) + 1}.get(str(row), -1)
        at = self.plan.ids.index(int(row)) if at < 0 else at
        return self._likes["tags"].commonest(at, TOP_TAGS), self._likes["channels"].commonest(
            at, TOP_CHANNELS
        )

    def zone(self, zone_id: int) -> dict[str, Figure]:
        """Return a zone's figures by name."""
        row, hidden = self.zones.loc[zone_id].to_numpy(), self.hidden.loc[zone_id].to_numpy()
        return {
            name: MASKED if hide else _figure(*row[3 * at : 3 * at + 3])
            for at, (name, hide) in enumerate(zip(self.hidden.columns, hidden, strict=True))
        }


@dataclass(frozen=True, eq=False)
class _Row:
    """A figure of all rows: the zones, unzoned, the total."""

    value: Floats
    numerator: Floats
    denominator: Floats
    rests_on: str | None = None

    @classmethod
    def ratio(cls, numerator: Floats, denominator: Floats, rests_on: str | None = None) -> _Row:
        return cls(_share(numerator, denominator), numerator, denominator, rests_on)

    @classmethod
    def plain(cls, value: Floats, rests_on: str | None = None) -> _Row:
        return cls(value, value, np.full(len(value), np.nan), rests_on)


def report(
    snapshot: Snapshot,
    asker: Asker,
    plan: Plan,
    key: Hashable = None,
    *,
    reachable: Reachable = "customers",
    products: Products | None = None,
    capacity_h: Capacity = CAPACITY_H,
    today: date | None = None,
) -> Report:
    """
    Return what of each zone is covered.

    Parameters
    ----------
    snapshot, asker
        Of the branch, and who may read its plans.
    plan
        Whose zones.
    key
        The plan's id: the last few plans placed are kept, and one that changed costs what changed.
    reachable
        What existing customers are a share of: existing and target customers, or the adults, households or
        employees of the places inside.
    products
        By kind of zone the ids of the products its playbook offers.
    capacity_h
        What a zone's pair can work in a quarter: of every zone, or by zone, the usual where none is given.
    today
        The day visits are looked at; by default the present one.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    if reachable not in REACHABLES:
        raise DataError(
            N_("Customers can be a share of {known}, not of {reachable}."),
            known=", ".join(REACHABLES),
            reachable=reachable,
        )
    found = placed(snapshot, plan, key, today=_day(today), products=products)
    sums = {name: _with_total(amounts) for name, amounts in found.sums.items()}
    rows = _figures(found, sums, reachable, capacity_h)
    hidden = _hidden(snapshot, asker, sums)
    return _report(snapshot, asker, found, sums, rows, hidden, reachable)


def loads(
    snapshot: Snapshot, plan: Plan, key: Hashable = None, *, asker: Asker | None = None
) -> pd.DataFrame:
    """
    Return what each zone holds of what zones are held to, by `zone_id` a column a measure.

    Parameters
    ----------
    snapshot, plan, key
        As in `report`.
    asker
        Who is shown them: NaN where few customers make a number up that the asker may not see. Without, as
        they are, for a rule to work with.
    """
    found = placed(snapshot, plan, key, today=_day(None))
    sums, n = found.sums, len(plan)
    people = sums["customers.existing"] + sums["customers.targets"]
    columns = {
        "merchants": _open(sums),
        "customers": people,
        "households": sums["places.households"],
        "deposits": sums["customers.deposits"] / tallies.CENTS,
        "hours": (sums["merchants.hours"] + sums["customers.hours"]) / tallies.PARTS,
    }
    if asker is not None:
        asker.require(Right.READ_PLANS, snapshot.branch_id)
        hidden = _hidden(snapshot, asker, {name: _with_total(amounts) for name, amounts in sums.items()})
        for name, rests_on in (("customers", _PEOPLE), ("deposits", _DEPOSITS), ("hours", _TARGETS)):
            columns[name] = np.where(hidden[rests_on][:-1], np.nan, columns[name][: n + 1])
    table = {name: columns[name][:n] for name in MEASURES}
    return pd.DataFrame(table, index=pd.Index(plan.ids, name="zone_id", dtype=np.int64))


def _day(today: date | None) -> int:
    return day_number(today or intervals.today())


# --- figures ------------------------------------------------------------------------------------------------


def _with_total(amounts: Floats) -> Floats:
    """Return amounts of the zones and of what is in none, with their sum in place of what lies outside."""
    inside = amounts[:-1]
    return np.concatenate([inside, inside.sum(axis=0, keepdims=True)])


def _open(sums: tallies.Sums) -> Floats:
    return sums["merchants.known"] + sums["merchants.contacted"] + sums["merchants.signed"]


def _figures(
    found: Placed, sums: tallies.Sums, reachable: Reachable, capacity_h: Capacity
) -> dict[str, _Row]:
    """Return the figures of all rows, by the names in metrics."""
    n = len(found.plan)
    area_km2 = _areas_km2(found)
    existing, targets = sums["customers.existing"], sums["customers.targets"]
    merchants = _open(sums)
    known = sums["customers.deposits_known"]
    deposits = np.where(known > 0, sums["customers.deposits"] / tallies.CENTS, np.nan)
    matched = sums["customers.matched"]
    match = sums["customers.match"] / tallies.PARTS
    nearer = np.where(sums["outlets.rivals"][-1] > 0, sums["customers.nearer"], 0.0)
    none = np.full(n + 2, np.nan)
    return {
        "customers": _Row.plain(existing, _PEOPLE),
        "customer_coverage": _Row.ratio(existing, _reachable(sums, reachable), _PEOPLE),
        "merchants": _Row.plain(merchants),
        "merchant_coverage": _Row.ratio(sums["merchants.signed"], merchants),
        **_visits(sums),
        **{
            f"products_{least}": _Row.ratio(sums[f"customers.holding_{least}"], existing, _EXISTING)
            for least in CROSS_HOLDING
        },
        "products_mean": _Row.ratio(sums["customers.products"], existing, _EXISTING),
        "product_match": _Row.ratio(match, matched, _MATCHED),
        "alliance_merchants": _Row(none, none, none),
        "alliance_reach": _Row(none, none, none),
        "rivals": _Row.plain(sums["outlets.rivals"]),
        "rival_nearer": _Row.ratio(nearer, existing + targets, _PEOPLE),
        "deposits": _Row(deposits, deposits, known, _DEPOSITS),
        "households": _Row.plain(_known(sums["places.households"], sums["places.households_known"])),
        "customers_km2": _Row.ratio(existing + targets, area_km2, _PEOPLE),
        "merchants_km2": _Row.ratio(merchants, area_km2),
        "deposits_km2": _Row.ratio(deposits, area_km2, _DEPOSITS),
        "void_gap": _void_gap(found, sums),
        "workload_h": _workload(found, sums, capacity_h),
        "balance": _balance_of(found, sums),
        "polsby_popper": _polsby_popper(found),
        "pieces": _Row.plain(np.array([*found.ground.pieces, np.nan, np.nan], dtype=np.float64)),
        "area_km2": _Row.plain(area_km2),
    }


def _reachable(sums: tallies.Sums, reachable: Reachable) -> Floats:
    if reachable == "customers":
        return sums["customers.existing"] + sums["customers.targets"]
    return _known(sums[f"places.{reachable}"], sums[f"places.{reachable}_known"])


def _known(amounts: Floats, known: Floats) -> Floats:
    return np.where(known > 0, amounts, np.nan)


def _visits(sums: tallies.Sums) -> dict[str, _Row]:
    states = {name: sums[f"merchants.visits_{name}"] + sums[f"customers.visits_{name}"] for name in STATES}
    every = sum(states.values(), np.zeros(1))
    return {
        "visit_coverage": _Row.ratio(states["on_track"] + states["due"], every, _TARGETS),
        **{f"visit_{name}": _Row.ratio(count, every, _TARGETS) for name, count in states.items()},
    }


def _workload(found: Placed, sums: tallies.Sums, capacity_h: Capacity) -> _Row:
    """Return the hours beside what each zone's pair can work; nobody works what is unzoned."""
    hours, ids = _hours(sums), found.plan.ids
    if isinstance(capacity_h, Mapping):
        own = [capacity_h.get(zone_id, CAPACITY_H) for zone_id in ids]
    else:
        own = [capacity_h] * len(ids)
    return _Row(hours, hours, np.array([*own, np.nan, sum(own)]), _TARGETS)


def _hours(sums: tallies.Sums) -> Floats:
    hours: Floats = (sums["merchants.hours"] + sums["customers.hours"]) / tallies.PARTS
    return hours


def _balance_of(found: Placed, sums: tallies.Sums) -> _Row:
    """Return each zone's workload beside the mean zone's; of the total how even they are."""
    n = len(found.plan)
    hours, mean = _hours(sums), np.full(n + 2, np.nan)
    if n:
        mean[:n] = hours[:n].mean()
    row = _Row.ratio(hours, mean, _TARGETS)
    balance = balance_of(hours[:n])["balance"].value
    value = np.array([*row.value[: n + 1], np.nan if balance is None else balance])
    numerator = np.array([*hours[:n], np.nan, np.nan])
    return _Row(value, numerator, mean, _TARGETS)


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


def _polsby_popper(found: Placed) -> _Row:
    area, perimeter = found.ground.area_m2, found.ground.perimeter_m
    share = np.divide(4.0 * np.pi * area, perimeter**2, out=np.full(len(area), np.nan), where=perimeter > 0)
    return _Row.plain(np.array([*share, np.nan, np.nan]))


def _areas_km2(found: Placed) -> Floats:
    ground = found.ground
    unzoned = max(0.0, ground.scope_m2 - ground.zoned_m2)
    return np.array([*ground.area_m2, unzoned, ground.scope_m2]) / 1e6


def _void_gap(found: Placed, sums: tallies.Sums) -> _Row:
    """Return of how many categories of the circle a row has none, or fewer per household."""
    n = len(found.plan)
    lacking, there = lacking_in(
        sums["merchants.categories"], _known(sums["places.households"], sums["places.households_known"])
    )
    lacking[n + 1] = there[n + 1] = np.nan  # the total is what the others are held against
    return _Row.ratio(lacking, there)


def lacking_in(categories: Floats, households: Floats) -> tuple[Floats, Floats]:
    """
    Return how many categories each row lacks beside the last, per household, and how many that one has.

    Parameters
    ----------
    categories
        Merchants by category, a row a place; the last is the reference.
    households
        Of each row; NaN where unknown, and so is the answer.
    """
    there = categories[-1] > 0
    # Fewer per household than the reference, by products of whole numbers: quotients are rounded.
    fewer = categories[:, there] * households[-1] < categories[-1, there] * households[:, None]
    known = (households > 0) & (households[-1] > 0)
    lacking = np.where(known, fewer.sum(axis=1), np.nan)
    return lacking, np.where(known, float(there.sum()), np.nan)


# --- masks --------------------------------------------------------------------------------------------------


def _hidden(snapshot: Snapshot, asker: Asker, sums: tallies.Sums) -> dict[str, Bools]:
    """Return, by what figures rest on, which rows are hidden from the asker."""
    branch_id = snapshot.branch_id
    mask, no_money = asker.masked(branch_id), not asker.may(Right.DEPOSITS, branch_id)
    people = sums["customers.existing"] + sums["customers.targets"]
    hidden = {_PEOPLE: _few(people) if mask else np.zeros(len(people), dtype=np.bool_)}
    for name, base in (
        (_EXISTING, "existing"),
        (_MATCHED, "matched"),
        (_TARGETS, "target_rows"),
        (_DEPOSITS, "deposits_known"),
    ):
        hides = mask or (name == _DEPOSITS and no_money)
        hidden[name] = _few(sums[f"customers.{base}"], hidden[_PEOPLE]) if hides else hidden[_PEOPLE]
    return hidden


def _few(base: Floats, already: Bools | None = None) -> Bools:
    """Return which rows to hide: of those that make the total up, and the total if it is few itself."""
    rows = too_few(base[:-1], None if already is None else already[:-1])
    return np.append(rows, 0 < base[-1] < FEWEST)


# --- putting together ---------------------------------------------------------------------------------------


def _report(
    snapshot: Snapshot,
    asker: Asker,
    found: Placed,
    sums: tallies.Sums,
    rows: dict[str, _Row],
    hidden: dict[str, Bools],
    reachable: Reachable,
) -> Report:
    plan, n = found.plan, len(found.plan)
    ids = pd.Index(plan.ids, name="zone_id", dtype=np.int64)
    hides = np.column_stack([_hides(row, hidden, n + 2) for row in rows.values()])
    parts = np.stack([[row.value, row.numerator, row.denominator] for row in rows.values()])
    parts = np.where(hides.T[:, None, :], np.nan, parts)  # figure, part, row
    columns = pd.MultiIndex.from_product([list(rows), _PARTS], names=["figure", "part"])
    table = pd.DataFrame(parts.reshape(-1, n + 2).T[:n], index=ids, columns=columns)
    whole = {
        at: {
            name: MASKED if hides[at, number] else _figure(*parts[number, :, at])
            for number, name in enumerate(rows)
        }
        for at in (n, n + 1)
    }
    mask = asker.masked(snapshot.branch_id)
    shown = ~hides[:n, list(rows).index("workload_h")]
    return Report(
        plan=plan,
        zones=table,
        unzoned=whole[n],
        total=whole[n + 1],
        hidden=pd.DataFrame(hides[:n], index=ids, columns=list(rows)),
        masked=pd.Series(hidden[_PEOPLE][:n], index=ids, name="masked"),
        balance=balance_of(_hours(sums)[:n]) if shown.all() else dict.fromkeys(_BALANCE, MASKED),
        ground=_ground(found),
        reachable=reachable,
        _likes={
            name: _Likes(
                tallies.words(snapshot, name).words,
                sums[f"customers.{name}"],
                sums["customers.rows"],
                hidden[_PEOPLE],
                FEWEST if mask else 1,
            )
            for name in ("tags", "channels")
        },
    )


_BALANCE = ("balance", "largest_deviation")


def _hides(row: _Row, hidden: dict[str, Bools], length: int) -> Bools:
    return np.zeros(length, dtype=np.bool_) if row.rests_on is None else hidden[row.rests_on]


def _ground(found: Placed) -> dict[str, Figure]:
    ground = found.ground
    twice = max(0.0, float(ground.area_m2.sum()) - ground.zoned_m2)
    unzoned = max(0.0, ground.scope_m2 - ground.zoned_m2)
    return {
        "area_km2": Figure.plain(ground.scope_m2 / 1e6),
        "unzoned_share": Figure.ratio(unzoned / 1e6, ground.scope_m2 / 1e6),
        "overlap_share": Figure.ratio(twice / 1e6, ground.scope_m2 / 1e6),
    }


def _figure(value: float, numerator: float, denominator: float) -> Figure:
    return Figure(*(None if np.isnan(part) else float(part) for part in (value, numerator, denominator)))


def _share(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share
