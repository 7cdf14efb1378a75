"""Zones designed by the machine, or an uneven plan evened out: what is asked, the work, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from data.rights import Asker
from data.snapshots import Snapshot
from data.words import say
from data.zones import designing
from data.zones.designing import Designed
from data.zones.held import Held
from data.zones.rebalancing import Rebalanced, rebalanced
from geo.errors import ZhendiError
from geo.plans import Change, Measure
from pages.parts import state, zone_reads, zone_work
from pages.parts.frame import calm
from pages.parts.words import N_, _, complaint, language, ngettext, share, spoken
from pages.parts.zone_change import keep
from pages.parts.zone_draw import NEW_NAME
from pages.parts.zone_frame import pick_measures
from pages.parts.zone_words import MEASURE_NAMES

POLL_S = 0.7
MOST_ZONES = 500
MOST_VARIANTS = 9_999
MOST_PLACES = 500
PRACTICE = {"merchants": 150.0, "households": 700.0}  # of a zone: the practice of rural banks
FEWEST, MOST_PROPOSED = 2, 40
HOW = {"number": N_("How many zones"), "target": N_("How much a zone")}


class Wish(NamedTuple):
    """What is asked of the designer; without a number of zones the first measure's target says how many."""

    measures: tuple[Measure, ...]
    zones: int | None
    seed: int
    seeds: tuple[tuple[float, float], ...] = ()  # places that each have a zone of their own


# What is asked ----------------------------------------------------------------------------------------------


