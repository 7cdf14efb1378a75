"""The proposal left on a merchant's counter: one sheet whatever stands in it, and no customer's data."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader
from sqlalchemy import insert, select, update
from typer.testing import CliRunner

from data import store, tables
from data.__main__ import app
from data.alliances import held, links
from data.alliances.matrix import matrix
from data.paper.proposal import MOST_PARTNERS, gain_words, proposal, rounded
from data.rights import Role
from data.words import Language
from geo.errors import DataError, NotFound, RightsError
from tests.test_data.conftest import CLI, CUSTOMERS, Town
from tests.test_data.test_alliances import activate, form
from tests.test_data.test_links import do, pair

TODAY = date(2026, 11, 22)


def sheet(town: Town, merchant: str = "M1", asker: Any = None, language: Language = "zh", **more: Any) -> str:
    """Return the text of the only page."""
    snapshot = town.snapshot()
    with store.transaction(town.engine) as session:
        made = proposal(
            session,
            asker or town.asker(Role.MEMBER),
            snapshot,
            matrix(session),
            town.ids[merchant],
            branch="人民路支行",
            language=language,
            today=TODAY,
            **more,
        )
    (page,) = PdfReader(io.BytesIO(made)).pages
    return page.extract_text()


def test_a_member_leaves_the_partners_linked_and_their_offers(town: Town) -> None:
    with pytest.raises(DataError, match="nothing to propose"):
        sheet(town)
    do(town, links.accept_link, *pair(town, "M1", "M3"), notes="赵六介绍")
    text = sheet(town)
    assert "致老王酒楼：异业联盟合作提案" in text and "人民路超市" in text and "200 米" in text
    assert "人民路支行是联盟的纽带" in text.replace("\n", "") and "签字" in text
    activate(town, form(town, "M1", "M2", offers={town.ids["M2"]: {"offer": "凭我行卡八八折"}}))
    text = sheet(town, language="en")
    assert "A proposal for 老王酒楼" in text and "Happy 100%_火锅：凭我行卡八八折" in text
    assert "Tell your customers of the offers" in text and "人民路超市" in text
    text = sheet(town, offer="全场九折", next_step="周五再来", partner_ids=[town.ids["M5"]])
    assert "全场九折" in text and "周五再来" in text and "沙县小吃" in text and "火锅" not in text


def test_nothing_of_customers_is_on_it_and_few_make_no_figure(sqlite_town: Town) -> None:
    do(sqlite_town, links.accept_link, *pair(sqlite_town, "M1", "M3"), notes="赵六介绍")
    text = sheet(sqlite_town, asker=CLI)  # who may see them prints none either
    told = [*CUSTOMERS["name"], *CUSTOMERS["phone"].dropna()]
    assert not [each for each in told if each in text] and "内部" not in text
    assert "对方推荐的新客人" in text and "可多触达" not in text
    with store.reading(sqlite_town.engine) as session:
        lines = store.audit_rows(session, CLI, sqlite_town.branch_id)
    line = lines[lines["action"] == "proposal"].iloc[0]
    assert line["subject"] == f"merchant {sqlite_town.ids['M1']}" and line["detail"]["partners"] == 1


def test_many_partners_with_long_names_stay_on_one_sheet(sqlite_town: Town) -> None:
    town, long = sqlite_town, "演示县特别长的名字连锁经营有限责任公司人民路第三百二十五号分店" * 4
    row = {"branch_id": town.branch_id, "category_id": 201, "lat": 30.5}
    shops = [{**row, "name": f"{long}{n}", "lon": 114.3 + n / 5000} for n in range(11)]
    with store.transaction(town.engine) as session:
        session.execute(insert(tables.merchants), shops)
        merchants = tables.merchants
        session.execute(update(merchants).where(merchants.c.id == town.ids["M1"]).values(name=long))
        named = select(merchants.c.id).where(merchants.c.name.like("演示县%"))
        ids = [each for each in session.scalars(named) if each != town.ids["M1"]]
        store.new_version(session, CLI, town.branch_id, "import")
    offers = {each: {"offer": "一" * 500} for each in ids}
    do(town, held.form_alliance, town.branch_id, "大联盟", [town.ids["M1"], *ids], offers=offers)
    for language in ("zh", "en"):
        text = sheet(town, language=language, next_step="再" * 900)  # type: ignore[arg-type]
        assert ("签字、日期" if language == "zh" else "Signature, date") in text
        assert f"{11 - MOST_PARTNERS}" in text


def test_whom_it_cannot_be_made_for_is_said(sqlite_town: Town) -> None:
    town = sqlite_town
    do(town, links.accept_link, *pair(town, "M1", "M3"))
    with pytest.raises(RightsError):
        sheet(town, asker=town.asker(Role.AUDITOR))
    with pytest.raises(DataError):
        sheet(town, partner_ids=[town.ids["M4"], town.ids["M1"]])  # has closed; is itself
    with pytest.raises(NotFound):
        sheet(town, partner_ids=[999])


@pytest.mark.parametrize(
    ("gained", "served", "told"),
    [
        (4, 100, "New customers sent over"),
        (50, 4, "New customers sent over"),
        (np.nan, 100, "New customers sent over"),
        (12, 1000, "under 5% more customers within reach"),
        (50, 433, "about 10% more customers within reach"),
        (130, 100, "over 100% more customers within reach, many of them: Shop owners"),
    ],
)
def test_shares_are_rounded_and_few_are_none(gained: float, served: float, told: str) -> None:
    assert gain_words(gained, served, 0, "en") == told


def test_no_share_is_told_finer_than_a_twentieth() -> None:
    assert {rounded(each / 1000, "en") for each in range(26, 74)} == {"about 5%"}


def test_the_command_line_writes_it(
    sqlite_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(sqlite_town, links.accept_link, *pair(sqlite_town, "M1", "M3"))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    out, shop = tmp_path / "提案.pdf", str(sqlite_town.ids["M1"])
    asked = ["paper", "proposal", "--branch", "A", "--merchant", shop, "--out", str(out)]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 0, found.output
    assert len(PdfReader(out).pages) == 1
