"""The import workshop's common ground: the file at hand, what was chosen about it, and the look of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data.rights import Asker, Right
from pages.parts import state
from pages.parts.words import N_, _, number

KINDS = {
    "merchants": N_("Merchants"),
    "customers": N_("Customers"),
    "outlets": N_("Outlets"),
    "places": N_("Places"),
}
LISTED = KINDS | {"visits": N_("Visits")}  # of what lists in the history may be
VISIT_FIELDS = {
    "person": N_("Who was there"),
    "merchant_id": N_("Number of the merchant"),
    "merchant": N_("Merchant"),
    "customer_id": N_("Number of the customer"),
    "day": N_("Day of the visit"),
    "result": N_("Result"),
    "next_step": N_("Next step"),
    "next_day": N_("Next day"),
}
COUNT_WIDTH_PX = 140  # four on a desk, two on a phone
LARGE_BYTES = 4 * 2**20  # a larger file is read through when asked, not at every change


def counts_row(counts: Mapping[str, int]) -> None:
    """Show counts by their titles: side by side on a desk, two and two on a phone."""
    with st.container(horizontal=True, gap="small"):
        for title, count in counts.items():
            st.metric(_(title), number(count), border=True, width=COUNT_WIDTH_PX)


@dataclass(frozen=True)
class Job:
    """
    One file being brought in.

    Parameters
    ----------
    asker, branch
        Who brings it in, and where to.
    upload
        The file, which stays with Streamlit's uploader.
    kind
        What the list is of.
    alone
        Whether it is the only file at hand.
    """

    asker: Asker
    branch: Mapping[str, Any]
    upload: UploadedFile
    kind: str
    alone: bool = True

    @property
    def id(self) -> str:
        """Return what tells the file from others."""
        return str(self.upload.file_id)

    @property
    def branch_id(self) -> int:
        """Return the branch's id."""
        return int(self.branch["id"])

    @property
    def sees_stored(self) -> bool:
        """Whether the asker may see the stored rows that the list's rows are compared with."""
        return self.kind != "customers" or self.asker.may(Right.CUSTOMERS, self.branch_id)

    def key(self, name: str) -> str:
        """Return the key of a choice about this file."""
        return state.of_file(name, self.id)


@dataclass(frozen=True)
class Choices:
    """What was chosen for one file, and what follows from it; small, hashable and comparable."""

    kind: str
    sheet: str | None = None
    encoding: str | None = None
    header: bool | None = None
    mapping: tuple[tuple[str, str | None], ...] = ()
    source: str = ""
    datum: str = "auto"
    words: tuple[tuple[str, str], ...] = ()
    policy: str = "update"
    mode: str = "add"

    def arguments(self) -> dict[str, Any]:
        """Return them as the importer takes them."""
        return {
            "kind": self.kind,
            "sheet": self.sheet,
            "encoding": self.encoding,
            "header": self.header,
            "mapping": dict(self.mapping),
            "source": self.source or None,
            "datum": self.datum,
            "words": dict(self.words),
            "policy": self.policy,
            "mode": self.mode,
        }


def step(job: Job, name: str, title: str, line: str, *, settled: bool) -> DeltaGenerator:
    """
    Return the box of a step: one line where all is certain, open where there is a question.

    Parameters
    ----------
    job, name
        Which step of which file.
    title, line
        What it is about, and how it stands, in the user's language.
    settled
        Whether there is nothing to ask.
    """
    change = _("change")
    label = f"**{title}** · {line}" + (f" · :primary[{change}]" if settled else "")
    return st.expander(
        label,
        expanded=not settled,
        icon=":material/check_circle:" if settled else ":material/help:",
        type="step",
        # Answering a question closes its box, and opening a closed one holds while things are changed in it.
        key=job.key(f"step_{name}_{'settled' if settled else 'open'}"),
    )


def listed(words: Sequence[str]) -> str:
    """Return some words as a list within a sentence."""
    return _(", ").join(words)
