"""Which trades go together: the pairs and why, whom each trade serves and how far, and the file of it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from data.rights import Asker, Right
from pages.parts import matrix_file, matrix_pairs, matrix_terms, state
from pages.parts.frame import calm
from pages.parts.words import N_, _, in_one_language, spoken

View = Callable[[Asker, Mapping[str, Any]], None]
VIEWS: dict[str, tuple[str, View]] = {
    "pairs": (N_("Pairs of trades"), matrix_pairs.show),
    "terms": (N_("Reach and customer groups"), matrix_terms.show),
    "file": (N_("As a file"), matrix_file.show),
}


@in_one_language
def show(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show one part of the matrix."""
    st.caption(
        _(
            "Partners are suggested by this: who helps whom, who competes, how far customers come and which "
            "customers a trade serves. It holds for the whole bank."
        )
        if asker.may(Right.EDIT_PLANS)
        else _(
            "Partners are suggested by this: who helps whom, who competes, how far customers come and which "
            "customers a trade serves. Branch heads and outreach leads change it, for the whole bank."
        )
    )
    names = {view: title for view, (title, _show) in VIEWS.items()}
    picked = st.segmented_control(
        _("Part of the matrix"),
        list(VIEWS),
        required=True,
        default="pairs",
        format_func=spoken(names),
        label_visibility="collapsed",
        key=f"{state.MATRIX}_view",
    )
    with calm():
        VIEWS[str(picked)][1](asker, branch)
