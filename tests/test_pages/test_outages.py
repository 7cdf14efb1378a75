"""The page over a machine that refuses: a word in the user's language, nothing stored; the app goes on."""

from __future__ import annotations

import errno
import logging
import sqlite3
import tempfile
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from data import bulk, tables
from tests.test_pages.conftest import Visit
from tests.test_pages.test_imports import GOOD, merchants, metrics, run_button, upload

PERSON = "欧阳" + "测试 13912345678"


def sqlite_error(code: int) -> OperationalError:
    """Return what SQLAlchemy makes of an SQLite error, in whose text a row stands."""
    cause = sqlite3.OperationalError(PERSON)
    cause.sqlite_errorcode = code
    return OperationalError(f"INSERT {PERSON}", {"name": PERSON}, cause)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), "磁盘空间已满"),
        (sqlite_error(sqlite3.SQLITE_READONLY), "无法写入"),
        (sqlite_error(sqlite3.SQLITE_BUSY), "其他人正在修改"),
        (OSError(errno.ENOSPC, PERSON), "磁盘空间已满"),
    ],
)
def test_a_store_that_refuses_in_the_middle_keeps_nothing_and_the_page_goes_on(
    visit: Visit,
    branch: int,
    sqlite_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    words: str,
) -> None:
    stored = bulk.insert
    broken = True

    def insert(session: Any, table: Any, frame: Any) -> None:
        stored(session, table, frame)
        if broken and table is tables.merchants:
            raise error

    monkeypatch.setattr(bulk, "insert", insert)
    app = upload(visit("import", lang="zh"), ("list.csv", GOOD.encode()))
    button = next(each for each in app.button if each.label.startswith("导入 "))
    with caplog.at_level(logging.DEBUG):
        button.click().run()
    assert not app.exception
    assert words in app.error[0].value
    assert PERSON not in app.error[0].value + caplog.text
    assert merchants(sqlite_engine) == 0
    broken = False
    app.run()
    next(each for each in app.button if each.label.startswith("导入 ")).click().run()
    assert not app.error
    assert merchants(sqlite_engine) == 10


def test_a_full_folder_for_uploads_is_said_before_anything_is_read(
    visit: Visit, branch: int, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(tempfile.SpooledTemporaryFile):  # type: ignore[type-arg]
        def write(self, *_given: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("data.files.texts.tempfile.SpooledTemporaryFile", Full)
        app = upload(visit("import"), ("list.csv", GOOD.encode()))
        assert not app.exception
        assert "The disk is full" in app.error[0].value
    app.run()
    assert not app.error
    assert metrics(app)["New"] == "10"
    run_button(app).click().run()  # type: ignore[attr-defined]
    assert merchants(sqlite_engine) == 10
