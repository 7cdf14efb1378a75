"""How a figure went from one state of the data to the next: the zone chosen beside the whole branch."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st
from pandas import DataFrame

from data.rights import Asker
from data.zones import trend
from data.zones.held import Held
from pages.parts import coverage_reads
from pages.parts.charts import numbers_axis
from pages.parts.coverage_words import FIGURES, brief, title
from pages.parts.words import _, moment, number

COLOURS = ("#2f72b5", "#b4610f")
HEIGHT_PX = 320
A_FEW_DAYS = pd.Timedelta(days=3)
USUAL = "customer_coverage"


def show(asker: Asker, held: Held, figure: str, chosen: int | None) -> None:
    """Show the trend of the figure that shades the map, or of customer coverage where that has none."""
    kept = figure if figure in trend.FIGURES else USUAL
    if kept != figure:
        st.caption(
            _(
                "Nothing is kept of {figure} over time; this is {other}.",
                figure=title(figure),
                other=title(kept),
            )
        )
    lines = [(_("Whole branch"), coverage_reads.trend_of(asker, held, None, kept))]
    if chosen is not None and chosen in held.plan:
        lines.insert(0, (held.plan.zone(chosen).name, coverage_reads.trend_of(asker, held, chosen, kept)))
    frame = pd.concat([told(kept, name, found) for name, found in lines])
    if frame["number"].nunique() < 2:
        st.info(
            _("A trend needs a past: figures are kept with each change of the data, from the first plan on."),
            icon=":material/info:",
        )
    if not frame.empty:
        st.altair_chart(chart(kept, frame, [name for name, _found in lines]))


def told(figure: str, name: str, found: DataFrame) -> DataFrame:
    """Return one line of the chart."""
    known = found[found["value"].notna()]
    return DataFrame(
        {
            "number": known["number"],
            "at": pd.to_datetime(known["at"], utc=True),
            "value": known["value"].astype(float),
            "line": name,
            "label": [brief(figure, value) for value in known["value"]],
            "counts": [
                f"{number(top)} / {number(bottom)}"
                for top, bottom in zip(known["numerator"], known["denominator"], strict=True)
            ],
            "when": [
                f"{moment(at)} · {version}"
                for at, version in zip(pd.to_datetime(known["at"], utc=True), known["number"], strict=True)
            ],
        }
    )


def chart(figure: str, frame: DataFrame, lines: list[str]) -> alt.Chart:
    """Return the lines, a point a version of the data."""
    axis = alt.Axis(format="%") if FIGURES[figure].form == "share" else numbers_axis()
    if frame["at"].max() - frame["at"].min() < A_FEW_DAYS:  # each version by itself: days would lie on a heap
        order = alt.EncodingSortField("number")
        time = alt.X(
            "when:O",
            title=_("Time"),
            sort=order,
            axis=alt.Axis(labelAngle=0, labelLimit=320, labelOverlap=True),
        )
    else:
        time = alt.X("at:T", title=_("Time"))
    drawn: alt.Chart = (
        alt.Chart(frame)
        .mark_line(point=True, interpolate="step-after")
        .encode(
            x=time,
            y=alt.Y("value:Q", title=title(figure), axis=axis, scale=alt.Scale(zero=True)),
            color=alt.Color(
                "line:N",
                title=None,
                scale=alt.Scale(domain=lines, range=list(COLOURS[-len(lines) :])),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("line:N", title=_("Zone")),
                alt.Tooltip("when:N", title=_("Time")),
                alt.Tooltip("label:N", title=title(figure)),
                alt.Tooltip("counts:N", title=_("Counts")),
            ],
        )
        .properties(height=HEIGHT_PX)
    )
    return drawn
