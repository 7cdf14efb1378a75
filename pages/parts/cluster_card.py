"""The card of a cluster: its figures, what it is made of beside the whole circle, and making it a zone."""

from __future__ import annotations

import streamlit as st
from pandas import DataFrame

from data.clustering.describing import KINDS, OF_CUSTOMERS
from geo.coverage import Figure
from pages.parts import cluster_reads, cluster_zone, state
from pages.parts.cluster_map import Look
from pages.parts.cluster_words import grown, ratio, word
from pages.parts.frame import calm
from pages.parts.words import _, number, percent, plain, share

MOST = 6  # lines of a kind
TALL_PX = 360


def show(look: Look, at: int) -> None:
    """Show the card."""
    standing = look.standing
    figures, growth = standing.figures.iloc[at], standing.growth
    size = standing.found.clusters.size[at]
    with st.container(border=True):
        st.markdown(f"#### {plain(standing.names[at])}")
        lines = [
            (_("Size"), number(size, compact=False)),
            (_("Growth"), grown(size, growth.then[at], since=growth.since is not None)),
            (_("Customer coverage"), percent(ratio(figures["existing"], figures["target"]))),
            (_("Merchant coverage"), percent(Figure.ratio(figures["signed"], figures["merchants"]))),
        ]
        st.markdown("  \n".join(f":gray[{title}] **{plain(text)}**" for title, text in lines))
        with calm():
            made_of(look, at)
        with calm():
            cluster_zone.offer(look, at)
        st.button(
            _("Close"),
            type="tertiary",
            icon=":material/close:",
            on_click=state.choose_cluster,
            args=(None,),
            key=f"{state.CLUSTER_CARD}_close",
        )


def made_of(look: Look, at: int) -> None:
    """Show what the cluster is made of, each share beside the circle's."""
    profile = cluster_reads.profile(look.asker, look.snapshot, look.standing.found, at)
    people, shops = st.tabs([_("Customers"), _("Merchants")], key=f"{state.CLUSTER_CARD}_tabs")
    with people, st.container(height=TALL_PX, border=False):
        parts(profile, [kind for kind in KINDS if kind in OF_CUSTOMERS])
    with shops, st.container(height=TALL_PX, border=False):
        parts(profile, [kind for kind in KINDS if kind not in OF_CUSTOMERS])


def parts(profile: DataFrame, kinds: list[str]) -> None:
    """Show some kinds of a profile, those that have anything."""
    profile = profile[profile["n"] != 0]  # what is hidden is NaN, and stays
    shown = [kind for kind in kinds if (profile["kind"] == kind).any()]
    for kind in shown:
        own = profile[profile["kind"] == kind].head(MOST)
        st.markdown(f"**{_(KINDS[kind])}**  \n" + "  \n".join(line(kind, row) for row in own.itertuples()))
    if shown:
        st.caption(_("Each share with its counts; behind it the whole circle's."))
    else:
        st.caption(_("Nothing is known here, or too few to be shown."))


def line(kind: str, row: object) -> str:
    """Return a line of a profile: `Students 38.2% (26/68) · circle 5.1%`."""
    own = percent(Figure.ratio(row.n, row.of))  # type: ignore[attr-defined]  # a row of a table
    every = share(row.all_share)  # type: ignore[attr-defined]  # likewise
    beside = _("whole circle {value}", value=every)
    return f"{plain(word(kind, row.code))} {plain(own)} :gray[· {plain(beside)}]"  # type: ignore[attr-defined]
