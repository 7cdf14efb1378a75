"""The server's own routes: tiles by signed link, assets by name, nothing for whoever is elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

import app as server
from data import snapshots, tokens
from data.config import Settings
from data.tokens import TileClaim
from geo.errors import IdentityError
from geo.tiles import tile_at
from pages.parts import identity
from pages.parts.map_assets import FILES, address


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def get(path: str, *, host: str = "127.0.0.1:8501", kind: str = "http", **headers: str) -> Answer:
    """Ask the server's routes, behind its guard, without a network."""
    sent: list[dict[str, object]] = []
    every = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    where, _, query = path.partition("?")
    scope = {
        "type": kind,
        "method": "GET",
        "path": where,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in every.items()],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
    }

    asked_for = iter([{"type": "http.request" if kind == "http" else "websocket.connect", "body": b""}])

    async def receive() -> dict[str, object]:
        for message in asked_for:
            return message
        await asyncio.Event().wait()  # the other side stays, and has nothing more to say
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asked = Starlette(routes=server.ROUTES, middleware=server.MIDDLEWARE)
    asyncio.run(asked(scope, receive, send))
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    if start is None:
        return Answer(0, {}, str(sent[0]["type"]).encode())
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (identity, server):
        monkeypatch.setattr(module, "server_address", lambda: "127.0.0.1")


@pytest.fixture
def link(sqlite_engine: Engine, seeded: int) -> str:
    """A link to the merchants of the seeded branch."""
    version = snapshots.snapshot(sqlite_engine, seeded).version
    claim = TileClaim(seeded, "merchants", version, masked=False)
    return f"/tiles/{tokens.sign(Settings.from_env(), claim)}/merchants"


def test_a_signed_link_gets_its_tile(link: str) -> None:
    x, y = tile_at(114.301, 30.60, 14)
    answer = get(f"{link}/14/{x}/{y}.mvt")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert "private" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "好邻居".encode() not in answer.body


def test_an_empty_tile_is_204_and_one_outside_the_world_404(link: str) -> None:
    assert get(f"{link}/14/0/0.mvt").status == 204
    assert get(f"{link}/3/8/0.mvt").status == 404
    assert get(f"{link}/99/0/0.mvt").status == 404
    assert get(f"{link}/3/a/0.mvt").status == 404


def test_no_tile_without_a_good_token_or_for_another_layer(link: str) -> None:
    assert get("/tiles/nonsense/merchants/3/0/0.mvt").status == 403
    assert get(link.replace("merchants", "customers") + "/3/0/0.mvt").status == 403
    _, _, token, layer = link.split("/")
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    answer = get(f"/tiles/{forged}/{layer}/3/0/0.mvt")
    assert (answer.status, answer.body) == (403, b"")


def test_an_expired_link_is_refused(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert get(f"{link}/3/6/3.mvt").status == 403


def test_assets_are_served_by_their_exact_names_and_nothing_else() -> None:
    for name in FILES:
        assert get(address(name)).status == 200, name
        assert "immutable" in get(address(name)).headers["cache-control"]
        assert get(f"/assets/{name}").headers["cache-control"] == "no-cache"
    for name in ("../app.py", "..%2fapp.py", "leaflet", "leaflet.js.map", "", "a/leaflet.js", "/etc/passwd"):
        assert get(f"/assets/{name}").status == 404, name


def test_a_base_map_is_served_in_the_parts_asked_for(settings: Settings) -> None:
    assert get("/basemaps/demo.pmtiles").status == 404
    path = settings.var / "basemaps" / "demo.pmtiles"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(200)))
    part = get("/basemaps/demo.pmtiles", range="bytes=10-19")
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/200"
    assert get("/basemaps/osm.pmtiles").status == 404
    assert get("/basemaps/none.pmtiles").status == 404


def test_health_readiness_and_counters(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get("/healthz").body == b"ok"
    assert (get("/readyz").status, get("/readyz").body) == (200, b"ready")
    assert b"zhendi_tiles_total" in get("/metrics").body
    monkeypatch.setenv("ZHENDI_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    answer = get("/readyz")
    assert answer.status == 503
    assert b"nobody" not in answer.body


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]:8501", "127.8.9.1"])
def test_this_machine_is_answered(host: str) -> None:
    assert get("/healthz", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["192.168.1.5:8501", "bank.example", "", "127.0.0.1.evil.example", "0.0.0.0"]
)
def test_another_host_is_refused(host: str) -> None:
    assert get("/healthz", host=host).status == 403
    assert get("/_stcore/stream", host=host, kind="websocket").body == b"websocket.close"


@pytest.mark.parametrize("header", ["forwarded", "x_forwarded_for", "x_forwarded_host", "X_Forwarded_For"])
def test_what_came_through_a_proxy_is_refused(header: str) -> None:
    assert get("/healthz", **{header: "127.0.0.1"}).status == 403


@pytest.mark.parametrize("listens", [None, "0.0.0.0", "192.168.1.5", "::"])
def test_a_server_others_can_reach_answers_nobody_and_does_not_start(
    listens: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "server_address", lambda: listens)
    assert get("/healthz").status == 403

    async def start() -> None:
        async with server.lifespan(server.app):
            pytest.fail("it started")

    with pytest.raises(IdentityError):
        asyncio.run(start())
