"""Working sets read before anybody asks."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine

from data import snapshots, store
from data.rights import command_line
from data.warming import warm

ME = command_line("tests")


@pytest.fixture
def two(engine: Engine) -> Engine:
    """Two branches nothing is known about, the demo's first."""
    with store.transaction(engine) as session:
        for code, is_demo in (("D", True), ("A", False)):
            store.add_branch(session, ME, code=code, name=code, lon=114.3, lat=30.6, is_demo=is_demo)
    snapshots.clear()
    return engine


def test_every_branch_is_in_memory_afterwards(two: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert warm(two) == 2
    monkeypatch.setattr(snapshots, "load", lambda *_given: pytest.fail("it was read again"))
    with store.reading(two) as session:
        ids = store.branches(session, ME)["id"].tolist()
    assert [snapshots.snapshot(two, branch_id).branch_id for branch_id in ids] == ids


def test_it_stops_when_the_server_does(two: Engine) -> None:
    asked = iter([False, True])
    assert warm(two, lambda: next(asked)) == 1


def test_it_stops_when_memory_is_half_full(two: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_BYTES", 0)
    assert warm(two) == 0


def test_a_store_that_cannot_be_read_is_left_to_the_visit_that_asks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert warm(create_engine("sqlite://")) == 0
    assert "OperationalError" in caplog.text
