"""
What the machine refuses, in words: no room, no rights, no database.

Whatever a database's own error says may hold rows of a list; of what is recognised here only the kind is
told, and the original is let go.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import SQLAlchemyError, TimeoutError

from geo.errors import N_, StoreError

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
"""All that comes out of a database: SQLAlchemy's own, and of rows in bulk the driver's."""

FULL = N_("The disk is full. Nothing was changed. Make room, and do it again.")
CLOSED = N_(
    "Nothing can be written where the store is. Nothing was changed. Whoever runs Zhendi needs the right to "
    "write there."
)
GONE = N_("The database does not answer. Nothing was changed. Try again in a minute.")
BUSY = N_("Somebody else is changing the same data. Nothing was changed. Try again in a minute.")
BROKEN = N_("The store cannot be read or written: its disk or its file is damaged. Nothing was changed.")

_OF_FILES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: CLOSED,
    errno.EACCES: CLOSED,
    errno.EPERM: CLOSED,
    errno.EIO: BROKEN,
}
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: CLOSED,
    sqlite3.SQLITE_CANTOPEN: CLOSED,
    sqlite3.SQLITE_PERM: CLOSED,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_CORRUPT: BROKEN,
    sqlite3.SQLITE_NOTADB: BROKEN,
}
_OF_POSTGRESQL = {
    "53100": FULL,
    "25006": CLOSED,
    "42501": CLOSED,
    "40001": BUSY,
    "40P01": BUSY,
    "55P03": BUSY,
    "53300": GONE,
    "57P01": GONE,
    "57P02": GONE,
    "57P03": GONE,
    "58030": BROKEN,
}
_SQLITE_KIND = 0xFF  # the rest of an SQLite code says more than is asked here


def told(error: BaseException) -> StoreError | None:
    """Return what an error is in words, None where it is nothing of the machine's."""
    cause: BaseException | None = getattr(error, "orig", None) or error
    message: str | None = None
    if isinstance(cause, sqlite3.Error):
        message = _OF_SQLITE.get((getattr(cause, "sqlite_errorcode", None) or 0) & _SQLITE_KIND)
    elif isinstance(cause, psycopg.Error):
        message = _of_postgresql(cause)
    elif isinstance(cause, TimeoutError):
        message = BUSY
    elif isinstance(cause, OSError):
        message = _OF_FILES.get(cause.errno or 0)
    return None if message is None else StoreError(message)


def _of_postgresql(error: psycopg.Error) -> str | None:
    state = error.sqlstate
    if state is None:  # the server had no time to say anything: it is not there, or no longer
        return GONE if isinstance(error, psycopg.OperationalError) else None
    return GONE if state.startswith("08") else _OF_POSTGRESQL.get(state)


@contextmanager
def in_words() -> Iterator[None]:
    """
    Say what the machine refuses inside as an error of ours.

    Raises
    ------
    StoreError
        In place of an error that `told` has words for.
    """
    try:
        yield
    except (*DATABASE_ERRORS, OSError) as error:
        if (found := told(error)) is None:
            raise
        raise found from None
