"""
A plan of zones as a value: what it is, how it changes, and how a change is taken back.

A zone is a piece of ground in WGS 84 with a kind and the pair who work it. A plan holds zones over a branch's
catchment; a change is a list of moves, each a zone as it was and as it is to be. `plan.after(change)` is
another plan and leaves the first alone, so comparing, undoing and what-if copies come with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from shapely.geometry.base import BaseGeometry

from geo.errors import N_, Conflict, GeoError

KINDS = ("street", "community", "park", "institution")
MEASURES = ("merchants", "customers", "households", "deposits", "hours")


@dataclass(frozen=True)
class Zone:
    """
    A piece of ground worked by one pair.

    Parameters
    ----------
    id
        Positive; never used again in its plan.
    name, kind
        The kind is one of `KINDS`.
    shape
        Polygon or MultiPolygon, valid, WGS 84.
    pair
        Ids of the people who work it: an indoor and an outdoor colleague, or fewer.
    locked
        Nothing automatic changes it, and no other zone takes of its ground.
    note
        Free text.
    """

    id: int
    name: str
    shape: BaseGeometry
    kind: str = "street"
    pair: tuple[int, ...] = ()
    locked: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.id < 1:
            raise GeoError(N_("A zone's number must be positive, got {id}."), id=self.id)
        if self.kind not in KINDS:
            raise GeoError(
                N_("A zone is of a kind among {known}, not {kind}."), known=", ".join(KINDS), kind=self.kind
            )


@dataclass(frozen=True)
class Measure:
    """
    What zones are held to in one measure.

    Parameters
    ----------
    name
        One of `MEASURES`.
    tolerance
        How far a zone may be from the ideal, as a share of it.
    target
        The soft ideal of a zone; None: an equal part of the whole.
    lowest, highest
        Hard limits of a zone; None for none.
    """

    name: str
    tolerance: float = 0.05
    target: float | None = None
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True)
class Barrier:
    """A line or area (WGS 84) that no zone crosses, by a name: a river without its bridges, a railway."""

    name: str
    shape: BaseGeometry


@dataclass(frozen=True)
class Frame:
    """
    What a plan's zones stand in.

    Parameters
    ----------
    lon, lat, radius_m
        The branch and the circle of the plan: united with the zones it is the plan's scope.
    resolution
        Of the H3 cells that are its blocks.
    measures
        What zones are held to; the first is the one the designer was asked for.
    barriers
        What zones do not cross.
    farthest_m
        The farthest a block may be from the branch; None for no limit.
    """

    lon: float
    lat: float
    radius_m: float
    resolution: int
    measures: tuple[Measure, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    farthest_m: float | None = None


@dataclass(frozen=True)
class Move:
    """A zone as it was and as it is to be; None: it is not there."""

    before: Zone | None
    after: Zone | None

    @property
    def zone_id(self) -> int:
        """The zone's number."""
        zone = self.after or self.before
        assert zone is not None
        return zone.id


@dataclass(frozen=True)
class Change:
    """
    A list of moves, and of the frame if that changes.

    Parameters
    ----------
    what
        A word for the kind of change: `drawn`, `painted`, `designed` …
    moves
        One a zone that changes.
    frames
        The frame before and after; None: it stays.
    """

    what: str
    moves: tuple[Move, ...] = ()
    frames: tuple[Frame, Frame] | None = None

    @property
    def inverse(self) -> Change:
        """What takes this change back."""
        moves = tuple(Move(move.after, move.before) for move in self.moves)
        return Change(self.what, moves, None if self.frames is None else (self.frames[1], self.frames[0]))

    def __bool__(self) -> bool:
        return bool(self.moves) or self.frames is not None


@dataclass(frozen=True)
class Plan:
    """
    Zones in a frame, by number.

    Parameters
    ----------
    frame
        What they stand in.
    zones
        Sorted by id.
    last_id
        The highest number ever given: none is given twice.
    """

    frame: Frame
    zones: tuple[Zone, ...] = ()
    last_id: int = 0
    _by_id: Mapping[int, Zone] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zones = tuple(sorted(self.zones, key=lambda zone: zone.id))
        by_id = {zone.id: zone for zone in zones}
        if len(by_id) < len(zones):
            raise GeoError(N_("Two zones of a plan have the same number."))
        object.__setattr__(self, "zones", zones)
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "last_id", max([self.last_id, *by_id]))

    def __len__(self) -> int:
        return len(self.zones)

    def zone(self, zone_id: int) -> Zone:
        """Return a zone by its number."""
        if zone_id not in self._by_id:
            raise GeoError(N_("There is no zone {which} in this plan."), which=zone_id)
        return self._by_id[zone_id]

    def __contains__(self, zone_id: int) -> bool:
        return zone_id in self._by_id

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The zones' numbers, in order."""
        return tuple(zone.id for zone in self.zones)

    def after(self, change: Change) -> Self:
        """
        Return the plan with a change made.

        Raises
        ------
        Conflict
            When a zone, or the frame, is not what the change takes it to be.
        """
        zones = dict(self._by_id)
        for move in change.moves:
            if zones.get(move.zone_id) != move.before:
                name = (move.before or zones[move.zone_id]).name
                raise Conflict(N_("Zone {name} is no longer what this change started from."), name=name)
            if move.after is None:
                del zones[move.zone_id]
            else:
                zones[move.zone_id] = move.after
        frame = self.frame
        if change.frames is not None:
            if frame != change.frames[0]:
                raise Conflict(N_("The plan's settings are no longer what this change started from."))
            frame = change.frames[1]
        last = max([self.last_id, *(move.zone_id for move in change.moves)])
        return replace(self, frame=frame, zones=tuple(zones.values()), last_id=last)

    def change_to(self, other: Plan, what: str) -> Change:
        """Return the change that makes this plan the other one."""
        ids = sorted(self._by_id.keys() | other._by_id.keys())
        moves = tuple(
            Move(self._by_id.get(each), other._by_id.get(each))
            for each in ids
            if self._by_id.get(each) != other._by_id.get(each)
        )
        return Change(what, moves, None if self.frame == other.frame else (self.frame, other.frame))
