"""Lists out of the store, as workbook, CSV or map layer: in the datum asked for, nothing in them runs."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import xlsxwriter
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import catalogue, rows, tables
from data.rights import Asker
from data.words import Language
from geo.crs import of_datum
from geo.datum import convert
from geo.errors import N_, DataError, FileError

MAX_SHEET_ROWS = 1_048_575  # below the header
MAX_SHEET_CELL = 32_767
CONSTANT_MEMORY_FROM = 50_000  # rows
MOST_ATTRIBUTES = 50  # columns of the lists' own that go out again, the commonest
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# `source_id` is the list's own identifier (商户编号): with it an exported list updates what it came from.
COLUMNS: dict[str, tuple[str, ...]] = {
    "merchants": (
        "source_id",
        "name",
        "category",
        "category_name",
        "status",
        "lon",
        "lat",
        "address",
        "phone",
        "hours",
        "manager",
    ),
    "outlets": ("source_id", "name", "kind", "is_own", "lon", "lat", "address", "phone"),
    "places": ("source_id", "name", "kind", "households", "adults", "employees", "lon", "lat", "address"),
    "customers": (
        "source_id",
        "name",
        "existing",
        "group",
        "size",
        "tier",
        "deposits",
        "assets",
        "is_key",
        "manager",
        "tags",
        "channels",
        "products",
        "lon",
        "lat",
        "address",
        "phone",
    ),
}


def layer(
    session: Session,
    asker: Asker,
    branch_id: int,
    name: str,
    *,
    ids: Sequence[int] | None = None,
    datum: str = "wgs84",
    language: Language = "zh",
) -> gpd.GeoDataFrame:
    """
    Return a layer of a branch as a list that can be brought back in.

    Parameters
    ----------
    session, asker, branch_id
        The right to export is asked for, and the export written into the audit trail.
    name
        One of `catalogue.LAYERS`.
    ids
        Of the rows wanted, in their order; None: all of them.
    datum
        Of the coordinates, which a last column names.
    language
        Of the category's name.

    Returns
    -------
    rows
        One a row, with `lon` and `lat` as columns and their geometry: a point, of places their shape.
    """
    table = getattr(tables, name)
    if ids is None:
        query = select(table.c.id).where(table.c.branch_id == branch_id).order_by(table.c.id)
        ids = session.execute(query).scalars().all()
    read = {
        "merchants": rows.merchant_rows,
        "customers": rows.customers_near,
        "outlets": rows.outlet_rows,
        "places": rows.place_rows,
    }[name]
    found = read(session, asker, branch_id, ids, purpose="export")
    lon, lat = convert(found["lon"].astype(float), found["lat"].astype(float), "wgs84", datum)
    if name == "customers":
        found["products"] = found["id"].map(_products(session, branch_id)).fillna("")
    named = found.assign(lon=np.round(lon, 7), lat=np.round(lat, 7), **_words(found, language))
    kept = named[[column for column in COLUMNS[name] if column in named]]
    kept = kept.assign(**_attributes(found, {*map(str, kept), "datum", "geometry"}), datum=datum)
    shapes = _shapes(session, branch_id, found["id"], datum) if name == "places" else {}
    points = shapely.points(kept["lon"].to_numpy(), kept["lat"].to_numpy())
    geometry = [shapes.get(row, point) for row, point in zip(found["id"], points, strict=True)]
    return gpd.GeoDataFrame(kept, geometry=geometry, crs=of_datum(datum))


def _attributes(found: pd.DataFrame, taken: set[str]) -> dict[str, pd.Series]:
    """Return the columns that the lists had beside ours, the commonest of them."""
    if "attributes" not in found or found["attributes"].isna().all():
        return {}
    said = found["attributes"].map(json.loads, na_action="ignore")
    counts = Counter(header for each in said.dropna() for header in each)
    headers = [header for header, _count in counts.most_common() if header not in taken][:MOST_ATTRIBUTES]
    return {
        header: said.map(lambda each, header=header: each.get(header, ""), na_action="ignore").fillna("")
        for header in headers
    }


def _shapes(session: Session, branch_id: int, ids: pd.Series, datum: str) -> dict[int, shapely.Geometry]:
    """Return the places' shapes in a datum, by id."""
    places = tables.places.c
    query = select(places.id, places.shape).where(places.branch_id == branch_id, places.shape.is_not(None))
    wanted = set(ids)

    def shifted(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(convert(points[:, 0], points[:, 1], "wgs84", datum))

    return {
        row.id: shapely.transform(shapely.from_wkb(row.shape), shifted)
        for row in session.execute(query)
        if row.id in wanted
    }


def _products(session: Session, branch_id: int) -> dict[int, str]:
    """Return the codes of the products that each customer of a branch holds."""
    of_branch = select(tables.customers.c.id).where(tables.customers.c.branch_id == branch_id)
    query = select(tables.holdings).where(tables.holdings.c.customer_id.in_(of_branch))
    held = pd.DataFrame(session.execute(query).all(), columns=["customer", "product"])
    codes = held["product"].map(catalogue.PRODUCTS.set_index("id")["code"]).sort_values()
    return dict(codes.groupby(held["customer"]).agg(";".join))


def _words(found: pd.DataFrame, language: Language) -> dict[str, pd.Series]:
    named: dict[str, pd.Series] = {}
    if "category_id" in found:
        categories = catalogue.CATEGORIES.set_index("id")
        named["category"] = found["category_id"].map(categories["code"])
        named["category_name"] = found["category_id"].map(categories[language])
    if "group_id" in found:
        named["group"] = found["group_id"].map(catalogue.GROUPS.set_index("id")["code"])
    return named


def form_of(path: Path) -> str:
    """
    Return a file's form by its suffix: a key of `WRITERS`.

    Raises
    ------
    FileError
        For a suffix nobody writes.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in WRITERS:
        raise FileError(
            N_("Lists are written as {forms}, not as {suffix}."),
            forms=", ".join(f".{known}" for known in WRITERS),
            suffix=path.suffix or "-",
        )
    return form


def to_bytes(rows: gpd.GeoDataFrame, form: str, title: str) -> bytes:
    """Return a layer as a file's bytes; `form` is a key of `WRITERS`, `title` names its sheet or layer."""
    return WRITERS[form](rows, title)


def _to_geojson(rows: gpd.GeoDataFrame, title: str) -> bytes:
    return _written(rows, "GeoJSON", title, COORDINATE_PRECISION=7)


def _to_geopackage(rows: gpd.GeoDataFrame, title: str) -> bytes:
    return _written(rows, "GPKG", title)


def _to_geoparquet(rows: gpd.GeoDataFrame, _title: str) -> bytes:
    out = io.BytesIO()
    _mapped(rows).to_parquet(out, index=False)
    return out.getvalue()


def _written(rows: gpd.GeoDataFrame, driver: str, title: str, **options: object) -> bytes:
    out = io.BytesIO()
    pyogrio.write_dataframe(_mapped(rows), out, driver=driver, layer=title, **options)
    return out.getvalue()


def _mapped(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a layer as a map file has it: where a row is says its geometry."""
    plain = pd.DataFrame(rows.drop(columns=["lon", "lat", "geometry"]))
    return gpd.GeoDataFrame(_defused(plain), geometry=rows.geometry.to_numpy(), crs=rows.crs)


def _table(rows: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(rows.drop(columns="geometry"))


WRITERS: dict[str, Callable[[gpd.GeoDataFrame, str], bytes]] = {
    "xlsx": lambda rows, title: to_xlsx({title: _table(rows)}),
    "csv": lambda rows, _title: to_csv(_table(rows)),
    "geojson": _to_geojson,
    "gpkg": _to_geopackage,
    "parquet": _to_geoparquet,
}


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV that Excel reads: UTF-8 with its mark, formulas defused."""
    text = _defused(frame).to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    return b"\xef\xbb\xbf" + text.encode("utf-8", errors="replace")


def to_xlsx(frames: Mapping[str, pd.DataFrame]) -> bytes:
    """Return frames as a workbook, a sheet each; text stays text, whatever it begins with."""
    big = max((len(frame) for frame in frames.values()), default=0)
    if big > MAX_SHEET_ROWS:
        raise DataError(N_("A sheet holds at most {limit} rows. Take the list as CSV."), limit=MAX_SHEET_ROWS)
    out = io.BytesIO()
    options = {
        "constant_memory": big > CONSTANT_MEMORY_FROM,
        "in_memory": big <= CONSTANT_MEMORY_FROM,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        names: set[str] = set()
        for title, frame in frames.items():
            _write(book.add_worksheet(_sheet_name(title, names)), frame, bold)
    return out.getvalue()


def _write(sheet: Any, frame: pd.DataFrame, bold: Any) -> None:
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(frame.columns):
        sheet.write_string(0, at, _text(str(column)), bold)
        sheet.set_column(at, at, max(10, min(40, 2 + 2 * len(str(column)))))
    columns = [_cells(frame[column]) for column in frame.columns]
    for row, cells in enumerate(zip(*columns, strict=True), start=1):
        for at, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, at, cell)
            elif cell is not None:
                sheet.write(row, at, cell)


def _cells(series: pd.Series) -> list[Any]:
    """Return a column's cells: text defused, numbers as numbers, None where there is nothing."""
    return [_cell(value) for value in series.astype(object).tolist()]


def _cell(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int):
        return value if abs(value) < 1e15 else str(value)
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "seconds")
    return _text(str(value))


def _text(text: str) -> str:
    clean = "".join(letter for letter in text if letter >= " " or letter in "\t\n\r")
    defused = f"'{clean}" if clean.startswith(_FORMULA) else clean
    return defused[:MAX_SHEET_CELL]


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a name Excel takes: 31 characters, no bracket, colon, star, question mark or slash, once."""
    base = "".join(" " if letter in "[]:*?/\\" else letter for letter in title).strip(" '")[:28] or "Sheet"
    name, number = base, 1
    while name.lower() in taken:
        number += 1
        name = f"{base} {number}"
    taken.add(name.lower())
    return name


def _defused(frame: pd.DataFrame) -> pd.DataFrame:
    safe = {column: _safe(frame[column]) for column in frame.columns}
    return pd.DataFrame(safe).set_axis([_text(str(column)) for column in frame.columns], axis=1)


def _safe(series: pd.Series) -> pd.Series:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay numbers."""
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return series
    values = series.astype(object)
    risky: NDArray[np.bool_] = np.fromiter(
        (isinstance(value, str) and value.startswith(_FORMULA) for value in values),
        dtype=bool,
        count=len(values),
    )
    if not risky.any():
        return values
    values = values.copy()
    values[risky] = "'" + values[risky].astype(str)
    return values
