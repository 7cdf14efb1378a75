"""What the rules say of a plan: each breach, with the mend that is suggested."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from data.rights import Asker
from data.words import say
from data.zones.held import Held
from geo.errors import Told
from geo.rules import Breach
from pages.parts import state
from pages.parts.frame import calm
from pages.parts.words import _, language, ngettext, plain
from pages.parts.zone_change import again, keep
from pages.parts.zone_words import RULE_NAMES

MOST_SHOWN = 40
FEW, HEIGHT_PX = 5, 340  # more than a few are scrolled: on a phone the list of zones comes after them


def show(asker: Asker, held: Held, breaches: Sequence[Breach], *, may: bool) -> None:
    """Show what the rules say."""
    if not len(held.plan):
        st.caption(_("The rules are checked once there are zones."))
        return
    if not breaches:
        st.success(_("The plan keeps every rule."), icon=":material/task_alt:")
        return
    with st.container(height=HEIGHT_PX if len(breaches) > FEW else "content", border=False):
        lines(asker, held, breaches, may=may)


def lines(asker: Asker, held: Held, breaches: Sequence[Breach], *, may: bool) -> None:
    """Show the breaches rule by rule."""
    ordered = sorted(breaches, key=lambda breach: list(RULE_NAMES).index(breach.rule))
    for rule, of_rule in groupby(ordered[:MOST_SHOWN], key=lambda breach: breach.rule):
        title = _(RULE_NAMES[rule])
        st.markdown(f"**{title}**")
        for at, breach in enumerate(of_rule):
            line(asker, held, breach, f"{rule}_{at}", may=may)
    if len(breaches) > MOST_SHOWN:
        st.caption(ngettext("One more.", "{n} more.", len(breaches) - MOST_SHOWN))


def line(asker: Asker, held: Held, breach: Breach, key: str, *, may: bool) -> None:
    """Show a breach with what would mend it, and the way to its zone."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(plain(told(breach)), width="stretch")
        if breach.zone_ids and breach.zone_ids[0] in held.plan:
            st.button(
                _("Show"),
                type="tertiary",
                icon=":material/my_location:",
                key=f"{state.ZONE_RULES}_show_{key}",
                on_click=state.choose_zone,
                args=(breach.zone_ids[0],),
            )
        if may and breach.can_mend:
            mend(asker, held, breach, key)


def mend(asker: Asker, held: Held, breach: Breach, key: str) -> None:
    """Offer what would mend a breach; it is worked out when it is asked for."""
    if not st.button(_("Mend"), icon=":material/healing:", key=f"{state.ZONE_RULES}_mend_{key}"):
        return
    with calm():
        found = breach.mend
        if found is None:
            state.keep_zone_notes([_("No way to mend this was found. Draw or paint it by hand.")])
        else:
            keep(asker, held, found, _("Mended: {what}", what=told(breach)))
        again()


def told(breach: Breach) -> str:
    """Return what is wrong, in the user's language."""
    return say(Told(breach.message, **breach.values), language())
