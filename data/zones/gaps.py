"""
Void and gap: which trades are absent, or fewer than they should be, by category and 1,000 households.

A zone is held against the plan's circle, and the whole against what the bank's other branches know within
twice its radius. Where either has no household, nothing can be said.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from data import tables
from data.catalogue import OTHER_CATEGORY
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones import intervals, tallies
from data.zones.placed import Reference, placed
from geo.catchment import destination, distances_m
from geo.plans import Frame, Plan
from geo.visits import day_number

Floats = NDArray[np.float64]

NOTHING = Reference(np.zeros(tallies.HIGHEST_CATEGORY + 1), float("nan"))
VOID, FEWER, ENOUGH = "void", "fewer", "enough"
STATES = (VOID, FEWER, ENOUGH)
OTHERS_REACH = 2.0  # times the radius: how far round the branch what others know counts


def lacking(categories: Floats, households: Floats, reference: Reference) -> tuple[Floats, Floats]:
    """
    Return how many categories each place lacks beside its reference, and how many that one has.

    Parameters
    ----------
    categories
        Merchants by category's id, a row a place.
    households
        Of each place.
    reference
        What they are held against.

    Returns
    -------
    lacking, there
        NaN where households are unknown, or none.
    """
    there = np.flatnonzero(_there(reference))
    # Fewer per household, by products of whole numbers: quotients are rounded.
    fewer = categories[:, there] * reference.households < reference.categories[there] * households[:, None]
    known = (households > 0) & (reference.households > 0)
    return np.where(known, fewer.sum(axis=1), np.nan), np.where(known, float(len(there)), np.nan)


def void_and_gap(
    snapshot: Snapshot,
    asker: Asker,
    plan: Plan,
    key: Hashable = None,
    *,
    zone_id: int | None = None,
    others: Reference | None = None,
) -> pd.DataFrame:
    """
    Return, by category, what a zone has beside its reference, what most is missing of first.

    Parameters
    ----------
    snapshot, asker, plan, key
        As in `data.zones.coverage.report`.
    zone_id
        Which; None for the whole scope.
    others
        What the whole is held against: `others_know`.

    Returns
    -------
    gaps
        A row a category of the reference: `category` (id); `merchants`, `per_1000` (households); the same of
        the reference, `reference_merchants`, `reference_per_1000`; `state`, one of `STATES`; `missing`, how
        many merchants more would make it as many. Empty where households are unknown.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    found = placed(snapshot, plan, key, today=day_number(intervals.today()))
    counts, homes = found.sums["merchants.categories"], found.sums["places.households"]
    if zone_id is None:
        reference, here, households = others or NOTHING, counts[:-1].sum(axis=0), float(homes[:-1].sum())
    else:
        at = plan.ids.index(plan.zone(zone_id).id)
        reference, here, households = found.circle, counts[at], float(homes[at])
    return table(here, households, reference)


def table(here: Floats, households: float, reference: Reference) -> pd.DataFrame:
    """Return what a place has by category beside a reference: see `void_and_gap`."""
    known = households > 0 and reference.households > 0
    ids = np.flatnonzero(_there(reference)) if known else np.empty(0, dtype=np.intp)
    own, theirs = here[ids], reference.categories[ids]
    expected = theirs * households / reference.households
    few = own * reference.households < theirs * households
    frame = pd.DataFrame(
        {
            "category": ids.astype(np.int64),
            "merchants": own.astype(np.int64),
            "per_1000": own / households * 1000.0,
            "reference_merchants": theirs.astype(np.int64),
            "reference_per_1000": theirs / reference.households * 1000.0,
            "state": np.where(own == 0, VOID, np.where(few, FEWER, ENOUGH)),
            "missing": np.maximum(expected - own, 0.0),
        }
    )
    return frame.sort_values(["missing", "category"], ascending=[False, True]).reset_index(drop=True)


def largest(snapshot: Snapshot, asker: Asker, plan: Plan, key: Hashable = None) -> pd.DataFrame:
    """
    Return the category each zone misses most of, beside the circle, by zone.

    Returns
    -------
    largest
        Indexed by zone: `category` (id), `merchants`, `missing`, `households`, `reference_per_1000`. Zones
        that miss nothing, or have no households, are left out.
    """
    asker.require(Right.READ_PLANS, snapshot.branch_id)
    found = placed(snapshot, plan, key, today=day_number(intervals.today()))
    reference, n = found.circle, len(plan)
    own, homes = found.sums["merchants.categories"][:n], found.sums["places.households"][:n]
    per_home = np.where(_there(reference), reference.categories, 0.0) / (reference.households or np.nan)
    missing = np.nan_to_num(per_home * homes[:, None] - own)
    worst = missing.argmax(axis=1) if n else np.empty(0, dtype=np.intp)
    at = np.arange(n)
    frame = pd.DataFrame(
        {
            "category": worst.astype(np.int64),
            "merchants": own[at, worst].astype(np.int64),
            "missing": missing[at, worst],
            "households": homes,
            "reference_per_1000": per_home[worst] * 1000.0,
        },
        index=pd.Index(plan.ids, name="zone_id", dtype=np.int64),
    )
    return frame[frame["missing"] > 0.0]


def others_know(session: Session, asker: Asker, branch_id: int, frame: Frame) -> Reference:
    """
    Return the merchants and households the bank's other branches know within twice a plan's radius.

    Counts alone, so that whoever reads one branch's plans may be told; no merchant is named.
    """
    asker.require(Right.READ_PLANS, branch_id)
    reach_m = OTHERS_REACH * frame.radius_m
    merchants = _around(session, tables.merchants, branch_id, frame, reach_m, "category_id", "status")
    open_ = merchants.loc[merchants["status"] != "closed", "category_id"].to_numpy(dtype=np.int64)
    places = _around(session, tables.places, branch_id, frame, reach_m, "households")
    households = pd.to_numeric(places["households"]).dropna()
    return Reference(
        np.bincount(open_, minlength=tallies.HIGHEST_CATEGORY + 1).astype(np.float64),
        float(households.sum()) if len(households) else float("nan"),
    )


def _around(
    session: Session, table: Table, branch_id: int, frame: Frame, reach_m: float, *names: str
) -> pd.DataFrame:
    """Return rows of other branches within a distance: the database narrows by a box."""
    fields = [table.c[name] for name in ("lon", "lat", *names)]
    if reach_m <= 0.0:
        return pd.DataFrame(columns=[field.name for field in fields])
    (east, _), (_, north) = (destination(frame.lon, frame.lat, azimuth, reach_m) for azimuth in (90, 0))
    wide, high = 1.01 * (east - frame.lon), 1.01 * (north - frame.lat)
    query = select(*fields).where(
        table.c.branch_id != branch_id,
        table.c.lon.between(frame.lon - wide, frame.lon + wide),
        table.c.lat.between(frame.lat - high, frame.lat + high),
    )
    found = pd.DataFrame(session.execute(query).all(), columns=[field.name for field in fields])
    apart_m = distances_m(frame.lon, frame.lat, found["lon"].to_numpy(float), found["lat"].to_numpy(float))
    return found[apart_m <= reach_m]


def _there(reference: Reference) -> NDArray[np.bool_]:
    """Return which categories the reference has; what is in none of them is no trade to miss."""
    there: NDArray[np.bool_] = reference.categories > 0
    there[OTHER_CATEGORY] = False
    return there
