"""What an import will change, for people to look at before: pairs side by side, and points on a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import tables
from data.lists import doubles
from data.lists.deciding import ACCEPTED, UPDATED, Fates
from data.lists.survey import Survey
from geo.catchment import GEOD

MOST_PAIRS = 200
MOST_POINTS = 2000
MOVED_M = 5.0  # less is how lists round
SHOWN = ("name", "address", "phone", "lon", "lat")
OTHER = tuple(f"other_{name}" for name in SHOWN)
PAIR_COLUMNS = ("row", *SHOWN, "other_id", "other_row", *OTHER, "level", "score")
POINT_COLUMNS = ("what", "lon", "lat")


def pairs(session: Session, survey: Survey, fates: Fates) -> pd.DataFrame:
    """
    Return rows that may be doubles beside what they double, the ones to be decided first.

    Returns
    -------
    pairs
        `row, name, address, phone, lon, lat` of the list; `other_id` of a stored merchant or `other_row` of
        an earlier row of the list, and its `other_name …`; `level` ("probable", "certain", "possible") and
        `score`. The first `MOST_PAIRS`.
    """
    twins = fates.twins
    at = (twins.level > 0).nonzero()[0]
    rank = np.array([9, 2, 0, 1])[twins.level[at]]  # probable ones are for a person to decide
    at = at[np.lexsort((at, -twins.score[at], rank))][:MOST_PAIRS]
    if not len(at):
        return pd.DataFrame(columns=list(PAIR_COLUMNS))
    own = _of_list(survey, fates, at)
    in_list = twins.earlier[at] >= 0
    other = _of_store(session, fates, twins.stored[at])
    if in_list.any():
        earlier = _of_list(survey, fates, twins.earlier[at][in_list])
        other.loc[in_list, list(SHOWN)] = earlier.set_index(other.index[in_list]).astype(object)
    shown = pd.concat([own, other.add_prefix("other_")], axis=1)
    shown.insert(0, "row", survey.row[at])
    shown["other_row"] = pd.Series(survey.row[twins.earlier[at]]).where(in_list).astype("Int64")
    shown["level"] = [doubles.LEVELS[level] for level in twins.level[at].tolist()]
    shown["score"] = twins.score[at]
    return shown[list(PAIR_COLUMNS)]


def _of_list(survey: Survey, fates: Fates, at: NDArray[np.int64]) -> pd.DataFrame:
    texts = {
        name: survey.texts[name].iloc[at].reset_index(drop=True) for name in ("name", "address", "phone")
    }
    return pd.DataFrame({**texts, "lon": fates.lon[at], "lat": fates.lat[at]})


def _of_store(session: Session, fates: Fates, stored: NDArray[np.int64]) -> pd.DataFrame:
    """Return what is shown of stored merchants, row by row, with their ids; nothing where there is none."""
    there = stored >= 0
    ids = np.where(there, fates.known.id[stored] if len(fates.known) else 0, 0)
    merchants = tables.merchants.c
    query = select(merchants.id, *(merchants[name] for name in SHOWN))
    found = {row.id: tuple(row)[1:] for row in session.execute(query.where(merchants.id.in_(ids.tolist())))}
    nothing: tuple[Any, ...] = (None,) * len(SHOWN)
    frame = pd.DataFrame(
        [found.get(row_id, nothing) for row_id in ids.tolist()], columns=list(SHOWN), dtype=object
    )
    return frame.assign(id=pd.Series(ids).where(there).astype("Int64"))


def points(fates: Fates, gone: pd.DataFrame) -> pd.DataFrame:
    """
    Return what will be new, moved or gone as points on a map: `what, lon, lat`, at most `MOST_POINTS`.

    Of more, every so many are shown.
    """
    new = (fates.outcome == ACCEPTED).nonzero()[0]
    at = ((fates.outcome == UPDATED) & (fates.stored >= 0)).nonzero()[0]
    there = fates.stored[at]
    apart = np.asarray(
        GEOD.inv(fates.lon[at], fates.lat[at], fates.known.lon[there], fates.known.lat[there])[2]
    )
    moved = at[apart > MOVED_M]
    parts = [
        pd.DataFrame({"what": what, "lon": fates.lon[rows], "lat": fates.lat[rows]})
        for what, rows in (("new", new), ("moved", moved))
    ]
    parts.append(pd.DataFrame({"what": "gone", "lon": gone["lon"], "lat": gone["lat"]}))
    every = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    step = -(-len(every) // MOST_POINTS) or 1
    return every.iloc[::step].reset_index(drop=True)
