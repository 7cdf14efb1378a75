"""The members of an alliance: what each offers and gains; taken in, their offers changed, and let go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from data.alliances import members
from data.alliances.held import ENDED, MOST_MEMBERS, Alliance
from data.rights import Asker
from geo.errors import Conflict
from pages.parts import alliance_joining, alliance_reads, state
from pages.parts.alliance_form import may
from pages.parts.alliance_map import Look
from pages.parts.alliance_scores import Side, verdict
from pages.parts.alliance_story import members_gain
from pages.parts.frame import calm, writing
from pages.parts.partner_card import badges
from pages.parts.partner_form import HEIGHT_PX, done
from pages.parts.words import _, complaint, day, money, ngettext, percent, plain

LONGEST_OFFER = 500
MOST_YUAN = 1e7


def show(look: Look, held: Alliance) -> None:
    """Show the members, and who could be one."""
    present = held.members[held.members["left"].isna()]
    worth = None
    if len(present):
        worth = alliance_reads.worth_of(look.asker, look.snapshot, alliance_reads.trades(), present)
    gains = {} if worth is None else {side.id: side for side in members_gain(worth, present)}
    can = may(look.asker, held) and held.status != ENDED
    left, right = st.columns([58, 42], gap="medium")
    with left:
        count = ngettext("{n} member", "{n} members", len(present))
        st.caption(f"{count} · {plain(verdict(list(gains.values())))}" if gains else count)
        for row in present.to_dict("records"):
            with st.container(border=True), calm():
                member(look, held, row, gains.get(int(row["merchant_id"])), can=can)
        gone(held)
    if can:
        with right, calm():
            if len(present) < MOST_MEMBERS:
                alliance_joining.show(look, held, worth)
            else:
                st.info(_("It has as many members as an alliance holds together."), icon=":material/info:")


def gone(held: Alliance) -> None:
    """Name who was a member and left."""
    past = held.members[held.members["left"].notna()]
    if len(past):
        told = [f"{row.name} ({day(row.left)})" for row in past.itertuples()]
        st.caption(plain(_("Left: {names}", names=_(", ").join(told))))


# One member -------------------------------------------------------------------------------------------------


def member(look: Look, held: Alliance, row: Mapping[str, Any], gain: Side | None, *, can: bool) -> None:
    """Show a member, what it offers and what it gains."""
    merchant_id = int(row["merchant_id"])
    st.markdown(f"**{plain(str(row['name']))}** {badges(look.snapshot, merchant_id)}")
    lines = [offer_line(row)]
    if gain is not None:
        told = percent(gain.gain)
        lines.append(plain(_("Gains {gain} from the others.", gain=told)) + mark(gain))
    since = _("Member since {day}.", day=day(row["joined"]))
    lines.append(f":gray[{plain(since)}]")
    st.markdown("  \n".join(lines))
    if not can:
        return
    opened = state.being_changed("member", merchant_id)
    if opened is not None:
        change(look.asker, held, row, opened)
        return
    key = f"{state.MEMBER}_{merchant_id}_{held.revision}"  # see `alliance_form.actions`
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            _("Edit the offer"),
            icon=":material/edit:",
            key=f"{key}_edit",
            on_click=state.open_change,
            args=({"kind": "member", "id": merchant_id, "revision": held.revision},),
        )
        if st.button(_("Let it go"), icon=":material/person_remove:", type="tertiary", key=f"{key}_remove"):
            leave(look.asker, held, merchant_id, str(row["name"]))


def mark(gain: Side) -> str:
    """Return the sign of who loses, or does not."""
    if gain.gain.value is None:
        return ""
    colour, told = ("red", _("loses")) if gain.loses else ("green", _("does not lose"))
    return f" :{colour}-badge[{told}]"


def offer_line(row: Mapping[str, Any]) -> str:
    """Return what a member offers, in a line."""
    saving, sponsor = float(row["saving_yuan"]), float(row["sponsor_yuan"])
    parts = [str(row["offer"]) if row["offer"] else _("No offer yet")]
    if saving == saving:
        parts.append(_("saves {yuan}", yuan=money(saving)))
    if sponsor == sponsor:
        parts.append(_("the bank pays {yuan}", yuan=money(sponsor)))
    return plain(" · ".join(parts))


def leave(asker: Asker, held: Alliance, merchant_id: int, name: str) -> None:
    """Let a member go."""

    def write(session: Session) -> None:
        state.see_alliance(
            held.id, members.remove_member(session, asker, held.id, held.revision, merchant_id)
        )

    done(write, _("{name} is no longer a member.", name=name))


def change(asker: Asker, held: Alliance, row: Mapping[str, Any], opened: Mapping[str, Any]) -> None:
    """Let a member's offer be changed; a save that comes too late loses nothing that was typed."""
    merchant_id = int(row["merchant_id"])
    key = f"{state.MEMBER}_{merchant_id}_{opened['revision']}_form"
    offer = st.text_area(
        _("What it offers customers"),
        placeholder=_("For example: 10 yuan off from 100 yuan on, Monday to Thursday"),
        max_chars=LONGEST_OFFER,
        height=HEIGHT_PX,
        key=state.start_at(f"{key}_offer", row["offer"] or ""),
    )
    with st.container(horizontal=True):
        saving = yuan(_("A customer saves (yuan)"), f"{key}_saving", row["saving_yuan"])
        sponsor = yuan(_("The bank pays towards it (yuan)"), f"{key}_sponsor", row["sponsor_yuan"])
    told = {"offer": offer, "saving_yuan": saving, "sponsor_yuan": sponsor}
    with st.container(horizontal=True):
        wanted = st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
        st.button(_("Cancel"), key=f"{key}_cancel", on_click=state.open_change, args=(None,))
        is_late = held.revision != int(opened["revision"])
        over = is_late and st.button(_("Save mine over it"), key=f"{key}_over")
    if wanted or over:
        save(asker, held, row, held.revision if over else int(opened["revision"]), told)


def yuan(title: str, key: str, now: float) -> float | None:
    """Ask for an amount, which may be unknown."""
    known = None if now != now else float(now)
    amount: float | None = st.number_input(
        title, 0.0, MOST_YUAN, None, step=1.0, key=state.start_at(key, known), width=210
    )
    return amount


def save(
    asker: Asker, held: Alliance, row: Mapping[str, Any], revision: int, told: Mapping[str, Any]
) -> None:
    """Keep a member's offer, or say what was changed by others meanwhile."""
    try:
        with writing() as session:
            now = members.edit_member(session, asker, held.id, revision, int(row["merchant_id"]), **told)
    except Conflict as error:
        st.warning(plain(complaint(error)), icon=":material/group:")
        st.caption(_("As it stands now: {what}", what=offer_line(row)))
        st.caption(_("What you typed is still above: save it over theirs, or cancel."))
        return
    state.see_alliance(held.id, now)
    state.open_change(None)
    state.leave_note(_("Saved."))
    st.rerun()
