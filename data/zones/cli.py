"""`python -m data design`: a branch's catchment divided into zones, by cells or by polygons of a file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from data import config, store
from data.commands import BranchCode, Json, answering, engine, ground, os_user, told, write
from data.snapshots import Snapshot
from data.words import say
from geo.errors import N_, DataError, FileError
from geo.plans import Frame, Plan

Weight = StrEnum("Weight", ["merchants", "customers", "households", "deposits", "hours"])
DatumOrAuto = StrEnum("DatumOrAuto", ["auto", "wgs84", "gcj02", "bd09"])
Place = tuple[float, float]
PLACES = "places"
NOTES_SHOWN = 20
_POINT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[,，;\s]\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass
class _Given:
    """What is made of the files given: blocks and barriers, and what is to be said of each."""

    branch_id: int
    datum: str
    said: dict[str, Any]
    lines: list[str]

    def read(self, path: Path, frame: Frame, reader: Callable[..., Any]) -> Any:
        """Read a file of shapes for a frame."""
        from data.files import readers
        from data.lists.known import names_once

        table = readers.open_table(path)
        with store.reading(engine()) as session:
            places = names_once(session, self.branch_id)
        return reader(table, frame, places=places, datum=self.datum)

    def tell(self, name: str, rows: Any, datum: str | None, **more: Any) -> None:
        """Note what became of a file's rows."""
        language = config.language()
        self.said[name] = {
            "rows": rows.total,
            "rejected": len(rows.refused),
            "reasons": rows.reasons(),
            "warnings": dict(rows.warnings),
            "notes": [{"row": row, "note": say(note, language)} for row, note in rows.notes[:200]],
            "datum": datum,
            **more,
        }
        from data.lists.reasons import WARNINGS, rejects_table

        self.lines += [f"  {count} × {told(WARNINGS[code])}" for code, count in rows.warnings.items()]
        self.lines += [f"  {row}  {say(note, language)}" for row, note in rows.notes[:NOTES_SHOWN]]
        shown = rejects_table(rows.rejects().head(NOTES_SHOWN), told)
        self.lines += [f"  {row.row}  {row.reason}" for row in shown.itertuples()]


def design(
    branch: BranchCode,
    zones: Annotated[int | None, typer.Option(min=1, help="How many; without, as --target asks for.")] = None,
    weight: Annotated[
        list[Weight] | None, typer.Option(help="What is to be alike in each zone: merchants; once or more.")
    ] = None,
    tolerance: Annotated[
        list[float] | None, typer.Option(help="How far from the ideal: 0.05; one for all, or one a weight.")
    ] = None,
    target: Annotated[
        list[float] | None, typer.Option(help="How much a zone should hold, one a weight; 0 for no matter.")
    ] = None,
    lowest: Annotated[
        list[float] | None, typer.Option(help="The least a zone may hold, one a weight; 0 for no matter.")
    ] = None,
    highest: Annotated[
        list[float] | None, typer.Option(help="The most a zone may hold, one a weight; 0 for no matter.")
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="A zone for each pair of colleagues, as large as it has hours.")
    ] = False,
    capacity: Annotated[
        list[float] | None, typer.Option(help="The hours of a pair, once a zone: zones are as large.")
    ] = None,
    blocks: Annotated[
        Path | None,
        typer.Option(help="A file of areas that are never split, or `places`: the branch's own with areas."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="WEIGHT=HEADER: a weight taken from a column of the blocks' file, not counted."),
    ] = None,
    barriers: Annotated[
        list[Path] | None, typer.Option(help="A file of lines or areas that no zone crosses.")
    ] = None,
    datum: Annotated[
        DatumOrAuto, typer.Option(help="Of the files' coordinates; auto takes only proof.")
    ] = DatumOrAuto.auto,
    required: Annotated[
        list[str] | None, typer.Option(help="LON,LAT or a place's name: it has a zone of its own.")
    ] = None,
    candidate: Annotated[
        list[str] | None, typer.Option(help="LON,LAT or a place's name: each other zone holds one of these.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the zones to this .geojson, in WGS 84.")] = None,
    save: Annotated[str | None, typer.Option(help="Keep the zones as a draft plan of this name.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed tries other starts.")] = 0,
    as_json: Json = False,
) -> None:
    """Divide the catchment into zones that weigh alike, each in one piece and compact."""
    from data.zones import asked, designing, plans  # the other commands start faster without them

    with answering(as_json) as answer:
        if out is not None and out.suffix.lower() != ".geojson":
            raise FileError(N_("Zones are written as .geojson, not as {suffix}."), suffix=out.suffix or "-")
        start = time.perf_counter()
        measures = asked.measures(
            [each.value for each in weight or [Weight.merchants]], tolerance, target, lowest, highest
        )
        snapshot, reach = ground(branch)
        frame = designing.frame_of(snapshot, reach.radius_m, measures)
        given = _Given(snapshot.branch_id, datum.value, {}, [])
        frame = _with_barriers(given, frame, barriers or [])
        polygons = _polygons(given, frame, blocks)
        hours, people = _hours(snapshot, frame, pairs=pairs, capacity=capacity)
        found = designing.designed(
            snapshot,
            os_user(),
            Plan(frame),
            zones=zones,
            capacities=hours,
            pairs=people,
            polygons=polygons,
            columns=_columns(column or []),
            seeds=_places(snapshot, required or []),
            candidates=_places(snapshot, candidate or []),
            seed=seed,
        )
        if out is not None:
            write(found.frame().to_json(drop_id=True, ensure_ascii=False).encode(), out)
        if save is not None:
            with store.transaction(engine()) as session:
                plans.new_plan(session, os_user(), snapshot.branch_id, name=save, plan=found.plan)
        result = {**_told(found), **given.said, "seconds": round(time.perf_counter() - start, 3)}
        answer(result, "\n".join([_words(found), *given.lines]))


