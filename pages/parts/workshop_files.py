"""The workshop's first step: the files, how they are read, and whether they were brought in before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data import store
from data.files import readers, template
from data.meaning import headers as header_words
from pages.parts import state
from pages.parts.downloads import XLSX
from pages.parts.frame import reading
from pages.parts.words import N_, _, language, moment, ngettext, plain, spoken
from pages.parts.workshop import KINDS, LISTED, Job, listed, step

TYPES = [
    *("csv", "txt", "tsv", "xlsx", "xls", "ods"),
    *("geojson", "json", "gpkg", "zip", "kml", "parquet", "geoparquet"),
]
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
FORMS = {
    "csv": "CSV",
    "xlsx": "Excel (.xlsx)",
    "xls": "Excel (.xls)",
    "ods": "ODS",
    "geojson": "GeoJSON",
    "gpkg": "GeoPackage",
    "shp": "Shapefile",
    "kml": "KML",
    "parquet": "Parquet",
    "apijson": "JSON (API)",
}
TEXT_FORMS = ("csv", "geojson", "apijson")
TABLE_FORMS = ("csv", "xlsx", "xls", "ods")
ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16")
ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "gb18030": "GBK / GB18030",
    "big5": "Big5",
    "utf-16": "UTF-16",
}
HEADER_NAMES = {True: N_("The first row names the columns"), False: N_("There is no row of column names")}
MOST_MB = 200  # as the server is set
SAMPLE_ROWS = 200
SAMPLES = 3
LONGEST_SAMPLE = 32


@dataclass(frozen=True)
class Proposed:
    """A column proposed for a field, how sure that is (0-1), and why, in the words of `headers`."""

    header: str
    confidence: float
    why: str


@dataclass(frozen=True)
class Look:
    """What a first look at a file shows: what it is, its columns, and a few of their values."""

    form: str
    headers: tuple[str, ...]
    sheet: str | None
    sheets: tuple[str, ...]
    encoding: str | None
    encoding_sure: bool
    has_header: bool
    sha256: str
    has_shapes: bool
    samples: dict[str, tuple[str, ...]]
    proposals: dict[str, Proposed]


def kind_choice() -> str:
    """Ask what the lists are of, and offer the form to fill in."""
    kind = st.segmented_control(
        _("What is the list of?"),
        list(KINDS),
        default="merchants",
        required=True,
        format_func=spoken(KINDS),
        key=state.IMPORT_KIND,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_(NEEDS[str(kind)]), width="stretch")
        offer_template(str(kind))
    return str(kind)


def offer_template(kind: str) -> None:
    """Offer an empty list of a kind to fill in, with an example row."""
    said = language()  # looked up here: the file is made beside the page
    st.download_button(
        _("Empty list to fill in"),
        data=lambda: template.workbook(kind, said),
        file_name=f"{_(KINDS[kind])}.xlsx",
        mime=XLSX,
        icon=":material/table_view:",
        key=state.of_file(state.TEMPLATE, kind),
        on_click="ignore",
        type="tertiary",
    )


def uploads() -> list[UploadedFile]:
    """Ask for the files."""
    in_own_words()
    found = st.file_uploader(
        _("One or more files: CSV, Excel, ODS, GeoJSON, GeoPackage, Shapefile (zipped), KML, Parquet, JSON"),
        type=TYPES,
        accept_multiple_files=True,
        key=state.upload_key(),
    )
    return list(found)


def in_own_words() -> None:
    """
    Let the uploader speak Chinese: Streamlit has its words in English only, and no option for others.

    A style is all that is sent: the words stand in it as text of ours.
    """
    if language() == "en":
        return
    words = {
        "[data-testid='stFileUploaderDropzone'] [data-testid='stBaseButton-secondary'] p": _("Choose files"),
        "[data-testid='stFileUploaderDropzoneInstructions'] span": _(
            "or drop them here; at most {size} MB each", size=MOST_MB
        ),
    }
    rules = []
    for where, text in words.items():
        said = json.dumps(text, ensure_ascii=False)
        rules += [f"{where} {{font-size: 0}}", f"{where}::after {{font-size: 0.875rem; content: {said}}}"]
    st.html(f"<style>{''.join(rules)}</style>")


# One file ---------------------------------------------------------------------------------------------------


def is_new(job: Job, look: Look) -> bool:
    """Whether the very same file was not brought in before; if it was, say so and ask."""
    with reading() as session:
        before = store.same_file(session, job.branch_id, look.sha256)
    if before is None or state.chosen(job.key(state.KNOWN_FILE), False):
        return True
    kind = LISTED[before["kind"]]
    st.warning(
        _(
            "This very file was brought in already: {when}, by {who}, as a list of {kind}. Bringing it in "
            "again changes nothing, unless the rows have been edited since.",
            when=moment(before["at"]),
            who=plain(before["by"]),
            kind=_(kind),
        ),
        icon=":material/history:",
    )
    st.button(
        _("Bring it in all the same"),
        key=job.key(state.ANYWAY),
        on_click=state.put,
        args=(job.key(state.KNOWN_FILE), True),
    )
    return False


def file_step(job: Job) -> Look:
    """Say what the file is, let that be changed, and return what a look at it shows."""
    look = first_look(
        job,
        state.chosen(job.key(state.SHEET), None),
        state.chosen(job.key(state.ENCODING), None),
        state.chosen(job.key(state.HEADER), None),
    )
    settled = look.encoding_sure or state.chosen(job.key(state.ENCODING), None) is not None
    with step(job, "file", _("File"), file_line(look), settled=settled):
        sheet_choice(job, look)
        encoding_choice(job, look)
        header_choice(job, look)
        if not (len(look.sheets) > 1 or look.form in TEXT_FORMS or look.form in TABLE_FORMS):
            st.caption(_("This format leaves nothing to choose."))
    return look


def first_look(job: Job, sheet: str | None, encoding: str | None, header: bool | None) -> Look:
    """Return what a look at a file shows, found out once for each way to read it."""

    def look() -> Look:
        job.upload.seek(0)
        table = readers.open_table(
            job.upload, name=job.upload.name, sheet=sheet, encoding=encoding, header=header
        )
        return Look(
            form=table.form,
            headers=table.headers,
            sheet=table.sheet,
            sheets=tuple(table.sheets or table.layers),
            encoding=table.encoding,
            encoding_sure=table.encoding_sure,
            has_header=table.has_header,
            sha256=table.sha256,
            **sampled(table, job.kind),
        )

    found: Look = state.once(state.LOOK, (job.id, job.kind, sheet, encoding, header), look)
    return found


def sampled(table: readers.Table, kind: str) -> dict[str, Any]:
    """Return what the first rows tell: a few values of each column, and the columns' likely meaning."""
    chunk = next(iter(table.chunks(SAMPLE_ROWS)), None)
    frame = None if chunk is None else chunk.frame.head(SAMPLE_ROWS)
    proposals = header_words.proposed(table.headers, kind, frame)
    return {
        "has_shapes": chunk is not None and chunk.lon is not None,
        "samples": {} if frame is None else {header: samples(frame[header]) for header in table.headers},
        "proposals": {
            name: Proposed(found.header, float(found.confidence), found.why)
            for name, found in proposals.items()
        },
    }


