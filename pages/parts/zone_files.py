"""Files of a plan to take away: the atlas, its lists, its zones for maps, what changes to another plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from data import store
from data.config import Settings
from data.paper import layers
from data.paper.atlas import atlas
from data.paper.realignment import realignment, realignment_workbook
from data.paper.streets import base_map
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.zones import plans
from data.zones.held import PUBLISHED, Held
from data.zones.intervals import today
from geo.datum import DATUMS
from pages.parts import state, zone_plans, zone_reads
from pages.parts.frame import reading, writing
from pages.parts.takeout import MIMES
from pages.parts.words import DATUM_NAMES, N_, _, language, spoken

FORM_NAMES = {
    "pdf": N_("Atlas, a sheet a zone (PDF)"),
    "xlsx": N_("Zones, blocks, merchants to visit (Excel)"),
    "geojson": N_("GeoJSON, for maps"),
    "gpkg": N_("GeoPackage, for QGIS and ArcGIS"),
}
TYPES = {**MIMES, "pdf": "application/pdf"}


def downloads(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Offer the plan's files to those who may take lists out of the house."""
    if not asker.may(Right.EXPORT, held.branch_id):
        st.caption(_("Plans are taken out by those who may take lists out of the house."))
        return
    with reading() as session:
        branch = store.branch(session, asker, held.branch_id)
    plan_file(asker, snapshot, held, branch)
    changes_file(asker, snapshot, held, branch)


def plan_file(asker: Asker, snapshot: Snapshot, held: Held, branch: dict[str, Any]) -> None:
    """Offer the plan itself."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        form = st.selectbox(
            _("As"),
            list(FORM_NAMES),
            format_func=spoken(FORM_NAMES),
            key=f"{state.ZONE_TAKE}_form",
            width=320,
        )
        datum = "wgs84" if form == "pdf" else pick_datum("plan")
        said, day, base = language(), today(), base_map(Settings.from_env(), is_demo=bool(branch["is_demo"]))

        def content(session: Session) -> bytes:
            whose = (session, asker, snapshot, held)
            if form == "pdf":
                return atlas(*whose, branch=branch["name"], base=base, language=said, today=day)
            if form == "xlsx":
                return layers.workbook(*whose, datum=datum, language=said, today=day)
            return layers.layer(*whose, form, datum=datum, language=said, today=day)

        button(_("Download"), _("Zones"), form, content, key="plan")
    st.caption(
        _("Customers are in it as figures only; merchants with address and phone. Every file is on record.")
    )


def changes_file(asker: Asker, snapshot: Snapshot, held: Held, branch: dict[str, Any]) -> None:
    """Offer what changes to this plan from another."""
    rows = zone_reads.listed(asker, held.branch_id)
    others = rows[rows["id"] != held.id]
    if others.empty:
        return
    names = {int(row["id"]): zone_plans.label(row) for row in others.to_dict("records")}
    first = next((each for each in names if others.set_index("id").loc[each, "status"] == PUBLISHED), None)
    title = _("What changes from another plan to this one")
    st.markdown(f"**{title}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = st.selectbox(
            _("The plan as it was"),
            list(names),
            index=0 if first is None else list(names).index(first),
            format_func=names.__getitem__,
            key=f"{state.ZONE_TAKE}_other",
            width=340,
        )
        said, day, base = language(), today(), base_map(Settings.from_env(), is_demo=bool(branch["is_demo"]))

        def sheets(session: Session) -> bytes:
            whose = (session, asker, snapshot, plans.plan(session, asker, other), held)
            return realignment(*whose, branch=branch["name"], base=base, language=said, today=day)

        def lists(session: Session) -> bytes:
            whose = (session, asker, snapshot, plans.plan(session, asker, other), held)
            return realignment_workbook(*whose, datum="wgs84", language=said)

        button(_("Report as PDF"), _("Realignment"), "pdf", sheets, key="report")
        button(_("Every block, as Excel"), _("Realignment"), "xlsx", lists, key="blocks")


def pick_datum(key: str) -> str:
    """Ask which coordinates are written."""
    picked: str = st.selectbox(
        _("Coordinates for"),
        DATUMS,
        format_func=spoken(DATUM_NAMES),
        key=f"{state.ZONE_TAKE}_{key}_datum",
        width=240,
    )
    return picked


def button(label: str, name: str, form: str, content: Callable[[Session], bytes], *, key: str) -> None:
    """Show a button that makes a file when it is pressed, and writes into the trail that it was taken."""
    opened = writing  # looked up here: the file is made beside the page

    def made() -> bytes:
        with opened() as session:
            return content(session)

    st.download_button(
        label,
        data=made,
        file_name=f"{name}_{datetime.now():%Y%m%d}.{form}",
        mime=TYPES[form],
        icon=":material/download:",
        key=f"{state.ZONE_TAKE}_{key}",
        on_click="ignore",
    )
