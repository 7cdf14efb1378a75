"""People and posts: who works indoors, who outdoors, and how often each goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pandas import DataFrame

from data import store
from data.rights import Asker, Right
from data.zones.teams import MOST_OUTINGS, POST_NAMES, POSTS
from data.zones.work import OUTINGS
from pages.parts import state
from pages.parts.frame import calm, reading, writing
from pages.parts.words import NONE, ROLE_NAMES, _, ngettext, number

ROW_PX = 35
MOST_PX = 640


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the branch's people, and let a lead say who works where."""
    branch_id = int(branch["id"])
    with reading() as session:
        people = store.staff(session, asker, branch_id)
    if people.empty:
        st.info(
            _(
                "Nobody is known at this branch yet. People come with lists that name a customer manager, "
                "or from the administrator."
            ),
            icon=":material/group_off:",
        )
        return
    st.caption(
        _(
            "A pair is one indoor and one outdoor colleague. {usual} outings a month with ten visits of half "
            "an hour each are {hours} hours a quarter.",
            usual=OUTINGS,
            hours=number(float(OUTINGS * 3 * 10 * 0.5)),
        )
    )
    counts(people)
    if not asker.may(Right.EDIT_PLANS, branch_id):
        st.dataframe(table(people), hide_index=True, placeholder=NONE, height=height(people))
        return
    edit(asker, branch_id, people)


def counts(people: DataFrame) -> None:
    """Say how many work where."""
    told = [f"{_(POST_NAMES[post])} {number(float((people['post'] == post).sum()))}" for post in POSTS]
    missing = int(people["post"].isna().sum())
    if missing:
        told.append(ngettext("{n} person without a post", "{n} people without a post", missing))
    st.markdown(" · ".join(told))


def table(people: DataFrame) -> DataFrame:
    """Return people as a table in the user's language."""
    roles = {role.value: _(name) for role, name in ROLE_NAMES.items()}
    posts = {post: _(name) for post, name in POST_NAMES.items()}
    return DataFrame(
        {
            _("Colleague"): people["name"].astype(str),
            _("Role"): [roles.get(role, _("Customer manager")) for role in people["role"]],
            _("Post"): [posts.get(post) for post in people["post"]],
            _("Outings a month"): pd.array(people["outings"].tolist(), dtype="Int64"),
            _("Zones"): people["zones"].astype(int),
            _("Hours a quarter"): people["capacity_h"].astype(float),
        }
    ).reset_index(drop=True)


def height(people: DataFrame) -> int:
    """Return how high a table of people is."""
    return min((len(people) + 1) * ROW_PX + 3, MOST_PX)


def edit(asker: Asker, branch_id: int, people: DataFrame) -> None:
    """Let posts and outings be changed in the table; a column can be pasted from a spreadsheet."""
    shown = table(people)
    post, outings = _("Post"), _("Outings a month")
    names = {post_: _(name) for post_, name in POST_NAMES.items()}
    # Another state of the people is another table: what was typed for the old one is done with.
    key = f"{state.TEAM_POSTS}_{hash(tuple(shown[post].fillna('')) + tuple(people['outings'].fillna(-1)))}"
    edited = st.data_editor(
        shown,
        hide_index=True,
        placeholder=NONE,
        height=height(people),
        disabled=[name for name in shown.columns if name not in (post, outings)],
        column_config={
            post: st.column_config.SelectboxColumn(options=list(names.values())),
            outings: st.column_config.NumberColumn(
                min_value=0,
                max_value=MOST_OUTINGS,
                step=1,
                help=_("Empty: {usual}, the usual number.", usual=OUTINGS),
            ),
        },
        key=key,
    )
    wanted = changed(people, edited[post].tolist(), edited[outings].tolist())
    label = ngettext("Save {n} change", "Save {n} changes", len(wanted)) if wanted else _("Nothing changed")
    if st.button(
        label, type="primary", icon=":material/check:", disabled=not wanted, key=f"{state.TEAM_POSTS}_save"
    ):
        save(asker, branch_id, wanted)


def changed(
    people: DataFrame, posts: list[Any], outings: list[Any]
) -> dict[int, tuple[str | None, int | None]]:
    """Return what was changed in the table, by person."""
    code_of = {_(name): post for post, name in POST_NAMES.items()}
    found = {}
    for row, post, often in zip(people.to_dict("records"), posts, outings, strict=True):
        told = (
            None if post is None or pd.isna(post) else code_of[str(post)],
            None if often is None or pd.isna(often) else int(often),
        )
        was = (row["post"], None if pd.isna(row["outings"]) else int(row["outings"]))
        if told != was:
            found[int(row["id"])] = told
    return found


def save(asker: Asker, branch_id: int, wanted: Mapping[int, tuple[str | None, int | None]]) -> None:
    """Keep the changes."""
    done = 0
    with calm(), writing() as session:
        done = store.set_posts(session, asker, branch_id, wanted)
    if done:
        state.leave_note(ngettext("Saved: {n} person.", "Saved: {n} people.", done))
        st.rerun()
