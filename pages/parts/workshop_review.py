"""The workshop's sixth step: what would happen, what stays out, what would be closed, and the one button."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import streamlit as st
from pandas import DataFrame

from data import catalogue, ingest
from data.ingest import ImportPlan, ImportReport
from data.lists import reasons
from data.lists.rejected import rejected_rows
from data.words import say
from geo.catchment import distances_m
from pages.parts import downloads, state
from pages.parts import map as maps
from pages.parts.frame import reading
from pages.parts.map import Dots, Marked
from pages.parts.words import N_, _, distance, language, ngettext, number, plain
from pages.parts.workshop import Choices, Job, counts_row

CHANGE_COLOURS = {"new": "#0f5c4a", "moved": "#e0a030", "gone": "#a23b50"}
CHANGE_NAMES = {"new": N_("New"), "moved": N_("Moved"), "gone": N_("Missing from the list")}
REASON_NAMES = {
    "ragged": N_("More or fewer cells than the header"),
    "no_coordinates": N_("No coordinates"),
    "not_a_number": N_("The coordinates are no numbers"),
    "impossible": N_("No longitude or latitude in degrees"),
    "swapped": N_("Longitude and latitude look exchanged"),
    "metres": N_("Projected metres instead of degrees"),
    "foreign": N_("Outside China"),
    "repeated_id": N_("Identifier of an earlier row"),
    "long_id": N_("Identifier too long"),
    "too_large": N_("A whole district instead of one merchant"),
    "no_day": N_("No date of the visit"),
    "not_a_day": N_("The date is no date"),
    "day_to_come": N_("A day still to come"),
    "nobody": N_("No merchant and no customer named"),
    "two": N_("A merchant and a customer in one row"),
    "unknown_merchant": N_("The branch has no such merchant"),
    "several_merchants": N_("Several merchants of this name"),
    "unknown_customer": N_("The branch has no such customer"),
}
CATEGORIES_SHOWN = 8
FAR_M = 50_000.0  # from the branch: its customers are not that far away
GONE_COLUMNS = {"name": N_("Name"), "address": N_("Address"), "source_id": N_("Number in the list")}


def mode(job: Job) -> str:
    """Return whether the list only adds, or is complete, so that what it lacks is closed."""
    return "snapshot" if state.chosen(job.key(state.SNAPSHOT_PICKED), False) else "add"


# What would happen ------------------------------------------------------------------------------------------


def summary(plan: ImportPlan) -> None:
    """Show what becomes of the rows, every one counted once."""
    if plan.datum is None:
        st.caption(
            ngettext("One row was read.", "{n} rows were read.", plan.rows)
            + " "
            + _("What becomes of them is worked out once it is known where the coordinates come from.")
        )
        return
    figures = {
        N_("New"): plan.accepted,
        N_("Updated"): plan.updated,
        N_("Known already"): plan.duplicates,
        N_("Rejected"): plan.rejected,
    }
    st.caption(ngettext("Of one row:", "Of {n} rows:", plan.rows))
    counts_row(figures)
    for line in remarks(plan):
        st.markdown(f"- {line}")


def far_off(job: Job, plan: ImportPlan) -> None:
    """Say so when the whole list lies far from the branch: it may be another branch's."""
    if not plan.sample:
        return
    lon, lat = np.array(plan.sample, dtype=np.float64).T
    nearest = float(distances_m(job.branch["lon"], job.branch["lat"], lon, lat).min())
    if nearest > FAR_M:
        st.warning(
            _(
                "The whole list lies far off: its nearest row is {distance} from the branch {name}. Is it "
                "this branch's list?",
                distance=distance(nearest),
                name=plain(job.branch["name"]),
            ),
            icon=":material/wrong_location:",
        )


