"""
The command line: `python -m data …`. It acts for the operating system's user, with all rights.

Exit status 0 is done, 1 refused with a reason, 2 wrong usage. With `--json` stdout is one JSON object.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import pandas as pd
import typer
from sqlalchemy.orm import Session

from data import catalogue, config, export, ingest, snapshots, store
from data.alliances.cli_ally import ally, matrix_app
from data.alliances.cli_link import link
from data.clustering.cli import cluster
from data.commands import BranchCode, Datum, Json
from data.commands import answering as _answering
from data.commands import engine as _engine
from data.commands import ground as _ground
from data.commands import os_user as _asker
from data.commands import refusal as _refusal
from data.commands import told as _t
from data.commands import write as _write
from data.config import Settings
from data.ingest import ImportReport
from data.lists import rejected
from data.paper.cli import app as paper_app
from data.rights import Asker
from data.words import say
from data.zones import visit_lists, zone_lists
from data.zones.cli import design
from data.zones.listed import KIND as ZONES
from data.zones.visit_lists import VisitReport
from data.zones.visit_rows import KIND as VISITS
from data.zones.zone_lists import ZoneReport
from geo.datum import convert
from geo.errors import (
    N_,
    Conflict,
    DataError,
    FileError,
    NotFound,
    ZhendiError,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
branch_app = typer.Typer(no_args_is_help=True, help="Branches.")
app.add_typer(branch_app, name="branch")
app.add_typer(paper_app, name="paper")
app.add_typer(matrix_app, name="matrix")
app.command()(ally)
app.command()(link)
app.command()(cluster)
app.command()(design)

Layer = StrEnum("Layer", ["merchants", "customers", "outlets", "places"])
ListOf = StrEnum("ListOf", ["merchants", "customers", "outlets", "places", "visits", "zones"])
Report = ImportReport | VisitReport | ZoneReport
DatumOrAuto = StrEnum("DatumOrAuto", ["auto", "wgs84", "gcj02", "bd09"])
Policy = StrEnum("Policy", ["update", "keep", "skip"])
Keep = StrEnum("Keep", ["later", "none"])


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="python -m data")
    finally:
        sys.excepthook = _unforeseen  # Typer has put its own there, which prints the error's text


def _unforeseen(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """Say where an error of the program came from, and never its text, which may hold rows."""
    sys.stderr.write("".join([*traceback.format_tb(trace), kind.__name__, "\n"]))


@app.command()
def init(as_json: Json = False) -> None:
    """Make the store, or bring it to the present tables."""
    with _answering(as_json) as answer:
        store.migrate(store.engine(Settings.from_env()))
        answer({"migrated": True}, _t(N_("The store is ready.")))


@app.command()
def demo(
    merchants: Annotated[int | None, typer.Option(min=1, help="How many.")] = None,
    customers: Annotated[int | None, typer.Option(min=1, help="How many.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed makes another town.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the demo and all it has.")] = False,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Only where there is no branch yet.")] = False,
    as_json: Json = False,
) -> None:
    """Make the demo town, or remove it."""
    from data import demo as town  # the other commands start faster without it

    with _answering(as_json) as answer:
        settings = Settings.from_env()
        with store.reading(_engine()) as session:
            is_empty = store.is_empty(session)
        if remove:
            town.remove_demo(settings, _asker())
            answer({"removed": True}, _t(N_("The demo is removed.")))
        elif if_empty and not is_empty:
            answer({"made": False}, _t(N_("There are branches already.")))
        else:
            branch_id = town.build_demo(
                settings,
                _asker(),
                merchants=merchants or town.MERCHANTS,
                customers=customers or town.CUSTOMERS,
                seed=town.SEED if seed is None else seed,
            )
            answer({"made": True, **_made(branch_id)}, _t(N_("The demo town is ready.")))


def _made(branch_id: int) -> dict[str, Any]:
    """Return what a town made just now has: its rows by layer, and the lists they came in."""
    with store.reading(_engine()) as session:
        known = store.branches(session, _asker()).set_index("id")
        lists = store.batches(session, _asker(), branch_id)
    held = snapshots.seen_by(_engine(), _asker(), branch_id)  # in memory still
    rows = {layer: len(getattr(held, layer)) for layer in catalogue.LAYERS}
    return {"branch": known.loc[branch_id, "code"], **rows, "files": sorted(lists["file_name"])}


@branch_app.command("add")
def branch_add(
    code: Annotated[str, typer.Option(help="Short and unique.")],
    name: Annotated[str, typer.Option(help="As people call it.")],
    lon: Annotated[float, typer.Option(help="Longitude, degrees.")],
    lat: Annotated[float, typer.Option(help="Latitude, degrees.")],
    datum: Annotated[Datum, typer.Option(help="Of the coordinates.")] = Datum.wgs84,
    as_json: Json = False,
) -> None:
    """Open a branch."""
    with _answering(as_json) as answer:
        x, y = convert([lon], [lat], datum.value, "wgs84")
        with store.transaction(_engine()) as session:
            branch_id = store.add_branch(
                session, _asker(), code=code, name=name, lon=float(x[0]), lat=float(y[0])
            )
        found = {"id": branch_id, "code": code, "name": name, "lon": float(x[0]), "lat": float(y[0])}
        answer(found, _t(N_("Branch {code} is open."), code=code))


@branch_app.command("list")
def branch_list(as_json: Json = False) -> None:
    """List the branches."""
    with _answering(as_json) as answer:
        with store.reading(_engine()) as session:
            found = store.branches(session, _asker()).drop(columns=["at"])
        rows = [_clean(row) for row in found.to_dict("records")]
        answer(
            {"branches": rows},
            "\n".join(f"{row['code']}\t{row['name']}\t{row['lon']:.6f}, {row['lat']:.6f}" for row in rows),
        )


@app.command("import")
def import_list(
    kind: Annotated[ListOf, typer.Argument(help="What the list is of.")],
    files: Annotated[list[Path], typer.Argument(help="One or more lists; each is a batch of its own.")],
    branch: BranchCode,
    datum: Annotated[
        DatumOrAuto, typer.Option(help="Of the coordinates; auto takes only proof.")
    ] = DatumOrAuto.auto,
    mapping: Annotated[Path | None, typer.Option(help="JSON: field to header, null for none.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook; a layer of a GeoPackage.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a text file; found out if not given.")] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header", help="Whether the first row names columns; found out if neither."
        ),
    ] = None,
    policy: Annotated[
        Policy,
        typer.Option(help="Of a row certainly there: update it, keep it and fill blanks, or skip the row."),
    ] = Policy.update,
    source: Annotated[str | None, typer.Option(help="What the list is called each time it comes.")] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="The list is all there is of its source; say what is gone.")
    ] = False,
    close_missing: Annotated[
        bool, typer.Option("--close-missing", help="With --snapshot: set closed what is gone.")
    ] = False,
    no_doubles: Annotated[
        bool, typer.Option("--no-doubles", help="Compare merchants by identifier, name and place alone.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; store nothing.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Write the rejected rows to this .csv or .xlsx; .xlsx has the doubles too."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go on though more than half of the rows are rejected.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring lists in: of each all good rows in one transaction, or nothing."""
    given: dict[str, Any] = {
        "kind": kind.value,
        "datum": datum.value,
        "sheet": sheet,
        "encoding": encoding,
        "header": header,
        "policy": policy.value,
        "source": source,
        "mode": "snapshot" if snapshot else "add",
        "close_missing": close_missing,
        "doubles": not no_doubles,
        "agreed": yes,
        "dry_run": dry_run,
    }
    with _answering(as_json) as answer:
        given["mapping"] = _mapping(mapping)
        if report is not None:
            _check_suffix(report)
        if len(files) == 1:
            done = _bring_in(files[0], branch, given)
            if report is not None:
                _write_report(_reported(files[0], done, given), report)
            answer(_report_json(done), _words_of(done))
            return
        results, words, sheets = _bring_all_in(files, branch, given, with_report=report is not None)
        if report is not None:
            _write_report(_joined(sheets), report)
        answer({"imports": results}, "\n".join(words))
    if any("error" in result for result in results):
        raise typer.Exit(1)


