"""`python -m data paper …`: the customer map, a plan, a realignment, a merchant's proposal, as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from data import config, store
from data.basemaps import BaseMap
from data.commands import BranchCode, Datum, Json, answering, engine, os_user, told, write
from data.config import Settings
from data.figures import Filters, Reach, catchment
from data.paper.streets import base_map
from data.snapshots import Snapshot, seen_by
from data.zones import plans
from data.zones.held import Held
from data.zones.intervals import today
from geo.catchment import SHARES
from geo.errors import N_, FileError, NotFound

app = typer.Typer(no_args_is_help=True, help="The map, a plan, a realignment or a proposal, drawn for paper.")
PlanId = Annotated[int | None, typer.Option("--plan", help="Its number; the published one without.")]
OutFile = Annotated[Path, typer.Option("--out", help="What is written; its ending says in which form.")]
DatumOption = Annotated[Datum, typer.Option(help="Of the coordinates written.")]
Written = Callable[[Session], bytes]


@app.command("map")
def map_(
    branch: BranchCode,
    out: OutFile,
    radius: Annotated[float | None, typer.Option(min=1, help="Of the circle, in metres.")] = None,
    as_json: Json = False,
) -> None:
    """Draw the customer map and its figures on one sheet: .pdf."""
    from data.paper.customer_map import customer_map  # the other commands start faster without it

    with answering(as_json) as answer:
        _form(out, "pdf")
        snapshot, known = _ground(branch)
        reaching = catchment(snapshot, by_hand_m=known["radius_m"])

        def content(session: Session) -> bytes:
            return customer_map(
                session,
                os_user(),
                snapshot,
                reaching,
                branch=known["name"],
                filters=Filters(),
                reach=Reach(radius or reaching.radius_m),
                shares=SHARES,
                base=_base(known),
                language=config.language(),
                today=today(),
            )

        size = _keep(content, out)
        answer({"out": str(out), "bytes": size}, told(N_("{name} is written."), name=out.name))


@app.command()
def atlas(
    branch: BranchCode,
    out: OutFile,
    plan: PlanId = None,
    datum: DatumOption = Datum.wgs84,
    as_json: Json = False,
) -> None:
    """Take a plan out: .pdf is the atlas, .xlsx its lists, .geojson and .gpkg its zones."""
    from data.paper import atlas as atlases  # the other commands start faster without them
    from data.paper import layers

    with answering(as_json) as answer:
        form = _form(out, "pdf", "xlsx", *layers.FORMS)
        snapshot, known = _ground(branch)
        given: dict[str, Any] = {"language": config.language(), "today": today()}

        def content(session: Session) -> bytes:
            held = _plan(session, snapshot, plan)
            whose = (session, os_user(), snapshot, held)
            if form == "pdf":
                return atlases.atlas(*whose, branch=known["name"], base=_base(known), **given)
            if form == "xlsx":
                return layers.workbook(*whose, datum=datum.value, **given)
            return layers.layer(*whose, form, datum=datum.value, **given)

        size = _keep(content, out)
        answer({"out": str(out), "bytes": size}, told(N_("{name} is written."), name=out.name))


@app.command()
def realignment(
    branch: BranchCode,
    out: OutFile,
    plan: Annotated[int, typer.Option(help="The plan as it is to be: its number.")],
    before: Annotated[
        int | None, typer.Option(help="The plan as it was: its number; the published one without.")
    ] = None,
    datum: DatumOption = Datum.wgs84,
    as_json: Json = False,
) -> None:
    """Say what changes from one plan to another: .pdf, or .xlsx with every block."""
    from data.paper import realignment as reports  # the other commands start faster without it

    with answering(as_json) as answer:
        form = _form(out, "pdf", "xlsx")
        snapshot, known = _ground(branch)

        def content(session: Session) -> bytes:
            whose = (
                session,
                os_user(),
                snapshot,
                _plan(session, snapshot, before),
                _plan(session, snapshot, plan),
            )
            if form == "xlsx":
                return reports.realignment_workbook(*whose, datum=datum.value, language=config.language())
            given: dict[str, Any] = {"language": config.language(), "today": today()}
            return reports.realignment(*whose, branch=known["name"], base=_base(known), **given)

        size = _keep(content, out)
        answer({"out": str(out), "bytes": size}, told(N_("{name} is written."), name=out.name))


@app.command()
def proposal(
    branch: BranchCode,
    out: OutFile,
    merchant: Annotated[int, typer.Option(help="For whom: the merchant's number.")],
    partner: Annotated[
        list[int] | None,
        typer.Option(help="With whom, each; the members of its alliance and its links without."),
    ] = None,
    offer: Annotated[str, typer.Option(help="What is offered together.")] = "",
    next_step: Annotated[str, typer.Option("--next", help="What comes next.")] = "",
    as_json: Json = False,
) -> None:
    """Write a proposal to leave on a merchant's counter, without any customer's data: .pdf."""
    from data.alliances.matrix import matrix  # the other commands start faster without it
    from data.paper import proposal as proposals

    with answering(as_json) as answer:
        _form(out, "pdf")
        snapshot, known = _ground(branch)

        def content(session: Session) -> bytes:
            return proposals.proposal(
                session,
                os_user(),
                snapshot,
                matrix(session),
                merchant,
                branch=known["name"],
                partner_ids=partner,
                offer=offer,
                next_step=next_step,
                base=_base(known),
                language=config.language(),
                today=today(),
            )

        size = _keep(content, out)
        answer({"out": str(out), "bytes": size}, told(N_("{name} is written."), name=out.name))


@app.command()
def alliances(branch: BranchCode, out: OutFile, as_json: Json = False) -> None:
    """Take links and alliances out, with members and referrals: .xlsx."""
    from data.alliances.workbook import workbook  # the other commands start faster without it

    with answering(as_json) as answer:
        _form(out, "xlsx")
        with store.reading(engine()) as session:
            branch_id = store.branch(session, os_user(), branch)["id"]
        size = _keep(lambda session: workbook(session, os_user(), branch_id, config.language()), out)
        answer({"out": str(out), "bytes": size}, told(N_("{name} is written."), name=out.name))


def _ground(branch: str) -> tuple[Snapshot, Mapping[str, Any]]:
    """Return a branch's working set and its row."""
    with store.reading(engine()) as session:
        found = store.branch(session, os_user(), branch)
    return seen_by(engine(), os_user(), found["id"]), found


def _plan(session: Session, snapshot: Snapshot, plan_id: int | None) -> Held:
    """Return a plan of the branch: the one asked for, or the one it works by."""
    if plan_id is None:
        held = plans.published(session, os_user(), snapshot.branch_id)
        if held is None:
            raise NotFound(N_("No plan is published here yet. Name one with --plan."))
        return held
    held = plans.plan(session, os_user(), plan_id)
    if held.branch_id != snapshot.branch_id:
        raise NotFound(N_("This plan is no longer there."))
    return held


def _base(branch: Mapping[str, Any]) -> BaseMap | None:
    return base_map(Settings.from_env(), is_demo=bool(branch["is_demo"]))


def _form(out: Path, *forms: str) -> str:
    form = out.suffix.lower().lstrip(".")
    if form not in forms:
        raise FileError(
            N_("Lists are written as {forms}, not as {suffix}."),
            forms=", ".join(f".{each}" for each in forms),
            suffix=out.suffix or "-",
        )
    return form


def _keep(content: Written, out: Path) -> int:
    """Write a file, and that it was taken into the audit trail: both or neither."""
    with store.transaction(engine()) as session:
        made = content(session)
        write(made, out)
    return len(made)
