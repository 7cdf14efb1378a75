"""Merchants that may be one: said on the card, looked at side by side, and looked for before one is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from pandas import DataFrame, isna

from data import catalogue, store
from data.lists.doubles import POSSIBLE, between, signs_of
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.catchment import distances_m
from geo.errors import NotFound
from pages.parts import reads, state, undoing
from pages.parts.frame import calm, reading
from pages.parts.lists import COLUMNS
from pages.parts.state import Selected
from pages.parts.ways import Way, link
from pages.parts.words import NONE, _, distance, language, plain, shorten

NEAR_DEG = 0.01  # about a kilometre: as far as names alone make a pair
LOOKED_AT = 2000
FEW = 3
COMPARED = {name: title for name, title in COLUMNS["merchants"].items() if name != "distance_m"}
Row = Mapping[str, Any]


def near(asker: Asker, held: Snapshot, draft: Row, spot: tuple[float, float]) -> list[dict[str, Any]]:
    """Return the merchants round a spot that may be the one described, the likeliest first."""
    lon, lat = spot
    merchants = held.merchants
    close = (np.abs(merchants.lon - lon) < NEAR_DEG) & (np.abs(merchants.lat - lat) < NEAR_DEG)
    rows = close.nonzero()[0]
    if not len(rows) or not draft.get("name"):
        return []
    away = distances_m(lon, lat, merchants.lon[rows], merchants.lat[rows])
    ids = merchants.id[rows[np.argsort(away, kind="stable")[:LOOKED_AT]]]
    with reading() as session:
        there = store.merchant_rows(session, asker, held.branch_id, ids.tolist())
    pairs = between(
        signs_of(
            [draft["name"]],
            [draft.get("phone", "")],
            [draft.get("address", "")],
            [lon],
            [lat],
            [draft.get("category_id") or 0],
        ),
        _signs(there),
    ).at_least(POSSIBLE)
    best = pairs.b[np.argsort(-pairs.score, kind="stable")[:FEW]]
    found: list[dict[str, Any]] = there.iloc[best].to_dict("records")
    for row in found:
        apart = distances_m(lon, lat, np.array([row["lon"]]), np.array([row["lat"]]))
        row["distance_m"] = float(apart[0])
    return found


def _signs(rows: DataFrame) -> Any:
    texts = (rows[name].fillna("").astype(str) for name in ("name", "phone", "address"))
    return signs_of(*texts, rows["lon"], rows["lat"], rows["category_id"])


# On the card ------------------------------------------------------------------------------------------------


def note(asker: Asker, held: Snapshot, row: Row) -> None:
    """Say on a merchant's card that it may be the same as another, and lead to the two side by side."""
    if row.get("double_of") is None or isna(row["double_of"]):
        return
    try:
        other = reads.card(asker, "merchants", int(row["double_of"]))
    except NotFound:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        said = _(
            "May be the same as {name}, {distance} away.",
            name=shorten(other["name"]),
            distance=distance(_apart(row, other)),
        )
        st.markdown(f":orange[:material/join_inner: {plain(said)}]", width="stretch")
        if st.button(_("Compare"), key=f"{state.DOUBLE}_{row['id']}"):
            compare(asker, held, row, other)


def _apart(one: Row, other: Row) -> float:
    away = distances_m(one["lon"], one["lat"], np.array([other["lon"]]), np.array([other["lat"]]))
    return float(away[0])


def compare(asker: Asker, held: Snapshot, row: Row, other: Row) -> None:
    """Open the two side by side."""

    @st.dialog(_("One merchant or two?"), width="large")
    def dialog() -> None:
        with calm():
            show_both(asker, held, row, other)

    dialog()


def show_both(asker: Asker, held: Snapshot, row: Row, other: Row) -> None:
    """Show two merchants side by side, and let whoever may say whether they are one."""
    both = {
        _(title): [plain(_said(name, each.get(name))) for each in (other, row)]
        for name, title in COMPARED.items()
        if _said(name, other.get(name)) != NONE or _said(name, row.get(name)) != NONE
    }
    st.table(DataFrame(both, index=[_("The earlier"), _("The later")]).T)
    st.caption(_("They are {distance} apart.", distance=distance(_apart(row, other))))
    if asker.may(Right.EDIT_MERCHANTS, held.branch_id):
        with st.container(horizontal=True):
            same = st.button(_("The same: make them one"), type="primary", key=f"{state.DOUBLE}_same")
            apart = st.button(_("Different"), key=f"{state.DOUBLE}_apart")
        if same or apart:
            settle(asker, held, row, int(other["id"]), same)
    if asker.may(Right.IMPORT, held.branch_id):
        link(Way.IMPORT, _("Review all that may be double"), ":material/join_inner:")


def _said(name: str, value: object) -> str:
    """Return a column as a person reads it."""
    if value is None or isna(value) or value == "":
        return NONE
    if name == "category_id":
        return str(catalogue.CATEGORIES.set_index("id")[language()].get(value, NONE))
    return _(catalogue.STATUS_NAMES[str(value)]) if name == "status" else str(value)


def settle(asker: Asker, held: Snapshot, row: Row, earlier_id: int, same: bool) -> None:
    """Keep what was decided: of one merchant the earlier row stays."""
    row_id, revision = int(row["id"]), int(row["revision"])
    _version, batch_id = undoing.kept(
        asker,
        held.branch_id,
        lambda session: store.settle_double(session, asker, row_id, same, revision),
    )
    if same:
        other = reads.card(asker, "merchants", earlier_id)
        picked = Selected("merchants", earlier_id, float(other["lon"]), float(other["lat"]))
        undoing.finish(_("Made one: {name}", name=other["name"]), batch_id, picked)
    undoing.finish(_("Kept as two: {name}", name=row["name"]), batch_id, state.selected())
