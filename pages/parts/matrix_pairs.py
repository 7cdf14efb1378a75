"""Pairs of trades: a list with what the branch's own data say, and the one chosen, to be read or changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st
from pandas import DataFrame, concat

from data.alliances import matrix_rows
from data.alliances.matrix import CODES, Pair, Row, ordered_pair
from data.alliances.matrix_rows import LONGEST_REASON, RELATION_NAMES
from data.rights import Asker, Right
from geo.errors import Conflict
from pages.parts import beside, matrix_reads, state
from pages.parts.frame import calm, writing
from pages.parts.matrix_reads import SAYS, Evidence
from pages.parts.words import N_, NONE, _, complaint, language, moment, ngettext, number, plain, share, spoken

KIND = "matrix"
ALL, OWN, OTHERWISE = "all", "own", "otherwise"
SHOWN = {
    ALL: N_("All"),
    **RELATION_NAMES,
    OWN: N_("The bank's own"),
    OTHERWISE: N_("Our data say otherwise"),
}
ROW_PX, HEAD_PX, LIST_PX = 35, 38, 460
SIDE_BY_SIDE = N_(
    "How much oftener than by chance one of the two stands among the other's eight nearest neighbours: 1 is "
    "chance. p says how likely chance alone makes as much."
)
NOTHING = {"relation": "", "strength": 0.0, "zh": "", "en": "", "own": False, "shipped": False, "revision": 0}
COLOURS = {"complement": "green", "compete": "red"}


def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show the list, and beside it the pair chosen."""
    rows, names = matrix_reads.pairs(asker), matrix_reads.trade_names()
    told = matrix_reads.evidence(asker, branch)
    picked = chosen_of(rows, told, names)
    summed(rows, picked)
    left, right = st.columns([64, 36], gap="small")
    with left:
        listed(picked, told or {}, names)
        if told is None:
            beside.wait()
    with right, calm(), st.container(border=True):
        pair = state.chosen(f"{state.MATRIX}_pair", None)
        if pair is None:
            hint(asker, names)
        else:
            card(asker, rows, pair, (told or {}).get(pair), names)


