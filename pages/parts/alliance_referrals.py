"""Whom members sent to each other: recorded by count, never by name, and told as a table."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from pandas import DataFrame

from data.alliances import members
from data.alliances.held import FORMING, Alliance
from data.alliances.members import MOST_REFERRED
from data.rights import Asker
from data.zones.intervals import today
from pages.parts import state
from pages.parts.alliance_form import may
from pages.parts.alliance_members import yuan
from pages.parts.partner_form import done
from pages.parts.words import NONE, _, day, money, ngettext, number, plain

BRANCH = 0  # in place of a member: the hub
SHOWN = 200


def show(asker: Asker, held: Alliance) -> None:
    """Show the referrals, and let one be recorded."""
    if held.status == FORMING:
        st.info(_("Referrals are recorded once the alliance is active."), icon=":material/info:")
        return
    if may(asker, held):
        with st.expander(_("Record a referral"), icon=":material/add:", expanded=held.referrals.empty):
            record(asker, held)
    if held.referrals.empty:
        st.caption(_("None is on record yet."))
        return
    summed(held.referrals)
    table(asker, held)


def summed(rows: DataFrame) -> None:
    """Say how many customers were sent over, and what they bought for."""
    count = ngettext("one customer sent over", "{n} customers sent over", int(rows["count"].sum()))
    worth = rows["value_yuan"].sum(min_count=1)
    told = "" if worth != worth else " · " + _("who bought for {yuan}", yuan=money(float(worth)))
    st.markdown(plain(count + told))


def table(asker: Asker, held: Alliance) -> None:
    """Show the referrals, and let one that was a mistake be taken back."""
    rows = held.referrals.head(SHOWN)
    branch = _("The branch")
    shown = DataFrame(
        {
            _("Day"): [day(each) for each in rows["day"]],
            _("From"): [name or branch for name in rows["from_name"]],
            _("To"): [name or branch for name in rows["to_name"]],
            _("Customers"): [number(float(each)) for each in rows["count"]],
            _("Bought for"): [money(each) for each in rows["value_yuan"]],
            _("Recorded by"): rows["by"].to_numpy(),
        }
    )
    told = st.dataframe(
        shown,
        hide_index=True,
        placeholder=NONE,
        key=f"{state.ALLIANCE_FORM}_referrals_{held.id}_{len(rows)}",
        **({"on_select": "rerun", "selection_mode": "single-row"} if may(asker, held) else {}),
    )
    picked = told["selection"]["rows"] if may(asker, held) else []
    if picked and st.button(
        _("Take it back"), icon=":material/undo:", key=f"{state.ALLIANCE_FORM}_referral_drop"
    ):
        referral_id = int(rows["id"].iloc[picked[0]])
        done(
            lambda session: members.drop_referral(session, asker, referral_id), _("The record is taken back.")
        )


def record(asker: Asker, held: Alliance) -> None:
    """Ask who sent how many customers to whom."""
    names: Mapping[int, str] = {BRANCH: _("The branch")} | {
        int(row.merchant_id): str(row.name) for row in held.members.itertuples()
    }
    key = f"{state.ALLIANCE_FORM}_referral_{held.id}_{len(held.referrals)}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sender, receiver = (
            st.selectbox(
                title,
                list(names),
                index=None,
                format_func=names.__getitem__,
                placeholder=_("Choose"),
                key=f"{key}_{end}",
                width=220,
            )
            for end, title in (("from", _("From")), ("to", _("To")))
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input(_("Customers"), 1, MOST_REFERRED, 1, step=1, key=f"{key}_count", width=140)
        worth = yuan(_("Bought for (yuan, if known)"), f"{key}_worth", float("nan"))
        day_key = state.start_at(f"{key}_day", today())
        when = st.date_input(_("Day"), max_value=today(), key=day_key, width=160)
    if st.button(
        _("Record"),
        type="primary",
        icon=":material/check:",
        key=f"{key}_save",
        disabled=sender is None or receiver is None or sender == receiver,
    ):
        done(
            lambda session: members.record_referral(
                session,
                asker,
                held.id,
                from_id=sender or None,
                to_id=receiver or None,
                count=int(count),
                value_yuan=worth,
                day=when,
            ),
            _("Recorded."),
        )
