"""Pairs for zones: proposed by capacity and nearness, and their work beside what they have hours for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import tables
from data.rights import Asker, Right
from data.zones.teams import INDOOR, OUTDOOR
from geo import crs, pairing
from geo.errors import N_, DataError
from geo.pairing import Colleague
from geo.plans import Change, Move, Plan, Zone


def homes(session: Session, asker: Asker, branch_id: int, plan: Plan) -> pd.DataFrame:
    """
    Return where each person works mostly: by `person_id`, lon and lat.

    That is the middle of the zones of the plan that are his or hers, else of the merchants and customers he
    or she manages. Who works nowhere yet is not there.
    """
    asker.require(Right.READ_PLANS, branch_id)
    found = _managed(session, branch_id)
    worked: dict[int, list[tuple[float, float]]] = {}
    for zone in plan.zones:
        for person in zone.pair:
            worked.setdefault(person, []).append((zone.shape.centroid.x, zone.shape.centroid.y))
    for person, points in worked.items():
        lon, lat = np.mean(points, axis=0)
        found[person] = (float(lon), float(lat))
    index = pd.Index(sorted(found), name="person_id", dtype=np.int64)
    return pd.DataFrame([found[person] for person in index], columns=["lon", "lat"], index=index, dtype=float)


def proposed_pairs(
    plan: Plan,
    staff: pd.DataFrame,
    workload_h: Mapping[int, float] | pd.Series,
    homes: pd.DataFrame | None = None,
    *,
    only_missing: bool = False,
) -> Change:
    """
    Return the change that gives each zone an indoor and an outdoor colleague, by capacity and nearness.

    Parameters
    ----------
    plan
        Whose locked zones keep whom they have.
    staff
        As `data.zones.teams.staff` has it; who has no post is left out.
    workload_h
        Hours of work a quarter, by zone.
    homes
        As `homes` has them; None: everybody is as near to every zone.
    only_missing
        Whether zones that have an indoor and an outdoor colleague keep them as well.

    Raises
    ------
    DataError
        When nobody works indoors, or nobody outdoors.
    """
    indoor, outdoor = (_colleagues(plan, staff, post, homes) for post in (INDOOR, OUTDOOR))
    post_of = dict(zip(staff["id"], staff["post"], strict=True))
    open_ = [zone for zone in plan.zones if not zone.locked and not (only_missing and is_pair(zone, post_of))]
    if open_ and not (indoor and outdoor):
        raise DataError(
            N_("A pair is one indoor and one outdoor colleague. Say first who works where, under People.")
        )
    hours = {zone.id: float(workload_h.get(zone.id, 0.0)) for zone in plan.zones}
    spent: dict[int, float] = {}
    for zone in plan.zones:
        for person in zone.pair if zone not in open_ else ():
            spent[person] = spent.get(person, 0.0) + hours[zone.id]
    x, y = _metric(plan, [zone.shape.centroid.x for zone in open_], [zone.shape.centroid.y for zone in open_])
    given = pairing.pairs(
        np.array([hours[zone.id] for zone in open_], dtype=np.float64), x, y, indoor, outdoor, spent
    )
    moves = [
        Move(zone, replace(zone, pair=pair))
        for zone, pair in zip(open_, given, strict=True)
        if set(zone.pair) != set(pair)
    ]
    return Change("paired", tuple(moves))


def is_pair(zone: Zone, post_of: Mapping[int, str | None]) -> bool:
    """Whether an indoor and an outdoor colleague work a zone."""
    return {post_of.get(person) for person in zone.pair} >= {INDOOR, OUTDOOR}


def work_of_people(
    plan: Plan, staff: pd.DataFrame, workload_h: Mapping[int, float] | pd.Series
) -> pd.DataFrame:
    """
    Return the hours each person's zones take beside those there are; two who go out together both spend them.

    Returns
    -------
    work
        Indexed as `staff` by id: name, post, zones, hours, capacity_h, load_share (NaN without capacity).
    """
    hours: dict[int, float] = {}
    zones: dict[int, int] = {}
    for zone in plan.zones:
        for person in zone.pair:
            hours[person] = hours.get(person, 0.0) + float(workload_h.get(zone.id, 0.0))
            zones[person] = zones.get(person, 0) + 1
    found = staff.set_index("id")[["name", "post", "capacity_h"]]
    found = found.assign(
        zones=[zones.get(person, 0) for person in found.index],
        hours=[hours.get(person, 0.0) for person in found.index],
    )
    capacity = found["capacity_h"].astype(float)
    return found.assign(load_share=found["hours"] / capacity.where(capacity > 0))


def work_of_zones(
    plan: Plan, staff: pd.DataFrame, workload_h: Mapping[int, float] | pd.Series
) -> pd.DataFrame:
    """
    Return each zone with its pair, its work, and the load of the busier of the two over all their zones.

    Returns
    -------
    work
        By zone_id: name, kind, locked, people (names), hours, load_share (NaN without a pair), and flag:
        "no_pair", "one_post" (two of one post, or one without), "too_much" (over their capacity), or "".
    """
    people = work_of_people(plan, staff, workload_h)
    post_of: dict[int, str | None] = dict(zip(staff["id"], staff["post"], strict=True))
    rows = []
    for zone in plan.zones:
        own = [person for person in zone.pair if person in people.index]
        share = float(people.loc[own, "load_share"].max()) if own else np.nan
        flag = "no_pair" if len(own) < 2 else "" if is_pair(zone, post_of) else "one_post"
        if not flag and share > 1:
            flag = "too_much"
        names = tuple(people.loc[own, "name"])
        rows.append(
            (zone.name, zone.kind, zone.locked, names, float(workload_h.get(zone.id, 0.0)), share, flag)
        )
    columns = ["name", "kind", "locked", "people", "hours", "load_share", "flag"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(plan.ids, name="zone_id", dtype=np.int64))


def _colleagues(plan: Plan, staff: pd.DataFrame, post: str, homes: pd.DataFrame | None) -> list[Colleague]:
    own = staff[staff["post"] == post]
    if homes is None:
        homes = pd.DataFrame({"lon": [], "lat": []}, dtype=float)
    at = homes.reindex(own["id"].astype("int64"))
    x, y = _metric(plan, at["lon"].to_list(), at["lat"].to_list())
    teams = [None if pd.isna(team) else int(team) for team in own["team"]]
    return [
        Colleague(int(person), float(hours), each_x, each_y, team)
        for person, hours, each_x, each_y, team in zip(
            own["id"], own["capacity_h"], x.tolist(), y.tolist(), teams, strict=True
        )
    ]


def _metric(plan: Plan, lon: list[float], lat: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return points in metres round the plan's branch; NaN where they are not known."""
    x, y = crs.to_metric(
        np.array(lon, dtype=np.float64),
        np.array(lat, dtype=np.float64),
        crs.local_metric(plan.frame.lon, plan.frame.lat),
    )
    return np.where(np.isfinite(x), x, np.nan), np.where(np.isfinite(y), y, np.nan)


