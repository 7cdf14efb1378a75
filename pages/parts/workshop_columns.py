"""The workshop's second step: which column is what, proposed, changed in place, remembered by its source."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st
from sqlalchemy.orm import Session

from data import store
from data.lists import remembered
from data.lists.remembered import Profile
from data.meaning import headers as header_words
from pages.parts import state
from pages.parts.frame import reading, writing
from pages.parts.words import N_, _, day, ngettext, plain
from pages.parts.workshop import Job, step
from pages.parts.workshop_files import Look

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
WHY = {
    "header": N_("By its name"),
    "header_part": N_("By a part of its name"),
    **dict.fromkeys(("values", "lon", "lat", "lng,lat", "lat,lng", "wkt"), N_("By its values")),
    "values_differ": N_("By its name, although its values look like something else"),
}
PLACED = ("lon", "lat", "coordinates")
KEPT = ""  # a column that is no field of ours stays with its row as it is
SURE = 0.8
COLUMNS_SHOWN = 60  # of those kept as they are


@dataclass(frozen=True)
class Columns:
    """Which column is what, as it stands now."""

    mapping: tuple[tuple[str, str | None], ...]
    source: str
    fields: dict[str, str] = field(hash=False)
    """Field to header."""
    datum: str | None = None
    """Where the coordinates of the list read this way last time came from."""


@dataclass(frozen=True)
class Assigned:
    """What a column is proposed to be, and whether that is sure."""

    field: str
    sure: bool
    why: str = ""


def column_step(job: Job, look: Look) -> Columns:
    """Propose which column is what, let that be changed, and return how it stands."""
    profile = known_way(job, look)
    proposed = assigned(look, profile)
    keys = [key_of(job, look, number) for number in range(len(look.headers))]
    for key, header in zip(keys, look.headers, strict=True):
        state.start_at(key, proposed[header].field if header in proposed else KEPT)
    chosen = {header: state.chosen(key, KEPT) for key, header in zip(keys, look.headers, strict=True)}
    doubtful = doubts(look, proposed, chosen)
    right = state.chosen(job.key(state.COLUMNS_RIGHT), False)
    placed = look.has_shapes or is_placed(chosen.values())
    line = column_line(job, look, chosen, profile, doubtful if not right else [])
    settled = placed and (right or not doubtful)
    with step(job, "columns", _("Columns"), line, settled=settled):
        if not placed:
            st.warning(_("Choose the columns that hold longitude and latitude."), icon=":material/place:")
        source_name(job, look, profile)
        column_rows(job, look, proposed, chosen, keys, settled=settled)
        if doubtful and not right:
            st.button(
                _("The columns are right"),
                icon=":material/check:",
                key=job.key(state.CONFIRM),
                on_click=state.put,
                args=(job.key(state.COLUMNS_RIGHT), True),
            )
    source = str(state.chosen(job.key(state.SOURCE), "")).strip()
    datum = None if profile is None else profile.datum
    return Columns(mapping(job, look, proposed, chosen), source, found(chosen), datum)


def known_way(job: Job, look: Look) -> Profile | None:
    """Return how lists with these columns were read last."""
    with reading() as session:
        return store.profile_for(session, job.asker, job.branch_id, job.kind, look.headers)


def assigned(look: Look, profile: Profile | None) -> dict[str, Assigned]:
    """Return what each column is proposed to be: as last time, or by its header and values."""
    if profile is not None:
        return {
            header: Assigned(name, True)
            for name, header in profile.mapping.items()
            if header is not None and not (look.has_shapes and name in PLACED)
        }
    proposed = {
        found.header: Assigned(name, found.confidence >= SURE, found.why)
        for name, found in look.proposals.items()
    }
    return {
        header: each for header, each in proposed.items() if not (look.has_shapes and each.field in PLACED)
    }


def key_of(job: Job, look: Look, number: int) -> str:
    """Return the key of a column's widget: another sheet or another way to read it starts anew."""
    return job.key(f"{state.COLUMN}_{job.kind}_{look.sheet}_{look.encoding}_{look.has_header}_{number}")


def is_placed(fields: Sequence[str] | Mapping[str, str]) -> bool:
    """Whether there are coordinates among some fields."""
    return "coordinates" in fields or {"lon", "lat"} <= set(fields)


