"""The header of a text table: whether there is one, where it stands, and what columns are called without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from data.meaning import headers as header_words

ROWS_BELOW = 20  # are compared with a row that may be a header
LONGEST_DATA = 200  # characters of a cell that are looked at
# What stands in cells and in no header: a decimal, a long number, two decimals, a shape.
_DATA = re.compile(
    r"\s*(?:[+-]?\d+\.\d+|\d{5,}|[+-]?\d+(?:\.\d+)?\s*[,，;；\s]\s*[+-]?\d+(?:\.\d+)?"
    r"|(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|POLYGON|LINESTRING)\b.*)\s*",
    re.IGNORECASE | re.DOTALL,
)


class Heading(NamedTuple):
    """The columns' names, and the position of the row that they stand in, None where they stand nowhere."""

    headers: tuple[str, ...]
    at: int | None


def heading(rows: Sequence[Sequence[str]], header: bool | None) -> Heading:
    """
    Return the header of a table.

    Parameters
    ----------
    rows
        The first ones.
    header
        Whether there is a header; None to find out.
    """
    at = header_words.header_row([_without_data(row) for row in rows[: header_words.HEADER_WITHIN]])
    if rows and (header or (header is None and not _is_data(rows, at))):
        return Heading(header_words.distinct(_as_wide(rows[at], rows[at + 1 :])), at)
    widths = [len(row) for row in rows if any(row)]
    width = max(set(widths), key=lambda each: (widths.count(each), each), default=0)
    return Heading(tuple(f"列{number}" for number in range(1, width + 1)), None)


def _without_data(row: Sequence[str]) -> list[str]:
    """Return a row with nothing in the cells that no header has: "POINT(1 2)" would be taken for the word."""
    return ["" if _DATA.fullmatch(cell[:LONGEST_DATA]) else cell for cell in row]


def _is_data(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Whether the likeliest header is a row like those below it."""
    below = rows[at + 1 : at + 1 + ROWS_BELOW]
    return any(
        _DATA.fullmatch(cell[:LONGEST_DATA]) and _goes_on(below, column)
        for column, cell in enumerate(rows[at])
    )


def _goes_on(below: Sequence[Sequence[str]], column: int) -> bool:
    cells = [row[column] for row in below if len(row) > column and row[column].strip()]
    return 2 * sum(bool(_DATA.fullmatch(cell[:LONGEST_DATA])) for cell in cells) >= len(cells)


def _as_wide(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """Return the header as wide as the rows, where what is too much or too little of it is empty."""
    widths = [len(cells) for cells in rows[:-1] or rows if any(cells)]
    common = max(set(widths), key=widths.count, default=len(head))
    if common > len(head) and all(not any(cells[len(head) :]) for cells in rows if len(cells) == common):
        return [*head, *[""] * (common - len(head))]
    return head[:common] if not any(cell.strip() for cell in head[common:]) else head
