"""The database behind the store: engines, transactions, migrations; SQLite or PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session

from data import catalogue, outages
from data.config import Settings
from geo.errors import StoreError

# A writer waits this long for another's transaction, a big import's too, before it gives up.
PATIENCE_S = 60
MIGRATION_LOCK = 7_263_415  # any number: whoever migrates a PostgreSQL store holds it
_READING = "zhendi_reading"

_engines: dict[str, Engine] = {}
_lock = threading.Lock()


def engine(settings: Settings) -> Engine:
    """Return the engine of the settings' database, one for all threads."""
    with _lock:
        if settings.database_url not in _engines:
            _engines[settings.database_url] = _make_engine(settings.database_url)
        return _engines[settings.database_url]


def dispose() -> None:
    """Close every engine, for those who end or replace a store (tests do)."""
    with _lock:
        while _engines:
            _engines.popitem()[1].dispose()


@contextmanager
def transaction(bound: Engine) -> Iterator[Session]:
    """Open a session that may write; nothing is kept unless the block ends well."""
    with outages.in_words(), Session(bound) as session, session.begin():
        yield session


@contextmanager
def reading(bound: Engine) -> Iterator[Session]:
    """Open a session on one moment of the store, which waits for no writer and cannot write."""
    quiet = bound.execution_options(**{_READING: True})
    if bound.dialect.name == "postgresql":
        quiet = quiet.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with Session(quiet) as session:
        yield session


def migrate(bound: Engine) -> None:
    """Bring a store, new or old, to the present tables and catalogue; of two at once, one waits."""
    with transaction(bound) as session:
        connection = session.connection()
        if bound.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        configuration = _alembic()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
        catalogue.sync(session)


def is_migrated(bound: Engine) -> bool:
    """Whether the store, if it can be reached, has the present tables."""
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    with reading(bound) as session:
        return MigrationContext.configure(session.connection()).get_current_revision() == head


def _alembic() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return configuration


def _make_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        return _make_sqlite(url)
    # An error's text would hold rows, and errors are logged.
    return create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=24, hide_parameters=True)


def _make_sqlite(url: str) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise outages.told(error) or StoreError(outages.CLOSED) from error
    patience = {"timeout": PATIENCE_S, "check_same_thread": False}
    bound = create_engine(url, connect_args=patience, hide_parameters=True)
    event.listen(bound, "connect", _prepare_sqlite)
    event.listen(bound, "begin", _begin_sqlite)
    return bound


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, below
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_S * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -65536")  # 64 MB
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Ask for the writer's lock at once: one who reads first and then writes would not wait, but fail."""
    reads = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
