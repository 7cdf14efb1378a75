"""What blocks weigh: the merchants, people, households, deposits and hours of work that lie in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.filters import CLOSED
from data.snapshots import Layer, Snapshot
from data.zones.work import hours
from geo.blocks import weights_of
from geo.errors import N_, DataError
from geo.parcels import Parcels, cells, finer, parcel_at
from geo.plans import MEASURES, Frame, Measure

Floats = NDArray[np.float64]

SPLIT = 0.25  # of a zone's ideal: a block that weighs more is parted into the cells below it
_FINER = 3  # levels below the plan's own blocks


def check_measures(measures: Sequence[Measure]) -> None:
    """Refuse measures nobody knows, none, or one twice."""
    names = [measure.name for measure in measures]
    if not names:
        raise DataError(N_("Choose at least one thing the zones are to be alike in."))
    for name in names:
        if name not in MEASURES:
            raise DataError(
                N_("Zones can balance {known}, not {weight}."), known=", ".join(MEASURES), weight=name
            )
    if len(set(names)) < len(names):
        raise DataError(N_("Each thing the zones are to be alike in is named once."))


def weighed(snapshot: Snapshot, parcels: Parcels, frame: Frame, names: Sequence[str]) -> Floats:
    """
    Return what each block weighs, a column a measure.

    What is set aside weighs nothing; a target group counts its size; deposits are those of existing
    customers, hours those of `data.zones.work`.
    """
    return _weighed(snapshot, parcels, frame, names)[0]


def block_weights(snapshot: Snapshot, frame: Frame) -> pd.DataFrame:
    """Return what each block of a plan's circle weighs: indexed by cell, a column a measure."""
    blocks = cells(frame)
    weights = weighed(snapshot, blocks, frame, MEASURES)
    return pd.DataFrame(weights, index=blocks.blocks.ids, columns=list(MEASURES))


def divided(
    snapshot: Snapshot, parcels: Parcels, frame: Frame, names: Sequence[str], zones: float
) -> tuple[Parcels, Floats]:
    """Return blocks and what they weigh, with those parted on which too much of a zone weighs."""
    weights, points = _weighed(snapshot, parcels, frame, names)
    for _ in range(_FINER):
        heavy = (weights > SPLIT * weights.sum(axis=0) / zones).any(axis=1) & (points > 1)
        parted = finer(parcels, np.flatnonzero(heavy), frame)
        if parted is parcels:
            break
        parcels, (weights, points) = parted, _weighed(snapshot, parted, frame, names)
    return parcels, weights


def _weighed(
    snapshot: Snapshot, parcels: Parcels, frame: Frame, names: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return what each block weighs, a column a measure, and how many points on it weigh something."""
    total, points = np.zeros((len(parcels), len(names))), np.zeros(len(parcels))
    for layer, amounts in _layers(snapshot, names):
        counted = ~layer.aside & np.any([amounts[name] > 0.0 for name in names if name in amounts], axis=0)
        at = parcel_at(parcels, frame, layer.lon[counted], layer.lat[counted])
        points += weights_of(at, len(parcels))
        for column, name in enumerate(names):
            if name in amounts:
                total[:, column] += weights_of(at, len(parcels), amounts[name][counted])
    return total, points


def _layers(snapshot: Snapshot, names: Sequence[str]) -> Iterator[tuple[Layer, dict[str, Floats]]]:
    """Yield the layers asked for, and what each row counts in each measure."""
    merchants, customers, places = snapshot.merchants, snapshot.customers, snapshot.places
    asked = set(names)
    if asked & {"merchants", "hours"}:
        yield (
            merchants,
            {
                "merchants": (merchants.status != CLOSED).astype(np.float64),
                **({"hours": hours(snapshot).merchants} if "hours" in asked else {}),
            },
        )
    if asked & {"customers", "deposits", "hours"}:
        own = customers.existing & (customers.deposits > 0.0)
        yield (
            customers,
            {
                "customers": customers.people.astype(np.float64),
                "deposits": np.where(own, customers.deposits, 0.0),
                **({"hours": hours(snapshot).customers} if "hours" in asked else {}),
            },
        )
    if "households" in asked:
        yield places, {"households": np.nan_to_num(places.households.astype(np.float64))}
