"""Charts where a person would rather look than read."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import streamlit as st
from pandas import DataFrame

from data import catalogue
from data.figures import FEWEST, Filters, Reach, cards
from data.snapshots import Snapshot
from geo.coverage import Figure
from pages.parts.tables import names_of
from pages.parts.words import _, distance, language, percent

BANDS = (8, 4, 2)  # of distance: fewer where one would hold too few customers to be shown
MOST_BARS = 12
ROW_PX = 28
GREEN, AMBER, GREY = "#0f5c4a", "#e0a030", "#c3cdc8"


def numbers_axis(**more: Any) -> alt.Axis:
    """Return an axis whose numbers are written as the language writes them, and with what else it has."""
    value = "datum.value"
    if language() == "en":
        words = f"{value} >= 10000 ? format({value}, '~s') : format({value}, ',')"
    else:
        many = f"{value} >= 1e8 ? format({value} / 1e8, '~g') + '亿' : format({value} / 1e4, '~g') + '万'"
        words = f"{value} >= 10000 ? ({many}) : format({value}, ',')"
    return alt.Axis(labelExpr=words, **more)


def counts_axis() -> alt.Axis:
    """Return an axis of whole numbers."""
    return numbers_axis(tickMinStep=1)


def room_for_labels(most: float) -> float:
    """Return where the axis of shares ends, so that the counts fit behind the longest bar."""
    return min(max(1.6 * most, 0.05), 1.25)


def coverage_by_group(table: DataFrame) -> None:
    """Show the coverage of each customer group that is not masked."""
    known = table[table["customer_coverage"].notna()]
    if known.empty:
        st.caption(_("Nothing to draw yet."))
        return
    names = names_of(catalogue.GROUPS, language())
    frame = DataFrame(
        {
            "group": [names[int(group)] for group in known["group"]],
            "share": known["customer_coverage"],
            "label": [
                percent(Figure(*parts))
                for parts in zip(
                    known["customer_coverage"],
                    known["existing"],
                    known["existing"] + known["target"],
                    strict=True,
                )
            ],
        }
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("group:N", sort="-x", title=None, axis=alt.Axis(labelLimit=140)),
        x=alt.X(
            "share:Q",
            title=_("Customer coverage"),
            axis=alt.Axis(format="%"),
            scale=alt.Scale(domain=[0, room_for_labels(known["customer_coverage"].max())]),
        ),
        tooltip=[
            alt.Tooltip("group:N", title=_("Customer group")),
            alt.Tooltip("label:N", title=_("Customer coverage")),
        ],
    )
    bars = base.mark_bar(color=GREEN, cornerRadiusEnd=3)
    labels = base.mark_text(align="left", dx=4).encode(text="label:N")
    st.altair_chart((bars + labels).properties(height=ROW_PX * len(frame) + 50))


def merchants_by_category(table: DataFrame) -> None:
    """Show merchants per category: signed, not yet signed, closed."""
    if table.empty:
        st.caption(_("Nothing to draw yet."))
        return
    names = names_of(catalogue.CATEGORIES, language())
    top = table.head(MOST_BARS)
    parts = {
        _("Signed"): top["signed"],
        _("Not signed yet"): top["open"] - top["signed"],
        _("Closed"): top["merchants"] - top["open"],
    }
    frame = DataFrame(
        [
            {"category": names[int(category)], "status": status, "order": order, "merchants": int(count)}
            for order, (status, counts) in enumerate(parts.items())
            for category, count in zip(top["category"], counts, strict=True)
            if count
        ]
    )
    colours = alt.Scale(domain=list(parts), range=[GREEN, AMBER, GREY])
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y(
                "category:N",
                sort=[names[int(key)] for key in top["category"]],
                title=None,
                axis=alt.Axis(labelLimit=140),
            ),
            x=alt.X("merchants:Q", title=_("Merchants"), axis=counts_axis()),
            color=alt.Color("status:N", scale=colours, title=None, legend=alt.Legend(orient="top")),
            order="order:Q",
            tooltip=[
                alt.Tooltip("category:N", title=_("Category")),
                alt.Tooltip("status:N", title=_("Status")),
                alt.Tooltip("merchants:Q", title=_("Merchants"), format=","),
            ],
        )
    )
    st.altair_chart(chart.properties(height=ROW_PX * top["category"].nunique() + 80))


def customers_by_distance(snapshot: Snapshot, filters: Filters, radius_m: float, mask: bool) -> None:
    """Show existing and target customers per band of distance."""
    bands = distance_bands(snapshot, filters, radius_m, mask)
    if bands is None:
        st.caption(_("Too few customers to show by distance."))
        return
    frame = bands.melt(["order", "band"], var_name="kind", value_name="people")
    kinds = {"existing": _("Existing customers"), "target": _("Target customers")}
    frame["kind"] = frame["kind"].map(kinds)
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X(
                "band:N",
                sort=list(bands["band"]),
                title=_("Distance from the branch"),
                axis=alt.Axis(labelAngle=0),
            ),
            y=alt.Y("people:Q", title=_("People"), axis=counts_axis()),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(kinds.values()), range=[GREEN, AMBER]),
                title=None,
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("band:N", title=_("Distance")),
                alt.Tooltip("kind:N", title=_("Kind")),
                alt.Tooltip("people:Q", title=_("People"), format=","),
            ],
        )
    )
    st.altair_chart(chart.properties(height=300))


def distance_bands(snapshot: Snapshot, filters: Filters, radius_m: float, mask: bool) -> DataFrame | None:
    """
    Return customers per band of equal width, out to the radius.

    Returns
    -------
    bands
        `order`, `band` (its outer edge in words), `existing`, `target`. None where there are no customers, or
        where `mask` is set and even the widest bands hold too few of them.
    """
    for count in BANDS:
        edges = np.linspace(0, radius_m, count + 1)[1:]
        circles = [cards(snapshot, filters, Reach(float(edge)), False)["customer_coverage"] for edge in edges]
        existing = np.diff([0.0, *(figure.numerator or 0.0 for figure in circles)])
        people = np.diff([0.0, *(figure.denominator or 0.0 for figure in circles)])
        if not people.sum():
            return None
        if mask and ((people > 0) & (people < FEWEST)).any():
            continue
        words = [_("to {distance}", distance=distance(float(edge))) for edge in edges]
        return DataFrame(
            {"order": range(count), "band": words, "existing": existing, "target": people - existing}
        )
    return None
