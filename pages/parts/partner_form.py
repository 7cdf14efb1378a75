"""What is decided about two merchants: accepted with what each gains, refused, changed, ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame
from sqlalchemy.orm import Session

from data.alliances import links
from data.alliances.approaching import WHAT
from data.alliances.links import ACCEPTED, REASONS, REFUSED
from data.alliances.telling import DEEDS, LONGEST_TEXT
from data.rights import Asker, Right
from data.zones.intervals import today
from geo.errors import Conflict
from pages.parts import alliance_reads, state
from pages.parts.alliance_words import STAGE_MEANINGS, STAGE_NAMES
from pages.parts.frame import calm, reading, writing
from pages.parts.words import N_, NONE, _, complaint, day, moment, plain, shorten, spoken

CLOSED = "closed"
LONGEST_REASON = 200
HEIGHT_PX = 80
MOST_APPROACHES = 6


def may(asker: Asker, branch_id: int) -> bool:
    """Whether whoever asks may decide; the store looks again."""
    return asker.may(Right.EDIT_PLANS, branch_id)


# Not decided yet --------------------------------------------------------------------------------------------


def in_hand(asker: Asker, branch_id: int, pair: tuple[int, int]) -> None:
    """Name the colleagues who are in touch with either already: nobody is asked twice."""
    found = alliance_reads.approaches(asker, branch_id, pair)
    if found.empty:
        return
    lines = [
        f"{plain(str(row.person))} {plain(_(WHAT[row.what], name=row.name, day=day(row.day)))}"
        for row in found.head(MOST_APPROACHES).itertuples()
    ]
    said = _("Colleagues are in touch already; speak with them first:")
    st.warning("  \n".join([said, *lines]), icon=":material/group:")


def undecided(asker: Asker, branch_id: int, row: Mapping[str, Any], names: Mapping[int, str]) -> None:
    """Offer to accept a suggestion or to refuse it."""
    if not may(asker, branch_id):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if st.button(
            _("Accept"), type="primary", icon=":material/handshake:", key=f"{state.PARTNER_FORM}_accept"
        ):
            accept_dialog(asker, branch_id, row, names)
        refuse_box(asker, branch_id, row)


def accept_dialog(asker: Asker, branch_id: int, row: Mapping[str, Any], names: Mapping[int, str]) -> None:
    """Ask what is agreed, then join the two."""
    a, b = int(row["a"]), int(row["b"])
    sides = names.get(a, NONE), names.get(b, NONE)

    @st.dialog(_("Join these two"), width="large")
    def dialog() -> None:
        with calm():
            key = f"{state.PARTNER_FORM}_{a}_{b}"
            st.markdown(f"**{plain(sides[0])}** ⇄ **{plain(sides[1])}**")
            in_hand(asker, branch_id, (a, b))
            beginning = {"stage": "relation", "owner_id": asker.person_id, "starts": today()}
            told = fields(asker, branch_id, key, beginning, sides)
            if st.button(_("Accept"), type="primary", icon=":material/check:", key=f"{key}_save"):
                with writing() as session:
                    links.accept_link(session, asker, branch_id, a, b, score=known(row["score"]), **told)
                state.leave_note(_("Accepted. It is among the accepted pairs now."))
                st.rerun()

    dialog()


def known(value: float | None) -> float | None:
    """Return a score as it is kept; one that is hidden is not."""
    return None if value is None or value != value else float(value)


def refuse_box(asker: Asker, branch_id: int, row: Mapping[str, Any]) -> None:
    """Ask why not, and remember it."""
    key = f"{state.PARTNER_FORM}_refuse"
    pair, score = (int(row["a"]), int(row["b"])), known(row["score"])
    with st.popover(_("Refuse"), icon=":material/thumb_down:", key=f"{key}_box"):
        reason = reason_field(f"{key}_{pair[0]}_{pair[1]}")
        if st.button(_("Refuse, and remember why"), type="primary", key=key, disabled=not reason):
            done(
                lambda session: links.refuse_link(
                    session, asker, branch_id, *pair, reason=reason, score=score
                ),
                _("Refused. It is not suggested again unless it is opened anew."),
            )


def reason_field(key: str) -> str:
    """Ask for a reason: one of those that are usual, or one's own."""
    usual = {_(reason): _(reason) for reason in REASONS}
    picked: str | None = st.selectbox(
        _("Why not?"),
        list(usual),
        index=None,
        placeholder=_("Choose, or type another"),
        accept_new_options=True,
        key=f"{key}_reason",
    )
    return (picked or "").strip()[:LONGEST_REASON]


