"""
What is drawn on the map, as the browser gets it: points, rings, zones and lines in the base map's datum.

Zones are sent simplified, in few letters, and each is worked out once; what is edited is sent corner by
corner, and what comes back keeps every corner that nobody touched (see `restored`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geo.catchment import circle, destination
from geo.datum import convert
from pages.parts.state import View

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
VERTICES = 144
RIM_DEG = 35.0  # where on the rim the radius is written: rings' labels stand apart
RIM_STEP_DEG = -12.0
PACKED_STEPS = 200_000  # of a degree: half a metre
FINE_DEG = 1.5e-5  # a zone's border on the map may be off by so much …
COARSE_DEG = 0.01  # … and one with too many corners by so much
CORNERS = (400, 200, 100, 60)  # of a zone at most: the first at which all zones together have …
MOST_CORNERS = 20_000
MOST_HANDLES = 300  # of a zone that is edited
MIDDLE = 0.6  # of the widest place's radius: so far from the border, the middle is as good
SAME_DEG = 1e-6  # a corner that came back so near is the one that was sent
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Ring(NamedTuple):
    """A circle round the branch with its label; `main` is the one that is looked at."""

    radius_m: float
    label: str
    main: bool = False


class Marked(NamedTuple):
    """A point with a name, WGS 84."""

    lon: float
    lat: float
    label: str = ""


class Dots(NamedTuple):
    """Many small points of one meaning, WGS 84, in a colour, with what they mean for the legend."""

    colour: str
    label: str
    lon: Floats
    lat: Floats


class DrawnZone(NamedTuple):
    """
    A zone as the map shows it.

    Parameters
    ----------
    id
        Its number in the plan; 0 for a draft that is none yet.
    shape
        WGS 84.
    label
        Its name, or what else stands on it.
    fill
        A colour, `#rrggbb`; None for the outline alone.
    locked, selected, faded
        Locked ones carry a lock; what is not looked at is faded.
    hatch
        Strike it through: there is no figure to colour it by, or it wants attention.
    shaded
        The colour says a figure, and is compared with others: less of the ground shows through.
    """

    id: int
    shape: BaseGeometry
    label: str = ""
    fill: str | None = None
    locked: bool = False
    selected: bool = False
    faded: bool = False
    hatch: bool = False
    shaded: bool = False


# Datums -----------------------------------------------------------------------------------------------------


def shifted(point: Marked | View, datum: str) -> tuple[float, float]:
    """Return a point's lon and lat in a datum, to a centimetre."""
    lon, lat = convert(np.array([point.lon]), np.array([point.lat]), "wgs84", datum)
    return round(float(lon[0]), 7), round(float(lat[0]), 7)


