"""What the tab of the matrix reads: pairs and terms as they are now, and what the branch's own data say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pandas import DataFrame

from data import catalogue
from data.alliances import evidence as our_data
from data.alliances import matrix_rows
from data.alliances.matrix import Pair, matrix, ordered_pair
from data.figures import FEWEST
from data.rights import Asker
from pages.parts import beside, reads
from pages.parts.frame import reading
from pages.parts.words import N_, language

SAYS = {"raise": N_("stronger here"), "lower": N_("weaker here"), "agree": N_("as here")}


class Evidence(NamedTuple):
    """
    What the branch's own data say of two trades.

    Parameters
    ----------
    quotient
        How much oftener than by chance one is found beside the other, the plainer of both ways; 1 is chance.
    p
        Of that: how likely chance alone makes it.
    shared
        Customers both serve, as a share of those either serves, on average of their neighbours; NaN hidden.
    says
        A code of `SAYS`.
    """

    quotient: float
    p: float
    shared: float
    says: str


def pairs(asker: Asker) -> DataFrame:
    """Return what is said of every pair of trades."""
    with reading() as session:
        return matrix_rows.rows(session, asker)


def terms(asker: Asker) -> DataFrame:
    """Return how far each trade reaches and whom it serves."""
    with reading() as session:
        return matrix_rows.terms(session, asker)


def trade_names() -> dict[str, str]:
    """Return the trades' names in the user's language, by code."""
    frame = catalogue.CATEGORIES
    return dict(zip(frame["code"], frame[language()], strict=True))


def group_names() -> dict[str, str]:
    """Return the customer groups' names in the user's language, by code."""
    return dict(zip(catalogue.GROUPS["code"], catalogue.GROUPS[language()], strict=True))


def evidence(asker: Asker, branch: Mapping[str, Any]) -> dict[Pair, Evidence] | None:
    """Return what the branch's own data say, by pair; None as long as it is being worked out."""
    snapshot = reads.snapshot(asker, branch["id"])
    with reading() as session:
        known = matrix(session)
    key = ("evidence", snapshot.key, known.key, reads.scope(asker))
    found = beside.found(key, lambda: our_data.evidence(snapshot, known))
    if found is None:
        return None
    hidden = asker.masked(snapshot.branch_id)
    told: dict[Pair, Evidence] = {}
    for row in found.itertuples():
        few = hidden and 0 < row.both < FEWEST
        shared = float("nan") if few else float(row.shared)
        one = Evidence(float(row.quotient), float(row.p), shared, str(row.says))
        told.setdefault(ordered_pair(str(row.a), str(row.b)), one)  # the plainest of both ways comes first
    return told
