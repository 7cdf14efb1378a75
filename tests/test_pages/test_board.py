"""Figures, tables, filters and the lists behind them, on a town of six merchants and seven customers."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from data import store, tables
from data.catchments import BASES
from data.figures import Filters, Reach, group_table, members
from data.rights import Asker, Role
from data.snapshots import snapshot
from geo.coverage import Figure
from geo.errors import RightsError
from pages.parts import cards, charts, filters, lists, words
from pages.parts import tables as page_tables
from tests.test_pages.conftest import ME, Visit, texts

EVERYTHING = Reach(10_000.0)


@pytest.fixture
def branch_row(seeded: int, sqlite_engine: Engine) -> dict[str, object]:
    with store.reading(sqlite_engine) as session:
        return store.branch(session, ME, seeded)


def asker(role: Role, branch_id: int, person_id: int | None = None) -> Asker:
    return Asker("test", role, frozenset({branch_id}), person_id)


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}


def test_the_cards_show_the_circle_worked_out_by_hand(visit: Visit, seeded: int) -> None:
    shown = metrics(visit())
    # The farthest of those not closed sets the radius: the target group, the seventh from the branch.
    assert shown == {
        "Existing customers": "4",
        "Customer coverage": "50%",
        "Merchants": "5",
        "Merchants signed": "20%",
        "Deposits": "¥305K",
        "Rival outlets": "1",
    }


def test_each_share_stands_with_its_counts(visit: Visit, seeded: int) -> None:
    said = texts(visit())
    assert "4 / 8" in said
    assert "1 / 5" in said
    assert "of 3 customers" in said


def test_the_group_table_names_coverage_match_and_preferences_with_counts(visit: Visit, seeded: int) -> None:
    table = next(each.value for each in visit().dataframe if "Product match" in each.value)
    owners = table[table["Customer group"] == "Shop owners"].iloc[0]
    assert owners["Customer coverage"] == "60% (3/5)"
    assert owners["Product match"] == "0% (mean of 3)"
    assert owners["Preferences and habits"] == "茶 40% (2/5)"
    students = table[table["Customer group"] == "Students"].iloc[0]
    assert students["Customer coverage"] == "33.3% (1/3)"


def test_who_may_not_see_customers_gets_no_small_group_no_list_and_no_customer_file(
    visit: Visit, seeded: int
) -> None:
    app = visit(role=Role.ANALYST)
    table = next(each.value for each in app.dataframe if "Product match" in each.value)
    students = table[table["Customer group"] == "Students"].iloc[0]
    assert students["Customer coverage"] == "-"
    assert "fewer than 5" in texts(app)
    assert "card_customers" not in [each.key for each in app.button]
    assert "card_merchants" in [each.key for each in app.button]


def test_a_member_takes_no_file_away(visit: Visit, seeded: int) -> None:
    app = visit(role=Role.MEMBER)
    assert not app.get("download_button")
    assert visit(role=Role.HEAD).get("download_button")


def test_the_card_opens_its_list_nearest_first_with_names_as_text(visit: Visit, seeded: int) -> None:
    app = visit()
    next(each for each in app.button if each.key == "card_merchants").click().run()
    assert not app.exception
    rows = next(each.value for each in app.dataframe if "Opening hours" in each.value)
    assert rows["Name"].tolist() == ["好邻居超市", "川味火锅", "=1+1 小吃", "<b>面馆</b>", "新茶馆"]
    assert rows["Distance (m)"].is_monotonic_increasing


def test_a_filter_in_the_link_acts_on_cards_and_stays(visit: Visit, seeded: int) -> None:
    app = visit(cat="103")
    assert metrics(app)["Merchants"] == "2"
    assert app.query_params["cat"] == "103"
    assert metrics(visit(status="closed"))["Merchants"] == "1"
    assert metrics(visit(cat="nonsense.999999"))["Merchants"] == "5"


def test_filters_that_nothing_matches_lead_on(visit: Visit, seeded: int) -> None:
    app = visit(cat="999", tier="private")
    said = texts(app)
    assert not app.exception
    assert "No customers match" in said


def test_search_finds_by_characters_and_by_pinyin_initials_and_never_a_customer(
    visit: Visit, seeded: int
) -> None:
    for text, hits in (("火锅", 1), ("CWHG", 1), ("客户", 0), ("zzz", 0)):
        app = visit()
        next(each for each in app.text_input if each.key == "search").set_value(text).run()
        found = [each for each in app.button if (each.key or "").startswith("search_")]
        assert len(found) == hits
        if not hits:
            assert "Nothing here has a name like that" in texts(app)


def test_an_overlong_name_does_not_push_the_map_off_the_page(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    with store.transaction(sqlite_engine) as session:
        session.execute(tables.merchants.update().values(name="长" * 300).where(tables.merchants.c.id == 1))
    app = visit()
    next(each for each in app.text_input if each.key == "search").set_value("长长").run()
    (found,) = [each for each in app.button if (each.key or "").startswith("search_")]
    assert len(found.label) < 60


def test_a_member_lists_only_the_customers_he_or_she_manages(
    branch_row: dict[str, object], sqlite_engine: Engine
) -> None:
    with store.transaction(sqlite_engine) as session:
        person = int(session.scalar(select(tables.people.c.id)))
        member = asker(Role.MEMBER, int(branch_row["id"]), person)
        held = snapshot(sqlite_engine, int(branch_row["id"]))
        ids = members(held, "customers", Filters(), EVERYTHING)
        rows = lists.read(session, lists.Listing("customers", "x", ids), member, branch_row, "en", 100)
    assert rows["Name"].tolist() == ["客户0"]


def test_a_lead_reads_customers_without_their_deposits(
    branch_row: dict[str, object], sqlite_engine: Engine
) -> None:
    with store.transaction(sqlite_engine) as session:
        lead = asker(Role.LEAD, int(branch_row["id"]))
        ids = members(snapshot(sqlite_engine, int(branch_row["id"])), "customers", Filters(), EVERYTHING)
        rows = lists.read(session, lists.Listing("customers", "x", ids), lead, branch_row, "zh", 100)
    assert "存款余额（元）" not in rows
    assert rows["类型"].tolist()[0] == "存量客户"
    assert len(rows) == 7


def test_a_file_of_customers_is_refused_to_whoever_may_not_take_them_out(
    branch_row: dict[str, object], sqlite_engine: Engine
) -> None:
    analyst = asker(Role.ANALYST, int(branch_row["id"]))
    with store.transaction(sqlite_engine) as session, pytest.raises(RightsError):
        listing = lists.Listing("customers", "x", [1])
        lists.read(session, listing, analyst, branch_row, "en", 10, purpose="export")


def test_an_export_is_written_into_the_trail(branch_row: dict[str, object], sqlite_engine: Engine) -> None:
    head = asker(Role.HEAD, int(branch_row["id"]))
    with store.transaction(sqlite_engine) as session:
        listing = lists.Listing("merchants", "x", [1, 2])
        rows = lists.read(session, listing, head, branch_row, "en", 10, purpose="export", places=True)
        trail = store.audit_rows(session, ME)
    assert rows["Longitude"].tolist() == pytest.approx([114.301, 114.302])
    assert trail["action"].iloc[0] == "export"


def test_customers_by_distance_add_up_to_the_circle(
    seeded: int, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "language", lambda: "en")
    held = snapshot(sqlite_engine, seeded)
    bands = charts.distance_bands(held, Filters(), 1000.0, False)
    assert bands["existing"].sum() == 4
    assert bands["target"].sum() == 4
    assert charts.distance_bands(held, Filters(), 1000.0, True) is None
    assert charts.distance_bands(held, Filters(tiers=("private",)), 1000.0, False) is None


def test_a_masked_figure_is_less_than_five_an_unknown_one_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "language", lambda: "en")
    masked = Figure(math.nan, None, None)
    assert cards.value_of(masked, words.number) == "<5"
    assert cards.counts_of(masked, words.share) == ""
    assert cards.value_of(Figure.ratio(0, 0), words.share) == "-"
    assert cards.value_of(Figure(None, None, None), words.money) == "-"


def test_masked_rows_of_the_group_table_have_no_counts(
    seeded: int, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "language", lambda: "en")
    table = group_table(snapshot(sqlite_engine, seeded), Filters(), EVERYTHING, True)
    shown = page_tables.group_columns(table, {int(group): str(group) for group in table["group"]})
    hidden = shown[table["masked"].to_numpy()]
    assert not hidden.empty
    assert hidden["Existing customers"].isna().all()
    assert set(hidden["Customer coverage"]) == {"-"}


@pytest.mark.parametrize("text", ["", "..", "103.103.nonsense", "<script>", "103;drop"])
def test_a_link_names_only_what_there_is(text: str) -> None:
    assert set(filters.codes_in(text, {"103": "x"})) <= {"103"}


def test_a_lower_category_stands_behind_its_upper_one() -> None:
    names = filters.category_names("zh")
    assert names["1"] == "餐饮"
    assert names["102"] == "餐饮 · 火锅烧烤"


def test_what_the_url_says_is_each_widgets_default_too(visit: Visit, seeded: int) -> None:
    # A first run that a click breaks off is taken back; a slider that only its key had filled fell to 0 then.
    app = visit(r="100", outside="1", basis="deposits", cells="coverage", layers="merchants")
    assert app.slider[0].proto.default == [100]
    assert app.toggle[0].proto.default
    basis = next(box for box in app.selectbox if box.value == "deposits")
    assert basis.proto.default == BASES.index("deposits")
