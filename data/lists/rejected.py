"""Rejected rows as a list of their own: as they stood in the file, each with what is wrong, to be mended."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from data.files import readers
from data.lists.reasons import rejects_table
from geo.errors import N_

ROW, REASON = N_("Row"), N_("Why it was rejected")


def rejected_rows(
    source: Path | str | bytes | IO[bytes],
    rejects: pd.DataFrame,
    say: Callable[..., str],
    *,
    name: str = "",
    sheet: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
) -> pd.DataFrame:
    """
    Return the rejected rows of a list with its own columns.

    Parameters
    ----------
    source, name, sheet, encoding, header
        The file, as it was read.
    rejects
        `row, column, reason, params`, as the importer reports them.
    say
        Puts a message into a language.

    Returns
    -------
    rows
        The list's columns by their own headers, then the row's number in the file and the reason. A row with
        too few cells has empty ones at its end, one with too many has those in its last; of a row that a
        format cannot show the cells are empty.
    """
    table = readers.open_table(source, name=name, sheet=sheet, encoding=encoding, header=header)
    told = rejects_table(rejects, say)
    wanted = told["row"].to_numpy(np.int64)
    parts = list(_picked(table, np.unique(wanted)))
    cells = pd.concat(parts) if parts else pd.DataFrame(columns=list(table.headers))
    cells = cells[~cells.index.duplicated()].reindex(wanted).fillna("").reset_index(drop=True)
    blamed = [
        f"{column}: {reason}" if column else reason
        for column, reason in zip(told["column"], told["reason"], strict=True)
    ]
    own = [_free(say(title), table.headers) for title in (ROW, REASON)]
    notes = pd.DataFrame({own[0]: wanted, own[1]: pd.Series(blamed, dtype="str")})
    return pd.concat([cells, notes], axis=1)


def _picked(table: readers.Table, wanted: np.ndarray) -> Iterator[pd.DataFrame]:
    """Yield the rows wanted, by their numbers; nothing is read after the last of them."""
    if not len(wanted):
        return
    for chunk in table.chunks():
        at = np.isin(chunk.rows, wanted)
        if at.any():
            yield chunk.frame[at].set_axis(chunk.rows[at], axis=0)
        if len(chunk.ragged):
            yield _evened(chunk.ragged, table)
        if len(chunk.rows) and chunk.rows[-1] >= wanted[-1]:
            return


def _evened(ragged: pd.DataFrame, table: readers.Table) -> pd.DataFrame:
    """Return rows with too many or too few cells as rows of the list: nothing of them is left out."""
    mark, width = table.delimiter or ",", len(table.headers)
    rows = []
    for text in ragged["text"]:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=mark), [])
        first, rest = cells[: width - 1], cells[width - 1 :]
        rows.append([*first, mark.join(rest), *[""] * (width - len(first) - 1)])
    return pd.DataFrame(rows, columns=list(table.headers), index=ragged["row"].to_numpy(), dtype="str")


def _free(title: str, headers: tuple[str, ...]) -> str:
    """Return a column's title that the list has not itself."""
    while title in headers:
        title += " *"
    return title
