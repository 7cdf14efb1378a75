"""The figures beside the map, one card each; whoever may see the rows behind a count opens them from the card."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import streamlit as st

from geo.coverage import Figure
from pages.parts import state
from pages.parts.words import N_, NONE, _, money, number, share

MASKED = "<5"
# Name in `data.figures.cards`: title, how the value is written, what it means, the layer its list is of.
CARDS = {
    "customers": (N_("Existing customers"), number, N_("Customers of ours inside the circle."), "customers"),
    "customer_coverage": (
        N_("Customer coverage"),
        share,
        N_("Existing customers out of existing and target customers; a target group counts its people."),
        None,
    ),
    "merchants": (
        N_("Merchants"),
        number,
        N_("Merchants inside the circle that are not closed."),
        "merchants",
    ),
    "merchant_coverage": (
        N_("Merchants signed"),
        share,
        N_("Signed merchants out of all that are known and not closed."),
        None,
    ),
    "deposits": (N_("Deposits"), money, N_("Deposits held here by the customers inside the circle."), None),
    "rivals": (N_("Rival outlets"), number, N_("Outlets of other banks inside the circle."), "outlets"),
}


def show(figures: Mapping[str, Figure], *, listed: frozenset[str] = frozenset()) -> str | None:
    """
    Show the cards.

    Parameters
    ----------
    figures
        By name, as `data.figures.cards` gives them.
    listed
        The layers whose lists may be opened by whoever asks.

    Returns
    -------
    opened
        Name of the card whose list was asked for in this run; None for none.
    """
    opened = None
    columns = [*st.columns(3, wrap=False), *st.columns(3, wrap=False)]
    for (name, (title, written, meaning, layer)), column in zip(CARDS.items(), columns, strict=True):
        figure = figures.get(name, Figure(None, None, None))
        with column, st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(_(title), value_of(figure, written), help=_(meaning))
            if layer is None:
                st.caption(counts_of(figure, written))
            elif (
                layer in listed
                and figure.value
                and st.button(
                    _("Open list"), type="tertiary", icon=":material/list:", key=f"{state.CARD}_{name}"
                )
            ):
                opened = name
    return opened


def value_of(figure: Figure, written: Callable[[float | None], str]) -> str:
    """Return how a figure stands on its card: masked, unknown or its value."""
    return MASKED if is_masked(figure) else written(figure.value)


def counts_of(figure: Figure, written: Callable[[float | None], str] = number) -> str:
    """Return the numerator and denominator of a share; nothing of what is none, or of what is masked."""
    if is_masked(figure) or figure.denominator is None or written is not share:
        return NONE if is_masked(figure) or written is share else ""
    return f"{number(figure.numerator)} / {number(figure.denominator)}"


def is_masked(figure: Figure) -> bool:
    """Whether a figure is of fewer customers than whoever asks may see as a figure: its value is NaN."""
    return figure.value is not None and math.isnan(figure.value)
