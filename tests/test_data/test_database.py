"""Engines, transactions and migrations, on both databases."""

from __future__ import annotations

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from data import catalogue, database, store, tables
from data.rights import command_line

CLI = command_line("tests")
BRANCH = {"code": "A", "name": "甲", "lon": 114.3, "lat": 30.5}


def test_migrations_make_the_tables_as_they_are_written(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_migrations_lead_back_to_nothing_and_forth_again(engine):
    with store.transaction(engine) as session:
        configuration = database._alembic()
        configuration.attributes["connection"] = session.connection()
        command.downgrade(configuration, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    assert not store.is_migrated(engine)
    store.migrate(engine)
    assert store.is_migrated(engine)


def test_migrating_twice_at_once_migrates_once(engine):
    with store.transaction(engine) as session:
        configuration = database._alembic()
        configuration.attributes["connection"] = session.connection()
        command.downgrade(configuration, "base")
    threads = [threading.Thread(target=store.migrate, args=(engine,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading(engine) as session:
        count = session.scalar(select(func.count()).select_from(tables.categories))
    assert count == len(catalogue.CATEGORIES)


def test_nothing_is_kept_of_a_transaction_that_ends_badly(engine):
    with pytest.raises(ZeroDivisionError), store.transaction(engine) as session:
        store.add_branch(session, CLI, **BRANCH)
        raise ZeroDivisionError
    with store.reading(engine) as session:
        assert store.is_empty(session)


def test_foreign_keys_are_held(engine):
    with pytest.raises(IntegrityError), store.transaction(engine) as session:
        session.execute(insert(tables.person_branches).values(person_id=1, branch_id=1))


def test_a_reading_session_cannot_write(engine):
    with pytest.raises(DBAPIError), store.reading(engine) as session:
        store.add_branch(session, CLI, **BRANCH)
    with store.transaction(engine) as session:  # and the connection can again, afterwards
        store.add_branch(session, CLI, **BRANCH)


def test_a_reader_waits_for_no_writer_and_sees_one_moment(engine):
    with store.transaction(engine) as writer:
        store.add_branch(writer, CLI, **BRANCH)
        with store.reading(engine) as reader:
            assert store.is_empty(reader)
    with store.reading(engine) as reader:
        assert not store.is_empty(reader)
        with store.transaction(engine) as writer:
            store.add_branch(writer, CLI, **{**BRANCH, "code": "B"})
        assert store.branches(reader, CLI)["code"].tolist() == ["A"]


def test_writers_wait_for_each_other(engine):
    def add(number: int) -> None:
        with store.transaction(engine) as session:
            store.is_empty(session)  # reads first: on SQLite this once failed instead of waiting
            store.add_branch(session, CLI, **{**BRANCH, "code": f"B{number}"})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading(engine) as session:
        assert sorted(store.branches(session, CLI)["code"]) == [f"B{number}" for number in range(8)]


def test_sqlite_writes_ahead(sqlite_engine):
    with store.reading(sqlite_engine) as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_one_engine_serves_one_address(settings):
    assert store.engine(settings) is store.engine(settings)
    store.dispose()
