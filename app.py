"""The server: the pages, and beside them the routes of the map and of whoever watches over the server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from data import basemaps, store, tiles, tokens
from data.config import Settings
from data.warming import warm
from geo.errors import N_, IdentityError, TileError, TokenError, ZhendiError
from pages.parts.identity import is_loopback, loopback_only, server_address
from pages.parts.map_assets import FILES

LOG = logging.getLogger("zhendi.server")
HOUR_S = 3600
TILE_TYPE = "application/vnd.mapbox-vector-tile"
SAFE = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'self'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TILES = Counter("zhendi_tiles_total", "Map tiles asked for, by layer and answer", ("layer", "status"))
TILE_SECONDS = Histogram("zhendi_tile_seconds", "Time to make a map tile", ("layer",))


async def tile(request: Request) -> Response:
    """Return a map tile: 403 without a good token, 404 outside the world, 204 where nothing lies."""
    started = time.perf_counter()
    part = request.path_params
    try:
        settings = Settings.from_env()
        claim = tokens.read(settings, part["token"])
        if claim.layer != part["layer"]:
            raise TokenError(N_("This link is for another layer."))
        engine = store.engine(settings)
        content = await run_in_threadpool(tiles.tile, engine, claim, part["z"], part["x"], part["y"])
        answer = Response(content, status_code=200 if content else 204, media_type=TILE_TYPE)
        answer.headers["Cache-Control"] = f"private, max-age={HOUR_S}, immutable"
    except TokenError:
        answer = Response(status_code=403)
    except TileError:
        answer = Response(status_code=404)
    layer = part["layer"] if part["layer"] in tiles.LAYERS else "other"
    TILES.labels(layer, answer.status_code).inc()
    TILE_SECONDS.labels(layer).observe(time.perf_counter() - started)
    return safe(answer)


async def nowhere(_request: Request) -> Response:
    """Say that an address is none of a tile; Streamlit would answer anything with its own page."""
    return safe(Response(status_code=404))


async def asset(request: Request) -> Response:
    """Return a script or style of the map: one of a list, by its exact name."""
    path = FILES.get(request.path_params["rest"])
    if path is None or not path.is_file():
        return safe(Response(status_code=404))
    fresh = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    return safe(FileResponse(path, headers={"Cache-Control": fresh}))


async def basemap(request: Request) -> Response:
    """Return a base map's file, in the parts the browser asks for."""
    path = basemaps.pmtiles_path(Settings.from_env(), request.path_params["key"])
    if path is None or not path.is_file():
        return safe(Response(status_code=404))
    kind, fresh = "application/octet-stream", {"Cache-Control": "no-cache"}
    return safe(FileResponse(path, media_type=kind, headers=fresh))


async def alive(_request: Request) -> Response:
    """Say that the server runs."""
    return safe(PlainTextResponse("ok"))


async def ready(_request: Request) -> Response:
    """Say whether the store can be reached and is migrated."""
    try:
        migrated = await run_in_threadpool(store.is_migrated, store.engine(Settings.from_env()))
    except (SQLAlchemyError, ZhendiError) as error:
        LOG.warning("The store cannot be reached: %s", type(error).__name__)
        return safe(PlainTextResponse("the store cannot be reached", status_code=503))
    if not migrated:
        return safe(PlainTextResponse("the store is not migrated", status_code=503))
    return safe(PlainTextResponse("ready"))


async def metrics(_request: Request) -> Response:
    """Return the counters, as Prometheus reads them."""
    return safe(Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST}))


def safe(answer: Response) -> Response:
    """Add the headers that keep an answer from being more than it is."""
    answer.headers.update(SAFE)
    return answer


class LoopbackOnly:
    """Refuse requests that did not come from this machine: nobody signs in yet, so nobody else may ask."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403; a websocket is refused before it opens."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        if loopback_only(headers, server_address()):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await safe(PlainTextResponse("Zhendi answers on this machine only.", 403))(scope, receive, send)


@asynccontextmanager
async def lifespan(_server: st.App) -> AsyncIterator[dict[str, object]]:
    """Bring the store up to date before the first visit; stay down where anybody could ask."""
    if not is_loopback(server_address()):
        raise IdentityError(N_("Zhendi has no sign-in yet: set server.address to 127.0.0.1."))
    await run_in_threadpool(store.migrate, store.engine(Settings.from_env()))
    LOG.info("Zhendi serves the store of %s", Settings.from_env().var)
    over = threading.Event()
    warmer = threading.Thread(target=warm, args=(store.engine(Settings.from_env()), over.is_set), daemon=True)
    warmer.start()  # beside the first visits, which wait for a branch only as long as they would anyhow
    yield {}
    over.set()


ROUTES = [
    Route("/tiles/{token}/{layer}/{z:int}/{x:int}/{y:int}.mvt", tile),
    Route("/tiles/{rest:path}", nowhere),
    Route("/assets/{rest:path}", asset),
    Route("/basemaps/{key}.pmtiles", basemap),
    Route("/healthz", alive),
    Route("/readyz", ready),
    Route("/metrics", metrics),
]
MIDDLEWARE = [Middleware(LoopbackOnly)]

app = st.App("pages/shell.py", routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan)
