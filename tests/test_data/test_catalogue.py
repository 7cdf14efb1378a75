"""The catalogue: two levels, both languages, nothing dangling; and pinyin initials."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import select, update

from data import catalogue, store, tables
from data.catalogue import CATEGORIES, GROUPS, PRODUCTS
from data.meaning.pinyin import initials


@pytest.mark.parametrize("frame", [CATEGORIES, GROUPS, PRODUCTS], ids=["categories", "groups", "products"])
def test_codes_ids_and_names_are_there_once(frame):
    for column in ("id", "code", "zh", "en"):
        assert frame[column].is_unique, column
        assert frame[column].astype(str).str.strip().ne("").all()


def test_categories_have_two_levels():
    upper = CATEGORIES[CATEGORIES["parent_id"].isna()]
    assert set(CATEGORIES["parent_id"].dropna()) <= set(upper["id"])
    assert catalogue.OTHER_CATEGORY in set(upper["id"])
    assert upper["colour"].is_unique
    assert CATEGORIES["colour"].str.fullmatch("#[0-9a-f]{6}").all()
    sizes = CATEGORIES["parent_id"].value_counts()
    assert sizes.between(3, 12).all()
    assert len(sizes) == len(upper) - 1  # all but "other" are divided


def test_each_category_has_its_upper_one():
    tops = catalogue.top_of()
    assert (tops[101], tops[1], tops[99]) == (1, 1, 99)
    assert 101 in catalogue.children(1)
    assert catalogue.children(101) == ()


def test_each_group_is_recommended_products_that_fit_a_mask():
    assert PRODUCTS["id"].between(0, catalogue.MOST_PRODUCTS - 1).all()
    masks = catalogue.recommended_masks()
    for group, products in catalogue.RECOMMENDED.items():
        assert products
        assert int(masks[group]) == sum(1 << product for product in products)


@pytest.mark.parametrize(
    ("yuan", "tier"),
    [
        (-5, "ordinary"),
        (29_999.99, "ordinary"),
        (30_000, "threshold"),
        (50_000, "gold"),
        (499_999, "gold"),
        (500_000, "platinum"),
        (6e6, "private"),
    ],
)
def test_a_tier_begins_at_its_threshold(yuan, tier):
    assert catalogue.tier_of(yuan) == tier


def test_the_store_has_the_catalogue_and_follows_its_files(engine):
    with store.transaction(engine) as session:
        session.execute(update(tables.categories).where(tables.categories.c.id == 101).values(zh="旧名"))
        session.execute(tables.group_products.delete())
        for _ in range(2):
            catalogue.sync(session)
        rows = session.execute(select(tables.categories).order_by(tables.categories.c.id)).all()
        pairs = session.execute(select(tables.group_products)).all()
    assert [row.zh for row in rows] == CATEGORIES.sort_values("id")["zh"].tolist()
    assert len(pairs) == sum(map(len, catalogue.RECOMMENDED.values()))


def test_initials_of_names():
    names = pd.Series(
        ["人民路３号", "中国银行", "Café-24 便利店", None, "重庆大厦", "☆"], index=[9, 8, 7, 6, 5, 4]
    )
    assert initials(names).to_dict() == {9: "rml3h", 8: "zgyh", 7: "cafe24bld", 6: "", 5: "cqds", 4: ""}
