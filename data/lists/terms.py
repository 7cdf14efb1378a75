"""On what terms a list comes in: whose it is, and what is to happen to rows that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from geo.errors import N_, DataError

POLICIES = ("update", "keep", "skip")
MODES = ("add", "snapshot")
SAME, NEW = "same", "new"
LONGEST_SOURCE = 120


@dataclass(frozen=True)
class Terms:
    """
    What the user asked for, beyond the file.

    Parameters
    ----------
    kind, branch_id
        What the list is of, and where it goes.
    bank
        Our own brand: its outlets are ours.
    policy
        Of a row that is certainly there already: "update" lets the list's values overwrite it, "keep" only
        fill its blanks, "skip" leaves the row out. Of doubles within the list the first stands.
    mode
        "add", or "snapshot": the list is all there is, and what its source had before is gone.
    source
        What the list is called each time it comes; a snapshot needs one.
    close_missing
        Whether a snapshot sets closed what is gone.
    decisions
        Row of the file to "same" or "new", of rows that may be doubles.
    doubles
        Whether merchants are compared by more than identifier, name and place.
    words
        What category words of this list mean: word to code.
    remember
        Whether those words are kept for lists to come.
    """

    kind: str
    branch_id: int
    bank: str = ""
    policy: str = "update"
    mode: str = "add"
    source: str | None = None
    close_missing: bool = False
    decisions: Mapping[int, str] = field(default_factory=dict)
    doubles: bool = True
    words: Mapping[str, str] = field(default_factory=dict)
    remember: bool = False

    @property
    def compared(self) -> bool:
        """Whether the list's texts are compared, to find doubles."""
        return self.doubles and self.kind == "merchants"

    def check(self) -> None:
        """Refuse terms that make no sense."""
        if self.policy not in POLICIES:
            raise DataError(
                N_("There is no policy {policy}; there are {known}."),
                policy=self.policy,
                known=", ".join(POLICIES),
            )
        if self.mode not in MODES:
            raise DataError(
                N_("There is no mode {mode}; there are {known}."), mode=self.mode, known=", ".join(MODES)
            )
        if wrong := sorted({each for each in self.decisions.values() if each not in (SAME, NEW)}):
            raise DataError(
                N_("A pair is decided as same or new, not as {wrong}."), wrong=", ".join(map(str, wrong))
            )
        if self.source is not None and not 0 < len(self.source) <= LONGEST_SOURCE:
            raise DataError(N_("The name of a source has at most {count} characters."), count=LONGEST_SOURCE)
        self._check_snapshot()

    def _check_snapshot(self) -> None:
        if self.mode == "snapshot" and self.kind != "merchants":
            raise DataError(N_("Only a list of merchants can stand for all there are."))
        if self.mode == "snapshot" and self.source is None:
            raise DataError(N_("A list that stands for all there are needs the name of its source."))
        if self.close_missing and self.mode != "snapshot":
            raise DataError(N_("Only a list that stands for all there are can close what it does not have."))
