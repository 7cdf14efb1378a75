"""
What the page of zones reads: plans, what their zones hold, and what the rules say of them.

A plan is looked at in one revision until whoever looks says otherwise: what they do next is done to what they
saw, so that another lead's change in between is noticed and never painted over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pandas import DataFrame

from data import store
from data.catalogue import STATUSES
from data.config import Settings
from data.kept import Kept
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones import coverage, teams
from data.zones.held import DRAFT, Held
from data.zones.intervals import today
from data.zones.pairs import Pair, pairs_of
from data.zones.placed import placed
from data.zones.playbooks import Playbook, playbooks
from data.zones.weighing import block_weights
from geo import rules
from geo.rules import Breach
from geo.visits import day_number
from pages.parts import state
from pages.parts.frame import reading
from pages.parts.words import language

MAX_BYTES = 1 << 28
BYTES_A_ZONE = 20_000  # about: a designed zone has a few hundred corners


@dataclass(frozen=True)
class Seen:
    """A revision of a plan in memory, and about how much of it that takes."""

    held: Held

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return BYTES_A_ZONE * (1 + len(self.held.plan))


_seen: Kept[tuple[str, int, int], Seen] = Kept(MAX_BYTES)


def listed(asker: Asker, branch_id: int) -> DataFrame:
    """Return the branch's plans."""
    with reading() as session:
        return store.plans(session, asker, branch_id)


def shown(asker: Asker, branch_id: int, plan_id: int) -> Held:
    """Return a plan in the revision that the user has before their eyes; the newest at first."""
    asker.require(Right.READ_PLANS, branch_id)
    revision = state.seen_revision(plan_id)
    kept = None if revision is None else _seen.find(_key(plan_id, revision))
    if kept is not None and kept.held.branch_id == branch_id:
        return kept.held
    return newest(asker, plan_id)


def newest(asker: Asker, plan_id: int) -> Held:
    """Return a plan as it is now; it is what the user sees from here on."""
    with reading() as session:
        return see(store.plan(session, asker, plan_id))


def see(held: Held) -> Held:
    """Show a plan as it has become."""
    _seen.put(_key(held.id, held.revision), Seen(held))
    state.see_revision(held.id, held.revision)
    return held


def any_plan(asker: Asker, plan_id: int) -> Held:
    """Return a plan as it is now, beside the one that is looked at."""
    with reading() as session:
        return store.plan(session, asker, plan_id)


def published(asker: Asker, branch_id: int) -> Held | None:
    """Return the plan the branch works by."""
    with reading() as session:
        return store.published(session, asker, branch_id)


def _key(plan_id: int, revision: int) -> tuple[str, int, int]:
    return Settings.from_env().database_url, plan_id, revision


def may_change(asker: Asker, held: Held) -> bool:
    """Whether whoever asks may change the plan: the store looks again."""
    return held.status == DRAFT and asker.may(Right.EDIT_PLANS, held.branch_id)


# What follows from it ---------------------------------------------------------------------------------------


def loads(asker: Asker, snapshot: Snapshot, held: Held) -> DataFrame:
    """Return what each zone holds of every measure, as far as whoever asks may see it."""
    return coverage.loads(snapshot, held.plan, held.id, asker=asker)


def unzoned(snapshot: Snapshot, held: Held) -> int:
    """Return how many merchants that are open lie inside the circle and in no zone."""
    found = placed(snapshot, held.plan, held.id, today=day_number(today()))
    status = snapshot.merchants.status[found.rows_in("merchants", None)]
    return int((status != STATUSES.index("closed")).sum())


def breaches(asker: Asker, snapshot: Snapshot, held: Held) -> tuple[Breach, ...]:
    """Return what the plan's rules say; nothing of what whoever asks may not see."""
    weights = partial(block_weights, snapshot, held.plan.frame)
    return rules.check(held.plan, loads(asker, snapshot, held), weights)


def staff(asker: Asker, branch_id: int) -> dict[int, str]:
    """Return the names of the branch's people, by id."""
    with reading() as session:
        people = store.managers(session, asker, branch_id)
    return {int(row.id): str(row.name) for row in people.itertuples()}


def pairs(asker: Asker, held: Held) -> list[Pair]:
    """Return the pairs that zones can be made for: of the draft, else of the plan in force, else of all."""
    with reading() as session:
        people = teams.staff(session, asker, held.branch_id)
    now = published(asker, held.branch_id)
    named = any(len(zone.pair) > 1 for zone in held.plan.zones)
    return pairs_of(held.plan if named or now is None else now.plan, people)


def place_names(asker: Asker, branch_id: int, ids: Sequence[int]) -> dict[int, str]:
    """Return places' names by id, in the order of the ids."""
    with reading() as session:
        found = store.place_rows(session, asker, branch_id, ids)
    return {int(row.id): str(row.name) for row in found.itertuples()}


def books(asker: Asker, branch_id: int) -> dict[str, Playbook]:
    """Return the playbook of each kind of zone."""
    with reading() as session:
        return playbooks(session, asker, branch_id, language=language())


def history(asker: Asker, plan_id: int) -> DataFrame:
    """Return what was done to a plan."""
    with reading() as session:
        return store.history(session, asker, plan_id)


def row_of(rows: DataFrame, plan_id: int) -> dict[str, Any]:
    """Return a plan's line among the branch's plans."""
    return dict(rows[rows["id"] == plan_id].iloc[0])
