"""Coverage: how much of each zone of the published plan is reached, where it is not, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data.basemaps import BaseMap
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.coverage import Report
from data.zones.held import Held
from pages.parts import (
    coverage_card,
    coverage_coach,
    coverage_gaps,
    coverage_map,
    coverage_ranking,
    coverage_reads,
    coverage_table,
    coverage_trend,
    reads,
    state,
    zone_reads,
)
from pages.parts.coverage_card import Card
from pages.parts.coverage_map import Look
from pages.parts.coverage_words import FIGURES, REACHABLE_NAMES
from pages.parts.frame import calm
from pages.parts.here import branch_of_plans, nothing_yet, one_of, pick_base
from pages.parts.ways import Way, link
from pages.parts.words import _, day, in_one_language, ngettext, plain, spoken


def page(asker: Asker) -> None:
    """Show the page."""
    branch = branch_of_plans(asker, _("Coverage"), _("Coverage is for those who work at the branch."))
    if branch is None:
        return
    state.settle_map(branch["id"])
    held = zone_reads.published(asker, branch["id"])
    if held is None:
        nothing_yet(_("No plan of zones is published yet."), Way.ZONES, _("Go to the zones"))
        return
    about(held)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        figure = pick_figure()
        reachable = pick_reachable()
        base = pick_base(bool(branch["is_demo"]))
    work(asker, branch, held, figure, reachable, base)


def about(held: Held) -> None:
    """Say which plan this is, and since when the branch works by it."""
    zones = ngettext("one zone", "{n} zones", len(held.plan))
    since = _("published {day}", day=day(held.published_at))
    st.caption(f"{plain(held.name)} · {zones} · {since}")


def pick_figure() -> str:
    """Ask which figure shades the map."""
    titles = {name: told.title for name, told in FIGURES.items()}
    key = state.seed(state.SHADE, lambda text: one_of(text, FIGURES), "customer_coverage")
    picked: str = st.selectbox(
        _("Shade the map by"),
        list(FIGURES),
        index=list(FIGURES).index(state.value(key)),
        format_func=spoken(titles),
        key=key,
        width=240,
    )
    state.keep(state.SHADE, None if picked == "customer_coverage" else picked)
    return picked


def pick_reachable() -> str:
    """Ask what the customers covered are a share of."""
    key = state.seed(state.REACHABLE, lambda text: one_of(text, REACHABLE_NAMES), "customers")
    picked: str = st.selectbox(
        _("Customers, out of"),
        list(REACHABLE_NAMES),
        index=list(REACHABLE_NAMES).index(state.value(key)),
        format_func=spoken(REACHABLE_NAMES),
        key=key,
        width=250,
        help=_(
            "What customer coverage is a share of; places tell how many adults, households and employees."
        ),
    )
    state.keep(state.REACHABLE, None if picked == "customers" else picked)
    return picked


@st.fragment(key=state.COVERAGE_WORK)  # a click on the map reruns this, and no more
@calm()
@in_one_language
def work(
    asker: Asker, branch: Mapping[str, Any], held: Held, figure: str, reachable: str, base: BaseMap
) -> None:
    """Show the map, beside it the zone chosen, and the tables below."""
    snapshot = reads.snapshot(asker, branch["id"])
    coverage_map.heed(held, base)
    report = coverage_reads.report(asker, snapshot, held, reachable)
    never_visited(report)
    left, right = st.columns([62, 38], gap="small")
    with left:
        coverage_map.show(Look(branch, held, report, base, figure))
    chosen = state.zone_id()
    zone = held.plan.zone(chosen) if chosen is not None and chosen in held.plan else None
    with right:
        if zone is not None:
            with calm():
                coverage_card.show(Card(asker, snapshot, held, report, zone))
        with calm():
            advice = coverage_reads.advice(asker, snapshot, held, report)
            coverage_coach.show(asker, held, advice, None if zone is None else zone.id)
    tables(asker, snapshot, held, report, figure)


def never_visited(report: Report) -> None:
    """Say so where nobody has been visited yet, as far as is known."""
    never = report.total["visit_never"]
    if never.value == 1.0:
        text = _("No visit is on record yet, so every merchant counts as never visited.")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(text, icon=":material/info:")
            link(Way.TEAMS, _("Record visits, or bring in a list"), ":material/arrow_forward:")


def tables(asker: Asker, snapshot: Snapshot, held: Held, report: Report, figure: str) -> None:
    """Show every zone's figures, the zones ranked, the trades they lack, and how it went."""
    names = [_("All zones"), _("Ranking"), _("Missing trades"), _("Trend")]
    every, order, trades, course = st.tabs(names, on_change="rerun", key=state.COVERAGE_TABS)
    if every.open:
        with every, calm():
            coverage_table.show(asker, held, report)
    if order.open:
        with order, calm():
            coverage_ranking.show(held, report, figure)
    if trades.open:
        with trades, calm():
            coverage_gaps.show(asker, snapshot, held, state.zone_id())
    if course.open:
        with course, calm():
            coverage_trend.show(asker, held, figure, state.zone_id())
