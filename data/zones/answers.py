"""Coverage as the command line tells it: every figure by its name in metrics, with both its counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from data.alliances.matrix import matrix
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones import gaps, plans
from data.zones.coverage import TOTAL, UNZONED, Report, report
from data.zones.held import Held
from data.zones.playbooks import kind_products
from geo.blocks import resolution_for
from geo.coverage import Figure
from geo.errors import N_, NotFound
from geo.plans import Frame, Plan

Told = dict[str, dict[str, Any]]


def held(session: Session, asker: Asker, branch_id: int, plan_id: int | None) -> Held | None:
    """
    Return a plan of a branch, the published one where none is named; None before there is one.

    Raises
    ------
    NotFound
        When the plan named is no plan of the branch.
    """
    if plan_id is None:
        return plans.published(session, asker, branch_id)
    found = plans.plan(session, asker, plan_id)
    if found.branch_id != branch_id:
        raise NotFound(N_("This plan is no longer there."))
    return found


def coverage(
    session: Session, asker: Asker, snapshot: Snapshot, plan: Held | None, radius_m: float
) -> dict[str, Any]:
    """
    Return what of a plan's zones is covered, as JSON takes it.

    Parameters
    ----------
    session, asker, snapshot
        Of the branch.
    plan
        None: all that lies in the catchment is in no zone.
    radius_m
        Of the catchment.
    """
    bare = Plan(Frame(snapshot.lon, snapshot.lat, radius_m, resolution_for(max(radius_m, 1.0))))
    value = bare if plan is None else plan.plan
    found = report(
        snapshot,
        asker,
        value,
        products=kind_products(session),
        others=gaps.others_know(session, asker, snapshot.branch_id, value.frame),
        matrix=matrix(session),
    )
    return {
        "plan": None if plan is None else {"id": plan.id, "name": plan.name, "status": plan.status},
        "zones": [
            {"id": zone.id, "name": zone.name, "kind": zone.kind, "figures": _figures(found, zone.id)}
            for zone in value.zones
        ],
        UNZONED: _figures(found, UNZONED),
        TOTAL: _figures(found, TOTAL),
        "balance": _plain(found.balance),
        "ground": _plain(found.ground),
    }


def lines(told: dict[str, Any]) -> str:
    """Return coverage for people: a line a figure of the total, and of each zone the shares covered."""
    total = [
        f"{name}\t{figure['value']}\t{figure['numerator']} / {figure['denominator']}"
        for name, figure in told[TOTAL].items()
    ]
    zones = [
        "\t".join(
            [str(zone["id"]), zone["name"]]
            + [
                f"{zone['figures'][name]['numerator']} / {zone['figures'][name]['denominator']}"
                for name in ("customer_coverage", "merchant_coverage", "visit_coverage")
            ]
        )
        for zone in told["zones"]
    ]
    return "\n".join([*zones, *total])


def _figures(found: Report, row: int | str) -> Told:
    own = {UNZONED: found.unzoned, TOTAL: found.total}.get(str(row)) or found.zone(int(row))
    tags, channels = found.preferences(row)
    first = tags[0].figure if tags else Figure(None, None, None)
    likes = {
        name: [{"name": each.name, "share": each.figure.value} for each in chosen]
        for name, chosen in (("tags", tags), ("channels", channels))
    }
    preferences = {**_parts(first), "value": tags[0].name if tags else None, **likes}
    return {**_plain(own), "preferences": preferences}


def _plain(figures: dict[str, Figure]) -> Told:
    return {name: _parts(figure) for name, figure in figures.items()}


def _parts(figure: Figure) -> dict[str, Any]:
    """Return a figure's parts; hidden and unknown ones are null."""
    return {name: None if part is None or np.isnan(part) else part for name, part in figure._asdict().items()}
