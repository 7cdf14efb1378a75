"""What a benchmark says: medians, ratios against their targets, and a table that lines up."""

from __future__ import annotations

import statistics
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

NONE = "-"


class Spread(NamedTuple):
    """Repeated measurements in short."""

    least: float
    median: float
    most: float
    count: int


class Target(NamedTuple):
    """
    A promise, and what was measured.

    Parameters
    ----------
    name
        What is promised.
    value
        Measured; None when the run left it out.
    bound
        The promise.
    at_least
        Whether the value must reach the bound; else it must not exceed it.
    unit
        Written behind both.
    """

    name: str
    value: float | None
    bound: float
    at_least: bool = False
    unit: str = "x"

    @property
    def kept(self) -> bool | None:
        """Whether the promise was kept; None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def spread(values: Sequence[float]) -> Spread | None:
    """Return the least, the median and the most of some measurements; None of none."""
    if not values:
        return None
    return Spread(min(values), statistics.median(values), max(values), len(values))


def median(values: Sequence[float]) -> float | None:
    """Return the median; None of none."""
    found = spread(values)
    return None if found is None else found.median


def ratio(value: float | None, base: float | None) -> float | None:
    """Return how many times the base a value is; None where either is unknown or the base is zero."""
    if value is None or not base:
        return None
    return value / base


def least_and_median(values: Sequence[float], digits: int = 2) -> str:
    """Return `least / median`."""
    found = spread(values)
    return NONE if found is None else f"{found.least:.{digits}f} / {found.median:.{digits}f}"


def kilobytes(count: float | None) -> str:
    """Return bytes in thousands."""
    return NONE if count is None else f"{count / 1000:,.1f}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table whose columns line up: the first to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(header))]
    lines = [_line(row, widths) for row in cells]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], _line(rule, widths), *lines[1:]])


def targets_table(targets: Sequence[Target]) -> str:
    """Return the promises with what was measured, and whether each was kept."""
    words = {True: "kept", False: "MISSED", None: "not measured"}
    rows = [
        (
            target.name,
            f"{'>=' if target.at_least else '<='} {target.bound:g} {target.unit}",
            NONE if target.value is None else f"{target.value:.2f} {target.unit}",
            words[target.kept],
        )
        for target in targets
    ]
    return table(("promise", "bound", "measured", ""), rows)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0] + " " * (widths[0] - _width(cells[0]))
    rest = (" " * (width - _width(cell)) + cell for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "| " + " | ".join([first, *rest]) + " |"


def _width(text: str) -> int:
    """Return how many columns a terminal gives a text: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
