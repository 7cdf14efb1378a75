"""A layer to take away: the rows that the circle and the filters leave, as a file, in the datum asked for."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from data import export
from data.catalogue import LAYERS
from data.figures import Filters, Reach, members
from data.rights import Asker
from data.snapshots import Snapshot
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
