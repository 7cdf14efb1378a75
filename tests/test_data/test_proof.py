"""A datum is proven or not: by words, by two datums in a row, by what the branch has."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from data.lists import proof
from data.meaning.headers import Pair
from geo.datum import DATUMS, convert

RNG = np.random.default_rng(7)
LON = 114.3 + RNG.normal(0, 0.03, 60)
LAT = 30.5 + RNG.normal(0, 0.03, 60)


def shifted(datum: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return convert(LON, LAT, "wgs84", datum)


def test_the_coordinates_own_header_goes_before_all_other_words() -> None:
    pair = Pair("高德经度", "高德纬度", "gcj02")
    assert proof.by_words(pair, ("高德经度", "高德纬度"), "百度.csv").datum == "gcj02"


def test_words_that_disagree_prove_nothing() -> None:
    assert proof.by_words(Pair("经度", "纬度"), ("经度", "纬度"), "高德转WGS84.csv").datum is None
    assert proof.by_words(Pair("经度", "纬度"), ("经度", "纬度"), "高德.csv") == ("gcj02", "words")
    assert proof.by_words(None, ("name",), "poi.geojson", "百度导出").datum == "bd09"


@pytest.mark.parametrize(
    ("epsg", "datum"), [(4326, None), (None, None), (3857, None), (4490, "wgs84"), (32650, "wgs84")]
)
def test_a_declared_crs_proves_only_what_shifted_lists_never_declare(
    epsg: int | None, datum: str | None
) -> None:
    assert proof.by_crs(epsg).datum == datum


@pytest.mark.parametrize("first", DATUMS)
@pytest.mark.parametrize("second", DATUMS)
def test_two_datums_in_a_row_prove_each_other(first: str, second: str) -> None:
    found = proof.by_pair(shifted(first), shifted(second), None)
    assert found.datum == (first if first != second else None)
    assert proof.by_pair(shifted(first), shifted(second), second).datum == first


def test_two_columns_that_have_nothing_to_do_with_each_other_prove_nothing() -> None:
    assert proof.by_pair(shifted("wgs84"), (LON + 0.004, LAT - 0.002), None).datum is None


@pytest.mark.parametrize("datum", DATUMS)
def test_thirty_rows_that_match_prove_and_twenty_nine_do_not(datum: str) -> None:
    lon, lat = shifted(datum)
    near = LON + RNG.normal(0, 0.0002, 60)  # another list places a shop some twenty metres off
    assert proof.by_matches(lon[:30], lat[:30], near[:30], LAT[:30]) == (datum, "matches")
    assert proof.by_matches(lon[:29], lat[:29], near[:29], LAT[:29]).datum is None


def test_matches_under_two_datums_prove_nothing() -> None:
    a, b = shifted("wgs84"), shifted("gcj02")
    lon, lat = np.r_[a[0], b[0]], np.r_[a[1], b[1]]
    assert proof.by_matches(lon, lat, np.r_[LON, LON], np.r_[LAT, LAT]).datum is None


def test_candidates_name_where_a_row_would_lie() -> None:
    found = proof.candidates(114.3, 30.5)
    assert set(found) == set(DATUMS)
    assert found["wgs84"] == (114.3, 30.5)
    assert len(set(found.values())) == 3
