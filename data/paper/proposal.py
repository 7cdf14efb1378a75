"""
A proposal for one merchant, on one sheet that is left on the counter: the partners, why, and what each gains.

It leaves the bank, so it says of customers no more than shares, rounded, and none that rest on few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import catalogue, rows, tables
from data.alliances.claiming import stands
from data.alliances.held import ACTIVE, Alliance, alliance
from data.alliances.links import ACCEPTED, REFUSED, decided_pairs, links
from data.alliances.matrix import GROUP_CODES, Matrix
from data.alliances.suggesting import suggestions
from data.alliances.worth import market_of, scores_at
from data.basemaps import BaseMap
from data.figures import FEWEST
from data.paper import fonts, proposal_sheet, streets
from data.paper.proposal_sheet import Partner, Told
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.trail import audit
from data.words import Language, say
from data.written import day, distance
from geo.catchment import distances_m
from geo.errors import N_, DataError, NotFound
from geo.served import Shared, shared

MOST_PARTNERS = 8  # told in full; of more the sheet says how many
_LONGEST_NAME = 18  # before an offer
_STEP = 0.05  # shares are told to so much
NOTHING = N_(
    "There is nothing to propose to this merchant yet: no partner near it gains as well, and none was named."
)


def proposal(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    matrix: Matrix,
    merchant_id: int,
    *,
    branch: str,
    partner_ids: Sequence[int] | None = None,
    offer: str = "",
    next_step: str = "",
    base: BaseMap | None = None,
    language: Language,
    today: date,
) -> bytes:
    """
    Return the sheet as a PDF, and write into the audit trail that it was taken.

    Parameters
    ----------
    session, asker, snapshot, matrix
        Who may read the plans of which branch, and which trades go together.
    merchant_id
        For whom.
    branch
        Its name.
    partner_ids
        With whom; by default the other members of the merchant's alliance, then whom it is linked with, and
        where there is neither the best partner suggested of each trade.
    offer, next_step
        In place of what the alliance's members offer, and of what comes next by default.
    base
        The base map whose streets are drawn; None for plain ground.
    language, today
        Of the sheet.

    Raises
    ------
    DataError
        When there is nobody to propose.
    """
    branch_id = snapshot.branch_id
    asker.require(Right.READ_PLANS, branch_id)
    here = _row(snapshot, merchant_id)
    own = _alliance_of(session, asker, branch_id, merchant_id)
    if partner_ids is None:
        partner_ids = _partners(session, asker, branch_id, merchant_id, own)
    if not len(partner_ids):
        partner_ids = _suggested(session, asker, snapshot, matrix, merchant_id)
    ids = list(partner_ids)
    ids = [each for each in dict.fromkeys(ids) if each != merchant_id and _is_open(snapshot, each)]
    if not ids:
        raise DataError(NOTHING)
    shown = ids[:MOST_PARTNERS]
    names = rows.merchant_rows(session, asker, branch_id, [merchant_id, *shown]).set_index("id")
    merchants = snapshot.merchants
    at = [_row(snapshot, each) for each in shown]
    told = Told(
        merchant=str(names.loc[merchant_id, "name"]),
        branch=branch,
        day=day(today, language),
        partners=_told(
            snapshot, matrix, here, at, [str(names.loc[each, "name"]) for each in shown], language
        ),
        more=len(ids) - len(shown),
        together=_together(snapshot, matrix, here, [_row(snapshot, each) for each in ids], language),
        offers=[offer] if offer.strip() else _offers(own, [merchant_id, *ids]),
        next_step=next_step.strip() or _next_step(own, language),
        lon=float(merchants.lon[here]),
        lat=float(merchants.lat[here]),
        hub=(snapshot.lon, snapshot.lat),
        streets=lambda seen, wide: streets.of(base, seen, wide),
    )
    audit(session, asker, "proposal", branch_id, f"merchant {merchant_id}", partners=len(ids), form="pdf")
    with fonts.ONE_AT_A_TIME:
        return proposal_sheet.drawn(told, language)


# With whom --------------------------------------------------------------------------------------------------


def _row(snapshot: Snapshot, merchant_id: int) -> int:
    row = snapshot.merchants.row_of(merchant_id)
    if row is None:
        raise NotFound(N_("This row is no longer there."))
    return row


def _is_open(snapshot: Snapshot, merchant_id: int) -> bool:
    row, merchants = _row(snapshot, merchant_id), snapshot.merchants
    return bool(merchants.status[row] != catalogue.STATUSES.index("closed") and not merchants.aside[row])


def _alliance_of(session: Session, asker: Asker, branch_id: int, merchant_id: int) -> Alliance | None:
    """Return the alliance a merchant is in now."""
    members, held = tables.alliance_members, tables.alliances
    query = (
        select(held.c.id)
        .join(members, members.c.alliance_id == held.c.id)
        .where(held.c.branch_id == branch_id, stands(), members.c.left.is_(None))
        .where(members.c.merchant_id == merchant_id)
    )
    found = session.scalars(query.order_by(held.c.id.desc())).first()
    return None if found is None else alliance(session, asker, found)


def _partners(
    session: Session, asker: Asker, branch_id: int, merchant_id: int, own: Alliance | None
) -> list[int]:
    """Return whom a merchant is in an alliance with, then whom it is linked with, the best link first."""
    found: list[int] = []
    if own is not None:
        members = own.members
        found += members.loc[members["left"].isna(), "merchant_id"].tolist()
    accepted = links(session, asker, branch_id, merchant_id=merchant_id, state=ACCEPTED)
    accepted = accepted.sort_values("score", ascending=False, kind="stable")
    found += accepted["a"].where(accepted["a"] != merchant_id, accepted["b"]).tolist()
    return [int(each) for each in found]


def _suggested(
    session: Session, asker: Asker, snapshot: Snapshot, matrix: Matrix, merchant_id: int
) -> list[int]:
    """Return the best partners suggested that nobody refused: of each trade one, as others would compete."""
    refused = decided_pairs(session, asker, snapshot.branch_id, REFUSED)
    best = suggestions(snapshot, asker, matrix, merchant_id=merchant_id, refused=refused)
    is_a = best["a"] == merchant_id
    other, trade = best["b"].where(is_a, best["a"]), best["category_b"].where(is_a, best["category_a"])
    return [int(each) for each in other[~trade.duplicated()].head(MOST_PARTNERS)]


# What each gains --------------------------------------------------------------------------------------------


def _told(
    snapshot: Snapshot, matrix: Matrix, here: int, at: Sequence[int], names: Sequence[str], language: Language
) -> list[Partner]:
    merchants = snapshot.merchants
    category = catalogue.CATEGORIES.set_index("id")[language]
    point = (float(merchants.lon[here]), float(merchants.lat[here]))
    metres = distances_m(*point, merchants.lon[list(at)], merchants.lat[list(at)])
    gains = _gains(snapshot, matrix, here, at)
    own_trade = int(merchants.category[here])
    told = []
    for number, (row, name, away) in enumerate(zip(at, names, metres, strict=True)):
        trade = int(merchants.category[row])
        why = matrix.reason(own_trade, trade, language)
        you = (gains.gain_a[number], gains.served[0], int(gains.group_a[number]))
        they = (gains.gain_b[number], gains.served[number + 1], int(gains.group_b[number]))
        told.append(
            Partner(
                name=name,
                trade=str(category.get(trade, "")),
                away=distance(float(away), language),
                why=why or say(N_("A neighbour whose customers pass your door."), language),
                you=gain_words(*you, language),
                they=gain_words(*they, language),
                lon=float(merchants.lon[row]),
                lat=float(merchants.lat[row]),
            )
        )
    return told


def _gains(snapshot: Snapshot, matrix: Matrix, here: int, at: Sequence[int]) -> Shared:
    """Return what a merchant and each of its partners gain."""
    market = market_of(snapshot, matrix)
    ids = snapshot.merchants.id[[here, *at]]
    places = market.places(ids)
    some = market.some(np.where(places >= 0, places, 0))
    partners = np.arange(1, len(ids), dtype=np.int32)
    return shared(market.audience.crowd, some, np.zeros(len(partners), dtype=np.int32), partners)


def gain_words(gained: float, served: float, group: int, language: Language) -> str:
    """
    Return what a side gains, for whoever is not the bank: a rounded share, nothing that rests on few.

    Parameters
    ----------
    gained, served
        Customers won over, and those served now.
    group
        The bit of the group most of those won over are of; named where it is sure not to be few.
    language
        Of the words.
    """
    if min(gained, served) < FEWEST or math.isnan(gained):
        return say(N_("New customers sent over"), language)
    share = rounded(gained / served, language)
    if group < 0 or gained < FEWEST * len(GROUP_CODES):
        return say(N_("{share} more customers within reach"), language, share=share)
    name = catalogue.GROUPS[language].iloc[group]
    return say(
        N_("{share} more customers within reach, many of them: {group}"), language, share=share, group=name
    )


def rounded(share: float, language: Language) -> str:
    """Return a share to the nearest twentieth, in words."""
    if share >= 1.0:
        return say(N_("over 100%"), language)
    steps = round(share / _STEP)
    if steps == 0:
        return say(N_("under 5%"), language)
    return say(N_("about {percent}%"), language, percent=5 * steps)


def _together(snapshot: Snapshot, matrix: Matrix, here: int, at: Sequence[int], language: Language) -> str:
    """Return what the merchant gains by all partners together; empty where that rests on few."""
    market = market_of(snapshot, matrix)
    places = market.places(snapshot.merchants.id[[here, *at]])
    if places[0] < 0:
        return ""
    scores = scores_at(False, matrix, market, places[places >= 0])
    gained, served = scores.gained[0], scores.served[0]
    if math.isnan(gained) or min(gained, served) < FEWEST:
        return ""
    return say(
        N_("Together your partners reach {share} more customers of the kinds you serve than you do today."),
        language,
        share=rounded(gained / served, language),
    )


# What is offered, and what comes next -----------------------------------------------------------------------


def _offers(own: Alliance | None, ids: Sequence[int]) -> list[str]:
    """Return what members offer, each with its name."""
    if own is None:
        return []
    present = own.members[own.members["left"].isna() & own.members["merchant_id"].isin(ids)]
    offered = present[present["offer"].notna()]
    names = [
        name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in offered["name"]
    ]
    return [f"{name}：{offer}" for name, offer in zip(names, offered["offer"], strict=True)]


def _next_step(own: Alliance | None, language: Language) -> str:
    if own is not None and own.status == ACTIVE:
        return say(
            N_("Tell your customers of the offers, and send them over; we count who came from whom."),
            language,
        )
    return say(
        N_("Think of an offer for customers of these neighbours. We call again, and bring you all together."),
        language,
    )
