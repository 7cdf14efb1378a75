"""
How zones did over time: the sums of the published plan's zones, kept with each data version.

The first version of a day keeps all zones, later ones of that day those that changed: a status set by hand
changes one zone of many. Sums are kept, not shares, so that figures are masked for who asks, and defined in
one place. They leave out what depends on neighbours (hours of work, rivals), but for the reach of alliances.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.alliances.matrix import matrix
from data.rights import Asker, Right
from data.snapshots import Layer, Snapshot
from data.tables import data_versions, plans
from data.zones import content, intervals, placed, reckoning, tallies
from data.zones.playbooks import kind_products
from geo import adding
from geo.errors import N_, DataError
from geo.plans import Plan
from geo.visits import STATES, day_number

_LAYERS = ("customers", "merchants")
KEPT: Final = (
    "customers.existing", "customers.targets", "customers.target_rows", "customers.matched",
    "customers.match", "customers.products", "customers.holding_2", "customers.holding_3",
    "customers.holding_5", "customers.deposits", "customers.deposits_known", "merchants.known",
    "merchants.contacted", "merchants.signed",
    *(f"{layer}.visits_{state}" for layer in _LAYERS for state in STATES),
    "merchants.allied", "merchants.ever_allied", "customers.in_reach",
)  # fmt: skip
FIGURES: Final = (
    "customers", "customer_coverage", "merchants", "merchant_coverage", "visit_coverage", "products_2",
    "products_3", "products_5", "products_mean", "product_match", "deposits", "alliance_merchants",
    "alliance_reach",
)  # fmt: skip
_KEPT_ONCE: Final = KEPT[:-3]  # before there were alliances
_REACHED: Final = "customers.in_reach"
_UNKNOWN = float("nan")
UNZONED = 0  # in place of a zone's number
MOST_VERSIONS = 1000
Rows = dict[int, list[float]]  # what is kept of each zone, by number


@dataclass(frozen=True, eq=False)
class _Counted:
    """What a snapshot's zones added up to, for the next version to start from."""

    plan_id: int
    day: int
    sums: tallies.Sums
    snapshot_layers: dict[str, Layer]
    in_reach: NDArray[np.bool_]

    @property
    def nbytes(self) -> int:
        return sum(amounts.nbytes for amounts in self.sums.values())  # the flags are the snapshot's

    def rows(self, plan: Plan) -> Rows:
        """Return what is kept of each zone and of unzoned, by number."""
        columns = np.stack([np.rint(self.sums[name][:-1]) for name in KEPT], axis=1).astype(np.int64)
        return dict(zip([*plan.ids, UNZONED], columns.tolist(), strict=True))


def kept(session: Session, snapshot: Snapshot, before: Snapshot | None) -> dict[str, Any] | None:
    """
    Return what of the published plan's zones is kept with a data version; None without such a plan.

    Parameters
    ----------
    session
        The transaction that makes the version.
    snapshot
        As the version has it.
    before
        The version before it, if that is in memory and no other plan was published since.
    """
    row = session.execute(
        select(plans.c.id, plans.c.content).where(
            plans.c.branch_id == snapshot.branch_id, plans.c.status == "published"
        )
    ).one_or_none()
    if row is None:
        return None
    plan, day = content.plan_of(row.content), day_number(intervals.today())
    last: _Counted | None = before.worked.find("counted") if before is not None else None
    if last is not None and (last.plan_id, last.day) != (row.id, day):
        last = None
    masks = placed.masks(plan, kind_products(session))
    reached = tallies.in_reach(snapshot, day, matrix(session), before)
    sums = _sums(snapshot, plan, masks, day, last, reached)
    counted = _Counted(row.id, day, sums, _layers(snapshot), reached)
    snapshot.worked.put("counted", counted)
    rows = counted.rows(plan)
    if last is not None:
        old = last.rows(plan)
        rows = {zone: sums for zone, sums in rows.items() if sums != old[zone]}
    return {"plan": row.id, "names": KEPT, "all": last is None, "zones": rows}


def _layers(snapshot: Snapshot) -> dict[str, Layer]:
    return {layer: getattr(snapshot, layer) for layer in _LAYERS}


def _sums(
    snapshot: Snapshot,
    plan: Plan,
    masks: tallies.Masks,
    day: int,
    last: _Counted | None,
    reached: NDArray[np.bool_],
) -> tallies.Sums:
    """Return the sums of each layer, those of one that did not change as they were."""
    found: tallies.Sums = {}
    for name, rows in _layers(snapshot).items():
        if last is not None and _same(last.snapshot_layers[name], rows):
            found |= {key: sums for key, sums in last.sums.items() if key.startswith(f"{name}.")}
            if name == "customers":
                found[_REACHED] = found[_REACHED] + _reached_since(snapshot, plan, last.in_reach, reached)
            continue
        code = placed.codes(snapshot, rows, plan)
        found |= tallies.layer_sums(snapshot, name, code, len(plan) + 2, masks, day, own=True)
        if name == "customers":
            people = np.where(reached, snapshot.customers.people, 0)
            found[_REACHED] = adding.sums(code, people, len(plan) + 2)
    return found