def _told(found: Any) -> dict[str, Any]:
    """Return what was designed, as JSON takes it."""
    plan = found.design
    return {
        "zones": plan.zones,
        "blocks": len(found.parcels),
        "largest_deviation": plan.largest_deviation,
        "bound": plan.bound.deviation,
        "bound_block": found.bound_block,
        "within": plan.within,
        "dispersion": plan.dispersion,
        "mean_polsby_popper": found.mean_polsby_popper,
        "boundary_m": plan.boundary_m,
        "contiguous": plan.contiguous,
        "measures": [asdict(each) for each in found.measures],
        "left_out": found.left_out,
    }


def _words(found: Any) -> str:
    return told(
        N_("{zones} zones, at most {percent} % from the ideal; no plan can do better than {bound} %."),
        zones=found.design.zones,
        percent=f"{found.design.largest_deviation * 100:.1f}",
        bound=f"{found.design.bound.deviation * 100:.1f}",
    )


def _with_barriers(given: _Given, frame: Frame, files: Sequence[Path]) -> Frame:
    """Return the frame with the barriers of some files."""
    from data.zones.barriers import read_barriers

    for path in files:
        found = given.read(path, frame, read_barriers)
        found.rows.check_share(agreed=False)
        given.tell("barriers", found.rows, found.datum, count=len(found.barriers), bridges=found.bridges)
        frame = replace(frame, barriers=(*frame.barriers, *found.barriers))
    return frame


def _polygons(given: _Given, frame: Frame, blocks: Path | None) -> Any:
    """Return the blocks asked for; None for the frame's own cells."""
    from data.zones import blocks as polygons_of

    if blocks is None:
        return None
    if str(blocks) == PLACES:
        with store.reading(engine()) as session:
            return polygons_of.of_places(session, os_user(), given.branch_id, frame)
    found = given.read(blocks, frame, polygons_of.read_polygons)
    found.rows.check_share(agreed=False)
    given.tell("blocks_read", found.rows, found.datum, columns=list(found.columns))
    return found


def _columns(given: Sequence[str]) -> dict[str, str]:
    """Return the column of each weight that has one."""
    found = {}
    for each in given:
        measure, sign, header = each.partition("=")
        if not sign or measure not in list(Weight) or not header:
            raise DataError(N_("--column is WEIGHT=HEADER, not {given}."), given=each)
        found[measure] = header
    return found


def _hours(
    snapshot: Snapshot, frame: Frame, *, pairs: bool, capacity: Sequence[float] | None
) -> tuple[list[float] | None, list[tuple[int, ...]]]:
    """Return the hours of each zone's pair, and the pairs; None where zones are to be alike."""
    from data.zones import plans, teams
    from data.zones.pairs import pairs_of

    if not pairs:
        return (list(capacity), []) if capacity else (None, [])
    if capacity:
        raise DataError(N_("Give --pairs or --capacity, not both."))
    with store.reading(engine()) as session:
        held = plans.published(session, os_user(), snapshot.branch_id)
        staff = teams.staff(session, os_user(), snapshot.branch_id)
    found = pairs_of(Plan(frame) if held is None else held.plan, staff)
    return [pair.hours for pair in found], [pair.people for pair in found]


def _places(snapshot: Snapshot, given: Sequence[str]) -> list[Place]:
    """Return where zones are to begin: positions, or places by name."""
    from data.zones.blocks import where_named

    found: list[Place] = []
    for text in given:
        if (point := _POINT.fullmatch(text)) is not None:
            found.append((float(point[1]), float(point[2])))
            continue
        with store.reading(engine()) as session:
            found.append(where_named(session, os_user(), snapshot.branch_id, text))
    return found