def samples(cells: Any) -> tuple[str, ...]:
    """Return the first few different values of a column, shortened."""
    texts = cells.str.strip()
    different = texts[texts != ""].unique()[:SAMPLES].tolist()
    return tuple(
        text if len(text) <= LONGEST_SAMPLE else text[: LONGEST_SAMPLE - 1] + "…" for text in different
    )


def file_line(look: Look) -> str:
    """Return what a file is, in a line."""
    parts = [FORMS.get(look.form, look.form)]
    if len(look.sheets) > 1 and look.sheet:
        parts.append(_("sheet “{name}”", name=plain(look.sheet)))
    if look.encoding and look.form in TEXT_FORMS:
        name = encoding_name(look.encoding)
        parts.append(name if look.encoding_sure else _("{encoding}, a guess: please check", encoding=name))
    if not look.has_header and look.form in TABLE_FORMS:
        parts.append(_(HEADER_NAMES[False]))
    parts.append(ngettext("one column", "{n} columns", len(look.headers)))
    return " · ".join(parts)


def encoding_name(encoding: str) -> str:
    """Return what people call an encoding."""
    return ENCODING_NAMES.get(encoding.lower(), encoding.upper())


def sheet_choice(job: Job, look: Look) -> None:
    """Let another sheet, or another layer, be read."""
    if len(look.sheets) < 2:
        return
    st.selectbox(
        _("Sheet or layer"),
        look.sheets,
        key=state.start_at(job.key(state.SHEET_PICKED), look.sheet or look.sheets[0]),
        on_change=state.copy,
        args=(job.key(state.SHEET_PICKED), job.key(state.SHEET)),
    )


def encoding_choice(job: Job, look: Look) -> None:
    """Let the text be read in another encoding; the first values show whether it is read well."""
    if look.form not in TEXT_FORMS or look.encoding is None:
        return
    others = [name for name in ENCODINGS if encoding_name(name) != encoding_name(look.encoding)]
    names = {None: _("Found out: {encoding}", encoding=encoding_name(look.encoding))}
    if (told := state.chosen(job.key(state.ENCODING), None)) is not None:
        others = [name for name in ENCODINGS if name != told] + [told]
        names = {None: _("Let it be found out")}
    st.selectbox(
        _("Encoding of the text"),
        [None, *others],
        format_func=lambda name: names.get(name) or encoding_name(str(name)),
        key=job.key(state.ENCODING),
    )
    shown = [value for header in look.headers[:6] for value in look.samples.get(header, ())[:1]]
    st.caption(_("Reads as: {values}", values=plain(listed([*look.headers[:6], *shown]))))


def header_choice(job: Job, look: Look) -> None:
    """Let the first row be taken as column names, or as a row."""
    if look.form not in TABLE_FORMS:
        return
    st.radio(
        _("Column names"),
        [True, False],
        format_func=spoken(HEADER_NAMES),
        horizontal=True,
        key=state.start_at(job.key(state.HEADER_PICKED), look.has_header),
        on_change=state.copy,
        args=(job.key(state.HEADER_PICKED), job.key(state.HEADER)),
    )
