"""A real browser in front of a server: first maps, slider moves, bytes, tiles."""

from __future__ import annotations

import os
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

PROBE = Path(__file__).with_name("probe.js")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WEBGL_FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WINDOW = {"width": 1440, "height": 1000}
PATIENCE_MS = 610_000
KEYS = ("PageDown", "PageDown", "PageUp", "PageUp")  # a tenth of the slider each
ZOOMS = range(8, 19)
TILES_A_ZOOM = 6  # the fullest, and as many of the fullest that still show points
TILE = re.compile(r"(?P<head>.*/tiles/.+/(?P<layer>\w+))/(?P<z>\d+)/(?P<x>\d+)/(?P<y>\d+)\.mvt.*")


@dataclass
class Measured:
    """What was measured of one page; times in seconds, bytes and requests per slider move."""

    name: str
    rows: int
    first_ever_s: float | None = None  # of a server that has just started
    first_s: list[float] = field(default_factory=list)
    first_figures_s: list[float] = field(default_factory=list)
    move_s: list[float] = field(default_factory=list)
    move_map_s: list[float] = field(default_factory=list)
    move_figures_s: list[float] = field(default_factory=list)
    move_bytes: list[float] = field(default_factory=list)
    move_tiles: list[float] = field(default_factory=list)
    first_tiles: list[float] = field(default_factory=list)
    biggest_tile: dict[str, object] | None = None
    memory_mb: float | None = None


@contextmanager
def chromium(*, webgl: bool = False) -> Iterator[Browser]:
    """Start a browser of its own."""
    executable = os.environ.get("ZHENDI_TEST_CHROMIUM") or "/usr/bin/chromium"
    flags = [*FLAGS, *(WEBGL_FLAGS if webgl else ())]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        yield browser
        browser.close()


class Visit:
    """One cold visit: a new profile, without anything cached."""

    def __init__(self, browser: Browser, kind: str, rows: int) -> None:
        self.context: BrowserContext = browser.new_context(viewport=WINDOW, locale="zh-CN")
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.page.add_init_script(path=PROBE)
        self.page.add_init_script(f"if (window === window.top) bench.watch({kind!r}, {rows})")
        self.tiles: list[str] = []
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if TILE.match(request.url):
            self.tiles.append(request.url)

    def first(self, url: str) -> dict[str, float]:
        """Open the page; return the seconds until the map was drawn, and until the figures stood."""
        self.page.goto(url, wait_until="commit")
        return _seconds(self.page.evaluate("bench.first()"))

    def move(self, key: str) -> tuple[dict[str, float], int, int]:
        """Press a key on the slider; return seconds until map and figures follow, bytes, tiles asked for."""
        before = len(self.tiles)
        self.page.evaluate("bench.arm()")
        self._press(key)
        took = _seconds(self.page.evaluate("bench.moved()"))
        self.page.evaluate("bench.quiet()")  # what a move still brings afterwards counts, in bytes
        sizes = self.page.evaluate("bench.bytes")
        return took, sizes["received"] + sizes["sent"], len(self.tiles) - before

    def begin(self) -> None:
        """Bring the slider to the middle by a click: at its end figures may stay the same."""
        slider = self.page.locator("[data-testid=stSlider]").first
        slider.scroll_into_view_if_needed()
        track = slider.bounding_box()
        thumb = slider.locator("[data-testid=stSliderThumbValue] >> xpath=..").bounding_box()
        if track is None or thumb is None:
            raise RuntimeError("the slider is not on screen")
        self.page.mouse.click(track["x"] + track["width"] / 2, thumb["y"] + thumb["height"] / 2)
        self.page.evaluate("bench.quiet()")

    def _press(self, key: str) -> None:
        slider = self.page.locator("[data-testid=stSlider] input[type=range]").first
        slider.focus()
        value = slider.input_value()
        self.page.keyboard.press(key)
        if slider.input_value() == value:
            raise RuntimeError(f"{key} left the slider at {value}")

    def close(self) -> None:
        """Forget everything."""
        self.context.close()


def _seconds(milliseconds: dict[str, float]) -> dict[str, float]:
    return {name: value / 1000 for name, value in milliseconds.items()}


def measure(
    browser: Browser, url: str, name: str, kind: str, rows: int, *, visits: int, moves: int
) -> tuple[Measured, list[str]]:
    """Visit a page that nobody has visited yet, then again and again, then move its slider."""
    found = Measured(name, rows)
    visit = Visit(browser, kind, rows)
    found.first_ever_s = visit.first(url)["map"]
    for _ in range(visits):
        visit.close()
        visit = Visit(browser, kind, rows)
        took = visit.first(url)
        found.first_s.append(took["map"])
        found.first_figures_s.append(took["figures"])
    visit.page.evaluate("bench.quiet()")
    found.first_tiles.append(len(visit.tiles))
    visit.begin()
    for number in range(moves):
        took, size, tiles = visit.move(KEYS[number % len(KEYS)])
        found.move_s.append(max(took.values()))
        found.move_map_s.append(took["map"])
        found.move_figures_s.append(took["figures"])
        found.move_bytes.append(size)
        found.move_tiles.append(tiles)
    seen = visit.tiles
    visit.close()
    return found, seen


# Tiles ------------------------------------------------------------------------------------------------------


def biggest_tile(
    seen: list[str], layers: dict[str, pd.DataFrame], most_points: int
) -> dict[str, object] | None:
    """
    Return the biggest of the fullest tiles at every zoom, fetched through the route.

    Parameters
    ----------
    seen
        Addresses of tiles the map asked for: the newest of each layer leads to the others.
    layers
        Where the rows of each layer are.
    most_points
        Rows up to which a tile shows points: the fullest of those are tried too.
    """
    heads = {match["layer"]: match["head"] for match in map(TILE.match, seen) if match}
    best: dict[str, object] | None = None
    for layer, head in heads.items():
        if layer not in layers:
            continue
        for z in ZOOMS:
            for x, y in _fullest(layers[layer], z, most_points):
                start = time.perf_counter()
                with urllib.request.urlopen(f"{head}/{z}/{x}/{y}.mvt") as answer:
                    size = len(answer.read())
                took = time.perf_counter() - start
                if best is None or size > int(str(best["bytes"])):
                    best = {"bytes": size, "layer": layer, "tile": f"{z}/{x}/{y}", "seconds": took}
    return best


def _fullest(frame: pd.DataFrame, z: int, most_points: int) -> list[tuple[int, int]]:
    """Return the tiles of a zoom with most rows, and those with most that still show points."""
    lat = np.radians(frame["lat"].to_numpy())
    x = (frame["lon"].to_numpy() / 360 + 0.5) * 2**z
    y = (0.5 - np.arcsinh(np.tan(lat)) / (2 * np.pi)) * 2**z
    tiles, counts = np.unique(np.column_stack([x, y]).astype(np.int64), axis=0, return_counts=True)
    by_count = np.argsort(counts)[::-1]
    few = by_count[counts[by_count] <= most_points]
    return [(int(tx), int(ty)) for tx, ty in tiles[np.r_[by_count[:TILES_A_ZOOM], few[:TILES_A_ZOOM]]]]
