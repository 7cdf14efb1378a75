"""Many rows at once: what goes in comes out, on both databases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select, text

from data import bulk, sealed, store, tables
from data.rights import command_line
from geo.errors import SettingsError

CLI = command_line("tests")
ODD = ['a"b', "a,b", "a\nb", "a\\b", "\\N", "", "'", "中文\u3000\U00020bb7", "=1+1", "  x  ", "\t"]


@pytest.fixture
def branch_id(engine):
    """Return a branch to hang rows on."""
    with store.transaction(engine) as session:
        return store.add_branch(session, CLI, code="A", name="甲", lon=114.3, lat=30.5)


def merchants(branch_id: int, names: list[str]) -> pd.DataFrame:
    """Return as many merchants."""
    noise = np.random.default_rng(0).normal(size=(2, len(names)))
    return pd.DataFrame(
        {"branch_id": branch_id, "name": names, "category_id": 99, "lon": 114 + noise[0], "lat": noise[1]}
    )


def test_odd_texts_and_exact_floats_come_back_as_they_were(engine, branch_id):
    frame = merchants(branch_id, ODD).assign(address=ODD[::-1])
    with store.transaction(engine) as session:
        ids = bulk.insert_numbered(session, tables.merchants, frame)
        columns = [tables.merchants.c[name] for name in ("id", "name", "address", "lon", "lat")]
        rows = session.execute(select(*columns).order_by(tables.merchants.c.id)).all()
    assert [tuple(row) for row in rows] == list(
        zip(ids.tolist(), ODD, ODD[::-1], frame["lon"].tolist(), frame["lat"].tolist(), strict=True)
    )


def test_a_missing_value_is_null_and_an_empty_text_is_not(engine, branch_id):
    frame = merchants(branch_id, ["a", "b"]).assign(
        phone=[None, ""], manager_id=pd.array([None, None], "Int64")
    )
    with store.transaction(engine) as session:
        bulk.insert(session, tables.merchants, frame)
        rows = session.execute(select(tables.merchants.c.phone, tables.merchants.c.manager_id)).all()
    assert sorted(map(tuple, rows), key=str) == [("", None), (None, None)]


def test_a_column_left_out_takes_its_default(engine, branch_id):
    with store.transaction(engine) as session:
        bulk.insert(session, tables.merchants, merchants(branch_id, ["a"]))
        row = session.execute(select(tables.merchants)).one()
    assert (row.status, row.initials, row.revision, row.phone) == ("known", "", 0, None)


def test_moments_and_json_go_in_as_well(engine, branch_id):
    frame = pd.DataFrame(
        {"by": ["x", "y"], "action": "look", "branch_id": branch_id, "detail": [{"n": 1}, {}]}
    )
    with store.transaction(engine) as session:
        bulk.insert(session, tables.audit, frame)
        rows = session.execute(select(tables.audit).where(tables.audit.c.action == "look")).all()
    assert [row.detail for row in rows] == [{"n": 1}, {}]
    assert all(row.at.year >= 2026 for row in rows)


def test_an_empty_frame_inserts_nothing(engine, branch_id):
    with store.transaction(engine) as session:
        assert bulk.insert_numbered(session, tables.merchants, merchants(branch_id, [])).tolist() == []


def test_ids_follow_the_rows_and_meet_no_others(engine, branch_id):
    with store.transaction(engine) as session:
        first = bulk.insert_numbered(session, tables.merchants, merchants(branch_id, ["a", "b", "c"]))
        bulk.insert(session, tables.merchants, merchants(branch_id, ["d"]))
        second = bulk.insert_numbered(session, tables.merchants, merchants(branch_id, ["e", "f"]))
        names = dict(session.execute(select(tables.merchants.c.id, tables.merchants.c.name)).all())
    assert [names[row_id] for row_id in [*first.tolist(), *second.tolist()]] == ["a", "b", "c", "e", "f"]
    assert len(names) == 6


def test_an_id_is_never_given_twice(engine, branch_id):
    with store.transaction(engine) as session:
        gone = bulk.insert_numbered(session, tables.merchants, merchants(branch_id, ["a"]))
        session.execute(tables.merchants.delete())
    with store.transaction(engine) as session:
        new = bulk.insert_numbered(session, tables.merchants, merchants(branch_id, ["b"]))
    assert new[0] > gone[0]


def test_rows_are_lost_with_their_transaction(engine, branch_id):
    with pytest.raises(ZeroDivisionError), store.transaction(engine) as session:
        bulk.insert(session, tables.merchants, merchants(branch_id, ["a"] * 10))
        raise ZeroDivisionError
    with store.reading(engine) as session:
        assert session.execute(select(tables.merchants)).all() == []


def test_chunks_are_whole(engine, branch_id, monkeypatch):
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 7)
    names = [f"m{number}" for number in range(23)]
    with store.transaction(engine) as session:
        bulk.insert_numbered(session, tables.merchants, merchants(branch_id, names))
        stored = session.scalars(select(tables.merchants.c.name).order_by(tables.merchants.c.id)).all()
    assert stored == names


def test_personal_columns_are_unreadable_at_rest(town):
    with store.reading(town.engine) as session:
        raw = session.execute(text("SELECT name, phone FROM customers ORDER BY id")).all()
        read = session.scalars(select(tables.customers.c.name).order_by(tables.customers.c.id)).all()
    assert read == ["张三", "李四", "王五", "三中学生", "赵六"]
    assert all("张三".encode() not in bytes(row.name) for row in raw)
    assert raw[2].phone is None
    assert len({bytes(row.name) for row in raw}) == len(raw)


def test_another_key_opens_nothing_and_says_so(monkeypatch):
    closed = sealed.seal("张三")
    assert sealed.unseal(closed) == "张三"
    monkeypatch.setenv("ZHENDI_SECRET_KEY", "quite another key for these tests")
    with pytest.raises(SettingsError, match="another key"):
        sealed.unseal(closed)


def test_sealing_many_is_sealing_each():
    texts = ["张三", None, "", "a" * 1000]
    opened = [None if closed is None else sealed.unseal(closed) for closed in sealed.seal_all(texts)]
    assert opened == texts
