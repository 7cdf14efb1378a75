"""Lists behind the figures: opened from any count by whoever may, nearest first, to take along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st
from pandas import DataFrame, Series
from sqlalchemy.orm import Session

from data import catalogue, store
from data.figures import Filters, Reach, members
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.words import Language, say
from geo.catchment import distances_m
from pages.parts import downloads
from pages.parts.frame import calm, writing
from pages.parts.words import N_, _, language, ngettext, number, plain

SHOWN = 300  # rows on screen; more are for the file
TAKEN = 100_000  # rows in a file

# Columns in the order a person on the way reads them, by layer.
COLUMNS: dict[str, dict[str, str]] = {
    "merchants": {
        "name": N_("Name"),
        "distance_m": N_("Distance (m)"),
        "category_id": N_("Category"),
        "status": N_("Status"),
        "address": N_("Address"),
        "phone": N_("Phone"),
        "hours": N_("Opening hours"),
        "manager": N_("Customer manager"),
        "note": N_("Note"),
        "source_id": N_("Number in the list"),
    },
    "customers": {
        "name": N_("Name"),
        "distance_m": N_("Distance (m)"),
        "existing": N_("Kind"),
        "group_id": N_("Customer group"),
        "size": N_("People"),
        "tier": N_("Tier"),
        "is_key": N_("Key customer"),
        "phone": N_("Phone"),
        "address": N_("Address"),
        "deposits": N_("Deposits (yuan)"),
        "assets": N_("Household assets (yuan)"),
        "tags": N_("Tags"),
        "channels": N_("Channels"),
        "manager": N_("Customer manager"),
        "source_id": N_("Number in the list"),
    },
    "outlets": {
        "name": N_("Name"),
        "distance_m": N_("Distance (m)"),
        "kind": N_("Kind"),
        "is_own": N_("Our bank"),
        "address": N_("Address"),
        "phone": N_("Phone"),
        "source_id": N_("Number in the list"),
    },
    "places": {
        "name": N_("Name"),
        "distance_m": N_("Distance (m)"),
        "kind": N_("Kind"),
        "households": N_("Households"),
        "adults": N_("Adults"),
        "employees": N_("Employees"),
        "address": N_("Address"),
        "source_id": N_("Number in the list"),
    },
}
Rows = Callable[..., DataFrame]
READERS: dict[str, Rows] = {
    "merchants": store.merchant_rows,
    "customers": store.customers_near,
    "outlets": store.outlet_rows,
    "places": store.place_rows,
}


@dataclass(frozen=True)
class Wanted:
    """
    A count that was clicked.

    Parameters
    ----------
    layer
        Whose rows it counts.
    title
        What it counts, in the user's language.
    where
        What those rows have, as `data.figures.members` takes it.
    """

    layer: str
    title: str
    where: Mapping[str, int | bool | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """
    A list to open.

    Parameters
    ----------
    layer
        Whose rows.
    title
        What they are, in the user's language.
    ids
        Nearest first.
    """

    layer: str
    title: str
    ids: Sequence[int]


def may_list(asker: Asker, layer: str, branch_id: int) -> bool:
    """Whether the asker may see any row of a layer."""
    if layer == "customers":
        return asker.may(Right.CUSTOMERS, branch_id) or asker.may(Right.OWN_CUSTOMERS, branch_id)
    return asker.may(Right.FIGURES, branch_id)


def may_take(asker: Asker, layer: str, branch_id: int) -> bool:
    """Whether the asker may take a layer's list out of the house."""
    return asker.may(Right.EXPORT_CUSTOMERS if layer == "customers" else Right.EXPORT, branch_id)


def open_wanted(
    wanted: Wanted,
    snapshot: Snapshot,
    filters: Filters,
    reach: Reach,
    asker: Asker,
    branch: Mapping[str, Any],
) -> None:
    """Open the list behind a count: a member's list of customers has those he or she manages."""
    own: dict[str, int] = {}
    if wanted.layer == "customers" and not asker.may(Right.CUSTOMERS, snapshot.branch_id):
        own = {"manager": -1 if asker.person_id is None else asker.person_id}
    ids = members(snapshot, wanted.layer, filters, reach, **wanted.where, **own)
    open_list(Listing(wanted.layer, wanted.title, ids), asker, branch)


