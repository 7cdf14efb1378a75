"""What commands share: how they answer and refuse, who asks, and which branch they are of."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy import Engine

from data import config, figures, outages, snapshots, store
from data.config import Settings
from data.figures import Catchment
from data.rights import Asker, command_line
from data.snapshots import Snapshot
from data.words import say
from geo.errors import N_, DatumUnknown, FileError, ManyRejected, StoreError, ZhendiError

Datum = StrEnum("Datum", ["wgs84", "gcj02", "bd09"])
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
BranchCode = Annotated[str, typer.Option("--branch", help="The branch's code.")]

Answer = Callable[[dict[str, Any], str], None]


@contextmanager
def answering(as_json: bool) -> Iterator[Answer]:
    """Give a way to answer, and turn what is refused into words and exit status 1."""

    def answer(result: dict[str, Any], words: str) -> None:
        typer.echo(json.dumps(result, ensure_ascii=False, default=str, allow_nan=False) if as_json else words)

    try:
        yield answer
    except ZhendiError as error:
        _refuse(error, as_json)
    except (*outages.DATABASE_ERRORS, OSError) as error:
        # Its text may hold rows; only its kind is said.
        refused = N_("The database does not answer or refuses ({kind}).")
        if isinstance(error, OSError) and outages.told(error) is None:
            raise
        _refuse(outages.told(error) or StoreError(refused, kind=type(error).__name__), as_json)


def _refuse(error: ZhendiError, as_json: bool) -> NoReturn:
    words, result = say(error, config.language()), refusal(error)
    if isinstance(error, DatumUnknown):
        places = "; ".join(f"{name} {lon:.6f}, {lat:.6f}" for name, (lon, lat) in error.candidates.items())
        where = told(N_("In WGS 84 the first row would lie at: {places}"), places=places)
        words = f"{words}\n{where}"
    if isinstance(error, ManyRejected):
        advice = told(N_("Add --yes to go on without them."))
        words = f"{words}\n{advice}"
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    typer.echo(words, err=True)
    raise typer.Exit(1)


def refusal(error: ZhendiError) -> dict[str, Any]:
    """Return what was refused, as JSON takes it."""
    result: dict[str, Any] = {"error": say(error, config.language()), "kind": type(error).__name__}
    if isinstance(error, DatumUnknown):
        result["candidates"] = {
            name: {"lon": lon, "lat": lat} for name, (lon, lat) in error.candidates.items()
        }
    if isinstance(error, ManyRejected):
        result["reasons"] = error.values["reasons"]
    return result


def told(message: str, **values: object) -> str:
    """Return a marked message in the language of the command line."""
    return say(message, config.language(), **values)


def engine() -> Engine:
    """Return the engine of the store, migrated."""
    found = store.engine(Settings.from_env())
    store.migrate(found)
    return found


def os_user() -> Asker:
    """Return who asks: the operating system's user, with all rights."""
    return command_line(getpass.getuser())


def ground(branch: str) -> tuple[Snapshot, Catchment]:
    """Return a branch's working set and how far it reaches."""
    with store.reading(engine()) as session:
        found = store.branch(session, os_user(), branch)
    snapshot = snapshots.seen_by(engine(), os_user(), found["id"])
    return snapshot, figures.catchment(snapshot, by_hand_m=found["radius_m"])


def write(content: bytes, path: Path) -> None:
    """Write a file, or say that it cannot be."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FileError(N_("The file {name} cannot be written."), name=path.name) from error
