"""What the map and the figures are about: layers, filters, and the search for a name. All act at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame

from data import catalogue, store
from data.figures import Filters
from data.rights import Asker
from pages.parts import state
from pages.parts.frame import reading
from pages.parts.words import N_, _, language, ngettext, plain, shorten, spoken

LAYER_NAMES = {
    "merchants": N_("Merchants"),
    "customers": N_("Customers"),
    "outlets": N_("Outlets"),
    "places": N_("Places"),
}
FOUND = 20
NEAR_ZOOM = 17.0


def pick_layers(more: Mapping[str, str]) -> tuple[str, ...]:
    """
    Ask which layers to draw and return them.

    Parameters
    ----------
    more
        Marked names, by code, of what can be drawn besides the layers of points, which all are by default.
    """
    names = LAYER_NAMES | dict(more)
    key = state.seed(state.LAYERS, lambda text: codes_in(text, names), list(catalogue.LAYERS))
    picked = st.pills(
        _("Layers"),
        list(names),
        default=state.value(key),
        selection_mode="multi",
        format_func=spoken(names),
        key=key,
    )
    state.keep(state.LAYERS, None if set(picked) == set(catalogue.LAYERS) else ".".join(picked))
    return tuple(picked)


def pick_filters() -> Filters:
    """Ask for categories, statuses, customer groups and tiers; an empty choice is all of them."""
    written = language()
    with st.popover(label(), icon=":material/filter_alt:", key=state.FILTER_BOX):
        filters = Filters(
            categories=tuple(int(code) for code in choice("cat", _("Category"), category_names(written))),
            statuses=choice("status", _("Merchant status"), status_names()),
            groups=tuple(int(code) for code in choice("group", _("Customer group"), group_names(written))),
            tiers=choice("tier", _("Customer tier"), tier_names(written)),
        )
        if filters != Filters():
            st.button(_("Clear all filters"), icon=":material/filter_alt_off:", on_click=clear)
    return filters


def label() -> str:
    """Return the filters' name, with how many are set."""
    count = sum(bool(st.session_state.get(name)) for name in state.FILTERS)
    return ngettext("{n} filter set", "{n} filters set", count) if count else _("Filters")


def choice(name: str, title: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Ask for any of some codes and keep them in the URL."""
    key = state.seed(name, lambda text: codes_in(text, names), [])
    picked: list[str] = st.multiselect(
        title,
        list(names),
        default=state.value(key),
        format_func=names.__getitem__,
        placeholder=_("All"),
        key=key,
    )
    state.keep(name, ".".join(picked) or None)
    return tuple(picked)


def codes_in(text: str, known: Mapping[str, str] | Sequence[str]) -> list[str]:
    """Return the known codes of a parameter; a URL may say anything."""
    return [code for code in dict.fromkeys(text.split(".")) if code in known]


def clear() -> None:
    """Take every filter off; a callback."""
    for name in state.FILTERS:
        state.keep(name, None)
        st.session_state[name] = []


def category_names(spoken: str) -> dict[str, str]:
    """Return categories by id: the upper level's names, and each lower one's behind its upper's."""
    frame = catalogue.CATEGORIES
    names = dict(zip(frame["id"], frame[spoken], strict=True))
    above = frame["parent_id"].fillna(frame["id"]).astype("int64")
    return {
        str(key): names[key] if key == parent else f"{names[parent]} · {names[key]}"
        for key, parent in zip(frame["id"], above, strict=True)
    }


def group_names(spoken: str) -> dict[str, str]:
    """Return customer groups by id."""
    return {
        str(key): name for key, name in zip(catalogue.GROUPS["id"], catalogue.GROUPS[spoken], strict=True)
    }


def status_names() -> dict[str, str]:
    """Return merchants' statuses by code."""
    return {code: _(name) for code, name in catalogue.STATUS_NAMES.items()}


def tier_names(spoken: str) -> dict[str, str]:
    """Return customer tiers by code."""
    return {tier.code: tier.zh if spoken == "zh" else tier.en for tier in catalogue.TIERS}


def search_box(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Search merchants, outlets and places by name or pinyin initials; a hit flies the map there."""
    text = st.text_input(
        _("Search by name"),
        placeholder=_("Name or pinyin initials"),
        icon=":material/search:",
        key=state.SEARCH,
        label_visibility="collapsed",
        width=180,
        on_change=state.open_hits,
    )
    if not text.strip():
        return
    with reading() as session:
        found = store.search(session, asker, int(branch["id"]), text, FOUND)
    # They lie over the page, or the box would jump each time.
    with st.popover(ngettext("{n} hit", "{n} hits", len(found)), key=state.HITS, on_change="rerun"):
        if found.empty:
            st.caption(_("Nothing here has a name like that."))
        else:
            hits(found)


def hits(found: DataFrame) -> None:
    """List what was found."""
    with st.container(height=260 if len(found) > 6 else "content", gap=None, border=False):
        for row in found.itertuples():
            st.button(
                f"{plain(shorten(row.name))} · {_(LAYER_NAMES[row.layer])}",
                key=f"{state.SEARCH}_{row.layer}_{row.id}",
                type="tertiary",
                icon=":material/location_on:",
                on_click=go_to,
                args=(state.Selected(row.layer, int(row.id), float(row.lon), float(row.lat)),),
            )


def go_to(selected: state.Selected) -> None:
    """Open what was found and fly the map there; a callback."""
    state.open_hits(False)
    state.select(selected)
    state.fly_to(state.View(selected.lon, selected.lat, NEAR_ZOOM))