def open_list(listing: Listing, asker: Asker, branch: Mapping[str, Any]) -> None:
    """Open a list over the page."""

    @st.dialog(plain(listing.title), width="large")
    def dialog() -> None:
        with calm():
            show(listing, asker, branch)

    dialog()


def show(listing: Listing, asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show a list's nearest rows, and offer the rest as a file."""
    with writing() as session:
        rows = read(session, listing, asker, branch, language(), SHOWN)
    if rows.empty:
        st.info(_("There is nothing here that you may see."))
        return
    if listing.layer == "customers" and not asker.may(Right.CUSTOMERS, int(branch["id"])):
        st.caption(_("You see the customers that you manage."))
    if len(listing.ids) > SHOWN:
        st.caption(
            _("The {shown} nearest of {all}.", shown=len(rows), all=number(len(listing.ids), compact=False))
        )
    else:
        st.caption(ngettext("One row, nearest first.", "{n} rows, nearest first.", len(rows)))
    st.dataframe(rows, hide_index=True, placeholder="", height=min(38 + 35 * len(rows), 460))
    if may_take(asker, listing.layer, int(branch["id"])):
        offer(listing, asker, branch)


def offer(listing: Listing, asker: Asker, branch: Mapping[str, Any]) -> None:
    """Offer a list as a file; what is taken is written into the audit trail when it is taken."""
    spoken = language()
    opened = writing  # looked up here: the file is made beside the page

    def sheets() -> dict[str, DataFrame]:
        with opened() as session:
            return {
                listing.title: read(
                    session, listing, asker, branch, spoken, TAKEN, purpose="export", places=True
                )
            }

    if len(listing.ids) > TAKEN:
        st.caption(_("A file takes the {count} nearest rows.", count=number(TAKEN, compact=False)))
    downloads.offer(listing.title, sheets, key=f"list_{listing.layer}")


def read(
    session: Session,
    listing: Listing,
    asker: Asker,
    branch: Mapping[str, Any],
    spoken: Language,
    limit: int,
    *,
    purpose: str = "look",
    places: bool = False,
) -> DataFrame:
    """Return a list's rows as a person reads them; `places` adds the coordinates, WGS 84."""
    ids = list(listing.ids[:limit])
    rows = READERS[listing.layer](session, asker, int(branch["id"]), ids, purpose=purpose)
    away = distances_m(branch["lon"], branch["lat"], rows["lon"].to_numpy(float), rows["lat"].to_numpy(float))
    rows = rows.assign(distance_m=np.round(away).astype("int64"))
    titles = COLUMNS[listing.layer] | ({"lon": N_("Longitude"), "lat": N_("Latitude")} if places else {})
    kept = {column: say(title, spoken) for column, title in titles.items() if column in rows}
    return DataFrame({title: spoken_column(rows[column], column, spoken) for column, title in kept.items()})


def spoken_column(values: Series, column: str, spoken: Language) -> Series:
    """Return a column with names for codes."""
    names = names_of(column, spoken)
    return values if names is None else values.map(names).astype(object).where(values.notna(), "")


def names_of(column: str, spoken: Language) -> Mapping[Any, str] | None:
    """Return the names of a column's codes; None where it has none."""
    if column == "category_id":
        return dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES[spoken], strict=True))
    if column == "group_id":
        return dict(zip(catalogue.GROUPS["id"], catalogue.GROUPS[spoken], strict=True))
    if column == "tier":
        return {tier.code: tier.zh if spoken == "zh" else tier.en for tier in catalogue.TIERS}
    if column == "existing":
        return {True: say(N_("Existing customer"), spoken), False: say(N_("Target customer"), spoken)}
    if column in ("is_key", "is_own"):
        return {True: say(N_("Yes"), spoken), False: ""}
    marked = {
        "status": catalogue.STATUS_NAMES,
        "kind": catalogue.OUTLET_NAMES | catalogue.PLACE_NAMES,
    }.get(column)
    return None if marked is None else {code: say(name, spoken) for code, name in marked.items()}