def open_dialog(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Ask what zones are to be like, and begin."""

    @st.dialog(_("Let zones be proposed"), width="large")
    def dialog() -> None:
        with calm():
            wish = fields(asker, snapshot, held)
            replaced = sum(not zone.locked for zone in held.plan.zones)
            if replaced:
                st.caption(
                    ngettext(
                        "The plan's {n} zone is replaced, but for what is locked. It can be undone.",
                        "The plan's {n} zones are replaced, but for the locked ones. It can be undone.",
                        replaced,
                    )
                )
            if st.button(
                _("Propose zones"),
                type="primary",
                icon=":material/auto_awesome:",
                key=f"{state.ZONE_DESIGN}_go",
                disabled=not wish.measures,
            ):
                begin(asker, snapshot, held, wish)
                st.rerun()

    dialog()


def fields(asker: Asker, snapshot: Snapshot, held: Held) -> Wish:
    """Ask how many zones, alike in what, and how closely."""
    key = state.ZONE_DESIGN
    how = st.segmented_control(
        _("Choose by"), list(HOW), default="number", format_func=spoken(HOW), required=True, key=f"{key}_how"
    )
    box = st.container(horizontal=True, vertical_alignment="bottom")
    measures = pick_measures(held.plan.frame.measures or (Measure("merchants"),), key)
    if not measures:
        st.warning(_("Choose at least one thing the zones are to be alike in."), icon=":material/edit_note:")
    zones = None
    with box:
        if how == "number":
            zones = int(
                st.number_input(
                    _("Number of zones"),
                    1,
                    MOST_ZONES,
                    proposed(snapshot),
                    step=1,
                    key=f"{key}_zones",
                    width=150,
                )
            )
        elif measures:
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
    return Wish(measures, zones, int(seed), pick_seeds(asker, snapshot))


def pick_seeds(asker: Asker, snapshot: Snapshot) -> tuple[tuple[float, float], ...]:
    """Ask for places that zones begin from, the largest offered first; return where they are."""
    places = snapshot.places
    if not len(places):
        return ()
    largest = np.argsort(-np.nan_to_num(places.households), kind="stable")[:MOST_PLACES]
    names = zone_reads.place_names(asker, snapshot.branch_id, places.id[largest].tolist())
    picked: list[int] = st.multiselect(
        _("Places that each have a zone of their own"),
        list(names),
        format_func=names.__getitem__,
        placeholder=_("None in particular"),
        key=f"{state.ZONE_DESIGN}_seeds",
    )
    rows = [row for each in picked if (row := places.row_of(each)) is not None]
    return tuple((float(places.lon[row]), float(places.lat[row])) for row in rows)


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


def proposed(snapshot: Snapshot) -> int:
    """Return how many zones the practice would make of a branch's merchants."""
    return int(np.clip(round(len(snapshot.merchants) / PRACTICE["merchants"]), FEWEST, MOST_PROPOSED))


# The work ---------------------------------------------------------------------------------------------------


def begin(asker: Asker, snapshot: Snapshot, held: Held, wish: Wish) -> None:
    """Begin to design beside the page."""
    said = language()  # looked up here: the work asks Streamlit for nothing

    def task(progress: zone_work.Progress, cancelled: Callable[[], bool]) -> Designed:
        return designing.designed(
            snapshot,
            asker,
            held.plan,
            zones=wish.zones,
            measures=wish.measures,
            name=lambda number: say(NEW_NAME, said, number=number),
            seed=wish.seed,
            seeds=wish.seeds,
            progress=progress,
            cancelled=cancelled,
        )

    started(zone_work.begin(held, _("Zones are being proposed"), task, proposal))


def started(begun: bool) -> None:
    """Say so where the work could not begin."""
    if not begun:
        state.keep_zone_notes([_("Too much is being worked out just now. Try again in a minute.")])


def proposal(found: Designed) -> tuple[Change, list[str]]:
    """Return the change that was designed, and how even the zones are."""
    notes = [
        ngettext(
            "One zone, at most {percent} from the ideal.",
            "{n} zones, at most {percent} from the ideal.",
            len(found.ids),
            percent=share(round(found.design.largest_deviation, 4)),
        )
    ]
    if not found.design.within:
        notes.append(
            _("The limits cannot all be kept; no plan can be nearer than {bound}.", bound=bound_text(found))
        )
    if found.left_out:
        notes.append(
            ngettext(
                "One block lies in no zone: little is on it, and something parts it from the rest.",
                "{n} blocks lie in no zone: little is on them, and something parts them from the rest.",
                found.left_out,
            )
        )
    return found.change, notes


def bound_text(found: Designed) -> str:
    """Return the least that the largest deviation can be."""
    return share(round(found.design.bound.deviation, 4))


def watch(asker: Asker) -> None:
    """Show the work that goes on, if any does; what came of it is kept when it is done."""
    if zone_work.current() is not None:
        _watched(asker)


@st.fragment(run_every=POLL_S)
@calm()
def _watched(asker: Asker) -> None:
    job = zone_work.current()
    if job is None:
        return
    if job.goes_on:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.progress(job.done, text=f"{job.title} …")
            if st.button(_("Stop"), icon=":material/cancel:", key=f"{state.ZONE_DESIGN}_stop"):
                zone_work.forget()
                state.keep_zone_notes([_("Stopped. Nothing was changed.")])
                st.rerun()
        return
    zone_work.forget()
    finish(asker, job)
    st.rerun()


def finish(asker: Asker, job: zone_work.Job) -> None:
    """Keep what came of the work, in the plan it was begun for."""
    if job.outcome is not None:
        change, notes = job.tell(job.outcome)
        if change:
            keep(asker, job.held, change, *notes)
        else:
            state.keep_zone_notes(notes)
    elif isinstance(job.error, ZhendiError):
        state.keep_zone_notes([complaint(job.error)])
    else:
        state.keep_zone_notes([_("Something went wrong on our side; nothing was changed.")])


# Evened out -------------------------------------------------------------------------------------------------


def even_out(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Begin to even the zones out beside the page."""
    measures = held.plan.frame.measures or (Measure("merchants"),)

    def task(progress: zone_work.Progress, cancelled: Callable[[], bool]) -> Rebalanced:
        return rebalanced(
            snapshot, asker, held.plan, measures=measures, progress=progress, cancelled=cancelled
        )

    started(zone_work.begin(held, _("Zones are being evened out"), task, evened))


def evened(found: Rebalanced) -> tuple[Change, list[str]]:
    """Return the change that was found, and how much stays where it was."""
    if found.was_even:
        return found.change, [_("The zones keep their limits already; nothing was changed.")]
    if not found.change:
        return found.change, [_("Nothing better was found; the plan stays as it is.")]
    notes = [
        ngettext(
            "{kept} stays in its zone, one block moves; zones are at most {percent} from the ideal.",
            "{kept} stays in its zone, {n} blocks move; zones are at most {percent} from the ideal.",
            found.moved,
            kept=share(round(found.kept_share, 4)),
            percent=share(round(found.design.largest_deviation, 4)),
        )
    ]
    if not found.design.within:
        notes.append(_("Not every limit can be kept this way. Propose zones anew, or widen the limits."))
    return found.change, notes
