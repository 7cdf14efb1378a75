"""What paper and files say of a plan: figures in words, people by name, merchants to visit, by rights."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data import catalogue, people, rows
from data.paper.to_visit import ToVisit
from data.rights import Asker, Right
from data.snapshots import Snapshot
from data.trail import audit
from data.words import Language, say
from data.written import MASKED, day, is_masked, money, number, percent
from data.zones import coverage
from data.zones.coverage import Report
from data.zones.held import Held
from geo.coverage import Figure
from geo.errors import N_
from geo.plans import Zone
from geo.visits import STATES

Rows = NDArray[np.intp]
STATUS_NAMES = {"draft": N_("Draft"), "published": N_("In force"), "past": N_("Past plan")}
STATE_NAMES = {
    "never": N_("Never visited"),
    "on_track": N_("On track"),
    "due": N_("Due"),
    "overdue": N_("Overdue"),
}
FIGURE_NAMES = {
    "customers": N_("Existing customers"),
    "customer_coverage": N_("Customer coverage"),
    "merchants": N_("Merchants"),
    "merchant_coverage": N_("Merchants signed"),
    "visit_coverage": N_("Visit coverage"),
    "visit_overdue": N_("Visits overdue"),
    "products_mean": N_("Products a customer"),
    "product_match": N_("Product match"),
    "deposits": N_("Deposits"),
    "households": N_("Households"),
    "rivals": N_("Rival outlets"),
    "workload_h": N_("Hours a quarter, needed / there"),
}
MONEY, COUNTS = ("deposits",), ("customers", "merchants", "households", "rivals")


def require_paper(asker: Asker, branch_id: int) -> None:
    """Let pass whoever may read plans and take lists out of the house."""
    asker.require(Right.READ_PLANS, branch_id)
    asker.require(Right.EXPORT, branch_id)


def report(snapshot: Snapshot, asker: Asker, held: Held, today: date) -> Report:
    """Return the coverage of a plan, masked for who asks."""
    return coverage.report(snapshot, asker, held.plan, ("paper", held.id), today=today)


def status_line(held: Held, language: Language) -> str:
    """Return what a plan is: a draft of a revision, or since when it is worked by."""
    status = say(STATUS_NAMES[held.status], language)
    if held.published_at is None:
        return f"{status} · " + say(N_("revision {number}"), language, number=held.revision)
    return f"{status} · " + say(N_("since {day}"), language, day=day(held.published_at, language))


def staff(session: Session, asker: Asker, branch_id: int) -> dict[int, str]:
    """Return the names of a branch's people by id."""
    known = people.managers(session, asker, branch_id)
    return {int(person): str(name) for person, name in zip(known["id"], known["name"], strict=True)}


def people_of(zone: Zone, names: dict[int, str]) -> list[str]:
    """Return the names of the pair who work a zone."""
    return [names[person] for person in zone.pair if person in names]


def written(name: str, figure: Figure, language: Language) -> str:
    """Return a figure in words: a share with both its counts."""
    if is_masked(figure):
        return MASKED
    if name in MONEY:
        return money(figure.value, language)
    if name in COUNTS or figure.value is None:
        return number(figure.value, language)
    if name == "workload_h" and figure.denominator is None:
        return number(round(figure.value, 1), language)
    if name == "workload_h":
        return f"{number(round(figure.value, 1), language)} / {number(figure.denominator, language)}"
    if name == "products_mean":
        top, bottom = number(figure.numerator, language), number(figure.denominator, language)
        return f"{figure.value:.2f} ({top}/{bottom})"
    return percent(figure, language)


def merchants(
    session: Session,
    asker: Asker,
    snapshot: Snapshot,
    found: ToVisit,
    at: Rows,
    language: Language,
) -> pd.DataFrame:
    """Return merchants with what one needs at their door, in the order given."""
    ids = snapshot.merchants.id[at]
    read = rows.merchant_rows(session, asker, snapshot.branch_id, ids.tolist())
    names = dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES[language], strict=True))
    state = dict(zip(ids.tolist(), found.states[at].tolist(), strict=True))
    visited = dict(zip(ids.tolist(), snapshot.merchants.visited[at].tolist(), strict=True))
    return pd.DataFrame(
        {
            "id": read["id"],
            "source_id": read["source_id"],
            "name": read["name"],
            "category": read["category_id"].map(names).fillna(""),
            "status": read["status"].map(
                {key: say(name, language) for key, name in catalogue.STATUS_NAMES.items()}
            ),
            "address": read["address"].fillna(""),
            "phone": read["phone"].fillna(""),
            "state": [say(STATE_NAMES[STATES[state[each]]], language) for each in read["id"]],
            "visited": [visited[each] for each in read["id"]],
            "lon": read["lon"],
            "lat": read["lat"],
        }
    )


def on_record(session: Session, asker: Asker, held: Held, what: str, form: str, merchants: int = 0) -> None:
    """Write into the audit trail which plan was taken, how, and with how many merchants."""
    audit(
        session,
        asker,
        "export",
        held.branch_id,
        f"plan {held.id}",
        what=what,
        form=form,
        zones=len(held.plan),
        merchants=merchants,
    )
