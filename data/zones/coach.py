"""
The coach: what a branch head should look at first, each with one next step.

Everything said follows from a report, so nothing is told of what is hidden from who asks. Of each kind only
the worst few are named: a list of everything is a list of nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import shapely

from data.catalogue import CATEGORIES
from data.words import Language
from data.zones.coverage import Report
from data.zones.standing import ranked
from geo.errors import N_

KINDS = ("no_pair", "overloaded", "under_covered", "gap", "idle")
MOST_OF_A_KIND = 5  # more than that nobody takes up in one quarter

# A zone five points below the branch is more than chance where some dozens live; fewer than five customers
# are visited on one afternoon without any plan.
UNDER_SHARE, UNDER_COUNT = 0.05, 5.0
# A fifth more than the hours there are is a whole outing in five; and only a zone that has a fifth more than
# the mean as well can give to a neighbour: one that is like all the others cannot.
OVERLOADED = 1.2
# With half of its hours, and of the mean zone's, a pair could work a second zone of the kind.
IDLE = 0.5
# Less than a whole merchant is no shop to look for.
MISSING = 1.0
PAIR = 2


@dataclass(frozen=True)
class Advice:
    """
    Something to look at, and what to do next.

    Parameters
    ----------
    kind
        One of `KINDS`.
    zone_id
        None where it is about the whole plan.
    message, next_step
        Marked texts.
    values
        What fills both.
    """

    kind: str
    zone_id: int | None
    message: str
    next_step: str
    values: Mapping[str, object] = field(default_factory=dict)


def advice(report: Report, gaps: pd.DataFrame | None = None, *, language: Language = "zh") -> list[Advice]:
    """
    Return what to look at, the most urgent kind first and of each kind the worst first.

    Parameters
    ----------
    report
        Of a plan, for whoever is advised.
    gaps
        What each zone misses most: `data.zones.gaps.largest`.
    language
        Of names of categories.
    """
    look = _Look(report)
    found = [
        *_no_pair(look),
        *_overloaded(look),
        *_under_covered(look),
        *(_gap(look, gaps, language) if gaps is not None else ()),
        *_idle(look),
    ]
    order = {kind: number for number, kind in enumerate(KINDS)}
    counts = dict.fromkeys(KINDS, 0)
    kept = []
    for each in sorted(found, key=lambda one: order[one.kind]):
        counts[each.kind] += 1
        if counts[each.kind] <= MOST_OF_A_KIND:
            kept.append(each)
    return kept


class _Look:
    """A report with what several kinds of advice need of it."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.plan = report.plan
        known = report.of("workload_h").dropna()
        self.needed: dict[int, float] = dict(zip(known.index.tolist(), known["value"].tolist(), strict=True))
        self.there = dict(zip(known.index.tolist(), known["denominator"].tolist(), strict=True))
        self.mean = sum(self.needed.values()) / len(self.needed) if self.needed else 0.0

    @cached_property
    def _beside(self) -> dict[int, list[int]]:
        zones = self.plan.zones
        shapes = [zone.shape for zone in zones]
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        beside: dict[int, list[int]] = {zone.id: [] for zone in zones}
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            if a != b:
                beside[zones[a].id].append(zones[b].id)
        return beside

    def beside(self, zone_id: int) -> list[int]:
        """Return the zones beside one, that needing fewest hours first; locked ones neither give nor take."""
        if self.plan.zone(zone_id).locked:
            return []
        open_ = [at for at in self._beside[zone_id] if at in self.needed and not self.plan.zone(at).locked]
        return sorted(open_, key=lambda at: (self.needed[at], at))

    def name(self, zone_id: int) -> str:
        return self.plan.zone(zone_id).name


def _no_pair(look: _Look) -> Iterator[Advice]:
    for zone in look.plan.zones:
        named = {"name": zone.name}
        if not zone.pair:
            message = N_("Nobody is named for {name}.")
            yield Advice("no_pair", zone.id, message, N_("Name an indoor and an outdoor colleague."), named)
        elif len(zone.pair) < PAIR:
            message = N_("Only one person is named for {name}: people go out in pairs.")
            yield Advice("no_pair", zone.id, message, N_("Name a second colleague."), named)


