"""One alliance: its story beside the map, and below it members, graph, referrals, papers and its past."""

from __future__ import annotations

import streamlit as st

from data.alliances.held import Alliance
from pages.parts import (
    alliance_form,
    alliance_graph,
    alliance_members,
    alliance_paper,
    alliance_reads,
    alliance_referrals,
    alliance_story,
    reads,
    state,
)
from pages.parts.alliance_graph import Node
from pages.parts.alliance_map import Look
from pages.parts.frame import calm
from pages.parts.partner_form import deeds
from pages.parts.words import NONE, _


def story(look: Look) -> None:
    """Show the story of the alliance chosen, and what is done with it as a whole."""
    held = chosen(look)
    if held is None:
        return
    with st.container(border=True):
        alliance_form.changed_since(look.asker, held)
        opened = state.being_changed("alliance", held.id)
        if opened is not None and alliance_form.may(look.asker, held):
            alliance_form.change(look.asker, held, opened)
            return
        alliance_story.show(look, held)
        alliance_form.actions(look.asker, held)


def chosen(look: Look) -> Alliance | None:
    """Return the alliance chosen, as it is now."""
    return None if look.chosen is None else alliance_reads.alliance(look.asker, look.chosen)


def below(look: Look) -> None:
    """Show all that belongs to the alliance chosen, part by part."""
    held = chosen(look)
    if held is None:
        return
    titles = [_("Members"), _("Graph"), _("Referrals"), _("Proposals to print"), _("What happened")]
    members, graph, referrals, papers, past = st.tabs(
        titles, on_change="rerun", key=f"{state.ALLIANCE_FORM}_tabs"
    )
    if members.open:
        with members, calm():
            alliance_members.show(look, held)
    if graph.open:
        with graph, calm():
            drawn(look, held)
    if referrals.open:
        with referrals, calm():
            alliance_referrals.show(look.asker, held)
    if papers.open:
        with papers, calm():
            alliance_paper.show(look, held)
    if past.open:
        with past, calm():
            st.markdown("  \n".join(deeds(alliance_reads.history(look.asker, held.id))) or NONE)


def drawn(look: Look, held: Alliance) -> None:
    """Draw the alliance as a graph."""
    present = held.members[held.members["left"].isna()]
    if present.empty:
        st.info(_("It has no member yet."), icon=":material/info:")
        return
    colours = reads.colours()
    tops = alliance_story.tops(present["category_id"])
    nodes = [
        Node(int(row.merchant_id), str(row.name), colours.get(top, "#4b5563"))
        for row, top in zip(present.itertuples(), tops, strict=True)
    ]
    alliance_graph.show(look.branch["name"], nodes, look.links, look.fits)
