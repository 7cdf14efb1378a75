"""Tables to take away, as a workbook or as CSV; what is in them is read when the button is pressed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import streamlit as st
from pandas import DataFrame

from data import export
from pages.parts.words import _

Sheets = Callable[[], dict[str, DataFrame]]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def offer(name: str, sheets: Sheets, *, key: str) -> None:
    """
    Show the two buttons.

    Parameters
    ----------
    name
        Of the file, in the user's language and without anything personal; the day is added.
    sheets
        Reads (and, where they hold a list, audits) the tables by sheet name. Runs beside the page, so it
        must not ask Streamlit for anything.
    key
        Tells these buttons from others on the page.
    """
    file_name = f"{name}_{datetime.now():%Y%m%d}"
    with st.container(horizontal=True):
        st.download_button(
            _("Download Excel"),
            data=lambda: export.to_xlsx(sheets()),
            file_name=f"{file_name}.xlsx",
            mime=XLSX,
            icon=":material/download:",
            key=f"{key}_xlsx",
            on_click="ignore",
        )
        st.download_button(
            _("Download CSV"),
            data=lambda: export.to_csv(next(iter(sheets().values()))),
            file_name=f"{file_name}.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"{key}_csv",
            on_click="ignore",
        )
