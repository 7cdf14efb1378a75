"""Zones designed by the machine, or an uneven plan evened out: what is asked, the work, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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
from pages.parts import state, zone_wish, zone_work
from pages.parts.frame import calm
from pages.parts.words import _, complaint, language, ngettext, share
from pages.parts.zone_change import keep, shown
from pages.parts.zone_draw import NEW_NAME
from pages.parts.zone_wish import Wish

POLL_S = 0.7
# What is asked ----------------------------------------------------------------------------------------------


def open_dialog(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Ask what zones are to be like, and begin."""

    @st.dialog(_("Let zones be proposed"), width="large")
    def dialog() -> None:
        with calm():
            wish = zone_wish.fields(asker, snapshot, held)
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
                disabled=wish.lacks,
            ):
                begin(asker, snapshot, held, wish)
                st.rerun()

    dialog()


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
            capacities=None if wish.pairs is None else [pair.hours for pair in wish.pairs],
            pairs=[pair.people for pair in wish.pairs or ()],
            polygons=wish.polygons,
            columns=wish.columns,
            name=lambda number: say(NEW_NAME, said, number=number),
            seed=wish.seed,
            seeds=wish.seeds,
            candidates=wish.candidates,
            progress=progress,
            cancelled=cancelled,
        )

    tell = partial(proposal, by_column=bool(wish.columns))
    started(zone_work.begin(held, _("Zones are being proposed"), task, tell))


def started(begun: bool) -> None:
    """Say so where the work could not begin."""
    if not begun:
        state.keep_zone_notes([_("Too much is being worked out just now. Try again in a minute.")])


def proposal(found: Designed, *, by_column: bool = False) -> tuple[Change, list[str]]:
    """Return the change that was designed, and how even the zones are."""
    notes = [
        ngettext(
            "One zone, at most {percent} from the ideal.",
            "{n} zones, at most {percent} from the ideal.",
            len(found.ids),
            percent=share(round(found.design.largest_deviation, 4)),
        )
    ]
    if by_column:
        notes.append(_("They were weighed by a column of the file; the list counts what lies on the ground."))
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
    finish(asker, job)
    zone_work.forget()  # last: a run that is cut short before is made up for by the next
    st.rerun()


def finish(asker: Asker, job: zone_work.Job) -> None:
    """Keep what came of the work, in the plan it was begun for."""
    if job.outcome is not None:
        change, notes = job.tell(job.outcome)
        if job.kept is not None:
            shown(job.kept, notes)
        elif change:
            keep(asker, job.held, change, *notes, then=job.keep)
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
