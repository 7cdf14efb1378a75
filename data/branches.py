"""Branches: which there are, opening one, removing the demo, and the versions of a branch's data."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from data import figures, snapshots
from data.rights import Asker, Right
from data.tables import branches as branch_table
from data.tables import data_versions, person_branches
from data.trail import audit
from geo.errors import N_, Conflict, DataError, NotFound, RightsError

LONGEST_CODE = 40
LONGEST_NAME = 200
FARTHEST_BY_HAND_M = 500_000
SET_ASIDE, TAKE_BACK = "set aside", "take back"  # causes of a version in which nothing else changed
PLAN = "plan"  # cause of a version in which another plan was published
_FIELDS = [
    branch_table.c[name]
    for name in ("id", "code", "name", "lon", "lat", "is_demo", "radius_m", "version", "at")
]


def is_empty(session: Session) -> bool:
    """Whether there is no branch yet."""
    return session.scalar(select(func.count()).select_from(branch_table)) == 0


def branches(session: Session, asker: Asker) -> pd.DataFrame:
    """Return the asker's branches by age: id, code, name, lon, lat, is_demo, radius_m, version, at."""
    query = select(*_FIELDS).order_by(branch_table.c.id)
    if not asker.everywhere:
        query = query.where(branch_table.c.id.in_(asker.branch_ids))
    return pd.DataFrame(session.execute(query).all(), columns=[column.name for column in _FIELDS])


def branch(session: Session, asker: Asker, which: int | str) -> dict[str, Any]:
    """
    Return one branch by id or code.

    Raises
    ------
    NotFound
        When there is none.
    RightsError
        When it is not one of the asker's.
    """
    key = branch_table.c.id if isinstance(which, int) else branch_table.c.code
    row = session.execute(select(*_FIELDS).where(key == which)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no branch {which}."), which=which)
    if not asker.at(row.id):
        raise RightsError(N_("You do not have the right to see or do this at this branch."))
    return dict(row._mapping)


def add_branch(
    session: Session, asker: Asker, *, code: str, name: str, lon: float, lat: float, is_demo: bool = False
) -> int:
    """Open a branch at a WGS 84 point and return its id; who opens it belongs to it."""
    asker.require(Right.BRANCHES)
    code, name = code.strip(), name.strip()
    _check_words(code, name)
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) < 90):
        raise DataError(N_("A branch needs a longitude and a latitude in degrees."))
    if session.scalar(select(branch_table.c.id).where(branch_table.c.code == code)) is not None:
        raise Conflict(N_("The code {code} is taken by another branch."), code=code)
    values = {"code": code, "name": name, "lon": float(lon), "lat": float(lat), "is_demo": is_demo}
    branch_id = int(session.scalars(insert(branch_table).values(values).returning(branch_table.c.id)).one())
    if asker.person_id is not None:
        session.execute(insert(person_branches).values(person_id=asker.person_id, branch_id=branch_id))
    audit(session, asker, "add branch", branch_id, code)
    return branch_id


def remove_branch(session: Session, asker: Asker, branch_id: int) -> None:
    """Remove the demo branch and all it has; a real branch is never removed."""
    asker.require(Right.BRANCHES, branch_id)
    found = branch(session, asker, branch_id)
    if not found["is_demo"]:
        raise Conflict(N_("Only the demo can be removed; {name} is a real branch."), name=found["name"])
    session.execute(delete(branch_table).where(branch_table.c.id == branch_id))
    audit(session, asker, "remove branch", branch_id, found["code"])


def set_radius(session: Session, asker: Asker, branch_id: int, radius_m: float | None) -> None:
    """Keep a radius set by hand; None lets the farthest point set it again."""
    asker.require(Right.EDIT_MERCHANTS, branch_id)
    if radius_m is not None and not 0 < radius_m <= FARTHEST_BY_HAND_M:
        raise DataError(
            N_("A radius lies between 0 and {kilometres} kilometres."), kilometres=FARTHEST_BY_HAND_M // 1000
        )
    session.execute(update(branch_table).where(branch_table.c.id == branch_id).values(radius_m=radius_m))
    audit(session, asker, "set radius", branch_id, radius_m=radius_m)


def data_version(session: Session, branch_id: int) -> int:
    """Return the number of a branch's newest data version; 0 before there is any."""
    number = session.scalar(select(branch_table.c.version).where(branch_table.c.id == branch_id))
    if number is None:
        raise NotFound(N_("There is no branch {which}."), which=branch_id)
    return int(number)


def lock_version(session: Session, branch_id: int) -> int:
    """Return the newest version's number and hold it: whoever else would change the branch's data waits."""
    query = select(branch_table.c.version).where(branch_table.c.id == branch_id).with_for_update()
    number = session.scalar(query)
    if number is None:
        raise NotFound(N_("There is no branch {which}."), which=branch_id)
    return int(number)


def new_version(
    session: Session,
    asker: Asker,
    branch_id: int,
    cause: str,
    batch_id: int | None = None,
    *,
    touched: Mapping[str, Collection[int]] | None = None,
) -> int:
    """
    Give the branch's data a new number after a change, and keep its figures.

    Call it last in the transaction that changes the data: the figures are those of what stands then.

    Parameters
    ----------
    session, asker, branch_id
        Whose transaction changed what.
    cause, batch_id
        What is told of the version.
    touched
        The ids of all rows that were changed, added or removed, by layer: the working set in memory is then
        mended where it is read anew otherwise. What is set aside needs no naming.
    """
    if not any(asker.may(right, branch_id) for right in (Right.IMPORT, Right.EDIT_MERCHANTS, Right.BRANCHES)):
        raise RightsError(N_("You do not have the right to see or do this at this branch."))
    from data.zones import trend  # with Numba, which whoever changes nothing need not wait for

    number = lock_version(session, branch_id) + 1
    session.execute(update(branch_table).where(branch_table.c.id == branch_id).values(version=number))
    changed = snapshots.after_change(session, branch_id, number, touched)
    # Whatever published another plan since has made a version of its own: that one begins anew.
    before = snapshots.in_memory(session, branch_id, number - 1) if cause != PLAN else None
    kept = figures.kept(changed)
    if (of_zones := trend.kept(session, changed, before)) is not None:
        kept["zones"] = of_zones
    session.execute(
        insert(data_versions).values(
            branch_id=branch_id, number=number, cause=cause, batch_id=batch_id, figures=kept, by=asker.name
        )
    )
    return number


def versions(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """Return the branch's data versions, the newest first: number, cause, batch_id, figures, by, at."""
    asker.require(Right.FIGURES, branch_id)
    fields = [data_versions.c[name] for name in ("number", "cause", "batch_id", "figures", "by", "at")]
    query = (
        select(*fields).where(data_versions.c.branch_id == branch_id).order_by(data_versions.c.number.desc())
    )
    found = pd.DataFrame(session.execute(query).all(), columns=[field.name for field in fields])
    # What is kept of zones is told by `data.zones.trend`, which masks it.
    told = [{name: kept[name] for name in kept if name != "zones"} for kept in found["figures"]]
    return found.assign(figures=pd.Series(told, dtype=object))


def _check_words(code: str, name: str) -> None:
    if not 0 < len(code) <= LONGEST_CODE or not code.isprintable():
        raise DataError(N_("A branch needs a code of at most {count} characters."), count=LONGEST_CODE)
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(N_("A branch needs a name of at most {count} characters."), count=LONGEST_NAME)
