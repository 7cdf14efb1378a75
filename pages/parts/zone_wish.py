"""What is asked of the designer: how many zones, alike in what, made of which blocks, begun from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.blocks import Polygons, of_places, read_polygons
from data.zones.held import Held
from data.zones.pairs import Pair
from geo.plans import Measure
from pages.parts import state, zone_reads, zone_shapes
from pages.parts.frame import calm, reading
from pages.parts.words import N_, _, ngettext, number, spoken
from pages.parts.zone_frame import pick_measures
from pages.parts.zone_words import MEASURE_NAMES

MOST_ZONES = 500
MOST_VARIANTS = 9_999
MOST_PLACES = 500
PRACTICE = {"merchants": 150.0, "households": 700.0}  # of a zone: the practice of rural banks
FEWEST, MOST_PROPOSED = 2, 40
HOW = {
    "number": N_("How many zones"),
    "target": N_("How much a zone"),
    "pairs": N_("The hours its pair has"),
}
MADE_OF = {
    "cells": N_("Hexagons"),
    "places": N_("Communities and other places"),
    "file": N_("Areas from a file"),
}
COUNTED = ""  # instead of a column
Places = tuple[tuple[float, float], ...]


class Wish(NamedTuple):
    """
    What is asked of the designer.

    Without a number of zones or pairs, the measures' targets say how many. `lacks` says what is missing yet.
    """

    measures: tuple[Measure, ...]
    zones: int | None
    seed: int
    seeds: Places = ()  # places that each have a zone of their own
    candidates: Places = ()
    pairs: tuple[Pair, ...] | None = None
    polygons: Polygons | None = None
    columns: Mapping[str, str] | None = None
    lacks: bool = False


def fields(asker: Asker, snapshot: Snapshot, held: Held) -> Wish:
    """Ask how many zones, alike in what, and how closely; made of what, and begun from where."""
    key = state.ZONE_DESIGN
    how = st.segmented_control(
        _("Choose by"), list(HOW), default="number", format_func=spoken(HOW), required=True, key=f"{key}_how"
    )
    box = st.container(horizontal=True, vertical_alignment="bottom")
    pairs = _pairs(asker, held) if how == "pairs" else None
    measures = pick_measures(held.plan.frame.measures or (Measure("merchants"),), key)
    if not measures:
        st.warning(_("Choose at least one thing the zones are to be alike in."), icon=":material/edit_note:")
    with box:
        zones = _how_many(snapshot) if how == "number" else None
        if how == "target" and measures:
            measures = (replace(measures[0], target=target_of(measures[0])), *measures[1:])
        seed = st.number_input(
            _("Variant"),
            0,
            MOST_VARIANTS,
            0,
            step=1,
            key=f"{key}_seed",
            help=_("Another number gives another proposal; the same number gives the same again."),
            width=130,
        )
    made_of = st.segmented_control(
        _("Made of"),
        list(MADE_OF),
        default="cells",
        format_func=spoken(MADE_OF),
        required=True,
        key=f"{key}_blocks",
        help=_("What is never split: a zone has it whole or not at all."),
    )
    polygons, columns = _blocks(asker, held, str(made_of), measures)
    lacks = not measures or (how == "pairs" and not pairs) or (made_of != "cells" and polygons is None)
    required, candidates = _begun_from(asker, snapshot)
    return Wish(measures, zones, int(seed), required, candidates, pairs, polygons, columns, lacks=lacks)


# How many ---------------------------------------------------------------------------------------------------


def _how_many(snapshot: Snapshot) -> int:
    """Ask how many zones there are to be."""
    key = f"{state.ZONE_DESIGN}_zones"
    label = _("Number of zones")
    return int(st.number_input(label, 1, MOST_ZONES, proposed(snapshot), step=1, key=key, width=150))


def proposed(snapshot: Snapshot) -> int:
    """Return how many zones the practice would make of a branch's merchants."""
    return int(np.clip(round(len(snapshot.merchants) / PRACTICE["merchants"]), FEWEST, MOST_PROPOSED))


