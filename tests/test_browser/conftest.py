"""A server of the app as `make run` starts it, and a browser that must not leave this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    WebSocket,
    expect,
    sync_playwright,
)

from tests.clusters import free_port
from tests.conftest import ROOT, SECRET

CHROMIUM = os.environ.get("ZHENDI_TEST_CHROMIUM") or shutil.which("chromium")
QUIET = [
    "--no-sandbox",  # tests may run as root, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PATIENCE_MS = 45_000  # two cores, a browser and a server: what takes a second alone may take twenty
START_S = 60
# Resolves to whether the page came to rest in so many ms: no script runs, and nothing has moved for a moment.
REST = """(patience) => new Promise((done) => {
    const app = document.querySelector("[data-testid='stApp']");
    const look = () => {
        if (app.dataset.testScriptState !== "notRunning" || app.querySelector("[data-stale='true']"))
            return null;
        const drawn = document.querySelectorAll("[data-testid='stElementContainer'], [role='dialog']");
        return JSON.stringify([...drawn].map((each) => each.getBoundingClientRect()));
    };
    const begun = performance.now();
    let seen = look(), since = begun, looks = 0;
    const again = () => {
        const now = performance.now(), next = look();
        looks += 1;
        if (next === null || next !== seen) [seen, since, looks] = [next, now, 0];
        if (looks >= 4 && now - since >= 150) done(true);
        else if (now - begun >= patience) done(false);
        else requestAnimationFrame(() => setTimeout(again, 30));
    };
    if (app) again(); else done(true);
})"""
CLICK_PATIENCE_MS = 3_000  # a page that goes on working is clicked all the same


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Mark what drives a browser.

    Such a test is run a second time if it fails, and the summary says so.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


# Servers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """The app on a port of its own, with a store of its own."""

    url: str
    var: Path
    log: Path

    def run(self, *command: str) -> str:
        """Run the command line on the server's store and return what it says."""
        return _data(self.var, *command)


def _environment(var: Path) -> dict[str, str]:
    """Return this process's environment without anybody's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHENDI_")}
    return environment | {
        "ZHENDI_VAR": str(var),
        "ZHENDI_SECRET_KEY": SECRET,
    }


def _data(var: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "data", *command],
        cwd=ROOT,
        env=_environment(var),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"python -m data {' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def make_demo(var: Path) -> None:
    """Make a store with a small demo town in a folder."""
    _data(var, "demo", "--merchants", "1500", "--customers", "1500", "--seed", "7")


@contextmanager
def serving(var: Path, *, app: str = "app.py", **environment: str) -> Iterator[Server]:
    """Serve the store in a folder until the block ends, with more in its environment if need be."""
    server = Server(url=f"http://127.0.0.1:{(port := free_port())}", var=var, log=var / "server.log")
    with server.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", app, "--server.port", str(port)],
            cwd=ROOT,
            env=_environment(var) | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_S
        while not _answers(server.url):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the app did not start:\n{server.log.read_text()}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    told = server.log.read_text()
    assert "Traceback" not in told, f"the server stumbled:\n{told}"
    assert 'File "' not in told, f"a page stumbled:\n{told}"


@pytest.fixture(scope="session")
def demo_var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the store of a small demo town, to copy and not to change."""
    var = tmp_path_factory.mktemp("demo") / "var"
    make_demo(var)
    return var


@pytest.fixture(scope="session")
def live_server(demo_var: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of the demo town that all tests share: look at it, and leave no mark."""
    with serving(Path(shutil.copytree(demo_var, tmp_path_factory.mktemp("live") / "var"))) as server:
        yield server


@pytest.fixture
def own_server(demo_var: Path, tmp_path: Path) -> Iterator[Server]:
    """Return a server of the demo town that the test may change."""
    with serving(Path(shutil.copytree(demo_var, tmp_path / "var"))) as server:
        yield server


@pytest.fixture
def empty_server(tmp_path: Path) -> Iterator[Server]:
    """Return a server of a store without any branch."""
    var = tmp_path / "var"
    _data(var, "init")
    with serving(var) as server:
        yield server


# Browser ----------------------------------------------------------------------------------------------------


@dataclass
class Watch:
    """What a page did that it should not have."""

    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def request(self, request: Request | WebSocket) -> None:
        """Note an address that is not this machine's."""
        if not _is_ours(request.url):
            self.outside.append(request.url)

    def console(self, message: ConsoleMessage) -> None:
        """Note an error in the browser's console."""
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


def _is_ours(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname in LOOPBACK


def _stop_outside(route: Route) -> None:
    """Let nothing out, so that a machine with and one without a network see the same."""
    if _is_ours(route.request.url):
        route.continue_()
    else:
        route.abort()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return the browser."""
    if not CHROMIUM:
        pytest.fail("there is no Chromium, and ZHENDI_TEST_CHROMIUM names none; try `make test`")
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setattr(Locator, "click", _click)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


_click_at_once = Locator.click


def _click(self: Locator, **how: Any) -> None:
    """
    Click what stands still, as a person does.

    An expander that is still opening moves what is in it away between the button going down and going up, and
    the browser then makes no click of the two.
    """
    self.wait_for()
    self.page.evaluate(REST, CLICK_PATIENCE_MS)
    _click_at_once(self, **how)


@pytest.fixture
def watch() -> Watch:
    """Return what the pages of this test did; a test that expects a complaint clears it."""
    return Watch()


@pytest.fixture
def browse(
    chromium: Browser, watch: Watch, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    """
    Return a function that opens a browser of its own at an address.

    Whatever the test does, it fails if a request left the loopback or the console shows an error.
    """
    for server in {"own_server", "empty_server"} & set(request.fixturenames):
        request.getfixturevalue(server)  # up before the browser, and so down after it
    contexts = []

    def open_at(
        url: str, *, locale: str = "zh-CN", width: int = 1280, height: int = 900, touch: bool = False
    ) -> Page:
        context = chromium.new_context(
            locale=locale,
            viewport={"width": width, "height": height},
            has_touch=touch,
            accept_downloads=True,
            service_workers="block",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", watch.request)
        context.on("console", watch.console)
        context.route("**/*", _stop_outside)
        page = context.new_page()
        page.on("websocket", watch.request)
        page.on("pageerror", lambda error: watch.complaints.append(str(error)))
        page.goto(url)
        settled(page)
        return page

    yield open_at
    failed = request.node.stash.get(_FAILED, False)
    for number, context in enumerate(contexts):
        for page in context.pages if failed else ():
            picture = tmp_path / f"page-{number}.png"
            page.screenshot(path=picture, full_page=True)
            print(f"the page as it was: {picture}")
        context.close()
    assert not watch.outside, "requests left the loopback"
    assert not watch.complaints, "errors in the browser's console"


@pytest.fixture
def page(browse: Callable[..., Page], live_server: Server) -> Page:
    """Return a Chinese desktop browser at the demo town's map."""
    return browse(live_server.url)


def settled(page: Page) -> None:
    """Wait until the script has run, and everything it drew is there and stands still."""
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
    assert page.evaluate(REST, PATIENCE_MS), "the page does not come to rest"


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember a failure, so that the page is pictured before it closes."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report
