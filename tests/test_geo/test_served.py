"""What two merchants gain from each other, against looking at each customer."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crowd import Crowd
from geo.served import NO_GROUP, Shops, shared

metres = st.one_of(st.integers(-30, 30).map(lambda step: 25.0 * step), st.floats(-800, 800, width=32))


def shops(x, y, reach_m, serves):
    return Shops(
        *(np.array(each, dtype=float) for each in (x, y, reach_m)), np.array(serves, dtype=np.uint32)
    )


def ids(*numbers):
    return np.array(numbers, dtype=np.int32)


@settings(max_examples=150)
@given(
    customers=st.lists(st.tuples(metres, metres, st.integers(0, 5), st.integers(0, 50)), max_size=80),
    merchants=st.lists(
        st.tuples(metres, metres, st.sampled_from([0.0, 25.0, 300.0, 500.0, np.nan]), st.integers(0, 63)),
        min_size=2,
        max_size=6,
    ),
)
def test_pairs_share_and_gain_what_looking_at_each_finds(customers, merchants):
    x, y, bits, people = np.array(customers, dtype=float).reshape(-1, 4).T
    crowd = Crowd.build(x, y, bits.astype(int), people)
    a, b = (each.astype(np.int32) for each in np.triu_indices(len(merchants), 1))
    found = shared(crowd, shops(*zip(*merchants, strict=True)), a, b)
    near = [(x - mx) ** 2 + (y - my) ** 2 <= reach * reach for mx, my, reach, _ in merchants]
    asks = [((mask >> bits.astype(int)) & 1).astype(bool) for *_, mask in merchants]
    served = [people[inside & wanted].sum() for inside, wanted in zip(near, asks, strict=True)]
    assert found.served.tolist() == served
    for pair, (i, j) in enumerate(zip(a, b, strict=True)):
        common = asks[i] & asks[j]
        both, at_j, at_i = near[i] & near[j], near[j] & ~near[i], near[i] & ~near[j]
        assert found.both[pair] == people[both & common].sum()
        assert found.gain_a[pair] == people[at_j & common].sum()
        assert found.gain_b[pair] == people[at_i & common].sum()
        by_group = np.bincount(bits[at_j & common].astype(int), people[at_j & common], minlength=6)
        leading = int(by_group.argmax()) if by_group.any() else NO_GROUP
        assert found.group_a[pair] == leading
    either = found.served[a] + found.served[b] - found.both
    jaccard = found.jaccard(a, b)
    assert (jaccard[either > 0] == found.both[either > 0] / either[either > 0]).all()
    assert (jaccard[either == 0] == 0.0).all()


def test_a_pair_worked_by_hand():
    """
    A at 0 and B at 300, both reaching 200 m; A serves groups 0 and 1, B groups 1 and 2.

    x        -200  -50   100   150   400   450   500   501
    group       0    1     1     2     1     2     1     1
    people      1   10    20    40    80   160   320   640
    """
    crowd = Crowd.build(
        [-200.0, -50.0, 100.0, 150.0, 400.0, 450.0, 500.0, 501.0],
        np.zeros(8),
        [0, 1, 1, 2, 1, 2, 1, 1],
        [1, 10, 20, 40, 80, 160, 320, 640],
    )
    found = shared(crowd, shops([0, 300], [0, 0], [200, 200], [0b011, 0b110]), ids(0), ids(1))
    assert found.served.tolist() == [31, 20 + 40 + 80 + 160 + 320]
    assert (found.both[0], found.gain_a[0], found.gain_b[0]) == (20, 400, 10)
    assert (found.group_a[0], found.group_b[0]) == (1, 1)
    assert found.jaccard(ids(0), ids(1)).tolist() == [20 / (31 + 620 - 20)]


def test_merchants_that_serve_nobody_gain_nothing():
    crowd = Crowd.build([0.0, 10.0], [0.0, 0.0], [0, 1], [5, 7])
    own = shops([0, 0, 5], [0, 0, 0], [100, 100, 100], [0b00, 0b11, 0b10])
    found = shared(crowd, own, ids(0, 1), ids(1, 2))
    assert found.served.tolist() == [0, 12, 7]
    assert found.gain_a.tolist() == found.gain_b.tolist() == [0, 0]
    assert found.both.tolist() == [0, 7]
    nobody = shared(Crowd.build([], [], [], []), own, ids(0, 1), ids(1, 2))
    assert nobody.served.tolist() == [0, 0, 0] and nobody.both.tolist() == [0, 0]
    assert len(shared(crowd, own, ids(), ids()).both) == 0