def unshifted(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Return the WGS 84 lon and lat of a point Leaflet tells in a base map's datum, round the world too."""
    (corner,) = unshifted_line([(lon, lat)], datum).tolist()
    return corner[0], corner[1]


def unshifted_line(corners: Sequence[Sequence[float]], datum: str) -> Floats:
    """Return the WGS 84 corners, a row each, of a line Leaflet tells in a base map's datum."""
    told = np.asarray(corners, dtype=np.float64).reshape(-1, 2)
    return np.column_stack(convert((told[:, 0] + 180) % 360 - 180, told[:, 1], datum, "wgs84"))


def _in_datum(corners: Floats, datum: str) -> Floats:
    return np.column_stack(convert(corners[:, 0], corners[:, 1], "wgs84", datum))


# Points and rings -------------------------------------------------------------------------------------------


def marked_json(point: Marked | None, datum: str) -> dict[str, object] | None:
    """Return a point with its name, in a datum."""
    return None if point is None else {"at": shifted(point, datum), "label": point.label}


def dots_json(dots: Dots, datum: str) -> dict[str, object]:
    """Return points of one meaning, in a datum."""
    return {
        "colour": dots.colour,
        "label": dots.label,
        "at": steps(*convert(dots.lon, dots.lat, "wgs84", datum)),
    }


@lru_cache(maxsize=200)  # all but the main ring stay as they are when the radius moves
def ring_json(centre: Marked, ring: Ring, number: int, datum: str) -> dict[str, object]:
    """Return a ring's outline, and the spot on its rim where its label stands."""
    outline = np.asarray(circle(centre.lon, centre.lat, ring.radius_m, VERTICES).exterior.coords)[:-1]
    rim = destination(centre.lon, centre.lat, RIM_DEG + RIM_STEP_DEG * number, ring.radius_m)
    return {
        "outline": steps(*convert(outline[:, 0], outline[:, 1], "wgs84", datum)),
        "rim": shifted(Marked(*rim), datum),
        "label": ring.label,
        "main": ring.main,
    }


def steps(lon: Floats, lat: Floats) -> list[int]:
    """Return a line in millionths of a degree: where it starts, then each step, lon and lat in turn."""
    whole = np.round(np.column_stack([lon, lat]) * 1e6).astype(np.int64)
    small: list[int] = np.diff(whole, axis=0, prepend=0).ravel().tolist()
    return small


# Zones and barriers -----------------------------------------------------------------------------------------


def zones_json(zones: Sequence[DrawnZone], datum: str) -> list[dict[str, object]]:
    """Return zones: a thousand crooked ones are drawn more simply than ten."""
    shown = [zone for zone in zones if not zone.shape.is_empty]
    for most in CORNERS:
        outlines = [outline_json(zone.shape, datum, most) for zone in shown]
        if sum(corners for corners, _ in outlines) <= MOST_CORNERS:
            break
    return [_zone_json(zone, outline) for zone, (_, outline) in zip(shown, outlines, strict=True)]


def _zone_json(zone: DrawnZone, outline: dict[str, object]) -> dict[str, object]:
    """Return a zone; what it is not is not said."""
    marks = {name: 1 for name in ("locked", "selected", "faded", "hatch", "shaded") if getattr(zone, name)}
    texts = {name: text for name, text in (("label", zone.label), ("fill", zone.fill)) if text}
    return {"id": zone.id, **outline, **texts, **marks}


@lru_cache(maxsize=4000)
def outline_json(shape: BaseGeometry, datum: str, most: int) -> tuple[int, dict[str, object]]:
    """Return how many corners a shape is drawn with, its outline, and where its label stands."""
    simple = simplified(shape, most)
    parts = [
        ".".join(packed(_in_datum(_corners(ring), datum)) for ring in (part.exterior, *part.interiors))
        for part in _polygons(simple)
    ]
    at = shifted(Marked(*anchor(simple)), datum)
    return shapely.get_num_coordinates(simple), {"shape": "!".join(parts), "at": at}


def simplified(shape: BaseGeometry, most: int) -> BaseGeometry:
    """Return a shape for display: as fine as a screen, and with no more corners than that if it can be."""
    tolerance, simple = FINE_DEG, _simpler(shape, FINE_DEG)
    while shapely.get_num_coordinates(simple) > most and tolerance < COARSE_DEG:
        tolerance *= 2.0
        simple = _simpler(simple, tolerance)
    return simple


def _simpler(shape: BaseGeometry, tolerance: float) -> BaseGeometry:
    """Return a shape with some of its corners; the quick way, unless that crosses itself or loses a part."""
    quick = shapely.simplify(shape, tolerance, preserve_topology=False)
    parts = shapely.get_num_geometries([quick, shape])
    if quick.is_valid and not quick.is_empty and parts[0] == parts[1]:
        return quick
    return shapely.simplify(shape, tolerance)


def anchor(shape: BaseGeometry) -> tuple[float, float]:
    """Return where a shape's label stands: in the middle of its largest part, or where that is widest."""
    largest = max(_polygons(shape), key=lambda part: float(part.area))
    west, south, east, north = largest.bounds
    tolerance = max(east - west, north - south) / 40.0
    widest = shapely.maximum_inscribed_circle(largest, tolerance=tolerance)
    middle = largest.centroid
    if not largest.contains(middle) or largest.exterior.distance(middle) < MIDDLE * widest.length:
        middle = shapely.get_point(widest, 0)
    return float(middle.x), float(middle.y)


def packed(corners: Floats) -> str:
    """Return a line in letters: each step in half metres, five bits a letter, the low ones first."""
    whole = np.round(corners * PACKED_STEPS).astype(np.int64)
    stays = np.r_[True, (np.diff(whole, axis=0) != 0).any(axis=1)]
    small = np.diff(whole[stays], axis=0, prepend=0).ravel()
    letters = []
    for value in ((small << 1) ^ (small >> 63)).tolist():
        while value > 31:
            letters.append(_LETTERS[32 | value & 31])
            value >>= 5
        letters.append(_LETTERS[value])
    return "".join(letters)


@lru_cache(maxsize=200)
def line_json(shape: BaseGeometry, datum: str) -> list[str]:
    """Return the lines of a barrier, or those round its areas."""
    edge = shape.boundary if shapely.get_dimensions(shape) == 2 else shape
    simple = shapely.get_parts(shapely.simplify(edge, FINE_DEG)).tolist()
    return [packed(_in_datum(shapely.get_coordinates(line), datum)) for line in simple]


def _corners(ring: BaseGeometry) -> Floats:
    """Return a ring's corners, the first not said again."""
    return np.asarray(shapely.get_coordinates(ring)[:-1], dtype=np.float64)


def _polygons(shape: BaseGeometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if not part.is_empty]


# Editing ----------------------------------------------------------------------------------------------------


def handles_json(shape: BaseGeometry, datum: str) -> list[list[list[list[float]]]]:
    """Return the corners to take hold of: of each part the outline, then its holes."""
    return [
        [np.round(_in_datum(_corners(ring), datum), 7).tolist() for ring in (part.exterior, *part.interiors)]
        for part in _polygons(handles(shape))
    ]


@lru_cache(maxsize=20)
def handles(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape with few enough of its own corners to take hold of each."""
    if shapely.get_num_coordinates(shape) <= MOST_HANDLES:
        return shape
    return simplified(shape, MOST_HANDLES)


def restored(edited: BaseGeometry, shape: BaseGeometry) -> BaseGeometry:
    """
    Return an edited outline with all the corners its shape had where nobody touched it.

    Parameters
    ----------
    edited
        What was made of the handles.
    shape
        What the handles were made of.
    """
    plain = [_corners(ring) for part in _polygons(shape) for ring in (part.exterior, *part.interiors)]
    held = shapely.get_coordinates(handles(shape))
    known = [(ring, np.unique(_places(held, ring))) for ring in plain]

    def whole(ring: BaseGeometry) -> Floats:
        return _with_corners(_corners(ring), known)

    parts = [
        shapely.Polygon(whole(part.exterior), [whole(hole) for hole in part.interiors])
        for part in _polygons(edited)
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _with_corners(edited: Floats, known: Sequence[tuple[Floats, Ints]]) -> Floats:
    """Return a ring that was edited with the corners put back that lie between two handles still in a row."""
    places = [_places(edited, ring) for ring, _ in known]
    best = int(np.argmax([(place >= 0).sum() for place in places]))
    place, (ring, held) = places[best].tolist(), known[best]
    held = held[held >= 0]
    after = dict(zip(held.tolist(), np.roll(held, -1).tolist(), strict=True))
    found = []
    for here, there, corner in zip(place, [*place[1:], place[0]], edited, strict=True):
        found.append(corner[None] if here < 0 else ring[here : here + 1])
        if here >= 0 and after.get(here) == there:
            found.append(ring[here + 1 : there] if there > here else np.r_[ring[here + 1 :], ring[:there]])
    return np.concatenate(found)


def _places(corners: Floats, ring: Floats) -> Ints:
    """Return which corner of a ring each of some corners is; -1: none."""
    apart, which = cKDTree(ring).query(corners, distance_upper_bound=SAME_DEG)
    return np.where(np.isfinite(apart), which, -1).astype(np.int64)
