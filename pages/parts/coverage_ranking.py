"""Zones in the order of what they lack in a figure, beside the branch, and how many would make them level."""

from __future__ import annotations

import math

import altair as alt
import streamlit as st
from pandas import DataFrame

from data.zones import standing
from data.zones.coverage import Report
from data.zones.held import Held
from pages.parts.charts import numbers_axis
from pages.parts.coverage_words import FIGURES, brief, title, written
from pages.parts.words import NONE, _, number

GOOD, SHORT, REFERENCE = "#2f72b5", "#b4610f", "#1b3a33"  # blue and orange: told apart by everybody
ROW_PX, HEAD_PX, MOST_PX = 35, 38, 640


def show(held: Held, report: Report, figure: str) -> None:
    """Show the zones ranked by a figure."""
    if not report.zones[(figure, "value")].notna().any():
        st.info(_("{figure} is not known for any zone yet.", figure=title(figure)), icon=":material/info:")
        return
    is_share = FIGURES[figure].form == "share"
    left, right = st.columns([45, 55], gap="small")
    with left:
        st.altair_chart(bars(held, report, figure))
    with right:
        if is_share:
            st.caption(_("{figure}: what lacks most beside the branch comes first.", figure=title(figure)))
        shown = ranked(held, report, figure) if is_share else sized(held, report, figure)
        st.dataframe(
            shown,
            hide_index=True,
            width="stretch",
            height=min(MOST_PX, HEAD_PX + ROW_PX * len(shown)),
            column_config={shown.columns[0]: st.column_config.TextColumn(pinned=True)},
        )


def ranked(held: Held, report: Report, figure: str) -> DataFrame:
    """Return the zones by how far they fall short of the branch in a share."""
    found = standing.ranked(report, figure)
    return DataFrame(
        {
            _("Zone"): [held.plan.zone(int(each)).name for each in found.index],
            title(figure): [written(figure, report.zone(int(each))[figure]) for each in found.index],
            _("Beside the branch"): [apart(each) for each in found["gap"]],
            _("Lacking to be level"): [
                NONE if math.isnan(each) else number(math.ceil(round(each, 6))) for each in found["short"]
            ],
        }
    )


def apart(gap: float) -> str:
    """Return how far a share is from the branch's: `3.2 points worse`."""
    if math.isnan(gap):
        return NONE
    points = number(abs(round(100 * gap, 1)))
    if points == "0":
        return _("level")
    return (
        _("{points} points worse", points=points) if gap > 0 else _("{points} points better", points=points)
    )


def sized(held: Held, report: Report, figure: str) -> DataFrame:
    """Return the zones by a figure that is no share, the largest first."""
    values = report.zones[(figure, "value")].sort_values(ascending=False, na_position="last", kind="stable")
    return DataFrame(
        {
            _("Zone"): [held.plan.zone(int(each)).name for each in values.index],
            title(figure): [written(figure, report.zone(int(each))[figure]) for each in values.index],
        }
    )


def bars(held: Held, report: Report, figure: str) -> alt.LayerChart | alt.FacetChart:
    """Return a bar a zone, with the branch's value across them where it is a share."""
    told, whole = FIGURES[figure], report.total[figure]
    values = report.zones[(figure, "value")].dropna().sort_values(ascending=False)
    is_share = told.form == "share" and whole.value is not None
    branch = whole.value if is_share else None
    frame = DataFrame(
        {
            "zone": [held.plan.zone(int(each)).name for each in values.index],
            "order": range(len(values)),
            "value": values.to_numpy(),
            "label": [brief(figure, value) for value in values],
            "stands": [colour(figure, value, branch) for value in values],
        }
    )
    axis = alt.Axis(format="%") if told.form == "share" else numbers_axis(tickCount=4)
    base = alt.Chart(frame).encode(
        y=alt.Y("zone:N", sort=alt.SortField("order"), title=None, axis=alt.Axis(labelLimit=130)),
        x=alt.X(
            "value:Q",
            title=title(figure),
            axis=axis,
            scale=alt.Scale(domain=[0, 1.25 * max(float(values.max()), branch or 0.0) or 1.0]),
        ),
        tooltip=[alt.Tooltip("zone:N", title=_("Zone")), alt.Tooltip("label:N", title=title(figure))],
    )
    layers = [
        base.mark_bar(cornerRadiusEnd=3).encode(color=alt.Color("stands:N", scale=None)),
        base.mark_text(align="left", dx=4).encode(text="label:N"),
    ]
    if branch is not None:
        label = _("whole branch {value}", value=brief(figure, branch))
        line = DataFrame({"value": [branch], "label": [label]})
        rule = alt.Chart(line).encode(x="value:Q")
        layers += [
            rule.mark_rule(color=REFERENCE, strokeDash=[5, 3], strokeWidth=2),
            rule.mark_text(align="left", dx=4, baseline="bottom", color=REFERENCE).encode(
                y=alt.value(-3), text="label:N"
            ),
        ]
    return alt.layer(*layers).properties(height=26 * len(frame) + 60)


def colour(figure: str, value: float, branch: float | None) -> str:
    """Return a bar's colour: whether the zone stands as well as the branch."""
    if branch is None or not FIGURES[figure].good:
        return GOOD
    return SHORT if FIGURES[figure].good * (branch - value) > 0 else GOOD
