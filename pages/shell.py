"""The script the server runs for every visit: who asks, in which language, of which branch, on which page."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st
from pandas import DataFrame
from streamlit.navigation.page import StreamlitPage

from data.rights import Asker, Right, Role
from data.words import LANGUAGES, Language
from pages import alliances, audit, branches, clusters, coverage, customer_map, imports, teams, zones
from pages.parts import state
from pages.parts.frame import calm
from pages.parts.identity import demo_branches, who_asks
from pages.parts.ways import Way
from pages.parts.words import ROLE_NAMES, _, language, plain, spoken

ICON = Path(__file__).parent / "parts" / "icon.svg"
LOGO = ICON.with_name("logo.svg")
LANGUAGE_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}


def main() -> None:
    """Draw the frame and run the page asked for."""
    state.heed_url()
    st.set_page_config(page_title=_("Zhendi territory map"), page_icon=ICON, layout="wide")
    st.logo(LOGO, size="large", icon_image=ICON)
    with st.sidebar:
        language_chooser()
    with calm():
        known = demo_branches()
        settle_branch(known)
        with st.sidebar:
            identity_chooser(known)
        asker = who_asks()
        page = st.navigation(offered_pages(asker), position="top")
        identity_label(asker, known)
        page.run()


def settle_branch(known: DataFrame) -> None:
    """See to it that the branch looked at is one there is: that of the URL, else the first."""
    code = state.branch_code()
    if known.empty or code in set(known["code"]):
        return
    if code is not None:
        st.warning(_("There is no branch with the code {code}; this is another one.", code=code))
    state.choose_branch(str(known.sort_values("is_demo", kind="stable")["code"].iloc[0]))


def offered_pages(asker: Asker) -> list[StreamlitPage]:
    """Return the pages; each asks the store, which refuses whom it must."""
    known = (
        (customer_map.page, _("Customer map"), "map", Way.MAP, None),
        (zones.page, _("Zones"), "dashboard", Way.ZONES, Right.READ_PLANS),
        (coverage.page, _("Coverage"), "target", Way.COVERAGE, Right.READ_PLANS),
        (clusters.page, _("Clusters"), "bubble_chart", Way.CLUSTERS, Right.READ_PLANS),
        (alliances.page, _("Alliances"), "hub", Way.ALLIANCES, Right.READ_PLANS),
        (teams.page, _("Teams"), "groups", Way.TEAMS, Right.READ_PLANS),
        (imports.page, _("Import lists"), "upload_file", Way.IMPORT, Right.IMPORT),
        (branches.page, _("Branches"), "account_balance", Way.BRANCHES, None),
        (audit.page, _("Audit trail"), "receipt_long", Way.AUDIT, Right.AUDIT),
    )
    return [
        st.Page(
            partial(page, asker),
            title=title,
            icon=f":material/{icon}:",
            url_path=way.value,
            default=way is Way.MAP,
        )
        for page, title, icon, way, right in known
        if right is None or asker.may(right)
    ]


def identity_chooser(known: DataFrame) -> None:
    """Let the demo identity be somebody else, somewhere else."""
    st.subheader(_("Demo identity"), anchor=False)
    st.caption(_("There is no sign-in on this machine: choose whose eyes to look through."))
    names = dict(zip(known["code"], known["name"], strict=True))
    code = state.branch_code()
    if names:
        picked = st.selectbox(
            _("Branch"), list(names), index=list(names).index(code), format_func=names.__getitem__
        )
        if picked != code:
            state.choose_branch(picked)
            st.rerun()
    roles = list(ROLE_NAMES)
    role = st.selectbox(_("Role"), roles, index=roles.index(state.role()), format_func=spoken(ROLE_NAMES))
    if role is not state.role():
        state.choose_role(role)
        st.rerun()


def language_chooser() -> None:
    """Let the user read in another language."""
    picked = st.segmented_control(
        "语言 / Language",
        LANGUAGES,
        default=language(),
        required=True,
        format_func=LANGUAGE_NAMES.__getitem__,
    )
    if picked != language():
        state.choose_language(picked)
        st.rerun()


def identity_label(asker: Asker, known: DataFrame) -> None:
    """Say on every page that nobody signed in."""
    here = known.loc[known["code"] == state.branch_code(), "name"]
    nobody = _("Demo identity")
    who = [_(ROLE_NAMES[asker.role or Role.HEAD]), *map(plain, here)]
    st.caption(" · ".join([f":orange-badge[{nobody}]", *who]))


main()
