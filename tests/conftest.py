"""What every test may ask for: settings, a store of its own on both databases, and the real lists."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from data import database
from data.config import Settings
from tests import clusters
from tests.clusters import administer, text_of

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZHENDI_SHARED") or ROOT.parent / "shared" / "data")
SERVER_URL = os.environ.get("ZHENDI_TEST_DATABASE_URL")
SQLITE, POSTGRESQL = "sqlite", "postgresql"


# The real lists ---------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Leave out, and say so, the tests of lists that are not here; in CI they stay, and fail.

    What drives a browser comes last: it is slow, and holds an event loop until the end.
    """
    items.sort(key=lambda item: "test_browser" in item.path.parts)
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared)
    if SHARED.is_dir() or os.environ.get("CI"):
        return
    absent = [item for item in items if item.get_closest_marker("shared")]
    if absent:
        items[:] = [item for item in items if item not in absent]
        config.hook.pytest_deselected(items=absent)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out at the very end, where it is read."""
    if not (SHARED.is_dir() or os.environ.get("CI")):
        terminalreporter.write_line(
            f"Tests of real lists were left out: no {SHARED} here, and no other in ZHENDI_SHARED"
        )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real lists; whoever asks for it is marked `shared`."""
    if not SHARED.is_dir():
        pytest.fail(f"the real lists are not at {SHARED}, and CI has to have them")
    return SHARED


# A store of one's own ---------------------------------------------------------------------------------------


SECRET = "a key for tests, and for nothing else"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no test read this machine's settings, or write outside its own folder."""
    for name in [name for name in os.environ if name.startswith("ZHENDI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZHENDI_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("ZHENDI_SECRET_KEY", SECRET)


def settings_in(var: Path, database_url: str = "") -> Settings:
    """Return settings that write into one folder alone."""
    var.mkdir(parents=True, exist_ok=True)
    return Settings.from_env(
        {"ZHENDI_VAR": str(var), "ZHENDI_SECRET_KEY": SECRET, "ZHENDI_DATABASE_URL": database_url}
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of a store that is not there yet, on SQLite, in a folder of the test's own."""
    return settings_in(tmp_path / "var")


@pytest.fixture(params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlalchemy.Engine]:
    """Return the engine of an empty, migrated store, once on each database."""
    yield from _migrated(request, request.param, tmp_path / "var")


@pytest.fixture
def sqlite_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlalchemy.Engine]:
    """Return the engine of an empty, migrated store on SQLite, for what does not depend on the database."""
    yield from _migrated(request, SQLITE, tmp_path / "var")


def _migrated(request: pytest.FixtureRequest, kind: str, var: Path) -> Iterator[sqlalchemy.Engine]:
    """Copy the database that was migrated once a session: a migration a test would be most of its time."""
    template = request.getfixturevalue(f"{kind}_template")
    if kind == SQLITE:
        own = settings_in(var)
        shutil.copyfile(template, own.database_url.removeprefix("sqlite:///"))
        yield database.engine(own)
        database.dispose()
        return
    name = f"zhendi_{uuid.uuid4().hex[:12]}"
    url = sqlalchemy.make_url(template)
    administer(url, f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
    yield database.engine(settings_in(var, text_of(url.set(database=name))))
    database.dispose()
    administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file that every test copies."""
    own = settings_in(tmp_path_factory.mktemp("template"))
    database.migrate(database.engine(own))
    database.dispose()  # the last to close an SQLite file brings its log home: one file to copy
    return Path(own.database_url.removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a migrated database that every test's own is made from."""
    name = f"zhendi_template_{uuid.uuid4().hex[:12]}"
    url = sqlalchemy.make_url(postgresql_url)
    administer(url, f'CREATE DATABASE "{name}"')
    template = text_of(url.set(database=name))
    database.migrate(database.engine(settings_in(tmp_path_factory.mktemp("template"), template)))
    database.dispose()
    yield template
    administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """
    Return the URL of a PostgreSQL server on which tests may make databases.

    It is a cluster in a temporary folder on a free port, gone afterwards; `ZHENDI_TEST_DATABASE_URL` names
    another server, whose user may create databases.
    """
    with clusters.server(SERVER_URL, in_memory=True) as url:
        yield url
