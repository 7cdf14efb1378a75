"""
What a plan of zones is held to, and what can be done where it fails: looked at after every change.

A new rule is a function of a `Look` that yields a `Breach` a case, added to `RULES`. A mend is not reckoned
until it is asked for: most never are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
import shapely

from geo import mends
from geo.errors import N_, Told
from geo.look import Look, Weights
from geo.planes import parts
from geo.plans import Change, Measure, Plan, Zone

MEASURE_NAMES = {
    "merchants": N_("merchants"),
    "customers": N_("customers"),
    "households": N_("households"),
    "deposits": N_("deposits"),
    "hours": N_("hours of work"),
}


@dataclass(frozen=True)
class Breach:
    """
    A rule that a plan breaks.

    Parameters
    ----------
    rule
        A key of `RULES`.
    zone_ids
        The zones it is about.
    message, values
        A marked text, and what fills it.
    """

    rule: str
    zone_ids: tuple[int, ...]
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    _mend: Callable[[], Change] | None = field(default=None, repr=False, compare=False)

    @property
    def can_mend(self) -> bool:
        """Whether a mend is suggested; reckoning it may still find none."""
        return self._mend is not None

    @cached_property
    def mend(self) -> Change | None:
        """The change suggested, reckoned now; None where none is, or none was found."""
        return (self._mend() or None) if self._mend is not None else None


def check(
    plan: Plan, loads: pd.DataFrame | None = None, weights: Weights | None = None
) -> tuple[Breach, ...]:
    """
    Return what a plan breaks of its rules, rule by rule.

    Parameters
    ----------
    plan
        One without zones breaks nothing.
    loads
        What each zone holds: indexed by zone number, a column a measure. Without, nothing is said of that;
        NaN is not known.
    weights
        What each block weighs: indexed by cell, columns as in `loads`; or what returns that, asked only when
        a mend needs it. Without, no blocks are offered to even out loads.
    """
    if not len(plan):
        return ()
    look = Look(plan, loads, weights)
    return tuple(breach for rule in RULES.values() for breach in rule(look))


# --- loads ------------------------------------------------------------------------------------------------


def too_little(look: Look) -> Iterator[Breach]:
    """Yield the zones that hold less of a measure than they should."""
    for measure, zone, load, (low, _high, ideal) in look.measured():
        if load < low:
            mend = _evened(look, zone, measure)
            message = N_("{name} has too little: {load} {measure}; {limit} is the least, {ideal} ideal.")
            yield Breach("too_little", (zone.id,), message, _values(zone, measure, load, low, ideal), mend)


def too_much(look: Look) -> Iterator[Breach]:
    """Yield the zones that hold more of a measure than they should."""
    for measure, zone, load, (_low, high, ideal) in look.measured():
        if load > high:
            mend = _evened(look, zone, measure)
            message = N_("{name} has too much: {load} {measure}; {limit} is the most, {ideal} ideal.")
            yield Breach("too_much", (zone.id,), message, _values(zone, measure, load, high, ideal), mend)


def _values(zone: Zone, measure: Measure, load: float, limit: float, ideal: float) -> dict[str, object]:
    told = {"load": load, "limit": limit, "ideal": ideal}
    digits = 1 if measure.name == "hours" else 0
    amounts = {name: f"{value:,.{digits}f}" for name, value in told.items()}
    return {"name": zone.name, "measure": Told(MEASURE_NAMES[measure.name]), **amounts}


def _evened(look: Look, zone: Zone, measure: Measure) -> Callable[[], Change] | None:
    can = look.weights is not None and not zone.locked
    return mends.later(mends.evened, look, zone.id, measure) if can else None


def empty(look: Look) -> Iterator[Breach]:
    """Yield the zones in which there is nothing to work."""
    if look.loads is None or not len(look.loads.columns):
        return
    held = look.loads.reindex([zone.id for zone in look.plan.zones])
    nothing = (held.notna().any(axis=1) & (held.fillna(0.0) == 0.0).all(axis=1)).to_numpy()
    for zone in (zone for zone, is_empty in zip(look.plan.zones, nothing, strict=True) if is_empty):
        mend = None if zone.locked else mends.later(mends.absorbed, look, zone.id)
        yield Breach("empty", (zone.id,), N_("{name} holds nobody and nothing."), {"name": zone.name}, mend)


def no_pair(look: Look) -> Iterator[Breach]:
    """Yield the zones that nobody is named for."""
    for zone in look.plan.zones:
        if not zone.pair:
            yield Breach("no_pair", (zone.id,), N_("Nobody is named for {name}."), {"name": zone.name})


# --- ground -----------------------------------------------------------------------------------------------


def pieces(look: Look) -> Iterator[Breach]:
    """Yield the zones that are of several pieces."""
    for zone, ground in zip(look.plan.zones, look.grounds, strict=True):
        if shapely.get_num_geometries(ground) > 1 and (count := len(parts(ground))) > 1:
            mend = None if zone.locked else mends.later(mends.in_one_piece, look, zone.id)
            message = N_("{name} is of {count} pieces; a zone is one.")
            yield Breach("pieces", (zone.id,), message, {"name": zone.name, "count": count}, mend)


def barrier(look: Look) -> Iterator[Breach]:
    """Yield the zones whose blocks a barrier parts."""
    for at in look.parted_zones:
        zone = look.plan.zones[at]
        names = look.barriers_in(at)
        mend = None if zone.locked else mends.later(mends.cut_to_barriers, look, zone.id)
        message = N_("{name} lies on both sides of {barriers}.")
        yield Breach("barrier", (zone.id,), message, {"name": zone.name, "barriers": names}, mend)


def too_far(look: Look) -> Iterator[Breach]:
    """Yield the zones that reach farther from the branch than a block may be."""
    farthest_m = look.plan.frame.farthest_m
    if farthest_m is None:
        return
    reach_m = look.reach_m
    for zone, reach in zip(look.plan.zones, reach_m, strict=True):
        if reach > farthest_m + look.rim_m:
            mend = None if zone.locked else mends.later(mends.cut_to_reach, look, zone.id)
            values = {"name": zone.name, "reach": f"{reach / 1000:.1f}", "limit": f"{farthest_m / 1000:.1f}"}
            message = N_("{name} reaches {reach} km from the branch; {limit} km is the limit.")
            yield Breach("too_far", (zone.id,), message, values, mend)


def overlap(look: Look) -> Iterator[Breach]:
    """Yield the pairs of zones that have ground in common."""
    for first, second, area_m2 in look.overlaps:
        one, other = look.plan.zones[first], look.plan.zones[second]
        mend = mends.later(mends.parted_from, look, one.id, other.id)
        values = {"one": one.name, "other": other.name, "hectares": f"{area_m2 / 1e4:,.2f}"}
        message = N_("{one} and {other} share {hectares} hectares; ground is in one zone only.")
        both_locked = one.locked and other.locked
        yield Breach("overlap", (one.id, other.id), message, values, None if both_locked else mend)


def gap(look: Look) -> Iterator[Breach]:
    """Yield one breach for all ground of the circle that no zone has."""
    found = look.gaps
    if found:
        area_m2 = sum(part.area for part in found)
        values = {"count": len(found), "km2": f"{area_m2 / 1e6:,.2f}"}
        free = any(not zone.locked for zone in look.plan.zones)
        message = N_("{km2} km² of the circle are in no zone, in {count} places.")
        yield Breach("gap", (), message, values, mends.later(mends.gaps_filled, look) if free else None)


RULES: Mapping[str, Callable[[Look], Iterator[Breach]]] = {
    "too_little": too_little,
    "too_much": too_much,
    "pieces": pieces,
    "barrier": barrier,
    "too_far": too_far,
    "empty": empty,
    "overlap": overlap,
    "gap": gap,
    "no_pair": no_pair,
}
