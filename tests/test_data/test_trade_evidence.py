"""What the bank's own data say of which trades go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.alliances.evidence import COLUMNS, evidence
from data.alliances.matrix import RANK, shipped
from tests.test_data.test_suggesting import town


@pytest.fixture(scope="module")
def said():
    """Laundries beside gyms, and hotels far from restaurants, each along a street of families."""
    lot, shops = np.random.default_rng(4), []
    for start in lot.uniform(0, 20_000, 40):
        shops += [(start, "laundry", "known"), (start + 5.0, "gym", "known")]
    shops += [(30_000 + x, "hotel", "known") for x in lot.uniform(0, 3000, 40)]
    shops += [(60_000 + x, "restaurant", "known") for x in lot.uniform(0, 3000, 40)]
    homes = [(float(x), "families", 1) for x in range(0, 64_000, 50)]
    known = shipped()
    weak = known.complement.copy()
    weak[RANK["laundry"], RANK["gym"]] = weak[RANK["gym"], RANK["laundry"]] = 0.0
    found = evidence(town(shops, homes), replace(known, complement=weak, key="weak"))
    return found.set_index(["a", "b"])


def test_trades_that_stand_together_and_share_customers_are_to_be_raised(said) -> None:
    row = said.loc[("laundry", "gym")]
    assert row["says"] == "raise"
    assert row["quotient"] > 1.5 and row["p"] < 0.05 and row["shared"] > 0.2


def test_trades_that_keep_apart_though_the_file_joins_them_are_to_be_lowered(said) -> None:
    row = said.loc[("hotel", "restaurant")]
    assert row["says"] == "lower"
    assert row["quotient"] == 0.0 and np.isnan(row["shared"])


def test_the_plainest_come_first_and_nothing_is_certain_of_nobody(said) -> None:
    assert (said["p"] < 0.05).all()
    says = said["says"].tolist()
    assert says.index("agree") > max(at for at, word in enumerate(says) if word != "agree")
    for shops in ([], [(0.0, "gym", "known")]):
        empty = evidence(town(shops, []), shipped())
        assert empty.empty and list(empty.columns) == list(COLUMNS)
