"""What a designer is asked for on the command line: measures with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from geo.errors import N_, DataError
from geo.plans import Measure

TOLERANCE = 0.05


def measures(
    names: Sequence[str],
    tolerance: Sequence[float] | None = None,
    target: Sequence[float] | None = None,
    lowest: Sequence[float] | None = None,
    highest: Sequence[float] | None = None,
) -> tuple[Measure, ...]:
    """
    Return measures from numbers given one a measure, or one tolerance for all; 0 is no target and no limit.

    Raises
    ------
    DataError
        When there are more or fewer numbers than measures.
    """
    rooms = list(tolerance or [TOLERANCE])
    if len(rooms) == 1:
        rooms *= len(names)
    given = {"tolerance": rooms, "target": target, "lowest": lowest, "highest": highest}
    for option, values in given.items():
        if values and len(values) != len(names):
            raise DataError(
                N_("--{option} is given {count} times for {measures} weights."),
                option=option,
                count=len(values),
                measures=len(names),
            )
    wanted = [_or_none(target, names), _or_none(lowest, names), _or_none(highest, names)]
    return tuple(Measure(*each) for each in zip(names, rooms, *wanted, strict=True))


def _or_none(values: Sequence[float] | None, names: Sequence[str]) -> list[float | None]:
    return [value or None for value in values] if values else [None] * len(names)
