"""Who could join an alliance: partners of its members, best first, with what would follow; or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame
from sqlalchemy.orm import Session

from data.alliances import members
from data.alliances.held import Alliance
from data.alliances.links import REFUSED
from data.alliances.matrix import Matrix
from data.alliances.worth import Scores
from data.rights import Asker
from data.snapshots import Snapshot
from pages.parts import alliance_reads, beside, partner_scope, state
from pages.parts.alliance_map import Look
from pages.parts.partner_card import badges, score
from pages.parts.partner_form import done
from pages.parts.words import NONE, _, ngettext, plain, share, shorten

SHOWN = 6


class Joiner(NamedTuple):
    """A merchant that could join: how many members it fits, and the best of those scores."""

    id: int
    fits: int
    score: float


def show(look: Look, held: Alliance, worth: Scores | None) -> None:
    """Show who could join, and what would become of the scores."""
    title = _("Take in a member")
    st.markdown(f"**{title}**")
    present = held.members.loc[held.members["left"].isna(), "merchant_id"].astype(int).tolist()
    by_name(look.asker, look.snapshot, held, present)
    known = alliance_reads.trades()
    if not present:
        st.caption(_("With a first member, its partners are suggested here."))
        return
    refused = alliance_reads.pairs_of(alliance_reads.decisions(look.asker, held.branch_id), [REFUSED])
    with st.spinner(_("Working out who fits whom …")):
        rows = alliance_reads.partners_of(look.asker, look.snapshot, known, present, refused)
    if rows is None:
        beside.wait()
        return
    taken = set(alliance_reads.of_members(look.asker, look.snapshot))
    found = [each for each in joiners(rows, present, taken) if fits_all(look, known, each.id, present)][
        :SHOWN
    ]
    if not found:
        st.caption(_("No merchant nearby fits these members by the rule; you may take one in by name."))
        return
    names = alliance_reads.names(look.asker, look.snapshot, [each.id for each in found])
    for joiner in found:
        with st.container(border=True):
            offer(look, held, joiner, names, [*present, joiner.id], worth)


def joiners(rows: DataFrame, present: Sequence[int], taken: set[int]) -> list[Joiner]:
    """Return the partners of some merchants that are in no alliance, who fits most of them first."""
    inside = set(present)
    found: dict[int, Joiner] = {}
    if rows.empty:
        return []
    for a, b, value in zip(rows["a"], rows["b"], rows["score"], strict=True):
        for here, there in ((int(a), int(b)), (int(b), int(a))):
            if here in inside and there not in inside and there not in taken:
                before = found.get(there, Joiner(there, 0, 0.0))
                known = float(value) if value == value else 0.0
                found[there] = Joiner(there, before.fits + 1, max(before.score, known))
    return sorted(found.values(), key=lambda each: (-each.fits, -each.score, each.id))


def fits_all(look: Look, known: Matrix, merchant_id: int, present: Sequence[int]) -> bool:
    """Whether a merchant competes with none of some others."""
    kinds = alliance_reads.categories(look.snapshot, [merchant_id, *present])
    ranks = [known.rank[kind] for each, kind in kinds.items() if each != merchant_id]
    own = kinds.get(merchant_id)
    return own is not None and not any(known.competes[known.rank[own], rank] for rank in ranks)


def offer(
    look: Look,
    held: Alliance,
    joiner: Joiner,
    names: Mapping[int, str],
    ids: Sequence[int],
    before: Scores | None,
) -> None:
    """Offer a merchant, with the scores as they would be."""
    name = names.get(joiner.id, NONE)
    st.markdown(f"**{plain(name)}** {badges(look.snapshot, joiner.id)}")
    fits = ngettext("fits one member", "fits {n} members", joiner.fits)
    after = alliance_reads.worth_if(look.asker, look.snapshot, alliance_reads.trades(), ids)
    st.markdown(f":gray[{plain(fits)} · {plain(score(joiner.score))}]  \n{plain(follows(before, after))}")
    add_button(look.asker, held, joiner.id, name, "fits")


def follows(before: Scores | None, after: Scores) -> str:
    """Return what would become of the scores: `reach 12% → 15%, least gain 20% → 14%`."""
    return _(
        "Convenience {reach} → {then}, least gain {gain} → {later}",
        reach=NONE if before is None else share(before.convenience),
        then=share(after.convenience),
        gain=NONE if before is None else share(before.profit),
        later=share(after.profit),
    )


def add_button(asker: Asker, held: Alliance, merchant_id: int, name: str, how: str) -> None:
    """Offer to take a merchant in."""
    key = f"{state.MEMBER}_{how}_{merchant_id}_{held.revision}"  # see `alliance_form.actions`
    if not st.button(_("Take it in"), icon=":material/person_add:", key=key):
        return

    def write(session: Session) -> None:
        state.see_alliance(held.id, members.add_member(session, asker, held.id, held.revision, merchant_id))

    done(write, _("{name} is a member now.", name=name))


def by_name(asker: Asker, snapshot: Snapshot, held: Alliance, present: Sequence[int]) -> None:
    """Find a merchant by its name."""
    text = st.text_input(
        _("Search by name"),
        placeholder=_("Name or pinyin initials"),
        icon=":material/search:",
        key=f"{state.MEMBER}_search",
        label_visibility="collapsed",
    )
    if not text.strip():
        return
    hits = {
        each: name
        for each, name in partner_scope.found(asker, snapshot.branch_id, text).items()
        if each not in present
    }
    if not hits:
        st.caption(_("Nothing here has a name like that."))
    for merchant_id, name in hits.items():
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"{plain(shorten(name))} {badges(snapshot, merchant_id)}", width="stretch")
            add_button(asker, held, merchant_id, name, "found")
