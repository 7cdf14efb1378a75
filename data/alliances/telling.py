"""
What is remembered of each change of a link or an alliance, and how it is told to whoever comes too late.

Each revision wrote one line, so that what happened since a revision can be told: who did what, and when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import pandas as pd
from sqlalchemy import Row, Table, insert, select
from sqlalchemy.orm import Session

from data import tables
from data.people import managers
from data.rights import Asker
from data.written import BANK_TIME
from geo.errors import N_, DataError, LinkConflict, NotFound, Told

STAGES: Final = ("relation", "platform", "ecosystem")
STAGE_NAMES: Final = {
    "relation": N_("Primary relation"),
    "platform": N_("Joint platform"),
    "ecosystem": N_("Ecosystem"),
}
FIELDS: Final = {
    "state": N_("state"),
    "status": N_("status"),
    "stage": N_("stage"),
    "name": N_("name"),
    "reason": N_("reason"),
    "benefit_a": N_("benefit"),
    "benefit_b": N_("benefit"),
    "owner_id": N_("owner"),
    "starts": N_("start"),
    "ends": N_("end"),
    "notes": N_("notes"),
    "offer": N_("offer"),
    "saving_yuan": N_("saving"),
    "sponsor_yuan": N_("sponsorship"),
    "joined": N_("members"),
    "left": N_("members"),
    "merchant_id": N_("members"),
    "a_id": N_("members"),
    "b_id": N_("members"),
}
DEEDS: Final = {
    "accepted": N_("accepted it"),
    "refused": N_("refused it"),
    "edited": N_("changed {fields}"),
    "ended": N_("ended it"),
    "formed": N_("formed it"),
    "joined": N_("took a member in"),
    "left": N_("let a member go"),
    "offered": N_("changed a member's offer"),
    "activated": N_("made it active"),
    "merged": N_("settled a double among the members"),
}
LONGEST_TEXT = 2000
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
_MOST_TOLD = 5


def note(
    session: Session,
    asker: Asker,
    table: Table,
    whose: Mapping[str, int | None],
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> None:
    """Write a line of `link_changes` or `alliance_changes`: what was done, with the columns changed."""
    values = {
        **whose,
        "what": what,
        "before": None if before is None else _plain(before),
        "after": _plain(after),
        "by": asker.name,
    }
    session.execute(insert(table).values(values))


def lines(session: Session, table: Table, column: str, row_id: int, limit: int) -> list[Row[Any]]:
    """Return the latest lines about a link or an alliance, the oldest of them first."""
    query = select(table).where(table.c[column] == row_id).order_by(table.c.id.desc())
    return list(session.execute(query.limit(max(limit, 0))))[::-1]


def told(session: Session, table: Table, column: str, row_id: int, limit: int = 50) -> pd.DataFrame:
    """Return what was done, the newest first: what (a code of `DEEDS`), fields (marked words), by, at."""
    rows = [(row.what, _fields(row), row.by, row.at) for row in lines(session, table, column, row_id, limit)]
    return pd.DataFrame(rows[::-1], columns=["what", "fields", "by", "at"])


def conflict(message: str, since: Iterable[Row[Any]], **values: object) -> LinkConflict:
    """Return the account of what happened since; the message's `{changes}` says it."""
    found = list(since)
    changed = [(row.by, row.at, row.what, _names(row)) for row in found]
    accounts = tuple(
        Told(N_("{by} {what} ({at})"), by=row.by, what=_deed(row), at=clock(row.at))
        for row in found[-_MOST_TOLD:]
    )
    return LinkConflict(message, changed, changes=accounts, **values)


def clock(moment: datetime) -> str:
    """Return a stored moment (UTC) as the bank's clocks show it."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(BANK_TIME).strftime("%Y-%m-%d %H:%M")


def bank_day(moment: datetime) -> date:
    """Return the day a stored moment (UTC) fell on at the bank."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(BANK_TIME).date()


def _deed(row: Row[Any]) -> Told:
    deed = DEEDS[row.what]
    return Told(deed, fields=tuple(map(Told, _fields(row)))) if "{" in deed else Told(deed)


def _names(row: Row[Any]) -> tuple[str, ...]:
    return tuple(json.loads(row.after or "{}"))


def _fields(row: Row[Any]) -> tuple[str, ...]:
    """Return the marked words for the columns of a line, each once."""
    return tuple(dict.fromkeys(FIELDS[name] for name in _names(row) if name in FIELDS))


def _plain(values: Mapping[str, Any]) -> str:
    plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return json.dumps(plain, ensure_ascii=False)


# --- what is typed, checked ---------------------------------------------------------------------------------


def checked(session: Session, asker: Asker, branch_id: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what was typed as columns take it.

    Parameters
    ----------
    session, asker, branch_id
        The owner is one of the branch's people.
    given
        By column; texts are tidied, and empty ones become None.

    Raises
    ------
    DataError
        For a stage nobody knows, an end before the start, a text too long.
    """
    values = dict(given)
    for name in {"reason", "benefit_a", "benefit_b", "notes", "offer"} & values.keys():
        values[name] = text(values[name])
    if "stage" in values and values["stage"] not in STAGES:
        raise DataError(N_("There is no stage {which}."), which=values["stage"])
    if (owner := values.get("owner_id")) is not None and owner not in set(
        managers(session, asker, branch_id)["id"]
    ):
        raise NotFound(N_("There is no person {which}."), which=owner)
    for name in {"saving_yuan", "sponsor_yuan", "value_yuan"} & values.keys():
        values[name] = _yuan(values[name])
    return values


def check_days(starts: date | None, ends: date | None) -> None:
    """Refuse an end before its start, and days nobody means."""
    if any(day is not None and not EARLIEST <= day < LATEST for day in (starts, ends)):
        raise DataError(N_("The day lies too far back or too far ahead."))
    if starts is not None and ends is not None and ends < starts:
        raise DataError(N_("The end lies before the start."))


def text(typed: str | None) -> str | None:
    """Return a text as it is stored, None for an empty one."""
    plain = (typed or "").replace("\x00", "").strip()
    if len(plain) > LONGEST_TEXT:
        raise DataError(N_("The text is longer than {count} characters."), count=LONGEST_TEXT)
    return plain or None


def merchants_of(session: Session, branch_id: int, ids: Iterable[int]) -> dict[int, Any]:
    """
    Return id, name, status of merchants of a branch, in the order of the ids.

    Raises
    ------
    NotFound
        When one is not there, or is another branch's.
    """
    merchants, wanted = tables.merchants.c, list(dict.fromkeys(int(row_id) for row_id in ids))
    query = select(merchants.id, merchants.name, merchants.status, merchants.category_id)
    rows = session.execute(query.where(merchants.branch_id == branch_id, merchants.id.in_(wanted)))
    found: dict[int, Any] = {row.id: row for row in rows}
    if len(found) != len(wanted):
        raise NotFound(N_("This row is no longer there."))
    return {row_id: found[row_id] for row_id in wanted}


def check_open(rows: Iterable[Any]) -> None:
    """Refuse merchants that closed for good."""
    for row in rows:
        if row.status == "closed":
            raise DataError(N_("{name} has closed for good."), name=row.name)


def _yuan(amount: float | None) -> float | None:
    if amount is None:
        return None
    if not 0 <= amount < 1e9:
        raise DataError(N_("An amount lies between 0 and a thousand million yuan."))
    return round(float(amount), 2)
