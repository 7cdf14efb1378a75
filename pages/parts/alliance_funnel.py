"""The funnel: how many pairs and alliances stand at each step, and why others were refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import streamlit as st
from pandas import DataFrame

from data.alliances.funnel import STEP_NAMES
from data.rights import Asker
from pages.parts import alliance_reads, beside, reads
from pages.parts.charts import GREEN, ROW_PX, counts_axis
from pages.parts.partner_scope import USUAL_M
from pages.parts.words import NONE, _

OFF = ("ended", "refused")  # steps that lead out of the funnel


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the funnel."""
    snapshot = reads.snapshot(asker, branch["id"])
    decided = alliance_reads.decisions(asker, snapshot.branch_id)
    with st.spinner(_("Working out who fits whom …")):
        pairs = alliance_reads.pairs_of(decided)
        count = alliance_reads.how_many(asker, snapshot, alliance_reads.trades(), float(USUAL_M), pairs)
    if count is None:
        beside.wait()
        return
    found = alliance_reads.funnel_of(asker, snapshot.branch_id, count)
    if not found[["links", "alliances"]].to_numpy().sum():
        st.info(_("Nothing is suggested or decided here yet."), icon=":material/info:")
        return
    st.markdown(_("From what is suggested to what is lived; each step counts what has come at least so far."))
    left, right = st.columns([58, 42], gap="medium")
    with left:
        st.altair_chart(chart(found))
        table(found)
    with right:
        refusals(asker, snapshot.branch_id)


def chart(found: DataFrame) -> alt.Chart:
    """Return the steps as bars, the first at the top."""
    steps = found[~found["step"].isin(OFF)]
    frame = DataFrame(
        {
            "step": [_(STEP_NAMES[each]) for each in steps["step"]],
            "links": steps["links"],
            "alliances": steps["alliances"],
            "merchants": steps["merchants"],
        }
    )
    drawn: alt.Chart = (
        alt.Chart(frame)
        .mark_bar(color=GREEN)
        .encode(
            y=alt.Y("step:N", sort=frame["step"].tolist(), title=None, axis=alt.Axis(labelLimit=160)),
            x=alt.X("links:Q", title=_("Pairs"), axis=counts_axis(), scale=alt.Scale(type="symlog")),
            tooltip=[
                alt.Tooltip("step:N", title=_("Step")),
                alt.Tooltip("links:Q", title=_("Pairs"), format=","),
                alt.Tooltip("alliances:Q", title=_("Alliances"), format=","),
                alt.Tooltip("merchants:Q", title=_("Merchants"), format=","),
            ],
        )
        .properties(height=ROW_PX * len(frame) + 60)
    )
    return drawn


def table(found: DataFrame) -> None:
    """Show every step, those that lead out as well."""
    counted = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        DataFrame(
            {
                _("Step"): [_(STEP_NAMES[each]) for each in found["step"]],
                _("Pairs"): found["links"],
                _("Alliances"): found["alliances"],
                _("Merchants"): found["merchants"],
            }
        ),
        hide_index=True,
        column_config=dict.fromkeys((_("Pairs"), _("Alliances"), _("Merchants")), counted),
        height="content",
    )


def refusals(asker: Asker, branch_id: int) -> None:
    """Show why pairs were refused."""
    rows = alliance_reads.refusals_of(asker, branch_id)
    title = _("Why pairs were refused")
    st.markdown(f"**{title}**")
    if rows.empty:
        st.caption(_("None was refused."))
        return
    st.dataframe(
        DataFrame({_("Reason"): rows["reason"], _("Pairs"): rows["links"]}),
        hide_index=True,
        placeholder=NONE,
        height="content",
    )
