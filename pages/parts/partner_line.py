"""On a merchant's card: the alliance it is in, whom it is linked with, and the way to its partners."""

from __future__ import annotations

import streamlit as st

from data.alliances.links import ACCEPTED
from data.rights import Asker, Right
from data.snapshots import Snapshot
from pages.parts import alliance_reads, state
from pages.parts.frame import calm
from pages.parts.ways import Way, go
from pages.parts.words import _, plain

SHOWN = 4


@calm()
def show(asker: Asker, snapshot: Snapshot, merchant_id: int) -> None:
    """Say what joins a merchant with others."""
    if not asker.may(Right.READ_PLANS, snapshot.branch_id):
        return
    allied = alliance_reads.of_members(asker, snapshot).get(merchant_id)
    lines = []
    if allied is not None:
        lines.append(_("In the alliance {name}", name=allied[1]))
    if linked := linked_with(asker, snapshot.branch_id, merchant_id):
        rest = len(linked) - SHOWN
        named = _(", ").join(linked[:SHOWN]) + (f" +{rest}" if rest > 0 else "")
        lines.append(_("Linked with {names}", names=named))
    if lines:
        st.markdown("  \n".join(f":material/hub: {plain(line)}" for line in lines))


def linked_with(asker: Asker, branch_id: int, merchant_id: int) -> list[str]:
    """Return the names of the merchants it has an accepted link with."""
    rows = alliance_reads.decisions(asker, branch_id, merchant_id)
    own = rows[rows["state"] == ACCEPTED]
    return [str(row.b_name if row.a == merchant_id else row.a_name) for row in own.itertuples()]


def buttons(asker: Asker, snapshot: Snapshot, merchant_id: int) -> None:
    """Offer the way to the merchant's alliance and to its partners."""
    if not asker.may(Right.READ_PLANS, snapshot.branch_id):
        return
    allied = alliance_reads.of_members(asker, snapshot).get(merchant_id)
    if allied is not None and st.button(
        _("Its alliance"), icon=":material/hub:", key=f"{state.MEMBER}_to_alliance"
    ):
        state.turn_to(state.ALLIANCE_PART, "alliances")
        state.turn_to(state.ALLIANCE_VIEW, "there")
        state.choose_alliance(allied[0])
        go(Way.ALLIANCES)
    if st.button(_("Partners"), icon=":material/handshake:", key=f"{state.MEMBER}_to_partners"):
        state.turn_to(state.ALLIANCE_PART, "partners")
        state.turn_to(state.PARTNER_GROUND, "merchant")
        state.turn_to(state.PARTNER_VIEW, "suggested")
        state.look_for_partners_of(merchant_id)
        go(Way.ALLIANCES)
