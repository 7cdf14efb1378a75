"""Tile links: what a link shows is written into it, signed, and expires."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from data.config import Settings
from data.filters import Filters
from geo.datum import DATUMS
from geo.errors import N_, TokenError

LIFETIME_S = 12 * 3600
_SALT = "zhendi tile link"


@dataclass(frozen=True)
class TileClaim:
    """
    What a tile link shows, and so grants.

    Parameters
    ----------
    branch_id, version
        The data.
    layer
        One of `data.catalogue.LAYERS`.
    filters
        What of the layer.
    datum
        Of the map the tiles are drawn on.
    masked
        Whether cells of few customers are hidden.
    outside_m
        Show what lies beyond this radius only.
    """

    branch_id: int
    layer: str
    version: int
    datum: str = "wgs84"
    masked: bool = True
    filters: Filters = field(default_factory=Filters)
    outside_m: float | None = None


def sign(settings: Settings, claim: TileClaim) -> str:
    """Return the text of a link; equal claims of one second make equal texts."""
    own = claim.filters.of(claim.layer).to_params()
    parts: list[Any] = [claim.branch_id, claim.layer, claim.version, claim.datum, int(claim.masked), own]
    return _serializer(settings.secret).dumps([*parts, claim.outside_m])


def read(settings: Settings, token: str, *, lifetime_s: int = LIFETIME_S) -> TileClaim:
    """
    Return what a link shows.

    Raises
    ------
    TokenError
        When it is none of ours, or too old.
    """
    try:
        parts = _serializer(settings.secret).loads(token, max_age=lifetime_s)
        branch_id, layer, version, datum, masked, filters, outside_m = parts
    except SignatureExpired:
        raise TokenError(N_("This link has expired. Load the page again.")) from None
    except (BadData, TypeError, ValueError):
        raise TokenError(N_("This link was not made here.")) from None
    if datum not in DATUMS:
        raise TokenError(N_("This link was not made here."))
    return TileClaim(branch_id, layer, version, datum, bool(masked), Filters.from_params(filters), outside_m)


@lru_cache(maxsize=4)
def _serializer(secret: bytes) -> URLSafeTimedSerializer:
    compact = {"separators": (",", ":")}
    return URLSafeTimedSerializer(secret, salt=_SALT, serializer=json, serializer_kwargs=compact)
