"""What a file says of its reference system: an EPSG number where that can be told, else its words."""

from __future__ import annotations

from typing import NamedTuple

from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

LONGEST = 20_000  # characters; a longer description is none
SURE = 70  # of 100: the same system under a name of another maker


class Named(NamedTuple):
    """As `data.files.formats.Table` has it."""

    epsg: int | None = None
    crs: str | None = None


def named(words: object) -> Named:
    """
    Return what a WKT, a PROJJSON or `authority:code` names.

    What pyproj cannot read names nothing: the list is then like one that says nothing.
    """
    if not words or len(str(words)) > LONGEST:
        return Named()
    try:
        crs = CRS.from_user_input(words)
        epsg = crs.to_epsg(min_confidence=SURE)
    except (ProjError, TypeError, ValueError, AttributeError, RecursionError):
        return Named()
    if "CRS84" in (crs.to_authority() or ()):
        return Named(4326)
    return Named(epsg) if epsg is not None else Named(None, crs.to_wkt())
