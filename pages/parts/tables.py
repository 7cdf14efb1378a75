"""The tables of the practice: per customer group, and per merchant category; a count opens its list."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from pandas import DataFrame

from data import catalogue
from data.figures import FEWEST
from data.rights import Asker, Right
from data.words import Language
from geo.coverage import Figure, Preference
from pages.parts import downloads, state
from pages.parts.lists import Wanted, may_list
from pages.parts.words import NONE, _, language, number, percent, share


def groups(table: DataFrame, asker: Asker, branch_id: int) -> Wanted | None:
    """Show coverage x product match x preferences per customer group; return the count clicked."""
    if table.empty:
        st.info(_("No customers match: widen the circle, clear the filters, or import a list of customers."))
        return None
    names = names_of(catalogue.GROUPS, language())
    shown = group_columns(table, names)
    counted = {
        _("Existing customers"): {"existing": True},
        _("Target customers"): {"existing": False},
        _("Customer coverage"): {},
    }
    clicked = draw(shown, state.GROUP_TABLE, may_list(asker, "customers", branch_id), list(counted))
    if table["masked"].any():
        st.caption(_("Groups of fewer than {count} customers are not shown as figures.", count=FEWEST))
    take_away(_("Customer groups"), shown, asker, branch_id, state.GROUP_TABLE)
    if clicked is None:
        return None
    row, column = clicked
    group = int(table["group"].iloc[row])
    whom = column if counted[column] else _("Customers")
    return Wanted("customers", f"{names[group]} · {whom}", {"group": group, **counted[column]})


def group_columns(table: DataFrame, names: Mapping[int, str]) -> DataFrame:
    """Return the table per customer group as it stands on screen: each share with its counts."""
    reachable = table["existing"] + table["target"]
    return DataFrame(
        {
            _("Customer group"): [names[int(group)] for group in table["group"]],
            _("Existing customers"): table["existing"].astype("Int64"),
            _("Target customers"): table["target"].astype("Int64"),
            _("Customer coverage"): [
                percent(Figure(*parts))
                for parts in zip(table["customer_coverage"], table["existing"], reachable, strict=True)
            ],
            _("Product match"): [
                mean_of(value, count)
                for value, count in zip(table["product_match"], table["match_customers"], strict=True)
            ],
            _("Preferences and habits"): [preferences(tags) for tags in table["tags"]],
            _("Channels"): [preferences(channels) for channels in table["channels"]],
            _("Deposits (yuan)"): table["deposits"].round().astype("Int64"),
        }
    )


def mean_of(value: float, count: float) -> str:
    """Return a mean share with the number of customers it is of."""
    if pd.isna(value):
        return NONE
    return _("{share} (mean of {count})", share=share(value), count=number(count))


def preferences(found: tuple[Preference, ...]) -> str:
    """Return the commonest words, each with its share of the customers."""
    return "  ".join(f"{preference.name} {percent(preference.figure)}" for preference in found) or NONE


def categories(table: DataFrame, asker: Asker, branch_id: int) -> Wanted | None:
    """Show merchants and signed share per category; return the count clicked."""
    if table.empty:
        st.info(_("No merchants match: widen the circle, clear the filters, or import a list of merchants."))
        return None
    names = names_of(catalogue.CATEGORIES, language())
    shown = category_columns(table, names)
    counted: dict[str, dict[str, str]] = {
        _("Merchants"): {},
        _("Signed"): {"status": "signed"},
        _("Merchants signed"): {"status": "signed"},
    }
    clicked = draw(shown, state.CATEGORY_TABLE, may_list(asker, "merchants", branch_id), list(counted))
    take_away(_("Merchants by category"), shown, asker, branch_id, state.CATEGORY_TABLE)
    if clicked is None:
        return None
    row, column = clicked
    category = int(table["category"].iloc[row])
    return Wanted("merchants", f"{names[category]} · {column}", {"category": category, **counted[column]})


def category_columns(table: DataFrame, names: Mapping[int, str]) -> DataFrame:
    """Return the table per category as it stands on screen: the share with its counts."""
    return DataFrame(
        {
            _("Category"): [names[int(category)] for category in table["category"]],
            _("Merchants"): table["merchants"],
            _("Not closed"): table["open"],
            _("Signed"): table["signed"],
            _("Merchants signed"): [
                percent(Figure(*parts))
                for parts in zip(table["merchant_coverage"], table["signed"], table["open"], strict=True)
            ],
        }
    )


def names_of(catalogue_of: DataFrame, spoken: Language) -> dict[int, str]:
    """Return a catalogue's names by id."""
    return {int(key): str(name) for key, name in zip(catalogue_of["id"], catalogue_of[spoken], strict=True)}


def draw(shown: DataFrame, key: str, listed: bool, counted: list[str]) -> tuple[int, str] | None:
    """Draw a table; return the row and column of a count that was clicked in this run."""
    pinned = {shown.columns[0]: st.column_config.TextColumn(pinned=True)}
    options = {
        "hide_index": True,
        "column_config": pinned,
        "height": "content",
        "key": key,
        "placeholder": NONE,
    }
    if not listed:
        st.dataframe(shown, **options)
        return None
    told = st.dataframe(shown, on_select="rerun", selection_mode="single-cell", **options)
    st.caption(_("Click a count to open its list."))
    cells = told["selection"]["cells"]
    return state.new_cell(key, tuple(cells[0]) if cells and cells[0][1] in counted else None)


def take_away(name: str, shown: DataFrame, asker: Asker, branch_id: int, key: str) -> None:
    """Offer a table as a file to those who may take figures out."""
    if asker.may(Right.EXPORT, branch_id):
        downloads.offer(name, lambda: {name: shown}, key=key)
