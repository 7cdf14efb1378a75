"""Where a page is: the branch looked at, the base map under it, and what to say where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from data import basemaps
from data.basemaps import BaseMap
from data.config import Settings
from pages.parts import state
from pages.parts.identity import demo_branches
from pages.parts.ways import Way, link
from pages.parts.words import _, language


def branch_here() -> dict[str, Any] | None:
    """Return the branch looked at."""
    known = demo_branches()
    here = known[known["code"] == state.branch_code()]
    return None if here.empty else {**here.iloc[0].to_dict(), "id": int(here["id"].iloc[0])}


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
