"""The cells of a chunk, field by field: each column is tidied once, however often it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.lists.columns import Columns
from data.meaning import headers, values

LONGEST_ATTRIBUTE = 1000  # characters
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'))


class Cells:
    """
    Some rows of a list as texts.

    Parameters
    ----------
    frame
        A text column a header, as the readers give it.
    columns
        Which header is which field.
    """

    def __init__(self, frame: pd.DataFrame, columns: Columns) -> None:
        self.frame = frame
        self.columns = columns
        self._texts: dict[str, pd.Series] = {}
        self._names: pd.Series | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def text(self, field: str) -> pd.Series | None:
        """Return a field's tidied texts, empty where there is none; None where no column is the field."""
        header = self.columns.fields.get(field)
        return None if header is None else self._tidied(header)

    def column(self, field: str) -> pd.Series | None:
        """Return a field's cells as they stand in the file; None where the list has no such column."""
        header = self.columns.fields.get(field)
        return None if header is None else self.frame[header]

    def unit(self, field: str) -> float:
        """Return what the numbers of a field are to be multiplied with, by its header."""
        return headers.unit_factor(self.columns.fields[field])

    def names(self) -> pd.Series:
        """Return names; of a nameless row its address."""
        if self._names is None:
            names, address = self.text("name"), self.text("address")
            if names is None:
                names = pd.Series([""] * len(self), dtype="str") if address is None else address
            elif address is not None and (nameless := names == "").any():
                names = names.mask(nameless, address)
            self._names = names
        return self._names

    def attributes(self) -> pd.Series | None:
        """Return the list's other columns as JSON, header to text; None where there is nothing."""
        if not self.columns.extras:
            return None
        return as_json(self.columns.extras, [self._tidied(header) for header in self.columns.extras])

    def _tidied(self, header: str) -> pd.Series:
        if header not in self._texts:
            self._texts[header] = values.present(values.undefused(values.tidy(self.frame[header])))
        return self._texts[header]


GIVEN_NAMES = {"merchants": "商户", "outlets": "网点", "places": "场所"}
_GIVEN = rf"^(?:{'|'.join(GIVEN_NAMES.values())}) \d+$"


def given_names(layer: str, rows: Iterable[int]) -> pd.Series:
    """Return what nameless rows are called: by what they are, and their number."""
    return pd.Series([f"{GIVEN_NAMES[layer]} {row}" for row in rows], dtype="str")


def own_names(names: pd.Series) -> pd.Series:
    """Return names, empty where a nameless row was given one: that tells nothing of it."""
    given = pc.match_substring_regex(pa.array(names, pa.string()), _GIVEN)
    return names.mask(given.to_numpy(zero_copy_only=False), "") if pc.any(given).as_py() else names


def as_json(names: Sequence[str], columns: Sequence[pd.Series]) -> pd.Series:
    """
    Return the rows of some text columns as JSON objects without what is empty.

    Parameters
    ----------
    names, columns
        Texts are tidy, so that quotation marks and backslashes are all there is to escape.

    Returns
    -------
    objects
        `{"name": "text", …}` a row, None for a row that says nothing.
    """
    members = []
    for name, column in zip(names, columns, strict=True):
        text = pc.utf8_slice_codeunits(pa.array(column, pa.string()), 0, LONGEST_ATTRIBUTE)
        there = pc.not_equal(text, "")
        for letter, escape in _ESCAPES:
            text = pc.replace_substring(text, letter, escape)
        key = json.dumps(name, ensure_ascii=False)
        members.append(pc.if_else(there, pc.binary_join_element_wise(f', {key}: "', text, '"', ""), ""))
    joined = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*members, ""), 2, None)
    objects = pc.binary_join_element_wise("{", joined, "}", "")
    objects = pc.if_else(pc.not_equal(joined, ""), objects, pa.scalar(None, pa.string()))
    return pd.Series(pd.array(objects, dtype=pd.StringDtype(na_value=np.nan)))
