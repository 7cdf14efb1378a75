"""
Merchants that are in a list twice, or in a list and in the store: found by what tells them apart.

Pairs are looked for where they can be (`data.lists.candidates`); each is then judged by its names, the
distance, telephone, address and category (`data.lists.judging`). Of a long list the pieces of ground are
looked at on all cores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.lists.candidates import Piece, by_identifier, candidates, pieces_of, planes_of
from data.lists.double_names import CONFLICT
from data.lists.judging import CERTAIN, LEVELS, POSSIBLE, PROBABLE, judged, relations
from data.lists.processes import shared_out
from data.lists.signs import Floats, Rows, Signs, signs_of
from geo.errors import N_, Cancelled

__all__ = [
    "CERTAIN",
    "FEW",
    "LEVELS",
    "POSSIBLE",
    "PROBABLE",
    "Pairs",
    "Signs",
    "between",
    "signs_of",
    "within",
]

FEW = 4  # pairs kept for a row
LONG = 200_000  # rows from which other processes are worth their beginning
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pairs:
    """
    Rows that may be one merchant.

    Parameters
    ----------
    a, b
        Of one list, `a` comes later than `b`; of two, `a` counts in the new and `b` in the stored.
    level
        POSSIBLE, PROBABLE or CERTAIN.
    score
        The higher, the surer.
    """

    a: Rows
    b: Rows
    level: NDArray[np.int8]
    score: Floats

    def __len__(self) -> int:
        return len(self.a)

    def at_least(self, level: int) -> Pairs:
        """Return the pairs of a level and above."""
        keep = self.level >= level
        return Pairs(self.a[keep], self.b[keep], self.level[keep], self.score[keep])


def within(
    signs: Signs, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> Pairs:
    """
    Return which rows of a list may be one merchant.

    Parameters
    ----------
    signs
        Of the list.
    progress
        Called with the rows done and all.
    cancelled
        Asked now and then whether to stop.

    Raises
    ------
    Cancelled
        When told to stop.
    """
    return _found(signs, None, progress, cancelled)


def between(
    new: Signs,
    stored: Signs,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Pairs:
    """Return which rows of a list may be merchants of another; see `within`."""
    return _found(new, stored, progress, cancelled)


def _found(
    new: Signs, stored: Signs | None, progress: Progress | None, cancelled: Callable[[], bool] | None
) -> Pairs:
    other = new if stored is None else stored
    if not len(new) or not len(other):
        return _no_pairs()
    plane, other_plane = planes_of(new, stored)
    found, done = [], 0
    pieces = pieces_of(new, other, plane, other_plane, own=stored is None)
    for rows, pairs in shared_out(_looked_at, pieces, alone=len(new) < LONG):
        if cancelled is not None and cancelled():
            raise Cancelled(N_("The import was stopped. Nothing of it was kept."))
        found.append(pairs)
        done += rows
        if progress is not None:
            progress(done, len(new))
    a, b = by_identifier(new, other, plane, other_plane, own=stored is None)
    found.append(judged(new, other, plane, other_plane, a, b))
    return _best(found, new, other)


def _looked_at(piece: Piece) -> tuple[int, pd.DataFrame]:
    """Return how many rows a piece has, and their pairs."""
    a, b = candidates(piece)
    pairs = judged(piece.mine, piece.theirs, piece.plane, piece.other_plane, a, b)
    return len(piece.rows), pairs.assign(a=piece.rows[pairs["a"]], b=piece.near[pairs["b"]])


def _no_pairs() -> Pairs:
    none = np.empty(0, np.int64)
    return Pairs(none, none, np.empty(0, np.int8), np.empty(0))


def _best(found: list[pd.DataFrame], new: Signs, other: Signs) -> Pairs:
    """Return the best few pairs of each row."""
    pairs = _unopened(pd.concat(found, ignore_index=True), new, other)
    pairs = pairs.sort_values(["a", "score", "b"], ascending=[True, False, True], kind="stable")
    pairs = pairs[pairs.groupby("a").cumcount() < FEW]
    return Pairs(
        pairs["a"].to_numpy(np.int64),
        pairs["b"].to_numpy(np.int64),
        pairs["level"].to_numpy(np.int8),
        pairs["score"].to_numpy(np.float64),
    )


def _unopened(pairs: pd.DataFrame, new: Signs, other: Signs) -> pd.DataFrame:
    """Mark down what leaves a name open where the row goes better with one that this one is not."""
    probable = pairs[pairs["level"] >= PROBABLE]
    for side, partner, signs in (("a", "b", other), ("b", "a", new)):
        left = probable[probable["open"] & (probable["level"] == PROBABLE)]
        rival = left.reset_index().merge(probable, on=side, suffixes=("", "_rival"))
        rival = rival[(rival["score_rival"] > rival["score"]) & (rival[partner] != rival[f"{partner}_rival"])]
        names, _ = relations(
            signs, signs, rival[partner].to_numpy(np.int64), rival[f"{partner}_rival"].to_numpy(np.int64)
        )
        pairs.loc[rival["index"][names == CONFLICT].unique(), "level"] = POSSIBLE
    return pairs
