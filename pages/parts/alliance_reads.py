"""What the page of alliances reads: suggestions and links, alliances and proposals, for whoever asks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame, concat
from shapely.geometry.base import BaseGeometry

from data import store
from data.alliances import forming, funnel, held, links, matrix, suggesting, worth
from data.alliances.forming import Proposed
from data.alliances.held import Alliance
from data.alliances.matrix import Matrix
from data.alliances.worth import Scores
from data.config import Settings
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import beside, reads
from pages.parts.frame import reading
from pages.parts.reads import Scope

Pair = tuple[int, int]
MOST_SUGGESTED = 300  # on screen: whoever wants more looks zone by zone


class Ground(NamedTuple):
    """
    For what partners are looked for.

    Parameters
    ----------
    kind
        `catchment`, `zone` or `merchant`.
    within_m
        How far two partners are apart at most.
    merchant_id, zone_id, zone
        The one looked at, and the zone's shape, WGS 84.
    """

    kind: str
    within_m: float
    merchant_id: int | None = None
    zone_id: int | None = None
    zone: BaseGeometry | None = None


def trades() -> Matrix:
    """Return which trades go together, as the bank has it."""
    with reading() as session:
        return matrix.matrix(session)


# Partners -------------------------------------------------------------------------------------------------


def suggested(
    asker: Asker, snapshot: Snapshot, known: Matrix, ground: Ground, decided: frozenset[Pair]
) -> DataFrame | None:
    """Return the partners worth linking, best first; None as long as they are being worked out."""
    key = ("suggested", snapshot.key, known.key, reads.scope(asker), _fact(ground), decided)
    return beside.found(
        key,
        lambda: suggesting.suggestions(
            snapshot,
            asker,
            known,
            merchant_id=ground.merchant_id,
            zone=ground.zone,
            within_m=ground.within_m,
            limit=MOST_SUGGESTED,
            refused=decided,
        ),
    )


def partners_of(
    asker: Asker, snapshot: Snapshot, known: Matrix, ids: Sequence[int], refused: frozenset[Pair]
) -> DataFrame | None:
    """Return the partners worth linking with each of some merchants; None while they are worked out."""
    own = tuple(each for each in ids if snapshot.merchants.row_of(each) is not None)
    key = ("partners", snapshot.key, known.key, reads.scope(asker), own, refused)

    def work() -> DataFrame:
        found = [
            suggesting.suggestions(snapshot, asker, known, merchant_id=each, refused=refused) for each in own
        ]
        return concat(found, ignore_index=True).drop_duplicates(["a", "b"]) if found else DataFrame()

    return beside.found(key, work)


def how_many(
    asker: Asker, snapshot: Snapshot, known: Matrix, within_m: float, decided: frozenset[Pair]
) -> int | None:
    """Return how many pairs are worth linking and not decided on; None while they are worked out."""
    key = ("how many", snapshot.key, known.key, reads.scope(asker), within_m, decided)
    return beside.found(
        key,
        lambda: len(suggesting.suggestions(snapshot, asker, known, within_m=within_m, refused=decided)),
    )


def _fact(ground: Ground) -> tuple[object, ...]:
    shape = None if ground.zone is None else ground.zone.wkb
    return ground.kind, ground.within_m, ground.merchant_id, ground.zone_id, shape


def decisions(asker: Asker, branch_id: int, merchant_id: int | None = None) -> DataFrame:
    """Return what was decided about pairs of merchants: links accepted, refused, ended."""
    with reading() as session:
        return links.links(session, asker, branch_id, merchant_id=merchant_id)


def pairs_of(rows: DataFrame, states: Iterable[str] | None = None) -> frozenset[Pair]:
    """Return the pairs of some links, of all states or of some."""
    own = rows if states is None else rows[rows["state"].isin(list(states))]
    return frozenset(zip(own["a"].astype(int).tolist(), own["b"].astype(int).tolist(), strict=True))


def approaches(asker: Asker, branch_id: int, merchant_ids: Sequence[int]) -> DataFrame:
    """Return what other colleagues have in hand with some merchants."""
    with reading() as session:
        return links.approaches(session, asker, branch_id, merchant_ids, person_id=asker.person_id)


def names(asker: Asker, snapshot: Snapshot, ids: Iterable[int]) -> dict[int, str]:
    """Return merchants' names by id; one that is gone has none."""
    wanted = tuple(sorted({int(each) for each in ids}))
    store_id = Settings.from_env().database_url
    return _names(asker, snapshot.branch_id, snapshot.version, reads.scope(asker), store_id, wanted)


def of_members(asker: Asker, snapshot: Snapshot) -> dict[int, tuple[int, str]]:
    """Return the alliance, as id and name, of each merchant that is in one that has not ended."""
    store_id = Settings.from_env().database_url
    return _of_members(asker, snapshot.branch_id, snapshot.version, reads.scope(asker), store_id)


