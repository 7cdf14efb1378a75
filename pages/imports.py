"""Bring a list in: choose a file, look at what would happen, agree, and see what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas import DataFrame
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data import headers as header_words
from data import ingest, proof, readers, store
from data.config import Settings
from data.ingest import ImportPlan, ImportReport
from data.rights import Asker, Right
from geo.catchment import distances_m
from geo.datum import DATUMS
from pages.parts import downloads, state
from pages.parts import map as maps
from pages.parts.frame import calm, long_work, reading, writing
from pages.parts.ways import Way, link
from pages.parts.words import DATUM_NAMES, N_, NONE, _, distance, moment, ngettext, number, plain, spoken

TYPES = ["csv", "txt", "tsv", "xlsx", "geojson", "json"]
KINDS = {
    "merchants": N_("Merchants"),
    "customers": N_("Customers"),
    "outlets": N_("Outlets"),
    "places": N_("Places"),
}
NEEDS = {
    "merchants": N_(
        "One row a shop: its name and coordinates; better with category, status, phone and address."
    ),
    "customers": N_(
        "One row a customer, or a group of target customers: coordinates and customer group; better with "
        "deposits, products and manager."
    ),
    "outlets": N_("One row an outlet of a bank or insurer: its name and coordinates."),
    "places": N_(
        "One row a community, village, business park or institution: its name, kind and coordinates; better "
        "with households."
    ),
}
FIELDS = {
    "name": N_("Name"),
    "lon": N_("Longitude"),
    "lat": N_("Latitude"),
    "coordinates": N_("Longitude and latitude in one column"),
    "source_id": N_("Number in the list"),
    "category": N_("Category"),
    "kind": N_("Kind"),
    "brand": N_("Whose outlet"),
    "status": N_("Status"),
    "existing": N_("Existing or target"),
    "group": N_("Customer group"),
    "size": N_("People"),
    "tier": N_("Tier"),
    "deposits": N_("Deposits"),
    "assets": N_("Household assets"),
    "products": N_("Products held"),
    "key": N_("Key customer"),
    "tags": N_("Tags"),
    "channels": N_("Channels"),
    "households": N_("Households"),
    "adults": N_("Adults"),
    "employees": N_("Employees"),
    "manager": N_("Customer manager"),
    "phone": N_("Phone"),
    "address": N_("Address"),
    "hours": N_("Opening hours"),
}
PLACED = ("lon", "lat", "coordinates")
STAGES = {"reading": N_("Reading the file …"), "storing": N_("Storing the rows …")}
REJECTS_SHOWN = 500


@dataclass(frozen=True)
class Choices:
    """What the user chose for one file."""

    kind: str
    sheet: str | None
    mapping: tuple[tuple[str, str | None], ...]
    datum: str


def page(asker: Asker) -> None:
    """Show the page."""
    st.title(_("Import lists"), anchor=False)
    code = state.branch_code()
    if code is None:
        st.info(_("A list belongs to a branch, and there is none yet."), icon=":material/info:")
        link(Way.BRANCHES, _("Add a branch, or make the demo town"), ":material/add_location_alt:")
        return
    with reading() as session:
        branch = store.branch(session, asker, code)
    asker.require(Right.IMPORT, branch["id"])
    st.caption(_("Lists go to the branch {name}.", name=plain(branch["name"])))
    kind = kind_choice()
    uploads = st.file_uploader(
        _("One or more files: CSV, Excel (.xlsx) or GeoJSON"),
        type=TYPES,
        accept_multiple_files=True,
        key=state.upload_key(),
    )
    for upload in uploads:
        with st.container(border=True), calm():
            one_file(asker, branch, upload, kind)
    history(asker, branch)


def kind_choice() -> str:
    """Ask what the list is of."""
    kind = st.segmented_control(
        _("What is the list of?"),
        list(KINDS),
        default="merchants",
        required=True,
        format_func=spoken(KINDS),
        key=state.IMPORT_KIND,
    )
    st.caption(_(NEEDS[kind]))
    return str(kind)


def one_file(asker: Asker, branch: Mapping[str, Any], upload: UploadedFile, kind: str) -> None:
    """Take one file from its first look to what became of it."""
    st.subheader(plain(upload.name), anchor=False)
    done = state.report_of(upload.file_id)
    if done is not None:
        show_report(done)
        return
    table = first_look(upload, None)
    sheet = None
    if len(table["sheets"]) > 1:
        sheets = list(table["sheets"])
        sheet = st.selectbox(
            _("Sheet"),
            sheets,
            index=sheets.index(table["sheet"]),
            key=state.of_file(state.SHEET, upload.file_id),
        )
        table = first_look(upload, sheet)
    with columns_box(table):
        choices = Choices(kind, sheet, column_choices(table, upload, kind), datum_choice(upload))
    plan = plan_of(asker, branch, upload, choices)
    show_columns(plan)
    datum = settle_datum(plan, branch, upload)
    show_plan(plan)
    offer_rejects(plan.rejects, plan.rejected, state.of_file(state.PLAN, upload.file_id))
    confirm(asker, branch, upload, choices, plan, datum)


def first_look(upload: UploadedFile, sheet: str | None) -> dict[str, Any]:
    """Return a file's headers and sheets, read once."""

    def look() -> dict[str, Any]:
        upload.seek(0)
        table = readers.open_table(upload, name=upload.name, sheet=sheet)
        placed = table.form == "geojson" or header_words.has_coordinates(table.headers)
        return {
            "headers": table.headers,
            "sheets": table.sheets,
            "sheet": table.sheet,
            "form": table.form,
            "placed": placed,
        }

    return state.once(state.LOOK, (upload.file_id, sheet), look)


