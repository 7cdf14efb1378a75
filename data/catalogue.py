"""The catalogue every branch shares: merchant categories, customer groups, products, tiers, statuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from data import tables
from geo.errors import N_

STATUSES = ("known", "contacted", "signed", "closed")
LAYERS = ("merchants", "customers", "outlets", "places")
OUTLET_KINDS = ("bank", "atm", "insurer")
PLACE_KINDS = ("community", "village", "park", "institution")
OTHER_CATEGORY = 99
OTHER_GROUP = 99
MOST_PRODUCTS = 52  # a holdings mask travels as a float, which holds 53 bits exactly

STATUS_NAMES = {
    "known": N_("Known"),
    "contacted": N_("Contacted"),
    "signed": N_("Signed"),
    "closed": N_("Closed"),
}
OUTLET_NAMES = {"bank": N_("Bank"), "atm": N_("ATM"), "insurer": N_("Insurer")}
PLACE_NAMES = {
    "community": N_("Community"),
    "village": N_("Village"),
    "park": N_("Business park"),
    "institution": N_("Institution"),
}


class Tier(NamedTuple):
    """A customer tier: from how many yuan of household assets (of deposits, where those are unknown)."""

    code: str
    zh: str
    en: str
    from_yuan: float


# "Threshold" customers stand just under the first VIP tier; they are the ones worth lifting.
TIERS = (
    Tier("ordinary", "普通", "Ordinary", 0),
    Tier("threshold", "临界", "Threshold", 30_000),
    Tier("gold", "金", "Gold", 50_000),
    Tier("platinum", "白金", "Platinum", 500_000),
    Tier("private", "私行", "Private banking", 6_000_000),
)
TIER_CODES = tuple(tier.code for tier in TIERS)


def _read(name: str) -> pd.DataFrame:
    frame = pd.read_csv(Path(__file__).with_name(name), dtype=str, keep_default_na=False)
    return frame.assign(id=frame["id"].astype(np.int64))


def _with_parents(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the parent's id for its code, and the parent's colour on each child."""
    id_of = dict(zip(frame["code"], frame["id"], strict=True))
    colour_of = dict(zip(frame["code"], frame["colour"], strict=True))
    parent = frame["parent"].map(id_of).astype("Int64")
    colour = frame["colour"].where(frame["colour"] != "", frame["parent"].map(colour_of))
    return frame.assign(parent_id=parent, colour=colour).drop(columns="parent")


# `words` holds, joined by "|", how lists call the same thing: the importer matches them.
CATEGORIES = _with_parents(_read("categories.csv"))
PRODUCTS = _read("products.csv")
GROUPS = _read("groups.csv")


def _products_of(codes: str) -> list[int]:
    id_of = dict(zip(PRODUCTS["code"], PRODUCTS["id"], strict=True))
    return sorted(int(id_of[code]) for code in codes.split("|"))


RECOMMENDED: dict[int, tuple[int, ...]] = {
    int(group): tuple(_products_of(codes))
    for group, codes in zip(GROUPS["id"], GROUPS["products"], strict=True)
}


def top_of() -> NDArray[np.int16]:
    """Return, indexed by category id, the id of its top category (its own, where it is one)."""
    tops = np.full(int(CATEGORIES["id"].max()) + 1, OTHER_CATEGORY, dtype=np.int16)
    tops[CATEGORIES["id"].to_numpy()] = CATEGORIES["parent_id"].fillna(CATEGORIES["id"]).to_numpy(np.int16)
    return tops


def children(category_id: int) -> tuple[int, ...]:
    """Return the ids of the categories under one, which is empty below the first level."""
    return tuple(int(child) for child in CATEGORIES.loc[CATEGORIES["parent_id"] == category_id, "id"])


def recommended_masks() -> NDArray[np.uint64]:
    """Return, indexed by group id, the products recommended to it as a bit mask."""
    masks = np.zeros(int(GROUPS["id"].max()) + 1, dtype=np.uint64)
    for group, products in RECOMMENDED.items():
        masks[group] = sum(1 << product for product in products)
    return masks


def tier_of(yuan: float) -> str:
    """Return the code of the tier that begins at or below an amount."""
    return max(
        (tier for tier in TIERS if tier.from_yuan <= max(yuan, 0)), key=lambda tier: tier.from_yuan
    ).code


def sync(session: Session) -> None:
    """Fill the store's tables from the files; a row that left its file stays, since others may name it."""
    parents_first = CATEGORIES.assign(parent_id=CATEGORIES["parent_id"].astype(object))
    parents_first = parents_first.where(parents_first.notna(), None).sort_values("id")
    _upsert(session, tables.categories, parents_first[["id", "code", "parent_id", "zh", "en"]])
    _upsert(session, tables.products, PRODUCTS[["id", "code", "zh", "en"]])
    _upsert(session, tables.customer_groups, GROUPS[["id", "code", "zh", "en"]])
    pairs = {(group, product) for group, products in RECOMMENDED.items() for product in products}
    if pairs != {(row.group_id, row.product_id) for row in session.execute(select(tables.group_products))}:
        session.execute(delete(tables.group_products))
        rows = [{"group_id": group, "product_id": product} for group, product in sorted(pairs)]
        session.execute(insert(tables.group_products), rows)


def _upsert(session: Session, table: Table, frame: pd.DataFrame) -> None:
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    ]
    columns = [table.c[name] for name in frame.columns]
    stored = {row.id: dict(row._mapping) for row in session.execute(select(*columns))}
    new = [row for row in rows if row["id"] not in stored]
    if new:
        session.execute(insert(table), new)
    for row in rows:
        if row["id"] in stored and stored[row["id"]] != row:
            session.execute(update(table).where(table.c.id == row["id"]).values(row))
