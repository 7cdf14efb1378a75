"""GeoJSON: features as rows, their properties as columns, points and areas with a point inside."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from data.formats import NONE_RAGGED, Chunk, Table, cell_text, check_cells, check_headers
from geo.errors import N_, FileError

MAX_TREE_BYTES = 300 * 2**20  # it is parsed as a whole
_EPSG = re.compile(r"(?:EPSG|epsg)[:/]+(?:[\d.]*[:/]+)?(\d{4,6})")


def open_geojson(text: IO[bytes], name: str, digest: str, encoding: str) -> Table:
    """Return the table of a FeatureCollection, or of one Feature."""
    tree = _parsed(text)
    features = _features(tree)
    properties = [_properties(feature) for feature in features]
    headers = tuple(dict.fromkeys(key for each in properties for key in each))
    check_headers(headers)
    epsg = _claimed_epsg(tree)

    def chunks(rows: int) -> Iterator[Chunk]:
        for start in range(0, len(features), rows):
            part = slice(start, start + rows)
            yield _feature_chunk(features[part], properties[part], headers, start, len(features))

    return Table(
        name=name,
        form="geojson",
        headers=headers,
        sha256=digest,
        encoding=encoding,
        header_row=0,
        epsg=epsg,
        _chunks=chunks,
    )


def _parsed(text: IO[bytes]) -> dict[str, Any]:
    size = text.seek(0, io.SEEK_END)
    text.seek(0)
    if size > MAX_TREE_BYTES:
        raise FileError(
            N_("The GeoJSON file is larger than {limit} MB. Split it, or save the list as .csv."),
            limit=MAX_TREE_BYTES >> 20,
        )
    try:
        tree = json.loads(text.read())
    except json.JSONDecodeError as error:
        raise FileError(
            N_("The JSON is damaged or cut short at line {line}. Export it again."), line=error.lineno
        ) from error
    except (RecursionError, ValueError) as error:
        raise FileError(
            N_("The JSON is no list: it is nested too deep or holds impossible numbers.")
        ) from error
    if not isinstance(tree, dict):
        raise FileError(N_("This JSON is not GeoJSON. Export the list as GeoJSON, .csv or .xlsx."))
    return tree


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


def _feature_chunk(
    features: list[dict[str, Any]],
    properties: list[dict[str, Any]],
    headers: tuple[str, ...],
    start: int,
    total: int,
) -> Chunk:
    columns = [
        pa.array([_property(each.get(header)) for each in properties], pa.string()) for header in headers
    ]
    names = [str(at) for at in range(len(headers))]
    batch = pa.RecordBatch.from_arrays(columns, names=names)
    check_cells(batch)
    frame = batch.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    frame.columns = pd.Index(headers)
    frame.index = pd.RangeIndex(len(features))
    shapes = np.array([_shape(feature.get("geometry")) for feature in features], dtype=object)
    lon, lat = _points(shapes)
    numbers = np.arange(start + 1, start + 1 + len(features), dtype=np.int64)
    return Chunk(numbers, frame, NONE_RAGGED, (start + len(features)) / total, lon, lat, shapes)


def _property(value: Any) -> str:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    # A lone surrogate is legal in JSON and cannot be stored.
    return cell_text(value).encode("utf-8", errors="replace").decode("utf-8")


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
        return None
    return None if shape.is_empty else shape


def _point(coordinates: Any) -> shapely.Geometry | None:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    try:
        x, y = float(coordinates[0]), float(coordinates[1])
    except (TypeError, ValueError, OverflowError):
        return None
    return shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None


def _points(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one point a shape: its own, or one surely inside it."""
    inside = np.array(shapes, dtype=object)
    areas = ~np.isin(shapely.get_type_id(shapes), (-1, 0))
    if areas.any():
        inside[areas] = shapely.point_on_surface(shapely.make_valid(shapes[areas]))
    return shapely.get_x(inside), shapely.get_y(inside)
