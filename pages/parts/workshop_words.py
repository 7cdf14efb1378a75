"""The workshop's fourth step: category words that are not known, mapped once and remembered."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data import catalogue
from data.ingest import ImportPlan
from pages.parts import state
from pages.parts.words import _, language, ngettext, number, plain
from pages.parts.workshop import Job, step

SHOWN = 12  # words asked for at once, the commonest first
OUTLETS = ("bank", "atm", "insurer")


def words_step(job: Job, plan: ImportPlan) -> None:
    """Ask what the list's own category words mean."""
    told = state.words_of(job.id)
    open_words = {word: count for word, count in plan.unknown_words.items() if word not in told}
    if job.kind != "merchants" or not (open_words or told):
        return
    left = state.chosen(job.key(state.WORDS_LEFT), False)
    settled = left or not open_words
    with step(job, "words", _("Categories"), words_line(open_words, told), settled=settled):
        st.markdown(
            _(
                "These words of the list are no categories of ours. Say once what they mean: it is "
                "remembered for the next list. What you leave open becomes “other”."
            )
        )
        ask(job, open_words, told)
        if not settled:
            st.button(
                _("Leave the rest as “other”"),
                key=job.key(state.WORDS_OTHER),
                on_click=state.put,
                args=(job.key(state.WORDS_LEFT), True),
            )


def words_line(open_words: Mapping[str, int], told: Mapping[str, str]) -> str:
    """Return how the words stand, in a line."""
    parts = []
    if open_words:
        rows = number(sum(open_words.values()), compact=False)
        parts.append(
            ngettext(
                "one word not known ({rows} rows)",
                "{n} words not known ({rows} rows)",
                len(open_words),
                rows=rows,
            )
        )
    if told:
        parts.append(ngettext("one word explained", "{n} words explained", len(told)))
    return " · ".join(parts)


def ask(job: Job, open_words: Mapping[str, int], told: Mapping[str, str]) -> None:
    """Show each word with its count and our categories; nothing is read again before all are chosen."""
    names = category_names()
    commonest = sorted(open_words, key=lambda word: -open_words[word])
    asked = [*told, *commonest[:SHOWN]]
    with st.form(job.key(state.WORDS_FORM), border=False):
        picked = {word: ask_word(job, word, open_words.get(word), told.get(word), names) for word in asked}
        if len(commonest) > SHOWN:
            st.caption(ngettext("And one more word.", "And {n} more words.", len(commonest) - SHOWN))
        if st.form_submit_button(_("Apply"), icon=":material/check:"):
            state.keep_words(job.id, {word: code for word, code in picked.items() if code})
            st.rerun()


def ask_word(
    job: Job, word: str, count: int | None, code: str | None, names: Mapping[str, str]
) -> str | None:
    """Ask what one word means."""
    left, right = st.columns([2, 3], vertical_alignment="center")
    rows = "" if count is None else ngettext("one row", "{n} rows", count)
    left.markdown(f"{plain(word)}  \n:small[:gray[{rows}]]" if rows else plain(word))
    codes = list(names)
    picked: str | None = right.selectbox(
        word,
        codes,
        index=codes.index(code) if code in names else None,
        format_func=names.__getitem__,
        placeholder=_("Choose a category"),
        key=job.key(f"{state.WORD}_{word}"),
        label_visibility="collapsed",
    )
    return picked


def category_names() -> dict[str, str]:
    """Return our categories by code, each under its upper one, and the kinds of outlets."""
    frame = catalogue.CATEGORIES
    said = language()
    upper = dict(zip(frame["id"], frame[said], strict=True))
    names = {
        str(code): str(name) if pd.isna(parent) else f"{upper[parent]} › {name}"
        for code, name, parent in zip(frame["code"], frame[said], frame["parent_id"], strict=True)
    }
    outlets = {f"outlet:{kind}": _(catalogue.OUTLET_NAMES[kind]) for kind in OUTLETS}
    return names | outlets
