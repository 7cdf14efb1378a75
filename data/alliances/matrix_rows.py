"""The bank's own rows over the shipped matrix: pairs of categories, and whom a category serves how far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Table, and_, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data import tables
from data.alliances.matrix import (
    CODES,
    GROUP_CODES,
    RANK,
    RELATIONS,
    Pair,
    Row,
    ordered_pair,
    own_rows,
    own_terms,
    resolved_terms,
    shipped_rows,
)
from data.rights import Asker, Right
from data.trail import audit
from geo.errors import N_, Conflict, DataError

RELATION_NAMES = {"complement": N_("Complement"), "compete": N_("Compete")}
LONGEST_REASON = 200
FARTHEST_M = 20_000.0
STEP = 0.2  # by which a strength follows what the branch's own data say
AS_SHIPPED = ""  # the relation of a row that went back to the shipped one: its revision counts on
ROW_COLUMNS = ("a", "b", "relation", "strength", "zh", "en", "own", "shipped", "revision", "by", "at")
TERM_COLUMNS = ("code", "reach_m", "serves", "own", "revision", "by", "at")


def rows(session: Session, asker: Asker) -> pd.DataFrame:
    """
    Return what is said of every pair of categories, in the order of the catalogue.

    Returns
    -------
    rows
        `ROW_COLUMNS`: `own` whether the bank wrote it, `shipped` whether the file has the pair as well, and
        `revision` 0 where nobody ever changed it.
    """
    asker.require(Right.READ_PLANS)
    file = {(row.a, row.b): row for row in shipped_rows()}
    own = own_rows(session)
    kept = _stored(session, tables.complements, ("a", "b"))
    found = []
    for pair in sorted(file.keys() | own.keys(), key=lambda pair: (RANK[pair[0]], RANK[pair[1]])):
        row, stored = own.get(pair, file.get(pair)), kept.get(pair)
        state = (0, None, None) if stored is None else (stored.revision, stored.by, stored.at)
        found.append((*(row or ()), pair in own, pair in file, *state))
    return pd.DataFrame(found, columns=list(ROW_COLUMNS))


def save_row(session: Session, asker: Asker, row: Row, revision: int) -> int:
    """
    Write the bank's own row for a pair of categories, and return its revision.

    Parameters
    ----------
    session, asker
        Who may edit plans.
    row
        Of the pair, in whichever order. A complement of strength 0 says that they are nothing to each other.
        A reason given in one language stands for both.
    revision
        As `rows` gave it; 0 for a pair that is not there.

    Raises
    ------
    Conflict
        When someone changed it since.
    DataError
        For a category, a relation or a strength that is none, or without a reason.
    """
    asker.require(Right.EDIT_PLANS)
    checked = _checked(row)
    made = written(session, asker, checked, revision)
    subject = f"{checked.a}+{checked.b}"
    audit(
        session,
        asker,
        "save matrix row",
        None,
        subject,
        relation=checked.relation,
        strength=checked.strength,
    )
    return made


def reset_row(session: Session, asker: Asker, a: str, b: str, revision: int) -> int:
    """Go back to what the shipped file says of a pair, be it nothing, and return the revision."""
    asker.require(Right.EDIT_PLANS)
    pair = _pair(a, b)
    made = written(session, asker, Row(*pair, AS_SHIPPED, 0.0, "", ""), revision)
    audit(session, asker, "reset matrix row", None, "+".join(pair))
    return made


def adopted(row: Row, says: str) -> Row:
    """Return a row as the branch's own data have it: a step stronger (`raise`) or weaker (`lower`)."""
    moved = row.strength + {"raise": STEP, "lower": -STEP}.get(says, 0.0)
    return row._replace(strength=round(min(max(moved, 0.0), 1.0), 4))


def terms(session: Session, asker: Asker) -> pd.DataFrame:
    """
    Return how far each category reaches and whom it serves, in the order of the catalogue.

    Returns
    -------
    terms
        `TERM_COLUMNS`: `serves` a tuple of codes of groups; `own` whether the bank wrote them.
    """
    asker.require(Right.READ_PLANS)
    own = own_terms(session)
    told = resolved_terms(own)
    kept = _stored(session, tables.category_terms, ("code",))
    found = []
    for code in CODES:
        stored = kept.get((code,))
        state = (0, None, None) if stored is None else (stored.revision, stored.by, stored.at)
        mine = code in own and own[code] != (None, None)
        found.append((code, told[code].reach_m, told[code].serves, mine, *state))
    return pd.DataFrame(found, columns=list(TERM_COLUMNS))


