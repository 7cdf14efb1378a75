"""Figures: the toy town by hand, and a thousand circles against plain counting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import bulk, catalogue, figures, snapshots, store, tables
from data.catchments import catchment
from data.figures import Filters, Reach, cards, category_table, group_table, members
from data.rights import command_line
from geo.errors import DataError

CLI = command_line("tests")
ALL = Filters()


def values(town, filters=ALL, radius_m=2000.001, *, outside=False, mask=False):
    found = cards(town.snapshot(), filters, Reach(radius_m, outside), mask)
    return {name: (figure.value, figure.numerator, figure.denominator) for name, figure in found.items()}


def numbers(town, layer, filters=ALL, radius_m=2000.001, *, outside=False, **where):
    ids = members(town.snapshot(), layer, filters, Reach(radius_m, outside), **where)
    name_of = {
        (kind, row_id): number
        for number, row_id in town.ids.items()
        for kind in [{"M": "merchants", "C": "customers"}.get(number[0])]
    }
    return [name_of[layer, row_id] for row_id in ids.tolist()]


def test_the_farthest_target_group_sets_the_radius_as_the_farther_merchant_is_closed(sqlite_town):
    town = sqlite_town
    found = catchment(town.snapshot())
    assert found.radius_m == pytest.approx(2000, abs=1e-3)
    farthest = found.farthest
    assert (farthest.kind, farthest.layer, farthest.id, farthest.group) == (
        "target group",
        "customers",
        town.ids["C4"],
        9,
    )
    assert not found.by_hand


def test_what_is_set_aside_sets_no_radius_and_the_next_one_does(sqlite_town):
    with store.transaction(sqlite_town.engine) as session:
        store.set_aside(session, CLI, sqlite_town.branch_id, "customers", sqlite_town.ids["C4"], "x")
    found = catchment(sqlite_town.snapshot())
    assert (found.farthest.kind, found.farthest.id) == ("merchant", sqlite_town.ids["M5"])
    assert found.radius_m == pytest.approx(1000, abs=1e-3)
    assert found.counts["aside"] == 1


# Points that set the radius: 100, 200, 300, 400, 1000, 2000 m. Existing customers: 150, 250, 1500 m, with
# 10,000 yuan, unknown and 50,000. Households: 100 at 700 m, 300 at 1800 m.
@pytest.mark.parametrize(
    ("basis", "radii"),
    [
        ("points", [1000, 2000, 2000]),
        ("customers", [1500, 1500, 1500]),
        ("deposits", [1500, 1500, 1500]),
        ("households", [1800, 1800, 1800]),
    ],
)
def test_rings_hold_their_share_of_what_is_named(sqlite_town, basis, radii):
    found = catchment(sqlite_town.snapshot(), basis=basis)
    assert list(found.rings) == [0.8, 0.95, 1.0]
    assert list(found.rings.values()) == pytest.approx(radii, abs=1e-3)
    assert found.radius_m == pytest.approx(2000, abs=1e-3)


def test_rings_of_what_nobody_knows_are_refused(sqlite_town):
    with pytest.raises(DataError, match="sunshine"):
        catchment(sqlite_town.snapshot(), basis="sunshine")


def test_a_radius_by_hand_still_names_the_farthest(sqlite_town):
    found = catchment(sqlite_town.snapshot(), by_hand_m=350.0)
    assert (found.radius_m, found.by_hand) == (350.0, True)
    assert found.farthest.id == sqlite_town.ids["C4"]
    assert found.counts == {
        "merchants": 3,
        "existing": 2,
        "targets": 0,
        "outlets": 0,
        "places": 0,
        "aside": 0,
        "outside": 4,
    }


def test_an_outlier_is_suggested_and_not_dropped(sqlite_town):
    # Distances 100, 200, 300, 400, 1000, 2000: Q1 225, Q3 850, so beyond 2725. A shop 9 km off is.
    with store.transaction(sqlite_town.engine) as session:
        far = pd.DataFrame(
            {"branch_id": [sqlite_town.branch_id], "name": "远", "category_id": 99, "lon": 114.4, "lat": 30.5}
        )
        ids = bulk.insert_numbered(session, tables.merchants, far)
        store.new_version(session, CLI, sqlite_town.branch_id, "import")
    found = catchment(sqlite_town.snapshot())
    assert [point.id for point in found.outliers] == ids.tolist()
    assert found.farthest.id == ids[0]


def test_an_empty_branch_reaches_nowhere(sqlite_town):
    empty = snapshots.snapshot(sqlite_town.engine, sqlite_town.other_id)
    found = catchment(empty)
    assert (found.radius_m, found.farthest, found.outliers) == (0.0, None, ())
    assert np.isnan(list(found.rings.values())).all()
    figures_of = cards(empty, ALL, Reach(found.radius_m), mask=True)
    assert figures_of["customers"].value == 0
    assert figures_of["customer_coverage"].value is None
    assert figures_of["deposits"].value is None
    assert group_table(empty, ALL, Reach(0.0), mask=True).empty
    assert category_table(empty, ALL, Reach(0.0)).empty
    assert figures.kept(empty)["rings"] == {"0.8": None, "0.95": None, "1.0": None}


def test_cards_of_the_whole_circle(sqlite_town):
    assert values(sqlite_town) == {
        "customers": (3, 3, None),
        "customer_coverage": (3 / 54, 3, 54),  # targets: one person, and a group of fifty
        "merchants": (4, 4, None),  # the closed one is not known any more
        "merchant_coverage": (2 / 4, 2, 4),
        "deposits": (60_000, 60_000, 2),  # one customer's are unknown
        "rivals": (1, 1, None),  # ours is none, and the other lies 3 km off
    }


def test_cards_of_a_smaller_circle_and_of_what_lies_outside_of_it(sqlite_town):
    inside, outside = values(sqlite_town, radius_m=350), values(sqlite_town, radius_m=350, outside=True)
    assert inside["customer_coverage"] == (1.0, 2, 2)
    assert outside["customer_coverage"] == (1 / 52, 1, 52)
    assert inside["merchant_coverage"] == (1 / 3, 1, 3)
    assert outside["merchants"] == (1, 1, None)
    assert outside["rivals"] == (2, 2, None)


def test_the_rim_belongs_to_the_circle(sqlite_town):
    radius_m = catchment(sqlite_town.snapshot()).radius_m
    assert values(sqlite_town, radius_m=radius_m)["customer_coverage"] == (3 / 54, 3, 54)


def test_what_is_set_aside_lies_outside_every_circle(sqlite_town):
    with store.transaction(sqlite_town.engine) as session:
        store.set_aside(session, CLI, sqlite_town.branch_id, "merchants", sqlite_town.ids["M2"], "x")
    assert values(sqlite_town)["merchant_coverage"] == (1 / 3, 1, 3)
    assert values(sqlite_town, outside=True)["merchant_coverage"] == (1.0, 1, 1)
    assert numbers(sqlite_town, "merchants", radius_m=500.0, outside=True) == ["M2", "M5"]


def test_an_upper_category_chooses_all_below_it(sqlite_town):
    assert numbers(sqlite_town, "merchants", Filters(categories=(1,))) == ["M1", "M2", "M5"]
    assert numbers(sqlite_town, "merchants", Filters(categories=(102, 201))) == ["M2", "M3"]
    assert values(sqlite_town, Filters(categories=(1,)))["customers"] == (3, 3, None)


def test_closed_merchants_are_shown_when_asked_for(sqlite_town):
    closed = Filters(statuses=("closed", "signed"))
    assert numbers(sqlite_town, "merchants", closed, 6000.0) == ["M2", "M5", "M4"]
    found = values(sqlite_town, closed, 6000.0)
    assert found["merchants"] == (3, 3, None)
    assert found["merchant_coverage"] == (1.0, 2, 2)


def test_groups_and_tiers_choose_customers(sqlite_town):
    assert numbers(sqlite_town, "customers", Filters(groups=(1,))) == ["C1", "C2", "C3"]
    assert numbers(sqlite_town, "customers", Filters(tiers=("gold",))) == ["C2", "C5"]
    assert values(sqlite_town, Filters(tiers=("gold",)))["deposits"] == (50_000, 50_000, 1)


def test_a_count_opens_the_rows_behind_it(sqlite_town):
    assert numbers(sqlite_town, "customers", existing=True) == ["C1", "C2", "C5"]
    assert numbers(sqlite_town, "customers", group=9, existing=False) == ["C4"]
    assert numbers(sqlite_town, "merchants", status="signed") == ["M2", "M5"]
    assert numbers(sqlite_town, "merchants", category=1, radius_m=500.0) == ["M1", "M2"]
    rivals = members(sqlite_town.snapshot(), "outlets", ALL, Reach(2000.0), own=False)
    assert rivals.tolist() == [sqlite_town.ids["甲银行人民路支行"]]
    assert len(members(sqlite_town.snapshot(), "places", ALL, Reach(2000.0))) == 2


def test_the_table_of_groups_by_hand(sqlite_town):
    table = group_table(sqlite_town.snapshot(), ALL, Reach(2000.001), mask=False).set_index("group")
    assert table.index.tolist() == [1, 3, 9]
    owners = table.loc[1]
    assert (owners["existing"], owners["target"], owners["customer_coverage"]) == (2, 1, pytest.approx(2 / 3))
    assert owners["product_match"] == pytest.approx((2 / 4 + 4 / 4) / 2)
    assert owners["match_customers"] == 2
    assert [(tag.name, *tag.figure) for tag in owners["tags"]] == [
        ("跳舞", 2 / 3, 2, 3),
        ("年货", 1 / 3, 1, 3),
    ]
    assert [(way.name, way.figure.numerator) for way in owners["channels"]] == [("微信", 1)]
    assert (owners["deposits"], owners["deposits_known"]) == (10_000, 1)
    assert table.loc[3, "product_match"] == 0.25
    students = table.loc[9]
    assert (students["existing"], students["target"], students["customer_coverage"]) == (0, 50, 0.0)
    assert np.isnan(students["product_match"])
    assert np.isnan(students["deposits"])
    assert not table["masked"].any()


def test_the_table_of_categories_by_hand(sqlite_town):
    upper = category_table(sqlite_town.snapshot(), ALL, Reach(2000.001))
    assert upper[["category", "merchants", "signed"]].to_numpy().tolist() == [[1, 3, 2], [2, 1, 0]]
    assert upper["merchant_coverage"].tolist() == pytest.approx([2 / 3, 0])
    lower = category_table(sqlite_town.snapshot(), Filters(categories=(1,)), Reach(2000.001))
    assert lower[["category", "merchants", "signed"]].to_numpy().tolist() == [
        [101, 1, 0],
        [102, 1, 1],
        [103, 1, 1],
    ]


def test_few_customers_are_masked(sqlite_town):
    masked = values(sqlite_town, mask=True)
    assert masked["customer_coverage"] == (3 / 54, 3, 54)
    assert np.isnan(masked["deposits"][0])  # known of two only
    table = group_table(sqlite_town.snapshot(), ALL, Reach(2000.001), mask=True).set_index("group")
    # Groups of 3 and 1 are hidden; as 54 less 50 tells them together, the 50 are hidden too.
    assert table["masked"].tolist() == [True, True, True]
    assert table[["existing", "deposits", "product_match", "customers"]].isna().all(axis=None)
    assert table["tags"].map(len).eq(0).all()
    assert np.isnan(values(sqlite_town, radius_m=350, mask=True)["customers"][0])


def test_a_lead_sees_customers_but_no_deposits_of_few(sqlite_town):
    reach = Reach(2000.001)
    found = cards(sqlite_town.snapshot(), ALL, reach, mask=False, mask_deposits=True)
    assert found["customers"].value == 3
    assert np.isnan(found["deposits"].value)
    table = group_table(sqlite_town.snapshot(), ALL, reach, mask=False, mask_deposits=True)
    assert table["deposits"].isna().all()
    assert table["existing"].tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("base", "hidden"),
    [
        ([10, 20, 30], []),
        ([0, 20, 30], []),
        ([3, 20, 30], [0, 1]),
        ([4, 4, 30], [0, 1]),
        ([2, 2, 9, 30], [0, 1, 2]),
        ([3, 0, 0], [0]),
    ],
)
def test_hidden_groups_cannot_be_worked_out_from_the_total(base, hidden):
    assert np.flatnonzero(figures.too_few(np.array(base, dtype=float))).tolist() == hidden


@pytest.fixture(scope="module")
def crowd():
    """Return a snapshot of 10,000 merchants and customers: more than two blocks of sums."""
    random = np.random.default_rng(7)
    count = 10_000

    def columns(**more):
        lon, lat = 114.3 + random.normal(0, 0.02, count), 30.5 + random.normal(0, 0.02, count)
        return {"id": np.arange(1, count + 1), "lon": lon, "lat": lat, **more}

    merchants = columns(
        category=random.choice(catalogue.CATEGORIES["id"].to_numpy(), count).astype(np.int16),
        status=random.integers(0, 4, count).astype(np.int8),
        visited=np.full(count, -1, dtype=np.int32),
    )
    sets = ((), ("a",), ("a", "b"), ("b", "c", "d"))
    customers = columns(
        group=random.integers(1, 6, count).astype(np.int16),
        existing=random.random(count) < 0.6,
        size=random.integers(1, 30, count).astype(np.int32),
        tier=random.integers(-1, 5, count).astype(np.int8),
        holdings=random.integers(0, 1 << 18, count).astype(np.uint64),
        deposits=np.where(random.random(count) < 0.7, np.rint(random.gamma(1, 30_000, count)), np.nan),
        assets=np.full(count, np.nan),
        key=np.zeros(count, dtype=bool),
        manager=np.full(count, -1, dtype=np.int32),
        tags=random.integers(0, 4, count).astype(np.int32),
        channels=np.zeros(count, dtype=np.int32),
        visited=np.full(count, -1, dtype=np.int32),
        tag_sets=sets,
        channel_sets=((),),
    )
    some = np.arange(1, 30)
    small = {"id": np.array([], dtype=np.int64), "lon": np.array([]), "lat": np.array([])}
    point = (114.3, 30.5)
    none = np.array([], dtype=np.int64)
    return snapshots.Snapshot(
        key=(None, 1, 1),
        lon=point[0],
        lat=point[1],
        merchants=snapshots.Merchants.of(merchants, point, some),
        customers=snapshots.Customers.of(customers, point, some),
        outlets=snapshots.Outlets.of(
            {**small, "kind": np.array([], dtype=np.int8), "own": np.array([], dtype=bool)}, point, none
        ),
        places=snapshots.Places.of(
            {
                **small,
                "kind": np.array([], dtype=np.int8),
                "households": np.array([]),
                "adults": np.array([]),
                "employees": np.array([]),
            },
            point,
            none,
        ),
    )


FILTERS = [
    ALL,
    Filters(categories=(1, 201), statuses=("signed", "closed"), groups=(2, 3), tiers=("gold", "private")),
    Filters(groups=(99,)),
]


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("filters", FILTERS)
def test_every_circle_counts_as_plain_counting_does(crowd, filters, outside):
    shown = {layer: figures.shown(crowd, layer, filters) for layer in ("merchants", "customers")}
    customers, merchants = crowd.customers, crowd.merchants
    for radius_m in [0.0, 5.0, *np.linspace(50, 12_000, 40)]:
        reach = Reach(float(radius_m), outside)
        inside = {
            layer: shown[layer] & (((rows.distance_m <= radius_m) & ~rows.aside) != outside)
            for layer, rows in (("merchants", merchants), ("customers", customers))
        }
        c, m = inside["customers"], inside["merchants"]
        found = cards(crowd, filters, reach, mask=False)
        assert found["customers"].value == (c & customers.existing).sum()
        everyone = np.where(customers.existing, 1, customers.size)[c].sum()
        assert (found["customer_coverage"].denominator or 0) == everyone
        assert (found["deposits"].value or 0) == pytest.approx(np.nansum(customers.deposits[c]))
        assert found["merchants"].value == m.sum()
        assert (found["merchant_coverage"].numerator or 0) == (merchants.status[m] == 2).sum()
        assert members(crowd, "customers", filters, reach).size == c.sum()
        table = group_table(crowd, filters, reach, mask=False).set_index("group")
        assert table["customers"].sum() == c.sum()
        assert category_table(crowd, filters, reach)["merchants"].sum() == m.sum()
        if 2 in table.index:
            _check_group(table.loc[2], customers, c & (customers.group == 2))


def _check_group(row, customers, inside):
    wanted = np.uint64(catalogue.recommended_masks()[2])
    match = np.bitwise_count(customers.holdings & wanted) / int(wanted).bit_count()
    existing = inside & customers.existing
    if existing.any():
        assert row["product_match"] == pytest.approx(match[existing].mean())
    for tag in row["tags"]:
        having = np.array([tag.name in chosen for chosen in customers.tag_sets])[customers.tags]
        assert tag.figure.numerator == (having & inside).sum()
        assert tag.figure.denominator == inside.sum()


def test_members_come_nearest_first(crowd):
    for outside in (False, True):
        ids = members(crowd, "merchants", ALL, Reach(3000.0, outside))
        metres = crowd.merchants.distance_m[[crowd.merchants.row_of(int(row_id)) for row_id in ids[:500]]]
        assert (np.diff(metres) >= 0).all()


def test_a_move_of_the_radius_sorts_and_sums_nothing_anew(crowd):
    cards(crowd, ALL, Reach(100.0), mask=False)
    before = len(crowd.worked)
    for radius_m in range(100, 5000, 100):
        cards(crowd, ALL, Reach(float(radius_m)), mask=False)
    assert len(crowd.worked) == before


def test_filters_survive_their_texts_and_nonsense_is_passed_over():
    filters = Filters((1, 102), ("signed",), (3,), ("gold", "private"))
    assert Filters.from_params(filters.to_params()) == filters
    assert Filters().to_params() == {}
    assert Filters.from_params({"c": "1.x.99999.1", "s": "<b>", "g": "", "z": "1"}) == Filters(
        categories=(1,)
    )
