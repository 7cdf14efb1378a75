"""
What is taken away of alliances: proposals to print, and all of them as a workbook.

A proposal is one sheet a merchant, to be left on the counter; no customer's data stands on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from data.alliances.held import Alliance
from data.alliances.workbook import workbook
from data.basemaps import BaseMap
from data.paper.proposal import proposal
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones.intervals import today
from pages.parts import alliance_reads, state
from pages.parts.alliance_map import Look
from pages.parts.downloads import XLSX
from pages.parts.frame import writing
from pages.parts.words import _, language, plain, shorten

LONGEST_NAME = 40  # letters of a merchant's name in a file's


def show(look: Look, held: Alliance) -> None:
    """Offer the sheet of each member."""
    present = held.members[held.members["left"].isna()]
    if len(present) < 2:
        st.info(_("A proposal names partners: the alliance needs a second member first."))
        return
    st.caption(
        _(
            "One sheet for each member: who we are, the partners, what each side gains in rounded shares, "
            "the offers, and room for a signature. No customer's data stands on it. Each sheet taken is on "
            "record."
        )
    )
    with st.container(horizontal=True, gap="small"):
        for row in present.itertuples():
            button(
                look.asker, look.snapshot, look.branch["name"], look.base, int(row.merchant_id), str(row.name)
            )


def button(
    asker: Asker,
    snapshot: Snapshot,
    branch: str,
    base: BaseMap,
    merchant_id: int,
    name: str,
    partner_ids: Sequence[int] | None = None,
) -> None:
    """Offer a merchant's sheet; it is drawn when it is asked for."""
    said, opened, day = language(), writing, today()  # looked up here: the sheet is made beside the page
    known = alliance_reads.trades()
    title = _("Proposal")

    def content() -> bytes:
        with opened() as session:
            return proposal(
                session,
                asker,
                snapshot,
                known,
                merchant_id,
                branch=branch,
                partner_ids=partner_ids,
                base=base,
                language=said,
                today=day,
            )

    st.download_button(
        plain(shorten(name)),
        data=content,
        file_name=f"{title}_{''.join(filter(str.isalnum, name))[:LONGEST_NAME]}_{day:%Y%m%d}.pdf",
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        key=f"{state.ALLIANCE_FORM}_paper_{merchant_id}",
        on_click="ignore",
    )


def take_all(asker: Asker, branch_id: int) -> None:
    """Offer the links and alliances of a branch as a workbook, to whoever may take lists out."""
    if not asker.may(Right.EXPORT, branch_id):
        return
    said, opened = language(), writing  # looked up here: the workbook is made beside the page
    title = _("Links and alliances")

    def content() -> bytes:
        with opened() as session:
            return workbook(session, asker, branch_id, said)

    st.download_button(
        _("Links and alliances as Excel"),
        data=content,
        file_name=f"{title}_{today():%Y%m%d}.xlsx",
        mime=XLSX,
        icon=":material/download:",
        help=_("Every link, alliance, member and referral; that it was taken is on record."),
        key=f"{state.ALLIANCE_FORM}_workbook",
        on_click="ignore",
    )
