"""The matrix as a file: read with every fault named by row and column, brought in as a whole, taken out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import export, tables
from data.alliances.matrix import CODES, RELATIONS, Pair, Row, ordered_pair, own_rows, shipped_rows
from data.alliances.matrix_rows import AS_SHIPPED, LONGEST_REASON, RELATION_NAMES, rows, written
from data.catalogue import CATEGORIES
from data.files import readers
from data.meaning import values
from data.rights import Asker, Right
from data.trail import audit
from data.words import LANGUAGES, Language, say
from geo.errors import N_, DataError, FileError, Told

Source = Path | str | bytes | IO[bytes]
MOST_ROWS = 20_000
HEADERS = {
    "a": N_("One category"),
    "b": N_("The other"),
    "relation": N_("Relation"),
    "strength": N_("Strength"),
    "zh": N_("Why, in Chinese"),
    "en": N_("Why, in English"),
}
NO_CATEGORY = N_("There is no category “{value}”.")
NO_RELATION = N_("“{value}” is no relation: it is complement (互补) or compete (竞争).")
NO_STRENGTH = N_("“{value}” is no strength: it is a number from 0 to 1.")
NO_REASON = N_("The reason is missing.")
LONG_REASON = N_("The reason has more than {count} characters.")
OPPOSITE = N_("Row {other} says the opposite of the same two categories.")
TWO_STRENGTHS = N_("Row {other} gives the same two categories another strength.")
RAGGED = N_("The row has {found} cells, the header {expected}.")


class Fault(NamedTuple):
    """What is wrong with a cell: the file's row, the column as it is called there, and what stands in it."""

    row: int
    column: str
    value: str
    why: Told


@dataclass(frozen=True)
class Read:
    """
    What a file of the matrix says.

    Parameters
    ----------
    rows
        Those that are right, once a pair.
    faults
        Of the others, one or more a row, in the file's order.
    doubled
        How many rows say again what one before says.
    total
        Rows of the file; `rows`, the rows with faults and those doubled together.
    """

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    doubled: int
    total: int

    @property
    def refused(self) -> int:
        """How many rows have a fault."""
        return len({fault.row for fault in self.faults})

    def table(self, language: Language) -> pd.DataFrame:
        """Return the faults for people: the row, the column, what stands there, and what is wrong."""
        names = (N_("Row"), N_("Column"), N_("Stands there"), N_("What is wrong"))
        told = [(fault.row, fault.column, fault.value, say(fault.why, language)) for fault in self.faults]
        return pd.DataFrame(told, columns=[say(name, language) for name in names])


def read_matrix(source: Source, *, name: str = "") -> Read:
    """
    Read a file of pairs of categories, CSV or a workbook.

    Parameters
    ----------
    source, name
        As `readers.open_table` takes them. Categories are told by code or by name, in either language, and so
        is the relation; a strength may be a percentage.

    Raises
    ------
    FileError
        When it is no list, or a column is missing.
    """
    listed = _Listed(readers.open_table(source, name=name))
    return listed.judged()


def bring_in(session: Session, asker: Asker, read: Read, *, agreed: bool = False) -> dict[str, int]:
    """
    Take a file's rows over as the bank's own, in the session's transaction; pairs it does not name stay.

    Parameters
    ----------
    session, asker
        Who may edit plans.
    read
        The file.
    agreed
        Whether the good rows are wanted although others are not right.

    Returns
    -------
    counts
        `saved`, `reset` (they say what the shipped file says), `same` (as it stood), `refused`.
    """
    asker.require(Right.EDIT_PLANS)
    if read.faults and not agreed:
        raise DataError(
            N_("{count} of {total} rows are not right. Mend them, or take the others without them."),
            count=read.refused,
            total=read.total,
        )
    file = {(row.a, row.b): row for row in shipped_rows()}
    now, revisions = file | own_rows(session), _revisions(session)
    counts = {"saved": 0, "reset": 0, "same": 0, "refused": read.refused}
    for row in read.rows:
        pair = (row.a, row.b)
        if now.get(pair) == row:
            counts["same"] += 1
            continue
        back = file.get(pair) == row
        kept = Row(*pair, AS_SHIPPED, 0.0, "", "") if back else row
        written(session, asker, kept, revisions.get(pair, 0))
        counts["reset" if back else "saved"] += 1
    audit(session, asker, "import matrix", None, "matrix", **counts)
    return counts


def taken_out(session: Session, asker: Asker, form: str, language: Language) -> bytes:
    """Return the matrix the bank works with as a file, `csv` or `xlsx`, that `read_matrix` reads again."""
    told = rows(session, asker)
    name_of = dict(zip(CODES, CATEGORIES[language], strict=True))
    frame = pd.DataFrame(
        {
            "a": told["a"].map(name_of),
            "b": told["b"].map(name_of),
            "relation": [say(RELATION_NAMES[relation], language) for relation in told["relation"]],
            **{each: told[each] for each in ("strength", "zh", "en")},
        }
    )
    frame.columns = pd.Index([say(HEADERS[each], language) for each in HEADERS])
    audit(session, asker, "export matrix", None, "matrix", rows=len(frame))
    if form == "xlsx":
        return export.to_xlsx({say(N_("Which trades go together"), language): frame})
    return export.to_csv(frame)


