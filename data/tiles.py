"""What a map tile carries of each layer: no name, phone, deposits or address, and customers as cells only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from data.catalogue import LAYERS, top_of
from data.figures import FEWEST
from data.filters import SIGNED, Filters, shown
from data.snapshots import Customers, Layer, Merchants, Outlets, Places, Snapshot, snapshot
from data.tokens import TileClaim
from geo import tiles
from geo.errors import NotFound, TokenError
from geo.tiles import CELL_STEPS, CUSTOMER_CELL, Shown

__all__ = ["LAYERS", "Drawn", "drawn", "tile"]

POINTS_A_CELL = 5  # on average, above which points hide one another
Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A layer as a filter and a base map's datum leave it: rows along the curve, and what points carry."""

    shown: Shown
    columns: Columns
    _crowded: dict[int, bool] = field(default_factory=dict, repr=False)

    def is_crowded(self, z: int) -> bool:
        """Whether points would hide one another at a zoom: it is cells throughout then, without seams."""
        if z not in self._crowded:
            a_tile, a_cell = self._runs(z), self._runs(z + CELL_STEPS)
            self._crowded[z] = len(a_tile) > 0 and bool(
                a_tile.max() > tiles.MAX_POINTS or a_cell.mean() > POINTS_A_CELL
            )
        return self._crowded[z]

    def _runs(self, z: int) -> NDArray[np.intp]:
        """Return how many rows lie in each tile of a zoom that has any."""
        codes = self.shown.codes >> np.uint64(64 - 2 * z) if z else np.zeros_like(self.shown.codes)
        ends = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        return np.diff(ends, prepend=0, append=len(codes)) if len(codes) else ends

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        own: list[NDArray[Any]] = [
            self.shown.rows,
            self.shown.codes,
            self.shown.x,
            self.shown.y,
            *self.shown.sums.values(),
        ]
        return sum(array.nbytes for array in (*own, *self.columns.values()))


def tile(engine: Engine, claim: TileClaim, z: int, x: int, y: int) -> bytes:
    """
    Return the tile a signed link asks for; empty where nothing lies.

    Parameters
    ----------
    engine
        Of the store.
    claim
        What the link was signed for, which is the right to it.
    z, x, y
        The tile.

    Raises
    ------
    TokenError
        When the data have changed since the link was signed, and the old ones are gone.
    TileError
        When there is no such tile.
    """
    tiles.check_tile(z, x, y)
    try:
        held = snapshot(engine, claim.branch_id, claim.version)
    except NotFound as error:
        raise TokenError(error.message, **error.values) from error
    layer = drawn(held, claim.layer, claim.filters, claim.datum, claim.outside_m)
    if claim.layer == "customers":
        at_least = FEWEST if claim.masked else 1
        return tiles.tile_cells(layer.shown, z, x, y, finest=CUSTOMER_CELL, centred=True, at_least=at_least)
    if layer.is_crowded(z):
        return tiles.tile_cells(layer.shown, z, x, y)
    return tiles.tile(layer.shown, z, x, y, layer.columns)


def drawn(
    held: Snapshot, layer: str, filters: Filters, datum: str = "wgs84", outside_m: float | None = None
) -> Drawn:
    """Return a layer's rows that a map shows, made once and kept with the snapshot."""
    acting = filters.of(layer)

    def make() -> Drawn:
        return _draw(held, layer, acting, datum, outside_m)

    made: Drawn = held.worked.get(("drawn", layer, acting, datum, outside_m), make)
    return made


def _draw(held: Snapshot, name: str, filters: Filters, datum: str, outside_m: float | None) -> Drawn:
    layer: Layer = getattr(held, name)
    mask = shown(held, name, filters)
    if outside_m is not None:
        mask = mask & (layer.reach_m > outside_m)
    return Drawn(layer.on(datum).show(mask, _sums(layer)), _columns(layer))


def _sums(layer: Layer) -> Columns:
    """Return what cells add up."""
    if isinstance(layer, Merchants):
        signed = (layer.status == SIGNED).astype(np.int32)
        # A cell of one is drawn as the merchant it is: of one, a sum is the value.
        return {"signed": signed, **_columns(layer)}
    if isinstance(layer, Customers):
        return {"people": layer.people, "existing": layer.existing.astype(np.int32)}
    return {}


def _columns(layer: Layer) -> Columns:
    """Return what a point carries."""
    if isinstance(layer, Merchants):
        return {
            "category": top_of()[layer.category].astype(np.int32),
            "status": layer.status.astype(np.int32),
        }
    if isinstance(layer, Outlets):
        return {"kind": layer.kind, "own": layer.own}
    if isinstance(layer, Places):
        people = np.fmax(layer.households, layer.employees / 3)
        return {"kind": layer.kind, "people": np.nan_to_num(people).astype(np.int32)}
    return {}
