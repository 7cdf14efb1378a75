from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import DATUMS, convert, in_shift_box
from geo.errors import DatumError

METRES_A_DEGREE = 111_320.0
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271

in_box = st.tuples(st.floats(WEST, EAST), st.floats(SOUTH, NORTH))
anywhere = st.tuples(st.floats(-180.0, 180.0), st.floats(-85.0, 85.0))
pairs = st.sampled_from([(a, b) for a in DATUMS for b in DATUMS])


@pytest.mark.parametrize(
    ("source", "target", "expected", "tolerance_m"),
    [
        # Published by coordtransform for (116.404, 39.915); its inverses are one-step, ours exact.
        ("wgs84", "gcj02", (116.41024449916938, 39.91640428150164), 1e-6),
        ("gcj02", "bd09", (116.41036949371029, 39.92133699351021), 1e-6),
        ("bd09", "gcj02", (116.39762729119315, 39.90865673957631), 0.2),
        ("gcj02", "wgs84", (116.39775550083061, 39.91359571849836), 4.0),
    ],
)
def test_agrees_with_published_pairs(
    source: str, target: str, expected: tuple[float, float], tolerance_m: float
) -> None:
    lon, lat = convert(116.404, 39.915, source, target)
    off = np.hypot(lon - expected[0], lat - expected[1]) * METRES_A_DEGREE
    assert off < tolerance_m


# Where a library reckons otherwise than the published shift, and how far that takes it.
#   eviltransform: another earth radius, and BD-09 only inside the box; coordtransform: a smaller box.
ONE_STEP_M, ANOTHER_AXIS_M, BAIDU_ONE_STEP_M, EXACT_M = 4.0, 0.013, 0.2, 0.002
TOLERANCE_M = {
    ("npm:gcoord@1.0.7", "gcj02_wgs84"): 0.15,  # iterated to a millionth of a degree
    ("npm:gcoord@1.0.7", "bd09_wgs84"): BAIDU_ONE_STEP_M,
    ("npm:gcoord@1.0.7", "bd09_gcj02"): BAIDU_ONE_STEP_M,
    ("npm:coordtransform@2.1.2", "gcj02_wgs84"): ONE_STEP_M,
    ("npm:coordtransform@2.1.2", "bd09_gcj02"): BAIDU_ONE_STEP_M,
    ("pypi:coord-convert@0.2.1", "bd09_gcj02"): BAIDU_ONE_STEP_M,
    ("pypi:coord-convert@0.2.1", "bd09_wgs84"): BAIDU_ONE_STEP_M,
    ("pypi:eviltransform@0.1.1", "wgs84_gcj02"): ANOTHER_AXIS_M,
    ("pypi:eviltransform@0.1.1", "wgs84_bd09"): ANOTHER_AXIS_M,
    ("pypi:eviltransform@0.1.1", "gcj02_wgs84"): ONE_STEP_M,
    ("pypi:eviltransform@0.1.1", "gcj02_wgs84_exact"): 0.15,
    ("pypi:eviltransform@0.1.1", "bd09_gcj02"): BAIDU_ONE_STEP_M,
    ("pypi:eviltransform@0.1.1", "bd09_wgs84"): ONE_STEP_M,
    ("pypi:prcoords@1.0.2", "gcj02_wgs84"): ONE_STEP_M,
    ("pypi:prcoords@1.0.2", "bd09_gcj02"): BAIDU_ONE_STEP_M,
    ("pypi:prcoords@1.0.2", "bd09_wgs84"): ONE_STEP_M,
    ("pypi:prcoords@1.0.2", "gcj02_wgs84_exact"): 0.005,
    ("pypi:prcoords@1.0.2", "bd09_wgs84_exact"): 0.02,  # two iterations, each stopped a little early
}
FORWARD_M = 1e-4


def test_agrees_with_five_libraries(shared_data) -> None:
    vectors = pd.read_csv(shared_data / "crs_test_vectors" / "vectors.csv")
    at_odds = {}
    for (library, direction), rows in vectors.groupby(["library", "direction"]):
        rows = rows[comparable(rows, library, direction)]
        source, target = direction.removesuffix("_exact").split("_")
        lon, lat = convert(rows.in_lon, rows.in_lat, source, target)
        east = (lon - rows.out_lon) * np.cos(np.radians(rows.in_lat))
        off = np.hypot(east, lat - rows.out_lat).max() * METRES_A_DEGREE
        default = EXACT_M if direction.endswith("_exact") else FORWARD_M
        default = 0.001 if (library, direction) == ("pypi:coord-convert@0.2.1", "gcj02_wgs84") else default
        if off > TOLERANCE_M.get((library, direction), default):
            at_odds[library, direction] = float(off)
        assert len(rows) > 380
    assert at_odds == {}


