"""A chunk of a list as rows of the store: what the cells say, kind by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table as SqlTable

from data import catalogue, tables
from data.lists.cells import Cells, given_names
from data.lists.survey import length
from data.meaning import kinds, phones, values
from data.meaning.pinyin import initials

Floats = NDArray[np.float64]


@dataclass
class Fields:
    """
    The rows of a chunk that go into the store, and what their cells say.

    Parameters
    ----------
    cells, rows
        The cells as text, and the file's row numbers.
    lon, lat
        WGS 84.
    category
        Of merchants the category's id, of customers the group's.
    outlet
        1 + the index in `OUTLET_KINDS`, 0 for what is none.
    target
        The id of the stored row that is updated, 0 for a new one.
    shapes
        WKB of areas in WGS 84, None for points and lists without shapes.
    bank
        Our own brand.
    warn
        Told a key of `WARNINGS` and how many rows it is about.
    managers
        Gives the ids of people by name, and adds those who are new.
    """

    cells: Cells
    rows: NDArray[np.int64]
    lon: Floats
    lat: Floats
    category: NDArray[np.int16]
    outlet: NDArray[np.int8]
    target: NDArray[np.int64]
    shapes: NDArray[np.object_] | None
    bank: str
    warn: Callable[[str, int], None]
    managers: Callable[[set[str]], dict[str, int]]

    def text(self, name: str, column: SqlTable) -> pd.Series | None:
        """Return a field's texts, no longer than the store keeps."""
        found = self.cells.text(name)
        return None if found is None else self._kept(found, name, column)

    def phone(self, table: SqlTable) -> pd.Series | None:
        """Return telephone numbers as they are read best; what is none stays as it was written."""
        written = self.cells.text("phone")
        if written is None:
            return None
        found = phones.read(written)
        self.warn("unknown_phone", int(found.junk.sum()))
        return self._kept(found.shown, "phone", table)

    def _kept(self, found: pd.Series, name: str, column: SqlTable) -> pd.Series:
        limit = length(column, name)
        if limit and (long := found.str.len() > limit).any():
            self.warn("too_long", int(long.sum()))
            found = found.str.slice(0, limit)
        return found.mask(found == "", None)

    def named(self, table: SqlTable) -> pd.Series:
        """Return names; a row with neither name nor address is called by what it is and its row."""
        names = self.cells.names().str.slice(0, length(table, "name"))
        if (names == "").any():
            names = names.mask(names == "", given_names(table.name, self.rows))
        told = self.cells.text("name")
        return self.unless_told(names, None if told is None else told != "")

    def unless_told(self, found: Any, told: pd.Series | None) -> pd.Series:
        """Return what was worked out, but of stored rows only what the list says itself: the rest is left."""
        series = pd.Series(found)
        silent = pd.Series(self.target > 0) if told is None else (self.target > 0) & ~told
        return series.mask(silent, None) if silent.any() else series

    def has(self, name: str) -> pd.Series | None:
        """Return which rows say something in a field; None where the list has no such column."""
        found = self.cells.text(name)
        return None if found is None else found != ""

    def amount(self, name: str) -> Floats | None:
        """Return a field's numbers, NaN where there is none."""
        column = self.cells.column(name)
        if column is None:
            return None
        found, bad = values.numbers(column, self.cells.unit(name))
        self.warn("not_an_amount", int(bad.sum()))
        found[np.abs(found) > 1e15] = np.nan
        return found

    def whole(self, name: str) -> pd.Series | None:
        """Return a field's counts as whole numbers."""
        found = self.amount(name)
        if found is None:
            return None
        found[(found < 0) | (found > 2**31 - 1)] = np.nan
        return pd.Series(np.round(found)).astype("Int64")

    def coded(self, name: str, kind: str, warning: str) -> pd.Series | None:
        """Return a field's codes, None where it says nothing known."""
        column = self.cells.column(name)
        if column is None:
            return None
        found, unknown = values.codes(column, kind)
        self.warn(warning, int(unknown.sum()))
        series = pd.Series(found, dtype=object)
        return series.mask(series == "", None)

    def manager_ids(self) -> pd.Series | None:
        """Return the person of each manager named."""
        names = self.cells.text("manager")
        if names is None:
            return None
        names = names.str.slice(0, length(tables.people, "name"))
        return names.map(self.managers(set(names.unique()) - {""})).astype("Int64")


