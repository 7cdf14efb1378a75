"""The list of pairs: suggestions with their scores and gains, or links with how they stand."""

from __future__ import annotations

from functools import partial

import streamlit as st
from pandas import DataFrame

from pages.parts import state
from pages.parts.alliance_reads import MOST_SUGGESTED, Pair
from pages.parts.alliance_words import STAGE_NAMES, gain
from pages.parts.partner_map import Look, middle
from pages.parts.words import NONE, _, day, distance, ngettext, number, percent

ROW_PX, HEAD_PX, MOST_PX = 35, 38, 420


def show(look: Look) -> None:
    """Show the list; a row that is clicked is the pair chosen."""
    pairs = [(int(a), int(b)) for a, b in zip(look.rows["a"], look.rows["b"], strict=True)]
    table = suggestions(look) if look.is_open else decided(look)
    count = ngettext("One pair", "{n} pairs", len(table))
    if look.is_open and len(table) == MOST_SUGGESTED:
        count = _("The best {count} pairs", count=number(float(MOST_SUGGESTED)))
    order = _("best first") if is_of_one(look) else _("best first, trades and merchants in turn")
    st.caption(f"{count} · {order}" if look.is_open else count)
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(table)),
        column_config={
            _("Score"): st.column_config.ProgressColumn(
                min_value=0, max_value=1, format="%.2f", width="small"
            ),
        },
        placeholder=NONE,
        key=state.PARTNER_LIST,
        on_select=partial(choose, look, pairs),
        selection_mode="single-row",
    )


def is_of_one(look: Look) -> bool:
    """Return whether one merchant's partners are looked for."""
    return look.ground is not None and look.ground.merchant_id is not None


def choose(look: Look, pairs: list[Pair]) -> None:
    """Choose the pair whose row was clicked, and send the map there; a callback."""
    state.choose_listed(state.PARTNER_LIST, pairs, state.choose_pair)
    chosen = state.pair()
    view = None if chosen is None else middle(look, chosen)
    if view is not None:
        state.fly_to(view)


def marked(look: Look, row: dict[str, object], side: str) -> str:
    """Return a merchant's name; the pair chosen is marked."""
    name = look.names.get(int(str(row[side])), NONE)
    is_chosen = side == sides(look, row)[0] and (row["a"], row["b"]) == state.pair()
    return f"{'▸ ' if is_chosen else ''}{name}"


def sides(look: Look, row: dict[str, object]) -> tuple[str, str]:
    """Return which merchant of a pair stands first: the one whose partners are looked for."""
    asked = None if look.ground is None else look.ground.merchant_id
    return ("b", "a") if row["b"] == asked else ("a", "b")


def suggestions(look: Look) -> DataFrame:
    """Return suggestions as they stand on screen."""
    rows = [(row, *sides(look, row)) for row in look.rows.to_dict("records")]
    return DataFrame(
        {
            _("Merchant"): [marked(look, row, first) for row, first, _second in rows],
            _("Partner"): [marked(look, row, second) for row, _first, second in rows],
            _("Score"): look.rows["score"].astype(float).to_numpy(),
            _("Gain of the first"): [percent(gain(row, first)) for row, first, _second in rows],
            _("Gain of the second"): [percent(gain(row, second)) for row, _first, second in rows],
            _("Apart"): [distance(row["distance_m"]) for row, *_sides in rows],
        }
    )


def decided(look: Look) -> DataFrame:
    """Return links as they stand on screen."""
    rows = look.rows.to_dict("records")
    return DataFrame(
        {
            _("Merchant"): [marked(look, row, "a") for row in rows],
            _("Partner"): [marked(look, row, "b") for row in rows],
            _("Stage"): [_(STAGE_NAMES[row["stage"]]) for row in rows],
            _("Owner"): [row["owner"] for row in rows],
            _("Reason"): [row["reason"] for row in rows],
            _("Start"): [None if row["starts"] is None else day(row["starts"]) for row in rows],
            _("End"): [None if row["ends"] is None else day(row["ends"]) for row in rows],
            _("Decided by"): [row["by"] for row in rows],
        }
    ).dropna(axis=1, how="all")
