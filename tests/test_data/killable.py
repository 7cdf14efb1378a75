"""
A server of command lines that can be killed: what `python -m data` needs is loaded once, each run is a fork.

It reads a JSON object a line (`argv`, `environment`) and says on one pipe, line by line: `pid N`, then each
mark the run passes (a stage of the import, `figures`, `commit`, `committed`), and `done STATUS` at its end.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]


def serve() -> None:
    """Run one command line after the other."""
    import data.__main__  # noqa: F401  # loaded before the fork, once
    from data.lists import double_names
    from data.meaning import pinyin

    double_names.sound("甲")  # both make tables on first use
    pinyin.initials(pd.Series(["甲"], dtype="str"))
    say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        if (child := os.fork()) == 0:
            run(order)
        say(f"pid {child}")
        _, status = os.waitpid(child, 0)
        say(f"done {os.waitstatus_to_exitcode(status)}")


def say(word: str) -> None:
    """Write a line whole, whoever else writes."""
    os.write(1, f"{word}\n".encode())


def run(order: dict[str, Any]) -> None:
    """Be `python -m data`, with the marks said; never return."""
    from data.__main__ import main

    os.environ.update(order["environment"])
    sys.argv = ["data", *order["argv"]]
    status = 1
    try:
        _watch()
        sys.stdout = sys.stderr
        main()
    except SystemExit as done:
        status = int(done.code or 0)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _watch() -> None:
    """Say where the run is. Nothing it does is changed: its own functions are called."""
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    from data import branches
    from data.lists import watching

    at, new_version = watching.Watch.at, branches.new_version

    def told(self: watching.Watch, stage: str, done: int, total: int) -> None:
        say(stage)
        at(self, stage, done, total)

    def told_version(*given: Any, **more: Any) -> int:
        say("figures")
        return new_version(*given, **more)

    watching.Watch.at = told
    branches.new_version = told_version
    event.listen(Session, "before_commit", lambda _session: say("commit"))
    event.listen(Session, "after_commit", lambda _session: say("committed"))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    serve()
