"""The page of alliances: partners suggested and decided on, alliances formed, changed and told as a story."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from data import bulk, snapshots, store, tables
from data.alliances import held, links, members
from data.rights import Role, command_line
from pages.parts import alliance_graph, alliance_joining, alliance_layer, beside, partner_none, state
from pages.parts.alliance_graph import Node
from tests.test_pages.conftest import ME, Visit
from tests.test_pages.conftest import texts as marked
from tests.test_pages.test_hand import keys, merchant, opened, press

LON, LAT = 114.30, 30.60
EAST, NORTH = 1 / 111_195 / math.cos(math.radians(LAT)), 1 / 111_195  # degrees a metre
WAYS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])  # north, east, south, west
NASTY = "<script>$x$ *照相* [a](b)"
READERS = [Role.MEMBER, Role.ANALYST]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is worked out beside the page be done when it is asked for."""
    monkeypatch.setattr(beside, "found", lambda _key, task, **_more: task())


@pytest.fixture
def quarter(sqlite_engine: Engine, branch: int) -> list[int]:
    """
    Four shops 200 m round the branch, and return their ids.

    A restaurant, a wine shop, a hotel and a photographer, all of whom help each other and reach 500 m: each
    serves the 40 public employees 350 m behind it and the 20 in the middle, and its neighbours' 40 each lie
    out of its reach. So each pair gains 40 / 60 on both sides.
    """
    spots = np.vstack([200.0 * WAYS, 550.0 * WAYS, [(0.0, 0.0)]])
    lon, lat = LON + spots[:, 0] * EAST, LAT + spots[:, 1] * NORTH
    shops = pd.DataFrame(
        {
            "name": ["河湾饭店", "老窖酒行", "河湾酒店", NASTY],
            "initials": ["hwfd", "ljjh", "hwjd", "zx"],
            "category_id": [101, 209, 601, 303],
            "status": ["signed", "known", "contacted", "known"],
            "lon": lon[:4],
            "lat": lat[:4],
            "branch_id": branch,
        }
    )
    people = pd.DataFrame(
        {
            "existing": False,
            "group_id": 8,
            "size": [40, 40, 40, 40, 20],
            "lon": lon[4:],
            "lat": lat[4:],
            "branch_id": branch,
        }
    )
    with store.transaction(sqlite_engine) as session:
        bulk.insert(session, tables.merchants, shops)
        bulk.insert(session, tables.customers, people)
        store.new_version(session, ME, branch, "test")
        return sorted(session.scalars(select(tables.merchants.c.id)))


@pytest.fixture
def allied(sqlite_engine: Engine, branch: int, quarter: list[int]) -> int:
    """An alliance of the first three that is forming; return its id."""
    with store.transaction(sqlite_engine) as session:
        return held.form_alliance(session, ME, branch, "河湾联盟", quarter[:3])


def texts(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    assert not app.exception
    return marked(app).replace("\\", "")


def looked_at(engine: Engine, alliance_id: int) -> held.Alliance:
    with store.reading(engine) as session:
        return held.alliance(session, ME, alliance_id)


def by_someone_else(engine: Engine, change: Callable[..., object]) -> None:
    """Let a colleague do something meanwhile."""
    with store.transaction(engine) as session:
        change(session, command_line("somebody"))


# Who may, and what is missing -------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["partners", "alliances", "funnel"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_branch_nothing_is_known_about_says_what_is_missing(
    visit: Visit, branch: int, part: str, lang: str
) -> None:
    app = visit("alliances", lang=lang, part=part)
    assert texts(app)
    assert not app.error


def test_auditors_are_not_offered_the_page(visit: Visit, branch: int) -> None:
    app = visit(role=Role.AUDITOR)
    assert "alliances" not in {page.get("url_pathname") for page in app._registered_pages.values()}


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize("part", ["partners", "alliances"])
def test_members_and_analysts_read_all_and_change_nothing(
    visit: Visit, quarter: list[int], allied: int, role: Role, part: str
) -> None:
    pair = f"{quarter[0]}-{quarter[1]}"
    app = visit("alliances", role=role, part=part, pair=pair)
    assert not app.error
    assert "河湾饭店" in texts(app)
    changes = ("accept", "refuse", "edit", "remove", "active", "take", "fits", "drop", "_end")
    assert not [key for key in keys(app) if any(word in key for word in changes)]


