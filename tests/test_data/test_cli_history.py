"""The command line's commands for batches: listed, compared, taken back, and rows that wait for a place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from data import database, store, tables
from data.__main__ import app
from tests.test_data.conftest import Town, build
from tests.test_data.test_history import add_list, change_list, made_by


@pytest.fixture
def town(sqlite_engine: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("ZHENDI_DATABASE_URL", sqlite_engine.url.render_as_string(hide_password=False))
    yield build(sqlite_engine)
    database.dispose()


def answered(*words: str, status: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == status, done.output
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def said(*words: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == status, done.output
    return done.output


def test_batches_are_listed_newest_first(town):
    with store.transaction(town.engine) as session:
        first, second = add_list(session, town, ["甲"]), add_list(session, town, ["乙"])
    found = answered("batches", "--branch", "A")["batches"]
    assert [(row["id"], row["mode"], row["undone_by"]) for row in found] == [
        (second, "add", None),
        (first, "add", None),
    ]
    assert said("batches", "--branch", "A").startswith(f"{second}\t")


def test_a_batch_is_taken_back(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲", "乙"])
    found = answered("rollback", str(batch), "--branch", "A")
    assert {name: found[name] for name in ("undone", "removed", "restored", "kept", "version")} == {
        "undone": batch,
        "removed": 2,
        "restored": 0,
        "kept": 0,
        "version": 3,
    }
    assert answered("rollback", str(batch), "--branch", "A", status=1)["kind"] == "Conflict"
    assert answered("batches", "--branch", "A")["batches"][1]["undone_by"] == found["batch"]


@pytest.mark.parametrize(("keep", "removed", "kept"), [("later", 1, 1), ("none", 2, 0)])
def test_what_was_changed_later_has_to_be_decided(town, keep, removed, kept):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲", "乙"])
        change_list(session, town, "merchants", {made_by(session, batch)[0]: {"phone": "1"}})
    refused = answered("rollback", str(batch), "--branch", "A", status=1)
    assert refused["error"].startswith("1 rows were changed later")
    found = answered("rollback", str(batch), "--branch", "A", "--keep", keep)
    assert (found["removed"], found["kept"]) == (removed, kept)


def test_a_batch_of_another_branch_is_not_there(town):
    with store.transaction(town.engine) as session:
        batch = add_list(session, town, ["甲"])
    assert answered("rollback", str(batch), "--branch", "B", status=1)["kind"] == "NotFound"
    assert answered("diff", str(batch), str(batch), "--branch", "B", status=1)["kind"] == "NotFound"


def test_two_lists_are_compared(town):
    with store.transaction(town.engine) as session:
        first, second = add_list(session, town, ["甲"]), add_list(session, town, ["乙"])
    found = answered("diff", str(first), str(second), "--branch", "A")
    assert found["counts"] == {"new": 1, "gone": 1, "moved": 0, "changed": 0}
    assert [(row["what"], row["name"]) for row in found["rows"]] == [("gone", "甲"), ("new", "乙")]
    assert "gone\t\t甲" in said("diff", str(first), str(second), "--branch", "A")


def test_rows_without_a_place_are_listed(town):
    assert answered("unplaced", "--branch", "A") == {"total": 0, "rows": []}
    with store.transaction(town.engine) as session:
        row = {"branch_id": town.branch_id, "batch_id": add_list(session, town, ["甲"]), "row": 4}
        for kind, name in (("merchants", "无址店"), ("customers", "钱七")):
            record = json.dumps({"name": name})
            session.execute(insert(tables.unplaced).values(**row, kind=kind, record=record))
    (waiting,) = answered("unplaced", "--branch", "A")["rows"]
    assert (waiting["name"], waiting["row"], waiting["file_name"]) == ("无址店", 4, "清单.csv")
    assert answered("unplaced", "--branch", "A", "--kind", "customers")["rows"][0]["name"] == "钱七"
    assert "无址店" in said("unplaced", "--branch", "A")
