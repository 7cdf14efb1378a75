"""Links as a frame: both merchants' names and places beside what was decided."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from data import tables

COLUMNS: Final = (
    *("id", "a", "b", "a_name", "b_name", "a_category", "b_category", "a_lon", "a_lat", "b_lon", "b_lat"),
    *("state", "stage", "reason", "benefit_a", "benefit_b", "owner_id", "owner", "starts", "ends", "notes"),
    *("score", "revision", "by", "at", "a_status", "b_status"),
)
_KINDS = {
    **dict.fromkeys(("id", "a", "b", "a_category", "b_category", "revision"), "int64"),
    **dict.fromkeys(("a_lon", "a_lat", "b_lon", "b_lat", "score"), "float64"),
}
_links = tables.links


def frame(session: Session, query: Select[Any]) -> pd.DataFrame:
    """Return what a query of `selected` finds."""
    rows = [tuple(row) for row in session.execute(query)]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(_KINDS)


def selected() -> Select[Any]:
    """Select `COLUMNS`."""
    a, b, people = tables.merchants.alias("a"), tables.merchants.alias("b"), tables.people
    ends = {
        f"{side}_{name}": table.c[column].label(f"{side}_{name}")
        for side, table in (("a", a), ("b", b))
        for name, column in (
            *(("name", "name"), ("category", "category_id"), ("lon", "lon"), ("lat", "lat")),
            ("status", "status"),
        )
    }
    ends |= {
        "a": _links.c.a_id.label("a"),
        "b": _links.c.b_id.label("b"),
        "owner": people.c.name.label("owner"),
    }
    joined = (
        _links.join(a, a.c.id == _links.c.a_id)
        .join(b, b.c.id == _links.c.b_id)
        .outerjoin(people, people.c.id == _links.c.owner_id)
    )
    return select(*(ends[name] if name in ends else _links.c[name] for name in COLUMNS)).select_from(joined)
