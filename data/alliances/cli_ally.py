"""The commands of alliances: `ally`, and `matrix` for which trades go together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data import store
from data.commands import BranchCode, Json, answering, engine, ground, os_user, told, write
from data.config import language
from data.words import say
from geo.errors import N_, FileError

matrix_app = typer.Typer(no_args_is_help=True, help="Which trades go together.")


def ally(
    branch: BranchCode,
    alliances: Annotated[int, typer.Option(min=1, help="At most so many.")] = 10,
    seed: Annotated[int, typer.Option(help="Another seed may find other communities.")] = 0,
    as_json: Json = False,
) -> None:
    """Propose the alliances of merchants that together reach most of the branch's customers."""
    from data.alliances import ally_answers, forming  # the other commands start faster without it
    from data.alliances.matrix import matrix

    with answering(as_json) as answer:
        snapshot, reach = ground(branch)
        asker = os_user()
        with store.reading(engine()) as session:
            known = matrix(session)
            taken, refused = forming.spoken_for(session, asker, snapshot.branch_id)
        found = forming.proposed(
            snapshot,
            asker,
            known,
            at_most=alliances,
            seed=seed,
            taken=taken,
            refused=refused,
            radius_m=reach.radius_m,
        )
        ids = [each for one in found.alliances for each in one.members]
        with store.reading(engine()) as session:
            rows = store.merchant_rows(session, asker, snapshot.branch_id, ids)
        names = dict(zip(rows["id"].tolist(), rows["name"], strict=True))
        answer(ally_answers.as_json(found), ally_answers.in_words(found, names))


@matrix_app.command("export")
def export_matrix(
    out: Annotated[Path, typer.Option(help="A .csv or .xlsx file.")], as_json: Json = False
) -> None:
    """Write which trades go together, as the bank works with it."""
    from data.alliances import matrix_files

    with answering(as_json) as answer:
        form = out.suffix.lower().removeprefix(".")
        if form not in ("csv", "xlsx"):
            raise FileError(
                N_("Lists are written as .csv or .xlsx, not as {suffix}."), suffix=out.suffix or "-"
            )
        with store.transaction(engine()) as session:
            content = matrix_files.taken_out(session, os_user(), form, language())
        write(content, out)
        answer({"out": str(out)}, told(N_("Written to {name}."), name=out.name))


@matrix_app.command("import")
def import_matrix(
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx file of pairs of trades.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Take the good rows though others are not right.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a file's pairs the bank's own; every row that is not right is named."""
    from data.alliances import matrix_files

    with answering(as_json) as answer:
        read = matrix_files.read_matrix(file)
        faults = [
            {
                "row": fault.row,
                "column": fault.column,
                "value": fault.value,
                "reason": say(fault.why, language()),
            }
            for fault in read.faults
        ]
        if faults and not yes:
            for fault in faults:
                typer.echo(f"  {fault['row']}  {fault['column']}  {fault['reason']}", err=True)
        with store.transaction(engine()) as session:
            counts = matrix_files.bring_in(session, os_user(), read, agreed=yes)
        words = told(
            N_("{saved} pairs saved, {reset} as shipped again, {same} as they were, {refused} rows refused."),
            **counts,
        )
        lines = [f"  {fault['row']}  {fault['column']}  {fault['reason']}" for fault in faults]
        answer({"rows": read.total, **counts, "faults": faults}, "\n".join([words, *lines]))
