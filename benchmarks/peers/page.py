"""The page round a peer's map: the cards, tables and charts ours has, computed the usual way, with pandas."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from benchmarks.stores import LAT, LON
from data import catalogue

FOLDER = Path(os.environ["ZHENDI_BENCH_STORE"])
ASSETS = os.environ["ZHENDI_BENCH_ASSETS"]  # what a peer would fetch from a CDN, served from this machine
EARTH_M = 6_371_008.8
HEIGHT_PX = 620

DrawMap = Callable[[pd.DataFrame, float], None]


@st.cache_data
def layers() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return merchants, customers and outlets with their distance from the branch, read and prepared once."""
    merchants, customers, outlets = (
        with_distance(pd.read_feather(FOLDER / f"{name}.feather"))
        for name in ("merchants", "customers", "outlets")
    )
    recommended = catalogue.recommended_masks()[customers["group_id"].to_numpy()]
    held = customers["holdings"].to_numpy().astype(np.uint64) & recommended
    customers = customers.assign(match=np.bitwise_count(held) / np.maximum(np.bitwise_count(recommended), 1))
    merchants["category"] = merchants["category_id"].astype("category")
    customers["tags"] = customers["tags"].astype("category")
    return merchants, customers.drop(columns="holdings"), outlets


def with_distance(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with each row's distance from the branch by the haversine formula."""
    lat0, lat = np.radians(LAT), np.radians(frame["lat"])
    half = np.sin((lat - lat0) / 2) ** 2
    half += np.cos(lat0) * np.cos(lat) * np.sin(np.radians(frame["lon"] - LON) / 2) ** 2
    return frame.assign(distance_m=2 * EARTH_M * np.arcsin(np.sqrt(half)))


def show(draw_map: DrawMap) -> None:
    """Draw the page: the slider, the map, the cards, the tables and the charts."""
    st.set_page_config(layout="wide")
    radius_km = st.slider("Radius (km)", 0.5, 9.0, 9.0, step=0.1)
    merchants, customers, outlets = layers()
    beside_map, figures = st.columns([3, 2])
    with beside_map:
        draw_map(merchants, radius_km * 1000)
    near = merchants[merchants["distance_m"] <= radius_km * 1000]
    reached = customers[customers["distance_m"] <= radius_km * 1000]
    with figures:
        cards(near, reached, int((outlets["distance_m"] <= radius_km * 1000).sum()))
    tables(near, reached)


def tables(merchants: pd.DataFrame, customers: pd.DataFrame) -> None:
    """Show the tables and the charts in tabs; as on our page, the open one alone is computed and sent."""
    groups, categories, charts = st.tabs(["Groups", "Categories", "Charts"], on_change="rerun")
    if groups.open:
        groups.dataframe(group_table(customers))
    if categories.open:
        categories.dataframe(category_table(merchants))
    if charts.open:
        charts.bar_chart(group_table(customers)["coverage"])
        charts.bar_chart(category_table(merchants)["signed share"])


def cards(merchants: pd.DataFrame, customers: pd.DataFrame, rivals: int) -> None:
    """Show the six figures."""
    existing = customers["existing"]
    signed, known = (merchants["status"] == "signed").sum(), (merchants["status"] != "closed").sum()
    coverage = existing.sum() / max(customers["size"].sum(), 1)
    deposits = customers.loc[existing, "deposits"].sum()
    figures = (
        ("Customers", f"{existing.sum():,}"),
        ("Coverage", f"{coverage:.2%}"),
        ("Merchants", f"{len(merchants):,}"),
        ("Signed", f"{signed / max(known, 1):.2%}"),
        ("Deposits", f"{deposits:,.0f}"),
        ("Rivals", f"{rivals}"),
    )
    for start in (0, 3):
        for column, (name, value) in zip(st.columns(3), figures[start : start + 3], strict=True):
            column.metric(name, value)


def group_table(customers: pd.DataFrame) -> pd.DataFrame:
    """Return coverage, product match and the commonest tag per customer group, with their counts."""
    grouped = customers.groupby("group_id")
    counts = grouped["size"].sum()
    table = pd.DataFrame({"reached": grouped["existing"].sum(), "reachable": counts})
    existing = customers[customers["existing"]].groupby("group_id")
    tags = customers.groupby(["group_id", "tags"], observed=True).size().unstack(fill_value=0)
    return table.assign(
        coverage=table["reached"] / table["reachable"],
        match=existing["match"].mean(),
        preference=tags.idxmax(axis=1),
    ).rename(index=dict(zip(catalogue.GROUPS["id"], catalogue.GROUPS["zh"], strict=True)))


def category_table(merchants: pd.DataFrame) -> pd.DataFrame:
    """Return merchants and the signed share per category."""
    table = merchants.groupby(["category", "status"], observed=True).size().unstack(fill_value=0)
    table = table.reindex(columns=list(catalogue.STATUSES), fill_value=0)
    known = table.sum(axis=1) - table["closed"]
    return pd.DataFrame(
        {"merchants": table.sum(axis=1), "signed": table["signed"], "signed share": table["signed"] / known}
    ).rename(index=dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES["zh"], strict=True)))


def colours() -> dict[int, str]:
    """Return each category's colour."""
    return dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES["colour"], strict=True))
