"""Zones of a branch: what is weighed, who may design, and what is written."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import Point

from data.zones.designing import designed
from data.rights import Role
from data.snapshots import Snapshot
from geo import crs
from geo.errors import DataError, RightsError
from tests.test_data.conftest import CLI, Town


def test_every_merchant_that_is_open_lies_in_one_zone(town: Town) -> None:
    found = designed(town.snapshot(), CLI, 2, radius_m=2000.0)
    # M4 is closed; M1, M2, M3 lie within 200 m of each other and M5 apart.
    assert found.zones["weight"].sum() == 4.0
    assert found.zones["zone_id"].tolist() == [1, 2]
    assert found.zones.crs == crs.WGS84
    assert found.design.contiguous and found.design.within
    assert found.zones["weight"].tolist() == [2.0, 2.0]
    assert 0.0 < found.mean_polsby_popper <= 1.0


def test_zones_tile_the_catchment(sqlite_town: Town) -> None:
    found = designed(sqlite_town.snapshot(), CLI, 3, radius_m=2000.0, tolerance=1.0)
    shapes = found.zones.to_crs(crs.local_metric(114.3, 30.5)).geometry
    assert shapes.geom_type.tolist() == ["Polygon"] * 3
    whole = shapes.union_all()
    assert whole.area == pytest.approx(shapes.area.sum(), rel=1e-6)
    assert whole.buffer(1.0).contains(Point(0, 0).buffer(2000.0))


@pytest.mark.parametrize(
    ("weight", "whole"),
    [
        ("merchants", 4.0),
        ("customers", 54.0),  # four people and a school of 50
        ("households", 400.0),
        ("deposits", 60_000.0),  # C2's are unknown
    ],
)
def test_weights_are_what_their_names_say(sqlite_town: Town, weight: str, whole: float) -> None:
    found = designed(sqlite_town.snapshot(), CLI, 1, weight=weight, radius_m=2000.5)
    assert found.zones["weight"].sum() == whole


def test_hours_are_visits_due_and_the_walk_to_the_next(sqlite_town: Town) -> None:
    found = designed(sqlite_town.snapshot(), CLI, 1, weight="hours", radius_m=2000.5)
    # Half a visit a quarter: known M1 (100 m from M2), contacted M3 (100 m from both), the targets C3 (100 m
    # from M3) and C4 (1,000 m from M5). One: signed M2 (100 m) and M5 (600 m from C3).
    walks = 0.5 * 100 + 0.5 * 100 + 0.5 * 100 + 0.5 * 1000 + 100 + 600
    assert found.zones["weight"].sum() == pytest.approx(4 * 0.5 + walks / 4000, rel=1e-6)


def test_only_who_edits_plans_designs(sqlite_town: Town) -> None:
    held = sqlite_town.snapshot()
    for role in (Role.MEMBER, Role.ANALYST, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(RightsError):
            designed(held, sqlite_town.asker(role), 1, radius_m=2000.0)
    with pytest.raises(RightsError):
        designed(held, sqlite_town.asker(Role.LEAD, sqlite_town.other_id), 1, radius_m=2000.0)


def test_a_lead_does_not_learn_the_deposits_of_few(sqlite_town: Town) -> None:
    held = sqlite_town.snapshot()
    lead = designed(held, sqlite_town.asker(Role.LEAD), 1, weight="deposits", radius_m=2000.0)
    assert np.isnan(lead.zones["weight"]).all()
    head = designed(held, sqlite_town.asker(Role.HEAD), 1, weight="deposits", radius_m=2000.0)
    assert head.zones["weight"].tolist() == [60_000.0]


def test_nothing_to_balance_is_refused(sqlite_town: Town) -> None:
    held: Snapshot = sqlite_town.snapshot()
    with pytest.raises(DataError, match="merchants"):
        designed(held, CLI, 1, radius_m=10.0)
    with pytest.raises(DataError, match="not visits"):
        designed(held, CLI, 1, weight="visits", radius_m=2000.0)
