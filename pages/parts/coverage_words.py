"""Words of the page of coverage: what each figure of a zone is called, means and how it is written."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from data.written import MASKED, is_masked
from geo.coverage import Figure
from pages.parts.words import N_, NONE, _, money, number, percent, share

Form = Literal["count", "money", "share", "mean", "density", "money_density", "hours", "evenness", "plain"]


class Told(NamedTuple):
    """
    What is said of a figure.

    Parameters
    ----------
    title, meaning
        Marked texts.
    form
        How it is written.
    good
        1 where more of it is better, -1 where less is, 0 where it is only how much there is.
    """

    title: str
    meaning: str
    form: Form
    good: int = 0


FIGURES = {
    "customer_coverage": Told(
        N_("Customer coverage"), N_("Existing customers out of those in reach, as chosen above."), "share", 1
    ),
    "customers": Told(N_("Existing customers"), N_("Customers of ours."), "count"),
    "deposits": Told(N_("Deposits"), N_("Held here by the customers, where known."), "money"),
    "households": Told(N_("Households"), N_("Of the places inside, where known."), "count"),
    "merchant_coverage": Told(
        N_("Merchants signed"), N_("Signed merchants out of all that are not closed."), "share", 1
    ),
    "merchants": Told(N_("Merchants"), N_("Merchants that are not closed."), "count"),
    "visit_coverage": Told(
        N_("Visit coverage"),
        N_("Merchants and target customers visited within their interval, out of all of them."),
        "share",
        1,
    ),
    "visit_never": Told(N_("Never visited"), N_("Of the merchants and target customers."), "share", -1),
    "visit_on_track": Told(N_("On track"), N_("Visited, and not due before long."), "share", 1),
    "visit_due": Told(N_("Due"), N_("In the last fifth of the time between two visits."), "share"),
    "visit_overdue": Told(N_("Visits overdue"), N_("Visited, but too long ago."), "share", -1),
    "workload_h": Told(
        N_("Hours a quarter"),
        N_("Of visits due and the way between them, beside the hours a pair has; an estimate."),
        "hours",
    ),
    "balance": Told(
        N_("Workload beside the mean"),
        N_("1 is the mean zone's; in total, how even the zones are."),
        "evenness",
    ),
    "products_2": Told(N_("2 products or more"), N_("Out of the existing customers."), "share", 1),
    "products_3": Told(N_("3 products or more"), N_("Out of the existing customers."), "share", 1),
    "products_5": Told(N_("5 products or more"), N_("Out of the existing customers."), "share", 1),
    "products_mean": Told(N_("Products a customer"), N_("Mean over the existing customers."), "mean", 1),
    "product_match": Told(
        N_("Product match"),
        N_("Of the products recommended to a customer's group and the zone's kind, those held; a mean."),
        "share",
        1,
    ),
    "rivals": Told(N_("Rival outlets"), N_("Outlets of other banks and insurers."), "count"),
    "rival_nearer": Told(
        N_("Nearer a rival"), N_("Customers nearer a rival outlet than the branch, out of all."), "share", -1
    ),
    "alliance_merchants": Told(
        N_("Merchants in alliances"),
        N_("Members of active alliances, out of all merchants that are not closed."),
        "share",
        1,
    ),
    "alliance_reach": Told(
        N_("Customers in reach of an alliance"),
        N_("Existing and target customers within reach of a member, out of all."),
        "share",
        1,
    ),
    "void_gap": Told(
        N_("Trades missing or few"),
        N_("Categories of the circle that are absent here, or fewer for each household."),
        "share",
        -1,
    ),
    "customers_km2": Told(N_("Customers per km²"), N_("Existing and target customers."), "density"),
    "merchants_km2": Told(N_("Merchants per km²"), N_("Merchants that are not closed."), "density"),
    "deposits_km2": Told(N_("Deposits per km²"), N_("Yuan held here, where known."), "money_density"),
    "area_km2": Told(N_("Area, km²"), N_("Of the ground."), "plain"),
    "polsby_popper": Told(N_("Compactness"), N_("1 is a circle; close to 0 is long or ragged."), "plain"),
    "pieces": Told(N_("Pieces"), N_("How many pieces of ground."), "count"),
}
GROUPS = {
    "coverage": (
        N_("Coverage"),
        (
            "customer_coverage",
            "merchant_coverage",
            "visit_coverage",
            "workload_h",
            "void_gap",
            "rival_nearer",
        ),
    ),
    "amounts": (
        N_("Amounts"),
        ("customers", "deposits", "households", "merchants", "rivals", "area_km2"),
    ),
    "visits": (
        N_("Visits"),
        (
            "visit_coverage",
            "visit_never",
            "visit_on_track",
            "visit_due",
            "visit_overdue",
            "workload_h",
            "balance",
        ),
    ),
    "products": (
        N_("Products"),
        ("products_2", "products_3", "products_5", "products_mean", "product_match"),
    ),
    "around": (
        N_("Density and surroundings"),
        ("customers_km2", "merchants_km2", "deposits_km2", "rivals", "rival_nearer", "void_gap"),
    ),
    "alliances": (N_("Alliances"), ("alliance_merchants", "alliance_reach")),
    "shape": (N_("Shape"), ("area_km2", "polsby_popper", "pieces")),
}
REACHABLE_NAMES = {
    "customers": N_("Existing and target customers"),
    "adults": N_("Adults"),
    "households": N_("Households"),
    "employees": N_("Employees"),
}


def written(name: str, figure: Figure) -> str:
    """Return a figure as a table shows it: a share with both its counts, `-` where it is unknown."""
    if is_masked(figure):
        return MASKED
    form = FIGURES[name].form
    if form == "share":
        return percent(figure)
    if form == "hours" and figure.value is not None and figure.denominator:
        return f"{number(round(figure.value, 1))} / {number(figure.denominator)}"
    if form == "mean" and figure.value is not None and figure.denominator:
        return f"{figure.value:.2f} ({number(figure.numerator)}/{number(figure.denominator)})"
    return brief(name, figure.value)


def brief(name: str, value: float | None) -> str:
    """Return a figure's value alone, as a label or a legend has room for it."""
    form = FIGURES[name].form
    if value is None or math.isnan(value):
        return NONE
    if form == "share":
        return share(value)
    if form in ("money", "money_density"):
        return money(round(value))
    if form in ("mean", "evenness", "plain"):
        return f"{value:.2f}"
    return number(round(value, 1))


def title(name: str) -> str:
    """Return what a figure is called."""
    return _(FIGURES[name].title)