def remarks(told: ImportPlan | ImportReport) -> list[str]:
    """Return what is worth knowing beyond the four counts."""
    lines = []
    if told.unplaced:
        lines.append(
            ngettext(
                "One rejected row has no coordinates: it is kept, to be placed by hand on the map.",
                "{n} rejected rows have no coordinates: they are kept, to be placed by hand on the map.",
                told.unplaced,
            )
        )
    if told.outside:
        lines.append(
            ngettext(
                "One row lies outside the present customer map and makes it larger.",
                "{n} rows lie outside the present customer map and make it larger.",
                told.outside,
            )
        )
    if told.categories:
        lines.append(_("Categories: {categories}", categories=categories_line(told.categories)))
    return lines


def categories_line(counts: Mapping[str, int]) -> str:
    """Return the commonest categories with their counts."""
    names = dict(zip(catalogue.CATEGORIES["code"], catalogue.CATEGORIES[language()], strict=True))
    names |= {code: _(name) for code, name in catalogue.OUTLET_NAMES.items()}
    first = sorted(counts.items(), key=lambda item: -item[1])[:CATEGORIES_SHOWN]
    parts = [
        f"{plain(names.get(code.removeprefix('outlet:'), code))} {number(count, compact=False)}"
        for code, count in first
    ]
    return _(", ").join(parts) + (" …" if len(counts) > len(first) else "")


def warned(counts: Mapping[str, int]) -> None:
    """Say what was noticed of rows that are taken."""
    for code, count in counts.items():
        st.caption(f"{_(reasons.WARNINGS[code])}: {number(count, compact=False)}")


# What stays out ---------------------------------------------------------------------------------------------


def rejects(job: Job, choices: Choices, told: ImportPlan | ImportReport) -> None:
    """Show the rows that stay out by reason, and offer them as a file to mend."""
    if not told.rejected:
        return
    title = ngettext("One row cannot be taken", "{n} rows cannot be taken", told.rejected)
    with st.expander(title, icon=":material/report:"):
        by_reason = DataFrame(
            {
                _("Reason"): [reason_name(code) for code in told.reasons],
                _("Rows"): list(told.reasons.values()),
            }
        )
        st.dataframe(by_reason, hide_index=True)
        if told.rejected > len(told.rejects):
            shown, of_all = len(told.rejects), number(told.rejected, compact=False)
            st.caption(_("The first {shown} of {all}.", shown=shown, all=of_all))
        st.dataframe(readable_rejects(told.rejects), hide_index=True)
        st.caption(
            _(
                "Take the rejected rows as a file, mend them in it, and bring it in again: rows that are in "
                "already are not taken twice."
            )
        )
        downloads.offer(
            _("Rejected rows"), rejects_file(job, choices, told), key=job.key(f"rejects_{told.rows}")
        )


def reason_name(code: str) -> str:
    """Return a reason without the values of any row."""
    return _(REASON_NAMES[code]) if code in REASON_NAMES else code


def readable_rejects(table: DataFrame) -> DataFrame:
    """Return rejected rows with titles and reasons in the user's language."""
    return ingest.rejects_table(table, _).rename(
        columns={"row": _("Row"), "column": _("Column"), "reason": _("Reason")}
    )


def rejects_file(job: Job, choices: Choices, told: ImportPlan | ImportReport) -> downloads.Sheets:
    """Return what makes the file of rejected rows, all of them, in their own columns."""
    said, title, opened = (
        language(),
        _("Rejected rows"),
        reading,
    )  # looked up here: it is made beside the page

    def sheets() -> dict[str, DataFrame]:
        content = job.upload.getvalue()
        rows = told.rejects
        if told.rejected > len(rows):
            with opened() as session:
                rows = ingest.plan_import(
                    session,
                    job.asker,
                    io.BytesIO(content),
                    branch_id=job.branch_id,
                    name=job.upload.name,
                    **choices.arguments(),
                ).rejects
        found = rejected_rows(
            io.BytesIO(content),
            rows,
            lambda message, **values: say(message, said, **values),
            name=job.upload.name,
            sheet=choices.sheet,
            encoding=choices.encoding,
            header=choices.header,
        )
        return {title: found}

    return sheets


# What is missing --------------------------------------------------------------------------------------------


