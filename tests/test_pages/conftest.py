"""Pages run by AppTest in the test's own store, as a visitor from this machine sees them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from data import bulk, store, tables
from data.rights import Role, command_line
from pages.parts import identity

SHELL = Path(__file__).resolve().parents[2] / "pages" / "shell.py"
LOCAL = [("Host", "127.0.0.1:8501")]
ME = command_line("tests")
SERIALIZABLE = "runner.enforceSerializableSessionState"
Visit = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def components_looked_for_once() -> Iterator[None]:
    """Keep Streamlit from reading every installed package's description for each AppTest."""
    with pytest.MonkeyPatch.context() as patch:
        found = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture
def from_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for what AppTest has none of: a request, and the address the server listens on."""
    monkeypatch.setattr(identity, "request_headers", lambda: LOCAL)
    monkeypatch.setattr(identity, "server_address", lambda: "127.0.0.1")
    # AppTest keeps the widgets' own functions in the session, which cannot be pickled; our values can.
    before = config.get_option(SERIALIZABLE)
    config.set_option(SERIALIZABLE, False)
    yield
    config.set_option(SERIALIZABLE, before)


@pytest.fixture
def visit(from_here: None, sqlite_engine: Engine) -> Iterator[Visit]:
    """Open a page as a visitor: `visit("import", lang="zh", role="head")`."""

    def open_page(path: str = "", *, lang: str = "en", role: Role = Role.HEAD, **params: str) -> AppTest:
        app = AppTest.from_file(str(SHELL), default_timeout=60)
        app.query_params["lang"] = lang
        for name, value in params.items():
            app.query_params[name] = value
        app.session_state["role"] = role.value
        app.run()
        if path:  # AppTest switches to files only, and our pages are functions
            pages = app._registered_pages.items()
            app._page_hash = next(key for key, page in pages if page.get("url_pathname") == path)
            app.run()
        return app

    yield open_page


def make_branch(engine: Engine, code: str = "HW", name: str = "河湾支行", *, is_demo: bool = False) -> int:
    with store.transaction(engine) as session:
        return store.add_branch(session, ME, code=code, name=name, lon=114.30, lat=30.60, is_demo=is_demo)


@pytest.fixture
def branch(sqlite_engine: Engine) -> int:
    """A branch nothing is known about yet."""
    return make_branch(sqlite_engine)


@pytest.fixture
def seeded(sqlite_engine: Engine, branch: int) -> int:
    """
    A branch with six merchants, eight customers and two outlets, 100 m apart on a line to the east.

    Shop owners (group 1): three existing, two targets. Students (group 9): one existing, and a target group
    of two, too few to be shown to whoever may not see customers. One merchant is signed, one closed.
    """
    east = 114.30 + np.arange(1, 9) * 0.001
    with store.transaction(sqlite_engine) as session:
        manager = store.add_person(session, ME, name="王小明", role=Role.MEMBER, branch_ids=[branch])
        merchants = pd.DataFrame(
            {
                "name": ["好邻居超市", "川味火锅", "=1+1 小吃", "<b>面馆</b>", "老书店", "新茶馆"],
                "initials": ["hljcs", "cwhg", "xc", "mg", "lsd", "xcg"],
                "category_id": [201, 102, 103, 103, 211, 108],
                "status": ["signed", "known", "known", "contacted", "closed", "known"],
                "lon": east[:6],
                "lat": 30.60,
                "branch_id": branch,
            }
        )
        customers = pd.DataFrame(
            {
                "name": [f"客户{number}" for number in range(7)],
                "existing": [True, True, True, False, False, True, False],
                "group_id": [1, 1, 1, 1, 1, 9, 9],
                "size": [1, 1, 1, 1, 1, 1, 2],
                "deposits": [1e5, 2e5, None, None, None, 5e3, None],
                "tags": ["茶", "茶", "", "", "", "", ""],
                "manager_id": [manager, None, None, None, None, None, None],
                "lon": east[:7],
                "lat": 30.601,
                "branch_id": branch,
            }
        )
        outlets = pd.DataFrame(
            {
                "name": ["他行一", "本行自助"],
                "kind": ["bank", "atm"],
                "is_own": [False, True],
                "lon": east[:2],
                "lat": 30.602,
                "branch_id": branch,
            }
        )
        for table, frame in (
            (tables.merchants, merchants),
            (tables.customers, customers),
            (tables.outlets, outlets),
        ):
            bulk.insert(session, table, frame)
        store.new_version(session, ME, branch, "test")
    return branch


def texts(app: AppTest) -> str:
    """Return everything a page says."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))
