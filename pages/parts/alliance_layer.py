"""Alliances and links as a layer of the customer map."""

from __future__ import annotations

from collections.abc import Mapping

from data.alliances.links import ACCEPTED
from data.rights import Asker, Right
from data.snapshots import Snapshot
from pages.parts import alliance_map, alliance_reads
from pages.parts.map import Arc, Hull
from pages.parts.words import N_

NAME = "alliances"


def offered(asker: Asker, branch_id: int) -> Mapping[str, str]:
    """Return the layer's marked name by its code; nothing to whoever may not read it."""
    return {NAME: N_("Alliances")} if asker.may(Right.READ_PLANS, branch_id) else {}


def hulls(asker: Asker, snapshot: Snapshot) -> list[Hull]:
    """Return the ground of each alliance that has not ended."""
    members: dict[tuple[int, str], list[int]] = {}
    for merchant_id, alliance in alliance_reads.of_members(asker, snapshot).items():
        if snapshot.merchants.row_of(merchant_id) is not None:
            members.setdefault(alliance, []).append(merchant_id)
    return [
        Hull(
            str(alliance_id),
            alliance_map.ground(snapshot, ids),
            name,
            alliance_map.COLOURS[number % len(alliance_map.COLOURS)],
        )
        for number, ((alliance_id, name), ids) in enumerate(sorted(members.items()))
    ]


def arcs(asker: Asker, snapshot: Snapshot) -> list[Arc]:
    """Return the links that are agreed on."""
    rows = alliance_reads.decisions(asker, snapshot.branch_id)
    return [
        Arc(
            f"{row.a}-{row.b}", (row.a_lon, row.a_lat), (row.b_lon, row.b_lat), f"{row.a_name} — {row.b_name}"
        )
        for row in rows[rows["state"] == ACCEPTED].itertuples()
    ]