def snapshot(job: Job, choices: Choices, plan: ImportPlan) -> bool:
    """Ask whether the list is complete; return whether what is missing from it is to be closed."""
    if job.kind != "merchants" or plan.datum is None:
        return False
    st.toggle(
        _("This list is complete: what is missing from it is proposed as closed"),
        key=state.start_at(job.key(state.SNAPSHOT), False),
        on_change=state.copy,
        args=(job.key(state.SNAPSHOT), job.key(state.SNAPSHOT_PICKED)),
        disabled=not choices.source,
        help=None if choices.source else _("Say first what lists of this source are called, under Columns."),
    )
    if choices.mode != "snapshot":
        return False
    if not plan.gone:
        st.caption(_("Nothing that came under this source's name is missing from the list."))
        return False
    st.warning(
        ngettext(
            "One shop that came from “{source}” is not in this list.",
            "{n} shops that came from “{source}” are not in this list.",
            plan.gone,
            source=plain(choices.source),
        ),
        icon=":material/storefront:",
    )
    shown = plan.gone_rows[[name for name in GONE_COLUMNS if name in plan.gone_rows]]
    st.dataframe(
        shown.rename(columns={name: _(title) for name, title in GONE_COLUMNS.items()}),
        hide_index=True,
        height=min(38 + 35 * len(shown), 260),
    )
    return st.checkbox(
        ngettext("Set it to closed", "Set these {n} to closed", plan.gone),
        key=job.key(state.CLOSE_MISSING),
    )


# The map ----------------------------------------------------------------------------------------------------


def changes_map(job: Job, plan: ImportPlan) -> None:
    """Show on a map what will be new, moved and gone."""
    changes = plan.changes_preview
    if changes.empty:
        return
    if not job.sees_stored:
        changes = changes[changes["what"] == "new"]
    if not st.toggle(
        _("Show on a map what will change"),
        key=state.start_at(job.key(state.CHANGES_MAP), job.alone),
    ):
        return
    dots = []
    for what, colour in CHANGE_COLOURS.items():
        part = changes[changes["what"] == what]
        if len(part):
            dots.append(
                Dots(colour, _(CHANGE_NAMES[what]), part["lon"].to_numpy(float), part["lat"].to_numpy(float))
            )
    branch = Marked(job.branch["lon"], job.branch["lat"], plain(job.branch["name"]))
    key = job.key(f"{state.CHANGES_MAP}_drawn")
    maps.preview_map(dots, branch, is_demo=bool(job.branch["is_demo"]), key=key)
    if len(changes) < plan.accepted:
        st.caption(
            _(
                "{shown} of {all} points are drawn.",
                shown=number(len(changes), compact=False),
                all=number(plan.accepted, compact=False),
            )
        )


# The button -------------------------------------------------------------------------------------------------


def button(job: Job, plan: ImportPlan) -> bool:
    """Offer to bring the list in once everything is settled; return whether that was asked for."""
    good = plan.rows - plan.rejected
    if not good and not plan.unplaced:
        st.error(
            _("No row can be placed on the map. Check which columns hold longitude and latitude."),
            icon=":material/error:",
        )
        return False
    agreed = agreed_to_lose(job, plan)
    ready = plan.datum is not None and agreed
    st.button(
        ngettext("Import one row", "Import {n} rows", good),
        type="primary",
        icon=":material/upload:",
        disabled=not ready,
        help=_("Choose first where the coordinates come from.") if plan.datum is None else None,
        key=job.key(state.RUN),
        on_click=state.ask_for,
        args=(job.id,),
    )
    return ready and state.asked_for() == job.id


def agreed_to_lose(job: Job, plan: ImportPlan) -> bool:
    """Ask whether to go on although most rows would be left out."""
    if plan.rejected <= ingest.MOST_REJECTED * plan.rows:
        return True
    st.warning(_("More than half of the rows would be left out. Look at the reasons first."))
    return st.checkbox(_("Go on without them"), key=job.key(state.AGREED))
