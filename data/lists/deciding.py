"""
What becomes of each row of a list: new, an update of a stored row, a double, or rejected.

Identifiers and exact repeats decide first; of merchants that seem new, `doubles` finds those that are
here under another name or number. Rows of the store are named by where they stand in `StoredRows`, -1 for
none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data.lists import doubles
from data.lists.known import StoredRows, mixed, row_keys, stored_texts
from data.lists.processes import shared_out
from data.lists.reasons import OK, REPEATED_ID
from data.lists.survey import COMPARED, LICENCE, Survey
from data.lists.terms import NEW, SAME, Terms
from data.lists.watching import CHECKING, DOUBLES, Watch

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

ACCEPTED, UPDATED, DUPLICATE, REJECTED = range(4)
SAME_LIST_SHARE = 0.5  # of the identifiers two lists share, that many must mean the same thing
NONE = -1
SIGNED_AT_ONCE = 50_000  # rows


@dataclass
class Twins:
    """
    The likeliest other merchant of each row, if there is any.

    Parameters
    ----------
    level, score
        Of `data.lists.doubles`; 0 for a row that is like no other.
    stored
        Where the stored row stands.
    earlier
        Which row of the list it is, where that is likelier than a stored one.
    """

    level: NDArray[np.int8]
    score: Floats
    stored: Rows
    earlier: Rows

    @classmethod
    def none(cls, count: int) -> Twins:
        """Return the twins of rows that have none."""
        return cls(np.zeros(count, np.int8), np.zeros(count), np.full(count, NONE), np.full(count, NONE))

    def counts(self) -> dict[str, int]:
        """Return how many rows have a twin of each level."""
        return {
            word: int((self.level == level).sum()) for level, word in sorted(doubles.LEVELS.items())[::-1]
        }


@dataclass
class Fates:
    """
    What becomes of each row, in the list's order.

    Parameters
    ----------
    outcome
        ACCEPTED, UPDATED, DUPLICATE or REJECTED; an update that changes nothing turns out a duplicate when
        it is stored.
    stored
        Where the stored row stands that a row is.
    lon, lat
        WGS 84.
    twins
        As found; `marked` says which of them are to be looked at by a person.
    marked
        Rows that are stored as new, with a mark that they may be doubles.
    replaced
        Stored rows that are of the other layer now: a shop that became a bank's outlet, or the reverse.
    known
        What the branch has.
    """

    outcome: NDArray[np.int8]
    stored: Rows
    lon: Floats
    lat: Floats
    twins: Twins
    marked: Bools
    known: StoredRows
    replaced: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def ids(self, rows: Any = slice(None)) -> Rows:
        """Return the ids of the stored rows that rows of the list are, 0 for none."""
        at = self.stored[rows]
        return np.where(at >= 0, self.known.id[at], 0) if len(self.known) else np.zeros(len(at), np.int64)


def decide(
    session: Session,
    survey: Survey,
    lon: Floats,
    lat: Floats,
    terms: Terms,
    watch: Watch,
    warn: Callable[[str, int], None],
) -> Fates:
    """
    Say of every row what becomes of it; rows that repeat another's identifier are marked in the survey.

    Parameters
    ----------
    session, terms
        Of the branch that the list goes to.
    survey, lon, lat
        The list, and where its rows are in WGS 84.
    watch
        Told how far it is.
    warn
        Told a key of `WARNINGS` and how many rows it is about.
    """
    with watch.stage(CHECKING):
        watch.at(CHECKING, 0, 3)
        layers = ["merchants", "outlets"] if terms.kind == "merchants" else [terms.kind]
        known = StoredRows.read(session, terms.branch_id, layers, terms.kind)
        watch.at(CHECKING, 1, 3)
        _drop_foreign_ids(survey, known, lon, lat, warn)
        fates = _by_identity(survey, known, lon, lat, terms)
        watch.at(CHECKING, 2, 3)
        if terms.kind == "merchants":
            fates.replaced = _replaced(survey, fates)
        watch.at(CHECKING, 3, 3)
    if terms.compared:
        with watch.stage(DOUBLES):
            fates.twins = _twins(session, survey, fates, terms, watch)
            _settle(survey, fates, terms)
    return fates


def _drop_foreign_ids(
    survey: Survey, known: StoredRows, lon: Floats, lat: Floats, warn: Callable[[str, int], None]
) -> None:
    """
    Let go of identifiers that another list has used for other things.

    Many lists just count their rows: the 17th shop of one list is not the 17th of the next, and must not
    overwrite it.
    """
    if not survey.id_hash.any():
        return
    same, shared = known.agreement(survey, survey.reason == OK, lon, lat)
    if shared and same < SAME_LIST_SHARE * shared:
        warn("ids_of_another_list", shared)
        survey.columns = survey.columns.without("source_id")
        survey.id_hash[:] = 0


def _by_identity(survey: Survey, known: StoredRows, lon: Floats, lat: Floats, terms: Terms) -> Fates:
    """Decide by identifiers and, of rows that have none, by name, place and category."""
    what = np.where(survey.outlet > 0, 1000 * survey.outlet.astype(np.int64), survey.category)
    keys = row_keys(survey.name_hash, lon, lat, what)
    is_outlet = survey.outlet > 0
    has_id = survey.id_hash != 0
    good = survey.reason == OK
    again = _seen_before(keys, good)
    repeated = _seen_before(mixed(survey.id_hash, is_outlet), good & has_id)
    _reject_repeated(survey, repeated & ~again)
    good = survey.reason == OK
    stored = known.by_source(survey.id_hash, is_outlet)
    nameless = good & ~has_id
    stored[nameless] = known.by_key(keys[nameless])
    outcome = np.full(len(good), REJECTED, dtype=np.int8)
    outcome[good] = ACCEPTED
    outcome[good & (stored >= 0)] = DUPLICATE if terms.policy == "skip" else UPDATED
    outcome[good & (repeated | (again & ~has_id))] = DUPLICATE
    count = len(good)
    return Fates(outcome, stored, lon, lat, Twins.none(count), np.zeros(count, dtype=bool), known)


def _seen_before(keys: NDArray[np.uint64], among: Bools) -> Bools:
    seen = np.zeros(len(keys), dtype=bool)
    seen[among] = pd.Series(keys[among]).duplicated().to_numpy(bool)
    return seen


def _reject_repeated(survey: Survey, at: Bools) -> None:
    survey.reason[at] = REPEATED_ID
    header = survey.columns.fields.get("source_id", "")
    survey.where.update({int(position): (header, "") for position in at.nonzero()[0]})


def _replaced(survey: Survey, fates: Fates) -> Rows:
    """Return the stored rows that new rows of the other layer take the place of."""
    known = fates.known
    at = (fates.outcome == ACCEPTED).nonzero()[0]
    if not len(known) or not len(at):
        return np.empty(0, np.int64)
    is_outlet = survey.outlet[at] > 0
    by_id = known.by_source(survey.id_hash[at], ~is_outlet)
    names, lon, lat = survey.name_hash[at], fates.lon[at], fates.lat[at]
    by_id[~known.same(by_id, names, lon, lat)] = NONE
    by_spot = known.by_spot(names, lon, lat)
    by_spot[known.is_outlet[by_spot] == is_outlet] = NONE
    found = np.where(by_id >= 0, by_id, by_spot)
    return np.setdiff1d(found[found >= 0], fates.stored)


# --- doubles ----------------------------------------------------------------------------------------------


def _twins(session: Session, survey: Survey, fates: Fates, terms: Terms, watch: Watch) -> Twins:
    """Find the likeliest twin of each merchant that seems new."""
    twins = Twins.none(len(fates.outcome))
    at = ((fates.outcome == ACCEPTED) & (survey.outlet == 0)).nonzero()[0]
    watch.at(DOUBLES, 0, 1)
    if not len(at):
        return twins
    new, _ = _signs(_listed(survey, fates, at), watch, len(at))
    kept = stored_texts(session, terms.branch_id, licences=LICENCE in survey.texts)
    stored, ids = _signs(kept, watch, len(fates.known))
    total = 2 * len(at)
    if len(ids):
        pairs = doubles.between(new, stored, progress=lambda done, _: watch.at(DOUBLES, done, total))
        row, other = _best(pairs)
        twins.level[at[pairs.a[row]]] = pairs.level[row]
        twins.score[at[pairs.a[row]]] = pairs.score[row]
        twins.stored[at[pairs.a[row]]] = fates.known.by_id(ids[other])
    pairs = doubles.within(new, progress=lambda done, _: watch.at(DOUBLES, len(at) + done, total))
    row, other = _best(pairs)
    later, level, score = at[pairs.a[row]], pairs.level[row], pairs.score[row]
    likelier = level > twins.level[later]
    later = later[likelier]
    twins.level[later], twins.score[later] = level[likelier], score[likelier]
    twins.earlier[later], twins.stored[later] = at[other[likelier]], NONE
    watch.at(DOUBLES, total, total)
    return twins


def _listed(survey: Survey, fates: Fates, at: Rows) -> Iterator[pd.DataFrame]:
    """Yield what tells rows of the list apart, some at a time, as `stored_texts` does of the branch's."""
    for start in range(0, len(at), SIGNED_AT_ONCE):
        rows = at[start : start + SIGNED_AT_ONCE]
        texts = {name: text.iloc[rows].to_numpy(object) for name, text in survey.texts.items()}
        place = {"lon": fates.lon[rows], "lat": fates.lat[rows], "category_id": survey.category[rows]}
        yield pd.DataFrame({"id": rows, **texts, **place})


