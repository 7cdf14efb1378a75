"""Labelled lists of doubles: what their labels name, and how pairs are counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks import doubles, twins


@pytest.mark.parametrize(
    ("labels", "taken", "groups"),
    [
        (["", "A7", "", "A9"], "id", [0, 0, 1, 1]),
        (["", "2", "", "4"], "row of the file", [0, 0, 1, 1]),
        (["", "青禾", "", "云锦"], "name", [0, 0, 1, 1]),
        (["g1", "g1", "g2", "g2"], "a group", [0, 0, 1, 1]),
        (["A7", "A7", "", "A9"], "id", [0, 0, 1, 1]),
    ],
)
def test_what_labels_name_is_found_out(labels: list[str], taken: str, groups: list[int]) -> None:
    raw = pd.DataFrame(
        {"id": ["A7", "A8", "A9", "B1"], "name": ["青禾", "青禾店", "云锦", "云锦店"], "same_as": labels}
    )
    frame = pd.DataFrame({"lon": [116.0, 116.0, 117.0, 117.0], "lat": 33.0})
    found, said = doubles.grouped(raw, "same_as", np.array([2, 3, 4, 5]), frame)
    assert said.startswith(taken)
    assert pd.factorize(found)[0].tolist() == groups


def test_of_namesakes_the_nearest_is_meant() -> None:
    raw = pd.DataFrame({"name": ["青禾", "青禾", "青禾店"], "same_as": ["", "", "青禾"]})
    frame = pd.DataFrame({"lon": [116.0, 117.0, 117.0], "lat": 33.0})
    found, _ = doubles.grouped(raw, "same_as", np.array([2, 3, 4]), frame)
    assert found[1] == found[2] != found[0]


def test_pairs_are_counted_within_groups() -> None:
    assert doubles._pairs_of(np.array([0, 1, 0, 0])) == {(0, 2), (0, 3), (2, 3)}


def test_a_made_list_keeps_the_promise() -> None:
    made = twins.made(1200, 1)
    found = doubles.judged(doubles.of_frame(made))
    figures = found["levels"]
    assert figures["certain"]["precision"] >= 0.99
    assert figures["certain + probable"]["precision"] >= 0.96
    assert figures["certain + probable"]["recall"] >= 0.92
    assert twins.made(1200, 1).equals(made)