def _bring_in(file: Path, branch: str, given: dict[str, Any]) -> Report:
    if given["kind"] == VISITS:
        return _bring_visits_in(file, branch, given)
    if given["kind"] == ZONES:
        return _bring_zones_in(file, branch, given)
    with store.transaction(_engine()) as session:
        asker = _asker()
        branch_id = store.branch(session, asker, branch)["id"]
        bank = Settings.from_env().bank
        return ingest.run_import(session, asker, file, branch_id=branch_id, bank=bank, **given)


def _bring_visits_in(file: Path, branch: str, given: dict[str, Any]) -> VisitReport:
    """Bring a list of visits in; it has no places, and what is said of those does not concern it."""
    if given["mode"] == "snapshot" or given["close_missing"]:
        raise DataError(N_("Only a list of merchants can stand for all there are."))
    names = ("mapping", "sheet", "encoding", "header", "agreed", "dry_run")
    with store.transaction(_engine()) as session:
        asker = _asker()
        branch_id = store.branch(session, asker, branch)["id"]
        own = {name: given[name] for name in names}
        return visit_lists.import_visits(session, asker, file, branch_id=branch_id, **own)


def _bring_zones_in(file: Path, branch: str, given: dict[str, Any]) -> ZoneReport:
    """Make a draft plan of a file of zones."""
    if given["mode"] == "snapshot" or given["close_missing"]:
        raise DataError(N_("Only a list of merchants can stand for all there are."))
    names = ("datum", "mapping", "sheet", "encoding", "header", "agreed", "dry_run")
    with store.transaction(_engine()) as session:
        asker = _asker()
        branch_id = store.branch(session, asker, branch)["id"]
        own = {name: given[name] for name in names}
        return zone_lists.import_zones(session, asker, file, branch_id=branch_id, **own)