def _frame(job: Fields, **given: Any) -> pd.DataFrame:
    """Return a frame of the columns that the list has; an update leaves alone those it has not."""
    given["attributes"] = job.cells.attributes()
    return pd.DataFrame({name: column for name, column in given.items() if column is not None}).assign(
        lon=job.lon, lat=job.lat
    )


def _merchants(job: Fields) -> pd.DataFrame:
    names = job.named(tables.merchants)
    built = _frame(
        job,
        source_id=job.text("source_id", tables.merchants),
        name=names,
        initials=initials(names),
        category_id=job.unless_told(job.category.astype(np.int64), job.has("category")),
        status=job.coded("status", "status", "unknown_status"),
        address=job.text("address", tables.merchants),
        phone=job.phone(tables.merchants),
        hours=job.text("hours", tables.merchants),
        manager_id=job.manager_ids(),
    )
    kinds_of = np.array(["", *catalogue.OUTLET_KINDS], dtype=object)
    is_own = np.zeros(len(names), dtype=bool)
    if len(outlets := (job.outlet > 0).nonzero()[0]):
        is_own[outlets] = kinds.own(names.iloc[outlets].fillna("").reset_index(drop=True), job.bank)
    return built.assign(kind=kinds_of[job.outlet], is_own=_whose(job, is_own))


def _whose(job: Fields, is_own: NDArray[np.bool_]) -> pd.Series:
    """Return whether outlets are ours; where our bank's name is not set, stored ones stay as they are."""
    return pd.Series(is_own) if job.bank else job.unless_told(is_own, None)


def _outlets(job: Fields) -> pd.DataFrame:
    names = job.named(tables.outlets)
    brand = job.cells.text("brand")
    kind = job.coded("kind", "outlet", "unknown_kind")
    from_name = pd.Series(
        kinds.outlet_kinds(names.fillna(""), np.full(len(names), "", dtype=object)), dtype=object
    )
    from_name = from_name.mask(from_name == "", "bank")
    kind = job.unless_told(from_name if kind is None else kind.fillna(from_name), job.has("kind"))
    is_own = kinds.own(names.fillna(""), job.bank)
    if brand is not None:
        is_own = is_own | kinds.own(brand, job.bank)
    return _frame(
        job,
        source_id=job.text("source_id", tables.outlets),
        name=names,
        initials=initials(names),
        kind=kind.mask((kind == "bank") & (from_name == "atm"), "atm"),
        is_own=_whose(job, is_own),
        address=job.text("address", tables.outlets),
        phone=job.phone(tables.outlets),
    )


def _places(job: Fields) -> pd.DataFrame:
    names = job.named(tables.places)
    kind = job.coded("kind", "place", "unknown_kind")
    if kind is None or kind.isna().any():
        guessed = pd.Series(values.codes(names.fillna(""), "place")[0], dtype=object)
        guessed = guessed.mask(guessed == "", "community")
        kind = job.unless_told(guessed if kind is None else kind.fillna(guessed), job.has("kind"))
    return _frame(
        job,
        source_id=job.text("source_id", tables.places),
        name=names,
        initials=initials(names),
        kind=kind,
        households=job.whole("households"),
        adults=job.whole("adults"),
        employees=job.whole("employees"),
        shape=None if job.shapes is None else pd.Series(job.shapes, dtype=object),
        address=job.text("address", tables.places),
    )