def _overloaded(look: _Look) -> Iterator[Advice]:
    need, have = sum(look.needed.values()), sum(look.there.values())
    if need > OVERLOADED * have:
        hours = {"need": round(need), "have": round(have), "share": round(100.0 * have / need)}
        message = N_("The zones need {need} hours a quarter, their pairs have {have}: enough for {share} %.")
        step = N_("Plan more outings a month, or visit signed merchants and large target groups first.")
        yield Advice("overloaded", None, message, step, hours)
    for zone_id, own in sorted(look.needed.items(), key=lambda item: -item[1]):
        if own <= OVERLOADED * max(look.there[zone_id], look.mean):
            continue
        values: dict[str, object] = {
            "name": look.name(zone_id),
            "hours": round(own),
            "mean": round(look.mean),
        }
        message = N_("{name} needs {hours} hours a quarter, the mean zone {mean}.")
        step = N_("Divide the zone in two, or name a second pair.")
        beside = look.beside(zone_id)
        if beside and look.needed[beside[0]] < look.mean:
            step = N_("Give blocks on the border to {other}, which needs {theirs} hours.")
            values |= {"other": look.name(beside[0]), "theirs": round(look.needed[beside[0]])}
        yield Advice("overloaded", zone_id, message, step, values)


def _under_covered(look: _Look) -> Iterator[Advice]:
    texts = {
        "customer_coverage": (
            N_("{name} reaches {own} % of its customers, the branch {whole} %: {short} fewer than alike."),
            N_("Put it first in next month's outings, and visit its target customers."),
        ),
        "merchant_coverage": (
            N_("{name} has signed {own} % of its merchants, the branch {whole} %: {short} fewer than alike."),
            N_("Call on its contacted merchants first: they know us already."),
        ),
    }
    found = []
    for figure, (message, step) in texts.items():
        whole = look.report.total[figure].value
        for zone_id, row in _records(ranked(look.report, figure)):
            if row["gap"] >= UNDER_SHARE and row["short"] >= UNDER_COUNT:
                values = {
                    "name": look.name(zone_id),
                    "own": round(100.0 * row["value"]),
                    "whole": round(100.0 * (whole or 0.0)),
                    "short": round(row["short"]),
                }
                found.append((row["short"], Advice("under_covered", zone_id, message, step, values)))
    yield from (each for _, each in sorted(found, key=lambda pair: -pair[0]))


def _gap(look: _Look, gaps: pd.DataFrame, language: Language) -> Iterator[Advice]:
    names = dict(zip(CATEGORIES["id"], CATEGORIES[language], strict=True))
    for zone_id, row in _records(gaps.sort_values("missing", ascending=False, kind="stable")):
        if row["missing"] < MISSING:
            continue
        values = {
            "name": look.name(zone_id),
            "category": names[row["category"]],
            "count": int(row["merchants"]),
            "homes": round(row["households"]),
            "expected": round(row["merchants"] + row["missing"]),
            "missing": round(row["missing"]),
        }
        none = N_("{name}: no {category} for {homes} households; the circle's share would be {expected}.")
        few = N_(
            "{name}: {count} × {category} for {homes} households; the circle's share would be {expected}."
        )
        step = N_("Look for {missing} more on the next round, and add those we do not know yet.")
        yield Advice("gap", zone_id, few if values["count"] else none, step, values)


def _idle(look: _Look) -> Iterator[Advice]:
    for zone_id, own in sorted(look.needed.items(), key=lambda item: item[1]):
        have = look.there[zone_id]
        if own >= IDLE * min(have, look.mean):
            continue
        values: dict[str, object] = {"name": look.name(zone_id), "hours": round(own), "have": round(have)}
        message = N_("{name} needs {hours} hours a quarter; its pair has {have}.")
        step = N_("Let its pair work a second zone.")
        beside = look.beside(zone_id)
        if beside and look.needed[beside[-1]] > look.mean:
            step = N_("Take blocks on the border from {other}, which needs {theirs} hours.")
            values |= {"other": look.name(beside[-1]), "theirs": round(look.needed[beside[-1]])}
        yield Advice("idle", zone_id, message, step, values)


def _records(frame: pd.DataFrame) -> list[tuple[int, dict[Any, Any]]]:
    """Return a frame's rows by zone."""
    return list(zip(frame.index.tolist(), frame.to_dict("records"), strict=True))
