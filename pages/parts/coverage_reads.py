"""What the page of coverage reads: the report of the published plan, for whoever asks."""

from __future__ import annotations

from typing import cast

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones import coverage
from data.zones.coverage import Reachable, Report
from data.zones.held import Held
from data.zones.playbooks import kind_products
from pages.parts.frame import reading


def report(asker: Asker, snapshot: Snapshot, held: Held, reachable: str) -> Report:
    """Return the figures of the plan's zones, with what each kind's playbook offers."""
    with reading() as session:
        products = kind_products(session)
    return coverage.report(
        snapshot, asker, held.plan, held.id, reachable=cast(Reachable, reachable), products=products
    )
