"""The audit trail: who looked at what, and who changed what. It carries no customer's data."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from data.rights import Asker, Right
from data.tables import audit as audit_table

_FIELDS = [
    audit_table.c[name] for name in ("id", "at", "by", "role", "action", "branch_id", "subject", "detail")
]


def audit(
    session: Session,
    asker: Asker,
    action: str,
    branch_id: int | None,
    subject: str = "",
    **detail: str | float | bool | None,
) -> None:
    """Write a line: ids, codes and counts only, never a customer's name, phone, place or money."""
    session.execute(
        insert(audit_table).values(
            by=asker.name,
            role=asker.role.value if asker.role else None,
            action=action,
            branch_id=branch_id,
            subject=subject,
            detail=detail,
        )
    )


def audit_rows(
    session: Session, asker: Asker, branch_id: int | None = None, *, limit: int = 500
) -> pd.DataFrame:
    """
    Return the trail, the newest line first: id, at, by, role, action, branch_id, subject, detail.

    Parameters
    ----------
    session, asker
        A head reads the own branch, an auditor all.
    branch_id
        None: all branches the asker may audit.
    limit
        The most lines returned.
    """
    asker.require(Right.AUDIT, branch_id)
    query = select(*_FIELDS).order_by(audit_table.c.id.desc()).limit(limit)
    if branch_id is not None:
        query = query.where(audit_table.c.branch_id == branch_id)
    elif not asker.everywhere:
        query = query.where(audit_table.c.branch_id.in_(asker.branch_ids))
    return pd.DataFrame(session.execute(query).all(), columns=[field.name for field in _FIELDS])