def columns_box(table: Mapping[str, Any]) -> DeltaGenerator:
    """Return the box of what is rarely changed; it is open where the file's coordinates were not found."""
    title = _("Columns, and where the coordinates come from")
    return st.expander(title, expanded=not table["placed"], icon=":material/tune:")


def column_choices(
    table: Mapping[str, Any], upload: UploadedFile, kind: str
) -> tuple[tuple[str, str | None], ...]:
    """Let the columns proposed be changed; return what was changed."""
    known = list(table["headers"])
    proposed = proposal(known, kind)
    changed: list[tuple[str, str | None]] = []
    placed = () if table["form"] == "geojson" else PLACED  # there the shapes say where
    columns = st.columns(3)
    names = [name for name in FIELDS if name in placed or name in header_words.FIELDS[kind]]
    for at, name in enumerate(names):
        given = proposed.get(name)
        picked = columns[at % 3].selectbox(
            _(FIELDS[name]),
            known,
            index=None if given is None else known.index(given),
            placeholder=_("Not in the list"),
            key=state.of_file(f"{state.COLUMN}_{kind}_{name}_{table['sheet']}", upload.file_id),
        )
        if picked != given:
            changed.append((name, picked))
    return tuple(changed)


def proposal(headers: list[str], kind: str) -> dict[str, str]:
    """Return the column proposed for each field, the coordinates' too."""
    proposed = header_words.propose(headers, kind)
    for pair in header_words.coordinate_pairs(headers)[:1]:
        proposed |= {"coordinates": pair.lon} if pair.lon == pair.lat else {"lon": pair.lon, "lat": pair.lat}
    return proposed


def datum_choice(upload: UploadedFile) -> str:
    """Ask where the coordinates come from; by default the file itself has to prove it."""
    options = ["auto", *DATUMS]
    names = {"auto": N_("Let the list prove it")} | DATUM_NAMES
    return str(
        st.selectbox(
            _("Where the coordinates come from"),
            options,
            format_func=spoken(names),
            key=state.of_file(state.DATUM, upload.file_id),
        )
    )


def plan_of(asker: Asker, branch: Mapping[str, Any], upload: UploadedFile, choices: Choices) -> ImportPlan:
    """Return what importing the file would do, found out once for the same choices and data."""

    def find_out() -> ImportPlan:
        upload.seek(0)
        bar = st.progress(0.0, text=stage_name("reading"))
        with reading() as session:
            plan = ingest.plan_import(
                session,
                asker,
                upload,
                branch_id=branch["id"],
                name=upload.name,
                progress=partial(show_progress, bar),
                **arguments(choices),
            )
        bar.empty()
        return plan_on_screen(plan)

    key = (upload.file_id, choices, branch["id"], branch["version"], asker.role)
    plan: ImportPlan = state.once(state.PLAN, key, find_out)
    return plan


def plan_on_screen(plan: ImportPlan) -> ImportPlan:
    """Return the plan with no more rejected rows than are shown: the session keeps it."""
    return ImportPlan(**{**vars(plan), "rejects": plan.rejects.head(REJECTS_SHOWN)})


