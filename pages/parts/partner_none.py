"""Why no pair is suggested: what the data lack, or how many pairs each part of the rule stopped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
import streamlit as st

from data.alliances.matrix import Matrix
from data.alliances.suggesting import FEWEST_GAINED, LEAST_GAIN, nothing_because
from data.alliances.worth import market_of
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.words import say
from geo.partners import near_pairs
from pages.parts import alliance_reads, beside
from pages.parts.alliance_reads import Ground
from pages.parts.ways import Way, link
from pages.parts.words import _, distance, language, number, plain, share


class Stopped(NamedTuple):
    """How many pairs are near, and how many of them each part of the rule stopped."""

    near: int
    competing: int
    unrelated: int
    gaining_little: int


def show(asker: Asker, snapshot: Snapshot, ground: Ground) -> None:
    """Say why nothing is suggested here, and what to do."""
    known = alliance_reads.trades()
    why = nothing_because(snapshot, known, merchant_id=ground.merchant_id, within_m=ground.within_m)
    st.info(plain(say(why, language())), icon=":material/info:")
    if not len(snapshot.customers):
        if asker.may(Right.IMPORT, snapshot.branch_id):
            link(Way.IMPORT, _("Bring in a list of customers"), ":material/arrow_forward:")
        return
    key = ("stopped", snapshot.key, known.key, ground._replace(zone=None), asker.masked(snapshot.branch_id))
    found = beside.found(key, lambda: stopped(snapshot, known, ground))
    if found is None:
        beside.wait()
    elif found.near:
        st.markdown("\n".join(f"- {plain(line)}" for line in lines(found, ground)))
        st.caption(_("A wider distance, categories set right, or more customers on the map may help."))


def stopped(snapshot: Snapshot, known: Matrix, ground: Ground) -> Stopped:
    """Count the pairs near each other by the first part of the rule that stopped them; none passed."""
    market = market_of(snapshot, known)
    a, b, _apart = near_pairs(market.shops.x, market.shops.y, ground.within_m)
    if ground.merchant_id is not None:
        asked = (market.ids[a] == ground.merchant_id) | (market.ids[b] == ground.merchant_id)
        a, b = a[asked], b[asked]
    if ground.zone is not None:
        shops = snapshot.merchants
        inside = shapely.intersects_xy(ground.zone, shops.lon[market.rows], shops.lat[market.rows])
        a, b = a[inside[a] | inside[b]], b[inside[a] | inside[b]]
    competes = known.competes[market.trade[a], market.trade[b]]
    helps = known.complement[market.trade[a], market.trade[b]] > 0
    return Stopped(
        near=len(a),
        competing=int(competes.sum()),
        unrelated=int((~competes & ~helps).sum()),
        gaining_little=int(np.sum(~competes & helps)),
    )


def lines(found: Stopped, ground: Ground) -> list[str]:
    """Return how many pairs each part of the rule stopped."""
    told = [
        _(
            "{count} pairs lie at most {distance} apart.",
            count=number(float(found.near)),
            distance=distance(ground.within_m),
        )
    ]
    if found.competing:
        told.append(
            _("{count} of them compete for the same customers.", count=number(float(found.competing)))
        )
    if found.unrelated:
        told.append(_("Of {count} the trades do not help each other.", count=number(float(found.unrelated))))
    if found.gaining_little:
        told.append(
            _(
                "Of {count} a side would gain less than {share} or {fewest} customers.",
                count=number(float(found.gaining_little)),
                share=share(LEAST_GAIN),
                fewest=number(float(FEWEST_GAINED)),
            )
        )
    return told
