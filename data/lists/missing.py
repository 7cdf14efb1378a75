"""What a list that stands for all there are does not have any more."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.lists.deciding import Fates
from data.lists.survey import Survey
from data.lists.terms import Terms

COLUMNS = ("id", "name", "address", "lon", "lat")


def missing(session: Session, survey: Survey, fates: Fates, terms: Terms) -> pd.DataFrame:
    """
    Return the open merchants that earlier lists of the source brought, and that this one does not have.

    A merchant that a row of the list may be, or that has moved to the outlets, is not missing.

    Returns
    -------
    missing
        id, name, address, lon, lat; empty unless the list is a snapshot.
    """
    if terms.mode != "snapshot":
        return pd.DataFrame(columns=list(COLUMNS))
    merchants, batches = tables.merchants.c, tables.batches.c
    of_source = select(batches.id).where(
        batches.branch_id == terms.branch_id, batches.kind == terms.kind, batches.source == terms.source
    )
    query = select(*(merchants[name] for name in COLUMNS)).where(
        merchants.branch_id == terms.branch_id,
        merchants.batch_id.in_(of_source),
        merchants.status != "closed",
    )
    found = pd.DataFrame(session.execute(query.order_by(merchants.id)).all(), columns=list(COLUMNS))
    return found[~np.isin(found["id"].to_numpy(np.int64), _there(survey, fates))].reset_index(drop=True)


def _there(survey: Survey, fates: Fates) -> np.ndarray:
    """Return the ids of stored merchants that the list has, perhaps by another name."""
    own = fates.ids(survey.outlet == 0)
    known, twins = fates.known, fates.twins.stored
    likely = known.id[twins[twins >= 0]]
    replaced = known.id[fates.replaced]
    return np.unique(np.concatenate([own, likely, replaced]))
