"""
What a branch remembers of its lists: how those of a source are read, and what their category words mean.

A way of reading is found again by the list's set of headers, whatever their order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from data.branches import lock_version
from data.meaning import headers as header_words
from data.meaning import kinds
from data.rights import Asker, Right
from data.tables import category_words as word_table
from data.tables import profiles as profile_table
from data.trail import audit
from geo.datum import DATUMS
from geo.errors import N_, DataError, NotFound

LONGEST_NAME = 120
MOST_WORDS = 5_000  # at once: a list of categories has hundreds
_SOURCES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (N_("Gaode export"), r"高德|gaode|amap"),
        (N_("Baidu export"), r"百度|baidu|bd[\s_-]*09"),
        (N_("Tencent export"), r"腾讯|tencent"),
        (N_("Meituan or Dianping list"), r"美团|meituan|大众点评|dianping"),
        (N_("OpenStreetMap extract"), r"openstreetmap|(?<![a-z])osm(?![a-z])|addr:full|@id|contact:phone"),
        (N_("Company register"), r"企查查|天眼查|爱企查|启信宝|统一社会信用代码"),
    )
)


@dataclass(frozen=True)
class Profile:
    """
    How lists of a source are read.

    Parameters
    ----------
    id, name, kind
        The name is unique among the branch's lists of a kind.
    mapping
        Field to header; None for a field that the list has not.
    datum, encoding
        As they were stated or proven; None where they are to be found out each time.
    headers_key
        Of the list's set of headers.
    by, at
        Who kept it last, and when.
    """

    id: int
    name: str
    kind: str
    mapping: dict[str, str | None]
    datum: str | None
    encoding: str | None
    headers_key: str
    by: str
    at: datetime


_FIELDS = [profile_table.c[name] for name in Profile.__dataclass_fields__]


def headers_key(headers: Iterable[str]) -> str:
    """Return what lists with the same set of headers share, whatever the columns' order."""
    return hashlib.sha256("\n".join(sorted(set(headers))).encode()).hexdigest()


def proposed_name(headers: Sequence[str], file_name: str) -> str:
    """Return what lists of this source might be called: after whose they are, else as the file is."""
    said = "\n".join([file_name, *headers]).lower()
    for name, pattern in _SOURCES:
        if pattern.search(said):
            return name
    # A date, a number and a sheet's mark differ from one time to the next.
    stem = re.sub(r"\d{2,}[年月日]?|[(（]\d+[)）]|(?<=\d)[年月日]|副本", " ", Path(file_name).stem)
    return " ".join(re.split(r"[\s_\-.,]+", stem)).strip()[:LONGEST_NAME] or N_("List without a name")


def profiles(session: Session, asker: Asker, branch_id: int, kind: str | None = None) -> list[Profile]:
    """Return what the branch remembers of its lists, of one kind or of all, the newest first."""
    asker.require(Right.IMPORT, branch_id)
    query = select(*_FIELDS).where(profile_table.c.branch_id == branch_id)
    if kind is not None:
        query = query.where(profile_table.c.kind == kind)
    rows = session.execute(query.order_by(profile_table.c.at.desc(), profile_table.c.id.desc()))
    return [Profile(**row._mapping) for row in rows]


def profile_for(
    session: Session, asker: Asker, branch_id: int, kind: str, headers: Sequence[str]
) -> Profile | None:
    """
    Return how a list with these headers was read last, None for one that is new.

    Lists without headers are all alike: theirs are chosen by name, among `profiles`.
    """
    if header_words.are_numbers(headers):
        asker.require(Right.IMPORT, branch_id)
        return None
    key = headers_key(headers)
    return next((one for one in profiles(session, asker, branch_id, kind) if one.headers_key == key), None)


def keep_profile(
    session: Session,
    asker: Asker,
    branch_id: int,
    kind: str,
    name: str,
    *,
    headers: Sequence[str],
    mapping: Mapping[str, str | None],
    datum: str | None = None,
    encoding: str | None = None,
) -> int:
    """
    Keep how a list was read, under a name, and return its id; the same name again is the newer one.

    Raises
    ------
    DataError
        For no name, a mapping that does not fit the headers, or a datum nobody knows.
    """
    asker.require(Right.IMPORT, branch_id)
    name = " ".join(name.split())
    _check(kind, name, headers, mapping, datum)
    lock_version(session, branch_id)
    values: dict[str, Any] = {
        "headers_key": headers_key(headers),
        "mapping": dict(mapping),
        "datum": datum,
        "encoding": encoding,
        "by": asker.name,
    }
    key = {"branch_id": branch_id, "kind": kind, "name": name}
    same = [profile_table.c[column] == value for column, value in key.items()]
    changed = (
        update(profile_table)
        .where(*same)
        .values({**values, "at": datetime.now(UTC)})
        .returning(profile_table.c.id)
    )
    profile_id = session.scalars(changed.returning(profile_table.c.id)).one_or_none()
    if profile_id is None:
        added = insert(profile_table).values(key | values).returning(profile_table.c.id)
        profile_id = session.scalars(added).one()
    audit(session, asker, "keep profile", branch_id, f"{kind} {profile_id}", fields=len(mapping))
    return int(profile_id)


