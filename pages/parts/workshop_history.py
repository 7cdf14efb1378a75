"""The workshop's history: what every import did, compared, taken along and undone; and doubles to review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame, Series

from data import store
from data.history import LISTS
from data.rights import Asker, Right
from pages.parts import downloads, state, workshop_undo
from pages.parts.frame import calm, reading, writing
from pages.parts.words import (
    DATUM_NAMES,
    N_,
    NONE,
    _,
    moment,
    ngettext,
    number,
    plain,
    shorten,
    spoken,
)
from pages.parts.workshop import KINDS, LISTED, VISIT_FIELDS, counts_row
from pages.parts.workshop_columns import FIELDS
from pages.parts.workshop_doubles import BECOMES, show_pair
from pages.parts.workshop_review import reason_name

FIRST = 8  # imports shown before the older ones are asked for
MODES = {
    "add": N_("Import"),
    "snapshot": N_("Complete list"),
    "hand": N_("By hand"),
    "rollback": N_("Undone"),
}
COUNTS = {
    "rows": N_("Rows in the file"),
    "accepted": N_("New"),
    "updated": N_("Updated"),
    "duplicates": N_("Known already"),
    "rejected": N_("Rejected"),
    "unplaced": N_("Without a place"),
    "outlets": N_("Outlets"),
    "closed": N_("Closed"),
}
DIFFERENCES = {
    "new": N_("New"),
    "gone": N_("Missing"),
    "moved": N_("Moved"),
    "changed": N_("Changed"),
}
STORED_FIELDS = {
    "lon": N_("Position"),
    "lat": N_("Position"),
    "category_id": N_("Category"),
    "group_id": N_("Customer group"),
    "manager_id": N_("Customer manager"),
    "is_key": N_("Key customer"),
    "is_own": N_("Our bank"),
    "holdings": N_("Products held"),
    "note": N_("Note"),
    "attributes": N_("Other columns"),
}
DIFF_SHOWN = 500
PAIRS_AT_ONCE = 50
PAIRS_SHOWN = 5


def history(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show what was brought in before, and let each be looked at, compared and undone."""
    listed = lists(asker, int(branch["id"]))
    st.subheader(_("Imported before"), anchor=False)
    if listed.empty:
        st.caption(_("Nothing yet. The first list makes the map."))
        return
    shown = len(listed) if state.chosen(state.HISTORY, False) else FIRST
    for _at, batch in listed.head(shown).iterrows():
        one_batch(batch, listed)
    if len(listed) > FIRST:
        st.toggle(
            ngettext("Show one older import", "Show {n} older imports", len(listed) - FIRST),
            key=state.HISTORY,
        )
    if asker.may(Right.EXPORT, int(branch["id"])):
        downloads.offer(_("Imports"), lambda: {"imports": readable_batches(listed)}, key=state.HISTORY)


def lists(asker: Asker, branch_id: int) -> DataFrame:
    """Return the branch's imports, the newest first; None where a cell has nothing."""
    with reading() as session:
        batches = store.batches(session, asker, branch_id)
    found = batches[batches["mode"].isin(LISTS)].astype(object)
    return found.where(found.notna(), None)


def one_batch(batch: Series, batches: DataFrame) -> None:
    """Show one import as a line that opens."""
    undone = is_undone(batch)
    icon = ":material/undo:" if undone else ":material/inventory_2:"
    with st.expander(
        batch_line(batch), icon=icon, key=state.of_file(state.HISTORY, f"{batch['id']}_{undone}")
    ):
        facts(batch)
        with st.container(horizontal=True):
            if not undone:
                workshop_undo.offer(int(batch["id"]), f"batch_{batch['id']}")
            compare_button(batch, batches)
            report_button(batch)


def is_undone(batch: Mapping[str, Any]) -> bool:
    """Whether an import was taken back."""
    return batch["undone_by"] is not None


def batch_line(batch: Mapping[str, Any]) -> str:
    """Return an import in a line."""
    counts = batch["counts"]
    kind = spoken(LISTED)(batch["kind"])
    said = [
        moment(batch["at"]),
        f"**{kind}**",
        plain(shorten(batch["source"] or batch["file_name"])),
        _(
            "{new} new, {updated} updated",
            new=number(counts.get("accepted", 0)),
            updated=number(counts.get("updated", 0)),
        ),
        plain(batch["by"]),
    ]
    if is_undone(batch):
        word = _("undone")
        said.append(f":orange[{word}]")
    return " · ".join(said)


