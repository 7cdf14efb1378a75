from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pyproj import Geod

from geo import coverage
from geo.coverage import Figure
from tests.test_geo.conftest import CARD, LOAN, PAYROLL, QR_CODE, SAVINGS

codes = arrays.arrays(np.int16, st.integers(0, 50), elements=st.integers(-1, 4))


def test_a_target_group_counts_its_people(toy_town) -> None:
    reached, reachable = coverage.customer_coverage(toy_town.existing, toy_town.size, toy_town.group, 3)
    assert reached.tolist() == [4, 1, 0]
    assert reachable.tolist() == [5, 24, 0]  # 4 + 1; 1 + 1 + 1 + 1 + 20


def test_a_closed_merchant_counts_on_neither_side(toy_town) -> None:
    signed, known = coverage.merchant_coverage(toy_town.signed, toy_town.closed, toy_town.category, 3)
    assert signed.tolist() == [1, 1, 0]
    assert known.tolist() == [2, 1, 0]
    signed, known = coverage.merchant_coverage([True], [True], [0], 1)
    assert (signed[0], known[0]) == (0, 0)


def test_figures_know_what_they_are_made_of() -> None:
    assert Figure.ratio(4, 5) == (0.8, 4.0, 5.0)
    assert Figure.ratio(0, 5) == (0.0, 0.0, 5.0)
    assert Figure.ratio(4, 0) == (None, 4.0, 0.0)
    assert Figure.ratio(4, None) == (None, 4.0, None)
    assert Figure.ratio(float("nan"), 5) == (None, None, 5.0)
    assert Figure.plain(7) == (7.0, 7.0, None)
    assert Figure.plain(None) == (None, None, None)


def test_match_is_the_share_of_what_is_recommended(toy_town) -> None:
    lists = np.array([QR_CODE | LOAN, SAVINGS | CARD | PAYROLL], dtype=np.uint64)
    ours = toy_town.existing
    match = coverage.product_match(toy_town.holdings[ours], lists[toy_town.group[ours]])
    assert match.tolist() == [1.0, 0.5, 0.0, 0.0, 1.0]
    sums, count = coverage.mean_of(match, toy_town.group[ours], 3)
    assert sums.tolist() == [1.5, 1.0, 0.0]
    assert count.tolist() == [4, 1, 0]


def test_no_recommendation_is_no_match_rather_than_none(toy_town) -> None:
    match = coverage.product_match(toy_town.holdings[:2], np.zeros(2, dtype=np.uint64))
    assert np.isnan(match).all()
    sums, count = coverage.mean_of(match, [0, 0], 1)
    assert Figure.ratio(sums[0], count[0]).value is None


def test_the_highest_product_counts_like_the_lowest() -> None:
    top = np.array([1 << 62], dtype=np.uint64)
    assert coverage.product_match(top, top).tolist() == [1.0]


@pytest.mark.parametrize(("at_least", "holding"), [(2, 3), (3, 2), (5, 1), (6, 0)])
def test_cross_holding_counts_customers_with_so_many_products(toy_town, at_least: int, holding: int) -> None:
    held = toy_town.holdings[toy_town.existing]  # 3, 2, 1, 0 and 5 products
    having, customers = coverage.cross_holding(held, at_least)
    assert (having[0], customers[0]) == (holding, 5)


def test_products_mean_per_group(toy_town) -> None:
    ours = toy_town.existing
    products, customers = coverage.products_mean(toy_town.holdings[ours], toy_town.group[ours], 3)
    assert products.tolist() == [6, 5, 0]
    assert customers.tolist() == [4, 1, 0]


def test_preferences_name_the_commonest_tags_with_their_shares() -> None:
    vocabulary = [(), ("early",), ("early", "tea"), ("tea", "tea")]
    found = coverage.preferences([2, 1, 0, -1, 3], vocabulary, [0, 0, 0, 0, 1], 3, top=2)
    assert [(p.name, *p.figure) for p in found[0]] == [("early", 0.5, 2.0, 4.0), ("tea", 0.25, 1.0, 4.0)]
    assert [(p.name, *p.figure) for p in found[1]] == [("tea", 1.0, 1.0, 1.0)]
    assert found[2] == []


def test_equally_common_tags_come_by_name() -> None:
    found = coverage.preferences([0, 0], [("b", "c", "a")], [0, 0], 1, top=2)
    assert [p.name for p in found[0]] == ["a", "b"]
    assert coverage.preferences([], [], [], 2) == [[], []]


def test_customers_past_half_way_to_the_rival_are_nearer_to_it(toy_town) -> None:
    lon, lat = toy_town.at(toy_town.customers_m)
    rivals = toy_town.at(toy_town.rivals_m)
    nearer = coverage.nearer_rival(lon, lat, toy_town.lon, toy_town.lat, *rivals)
    assert nearer.tolist() == [False] * 3 + [True] * 7  # half way is 325 m
    assert not coverage.nearer_rival(lon, lat, toy_town.lon, toy_town.lat, [], []).any()
    assert coverage.nearer_rival([], [], toy_town.lon, toy_town.lat, *rivals).shape == (0,)


def test_a_rival_next_door_wins_nobody_at_a_tie(toy_town) -> None:
    lon, lat = toy_town.at(toy_town.customers_m)
    beside = coverage.nearer_rival(lon, lat, toy_town.lon, toy_town.lat, [toy_town.lon], [toy_town.lat])
    assert not beside.any()


def test_nearer_agrees_with_geodesics() -> None:
    random = np.random.default_rng(11)
    geod = Geod(ellps="WGS84")
    lon, lat = 114 + random.normal(0, 0.1, 500), 30 + random.normal(0, 0.1, 500)
    rival_lon, rival_lat = 114 + random.normal(0, 0.1, 7), 30 + random.normal(0, 0.1, 7)
    to_branch = geod.inv(np.full(500, 114.0), np.full(500, 30.0), lon, lat)[2]
    to_rivals = [
        geod.inv(np.full(500, a), np.full(500, b), lon, lat)[2]
        for a, b in zip(rival_lon, rival_lat, strict=True)
    ]
    expected = np.min(to_rivals, axis=0) < to_branch
    assert (coverage.nearer_rival(lon, lat, 114.0, 30.0, rival_lon, rival_lat) == expected).all()


@given(codes)
def test_each_row_counts_in_one_code_and_those_below_0_in_none(by: np.ndarray) -> None:
    counts = coverage.totals(by, 5)
    assert counts.sum() == (by >= 0).sum()
    assert counts.tolist() == [(by == code).sum() for code in range(5)]


def test_unknown_amounts_count_nothing() -> None:
    assert coverage.totals([0, 0, 1, -1], 3, [1.5, np.nan, 2.0, 9.0]).tolist() == [1.5, 2.0, 0.0]
