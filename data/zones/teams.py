"""Who goes out: people with their post and outings, groups in large groups, and each one's own zones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from data import tables
from data.branches import lock_version
from data.rights import EVERYWHERE, Asker, Right
from data.trail import audit
from data.zones.plans import published
from data.zones.work import OUTINGS, VISIT_H, VISITS_AN_OUTING
from geo import pairing
from geo.errors import N_, Conflict, DataError, NotFound
from geo.plans import Zone

INDOOR, OUTDOOR = POSTS = ("indoor", "outdoor")
POST_NAMES: Final = {INDOOR: N_("Indoor"), OUTDOOR: N_("Outdoor")}
MOST_OUTINGS = 60  # a month
LONGEST_NAME = 100
COLUMNS = ("id", "name", "role", "post", "outings", "team", "large", "zones", "capacity_h")
_people, _at = tables.people, tables.person_branches
_teams, _members = tables.teams, tables.team_people


def capacity_h(outings: float | None = None) -> float:
    """Return the hours a quarter of so many outings a month; of the usual number, if none is told."""
    return (OUTINGS if outings is None else outings) * 3 * VISITS_AN_OUTING * VISIT_H


# People and posts -------------------------------------------------------------------------------------------


def staff(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """
    Return the branch's people as they go out.

    Parameters
    ----------
    session, asker, branch_id
        Who reads the branch's plans may.

    Returns
    -------
    staff
        `COLUMNS`: the post is "indoor", "outdoor" or None, outings are a month's (None: the usual number),
        team and large are ids of the group and its large group or None, zones how many of the published
        plan's are theirs, and capacity_h hours a quarter. Auditors and administrators go nowhere.
    """
    asker.require(Right.READ_PLANS, branch_id)
    query = (
        select(_people.c.id, _people.c.name, _people.c.role, _people.c.post, _people.c.outings)
        .join(_at, _at.c.person_id == _people.c.id)
        .where(_at.c.branch_id == branch_id, _people.c.role.is_(None) | _people.c.role.not_in(EVERYWHERE))
        .order_by(_people.c.id)
    )
    rows = [dict(row._mapping) for row in session.execute(query)]
    team_of, large_of = _team_of(session, branch_id)
    worked = _zones_of(session, branch_id)
    for row in rows:
        row["team"] = team_of.get(row["id"])
        row["large"] = large_of.get(row["team"])
        row["zones"] = worked.get(row["id"], 0)
        row["capacity_h"] = capacity_h(row["outings"])
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def set_posts(
    session: Session, asker: Asker, branch_id: int, posts: Mapping[int, tuple[str | None, int | None]]
) -> int:
    """
    Say where people of the branch work, and how often they go out; return how many this changed.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    posts
        By person: "indoor", "outdoor" or None, and outings a month or None for the usual number.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    known = staff(session, asker, branch_id).set_index("id")
    if missing := sorted(set(posts) - set(known.index)):
        raise NotFound(N_("There is no person {which}."), which=missing[0])
    changed = 0
    for person_id, (post, outings) in posts.items():
        if post not in (*POSTS, None):
            raise DataError(N_("A post is indoor or outdoor, not {post}."), post=post)
        if outings is not None and not 0 <= outings <= MOST_OUTINGS:
            raise DataError(N_("Somebody goes out between 0 and {most} times a month."), most=MOST_OUTINGS)
        was = known.loc[person_id]
        if (was["post"], was["outings"]) == (post, outings):
            continue
        session.execute(update(_people).where(_people.c.id == person_id).values(post=post, outings=outings))
        audit(session, asker, "set post", branch_id, f"person {person_id}", post=post, outings=outings)
        changed += 1
    return changed


def set_post(
    session: Session,
    asker: Asker,
    branch_id: int,
    person_id: int,
    post: str | None,
    outings: int | None = None,
) -> None:
    """Say where one person works, and how often he or she goes out."""
    set_posts(session, asker, branch_id, {person_id: (post, outings)})


# Groups -----------------------------------------------------------------------------------------------------


def teams(session: Session, asker: Asker, branch_id: int) -> pd.DataFrame:
    """Return groups and large groups: id, name, parent_id (None: a large group), revision, people (ids)."""
    asker.require(Right.READ_PLANS, branch_id)
    rows = session.execute(select(_teams).where(_teams.c.branch_id == branch_id).order_by(_teams.c.id)).all()
    team_of, _ = _team_of(session, branch_id)
    people = {row.id: tuple(sorted(who for who, team in team_of.items() if team == row.id)) for row in rows}
    found = [(row.id, row.name, row.parent_id, row.revision, people[row.id]) for row in rows]
    return pd.DataFrame(found, columns=["id", "name", "parent_id", "revision", "people"], dtype=object)


