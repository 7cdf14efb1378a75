"""The figures of the circle in one place: cards, the two tables, charts; each count opens its list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data.figures import Filters, Reach, category_table, group_table
from data.figures import cards as card_figures
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import cards, charts, tables
from pages.parts.lists import Wanted, open_wanted
from pages.parts.words import _


def show_cards(
    asker: Asker, branch: Mapping[str, Any], snapshot: Snapshot, filters: Filters, reach: Reach, mask: bool
) -> None:
    """Show the cards; a click opens the list behind one."""
    figures = card_figures(snapshot, filters, reach, mask)
    open_if(cards.show(figures, asker, snapshot.branch_id), asker, branch, snapshot, filters, reach)


def show_tables(
    asker: Asker, branch: Mapping[str, Any], snapshot: Snapshot, filters: Filters, reach: Reach, mask: bool
) -> None:
    """Show the tables and charts; a click on a count opens its list."""
    by_group = group_table(snapshot, filters, reach, mask)
    by_category = category_table(snapshot, filters, reach)
    groups, merchants, pictures = st.tabs([_("Customer groups"), _("Merchants by category"), _("Charts")])
    with groups:
        wanted = tables.groups(by_group, asker, snapshot.branch_id)
    with merchants:
        wanted = tables.categories(by_category, asker, snapshot.branch_id) or wanted
    with pictures:
        left, right = st.columns(2, gap="large")
        with left:
            st.subheader(_("Customer coverage"), anchor=False)
            charts.coverage_by_group(by_group)
        with right:
            st.subheader(_("Merchants by category"), anchor=False)
            charts.merchants_by_category(by_category)
        if not reach.outside:
            st.subheader(_("Customers by distance"), anchor=False)
            charts.customers_by_distance(snapshot, filters, reach.radius_m, mask)
    open_if(wanted, asker, branch, snapshot, filters, reach)


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
