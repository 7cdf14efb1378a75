"""What an alliance is worth, on screen: 便 to customers, 利 to its members, 惠 in what customers save."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from data.alliances.worth import Scores
from geo.coverage import Figure
from pages.parts.words import NONE, _, money, ngettext, number, plain, share


class Side(NamedTuple):
    """A member and what it gains."""

    id: int
    name: str
    gain: Figure

    @property
    def loses(self) -> bool:
        """Whether it would gain nothing."""
        return self.gain.value is not None and self.gain.value <= 0.0


def sides(worth: Scores, names: Mapping[int, str]) -> list[Side]:
    """Return what each member counted gains, in their order."""
    parts = zip(worth.members, worth.gains, worth.gained, worth.served, strict=True)
    return [Side(each, names.get(each, NONE), figure(value, top, whole)) for each, value, top, whole in parts]


def figure(value: float | None, top: float | None, whole: float | None) -> Figure:
    """Return a share with its counts; nothing where it is unknown or hidden."""
    if value is None or top is None or whole is None or math.isnan(value):
        return Figure(None, None, None)
    return Figure(float(value), float(top), float(whole))


def metrics(worth: Scores) -> None:
    """Show the three scores side by side."""
    told = (
        (
            _("Convenience"),
            share(worth.convenience),
            _("Customers of the circle within reach of a member."),
            of_how_many(worth),
        ),
        (
            _("Profit"),
            share(worth.profit),
            _("What the member who gains least gains: above 0 no member loses."),
            _("least gain of a member"),
        ),
        (
            _("Savings"),
            number(float(len(worth.needs))),
            _("Different needs that the members' offers cover, and what an offer saves on average."),
            needs_text(worth),
        ),
    )
    columns = st.columns(3, gap="xsmall")
    for column, (title, value, meaning, below) in zip(columns, told, strict=True):
        with column, st.container(border=True, gap="xxsmall", height="stretch"):
            st.caption(title, help=meaning)  # a metric's own label is cut, not wrapped
            st.metric(title, value, label_visibility="collapsed")
            st.caption(plain(below))


def of_how_many(worth: Scores) -> str:
    """Return what the convenience is a share of: `1,200 / 6,000`."""
    told = figure(worth.convenience, worth.covered, worth.scope)
    return NONE if told.value is None else f"{number(told.numerator)} / {number(told.denominator)}"


def needs_text(worth: Scores) -> str:
    """Return what the number of needs is, with the mean saving where it is known."""
    needs = ngettext("need covered", "needs covered", len(worth.needs))
    if math.isnan(worth.saving_yuan):
        return needs
    saving = _("{yuan} an offer", yuan=money(worth.saving_yuan))
    return f"{needs} · {saving}"


def verdict(members: Sequence[Side]) -> str:
    """Return whether anybody loses, in a sentence."""
    losers = [side.name for side in members if side.loses]
    unknown = [side.name for side in members if side.gain.value is None]
    if losers:
        return _("{names} would gain nothing.", names=_(", ").join(losers))
    if unknown:
        return _("Of {names} the gain is not known.", names=_(", ").join(unknown))
    return _("No member loses.")
