"""People: staff of the branches, their roles, and the managers that lists name."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from data.rights import Asker, Right, Role
from data.tables import people as people_table
from data.tables import person_branches
from data.trail import audit
from geo.errors import N_, DataError, NotFound

LONGEST_NAME = 100


def people(session: Session, asker: Asker, branch_id: int | None = None) -> pd.DataFrame:
    """Return people, all or a branch's: id, name, role (None: only named in a list), branch_ids (a tuple)."""
    asker.require(Right.PEOPLE, branch_id)
    return _people(session, branch_id)


def managers(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """Return the names of a branch's people, for whoever reads its figures: id, name."""
    asker.require(Right.FIGURES, branch_id)
    return _people(session, branch_id)[["id", "name"]]


def add_person(
    session: Session, asker: Asker, *, name: str, role: Role | None = None, branch_ids: Iterable[int] = ()
) -> int:
    """Add a person and return the id."""
    asker.require(Right.PEOPLE)
    return person_named(session, name, role=role, branch_ids=branch_ids, asker=asker)


def set_role(
    session: Session, asker: Asker, person_id: int, role: Role | None, branch_ids: Iterable[int]
) -> None:
    """Give a person a role and branches, in place of those before."""
    asker.require(Right.PEOPLE)
    changed = session.execute(
        update(people_table).where(people_table.c.id == person_id).values(role=role.value if role else None)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]  # an UPDATE counts its rows
        raise NotFound(N_("There is no person {which}."), which=person_id)
    session.execute(delete(person_branches).where(person_branches.c.person_id == person_id))
    _join(session, person_id, branch_ids)
    audit(session, asker, "set role", None, f"person {person_id}", given=role.value if role else None)


def person_named(
    session: Session, name: str, *, role: Role | None, branch_ids: Iterable[int], asker: Asker
) -> int:
    """Add a person without asking for the right to: an import does, for the managers its list names."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(N_("A person needs a name of at most {count} characters."), count=LONGEST_NAME)
    values = {"name": name, "role": role.value if role else None}
    person_id = int(session.scalars(insert(people_table).values(values).returning(people_table.c.id)).one())
    _join(session, person_id, branch_ids)
    audit(session, asker, "add person", None, f"person {person_id}", given=role.value if role else None)
    return person_id


def _join(session: Session, person_id: int, branch_ids: Iterable[int]) -> None:
    rows = [{"person_id": person_id, "branch_id": branch_id} for branch_id in sorted(set(branch_ids))]
    if rows:
        session.execute(insert(person_branches), rows)


def _people(session: Session, branch_id: int | None) -> pd.DataFrame:
    query = select(people_table.c.id, people_table.c.name, people_table.c.role).order_by(people_table.c.id)
    if branch_id is not None:
        at_branch = select(person_branches.c.person_id).where(person_branches.c.branch_id == branch_id)
        query = query.where(people_table.c.id.in_(at_branch))
    found = pd.DataFrame(session.execute(query).all(), columns=["id", "name", "role"])
    pairs = session.execute(select(person_branches).order_by(person_branches.c.branch_id)).all()
    belongs: dict[int, tuple[int, ...]] = {}
    for pair in pairs:
        belongs[pair.person_id] = (*belongs.get(pair.person_id, ()), pair.branch_id)
    own = [belongs.get(person_id, ()) for person_id in found["id"]]
    return found.assign(branch_ids=pd.Series(own, index=found.index, dtype=object))
