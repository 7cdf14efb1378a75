"""Lists of visits read and judged: whom each row names, and on which day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.files import readers
from data.lists.reasons import REASONS, VISIT_REASONS
from data.lists.watching import Watch
from data.meaning import headers, values
from data.people import LONGEST_NAME
from data.zones.intervals import today
from data.zones.visits import EARLIEST, FARTHEST_NEXT_DAYS, LONGEST_TEXT
from geo.errors import N_, FileError, ManyRejected, Told

KIND: Final = "visits"
FIELDS: Final = tuple(headers.FIELDS[KIND])
MOST_REJECTED = 0.5
IDS_AT_ONCE = 20_000
_DATE = re.compile(
    r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?(?:[ T].*)?|(\d{4})(\d{2})(\d{2})"
)
_SERIAL = re.compile(r"([3-6]\d{4})(?:\.\d+)?")  # a workbook's own number of a day, 1982 to 2091
_SERIAL_ZERO = date(1899, 12, 30)
_BETWEEN_PEOPLE = re.compile(r"\s*[、,，;；/&＆+]\s*")


def columns_of(table: readers.Table, mapping: Mapping[str, str | None] | None) -> dict[str, str]:
    """Return the header of each field that the list has."""
    mapping = mapping or {}
    wrong = [name for name in mapping if name not in FIELDS]
    wrong += [told for told in mapping.values() if told is not None and told not in table.headers]
    shown = "、".join(table.headers[:50])
    if wrong:
        raise FileError(
            N_("The mapping names what is not there: {wrong}. The columns are {headers}."),
            wrong="、".join(wrong),
            headers=shown,
        )
    chosen = {name: told for name, told in mapping.items() if told is not None}
    found = {name: told for name, told in headers.propose(table.headers, KIND).items() if name not in mapping}
    found = {name: told for name, told in found.items() if told not in chosen.values()} | chosen
    if "day" not in found or not found.keys() & {"merchant_id", "merchant", "customer_id"}:
        raise FileError(
            N_(
                "A list of visits needs a column with the date (日期) and one that names the merchant or "
                "customer (商户编号, 商户名称 or 客户编号). The columns are {headers}."
            ),
            headers=shown,
        )
    return found


class Listed:
    """
    A list of visits as it is read and judged.

    Parameters
    ----------
    table, columns
        The file, and the header of each field it has.
    """

    def __init__(self, table: readers.Table, columns: dict[str, str]) -> None:
        self.table = table
        self.columns = columns
        self.rows = pd.DataFrame()
        """`row`, a text each of `FIELDS`, and from `judge` on `reason, column, value` and what is stored."""
        self.ragged: dict[int, dict[str, int]] = {}
        self.warnings: dict[str, int] = {}

    def read(self, watch: Watch) -> None:
        """Read the rows, in the order of the file."""
        parts = []
        for chunk in self.table.chunks():
            told = {
                name: values.present(values.undefused(values.tidy(chunk.frame[of])))
                for name, of in self.columns.items()
            }
            part = pd.DataFrame(told).reindex(columns=list(FIELDS), fill_value="")
            parts.append(part.assign(row=chunk.rows))
            odd = chunk.ragged
            self.ragged |= {
                row: {"expected": expected, "found": found}
                for row, expected, found in odd[["row", "expected", "found"]].itertuples(index=False)
            }
            parts.append(pd.DataFrame("", index=odd.index, columns=list(FIELDS)).assign(row=odd["row"]))
            watch.reading(chunk.done)
        self.rows = pd.concat([part for part in parts if len(part)] or parts[:1] or [pd.DataFrame()])
        if self.rows.empty:
            raise FileError(N_("The file is empty: it has a header and no rows."))
        self.rows = self.rows.sort_values("row", kind="stable", ignore_index=True)
        self.rows[["reason", "column", "value"]] = ""
        self.refuse(self.rows["row"].isin(self.ragged), "ragged")

    def refuse(
        self, which: pd.Series | NDArray[np.bool_], reason: str, name: str = "", *, tell: bool = True
    ) -> None:
        """Reject rows that nothing was wrong with so far, for what stands in a column."""
        which = np.asarray(which, dtype=bool) & (self.rows["reason"] == "").to_numpy(bool)
        self.rows.loc[which, "reason"] = reason
        if name:
            self.rows.loc[which, "column"] = self.columns.get(name, "")
            if tell:
                self.rows.loc[which, "value"] = self.rows.loc[which, name].str.slice(0, 100)

    def warn(self, code: str, count: int) -> None:
        """Note that so many rows are noticed for something."""
        if count:
            self.warnings[code] = self.warnings.get(code, 0) + count

    def judge(self, session: Session, branch_id: int) -> None:
        """Say of each row whom it names and which day, or why it is rejected."""
        self._judge_targets(session, branch_id)
        self._judge_days()
        self._take_texts()

    def _judge_targets(self, session: Session, branch_id: int) -> None:
        rows, none = self.rows, pd.Series([None] * len(self.rows), dtype=object)
        by_id, by_name, customer = ((rows[name] != "") for name in ("merchant_id", "merchant", "customer_id"))
        self.refuse(~(by_id | by_name | customer), "nobody")
        self.refuse((by_id | by_name) & customer, "two", "customer_id", tell=False)
        ids = _found(session, tables.merchants, "source_id", branch_id, rows.loc[by_id, "merchant_id"])
        names = _found(session, tables.merchants, "name", branch_id, rows.loc[by_name & ~by_id, "merchant"])
        people = _found(session, tables.customers, "source_id", branch_id, rows.loc[customer, "customer_id"])
        several = rows["merchant"].isin([name for name, found in names.items() if len(found) > 1])
        only_name = by_name & ~by_id
        self.refuse(by_id & ~rows["merchant_id"].isin(list(ids)), "unknown_merchant", "merchant_id")
        self.refuse(only_name & ~rows["merchant"].isin(list(names)), "unknown_merchant", "merchant")
        self.refuse(only_name & several, "several_merchants", "merchant")
        self.refuse(
            customer & ~rows["customer_id"].isin(list(people)), "unknown_customer", "customer_id", tell=False
        )
        first = {name: found[0] for name, found in names.items()}
        merchant = none.mask(by_id, rows["merchant_id"].map({key: told[0] for key, told in ids.items()}))
        merchant = merchant.mask(only_name, rows["merchant"].map(first))
        target = rows["customer_id"].map({key: told[0] for key, told in people.items()})
        rows["to_merchant"], rows["to_customer"] = merchant, none.mask(customer, target)

    def _judge_days(self) -> None:
        rows, now = self.rows, today()
        days = rows["day"].map({text: as_day(text) for text in rows["day"].unique()}).astype(object)
        days = days.where(days.notna(), None)
        self.refuse(rows["day"] == "", "no_day")
        self.refuse(np.array([each is None or each < EARLIEST for each in days]), "not_a_day", "day")
        self.refuse(np.array([each is not None and each > now for each in days]), "day_to_come", "day")
        rows["on"] = days
        told = rows["next_day"].map({text: as_day(text) for text in rows["next_day"].unique()})
        latest = timedelta(days=FARTHEST_NEXT_DAYS)
        rows["next_on"] = [
            each if isinstance(each, date) and on is not None and on <= each <= on + latest else None
            for each, on in zip(told, days, strict=True)
        ]
        good = rows["reason"] == ""
        self.warn("not_a_next_day", int((good & (rows["next_day"] != "") & rows["next_on"].isna()).sum()))

    def _take_texts(self) -> None:
        rows = self.rows
        good = rows["reason"] == ""
        for name in ("result", "next_step"):
            self.warn("too_long", int((good & (rows[name].str.len() > LONGEST_TEXT)).sum()))
            cut = rows[name].str.slice(0, LONGEST_TEXT)
            rows[name] = cut.astype(object).where(cut != "", None)
        parted = {text: _BETWEEN_PEOPLE.split(text) for text in rows["person"].unique()}
        self.warn("several_people", int((good & (rows["person"].map(parted).map(len) > 1)).sum()))
        rows["who"] = rows["person"].map({text: names[0][:LONGEST_NAME] for text, names in parted.items()})

    def check_share(self, agreed: bool) -> None:
        """Refuse a list of which no row is good, and ask where most are not."""
        rejected, rows = int((self.rows["reason"] != "").sum()), len(self.rows)
        if rejected == rows:
            first = self.rejects().iloc[0]
            raise FileError(
                N_("None of the {rows} rows can be taken. Row {row}: {reason}"),
                rows=rows,
                row=int(first["row"]),
                reason=Told({**REASONS, **VISIT_REASONS}[first["reason"]], **first["params"]),
            )
        if rejected > MOST_REJECTED * rows and not agreed:
            raise ManyRejected(
                N_(
                    "{rejected} of {rows} rows would be rejected. Look at the reasons, and confirm to go on "
                    "without them."
                ),
                rejected=rejected,
                rows=rows,
                reasons=self.reasons(),
            )

    def reasons(self) -> dict[str, int]:
        """Return how many rows are rejected for each reason."""
        told = self.rows.loc[self.rows["reason"] != "", "reason"].value_counts(sort=False)
        return {str(code): int(count) for code, count in told.items()}

    def rejects(self) -> pd.DataFrame:
        """Return the rejected rows: row, column, reason, params."""
        bad = self.rows[self.rows["reason"] != ""]
        params = [
            self.ragged[row] if reason == "ragged" else {"value": value} if value else {}
            for row, reason, value in bad[["row", "reason", "value"]].itertuples(index=False)
        ]
        told = bad[["row", "column", "reason"]].reset_index(drop=True)
        return told.assign(params=pd.Series(params, dtype=object))


def as_day(text: str) -> date | None:
    """Return the day of a cell: 2026-11-22, 2026/11/22, 2026年11月22日, 20261122, or a workbook's number."""
    if found := _DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups() if part is not None)
        try:
            return date(year, month, day)
        except ValueError:
            return None
    found = _SERIAL.fullmatch(text)
    return _SERIAL_ZERO + timedelta(days=int(found[1])) if found else None


def _found(
    session: Session, table: SqlTable, column: str, branch_id: int, wanted: pd.Series
) -> dict[str, list[int]]:
    """Return the ids of a branch's rows by what a column says, of the texts that are wanted."""
    texts = wanted.unique().tolist()
    found: dict[str, list[int]] = {}
    for start in range(0, len(texts), IDS_AT_ONCE):
        query = select(table.c[column], table.c.id).where(
            table.c.branch_id == branch_id, table.c[column].in_(texts[start : start + IDS_AT_ONCE])
        )
        for text, row_id in session.execute(query.order_by(table.c.id)):
            found.setdefault(text, []).append(row_id)
    return found