def arguments(choices: Choices) -> dict[str, Any]:
    """Return the choices as the importer takes them."""
    return {
        "kind": choices.kind,
        "sheet": choices.sheet,
        "mapping": dict(choices.mapping),
        "datum": choices.datum,
    }


def show_progress(bar: Any, stage: str, done: int, total: int) -> None:
    """Show how far the work is."""
    bar.progress(min(done / total, 1.0) if total else 0.0, text=stage_name(stage))


def stage_name(stage: str) -> str:
    """Return what the importer does at a stage."""
    named = STAGES.get(stage, STAGES["reading"])
    return _(named)


# Before: what would happen ----------------------------------------------------------------------------------


def show_columns(plan: ImportPlan) -> None:
    """Show the file's first rows, so that one sees whether it was read well."""
    with st.expander(_("The first rows, as they stand in the file")):
        st.dataframe(plan.preview.head(20).rename(columns={"row": _("Row")}), hide_index=True)
        if plan.encoding:
            st.caption(_("Read as {encoding}.", encoding=plan.encoding))


def settle_datum(plan: ImportPlan, branch: Mapping[str, Any], upload: UploadedFile) -> str | None:
    """Say what proves where the coordinates come from, or ask; None while nobody knows."""
    if plan.datum is not None:
        how = plan.datum_how or "stated"
        st.success(
            _(
                "Coordinates: {datum}. Proven by: {how}.",
                datum=_(DATUM_NAMES[plan.datum]),
                how=_(proof.HOW[how]),
            ),
            icon=":material/my_location:",
        )
        return plan.datum
    if not plan.candidates:
        return None
    st.warning(
        _(
            "Nothing in the file says where its coordinates come from. Depending on the source, the first "
            "row lies at one of three places: choose the right one."
        ),
        icon=":material/not_listed_location:",
    )
    named = {datum: candidate_name(plan.candidates, branch, datum) for datum in plan.candidates}
    picked: str | None = st.radio(
        _("Where the coordinates come from"),
        list(plan.candidates),
        index=None,
        format_func=named.__getitem__,
        key=state.of_file(state.CANDIDATE, upload.file_id),
        label_visibility="collapsed",
    )
    maps.candidates_map(
        {_(DATUM_NAMES[datum]): point for datum, point in plan.candidates.items()},
        key=state.of_file(state.CANDIDATE, f"map_{upload.file_id}"),
    )
    return picked


def candidate_name(
    candidates: Mapping[str, tuple[float, float]], branch: Mapping[str, Any], datum: str
) -> str:
    """Return a candidate with its distance from the branch."""
    lon, lat = candidates[datum]
    away = float(distances_m(branch["lon"], branch["lat"], [lon], [lat])[0])
    return _("{datum}: {distance} from the branch", datum=_(DATUM_NAMES[datum]), distance=distance(away))


def show_plan(plan: ImportPlan) -> None:
    """Show how many rows would come in."""
    rows, good, bad = st.columns(3, wrap=False)
    rows.metric(_("Rows in the file"), number(plan.rows, compact=False), border=True)
    good.metric(_("Can be placed"), number(plan.rows - plan.rejected, compact=False), border=True)
    bad.metric(_("Rejected"), number(plan.rejected, compact=False), border=True)


def offer_rejects(rejects: DataFrame, count: int, key: str) -> None:
    """Show the rows that stay out, each with its column and reason, to take along and mend."""
    if not count:
        return
    readable = readable_rejects(rejects)
    with st.expander(
        ngettext("One row cannot be taken", "{n} rows cannot be taken", count), icon=":material/report:"
    ):
        if count > len(readable):
            st.caption(
                _("The first {shown} of {all}.", shown=len(readable), all=number(count, compact=False))
            )
        st.dataframe(readable, hide_index=True)
        downloads.offer(_("Rejected rows"), lambda: {"rejected": readable}, key=f"rejects_{key}")


def readable_rejects(rejects: DataFrame) -> DataFrame:
    """Return rejected rows with titles and reasons in the user's language."""
    return ingest.rejects_table(rejects, _).rename(
        columns={"row": _("Row"), "column": _("Column"), "reason": _("Reason")}
    )


