"""`python -m data link`: the partners worth linking, with why."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import config, store, tables
from data.commands import BranchCode, Json, answering, engine, os_user, told
from data.snapshots import Snapshot, seen_by
from data.words import say
from geo.errors import N_, NotFound
from geo.partners import WITHIN_M

LINES = 20  # for people, where no limit is given
_AT_ONCE = 500


class Called(NamedTuple):
    """What a merchant is called, and its identifier in the list it came from."""

    name: str
    source_id: str | None


def link(
    branch: BranchCode,
    merchant: Annotated[
        str | None, typer.Option(help="Whose partners: its id, or its identifier in its list.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; the best.")] = None,
    within: Annotated[float, typer.Option(min=0, help="How far a partner may be, in metres.")] = WITHIN_M,
    seed: Annotated[int, typer.Option(help="Of the trials of co-location.")] = 0,
    as_json: Json = False,
) -> None:
    """Say which merchants should know of each other: both gain customers, and why."""
    from data.alliances import links, matrix, suggesting  # the other commands start faster without them

    with answering(as_json) as answer:
        with store.reading(engine()) as session:
            branch_id = int(store.branch(session, os_user(), branch)["id"])
            known = matrix.matrix(session)
            refused = links.decided_pairs(session, os_user(), branch_id, links.REFUSED)
            merchant_id = None if merchant is None else merchant_of(session, branch_id, merchant)
        snapshot = seen_by(engine(), os_user(), branch_id)
        found = suggesting.suggestions(
            snapshot,
            os_user(),
            known,
            merchant_id=merchant_id,
            within_m=within,
            limit=limit if as_json or limit else LINES,
            refused=refused,
            seed=seed,
        )
        with store.reading(engine()) as session:
            called = names(session, branch_id, sorted({*found["a"].tolist(), *found["b"].tolist()}))
        rows = [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]
        why = [
            suggesting.why(row, known, config.language(), (called[row["a"]].name, called[row["b"]].name))
            for row in rows
        ]
        if len(found):
            answer({"links": _records(rows, called, why)}, _lines(snapshot, rows, called, why))
            return
        because = say(
            suggesting.nothing_because(snapshot, known, merchant_id=merchant_id, within_m=within),
            config.language(),
        )
        answer({"links": [], "because": because}, because)


def merchant_of(session: Session, branch_id: int, which: str) -> int:
    """
    Return the id of a merchant named by its id or by its identifier in its list; the id goes first.

    Raises
    ------
    NotFound
        When none of the branch's is called so.
    """
    table = tables.merchants
    own = select(table.c.id).where(table.c.branch_id == branch_id)
    if which.isascii() and which.isdigit() and len(which) < 19:
        found = session.scalar(own.where(table.c.id == int(which)))
        if found is not None:
            return int(found)
    found = session.scalar(own.where(table.c.source_id == which).order_by(table.c.id).limit(1))
    if found is None:
        raise NotFound(N_("There is no merchant {which} at this branch."), which=which)
    return int(found)


def names(session: Session, branch_id: int, ids: list[int]) -> dict[int, Called]:
    """Return what merchants are called."""
    table, found = tables.merchants, dict[int, Called]()
    for start in range(0, len(ids), _AT_ONCE):
        query = select(table.c.id, table.c.name, table.c.source_id).where(
            table.c.branch_id == branch_id, table.c.id.in_(ids[start : start + _AT_ONCE])
        )
        found |= {row.id: Called(row.name, row.source_id) for row in session.execute(query)}
    return found


def _records(rows: list[dict[str, Any]], called: dict[int, Called], why: list[str]) -> list[dict[str, Any]]:
    """Return links as JSON takes them; null is what is hidden."""
    from data.alliances.suggesting import PARTS

    listed = []
    for row, reason in zip(rows, why, strict=True):
        plain = {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        both = {side: called[row[side]] for side in ("a", "b")}
        listed.append(
            {
                "a": plain["a"],
                "b": plain["b"],
                "score": plain["score"],
                "parts": {name: plain[name] for name in PARTS},
                **{name: plain[name] for name in ("gain_a", "gain_b")},
                **{name: _whole(plain[name]) for name in ("gain_a_n", "gain_b_n")},
                "distance_m": plain["distance_m"],
                "reason": reason,
                **{f"{side}_name": each.name for side, each in both.items()},
                **{f"{side}_source_id": each.source_id for side, each in both.items()},
            }
        )
    return listed


def _whole(count: float | None) -> int | None:
    return None if count is None else int(count)


def _lines(snapshot: Snapshot, rows: list[dict[str, Any]], called: dict[int, Called], why: list[str]) -> str:
    """Return links for people: the score and who, and below why."""
    lines = []
    for row, reason in zip(rows, why, strict=True):
        a, b = (f"{called[row[side]].name} (#{row[side]})" for side in ("a", "b"))
        lines += [f"{row['score']:.2f}  {a} — {b}", f"      {reason}"]
    merchants = len({row[side] for row in rows for side in ("a", "b")})
    shown = told(
        N_("{links} links of {merchants} merchants; the branch has {all}."),
        links=len(rows),
        merchants=merchants,
        all=len(snapshot.merchants),
    )
    return "\n".join([*lines, shown])
