"""The figures of the circle in one place: cards, the two tables, charts; each count opens its list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data.figures import Filters, Reach, category_table, group_table
from data.figures import cards as card_figures
from data.rights import Asker, Right
from data.snapshots import Snapshot
from pages.parts import cards, charts, tables, takeout
from pages.parts.lists import Wanted, open_wanted
from pages.parts.takeout import OnMap
from pages.parts.words import _


def show_cards(
    asker: Asker, branch: Mapping[str, Any], snapshot: Snapshot, filters: Filters, reach: Reach, mask: bool
) -> None:
    """Show the cards; a click opens the list behind one."""
    no_money = not asker.may(Right.DEPOSITS, snapshot.branch_id)
    figures = card_figures(snapshot, filters, reach, mask, mask_deposits=no_money)
    open_if(cards.show(figures, asker, snapshot.branch_id), asker, branch, snapshot, filters, reach)


def show_tables(
    asker: Asker,
    branch: Mapping[str, Any],
    snapshot: Snapshot,
    filters: Filters,
    reach: Reach,
    mask: bool,
    on_map: OnMap,
) -> None:
    """Show the tables and charts; a click on a count opens its list."""
    names = [_("Customer groups"), _("Merchants by category"), _("Charts")]
    if takeout.offered(asker, snapshot.branch_id):
        names.append(_("Take out"))
    groups, merchants, pictures, *out = st.tabs(names, on_change="rerun")  # what is not looked at is not sent
    wanted = None
    if groups.open:
        with groups:
            no_money = not asker.may(Right.DEPOSITS, snapshot.branch_id)
            rows = group_table(snapshot, filters, reach, mask, mask_deposits=no_money)
            wanted = tables.groups(rows, asker, snapshot.branch_id)
    if merchants.open:
        with merchants:
            wanted = tables.categories(category_table(snapshot, filters, reach), asker, snapshot.branch_id)
    if pictures.open:
        with pictures:
            show_charts(snapshot, filters, reach, mask)
    if out and out[0].open:
        with out[0]:
            takeout.show(asker, snapshot, filters, reach)
            takeout.paper(asker, branch, snapshot, filters, reach, on_map)
    open_if(wanted, asker, branch, snapshot, filters, reach)


def show_charts(snapshot: Snapshot, filters: Filters, reach: Reach, mask: bool) -> None:
    """Show what a person would rather look at than read."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Customer coverage"), anchor=False)
        charts.coverage_by_group(group_table(snapshot, filters, reach, mask))
    with right:
        st.subheader(_("Merchants by category"), anchor=False)
        charts.merchants_by_category(category_table(snapshot, filters, reach))
    if not reach.outside:
        st.subheader(_("Customers by distance"), anchor=False)
        charts.customers_by_distance(snapshot, filters, reach.radius_m, mask)


def open_if(
    wanted: Wanted | None,
    asker: Asker,
    branch: Mapping[str, Any],
    snapshot: Snapshot,
    filters: Filters,
    reach: Reach,
) -> None:
    """Open a list if one is wanted."""
    if wanted is not None:
        open_wanted(wanted, snapshot, filters, reach, asker, branch)
