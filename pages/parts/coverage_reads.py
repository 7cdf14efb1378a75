"""What the page of coverage reads: the published plan's report and gaps, for whoever asks."""

from __future__ import annotations

from typing import cast

import streamlit as st
from pandas import DataFrame

from data.alliances.matrix import matrix
from data.config import Settings
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones import coach, coverage, gaps, pairs, teams, trend
from data.zones.coach import Advice
from data.zones.coverage import Report
from data.zones.held import Held
from data.zones.placed import Reference
from data.zones.playbooks import kind_products
from data.zones.reckoning import Reachable
from pages.parts import reads
from pages.parts.frame import reading
from pages.parts.reads import Scope
from pages.parts.words import language


def report(asker: Asker, snapshot: Snapshot, held: Held, reachable: str) -> Report:
    """Return the figures of the plan's zones, with what each kind's playbook offers and each pair's hours."""
    with reading() as session:
        products = kind_products(session)
        staff = teams.staff(session, asker, held.branch_id)
        trades = matrix(session)
    return coverage.report(
        snapshot,
        asker,
        held.plan,
        held.id,
        reachable=cast(Reachable, reachable),
        products=products,
        capacity_h=pairs.hours_of_pairs(held.plan, staff),
        others=others(asker, held),
        matrix=trades,
    )


def others(asker: Asker, held: Held) -> Reference:
    """Return what the bank's other branches know round here, looked up every few minutes."""
    frame, store_id = held.plan.frame, Settings.from_env().database_url
    circle = (frame.lon, frame.lat, frame.radius_m)
    return _others(asker, held, held.branch_id, circle, reads.scope(asker), store_id)


@st.cache_data(ttl="10m", max_entries=50, show_spinner=False)
def _others(
    _asker: Asker,
    _held: Held,
    branch_id: int,
    circle: tuple[float, float, float],  # noqa: ARG001  # this and what follows tell one result from another
    scope: Scope,  # noqa: ARG001
    store_id: str,  # noqa: ARG001
) -> Reference:
    with reading() as session:
        return gaps.others_know(session, _asker, branch_id, _held.plan.frame)


def gaps_of(asker: Asker, snapshot: Snapshot, held: Held, zone_id: int | None) -> DataFrame:
    """Return the trades a zone lacks beside the circle; of the whole beside what other branches know."""
    if zone_id is not None:
        return gaps.void_and_gap(snapshot, asker, held.plan, held.id, zone_id=zone_id)
    return gaps.void_and_gap(snapshot, asker, held.plan, held.id, others=others(asker, held))


def advice(asker: Asker, snapshot: Snapshot, held: Held, found: Report) -> list[Advice]:
    """Return what to look at first."""
    lacking = gaps.largest(snapshot, asker, held.plan, held.id)
    return coach.advice(found, lacking, language=language())


def trend_of(asker: Asker, held: Held, zone_id: int | None, figure: str) -> DataFrame:
    """Return a figure of a zone, or of the whole, in each version of the data that kept it."""
    with reading() as session:
        return trend.trend(session, asker, held.branch_id, zone_id, figure)