def _customers(job: Fields) -> pd.DataFrame:
    deposits, assets, size = job.amount("deposits"), job.amount("assets"), job.whole("size")
    return _frame(
        job,
        source_id=job.text("source_id", tables.customers),
        existing=_existing(job, deposits, size),
        group_id=job.unless_told(job.category.astype(np.int64), job.has("group")),
        size=None if size is None else size.clip(lower=1),
        name=job.text("name", tables.customers),
        phone=job.phone(tables.customers),
        address=job.text("address", tables.customers),
        tier=_tiers(job, deposits, assets),
        deposits=deposits,
        assets=assets,
        manager_id=job.manager_ids(),
        is_key=_key(job),
        tags=_lists(job, "tags"),
        channels=_lists(job, "channels"),
        holdings=_holdings(job),
    )


def _key(job: Fields) -> pd.Series | None:
    column = job.cells.column("key")
    if column is None:
        return None
    found = values.truths(column)[0]
    return pd.Series(found == 1).astype(object).mask(np.isnan(found), None)


def _existing(job: Fields, deposits: Floats | None, size: pd.Series | None) -> pd.Series:
    """Return who is a customer already: as the list says, else who has deposits; nobody in a group."""
    count = len(job.cells)
    has_money = np.zeros(count, dtype=bool) if deposits is None else deposits > 0
    told = job.cells.column("existing")
    if told is None:
        many = np.zeros(count, dtype=bool) if size is None else (size > 1).fillna(False).to_numpy(bool)
        return job.unless_told((has_money | (deposits is None)) & ~many, None)
    found, _ = values.truths(told)
    return job.unless_told(np.where(np.isnan(found), has_money, found == 1), pd.Series(~np.isnan(found)))


def _tiers(job: Fields, deposits: Floats | None, assets: Floats | None) -> pd.Series | None:
    """Return the tier as the list says, else by the household's assets, else by the deposits here."""
    told = job.coded("tier", "tier", "unknown_tier")
    amount = (
        deposits
        if assets is None
        else assets
        if deposits is None
        else np.where(np.isnan(assets), deposits, assets)
    )
    if amount is None:
        return told
    floors = np.array([tier.from_yuan for tier in catalogue.TIERS])
    codes = np.array(catalogue.TIER_CODES, dtype=object)
    worked_out = pd.Series(
        codes[np.searchsorted(floors, np.maximum(np.nan_to_num(amount), 0), side="right") - 1], dtype=object
    )
    worked_out = worked_out.mask(np.isnan(amount), None)
    return worked_out if told is None else told.fillna(worked_out)


def _lists(job: Fields, name: str) -> pd.Series | None:
    column = job.cells.column(name)
    if column is None:
        return None
    found = pd.Series(values.word_lists(column, length(tables.customers, name)), dtype=object)
    return found.mask(found == "", None)


def _holdings(job: Fields) -> pd.Series | None:
    column = job.cells.column("products")
    if column is None:
        return None
    found, unknown = values.product_codes(column)
    job.warn("unknown_product", int(unknown.sum()))
    id_of = dict(zip(catalogue.PRODUCTS["code"], catalogue.PRODUCTS["id"].tolist(), strict=True))
    held = [sorted(id_of[code] for code in codes) or None for codes in found]
    return pd.Series(held, dtype=object)


BUILDERS: dict[str, Callable[[Fields], pd.DataFrame]] = {
    "merchants": _merchants,
    "customers": _customers,
    "outlets": _outlets,
    "places": _places,
}
_REQUIRED: dict[str, dict[str, Any]] = {
    "merchants": {"status": "known"},
    "customers": {"tags": "", "channels": "", "is_key": False, "size": 1},
}


def filled(frame: pd.DataFrame, table: SqlTable) -> pd.DataFrame:
    """Return new rows with what a row must have."""
    given = _REQUIRED.get(table.name, {})
    return frame.assign(**{name: frame[name].fillna(value) for name, value in given.items() if name in frame})
