"""What a branch's own data say of trades: pairs planted side by side, and customers shared by hand."""

from __future__ import annotations

import numpy as np
import pytest

from data import snapshots
from data.alliances.evidence import evidence
from data.alliances.matrix import Row, assembled, shipped
from tests.test_data.test_forming import SHOPS, street


def said(engine, shops, people=(), matrix=None):
    branch_id, _ids = street(engine, shops, list(people))
    found = evidence(snapshots.snapshot(engine, branch_id), matrix or shipped())
    return found.set_index(["a", "b"])


def test_customers_two_trades_share_are_counted_over_their_near_pairs(sqlite_engine):
    """The kindergarten serves 110, the photographer 90 of whom 50 are shared; 400 m apart."""
    found = said(sqlite_engine, SHOPS, [(-200.0, 40), (300.0, 50), (700.0, 60), (1200.0, 70)])
    row = found.loc[("photo", "kindergarten")]
    assert (row["both"], row["shared"]) == (50, pytest.approx(50 / 150))
    assert row["says"] == "agree"  # three shops prove nothing


def test_trades_that_seek_each_other_speak_for_more_and_those_that_part_for_less(sqlite_engine):
    """Bakeries beside cafés all along the street, kindergartens at the far end of it."""
    east = [100.0 * step for step in range(60)]
    shops = [("bakery", each) for each in east] + [("cafe", each + 1) for each in east]
    shops += [("kindergarten", 9000 + each) for each in east]
    weak = assembled([Row("bakery", "cafe", "complement", 0.3, "好", "good")], {}, "weak")
    found = said(sqlite_engine, shops, matrix=weak)
    together, apart = found.loc[("bakery", "cafe")], found.loc[("bakery", "kindergarten")]
    assert together["quotient"] > 1 > apart["quotient"]
    assert max(together["p"], apart["p"]) < 0.05
    assert (together["says"], apart["says"]) == ("raise", "lower")
    assert np.isnan(apart["shared"]) and apart["both"] == 0
    rivals = assembled([Row("bakery", "cafe", "compete", 0.3, "好", "good")], {}, "rivals")
    assert said_again(sqlite_engine, rivals).loc[("bakery", "cafe"), "says"] == "agree"


def said_again(engine, matrix):
    return evidence(snapshots.snapshot(engine, 1), matrix).set_index(["a", "b"])


@pytest.mark.parametrize(
    "shops", [[], SHOPS[:1], [("cafe", 0.0), ("bakery", 0.0)]], ids=["none", "one", "one point"]
)
def test_of_too_few_shops_nothing_is_known(sqlite_engine, shops):
    found = said(sqlite_engine, shops)
    assert len(found) == (1 if len(shops) == 2 else 0)
    assert (found["says"] == "agree").all()
