"""Ways from page to page: the pages' addresses, and links and jumps to them."""

from __future__ import annotations

from enum import StrEnum

import streamlit as st
from streamlit.navigation.page import StreamlitPage


class Way(StrEnum):
    """A page's address; the map is what opens first."""

    MAP = "map"
    ZONES = "zones"
    COVERAGE = "coverage"
    CLUSTERS = "clusters"
    ALLIANCES = "alliances"
    TEAMS = "teams"
    IMPORT = "import"
    BRANCHES = "branches"
    AUDIT = "audit"


def _target(way: Way) -> StreamlitPage:
    """Return a page that stands for the one the shell offers under the same address."""
    return st.Page(_elsewhere, title=way.value, url_path=way.value, default=way is Way.MAP)


def _elsewhere() -> None:
    """Stand in for a page; never run."""


def link(way: Way, label: str, icon: str) -> None:
    """Show a link to a page."""
    st.page_link(_target(way), label=label, icon=icon)


def go(way: Way) -> None:
    """Leave for a page now."""
    st.switch_page(_target(way))
