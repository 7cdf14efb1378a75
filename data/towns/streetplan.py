"""
The demo town's own street map: a PMTiles archive of vector tiles, so that a map shows without any internet.

Layers: `water`, `green` and `blocks` (areas), `roads` (lines with `kind` and `name`), `labels` (points with
`kind` and `name`).
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from data.basemaps import DEMO, pmtiles_path
from data.config import Settings
from data.towns import invented
from data.towns.town import Town
from geo.tiles import lon_lat, tile_shapes, world_shapes

ZOOMS = range(10, 17)
FROM_ZOOM = {"main": 10, "bridge": 10, "street": 12, "lane": 14, "green": 11, "water": 10, "label": 12}
BLOCKS_FROM_ZOOM = 12
BLOCK_KINDS = {"hospital": "office", "station": "office", "green": "green"}  # else its own
SIMPLER_PX = 0.4  # of a tile 256 pixels wide


@dataclass(frozen=True)
class _Layer:
    """Shapes of one layer on the square world, what they carry, and from which zoom each is drawn."""

    name: str
    shapes: NDArray[Any]
    columns: dict[str, NDArray[Any]]
    from_zoom: NDArray[np.intp]

    def at(self, zoom: int) -> _Layer:
        """Return what is drawn at a zoom, no finer than can be seen there."""
        drawn = self.from_zoom <= zoom
        shapes = shapely.simplify(self.shapes[drawn], SIMPLER_PX / 256 / 2**zoom)
        columns = {name: column[drawn] for name, column in self.columns.items()}
        return _Layer(self.name, shapes, columns, self.from_zoom[drawn])


def write_street_plan(town: Town, path: Path) -> None:
    """
    Draw a town's plan into a PMTiles file; an older one is replaced at once, never half.

    Parameters
    ----------
    town
        The plan.
    path
        The file; its folder is made.
    """
    layers = _layers(town)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as target:
        writer: Any = Writer(target)  # type: ignore[no-untyped-call]  # the package has no types
        tiles = sorted((zxy_to_tileid(*where), content) for where, content in _tiles(layers))
        for tile_id, content in tiles:
            writer.write_tile(tile_id, gzip.compress(content, mtime=0))
        writer.finalize(_header(layers), _told(layers))
    os.replace(draft, path)


def barriers_file(settings: Settings) -> Path:
    """Return where the demo town's river lies as a file of barriers, beside its street plan."""
    return plan_path(settings).with_suffix(".barriers.geojson")


def plan_path(settings: Settings) -> Path:
    """Return where the demo town's street plan lies."""
    return pmtiles_path(settings, DEMO) or settings.var / "basemaps" / f"{DEMO}.pmtiles"


def write_barriers(town: Town, path: Path) -> None:
    """Write a town's river and the bridges over it as GeoJSON, as a user could have them."""
    rows = [(invented.RIVER, "河流", town.river)]
    rows += [(road.name, "桥梁", road.line) for road in town.roads if road.kind == "bridge"]
    features = [
        {
            "type": "Feature",
            "properties": {"名称": name, "类型": kind},
            "geometry": json.loads(shapely.to_geojson(town.geographic(shape))),
        }
        for name, kind, shape in rows
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def _layers(town: Town) -> list[_Layer]:
    """Return the town's layers, the lowest first."""
    greens = [area for area in town.areas if area.kind == "green"]
    blocks = [area for area in town.areas if area.kind != "green"]
    labels = [(place.shape.representative_point(), place.name, place.use) for place in town.places]
    labels += [(greens[-1].shape.representative_point(), invented.GREENS[0], "green")]
    labels += [(_middle_of_river(town), invented.RIVER, "water")]
    return [
        _layer(town, "blocks", [(b.shape, b.name, BLOCK_KINDS.get(b.kind, b.kind)) for b in blocks]),
        _layer(town, "green", [(green.shape, green.name, "green") for green in greens]),
        _layer(town, "water", [(town.river, invented.RIVER, "water")]),
        _layer(town, "roads", [(road.line, road.name, road.kind) for road in town.roads]),
        _layer(town, "labels", labels),
    ]


def _layer(town: Town, name: str, rows: list[tuple[shapely.Geometry, str, str]]) -> _Layer:
    shapes = world_shapes([town.geographic(shape) for shape, _, _ in rows])
    kinds = np.array([kind for _, _, kind in rows], dtype=object)
    titles = np.array([title for _, title, _ in rows], dtype=object)
    if name in ("blocks", "labels"):
        start = {"blocks": BLOCKS_FROM_ZOOM, "labels": FROM_ZOOM["label"]}[name]
        first = np.full(len(rows), start)
    else:
        first = np.array([FROM_ZOOM[kind] for kind in kinds])
    return _Layer(name, shapes, {"kind": kinds, "name": titles}, first)


def _middle_of_river(town: Town) -> shapely.Point:
    """Return a spot in the river, not far from the town's middle."""
    x, y = town.branch
    near = shapely.intersection(town.river, shapely.box(x - 900, y - 4000, x - 500, y + 4000))
    return near.representative_point()


def _tiles(layers: list[_Layer]) -> Iterator[tuple[tuple[int, int, int], bytes]]:
    """Yield each tile that shows anything, zoom by zoom; below an empty tile all are empty."""
    west, south, east, north = shapely.total_bounds(np.concatenate([each.shapes for each in layers]))
    size = 1 << ZOOMS.start
    wanted = [
        (x, y)
        for x in range(int(west * size), int(east * size) + 1)
        for y in range(int(south * size), int(north * size) + 1)
    ]
    for zoom in ZOOMS:
        drawn = [each.at(zoom) for each in layers]
        full = []
        for x, y in wanted:
            parts = [tile_shapes(each.name, each.shapes, zoom, x, y, each.columns) for each in drawn]
            if content := b"".join(parts):
                full.append((x, y))
                yield (zoom, x, y), content
        wanted = [(2 * x + i, 2 * y + j) for x, y in full for i in (0, 1) for j in (0, 1)]


def _told(layers: list[_Layer]) -> dict[str, Any]:
    """Return what readers of the archive go by: without its layers many open nothing."""
    told = [{"id": each.name, "fields": dict.fromkeys(each.columns, "String")} for each in layers]
    return {"name": "演示街道图", "attribution": "Zhendi", "type": "overlay", "vector_layers": told}


def _header(layers: list[_Layer]) -> dict[str, Any]:
    """Return what the archive says of itself: vector tiles, and where they lie."""
    west, south, east, north = shapely.total_bounds(np.concatenate([each.shapes for each in layers]))
    lon, lat = lon_lat(np.array([west, east]), np.array([north, south]))
    bounds = {"min_lon_e7": lon[0], "min_lat_e7": lat[0], "max_lon_e7": lon[1], "max_lat_e7": lat[1]}
    centre = {"center_lon_e7": lon.mean(), "center_lat_e7": lat.mean()}
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "center_zoom": 14,
        **{name: int(round(degrees * 1e7)) for name, degrees in (bounds | centre).items()},
    }
