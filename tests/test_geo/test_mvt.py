from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mapbox_vector_tile.Mapbox import vector_tile_pb2
from shapely import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from geo.mvt import Feature, PointLayer, ShapeLayer, encode


def geometry(shape: shapely.Geometry) -> list[int]:
    """Return the numbers of a shape's drawing commands."""
    message = vector_tile_pb2.tile()
    message.ParseFromString(encode([ShapeLayer("any", [Feature(list(shapely.get_parts(shape)))])]))
    return list(message.layers[0].features[0].geometry)


@pytest.mark.parametrize(
    ("shape", "numbers"),
    [
        # Worked in the specification, section 4.3.5.
        (Point(25, 17), [9, 50, 34]),
        (MultiPoint([(5, 7), (3, 2)]), [17, 10, 14, 3, 9]),
        (LineString([(2, 2), (2, 10), (10, 10)]), [9, 4, 4, 18, 0, 16, 16, 0]),
        (
            shapely.MultiLineString([[(2, 2), (2, 10), (10, 10)], [(1, 1), (3, 5)]]),
            [9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8],
        ),
        (Polygon([(3, 6), (8, 12), (20, 34)]), [9, 6, 12, 18, 10, 12, 24, 44, 15]),
    ],
)
def test_commands_are_those_of_the_specification(shape: shapely.Geometry, numbers: list[int]) -> None:
    assert geometry(shape) == numbers


def test_rings_wind_as_the_specification_wants_them() -> None:
    court = Polygon(box(0, 0, 10, 10).exterior, [box(2, 2, 4, 4).exterior])
    for shape in (court, shapely.reverse(court), MultiPolygon([court, box(20, 20, 30, 30)])):
        areas = [ring_area(ring) for ring in rings_of(geometry(shape))]
        assert areas == ([100, -4] if shape.geom_type == "Polygon" else [100, -4, 100])


def rings_of(numbers: list[int]) -> list[np.ndarray]:
    """Return the rings that drawing commands draw."""
    rings, at, spot = [], 0, np.zeros(2, dtype=int)
    while at < len(numbers):
        command, count = numbers[at] & 7, numbers[at] >> 3
        at += 1
        if command == 7:
            continue
        if command == 1:
            rings.append([])
        for _ in range(count):
            spot = spot + [(n >> 1) ^ -(n & 1) for n in numbers[at : at + 2]]
            rings[-1].append(spot)
            at += 2
    return [np.array(ring) for ring in rings]


def ring_area(ring: np.ndarray) -> int:
    """Return a ring's area by the surveyor's formula, y downwards: above 0 is clockwise on the screen."""
    (x, y), (next_x, next_y) = ring.T, np.roll(ring, -1, axis=0).T
    return int(np.sum(x * next_y - next_x * y)) // 2


def test_values_keep_their_kind_and_missing_ones_are_left_out() -> None:
    columns = {
        "name": np.array(["南门市场", None, "南门市场"], dtype=object),
        "code": np.array(["a", "b", "a"]),
        "whole": np.array([-7, 0, 2**40]),
        "real": np.array([0.5, np.nan, -1.25]),
        "yes": np.array([True, False, True]),
    }
    content = encode([PointLayer("points", np.array([0, -64, 4159]), np.array([4095, 1, 2]), columns)])
    decoded = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})
    features = decoded["points"]["features"]
    assert [f["geometry"]["coordinates"] for f in features] == [[0, 4095], [-64, 1], [4159, 2]]
    assert [f["properties"] for f in features] == [
        {"name": "南门市场", "code": "a", "whole": -7, "real": 0.5, "yes": True},
        {"code": "b", "whole": 0, "yes": False},
        {"name": "南门市场", "code": "a", "whole": 2**40, "real": -1.25, "yes": True},
    ]
    message = vector_tile_pb2.tile()
    message.ParseFromString(content)
    values = [value.SerializeToString() for value in message.layers[0].values]
    assert len(set(values)) == len(values)


@given(
    st.lists(st.tuples(st.integers(-64, 4159), st.integers(-64, 4159)), min_size=1, max_size=10),
    st.data(),
)
def test_many_points_at_once_are_encoded_as_one_by_one(
    spots: list[tuple[int, int]], data: st.DataObject
) -> None:
    x, y = np.array(spots).T
    count = len(spots)
    columns = {
        "n": data.draw(arrays.arrays(np.int64, count, elements=st.integers(-(2**62), 2**62))),
        "name": data.draw(arrays.arrays("U4", count, elements=st.text("街ab🏦", max_size=4))),
    }
    ids = data.draw(arrays.arrays(np.uint64, count))
    features = [
        Feature([Point(spot)], {"n": int(columns["n"][i]), "name": str(columns["name"][i])}, int(ids[i]))
        for i, spot in enumerate(spots)
    ]
    together = vector_tile_pb2.tile()
    together.ParseFromString(encode([PointLayer("p", x, y, columns, ids)]))
    alone = vector_tile_pb2.tile()
    alone.ParseFromString(encode([ShapeLayer("p", features)]))
    assert readable(together) == readable(alone)


def readable(message: Any) -> list[tuple[Any, ...]]:
    """Return features with their tags looked up, so that the order of the tables does not matter."""
    layer = message.layers[0]
    keys, values = list(layer.keys), [value.SerializeToString() for value in layer.values]
    return [
        (
            feature.id,
            feature.type,
            list(feature.geometry),
            [(keys[k], values[v]) for k, v in zip(feature.tags[::2], feature.tags[1::2], strict=True)],
        )
        for feature in layer.features
    ]