def confirm(
    asker: Asker,
    branch: Mapping[str, Any],
    upload: UploadedFile,
    choices: Choices,
    plan: ImportPlan,
    datum: str | None,
) -> None:
    """Offer to bring the list in, once everything is settled."""
    good = plan.rows - plan.rejected
    if not good:
        st.error(
            _("No row can be placed on the map. Check which columns hold longitude and latitude."),
            icon=":material/error:",
        )
        return
    agreed = True
    if plan.rejected > ingest.MOST_REJECTED * plan.rows:
        st.warning(_("More than half of the rows would be left out. Look at the reasons first."))
        agreed = st.checkbox(_("Go on without them"), key=state.of_file(state.AGREED, upload.file_id))
    st.button(
        ngettext("Import one row", "Import {n} rows", good),
        type="primary",
        icon=":material/upload:",
        disabled=datum is None or not agreed,
        help=_("Choose first where the coordinates come from.") if datum is None else None,
        key=state.of_file(state.RUN, upload.file_id),
        on_click=state.ask_for,
        args=(upload.file_id,),
    )
    if state.asked_for() == upload.file_id and datum is not None and agreed:
        run(asker, branch, upload, Choices(choices.kind, choices.sheet, choices.mapping, datum), agreed)


def run(
    asker: Asker, branch: Mapping[str, Any], upload: UploadedFile, choices: Choices, agreed: bool
) -> None:
    """Bring the list in."""
    upload.seek(0)
    bar = st.progress(0.0, text=stage_name("reading"))
    with long_work(), writing() as session:
        report = ingest.run_import(
            session,
            asker,
            upload,
            branch_id=branch["id"],
            name=upload.name,
            bank=Settings.from_env().bank,
            agreed=agreed,
            progress=partial(show_progress, bar),
            **arguments(choices),
        )
    kept = {**vars(report), "rejects": report.rejects.head(REJECTS_SHOWN)}
    state.keep_report(upload.file_id, ImportReport(**kept))
    st.rerun()


# After: what happened ---------------------------------------------------------------------------------------


def show_report(report: ImportReport) -> None:
    """Say what became of the list, and where to go from here."""
    st.success(
        ngettext("One row is in.", "{n} rows are in.", report.accepted + report.updated),
        icon=":material/task_alt:",
    )
    figures = {
        N_("New"): report.accepted,
        N_("Updated"): report.updated,
        N_("Known already"): report.duplicates,
        N_("Rejected"): report.rejected,
    }
    for column, (title, count) in zip(st.columns(4, wrap=False), figures.items(), strict=True):
        column.metric(_(title), number(count), border=True)
    if report.outlets:
        st.write(
            ngettext(
                "One row is a bank or insurer and became an outlet.",
                "{n} rows are banks or insurers and became outlets.",
                report.outlets,
            )
        )
    for code, count in report.warnings.items():
        st.caption(f"{_(ingest.WARNINGS[code])}: {number(count)}")
    offer_rejects(report.rejects, report.rejected, f"after_{report.batch}")
    with st.container(horizontal=True):
        link(Way.MAP, _("See it on the map"), ":material/map:")
        st.button(
            _("Import another list"),
            icon=":material/upload_file:",
            on_click=state.forget_uploads,
            key=state.of_file(state.RUN, f"more_{report.batch}"),
        )


def history(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show what was brought in before."""
    with reading() as session:
        batches = store.batches(session, asker, branch["id"])
    st.subheader(_("Imported before"), anchor=False)
    if batches.empty:
        st.caption(_("Nothing yet. The first list makes the map."))
        return
    st.dataframe(readable_batches(batches), hide_index=True, placeholder=NONE)


def readable_batches(batches: DataFrame) -> DataFrame:
    """Return imports as the table shows them."""
    counts = pd.DataFrame(list(batches["counts"]), index=batches.index)
    return pd.DataFrame(
        {
            _("When"): [moment(at) for at in batches["at"]],
            _("List"): [_(KINDS[kind]) for kind in batches["kind"]],
            _("File"): batches["file_name"],
            _("New"): counts.get("accepted", 0),
            _("Updated"): counts.get("updated", 0),
            _("Known already"): counts.get("duplicates", 0),
            _("Rejected"): counts.get("rejected", 0),
            _("Where the coordinates come from"): [
                _(DATUM_NAMES.get(datum, datum)) for datum in batches["datum"]
            ],
            _("By"): batches["by"],
        }
    )
