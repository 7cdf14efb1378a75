"""
A folder of merchants, customers and truth, as others make it, brought in by our own readers.

`merchants.*` and `customers.*` in any form the import takes (CSV, XLSX, GeoJSON, …), with whatever headers
and categories it knows; `truth.csv` has `id` (of merchants, customers or both, as the lists' own
identifiers), `cluster` and `alliance`: empty, -1, "none" or "noise" for none.
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import select

from data import ingest, snapshots, store, tables
from data.config import Settings
from data.rights import command_line
from data.snapshots import Snapshot
from geo.errors import DatumUnknown, FileError, ZhendiError

ASKER = command_line("benchmark")
SECRET = "a key for benchmarks, and for nothing else"
CODE = "TOWN"
NONE = ("", "-1", "-1.0", "none", "noise", "nan", "无")
LISTS = ("merchants", "customers")
_ENCODINGS = ("utf-8-sig", "gb18030")


class TownError(Exception):
    """A folder that cannot be scored: what is missing, or what was refused."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, eq=False)
class Town:
    """
    A folder as it was brought in.

    Parameters
    ----------
    snapshot
        The branch it was brought into.
    ids
        The store's id of each list's own identifier, by layer.
    truth
        `id` (text), `cluster` and `alliance` (text, empty for none) where there are such columns.
    notes
        What was found on the way, for people.
    """

    snapshot: Snapshot
    ids: dict[str, dict[str, int]]
    truth: pd.DataFrame
    notes: list[str] = field(default_factory=list)

    def planted(self, column: str, layer: str = "merchants") -> dict[int, str]:
        """Return what is true of a layer's rows, by the store's id; empty texts for none."""
        if column not in self.truth:
            return {}
        own = self.ids[layer]
        rows = zip(self.truth["id"], self.truth[column], strict=True)
        return {own[name]: value for name, value in rows if name in own}


def read(folder: Path, datum: str = "auto") -> Town:
    """
    Bring a folder in.

    Raises
    ------
    TownError
        With status 2 when a file or column is not there, 1 when a list is refused.
    """
    files = {name: _file(folder, name) for name in LISTS}
    truth = read_truth(folder / "truth.csv")
    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{place}/town.db"
        settings = Settings.from_env(
            {"ZHENDI_DATABASE_URL": url, "ZHENDI_SECRET_KEY": SECRET, "ZHENDI_VAR": place}
        )
        try:
            return _brought_in(settings, files, truth, datum)
        finally:
            store.dispose()


def read_truth(path: Path) -> pd.DataFrame:
    """Return what is true: see the module."""
    if not path.is_file():
        raise TownError(f"{path.name} is missing: it says which id belongs to which cluster and alliance.", 2)
    raw = path.read_bytes()
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise TownError(f"{path.name} is neither UTF-8 nor GB18030.", 1)
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, sep=None, engine="python")
    frame = frame.rename(columns={name: str(name).strip().lower() for name in frame.columns})
    if "id" not in frame:
        raise TownError(f"{path.name} has no column id; it has: {', '.join(frame.columns)}.", 2)
    if not {"cluster", "alliance"} & set(frame.columns):
        raise TownError(f"{path.name} has neither a column cluster nor alliance: nothing to score.", 2)
    kept = [name for name in ("id", "cluster", "alliance") if name in frame]
    plain = {name: frame[name].str.strip().str.removesuffix(".0") for name in kept}
    for name in kept[1:]:
        plain[name] = plain[name].mask(plain[name].str.lower().isin(NONE), "")
    return pd.DataFrame(plain)


def _file(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise TownError(f"There is no folder {folder}.", 2)
    found = sorted(path for path in folder.iterdir() if path.stem.lower() == name and path.is_file())
    if not found:
        raise TownError(f"{folder} has no {name}.csv (or .xlsx, .geojson, …).", 2)
    return found[0]


def _brought_in(settings: Settings, files: dict[str, Path], truth: pd.DataFrame, datum: str) -> Town:
    engine = store.engine(settings)
    store.migrate(engine)
    notes: list[str] = []
    with store.transaction(engine) as session:
        branch_id = store.add_branch(session, ASKER, code=CODE, name=CODE, lon=0.0, lat=0.0)
    for kind, path in files.items():
        with store.transaction(engine) as session:
            notes.append(_import(session, path, kind, branch_id, datum))
    with store.transaction(engine) as session:
        _put_in_the_middle(session, branch_id)
    with store.reading(engine) as session:
        snapshot = snapshots.load(session, branch_id)
        ids = {kind: _identifiers(session, kind, branch_id) for kind in LISTS}
    named = sum(truth["id"].isin(list(own)).sum() for own in ids.values())
    notes.append(f"truth.csv: {len(truth)} rows, {named} of them name a row that was brought in")
    if not named:
        raise TownError("No id of truth.csv is an identifier of a merchant or customer brought in.", 1)
    for column in ("cluster", "alliance"):
        if column not in truth:
            notes.append(f"truth.csv has no column {column}: that part is not scored")
    return Town(snapshot, ids, truth, notes)


def _import(session: store.Session, path: Path, kind: str, branch_id: int, datum: str) -> str:
    """Bring a list in; where nothing proves its datum, as WGS 84, and say so."""

    def bring(told: str) -> ingest.ImportReport:
        return ingest.run_import(
            session, ASKER, path, kind=kind, branch_id=branch_id, datum=told, doubles=False, agreed=True
        )

    said = ""
    try:
        try:
            done = bring(datum)
        except DatumUnknown:
            done, said = bring("wgs84"), " (nothing proves it)"
    except (ZhendiError, FileError) as error:
        raise TownError(f"{path.name}: {error}", 1) from error
    mapped = ", ".join(f"{name} = {header}" for name, header in done.mapping.items() if header)
    notes = [f"{path.name}: {done.accepted} of {done.rows} rows in {done.datum}{said}; {mapped}"]
    if done.outlets:
        notes.append(f"  {done.outlets} are outlets of banks and insurers, not merchants")
    if done.rejected:
        notes.append(f"  {done.rejected} rejected: {done.reasons}")
    if done.unknown_words:
        notes.append(f"  words not known: {dict(list(done.unknown_words.items())[:8])}")
    wanted = "category" if kind == "merchants" else "group"
    if not done.mapping.get(wanted):
        notes.append(f"  no column was taken for the {wanted}: all rows count as other")
    return "\n".join(notes)


def _put_in_the_middle(session: store.Session, branch_id: int) -> None:
    """Move the branch into the middle of its merchants: metres are true round it."""
    table, branches = tables.merchants, tables.branches
    rows = session.execute(select(table.c.lon, table.c.lat).where(table.c.branch_id == branch_id)).all()
    if not rows:
        raise TownError("No merchant was brought in.", 1)
    lon, lat = (float(np.median([row[at] for row in rows])) for at in (0, 1))
    session.execute(branches.update().where(branches.c.id == branch_id).values(lon=lon, lat=lat))


def _identifiers(session: store.Session, kind: str, branch_id: int) -> dict[str, int]:
    table = tables.metadata.tables[kind]
    rows = session.execute(select(table.c.source_id, table.c.id).where(table.c.branch_id == branch_id))
    return {str(row.source_id): int(row.id) for row in rows if row.source_id is not None}
