"""What the tiles of a branch carry, decoded by a library that is not ours, and what they never carry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest

from data import bulk, store, tables, tiles
from data.filters import Filters
from data.tokens import TileClaim
from geo.datum import convert
from geo.errors import TileError, TokenError
from geo.tiles import CELL_STEPS, CUSTOMER_CELL, EXTENT, MAX_POINTS, tile_at
from tests.test_data.conftest import CLI, LAT, LON, Town

ZOOM = 12


def claim(town: Town, layer: str, **more: Any) -> TileClaim:
    return TileClaim(town.branch_id, layer, town.snapshot().version, masked=False, **more)


def features(town: Town, asked: TileClaim, z: int = ZOOM) -> dict[str, list[dict[str, Any]]]:
    """Return the features of every tile of a zoom round the branch, those of the buffers left out."""
    held = town.snapshot()
    spots = {tile_at(LON, LAT, z)}
    for layer in (held.merchants, held.customers, held.outlets, held.places):
        lons, lats = convert(layer.lon, layer.lat, "wgs84", asked.datum)
        spots |= {tile_at(lon, lat, z) for lon, lat in zip(lons, lats, strict=True)}
    found: dict[str, list[dict[str, Any]]] = {}
    for x, y in sorted(spots):
        content = tiles.tile(town.engine, asked, z, x, y)
        layers = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True}) if content else {}
        for name, part in layers.items():
            for feature in part["features"]:
                spot = np.array(feature["geometry"]["coordinates"])
                if ((spot >= 0) & (spot < EXTENT)).all():
                    found.setdefault(name, []).append({**feature, "at": (spot / EXTENT + [x, y]) / 2**z})
    return found


def test_merchants_are_points_with_category_and_status_and_nothing_else(sqlite_town: Town) -> None:
    found = features(sqlite_town, claim(sqlite_town, "merchants"))
    assert set(found) == {"points"}
    carried = sorted(tuple(sorted(point["properties"].items())) for point in found["points"])
    # The closed one is not shown until it is asked for. Food is category 1, shops are 2.
    assert carried == sorted(
        [
            (("category", 1), ("status", 0)),
            (("category", 1), ("status", 2)),
            (("category", 2), ("status", 1)),
            (("category", 1), ("status", 2)),
        ]
    )


def test_filters_in_the_link_decide_which_merchants_are_in_the_tile(sqlite_town: Town) -> None:
    closed = features(sqlite_town, claim(sqlite_town, "merchants", filters=Filters(statuses=("closed",))))
    assert [point["properties"]["status"] for point in closed["points"]] == [3]
    none = claim(sqlite_town, "merchants", filters=Filters(categories=(201,), statuses=("signed",)))
    assert features(sqlite_town, none) == {}


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_points_stand_where_the_base_maps_datum_puts_them(sqlite_town: Town, datum: str) -> None:
    held = sqlite_town.snapshot().outlets
    found = features(sqlite_town, claim(sqlite_town, "outlets", datum=datum))["points"]
    lons, lats = convert(held.lon, held.lat, "wgs84", datum)
    for lon, lat in zip(lons, lats, strict=True):
        sine = np.sin(np.radians(lat))
        at = np.array([lon / 360 + 0.5, 0.5 - np.arctanh(sine) / (2 * np.pi)])
        nearest = min(np.abs(point["at"] - at).max() for point in found)
        assert nearest < 1 / EXTENT / 2**ZOOM


@pytest.mark.parametrize("z", range(3, 19))
def test_customers_leave_as_cells_only_drawn_at_the_cells_centre(sqlite_town: Town, z: int) -> None:
    found = features(sqlite_town, claim(sqlite_town, "customers"), z)
    assert set(found) == {"cells"}
    level = min(z + CELL_STEPS, CUSTOMER_CELL)
    for cell in found["cells"]:
        assert set(cell["properties"]) == {"n", "people", "existing"}
        centre = cell["at"] * 2**level % 1
        assert np.abs(centre - 0.5).max() < 2 ** (level - z) / EXTENT
    assert sum(cell["properties"]["n"] for cell in found["cells"]) == 5
    assert sum(cell["properties"]["people"] for cell in found["cells"]) == 54  # one target group has 50
    assert sum(cell["properties"]["existing"] for cell in found["cells"]) == 3


def test_cells_of_fewer_than_five_customers_are_not_in_a_masked_tile(sqlite_town: Town) -> None:
    deep = replace(claim(sqlite_town, "customers"), masked=True)
    assert features(sqlite_town, deep, 14) == {}
    assert features(sqlite_town, deep, 3)["cells"][0]["properties"]["n"] == 5


def test_a_zoom_with_one_crowded_tile_is_drawn_as_cells_throughout(sqlite_town: Town) -> None:
    many = MAX_POINTS + 1
    crowd = {
        "branch_id": sqlite_town.branch_id,
        "source_id": [f"X{number}" for number in range(many)],
        "name": "摊位",
        "initials": "tw",
        "category_id": 101,
        "status": "known",
        "lon": LON,
        "lat": LAT,
    }
    with store.transaction(sqlite_town.engine) as session:
        bulk.insert(session, tables.merchants, pd.DataFrame(crowd))
        store.new_version(session, CLI, sqlite_town.branch_id, "test")
    found = features(sqlite_town, claim(sqlite_town, "merchants"), 14)
    assert set(found) == {"cells"}
    alone = [cell["properties"] for cell in found["cells"] if cell["properties"]["n"] == 1]
    # A cell of one tells what the merchant is: of one, a sum is the value.
    assert {"n": 1, "signed": 1, "category": 1, "status": 2} in alone


def test_a_link_to_data_that_are_gone_is_refused(sqlite_town: Town) -> None:
    old = replace(claim(sqlite_town, "merchants"), version=99)
    with pytest.raises(TokenError):
        tiles.tile(sqlite_town.engine, old, ZOOM, *tile_at(LON, LAT, ZOOM))


def test_there_is_no_tile_outside_the_world(sqlite_town: Town) -> None:
    with pytest.raises(TileError):
        tiles.tile(sqlite_town.engine, claim(sqlite_town, "merchants"), 3, 8, 0)


def test_an_existing_customer_counts_as_one_whatever_size_a_list_gives(sqlite_town: Town) -> None:
    customers = sqlite_town.snapshot().customers
    sevens = replace(customers, size=np.full(len(customers), 7, dtype=np.int32))
    sums = tiles._sums(sevens)
    assert sums["existing"].sum() == 3
    assert sums["people"].sum() == 3 + 2 * 7