def _revisions(session: Session) -> dict[Pair, int]:
    table = tables.complements
    return {
        (row.a, row.b): row.revision
        for row in session.execute(select(table.c.a, table.c.b, table.c.revision))
    }


def _names() -> dict[str, str]:
    """Return the code of every way to call a category."""
    told = {code: code for code in CODES}
    for language in LANGUAGES:
        told |= dict(zip(map(_plain, CATEGORIES[language]), CODES, strict=True))
    return told


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


@dataclass
class _Listed:
    """A file's rows while they are judged."""

    table: readers.Table
    faults: list[Fault] = field(default_factory=list)
    total: int = 0

    def judged(self) -> Read:
        columns = self._columns()
        known, relations = _names(), self._relations()
        good: dict[Pair, list[tuple[int, Row]]] = {}
        for number, cells in self._rows(columns):
            if (row := self._row(number, cells, columns, known, relations)) is not None:
                good.setdefault((row.a, row.b), []).append((number, row))
        if not self.total:
            raise FileError(N_("The file is empty: it has a header and no rows."))
        kept: list[Row] = []
        doubled = 0
        for told in good.values():
            if not self._contradict(told, columns):
                kept.append(told[0][1])
                doubled += len(told) - 1
        return Read(tuple(kept), tuple(sorted(self.faults, key=lambda fault: fault.row)), doubled, self.total)

    def _columns(self) -> dict[str, str]:
        """Return what each field is called in the file."""
        ways = {
            name: {_plain(name), *(_plain(say(header, language)) for language in LANGUAGES)}
            for name, header in HEADERS.items()
        }
        found = {
            name: next((header for header in self.table.headers if _plain(header) in ways[name]), None)
            for name in HEADERS
        }
        if missing := tuple(Told(HEADERS[name]) for name, header in found.items() if header is None):
            raise FileError(
                N_("The file has no column {missing}. The columns are {headers}."),
                missing=missing,
                headers="、".join(self.table.headers[:50]),
            )
        return {name: header for name, header in found.items() if header is not None}

    def _relations(self) -> dict[str, str]:
        return {
            _plain(way): code
            for code in RELATIONS
            for way in (code, *(say(RELATION_NAMES[code], language) for language in LANGUAGES))
        }

    def _rows(self, columns: dict[str, str]) -> Iterable[tuple[int, dict[str, str]]]:
        """Return the rows with the header's number of cells; the others are faults."""
        for chunk in self.table.chunks():
            self.total += len(chunk.rows) + len(chunk.ragged)
            if self.total > MOST_ROWS:
                raise FileError(N_("The list has more than {limit} rows. Split it."), limit=MOST_ROWS)
            for number, expected, found, text in chunk.ragged.itertuples(index=False):
                why = Told(RAGGED, expected=expected, found=found)
                self.faults.append(Fault(int(number), "", str(text)[:100], why))
            told = {
                name: values.undefused(values.tidy(chunk.frame[header])).tolist()
                for name, header in columns.items()
            }
            for at, number in enumerate(chunk.rows.tolist()):
                yield number, {name: cells[at] for name, cells in told.items()}

    def _row(
        self,
        number: int,
        cells: dict[str, str],
        columns: dict[str, str],
        known: dict[str, str],
        relations: dict[str, str],
    ) -> Row | None:
        """Return what a row says, None if anything is wrong with it; all of that is noted."""
        wrong: dict[str, Told] = {}
        for name in ("a", "b"):
            if _plain(cells[name]) not in known:
                wrong[name] = Told(NO_CATEGORY, value=cells[name][:100])
        if _plain(cells["relation"]) not in relations:
            wrong["relation"] = Told(NO_RELATION, value=cells["relation"][:100])
        strength = _number(cells["strength"])
        if not 0 <= strength <= 1:
            wrong["strength"] = Told(NO_STRENGTH, value=cells["strength"][:100])
        for name in LANGUAGES:
            if not cells[name]:
                wrong[name] = Told(NO_REASON)
            elif len(cells[name]) > LONGEST_REASON:
                wrong[name] = Told(LONG_REASON, count=LONGEST_REASON)
        if wrong:
            self.faults += [
                Fault(number, columns[name], cells[name][:100], why) for name, why in wrong.items()
            ]
            return None
        pair = ordered_pair(*(known[_plain(cells[name])] for name in ("a", "b")))
        return Row(*pair, relations[_plain(cells["relation"])], round(strength, 4), cells["zh"], cells["en"])

    def _contradict(self, told: list[tuple[int, Row]], columns: dict[str, str]) -> bool:
        """Note every row about one pair that another row contradicts; whether there is any."""
        for name, message in (("relation", OPPOSITE), ("strength", TWO_STRENGTHS)):
            said = [getattr(row, name) for _number, row in told]
            if len(set(said)) == 1:
                continue
            for place, (number, _row) in enumerate(told):
                other = next(told[at][0] for at, each in enumerate(said) if each != said[place])
                self.faults.append(Fault(number, columns[name], str(said[place]), Told(message, other=other)))
            return True
        return False


def _number(text: str) -> float:
    """Return a strength as it was typed, NaN where it is no number."""
    plain = text.strip().replace("％", "%")
    try:
        return float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        return float(np.nan)
