"""What the page of clusters reads: clusters with their names, lasting numbers, figures and growth."""

from __future__ import annotations

from typing import NamedTuple

from pandas import DataFrame

from data.clustering import describing, naming, runs
from data.clustering.finding import Found, found
from data.clustering.naming import Lead
from data.clustering.runs import Growth
from data.figures import FEWEST
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import reads
from pages.parts.frame import reading, writing
from pages.parts.words import language

NONE_KEPT = Growth((), (), None, DataFrame(columns=["id", "name", "size"]))


class Standing(NamedTuple):
    """
    Clusters as they are shown.

    Parameters
    ----------
    found
        The clusters.
    names
        Of each, in the user's language.
    figures
        Of each, see `describing.overview`.
    growth
        Their lasting numbers, and how they stand beside an earlier run.
    leaders
        Of each, the commonest groups or categories.
    """

    found: Found
    names: list[str]
    figures: DataFrame
    growth: Growth
    leaders: list[list[Lead]]

    def place_of(self, number: int | None) -> int | None:
        """Return where a cluster with a lasting number stands; None of one that is not there."""
        return self.growth.ids.index(number) if number in self.growth.ids else None


def standing(asker: Asker, snapshot: Snapshot, layer: str, scale: str) -> Standing:
    """Return the branch's clusters; those of a data version nobody looked at yet are kept first."""
    there = found(snapshot, layer, scale)
    with reading() as session:
        growth = runs.growth(session, asker, snapshot, there)
    if growth is None:
        with writing() as session:
            runs.keep(session, asker, snapshot, there)
            growth = runs.growth(session, asker, snapshot, there)
    with reading() as session:
        names = naming.names(session, snapshot, there, language())
    mask = reads.is_masked(asker, snapshot.branch_id)
    figures = describing.overview(snapshot, there, mask=mask)
    leaders = naming.leaders(snapshot, there, fewest=FEWEST if mask and layer == "customers" else 1)
    return Standing(there, names, figures, growth or NONE_KEPT, leaders)


def profile(asker: Asker, snapshot: Snapshot, there: Found, at: int) -> DataFrame:
    """Return what a cluster is made of, beside the catchment."""
    with reading() as session:
        return describing.profile(
            session, snapshot, there, at, mask=reads.is_masked(asker, snapshot.branch_id)
        )
