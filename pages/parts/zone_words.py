"""Words of the page of zones: what is measured, what the rules are about, how amounts are written."""

from __future__ import annotations

from collections.abc import Callable

from geo.plans import Measure
from pages.parts.words import N_, _, money, number, share

MEASURE_NAMES = {
    "merchants": N_("Merchants"),
    "customers": N_("Customers"),
    "households": N_("Households"),
    "deposits": N_("Deposits"),
    "hours": N_("Hours a quarter"),
}
RULE_NAMES = {
    "too_little": N_("Too little in a zone"),
    "too_much": N_("Too much in a zone"),
    "pieces": N_("A zone in pieces"),
    "barrier": N_("A barrier crossed"),
    "too_far": N_("Too far from the branch"),
    "empty": N_("An empty zone"),
    "overlap": N_("Ground in two zones"),
    "gap": N_("Ground in no zone"),
    "no_pair": N_("Nobody to work it"),
}
WRITTEN: dict[str, Callable[[float | None], str]] = {"deposits": money}


def amount(measure: str, value: float | None) -> str:
    """Return an amount of a measure."""
    return WRITTEN.get(measure, number)(value)


def limits(measure: Measure, ideal: float) -> str:
    """Return what a zone is held to in a measure: `150, 5 % more or less; at least 100, at most 200`."""
    parts = [
        _(
            "{ideal}, {tolerance} more or less",
            ideal=amount(measure.name, ideal),
            tolerance=share(measure.tolerance),
        )
    ]
    if measure.lowest is not None:
        parts.append(_("at least {amount}", amount=amount(measure.name, measure.lowest)))
    if measure.highest is not None:
        parts.append(_("at most {amount}", amount=amount(measure.name, measure.highest)))
    return _(", ").join(parts)
