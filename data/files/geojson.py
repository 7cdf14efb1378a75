"""GeoJSON: features as rows, their properties as columns, points and areas with a point inside."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from data.files.formats import Chunk, Table, check_headers, shape_chunk, storable, text_array
from geo.errors import N_, FileError
from geo.mending import with_closed_rings

_EPSG = re.compile(r"(?:EPSG|epsg)[:/]+(?:[\d.]*[:/]+)?(\d{4,6})")
_KINDS = frozenset(
    [
        "FeatureCollection",
        "Feature",
        "Topology",
        "GeometryCollection",
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
    ]
)


def is_geojson(tree: dict[str, Any]) -> bool:
    """Whether a tree is GeoJSON, or one of the things that look much like it."""
    return tree.get("type") in _KINDS or "UTF8Encoding" in tree or isinstance(tree.get("features"), list)


def open_geojson(tree: dict[str, Any], **known: Any) -> Table:
    """Return the table of a FeatureCollection, or of one Feature; `known` goes into the `Table`."""
    features = _features(tree)
    properties = [_properties(feature) for feature in features]
    headers = tuple(dict.fromkeys(storable(key) for each in properties for key in each))
    check_headers(headers)

    def chunks(rows: int) -> Iterator[Chunk]:
        for start in range(0, len(features), rows):
            part = slice(start, start + rows)
            columns = [text_array([_plain(each.get(key)) for each in properties[part]]) for key in headers]
            shapes = np.array([_shape(feature.get("geometry")) for feature in features[part]], dtype=object)
            done = min(start + rows, len(features)) / len(features)
            yield shape_chunk(columns, headers, shapes, start, done)

    placed = any(isinstance(feature.get("geometry"), dict) for feature in features)
    return Table(
        form="geojson",
        headers=headers,
        header_row=0,
        has_shapes=placed or not headers,
        epsg=_claimed_epsg(tree),
        _chunks=chunks,
        **known,
    )


def _features(tree: dict[str, Any]) -> list[dict[str, Any]]:
    kind = tree.get("type")
    if kind == "Feature":
        return [tree]
    features = tree.get("features")
    if kind == "Topology" or tree.get("UTF8Encoding"):
        raise FileError(
            N_("The coordinates are packed (TopoJSON or ECharts). Export the list as plain GeoJSON.")
        )
    if kind in ("GeometryCollection", "Point", "MultiPoint", "LineString", "Polygon", "MultiPolygon"):
        raise FileError(
            N_(
                "The file holds bare shapes without names or any other column. Export it as a "
                "FeatureCollection."
            )
        )
    if kind != "FeatureCollection" or not isinstance(features, list):
        raise FileError(N_("This JSON is not GeoJSON. Export the list as GeoJSON, .csv or .xlsx."))
    features = [feature for feature in features if isinstance(feature, dict)]
    if not features:
        raise FileError(N_("The file is empty: it has a header and no rows."))
    return features


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    if "id" in feature and "id" not in properties:
        return {"id": feature["id"], **properties}
    return properties


def _claimed_epsg(tree: dict[str, Any]) -> int | None:
    claim = json.dumps(tree.get("crs"), default=str)
    if found := _EPSG.search(claim):
        return int(found[1])
    return 4326 if "CRS84" in claim else None


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _shape(geometry: Any) -> shapely.Geometry | None:
    """Return a geometry, or None where it is missing or cannot be one."""
    if not isinstance(geometry, dict):
        return None
    coordinates = geometry.get("coordinates")
    if geometry.get("type") == "Point":
        return _point(coordinates)
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except (shapely.errors.ShapelyError, ValueError, TypeError, RecursionError):
        shape = with_closed_rings(geometry)
    return None if shape is None or shape.is_empty else shape


def _point(coordinates: Any) -> shapely.Geometry | None:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    try:
        x, y = float(coordinates[0]), float(coordinates[1])
    except (TypeError, ValueError, OverflowError):
        return None
    return shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None