def forget_profile(session: Session, asker: Asker, branch_id: int, profile_id: int) -> None:
    """Forget a way of reading."""
    asker.require(Right.IMPORT, branch_id)
    same = (profile_table.c.branch_id == branch_id, profile_table.c.id == profile_id)
    gone = session.execute(delete(profile_table).where(*same).returning(profile_table.c.kind)).one_or_none()
    if gone is None:
        raise NotFound(N_("This way of reading is no longer there."))
    audit(session, asker, "forget profile", branch_id, f"{gone.kind} {profile_id}")


def _check(
    kind: str, name: str, headers: Sequence[str], mapping: Mapping[str, str | None], datum: str | None
) -> None:
    if not 0 < len(name) <= LONGEST_NAME:
        raise DataError(
            N_("A way of reading needs a name of at most {count} characters."), count=LONGEST_NAME
        )
    if kind not in header_words.FIELDS:
        raise DataError(N_("There are no lists of {kind}."), kind=kind)
    if wrong := header_words.check_mapping(mapping, headers, kind):
        raise DataError(
            N_("The mapping names what is not there: {wrong}. The columns are {headers}."),
            wrong="、".join(wrong),
            headers="、".join(list(headers)[:50]),
        )
    if datum is not None and datum not in DATUMS:
        raise DataError(N_("There is no datum named {datum}."), datum=datum)


# What words mean --------------------------------------------------------------------------------------------


def category_words(session: Session, branch_id: int) -> dict[str, str]:
    """Return what the branch's own words mean: word, as `data.meaning.kinds` compares words, to code."""
    query = select(word_table.c.word, word_table.c.code).where(word_table.c.branch_id == branch_id)
    return {row.word: row.code for row in session.execute(query)}


def keep_words(session: Session, asker: Asker, branch_id: int, words: Mapping[str, str]) -> int:
    """
    Keep what words of lists mean, and return how many there were.

    Parameters
    ----------
    words
        Word, as a list has it, to a category's code or `outlet:bank|atm|insurer`; a word known already
        takes the new meaning.

    Raises
    ------
    DataError
        For a code nobody knows, or too many words.
    """
    asker.require(Right.IMPORT, branch_id)
    if unknown := sorted({code for code in words.values() if not kinds.is_code(code)}):
        raise DataError(N_("There is no category {codes}."), codes="、".join(unknown[:10]))
    if len(words) > MOST_WORDS:
        raise DataError(N_("At most {count} words can be kept at once."), count=MOST_WORDS)
    meant = {key: code for word, code in words.items() if (key := kinds.word_key(word))}
    if not meant:
        return 0
    lock_version(session, branch_id)
    _forget(session, branch_id, list(meant))
    rows = [
        {"branch_id": branch_id, "word": word, "code": code, "by": asker.name} for word, code in meant.items()
    ]
    session.execute(insert(word_table), rows)
    audit(session, asker, "keep category words", branch_id, words=len(meant))
    return len(meant)


def forget_words(session: Session, asker: Asker, branch_id: int, words: Iterable[str]) -> int:
    """Forget what words mean, and return how many were known."""
    asker.require(Right.IMPORT, branch_id)
    count = _forget(session, branch_id, sorted({kinds.word_key(word) for word in words}))
    if count:
        audit(session, asker, "forget category words", branch_id, words=count)
    return count


def _forget(session: Session, branch_id: int, keys: list[str]) -> int:
    count = 0
    for start in range(0, len(keys), 500):  # a statement takes so many values and not many more
        some = word_table.c.word.in_(keys[start : start + 500])
        gone = session.execute(delete(word_table).where(word_table.c.branch_id == branch_id, some))
        count += gone.rowcount  # type: ignore[attr-defined]  # a DELETE counts its rows
    return count
