"""The figures beside the map, one card each; whoever may see the rows behind one opens them from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from data.rights import Asker
from data.written import MASKED, is_masked
from geo.coverage import Figure
from pages.parts import state
from pages.parts.lists import Wanted, may_list
from pages.parts.words import N_, _, money, ngettext, number, share

WIDTH_PX = 148  # six stand side by side on a desk, two on a phone


class Card(NamedTuple):
    """A figure of `data.figures.cards`: how it stands on its card, and the rows behind it."""

    title: str
    written: Callable[[float | None], str]
    meaning: str
    wanted: Wanted | None = None


CARDS = {
    "customers": Card(
        N_("Existing customers"),
        number,
        N_("Customers of ours in the circle."),
        Wanted("customers", N_("Existing customers"), {"existing": True}),
    ),
    "customer_coverage": Card(
        N_("Customer coverage"),
        share,
        N_("Existing customers out of existing and target customers; a target group counts its people."),
        Wanted("customers", N_("Target customers"), {"existing": False}),
    ),
    "merchants": Card(
        N_("Merchants"),
        number,
        N_("Merchants in the circle; closed ones only where the filter asks for them."),
        Wanted("merchants", N_("Merchants")),
    ),
    "merchant_coverage": Card(
        N_("Merchants signed"),
        share,
        N_("Signed merchants out of all that are not closed."),
        Wanted("merchants", N_("Merchants signed"), {"status": "signed"}),
    ),
    "deposits": Card(N_("Deposits"), money, N_("Held here by the customers in the circle, where known.")),
    "rivals": Card(
        N_("Rival outlets"),
        number,
        N_("Outlets of other banks and insurers in the circle."),
        Wanted("outlets", N_("Rival outlets"), {"own": False}),
    ),
}


def show(figures: Mapping[str, Figure], asker: Asker, branch_id: int) -> Wanted | None:
    """Show the cards, and return the count whose list was asked for in this run."""
    asked = None
    columns = [
        column for _row in range(0, len(CARDS), 2) for column in st.columns(2, gap="xsmall", wrap=False)
    ]
    for (name, card), column in zip(CARDS.items(), columns, strict=True):
        figure = figures.get(name, Figure(None, None, None))
        with column, st.container(border=True, gap="xxsmall", height="stretch"):
            st.caption(_(card.title), help=_(card.meaning))  # a metric's own label is cut, not wrapped
            st.metric(_(card.title), value_of(figure, card.written), label_visibility="collapsed")
            if counts := counts_of(figure, card.written):
                st.caption(counts)
            if offers(card, figure, asker, branch_id) and st.button(
                _("Open list"), type="tertiary", icon=":material/list:", key=f"{state.CARD}_{name}"
            ):
                asked = card.wanted
    return None if asked is None else Wanted(asked.layer, _(asked.title), asked.where)


def offers(card: Card, figure: Figure, asker: Asker, branch_id: int) -> bool:
    """Whether there are rows behind a card for whoever asks."""
    return card.wanted is not None and bool(figure.value) and may_list(asker, card.wanted.layer, branch_id)


def value_of(figure: Figure, written: Callable[[float | None], str]) -> str:
    """Return how a figure stands on its card: masked, unknown or its value."""
    return MASKED if is_masked(figure) else written(figure.value)


def counts_of(figure: Figure, written: Callable[[float | None], str]) -> str:
    """Return what a share is made of, or of how many customers an amount is; nothing for a plain count."""
    if is_masked(figure) or figure.denominator is None:
        return ""
    if written is share:
        return f"{number(figure.numerator)} / {number(figure.denominator)}"
    return ngettext("of one customer", "of {n} customers", round(figure.denominator))
