"""Servers to measure: the app, a peer's script, and the files a peer would fetch from a CDN."""

from __future__ import annotations

import functools
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.stores import Store
from data.config import ROOT

HERE = Path(__file__).parent
PATIENCE_S = 60
# Streamlit stops at 200 MB a message; the map of a million points sends more or less that.
PEER_OPTIONS = ("--server.maxMessageSize", "2000")


class Server(NamedTuple):
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    def memory_mb(self) -> float | None:
        """Return the most memory it had, in megabytes; None where the system does not say."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return float(lines["VmHWM"].split()[0]) / 1024


@contextmanager
def app(store: Store) -> Iterator[Server]:
    """Serve the app on a store."""
    with _streamlit("app.py", store, {"ZHENDI_VAR": str(store.folder)}) as server:
        yield server


@contextmanager
def peer(script: str, store: Store) -> Iterator[Server]:
    """Serve a peer's script on a store's files."""
    with _assets() as assets:
        environment = {
            "ZHENDI_BENCH_STORE": str(store.folder),
            "ZHENDI_BENCH_ASSETS": assets,
            "PYTHONPATH": str(ROOT),
        }
        with _streamlit(f"benchmarks/peers/{script}.py", store, environment, PEER_OPTIONS) as server:
            yield server


@contextmanager
def _streamlit(
    script: str, store: Store, environment: dict[str, str], options: tuple[str, ...] = ()
) -> Iterator[Server]:
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), *options]
    with (store.folder / f"{Path(script).stem}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/_stcore/health", process)
            yield Server(url, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}; its log lies beside its store")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:  # refused, or not yet
            time.sleep(0.1)
    raise RuntimeError(f"no server answered at {url} in {PATIENCE_S} s")


@contextmanager
def _assets() -> Iterator[str]:
    """Serve the peers' scripts from this machine."""
    modules = HERE / "node_modules"
    if not modules.is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=HERE, check=True)
    handler = functools.partial(_Quiet, directory=str(modules))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_given: object) -> None:
        """Say nothing."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
