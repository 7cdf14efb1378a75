"""The server of `drawing_page.py`, with the routes of the app."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import MIDDLEWARE, ROUTES, lifespan

PAGE = str(Path(__file__).with_name("drawing_page.py"))
app = st.App(PAGE, routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan)
