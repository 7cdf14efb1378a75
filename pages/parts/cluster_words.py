"""What the page of clusters says of one: its growth, its shares, and what codes of a profile mean."""

from __future__ import annotations

import math

from data.catalogue import CATEGORIES, GROUPS, PRODUCTS, STATUS_NAMES, TIERS
from data.clustering.describing import HOURS
from geo.coverage import Figure
from pages.parts.words import NONE, _, language, number, share


def ratio(existing: float, target: float) -> Figure:
    """Return existing customers of all; nothing of what is hidden."""
    if math.isnan(existing) or math.isnan(target):
        return Figure(None, None, None)
    return Figure.ratio(existing, existing + target)


def grown(now: float, then: float, *, since: bool) -> str:
    """Return how a cluster has grown: `+12 (8.0%)`, `new`; a dash where there is nothing to tell it from."""
    if not since:
        return NONE
    if math.isnan(then):
        return _("new")
    more = now - then
    if not more:
        return _("unchanged")
    sign = "+" if more > 0 else "−"
    part = f" ({share(abs(more) / then)})" if then else ""
    return f"{sign}{number(abs(more), compact=False)}{part}"


def word(kind: str, code: object) -> str:
    """Return what a code of a profile means, in the user's language."""
    spoken = language()
    if kind in ("group", "category", "product"):
        table = {"group": GROUPS, "category": CATEGORIES, "product": PRODUCTS}[kind]
        found = table.loc[table["id"] == code, spoken]
        return str(found.iloc[0]) if len(found) else NONE
    if kind == "tier":
        return next((getattr(tier, spoken) for tier in TIERS if tier.code == code), NONE)
    if kind in ("status", "hours"):
        return _({"status": STATUS_NAMES, "hours": HOURS}[kind][str(code)])
    return str(code)
