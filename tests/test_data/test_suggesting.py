"""Partners worth linking: the rule bites, the parts add up, and nobody learns of few customers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy.engine import URL

from data.alliances import offering, suggesting
from data.alliances.matrix import RANK, Matrix, shipped
from data.alliances.suggesting import nothing_because, suggestions, why
from data.catalogue import CATEGORIES, GROUPS, STATUSES
from data.rights import Asker, Role, command_line
from data.snapshots import Customers, Merchants, Outlets, Places, Snapshot
from geo import crs
from geo.errors import NotFound, RightsError

LON, LAT = 114.0, 30.0
PLANE = crs.local_metric(LON, LAT)
BRANCH = 1
ALL = command_line("test")
HEAD = Asker("张三甲", Role.HEAD, frozenset({BRANCH}))
ANALYST = Asker("测试一号", Role.ANALYST, frozenset({BRANCH}))
ID = dict(zip(CATEGORIES["code"], CATEGORIES["id"], strict=True))
GROUP = dict(zip(GROUPS["code"], GROUPS["id"], strict=True))
NAMES = "ABCDEFGHIJ"
REACH_M = 305.0  # so that nobody stands on a rim, where degrees and metres are rounded


def town(merchants, customers, aside=()) -> Snapshot:
    """Return merchants (x, category, status) and customers (x, group, people), both on a street eastwards."""
    return Snapshot(
        (URL.create("sqlite"), BRANCH, 1),
        LON,
        LAT,
        _merchants(merchants, np.array(aside, dtype=np.int64)),
        _customers(customers),
        Outlets.of(
            {**_places([]), "kind": np.zeros(0, np.int8), "own": np.zeros(0, bool)}, (LON, LAT), NOBODY
        ),
        Places.of(
            {**_places([]), "kind": np.zeros(0, np.int8)}
            | {name: np.zeros(0) for name in ("households", "adults", "employees")},
            (LON, LAT),
            NOBODY,
        ),
    )


NOBODY = np.array([], dtype=np.int64)


def _places(x) -> dict[str, np.ndarray]:
    lon, lat = crs.from_metric(np.array(x, dtype=float), np.zeros(len(x)), PLANE)
    return {"id": np.arange(1, len(x) + 1), "lon": lon, "lat": lat}


def _merchants(rows, aside) -> Merchants:
    columns = {
        **_places([x for x, *_ in rows]),
        "category": np.array([ID[category] for _, category, _ in rows], dtype=np.int16),
        "status": np.array([STATUSES.index(status) for *_, status in rows], dtype=np.int8),
        "visited": np.full(len(rows), -1, dtype=np.int32),
    }
    return Merchants.of(columns, (LON, LAT), aside)


def _customers(rows) -> Customers:
    count = len(rows)
    people = np.array([people for *_, people in rows], dtype=np.int32)
    whole = {name: np.full(count, -1, dtype=np.int32) for name in ("manager", "visited")}
    columns = {
        **_places([x for x, *_ in rows]),
        **whole,
        "group": np.array([GROUP[group] for _, group, _ in rows], dtype=np.int16),
        "existing": people == 1,
        "size": people,
        "tier": np.full(count, -1, dtype=np.int8),
        "holdings": np.zeros(count, dtype=np.uint64),
        "deposits": np.full(count, np.nan),
        "assets": np.full(count, np.nan),
        "key": np.zeros(count, dtype=bool),
        "tags": np.zeros(count, dtype=np.int32),
        "channels": np.zeros(count, dtype=np.int32),
        "tag_sets": ((),),
        "channel_sets": ((),),
    }
    return Customers.of(columns, (LON, LAT), NOBODY)


@pytest.fixture
def matrix() -> Matrix:
    """Every category reaches 305 m; what completes what is as shipped."""
    known = shipped()
    return replace(known, reach_m=np.full(len(known.reach_m), REACH_M), key="305 m")


@pytest.fixture
def street() -> Snapshot:
    """
    A family every 10 m from -1000 to 1000, and again 10 km on, with a group of 500 between I and J there.

    Each merchant reaches the 61 families at most 300 m off. By id:

      A restaurant at 0, signed      C hotel at 190       E courier at 100     G hotel at -200, closed
      B hotel at 200, known          D restaurant at 250  F hotel at 501       H hotel at -210, set aside
      I restaurant at 10000          J hotel at 10200
    """
    merchants = [
        (0, "restaurant", "signed"),
        (200, "hotel", "known"),
        (190, "hotel", "signed"),
        (250, "restaurant", "contacted"),
        (100, "courier", "signed"),
        (501, "hotel", "contacted"),
        (-200, "hotel", "closed"),
        (-210, "hotel", "signed"),
        (10_000, "restaurant", "signed"),
        (10_200, "hotel", "signed"),
    ]
    line = np.arange(-1000, 1001, 10)
    customers = [(x + start, "families", 1) for start in (0, 10_000) for x in line.tolist()]
    return town(merchants, [*customers, (10_100, "families", 500)], aside=[8])


def pairs(links) -> list[str]:
    return [NAMES[a - 1] + NAMES[b - 1] for a, b in zip(links["a"], links["b"], strict=True)]


def test_most_near_pairs_fail_each_for_a_reason_and_two_pass(street: Snapshot, matrix: Matrix) -> None:
    """
    Of fifteen pairs of open merchants within 500 m two are left.

    AB gain 20 each; DF 25 each. A and F would gain, and are 501 m apart. A and C gain 19: fewer than 20.
    A and D compete, as B, C and F do among themselves. E completes nobody here. B and D gain 5, C and D 6.
    I and J gain 20 of 561, which is not a tenth. G is closed and H is set aside: at 200 m A would gain.
    """
    assert matrix.complement[RANK["restaurant"], RANK["hotel"]] == pytest.approx(0.8)
    assert not matrix.complement[RANK["courier"], [RANK["restaurant"], RANK["hotel"]]].any()
    links = suggestions(street, ALL, matrix)
    assert sorted(pairs(links)) == ["AB", "DF"]
    by_pair = links.set_index(np.array(pairs(links)))
    assert by_pair.loc["AB", ["gain_a_n", "gain_b_n", "served_a", "served_b"]].tolist() == [20, 20, 61, 61]
    assert by_pair.loc["DF", ["gain_a_n", "gain_b_n"]].tolist() == [25, 25]
    assert by_pair.loc["AB", "gain_a"] == pytest.approx(20 / 61)
    assert sorted(pairs(suggestions(street, ALL, matrix, within_m=502.0))) == ["AB", "AF", "DF"]


def test_the_parts_and_their_sum(street: Snapshot, matrix: Matrix) -> None:
    link = suggestions(street, ALL, matrix, merchant_id=2).iloc[0]
    parts = {
        "complement": 0.8,
        "distance": np.exp(-200 / 300),
        "shared": 41 / 81,  # from -100 to 300, of -300 to 500
        "colocation": 0.5,  # of so few merchants nothing is certain
        "readiness": (1.0 + 0.33) / 2,
    }
    for name, value in parts.items():
        assert link[name] == pytest.approx(value, abs=1e-6), name
    weights = {"complement": 0.4, "distance": 0.2, "shared": 0.1, "colocation": 0.1, "readiness": 0.2}
    assert link["score"] == pytest.approx(sum(weights[name] * parts[name] for name in parts), abs=1e-6)
    assert link["distance_m"] == pytest.approx(200, abs=1e-3)


def test_of_a_zone_a_merchant_and_without_what_was_refused(street: Snapshot, matrix: Matrix) -> None:
    (west, east), (south, north) = crs.from_metric([190.0, 210.0], [-50.0, 50.0], PLANE)
    only_b = shapely.box(west, south, east, north)
    assert pairs(suggestions(street, ALL, matrix, zone=only_b)) == ["AB"]
    assert pairs(suggestions(street, ALL, matrix, merchant_id=4)) == ["DF"]
    assert pairs(suggestions(street, ALL, matrix, merchant_id=5)) == []
    assert pairs(suggestions(street, ALL, matrix, merchant_id=7)) == []
    assert pairs(suggestions(street, ALL, matrix, refused={(1, 2)})) == ["DF"]
    assert pairs(suggestions(street, ALL, matrix, refused={(2, 1), (4, 6)})) == []
    assert len(suggestions(street, ALL, matrix, limit=1)) == 1
    with pytest.raises(NotFound, match="no merchant 77"):
        suggestions(street, ALL, matrix, merchant_id=77)


def test_links_as_good_as_each_other_come_by_id(matrix: Matrix) -> None:
    streets = [start + x for start in (40_000, 0, 80_000) for x in (0, 200)]
    merchants = [(x, ("hotel", "restaurant")[at % 2], "signed") for at, x in enumerate(streets)]
    homes = [(start + x, "families", 1) for start in (0, 40_000, 80_000) for x in range(-1000, 1001, 10)]
    links = suggestions(town(merchants, homes), ALL, matrix)
    assert pairs(links.round(6).sort_values("score", kind="stable", ascending=False)) == ["AB", "CD", "EF"]


def test_what_was_worked_out_is_kept_with_the_snapshot(street, matrix, monkeypatch) -> None:
    first = suggestions(street, ALL, matrix)
    monkeypatch.setattr(offering, "_made", None)
    assert suggestions(street, ALL, matrix).equals(first)
    assert suggestions(street, HEAD, matrix, merchant_id=1).equals(
        first[first["a"] == 1].reset_index(drop=True)
    )
    with pytest.raises(TypeError):
        suggestions(street, ALL, matrix, within_m=400.0)


def test_one_merchants_partners_are_those_among_all(matrix: Matrix) -> None:
    lot = np.random.default_rng(2)
    codes = ["restaurant", "hotel", "photo", "gym", "pharmacy", "clinic", "books"]
    shops = [(x, lot.choice(codes), lot.choice(STATUSES[:3])) for x in lot.uniform(-4000, 4000, 250)]
    homes = [(x, lot.choice(["families", "employees"]), 1) for x in lot.uniform(-5000, 5000, 3000)]
    whole = suggestions(town(shops, homes), ALL, matrix)
    anew = town(shops, homes)
    assert len(whole) > 100
    for merchant_id in (1, 17, 33, 120):
        own = whole[(whole["a"] == merchant_id) | (whole["b"] == merchant_id)].reset_index(drop=True)
        found = suggestions(anew, ALL, matrix, merchant_id=merchant_id)
        assert found[["a", "b"]].equals(own[["a", "b"]])
        assert np.allclose(
            found.drop(columns=["colocation", "score"]), own.drop(columns=["colocation", "score"])
        )
        assert np.allclose(found["score"], own["score"])


def test_who_may_not_see_customers_learns_nothing_of_few(matrix: Matrix) -> None:
    """Thirty on each side and three between: what both serve could be worked out from what each does."""
    homes = [*[(-100, "families", 1)] * 30, *[(240, "families", 1)] * 3, *[(580, "families", 1)] * 30]
    made = town([(0, "restaurant", "signed"), (480, "hotel", "signed")], homes)
    seen = suggestions(made, HEAD, matrix).iloc[0]
    assert (seen["served_a"], seen["gain_a_n"], seen["gain_a"]) == (33, 30, pytest.approx(30 / 33))
    assert seen["shared"] == pytest.approx(3 / 63)
    hidden = suggestions(made, ANALYST, matrix).iloc[0]
    assert hidden[["shared", "served_a", "served_b", "gain_a", "gain_b"]].isna().all()
    assert (hidden["gain_a_n"], hidden["gain_b_n"]) == (30, 30)
    assert hidden["score"] == pytest.approx(seen["score"] - 0.1 * 3 / 63)
    assert why(hidden, matrix, "en").endswith(
        "would reach 30 more customers, most of them: Families with children."
    )
    stranger = Asker("李四乙", Role.HEAD, frozenset({2}))
    with pytest.raises(RightsError):
        suggestions(made, stranger, matrix)


def test_why_says_reason_distance_and_both_gains(street: Snapshot, matrix: Matrix) -> None:
    link = suggestions(street, ALL, matrix, merchant_id=1).iloc[0]
    english = why(link, matrix, "en", ("Lantern Inn", "Test Hotel"))
    assert english == (
        "Guests of the hotel look for dinner, banquet guests for a room; 200 m apart; "
        "Lantern Inn would reach 20 more customers (33 % of its own), most of them: Families with children; "
        "Test Hotel would reach 20 more customers (33 % of its own), most of them: Families with children."
    )
    chinese = why(link, matrix, "zh")
    assert chinese == (
        "住店客人要吃饭，宴席客人要住宿，互相介绍；相距 200 米；"
        "中餐馆可多触达 20 位客户（相当于现有的 33%），以亲子家庭居多；"
        "酒店可多触达 20 位客户（相当于现有的 33%），以亲子家庭居多。"
    )


@pytest.mark.parametrize(
    ("merchants", "customers", "because"),
    [
        ([], 9, "two open merchants at least; here there are 0"),
        ([(0, "hotel", "signed")], 9, "here there are 1"),
        ([(0, "hotel", "signed"), (9, "restaurant", "closed")], 9, "here there are 1"),
        ([(0, "other", "signed"), (300, "other", "known")], 9, "No merchant has a category"),
        ([(0, "hotel", "signed"), (300, "hotel", "known")], 9, "No two categories here help each other"),
        ([(0, "hotel", "signed"), (300, "restaurant", "known")], 0, "No customer is known here yet"),
        ([(5, "hotel", "signed"), (5, "restaurant", "known")], 9, "on one spot"),
        ([(0, "hotel", "signed"), (300, "restaurant", "known")], 9, "none lets both sides gain 10 % and 20"),
    ],
)
def test_why_nothing_is_suggested_is_said(merchants, customers, because, matrix: Matrix) -> None:
    made = town(merchants, [(100 * at, "families", 1) for at in range(customers)])
    links = suggestions(made, ALL, matrix)
    assert links.empty and list(links.columns) == list(suggesting.COLUMNS)
    assert because in str(nothing_because(made, matrix))


def test_a_merchant_that_is_closed_has_no_partners_and_it_is_said(street: Snapshot, matrix: Matrix) -> None:
    assert "closed or set aside" in str(nothing_because(street, matrix, merchant_id=7))
    assert "none lets both sides gain" in str(nothing_because(street, matrix, merchant_id=5))


def test_the_first_links_are_not_all_of_one_kind():
    links = pd.DataFrame(
        [
            (0.90, 1, 2, 10, 20),
            (0.89, 1, 3, 10, 20),  # the same trades and merchant 1 again: 0.89 x 0.9 x 0.8 = 0.64
            (0.80, 4, 5, 20, 10),  # the same trades the other way round: 0.80 x 0.9 = 0.72
            (0.78, 6, 7, 30, 40),
        ],
        columns=["score", "a", "b", "category_a", "category_b"],
    )
    assert suggesting.mixed(links, 9) == [0, 3, 2, 1]
    assert suggesting.mixed(links, 2) == [0, 3]
    assert suggesting.mixed(links.iloc[:0], 5) == []