def chosen_of(rows: DataFrame, told: dict[Pair, Evidence] | None, names: dict[str, str]) -> DataFrame:
    """Ask which pairs are shown, and return them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        trade = st.selectbox(
            _("Trade"),
            [None, *CODES],
            format_func=lambda code: _("All trades") if code is None else names[code],
            key=f"{state.MATRIX}_trade",
            width=240,
        )
        which = st.segmented_control(
            _("Shown"),
            list(SHOWN),
            required=True,
            default=ALL,
            format_func=spoken(SHOWN),
            key=f"{state.MATRIX}_shown",
        )
    kept = rows if trade is None else rows[(rows["a"] == trade) | (rows["b"] == trade)]
    if which in RELATION_NAMES:
        return kept[kept["relation"] == which]
    if which == OWN:
        return kept[kept["own"]]
    if which == OTHERWISE:
        return otherwise(kept, told or {}, trade)
    return kept


def otherwise(rows: DataFrame, told: dict[Pair, Evidence], trade: str | None) -> DataFrame:
    """Return the pairs of which our own data say something else, those nothing is said of as well."""
    other = [pair for pair, each in told.items() if each.says != "agree" and trade in (None, *pair)]
    found = rows[[pair in other for pair in zip(rows["a"], rows["b"], strict=True)]]
    unsaid = set(other) - set(zip(rows["a"], rows["b"], strict=True))
    new = [dict(zip("ab", pair, strict=True)) | NOTHING for pair in other if pair in unsaid]
    return concat([found, DataFrame(new, columns=rows.columns)], ignore_index=True) if new else found


def summed(rows: DataFrame, picked: DataFrame) -> None:
    """Say how many pairs there are and are shown."""
    counts = rows["relation"].value_counts()
    parts = [
        _("{shown} of {count} pairs", shown=number(len(picked)), count=number(len(rows))),
        _("{count} complete each other", count=number(int(counts.get("complement", 0)))),
        _("{count} compete", count=number(int(counts.get("compete", 0)))),
    ]
    if own := int(rows["own"].sum()):
        parts.append(ngettext("one is the bank's own", "{n} are the bank's own", own))
    st.caption(" · ".join(parts))


def listed(rows: DataFrame, told: dict[Pair, Evidence], names: dict[str, str]) -> None:
    """Show the pairs; a row that is clicked is the one chosen."""
    if rows.empty:
        st.info(_("No pair is like this."), icon=":material/info:")
        return
    keys = [ordered_pair(a, b) for a, b in zip(rows["a"], rows["b"], strict=True)]
    found = [told.get(pair) for pair in keys]
    shown = DataFrame(
        {
            _("One category"): rows["a"].map(names),
            _("The other"): rows["b"].map(names),
            _("Relation"): [_(RELATION_NAMES[each]) if each else NONE for each in rows["relation"]],
            _("Strength"): rows["strength"],
            _("Side by side"): [None if each is None else each.quotient for each in found],
            _("p"): [None if each is None else each.p for each in found],
            _("Customers in common"): [NONE if each is None else share(each.shared) for each in found],
            _("Our data"): [NONE if each is None else _(SAYS[each.says]) for each in found],
            _("Why"): rows[language()],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=min(LIST_PX, HEAD_PX + ROW_PX * len(shown)),
        placeholder=NONE,
        column_config={
            _("Strength"): st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1),
            _("Side by side"): st.column_config.NumberColumn(format="%.2f", help=_(SIDE_BY_SIDE)),
            _("p"): st.column_config.NumberColumn(format="%.2f"),
        },
        key=f"{state.MATRIX}_list",
        on_select=partial(choose, keys),
        selection_mode="single-row",
    )


def choose(keys: list[Pair]) -> None:
    """Choose the pair whose row was clicked; a callback."""
    state.choose_listed(f"{state.MATRIX}_list", keys, look_at)


def look_at(pair: Pair | None) -> None:
    """Look at a pair; None: at none; a callback."""
    state.put(f"{state.MATRIX}_pair", pair)


# The pair chosen --------------------------------------------------------------------------------------------


def hint(asker: Asker, names: dict[str, str]) -> None:
    """Say that a pair is to be chosen, and let a new one be begun."""
    st.markdown(_("Choose a pair in the list to see why, and what our own data say."))
    if not asker.may(Right.EDIT_PLANS):
        return
    with st.popover(_("Another pair"), icon=":material/add:", key=f"{state.MATRIX}_add"):
        a, b = (
            st.selectbox(_(title), CODES, format_func=names.__getitem__, key=f"{state.MATRIX}_add_{name}")
            for name, title in (("a", N_("One category")), ("b", N_("The other")))
        )
        st.button(
            _("Look at it"),
            type="primary",
            on_click=look_at,
            args=(ordered_pair(a, b),),
            key=f"{state.MATRIX}_add_go",
        )


def card(asker: Asker, rows: DataFrame, pair: Pair, told: Evidence | None, names: dict[str, str]) -> None:
    """Show a pair, and let it be changed by whoever may."""
    found = rows[(rows["a"] == pair[0]) & (rows["b"] == pair[1])]
    own = found.iloc[0] if len(found) else None
    st.markdown(f"#### {plain(names[pair[0]])} × {plain(names[pair[1]])}")
    opened = state.being_changed(KIND, number_of(pair))
    if opened is not None and asker.may(Right.EDIT_PLANS):
        edit(asker, pair, own, int(opened["revision"]))
        return
    if own is None:
        st.markdown(_("Nothing is said of these two."))
    else:
        said(own)
    if told is not None:
        evidence(told)
    if asker.may(Right.EDIT_PLANS):
        tools(asker, pair, own, told)


def number_of(pair: Pair) -> int:
    """Return a number that stands for a pair."""
    return CODES.index(pair[0]) * len(CODES) + CODES.index(pair[1])


def said(own: Any) -> None:
    """Say what holds of a pair, and who says so."""
    st.markdown(
        f":{COLOURS[own['relation']]}-badge[{_(RELATION_NAMES[own['relation']])}] **{own['strength']:.2f}**"
    )
    st.markdown(plain(own[language()]))
    if own["own"]:
        st.caption(
            _("The bank's own, changed by {who} on {when}.", who=own["by"] or "", when=moment(own["at"]))
        )
    else:
        st.caption(_("As shipped."))


def evidence(told: Evidence) -> None:
    """Say what the branch's own data have to say of a pair."""
    lines = [_("{share} of their customers in common", share=share(told.shared))]
    if not math.isnan(told.quotient):
        times, p = f"{told.quotient:.2f}", f"{told.p:.2f}"
        lines.insert(0, _("side by side {times} times as often as by chance (p {p})", times=times, p=p))
    title = _("What our own data say")
    st.markdown(f"**{title}**")
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def tools(asker: Asker, pair: Pair, own: Any, told: Evidence | None) -> None:
    """Offer to change a pair, to follow the branch's data, to go back to what is shipped, to let go of it."""
    revision = 0 if own is None else int(own["revision"])
    with st.container(horizontal=True):
        st.button(
            _("Edit") if own is not None else _("Say something of it"),
            icon=":material/edit:",
            key=f"{state.MATRIX}_edit",
            on_click=state.open_change,
            args=({"kind": KIND, "id": number_of(pair), "revision": revision},),
        )
        if own is not None and told is not None and told.says != "agree" and own["relation"] == "complement":
            moved = matrix_rows.adopted(row_of(own), told.says)
            if st.button(
                _(
                    "Adopt: {before} → {after}",
                    before=f"{own['strength']:.2f}",
                    after=f"{moved.strength:.2f}",
                ),
                icon=":material/query_stats:",
                key=f"{state.MATRIX}_adopt",
                help=_("What our own data say becomes the bank's own strength."),
            ):
                keep(asker, moved, revision)
        if own is not None and own["own"]:
            label = _("Back to the one shipped") if own["shipped"] else _("Remove this pair")
            if st.button(label, icon=":material/undo:", key=f"{state.MATRIX}_reset"):
                reset(asker, pair, revision)
    st.button(_("Close"), key=f"{state.MATRIX}_close", on_click=look_at, args=(None,))