def comparable(rows: pd.DataFrame, library: str, direction: str) -> pd.Series:
    """Return the rows in which a library follows the published shift at all."""
    kept = ~rows.id.str.startswith("edge_") | (direction == "wgs84_gcj02")
    if "coordtransform" in library:
        kept &= rows.in_lon.between(73.8, 135.0) & rows.in_lat.between(3.9, 53.5)
    if "eviltransform" in library or direction.endswith("_exact"):
        # These shift points abroad on the way back, or do not shift them for Baidu.
        kept &= in_shift_box(rows.in_lon, rows.in_lat)
    return kept


@given(in_box)
def test_round_trip_from_wgs84_is_exact_all_over_the_box(place: tuple[float, float]) -> None:
    for datum in ("gcj02", "bd09"):
        there = convert(*place, "wgs84", datum)
        back = convert(*there, datum, "wgs84")
        assert np.abs(np.array(back) - place).max() < 1e-9


@given(anywhere, pairs)
def test_round_trip_is_exact_wherever_there_is_an_inverse(
    place: tuple[float, float], datums: tuple[str, str]
) -> None:
    source, target = datums
    there = convert(*place, source, target)
    again = convert(*convert(*there, target, source), source, target)
    assert np.abs(np.array(again) - there).max() < 1e-9


@given(anywhere.filter(lambda p: not (WEST - 0.1 < p[0] < EAST + 0.1 and SOUTH - 0.1 < p[1] < NORTH + 0.1)))
def test_abroad_nothing_is_shifted(place: tuple[float, float]) -> None:
    for source, target in (("wgs84", "gcj02"), ("gcj02", "wgs84")):
        assert tuple(map(float, convert(*place, source, target))) == place


@pytest.mark.parametrize("place", [(72.0041, 35.0), (110.0, 0.8294)])
def test_edges_on_which_libraries_hang_give_the_neighbours_shift(place: tuple[float, float]) -> None:
    lon, lat = convert(*place, "gcj02", "wgs84")
    beside = convert(place[0] + 0.1, place[1] + 0.1, "gcj02", "wgs84")
    shift = np.array([place[0] - lon, place[1] - lat])
    assert np.abs(shift - (place[0] + 0.1 - beside[0], place[1] + 0.1 - beside[1])).max() < 1e-3


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_none_and_harms_no_neighbour(nothing: float) -> None:
    lon, lat = convert([nothing, 114.0, 114.0], [30.0, nothing, 30.0], "bd09", "wgs84")
    assert np.isnan(lon[:2]).all()
    assert np.isnan(lat[:2]).all()
    assert (lon[2], lat[2]) == tuple(map(float, convert(114.0, 30.0, "bd09", "wgs84")))


@given(st.lists(in_box, max_size=5), pairs)
def test_many_rows_convert_as_each_alone(places: list[tuple[float, float]], datums: tuple[str, str]) -> None:
    rows = np.array(places).reshape(-1, 2)
    lon, lat = convert(rows[:, 0], rows[:, 1], *datums)
    for i, place in enumerate(places):
        alone = convert(*place, *datums)
        assert np.allclose((lon[i], lat[i]), alone, rtol=0.0, atol=1e-11)


def test_shape_is_kept_and_arguments_are_left_alone() -> None:
    lon, lat = np.full((2, 3), 114.0), np.full((2, 3), 30.0)
    there, _ = convert(lon, lat, "wgs84", "gcj02")
    assert there.shape == (2, 3)
    assert (lon == 114.0).all()
    same, _ = convert(lon, lat, "wgs84", "wgs84")
    same[:] = 0.0
    assert (lon == 114.0).all()


@pytest.mark.parametrize(("source", "target"), [("cgcs2000", "wgs84"), ("wgs84", "GCJ02")])
def test_an_unknown_datum_is_refused(source: str, target: str) -> None:
    with pytest.raises(DatumError, match="No datum is named"):
        convert(114.0, 30.0, source, target)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(DatumError, match="got 2 and 3"):
        convert([114.0, 114.0], [30.0, 30.0, 30.0], "wgs84", "gcj02")


def test_the_usual_shifts_are_as_long_as_everybody_knows_them() -> None:
    lon, lat = np.meshgrid(np.linspace(80, 130, 30), np.linspace(20, 50, 30))
    for datum, least, most in (("gcj02", 40.0, 720.0), ("bd09", 600.0, 1500.0)):
        there = convert(lon, lat, "wgs84", datum)
        metres = np.hypot((there[0] - lon) * np.cos(np.radians(lat)), there[1] - lat) * METRES_A_DEGREE
        assert metres.min() > least
        assert metres.max() < most
