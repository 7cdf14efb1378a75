"""The workshop's fifth step: rows that are known already, for certain or probably, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data.ingest import ImportPlan
from geo.catchment import distances_m
from pages.parts import state
from pages.parts.words import N_, NONE, _, distance, ngettext, number, plain, spoken
from pages.parts.workshop import Job, step

POLICIES = {
    "update": N_("Update: what the list says replaces what is known"),
    "keep": N_("Keep: what is known stays, and only its gaps are filled"),
    "skip": N_("Leave out: rows that are known already are not taken"),
}
BECOMES = {"update": N_("updated"), "keep": N_("kept as they are"), "skip": N_("left out")}
SAME, NEW = "same", "new"
DECISIONS = {SAME: N_("The same shop"), NEW: N_("Two shops")}
SIDE = ("name", "address", "phone")
AT_ONCE = 5  # pairs on screen


def policy(job: Job) -> str:
    """Return what is to become of rows that are certainly known."""
    return state.chosen(job.key(state.POLICY), "update")


def doubles_step(job: Job, plan: ImportPlan) -> None:
    """Ask what becomes of rows that are known, and whether probable doubles are any."""
    if not (known(job, plan) or plan.duplicates or sum(plan.doubles.values())):
        return
    rows = to_decide(plan)
    undecided = [row for row in rows if row not in state.decisions_of(job.id)]
    later = state.chosen(job.key(state.PAIRS_LATER), False)
    with step(job, "doubles", _("Doubles"), doubles_line(job, plan), settled=later or not undecided):
        if count := known(job, plan):
            st.radio(
                ngettext(
                    "One row is known already. What shall become of it?",
                    "{n} rows are known already. What shall become of them?",
                    count,
                ),
                list(POLICIES),
                format_func=spoken(POLICIES),
                key=state.start_at(job.key(state.POLICY_PICKED), policy(job)),
                on_change=state.copy,
                args=(job.key(state.POLICY_PICKED), job.key(state.POLICY)),
            )
        if rows:
            review(job, plan, rows, undecided)
        if possible := plan.doubles.get("possible", 0):
            st.caption(
                ngettext(
                    "One row only resembles a known one: it is taken, and marked.",
                    "{n} rows only resemble known ones: they are taken, and marked.",
                    possible,
                )
            )


def known(job: Job, plan: ImportPlan) -> int:
    """Return how many rows are known for certain; of rows left out, those that repeat the list count too."""
    return plan.duplicates if policy(job) == "skip" else plan.updated


def doubles_line(job: Job, plan: ImportPlan) -> str:
    """Return how many there are, and what becomes of them, in a line."""
    probable, possible = plan.doubles.get("probable", 0), plan.doubles.get("possible", 0)
    parts = []
    if count := known(job, plan):
        becomes = _(BECOMES[policy(job)])
        parts.append(
            ngettext("one known already: {becomes}", "{n} known already: {becomes}", count, becomes=becomes)
        )
    if plan.duplicates and policy(job) != "skip":
        parts.append(
            ngettext(
                "one repeats the list: the first stands",
                "{n} repeat the list: the first stands",
                plan.duplicates,
            )
        )
    if probable:
        parts.append(ngettext("one probably known", "{n} probably known", probable))
    if possible:
        parts.append(ngettext("one perhaps known", "{n} perhaps known", possible))
    return " · ".join(parts)


def to_decide(plan: ImportPlan) -> list[int]:
    """Return the rows that are probably known, of those shown."""
    probable = plan.pairs[plan.pairs["level"] == "probable"]
    return [int(row) for row in probable["row"].drop_duplicates()]


def decisions(job: Job, plan: ImportPlan) -> dict[int, str]:
    """Return what was decided about rows that are still in question."""
    rows = set(to_decide(plan))
    return {row: said for row, said in state.decisions_of(job.id).items() if row in rows}


def review(job: Job, plan: ImportPlan, rows: Sequence[int], undecided: Sequence[int]) -> None:
    """Show the probable pairs, a few at a time, and let them be decided singly or together."""
    if not job.sees_stored:
        st.info(_("You may not see the customers these rows are compared with. They are taken, and marked."))
        return
    st.markdown(
        ngettext(
            "One row is probably known already: is it the same shop?",
            "{n} rows are probably known already: are they the same shops?",
            len(rows),
        )
    )
    if undecided:
        together(job, undecided)
    page = min(state.chosen(job.key(state.PAIR_PAGE), 0), (len(rows) - 1) // AT_ONCE)
    best = plan.pairs[plan.pairs["level"] == "probable"].drop_duplicates("row").set_index("row")
    for row in rows[page * AT_ONCE : (page + 1) * AT_ONCE]:
        with st.container(border=True):
            pair = best.loc[row].to_dict()
            own = _("This list, row {row}", row=number(row, compact=False))
            with show_pair(pair, own, other_title(pair)):
                decide_one(job, row)
    turn(job, page, len(rows))
    more = plan.doubles.get("probable", 0) - len(rows)
    if more > 0:
        st.caption(
            ngettext(
                "One more is taken with a mark, to be reviewed later.",
                "{n} more are taken with a mark, to be reviewed later.",
                more,
            )
        )


def other_title(pair: Mapping[str, Any]) -> str:
    """Return what a row is beside: a merchant known before, or an earlier row of the list."""
    earlier = pair.get("other_row")
    if earlier is None or pd.isna(earlier):
        return _("Known already")
    return _("This list, row {row}", row=number(int(earlier), compact=False))


def together(job: Job, undecided: Sequence[int]) -> None:
    """Offer to decide about all that are open."""
    rows = list(undecided)
    keys = [pair_key(job, row) for row in rows]
    with st.container(horizontal=True):
        for decision, title in DECISIONS.items():
            st.button(
                _("All {n} open ones: {decision}", n=number(len(rows)), decision=_(title)),
                key=job.key(f"{state.PAIR}_all_{decision}"),
                on_click=state.decide,
                args=(job.id, rows, decision, keys),
            )
        st.button(
            _("Decide later"),
            help=_("They are taken with a mark, and can be reviewed below, under “Doubles to review”."),
            type="tertiary",
            key=job.key(f"{state.PAIR}_later"),
            on_click=state.put,
            args=(job.key(state.PAIRS_LATER), True),
        )


def pair_key(job: Job, row: int) -> str:
    """Return the key of a row's decision."""
    return job.key(f"{state.PAIR}_{row}")


