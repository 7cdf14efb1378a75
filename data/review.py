"""Pairs of merchants that may be one: looked at side by side, and settled by a person."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from data import changes, tables
from data.alliances.passing import PASSED, pass_on
from data.branches import lock_version, new_version
from data.byhand import branch_of, open_hand, same_revision, write
from data.rights import Asker, Right
from data.trail import audit
from geo.catchment import distances_m
from geo.errors import N_, DataError, NotFound

SIDE = ("id", "name", "category_id", "status", "address", "phone", "lon", "lat", "revision", "batch_id")
FILLED = ("source_id", "address", "phone", "hours", "manager_id", "note")  # blanks of the earlier row
_merchants = tables.merchants


def doubles_to_review(
    session: Session, asker: Asker, branch_id: int, level: str | None = "probable", limit: int = 100
) -> pd.DataFrame:
    """
    Return merchants that may double an earlier one, each beside it.

    Parameters
    ----------
    session, asker, branch_id
        Who works at the branch may.
    level
        "probable" or "possible"; None: both.
    limit
        The most pairs returned.

    Returns
    -------
    pairs
        id, name, category_id, status, address, phone, lon, lat, revision, batch_id, the same of the earlier
        row with `of_` before the name, level, distance_m.
    """
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    later, earlier = _merchants.alias("later"), _merchants.alias("earlier")
    query = (
        select(
            *(later.c[name] for name in SIDE),
            *(earlier.c[name].label(f"of_{name}") for name in SIDE),
            later.c.double_level.label("level"),
        )
        .join(earlier, later.c.double_of == earlier.c.id)
        .where(later.c.branch_id == branch_id, earlier.c.branch_id == branch_id)
        .order_by(later.c.id)
        .limit(limit)
    )
    if level is not None:
        query = query.where(later.c.double_level == level)
    pairs = pd.DataFrame(
        session.execute(query).all(), columns=[*SIDE, *(f"of_{name}" for name in SIDE), "level"]
    )
    points = pairs[["lon", "lat", "of_lon", "of_lat"]].to_numpy(dtype=float).tolist()
    apart = [float(distances_m(lon, lat, [of_lon], [of_lat])[0]) for lon, lat, of_lon, of_lat in points]
    return pairs.assign(distance_m=pd.Series(apart, pairs.index, dtype=float))


def settle_double(session: Session, asker: Asker, merchant_id: int, same: bool, revision: int) -> int:
    """
    Say whether a merchant marked as a double is one, and return the branch's new data version.

    Parameters
    ----------
    session, asker
        Who works at the branch may.
    merchant_id, revision
        The marked merchant, the later of the two, as it was shown.
    same
        True: the earlier merchant's blanks are filled from it, and it is removed. False: the mark is cleared.

    Raises
    ------
    Conflict
        When someone changed the merchant since.
    """
    branch_id = branch_of(session, merchant_id)
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    lock_version(session, branch_id)
    later = same_revision(session, merchant_id, revision)
    earlier_id = later["double_of"].iloc[0]
    if earlier_id is None:
        raise DataError(N_("This merchant is not marked as a double."))
    if same:
        batch_id = _merge(session, asker, branch_id, later, int(earlier_id))
    else:
        batch_id = open_hand(session, asker, branch_id, "apart")
        _unmark(session, batch_id, later)
    audit(session, asker, "settle double", branch_id, f"merchant {merchant_id}", batch=batch_id, same=same)
    touched = {"merchants": [merchant_id, int(earlier_id)]}
    return new_version(session, asker, branch_id, "edit", batch_id, touched=touched)


def _unmark(session: Session, batch_id: int, rows: pd.DataFrame, double_of: int | None = None) -> None:
    """Clear the mark of rows, or let it name another merchant."""
    values: dict[str, Any] = {"double_of": double_of}
    if double_of is None:
        values["double_level"] = None
    after = rows[list(values)].assign(**{name: [value] * len(rows) for name, value in values.items()})
    changes.record(session, batch_id, "merchants", rows, after)
    for row_id in rows.index:
        write(session, int(row_id), values)


def _merge(session: Session, asker: Asker, branch_id: int, later: pd.DataFrame, earlier_id: int) -> int:
    earlier = changes.stored(session, "merchants", [earlier_id])
    if earlier.empty or earlier["branch_id"].iloc[0] != branch_id:
        raise NotFound(N_("The earlier of the two merchants is no longer there."))
    later_id = int(later.index[0])
    made_by = later["batch_id"].iloc[0]
    batch_id = open_hand(session, asker, branch_id, "merge", of=made_by, merged=later_id, into=earlier_id)
    _pass_marks_on(session, batch_id, later_id, earlier_id)
    earlier = changes.stored(session, "merchants", [earlier_id])
    values = _filled(earlier.iloc[0], later.iloc[0])
    after = earlier.assign(**{name: [value] for name, value in values.items()})
    changes.record(session, batch_id, "merchants", later, later.iloc[:0])
    changes.record(session, batch_id, "merchants", earlier, after[list(values)])
    _pass_visits_on(session, batch_id, later_id, earlier_id)
    _pass_links_on(session, asker, batch_id, later_id, earlier_id)
    asides = tables.set_aside.c
    session.execute(delete(tables.set_aside).where(asides.layer == "merchants", asides.row_id == later_id))
    session.execute(
        delete(_merchants).where(_merchants.c.id == later_id)
    )  # before its identifier is another's
    if values:
        write(session, earlier_id, values)
    return batch_id


def _pass_marks_on(session: Session, batch_id: int, later_id: int, earlier_id: int) -> None:
    """Let what was marked as a double of the row that goes be marked as one of the row that stays."""
    ids = list(session.scalars(select(_merchants.c.id).where(_merchants.c.double_of == later_id)))
    marked = changes.stored(session, "merchants", ids)
    own = marked.index == earlier_id
    if own.any():
        _unmark(session, batch_id, marked[own])
    if not own.all():
        _unmark(session, batch_id, marked[~own], earlier_id)


def _pass_visits_on(session: Session, batch_id: int, later_id: int, earlier_id: int) -> None:
    """Let visits to the row that goes be visits to the row that stays."""
    visits = tables.visits.c
    query = select(visits.id).where(visits.merchant_id == later_id).order_by(visits.id)
    before = changes.stored(session, "visits", list(session.scalars(query)), ("merchant_id",))
    if before.empty:
        return
    after = before.assign(merchant_id=[earlier_id] * len(before))
    changes.record(session, batch_id, "visits", before, after)
    moved = update(tables.visits).where(visits.merchant_id == later_id)
    session.execute(moved.values(merchant_id=earlier_id))


def _pass_links_on(session: Session, asker: Asker, batch_id: int, later_id: int, earlier_id: int) -> None:
    """Let links and alliances of the row that goes be those of the row that stays, and remember which."""
    passed = {name: ids for name, ids in pass_on(session, asker, later_id, earlier_id).items() if ids}
    if passed:
        batches = tables.batches
        own = select(batches.c.mapping).where(batches.c.id == batch_id)
        mapping = {**session.scalars(own).one(), PASSED: passed}
        session.execute(update(batches).where(batches.c.id == batch_id).values(mapping=mapping))


def _filled(earlier: pd.Series, later: pd.Series) -> dict[str, Any]:
    """Return what the later row says where the earlier says nothing."""
    values = {name: later[name] for name in FILLED if earlier[name] in (None, "") and later[name]}
    if later["attributes"]:
        both = {**json.loads(later["attributes"]), **json.loads(earlier["attributes"] or "{}")}
        text = json.dumps(both, ensure_ascii=False)
        if both != json.loads(earlier["attributes"] or "{}"):
            values["attributes"] = text
    return values
