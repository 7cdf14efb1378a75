"""The pair chosen: why it is suggested, what each side gains, who is at work there, and what was decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

from data.alliances import suggesting
from data.alliances.links import ACCEPTED, REFUSED
from data.alliances.matrix import Matrix
from data.catalogue import STATUS_NAMES, STATUSES
from data.snapshots import Snapshot
from geo.partners import WEIGHTS
from pages.parts import alliance_paper, alliance_reads, partner_form, state
from pages.parts.alliance_words import (
    LINK_COLOURS,
    LINK_NAMES,
    PARTS,
    STAGE_NAMES,
    badge,
    category_name,
    gain_text,
)
from pages.parts.chosen import STATUS_COLOURS
from pages.parts.frame import calm
from pages.parts.partner_map import Look
from pages.parts.words import NONE, _, distance, language, plain, share

UNCERTAIN = 0.5


def show(look: Look, decided: DataFrame) -> bool:
    """Show the pair chosen; return whether one is."""
    pair = state.pair()
    if pair is None:
        return False
    row, held = row_of(look.rows, pair) if look.is_open else None, row_of(decided, pair)
    with st.container(border=True):
        heading(look, pair, row if held is None else held)
        if held is not None:
            partner_form.decided(look.asker, look.snapshot.branch_id, held)
            papers(look, held)
        elif row is not None:
            with calm():
                why(look, row)
            with calm():
                partner_form.in_hand(look.asker, look.snapshot.branch_id, pair)
            partner_form.undecided(look.asker, look.snapshot.branch_id, row, look.names)
        else:
            st.caption(_("This pair is not suggested here: other ground, another distance, or new data."))
        st.button(
            _("Close"),
            type="tertiary",
            icon=":material/close:",
            on_click=state.choose_pair,
            args=(None,),
            key=f"{state.PARTNER_FORM}_close",
        )
    return True


def row_of(rows: DataFrame, pair: tuple[int, int]) -> dict[str, Any] | None:
    """Return the line of a pair; None where it has none."""
    if rows.empty:
        return None
    own = rows[(rows["a"] == pair[0]) & (rows["b"] == pair[1])]
    return None if own.empty else dict(own.iloc[0])


def papers(look: Look, held: Mapping[str, Any]) -> None:
    """Offer a sheet for either of two merchants that are joined."""
    there = [look.snapshot.merchants.row_of(int(held[side])) is not None for side in ("a", "b")]
    if held["state"] != ACCEPTED or not all(there):
        return
    st.caption(_("Proposals to print"))
    with st.container(horizontal=True, gap="small"):
        for side, other in (("a", "b"), ("b", "a")):
            merchant = int(held[side]), str(held[f"{side}_name"])
            alliance_paper.button(
                look.asker, look.snapshot, look.branch["name"], look.base, *merchant, [int(held[other])]
            )


# Who they are -----------------------------------------------------------------------------------------------


def heading(look: Look, pair: tuple[int, int], row: Mapping[str, Any] | None) -> None:
    """Name the two merchants, with what they are and how far the branch is with them."""
    names = alliance_reads.names(look.asker, look.snapshot, pair)
    for each in pair:
        st.markdown(f"#### {plain(names.get(each, NONE))}  \n{badges(look.snapshot, each)}")
    if row is not None and "state" in row:
        parts = [badge(str(row["state"]), LINK_NAMES, LINK_COLOURS)]
        if row["state"] != REFUSED:
            parts.append(badge(str(row["stage"]), STAGE_NAMES))
        st.markdown(" ".join(parts))


def badges(snapshot: Snapshot, merchant_id: int) -> str:
    """Return a merchant's category and status as badges."""
    row = snapshot.merchants.row_of(merchant_id)
    if row is None:
        return _("No longer there")
    status = STATUSES[snapshot.merchants.status[row]]
    category = plain(category_name(int(snapshot.merchants.category[row])))
    return f":blue-badge[{category}] :{STATUS_COLOURS[status]}-badge[{_(STATUS_NAMES[status])}]"


# Why --------------------------------------------------------------------------------------------------------


def why(look: Look, row: Mapping[str, Any]) -> None:
    """Say why the two fit, what each gains, and what the score is made of."""
    known = alliance_reads.trades()
    a, b = (look.names.get(int(row[side]), NONE) for side in ("a", "b"))
    st.markdown(plain(suggesting.why(row, known, language(), (a, b))))
    st.markdown(f"- {gain_text(row, 'a', a, b)}\n- {gain_text(row, 'b', b, a)}")
    heading_text = _("Score")
    st.markdown(f"**{heading_text} {score(row['score'])}**")
    for name, title in PARTS.items():
        weighed = _("{part} ({weight} of the score)", part=_(title), weight=share(getattr(WEIGHTS, name)))
        part(weighed, row[name], detail(look.snapshot, known, row, name))


def score(value: float | None) -> str:
    """Return a score between 0 and 1; a dash where it is hidden."""
    return NONE if value is None or math.isnan(value) else f"{value:.2f}"


def part(title: str, value: float | None, told: str) -> None:
    """Show a part of the score as a small bar; only words where it is hidden."""
    text = f"{plain(title)} **{score(value)}**" + (f" :gray[· {plain(told)}]" if told else "")
    if value is None or math.isnan(value):
        st.markdown(text)
    else:
        st.progress(min(1.0, max(0.0, float(value))), text=text)


def detail(snapshot: Snapshot, known: Matrix, row: Mapping[str, Any], name: str) -> str:
    """Return what a part of the score rests on."""
    if name == "distance":
        return distance(row["distance_m"])
    if name == "shared":
        return _("{share} of all whom either serves", share=share(row["shared"]))
    pair = (int(row["a"]), int(row["b"]))
    if name == "complement":
        return known.reason(int(row["category_a"]), int(row["category_b"]), language())
    if name == "readiness":
        rows = [snapshot.merchants.row_of(each) for each in pair]
        told = [_(STATUS_NAMES[STATUSES[snapshot.merchants.status[at]]]) for at in rows if at is not None]
        return " + ".join(told)
    return company(row[name])


def company(value: float | None) -> str:
    """Return what the part about trades found together means; halfway it says nothing."""
    if value is None or math.isnan(value) or value == UNCERTAIN:
        return _("not certain here, so it counts half")
    return _("more often than by chance") if value > UNCERTAIN else _("less often than by chance")