# Decided ----------------------------------------------------------------------------------------------------


def decided(asker: Asker, branch_id: int, row: Mapping[str, Any]) -> None:
    """Show a link as it was decided, and offer what can be done with it."""
    link_id = int(row["id"])
    opened = state.being_changed("link", link_id)
    if opened is not None and may(asker, branch_id):
        change(asker, branch_id, row, opened)
        return
    facts(row)
    if may(asker, branch_id):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            actions(asker, branch_id, row)
    past = st.expander(
        _("What happened"),
        icon=":material/history:",
        key=f"{state.PARTNER_FORM}_past_{link_id}",
        on_change="rerun",
    )
    if past.open:
        with past, calm():
            history(asker, link_id)


def facts(row: Mapping[str, Any]) -> None:
    """Show what was agreed, or why not."""
    gains = N_("{name} gains")
    told = [
        (_("Reason"), row["reason"]),
        (_(gains, name=row["a_name"]), row["benefit_a"]),
        (_(gains, name=row["b_name"]), row["benefit_b"]),
        (_("Owner"), row["owner"]),
        (_("Start"), None if row["starts"] is None else day(row["starts"])),
        (_("End"), None if row["ends"] is None else day(row["ends"])),
        (_("Remarks"), row["notes"]),
    ]
    lines = [f":gray[{plain(title)}] {plain(str(text))}" for title, text in told if text]
    by = _("Decided by {by} at {at}.", by=str(row["by"]), at=moment(row["at"]))
    st.markdown("  \n".join([*lines, f":gray[{plain(by)}]"]))
    if CLOSED in (row["a_status"], row["b_status"]):
        st.warning(_("One of the two has closed for good."), icon=":material/storefront:")


def actions(asker: Asker, branch_id: int, row: Mapping[str, Any]) -> None:
    """Offer to change a link, to end it, or to take it up anew."""
    link_id = int(row["id"])
    key = f"{state.PARTNER_FORM}_{link_id}"
    if row["state"] == ACCEPTED:
        st.button(
            _("Edit"),
            icon=":material/edit:",
            key=f"{key}_edit",
            on_click=state.open_change,
            args=({"kind": "link", "id": link_id, "revision": int(row["revision"])},),
        )
        with st.popover(_("End it"), icon=":material/link_off:", key=f"{key}_end_box"):
            why = st.text_input(_("Why does it end?"), max_chars=LONGEST_REASON, key=f"{key}_why")
            if st.button(_("End it today"), type="primary", key=f"{key}_end"):
                done(
                    lambda session: links.end_link(session, asker, link_id, int(row["revision"]), reason=why),
                    _("Ended. It stands among the ended pairs."),
                )
    elif row["state"] == REFUSED:
        if st.button(
            _("Open it anew"),
            icon=":material/undo:",
            key=f"{key}_reopen",
            help=_("The refusal is forgotten; the pair may be suggested again."),
        ):
            done(
                lambda session: links.reopen_link(session, asker, link_id, int(row["revision"])),
                _("Opened anew: the pair may be suggested again."),
            )
    elif st.button(_("Accept it anew"), type="primary", icon=":material/handshake:", key=f"{key}_accept"):
        names = {int(row["a"]): str(row["a_name"]), int(row["b"]): str(row["b_name"])}
        accept_dialog(asker, branch_id, row, names)


def done(write: Callable[[Session], object], said: str) -> None:
    """Do what was asked, say so, and show the page as it is then; what goes wrong is said in its place."""
    is_done = False
    with calm():
        with writing() as session:
            write(session)
        is_done = True
    if is_done:
        state.leave_note(said)
        state.open_change(None)
        st.rerun()


def history(asker: Asker, link_id: int) -> None:
    """Show what was done to a link, the newest first."""
    with reading() as session:
        rows = links.link_history(session, asker, link_id)
    st.markdown("  \n".join(deeds(rows)) or NONE)


