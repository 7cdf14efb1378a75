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

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.alliances.matrix import Matrix, shipped
from data.figures import FEWEST, MASKED, TOP_CHANNELS, TOP_TAGS
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones import intervals, reckoning, tallies
from data.zones.placed import Placed, Products, Reference, placed
from data.zones.reckoning import DEPOSITS, PEOPLE, REACHABLES, TARGETS, Capacity, Reachable, Row
from data.zones.work import CAPACITY_H
from geo.coverage import Figure, Preference
from geo.errors import N_, DataError
from geo.plans import MEASURES, Plan
from geo.visits import day_number

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
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
        tags, channels = (self._likes[name] for name in ("tags", "channels"))
        return tags.commonest(at, TOP_TAGS), channels.commonest(at, TOP_CHANNELS)

    def of(self, figure: str) -> pd.DataFrame:
        """Return a figure of the zones: `value`, `numerator`, `denominator`."""
        return pd.DataFrame(self.zones[figure])

    def zone(self, zone_id: int) -> dict[str, Figure]:
        """Return a zone's figures by name."""
        row, hidden = self.zones.loc[zone_id].to_numpy(), self.hidden.loc[zone_id].to_numpy()
        return {
            name: MASKED if hide else _figure(*row[3 * at : 3 * at + 3])
            for at, (name, hide) in enumerate(zip(self.hidden.columns, hidden, strict=True))
        }


def report(
    snapshot: Snapshot,
    asker: Asker,
    plan: Plan,
    key: Hashable = None,
    *,
    reachable: Reachable = "customers",
    products: Products | None = None,
    capacity_h: Capacity = CAPACITY_H,
    others: Reference | None = None,
    today: date | None = None,
    matrix: Matrix | None = None,
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
    others
        What the bank's other branches know round here, `data.zones.gaps.others_know`: the reference of the
        whole. That of a zone is the circle.
    today
        The day visits and alliances are looked at; by default the present one.
    matrix
        How far customers come to each category, `data.alliances.matrix.matrix`; as shipped without.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    if reachable not in REACHABLES:
        raise DataError(
            N_("Customers can be a share of {known}, not of {reachable}."),
            known=", ".join(REACHABLES),
            reachable=reachable,
        )
    day = day_number(today or intervals.today())
    found = placed(snapshot, plan, key, today=day, products=products or {}, matrix=matrix or shipped())
    sums = {name: reckoning.with_total(amounts) for name, amounts in found.sums.items()}
    rows = reckoning.figures(found, sums, reachable, capacity_h, others)
    hidden = reckoning.hidden_rows(asker, snapshot.branch_id, sums)
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
    found = placed(snapshot, plan, key, today=day_number(intervals.today()))
    sums, n = found.sums, len(plan)
    people = sums["customers.existing"] + sums["customers.targets"]
    columns = {
        "merchants": reckoning.open_merchants(sums),
        "customers": people,
        "households": sums["places.households"],
        "deposits": sums["customers.deposits"] / tallies.CENTS,
        "hours": (sums["merchants.hours"] + sums["customers.hours"]) / tallies.PARTS,
    }
    if asker is not None:
        asker.require(Right.READ_PLANS, snapshot.branch_id)
        hidden = reckoning.hidden_rows(
            asker, snapshot.branch_id, {name: reckoning.with_total(each) for name, each in sums.items()}
        )
        for name, rests_on in (("customers", PEOPLE), ("deposits", DEPOSITS), ("hours", TARGETS)):
            columns[name] = np.where(hidden[rests_on][:-1], np.nan, columns[name][: n + 1])
    table = {name: columns[name][:n] for name in MEASURES}
    return pd.DataFrame(table, index=pd.Index(plan.ids, name="zone_id", dtype=np.int64))


# --- putting together ---------------------------------------------------------------------------------------


def _report(
    snapshot: Snapshot,
    asker: Asker,
    found: Placed,
    sums: tallies.Sums,
    rows: dict[str, Row],
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
    return Report(
        plan=plan,
        zones=table,
        unzoned=whole[n],
        total=whole[n + 1],
        hidden=pd.DataFrame(hides[:n], index=ids, columns=list(rows)),
        masked=pd.Series(hidden[PEOPLE][:n], index=ids, name="masked"),
        balance=_balance(sums, n, shown=not hides[:n, list(rows).index("workload_h")].any()),
        ground=_ground(found),
        reachable=reachable,
        _likes={
            name: _Likes(
                tallies.words(snapshot, name).words,
                sums[f"customers.{name}"],
                sums["customers.rows"],
                hidden[PEOPLE],
                FEWEST if mask else 1,
            )
            for name in ("tags", "channels")
        },
    )


def _balance(sums: tallies.Sums, n: int, *, shown: bool) -> dict[str, Figure]:
    found = reckoning.balance_of(reckoning.hours_of(sums)[:n])
    return found if shown else dict.fromkeys(found, MASKED)


def _hides(row: Row, hidden: dict[str, Bools], length: int) -> Bools:
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
