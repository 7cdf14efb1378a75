"""Visits: the latest ones, and lists of visits brought in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas import DataFrame
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data import export, ingest, store
from data.rights import Asker, Right
from data.words import Language, say
from data.zones.visit_lists import VisitReport
from geo.errors import ManyRejected
from pages.parts import downloads, reads, state
from pages.parts.frame import calm, reading, writing
from pages.parts.team_mine import say_unvisited, table_height, whom
from pages.parts.ways import Way, link
from pages.parts.words import N_, NONE, _, complaint, day, language, moment, ngettext, number
from pages.parts.workshop import VISIT_FIELDS, counts_row
from pages.parts.workshop_files import in_own_words

SHOWN = 200
TYPES = ["csv", "xlsx", "xls", "ods", "txt", "tsv", "parquet", "json"]
TEMPLATE = {
    "person": N_("Zhang San (example)"),
    "merchant_id": "M001",
    "merchant": "",
    "customer_id": "",
    "day": "2026-11-02",
    "result": N_("wants a QR code (example)"),
    "next_step": N_("bring the papers (example)"),
    "next_day": "2026-11-09",
}


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the latest visits, and take lists in."""
    branch_id = int(branch["id"])
    say_unvisited(reads.snapshot(asker, branch_id))
    if asker.may(Right.IMPORT, branch_id):
        with st.expander(_("Bring in a list of visits"), icon=":material/upload_file:"), calm():
            uploader(asker, branch_id)
    with reading() as session:
        made = store.visits(session, asker, branch_id, limit=SHOWN)
    if made.empty:
        return
    shown = DataFrame(
        {
            _("Day of the visit"): [day(each) for each in made["day"]],
            _("Who was there"): made["person"],
            _("Whom"): [whom(row) for row in made.to_dict("records")],
            _("Result"): made["result"],
            _("Next step"): made["next_step"],
            _("Next day"): [day(each) if each is not None else None for each in made["next_day"]],
            _("Recorded by"): made["by"],
        }
    )
    st.dataframe(shown, hide_index=True, placeholder=NONE, height=table_height(len(shown)))
    if len(made) == SHOWN:
        st.caption(_("The latest {count} visits.", count=number(float(SHOWN))))


# Lists ------------------------------------------------------------------------------------------------------


def uploader(asker: Asker, branch_id: int) -> None:
    """Ask for a list of visits, say what it would do, and bring it in."""
    st.markdown(
        _(
            "One row a visit: who was there, the number or name of the merchant or the number of the "
            "customer, the date, the result, the next step and its date."
        )
    )
    template_button()
    in_own_words()
    turn = state.chosen(f"{state.TEAM_VISITS}_turn", 0)
    upload = st.file_uploader(
        _("A list of visits: CSV or Excel"), type=TYPES, key=f"{state.TEAM_VISITS}_file_{turn}"
    )
    if upload is None:
        return
    done = state.report_of(upload.file_id)
    if isinstance(done, VisitReport):
        summary(done)
        rejects(done, upload)
        st.success(ngettext("One row is in.", "{n} rows are in.", done.accepted + done.updated))
        link(Way.IMPORT, _("Undo it under Import lists"), ":material/undo:")
        st.button(
            _("Bring in another list"),
            icon=":material/upload_file:",
            on_click=state.put,
            args=(f"{state.TEAM_VISITS}_turn", turn + 1),
            key=f"{state.TEAM_VISITS}_more",
        )
        return
    preview(asker, branch_id, upload)


def template_button() -> None:
    """Offer an empty list with the right columns."""
    frame = DataFrame({_(VISIT_FIELDS[name]): [_(told) if told else ""] for name, told in TEMPLATE.items()})
    st.download_button(
        _("Download a template"),
        data=lambda: export.to_xlsx({"visits": frame}),
        file_name=_("Visits") + ".xlsx",
        mime=downloads.XLSX,
        icon=":material/download:",
        key=f"{state.TEAM_VISITS}_template",
        on_click="ignore",
    )


def preview(asker: Asker, branch_id: int, upload: UploadedFile) -> None:
    """Say what a list would do before it is brought in."""
    most_bad = None
    try:
        found = state.once(
            f"{state.TEAM_VISITS}_looked",
            (upload.file_id, branch_id),
            lambda: run(asker, branch_id, upload, dry_run=True),
        )
    except ManyRejected as error:
        most_bad = error
        found = run(asker, branch_id, upload, dry_run=True, agreed=True)
    said_before(branch_id, found)
    summary(found)
    rejects(found, upload)
    agreed = True
    if most_bad is not None:
        st.warning(complaint(most_bad), icon=":material/warning:")
        agreed = st.checkbox(_("Go on without these rows"), key=f"{state.TEAM_VISITS}_agreed")
    count = found.accepted + found.updated
    label = ngettext("Bring in {n} visit", "Bring in {n} visits", count)
    pressed = st.button(
        label,
        type="primary",
        icon=":material/check:",
        disabled=not agreed or not count,
        key=f"{state.TEAM_VISITS}_run",
    )
    if pressed:
        state.keep_report(upload.file_id, run(asker, branch_id, upload, agreed=True))
        st.rerun()


def run(
    asker: Asker, branch_id: int, upload: UploadedFile, *, dry_run: bool = False, agreed: bool = False
) -> VisitReport:
    """Bring the list in, or only count what it would do."""
    with writing() as session:
        return store.import_visits(
            session,
            asker,
            io.BytesIO(upload.getvalue()),
            name=upload.name,
            branch_id=branch_id,
            dry_run=dry_run,
            agreed=agreed,
        )


def said_before(branch_id: int, found: VisitReport) -> None:
    """Say that this very file was brought in before."""
    with reading() as session:
        before = store.same_file(session, branch_id, found.sha256)
    if before is not None:
        st.warning(
            _(
                "This very file was brought in on {when} by {who}.",
                when=moment(before["at"]),
                who=before["by"],
            ),
            icon=":material/content_copy:",
        )


def summary(found: VisitReport) -> None:
    """Show the counts, and what was noticed."""
    counts_row(
        {
            N_("New"): found.accepted,
            N_("Updated"): found.updated,
            N_("Known already"): found.duplicates,
            N_("Rejected"): found.rejected,
        }
    )
    for code, count in found.warnings.items():
        st.markdown(f"- {number(float(count))} × {_(ingest.WARNINGS[code])}")
    if found.new_people:
        st.markdown(
            "- "
            + ngettext(
                "{n} name is new at this branch and is added to its people.",
                "{n} names are new at this branch and are added to its people.",
                found.new_people,
            )
        )


def rejects(found: VisitReport, upload: UploadedFile) -> None:
    """Show the rows that are not taken, with the reason."""
    if found.rejects.empty:
        return
    told = ingest.rejects_table(found.rejects, partial(_in, language()))
    shown = told.rename(columns={"row": _("Row"), "column": _("Column"), "reason": _("Why it was rejected")})
    st.dataframe(shown.head(SHOWN), hide_index=True)
    downloads.offer(
        _("Rejected rows"),
        lambda: {"rejected": pd.DataFrame(shown)},
        key=f"{state.TEAM_VISITS}_{upload.file_id}",
    )


def _in(spoken: Language, message: str, **values: object) -> str:
    return say(message, spoken, **values)
