"""What the customer map reads, kept for as long as it holds: by data version, filters and scope of rights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import streamlit as st
from pandas import DataFrame

from data import catalogue, store, tokens
from data.basemaps import BaseMap
from data.catalogue import OUTLET_NAMES, PLACE_NAMES, STATUS_NAMES
from data.catchments import Point
from data.config import Settings
from data.figures import Filters
from data.rights import Asker, Right
from data.snapshots import Snapshot, seen_by
from data.tokens import TileClaim
from data.words import Language, say
from geo.errors import RightsError
from pages.parts.frame import reading, writing
from pages.parts.map import Legend, Tiles
from pages.parts.words import language

__all__ = [
    "OUTLET_NAMES",
    "asides",
    "colours",
    "customers",
    "group_name",
    "layers",
    "legend",
    "name_of",
    "snapshot",
    "source",
]

Scope = tuple[str, str | None, tuple[int, ...], int | None]
Version = tuple[str, int, int]  # of the data: the store, the branch, the number


def scope(asker: Asker) -> Scope:
    """Return what of who asks decides what may be seen."""
    role = None if asker.role is None else asker.role.value
    return asker.name, role, tuple(sorted(asker.branch_ids)), asker.person_id


def version_of(held: Snapshot) -> Version:
    """Return which store, branch and version of its data a working set is of."""
    url, branch_id, version = held.key
    return str(url), branch_id, version


def snapshot(asker: Asker, branch_id: int) -> Snapshot:
    """Return the branch's working set, for whoever may see its figures."""
    return seen_by(store.engine(Settings.from_env()), asker, branch_id)


def is_masked(asker: Asker, branch_id: int) -> bool:
    """Whether figures of few customers are hidden from who asks."""
    return not asker.may(Right.CUSTOMERS, branch_id)


# Tiles and what they mean ---------------------------------------------------------------------------------


def layers(
    held: Snapshot, names: Sequence[str], filters: Filters, base: BaseMap, masked: bool
) -> list[Tiles]:
    """Return the layers of tiles, each with a signed link."""
    claims = [
        TileClaim(
            branch_id=held.branch_id,
            layer=name,
            version=held.version,
            datum=base.datum,
            masked=masked and name == "customers",
            filters=filters.of(name),
        )
        for name in names
    ]
    store_id = Settings.from_env().database_url
    return [
        Tiles(
            claim.layer, f"/tiles/{_token(repr(claim), store_id, claim)}/{claim.layer}/{{z}}/{{x}}/{{y}}.mvt"
        )
        for claim in claims
    ]


# What has no underscore below is only there to tell one result from another: Streamlit keeps by it.


@st.cache_data(ttl="6h", max_entries=2000, show_spinner=False)
def _token(said: str, store_id: str, _claim: TileClaim) -> str:  # noqa: ARG001
    """Return a claim's token, the same for half of what it lasts, so that browsers may keep its tiles."""
    return tokens.sign(Settings.from_env(), _claim)


@cache
def colours() -> dict[int, str]:
    """Return the colour of each upper category, by id."""
    upper = catalogue.CATEGORIES[catalogue.CATEGORIES["parent_id"].isna()]
    return {int(key): str(colour) for key, colour in zip(upper["id"], upper["colour"], strict=True)}


def legend() -> Legend:
    """Return what colours and signs mean, in the user's language."""
    return _legend(language())


@cache
def _legend(spoken: Language) -> Legend:
    upper = catalogue.CATEGORIES[catalogue.CATEGORIES["parent_id"].isna()]
    return Legend(
        statuses=[say(STATUS_NAMES[status], spoken) for status in catalogue.STATUSES],
        categories=list(zip(upper["colour"], upper[spoken], strict=True)),
        places=[
            (number, say(PLACE_NAMES[kind], spoken)) for number, kind in enumerate(catalogue.PLACE_KINDS)
        ],
    )


def group_name(group_id: int) -> str:
    """Return a customer group's name; nothing for one that is not there."""
    return _group_names(language()).get(group_id, "")


@cache
def _group_names(spoken: Language) -> dict[int, str]:
    groups = catalogue.GROUPS
    return {int(key): str(name) for key, name in zip(groups["id"], groups[spoken], strict=True)}


# Rows, by right -------------------------------------------------------------------------------------------


def source(asker: Asker, branch_id: int) -> dict[str, Any] | None:
    """Return the newest import."""
    with reading() as session:
        return store.latest_source(session, asker, branch_id)


def asides(asker: Asker, branch_id: int) -> DataFrame:
    """Return what is set aside."""
    with reading() as session:
        return store.asides(session, asker, branch_id)


def card(asker: Asker, layer: str, row_id: int) -> dict[str, Any]:
    """Return all of a merchant, an outlet or a place."""
    read = {"merchants": store.merchant_card, "outlets": store.outlet_card, "places": store.place_card}[layer]
    with reading() as session:
        return read(session, asker, row_id)


def name_of(asker: Asker, held: Snapshot, point: Point) -> str | None:
    """Return the name of a merchant, or of a customer to those who may see it; None to others."""
    return _name(asker, version_of(held), scope(asker), point.layer, point.id)


@st.cache_data(ttl="1h", max_entries=500, show_spinner=False)
def _name(_asker: Asker, version: Version, scope: Scope, layer: str, row_id: int) -> str | None:  # noqa: ARG001
    """Look once an hour: a look at a customer is written into the trail."""
    if layer == "merchants":
        return str(card(_asker, layer, row_id)["name"])
    try:
        with writing() as session:
            return store.customer_card(session, _asker, row_id).get("name")
    except RightsError:
        return None


def customers(asker: Asker, held: Snapshot, ids: Sequence[int]) -> DataFrame:
    """Return those of some customers the asker may see, looked up once and written into the trail then."""
    return _customers(asker, version_of(held), scope(asker), tuple(int(row_id) for row_id in ids))


@st.cache_data(ttl="10m", max_entries=100, show_spinner=False)
def _customers(
    _asker: Asker,
    version: Version,
    scope: Scope,  # noqa: ARG001
    ids: tuple[int, ...],
) -> DataFrame:
    _store, branch_id, _number = version
    with writing() as session:
        return store.customers_near(session, _asker, branch_id, ids)
