"""Rows of a list of zones: what each says of its zone, and why some say nothing that can be used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pandas as pd

from data.files.readers import Table
from data.lists.reasons import REASONS, ZONE_REASONS
from data.meaning import headers, values
from geo.errors import N_, FileError, ManyRejected, Told
from geo.plans import KINDS

KIND: Final = "zones"
FIELDS: Final = tuple(headers.FIELDS[KIND])
MOST_REJECTED = 0.5
PAIR = 2
LONGEST_NAME = 100
_BETWEEN_PEOPLE = re.compile(r"\s*[、,，;；/&＆+]\s*")
_KIND_WORDS = {
    "street": re.compile(r"street|trade|shopping|街|商圈|商区|市场|沿街"),
    "community": re.compile(r"communit|village|residen|社区|小区|村|农区|居民"),
    "park": re.compile(r"park|industr|园"),
    "institution": re.compile(r"institution|enterprise|compan|school|hospital|企|事业|机关|单位|学校|医院"),
}


def columns_of(table: Table, mapping: Mapping[str, str | None] | None) -> dict[str, str]:
    """Return the header of each field that a list has."""
    mapping = mapping or {}
    wrong = [name for name in mapping if name not in FIELDS]
    wrong += [told for told in mapping.values() if told is not None and told not in table.headers]
    if wrong:
        raise FileError(
            N_("The mapping names what is not there: {wrong}. The columns are {headers}."),
            wrong="、".join(wrong),
            headers="、".join(table.headers[:50]),
        )
    chosen = {name: told for name, told in mapping.items() if told is not None}
    found = {name: told for name, told in headers.propose(table.headers, KIND).items() if name not in mapping}
    return {name: told for name, told in found.items() if told not in chosen.values()} | chosen


class Said(NamedTuple):
    """The cells of a row, a text each of `FIELDS`, empty where there is none."""

    zone: str = ""
    kind: str = ""
    person: str = ""
    cell: str = ""
    name: str = ""


def said(frame: pd.DataFrame, columns: Mapping[str, str]) -> list[Said]:
    """Return what each row says, tidied."""
    found = [
        values.present(values.undefused(values.tidy(frame[columns[name]]))).astype(str).tolist()
        if name in columns
        else [""] * len(frame)
        for name in Said._fields
    ]
    return [Said(*cells) for cells in zip(*found, strict=True)]


def kind_of(word: str) -> str | None:
    """Return the kind of zone that a word means; None where that is not known."""
    plain = word.strip().lower()
    if plain in KINDS:
        return plain
    return next((kind for kind, words in _KIND_WORDS.items() if words.search(plain)), None)


def people_in(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the different people that cells name, in order."""
    return tuple(dict.fromkeys(name for cell in cells for name in _BETWEEN_PEOPLE.split(cell) if name))


@dataclass
class Rows:
    """
    What becomes of the rows of a list.

    Parameters
    ----------
    total
        How many there were.
    refused
        `row, column, reason, params` of those not taken.
    warnings
        How many rows something was noticed of.
    notes
        `row, note` of what was done to outlines.
    """

    total: int = 0
    refused: list[tuple[int, str, str, dict[str, Any]]] = field(default_factory=list)
    warnings: dict[str, int] = field(default_factory=dict)
    notes: list[tuple[int, Told]] = field(default_factory=list)

    def refuse(self, row: int, column: str, reason: str, **params: Any) -> None:
        """Reject a row."""
        self.refused.append((int(row), column, reason, params))

    def warn(self, code: str, count: int = 1) -> None:
        """Note that so many rows are noticed for something."""
        if count:
            self.warnings[code] = self.warnings.get(code, 0) + count

    def ragged(self, odd: pd.DataFrame) -> None:
        """Reject the rows with more or fewer cells than the header."""
        for row, expected, found in odd[["row", "expected", "found"]].itertuples(index=False):
            self.refuse(row, "", "ragged", expected=int(expected), found=int(found))
        self.total += len(odd)

    def rejects(self) -> pd.DataFrame:
        """Return the rejected rows in the order of the file."""
        found = pd.DataFrame(self.refused, columns=["row", "column", "reason", "params"])
        return found.sort_values("row", kind="stable", ignore_index=True)

    def reasons(self) -> dict[str, int]:
        """Return how many rows were rejected for each reason."""
        counts: dict[str, int] = {}
        for _, _, reason, _ in self.refused:
            counts[reason] = counts.get(reason, 0) + 1
        return counts

    def check_share(self, agreed: bool) -> None:
        """Refuse a list of which no row is good, and ask where most are not."""
        if not self.total:
            raise FileError(N_("The file is empty: it has a header and no rows."))
        if len(self.refused) == self.total:
            row, _, reason, params = min(self.refused, key=lambda each: each[0])
            raise FileError(
                N_("None of the {rows} rows can be taken. Row {row}: {reason}"),
                rows=self.total,
                row=row,
                reason=Told({**REASONS, **ZONE_REASONS}[reason], **params),
            )
        if len(self.refused) > MOST_REJECTED * self.total and not agreed:
            raise ManyRejected(
                N_(
                    "{rejected} of {rows} rows would be rejected. Look at the reasons, and confirm to go on "
                    "without them."
                ),
                rejected=len(self.refused),
                rows=self.total,
                reasons=self.reasons(),
            )
