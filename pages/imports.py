"""Bring lists in: each file step by step, open where there is a question; what happened, and its undoing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data import store
from data.ingest import ImportPlan, ImportReport
from data.rights import Asker, Right
from pages.parts import state, workshop_doubles, workshop_history, workshop_review, workshop_undo
from pages.parts.frame import calm, reading
from pages.parts.ways import Way, link
from pages.parts.words import N_, _, ngettext, plain
from pages.parts.workshop import Choices, Job, counts_row
from pages.parts.workshop_columns import Columns, column_step, remember
from pages.parts.workshop_datum import datum_step, stated
from pages.parts.workshop_files import Look, file_step, is_new, kind_choice, uploads
from pages.parts.workshop_words import words_step
from pages.parts.workshop_work import plan_of, run

FILES_AT_ONCE = 12


def page(asker: Asker) -> None:
    """Show the page."""
    st.title(_("Import lists"), anchor=False)
    code = state.branch_code()
    if code is None:
        st.info(_("A list belongs to a branch, and there is none yet."), icon=":material/info:")
        link(Way.BRANCHES, _("Add a branch, or make the demo town"), ":material/add_location_alt:")
        return
    with reading() as session:
        branch = store.branch(session, asker, code)
    asker.require(Right.IMPORT, branch["id"])
    st.caption(_("Lists go to the branch {name}.", name=plain(branch["name"])))
    done_notes()
    workshop(asker, branch)
    with calm():
        workshop_history.waiting_doubles(asker, branch)
    with calm():
        workshop_history.history(asker, branch)
        workshop_history.heed_comparison(asker, branch)
        workshop_undo.heed(asker, branch)


def done_notes() -> None:
    """Say what was done in the run before this one."""
    if note := state.take_note():
        st.success(note, icon=":material/check:")


def workshop(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Take the files in, one below the other."""
    kind = kind_choice()
    files = uploads()
    if len(files) > FILES_AT_ONCE:
        st.warning(
            _("{count} files are taken at a time; the others wait until these are done.", count=FILES_AT_ONCE)
        )
    for upload in files[:FILES_AT_ONCE]:
        with st.container(border=True), calm():
            one_file(Job(asker, branch, upload, kind, alone=len(files) == 1))


def one_file(job: Job) -> None:
    """Take one file from its first look to what became of it."""
    st.subheader(plain(job.upload.name), anchor=False)
    done = state.report_of(job.id)
    if isinstance(done, tuple):
        show_report(job, *done)
        return
    look = file_step(job)
    if not is_new(job, look):
        return
    columns = column_step(job, look)
    choices = choices_of(job, look, columns)
    plan = plan_of(job, choices)
    if plan is None:
        return
    datum_step(job, plan, columns.datum)
    words_step(job, plan)
    workshop_doubles.doubles_step(job, plan)
    outcome(job, look, columns, choices, plan)


def choices_of(job: Job, look: Look, columns: Columns) -> Choices:
    """Return all that was chosen for a file."""
    return Choices(
        kind=job.kind,
        sheet=look.sheet,
        encoding=state.chosen(job.key(state.ENCODING), None),
        header=state.chosen(job.key(state.HEADER), None),
        mapping=columns.mapping,
        source=columns.source,
        datum=stated(job),
        words=tuple(sorted(state.words_of(job.id).items())),
        policy=workshop_doubles.policy(job),
        mode=workshop_review.mode(job),
    )


def outcome(job: Job, look: Look, columns: Columns, choices: Choices, plan: ImportPlan) -> None:
    """Show what would happen, and do it when that is asked for."""
    workshop_review.far_off(job, plan)
    workshop_review.summary(plan)
    workshop_review.rejects(job, choices, plan)
    close_missing = workshop_review.snapshot(job, choices, plan)
    workshop_review.changes_map(job, plan)
    if workshop_review.button(job, plan):
        run(
            job,
            choices,
            decisions=workshop_doubles.decisions(job, plan),
            agreed=True,  # the button asked
            close_missing=close_missing,
            afterwards=lambda session, report: remember(session, job, look, columns, report.datum),
        )


# After: what happened ---------------------------------------------------------------------------------------


def show_report(job: Job, choices: Choices, report: ImportReport) -> None:
    """Say what became of the list, and where to go from here."""
    st.success(
        ngettext("One row is in.", "{n} rows are in.", report.accepted + report.updated),
        icon=":material/task_alt:",
    )
    figures = {
        N_("New"): report.accepted,
        N_("Updated"): report.updated,
        N_("Known already"): report.duplicates,
        N_("Rejected"): report.rejected,
    }
    counts_row(figures)
    if report.outlets:
        st.write(
            ngettext(
                "One row is a bank or insurer and became an outlet.",
                "{n} rows are banks or insurers and became outlets.",
                report.outlets,
            )
        )
    for line in workshop_review.remarks(report):
        st.markdown(f"- {line}")
    workshop_review.warned(report.warnings)
    workshop_review.rejects(job, choices, report)
    with st.container(horizontal=True):
        link(Way.MAP, _("See it on the map"), ":material/map:")
        if report.batch is not None:
            workshop_undo.offer(report.batch, f"report_{report.batch}", file_id=job.id)
        st.button(
            _("Import another list"),
            icon=":material/upload_file:",
            on_click=state.forget_uploads,
            key=job.key(f"{state.RUN}_more"),
        )
