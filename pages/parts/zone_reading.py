"""Zones read from a file: what is in it, what is refused, and how it comes into the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import streamlit as st
from pandas import DataFrame
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data.files import readers
from data.lists.known import names_once
from data.lists.reasons import WARNINGS, rejects_table
from data.rights import Asker
from data.words import say
from data.zones.held import Held
from data.zones.reading import read_zones
from geo import drawing
from geo.datum import DATUMS
from geo.errors import GeoError
from geo.plans import Change, Plan, Zone
from pages.parts import state, zone_reads
from pages.parts.frame import calm, reading
from pages.parts.words import DATUM_NAMES, N_, _, language, ngettext, number, plain, spoken
from pages.parts.workshop_files import in_own_words
from pages.parts.zone_change import make

HOW = {
    "replace": N_("In place of all zones that are not locked"),
    "add": N_("Beside the zones there are, which keep their ground"),
}
AUTO = "auto"
REFUSED_SHOWN, NOTES_SHOWN = 50, 20


class Found(NamedTuple):
    """What a file holds, as much of it as is shown."""

    zones: tuple[Zone, ...]
    datum: str | None
    rejected: int
    rejects: DataFrame
    warnings: dict[str, int]
    notes: list[str]


def open_dialog(asker: Asker, held: Held) -> None:
    """Take zones in from a file."""

    @st.dialog(_("Read zones from a file"), width="large")
    def dialog() -> None:
        st.markdown(
            _(
                "Boundaries as GeoJSON, GeoPackage, Shapefile (zipped) or KML; or a list of merchants with a "
                "column for the zone, and one for the person if you have it."
            )
        )
        in_own_words()
        upload = st.file_uploader(_("File"), key=f"{state.ZONE_FILE}_upload")
        datum = st.selectbox(
            _("Where the coordinates come from"),
            [AUTO, *DATUMS],
            format_func=spoken({AUTO: N_("Found out from the file"), **DATUM_NAMES}),
            key=f"{state.ZONE_FILE}_datum",
        )
        if upload is None:
            return
        with calm():
            found = state.once(
                state.ZONE_FILE,
                (upload.file_id, datum, held.id, held.revision),
                lambda: read(asker, held, upload, datum),
            )
            told(found)
            take_in(asker, held, found)

    dialog()


def read(asker: Asker, held: Held, upload: UploadedFile, datum: str) -> Found:
    """Read a file for the plan's ground."""
    upload.seek(0)
    table = readers.open_table(upload, name=upload.name)
    people = zone_reads.staff(asker, held.branch_id)
    once = {name: person for person, name in people.items() if list(people.values()).count(name) == 1}
    with reading() as session:
        places = names_once(session, held.branch_id)
    found = read_zones(table, held.plan.frame, people=once, places=places, datum=datum)
    rejects = rejects_table(found.rows.rejects().head(REFUSED_SHOWN), _)
    notes = [say(note, language()) for _row, note in found.rows.notes[:NOTES_SHOWN]]
    return Found(
        found.zones, found.proof.datum, len(found.rows.refused), rejects, dict(found.rows.warnings), notes
    )


def told(found: Found) -> None:
    """Say what is in the file, what was done to it, and what is refused."""
    st.markdown(ngettext("**One zone was found.**", "**{n} zones were found.**", len(found.zones)))
    for note in dict.fromkeys(found.notes):
        st.markdown(f"- {plain(note)}")
    for code, count in found.warnings.items():
        st.caption(f"{_(WARNINGS[code])}: {number(count, compact=False)}")
    if not found.rejected:
        return
    st.warning(
        ngettext("One row cannot be taken", "{n} rows cannot be taken", found.rejected),
        icon=":material/block:",
    )
    titles = {"row": _("Row"), "column": _("Column"), "reason": _("Reason")}
    st.dataframe(found.rejects.rename(columns=titles), hide_index=True, width="stretch")


def take_in(asker: Asker, held: Held, found: Found) -> None:
    """Put the zones into the plan when that is asked for."""
    if not found.zones:
        return
    how = "replace"
    if len(held.plan):
        how = st.radio(_("Put them"), list(HOW), format_func=spoken(HOW), key=f"{state.ZONE_FILE}_how")
    if st.button(
        _("Put them into the plan"), type="primary", icon=":material/check:", key=f"{state.ZONE_FILE}_go"
    ):
        with calm():
            left_out: list[str] = []
            make(asker, held, lambda plan: with_zones(plan, found.zones, left_out, beside=how == "add"))
            if left_out:
                state.keep_zone_notes([_("Nothing was left of: {zones}", zones=_(", ").join(left_out))])
            st.rerun()


def with_zones(plan: Plan, zones: Sequence[Zone], left_out: list[str], *, beside: bool) -> Change:
    """
    Return the change that puts zones read in into a plan; what they are put beside keeps its ground.

    Parameters
    ----------
    plan, zones
        What is put into which plan.
    left_out
        Gets the names of those nothing is left of.
    beside
        Whether all zones that are there stay, or only locked ones.
    """
    now = replace(plan, zones=plan.zones if beside else tuple(zone for zone in plan.zones if zone.locked))
    names = {zone.name for zone in now.zones}
    for zone in zones:
        name = free_name(zone.name, names)
        try:
            change = drawing.drawn(now, zone.shape, name=name, kind=zone.kind, overlap="leave", snap_m=0.0)
        except GeoError:
            left_out.append(zone.name)
            continue
        names.add(name)
        now = now.after(change)
        now = now.after(drawing.edited(now, now.last_id, note=zone.note, pair=zone.pair))
    return plan.change_to(now, "read")


def free_name(name: str, taken: set[str]) -> str:
    """Return a name that no other zone has."""
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name} {count}"
    return free
