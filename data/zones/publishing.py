"""A plan published: the one before becomes past, and who works which zone begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from data import tables
from data.branches import PLAN, lock_version, new_version
from data.rights import Asker, Right
from data.trail import audit
from data.zones import content
from data.zones.held import PAST, PUBLISHED, Held, claim, draft, held, row_of
from geo.errors import N_, DataError
from geo.plans import Plan

_plans, _lines, _people = tables.plans, tables.assignments, tables.people


def publish(session: Session, asker: Asker, plan_id: int, revision: int) -> Held:
    """
    Make a draft the plan the branch works by, and return it.

    The plan published before becomes past; who works which zone begins and ends; the branch's data get a new
    version, with which the figures of the zones are kept.

    Raises
    ------
    PlanConflict
        When someone changed the draft since.
    """
    row = row_of(session, plan_id)
    asker.require(Right.PUBLISH_PLANS, row.branch_id)
    row = draft(session, asker, plan_id)
    lock_version(session, row.branch_id)  # of two who publish at once, one waits
    value = content.plan_of(row.content)
    if not len(value):
        raise DataError(N_("A plan without zones cannot be published. Draw or design zones first."))
    now = datetime.now(UTC)
    told = {"status": PUBLISHED, "published_at": now, "published_by": asker.name}
    claim(session, plan_id, revision, told)
    session.execute(
        update(_plans)
        .where(_plans.c.branch_id == row.branch_id, _plans.c.status == PUBLISHED, _plans.c.id != plan_id)
        .values(status=PAST, retired_at=now)
    )
    _assign(session, row.branch_id, plan_id, value, now)
    audit(session, asker, "publish plan", row.branch_id, f"plan {plan_id}", zones=len(value))
    new_version(session, asker, row.branch_id, PLAN, touched={})
    return held(session, row_of(session, plan_id), value)


def assignments(session: Session, asker: Asker, branch_id: int, person_id: int | None = None) -> pd.DataFrame:
    """
    Return who works which zone and who did, the present first, then the latest ended.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans.
    person_id
        One person's lines alone.

    Returns
    -------
    assignments
        plan_id, plan (its name), zone_id, zone_name, person_id, person, since, until (None: still).
    """
    asker.require(Right.READ_PLANS, branch_id)
    query = (
        select(
            _lines.c.plan_id,
            _plans.c.name.label("plan"),
            _lines.c.zone_id,
            _lines.c.zone_name,
            _lines.c.person_id,
            _people.c.name.label("person"),
            _lines.c.since,
            _lines.c.until,
        )
        .join(_plans, _plans.c.id == _lines.c.plan_id)
        .join(_people, _people.c.id == _lines.c.person_id)
        .where(_lines.c.branch_id == branch_id)
        .order_by(_lines.c.until.is_not(None), _lines.c.until.desc(), _lines.c.zone_id, _lines.c.id)
    )
    if person_id is not None:
        query = query.where(_lines.c.person_id == person_id)
    result = session.execute(query)
    return pd.DataFrame(result.all(), columns=list(result.keys()))


def _assign(session: Session, branch_id: int, plan_id: int, value: Plan, now: datetime) -> None:
    """Let who works a zone of this name already go on, end the others' lines, and begin the new ones."""
    still = session.scalars(select(_people.c.id)).all()
    wanted = {
        (zone.name, person): zone.id for zone in value.zones for person in zone.pair if person in set(still)
    }
    current = session.execute(
        select(_lines.c.id, _lines.c.zone_name, _lines.c.person_id).where(
            _lines.c.branch_id == branch_id, _lines.c.until.is_(None)
        )
    ).all()
    for line in current:
        zone_id = wanted.pop((line.zone_name, line.person_id), None)
        values = {"until": now} if zone_id is None else {"plan_id": plan_id, "zone_id": zone_id}
        session.execute(update(_lines).where(_lines.c.id == line.id).values(**values))
    begun = [
        {
            "branch_id": branch_id,
            "plan_id": plan_id,
            "zone_id": zone_id,
            "zone_name": name,
            "person_id": person,
            "since": now,
        }
        for (name, person), zone_id in wanted.items()
    ]
    if begun:
        session.execute(insert(_lines), begun)