def facts(batch: Mapping[str, Any]) -> None:
    """Say how an import was read, and what it did."""
    lines = [f":gray[{title}] {plain(value)}" for title, value in told(batch).items()]
    st.markdown("  \n".join(lines))


def told(batch: Mapping[str, Any]) -> dict[str, str]:
    """Return how an import was read and what it did, as titles and words."""
    counts = batch["counts"]
    lines = {_("File"): batch["file_name"]}
    if batch["source"]:
        lines[_("Source")] = batch["source"]
    mode, policy = batch["mode"], batch["policy"]
    lines[_("Kind of import")] = _(MODES[mode])
    if batch["datum"]:  # visits have no coordinates
        lines[_("Where the coordinates come from")] = _(DATUM_NAMES.get(batch["datum"], batch["datum"]))
    fields = FIELDS | VISIT_FIELDS
    columns = [
        f"{_(fields[name]) if name in fields else name}: {header}"
        for name, header in batch["mapping"].items()
        if header
    ]
    lines[_("Columns")] = _(", ").join(columns) or NONE
    if policy:
        lines[_("Rows known already were")] = _(BECOMES[policy])
    lines[_("Counts")] = _(", ").join(
        f"{_(title)} {number(counts[name], compact=False)}"
        for name, title in COUNTS.items()
        if counts.get(name)
    )
    found = [
        f"{reason_name(code)} {number(count, compact=False)}"
        for code, count in counts.get("reasons", {}).items()
    ]
    if found:
        lines[_("Rejected")] = _(", ").join(found)
    lines[_("Content (SHA-256)")] = batch["file_hash"][:16] + "…"
    return lines


def report_button(batch: Series) -> None:
    """Offer an import's report as a workbook."""
    key = state.of_file(state.REPORT, str(batch["id"]))
    lines = told(batch) | {
        _("When"): moment(batch["at"]),
        _("By"): batch["by"],
        _("Content (SHA-256)"): batch["file_hash"],
    }
    frame = DataFrame({_("What"): list(lines), _("Value"): list(lines.values())})
    title = _("Report")
    st.download_button(
        _("Download the report"),
        data=lambda: downloads.export.to_xlsx({title: frame}),
        file_name=f"{title}_{batch['id']}.xlsx",
        mime=downloads.XLSX,
        icon=":material/download:",
        key=key,
        on_click="ignore",
    )


def readable_batches(batches: DataFrame) -> DataFrame:
    """Return imports as a table to take along."""
    counts = DataFrame(list(batches["counts"]), index=batches.index)
    columns = {
        _("When"): [moment(at) for at in batches["at"]],
        _("By"): batches["by"],
        _("List"): [_(LISTED[kind]) for kind in batches["kind"]],
        _("File"): batches["file_name"],
        _("Source"): batches["source"],
        _("Kind of import"): [_(MODES[mode]) for mode in batches["mode"]],
        _("Where the coordinates come from"): [
            _(DATUM_NAMES.get(datum, datum)) for datum in batches["datum"]
        ],
    }
    columns |= {
        _(title): counts[name].fillna(0).astype(int) for name, title in COUNTS.items() if name in counts
    }
    return DataFrame(columns | {_("Undone"): [is_undone(row) for _at, row in batches.iterrows()]})


# Two imports compared ---------------------------------------------------------------------------------------


def compare_button(batch: Series, batches: DataFrame) -> None:
    """Let an import be compared with another of its kind."""
    others = batches[(batches["kind"] == batch["kind"]) & (batches["id"] != batch["id"])]
    if others.empty or batch["kind"] not in KINDS:
        return
    key = state.of_file(state.COMPARE, str(batch["id"]))
    if st.button(_("Compare with another"), icon=":material/difference:", key=key):
        state.put(state.COMPARE, int(batch["id"]))


