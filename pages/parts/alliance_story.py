"""An alliance told as a story: who, why, what each gains, whom it reaches, what customers save, what next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
import streamlit as st
from pandas import DataFrame

from data.alliances.held import ACTIVE, ENDED, FORMING, STATUS_NAMES, Alliance
from data.alliances.matrix import Matrix
from data.alliances.telling import STAGE_NAMES
from data.alliances.worth import Scores
from data.catalogue import top_of
from data.rights import Right
from data.snapshots import Snapshot
from data.zones.intervals import today
from pages.parts import alliance_reads, alliance_scores
from pages.parts.alliance_map import Look
from pages.parts.alliance_reads import Pair
from pages.parts.alliance_scores import Side
from pages.parts.alliance_words import STATUS_COLOURS, badge, category_name
from pages.parts.words import _, day, distance, language, money, ngettext, percent, plain

MOST_REASONS = 4
SOON_DAYS = 30


def show(look: Look, held: Alliance) -> None:
    """Tell the story."""
    present = held.members[held.members["left"].isna()].reset_index(drop=True)
    st.markdown(f"#### {plain(held.name)}")
    st.markdown(f"{badge(held.status, STATUS_NAMES, STATUS_COLOURS)} {badge(held.stage, STAGE_NAMES)}")
    worth = None
    known = alliance_reads.trades()
    if len(present):
        worth = alliance_reads.worth_of(look.asker, look.snapshot, known, present)
        alliance_scores.metrics(worth)
    tell(_("Who they are"), who(look, held, present))
    tell(_("Why"), why(known, present))
    if worth is not None:
        sides = members_gain(worth, present)
        tell(_("What each gains"), gains(sides))
        tell(_("Whom it reaches"), reaches(look, worth))
        tell(_("What customers save"), saves(present, worth))
    tell(_("What next"), [f"{number}. {line}" for number, line in enumerate(nexts(look, held, present), 1)])


def tell(title: str, lines: Sequence[str]) -> None:
    """Show a chapter."""
    if lines:
        st.markdown("  \n".join([f"**{title}**", *lines]))


def members_gain(worth: Scores, present: DataFrame) -> list[Side]:
    """Return what each member gains."""
    names = dict(zip(present["merchant_id"].astype(int), present["name"].astype(str), strict=True))
    return alliance_scores.sides(worth, names)


# The chapters -----------------------------------------------------------------------------------------------


def who(look: Look, held: Alliance, present: DataFrame) -> list[str]:
    """Name the members and what they are, the branch, and who looks after it."""
    parts = [f"{row.name} ({category_name(row.category_id)})" for row in present.itertuples()]
    lines = [plain(_(", ").join(parts)) if parts else _("It has no member yet.")]
    owner = held.owner or _("nobody yet")
    lines.append(
        plain(_("{branch} is the hub; {owner} looks after it.", branch=look.branch["name"], owner=owner))
    )
    if held.starts is not None or held.ends is not None:
        lines.append(plain(_("Campaign: {since} to {until}.", since=day(held.starts), until=day(held.ends))))
    if held.notes:
        lines.append(f":gray[{plain(held.notes)}]")
    return lines


def why(known: Matrix, present: DataFrame) -> list[str]:
    """Say why these trades go together, the strongest reasons first."""
    strong = sorted(fits(known, present), key=lambda fit: -fit[1])
    said: dict[str, None] = {}
    for (a, b), _strength in strong:
        reason = known.reason(a, b, language())
        if reason:
            pair = f"{category_name(a)} + {category_name(b)}"
            said.setdefault(f"{plain(pair)}: {plain(reason)}", None)
    return [f"- {line}" for line in list(said)[:MOST_REASONS]]


def fits(known: Matrix, present: DataFrame) -> Iterator[tuple[tuple[int, int], float]]:
    """Give the categories of each two members that help each other, and how much."""
    categories = sorted(set(present["category_id"].astype(int)))
    for a, b in combinations(categories, 2):
        strength = float(known.complement[known.rank[a], known.rank[b]])
        if strength > 0:
            yield (a, b), strength


def fitting(known: Matrix, present: DataFrame) -> list[Pair]:
    """Return the members that help each other, as pairs."""
    rows = [(int(row.merchant_id), known.rank[int(row.category_id)]) for row in present.itertuples()]
    return [
        (min(a, b), max(a, b))
        for (a, first), (b, second) in combinations(rows, 2)
        if known.complement[first, second] > 0 and not known.competes[first, second]
    ]


def fitting_of(snapshot: Snapshot, ids: Sequence[int]) -> list[Pair]:
    """Return the pairs of some merchants whose trades help each other."""
    kinds = alliance_reads.categories(snapshot, ids)
    frame = DataFrame({"merchant_id": list(kinds), "category_id": list(kinds.values())})
    return fitting(alliance_reads.trades(), frame)


def gains(sides: Sequence[Side]) -> list[str]:
    """Return what each member gains, and whether anybody loses."""
    lines = [
        f"- {plain(side.name)} {plain(percent(side.gain))}"
        + (" :red[:material/trending_down:]" if side.loses else "")
        for side in sides
    ]
    return [*lines, f"\n**{plain(alliance_scores.verdict(sides))}**"]


def reaches(look: Look, worth: Scores) -> list[str]:
    """Return whom the alliance reaches."""
    told = alliance_scores.figure(worth.convenience, worth.covered, worth.scope)
    if told.value is None:
        if not len(look.snapshot.customers):
            return [_("No customers are known here: bring in a list of customers to see whom it reaches.")]
        return [_("Not shown: it rests on too few customers.")]
    return [
        plain(
            _(
                "{share} of the circle's customers are within reach of a member; half of them have one "
                "within {distance}.",
                share=percent(told),
                distance=distance(worth.median_m),
            )
        )
    ]


def saves(present: DataFrame, worth: Scores) -> list[str]:
    """Return the needs covered, and what the offers save."""
    needs = [category_name(each) for each in worth.needs]
    named = _(", ").join(needs)
    lines = [plain(ngettext("{n} need: {names}", "{n} needs: {names}", len(needs), names=named))]
    offers = [f"{row.name}: {row.offer}" for row in present.itertuples() if row.offer]
    lines += [f"- {plain(offer)}" for offer in offers]
    if known_number(worth.saving_yuan):
        lines.append(plain(_("{yuan} saved an offer, on average.", yuan=money(worth.saving_yuan))))
    sponsored = float(np.nansum(present["sponsor_yuan"].to_numpy(float)))
    if sponsored > 0:
        lines.append(plain(_("The bank pays {yuan} towards the offers.", yuan=money(sponsored))))
    return lines


def known_number(value: float | None) -> bool:
    """Whether there is a number."""
    return value is not None and not np.isnan(value)


def tops(category_ids: Iterable[int]) -> list[int]:
    """Return the top categories of some categories: the needs they cover."""
    upper = top_of()
    return [int(upper[int(each)]) for each in category_ids]


def nexts(look: Look, held: Alliance, present: DataFrame) -> Iterator[str]:
    """Give what is to be done next, the most pressing first."""
    if held.status == ENDED:
        yield _("Nothing: it has ended. Form a new one from its members if it is wanted again.")
        return
    closed = _(", ").join(present.loc[present["status"] == "closed", "name"])
    if closed:
        yield plain(_("{names} closed for good: let it go, and look for another.", names=closed))
    if held.ends is not None and 0 <= (held.ends - today()).days <= SOON_DAYS:
        yield plain(_("The campaign ends on {day}: decide whether it goes on.", day=day(held.ends)))
    if held.owner_id is None:
        yield _("Name a colleague who looks after it.")
    without = present.loc[present["offer"].isna() | (present["offer"] == ""), "name"].tolist()
    if without:
        yield ngettext(
            "Agree on an offer with one member.", "Agree on offers with {n} members.", len(without)
        )
    unsigned = present[~present["status"].isin(["signed", "closed"])]
    if len(unsigned):
        yield ngettext(
            "Take the proposal to one member that is not signed.",
            "Take the proposals to {n} members that are not signed.",
            len(unsigned),
        )
    if held.starts is None:
        yield _("Set the days of the campaign.")
    yield from of_status(look, held, present)


def of_status(look: Look, held: Alliance, present: DataFrame) -> Iterator[str]:
    """Give what the alliance's status asks for."""
    if held.status == FORMING:
        if look.asker.may(Right.PUBLISH_PLANS, held.branch_id):
            yield _("Make it active when its members have agreed.")
        else:
            yield _("The branch head makes it active when its members have agreed.")
    elif held.status == ACTIVE and held.referrals.empty:
        yield _("Record the customers that members send to each other.")
    elif held.status == ACTIVE:
        yield _("Visit the members, and keep recording whom they send to each other.")
    if len(present) < 2 and held.status == FORMING:
        yield _("Find members under Members: an alliance needs at least two.")
