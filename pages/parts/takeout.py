"""A layer to take away: the rows that the circle and the filters leave, as a file, in the datum asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import streamlit as st

from data import export
from data.basemaps import BaseMap
from data.catalogue import LAYERS
from data.catchments import Catchment
from data.figures import Filters, Reach, members
from data.paper.customer_map import customer_map
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.intervals import today
from geo.datum import DATUMS
from pages.parts import state
from pages.parts.filters import LAYER_NAMES
from pages.parts.frame import writing
from pages.parts.lists import may_take
from pages.parts.words import DATUM_NAMES, N_, _, language, ngettext, spoken

FORM_NAMES = {
    "xlsx": N_("Excel"),
    "csv": N_("CSV, for Excel and WPS"),
    "geojson": N_("GeoJSON, for maps"),
    "gpkg": N_("GeoPackage, for QGIS and ArcGIS"),
    "parquet": N_("GeoParquet, for analysis"),
}
MIMES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "parquet": "application/vnd.apache.parquet",
}


class OnMap(NamedTuple):
    """What of the map is drawn on paper as it is on screen."""

    ground: Catchment
    shares: Sequence[float]
    base: BaseMap


def offered(asker: Asker, branch_id: int) -> list[str]:
    """Return the layers that the asker may take out of the house."""
    return [layer for layer in LAYERS if may_take(asker, layer, branch_id)]


def show(asker: Asker, snapshot: Snapshot, filters: Filters, reach: Reach) -> None:
    """Ask for layer, form and datum, and offer the file; what is taken is written into the audit trail."""
    layers = offered(asker, snapshot.branch_id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = st.selectbox(
            _("What to take out"), layers, format_func=spoken(LAYER_NAMES), key=state.TAKE_LAYER, width=200
        )
        form = st.selectbox(
            _("As"), list(FORM_NAMES), format_func=spoken(FORM_NAMES), key=state.TAKE_FORM, width=240
        )
        datum = st.selectbox(
            _("Coordinates for"), DATUMS, format_func=spoken(DATUM_NAMES), key=state.TAKE_DATUM, width=240
        )
    ids = members(snapshot, layer, filters, reach)
    st.caption(
        ngettext(
            "One row: what the circle and the filters leave. Every file taken is on record.",
            "{n} rows: what the circle and the filters leave. Every file taken is on record.",
            len(ids),
        )
    )
    title, said = _(LAYER_NAMES[layer]), language()
    opened = writing  # looked up here: the file is made beside the page

    def content() -> bytes:
        with opened() as session:
            rows = export.layer(
                session, asker, snapshot.branch_id, layer, ids=ids.tolist(), datum=datum, language=said
            )
            return export.to_bytes(rows, form, title)

    st.download_button(
        _("Download"),
        data=content,
        file_name=f"{title}_{datum}_{datetime.now():%Y%m%d}.{form}",
        mime=MIMES[form],
        type="primary",
        icon=":material/download:",
        disabled=not len(ids),
        key=state.TAKE_FILE,
        on_click="ignore",
    )


def paper(
    asker: Asker,
    branch: Mapping[str, Any],
    snapshot: Snapshot,
    filters: Filters,
    reach: Reach,
    on_map: OnMap,
) -> None:
    """Offer the map and its figures as one sheet, as they are on screen; it is on record when it is taken."""
    said, opened, day = language(), writing, today()  # looked up here: the sheet is made beside the page
    title = _("Customer map")

    def content() -> bytes:
        with opened() as session:
            return customer_map(
                session,
                asker,
                snapshot,
                on_map.ground,
                branch=branch["name"],
                filters=filters,
                reach=reach,
                shares=on_map.shares,
                base=on_map.base,
                language=said,
                today=day,
            )

    st.download_button(
        _("Map and figures as PDF"),
        data=content,
        file_name=f"{title}_{day:%Y%m%d}.pdf",
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        key=state.TAKE_PAPER,
        on_click="ignore",
    )
