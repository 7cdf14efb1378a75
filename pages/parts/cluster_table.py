"""The table of clusters: size, growth, who leads there, and how far they are covered."""

from __future__ import annotations

from functools import partial

import streamlit as st
from pandas import DataFrame

from data.clustering.naming import Lead
from data.figures import FEWEST
from data.rights import Right
from geo.coverage import Figure
from pages.parts import downloads, reads, state
from pages.parts.cluster_map import Look
from pages.parts.cluster_reads import Standing
from pages.parts.cluster_words import grown, ratio, word
from pages.parts.words import NONE, _, number, percent

ROW_PX, HEAD_PX, MOST_PX = 35, 38, 520


def show(look: Look) -> None:
    """Show the table; a row that is clicked is the cluster chosen."""
    standing = look.standing
    table = rows(standing, state.cluster_chosen())
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(table)),
        column_config={table.columns[0]: st.column_config.TextColumn(pinned=True, width="medium")},
        key=state.CLUSTER_TABLE,
        on_select=partial(state.choose_cluster_row, standing.growth.ids, state.CLUSTER_TABLE),
        selection_mode="single-row",
    )
    if reads.is_masked(look.asker, look.snapshot.branch_id):
        st.caption(_("Groups of fewer than {count} customers are not shown as figures.", count=FEWEST))
    if look.asker.may(Right.EXPORT, look.snapshot.branch_id):
        whole = rows(standing)
        name = _("Clusters")
        downloads.offer(name, lambda: {name: whole}, key=state.CLUSTER_TABLE)


def rows(standing: Standing, chosen: int | None = None) -> DataFrame:
    """Return the table as it stands on screen."""
    figures, growth, size = standing.figures, standing.growth, standing.found.clusters.size
    numbers = list(growth.ids)
    marked = [
        f"{'▸ ' if own == chosen else ''}{name}" for own, name in zip(numbers, standing.names, strict=True)
    ]
    table = {
        _("Cluster"): marked,
        people_title(standing): [number(each, compact=False) for each in size],
        _("Growth"): [
            grown(now, then, since=growth.since is not None)
            for now, then in zip(size, growth.then, strict=True)
        ],
        _("Who leads"): [leads(standing.found.layer, each) for each in standing.leaders],
        _("Customer coverage"): [
            percent(ratio(a, b)) for a, b in zip(figures["existing"], figures["target"], strict=True)
        ],
        _("Merchants"): [number(each, compact=False) for each in figures["merchants"]],
        _("Merchant coverage"): [
            percent(Figure.ratio(a, b)) for a, b in zip(figures["signed"], figures["merchants"], strict=True)
        ],
        _("No."): [str(each) for each in numbers],
    }
    return DataFrame(table)


def leads(layer: str, found: list[Lead]) -> str:
    """Return the commonest groups or categories of a cluster: `Students 38%, Employees 21%`."""
    kind = "category" if layer == "merchants" else "group"
    return _(", ").join(f"{word(kind, each.kind)} {each.share:.0%}" for each in found) or NONE


def people_title(standing: Standing) -> str:
    """Return what a cluster's size counts."""
    return _("Customers, existing and target") if standing.found.layer == "customers" else _("Size")
