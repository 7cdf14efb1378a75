"""Playbooks: for each kind of zone who is there, what moves them, what to say, and what to offer."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data import tables
from data.catalogue import PRODUCTS
from data.rights import Asker, Right
from data.trail import audit
from data.words import LANGUAGES, Language
from geo.errors import N_, Conflict, DataError
from geo.plans import KINDS

FILE = Path(__file__).parents[1] / "playbooks.toml"
KIND_NAMES = {
    "street": N_("Street or trade area"),
    "community": N_("Community or village"),
    "park": N_("Business park"),
    "institution": N_("Enterprise or institution"),
}
PARTS = ("targets", "motives", "selling_points")
MOST_LINES = 20
LONGEST_LINE = 300
_ID_OF = {str(code): int(number) for code, number in zip(PRODUCTS["code"], PRODUCTS["id"], strict=True)}
_CODE_OF = {number: code for code, number in _ID_OF.items()}
_table = tables.playbooks


@dataclass(frozen=True)
class Playbook:
    """
    What is said of a kind of zone, in one language.

    Parameters
    ----------
    kind
        One of `geo.plans.KINDS`.
    targets, motives, selling_points
        Lines: who is there, what moves them, what to say.
    products
        Ids of the products to offer, in that order.
    own
        Whether the bank wrote it; else it is the one shipped.
    revision
        Counts the changes, to refuse a stale one; 0 of one that was never changed.
    by, at
        Who changed it last, and when.
    """

    kind: str
    targets: tuple[str, ...]
    motives: tuple[str, ...]
    selling_points: tuple[str, ...]
    products: tuple[int, ...]
    own: bool = False
    revision: int = 0
    by: str | None = None
    at: datetime | None = None


def playbooks(
    session: Session, asker: Asker, branch_id: int | None = None, *, language: Language = "zh"
) -> dict[str, Playbook]:
    """Return the playbook of each kind of zone, the bank's own where it has one, for whoever reads plans."""
    asker.require(Right.READ_PLANS, branch_id)
    rows = {row.kind: row for row in session.execute(select(_table))}
    return {kind: _playbook(kind, language, rows.get(kind)) for kind in KINDS}


def kind_products(session: Session) -> dict[str, tuple[int, ...]]:
    """Return the ids of the products each kind of zone is offered: no secret, and part of a figure."""
    rows = {row.kind: row for row in session.execute(select(_table))}
    return {kind: _playbook(kind, "zh", rows.get(kind)).products for kind in KINDS}


def shipped(kind: str, language: Language = "zh") -> Playbook:
    """Return the playbook of a kind as it is shipped."""
    return _playbook(kind, language, None)


def save_playbook(
    session: Session,
    asker: Asker,
    kind: str,
    revision: int,
    *,
    targets: Sequence[str],
    motives: Sequence[str],
    selling_points: Sequence[str],
    products: Iterable[int],
    language: Language = "zh",
) -> int:
    """
    Write the bank's own playbook of a kind, and return its revision.

    Parameters
    ----------
    session, asker
        Who may edit plans.
    kind, revision
        As `playbooks` gave them.
    targets, motives, selling_points
        Lines, of one language; those of the other stay. Empty ones are left out.
    language
        Which the lines are in.
    products
        Ids, of both languages.

    Raises
    ------
    Conflict
        When someone changed it since; it says who and when.
    """
    asker.require(Right.EDIT_PLANS)
    told = {"targets": targets, "motives": motives, "selling_points": selling_points}
    lines = {part: _lines(told[part]) for part in PARTS}
    numbers = list(dict.fromkeys(int(product) for product in products))
    if not set(numbers) <= _CODE_OF.keys():
        raise DataError(N_("There is no product {which}."), which=next(iter(set(numbers) - _CODE_OF.keys())))
    content = _content(session, kind)
    content[language] = lines
    content["products"] = [_CODE_OF[number] for number in numbers]
    return _write(session, asker, kind, revision, content, "save playbook")


def reset_playbook(session: Session, asker: Asker, kind: str, revision: int) -> int:
    """Go back to the playbook shipped, in both languages, and return the revision."""
    asker.require(Right.EDIT_PLANS)
    return _write(session, asker, kind, revision, {}, "reset playbook")


@cache
def _shipped() -> dict[str, Any]:
    with FILE.open("rb") as source:
        return tomllib.load(source)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise DataError(
            N_("A zone is of a kind among {known}, not {kind}."), known=", ".join(KINDS), kind=kind
        )


def _playbook(kind: str, language: Language, row: Any) -> Playbook:
    """Return a playbook: what a row says in place of the file, language by language."""
    _check_kind(kind)
    base = _shipped()[kind]
    content: Mapping[str, Any] = row.content if row is not None else {}
    lines = content.get(language, base[language])
    return Playbook(
        kind,
        **{part: tuple(lines[part]) for part in PARTS},
        products=tuple(_ID_OF[code] for code in content.get("products", base["products"]) if code in _ID_OF),
        own=bool(content),
        revision=0 if row is None else row.revision,
        by=None if row is None else row.by,
        at=None if row is None else row.at,
    )


def _content(session: Session, kind: str) -> dict[str, Any]:
    _check_kind(kind)
    found = session.scalar(select(_table.c.content).where(_table.c.kind == kind))
    return {name: value for name, value in (found or {}).items() if name in (*LANGUAGES, "products")}


def _lines(told: Sequence[str]) -> list[str]:
    """Return lines as they are stored."""
    lines = [" ".join(line.replace("\x00", "").split()) for line in told]
    lines = [line for line in lines if line]
    if len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines):
        raise DataError(
            N_("A playbook has at most {lines} lines a part, of at most {count} characters."),
            lines=MOST_LINES,
            count=LONGEST_LINE,
        )
    return lines


def _write(
    session: Session, asker: Asker, kind: str, revision: int, content: dict[str, Any], action: str
) -> int:
    _check_kind(kind)
    values = {"content": content, "by": asker.name, "at": datetime.now(UTC), "revision": revision + 1}
    which = (_table.c.kind == kind) & (_table.c.revision == revision)
    changed = session.execute(update(_table).where(which).values(values))
    if not changed.rowcount:  # type: ignore[attr-defined]  # an UPDATE counts its rows
        _insert(session, kind, revision, values)
    audit(session, asker, action, None, "playbook", zone_kind=kind)
    return revision + 1


def _insert(session: Session, kind: str, revision: int, values: dict[str, Any]) -> None:
    """Write a kind's first row, unless there is one by now."""
    point = session.begin_nested()
    try:
        if revision == 0:
            session.execute(insert(_table).values(kind=kind, **values))
            point.commit()
            return
    except IntegrityError:
        pass
    point.rollback()
    by = session.scalar(select(_table.c.by).where(_table.c.kind == kind))
    raise Conflict(
        N_("{by} has changed this playbook since you opened it. Look at it again before you save."),
        by=by or "-",
    )