def decide_one(job: Job, row: int) -> None:
    """Ask about one row."""
    key = state.start_at(pair_key(job, row), state.decisions_of(job.id).get(row))
    st.segmented_control(
        _("Row {row}", row=row),
        list(DECISIONS),
        format_func=spoken(DECISIONS),
        key=key,
        label_visibility="collapsed",
        on_change=take,
        args=(job.id, row, key),
    )


def take(file_id: str, row: int, key: str) -> None:
    """Keep what was decided about a row; a callback."""
    state.decide(file_id, [row], state.chosen(key, None))


def turn(job: Job, page: int, count: int) -> None:
    """Let the next few be looked at."""
    last = (count - 1) // AT_ONCE
    if not last:
        return
    key = job.key(state.PAIR_PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, to, icon in (
            (_("Back"), page - 1, ":material/chevron_left:"),
            (_("Next"), page + 1, ":material/chevron_right:"),
        ):
            st.button(
                label,
                icon=icon,
                disabled=not 0 <= to <= last,
                key=f"{key}_{icon}",
                on_click=state.put,
                args=(key, to),
            )
        st.caption(
            _(
                "{from_} to {to} of {all}",
                from_=page * AT_ONCE + 1,
                to=min(count, (page + 1) * AT_ONCE),
                all=count,
            )
        )


# Side by side -----------------------------------------------------------------------------------------------


def show_pair(
    pair: Mapping[str, Any], left_title: str, right_title: str, other: str = "other_"
) -> DeltaGenerator:
    """
    Show two rows side by side and return the room beside them; what differs stands out.

    Parameters
    ----------
    pair
        The values of one row, and of the other under names with `other` before.
    left_title, right_title
        Which row is which.
    """
    left, right, room = st.columns([4, 4, 3], vertical_alignment="center")
    with left:
        show_side(left_title, pair, "", other)
    with right:
        show_side(right_title, pair, other, "")
    apart = float(distances_m(pair["lon"], pair["lat"], [pair[f"{other}lon"]], [pair[f"{other}lat"]])[0])
    room.caption(_("{distance} apart", distance=distance(apart)))
    return room


def show_side(title: str, pair: Mapping[str, Any], own: str, other: str) -> None:
    """Show one row of a pair."""
    name, *more = (told(pair, field, own, other) for field in SIDE)
    rest = " · ".join(text for text in more if text) or plain(NONE)
    st.markdown(f":small[:gray[{title}]]  \n**{name or plain(NONE)}**  \n{rest}")


def told(pair: Mapping[str, Any], field: str, own: str, other: str) -> str:
    """Return a cell, coloured where the other row says something else."""
    here, there = cell(pair.get(own + field)), cell(pair.get(other + field))
    text = plain(here)
    return f":orange[{text}]" if here and there and here != there else text


def cell(value: Any) -> str:
    """Return a cell's text, empty for none."""
    return "" if value is None or pd.isna(value) else str(value).strip()