def save_terms(
    session: Session,
    asker: Asker,
    code: str,
    revision: int,
    *,
    reach_m: float | None,
    serves: Iterable[str] | None,
) -> int:
    """
    Write how far a category reaches and whom it serves, and return the revision.

    Parameters
    ----------
    session, asker
        Who may edit plans.
    code, revision
        As `terms` gave them.
    reach_m
        In metres; None for as shipped.
    serves
        Codes of groups, none for nobody; None for as shipped.

    Raises
    ------
    Conflict
        When someone changed it since.
    """
    asker.require(Right.EDIT_PLANS)
    _check_code(code)
    if reach_m is not None and not 0 < reach_m <= FARTHEST_M:
        raise DataError(N_("A reach is more than 0 and at most {limit} m."), limit=round(FARTHEST_M))
    groups = None if serves is None else list(dict.fromkeys(serves))
    if groups is not None and (wrong := sorted(set(groups) - set(GROUP_CODES))):
        raise DataError(N_("There is no customer group {which}."), which=wrong[0])
    values = {"reach_m": reach_m, "serves": None if groups is None else "|".join(groups)}
    made = _write(session, asker, tables.category_terms, {"code": code}, revision, values)
    audit(session, asker, "save category terms", None, code, reach_m=reach_m, serves=values["serves"])
    return made


def reset_terms(session: Session, asker: Asker, code: str, revision: int) -> int:
    """Go back to the shipped reach and groups of a category, and return the revision."""
    return save_terms(session, asker, code, revision, reach_m=None, serves=None)


def written(session: Session, asker: Asker, row: Row, revision: int) -> int:
    """Write a pair's row as it is, if its revision is the one that was looked at, and return the new one."""
    told = row._asdict()
    key = {name: told.pop(name) for name in ("a", "b")}
    return _write(session, asker, tables.complements, key, revision, told)


def _checked(row: Row) -> Row:
    """Return a row as it is stored, or refuse it."""
    pair = _pair(row.a, row.b)
    if row.relation not in RELATIONS:
        message = N_("Two categories complete each other or compete; there is no {which}.")
        raise DataError(message, which=row.relation)
    if not 0 <= row.strength <= 1:
        raise DataError(N_("A strength is a number from 0 to 1."))
    zh, en = (" ".join(text.replace("\x00", "").split()) for text in (row.zh, row.en))
    if not (zh or en):
        raise DataError(N_("Say why, so that others can follow it."))
    if max(len(zh), len(en)) > LONGEST_REASON:
        raise DataError(N_("A reason has at most {count} characters."), count=LONGEST_REASON)
    return Row(*pair, row.relation, round(float(row.strength), 4), zh or en, en or zh)


def _pair(a: str, b: str) -> Pair:
    _check_code(a)
    _check_code(b)
    return ordered_pair(a, b)


def _check_code(code: str) -> None:
    if code not in RANK:
        raise DataError(N_("There is no category {which}."), which=code)


def _stored(session: Session, table: Table, keys: tuple[str, ...]) -> dict[tuple[str, ...], Any]:
    names = (*keys, "revision", "by", "at")
    found = session.execute(select(*(table.c[name] for name in names)))
    return {tuple(row[: len(keys)]): row for row in found}


def _write(
    session: Session,
    asker: Asker,
    table: Table,
    key: Mapping[str, str],
    revision: int,
    values: Mapping[str, Any],
) -> int:
    """Write a row if its revision is the one that was looked at."""
    told = {**values, "by": asker.name, "at": datetime.now(UTC), "revision": revision + 1}
    this = and_(*(table.c[name] == value for name, value in key.items()))
    changed = session.execute(update(table).where(this, table.c.revision == revision).values(told))
    if not changed.rowcount:  # type: ignore[attr-defined]  # an UPDATE counts its rows
        _insert(session, table, dict(key), this, revision, told)
    return revision + 1


def _insert(
    session: Session, table: Table, key: dict[str, str], this: Any, revision: int, values: dict[str, Any]
) -> None:
    """Write a first row, unless there is one by now."""
    point = session.begin_nested()
    try:
        if revision == 0:
            session.execute(insert(table).values(**key, **values))
            point.commit()
            return
    except IntegrityError:
        pass
    point.rollback()
    by = session.scalar(select(table.c.by).where(this))
    raise Conflict(
        N_("{by} has changed this row since you opened it. Look at it again before you save."), by=by or "-"
    )