def save_team(
    session: Session,
    asker: Asker,
    branch_id: int,
    *,
    name: str,
    team_id: int | None = None,
    revision: int = 0,
    parent_id: int | None = None,
    people: Iterable[int] = (),
) -> int:
    """
    Make a group, or change one, and return its id.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    name
        Of the group.
    team_id, revision
        Of the group that is changed, as `teams` gave it; None: a new one.
    parent_id
        The large group it belongs to; None: it is one.
    people
        Ids of who is in it; they leave the group they were in.

    Raises
    ------
    Conflict
        When someone changed the group since.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    who = list(dict.fromkeys(int(each) for each in people))
    if missing := set(who) - set(staff(session, asker, branch_id)["id"]):
        raise NotFound(N_("There is no person {which}."), which=min(missing))
    if parent_id is not None and _row(session, branch_id, parent_id).parent_id is not None:
        raise DataError(N_("A group belongs to a large group, which belongs to none."))
    values = {"name": _name(name), "parent_id": parent_id}
    if team_id is None:
        made = insert(_teams).values(branch_id=branch_id, **values).returning(_teams.c.id)
        team_id = int(session.scalars(made).one())
    else:
        _check_same(_row(session, branch_id, team_id), revision)
        session.execute(update(_teams).where(_teams.c.id == team_id).values(**values, revision=revision + 1))
    _put(session, branch_id, team_id, who)
    audit(session, asker, "save group", branch_id, f"group {team_id}", people=len(who))
    return team_id


def drop_team(session: Session, asker: Asker, branch_id: int, team_id: int, revision: int) -> None:
    """Remove a group, and with a large group those in it; its people stay, in none."""
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    _check_same(_row(session, branch_id, team_id), revision)
    session.execute(delete(_teams).where(_teams.c.id == team_id))
    audit(session, asker, "drop group", branch_id, f"group {team_id}")


def proposed_teams(people: pd.DataFrame) -> list[list[list[int]]]:
    """Return the people who have a post in groups of 3 in large groups of about 10, posts mixed: ids."""
    going = people[people["post"].isin(POSTS)]
    ids = [int(each) for each in going["id"]]
    return [
        [[ids[at] for at in group] for group in large] for large in pairing.groups(going["post"].tolist())
    ]


def take_teams(
    session: Session,
    asker: Asker,
    branch_id: int,
    proposal: Sequence[Sequence[Collection[int]]],
    seen: Mapping[int, int],
    *,
    large_name: str = "{n}",
    name: str = "{n}",
) -> None:
    """
    Put groups proposed, or thought of, in place of those there are.

    Parameters
    ----------
    session, asker, branch_id
        Who may edit the branch's plans.
    proposal
        Large groups of groups of people's ids.
    seen
        The revision of each group there was when the proposal was made.
    large_name, name
        What they are called, with `{n}` for their number.

    Raises
    ------
    Conflict
        When someone changed the groups since.
    """
    asker.require(Right.EDIT_PLANS, branch_id)
    lock_version(session, branch_id)
    now = teams(session, asker, branch_id)
    if dict(zip(now["id"], now["revision"], strict=True)) != dict(seen):
        raise Conflict(N_("Someone else has changed the groups since you opened them. Look at them again."))
    session.execute(delete(_teams).where(_teams.c.branch_id == branch_id))
    number = 0
    for at, large in enumerate(proposal, start=1):
        parent = save_team(session, asker, branch_id, name=large_name.format(n=at))
        for people in large:
            number += 1
            save_team(session, asker, branch_id, name=name.format(n=number), parent_id=parent, people=people)


# My zones ---------------------------------------------------------------------------------------------------


def my_zones(session: Session, asker: Asker, branch_id: int, person_id: int) -> tuple[Zone, ...]:
    """Return the zones of the published plan that somebody works."""
    held = published(session, asker, branch_id)
    return () if held is None else tuple(zone for zone in held.plan.zones if person_id in zone.pair)


def _team_of(session: Session, branch_id: int) -> tuple[dict[int, int], dict[int | None, int | None]]:
    """Return the group of each of the branch's people, and the large group of each group."""
    query = (
        select(_members.c.person_id, _members.c.team_id, _teams.c.parent_id)
        .join(_teams, _teams.c.id == _members.c.team_id)
        .join(_at, (_at.c.person_id == _members.c.person_id) & (_at.c.branch_id == branch_id))
        .where(_teams.c.branch_id == branch_id)
    )
    rows = session.execute(query).all()
    return {row.person_id: row.team_id for row in rows}, {row.team_id: row.parent_id for row in rows}


def _zones_of(session: Session, branch_id: int) -> dict[int, int]:
    """Return how many zones of the published plan each person works."""
    lines = tables.assignments.c
    query = (
        select(lines.person_id, func.count(lines.zone_id.distinct()))
        .where(lines.branch_id == branch_id, lines.until.is_(None))
        .group_by(lines.person_id)
    )
    return {person_id: count for person_id, count in session.execute(query)}


def _row(session: Session, branch_id: int, team_id: int) -> Row[Any]:
    query = select(_teams).where(_teams.c.id == team_id, _teams.c.branch_id == branch_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(N_("This group is no longer there."))
    return row


def _check_same(row: Row[Any], revision: int) -> None:
    if row.revision != revision:
        raise Conflict(N_("Someone else has changed the groups since you opened them. Look at them again."))


def _name(told: str) -> str:
    name = " ".join(told.replace("\x00", "").split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise DataError(N_("A group needs a name of at most {count} characters."), count=LONGEST_NAME)
    return name


def _put(session: Session, branch_id: int, team_id: int, people: list[int]) -> None:
    """Let people be in one group of the branch, and nobody else in it."""
    own = select(_teams.c.id).where(_teams.c.branch_id == branch_id)
    session.execute(
        delete(_members).where(
            (_members.c.team_id == team_id) | (_members.c.team_id.in_(own) & _members.c.person_id.in_(people))
        )
    )
    if people:
        session.execute(insert(_members), [{"team_id": team_id, "person_id": each} for each in people])