def _reached_since(
    snapshot: Snapshot, plan: Plan, before: NDArray[np.bool_], now: NDArray[np.bool_]
) -> tallies.Floats:
    """Return by how many customers in reach of an alliance each zone has changed: only those are placed."""
    at = np.flatnonzero(before != now)
    if not len(at):
        return np.zeros(len(plan) + 2)
    change = np.where(now[at], 1, -1) * snapshot.customers.people[at]
    return adding.sums(placed.codes(snapshot, snapshot.customers, plan, at), change, len(plan) + 2)


def _same(one: Layer, other: Layer) -> bool:
    """Whether a layer's rows are the very arrays they were; which are set aside is read anew each time."""
    names = vars(one).keys() & vars(other).keys()
    alike = all(
        getattr(one, name) is getattr(other, name)
        for name in names
        if name in one.__dataclass_fields__ and name not in ("aside", "_curves", "curve")
    )
    return alike and np.array_equal(one.aside, other.aside)


def trend(session: Session, asker: Asker, branch_id: int, zone_id: int | None, figure: str) -> pd.DataFrame:
    """
    Return a figure of a zone in each data version kept under the published plan, or those it was copied from.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans.
    zone_id
        `UNZONED` for what lies in no zone, None for all.
    figure
        One of `FIGURES`.

    Returns
    -------
    trend
        The oldest first: number (of the version), at, cause, plan_id, value, numerator, denominator (NaN
        where unknown or hidden), hidden.
    """
    asker.require(Right.READ_PLANS, branch_id)
    if figure not in FIGURES:
        raise DataError(N_("There is no trend of {figure}."), figure=figure)
    lines = []
    for version, rows in _versions(session, branch_id):
        if zone_id is None or zone_id in rows:
            at = len(rows) if zone_id is None else [*rows].index(zone_id)
            lines.append((*astuple(version), *_told(asker, branch_id, rows, figure, at)))
    names = ["number", "at", "cause", "plan_id", "value", "numerator", "denominator", "hidden"]
    return pd.DataFrame(lines, columns=names)


def _told(asker: Asker, branch_id: int, rows: Rows, figure: str, at: int) -> tuple[float, float, float, bool]:
    """Return a figure of one of the rows; of all, the last, which follows them."""
    columns = np.array([*rows.values()], dtype=np.float64)
    columns = np.vstack([columns, columns.sum(axis=0)])
    sums = {name: columns[:, number] for number, name in enumerate(KEPT)}
    row = (reckoning.own_figures(sums) | reckoning.alliance_figures(sums))[figure]
    if row.rests_on is not None and reckoning.hidden_rows(asker, branch_id, sums)[row.rests_on][at]:
        return np.nan, np.nan, np.nan, True
    return float(row.value[at]), float(row.numerator[at]), float(row.denominator[at]), False


@dataclass(frozen=True)
class _Version:
    number: int
    at: Any
    cause: str
    plan_id: int


def _versions(session: Session, branch_id: int) -> list[tuple[_Version, Rows]]:
    """Return the versions kept under the plan published now, or one it goes back to, with all their zones."""
    line = _line_of_descent(session, branch_id)
    fields = [data_versions.c[name] for name in ("number", "at", "cause", "figures")]
    query = select(*fields).where(data_versions.c.branch_id == branch_id)
    newest = session.execute(query.order_by(data_versions.c.number.desc()).limit(MOST_VERSIONS)).all()
    found, rows, plan_id = [], {}, None
    for version in reversed(newest):
        told = version.figures.get("zones")
        if told is None or tuple(told["names"]) not in (KEPT, _KEPT_ONCE):
            plan_id = None
            continue
        unknown = [_UNKNOWN] * (len(KEPT) - len(told["names"]))
        own = {int(zone): [*sums, *unknown] for zone, sums in told["zones"].items()}
        if told["all"]:
            rows, plan_id = own, told["plan"]
        elif plan_id == told["plan"]:
            rows = rows | own
        else:
            continue  # what it adds to is further back than is read
        if plan_id in line:
            found.append((_Version(version.number, version.at, version.cause, plan_id), rows))
    return found


def _line_of_descent(session: Session, branch_id: int) -> set[int]:
    """Return the published plan, the one it is a copy of, and so on: numbers of zones go on in copies."""
    rows = session.execute(
        select(plans.c.id, plans.c.copy_of, plans.c.status).where(plans.c.branch_id == branch_id)
    ).all()
    copy_of = {row.id: row.copy_of for row in rows}
    plan_id = next((row.id for row in rows if row.status == "published"), None)
    line: set[int] = set()
    while plan_id is not None and plan_id not in line:
        line.add(plan_id)
        plan_id = copy_of.get(plan_id)
    return line
