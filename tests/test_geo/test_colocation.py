"""Which trades seek each other's company."""

from __future__ import annotations

import numpy as np
import pytest

from geo.colocation import company, quotients


def test_a_row_of_shops_worked_by_hand():
    """
    A B . . A B . . (far apart) … five pairs of A with B beside it, and five C alone: the nearest is counted.

    Every A has a B next to it and every B an A: the share is 1, by chance it would be 5 / 14.
    """
    x = [1000.0 * pair + step for pair in range(5) for step in (0.0, 10.0)] + [0.0, 100, 200, 300, 400]
    y = [0.0] * 10 + [9000.0] * 5
    trade = [0, 1] * 5 + [2] * 5
    quotient, p = quotients(x, y, trade, 4, neighbours=1)
    assert quotient[0, 1] == quotient[1, 0] == pytest.approx(1 / (5 / 14))
    assert quotient[0, 2] == quotient[0, 0] == 0.0
    assert quotient[2, 2] == pytest.approx(1 / (4 / 14))
    assert p[0, 1] < 0.05 and p[2, 2] < 0.05
    assert np.isnan(quotient[3]).all() and (p[3] == 1.0).all()


def test_company_may_be_sought_by_one_side_only():
    """Bars stand round the one food street; most restaurants are elsewhere."""
    lot = np.random.default_rng(1)
    street, town = lot.normal(0, 20, (2, 40)), lot.uniform(-5000, 5000, (2, 200))
    x, y = np.concatenate([street, town], axis=1)
    trade = [0] * 20 + [1] * 220
    quotient, p = quotients(x, y, trade, 2, neighbours=4)
    assert quotient[0, 0] > 3 and p[0, 0] < 0.05
    assert quotient[1, 0] < 1


def test_by_chance_few_are_certain():
    lot = np.random.default_rng(7)
    quotient, p = quotients(*lot.uniform(0, 5000, (2, 1500)), lot.integers(0, 8, 1500), 8)
    assert (p < 0.05).mean() <= 0.2
    assert np.nanmax(np.abs(quotient - 1)) < 0.3


def test_shops_on_one_spot_are_neighbours_by_lot():
    trade = np.repeat([0, 1], 30)
    first, p = quotients(np.zeros(60), np.zeros(60), trade, 2, seed=5)
    assert np.abs(first - 1).max() < 0.35 and (p > 0.05).all()
    again, _ = quotients(np.zeros(60), np.zeros(60), trade, 2, seed=5)
    assert (first == again).all()


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_shop_or_none_nothing_is_said(count):
    quotient, p = quotients(np.zeros(count), np.zeros(count), np.zeros(count), 2)
    assert np.isnan(quotient).all() and (p == 1.0).all()


def test_two_shops_are_too_few_to_say_anything():
    quotient, p = quotients([0.0, 1.0], [0.0, 0.0], [0, 1], 2)
    assert np.isnan(quotient).all() and (p == 1.0).all()


def test_company_is_a_half_unless_it_is_certain():
    quotient = [[3.0, 3.0], [1.0, np.nan]]
    part = company(quotient, [[0.02, 0.5], [0.02, 1.0]])
    assert part.tolist() == [[0.75, 0.5], [0.5, 0.5]]
    assert company([[1.0, 3.0], [0.0, 1.0]], np.zeros((2, 2)))[0, 1] == pytest.approx((0.75 + 0.0) / 2)
