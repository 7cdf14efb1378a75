"""The benchmark of coverage: both sides see the same rows, and a difference would be counted."""

from __future__ import annotations

import pytest

from benchmarks import coverage, stores
from data.zones.coverage import report


@pytest.fixture(scope="module")
def ground() -> coverage.Ground:
    return coverage.Ground.made(12)


def test_both_put_every_row_in_the_same_zone_and_count_alike(ground: coverage.Ground) -> None:
    town = coverage.snapshot_of(stores.layers(300, 900))
    found = report(town, stores.ASKER, ground.plan)
    theirs = coverage.Peer(town).counts(ground.plan)
    apart = coverage.differences(town, ground.plan, found, theirs)
    assert len(apart) == 7 and not any(apart.values())
    other = (theirs[0] + 1, theirs[1])
    assert coverage.differences(town, ground.plan, found, other)["counts of existing"] == len(other[0])


def test_moved_blocks_go_to_the_zone_beside_them(ground: coverage.Ground) -> None:
    blocks = ground.blocks
    for block, to in ground.borders()[:50]:
        beside = blocks.neighbours[blocks.starts[block] : blocks.starts[block + 1]]
        assert to in ground.zone[beside] and to != ground.zone[block]
    assert list(ground.plan.ids) == list(range(1, 13))
