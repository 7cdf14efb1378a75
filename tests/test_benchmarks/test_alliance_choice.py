"""The benchmark of choosing alliances, on its smallest sizes."""

from __future__ import annotations

from benchmarks.alliance_choice import QUICK, measured, table, targets


def test_greedy_stands_beside_the_exact_choice_and_both_within_the_bound() -> None:
    lines = measured(QUICK)
    assert all(line.exact.exact for line in lines)
    assert all(line.greedy.covered <= line.exact.covered <= line.greedy.bound for line in lines)
    assert all(line.exact.covered <= line.people for line in lines)
    assert all(target.kept for target in targets(lines))
    assert table(lines).count("\n") == len(QUICK) + 1
