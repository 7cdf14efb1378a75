"""A PostgreSQL cluster for one run, of tests or of a benchmark, and databases on it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy

MEMORY = Path("/dev/shm")
ROOM_B = 2 << 30  # for the databases of one run of the tests


@contextmanager
def server(url: str | None = None, *, in_memory: bool = False) -> Iterator[str]:
    """
    Give the URL of a PostgreSQL server: the one named, else a cluster in a temporary folder on a free port.

    In memory, where there is room, a test's database is made in a fifth of the time.

    Raises
    ------
    RuntimeError
        When PostgreSQL is not installed, or its programs fail.
    """
    if url:
        yield text_of(sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"))
        return
    programs = _programs()
    roomy = in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_B
    folder = Path(tempfile.mkdtemp(prefix="zhendi-pg-", dir=MEMORY if roomy else None))
    port = free_port()
    try:
        _as_its_user(folder, programs / "initdb", "-D", "cluster", "-U", "postgres", "-A", "trust")
        (folder / "cluster" / "postgresql.auto.conf").write_text(_settings(folder, port))
        _as_its_user(folder, programs / "pg_ctl", "-D", "cluster", "-w", "-l", "log", "start")
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        if (folder / "cluster" / "postmaster.pid").exists():
            _as_its_user(folder, programs / "pg_ctl", "-D", "cluster", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def administer(url: sqlalchemy.URL, statement: str) -> None:
    """Make or drop a database, from beside it: no one may be connected to a template."""
    administrator = sqlalchemy.create_engine(
        url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
    )
    with administrator.connect() as connection:
        connection.exec_driver_sql(statement)


def text_of(url: sqlalchemy.URL) -> str:
    """Return a URL in words, its password too."""
    return url.render_as_string(hide_password=False)


def free_port() -> int:
    """Return a port of the loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(folder: Path, port: int) -> str:
    """Return the settings of a cluster that lives for one run: nothing in it has to survive a power cut."""
    return (
        f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\n"
        "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 50\n"
    )


def _programs() -> Path:
    """Return the newest folder of server programs: Debian keeps them off the path."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda program: float(program.parts[-3])
    )
    if not found and (onpath := shutil.which("initdb")):
        found = [Path(onpath)]
    if not found:
        raise RuntimeError(
            "PostgreSQL is not installed, and ZHENDI_TEST_DATABASE_URL names no server; try `make test`"
        )
    return found[-1].parent


def _as_its_user(folder: Path, *command: str | Path) -> None:
    """Run a server program in its folder, as `postgres` where we are root: initdb refuses root."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    with (folder / "out").open("w+") as out:  # a pipe would stay open as long as the server it starts
        done = subprocess.run(
            [*prefix, *map(str, command)], cwd=folder, env=environment, stdout=out, stderr=out, check=False
        )
        out.seek(0)
        if done.returncode:
            raise RuntimeError(f"{Path(command[0]).name} failed:\n{out.read()}")