def _bring_all_in(
    files: list[Path], branch: str, given: dict[str, Any], *, with_report: bool
) -> tuple[list[dict[str, Any]], list[str], list[dict[str, pd.DataFrame]]]:
    """Bring lists in one after the other; one that is refused does not keep the next from coming."""
    results, words, sheets = [], [], []
    for file in files:
        try:
            done = _bring_in(file, branch, given)
        except ZhendiError as error:
            results.append({"file": str(file), **_refusal(error)})
            words.append(f"{file.name}: {say(error, config.language())}")
            continue
        results.append({"file": str(file), **_report_json(done)})
        words.append(f"{file.name}: {_words_of(done)}")
        if with_report:
            told = _reported(file, done, given)
            sheets.append({title: _of_file(frame, file) for title, frame in told.items()})
    return results, words, sheets


@app.command("export")
def export_layer(
    layer: Annotated[Layer, typer.Argument(help="What to take out.")],
    branch: BranchCode,
    out: Annotated[Path, typer.Option(help="A .xlsx, .csv, .geojson, .gpkg or .parquet file.")],
    datum: Annotated[Datum, typer.Option(help="Of the coordinates written.")] = Datum.wgs84,
    as_json: Json = False,
) -> None:
    """Take a layer out as a list."""
    with _answering(as_json) as answer:
        form = export.form_of(out)
        with store.transaction(_engine()) as session:
            asker = _asker()
            branch_id = store.branch(session, asker, branch)["id"]
            frame = export.layer(
                session, asker, branch_id, layer.value, datum=datum.value, language=config.language()
            )
            _write(export.to_bytes(frame, form, layer.value), out)
        answer(
            {"rows": len(frame), "out": str(out), "datum": datum.value},
            _t(N_("{rows} rows written to {name}."), rows=len(frame), name=out.name),
        )


@app.command()
def catchment(branch: BranchCode, as_json: Json = False) -> None:
    """Say how far the branch reaches, and what sets the radius."""
    with _answering(as_json) as answer:
        _snapshot, ground = _ground(branch)
        with store.transaction(_engine()) as session:
            farthest = None if ground.farthest is None else _farthest(session, _asker(), ground.farthest)
        rings = {str(share): _clean(radius) for share, radius in ground.rings.items()}
        result = {
            "radius_m": ground.radius_m,
            "farthest": farthest,
            "rings": rings,
            "counts": ground.counts,
        }
        answer(result, _t(N_("The radius is {metres} m."), metres=round(ground.radius_m)))


@app.command()
def coverage(
    branch: BranchCode,
    plan: Annotated[int | None, typer.Option(help="A plan's number; the published one if not given.")] = None,
    as_json: Json = False,
) -> None:
    """Say what of the catchment is covered, by the plan's zones: every figure with both its counts."""
    from data.zones import answers  # the other commands start faster without it

    with _answering(as_json) as answer:
        snapshot, ground = _ground(branch)
        with store.reading(_engine()) as session:
            held = answers.held(session, _asker(), snapshot.branch_id, plan)
            found = answers.coverage(session, _asker(), snapshot, held, ground.radius_m)
        answer(found, answers.lines(found))


