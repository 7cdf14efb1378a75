"""Branches: which there are, one of one's own, and the demo town."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame

from data import demo, store
from data.config import Settings
from data.rights import Asker, Right
from geo.datum import DATUMS, convert
from geo.errors import DatumError
from pages.parts import map as maps
from pages.parts import state
from pages.parts.frame import calm, long_work, writing
from pages.parts.identity import demo_branches, who_asks
from pages.parts.ways import Way, go
from pages.parts.words import DATUM_NAMES, N_, _, plain, spoken

MANY = 12  # more branches than this are a table, not boxes


class Point(NamedTuple):
    """A place on the ground, WGS 84."""

    lon: float
    lat: float


def page(asker: Asker) -> None:
    """Show the branches, and what may be done with them."""
    st.title(_("Branches"), anchor=False)
    known = demo_branches()
    if known.empty:
        st.info(
            _("There is no branch yet. Add yours below, or look around in the demo town first."),
            icon=":material/waving_hand:",
        )
    branch_list(known, asker)
    if not asker.may(Right.BRANCHES):
        st.caption(_("Adding and removing branches is for branch heads and administrators."))
        return
    add_box(asker, opened=known.empty)
    demo_box(asker, known)


def branch_list(known: DataFrame, asker: Asker) -> None:
    """Show each branch with the ways to its map and its lists."""
    for row in known.head(MANY).itertuples():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{plain(row.name)}**")
                st.caption(f"{plain(row.code)} · {row.lon:.5f}, {row.lat:.5f}")
            if row.is_demo:
                st.badge(_("Demo"), color="orange")
            if asker.may(Right.FIGURES) and st.button(
                _("Open the map"), icon=":material/map:", key=f"{state.OPEN_BRANCH}_{row.id}"
            ):
                state.choose_branch(row.code)
                go(Way.MAP)
            if asker.may(Right.IMPORT) and st.button(
                _("Import lists"), icon=":material/upload_file:", key=f"{state.FEED_BRANCH}_{row.id}"
            ):
                state.choose_branch(row.code)
                go(Way.IMPORT)
    if len(known) > MANY:
        st.dataframe(
            known[["code", "name", "lon", "lat"]].rename(
                columns={"code": _("Code"), "name": _("Name"), "lon": _("Longitude"), "lat": _("Latitude")}
            ),
            hide_index=True,
        )


def add_box(asker: Asker, *, opened: bool) -> None:
    """Let a branch be added: its name, its code, and where it stands."""
    with st.expander(
        _("Add a branch"), expanded=opened or state.is_adding(), icon=":material/add_location_alt:"
    ):
        name = st.text_input(_("Name of the branch"), max_chars=200, key=state.NEW_NAME)
        code = st.text_input(
            _("Branch code"),
            max_chars=40,
            key=state.NEW_CODE,
            help=_("As your bank writes it; letters, digits and hyphens."),
        )
        point = position_input()
        if st.button(_("Add this branch"), type="primary", icon=":material/check:"):
            with calm():
                save(asker, name, code, point)


def position_input() -> Point | None:
    """Ask where the branch stands, by coordinates or by a click on the map, and show the place on the map."""
    state.take_pin()
    left, right = st.columns([3, 2])
    text = left.text_input(
        _("Position: longitude, latitude"),
        placeholder="114.30520, 30.59280",
        key=state.NEW_POSITION,
        help=_("Copy both numbers from your map's coordinate picker, or click on the map below."),
    )
    datum = right.selectbox(
        _("Where the coordinates come from"),
        DATUMS,
        format_func=spoken(DATUM_NAMES),
        key=state.NEW_DATUM,
    )
    point = None
    with calm():
        point = read_point(text, datum) if text.strip() else None
    pinned = maps.pin_map(point)
    if pinned is not None and pinned != point:
        state.leave_pin(*pinned)
        st.rerun()
    return point


def read_point(text: str, datum: str) -> Point:
    """
    Return the place two typed numbers name.

    Raises
    ------
    DatumError
        When they name none, or stand in the wrong order.
    """
    numbers = [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", unicodedata.normalize("NFKC", text))]
    if len(numbers) != 2:
        raise DatumError(
            N_("A position is two numbers, longitude and latitude, such as 114.30520, 30.59280.")
        )
    lon, lat = numbers
    if abs(lat) > 90 >= abs(lon):
        raise DatumError(N_("The longitude comes first: write {lon}, {lat}."), lon=lat, lat=lon)
    if abs(lat) > 90 or abs(lon) > 180:
        raise DatumError(N_("There is no such place: {lon}, {lat}."), lon=lon, lat=lat)
    there = convert(lon, lat, datum, "wgs84")
    return Point(round(float(there[0]), 7), round(float(there[1]), 7))


def save(asker: Asker, name: str, code: str, point: Point | None) -> None:
    """Add the branch and go on to its first list, or say what is missing."""
    missing = [
        label
        for label, given in (
            (_("Name of the branch"), name.strip()),
            (_("Branch code"), code.strip()),
            (_("Position: longitude, latitude"), point),
        )
        if not given
    ]
    if missing or point is None:
        st.warning(_("Still missing: {fields}", fields=", ".join(missing)))
        return
    with writing() as session:
        store.add_branch(session, asker, code=code.strip(), name=name.strip(), lon=point.lon, lat=point.lat)
    state.choose_branch(code.strip())
    state.forget_new_branch()
    if asker.may(Right.IMPORT):
        go(Way.IMPORT)
    st.rerun()


def demo_box(asker: Asker, known: DataFrame) -> None:
    """Make the demo town, or take it away."""
    st.subheader(_("Demo town"), anchor=False)
    there = bool(known["is_demo"].any())
    if not there:
        st.write(
            _("A made-up county town with merchants, customers and rival outlets, to try everything out.")
        )
        if state.asked_for() == state.MAKE_DEMO:
            with calm():
                make_demo(asker)
        st.button(
            _("Make the demo town"),
            icon=":material/location_city:",
            on_click=state.ask_for,
            args=(state.MAKE_DEMO,),
        )
        return
    st.write(_("The demo town is made up. It never counts together with your own branches."))
    if st.button(_("Remove the demo town"), icon=":material/delete:"):
        confirm_removal(str(known.loc[known["is_demo"], "code"].iloc[0]))


def make_demo(asker: Asker) -> None:
    """Build the demo, showing how far it is, and look at it."""
    with st.status(_("Making the demo town …"), expanded=True), long_work():
        bar = st.progress(0.0)
        branch_id = demo.build_demo(
            Settings.from_env(), asker, progress=lambda done, what: bar.progress(done, text=_(what))
        )
    known = demo_branches()
    state.choose_branch(str(known.loc[known["id"] == branch_id, "code"].iloc[0]))
    go(Way.MAP)


def confirm_removal(code: str) -> None:
    """Ask once more, then remove the demo."""

    @st.dialog(_("Remove the demo town?"))
    def dialog() -> None:
        st.write(_("The demo branch and everything in it will be gone. Your own branches stay as they are."))
        with st.container(horizontal=True):
            if st.button(_("Remove"), type="primary"):
                with calm():
                    demo.remove_demo(Settings.from_env(), who_asks(code))
                    if state.branch_code() == code:
                        state.forget_branch()
                    st.rerun()
            if st.button(_("Keep it")):
                st.rerun()

    dialog()