def _signs(chunks: Iterator[pd.DataFrame], watch: Watch, count: int) -> tuple[doubles.Signs, Rows]:
    """Return what tells the rows of chunks apart, and their ids."""
    parts, ids = [], [np.empty(0, np.int64)]
    for signs, own in shared_out(_signs_of_chunk, chunks, alone=count < doubles.LONG):
        parts.append(signs)
        ids.append(own)
        watch.at(DOUBLES, 0, 1)
    return doubles.Signs.joined(parts), np.concatenate(ids)


def _signs_of_chunk(chunk: pd.DataFrame) -> tuple[doubles.Signs, Rows]:
    name, phone, address = (chunk[each] for each in COMPARED)
    lon, lat, category = (chunk[each] for each in ("lon", "lat", "category_id"))
    signs = doubles.signs_of(name, phone, address, lon, lat, category, chunk.get(LICENCE))
    return signs, chunk["id"].to_numpy(np.int64)


def _best(pairs: doubles.Pairs) -> tuple[Rows, Rows]:
    """Return, once for each first row of the pairs, the surest pair's position and its second row."""
    order = np.lexsort((pairs.b, -pairs.score, -pairs.level.astype(np.int64), pairs.a))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(pairs.a[order]) != 0
    best = order[first]
    return best, pairs.b[best]


