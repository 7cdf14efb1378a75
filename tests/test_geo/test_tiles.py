from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely import LineString, MultiPolygon, Polygon, box

from geo.catchment import destination, distances_m
from geo.errors import TileError
from geo.mvt import EXTENT
from geo.tiles import (
    BUFFER,
    CELLS,
    CUSTOMER_CELL,
    MAX_BYTES,
    MAX_POINTS,
    POINTS,
    Curve,
    lon_lat,
    nearby,
    nearest,
    tile,
    tile_at,
    tile_bounds,
    tile_cells,
    tile_points,
    tile_shapes,
    world_shapes,
    world_xy,
)

ZOOMS = range(21)
places = st.tuples(st.floats(-180.0, 180.0), st.floats(-85.0, 85.0))
in_town = st.tuples(st.floats(113.99, 114.01), st.floats(29.99, 30.01))


def decoded(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the features of each layer, by a library that is not ours."""
    if not content:
        return {}
    layers = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})
    assert all(layer["extent"] == EXTENT and layer["version"] == 2 for layer in layers.values())
    return {name: layer["features"] for name, layer in layers.items()}


def own_features(content: bytes, layer: str) -> list[dict[str, Any]]:
    """Return a layer's features that lie in the tile itself, not in its buffer."""
    features = decoded(content).get(layer, [])
    return [f for f in features if all(0 <= c < EXTENT for c in f["geometry"]["coordinates"])]


def covering(lon: np.ndarray, lat: np.ndarray, z: int) -> list[tuple[int, int]]:
    """Return the tiles of a zoom that positions lie in."""
    return sorted({tile_at(a, b, z) for a, b in zip(lon, lat, strict=True)})


class Ground:
    """A market of 3,500 stalls in one hall, 60 houses of 20 flats, and 80 rows strewn over the country."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        houses = np.repeat(random.normal([114.0, 30.0], 0.01, (60, 2)), 20, axis=0)
        strewn = random.uniform([100.0, 20.0], [120.0, 40.0], (80, 2))
        self.lon, self.lat = np.vstack([np.full((3500, 2), [114.003, 30.002]), houses, strewn]).T
        self.id = random.permutation(len(self.lon)) + 1
        self.category = random.integers(0, 40, len(self.lon)).astype(np.int16)
        self.signed = random.random(len(self.lon)) < 0.3
        self.spots = np.unique(np.column_stack([self.lon, self.lat]), axis=0)
        self.row = np.empty(len(self.id) + 1, dtype=int)
        self.row[self.id] = np.arange(len(self.id))


@pytest.fixture(scope="module")
def ground() -> Ground:
    return Ground()


# What a tile holds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z", ZOOMS)
def test_tiles_of_a_zoom_hold_every_row_once_as_a_point_or_in_a_cell(ground: Ground, z: int) -> None:
    shown = Curve.build(ground.lon, ground.lat).show(None, {"signed": ground.signed})
    columns = {"category": ground.category, "signed": ground.signed}
    as_points: list[int] = []
    in_cells = signed = 0
    for x, y in covering(*ground.spots.T, z):
        content = tile(shown, z, x, y, columns, ids=ground.id)
        assert len(content) <= MAX_BYTES
        points, cells = own_features(content, POINTS), own_features(content, CELLS)
        assert not (points and cells)
        as_points += [point["id"] for point in points]
        in_cells += sum(cell["properties"]["n"] for cell in cells)
        signed += sum(cell["properties"]["signed"] for cell in cells)
        check_points(ground, points, z, x, y)
    rows = ground.row[as_points]
    assert len(set(as_points)) == len(as_points)
    assert len(as_points) + in_cells == len(ground.lon)
    assert ground.signed[rows].sum() + signed == ground.signed.sum()


def check_points(ground: Ground, points: list[dict[str, Any]], z: int, x: int, y: int) -> None:
    """Compare a tile's points with the rows their ids name: what they carry, and where they lie."""
    for point in points:
        row = ground.row[point["id"]]
        assert point["properties"] == {
            "category": ground.category[row],
            "signed": ground.signed[row],
        }
    if points:
        rows = ground.row[[point["id"] for point in points]]
        east, south = world_xy(ground.lon[rows], ground.lat[rows])
        expected = (np.column_stack([east, south]) * 2**z - [x, y]) * EXTENT
        off = np.array([point["geometry"]["coordinates"] for point in points]) - expected
        assert ((off > -1.001) & (off <= 1e-3)).all()


@pytest.mark.parametrize("z", ZOOMS)
def test_customers_are_counted_in_cells_and_never_placed(ground: Ground, z: int) -> None:
    shown = Curve.build(ground.lon, ground.lat).show()
    level = min(z + 4, CUSTOMER_CELL)
    east, south = world_xy(ground.lon, ground.lat)
    keys, counts = np.unique(
        np.floor(np.column_stack([east, south]) * 2**level).astype(int), axis=0, return_counts=True
    )
    # A cell is in the tile its centre lies in, which can be one beside those the customers lie in.
    centres = (keys + 0.5) / 2**level
    tiles = {tuple(t) for t in np.floor(centres * 2**z).astype(int).tolist()}
    found = {}
    for x, y in tiles:
        content = tile_cells(shown, z, x, y, finest=CUSTOMER_CELL, centred=True)
        assert set(decoded(content)) == {CELLS}
        for cell in own_features(content, CELLS):
            assert set(cell["properties"]) == {"n"}
            place = (np.array(cell["geometry"]["coordinates"]) / EXTENT + [x, y]) / 2**z
            found[tuple(np.round(place * 2**level - 0.5, 6).tolist())] = cell["properties"]["n"]
    assert found == {tuple(map(float, key)): n for key, n in zip(keys.tolist(), counts.tolist(), strict=True)}


def test_cells_of_few_customers_are_left_out_for_those_who_may_not_see_them(ground: Ground) -> None:
    shown = Curve.build(ground.lon, ground.lat).show()
    x, y = tile_at(114.0, 30.0, 12)
    every = decoded(tile_cells(shown, 12, x, y, finest=CUSTOMER_CELL, centred=True))[CELLS]
    masked = decoded(tile_cells(shown, 12, x, y, finest=CUSTOMER_CELL, centred=True, at_least=21))[CELLS]
    large = [cell for cell in every if cell["properties"]["n"] >= 21]
    assert 0 < len(large) < len(every)
    assert [cell["properties"] for cell in masked] == [cell["properties"] for cell in large]
    assert tile_cells(shown, 12, x, y, finest=CUSTOMER_CELL, centred=True, at_least=10_000) == b""


def test_a_tile_has_sixteen_cells_a_side_at_most_thirty_two() -> None:
    random = np.random.default_rng(8)
    shown = Curve.build(random.uniform(113.4, 114.6, 100_000), random.uniform(29.4, 30.6, 100_000)).show()
    x, y = tile_at(114.0, 30.0, 9)
    assert len(own_features(tile(shown, 9, x, y), CELLS)) == 256
    assert len(own_features(tile_cells(shown, 9, x, y, steps=5, centred=True), CELLS)) == 1024


def test_a_merchant_cell_is_drawn_at_the_mean_of_its_rows() -> None:
    # Two rows at world x 0.5 + 1/8192 and one at + 3/8192, all in one cell of the tile 0/0/0, 256 units wide.
    lon, lat = lon_lat(0.5 + np.array([1.0, 1.0, 4.0]) / 8192, np.full(3, 0.5 + 2.0 / 8192))
    cells = decoded(tile_cells(Curve.build(lon, lat).show(), 0, 0, 0))[CELLS]
    assert [(c["geometry"]["coordinates"], c["properties"]) for c in cells] == [([2049, 2049], {"n": 3})]
    centred = decoded(tile_cells(Curve.build(lon, lat).show(), 0, 0, 0, centred=True))[CELLS]
    assert centred[0]["geometry"]["coordinates"] == [2048 + 128, 2048 + 128]


def test_a_filter_hides_rows_from_points_cells_and_sums(ground: Ground) -> None:
    curve = Curve.build(ground.lon, ground.lat)
    mask = ground.category < 7
    shown = curve.show(mask, {"signed": ground.signed, "half": np.where(ground.signed, 0.5, np.nan)})
    cells = own_features(tile_cells(shown, 0, 0, 0), CELLS)
    assert sum(cell["properties"]["n"] for cell in cells) == mask.sum()
    assert sum(cell["properties"]["signed"] for cell in cells) == (mask & ground.signed).sum()
    assert sum(cell["properties"]["half"] for cell in cells) == (mask & ground.signed).sum() / 2
    x, y = tile_at(114.003, 30.002, 14)
    ids = {point["id"] for point in own_features(tile_points(shown, 14, x, y, ids=ground.id), POINTS)}
    inside = np.array([tile_at(a, b, 14) == (x, y) for a, b in zip(ground.lon, ground.lat, strict=True)])
    assert ids == set(ground.id[mask & inside].tolist())
    assert tile(curve.show(np.zeros(len(curve), dtype=bool)), 0, 0, 0) == b""


def test_a_mask_of_another_length_is_refused(ground: Ground) -> None:
    with pytest.raises(TileError, match="mask of 3 rows"):
        Curve.build(ground.lon, ground.lat).show([True, False, True])


# Edges of tiles ---------------------------------------------------------------------------------------------


def beside_an_edge(units: float, z: int = 15) -> tuple[float, float, int, int]:
    """Return a position so many tile units west of a tile, half way down, and the tile."""
    x, y = tile_at(114.0, 30.0, z)
    lon, lat = lon_lat((x - (units - 0.5) / EXTENT) / 2**z, (y + 0.5) / 2**z)
    return float(lon), float(lat), x, y


@pytest.mark.parametrize(("units", "drawn"), [(1, True), (10, True), (BUFFER, True), (BUFFER + 1, False)])
def test_a_circle_on_an_edge_is_drawn_in_both_tiles(units: int, drawn: bool) -> None:
    lon, lat, x, y = beside_an_edge(units)
    shown = Curve.build([lon], [lat]).show()
    here = decoded(tile(shown, 15, x, y)).get(POINTS, [])
    assert [p["geometry"]["coordinates"] for p in here] == ([[-units, EXTENT // 2]] if drawn else [])
    there = decoded(tile(shown, 15, x - 1, y))[POINTS]
    assert [p["geometry"]["coordinates"] for p in there] == [[EXTENT - units, EXTENT // 2]]


def test_a_neighbour_drawn_as_cells_lends_no_points() -> None:
    lon, lat, x, y = beside_an_edge(10)
    crowd = Curve.build(np.full(MAX_POINTS + 1, lon), np.full(MAX_POINTS + 1, lat)).show()
    assert tile(crowd, 15, x, y) == b""
    assert [c["properties"] for c in decoded(tile(crowd, 15, x - 1, y))[CELLS]] == [{"n": MAX_POINTS + 1}]


def test_cells_near_an_edge_are_lent_between_tiles_of_cells_only() -> None:
    lon, lat, x, y = beside_an_edge(10)
    middle = lon_lat((x + 0.5) / 2**15, (y + 0.5) / 2**15)
    many = MAX_POINTS + 1
    both = Curve.build(
        np.repeat([lon, float(middle[0])], many), np.repeat([lat, float(middle[1])], many)
    ).show()
    assert [c["geometry"]["coordinates"] for c in decoded(tile(both, 15, x, y))[CELLS]] == [
        [-10, EXTENT // 2],
        [EXTENT // 2, EXTENT // 2],
    ]
    lonely = Curve.build(
        np.append(np.full(many, middle[0]), lon), np.append(np.full(many, middle[1]), lat)
    ).show()
    assert [c["properties"]["n"] for c in decoded(tile(lonely, 15, x, y))[CELLS]] == [many]


@given(st.lists(in_town, min_size=1, max_size=30), st.integers(10, 20))
def test_the_neighbourhood_is_what_lies_in_the_wider_square(spots: list[tuple[float, float]], z: int) -> None:
    lon, lat = np.array(spots).T
    curve = Curve.build(lon, lat)
    x, y = tile_at(114.0, 30.0, z)
    east = curve.x / 2**32 * 2**z - x
    south = curve.y / 2**32 * 2**z - y
    for buffer in (1, BUFFER, 100, EXTENT):
        margin = buffer / EXTENT
        near = (east >= -margin) & (east < 1 + margin) & (south >= -margin) & (south < 1 + margin)
        assert sorted(curve.neighbourhood(z, x, y, buffer)) == np.flatnonzero(near).tolist()


# How large and how sure -------------------------------------------------------------------------------------


def a_million(kind: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    if kind == "one spot":
        return np.full(1_000_000, 114.0), np.full(1_000_000, 30.0)
    if kind == "uniform":
        return random.uniform(113.5, 114.5, 1_000_000), random.uniform(29.5, 30.5, 1_000_000)
    return random.normal(114.0, 0.02, 1_000_000), random.normal(30.0, 0.02, 1_000_000)


@pytest.mark.parametrize("kind", ["one spot", "uniform", "town"])
def test_no_tile_of_a_million_rows_is_larger_than_150_kb(kind: str) -> None:
    lon, lat = a_million(kind)
    numbers = np.arange(lon.size)
    shown = Curve.build(lon, lat).show(None, {"signed": numbers % 3 == 0})
    columns = {"category": numbers % 997, "status": numbers % 4}
    for z in ZOOMS:
        x, y = tile_at(114.0, 30.0, z)
        for content in (
            tile(shown, z, x, y, columns, ids=numbers * 1_000),
            tile_cells(shown, z, x, y, finest=CUSTOMER_CELL, centred=True),
            tile_cells(shown, z, x, y, steps=5),
        ):
            assert len(content) <= MAX_BYTES
            decoded(content)


def test_points_that_carry_too_much_become_cells() -> None:
    lon, lat = np.full(MAX_POINTS, 114.0), np.full(MAX_POINTS, 30.0)
    names = np.array([f"{i:>400}" for i in range(MAX_POINTS)])
    x, y = tile_at(114.0, 30.0, 10)
    content = tile(Curve.build(lon, lat).show(), 10, x, y, {"name": names})
    assert set(decoded(content)) == {CELLS}


def test_a_tile_among_crowded_edges_stays_small() -> None:
    # Each of the eight neighbours has as many points as it may, all within the buffer.
    z = 15
    x, y = tile_at(114.0, 30.0, z)
    random = np.random.default_rng(2)
    lon, lat = [], []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            low = np.array([{-1: -0.015, 0: 0.0, 1: 1.0}[d] for d in (dx, dy)])
            wide = np.array([{-1: 0.015, 0: 1.0, 1: 0.015}[d] for d in (dx, dy)])
            spots = (low + random.random((MAX_POINTS, 2)) * wide * 0.999 + [x, y]) / 2**z
            degrees = lon_lat(*spots.T)
            lon.append(degrees[0])
            lat.append(degrees[1])
    shown = Curve.build(np.concatenate(lon), np.concatenate(lat)).show()
    content = tile(shown, z, x, y, ids=np.arange(9 * MAX_POINTS) + 10**9)
    assert len(content) <= MAX_BYTES
    assert len(own_features(content, POINTS)) == MAX_POINTS
    assert len(decoded(content)[POINTS]) == MAX_POINTS + 1000


def test_the_same_data_gives_the_same_bytes(ground: Ground) -> None:
    for z in (0, 8, 14, 18):
        x, y = tile_at(114.003, 30.002, z)
        first, second = (
            tile(Curve.build(ground.lon, ground.lat).show(), z, x, y, {"category": ground.category})
            for _ in range(2)
        )
        assert first == second != b""


# The curve --------------------------------------------------------------------------------------------------


@given(st.lists(places, min_size=1, max_size=20), st.integers(0, 24))
def test_a_slice_of_the_curve_is_a_tile(spots: list[tuple[float, float]], z: int) -> None:
    lon, lat = np.array(spots).T
    curve = Curve.build(lon, lat)
    assert sorted(curve.order) == list(range(len(spots)))
    assert (np.diff(curve.codes.astype(object)) >= 0).all()
    for spot in spots:
        x, y = tile_at(*spot, z)
        rows = curve.order[curve.slice(z, x, y)]
        assert sorted(rows) == [i for i, other in enumerate(spots) if tile_at(*other, z) == (x, y)]
        west, south, east, north = tile_bounds(z, x, y)
        assert west - 1e-7 <= spot[0] <= east + 1e-7
        assert south - 1e-7 <= spot[1] <= north + 1e-7


def test_rows_at_one_spot_stay_in_their_order_and_sorted_rows_stay_put(ground: Ground) -> None:
    assert Curve.build([114.0] * 5, [30.0] * 5).order.tolist() == [0, 1, 2, 3, 4]
    first = Curve.build(ground.lon, ground.lat)
    assert not first.in_order
    again = Curve.build(ground.lon[first.order], ground.lat[first.order])
    assert again.in_order
    mask = ground.signed
    assert sorted(first.order[again.show(mask[first.order]).rows]) == np.flatnonzero(mask).tolist()


def test_no_rows_make_an_empty_world() -> None:
    curve = Curve.build([], [])
    assert len(curve) == 0
    assert tile(curve.show(), 0, 0, 0) == b""
    assert tile_cells(curve.show(), 20, 5, 5, finest=18, centred=True) == b""
    assert nearest(curve, 114.0, 30.0) is None


@pytest.mark.parametrize("spot", [(np.nan, 30.0), (114.0, np.inf)])
def test_positions_that_are_no_numbers_are_refused(spot: tuple[float, float]) -> None:
    with pytest.raises(TileError, match="numbers"):
        Curve.build([spot[0]], [spot[1]])
    with pytest.raises(TileError, match="numbers"):
        tile_at(*spot, 3)


@pytest.mark.parametrize(
    ("z", "x", "y"), [(-1, 0, 0), (25, 0, 0), (0, 1, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1)]
)
def test_a_tile_outside_the_world_is_refused(z: int, x: int, y: int) -> None:
    curve = Curve.build([114.0], [30.0])
    shown = curve.show()
    for ask in (
        lambda: tile(shown, z, x, y),
        lambda: tile_points(shown, z, x, y),
        lambda: tile_cells(shown, z, x, y),
        lambda: tile_shapes("streets", [], z, x, y),
        lambda: curve.slice(z, x, y),
        lambda: curve.neighbourhood(z, x, y),
        lambda: tile_bounds(z, x, y),
    ):
        with pytest.raises(TileError, match="no tile"):
            ask()


def test_tiles_at_the_corners_of_the_world() -> None:
    shown = Curve.build([-180.0, 180.0, 0.0], [89.0, -89.0, 0.0]).show()
    for z in (1, 5, 24):
        last = 2**z - 1
        assert len(own_features(tile(shown, z, 0, 0), POINTS)) == 1
        assert len(own_features(tile(shown, z, last, last), POINTS)) >= 1
        assert own_features(tile_cells(shown, z, last, last, finest=18), CELLS)
    assert tile_bounds(0, 0, 0) == pytest.approx((-180.0, -85.0511287798, 180.0, 85.0511287798))
    assert tile_bounds(1, 1, 0) == pytest.approx((0.0, 0.0, 180.0, 85.0511287798))


def test_longitudes_go_round_and_latitudes_stop_at_the_edge() -> None:
    x, y = world_xy([190.0, -170.0, 180.0, -180.0], [90.0, -90.0, 0.0, 0.0])
    assert x == pytest.approx([10 / 360, 10 / 360, 1.0, 0.0])
    assert y == pytest.approx([0.0, 1.0, 0.5, 0.5])


@given(places)
def test_world_coordinates_lead_back(spot: tuple[float, float]) -> None:
    assert lon_lat(*world_xy(*spot)) == pytest.approx(spot, abs=1e-9)


# What a click finds -----------------------------------------------------------------------------------------


@given(
    st.lists(in_town, min_size=1, max_size=30),
    in_town,
    st.floats(1.0, 3000.0),
    st.integers(1, 5),
    st.data(),
)
def test_the_nearest_rows_are_those_a_full_search_finds(
    spots: list[tuple[float, float]],
    click: tuple[float, float],
    max_m: float,
    limit: int,
    data: st.DataObject,
) -> None:
    lon, lat = np.array(spots).T
    mask = data.draw(arrays.arrays(bool, len(spots)))
    found = nearby(Curve.build(lon, lat), *click, mask, max_m, limit)
    distance = distances_m(*click, lon, lat)
    expected = [i for i in np.argsort(distance, kind="stable") if mask[i] and distance[i] <= max_m][:limit]
    # World coordinates are whole centimetres.
    assert distance[found] == pytest.approx(distance[expected], abs=0.03) or len(found) != len(expected)
    assert abs(len(found) - len(expected)) <= np.count_nonzero(np.abs(distance - max_m) < 0.03)
    assert mask[found].all()


def test_a_click_beside_two_takes_the_nearer_and_of_equals_the_first() -> None:
    lon = [114.0, *(destination(114.0, 30.0, 90.0, m)[0] for m in (30.0, 30.0, 100.0))]
    curve = Curve.build(lon, [30.0] * 4)
    assert nearest(curve, *destination(114.0, 30.0, 90.0, 14.0)) == 0
    assert nearest(curve, *destination(114.0, 30.0, 90.0, 16.0)) == 1
    assert nearest(curve, *destination(114.0, 30.0, 90.0, 16.0), [True, False, True, True]) == 2
    assert nearest(curve, *destination(114.0, 30.0, 90.0, 99.0), max_m=0.5) is None
    assert nearby(curve, 114.0, 30.0, max_m=200.0).tolist() == [0, 1, 2, 3]
    assert nearest(curve.show([False, False, False, True]), 114.0, 30.0, max_m=200.0) == 3


# Shapes -----------------------------------------------------------------------------------------------------


def test_streets_and_blocks_are_clipped_to_their_tile_and_its_buffer() -> None:
    z = 12
    x, y = tile_at(114.0, 30.0, z)
    west, south, east, north = tile_bounds(z, x, y)
    middle, height, width = (south + north) / 2, north - south, east - west
    shapes = world_shapes(
        [
            LineString([(west - width, middle), (east + width, middle)]),
            box(west + width / 4, south + height / 4, east - width / 4, north - height / 4),
            box(west + 5 * width, south, east + 5 * width, north),
        ]
    )
    found = decoded(tile_shapes("plan", shapes, z, x, y, {"kind": ["street", "block", "afar"]}))["plan"]
    assert [f["properties"]["kind"] for f in found] == ["street", "block"]
    street, block = found
    assert street["geometry"]["type"] == "LineString"
    assert [p[0] for p in street["geometry"]["coordinates"]] == [-BUFFER, EXTENT + BUFFER]
    assert shapely.geometry.shape(block["geometry"]).bounds == (1024.0, 1024.0, 3072.0, 3072.0)
    assert tile_shapes("plan", shapes, z, x - 20, y) == b""


def test_a_block_too_small_to_see_and_one_that_only_touches_are_left_out() -> None:
    shapes = world_shapes([box(114.0, 30.0, 114.00001, 30.00001)])
    assert tile_shapes("plan", shapes, 5, *tile_at(114.0, 30.0, 5)) == b""
    assert tile_shapes("plan", world_shapes([]), 0, 0, 0) == b""


def test_a_block_in_pieces_with_a_court_keeps_both() -> None:
    court = Polygon(box(113.9, 29.9, 114.1, 30.1).exterior, [box(113.95, 29.95, 114.05, 30.05).exterior])
    shapes = world_shapes([MultiPolygon([court, box(114.2, 29.9, 114.3, 30.1)])])
    found = decoded(tile_shapes("plan", shapes, 8, *tile_at(114.0, 30.0, 8)))["plan"]
    assert [f["geometry"]["type"] for f in found] == ["MultiPolygon"]
    assert [len(polygon) for polygon in found[0]["geometry"]["coordinates"]] == [2, 1]
