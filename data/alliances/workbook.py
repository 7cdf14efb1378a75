"""Links and alliances taken out as a workbook: a sheet each of links, alliances, members and referrals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import catalogue, export, tables
from data.alliances.held import STATUS_NAMES, Alliance, alliance, alliances
from data.alliances.links import STATE_NAMES, links
from data.alliances.telling import STAGE_NAMES
from data.catalogue import STATUS_NAMES as MERCHANT_STATUSES
from data.rights import Asker, Right
from data.trail import audit
from data.words import Language, say
from geo.errors import N_

Columns = Mapping[str, str]
_LINKS: Columns = {
    "a_code": N_("Number of the first"),
    "a_name": N_("First merchant"),
    "b_code": N_("Number of the second"),
    "b_name": N_("Second merchant"),
    "state": N_("State"),
    "stage": N_("Stage"),
    "reason": N_("Reason"),
    "benefit_a": N_("What the first gains"),
    "benefit_b": N_("What the second gains"),
    "owner": N_("Owner"),
    "starts": N_("Start"),
    "ends": N_("End"),
    "notes": N_("Note"),
    "score": N_("Score"),
}
_ALLIANCES: Columns = {
    "name": N_("Alliance"),
    "status": N_("State"),
    "stage": N_("Stage"),
    "owner": N_("Owner"),
    "starts": N_("Start"),
    "ends": N_("End"),
    "members": N_("Members"),
    "notes": N_("Note"),
}
_MEMBERS: Columns = {
    "alliance": N_("Alliance"),
    "code": N_("Merchant number"),
    "name": N_("Merchant"),
    "category": N_("Category"),
    "status": N_("Status"),
    "offer": N_("Offer"),
    "saving_yuan": N_("Saving, yuan"),
    "sponsor_yuan": N_("Sponsorship, yuan"),
    "joined": N_("Joined"),
    "left": N_("Left"),
}
_REFERRALS: Columns = {
    "alliance": N_("Alliance"),
    "day": N_("Day"),
    "from_name": N_("Sent by"),
    "to_name": N_("Sent to"),
    "count": N_("Customers"),
    "value_yuan": N_("Value, yuan"),
}


def workbook(session: Session, asker: Asker, branch_id: int, language: Language) -> bytes:
    """
    Return a branch's links and alliances as .xlsx, and write into the audit trail that they were taken out.

    Parameters
    ----------
    session, asker, branch_id
        Who may read the branch's plans and take lists out.
    language
        Of the headings and of what has names; no merchant in a referral stands for the branch.
    """
    asker.require(Right.READ_PLANS, branch_id)
    asker.require(Right.EXPORT, branch_id)
    codes = _codes(session, branch_id)
    linked = links(session, asker, branch_id)
    linked = linked.assign(a_code=linked["a"].map(codes), b_code=linked["b"].map(codes))
    held = alliances(session, asker, branch_id)
    whole = [alliance(session, asker, int(each)) for each in held["id"]]
    sheets = {
        N_("Links"): _sheet(linked, _LINKS, language, state=STATE_NAMES, stage=STAGE_NAMES),
        N_("Alliances"): _sheet(held, _ALLIANCES, language, status=STATUS_NAMES, stage=STAGE_NAMES),
        N_("Members"): _sheet(
            _joined(whole, "members", codes, language), _MEMBERS, language, status=MERCHANT_STATUSES
        ),
        N_("Referrals"): _sheet(_joined(whole, "referrals", codes, language), _REFERRALS, language),
    }
    audit(session, asker, "export", branch_id, "alliances", links=len(linked), alliances=len(held))
    return export.to_xlsx({say(title, language): sheet for title, sheet in sheets.items()})


def _codes(session: Session, branch_id: int) -> dict[int, str | None]:
    merchants = tables.merchants.c
    query = select(merchants.id, merchants.source_id).where(merchants.branch_id == branch_id)
    return {int(row.id): row.source_id for row in session.execute(query)}


def _joined(
    whole: list[Alliance], part: str, codes: Mapping[int, str | None], language: Language
) -> pd.DataFrame:
    """Return the members or the referrals of all alliances, each with the alliance's name."""
    parts = [getattr(each, part).astype(object).assign(alliance=each.name) for each in whole]
    found: pd.DataFrame = pd.concat([each for each in parts if len(each)] or parts[:1] or [pd.DataFrame()])
    if "category_id" not in found:
        return found
    names = catalogue.CATEGORIES.set_index("id")[language]
    return found.assign(code=found["merchant_id"].map(codes), category=found["category_id"].map(names))


def _sheet(
    frame: pd.DataFrame, columns: Columns, language: Language, **named: Mapping[str, str]
) -> pd.DataFrame:
    """Return columns under their titles, codes that have names by these."""
    told = {}
    for name, title in columns.items():
        cells = list(frame[name]) if name in frame else []
        if name in named:
            cells = [say(named[name][cell], language) for cell in cells]
        told[say(title, language)] = pd.Series(cells, dtype=object)
    return pd.DataFrame(told)
