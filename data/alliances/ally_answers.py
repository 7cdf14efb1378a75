"""Alliances proposed, as the command line tells them."""

from __future__ import annotations

import math
from typing import Any

from data.alliances.forming import Proposal, Proposed
from data.catalogue import CATEGORIES
from data.commands import told
from data.config import language
from geo.errors import N_


def as_json(found: Proposed) -> dict[str, Any]:
    """Return what is proposed, as JSON takes it; shares are of the scope's people."""
    result: dict[str, Any] = {
        "alliances": [_alliance(one) for one in found.alliances],
        "covered_share": _number(found.covered_share),
        "bound": _number(found.bound),
        "exact": found.exact,
        "covered": _number(found.covered),
        "scope": found.scope,
        "candidates": found.candidates,
    }
    if found.why is not None:
        text, values = found.why
        result["why"] = told(text, **values)
    return result


def _alliance(one: Proposal) -> dict[str, Any]:
    worth = one.scores
    return {
        "id": one.id,
        "members": list(one.members),
        "convenience": _number(worth.convenience),
        "profit": _number(worth.profit),
        "savings": len(worth.needs),
        "mean_saving_yuan": _number(worth.saving_yuan),
        "median_m": _number(worth.median_m),
        "adds": _number(one.adds),
        "score": _number(one.score),
        "longest_m": _number(one.longest_m),
        "lon": one.lon,
        "lat": one.lat,
        "gains": {
            str(merchant): {"gain": _number(gain), "gained": _number(gained), "served": _number(served)}
            for merchant, gain, gained, served in zip(
                worth.members, worth.gains, worth.gained, worth.served, strict=True
            )
        },
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def in_words(found: Proposed, names: dict[int, str]) -> str:
    """Return what is proposed for people, the members by name."""
    if found.why is not None:
        text, values = found.why
        return told(text, **values)
    first = told(
        N_(
            "{count} alliances reach {percent} % of the people; no choice of as many reaches more than "
            "{bound} %."
        ),
        count=len(found.alliances),
        percent=f"{found.covered_share * 100:.1f}",
        bound=f"{found.bound * 100:.1f}",
    )
    categories = dict(zip(CATEGORIES["id"], CATEGORIES[language()], strict=True))
    lines = [first]
    for one in found.alliances:
        lines.append(
            told(
                N_(
                    "{number}. {trade}: {members}; reaches {percent} %, each gains at least {gain} %, "
                    "{needs} needs"
                ),
                number=one.id,
                trade=categories[one.category_id],
                members=", ".join(names.get(each, str(each)) for each in one.members),
                percent=f"{one.scores.convenience * 100:.1f}",
                gain=f"{one.scores.profit * 100:.0f}",
                needs=len(one.scores.needs),
            )
        )
    return "\n".join(lines)
