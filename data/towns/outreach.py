"""
The demo branch at work: who goes out, the zones they work, and a draft of what might come next.

Zones are what a lead would draw in an afternoon: the streets of the town by nearness, about as many merchants
in each as a pair can look after, each park by itself, and named after their busiest street. Villages lie in
none.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely.geometry import Polygon, shape
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import people, tables
from data.catalogue import PLACE_KINDS
from data.catchments import catchment
from data.filters import CLOSED
from data.rights import Asker, Role
from data.snapshots import Snapshot, load
from data.towns import allied, invented
from data.zones import coverage, pairs, plans, teams, visit_lists
from data.zones.intervals import today
from geo import drawing
from geo.blocks import Blocks, cell_at, cells_of_circle, resolution_for, weights_of
from geo.comparing_plans import blocks_zones
from geo.plans import Frame, Measure, Plan, Zone

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
A_ZONE = 150  # merchants: the practice of rural banks
FEWEST_SHARE = 0.2  # of the mean zone's merchants: fewer make no zone
FEWEST, MOST = 6, 40
MOST_CELLS = 6_000
ROUNDS = 20
REACH = 0.95  # of the merchants lie in the circle that is zoned
OUTINGS = 5  # a month
SEEN = (0.15, 0.85)  # of a zone's merchants, from the most neglected zone to the best
LONGEST_AGO, RECENT = 240, 60  # days
MOST_VISITS = 20_000
_STREET = re.compile(r"^(\D+?[路街巷道线])")


def begin(session: Session, asker: Asker, branch_id: int) -> None:
    """
    Give a branch whose lists were brought in people, a published plan, visits, a draft, and alliances.

    Parameters
    ----------
    session, asker, branch_id
        Of the demo; the asker has all rights.
    """
    staff(session, asker, branch_id)
    held = load(session, branch_id)
    plan = zoned(session, held)
    if not len(plan):
        return
    name, draft = invented.PLANS
    plan = paired(session, asker, held, plan)
    plan_id = plans.new_plan(session, asker, branch_id, name=name, plan=plan)
    draft_id = plans.copy_plan(session, asker, plan_id, draft)
    plans.publish(session, asker, plan_id, 0)
    rethought(session, asker, draft_id)
    visited(session, asker, held, plan)
    allied.begin(session, asker, held, _streets(session, branch_id))


def staff(session: Session, asker: Asker, branch_id: int) -> None:
    """Add the colleagues, say who works outdoors and who indoors, and put them into groups."""
    for name in (*invented.POSTS["indoor"], *invented.POSTS["outdoor"]):
        if name not in invented.STAFF["member"]:
            people.add_person(session, asker, name=name, role=Role.MEMBER, branch_ids=[branch_id])
    known = people.people(session, asker, branch_id)
    ids = dict(zip(known["name"], known["id"], strict=True))
    posts = {int(ids[name]): (post, OUTINGS) for post, names in invented.POSTS.items() for name in names}
    teams.set_posts(session, asker, branch_id, posts)
    groups = teams.proposed_teams(teams.staff(session, asker, branch_id))
    large, small = invented.GROUPS
    teams.take_teams(session, asker, branch_id, groups, {}, large_name=large, name=small)


def paired(session: Session, asker: Asker, held: Snapshot, plan: Plan) -> Plan:
    """Return the plan with a pair a zone; the last one waits for its pair, and the page says so."""
    going, hours = teams.staff(session, asker, held.branch_id), coverage.loads(held, plan)["hours"]
    given = plan.after(pairs.proposed_pairs(plan, going, hours))
    return replace(given, zones=(*given.zones[:-1], replace(given.zones[-1], pair=())))


def visited(session: Session, asker: Asker, held: Snapshot, plan: Plan) -> None:
    """Bring in a list of visits to merchants: in some zones to most of them, in others to few."""
    random = np.random.default_rng(1)
    merchants, known = tables.merchants, people.people(session, asker, held.branch_id)
    numbers = dict(
        session.execute(
            select(merchants.c.id, merchants.c.source_id).where(merchants.c.branch_id == held.branch_id)
        ).all()
    )
    names = dict(zip(known["id"], known["name"], strict=True))
    shops = held.merchants
    zone = blocks_zones(plan, shops.lon, shops.lat)
    lines = ["商户编号,走访日期,走访人,走访结果,下一步,下次日期"]
    for each in plan.zones:
        inside = np.flatnonzero((zone == each.id) & (shops.status != CLOSED))
        seen = inside[random.random(inside.size) < random.uniform(*SEEN)] if each.pair else inside[:0]
        days = random.integers(1, LONGEST_AGO, seen.size)
        for row, ago in zip(seen, days.tolist(), strict=True):
            result, step, wait = invented.RESULTS[int(random.integers(len(invented.RESULTS)))]
            when = today() - timedelta(days=ago)
            again = today() + timedelta(days=wait) if step and ago < RECENT else ""
            who = names[each.pair[int(random.integers(len(each.pair)))]]
            lines.append(
                f"{numbers[int(shops.id[row])]},{when},{who},{result},{step if again else ''},{again}"
            )
    if len(lines) > 1:
        text = "\n".join(lines[: 1 + MOST_VISITS]).encode()
        visit_lists.import_visits(session, asker, text, branch_id=held.branch_id, name=invented.VISITS)


def rethought(session: Session, asker: Asker, plan_id: int) -> None:
    """Change a draft twice, so that it has a history: its largest zone in two, and a note."""
    held = plans.plan(session, asker, plan_id)
    largest = max(held.plan.zones, key=lambda zone: float(zone.shape.area))
    west, south, east, north = largest.shape.bounds
    middle = (west + east) / 2
    across = shapely.LineString([(middle, south - (north - south)), (middle, north + (north - south))])
    held = plans.change_plan(
        session, asker, plan_id, held.revision, drawing.split(held.plan, largest.id, across)
    )
    note = drawing.edited(held.plan, largest.id, note=invented.NOTE)
    plans.change_plan(session, asker, plan_id, held.revision, note)


# The zones --------------------------------------------------------------------------------------------------


def zoned(session: Session, held: Snapshot) -> Plan:
    """Return the ground round a branch in zones, each named after its busiest street."""
    ground = catchment(held)
    shops = held.merchants
    counted = (shops.status != CLOSED) & ~shops.aside
    radius_m = float(np.quantile(shops.distance_m[counted], REACH)) if counted.any() else 0.0
    inside = np.flatnonzero(counted & (shops.distance_m <= radius_m))
    if inside.size < FEWEST:
        return Plan(Frame(held.lon, held.lat, max(ground.radius_m, 1.0), resolution_for(1.0)))
    resolution = resolution_for(radius_m, MOST_CELLS)
    frame = Frame(held.lon, held.lat, ground.radius_m, resolution, (Measure("merchants", 0.3, A_ZONE),))
    cells = cells_of_circle(held.lon, held.lat, radius_m, resolution)
    at = cell_at(cells, shops.lon[inside], shops.lat[inside])
    zone, parks = divided(session, cells, at[at >= 0], held.branch_id)
    kinds = _kinds(held, cells, zone, weights_of(zone[at], int(zone.max()) + 1))
    streets = _streets(session, held.branch_id)
    used = Counter[str]()
    zones: list[Zone] = []
    for each in range(int(zone.max()) + 1):
        own = inside[zone[at] == each]
        if own.size < FEWEST_SHARE * inside.size / (zone.max() + 1) and each not in parks:
            continue  # villages, far from each other
        name = parks.get(each) or _street(streets, shops.id[own], used)
        kind = "park" if each in parks else kinds[each]
        zones.append(Zone(len(zones) + 1, name, _outline(cells, zone == each), kind=kind))
    return Plan(frame, tuple(zones))


def _outline(cells: Blocks, own: NDArray[np.bool_]) -> Polygon:
    """Return the outline of cells; of several pieces the largest."""
    outline = shape(h3.cells_to_h3shape(cells.ids[own]).__geo_interface__)
    return max(shapely.get_parts(outline), key=shapely.area)


def divided(session: Session, cells: Blocks, at: Ints, branch_id: int) -> tuple[Ints, dict[int, str]]:
    """
    Return the zone of each cell, from 0, and the names of the zones that are parks.

    Parameters
    ----------
    session, branch_id
        Where the parks are known.
    cells
        To be divided.
    at
        The cell of each merchant: zones lie round where crowds of them are.
    """
    points = np.column_stack([cells.x[at], cells.y[at]])
    count = int(np.clip(round(at.size / A_ZONE), FEWEST, MOST))
    middles = _middles(points, count)
    zone = np.hypot(cells.x[:, None] - middles[:, 0], cells.y[:, None] - middles[:, 1]).argmin(axis=1)
    places = tables.places
    parks = session.execute(
        select(places.c.name, places.c.shape).where(
            places.c.branch_id == branch_id, places.c.kind == "park", places.c.shape.is_not(None)
        )
    ).all()
    lat, lon = np.array([h3.cell_to_latlng(cell) for cell in cells.ids]).T
    named = {}
    for park in parks:
        inside = shapely.contains_xy(shapely.from_wkb(park.shape), lon, lat)
        if inside.any():
            zone[inside] = count
            named[count] = park.name
            count += 1
    kept, zone = np.unique(zone, return_inverse=True)
    return zone.astype(np.int64), {int(np.searchsorted(kept, at)): name for at, name in named.items()}


def _middles(points: Floats, count: int) -> Floats:
    """Return the middles of so many crowds: points drawn by chance, each moved to the mean of its own."""
    middles = np.random.default_rng(1).choice(points, count, replace=False)
    for _round in range(ROUNDS):
        nearest = KDTree(middles).query(points)[1]
        held = np.maximum(np.bincount(nearest, minlength=count), 1)
        sums = np.column_stack([np.bincount(nearest, points[:, axis], count) for axis in (0, 1)])
        there = np.bincount(nearest, minlength=count)[:, None] > 0
        middles = np.where(there, sums / held[:, None], middles)
    return middles


def _kinds(held: Snapshot, cells: Blocks, zone: Ints, merchants: NDArray[np.float64]) -> list[str]:
    """Return each zone's kind: where the seat of the county is, where people live, and streets."""
    places = held.places
    at = cell_at(cells, places.lon, places.lat)
    own = np.where(at >= 0, zone[at], -1)
    homes = weights_of(own, merchants.size, places.households)
    a_shop = homes / np.maximum(merchants, 1.0)
    kinds = ["community" if share > 1.5 * homes.sum() / merchants.sum() else "street" for share in a_shop]
    offices = (places.kind == PLACE_KINDS.index("institution")) & (own >= 0)
    if offices.any():
        largest = np.where(offices, np.nan_to_num(places.employees), -1.0).argmax()
        kinds[int(own[largest])] = "institution"
    return kinds


def _streets(session: Session, branch_id: int) -> dict[int, str]:
    """Return each merchant's street, by id."""
    merchants = tables.merchants
    rows = session.execute(
        select(merchants.c.id, merchants.c.address).where(merchants.c.branch_id == branch_id)
    )
    found = ((row.id, _STREET.match(row.address or "")) for row in rows)
    return {int(row_id): match.group(1) for row_id, match in found if match}


def _street(streets: dict[int, str], shops: Ints, used: Counter[str]) -> str:
    """Return a zone's name: its busiest street's that no other zone has."""
    busiest = Counter(streets[int(shop)] for shop in shops if int(shop) in streets)
    name = next((street for street, _count in busiest.most_common() if not used[street]), "")
    used[name] += 1
    return f"{name}片区" if name else f"片区{used['']}"
