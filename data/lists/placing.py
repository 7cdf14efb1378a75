"""Where a row is: its coordinates as numbers, and why some rows cannot be placed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

from data.files.readers import Chunk, Table
from data.lists.reasons import (
    FOREIGN,
    IMPOSSIBLE,
    METRES,
    NO_COORDINATES,
    NOT_A_NUMBER,
    OK,
    SWAPPED,
    TOO_LARGE,
)
from data.meaning import headers as header_words
from data.meaning import values
from data.meaning.headers import Pair
from geo import crs
from geo.errors import N_, CrsError, FileError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Near = tuple[float, float] | None

DEGREES = frozenset({4326, 4490, 4979, 4480})  # WGS 84 and CGCS2000, which are one to within a metre
WEB_MERCATOR = 3857
MOST_METRES = 0.5  # of the rows with numbers
LARGEST_SHOP_DEG = 0.1  # a shape wider than this is a district, not a merchant
LONGEST_VALUE = 40  # characters of a bad cell that a reason repeats
_EPSG = re.compile(r"(?<![a-z])epsg[\s:_\-]*(\d{4,5})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class ToDegrees:
    """The way from a list's own coordinates to WGS 84 degrees."""

    crs: CRS
    northing_first: bool = False
    found: bool = False
    """Whether the values told the system; else the file declares it."""

    @property
    def epsg(self) -> int | None:
        """The system's number, None where it has none."""
        return None if (number := self.crs.to_epsg()) is None else int(number)

    def transform(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes, NaN where there are none."""
        lon, lat = crs.to_wgs84(y, x, self.crs) if self.northing_first else crs.to_wgs84(x, y, self.crs)
        lost = ~(np.isfinite(lon) & np.isfinite(lat))
        lon[lost] = lat[lost] = np.nan
        return lon, lat


def to_degrees(table: Table, first: Chunk, pair: Pair | None, near: Near = None) -> ToDegrees | None:
    """
    Return how a list's coordinates become WGS 84 degrees; None where they are degrees of some datum already.

    Parameters
    ----------
    table, first
        The list and its first rows.
    pair
        The columns with coordinates; None for shapes.
    near
        Where the branch is: of several zones the one that lies there is taken.

    Raises
    ------
    FileError
        When the system does not exist or is not published, or the values fit several.
    """
    if (declared := _declared(table, pair)) is not None:
        return declared
    lon, lat = _first_numbers(first, pair)
    metres = judged(lon, lat) == METRES
    if not metres.any() or metres.sum() <= MOST_METRES * np.isfinite(lon + lat).sum():
        return None
    found = [each for each in crs.projections(lon[metres], lat[metres], near) if _is_here(each)]
    named = _named_epsg(table)
    found = [each for each in found if each.epsg in named] or found
    if len(found) > 1:
        raise FileError(
            N_(
                "The coordinates are metres of a projection, and several fit: {found}. Write the right one "
                "into the file's name, as EPSG{epsg}, or export the list with longitude and latitude."
            ),
            found="; ".join(f"EPSG:{each.epsg} ({each.lon:.4f}, {each.lat:.4f})" for each in found),
            epsg=found[0].epsg,
        )
    if not found:
        return None
    if found[0].epsg == WEB_MERCATOR and "bd09" in _words_of(table):
        raise FileError(
            N_("The coordinates are Baidu's own metres. Export the list with longitude and latitude.")
        )
    return ToDegrees(CRS.from_epsg(found[0].epsg), found[0].northing_first, found=True)


def _declared(table: Table, pair: Pair | None) -> ToDegrees | None:
    """Return the way from the system that a file declares; of columns it says nothing."""
    if pair is not None or (table.epsg is None and table.crs is None) or table.epsg in DEGREES:
        return None
    try:
        system = CRS.from_user_input(table.crs if table.epsg is None else table.epsg)
        crs.to_wgs84([0.0], [0.0], system)
    except ProjError as error:
        raise FileError(
            N_("The file declares EPSG:{epsg}, which does not exist."), epsg=table.epsg or "?"
        ) from error
    except CrsError as error:
        raise FileError(error.message, **error.values) from error
    return ToDegrees(system)


def _first_numbers(first: Chunk, pair: Pair | None) -> tuple[Floats, Floats]:
    if pair is None:
        assert first.lon is not None and first.lat is not None
        return first.lon, first.lat
    texts = pair_text(first.frame, pair)
    return values.degrees(texts[0])[0], values.degrees(texts[1])[0]


def _is_here(projection: crs.Projection) -> bool:
    return bool(_in_china(np.array([projection.lon]), np.array([projection.lat]))[0])


def _named_epsg(table: Table) -> set[int]:
    """Return the systems that the file's own words name."""
    texts = (table.name, table.sheet or "", table.shape_header or "", *table.headers)
    return {int(number) for text in texts for number in _EPSG.findall(text)}


def _words_of(table: Table) -> set[str]:
    texts = (table.name, table.sheet or "", *table.headers)
    return {datum for text in texts for datum in header_words.named_datums(text)}


@dataclass
class Placed:
    """Positions as the file has them, why some are none, and of those the column and the bad text."""

    lon: Floats
    lat: Floats
    reason: NDArray[np.int8]
    where: dict[int, tuple[str, str]]


def pair_text(frame: pd.DataFrame, pair: Pair) -> tuple[pd.Series, pd.Series]:
    """Return the texts of longitude and latitude."""
    if pair.lon != pair.lat:
        return frame[pair.lon], frame[pair.lat]
    first, second = values.split_pair(frame[pair.lon])
    return (second, first) if _is_latitude_first(pair, first, second) else (first, second)


def _is_latitude_first(pair: Pair, first: pd.Series, second: pd.Series) -> bool:
    """Whether the latitude stands before the longitude: as the header says, else as the values do."""
    if pair.latitude_first or header_words.plain(pair.lon).startswith(("lon", "lng", "经")):
        return pair.latitude_first
    reasons = judged(values.degrees(first)[0], values.degrees(second)[0])
    return int((reasons == SWAPPED).sum()) > int((reasons == OK).sum())


def place(chunk: Chunk, kind: str, pair: Pair | None, transform: ToDegrees | None) -> Placed:
    """
    Return where the rows of a chunk are.

    Parameters
    ----------
    chunk, kind
        Of a list of what.
    pair
        The columns with coordinates; None for shapes.
    transform
        From another system to degrees.
    """
    if pair is None:
        return _placed_shapes(chunk, kind, transform)
    texts = pair_text(chunk.frame, pair)
    lon, no_lon, bad_lon = values.degrees(texts[0])
    lat, no_lat, bad_lat = values.degrees(texts[1])
    if transform is not None:
        lon, lat = transform.transform(lon, lat)
    reason = judged(lon, lat)
    if transform is not None:
        reason[np.isnan(lon)] = IMPOSSIBLE
    reason[bad_lon | bad_lat] = NOT_A_NUMBER
    reason[no_lon | no_lat] = NO_COORDINATES
    return Placed(
        lon, lat, reason, _blamed(reason, pair, texts, (no_lon, no_lat), (bad_lon, bad_lat), (lon, lat))
    )


def _blamed(
    reason: NDArray[np.int8],
    pair: Pair,
    texts: tuple[pd.Series, pd.Series],
    missing: tuple[Bools, Bools],
    bad: tuple[Bools, Bools],
    degrees: tuple[Floats, Floats],
) -> dict[int, tuple[str, str]]:
    """Return the column to blame for each row that cannot be placed, and what stands there."""
    at = (reason != OK).nonzero()[0]
    cells = [texts[axis].iloc[at].str.strip().str.slice(0, LONGEST_VALUE).tolist() for axis in (0, 1)]
    code = reason[at]
    # Latitude is to blame where longitude is not.
    second = np.where(
        code == NO_COORDINATES,
        missing[1][at] & ~missing[0][at],
        np.where(code == NOT_A_NUMBER, ~bad[0][at], False),
    )
    with np.errstate(invalid="ignore"):
        second |= (code == IMPOSSIBLE) & ~(np.abs(degrees[0][at]) > 180)
    alone = np.isin(code, (NO_COORDINATES, NOT_A_NUMBER, IMPOSSIBLE))
    columns = (pair.lon, pair.lat)
    return {
        position: (columns[axis], cells[axis][row] if single else f"{cells[0][row]}, {cells[1][row]}")
        for row, (position, axis, single) in enumerate(
            zip(at.tolist(), second.astype(int).tolist(), alone.tolist(), strict=True)
        )
    }


def _placed_shapes(chunk: Chunk, kind: str, transform: ToDegrees | None) -> Placed:
    assert chunk.lon is not None and chunk.lat is not None and chunk.shapes is not None
    lon, lat = chunk.lon.copy(), chunk.lat.copy()
    missing = np.isnan(lon) | np.isnan(lat)
    if transform is not None:
        lon, lat = transform.transform(lon, lat)
    reason = judged(lon, lat)
    reason[np.isnan(lon)] = IMPOSSIBLE
    reason[missing] = NO_COORDINATES
    if kind in ("merchants", "outlets", "customers") and transform is None:
        west, south, east, north = shapely.bounds(chunk.shapes).T
        with np.errstate(invalid="ignore"):
            wide = np.maximum(east - west, north - south) > LARGEST_SHOP_DEG
        reason[wide & (reason == OK)] = TOO_LARGE
    where = {
        at: ("geometry", f"{lon[at]:.6g}, {lat[at]:.6g}")
        for at in (reason > NO_COORDINATES).nonzero()[0].tolist()
    }
    where |= {at: ("geometry", "") for at in (reason == NO_COORDINATES).nonzero()[0].tolist()}
    return Placed(lon, lat, reason, where)


def judged(lon: Floats, lat: Floats) -> NDArray[np.int8]:
    """Return why each position cannot be one in China, OK where it can; of missing ones something."""
    reason = np.full(len(lon), FOREIGN, dtype=np.int8)
    with np.errstate(invalid="ignore"):
        inside = _in_china(lon, lat)
        swapped = ~inside & _in_china(lat, lon)
        impossible = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        metres = (
            ((np.abs(lon) > 1000) & (np.abs(lat) > 1000)) | (np.abs(lat) > 100_000) | (np.abs(lon) > 100_000)
        )
        nowhere = (lon == 0) & (lat == 0)
    reason[impossible] = IMPOSSIBLE
    reason[metres] = METRES
    reason[swapped] = SWAPPED
    reason[nowhere] = NO_COORDINATES
    reason[inside] = OK
    return reason


def _in_china(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    outline = _outline()
    west, south, east, north = outline.bounds
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    inside[inside] = shapely.contains_xy(outline, lon[inside], lat[inside])
    return np.asarray(inside, dtype=bool)


def _outline() -> shapely.Geometry:
    """
    Return a generous outline of China with its seas: it only tells here from abroad.

    It is drawn round Natural Earth's (public domain), coarse to a tenth of a degree.
    """
    if not _OUTLINE:
        outline = shapely.from_wkt(Path(__file__).with_name("china_outline.wkt").read_text())
        shapely.prepare(outline)
        _OUTLINE.append(outline)
    return _OUTLINE[0]


_OUTLINE: list[shapely.Geometry] = []
