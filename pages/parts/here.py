"""Where a page is: the branch looked at, the base map under it, and what to say where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data import basemaps
from data.basemaps import BaseMap
from data.config import Settings
from data.rights import Asker, Right
from pages.parts import state
from pages.parts.identity import demo_branches
from pages.parts.ways import Way, link
from pages.parts.words import _, language, plain, spoken


def branch_here() -> dict[str, Any] | None:
    """Return the branch looked at."""
    known = demo_branches()
    here = known[known["code"] == state.branch_code()]
    return None if here.empty else {**here.iloc[0].to_dict(), "id": int(here["id"].iloc[0])}


def branch_of_plans(asker: Asker, title: str, nobody: str) -> dict[str, Any] | None:
    """Head a page on which plans are worked, and return its branch; None, having said why, without one."""
    branch = branch_here()
    if branch is None:
        nothing_yet(_("There is no branch yet."), Way.BRANCHES, _("Add a branch, or make the demo town"))
        return None
    if not asker.may(Right.READ_PLANS, branch["id"]):
        nothing_yet(nobody, Way.BRANCHES, _("See the branches"))
        return None
    st.markdown(f"## {title} · {plain(branch['name'])}")
    return branch


def pick_part(name: str, parts: Mapping[str, str], default: str) -> str:
    """Ask which part of a page is wanted, by the parts' titles; only that one is worked out."""
    key = state.seed(name, lambda text: one_of(text, parts), default)
    picked: str = st.segmented_control(
        _("Part of the page"),
        list(parts),
        required=True,
        default=state.value(key),
        format_func=spoken(parts),
        label_visibility="collapsed",
        key=key,
    )
    state.keep(name, None if picked == default else picked)
    return picked


def nothing_yet(text: str, way: Way, label: str) -> None:
    """Say that there is nothing to see, and where to go from here."""
    with st.container(border=True, horizontal_alignment="center"):
        st.subheader(text, anchor=False, text_alignment="center")
        link(way, label, ":material/arrow_forward:")


def pick_base(is_demo: bool) -> BaseMap:
    """Ask for the base map; the demo's own town plan comes first there, and nowhere else."""
    offered = {
        base.key: base
        for base in basemaps.offered(Settings.from_env())
        if is_demo or base.key != basemaps.DEMO
    }
    default = next((key for key, base in offered.items() if base.kind != "none"), next(iter(offered)))
    key = state.seed(state.BASEMAP, lambda text: one_of(text, offered), default)
    state.within(key, offered, default)
    if len(offered) == 1:
        return offered[default]
    picked: str = st.selectbox(
        _("Base map"),
        list(offered),
        index=list(offered).index(state.value(key)),
        format_func={name: base.name(language()) for name, base in offered.items()}.__getitem__,
        key=key,
        width=170,
    )
    state.keep(state.BASEMAP, None if picked == default else picked)
    return offered[picked]


def one_of(text: str, known: Mapping[str, object]) -> str:
    """Return a known word; a URL may say anything."""
    if text not in known:
        raise ValueError(text)
    return text
