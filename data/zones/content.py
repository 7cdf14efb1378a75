"""A plan and its changes as text the store keeps: JSON with a version number, shapes as WKB in hex digits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import N_, DataError
from geo.plans import Barrier, Change, Frame, Measure, Move, Plan, Zone

VERSION = 1
HEAD_LENGTH = 60  # characters from which `zones_in` reads
_COUNT = re.compile(r'^\{"version": \d+, "count": (\d+)')


def plan_text(plan: Plan) -> str:
    """Return a plan as text; the number of its zones stands at the head, for lists of plans."""
    return _text(
        {
            "version": VERSION,
            "count": len(plan),
            "last_id": plan.last_id,
            "frame": _frame(plan.frame),
            "zones": _zones(plan.zones),
        }
    )


def plan_of(text: str) -> Plan:
    """
    Return the plan of a text that `plan_text` made.

    Raises
    ------
    DataError
        When it was written by a later release, or is no plan.
    """
    told = _read(text, "zones")
    return Plan(_frame_of(told["frame"]), _zones_of(told["zones"]), told["last_id"])


def zones_in(head: str) -> int:
    """Return how many zones a plan has from the first `HEAD_LENGTH` characters of its text."""
    found = _COUNT.match(head)
    return int(found.group(1)) if found else 0


def change_text(change: Change) -> str:
    """Return a change as text."""
    frames = None if change.frames is None else [_frame(frame) for frame in change.frames]
    return _text(
        {
            "version": VERSION,
            "what": change.what,
            "before": _sides(move.before for move in change.moves),
            "after": _sides(move.after for move in change.moves),
            "frames": frames,
        }
    )


def change_of(text: str) -> Change:
    """
    Return the change of a text that `change_text` made.

    Raises
    ------
    DataError
        When it was written by a later release, or is no change.
    """
    told = _read(text, "before")
    moves = zip(_sides_of(told["before"]), _sides_of(told["after"]), strict=True)
    frames = None
    if told["frames"] is not None:
        before, after = map(_frame_of, told["frames"])
        frames = (before, after)
    return Change(told["what"], tuple(Move(before, after) for before, after in moves), frames)


def _text(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def _read(text: str, needed: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(text)
    if told.get("version") != VERSION or needed not in told:
        raise DataError(
            N_("This plan was written by another release ({version}). It cannot be read here."),
            version=told.get("version"),
        )
    return told


def _zones(zones: Iterable[Zone]) -> list[dict[str, Any]]:
    return [
        {
            "id": zone.id,
            "name": zone.name,
            "kind": zone.kind,
            "pair": list(zone.pair),
            "locked": zone.locked,
            "note": zone.note,
            "shape": _shape(zone.shape),
        }
        for zone in zones
    ]


def _zones_of(told: list[dict[str, Any]]) -> tuple[Zone, ...]:
    shapes = shapely.from_wkb([bytes.fromhex(each["shape"]) for each in told])
    return tuple(
        Zone(**{**each, "pair": tuple(each["pair"]), "shape": shape})
        for each, shape in zip(told, shapes, strict=True)
    )


def _sides(zones: Iterable[Zone | None]) -> list[dict[str, Any] | None]:
    """Return one side of each move, nothing where the zone is not there."""
    return [None if zone is None else _zones([zone])[0] for zone in zones]


def _sides_of(told: list[dict[str, Any] | None]) -> list[Zone | None]:
    zones = iter(_zones_of([each for each in told if each is not None]))
    return [None if each is None else next(zones) for each in told]


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "lon": frame.lon,
        "lat": frame.lat,
        "radius_m": frame.radius_m,
        "resolution": frame.resolution,
        "measures": [asdict(measure) for measure in frame.measures],
        "barriers": [{"name": each.name, "shape": _shape(each.shape)} for each in frame.barriers],
        "farthest_m": frame.farthest_m,
    }


def _frame_of(told: dict[str, Any]) -> Frame:
    return Frame(
        **{
            **told,
            "measures": tuple(Measure(**each) for each in told["measures"]),
            "barriers": tuple(
                Barrier(each["name"], shapely.from_wkb(bytes.fromhex(each["shape"])))
                for each in told["barriers"]
            ),
        }
    )


def _shape(shape: BaseGeometry) -> str:
    return bytes(shapely.to_wkb(shape)).hex()
