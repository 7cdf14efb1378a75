"""Customers on cells: whom a merchant serves, against looking at each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crowd import Crowd, by_group, served_counts
from geo.errors import GeoError
from geo.threads import in_parts

# On a coarse lattice many distances are whole: points on the rim and at one spot come up by themselves.
metres = st.one_of(st.integers(-40, 40).map(lambda step: 25.0 * step), st.floats(-1000, 1000, width=32))

reaches = st.sampled_from([0.0, 25.0, 300.0, 500.0, 707.5])


def plain(x, y, bits, people, at_x, at_y, reach, mask):
    """Look at each customer."""
    near = (np.array(x) - at_x) ** 2 + (np.array(y) - at_y) ** 2 <= reach * reach
    return np.flatnonzero(near & ((mask >> np.array(bits, dtype=np.int64)) & 1).astype(bool))


@settings(max_examples=150)
@given(
    customers=st.lists(st.tuples(metres, metres, st.integers(0, 13), st.integers(0, 50)), max_size=60),
    merchants=st.lists(
        st.tuples(
            metres, metres, st.sampled_from([0.0, 25.0, 300.0, 500.0, 707.5]), st.integers(0, 2**14 - 1)
        ),
        min_size=1,
        max_size=8,
    ),
    cell_m=st.sampled_from([20.0, 50.0, 333.0]),
)
def test_served_are_those_looking_at_each_finds(customers, merchants, cell_m):
    x, y, bits, people = (list(column) for column in zip(*customers, strict=True)) if customers else ([],) * 4
    crowd = Crowd.build(x, y, np.array(bits, dtype=int), people, cell_m=cell_m)
    counts = served_counts(crowd, *(list(column) for column in zip(*merchants, strict=True)))
    for (at_x, at_y, reach, mask), count in zip(merchants, counts, strict=True):
        expected = plain(x, y, bits, people, at_x, at_y, reach, mask)
        assert crowd.served(at_x, at_y, reach, mask).tolist() == expected.tolist()
        assert count == np.array(people)[expected].sum() if len(expected) else count == 0.0


def test_the_rim_belongs_to_the_reach():
    crowd = Crowd.build([300.0, 300.0, 0.0], [400.0, 400.001, 500.0], [0, 0, 0], [1, 10, 100])
    assert crowd.served(0.0, 0.0, 500.0, 1).tolist() == [0, 2]
    assert served_counts(crowd, [0.0], [0.0], [500.0], [1]).tolist() == [101.0]


def test_only_groups_the_category_serves_count():
    crowd = Crowd.build([0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [0, 3, 31], [2, 30, 400])
    masks = [0b0001, 0b1000, 0b1001, 1 << 31, 0, 2**32 - 1]
    counts = served_counts(
        crowd, np.zeros(6), np.zeros(6), np.full(6, 10.0), np.array(masks, dtype=np.uint32)
    )
    assert counts.tolist() == [2, 30, 32, 400, 0, 432]
    assert by_group(crowd, [0.0], [0.0], 10.0)[0, [0, 3, 31]].tolist() == [2, 30, 400]
    assert crowd.served(0.0, 0.0, 10.0, 1 << 31).tolist() == [2]


def test_nobody_is_there_or_in_reach():
    empty = Crowd.build([], [], [], [])
    assert served_counts(empty, [0.0], [0.0], [500.0], [7]).tolist() == [0.0]
    assert empty.served(0.0, 0.0, 500.0, 7).tolist() == []
    assert empty.total == 0.0
    crowd = Crowd.build([0.0], [0.0], [0], [5])
    far_off = [9e6, 0.0, 0.0]
    assert served_counts(crowd, far_off, [0.0] * 3, [500.0, np.nan, -1.0], [1] * 3).tolist() == [0.0] * 3
    assert served_counts(crowd, [], [], [], []).tolist() == []


def test_somebody_on_the_other_side_of_the_earth_costs_no_room():
    crowd = Crowd.build([0.0, 2e7], [0.0, 2e7], [0, 0], [1, 1])
    assert crowd.nbytes < 24 * 2e7 / 50 + 10_000
    assert served_counts(crowd, [2e7], [2e7], [10.0], [1]).tolist() == [1.0]


def test_cells_widen_where_they_would_fill_the_memory(monkeypatch):
    monkeypatch.setattr("geo.crowd._MOST_CELLS", 100)
    x = np.tile([0.0, 10_000.0], 50)
    y = np.repeat(np.arange(50.0), 2)
    crowd = Crowd.build(x, y, np.zeros(100, dtype=int), np.ones(100), cell_m=1.0)
    assert crowd.grid.cell_m > 2.0
    assert served_counts(crowd, [0.0, 10_000.0], [25.0, 0.0], [10.0, 20.0], [1, 1]).tolist() == [21.0, 21.0]


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(GeoError, match="positions in metres"):
        Crowd.build([np.nan], [0.0], [0], [1])
    with pytest.raises(GeoError, match="at most 32"):
        Crowd.build([0.0], [0.0], [32], [1])


def test_work_in_parts_does_every_piece_once():
    done = np.zeros(10_000, dtype=int)

    def work(start: int, end: int) -> None:
        done[start:end] += 1

    in_parts(work, len(done), few=10)
    in_parts(work, 0)
    assert (done == 1).all()
