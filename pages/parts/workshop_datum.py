"""The workshop's third step: where the coordinates come from, proven, or chosen on a map of candidates."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from data.ingest import ImportPlan
from data.lists import proof
from geo.catchment import distances_m
from geo.datum import DATUMS, convert
from pages.parts import map as maps
from pages.parts import reads, state
from pages.parts.map import Dots, Marked
from pages.parts.words import DATUM_NAMES, N_, _, distance, plain
from pages.parts.workshop import Job, step

Floats = NDArray[np.float64]
COLOURS = {"wgs84": "#4a7fb5", "gcj02": "#b4610f", "bd09": "#7a5ea8"}
SHORT_NAMES = {"wgs84": N_("GPS"), "gcj02": N_("Gaode"), "bd09": N_("Baidu")}
KNOWN_COLOUR = "#9aa8a2"
MOST_KNOWN = 400
KNOWN_WITHIN_M = 900
CROWD = 15  # rows shown at each place: close together, or the three places could not be told apart


def stated(job: Job) -> str:
    """Return where the user says the coordinates come from; `auto` while the list has to prove it."""
    return state.chosen(job.key(state.DATUM), "auto")


def datum_step(job: Job, plan: ImportPlan, last: str | None) -> None:
    """Say what proves where the coordinates come from, or ask on a map."""
    if not plan.candidates:
        return
    with step(job, "datum", _("Position"), datum_line(job, plan), settled=plan.datum is not None):
        if plan.datum is None:
            st.markdown(
                _(
                    "Nothing in the file says where its coordinates come from, and the possible sources lie "
                    "hundreds of metres apart. Below, a few of its rows are drawn at each of the three "
                    "places: choose the one where they stand on their streets."
                )
            )
            if last in DATUM_NAMES:
                st.markdown(_("Last time, lists of this source were: {datum}.", datum=_(DATUM_NAMES[last])))
        choice(job, plan)
        if plan.datum is None or st.toggle(
            _("Show a few rows at each of the three places"), key=job.key(state.CANDIDATE_MAP)
        ):
            candidates_map(job, plan)


def datum_line(job: Job, plan: ImportPlan) -> str:
    """Return how it stands, in a line."""
    if plan.datum is None:
        return _("not proven: please choose")
    if stated(job) != "auto":
        return _("{datum}, as you chose", datum=_(DATUM_NAMES[plan.datum]))
    if plan.projection is not None:
        return _("metres of EPSG:{epsg}, converted", epsg=plan.projection)
    how = proof.HOW[plan.datum_how or "stated"]
    return _("{datum}, proven by {how}", datum=_(DATUM_NAMES[plan.datum]), how=_(how))


def choice(job: Job, plan: ImportPlan) -> None:
    """Let the datum be chosen among the candidates, each with its distance from the branch."""
    proven = plan.datum is not None and stated(job) == "auto"
    options = ["auto", *DATUMS] if proven or stated(job) != "auto" else list(DATUMS)
    key = job.key(f"{state.CANDIDATE}_{'auto' in options}")
    picked = "auto" if proven else plan.datum
    st.radio(
        _("Where the coordinates come from"),
        options,
        index=None if picked is None else options.index(picked),
        format_func={name: option_name(name) for name in options}.__getitem__,
        captions=[option_caption(job, plan, name) for name in options],
        key=key,
        on_change=state.copy,
        args=(key, job.key(state.DATUM)),
        label_visibility="collapsed",
    )


def option_name(datum: str) -> str:
    """Return a choice's name."""
    return _("Let the list prove it") if datum == "auto" else _(DATUM_NAMES[datum])


def option_caption(job: Job, plan: ImportPlan, datum: str) -> str:
    """Return how far the rows would lie from the branch."""
    if datum == "auto":
        return ""
    lon, lat = placed(plan, datum)
    away = distances_m(job.branch["lon"], job.branch["lat"], lon, lat)
    return _(
        "nearest row {near} from the branch, half of them within {half}",
        near=distance(float(away.min())),
        half=distance(float(np.median(away))),
    )


def placed(plan: ImportPlan, datum: str) -> tuple[Floats, Floats]:
    """Return where the sample of rows would lie, WGS 84."""
    own = np.array(plan.sample, dtype=np.float64).T
    lon, lat = convert(own[0], own[1], datum, "wgs84")
    return np.asarray(lon), np.asarray(lat)


def candidates_map(job: Job, plan: ImportPlan) -> None:
    """Draw some rows that lie close together at each of the three places."""
    near = neighbours(plan)
    dots, marks = [], []
    for datum in DATUMS:
        lon, lat = placed(plan, datum)
        dots.append(Dots(COLOURS[datum], _(DATUM_NAMES[datum]), lon[near], lat[near]))
        marks.append(Marked(float(lon[near[0]]), float(lat[near[0]]), _(SHORT_NAMES[datum])))
    dots += known_dots(job, marks)
    branch = Marked(job.branch["lon"], job.branch["lat"], plain(job.branch["name"]))
    key = job.key(f"{state.CANDIDATE_MAP}_drawn")
    maps.preview_map(dots, branch, is_demo=bool(job.branch["is_demo"]), marks=marks, key=key)


def known_dots(job: Job, marks: list[Marked]) -> list[Dots]:
    """Return the branch's merchants round the candidates, where they are known to stand."""
    merchants = reads.snapshot(job.asker, job.branch_id).merchants
    middle = marks[0]
    away = distances_m(middle.lon, middle.lat, merchants.lon, merchants.lat)
    rows = np.argsort(away, kind="stable")[:MOST_KNOWN]
    rows = rows[away[rows] < KNOWN_WITHIN_M]
    if not len(rows):
        return []
    return [Dots(KNOWN_COLOUR, _("Merchants of the branch"), merchants.lon[rows], merchants.lat[rows])]


def neighbours(plan: ImportPlan) -> NDArray[np.int64]:
    """Return which rows of the sample to draw: those round the spot where they lie closest together."""
    lon, lat = placed(plan, "wgs84")
    east = (lon - lon.mean()) * np.cos(np.radians(lat.mean()))
    apart = np.hypot(east[:, None] - east, lat[:, None] - lat)
    crowd = np.sort(apart, axis=1)[:, min(CROWD, len(lon)) - 1]
    order: NDArray[np.int64] = np.argsort(apart[int(np.argmin(crowd))], kind="stable")
    return order[:CROWD]
