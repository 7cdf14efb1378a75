"""Where a row is: its coordinates as numbers, and why some rows cannot be placed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from data import values
from data.headers import Pair
from data.readers import Chunk
from data.reasons import FOREIGN, IMPOSSIBLE, METRES, NO_COORDINATES, NOT_A_NUMBER, OK, SWAPPED, TOO_LARGE
from geo.errors import N_, FileError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LARGEST_SHOP_DEG = 0.1  # a shape wider than this is a district, not a merchant
LONGEST_VALUE = 40  # characters of a bad cell that a reason repeats


def transformer(epsg: int | None) -> Transformer | None:
    """Return how a declared projection becomes degrees; None where it is degrees already."""
    if epsg is None:
        return None
    try:
        crs = CRS.from_epsg(epsg)
    except ProjError as error:
        raise FileError(N_("The file declares EPSG:{epsg}, which does not exist."), epsg=epsg) from error
    if crs.is_geographic or not crs.is_projected:
        return None
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


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
    return (second, first) if pair.latitude_first else (first, second)


def place(chunk: Chunk, kind: str, pair: Pair | None, transform: Transformer | None) -> Placed:
    """
    Return where the rows of a chunk are.

    Parameters
    ----------
    chunk, kind
        Of a list of what.
    pair
        The columns with coordinates; None for GeoJSON's geometry.
    transform
        From a declared projection to degrees.
    """
    if pair is None:
        return _placed_shapes(chunk, kind, transform)
    texts = pair_text(chunk.frame, pair)
    lon, no_lon, bad_lon = values.degrees(texts[0])
    lat, no_lat, bad_lat = values.degrees(texts[1])
    reason = judged(lon, lat)
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


def _placed_shapes(chunk: Chunk, kind: str, transform: Transformer | None) -> Placed:
    assert chunk.lon is not None and chunk.lat is not None and chunk.shapes is not None
    lon, lat = chunk.lon.copy(), chunk.lat.copy()
    missing = np.isnan(lon) | np.isnan(lat)
    if transform is not None:
        lon, lat = transform.transform(lon, lat)
        lost = ~(np.isfinite(lon) & np.isfinite(lat))
        lon[lost] = lat[lost] = np.nan
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