def target_of(measure: Measure) -> float:
    """Ask how much of a measure a zone is to hold."""
    return float(
        st.number_input(
            _("{measure} a zone", measure=_(MEASURE_NAMES[measure.name])),
            1.0,
            value=float(measure.target or PRACTICE.get(measure.name, 100.0)),
            step=10.0,
            key=f"{state.ZONE_DESIGN}_target_{measure.name}",
            help=_("Banks in the country count on about 150 merchants or 700 households a zone."),
            width=220,
        )
    )


def _pairs(asker: Asker, held: Held) -> tuple[Pair, ...]:
    """Ask which pairs get a zone each, as large as the hours they have; none where there are none."""
    found: list[Pair] = []
    with calm():
        found = zone_reads.pairs(asker, held)
    if not found:
        return ()
    names = zone_reads.staff(asker, held.branch_id)
    gone, between = _("somebody who left"), _(", ")
    labels = [
        _(
            "{people} · {hours} hours",
            people=between.join(names.get(person, gone) for person in pair.people),
            hours=number(pair.hours),
        )
        for pair in found
    ]
    picked = st.multiselect(
        _("Pairs that get a zone each"),
        list(range(len(found))),
        default=list(range(len(found))),
        format_func=labels.__getitem__,
        placeholder=_("Nobody yet"),
        key=f"{state.ZONE_DESIGN}_pairs",
        help=_("Zones are as large as the hours a quarter that their pair has."),
    )
    return tuple(found[at] for at in picked)


# Made of what -----------------------------------------------------------------------------------------------


def _blocks(
    asker: Asker, held: Held, made_of: str, measures: tuple[Measure, ...]
) -> tuple[Polygons | None, dict[str, str]]:
    """Ask for the blocks where they are no hexagons; return them with the columns they are weighed by."""
    polygons: Polygons | None = None
    columns: dict[str, str] = {}
    with calm():
        if made_of == "places":
            with reading() as session:
                polygons = of_places(session, asker, held.branch_id, held.plan.frame)
        elif made_of == "file":
            label = _("Areas as GeoJSON, GeoPackage, zipped Shapefile or KML")
            polygons = zone_shapes.taken(held, f"{state.ZONE_DESIGN}_file", label, read_polygons)
        if polygons is not None:
            st.caption(ngettext("One block.", "{n} blocks.", len(polygons.shapes)))
            columns = _columns(polygons, measures)
    return polygons, columns


def _columns(polygons: Polygons, measures: tuple[Measure, ...]) -> dict[str, str]:
    """Ask for each measure whether it is counted on the ground or stands in a column of the file."""
    if not polygons.columns:
        return {}
    found = {}
    choices = [COUNTED, *polygons.columns]
    names = {COUNTED: _("Count what lies inside"), **{each: each for each in polygons.columns}}
    with st.container(horizontal=True):
        for measure in measures:
            picked = st.selectbox(
                _("{measure} of a block", measure=_(MEASURE_NAMES[measure.name])),
                choices,
                format_func=names.__getitem__,
                key=f"{state.ZONE_DESIGN}_column_{measure.name}",
                width=220,
            )
            if picked != COUNTED:
                found[measure.name] = str(picked)
    return found


# Begun from where -------------------------------------------------------------------------------------------


def _begun_from(asker: Asker, snapshot: Snapshot) -> tuple[Places, Places]:
    """Ask for places that zones begin from, the largest offered first: required ones, and candidates."""
    places = snapshot.places
    if not len(places):
        return (), ()
    largest = np.argsort(-np.nan_to_num(places.households), kind="stable")[:MOST_PLACES]
    names = zone_reads.place_names(asker, snapshot.branch_id, places.id[largest].tolist())

    def asked(label: str, name: str, told: str | None = None) -> Places:
        picked: list[int] = st.multiselect(
            label,
            list(names),
            format_func=names.__getitem__,
            placeholder=_("None in particular"),
            key=f"{state.ZONE_DESIGN}_{name}",
            help=told,
        )
        rows = [row for each in picked if (row := places.row_of(each)) is not None]
        return tuple((float(places.lon[row]), float(places.lat[row])) for row in rows)

    return asked(_("Places that each have a zone of their own"), "seeds"), asked(
        _("Places one of which each other zone holds"),
        "candidates",
        _("The best of them are found; there have to be as many as zones, at least."),
    )