def found(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return field to header."""
    return {name: header for header, name in chosen.items() if name != KEPT}


def doubts(look: Look, proposed: Mapping[str, Assigned], chosen: Mapping[str, str]) -> list[str]:
    """Return the columns whose proposal is not sure and that nobody has changed."""
    return [
        header
        for header in look.headers
        if header in proposed and not proposed[header].sure and chosen[header] == proposed[header].field
    ]


def mapping(
    job: Job, look: Look, proposed: Mapping[str, Assigned], chosen: Mapping[str, str]
) -> tuple[tuple[str, str | None], ...]:
    """
    Return field to header as the importer takes it, None for a field that no column has.

    Coordinates are named only where they are not those the importer finds itself: of several pairs it takes
    the one in the datum stated.
    """
    fields = found(chosen)
    own = [name for name in header_words.FIELDS[job.kind] if name not in PLACED]
    taken: list[tuple[str, str | None]] = [(name, fields.get(name)) for name in own]
    usual = {header: each.field for header, each in proposed.items() if each.field in PLACED}
    now = {header: name for header, name in chosen.items() if name in PLACED}
    by_itself = {header for pair in header_words.coordinate_pairs(look.headers) for header in pair[:2]}
    if not look.has_shapes and (now != usual or not set(now) <= by_itself):
        taken += [(name, header) for header, name in now.items()]
    return tuple(taken)


def left_out(job: Job, look: Look, chosen: Mapping[str, str]) -> set[str]:
    """Return the columns not taken at all: a field's own column, of which the user says it is none."""
    usual = header_words.propose(look.headers, job.kind)
    taken = set(chosen.values())
    return {header for name, header in usual.items() if chosen.get(header) == KEPT and name not in taken}


def column_line(
    job: Job, look: Look, chosen: Mapping[str, str], profile: Profile | None, doubtful: Sequence[str]
) -> str:
    """Return how the columns stand, in a line."""
    out = len(left_out(job, look, chosen))
    count = sum(name != KEPT for name in chosen.values())
    parts = [ngettext("one column found", "{n} columns found", count)]
    if profile is not None:
        parts.insert(0, _("read as last time: {name}", name=plain(profile.name)))
    if doubtful:
        parts.append(ngettext("one to check", "{n} to check", len(doubtful)))
    if len(look.headers) > count + out:
        parts.append(ngettext("one kept as it is", "{n} kept as they are", len(look.headers) - count - out))
    if out:
        parts.append(ngettext("one left out", "{n} left out", out))
    return " · ".join(parts)


# The source -------------------------------------------------------------------------------------------------


def source_name(job: Job, look: Look, profile: Profile | None) -> None:
    """Ask what lists of this source are called; the way of reading is remembered under that name."""
    known = profile.name if profile else _(remembered.proposed_name(look.headers, job.upload.name))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.text_input(
        _("What lists of this source are called"),
        max_chars=remembered.LONGEST_NAME,
        help=_("The next list with these columns is read the same way. Leave it empty to remember nothing."),
        key=state.start_at(job.key(state.SOURCE), known),
    )
    if profile is None:
        return
    with right:
        st.button(
            _("Forget how it is read"),
            icon=":material/delete:",
            help=_("Last read by {who}, {when}.", who=plain(profile.by), when=day(profile.at)),
            key=job.key(state.FORGET),
            on_click=forget,
            args=(job, look, profile.id),
        )


def forget(job: Job, look: Look, profile_id: int) -> None:
    """Forget how a list is read, and propose its columns anew; a callback."""
    with writing() as session:
        store.forget_profile(session, job.asker, job.branch_id, profile_id)
    keys = [key_of(job, look, number) for number in range(len(look.headers))]
    state.forget_choices([*keys, job.key(state.SOURCE), job.key(state.COLUMNS_RIGHT)])


# Column by column -------------------------------------------------------------------------------------------


def column_rows(
    job: Job,
    look: Look,
    proposed: Mapping[str, Assigned],
    chosen: Mapping[str, str],
    keys: Sequence[str],
    *,
    settled: bool,
) -> None:
    """Show each column with its first values and what it is: those in question first, the rest on demand."""
    fields = [name for name in FIELDS if name in header_words.FIELDS[job.kind] or name in PLACED]
    fields = [name for name in fields if not (look.has_shapes and name in PLACED)]
    out = left_out(job, look, chosen)
    unsure = [header for header in look.headers if header in proposed and not proposed[header].sure]
    asked = proposed if settled else unsure
    # A column stands where it first stood: nothing jumps when it is changed.
    first = [number for number, header in enumerate(look.headers) if header in asked]
    others = [number for number, header in enumerate(look.headers) if header not in asked]
    for number in first:
        column_row(look, number, fields, proposed, keys, out)
    if not others:
        return
    if first and not st.toggle(
        ngettext("Show the other column", "Show the other {n} columns", len(others)),
        key=job.key(f"{state.COLUMNS_SHOWN}_{settled}"),
    ):
        return
    for number in others[:COLUMNS_SHOWN]:
        column_row(look, number, fields, proposed, keys, out)
    if len(others) > COLUMNS_SHOWN:
        st.caption(_("The first {shown} of {all}.", shown=COLUMNS_SHOWN, all=len(others)))


def column_row(
    look: Look,
    number: int,
    fields: Sequence[str],
    proposed: Mapping[str, Assigned],
    keys: Sequence[str],
    out: Container[str],
) -> None:
    """Show a column: its name and first values, what it is, and how sure that is."""
    header = look.headers[number]
    values, what, sure = st.columns([5, 4, 2], vertical_alignment="center")
    with values:
        st.markdown(
            f"**{plain(header)}**  \n:small[:gray[{plain(' / '.join(look.samples.get(header, ())))}]]"
        )
    names = {KEPT: _("Left out") if header in out else _("Kept as it is")} | {
        name: _(FIELDS[name]) for name in fields
    }
    what.selectbox(
        header,
        list(names),
        format_func=names.__getitem__,
        key=keys[number],
        label_visibility="collapsed",
        on_change=state.take_alone,
        args=(keys, number, KEPT),
    )
    with sure:
        certainty(state.chosen(keys[number], KEPT), proposed.get(header))


def certainty(now: str, proposed: Assigned | None) -> None:
    """Say how sure it is what a column is."""
    if now == KEPT:
        return
    if proposed is None or proposed.field != now:
        st.badge(_("chosen"), icon=":material/person:", color="blue")
    elif proposed.sure:
        st.badge(_("sure"), icon=":material/check:", color="green", help=why(proposed))
    else:
        st.badge(_("please check"), icon=":material/help:", color="orange", help=why(proposed))


def why(proposed: Assigned) -> str | None:
    """Return what speaks for a proposal, in words."""
    return _(WHY[proposed.why]) if proposed.why in WHY else None


def remember(session: Session, job: Job, look: Look, columns: Columns, datum: str) -> None:
    """Keep how the list was read under its source's name, if it has one."""
    if not columns.source:
        return
    store.keep_profile(
        session,
        job.asker,
        job.branch_id,
        job.kind,
        columns.source,
        headers=look.headers,
        mapping=dict(columns.fields),
        datum=datum,
        encoding=look.encoding,
    )
