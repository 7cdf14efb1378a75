"""The workshop's long work: reading a list through to see what would happen, and bringing it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import streamlit as st
from sqlalchemy.orm import Session
from streamlit.delta_generator import DeltaGenerator

from data import ingest
from data.config import Settings
from data.ingest import ImportPlan, ImportReport
from geo.errors import ZhendiError
from pages.parts import state
from pages.parts.frame import long_work, reading, writing
from pages.parts.words import N_, _, number
from pages.parts.workshop import LARGE_BYTES, Choices, Job

STAGES = {
    "reading": N_("Reading the file"),
    "checking": N_("Checking the rows"),
    "doubles": N_("Looking for doubles"),
    "storing": N_("Storing the rows"),
}
# What share of the whole each stage is, about: the bar moves on and never back.
SHARES = {"reading": 0.35, "checking": 0.05, "doubles": 0.3, "storing": 0.3}
REJECTS_SHOWN = 500


class Bar:
    """A bar that moves through the stages of the work, once each: a stage that comes again starts no anew."""

    def __init__(self, stages: tuple[str, ...]) -> None:
        """Draw it at its start."""
        self.stages = stages
        self.whole = sum(SHARES[name] for name in stages)
        self.done = 0.0
        self.bar = st.progress(0.0, text=self.text(stages[0], 0, 0))

    def text(self, stage: str, done: int, total: int) -> str:
        """Return where the work is, in words."""
        number_of = self.stages.index(stage) + 1 if stage in self.stages else 1
        said = _(
            "Step {number} of {count}: {what}",
            number=number_of,
            count=len(self.stages),
            what=_(STAGES[stage]),
        )
        if stage == "storing":
            said += " · " + _("{done} of {all} rows", done=number(done), all=number(total))
        return said

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Move it. Streamlit cuts the work short here when the user has stopped it."""
        if stage not in self.stages:
            return
        before = sum(SHARES[name] for name in self.stages[: self.stages.index(stage)])
        own = SHARES[stage] * (min(done / total, 1.0) if total else 0.0)
        self.done = max(self.done, (before + own) / self.whole)
        self.bar.progress(min(self.done, 1.0), text=self.text(stage, done, total))

    def empty(self) -> None:
        """Take it away."""
        self.bar.empty()


@contextmanager
def cleared(place: DeltaGenerator) -> Iterator[None]:
    """Take away what shows the work when it is done or has failed; when it is stopped the next run does."""
    try:
        yield
    except ZhendiError:
        place.empty()
        raise
    place.empty()


# Before -----------------------------------------------------------------------------------------------------


def plan_of(job: Job, choices: Choices) -> ImportPlan | None:
    """
    Return what importing the file would do, found out once for the same choices and data.

    None while a large file waits to be told to be read, or when the reading was stopped.
    """
    key = (job.id, choices, job.branch_id, job.branch["version"], job.asker.role)
    known: ImportPlan | None = state.known(state.PLAN, key)
    if known is not None:
        return known
    if state.stopped(job.id) == choices or (is_large(job) and not state.may_begin(job.id, choices)):
        offer_to_read(job, choices)
        return None
    plan: ImportPlan = state.once(state.PLAN, key, lambda: look_through(job, choices))
    return plan


def is_large(job: Job) -> bool:
    """Whether reading the file through takes long enough to be asked for."""
    return int(job.upload.size) > LARGE_BYTES


def offer_to_read(job: Job, choices: Choices) -> None:
    """Let a large or stopped reading be begun."""
    if state.stopped(job.id) == choices:
        st.info(_("The reading was stopped. Nothing was changed."), icon=":material/info:")
    else:
        st.info(
            _(
                "This is a large file ({size} MB), and reading it takes a while. Look at the choices above "
                "first.",
                size=number(job.upload.size / 2**20),
            ),
            icon=":material/hourglass_empty:",
        )
    st.button(
        _("Read the list through"),
        type="primary",
        icon=":material/fact_check:",
        key=job.key(state.BEGIN),
        on_click=state.begin,
        args=(job.id, choices),
    )


def look_through(job: Job, choices: Choices) -> ImportPlan:
    """Find out what importing the file would do."""
    job.upload.seek(0)
    place = st.empty()
    with cleared(place), place.container():
        bar = Bar(("reading", "checking", "doubles"))
        st.button(
            _("Stop"),
            icon=":material/cancel:",
            key=job.key(state.STOP_READING),
            on_click=state.stop_reading,
            args=(job.id, choices),
        )
        with reading() as session:
            plan = ingest.plan_import(
                session,
                job.asker,
                job.upload,
                branch_id=job.branch_id,
                name=job.upload.name,
                progress=bar,
                **choices.arguments(),
            )
    return bounded(plan)


def bounded(plan: ImportPlan) -> ImportPlan:
    """Return the plan with no more rows than are shown: the session keeps it."""
    return replace(plan, rejects=plan.rejects.head(REJECTS_SHOWN))


# The import itself ------------------------------------------------------------------------------------------


def run(
    job: Job,
    choices: Choices,
    *,
    decisions: dict[int, str],
    agreed: bool,
    close_missing: bool,
    afterwards: Callable[[Session, ImportReport], None],
) -> None:
    """Bring the list in: all of it, or nothing when it fails or is stopped."""
    job.upload.seek(0)
    place = st.empty()
    stopped = _("The import was stopped. Nothing of it was kept.")
    with cleared(place), place.container(), long_work(stopped), writing() as session:
        bar = Bar(("reading", "checking", "doubles", "storing"))
        report = ingest.run_import(
            session,
            job.asker,
            job.upload,
            branch_id=job.branch_id,
            name=job.upload.name,
            bank=Settings.from_env().bank,
            agreed=agreed,
            decisions=decisions,
            close_missing=close_missing,
            progress=bar,
            remember=True,
            **choices.arguments(),
        )
        afterwards(session, report)
    state.keep_report(job.id, (choices, replace(report, rejects=report.rejects.head(REJECTS_SHOWN))))
    st.rerun()