@app.command()
def batches(branch: BranchCode, as_json: Json = False) -> None:
    """List what changed the branch's data, the newest first: lists, changes by hand, rollbacks."""
    with _answering(as_json) as answer:
        with store.reading(_engine()) as session:
            asker = _asker()
            found = store.batches(session, asker, store.branch(session, asker, branch)["id"])
        rows = _records(found)
        names = ("id", "at", "mode", "kind", "file_name", "by", "undone_by")
        answer({"batches": rows}, _lines(rows, *names))


@app.command()
def rollback(
    batch: Annotated[int, typer.Argument(help="Its number, as `batches` has it.")],
    branch: BranchCode,
    keep: Annotated[
        Keep | None, typer.Option(help="Of rows changed later: leave them (later), or undo them too (none).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a batch back: the rows it made go, what it changed is as it was."""
    with _answering(as_json) as answer:
        with store.transaction(_engine()) as session:
            asker = _asker()
            _check_batch(session, asker, branch, batch)
            if keep is None and (count := len(store.touched_later(session, asker, batch))):
                raise Conflict(
                    N_("{count} rows were changed later. Add --keep later to leave them, or --keep none."),
                    count=count,
                )
            done = store.rollback(session, asker, batch, keep="none" if keep is Keep.none else "later")
        answer(
            {"undone": batch, **asdict(done)},
            _t(
                N_("Batch {batch} is taken back: {removed} removed, {restored} restored, {kept} kept."),
                batch=batch,
                removed=done.removed,
                restored=done.restored,
                kept=done.kept,
            ),
        )


@app.command()
def diff(
    a: Annotated[int, typer.Argument(help="A list's batch.")],
    b: Annotated[int, typer.Argument(help="The batch of the list it is held against.")],
    branch: BranchCode,
    as_json: Json = False,
) -> None:
    """Say what became of one list in another: new, gone, moved, changed."""
    with _answering(as_json) as answer:
        with store.reading(_engine()) as session:
            asker = _asker()
            for batch in (a, b):
                _check_batch(session, asker, branch, batch)
            found = store.diff(session, asker, a, b)
        counts = {what: int((found["what"] == what).sum()) for what in ("new", "gone", "moved", "changed")}
        rows = _records(found)
        lines = [
            "\t".join(str(row[name] or "") for name in ("what", "source_id", "name", "fields"))
            for row in rows
        ]
        answer({"counts": counts, "rows": rows}, "\n".join(lines))


@app.command()
def unplaced(
    branch: BranchCode,
    kind: Annotated[Layer | None, typer.Option(help="What the lists were of; all but customers.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most rows listed.")] = 500,
    as_json: Json = False,
) -> None:
    """List rows that came without coordinates and wait for a place on the map."""
    with _answering(as_json) as answer:
        with store.transaction(_engine()) as session:  # a look at customers is written into the trail
            asker = _asker()
            branch_id = store.branch(session, asker, branch)["id"]
            found = store.unplaced(session, asker, branch_id, kind.value if kind else None, limit)
        rows = _records(found)
        lines = [
            "\t".join(str(row[name] or "") for name in ("id", "name", "address", "phone")) for row in rows
        ]
        answer({"total": found.attrs["total"], "rows": rows}, "\n".join(lines))


# --- answers ----------------------------------------------------------------------------------------------


def _check_batch(session: Session, asker: Asker, branch: str, batch: int) -> None:
    """Refuse a batch that is not the branch's."""
    branch_id = store.branch(session, asker, branch)["id"]
    if batch not in set(store.batches(session, asker, branch_id)["id"]):
        raise NotFound(N_("There is no batch {which}."), which=batch)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as JSON takes them."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _lines(rows: list[dict[str, Any]], *names: str) -> str:
    """Return some columns of rows for people, parted by tabs."""
    return "\n".join("\t".join("" if row[name] is None else str(row[name]) for name in names) for row in rows)


def _mapping(path: Path | None) -> dict[str, str | None] | None:
    if path is None:
        return None
    try:
        mapping = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FileError(
            N_("The mapping {name} cannot be read: it has to be a JSON object."), name=path.name
        ) from error
    if not isinstance(mapping, dict) or not all(
        value is None or isinstance(value, str) for value in mapping.values()
    ):
        raise FileError(N_("The mapping {name} cannot be read: it has to be a JSON object."), name=path.name)
    return mapping


def _report_json(done: Report) -> dict[str, Any]:
    """Return a report without its tables."""
    told = {name: value for name, value in vars(done).items() if not isinstance(value, pd.DataFrame)}
    if isinstance(done, ZoneReport):
        language = config.language()
        told["notes"] = [{"row": row, "note": say(note, language)} for row, note in done.notes]
    return told


def _words_of(done: Report) -> str:
    lines = [
        _t(
            N_(
                "{rows} rows: {accepted} accepted, {updated} updated, {duplicates} duplicates, "
                "{rejected} rejected."
            ),
            rows=done.rows,
            accepted=done.accepted,
            updated=done.updated,
            duplicates=done.duplicates,
            rejected=done.rejected,
        )
    ]
    if isinstance(done, ImportReport):
        lines += [_t(message, count=count) for message, count in _noticed(done) if count]
    if isinstance(done, ZoneReport):
        made = N_("Draft “{name}” with {zones} zones, {people} of them with people.")
        lines.append(_t(made, name=done.plan_name, zones=done.zones, people=done.people))
        lines += [f"  {row}  {say(note, config.language())}" for row, note in done.notes[:20]]
    lines += [f"  {count} × {_t(ingest.WARNINGS[code])}" for code, count in done.warnings.items()]
    shown = ingest.rejects_table(done.rejects.head(20), _t)
    lines += [f"  {row.row}  {row.column}  {row.reason}" for row in shown.itertuples()]
    if len(done.rejects) > len(shown):
        lines.append("  …")
    return "\n".join(lines)


def _noticed(done: ImportReport) -> list[tuple[str, int]]:
    return [
        (N_("Outlets of banks and insurers among them: {count}."), done.outlets),
        (N_("Without coordinates, kept to be placed by hand: {count}."), done.unplaced),
        (
            N_("Probably there already, marked to be looked at: {count}."),
            done.doubles.get("probable", 0),
        ),
        (N_("Beyond the branch's catchment: {count}."), done.outside),
        (N_("Merchants of this source that are not in the list any more: {count}."), done.gone - done.closed),
        (
            N_("Merchants of this source that are not in the list any more, set closed: {count}."),
            done.closed,
        ),
    ]


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise FileError(N_("Lists are written as .csv or .xlsx, not as {suffix}."), suffix=path.suffix or "-")


def _reported(file: Path, done: Report, given: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the rejected rows with why, and as they stood in the file; and the doubles."""
    why = ingest.rejects_table(done.rejects, _t)
    read = {name: given[name] for name in ("sheet", "encoding", "header")}
    own = rejected.rejected_rows(file, done.rejects, _t, **read).iloc[:, :-2]
    own = own[[name for name in own.columns if name not in why.columns]]
    return {"rejected": pd.concat([why, own], axis=1), "doubles": getattr(done, "pairs", pd.DataFrame())}


def _of_file(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    return frame.drop(columns="file", errors="ignore").assign(file=file.name)


def _joined(sheets: list[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    titles = ("rejected", "doubles")
    return {
        title: pd.concat([each[title] for each in sheets], ignore_index=True).fillna("")
        if sheets
        else pd.DataFrame()
        for title in titles
    }


def _write_report(tables: dict[str, pd.DataFrame], path: Path) -> None:
    _write(
        export.to_csv(tables["rejected"]) if path.suffix.lower() == ".csv" else export.to_xlsx(tables), path
    )


def _farthest(session: Any, asker: Asker, point: Any) -> dict[str, Any]:
    read = store.merchant_card if point.layer == "merchants" else store.customer_card
    card = read(session, asker, point.id)
    return {
        "kind": point.kind,
        "id": point.id,
        "name": card.get("name"),
        "lon": point.lon,
        "lat": point.lat,
        "distance_m": point.distance_m,
    }


def _clean(value: Any) -> Any:
    """Return a value as JSON can say it: NaN is null."""
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    main()
