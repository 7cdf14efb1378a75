"""Links and alliances of the demo branch: some accepted, refused and ended, three alliances on their way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import cycle
from typing import Any

import pandas as pd
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from data import people, tables
from data.alliances import held, links, members
from data.alliances.forming import Proposal, proposed
from data.alliances.matrix import matrix
from data.alliances.suggesting import suggestions
from data.rights import Asker
from data.snapshots import Snapshot
from data.towns import invented
from data.zones.intervals import today

MOST_MERCHANTS = 5_000  # of a larger town partners are not looked for: a demo is there at once
ALLIANCES = 3
ACCEPTED = 8
BEGUN, LASTS = 45, 180  # days
SENT = ((0, 1, 6, 38), (1, 0, 4, 21), (2, 0, 9, 12), (None, 1, 3, 5))  # from, to, customers, days ago


def begin(session: Session, asker: Asker, snapshot: Snapshot, streets: Mapping[int, str]) -> None:
    """
    Give a branch links and alliances.

    Parameters
    ----------
    session, asker, snapshot
        Of the demo; the asker has all rights.
    streets
        Each merchant's, by id.
    """
    if not 0 < len(snapshot.merchants) <= MOST_MERCHANTS:
        return
    trades = matrix(session)
    best = suggestions(snapshot, asker, trades)
    if best.empty:
        return
    known = people.managers(session, asker, snapshot.branch_id)
    owners = known.loc[known["name"].isin(invented.POSTS["outdoor"]), "id"].astype(int).tolist()
    groups = proposed(snapshot, asker, trades, at_most=ALLIANCES).alliances
    _link(session, asker, snapshot.branch_id, best, owners, set(groups[0].members) if groups else set())
    names = _names(session, [row_id for each in groups for row_id in each.members])
    used: set[str] = set()
    for number, group in enumerate(groups):
        name = _name(group, streets, names, used)
        _ally(session, asker, snapshot.branch_id, number, group, name, owners)


def _link(
    session: Session,
    asker: Asker,
    branch_id: int,
    best: pd.DataFrame,
    owners: list[int],
    allied: set[int],
) -> None:
    """Decide on links: those within an alliance, the best of the others, and a few that come to nothing."""
    within = best["a"].isin(allied) & best["b"].isin(allied)
    apart = best[~within].drop_duplicates("a").drop_duplicates("b")
    chosen = pd.concat([best[within].head(ACCEPTED // 2), apart.head(ACCEPTED)]).head(ACCEPTED)
    owner, gain = cycle(owners or [None]), cycle(invented.BENEFITS)
    begun = today() - timedelta(BEGUN)
    for number, (a, b, score) in enumerate(_decided(chosen)):
        told: dict[str, Any] = {"benefit_a": next(gain), "benefit_b": next(gain), "owner_id": next(owner)}
        told |= {"stage": "platform" if number % 3 == 0 else "relation", "score": score}
        told |= {"starts": begun, "notes": invented.LINK_NOTES} if number % 2 == 0 else {}
        link_id = links.accept_link(session, asker, branch_id, a, b, **told)
        if number == ACCEPTED - 1:
            links.end_link(session, asker, link_id, 0, reason=invented.REFUSALS[0])
    left = apart.iloc[ACCEPTED : ACCEPTED + len(invented.REFUSALS)]
    for (a, b, score), reason in zip(_decided(left), invented.REFUSALS, strict=False):
        links.refuse_link(session, asker, branch_id, a, b, reason=reason, score=score)


def _decided(rows: pd.DataFrame) -> list[tuple[int, int, float]]:
    """Return pairs with their scores as plain numbers."""
    pairs = rows[["a", "b"]].astype(int).to_numpy().tolist()
    return [(a, b, score) for (a, b), score in zip(pairs, rows["score"].tolist(), strict=True)]


def _ally(
    session: Session,
    asker: Asker,
    branch_id: int,
    number: int,
    group: Proposal,
    name: str,
    owners: list[int],
) -> None:
    """Form an alliance: the first has long been at work, the second has just begun, the third is forming."""
    active, offered = number < ALLIANCES - 1, cycle(invented.OFFERS)
    given: dict[str, Any] = {"owner_id": owners[number % len(owners)] if owners else None}
    given["stage"] = ("ecosystem", "platform", "relation")[number]
    if active:
        begun = today() - timedelta(BEGUN if number == 0 else 0)
        given |= {"starts": begun, "ends": begun + timedelta(LASTS), "notes": invented.ALLIANCE_NOTES}
        given["offers"] = {
            row_id: {"offer": offer, "saving_yuan": saving, "sponsor_yuan": 500.0 if at == 0 else None}
            for at, (row_id, (offer, saving)) in enumerate(zip(group.members, offered, strict=False))
        }
    which = held.form_alliance(session, asker, branch_id, name, group.members, **given)
    if active:
        since = update(tables.alliance_members).where(tables.alliance_members.c.alliance_id == which)
        session.execute(since.values(joined=begun))
        held.set_status(session, asker, which, 0, held.ACTIVE)
    if number == 0:
        for sender, receiver, count, ago in SENT:
            ends: dict[str, Any] = {
                "to_id": group.members[receiver],
                "count": count,
                "day": today() - timedelta(ago),
            }
            from_id = None if sender is None else group.members[sender]
            members.record_referral(session, asker, which, from_id=from_id, **ends)


def _names(session: Session, ids: list[int]) -> dict[int, str]:
    merchants = tables.merchants
    rows = session.execute(select(merchants.c.id, merchants.c.name).where(merchants.c.id.in_(ids)))
    return {int(row.id): str(row.name) for row in rows}


def _name(group: Proposal, streets: Mapping[int, str], names: dict[int, str], used: set[str]) -> str:
    """Return an alliance's name: its street's, or where another has that its first member's."""
    street = streets.get(group.lead, "")
    name = invented.ALLIANCE_NAME.format(street=street)
    if not street or name in used:
        name = invented.OTHER_NAME.format(shop=names[group.lead])
    used.add(name)
    return name
