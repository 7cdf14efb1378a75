"""The designer: small grounds worked by hand, and what holds of every plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import measures
from geo.blocks import Blocks, linked
from geo.design import Design, Limits, design, rebalance
from geo.errors import Cancelled, GeoError

QUICK = 0.05


def grid(wide: int, high: int) -> Blocks:
    """Return squares of 100 m, row by row."""
    at = np.arange(wide * high).reshape(high, wide)
    pairs = np.concatenate(
        [
            np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]),
            np.column_stack([at[:-1].ravel(), at[1:].ravel()]),
        ]
    )
    y, x = np.divmod(np.arange(wide * high), wide)
    return linked(range(wide * high), x * 100.0, y * 100.0, pairs, 100.0)


def together(found: Design) -> set[frozenset[int]]:
    """Return the zones as sets of blocks: their numbers mean nothing."""
    return {frozenset(np.flatnonzero(found.zone == zone).tolist()) for zone in range(found.zones)}


def check(blocks: Blocks, zones: int, found: Design) -> None:
    """Check what holds of every plan: each block in one zone, no zone empty, each in one piece."""
    assert found.zone.shape == (len(blocks),)
    assert sorted(set(found.zone.tolist())) == list(range(zones))
    assert found.contiguous


# By hand ----------------------------------------------------------------------------------------------------


def test_a_street_of_six_falls_into_two_halves() -> None:
    found = design(grid(6, 1), np.ones(6), 2)
    assert together(found) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    # Each half: 100 m to either side of its middle.
    assert (found.dispersion, found.boundary_m, found.largest_deviation) == (400.0, 100.0, 0.0)
    assert sorted(found.centres.tolist()) == [1, 4] and found.within


def test_a_square_falls_into_four_of_a_middle_and_three_beside_it() -> None:
    found = design(grid(4, 4), np.ones(16), 4, effort=QUICK)
    check(grid(4, 4), 4, found)
    # Three of a zone's four blocks are at least 100 m from its middle; T shapes keep that, quarters do not.
    assert found.dispersion == 4 * 300.0
    assert found.within and found.largest_deviation == 0.0


def test_several_measures_are_balanced_at_once() -> None:
    # Merchants lie in the west, households in the east: only zones from west to east hold half of each.
    merchants = np.tile([3.0, 1.0, 0.0, 0.0], 4)
    households = np.tile([0.0, 0.0, 20.0, 60.0], 4)
    found = design(grid(4, 4), np.column_stack([merchants, households]), 2, effort=QUICK)
    assert found.within and found.largest_deviation <= 0.05
    assert measures.loads(found.zone, 2, np.column_stack([merchants, households])).tolist() == [[8, 160]] * 2


def test_weighted_dispersion_counts_what_blocks_weigh() -> None:
    blocks = grid(3, 1)
    total, centres = measures.dispersion(blocks.x, blocks.y, np.array([10.0, 1.0, 1.0]), np.zeros(3, int), 1)
    assert (total, centres.tolist()) == (300.0, [0])  # 1 x 100 + 1 x 200
    plain, centres = measures.dispersion(blocks.x, blocks.y, np.ones(3), np.zeros(3, int), 1)
    assert (plain, centres.tolist()) == (200.0, [1])


def test_a_seed_lies_in_the_zone_it_was_given_to() -> None:
    found = design(grid(6, 1), np.ones(6), 2, seeds=[5, 0])
    assert (found.zone[5], found.zone[0]) == (0, 1)
    assert together(found) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}


def test_hard_limits_are_kept_where_the_tolerance_would_allow_more() -> None:
    limits = Limits(tolerance=1.0, lowest=[4.0], highest=[5.0])
    found = design(grid(3, 3), np.ones(9), 2, limits=limits, effort=QUICK)
    assert found.within
    assert sorted(np.bincount(found.zone).tolist()) == [4, 5]


# The bound --------------------------------------------------------------------------------------------------


def test_the_bound_names_the_block_that_weighs_more_than_a_zone_should() -> None:
    weights = np.array([1.0, 1, 1, 9, 1, 1, 1, 1])  # 16 in all, 4 a zone
    found = design(grid(8, 1), weights, 4)
    assert (found.bound.deviation, found.bound.block, found.bound.measure) == (1.25, 3, 0)
    assert not found.within and found.largest_deviation >= 1.25
    check(grid(8, 1), 4, found)


def test_whole_numbers_do_not_divide_evenly() -> None:
    # Ten in three zones: one has at least 4 where 3 1/3 is the ideal.
    assert measures.bound(np.ones((10, 1)), 3).deviation == pytest.approx(0.2)
    assert measures.bound(np.ones((9, 1)), 3).deviation == 0.0
    assert measures.bound(np.full((9, 1), 0.3), 3).deviation == pytest.approx(0.0)


def test_parts_of_the_ground_get_whole_numbers_of_zones() -> None:
    islands = linked(range(5), [0, 1, 2, 9, 10], [0] * 5, [(0, 1), (1, 2), (3, 4)], 1.0)
    found = design(islands, np.ones(5), 2)
    assert together(found) == {frozenset({0, 1, 2}), frozenset({3, 4})}
    # 2.5 is the ideal.
    assert found.bound.deviation == pytest.approx(0.2)
    assert found.largest_deviation == pytest.approx(0.2)


# Odd grounds ------------------------------------------------------------------------------------------------


def test_one_block_is_one_zone() -> None:
    found = design(linked([0], [0.0], [0.0], [], 1.0), [5.0], 1)
    assert (found.zone.tolist(), found.dispersion, found.pieces, found.within) == ([0], 0.0, 1, True)


def test_as_many_zones_as_blocks_is_a_block_each() -> None:
    found = design(grid(3, 2), np.ones(6), 6)
    check(grid(3, 2), 6, found)
    assert found.dispersion == 0.0


@pytest.mark.parametrize("zones", [0, 7])
def test_more_zones_than_blocks_or_none_are_refused(zones: int) -> None:
    with pytest.raises(GeoError, match="6 blocks"):
        design(grid(6, 1), np.ones(6), zones)


def test_no_blocks_are_refused() -> None:
    with pytest.raises(GeoError):
        design(linked([], [], [], [], 1.0), [], 1)


def test_more_islands_than_zones_are_refused() -> None:
    with pytest.raises(GeoError, match="3 parts"):
        design(linked(range(3), [0, 5, 9], [0] * 3, [], 1.0), np.ones(3), 2)


def test_weights_of_zero_leave_compactness_alone() -> None:
    found = design(grid(6, 1), np.zeros(6), 2)
    check(grid(6, 1), 2, found)
    assert (found.largest_deviation, found.bound.deviation, found.within) == (0.0, 0.0, True)
    assert found.dispersion == 400.0


def test_blocks_on_one_spot_are_divided_all_the_same() -> None:
    blocks = grid(4, 4)
    same = linked(range(16), [0.0] * 16, [0.0] * 16, np.column_stack([blocks.owners, blocks.neighbours]), 1.0)
    found = design(same, np.ones(16), 4, effort=QUICK)
    check(same, 4, found)
    assert found.within


@pytest.mark.parametrize("weights", [[1, np.nan, 1, 1], [1, -1, 1, 1], [1, np.inf, 1, 1]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(GeoError, match="Weights"):
        design(grid(4, 1), weights, 2)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(tolerance=-0.1), "tolerance"),
        (Limits(lowest=[3.0]), "breaks the limits"),
        (Limits(highest=[1.0]), "breaks the limits"),
    ],
)
def test_limits_that_nothing_can_keep_are_refused(limits: Limits, message: str) -> None:
    with pytest.raises(GeoError, match=message):
        design(grid(4, 1), np.ones(4), 2, limits=limits)


@pytest.mark.parametrize("seeds", [[0, 0], [0, 1, 2], [4], [-1]])
def test_seeds_that_are_none_are_refused(seeds: list[int]) -> None:
    with pytest.raises(GeoError, match="[Ss]eed"):
        design(grid(4, 1), np.ones(4), 2, seeds=seeds)


def test_a_dense_corner_of_an_empty_ground_is_divided_evenly() -> None:
    weights = np.zeros((30, 30))
    weights[:6, :6] = 1.0
    found = design(grid(30, 30), weights.ravel(), 6, effort=0.2)
    check(grid(30, 30), 6, found)
    assert found.within and found.largest_deviation == 0.0


# Every plan -------------------------------------------------------------------------------------------------


@st.composite
def grounds(draw: st.DrawFn) -> tuple[Blocks, np.ndarray, int]:
    wide, high = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    weights = draw(st.lists(st.sampled_from([0, 1, 2, 3, 50]), min_size=wide * high, max_size=wide * high))
    return grid(wide, high), np.array(weights, dtype=float), draw(st.integers(1, min(6, wide * high)))


@settings(max_examples=25)
@given(grounds(), st.integers(0, 9))
def test_every_plan_is_a_partition_into_whole_pieces(
    ground: tuple[Blocks, np.ndarray, int], seed: int
) -> None:
    blocks, weights, zones = ground
    found = design(blocks, weights, zones, seed=seed, effort=0.02)
    check(blocks, zones, found)
    assert found.largest_deviation >= found.bound.deviation - 1e-9
    assert found.within == (found.largest_deviation <= 0.05 + 1e-9)
    assert measures.loads(found.zone, zones, weights[:, None]).sum() == weights.sum()


@settings(max_examples=6)
@given(st.integers(2, 5), st.integers(2, 4), st.integers(0, 99))
def test_the_tolerance_is_kept_where_blocks_are_light(side: int, zones: int, seed: int) -> None:
    # A zone has at least sixteen blocks of nearly one weight: there is a plan.
    weights = np.random.default_rng(seed).uniform(0.9, 1.1, (16 * side, 2))
    blocks = grid(4 * side, 4)
    found = design(blocks, weights, min(zones, side), seed=seed, effort=0.1)
    assert found.within, found.largest_deviation


def test_the_same_seed_gives_the_same_zones() -> None:
    blocks, weights = grid(8, 8), np.random.default_rng(1).uniform(1, 3, 64)
    first, again = (design(blocks, weights, 5, seed=3, effort=QUICK) for _ in range(2))
    assert (first.zone == again.zone).all()


def test_progress_rises_to_the_whole_and_a_stop_is_heeded() -> None:
    told: list[tuple[int, int]] = []
    design(grid(5, 5), np.ones(25), 3, effort=0.01, progress=lambda done, whole: told.append((done, whole)))
    assert told == sorted(told) and told[-1] == (1000, 1000)
    with pytest.raises(Cancelled):
        design(grid(5, 5), np.ones(25), 3, cancelled=lambda: len(told) > 1)


# Rebalancing ------------------------------------------------------------------------------------------------


def test_a_plan_within_its_limits_stays_as_it_is() -> None:
    present = np.array([0, 0, 0, 1, 1, 1])
    found = rebalance(grid(6, 1), np.ones(6), present)
    assert not found.changed and found.kept_share == 1.0
    assert found.design.zone.tolist() == present.tolist()


def test_the_least_is_moved() -> None:
    found = rebalance(grid(8, 1), np.ones(8), [0, 0, 0, 0, 0, 1, 1, 1])
    assert found.design.zone.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (found.changed, found.moved.tolist().index(True), found.kept_share) == (True, 4, 7 / 8)


def test_what_is_locked_stays() -> None:
    locked = np.arange(8) == 4
    found = rebalance(grid(8, 1), np.ones(8), [0, 0, 0, 0, 0, 1, 1, 1], locked=locked)
    assert not found.changed and not found.design.within


def test_nothing_better_changes_nothing() -> None:
    # One block weighs all there is: moving others helps nobody.
    found = rebalance(grid(4, 1), [10.0, 0, 0, 0], [0, 1, 1, 1])
    assert not found.changed and found.kept_share == 1.0


def test_blocks_without_a_zone_go_to_one_beside_them() -> None:
    found = rebalance(grid(6, 1), np.ones(6), [0, 0, -1, -1, 1, 1])
    assert found.design.zone.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.changed and found.kept_share == 1.0


def test_a_zone_in_pieces_is_brought_together() -> None:
    found = rebalance(grid(6, 1), np.ones(6), [0, 0, 1, 0, 1, 1])
    assert found.design.contiguous and found.design.within


def test_a_zone_without_blocks_cannot_be_rebalanced() -> None:
    with pytest.raises(GeoError, match="start from"):
        rebalance(grid(4, 1), np.ones(4), [0, 0, 0, 0], zones=2)
    with pytest.raises(GeoError, match="no zone"):
        rebalance(linked(range(2), [0, 5], [0, 0], [], 1.0), np.ones(2), [0, -1])


# Asked in other ways ----------------------------------------------------------------------------------------


def test_zones_are_as_large_as_their_shares() -> None:
    found = design(grid(9, 1), np.ones(9), 2, limits=Limits(shares=[2.0, 1.0]))
    assert np.bincount(found.zone).tolist() == [6, 3] and found.largest_deviation == 0.0
    with pytest.raises(GeoError, match="share"):
        design(grid(9, 1), np.ones(9), 2, limits=Limits(shares=[1.0, 0.0]))


def test_the_better_of_the_candidates_are_started_from() -> None:
    # The ends of a street: two of them are the middles of its halves.
    found = design(grid(8, 1), np.ones(8), 2, candidates=[0, 1, 6], effort=QUICK)
    assert {int(found.zone[1]), int(found.zone[6])} == {0, 1} and found.within
    with pytest.raises(GeoError, match="candidates"):
        design(grid(8, 1), np.ones(8), 2, candidates=[3])


def test_zones_are_more_even_than_asked_where_borders_allow() -> None:
    blocks, weights = grid(20, 20), np.random.default_rng(2).integers(1, 9, 400).astype(float)
    options = {"mass": weights, "border_share": 2.0, "effort": 0.05, "seed": 1}
    plain = design(blocks, weights, 4, **options)  # type: ignore[arg-type]
    even = design(blocks, weights, 4, give=0.1, **options)  # type: ignore[arg-type]
    check(blocks, 4, even)
    assert even.largest_deviation < min(0.04, plain.largest_deviation + 1e-9)


def test_no_more_starts_are_tried_than_is_enough() -> None:
    asked: list[int] = []
    design(grid(6, 1), np.ones(6), 2, enough=lambda: asked.append(1) is None)
    assert asked == [1]