def heed_comparison(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Open the comparison that was asked for."""
    first: int | None = state.chosen(state.COMPARE, None)
    if first is None:
        return
    state.put(state.COMPARE, None)

    @st.dialog(_("Two imports compared"), width="large")
    def dialog() -> None:
        with calm():
            comparison(asker, branch, first)

    dialog()


def comparison(asker: Asker, branch: Mapping[str, Any], first: int) -> None:
    """Show what differs between an import and another of its kind, the one before it to begin with."""
    batches = lists(asker, int(branch["id"])).set_index("id")
    others = batches[(batches["kind"] == batches.loc[first, "kind"]) & (batches.index != first)]
    ids = [int(batch_id) for batch_id in others.index]
    earlier = next((at for at, batch_id in enumerate(ids) if batch_id < first), 0)
    names = {batch_id: f"{moment(row['at'])} · {row['file_name']}" for batch_id, row in batches.iterrows()}
    st.markdown(plain(names[first]))
    second = st.selectbox(
        _("Compared with"), ids, index=earlier, format_func=names.__getitem__, key=state.COMPARE_WITH
    )
    before, after = sorted((first, int(second)))
    with reading() as session:
        found = store.diff(session, asker, before, after)
    if found.empty:
        st.info(_("They say the same."))
        return
    counts = found["what"].value_counts()
    counts_row({title: int(counts.get(what, 0)) for what, title in DIFFERENCES.items()})
    masked = batches.loc[first, "kind"] == "customers" and not asker.may(Right.CUSTOMERS, int(branch["id"]))
    if masked:
        st.caption(_("You see counts only: the rows are customers."))
        return
    st.dataframe(readable_diff(found.head(DIFF_SHOWN)), hide_index=True, placeholder="")
    if len(found) > DIFF_SHOWN:
        st.caption(_("The first {shown} of {all}.", shown=DIFF_SHOWN, all=number(len(found), compact=False)))
    if asker.may(Right.EXPORT, int(branch["id"])):
        table = readable_diff(found)
        downloads.offer(
            _("Differences"), lambda: {"differences": table}, key=f"{state.COMPARE}_{before}_{after}"
        )


def readable_diff(found: DataFrame) -> DataFrame:
    """Return differences as the table shows them."""
    return DataFrame(
        {
            _("What"): [_(DIFFERENCES[what]) for what in found["what"]],
            _("Name"): found["name"],
            _("Number in the list"): found["source_id"],
            _("Fields"): [fields_line(fields) for fields in found["fields"]],
        }
    )


def fields_line(fields: Any) -> str:
    """Return which fields differ."""
    if not fields or fields != fields:
        return ""
    names = fields.split(",") if isinstance(fields, str) else list(fields)
    said = [STORED_FIELDS.get(name) or FIELDS.get(name) or name for name in names]
    return _(", ").join(_(name) for name in dict.fromkeys(said))


# Doubles that wait ------------------------------------------------------------------------------------------


def waiting_doubles(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Show pairs that were stored with a mark, to be settled by whoever may change merchants."""
    branch_id = int(branch["id"])
    if not asker.may(Right.EDIT_MERCHANTS, branch_id):
        return
    with reading() as session:
        pairs = store.doubles_to_review(session, asker, branch_id, limit=PAIRS_AT_ONCE)
    if pairs.empty:
        return
    title = ngettext("One double to review", "{n} doubles to review", len(pairs))
    if len(pairs) == PAIRS_AT_ONCE:
        title = _("{n} doubles and more to review", n=PAIRS_AT_ONCE)
    with st.expander(title, icon=":material/difference:", key=state.REVIEW):
        st.caption(_("These merchants were taken in, and are probably known already under another row."))
        for pair in pairs.head(PAIRS_SHOWN).to_dict("records"):
            titles = _("Came later"), _("Known before")
            with st.container(border=True), calm(), show_pair(pair, *titles, other="of_"):
                settle(asker, pair)
        if len(pairs) > PAIRS_SHOWN:
            st.caption(_("More follow when these are settled."))


def settle(asker: Asker, pair: Mapping[str, Any]) -> None:
    """Let one pair be settled."""
    with st.container(horizontal=True, gap="xsmall"):
        for same, title, icon in (
            (True, _("Join them"), ":material/merge:"),
            (False, _("Two shops"), ":material/call_split:"),
        ):
            if st.button(title, icon=icon, key=state.of_file(state.REVIEW, f"{pair['id']}_{same}")):
                with writing() as session:
                    store.settle_double(session, asker, int(pair["id"]), same, int(pair["revision"]))
                st.rerun()