# What has no underscore below is only there to tell one result from another: Streamlit keeps by it.


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _names(
    _asker: Asker,
    branch_id: int,
    version: int,  # noqa: ARG001
    scope: Scope,  # noqa: ARG001
    store_id: str,  # noqa: ARG001
    ids: tuple[int, ...],
) -> dict[int, str]:
    with reading() as session:
        rows = store.merchant_rows(session, _asker, branch_id, ids)
    return {int(row.id): str(row.name) for row in rows[["id", "name"]].itertuples(index=False)}


@st.cache_data(ttl="10m", max_entries=50, show_spinner=False)
def _of_members(
    _asker: Asker,
    branch_id: int,
    version: int,  # noqa: ARG001
    scope: Scope,  # noqa: ARG001
    store_id: str,  # noqa: ARG001
) -> dict[int, tuple[int, str]]:
    """Read once a version of the data: whoever joins or leaves makes a new one."""
    with reading() as session:
        rows = held.alliances(session, _asker, branch_id)
        return {
            int(merchant_id): (int(row.id), str(row.name))
            for row in rows[rows["status"] != held.ENDED].itertuples()
            for merchant_id in present(held.alliance(session, _asker, int(row.id)))
        }


def present(alliance: Alliance) -> list[int]:
    """Return the merchants that are members now."""
    rows = alliance.members
    return rows.loc[rows["left"].isna(), "merchant_id"].astype(int).tolist()


def places(snapshot: Snapshot, ids: Iterable[int]) -> dict[int, tuple[float, float]]:
    """Return where merchants are, by id; one that is gone is nowhere."""
    shops = snapshot.merchants
    rows = {int(each): shops.row_of(int(each)) for each in ids}
    return {
        each: (float(shops.lon[row]), float(shops.lat[row])) for each, row in rows.items() if row is not None
    }


def categories(snapshot: Snapshot, ids: Iterable[int]) -> dict[int, int]:
    """Return merchants' categories, by id."""
    shops = snapshot.merchants
    rows = {int(each): shops.row_of(int(each)) for each in ids}
    return {each: int(shops.category[row]) for each, row in rows.items() if row is not None}


def staff(asker: Asker, branch_id: int) -> dict[int, str]:
    """Return the names of the branch's people, by id."""
    with reading() as session:
        people = store.managers(session, asker, branch_id)
    return {int(row.id): str(row.name) for row in people.itertuples()}


# Alliances --------------------------------------------------------------------------------------------------


def listed(asker: Asker, branch_id: int) -> DataFrame:
    """Return the branch's alliances."""
    with reading() as session:
        return held.alliances(session, asker, branch_id)


def alliance(asker: Asker, alliance_id: int) -> Alliance:
    """Return an alliance as it is now."""
    with reading() as session:
        return held.alliance(session, asker, alliance_id)


def proposed(asker: Asker, snapshot: Snapshot, known: Matrix, at_most: int) -> Proposed | None:
    """Return the alliances proposed; None as long as they are being worked out."""
    with reading() as session:
        taken, refused = forming.spoken_for(session, asker, snapshot.branch_id)
    key = ("proposed", snapshot.key, known.key, reads.scope(asker), at_most, taken, refused)
    return beside.found(
        key,
        lambda: forming.proposed(snapshot, asker, known, at_most=at_most, taken=taken, refused=refused),
    )


def worth_of(asker: Asker, snapshot: Snapshot, known: Matrix, present: DataFrame) -> Scores:
    """
    Return what some members together are to customers and to each other, with what their offers save.

    As long as none of them has made an offer, each counts for the need it could cover.
    """
    ids = present["merchant_id"].astype(int).tolist()
    savings: dict[int, float | None] = {
        int(row.merchant_id): None if math.isnan(row.saving_yuan) else float(row.saving_yuan)
        for row in present.itertuples()
        if row.offer or not math.isnan(row.saving_yuan)
    }
    return worth.scores_of(snapshot, asker, known, ids, savings=savings or None)


def worth_if(asker: Asker, snapshot: Snapshot, known: Matrix, ids: Sequence[int]) -> Scores:
    """Return what some merchants together could be to customers and to each other."""
    return worth.scores_of(snapshot, asker, known, ids)


def since(asker: Asker, alliance_id: int, changes: int) -> DataFrame:
    """Return the latest changes of an alliance, the newest first."""
    return history(asker, alliance_id).head(changes)


def history(asker: Asker, alliance_id: int) -> DataFrame:
    """Return what was done to an alliance, the newest first."""
    with reading() as session:
        return held.alliance_history(session, asker, alliance_id)


def funnel_of(asker: Asker, branch_id: int, suggested_links: int) -> DataFrame:
    """Return how many links and alliances stand at each step."""
    with reading() as session:
        return funnel.funnel(session, asker, branch_id, suggested_links)


def refusals_of(asker: Asker, branch_id: int) -> DataFrame:
    """Return why pairs were refused, the commonest reason first."""
    with reading() as session:
        return funnel.refusals(session, asker, branch_id)