@pytest.mark.parametrize("part", ["alliances", "nonsense"])
def test_whatever_stands_in_the_address_the_page_is_shown(
    visit: Visit, quarter: list[int], allied: int, part: str
) -> None:
    nonsense = {"pair": "7-x", "alliance": "zz", "for": "moon", "shop": "9" * 30, "links": "?", "most": "-1"}
    app = visit("alliances", part=part, **nonsense, within="1e9", view="what", proposal="-4")
    assert not app.error
    assert texts(app)


def test_without_customers_no_gain_can_be_worked_out_and_the_page_says_so(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    with store.transaction(sqlite_engine) as session:
        session.execute(tables.customers.delete())
        store.new_version(session, ME, branch, "test")
    said = texts(visit("alliances"))
    assert "No customer is known here yet" in said
    assert "No customers are known here: bring in" in texts(formed(visit, sqlite_engine, branch, quarter))


def formed(visit: Visit, engine: Engine, branch: int, ids: list[int]) -> AppTest:
    with store.transaction(engine) as session:
        held.form_alliance(session, ME, branch, "无客户", ids[:2])
    return visit("alliances", part="alliances")


def test_where_no_pair_passes_the_page_says_what_stopped_how_many(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    with store.transaction(sqlite_engine) as session:  # a second restaurant; two customers in all
        session.execute(
            tables.merchants.update().where(tables.merchants.c.id == quarter[1]).values(category_id=101)
        )
        session.execute(tables.customers.update().values(size=1))
        store.new_version(session, ME, branch, "test")
    said = texts(visit("alliances"))
    assert "6 pairs lie at most 500 m apart." in said
    assert "1 of them compete for the same customers." in said
    assert "Of 5 a side would gain less than 10% or 20 customers." in said


def test_what_stopped_pairs_is_counted_for_the_merchant_asked_about() -> None:
    lines = partner_none.lines(partner_none.Stopped(3, 0, 1, 2), partner_none.Ground("merchant", 500.0))
    assert len(lines) == 3


# Partners ---------------------------------------------------------------------------------------------------


def test_a_suggestion_shows_its_score_in_parts_and_what_each_side_gains(
    visit: Visit, quarter: list[int]
) -> None:
    app = visit("alliances", pair=f"{quarter[0]}-{quarter[2]}")
    said = texts(app)
    assert "66.7% (40/60)" in said
    assert "Score 0." in said
    bars = {element.proto.text.split(" \\(")[0] for element in app.get("progress")}
    assert {"Trades that go together", "Near each other", "Customers in common"} <= bars
    scores = app.dataframe[0].value["Score"]
    assert scores[0] == scores.max()
    assert not scores.is_monotonic_decreasing, "the second link of the same two trades stands further down"
    assert len(app.dataframe[0].value) == 6


def test_a_name_is_text_wherever_it_stands(visit: Visit, quarter: list[int]) -> None:
    app = visit("alliances", pair=f"{quarter[0]}-{quarter[3]}")
    assert NASTY in texts(app)
    assert not [element for element in app.markdown if element.allow_html]
    assert r"\<script\>\$x\$ \*照相\* \[a\]\(b\)" in marked(app)


def test_gains_of_one_merchant_are_asked_for_by_its_number(visit: Visit, quarter: list[int]) -> None:
    app = visit("alliances", shop=str(quarter[0]), **{"for": "merchant"})
    assert "Partners of **河湾饭店**" in texts(app)
    assert len(app.dataframe[0].value) == 3


def test_a_pair_is_refused_with_a_reason_that_is_remembered_and_opened_anew(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    app = visit("alliances", pair=f"{quarter[0]}-{quarter[1]}")
    reason = f"{state.PARTNER_FORM}_refuse_{quarter[0]}_{quarter[1]}_reason"
    app.selectbox(reason).set_value("They compete for the same customers").run()
    app = press(app, f"{state.PARTNER_FORM}_refuse")
    assert "Refused. It is not suggested again" in texts(app)
    assert "They compete for the same customers" in texts(app)
    assert len(app.dataframe[0].value) == 5
    app = press(app, "_reopen")
    with store.reading(sqlite_engine) as session:
        assert links.links(session, ME, branch).empty


def test_a_pair_is_accepted_with_what_was_agreed(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    a, b = quarter[0], quarter[1]
    app = visit("alliances", pair=f"{a}-{b}")
    app = press(app, f"{state.PARTNER_FORM}_accept")
    key = f"{state.PARTNER_FORM}_{a}_{b}"
    app.text_area(f"{key}_benefit_a").input("宴席用酒优惠")
    open_again = next(each for each in app.button if each.key == f"{state.PARTNER_FORM}_accept")
    open_again.click()
    app = press(app, f"{key}_save")
    with store.reading(sqlite_engine) as session:
        (row,) = links.links(session, ME, branch).to_dict("records")
    assert (row["state"], row["benefit_a"], row["stage"]) == ("accepted", "宴席用酒优惠", "relation")
    assert row["score"] > 0.5


@pytest.fixture
def linked(sqlite_engine: Engine, branch: int, quarter: list[int]) -> int:
    """A link between the restaurant and the wine shop."""
    with store.transaction(sqlite_engine) as session:
        return links.accept_link(session, ME, branch, quarter[0], quarter[1], benefit_a="送酒")


def test_a_stale_save_of_a_link_tells_what_changed_and_loses_nothing(
    visit: Visit, quarter: list[int], linked: int, sqlite_engine: Engine, branch: int
) -> None:
    app = visit("alliances", links="accepted", pair=f"{quarter[0]}-{quarter[1]}")
    assert "送酒" in texts(app)
    app = press(app, f"{state.PARTNER_FORM}_{linked}_edit")
    key = f"{state.PARTNER_FORM}_{linked}_0"
    app.text_area(f"{key}_benefit_a").input("每桌送一瓶").run()
    by_someone_else(
        sqlite_engine, lambda session, who: links.edit_link(session, who, linked, 0, notes="别人写的")
    )
    app = press(app, f"{key}_save")
    assert "cli:somebody changed notes" in texts(app)
    assert "别人写的" in texts(app)
    assert app.text_area(f"{key}_benefit_a").value == "每桌送一瓶"
    app = press(app, f"{key}_over")
    with store.reading(sqlite_engine) as session:
        (row,) = links.links(session, ME, branch).to_dict("records")
    assert row["benefit_a"] == "每桌送一瓶"


def test_a_link_is_ended_and_accepted_anew(
    visit: Visit, quarter: list[int], linked: int, sqlite_engine: Engine, branch: int
) -> None:
    app = visit("alliances", links="accepted", pair=f"{quarter[0]}-{quarter[1]}")
    app = press(app, f"{state.PARTNER_FORM}_{linked}_end")
    assert "Ended. It stands among the ended pairs." in texts(app)
    app = visit("alliances", links="ended", pair=f"{quarter[0]}-{quarter[1]}")
    assert f"{state.PARTNER_FORM}_{linked}_accept" in keys(app)


def test_a_colleague_at_work_with_a_merchant_is_named(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    by_someone_else(
        sqlite_engine, lambda session, who: links.accept_link(session, who, branch, quarter[0], quarter[1])
    )
    said = texts(visit("alliances", pair=f"{quarter[0]}-{quarter[2]}"))
    assert "Colleagues are in touch already" in said
    assert "cli:somebody has a link with 河湾饭店" in said


# Alliances --------------------------------------------------------------------------------------------------


def test_a_proposal_is_taken_over_with_one_click(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    app = visit("alliances", part="alliances", view="proposed")
    assert "No member loses." in texts(app)
    app = press(app, f"{state.PROPOSAL}_take_1")
    with store.reading(sqlite_engine) as session:
        (row,) = held.alliances(session, ME, branch).to_dict("records")
    assert (row["status"], row["members"]) == ("forming", 4)
    assert app.query_params["alliance"] == str(row["id"])
    assert "The alliance is forming" in texts(app)


def test_an_alliance_reads_as_a_story(visit: Visit, allied: int) -> None:
    said = texts(visit("alliances", part="alliances", alliance=str(allied)))
    for chapter in (
        "Who they are",
        "Why",
        "What each gains",
        "Whom it reaches",
        "What customers save",
        "What next",
    ):
        assert f"**{chapter}**" in said
    assert "河湾饭店 133% (80/60)" in said or "河湾饭店 133.3% (80/60)" in said
    assert "77.8% (140/180) of the circle's customers" in said
    assert "Make it active when its members have agreed." in said


def test_scores_follow_when_members_leave_and_come(
    visit: Visit, quarter: list[int], allied: int, sqlite_engine: Engine
) -> None:
    app = visit("alliances", part="alliances", alliance=str(allied))
    app = press(app, f"{state.MEMBER}_{quarter[2]}_0_remove")
    assert "55.6% (100/180)" in texts(app)
    assert "河湾饭店 66.7% (40/60)" in texts(app)
    app = press(app, f"{state.MEMBER}_fits_{quarter[2]}_1")
    assert "77.8% (140/180)" in texts(app)
    app = press(app, f"{state.MEMBER}_fits_{quarter[3]}_2")
    assert "100% (180/180)" in texts(app)
    now = looked_at(sqlite_engine, allied)
    assert sorted(now.members["merchant_id"][now.members["left"].isna()]) == quarter


def test_a_click_on_what_a_colleague_changed_meanwhile_shows_it_as_it_stands(
    visit: Visit, quarter: list[int], allied: int, sqlite_engine: Engine
) -> None:
    app = visit("alliances", part="alliances", alliance=str(allied))
    by_someone_else(
        sqlite_engine, lambda session, who: members.remove_member(session, who, allied, 0, quarter[0])
    )
    app = press(app, f"{state.MEMBER}_{quarter[2]}_0_remove")
    said = texts(app)
    assert "Changed meanwhile" in said and "cli:somebody let a member go" in said
    assert looked_at(sqlite_engine, allied).members["left"].notna().sum() == 1


def test_an_offer_is_agreed_and_a_stale_one_loses_nothing(
    visit: Visit, quarter: list[int], allied: int, sqlite_engine: Engine
) -> None:
    app = visit("alliances", part="alliances", alliance=str(allied))
    app = press(app, f"{state.MEMBER}_{quarter[0]}_0_edit")
    key = f"{state.MEMBER}_{quarter[0]}_0_form"
    app.text_area(f"{key}_offer").input("满百减十").run()
    app.number_input(f"{key}_saving").set_value(10.0).run()
    by_someone_else(
        sqlite_engine,
        lambda session, who: members.edit_member(session, who, allied, 0, quarter[1], offer="送酒具"),
    )
    app = press(app, f"{key}_save")
    assert "changed a member's offer" in texts(app)
    assert app.text_area(f"{key}_offer").value == "满百减十"
    app = press(app, f"{key}_over")
    offers = looked_at(sqlite_engine, allied).members.set_index("merchant_id")["offer"]
    assert (offers[quarter[0]], offers[quarter[1]]) == ("满百减十", "送酒具")
    assert "满百减十 · saves ¥10" in texts(app)


def test_only_the_head_makes_an_alliance_active(visit: Visit, allied: int, sqlite_engine: Engine) -> None:
    app = visit("alliances", part="alliances", role=Role.LEAD)
    assert not [key for key in keys(app) if key.endswith("_active")]
    assert "The branch head makes it active" in texts(app)
    app = press(visit("alliances", part="alliances"), "_active")
    assert "coverage counts it from now on" in texts(app)
    assert looked_at(sqlite_engine, allied).status == "active"


def test_referrals_are_recorded_by_count_once_the_alliance_is_active(
    visit: Visit, quarter: list[int], allied: int, sqlite_engine: Engine
) -> None:
    with store.transaction(sqlite_engine) as session:
        held.set_status(session, ME, allied, 0, held.ACTIVE)
    app = visit("alliances", part="alliances")
    app.session_state[f"{state.ALLIANCE_FORM}_tabs"] = "Referrals"
    app = app.run()
    key = f"{state.ALLIANCE_FORM}_referral_{allied}_0"
    app.selectbox(f"{key}_from").set_value(quarter[0])
    app.selectbox(f"{key}_to").set_value(quarter[1]).run()
    app.number_input(f"{key}_count").set_value(3)
    app = press(app, f"{key}_save")
    (row,) = looked_at(sqlite_engine, allied).referrals.to_dict("records")
    assert (row["from_id"], row["to_id"], row["count"]) == (quarter[0], quarter[1], 3)


def test_the_funnel_counts_what_is_suggested_and_decided(
    visit: Visit, quarter: list[int], linked: int, allied: int
) -> None:
    app = visit("alliances", part="funnel")
    counts = app.dataframe[0].value.set_index("Step")
    assert counts.loc["Suggested", "Pairs"] == 5
    assert counts.loc["Accepted", "Pairs"] == 1
    assert counts.loc["Accepted", "Alliances"] == 1


# Parts ------------------------------------------------------------------------------------------------------


def test_who_fits_most_members_could_join_first_and_nobody_who_is_in_an_alliance() -> None:
    rows = pd.DataFrame({"a": [1, 2, 1, 2], "b": [3, 3, 4, 5], "score": [0.5, 0.6, 0.9, 0.8]})
    assert [each.id for each in alliance_joining.joiners(rows, [1, 2], set())] == [3, 4, 5]
    assert [each.id for each in alliance_joining.joiners(rows, [1, 2], {3})] == [4, 5]
    assert alliance_joining.joiners(pd.DataFrame(), [1], set()) == []


def test_the_graph_has_the_branch_as_hub_and_each_link_once() -> None:
    nodes = [Node(each, f"店{each}", "#000000") for each in (1, 2, 3)]
    (series,) = alliance_graph.spec("支行", nodes, [(1, 2)], [(1, 2), (2, 3), (2, 9)])["series"]
    assert [node["id"] for node in series["data"]] == ["hub", "1", "2", "3"]
    lines = [(line["source"], line["target"], line["lineStyle"]["type"]) for line in series["links"]]
    assert lines == [
        *(("hub", each, "solid") for each in "123"),
        ("2", "3", "dashed"),
        ("1", "2", "solid"),
    ]


# Clicks on the map, and the way here ------------------------------------------------------------------------


def clicked(app: AppTest, east_m: float, north_m: float) -> AppTest:
    """Click on the map, so many metres from the branch."""
    spot = {"lng": LON + east_m * EAST, "lat": LAT + north_m * NORTH}
    app.session_state[state.ALLIANCE_MAP] = {"last_clicked": spot, "zoom": 17}
    app = app.run()
    assert not app.exception
    return app


def test_a_click_on_a_merchant_chooses_its_best_pair_and_one_beside_all_none(
    visit: Visit, quarter: list[int]
) -> None:
    app = clicked(visit("alliances"), 200.0, 0.0)
    best = f"{quarter[0]}-{quarter[1]}"  # of the wine shop: the restaurant, 0.7 and signed
    assert app.query_params["pair"] == best
    app = clicked(app, 0.0, 30.0)
    assert "pair" not in app.query_params


def test_where_one_merchant_is_asked_for_a_click_on_another_asks_for_that(
    visit: Visit, quarter: list[int]
) -> None:
    app = clicked(visit("alliances", **{"for": "merchant"}), 0.0, 200.0)
    assert app.query_params["shop"] == str(quarter[0])
    assert "Partners of **河湾饭店**" in texts(app)


def test_a_click_in_an_alliances_ground_chooses_it(
    visit: Visit, quarter: list[int], sqlite_engine: Engine, branch: int
) -> None:
    with store.transaction(sqlite_engine) as session:
        first = held.form_alliance(session, ME, branch, "一盟", quarter[:1])
        held.form_alliance(session, ME, branch, "二盟", quarter[2:3])
    app = visit("alliances", part="alliances")
    assert "#### 二盟" in texts(app)
    app = clicked(app, 0.0, 205.0)
    assert app.query_params["alliance"] == str(first)
    assert "#### 一盟" in texts(app)


def test_a_merchants_card_names_its_alliance_and_links_and_leads_to_them(
    visit: Visit, quarter: list[int], linked: int, allied: int, sqlite_engine: Engine
) -> None:
    app = opened(visit, merchant(sqlite_engine, "河湾饭店"))
    assert "In the alliance 河湾联盟" in texts(app)
    assert "Linked with 老窖酒行" in texts(app)
    assert {f"{state.MEMBER}_to_alliance", f"{state.MEMBER}_to_partners"} <= keys(app)


def test_the_customer_map_draws_alliances_where_that_layer_is_asked_for(
    visit: Visit, quarter: list[int], linked: int, allied: int, sqlite_engine: Engine, branch: int
) -> None:
    snapshot = snapshots.snapshot(sqlite_engine, branch)
    (hull,), (arc,) = alliance_layer.hulls(ME, snapshot), alliance_layer.arcs(ME, snapshot)
    assert (hull.label, arc.id) == ("河湾联盟", f"{quarter[0]}-{quarter[1]}")
    assert not visit(layers="merchants.alliances").exception


def test_sheets_are_offered_for_each_member_and_for_either_side_of_a_link(
    visit: Visit, quarter: list[int], linked: int, allied: int
) -> None:
    app = visit("alliances", links="accepted", pair=f"{quarter[0]}-{quarter[1]}")
    assert len(app.get("download_button")) == 2
    app = visit("alliances", part="alliances")
    app.session_state[f"{state.ALLIANCE_FORM}_tabs"] = "Proposals to print"
    offered = [each.proto.label for each in app.run().get("download_button")]
    assert len(offered) == 4 and "Links and alliances as Excel" in offered


def test_the_workbook_is_for_whoever_may_take_lists_out(
    visit: Visit, quarter: list[int], allied: int
) -> None:
    app = visit("alliances", part="alliances", role=Role.MEMBER)
    assert "河湾联盟" in texts(app)
    assert not app.get("download_button")