def _settle(survey: Survey, fates: Fates, terms: Terms) -> None:
    """Let levels, decisions and the policy say what becomes of rows that have a twin."""
    twins = fates.twins
    level = twins.level.copy()
    for row, decision in terms.decisions.items():
        at = np.flatnonzero((survey.row == row) & (level > 0))
        level[at] = {SAME: doubles.CERTAIN, NEW: 0}[decision]
    sure = level == doubles.CERTAIN
    in_list = sure & (twins.earlier >= 0)
    fates.outcome[in_list] = DUPLICATE
    in_store = sure & (twins.stored >= 0)
    fates.stored[in_store] = twins.stored[in_store]
    taken = np.unique(fates.stored[(fates.outcome == UPDATED) & (survey.outlet == 0)])
    first = in_store & ~np.isin(fates.stored, taken)
    first[first] = ~pd.Series(fates.stored[first]).duplicated().to_numpy(bool)
    fates.outcome[in_store] = DUPLICATE
    if terms.policy != "skip":
        fates.outcome[first] = UPDATED
    fates.marked = (level > 0) & ~sure
    _follow(twins, in_list, in_store)
    fates.stored[in_list] = twins.stored[in_list]


def _follow(twins: Twins, in_list: Bools, in_store: Bools) -> None:
    """Let who is like a double be like what that is a double of: an earlier row, or a stored one."""
    while len(at := (twins.earlier >= 0).nonzero()[0]):
        at = at[in_list[twins.earlier[at]]]
        if not len(at):
            break
        twins.earlier[at] = twins.earlier[twins.earlier[at]]
    at = (twins.earlier >= 0).nonzero()[0]
    at = at[in_store[twins.earlier[at]]]
    twins.stored[at] = twins.stored[twins.earlier[at]]
    twins.earlier[at] = NONE