def _managed(session: Session, branch_id: int) -> dict[int, tuple[float, float]]:
    """Return the middle of the merchants and customers that each person manages."""
    sums: dict[int, list[float]] = {}
    for table in (tables.merchants, tables.customers):
        query = (
            select(table.c.manager_id, func.count(), func.sum(table.c.lon), func.sum(table.c.lat))
            .where(table.c.branch_id == branch_id, table.c.manager_id.is_not(None))
            .group_by(table.c.manager_id)
        )
        for person, count, lon, lat in session.execute(query):
            own = sums.setdefault(person, [0.0, 0.0, 0.0])
            for at, value in enumerate((count, lon, lat)):
                own[at] += float(value)
    return {person: (lon / count, lat / count) for person, (count, lon, lat) in sums.items()}


class Pair(NamedTuple):
    """Two who go out together, and the hours a quarter they have for a zone of their own."""

    people: tuple[int, ...]
    hours: float


def pairs_of(plan: Plan, staff: pd.DataFrame) -> list[Pair]:
    """
    Return the pairs that zones can be made for: those the plan names, else colleagues put together.

    Parameters
    ----------
    plan
        Its unlocked zones name pairs; whoever works a locked zone is not put together with anybody anew.
    staff
        As `data.zones.teams.staff` has it.

    Returns
    -------
    pairs
        Of two, the hours of whoever has fewer, shared between the pairs he or she is in. Without named
        pairs an indoor and an outdoor colleague each, of one group where there are such.

    Raises
    ------
    DataError
        When there is nobody to put together.
    """
    hours = dict(zip(staff["id"], staff["capacity_h"].astype(float), strict=True))
    free = [
        tuple(person for person in zone.pair if person in hours) for zone in plan.zones if not zone.locked
    ]
    named = list(dict.fromkeys(tuple(sorted(pair)) for pair in free if len(pair) > 1))
    if not named:
        taken = {person for zone in plan.zones if zone.locked for person in zone.pair}
        named = _put_together(staff[~staff["id"].isin(taken)])
    times = Counter(person for pair in named for person in pair)
    found = [Pair(pair, min(hours[person] / times[person] for person in pair)) for pair in named]
    able = [pair for pair in found if pair.hours > 0.0]
    if not able:
        raise DataError(
            N_("A pair is one indoor and one outdoor colleague. Say first who works where, under People.")
        )
    return able


def _put_together(staff: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return an indoor and an outdoor colleague each, those of one group first."""
    found: list[tuple[int, ...]] = []
    left: dict[str, list[int]] = {INDOOR: [], OUTDOOR: []}
    groups = staff.assign(team=staff["team"].fillna(-1)).groupby("team", sort=True)
    for team, own in groups:
        by_post = {post: [int(each) for each in own.loc[own["post"] == post, "id"]] for post in left}
        count = min(map(len, by_post.values())) if team != -1 else 0
        found += zip(by_post[INDOOR][:count], by_post[OUTDOOR][:count], strict=True)
        for post, people in by_post.items():
            left[post] += people[count:]
    return found + list(zip(left[INDOOR], left[OUTDOOR], strict=False))


def hours_of_pairs(plan: Plan, staff: pd.DataFrame) -> dict[int, float]:
    """
    Return the hours a quarter that each zone's pair has for it: of the two who has fewer.

    Parameters
    ----------
    plan
        Who works several of its zones shares his or her hours between them, each as much.
    staff
        As `data.zones.teams.staff` has it.

    Returns
    -------
    hours
        By zone; a zone that nobody known works is not there.
    """
    capacity = dict(zip(staff["id"], staff["capacity_h"].astype(float), strict=True))
    zones = Counter(person for zone in plan.zones for person in zone.pair)
    found = {
        zone.id: [capacity[person] / zones[person] for person in zone.pair if person in capacity]
        for zone in plan.zones
    }
    return {zone_id: min(hours) for zone_id, hours in found.items() if hours}