def reset(asker: Asker, pair: Pair, revision: int) -> None:
    """Go back to what is shipped of a pair."""
    is_done = False
    with calm():
        with writing() as session:
            matrix_rows.reset_row(session, asker, *pair, revision)
        is_done = True
    if is_done:
        state.leave_note(_("The pair is as shipped again."))
        st.rerun()


def row_of(own: Any) -> Row:
    """Return a row of the list as the matrix has it."""
    return Row(*(own[name] for name in Row._fields))


def edit(asker: Asker, pair: Pair, own: Any, revision: int) -> None:
    """Let a pair be changed: relation, strength, and why."""
    row = Row(*pair, "complement", 0.5, "", "") if own is None else row_of(own)
    key = f"{state.MATRIX}_{number_of(pair)}_{revision}"
    relation = st.segmented_control(
        _("Relation"),
        list(RELATION_NAMES),
        required=True,
        default=row.relation,
        format_func=spoken(RELATION_NAMES),
        key=f"{key}_relation",
    )
    strength = st.slider(_("Strength"), 0.0, 1.0, row.strength, step=0.05, key=f"{key}_strength")
    st.caption(_("A complement of strength 0 says that the two are nothing to each other."))
    zh, en = (
        st.text_area(_(title), text, max_chars=LONGEST_REASON, height=80, key=f"{key}_{name}")
        for name, title, text in (
            ("zh", N_("Why, in Chinese"), row.zh),
            ("en", N_("Why, in English"), row.en),
        )
    )
    st.caption(_("A reason in one language stands for both."))
    late = own is not None and int(own["revision"]) != revision
    with st.container(horizontal=True):
        wanted = st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
        st.button(_("Cancel"), key=f"{key}_cancel", on_click=state.open_change, args=(None,))
        over = late and st.button(_("Save mine over it"), key=f"{key}_over")
    if wanted or over:
        made = Row(*pair, str(relation), strength, zh, en)
        keep(asker, made, int(own["revision"]) if over else revision)


def keep(asker: Asker, row: Row, revision: int) -> None:
    """Keep a pair; a save that comes too late loses nothing that was typed."""
    is_done = False
    with calm():
        try:
            with writing() as session:
                matrix_rows.save_row(session, asker, row, revision)
            is_done = True
        except Conflict as error:
            st.warning(complaint(error), icon=":material/group:")
    if is_done:
        state.open_change(None)
        state.leave_note(_("The pair is saved as the bank's own."))
        st.rerun()