def deeds(rows: DataFrame) -> list[str]:
    """Return what was done to a link or an alliance, a line each."""
    return [
        f":gray[{plain(moment(row.at))}] {plain(str(row.by))} {plain(deed(row.what, row.fields))}"
        for row in rows.itertuples()
    ]


def deed(what: str, changed: Sequence[str]) -> str:
    """Return one thing that was done: `changed owner, end`."""
    return _(DEEDS[what], fields=_(", ").join(_(each) for each in changed))


# Changed ----------------------------------------------------------------------------------------------------


def change(asker: Asker, branch_id: int, row: Mapping[str, Any], opened: Mapping[str, Any]) -> None:
    """Let a link be changed; a save that comes too late loses nothing that was typed."""
    key = f"{state.PARTNER_FORM}_{row['id']}_{opened['revision']}"
    told = fields(asker, branch_id, key, row, (str(row["a_name"]), str(row["b_name"])))
    with st.container(horizontal=True):
        wanted = st.button(_("Save"), type="primary", icon=":material/check:", key=f"{key}_save")
        st.button(_("Cancel"), key=f"{key}_cancel", on_click=state.open_change, args=(None,))
        is_late = int(row["revision"]) != int(opened["revision"])
        over = is_late and st.button(_("Save mine over it"), key=f"{key}_over")
    if wanted or over:
        revision = int(row["revision"]) if over else int(opened["revision"])
        save(asker, row, revision, told)


def save(asker: Asker, row: Mapping[str, Any], revision: int, told: Mapping[str, Any]) -> None:
    """Keep a changed link, or say what was changed by others meanwhile, beside what stands there now."""
    try:
        with writing() as session:
            links.edit_link(session, asker, int(row["id"]), revision, **told)
    except Conflict as error:
        st.warning(plain(complaint(error)), icon=":material/group:")
        facts(row)
        st.caption(_("What you typed is still above: save it over theirs, or cancel."))
        return
    state.open_change(None)
    state.leave_note(_("Saved."))
    st.rerun()


def fields(
    asker: Asker, branch_id: int, key: str, now: Mapping[str, Any], names: Sequence[str]
) -> dict[str, Any]:
    """Ask what two merchants agreed; return it by field."""
    people = alliance_reads.staff(asker, branch_id)
    told: dict[str, Any] = {}
    for side, name in zip(("benefit_a", "benefit_b"), names, strict=True):
        told[side] = st.text_area(
            _("What {name} gains", name=plain(shorten(name))),
            placeholder=_("For example: its flyer on the other's counter, and 10% off for its customers"),
            max_chars=LONGEST_TEXT,
            height=HEIGHT_PX,
            key=state.start_at(f"{key}_{side}", now.get(side) or ""),
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        told["owner_id"] = pick_owner(people, f"{key}_owner", now.get("owner_id"))
        told["stage"] = pick_stage(f"{key}_stage", str(now.get("stage") or "relation"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        told |= pick_days(key, now)
    told["notes"] = st.text_area(
        _("Remarks"),
        max_chars=LONGEST_TEXT,
        height=HEIGHT_PX,
        key=state.start_at(f"{key}_notes", now.get("notes") or ""),
    )
    return told


def pick_owner(people: Mapping[int, str], key: str, now: int | None) -> int | None:
    """Ask who looks after it."""
    picked: int | None = st.selectbox(
        _("Owner"),
        list(people),
        format_func=people.__getitem__,
        placeholder=_("Nobody yet"),
        key=state.start_at(key, now if now in people else None),
        index=None,
        width=220,
    )
    return picked


def pick_stage(key: str, now: str) -> str:
    """Ask how closely they work together."""
    picked: str = st.selectbox(
        _("Stage"),
        list(STAGE_NAMES),
        format_func=spoken(STAGE_NAMES),
        key=state.start_at(key, now),
        help="  \n".join(f"{_(STAGE_NAMES[each])}: {_(told)}" for each, told in STAGE_MEANINGS.items()),
        width=220,
    )
    return picked


def pick_days(key: str, now: Mapping[str, Any]) -> dict[str, Any]:
    """Ask from when to when."""
    return {
        name: st.date_input(title, key=state.start_at(f"{key}_{name}", now.get(name)), value=None, width=160)
        for name, title in (("starts", _("Start")), ("ends", _("End")))
    }
